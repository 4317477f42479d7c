"""Where time comes from when nobody gives a clock."""

from __future__ import annotations

import datetime as dt
import time
from typing import Protocol, runtime_checkable

from ..protocols import Clock


class SystemClock:
    """Tell the time of this machine."""

    def now(self) -> dt.datetime:
        """Tell the instant, in UTC."""
        return dt.datetime.now(dt.UTC)

    def monotonic(self) -> float:
        """Tell seconds that never go back."""
        return time.monotonic()


@runtime_checkable
class MovedClock(Clock, Protocol):
    """A clock that somebody moves: drivers advance it where they would sleep."""

    def advance(self, by: float | dt.timedelta) -> None:
        """Let this much time pass at once."""
        ...
