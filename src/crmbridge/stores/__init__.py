"""Where state is kept: a file (`SqliteStore`), a server of several machines (`PostgresStore`), memory (`MemoryStore`).

`FingerprintStore` keeps any of them free of values.

Importing this package loads none of them; each name is loaded when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .fingerprint import FingerprintStore
    from .memory import MemoryStore
    from .postgres import PostgresStore
    from .sqlite import SqliteStore

__all__ = ["FingerprintStore", "MemoryStore", "PostgresStore", "SqliteStore"]


def __getattr__(name: str) -> type[FingerprintStore | MemoryStore | PostgresStore | SqliteStore]:
    if name == "FingerprintStore":
        from .fingerprint import FingerprintStore

        return FingerprintStore
    if name == "MemoryStore":
        from .memory import MemoryStore

        return MemoryStore
    if name == "PostgresStore":
        from .postgres import PostgresStore

        return PostgresStore
    if name == "SqliteStore":
        from .sqlite import SqliteStore

        return SqliteStore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
