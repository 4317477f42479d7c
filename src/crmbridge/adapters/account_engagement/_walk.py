"""Where a walk through a kind stands, as a cursor.

A walk is a query and the page tokens that follow it. Its cursor carries the token, and a mark from which a new query
goes on when the token has expired; at the end of a walk by stamps only the mark stays, and the next walk starts a
little before it.

A mark is not simply the newest stamp seen. The query fixes which records a walk shows, at the moment it is made; pages
may show them as they are later. A record that changed meanwhile would carry the mark past records that changed after
the query as well and are not in the walk, or past pages not read yet. So no mark is later than the query, and on the
way only stamps count that were old already when even the oldest state in the vendor's cache was made.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import attrs

from ...errors import ContractBroken, UsageError
from ...flow import Response
from ...kit import instant, open_cursor, seal, table
from ._kinds import CACHE, GRAIN, OVERLAP, Kind
from ._wire import Item, instant_text, is_id

_HIDES = "202"
_ENDS = "203"
"""Vendor: warnings that records are left out for lack of rights, and that a walk ends after 100,000 records."""


@attrs.frozen
class Walk:
    """One position; without a token the next page is the first of a query."""

    kind: Kind
    whole: bool = True
    """It began at the beginning and has shown everything since, and so ends complete."""
    token: str = ""
    asked: str = ""
    """When the query was made, by the server's clock."""
    begun: str = ""
    """Where the query began: an instant or an id."""
    mark: str = ""
    """Up to where everything was read."""

    def params(self, fields: Sequence[str], limit: int) -> dict[str, str]:
        """Write the query for the next page."""
        params = {"fields": self.kind.asked(fields)}
        if self.token:
            # Vendor: beside a page token nothing but the fields is accepted.
            return {**params, "nextPageToken": self.token}
        params |= {"orderBy": f"{self.kind.walk} ASC", "limit": str(limit)}
        if self.kind.has_bin:
            params["deleted"] = "all"
        if self.begun:
            params["updatedAtAfterOrEqualTo" if self._by_stamp else "idGreaterThan"] = self.begun
        return params

    def restarted(self) -> Walk:
        """Go on from the mark, with a new query."""
        begun = _before(self.mark) if self._by_stamp else self.mark
        return attrs.evolve(self, token="", asked="", begun=begun)

    def after(self, system: str, items: Sequence[Item], response: Response, now: dt.datetime) -> tuple[Walk, bool]:
        """Stand behind a page, and say whether the walk goes on.

        Raises ContractBroken where a walk was cut off in the second it began in, since no other gets past it.
        """
        told = warnings(response)
        here = attrs.evolve(self, whole=self.whole and _HIDES not in told, asked=self.asked or instant_text(now))
        token = table(system, response.body).get("nextPageToken")
        if isinstance(token, str) and token:
            return attrs.evolve(here, token=token, mark=here._mark(items, on_the_way=True)), True
        if _ENDS not in told:
            return attrs.evolve(here, token="", mark=here._mark(items, on_the_way=False)), False
        reached = here._reached(system, items)
        return attrs.evolve(here, token="", asked="", begun=reached, mark=here._mark(items, on_the_way=True)), True

    def sealed(self, *, more: bool) -> str:
        """Write the cursor."""
        if more:
            return seal(token=self.token, asked=self.asked, begun=self.begun, mark=self.mark, whole=self.whole)
        return seal(mark=self.mark) if self._by_stamp else seal()

    @property
    def _by_stamp(self) -> bool:
        return self.kind.walk == "updatedAt"

    def _mark(self, items: Sequence[Item], *, on_the_way: bool) -> str:
        if not self._by_stamp:
            return _highest(items) or self.mark
        stamps = self._settled(items) if on_the_way else [item.stamp for item in items if item.stamp is not None]
        if self.mark:
            stamps.append(instant(self.mark))
        return instant_text(min(max(stamps), instant(self.asked))) if stamps else ""

    def _reached(self, system: str, items: Sequence[Item]) -> str:
        """Tell where a walk was cut off; it is the place where it began while the cache may still reorder all of it."""
        if not self._by_stamp:
            return _highest(items) or self.begun
        begun = instant(self.begun) if self.begun else None
        if begun is not None and items and all(item.stamp is not None and item.stamp <= begun for item in items):
            raise ContractBroken(system, f"more {self.kind.collection} changed in one second than a walk can show")
        reached = max((stamp for stamp in self._settled(items) if begun is None or stamp > begun), default=begun)
        return "" if reached is None else instant_text(reached)

    def _settled(self, items: Sequence[Item]) -> list[dt.datetime]:
        asked = instant(self.asked)
        return [item.stamp for item in items if item.stamp is not None and asked - item.stamp > CACHE + GRAIN]


def _highest(items: Sequence[Item]) -> str:
    return str(max(int(item.id) for item in items)) if items else ""


def opened(system: str, kind: Kind, cursor: str | None) -> Walk:
    """Stand where a cursor says; raises UsageError for one that another connector or kind has made."""
    parts = open_cursor(system, cursor)
    token, asked, begun, mark = (str(parts.get(name, "")) for name in ("token", "asked", "begun", "mark"))
    places = is_id if kind.walk == "id" else _is_instant
    if not all(places(text) for text in (begun, mark) if text) or _is_instant(asked) is not bool(token):
        raise UsageError(f"{system}: the cursor was not made for {kind.name}")
    walk = Walk(kind, not parts or parts.get("whole") is True, token, asked, begun, mark)
    return walk if token or begun else walk.restarted()


def warnings(response: Response) -> Sequence[str]:
    """Give the numbers and words of the vendor's warnings about an answer."""
    return response.headers.get("pardot-warning", "").replace(";", " ").split()


def hides(response: Response) -> bool:
    """Say whether an answer leaves out records that this user may not see."""
    return _HIDES in warnings(response)


def _is_instant(text: str) -> bool:
    try:
        return instant(text).tzinfo is not None
    except ValueError:
        return False


def _before(mark: str) -> str:
    """Step back by the overlap, but not before the calendar begins."""
    if not mark:
        return ""
    at = instant(mark)
    return "" if at.year == dt.MINYEAR else instant_text(at - OVERLAP)
