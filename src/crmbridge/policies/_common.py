"""What policies have in common: a blank at first contact, and a change on one side alone."""

from __future__ import annotations

from ..model import MISSING, Cell, Side, is_blank
from ..protocols import FieldState, Settle
from ..reasons import Code, Reason, because

_ONE_SIDED = because(Code.ONE_SIDED)
_FIRST_CONTACT = because(Code.FIRST_CONTACT)


def on_side(state: FieldState, side: Side) -> Cell:
    """Take a side's value."""
    return state.left if side == "left" else state.right


def take(state: FieldState, side: Side, why: Reason) -> Settle:
    """Let a side's value live on."""
    return Settle(on_side(state, side), why)


def fill(state: FieldState) -> Settle | None:
    """At first contact a filled value goes to the blank side: a blank was never a clear."""
    if not state.first:
        return None
    left, right = state.left, state.right
    if is_blank(left) == is_blank(right):
        return None
    return Settle(right if is_blank(left) else left, _FIRST_CONTACT)


def one_sided(state: FieldState) -> Settle | None:
    """Let the only change cross; None where both sides changed, neither did, or nothing was agreed."""
    # By far the most frequent answer of all: so the state's own properties, which say the same, are not called.
    left, right, left_agreed, right_agreed = state.left, state.right, state.left_agreed, state.right_agreed
    if left_agreed is MISSING or right_agreed is MISSING:
        return None
    left_changed = left != left_agreed
    if left_changed == (right != right_agreed):
        return None
    return Settle(left if left_changed else right, _ONE_SIDED)
