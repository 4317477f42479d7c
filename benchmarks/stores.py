"""How fast the stores are: microseconds of CPU a record, best of several rounds, beside a bare SQLite look-up.

    python benchmarks/stores.py [--links 100000] [--rounds 3]

Prints a table and writes `benchmarks/results/stores.json`. What a disk takes to sync is not in it; compare rows of one run.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from crmbridge.model import Agreed, Create, Decision, Disposition, Link, RecordRef
from crmbridge.protocols import KeyValue, Question
from crmbridge.reasons import Code, because
from crmbridge.roles import Delta, FieldPromise, Intent, JournalRow, Keyed, QueueRow, StateStore
from crmbridge.stores import MemoryStore, SqliteStore

T = TypeVar("T")

NOW = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
FIELDS = tuple(f"field_{n}" for n in range(15))
PAGE = 2_000
BATCH = 200
RESULTS = Path(__file__).parent / "results" / "stores.json"

Row = tuple[str, str, float]


def links(count: int, chance: random.Random) -> list[Link]:
    """Tie records with ids of 18 random characters and 15 agreed fields on each side, about 350 bytes of values."""
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

    def ref(system: str) -> RecordRef:
        return RecordRef(system, "contact", "".join(chance.choices(letters, k=18)))

    def half(n: int, version: str) -> Agreed:
        return Agreed(FIELDS, (f"person{n}@company.test", *(f"value {n + k}" for k in range(14))), {}, version)

    return [
        Link(f"{n:016x}", ref("crm"), ref("sfa"), half(n, str(n)), half(n, f"2026-04-01T00:00:{n}"), NOW)
        for n in range(count)
    ]


def pages(values: Sequence[T], size: int) -> Iterator[tuple[T, ...]]:
    """Cut values into pages."""
    return (tuple(values[start : start + size]) for start in range(0, len(values), size))


def timed(work: Callable[[], object], records: int, rounds: int = 1) -> float:
    """Give microseconds of CPU a record, of the best round."""
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best / records * 1e6


def measure(store: StateStore, name: str, tied: list[Link], rounds: int, chance: random.Random) -> Iterator[Row]:
    """Do what a run does with its store, role by role."""
    fence = store.leases.take("bench", "bench", NOW, dt.timedelta(hours=9))
    count = len(tied)

    def commit(delta: Delta) -> None:
        store.commit("people", delta, fence)

    def each(size: int, delta: Callable[[tuple[Link, ...]], Delta]) -> Callable[[], None]:
        return lambda: [commit(delta(page)) for page in pages(tied, size)].clear()

    yield name, "insert links, 2,000 a commit", timed(each(PAGE, lambda page: Delta(links=page)), count)
    mixed = chance.sample(tied, count)
    refs = [link.left for link in mixed]
    strangers = [RecordRef("crm", "contact", f"stranger {n}") for n in range(min(count, 20_000))]
    yield name, "standing, 2,000 refs", timed(_ask(store.links.standing, refs), count, rounds)
    yield name, "standing of strangers", timed(_ask(store.links.standing, strangers), len(strangers), rounds)
    yield name, "links with values, 2,000 refs", timed(_ask(store.links.of, refs), count, rounds)
    some = mixed[: max(count // 10, 1)]
    again = timed(lambda: [commit(Delta(links=page)) for page in pages(some, BATCH)], len(some))
    yield name, "put links again, random, 200 a commit", again
    yield name, "stream all links", timed(lambda: sum(1 for _ in store.links.all("people")), count)

    arrivals = each(PAGE, lambda page: Delta(queue=tuple(QueueRow("left", link.left, version="1") for link in page)))
    yield name, "arrivals, 2,000 a commit", timed(arrivals, count)
    yield name, "tally of the whole queue", timed(lambda: store.agenda.tally("people", NOW), count)
    few = min(count, 20_000)

    def work_off() -> None:
        for _ in range(few // BATCH):
            commit(Delta(done=tuple(store.agenda.due("people", NOW, BATCH))))

    yield name, "due and done, 200 a batch", timed(work_off, few)

    keyed = each(PAGE, lambda page: Delta(keys=tuple(Keyed("right", link.right, _keys(link)) for link in page)))
    yield name, "directory, 2 keys a record", timed(keyed, count)
    yield name, "the same keys again", timed(keyed, count)
    questions = [Question("contact", "email", (_keys(link)[:1],)) for link in mixed[:few]]
    find = timed(
        lambda: [store.directory.find("people", "right", page) for page in pages(questions, PAGE)], few, rounds
    )
    yield name, "find by one key, 2,000 questions", find

    yield from _written(store, name, tied[:few], commit)


def _written(store: StateStore, name: str, tied: list[Link], commit: Callable[[Delta], None]) -> Iterator[Row]:
    intents = [_intent(link) for link in tied]
    promised = timed(lambda: [commit(Delta(promised=page)) for page in pages(intents, BATCH)], len(tied))
    yield name, "promise creates of 15 fields, 200 a commit", promised

    def acknowledge() -> None:
        for page in pages(tied, BATCH):
            settled = tuple(f"create-{link.id}" for link in page)
            noted = tuple(
                JournalRow("run", NOW, "right", "create", link.right, link.left, because(Code.NEW)) for link in page
            )
            decided = tuple(
                Decision("left", link.left, link.right, Disposition.APPLIED, because(Code.NEW)) for link in page
            )
            commit(Delta(settled=settled, journal=noted, run="run", decisions=decided))

    yield name, "settle, journal and decide, 200 a commit", timed(acknowledge, len(tied))
    yield name, "count decisions", timed(lambda: store.outbox.counts("run"), len(tied))


def _ask(
    question: Callable[[str, str, Sequence[RecordRef]], object], refs: Sequence[RecordRef]
) -> Callable[[], object]:
    return lambda: [question("people", "left", page) for page in pages(refs, PAGE)].clear()


def _keys(link: Link) -> tuple[KeyValue, ...]:
    email, *rest = link.right_agreed.cells
    return KeyValue("email", str(email), "email_key"), KeyValue("name", str(rest[0]), "name_key")


def _intent(link: Link) -> Intent:
    values = {field: str(cell) for field, cell in zip(FIELDS, link.left_agreed.cells, strict=True)}
    fields = tuple(FieldPromise(f"{field}|{field}", field, None, cell, cell) for field, cell in values.items())
    create = Create("contact", values, link.left, f"create-{link.id}", because(Code.NEW))
    return Intent(create.key, "right", create, link.left, "", NOW, keys=(_keys(link),), fields=fields)


def bare(tied: list[Link], folder: Path, rounds: int, chance: random.Random) -> Iterator[Row]:
    """Look up the same ids in a bare table: the least that SQLite can cost."""
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE links (id TEXT PRIMARY KEY, version TEXT) WITHOUT ROWID")
    rows = [(link.left.id, link.left_agreed.settled_version) for link in tied]

    def insert() -> None:
        for page in pages(rows, PAGE):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO links VALUES (?, ?)", page)
            connection.execute("COMMIT")

    yield "bare sqlite3", "insert links, 2,000 a commit", timed(insert, len(rows))
    ids = [id_ for id_, _ in chance.sample(rows, len(rows))]

    def look() -> None:
        for page in pages(ids, PAGE):
            marks = ",".join("?" * len(page))
            dict(connection.execute(f"SELECT id, version FROM links WHERE id IN ({marks})", page).fetchall())

    yield "bare sqlite3", "standing, 2,000 refs", timed(look, len(ids), rounds)
    connection.close()


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and write."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--links", type=int, default=100_000)
    options.add_argument("--rounds", type=int, default=3)
    asked = options.parse_args(argv)
    chance = random.Random(2026)
    tied = links(asked.links, chance)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with SqliteStore(folder / "state.db") as store:
            rows += measure(store, "SqliteStore", tied, asked.rounds, chance)
        with SqliteStore(folder / "links.db") as store:
            fence = store.leases.take("bench", "bench", NOW, dt.timedelta(hours=9))
            for page in pages(tied, PAGE):
                store.commit("people", Delta(links=page), fence)
        size = (folder / "links.db").stat().st_size / len(tied)
        rows += measure(MemoryStore(), "MemoryStore", tied, asked.rounds, chance)
        rows += bare(tied, folder, asked.rounds, chance)
    for name, what, cost in rows:
        print(f"{name:<13} {what:<44} {cost:9.2f} us")
    print(f"{'SqliteStore':<13} {'file, links alone':<44} {size:9.0f} bytes a link")
    told = [{"store": name, "what": what, "cpu_us_per_record": round(cost, 3)} for name, what, cost in rows]
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"links": len(tied), "rows": told, "bytes_per_link": round(size)}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
