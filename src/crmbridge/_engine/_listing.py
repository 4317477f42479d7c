"""Absence: where a system lists everything and tells of no deletion, what a complete listing does not show may be gone.

Each listing has a generation, and each record that it shows is marked with it in the directory. Once a listing has
ended, and only if it was complete, the linked records without its mark are read by id; those that are not there either
are queued as departures, so that the guards count them before the first write. A listing that was cut short, that left
something out, or that shows less because a filter was narrowed, removes nothing: its absent records are still there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import attrs

from ..flow import Flow
from ..model import Link, Record, RecordRef, Side
from ..protocols import KeyValue, Question
from ..roles import Delta, Keyed, Progress, QueueRow
from ._run import Run
from ._seen import Look

_AT_ONCE = 500

_MARK = "@listed"
"""Stands in the directory for the listing in which a record was seen last."""


@attrs.frozen
class Listing:
    """One pass over all records of a kind, which may take several runs."""

    side: Side
    kind: str
    generation: int

    def marked(self, keyed: Keyed) -> Keyed:
        """Mark a record as seen."""
        return attrs.evolve(keyed, keys=(*keyed.keys, self._mark(keyed.ref)))

    def _mark(self, ref: RecordRef) -> KeyValue:
        return KeyValue(_MARK, f"{self.generation}:{ref.id}")

    def progress(self, *, ended: bool) -> dict[tuple[Side, str], Progress]:
        """Say how far it has come; it has a place of its own beside the cursor of its kind."""
        return {(self.side, _place(self.kind)): Progress(str(self.generation), ended)}

    def seen(self, ref: RecordRef) -> Question:
        """Ask whether a record was seen."""
        return Question(self.kind, "", ((self._mark(ref),),))


def _place(kind: str) -> str:
    return f"{kind} {_MARK}"


def lists(run: Run, side: Side, kind: str) -> bool:
    """Say whether absence from a listing means something.

    It does not where deletions are reported, where reading gives changes alone, where nothing can be read by id, and
    where the author of the source has not said so.
    """
    able = run.able(side, kind)
    by_id = run.definition.end(side).reads and run.definition.topology != "events"
    return by_id and not (able.sees_deletes or able.incremental or able.appends_only or able.absent == "kept")


def listing(run: Run, side: Side, kind: str) -> Flow[Listing | None]:
    """Go on with the listing of a kind, or begin the next; None where absence says nothing."""
    if not lists(run, side, kind):
        return None
    last = yield from run.ask(run.store.links.progress, run.name, side, _place(kind))
    if last is None:
        return Listing(side, kind, 1)
    return Listing(side, kind, int(last.cursor) + last.filled)


def returned(run: Run, listed: Listing, shown: Sequence[RecordRef]) -> Flow[tuple[QueueRow, ...]]:
    """Take back departures that wait for a decision, of records that a listing shows again."""
    queued = yield from run.ask(run.store.agenda.rows, run.name, listed.side, shown)
    return tuple(QueueRow(listed.side, ref, run=run.id) for ref, row in queued.items() if row.departed)


def absences(run: Run, listed: Listing) -> Flow[None]:
    """Queue the linked records that a complete listing has not shown and that a read by id does not find either."""
    links = yield from run.ask(run.store.links.all, run.name)
    while page := (yield from run.ask(_page, links)):
        refs = [
            link.ref(listed.side) for link in page if link.closed is None and link.ref(listed.side).kind == listed.kind
        ]
        gone = yield from _gone(run, listed, list(dict.fromkeys(refs)))
        if gone:
            run.saw("absent", system=run.definition.end(listed.side).system, kind=listed.kind, records=len(gone))
            rows = tuple(QueueRow(listed.side, ref, departed=True, run=run.id) for ref in gone)
            yield from run.commit(Delta(queue=rows, keys=tuple(Keyed(listed.side, ref) for ref in gone)))
        yield from run.renewed()


def _page(links: Iterator[Link]) -> Sequence[Link]:
    return list(islice(links, _AT_ONCE))


def _gone(run: Run, listed: Listing, refs: Sequence[RecordRef]) -> Flow[list[RecordRef]]:
    if not refs:
        return []
    answers = yield from run.ask(run.store.directory.find, run.name, listed.side, [listed.seen(ref) for ref in refs])
    unseen = [ref for ref, found in zip(refs, answers, strict=True) if not found]
    look = Look(run)
    yield from look.read(listed.side, unseen)
    absent = [ref for ref in unseen if not isinstance(look.at(listed.side, ref), Record)]
    queued = yield from run.ask(run.store.agenda.rows, run.name, listed.side, absent)
    return [ref for ref in absent if not (ref in queued and queued[ref].departed)]
