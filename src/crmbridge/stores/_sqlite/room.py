"""Room on the disk that is kept beside a state file, so that a lease can be given back where there is none left."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

ROOM: Final = 64 * 1024
"""Bytes: a page or two of the log, and what its index grows by at a time."""

_OWNER_ONLY: Final = 0o600
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def keep(state: Path) -> bool:
    """Keep room beside a state file, unless it is kept already; gives False where the disk has none."""
    beside = _beside(state)
    with suppress(OSError):
        if beside.stat().st_size >= ROOM:
            return True
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT, _OWNER_ONLY), "wb") as file:
            file.write(bytes(ROOM))
    except OSError as error:
        give(state)
        # Where files cannot be made at all, a commit says so better.
        return error.errno not in _FULL
    return True


def give(state: Path) -> None:
    """Give the room back to the disk."""
    with suppress(OSError):
        _beside(state).unlink()


def _beside(state: Path) -> Path:
    return state.with_name(f"{state.name}-room")
