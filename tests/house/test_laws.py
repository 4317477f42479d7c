"""Every law of a contract has a check that quotes it."""

import ast
import inspect
import re

import pytest

from crmbridge import protocols


def laws():
    """Read the laws from the contracts' docstrings: after "Law:" or "Laws ...:", separated by dots in the middle."""
    for name, contract in inspect.getmembers(protocols, inspect.isclass):
        if contract.__module__ != protocols.__name__:
            continue
        text = " ".join((contract.__doc__ or "").split())
        for block in re.findall(r"Laws?(?: of `\w+`)?: (.*?)(?=\.(?: Laws?\b|$)|$)", text):
            yield from ((name, law.strip().rstrip(".")) for law in block.split("·"))


def plain(text):
    return " ".join(re.sub(r"[^\w\s]", "", text).lower().split())


def test_the_contracts_have_laws():
    assert len(list(laws())) > 15
    assert ("Sink", "a field not named is not touched") in list(laws())


def test_every_law_of_a_connector_is_quoted_by_its_check(root):
    checks = root / "src" / "crmbridge" / "testing" / "checks.py"
    if not checks.exists():
        pytest.skip("the checks of the laws are not written")
    said = plain(
        " ".join(
            ast.get_docstring(node) or ""
            for path in checks.parent.glob("*.py")
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, (ast.FunctionDef, ast.ClassDef))
        )
    )
    assert [f"{name}: {law}" for name, law in laws() if name in {"Source", "Sink"} and plain(law) not in said] == []
