"""Cases in turn, round after round, and the table and the file that come of them.

What counts is CPU time, not wall time, and of that the ratio to a yardstick that ran in the same round: a busy machine
slows both. A rate in records a second is one machine's; it guides, and is judged only where nothing else can be.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import attrs

RESULTS = Path(__file__).resolve().parent / "results"


@attrs.frozen
class Case:
    """Something to do again and again: `work` goes through `count` of `unit` and is timed; `ready` is not."""

    name: str
    unit: str
    count: int
    work: Callable[[], object]
    against: str = ""
    """The name of the case that is its yardstick."""
    ready: Callable[[], object] = lambda: None
    seconds: Callable[[], float] = time.process_time
    """The clock: this process's own CPU time, unless the work is done elsewhere."""


@attrs.frozen
class Bar:
    """What must hold of a case: at most so many times its yardstick, at least so many a second."""

    case: str
    most: float | None = None
    least: float | None = None
    guide: bool = False
    """A figure for another machine: told, not judged."""


@attrs.frozen
class Row:
    """What came of a case."""

    case: Case
    seconds: tuple[float, ...]
    """Of each round."""
    ratio: float | None
    """The median over the rounds of its CPU time to its yardstick's in the same round."""

    @property
    def micros(self) -> float:
        return median(self.seconds) / self.case.count * 1e6

    @property
    def best(self) -> float:
        return min(self.seconds) / self.case.count * 1e6

    @property
    def rate(self) -> float:
        return 1e6 / self.micros if self.micros else 0.0


def options(about: str, *, size: int, rounds: int = 5, **more: int) -> argparse.Namespace:
    """Read what the command line says: how large, how often, and whether a bar that does not hold is a failure."""
    parser = argparse.ArgumentParser(description=about.partition("\n")[0])
    parser.add_argument("--size", type=int, default=size, help="records or pairs of a case")
    parser.add_argument("--rounds", type=int, default=rounds, help="how often each case runs")
    parser.add_argument("--strict", action="store_true", help="end with 1 where a bar does not hold")
    for name, value in more.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=value)
    return parser.parse_args()


def run(
    name: str,
    cases: Sequence[Case],
    bars: Sequence[Bar],
    given: argparse.Namespace,
    *,
    base: str = "",
    told: Callable[[], Sequence[tuple[str, bool]]] = tuple,
) -> int:
    """Measure, print, write the file, and give the exit code; what *base* takes is taken off the others.

    *told* is asked after the rounds for what was counted rather than timed: a line each, and whether it holds.
    """
    rows = measured(cases, given.rounds, base)
    print(table(rows))
    verdicts = [*(judged(bar, rows) for bar in bars), *told()]
    for says, _ in verdicts:
        print(says)
    write(name, rows, verdicts, given)
    return int(given.strict and not all(holds for _, holds in verdicts))


def measured(cases: Sequence[Case], rounds: int, base: str = "") -> list[Row]:
    taken: dict[str, list[float]] = {case.name: [] for case in cases}
    # The first round warms caches up: it is thrown away.
    for number in range(rounds + 1):
        seconds = {case.name: timed(case) for case in cases}
        for name in seconds if number else ():
            taken[name].append(seconds[name] - (seconds[base] if base and name != base else 0.0))
    return [Row(case, tuple(taken[case.name]), ratio(taken, case)) for case in cases]


def timed(case: Case) -> float:
    case.ready()
    # What was made ready is no page of the case's own: a collector that walks it would be timed.
    gc.collect()
    gc.freeze()
    try:
        began = case.seconds()
        case.work()
        return case.seconds() - began
    finally:
        gc.unfreeze()


def ratio(taken: dict[str, list[float]], case: Case) -> float | None:
    if not case.against:
        return None
    return median(own / (its or 1e-9) for own, its in zip(taken[case.name], taken[case.against], strict=True))


def within(what: str, found: float, most: float, unit: str = "") -> tuple[str, bool]:
    """Say of a figure that was counted whether it is within its bound, in a line."""
    holds = found <= most
    return f"{what}: {found:,.4g}{unit}, bar <= {most:,.4g}{unit}: {'holds' if holds else 'DOES NOT HOLD'}", holds


def judged(bar: Bar, rows: Sequence[Row]) -> tuple[str, bool]:
    """Say whether a bar holds, in a line."""
    row = next(row for row in rows if row.case.name == bar.case)
    found: list[tuple[str, bool]] = []
    if bar.most is not None and row.ratio is not None:
        found.append((f"{row.ratio:.2f}x of {row.case.against!r}, bar <= {bar.most:g}x", row.ratio <= bar.most))
    if bar.least is not None:
        found.append((f"{row.rate:,.0f} {row.case.unit}/s, bar >= {bar.least:,.0f}", row.rate >= bar.least))
    holds = all(held for _, held in found)
    verdict = ("holds" if holds else "DOES NOT HOLD") + (" (a guide: another machine's figure)" if bar.guide else "")
    return f"{bar.case}: {'; '.join(says for says, _ in found)}: {verdict}", holds or bar.guide


def table(rows: Sequence[Row]) -> str:
    """Give the rows as columns: CPU microseconds (median and least), a second, and against the yardstick."""
    head = ("case", "us median", "us min", "a second", "unit", "x yardstick", "yardstick")
    lines = [
        (
            row.case.name,
            f"{row.micros:,.2f}",
            f"{row.best:,.2f}",
            f"{row.rate:,.0f}",
            row.case.unit,
            "" if row.ratio is None else f"{row.ratio:.2f}",
            row.case.against,
        )
        for row in rows
    ]
    widths = [max(len(line[place]) for line in (head, *lines)) for place in range(len(head))]
    figures = {1, 2, 3, 5}
    return "\n".join(
        "  ".join(
            text.rjust(width) if place in figures else text.ljust(width)
            for place, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in (head, *lines)
    )


def write(name: str, rows: Sequence[Row], verdicts: Sequence[tuple[str, bool]], given: argparse.Namespace) -> None:
    RESULTS.mkdir(exist_ok=True)
    found = {
        "python": sys.version.split()[0],
        "machine": platform.machine(),
        "given": vars(given),
        "rows": [
            {
                "case": row.case.name,
                "unit": row.case.unit,
                "count": row.case.count,
                "cpu_seconds": row.seconds,
                "against": row.case.against,
                "ratio": row.ratio,
            }
            for row in rows
        ],
        "bars": [{"says": says, "holds": holds} for says, holds in verdicts],
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
