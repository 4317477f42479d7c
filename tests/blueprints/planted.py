"""Plant a defect in a copy of the package, and see whether the test that should notice does."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def planted(folder: Path, module: str, sound: str, wrong: str) -> Path:
    """Copy the package and exchange one piece of source, which must stand there exactly once; gives the copy's place."""
    copy = folder / "src"
    # Compiled files are copied too and stay good, since times are kept: only the changed module is compiled again.
    shutil.copytree(ROOT / "src" / "crmbridge", copy / "crmbridge")
    path = copy / "crmbridge" / module
    source = path.read_text("utf-8")
    assert source.count(sound) == 1, (
        f"{module} has changed: the piece to exchange stands there {source.count(sound)} times"
    )
    path.write_text(source.replace(sound, wrong), "utf-8")
    return copy


def noticed(copy: Path, test: str) -> tuple[bool, str]:
    """Run one test against a copy of the package; say whether it ran and failed, and what it told."""
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:randomly", "-p", "no:cacheprovider", "--tb=line", test],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(copy), "PYTEST_ADDOPTS": "", "CRMBRIDGE_ALL": "0"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return ran.returncode == 1 and bool(re.search(r"\b1 failed", ran.stdout)), ran.stdout + ran.stderr
