"""Policies for fields that hold many values."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from ..model import Cell, Missing, Side, Unsettled, is_blank, other
from ..protocols import Amend, Carry, FieldState, Resolution, Settle
from ..reasons import Code, because
from ._common import on_side
from ._held import held_in

Elements = tuple[Cell, ...]
Form = Callable[[Cell], object]


def _elements(value: Cell | Missing | Unsettled) -> Elements:
    held = held_in(value)
    if is_blank(held):
        return ()
    return held if isinstance(held, tuple) else (held,)


def _agreed(state: FieldState, side: Side) -> Elements:
    """Give what a side held when both agreed; at first contact nothing, so that all it holds was added."""
    if state.first:
        return ()
    return _elements(state.left_agreed if side == "left" else state.right_agreed)


def _together(elements: Elements, side: Side, state: FieldState) -> Cell:
    """Put elements into a set, or into the single value of a side that holds one."""
    single = state.many == other(side)
    if state.many is None:
        held = on_side(state, side)
        single = not isinstance(on_side(state, other(side)) if is_blank(held) else held, tuple)
    if len(elements) == 1 and single:
        return elements[0]
    return elements or None  # type: ignore[return-value]


@attrs.frozen
class _Edits:
    """What became of one side's elements since both agreed."""

    held: Elements
    added: Elements
    removed: frozenset[object]
    """In the form that both systems store."""

    def taking(self, there: _Edits, form: Form) -> Elements:
        """Give what this side holds once it has taken over what the other one removed and added."""
        own = {form(element) for element in self.added}
        gone = there.removed - own
        kept = [element for element in self.held if form(element) not in gone]
        known = {form(element) for element in kept}
        return (*kept, *(e for e in there.added if form(e) not in known))


def _edits(state: FieldState, side: Side) -> _Edits:
    held, agreed = _elements(on_side(state, side)), _agreed(state, side)
    before, now = set(agreed), set(held)
    # One of two that the other side stores as one has not gone from there with the other of them.
    stay = {state.form(element) for element in held if element in before}
    removed = frozenset(state.form(element) for element in agreed if element not in now) - stay
    return _Edits(held, tuple(element for element in held if element not in before), removed)


@attrs.frozen
class Union:
    """Of many values: what either side adds or removes is added to, or removed from, the other; at first contact all.

    Each side is compared with what it held itself when both agreed. So what the two were left to differ in, by an undo
    or by another policy, stays so until somebody adds or removes it; what one adds while the other removes it is there.
    """

    @property
    def name(self) -> str:
        """Name the policy."""
        return "union"

    def resolve(self, state: FieldState) -> Resolution:
        """Judge one field, by element."""
        left, right = _edits(state, "left"), _edits(state, "right")
        to_left, to_right = left.taking(right, state.form), right.taking(left, state.form)
        if set(to_left) == set(to_right):
            # In one order, and in that of a side which holds them all already.
            whole = (held for held in (left.held, right.held) if set(held) == set(to_left))
            to_left = to_right = next(whole, to_left)
        why = because(Code.POLICY, policy=self.name)
        one = state.left if set(to_left) == set(left.held) else _together(to_left, "left", state)
        two = state.right if set(to_right) == set(right.held) else _together(to_right, "right", state)
        return Settle(one, why) if one == two or (is_blank(one) and is_blank(two)) else Amend(one, two, why)


def _guessed(state: FieldState) -> Side:
    """Tell by the values which side holds many, where the fields are not known."""
    left, right = ((state.left, state.left_agreed), (state.right, state.right_agreed))
    several = [any(isinstance(held_in(value), tuple) for value in side) for side in (left, right)]
    return "right" if several == [False, True] else "left"


@attrs.frozen
class LastValue:
    """Policy for one side that holds many values and one that holds a single one: what was added last crosses (AE-34).

    The answer `crmbridge.preflight.last_value` is another thing: it stands in where the target would refuse several.
    Nothing is taken away from the side that holds many; a single value that a person wrote is added to it, and crosses
    no more where both sides added one. Where none was added, the single value stays while it is among the many, or was
    agreed to be blank; else the last of those that are left takes its place.
    """

    @property
    def name(self) -> str:
        """Name the policy."""
        return "last_value"

    def resolve(self, state: FieldState) -> Resolution:
        """Judge one field."""
        many = state.many or _guessed(state)
        single = other(many)
        elements, alone = _elements(on_side(state, many)), on_side(state, single)
        before = set(_agreed(state, many))
        added = [element for element in elements if element not in before]
        forms = {state.form(element): element for element in elements}
        changed = state.left_changed if single == "left" else state.right_changed
        written = _elements(alone) if changed else ()
        lacking = [element for element in written if state.form(element) not in forms]
        why = because(Code.POLICY, policy=self.name)
        if written and not added:
            last = forms.get(state.form(written[-1]), written[-1])
            return Carry((*(e for e in (*elements, *lacking) if e != last), last), many, why)  # type: ignore[arg-type]
        if added and lacking:
            # The last one stays the last.
            last = added[-1]
            whole: Cell = (*(e for e in (*elements, *lacking) if e != last), last)  # type: ignore[assignment]
            return Amend(whole, last, why) if many == "left" else Amend(last, whole, why)
        stays = not added and not changed and (is_blank(alone) or state.form(alone) in forms)
        last = added[-1] if added else elements[-1] if elements else None
        return Carry(alone if stays else last, single, why)


union = Union()
"""Of fields of many values: what either side adds or removes, the other does too; at first contact both hold all."""
last_value = LastValue()
"""Between a field of many values and one of a single value: what was added last crosses."""
