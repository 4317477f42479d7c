"""Records as answers hold them become rows and departures, and a place in the order of changes becomes a cursor."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from operator import itemgetter
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar

import attrs

from ...errors import ContractBroken, UsageError
from ...kit import array, instant, instant_member, is_table, member, open_cursor, seal, table, utc_text
from ...model import MISSING, Cell, Deleted, Departure, Merged, Missing, Moved, RecordRef, Rows
from ._capabilities import OVERLAP
from ._columns import Described
from ._ids import long_id
from ._soql import quoted

T = TypeVar("T", bound=Hashable)
U = TypeVar("U")

ORDER = "SystemModstamp, Id"

_MARKERS = (
    "Id",
    "SystemModstamp",
    "LastModifiedById",
    "IsDeleted",
    "MasterRecordId",
    "IsConverted",
    "ConvertedContactId",
)
"""Fields that say what became of a record; a kind has those of them that it has."""

_SETTLED = OVERLAP + dt.timedelta(minutes=2)
"""An open transaction may end this much after its stamp; and an answer may have been two minutes on its way."""

_LOCATOR = re.compile(r"/services/data/v\d+\.\d/query(?:All)?/[A-Za-z0-9-]+", re.IGNORECASE)

_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_FORMS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        **dict.fromkeys(("top", "since", "stamp", "asked"), _STAMP),
        "id": re.compile(r"[A-Za-z0-9]{18}"),
        "next": _LOCATOR,
        "walking": re.compile("True"),
    }
)
"""What the parts of a cursor look like: it comes back from a store, and parts of it become parts of a query."""


Record: TypeAlias = Mapping[str, Any]
"""A record as the vendor tells it."""


@attrs.frozen
class Place:
    """Say where a walk through the changes of a kind has come to."""

    top: str = ""
    """The highest stamp ever seen: between walks, all that is kept."""
    since: str = ""
    """Where this walk began; empty for one from the beginning of time."""
    stamp: str = ""
    id: str = ""
    """The last record returned, with its stamp."""
    next: str = ""
    """The vendor's own address of the next page."""
    asked: str = ""
    """The vendor's clock when it ran the query of which the next page is a part."""
    walking: bool = False

    @classmethod
    def opened(cls, system: str, cursor: str | None) -> Place:
        """Read a cursor; one that ended a walk begins the next one, an overlap before the highest stamp."""
        parts = open_cursor(system, cursor)
        if not all(_FORMS[name].fullmatch(str(part)) if name in _FORMS else False for name, part in parts.items()):
            raise UsageError(f"{system}: the cursor was not made by this connector")
        place = cls(**parts)
        if place.walking:
            return place
        since = utc_text(instant(place.top) - OVERLAP) if place.top else ""
        return attrs.evolve(place, since=since, walking=True)

    @property
    def sealed(self) -> str:
        """Give the cursor that stands for this place."""
        return seal(**attrs.asdict(self))

    @property
    def where(self) -> str:
        """Ask for all that comes after this place."""
        if self.id:
            return f"SystemModstamp > {self.stamp} OR (SystemModstamp = {self.stamp} AND Id > {quoted(self.id)})"
        return f"SystemModstamp >= {self.since}" if self.since else ""

    def after(self, last: tuple[str, str] | None, following: str, asked: str) -> Place:
        """Move on past the last record of a page, to the page at the address *following*."""
        stamp, id = last or (self.stamp, self.id)
        return attrs.evolve(self, top=max(self.top, stamp), stamp=stamp, id=id, next=following, asked=asked)

    def ended(self) -> Place:
        """Forget all but the highest stamp."""
        return Place(top=self.top)


def next_page(system: str, body: Mapping[str, Any], page: str = "") -> str:
    """Give the address of the page that follows *page* of a query, or an empty text after the last.

    Raises ContractBroken for an address that is no query page, since it would be asked with our token, and for *page*
    itself, since it would be asked for ever.
    """
    if member(system, body, "done", bool):
        return ""
    path = member(system, body, "nextRecordsUrl", str)
    if not _LOCATOR.fullmatch(path) or path == page:
        raise ContractBroken(system, "the next page is not where pages are")
    return path


@attrs.frozen
class Reader:
    """Turns records into rows of some fields."""

    system: str
    kind: Described
    fields: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """Name what a query must select: the markers, and those of the fields that exist."""
        columns = self.kind.columns
        return list(dict.fromkeys(name for name in (*_MARKERS, *self.fields) if name in columns))

    def records(self, body: Mapping[str, Any]) -> list[Record]:
        """Take the records out of an answer, with ids of one form; raises ContractBroken where one has none."""
        return [self._record(told) for told in array(self.system, body.get("records"), "records")]

    def _record(self, told: object) -> Record:
        record = table(self.system, told, "a record")
        id = _target(record, "Id")
        if not id:
            raise ContractBroken(self.system, "a record has no id")
        return record if id == record["Id"] else {**record, "Id": id}

    def rows(self, records: Sequence[Record], asked: str) -> Rows:
        """Put records into columns, departed ones too.

        *asked* is when the vendor read them by its own clock; empty where it did not say.
        """
        return self._rows(_latest(records), asked)

    def _rows(self, latest: Mapping[str, Record], asked: str) -> Rows:
        records = list(latest.values())
        stamps = self._stamps(records)
        columns = [self._column(records, name) for name in self.fields]
        return Rows(
            self.system,
            self.kind.kind,
            self.fields,
            ids=tuple(latest),
            cells=tuple(zip(*columns, strict=True)) if columns else ((),) * len(records),
            versions=self._versions(stamps, asked),
            stamps=stamps,
            authors=_authors(records),
        )

    def parted(self, records: Sequence[Record], asked: str) -> tuple[Rows, tuple[Departure, ...]]:
        """Part those that are still what they were from those that left."""
        latest = _latest(records)
        leaving = [(id, one) for id, one in latest.items() if one.get("IsDeleted") or one.get("IsConverted")]
        departures = {id: gone for id, record in leaving if (gone := self._departure(id, record))}
        staying = {id: record for id, record in latest.items() if id not in departures} if departures else latest
        return self._rows(staying, asked), tuple(departures.values())

    def last(self, records: Sequence[Record]) -> tuple[str, str] | None:
        """Give stamp and id of the last record, the place from which reading goes on."""
        if not records:
            return None
        return utc_text(instant_member(self.system, records[-1], "SystemModstamp")), str(records[-1]["Id"])

    def _departure(self, id: str, record: Record) -> Departure | None:
        ref = RecordRef(self.system, self.kind.kind, id)
        if record.get("IsConverted") is True and (contact := _target(record, "ConvertedContactId")):
            return Moved(ref, RecordRef(self.system, "Contact", contact))
        if record.get("IsDeleted") is not True:
            return Deleted(ref) if record.get("IsConverted") is True else None
        master = _target(record, "MasterRecordId")
        return Merged(ref, attrs.evolve(ref, id=master)) if master else Deleted(ref)

    def _stamps(self, records: Sequence[Record]) -> tuple[dt.datetime, ...]:
        told: list[Any] = [record.get("SystemModstamp") for record in records]
        try:
            return _mapped(instant, told)
        except (TypeError, ValueError):
            raise ContractBroken(self.system, "SystemModstamp is no instant") from None

    def _versions(self, stamps: Sequence[dt.datetime], asked: str) -> tuple[str | None, ...]:
        """Give a stamp as version once nothing can change the record under it.

        Vendor: stamps count seconds, and a transaction shows up to ten minutes after its stamp: until then two states
        of a record may carry one stamp. A formula or a parent's field changes without any stamp. The vendor's clock is
        never behind the newest stamp, which stands in for it where an answer has no `Date`.
        """
        columns = self.kind.columns
        if not stamps or not all(columns[name].own for name in self.fields if name in columns):
            return (None,) * len(stamps)
        over = (instant(asked) if asked else max(stamps)) - _SETTLED
        return _mapped(lambda stamp: utc_text(stamp) if stamp <= over else None, stamps)

    def _column(self, records: Sequence[Record], name: str) -> Sequence[Cell | Missing]:
        """Read one field of all records."""
        column = self.kind.columns.get(name)
        if column is None:
            return [MISSING] * len(records)
        try:
            return column.cells(_told(records, name))
        except ValueError:
            raise ContractBroken(self.system, f"{self.kind.kind}.{name} is not of its type") from None


def _told(records: Sequence[Record], name: str) -> Sequence[Any]:
    try:
        return [*map(itemgetter(name), records)]
    except KeyError:
        # A parent's field, or one that some record does not tell.
        return [dug(record, name) for record in records]


def dug(record: Record, path: str) -> Any:
    """Take a value out of a record, through its parents where the path is dotted; MISSING where it was not told."""
    value: Any = record
    for name in path.split("."):
        if value is None:
            return None
        if not is_table(value) or name not in value:
            return MISSING
        value = value[name]
    return value


def _latest(records: Sequence[Record]) -> dict[str, Record]:
    return {record["Id"]: record for record in records}


def _authors(records: Sequence[Record]) -> tuple[str | None, ...]:
    told = [record.get("LastModifiedById") for record in records]
    return _mapped(lambda id: long_id(id) or None, [id if isinstance(id, str) else "" for id in told])


def _mapped(make: Callable[[T], U], values: Sequence[T]) -> tuple[U, ...]:
    """Make something of each value, of equal ones once: many records of a page were written at once, and by one."""
    made = {value: make(value) for value in set(values)}
    return tuple(map(made.__getitem__, values))


def _target(record: Record, name: str) -> str:
    value = record.get(name)
    return long_id(value) if isinstance(value, str) else ""
