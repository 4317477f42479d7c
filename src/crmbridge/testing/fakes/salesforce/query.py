"""Runs a query: reads it, finds its rows or groups, and gives them to be shown page by page."""

from datetime import datetime

from crmbridge.testing.fakes.salesforce.aggregates import aggregated
from crmbridge.testing.fakes.salesforce.finding import Finder
from crmbridge.testing.fakes.salesforce.org import Org
from crmbridge.testing.fakes.salesforce.paging import Link, Record, Result
from crmbridge.testing.fakes.salesforce.showing import columns, shower
from crmbridge.testing.fakes.salesforce.soql import parse
from crmbridge.testing.tables import Row


class Reader:
    """Answers queries over one org."""

    def __init__(self, org: Org) -> None:
        self._org = org

    def run(self, text: str, *, version: str, deleted: bool, now: datetime) -> Result:
        """Run a query; `deleted` as queryAll does. Raises the vendor's refusals."""
        query = parse(text)
        finder = Finder(self._org, now, deleted)
        kind = finder.kind(query)
        if query.counts_only:
            counted = len(finder.picked(query, kind, finder.found(query, kind)))
            return Result(kind, [], _nothing, aggregate=[], counted=counted)
        if query.aggregated:
            return Result(kind, [], _nothing, aggregate=aggregated(finder, query, kind))
        found = finder.found(query, kind)
        shown = columns(self._org, query, kind)
        show = shower(finder, query, kind, shown, version)
        ids = [row.id for row in finder.picked(query, kind, found)]
        return Result(kind, ids, show, header=tuple(dict.fromkeys(".".join(one.names) for one in shown)))


def _nothing(rows: list[Row], size: int, link: Link) -> list[Record]:  # noqa: ARG001 - as every row is shown
    return []
