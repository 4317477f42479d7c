"""Write links."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from itertools import chain

from ...model import Agreed, Cell, Link, Missing
from .. import _cells
from .._links import beside_of
from .._shared import micros
from .names import Ends, Kept, chunks, found_again, keep, keep_or_null, marks, only_number


def put_links(connection: sqlite3.Connection, scope: int, ends: Ends, links: Iterable[Link]) -> None:
    """Put links by id, and keep count of the live ones."""
    put = {keep(link.id): link for link in links}
    old = _identities(connection, scope, list(put))
    new = {id_: _identity(ends, link) for id_, link in put.items()}
    # What changes its records goes first: links may trade places in one commit.
    moved = [id_ for id_ in old if old[id_][1:] != new[id_]]
    connection.executemany(
        "DELETE FROM ties WHERE end = ? AND id = ? AND slot = ?",
        (place for id_ in moved for place in _places(old[id_])),
    )
    connection.executemany("DELETE FROM links WHERE number = ?", ((old[id_][0],) for id_ in moved))
    # And comes back first: a new link takes the next free number.
    made = [*moved, *(id_ for id_ in put if id_ not in old)]
    connection.executemany(
        "INSERT INTO links (number, scope, id, left_end, left_id, right_end, right_id, closed, shared, since, "
        f"left_version, right_version) VALUES ({marks(range(12))})",
        ((old[id_][0] if id_ in old else None, scope, id_, *new[id_], *_versions(put[id_])) for id_ in made),
    )
    same = [id_ for id_ in old if old[id_][1:] == new[id_]]
    connection.executemany(
        "UPDATE links SET since = ?, left_version = ?, right_version = ? WHERE number = ?",
        ((*_versions(put[id_]), old[id_][0]) for id_ in same),
    )
    now = found_again(_identities(connection, scope, list(put)), put)
    connection.executemany(
        "INSERT INTO ties (end, id, slot, link, closed, version) VALUES (?, ?, ?, ?, ?, ?)",
        (
            (*place, now[id_][0], now[id_][5], version)
            for id_ in made
            for place, version in zip(_places(now[id_]), _versions(put[id_])[1:], strict=True)
        ),
    )
    connection.executemany(
        "UPDATE ties SET version = ? WHERE end = ? AND id = ? AND slot = ?",
        (
            (version, *place)
            for id_ in same
            for place, version in zip(_places(now[id_]), _versions(put[id_])[1:], strict=True)
        ),
    )
    _put_agreements(connection, put, now)
    live = sum(identity[4] == 0 for identity in new.values()) - sum(row[5] == 0 for row in old.values())
    connection.execute("UPDATE scopes SET live_links = live_links + ? WHERE number = ?", (live, scope))


def _places(row: tuple[int, int, Kept, int, Kept, int, int]) -> tuple[tuple[int, Kept, int], tuple[int, Kept, int]]:
    """Give the places of a link among the ties of its two records."""
    number, left_end, left_id, right_end, right_id, closed, shared = row
    return (left_end, left_id, number if closed else 0), (right_end, right_id, number if closed or shared else 0)


_Identity = tuple[int, Kept, int, Kept, int, int]
"""Left end and id, right end and id, closed, shared."""

_Identities = Mapping[Kept, tuple[int, int, Kept, int, Kept, int, int]]
"""By id: the link's number, and its identity."""


def _identity(ends: Ends, link: Link) -> _Identity:
    left, right = ends.make("left", link.left), ends.make("right", link.right)
    return left, keep(link.left.id), right, keep(link.right.id), int(link.closed is not None), int(link.shared)


def _versions(link: Link) -> tuple[int, Kept | None, Kept | None]:
    left, right = link.left_agreed.settled_version, link.right_agreed.settled_version
    return micros(link.since), keep_or_null(left), keep_or_null(right)


def _identities(connection: sqlite3.Connection, scope: int, ids: list[Kept]) -> _Identities:
    found = chain.from_iterable(
        connection.execute(
            "SELECT id, number, left_end, left_id, right_end, right_id, closed, shared FROM links "
            f"WHERE scope = ? AND id IN ({marks(chunk)})",
            (scope, *chunk),
        )
        for chunk in chunks(ids)
    )
    return {row[0]: row[1:] for row in found}


def _put_agreements(connection: sqlite3.Connection, put: Mapping[Kept, Link], now: _Identities) -> None:
    columns: dict[tuple[str, ...], int] = {}

    def half(agreed: Agreed) -> tuple[int, str]:
        if agreed.fields not in columns:
            columns[agreed.fields] = _column_list(connection, agreed.fields)
        cells: tuple[Cell | Missing, ...] = agreed.cells
        return columns[agreed.fields], _cells.dumps(cells)

    connection.executemany(
        f"INSERT OR REPLACE INTO agreements VALUES ({marks(range(6))})",
        (
            (now[id_][0], *half(link.left_agreed), *half(link.right_agreed), beside_of(link))
            for id_, link in put.items()
        ),
    )


def _column_list(connection: sqlite3.Connection, fields: tuple[str, ...]) -> int:
    text = _cells.text_of(fields)
    connection.execute("INSERT OR IGNORE INTO columns (fields) VALUES (?)", (text,))
    return only_number(connection.execute("SELECT number FROM columns WHERE fields = ?", (text,)))
