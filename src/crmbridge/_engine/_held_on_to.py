"""What an undo never takes back: a value that the policy of its field holds on to, as an opt-out."""

from __future__ import annotations

from collections.abc import Mapping

from ..model import Cell, Missing, Side
from ..plan import Pair, Raised, differs
from ..policies import holds_on_to
from ..protocols import FieldState, Settle
from ..reasons import Code, Reason, because
from ._halves import Half


def held_on_to(
    pair: Pair, place: int, side: Side, before: Cell, halves: Mapping[Side, Half], system: str
) -> Reason | None:
    """Say why a field cannot get back what it held before: its policy would not let the value go that it holds now.

    The policy is asked about both sides as they would stand, against what they last agreed on.
    """
    if not pair.looks_back:
        return None
    left, right = halves["left"].cells[place], halves["right"].cells[place]
    left, right = (before, right) if side == "left" else (left, before)
    try:
        there, agreed = _decoded(pair, right), _decoded(pair, halves["right"].agreed[place])
        kept = holds_on_to(pair.policy, FieldState(_read(left), _read(there), halves["left"].agreed[place], agreed))
    except (ValueError, Raised):
        return because(Code.NOT_UNDOABLE, system=system, field=pair.field(side))
    back = left if side == "left" else there
    if not isinstance(kept, Settle) or not differs(kept.value, back):
        return None
    return because(Code.NEVER_GOES_BACK, system=system, field=pair.field(side), policy=pair.policy.name)


def _decoded(pair: Pair, value: Cell | Missing) -> Cell | Missing:
    return value if isinstance(value, Missing) else pair.decode(value)


def _read(value: Cell | Missing) -> Cell:
    """Give what is known of a side; of a field that was not read, nothing is."""
    return None if isinstance(value, Missing) else value
