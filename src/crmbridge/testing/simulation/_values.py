"""Values that people write where a field is no text: by what both systems say of it, so that preflight lets them pass."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from ...definition import Definition
from ...model import Cell, FieldSpec, FieldType, Side, other
from ...preflight import problem
from ..checks._samples import value_of
from ._seats import Seat

DRAWN = frozenset(
    {
        FieldType.EMAIL,
        FieldType.FLAG,
        FieldType.NUMBER,
        FieldType.DATE,
        FieldType.INSTANT,
        FieldType.CHOICE,
        FieldType.CHOICES,
    }
)
"""Types whose values need no record that they point at."""

_TRIES = 50


def drawn(definition: Definition, seat: Seat, side: Side, kind: str) -> list[str]:
    """Name the paired fields of a kind that hold no text, and that people may fill."""
    paired = [own[0] for pair in definition.every_field if (own := pair.on(side, kind)) is not None]
    specs = [spec for name in dict.fromkeys(paired) if (spec := seat.spec(kind, name)) is not None]
    return [spec.name for spec in specs if spec.type in DRAWN and not (spec.read_only or spec.unique)]


def counterparts(
    definition: Definition, seats: Mapping[Side, Seat], side: Side, kind: str, field: str
) -> Sequence[FieldSpec]:
    """Describe the fields that a value crosses into as it is, without a codec."""
    there = other(side)
    found = [
        seats[there].spec(one, across[0])
        for pair in definition.every_field
        if pair.via is None and (own := pair.on(side, kind)) is not None and own[0] == field
        for one in definition.end(there).kinds
        if (across := pair.on(there, one)) is not None
    ]
    return [spec for spec in found if spec is not None]


def chosen(chance: random.Random, spec: FieldSpec, across: Sequence[FieldSpec]) -> Cell:
    """Choose a value that all these fields take; None where none was found."""
    for _ in range(_TRIES):
        value = value_of(spec, chance.randrange(10_000))
        if all(problem(one, value, creating=False) is None for one in (spec, *across)):
            return value
    return None
