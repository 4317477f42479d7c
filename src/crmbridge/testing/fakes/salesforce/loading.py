"""Rows of an uploaded table become records (Bulk API 2.0 guide, "Prepare CSV Files")."""

from collections.abc import Mapping, Sequence
from typing import Any

from crmbridge.testing.fakes.salesforce import records
from crmbridge.testing.fakes.salesforce.desk import Desk
from crmbridge.testing.fakes.salesforce.errors import Refused
from crmbridge.testing.fakes.salesforce.kinds import Kind
from crmbridge.testing.fakes.salesforce.org import Act, Org
from crmbridge.testing.fakes.salesforce.sheets import Cells, Unreadable

NULL = "#N/A"


def check_header(org: Org, kind: Kind, header: Sequence[str]) -> None:
    """Raise `Unreadable` for the first column that is neither a field nor a parent's field."""
    for name in header:
        if not (name.lower() == "id" or kind.table.field(name) or _is_a_parents(org, kind, name)):
            raise Unreadable(f"InvalidBatch : Field name not found : {name}")


def _is_a_parents(org: Org, kind: Kind, name: str) -> bool:
    parent, _, key = name.partition(".")
    via = kind.related.get(parent.lower())
    return via is not None and any(org.kinds[target].table.field(key) for target in via.references)


def load(desk: Desk, kind: Kind, info: Mapping[str, Any], row: Cells, act: Act) -> tuple[str, bool]:
    """Write one row as its job says: give the record's id and whether it is new, or raise the vendor's refusal."""
    org, operation = desk.org, info["operation"]
    # Vendor: an empty cell leaves a value alone, and a special mark clears it.
    given: dict[str, Any] = {name: None if cell == NULL else cell for name, cell in row.items() if cell != ""}
    for name in [name for name in given if "." in name]:
        parent, _, key = name.partition(".")
        given[parent] = {key: given.pop(name)}
    id = given.pop(next((name for name in given if name.lower() == "id"), "Id"), None)
    if operation == "insert":
        if id is not None:
            raise Refused("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ("Id",))
        return org.create(kind, given, act).id, True
    if operation == "upsert":
        return _upsert(desk, kind, info["externalIdFieldName"], id, given, act)
    if id is None:
        raise Refused("MISSING_ARGUMENT", "Id not specified in an update call")
    held = org.at(kind, id)
    if operation == "update":
        org.update(kind, held, given, act)
    else:
        org.delete(kind, held, act)
    return held.id, False


def _upsert(desk: Desk, kind: Kind, name: str, id: str | None, given: Mapping[str, Any], act: Act) -> tuple[str, bool]:
    if name == "Id":
        return _upsert_by_id(desk, kind, id, given, act)
    if id is not None:
        raise Refused("INVALID_FIELD", "The Id field should not be specified in the sobject data.", ("Id",))
    value = next((given[held] for held in given if held.lower() == name.lower()), None)
    if value is None:
        raise Refused("MISSING_ARGUMENT", f"{name} not specified", (name,))
    found = records.found_by(kind, kind.table.fields[name], value)
    if len(found) > 1:
        raise Refused("DUPLICATE_EXTERNAL_ID", f"{name}: more than one record found for external id field", (name,))
    if not found:
        return desk.org.create(kind, given, act).id, True
    desk.org.update(kind, found[0], given, act)
    return found[0].id, False


def _upsert_by_id(desk: Desk, kind: Kind, id: str | None, given: Mapping[str, Any], act: Act) -> tuple[str, bool]:
    if id is None:
        return desk.org.create(kind, given, act).id, True
    held = desk.org.at(kind, id)
    desk.org.update(kind, held, given, act)
    return held.id, False
