"""An adapter is whole: it has a fake, a page and tests, all under its name."""

from pathlib import Path

import pytest

ADAPTERS = Path(__file__).resolve().parents[2] / "src" / "crmbridge" / "adapters"
NAMES = sorted(
    path.stem
    for path in ADAPTERS.iterdir()
    if not path.name.startswith(("_", ".")) and (path.suffix == ".py" or (path / "__init__.py").exists())
)


@pytest.mark.parametrize("name", NAMES)
def test_an_adapter_has_a_fake_a_page_and_tests(name, root):
    fakes = root / "src" / "crmbridge" / "testing" / "fakes"
    missing = []
    if not ((fakes / f"{name}.py").exists() or (fakes / name / "__init__.py").exists()):
        missing.append(f"crmbridge.testing.fakes.{name}")
    if not (root / "docs" / "systems" / f"{name.replace('_', '-')}.md").exists():
        missing.append(f"docs/systems/{name.replace('_', '-')}.md")
    if not list((root / "tests" / "adapters").glob(f"test_{name}*.py")):
        missing.append(f"tests/adapters/test_{name}*.py")
    assert missing == []
