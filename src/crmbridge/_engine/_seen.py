"""Looking at records by id: each batch reads a record once, in batches, and follows what left its ref."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import attrs

from ..flow import Flow, gather
from ..model import Deleted, Departure, Merged, Moved, Page, Record, RecordRef, Rows, Side
from ..reasons import Reason
from ._events import arrived
from ._references import widened
from ._run import Run
from ._ties import lives_on
from ._zones import require_zones


@attrs.frozen
class Absent:
    """A read by id did not find it."""

    ref: RecordRef


Seen: TypeAlias = "Record | Departure | Absent"


class Look:
    """What a batch has read so far, one side at a time."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._seen: dict[tuple[Side, RecordRef], Seen] = {}
        self._unreadable: dict[tuple[Side, RecordRef], Reason] = {}

    def at(self, side: Side, ref: RecordRef) -> Seen:
        """Tell what was seen of a record that was read in this batch."""
        return self._seen[side, ref]

    def seen(self, side: Side, ref: RecordRef) -> Seen | None:
        """Tell what was seen of a record; None where this batch has not read it."""
        return self._seen.get((side, ref))

    def record(self, side: Side, ref: RecordRef) -> Record | None:
        """Give a record, or None where it is not there."""
        seen = self._seen.get((side, ref))
        return seen if isinstance(seen, Record) else None

    def unreadable(self, side: Side, ref: RecordRef) -> Reason | None:
        """Say why a record cannot be taken as it was read; None where it can."""
        return self._unreadable.get((side, ref))

    def read(self, side: Side, refs: Iterable[RecordRef]) -> Flow[None]:
        """Read records that this batch has not read yet."""
        wanted: dict[str, list[str]] = {}
        for ref in dict.fromkeys(refs):
            if (side, ref) not in self._seen:
                wanted.setdefault(ref.kind, []).append(ref.id)
        asked: list[tuple[str, Sequence[RecordRef]]] = []
        system = self._run.definition.end(side).system
        if wanted and not self._run.definition.end(side).reads:
            yield from self._delivered(side, wanted)
            return
        for kind, ids in wanted.items():
            size = self._run.able(side, kind).fetch_batch
            asked.extend(
                (kind, [RecordRef(system, kind, one) for one in ids[start : start + size]])
                for start in range(0, len(ids), size)
            )
        pages = yield from gather([fetch(self._run, side, kind, chunk) for kind, chunk in asked])
        tables = yield from widened(self._run, side, [page.rows for page in pages])
        for (_, chunk), page, rows in zip(asked, pages, tables, strict=True):
            self._keep(side, chunk, page, rows)
        yield from self._told_before(side, [ref for _, chunk in asked for ref in chunk])

    def _told_before(self, side: Side, asked: Sequence[RecordRef]) -> Flow[None]:
        """Believe that a record lives on elsewhere where the feed has told so and a read by id says nothing of it."""
        silent = [ref for ref in asked if isinstance(self._seen[side, ref], Absent)]
        if silent:
            lives = yield from lives_on(self._run, side, silent)
            for ref, into in lives.items():
                self._seen[side, ref] = Merged(ref, into) if into.kind == ref.kind else Moved(ref, into)

    def _delivered(self, side: Side, wanted: dict[str, list[str]]) -> Flow[None]:
        """Take records of a system that cannot be read from what it delivered."""
        system = self._run.definition.end(side).system
        refs = [RecordRef(system, kind, one) for kind, ids in wanted.items() for one in ids]
        found = yield from arrived(self._run, refs)
        tables = yield from widened(self._run, side, [record.rows for record in found.values()])
        told = {ref: Record(rows, found[ref].row) for ref, rows in zip(found, tables, strict=True)}
        for ref in refs:
            self._seen[side, ref] = told.get(ref, Absent(ref))

    def _keep(self, side: Side, asked: Sequence[RecordRef], page: Page, rows: Rows) -> None:
        found: dict[RecordRef, Seen] = {record.ref: record for record in rows}
        for gone in page.departures:
            found[gone.ref] = gone
        for ref, why in page.unreadable.items():
            self._unreadable[side, ref] = why
        for ref in asked:
            self._seen[side, ref] = found.get(ref, Absent(ref))


def fetch(run: Run, side: Side, kind: str, refs: Sequence[RecordRef]) -> Flow[Page]:
    """Read records of one kind by id, with every field that decisions need."""
    page = yield from run.definition.end(side).source.fetch(refs, run.fields(side, kind))
    require_zones(page, run.schemas.get((side, kind)))
    if page.clock is not None:
        run.ahead[side] = page.clock - run.now()
    return page


def is_gone(seen: Seen) -> bool:
    """Say whether a record is not there and did not live on elsewhere."""
    return isinstance(seen, Absent | Deleted)
