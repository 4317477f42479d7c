"""How old history is, and its removal, oldest first; nothing else refers to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import islice

from ...roles import Delta
from .._shared import OLD_ROWS, runs_of
from .tables import Tables


def keep_history(tables: Tables, pipeline: str, delta: Delta) -> None:
    """Say of the runs of a commit whose they are and when rows of theirs were put, and remove what is too old."""
    if (at := delta.at) is not None:
        for name in runs_of(delta):
            run = tables.runs[name]
            run.pipeline, run.at = pipeline, at if run.at is None else max(run.at, at)
    if delta.kept_since is not None:
        _remove_old(tables, pipeline, delta.kept_since)


def old_runs(tables: Tables, pipeline: str, before: dt.datetime) -> Sequence[str]:
    """Name the runs that ended before an instant, oldest first, up to the first that did not."""
    found: list[str] = []
    for name, run in tables.runs.items():
        if run.pipeline != pipeline or run.at is None:
            continue
        if run.at >= before:
            break
        found.append(name)
    return found


def _remove_old(tables: Tables, pipeline: str, before: dt.datetime) -> None:
    """Remove rows of the oldest runs that ended before an instant, and each run with its last row."""
    left, pipe = OLD_ROWS, tables.pipes[pipeline]
    pipe.kept_since = before if pipe.kept_since is None else max(pipe.kept_since, before)
    for name in old_runs(tables, pipeline, before):
        run = tables.runs[name]
        run.going = True
        noted = set(islice((n for n, (_, row) in enumerate(tables.journal) if row.run == name), left))
        tables.journal[:] = [row for n, row in enumerate(tables.journal) if n not in noted]
        left -= len(noted)
        decided = list(islice(run.rows, left))
        for place in decided:
            del run.rows[place]
            run.creates.drop(place)
        left -= len(decided)
        if left <= 0:
            return
        del tables.runs[name]
        left -= 1
