"""The records of a business unit, as they are and as its readers see them up to a minute later."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import attrs

from crmbridge.testing.fakes.account_engagement._kinds import KINDS, Kind
from crmbridge.testing.tables import Field, Row, Table

Column = Callable[[Row], Any]

ADMINISTRATOR = 1
"""The user who stands for everybody that is no user of the unit: an account always has an administrator."""


class Records(Table):
    """All records of one kind, with the cache that its readers are served from.

    What a reader was shown stays what readers are shown for `lag` seconds, although the record changes meanwhile.
    """

    def __init__(self, kind: Kind, *, now: Callable[[], datetime], lag: float) -> None:
        super().__init__(kind.name, kind.fields)
        self.kind = kind
        self.lag = lag
        self._now = now
        self._seen: dict[str, datetime] = {}
        self._old: dict[str, Row] = {}
        self._changed: dict[str, datetime] = {}
        self._in_order = True

    def insert(self, values: Mapping[str, Any], *, at: datetime, by: str = "", id: str | None = None) -> Row:
        """Store a new record; raises ValueError when the given id is taken or no whole number."""
        if id is not None:
            id = str(id)
            if not id.isascii() or not id.isdecimal() or id.startswith("0"):
                raise ValueError(f"an id of {self.name} is a whole number")
            self._last = max(self._last, int(id))
        row = super().insert(values, at=at, by=by, id=id)
        self._note(row.id, at)
        return row

    def update(self, row: Row, values: Mapping[str, Any], *, at: datetime, by: str = "") -> dict[str, Any]:
        """Overwrite some values and give those that they replaced; a reader may see it later."""
        self._keep(row)
        self._note(row.id, at)
        return super().update(row, values, at=at, by=by)

    def delete(self, row: Row, *, at: datetime, by: str = "") -> None:
        """Put a record into the recycle bin, or away for good where the kind has none."""
        self._keep(row)
        if self.kind.bin:
            self._note(row.id, at)
            super().delete(row, at=at, by=by)
        else:
            self._changed.pop(row.id, None)
            self._old.pop(row.id, None)
            self._seen.pop(row.id, None)
            self.purge(row)

    def restore(self, row: Row, *, at: datetime, by: str = "") -> None:
        """Take a record out of the recycle bin."""
        self._keep(row)
        self._note(row.id, at)
        super().restore(row, at=at, by=by)

    def visible(self, row: Row) -> Row:
        """Give a record as a reader sees it now."""
        old = self._old.get(row.id)
        return row if old is None or self._stale(row.id) else old

    def every(self) -> Iterator[Row]:
        """Go through all records as a reader sees them, those in the bin too."""
        return (self.visible(row) for row in self.all.values()) if self._old else iter(self.all.values())

    def holding(self, name: str, value: Any) -> list[Row]:
        """Give what a reader may see with this value in an indexed field, and perhaps a few records more."""
        found = {row.id: row for row in self.find(name, value, deleted=True)}
        found.update((id, self.all[id]) for id in self._old)
        return [self.visible(row) for row in found.values()]

    def changed_since(self, moment: datetime) -> Iterable[Row]:
        """Give what a reader may see as changed at this moment or later, and perhaps more records."""
        if not self._in_order:
            return self.every()
        rows: list[Row] = []
        for id, at in reversed(self._changed.items()):
            if at < moment:
                break
            rows.append(self.visible(self.all[id]))
        return rows

    def show(self, rows: Iterable[Row]) -> None:
        """Take into the cache what a reader is being shown."""
        now = self._now()
        for row in rows:
            if row.id not in self._seen or self._stale(row.id):
                self._seen[row.id] = now
                self._old.pop(row.id, None)

    def fresh(self) -> None:
        """Forget what readers were shown."""
        self._seen.clear()
        self._old.clear()

    def _stale(self, id: str) -> bool:
        return (self._now() - self._seen[id]).total_seconds() >= self.lag

    def _keep(self, row: Row) -> None:
        """Keep the state that readers were shown, just before the record changes."""
        if row.id not in self._seen:
            return
        if self._stale(row.id):
            del self._seen[row.id]
            self._old.pop(row.id, None)
        elif row.id not in self._old:
            self._old[row.id] = attrs.evolve(row, values=dict(row.values))

    def _note(self, id: str, at: datetime) -> None:
        # The order of change is the order of this dict for as long as nobody writes with an earlier time than before.
        if self._changed and at < next(reversed(self._changed.values())):
            self._in_order = False
        self._changed.pop(id, None)
        self._changed[id] = at


class Unit:
    """One business unit: its records, its clock, and how both look from outside."""

    def __init__(self, *, now: Callable[[], datetime], lag: float, offset: timedelta) -> None:
        self.now = now
        self.zone = timezone(offset)
        self.tables: dict[str, Records] = {kind.name: Records(kind, now=now, lag=lag) for kind in KINDS}
        self._printed: dict[datetime, str] = {}

    def field(self, kind: str, name: str) -> Field | None:
        """Describe a field, also one that a custom field's record adds to prospects."""
        found = self.tables[kind].field(name)
        if found is not None or kind != "prospect" or not name.endswith("__c"):
            return found
        rows = self.tables["custom_field"].find("fieldId", name.removesuffix("__c"))
        if not rows or rows[0].values["fieldId"] != name.removesuffix("__c"):
            return None
        return custom(name, rows[0].values)

    def printed(self, moment: datetime) -> str:
        """Write a moment as the account does: whole seconds in its own offset."""
        text = self._printed.get(moment)
        if text is None:
            if len(self._printed) > 10_000:
                self._printed.clear()
            text = self._printed[moment] = moment.astimezone(self.zone).isoformat(timespec="seconds")
        return text

    def user_id(self, by: str) -> int:
        """Give the id of the user who did something: the one of that user name, else the administrator."""
        found = self.tables["user"].find("username", by) if by else []
        return int(found[0].id) if found else ADMINISTRATOR

    def owner(self, row: Row) -> str | None:
        """Give the Salesforce id of the user whom a prospect is assigned to."""
        user = self.tables["user"].all.get(str(row.values.get("assignedToId")))
        return user.values.get("salesforceId") if user else None

    def raw(self, kind: str, field: Field) -> Column:
        """Give the function that reads a field's value from a record, moments as moments."""
        name = field.name
        derived: dict[str, Column] = {
            "id": lambda row: int(row.id),
            "isDeleted": lambda row: row.deleted,
            "createdAt": lambda row: row.created.replace(microsecond=0),
            "updatedAt": lambda row: row.modified.replace(microsecond=0),
            "createdById": lambda row: self.user_id(row.created_by),
            "updatedById": lambda row: self.user_id(row.modified_by),
            "objectCount": lambda row: len(self.tables["tagged_object"].find("tagId", int(row.id))),
        }
        if kind == "prospect" and name == "salesforceOwnerId":
            return self.owner
        if kind == "prospect" and name == "userId":
            name = "assignedToId"
        return derived.get(name) or (_several(name) if field.type == "list" else _single(name))

    def column(self, kind: str, field: Field) -> Column:
        """Give the function that reads a field's value from a record as JSON shows it."""
        raw = self.raw(kind, field)
        if field.type != "datetime":
            return raw
        if field.name == "createdAt":
            return lambda row: self.printed(row.created)
        if field.name == "updatedAt":
            return lambda row: self.printed(row.modified)

        def moment(row: Row) -> str | None:
            value = raw(row)
            return None if value is None else self.printed(value)

        return moment

    def forget_field(self, name: str) -> None:
        """Take what prospects hold in a custom field away with it, so that nothing is left for one of the same name."""
        for row in self.tables["prospect"].all.values():
            if name in row.values:
                row.values = {other: value for other, value in row.values.items() if other != name}


def _single(name: str) -> Column:
    def read(row: Row) -> Any:
        value = row.values.get(name)
        # Held since before the field was told to record one response only.
        return (value[-1] if value else None) if value.__class__ is list else value

    return read


def _several(name: str) -> Column:
    def read(row: Row) -> Any:
        value = row.values.get(name)
        return value if value is None or value.__class__ is list else [value]

    return read


def derived(name: str) -> bool:
    """Say whether a field is not stored but follows from the record."""
    return name in ("id", "isDeleted", "createdAt", "updatedAt", "createdById", "updatedById", "objectCount")


def custom(name: str, described: Mapping[str, Any]) -> Field:
    """Describe the field of prospects that a custom field's record stands for."""
    if described["type"] in ("Checkbox", "Multi-Select") or described.get("isRecordMultipleResponses"):
        return Field(name, "list")
    return Field(name, {"Number": "number", "Date": "date"}.get(described["type"], "string"))
