"""Whose copy a record is, told by the words that people wrote and by nothing that a pipeline remembers."""

from __future__ import annotations

from collections.abc import Mapping

from ...model import SIDES, RecordRef, Side
from ._life import Life
from ._seats import Change
from ._world import words_in


class Tracks:
    """All creates that we made, each with the record of a person that it goes back to."""

    def __init__(self, life: Life) -> None:
        self._words = life.hands.words
        self._trail = life.trail
        self.made: list[tuple[Side, Change]] = [
            (side, change) for side in SIDES for change in life.ours(side)
            if change.verb == "create" and change.ref.kind in life.trail.on(side)
        ]  # fmt: skip
        self._copies: Mapping[RecordRef, tuple[Side, Change]] = {
            change.ref: (side, change) for side, change in self.made
        }

    def origin(self, side: Side, change: Change) -> RecordRef | None:
        """Give the record that a person made and that a create of ours goes back to, by way of other copies or not."""
        seen: set[RecordRef] = set()
        while True:
            words = words_in(change.values.get(self._trail.on(side)[change.ref.kind]))
            owner = self._words.get(words[0]) if words else None
            if owner is None or owner not in self._copies or owner in seen:
                return owner
            seen.add(owner)
            side, change = self._copies[owner]

    def is_copy(self, ref: RecordRef) -> bool:
        """Say whether we made a record."""
        return ref in self._copies
