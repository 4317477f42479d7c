"""A pipeline that has lost its memory: its first run meets records that carry its own marks.

A mark is the key under which we made a record; it follows from the pipeline's name and the record that was mirrored,
so it is known again without a store. Such a pipeline fills blanks and disputes the rest, and makes nothing, until a
person has looked at its matches and adopts them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from ..definition import Definition
from ..flow import Flow, call
from ..model import LEFT, SIDES, Page, RecordRef, Side, other
from ..protocols import Clock, KeyValue, Question
from ..reasons import Code
from ..roles import Delta, Fence, Keyed, Progress, QueueRow, StateStore
from ._create import mark_of
from ._lease import leased
from ._run import Run

_PLACE = (LEFT, "@memory")
"""Where the store keeps how this pipeline stands, beside the cursors of kinds."""

_FRESH, _SOUND, _LOST = "fresh", "sound", "lost"
_MARK = "@mark"
_AT_ONCE = 500
_SAMPLE = 100
"""Records that are looked up by the vendor's search, where a side is not read."""


def recall(run: Run) -> Flow[None]:
    """Find out how this pipeline stands: fresh until its first reading has ended, then sound, or lost."""
    if run.definition.topology == "events":
        return
    known = yield from run.ask(run.store.links.progress, run.name, *_PLACE)
    if known is not None:
        run.fresh, run.lost = known.cursor == _FRESH, known.cursor == _LOST
        return
    for side in SIDES:
        for kind in run.definition.end(side).kinds:
            if (yield from run.ask(run.store.links.progress, run.name, side, kind)) is not None:
                return
    run.fresh = True
    yield from run.commit(_stands(_FRESH))


def _stands(how: str) -> Delta:
    return Delta(progress={_PLACE: Progress(how, filled=how != _FRESH)})


def mark_field(run: Run, side: Side, kind: str) -> tuple[str, ...]:
    """Name the field that holds our marks, while they are looked for."""
    field = run.able(side, kind).create_key if run.fresh else None
    return () if field is None else (field,)


def with_marks(delta: Delta, page: Page, field: str) -> Delta:
    """Put the marks that a page shows into the directory."""
    marks = {record.ref: str(mark) for record in page.rows if isinstance(mark := record.get(field), str) and mark}
    keys = tuple(_marked(keyed, marks.get(keyed.ref)) for keyed in delta.keys)
    return attrs.evolve(delta, keys=keys)


def _marked(keyed: Keyed, mark: str | None) -> Keyed:
    return keyed if mark is None else attrs.evolve(keyed, keys=(*keyed.keys, KeyValue(_MARK, mark)))


def recognise(run: Run) -> Flow[None]:
    """Look for our own marks among what the first reading has shown."""
    if not run.fresh:
        return
    after, met = 0, False
    while not met:
        rows = yield from run.ask(run.store.agenda.due, run.name, run.now(), _AT_ONCE, after=after)
        if not rows:
            break
        first, after = after == 0, max(row.sequence for row in rows)
        met = yield from _meets(run, rows, first=first)
        yield from run.renewed()
    run.fresh, run.lost = False, met
    yield from run.commit(_stands(_LOST if met else _SOUND))
    if met:
        run.saw("state_lost", pipeline=run.name)


def _meets(run: Run, rows: Iterable[QueueRow], *, first: bool) -> Flow[bool]:
    for side in SIDES:
        towards = other(side)
        kind = run.definition.end(towards).new
        field = None if kind is None else run.able(towards, kind).create_key
        if kind is None or field is None:
            continue
        marks = [mark_of(run, towards, kind, row.ref) for row in rows if row.side == side and not row.departed]
        found = yield from run.ask(run.store.directory.find, run.name, towards, _asked(kind, _MARK, marks))
        if any(found):
            return True
        if first and marks and not (run.definition.topology == "two_way" or run.indexed(towards)):
            answers = yield from run.definition.end(towards).sink.find(_asked(kind, field, marks[:_SAMPLE]), ())
            if any(len(rows) for rows in answers):
                return True
    return False


def _asked(kind: str, field: str, marks: Sequence[str]) -> list[Question]:
    return [Question(kind, "", ((KeyValue(field, mark),),)) for mark in marks]


def adopted(definition: Definition, store: StateStore, clock: Clock, *, owner: str) -> Flow[int]:
    """Let a pipeline that had lost its memory go on as any other; gives how many records had waited for that."""

    def work(fence: Fence) -> Flow[int]:
        parked: Sequence[QueueRow] = yield from call(store.quarantine.rows, definition.name, None)
        waiting = [row for row in parked if row.because is not None and row.because.code is Code.STATE_LOST]
        wake: tuple[tuple[Side, RecordRef], ...] = tuple((row.side, row.ref) for row in waiting)
        yield from call(store.commit, definition.name, attrs.evolve(_stands(_SOUND), wake=wake), fence)
        return len(waiting)

    return (yield from leased(definition, store, clock, work, owner=owner))


def lost(definition: Definition, store: StateStore) -> Flow[bool]:
    """Say whether a pipeline waits to be adopted."""
    known: Progress | None = yield from call(store.links.progress, definition.name, *_PLACE)
    return known is not None and known.cursor == _LOST
