"""The comparison of a pair with its agreement, as code that is generated for the number of its fields.

A loop would cost as much as everything else that is decided about a pair of which one field has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from ..model import Cell, Missing

Cells: TypeAlias = "tuple[Cell | Missing, ...]"

Comparison: TypeAlias = Callable[[Cells, Cells, Cells, Cells], Sequence[int]]
"""Takes the left, the right, and the agreed half of each."""


def comparison(width: int) -> Comparison:
    """Make the function that gives the places at which a side differs from its half of the agreement, in order."""
    lines = ["def moved(left, right, agreed_left, agreed_right):", " found = []"]
    lines.extend(
        f" if left[{place}] != agreed_left[{place}] or right[{place}] != agreed_right[{place}]: found.append({place})"
        for place in range(width)
    )
    lines.append(" return found")
    made: dict[str, Comparison] = {}
    exec("\n".join(lines), made)  # noqa: S102 - numbers are all that is put into it
    return made["moved"]
