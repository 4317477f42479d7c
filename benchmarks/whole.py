"""What a whole process costs that synchronises two systems over HTTP once and ends: its CPU from start to end.

    python benchmarks/whole.py [--size LINKS] [--small LINKS] [--changes RECORDS] [--made RECORDS] [--rounds N] [--strict]

Nothing has changed; a thousand records of one side have; all records are new. The systems are fakes of Salesforce in
this process, so their work does not count; a synchronisation is a process of its own (`_syncs.py`), so imports do. The
yardstick does the happy case with httpx and SQLite, and neither checks nor retries nor tells why. Beside it stands a
loop that also does the happy case alone, but promises, reads again, keeps both halves and tells why: it says what that
costs by itself.
"""

from __future__ import annotations

import datetime as dt
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import _rounds
import _syncs
import attrs
from _rounds import Bar, Case
from _syncs import FIELDS, KIND, NAME
from client import lead

from crmbridge.model import Agreed, Link, RecordRef
from crmbridge.roles import Delta
from crmbridge.stores.sqlite import SqliteStore
from crmbridge.testing.fakes.salesforce import FakeSalesforce

PROGRAM = Path(_syncs.__file__)
PADDING = 5_000
COMPILED = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Both sides' modules are compiled once, as they are where they are installed."""


def children() -> float:
    """Tell the CPU time of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@attrs.define
class World:
    """Two organisations, the state of one synchronisation of them, and a clock that both go by."""

    who: str
    left: FakeSalesforce
    right: FakeSalesforce
    bases: tuple[str, str]
    path: str
    now: Callable[[dt.timedelta], None]
    ids: list[str]
    edits: int = 0

    def sync(self, wanted: int) -> None:
        """Synchronise once, in a process of its own, which must write so many records."""
        token = self.left.credentials["token"]
        command = [sys.executable, str(PROGRAM), self.who, *self.bases, token, self.path]
        written = int(subprocess.run(command, check=True, capture_output=True, text=True, env=COMPILED).stdout)
        if written != wanted:
            raise AssertionError(f"{self.who} wrote {written} records instead of {wanted}")

    def edited(self, records: int) -> None:
        """Let people change records of the left, an hour later; what went before lies behind every overlap then."""
        self.now(dt.timedelta(hours=1))
        self.edits += 1
        for id in self.ids[:records]:
            self.left.edit(KIND, id, Title=f"部長{self.edits}")

    def rest(self) -> None:
        """Come to rest an hour after the last edit, of one record, so that a run has next to nothing to read."""
        self.now(dt.timedelta(hours=1))
        self.sync(0)
        self.edited(1)
        self.sync(1)
        self.now(dt.timedelta(hours=1))
        self.sync(0)

    def padded(self, links: int) -> World:
        """Tie further records that nobody changes, as crmbridge would have."""
        labels = tuple(f"{name}|{name}" for name in FIELDS)
        with SqliteStore(self.path) as store:
            now = dt.datetime.now(dt.UTC)
            fence = store.leases.take(NAME, "benchmark", now, dt.timedelta(minutes=10))
            for start in range(0, links, PADDING):
                some = range(start, min(start + PADDING, links))
                halves = [Agreed(labels, tuple(lead(n).values()), settled_version="2026") for n in some]
                tied = [
                    Link(f"padding{n}", *(RecordRef(side, KIND, f"00Q7{n:014}") for side in ("left", "right")), half, half, now)
                    for n, half in zip(some, halves, strict=True)
                ]  # fmt: skip
                store.commit(NAME, Delta(links=tuple(tied)), fence)
            store.leases.release(fence)
        return self


@attrs.define
class Worlds:
    """Makes worlds that are gone when the block ends."""

    folder: str
    stack: ExitStack
    made: int = 0

    def world(self, who: str, people: int) -> World:
        """Make a left with so many people and a right with none."""
        self.made += 1
        moment = [dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(days=300)]
        left, right = (FakeSalesforce(now=lambda: moment[0], seed=1) for _ in range(2))
        ids = [left.place(KIND, dict(zip(FIELDS, _values(n), strict=True))) for n in range(people)]

        def later(by: dt.timedelta) -> None:
            moment[0] += by

        bases = tuple(self.stack.enter_context(fake.serve()) for fake in (left, right))
        later(dt.timedelta(hours=1))
        return World(who, left, right, (bases[0], bases[1]), str(Path(self.folder, f"{self.made}.db")), later, ids)


def _values(number: int) -> Sequence[object]:
    values = lead(number)
    return [values[name] for name in FIELDS]


def incremental(worlds: Worlds, given: _rounds.argparse.Namespace) -> Iterator[Case]:
    """Give the cases of connections that have stood for long."""
    named = [("bare", "bare", 0), ("careful", "careful", 0), (f"{given.small:,} links", "ours", given.small)]
    if given.size > given.small:
        named.append((f"{given.size:,} links", "ours", given.size))
    stood = {name: worlds.world(who, given.changes) for name, who, _ in named}
    for name, who, links in named:
        stood[name].sync(given.changes)
        if who == "ours":
            stood[name].padded(links - given.changes)
    yardsticks = {"nothing changed": "", "changes": ""}
    for name, world in stood.items():
        quiet, busy = f"nothing changed, {name}", f"{given.changes:,} changes, {name}"
        yield Case(
            quiet, "runs", 1, lambda world=world: world.sync(0), yardsticks["nothing changed"], world.rest, children
        )
        yield Case(busy, "changes", given.changes, lambda world=world: world.sync(given.changes), yardsticks["changes"],
                   lambda world=world: world.edited(given.changes), children)  # fmt: skip
        if name == "bare":
            yardsticks = {"nothing changed": quiet, "changes": busy}


def loads(worlds: Worlds, people: int) -> Iterator[Case]:
    """Give the cases of connections that begin."""
    for who, against in (("bare", ""), ("careful", "first load, bare"), ("ours", "first load, bare")):
        fresh: list[World] = []

        def ready(who: str = who, fresh: list[World] = fresh) -> None:
            fresh[:] = [worlds.world(who, people)]

        def load(fresh: list[World] = fresh) -> None:
            fresh[0].sync(people)

        yield Case(f"first load, {who}", "records", people, load, against, ready, children)


def main() -> int:
    given = _rounds.options(__doc__ or "", size=100_000, small=10_000, changes=1_000, made=10_000)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        worlds = Worlds(folder, stack)
        cases = [*incremental(worlds, given), *loads(worlds, given.made)]
        bars = [
            Bar(f"nothing changed, {given.small:,} links", most=3),
            Bar(f"{given.changes:,} changes, {given.small:,} links", most=4),
            Bar("first load, ours", most=2.5),
        ]
        return _rounds.run("whole", cases, bars, given)


if __name__ == "__main__":
    raise SystemExit(main())
