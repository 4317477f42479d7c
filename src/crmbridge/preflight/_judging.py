"""Whether a value will be taken, judged before anything is sent.

A value is held against the field as its system describes it. E-mail addresses have three known rules, since systems
differ and one vendor contradicts itself:

* `guide`: a dot directly before or directly after the `@` is refused (what a guide to Account Engagement says of
  Salesforce).
* `vendor-2026`: a dot may end the part before the `@` but not begin it (Salesforce's help page of 2026).
* `account-engagement`: dots may stand anywhere.

Under any other rule, as under each of these, what every system refuses is refused.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from ..model import Cell, FieldSpec, FieldType, Normalisation, RecordRef, is_blank
from ..reasons import Code, Reason, because

EMAIL_LIMIT: Final = 254
"""Characters of an e-mail address, at most, whatever the field would hold (RFC 5321)."""

_NUMERIC: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")

_SPACE: Final = re.compile(r"\s")

_TRIM: Final = Normalisation.TRIM

_NO_CELLS: Final = {float: "float", list: "list", Mapping: "mapping", bytes: "bytes"}

_SEVERAL: Final = frozenset({FieldType.CHOICES, FieldType.REFERENCES})


def problem(spec: FieldSpec, value: Cell, *, creating: bool) -> Reason | None:
    """Say why a field would not hold a value, or None where it would.

    A blank is a problem where the field is required, and otherwise none. Text that the system would cut is a problem;
    decimals that it rounds are none where it declares so. The reason names the field and its limits, never the value.
    """
    if spec.read_only or (spec.create_only and not creating):
        return because(Code.NOT_WRITABLE, field=spec.name)
    if is_blank(value):
        return because(Code.REQUIRED, field=spec.name) if spec.required else None
    if isinstance(value, str):
        value = value.strip() if _TRIM in spec.normalises else value
    elif isinstance(value, tuple) and len(value) > 1 and spec.type not in _SEVERAL:
        return because(Code.SEVERAL_VALUES, field=spec.name, length=len(value))
    return _JUDGES[spec.type](spec, value)


def email_problem(address: str, rule: str = "") -> str | None:
    """Name what is wrong with the syntax of an e-mail address, or None; the name is the `shape` of a reason."""
    local, at, domain = address.rpartition("@")
    found = {
        "white_space": _SPACE.search(address) is not None,
        "no_at": not at,
        "no_local_part": not local,
        "no_domain": not domain,
        "several_at": "@" in local and not (local.startswith('"') and local.endswith('"')),
        "no_dot_in_domain": "." not in domain,
        "dot_before_at": rule == "guide" and local.endswith("."),
        "dot_after_at": rule == "guide" and domain.startswith("."),
        "dot_at_start": rule == "vendor-2026" and local.startswith("."),
    }
    return next((shape for shape, wrong in found.items() if wrong), None)


# -- one judge for each type of field; a blank never reaches them -----------------------


def _text(spec: FieldSpec, value: Cell) -> Reason | None:
    if not isinstance(value, str):
        return _wrong(spec, value)
    try:
        value.encode()
    except UnicodeEncodeError:
        # Half of a surrogate pair comes out of JSON unharmed and can be neither stored nor sent.
        return because(Code.WRONG_TYPE, field=spec.name, expected=spec.type.value, shape="broken_text")
    return _unheld(spec, value) or _length(spec, value, spec.max_length) or _bytes(spec, value)


def _unheld(spec: FieldSpec, text: str) -> Reason | None:
    """Tell which sign the system's encoding lacks, by its place: the sign itself may be a part of a name."""
    if spec.encoding == "utf-8":
        return None
    try:
        text.encode(spec.encoding)
    except UnicodeEncodeError as error:
        return because(Code.UNHELD_SIGN, field=spec.name, encoding=spec.encoding, position=error.start + 1)
    return None


def _length(spec: FieldSpec, text: str, limit: int | None) -> Reason | None:
    if limit is None or len(text) <= limit:
        return None
    return because(Code.TOO_LONG, field=spec.name, length=len(text), limit=limit)


def _bytes(spec: FieldSpec, text: str) -> Reason | None:
    limit = spec.max_bytes
    if limit is None or (length := len(text.encode(spec.encoding))) <= limit:
        return None
    return because(Code.TOO_MANY_BYTES, field=spec.name, length=length, limit=limit)


def _email(spec: FieldSpec, value: Cell) -> Reason | None:
    found = _text(spec, value)
    if found is not None or not isinstance(value, str):
        return found
    shape = email_problem(value, spec.email_rule)
    return because(Code.NOT_AN_EMAIL, field=spec.name, shape=shape) if shape else _length(spec, value, EMAIL_LIMIT)


def _number(spec: FieldSpec, value: Cell) -> Reason | None:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, str)):
        return _wrong(spec, value)
    if isinstance(value, str) and not _NUMERIC.fullmatch(value):
        return because(Code.NOT_A_NUMBER, field=spec.name)
    number = Decimal(value)
    if not number.is_finite():
        return because(Code.NOT_A_NUMBER, field=spec.name)
    before, after = _places(number)
    if spec.digits is not None and before > spec.digits:
        return because(Code.TOO_MANY_DIGITS, field=spec.name, shape="before_point", length=before, limit=spec.digits)
    if spec.scale is not None and after > spec.scale and Normalisation.SCALE not in spec.normalises:
        return because(Code.TOO_MANY_DIGITS, field=spec.name, shape="after_point", length=after, limit=spec.scale)
    return _range(spec, number)


def _range(spec: FieldSpec, value: Decimal | dt.date) -> Reason | None:
    least, most = _bound(spec.least, value), _bound(spec.most, value)
    if (least is None or least <= value) and (most is None or value <= most):
        return None
    bounds = {"least": least, "most": most}
    told = {name: str(bound) for name, bound in bounds.items() if bound is not None}
    return because(Code.OUT_OF_RANGE, field=spec.name, **told)


def _bound(bound: Cell, value: Decimal | dt.date) -> Any:
    """Give a bound that can be compared with a value; one of another type bounds nothing."""
    if isinstance(value, Decimal):
        return Decimal(bound) if isinstance(bound, int | Decimal) else None
    return bound if type(bound) is type(value) else None


def _places(number: Decimal) -> tuple[int, int]:
    """Count the digits before and after the decimal point that matter; `normalize` would round at 28 digits."""
    _, digits, exponent = number.as_tuple()
    if not number or not isinstance(exponent, int):
        return 0, 0
    trailing = next(count for count, digit in enumerate(reversed(digits)) if digit)
    return max(0, number.adjusted() + 1), max(0, -(exponent + trailing))


def _flag(spec: FieldSpec, value: Cell) -> Reason | None:
    return None if isinstance(value, bool) else _wrong(spec, value)


def _date(spec: FieldSpec, value: Cell) -> Reason | None:
    return _range(spec, value) if _shape(value) == "date" and isinstance(value, dt.date) else _wrong(spec, value)


def _instant(spec: FieldSpec, value: Cell) -> Reason | None:
    return _range(spec, value) if _shape(value) == "instant" and isinstance(value, dt.date) else _wrong(spec, value)


def _choice(spec: FieldSpec, value: Cell) -> Reason | None:
    found = _text(spec, value)
    if found is not None or not spec.options or value in spec.options:
        return found
    return because(Code.NOT_AN_OPTION, field=spec.name)


def _choices(spec: FieldSpec, value: Cell) -> Reason | None:
    if not isinstance(value, tuple):
        return _wrong(spec, value)
    return next((found for one in value if (found := _choice(spec, one))), None)


def _reference(spec: FieldSpec, value: Cell) -> Reason | None:
    if isinstance(value, RecordRef) and spec.refers_to and value.kind not in spec.refers_to:
        return because(Code.WRONG_TYPE, field=spec.name, expected=spec.type.value, shape="other_kind")
    return None if isinstance(value, (RecordRef, str)) else _wrong(spec, value)


def _references(spec: FieldSpec, value: Cell) -> Reason | None:
    if not isinstance(value, tuple):
        return _wrong(spec, value)
    return next((found for one in value if (found := _reference(spec, one))), None)


def _wrong(spec: FieldSpec, value: Cell) -> Reason:
    return because(Code.WRONG_TYPE, field=spec.name, expected=spec.type.value, shape=_shape(value))


def _shape(value: Cell) -> str:
    """Name the sort of a value; sub-classes come before what they inherit from."""
    match value:
        case bool():
            return "flag"
        case int() | Decimal():
            return "number"
        case dt.datetime():
            return "instant" if value.tzinfo else "no_zone"
        case dt.date():
            return "date"
        case RecordRef():
            return "reference"
        case tuple():
            return "references" if any(isinstance(one, RecordRef) for one in value) else "choices"
        case str():
            return "text"
        case _:
            return _other_shape(value)


def _other_shape(value: object) -> str:
    """Name the sort of what is no cell, whatever the types say: it comes from connectors that nobody checked."""
    return next((shape for sort, shape in _NO_CELLS.items() if isinstance(value, sort)), "no_cell")


_JUDGES: Final[Mapping[FieldType, Callable[[FieldSpec, Cell], Reason | None]]] = {
    FieldType.TEXT: _text,
    FieldType.EMAIL: _email,
    FieldType.FLAG: _flag,
    FieldType.NUMBER: _number,
    FieldType.DATE: _date,
    FieldType.INSTANT: _instant,
    FieldType.CHOICE: _choice,
    FieldType.CHOICES: _choices,
    FieldType.REFERENCE: _reference,
    FieldType.REFERENCES: _references,
}
