"""Each fault is shown as a client meets it, on every face, and as often as it was ordered."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.testing.faults import GENERAL, FaultPlan, Rule, parse
from crmbridge.testing.server import FakeServer


class Counter(FakeServer):
    """A system that counts the requests that it applied."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.applied = 0

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.applied += 1
        return httpx.Response(200, json={"applied": self.applied, "filler": "x" * 100})


def client(fake: FakeServer) -> httpx.Client:
    return httpx.Client(transport=fake.transport(), base_url="https://counter.example")


def test_rules_are_read_from_the_text_of_the_command_line():
    assert parse("F04@0.1, F07:3/POST /services,F08") == (
        Rule("F04", probability=0.1),
        Rule("F07", times=3, method="POST", path="/services"),
        Rule("F08"),
    )


@pytest.mark.parametrize(
    "part", ["F4", "F04@2", "F04@1.5", "F04@", "F04:x", "F04/POST", "F04 /POST /", "f04", "F04@0.5:2:3"]
)
def test_a_rule_that_cannot_be_read_is_named_and_the_form_is_shown(part: str):
    with pytest.raises(ValueError, match="the form is ID") as wrong:
        parse(f"F03,{part}")
    assert repr(part) in str(wrong.value)


@pytest.mark.parametrize("unknown", ["F01", "F99", "F32"])
def test_a_fault_that_the_fake_cannot_show_is_refused(unknown: str):
    with pytest.raises(ValueError, match=f"'{unknown}' is no fault of this fake"):
        FakeServer().faults.add(unknown)


@given(
    st.sampled_from(sorted(GENERAL)),
    st.integers(0, 100),
    st.integers(0, 9),
    st.sampled_from(["GET", "*"]),
    st.text("ab/", max_size=5),
)
def test_a_rule_survives_the_way_through_text(id: str, percent: int, times: int, method: str, path: str):
    text = f"{id}@{percent / 100}:{times}/{method} /{path}"
    assert parse(text) == (Rule(id, probability=percent / 100, times=times, method=method, path=f"/{path}"),)


@given(st.integers(0, 2**32), st.floats(0.1, 0.9))
def test_the_same_seed_gives_the_same_faults(seed: int, probability: float):
    request = httpx.Request("GET", "https://x.example/")
    runs = [
        [plan.fires("F04", request) for _ in range(50)]
        for plan in (FaultPlan([Rule("F04", probability)], seed=seed) for _ in "ab")
    ]
    assert runs[0] == runs[1]


def test_a_rule_meets_only_its_method_and_path_and_only_as_often_as_said():
    plan = FaultPlan([Rule("F03", times=2, method="POST", path="/a")])
    asked = [("GET", "/a"), ("POST", "/b"), ("POST", "/a/1"), ("POST", "/a"), ("POST", "/a")]
    assert [plan.fires("F03", httpx.Request(m, f"https://x.example{p}")) for m, p in asked] == [
        False,
        False,
        True,
        True,
        False,
    ]
    assert plan.fired == {"F03": 2}


def test_a_refused_connection_applies_nothing():
    fake = Counter()
    fake.faults.refuse_connection()
    with client(fake) as c:
        with pytest.raises(httpx.ConnectError):
            c.post("/")
        assert c.post("/").json()["applied"] == 1


@pytest.mark.parametrize(("way", "error"), [("timeout", httpx.ReadTimeout), ("reset", httpx.ReadError)])
def test_a_lost_answer_was_applied(way: Any, error: type[Exception]):
    fake = Counter()
    fake.faults.lose_answer(to="POST", way=way)
    with client(fake) as c:
        c.get("/")
        with pytest.raises(error):
            c.post("/")
        assert c.post("/").json()["applied"] == 3


def test_a_lost_answer_over_a_port_is_a_connection_that_closes():
    fake = Counter()
    fake.faults.lose_answer()
    with fake.serve() as base, pytest.raises(httpx.RemoteProtocolError):
        httpx.post(base)
    assert fake.applied == 1


def test_a_late_request_is_applied_when_its_time_has_come_or_when_things_settle():
    now = datetime(2026, 11, 21, tzinfo=UTC)
    fake = Counter(now=lambda: now)
    fake.faults.apply_late(seconds=60, to="POST", times=2)
    with client(fake) as c:
        with pytest.raises(httpx.ReadTimeout):
            c.post("/")
        assert c.get("/").json()["applied"] == 1
        now += timedelta(seconds=61)
        assert c.get("/").json()["applied"] == 3
        with pytest.raises(httpx.ReadTimeout):
            c.post("/")
    fake.settle()
    assert fake.applied == 4


@pytest.mark.parametrize(
    ("way", "status", "wait"),
    [
        ("silent", 429, None),
        ("seconds", 429, "7"),
        ("date", 429, "Sat, 21 Nov 2026 00:00:07 GMT"),
        ("absurd", 429, "999999999"),
        ("daily", 403, None),
    ],
)
def test_a_throttled_request_says_when_to_come_back_in_each_way(way: Any, status: int, wait: str | None):
    fake = Counter(now=lambda: datetime(2026, 11, 21, tzinfo=UTC))
    fake.faults.throttle(way=way, seconds=7)
    with client(fake) as c:
        answer = c.post("/")
    assert (answer.status_code, answer.headers.get("retry-after"), fake.applied) == (status, wait, 0)


@pytest.mark.parametrize("applied", [False, True])
@pytest.mark.parametrize("status", [200, 500, 503])
def test_an_error_page_comes_before_or_after_the_request_was_applied(status: int, *, applied: bool):
    fake = Counter()
    fake.faults.fail(status, applied=applied)
    with client(fake) as c:
        answer = c.post("/")
    assert (answer.status_code, answer.headers["content-type"][:9], fake.applied) == (status, "text/html", int(applied))


def test_a_damaged_body_is_empty_or_broken_or_of_another_type():
    fake = Counter()
    with client(fake) as c:
        fake.faults.damage("empty")
        assert c.get("/").content == b""
        fake.faults.damage("type")
        assert c.get("/").headers["content-type"] == "text/plain"
        fake.faults.damage("json")
        with pytest.raises(json.JSONDecodeError):
            c.get("/").json()
        fake.faults.damage("truncated")
        with pytest.raises(httpx.RemoteProtocolError):
            c.get("/")
    assert fake.applied == 4


def test_a_truncated_body_over_a_port_ends_before_its_length():
    fake = Counter()
    fake.faults.damage("truncated")
    with fake.serve() as base, pytest.raises(httpx.RemoteProtocolError):
        httpx.get(base)


def test_a_bomb_is_small_on_the_wire_and_large_when_opened():
    fake = Counter()
    fake.faults.swell(5, times=2)
    with fake.serve() as base:
        with httpx.stream("GET", base) as answer:
            packed = b"".join(answer.iter_raw())
        assert len(packed) < 50_000
        assert len(httpx.get(base).content) == 5_000_000


def test_a_rule_without_a_way_takes_every_way_in_turn_of_its_random_numbers():
    fake = Counter(seed=3)
    fake.faults.add("F08")
    with client(fake) as c:
        seen = {c.get("/").status_code for _ in range(60)}
    assert seen == {200, 500, 502, 503, 504}
    assert fake.faults.fired["F08"] == 60


def test_clearing_the_plan_lets_everything_go_well():
    fake = Counter()
    fake.faults.add("F03,F07")
    fake.faults.clear()
    with client(fake) as c:
        assert c.get("/").status_code == 200
