"""Pipelines: a synchronisation as a value, and the verbs that run it.

Methods that say what a pipeline should do return a new one and never wait; verbs wait.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, cast, get_args, overload

import attrs

from . import _stated
from .definition import Definition, End, Paced, PlacedGate, with_cases, with_fields, with_override
from .errors import ForgedDelivery, UsageError
from .given import Reference, Value, as_given
from .match import Adoption, Level, LevelMatcher, ScoredLevel, refuse
from .model import SIDES
from .plan import Deletes, IfEdited, Name, Owner, PairedField, ReadOnly, Removal
from .preflight import Answer, reject
from .protocols import (
    Clock,
    Codec,
    FieldPolicy,
    Gate,
    Guard,
    Listener,
    Matcher,
    Moment,
    Notifier,
    Observer,
    Sink,
    Source,
    Towards,
)

if TYPE_CHECKING:
    # What performs, and what answers, is loaded by the first verb: to say what a pipeline should do costs little.
    from pathlib import Path

    from ._engine._run import Edit
    from ._engine.sweep import Swept
    from .cases import Case
    from .check import Finding
    from .drive import AsyncDriver, Driver
    from .explaining import Why
    from .flow import Flow
    from .model import Arrived, Delivery, RecordRef, Side, Signal, Totals, Values
    from .report import Names, Plan, Report
    from .roles import StateStore

T = TypeVar("T")

_CENTURY_OF_MINUTES = _stated.CENTURY * 24 * 60


def at(connector: Source | Sink, *kinds: str, new: str | None = None) -> End:
    """Name one side of a pipeline: its kinds are tried in this order, and *new* is the kind of new records.

    Raises `UsageError` where no kind is named, and for a *new* kind that is none of them.
    """
    if not kinds:
        raise UsageError(f"at({connector.system}): name at least one kind")
    if new is not None:
        _stated.word(f"{connector.system}: at", "new", new, kinds, hint="name it among the kinds too")
    return End(connector, kinds, new or (kinds[0] if len(kinds) == 1 else None))


def read_only(field: str) -> ReadOnly:
    """Pair a field that is read and never written."""
    return ReadOnly(field)


def per_kind(**names: str | ReadOnly) -> Mapping[str, str | ReadOnly]:
    """Name a field for each kind."""
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

    A parent that is ensured is written to new records only, unless a policy says otherwise: one that is there has its own.
    """
    given = as_given(value)
    if policy is None and isinstance(given, Reference):
        from .policies import only_on_create
        from .references import Ensured

        policy = only_on_create if isinstance(given, Ensured) else None
    return PairedField(given, right, policy, if_refused=if_refused)


@attrs.frozen
class _Rules:
    """The part of a pipeline that says what it should do."""

    definition: Definition
    store: StateStore | None = attrs.field(default=None, repr=False)
    observer: Observer | None = attrs.field(default=None, repr=False)

    @property
    def name(self) -> str:
        """Name the pipeline."""
        return self.definition.name

    def _with(self, **changes: Any) -> Self:
        return attrs.evolve(self, definition=attrs.evolve(self.definition, **changes))

    def match(self, *how: Matcher | Level | ScoredLevel, adopt: Adoption = refuse) -> Self:
        """Find counterparts by levels of keys, in this order; *adopt* chooses where several records match.

        A matcher of your own may stand alone instead of levels.
        """
        levels = tuple(one for one in how if isinstance(one, Level | ScoredLevel))
        if len(levels) == len(how):
            if any(isinstance(one, ScoredLevel) for one in levels[:-1]):
                raise UsageError(f"{self.name}: a scored level may only come last, after every level of equal keys")
            return self._with(matcher=LevelMatcher(levels, adopt))
        if len(how) == 1 and not isinstance(how[0], Level | ScoredLevel):
            return self._with(matcher=how[0])
        raise UsageError(f"{self.name}: match() takes levels, or one matcher of your own")

    def many_to_one(self) -> Self:
        """Let several left records share a right one.

        A field of the shared record is written when the record is made and afterwards only while it is blank, unless
        its pair names an owner. Edits of the shared record reach all who share it. It is removed with the last of them.
        """
        return self._with(shared=True)

    def fields(self, *pairs: PairedField, policy: FieldPolicy | None = None) -> Self:
        """Append pairs; *policy* serves those that name none. Raises `PairError` for a right field paired twice."""
        return attrs.evolve(self, definition=with_fields(self.definition, pairs, policy))

    def override(self, *pairs: PairedField) -> Self:
        """Replace the pairs that have the same right field."""
        return attrs.evolve(self, definition=with_override(self.definition, pairs))

    def cases(self, *cases: Case) -> Self:
        """Let the first case that admits a record choose further fields; a record that none admits is skipped.

        Raises `UsageError` in a two-way pipeline, and `PairError` for a field that is paired already.
        """
        added = (*self.definition.cases, *cases)
        return attrs.evolve(self, definition=with_cases(self.definition, added))

    def gate(self, *gates: Gate, before: Moment = "writing", towards: Towards = "both", of: Side | None = None) -> Self:
        """Ask before linking, creating or writing, towards one side or both.

        A gate looks at the record that crosses: the left one towards the right, the right one towards the left.
        Towards both it looks at the left record, unless *of* says the right. Raises `UsageError` for a word that is none
        of these: a gate that is never asked admits everybody.
        """
        sides = f"{self.definition.left.system} is the left, {self.definition.right.system} the right"
        _stated.word(f"{self.name}: gate", "before", before, get_args(Moment))
        _stated.word(f"{self.name}: gate", "towards", towards, get_args(Towards), hint=sides)
        if of is not None:
            _stated.word(f"{self.name}: gate", "of", of, SIDES, hint=sides)
        looks_at: Side = of or ("right" if towards == "left" else "left")
        added = tuple(PlacedGate(gate, before, towards, looks_at) for gate in gates)
        return self._with(gates=(*self.definition.gates, *added))

    def guard(self, *guards: Guard) -> Self:
        """Let guards judge the whole sweep before the first write."""
        return self._with(guards=(*self.definition.guards, *guards))

    def creates(self, *, left: bool, right: bool) -> Self:
        """Say on which sides records may be made; raises `UsageError` for the left of a one-way pipeline."""
        _stated.flag(f"{self.name}: creates", "left", left)
        _stated.flag(f"{self.name}: creates", "right", right)
        if left and self.definition.topology == "one_way":
            raise UsageError(f"{self.name}: a one-way pipeline never writes to {self.definition.left.system}")
        return self._with(creates_left=left, creates_right=right)

    def deletes(self, *, left: Removal = "detach", right: Removal = "detach", if_edited: IfEdited = "ask") -> Self:
        """Say what becomes of the left record when the right one is gone, and the reverse.

        Raises `UsageError` for a word that is none of these, and for the left of a one-way pipeline.
        """
        _stated.word(f"{self.name}: deletes", "left", left, get_args(Removal))
        _stated.word(f"{self.name}: deletes", "right", right, get_args(Removal))
        _stated.word(f"{self.name}: deletes", "if_edited", if_edited, get_args(IfEdited))
        if left != "detach" and self.definition.topology == "one_way":
            raise UsageError(f"{self.name}: a one-way pipeline never writes to {self.definition.left.system}")
        return self._with(deletes=Deletes(left, right, if_edited))

    def paced(
        self,
        *,
        by: str | None = None,
        cooldown: dt.timedelta = dt.timedelta(0),
        spacing: dt.timedelta = dt.timedelta(0),
        reservations: int | None = None,
        window: dt.timedelta | Literal["day"] = "day",
    ) -> Self:
        """Say how far writes are apart; a record whose time has not come is held until then, and says when that is.

        A cool-down counts by the value of the left field *by*, else by record; a spacing and the most *reservations* of
        a window (a day of the Japanese calendar, unless a span is given) count for the whole pipeline. Raises `UsageError` in
        a two-way pipeline.
        """
        if self.definition.topology == "two_way":
            raise UsageError(f"{self.name}: only what goes one way is paced; a two-way pipeline is kept in step")
        from .pacing import Pacing

        return self._with(paced=Paced(Pacing(cooldown, spacing, reservations, window), by))

    def leased(self, *, minutes: float) -> Self:
        """Say for how long a run that has stopped without a word keeps others out: more than 0 minutes."""
        _stated.number(f"{self.name}: leased", "minutes", minutes, above=True, most=_CENTURY_OF_MINUTES)
        return self._with(lease=dt.timedelta(minutes=minutes))

    def batches(self, *, of: int) -> Self:
        """Say how many records are decided together: at least one."""
        _stated.number(f"{self.name}: batches", "of", of, least=1, whole=True)
        return self._with(batch=of)

    def after(self, *, minutes: float = 0, hours: float = 0, days: float = 0) -> Self:
        """Let events wait, counted from their own time; no part of it is below zero."""
        for argument, given, a_day in (("minutes", minutes, 24 * 60), ("hours", hours, 24), ("days", days, 1)):
            _stated.number(f"{self.name}: after", argument, given, most=_stated.CENTURY * a_day)
        return self._with(delay=dt.timedelta(minutes=minutes, hours=hours, days=days))

    def listen(self, *listeners: Listener) -> Self:
        """Open deliveries with these; an end that opens its own needs not be named."""
        return self._with(listeners=(*self.definition.listeners, *listeners))

    def on_quarantine(self, *notifiers: Notifier) -> Self:
        """Tell people of each record that goes into quarantine: one notice for a record, an incident and a notifier.

        Who could not be told is told in a later run; notifiers are known by their order.
        """
        return self._with(notifiers=(*self.definition.notifiers, *notifiers))

    def remember(self, store: StateStore) -> Self:
        """Keep what must be remembered in this store."""
        return attrs.evolve(self, store=store)

    def retain(self, *, days: float) -> Self:
        """Say for how long history is kept; without it, for ever.

        What runs wrote, planned and decided goes when the run or plan ended more than *days* ago: at the end of each
        run, and whole, so that `why` no longer tells of it and `undo` refuses it. Links, agreements, promises, parked
        records, rulings and whatever keeps a record from being made twice have no age.
        """
        for_ever = "without retain() history is kept for ever"
        _stated.number(f"{self.name}: retain", "days", days, above=True, most=_stated.CENTURY, hint=for_ever)
        return self._with(retain=dt.timedelta(days=days))

    def observed(self, observer: Observer) -> Self:
        """Tell an observer what goes on."""
        return attrs.evolve(self, observer=observer)

    # -- what needs neither system --------------------------------------------------------

    def _accepted(self, arrivals: Sequence[Signal | Arrived]) -> int:
        return self._stored().inbox.put(self.name, arrivals)

    def _listeners(self) -> list[Listener]:
        own = [end.connector for end in (self.definition.left, self.definition.right)]
        return [*self.definition.listeners, *(cast("Listener", one) for one in own if hasattr(one, "receive"))]

    def _received(self, delivery: Delivery, now: dt.datetime) -> int:
        listeners = self._listeners()
        if not listeners:
            raise UsageError(f"{self.name}: nobody opens deliveries here; name one with listen(...)")
        refused: ForgedDelivery | None = None
        for listener in listeners:
            try:
                return self._accepted(listener.receive(delivery, now=now))
            except ForgedDelivery as error:
                refused = error
        raise refused or UsageError(f"{self.name}: nobody opens deliveries here")

    # -- flows: what the verbs of both colours perform ------------------------------------

    def _stored(self) -> StateStore:
        if self.store is None:
            raise UsageError(f"{self.name}: where should it remember? call .remember(SqliteStore('state.db'))")
        return self.store

    def _sweep(self, clock: Clock, **how: Any) -> Flow[Swept]:
        from ._engine.sweep import sweep

        return sweep(self.definition, self._stored(), clock, owner=_me(), observer=self.observer, **how)

    def _run(self, clock: Clock, plan: Plan | None) -> Flow[Swept]:
        if plan is None:
            return (yield from self._sweep(clock))
        from ._engine.undoing import is_undo, undone
        from .planfile import of_this_state

        yield from _call(of_this_state, self._stored(), self.name, plan.id, plan.totals)
        if is_undo(plan.id):
            how = undone(self.definition, self._stored(), clock, plan.id, owner=_me(), observer=self.observer)
            return (yield from how)
        return (yield from self._sweep(clock, approved=plan.id))

    def _undo(self, clock: Clock, run: str | Report) -> Flow[Swept]:
        from ._engine.undoing import undo

        named = run if isinstance(run, str) else run.run
        return undo(self.definition, self._stored(), clock, named, owner=_me(), observer=self.observer)

    def _adopted(self, clock: Clock) -> Flow[int]:
        from ._engine._adoption import adopted

        return adopted(self.definition, self._stored(), clock, owner=_me())

    def _looked_again(self, clock: Clock) -> Flow[int]:
        from ._engine._again import forget_rules

        return forget_rules(self.definition, self._stored(), clock, owner=_me())

    def _checked(self) -> Flow[list[Finding]]:
        from ._engine.checking import check

        return check(self.definition, self.store)

    def _plan(self, swept: Swept) -> Plan:
        return self._handle(swept.id, swept.totals, swept.parts, swept.findings)

    def _handle(self, id: str, totals: Totals, parts: tuple[str, ...], findings: tuple[Finding, ...] = ()) -> Plan:
        from .check import Finding
        from .report import Plan

        plan = Plan(id, self._names(), self._stored(), totals, self.definition, parts=parts)
        objection = plan.objection
        guards = () if objection is None else (Finding(self.name, objection),)
        return attrs.evolve(plan, findings=(*guards, *findings))

    def _retry(self, clock: Clock, refs: Sequence[RecordRef] | None, values: Values | None, by: str) -> Flow[Swept]:
        from ._engine._edited import edits_of
        from ._engine._run import Edit
        from ._engine.sweep import woken
        from ._named import named

        if refs is not None:
            refs = yield from _call(named, self.definition, self._stored(), "retry()", *refs)
        edits: Mapping[RecordRef, Edit] = {}
        if values is not None:
            rows = yield from _call(self._stored().quarantine.rows, self.name)
            edits = edits_of(self.definition, rows, refs or (), Edit(values, by))
        yield from woken(self.definition, self._stored(), clock, refs, owner=_me())
        return (yield from self._sweep(clock, feed=False, edits=edits))

    def _forget(self, clock: Clock, refs: Sequence[RecordRef]) -> Flow[int]:
        from ._engine._lease import leased
        from ._named import named

        store = self._stored()

        def work() -> int:
            return store.forget(named(self.definition, store, "forget()", *refs))

        return leased(self.definition, store, clock, lambda _: _call(work), owner=_me())

    def _ruled(self, ref: RecordRef, choice: str, by: str, now: dt.datetime) -> None:
        from ._ruling import ruling

        store = self._stored()
        store.rulings.add(self.name, ruling(self.definition, store, ref, choice, by=by, now=now))

    def _load(self, path: str | Path) -> Plan:
        from .planfile import read

        systems: Mapping[Side, str] = {side: self.definition.end(side).system for side in SIDES}
        id, totals, parts = read(self._stored(), self.name, systems, path)
        return self._handle(id, totals, parts)

    def _report(self, swept: Swept) -> Report:
        from .report import Report

        return Report(
            swept.id,
            self._names(),
            self._stored(),
            swept.read,
            swept.counts,
            swept.findings,
            swept.lost,
            parts=swept.parts,
        )

    def _why(self, ref: RecordRef, field: str | None) -> Why:
        from ._named import named
        from .explaining import explained

        [asked] = named(self.definition, self._stored(), "why()", ref)
        return explained(self._stored(), self.name, self._names(), asked, field)

    def _names(self) -> Names:
        from .report import Names

        return Names(self.definition.left.system, self.definition.right.system)


@attrs.frozen
class Pipeline(_Rules):
    """A synchronisation, as a value; its verbs block."""

    driver: Driver | None = attrs.field(default=None, repr=False)

    @overload
    def using(self, driver: Driver) -> Pipeline: ...
    @overload
    def using(self, driver: AsyncDriver) -> AsyncPipeline: ...
    def using(self, driver: Driver | AsyncDriver) -> Pipeline | AsyncPipeline:
        """Perform the verbs with this driver; an `AsyncDriver` gives the same verbs, awaited.

        Tokens and budgets are kept in the driver's store; where it has none, in that of the pipeline.
        """
        from .drive import AsyncDriver

        if isinstance(driver, AsyncDriver):
            return AsyncPipeline(self.definition, self.store, self.observer, driver=driver)
        return attrs.evolve(self, driver=driver)

    def check(self) -> Sequence[Finding]:
        """Name what cannot work, or deserves a second thought, before anything runs; reads schemas, writes nothing."""
        return self._perform(lambda _clock: self._checked())

    def plan(self) -> Plan:
        """Say what a run would do, and why; nothing is written to either system."""
        return self._plan(self._perform(lambda clock: self._sweep(clock, planning=True)))

    def run(self, plan: Plan | None = None) -> Report:
        """Bring both sides into step; with an approved plan, do what it says and nothing else."""
        return self._report(self._perform(lambda clock: self._run(clock, plan)))

    def load(self, path: str | Path) -> Plan:
        """Take up a plan that was saved into a file, once it is known to be a plan of this pipeline and this store.

        The rows that are run are those in the store; a person who was forgotten since is not among them. Raises
        `PlanRefused`, naming the line, for a file that is cut, changed, foreign, newer, or of another state.
        """
        return self._load(path)

    def undo(self, run: str | Report) -> Plan:
        """Plan how a run is taken back: named as its report names it, or the report itself; nothing is written.

        Fields go back to what they held, records that were made are archived or deleted, where nobody has touched
        them since; the rest is left alone and says why. `run(plan)` carries it out, and no later run does it again.
        Raises `UsageError` for a run that this store does not know.
        """
        return self._plan(self._perform(lambda clock: self._undo(clock, run)))

    def drain(self) -> Report:
        """Take in deliveries and what is due, without asking either system for changes."""
        return self._report(self._perform(lambda clock: self._sweep(clock, feed=False)))

    def receive(self, delivery: Delivery) -> int:
        """Open a delivery, store what it brings, and tell how much of it was new; raises `ForgedDelivery`."""
        return self._received(delivery, self._now())

    def accept(self, arrivals: Sequence[Signal | Arrived]) -> int:
        """Store events that are known to be genuine, by call or from a file; tell how many were new."""
        return self._accepted(arrivals)

    def enable(self) -> None:
        """Count events from this moment; enabling again starts no back-fill."""
        self._stored().agenda.enable(self.name, self._now())

    def disable(self) -> None:
        """Stop: events from now on are not taken; what waits already is kept."""
        self._stored().agenda.enable(self.name, None)

    def retry(self, refs: Sequence[RecordRef] | None = None, *, values: Values | None = None, by: str = "") -> Report:
        """Look at parked records again, all or those named, and run what is due.

        *values* are sent instead of the records' own, by field of the system that is written, in this one write: they
        are held against its schema first, and the journal says *by* whom they are. A person who retries a record that
        is in doubt decides that it may be sent again. Parents that are ensured, and keep a record in quarantine, are
        looked at again with it. Raises `UsageError` for values without a name, for a field that no pair writes, for
        values for a record that is not parked, and always for a system or kind that the pipeline never had.
        """
        return self._report(self._perform(lambda clock: self._retry(clock, refs, values, by)))

    def adopt(self) -> int:
        """Let a pipeline whose state was lost go on as any other, after a review of its matches.

        Its first run met records that carry its own marks, so it filled blanks, disputed the rest and made nothing.
        Gives how many records had waited for this; the next run decides them.
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

        Where a value would be refused, `leave`, or the side that would refuse it, keeps it from being sent. A ruling is
        about what the person saw: an edit made since asks again. The record is looked at in the next run. Raises
        `UsageError` without a name in *by*, for a choice that is none of these, for an id where not several records
        match, and for a record that nothing is known of.
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

        Of one field where one is named. Iterating the answer gives the writes; printing it says every step. Raises
        `UsageError` for a system or kind that the pipeline never had.
        """
        return self._why(ref, field)

    def _perform(self, make: Callable[[Clock], Flow[T]]) -> T:
        from .drive import Driver

        if self.driver is not None:
            return self.driver.run(make(self.driver.clock), store=self.store)
        with Driver(self.store) as driver:
            return driver.run(make(driver.clock))


@attrs.frozen
class AsyncPipeline(_Rules):
    """The same pipeline with its verbs awaited."""

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
        return await self._perform(_call(self._load, path))

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
        await self._perform(_call(self._ruled, ref, choice, by, self.driver.clock.now()))

    async def drain(self) -> Report:
        """Take in deliveries and what is due, without asking either system for changes."""
        return self._report(await self._perform(self._sweep(self.driver.clock, feed=False)))

    async def receive(self, delivery: Delivery) -> int:
        """Open a delivery, store what it brings, and tell how much of it was new; raises `ForgedDelivery`."""
        return await self._perform(_call(self._received, delivery, self.driver.clock.now()))

    async def accept(self, arrivals: Sequence[Signal | Arrived]) -> int:
        """Store events that are known to be genuine, by call or from a file; tell how many were new."""
        return await self._perform(_call(self._accepted, arrivals))

    async def enable(self) -> None:
        """Count events from this moment; enabling again starts no back-fill."""
        await self._perform(_call(self._stored().agenda.enable, self.name, self.driver.clock.now()))

    async def disable(self) -> None:
        """Stop: events from now on are not taken; what waits already is kept."""
        await self._perform(_call(self._stored().agenda.enable, self.name, None))

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
        return await self._perform(_call(self._why, ref, field))

    async def _perform(self, flow: Flow[T]) -> T:
        return await self.driver.run(flow, store=self.store)


def _call(fn: Callable[..., T], *args: Any) -> Flow[T]:
    """Have the driver call what waits."""
    from .flow import call

    return call(fn, *args)


def _me() -> str:
    """Name this process, as the holder of a lease."""
    import socket

    return f"{socket.gethostname()}:{os.getpid()}"


def one_way(name: str, source: End, sink: End) -> Pipeline:
    """Carry changes from a source to a sink; the source is never written."""
    return Pipeline(Definition(name, "one_way", source, sink))


def two_way(name: str, left: End, right: End) -> Pipeline:
    """Keep two systems in step, both ways; every pair of fields names its policy.

    Records are made on neither side until `creates` says so.
    """
    return Pipeline(Definition(name, "two_way", left, right, creates_left=False, creates_right=False))


def events(name: str, source: End, sink: End) -> Pipeline:
    """Make one record over there of each event here, once per pipeline name and event id.

    Only events from the moment of `enable()` on count. Where the source cannot be read, an authenticated delivery is
    the record.
    """
    return Pipeline(Definition(name, "events", source, sink))
