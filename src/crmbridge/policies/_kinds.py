"""What may be said of a policy without asking it about a field."""

from __future__ import annotations

from ..protocols import FieldPolicy
from ._made_of import FilledBeatsBlank, NeverClear, OncePerLink, has_part, parts_of
from ._many import LastValue, Union
from ._staying import Monotone, OnlyIfEmpty, OnlyOnCreate, WriteOnce
from ._winning import Always, AskAPerson, NewestWins, Wins

_COMPARING = (
    Always,
    AskAPerson,
    FilledBeatsBlank,
    Monotone,
    NeverClear,
    NewestWins,
    OncePerLink,
    OnlyIfEmpty,
    OnlyOnCreate,
    Wins,
)
"""Policies that ask of an old value at most whether the value of today is another one."""


def only_compares(policy: FieldPolicy) -> bool:
    """Say whether a policy works without old values, those that it is made of aside."""
    return isinstance(policy, _COMPARING)


def lets_cross(policy: FieldPolicy) -> bool:
    """Say whether a policy lets any change on one side alone cross: then it need not be asked about one."""
    return isinstance(policy, (Wins, NewestWins, AskAPerson))


def lets_values_cross(policy: FieldPolicy) -> bool:
    """Say whether a policy lets any change on one side alone cross where neither side is blank."""
    if isinstance(policy, (FilledBeatsBlank, NeverClear)):
        return lets_values_cross(policy.policy)
    return lets_cross(policy)


def never_empties(policy: FieldPolicy) -> bool:
    """Say whether a policy, or one that it is made of, promises that no filled field is emptied."""
    return has_part(policy, FilledBeatsBlank, NeverClear, OnlyIfEmpty, WriteOnce)


def asks_what_was(policy: FieldPolicy) -> bool:
    """Say whether a policy, or one that it is made of, works with what the right held when both agreed.

    One that holds on to the first value finds that on the left, too.
    """
    return any(not isinstance(part, (*_COMPARING, WriteOnce)) for part in parts_of(policy))


def weighs_elements(policy: FieldPolicy) -> bool:
    """Say whether a policy, or one that it is made of, compares single values of one side with those of the other."""
    return has_part(policy, Union, LastValue)
