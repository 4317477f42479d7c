"""Deliveries: those that wait, and those that are records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs

from ... import wire
from ...model import Arrived, RecordRef, Signal
from .names import Ends, ends_of, keep, locked_ends
from .role import Role, reading, writing
from .session import Session

_WAITING = (
    "FROM inbox JOIN scopes ON scopes.number = scope "
    "WHERE tenant = %s AND pipeline = %s AND body IS NOT NULL AND NOT taken"
)


@attrs.frozen
class PostgresInbox(Role):
    """Deliveries that wait."""

    @writing
    def put(self, session: Session, pipeline: str, arrivals: Sequence[Signal | Arrived]) -> int:
        ends = locked_ends(session, self._tenant, pipeline)
        # Of two with one id the first is kept, as if they had come one by one.
        rows = [_row(ends, arrival) for arrival in arrivals]
        new = session.for_each(
            "INSERT INTO inbox (scope, id, end_no, ref_id, body, whole) "
            f"SELECT {ends.scope}, * FROM {{rows}} ON CONFLICT (scope, id) DO NOTHING RETURNING number",
            "bytea bigint bytea text boolean",
            rows,
        )
        return len(new)

    @reading
    def waiting(self, session: Session, pipeline: str, limit: int) -> Sequence[Signal | Arrived]:
        question = f"SELECT body {_WAITING} ORDER BY inbox.number LIMIT %s"
        return [wire.loads_delivery(body) for (body,) in session.rows(question, self._tenant, pipeline, limit)]

    @reading
    def of(self, session: Session, pipeline: str, refs: Iterable[RecordRef]) -> Mapping[RecordRef, Arrived]:
        found: dict[RecordRef, Arrived] = {}
        question = (
            "SELECT body FROM inbox WHERE end_no = %s AND ref_id = ANY(%s) AND body IS NOT NULL AND whole "
            "ORDER BY number"
        )
        for end, group in ends_of(session, self._tenant, pipeline).grouped("", refs):
            for (body,) in session.rows(question, end, list(group)):
                arrived = wire.loads_delivery(body)
                if isinstance(arrived, Arrived):
                    found[arrived.record.ref] = arrived
        return found

    @reading
    def count(self, session: Session, pipeline: str) -> int:
        [(count,)] = session.rows(f"SELECT count(*) {_WAITING}", self._tenant, pipeline)
        return int(count)


def _row(ends: Ends, arrival: Signal | Arrived) -> tuple[object, ...]:
    whole = isinstance(arrival, Arrived)
    ref = arrival.record.ref if isinstance(arrival, Arrived) else arrival.ref
    return keep(arrival.id), ends.make("", ref), keep(ref.id), wire.dumps(arrival), whole


def take_out(session: Session, ends: Ends, taken: Sequence[str], finished: Iterable[RecordRef]) -> None:
    """Let deliveries wait no longer, and records that are finished be kept no longer; their ids stay known."""
    if taken:
        session.do(
            "UPDATE inbox SET taken = true, body = CASE WHEN whole THEN body END, "
            "end_no = CASE WHEN whole THEN end_no END, ref_id = CASE WHEN whole THEN ref_id END "
            "WHERE scope = %s AND id = ANY(%s)",
            ends.scope,
            [keep(id_) for id_ in taken],
        )
    for end, group in ends.grouped("", finished):
        session.do(
            "UPDATE inbox SET body = NULL, end_no = NULL, ref_id = NULL "
            "WHERE end_no = %s AND ref_id = ANY(%s) AND whole",
            end,
            list(group),
        )
