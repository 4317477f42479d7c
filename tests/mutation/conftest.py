"""The search for changes that no test notices, as modules."""

import importlib
from pathlib import Path

import pytest


@pytest.fixture
def mutation(monkeypatch):
    """Give a function that imports one of the modules beside this file, which find each other by their bare names."""
    pytest.importorskip("coverage", reason="install crmbridge[dev]")
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    return importlib.import_module
