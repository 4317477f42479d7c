"""Shrinking: of a script that breaks a law, a short one that still breaks it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import attrs

from ._script import Armed, Round, Script, Step, Work

T = TypeVar("T")

TRIES = 200
"""Replays that a shrinking may take."""


def shrunk(script: Script, fails: Callable[[Script], bool], *, tries: int = TRIES) -> Script:
    """Leave out whatever can be left out; *fails* replays a script and says whether the law is still broken."""
    shrinker = _Shrinker(script, fails, tries)
    before = None
    while before != shrinker.best and shrinker.tries > 0:
        before = shrinker.best
        shrinker.once()
    return shrinker.best


@attrs.define(eq=False)
class _Shrinker:
    """The shortest script so far, and how many replays are left."""

    best: Script
    fails: Callable[[Script], bool]
    tries: int

    def once(self) -> None:
        """Go through all parts of the script once, the large ones first."""
        self._fewer(self.best.rounds, lambda rounds: attrs.evolve(self.best, rounds=rounds))
        for place in range(len(self.best.rounds)):
            self._fewer(self.best.rounds[place].steps, partial(self._stepping, place))
            self._fewer(self.best.rounds[place].faults, partial(self._armed, place))
            self._sooner(place)
            for number, step in enumerate(self.best.rounds[place].steps):
                if isinstance(step, Work):
                    self._calmer(place, number, step)

    def _sooner(self, place: int) -> None:
        """Let a fault come at its first occasion, alone or beside the others: those before it may be needless then."""
        for one in self.best.rounds[place].faults:
            others = tuple(other for other in self.best.rounds[place].faults if other != one)
            sooner = attrs.evolve(one, at=1)
            if one.at not in (None, 1) and not self._try(self._armed(place, (sooner,))):
                _ = self._try(self._armed(place, (*others, sooner)))

    def _calmer(self, place: int, number: int, step: Work) -> None:
        def put(work: Work) -> Script:
            steps = self.best.rounds[place].steps
            return self._stepping(place, (*steps[:number], work, *steps[number + 1 :]))

        if step.dies is not None and self._try(put(attrs.evolve(step, dies=None))):
            step = attrs.evolve(step, dies=None)
        self._fewer(step.during, lambda during: put(attrs.evolve(step, during=during)))

    def _stepping(self, place: int, steps: tuple[Step, ...]) -> Script:
        return self._with(place, attrs.evolve(self.best.rounds[place], steps=steps))

    def _armed(self, place: int, faults: tuple[Armed, ...]) -> Script:
        return self._with(place, attrs.evolve(self.best.rounds[place], faults=faults))

    def _with(self, place: int, one: Round) -> Script:
        return attrs.evolve(self.best, rounds=(*self.best.rounds[:place], one, *self.best.rounds[place + 1 :]))

    def _fewer(self, items: Sequence[T], put: Callable[[tuple[T, ...]], Script]) -> None:
        """Leave out everything, then halves, quarters and so on, then each item alone."""
        size, kept = len(items), tuple(items)
        while size >= 1:
            start = 0
            while start < len(kept):
                less = (*kept[:start], *kept[start + size :])
                if self._try(put(less)):
                    kept = less
                else:
                    start += size
            size //= 2

    def _try(self, candidate: Script) -> bool:
        if self.tries <= 0:
            return False
        self.tries -= 1
        if not self.fails(candidate):
            return False
        self.best = candidate
        return True
