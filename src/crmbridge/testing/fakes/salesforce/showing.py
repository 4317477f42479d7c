"""Shows rows as a query asks for them: fields flat, parents nested, children as results of their own."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any

from crmbridge.testing.fakes.salesforce.conditions import Reach, reach
from crmbridge.testing.fakes.salesforce.errors import Refused
from crmbridge.testing.fakes.salesforce.finding import Finder
from crmbridge.testing.fakes.salesforce.kinds import Kind
from crmbridge.testing.fakes.salesforce.org import Org
from crmbridge.testing.fakes.salesforce.paging import Link, Record, Result, Show
from crmbridge.testing.fakes.salesforce.relations import relation
from crmbridge.testing.fakes.salesforce.statement import Column, Query, wrong
from crmbridge.testing.tables import Row

One = Callable[[Row], Record]


def columns(org: Org, query: Query, kind: Kind) -> list[Reach]:
    """List the fields that a query shows, in its order; raises the vendor's refusals."""
    found = [one for column in query.columns for one in _columns(org, query, kind, column)]
    times = Counter(one.names for one in found)
    if len(times) < len(found) and not any(column.function for column in query.columns):
        twice = next(names for names, count in times.items() if count > 1)
        message = f"duplicate field selected: {'.'.join(twice)}"
        raise wrong("INVALID_FIELD", query.text, query.columns[0].position, message)
    return found


def shower(finder: Finder, query: Query, kind: Kind, shown: list[Reach], version: str, *, depth: int = 0) -> Show:
    """Make what shows the rows of a query with some fields, *depth* levels below the root.

    Raises the vendor's refusals of its children.
    """
    one = _one(finder.org, kind, shown, version)
    children = [_Children(finder, kind, child, version, depth + 1) for child in query.children]
    names = [child.name for child in children]
    for child in children:
        if names.count(child.name) > 1:
            message = f"Cannot follow the same aggregate relationship twice: {child.name}"
            raise wrong("MALFORMED_QUERY", query.text, query.kind_position, message)

    def show(rows: list[Row], size: int, link: Link) -> list[Record]:
        records = [one(row) for row in rows]
        for child in children:
            child.fill(rows, records, size, link)
        return records

    return show


class _Children:
    """One sub-select of children, filled in for a whole page of parents at once."""

    def __init__(self, finder: Finder, parent: Kind, query: Query, version: str, depth: int) -> None:
        # Vendor: until version 57 one level of children, since then four.
        deepest = 1 if float(version) < 58 else 4
        if depth > deepest:
            message = "SOQL statements cannot query aggregate relationships more than"
            message += f" {deepest} level away from the root entity object."
            raise wrong("MALFORMED_QUERY", query.text, query.kind_position, message)
        found = relation(finder.org.kinds.values(), parent, query.kind)
        if found is None:
            message = (
                f"Didn't understand relationship '{query.kind}' in FROM part of query call. If you are attempting to"
                " use a custom relationship, be sure to append the '__r' after the custom relationship name. Please"
                " reference your WSDL or the describe call for the appropriate names."
            )
            raise wrong("INVALID_FIELD", query.text, query.kind_position, message)
        self.name = found.name or ""
        self._kind, self._field = found.kind, found.field
        self._finder, self._query = finder, query
        self._test = finder.conditions(query, found.kind).test(query.where)
        # An order that cannot be is refused at once, and not when the first child is shown.
        finder.picked(query, found.kind, ())
        self._show = shower(finder, query, found.kind, columns(finder.org, query, found.kind), version, depth=depth)

    def fill(self, parents: list[Row], records: list[Record], size: int, link: Link) -> None:
        """Put the children of each parent into its record: the first page of them, or null where there are none."""
        found = [
            self._finder.picked(self._query, self._kind, self._finder.admitted(rows, self._test))
            for rows in self._referring(parents)
        ]
        shown = iter(self._show([row for rows in found for row in rows[:size]], size, link))
        for record, rows in zip(records, found, strict=True):
            record[self.name] = self._result(rows, list(islice(shown, min(len(rows), size))), link) if rows else None

    def _referring(self, parents: list[Row]) -> Iterable[Iterable[Row]]:
        table, name = self._kind.table, self._field.name
        if name in table.quick:
            return [table.find(name, parent.id, deleted=True) for parent in parents]
        by_parent: dict[str, list[Row]] = {parent.id: [] for parent in parents}
        for row in table.all.values():
            if (held := by_parent.get(row.values.get(name) or "")) is not None:
                held.append(row)
        return by_parent.values()

    def _result(self, rows: list[Row], first: list[Record], link: Link) -> Record:
        done = len(first) == len(rows)
        answer: Record = {"totalSize": len(rows), "done": done}
        if not done:
            rest = Result(self._kind, [row.id for row in rows], self._show, page_size=len(first))
            answer["nextRecordsUrl"] = link(rest, len(first))
        answer["records"] = first
        return answer


def _one(org: Org, kind: Kind, found: list[Reach], version: str) -> One:
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
            _nest(org, record, one, values, head)
        return record

    return show


def _columns(org: Org, query: Query, kind: Kind, column: Column) -> list[Reach]:
    if column.function != "FIELDS":
        return [reach(org, kind, column.path, query.text, column.position)]
    if column.path not in ("ALL", "STANDARD", "CUSTOM"):
        raise wrong("MALFORMED_QUERY", query.text, column.position, f"unexpected token: '{column.path}'")
    if column.path != "STANDARD" and (query.limit is None or query.limit > 200):
        text = "The SOQL FIELDS function must have a LIMIT of at most 200"
        raise Refused("MALFORMED_QUERY", text)
    names = [
        name for name in kind.table.fields if column.path == "ALL" or name.endswith("__c") == (column.path == "CUSTOM")
    ]
    wanted = names if column.path == "CUSTOM" else ["Id", *names]
    return [reach(org, kind, name, query.text, column.position) for name in wanted]


def _nest(org: Org, record: Record, one: Reach, values: Mapping[str, Any], head: str) -> None:
    kind = org.kind_of(values["Id"])
    for name in one.names[:-1]:
        via = kind.related.get(name.lower()) if kind else None
        row = org.row_of(values.get(via.name) or "", deleted=True) if via else None
        if row is None:
            record.setdefault(name, None)
            return
        values = row.values
        kind = org.kind_of(row.id)
        type_ = kind.name if kind else ""
        inner = record.get(name) or {"attributes": {"type": type_, "url": f"{head}{type_}/{row.id}"}}
        record[name] = inner
        record = inner
    last = one.names[-1]
    record[last] = (kind.name if kind else None) if last == "Type" and "Type" not in values else values.get(last)
