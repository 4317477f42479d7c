"""One object of the org: its table, and its rules compiled once so that a collection of 200 is stored quickly."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import attrs

from crmbridge.testing.fakes.salesforce.ids import Minter
from crmbridge.testing.fakes.salesforce.rules import RULES, Derive, nothing
from crmbridge.testing.fakes.salesforce.schema import SYSTEM, Shape, completed
from crmbridge.testing.fakes.salesforce.storing import Storing
from crmbridge.testing.fakes.salesforce.values import Check, EmailRule, check_for, plain_length
from crmbridge.testing.tables import Field, Row, Table

STAMPED = frozenset(line.split()[0] for line in SYSTEM.splitlines())


@attrs.frozen
class Entry:
    """A field with its check."""

    field: Field
    check: Check
    plain: int
    """The length up to which a text needs no check; -1 where every text does."""


@attrs.frozen
class Plan:
    """What is done with the records that give the same names in the same order."""

    stored: Storing
    names: tuple[str, ...]
    """The fields that are stored."""
    required: tuple[str, ...]
    """The required fields among those that are stored."""
    unique: tuple[Field, ...]
    """The unique fields among those that are stored."""
    touched: tuple[str, ...]
    """The fields among those that are found quickly which such a record can change."""
    key: str | None
    """The name of the cell that is passed over because it says which record is meant."""
    has_id: bool
    """Whether a name that is not the key is `Id`."""

    def told(self, given: Mapping[str, Any]) -> Any:
        """Give the value that says which record is meant; None when there is none."""
        return None if self.key is None else given[self.key]


class Kind:
    """An object type: what `describe` tells, and what writing and reading need to be quick."""

    def __init__(self, shape: Shape, rule: EmailRule) -> None:
        self.shape = shape
        self.name = shape.name
        self.prefix = shape.prefix
        self.table = Table(shape.name, shape.fields(), new_id=Minter(shape.prefix), fold=True)
        self.derive: Derive = RULES.get(shape.name, nothing)
        self.log: list[tuple[str, str]] = []
        """Stamp and id of every write, by stamp: what a question for changes since a moment looks at."""
        self.redescribed: datetime | None = None
        """When its fields changed last; None where they are those that it began with."""
        self.compile(rule)

    def compile(self, rule: EmailRule) -> None:
        """Make anew what follows from the fields."""
        fields = list(self.table.fields.values())
        self.entries: dict[str, Entry] = {}
        for field in fields:
            entry = Entry(field, check_for(field, rule), plain_length(field, rule))
            self.entries[field.name] = self.entries[field.name.lower()] = entry
        self.plans: dict[tuple[bool, str], Mapping[tuple[str, ...], Plan]] = {}
        self.defaults = {field.name: field.default for field in fields if field.default is not None}
        self.required = tuple(field.name for field in fields if field.required)
        self.unique = tuple(field for field in fields if field.unique)
        self.related = {field.relationship.lower(): field for field in fields if field.references}

    def add_field(self, field: Field, rule: EmailRule) -> None:
        """Give the object one more field."""
        self.table.add_field(completed(field))
        self.compile(rule)

    def drop_field(self, name: str, rule: EmailRule) -> None:
        """Take a field away, as an administrator may between two runs."""
        self.table.drop_field(name)
        self.compile(rule)

    def looks_up(self, field: Field) -> bool:
        """Say whether a field tells which record is meant: in a path, in an upsert and where a child names its parent."""
        # Vendor: the names of custom objects do, those of standard objects do not (Object Reference, "API Field
        # Properties"; forcedotcom/dataloader #329).
        named = field.name == "Name" and self.name.endswith("__c")
        return field.external_id or field.unique or field.type in ("email", "id") or named

    def note(self, stamp: str, id: str) -> None:
        """Remember that a record moved."""
        log = self.log
        if not log or stamp >= log[-1][0]:
            log.append((stamp, id))
        else:
            insort(log, (stamp, id))

    def since(self, stamp: str) -> Iterable[Row]:
        """Give the records that moved at or after a stamp, each once; those that have moved on since are among them."""
        moved = dict.fromkeys(id for _, id in self.log[bisect_left(self.log, (stamp, "")) :])
        return [row for id in moved if (row := self.table.all.get(id))]

    def shown(self, row: Row) -> dict[str, Any]:
        """Give a record with all its fields, blank ones as None."""
        values = row.values
        return {"Id": row.id, **{name: values.get(name) for name in self.table.fields}}
