"""How old history is, and its removal, oldest first; nothing else refers to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from ...roles import Delta
from .._shared import OLD_ROWS, micros
from .session import Session


def keep_history(session: Session, scope: int, runs: Mapping[str, int], delta: Delta) -> None:
    """Say of the runs of a commit whose they are and when rows of theirs were put, and remove what is too old."""
    if delta.at is not None and runs:
        # Of an instant and none, the greatest is the instant.
        told = "UPDATE runs SET scope = %s, at = greatest(at, %s) WHERE number = ANY(%s)"
        session.do(told, scope, micros(delta.at), list(runs.values()))
    if delta.kept_since is not None:
        _remove_old(session, scope, delta.kept_since)


def old_runs(session: Session, scope: int, before: dt.datetime, limit: int) -> Sequence[int]:
    """Number the runs that ended before an instant, oldest first, up to the first that did not.

    One without a time was put by an earlier version, and so before the next that has one.
    """
    bound = micros(before)
    rows = session.rows(
        "SELECT number FROM runs WHERE scope = %s "
        "AND number <= (SELECT max(number) FROM runs WHERE scope = %s AND at < %s) "
        "AND number < coalesce((SELECT min(number) FROM runs WHERE scope = %s AND at >= %s), number + 1) "
        "ORDER BY number LIMIT %s",
        scope, scope, bound, scope, bound, limit,
    )  # fmt: skip
    return [number for (number,) in rows]


def _remove_old(session: Session, scope: int, before: dt.datetime) -> None:
    """Remove rows of the oldest runs that ended before an instant, and each run with its last row."""
    left = OLD_ROWS
    session.do("UPDATE scopes SET kept_since = greatest(kept_since, %s) WHERE number = %s", micros(before), scope)
    for run in old_runs(session, scope, before, OLD_ROWS):
        session.do("UPDATE runs SET going = true WHERE number = %s", run)
        for table in ("journal", "decisions"):
            left -= _remove(session, table, run, left)
        if left <= 0:
            return
        session.do("DELETE FROM runs WHERE number = %s", run)
        left -= 1


def _remove(session: Session, table: str, run: int, most: int) -> int:
    """Remove the first rows of a run, and what belongs to them; tell how many."""
    rows = session.rows(f"SELECT number FROM {table} WHERE run = %s ORDER BY number LIMIT %s", run, most)
    numbers = [number for (number,) in rows]
    if numbers:
        session.do(f"DELETE FROM {table} WHERE run = %s AND number <= %s", run, numbers[-1])
        if table == "decisions":
            session.do("DELETE FROM create_keys WHERE run = %s AND owner <= %s", run, numbers[-1])
    return len(numbers)
