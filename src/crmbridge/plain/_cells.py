"""Values of files, databases and programs as cells, the sort of field they make, and a row's version."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid  # noqa: TID251 - the type of a column; none is made here
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import cast

from ..model import Cell, FieldSpec, FieldType, RecordRef, Schema


class NoCell(ValueError):
    """A value cannot be a cell; the message says what it is and never what it holds, *found* names it for a reason."""

    def __init__(self, said: str, found: str) -> None:
        super().__init__(said)
        self.found = found


def cell(value: object, zone: dt.tzinfo | None = None) -> Cell:
    """Turn a value into a cell; an instant without a zone is in *zone*. Raises `NoCell`."""
    match value:
        case None | bool() | int() | RecordRef():
            return value
        case str():
            return _text(value)
        case float():
            return _number(Decimal(repr(value)))
        case Decimal():
            return _number(value)
        case dt.datetime():
            return _instant(value, zone)
        case dt.date():
            return value
        case dt.time():
            return value.isoformat()
        case uuid.UUID():
            return str(value)
        case list() | tuple() | set() | frozenset():
            return _several(cast("Iterable[object]", value))
        case _:
            raise NoCell(f"holds a {type(value).__name__}, which is no value of a field", type(value).__name__)


def _text(value: str) -> str:
    if "\0" in value:
        raise NoCell("holds a NUL", "NUL")
    if not value.isascii() and any("\ud800" <= sign <= "\udfff" for sign in value):
        raise NoCell("holds half of a character (a lone surrogate)", "lone surrogate")
    return value


def _number(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise NoCell("holds a number that is not finite", "not finite")
    return value


def _instant(value: dt.datetime, zone: dt.tzinfo | None) -> dt.datetime:
    if value.tzinfo is None and zone is None:
        raise NoCell("holds an instant without a zone", "no zone")
    return value if value.tzinfo is not None else value.replace(tzinfo=zone)


def _several(values: Iterable[object]) -> Cell:
    # A set has no order of its own, and a row must look the same each time it is read.
    members = sorted(values, key=str) if isinstance(values, set | frozenset) else list(values)
    if all(isinstance(member, RecordRef) for member in members):
        return tuple(cast("list[RecordRef]", members))
    if all(isinstance(member, str) for member in members):
        return tuple(_text(member) for member in cast("list[str]", members))
    raise NoCell("holds a list of something else than texts", "list")


def version_of(values: Mapping[str, object]) -> str:
    """Tell a row's version: a hash of its names and values, the same for the same row in any order of names."""
    told = repr(sorted(values.items(), key=lambda item: item[0]))
    return hashlib.blake2b(told.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


class Types:
    """The sort of each field, learned from the values that were seen; a field with values of two sorts is text."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._seen: dict[str, FieldType | None] = dict.fromkeys(names)

    def learn(self, values: Mapping[str, Cell]) -> None:
        """Take note of one row."""
        for name, value in values.items():
            sort, known = _sort(value), self._seen.get(name)
            if sort is None or known is None:
                self._seen[name] = known or sort
            elif sort is not known:
                self._seen[name] = FieldType.TEXT

    def schema(self, kind: str) -> Schema:
        """Describe the kind; nothing of it can be written."""
        return Schema(
            kind, {name: FieldSpec(name, sort or FieldType.TEXT, read_only=True) for name, sort in self._seen.items()}
        )


def _sort(value: Cell) -> FieldType | None:
    match value:
        case None | ():
            return None
        case bool():
            return FieldType.FLAG
        case int() | Decimal():
            return FieldType.NUMBER
        case dt.datetime():
            return FieldType.INSTANT
        case dt.date():
            return FieldType.DATE
        case RecordRef():
            return FieldType.REFERENCE
        case (RecordRef(), *_):
            return FieldType.REFERENCES
        case tuple():
            return FieldType.CHOICES
        case _:
            return FieldType.TEXT
