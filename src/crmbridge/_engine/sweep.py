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
    Create,
    Decision,
    Disposition,
    RecordRef,
    Side,
    Totals,
    verb,
)
from ..protocols import Clock, KeyValue, Observer
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
from ._guards import blanks, guarded, guarded_batch, guarded_plan, overruled
from ._ingest import ingest, looked_again
from ._lease import leased
from ._looked_up import check_look_ups
from ._matching import keys_of_one
from ._notices import notices, send_notices
from ._pacing import line_up, paced, remembering
from ._parents import settle_parents, wake, wake_parents
from ._recover import recover, take_over
from ._remember import Memory, remember, rows_of
from ._retain import retained
from ._run import Edit, Run, prepare
from ._subjects import Verdict


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
    feed: bool = True,
    upcoming: Sequence[tuple[Definition, str]] = (),
    observer: Observer | None = None,
    edits: Mapping[RecordRef, Edit] | None = None,
) -> Flow[Swept]:
    """Run a pipeline once, or plan what a run would do; without *feed*, only deliveries and what is due.

    *upcoming*: pipelines of parents, and the plans of them that this plan goes with.

    Raises `LeaseHeld` where another run is under way, `GuardTripped` where a guard objects, `PairError` and
    `CapabilityError` where the pipeline cannot work; nothing was written then.
    """
    claimed(definition)
    yield from admitted(definition, store)

    def work(fence: Fence) -> Flow[Swept]:
        name = f"{definition.name}-{'plan' if planning else 'run'}-{fence.token}"
        totals = Written()
        run = Run(
            definition, store, clock, name, fence, planning, approved, observer, bring=totals.bring, edits=edits or {}
        )
        run.upcoming.update((parents.name, (parents, plan)) for parents, plan in upcoming)
        return _judged(run, totals, feed=feed)

    return (yield from leased(definition, store, clock, work, owner=owner))


def _judged(run: Run, totals: Written, *, feed: bool) -> Flow[Swept]:
    """Run, and say with the objection of a guard what had been written before it."""
    try:
        return (yield from _swept(run, totals, feed=feed))
    except GuardTripped as tripped:
        written = (yield from _counted(run))[Disposition.APPLIED]
        raise GuardTripped(tripped.pipeline, tripped.objection, written=written) from tripped


def _swept(run: Run, totals: Written, *, feed: bool) -> Flow[Swept]:
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
        yield from _planned(run, totals)
    else:
        yield from _worked(run)
        yield from settle_rules(run)
        yield from send_notices(run)
        yield from retained(run)
    every = yield from _counted(run)
    links = yield from run.ask(run.store.links.count, run.name)
    read = sum(every.values())
    judged = Totals(read, links, every, dict(totals.writes), totals.blanks)
    if run.planning:
        judged = yield from guarded_plan(run, judged)
    elif run.approved is not None:
        yield from overruled(run)
    run.saw("finished", records=read)
    return Swept(run.id, read, every, judged, tuple(run.findings), tuple(run.parts), run.lost)


def _counted(run: Run) -> Flow[dict[Disposition, int]]:
    """Count how the records of a run or plan ended so far, and of those inside it."""
    every = {disposition: run.settled.get(disposition, 0) for disposition in Disposition}
    for part in (*run.parts, run.id):
        counts = yield from run.ask(run.store.outbox.counts, part)
        every = {disposition: every[disposition] + counts.get(disposition, 0) for disposition in Disposition}
    return every


# -- plan --------------------------------------------------------------------------------


@attrs.define(eq=False)
class Written:
    """Counts the writes of a plan while it is made."""

    writes: dict[tuple[str, str], int] = attrs.field(factory=lambda: dict[tuple[str, str], int]())
    blanks: int = 0

    def add(self, run: Run, verdicts: Sequence[Verdict]) -> None:
        """Count what these verdicts would write."""
        for verdict in verdicts:
            for intent in verdict.intents:
                key = (run.definition.end(intent.side).system, verb(intent.action))
                self.writes[key] = self.writes.get(key, 0) + 1
            self.blanks += blanks(verdict)

    def bring(self, run: Run, rows: Sequence[QueueRow]) -> Flow[None]:
        """Decide about parents that somebody waits for, under the guards of their own pipeline."""
        if run.planning:
            yield from _foreseen(run, self, rows)
            return
        yield from line_up(run)
        yield from run.commit(Delta(queue=tuple(rows)))
        if run.approved is None:
            yield from ready_again(run)
            yield from guarded(run)
        yield from _worked(run)
        yield from send_notices(run)
        yield from retained(run)


def _planned(run: Run, totals: Written) -> Flow[None]:
    """Decide the whole queue and promise nothing; the decisions are rows of the plan.

    A run takes departures first, over all batches, and so does what foresees it.
    """
    size = run.definition.batch
    first = yield from run.ask(run.store.agenda.due, run.name, run.now(), 1)
    waiting: list[QueueRow] = []
    for departed in (True, False) if any(row.departed for row in first) else (False,):
        after = 0
        while rows := (yield from run.ask(run.store.agenda.due, run.name, run.now(), size, after=after)):
            after = max(row.sequence for row in rows)
            waiting.extend(row for row in rows if row.departed == departed)
            while len(waiting) >= size:
                yield from _foreseen(run, totals, waiting[:size])
                del waiting[:size]
            yield from run.renewed()
    if waiting:
        yield from _foreseen(run, totals, waiting)


def _foreseen(run: Run, totals: Written, rows: Sequence[QueueRow]) -> Flow[None]:
    """Decide about a batch for a plan."""
    decided = yield from run.ask(run.store.outbox.planned, run.id, [row.ref for row in rows])
    rows = [row for row in rows if row.ref not in decided]
    verdicts = yield from decide(run, rows)
    verdicts.extend((yield from _made_again(run, verdicts)))
    verdicts, _ = yield from paced(run, verdicts)
    totals.add(run, verdicts)
    decisions: list[Decision] = []
    keys: list[tuple[tuple[KeyValue, ...], ...]] = []
    for verdict in verdicts:
        for decision in verdict.decisions():
            decisions.append(decision)
            keys.append((verdict.keys,) if any(isinstance(i.action, Create) for i in verdict.intents) else ())
    yield from run.commit(Delta(run=run.id, decisions=tuple(decisions), planned=tuple(keys)))
    run.saw("planned", records=len(rows))
    yield from run.renewed()


def _made_again(run: Run, verdicts: Sequence[Verdict]) -> Flow[list[Verdict]]:
    """Decide at once what a run would do about survivors whose link it closes in order to make the other anew.

    What is decided later in the plan, about whatever record, finds the links closed that a run would have closed by then.
    """
    rows = [row for verdict in verdicts for row in verdict.wakes]
    for verdict in verdicts:
        if verdict.link is not None and verdict.link.closed is not None:
            run.relinked.put(verdict.subject.link or verdict.link, verdict.link)
    return (yield from decide(run, rows)) if rows else []


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
