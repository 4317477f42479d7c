"""Runs a query: finds candidates, tests, sorts, counts, shows; pages are served from a snapshot of ids."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import attrs

from crmbridge.testing.fakes.salesforce.conditions import ID, Conditions, Reach, reach, refuse_grouping
from crmbridge.testing.fakes.salesforce.errors import Refused
from crmbridge.testing.fakes.salesforce.ids import Minter
from crmbridge.testing.fakes.salesforce.kinds import Kind
from crmbridge.testing.fakes.salesforce.org import Org
from crmbridge.testing.fakes.salesforce.soql import Column, Compare, Condition, Group, Query, parse, wrong
from crmbridge.testing.fakes.salesforce.values import NUMBERS
from crmbridge.testing.tables import Field, Row

Record = dict[str, Any]
Show = Callable[[Row], Record]

LIFE = timedelta(days=2)
KEPT = 1_000
"""How long a locator can be followed, and how many are kept before the oldest is forgotten."""


@attrs.define
class Result:
    """What a query found: records to be shown page by page, or finished rows of an aggregate."""

    kind: Kind
    ids: list[str]
    show: Show
    aggregate: list[Record] | None = None
    began: datetime | None = None
    page_size: int = 2_000
    counted: int | None = None

    @property
    def size(self) -> int:
        """Give the number of rows."""
        if self.counted is not None:
            return self.counted
        return len(self.ids if self.aggregate is None else self.aggregate)

    def page(self, start: int, size: int) -> list[Record]:
        """Show some rows as they are now; a record purged meanwhile is left out."""
        if self.aggregate is not None:
            return self.aggregate[start : start + size]
        rows = self.kind.table.all
        return [self.show(row) for id in self.ids[start : start + size] if (row := rows.get(id))]


class Reader:
    """Answers queries over one org."""

    def __init__(self, org: Org) -> None:
        self._org = org

    def run(self, text: str, *, version: str, deleted: bool, now: datetime) -> Result:
        """Run a query; `deleted` as queryAll does. Raises the vendor's refusals."""
        query = parse(text)
        kind = self._kind(query)
        rows = self._rows(query, kind, deleted=deleted, now=now)
        if query.counts_only:
            return Result(kind, [], lambda _: {}, aggregate=[], counted=len(self._cut(query, rows)))
        if query.groups or any(column.function not in ("", "FIELDS") for column in query.columns):
            return Result(kind, [], lambda _: {}, aggregate=self._aggregated(query, kind, rows))
        show = self._show(query, kind, version)
        return Result(kind, [row.id for row in self._cut(query, self._sorted(query, kind, rows))], show)

    def _kind(self, query: Query) -> Kind:
        try:
            return self._org.kind(query.kind)
        except Refused:
            message = (
                f"sObject type '{query.kind}' is not supported. If you are attempting to use a custom object, be sure"
                " to append the '__c' after the entity name. Please reference your WSDL or the describe call for the"
                " appropriate names."
            )
            raise wrong("INVALID_TYPE", query.text, query.kind_position, message) from None

    def _rows(self, query: Query, kind: Kind, *, deleted: bool, now: datetime) -> Iterable[Row]:
        def inner(sub: Query) -> set[Any]:
            target = self._kind(sub)
            found = reach(self._org, target, sub.columns[0].path, sub.text, sub.columns[0].position)
            rows = self._cut(sub, self._sorted(sub, target, self._rows(sub, target, deleted=deleted, now=now)))
            return {found.get(row.values) for row in rows}

        conditions = Conditions(self._org, kind, query, now, inner)
        test = conditions.test(query.where)
        candidates = self._candidates(kind, query.where, conditions)
        rows = kind.table.all.values() if candidates is None else candidates
        # Without a sort key a LIMIT ends the search early, so what is found is given one by one.
        return (row for row in rows if (deleted or not row.deleted) and test(row.values))

    def _candidates(self, kind: Kind, where: Condition | None, conditions: Conditions) -> Iterable[Row] | None:
        """Narrow the search by one condition that an index answers; None means that every record must be looked at."""
        parts = where.parts if isinstance(where, Group) and where.all else (where,)
        for part in parts:
            if not isinstance(part, Compare) or part.inner or any(literal.sort == "range" for literal in part.literals):
                continue
            field = ID if part.path.lower() == "id" else kind.table.field(part.path)
            if field is None:
                continue
            if part.operator in ("=", "IN"):
                keys = dict.fromkeys(conditions.constant(field, literal, part.position) for literal in part.literals)
                if None in keys:
                    continue
                if field is ID:
                    return [row for key in keys if (row := kind.table.all.get(key))]
                if field.unique or field.external_id or field.indexed:
                    return [row for key in keys for row in kind.table.find(field.name, key, deleted=True)]
            if part.operator in (">", ">=") and field.name == "SystemModstamp" and part.literals[0].sort == "moment":
                return kind.since(conditions.constant(field, part.literals[0], part.position))
        return None

    def _sorted(self, query: Query, kind: Kind, found_rows: Iterable[Row]) -> Iterable[Row]:
        if not query.orders:
            return found_rows
        rows = list(found_rows)
        for order in reversed(query.orders):
            found = reach(self._org, kind, order.path, query.text, order.position)
            get, fold = found.get, found.field.key
            blank = [row for row in rows if get(row.values) is None]
            held = [row for row in rows if get(row.values) is not None]
            held.sort(key=lambda row: fold(get(row.values)), reverse=order.descending)
            rows = blank + held if order.nulls_first else held + blank
        return rows

    @staticmethod
    def _cut(query: Query, rows: Iterable[Row]) -> list[Row]:
        stop = None if query.limit is None else query.offset + query.limit
        return list(islice(rows, query.offset, stop))

    # ---- showing ----------------------------------------------------------------------

    def _show(self, query: Query, kind: Kind, version: str) -> Show:
        found = [one for column in query.columns for one in self._columns(query, kind, column)]
        twice = (
            [one.names for one in found if sum(one.names == other.names for other in found) > 1]
            if len(found) < 60
            else []
        )
        if twice and not any(column.function for column in query.columns):
            raise wrong(
                "INVALID_FIELD",
                query.text,
                query.columns[0].position,
                f"duplicate field selected: {'.'.join(twice[0])}",
            )
        head = f"/services/data/v{version}/sobjects/"
        own = f"{head}{kind.name}/"
        flat = [one.names[0] for one in found if len(one.names) == 1]
        nested = [one for one in found if len(one.names) > 1]

        def show(row: Row) -> Record:
            values = row.values
            record: Record = {"attributes": {"type": kind.name, "url": own + row.id}}
            for name in flat:
                record[name] = values.get(name)
            for one in nested:
                self._nest(record, one, values, head)
            return record

        return show

    def _columns(self, query: Query, kind: Kind, column: Column) -> list[Reach]:
        if column.function != "FIELDS":
            return [reach(self._org, kind, column.path, query.text, column.position)]
        if column.path not in ("ALL", "STANDARD", "CUSTOM"):
            raise wrong("MALFORMED_QUERY", query.text, column.position, f"unexpected token: '{column.path}'")
        if column.path != "STANDARD" and (query.limit is None or query.limit > 200):
            text = "The SOQL FIELDS function must have a LIMIT of at most 200"
            raise Refused("MALFORMED_QUERY", text)
        names = [
            name
            for name in kind.table.fields
            if column.path == "ALL" or name.endswith("__c") == (column.path == "CUSTOM")
        ]
        wanted = names if column.path == "CUSTOM" else ["Id", *names]
        return [reach(self._org, kind, name, query.text, column.position) for name in wanted]

    def _nest(self, record: Record, one: Reach, values: Mapping[str, Any], head: str) -> None:
        kind = self._org.kind_of(values["Id"])
        for name in one.names[:-1]:
            via = kind.related.get(name.lower()) if kind else None
            row = self._org.row_of(values.get(via.name) or "", deleted=True) if via else None
            if row is None:
                record.setdefault(name, None)
                return
            values = row.values
            kind = self._org.kind_of(row.id)
            type_ = kind.name if kind else ""
            inner = record.get(name) or {"attributes": {"type": type_, "url": f"{head}{type_}/{row.id}"}}
            record[name] = inner
            record = inner
        last = one.names[-1]
        record[last] = (kind.name if kind else None) if last == "Type" and "Type" not in values else values.get(last)

    # ---- aggregates -------------------------------------------------------------------

    def _aggregated(self, query: Query, kind: Kind, rows: Iterable[Row]) -> list[Record]:
        groups = [reach(self._org, kind, column.path, query.text, column.position) for column in query.groups]
        paths = {group.names: place for place, group in enumerate(groups)}
        # Without groups there is one row, even over nothing.
        buckets: dict[tuple[Any, ...], list[Row]] = {} if groups else {(): []}
        for row in rows:
            buckets.setdefault(tuple(group.get(row.values) for group in groups), []).append(row)
        makers: list[tuple[str, Callable[[tuple[Any, ...], list[Row]], Any]]] = []
        unnamed = 0
        for column in query.columns:
            name = column.alias or f"expr{unnamed}"
            unnamed += bool(column.function and not column.alias)
            if not column.function:
                found = reach(self._org, kind, column.path, query.text, column.position)
                if found.names not in paths:
                    raise refuse_grouping(query.text, column.position, column.path)
                makers.append((column.alias or found.names[-1], _part(paths[found.names])))
            elif not column.path:
                makers.append((name, lambda _, held: len(held)))
            else:
                found = reach(self._org, kind, column.path, query.text, column.position)
                if not _can_be(column.function, found.field):
                    text = f"field {found.field.name} does not support aggregate operator {column.function}"
                    raise wrong("MALFORMED_QUERY", query.text, column.position, text)
                makers.append((name, _total(column.function, found)))
        stop = None if query.limit is None else query.offset + query.limit
        found_rows = [
            {"attributes": {"type": "AggregateResult"}, **{name: make(key, buckets[key]) for name, make in makers}}
            for key in self._ordered(query, kind, list(buckets), paths)
        ]
        return found_rows[query.offset : stop]

    def _ordered(
        self, query: Query, kind: Kind, keys: list[tuple[Any, ...]], paths: Mapping[tuple[str, ...], int]
    ) -> list[tuple[Any, ...]]:
        for order in reversed(query.orders):
            found = reach(self._org, kind, order.path, query.text, order.position)
            place = paths.get(found.names)
            if place is None:
                text = f"Ordered field must be grouped or aggregated: {order.path}"
                raise wrong("MALFORMED_QUERY", query.text, order.position, text)
            blank = [key for key in keys if key[place] is None]
            held = [key for key in keys if key[place] is not None]
            held.sort(key=_at(place, found.field.key), reverse=order.descending)
            keys = blank + held if order.nulls_first else held + blank
        return keys


def _at(place: int, fold: Callable[[Any], Any]) -> Callable[[tuple[Any, ...]], Any]:
    return lambda key: fold(key[place])


def _part(place: int) -> Callable[[tuple[Any, ...], list[Row]], Any]:
    return lambda key, _: key[place]


def _can_be(function: str, field: Field) -> bool:
    if function in ("SUM", "AVG"):
        return field.type == "int" or field.type in NUMBERS
    return field.type not in ("boolean", "textarea", "multipicklist")


def _total(function: str, found: Reach) -> Callable[[tuple[Any, ...], list[Row]], Any]:
    functions: dict[str, Callable[[list[Any]], Any]] = {
        "COUNT": len,
        "COUNT_DISTINCT": lambda held: len({found.field.key(value) for value in held}),
        "SUM": lambda held: sum(held) if held else None,
        "AVG": lambda held: sum(held) / len(held) if held else None,
        "MIN": lambda held: min(held, default=None),
        "MAX": lambda held: max(held, default=None),
    }
    return lambda _, rows: functions[function]([value for row in rows if (value := found.get(row.values)) is not None])


class Cursors:
    """Results whose next pages may be asked for, by locator."""

    def __init__(self) -> None:
        self._open: dict[str, Result] = {}
        self._minted = 0
        self._mint = Minter("01g")

    def keep(self, result: Result, now: datetime) -> str:
        """Keep a result and give its locator."""
        self._minted += 1
        locator = self._mint(self._minted)
        result.began = now
        self._open[locator] = result
        while len(self._open) > KEPT:
            self._open.pop(next(iter(self._open)))
        return locator

    def find(self, locator: str, now: datetime) -> Result:
        """Give a kept result; raises INVALID_QUERY_LOCATOR for an unknown or expired locator."""
        result = self._open.get(locator)
        if result is None or result.began is None or now - result.began > LIFE:
            raise Refused("INVALID_QUERY_LOCATOR", "Invalid query locator", status=404)
        return result

    def expire(self) -> None:
        """Let every open walk fail at its next page."""
        self._open.clear()
