"""What all tests share: Hypothesis profiles, Ctrl-C, the rule for missing programs, and who took how much time.

`CRMBRIDGE_ALL=1` promises that everything is installed; under it a skip that tells what to install is a failure.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from itertools import count
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

from crmbridge.stores import PostgresStore
from crmbridge.testing.postgres import HOW_TO_GET, PostgresServer, find_binaries
from crmbridge.testing.simulation import SimReport

# Before any test module: what one of them has imported cannot be rewritten any more.
pytest.register_assert_rewrite("crmbridge.testing._store_laws")

settings.register_profile(
    "ci", derandomize=True, deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("deep", deadline=None, max_examples=5000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci")

# A shell that starts tests in the background lets them ignore Ctrl-C, and so would every program that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_INSTALLABLE = ("install", "could not import")

R = TypeVar("R", pytest.TestReport, pytest.CollectReport)


def _all_or_nothing(report: R) -> R:
    """Turn a skip for a missing program into a failure, where everything was promised to be there."""
    why = report.longrepr[2] if report.skipped and isinstance(report.longrepr, tuple) else ""
    if os.environ.get("CRMBRIDGE_ALL") == "1" and any(word in why for word in _INSTALLABLE):
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid}: {why} (CRMBRIDGE_ALL=1 promises that it is there)"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Judge a skip of one test."""
    return _all_or_nothing((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Judge a skip of a whole module."""
    return _all_or_nothing((yield))


@pytest.fixture(scope="session")
def seed(pytestconfig: pytest.Config) -> int:
    """Give the seed for what chance decides outside Hypothesis: `--hypothesis-seed=N`, 0 in the ordinary run."""
    given = str(pytestconfig.getoption("hypothesis_seed", None) or 0)
    return int(given) if given.isdigit() else 0


@pytest.fixture
def counted(record_property: Callable[[str, object], None]) -> Callable[[SimReport], SimReport]:
    """Tell of a simulation how long it was, and give it back."""

    def tell(report: SimReport) -> SimReport:
        record_property("seeds", report.seeds)
        record_property("operations", report.operations)
        return report

    return tell


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL for all tests of a session, started when the first of them asks."""
    pytest.importorskip("psycopg_pool", reason="install crmbridge[postgres]")
    if (binaries := find_binaries()) is None:
        pytest.skip(HOW_TO_GET)
    with PostgresServer(binaries) as server:
        yield server


@pytest.fixture(scope="session")
def _schemas() -> Iterator[int]:
    return count(1)


@pytest.fixture
def schema(_schemas: Iterator[int]) -> Callable[[], str]:
    """Name a schema that no other test has."""
    return lambda: f"test_{next(_schemas)}"


@pytest.fixture
def postgres_store(postgres: PostgresServer, schema: Callable[[], str]) -> Callable[..., PostgresStore]:
    """Open stores, each in a schema of its own."""
    return lambda **how: PostgresStore(postgres.dsn, schema=schema(), **how)


class Shares:
    """Adds up the seconds that each folder of tests took."""

    def __init__(self) -> None:
        self.seconds = Counter[str]()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add one phase of one test."""
        folder = Path(report.nodeid.partition("::")[0]).parent
        self.seconds[folder.as_posix()] += report.duration  # type: ignore[assignment]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the folders, the slowest first."""
        total = sum(self.seconds.values())
        if len(self.seconds) < 2 or not total:
            return
        terminalreporter.section("share of time")
        for folder, seconds in self.seconds.most_common():
            terminalreporter.line(f"{seconds / total:6.1%} {seconds:8.1f} s  {folder}")


def pytest_configure(config: pytest.Config) -> None:
    """Start counting."""
    config.pluginmanager.register(Shares())
