"""Policies for fields that hold many values."""

from __future__ import annotations

import attrs

from ..model import Cell, Missing, Side, Unsettled, is_blank, other
from ..protocols import Carry, FieldState, Resolution, Settle
from ..reasons import Code, because
from ._common import on_side
from ._held import held_in


def _elements(value: Cell | Missing | Unsettled) -> tuple[Cell, ...]:
    held = held_in(value)
    if is_blank(held):
        return ()
    return held if isinstance(held, tuple) else (held,)


def _together(elements: tuple[Cell, ...], like: Cell) -> Cell:
    """Put elements into a set, or into the single value of a field that holds one."""
    if len(elements) == 1 and not isinstance(like, tuple):
        return elements[0]
    return elements or None  # type: ignore[return-value]


@attrs.frozen
class Union:
    """Of many values: all of them, less what either side removed, plus what either side added."""

    @property
    def name(self) -> str:
        """Name the policy."""
        return "union"

    def resolve(self, state: FieldState) -> Resolution:
        """Judge one field, by element."""
        left, right = _elements(state.left), _elements(state.right)
        removed: set[Cell] = set()
        if not state.first:
            removed.update(set(_elements(state.left_agreed)).difference(left))
            removed.update(set(_elements(state.right_agreed)).difference(right))
        kept = tuple(dict.fromkeys(element for element in (*left, *right) if element not in removed))
        why = because(Code.POLICY, policy=self.name)
        for value in (state.left, state.right):
            if set(_elements(value)) == set(kept):
                return Settle(value, why)
        return Settle(_together(kept, state.left if not is_blank(state.left) else state.right), why)


@attrs.frozen
class LastValue:
    """Policy for one side that holds many values and one that holds a single one: what was added last crosses (AE-34).

    The answer `crmbridge.preflight.last_value` is another thing: it stands in where the target would refuse several.
    Nothing is taken away from the side that holds many; a single value that a person wrote is added to it.
    """

    @property
    def name(self) -> str:
        """Name the policy."""
        return "last_value"

    def resolve(self, state: FieldState) -> Resolution:
        """Judge one field."""
        many: Side = "left" if isinstance(state.left, tuple) or not isinstance(state.right, tuple) else "right"
        single = other(many)
        held, agreed = (state.left, state.left_agreed) if many == "left" else (state.right, state.right_agreed)
        elements, before = _elements(held), _elements(agreed)
        alone = on_side(state, single)
        why = because(Code.POLICY, policy=self.name)
        many_changed = state.left_changed if many == "left" else state.right_changed
        if not is_blank(alone) and (not many_changed or (state.first and not elements)):
            return Carry((*(e for e in elements if e != alone), alone), many, why)  # type: ignore[arg-type]
        added = [element for element in elements if element not in before]
        last = added[-1] if added else (elements[-1] if elements else None)
        return Carry(last, single, why)


union = Union()
last_value = LastValue()
