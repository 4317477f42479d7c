"""Makes the reference of what is public out of docstrings, which are written in Markdown's light markup.

Autodoc reads reStructuredText, and it looks for the docstring of a constant in the package that gives it, not in the
module that the package has it from.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import sys
from typing import Any, TypeVar

from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer

CODE = re.compile(r"(?<![`\\:])`([^`]+)`(?!`)")


def as_literals(text: str) -> str:
    """Write code between single backticks as reStructuredText does: between two, and on one line."""
    return CODE.sub(lambda found: f"``{' '.join(found[1].split())}``", text)


def told_at_home(name: str, constant: str) -> list[str]:
    """Find what stands under a constant in the module that a package imports it from."""
    package = sys.modules.get(name)
    if package is None:
        return []
    for node in ast.walk(ast.parse(inspect.getsource(package))):
        if isinstance(node, ast.ImportFrom) and constant in (alias.asname or alias.name for alias in node.names):
            home = importlib.util.resolve_name("." * node.level + (node.module or ""), package.__package__ or name)
            return ModuleAnalyzer.for_module(home).find_attr_docs().get(("", constant), [])
    return []


def told_by_class(value: object) -> list[str]:
    """Let a value that says nothing about itself be told by its class, where that is one of ours."""
    ours = type(value).__module__.startswith("crmbridge.")
    return (inspect.getdoc(type(value)) or "").splitlines() if ours else []


def rewrite(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Change a docstring in place, as autodoc asks of those who change one."""
    package, _, constant = name.rpartition(".")
    if what == "data":
        lines[:] = told_at_home(package, constant) or lines or told_by_class(obj)
    lines[:] = as_literals("\n".join(lines)).split("\n")


def skip(app: Sphinx, what: str, name: str, obj: object, skipped: bool, options: object) -> bool | None:
    """Leave out what only annotations need."""
    return True if isinstance(obj, TypeVar) else None


def setup(app: Sphinx) -> dict[str, Any]:
    """Have every docstring rewritten before it is parsed."""
    app.connect("autodoc-process-docstring", rewrite)
    app.connect("autodoc-skip-member", skip)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
