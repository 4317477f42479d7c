"""A source made of rows in an order: what files and rows in memory have in common.

All rows are gone through once before the first is given: a broken row stops a run before anything is written, two rows
of one id are refused, and what is kept of a row is the place where it stands.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Final, Protocol

import attrs

from .. import _stated
from ..errors import AdapterError, ContractBroken, UsageError
from ..flow import Flow, call
from ..kit import open_cursor, seal
from ..model import MISSING, Absence, Capabilities, Cell, Missing, Page, Query, RecordRef, Rows, Schema, Values
from ._cells import Types, version_of
from ._places import Places

ABSENCES: Final = ("kept", "gone")


def read_whole(system: str, absent: Absence) -> Capabilities:
    """Tell what rows without a stamp promise: each sweep reads all of them, and a hash tells which have changed."""
    if absent not in ABSENCES:
        raise UsageError(f"{system}: absent={absent!r} is none of {', '.join(ABSENCES)}")
    return Capabilities(overlap=dt.timedelta(0), fetch_batch=1000, absent=absent)


@attrs.frozen
class Row:
    """One row, and where it stands."""

    place: int
    """Where reading can begin with this row."""
    line: int
    """For people, counted from 1."""
    values: Values = attrs.field(repr=False)


class Reading(Protocol):
    """Rows while they are being read."""

    @property
    def names(self) -> Sequence[str]:
        """Name the fields, where they are known before any row is read; all of them hold text then."""
        ...

    def rows(self, place: int | None = None, line: int = 0) -> Iterator[Row]:
        """Give the rows from a place on, the first of them being on *line*; from the beginning without a place."""
        ...


class Feed(Protocol):
    """Rows in an order that stays while they do."""

    @property
    def name(self) -> str:
        """Name the file, or what it is, for errors."""
        ...

    def mark(self) -> str:
        """Tell one state of the rows from another."""
        ...

    def reading(self) -> AbstractContextManager[Reading]:
        """Begin to read."""
        ...


def fault(system: str, name: str, line: int, column: str, said: str) -> ContractBroken:
    """Say where a row is broken, by line and column, and never what it holds."""
    where = f"{name}: line {line}" if line else name
    return ContractBroken(system, f"{where}, {column} {said}" if column else f"{where} {said}")


@attrs.frozen
class _Survey:
    """What going through all rows has told."""

    mark: str
    schema: Schema
    places: Places = attrs.field(repr=False)


class FeedSource:
    """Read a feed as one kind of records; nothing of it can be written."""

    def __init__(
        self, system: str, kind: str, id: str, feed: Feed, absent: Absence, fields: Sequence[str] = ()
    ) -> None:
        self._system = system
        self._kind = kind
        self._id = id
        self._feed = feed
        self._promised = read_whole(system, absent)
        self._fields = _stated.texts(f"{system}.{kind}", "fields", fields)
        self._survey: _Survey | None = None

    def __repr__(self) -> str:
        return f"<{self._feed.name} as {self._system}.{self._kind}>"

    @property
    def system(self) -> str:
        """Name the source, as reasons and reports will."""
        return self._system

    def capabilities(self, kind: str) -> Capabilities:
        """Tell what is promised: each sweep reads all rows."""
        self._own(kind)
        return self._promised

    def schema(self, kind: str) -> Flow[Schema]:
        """Tell the fields that the rows have, and the sort of values that stand in them."""
        self._own(kind)
        return call(lambda: self._surveyed().schema)

    def read(self, query: Query) -> Flow[Page]:
        """Read one page of rows; after the last one, reading begins again from the first."""
        self._own(query.kind)
        return call(self._read, query)

    def fetch(self, refs: Sequence[RecordRef], fields: Sequence[str]) -> Flow[Page]:
        """Read rows by id."""
        for ref in refs:
            self._own(ref.kind)
        return call(self._fetch, refs, tuple(fields))

    def _own(self, kind: str) -> None:
        if kind != self._kind:
            raise UsageError(f"{self._system} holds records of the kind {self._kind!r}, not {kind!r}")

    # -- going through all of it ------------------------------------------------------------

    def _surveyed(self, *, anew: bool = False) -> _Survey:
        mark = self._feed.mark()
        if anew or self._survey is None or self._survey.mark != mark:
            self._survey = self._look_through(mark)
        return self._survey

    def _look_through(self, mark: str) -> _Survey:
        places = Places()
        with self._feed.reading() as reading, self._feed.reading() as again:
            types, told = Types((*reading.names, *self._fields)), bool(reading.names)
            for row in reading.rows():
                if not told:
                    types.learn(row.values)
                id = self._id_of(row)
                if any(self._stands(again, place, id) for place in places.find(id)):
                    raise fault(self._system, self._feed.name, row.line, self._id, "repeats the id of an earlier row")
                places.add(id, row.place)
        return _Survey(mark, types.schema(self._kind), places)

    def _stands(self, reading: Reading, place: int, id: str) -> bool:
        return (row := next(reading.rows(place), None)) is not None and self._id_of(row) == id

    def _id_of(self, row: Row) -> str:
        held = row.values.get(self._id)
        if isinstance(held, bool) or not isinstance(held, str | int) or not str(held).strip():
            raise fault(self._system, self._feed.name, row.line, self._id, "holds no id")
        return str(held)

    # -- pages --------------------------------------------------------------------------------

    def _read(self, query: Query) -> Page:
        parts = open_cursor(self._system, query.cursor)
        survey = self._surveyed(anew="place" not in parts)
        with self._feed.reading() as reading:
            rows = self._resumed(reading, parts.get("place"), parts.get("line"), parts.get("last"))
            found = [row for _, row in zip(range(query.limit), rows, strict=False)]
            more = len(found) == query.limit and next(rows, None) is not None
        page = self._rows(query.fields, found)
        mark = parts.get("mark", survey.mark)
        if not more:
            # Reading begins again from the first row; only what was one state from end to end is complete.
            return Page(page, cursor=seal(), complete=mark == survey.mark)
        last = found[-1]
        cursor = seal(place=str(last.place), line=str(last.line), last=page.versions[-1], mark=mark)
        return Page(page, cursor=cursor, more=True)

    def _resumed(self, reading: Reading, place: str | None, line: str | None, last: str | None) -> Iterator[Row]:
        """Go on behind the row that was given last; where another stands in its place, begin again."""
        if place is None or line is None:
            return reading.rows()
        try:
            rows = reading.rows(int(place), int(line))
            given = next(rows, None)
        except (AdapterError, ValueError):
            given, rows = None, reading.rows()
        if given is not None and version_of(given.values) == last:
            return rows
        return reading.rows()

    def _fetch(self, refs: Sequence[RecordRef], fields: tuple[str, ...]) -> Page:
        places = self._surveyed().places
        wanted = sorted({(place, ref.id) for ref in refs for place in places.find(ref.id)})
        with self._feed.reading() as reading:
            found = [
                row
                for place, id in wanted
                if (row := next(reading.rows(place), None)) is not None and self._id_of(row) == id
            ]
        return Page(self._rows(fields, found))

    def _rows(self, fields: tuple[str, ...], found: Sequence[Row]) -> Rows:
        cells: list[tuple[Cell | Missing, ...]] = [
            tuple(row.values.get(name, MISSING) for name in fields) for row in found
        ]
        return Rows(
            self._system,
            self._kind,
            fields,
            tuple(self._id_of(row) for row in found),
            tuple(cells),
            tuple(version_of(row.values) for row in found),
        )
