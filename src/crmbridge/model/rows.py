"""What a system says: rows in columns, and records as views of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TypeAlias

import attrs

from ..reasons import Reason
from .refs import MISSING, Cell, Missing, RecordRef


@attrs.frozen(eq=False)
class Rows:
    """Hold records of one kind in columns: `cells` has one tuple a row, in the order of `fields`.

    `versions`, `stamps` and `authors` are as long as `ids`, or empty where the system tells none.
    """

    system: str
    kind: str
    fields: tuple[str, ...]
    """Dotted where the vendor nests: `Account.Name`."""
    ids: tuple[str, ...] = ()
    cells: tuple[tuple[Cell | Missing, ...], ...] = attrs.field(default=(), repr=False)
    versions: tuple[str | None, ...] = ()
    """Opaque; what goes back in `Update.if_version`."""
    stamps: tuple[dt.datetime | None, ...] = ()
    """When each record last changed, by the system's clock."""
    authors: tuple[str | None, ...] = ()
    """By whom, where the system tells."""

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[Record]:
        return (Record(self, row) for row in range(len(self.ids)))

    def ref(self, row: int) -> RecordRef:
        """Point at one row's record."""
        return RecordRef(self.system, self.kind, self.ids[row])

    @classmethod
    def none(cls, system: str, kind: str, fields: Sequence[str] = ()) -> Rows:
        """Hold no records."""
        return cls(system, kind, tuple(fields))


@attrs.frozen(eq=False)
class Record:
    """Look at one row by name; made on demand for those who write rules."""

    rows: Rows = attrs.field(repr=False)
    row: int

    @cached_property
    def ref(self) -> RecordRef:
        """Point at this record."""
        return self.rows.ref(self.row)

    @property
    def version(self) -> str | None:
        """Tell the version that was read, as the system wrote it."""
        return self.rows.versions[self.row] if self.rows.versions else None

    @property
    def stamp(self) -> dt.datetime | None:
        """Tell when the record last changed, by the system's clock."""
        return self.rows.stamps[self.row] if self.rows.stamps else None

    @property
    def author(self) -> str | None:
        """Tell who changed the record last, where the system says so."""
        return self.rows.authors[self.row] if self.rows.authors else None

    def get(self, field: str) -> Cell | Missing:
        """Read one field; `MISSING` where it was not asked for."""
        try:
            return self.rows.cells[self.row][self.rows.fields.index(field)]
        except ValueError:
            return MISSING

    def __repr__(self) -> str:
        return f"Record({self.ref})"


@attrs.frozen
class Deleted:
    """The record is gone."""

    ref: RecordRef


@attrs.frozen
class Merged:
    """The record was folded into another of the same person or company and lives on there."""

    ref: RecordRef
    into: RecordRef


@attrs.frozen
class Moved:
    """The record lives on under another kind; a converted lead is now its contact."""

    ref: RecordRef
    into: RecordRef


Departure: TypeAlias = "Deleted | Merged | Moved"
"""A record left its ref."""


@attrs.frozen
class Query:
    """Ask for one page of changes of a kind; a cursor of None means from the beginning."""

    kind: str
    fields: tuple[str, ...]
    cursor: str | None = None
    limit: int = 2000


@attrs.frozen(eq=False)
class Page:
    """What came back. A record stands in it once, in its last state."""

    rows: Rows
    departures: tuple[Departure, ...] = ()
    cursor: str | None = None
    """Where reading goes on; safe to store once every row of this page is durable."""
    more: bool = False
    complete: bool = False
    """True only on the last page of an uninterrupted read from the beginning; only then does absence mean deletion."""
    clock: dt.datetime | None = None
    """What the system's own clock showed when it answered, where it says so; its stamps are times of that clock."""
    unreadable: Mapping[RecordRef, Reason] = attrs.field(factory=lambda: dict[RecordRef, Reason]())
    """Why records of this page cannot be taken as they are: each goes into quarantine alone, and nothing of it crosses."""
