"""Pipelines: a synchronisation as a value, and the verbs that run it.

Methods that say what a pipeline should do return a new one and never wait; verbs wait.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar, get_args, overload

import attrs

from . import _stated
from ._verbs import Verbs, called
from .definition import Definition, End
from .errors import UsageError
from .given import Reference, Value, as_given
from .plan import Name, Owner, PairedField, ReadOnly
from .preflight import Answer, reject
from .protocols import Clock, Codec, FieldPolicy, Sink, Source

if TYPE_CHECKING:
    # What performs, and what answers, is loaded by the first verb: to say what a pipeline should do costs little.
    from pathlib import Path

    from .check import Finding
    from .drive import AsyncDriver, Driver
    from .explaining import Why
    from .flow import Flow
    from .model import Arrived, Delivery, RecordRef, Signal, Values
    from .report import Plan, Report

T = TypeVar("T")


def at(connector: Source | Sink, *kinds: str, new: str | None = None) -> End:
    """Name one side of a pipeline: its kinds are tried in this order, and *new* is the kind of new records.

    Raises `UsageError` for what is no connector, where no kind is named, or not as a text of its own, and for a *new* kind
    that is none of them.
    """
    _stated.connector("at", connector)
    for kind in kinds:
        _stated.named(f"at({connector.system})", kind, "each kind", "at(crm, 'Contact', 'Lead')")
    if not kinds:
        raise UsageError(f"at({connector.system}): name at least one kind")
    if new is not None:
        _stated.word(f"{connector.system}: at", "new", new, kinds, hint="name it among the kinds too")
    return End(connector, kinds, new or (kinds[0] if len(kinds) == 1 else None))


def read_only(field: str) -> ReadOnly:
    """Pair a field that is read and never written: `pair(read_only("Id"), "ma_id", left_wins)`."""
    return ReadOnly(field)


def per_kind(**names: str | ReadOnly) -> Mapping[str, str | ReadOnly]:
    """Name a field for each kind of an end; a kind that is not named has no such field."""
    return names


def pair(
    left: Name,
    right: Name,
    policy: FieldPolicy | None = None,
    *,
    via: Codec | Reference | None = None,
    owner: Owner | None = None,
    if_refused: Answer = reject,
    formerly: Name | tuple[Name, Name] | None = None,
) -> PairedField:
    """Keep a left and a right field in step, as the policy says; *via* puts the left's form into the right's.

    A pair without a *policy* takes that of `fields(policy=...)`; where neither names one it is `left_wins`, and in a
    two-way pipeline `fields` refuses it.

    *via* `linked(...)`: the two fields point to records that another pipeline keeps in step. *owner*: which of several
    left records that share a right one writes this field of it, the first that was linked or the newest; it counts in
    `many_to_one` pipelines alone. *if_refused* is what is sent where the target would refuse the value: see
    `crmbridge.preflight`. *formerly* is what the right field was called before it was renamed, or what both were, left
    first: what the two records agreed on is kept by these names, and without it the pair would meet for the first time.
    Raises `UsageError` for an owner that is no word of these.
    """
    if owner is not None:
        _stated.word("pair", "owner", owner, get_args(Owner))
    return PairedField(left, right, policy, via, owner, if_refused).renamed(formerly)


def put(right: Name, value: Value, policy: FieldPolicy | None = None, *, if_refused: Answer = reject) -> PairedField:
    """Write a right field with a constant, or with a value made from the left record.

    A two-way pipeline wants a policy for it, as for any pair. A parent that is ensured is written to new records only,
    unless a policy says otherwise: one that is there has its own.
    """
    given = as_given(value)
    if policy is None and isinstance(given, Reference):
        from .policies import only_on_create
        from .references import Ensured

        policy = only_on_create if isinstance(given, Ensured) else None
    return PairedField(given, right, policy, if_refused=if_refused)


@attrs.frozen
class Pipeline(Verbs):
    """A synchronisation, as a value; its verbs block."""

    driver: Driver | None = attrs.field(default=None, repr=False)

    @overload
    def using(self, driver: Driver) -> Pipeline: ...
    @overload
    def using(self, driver: AsyncDriver) -> AsyncPipeline: ...
    def using(self, driver: Driver | AsyncDriver) -> Pipeline | AsyncPipeline:
        """Perform the verbs with this driver; an `AsyncDriver` gives the same verbs, awaited.

        Tokens and budgets are kept in the driver's store; where it has none, in that of the pipeline. Raises `UsageError`
        for what is no driver.
        """
        _stated.able(f"{self.name}: using", driver, "run", "a driver, as Driver() or AsyncDriver()")
        from .drive import AsyncDriver

        if isinstance(driver, AsyncDriver):
            return AsyncPipeline(self.definition, self.store, self.observer, driver=driver)
        return attrs.evolve(self, driver=driver)

    def check(self) -> Sequence[Finding]:
        """Name what cannot work, or deserves a second thought, before anything runs; reads schemas, writes nothing."""
        return self._perform(lambda _clock: self._checked())

    def plan(self) -> Plan:
        """Say what a run would do, and why; nothing is written to either system.

        Raises what `run` raises, but for guards: what they object is told by `plan.objection`.
        """
        return self._plan(self._perform(lambda clock: self._sweep(clock, planning=True)))

    def run(self, plan: Plan | None = None) -> Report:
        """Bring both sides into step; with an approved plan, do what it says and nothing else.

        A record in trouble stops nothing: the report has it, and `report.raise_for_failures()` raises. Raises
        `GuardTripped` where a guard objects, `LeaseHeld` while another run of this pipeline is under way, `PlanRefused`
        for a plan of another pipeline or one that this store does not have, `PairError` and `CapabilityError` for what
        cannot work, an `AdapterError` where a system cannot be asked, and `UsageError` without a store. What was done
        by then is remembered, and the next run goes on from there.

        Plans are known by their names, which begin anew in each store: run a plan with the store that it was made with.
        """
        return self._report(self._perform(lambda clock: self._run(clock, plan)))

    def load(self, path: str | Path) -> Plan:
        """Take up a plan that was saved into a file, once it is known to be a plan of this pipeline and this store.

        The rows that are run are those in the store; a person who was forgotten since is not among them. Raises
        `PlanRefused` for a file that is cut, changed, foreign, newer, or of another state, and `OSError` for one that
        cannot be read.
        """
        return self._load(path)

    def undo(self, run: str | Report) -> Plan:
        """Plan how a run is taken back: named as its report names it, or the report itself; nothing is written.

        Fields go back to what they held, records that were made are archived or deleted, where nobody has touched
        them since; the rest is left alone and says why. `run(plan)` carries it out, and no later run does it again;
        in a paced pipeline what has no turn yet is held, and done when the plan is run again.
        Raises `UsageError` for a run that this store does not know, and `LeaseHeld` while a run is under way.
        """
        return self._plan(self._perform(lambda clock: self._undo(clock, run)))

    def drain(self) -> Report:
        """Take in deliveries and what is due, without asking either system for changes; raises what `run` raises."""
        return self._report(self._perform(lambda clock: self._sweep(clock, feed=False)))

    def receive(self, delivery: Delivery) -> int:
        """Open a delivery, store what it brings, and tell how much of it was new.

        When it returns, what came is safe. Raises `ForgedDelivery` where no listener takes it for its sender's,
        `ContractBroken` where one does and it makes no sense, and `UsageError` where nobody listens.
        """
        return self._received(delivery, self._now())

    def accept(self, arrivals: Sequence[Signal | Arrived]) -> int:
        """Store events that are known to be genuine, by call or from a file; tell how many had an id that is new."""
        return self._accepted(arrivals)

    def enable(self) -> None:
        """Take events from this moment on; what happened before is skipped. Raises `UsageError` outside `events()`.

        Where events are taken already it changes nothing, so that a program may call it at each start.
        """
        self._enabled(self._now())

    def disable(self) -> None:
        """Stop: no run takes up events any more. Raises `UsageError` outside `events()`.

        Call `drain()` before it: what is stored and was taken up by no run yet is skipped for good. What a run has put
        off is kept, and made when it is due.
        """
        self._enabled(None)

    def retry(self, refs: Sequence[RecordRef] | None = None, *, values: Values | None = None, by: str = "") -> Report:
        """Look at parked records again, all or those named, and run what is due.

        *values* are sent instead of the records' own, by field of the system that is written, in this one write: they
        are held against its schema first, and the journal says *by* whom they are. A write that is put off puts the
        record back into quarantine. A person who retries a record that is in doubt, by its name or with all others,
        decides that it may be sent again. Parents that are ensured, and keep a record in quarantine, are looked at
        again with it. Raises `UsageError` for values without records or a name in *by*, for a field that no pair
        writes, for values for a record that is neither disputed nor in quarantine, and always for a system or kind that
        the pipeline never had; besides what `run` raises.
        """
        return self._report(self._perform(lambda clock: self._retry(clock, refs, values, by)))

    def adopt(self) -> int:
        """Let a pipeline whose state was lost go on as any other, after a review of its matches.

        Its first run met records that carry its own marks, so it filled blanks, disputed the rest and made nothing.
        Gives how many records had waited for this; the next run decides them. Raises `LeaseHeld` while a run is under
        way.
        """
        return self._perform(lambda clock: self._adopted(clock))

    def look_again(self) -> int:
        """Let the next run or plan look at every linked pair again, and read both systems from the beginning.

        A change of pairs, policies, matcher, gates and the like brings that about by itself; this is for what a run
        cannot see: a function of your own that decides otherwise now, or changes that a system no longer tells of.
        Gives how many linked pairs there are. Raises `UsageError` for events, and `LeaseHeld` while a run is under way.
        """
        return self._perform(lambda clock: self._looked_again(clock))

    def rule(self, ref: RecordRef, choice: str, *, by: str) -> None:
        """Decide a dispute: the name of the system whose values live on (or its side), `leave`, or the id to adopt.

        The words are those of a file of rulings: `adopt` may stand before the id. Where a value would be refused,
        `leave`, or the side that would refuse it, keeps it from being sent; the other side leaves it in quarantine. A
        ruling answers what is asked of the record, or of the pair: this trouble, in this field, with what both sides
        held when a run parked it. Another field, or an edit made since, asks again. The record is looked at in the next
        run. Raises `UsageError` without a name in *by*, for a choice that is none of these, for an id where not several
        records match or that is none of theirs, and for a record that nothing is known of, or that asks nothing.
        """
        self._ruled(ref, choice, by, self._now())

    def forget(self, *refs: RecordRef) -> int:
        """Erase what the store keeps of people: of these records, their counterparts, and every ref they have had.

        Values go from links, journal, plans, queue, inbox, directory and notices of all pipelines of the store. What
        stays is a keyed fingerprint: the record is not taken up or made again. Neither system is written, and files
        that plans were saved into are yours to find. Tells of how many records something was known; a fingerprint is
        kept of the others too. A state file is written anew, once for all who are named. An id may be written in any
        form that its system knows. Raises `UsageError`, and erases nothing, for a system or kind that the pipeline never
        had, and `LeaseHeld` while a run of it is under way; let no other pipeline of the store run meanwhile.
        """
        return self._perform(lambda clock: self._forget(clock, refs))

    def _now(self) -> dt.datetime:
        from .drive import SystemClock

        return (self.driver.clock if self.driver is not None else SystemClock()).now()

    def why(self, ref: RecordRef, field: str | None = None) -> Why:
        """Tell why a record is as it is: what was decided and written, oldest first, and how it stands now.

        Of one field where one is named. Iterating the answer gives the writes; printing it says every step. Of what was
        decided without a write, the latest 50 runs and plans are told. Raises `UsageError` for a system or kind that
        the pipeline never had.
        """
        return self._why(ref, field)

    def _perform(self, make: Callable[[Clock], Flow[T]]) -> T:
        from .drive import Driver

        if self.driver is not None:
            return self.driver.run(make(self.driver.clock), store=self.store)
        with Driver(self.store) as driver:
            return driver.run(make(driver.clock))


@attrs.frozen
class AsyncPipeline(Verbs):
    """The same pipeline with its verbs awaited; each does and raises what that of `Pipeline` does."""

    driver: AsyncDriver = attrs.field(kw_only=True, repr=False)

    async def check(self) -> Sequence[Finding]:
        """Name what cannot work, or deserves a second thought, before anything runs."""
        return await self._perform(self._checked())

    async def plan(self) -> Plan:
        """Say what a run would do, and why; nothing is written to either system."""
        return self._plan(await self._perform(self._sweep(self.driver.clock, planning=True)))

    async def run(self, plan: Plan | None = None) -> Report:
        """Bring both sides into step; with an approved plan, do what it says and nothing else."""
        return self._report(await self._perform(self._run(self.driver.clock, plan)))

    async def load(self, path: str | Path) -> Plan:
        """Take up a plan that was saved into a file, once it is known to be a plan of this pipeline and this store."""
        return await self._perform(called(self._load, path))

    async def undo(self, run: str | Report) -> Plan:
        """Plan how a run is taken back: named as its report names it, or the report itself; nothing is written."""
        return self._plan(await self._perform(self._undo(self.driver.clock, run)))

    async def adopt(self) -> int:
        """Let a pipeline whose state was lost go on as any other, after a review of its matches."""
        return await self._perform(self._adopted(self.driver.clock))

    async def look_again(self) -> int:
        """Let the next run or plan look at every linked pair again, and read both systems from the beginning."""
        return await self._perform(self._looked_again(self.driver.clock))

    async def rule(self, ref: RecordRef, choice: str, *, by: str) -> None:
        """Decide a dispute: the name of the system whose values live on (or its side), `leave`, or the id to adopt."""
        await self._perform(called(self._ruled, ref, choice, by, self.driver.clock.now()))

    async def drain(self) -> Report:
        """Take in deliveries and what is due, without asking either system for changes."""
        return self._report(await self._perform(self._sweep(self.driver.clock, feed=False)))

    async def receive(self, delivery: Delivery) -> int:
        """Open a delivery, store what it brings, and tell how much of it was new; raises `ForgedDelivery`."""
        return await self._perform(called(self._received, delivery, self.driver.clock.now()))

    async def accept(self, arrivals: Sequence[Signal | Arrived]) -> int:
        """Store events that are known to be genuine, by call or from a file; tell how many were new."""
        return await self._perform(called(self._accepted, arrivals))

    async def enable(self) -> None:
        """Take events from this moment on, unless they are taken already; what happened before is skipped."""
        await self._perform(called(self._enabled, self.driver.clock.now()))

    async def disable(self) -> None:
        """Stop: no run takes up events any more, not even those that are stored; what a run has put off is kept."""
        await self._perform(called(self._enabled, None))

    async def retry(
        self, refs: Sequence[RecordRef] | None = None, *, values: Values | None = None, by: str = ""
    ) -> Report:
        """Look at parked records again, all or those named, and run what is due; *values* are sent instead."""
        return self._report(await self._perform(self._retry(self.driver.clock, refs, values, by)))

    async def forget(self, *refs: RecordRef) -> int:
        """Erase what the store keeps of people: of these records, their counterparts, and every ref they have had."""
        return await self._perform(self._forget(self.driver.clock, refs))

    async def why(self, ref: RecordRef, field: str | None = None) -> Why:
        """Tell why a record is as it is: what was decided and written, oldest first, and how it stands now."""
        return await self._perform(called(self._why, ref, field))

    async def _perform(self, flow: Flow[T]) -> T:
        return await self.driver.run(flow, store=self.store)


def one_way(name: str, source: End, sink: End) -> Pipeline:
    """Carry changes from a source to a sink; the source is never written.

    Records are made in the sink unless `creates` says otherwise. What somebody edits there stays until that field
    changes at the source, and what somebody removes there is not made again; pairs that name no policy are decided by
    `left_wins`.
    """
    return Pipeline(Definition(name, "one_way", source, sink))


def two_way(name: str, left: End, right: End) -> Pipeline:
    """Keep two systems in step, both ways; every pair of fields names its policy.

    Records are made on neither side until `creates` says so.
    """
    return Pipeline(Definition(name, "two_way", left, right, creates_left=False, creates_right=False))


def events(name: str, source: End, sink: End) -> Pipeline:
    """Make one record over there of each event here, once per pipeline name and event id.

    Only events from the moment of `enable()` on count: until then every run skips them. Where the source cannot be
    read, an authenticated delivery is the record.
    """
    return Pipeline(Definition(name, "events", source, sink))
