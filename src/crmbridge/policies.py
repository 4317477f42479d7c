"""Survivorship: which value of one field lives on.

Each policy judges a `FieldState` of which at least one side has changed, or that was never agreed. A clear counts as
a change only where something was agreed before; at first contact a filled value goes to the blank side.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Literal

import attrs

from . import _stated
from .model import MISSING, SIDES, Cell, Missing, Side, Unsettled, is_blank, other
from .protocols import Ask, Carry, FieldPolicy, FieldState, Leave, Resolution, Settle
from .reasons import Code, Reason, because

_FIVE_SECONDS = dt.timedelta(seconds=5)
_ONE_SIDED = because(Code.ONE_SIDED)
_FIRST_CONTACT = because(Code.FIRST_CONTACT)
_ONLY_IF_EMPTY = because(Code.POLICY, policy="only_if_empty")
_LEFT_UNLESS_EMPTY = Leave(because(Code.LEFT_AS_IT_IS, policy="only_if_empty"))
_LEFT_ONCE_CREATED = Leave(because(Code.LEFT_AS_IT_IS, policy="only_on_create"))


def _cell(value: Cell | Missing) -> Cell:
    """Take a value that was read; the planner asks no policy about a field that was not."""
    if value is MISSING:
        raise TypeError("a policy is not asked about a field that was not read")
    return value


def _side(state: FieldState, side: Side) -> Cell:
    return _cell(state.left if side == "left" else state.right)


def _take(state: FieldState, side: Side, why: Reason) -> Settle:
    return Settle(_side(state, side), why)


def _fill(state: FieldState) -> Settle | None:
    """At first contact a filled value goes to the blank side: a blank was never a clear."""
    if not state.first:
        return None
    left, right = _cell(state.left), _cell(state.right)
    if is_blank(left) == is_blank(right):
        return None
    return Settle(right if is_blank(left) else left, _FIRST_CONTACT)


def _one_sided(state: FieldState) -> Settle | None:
    # By far the most frequent answer of all: so the state's own properties, which say the same, are not called.
    left, right, left_agreed, right_agreed = state.left, state.right, state.left_agreed, state.right_agreed
    if left_agreed is MISSING or right_agreed is MISSING:
        return None
    left_changed = left != left_agreed
    if left_changed == (right != right_agreed):
        return None
    return Settle(_cell(left if left_changed else right), _ONE_SIDED)


@attrs.frozen
class Wins:
    """Where both sides changed, one side's value lives on, blank included; a change on one side alone crosses."""

    side: Side

    @property
    def name(self) -> str:
        """Name the policy."""
        return f"{self.side}_wins"

    def resolve(self, state: FieldState) -> Resolution:
        """Judge one field."""
        return _one_sided(state) or _fill(state) or _take(state, self.side, because(Code.POLICY, policy=self.name))


@attrs.frozen
class Always:
    """One side is the master: its value always lives on, and an edit on the other side alone goes back."""

    side: Side

    @property
    def name(self) -> str:
        """Name the policy."""
        return f"{self.side}_always"

    def resolve(self, state: FieldState) -> Resolution:
        """Judge one field."""
        return _fill(state) or _take(state, self.side, because(Code.POLICY, policy=self.name))


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
        found = _one_sided(state) or _fill(state)
        if found is not None:
            return found
        side, how = self.otherwise, "otherwise"
        if state.left_at is not None and state.right_at is not None:
            ahead = state.left_at - state.right_at
            if abs(ahead) > self.tolerance:
                side, how = ("left" if ahead > dt.timedelta(0) else "right"), "newer"
        return _take(state, side, because(Code.POLICY, policy=self.name, by=how))


@attrs.frozen
class FilledBeatsBlank:
    """A blank never beats a value, not even a blank that a person made; where both are filled, *policy* decides."""

    policy: FieldPolicy

    @property
    def name(self) -> str:
        """Name the policy."""
        return f"filled_beats_blank({self.policy.name})"

    def resolve(self, state: FieldState) -> Resolution:
        """Judge one field."""
        left, right = _cell(state.left), _cell(state.right)
        if is_blank(left) == is_blank(right):
            return _unless_blank(self.policy.resolve(state), self.name)
        remembered = _remembered(self.policy, state)
        if remembered is not None:
            return remembered
        why = because(Code.FILLED_BEATS_BLANK, policy=self.name)
        # Where one side holds many values, the policy knows which of them the blank one takes: asked as at first contact.
        shaped = self.policy.resolve(attrs.evolve(state, left_agreed=MISSING, right_agreed=MISSING))
        if isinstance(shaped, Carry):
            return Carry(shaped.value, shaped.towards, why)
        return Settle(right if is_blank(left) else left, why)


@attrs.frozen
class NeverClear:
    """As *policy*, but no write that empties a filled field: then each side keeps what it has."""

    policy: FieldPolicy

    @property
    def name(self) -> str:
        """Name the policy."""
        return f"never_clear({self.policy.name})"

    def resolve(self, state: FieldState) -> Resolution:
        """Judge one field."""
        left, right = _cell(state.left), _cell(state.right)
        if is_blank(left) == is_blank(right):
            return _unless_blank(self.policy.resolve(state), self.name)
        if not state.first and state.left_changed and state.right_changed:
            filled = Settle(right if is_blank(left) else left, because(Code.FILLED_BEATS_BLANK, policy=self.name))
            return _remembered(self.policy, state) or filled
        return _unless_blank(self.policy.resolve(state), self.name)


def _remembered(policy: FieldPolicy, state: FieldState) -> Settle | None:
    """Give the value that a policy holds on to and neither side has; None where it holds on to none."""
    verdict = policy.resolve(state) if looks_back(policy) else None
    if not isinstance(verdict, Settle) or is_blank(verdict.value) or verdict.value in (state.left, state.right):
        return None
    return verdict


def _unless_blank(verdict: Resolution, policy: str) -> Resolution:
    """Let each side keep what it has, rather than a blank live on."""
    if isinstance(verdict, (Settle, Carry)) and is_blank(verdict.value):
        return Leave(because(Code.LEFT_AS_IT_IS, policy=policy))
    return verdict


@attrs.frozen
class OnlyIfEmpty:
    """Write only into a blank; a filled field is left as it is, whatever the other side holds."""

    @property
    def name(self) -> str:
        """Name the policy."""
        return "only_if_empty"

    def resolve(self, state: FieldState) -> Resolution:
        """Judge one field."""
        left, right = _cell(state.left), _cell(state.right)
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
class OncePerLink:
    """As *policy* at the first crossing, created or adopted, and never after."""

    policy: FieldPolicy

    @property
    def name(self) -> str:
        """Name the policy."""
        return f"once_per_link({self.policy.name})"

    def resolve(self, state: FieldState) -> Resolution:
        """Judge one field."""
        if state.first:
            return self.policy.resolve(state)
        return Leave(because(Code.LEFT_AS_IT_IS, policy=self.name))


@attrs.frozen
class WriteOnce:
    """The first value that is not blank stays; where both sides hold one at first contact, the left's does."""

    @property
    def name(self) -> str:
        """Name the policy."""
        return "write_once"

    def resolve(self, state: FieldState) -> Resolution:
        """Judge one field."""
        why = because(Code.POLICY, policy=self.name)
        for value in map(_held, (state.left_agreed, state.right_agreed, state.left, state.right)):
            if not is_blank(value):
                return Settle(value, why)
        return _take(state, "left", why)


def _held(value: Cell | Missing | Unsettled) -> Cell:
    """Tell what a side held; nothing where nothing was agreed."""
    if isinstance(value, Missing):
        return None
    return value.sent if isinstance(value, Unsettled) else value


def _elements(value: Cell | Missing | Unsettled) -> tuple[Cell, ...]:
    held = _held(value)
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
                return Settle(_cell(value), why)
        return Settle(_together(kept, state.left if not is_blank(state.left) else state.right), why)  # type: ignore[arg-type]


@attrs.frozen
class LastValue:
    """Where one side holds many values and the other a single one, the value that was added last crosses (AE-34).

    Nothing is taken away from the side that holds many; a single value that a person wrote is added to it.
    """

    @property
    def name(self) -> str:
        """Name the policy."""
        return "last_value"

    def resolve(self, state: FieldState) -> Resolution:
        """Judge one field."""
        many: Side = (
            "left" if isinstance(_held(state.left), tuple) or not isinstance(_held(state.right), tuple) else "right"
        )
        single = other(many)
        held, agreed = (state.left, state.left_agreed) if many == "left" else (state.right, state.right_agreed)
        elements, before = _elements(held), _elements(agreed)
        alone = _side(state, single)
        why = because(Code.POLICY, policy=self.name)
        many_changed = state.left_changed if many == "left" else state.right_changed
        if not is_blank(alone) and (not many_changed or (state.first and not elements)):
            return Carry((*(e for e in elements if e != alone), alone), many, why)  # type: ignore[arg-type]
        added = [element for element in elements if element not in before]
        last = added[-1] if added else (elements[-1] if elements else None)
        return Carry(last, single, why)


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
            if value is not MISSING and _held(value) == self.towards:
                return self._reached
        return _one_sided(state) or _fill(state) or Settle(_cell(state.left), self._reached.because)


@attrs.frozen
class AskAPerson:
    """Where both sides changed, a person decides; a change on one side alone crosses."""

    @property
    def name(self) -> str:
        """Name the policy."""
        return "ask_a_person"

    def resolve(self, state: FieldState) -> Resolution:
        """Judge one field."""
        return _one_sided(state) or _fill(state) or Ask(because(Code.BOTH_CHANGED, policy=self.name))


@attrs.frozen
class By:
    """Any pure function of a `FieldState`."""

    name: str
    fn: Callable[[FieldState], Resolution] = attrs.field(repr=False)

    def resolve(self, state: FieldState) -> Resolution:
        """Judge one field."""
        return self.fn(state)


left_wins = Wins("left")
right_wins = Wins("right")
left_always = Always("left")
right_always = Always("right")
only_if_empty = OnlyIfEmpty()
only_on_create = OnlyOnCreate()
write_once = WriteOnce()
union = Union()
last_value = LastValue()
ask_a_person = AskAPerson()


def lets_cross(policy: FieldPolicy) -> bool:
    """Say whether a policy lets any change on one side alone cross: then it need not be asked about one."""
    return isinstance(policy, (Wins, NewestWins, AskAPerson))


def lets_values_cross(policy: FieldPolicy) -> bool:
    """Say whether a policy lets any change on one side alone cross where neither side is blank."""
    if isinstance(policy, (FilledBeatsBlank, NeverClear)):
        return lets_values_cross(policy.policy)
    return lets_cross(policy)


def has_part(policy: FieldPolicy, *kinds: type) -> bool:
    """Say whether a policy, or one that it is made of, is of one of these kinds."""
    return any(isinstance(part, kinds) for part in parts_of(policy))


def never_empties(policy: FieldPolicy) -> bool:
    """Say whether a policy, or one that it is made of, promises that no filled field is emptied."""
    return has_part(policy, FilledBeatsBlank, NeverClear, OnlyIfEmpty, WriteOnce)


def weighs_elements(policy: FieldPolicy) -> bool:
    """Say whether a policy, or one that it is made of, compares single values of one side with those of the other."""
    return has_part(policy, Union, LastValue)


def looks_back(policy: FieldPolicy) -> bool:
    """Say whether a policy, or one that it is made of, holds on to a value that neither side may still have."""
    return has_part(policy, Monotone, WriteOnce)


def parts_of(policy: FieldPolicy) -> tuple[FieldPolicy, ...]:
    """Give a policy and those that it is made of."""
    inner = policy.policy if isinstance(policy, (FilledBeatsBlank, NeverClear, OncePerLink)) else None
    return (policy,) if inner is None else (policy, *parts_of(inner))


def newest_wins(*, otherwise: Literal["left", "right"], tolerance: dt.timedelta = _FIVE_SECONDS) -> NewestWins:
    """Let the later change live on; *otherwise* is the side for times that are unknown or too close.

    Raises `UsageError` for an *otherwise* that is no side, and for a *tolerance* below zero.
    """
    _stated.word("newest_wins", "otherwise", otherwise, SIDES, hint="a system is named by its side of the pipeline")
    _stated.span("newest_wins", "tolerance", tolerance)
    return NewestWins(otherwise, tolerance)


def filled_beats_blank(policy: FieldPolicy) -> FilledBeatsBlank:
    """Never let a blank beat a value."""
    return FilledBeatsBlank(policy)


def never_clear(policy: FieldPolicy) -> NeverClear:
    """Never empty a filled field."""
    return NeverClear(policy)


def once_per_link(policy: FieldPolicy) -> OncePerLink:
    """Cross once, when the records first meet."""
    return OncePerLink(policy)


def monotone(*, towards: Cell) -> Monotone:
    """Move one way only."""
    return Monotone(towards)


def by(name: str, fn: Callable[[FieldState], Resolution]) -> By:
    """Decide by a function of your own; *name* stands in every reason."""
    return By(name, fn)


__all__ = [
    "Always",
    "AskAPerson",
    "By",
    "FilledBeatsBlank",
    "LastValue",
    "Monotone",
    "NeverClear",
    "NewestWins",
    "OncePerLink",
    "OnlyIfEmpty",
    "OnlyOnCreate",
    "Union",
    "Wins",
    "WriteOnce",
    "ask_a_person",
    "by",
    "filled_beats_blank",
    "has_part",
    "last_value",
    "left_always",
    "left_wins",
    "lets_cross",
    "lets_values_cross",
    "looks_back",
    "monotone",
    "never_clear",
    "never_empties",
    "newest_wins",
    "once_per_link",
    "only_if_empty",
    "only_on_create",
    "parts_of",
    "right_always",
    "right_wins",
    "union",
    "weighs_elements",
    "write_once",
]
