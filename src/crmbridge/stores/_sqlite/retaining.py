"""How old history is, and its removal, oldest first; nothing else refers to it."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Sequence

from ...roles import Delta
from .._shared import OLD_ROWS, micros, runs_of
from .names import keep


def keep_history(connection: sqlite3.Connection, tenant: str, scope: int, delta: Delta) -> None:
    """Say of the runs of a commit whose they are and when rows of theirs were put, and remove what is too old."""
    if delta.at is not None:
        at = micros(delta.at)
        connection.executemany(
            "UPDATE runs SET scope = ?, at = max(coalesce(at, ?), ?) WHERE tenant = ? AND run = ?",
            ((scope, at, at, tenant, keep(run)) for run in runs_of(delta)),
        )
    if delta.kept_since is not None:
        _remove_old(connection, scope, delta.kept_since)


def old_runs(connection: sqlite3.Connection, scope: int, before: dt.datetime, limit: int) -> Sequence[int]:
    """Number the runs that ended before an instant, oldest first, up to the first that did not.

    One without a time was put by an earlier version, and so before the next that has one.
    """
    bound = micros(before)
    rows = connection.execute(
        "SELECT number FROM runs WHERE scope = :scope "
        "AND number <= (SELECT max(number) FROM runs WHERE scope = :scope AND at < :bound) "
        "AND number < coalesce((SELECT min(number) FROM runs WHERE scope = :scope AND at >= :bound), number + 1) "
        "ORDER BY number LIMIT :limit",
        {"scope": scope, "bound": bound, "limit": limit},
    )
    return [number for (number,) in rows]


def _remove_old(connection: sqlite3.Connection, scope: int, before: dt.datetime) -> None:
    """Remove rows of the oldest runs that ended before an instant, and each run with its last row."""
    left, bound = OLD_ROWS, micros(before)
    connection.execute(
        "UPDATE scopes SET kept_since = max(coalesce(kept_since, ?), ?) WHERE number = ?", (bound, bound, scope)
    )
    for run in old_runs(connection, scope, before, OLD_ROWS):
        connection.execute("UPDATE runs SET going = 1 WHERE number = ?", (run,))
        for table in ("journal", "decisions"):
            left -= _remove(connection, table, run, left)
        if left <= 0:
            return
        connection.execute("DELETE FROM runs WHERE number = ?", (run,))
        left -= 1


def _remove(connection: sqlite3.Connection, table: str, run: int, most: int) -> int:
    """Remove the first rows of a run, and what belongs to them; tell how many."""
    rows = connection.execute(f"SELECT number FROM {table} WHERE run = ? ORDER BY number LIMIT ?", (run, most))
    numbers = [number for (number,) in rows]
    if numbers:
        connection.execute(f"DELETE FROM {table} WHERE run = ? AND number <= ?", (run, numbers[-1]))
        if table == "decisions":
            connection.execute("DELETE FROM create_keys WHERE run = ? AND owner <= ?", (run, numbers[-1]))
    return len(numbers)
