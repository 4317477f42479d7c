"""The bare loops that the benchmarks stand beside: no policy, no reason, no retry, no check.

A yardstick is what somebody would write who needed nothing but the happy case. It is not what crmbridge should become;
it says what the rest costs.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import TypeAlias

import httpx

Cells: TypeAlias = "tuple[object, ...]"
Json: TypeAlias = "dict[str, object]"
Moved: TypeAlias = "tuple[Json, Json] | None"
"""What is written to the left and to the right."""


def three_way(names: Sequence[str]) -> Callable[[Cells, Cells, Cells], Moved]:
    """Generate the comparison of two tuples with what both once were; where both moved, the left stays."""
    lines = ["def diff(left, right, base):", " if left == base and right == base: return None"]
    lines.extend(
        f" {', '.join(f'{side[0]}{n}' for n in range(len(names)))}, = {side}" for side in ("left", "right", "base")
    )
    lines.append(" to_left = {}; to_right = {}")
    for n, name in enumerate(names):
        lines.append(f" if l{n} != r{n}:")
        lines.append(f"  if l{n} == b{n}: to_left[{name!r}] = r{n}")
        lines.append(f"  else: to_right[{name!r}] = l{n}")
    lines.append(" return to_left, to_right")
    made: dict[str, Callable[[Cells, Cells, Cells], Moved]] = {}
    exec("\n".join(lines), made)
    return made["diff"]


def in_columns(records: Sequence[Json], names: Sequence[str]) -> list[Cells]:
    """Put records as JSON gave them into the order of columns."""
    return list(map(itemgetter(*names), records))


def joined(left: Sequence[Cells], right: Sequence[Cells]) -> int:
    """Join two sides by their first cell, normalised; give how many found a counterpart."""
    index = {str(row[0]).strip().lower(): row for row in right}
    return sum(str(row[0]).strip().lower() in index for row in left)


def compared(names: Sequence[str], left: Sequence[Cells], right: Sequence[Cells], base: Sequence[Cells]) -> int:
    """Compare pairs that are known three ways; give how many moved."""
    diff = three_way(names)
    return sum(diff(*pair) is not None for pair in zip(left, right, base, strict=True))


def joined_and_compared(
    names: Sequence[str], left: Sequence[Json], right: Sequence[Json], base: Sequence[Cells]
) -> int:
    """Join two sides, as JSON gave them, by the first field, and compare each pair three ways; give how many moved."""
    diff, moved = three_way(names), 0
    index = {str(row[0]).strip().lower(): row for row in in_columns(right, names)}
    for row, was in zip(in_columns(left, names), base, strict=True):
        found = index.get(str(row[0]).strip().lower())
        if found is not None and diff(row, found, was) is not None:
            moved += 1
    return moved


def upserted(client: httpx.Client, address: str, kind: str, batches: Sequence[Sequence[Json]]) -> int:
    """Send batches of records and read their answers; give how many the system took."""
    taken = 0
    for batch in batches:
        body = {"allOrNone": False, "records": [{"attributes": {"type": kind}, **values} for values in batch]}
        sent = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        answer = client.patch(address, content=sent, headers={"content-type": "application/json"})
        answer.raise_for_status()
        taken += sum(one["success"] for one in answer.json())
    return taken


def paged(client: httpx.Client, address: str, soql: str, pages: int) -> int:
    """Read pages of a query; give how many records came."""
    read = 0
    for _ in range(pages):
        answer = client.get(address, params={"q": soql})
        answer.raise_for_status()
        read += len(answer.json()["records"])
    return read


def upserting(key: str) -> Callable[[bytes], bytes]:
    """Make what a server without checks does with a collection: decode, store by key, encode an answer."""
    stored: dict[object, Json] = {}

    def answer(body: bytes) -> bytes:
        told: list[Json] = []
        for record in json.loads(body)["records"]:
            known = stored.setdefault(record[key], {"Id": f"00Q{len(stored):015}"})
            known.update(record)
            told.append({"id": known["Id"], "success": True, "errors": [], "created": len(known) == len(record) + 1})
        return json.dumps(told).encode()

    return answer


Versions: TypeAlias = "tuple[Sequence[str], Sequence[str | None]]"


def settled(pages: Sequence[Versions], known: Mapping[str, str | None]) -> int:
    """Look up the version of every record of every page; give how many stand where they were."""
    return sum(known.get(id) == version for ids, versions in pages for id, version in zip(ids, versions, strict=True))


def settled_in(pages: Sequence[Versions], database: sqlite3.Connection) -> int:
    """Look up a page of versions with one query each; give how many stand where they were."""
    same = 0
    for ids, versions in pages:
        found = database.execute(
            "SELECT s.id, s.version FROM json_each(?) AS asked JOIN settled AS s ON s.id = asked.value",
            (json.dumps(ids),),
        )
        known: dict[str, str] = dict(found)
        same += sum(known.get(id) == version for id, version in zip(ids, versions, strict=True))
    return same


def backfilled(records: Sequence[tuple[str, str]], path: str, batch: int = 200) -> int:
    """Make records elsewhere and remember the pairs and their values, a batch a transaction; give how many."""
    database, elsewhere = sqlite3.connect(path), dict[str, object]()
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE pairs (left TEXT PRIMARY KEY, right TEXT UNIQUE)")
    database.execute("CREATE TABLE held (left TEXT PRIMARY KEY, cells TEXT)")
    for start in range(0, len(records), batch):
        some = records[start : start + batch]
        for id, cells in some:
            elsewhere[f"right{id}"] = json.loads(cells)
        with database:
            database.executemany("INSERT INTO pairs VALUES (?, ?)", [(id, f"right{id}") for id, _ in some])
            database.executemany("INSERT INTO held VALUES (?, ?)", some)
    database.close()
    return len(elsewhere)


def tied(path: str, people: Iterable[Sequence[object]]) -> sqlite3.Connection:
    """Make a state of pairs that hold the same, under their number on both sides."""
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE pairs (left TEXT PRIMARY KEY, right TEXT, cells TEXT) WITHOUT ROWID")
    rows = ((str(n), str(n), json.dumps(cells, ensure_ascii=False)) for n, cells in enumerate(people))
    database.executemany("INSERT INTO pairs VALUES (?, ?, ?)", rows)
    database.commit()
    return database


def carried(
    database: sqlite3.Connection, names: Sequence[str], changes: Sequence[tuple[str, Cells]], batch: int = 200
) -> int:
    """Carry changes of the left across: look the pairs up, compare, write, and remember; give how many were written."""
    diff, elsewhere = three_way(names), dict[str, object]()
    for start in range(0, len(changes), batch):
        some = dict(changes[start : start + batch])
        asked = json.dumps(list(some))
        found = database.execute(
            "SELECT p.left, p.right, p.cells FROM json_each(?) AS asked JOIN pairs AS p ON p.left = asked.value",
            (asked,),
        ).fetchall()
        kept: list[tuple[str, str]] = []
        for left, right, text in found:
            was = tuple(json.loads(text))
            moved = diff(some[left], was, was)
            if moved is not None:
                elsewhere[right] = json.loads(json.dumps(moved[1]))
                kept.append((json.dumps(some[left], ensure_ascii=False), left))
        with database:
            database.executemany("UPDATE pairs SET cells = ? WHERE left = ?", kept)
    return len(elsewhere)


def listed(path: str, people: Iterable[Sequence[object]]) -> int:
    """Write down who would be made, with all values; give how many."""
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE planned (number INTEGER PRIMARY KEY, cells TEXT)")
    with database:
        database.executemany(
            "INSERT INTO planned (cells) VALUES (?)", ((json.dumps(cells, ensure_ascii=False),) for cells in people)
        )
    [(count,)] = database.execute("SELECT count(*) FROM planned")
    database.close()
    return int(count)
