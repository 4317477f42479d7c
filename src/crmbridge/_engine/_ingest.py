"""Ingest: read the changes of both sides into the queue, page by page, cursor and rows in one commit.

Nothing is decided from a page's own values; they only say what must be looked at, and keep the directory fresh.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from ..flow import Flow
from ..model import (
    LEFT,
    RIGHT,
    SIDES,
    Deleted,
    Departure,
    Disposition,
    Page,
    Query,
    Record,
    RecordRef,
    Side,
    Standing,
)
from ..roles import Delta, Keyed, Progress, QueueRow
from ._adoption import mark_field, with_marks
from ._again import ReadBy, bring_up, outdated, read_by, told_of
from ._counted import still_parked
from ._events import delivered, event_row
from ._listing import Listing, absences, listing, returned
from ._matching import keys_of
from ._reopened import reopened
from ._run import Run
from ._seen import Look
from ._subjects import duplicate, may_be_parked_at, parked_as, parked_at, revived
from ._young import young
from ._zones import require_zones


def ingest(run: Run) -> Flow[None]:
    """Read every kind of both sides from its cursor to the end of its feed, and what was delivered."""
    yield from delivered(run)
    if not run.definition.left.tells:
        return
    for side in SIDES:
        if _reads(run, side):
            yield from _side(run, side)


def known_targets(run: Run) -> Flow[None]:
    """Bring the directory of the right side up to date, where matching relies on it."""
    if run.definition.right.tells and run.indexed(RIGHT):
        yield from _side(run, RIGHT)
        yield from _afresh(run, RIGHT)


def looked_again(run: Run) -> Flow[None]:
    """Bring up everything that other rules have settled, once what has changed since is taken in."""
    systems: list[str] = []
    if run.again is not None:
        for side in SIDES if run.again.crossing else ():
            systems.extend((yield from _afresh(run, side)))
        yield from bring_up(run, run.again, systems)
    yield from told_of(run, systems)


def _afresh(run: Run, side: Side) -> Flow[tuple[str, ...]]:
    """Read kinds from the beginning; each is marked with its first page, so that a reading that was cut short goes on.

    What was told since the cursor has been taken in before: a reading from the beginning tells of no deletion. Names
    the system if anything was read.
    """
    kinds = (yield from outdated(run, side)) if _reads(run, side) else ()
    for kind in kinds:
        yield from _kind(run, side, kind, mark=read_by(run.definition, side, kind))
    return (run.definition.end(side).system,) if kinds else ()


def _reads(run: Run, side: Side) -> bool:
    """Say whether a side is read: the right one is where records come from it, or matching relies on it."""
    return run.definition.end(side).tells and (_queues(run, side) or run.indexed(side))


def _queues(run: Run, side: Side) -> bool:
    return side == LEFT or run.definition.topology == "two_way"


def _side(run: Run, side: Side) -> Flow[None]:
    for kind in run.definition.end(side).kinds:
        yield from _kind(run, side, kind)


def _kind(run: Run, side: Side, kind: str, *, mark: ReadBy | None = None) -> Flow[None]:
    """Read a kind from its cursor to the end of its feed; with a *mark* from the beginning."""
    end, queue = run.definition.end(side), _queues(run, side)
    progress = None if mark else (yield from run.ask(run.store.links.progress, run.name, side, kind))
    cursor = progress.cursor if progress else None
    filled = progress.filled if progress else False
    marks = mark_field(run, side, kind)
    fields = tuple(sorted({*run.definition.matcher.fields(side, kind), *marks}))
    listed = (yield from listing(run, side, kind)) if queue else None
    more = True
    while more:
        page = yield from end.source.read(Query(kind, fields, cursor))
        require_zones(page)
        refs = [*(page.rows.ref(row) for row in range(len(page.rows))), *(gone.ref for gone in page.departures)]
        standing = yield from _standing(run, side, refs)
        if queue:
            standing = yield from _to_be_told(run, side, standing)
        opened = (yield from reopened(run, side, refs[: len(page.rows)], standing)) if queue else ()
        live = {link.ref(side) for link in opened}
        standing = {ref: Standing(linked=True) if ref in live else known for ref, known in standing.items()}
        filled = filled or not page.more
        still = yield from _still(run, side, page, standing if queue else {})
        delta = _taken_in(run, side, kind, page, standing, still, filled=filled, queue=queue)
        delta = attrs.evolve(delta, links=opened)
        waits = yield from young(run, delta.queue, standing)
        if waits:
            rows = (attrs.evolve(row, because=waits.get(row.ref, row.because)) for row in delta.queue)
            delta = attrs.evolve(delta, queue=tuple(rows))
        for field in marks:
            delta = with_marks(delta, page, field)
        if listed is not None:
            delta = _marked(listed, delta, page)
            back = yield from returned(run, listed, [record.ref for record in page.rows])
            delta = attrs.evolve(delta, queue=(*delta.queue, *back))
        if mark:
            delta = attrs.evolve(delta, progress={**delta.progress, **mark})
        if still:
            delta = attrs.evolve(delta, run=run.id, decisions=still_parked(run, still.values()))
        yield from run.commit(delta)
        cursor, more = page.cursor, page.more
        if listed is not None and page.complete:
            yield from absences(run, listed)
        run.saw("read", system=end.system, kind=kind, records=len(refs))
        yield from run.renewed()


def _marked(listed: Listing, delta: Delta, page: Page) -> Delta:
    """Mark what a page of a listing shows, in the commit that takes it in."""
    left = {gone.ref for gone in page.departures}
    keys = tuple(keyed if keyed.ref in left else listed.marked(keyed) for keyed in delta.keys)
    return attrs.evolve(delta, keys=keys, progress={**delta.progress, **listed.progress(ended=not page.more)})


def _standing(run: Run, side: Side, refs: Sequence[RecordRef]) -> Flow[Mapping[RecordRef, Standing]]:
    if not refs:
        return {}
    standing: Mapping[RecordRef, Standing] = yield from run.ask(run.store.links.standing, run.name, side, refs)
    if run.again is None or not run.again.linked:
        return standing
    # What was settled was settled by other rules.
    return {ref: attrs.evolve(known, settled_version=None) for ref, known in standing.items()}


def _still(
    run: Run, side: Side, page: Page, standing: Mapping[RecordRef, Standing]
) -> Flow[Mapping[RecordRef, QueueRow]]:
    """Give the parked rows that a page tells nothing new about: of the same version, or of a departure told before.

    Of an event nothing is new, whatever becomes of its record.
    """
    if run.definition.topology == "events":
        same = [ref for ref, known in standing.items() if known.parked is not None]
    else:
        same = [record.ref for record in page.rows if _parked_still(record, standing.get(record.ref))]
        same += yield from _unchanged(run, side, page, standing)
    gone = {gone.ref for gone in page.departures if (known := standing.get(gone.ref)) and known.parked is not None}
    if not same and not gone:
        return {}
    rows = yield from run.ask(run.store.quarantine.of, run.name, side, [*same, *sorted(gone)])
    return {ref: row for ref, row in rows.items() if ref not in gone or row.departed}


def _unchanged(run: Run, side: Side, page: Page, standing: Mapping[RecordRef, Standing]) -> Flow[list[RecordRef]]:
    """Name the parked records whose stamp is as it was, and who hold what they held: a stamp alone does not tell."""
    versions = {
        record.ref: known.parked_version
        for record in page.rows
        if (known := standing.get(record.ref)) and known.parked and may_be_parked_at(record, known.parked_version)
    }
    look = Look(run)
    yield from look.read(side, versions)
    return [
        ref
        for ref, version in versions.items()
        if (record := look.record(side, ref)) is not None and parked_as(record, version)
    ]


def _to_be_told(run: Run, side: Side, standing: Mapping[RecordRef, Standing]) -> Flow[Mapping[RecordRef, Standing]]:
    """Let a record whose closed link is worth a word be decided about: others are counted, and no more is said of them.

    One that is to be made again over there is new, since a gate may have kept its copy back, and may open later. Of a
    duplicate people are told whenever it changes: nobody writes to it until they merge it, or delete it.
    """
    closed = [ref for ref, known in standing.items() if known.closed and not known.linked]
    if not closed:
        return standing
    links = yield from run.ask(run.store.links.of, run.name, side, closed)
    revives = run.definition.deletes.if_edited == "revive"
    told = {
        ref
        for ref in closed
        if any(duplicate(link) for link in links.get(ref, ()))
        or (revives and all(revived(link) for link in links.get(ref, ())))
    }
    return {ref: attrs.evolve(known, closed=False) if ref in told else known for ref, known in standing.items()}


def _taken_in(
    run: Run,
    side: Side,
    kind: str,
    page: Page,
    standing: Mapping[RecordRef, Standing],
    still: Mapping[RecordRef, QueueRow],
    *,
    filled: bool,
    queue: bool,
) -> Delta:
    rows: list[QueueRow] = []
    if queue:
        for record in page.rows:
            row = _record(run, side, record, standing.get(record.ref), parked=record.ref in still)
            if row is not None:
                rows.append(row)
        for gone in page.departures:
            row = None if gone.ref in still else _departure(run, side, gone, standing.get(gone.ref))
            if row is not None:
                rows.append(row)
    found = keys_of(run.definition.matcher, page.rows, side)
    keys = [Keyed(side, page.rows.ref(row), values) for row, values in enumerate(found)]
    keys.extend(Keyed(side, gone.ref) for gone in page.departures)
    return Delta(
        queue=tuple(rows),
        departures=tuple((side, gone) for gone in page.departures if not isinstance(gone, Deleted)),
        progress={} if page.cursor is None else {(side, kind): Progress(page.cursor, filled)},
        keys=tuple(keys),
    )


def _record(run: Run, side: Side, record: Record, known: Standing | None, *, parked: bool) -> QueueRow | None:
    version = record.version
    if run.definition.topology == "events":
        return None if parked else event_row(run, record.ref, record.stamp, known)
    if known is not None:
        if parked:
            return None
        if known.closed and not known.linked:
            run.count(Disposition.SKIPPED)
            return None
        if known.linked and known.parked is None and version is not None and known.settled_version == version:
            run.count(Disposition.UNCHANGED)
            return None
    return QueueRow(side, record.ref, version=version, run=run.id)


def _parked_still(record: Record, known: Standing | None) -> bool:
    """Say whether a record is parked at just this version: it is not looked at again before something changes."""
    return known is not None and known.parked is not None and parked_at(record, known.parked_version)


def _departure(run: Run, side: Side, gone: Departure, known: Standing | None) -> QueueRow | None:
    if known is None or (known.closed and not known.linked and isinstance(gone, Deleted)):
        run.count(Disposition.UNCHANGED)
        return None
    return QueueRow(side, gone.ref, departed=True, run=run.id)
