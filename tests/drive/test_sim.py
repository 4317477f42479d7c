"""The simulation: virtual time, an order by seed, and a process that is dead once it has died."""

import datetime as dt

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.errors import Unreachable, UsageError
from crmbridge.flow import Account, Flow, Request, call, gather, pause, send
from crmbridge.testing.sim import ManualClock, SimDriver, SimulatedCrash

ACCOUNT = Account("shop", "https://own.example")


class World:
    """What outlives the process: the log of what reached it."""

    def __init__(self, *statuses: int) -> None:
        self.log: list[str] = []
        self._statuses = list(statuses)
        self.transports = {"https://own.example": httpx.MockTransport(self._handle)}

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.log.append(request.url.path)
        return httpx.Response(self._statuses.pop(0) if self._statuses else 200)

    def flow(self, name: str, steps: int = 3) -> Flow[str]:
        for number in range(steps):
            yield from send(Request(ACCOUNT, "GET", f"/{name}{number}"))
            yield from pause(10)
            yield from call(self.log.append, f"{name}{number} saved")
        return name


def test_a_clock_stands_still_until_it_is_advanced():
    clock = ManualClock()
    assert clock.now() == dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
    clock.advance(1.5)
    clock.advance(dt.timedelta(days=1))
    assert clock.now() == dt.datetime(2026, 1, 6, 0, 0, 1, 500_000, tzinfo=dt.UTC)
    assert clock.monotonic() == 86_401.5


@pytest.mark.parametrize("by", [-1, dt.timedelta(seconds=-1), float("nan")])
def test_a_clock_does_not_go_back(by):
    with pytest.raises(ValueError, match="forward"):
        ManualClock().advance(by)


def test_days_pass_in_no_time():
    world, clock = World(), ManualClock()
    assert SimDriver(transports=world.transports, clock=clock).run(world.flow("a")) == "a"
    assert clock.monotonic() == 30


def test_each_request_pause_and_call_counts_once_and_backoff_is_virtual():
    world, clock = World(503, 503), ManualClock()
    driver = SimDriver(transports=world.transports, clock=clock)
    driver.run(world.flow("a", steps=1))
    assert driver.effects == 3
    assert world.log == ["/a0", "/a0", "/a0", "a0 saved"]


def test_a_request_that_leads_nowhere_does_not_reach_the_network():
    with pytest.raises(UsageError, match="no transport for https://elsewhere"):
        SimDriver().run(send(Request(Account("x", "https://elsewhere.example"), "GET", "/")))


@pytest.mark.parametrize("last", range(1, 10))
def test_it_dies_before_or_after_each_effect_and_nothing_follows(last):
    whole = World()
    SimDriver(transports=whole.transports).run(whole.flow("a"))
    happened = []
    for given_ in ({"crash_before": last}, {"crash_after": last}):
        world = World()
        driver = SimDriver(transports=world.transports, **given_)
        with pytest.raises(SimulatedCrash):
            driver.run(world.flow("a"))
        assert driver.dead
        assert world.log == whole.log[: len(world.log)]
        happened.append(len(world.log))
        with pytest.raises(SimulatedCrash):
            driver.run(call(world.log.append, "after death"))
        assert "after death" not in world.log
    before, after = happened
    assert after - before == (0 if last % 3 == 2 else 1)


def test_a_crash_beyond_the_last_effect_never_comes():
    world = World()
    assert SimDriver(transports=world.transports, crash_before=10).run(world.flow("a")) == "a"


def test_cleanup_of_a_dead_process_reaches_nothing():
    world = World()

    def flow() -> Flow[None]:
        try:
            yield from send(Request(ACCOUNT, "GET", "/x"))
        except Exception:  # noqa: BLE001 - a crash is none of these
            yield from call(world.log.append, "caught")
        finally:
            yield from call(world.log.append, "cleaned")

    with pytest.raises(SimulatedCrash):
        SimDriver(transports=world.transports, crash_after=1).run(flow())
    assert world.log == ["/x"]


def test_a_crash_hits_even_where_the_effect_itself_failed():
    world = World(*[500] * 9)
    with pytest.raises(SimulatedCrash):
        SimDriver(transports=world.transports, crash_after=1).run(send(Request(ACCOUNT, "GET", "/x")))


def _nested(world: World) -> Flow[list[object]]:
    return gather([world.flow("a"), gather([world.flow("b"), world.flow("c")]), world.flow("d")], limit=3)


def _trace(seed: int) -> list[str]:
    world = World()
    answer = SimDriver(seed, transports=world.transports).run(_nested(world))
    assert answer == ["a", ["b", "c"], "d"]
    return world.log


@given(st.integers(0, 10_000))
def test_the_same_seed_gives_the_same_trace_and_each_flow_keeps_its_own_order(seed):
    log = _trace(seed)
    assert log == _trace(seed)
    for name in "abcd":
        own = [line for line in log if name in line.removesuffix(" saved")]
        assert own == [line for number in range(3) for line in (f"/{name}{number}", f"{name}{number} saved")]


def test_seeds_reach_many_orders_and_interleave_flows_inside_flows():
    traces = {tuple(_trace(seed)) for seed in range(30)}
    assert len(traces) > 25
    assert any(
        trace.index("/b0") < trace.index("/a1") < trace.index("/b2") and trace.index("/c0") < trace.index("b2 saved")
        for trace in traces
    )


def test_no_more_than_limit_flows_are_begun_at_once():
    for seed in range(20):
        world = World()
        SimDriver(seed, transports=world.transports).run(gather([world.flow(name) for name in "abcde"], limit=2))
        begun = ended = 0
        for line in world.log:
            begun += line.endswith("0") and line.startswith("/")
            ended += line.endswith("2 saved")
            assert begun - ended <= 2


def test_a_gathered_error_rises_when_the_siblings_have_finished():
    world = World(*[400, 200] * 3)

    def bad() -> Flow[None]:
        yield from pause(1)
        raise Unreachable("shop", "first", may_have_arrived=False)

    def caught() -> Flow[str]:
        try:
            yield from gather([world.flow("a"), bad(), world.flow("b")])
        except Unreachable as error:
            return str(error)
        return "no error"

    assert SimDriver(transports=world.transports).run(caught()) == "shop: first"
    assert len(world.log) == 12


def test_an_error_of_an_effect_reaches_the_gathered_flow_that_asked():
    def fails() -> Flow[str]:
        try:
            yield from call(int, "x")
        except ValueError:
            return "caught"
        return "not caught"

    assert SimDriver().run(gather([fails(), fails()])) == ["caught", "caught"]


@given(st.integers(1, 40), st.integers(0, 50))
def test_a_crash_among_gathered_flows_ends_them_all(last, seed):
    world = World()
    driver = SimDriver(seed, transports=world.transports, crash_after=last)
    try:
        driver.run(_nested(world))
    except SimulatedCrash:
        assert driver.effects == last
    else:
        assert driver.effects == 36 < last
