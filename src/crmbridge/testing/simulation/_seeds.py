"""Seeds: each is a world of its own that is lived through and judged; the same seed lives the same life."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import attrs

from ...errors import UsageError
from ...model import SIDES, Disposition, Side
from ._laws import judge
from ._life import Build, Life
from ._reach import pairs, reached, rows
from ._report import SimReport, Violation
from ._script import ROUNDS, Armed, Script, script
from ._shrink import TRIES, shrunk
from ._world import Breach, SimWorld

TWICE = 100
"""One seed in so many is lived twice."""

MOST = 5
"""Seeds that break a law before a simulation ends."""


@attrs.define(eq=False)
class _Sum:
    """What all seeds came to so far."""

    reached: Counter[str] = attrs.field(factory=Counter[str])
    figures: Counter[str] = attrs.field(factory=Counter[str])
    violations: list[Violation] = attrs.field(factory=list[Violation])
    written: int = 0
    wanted: dict[str, None] = attrs.field(factory=dict[str, None])
    """What the worlds of all seeds could reach, in order."""
    pairs: Counter[str] = attrs.field(factory=Counter[str])
    """How often each pair of fields was written."""

    def add(self, life: Life, *, crashes: bool) -> None:
        """Count one life."""
        seen = life.seen
        self.wanted |= dict.fromkeys(rows(life, crashes=crashes))
        self.reached.update(reached(life))
        self.pairs.update(pairs(life))
        self.figures.update(
            seeds=1, operations=seen.operations, runs=seen.runs, edits=seen.edits, crashes=seen.crashes,
            windows=seen.windows,
        )  # fmt: skip
        self.written += sum(len(life.ours(side)) for side in SIDES)


@attrs.frozen
class _Simulation:
    """How worlds are made and lived in."""

    build: Build
    world: Callable[[int], SimWorld]
    crashes: bool
    faults: Mapping[Side, Sequence[str]] | None
    rounds: int
    tries: int

    def life(self, seed: int) -> Life:
        """Make the world of a seed."""
        world = self.world(seed)
        if self.faults is not None:
            world.left_faults, world.right_faults = self.faults.get("left", ()), self.faults.get("right", ())
        return Life(self.build, world, judge)

    def script(self, seed: int, life: Life) -> Script:
        """Write what happens to the world of a seed."""
        offers: Mapping[Side, Sequence[str]] = {side: life.seats[side].offers for side in SIDES}
        return script(seed, offers=offers, crashes=self.crashes, rounds=self.rounds)

    def violation(self, told: Script, breach: Breach, struck: Sequence[tuple[Armed, ...]]) -> Violation:
        """Shrink what broke a law, and tell it; *struck* is what came true in each round, each at its occasion."""

        def fails(candidate: Script) -> bool:
            return any(one.law == breach.law for one in self.life(told.seed).lived(candidate))

        lived = zip(told.rounds, struck, strict=False)
        pinned = attrs.evolve(told, rounds=tuple(attrs.evolve(one, faults=faults) for one, faults in lived))
        short = shrunk(pinned if fails(pinned) else told, fails, tries=self.tries)
        life = self.life(told.seed)
        found = next((one for one in life.lived(short) if one.law == breach.law), breach)
        armed = [one.say(life.seats[one.side].system) for part in short.rounds for one in part.faults]
        return Violation(told.seed, found.law, found.told, tuple(life.story), tuple(dict.fromkeys(armed)))


def simulate(
    build: Build,
    world: Callable[[int], SimWorld],
    *,
    seeds: int = 100,
    first: int = 0,
    crashes: bool = False,
    operations: int | None = None,
    faults: Mapping[Side, Sequence[str]] | None = None,
    rounds: int = ROUNDS,
    tries: int = TRIES,
) -> SimReport:
    """Look for a seed that breaks a law, in as many worlds as there are seeds.

    *world* makes the two systems and the people of a seed, *build* the pipeline between them, anew for each process.
    With *crashes*, processes die before or after an effect, and the next one goes on from the store. Seeds go on until
    there were *operations*, too, where that is given. *faults* names by side which may be switched on; without it, all
    that the fakes show. Each seed has *rounds* of trouble, by default 3, each followed by quiet. A seed that breaks a
    law is lived again up to *tries* times, by default 200, with less and less in it; after five such seeds the
    simulation ends.

    Raises `UsageError` for less than one seed, and ValueError for a fault that a fake cannot show.
    """
    if seeds < 1:
        raise UsageError(f"simulate: {seeds} seeds prove nothing")
    how = _Simulation(build, world, crashes, faults, rounds, tries)
    total = _Sum()
    seed = first
    while len(total.violations) < MOST and (seed < first + seeds or total.figures["operations"] < (operations or 0)):
        _lived(how, seed, total)
        seed += 1
    return _report(how, first, total)


def _lived(how: _Simulation, seed: int, total: _Sum) -> None:
    life = how.life(seed)
    told = how.script(seed, life)
    broken = life.lived(told)
    total.add(life, crashes=how.crashes)
    if broken:
        total.violations.append(how.violation(told, broken[0], life.struck))
    elif seed % TWICE == 0:
        again = how.life(seed)
        _ = again.lived(told)
        total.figures["twice"] += 1
        if again.trace != life.trace:
            total.violations.append(Violation(seed, "I10", "lived twice, it left two traces"))


def _report(how: _Simulation, first: int, total: _Sum) -> SimReport:
    life = how.life(first)
    world, figures = life.world, total.figures
    wanted = [row for row in total.wanted if row not in world.beyond]
    told = total.reached + total.pairs
    written = [row for row in total.pairs if row not in world.beyond]
    every = dict.fromkeys([*wanted, *sorted(total.reached), *written])
    few = world.enough is not None and figures["seeds"] < world.enough
    unreached = [] if few else written if world.enough is None else [*wanted, *written]
    if not total.written:
        unreached = [str(Disposition.APPLIED)]
    return SimReport(
        life.definition.name,
        first,
        figures["seeds"],
        figures["operations"],
        figures["runs"],
        figures["edits"],
        figures["crashes"],
        figures["windows"],
        figures["twice"],
        {row: told[row] for row in every},
        tuple(row for row in unreached if not told[row]),
        world.beyond,
        tuple(total.violations),
    )
