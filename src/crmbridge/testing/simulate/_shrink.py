"""Shrinking: of a script that breaks a law, the shortest one found that still breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import attrs

from ._script import Round, Script, Step, Work

T = TypeVar("T")

TRIES = 200
"""Replays that a shrinking may take."""


def shrunk(script: Script, fails: Callable[[Script], bool], *, tries: int = TRIES) -> Script:
    """Leave out whatever can be left out; *fails* replays a script and says whether the law is still broken."""
    best, left = script, tries
    found = True
    while found and left > 0:
        found = False
        for candidate in _smaller(best):
            if left <= 0:
                break
            left -= 1
            if fails(candidate):
                best, found = candidate, True
                break
    return best


def _smaller(script: Script) -> Iterator[Script]:
    """Give scripts with less in them, those with much less first."""
    for rounds in _without(script.rounds):
        yield attrs.evolve(script, rounds=rounds)
    for place, one in enumerate(script.rounds):
        for smaller in _less(one):
            rounds = (*script.rounds[:place], smaller, *script.rounds[place + 1 :])
            yield attrs.evolve(script, rounds=rounds)


def _less(one: Round) -> Iterator[Round]:
    for faults in _without(one.faults):
        yield attrs.evolve(one, faults=faults)
    for steps in _without(one.steps):
        yield attrs.evolve(one, steps=steps)
    for place, step in enumerate(one.steps):
        if isinstance(step, Work):
            for smaller in _calmer(step):
                yield attrs.evolve(one, steps=(*one.steps[:place], smaller, *one.steps[place + 1 :]))


def _calmer(step: Work) -> Iterator[Step]:
    if step.dies is not None:
        yield attrs.evolve(step, dies=None)
    for during in _without(step.during):
        yield attrs.evolve(step, during=during)


def _without(items: Sequence[T]) -> Iterator[tuple[T, ...]]:
    """Leave out everything, then halves, quarters and so on, then each item alone."""
    size = len(items)
    while size >= 1:
        for start in range(0, len(items), size):
            yield (*items[:start], *items[start + size :])
        size //= 2
