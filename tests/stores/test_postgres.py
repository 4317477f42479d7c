"""PostgresStore by the laws of a store."""

import pytest

from crmbridge.stores import PostgresStore
from crmbridge.testing.store_suite import StoreSuite


class TestPostgresStore(StoreSuite):
    @pytest.fixture
    def store(self, postgres, schema):
        self.place = {"dsn": postgres.dsn, "schema": schema()}
        self.opened = [PostgresStore(**self.place)]
        yield self.opened[0]
        for store in self.opened:
            store.close()

    def reopen(self, store):
        # Without closing: both are open, as on two machines.
        self.opened.append(PostgresStore(**self.place))
        return self.opened[-1]
