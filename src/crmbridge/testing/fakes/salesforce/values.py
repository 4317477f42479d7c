"""How the vendor checks and stores a value: one function a field, made once (Object Reference, "Field Types")."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Literal

from crmbridge.testing.fakes.salesforce.errors import Refused, malformed_id, not_json
from crmbridge.testing.fakes.salesforce.ids import long_form
from crmbridge.testing.fakes.salesforce.numbers import exact
from crmbridge.testing.tables import Field

Check = Callable[[Any], Any]
EmailRule = Literal["guide", "vendor-2026"]

TEXTS = frozenset(
    {"string", "textarea", "email", "phone", "url", "picklist", "multipicklist", "combobox", "encryptedstring"}
)
NUMBERS = frozenset({"double", "currency", "percent"})

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.()-]+")
_DOMAIN = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
# Vendor: the forms of "Valid Date Format in Records" (Bulk API 2.0 guide), which hold for REST too. What it tells of no
# offset is left to XML Schema, where one may be missing; and a plain day is taken for its midnight.
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?", re.ASCII)
_YEARS = range(1700, 4001)
"""The calendar (SOQL and SOSL Reference, "Date Formats and Date Literals in WHERE")."""
_OFFSET = re.compile(r"([+-]\d\d)(\d\d)$")


def stamp(moment: datetime) -> str:
    """Write a moment as the vendor does: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def moment(text: str) -> datetime | None:
    """Read an ISO 8601 moment; None when it is none. One without an offset is UTC."""
    try:
        read = datetime.fromisoformat(_OFFSET.sub(r"\1:\2", text))
        read = (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return read if read.year in _YEARS else None


def email_is_valid(address: str, rule: EmailRule) -> bool:
    """Say whether the vendor takes an address; the rule decides on a dot right before the @ sign."""
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain) or local.startswith("."):
        return False
    return rule == "vendor-2026" or not local.endswith(".")


def check_for(field: Field, rule: EmailRule) -> Check:
    """Make the function that gives the stored form of a value, or raises `Refused`."""
    if field.type in TEXTS:
        return _text(field, _finer(field, rule))
    makers: dict[str, Callable[[Field], Check]] = {
        "boolean": _boolean,
        "int": _int,
        "date": _date,
        "datetime": _datetime,
        "reference": _reference,
    }
    return (_number if field.type in NUMBERS else makers[field.type])(field)


def plain_length(field: Field, rule: EmailRule) -> int:
    """Give the most characters of a text for which nothing else is asked; -1 for every other field."""
    return field.length if field.type in TEXTS and _finer(field, rule) is None else -1


def _text(field: Field, finer: Callable[[str], str] | None) -> Check:
    length, label, name = field.length, field.label, field.name

    def check(value: Any) -> Any:
        if value.__class__ is not str:
            if value is None:
                return None
            raise _wrong_type("string", value)
        # Vendor: blanks around a text are cut off, and an empty text is null.
        value = value.strip()
        if not value:
            return None
        if len(value) > length:
            raise Refused("STRING_TOO_LONG", f"{label}: data value too large: {value} (max length={length})", (name,))
        return finer(value) if finer else value

    return check


def _finer(field: Field, rule: EmailRule) -> Callable[[str], str] | None:
    if field.type == "email":
        return lambda value: _email(field, value, rule)
    if field.type == "multipicklist":
        return lambda value: _choices(field, value)
    if field.type == "picklist" and field.restricted:
        return lambda value: _choice(field, value)
    return None


def _email(field: Field, value: str, rule: EmailRule) -> str:
    if not email_is_valid(value, rule):
        raise Refused("INVALID_EMAIL_ADDRESS", f"{field.label}: invalid email address: {value}", (field.name,))
    return value.lower()


def _choice(field: Field, value: str) -> str:
    if value not in field.picklist:
        text = f"{field.label}: bad value for restricted picklist field: {value}"
        raise Refused("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", text, (field.name,))
    return value


def _choices(field: Field, value: str) -> str:
    chosen = dict.fromkeys(part.strip() for part in value.split(";") if part.strip())
    if field.restricted:
        for part in chosen:
            _choice(field, part)
    # Vendor: several choices are kept in the order of the picklist, not in the order they were sent.
    order = {choice: place for place, choice in enumerate(field.picklist)}
    return ";".join(sorted(chosen, key=lambda part: order.get(part, len(order))))


def _boolean(field: Field) -> Check:  # noqa: ARG001 - every maker takes the field
    def check(value: Any) -> Any:
        if value is None:
            return False
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.strip().lower() in ("true", "false"):
            return value.strip().lower() == "true"
        raise _wrong_type("boolean", value)

    return check


def _int(field: Field) -> Check:
    bound = 10 ** (field.digits or 9)

    def check(value: Any) -> Any:
        if value.__class__ is int and -bound < value < bound:
            return value
        number = _decimal(value, "int")
        if number is None:
            return None
        if number != number.to_integral_value():
            raise _wrong_type("int", value)
        if abs(number) >= bound:
            raise _out_of_range(field, value)
        return int(number)

    return check


def _number(field: Field) -> Check:
    whole = 10 ** (field.precision - field.scale)
    bound = Decimal(whole)
    step = Decimal(1).scaleb(-field.scale)

    def check(value: Any) -> Any:
        if value.__class__ is int and -whole < value < whole:
            return exact(Decimal(value))
        number = _decimal(value, "double")
        if number is None:
            return None
        if abs(number) >= bound:
            raise _out_of_range(field, value)
        # Vendor: more decimals than the field has are rounded, not refused.
        return exact(number.quantize(step, ROUND_HALF_UP))

    return check


def _decimal(value: Any, wanted: str) -> Decimal | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, str)):
        raise _wrong_type(wanted, value)
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise _wrong_type(wanted, value) from None
    if not number.is_finite():
        raise _wrong_type(wanted, value)
    return number


def _date(field: Field) -> Check:  # noqa: ARG001 - every maker takes the field
    def check(value: Any) -> Any:
        if value is None or value == "":
            return None
        try:
            if isinstance(value, str) and _DATE.match(value):
                day = date.fromisoformat(value[:10])
                if day.year in _YEARS:
                    return day.isoformat()
        except ValueError:
            pass
        raise _wrong_type("date", value)

    return check


def _datetime(field: Field) -> Check:  # noqa: ARG001 - every maker takes the field
    def check(value: Any) -> Any:
        if value is None or value == "":
            return None
        read = moment(value) if isinstance(value, str) and _MOMENT.fullmatch(value) else None
        if read is None:
            raise _wrong_type("datetime", value)
        return stamp(read)

    return check


def _reference(field: Field) -> Check:
    def check(value: Any) -> Any:
        if value is None or value == "":
            return None
        id = long_form(value)
        if id is None:
            raise malformed_id(value, field.label)
        return id

    return check


def _wrong_type(wanted: str, value: Any) -> Refused:
    token, shown = "START_OBJECT" if isinstance(value, dict) else "START_ARRAY", ""
    for python, name in (
        (bool, f"VALUE_{value!s}".upper()),
        (int, "VALUE_NUMBER_INT"),
        ((float, Decimal), "VALUE_NUMBER_FLOAT"),
        (str, "VALUE_STRING"),
    ):
        if isinstance(value, python):
            token, shown = name, f" value {value}"
            break
    return not_json(
        f"Cannot deserialize instance of {wanted} from {token}{shown} or request may be missing a required field"
    )


def _out_of_range(field: Field, value: Any) -> Refused:
    text = f"{field.label}: value outside of valid range on numeric field: {value}"
    return Refused("NUMBER_OUTSIDE_VALID_RANGE", text, (field.name,))
