"""What becomes of a value that its target would refuse: four answers beside `reject`, each a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import attrs

from ..model import Cell, FieldSpec, FieldType, Missing, Side
from ..reasons import Code, Reason
from ._cut import cut, cut_anywhere
from ._judging import problem
from ._rejecting import Answer, Form, Passed, Refused, as_it_is

_MANY = frozenset({FieldType.CHOICES})


@attrs.frozen
class Truncate:
    """A text that is too long is cut to what fits, between two signs; any other trouble is a rejection.

    An e-mail address or a choice is never cut: the rest of it would be another one.
    """

    name = "truncate"

    def answer(self, refused: Refused) -> Passed | None:
        """Cut the text."""
        spec, value = refused.spec, refused.value
        if spec.type is not FieldType.TEXT or not isinstance(value, str):
            return None
        rest = cut(value, spec)
        return refused.instead(rest, Code.TRUNCATED) if rest else None

    def form(self, left: FieldSpec | None, right: FieldSpec | None) -> Form:
        """Cut to what both fields hold."""
        return _cutting(cut, left, right)

    def by_itself(self, left: FieldSpec | None, right: FieldSpec | None) -> Form:
        """Give the function that makes a value and a system's own cut of it equal, wherever that one fell."""
        return _cutting(cut_anywhere, left, right)


def _cutting(how: Callable[[str, FieldSpec], str], left: FieldSpec | None, right: FieldSpec | None) -> Form:
    texts = [spec for spec in (left, right) if spec is not None and spec.type is FieldType.TEXT]

    def cut_to_fit(value: Cell) -> Cell:
        for spec in texts if isinstance(value, str) else ():
            value = how(cast("str", value), spec)
        return value

    return cut_to_fit


@attrs.frozen
class Clear:
    """The target is left without a value; a field that is required is a rejection.

    At first contact a value that is there already stays: nothing is cleared that was never agreed.
    """

    name = "clear"

    def answer(self, refused: Refused) -> Passed | None:
        """Empty the field."""
        return refused.instead(None, Code.CLEARED)

    def form(self, left: FieldSpec | None, right: FieldSpec | None) -> Form:
        """Leave values as they are."""
        return as_it_is


@attrs.frozen
class Mapped:
    """A text that would be refused is replaced from a table; one that the table lacks is a rejection.

    Of several choices, those that are refused are replaced. Towards the left the table is read the other way.
    """

    name = "map"
    table: Mapping[str, str] = attrs.field(repr=False)

    @property
    def both_ways(self) -> bool:
        """Say whether the table can be read either way: no value stands in it twice, on either side of it."""
        values = set(self.table.values())
        return len(values) == len(self.table) and not values & self.table.keys()

    def answer(self, refused: Refused) -> Passed | None:
        """Look the value up."""
        table = self.table if refused.towards == "right" else {new: old for old, new in self.table.items()}
        replaced = _replaced(refused.value, table, refused.spec)
        return None if replaced == refused.value else refused.instead(replaced, Code.MAPPED)

    def form(self, left: FieldSpec | None, right: FieldSpec | None) -> Form:
        """Replace what the right refuses."""
        return lambda value: _replaced(value, self.table, right)


def _replaced(value: Cell, table: Mapping[str, str], spec: FieldSpec | None) -> Cell:
    if spec is None:
        return value
    if isinstance(value, str):
        # Half of the trouble is not the value's own: an element of a set is judged as the field would judge it alone.
        alone = attrs.evolve(spec, type=FieldType.CHOICE) if spec.type in _MANY else spec
        return table[value] if value in table and problem(alone, value, creating=True) is not None else value
    if isinstance(value, tuple):
        return tuple(dict.fromkeys(cast("str", _replaced(element, table, spec)) for element in value))
    return value


@attrs.frozen
class LastValue:
    """Answer for a field that holds one value: the last of several is sent; which value lives on is for a policy.

    The policy `crmbridge.policies.last_value` is asked about both sides first, and this about what it chose.
    A single value goes to a field of many by being added to what is there: nothing is taken away.
    """

    name = "last_value"

    def answer(self, refused: Refused) -> Passed | None:
        """Take the last value, or add a single one."""
        value, held = refused.value, refused.held
        if isinstance(value, tuple) and refused.spec.type not in _MANY:
            return refused.instead(value[-1], Code.LAST_OF_SEVERAL)
        if isinstance(value, str) and refused.spec.type in _MANY:
            there = tuple(str(element) for element in held) if isinstance(held, tuple) else ()
            return refused.instead((*(element for element in there if element != value), value), Code.LAST_OF_SEVERAL)
        return None

    def form(self, left: FieldSpec | None, right: FieldSpec | None) -> Form:
        """Take the last value, where one of the two fields holds one only."""
        if {spec is not None and spec.type in _MANY for spec in (left, right)} != {True, False}:
            return as_it_is
        return lambda value: value[-1] if isinstance(value, tuple) and value else value


truncate: Answer = Truncate()
clear: Answer = Clear()
last_value: Answer = LastValue()


def map(table: Mapping[str, str]) -> Answer:
    """Replace a text that would be refused by what the table says, as `{"製造業": "Manufacturing"}`."""
    return Mapped(dict(table))


def passed(
    spec: FieldSpec | None, value: Cell, answer: Answer, *, held: Cell | Missing, towards: Side, creating: bool
) -> Passed | Reason:
    """Give what may be sent to a field, or the reason why nothing may."""
    why = None if spec is None else problem(spec, value, creating=creating)
    if spec is None or why is None:
        return Passed(value)
    return answered(spec, value, why, answer, held=held, towards=towards, creating=creating)


def answered(
    spec: FieldSpec,
    value: Cell,
    why: Reason,
    answer: Answer,
    *,
    held: Cell | Missing,
    towards: Side,
    creating: bool,
) -> Passed | Reason:
    """Give what is sent instead of a value that would be refused, or the reason why nothing is."""
    made = answer.answer(Refused(spec, value, held, towards, why))
    return why if made is None or problem(spec, made.value, creating=creating) is not None else made
