"""Records on the wire, and back: cells, rows, and versions that never call two states by one name.

Two habits of the vendor meet here. Stamps have whole seconds, so that two changes in one second look alike; and a read
may show a record as it was up to a minute ago. So a row has a version only when the server's clock shows that the
second of its stamp was over before the oldest state that the cache can show. Until then it is read again at each poll.

For the same reason a row's stamp is the beginning of its second while that second may hide a change, and the end of it
afterwards; a write's stamp is always the end. A read that may have missed our own write is thereby older than it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from ...errors import ContractBroken
from ...kit import instant, is_array, table
from ...model import MISSING, Cell, Deleted, Departure, FieldSpec, FieldType, Missing, RecordRef, Rows, Values
from ._kinds import CACHE, GRAIN, Kind, read_as

_ID = re.compile(r"[1-9][0-9]{0,17}")
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")


def is_id(text: str) -> bool:
    """Say whether a text is a record's id as this connector writes it: a whole number without leading zeros."""
    return _ID.fullmatch(text) is not None


# -- reading -------------------------------------------------------------------------


@attrs.frozen
class Item:
    """One record of an answer, as far as every kind needs it."""

    id: str
    stamp: dt.datetime | None
    deleted: bool
    body: Mapping[str, Any] = attrs.field(repr=False)


def item_of(system: str, body: object) -> Item:
    """Take one record out of an answer; raises ContractBroken where it has no id, or a stamp that is no instant."""
    record = table(system, body, "a record")
    id_text = str(record.get("id"))
    if not is_id(id_text):
        raise ContractBroken(system, "a record has no id")
    try:
        said = record.get("updatedAt")
        stamp = None if said is None else instant(str(said))
    except ValueError:
        raise ContractBroken(system, "updatedAt is no instant") from None
    return Item(id_text, stamp, record.get("isDeleted") is True, record)


def rows_of(
    system: str, kind: Kind, fields: Sequence[str], items: Sequence[Item], now: dt.datetime, *, gone: bool = False
) -> Rows:
    """Put records into columns, each once and in its last state; deleted ones only where *gone*.

    *now* is the server's clock at the time of the answer.
    """
    last = {item.id: item for item in items}
    kept = [item for item in last.values() if gone or not item.deleted]
    readers = [_reader(system, kind, name) for name in fields]
    final = now - CACHE - GRAIN
    stamped = "updatedAt" in kind.fields
    return Rows(
        system,
        kind.name,
        tuple(fields),
        ids=tuple(item.id for item in kept),
        cells=tuple(tuple(read(item.body) for read in readers) for item in kept),
        versions=tuple(_version(item, final) for item in kept) if stamped else (),
        stamps=tuple(_stamp(item, final) for item in kept) if stamped else (),
        authors=tuple(_author(item) for item in kept) if "updatedById" in kind.fields else (),
    )


def departures_of(system: str, kind: Kind, items: Sequence[Item]) -> tuple[Departure, ...]:
    """Tell which records of an answer are in the recycle bin."""
    last = {item.id: item for item in items}
    return tuple(Deleted(RecordRef(system, kind.name, item.id)) for item in last.values() if item.deleted)


def _version(item: Item, final: dt.datetime) -> str | None:
    return str(item.body["updatedAt"]) if item.stamp is not None and item.stamp <= final else None


def _stamp(item: Item, final: dt.datetime) -> dt.datetime | None:
    return item.stamp if item.stamp is None or item.stamp > final else end_of_second(item.stamp)


def end_of_second(stamp: dt.datetime) -> dt.datetime:
    """Give the last instant that a stamp of whole seconds may stand for."""
    return stamp.replace(microsecond=999_999)


def _author(item: Item) -> str | None:
    author = item.body.get("updatedById")
    return None if author is None else str(author)


def _reader(system: str, kind: Kind, name: str) -> Callable[[Mapping[str, Any]], Cell | Missing]:
    spec = kind.fields.get(name) or FieldSpec(name)
    steps = read_as(name).split(".")

    def nested(body: Mapping[str, Any]) -> Cell | Missing:
        value: object = body
        for step in steps:
            if value is None:
                return None
            inner = table(system, value, name)
            if step not in inner:
                return MISSING
            value = inner[step]
        return cell_of(system, spec, value)

    def plain(body: Mapping[str, Any]) -> Cell | Missing:
        return cell_of(system, spec, body[steps[0]]) if steps[0] in body else MISSING

    return plain if len(steps) == 1 else nested


def cell_of(system: str, spec: FieldSpec, value: object) -> Cell:
    """Turn a JSON value into a cell of its field's type.

    A value that does not fit its type stays what it is in JSON, so that it is one record's trouble and not its page's.
    """
    if value is None:
        return None
    if is_array(value):
        return tuple(str(_simple(system, spec, one)) for one in value)
    simple = _simple(system, spec, value)
    if isinstance(simple, str):
        return _from_text(system, spec, simple)
    if spec.type is FieldType.REFERENCE and is_id(str(simple)):
        return RecordRef(system, spec.refers_to[0], str(simple))
    # Vendor: some numbers are shown in fields of free text.
    return str(simple) if spec.type is FieldType.TEXT and not isinstance(simple, bool) else simple


def _simple(system: str, spec: FieldSpec, value: object) -> str | int | Decimal:
    if not isinstance(value, str | int | Decimal):
        raise ContractBroken(system, f"{spec.name} is {type(value).__name__}, not a value")
    return value


def _from_text(system: str, spec: FieldSpec, text: str) -> Cell:
    match spec.type:
        case FieldType.INSTANT:
            return _or_text(instant, text)
        case FieldType.DATE:
            return _or_text(dt.date.fromisoformat, text)
        case FieldType.NUMBER if _NUMBER.fullmatch(text):
            return Decimal(text) if "." in text else int(text)
        case FieldType.CHOICES:
            return (text,) if text else ()
        case FieldType.REFERENCE if is_id(text):
            return RecordRef(system, spec.refers_to[0], text)
        case _:
            return text


def _or_text(read: Callable[[str], Cell], text: str) -> Cell:
    try:
        return read(text)
    except ValueError:
        return text


def stored_of(system: str, kind: Kind, fields: Sequence[str], body: Mapping[str, Any]) -> Values | None:
    """Read from a write's answer what is stored now in the fields that were asked for; None where it tells none."""
    read = {name: _reader(system, kind, name)(body) for name in fields}
    told: dict[str, Cell] = {name: cell for name, cell in read.items() if not isinstance(cell, Missing)}
    return told or None


# -- writing -------------------------------------------------------------------------


def body_of(kind: Kind, values: Values) -> dict[str, Any]:
    """Turn cells into the members of a JSON body."""
    return {name: _wire(kind.fields.get(name) or FieldSpec(name), cell) for name, cell in values.items()}


def _wire(spec: FieldSpec, cell: Cell) -> Any:
    if cell is None or isinstance(cell, bool):
        return cell
    if isinstance(cell, tuple):
        return [_text(one) for one in cell]
    if spec.type is FieldType.REFERENCE:
        # Vendor: its own ids are JSON numbers.
        text = _text(cell)
        return int(text) if is_id(text) else text
    if spec.type is FieldType.NUMBER and isinstance(cell, int | Decimal):
        return int(cell) if cell == int(cell) else cell
    # Vendor: a number in a field of free text (annualRevenue, employees, yearsInBusiness) is sent as text.
    return _text(cell)


def _text(cell: Cell) -> str:
    match cell:
        case RecordRef(id=record):
            return record
        case dt.datetime():
            return instant_text(cell)
        case dt.date():
            return cell.isoformat()
        case Decimal():
            return format(cell, "f")
        case _:
            return str(cell)


def instant_text(at: dt.datetime) -> str:
    """Write an instant as the vendor does, with an offset and in whole seconds: `2026-11-21T00:15:00+00:00`."""
    return at.astimezone(dt.UTC).isoformat(timespec="seconds")
