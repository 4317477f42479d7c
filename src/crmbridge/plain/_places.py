"""Where each id stands: an index of 16 to 64 bytes a row, whatever the ids are."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Final

_FREE: Final = -1
_MASK: Final = (1 << 63) - 1


class Places:
    """Candidates for the place of an id, found by the hash of the id; who asks reads there and looks.

    A dictionary of a million ids takes some 170 MB; two arrays in which a free slot follows a taken one take 32.
    """

    def __init__(self) -> None:
        self._hashes = array("q", [0]) * 16
        self._places = array("q", [_FREE]) * 16
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, id: str, place: int) -> None:
        """Remember where an id stands."""
        if self._count * 2 >= len(self._places):
            self._grow()
        self._put(hash(id) & _MASK, place)
        self._count += 1

    def find(self, id: str) -> Iterator[int]:
        """Give the places at which this id may stand, in the order in which they were added."""
        wanted, last = hash(id) & _MASK, len(self._places) - 1
        slot = wanted & last
        while self._places[slot] != _FREE:
            if self._hashes[slot] == wanted:
                yield self._places[slot]
            slot = (slot + 1) & last

    def _put(self, hashed: int, place: int) -> None:
        last = len(self._places) - 1
        slot = hashed & last
        while self._places[slot] != _FREE:
            slot = (slot + 1) & last
        self._hashes[slot], self._places[slot] = hashed, place

    def _grow(self) -> None:
        hashes, places = self._hashes, self._places
        self._hashes = array("q", [0]) * (len(places) * 2)
        self._places = array("q", [_FREE]) * (len(places) * 2)
        for hashed, place in zip(hashes, places, strict=True):
            if place != _FREE:
                self._put(hashed, place)
