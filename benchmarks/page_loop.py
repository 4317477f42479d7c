"""What a record costs in a run of the engine: unchanged ones that a feed brings again, and new ones that are made.

    python benchmarks/page_loop.py [--size LINKS] [--made RECORDS] [--rounds N] [--strict]

The systems are in memory and their pages are made before, so what is measured is the engine, the drivers and the store.
The yardsticks do the same with a dictionary or two tables, and remember nothing else.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

import _rounds
import _yardsticks as yardsticks
from _rounds import Case
from planner import MATCHER, NAMES, POLICIES, person, spec

from crmbridge import policies
from crmbridge.drive import Driver
from crmbridge.flow import Flow, done
from crmbridge.model import Agreed, Disposition, Link, Page, Query, RecordRef, Rows, Schema
from crmbridge.pipeline import Pipeline, at, pair, two_way
from crmbridge.protocols import Connector
from crmbridge.report import Report
from crmbridge.roles import Delta, StateStore
from crmbridge.stores.memory import MemoryStore
from crmbridge.stores.sqlite import SqliteStore
from crmbridge.testing.connector import FakeConnector
from crmbridge.testing.sim import MONDAY, ManualClock

NAME = "bench"
PAGE = 2000
SCHEMA = Schema("person", {name: spec(name) for name in NAMES})


class Feed(FakeConnector):
    """Brings the same pages in each run, made once."""

    def __init__(self, system: str, size: int) -> None:
        super().__init__(system, SCHEMA)
        starts = range(0, size, PAGE)
        self.pages = [self._made(start, min(start + PAGE, size), size) for start in starts]

    def _made(self, start: int, end: int, size: int) -> Page:
        numbers = range(start, end)
        rows = Rows(
            self.system,
            "person",
            ("email",),
            tuple(f"{self.system}{n}" for n in numbers),
            tuple((person(n)[0],) for n in numbers),
            tuple(str(n) for n in numbers),
            (MONDAY,) * len(numbers),
            (None,) * len(numbers),
        )
        more = end < size
        return Page(rows, (), str(end if more else 0), more)

    def read(self, query: Query) -> Flow[Page]:
        return done(self.pages[int(query.cursor or 0) // PAGE])


def pipeline(left: Connector, right: Connector, store: StateStore) -> Pipeline:
    return (
        two_way(NAME, at(left, "person"), at(right, "person"))
        .match(*MATCHER.levels)
        .fields(*(pair(name, name, policy=POLICIES.get(name, policies.right_wins)) for name in NAMES))
        .creates(left=False, right=True)
        .remember(store)
        .using(Driver(store, clock=ManualClock()))
    )


def linked(store: StateStore, size: int, id: str = "{side}{n}", version: str = "{n}") -> StateStore:
    """Remember pairs at the versions that the feeds will bring."""
    labels = tuple(f"{name}|{name}" for name in NAMES)
    fence = store.leases.take(NAME, "benchmark", MONDAY, dt.timedelta(minutes=10))
    for start in range(0, size, PAGE):
        links: list[Link] = []
        for n in range(start, min(start + PAGE, size)):
            half = Agreed(labels, tuple(person(n)), settled_version=version.format(n=n))
            ends = (RecordRef(side, "person", id.format(side=side, n=n)) for side in ("left", "right"))
            links.append(Link(f"link{n}", *ends, half, half, MONDAY))
        store.commit(NAME, Delta(links=tuple(links)), fence)
    store.leases.release(fence)
    return store


def counted(report: Report, disposition: Disposition, wanted: int) -> None:
    if report.counts.get(disposition, 0) != wanted:
        raise AssertionError(f"{dict(report.counts)} instead of {wanted} {disposition}")


def unchanged(store: StateStore, feeds: Sequence[Feed], size: int) -> Callable[[], None]:
    ready = pipeline(feeds[0], feeds[1], linked(store, size))
    return lambda: counted(ready.run(), Disposition.UNCHANGED, 2 * size)


class Backfill:
    """Makes all records of one side on the other, from nothing, each time."""

    def __init__(self, size: int, store: Callable[[], StateStore]) -> None:
        self.size, self._store = size, store

    def ready(self) -> None:
        left, right = FakeConnector("left", SCHEMA), FakeConnector("right", SCHEMA)
        for n in range(self.size):
            left.put("person", **dict(zip(NAMES, person(n), strict=True)))
        self.pipeline = pipeline(left, right, self._store())

    def __call__(self) -> None:
        counted(self.pipeline.run(), Disposition.APPLIED, self.size)


def remembered(path: str, feeds: Sequence[Feed]) -> sqlite3.Connection:
    """Make the table of the SQLite yardstick: ids and the versions at which they were settled."""
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE settled (id TEXT PRIMARY KEY, version TEXT) WITHOUT ROWID")
    rows = (row for feed in feeds for page in feed.pages for row in zip(page.rows.ids, page.rows.versions, strict=True))
    database.executemany("INSERT INTO settled VALUES (?, ?)", rows)
    database.commit()
    return database


def main() -> int:
    given = _rounds.options(__doc__ or "", size=100_000, made=20_000)
    feeds = Feed("left", given.size), Feed("right", given.size)
    pages = [(page.rows.ids, page.rows.versions) for feed in feeds for page in feed.pages]
    known = {id: version for ids, versions in pages for id, version in zip(ids, versions, strict=True)}
    people = [(f"left{n}", json.dumps(person(n), ensure_ascii=False)) for n in range(given.made)]
    with tempfile.TemporaryDirectory() as folder:
        numbers = count()

        def place() -> str:
            return str(Path(folder, f"{next(numbers)}.db"))

        database = remembered(place(), feeds)
        records, made = 2 * given.size, given.made
        in_memory, in_sqlite = Backfill(made, MemoryStore), Backfill(made, lambda: SqliteStore(place()))
        cases = [
            Case("bare look-up, dictionary", "records", records, lambda: yardsticks.settled(pages, known)),
            Case("unchanged, MemoryStore", "records", records, unchanged(MemoryStore(), feeds, given.size),
                 "bare look-up, dictionary"),
            Case("bare look-up, SQLite", "records", records, lambda: yardsticks.settled_in(pages, database)),
            Case("unchanged, SqliteStore", "records", records, unchanged(SqliteStore(place()), feeds, given.size),
                 "bare look-up, SQLite"),
            Case("bare backfill, SQLite", "records", made, lambda: yardsticks.backfilled(people, place())),
            Case("backfill, MemoryStore", "records", made, in_memory, "bare backfill, SQLite", in_memory.ready),
            Case("backfill, SqliteStore", "records", made, in_sqlite, "bare backfill, SQLite", in_sqlite.ready),
        ]  # fmt: skip
        return _rounds.run("page_loop", cases, [], given)


if __name__ == "__main__":
    raise SystemExit(main())
