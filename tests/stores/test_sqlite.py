"""SqliteStore by the laws of a store: in a file, and in memory."""

import pytest

from crmbridge.stores import SqliteStore
from crmbridge.testing.store_suite import StoreSuite


class TestSqliteStore(StoreSuite):
    @pytest.fixture
    def store(self, tmp_path):
        self.path = tmp_path / "state.db"
        self.opened = [SqliteStore(self.path)]
        yield self.opened[0]
        for store in self.opened:
            store.close()

    def reopen(self, store):
        # Without closing: both are open, as in two processes.
        self.opened.append(SqliteStore(self.path))
        return self.opened[-1]


class TestSqliteStoreInMemory(StoreSuite):
    @pytest.fixture
    def store(self):
        with SqliteStore(":memory:") as store:
            yield store
