"""What a side held when both agreed."""

from __future__ import annotations

from ..model import Cell, Missing, Unsettled


def held_in(value: Cell | Missing | Unsettled) -> Cell:
    """Tell what a side held; nothing where nothing was agreed."""
    if isinstance(value, Missing):
        return None
    return value.sent if isinstance(value, Unsettled) else value
