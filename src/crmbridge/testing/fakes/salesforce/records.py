"""Single records: `/sobjects` and what is under it (REST guide, "sObject Rows", "sObject Rows by External ID")."""

from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from crmbridge.testing.fakes.salesforce import changes, describe, errors
from crmbridge.testing.fakes.salesforce.desk import Call, Desk, Reply
from crmbridge.testing.fakes.salesforce.errors import Refused
from crmbridge.testing.fakes.salesforce.kinds import Kind
from crmbridge.testing.fakes.salesforce.org import Act
from crmbridge.testing.tables import Field, Row

OLD_UPSERT = 46.0
"""The first version whose upsert answers an update with a body."""


def answer(desk: Desk, call: Call) -> Reply:
    """Answer a call under `/sobjects`."""
    if not call.raw:
        call.only("GET")
        return Reply(200, describe.everything(desk.org.kinds.values(), call.version))
    path = call.path
    kind = desk.org.kind(path[0])
    if len(path) == 1:
        call.only("GET", "POST")
        return _create(desk, call, kind) if call.method == "POST" else Reply(200, describe.basic(kind, call.version))
    second = path[1].lower()
    if len(path) == 2 and second == "describe":
        call.only("GET")
        if _unchanged(kind, call.headers.get("if-modified-since", "")):
            return Reply(304)
        return Reply(200, describe.whole(kind, call.version, desk.org.kinds.values()))
    if len(path) == 2 and second in ("updated", "deleted"):
        call.only("GET")
        return changes.updated(desk, call, kind) if second == "updated" else changes.deleted(desk, call, kind)
    if len(path) == 2 and second == "id" and call.method == "POST":
        # Vendor: an upsert on Id without one is an insert.
        return _create(desk, call, kind)
    if len(path) == 2 or second == "id":
        return _by_id(desk, call, kind, path[-1])
    return _by_external_id(desk, call, kind)


def _unchanged(kind: Kind, since: str) -> bool:
    """Say whether an object is described as it was at the moment of a header, which tells whole seconds."""
    try:
        then = parsedate_to_datetime(since)
    except ValueError:
        return False
    if then.tzinfo is None:
        return False
    return kind.redescribed is None or kind.redescribed.replace(microsecond=0) < then


def _create(desk: Desk, call: Call, kind: Kind) -> Reply:
    row = desk.org.create(kind, call.json(), desk.act(call))
    location = {"Location": f"/services/data/v{call.version}/sobjects/{kind.name}/{row.id}"}
    return Reply(201, {"id": row.id, "success": True, "errors": []}, headers=location)


def _by_id(desk: Desk, call: Call, kind: Kind, id: str) -> Reply:
    call.only("GET", "PATCH", "DELETE")
    row = desk.org.at(kind, id)
    if call.method == "GET":
        return Reply(200, shown(kind, row, call))
    act = desk.act(call)
    vanishing(desk, call, kind, row, act)
    if call.method == "PATCH":
        desk.org.update(kind, row, call.json(), act)
    else:
        desk.org.delete(kind, row, act)
    return Reply(204)


def vanishing(desk: Desk, call: Call, kind: Kind, row: Row, act: Act) -> None:
    """Let somebody delete the record between the client's read and its write (F15)."""
    if desk.faults.fires("F15", call.request):
        desk.org.delete(kind, row, Act(act.at, act.stamp, act.user, "a person", 0))
        raise Refused("ENTITY_IS_DELETED", "entity is deleted", status=404)


def shown(kind: Kind, row: Row, call: Call) -> dict[str, Any]:
    """Give a record with the fields that the call names, or with all."""
    return selected(kind, row, _fields(kind, call.params.get("fields", "")), call.version)


def selected(kind: Kind, row: Row, names: list[str], version: str) -> dict[str, Any]:
    """Give a record with some fields."""
    url = f"/services/data/v{version}/sobjects/{kind.name}/{row.id}"
    return {"attributes": {"type": kind.name, "url": url}, **{name: row.values.get(name) for name in names}}


def _fields(kind: Kind, wanted: str) -> list[str]:
    if not wanted:
        return ["Id", *kind.table.fields]
    return [field_name(kind, name.strip()) for name in wanted.split(",")]


def field_name(kind: Kind, name: str) -> str:
    """Give a field's own name for the name in a call; raises INVALID_FIELD."""
    if name.lower() == "id":
        return "Id"
    field = kind.table.field(name)
    if field is None:
        raise errors.no_such_column(name, kind.name)
    return field.name


def external_field(kind: Kind, name: str) -> Field:
    """Find a field that upsert may go by; raises the vendor's 404."""
    field = kind.table.field(name)
    if field is None or not kind.looks_up(field):
        raise errors.not_found(f"Provided external ID field does not exist or is not accessible: {name}")
    return field


def found_by(kind: Kind, field: Field, value: Any) -> list[Row]:
    """Give the records that hold a value, compared as the vendor stores it."""
    stored = kind.entries[field.name].check(value)
    return [] if stored is None else kind.table.find(field.name, stored)


def _by_external_id(desk: Desk, call: Call, kind: Kind) -> Reply:
    call.only("GET", "PATCH", "POST", "DELETE")
    field = external_field(kind, call.path[1])
    # Vendor: clients of some languages do not encode a slash in the value, so what follows the field is one value.
    # Vendor: a plus sign in a path is itself; clients that wrote it for a blank were told NOT_FOUND (simple-salesforce #801).
    value = "/".join(call.path[2:])
    rows = found_by(kind, field, value)
    if len(rows) > 1:
        head = f"/services/data/v{call.version}/sobjects/{kind.name}/"
        return Reply(300, [head + quote(row.id) for row in rows])
    if call.method in ("PATCH", "POST"):
        return _upsert(desk, call, kind, field, value, rows)
    if not rows:
        raise errors.not_found()
    if call.method == "GET":
        return Reply(200, shown(kind, rows[0], call))
    desk.org.delete(kind, rows[0], desk.act(call))
    return Reply(204)


def _upsert(desk: Desk, call: Call, kind: Kind, field: Field, value: str, rows: list[Row]) -> Reply:
    given = call.json()
    for name in given:
        if name.lower() == field.name.lower():
            text = f"The {field.name} field should not be specified in the sobject data."
            raise Refused("INVALID_FIELD", text, (field.name,))
    act = desk.act(call)
    if rows:
        vanishing(desk, call, kind, rows[0], act)
        desk.org.update(kind, rows[0], given, act)
        if float(call.version) < OLD_UPSERT:
            return Reply(204)
        return Reply(200, {"id": rows[0].id, "success": True, "errors": [], "created": False})
    if call.flag("updateOnly"):
        raise errors.not_found()
    row = desk.org.create(kind, {**given, field.name: value}, act)
    location = {"Location": f"/services/data/v{call.version}/sobjects/{kind.name}/{row.id}"}
    return Reply(201, {"id": row.id, "success": True, "errors": [], "created": True}, headers=location)
