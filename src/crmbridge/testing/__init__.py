"""What a test of a pipeline, a connector or a store needs: fakes of the vendors, suites of laws, simulation.

Nothing in here runs in production, and nothing in here is imported by the rest of the package but the command line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .checks import Hand, KindUnderTest, LawBroken, ListenerUnderTest, NotClaimed, PipelineUnderTest
    from .conforming import ConformanceReport, conformance
    from .connector import EVERYTHING, FakeConnector, described
    from .simulation import Breach, Deed, Hands, LawsBroken, SimReport, SimWorld, Trail, Violation, simulate
    from .suites import ConnectorSuite, ListenerSuite, PipelineSuite, SinkSuite, SourceSuite, StoreSuite

_HOMES = {
    "checks": ("Hand", "KindUnderTest", "LawBroken", "ListenerUnderTest", "NotClaimed", "PipelineUnderTest"),
    "conforming": ("ConformanceReport", "conformance"),
    "connector": ("EVERYTHING", "FakeConnector", "described"),
    "simulation": (
        "Breach",
        "Deed",
        "Hands",
        "LawsBroken",
        "SimReport",
        "SimWorld",
        "Trail",
        "Violation",
        "simulate",
    ),
    "suites": ("ConnectorSuite", "ListenerSuite", "PipelineSuite", "SinkSuite", "SourceSuite", "StoreSuite"),
}

__all__ = [
    "EVERYTHING",
    "Breach",
    "ConformanceReport",
    "ConnectorSuite",
    "Deed",
    "FakeConnector",
    "Hand",
    "Hands",
    "KindUnderTest",
    "LawBroken",
    "LawsBroken",
    "ListenerSuite",
    "ListenerUnderTest",
    "NotClaimed",
    "PipelineSuite",
    "PipelineUnderTest",
    "SimReport",
    "SimWorld",
    "SinkSuite",
    "SourceSuite",
    "StoreSuite",
    "Trail",
    "Violation",
    "conformance",
    "described",
    "simulate",
]


def __getattr__(name: str) -> Any:
    # Names come from their modules when they are first asked for (PEP 562): fakes are served without pytest.
    from importlib import import_module

    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
