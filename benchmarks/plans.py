"""A plan of many rows: made, shown, listed row by row, and stopped by a guard, within a bounded memory.

    python benchmarks/plans.py [--size RECORDS] [--small RECORDS] [--rounds N] [--strict]

Everybody on one side is new, so each row of the plan is a record that would be made. Every step has a process of its
own, whose peak is told. The yardstick of making a plan is what inserts the same rows into a table and nothing else.
"""

from __future__ import annotations

import tempfile
import time
from itertools import count
from pathlib import Path

import _rounds
import _yardsticks as yardsticks
from _alone import alone
from _large import Large
from _rounds import Case
from page_loop import pipeline
from planner import person

from crmbridge import gates
from crmbridge.errors import GuardTripped
from crmbridge.model import Disposition, Totals
from crmbridge.pipeline import Pipeline
from crmbridge.report import Names, Plan
from crmbridge.roles import StateStore
from crmbridge.stores.sqlite import SqliteStore


def planning(size: int, store: StateStore, most: float) -> Pipeline:
    left, right = Large("left", size, fresh=True), Large("right", 0)
    return pipeline(left, right, store).guard(gates.at_most(creates=most), gates.not_emptied())


def made(path: str, size: int) -> tuple[str, Totals, float]:
    """Make the plan, under guards that let it through; give its name, what it counts, and the CPU seconds."""
    began = time.process_time()
    with SqliteStore(path) as store:
        plan = planning(size, store, size + 1).plan()
        if plan.totals.of("create") != size or not plan.say():
            raise AssertionError(f"{plan.totals} instead of {size} creates")
        return plan.id, plan.totals, time.process_time() - began


def listed(path: str, plan: str, totals: Totals) -> float:
    """Go through all rows of the plan; give the CPU seconds."""
    began = time.process_time()
    with SqliteStore(path) as store:
        made = planning(0, store, 0)
        found = Plan(plan, Names("left", "right"), store, totals, made.definition).rows(Disposition.APPLIED)
        if sum(len(decision.actions) for decision in found) != totals.of("create"):
            raise AssertionError("the plan does not list what it counts")
    return time.process_time() - began


def guarded(path: str, size: int) -> float:
    """Try to run what a guard objects to; give the CPU seconds."""
    began = time.process_time()
    with SqliteStore(path) as store:
        try:
            planning(size, store, size // 2).run()
        except GuardTripped:
            return time.process_time() - began
    raise AssertionError("the guard let a run through that makes too much")


def peaks(path: str, size: int) -> list[float]:
    """Do each step in a process of its own, say how long it took, and give the peaks."""
    (plan, totals, took), first = alone("plans", "made", path, size)
    listing, second = alone("plans", "listed", path, plan, totals)
    judging, third = alone("plans", "guarded", path, size)
    for step, seconds, peak in (
        ("made", took, first),
        ("listed", listing, second),
        ("stopped by a guard", judging, third),
    ):
        print(f"plan of {size:,} rows {step}: {seconds:.1f} s CPU, {seconds / size * 1e6:.0f} us a row, {peak:.0f} MB")
    print(f"plan of {size:,} rows: {Path(path).stat().st_size / size:.0f} bytes of state a row")
    return [first, second, third]


def main() -> int:
    given = _rounds.options(__doc__ or "", size=50_000, small=10_000, rounds=3)
    with tempfile.TemporaryDirectory() as folder:
        numbers = count()

        def place() -> str:
            return str(Path(folder, f"{next(numbers)}.db"))

        def told() -> list[tuple[str, bool]]:
            few, many = max(peaks(place(), given.small)), max(peaks(place(), given.size))
            return [
                _rounds.within(f"peak with {given.size:,} rows", many, 150, " MB"),
                _rounds.within(f"the same, beside {given.small:,} rows", many / few, 1.15, "x"),
            ]

        cases = [
            Case("bare rows", "rows", given.small, lambda: yardsticks.listed(place(), map(person, range(given.small)))),
            Case("plan", "rows", given.small, lambda: made(place(), given.small), "bare rows"),
        ]
        return _rounds.run("plans", cases, [], given, told=told)


if __name__ == "__main__":
    raise SystemExit(main())
