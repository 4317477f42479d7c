"""One object of the org: its table, and its rules compiled once so that a collection of 200 is stored quickly."""

from bisect import bisect_left, insort
from collections.abc import Iterable
from typing import Any

from crmbridge.testing.fakes.salesforce.ids import Minter
from crmbridge.testing.fakes.salesforce.schema import SYSTEM, Shape, completed
from crmbridge.testing.fakes.salesforce.values import Check, EmailRule, check_for
from crmbridge.testing.tables import Field, Row, Table

Entry = tuple[str, Check, bool, bool, Field | None]
"""A field's own name, its check, whether it can be written on create and on update, and itself if it is a reference."""

STAMPED = frozenset(line.split()[0] for line in SYSTEM.splitlines())


class Kind:
    """An object type: what `describe` tells, and what writing and reading need to be quick."""

    def __init__(self, shape: Shape, rule: EmailRule) -> None:
        self.shape = shape
        self.name = shape.name
        self.prefix = shape.prefix
        self.table = Table(shape.name, shape.fields(), new_id=Minter(shape.prefix), fold=True)
        self.log: list[tuple[str, str]] = []
        """Stamp and id of every write, by stamp: what a question for changes since a moment looks at."""
        self.compile(rule)

    def compile(self, rule: EmailRule) -> None:
        """Make anew what follows from the fields."""
        fields = list(self.table.fields.values())
        self.entries: dict[str, Entry] = {}
        for field in fields:
            entry = (
                field.name,
                check_for(field, rule),
                field.createable,
                field.updateable,
                field if field.references else None,
            )
            self.entries[field.name] = self.entries[field.name.lower()] = entry
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
