"""The floors of the house bite: a forbidden import, planted in a copy of the package, is found."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FORBIDDEN = {
    "a value that knows a contract": ("model/refs.py", "from crmbridge import protocols"),
    "a contract that knows the core": ("flow.py", "from crmbridge import policies"),
    "a core that knows an adapter": ("policies/_common.py", "from crmbridge.adapters import salesforce"),
    "an adapter that knows the core": ("adapters/salesforce/__init__.py", "from crmbridge import plan"),
    "an adapter that knows another": (
        "adapters/salesforce/__init__.py",
        "import crmbridge.adapters.account_engagement",
    ),
    "an adapter that sends by itself": ("adapters/salesforce/__init__.py", "import httpx"),
    "a fake that knows an adapter": ("testing/fakes/planted.py", "from crmbridge.adapters import salesforce"),
    "a policy that looks at the clock": ("policies/_common.py", "import time"),
    "a package that knows the workshop": ("kit/__init__.py", "import crmbridge.testing.server"),
    "a module that stands on no floor": ("attic.py", "import json"),
}


def floors(root, package_parent):
    program = shutil.which("lint-imports", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        pytest.skip("install import-linter")
    return subprocess.run(
        [program, "--no-cache", "--config", str(root / "pyproject.toml")],
        cwd=package_parent,
        env={**os.environ, "PYTHONPATH": str(package_parent), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def test_the_house_stands_on_its_floors(root):
    judged = floors(root, root / "src")
    assert judged.returncode == 0, judged.stdout + judged.stderr


@pytest.mark.parametrize("planted", FORBIDDEN)
def test_a_forbidden_import_is_found(planted, root, tmp_path):
    module, line = FORBIDDEN[planted]
    shutil.copytree(root / "src", tmp_path / "src")
    guilty = tmp_path / "src" / "crmbridge" / module
    text = guilty.read_text("utf-8") if guilty.exists() else '"""Planted."""\n'
    guilty.write_text(f"{text}\n{line}\n", "utf-8")
    judged = floors(root, tmp_path / "src")
    assert judged.returncode == 1, judged.stdout + judged.stderr
    assert "BROKEN" in judged.stdout
