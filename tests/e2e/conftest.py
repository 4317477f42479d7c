"""The worlds that the tests of the blueprints have, under the same name."""

import importlib.util
import sys
from pathlib import Path

if "ae_sf_world" not in sys.modules:
    _spec = importlib.util.spec_from_file_location("ae_sf_world", Path(__file__).parents[1] / "blueprints" / "world.py")
    sys.modules["ae_sf_world"] = _module = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(_module)
