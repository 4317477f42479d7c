"""The laws of a state store, as a pytest class to inherit: whoever writes a store proves it by this.

    class TestMyStore(StoreSuite):
        @pytest.fixture
        def store(self, tmp_path):
            with MyStore(tmp_path / "state") as store:
                yield store

        def reopen(self, store):
            store.close()
            return MyStore(store.path)

In a `conftest.py`, `pytest.register_assert_rewrite("crmbridge.testing")` makes a broken law say what it saw.
"""

from __future__ import annotations

from ._store_laws.history import HistoryLaws
from ._store_laws.links import LinkLaws, StandingLaws
from ._store_laws.queue import InboxLaws, QueueLaws, RulingLaws
from ._store_laws.records import DirectoryLaws, JournalLaws, OutboxLaws
from ._store_laws.whole import CommitLaws, ForgetLaws
from ._store_laws.workers import BudgetLaws, LeaseLaws, TokenLaws

__all__ = ["StoreSuite"]


class StoreSuite(
    CommitLaws,
    ForgetLaws,
    LinkLaws,
    StandingLaws,
    QueueLaws,
    RulingLaws,
    InboxLaws,
    OutboxLaws,
    DirectoryLaws,
    JournalLaws,
    HistoryLaws,
    LeaseLaws,
    TokenLaws,
    BudgetLaws,
):
    """Judge a store by every law of its roles; give it as the fixture `store`, empty for each test.

    Override `reopen`, too: without it a store gives itself, and nobody sees whether a new process would find the state.
    """
