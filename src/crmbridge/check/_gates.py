"""Conditions that look at what they cannot judge, or at records of whose changes nobody is told."""

from __future__ import annotations

from collections.abc import Iterator

from ..definition import Definition
from ..gates import AtLeast, Consented, Equals, in_use, parts_of
from ..model import FieldType, Side
from ..protocols import Gate
from ..reasons import Code, Fact, because
from ._finding import Finding, Severity
from ._routes import Schemas


def about_gates(definition: Definition, schemas: Schemas) -> Iterator[Finding]:
    """Hold every condition against the type of the field that it looks at."""
    looking: list[tuple[Side, Gate]] = [
        *(("left", case.when) for case in definition.cases),
        *((placed.of, placed.gate) for placed in definition.gates),
    ]
    for side, gate in looking:
        end = definition.end(side)
        for part in parts_of(gate):
            field, needed = _needs(part)
            for kind in end.kinds:
                spec = schemas[side, kind].fields.get(field)
                if needed is None or spec is None or spec.type is needed:
                    continue
                facts = {"type": needed.value, "other_type": spec.type.value}
                why = because(Code.GATE_NEEDS, field=field, system=end.system, **facts)
                yield Finding(f"{end.system}.{kind}.{field}", why, Severity.WARNING)
    yield from _untold(definition)


def _untold(definition: Definition) -> Iterator[Finding]:
    """Name gates on records that a one-way pipeline writes and never asks for changes: they open without a word."""
    if definition.topology != "one_way":
        return
    for placed in definition.gates:
        if placed.of == "right" and in_use(placed.gate):
            fields = ", ".join(sorted(placed.gate.fields))
            named: dict[str, Fact] = {"gate": fields} if fields else {}
            system, other = definition.right.system, definition.left.system
            why = because(Code.GATE_UNTOLD, system=system, other=other, **named)
            yield Finding(f"{definition.name}: {placed.moment}", why, Severity.WARNING)


def _needs(gate: Gate) -> tuple[str, FieldType | None]:
    """Name the field that a condition looks at, and the type that it needs there; None: any will do."""
    match gate:
        case Consented(opted_out=str(field)) | Equals(field=str(field), value=bool()):
            return field, FieldType.FLAG
        case AtLeast(field=str(field), bound=bound) if bound is not None:
            return field, FieldType.NUMBER
        case _:
            return "", None
