"""From scored pairs to who is whom: one partner each, or groups of one person, without chains."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import attrs


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
    """Gives every record at most one partner, the best pair first.

    A pair with a rival within *margin* is left to a person.

    The order of the pairs does not matter: equal scores are taken in the order of their ids, which decides only with
    no margin. With a margin a pair is assigned only if no other pair that is still open and shares one of its records
    scores within the margin, so that of two equal candidates neither is taken by chance. Pairs below *at_least* are
    never assigned and never rivals.
    """
    ordered = _best_first(pair for pair in pairs if pair.score >= at_least)
    lefts, rights = _rows_by(ordered, _left), _rows_by(ordered, _right)
    used_left: set[str] = set()
    used_right: set[str] = set()
    taken: list[Scored] = []
    tied: list[Scored] = []
    for pair in ordered:
        if pair.left in used_left or pair.right in used_right:
            continue
        if margin > 0 and _rivalled(pair, (*lefts[pair.left], *rights[pair.right]), used_left, used_right, margin):
            tied.append(pair)
            continue
        taken.append(pair)
        used_left.add(pair.left)
        used_right.add(pair.right)
    open_ties = tuple(pair for pair in tied if pair.left not in used_left and pair.right not in used_right)
    return Assignment(tuple(taken), open_ties)


def groups(pairs: Iterable[Scored], *, at_least: float, together: float) -> tuple[tuple[str, ...], ...]:
    """Puts records of one list into groups.

    Two groups join only if their members are alike on average, so that no chain forms.

    Pairs are taken best first, down to *at_least*. When a pair would join two groups, the mean score over all pairs
    between them must reach *together*; a pair that was never scored counts as nothing. Groups and their members come
    in the order of ids; a record without a partner is in no group.
    """
    ordered = _best_first(pairs)
    known: dict[tuple[str, str], float] = {}
    for pair in ordered:
        known.setdefault((pair.left, pair.right), pair.score)
        known.setdefault((pair.right, pair.left), pair.score)
    group: dict[str, list[str]] = {}
    for pair in ordered:
        if pair.score < at_least:
            break
        one, other = (group.setdefault(record, [record]) for record in (pair.left, pair.right))
        if one is other or _mean(one, other, known) < together:
            continue
        one.extend(other)
        group.update(dict.fromkeys(other, one))
    found = {id(members): tuple(sorted(members)) for members in group.values() if len(members) > 1}
    return tuple(sorted(found.values()))


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
        and abs(rival.score - pair.score) <= margin
        and rival.left not in used_left
        and rival.right not in used_right
        for rival in sharing
    )


def _mean(one: Sequence[str], other: Sequence[str], known: dict[tuple[str, str], float]) -> float:
    return sum(known.get((a, b), 0.0) for a in one for b in other) / (len(one) * len(other))
