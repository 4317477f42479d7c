"""What a pair holds and agreed on, in the left's terms, also where its codec was changed since both agreed: pure.

A table that follows a choice which was renamed in one system does not know the old name any more, under which the choice
was agreed. What both sides agreed on were two forms of one value, so that the other half tells what the old name meant.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from ..model import MISSING, Cell, Missing, is_blank
from ..model.sealed import Sealed
from ..policies import asks_what_was
from ._pairing import Pair
from ._raised import Raised

Half: TypeAlias = "Cell | Missing"


class Understood(NamedTuple):
    """What both sides hold, and what they agreed on, in the left's terms."""

    left: Cell
    right: Cell
    left_agreed: Half
    right_agreed: Half


def understood(pair: Pair, held: tuple[Cell, Cell], agreed: tuple[Half, Half]) -> Understood:
    """Put a pair into the left's terms; of a half that the codec does not know, the other one says what it meant.

    So a side that holds its half under a new name has not changed. Where a policy asks what a value was, and nobody
    can tell any more, the two meet for the first time. Raises ValueError where the codec cannot read what the right
    holds now, and nothing else tells.
    """
    (left, right), (l0, r0) = held, agreed
    if isinstance(l0, Missing) or isinstance(r0, Missing) or pair.codec is None:
        return Understood(left, pair.decode(right), l0, r0)
    if right == r0:
        # What has not changed is not decoded twice, and could not be where a fingerprint of it is kept.
        there = _still(pair, right, l0)
        before: Half = there
    else:
        there = pair.decode(right)
        before = _before(pair, there, l0, r0)
    if isinstance(before, Missing):
        same = pair.same(left, right)
        return Understood(left, there, left, there) if same else Understood(left, there, MISSING, MISSING)
    if not is_blank(before) and not _known(pair, l0):
        return Understood(before if left == l0 else left, there, before, before)
    return Understood(left, there, l0, before)


def _still(pair: Pair, right: Cell, l0: Cell) -> Cell:
    """Read what the right holds since both agreed."""
    try:
        return pair.decode(right)
    except ValueError:
        # A blank half says that the sides were left to differ, and a set may have been, too.
        if asks_what_was(pair.policy) or is_blank(l0) != is_blank(right) or isinstance(l0, Sealed):
            raise
        return l0


def _before(pair: Pair, there: Cell, l0: Cell, r0: Cell) -> Half:
    """Read the right's half, of which the right holds something else by now."""
    try:
        return pair.decode(r0)
    except (ValueError, Raised):
        if there == l0 and not is_blank(there):
            return there
        if asks_what_was(pair.policy):
            return MISSING
        return r0 if there == l0 else l0


def _known(pair: Pair, l0: Cell) -> bool:
    """Say whether the codec knows the left's half; nobody can tell of a fingerprint."""
    try:
        _ = pair.encode(l0)
    except (ValueError, Raised):
        return isinstance(l0, Sealed)
    return True
