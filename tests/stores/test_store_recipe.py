"""The recipe in the documentation of `StoreSuite`, run as it stands there: a store that is closed before it is reopened."""

import inspect
import textwrap

import pytest

from crmbridge.stores import SqliteStore
from crmbridge.testing import StoreSuite, store_suite


class MyStore(SqliteStore):
    """Somebody's store, of one file."""

    def __init__(self, path):
        super().__init__(path)
        self.path = path


_LINES = [line for line in inspect.getsource(store_suite).splitlines() if line.startswith("    ") or not line]
_BEGIN = _LINES.index("    class TestMyStore(StoreSuite):")
_NAMES = {"pytest": pytest, "StoreSuite": StoreSuite, "MyStore": MyStore}
exec(textwrap.dedent("\n".join(_LINES[_BEGIN : _BEGIN + 9])), _NAMES)

TestMyStore = _NAMES["TestMyStore"]


def test_the_recipe_closes_the_store_that_it_opens_again(tmp_path):
    suite, store = TestMyStore(), MyStore(tmp_path / "state")
    again = suite.reopen(store)
    assert (type(again), again.path) == (MyStore, store.path)
    again.close()
