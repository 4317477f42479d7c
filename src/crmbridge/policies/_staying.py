"""Policies under which a value stays once it is there."""

from __future__ import annotations

import attrs

from ..model import MISSING, Cell, is_blank
from ..protocols import FieldState, Leave, Resolution, Settle
from ..reasons import Code, because
from ._common import fill, one_sided, take
from ._held import held_in

_ONLY_IF_EMPTY = because(Code.POLICY, policy="only_if_empty")
_LEFT_UNLESS_EMPTY = Leave(because(Code.LEFT_AS_IT_IS, policy="only_if_empty"))
_LEFT_ONCE_CREATED = Leave(because(Code.LEFT_AS_IT_IS, policy="only_on_create"))


@attrs.frozen
class OnlyIfEmpty:
    """Write only into a blank; a filled field is left as it is, whatever the other side holds.

    One that was emptied since the last run is left empty; a later edit of the other side fills it.
    """

    @property
    def name(self) -> str:
        """Name the policy."""
        return "only_if_empty"

    def resolve(self, state: FieldState) -> Resolution:
        """Judge one field."""
        left, right = state.left, state.right
        if is_blank(left) == is_blank(right):
            return _LEFT_UNLESS_EMPTY
        cleared = not state.first and (state.left_changed if is_blank(left) else state.right_changed)
        if cleared:
            return _LEFT_UNLESS_EMPTY
        return Settle(right if is_blank(left) else left, _ONLY_IF_EMPTY)


@attrs.frozen
class OnlyOnCreate:
    """Write when the record is made, and never after."""

    @property
    def name(self) -> str:
        """Name the policy."""
        return "only_on_create"

    def resolve(self, state: FieldState) -> Resolution:
        """Judge one field."""
        return _LEFT_ONCE_CREATED


@attrs.frozen
class WriteOnce:
    """The first value that is not blank stays, and goes back where it was changed or emptied.

    Where both sides hold one at first contact, it is the left's.
    """

    @property
    def name(self) -> str:
        """Name the policy."""
        return "write_once"

    def resolve(self, state: FieldState) -> Resolution:
        """Judge one field."""
        why = because(Code.POLICY, policy=self.name)
        for value in map(held_in, (state.left_agreed, state.right_agreed, state.left, state.right)):
            if not is_blank(value):
                return Settle(value, why)
        return take(state, "left", why)


@attrs.frozen
class Monotone:
    """The value moves towards one end only and never back: an opt-out stays an opt-out."""

    towards: Cell
    _reached: Settle = attrs.field(
        init=False,
        eq=False,
        repr=False,
        default=attrs.Factory(
            lambda policy: Settle(policy.towards, because(Code.POLICY, policy=policy.name)), takes_self=True
        ),
    )

    @property
    def name(self) -> str:
        """Name the policy."""
        return f"monotone(towards={str(self.towards).lower()})"

    def resolve(self, state: FieldState) -> Resolution:
        """Judge one field from all four values."""
        for value in (state.left, state.right, state.left_agreed, state.right_agreed):
            if value is not MISSING and held_in(value) == self.towards:
                return self._reached
        return one_sided(state) or fill(state) or Settle(state.left, self._reached.because)


only_if_empty = OnlyIfEmpty()
"""Only a blank is written into; one that was emptied since the last run waits for a later edit of the other side."""
only_on_create = OnlyOnCreate()
"""The field is written when its record is made, and never after; one that is there already keeps what it holds."""
write_once = WriteOnce()
"""The first value that is not blank stays on both sides; where both hold one at first contact, the left's."""


def monotone(*, towards: Cell) -> Monotone:
    """Let a value move one way only: once either side holds *towards*, both do for good, as with an opt-out.

    Until then a change on one side alone crosses, and where both changed the left value lives on.
    """
    return Monotone(towards)
