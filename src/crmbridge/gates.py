"""Gates: may this record cross, at this moment? Guards: may this sweep write?

A condition whose bound is `None` or empty is not used; a gate with nothing set admits all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Final, TypeAlias, cast

import attrs

from . import _stated
from .errors import UsageError
from .given import Given, Reference, references
from .model import Cell, Missing, Record, Totals, is_blank
from .protocols import Admit, Crossing, Gate, Skip
from .reasons import Code, Reason, because

_ADMIT = Admit()

Of: TypeAlias = "str | Given"
"""What a condition looks at: a field of the record, or a value made from it, such as a reference."""


def _value(record: Record, of: Of) -> Cell | Missing:
    return record.get(of) if isinstance(of, str) else of.value(record)


def _called(of: Of) -> str:
    return of if isinstance(of, str) else of.name


def _fields(*looked_at: Of) -> frozenset[str]:
    return frozenset[str]().union(*(frozenset((of,)) if isinstance(of, str) else of.fields for of in looked_at))


def _references(*looked_at: object) -> tuple[Reference, ...]:
    return tuple(reference for of in looked_at for reference in references(of))


def _blank(record: Record, of: Of) -> bool:
    value = _value(record, of)
    return isinstance(value, Missing) or is_blank(value)


@attrs.frozen
class Filled:
    """Admit a record whose fields all hold a value."""

    names: tuple[Of, ...]

    @property
    def fields(self) -> frozenset[str]:
        """Name the fields to read."""
        return _fields(*self.names)

    @property
    def references(self) -> tuple[Reference, ...]:
        """Give the references that it looks at."""
        return _references(*self.names)

    def admit(self, crossing: Crossing) -> Admit | Skip:
        """Judge one crossing."""
        for name in self.names:
            if _blank(crossing.record, name):
                return Skip(because(Code.GATE, gate="filled", field=_called(name)))
        return _ADMIT


@attrs.frozen
class Equals:
    """Admit a record whose field holds exactly this value; a bound of None is not used."""

    field: Of
    value: Cell = attrs.field(repr=False)

    @property
    def fields(self) -> frozenset[str]:
        """Name the fields to read."""
        return _fields(self.field)

    @property
    def references(self) -> tuple[Reference, ...]:
        """Give the references that it looks at."""
        return _references(self.field)

    def admit(self, crossing: Crossing) -> Admit | Skip:
        """Judge one crossing."""
        # True is 1 here as anywhere in Python: an opt-out that a table writes as 1 must not go by unnoticed.
        if self.value is None or _value(crossing.record, self.field) == self.value:
            return _ADMIT
        return Skip(because(Code.GATE, gate="equals", field=_called(self.field)))


@attrs.frozen
class HasAny:
    """Admit a record whose field holds at least one of these values; no values: not used."""

    field: Of
    values: tuple[str, ...]

    @property
    def fields(self) -> frozenset[str]:
        """Name the fields to read."""
        return _fields(self.field)

    @property
    def references(self) -> tuple[Reference, ...]:
        """Give the references that it looks at."""
        return _references(self.field)

    def admit(self, crossing: Crossing) -> Admit | Skip:
        """Judge one crossing."""
        held = _value(crossing.record, self.field)
        elements = held if isinstance(held, tuple) else (held,)
        if not self.values or any(element in self.values for element in elements):
            return _ADMIT
        return Skip(because(Code.GATE, gate="has_any", field=_called(self.field)))


@attrs.frozen
class AtLeast:
    """Admit a record whose number is not below a bound; a bound of None is not used."""

    field: Of
    bound: Decimal | int | None

    @property
    def fields(self) -> frozenset[str]:
        """Name the fields to read."""
        return _fields(self.field)

    @property
    def references(self) -> tuple[Reference, ...]:
        """Give the references that it looks at."""
        return _references(self.field)

    def admit(self, crossing: Crossing) -> Admit | Skip:
        """Judge one crossing."""
        held = _value(crossing.record, self.field)
        if self.bound is None:
            return _ADMIT
        if isinstance(held, int | Decimal) and not isinstance(held, bool) and held >= self.bound:
            return _ADMIT
        return Skip(because(Code.GATE, gate="at_least", field=_called(self.field)))


_NO: Final = frozenset({"0", "false"})
_YES: Final = frozenset({"1", "true"})


@attrs.frozen
class Consented:
    """Admit a record only where its opt-out is known not to be set.

    Not set are False, 0, a blank, and the texts `0` and `false`, in which tables and files write a flag. Any other value,
    and a field that was not read, is refused: a sign that nobody knows is no consent.
    """

    opted_out: Of

    @property
    def fields(self) -> frozenset[str]:
        """Name the fields to read."""
        return _fields(self.opted_out)

    @property
    def references(self) -> tuple[Reference, ...]:
        """Give the references that it looks at."""
        return _references(self.opted_out)

    def admit(self, crossing: Crossing) -> Admit | Skip:
        """Judge one crossing; a refusal says whether the opt-out is set, or cannot be read as a flag."""
        opted_out = _flag(_value(crossing.record, self.opted_out))
        if opted_out is None:
            return Skip(because(Code.GATE, gate="consent_unknown", field=_called(self.opted_out)))
        return Skip(because(Code.GATE, gate="consented", field=_called(self.opted_out))) if opted_out else _ADMIT


def _flag(value: Cell | Missing) -> bool | None:
    """Read a value as a flag, a blank as one that is not set; None where it is none."""
    if isinstance(value, Missing):
        return None
    if is_blank(value):
        return False
    if isinstance(value, int | Decimal):
        return bool(value) if Decimal(value).is_finite() and value in (0, 1) else None
    text = value.strip().lower() if isinstance(value, str) else ""
    return True if text in _YES else False if text in _NO else None


@attrs.frozen
class Every:
    """Admit what all of these gates admit."""

    gates: tuple[Gate, ...]

    @property
    def fields(self) -> frozenset[str]:
        """Name the fields to read."""
        return frozenset[str]().union(*(gate.fields for gate in self.gates))

    @property
    def references(self) -> tuple[Reference, ...]:
        """Give the references that they look at."""
        return _references(*self.gates)

    def admit(self, crossing: Crossing) -> Admit | Skip:
        """Judge one crossing; the first refusal is the reason."""
        for gate in self.gates:
            verdict = gate.admit(crossing)
            if not isinstance(verdict, Admit):
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

    @property
    def references(self) -> tuple[Reference, ...]:
        """Give the references that they look at."""
        return _references(*self.gates)

    def admit(self, crossing: Crossing) -> Admit | Skip:
        """Judge one crossing; the last refusal is the reason, and a gate with nothing set is not used."""
        verdict: Admit | Skip = _ADMIT
        for gate in filter(in_use, self.gates):
            verdict = gate.admit(crossing)
            if isinstance(verdict, Admit):
                break
        return verdict


@attrs.frozen
class Unless:
    """Admit what a gate refuses; a gate with nothing set is not used."""

    gate: Gate

    @property
    def fields(self) -> frozenset[str]:
        """Name the fields to read."""
        return self.gate.fields

    @property
    def references(self) -> tuple[Reference, ...]:
        """Give the references that it looks at."""
        return _references(self.gate)

    def admit(self, crossing: Crossing) -> Admit | Skip:
        """Judge one crossing; what was not read is not known to be refused, and so is not admitted."""
        if not in_use(self.gate):
            return _ADMIT
        known = not any(isinstance(crossing.record.get(field), Missing) for field in self.gate.fields)
        if known and isinstance(self.gate.admit(crossing), Skip):
            return _ADMIT
        return Skip(because(Code.GATE, gate="unless", field=", ".join(_told(self.gate))))


@attrs.frozen
class By:
    """Admit by a function of your own; *name* stands in the reason."""

    name: str
    fn: Callable[[Crossing], bool] = attrs.field(repr=False)
    fields: frozenset[str] = frozenset()

    def admit(self, crossing: Crossing) -> Admit | Skip:
        """Judge one crossing; raises TypeError for an answer that is neither yes nor no."""
        answer = cast("object", self.fn(crossing))
        if not isinstance(answer, bool):
            raise TypeError(
                f"the condition {self.name!r} answers with a {type(answer).__name__}, and not True or False"
            )
        return _ADMIT if answer else Skip(because(Code.RULE, rule=self.name))


def _told(gate: Gate) -> list[str]:
    return sorted({*gate.fields, *(reference.name for reference in references(gate))})


def in_use(gate: Gate) -> bool:
    """Say whether anything is set in a gate; one in which nothing is admits all."""
    match gate:
        case Filled(names=set_) | HasAny(values=set_):
            return bool(set_)
        case Equals(value=bound) | AtLeast(bound=bound):
            return bound is not None
        case Every(gates=inner) | Either(gates=inner):
            return any(in_use(one) for one in inner)
        case Unless(gate=inner):
            return in_use(inner)
        case _:
            return True


def parts_of(gate: Gate) -> tuple[Gate, ...]:
    """Give a gate and those that it is made of."""
    inner = gate.gates if isinstance(gate, Every | Either) else (gate.gate,) if isinstance(gate, Unless) else ()
    return (gate, *(part for one in inner for part in parts_of(one)))


def unset(gates: Iterable[Gate]) -> Iterator[Gate]:
    """Give the gates that are switched on with nothing set in them."""
    return (gate for gate in gates if not in_use(gate))


def filled(*fields: Of) -> Gate:
    """Admit a record whose fields all hold a value."""
    return Filled(fields)


def equals(field: Of, value: Cell) -> Gate:
    """Admit a record whose field holds exactly this value: the text `1` is not 1, but a flag that is set is.

    None is no value to compare with: it admits every record. `unless(filled(field))` admits blanks.
    """
    return Equals(field, value)


def has_any(field: Of, values: Iterable[str]) -> Gate:
    """Admit a record whose field holds at least one of these values; raises `UsageError` for a single text."""
    # A set has another order in each process, and a gate must be told alike in all of them.
    told = _stated.texts("has_any", "values", values)
    return HasAny(field, tuple(sorted(told)) if isinstance(values, AbstractSet) else told)


def at_least(field: Of, bound: Decimal | int | None) -> Gate:
    """Admit a record whose number is not below a bound; raises `UsageError` for a bound that is no number."""
    if bound is not None:
        _stated.number("at_least", "bound", bound, least=None, hint="None is not used")
    return AtLeast(field, bound)


def consented(opted_out: Of) -> Gate:
    """Admit a record only where its opt-out is known not to be set: False, 0, blank, or the text `0` or `false`.

    Any other value, and a field that was not read, is refused.
    """
    return Consented(opted_out)


def every(*gates: Gate) -> Gate:
    """Admit what all of these gates admit; the first refusal is the reason."""
    return Every(gates)


def either(*gates: Gate) -> Gate:
    """Admit what one of these gates admits; one with nothing set is not used, and the last refusal is the reason."""
    return Either(gates)


def unless(gate: Gate) -> Gate:
    """Admit what a gate refuses, where every field that it looks at was read; one with nothing set is not used."""
    return Unless(gate)


def by(name: str, fn: Callable[[Crossing], bool], *, fields: Iterable[str] = ()) -> Gate:
    """Admit by a function of your own, which reads these fields; raises `UsageError` for a single text.

    It answers True or False. Any other answer, as a value that was handed on or was not read, parks the record: what is
    not known never counts as a yes. A field that is not named here may not be read; the record then gives `MISSING`.
    """
    return By(name, fn, frozenset(_stated.texts("by", "fields", fields)))


# -- guards --------------------------------------------------------------------------


@attrs.frozen
class AtMost:
    """Object to a sweep that writes more than these; between 0 and 1 a share of the links, else a number.

    A share never means less than *floor* records: in a handful of links one deletion is a large share of them. A number
    means what it says: 0 allows none, 1 allows one.
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
        removed = Counter[str]()
        for (system, verb), count in totals.writes.items():
            removed[system] += count if verb in ("delete", "archive") else 0
        gone = max([totals.gone, *removed.values()])
        return because(Code.EMPTIED, count=gone) if totals.links and gone >= totals.links else None


def at_most(
    *,
    creates: float | None = None,
    updates: float | None = None,
    blanks: float | None = None,
    deletes: float | None = None,
    floor: int = 10,
) -> AtMost:
    """Object to a sweep that writes more than these: a number, or between 0 and 1 a share of the links.

    A share never means less than *floor* records, by default 10; a number means what it says: 0 allows none, 1 allows
    one. *creates*, *updates* and *deletes* are records written, *blanks* filled fields that would be emptied; each
    counts once, whichever rows bring it up and however often it is tried. A plan counts exactly, and so does a run
    before its first write wherever the most that its queue can come to is too much. What only comes up in the middle of
    a run counts before its batch is written, together with all before it. Raises `UsageError` for a bound below zero or
    that is no number, and where there is none; None is no bound.
    """
    bounds = {"creates": creates, "updates": updates, "blanks": blanks, "deletes": deletes}
    for argument, bound in bounds.items():
        if bound is not None:
            _stated.number("at_most", argument, bound, hint="None is no bound")
    _stated.number("at_most", "floor", floor, whole=True)
    if all(bound is None for bound in bounds.values()):
        raise UsageError(
            f"at_most(): nothing is bounded, so it would object to nothing; say one of {', '.join(bounds)}"
        )
    return AtMost(creates, updates, blanks, deletes, floor)


def not_emptied() -> NotEmptied:
    """Object to a sweep in which every linked record is gone from one side, whether links close or records go.

    Gone is what a feed reports as deleted, and what a read by id does not find. Records that are gone here and others that
    are gone there have emptied neither side.
    """
    return NotEmptied()
