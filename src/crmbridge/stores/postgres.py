"""State that several machines share: PostgreSQL, by the same roles and with the same answers as a state file."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Self

from ..model import RecordRef
from ..roles import Delta, Fence
from ._postgres import changes, forgetting
from ._postgres.database import Database
from ._postgres.directory import PostgresDirectory
from ._postgres.inbox import PostgresInbox
from ._postgres.journal import PostgresJournal
from ._postgres.links import PostgresLinks
from ._postgres.opening import where
from ._postgres.outbox import PostgresOutbox
from ._postgres.queue import PostgresAgenda, PostgresQuarantine, PostgresRulings
from ._postgres.workers import LeaseClock, PostgresBudgets, PostgresLeases, PostgresTokens

__all__ = ["PostgresStore"]

_CONNECTIONS = 8
_PATIENCE = 30.0


class PostgresStore:
    """Keep all state in one schema of a PostgreSQL database (13 or later), which several machines may share.

    *dsn* is what libpq takes, `postgresql://user@host/database` for one; a password is better kept out of it, in
    `PGPASSFILE`. The schema is made where it is missing, for which the user needs the right to create schemas in the
    database. It holds people's values and the tokens of accounts, and must be guarded and backed up as such.

    *schema* names another one, so that several installations share a database. *connections* is how many this process
    opens at most, by default 8; one more is open while a token is refreshed. *patience* is how many seconds a call
    waits for a server that is away, for a lock and for a free connection, by default 30.

    *lease_clock* says by whose time a lease ends: by that of whoever asks, which is the contract of the role, or by
    the `database`'s, which is right for machines whose clocks may differ by more than a lease's slack.

    Raises `MissingExtra` without psycopg, `UsageError` for a DSN that is not understood, `StateError` where the server
    is not reached, `StoreTooNew` for a schema of a newer version, `StoreDamaged` for one that is not ours; in each case
    nothing is changed.
    """

    def __init__(
        self,
        dsn: str,
        *,
        schema: str = "crmbridge",
        connections: int = _CONNECTIONS,
        patience: float = _PATIENCE,
        lease_clock: LeaseClock = "worker",
    ) -> None:
        self._db = Database(where(dsn, schema), connections, patience)
        self._owns = True
        self._show("", lease_clock)

    def _show(self, tenant: str, lease_clock: LeaseClock) -> None:
        self._tenant = tenant
        self.links = PostgresLinks(self._db, tenant)
        self.outbox = PostgresOutbox(self._db, tenant)
        self.inbox = PostgresInbox(self._db, tenant)
        self.directory = PostgresDirectory(self._db, tenant)
        self.journal = PostgresJournal(self._db, tenant)
        self.quarantine = PostgresQuarantine(self._db, tenant)
        self.rulings = PostgresRulings(self._db, tenant)
        self.tokens = PostgresTokens(self._db, tenant)
        self.budgets = PostgresBudgets(self._db, tenant)
        self.leases = PostgresLeases(self._db, tenant, lease_clock)
        self.agenda = PostgresAgenda(self._db, tenant)

    def commit(self, pipeline: str, delta: Delta, fence: Fence) -> None:
        """Change all of it or nothing; durable on return.

        A commit whose answer is lost is looked up on a new connection, and is made again only where it was not made.

        Raises `FenceStale` where the lease was lost or given back, `StateError` where two live links would share a
        record, the server is away for too long, or it refuses.
        """
        self._db.write(lambda session: changes.commit(session, self._tenant, pipeline, delta, fence))

    def tenant(self, name: str) -> PostgresStore:
        """Give the part of this store that belongs to one tenant; closing it leaves the pool open for the others."""
        part = PostgresStore.__new__(PostgresStore)
        part._db = self._db
        part._owns = False
        part._show(name, self.leases._clock)
        return part

    def forget(self, refs: Iterable[RecordRef]) -> int:
        """Remove every value kept of these records and of their counterparts; tell how many were known.

        A counterpart that a live link of somebody else still holds stays. What is left is a keyed fingerprint: links
        and standing of a forgotten record are closed, so it is not made again. The server frees the space of removed
        rows at its next vacuum; its write-ahead log, replicas and backups follow rules of their own.
        """
        asked = tuple(refs)
        return self._db.write(lambda session: forgetting.forget(session, self._tenant, asked))

    def close(self) -> None:
        """Let go of the connections; a second time changes nothing."""
        if self._owns:
            self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
