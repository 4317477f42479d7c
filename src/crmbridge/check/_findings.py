"""Everything that a person should know of a pipeline before its first run."""

from __future__ import annotations

from ..definition import Definition
from ._ends import about_ends
from ._finding import Finding, Severity
from ._gates import about_gates
from ._pairs import about_pairs
from ._routes import Schemas


def findings(definition: Definition, schemas: Schemas) -> list[Finding]:
    """Name everything that a person should know of a pipeline before its first run, the worst first."""
    found = [
        *about_pairs(definition, schemas),
        *about_ends(definition, schemas),
        *about_gates(definition, schemas),
    ]
    order = list(Severity)
    return sorted(dict.fromkeys(found), key=lambda finding: order.index(finding.severity))
