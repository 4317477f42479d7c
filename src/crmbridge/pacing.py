"""Pacing: how often something may be started, as a value.

A cool-down holds for one key, a spacing for all of them, and at most so many starts fall into one window. A refusal
names the earliest time that would be accepted. What was started before is given; a store remembers it.
"""

from __future__ import annotations

import bisect
import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

from . import _stated
from .errors import UsageError
from .reasons import Code, Reason, because

if TYPE_CHECKING:
    from .roles import Start

__all__ = ["Pacing", "Reserved", "TooSoon", "asked"]

Window: TypeAlias = "dt.timedelta | Literal['day']"

_JST: Final = dt.timezone(dt.timedelta(hours=9))
_NONE: Final = dt.timedelta(0)
_DAY: Final = dt.timedelta(days=1)


@attrs.frozen
class Pacing:
    """How far apart starts are; raises `UsageError` for a span below zero, 0 reservations and a window of no length."""

    cooldown: dt.timedelta = _NONE
    """Between two starts of one key."""
    spacing: dt.timedelta = _NONE
    """Between any two starts."""
    reservations: int | None = None
    """Starts in one window, at most; None: any number."""
    window: Window = "day"
    """How long a window is; `day`: a day of the Japanese calendar, cut after conversion to its time."""

    def __attrs_post_init__(self) -> None:
        _stated.span("Pacing", "cooldown", self.cooldown)
        _stated.span("Pacing", "spacing", self.spacing)
        if self.reservations is not None:
            _stated.number("Pacing", "reservations", self.reservations, least=1, whole=True, hint="None: any number")
        if isinstance(self.window, dt.timedelta):
            _stated.span("Pacing", "window", self.window)
        else:
            _stated.word("Pacing", "window", self.window, ("day",), hint="or a datetime.timedelta")
        if self.window == _NONE:
            raise UsageError("Pacing(window=0): a window that holds a start is longer than nothing")

    @property
    def memory(self) -> dt.timedelta:
        """Tell for how long a start may matter."""
        return max(self.cooldown, self.spacing, _DAY if self.window == "day" else self.window)


@attrs.frozen
class Reserved:
    """It may start at this time."""

    starts: dt.datetime


@attrs.frozen
class TooSoon:
    """It may not start yet."""

    earliest: dt.datetime
    """The first time that would be accepted, as things stand."""
    because: Reason


def asked(pacing: Pacing, starts: Sequence[Start], key: str, now: dt.datetime) -> Reserved | TooSoon:
    """Say whether something may start now, given what has started or waits for its own start, in the order of time."""
    at, rule = now, ""
    while (found := _blocked(pacing, starts, key, at)) is not None:
        at, by = found
        rule = rule or by
    return Reserved(now) if at == now else TooSoon(at, because(Code.PACED, until=at, pace=rule))


def _blocked(pacing: Pacing, starts: Sequence[Start], key: str, at: dt.datetime) -> tuple[dt.datetime, str] | None:
    """Name a rule that a start would break, and the time at which it ceases to be broken; always a later one."""
    for start in starts:
        apart = abs(at - start.at)
        if apart < pacing.spacing:
            return start.at + pacing.spacing, "spacing"
        if start.key == key and apart < pacing.cooldown:
            return start.at + pacing.cooldown, "cooldown"
    free = None if pacing.reservations is None else _full_until(pacing, pacing.reservations, starts, at)
    return None if free is None else (free, "reservations")


def _full_until(pacing: Pacing, most: int, starts: Sequence[Start], at: dt.datetime) -> dt.datetime | None:
    """Tell when a window ends that one more start would overfill."""
    if pacing.window == "day":
        today = at.astimezone(_JST).date()
        if sum(start.at.astimezone(_JST).date() == today for start in starts) < most:
            return None
        return dt.datetime.combine(today + _DAY, dt.time(), _JST).astimezone(at.tzinfo)
    times = [start.at for start in starts]
    first = bisect.bisect_right(times, at - pacing.window)
    for group in range(first, len(times) - most + 1):
        begin, end = times[group], times[group + most - 1]
        if max(end, at) - min(begin, at) < pacing.window:
            return begin + pacing.window
    return None
