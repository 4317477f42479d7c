"""The line of a paced pipeline: what has started, and whose turn is when, in the order in which records came up.

Who waits from an earlier run stands before what came later, whichever batch or run either of them comes up in.
"""

from __future__ import annotations

import bisect
import datetime as dt
import math
from collections.abc import Iterable

import attrs

from ..model import RecordRef, Side
from ..pacing import Pacing, Reserved, TooSoon, asked
from ..reasons import because
from ..roles import QueueRow, Start

_AHEAD = 100
"""Records that get a turn of their own; those behind them are told the turn after the last of these, at least."""

Who = tuple[Side, RecordRef]
Place = tuple[float, dt.datetime]
"""Where somebody stands: by a number of the queue, and of those who share it by the turns that they were told."""

_UNTOLD = dt.datetime.max.replace(tzinfo=dt.UTC)
FIRST: Place = (-math.inf, _UNTOLD)
"""Before all who wait."""


@attrs.frozen
class Waiting:
    """A record that was told its turn by an earlier run."""

    who: Who
    number: float
    until: dt.datetime
    key: str | None
    """What its cool-down counts for; None: only its record tells, which was not read."""

    @property
    def place(self) -> Place:
        """Say where it stands."""
        return self.number, self.until


@attrs.define(eq=False)
class Turns:
    """Who has started, and who waits for a turn."""

    pacing: Pacing
    starts: list[Start]
    """What was started and the turns that were given, in the order of time."""
    line: list[Waiting]
    """Who waits since an earlier run and was not looked at in this one; the first of them last."""
    places: dict[Who, Place] = attrs.field(init=False)
    """Where those stand who waited as the run began: a change of a record that waits costs it no place."""
    given: dict[Who, Start] = attrs.field(factory=lambda: dict[Who, Start]())
    behind: set[Who] = attrs.field(factory=lambda: set[Who]())
    """Who waits without a turn of their own."""
    last: float = 0
    """The number of the last who was told a turn by this run: a departure is looked at before those who came first."""
    unsure: bool = False
    """A cool-down counts for records that wait, and which of them share one is not known."""

    def __attrs_post_init__(self) -> None:
        self.line.sort(key=lambda one: one.place, reverse=True)
        self.places = {one.who: one.place for one in self.line}

    def place(self, rows: Iterable[QueueRow]) -> Place:
        """Give the place of what some rows have brought up: that of the first; what is in no queue yet comes last."""
        return min((self._place(row) for row in rows), default=(math.inf, _UNTOLD))

    def _place(self, row: QueueRow) -> Place:
        known = self.places.get((row.side, row.ref))
        return known or (max(row.sequence or math.inf, self.last), _UNTOLD)

    def leave(self, rows: Iterable[QueueRow]) -> None:
        """Take what is decided about out of the line: it starts, waits anew or needs no turn."""
        gone: set[Who] = {(row.side, row.ref) for row in rows}
        if self.line and not gone.isdisjoint(self.places):
            self.line = [one for one in self.line if one.who not in gone]
        for who in gone:
            self.behind.discard(who)
            turn = self.given.pop(who, None)
            if turn is not None:
                self.starts.remove(turn)

    def copy(self) -> Turns:
        """Give a line that stands as this one does, in which what is started leaves this one alone."""
        twin = attrs.evolve(
            self, starts=[*self.starts], line=[*self.line], given=dict(self.given), behind=set(self.behind)
        )
        twin.places = self.places
        return twin

    def start(self, key: str, place: Place, now: dt.datetime) -> Reserved | TooSoon:
        """Say whether something may start now, once those who stand before its place have their turns."""
        while self.line and self.line[-1].place < place:
            first = self.line.pop()
            self.unsure = self.unsure or (first.key is None and bool(self.pacing.cooldown))
            if self._full:
                self.behind.add(first.who)
                continue
            own = first.key or str(first.who)
            self._give(first.who, own, _time(asked(self.pacing, self.starts, own, max(now, first.until))))
        answer = asked(self.pacing, self.starts, key, now)
        if isinstance(answer, Reserved):
            bisect.insort(self.starts, Start(key, answer.starts), key=_at)
            return answer
        if not (self.unsure or self._full):
            return answer
        told = because(answer.because.code, **answer.because.facts, waiting=len(self.given) + len(self.behind))
        return TooSoon(answer.earliest, told)

    def wait(self, who: Who, key: str, place: Place, until: dt.datetime) -> None:
        """Let one wait for the turn that it was told."""
        if not math.isinf(place[0]):
            self.last = max(self.last, place[0])
        self._give(who, key, until)

    def _give(self, who: Who, key: str, until: dt.datetime) -> None:
        """Give a turn to one that waits; those who wait behind so many get none of their own."""
        if self._full:
            self.behind.add(who)
            return
        self.given[who] = Start(key, until)
        bisect.insort(self.starts, self.given[who], key=_at)

    @property
    def _full(self) -> bool:
        return len(self.given) >= _AHEAD


def _at(start: Start) -> dt.datetime:
    return start.at


def _time(answer: Reserved | TooSoon) -> dt.datetime:
    return answer.starts if isinstance(answer, Reserved) else answer.earliest
