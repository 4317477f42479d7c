"""Makes docstrings, which are written in Markdown's light markup, readable for autodoc, which reads reStructuredText."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sphinx.application import Sphinx

CODE = re.compile(r"(?<![`\\:])`([^`]+)`(?!`)")


def as_literals(text: str) -> str:
    """Write code between single backticks as reStructuredText does: between two, and on one line."""
    return CODE.sub(lambda found: f"``{' '.join(found[1].split())}``", text)


def rewrite(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Rewrite a docstring in place, as autodoc asks of those who change one."""
    lines[:] = as_literals("\n".join(lines)).split("\n")


def setup(app: Sphinx) -> dict[str, Any]:
    """Have every docstring rewritten before it is parsed."""
    app.connect("autodoc-process-docstring", rewrite)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
