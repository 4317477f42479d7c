"""An interruption of gathered flows ends what is under way in their threads, and begins nothing there."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

import httpx
import pytest

from crmbridge.drive import Driver
from crmbridge.errors import CrmBridgeError
from crmbridge.flow import Flow, Request, call, gather, pause, send


class Interrupted:
    """Four flows in threads, of which one interrupts the program when three others are under way."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.sent: list[str] = []
        self.log: list[str] = []
        self.under_way = threading.Barrier(4)
        self.driver = Driver(transport=httpx.MockTransport(self), workers=4)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request.url.path)
        self.under_way.wait(5)
        time.sleep(0.3)
        return httpx.Response(self.status, headers={"retry-after": "30"})

    def ends(self) -> Flow[None]:
        yield from call(self._end)

    def _end(self) -> None:
        self.under_way.wait(5)
        raise KeyboardInterrupt

    def run(self, sibling: Callable[[int], Flow[None]]) -> float:
        """Give the seconds until the interruption has come through."""
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            self.driver.run(gather([self.ends(), *map(sibling, range(3))]))
        return time.monotonic() - began


@pytest.mark.parametrize(("status", "seen"), [(200, "Response"), (503, "Unreachable"), (429, "Throttled")])
def test_interrupted_gathered_flows_end_the_try_that_is_under_way_and_no_other(account, status, seen):
    scene = Interrupted(status)

    def sibling(number: int) -> Flow[None]:
        try:
            response = yield from send(Request(account, "GET", f"/{number}"))
            scene.log.append(type(response).__name__)
        except CrmBridgeError as error:
            scene.log.append(type(error).__name__)
        try:
            yield from send(Request(account, "GET", "/next"))
        finally:
            yield from call(scene.log.append, "released")

    assert scene.run(sibling) < 5
    assert sorted(scene.sent) == ["/0", "/1", "/2"]
    assert sorted(scene.log) == sorted([seen, "released"] * 3)


def test_interrupted_gathered_flows_do_not_wait_any_longer_nor_do_those_inside_them(account):
    scene = Interrupted(200)

    def waits() -> Flow[None]:
        scene.under_way.wait(5)
        yield from pause(60)
        scene.log.append("never")

    def sibling(number: int) -> Flow[None]:
        return gather([waits(), pause(60)]) if number else waits()

    assert scene.run(sibling) < 5
    assert scene.log == []


def test_the_error_of_a_gathered_flow_lets_its_siblings_wait_and_send_on(account):
    driver = Driver(transport=httpx.MockTransport(lambda _: httpx.Response(200)), workers=4)
    log: list[str] = []

    def fails() -> Flow[None]:
        yield from pause(0.0)
        raise LookupError

    def goes_on() -> Flow[None]:
        with suppress(LookupError):
            yield from gather([fails(), fails()])
        yield from pause(0.05)
        yield from send(Request(account, "GET", "/x"))
        log.append("sent")

    with pytest.raises(LookupError):
        driver.run(gather([fails(), goes_on(), goes_on()]))
    assert log == ["sent", "sent"]
