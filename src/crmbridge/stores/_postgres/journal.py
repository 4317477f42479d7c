"""What was written, and why: read and written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs

from ...model import Decision, RecordRef, other
from ...roles import JournalRow
from .._bodies import Bodies, decision_of, journal_of
from .._shared import instant as instant_of
from .links import PAGE
from .names import Ends, ends_of, keep, tell
from .outbox import run_number
from .retaining import old_runs
from .role import Role, reading
from .session import Found, Session


@attrs.frozen
class PostgresJournal(Role):
    """What was written, and why."""

    @reading
    def of(self, session: Session, pipeline: str, ref: RecordRef) -> Sequence[JournalRow]:
        ends = ends_of(session, self._tenant, pipeline).of_ref(ref)
        found = session.rows(
            "SELECT body FROM journal WHERE ref_end = ANY(%s) AND ref_id = %s "
            "OR origin_end = ANY(%s) AND origin_id = %s ORDER BY number",
            ends, keep(ref.id), ends, keep(ref.id),
        )  # fmt: skip
        return [journal_of(body) for (body,) in found]

    @reading
    def decided(self, session: Session, pipeline: str, ref: RecordRef, limit: int) -> Sequence[tuple[str, Decision]]:
        # One look into the index of each run, from the newest on.
        question = (
            "SELECT runs.run, body FROM runs JOIN decisions ON decisions.run = runs.number "
            "WHERE tenant = %s AND end_no = ANY(%s) AND id = %s ORDER BY runs.number DESC LIMIT %s"
        )
        ends = ends_of(session, self._tenant, pipeline).of_ref(ref)
        latest = session.rows(question, self._tenant, ends, keep(ref.id), limit)
        return [(tell(run), decision_of(body)) for run, body in reversed(latest)]

    @reading
    def ended_before(self, session: Session, pipeline: str, instant: dt.datetime) -> bool:
        return bool(old_runs(session, ends_of(session, self._tenant, pipeline).scope, instant, 1))

    @reading
    def kept_since(self, session: Session, pipeline: str) -> dt.datetime | None:
        question = "SELECT kept_since FROM scopes WHERE tenant = %s AND pipeline = %s"
        row = session.row(question, self._tenant, pipeline)
        return None if row is None or row[0] is None else instant_of(row[0])

    def run(self, run: str) -> Iterator[JournalRow]:
        after, page = 0, PAGE
        while page == PAGE:
            rows = self._page(run, after)
            yield from (journal_of(body) for _, body in rows)
            after, page = (rows[-1][0] if rows else 0), len(rows)

    @reading
    def _page(self, session: Session, run: str, after: int) -> Found:
        question = "SELECT number, body FROM journal WHERE run = %s AND number > %s ORDER BY number LIMIT %s"
        return session.rows(question, run_number(session, self._tenant, run), after, PAGE)


def note(session: Session, ends: Ends, bodies: Bodies, runs: Mapping[str, int], rows: Iterable[JournalRow]) -> None:
    """Write rows, in order."""
    session.each(
        "INSERT INTO journal (run, ref_end, ref_id, origin_end, origin_id, body) SELECT * FROM {rows}",
        "bigint bigint bytea bigint bytea text",
        [
            (
                runs[row.run],
                ends.make(row.side, row.ref),
                keep(row.ref.id),
                ends.make(other(row.side), row.origin),
                keep(row.origin.id),
                bodies.journal(row),
            )
            for row in rows
        ],
    )
