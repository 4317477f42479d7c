"""Read links: what identifies them in one table, what was agreed in another."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from ...model import Link, RecordRef, Side, Standing
from ...roles import Progress
from .. import _cells
from .._links import Half, link_of, standings
from .._shared import forgotten_link, in_order, instant
from .database import Database
from .forgetting import forgotten
from .names import Ends, Kept, marks, only, scope, tell, tell_or_none

PAGE: Final = 500
UNKNOWN: Final = Standing()

_WHOLE = (
    "links.id, left_end, left_id, right_end, right_id, shared, since, left_version, right_version, "
    "left_columns, left_cells, right_columns, right_cells, beside"
)


@attrs.frozen
class SqliteLinks:
    """Ties, cursors and aliases."""

    _db: Database
    _tenant: str

    def of(self, pipeline: str, side: Side, refs: Iterable[RecordRef]) -> Mapping[RecordRef, Sequence[Link]]:
        asked = list(dict.fromkeys(refs))
        found: defaultdict[RecordRef, list[Link]] = defaultdict(list)
        with self._db.reading() as connection:
            reader = _Reader(connection, scope(connection, self._tenant, pipeline))
            for row in _whole(connection, reader.ends, side, asked):
                link = reader.link(row)
                found[link.ref(side)].append(link)
            for ref, print_ in forgotten(connection, self._tenant, (ref for ref in asked if ref not in found)):
                found[ref] = [forgotten_link(side, ref, print_)]
        return {ref: in_order(found[ref]) for ref in asked if ref in found}

    def standing(self, pipeline: str, side: Side, refs: Sequence[RecordRef]) -> Mapping[RecordRef, Standing]:
        found: dict[RecordRef, Standing] = {}
        with self._db.reading() as connection:
            ends = Ends(connection, scope(connection, self._tenant, pipeline))
            for end, group in ends.grouped(side, refs):
                found |= _standing(connection, end, group)
            untied = (ref for ref in refs if not (known := found.get(ref, UNKNOWN)).linked and not known.closed)
            for ref, _ in forgotten(connection, self._tenant, untied):
                found[ref] = attrs.evolve(found.get(ref, UNKNOWN), closed=True)
        return found

    def followed(self, pipeline: str, side: Side, refs: Iterable[RecordRef]) -> Mapping[RecordRef, RecordRef]:
        with self._db.reading() as connection:
            ends = Ends(connection, scope(connection, self._tenant, pipeline))
            found: dict[RecordRef, RecordRef] = {}
            # Hop by hop for all at once; chains never run in a circle, see `commit`.
            heads = {ref: ref for ref in refs}
            while heads:
                steps = _steps(connection, ends, side, heads.values())
                heads = {ref: steps[head] for ref, head in heads.items() if head in steps}
                found.update(heads)
            return found

    def progress(self, pipeline: str, side: Side, kind: str) -> Progress | None:
        with self._db.reading() as connection:
            asked = (scope(connection, self._tenant, pipeline), side, kind)
            question = "SELECT cursor, filled FROM progress WHERE scope = ? AND side = ? AND kind = ?"
            row = connection.execute(question, asked).fetchone()
            return Progress(tell(row[0]), bool(row[1])) if row else None

    def count(self, pipeline: str) -> int:
        with self._db.reading() as connection:
            question = "SELECT live_links FROM scopes WHERE tenant = ? AND pipeline = ?"
            row = connection.execute(question, (self._tenant, pipeline)).fetchone()
            return int(row[0]) if row else 0

    def all(self, pipeline: str) -> Iterator[Link]:
        after: Kept | None = None
        while True:
            with self._db.reading() as connection:
                reader = _Reader(connection, scope(connection, self._tenant, pipeline))
                question = (
                    f"SELECT {_WHOLE} FROM links JOIN agreements ON link = number "
                    "WHERE scope = ?1 AND (?2 IS NULL OR id > ?2) ORDER BY id LIMIT ?3"
                )
                rows = connection.execute(question, (reader.scope, after, PAGE)).fetchall()
                page = [reader.link(row) for row in rows]
            yield from page
            if len(page) < PAGE:
                return
            after = rows[-1][0]


def _standing(connection: sqlite3.Connection, end: int, group: Mapping[Kept, RecordRef]) -> dict[RecordRef, Standing]:
    asked = (end, *group)
    among = f"end = ? AND id IN ({marks(asked[1:])})"
    found = connection.execute(f"SELECT id, closed, version FROM ties WHERE {among}", asked)
    ties = ((id_, closed, tell_or_none(version)) for id_, closed, version in found)
    question = f"SELECT id, state, version FROM queue WHERE {among} AND state <> 'ready'"
    parked = {id_: (state, tell_or_none(version)) for id_, state, version in connection.execute(question, asked)}
    return standings(group, ties, parked)


def _steps(
    connection: sqlite3.Connection, ends: Ends, side: Side, refs: Iterable[RecordRef]
) -> Mapping[RecordRef, RecordRef]:
    steps: dict[RecordRef, RecordRef] = {}
    for end, group in ends.grouped(side, refs):
        question = (
            f"SELECT old_id, new_end, new_id FROM aliases WHERE old_end = ? AND old_id IN ({marks(tuple(group))})"
        )
        for old_id, new_end, new_id in connection.execute(question, (end, *group)):
            steps[group[old_id]] = ends.ref(new_end, new_id)
    return steps


def _whole(
    connection: sqlite3.Connection, ends: Ends, side: Side, refs: Iterable[RecordRef]
) -> Iterator[tuple[Any, ...]]:
    for end, group in ends.grouped(side, refs):
        question = (
            f"SELECT {_WHOLE} FROM ties JOIN links ON number = ties.link JOIN agreements ON agreements.link = number "
            f"WHERE end = ? AND ties.id IN ({marks(tuple(group))})"
        )
        yield from connection.execute(question, (end, *group))


class _Reader:
    """Turns rows into links; column lists are read once each."""

    def __init__(self, connection: sqlite3.Connection, scope: int) -> None:
        self.scope = scope
        self.ends = Ends(connection, scope)
        self._connection = connection
        self._columns: dict[int, tuple[str, ...]] = {}

    def link(self, row: tuple[Any, ...]) -> Link:
        (id_, left_end, left_id, right_end, right_id, shared, since, left_version, right_version) = row[:9]
        left_columns, left_cells, right_columns, right_cells, beside = row[9:]
        halves = (
            Half(self._fields(left_columns), left_cells, tell_or_none(left_version)),
            Half(self._fields(right_columns), right_cells, tell_or_none(right_version)),
        )
        refs = (self.ends.ref(left_end, left_id), self.ends.ref(right_end, right_id))
        return link_of(tell(id_), refs, halves, instant(since), shared=bool(shared), beside=beside)

    def _fields(self, number: int) -> tuple[str, ...]:
        if number not in self._columns:
            text = only(self._connection.execute("SELECT fields FROM columns WHERE number = ?", (number,)))
            self._columns[number] = tuple(_cells.value_of(text))
        return self._columns[number]
