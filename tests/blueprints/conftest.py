"""A world for each test: a business unit, an organisation, and the blueprint between them."""

import importlib.util
import sys
from pathlib import Path

import pytest

if "ae_sf_world" not in sys.modules:
    # Test modules are imported one by one, without a package around them: what they share gets a name here.
    _spec = importlib.util.spec_from_file_location("ae_sf_world", Path(__file__).parent / "world.py")
    sys.modules["ae_sf_world"] = _module = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(_module)

from ae_sf_world import Settings, World


@pytest.fixture
def world():
    """Both systems, with nobody in them but a user of each."""
    return World()


@pytest.fixture
def world_with():
    """Both systems under other settings."""
    return lambda **settings: World(settings=Settings(**settings))
