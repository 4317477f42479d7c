"""One file that holds all state of a machine: SQLite, with a write-ahead log that is synced at each commit."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from ..errors import StateError
from ..model import RecordRef
from ..roles import Delta, Fence
from ._sqlite import changes, forgetting
from ._sqlite.database import Database
from ._sqlite.links import SqliteLinks
from ._sqlite.opening import Connect, connect
from ._sqlite.queue import SqliteAgenda, SqliteInbox, SqliteQuarantine, SqliteRulings
from ._sqlite.records import SqliteDirectory, SqliteJournal, SqliteOutbox
from ._sqlite.workers import SqliteBudgets, SqliteLeases, SqliteTokens

__all__ = ["SqliteStore"]

_BUSY_TIMEOUT = 10.0
_LOCK_PATIENCE = 120.0
"""Seconds to wait for another worker's token refresh: as long as one request may take."""

_connect = connect


class SqliteStore:
    """Keep all state in one file on a local disk; `":memory:"` keeps it until the store is closed.

    Threads and processes of one machine may share the file. What was committed survives a kill and a power loss. The
    file holds people's values and the tokens of accounts: it is made readable by its owner alone, and must be guarded
    and backed up as such. Beside it stand `-wal` and `-shm` while it is open, an empty `-lock-…` for each token,
    and `-room`: 64 KiB by which a lease can be given back where the disk is full, and without which none is taken.

    *busy_timeout* is how many seconds a commit waits for other processes, by default 10. *connect* replaces the
    function that opens the connection; it must allow other threads (`check_same_thread=False`).

    Raises `StateError` for a place that cannot hold state (no such folder, not writable, on Linux a network file system),
    `StoreTooNew` for a file of a newer version, `StoreDamaged` for a file that is not ours or cannot be read; in each
    case nothing is changed.
    """

    def __init__(
        self, path: str | Path, *, connect: Connect | None = None, busy_timeout: float = _BUSY_TIMEOUT
    ) -> None:
        self._db = Database(Path(path), connect or _connect, busy_timeout, _LOCK_PATIENCE)
        self._owns = True
        self._show("")

    def _show(self, tenant: str) -> None:
        self._tenant = tenant
        self.links = SqliteLinks(self._db, tenant)
        self.outbox = SqliteOutbox(self._db, tenant)
        self.inbox = SqliteInbox(self._db, tenant)
        self.directory = SqliteDirectory(self._db, tenant)
        self.journal = SqliteJournal(self._db, tenant)
        self.quarantine = SqliteQuarantine(self._db, tenant)
        self.rulings = SqliteRulings(self._db, tenant)
        self.tokens = SqliteTokens(self._db, tenant)
        self.budgets = SqliteBudgets(self._db, tenant)
        self.leases = SqliteLeases(self._db, tenant)
        self.agenda = SqliteAgenda(self._db, tenant)

    def commit(self, pipeline: str, delta: Delta, fence: Fence) -> None:
        """Change all of it or nothing; durable on return.

        Raises `FenceStale` where the lease was lost or given back, `StateError` where two live links would share a
        record, the disk is full, or another process keeps the file locked.
        """
        with self._db.writing() as connection:
            erased = changes.commit(connection, self._tenant, pipeline, delta, fence)
        if erased:
            # All is committed. Where the log is being read, it is emptied later, as it always is.
            with suppress(StateError):
                self._db.wipe()

    def tenant(self, name: str) -> SqliteStore:
        """Give the part of this store that belongs to one tenant; closing it leaves the file open for the others."""
        part = SqliteStore.__new__(SqliteStore)
        part._db = self._db
        part._owns = False
        part._show(name)
        return part

    def forget(self, refs: Iterable[RecordRef]) -> int:
        """Remove every value kept of these records and of their counterparts; tell how many were known.

        A counterpart that a live link of somebody else still holds stays. What is left is a keyed fingerprint: links
        and standing of a forgotten record are closed, so it is not made again. The file is
        written anew without the values, once for all of these records; copies of it are yours to find.
        """
        with self._db.writing() as connection:
            known = forgetting.forget(connection, self._tenant, refs)
        self._db.wipe()
        return known

    def close(self) -> None:
        """Let go of the file; a second time changes nothing."""
        if self._owns:
            self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
