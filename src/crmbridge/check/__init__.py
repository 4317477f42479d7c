"""A pipeline held against two schemas before it runs: what cannot work, and what deserves a second thought. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from ._drift import drift
    from ._finding import Finding, Severity
    from ._findings import findings
    from ._rings import rings
    from ._routes import Route, Schemas, nearest, refuses, routes
    from ._uses import Unknown, Use, hint, unknown, uses
else:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "_drift": "drift",
            "_finding": "Finding Severity",
            "_findings": "findings",
            "_rings": "rings",
            "_routes": "Route Schemas nearest refuses routes",
            "_uses": "Unknown Use hint unknown uses",
        },
    )

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
    "rings",
    "routes",
    "unknown",
    "uses",
]
