"""A level of grades, for where no key is equal; it may only come last."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from .. import _stated
from ..errors import UsageError
from ..model import Record, Side
from ._keys import AllOf, Key
from .grades import Comparison, Explanation, Grade, bigrams, explain


@attrs.frozen
class Weighed:
    """One comparison of a score: a key whose two sides are graded, and how much it counts."""

    key: Key
    weight: float = 1.0
    grade: Grade = attrs.field(default=bigrams, repr=False)


@attrs.frozen
class ScoredLevel:
    """Put records together that share a block key, grade them, and take the best where it is clearly the best.

    The score is the weighted mean over what both sides fill; where that is less than half of all weight, the missing
    rest counts as unlike. Records below *at_least* are not proposed; where the second best is as good, or comes closer
    than *margin*, the adoption rule or a person chooses.
    """

    name: str
    weighed: tuple[Weighed, ...]
    blocks: tuple[Key, ...]
    at_least: float
    margin: float = 0.05

    @property
    def slots(self) -> int:
        """Count the questions that this level may ask."""
        return 1

    def alternatives(self, slot: int) -> tuple[AllOf, ...]:
        """Give the block keys, each an alternative of its own."""
        return tuple(AllOf((key,)) for key in self.blocks) if slot == 0 else ()

    def every_key(self) -> tuple[Key, ...]:
        """Give the keys that must be looked up: those of the blocks."""
        return self.blocks

    def reads(self) -> tuple[Key, ...]:
        """Give all keys whose fields must be read."""
        return (*self.blocks, *(one.key for one in self.weighed))

    def explain(self, record: Record, other: Record, towards: Side) -> Explanation:
        """Say how alike two records are, by field, without a value of either."""
        own: Side = "left" if towards == "right" else "right"
        comparisons = [Comparison(_name(one.key, record, own), one.weight, one.grade) for one in self.weighed]
        mine = {_name(one.key, record, own): one.key.read(record, own) for one in self.weighed}
        theirs = {_name(one.key, record, own): one.key.read(other, towards) for one in self.weighed}
        return explain(mine, theirs, comparisons)

    def keep(self, record: Record, found: Sequence[Record], towards: Side) -> list[Record]:
        """Keep the best of what was found, all that are as good, and what comes close to it."""
        scores = [(self.explain(record, other, towards).score, other) for other in found]
        best = max((score for score, _ in scores), default=0.0)
        return [
            other for score, other in scores if score >= self.at_least and (score == best or best - score < self.margin)
        ]


def _name(key: Key, record: Record, side: Side) -> str:
    return key.field(side, record.ref.kind) or "?"


def weigh(key: Key, weight: float = 1.0, grade: Grade = bigrams) -> Weighed:
    """Grade a key instead of asking that it be equal; *grade* gives 0 to 1 for two comparison keys.

    Raises `UsageError` for a weight that is not above 0.
    """
    _stated.number("weigh", "weight", weight, above=True)
    return Weighed(key, weight, grade)


def scored(name: str, *weighed: Weighed, blocks: Sequence[Key], at_least: float, margin: float = 0.05) -> ScoredLevel:
    """Match by grades, as the last level of a pipeline; to grade two lists at hand is `crmbridge.match.grades.scored`.

    Records are compared that share a block key. What matches by likeness is for review rather than for merging. Raises
    `UsageError` without anything to weigh or a block key, and for a bound that is not between 0 and 1.
    """
    if not weighed or not blocks:
        raise UsageError(f"scored({name!r}): name something to weigh, and at least one block key")
    _stated.number(f"scored({name!r}): scored", "at_least", at_least, most=1)
    _stated.number(f"scored({name!r}): scored", "margin", margin, most=1)
    return ScoredLevel(name, weighed, tuple(blocks), at_least, margin)
