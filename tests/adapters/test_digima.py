"""Digima: what is posted, and what each answer means."""

from __future__ import annotations

import base64
import datetime as dt
import json
from typing import Any

import attrs
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.adapters.digima import CustomField, Digima, custom_code
from crmbridge.drive import Driver
from crmbridge.errors import AdapterError, CapabilityError, NotAllowed, Refused, SettingsError, UsageError
from crmbridge.flow import Done, Repeat, Request, Response, step
from crmbridge.model import (
    Action,
    Applied,
    Cell,
    Create,
    CreateClass,
    Delete,
    Outcome,
    Postponed,
    RecordRef,
    Rejected,
    Uncertain,
)
from crmbridge.protocols import Question
from crmbridge.reasons import Code, because
from crmbridge.testing.fakes.digima import FakeDigima
from crmbridge.testing.sim import ManualClock

SECRET = "kim@secret.test"
BASE = "https://form.digima.com"
PLAN = CustomField("plan_contents", "ロングテキスト", "ご計画内容について")


@pytest.fixture
def fake() -> FakeDigima:
    made = FakeDigima(now=ManualClock().now)
    made.put("custom_field", label="ご計画内容について", code="plan_contents", type="ロングテキスト")
    return made


def digima(fake: FakeDigima, **how: Any) -> Digima:
    return Digima.connect(
        fake.account_code, {"予約": fake.credentials["form_code"]}, **{"custom_fields": [PLAN], **how}
    )


def create(key: str = "key", **values: Cell) -> Create:
    given: dict[str, Cell] = {"form": "予約", "contact.email": "kim@x.test"}
    given |= {name.replace("__", "."): value for name, value in values.items()}
    return Create("submission", given, RecordRef("kengaku", "reservation", "1"), key, because(Code.NEW))


def performed(fake: FakeDigima, flow: Any) -> Any:
    clock = ManualClock()
    with Driver(clock=clock, transports={BASE: fake.transport()}, seed=0) as driver:
        return driver.run(flow)


def posted(fake: FakeDigima, *batch: Action, **how: Any) -> list[Outcome]:
    return list(performed(fake, digima(fake, **how).apply(batch or (create(),))))


def told(body: Any, *, status: int = 200, batch: tuple[Action, ...] = ()) -> list[Outcome]:
    """Post against a system that answers this."""
    flow = Digima.connect("ACC", {"予約": "F1"}, custom_fields=[PLAN]).apply(batch or (create(),))
    outcome = step(flow)
    while not isinstance(outcome, Done):
        assert isinstance(outcome, Request)
        outcome = step(flow, Response(status, {}, body))
    return list(outcome.value)


class TestPosting:
    def test_a_submission_is_posted_with_all_that_is_known_of_it(self, fake: FakeDigima) -> None:
        action = create(
            page_title="来場予約",
            page_url="https://www.ie-miru.jp/e/1",
            submitter_ip_address="203.0.113.7",
            submitter_user_agent="Browser",
            visit_cookie="abc",
            contact__last_name="金",
            contact__home_address_1="東京都港区芝1-1",
            contact__custom_fields__plan_contents="新築",
        )
        [outcome] = posted(fake, action)
        assert outcome == Applied(action, RecordRef("digima", "submission", "key"))
        [request] = fake.requests
        assert json.loads(request.content) == {
            "form": {
                "code": fake.credentials["form_code"],
                "validate_only": False,
                "page_title": "来場予約",
                "page_url": "https://www.ie-miru.jp/e/1",
                "submitter_ip_address": "203.0.113.7",
                "submitter_user_agent": "Browser",
                "visit_cookie": "abc",
            },
            "contact": {
                "email": "kim@x.test",
                "last_name": "金",
                "home_address_1": "東京都港区芝1-1",
                "custom_fields": {"plan_contents": "新築"},
            },
        }
        assert str(request.url) == "https://form.digima.com/v2/submit"

    def test_the_codes_go_in_bare_base64_without_a_scheme_word(self, fake: FakeDigima) -> None:
        posted(fake)
        code = fake.credentials["form_code"]
        expected = base64.b64encode(f"{fake.account_code}-{code}".encode()).decode()
        assert fake.requests[0].headers["authorization"] == expected

    @pytest.mark.parametrize("language", ["ja", "jp"])
    def test_the_language_of_messages_is_a_setting(self, fake: FakeDigima, language: str) -> None:
        posted(fake, language=language)
        assert fake.requests[0].headers["accept-language"] == language

    def test_each_submission_goes_to_the_form_that_it_names(self, fake: FakeDigima) -> None:
        fake.put("form", name="資料請求")
        forms = {"予約": fake.credentials["form_code"], "資料": fake.form_code("資料請求")}
        connector = Digima.connect(fake.account_code, forms)
        performed(fake, connector.apply([create("1", form="資料"), create("2")]))
        assert [inquiry["form"] for inquiry in fake.rows("inquiry")] == ["資料請求", "ウェブフォーム"]

    @pytest.mark.parametrize("blank", [None, "", " \u3000", ()])
    def test_a_blank_is_never_sent_so_that_it_overwrites_nothing(self, fake: FakeDigima, blank: Cell) -> None:
        posted(fake, create("1", contact__last_name="金"))
        posted(fake, create("2", contact__last_name=blank, visit_cookie=blank))
        assert fake.rows("contact")[0]["last_name"] == "金"
        assert "visit_cookie" not in json.loads(fake.requests[-1].content)["form"]

    def test_a_custom_field_that_is_not_linked_is_refused_before_anything_is_sent(self, fake: FakeDigima) -> None:
        [outcome] = posted(fake, create(contact__custom_fields__budget="1"))
        assert isinstance(outcome, Rejected)
        assert outcome.reason.code is Code.UNKNOWN_FIELD
        assert fake.requests == []

    @pytest.mark.parametrize("name", ["contact.nickname", "email", "page_titel"])
    def test_a_field_that_is_not_there_is_refused_and_not_left_out(self, fake: FakeDigima, name: str) -> None:
        action = create()
        [outcome] = posted(fake, attrs.evolve(action, values={**action.values, name: "x"}))
        assert isinstance(outcome, Rejected)
        assert (outcome.reason.code, outcome.reason.facts["field"]) == (Code.UNKNOWN_FIELD, name)
        assert fake.requests == []

    @pytest.mark.parametrize(
        ("form", "code"), [("資料", Code.NOT_AN_OPTION), (None, Code.REQUIRED), ("", Code.REQUIRED)]
    )
    def test_a_form_that_is_not_there_is_refused_before_anything_is_sent(
        self, fake: FakeDigima, form: str | None, code: Code
    ) -> None:
        [outcome] = posted(fake, create(form=form))
        assert isinstance(outcome, Rejected)
        assert outcome.reason.code is code
        assert fake.requests == []

    def test_a_value_that_is_no_text_is_refused_before_anything_is_sent(self, fake: FakeDigima) -> None:
        [outcome] = posted(fake, create(contact__last_name=7))
        assert isinstance(outcome, Rejected)
        assert fake.requests == []

    def test_a_submission_is_never_changed_or_removed(self, fake: FakeDigima) -> None:
        removal = Delete(RecordRef("digima", "submission", "1"), "key", because(Code.REMOVED))
        with pytest.raises(CapabilityError):
            posted(fake, removal)


class TestAnswers:
    def test_a_refused_value_is_rejected_with_its_field_and_no_second_try(self, fake: FakeDigima) -> None:
        [outcome] = posted(fake, create(contact__email="kim"))
        assert isinstance(outcome, Rejected)
        assert outcome.reason == because(
            Code.REFUSED_BY_SYSTEM, system="digima", code="invalid_format", field="contact.email"
        )
        assert len(fake.requests) == 1

    def test_a_refused_submission_leaves_the_others_of_its_batch_alone(self, fake: FakeDigima) -> None:
        outcomes = posted(fake, create("1", contact__email="kim"), create("2"))
        assert [type(one) for one in outcomes] == [Rejected, Applied]

    @pytest.mark.parametrize(
        "body",
        [
            {"data": {"errors": [{"field": "contact.custom_fields.plan_contents", "code": "too_long"}]}},
            {
                "errors": [
                    {
                        "type": "data_validation_error",
                        "code": "too_long",
                        "field": "contact.custom_fields.plan_contents",
                    }
                ]
            },
            {"errors": [{"code": "too_long", "field": "contact.custom_fields.plan_contents", "message": SECRET}]},
        ],
    )
    @pytest.mark.parametrize("status", [200, 400, 422])
    def test_refused_values_are_known_in_each_form_and_under_each_status(self, body: Any, status: int) -> None:
        [outcome] = told(body, status=status)
        assert isinstance(outcome, Rejected)
        assert outcome.reason.facts["field"] == "contact.custom_fields.plan_contents"
        assert outcome.reason.facts["code"] == "too_long"
        assert SECRET not in str(outcome.reason)

    def test_a_wrong_code_is_the_trouble_of_its_own_record(self, fake: FakeDigima) -> None:
        connector = Digima.connect(fake.account_code, {"予約": "OTHER"})
        [outcome] = performed(fake, connector.apply([create()]))
        assert isinstance(outcome, Rejected)
        assert outcome.reason.code is Code.REFUSED_BY_SYSTEM

    def test_an_address_that_is_not_allowed_posts_nothing_and_says_so(self, fake: FakeDigima) -> None:
        fake.ip_allowed = False
        [outcome] = performed(fake, digima(fake).apply([create()]))
        assert isinstance(outcome, Rejected)
        assert fake.ledger == ()

    def test_a_connection_that_is_refused_is_tried_again_and_posts_once(self, fake: FakeDigima) -> None:
        fake.faults.refuse_connection(times=3)
        [outcome] = posted(fake)
        assert isinstance(outcome, Applied)
        assert len(fake.rows("inquiry")) == 1

    def test_a_connection_that_stays_refused_postpones_the_submission(self, fake: FakeDigima) -> None:
        fake.faults.refuse_connection(times=99)
        [outcome] = posted(fake)
        assert isinstance(outcome, Postponed)
        assert 1 < fake.faults.fired["F03"] <= 5

    @pytest.mark.parametrize("way", ["reset", "timeout"])
    def test_a_lost_answer_is_uncertain_and_is_not_sent_again(self, fake: FakeDigima, way: Any) -> None:
        fake.faults.lose_answer(to="POST", times=9, way=way)
        [outcome] = posted(fake)
        assert isinstance(outcome, Uncertain)
        assert len(fake.requests) == 1

    @pytest.mark.parametrize("applied", [True, False])
    @pytest.mark.parametrize("status", [500, 502, 503, 504, 200])
    def test_an_error_page_is_uncertain_whether_it_was_done_or_not(
        self, fake: FakeDigima, status: int, *, applied: bool
    ) -> None:
        fake.faults.fail(status, applied=applied, times=9)
        [outcome] = posted(fake)
        assert isinstance(outcome, Uncertain)
        assert len(fake.requests) == 1

    @pytest.mark.parametrize("way", ["truncated", "type", "empty", "json"])
    def test_a_spoiled_answer_is_uncertain(self, fake: FakeDigima, way: Any) -> None:
        fake.faults.damage(way)
        [outcome] = posted(fake)
        assert isinstance(outcome, Uncertain)
        assert len(fake.rows("inquiry")) == 1

    def test_a_throttled_post_was_surely_not_made_and_is_tried_again(self, fake: FakeDigima) -> None:
        fake.faults.throttle(times=2)
        [outcome] = posted(fake)
        assert isinstance(outcome, Applied)
        assert len(fake.rows("inquiry")) == 1

    def test_a_request_that_the_vendor_does_not_know_is_refused_for_good(self) -> None:
        with pytest.raises(Refused):
            told({"error": {"code": "resource_not_found"}}, status=404)

    @pytest.mark.parametrize("error", [{"code": "service_error"}, {"code": "unknown_error"}, {}, "x", 7])
    def test_an_error_of_the_service_may_have_come_after_the_registration(self, error: Any) -> None:
        [outcome] = told({"error": error}, status=200)
        assert isinstance(outcome, Uncertain)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.sampled_from(["unauthorized", SECRET, "contact.email", ""]),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["data", "error", "errors", "code", "field", "type"]), inner)
            ),
            max_leaves=8,
        ),
        st.sampled_from([200, 201, 302, 400, 401, 404, 422]),
    )
    def test_any_answer_gives_one_outcome_or_an_error_of_ours_and_quotes_nothing(self, body: Any, status: int) -> None:
        outcomes, said = [], ""
        try:
            outcomes = told(body, status=status)
        except AdapterError as error:
            said = str(error)
        assert SECRET not in said
        if said:
            return
        assert len(outcomes) == 1
        assert SECRET not in str(getattr(outcomes[0], "reason", ""))
        if isinstance(outcomes[0], Applied):
            assert status in (200, 201)
            assert isinstance(body, dict)


class TestVerifying:
    def test_the_vendor_checks_a_contact_without_registering_it(self, fake: FakeDigima) -> None:
        assert performed(fake, digima(fake).verify("予約", {"email": "kim@x.test"})) == ()
        [reason] = performed(fake, digima(fake).verify("予約", {"email": "kim"}))
        assert reason.facts["field"] == "contact.email"
        assert fake.ledger == ()
        assert [json.loads(one.content)["form"]["validate_only"] for one in fake.requests] == [True, True]

    def test_a_check_may_be_repeated_and_a_post_may_not(self, fake: FakeDigima) -> None:
        for flow, repeat in (
            (digima(fake).verify("予約", {"email": "kim@x.test"}), Repeat.SAFE),
            (digima(fake).apply([create()]), Repeat.UNSAFE),
        ):
            request = step(flow)  # type: ignore[arg-type]
            assert isinstance(request, Request)
            assert request.repeat is repeat

    def test_a_wrong_code_is_found_by_a_check(self, fake: FakeDigima) -> None:
        with pytest.raises(NotAllowed):
            performed(fake, Digima.connect("X", {"予約": "Y"}).verify("予約", {"email": "kim@x.test"}))

    def test_a_check_of_a_form_that_is_not_there_is_a_mistake_of_the_program(self, fake: FakeDigima) -> None:
        with pytest.raises(UsageError, match="予約"):
            performed(fake, digima(fake).verify("資料", {"email": "kim@x.test"}))


class TestWhatIsTold:
    def test_a_submission_is_made_once_and_cannot_be_looked_for(self, fake: FakeDigima) -> None:
        able = digima(fake).capabilities("submission")
        assert (able.creates, able.batch, able.updates, able.finds_by) == (CreateClass.C, 1, False, frozenset())
        assert able.settles_in == dt.timedelta(minutes=10)
        question = Question("submission", "any", ())
        assert [len(rows) for rows in performed(fake, digima(fake).find([question, question], ("form",)))] == [0, 0]
        assert not hasattr(digima(fake), "fetch")
        with pytest.raises(UsageError):
            digima(fake).capabilities("contact")

    def test_the_fields_are_those_that_documents_confirm_and_those_that_were_given(self, fake: FakeDigima) -> None:
        schema = performed(
            fake, digima(fake, static_fields=["postal_code"], address_field="address").schema("submission")
        )
        assert schema.fields["form"].options == ("予約",)
        assert schema.fields["contact.custom_fields.plan_contents"].label == "ご計画内容について"
        assert {"contact.postal_code", "contact.address", "contact.first_name_kana"} <= set(schema.fields)
        assert "contact.home_address_1" not in schema.fields

    def test_codes_are_never_shown(self, fake: FakeDigima) -> None:
        connector = digima(fake)
        request = step(connector.apply([create()]))
        for shown in (repr(connector), repr(request), str(connector)):
            assert fake.account_code not in shown
            assert fake.credentials["form_code"] not in shown
            assert "kim@x.test" not in shown


class TestCustomFields:
    @pytest.mark.parametrize("sign", ["-", "ａ", "１", "＿", "計", " ", ".", "é", "\n", "٣"])
    def test_a_code_with_another_character_is_refused_and_the_character_is_named(self, sign: str) -> None:
        with pytest.raises(SettingsError) as raised:
            CustomField(f"plan{sign}contents")
        assert repr(sign) in str(raised.value)

    @given(st.text(max_size=8))
    def test_a_code_is_half_width_letters_digits_and_underscore(self, code: str) -> None:
        allowed = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
        if code and set(code) <= allowed:
            assert custom_code(code) == code
            return
        with pytest.raises(SettingsError):
            custom_code(code)

    @pytest.mark.parametrize("type", ["テキスト", "ロングテキスト"])
    def test_text_and_long_text_can_be_linked(self, type: Any) -> None:
        assert CustomField("plan", type).type == type

    @pytest.mark.parametrize("type", ["ラジオボタン", "プルダウン", "text", ""])
    def test_no_other_type_can_be_linked(self, type: Any) -> None:
        with pytest.raises(SettingsError, match="ロングテキスト"):
            CustomField("plan", type)


def test_a_stranger_may_drive_the_same_account_beside_us(fake: FakeDigima) -> None:
    posted(fake)
    code = fake.credentials["form_code"]
    entry = base64.b64encode(f"{fake.account_code}-{code}".encode()).decode()
    body = {"form": {"code": code}, "contact": {"email": "lee@x.test"}}
    with httpx.Client(transport=fake.transport()) as client:
        client.post(f"{BASE}/v2/submit", json=body, headers={"authorization": entry}).raise_for_status()
    assert len(fake.rows("inquiry")) == 2
