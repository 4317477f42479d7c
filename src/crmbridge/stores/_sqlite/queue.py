"""The queue: agenda, quarantine, rulings; and the inbox that feeds it."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from ... import wire
from ...model import SIDES, Arrived, RecordRef, Side, Signal
from ...reasons import Reason
from ...roles import QueueRow, QueueState, Ruling, Tally
from .._shared import instant, micros
from .database import Database
from .names import Ends, keep, keep_or_null, made_scope, marks, only, only_number, scope, tell_or_none

_ROW = "end, id, state, until, because, version, tries, departed, sequence, run, question"


def _row(ends: Ends, found: tuple[Any, ...]) -> QueueRow:
    end, id_, state, until, because, version, tries, departed, sequence, run, question = found
    return QueueRow(
        ends.side(end),
        ends.ref(end, id_),
        state,
        None if until is None else instant(until),
        wire.loads(because, Reason) if because else None,
        tell_or_none(version),
        tries,
        bool(departed),
        sequence,
        tell_or_none(run),
        tell_or_none(question),
    )


@attrs.frozen
class SqliteAgenda:
    """What is due."""

    _db: Database
    _tenant: str

    def due(self, pipeline: str, now: dt.datetime, limit: int, *, after: int | None = None) -> Sequence[QueueRow]:
        order = "departed DESC, sequence" if after is None else "sequence"
        # Each part is cut by an index, so that the next batch of a long queue costs no sorting of the whole.
        ready = (
            f"SELECT * FROM (SELECT {_ROW} FROM queue WHERE scope = :scope AND state = 'ready' AND departed = {{}} "
            "AND sequence > :after ORDER BY sequence LIMIT :limit)"
        )
        held = (
            f"SELECT * FROM (SELECT {_ROW} FROM queue WHERE scope = :scope AND state = 'held' AND until <= :now "
            f"AND sequence > :after ORDER BY {order} LIMIT :limit)"
        )
        question = f"{ready.format(1)} UNION ALL {ready.format(0)} UNION ALL {held} ORDER BY {order} LIMIT :limit"
        with self._db.reading() as connection:
            number = scope(connection, self._tenant, pipeline)
            ends = Ends(connection, number)
            asked = {"scope": number, "after": after or 0, "limit": limit, "now": micros(now)}
            return [_row(ends, found) for found in connection.execute(question, asked)]

    def rows(self, pipeline: str, side: Side, refs: Iterable[RecordRef]) -> Mapping[RecordRef, QueueRow]:
        found: dict[RecordRef, QueueRow] = {}
        with self._db.reading() as connection:
            ends = Ends(connection, scope(connection, self._tenant, pipeline))
            for end, group in ends.grouped(side, list(dict.fromkeys(refs))):
                question = f"SELECT {_ROW} FROM queue WHERE end = ? AND id IN ({marks(list(group))})"
                for told in connection.execute(question, (end, *group)):
                    row = _row(ends, told)
                    found[row.ref] = row
        return found

    def tally(self, pipeline: str, now: dt.datetime) -> Tally:
        departed, linked, unlinked = (dict.fromkeys(SIDES, 0) for _ in range(3))
        # Sums over one kind at a time, in the order of the table: to group, SQLite would sort the whole queue.
        question = (
            "SELECT coalesce(sum(live AND gone), 0), coalesce(sum(live AND NOT gone), 0), "
            "coalesce(sum(NOT live AND NOT departed), 0) FROM (SELECT departed, "
            "departed AND NOT EXISTS (SELECT 1 FROM aliases WHERE old_end = end AND old_id = queue.id) AS gone, "
            "EXISTS (SELECT 1 FROM ties WHERE ties.end = queue.end AND ties.id = queue.id AND closed = 0) AS live "
            "FROM queue WHERE end = ? AND (state = 'ready' OR state = 'held' AND until <= ?))"
        )
        with self._db.reading() as connection:
            number = scope(connection, self._tenant, pipeline)
            ends = Ends(connection, number)
            for side, end in ends.of_records():
                counts = connection.execute(question, (end, micros(now))).fetchone()
                for total, count in zip((departed, linked, unlinked), counts, strict=True):
                    total[side] += count
            found = connection.execute("SELECT live_links FROM scopes WHERE number = ?", (number,)).fetchone()
        return Tally(found[0] if found else 0, departed, linked, unlinked)

    def next(self, pipeline: str) -> dt.datetime | None:
        with self._db.reading() as connection:
            number = scope(connection, self._tenant, pipeline)
            question = "SELECT min(until) FROM queue WHERE scope = ? AND state = 'held'"
            until = only(connection.execute(question, (number,)))
            return None if until is None else instant(until)

    def enabled_since(self, pipeline: str) -> dt.datetime | None:
        with self._db.reading() as connection:
            number = scope(connection, self._tenant, pipeline)
            row = connection.execute("SELECT enabled FROM scopes WHERE number = ?", (number,)).fetchone()
            return wire.unpack_instant(row[0]) if row and row[0] else None

    def enable(self, pipeline: str, since: dt.datetime | None) -> None:
        with self._db.writing() as connection:
            number = made_scope(connection, self._tenant, pipeline)
            told = None if since is None else wire.pack_instant(since)
            connection.execute("UPDATE scopes SET enabled = ? WHERE number = ?", (told, number))


@attrs.frozen
class SqliteQuarantine:
    """Parked queue rows."""

    _db: Database
    _tenant: str

    def of(self, pipeline: str, side: Side, refs: Iterable[RecordRef]) -> Mapping[RecordRef, QueueRow]:
        found = SqliteAgenda(self._db, self._tenant).rows(pipeline, side, refs)
        return {ref: row for ref, row in found.items() if row.state != "ready"}

    def rows(self, pipeline: str, state: QueueState | None = None) -> Sequence[QueueRow]:
        states = ("held", "disputed", "quarantined") if state is None else (state,)
        with self._db.reading() as connection:
            number = scope(connection, self._tenant, pipeline)
            ends = Ends(connection, number)
            question = (
                f"SELECT {_ROW} FROM queue WHERE scope = ? AND state IN ({marks(states)}) AND state <> 'ready' "
                "ORDER BY sequence"
            )
            return [_row(ends, found) for found in connection.execute(question, (number, *states))]

    def count(self, pipeline: str) -> Mapping[str, int]:
        with self._db.reading() as connection:
            number = scope(connection, self._tenant, pipeline)
            question = "SELECT code, count(*) FROM queue WHERE scope = ? AND state <> 'ready' GROUP BY code"
            return dict(connection.execute(question, (number,)).fetchall())


@attrs.frozen
class SqliteRulings:
    """What people decided, and what a guard holds."""

    _db: Database
    _tenant: str

    def of(self, pipeline: str, refs: Iterable[RecordRef]) -> Mapping[RecordRef, Ruling]:
        with self._db.reading() as connection:
            ends = Ends(connection, scope(connection, self._tenant, pipeline))
            return {
                group[id_]: wire.loads(body, Ruling)
                for end, group in ends.grouped("", refs)
                for id_, body in connection.execute(
                    f"SELECT id, body FROM rulings WHERE end = ? AND id IN ({marks(list(group))})", (end, *group)
                )
            }

    def add(self, pipeline: str, ruling: Ruling) -> None:
        with self._db.writing() as connection:
            number = made_scope(connection, self._tenant, pipeline)
            ends, id_ = Ends(connection, number), keep(ruling.ref.id)
            connection.execute(
                "INSERT OR REPLACE INTO rulings VALUES (?, ?, ?)", (ends.make("", ruling.ref), id_, wire.dumps(ruling))
            )
            for side in SIDES:
                woken = (ends.number(side, ruling.ref), id_)
                # Under a new number, so that a run that took the row before the ruling cannot park it after.
                if connection.execute("SELECT 1 FROM queue WHERE end = ? AND id = ?", woken).fetchone():
                    connection.execute(
                        "UPDATE queue SET state = 'ready', until = NULL, code = '', because = NULL, sequence = ? "
                        "WHERE end = ? AND id = ?",
                        (next_number(connection, number), *woken),
                    )

    def objection(self, pipeline: str) -> Reason | None:
        with self._db.reading() as connection:
            number = scope(connection, self._tenant, pipeline)
            row = connection.execute("SELECT objection FROM scopes WHERE number = ?", (number,)).fetchone()
            return wire.loads(row[0], Reason) if row and row[0] else None


def next_number(connection: sqlite3.Connection, scope: int) -> int:
    """Give the next sequence number of a pipeline."""
    connection.execute("UPDATE scopes SET sequence = sequence + 1 WHERE number = ?", (scope,))
    return only_number(connection.execute("SELECT sequence FROM scopes WHERE number = ?", (scope,)))


def put_rows(connection: sqlite3.Connection, scope: int, ends: Ends, rows: Iterable[QueueRow]) -> None:
    """Put arrivals under the next numbers, and park the others under the numbers that were taken."""
    last = only_number(connection.execute("SELECT sequence FROM scopes WHERE number = ?", (scope,)))
    arrived: list[tuple[Any, ...]] = []
    parked: list[tuple[Any, ...]] = []
    for row in rows:
        if row.sequence == 0:
            last += 1
            arrived.append((*_place(ends, row), scope, last, *_state(row)))
        else:
            parked.append((*_state(row), *_place(ends, row), row.sequence))
    # Parked rows come before arrivals: no number that is given now can have been taken.
    connection.executemany(
        "UPDATE queue SET state = ?, until = ?, code = ?, because = ?, version = ?, tries = ?, departed = ?, run = ?, question = ? "
        "WHERE end = ? AND id = ? AND sequence = ?",
        parked,
    )
    connection.executemany(f"INSERT OR REPLACE INTO queue VALUES ({marks(range(13))})", arrived)
    connection.execute("UPDATE scopes SET sequence = ? WHERE number = ?", (last, scope))


def end_rows(connection: sqlite3.Connection, ends: Ends, rows: Iterable[QueueRow]) -> None:
    """Remove rows, each only under the number that was taken."""
    connection.executemany(
        "DELETE FROM queue WHERE end = ? AND id = ? AND sequence = ?",
        ((*_place(ends, row), row.sequence) for row in rows),
    )


def wake_rows(connection: sqlite3.Connection, ends: Ends, places: Iterable[tuple[Side, RecordRef]]) -> None:
    """Make parked rows ready, under the numbers they have; versions, tries and questions stay."""
    connection.executemany(
        "UPDATE queue SET state = 'ready', until = NULL, code = '', because = NULL "
        "WHERE end = ? AND id = ? AND state <> 'ready'",
        ((ends.number(side, ref), keep(ref.id)) for side, ref in places),
    )


def _place(ends: Ends, row: QueueRow) -> tuple[Any, ...]:
    return ends.make(row.side, row.ref), keep(row.ref.id)


def _state(row: QueueRow) -> tuple[Any, ...]:
    until = None if row.until is None else micros(row.until)
    code, because = (str(row.because.code), wire.dumps(row.because)) if row.because else ("", None)
    version, run, question = map(keep_or_null, (row.version, row.run, row.question))
    return row.state, until, code, because, version, row.tries, int(row.departed), run, question


@attrs.frozen
class SqliteInbox:
    """Deliveries that wait."""

    _db: Database
    _tenant: str

    def put(self, pipeline: str, arrivals: Sequence[Signal | Arrived]) -> int:
        with self._db.writing() as connection:
            number = made_scope(connection, self._tenant, pipeline)
            ends = Ends(connection, number)
            return sum(_take_in(connection, number, ends, arrival) for arrival in arrivals)

    def waiting(self, pipeline: str, limit: int) -> Sequence[Signal | Arrived]:
        with self._db.reading() as connection:
            number = scope(connection, self._tenant, pipeline)
            question = (
                "SELECT body FROM inbox WHERE scope = ? AND body IS NOT NULL AND taken = 0 ORDER BY number LIMIT ?"
            )
            rows = connection.execute(question, (number, limit))
            return [wire.loads_delivery(body) for (body,) in rows]

    def of(self, pipeline: str, refs: Iterable[RecordRef]) -> Mapping[RecordRef, Arrived]:
        found: dict[RecordRef, Arrived] = {}
        with self._db.reading() as connection:
            ends = Ends(connection, scope(connection, self._tenant, pipeline))
            for end, group in ends.grouped("", list(dict.fromkeys(refs))):
                question = (
                    f"SELECT body FROM inbox WHERE end = ? AND ref_id IN ({marks(list(group))}) "
                    "AND body IS NOT NULL AND whole = 1"
                )
                for (body,) in connection.execute(question, (end, *group)):
                    arrived = wire.loads_delivery(body)
                    if isinstance(arrived, Arrived):
                        found[arrived.record.ref] = arrived
        return found

    def count(self, pipeline: str) -> int:
        with self._db.reading() as connection:
            number = scope(connection, self._tenant, pipeline)
            question = "SELECT count(*) FROM inbox WHERE scope = ? AND body IS NOT NULL AND taken = 0"
            return only_number(connection.execute(question, (number,)))


def _take_in(connection: sqlite3.Connection, scope: int, ends: Ends, arrival: Signal | Arrived) -> int:
    """Keep a delivery unless its id is known, be it taken; tell how many were kept."""
    ref = arrival.record.ref if isinstance(arrival, Arrived) else arrival.ref
    kept = connection.execute(
        "INSERT OR IGNORE INTO inbox (scope, id, end, ref_id, body, whole) VALUES (?, ?, ?, ?, ?, ?)",
        (scope, keep(arrival.id), ends.make("", ref), keep(ref.id), wire.dumps(arrival), isinstance(arrival, Arrived)),
    )
    return kept.rowcount
