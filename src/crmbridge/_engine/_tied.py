"""Which records a plan ties, in eight bytes each: a plan may tie millions, and no link in the store says so yet."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from heapq import merge

import attrs

from ..model import RecordRef, Side


def _nothing() -> list[array[int]]:
    return []


@attrs.define(eq=False)
class Tied:
    """Remembers records by their hashes, as sorted numbers; only the latest are in a set."""

    at_once: int = 4096
    """As many are kept in the set before they are sorted in."""
    _latest: set[int] = attrs.field(factory=lambda: set[int]())
    _sorted: list[array[int]] = attrs.field(factory=_nothing)
    """Each at least twice as long as the next, so that a number is moved but a few times."""

    def add(self, side: Side, ref: RecordRef) -> None:
        """Remember a record of a side."""
        self._latest.add(hash((side, ref)))
        if len(self._latest) < self.at_once:
            return
        numbers = array("q", sorted(self._latest))
        self._latest.clear()
        while self._sorted and len(self._sorted[-1]) < 2 * len(numbers):
            numbers = array("q", merge(self._sorted.pop(), numbers))
        self._sorted.append(numbers)

    def has(self, side: Side, ref: RecordRef) -> bool:
        """Say whether a record is remembered."""
        number = hash((side, ref))
        return number in self._latest or any(_holds(numbers, number) for numbers in self._sorted)


def _holds(numbers: array[int], number: int) -> bool:
    place = bisect_left(numbers, number)
    return place < len(numbers) and numbers[place] == number
