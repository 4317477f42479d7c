"""Which records a plan ties, and the like, in eight bytes each: there may be millions, and the store says nothing yet."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Hashable
from heapq import merge

import attrs


def _nothing() -> list[array[int]]:
    return []


@attrs.define(eq=False)
class Tied:
    """Remembers records, or what else is told apart by several values, by their hashes, as sorted numbers; only the latest are in a set."""

    at_once: int = 4096
    """As many are kept in the set before they are sorted in."""
    _latest: set[int] = attrs.field(factory=lambda: set[int]())
    _sorted: list[array[int]] = attrs.field(factory=_nothing)
    """Each at least twice as long as the next, so that a number is moved but a few times."""

    def add(self, *what: Hashable) -> None:
        """Remember one, as a record by its side and its ref."""
        self._latest.add(hash(what))
        if len(self._latest) < self.at_once:
            return
        numbers = array("q", sorted(self._latest))
        self._latest.clear()
        while self._sorted and len(self._sorted[-1]) < 2 * len(numbers):
            numbers = array("q", merge(self._sorted.pop(), numbers))
        self._sorted.append(numbers)

    def has(self, *what: Hashable) -> bool:
        """Say whether one is remembered."""
        number = hash(what)
        return number in self._latest or any(_holds(numbers, number) for numbers in self._sorted)


def _holds(numbers: array[int], number: int) -> bool:
    place = bisect_left(numbers, number)
    return place < len(numbers) and numbers[place] == number
