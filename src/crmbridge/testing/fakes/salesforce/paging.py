"""What a query found, to be shown page by page; the next pages are served from a snapshot of ids."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import attrs

from crmbridge.testing.fakes.salesforce.errors import Refused
from crmbridge.testing.fakes.salesforce.ids import Minter
from crmbridge.testing.fakes.salesforce.kinds import Kind
from crmbridge.testing.tables import Row

Record = dict[str, Any]
Link = Callable[["Result", int], str]
"""Keeps a result, and gives the address of its page that begins at a row."""
Show = Callable[[list[Row], int, Link], list[Record]]
"""Shows rows, with so many of the children of each, and a link to the others."""

LIFE = timedelta(days=2)
KEPT = 1_000
"""How long a locator can be followed, and how many are kept before the one that was used longest ago is forgotten."""


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
    header: tuple[str, ...] = ()
    """The fields that are shown, those of parents by their paths; whether a record has the parent or not."""

    @property
    def size(self) -> int:
        """Give the number of rows."""
        if self.counted is not None:
            return self.counted
        return len(self.ids if self.aggregate is None else self.aggregate)

    def page(self, start: int, size: int, link: Link) -> list[Record]:
        """Show some rows as they are now; a record purged meanwhile is left out."""
        if self.aggregate is not None:
            return self.aggregate
        rows = self.kind.table.all
        return self.show([row for id in self.ids[start : start + size] if (row := rows.get(id))], size, link)


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

    def linking(self, head: str, now: datetime) -> Link:
        """Give what keeps results and gives their addresses, which begin with *head*."""
        return lambda result, at: f"{head}{self.keep(result, now)}-{at}"

    def find(self, locator: str, now: datetime) -> Result:
        """Give a kept result; raises INVALID_QUERY_LOCATOR for an unknown or expired locator."""
        result = self._open.pop(locator, None)
        if result is None or result.began is None or now - result.began > LIFE:
            raise Refused("INVALID_QUERY_LOCATOR", "Invalid query locator", status=404)
        # A page of parents may open more walks than are kept; the walk over the parents goes on nevertheless.
        self._open[locator] = result
        return result

    def expire(self) -> None:
        """Let every open walk fail at its next page."""
        self._open.clear()
