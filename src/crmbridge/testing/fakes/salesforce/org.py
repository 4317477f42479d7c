"""The org behind the API: records are checked, stored, deleted and merged here, without a word about HTTP."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import attrs

from crmbridge.testing.fakes.salesforce import errors
from crmbridge.testing.fakes.salesforce.errors import Refused
from crmbridge.testing.fakes.salesforce.ids import long_form
from crmbridge.testing.fakes.salesforce.kinds import Kind, Plan
from crmbridge.testing.fakes.salesforce.plans import Planner
from crmbridge.testing.fakes.salesforce.rules import CASCADES, nothing
from crmbridge.testing.fakes.salesforce.schema import SHAPES
from crmbridge.testing.fakes.salesforce.values import EmailRule
from crmbridge.testing.tables import Field, Row

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_FOLLOWED = frozenset({"Opportunity", "OpportunityContactRole", "Task"})
"""Objects of which a write has consequences for another value or record."""

Record = Callable[[str, str, str, Mapping[str, Any], Mapping[str, Any], "Act", tuple[str, ...]], None]
"""Enters into the ledger: the verb, the object, the id, what is held now, what was held, the act, what was written."""


@attrs.frozen
class Act:
    """Who writes, when, and on what terms; one for each request or edit."""

    at: datetime
    stamp: str
    user: str
    """The id of the User that the record will name."""
    by: str
    """The name that the ledger will show."""
    request: int
    allow_save: bool = False
    locks: Callable[[], bool] | None = None
    """Asked for every record: whether somebody else holds it right now. None: nobody does."""


@attrs.frozen
class DuplicateRule:
    """A rule that finds a record like the new one; `block` always refuses, `alert` unless the client allows saving."""

    kind: str
    fields: tuple[str, ...] = ("Email",)
    action: str = "block"
    name: str = "Standard_Duplicate_Rule"


class Org:
    """All objects of one org, and the rules by which they change."""

    def __init__(self, record: Record, rule: EmailRule) -> None:
        self.rule: EmailRule = rule
        self.kinds: dict[str, Kind] = {shape.name: Kind(shape, rule) for shape in SHAPES}
        self.duplicate_rules: list[DuplicateRule] = []
        self.locked: dict[str, int] = {}
        self._record = record
        self._undo: list[list[tuple[Kind, Row, dict[str, Any] | None, bool]]] = []
        self._folded = {name.lower(): kind for name, kind in self.kinds.items()}
        self._prefixes = {kind.prefix: kind for kind in self.kinds.values()}
        self.plans = Planner(self.kinds, self._prefixes).plans

    # ---- looking --------------------------------------------------------------------

    def kind(self, name: str) -> Kind:
        """Find an object by the name in a path or body; raises the vendor's 404."""
        found = self._folded.get(name.lower())
        if found is None:
            raise errors.not_found()
        return found

    def add(self, kind: Kind) -> None:
        """Give the org one more object."""
        self.kinds[kind.name] = self._folded[kind.name.lower()] = self._prefixes[kind.prefix] = kind

    def kind_of(self, id: str) -> Kind | None:
        """Tell of which object an id is."""
        return self._prefixes.get(id[:3])

    def row_of(self, id: str, *, deleted: bool = False) -> Row | None:
        """Find any record by its long id."""
        kind = self._prefixes.get(id[:3])
        return kind.table.get(id, deleted=deleted) if kind else None

    def at(self, kind: Kind, id: object) -> Row:
        """Find a record of a kind for reading or writing; raises the vendor's refusals."""
        row = kind.table.all.get(id) if isinstance(id, str) else None
        if row is None:
            long = long_form(id)
            if long is None:
                raise errors.not_found(f"Provided external ID field does not exist or is not accessible: {id}")
            if not long.startswith(kind.prefix):
                raise errors.malformed_id(id, f"{kind.name} ID")
            row = kind.table.all.get(long)
        if row is None:
            raise errors.not_found()
        if row.deleted:
            raise Refused("ENTITY_IS_DELETED", "entity is deleted", status=404)
        return row

    # ---- writing --------------------------------------------------------------------

    def create(self, kind: Kind, given: Mapping[str, Any], act: Act, plan: Plan | None = None) -> Row:
        """Store a new record, or raise the vendor's refusal."""
        if not kind.shape.writable:
            raise Refused("INVALID_TYPE_FOR_OPERATION", f"entity type {kind.name} does not support create")
        plan = plan or self.plans(kind, creating=True)[tuple(given)]
        values = plan.stored(given, kind.defaults)
        for name in kind.required:
            if values.get(name) is None:
                self._require(kind, values)
        values.update(kind.derive(values, values, act.stamp))
        if "OwnerId" in kind.entries and not values.get("OwnerId"):
            values["OwnerId"] = act.user
        if kind.unique:
            self._alone(kind, kind.unique, values, None)
        if kind.name == "CampaignMember":
            self._first_membership(kind, values)
        if self.duplicate_rules or self.locked or act.locks:
            self._admit(kind, values, "", act)
        values["CreatedDate"] = values["LastModifiedDate"] = values["SystemModstamp"] = act.stamp
        values["CreatedById"] = values["LastModifiedById"] = act.user
        values["Id"] = id = kind.table.fresh_id()
        row = kind.table.take(id, values, at=act.at, by=act.by)
        self._remember(kind, row, new=True)
        kind.note(act.stamp, id)
        self._record("create", kind.name, id, values, _NOTHING, act, plan.names)
        if kind.name in _FOLLOWED:
            self._after(kind, row, plan.names, act)
        return row

    def update(self, kind: Kind, row: Row, given: Mapping[str, Any], act: Act, plan: Plan | None = None) -> None:
        """Change a record, or raise the vendor's refusal; a write of equal values moves the stamps too."""
        held = row.values
        if held.get("IsConverted"):
            raise Refused("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
        plan = plan or self.plans(kind, creating=False)[tuple(given)]
        values = plan.stored(given, held)
        for name in plan.required:
            if values[name] is None:
                self._require(kind, values)
        if kind.derive is not nothing:
            values.update(kind.derive(plan.names, values, act.stamp))
        if plan.unique:
            self._alone(kind, plan.unique, values, row)
        if self.duplicate_rules or self.locked or act.locks:
            self._admit(kind, {name: values[name] for name in plan.names}, row.id, act)
        self._replace(kind, row, values, act, plan.names, plan.touched)
        if kind.name in _FOLLOWED:
            self._after(kind, row, plan.names, act)

    def change(self, kind: Kind, row: Row, written: Mapping[str, Any], act: Act) -> None:
        """Overwrite values without asking whether that is allowed."""
        self._replace(kind, row, {**row.values, **written}, act, tuple(written))

    def _replace(
        self,
        kind: Kind,
        row: Row,
        values: dict[str, Any],
        act: Act,
        names: tuple[str, ...],
        touched: Iterable[str] | None = None,
    ) -> None:
        self._remember(kind, row)
        values["LastModifiedDate"] = values["SystemModstamp"] = act.stamp
        values["LastModifiedById"] = act.user
        before = kind.table.replace(row, values, at=act.at, by=act.by, touched=touched)
        kind.note(act.stamp, row.id)
        self._record("update", kind.name, row.id, values, before, act, names)

    def delete(self, kind: Kind, row: Row, act: Act, *, master: str | None = None) -> None:
        """Put a record, and what hangs on it, into the bin; a merged one names its master."""
        if not kind.shape.deletable:
            raise Refused(
                "INSUFFICIENT_ACCESS_OR_READONLY", f"entity type {kind.name} does not support delete", status=403
            )
        self._lock(row.id, act)
        if master is None:
            for child, name in CASCADES.get(kind.name, ()):
                for hanging in self.kinds[child].table.find(name, row.id):
                    self.delete(self.kinds[child], hanging, act)
        self._remember(kind, row)
        before = row.values
        stamps = {
            "IsDeleted": True,
            "LastModifiedDate": act.stamp,
            "SystemModstamp": act.stamp,
            "LastModifiedById": act.user,
        }
        kind.table.update(row, stamps | ({"MasterRecordId": master} if master else {}), at=act.at, by=act.by)
        row.deleted = True
        kind.note(act.stamp, row.id)
        self._record("delete", kind.name, row.id, row.values, before, act, ("MasterRecordId",) if master else ())

    def restore(self, kind: Kind, row: Row, act: Act) -> None:
        """Take a record out of the bin."""
        row.deleted = False
        stamps = {
            "IsDeleted": False,
            "LastModifiedDate": act.stamp,
            "SystemModstamp": act.stamp,
            "LastModifiedById": act.user,
        }
        kind.table.update(row, stamps, at=act.at, by=act.by)
        kind.note(act.stamp, row.id)
        self._record("undelete", kind.name, row.id, _NOTHING, _NOTHING, act, ())

    def pointing(self, id: str) -> Iterable[tuple[Kind, Field, Row]]:
        """Find every record that refers to this one."""
        for kind in self.kinds.values():
            for field in kind.related.values():
                if field.name not in ("CreatedById", "LastModifiedById", "MasterRecordId"):
                    for row in kind.table.find(field.name, id):
                        yield kind, field, row

    # ---- all or none ------------------------------------------------------------------

    def begin(self) -> None:
        """Remember from here on what is replaced."""
        self._undo.append([])

    def end(self, *, undo: bool) -> None:
        """Stop remembering what was replaced since the last beginning, and put it back if asked to."""
        done = self._undo.pop()
        if not undo:
            if self._undo:
                self._undo[-1].extend(done)
            return
        for kind, row, values, was_deleted in reversed(done):
            if values is None:
                kind.table.purge(row)
            else:
                kind.table.replace(row, values, at=row.modified, by=row.modified_by)
                row.deleted = was_deleted

    def _remember(self, kind: Kind, row: Row, *, new: bool = False) -> None:
        if self._undo:
            # A table replaces the values of a row and never changes them, so what they were need not be copied.
            self._undo[-1].append((kind, row, None if new else row.values, row.deleted))

    # ---- checks ---------------------------------------------------------------------

    def _require(self, kind: Kind, values: Mapping[str, Any]) -> None:
        missing = tuple(name for name in kind.required if values.get(name) is None)
        raise Refused("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", missing)

    def _admit(self, kind: Kind, values: Mapping[str, Any], own: str, act: Act) -> None:
        for rule in self.duplicate_rules:
            if rule.kind == kind.name:
                self._unlike_others(kind, values, own, rule, act)
        if self.locked or act.locks:
            self._lock(own, act)
        if self.locked:
            for field in kind.related.values():
                self._lock(values.get(field.name) or "", act)

    def _alone(self, kind: Kind, unique: Iterable[Field], values: Mapping[str, Any], row: Row | None) -> None:
        """Raise the refusal of a unique value that another record holds."""
        held = row.values if row else _NOTHING
        for field in unique:
            value = values.get(field.name)
            # What the record holds already was found to be its own when it came.
            if value is not None and value != held.get(field.name):
                for other in kind.table.find(field.name, value):
                    if other is not row:
                        text = f"duplicate value found: {field.name} duplicates value on record with id: {other.id}"
                        raise Refused("DUPLICATE_VALUE", text, (field.name,))

    def _first_membership(self, kind: Kind, values: Mapping[str, Any]) -> None:
        for other in kind.table.find("CampaignId", values["CampaignId"]):
            if all(other.values.get(name) == values.get(name) for name in ("LeadId", "ContactId")):
                raise Refused("DUPLICATE_VALUE", "Already a campaign member.")

    def _unlike_others(self, kind: Kind, values: Mapping[str, Any], own: str, rule: DuplicateRule, act: Act) -> None:
        if not all(values.get(name) for name in rule.fields) or (rule.action == "alert" and act.allow_save):
            return
        first, *others = rule.fields
        alike = [
            other.id
            for other in kind.table.find(first, values[first])
            if other.id != own
            and all(
                kind.table.fields[name].key(other.values.get(name)) == kind.table.fields[name].key(values[name])
                for name in others
            )
        ]
        if alike:
            raise _duplicates(kind, rule, alike)

    def _lock(self, id: str, act: Act) -> None:
        left = self.locked.get(id, 0)
        if left:
            self.locked[id] = left - 1
        if left or (act.locks and act.locks()):
            raise Refused("UNABLE_TO_LOCK_ROW", f"unable to obtain exclusive access to this record or 1 records: {id}")

    # ---- consequences -----------------------------------------------------------------

    def _after(self, kind: Kind, row: Row, names: tuple[str, ...], act: Act) -> None:
        values = row.values
        if kind.name == "Opportunity" and "ContactId" in names and values["ContactId"]:
            role = {"OpportunityId": row.id, "ContactId": values["ContactId"], "IsPrimary": True}
            self.create(self.kinds["OpportunityContactRole"], role, act)
        if kind.name == "OpportunityContactRole" and "IsPrimary" in names and values["IsPrimary"]:
            for other in kind.table.find("OpportunityId", values["OpportunityId"]):
                if other is not row and other.values.get("IsPrimary"):
                    self.change(kind, other, {"IsPrimary": False}, act)
        if kind.name == "Task" and ("WhoId" in names or "WhatId" in names):
            values["AccountId"] = self._account_of(values.get("WhatId")) or self._account_of(values.get("WhoId"))

    def _account_of(self, id: str | None) -> str | None:
        if id is None or id.startswith("001"):
            return id
        row = self.row_of(id)
        return row.values.get("AccountId") if row else None


def _duplicates(kind: Kind, rule: DuplicateRule, alike: list[str]) -> Refused:
    message = "Use one of these records?"
    matches = [
        {
            "additionalInformation": list[Any](),
            "fieldDiffs": list[Any](),
            "matchConfidence": 100.0,
            "record": {
                "attributes": {"type": kind.name, "url": f"/services/data/v68.0/sobjects/{kind.name}/{id}"},
                "Id": id,
            },
        }
        for id in alike
    ]
    found = {
        "entityType": kind.name,
        "errors": list[Any](),
        "matchEngine": "FuzzyMatchEngine",
        "matchRecords": matches,
        "rule": f"Standard_{kind.name}_Match_Rule",
        "size": len(alike),
        "success": True,
    }
    result = {
        "allowSave": rule.action == "alert",
        "duplicateRule": rule.name,
        "duplicateRuleEntityType": kind.name,
        "errorMessage": message,
        "matchResults": [found],
    }
    return Refused("DUPLICATES_DETECTED", message, extra={"duplicateResult": result})
