"""The laws of sources, sinks, connectors, listeners and pipelines, as pytest classes to inherit.

    class TestMyConnector(ConnectorSuite):
        @pytest.fixture
        def connector(self):
            return MyConnector("token")

        @pytest.fixture
        def kind(self):
            return "contact"

What a connector does not claim is skipped, and the skip names the capability. There is no list of exclusions; a law that
is known to be broken stands in `known_failures` with the reason, and fails the suite as soon as it holds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import ClassVar, TypeVar

import pytest

from ..protocols import Sink, Source
from .checks import (
    CONNECTOR_LAWS,
    LISTENER_LAWS,
    PIPELINE_LAWS,
    SINK_LAWS,
    SOURCE_LAWS,
    KindUnderTest,
    Law,
    LawBroken,
    ListenerUnderTest,
    Making,
    NotClaimed,
    Runs,
    Trial,
)
from .sim import SimDriver
from .store_suite import StoreSuite

__all__ = ["ConnectorSuite", "ListenerSuite", "PipelineSuite", "SinkSuite", "SourceSuite", "StoreSuite"]

S = TypeVar("S")


def _name(law: Law[S]) -> str:
    return law.name


class _Suite:
    """What every suite has."""

    laws: ClassVar[Collection[str]] = ()
    """The names of the laws that the suite proves; an excuse for anything else excuses nothing, and fails."""
    known_failures: ClassVar[Mapping[str, str]] = {}
    """Laws that are known to be broken, each with the reason."""

    def _prove(self, law: Law[S], subject: S) -> None:
        strange = [name for name in self.known_failures if name not in self.laws]
        if strange:
            pytest.fail(f"known_failures names {', '.join(strange)}: no law of this suite is called so")
        excuse = self.known_failures.get(law.name)
        try:
            law(subject)
        except NotClaimed as passed:
            pytest.skip(str(passed))
        except LawBroken:
            if excuse is None:
                raise
            pytest.xfail(excuse)
        if excuse is not None:
            pytest.fail(f"{law.name} holds; take it out of known_failures ({excuse})")


class _Trials(_Suite):
    """What suites of connectors have."""

    @pytest.fixture
    def connector(self) -> Source | Sink:
        """Give what is on trial; every suite gives its own."""
        raise AssertionError("override the fixture `connector` with one that gives your connector")

    @pytest.fixture
    def driver(self) -> Runs:
        """Perform flows in virtual time; override it where requests must arrive somewhere."""
        return SimDriver()

    @pytest.fixture
    def kind(self) -> str | KindUnderTest:
        """Name a kind; every suite gives its own."""
        raise AssertionError("override the fixture `kind` with a kind's name, or with a KindUnderTest")

    def _try(self, law: Law[Trial], connector: Source | Sink, driver: Runs, kind: str | KindUnderTest) -> None:
        tried = KindUnderTest(kind) if isinstance(kind, str) else kind
        self._prove(law, Trial(connector, driver, tried, law.first))


class SourceSuite(_Trials):
    """Judge what can be read by every law of a source; give it as `connector`, and one of its kinds as `kind`."""

    laws: ClassVar = frozenset(map(_name, SOURCE_LAWS))

    @pytest.mark.parametrize("law", SOURCE_LAWS, ids=_name)
    def test_it_keeps_the_law(
        self, law: Law[Trial], connector: Source, driver: Runs, kind: str | KindUnderTest
    ) -> None:
        """Prove one law."""
        self._try(law, connector, driver, kind)


class SinkSuite(_Trials):
    """Judge what can be written by every law of a sink; give it as `connector`, and one of its kinds as `kind`."""

    laws: ClassVar = frozenset(map(_name, SINK_LAWS))

    @pytest.mark.parametrize("law", SINK_LAWS, ids=_name)
    def test_it_keeps_the_law(self, law: Law[Trial], connector: Sink, driver: Runs, kind: str | KindUnderTest) -> None:
        """Prove one law."""
        self._try(law, connector, driver, kind)


class ConnectorSuite(_Trials):
    """Judge what can be read and written by every law of both; give it as `connector`, one of its kinds as `kind`."""

    laws: ClassVar = frozenset(map(_name, CONNECTOR_LAWS))

    @pytest.mark.parametrize("law", CONNECTOR_LAWS, ids=_name)
    def test_it_keeps_the_law(
        self, law: Law[Trial], connector: Source | Sink, driver: Runs, kind: str | KindUnderTest
    ) -> None:
        """Prove one law."""
        self._try(law, connector, driver, kind)


class ListenerSuite(_Suite):
    """Judge what takes deliveries in; give it, with genuine deliveries, as `listener`."""

    laws: ClassVar = frozenset(map(_name, LISTENER_LAWS))

    @pytest.fixture
    def listener(self) -> ListenerUnderTest:
        """Give what is on trial; every suite gives its own."""
        raise AssertionError("override the fixture `listener` with one that gives a ListenerUnderTest")

    @pytest.mark.parametrize("law", LISTENER_LAWS, ids=_name)
    def test_it_keeps_the_law(self, law: Law[ListenerUnderTest], listener: ListenerUnderTest) -> None:
        """Prove one law."""
        self._prove(law, listener)


class PipelineSuite(_Suite):
    """Judge a pipeline between two systems; give what makes it, with systems of its own, as `make`."""

    laws: ClassVar = frozenset(map(_name, PIPELINE_LAWS))

    @pytest.fixture
    def make(self) -> Making:
        """Give what makes a trial; every suite gives its own."""
        raise AssertionError("override the fixture `make` with a function that gives a new PipelineUnderTest")

    @pytest.mark.parametrize("law", PIPELINE_LAWS, ids=_name)
    def test_it_keeps_the_law(self, law: Law[Making], make: Making) -> None:
        """Prove one law."""
        self._prove(law, make)
