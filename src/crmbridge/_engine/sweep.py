"""A run: lease, doubt, ingest, guards, then batch after batch: read, decide, promise, act, remember."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from ..check import Finding
from ..definition import Definition, claimed
from ..errors import GuardTripped, NotAllowed, OriginRefused, StateError, UsageError
from ..flow import Flow, call
from ..model import (
    SIDES,
    Disposition,
    RecordRef,
    Side,
    Totals,
)
from ..protocols import Clock, Observer
from ..roles import Delta, Fence, Keyed, QueueRow, StateStore
from ._act import Doing, act, chunks
from ._adoption import recall, recognise
from ._again import compare_rules, settle_rules
from ._approved import as_approved, ready_again
from ._batch import decide
from ._counted import unhidden
from ._ends import same_systems
from ._events import delivered, finished
from ._fingerprints import admitted
from ._guards import cleared, done_before, guarded, guarded_batch, guarded_plan
from ._ingest import ingest, looked_again
from ._lease import leased
from ._looked_up import check_look_ups
from ._matching import keys_of_one
from ._notices import notices, send_notices
from ._pacing import line_up, paced, remembering
from ._parents import settle_parents, wake, wake_parents
from ._planning import plan_page, planned
from ._recover import recover, take_over
from ._remember import Memory, remember, rows_of
from ._retain import retained
from ._run import Edit, Run, prepare
from ._subjects import Verdict
from ._sums import Sums


@attrs.frozen
class Swept:
    """What a run or plan came to."""

    id: str
    read: int
    counts: Mapping[Disposition, int]
    totals: Totals
    findings: tuple[Finding, ...] = ()
    parts: tuple[str, ...] = ()
    """The runs or plans inside this one, in which parents were made."""
    lost: bool = False
    """It waits to be adopted."""


def sweep(
    definition: Definition,
    store: StateStore,
    clock: Clock,
    *,
    owner: str,
    planning: bool = False,
    approved: str | None = None,
    overruled: frozenset[str] = frozenset(),
    feed: bool = True,
    upcoming: Sequence[tuple[Definition, str]] = (),
    observer: Observer | None = None,
    edits: Mapping[RecordRef, Edit] | None = None,
) -> Flow[Swept]:
    """Run a pipeline once, or plan what a run would do; without *feed*, only deliveries and what is due.

    *upcoming*: pipelines of parents, and the plans of them that this plan goes with. *overruled*: of the plans inside the
    approved one, those to which guards objected.

    Raises `LeaseHeld` where another run is under way, `GuardTripped` where a guard objects, `PairError` and
    `CapabilityError` where the pipeline cannot work; nothing was written then.
    """
    claimed(definition)
    yield from admitted(definition, store)

    def work(fence: Fence) -> Flow[Swept]:
        name = f"{definition.name}-{'plan' if planning else 'run'}-{fence.token}"
        inside = Inside(overruled)
        run = Run(
            definition, store, clock, name, fence, planning, approved, observer, bring=inside.bring, edits=edits or {}
        )
        run.upcoming.update((parents.name, (parents, plan)) for parents, plan in upcoming)
        run.overruled = approved is not None
        return _judged(run, inside, feed=feed)

    return (yield from leased(definition, store, clock, work, owner=owner))


def _judged(run: Run, inside: Inside, *, feed: bool) -> Flow[Swept]:
    """Run, and say with the objection of a guard what had been written before it."""
    try:
        return (yield from _swept(run, inside, feed=feed))
    except GuardTripped as tripped:
        written = (yield from _counted(run))[Disposition.APPLIED]
        raise GuardTripped(tripped.pipeline, tripped.objection, written=written) from tripped


def _swept(run: Run, inside: Inside, *, feed: bool) -> Flow[Swept]:
    yield from same_systems(run)
    yield from prepare(run)
    yield from check_look_ups(run)
    yield from take_over(run)
    yield from recover(run)
    yield from settle_parents(run)
    yield from line_up(run)
    _ = yield from wake(run)
    yield from ready_again(run)
    run.enabled_since = yield from run.ask(run.store.agenda.enabled_since, run.name)
    yield from recall(run)
    yield from compare_rules(run)
    feed = feed or (run.again is not None and run.again.crossing)
    yield from (ingest(run) if feed else delivered(run))
    yield from looked_again(run)
    if feed:
        yield from recognise(run)
    if not run.planning and run.approved is None:
        yield from guarded(run)
    if run.planning:
        yield from planned(run)
    else:
        yield from _worked(run)
        yield from settle_rules(run)
        yield from send_notices(run)
        yield from retained(run)
    every = yield from _counted(run)
    links = yield from run.ask(run.store.links.count, run.name)
    read = sum(every.values())
    judged = inside.totals(attrs.evolve(run.sums.totals(), read=read, links=links, by_disposition=every))
    if run.planning:
        judged = yield from guarded_plan(run, judged)
    elif run.approved is not None:
        yield from cleared(run)
    run.saw("finished", records=read)
    return Swept(run.id, read, every, judged, tuple(run.findings), tuple(run.parts), run.lost)


def _counted(run: Run) -> Flow[dict[Disposition, int]]:
    """Count how the records of a run or plan ended so far, and of those inside it."""
    every = {disposition: run.settled.get(disposition, 0) for disposition in Disposition}
    for part in (*run.parts, run.id):
        counts = yield from run.ask(run.store.outbox.counts, part)
        every = {disposition: every[disposition] + counts.get(disposition, 0) for disposition in Disposition}
    return every


# -- inside ------------------------------------------------------------------------------


@attrs.define(eq=False)
class Inside:
    """The runs or plans inside one, in which parents are made, under the guards of their own pipelines."""

    overruled: frozenset[str] = frozenset()
    """Those plans inside the approved one to which guards objected, and a person saw it."""
    sums: dict[str, Sums] = attrs.field(factory=lambda: dict[str, Sums]())
    """What each comes to so far: children ask for their parents a batch at a time."""

    def bring(self, run: Run, rows: Sequence[QueueRow]) -> Flow[None]:
        """Decide about parents that somebody waits for."""
        if run.id not in self.sums:
            links = yield from run.ask(run.store.links.count, run.name)
            self.sums[run.id] = Sums(links, (yield from done_before(run)))
        run.sums = self.sums[run.id]
        if run.planning:
            yield from plan_page(run, rows)
            return
        yield from line_up(run)
        run.overruled = run.approved in self.overruled
        yield from run.commit(Delta(queue=tuple(rows)))
        if run.approved is None:
            yield from ready_again(run)
            yield from guarded(run)
        yield from _worked(run)
        if run.overruled:
            yield from cleared(run)
        yield from send_notices(run)
        yield from retained(run)

    def totals(self, own: Totals) -> Totals:
        """Add what these come to, and say of each what it is."""
        inside = {name: sums.totals() for name, sums in self.sums.items()}
        writes = dict(own.writes)
        for one in inside.values():
            for key, count in one.writes.items():
                writes[key] = writes.get(key, 0) + count
        blanks = own.blanks + sum(one.blanks for one in inside.values())
        return attrs.evolve(own, writes=writes, blanks=blanks, inside=inside)


# -- run ---------------------------------------------------------------------------------


def _worked(run: Run) -> Flow[None]:
    """Work through the queue until no row is ready."""
    while True:
        yield from run.renewed()
        rows = yield from run.ask(run.store.agenda.due, run.name, run.now(), run.definition.batch)
        if not rows:
            if (yield from wake(run)):
                continue
            return
        verdicts = yield from decide(run, rows)
        if run.approved is not None:
            verdicts = yield from as_approved(run, verdicts)
        verdicts, starts = yield from paced(run, verdicts)
        yield from guarded_batch(run, verdicts)
        delta = yield from unhidden(run, promised(run, verdicts), verdicts)
        yield from run.commit(remembering(run, delta, starts))
        run.relinked.clear()
        yield from acted(run, verdicts)
        if run.doubts:
            yield from recover(run)
        run.saw("worked", records=len(rows))


def promised(run: Run, verdicts: Sequence[Verdict]) -> Delta:
    """Put down what is promised and what needs no write, before the first byte is sent."""
    quiet = [verdict for verdict in verdicts if not verdict.intents]
    parked, done = rows_of(run, quiet)
    decided = (verdict.link for verdict in verdicts if verdict.link is not None)
    links = {link.id: link for link in (*run.relinked.links, *decided)}
    return Delta(
        finished=finished(run, done),
        notices=notices(run, quiet),
        queue=parked,
        done=done,
        links=tuple(links.values()),
        departures=run.relinked.departures,
        promised=tuple(intent for verdict in verdicts for intent in verdict.intents),
        run=run.id,
        decisions=tuple(line for verdict in quiet if not verdict.quiet for line in verdict.decisions()),
        keys=_keys(run, verdicts),
    )


def _keys(run: Run, verdicts: Sequence[Verdict]) -> tuple[Keyed, ...]:
    """Keep the directory at what was just read."""
    matcher = run.definition.matcher
    found: list[Keyed] = []
    for verdict in verdicts:
        for side in SIDES:
            record = verdict.record(side)
            if record is not None:
                found.append(Keyed(side, record.ref, keys_of_one(matcher, record, side)))
    return tuple(found)


def acted(run: Run, verdicts: Sequence[Verdict]) -> Flow[None]:
    memory = Memory()
    doings = [Doing(verdict, intent) for verdict in verdicts for intent in verdict.intents]
    waiting = {doing.intent.key: doing for doing in doings}
    for side, chunk in chunks(run, doings):
        try:
            outcomes = yield from act(run, side, chunk)
        except Exception as error:
            yield from run.commit(_not_done(waiting, chunk, error))
            raise
        delta = remember(run, memory, chunk, outcomes)
        yield from run.commit((yield from unhidden(run, delta, [doing.verdict for doing in chunk])))
        for doing in chunk:
            del waiting[doing.intent.key]


_SURELY_NOT_DONE = (NotAllowed, OriginRefused, UsageError, StateError)


def _not_done(waiting: Mapping[str, Doing], chunk: Sequence[Doing], error: Exception) -> Delta:
    """Take back the promises that surely were not carried out; what may have arrived stays, and is looked at later."""
    doubtful = frozenset[str]() if isinstance(error, _SURELY_NOT_DONE) else {doing.intent.key for doing in chunk}
    return Delta(settled=tuple(key for key in waiting if key not in doubtful))


def woken(
    definition: Definition, store: StateStore, clock: Clock, refs: Sequence[RecordRef] | None, *, owner: str
) -> Flow[int]:
    """Make parked records ready again, all or those named; a person has looked, so doubts about them end."""

    def work(fence: Fence) -> Flow[list[QueueRow]]:
        rows: Sequence[QueueRow] = yield from call(store.quarantine.rows, definition.name, None)
        chosen = [row for row in rows if refs is None or row.ref in refs]
        held = yield from call(store.outbox.holding, definition.name, [row.ref for row in chosen])
        looked_at = {row.ref for row in chosen if row.state == "quarantined"}
        ended = tuple({intent.key for ref, intent in held.items() if ref in looked_at})
        wake: tuple[tuple[Side, RecordRef], ...] = tuple((row.side, row.ref) for row in chosen)
        yield from call(store.commit, definition.name, Delta(wake=wake, settled=ended), fence)
        return chosen

    chosen = yield from leased(definition, store, clock, work, owner=owner)
    yield from wake_parents(definition, store, clock, chosen, owner=owner)
    return len(chosen)
