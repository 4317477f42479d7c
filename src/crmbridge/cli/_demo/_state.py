"""The state file of the demo: made anew each time, and nobody else's file is ever touched."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from ...errors import StateError
from ...stores import SqliteStore

_MARK = "crmbridge demo"
"""Stands in a file as something enabled, and says that the demo made it."""


def fresh(path: Path, now: dt.datetime) -> SqliteStore:
    """Open a fresh state file; one that an earlier demo made is replaced.

    Raises `StateError` for a file that is there and was not made by the demo.
    """
    if path.exists() and (path.is_dir() or path.stat().st_size):
        if not _ours(path):
            raise StateError(f"{path} is there and was not made by the demo; name another file with --state")
        _remove(path)
    store = SqliteStore(path)
    store.agenda.enable(_MARK, now)
    return store


def _ours(path: Path) -> bool:
    try:
        with SqliteStore(path) as store:
            return store.agenda.enabled_since(_MARK) is not None
    except StateError:
        return False


def _remove(path: Path) -> None:
    for beside in ("-wal", "-shm", "-room"):
        path.with_name(path.name + beside).unlink(missing_ok=True)
    for lock in path.parent.glob(f"{path.name}-lock-*"):
        lock.unlink(missing_ok=True)
    path.unlink()
