"""A store that lasts as long as its process: for tests, simulation and scripts that start from nothing."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from ..model import RecordRef
from ..roles import Delta, Fence
from ._memory.changes import commit, forget
from ._memory.records import MemoryDirectory, MemoryJournal, MemoryLinks, MemoryOutbox
from ._memory.tables import Tables
from ._memory.work import (
    MemoryAgenda,
    MemoryBudgets,
    MemoryInbox,
    MemoryLeases,
    MemoryQuarantine,
    MemoryRulings,
    MemoryTokens,
)


class MemoryStore:
    """Keep all state in memory, by the same laws as a file: nothing is left when the process ends.

    Safe to use from several threads. Values are kept as they are, so they must be immutable, as all of ours are.
    """

    def __init__(self) -> None:
        lock = threading.RLock()
        self._tenants = defaultdict[str, Tables](lambda: Tables(lock))
        self._show("")

    def _show(self, tenant: str) -> None:
        self._tables = tables = self._tenants[tenant]
        self.links = MemoryLinks(tables)
        self.outbox = MemoryOutbox(tables)
        self.inbox = MemoryInbox(tables)
        self.directory = MemoryDirectory(tables)
        self.journal = MemoryJournal(tables)
        self.quarantine = MemoryQuarantine(tables)
        self.rulings = MemoryRulings(tables)
        self.tokens = MemoryTokens(tables)
        self.budgets = MemoryBudgets(tables)
        self.leases = MemoryLeases(tables)
        self.agenda = MemoryAgenda(tables)

    def commit(self, pipeline: str, delta: Delta, fence: Fence) -> None:
        """Change all of it or nothing.

        Raises `FenceStale` where the lease was lost or given back, `StateError` where two live links would share a
        record.
        """
        commit(self._tables, pipeline, delta, fence)

    def tenant(self, name: str) -> MemoryStore:
        """Give the part of this store that belongs to one tenant."""
        part = MemoryStore.__new__(MemoryStore)
        part._tenants = self._tenants
        part._show(name)
        return part

    def forget(self, refs: Iterable[RecordRef]) -> int:
        """Remove every value kept of these records and of their counterparts; tell how many were known.

        A counterpart that a live link of somebody else still holds stays. What is left is a keyed fingerprint: links
        and standing of a forgotten record are closed, so it is not made again.
        """
        return forget(self._tables, refs)

    def close(self) -> None:
        """Let go of nothing: there is no file."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
