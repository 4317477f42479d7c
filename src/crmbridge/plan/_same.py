"""`same`: could one value be the stored form of the other?

Used at first contact, where both sides changed, and to tell our own write when it is read back. Never to suppress a
change on one side: a person who corrects only the case of a name expects it to cross.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from ..model import Cell, FieldSpec, FieldType, Missing, Normalisation, is_blank

Canonical = Callable[[Cell], object]


def _number(value: Cell, scale: int | None) -> object:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return value
    try:
        number = Decimal(value.strip() if isinstance(value, str) else value)
        if not number.is_finite():
            return value
        return number if scale is None else round(number, scale)
    except (InvalidOperation, ValueError):
        return value


def _text(value: str, how: frozenset[Normalisation], length: int | None) -> str:
    if Normalisation.WIDTH in how:
        value = unicodedata.normalize("NFKC", value)
    if Normalisation.DIGITS in how:
        value = "".join(char for char in value if char.isdigit())
    if Normalisation.TRIM in how:
        value = value.strip()
    if Normalisation.LENGTH in how and length is not None:
        value = value[:length].rstrip() if Normalisation.TRIM in how else value[:length]
    return value.casefold() if Normalisation.CASE in how else value


def canonical(*specs: FieldSpec | None) -> Canonical:
    """Give the function that puts a value into the form that all of these fields would store."""
    known = [spec for spec in specs if spec is not None]
    how = frozenset[Normalisation]().union(*(spec.normalises for spec in known))
    lengths = [spec.max_length for spec in known if Normalisation.LENGTH in spec.normalises and spec.max_length]
    length = min(lengths, default=None)
    scales = [spec.scale for spec in known if Normalisation.SCALE in spec.normalises and spec.scale is not None]
    scale = min(scales, default=None)
    numeric = any(spec.type is FieldType.NUMBER for spec in known)

    def form(value: Cell) -> object:
        if is_blank(value):
            return None
        if numeric:
            return _number(value, scale)
        if isinstance(value, str):
            return _text(value, how, length)
        if isinstance(value, tuple):
            elements = [_text(e, how, length) if isinstance(e, str) else e for e in value]
            return tuple(sorted(elements, key=str)) if Normalisation.ORDER in how else tuple(elements)
        if isinstance(value, dt.datetime) and value.tzinfo is not None:
            instant = value.astimezone(dt.UTC)
            return instant.replace(microsecond=0) if Normalisation.SCALE in how else instant
        return value

    return form


def differs(one: Cell | Missing, two: Cell | Missing) -> bool:
    """Say whether two values of one side are different; two blanks are not."""
    if one == two:
        return False
    return not (is_blank(one) and is_blank(two))
