"""Policies by which one of two changes wins, or a person decides."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import attrs

from .. import _stated
from ..model import SIDES, Side
from ..protocols import Ask, FieldState, Resolution
from ..reasons import Code, because
from ._common import fill, one_sided, take

_FIVE_SECONDS = dt.timedelta(seconds=5)


@attrs.frozen
class Wins:
    """Where both sides changed, one side's value lives on, blank included; a change on one side alone crosses.

    At first contact a blank side is filled, and where both hold a value this side's lives on.
    """

    side: Side

    @property
    def name(self) -> str:
        """Name the policy."""
        return f"{self.side}_wins"

    def resolve(self, state: FieldState) -> Resolution:
        """Judge one field."""
        return one_sided(state) or fill(state) or take(state, self.side, because(Code.POLICY, policy=self.name))


@attrs.frozen
class Always:
    """One side is the master: its value lives on, blank included, and an edit on the other side alone goes back.

    Only at first contact a master that is blank takes what the other side holds.
    """

    side: Side

    @property
    def name(self) -> str:
        """Name the policy."""
        return f"{self.side}_always"

    def resolve(self, state: FieldState) -> Resolution:
        """Judge one field."""
        return fill(state) or take(state, self.side, because(Code.POLICY, policy=self.name))


@attrs.frozen
class NewestWins:
    """Where both sides changed, the later change lives on.

    The time is the field's own where known, else the record's. A time that is not known (our own write was the last)
    or that is closer than *tolerance* to the other goes to the declared side.
    """

    otherwise: Side
    tolerance: dt.timedelta = _FIVE_SECONDS

    @property
    def name(self) -> str:
        """Name the policy."""
        return f"newest_wins(otherwise={self.otherwise})"

    def resolve(self, state: FieldState) -> Resolution:
        """Judge one field."""
        found = one_sided(state) or fill(state)
        if found is not None:
            return found
        side, how = self.otherwise, "otherwise"
        if state.left_at is not None and state.right_at is not None:
            ahead = state.left_at - state.right_at
            if abs(ahead) > self.tolerance:
                side, how = ("left" if ahead > dt.timedelta(0) else "right"), "newer"
        return take(state, side, because(Code.POLICY, policy=self.name, by=how))


@attrs.frozen
class AskAPerson:
    """Where both sides changed, a person decides; a change on one side alone crosses."""

    @property
    def name(self) -> str:
        """Name the policy."""
        return "ask_a_person"

    def resolve(self, state: FieldState) -> Resolution:
        """Judge one field."""
        return one_sided(state) or fill(state) or Ask(because(Code.BOTH_CHANGED, policy=self.name))


left_wins = Wins("left")
"""Where both sides have changed, the left value lives on; an edit of one side crosses, whichever it is."""
right_wins = Wins("right")
"""Where both sides have changed, the right value lives on; an edit of one side crosses, whichever it is."""
left_always = Always("left")
"""The left value lives on; what the right side changes goes back. A left that is blank at first contact is filled."""
right_always = Always("right")
"""The right value lives on; what the left side changes goes back. A right that is blank at first contact is filled."""
ask_a_person = AskAPerson()
"""Where both sides have changed, a person decides."""


def newest_wins(*, otherwise: Literal["left", "right"], tolerance: dt.timedelta = _FIVE_SECONDS) -> NewestWins:
    """Let the later change live on; *otherwise* is the side for times that are unknown, or closer than *tolerance*.

    That is five seconds by default. A change on one side alone crosses, and at first contact a blank side is filled.
    Raises `UsageError` for an *otherwise* that is no side, and for a *tolerance* below zero.
    """
    _stated.word("newest_wins", "otherwise", otherwise, SIDES, hint="a system is named by its side of the pipeline")
    _stated.span("newest_wins", "tolerance", tolerance)
    return NewestWins(otherwise, tolerance)
