"""Actions become the body of one request, and its answer one outcome each (REST API Guide, "sObject Collections")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import ContractBroken
from ...flow import Json
from ...kit import array, is_array, is_table, safe_code
from ...model import (
    Action,
    Applied,
    Create,
    Outcome,
    Postponed,
    RecordRef,
    Rejected,
    Stale,
    Uncertain,
    Update,
    Values,
    target_kind,
)
from ...reasons import Code, Fact, Reason
from ._faults import LATER
from ._ids import long_id
from ._values import written

_MOVED_ON = frozenset({"ENTITY_IS_DELETED", "NOT_FOUND", "CANNOT_UPDATE_CONVERTED_LEAD"})
"""The record is not what it was when it was read."""


def body_of(records: Sequence[Mapping[str, Any]]) -> Json:
    """Write the body of a collections request; one record's trouble leaves the others alone."""
    return Json({"allOrNone": False, "records": records})


def record_of(action: Create | Update, key_field: str | None) -> Mapping[str, Any]:
    """Write one record of a request; raises Unsendable for a value that has no form on the wire."""
    record = {"attributes": {"type": target_kind(action)}, **written(action.values)}
    if isinstance(action, Update):
        record["id"] = action.ref.id
    elif key_field:
        record[key_field] = action.key
    return record


def outcomes_of(system: str, batch: Sequence[Action], body: object) -> Sequence[Outcome]:
    """Read the answer to a collections request, which holds one element per action, in order."""
    elements = array(system, body, "the answer to a collection")
    if len(elements) != len(batch):
        raise ContractBroken(system, f"{len(elements)} answers to {len(batch)} records")
    return [_outcome(system, action, element) for action, element in zip(batch, elements, strict=True)]


def _outcome(system: str, action: Action, element: object) -> Outcome:
    told = element if is_table(element) else {}
    success = told.get("success")
    if success is True:
        id = long_id(given) if isinstance(given := told.get("id"), str) else ""
        if id and isinstance(action, Create):
            return Applied(action, RecordRef(system, action.kind, id))
        if id and not isinstance(action, Create) and id == long_id(action.ref.id):
            return Applied(action, action.ref)
    if success is False:
        return _failure(system, action, told.get("errors"))
    return Uncertain(action, Reason(Code.IN_DOUBT, {"system": system}))


def _failure(system: str, action: Action, told: object) -> Outcome:
    errors = [error for error in told if is_table(error)] if is_array(told) else []
    error = errors[0] if errors else {}
    code = safe_code(error.get("statusCode"))
    facts: dict[str, Fact] = {"system": system, "code": code or "UNKNOWN"}
    # Vendor: a trigger of the organisation may wrap the lock that it met in an error of its own.
    if code in LATER or "UNABLE_TO_LOCK_ROW" in str(error.get("message")):
        return Postponed(action, Reason(Code.BUSY, facts))
    fields = [name for field in named if (name := safe_code(field))] if is_array(named := error.get("fields")) else []
    if not isinstance(action, Create) and (code in _MOVED_ON or _unknown_id(code, fields, action)):
        return Stale(action)
    return Rejected(action, Reason(Code.REFUSED_BY_SYSTEM, facts | ({"field": fields[0]} if fields else {})))


def _unknown_id(code: str, fields: Sequence[str], action: Action) -> bool:
    # Vendor: "invalid cross reference id" is said of a record that was purged, and of a bad reference in a field too.
    return (
        code == "INVALID_CROSS_REFERENCE_KEY"
        and not fields
        and not _refers(action.values if isinstance(action, Update) else {})
    )


def _refers(values: Values) -> bool:
    return any(isinstance(value, RecordRef) or (isinstance(value, str) and long_id(value)) for value in values.values())
