"""Gates: may this record cross, at this moment? Guards: may this sweep write?

A condition whose bound is `None` or empty is not used; a gate with nothing set admits all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

import attrs

from .model import Cell, Missing, Record, Totals, is_blank
from .protocols import Admit, Crossing, Gate, Skip
from .reasons import Code, Reason, because

_ADMIT = Admit()


def _blank(record: Record, field: str) -> bool:
    value = record.get(field)
    return isinstance(value, Missing) or is_blank(value)


@attrs.frozen
class Filled:
    """Admit a record whose fields all hold a value."""

    names: tuple[str, ...]

    @property
    def fields(self) -> frozenset[str]:
        """Name the fields to read."""
        return frozenset(self.names)

    def admit(self, crossing: Crossing) -> Admit | Skip:
        """Judge one crossing."""
        for name in self.names:
            if _blank(crossing.record, name):
                return Skip(because(Code.GATE, gate="filled", field=name))
        return _ADMIT


@attrs.frozen
class Equals:
    """Admit a record whose field holds exactly this value; a bound of None is not used."""

    field: str
    value: Cell = attrs.field(repr=False)

    @property
    def fields(self) -> frozenset[str]:
        """Name the fields to read."""
        return frozenset((self.field,))

    def admit(self, crossing: Crossing) -> Admit | Skip:
        """Judge one crossing."""
        if self.value is None or crossing.record.get(self.field) == self.value:
            return _ADMIT
        return Skip(because(Code.GATE, gate="equals", field=self.field))


@attrs.frozen
class HasAny:
    """Admit a record whose field holds at least one of these values; no values: not used."""

    field: str
    values: tuple[str, ...]

    @property
    def fields(self) -> frozenset[str]:
        """Name the fields to read."""
        return frozenset((self.field,))

    def admit(self, crossing: Crossing) -> Admit | Skip:
        """Judge one crossing."""
        held = crossing.record.get(self.field)
        elements = held if isinstance(held, tuple) else (held,)
        if not self.values or any(element in self.values for element in elements):
            return _ADMIT
        return Skip(because(Code.GATE, gate="has_any", field=self.field))


@attrs.frozen
class AtLeast:
    """Admit a record whose number is not below a bound; a bound of None is not used."""

    field: str
    bound: Decimal | int | None

    @property
    def fields(self) -> frozenset[str]:
        """Name the fields to read."""
        return frozenset((self.field,))

    def admit(self, crossing: Crossing) -> Admit | Skip:
        """Judge one crossing."""
        held = crossing.record.get(self.field)
        if self.bound is None or (isinstance(held, int | Decimal) and held >= self.bound):
            return _ADMIT
        return Skip(because(Code.GATE, gate="at_least", field=self.field))


@attrs.frozen
class Consented:
    """Admit a record whose opt-out flag is not set."""

    opted_out: str

    @property
    def fields(self) -> frozenset[str]:
        """Name the fields to read."""
        return frozenset((self.opted_out,))

    def admit(self, crossing: Crossing) -> Admit | Skip:
        """Judge one crossing."""
        if crossing.record.get(self.opted_out) is True:
            return Skip(because(Code.GATE, gate="consented", field=self.opted_out))
        return _ADMIT


@attrs.frozen
class Every:
    """Admit what all of these gates admit."""

    gates: tuple[Gate, ...]

    @property
    def fields(self) -> frozenset[str]:
        """Name the fields to read."""
        return frozenset[str]().union(*(gate.fields for gate in self.gates))

    def admit(self, crossing: Crossing) -> Admit | Skip:
        """Judge one crossing; the first refusal is the reason."""
        for gate in self.gates:
            verdict = gate.admit(crossing)
            if isinstance(verdict, Skip):
                return verdict
        return _ADMIT


@attrs.frozen
class Either:
    """Admit what one of these gates admits; no gates: admit all."""

    gates: tuple[Gate, ...]

    @property
    def fields(self) -> frozenset[str]:
        """Name the fields to read."""
        return frozenset[str]().union(*(gate.fields for gate in self.gates))

    def admit(self, crossing: Crossing) -> Admit | Skip:
        """Judge one crossing; the last refusal is the reason."""
        verdict: Admit | Skip = _ADMIT
        for gate in self.gates:
            verdict = gate.admit(crossing)
            if isinstance(verdict, Admit):
                break
        return verdict


@attrs.frozen
class Unless:
    """Admit what a gate refuses."""

    gate: Gate

    @property
    def fields(self) -> frozenset[str]:
        """Name the fields to read."""
        return self.gate.fields

    def admit(self, crossing: Crossing) -> Admit | Skip:
        """Judge one crossing."""
        if isinstance(self.gate.admit(crossing), Skip):
            return _ADMIT
        return Skip(because(Code.GATE, gate="unless", field=", ".join(sorted(self.gate.fields))))


@attrs.frozen
class By:
    """Admit by a function of your own; *name* stands in the reason."""

    name: str
    fn: Callable[[Crossing], bool] = attrs.field(repr=False)
    fields: frozenset[str] = frozenset()

    def admit(self, crossing: Crossing) -> Admit | Skip:
        """Judge one crossing."""
        return _ADMIT if self.fn(crossing) else Skip(because(Code.RULE, rule=self.name))


def filled(*fields: str) -> Gate:
    """Admit a record whose fields all hold a value."""
    return Filled(fields)


def equals(field: str, value: Cell) -> Gate:
    """Admit a record whose field holds exactly this value."""
    return Equals(field, value)


def has_any(field: str, values: Iterable[str]) -> Gate:
    """Admit a record whose field holds at least one of these values."""
    return HasAny(field, tuple(values))


def at_least(field: str, bound: Decimal | int | None) -> Gate:
    """Admit a record whose number is not below a bound."""
    return AtLeast(field, bound)


def consented(opted_out: str) -> Gate:
    """Admit a record whose opt-out flag is not set."""
    return Consented(opted_out)


def every(*gates: Gate) -> Gate:
    """Admit what all of these gates admit."""
    return Every(gates)


def either(*gates: Gate) -> Gate:
    """Admit what one of these gates admits."""
    return Either(gates)


def unless(gate: Gate) -> Gate:
    """Admit what a gate refuses."""
    return Unless(gate)


def by(name: str, fn: Callable[[Crossing], bool], *, fields: Iterable[str] = ()) -> Gate:
    """Admit by a function of your own, which reads these fields."""
    return By(name, fn, frozenset(fields))


# -- guards --------------------------------------------------------------------------


@attrs.frozen
class AtMost:
    """Object to a sweep that writes more than these; below 1 a share of the links, else a number.

    A share never means less than *floor* records: in a handful of links one deletion is a large share of them.
    """

    creates: float | None = None
    updates: float | None = None
    blanks: float | None = None
    deletes: float | None = None
    floor: int = 10

    def inspect(self, totals: Totals) -> Reason | None:
        """Judge the totals of the whole sweep."""
        found = (
            (self.creates, totals.of("create"), Code.TOO_MANY_CREATES),
            (self.updates, totals.of("update"), Code.TOO_MANY_UPDATES),
            (self.blanks, totals.blanks, Code.TOO_MANY_BLANKS),
            (self.deletes, totals.of("delete") + totals.of("archive"), Code.TOO_MANY_DELETES),
        )
        for bound, count, code in found:
            if bound is None:
                continue
            limit = max(int(bound * totals.links), self.floor) if 0 < bound < 1 else int(bound)
            if count > limit:
                return because(code, count=count, limit=limit)
        return None


@attrs.frozen
class NotEmptied:
    """Object to a sweep in which every linked record is gone from one side."""

    def inspect(self, totals: Totals) -> Reason | None:
        """Judge the totals of the whole sweep."""
        gone = max(totals.gone, totals.of("delete") + totals.of("archive"))
        return because(Code.EMPTIED, count=gone) if totals.links and gone >= totals.links else None


def at_most(
    *,
    creates: float | None = None,
    updates: float | None = None,
    blanks: float | None = None,
    deletes: float | None = None,
    floor: int = 10,
) -> AtMost:
    """Object to a sweep that writes more than these; below 1 a share of the links, but not less than *floor*."""
    return AtMost(creates, updates, blanks, deletes, floor)


def not_emptied() -> NotEmptied:
    """Object to a sweep in which every linked record is gone from one side."""
    return NotEmptied()
