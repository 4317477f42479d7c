"""Policies that are made of another policy, and of what a policy is made."""

from __future__ import annotations

import attrs

from ..model import MISSING, is_blank
from ..protocols import Amend, Carry, FieldPolicy, FieldState, Leave, Resolution, Settle
from ..reasons import Code, because
from ._many import LastValue, Union
from ._staying import Monotone, WriteOnce


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
        left, right = state.left, state.right
        if is_blank(left) == is_blank(right):
            return _unless_blank(self.policy.resolve(state), state, self.name)
        return _remembered(self.policy, state) or _filled(self.policy, state, self.name)


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
        left, right = state.left, state.right
        if is_blank(left) == is_blank(right):
            return _unless_blank(self.policy.resolve(state), state, self.name)
        if not state.first and state.left_changed and state.right_changed:
            return _remembered(self.policy, state) or _filled(self.policy, state, self.name)
        return _unless_blank(self.policy.resolve(state), state, self.name)


def _remembered(policy: FieldPolicy, state: FieldState) -> Settle | None:
    """Give the value that a policy holds on to and neither side has; None where it holds on to none."""
    verdict = policy.resolve(state) if looks_back(policy) else None
    if not isinstance(verdict, Settle) or is_blank(verdict.value) or verdict.value in (state.left, state.right):
        return None
    return verdict


def _filled(policy: FieldPolicy, state: FieldState, name: str) -> Resolution:
    """Fill the blank side; a policy for sides that hold many values says which of them, and in which shape."""
    left, right = state.left, state.right
    why = because(Code.FILLED_BEATS_BLANK, policy=name)
    cleared = state.left_changed if is_blank(left) else state.right_changed
    # What was cleared is filled as at first contact; into what was agreed to be blank goes what is new in a set.
    new = has_part(policy, Union, LastValue) and not cleared and not has_part(policy, OncePerLink)
    shaped = policy.resolve(state if new else attrs.evolve(state, left_agreed=MISSING, right_agreed=MISSING))
    if new and isinstance(shaped, Leave):
        return Leave(because(Code.LEFT_AS_IT_IS, policy=name))
    if isinstance(shaped, Carry | Amend):
        return _unless_blank(attrs.evolve(shaped, because=why), state, name)
    return Settle(right if is_blank(left) else left, why)


def _unless_blank(verdict: Resolution, state: FieldState, policy: str) -> Resolution:
    """Let each side keep what it has, rather than a blank live on."""
    if isinstance(verdict, (Settle, Carry)) and is_blank(verdict.value):
        return Leave(because(Code.LEFT_AS_IT_IS, policy=policy))
    if isinstance(verdict, Amend):
        left = state.left if is_blank(verdict.left) else verdict.left
        return Amend(left, state.right if is_blank(verdict.right) else verdict.right, verdict.because)
    return verdict


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


def has_part(policy: FieldPolicy, *kinds: type) -> bool:
    """Say whether a policy, or one that it is made of, is of one of these kinds."""
    return any(isinstance(part, kinds) for part in parts_of(policy))


def looks_back(policy: FieldPolicy) -> bool:
    """Say whether a policy, or one that it is made of, holds on to a value that neither side may still have."""
    return has_part(policy, Monotone, WriteOnce)


def holds_on_to(policy: FieldPolicy, state: FieldState) -> Resolution | None:
    """Let the part of a policy judge that holds on to values, whatever surrounds it; None where there is no such part."""
    for part in parts_of(policy):
        if isinstance(part, Monotone | WriteOnce):
            return part.resolve(state)
    return None


def parts_of(policy: FieldPolicy) -> tuple[FieldPolicy, ...]:
    """Give a policy and those that it is made of."""
    inner = policy.policy if isinstance(policy, (FilledBeatsBlank, NeverClear, OncePerLink)) else None
    return (policy,) if inner is None else (policy, *parts_of(inner))


def filled_beats_blank(policy: FieldPolicy) -> FilledBeatsBlank:
    """Never let a blank beat a value: what one side empties is filled again from the other; else as *policy*."""
    return FilledBeatsBlank(policy)


def never_clear(policy: FieldPolicy) -> NeverClear:
    """Never empty a filled field: what is emptied on one side stays on the other, whose next edit fills it again."""
    return NeverClear(policy)


def once_per_link(policy: FieldPolicy) -> OncePerLink:
    """Cross once, as *policy*, when the records first meet, created or found; later edits stay where they are made."""
    return OncePerLink(policy)
