"""One synchronisation of two Salesforce organisations, as a process of its own: by crmbridge, or by a loop.

    python benchmarks/_syncs.py ours|bare|careful LEFT RIGHT TOKEN STATE

All ask each side what has changed, carry it to the right in batches of 200, make there what is new, and remember in
SQLite what both sides hold. The bare loop does no more. The careful one also keeps what it takes to lose and double
nothing and to tell why, but does the happy case alone: what comes of none of it, it could not say. Each imports only
what it needs, because the imports are part of what a process costs.
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


def careful(left: str, right: str, token: str, path: str) -> int:
    """Do the same with a queue, promises, both halves of what is agreed, a journal, keys, and two more readings."""
    import sqlite3

    import httpx

    state = sqlite3.connect(path)
    state.executescript("""
        PRAGMA journal_mode = WAL;
        CREATE TABLE IF NOT EXISTS cursors (side TEXT PRIMARY KEY, seen TEXT);
        CREATE TABLE IF NOT EXISTS queue (id TEXT PRIMARY KEY, state TEXT, tries INTEGER);
        CREATE TABLE IF NOT EXISTS promises (id TEXT PRIMARY KEY, body TEXT);
        CREATE TABLE IF NOT EXISTS pairs
            (l TEXT PRIMARY KEY, r TEXT UNIQUE, left_held TEXT, right_held TEXT, left_seen TEXT, right_seen TEXT);
        CREATE TABLE IF NOT EXISTS journal (number INTEGER PRIMARY KEY, l TEXT, r TEXT, body TEXT);
        CREATE INDEX IF NOT EXISTS written ON journal (l);
        CREATE TABLE IF NOT EXISTS decisions (l TEXT PRIMARY KEY, what TEXT, body TEXT);
        CREATE TABLE IF NOT EXISTS keys (value TEXT, id TEXT, PRIMARY KEY (value, id)) WITHOUT ROWID;
    """)
    with httpx.Client(headers={"authorization": f"Bearer {token}"}) as client:
        mine = _changed(client, state, left)
        theirs = _changed(client, state, right)
        with state:
            state.executemany("INSERT OR REPLACE INTO queue VALUES (?, 'ready', 0)", [(one["Id"],) for one in mine])
            state.executemany("INSERT OR IGNORE INTO keys VALUES (?, ?)", [(one["Email"], one["Id"]) for one in theirs])
        some = (mine[start : start + 200] for start in range(0, len(mine), 200))
        written = sum(_kept(client, state, right, batch) for batch in some)
    state.close()
    return written


def _kept(client: Any, state: Any, base: str, records: Sequence[Json]) -> int:
    """Promise a batch before it is sent, put down what came of it, and look once more at what was stored."""
    import json

    question = "SELECT l, r, left_held, right_held, left_seen FROM pairs JOIN json_each(?) ON l = value"
    known = {l: told for l, *told in state.execute(question, (json.dumps([record["Id"] for record in records]),))}
    moved = [(record, known[record["Id"]]) for record in records if record["Id"] in known]
    moved = [(record, told) for record, told in moved if record["SystemModstamp"] != told[3]]
    found = _read(client, base, [told[0] for _, told in moved])
    lines: list[tuple[Json, str, Json]] = []
    for record, (r, left_held, right_held, _) in moved:
        was, there, now = json.loads(left_held), json.loads(right_held), found[r]
        sent = {name: record[name] for name, at in zip(FIELDS, range(len(FIELDS)), strict=True)
                if record[name] != was[at] and now[name] == there[at]}  # fmt: skip
        if sent:
            lines.append((record, r, sent))
    ask = "SELECT id FROM keys WHERE value = ?"
    alone = [record for record in records
             if record["Id"] not in known and state.execute(ask, (record["Email"],)).fetchone() is None]  # fmt: skip
    new = [(record, "", {name: record[name] for name in FIELDS}) for record in alone]
    with state:
        told = [(record["Id"], json.dumps([r, sent])) for record, r, sent in (*lines, *new)]
        state.executemany("INSERT INTO promises VALUES (?, ?)", told)
    ids = _made_or_changed(client, base, lines, new)
    stored = _read(client, base, ids)
    _remembered(state, [*lines, *new], ids)
    _settled(state, records, ids, stored)
    return len(ids)


def _read(client: Any, base: str, ids: Sequence[str]) -> dict[str, Json]:
    """Read records by id."""
    if not ids:
        return {}
    asked = {"ids": ids, "fields": ["Id", "SystemModstamp", *FIELDS]}
    answer = client.post(f"{base}{API}/composite/sobjects/{KIND}", json=asked).raise_for_status()
    return {one["Id"]: one for one in answer.json()}


_Line = tuple[Json, str, Json]
"""A record, the one that it is written to, and what is sent."""


def _made_or_changed(client: Any, base: str, lines: Sequence[_Line], new: Sequence[_Line]) -> list[str]:
    """Send what was promised; give the ids of what was written."""
    kind = {"attributes": {"type": KIND}}
    ids = [r for _, r, _ in lines]
    if lines:
        _sent(client.patch, base, [{**kind, "Id": r, **sent} for _, r, sent in lines])
    if new:
        ids.extend(one["id"] for one in _sent(client.post, base, [{**kind, **sent} for _, _, sent in new]))
    return ids


def _remembered(state: Any, lines: Sequence[_Line], ids: Sequence[str]) -> None:
    """Put down, as one, what was acknowledged."""
    import json

    held = [json.dumps([record[name] for name in FIELDS]) for record, _, _ in lines]
    l = [record["Id"] for record, _, _ in lines]
    why = [json.dumps(["new" if not r else "changed", sent]) for _, r, sent in lines]
    with state:
        state.executemany("DELETE FROM promises WHERE id = ?", [(one,) for one in l])
        rows = [(one, r, told, told, None, None) for one, r, told in zip(l, ids, held, strict=True)]
        state.executemany("INSERT OR REPLACE INTO pairs VALUES (?, ?, ?, ?, ?, ?)", rows)
        told = list(zip(l, ids, why, strict=True))
        state.executemany("INSERT INTO journal (l, r, body) VALUES (?, ?, ?)", told)
        state.executemany("INSERT OR REPLACE INTO decisions VALUES (?, 'applied', ?)", zip(l, why, strict=True))
        mail = [(record["Email"], r) for (record, _, _), r in zip(lines, ids, strict=True)]
        state.executemany("INSERT OR IGNORE INTO keys VALUES (?, ?)", mail)


def _settled(state: Any, records: Sequence[Json], ids: Sequence[str], stored: Mapping[str, Json]) -> None:
    """Learn what was stored, and end the rows of the queue."""
    import json

    seen = {record["Id"]: record["SystemModstamp"] for record in records}
    cells = {r: json.dumps([stored[r][name] for name in FIELDS]) for r in ids}
    with state:
        state.executemany(
            "UPDATE pairs SET right_held = ?, right_seen = ? WHERE r = ?",
            [(cells[r], stored[r]["SystemModstamp"], r) for r in ids],
        )
        state.executemany("UPDATE pairs SET left_seen = ? WHERE l = ?", [(at, l) for l, at in seen.items()])
        state.executemany("DELETE FROM queue WHERE id = ?", [(l,) for l in seen])


if __name__ == "__main__":
    print({"ours": ours, "bare": bare, "careful": careful}[sys.argv[1]](*sys.argv[2:]))
