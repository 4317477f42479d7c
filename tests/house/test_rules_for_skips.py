"""A missing program is a skip for a visitor and a failure where everything was promised."""

import os
import shutil
import subprocess
import sys

import pytest

SUITE = """
import pytest

def test_fine(): ...

def test_needs_a_program():
    pytest.skip("install node: its client is driven here")

@pytest.mark.skipif(True, reason="install firefox")
def test_needs_a_browser(): ...

def test_not_claimed():
    pytest.skip("the connector does not claim conditional writes")
"""


@pytest.mark.parametrize(
    ("promised", "outcome"), [("0", "1 passed, 3 skipped"), ("1", "1 failed, 1 passed, 1 skipped, 1 error")]
)
def test_a_skip_for_a_missing_program_fails_where_all_is_promised(promised, outcome, root, tmp_path):
    shutil.copy(root / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_suite.py").write_text(SUITE)
    ran = run(tmp_path, promised)
    assert outcome in ran.stdout, ran.stdout + ran.stderr


def test_a_module_that_cannot_be_imported_for_want_of_a_package_fails_too(root, tmp_path):
    shutil.copy(root / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_suite.py").write_text('import pytest\npytest.importorskip("no_such_package")\n')
    assert run(tmp_path, "0").returncode == 5
    ran = run(tmp_path, "1")
    assert ran.returncode == 2
    assert "could not import 'no_such_package'" in ran.stdout
    assert "CRMBRIDGE_ALL=1 promises that it is there" in ran.stdout


def test_the_share_of_time_of_each_folder_is_told(root, tmp_path):
    shutil.copy(root / "tests" / "conftest.py", tmp_path)
    for folder in ("core", "drive"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"test_{folder}.py").write_text("def test_one(): ...\n")
    told = run(tmp_path, "0").stdout
    assert "share of time" in told
    assert " s  core" in told
    assert " s  drive" in told


def run(directory, promised):
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "--rootdir", "."],
        cwd=directory,
        env={**os.environ, "CRMBRIDGE_ALL": promised, "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
