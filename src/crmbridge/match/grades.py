"""How alike two records are, where no key is equal: blocks, grades, a weighted mean, and why.

Records are plain mappings of comparison keys, as `crmbridge.japanese` makes them; nothing here reads a raw value. A
score is for finding candidates: what it proposes is for a person or a last level, never for merging without review.
"""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import attrs

from crmbridge.errors import MissingExtra
from crmbridge.match.assign import Scored

Grade = Callable[[str, str], float]
"""Says how alike two texts are, from 0 to 1."""
Block = Callable[[Mapping[str, str]], Iterable[str]]
"""Gives the keys of a record; only records that share one are compared."""
_ALIKE: Final = 0.8
_SHORT: Final = 2


@attrs.frozen
class Comparison:
    """One field of a score: how its two keys are graded, and how much it counts."""

    field: str
    weight: float
    grade: Grade = attrs.field(repr=False)


@attrs.frozen
class Graded:
    """What one field said: a grade from 0 to 1, or nothing where a side is blank."""

    field: str
    weight: float
    grade: float | None


@attrs.frozen
class Explanation:
    """Why two records scored as they did, by field; it holds no value of either record."""

    score: float
    fields: tuple[Graded, ...]

    def in_english(self) -> str:
        """The explanation as a sentence in English."""
        said = ", ".join(f"{one.field} {_english(one)}" for one in self.fields)
        return f"{self.score:.0%} alike: {said}."

    def in_japanese(self) -> str:
        """The explanation as a sentence in Japanese."""
        said = "、".join(f"{one.field}は{_japanese(one)}" for one in self.fields)
        return f"一致度{self.score:.0%}：{said}。"


def same(one: str, other: str) -> float:
    """One if the keys are equal, else nothing."""
    return float(one == other)


def bigrams(one: str, other: str) -> float:
    """How many pairs of neighbouring signs two keys share (Dice): in kanji a word is often two signs."""
    if one == other:
        return 1.0
    if len(one) < _SHORT or len(other) < _SHORT:
        return 0.0
    first, second = Counter(pairwise(one)), Counter(pairwise(other))
    return 2 * (first & second).total() / (first.total() + second.total())


def within(one: str, other: str) -> float:
    """How much of the shorter key the longer one holds: a name beside the same name with its branch grades high."""
    if one == other:
        return 1.0
    short, long = sorted((one, other), key=len)
    if len(short) < _SHORT:
        return 0.0
    pairs = Counter(pairwise(short))
    return (pairs & Counter(pairwise(long))).total() / pairs.total()


def fuzzy(scorer: str = "token_sort_ratio") -> Grade:
    """A grade by a scorer of rapidfuzz.fuzz, for long names in Latin letters with words in any order.

    Raises:
        MissingExtra: rapidfuzz is not installed.
        AttributeError: rapidfuzz has no such scorer.
    """
    try:
        scorers = importlib.import_module("rapidfuzz.fuzz")
    except ImportError:
        raise MissingExtra("fuzzy", "rapidfuzz, by which fuzzy grades are given,") from None
    ratio: Any = getattr(scorers, scorer)
    return lambda one, other: float(ratio(one, other)) / 100


def sharpened(grade: Grade) -> Grade:
    """The grade with its lower half read as nothing.

    Unrelated words share letters by chance, which must not add up over fields.
    """
    return lambda one, other: max(0.0, 2 * grade(one, other) - 1)


def explain(
    one: Mapping[str, str], other: Mapping[str, str], comparisons: Sequence[Comparison], *, enough: float = 0.5
) -> Explanation:
    """Says how alike two records are and what each field contributed; for a pipeline's levels, `crmbridge.match.explain`.

    The score is the weighted mean over the fields that both sides fill. If those carry less than the share *enough*
    of all weight, the missing rest counts as unlike, so that two records which share one filled field do not look the
    same.
    """
    fields = tuple(
        Graded(
            comparison.field,
            comparison.weight,
            comparison.grade(mine, theirs)
            if (mine := one.get(comparison.field, "")) and (theirs := other.get(comparison.field, ""))
            else None,
        )
        for comparison in comparisons
    )
    filled = sum(field.weight for field in fields if field.grade is not None)
    least = enough * sum(field.weight for field in fields)
    total = sum(field.weight * field.grade for field in fields if field.grade is not None)
    return Explanation(total / max(filled, least) if filled else 0.0, fields)


def candidates(
    left: Mapping[str, Mapping[str, str]],
    right: Mapping[str, Mapping[str, str]],
    blocks: Sequence[Block],
    *,
    most: int = 200,
) -> Iterator[tuple[str, str]]:
    """The pairs worth scoring: those that share a key of any block, each once, by id.

    A key that more than *most* records of either side share says too little and is passed over, which bounds the
    pairs to *most* for each record and key.
    """
    seen: set[tuple[str, str]] = set()
    for block in blocks:
        lefts, rights = _by_block(left, block), _by_block(right, block)
        for shared, mine in lefts.items():
            theirs = rights.get(shared, ())
            if len(mine) > most or len(theirs) > most:
                continue
            for pair in ((one, other) for one in mine for other in theirs):
                if pair not in seen:
                    seen.add(pair)
                    yield pair


def scored(
    left: Mapping[str, Mapping[str, str]],
    right: Mapping[str, Mapping[str, str]],
    comparisons: Sequence[Comparison],
    blocks: Sequence[Block],
    *,
    at_least: float,
    enough: float = 0.5,
    most: int = 200,
) -> tuple[Scored, ...]:
    """Scores the pairs of two lists at hand; a level of a pipeline is made by `crmbridge.match.scored`.

    Pairs that share a block are looked at, and those that reach *at_least* are kept; records are keyed by their id.
    """
    found = (
        Scored(one, other, explain(left[one], right[other], comparisons, enough=enough).score)
        for one, other in candidates(left, right, blocks, most=most)
    )
    return tuple(pair for pair in found if pair.score >= at_least)


def by_field(field: str, *, start: int | None = None) -> Block:
    """A block of records that agree in a field, or in its first *start* signs; a blank is in no block."""

    def block(record: Mapping[str, str]) -> Iterable[str]:
        value = record.get(field, "")
        return (f"{field}:{value[:start]}",) if value else ()

    return block


def by_pieces(field: str, *, length: int = 3) -> Block:
    """A block for every run of *length* signs in a field, for names that differ at the front."""

    def block(record: Mapping[str, str]) -> Iterable[str]:
        value = record.get(field, "")
        return {f"{field}:{value[at : at + length]}" for at in range(len(value) - length + 1)}

    return block


def _by_block(records: Mapping[str, Mapping[str, str]], block: Block) -> dict[str, list[str]]:
    rows: dict[str, list[str]] = {}
    for ref, record in records.items():
        for shared in block(record):
            rows.setdefault(shared, []).append(ref)
    return rows


def _english(field: Graded) -> str:
    if field.grade is None:
        return "not compared (blank)"
    if field.grade == 1.0:
        return "agrees"
    return f"{'nearly agrees' if field.grade >= _ALIKE else 'differs'} ({field.grade:.2f})"


def _japanese(field: Graded) -> str:
    if field.grade is None:
        return "空欄のため比較なし"
    if field.grade == 1.0:
        return "一致"
    return f"{'ほぼ一致' if field.grade >= _ALIKE else '不一致'}（{field.grade:.2f}）"
