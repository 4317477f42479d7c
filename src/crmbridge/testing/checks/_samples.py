"""Values to write, made from what a system says of its fields."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from ...model import Cell, FieldSpec, FieldType, Schema, Values

_DAY = dt.date(2024, 1, 1)
_DOMAIN = "@example.com"
_LOCAL_PART = 64
"""Characters before the at sign, at most (RFC 5321, section 4.5.3.1.1)."""


def sampled(schema: Schema, n: int) -> Values:
    """Give the nth sample of a kind: a value for every field that can be written and is no reference."""
    values: dict[str, Cell] = {}
    for name, spec in schema.fields.items():
        if not spec.read_only and spec.type not in {FieldType.REFERENCE, FieldType.REFERENCES}:
            values[name] = value_of(spec, n)
    return values


def value_of(spec: FieldSpec, n: int) -> Cell:
    """Give the nth sample of a field; samples whose numbers are near each other differ where the field allows it."""
    match spec.type:
        case FieldType.EMAIL:
            return f"k{n}@example.com"
        case FieldType.FLAG:
            return n % 2 == 0
        case FieldType.NUMBER:
            return n % int(10.0 ** min(spec.digits or 9, 9))
        case FieldType.DATE:
            return _DAY + dt.timedelta(days=n % 500)
        case FieldType.INSTANT:
            return dt.datetime.combine(_DAY, dt.time(3), dt.UTC) + dt.timedelta(hours=n % 5000)
        case FieldType.CHOICE if spec.options:
            return spec.options[n % len(spec.options)]
        case FieldType.CHOICES:
            return (spec.options[n % len(spec.options)],) if spec.options else (f"c{n}",)
        case _:
            return f"Kim {n}"[-(spec.max_length or 80) :]


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
