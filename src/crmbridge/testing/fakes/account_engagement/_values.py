"""Which values a field takes, from a client and from the vendor's own screens."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

import httpx

from crmbridge.testing.bodies import read_json
from crmbridge.testing.fakes.account_engagement._kinds import ACTIVITIES, NOT_FOUND
from crmbridge.testing.fakes.account_engagement._query import moment
from crmbridge.testing.fakes.account_engagement._records import Unit, derived
from crmbridge.testing.fakes.account_engagement._refusals import Refused
from crmbridge.testing.tables import Field

# Vendor: a dot next to the @ is accepted here and refused by Salesforce (AE-30).
EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]*[A-Za-z0-9]\.[A-Za-z0-9-]{2,}")
_PERSON = re.compile(r"(00Q|003)[A-Za-z0-9]{12}([A-Za-z0-9]{3})?")
_NO_TEXT = re.compile(r"[\0\ud800-\udfff]")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def body(request: httpx.Request) -> dict[str, Any]:
    """Read the JSON object that a request carries; raises Refused (71, 151, 152, 166)."""
    if not request.content:
        raise Refused(152)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused(151)
    try:
        found = read_json(request.content)
    except ValueError as wrong:
        raise Refused(71) from wrong
    if not isinstance(found, dict):
        raise Refused(166)
    return found  # pyright: ignore[reportUnknownVariableType]


def checked(unit: Unit, kind: str, given: Mapping[str, Any], *, new: bool) -> dict[str, Any]:
    """Give what a client's create or update stores; raises Refused for the first thing that is wrong."""
    stored: dict[str, Any] = {}
    for name, value in given.items():
        field = unit.field(kind, name)
        if field is None or not (field.createable if new else field.updateable):
            raise Refused(180, name[:80])
        stored[name] = _required(field, value) if field.required else converted(field, value)
        if field.references and stored[name] is not None:
            _pointed_at(unit, field.references[0], stored[name], name)
    if kind == "prospect":
        if "userId" in stored and "salesforceOwnerId" in stored:
            raise Refused(125)
        if stored.get("salesforceId") is not None and not _PERSON.fullmatch(stored["salesforceId"]):
            raise Refused(77)
        settle(unit, stored)
    return stored


def arranged(unit: Unit, kind: str, given: Mapping[str, Any], *, new: bool) -> dict[str, Any]:
    """Give what a person or a test's arrangement stores; raises ValueError with the name of a field that it cannot."""
    fields = unit.tables[kind].fields
    stored = {name: field.default for name, field in fields.items() if field.default is not None} if new else {}
    for name, value in given.items():
        field = unit.field(kind, name)
        if field is None or derived(name):
            raise ValueError(f"{kind} has no field {name!r} that can be set")
        try:
            stored[name] = converted(field, _eased(field, value))
        except Refused as refused:
            raise ValueError(f"{kind}.{name}: {refused}") from refused
    if kind == "prospect":
        try:
            settle(unit, stored)
        except Refused as refused:
            raise ValueError(f"{refused}; put the user first") from refused
    if kind == "visitor_activity" and "typeName" not in stored and stored.get("type") in ACTIVITIES:
        stored["typeName"] = ACTIVITIES[stored["type"]]
    return stored


def settle(unit: Unit, stored: dict[str, Any]) -> None:
    """Turn the ways to name an owner into the one that is stored, and a Salesforce id into what it is the id of."""
    stored.pop("password", None)
    if "userId" in stored:
        stored["assignedToId"] = stored.pop("userId")
    if "salesforceOwnerId" in stored:
        owner = stored.pop("salesforceOwnerId")
        stored["assignedToId"] = None if owner is None else _user(unit, owner)
    person = stored.get("salesforceId") or ""
    if person.startswith("00Q"):
        stored.setdefault("salesforceLeadId", person)
    elif person.startswith("003"):
        stored.setdefault("salesforceContactId", person)


def _user(unit: Unit, salesforce_id: str) -> int:
    for user in unit.tables["user"].rows():
        known = user.values.get("salesforceId")
        # Vendor: an id of 18 characters and its first 15 are the same id.
        if known and known[:15] == salesforce_id[:15]:
            return int(user.id)
    raise Refused(79)


def email_checked(value: Any) -> str:
    """Give an address as it is stored; raises Refused (4) for none and for one that is too long or no address."""
    if not isinstance(value, str) or len(value) > 255 or not EMAIL.fullmatch(value):
        raise Refused(4)
    return value


def _required(field: Field, value: Any) -> Any:
    if field.name == "email":
        return email_checked(value)
    found = converted(field, value)
    if found in (None, ""):
        raise Refused(154, field.name)
    return found


def _pointed_at(unit: Unit, kind: str, id: int, name: str) -> None:
    table = unit.tables[kind]
    if table.get(str(id)) is None:
        raise Refused(132 if kind == "prospect" and str(id) in table.all else NOT_FOUND[kind], name)


def converted(field: Field, value: Any) -> Any:
    """Give a JSON value in the form that is stored; raises Refused with the code for the field's type."""
    if value is None:
        return None
    if field.type == "datetime":
        return moment(value if isinstance(value, str) else "", field.name)
    if field.type == "list" and isinstance(value, str):
        value = [value]
    fits, code = _FORMS.get(field.type, (_is_text, 154))
    if not fits(value) or (field.restricted and value not in field.picklist):
        raise Refused(code, field.name)
    return value


def _is_text(value: Any) -> bool:
    # Half of a surrogate pair is no text: JSON in UTF-8 cannot say it, so every later read would break.
    return isinstance(value, str) and not _NO_TEXT.search(value)


def _is_whole(value: Any) -> bool:
    return type(value) is int and -(2**31) <= value < 2**31


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e18


def _is_day(value: Any) -> bool:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))  # pyright: ignore[reportUnknownArgumentType]


_FORMS: Mapping[str, tuple[Callable[[Any], bool], int]] = MappingProxyType(
    {
        "integer": (_is_whole, 56),
        "number": (_is_number, 56),
        "boolean": (lambda value: type(value) is bool, 50),
        "date": (_is_day, 57),
        "list": (_are_texts, 154),
    }
)
"""For a field's type, whether a value is of it, and the code when it is not; all others are text."""


def _eased(field: Field, value: Any) -> Any:
    """Let an arrangement say a moment as a datetime, and an id in the form in which `put` gave it."""
    if isinstance(value, datetime):
        return value.isoformat()
    if field.type == "integer" and isinstance(value, str) and re.fullmatch(r"[0-9]{1,10}", value):
        return int(value)
    return value
