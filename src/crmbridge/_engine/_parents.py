"""Parents: children that wait wake once theirs is linked, and those that are ensured are made before their children."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

import attrs

from ..definition import Definition
from ..errors import LeaseHeld
from ..flow import Flow, call
from ..model import Cell, Disposition, Missing, Record, RecordRef, Side
from ..protocols import Clock, Unmatched
from ..reasons import Code, Fact, Reason, because
from ..references import Ensured
from ..roles import Delta, Fence, QueueRow, StateStore
from ._create import would_make
from ._ends import same_systems
from ._fingerprints import admitted
from ._followed import Stop
from ._ingest import known_targets
from ._lease import leased
from ._looked_up import check_look_ups
from ._matching import Search
from ._pacing import too_soon
from ._patience import Window, behind
from ._recover import recover, take_over
from ._references import candidates, counterparts, lacking, missing, waiting
from ._run import Run, prepare
from ._seen import Look
from ._subjects import Subject
from ._twins import Promised

_IN_TROUBLE = ("disputed", "quarantined")

_ANSWERED = frozenset({Code.REFUSED_BY_SYSTEM, Code.IN_DOUBT})
"""Troubles that only another request would show to be over; a child's change, maybe of the same record, asks for none."""


def wake(run: Run) -> Flow[bool]:
    """Make those ready whose parent was linked, or came into trouble, since they began to wait; say whether any was."""
    if not run.references and not run.crossings:
        return False
    parked = yield from run.ask(run.store.quarantine.rows, run.name, None)
    waits: dict[tuple[str, Side], list[tuple[QueueRow, RecordRef]]] = {}
    for row, pipeline, parent in _wanting(parked):
        if (row.side, row.ref) not in run.woken:
            side: Side = "left" if parent.system == run.definition.left.system else "right"
            waits.setdefault((pipeline, side), []).append((row, parent))
    places: list[tuple[Side, RecordRef]] = []
    for (parents, side), rows in waits.items():
        refs = list(dict.fromkeys(parent for _, parent in rows))
        found, parked_parents = yield from counterparts(run, parents, side, refs)
        failed = {ref for ref, row in parked_parents.items() if row.state in _IN_TROUBLE}
        places.extend(
            (row.side, row.ref) for row, ref in rows if ref in found or _told_otherwise(row, failed=ref in failed)
        )
    if places:
        run.woken.update(places)
        yield from run.commit(Delta(wake=tuple(places)))
    return bool(places)


def _told_otherwise(row: QueueRow, *, failed: bool) -> bool:
    """Say whether a parent has come into trouble, or is out of it, since its child was told."""
    if row.state == "held":
        return failed
    return not failed and row.because is not None and row.because.code is Code.PARENT_FAILED


def _wanting(parked: Iterable[QueueRow]) -> Iterator[tuple[QueueRow, str, RecordRef]]:
    """Give the parked rows that a parent keeps back, with the pipeline and the record of that parent."""
    for row in parked:
        facts: Mapping[str, Fact] = row.because.facts if row.because is not None else {}
        if "pipeline" in facts:
            yield row, str(facts["pipeline"]), RecordRef(str(facts["system"]), str(facts["kind"]), str(facts["id"]))


# -- parents that are made first ------------------------------------------------------------


def ensure(
    run: Run, searches: Sequence[tuple[Subject, Search]], known: Promised, doubts: Sequence[Window]
) -> Flow[None]:
    """Have the parents made of those records that will be made themselves, and tell these where they lead.

    A record whose turn has not come is held before anybody asks for its parent.
    """
    wanted = [one for one in run.references if isinstance(one, Ensured)]
    if not wanted:
        return
    left = [(subject, one) for subject, one in searches if subject.side == "left" and _unmatched(one)]
    making = [(subject, one) for subject, one in left if would_make(run, subject, one, known, doubts)]
    made = [one for _, one in making]
    run.followed.unasked.update({one.record.ref for _, one in left} - {one.record.ref for one in made})
    for child, answer in (yield from too_soon(run, [(subject, one.record) for subject, one in making])).items():
        run.followed.stop(child, Stop(Disposition.HELD, answer.because, "held", answer.earliest))
    for reference in wanted:
        wanting = [search for search in made if _wants(run, search, reference)]
        if not wanting:
            continue
        pointed = {
            search.record.ref: candidates(run, "left", reference, reference.of, search.record) for search in wanting
        }
        refs = list(dict.fromkeys(ref for parents in pointed.values() for ref in parents))
        looked = yield from _brought(run, reference.within, refs)
        found, parked = yield from counterparts(run, reference.parents, "left", refs)
        for search in wanting:
            parents = pointed[search.record.ref]
            ref = next((found[parent] for parent in parents if parent in found), None)
            if ref is None:
                why, value = missing(reference.parents, parents, parked), None
                if looked and parked.keys().isdisjoint(parents):
                    value = lacking(run, reference.absent, search.record, why, reference.column)
                else:
                    _pending(run, reference, search.record, why, looked=looked)
                search.record = _filled(search.record, reference.column, value)
                continue
            told = because(Code.FOLLOWED, reference=reference.name, record=f"{ref.kind} {ref.id}")
            run.followed.told[search.record.ref, reference.column] = told
            search.record = _filled(search.record, reference.column, ref)


def _pending(run: Run, reference: Ensured, record: Record, why: Reason, *, looked: bool) -> None:
    """Keep a record back whose parent may come yet: *absent* is for parents that nobody makes.

    A parent that is linked wakes its children. That it was left out after all, or that nobody has looked at it, is told
    by nobody; so where either may be, they look again by themselves.
    """
    stop = waiting(run, "hold", why)
    if stop.park == "held" and (reference.absent != "hold" or not looked):
        stop = attrs.evolve(stop, until=run.now() + run.definition.looks_again)
    run.followed.stop(record.ref, stop, (reference.column,))


def _unmatched(search: Search) -> bool:
    """Say whether a record surely has no counterpart: one that matched has a parent of its own."""
    return search.trouble is None and isinstance(search.found, Unmatched | None)


def _wants(run: Run, search: Search, reference: Ensured) -> bool:
    """Say whether the parent of a record that will be made is not known yet, and nothing else stops it."""
    return isinstance(search.record.get(reference.column), Missing) and run.followed.stopped(search.record) is None


def _filled(record: Record, column: str, value: Cell | Missing) -> Record:
    place = record.rows.fields.index(column)
    cells = list(record.rows.cells)
    own = list(cells[record.row])
    own[place] = value
    cells[record.row] = tuple(own)
    return Record(attrs.evolve(record.rows, cells=tuple(cells)), record.row)


def settle_parents(run: Run) -> Flow[None]:
    """Look after what earlier runs promised for parents, so that who waits for them need not wait for another run.

    A parent in trouble was looked at only for its children's sake: whether it was mended, only its record tells.
    """
    mine = [reference for reference in run.references if isinstance(reference, Ensured)]
    if not mine or run.planning:
        return
    parked = yield from run.ask(run.store.quarantine.rows, run.name, None)
    for reference in mine:
        wanted = [parent for _, pipeline, parent in _wanting(parked) if pipeline == reference.parents]
        _ = yield from _brought(run, reference.within, (), list(dict.fromkeys(wanted)))


def _brought(run: Run, within: Definition, refs: Sequence[RecordRef], parked: Sequence[RecordRef] = ()) -> Flow[bool]:
    """Let the parents' pipeline decide about these records, with its own lease, promises and rules.

    What is parked there, of these or of *parked*, is decided again once its record has changed. Gives False where
    somebody else runs it at this moment: then the children wait.
    """
    yield from admitted(within, run.store)
    name = part(run.id, within.name)

    def work(fence: Fence) -> Flow[None]:
        approved = None if run.approved is None else part(run.approved, within.name)
        inner = Run(within, run.store, run.clock, name, fence, run.planning, approved, run.observer, bring=run.bring)
        run.parts[name] = None
        return _within(run, inner, refs, parked)

    try:
        yield from leased(within, run.store, run.clock, work, owner=run.id)
    except LeaseHeld:
        return False
    yield from run.renewed()
    if run.planning:
        run.upcoming[within.name] = within, name
    return True


def _within(run: Run, inner: Run, refs: Sequence[RecordRef], parked: Sequence[RecordRef]) -> Flow[None]:
    """Decide about parents in a run of their own pipeline."""
    yield from same_systems(inner)
    yield from prepare(inner)
    yield from check_look_ups(inner)
    yield from take_over(inner)
    yield from recover(inner)
    yield from known_targets(inner)
    if parked:
        yield from settle_parents(inner)
    known = yield from run.ask(run.store.agenda.rows, inner.name, "left", refs)
    changed = yield from _changed(inner, [*refs, *parked])
    rows = [QueueRow("left", ref, run=inner.id) for ref in (*(one for one in refs if one not in known), *changed)]
    # A run takes up what waits in the parents' own queue anyway, such as what a guard has stopped.
    ready = [row for row in known.values() if row.state == "ready"] if run.planning else []
    yield from inner.bring(inner, [*rows, *ready])
    run.parts.update(inner.parts)


def _changed(inner: Run, refs: Sequence[RecordRef]) -> Flow[list[RecordRef]]:
    """Name those of these records that are parked, and no longer are what they were then."""
    parked = yield from inner.ask(inner.store.quarantine.of, inner.name, "left", refs)
    rows = [row for row in parked.values() if row.because is None or row.because.code not in _ANSWERED]
    look = Look(inner)
    yield from look.read("left", [row.ref for row in rows])
    return [row.ref for row in rows if behind(row, look.seen("left", row.ref))]


def wake_parents(
    definition: Definition, store: StateStore, clock: Clock, rows: Sequence[QueueRow], *, owner: str
) -> Flow[None]:
    """Make the parked parents of records ready that a person retries; one in doubt stays so until it is named itself."""
    for reference in definition.references:
        if not isinstance(reference, Ensured):
            continue
        within = reference.within
        wanted = {parent for _, pipeline, parent in _wanting(rows) if pipeline == within.name}
        if wanted:
            work = partial(_wake_named, within, store, sorted(wanted))
            parked = yield from leased(within, store, clock, work, owner=owner)
            yield from wake_parents(within, store, clock, parked, owner=owner)


def _wake_named(
    within: Definition, store: StateStore, wanted: Sequence[RecordRef], fence: Fence
) -> Flow[Sequence[QueueRow]]:
    found = yield from call(store.quarantine.of, within.name, "left", wanted)
    parked = [row for row in found.values() if row.because is None or row.because.code is not Code.IN_DOUBT]
    wake: tuple[tuple[Side, RecordRef], ...] = tuple((row.side, row.ref) for row in parked)
    yield from call(store.commit, within.name, Delta(wake=wake), fence)
    return parked


def part(run: str, parents: str) -> str:
    """Name the part of a run or plan in which the parents of a pipeline were seen to."""
    return f"{run}+{parents}"
