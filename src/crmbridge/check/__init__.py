"""A pipeline held against two schemas before it runs: what cannot work, and what deserves a second thought. Pure."""

from __future__ import annotations

from ..definition import Definition
from ._drift import drift
from ._ends import about_ends
from ._finding import Finding, Severity
from ._gates import about_gates
from ._pairs import about_pairs
from ._routes import Route, Schemas, nearest, refuses, routes
from ._uses import Unknown, Use, hint, unknown, uses

__all__ = [
    "Finding",
    "Route",
    "Schemas",
    "Severity",
    "Unknown",
    "Use",
    "drift",
    "findings",
    "hint",
    "nearest",
    "refuses",
    "routes",
    "unknown",
    "uses",
]


def findings(definition: Definition, schemas: Schemas) -> list[Finding]:
    """Name everything that a person should know of a pipeline before its first run, the worst first."""
    found = [
        *about_pairs(definition, schemas),
        *about_ends(definition, schemas),
        *about_gates(definition, schemas),
    ]
    order = list(Severity)
    return sorted(dict.fromkeys(found), key=lambda finding: order.index(finding.severity))
