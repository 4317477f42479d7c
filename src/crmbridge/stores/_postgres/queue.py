"""The queue: agenda, quarantine and rulings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from ... import wire
from ...model import SIDES, RecordRef, Side
from ...reasons import Reason
from ...roles import QueueRow, QueueState, Ruling, Tally
from .._shared import instant, micros
from .names import Ends, ends_of, keep, locked_ends, tell_or_none, whole_or_null
from .role import Role, reading, writing
from .session import Session

_ROW = "end_no, id, state, until, because, version, tries, departed, sequence, run, question"
_WRITTEN = "end_no, id, scope, sequence, state, until, code, because, version, tries, departed, run, question"
_TYPES = "bigint bytea bigint bigint text bigint text text bytea bigint boolean bytea bytea"


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
        departed,
        sequence,
        tell_or_none(run),
        tell_or_none(question),
    )


@attrs.frozen
class PostgresAgenda(Role):
    """What is due."""

    @reading
    def due(
        self, session: Session, pipeline: str, now: dt.datetime, limit: int, *, after: int | None = None
    ) -> Sequence[QueueRow]:
        order = "departed DESC, sequence" if after is None else "sequence"
        # Each part is cut by an index, so that the next batch of a long queue costs no sorting of the whole.
        asked = f"SELECT {_ROW} FROM queue WHERE scope = %s AND sequence > %s"
        ready = f"({asked} AND state = 'ready' AND departed = {{}} ORDER BY sequence LIMIT %s)"
        held = f"({asked} AND state = 'held' AND until <= %s ORDER BY {order} LIMIT %s)"
        question = f"{ready.format(True)} UNION ALL {ready.format(False)} UNION ALL {held} ORDER BY {order} LIMIT %s"
        ends = ends_of(session, self._tenant, pipeline)
        part = (ends.scope, after or 0)
        found = session.rows(question, *part, limit, *part, limit, *part, micros(now), limit, limit)
        return [_row(ends, row) for row in found]

    @reading
    def rows(
        self, session: Session, pipeline: str, side: Side, refs: Iterable[RecordRef]
    ) -> Mapping[RecordRef, QueueRow]:
        return queued(session, ends_of(session, self._tenant, pipeline), side, refs, "")

    @reading
    def tally(self, session: Session, pipeline: str, now: dt.datetime) -> Tally:
        departed, linked, unlinked = (dict.fromkeys(SIDES, 0) for _ in range(3))
        ends = ends_of(session, self._tenant, pipeline)
        for end, left_its_ref, live, elsewhere, count in session.rows(
            "SELECT end_no, departed, "
            "EXISTS (SELECT 1 FROM ties WHERE (ties.end_no, ties.id) = (q.end_no, q.id) AND NOT closed) AS live, "
            "EXISTS (SELECT 1 FROM aliases WHERE (old_end, old_id) = (q.end_no, q.id)) AS elsewhere, count(*) "
            "FROM queue AS q WHERE scope = %s AND (state = 'ready' OR state = 'held' AND until <= %s) "
            "GROUP BY end_no, departed, live, elsewhere",
            ends.scope,
            micros(now),
        ):
            if live:
                (departed if left_its_ref and not elsewhere else linked)[ends.side(end)] += count
            elif not left_its_ref:
                unlinked[ends.side(end)] += count
        found = session.row("SELECT live_links FROM scopes WHERE number = %s", ends.scope)
        return Tally(found[0] if found else 0, departed, linked, unlinked)

    @reading
    def next(self, session: Session, pipeline: str) -> dt.datetime | None:
        scope = ends_of(session, self._tenant, pipeline).scope
        [(until,)] = session.rows("SELECT min(until) FROM queue WHERE scope = %s AND state = 'held'", scope)
        return None if until is None else instant(until)

    @reading
    def enabled_since(self, session: Session, pipeline: str) -> dt.datetime | None:
        question = "SELECT enabled FROM scopes WHERE tenant = %s AND pipeline = %s"
        row = session.row(question, self._tenant, pipeline)
        return wire.unpack_instant(row[0]) if row and row[0] else None

    @writing
    def enable(self, session: Session, pipeline: str, since: dt.datetime | None) -> None:
        scope = locked_ends(session, self._tenant, pipeline).scope
        told = None if since is None else wire.pack_instant(since)
        session.do("UPDATE scopes SET enabled = %s WHERE number = %s", told, scope)


@attrs.frozen
class PostgresQuarantine(Role):
    """Parked queue rows."""

    @reading
    def of(
        self, session: Session, pipeline: str, side: Side, refs: Iterable[RecordRef]
    ) -> Mapping[RecordRef, QueueRow]:
        return queued(session, ends_of(session, self._tenant, pipeline), side, refs, "AND state <> 'ready'")

    @reading
    def rows(self, session: Session, pipeline: str, state: QueueState | None = None) -> Sequence[QueueRow]:
        states = ["held", "disputed", "quarantined"] if state is None else [state]
        ends = ends_of(session, self._tenant, pipeline)
        question = (
            f"SELECT {_ROW} FROM queue WHERE scope = %s AND state = ANY(%s) AND state <> 'ready' ORDER BY sequence"
        )
        return [_row(ends, found) for found in session.rows(question, ends.scope, states)]

    @reading
    def count(self, session: Session, pipeline: str) -> Mapping[str, int]:
        question = (
            "SELECT code, count(*) FROM queue JOIN scopes ON number = scope "
            "WHERE tenant = %s AND pipeline = %s AND state <> 'ready' GROUP BY code"
        )
        return dict(session.rows(question, self._tenant, pipeline))


def queued(session: Session, ends: Ends, side: Side, refs: Iterable[RecordRef], only: str) -> dict[RecordRef, QueueRow]:
    """Read the queue rows of records."""
    question = f"SELECT {_ROW} FROM queue WHERE end_no = %s AND id = ANY(%s) {only}"
    rows = (
        _row(ends, found)
        for end, group in ends.grouped(side, refs)
        for found in session.rows(question, end, list(group))
    )
    return {row.ref: row for row in rows}


@attrs.frozen
class PostgresRulings(Role):
    """What people decided, and what a guard holds."""

    @reading
    def of(self, session: Session, pipeline: str, refs: Iterable[RecordRef]) -> Mapping[RecordRef, Ruling]:
        ends = ends_of(session, self._tenant, pipeline)
        return {
            group[id_]: wire.loads(body, Ruling)
            for end, group in ends.grouped("", refs)
            for id_, body in session.rows(
                "SELECT id, body FROM rulings WHERE end_no = %s AND id = ANY(%s)", end, list(group)
            )
        }

    @writing
    def add(self, session: Session, pipeline: str, ruling: Ruling) -> None:
        ends, id_ = locked_ends(session, self._tenant, pipeline), keep(ruling.ref.id)
        session.do(
            "INSERT INTO rulings VALUES (%s, %s, %s) ON CONFLICT (end_no, id) DO UPDATE SET body = excluded.body",
            ends.make("", ruling.ref),
            id_,
            wire.dumps(ruling),
        )
        for side in SIDES:
            # Under a new number, so that a run that took the row before the ruling cannot park it after.
            last = _last(session, ends)
            woken = session.do(
                "UPDATE queue SET state = 'ready', until = NULL, code = '', because = NULL, sequence = %s "
                "WHERE end_no = %s AND id = %s",
                last + 1,
                ends.number(side, ruling.ref),
                id_,
            )
            session.do("UPDATE scopes SET sequence = %s WHERE number = %s", last + woken, ends.scope)

    @reading
    def objection(self, session: Session, pipeline: str) -> Reason | None:
        question = "SELECT objection FROM scopes WHERE tenant = %s AND pipeline = %s"
        row = session.row(question, self._tenant, pipeline)
        return wire.loads(row[0], Reason) if row and row[0] else None


def _last(session: Session, ends: Ends) -> int:
    [(last,)] = session.rows("SELECT sequence FROM scopes WHERE number = %s", ends.scope)
    return int(last)


def put_rows(session: Session, ends: Ends, rows: Iterable[QueueRow]) -> None:
    """Put arrivals under the next numbers, and park the others under the numbers that were taken."""
    arrived: dict[tuple[int, bytes], tuple[Any, ...]] = {}
    parked: dict[tuple[int, bytes, int], tuple[Any, ...]] = {}
    first = last = _last(session, ends)
    for row in rows:
        place = ends.place(row.side, row.ref)
        if row.sequence == 0:
            last += 1
            arrived[place] = (*place, ends.scope, last, *_state(row))
        else:
            parked[*place, row.sequence] = (*place, ends.scope, row.sequence, *_state(row))
    columns = ("state", "until", "code", "because", "version", "tries", "departed", "run", "question")
    # Parked rows come before arrivals: no number that is given now can have been taken.
    session.each(
        f"UPDATE queue SET {', '.join(f'{name} = new.{name}' for name in columns)} FROM {{rows}} AS new ({_WRITTEN}) "
        "WHERE (queue.end_no, queue.id, queue.sequence) = (new.end_no, new.id, new.sequence)",
        _TYPES,
        parked.values(),
    )
    session.each(
        f"INSERT INTO queue ({_WRITTEN}) SELECT * FROM {{rows}} ON CONFLICT (end_no, id) DO UPDATE SET "
        f"{', '.join(f'{name} = excluded.{name}' for name in ('scope', 'sequence', *columns))}",
        _TYPES,
        arrived.values(),
    )
    if last > first:
        session.do("UPDATE scopes SET sequence = %s WHERE number = %s", last, ends.scope)


def end_rows(session: Session, ends: Ends, rows: Iterable[QueueRow]) -> None:
    """Remove rows, each only under the number that was taken."""
    session.each(
        "DELETE FROM queue USING {rows} AS old (end_no, id, sequence) "
        "WHERE (queue.end_no, queue.id, queue.sequence) = (old.end_no, old.id, old.sequence)",
        "bigint bytea bigint",
        [(ends.number(row.side, row.ref), keep(row.ref.id), row.sequence) for row in rows],
    )


def wake_rows(session: Session, ends: Ends, places: Iterable[tuple[Side, RecordRef]]) -> None:
    """Make parked rows ready, under the numbers they have; versions, tries and questions stay."""
    session.each(
        "UPDATE queue SET state = 'ready', until = NULL, code = '', because = NULL FROM {rows} AS woken (end_no, id) "
        "WHERE (queue.end_no, queue.id) = (woken.end_no, woken.id) AND state <> 'ready'",
        "bigint bytea",
        [(ends.number(side, ref), keep(ref.id)) for side, ref in places],
    )


def _state(row: QueueRow) -> tuple[Any, ...]:
    until = None if row.until is None else micros(row.until)
    code, because = (str(row.because.code), wire.dumps(row.because)) if row.because else ("", None)
    version, run, question = map(whole_or_null, (row.version, row.run, row.question))
    return row.state, until, code, because, version, row.tries, row.departed, run, question
