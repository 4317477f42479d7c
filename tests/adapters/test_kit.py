"""The kit: what a status, a broken body, a lost answer, an instant and a cursor become."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.errors import AdapterError, ContractBroken, NotAllowed, Refused, Throttled, Unreachable, UsageError
from crmbridge.flow import Account, Done, Flow, Json, Repeat, Request, Response, done, step
from crmbridge.kit import (
    answer,
    array,
    ask,
    instant,
    instant_member,
    member,
    open_cursor,
    retry_at,
    safe_code,
    seal,
    server_time,
    settle,
    table,
    utc_text,
)
from crmbridge.model import Action, Applied, Delete, Outcome, Postponed, RecordRef, Uncertain
from crmbridge.reasons import Code, because

ACCOUNT = Account("acme", "https://acme.test")
SECRET = "kim@example.test"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.just("id") | st.text(max_size=8), inner, max_size=4),
)


def answered(flow: Flow[Any], status: int, body: Any = None, **headers: str) -> Any:
    assert isinstance(step(flow), Request)
    outcome = step(flow, Response(status, headers, body))
    assert isinstance(outcome, Done)
    return outcome.value


def removals(count: int) -> list[Action]:
    return [Delete(RecordRef("acme", "person", str(n)), f"key-{n}", because(Code.REMOVED)) for n in range(count)]


def failing(error: Exception) -> Flow[Sequence[Outcome]]:
    raise error
    yield


def settled(batch: Sequence[Action], work: Flow[Sequence[Outcome]]) -> Sequence[Outcome]:
    outcome = step(settle(batch, work))
    assert isinstance(outcome, Done)
    return outcome.value


class TestAsking:
    def test_a_question_goes_out_as_it_was_asked(self) -> None:
        flow = ask(
            ACCOUNT, "POST", "/people", Json({"a": 1}), params={"q": "x"}, headers={"h": "y"}, key="k",
            repeat=Repeat.UNSAFE, lane="search", cost=3,
        )  # fmt: skip
        assert step(flow) == Request(
            ACCOUNT, "POST", "/people", {"q": "x"}, {"h": "y"}, Json({"a": 1}), key="k",
            repeat=Repeat.UNSAFE, lane="search", cost=3,
        )  # fmt: skip

    def test_asking_gives_the_body_and_answering_the_whole_response(self) -> None:
        assert answered(ask(ACCOUNT, "GET", "/people"), 200, {"a": 1}) == {"a": 1}
        assert answered(answer(ACCOUNT, "GET", "/people"), 204) == Response(204, {}, None)

    @pytest.mark.parametrize(
        ("status", "error"),
        [
            (400, Refused),
            (401, NotAllowed),
            (403, NotAllowed),
            (404, Refused),
            (429, Throttled),
            (500, Unreachable),
            (503, Unreachable),
        ],
    )
    def test_a_status_says_whose_turn_it_is_and_no_value_of_the_body(
        self, status: int, error: type[AdapterError]
    ) -> None:
        with pytest.raises(error) as raised:
            answered(ask(ACCOUNT, "GET", "/people"), status, {"message": f"{SECRET} is taken"})
        assert raised.value.status == status
        assert SECRET not in str(raised.value)

    def test_a_server_error_may_have_been_done(self) -> None:
        with pytest.raises(Unreachable) as raised:
            answered(ask(ACCOUNT, "POST", "/people"), 502)
        assert raised.value.may_have_arrived

    def test_a_throttled_question_says_until_when_by_the_clock_of_the_system(self) -> None:
        with pytest.raises(Throttled) as raised:
            answered(ask(ACCOUNT, "GET", "/"), 429, date="Sat, 21 Nov 2026 09:15:00 GMT", **{"retry-after": "90"})
        assert raised.value.until == dt.datetime(2026, 11, 21, 9, 16, 30, tzinfo=dt.UTC)

    def test_a_redirect_is_no_answer_to_a_question(self) -> None:
        with pytest.raises(ContractBroken):
            answered(ask(ACCOUNT, "GET", "/people"), 302, "<html>")

    def test_an_adapter_may_word_its_own_faults(self) -> None:
        with pytest.raises(ContractBroken, match="own words"):
            answered(ask(ACCOUNT, "GET", "/", fault=lambda _, __: ContractBroken("acme", "own words")), 404)

    @pytest.mark.parametrize("code", ["UNABLE_TO_LOCK_ROW", "rate_limit.daily", "E-17"])
    def test_a_code_is_told(self, code: str) -> None:
        assert safe_code(code) == code

    @pytest.mark.parametrize("text", [SECRET, "山田", "two words", "", "7", "A" * 81, None, 4, ["X"], "X\n"])
    def test_what_is_no_code_in_form_is_not_told(self, text: object) -> None:
        assert safe_code(text) == ""


class TestShapes:
    def test_a_member_of_the_promised_type_is_given(self) -> None:
        body = {"name": "山田", "count": 3, "done": False}
        assert (member("acme", body, "name", str), member("acme", body, "count", int)) == ("山田", 3)
        assert member("acme", body, "done", bool) is False

    @pytest.mark.parametrize("value", [None, "3", True, 3.0, [3]])
    def test_a_truth_value_or_a_text_is_no_number(self, value: object) -> None:
        with pytest.raises(ContractBroken, match="count is"):
            member("acme", {"count": value}, "count", int)

    @given(JSON)
    def test_any_json_either_has_the_shape_or_breaks_the_contract(self, body: Any) -> None:
        held = body.get("id") if isinstance(body, dict) else None
        for take, has_shape, there in (
            (lambda: table("acme", body), isinstance(body, dict), body),
            (lambda: array("acme", body), isinstance(body, list), body),
            (lambda: member("acme", body, "id", str), isinstance(held, str), held),
            (lambda: member("acme", body, "id", int), isinstance(held, int) and not isinstance(held, bool), held),
        ):
            if has_shape:
                assert take() is there
            else:
                with pytest.raises(ContractBroken):
                    take()

    @pytest.mark.parametrize("text", ["2026-11-21T09:15:00", "yesterday", "", "2026-13-01T00:00:00Z"])
    def test_an_instant_that_is_none_breaks_the_contract_without_being_quoted(self, text: str) -> None:
        with pytest.raises(ContractBroken) as raised:
            instant_member("acme", {"at": text}, "at")
        assert not text or text not in str(raised.value)


class TestSettling:
    def test_outcomes_come_through(self) -> None:
        batch = removals(2)
        outcomes = [Applied(action, RecordRef("acme", "person", "1")) for action in batch]
        assert settled(batch, done(outcomes)) == outcomes

    @pytest.mark.parametrize(
        "error", [Unreachable("acme", "gone", may_have_arrived=True), ContractBroken("acme", "no JSON")]
    )
    def test_what_may_have_been_done_is_uncertain_for_each_action(self, error: Exception) -> None:
        batch = removals(3)
        assert [(type(one), one.action) for one in settled(batch, failing(error))] == [(Uncertain, a) for a in batch]

    @pytest.mark.parametrize(
        "error", [Unreachable("acme", "gone", may_have_arrived=False), Throttled("acme", "slow", code="QUOTA")]
    )
    def test_what_was_surely_not_done_is_postponed(self, error: Exception) -> None:
        [outcome] = settled(removals(1), failing(error))
        assert isinstance(outcome, Postponed)
        assert outcome.reason.code is Code.BUSY

    @pytest.mark.parametrize("error", [Refused("acme", "no"), NotAllowed("acme", "no")])
    def test_a_refusal_of_the_whole_batch_rises(self, error: AdapterError) -> None:
        with pytest.raises(type(error)):
            settled(removals(1), failing(error))

    @pytest.mark.parametrize("told", [0, 1, 3])
    def test_too_few_or_too_many_outcomes_leave_the_whole_batch_uncertain(self, told: int) -> None:
        batch = removals(2)
        work = done([Applied(action, RecordRef("acme", "person", "1")) for action in removals(told)])
        assert [type(outcome) for outcome in settled(batch, work)] == [Uncertain, Uncertain]


class TestTimes:
    @pytest.mark.parametrize(
        "text", ["2026-11-21T09:15:00Z", "2026-11-21T09:15:00.000+0000", "2026-11-21T18:15:00+09:00"]
    )
    def test_every_way_to_write_a_zone_is_read_as_the_same_instant(self, text: str) -> None:
        assert instant(text) == dt.datetime(2026, 11, 21, 9, 15, tzinfo=dt.UTC)
        assert instant(text).tzinfo is dt.UTC

    @given(st.datetimes(timezones=st.sampled_from([dt.UTC, dt.timezone(dt.timedelta(hours=9))])))
    def test_what_is_written_is_read_back_but_for_what_is_finer_than_a_millisecond(self, at: dt.datetime) -> None:
        if at.year in (1, 9999):
            return
        kept = at.replace(microsecond=at.microsecond // 1000 * 1000)
        assert instant(utc_text(at)) == kept
        assert utc_text(at).endswith("Z")

    def test_an_instant_without_a_zone_is_none(self) -> None:
        with pytest.raises(ValueError, match="without a zone"):
            instant("2026-11-21T09:15:00")
        with pytest.raises(ValueError, match="without a zone"):
            utc_text(dt.datetime(2026, 11, 21))

    def test_an_instant_outside_the_calendar_is_none(self) -> None:
        with pytest.raises(ValueError, match="outside the calendar"):
            instant("0001-01-01T00:00:00+09:00")

    def test_the_clock_of_a_system_is_its_date_header(self) -> None:
        assert server_time({"date": "Sat, 21 Nov 2026 09:15:00 GMT"}) == dt.datetime(2026, 11, 21, 9, 15, tzinfo=dt.UTC)

    @pytest.mark.parametrize(
        "text", ["", "soon", "Sat, 99 Nov 2026 09:15:00 GMT", "21 Nov 2026 09:15:00 -0000", "\x00"]
    )
    def test_an_unreadable_date_is_unknown(self, text: str) -> None:
        assert server_time({"date": text}) is None

    def test_retry_after_may_be_a_date(self) -> None:
        at = retry_at({"retry-after": "Sat, 21 Nov 2026 09:15:00 GMT"})
        assert at == dt.datetime(2026, 11, 21, 9, 15, tzinfo=dt.UTC)

    @pytest.mark.parametrize("said", ["9" * 400, "-1", "soon", "", "９"])
    def test_an_absurd_retry_after_does_not_break_anything(self, said: str) -> None:
        found = retry_at({"retry-after": said, "date": "Fri, 31 Dec 9999 23:59:59 GMT"})
        assert found is None

    def test_seconds_without_a_date_are_unknown(self) -> None:
        assert retry_at({"retry-after": "90"}) is None


class TestCursors:
    @given(st.dictionaries(st.from_regex(r"[a-u][a-z]{0,5}", fullmatch=True), st.text(min_size=1) | st.just(True)))
    def test_what_was_sealed_is_opened(self, parts: dict[str, str | bool]) -> None:
        assert open_cursor("acme", seal(**parts)) == parts

    def test_the_same_parts_make_the_same_cursor_in_any_order(self) -> None:
        assert seal(place="9", line="2") == seal(line="2", place="9")

    def test_no_cursor_has_no_parts(self) -> None:
        assert open_cursor("acme", None) == {}

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "null",
            "[]",
            "{}",
            '{"v":2}',
            '{"v":1,"a":{}}',
            '{"v":1,"a":7}',
            '{"v":1,"a":1}',
            '{"v":1,"a":"b".upper()}',
            "[" * 10_000,
        ],
    )
    def test_a_cursor_of_somebody_else_is_refused(self, text: str) -> None:
        with pytest.raises(UsageError, match="acme: the cursor"):
            open_cursor("acme", text)
