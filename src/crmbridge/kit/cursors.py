"""Cursors: where reading goes on, as a small JSON text of which nobody but its connector knows the inside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..errors import UsageError
from .shapes import is_table

_VERSION = 1


def seal(**parts: str | bool | None) -> str:
    """Make a cursor of named parts; a part that is None, False or empty is left out."""
    kept = {name: part for name, part in parts.items() if part}
    return json.dumps({"v": _VERSION, **kept}, separators=(",", ":"), sort_keys=True)


def open_cursor(system: str, cursor: str | None) -> Mapping[str, Any]:
    """Read the parts of a cursor; None has none.

    Raises UsageError for a text that `seal` did not make, since reading from a wrong place skips changes in silence.
    """
    if cursor is None:
        return {}
    try:
        parts: Any = json.loads(cursor)
    except (ValueError, RecursionError):
        parts = None
    if not is_table(parts) or parts.pop("v", None) != _VERSION or not all(map(_is_part, parts.values())):
        raise UsageError(f"{system}: the cursor was not made by this connector")
    return parts


def _is_part(part: Any) -> bool:
    return isinstance(part, str) or part is True
