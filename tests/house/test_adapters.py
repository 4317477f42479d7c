"""An adapter is whole: it has a fake, a page and tests, all under its name; its page prints what it promises."""

import importlib
import re
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


TABLE = re.compile(r"^```\{crmb-capabilities\} (\w+)\n:connector: (.+)\n\n((?:.+\n)+)```$", re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_the_page_of_an_adapter_prints_what_it_promises(name, root):
    page = (root / "docs" / "systems" / f"{name.replace('_', '-')}.md").read_text("utf-8")
    [(module, made, kinds)] = TABLE.findall(page)
    assert module == name
    connector = eval(made, dict(vars(importlib.import_module(f"crmbridge.adapters.{module}"))))
    assert all(connector.capabilities(kind) for kind in kinds.split())


def test_no_page_holds_a_comment_that_nothing_reads(root):
    pages = [root / "README.md", *(root / "docs").rglob("*.md")]
    dead = [
        f"{page.relative_to(root)}: {comment}"
        for page in pages
        for comment in re.findall(r"<!--.*?-->", page.read_text("utf-8"), re.DOTALL)
        if not comment.startswith("<!-- not run: ")
    ]
    assert dead == []
