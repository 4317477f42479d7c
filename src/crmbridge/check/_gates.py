"""Conditions that look at a field of another type than they can judge."""

from __future__ import annotations

from collections.abc import Iterator

from ..definition import Definition
from ..gates import AtLeast, Consented, Equals, parts_of
from ..model import FieldType, Side
from ..protocols import Gate
from ..reasons import Code, because
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


def _needs(gate: Gate) -> tuple[str, FieldType | None]:
    """Name the field that a condition looks at, and the type that it needs there; None: any will do."""
    match gate:
        case Consented(opted_out=str(field)) | Equals(field=str(field), value=bool()):
            return field, FieldType.FLAG
        case AtLeast(field=str(field), bound=bound) if bound is not None:
            return field, FieldType.NUMBER
        case _:
            return "", None
