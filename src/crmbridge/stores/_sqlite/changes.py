"""What one commit writes."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ... import wire
from ...model import Create, Decision, Deleted, Departure, Merged, Moved, RecordRef, Side, other
from ...protocols import ID_FIELD, KeyValue, Notice
from ...roles import Delta, Fence, Intent, JournalRow, Keyed
from .._bodies import Bodies
from .._shared import all_keys, micros, numbered, planned_create
from .forgetting import forgotten, keep_out
from .names import Ends, Kept, chunks, found_again, keep, made_scope, marks, only_number
from .queue import end_rows, put_rows, wake_rows
from .records import UNSETTLED
from .retaining import keep_history
from .tying import put_links
from .workers import put_starts, require

_Place = tuple[int, Kept]


def commit(connection: sqlite3.Connection, tenant: str, pipeline: str, delta: Delta, fence: Fence) -> bool:
    """Write a delta, once the fence is known to be the newest; says whether something was erased for good."""
    require(connection, tenant, fence)
    scope = made_scope(connection, tenant, pipeline)
    ends, bodies = Ends(connection, scope), Bodies()
    put_rows(connection, scope, ends, delta.queue)
    end_rows(connection, ends, delta.done)
    wake_rows(connection, ends, delta.wake)
    if delta.links:
        put_links(connection, scope, ends, delta.links)
    erased = [_depart(connection, tenant, ends, side, departure) for side, departure in delta.departures]
    connection.executemany(
        "INSERT OR REPLACE INTO progress VALUES (?, ?, ?, ?, ?)",
        ((scope, *place, keep(how.cursor), int(how.filled)) for place, how in delta.progress.items()),
    )
    if delta.promised:
        _promise(connection, scope, ends, bodies, delta.promised)
    for notice in delta.notices:
        _notify(connection, tenant, ends, notice)
    if delta.settled:
        _settle(connection, tenant, scope, delta.settled)
    if delta.journal:
        _note(connection, tenant, ends, bodies, delta.journal)
    if delta.decisions:
        _decide(connection, tenant, scope, ends, bodies, delta)
    _ingest(connection, tenant, scope, ends, delta)
    put_starts(connection, scope, delta)
    keep_history(connection, tenant, scope, delta)
    if delta.objection_cleared or delta.objection:
        told = wire.dumps(delta.objection) if delta.objection else None
        connection.execute("UPDATE scopes SET objection = ? WHERE number = ?", (told, scope))
    return any(erased)


def _depart(connection: sqlite3.Connection, tenant: str, ends: Ends, side: Side, departure: Departure) -> bool:
    """Keep where a record lives on; of a forgotten one nothing is kept, says whether something was erased for good."""
    if isinstance(departure, Deleted) or departure.ref == departure.into:
        return False
    old = (ends.make(side, departure.ref), keep(departure.ref.id))
    out, erased = keep_out(connection, tenant, departure)
    if out:
        connection.execute("DELETE FROM aliases WHERE old_end = ? AND old_id = ?", old)
    else:
        _alias(connection, ends, side, departure, old)
    return erased


def _alias(connection: sqlite3.Connection, ends: Ends, side: Side, departure: Merged | Moved, old: _Place) -> None:
    new = (ends.make(side, departure.into), keep(departure.into.id))
    at: tuple[int, Kept] | None = new
    while at is not None and at != old:
        at = connection.execute("SELECT new_end, new_id FROM aliases WHERE old_end = ? AND old_id = ?", at).fetchone()
    if at == old:
        # It came back: what was said last is true, and a chain never runs in a circle.
        connection.execute("DELETE FROM aliases WHERE old_end = ? AND old_id = ?", new)
    connection.execute("INSERT OR REPLACE INTO aliases VALUES (?, ?, ?, ?)", (*old, *new))


def _promise(connection: sqlite3.Connection, scope: int, ends: Ends, bodies: Bodies, intents: Iterable[Intent]) -> None:
    put = {keep(intent.key): intent for intent in intents}
    _unname(connection, _numbers(connection, scope, put).values())
    connection.executemany(
        "INSERT INTO intents (scope, key, promised_at, body) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (scope, key) DO UPDATE SET promised_at = excluded.promised_at, body = excluded.body",
        ((scope, key, micros(intent.promised_at), bodies.intent(intent)) for key, intent in put.items()),
    )
    numbers = found_again(_numbers(connection, scope, put), put)
    connection.executemany(
        "INSERT OR IGNORE INTO intent_refs VALUES (?, ?, ?)",
        (
            (ends.make(side, ref), keep(ref.id), numbers[key])
            for key, intent in put.items()
            for side, ref in _held(intent)
        ),
    )
    creates = ((intent.action, intent.keys, numbers[key]) for key, intent in put.items())
    _put_create_keys(
        connection,
        scope,
        (
            (action.kind, all_keys(keys), (UNSETTLED, number))
            for action, keys, number in creates
            if isinstance(action, Create)
        ),
    )


def _held(intent: Intent) -> Iterator[tuple[Side, RecordRef]]:
    away, action = other(intent.side), intent.action
    yield away, intent.origin
    yield (away, action.origin) if isinstance(action, Create) else (intent.side, action.ref)


def _numbers(connection: sqlite3.Connection, scope: int, keys: Iterable[Kept]) -> dict[Kept, int]:
    """Give the numbers of the intents that are there, by key."""
    return {
        key: number
        for chunk in chunks(keys)
        for key, number in connection.execute(
            f"SELECT key, number FROM intents WHERE scope = ? AND key IN ({marks(chunk)})", (scope, *chunk)
        )
    }


def _unname(connection: sqlite3.Connection, intents: Iterable[int]) -> None:
    numbers = [(number,) for number in intents]
    connection.executemany("DELETE FROM intent_refs WHERE intent = ?", numbers)
    connection.executemany(f"DELETE FROM create_keys WHERE run = {UNSETTLED} AND owner = ?", numbers)


def _put_create_keys(
    connection: sqlite3.Connection, scope: int, creates: Iterable[tuple[str, Iterable[KeyValue], tuple[int, int]]]
) -> None:
    connection.executemany(
        f"INSERT INTO create_keys VALUES ({marks(range(7))})",
        (
            (scope, kind, key.field, key.by, keep(key.value), *owner)
            for kind, keys, owner in creates
            for key in keys
            if key.value
        ),
    )


def _settle(connection: sqlite3.Connection, tenant: str, scope: int, keys: Iterable[str]) -> None:
    kept = [keep(key) for key in keys]
    numbers = list(_numbers(connection, scope, kept).values())
    _unname(connection, numbers)
    connection.executemany("DELETE FROM intents WHERE number = ?", ((number,) for number in numbers))
    connection.executemany("DELETE FROM notices WHERE tenant = ? AND key = ?", ((tenant, key) for key in kept))


def _notify(connection: sqlite3.Connection, tenant: str, ends: Ends, notice: Notice) -> None:
    connection.execute(
        "INSERT INTO notices (tenant, key, end, id, body) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (tenant, key) DO UPDATE SET end = excluded.end, id = excluded.id, body = excluded.body",
        (tenant, keep(notice.key), ends.make("", notice.ref), keep(notice.ref.id), wire.dumps(notice)),
    )


def _made_run(connection: sqlite3.Connection, tenant: str, run: str) -> int:
    connection.execute("INSERT OR IGNORE INTO runs (tenant, run) VALUES (?, ?)", (tenant, keep(run)))
    return only_number(connection.execute("SELECT number FROM runs WHERE tenant = ? AND run = ?", (tenant, keep(run))))


def _note(connection: sqlite3.Connection, tenant: str, ends: Ends, bodies: Bodies, rows: Sequence[JournalRow]) -> None:
    runs = {run: _made_run(connection, tenant, run) for run in dict.fromkeys(row.run for row in rows)}
    connection.executemany(
        "INSERT INTO journal (run, ref_end, ref_id, origin_end, origin_id, body) VALUES (?, ?, ?, ?, ?, ?)",
        (
            (
                runs[row.run],
                ends.make(row.side, row.ref),
                keep(row.ref.id),
                ends.make(other(row.side), row.origin),
                keep(row.origin.id),
                bodies.journal(row),
            )
            for row in rows
        ),
    )


def _decide(connection: sqlite3.Connection, tenant: str, scope: int, ends: Ends, bodies: Bodies, delta: Delta) -> None:
    """Put the decisions of a run by record; one that says unchanged leaves an applied one alone."""
    run = _made_run(connection, tenant, delta.run)
    last = only_number(connection.execute("SELECT last FROM runs WHERE number = ?", (run,)))
    places = [(ends.make(decision.side, decision.ref), keep(decision.ref.id)) for decision in delta.decisions]
    known = _decided(connection, run, places)
    replaced = {number for number, _ in known.values()}
    written, last = numbered(delta, places, known, last)
    gone = [(run, number) for number, _, _ in written.values() if number in replaced]
    connection.executemany("DELETE FROM decisions WHERE run = ? AND number = ?", gone)
    connection.executemany("DELETE FROM create_keys WHERE run = ? AND owner = ?", gone)
    connection.executemany(
        f"INSERT INTO decisions VALUES ({marks(range(8))})",
        (
            _decision_row(ends, bodies, (run, number, *place), decision)
            for place, (number, decision, _) in written.items()
        ),
    )
    creates = ((planned_create(decision), levels, number) for number, decision, levels in written.values() if levels)
    _put_create_keys(
        connection,
        scope,
        ((create.kind, all_keys(levels), (run, number)) for create, levels, number in creates if create),
    )
    connection.execute("UPDATE runs SET last = ? WHERE number = ?", (last, run))


def _decided(connection: sqlite3.Connection, run: int, places: Iterable[_Place]) -> dict[_Place, tuple[int, str]]:
    """Give the number and the disposition of what a run has decided already."""
    ids: defaultdict[int, list[Kept]] = defaultdict(list)
    for end, id_ in places:
        ids[end].append(id_)
    return {
        (end, id_): (number, disposition)
        for end, group in ids.items()
        for chunk in chunks(group)
        for id_, number, disposition in connection.execute(
            f"SELECT id, number, disposition FROM decisions WHERE run = ? AND end = ? AND id IN ({marks(chunk)})",
            (run, end, *chunk),
        )
    }


def _decision_row(ends: Ends, bodies: Bodies, place: tuple[Any, ...], decision: Decision) -> tuple[Any, ...]:
    twin = decision.counterpart
    counterpart = (None, None) if twin is None else (ends.make(other(decision.side), twin), keep(twin.id))
    return *place, *counterpart, str(decision.disposition), bodies.decision(decision)


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
