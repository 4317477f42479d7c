"""Finds the rows that a query is about: candidates by an index, then its conditions, its order, its limit."""

from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from typing import Any

import attrs

from crmbridge.testing.fakes.salesforce.conditions import ID, Conditions, Reach, Test, reach
from crmbridge.testing.fakes.salesforce.errors import Refused
from crmbridge.testing.fakes.salesforce.joins import check_places, check_sides
from crmbridge.testing.fakes.salesforce.kinds import Kind
from crmbridge.testing.fakes.salesforce.org import Org
from crmbridge.testing.fakes.salesforce.statement import Compare, Condition, Group, Query, wrong
from crmbridge.testing.tables import Row


@attrs.frozen
class Finder:
    """Looks into one org at one moment; `deleted` as queryAll does."""

    org: Org
    now: datetime
    deleted: bool

    def kind(self, query: Query) -> Kind:
        """Find the object of a query; raises the vendor's INVALID_TYPE."""
        try:
            return self.org.kind(query.kind)
        except Refused:
            message = (
                f"sObject type '{query.kind}' is not supported. If you are attempting to use a custom object, be sure"
                " to append the '__c' after the entity name. Please reference your WSDL or the describe call for the"
                " appropriate names."
            )
            raise wrong("INVALID_TYPE", query.text, query.kind_position, message) from None

    def conditions(self, query: Query, kind: Kind) -> Conditions:
        """Give what makes tests for records of an object."""
        text = query.text
        check_places(query.where, text)

        def resolve(compare: Compare) -> Reach:
            return reach(self.org, kind, compare.path, text, compare.position)

        def join(compare: Compare, left: Reach, inner: Query) -> set[Any]:
            inside = self.kind(inner)
            right = check_sides(
                (kind, compare, left),
                (inside, inner),
                lambda path, position: reach(self.org, inside, path, text, position),
            )
            # Vendor: nothing is joined by a blank.
            return {right.get(row.values) for row in self.found(inner, inside)} - {None}

        return Conditions(text, self.now, resolve, join)

    def found(self, query: Query, kind: Kind) -> Iterable[Row]:
        """Give the rows that the conditions admit."""
        conditions = self.conditions(query, kind)
        test = conditions.test(query.where)
        candidates = self._candidates(kind, query.where, conditions)
        # Without a sort key a LIMIT ends the search early, so what is found is given one by one.
        return self.admitted(kind.table.all.values() if candidates is None else candidates, test)

    def admitted(self, rows: Iterable[Row], test: Test) -> Iterable[Row]:
        """Give those rows that pass a test, and are not in the bin unless that is looked into."""
        return (row for row in rows if (self.deleted or not row.deleted) and test(row.values))

    def picked(self, query: Query, kind: Kind, rows: Iterable[Row]) -> list[Row]:
        """Give rows in the order of a query, and of them as many as it asks for."""
        stop = None if query.limit is None else query.offset + query.limit
        return list(islice(self._sorted(query, kind, rows), query.offset, stop))

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
            found = reach(self.org, kind, order.path, query.text, order.position)
            get, fold = found.get, found.field.key
            blank = [row for row in rows if get(row.values) is None]
            held = [row for row in rows if get(row.values) is not None]
            held.sort(key=lambda row: fold(get(row.values)), reverse=order.descending)
            rows = blank + held if order.nulls_first else held + blank
        return rows
