"""A project of somebody else: its tests pass where nothing of ours is at hand but the installed package."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_tests_of_an_outside_project_pass(tmp_path):
    project = tmp_path / "project"
    shutil.copytree(ROOT / "examples" / "outside", project, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    inherited = {name: value for name, value in os.environ.items() if name in ("PATH", "SYSTEMROOT", "LANG")}
    ran = subprocess.run(
        [sys.executable, "-X", "utf8", "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider"],
        cwd=project,
        env={**inherited, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert int(re.search(r"(\d+) passed", ran.stdout)[1]) > 40, ran.stdout


def test_the_outside_project_uses_public_names_only():
    sources = [path.read_text("utf-8") for path in (ROOT / "examples" / "outside").glob("*.py")]
    names = [name for text in sources for name in re.findall(r"(?:from|import) (crmbridge[\w.]*)", text)]
    assert names
    assert [name for name in names if "._" in name] == []
