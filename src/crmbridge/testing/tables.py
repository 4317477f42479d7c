"""Rows in memory as a vendor keeps them: typed fields, ids, stamps, soft deletion, lookups by a unique value.

A table stores what it is told. Whether a value is allowed, and in what form it is kept, is the vendor's business and is
decided by the fake before it comes here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import attrs

from crmbridge import _stated

_Index = dict[Any, "str | dict[str, None]"]
"""Ids by value: the bare id while there is only one, so that an index over a unique field stays small."""


@attrs.frozen
class Field:
    """One field of a kind, as the vendor's own description tells it."""

    name: str
    type: str = "string"
    label: str = ""
    length: int = 0
    """Most characters; 0 for a type that has no length."""
    digits: int = 0
    """Most digits of a whole number; 0 where the type has none."""
    precision: int = 0
    """Most digits of a number on both sides of the point together; 0 where the type has none."""
    scale: int = 0
    """Digits after the point."""
    required: bool = False
    createable: bool = True
    updateable: bool = True
    picklist: tuple[str, ...] = attrs.field(default=(), validator=_stated.several)
    """The active choices, as they are stored."""
    restricted: bool = False
    """Whether a value outside of the choices is refused."""
    unique: bool = False
    external_id: bool = False
    indexed: bool = False
    """Whether `Table.find` is fast for it although it is neither unique nor an external id."""
    case_sensitive: bool = False
    references: tuple[str, ...] = attrs.field(default=(), validator=_stated.several)
    """The kinds that it may point at."""
    relationship: str = ""
    """The name under which the record that it points at is read."""
    default: Any = None
    """What a new record holds when nothing is said; None for blank."""
    _exact: bool = attrs.field(
        init=False,
        eq=False,
        repr=False,
        default=attrs.Factory(lambda field: field.case_sensitive or field.type in ("id", "reference"), takes_self=True),
    )

    def key(self, value: Any) -> Any:
        """Give the form in which two values of this field are the same."""
        return value if self._exact or not isinstance(value, str) else value.casefold()


@attrs.define(eq=False)
class Row:
    """One stored record; stamps are as fine as the fake's clock, and many rows may share one."""

    id: str
    values: dict[str, Any] = attrs.field(repr=False)
    created: datetime
    modified: datetime
    created_by: str = ""
    modified_by: str = ""
    deleted: bool = False
    version: int = 1


class Table:
    """All records of one kind.

    Field names are compared without case where `fold` is set; rows are keyed by the names as described.
    `new_id` makes an id from a running number that starts at 1.
    """

    def __init__(
        self,
        name: str,
        fields: Iterable[Field],
        *,
        new_id: Callable[[int], str] = str,
        label: str = "",
        fold: bool = False,
    ) -> None:
        self.name = name
        self.label = label or name
        self.fold = fold
        self.new_id = new_id
        self.fields: dict[str, Field] = {}
        self.all: dict[str, Row] = {}
        self._names: dict[str, Field] = {}
        self._indexes: dict[str, _Index] = {}
        self._last = 0
        for field in fields:
            self.add_field(field)

    def add_field(self, field: Field) -> None:
        """Give the kind one more field, or describe one anew; rows that exist hold its blank."""
        self.fields[field.name] = field
        self._names[field.name.casefold() if self.fold else field.name] = field
        if field.unique or field.external_id or field.indexed:
            index: _Index = {}
            self._indexes[field.name] = index
            for row in self.all.values():
                self._enter(field, index, row.values.get(field.name), row.id)

    def drop_field(self, name: str) -> None:
        """Take a field away with all its values; raises KeyError if there is none."""
        field = self._names.pop(name.casefold() if self.fold else name)
        del self.fields[field.name]
        self._indexes.pop(field.name, None)
        for row in self.all.values():
            # What a row held may be kept elsewhere, as what was there before a write.
            row.values = {other: value for other, value in row.values.items() if other != field.name}

    def field(self, name: str) -> Field | None:
        """Find a field by the name that a client wrote."""
        return self._names.get(name.casefold() if self.fold else name)

    @property
    def quick(self) -> Iterable[str]:
        """The names of the fields for which `find` is fast."""
        return self._indexes.keys()

    def get(self, id: str, *, deleted: bool = False) -> Row | None:
        """Give the record with this id; a deleted one only when asked for."""
        row = self.all.get(id)
        return row if row is not None and (deleted or not row.deleted) else None

    def rows(self, *, deleted: bool = False) -> Iterator[Row]:
        """Go through the records in the order of their creation; the deleted ones too when asked for."""
        return (row for row in self.all.values() if deleted or not row.deleted)

    def find(self, name: str, value: Any, *, deleted: bool = False) -> list[Row]:
        """Give the records that hold this value; fast for unique, external id and indexed fields."""
        return self.find_key(name, self.fields[name].key(value), deleted=deleted)

    def find_key(self, name: str, key: Any, *, deleted: bool = False) -> list[Row]:
        """Give the records whose value has this key, as `find` does."""
        index = self._indexes.get(name)
        if index is None:
            key_of = self.fields[name].key
            return [row for row in self.rows(deleted=deleted) if key_of(row.values.get(name)) == key]
        ids = index.get(key)
        if ids is None:
            return []
        if isinstance(ids, str):
            row = self.all[ids]
            return [row] if deleted or not row.deleted else []
        return [row for id in ids if not (row := self.all[id]).deleted or deleted]

    def fresh_id(self) -> str:
        """Take the next id that no record has."""
        while True:
            self._last += 1
            id = self.new_id(self._last)
            if id not in self.all:
                return id

    def insert(self, values: Mapping[str, Any], *, at: datetime, by: str = "", id: str | None = None) -> Row:
        """Store a new record; raises ValueError when the given id is taken."""
        if id is None:
            id = self.fresh_id()
        elif id in self.all:
            raise ValueError(f"{self.name} {id} exists already")
        return self.take(id, dict(values), at=at, by=by)

    def take(self, id: str, values: dict[str, Any], *, at: datetime, by: str = "") -> Row:
        """Store a new record that holds this very dict, under an id that no other has."""
        row = self.all[id] = Row(id, values, at, at, by, by)
        for name, index in self._indexes.items():
            if (value := values.get(name)) is not None:
                self._enter(self.fields[name], index, value, id)
        return row

    def update(self, row: Row, values: Mapping[str, Any], *, at: datetime, by: str = "") -> dict[str, Any]:
        """Overwrite some values and give those that they replaced."""
        before = {name: row.values.get(name) for name in values}
        self.replace(row, {**row.values, **values}, at=at, by=by)
        return before

    def replace(
        self, row: Row, values: dict[str, Any], *, at: datetime, by: str = "", touched: Iterable[str] | None = None
    ) -> dict[str, Any]:
        """Let the record hold this dict instead of its own, and give the old one, which is as it was and stays so.

        Whoever knows which of the `quick` fields the values can differ in may name them, and spares the rest a look.
        """
        held, row.values = row.values, values
        for name in self._indexes if touched is None else touched:
            old, new = held.get(name), values.get(name)
            if old is not new and old != new:
                index = self._indexes[name]
                self._leave(self.fields[name], index, old, row.id)
                self._enter(self.fields[name], index, new, row.id)
        row.modified = at
        row.modified_by = by
        row.version += 1
        return held

    def delete(self, row: Row, *, at: datetime, by: str = "") -> None:
        """Put a record into the bin."""
        row.deleted = True
        self._stamp(row, at, by)

    def restore(self, row: Row, *, at: datetime, by: str = "") -> None:
        """Take a record out of the bin."""
        row.deleted = False
        self._stamp(row, at, by)

    def purge(self, row: Row) -> None:
        """Forget a record for good."""
        for name, index in self._indexes.items():
            self._leave(self.fields[name], index, row.values.get(name), row.id)
        del self.all[row.id]

    @staticmethod
    def _stamp(row: Row, at: datetime, by: str) -> None:
        row.modified = at
        row.modified_by = by
        row.version += 1

    @staticmethod
    def _enter(field: Field, index: _Index, value: Any, id: str) -> None:
        if value is None:
            return
        key = field.key(value)
        held = index.setdefault(key, id)
        if isinstance(held, dict):
            held[id] = None
        elif held != id:
            index[key] = {held: None, id: None}

    @staticmethod
    def _leave(field: Field, index: _Index, value: Any, id: str) -> None:
        if value is None:
            return
        key = field.key(value)
        held = index.get(key)
        if isinstance(held, dict):
            held.pop(id, None)
        elif held == id:
            del index[key]
