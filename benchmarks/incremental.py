"""What a run costs that has little to do, beside a state of any size: nothing changed, or a thousand records.

    python benchmarks/incremental.py [--size LINKS] [--small LINKS] [--changes RECORDS] [--rounds N] [--strict]

Each case opens its store anew. The feeds tell what changed and nothing else, so the time must follow the changes and
not the links. The yardstick keeps pairs and their agreed values in two tables and compares by generated code.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import _rounds
import _yardsticks as yardsticks
import attrs
from _alone import alone
from _large import Large
from _rounds import Bar, Case
from page_loop import linked, pipeline
from planner import NAMES, person

from crmbridge.model import Disposition
from crmbridge.stores.sqlite import SqliteStore

WANTED = {"read": 1}
"""What a run without changes asks of each side: one probe a kind."""


@attrs.define
class State:
    """A state file of a size, and the two systems that it ties."""

    path: str
    size: int
    rounds: int = 0
    asked: list[Counter[str]] = attrs.field(factory=list)
    """What the last run asked of each side."""
    left: Large = attrs.field(init=False)
    right: Large = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.left, self.right = Large("left", self.size), Large("right", self.size)

    def edited(self, changes: int) -> None:
        """Let people change records that lie far apart."""
        self.rounds += 1
        for n in range(0, self.size, max(1, self.size // changes)):
            self.left.edit(n, "title", f"部長{self.rounds}")

    def run(self) -> dict[Disposition, int]:
        """Run once, as a process that was just started."""
        for one in (self.left, self.right):
            one.requests.clear()
        with SqliteStore(self.path) as store:
            report = pipeline(self.left, self.right, store).run()
        self.asked = [Counter(one.requests) for one in (self.left, self.right)]
        return dict(report.counts)


def made(path: str, size: int) -> State:
    with SqliteStore(path) as store:
        linked(store, size, id="{n}", version="0")
    state = State(path, size)
    state.run()
    return state


def at_rest(state: State) -> None:
    """Take in the echo of what was written, so that the next run finds nothing."""
    state.run()


def nothing(state: State, times: int) -> None:
    for _ in range(times):
        if any(state.run().values()):
            raise AssertionError("a run found something where nothing had changed")


def changed(state: State, changes: int) -> None:
    found = state.run().get(Disposition.APPLIED, 0)
    if found < changes:
        raise AssertionError(f"{found} were applied instead of {changes}")


def both(path: str, size: int, changes: int) -> int:
    """Do both kinds of run in a process that does nothing else."""
    state = State(path, size)
    nothing(state, 1)
    state.edited(changes)
    changed(state, changes)
    return size


class Bare:
    """The yardstick's state, with the same records, and the same changes of them."""

    def __init__(self, path: str, size: int) -> None:
        self.database, self.size, self._rounds = yardsticks.tied(path, map(person, range(size))), size, 0
        self._changes: list[tuple[str, tuple[object, ...]]] = []

    def edited(self, changes: int) -> None:
        self._rounds += 1
        numbers = range(0, self.size, max(1, self.size // changes))
        place = NAMES.index("title")
        people = [(n, person(n)) for n in numbers]
        self._changes = [(str(n), (*cells[:place], f"部長{self._rounds}", *cells[place + 1 :])) for n, cells in people]

    def __call__(self) -> int:
        return yardsticks.carried(self.database, NAMES, self._changes)


def main() -> int:
    given = _rounds.options(__doc__ or "", size=100_000, small=10_000, changes=1_000)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        small, large = (made(str(Path(folder, f"{size}.db")), size) for size in (given.small, given.size))
        print(f"states of {small.size:,} and {large.size:,} links made in {time.perf_counter() - began:.0f} s")
        bare = Bare(str(Path(folder, "bare.db")), given.small)
        cases = list(timed_cases(small, large, bare, given.changes))
        bars = [
            Bar(f"nothing changed, {large.size:,} links, wall", most=1.25),
            Bar(f"{given.changes:,} changes, {large.size:,} links, wall", most=1.5),
        ]
        return _rounds.run("incremental", cases, bars, given, told=lambda: told(small, large, given.changes))


def timed_cases(small: State, large: State, bare: Bare, changes: int) -> Sequence[Case]:
    wall = time.perf_counter
    quiet, busy = "nothing changed, {:,} links, wall", f"{changes:,} changes, {{:,}} links, wall"
    names = [text.format(state.size) for text in (quiet, busy) for state in (small, large)]

    def ready(state: State) -> Callable[[], object]:
        def edit() -> None:
            at_rest(state)
            state.edited(changes)

        return edit

    def rest(state: State) -> Callable[[], object]:
        return lambda: at_rest(state)

    return [
        Case(names[0], "runs", 10, lambda: nothing(small, 10), "", rest(small), wall),
        Case(names[1], "runs", 10, lambda: nothing(large, 10), names[0], rest(large), wall),
        Case(names[2], "changes", changes, lambda: changed(small, changes), "", ready(small), wall),
        Case(names[3], "changes", changes, lambda: changed(large, changes), names[2], ready(large), wall),
        Case(f"bare, {changes:,} changes", "changes", changes, bare, "", lambda: bare.edited(changes)),
        Case(f"{changes:,} changes, {small.size:,} links, CPU", "changes", changes, lambda: changed(small, changes),
             f"bare, {changes:,} changes", ready(small)),
    ]  # fmt: skip


def told(small: State, large: State, changes: int) -> Sequence[tuple[str, bool]]:
    at_rest(large)
    nothing(large, 1)
    asked = [dict(one) for one in large.asked]
    probes = asked == [WANTED, WANTED]
    verdict = "holds" if probes else "DOES NOT HOLD"
    peaks = [alone("incremental", "both", state.path, state.size, changes)[1] for state in (small, large)]
    return [
        (f"a run without changes asked {asked}, bar one read a side: {verdict}", probes),
        _rounds.within(f"peak of a process with {large.size:,} links", peaks[1], 150, " MB"),
        _rounds.within("the same, beside that with few links", peaks[1] / peaks[0], 1.15, "x"),
    ]  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
