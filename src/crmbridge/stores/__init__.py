"""Where state is kept: a file by default (`SqliteStore`), memory in tests (`MemoryStore`).

Importing this package loads neither; each name is loaded when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .memory import MemoryStore
    from .sqlite import SqliteStore

__all__ = ["MemoryStore", "SqliteStore"]


def __getattr__(name: str) -> type[MemoryStore | SqliteStore]:
    if name == "MemoryStore":
        from .memory import MemoryStore

        return MemoryStore
    if name == "SqliteStore":
        from .sqlite import SqliteStore

        return SqliteStore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
