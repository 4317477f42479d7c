"""The tests of this product pair bite: each planted defect is noticed by the test that stands beside it."""

import importlib.util
import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def loaded(path):
    spec = importlib.util.spec_from_file_location(f"planted_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


runner = loaded(HERE / "planted.py")
PATCHES = loaded(HERE.parent / "planted" / "account_engagement_salesforce.py").PATCHES
USUAL = frozenset(list(PATCHES)[::3])
"""What an ordinary run plants."""


@pytest.mark.parametrize("defect", PATCHES)
def test_a_planted_defect_is_noticed(defect, tmp_path):
    if defect not in USUAL and os.environ.get("CRMBRIDGE_ALL") != "1":
        pytest.skip("under CRMBRIDGE_ALL=1 every defect is planted")
    module, sound, wrong, test = PATCHES[defect]
    found, told = runner.noticed(runner.planted(tmp_path, module, sound, wrong), test)
    assert found, told


def test_enough_defects_are_known_and_an_ordinary_run_plants_ten_of_them():
    assert len(PATCHES) >= 30
    assert len(USUAL) >= 10


def test_a_sound_copy_is_not_blamed(tmp_path):
    module, sound, _, test = next(iter(PATCHES.values()))
    found, told = runner.noticed(runner.planted(tmp_path, module, sound, sound), test)
    assert not found, told
