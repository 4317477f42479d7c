"""Not faster than a system allows: budgets that live in the driver, and how long a system asks us to wait."""

from __future__ import annotations

import datetime as dt
import re
import threading
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import attrs

from ..flow import RateBudget

UNLIMITED = RateBudget(capacity=1e12)
"""Pays for lanes that the account does not limit; a system may still ask such a lane to wait."""

LONGEST = 300.0
"""Seconds that a system's own wish to wait is followed for; whoever wishes more is asked again then."""

_ABSURD = 86_400.0


class DriverBudgets:
    """Budgets of one driver, where no store shares them; `now` is seconds of any clock that never goes back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spent: dict[tuple[str, str], RateBudget] = {}
        self._held: dict[tuple[str, str], float] = {}

    def spend(self, account: str, lane: str, budget: RateBudget, cost: int, now: float) -> float:
        """Take from the budget; tell how many seconds to wait before sending."""
        with self._lock:
            spent = self._spent.get((account, lane))
            level = budget if spent is None else attrs.evolve(budget, level=spent.level, at=spent.at)
            self._spent[account, lane], wait = level.spend(cost, now)
            return max(wait, self._held.get((account, lane), now) - now)

    def hold(self, account: str, lane: str, until: float) -> None:
        """Let nobody send before this moment."""
        with self._lock:
            self._held[account, lane] = max(until, self._held.get((account, lane), until))


def retry_after(headers: Mapping[str, str], now: dt.datetime) -> float | None:
    """Tell how many seconds a system asks us to wait, 0 to 300; None where it says nothing that makes sense.

    A date is counted from the system's own `Date`, since its clock need not be ours. More than a day is no sense.
    See RFC 9110, section 10.2.3.
    """
    said = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", said, re.ASCII):
        seconds = float(said)
    elif (until := _date(said)) is not None:
        seconds = (until - (_date(headers.get("date", "")) or now)).total_seconds()
    else:
        return None
    return None if seconds > _ABSURD else min(max(seconds, 0.0), LONGEST)


def _date(text: str) -> dt.datetime | None:
    if not 0 < len(text) < 64:
        return None
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=dt.UTC)
