"""What the tests of the house look at: this repository's own files."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def sources() -> list[Path]:
    """Every module of the package, as it lies in the repository."""
    return sorted((ROOT / "src" / "crmbridge").rglob("*.py"))


@pytest.fixture(scope="session")
def tracked() -> list[Path]:
    """Every file that is in version control or could go there; an unpacked archive has no version control."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listing.returncode != 0:
        return [path for path in ROOT.rglob("*") if path.is_file() and ".git" not in path.parts]
    return [path for name in listing.stdout.split("\0") if name and (path := ROOT / name).is_file()]
