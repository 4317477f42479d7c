"""The life of a seed as data: who edits when, what goes wrong, which process dies. It can be replayed with less in it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypeAlias

import attrs

from ...model import SIDES, Side

ROUNDS = 3
_LIVES = (12, 25, 25, 90)
"""Effects within which a process that is to die dies; a shorter one lives. Most runs have some twenty or thirty."""

_RATES = (0.02, 0.1, 0.25)


@attrs.frozen
class Touch:
    """One thing that a person does, chosen by this number."""

    number: int


@attrs.frozen
class Work:
    """One process: it hands over, runs, and may die before or after an effect."""

    number: int
    pause: float
    """Seconds that pass before it."""
    dies: tuple[Literal["crash_before", "crash_after"], int] | None = None
    during: tuple[tuple[int, Touch], ...] = ()
    """What people do meanwhile, each by the number of the request before which they do it."""


Step: TypeAlias = "Touch | Work"


@attrs.frozen
class Armed:
    """One fault that is switched on at a side, and how often it comes."""

    side: Side
    fault: str
    probability: float = 1.0
    at: int | None = None
    """Only at this occasion, counted from 1 in its round; None: at any."""
    way: str = ""

    def say(self, system: str) -> str:
        """Name the fault, the system, and when it comes."""
        if self.at is None:
            return f"{self.fault}@{self.probability:g} at {system}"
        return f"{self.fault}{f' ({self.way})' if self.way else ''} at {system}, occasion {self.at}"


@attrs.frozen
class Round:
    """Trouble, after which all is quiet and the laws are asked."""

    faults: tuple[Armed, ...]
    steps: tuple[Step, ...]


@attrs.frozen
class Script:
    """All that happens to one world."""

    seed: int
    rounds: tuple[Round, ...]

    @property
    def size(self) -> int:
        """Count what stands in it."""
        inside = sum(1 + len(step.during) + bool(step.dies) for one in self.rounds for step in one.steps
                     if isinstance(step, Work))  # fmt: skip
        touches = sum(isinstance(step, Touch) for one in self.rounds for step in one.steps)
        return inside + touches + sum(1 + len(one.faults) for one in self.rounds)


def script(seed: int, *, offers: Mapping[Side, Sequence[str]], crashes: bool, rounds: int = ROUNDS) -> Script:
    """Write what happens to the world of a seed; each seed switches another part of the faults on."""
    chance = random.Random(f"script {seed}")
    share = chance.choice((0.15, 0.4, 0.8))
    chosen: list[tuple[Side, str]] = [
        (side, fault) for side in SIDES for fault in offers[side] if chance.random() < share
    ]
    numbers = iter(range(1_000_000))
    return Script(seed, tuple(_round(chance, chosen, numbers, crashes=crashes) for _ in range(rounds)))


def _round(
    chance: random.Random, chosen: Sequence[tuple[Side, str]], numbers: Iterator[int], *, crashes: bool
) -> Round:
    armed = tuple(Armed(side, fault, chance.choice(_RATES)) for side, fault in chosen if chance.random() < 0.7)
    steps: list[Step] = [Touch(next(numbers)) for _ in range(chance.randrange(1, 9))]
    for _ in range(chance.randrange(1, 4)):
        during = sorted(chance.randrange(1, 30) for _ in range(chance.choice((0, 0, 1, 2))))
        steps.append(
            Work(
                next(numbers),
                chance.choice((5.0, 90.0, 700.0)),
                (chance.choice(("crash_before", "crash_after")), chance.randrange(1, chance.choice(_LIVES)))
                if crashes and chance.random() < 0.6
                else None,
                tuple((at, Touch(next(numbers))) for at in during),
            )
        )
        steps += [Touch(next(numbers)) for _ in range(chance.randrange(3))]
    return Round(armed, tuple(steps))
