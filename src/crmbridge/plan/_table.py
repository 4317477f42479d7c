"""The whole of a synchronisation as data: state on the left × state on the right → one move."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import attrs


class State(enum.Enum):
    """How a record stands on one side."""

    NONE = "none"
    """No link, and a complete look found nothing."""
    SAME = "same"
    """Every paired field equals its half of the agreement, exactly."""
    CHANGED = "changed"
    """Some field differs; or unlinked and present."""
    GONE = "gone"
    """Deleted, linked or not. Merged and moved records are followed before the table is asked."""
    UNKNOWN = "unknown"
    """In doubt, read too early, or not read."""


class Move(enum.Enum):
    """What to do about a pair of records."""

    NOTHING = "nothing"
    CREATE_LEFT = "create left"
    CREATE_RIGHT = "create right"
    MERGE = "merge by field"
    REMOVE_LEFT = "remove left"
    REMOVE_RIGHT = "remove right"
    REVIVE_LEFT = "revive left"
    REVIVE_RIGHT = "revive right"
    ASK = "ask a person"
    CLOSE = "close the link"
    HOLD = "hold"


Removal: TypeAlias = Literal["detach", "archive", "delete"]
"""What becomes of the survivor. `detach`: the link closes; it is neither written nor made again, and only another record
that carries its keys may be tied to it.
"""

IfEdited: TypeAlias = Literal["ask", "revive", "remove"]
"""What if the survivor was edited meanwhile."""


@attrs.frozen
class Deletes:
    """What becomes of the left record when the right one is gone, and the reverse."""

    left: Removal = "detach"
    right: Removal = "detach"
    if_edited: IfEdited = "ask"


_FIXED: Final[Mapping[tuple[State, State], Move]] = {
    (State.NONE, State.NONE): Move.NOTHING,
    (State.CHANGED, State.NONE): Move.CREATE_RIGHT,
    (State.NONE, State.CHANGED): Move.CREATE_LEFT,
    (State.SAME, State.SAME): Move.NOTHING,
    (State.CHANGED, State.SAME): Move.MERGE,
    (State.SAME, State.CHANGED): Move.MERGE,
    (State.CHANGED, State.CHANGED): Move.MERGE,
    (State.GONE, State.NONE): Move.NOTHING,
    (State.NONE, State.GONE): Move.NOTHING,
    (State.GONE, State.GONE): Move.CLOSE,
}

_EDITED: Final[Mapping[IfEdited, tuple[Move, Move]]] = {
    "ask": (Move.ASK, Move.ASK),
    "revive": (Move.REVIVE_LEFT, Move.REVIVE_RIGHT),
    "remove": (Move.REMOVE_RIGHT, Move.REMOVE_LEFT),
}


def moves(deletes: Deletes, *, makes_left: bool = True, makes_right: bool = True) -> Mapping[tuple[State, State], Move]:
    """Give the decision table for a pipeline's deletion setting, and for the sides on which it makes records.

    Where none are made, nothing is made again: a person is asked. Pairs that cannot be met (a side that equals an agreement beside one that was never linked) have no row.
    """
    rows = dict(_FIXED)
    survivors = ((State.SAME, _EDITED["remove"]), (State.CHANGED, _EDITED[deletes.if_edited]))
    makes = {Move.REVIVE_LEFT: makes_left, Move.REVIVE_RIGHT: makes_right}
    for state, answers in survivors:
        left_gone, right_gone = (move if makes.get(move, True) else Move.ASK for move in answers)
        rows[State.GONE, state] = Move.CLOSE if deletes.right == "detach" else left_gone
        rows[state, State.GONE] = Move.CLOSE if deletes.left == "detach" else right_gone
    return rows | {(a, b): Move.HOLD for a in State for b in State if State.UNKNOWN in (a, b)}
