"""Flows are performed the same by both drivers: effects in order, errors thrown in, cleanup done, siblings settled."""

import asyncio
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import attrs
import httpx
import pytest

from crmbridge.credentials import ClientCredentials
from crmbridge.drive import AsyncDriver, Driver, SystemClock
from crmbridge.errors import NoFlow, Unreachable
from crmbridge.flow import Call, Flow, RateBudget, Repeat, Request, call, done, gather, pause, send
from crmbridge.protocols import Event
from crmbridge.testing.sim import ManualClock, SimulatedCrash

OWN = "https://own.example"


def ok(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"ok": True})


def test_a_flow_gets_the_answer_to_each_effect_and_its_value_comes_out(drive, account):
    def flow() -> Flow[tuple[object, ...]]:
        response = yield from send(Request(account, "GET", "/x"))
        nothing = yield from pause(90)
        called = yield from call(divmod, 7, 2)
        both = yield from gather([done(1), call(int, "2")])
        return response.body, nothing, called, both

    clock = ManualClock()
    assert drive(ok, clock=clock).run(flow()) == ({"ok": True}, None, (3, 1), [1, 2])
    assert clock.monotonic() == 90


def test_a_flow_that_needs_nothing_is_performed(drive):
    assert drive(ok).run(done("x")) == "x"


def test_what_a_flow_yields_and_is_no_effect_is_refused_by_what_it_is(drive):
    def flow() -> Flow[None]:
        yield {"a": 1}

    with pytest.raises(NoFlow, match="a flow yields dict, which is no effect"):
        drive(ok).run(flow())


def test_an_error_is_thrown_into_the_flow_where_it_can_be_caught(drive):
    def flow() -> Flow[str]:
        try:
            yield from call(int, "x")
        except ValueError as error:
            yield from pause(1)
            return type(error).__name__
        return "no error"

    assert drive(ok).run(flow()) == "ValueError"


@pytest.mark.parametrize("fatal", [SimulatedCrash, KeyboardInterrupt, SystemExit, asyncio.CancelledError, RuntimeError])
@pytest.mark.parametrize("place", ["transport", "call"])
def test_what_no_driver_may_hold_back_passes_through_and_lets_the_flow_clean_up(drive, account, fatal, place):
    cleaned: list[str] = []
    sent: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request.url.path)
        if request.url.path == "/x":
            raise fatal
        return httpx.Response(200)

    def fail() -> None:
        raise fatal

    def flow() -> Flow[None]:
        try:
            yield Request(account, "GET", "/x") if place == "transport" else Call(fail)
        finally:
            yield Request(account, "GET", "/cleanup")
            cleaned.append("yes")

    hands = drive(handler)
    if hands._loop is None or issubclass(fatal, Exception) or fatal is SimulatedCrash:
        with pytest.raises(fatal):
            hands.run(flow())
    else:
        # An event loop is stopped by these before the task ends; the task itself is looked at.
        steps = hands.driver.run(flow())
        with pytest.raises(fatal):
            _alone(steps)
    assert sent == (["/x", "/cleanup"] if place == "transport" else ["/cleanup"])
    assert cleaned == ["yes"]


def _alone(steps: object) -> None:
    """Run a coroutine in a loop of its own and let through what ends a loop."""
    with asyncio.Runner() as runner:
        runner.run(steps)


@pytest.mark.parametrize("workers", [1, 3])
def test_gathered_flows_answer_in_their_order_whoever_ends_first(drive, workers):
    def flow(number: int) -> Flow[int]:
        yield from call(time.sleep, 0.02 * (4 - number))
        return number

    assert drive(ok, workers=workers).run(gather([flow(number) for number in range(5)])) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("workers", [1, 4])
def test_when_a_gathered_flow_raises_the_first_error_rises_and_siblings_finish_or_are_cancelled(drive, workers):
    ended: list[str] = []

    def bad() -> Flow[None]:
        yield from pause(0)
        raise Unreachable("shop", "first", may_have_arrived=False)

    def good() -> Flow[None]:
        try:
            yield from pause(0)
            yield from call(time.sleep, 0.02)
            yield from call(time.sleep, 0.02)
            ended.append("finished")
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    hands = drive(ok, workers=workers)
    with pytest.raises(Unreachable, match="first"):
        hands.run(gather([good(), bad(), good()]))
    if hands.kind == "blocking":
        assert ended == ["finished", "finished"]
    else:
        assert ended == ["finished" if workers == 1 else "cancelled", "cancelled"]


def test_a_crash_in_a_gathered_flow_comes_out_as_itself(drive, account):
    def crash(_: httpx.Request) -> httpx.Response:
        raise SimulatedCrash

    for workers in (1, 3):
        with pytest.raises(SimulatedCrash):
            drive(crash, workers=workers).run(gather([send(Request(account, "GET", "/x")) for _ in range(3)]))


def test_gathered_flows_run_at_most_limit_at_once(drive):
    running, most, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1

    drive(ok, workers=8).run(gather([call(work) for _ in range(12)], limit=3))
    assert most == 3


def test_a_system_sees_no_more_requests_at_once_than_its_account_allows(account):
    running, most, lock = 0, 0, threading.Lock()

    def slow(_: httpx.Request) -> httpx.Response:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1
        return httpx.Response(200)

    narrow = attrs.evolve(account, concurrency=2)
    driver = Driver(transport=httpx.MockTransport(slow), workers=8)
    driver.run(gather([send(Request(narrow, "GET", "/x")) for _ in range(12)], limit=8))
    assert most == 2


def test_awaited_a_system_sees_no_more_requests_at_once_than_its_account_allows(account):
    running = most = 0

    async def slow(_: httpx.Request) -> httpx.Response:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return httpx.Response(200)

    narrow = attrs.evolve(account, concurrency=2)
    driver = AsyncDriver(transport=httpx.MockTransport(slow))
    asyncio.run(driver.run(gather([send(Request(narrow, "GET", "/x")) for _ in range(12)], limit=8)))
    assert most == 2


def test_cancelled_an_awaited_flow_cleans_up_after_the_call_it_waited_for():
    log: list[str] = []

    def flow() -> Flow[None]:
        try:
            yield from call(lambda: (time.sleep(0.1), log.append("committed")))
        finally:
            yield from call(log.append, "released")

    async def scenario() -> None:
        task = asyncio.create_task(AsyncDriver().run(flow()))
        await asyncio.sleep(0.03)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
    assert log == ["committed", "released"]


def test_cancelled_while_sending_an_awaited_flow_ends_at_once_and_sends_nothing_more(account):
    sent: list[str] = []

    async def stuck(request: httpx.Request) -> httpx.Response:
        sent.append(request.url.path)
        await asyncio.sleep(60)
        return httpx.Response(200)

    async def scenario() -> None:
        driver = AsyncDriver(transport=httpx.MockTransport(stuck))
        task = asyncio.create_task(driver.run(send(Request(account, "GET", "/x"))))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
    assert sent == ["/x"]


def test_an_awaited_request_ends_at_its_deadline(account):
    async def stuck(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        return httpx.Response(200)

    short = attrs.evolve(account, timeout=0.05)
    driver = AsyncDriver(transport=httpx.MockTransport(stuck))
    with pytest.raises(Unreachable) as lost:
        asyncio.run(driver.run(send(Request(short, "POST", "/x", repeat=Repeat.UNSAFE))))
    assert lost.value.may_have_arrived


def test_pauses_of_the_system_clock_are_real(drive):
    began = time.monotonic()
    drive(ok, clock=None).run(pause(0.05))
    assert time.monotonic() - began >= 0.05


class Diary:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[Event] = []

    def saw(self, event: Event) -> None:
        self.told.append(event)


def test_an_observer_is_told_of_repeats_waits_and_renewals(drive, account):
    answers = iter([httpx.Response(200, json={"access_token": "t"}), httpx.Response(503), httpx.Response(200)])
    entered = attrs.evolve(
        account, credential=ClientCredentials(f"{OWN}/token", "c", "s"), budgets={"default": RateBudget(2, 1)}
    )
    diary = Diary()
    drive(lambda _: next(answers), observer=diary).run(send(Request(entered, "GET", "/x")))
    assert [event.name for event in diary.told] == ["token_renewed", "request_repeated", "budget_waited"]
    assert diary.told[1].facts["system"] == "shop"
    assert diary.told[1].facts["tries"] == 1


def test_an_observer_is_told_how_long_a_repeat_waits_and_which_try_it_follows(drive, account):
    tired = [httpx.Response(503, headers={"retry-after": seconds}) for seconds in ("7", "9")]
    answers = iter([*tired, httpx.Response(200)])
    diary = Diary()
    drive(lambda _: next(answers), observer=diary).run(send(Request(account, "GET", "/x")))
    assert [event.facts for event in diary.told] == [
        {"system": "shop", "tries": 1, "wait_ms": 7000},
        {"system": "shop", "tries": 2, "wait_ms": 9000},
    ]


class SharedBudgets:
    """A store's budgets: tells of every question."""

    def __init__(self) -> None:
        self.log: list[tuple[object, ...]] = []

    def spend(self, account: str, lane: str, budget: RateBudget, cost: int, now: float) -> float:
        self.log.append(("spend", account, lane, cost, now))
        return 5.0

    def hold(self, account: str, lane: str, until: float) -> None:
        self.log.append(("hold", account, lane, until))


def test_budgets_are_shared_through_the_store_and_a_wish_to_wait_is_told_to_all(drive, account):
    budgets, clock = SharedBudgets(), ManualClock()
    answers = iter([httpx.Response(429, headers={"retry-after": "60"}), httpx.Response(200), httpx.Response(200)])
    began = clock.now().timestamp()
    paced = attrs.evolve(account, budgets={"search": RateBudget(10)})
    hands = drive(lambda _: next(answers), store=SimpleNamespace(tokens=None, budgets=budgets), clock=clock)
    hands.run(send(Request(paced, "GET", "/x", lane="search", cost=3)))
    assert budgets.log == [
        ("spend", "shop", "search", 3, began),
        ("hold", "shop", "search", began + 65),
        ("spend", "shop", "search", 3, began + 65),
    ]
    assert clock.now().timestamp() == began + 70
    hands.run(send(Request(paced, "GET", "/x")))
    assert len(budgets.log) == 3


def test_the_system_clock_tells_utc_and_never_goes_back():
    clock = SystemClock()
    assert clock.now().utcoffset().total_seconds() == 0
    assert clock.monotonic() <= clock.monotonic()


def test_importing_the_drivers_imports_neither_httpx_nor_tenacity_until_one_is_wanted():
    program = (
        "import sys, crmbridge.drive as drive\n"
        "assert drive.SystemClock and not {'httpx', 'tenacity', 'asyncio'} & set(sys.modules), 'too early'\n"
        "assert dir(drive) == ['AsyncDriver', 'Driver', 'SystemClock']\n"
        "drive.Driver; drive.AsyncDriver\n"
        "assert {'httpx', 'tenacity'} <= set(sys.modules)\n"
        "try: drive.Pilot\n"
        "except AttributeError as error: assert 'Pilot' in str(error)\n"
        "else: raise SystemExit('a name that is none')\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_making_a_driver_opens_nothing():
    assert Driver()._held.network is None
    assert AsyncDriver()._held is None
