"""Creating, updating, deleting, upserting and tagging, as a client may (10.1, 10.3, 10.4)."""

from collections.abc import Callable, Mapping
from typing import Any

from crmbridge.testing.fakes.account_engagement._records import Records, Unit
from crmbridge.testing.fakes.account_engagement._refusals import Refused
from crmbridge.testing.fakes.account_engagement._values import checked, email_checked
from crmbridge.testing.tables import Row

Record = Callable[[str, Row, Mapping[str, Any], Mapping[str, Any]], None]
"""Enters a write into the ledger: verb, record, what was stored, what was there before."""

RECYCLED = "201;Record In Recycle Bin"

OBJECT_TYPES: Mapping[str, str] = {
    "prospect": "prospect", "opportunity": "opportunity", "campaign": "campaign", "list": "list", "custom_field": "customField",
    "user": "user",
}  # fmt: skip
"""What a tagged object calls the kinds that can be tagged."""


class Writes:
    """The writes of one API user; each goes to the truth and shows what it did from there."""

    def __init__(self, unit: Unit, *, by: str, several: Callable[[], bool], entered: Callable[..., None]) -> None:
        self._unit = unit
        self._by = by
        self._several = several
        self._entered = entered

    def get(self, kind: str, id: int) -> Row:
        """Give a record that is there; raises Refused (109), with a warning when the recycle bin has it."""
        row = self._unit.tables[kind].all.get(str(id))
        if row is None or row.deleted:
            raise Refused(109, warning=RECYCLED if row else "")
        return row

    def create(self, kind: str, given: Mapping[str, Any]) -> Row:
        """Create a record."""
        table = self._unit.tables[kind]
        missing = [field.name for field in table.fields.values() if field.required and field.name not in given]
        if missing:
            raise Refused(153, ", ".join(missing))
        values = checked(self._unit, kind, given, new=True)
        defaults = {name: field.default for name, field in table.fields.items() if field.default is not None}
        self._unique(kind, values, None)
        return self._insert(table, defaults | {name: value for name, value in values.items() if value is not None})

    def update(self, kind: str, id: int, given: Mapping[str, Any]) -> Row:
        """Change the named fields of a record and leave the others; raises Refused (219) for one in the recycle bin."""
        row = self._unit.tables[kind].all.get(str(id))
        if row is None:
            raise Refused(109)
        if row.deleted:
            raise Refused(219, warning=RECYCLED)
        return self._change(kind, row, given)

    def delete(self, kind: str, id: int) -> None:
        """Put a record into the recycle bin, or away for good where its kind has none."""
        row, table, at = self.get(kind, id), self._unit.tables[kind], self._unit.now()
        table.delete(row, at=at, by=self._by)
        self._entered("delete", kind, row.id, {}, dict(row.values), by=self._by, at=at)
        tagged = self._unit.tables["tagged_object"]
        for tie in tagged.find("tagId", int(row.id)) if kind == "tag" else ():
            tagged.delete(tie, at=at, by=self._by)
        if kind == "custom_field":
            self._unit.forget_field(f"{row.values['fieldId']}__c")

    def upsert_latest(self, given: Mapping[str, Any]) -> tuple[Row, bool]:
        """Update the prospect of this address that was active last, or create one; True when it is new."""
        values = _argument(given, "prospect", dict)
        email = email_checked(_argument(given, "matchEmail", str, values.get("email")))
        prospects = self._unit.tables["prospect"]
        found = _latest(prospects.find("email", email))
        if found is None and _argument(given, "secondaryDeletedSearch", bool, True):
            found = _latest(prospects.find("email", email, deleted=True))
        if found is None:
            return self.create("prospect", {"email": email} | values), True
        return self._change("prospect", found, values), False

    def undelete(self, given: Mapping[str, Any]) -> Row:
        """Take the prospect of this address that was active last out of the recycle bin; raises Refused (109, 54)."""
        email = email_checked(_argument(given, "matchEmail", str))
        found = _latest(
            [row for row in self._unit.tables["prospect"].find("email", email, deleted=True) if row.deleted]
        )
        if found is None:
            raise Refused(109)
        self._unique("prospect", {"email": email}, found)
        self._restore(found)
        return found

    def add_tag(self, kind: str, id: int, given: Mapping[str, Any]) -> Row:
        """Tag a record with a tag that is named by id, or by a name that is made a tag if it is none; twice is once."""
        row = self.get(kind, id)
        tag = self._tag(given) or self._insert(self._unit.tables["tag"], {"name": _argument(given, "tagName", str)})
        return self._tie(kind, row, tag) or self._insert(
            self._unit.tables["tagged_object"],
            {
                "tagId": int(tag.id),
                "objectType": OBJECT_TYPES[kind],
                "objectId": int(row.id),
                "objectName": _called(kind, row),
            },
        )

    def remove_tag(self, kind: str, id: int, given: Mapping[str, Any]) -> None:
        """Take a tag off a record; raises Refused (242) when the record does not bear it."""
        row, tag = self.get(kind, id), self._tag(given)
        tie = tag and self._tie(kind, row, tag)
        if not tie:
            raise Refused(242)
        self.delete("tagged_object", int(tie.id))

    def _tag(self, given: Mapping[str, Any]) -> Row | None:
        tags = self._unit.tables["tag"]
        if "tagId" in given:
            tag = tags.get(str(_argument(given, "tagId", int)))
            if tag is None:
                raise Refused(242)
            return tag
        name = _argument(given, "tagName", str)
        if not name.strip() or "\0" in name:
            raise Refused(206, "tagName")
        return next(iter(tags.find("name", name)), None)

    def _tie(self, kind: str, row: Row, tag: Row) -> Row | None:
        ties = self._unit.tables["tagged_object"].find("objectId", int(row.id))
        held = (OBJECT_TYPES[kind], int(tag.id))
        return next((tie for tie in ties if (tie.values["objectType"], tie.values["tagId"]) == held), None)

    def _insert(self, table: Records, values: Mapping[str, Any]) -> Row:
        at = self._unit.now()
        row = table.insert(values, at=at, by=self._by)
        self._entered("create", table.name, row.id, dict(values), {}, by=self._by, at=at)
        return row

    def _change(self, kind: str, row: Row, given: Mapping[str, Any]) -> Row:
        values = checked(self._unit, kind, given, new=False)
        self._unique(kind, values, row)
        if row.deleted:
            self._restore(row)
        at = self._unit.now()
        before = self._unit.tables[kind].update(row, values, at=at, by=self._by)
        self._entered("update", kind, row.id, values, before, by=self._by, at=at)
        return row

    def _restore(self, row: Row) -> None:
        at = self._unit.now()
        self._unit.tables["prospect"].restore(row, at=at, by=self._by)
        self._entered("undelete", "prospect", row.id, {}, {}, by=self._by, at=at)

    def _unique(self, kind: str, values: Mapping[str, Any], row: Row | None) -> None:
        """Refuse what another record holds already: an address, a name, a place on a list."""

        def taken(name: str) -> bool:
            return name in values and any(
                other is not row for other in self._unit.tables[kind].find(name, values[name])
            )

        if kind == "prospect" and not self._several() and taken("email"):
            raise Refused(9 if row is None else 54)
        if (kind == "tag" and taken("name")) or (kind == "custom_field" and taken("fieldId")):
            raise Refused(245)
        if kind == "list_membership" and row is None:
            members = self._unit.tables[kind].find("prospectId", values["prospectId"])
            if any(member.values["listId"] == values["listId"] for member in members):
                raise Refused(58)


def _argument(given: Mapping[str, Any], name: str, type: Any, default: Any = None) -> Any:
    """Give an action's argument; raises Refused when it is missing (207) or of another type (206)."""
    value = given.get(name)
    if value is None:
        value = default
    if value is None:
        raise Refused(207, name)
    if not isinstance(value, type) or (type is int and isinstance(value, bool)):
        raise Refused(206, name)
    return value


def _latest(rows: list[Row]) -> Row | None:
    """Give the prospect with the latest activity; without any, the one that was changed last."""

    def rank(row: Row) -> tuple[bool, Any, Any, int]:
        active = row.values.get("lastActivityAt")
        return (active is not None, active or row.modified, row.modified, int(row.id))

    return max(rows, key=rank, default=None)


def _called(kind: str, row: Row) -> str | None:
    return row.values.get("email" if kind in ("prospect", "user") else "name")
