"""What is tried again, how often, after how long, and what the flow is told when nothing helped."""

import datetime as dt
import random
from collections import Counter
from email.utils import format_datetime

import attrs
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.drive import Driver
from crmbridge.drive._intake import Answer, Lost
from crmbridge.drive._retry import Allowance, worth_repeating
from crmbridge.drive._throttle import LONGEST, retry_after
from crmbridge.errors import Throttled, Unreachable
from crmbridge.flow import Account, RateBudget, Repeat, Request, RequestOutcome, gather, send
from crmbridge.testing.sim import ManualClock

SLOW_DOWN = [420, 429]
UNWELL = [408, 500, 502, 503, 504, 521, 523, 524]
NOT_SENT = [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError]
UNKNOWN = [
    httpx.ReadTimeout,
    httpx.ReadError,
    httpx.WriteError,
    httpx.WriteTimeout,
    httpx.RemoteProtocolError,
    httpx.CloseError,
]


class Script:
    """Answers with what stands in the script, then 200; an exception's type is raised."""

    def __init__(self, *items: int | httpx.Response | type[httpx.TransportError]) -> None:
        self.items = list(items)
        self.at: list[float] = []
        self.clock = ManualClock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.at.append(self.clock.monotonic())
        item = self.items.pop(0) if self.items else 200
        if isinstance(item, httpx.Response):
            return item
        if isinstance(item, int):
            return httpx.Response(item)
        raise item("canary", request=request)


def slow_down(value: str, status: int = 429) -> httpx.Response:
    return httpx.Response(status, headers={"retry-after": value})


def told(drive, account, script, repeat=Repeat.SAFE, **given):
    return drive(script, clock=script.clock, **given).run(send(Request(account, "POST", "/x", repeat=repeat)))


@pytest.mark.parametrize("error", NOT_SENT)
@pytest.mark.parametrize("repeat", Repeat)
def test_what_was_never_sent_is_tried_again_whatever_it_is(drive, account, error, repeat):
    script = Script(error, error)
    assert told(drive, account, script, repeat).status == 200
    assert len(script.at) == 3


@pytest.mark.parametrize("trouble", [*UNKNOWN, *UNWELL])
def test_what_may_have_been_done_is_tried_again_where_that_is_safe(drive, account, trouble):
    script = Script(trouble)
    assert told(drive, account, script).status == 200
    assert len(script.at) == 2


@pytest.mark.parametrize("trouble", [*UNKNOWN, *UNWELL])
def test_an_unsafe_request_that_may_have_been_done_is_sent_once(drive, account, trouble):
    script = Script(trouble)
    with pytest.raises(Unreachable) as lost:
        told(drive, account, script, Repeat.UNSAFE)
    assert lost.value.may_have_arrived
    assert lost.value.__context__ is None
    assert len(script.at) == 1


@pytest.mark.parametrize("status", SLOW_DOWN)
@pytest.mark.parametrize("repeat", Repeat)
def test_a_request_refused_for_its_pace_is_tried_again_whatever_it_is(drive, account, status, repeat):
    script = Script(status, status)
    assert told(drive, account, script, repeat).status == 200


@pytest.mark.parametrize("error", NOT_SENT)
def test_what_never_arrived_is_told_so_in_the_end(drive, account, error):
    script = Script(*[error] * 9)
    with pytest.raises(Unreachable) as lost:
        told(drive, account, script, Repeat.UNSAFE)
    assert not lost.value.may_have_arrived
    assert len(script.at) == 5


def test_one_lost_answer_among_refused_connections_still_may_have_arrived(drive, account):
    script = Script(httpx.ReadTimeout, *[httpx.ConnectError] * 9)
    with pytest.raises(Unreachable) as lost:
        told(drive, account, script)
    assert lost.value.may_have_arrived


@pytest.mark.parametrize(
    "status", [200, 201, 204, 207, 300, 302, 304, 400, 401, 403, 404, 405, 409, 410, 412, 413, 422, 423, 501, 505, 522]
)
def test_any_other_status_is_the_adapters_to_read(drive, account, status):
    script = Script(status)
    assert told(drive, account, script).status == status
    assert len(script.at) == 1


@given(st.integers(0, 2**32))
def test_waits_are_bounded_grow_and_are_spread(seed):
    script = Script(*[503] * 9)
    driver = Driver(transport=httpx.MockTransport(script), clock=script.clock, seed=seed)
    with pytest.raises(Unreachable):
        driver.run(send(Request(Account("shop", "https://own.example"), "GET", "/x")))
    waits = [after - before for before, after in zip(script.at, script.at[1:], strict=False)]
    assert len(waits) == 4
    assert all(0 <= wait <= 0.5 * 2**number for number, wait in enumerate(waits, 1))
    assert len(set(waits)) == len(waits)


@pytest.mark.parametrize(("said", "seconds"), [("7", 7.0), ("0", 0.0), ("2.5", 2.5)])
def test_retry_after_in_seconds_is_followed(drive, account, said, seconds):
    script = Script(slow_down(said))
    assert told(drive, account, script).status == 200
    assert script.at[1] >= seconds


def test_retry_after_of_a_503_is_followed_too(drive, account):
    script = Script(slow_down("20", 503))
    assert told(drive, account, script).status == 200
    assert script.at[1] >= 20


def test_a_retry_after_date_is_counted_from_the_systems_own_clock(drive, account):
    theirs = dt.datetime(2031, 5, 1, tzinfo=dt.UTC)
    headers = {
        "date": format_datetime(theirs, usegmt=True),
        "retry-after": format_datetime(theirs + dt.timedelta(seconds=30), usegmt=True),
    }
    script = Script(httpx.Response(429, headers=headers))
    assert told(drive, account, script).status == 200
    assert 30 <= script.at[1] < 31


@pytest.mark.parametrize(
    "said", ["999999999", "-5", "soon", "", "1e3", "٣", "9" * 5_000, "Mon, 99 Foo 2026 99:99:99 GMT", "\x00"]
)
def test_a_retry_after_without_sense_is_not_followed(said):
    assert retry_after({"retry-after": said}, dt.datetime(2026, 1, 5, tzinfo=dt.UTC)) is None


@given(
    st.text() | st.datetimes(timezones=st.just(dt.UTC)).map(lambda at: format_datetime(at, usegmt=True)),
    st.text(max_size=40),
)
def test_whatever_a_system_asks_for_the_wait_is_bounded(said, date):
    asked = retry_after({"retry-after": said, "date": date}, dt.datetime(2026, 1, 5, tzinfo=dt.UTC))
    assert asked is None or 0 <= asked <= LONGEST


def test_a_wish_to_wait_longer_than_we_do_is_told_at_once(drive, account):
    script = Script(slow_down("3600"))
    with pytest.raises(Throttled) as slowed:
        told(drive, account, script)
    assert slowed.value.until == script.clock.now() + dt.timedelta(seconds=LONGEST)
    assert script.clock.monotonic() == 0


def test_throttled_in_the_end_tells_until_when(drive, account):
    script = Script(*[slow_down("10")] * 9)
    with pytest.raises(Throttled) as slowed:
        told(drive, account, script)
    assert slowed.value.until == script.clock.now() + dt.timedelta(seconds=10)
    assert slowed.value.status == 429
    assert len(script.at) == 5


@given(st.lists(st.integers(0, 90), min_size=9, max_size=9), st.integers(0, 99))
def test_no_try_begins_after_two_minutes(asked, seed):
    script = Script(*[slow_down(str(seconds)) for seconds in asked])
    driver = Driver(transport=httpx.MockTransport(script), clock=script.clock, seed=seed)
    with pytest.raises(Throttled):
        driver.run(send(Request(Account("shop", "https://own.example"), "GET", "/x")))
    assert max(script.at) <= 120


def test_a_try_begins_at_two_minutes_but_not_later(drive, account):
    script = Script(slow_down("60"), slow_down("60"), slow_down("60"))
    with pytest.raises(Throttled):
        told(drive, account, script)
    assert script.at == [0, 60, 120]


def test_an_outage_is_not_answered_with_a_storm(drive, account):
    script = Script(*[503] * 10_000)
    hands = drive(script, clock=script.clock)
    for _ in range(100):
        with pytest.raises(Unreachable):
            hands.run(send(Request(account, "GET", "/x")))
    assert 100 + 9 + 10 <= len(script.at) <= 100 + 100 * 0.1 + 10


@given(st.lists(st.booleans(), max_size=400))
def test_repeats_are_one_in_ten_and_ten_more(steps):
    allowance, requests, repeats = Allowance(), 0, 0
    for request in steps:
        if request:
            allowance.earn()
            requests += 1
        else:
            repeats += allowance.take()
    assert repeats <= requests * 0.1 + 10


def test_ten_repeats_are_there_from_the_start_and_one_more_comes_with_ten_requests():
    allowance = Allowance()
    assert [allowance.take() for _ in range(11)] == [True] * 10 + [False]
    for _ in range(11):
        allowance.earn()
    assert [allowance.take() for _ in range(2)] == [True, False]


def test_a_long_good_time_saves_a_hundred_repeats_and_no_more():
    allowance = Allowance()
    for _ in range(10_000):
        allowance.earn()
    assert sum(allowance.take() for _ in range(200)) == 100


def test_a_hold_stops_the_others_of_its_lane_and_no_other_lane(drive, account):
    script = Script(slow_down("40"))
    hands = drive(script, clock=script.clock)
    hands.run(send(Request(account, "GET", "/x")))
    first = script.at[1]
    assert first >= 40
    script.items.append(slow_down("3000"))
    with pytest.raises(Throttled):
        hands.run(send(Request(account, "GET", "/x")))
    before = script.clock.monotonic()
    hands.run(send(Request(account, "GET", "/x", lane="search")))
    assert script.clock.monotonic() == before
    hands.run(send(Request(account, "GET", "/x")))
    assert script.clock.monotonic() == pytest.approx(before + LONGEST)


@given(
    st.integers(2, 40),
    st.floats(0.5, 20),
    st.lists(st.tuples(st.integers(1, 2), st.floats(0, 3)), min_size=1, max_size=80),
)
def test_no_sliding_window_sees_more_than_the_budget(capacity, per, asks):
    script = Script()
    account = Account("shop", "https://own.example", budgets={"default": RateBudget(capacity, per)})
    driver = Driver(transport=httpx.MockTransport(script), clock=script.clock)
    spent: list[tuple[float, int]] = []
    for cost, idle in asks:
        try:
            driver.run(send(Request(account, "GET", "/x", cost=cost)))
        except Throttled:
            continue
        spent.append((script.at[-1], cost))
        script.clock.advance(idle)
    for begin, _ in spent:
        assert sum(cost for at, cost in spent if begin <= at < begin + per - 1e-6) <= capacity


def test_a_budget_used_up_for_long_is_told_and_not_slept_away(drive, account):
    script = Script()
    slow = attrs.evolve(account, budgets={"default": RateBudget(2, per=86_400)})
    hands = drive(script, clock=script.clock)
    hands.run(send(Request(slow, "GET", "/x")))
    with pytest.raises(Throttled, match="budget of default"):
        hands.run(send(Request(slow, "GET", "/x")))
    assert script.clock.monotonic() == 0


def test_a_hundred_requests_at_once_keep_to_the_budget(drive, account):
    script = Script()
    paced = attrs.evolve(account, budgets={"default": RateBudget(10, per=1)}, concurrency=3)
    drive(script, clock=script.clock).run(gather([send(Request(paced, "GET", "/x")) for _ in range(100)], limit=20))
    seconds = Counter(int(at) for at in script.at)
    assert max(seconds.values()) <= 10
    assert sum(seconds.values()) == 100


@given(st.sampled_from(Repeat), st.integers(100, 599), st.sampled_from(RequestOutcome))
def test_an_unsafe_request_is_only_repeated_where_it_was_surely_not_done(repeat, status, outcome):
    again = worth_repeating(Answer(status, {}, b""), repeat)
    assert again == (status in SLOW_DOWN or (repeat is Repeat.SAFE and status in UNWELL))
    assert worth_repeating(Lost(outcome, ""), Repeat.UNSAFE) == (outcome is RequestOutcome.NOT_SENT)


def test_the_same_seed_waits_the_same(account):
    def waits(seed: int) -> list[float]:
        script = Script(503, 503, 503)
        Driver(transport=httpx.MockTransport(script), clock=script.clock, seed=seed).run(
            send(Request(account, "GET", "/x"))
        )
        return script.at

    first = random.Random(1).randrange(1_000)
    assert waits(first) == waits(first) != waits(first + 1)
