"""Links: what identifies them in one table, what was agreed in another."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import Any, Final

import attrs

from ... import wire
from ...model import Agreed, Cell, Link, Missing, RecordRef, Side, Standing, Unsettled
from ...reasons import Reason
from ...roles import Progress
from .. import _cells
from .._shared import fingerprint, forgotten_link, in_order, standing
from .database import Database
from .names import Ends, Kept, chunks, instant, keep, keep_or_null, marks, micros, scope, tell, tell_or_none

PAGE: Final = 500
UNKNOWN: Final = Standing()

# One look-up for each partial index: their conditions must stand in the question word for word.
LOOKUPS: Final[Mapping[Side, tuple[str, str]]] = MappingProxyType(
    {
        "left": ("closed = 0", "closed = 1"),
        "right": ("closed = 0 AND shared = 0", "(closed = 1 OR shared = 1)"),
    }
)

_WHOLE = (
    "id, left_end, left_id, right_end, right_id, shared, since, left_version, right_version, "
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
            for row in _of_refs(
                connection, reader.ends, side, asked, f"links JOIN agreements ON link = number|{_WHOLE}"
            ):
                link = reader.link(row)
                found[link.ref(side)].append(link)
            for ref, print_ in _forgotten(connection, self._tenant, (ref for ref in asked if ref not in found)):
                found[ref] = [forgotten_link(side, ref, print_)]
        return {ref: in_order(found[ref]) for ref in asked if ref in found}

    def standing(self, pipeline: str, side: Side, refs: Sequence[RecordRef]) -> Mapping[RecordRef, Standing]:
        found: dict[RecordRef, Standing] = {}
        with self._db.reading() as connection:
            ends = Ends(connection, scope(connection, self._tenant, pipeline))
            for end, group in ends.grouped(side, refs):
                found |= _standing(connection, side, end, group)
            untied = (ref for ref in refs if not (known := found.get(ref, UNKNOWN)).linked and not known.closed)
            for ref, _ in _forgotten(connection, self._tenant, untied):
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
                    "WHERE scope = ? AND (?2 IS NULL OR id > ?2) ORDER BY id LIMIT ?3"
                )
                rows = connection.execute(question, (reader.scope, after, PAGE)).fetchall()
                page = [reader.link(row) for row in rows]
            yield from page
            if len(page) < PAGE:
                return
            after = rows[-1][0]


def _standing(
    connection: sqlite3.Connection, side: Side, end: int, group: Mapping[Kept, RecordRef]
) -> dict[RecordRef, Standing]:
    asked = (end, *group)
    among = f"FROM links WHERE {side}_end = ? AND {side}_id IN ({marks(asked[1:])}) AND"
    one, rest = LOOKUPS[side]
    live: dict[Kept, tuple[str | None, ...]] = {
        id_: (tell_or_none(version),)
        for id_, version in connection.execute(f"SELECT {side}_id, {side}_version {among} {one}", asked)
    }
    closed: set[Kept] = set()
    for id_, is_closed, version in connection.execute(
        f"SELECT {side}_id, closed, {side}_version {among} {rest}", asked
    ):
        if is_closed:
            closed.add(id_)
        else:
            live[id_] = (*live.get(id_, ()), tell_or_none(version))
    question = f"SELECT id, state, version FROM queue WHERE end = ? AND id IN ({marks(asked[1:])}) AND state <> 'ready'"
    parked = {id_: (state, tell_or_none(version)) for id_, state, version in connection.execute(question, asked)}
    known = live.keys() | closed | parked.keys()
    return {
        ref: standing(live.get(id_, ()), closed=id_ in closed, parked=parked.get(id_))
        for id_, ref in group.items()
        if id_ in known
    }


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


def _of_refs(
    connection: sqlite3.Connection, ends: Ends, side: Side, refs: Iterable[RecordRef], asked: str
) -> Iterator[tuple[Any, ...]]:
    source, columns = asked.split("|")
    for end, group in ends.grouped(side, refs):
        for where in LOOKUPS[side]:
            question = (
                f"SELECT {columns} FROM {source} "
                f"WHERE {side}_end = ? AND {side}_id IN ({marks(tuple(group))}) AND {where}"
            )
            yield from connection.execute(question, (end, *group))


def _forgotten(
    connection: sqlite3.Connection, tenant: str, refs: Iterable[RecordRef]
) -> Iterator[tuple[RecordRef, bytes]]:
    if not connection.execute("SELECT 1 FROM forgotten WHERE tenant = ? LIMIT 1", (tenant,)).fetchone():
        return
    [(key,)] = connection.execute("SELECT fingerprint_key FROM secret")
    prints = {fingerprint(key, ref): ref for ref in refs}
    for chunk in chunks(prints):
        question = f"SELECT print FROM forgotten WHERE tenant = ? AND print IN ({marks(chunk)})"
        for (print_,) in connection.execute(question, (tenant, *chunk)):
            yield prints[print_], print_


class _Reader:
    """Turns rows into links; column lists are read once each."""

    def __init__(self, connection: sqlite3.Connection, scope: int) -> None:
        self.scope = scope
        self.ends = Ends(connection, scope)
        self._connection = connection
        self._columns: dict[int, tuple[str, ...]] = {}

    def link(self, row: tuple[Any, ...]) -> Link:
        (id_, left_end, left_id, right_end, right_id, shared, since, left_version, right_version) = row[:9]
        left_columns, left_cells, right_columns, right_cells, text = row[9:]
        beside: dict[str, Any] = _cells.value_of(text) if text else {}
        closed = beside.get("closed")
        return Link(
            tell(id_),
            self.ends.ref(left_end, left_id),
            self.ends.ref(right_end, right_id),
            self._agreed(left_columns, left_cells, left_version, beside.get("left")),
            self._agreed(right_columns, right_cells, right_version, beside.get("right")),
            instant(since),
            beside.get("incarnation", 0),
            wire.unpack(closed, Reason) if closed else None,
            bool(shared),
            beside.get("strikes", {}),
            beside.get("case"),
        )

    def _agreed(self, columns: int, cells: str, version: Kept | None, beside: dict[str, Any] | None) -> Agreed:
        fields, values, settled = self._fields(columns), _cells.loads(cells), tell_or_none(version)
        if not beside:
            return Agreed(fields, values, {}, settled)
        unsettled = {field: wire.unpack(sent, Unsettled) for field, sent in beside.get("unsettled", {}).items()}
        stamp = beside.get("own_stamp")
        return Agreed(fields, values, unsettled, settled, wire.unpack_instant(stamp) if stamp else None)

    def _fields(self, number: int) -> tuple[str, ...]:
        if number not in self._columns:
            [(text,)] = self._connection.execute("SELECT fields FROM columns WHERE number = ?", (number,))
            self._columns[number] = tuple(_cells.value_of(text))
        return self._columns[number]


def put_links(connection: sqlite3.Connection, scope: int, ends: Ends, links: Iterable[Link]) -> None:
    """Put links by id, and keep count of the live ones."""
    put = {keep(link.id): link for link in links}
    old = _identities(connection, scope, list(put))
    new = {id_: _identity(ends, link) for id_, link in put.items()}
    # What changes its records leaves the unique indexes first: links may trade places in one commit.
    moved = [id_ for id_ in old if old[id_][1:] != new[id_]]
    connection.executemany("DELETE FROM links WHERE number = ?", ((old[id_][0],) for id_ in moved))
    # And comes back first: a new link takes the next free number.
    made = [*moved, *(id_ for id_ in put if id_ not in old)]
    connection.executemany(
        "INSERT INTO links (number, scope, id, left_end, left_id, right_end, right_id, closed, shared, since, "
        f"left_version, right_version) VALUES ({marks(range(12))})",
        ((old[id_][0] if id_ in old else None, scope, id_, *new[id_], *_versions(put[id_])) for id_ in made),
    )
    connection.executemany(
        "UPDATE links SET since = ?, left_version = ?, right_version = ? WHERE number = ?",
        ((*_versions(put[id_]), old[id_][0]) for id_ in old if old[id_][1:] == new[id_]),
    )
    _put_agreements(connection, scope, put)
    live = sum(identity[4] == 0 for identity in new.values()) - sum(row[5] == 0 for row in old.values())
    connection.execute("UPDATE scopes SET live_links = live_links + ? WHERE number = ?", (live, scope))


_Identity = tuple[int, Kept, int, Kept, int, int]


def _identity(ends: Ends, link: Link) -> _Identity:
    left, right = ends.make("left", link.left), ends.make("right", link.right)
    return left, keep(link.left.id), right, keep(link.right.id), int(link.closed is not None), int(link.shared)


def _versions(link: Link) -> tuple[int, Kept | None, Kept | None]:
    left, right = link.left_agreed.settled_version, link.right_agreed.settled_version
    return micros(link.since), keep_or_null(left), keep_or_null(right)


def _identities(
    connection: sqlite3.Connection, scope: int, ids: list[Kept]
) -> Mapping[Kept, tuple[int, int, Kept, int, Kept, int, int]]:
    found = chain.from_iterable(
        connection.execute(
            "SELECT id, number, left_end, left_id, right_end, right_id, closed, shared FROM links "
            f"WHERE scope = ? AND id IN ({marks(chunk)})",
            (scope, *chunk),
        )
        for chunk in chunks(ids)
    )
    return {row[0]: row[1:] for row in found}


def _put_agreements(connection: sqlite3.Connection, scope: int, put: Mapping[Kept, Link]) -> None:
    numbers = {id_: row[0] for id_, row in _identities(connection, scope, list(put)).items()}
    columns: dict[tuple[str, ...], int] = {}

    def half(agreed: Agreed) -> tuple[int, str]:
        if agreed.fields not in columns:
            columns[agreed.fields] = _column_list(connection, agreed.fields)
        cells: tuple[Cell | Missing, ...] = agreed.cells
        return columns[agreed.fields], _cells.dumps(cells)

    connection.executemany(
        f"INSERT OR REPLACE INTO agreements VALUES ({marks(range(6))})",
        ((numbers[id_], *half(link.left_agreed), *half(link.right_agreed), _beside(link)) for id_, link in put.items()),
    )


def _column_list(connection: sqlite3.Connection, fields: tuple[str, ...]) -> int:
    text = _cells.text_of(fields)
    connection.execute("INSERT OR IGNORE INTO columns (fields) VALUES (?)", (text,))
    [(number,)] = connection.execute("SELECT number FROM columns WHERE fields = ?", (text,))
    return int(number)


def _beside(link: Link) -> str | None:
    """Write what few links have; most have none of it."""
    told = {
        "incarnation": link.incarnation,
        "closed": link.closed and wire.pack(link.closed),
        "strikes": dict(link.strikes),
        "case": link.case,
        "left": _beside_half(link.left_agreed),
        "right": _beside_half(link.right_agreed),
    }
    kept = {name: value for name, value in told.items() if value not in (0, None, {})}
    return _cells.text_of(kept) if kept else None


def _beside_half(agreed: Agreed) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if agreed.unsettled:
        told["unsettled"] = {field: wire.pack(sent) for field, sent in agreed.unsettled.items()}
    if agreed.own_stamp is not None:
        told["own_stamp"] = wire.pack_instant(agreed.own_stamp)
    return told
