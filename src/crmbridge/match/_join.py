"""Two whole tables at once: what a matcher finds where all records of both sides are at hand."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Container, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, compress
from typing import TypeAlias

import attrs

from ..model import Record, Rows, Side
from ..protocols import MOST_FOUND
from ._keys import AllOf
from ._matcher import LevelMatcher
from ._scored import ScoredLevel

_Places: TypeAlias = "dict[Hashable, int | tuple[int, ...]]"
"""Where each key is held, counted over all pages: a bare number while there is only one, so that an index is small."""


@attrs.frozen
class Joined:
    """What a join found, by the ids of the records that asked; those that found nothing are in neither."""

    pairs: Mapping[str, Mapping[str, str]] = attrs.field(repr=False)
    """By level: who asked, and who was adopted."""
    disputed: Mapping[str, tuple[str, ...]] = attrs.field(repr=False)
    """Who found several of which the rule adopts none, or too many to choose from, and whom."""


def join(matcher: LevelMatcher, asking: Sequence[Rows], held: Sequence[Rows], towards: Side = "right") -> Joined:
    """Match every record of some pages among all records of others, as the matcher would one by one.

    *towards* is the side of *held*. Two that ask may find the same one. Only keys of the smaller side are kept in
    memory, and those of a level only while it is tried; pages that hold a few thousand records each keep the rest small.
    Raises ValueError for a matcher with a level of grades, which no equal key can answer.
    """
    graded = next((level.name for level in matcher.levels if isinstance(level, ScoredLevel)), None)
    if graded is not None:
        raise ValueError(f"the level {graded!r} grades records; only levels of keys can be joined")
    own: Side = "left" if towards == "right" else "right"
    found = _Found(matcher, held, towards)
    unmatched: list[Sequence[int]] = [range(len(rows)) for rows in asking]
    few = sum(map(len, asking)) <= sum(map(len, held))
    for name, clauses in _steps(matcher):
        asked = [[_column(clause, rows, own) for clause in clauses] for rows in asking]
        places = [
            _places(clause, held, towards, {key for page in asked for key in page[number]} if few else None)
            for number, clause in enumerate(clauses)
        ]
        for page, (rows, columns) in enumerate(zip(asking, asked, strict=True)):
            unmatched[page] = list(found.settle(name, rows, unmatched[page], columns, places))
    return Joined(found.pairs, found.disputed)


@attrs.define
class _Found:
    """What was found so far, and how one of several is chosen."""

    matcher: LevelMatcher
    held: Sequence[Rows]
    towards: Side
    pairs: dict[str, dict[str, str]] = attrs.field(factory=dict[str, dict[str, str]])
    disputed: dict[str, tuple[str, ...]] = attrs.field(factory=dict[str, tuple[str, ...]])
    _ends: Sequence[int] = attrs.field(
        init=False, default=attrs.Factory(lambda found: list(accumulate(map(len, found.held))), takes_self=True)
    )

    def settle(
        self,
        level: str,
        rows: Rows,
        unmatched: Iterable[int],
        columns: Sequence[Sequence[Hashable]],
        places: Sequence[_Places],
    ) -> Iterator[int]:
        """Note what each record finds by any of the clauses, and give the rows that find nothing."""
        pairs = self.pairs.setdefault(level, {})
        found = [list(map(index.get, column)) for index, column in zip(places, columns, strict=True)]
        at = found[0] if len(found) == 1 else list(map(_together, *found))
        for row in unmatched:
            place = at[row]
            if place is None:
                yield row
            elif isinstance(place, int):
                pairs[rows.ids[row]] = self._id(place)
            else:
                self._choose(pairs, rows.ids[row], place)

    def _choose(self, pairs: dict[str, str], id: str, at: Iterable[int]) -> None:
        several = sorted(map(self._record, at), key=lambda record: record.ref)
        chosen = self.matcher.adopt.choose(several, self.towards) if len(several) < MOST_FOUND else None
        if chosen is None:
            self.disputed[id] = tuple(record.ref.id for record in several)
        else:
            pairs[id] = chosen.ref.id

    def _id(self, place: int) -> str:
        page = bisect_right(self._ends, place)
        return self.held[page].ids[place - self._ends[page]]  # counted from the end of the page

    def _record(self, place: int) -> Record:
        page = bisect_right(self._ends, place)
        return Record(self.held[page], place - self._ends[page] + len(self.held[page]))


def _steps(matcher: LevelMatcher) -> Iterator[tuple[str, tuple[AllOf, ...]]]:
    return ((level.name, level.alternatives(slot)) for level in matcher.levels for slot in range(level.slots))


def _column(clause: AllOf, rows: Rows, side: Side) -> Sequence[Hashable]:
    """Give what each record of a page holds for a clause; empty text where a part of it is blank."""
    columns = [key.texts(rows, side) for key in clause.keys]
    if len(columns) == 1:
        return columns[0]
    return [texts if all(texts) else "" for texts in zip(*columns, strict=True)] or [""] * len(rows)


def _places(clause: AllOf, held: Sequence[Rows], side: Side, wanted: Container[Hashable] | None) -> _Places:
    """Say where the keys of a clause are held; only the wanted ones where it is known which."""
    found: _Places = {}
    start = 0
    for rows in held:
        column = _column(clause, rows, side)
        held_here = enumerate(column, start)
        for place, key in held_here if wanted is None else compress(held_here, map(wanted.__contains__, column)):
            if key != "":
                before = found.setdefault(key, place)
                if before != place:
                    found[key] = (*before, place) if isinstance(before, tuple) else (before, place)
        start += len(rows)
    return found


def _together(*found: int | tuple[int, ...] | None) -> int | tuple[int, ...] | None:
    """Give what several clauses found as one, each place once."""
    places = {place for one in found if one is not None for place in (one if isinstance(one, tuple) else (one,))}
    return next(iter(places), None) if len(places) < 2 else tuple(places)
