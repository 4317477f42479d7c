"""From scored pairs to who is whom: one partner each, or groups of one person, without chains."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import attrs

_WHOLE: Final = 2**53
"""Parts of a whole score: the steps of a float below 1."""


@attrs.frozen
class Scored:
    """Two records by their ids, and how alike they are from 0 to 1."""

    left: str
    right: str
    score: float


@attrs.frozen
class Assignment:
    """Pairs in which every record occurs at most once, and pairs left out because another was as good."""

    pairs: tuple[Scored, ...] = ()
    tied: tuple[Scored, ...] = ()


def one_to_one(pairs: Iterable[Scored], *, at_least: float, margin: float = 0.0) -> Assignment:
    """Gives every record at most one partner, the best pair first, and leaves equal candidates to a person.

    A rival is another pair that shares a record and whose own records are still without a partner. A pair with a rival
    that is as good, or less than *margin* away, is left to a person, so that neither is taken by chance; and so nothing
    worse is taken for a record that such a pair, or any better one, may still get. The order of the pairs does not matter.
    Pairs below *at_least* are never assigned and never rivals.
    """
    ordered = _best_first(pair for pair in pairs if pair.score >= at_least)
    lefts, rights = _rows_by(ordered, _left), _rows_by(ordered, _right)
    used_left: set[str] = set()
    used_right: set[str] = set()
    awaited_left: set[str] = set()
    awaited_right: set[str] = set()
    taken: list[Scored] = []
    tied: list[Scored] = []
    for pair in ordered:
        if pair.left in used_left or pair.right in used_right:
            continue
        rivalled = _rivalled(pair, (*lefts[pair.left], *rights[pair.right]), used_left, used_right, margin)
        if rivalled or pair.left in awaited_left or pair.right in awaited_right:
            tied.extend((pair,) if rivalled else ())
            awaited_left.add(pair.left)
            awaited_right.add(pair.right)
            continue
        taken.append(pair)
        used_left.add(pair.left)
        used_right.add(pair.right)
    return Assignment(tuple(taken), tuple(tied))


def groups(pairs: Iterable[Scored], *, at_least: float, together: float) -> tuple[tuple[str, ...], ...]:
    """Puts records of one list into groups.

    Two groups join only if their members are alike on average, so that no chain forms.

    Pairs are taken best first, down to *at_least*. When a pair would join two groups, the mean score over all pairs
    between them must reach *together*; a pair that was never scored counts as nothing. Groups and their members come
    in the order of ids; a record without a partner is in no group.
    """
    ordered = [pair for pair in _best_first(pairs) if pair.left != pair.right]
    known = _Groups()
    for pair in ordered:
        known.score(pair)
    for pair in ordered:
        if pair.score < at_least:
            break
        known.join(pair, together)
    return tuple(sorted(tuple(sorted(members)) for members in known.members.values() if len(members) > 1))


def _best_first(pairs: Iterable[Scored]) -> list[Scored]:
    return sorted(pairs, key=lambda pair: (-pair.score, pair.left, pair.right))


def _left(pair: Scored) -> str:
    return pair.left


def _right(pair: Scored) -> str:
    return pair.right


def _rows_by(ordered: Sequence[Scored], side: Callable[[Scored], str]) -> dict[str, list[Scored]]:
    rows: dict[str, list[Scored]] = {}
    for pair in ordered:
        rows.setdefault(side(pair), []).append(pair)
    return rows


def _rivalled(
    pair: Scored, sharing: Iterable[Scored], used_left: set[str], used_right: set[str], margin: float
) -> bool:
    return any(
        (rival.left, rival.right) != (pair.left, pair.right)
        and (rival.score == pair.score or abs(rival.score - pair.score) < margin)
        and rival.left not in used_left
        and rival.right not in used_right
        for rival in sharing
    )


@attrs.define(eq=False)
class _Groups:
    """Groups that grow, each under the name of a member, and how alike any two are in sum: no pair is asked twice."""

    members: dict[str, list[str]] = attrs.field(factory=dict[str, list[str]])
    _group: dict[str, str] = attrs.field(factory=dict[str, str])
    _between: dict[str, dict[str, int]] = attrs.field(factory=dict[str, dict[str, int]])
    """By two groups: the sum of the scores between them, in whole parts, which add up to the same in any order."""

    def score(self, pair: Scored) -> None:
        """Learn how alike two records are; what was learned of them first counts."""
        for one, other in ((pair.left, pair.right), (pair.right, pair.left)):
            self.members.setdefault(one, [one])
            self._group.setdefault(one, one)
            self._between.setdefault(one, {}).setdefault(other, _parts(pair.score))

    def join(self, pair: Scored, together: float) -> None:
        """Make one group of the two that a pair stands between, if their members are alike on average."""
        into, gone = sorted(
            (self._group[pair.left], self._group[pair.right]), key=lambda name: -len(self.members[name])
        )
        if into == gone:
            return
        pairs = len(self.members[into]) * len(self.members[gone])
        if self._between[into][gone] < _parts(together) * pairs:
            return
        self._group.update(dict.fromkeys(self.members[gone], into))
        self.members[into] += self.members.pop(gone)
        for third, alike in self._between.pop(gone).items():
            del self._between[third][gone]
            if third != into:
                for one, other in ((into, third), (third, into)):
                    self._between[one][other] = self._between[one].get(other, 0) + alike


def _parts(score: float) -> int:
    return round(score * _WHOLE)
