"""Sources and sinks that need no flow: files, tables, rows in memory, a function.

`csv`, `jsonl`, `table` and `rows` give a `Source`, `each` gives a `Sink`. Importing this package loads none of them;
each is loaded when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._each import each
    from ._jsonl import jsonl
    from ._rows import rows
    from ._table import table
    from .separated import csv

__all__ = ["csv", "each", "jsonl", "rows", "table"]

_HOMES = {"csv": "separated", "each": "_each", "jsonl": "_jsonl", "rows": "_rows", "table": "_table"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
