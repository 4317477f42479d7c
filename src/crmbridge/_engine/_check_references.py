"""Refusing references that cannot be followed, before anything is read."""

from __future__ import annotations

from collections.abc import Mapping

from ..definition import Definition
from ..errors import PairError
from ..given import Given, Reference, references
from ..model import SIDES, FieldType, Schema, Side
from ..plan import Name, name_on
from ..references import Ensured, FoundField, Linked, LookUp

Schemas = Mapping[tuple[Side, str], Schema]


def check_references(definition: Definition, schemas: Schemas) -> None:
    """Refuse what cannot be followed; raises `PairError` with the reference, the rule and the remedy."""
    look_ups: dict[str, LookUp] = {}
    for reference in definition.references:
        one = reference.look_up if isinstance(reference, FoundField) else reference
        if isinstance(one, LookUp):
            _look_up(definition, one, look_ups.setdefault(one.name, one))
        if isinstance(one, Linked | Ensured):
            _parents(definition, one)
            _points(definition, schemas, "left", one, one.of)
    for placed in definition.gates:
        for reference in references(placed.gate):
            _of_gate(definition, schemas, reference, placed.of)
    for pair in definition.crossings:
        via = pair.via
        if not isinstance(via, Linked) or isinstance(pair.left, Given):
            raise PairError(f"{definition.name}: the pair {pair.label} can cross by linked(...) alone, field to field")
        if via.of is not None or not isinstance(via.absent, str) or via.absent == "blank":
            raise PairError(
                f"{definition.name}: in the pair {pair.label}, linked() names no field of its own, and what is not "
                "linked can be held, skipped or quarantined, but not left out: it would cross back as a clear"
            )
        _parents(definition, via)
        for side in SIDES:
            _points(definition, schemas, side, via, pair.left if side == "left" else pair.right)


def _look_up(definition: Definition, one: LookUp, known: LookUp) -> None:
    if one is not known:
        raise PairError(f"{definition.name}: two look-ups are called {one.name!r}; give each a name of its own")
    if not one.end.reads or not hasattr(one.end.connector, "find"):
        raise PairError(f"{definition.name}: look_up({one.name!r}) needs {one.end.system} to find and to read by id")


def _parents(definition: Definition, one: Linked | Ensured) -> None:
    systems = one.systems
    ours = (definition.left.system, definition.right.system)
    if systems is not None and systems != ours:
        raise PairError(
            f"{definition.name}: {one.name} leads from {systems[0]} to {systems[1]}, and this pipeline from {ours[0]} "
            f"to {ours[1]}; parents and children must run between the same ends, in the same order"
        )
    if isinstance(one, Ensured) and (one.within.topology == "events" or not one.within.creates_right):
        raise PairError(
            f"{definition.name}: {one.name} needs a pipeline that makes records, and {one.parents} makes none"
        )


def _points(definition: Definition, schemas: Schemas, side: Side, one: Linked | Ensured, of: Name | None) -> None:
    """Refuse plain ids of which nobody says what they are ids of."""
    for kind in definition.end(side).kinds if of is not None else ():
        named = name_on(of, kind) if of is not None else None
        spec = None if named is None else schemas[side, kind].fields.get(named[0])
        if spec is None or spec.type in (FieldType.REFERENCE, FieldType.REFERENCES):
            continue
        if not one.kinds.get(side) and not spec.refers_to:
            raise PairError(
                f"{definition.name}: {definition.end(side).system}.{kind}.{spec.name} holds plain ids, and nothing says "
                f"of which kind; pass the pipeline {one.parents!r} itself to linked(), not only its name"
            )


def _of_gate(definition: Definition, schemas: Schemas, reference: Reference, side: Side) -> None:
    if side != "left":
        raise PairError(f"{definition.name}: a gate that looks at a right record cannot ask for {reference.name}")
    for kind in definition.left.kinds:
        for name in sorted(reference.reads(kind)):
            if name not in schemas["left", kind].fields:
                raise PairError(
                    f"{definition.name}: {reference.name} reads {name!r}, and {definition.left.system}.{kind} has no such "
                    "field"
                )
