"""What an answer of a policy writes to either side: pure."""

from __future__ import annotations

from typing import TypeAlias

from ..model import MISSING, Cell, Missing
from ..protocols import Amend, Carry, Leave, Settle
from ._same import differs

Sent: TypeAlias = "Cell | Missing"


def sent(verdict: Settle | Carry | Amend | Leave, left: Cell, right: Cell) -> tuple[Sent, Sent]:
    """Give what goes to the left and to the right, in the left's terms; `MISSING` where a side holds it already."""
    to_left, to_right = left, right
    match verdict:
        case Settle(value=value):
            to_left, to_right = value, value
        case Carry(value=value, towards=towards):
            to_left, to_right = (value, right) if towards == "left" else (left, value)
        case Amend():
            to_left, to_right = verdict.left, verdict.right
        case Leave():
            pass
    return to_left if differs(to_left, left) else MISSING, to_right if differs(to_right, right) else MISSING
