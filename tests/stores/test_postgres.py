"""PostgresStore by the laws of a store."""

import contextlib
import os
import shutil

import pytest

from crmbridge.stores import PostgresStore
from crmbridge.testing.postgres import PostgresServer, find_binaries
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


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_a_server_runs_from_a_folder_that_is_closed_to_its_user(tmp_path, postgres):
    there = find_binaries().parent
    private = tmp_path / "private"
    shutil.copytree(there, private / there.parent.name / there.name, symlinks=True)
    with contextlib.suppress(FileNotFoundError):
        libraries = f"{there.parent.name}.libs"
        shutil.copytree(there.parents[1] / libraries, private / libraries)
    private.chmod(0o700)
    binaries = private / there.parent.name / there.name / "bin"
    with PostgresServer(binaries) as server, PostgresStore(server.dsn) as store:
        assert store.links.count("people") == 0
