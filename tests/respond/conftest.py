"""What the tests of this folder share, loaded by its place since tests are no packages."""

import importlib.util
import sys
from pathlib import Path

import pytest


def _loaded(name):
    known = f"respond_{name}"
    if known not in sys.modules:
        spec = importlib.util.spec_from_file_location(known, Path(__file__).with_name(f"{name}.py"))
        sys.modules[known] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[known])
    return sys.modules[known]


@pytest.fixture(scope="session")
def worlds():
    """The fakes as strangers find them, by name."""
    return _loaded("worlds").WORLDS


@pytest.fixture(scope="session")
def drawing():
    """Strategies from schemas."""
    return _loaded("drawing")
