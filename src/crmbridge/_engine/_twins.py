"""Creates that matching must see although no record shows them yet: promised, planned, or decided in this batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

import attrs

from ..flow import Flow
from ..model import RecordRef, Side
from ..protocols import KeyValue, Question
from ._matching import Search, keys_of_one
from ._run import Run
from ._tied import Tied

_NONE: frozenset[int] = frozenset()


@attrs.define(eq=False)
class Reserved:
    """The comparison keys of the records that a batch is about to make."""

    _made: int = 0
    _by_key: dict[KeyValue, set[int]] = attrs.field(factory=lambda: dict[KeyValue, set[int]]())

    def add(self, keys: Iterable[KeyValue]) -> None:
        """Reserve the keys of one record."""
        self._made += 1
        for key in keys:
            self._by_key.setdefault(key, set()).add(self._made)

    def answer(self, question: Question) -> bool:
        """Say whether one of these records carries all keys of an alternative."""
        return any(keys and _common([self._by_key.get(key, _NONE) for key in keys]) for keys in question.any_of)


@attrs.define(eq=False)
class Foreseen(Reserved):
    """The comparison keys of all records that a queue would make, by their hashes: there may be millions of them.

    Sets of keys are remembered of the sizes that were asked for: whoever is made was looked for by its own before.
    """

    _sets: Tied = attrs.field(factory=Tied)
    _sizes: set[int] = attrs.field(factory=lambda: set[int]())

    def add(self, keys: Iterable[KeyValue]) -> None:
        """Reserve the keys of one record."""
        own = frozenset(keys)
        for size in self._sizes:
            for some in combinations(own, size):
                self._sets.add(frozenset(some))

    def answer(self, question: Question) -> bool:
        """Say whether one of these records carries all keys of an alternative."""
        asked = [frozenset(keys) for keys in question.any_of if keys]
        self._sizes.update(map(len, asked))
        return any(self._sets.has(keys) for keys in asked)


def _common(holders: Sequence[Iterable[int]]) -> frozenset[int]:
    first, *others = holders
    return frozenset(first).intersection(*others)


@attrs.frozen
class Promised:
    """Which records of a batch have to do with creates that are promised and not settled, or planned."""

    twins: frozenset[RecordRef] = frozenset()
    """What would be made for them is being made for another record already."""
    strangers: frozenset[RecordRef] = frozenset()
    """They may be the unseen copy of a create of ours whose answer was lost."""


def promised(run: Run, side: Side, searches: Sequence[Search]) -> Flow[Promised]:
    """Ask for all records of a batch at once; nothing is promised while a batch is being decided."""
    asked = [(search.record.ref, question) for search in searches for question in strict(search)]
    plan = run.id if run.planning else ""
    matcher = run.definition.matcher
    keyed = [(search.record.ref, known) for search in searches if (known := keys_of_one(matcher, search.record, side))]
    own = [(ref, Question(ref.kind, "", tuple((key,) for key in keys))) for ref, keys in keyed]
    made = yield from _creating(run, plan, [question for _, question in asked])
    lost = yield from _creating(run, "", [question for _, question in own])
    twins = (ref for (ref, _), found in zip(asked, made, strict=True) if any(one != ref for one in found))
    strangers = (ref for (ref, _), found in zip(own, lost, strict=True) if found)
    return Promised(frozenset(twins), frozenset(strangers))


def _creating(run: Run, plan: str, questions: Sequence[Question]) -> Flow[Sequence[Sequence[RecordRef]]]:
    return (yield from run.ask(run.store.outbox.creating, run.name, plan, questions)) if questions else ()


def strict(search: Search) -> list[Question]:
    """Give the questions whose answers are twins, not candidates only."""
    return [question for question in search.asked if not question.loose]
