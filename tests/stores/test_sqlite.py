"""SqliteStore by the laws of a store: in a file, and in memory."""

import pytest

from crmbridge.stores import SqliteStore
from crmbridge.stores._sqlite.opening import connect
from crmbridge.testing._store_laws.values import commit, decision, left
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


def test_the_planned_decisions_of_a_batch_are_found_without_going_through_the_plan(tmp_path):
    def steps(planned):
        opened = []

        def watched(path):
            opened.append(connect(path))
            return opened[-1]

        with SqliteStore(tmp_path / f"{planned}.db", connect=watched) as store:
            commit(store, run="plan", decisions=tuple(decision(n) for n in range(planned)))
            counted = []
            for connection in opened:
                connection.set_progress_handler(lambda: counted.append(1), 50)
            assert len(store.outbox.planned("plan", [left(n) for n in range(200)])) == min(planned, 200)
            return len(counted)

    assert steps(4000) < 2 * steps(200)
