"""Values on the wire: a JSON value becomes a cell, and a cell a JSON value."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from decimal import Decimal
from types import NoneType
from typing import Any

from ...kit import instant, utc_text
from ...model import Cell, RecordRef, Values
from ...reasons import Code
from ._ids import kind_of, long_id

_MOST_DIGITS = 40
_FARTHEST = 330
"""Digits before or behind the point in what is read: a formula may give any double, and none has more."""
_PLAIN = frozenset({str, bool, int, NoneType})
"""Types of cells that are JSON values as they are."""


class Unsendable(Exception):
    """A value has no form on the wire."""

    def __init__(self, code: Code, field: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.field = field


# -- in: each raises ValueError for a JSON value of another type ----------------------------


def read_text(value: object) -> Cell:
    """Take a text or null."""
    if value is None or isinstance(value, str):
        return value
    raise ValueError("not a text")


def read_flag(value: object) -> Cell:
    """Take a truth value or null."""
    if value is None or isinstance(value, bool):
        return value
    raise ValueError("not a truth value")


def read_number(value: object) -> Cell:
    """Take a number or null; one with a fraction becomes the Decimal that its digits say."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        value = Decimal(repr(value))
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) <= _FARTHEST:
        return int(value) if value == value.to_integral_value() else value
    raise ValueError("not a number")


def read_date(value: object) -> Cell:
    """Take a calendar day or null."""
    text = read_text(value)
    return dt.date.fromisoformat(text) if isinstance(text, str) else None


def read_instant(value: object) -> Cell:
    """Take an instant or null."""
    text = read_text(value)
    return instant(text) if isinstance(text, str) else None


def read_choices(value: object) -> Cell:
    """Take the set of a multi-select picklist or null."""
    text = read_text(value)
    return tuple(text.split(";")) if isinstance(text, str) else None


def read_reference(value: object, system: str, targets: tuple[str, ...]) -> Cell:
    """Take a record id or null."""
    text = read_text(value)
    if not isinstance(text, str):
        return None
    id = long_id(text)
    if not id:
        raise ValueError("not an id")
    return RecordRef(system, kind_of(id, targets), id)


# -- out ------------------------------------------------------------------------------------


def written(values: Values) -> Mapping[str, Any]:
    """Put values into the form of a request; raises Unsendable that names the field."""
    if _PLAIN.issuperset(map(type, values.values())):
        return values
    sent, name = dict[str, Any](), ""
    try:
        for name, value in values.items():
            sent[name] = _written(value)
    except Unsendable as error:
        raise Unsendable(error.code, name) from None
    return sent


def _written(value: Cell) -> Any:
    match value:
        case Decimal():
            return _number(value)
        case dt.datetime():
            if value.tzinfo is None:
                raise Unsendable(Code.WRONG_TYPE)
            return utc_text(value)
        case dt.date():
            return value.isoformat()
        case RecordRef():
            return value.id
        case tuple():
            return ";".join(_choice(element) for element in value) or None
        case _:
            return value


def _choice(element: str | RecordRef) -> str:
    # Vendor: a semicolon joins the elements of a multi-select picklist, so that none can contain one.
    if not isinstance(element, str) or ";" in element:
        raise Unsendable(Code.WRONG_TYPE)
    return element


def _number(value: Decimal) -> int | float:
    if not value.is_finite():
        raise Unsendable(Code.NOT_A_NUMBER)
    if abs(value.adjusted()) > _MOST_DIGITS:
        raise Unsendable(Code.TOO_MANY_DIGITS)
    if value == value.to_integral_value():
        return int(value)
    # JSON is written from the shortest text of a float: it must be this number, digit for digit.
    if Decimal(repr(float(value))) != value:
        raise Unsendable(Code.TOO_MANY_DIGITS)
    return float(value)
