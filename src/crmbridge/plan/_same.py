"""`same`: could one value be the stored form of the other?

Used at first contact, where both sides changed, and to tell our own write when it is read back. Never to suppress a
change on one side: a person who corrects only the case of a name expects it to cross.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Final

from ..model import Cell, FieldSpec, FieldType, Missing, Normalisation, RecordRef, is_blank

Canonical = Callable[[Cell], object]
Alike = Callable[[Cell, Cell], bool]

_TIES: Final = (ROUND_HALF_UP, ROUND_HALF_DOWN)
"""Away from zero and towards it: whatever rule a system has for halves, each single one goes one of these ways."""


def _number(value: Cell, scale: int | None, ties: str) -> object:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return value
    try:
        number = Decimal(value.strip() if isinstance(value, str) else value)
        if not number.is_finite():
            return value
        return number if scale is None else _rounded(number, scale, ties)
    except (InvalidOperation, ValueError):
        return value


def _rounded(number: Decimal, scale: int, ties: str) -> Decimal:
    _, digits, exponent = number.as_tuple()
    if isinstance(exponent, str) or exponent >= -scale:
        return number
    # The usual context would give up on more than 28 digits.
    return number.quantize(Decimal((0, (1,), -scale)), ties, Context(prec=len(digits) + 1))


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


def alike(*specs: FieldSpec | None) -> Alike:
    """Give the function that says whether two values could be one, in stored forms of these fields.

    Which way a system rounds a half is declared nowhere, so that 0.125 is the same as both 0.12 and 0.13, and these two
    are not: this is a relation of two values, and no form of one. A reference is the same as its id in a text.
    """
    known = [spec for spec in specs if spec is not None]
    if any(spec.type is FieldType.NUMBER for spec in known) and _scale(known) is not None:
        forms = tuple(canonical(*known, ties=ties) for ties in _TIES)
    else:
        forms = (canonical(*known),)
    check = max((spec.id_check for spec in known), default=0)

    def same(one: Cell, two: Cell) -> bool:
        if _points(one) != _points(two):
            one, two = _ids(one), _ids(two)
        if check and isinstance(one, str) and isinstance(two, str):
            one, two = _unchecked(one, two, check)
        return any(form(one) == form(two) for form in forms)

    return same


def _unchecked(one: str, two: str, check: int) -> tuple[str, str]:
    """Take the check from an id where the other one was given without it."""
    short, long = sorted((one.strip(), two.strip()), key=len)
    return short, long[:-check] if short and len(long) == len(short) + check else long


def _points(value: Cell) -> bool:
    return isinstance(value, RecordRef) or (
        isinstance(value, tuple) and any(isinstance(one, RecordRef) for one in value)
    )


def _ids(value: Cell) -> Cell:
    if isinstance(value, tuple):
        return tuple(one.id if isinstance(one, RecordRef) else one for one in value)
    return value.id if isinstance(value, RecordRef) else value


def canonical(*specs: FieldSpec | None, ties: str = ROUND_HALF_UP) -> Canonical:
    """Give the function that puts a value into the form that all of these fields would store.

    *ties*: how halves are rounded, by the names of `decimal`. Where it is not known, ask `alike`.
    """
    known = [spec for spec in specs if spec is not None]
    how = frozenset[Normalisation]().union(*(spec.normalises for spec in known))
    lengths = [spec.max_length for spec in known if Normalisation.LENGTH in spec.normalises and spec.max_length]
    length = min(lengths, default=None)
    scale = _scale(known)
    numeric = any(spec.type is FieldType.NUMBER for spec in known)

    def form(value: Cell) -> object:
        if is_blank(value):
            return None
        if numeric:
            return _number(value, scale, ties)
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


def _scale(specs: Sequence[FieldSpec]) -> int | None:
    scales = (spec.scale for spec in specs if Normalisation.SCALE in spec.normalises and spec.scale is not None)
    return min(scales, default=None)


def differs(one: Cell | Missing, two: Cell | Missing) -> bool:
    """Say whether two values of one side are different; two blanks are not."""
    if one == two:
        return False
    return not (is_blank(one) and is_blank(two))
