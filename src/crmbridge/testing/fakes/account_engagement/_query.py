"""Queries: filters, order, pages and the tokens that lead from one page to the next (guide page version5overview)."""

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from crmbridge.testing.fakes.account_engagement._records import Records, Unit
from crmbridge.testing.fakes.account_engagement._refusals import Refused
from crmbridge.testing.tables import Field, Row

Test = Callable[[Any, Any], bool]

TOKEN_LIFE = timedelta(hours=4)
MOST, USUAL, FARTHEST = 1000, 200, 2000
"""Records in a page, records in a page when nothing is said, and the largest offset."""

_MOMENTS: Mapping[str, Test] = {
    "AfterOrEqualTo": lambda a, b: a >= b,
    "BeforeOrEqualTo": lambda a, b: a <= b,
    "After": lambda a, b: a > b,
    "Before": lambda a, b: a < b,
}
_NUMBERS: Mapping[str, Test] = {
    "GreaterThanOrEqualTo": lambda a, b: a >= b,
    "LessThanOrEqualTo": lambda a, b: a <= b,
    "GreaterThan": lambda a, b: a > b,
    "LessThan": lambda a, b: a < b,
}
_TESTS: Mapping[str, Test] = {**_MOMENTS, **_NUMBERS, "": lambda a, b: a == b}
_DELETED = {"false": (False,), "true": (True,), "all": (False, True)}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:?\d\d)", re.ASCII)


def moment(text: str, about: str) -> datetime:
    """Read a date and time with its offset; raises Refused (57) for everything else, a lost plus sign too."""
    try:
        if not _MOMENT.fullmatch(text):
            raise Refused(57, about)
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as wrong:
        raise Refused(57, about) from wrong


def whole(text: str, code: int, about: str = "") -> int:
    """Read a whole number of at most 18 digits, or refuse it with a code."""
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise Refused(code, about)
    return int(text)


@attrs.frozen
class Filter:
    """One condition on one field."""

    field: Field
    test: str
    value: Any = attrs.field(repr=False)


@attrs.frozen
class Walk:
    """What a query found, in its order: each page of one walk is a part of it."""

    kind: str
    ids: tuple[str, ...]
    limit: int
    deleted: tuple[bool, ...]
    complete: bool
    """Whether the walk leads to the end of what was found."""


@attrs.frozen
class Page:
    """Some records of a walk, and the token of those that come next."""

    rows: list[Row] = attrs.field(repr=False)
    token: str | None
    last: bool
    """Whether the walk ends here although more records were found."""


class Queries:
    """The walks that are under way in a unit; a walk is forgotten when its last token has expired."""

    def __init__(self, unit: Unit, *, seed: int, farthest: int) -> None:
        self._unit = unit
        self._key = f"page tokens {seed}".encode()
        self._farthest = farthest
        self._walks: dict[int, tuple[Walk, datetime]] = {}
        self._last = 0

    def begin(self, kind: str, parameters: Mapping[str, str]) -> Page:
        """Find what the parameters ask for and give the first page; raises Refused for what is not allowed."""
        given = dict(parameters)
        limit = whole(given.pop("limit", str(USUAL)), 23)
        if not 1 <= limit <= MOST:
            raise Refused(23)
        offset = whole(given.pop("offset", "0"), 21)
        if not 0 <= offset <= FARTHEST:
            raise Refused(21)
        table = self._unit.tables[kind]
        if "deleted" in given and not table.kind.bin:
            raise Refused(5, "deleted")
        deleted = _DELETED.get(given.pop("deleted", "false"))
        if deleted is None:
            raise Refused(27)
        order = self._order(kind, given.pop("orderBy", ""))
        rows = self._found(kind, self._filters(kind, given), deleted)
        for key, down in reversed(order):
            rows.sort(key=key, reverse=down)
        ids = tuple(row.id for row in rows[offset : offset + self._farthest])
        walk = Walk(kind, ids, limit, deleted, complete=len(rows) - offset <= self._farthest)
        return self._page(walk, 0, None)

    def resume(self, kind: str, token: str) -> Page:
        """Give the page that a token stands for; raises Refused (210, 211) for an old or a strange one."""
        number, at, issued = self._opened(token)
        if self._unit.now().replace(microsecond=0) - issued > TOKEN_LIFE:
            raise Refused(210)
        known = self._walks.get(number)
        if known is None or known[0].kind != kind:
            raise Refused(211)
        return self._page(known[0], at, number)

    # ---- pages ----------------------------------------------------------------------

    def _page(self, walk: Walk, at: int, number: int | None) -> Page:
        table = self._unit.tables[walk.kind]
        stored = (table.all.get(id) for id in walk.ids[at : at + walk.limit])
        rows = [row for row in map(table.visible, filter(None, stored)) if row.deleted in walk.deleted]
        table.show(rows)
        after = at + walk.limit
        if after >= len(walk.ids):
            return Page(rows, None, last=not walk.complete)
        now = self._unit.now()
        if number is None:
            self._walks = {known: entry for known, entry in self._walks.items() if now - entry[1] <= TOKEN_LIFE}
            self._last += 1
            number = self._last
        self._walks[number] = (walk, now)
        return Page(rows, self._sealed(f"{number}.{after}.{int(now.timestamp())}"), last=False)

    def _sealed(self, text: str) -> str:
        seal = hashlib.blake2s(text.encode(), key=self._key[:32], digest_size=12).hexdigest()
        return base64.urlsafe_b64encode(f"{text}.{seal}".encode()).decode()

    def _opened(self, token: str) -> tuple[int, int, datetime]:
        try:
            text, _, _ = base64.urlsafe_b64decode(token.encode("ascii")).decode("ascii").rpartition(".")
            if not text or self._sealed(text) != token:
                raise Refused(211)
            number, at, issued = map(int, text.split("."))
        except ValueError as wrong:
            raise Refused(211) from wrong
        return number, at, datetime.fromtimestamp(issued, UTC)

    # ---- filters and order ------------------------------------------------------------

    def _filters(self, kind: str, given: Mapping[str, str]) -> list[Filter]:
        filters = [self._filter(kind, name, text) for name, text in given.items()]
        if len({filter.field.name for filter in filters}) > 3:
            raise Refused(209)
        return filters

    def _filter(self, kind: str, parameter: str, text: str) -> Filter:
        for suffix in _TESTS:
            name = parameter.removesuffix(suffix)
            field = self._unit.field(kind, name) if parameter.endswith(suffix) else None
            if field is None:
                continue
            allowed = self._unit.tables[kind].kind.filters
            if (allowed is not None and name not in allowed) or field.type == "list":
                break
            if suffix and suffix not in {"datetime": _MOMENTS, "integer": _NUMBERS, "number": _NUMBERS}.get(
                field.type, ()
            ):
                break
            return Filter(field, suffix, _value(field, text, parameter))
        raise Refused(5, parameter[:80])

    def _found(self, kind: str, filters: Iterable[Filter], deleted: tuple[bool, ...]) -> list[Row]:
        table = self._unit.tables[kind]
        rows: Iterable[Row] = [row for row in _candidates(table, filters) if row.deleted in deleted]
        for condition in filters:
            read = self._unit.raw(kind, condition.field)
            rows = _kept(rows, read, condition)
        return sorted(rows, key=lambda row: int(row.id))

    def _order(self, kind: str, text: str) -> list[tuple[Callable[[Row], Any], bool]]:
        order: list[tuple[Callable[[Row], Any], bool]] = []
        for part in filter(None, (part.strip() for part in text.split(","))):
            name, _, direction = part.partition(" ")
            field = self._unit.field(kind, name)
            if field is None or field.type == "list" or name in self._unit.tables[kind].kind.write_only:
                raise Refused(19, name[:80])
            if direction.strip().upper() not in ("", "ASC", "DESC"):
                raise Refused(20)
            order.append((_sortable(self._unit.raw(kind, field), field), direction.strip().upper() == "DESC"))
        return order


def _value(field: Field, text: str, parameter: str) -> Any:
    if field.type == "datetime":
        return moment(text, parameter).replace(microsecond=0)
    if field.type == "integer":
        return whole(text, 16 if field.name == "id" else 56, parameter)
    if field.type == "boolean":
        if text not in ("true", "false"):
            raise Refused(50, parameter)
        return text == "true"
    if field.type == "number":
        if not re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,9})?", text):
            raise Refused(56, parameter)
        return float(text)
    return field.key(text)


def _candidates(table: Records, filters: Iterable[Filter]) -> Iterable[Row]:
    """Give few records that the filters are then asked about: by an index or by the order of change where there is one."""
    for condition in filters:
        name, equal = condition.field.name, not condition.test
        if equal and name == "id":
            found = table.all.get(str(condition.value))
            return [] if found is None else [table.visible(found)]
        if equal and condition.field.indexed and name not in ("createdById", "updatedById"):
            return table.holding(name, condition.value)
        if name == "updatedAt" and condition.test.startswith("After"):
            return table.changed_since(condition.value)
    return table.every()


def _kept(rows: Iterable[Row], read: Callable[[Row], Any], condition: Filter) -> list[Row]:
    test = _TESTS[condition.test]
    value, key = condition.value, condition.field.key
    return [row for row in rows if (held := read(row)) is not None and test(key(held), value)]


def _sortable(read: Callable[[Row], Any], field: Field) -> Callable[[Row], tuple[bool, Any]]:
    """A key by which blanks come first and letters are compared without case, as the vendor's database does."""

    def key(row: Row) -> tuple[bool, Any]:
        value = read(row)
        return (value is not None, 0 if value is None else field.key(value))

    return key
