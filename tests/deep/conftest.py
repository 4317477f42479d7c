"""The search that goes on, as a module."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def search():
    spec = importlib.util.spec_from_file_location("deep_search", Path(__file__).with_name("search.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
