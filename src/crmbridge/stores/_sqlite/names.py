"""Numbers for names that recur, and text in a form that SQLite can hold."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Literal, TypeVar

from ...model import RecordRef, Side
from .._cells import Unreadable, storable

T = TypeVar("T")

CHUNK = 2_000
"""Values in one `IN (...)`; SQLite takes 32,766 parameters."""

Kept = str | bytes


def keep(text: str) -> Kept:
    """Put a text of a vendor's into a form that can be kept: one with lone surrogates as bytes, which equal no text."""
    return text if storable(text) else text.encode("utf-8", "surrogatepass")


def tell(kept: Kept) -> str:
    """Give back the text; raises `Unreadable` for what no text was ever kept as."""
    if isinstance(kept, str):
        return kept
    if not _is(bytes, kept):
        raise Unreadable("a text is stored as a number")
    return kept.decode("utf-8", "surrogatepass")


def _is(kind: type, value: object) -> bool:
    # What the type says is what was written, and not what a damaged file gives.
    return isinstance(value, kind)


def keep_or_null(text: str | None) -> Kept | None:
    """Keep a text that may be absent."""
    return None if text is None else keep(text)


def tell_or_none(kept: Kept | None) -> str | None:
    """Give back a text that may be absent."""
    return None if kept is None else tell(kept)


def chunks(values: Iterable[T]) -> Iterator[Sequence[T]]:
    """Cut values into pieces that fit into one statement."""
    listed = list(values)
    return (listed[start : start + CHUNK] for start in range(0, len(listed), CHUNK))


def only(rows: Iterable[tuple[T, ...]]) -> T:
    """Give the one value of the one row that must be there; raises `Unreadable`."""
    try:
        [(value,)] = rows
    except ValueError:
        raise Unreadable("a row is missing that another one names") from None
    return value


def only_number(rows: Iterable[tuple[object, ...]]) -> int:
    """Give the one number of the one row that must be there; raises `Unreadable`."""
    value = only((row[0],) for row in rows)
    if not isinstance(value, int):
        raise Unreadable("a number is stored as something else")
    return value


def found_again(found: Mapping[Kept, T], written: Collection[Kept]) -> Mapping[Kept, T]:
    """Give what was found of what was written a moment ago; raises `Unreadable` where some of it is not there."""
    if len(found) != len(written):
        raise Unreadable("a row was written and is not found again")
    return found


def marks(values: Sequence[object]) -> str:
    """Write the place-holders of one `IN (...)`."""
    return ",".join("?" * len(values))


def scope(connection: sqlite3.Connection, tenant: str, pipeline: str) -> int:
    """Give the number of a pipeline; 0, which nothing has, where it is not known."""
    found = connection.execute("SELECT number FROM scopes WHERE tenant = ? AND pipeline = ?", (tenant, pipeline))
    rows = found.fetchall()
    return only_number(rows) if rows else 0


def made_scope(connection: sqlite3.Connection, tenant: str, pipeline: str) -> int:
    """Give the number of a pipeline, a new one where it is not known."""
    connection.execute("INSERT OR IGNORE INTO scopes (tenant, pipeline) VALUES (?, ?)", (tenant, pipeline))
    return scope(connection, tenant, pipeline)


class Ends:
    """The kinds of a pipeline, by side, as numbers; read anew in each transaction.

    The side is empty for what is known of a record without its side.
    """

    def __init__(self, connection: sqlite3.Connection, scope: int) -> None:
        self._connection = connection
        self._scope = scope
        self._numbers: dict[tuple[str, str, str], int] = {}
        self._names: dict[int, tuple[str, str, str]] = {}
        found = connection.execute("SELECT side, system, kind, number FROM ends WHERE scope = ?", (scope,))
        for side, system, kind, number in found:
            self._learn((side, system, kind), number)

    def _learn(self, name: tuple[str, str, str], number: int) -> None:
        self._numbers[name] = number
        self._names[number] = name

    def number(self, side: Side | Literal[""], ref: RecordRef) -> int:
        """Give the number of a record's kind on a side; 0 where it is not known."""
        return self._numbers.get((side, ref.system, ref.kind), 0)

    def make(self, side: Side | Literal[""], ref: RecordRef) -> int:
        """Give the number of a record's kind on a side, a new one where it is not known."""
        name = (side, ref.system, ref.kind)
        if name not in self._numbers:
            self._connection.execute(
                "INSERT INTO ends (scope, side, system, kind) VALUES (?, ?, ?, ?)", (self._scope, *name)
            )
            number = only_number(self._connection.execute("SELECT last_insert_rowid()"))
            self._learn(name, number)
        return self._numbers[name]

    def ref(self, number: int, id_: Kept) -> RecordRef:
        """Point at the record of an end."""
        _, system, kind = self._name(number)
        return RecordRef(system, kind, tell(id_))

    def side(self, number: int) -> Side:
        """Tell the side of an end."""
        return "left" if self._name(number)[0] == "left" else "right"

    def _name(self, number: int) -> tuple[str, str, str]:
        try:
            return self._names[number]
        except KeyError:
            raise Unreadable("a record is stored of a kind that is not") from None

    def of_kind(self, side: Side, kind: str) -> list[int]:
        """Give the ends of one kind on a side."""
        return [number for number, name in sorted(self._names.items()) if (name[0], name[2]) == (side, kind)]

    def of_records(self) -> list[tuple[Side, int]]:
        """Give the ends whose side is known, with it."""
        return [(self.side(number), number) for number, name in sorted(self._names.items()) if name[0]]

    def of_ref(self, ref: RecordRef) -> list[int]:
        """Give the ends of a record's kind on any side."""
        return [number for number, name in sorted(self._names.items()) if name[1:] == (ref.system, ref.kind)]

    def grouped(
        self, side: Side | Literal[""], refs: Iterable[RecordRef]
    ) -> Iterator[tuple[int, dict[Kept, RecordRef]]]:
        """Group records by their end, and cut the groups into pieces that fit into one statement."""
        groups: defaultdict[tuple[str, str], dict[Kept, RecordRef]] = defaultdict(dict)
        for ref in refs:
            groups[ref.system, ref.kind][keep(ref.id)] = ref
        for (system, kind), group in groups.items():
            end = self._numbers.get((side, system, kind), 0)
            if end and len(group) <= CHUNK:
                yield end, group
            elif end:
                for chunk in chunks(group):
                    yield end, {id_: group[id_] for id_ in chunk}
