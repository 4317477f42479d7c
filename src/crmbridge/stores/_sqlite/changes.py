"""What one commit writes."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from ... import wire
from ...model import Create, Decision, Deleted, Departure, Disposition, RecordRef, Side, other
from ...protocols import ID_FIELD, KeyValue, Notice
from ...roles import Delta, Fence, Intent, JournalRow, Keyed
from .. import _bodies
from .._shared import all_keys, micros, planned_create
from .forgetting import forgotten
from .names import Ends, Kept, chunks, keep, made_scope, marks, only
from .queue import end_rows, put_rows, wake_rows
from .records import UNSETTLED, run_number
from .tying import put_links
from .workers import put_starts, require


def commit(connection: sqlite3.Connection, tenant: str, pipeline: str, delta: Delta, fence: Fence) -> None:
    """Write a delta, once the fence is known to be the newest."""
    require(connection, tenant, fence)
    scope = made_scope(connection, tenant, pipeline)
    ends = Ends(connection, scope)
    put_rows(connection, scope, ends, delta.queue)
    end_rows(connection, ends, delta.done)
    wake_rows(connection, ends, delta.wake)
    if delta.links:
        put_links(connection, scope, ends, delta.links)
    for side, departure in delta.departures:
        _alias(connection, ends, side, departure)
    connection.executemany(
        "INSERT OR REPLACE INTO progress VALUES (?, ?, ?, ?, ?)",
        ((scope, *place, keep(how.cursor), int(how.filled)) for place, how in delta.progress.items()),
    )
    for intent in delta.promised:
        _promise(connection, scope, ends, intent)
    for notice in delta.notices:
        _notify(connection, tenant, ends, notice)
    for key in delta.settled:
        _settle(connection, tenant, scope, key)
    for row in delta.journal:
        _note(connection, tenant, ends, row)
    if delta.decisions:
        _decide(connection, tenant, scope, ends, delta)
    _ingest(connection, tenant, scope, ends, delta)
    put_starts(connection, scope, delta)
    if delta.objection_cleared or delta.objection:
        told = wire.dumps(delta.objection) if delta.objection else None
        connection.execute("UPDATE scopes SET objection = ? WHERE number = ?", (told, scope))


def _alias(connection: sqlite3.Connection, ends: Ends, side: Side, departure: Departure) -> None:
    if isinstance(departure, Deleted) or departure.ref == departure.into:
        return
    old = (ends.make(side, departure.ref), keep(departure.ref.id))
    new = (ends.make(side, departure.into), keep(departure.into.id))
    at: tuple[int, Kept] | None = new
    while at is not None and at != old:
        at = connection.execute("SELECT new_end, new_id FROM aliases WHERE old_end = ? AND old_id = ?", at).fetchone()
    if at == old:
        # It came back: what was said last is true, and a chain never runs in a circle.
        connection.execute("DELETE FROM aliases WHERE old_end = ? AND old_id = ?", new)
    connection.execute("INSERT OR REPLACE INTO aliases VALUES (?, ?, ?, ?)", (*old, *new))


def _promise(connection: sqlite3.Connection, scope: int, ends: Ends, intent: Intent) -> None:
    connection.execute(
        "INSERT INTO intents (scope, key, promised_at, body) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (scope, key) DO UPDATE SET promised_at = excluded.promised_at, body = excluded.body",
        (scope, keep(intent.key), micros(intent.promised_at), _bodies.intent_text(intent)),
    )
    [(number,)] = connection.execute(
        "SELECT number FROM intents WHERE scope = ? AND key = ?", (scope, keep(intent.key))
    )
    _unname(connection, number)
    away, action = other(intent.side), intent.action
    places: list[tuple[Side, RecordRef]] = [(away, intent.origin)]
    places.append((away, action.origin) if isinstance(action, Create) else (intent.side, action.ref))
    connection.executemany(
        "INSERT OR IGNORE INTO intent_refs VALUES (?, ?, ?)",
        ((ends.make(side, ref), keep(ref.id), number) for side, ref in places),
    )
    if isinstance(action, Create):
        _put_create_keys(connection, scope, action.kind, all_keys(intent.keys), (UNSETTLED, number))


def _unname(connection: sqlite3.Connection, intent: int) -> None:
    connection.execute("DELETE FROM intent_refs WHERE intent = ?", (intent,))
    connection.execute("DELETE FROM create_keys WHERE run = ? AND owner = ?", (UNSETTLED, intent))


def _put_create_keys(
    connection: sqlite3.Connection, scope: int, kind: str, keys: Iterable[KeyValue], owner: tuple[int, int]
) -> None:
    connection.executemany(
        f"INSERT INTO create_keys VALUES ({marks(range(7))})",
        ((scope, kind, key.field, key.by, keep(key.value), *owner) for key in keys if key.value),
    )


def _settle(connection: sqlite3.Connection, tenant: str, scope: int, key: str) -> None:
    kept = keep(key)
    for (number,) in connection.execute(
        "SELECT number FROM intents WHERE scope = ? AND key = ?", (scope, kept)
    ).fetchall():
        _unname(connection, number)
        connection.execute("DELETE FROM intents WHERE number = ?", (number,))
    connection.execute("DELETE FROM notices WHERE tenant = ? AND key = ?", (tenant, kept))


def _notify(connection: sqlite3.Connection, tenant: str, ends: Ends, notice: Notice) -> None:
    connection.execute(
        "INSERT INTO notices (tenant, key, end, id, body) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (tenant, key) DO UPDATE SET end = excluded.end, id = excluded.id, body = excluded.body",
        (tenant, keep(notice.key), ends.make("", notice.ref), keep(notice.ref.id), wire.dumps(notice)),
    )


def _made_run(connection: sqlite3.Connection, tenant: str, run: str) -> int:
    connection.execute("INSERT OR IGNORE INTO runs (tenant, run) VALUES (?, ?)", (tenant, keep(run)))
    return run_number(connection, tenant, run)


def _note(connection: sqlite3.Connection, tenant: str, ends: Ends, row: JournalRow) -> None:
    connection.execute(
        "INSERT INTO journal (run, ref_end, ref_id, origin_end, origin_id, body) VALUES (?, ?, ?, ?, ?, ?)",
        (
            _made_run(connection, tenant, row.run),
            ends.make(row.side, row.ref),
            keep(row.ref.id),
            ends.make(other(row.side), row.origin),
            keep(row.origin.id),
            _bodies.journal_text(row),
        ),
    )


def _decide(connection: sqlite3.Connection, tenant: str, scope: int, ends: Ends, delta: Delta) -> None:
    run = _made_run(connection, tenant, delta.run)
    last = only(connection.execute("SELECT last FROM runs WHERE number = ?", (run,)))
    for index, decision in enumerate(delta.decisions):
        place = (ends.make(decision.side, decision.ref), keep(decision.ref.id))
        question = "SELECT number, disposition FROM decisions WHERE run = ? AND end = ? AND id = ?"
        known = connection.execute(question, (run, *place)).fetchone()
        if known and (known[1], decision.disposition) == (str(Disposition.APPLIED), Disposition.UNCHANGED):
            continue
        number = known[0] if known else last + 1
        last = max(last, number)
        if known:
            connection.execute("DELETE FROM decisions WHERE run = ? AND number = ?", (run, number))
            connection.execute("DELETE FROM create_keys WHERE run = ? AND owner = ?", (run, number))
        _insert_decision(connection, ends, (run, number, *place), decision)
        create = planned_create(decision)
        if create and index < len(delta.planned):
            _put_create_keys(connection, scope, create.kind, all_keys(delta.planned[index]), (run, number))
    connection.execute("UPDATE runs SET last = ? WHERE number = ?", (last, run))


def _insert_decision(connection: sqlite3.Connection, ends: Ends, place: tuple[Any, ...], decision: Decision) -> None:
    twin = decision.counterpart
    counterpart = (None, None) if twin is None else (ends.make(other(decision.side), twin), keep(twin.id))
    connection.execute(
        f"INSERT INTO decisions VALUES ({marks(range(8))})",
        (*place, *counterpart, str(decision.disposition), _bodies.decision_text(decision)),
    )


def _ingest(connection: sqlite3.Connection, tenant: str, scope: int, ends: Ends, delta: Delta) -> None:
    connection.executemany(
        "UPDATE inbox SET taken = 1, body = iif(whole, body, NULL), end = iif(whole, end, NULL), "
        "ref_id = iif(whole, ref_id, NULL) WHERE scope = ? AND id = ?",
        ((scope, keep(id_)) for id_ in delta.taken),
    )
    for end, group in ends.grouped("", delta.finished):
        connection.executemany(
            "UPDATE inbox SET body = NULL, end = NULL, ref_id = NULL WHERE end = ? AND ref_id = ? AND whole = 1",
            ((end, id_) for id_ in group),
        )
    gone = {ref for ref, _ in forgotten(connection, tenant, (keyed.ref for keyed in delta.keys))}
    _put_keys(connection, ends, (Keyed(one.side, one.ref) if one.ref in gone else one for one in delta.keys))
    connection.executemany(
        "INSERT OR REPLACE INTO schemas VALUES (?, ?, ?, ?)",
        ((scope, side, stored.schema.kind, wire.dumps(stored)) for side, stored in delta.schemas),
    )


def _put_keys(connection: sqlite3.Connection, ends: Ends, keyed: Iterable[Keyed]) -> None:
    """Make the directory say of each record exactly these keys; what it says already is left alone."""
    wanted: defaultdict[int, dict[Kept, tuple[KeyValue, ...]]] = defaultdict(dict)
    for record in keyed:
        wanted[ends.make(record.side, record.ref)][keep(record.ref.id)] = record.keys
    for end, records in wanted.items():
        names = {(key.field, key.by) for keys in records.values() for key in keys}
        # The id too, so that a directory that was told of a kind knows of which system it is.
        slots = _made_slots(connection, end, {(ID_FIELD, ""), *names})
        now = {
            (slots[key.field, key.by], keep(key.value), id_)
            for id_, keys in records.items()
            for key in keys
            if key.value
        }
        before = _kept_keys(connection, end, list(records))
        gone, new = before - now, now - before
        connection.executemany("DELETE FROM keys WHERE slot = ? AND value = ? AND id = ?", gone)
        connection.executemany("INSERT INTO keys VALUES (?, ?, ?)", new)


def _made_slots(
    connection: sqlite3.Connection, end: int, names: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    connection.executemany(
        "INSERT OR IGNORE INTO slots (end, field, norm) VALUES (?, ?, ?)", ((end, *name) for name in sorted(names))
    )
    found = connection.execute("SELECT field, norm, number FROM slots WHERE end = ?", (end,))
    return {(field, norm): number for field, norm, number in found}


def _kept_keys(connection: sqlite3.Connection, end: int, ids: list[Kept]) -> set[tuple[int, Kept, Kept]]:
    return {
        row
        for chunk in chunks(ids)
        for row in connection.execute(
            f"SELECT slot, value, id FROM keys WHERE id IN ({marks(chunk)}) "
            "AND slot IN (SELECT number FROM slots WHERE end = ?)",
            (*chunk, end),
        )
    }
