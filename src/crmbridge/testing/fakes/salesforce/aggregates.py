"""Groups of rows, and what is counted and added up over them (SOQL and SOSL Reference, "GROUP BY", "HAVING")."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from crmbridge.testing.fakes.salesforce.conditions import Conditions, Reach, reach
from crmbridge.testing.fakes.salesforce.errors import Refused
from crmbridge.testing.fakes.salesforce.finding import Finder
from crmbridge.testing.fakes.salesforce.kinds import Kind
from crmbridge.testing.fakes.salesforce.numbers import added
from crmbridge.testing.fakes.salesforce.paging import Record
from crmbridge.testing.fakes.salesforce.statement import Compare, Query, wrong
from crmbridge.testing.fakes.salesforce.values import NUMBERS
from crmbridge.testing.tables import Field, Row

Totals = dict[str, Any]
"""What is known of one group, by the name of the expression as it stands in the query."""
Total = Callable[[list[Row]], Any]


def can_be_grouped(field: Field) -> bool:
    """Say whether records can be grouped by a field."""
    return field.type not in ("datetime", "multipicklist", "textarea", *NUMBERS)


def can_be_aggregated(field: Field) -> bool:
    """Say whether a field can be counted, and its least and greatest value be found."""
    return field.type not in ("boolean", "textarea", "multipicklist")


def aggregated(finder: Finder, query: Query, kind: Kind) -> list[Record]:
    """Show the groups of a query; raises the vendor's refusals."""
    grouping = _Grouping(finder, query, kind)
    shown = _shown(query, grouping)
    test = Conditions(query.text, finder.now, grouping.held, _no_join).test(query.having)
    orders = [
        (order, grouping.expression(order.function, order.path, order.position, what="Ordered field"))
        for order in query.orders
    ]
    groups = [totals for totals in grouping.totals(finder.found(query, kind)) if test(totals)]
    for order, found in reversed(orders):
        groups = _sorted(groups, found, descending=order.descending, nulls_first=order.nulls_first)
    stop = None if query.limit is None else query.offset + query.limit
    return [
        {"attributes": {"type": "AggregateResult"}, **{name: found.get(totals) for name, found in shown.items()}}
        for totals in groups[query.offset : stop]
    ]


def _shown(query: Query, grouping: "_Grouping") -> dict[str, Reach]:
    """Name the columns: by alias, by the last part of a path, or by number."""
    shown: dict[str, Reach] = {}
    unnamed = 0
    for column in query.columns:
        found = grouping.expression(column.function, column.path, column.position)
        name = column.alias or (f"expr{unnamed}" if column.function else found.names[-1])
        unnamed += bool(column.function and not column.alias)
        if name in shown:
            raise wrong("MALFORMED_QUERY", query.text, column.position, f"duplicate alias: {name}")
        shown[name] = found
    return shown


def _sorted(groups: list[Totals], found: Reach, *, descending: bool, nulls_first: bool) -> list[Totals]:
    get, fold = found.get, found.field.key
    blank = [totals for totals in groups if get(totals) is None]
    held = [totals for totals in groups if get(totals) is not None]
    held.sort(key=lambda totals: fold(get(totals)), reverse=descending)
    return blank + held if nulls_first else held + blank


def _no_join(compare: Compare, _: Reach, inner: Query) -> set[Any]:
    raise wrong("MALFORMED_QUERY", inner.text, compare.position, "Semi-joins are only supported in WHERE clauses")


class _Grouping:
    """The expressions of one query over groups: each is worked out once, wherever it stands."""

    def __init__(self, finder: Finder, query: Query, kind: Kind) -> None:
        self._org, self._kind, self._text = finder.org, kind, query.text
        self._groups: dict[str, Reach] = {}
        self._totals: dict[str, Total] = {}
        for column in query.groups:
            found = reach(self._org, kind, column.path, self._text, column.position)
            if not can_be_grouped(found.field):
                message = f"field '{column.path}' can not be grouped in a query call"
                raise wrong("INVALID_FIELD", self._text, column.position, message)
            self._groups[".".join(found.names)] = found

    def expression(self, function: str, path: str, position: int, *, what: str = "Field") -> Reach:
        """Resolve an expression as something to be got from what is known of a group; *what* it is called if refused."""
        if function == "COUNT" and not path:
            return self._kept("COUNT()", Field("COUNT()", "int"), len)
        if function == "FIELDS":
            raise self._refusal(position, f"Field must be grouped or aggregated: FIELDS({path})")
        found = reach(self._org, self._kind, path, self._text, position)
        name = ".".join(found.names)
        if not function:
            if name not in self._groups:
                raise self._refusal(position, f"{what} must be grouped or aggregated: {path}")
            return attrs.evolve(found, get=_at(name))
        if name in self._groups:
            raise self._refusal(position, f"Grouped field should not be aggregated: {path}")
        numeric = found.field.type == "int" or found.field.type in NUMBERS
        if not (numeric if function in ("SUM", "AVG") else can_be_aggregated(found.field)):
            message = f"field {found.field.name} does not support aggregate operator {function}"
            raise self._refusal(position, message)
        field, total = _total(function, found)
        return self._kept(f"{function}({name})", field, total)

    def held(self, compare: Compare) -> Reach:
        """Resolve what a condition of HAVING is about."""
        return self.expression(compare.function, compare.path, compare.position)

    def totals(self, rows: Iterable[Row]) -> list[Totals]:
        """Share rows out among groups, and work out what was asked for of each; without groups all rows are one."""
        gets = [found.get for found in self._groups.values()]
        buckets: dict[tuple[Any, ...], list[Row]] = {} if gets else {(): []}
        for row in rows:
            buckets.setdefault(tuple(get(row.values) for get in gets), []).append(row)
        return [
            {**dict(zip(self._groups, key, strict=True)), **{name: work(held) for name, work in self._totals.items()}}
            for key, held in buckets.items()
        ]

    def _kept(self, name: str, field: Field, total: Total) -> Reach:
        self._totals[name] = total
        return Reach((name,), field, _at(name))

    def _refusal(self, position: int, message: str) -> Refused:
        return wrong("MALFORMED_QUERY", self._text, position, message)


def _at(name: str) -> Callable[[Mapping[str, Any]], Any]:
    return lambda totals: totals[name]


def _total(function: str, found: Reach) -> tuple[Field, Total]:
    """Say of what sort a total is, and how it is worked out."""
    fold, get = found.field.key, found.get
    functions: dict[str, Callable[[list[Any]], Any]] = {
        "COUNT": len,
        "COUNT_DISTINCT": lambda held: len({fold(value) for value in held}),
        "SUM": added,
        "AVG": lambda held: float(added(held)) / len(held) if held else None,
        "MIN": lambda held: min(held, key=fold, default=None),
        "MAX": lambda held: max(held, key=fold, default=None),
    }
    work = functions[function]
    field = found.field
    if function in ("COUNT", "COUNT_DISTINCT"):
        field = Field(function, "int")
    elif function in ("SUM", "AVG"):
        field = Field(function, "double")
    return field, lambda rows: work([value for row in rows if (value := get(row.values)) is not None])
