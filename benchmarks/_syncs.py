"""One synchronisation of two Salesforce organisations, as a process of its own: by crmbridge, or by a bare loop.

    python benchmarks/_syncs.py ours|bare LEFT RIGHT TOKEN STATE

Both ask each side what has changed, carry it to the right in batches of 200, make there what is new, and remember in
SQLite what both sides hold. Each imports only what it needs, because the imports are part of what a process costs.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

API = "/services/data/v67.0"
KIND = "Lead"
FIELDS = ("Email", "LastName", "FirstName", "Company", "Title", "Phone", "Street", "City", "PostalCode", "Website",
          "LeadSource", "HasOptedOutOfEmail")  # fmt: skip
NAME = "bench"

Json = Mapping[str, Any]


def ours(left: str, right: str, token: str, path: str) -> int:
    """Run a pipeline once; give how many records were written."""
    from crmbridge import Disposition, at, key, level, pair, two_way
    from crmbridge.adapters.salesforce import Salesforce
    from crmbridge.policies import left_wins
    from crmbridge.stores import SqliteStore

    places = (("left", left), ("right", right))
    ends = [at(Salesforce.with_token(base, token, system=system), KIND) for system, base in places]
    with SqliteStore(path) as store:
        report = (
            two_way(NAME, *ends)
            .match(level("email", key("Email", "Email")))
            .fields(*(pair(name, name, policy=left_wins) for name in FIELDS))
            .creates(left=False, right=True)
            .remember(store)
            .run()
        )
    return report.counts.get(Disposition.APPLIED, 0)


def bare(left: str, right: str, token: str, path: str) -> int:
    """Do the same for the happy case; no retry, no second look, no reason, no journal."""
    import sqlite3

    import httpx

    state = sqlite3.connect(path)
    state.execute("PRAGMA journal_mode = WAL")
    state.execute("CREATE TABLE IF NOT EXISTS pairs (l TEXT PRIMARY KEY, r TEXT UNIQUE, held TEXT)")
    state.execute("CREATE TABLE IF NOT EXISTS cursors (side TEXT PRIMARY KEY, seen TEXT)")
    with httpx.Client(headers={"authorization": f"Bearer {token}"}) as client:
        mine = _changed(client, state, left)
        _changed(client, state, right)
        written = sum(_carried(client, state, right, mine[start : start + 200]) for start in range(0, len(mine), 200))
        state.commit()
    state.close()
    return written


def _changed(client: Any, state: Any, base: str) -> list[Json]:
    """Read what has changed since the last time, and ten minutes before."""
    import datetime as dt

    seen = state.execute("SELECT seen FROM cursors WHERE side = ?", (base,)).fetchone()
    since = ""
    if seen:
        moment = dt.datetime.fromisoformat(seen[0]) - dt.timedelta(minutes=10)
        since = f" WHERE SystemModstamp >= {moment:%Y-%m-%dT%H:%M:%SZ}"
    soql = f"SELECT Id, SystemModstamp, {', '.join(FIELDS)} FROM {KIND}{since} ORDER BY SystemModstamp, Id"
    page = client.get(f"{base}{API}/queryAll", params={"q": soql}).raise_for_status().json()
    records: list[Json] = page["records"]
    while not page["done"]:
        page = client.get(base + page["nextRecordsUrl"]).raise_for_status().json()
        records.extend(page["records"])
    if records:
        state.execute("INSERT OR REPLACE INTO cursors VALUES (?, ?)", (base, records[-1]["SystemModstamp"]))
    return records


def _carried(client: Any, state: Any, base: str, records: Sequence[Json]) -> int:
    """Look a batch up, compare it with what is held, write what differs, and hold that."""
    import json

    asked = json.dumps([record["Id"] for record in records])
    question = "SELECT l, r, held FROM pairs JOIN json_each(?) ON l = value"
    known = {l: (r, json.loads(held)) for l, r, held in state.execute(question, (asked,))}
    changes: list[Json] = []
    new: list[Json] = []
    kept: list[tuple[str, str, str]] = []
    for record in records:
        cells = [record[name] for name in FIELDS]
        r, held = known.get(record["Id"], ("", None))
        if held is None:
            new.append(record)
        elif cells != held:
            moved = {name: now for name, now, was in zip(FIELDS, cells, held, strict=True) if now != was}
            changes.append({"attributes": {"type": KIND}, "Id": r, **moved})
            kept.append((record["Id"], r, json.dumps(cells)))
    if new:
        sent = [{"attributes": {"type": KIND}, **{name: record[name] for name in FIELDS}} for record in new]
        ids = [one["id"] for one in _sent(client.post, base, sent)]
        held = [json.dumps([record[name] for name in FIELDS]) for record in new]
        kept.extend(zip([record["Id"] for record in new], ids, held, strict=True))
    if changes:
        _sent(client.patch, base, changes)
    with state:
        state.executemany("INSERT OR REPLACE INTO pairs VALUES (?, ?, ?)", kept)
    return len(kept)


def _sent(verb: Any, base: str, records: Sequence[Json]) -> Any:
    answer = verb(f"{base}{API}/composite/sobjects", json={"allOrNone": False, "records": records})
    answer.raise_for_status()
    return answer.json()


if __name__ == "__main__":
    print({"ours": ours, "bare": bare}[sys.argv[1]](*sys.argv[2:]))
