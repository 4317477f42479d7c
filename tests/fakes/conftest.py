"""A Salesforce in memory, its clock, and a client that is logged in."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from crmbridge.testing.fakes.salesforce import FakeSalesforce


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 21, 9, 15, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def pass_(self, **time: float) -> None:
        self.time += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def salesforce(clock: Callable[[], datetime]) -> FakeSalesforce:
    return FakeSalesforce(now=clock)


@pytest.fixture
def api(salesforce: FakeSalesforce) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {salesforce.credentials['token']}"}
    base = "https://acme.my.salesforce.com/services/data/v67.0"
    with httpx.Client(transport=salesforce.transport(), base_url=base, headers=headers) as client:
        yield client
