"""Values to write, made from what a system says of its fields."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import TypeVar

from ...model import Cell, FieldSpec, FieldType, Schema, Values
from ...preflight import EMAIL_LIMIT, problem
from ._law import NotClaimed

Day = TypeVar("Day", dt.date, dt.datetime)

_DAY = dt.date(2024, 1, 1)
_REFERENCES = frozenset({FieldType.REFERENCE, FieldType.REFERENCES})
_DOMAIN = "@example.com"
_DOMAINS = (_DOMAIN, "@a.example", "@a.t")
_SPREAD = 500
"""Values below the most that a field takes, where nothing says what the least is."""
_LOCAL_PART = 64
"""Characters before the at sign, at most (RFC 5321, section 4.5.3.1.1)."""


def sampled(schema: Schema, n: int) -> Values:
    """Give the nth sample of a kind: a value for every field that can be written and is no reference.

    Raises `NotClaimed` where no sample fits a field.
    """
    values: dict[str, Cell] = {}
    for name, spec in schema.fields.items():
        if spec.read_only or spec.type in _REFERENCES:
            continue
        values[name] = value_of(spec, n)
        if problem(spec, values[name], creating=True) is not None:
            raise NotClaimed("samples", f"no sample fits {name}: give KindUnderTest(values=...)")
    return values


def value_of(spec: FieldSpec, n: int) -> Cell:
    """Give the nth sample of a field; samples whose numbers are near each other differ where the field allows it."""
    match spec.type:
        case FieldType.EMAIL:
            return _address(spec, n)
        case FieldType.FLAG:
            return n % 2 == 0
        case FieldType.NUMBER:
            return _number(spec, n)
        case FieldType.DATE:
            return _within(spec, _DAY, dt.timedelta(days=1), n % 500)
        case FieldType.INSTANT:
            return _within(spec, dt.datetime.combine(_DAY, dt.time(3), dt.UTC), dt.timedelta(hours=1), n % 5000)
        case FieldType.CHOICE if spec.options:
            return spec.options[n % len(spec.options)]
        case FieldType.CHOICES:
            return (spec.options[n % len(spec.options)],) if spec.options else (f"c{n}",)
        case _:
            return f"Kim {n}"[-min(spec.max_length or 80, spec.max_bytes or 80) :].strip()


def _address(spec: FieldSpec, n: int) -> str:
    """Give the nth address, under the longest domain that leaves room for its number, or for the end of it."""
    most = min(spec.max_length or EMAIL_LIMIT, spec.max_bytes or EMAIL_LIMIT)
    fitting = (address for domain in _DOMAINS if len(address := f"k{n}{domain}") <= most)
    shortest = _DOMAINS[-1]
    return next(fitting, f"{n}"[-max(1, most - len(shortest)) :] + shortest)


def _number(spec: FieldSpec, n: int) -> Cell:
    """Give the nth whole number within the bounds of a field; where there is none, a bound itself."""
    widest = 10 ** min(9 if spec.digits is None else spec.digits, 9) - 1
    least, most = (one if isinstance(one, int | Decimal) else None for one in (spec.least, spec.most))
    high = widest if most is None else min(widest, math.floor(most))
    low = max(-widest, min(0, high - _SPREAD)) if least is None and high < 0 else math.ceil(least or 0)
    return low + n % (high - low + 1) if low <= high else spec.least or spec.most


def _within(spec: FieldSpec, first: Day, step: dt.timedelta, steps: int) -> Day:
    """Give a day or an instant so many steps after the first one, or as many as the bounds of a field allow."""
    least, most = (_bound(one, type(first)) for one in (spec.least, spec.most))
    start = first if least is None else max(first, least)
    if most is None:
        return start + step * steps
    if start > most:
        start = most - step * _SPREAD if least is None else least
    return start + step * (steps % ((most - start) // step + 1))


def _bound(bound: Cell, sort: type[Day]) -> Day | None:
    """Give a bound that can be compared with a day or an instant; one of another type bounds nothing."""
    return bound if isinstance(bound, sort) and type(bound) is sort else None


def long_address(spec: FieldSpec, n: int) -> str:
    """Give the nth e-mail address that is as long as its field and its own rules allow."""
    longest = _LOCAL_PART + len(_DOMAIN)
    return f"{n}{_DOMAIN}".rjust(min(spec.max_length or longest, longest), "k")


HOSTILE: Mapping[str, str] = {
    "an apostrophe": "O'Brien",
    "a quotation mark": 'Kim "Max" Lee',
    "a backslash": "C:\\new\\table",
    "a formula": "=HYPERLINK(1)",
    "markup": "<b>&amp;</b>",
    "a percent sign and an underscore": "100%_of",
    "a query": "x' OR Name != '",
    "kana of half width": "ﾔﾏﾀﾞ ﾀﾛｳ",
    "kana of full width": "ヤマダ　タロウ",
    "letters of full width": "Ａｃｍｅ　１２３",
    "kanji outside the basic plane": "𠮷野家",
    "an emoji of several signs": "👩‍👩‍👧 祝",
    "a combining sign": "か\u3099っこ",
    "writing from right to left": "שלום\u202eabc",
    "a tab": "a\tb",
    "a line break": "first\nsecond",
    "a line break of two signs": "first\r\nsecond",
    "white space around it": "  Kim  ",
    "several spaces inside": "Kim  Max   Lee",
    "a null byte": "a\x00b",
    "half of a surrogate pair": "a\ud800b",
    "digits that are no number": "00123",
    "a word for nothing": "null",
}
"""Texts that systems trip over, by what is hard about them; all of them are made up."""
