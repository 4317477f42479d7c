"""MemoryStore by the laws of a store."""

import pytest

from crmbridge.stores import MemoryStore
from crmbridge.testing.store_suite import StoreSuite


class TestMemoryStore(StoreSuite):
    @pytest.fixture
    def store(self):
        with MemoryStore() as store:
            yield store
