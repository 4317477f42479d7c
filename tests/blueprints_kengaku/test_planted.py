"""The tests of this product pair bite: each planted defect is noticed by the test that stands beside it."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

import pytest

from .planted import PATCHES

_SPEC = importlib.util.spec_from_file_location("planting", Path(__file__).parents[1] / "blueprints" / "planted.py")
runner = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(runner)

USUAL = frozenset(list(PATCHES)[::3])
"""What an ordinary run plants."""


@pytest.mark.parametrize("defect", PATCHES)
def test_a_planted_defect_is_noticed(defect, tmp_path):
    if defect not in USUAL and os.environ.get("CRMBRIDGE_ALL") != "1":
        pytest.skip("under CRMBRIDGE_ALL=1 every defect is planted")
    module, sound, wrong, test = PATCHES[defect]
    if "/browser/" in test and not (shutil.which("chromium") and shutil.which("chromedriver")):
        pytest.skip("install chromium and chromium-driver: the test that notices this loads a page")
    found, told = runner.noticed(runner.planted(tmp_path, module, sound, wrong), test)
    assert found, told


def test_every_id_of_this_pair_has_a_defect_that_is_noticed():
    planted = " ".join(PATCHES)
    ids = [f"DIGIMA-{number}" for number in range(1, 27)]
    assert [one for one in ids if f"{one})" not in planted and f"{one}," not in planted] == []


def test_a_sound_copy_is_not_blamed(tmp_path):
    module, sound, _, test = next(iter(PATCHES.values()))
    found, told = runner.noticed(runner.planted(tmp_path, module, sound, sound), test)
    assert not found, told
