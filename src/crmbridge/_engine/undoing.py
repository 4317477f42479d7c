"""Undoing a run: a plan of its inverse, and the run of such a plan, under the lease like any other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

import attrs

from ..definition import Definition
from ..errors import UsageError
from ..flow import Flow, call
from ..model import SIDES, Create, Decision, Disposition, Link, RecordRef, Side, Update, target_kind, verb
from ..protocols import Clock, Observer
from ..reasons import Code
from ..roles import Delta, Fence, JournalRow, StateStore
from ._approved import stale
from ._ends import same_systems
from ._lease import leased
from ._notices import send_notices
from ._pacing import paced, remembering
from ._recover import recover, take_over
from ._run import Run, prepare
from ._seen import Look
from ._subjects import Verdict
from ._undo import Trace, Traced, taken_back, traced
from .sweep import Inside, Swept, acted, promised

_MARK = "undo"
_AT_ONCE = 200


def is_undo(plan: str) -> bool:
    """Say whether a plan takes a run back, by its name."""
    return plan.rpartition("-")[0].endswith(f"-{_MARK}")


def idle(counts: Mapping[Disposition, int]) -> bool:
    """Say whether a run surely wrote nothing, by its counts: a write that is in doubt is in quarantine."""
    return not any(counts.get(ended) for ended in (Disposition.APPLIED, Disposition.QUARANTINED))


def undo(
    definition: Definition,
    store: StateStore,
    clock: Clock,
    undoing: str,
    *,
    owner: str,
    observer: Observer | None,
    known: bool = False,
) -> Flow[Swept]:
    """Plan how a run is taken back; nothing is written to either system.

    *known*: its report says that it wrote nothing, so that there need not be a trace of it. Raises `UsageError` for a run that this store does not know, `LeaseHeld` where another run is under way.
    """

    def work(fence: Fence) -> Flow[Swept]:
        run = Run(
            definition,
            store,
            clock,
            f"{definition.name}-{_MARK}-{fence.token}",
            fence,
            True,
            None,
            observer,
            bring=Inside().bring,
        )
        return _planned(run, undoing, known=known)

    return (yield from leased(definition, store, clock, work, owner=owner))


def undone(
    definition: Definition, store: StateStore, clock: Clock, plan: str, *, owner: str, observer: Observer | None
) -> Flow[Swept]:
    """Take a run back as a plan says; what is no longer as it was when it was planned is left alone.

    What a pacing does not let start yet is held, and taken back when the plan is run again.
    """

    def work(fence: Fence) -> Flow[Swept]:
        run = Run(
            definition,
            store,
            clock,
            f"{definition.name}-run-{fence.token}",
            fence,
            False,
            plan,
            observer,
            bring=Inside().bring,
        )
        return _done(run, plan)

    return (yield from leased(definition, store, clock, work, owner=owner))


# -- the plan ------------------------------------------------------------------------------------


def _planned(run: Run, undoing: str, *, known: bool) -> Flow[Swept]:
    yield from same_systems(run)
    yield from prepare(run)
    yield from take_over(run)
    yield from recover(run)
    rows = run.store.journal.run(undoing)
    some = False
    while page := (yield from call(lambda: list(islice(rows, _AT_ONCE)))):
        some = True
        refs = list(dict.fromkeys(row.ref for row in page))
        decided = yield from run.ask(run.store.outbox.planned, run.id, refs)
        verdicts = yield from _decided(run, undoing, [ref for ref in refs if ref not in decided])
        run.sums.add(run.definition, verdicts)
        lines = tuple(line for verdict in verdicts for line in verdict.decisions())
        yield from run.commit(Delta(run=run.id, decisions=lines))
        yield from run.renewed()
    if not some and not known and not (yield from run.ask(run.store.outbox.counts, undoing)):
        refused = yield from call(_unknown, run, undoing)
        if refused:
            raise UsageError(refused)
    return (yield from _swept(run))


def _unknown(run: Run, undoing: str) -> str:
    """Say why nothing is known of a run; empty where it surely wrote nothing.

    A run that only saw that all is in step leaves no row, but its name bears the number of a lease that was given.
    """
    since = run.store.journal.kept_since(run.name)
    if since is None and any(undoing == f"{run.name}-run-{number}" for number in range(1, run.fence.token)):
        return ""
    if since is None:
        return f"{run.name}: this store knows no run {undoing!r}; a report names its own as report.run"
    return (
        f"{run.name}: this store knows no run {undoing!r} any more, if it ever did: of runs that ended before "
        f"{since.isoformat(timespec='seconds')} nothing is kept (retain), so what they wrote cannot be taken back"
    )


def _swept(run: Run) -> Flow[Swept]:
    counts = yield from run.ask(run.store.outbox.counts, run.id)
    links = yield from run.ask(run.store.links.count, run.name)
    every = {disposition: counts.get(disposition, 0) for disposition in Disposition}
    read = sum(every.values())
    totals = attrs.evolve(run.sums.totals(), read=read, links=links, by_disposition=every)
    return Swept(run.id, read, every, totals)


# -- the run of it -------------------------------------------------------------------------------


def _done(run: Run, plan: str) -> Flow[Swept]:
    yield from same_systems(run)
    yield from prepare(run)
    yield from take_over(run)
    yield from recover(run)
    after = 0
    while True:
        rows = yield from run.ask(run.store.outbox.rows, plan, Disposition.APPLIED, after=after, limit=_AT_ONCE)
        if not rows:
            break
        after = rows[-1][0]
        wanted = {decision.ref: str(decision.because.facts.get("run", "")) for _, decision in rows}
        done = yield from run.ask(run.store.outbox.planned, run.id, wanted)
        for undoing in sorted(set(wanted.values())):
            refs = [ref for ref, named in wanted.items() if named == undoing and ref not in done]
            verdicts = yield from _decided(run, undoing, refs)
            yield from _carried_out(run, plan, verdicts)
        yield from run.renewed()
    yield from send_notices(run)
    return (yield from _swept(run))


def _carried_out(run: Run, plan: str, verdicts: Sequence[Verdict]) -> Flow[None]:
    refs = [row.ref for verdict in verdicts for row in verdict.subject.rows]
    planned = yield from run.ask(run.store.outbox.planned, plan, refs)
    sure = [
        verdict
        if not verdict.intents or all(_foreseen(planned.get(line.ref), line) for line in verdict.decisions())
        else attrs.evolve(stale(run, verdict, planned), park=None)
        for verdict in verdicts
    ]
    # An undo is in no queue: what has no turn yet is left as it is, and goes before all others when it is asked for again.
    sure, starts = yield from paced(run, sure, ahead=True)
    sure = [attrs.evolve(verdict, park=None) if verdict.because.code is Code.PACED else verdict for verdict in sure]
    yield from run.commit(remembering(run, promised(run, sure), starts))
    yield from acted(run, sure)
    yield from _reopened(run, sure)


def _foreseen(planned: Decision | None, now: Decision) -> bool:
    """Say whether all that is left to take back was planned, and nothing was kept back since.

    After a crash a part of it has been done already.
    """
    if planned is None or _kept_back(planned) != _kept_back(now):
        return False
    return _parts(now) <= _parts(planned)


def _kept_back(decision: Decision) -> set[tuple[str, str]]:
    return {(line.left_field, line.right_field) for line in decision.fields if line.towards is None}


def _parts(decision: Decision) -> set[tuple[object, ...]]:
    """Give what a decision writes, field by field, and what it removes."""
    parts: set[tuple[object, ...]] = set()
    for action in decision.actions:
        if isinstance(action, Create | Update):
            parts |= {(verb(action), target_kind(action), *item) for item in action.values.items()}
        else:
            parts.add((verb(action), action.ref))
    return parts


def _reopened(run: Run, verdicts: Sequence[Verdict]) -> Flow[None]:
    """Open the links again of records that were to be removed and surely were not."""
    closed = [v for v in verdicts if v.intents and v.link and v.link.closed and v.subject.link]
    ended = yield from run.ask(run.store.outbox.planned, run.id, [verdict.subject.ref for verdict in closed])
    links: list[Link] = []
    for verdict in closed:
        now = ended.get(verdict.subject.ref)
        settled = now is not None and (now.disposition is Disposition.APPLIED or now.because.code is Code.INTENT_OPEN)
        if not settled and verdict.subject.link is not None:
            links.append(verdict.subject.link)
    if links:
        yield from run.commit(Delta(links=tuple(links)))


# -- deciding ------------------------------------------------------------------------------------


def _decided(run: Run, undoing: str, refs: Sequence[RecordRef]) -> Flow[list[Verdict]]:
    """Look at what a run wrote to these records, at their links and at both systems, and decide pair by pair."""
    traces = yield from call(_traces, run.store, run.name, undoing, refs)
    found = yield from call(_pairs, run.store, run.name, traces)
    look = Look(run)
    for side in SIDES:
        yield from look.read(side, _to_read(side, found))
    touched = {ref for one in found for trace in one.traces for ref in (trace.ref, trace.origin)}
    held = yield from run.ask(run.store.outbox.holding, run.name, sorted(touched))
    return [taken_back(run, look, one, undoing, held) for one in found]


def _to_read(side: Side, found: Sequence[Traced]) -> list[RecordRef]:
    tied = [one for one in found if one.link is not None]
    refs = [trace.ref for one in tied for trace in one.traces if trace.side == side]
    return [*refs, *(one.link.ref(side) for one in tied if one.link is not None)]


def _traces(store: StateStore, pipeline: str, undoing: str, refs: Iterable[RecordRef]) -> dict[RecordRef, Trace]:
    """Fold the journal of these records, and of those on the other side that the run wrote with them."""
    found: dict[RecordRef, Trace] = {}
    for ref in refs:
        rows: Sequence[JournalRow] = store.journal.of(pipeline, ref)
        for one in dict.fromkeys((ref, *(row.ref for row in rows if row.run == undoing))):
            trace = traced(rows if one == ref else store.journal.of(pipeline, one), one, undoing)
            if trace is not None:
                found[one] = trace
    return found


def _pairs(store: StateStore, pipeline: str, traces: Mapping[RecordRef, Trace]) -> list[Traced]:
    """Put traces together by the link that ties their records; a record without one stands alone."""
    pairs: dict[str, Traced] = {}
    for trace in traces.values():
        links = store.links.of(pipeline, trace.side, [trace.ref]).get(trace.ref, ())
        tied = [link for link in links if trace.origin in (link.left, link.right)]
        link = next(iter(tied), links[0] if links else None)
        key = str(trace.ref) if link is None else link.id
        taken = _taken(store, pipeline, link) if link is not None and trace.removed else frozenset[Side]()
        known = pairs.get(key, Traced((), link, sum(one.closed is None for one in links), taken))
        pairs[key] = attrs.evolve(known, traces=(*known.traces, trace))
    return list(pairs.values())


def _taken(store: StateStore, pipeline: str, link: Link) -> frozenset[Side]:
    """Name the sides whose record another live link holds; a shared one may have several."""
    held = {side: store.links.of(pipeline, side, [link.ref(side)]).get(link.ref(side), ()) for side in SIDES}
    return frozenset(
        side
        for side in SIDES
        if any(one.closed is None and one.id != link.id for one in held[side]) and not (link.shared and side == "right")
    )
