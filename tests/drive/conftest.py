"""One driver or the other: every scenario runs blocking and awaited."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from crmbridge.credentials import ClientCredentials
from crmbridge.drive import AsyncDriver, Driver
from crmbridge.flow import Account, Flow
from crmbridge.testing.sim import ManualClock

OWN = "https://own.example"


class Hands:
    """A driver whose `run` blocks, whichever it is."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.driver: Any = None
        self._loop = asyncio.Runner() if kind == "awaited" else None

    def __call__(self, handler: Callable[[httpx.Request], httpx.Response] | None = None, **given: Any) -> "Hands":
        given.setdefault("clock", ManualClock())
        given.setdefault("seed", 7)
        if handler is not None:
            given["transport"] = httpx.MockTransport(handler)
        self.driver = (AsyncDriver if self._loop else Driver)(**given)
        return self

    def run(self, flow: Flow[Any]) -> Any:
        return self._loop.run(self.driver.run(flow)) if self._loop else self.driver.run(flow)

    def does(self, verb: Callable[[], Any]) -> Any:
        """Have a verb of a pipeline performed, whether it is awaited or not."""

        async def awaited() -> Any:
            return await verb()

        return self._loop.run(awaited()) if self._loop else verb()

    def close(self) -> None:
        if self._loop is None:
            if self.driver:
                self.driver.close()
            return
        if self.driver:
            self._loop.run(self.driver.aclose())
        self._loop.close()


@pytest.fixture(params=["blocking", "awaited"])
def drive(request: pytest.FixtureRequest) -> Iterator[Hands]:
    hands = Hands(request.param)
    yield hands
    hands.close()


@pytest.fixture
def account() -> Account:
    return Account("shop", OWN)


@pytest.fixture
def by_token() -> Account:
    return Account("shop", OWN, ClientCredentials(f"{OWN}/token", "client", "canary-client-secret"))
