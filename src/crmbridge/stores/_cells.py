"""Cells to JSON and back, exactly: what was stored is equal to what is read.

Text, flags, null and numbers that JSON can carry are written plainly, sets as lists; everything else is an object with
one name that says what it is: `{"decimal": "1.10"}`, `{"instant": ["2026-01-02T03:04:05+09:00"]}`, `{"missing": null}`.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from types import MappingProxyType, NoneType
from typing import Any, Final, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..errors import UsageError
from ..model import MISSING, Cell, Missing, RecordRef
from ..model.sealed import Sealed

Json = Any
"""A value that JSON can carry."""

PLAIN: Final = frozenset({str, bool, NoneType})

_TAGGED: Final = frozenset({dict, list})

PLAIN_BITS: Final = 63
"""Larger integers are written in hexadecimal: Python refuses to read decimal numbers of more than 4,300 digits."""


class Unreadable(ValueError):
    """What was stored is not in a form of ours."""


def to_json(cell: Cell | Missing) -> Json:
    """Turn one cell into a value that JSON can carry; raises `UsageError` for what is no cell, a float for instance."""
    if cell is None or isinstance(cell, bool):
        return cell
    if isinstance(cell, str):
        return str.__str__(cell)
    if isinstance(cell, int):
        return int(cell) if cell.bit_length() <= PLAIN_BITS else {"int": hex(cell)}
    if isinstance(cell, tuple):
        return [_member(member) for member in cell]
    return _tagged(cell)


def _member(cell: object) -> Json:
    if not isinstance(cell, str | RecordRef):
        raise _no_cell(cell)
    return to_json(cell)


def _tagged(cell: object) -> Json:
    if isinstance(cell, Decimal):
        return {"decimal": str(cell)}
    if isinstance(cell, dt.datetime):
        return {"instant": _instant(cell)}
    if isinstance(cell, dt.date):
        return {"date": cell.isoformat()}
    if isinstance(cell, RecordRef):
        return {"ref": [cell.system, cell.kind, cell.id]}
    if isinstance(cell, Missing):
        return {"missing": None}
    if isinstance(cell, Sealed):
        return {"sealed": cell.text}
    raise _no_cell(cell)


def _no_cell(value: object) -> UsageError:
    return UsageError(f"a value of type {type(value).__name__} is no cell; numbers with a fraction are Decimal")


def _instant(at: dt.datetime) -> list[str | int]:
    # By name, since Python takes instants of a repeated hour in two different zones as never equal.
    zone = at.tzinfo.key if isinstance(at.tzinfo, ZoneInfo) else None
    return [at.isoformat(), zone, at.fold] if zone else [at.isoformat()]


def from_json(value: Json) -> Cell | Missing:
    """Turn it back; raises `Unreadable` for what is not in our form."""
    if _is(list, value):
        return cast("tuple[str, ...]", tuple(from_json(member) for member in value))
    if not _is(dict, value):
        return cast("Cell", value)
    try:
        [(tag, told)] = value.items()
        return _TAGS[tag](told)
    except (KeyError, TypeError, ValueError, InvalidOperation) as error:
        raise Unreadable("a stored value is not in our form") from error


def _is(form: type, value: Json) -> bool:
    return isinstance(value, form)


def _read_instant(told: list[Any]) -> dt.datetime:
    text, *named = told
    at = dt.datetime.fromisoformat(text)
    if not named:
        return at
    zone, fold = named
    try:
        return at.replace(tzinfo=ZoneInfo(zone), fold=fold)
    except ZoneInfoNotFoundError:
        return at


_TAGS: Mapping[str, Callable[[Any], Cell | Missing]] = MappingProxyType(
    {
        "int": lambda told: int(told, 16),
        "decimal": Decimal,
        "instant": _read_instant,
        "date": dt.date.fromisoformat,
        "ref": lambda told: RecordRef(*told),
        "missing": lambda _: MISSING,
        "sealed": lambda told: cast("Cell", Sealed(told)),
    }
)

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
_ascii = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), check_circular=False).encode
_read = json.JSONDecoder().raw_decode


def text_of(value: Json) -> str:
    """Write JSON that every database can hold: lone surrogates, which UTF-8 cannot carry, are escaped."""
    text = _compact(value)
    return text if storable(text) else _ascii(value)


def value_of(text: str) -> Json:
    """Read JSON; raises `Unreadable`."""
    try:
        value, end = _read(text)
    except (ValueError, RecursionError):
        # Without its cause, which quotes the text.
        raise Unreadable("a stored text is not JSON") from None
    if end != len(text):
        raise Unreadable("a stored text is not JSON")
    return value


def storable(text: str) -> bool:
    """Say whether UTF-8 can carry a text."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def dumps(cells: Iterable[Cell | Missing]) -> str:
    """Write cells in their order as one JSON list."""
    row = tuple(cells)
    return text_of(row if PLAIN.issuperset(map(type, row)) else [to_json(cell) for cell in row])


def loads(text: str) -> tuple[Cell | Missing, ...]:
    """Read what `dumps` wrote."""
    row = value_of(text)
    if not _is(list, row):
        raise Unreadable("stored cells are no list")
    if "{" not in text and "[" not in text[1:]:
        return tuple(row)
    return cells_of(row)


def cells_of(row: Sequence[Json]) -> tuple[Cell | Missing, ...]:
    """Turn them back; raises `Unreadable` for what is not in our form."""
    return tuple(from_json(cell) if type(cell) in _TAGGED else cell for cell in row)
