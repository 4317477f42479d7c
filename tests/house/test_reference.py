"""What is public is what the reference lists: every name that is given stands on a page of it."""

import ast
import importlib
import inspect
import itertools
import re
from typing import TypeVar

import pytest

import crmbridge

DIRECTIVE = re.compile(r"^\.\. (auto\w+|py:data):: (\S+)\n((?:   \S.*\n)*)", re.MULTILINE)
CURRENT = re.compile(r"^\.\. currentmodule:: (\S+)$", re.MULTILINE)
IMPORTED = re.compile(r"^\s*(?:\$ python -c \")?from (crmbridge[\w.]*) import ([\w, ]+)", re.MULTILINE)

NAMESPACES = ("adapters", "blueprints", "testing", "testing.fakes", "testing.worlds")
"""Packages in which each module stands for itself."""

GIVEN_ELSEWHERE = {
    "crmbridge.bundles": "crmbridge",
    "crmbridge.pipeline": "crmbridge",
    "crmbridge.testing.conforming": "crmbridge.testing",
    "crmbridge.testing.store_suite": "crmbridge.testing",
    "crmbridge.testing.suites": "crmbridge.testing",
}
NOT_PUBLIC = {
    "crmbridge.cli": "its commands are what is kept",
    "crmbridge.planfile": "a plan has save, a pipeline load",
    "crmbridge.wire": "how stores and plan files write values",
    "crmbridge.testing.bodies": "what fakes are made of",
    "crmbridge.testing.lines": "what fakes are made of",
    "crmbridge.testing.oauth": "what fakes are made of",
    "crmbridge.testing.port": "what fakes are made of",
}


@pytest.fixture(scope="module")
def pages(root):
    """The text of every page of the reference."""
    return {page.stem: page.read_text("utf-8") for page in (root / "docs" / "reference" / "api").glob("*.md")}


def listed(text):
    """Tell which names of which modules a page lists: by themselves, and all but some of a module."""
    [current] = CURRENT.findall(text) or ["crmbridge"]
    for directive, name, options in DIRECTIVE.findall(text):
        if directive == "automodule":
            left_out = re.search(r":exclude-members: (.*)", options)
            out = set(left_out[1].split(", ")) if left_out else set()
            yield from ((name, one) for one in documented(name) if one not in out)
        else:
            full = name if name.startswith("crmbridge.") else f"{current}.{name}"
            yield tuple(full.rsplit(".", 1))


def documented(name):
    """Tell what autodoc makes of a module: its classes and functions, and those constants of it that have a docstring."""
    module = importlib.import_module(name)
    constants = told(module)
    for one in given(module):
        if one in constants or inspect.isclass(getattr(module, one)) or inspect.isfunction(getattr(module, one)):
            yield one


def told(module):
    """Give the constants that a module assigns and tells of."""
    body = ast.parse(inspect.getsource(module)).body
    return [name for node, after in itertools.pairwise(body) if is_text(after) for name in assigned(node)]


def is_text(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def assigned(node):
    """Give the names that a statement assigns to."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def given(module):
    """Give what a module exports: what it says, or else what it defines and tells of."""
    made = [
        name
        for name, value in vars(module).items()
        if getattr(value, "__module__", None) == module.__name__ and not isinstance(value, TypeVar)
    ]
    defined = [name for name in dict.fromkeys((*made, *told(module))) if not name.startswith("_")]
    return getattr(module, "__all__", defined)


def standing_for_themselves(sources, root):
    for path in sources:
        parts = path.relative_to(root / "src" / "crmbridge").with_suffix("").parts
        names = parts[:-1] if parts[-1] == "__init__" else parts
        package, name = ".".join(names[:-1]), ".".join(names)
        if (
            not any(part.startswith("_") for part in names)
            and package in {"", *NAMESPACES}
            and name not in NAMESPACES[:2]
        ):
            yield ".".join(filter(None, ("crmbridge", name)))


def test_every_module_stands_on_a_page_of_the_reference_or_is_said_not_to_be_public(pages, sources, root):
    shown = {module for text in pages.values() for module, _ in listed(text)}
    known = shown | GIVEN_ELSEWHERE.keys() | NOT_PUBLIC.keys() | {f"crmbridge.{name}" for name in NAMESPACES}
    assert set(standing_for_themselves(sources, root)) - known == set()


def stands(module, name, shown):
    """Say whether a name is listed, under this module or under another one that gives the same."""
    value = getattr(importlib.import_module(module), name, None)
    return (module, name) in shown or any(
        name == one and getattr(importlib.import_module(home), one) is value for home, one in shown
    )


def test_every_name_that_a_public_module_gives_stands_on_a_page_of_the_reference(pages):
    shown = {one for text in pages.values() for one in listed(text)}
    whole = {name for text in pages.values() for kind, name, _ in DIRECTIVE.findall(text) if kind == "automodule"}
    names = [(module, name) for module in sorted(whole) for name in given(importlib.import_module(module))]
    assert len(names) > 500
    assert [f"{module}.{name}" for module, name in names if not stands(module, name, shown)] == []


def test_the_front_page_names_all_that_the_front_door_gives(pages):
    shown = {name for module, name in listed(pages["crmbridge"]) if module == "crmbridge"}
    named = set(re.findall(r"`(\w+)`", pages["crmbridge"].partition("```{eval-rst}")[0]))
    assert shown | named == {*crmbridge.__all__, "crmbridge"}
    assert shown & named == set()


def test_what_documentation_and_examples_import_is_public(pages, root):
    shown = {one for text in pages.values() for one in listed(text)}
    modules = {module for module, _ in shown}
    texts = [root / "README.md", *(root / "docs").rglob("*.md"), *(root / "examples").rglob("*.py")]
    imported = {
        (module, name.split()[0])
        for path in texts
        for module, names in IMPORTED.findall(path.read_text("utf-8"))
        for name in names.split(",")
        if name.strip() and f"{module}.{name.split()[0]}" not in modules
    }
    assert len(imported) > 100
    assert [f"{module}.{name}" for module, name in sorted(imported) if not stands(module, name, shown)] == []
