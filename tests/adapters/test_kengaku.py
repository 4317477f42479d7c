"""Kengaku Cloud: an authenticated delivery is the record."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.adapters.kengaku import MOST_BYTES, Kengaku
from crmbridge.errors import ContractBroken, CrmBridgeError, ForgedDelivery, UsageError
from crmbridge.flow import Done, step
from crmbridge.model import Arrived, Delivery, Schema
from crmbridge.testing.fakes.kengaku import FakeKengaku

NOW = dt.datetime(2026, 11, 21, 9, 15, tzinfo=dt.UTC)
ENTRY: dict[str, Any] = {
    "id": "reservation-1",
    "event": "reservation",
    "at": "2026-11-21T18:15:00+09:00",
    "source": {"id": "event-1", "name": "来場予約会"},
    "customer": {"email": "kim@secret.test", "prefecture": "東京都"},
    "answers": [{"field": "ご計画", "code": "plan", "value": "新築"}],
    "page": {"url": "https://www.ie-miru.jp/e/1", "visit_cookie": "abc"},
}


@pytest.fixture
def fake() -> FakeKengaku:
    made = FakeKengaku(now=lambda: NOW)
    made.put("field", label="ご計画", code="plan")
    made.put("field", label="その他")
    made.put("event", name="来場予約会")
    answers = {"ご計画": "新築", "その他": "なし"}
    made.register("reservation", "event-1", email="kim@x.test", city="港区", answers=answers, page_visit_cookie="abc")
    return made


def signed(fake: FakeKengaku) -> Kengaku:
    return Kengaku.signed(fake.secret, answers=["plan"])


def opened(fake: FakeKengaku, delivery: Delivery, *, now: dt.datetime = NOW) -> Arrived:
    [arrived] = signed(fake).receive(delivery, now=now)
    assert isinstance(arrived, Arrived)
    return arrived


class TestTakingIn:
    def test_a_signed_delivery_is_the_record(self, fake: FakeKengaku) -> None:
        [delivery] = fake.deliveries()
        arrived = opened(fake, delivery)
        record = arrived.record
        assert (arrived.id, arrived.at) == ("reservation/reservation-1", NOW)
        assert str(record.ref) == "kengaku:reservation/reservation-1"
        expected = {
            "kind": "reservation",
            "source_id": "event-1",
            "source_name": "来場予約会",
            "contact.email": "kim@x.test",
            "contact.city": "港区",
            "contact.street": None,
            "answers.plan": "新築",
            "page.visit_cookie": "abc",
            "page.title": None,
        }
        assert {name: record.get(name) for name in expected} == expected

    def test_an_answer_without_a_code_is_left_out(self, fake: FakeKengaku) -> None:
        [delivery] = fake.deliveries()
        assert not [name for name in opened(fake, delivery).record.rows.fields if "その他" in name]

    @pytest.mark.parametrize("kind", ["reservation", "inquiry", "document_request"])
    def test_each_of_the_three_kinds_is_taken(self, kind: str) -> None:
        arrived = Kengaku().entry(ENTRY | {"event": kind})
        assert arrived.record.ref.kind == kind
        assert arrived.id == f"{kind}/reservation-1"

    def test_every_field_of_the_schema_stands_in_every_record(self) -> None:
        kengaku = Kengaku(answers=("plan", "budget"))
        outcome = step(kengaku.schema("inquiry"))
        assert isinstance(outcome, Done)
        assert isinstance(outcome.value, Schema)
        assert tuple(outcome.value.fields) == kengaku.entry(ENTRY).record.rows.fields

    def test_a_clock_of_the_sender_that_runs_ahead_does_not_put_the_entry_off(self, fake: FakeKengaku) -> None:
        [delivery] = fake.deliveries()
        early = NOW - dt.timedelta(minutes=4)
        assert opened(fake, delivery, now=early).at == early

    def test_a_delivery_may_bring_several_entries(self, fake: FakeKengaku) -> None:
        entries = json.dumps([ENTRY, ENTRY | {"id": "reservation-2"}]).encode()
        [delivery] = fake.deliveries()
        both = signed(fake).receive(fake.forged(delivery, key=fake.secret, body=entries), now=NOW)
        assert [one.id for one in both] == ["reservation/reservation-1", "reservation/reservation-2"]

    def test_a_file_of_json_lines_is_taken_and_names_a_line_that_is_none(self) -> None:
        lines = [json.dumps(ENTRY), "", json.dumps(ENTRY | {"id": "2"})]
        assert [one.record.ref.id for one in Kengaku().lines(lines)] == ["reservation-1", "2"]
        with pytest.raises(ContractBroken, match="line 4"):
            Kengaku().lines([*lines, "{"])

    def test_entries_never_change(self) -> None:
        assert Kengaku().capabilities("inquiry").appends_only
        assert not hasattr(Kengaku(), "read")
        with pytest.raises(UsageError, match="reservation"):
            Kengaku().capabilities("customer")


class TestAuthentication:
    def test_a_forged_delivery_is_refused(self, fake: FakeKengaku) -> None:
        [delivery] = fake.deliveries()
        for forged in (
            fake.forged(delivery),
            attrs.evolve(delivery, body=delivery.body.replace(b"kim", b"lee")),
            attrs.evolve(delivery, headers={}),
        ):
            with pytest.raises(ForgedDelivery):
                signed(fake).receive(forged, now=NOW)

    def test_an_old_delivery_is_refused_although_it_is_signed(self, fake: FakeKengaku) -> None:
        [delivery] = fake.deliveries()
        with pytest.raises(ForgedDelivery, match="old"):
            signed(fake).receive(delivery, now=NOW + dt.timedelta(minutes=6))

    def test_the_unguessable_address_lets_in_and_another_does_not(self, fake: FakeKengaku) -> None:
        kengaku = Kengaku.at_path(fake.secret)
        [delivery] = fake.deliveries(by="path")
        assert len(kengaku.receive(delivery, now=NOW)) == 1
        with pytest.raises(ForgedDelivery):
            kengaku.receive(fake.forged(delivery), now=NOW)

    def test_a_signed_delivery_does_not_enter_where_the_address_is_asked_for_nor_the_reverse(
        self, fake: FakeKengaku
    ) -> None:
        [by_header], [by_path] = fake.deliveries(again=True), fake.deliveries(again=True, by="path")
        with pytest.raises(ForgedDelivery):
            Kengaku.at_path(fake.secret).receive(by_header, now=NOW)
        with pytest.raises(ForgedDelivery):
            signed(fake).receive(by_path, now=NOW)

    def test_without_a_secret_nothing_is_received(self, fake: FakeKengaku) -> None:
        [delivery] = fake.deliveries()
        with pytest.raises(UsageError, match="secret"):
            Kengaku().receive(delivery, now=NOW)

    def test_the_secret_and_the_customer_are_never_shown(self, fake: FakeKengaku) -> None:
        [delivery] = fake.deliveries()
        for shown in (repr(signed(fake)), repr(opened(fake, delivery)), repr(delivery)):
            assert fake.secret not in shown
            assert "kim@x.test" not in shown


class TestHostileEntries:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"id": ""},
            {"id": None},
            {"id": 7},
            {"id": "a b"},
            {"id": "x" * 201},
            {"event": "customer"},
            {"at": "yesterday"},
            {"at": "2026-11-21T18:15:00"},
            {"at": None},
            {"source": None},
            {"source": {"id": 7}},
            {"customer": []},
            {"customer": {"email": 7}},
            {"customer": {"email": ["kim@secret.test"]}},
            {"answers": {"plan": "x"}},
            {"answers": ["x"]},
            {"answers": [{"code": "plan", "value": 7}]},
            {"answers": [{}] * 101},
            {"page": "x"},
        ],
    )
    def test_an_entry_of_another_shape_breaks_the_contract_and_is_not_quoted(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(ContractBroken) as raised:
            Kengaku(answers=("plan",)).entry(ENTRY | wrong)
        assert "kim@secret.test" not in str(raised.value)

    @pytest.mark.parametrize("code", ["plan-contents", "計画", "a.b", "", None, 7, "ｐｌａｎ", "plan\n"])
    def test_an_answer_whose_code_is_none_is_left_out(self, code: object) -> None:
        answer = {"field": "ご計画", "code": code, "value": "新築"}
        record = Kengaku(answers=("plan",)).entry(ENTRY | {"answers": [answer]}).record
        assert record.get("answers.plan") is None

    @pytest.mark.parametrize(
        "body", [b"", b"7", b'"x"', b"[" * 200_000, b"\xff", b'{"id": NaN}', b" " * (MOST_BYTES + 1)]
    )
    def test_a_body_that_is_no_entry_breaks_the_contract(self, fake: FakeKengaku, body: bytes) -> None:
        [delivery] = fake.deliveries(by="path")
        with pytest.raises(ContractBroken):
            Kengaku.at_path(fake.secret).receive(attrs.evolve(delivery, body=body), now=NOW)

    def test_a_delivery_of_too_many_entries_breaks_the_contract(self, fake: FakeKengaku) -> None:
        [delivery] = fake.deliveries(by="path")
        body = json.dumps([ENTRY] * 101).encode()
        with pytest.raises(ContractBroken):
            Kengaku.at_path(fake.secret).receive(attrs.evolve(delivery, body=body), now=NOW)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.sampled_from(["inquiry", ENTRY["at"]]),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(ENTRY)), inner),
            max_leaves=10,
        )
    )
    def test_no_entry_at_all_raises_anything_but_an_error_of_ours(self, told: Any) -> None:
        merged = ENTRY | told if isinstance(told, dict) else told
        said = ""
        try:
            Kengaku(answers=("plan",)).entry(merged)
        except CrmBridgeError as error:
            said = str(error)
        assert "kim@secret.test" not in said


def test_an_entry_without_answers_may_say_so_by_null(fake: FakeKengaku):
    assert signed(fake).entry(ENTRY | {"answers": None}).record.get("answers.plan") is None
