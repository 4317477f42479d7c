"""The fake Digima answers as the vendor's help and its public PHP client say."""

import base64
import json
import time
from datetime import UTC, datetime

import httpx
import pytest

from crmbridge.testing.fakes.digima import FakeDigima


@pytest.fixture
def digima():
    return FakeDigima(now=lambda: datetime(2026, 11, 21, 9, 15, tzinfo=UTC))


def entry(digima, form=None):
    code = form or digima.credentials["form_code"]
    return base64.b64encode(f"{digima.account_code}-{code}".encode()).decode()


def submission(digima, *, form=None, contact=None, **given):
    facts = {"code": form or digima.credentials["form_code"], **given}
    return {"form": facts, "contact": contact or {"email": "kim@x.test"}}


def post(digima, body, *, authorization=None, language="ja", path="/v2/submit", method="POST", base="https://f.test"):
    headers = {"Authorization": entry(digima) if authorization is None else authorization, "Accept-Language": language}
    with httpx.Client(transport=digima.transport(), base_url=base) as client:
        return client.request(method, path, json=body, headers=headers)


def refused(answer):
    return [(one["field"], one["code"]) for one in answer.json()["data"]["errors"]]


def test_a_post_registers_an_inquiry_and_makes_its_contact(digima):
    answer = post(digima, submission(digima, page_title="来場予約", page_url="https://www.ie-miru.jp/e/1"))
    assert answer.status_code == 200
    assert "error" not in answer.json()
    [inquiry] = digima.rows("inquiry")
    assert (inquiry["action"], inquiry["form"], inquiry["page_title"]) == ("作成", "ウェブフォーム", "来場予約")
    assert [contact["email"] for contact in digima.rows("contact")] == ["kim@x.test"]


def test_a_second_post_of_the_same_address_overwrites_what_it_names_and_nothing_else(digima):
    post(digima, submission(digima, contact={"email": "kim@x.test", "last_name": "金", "first_name": "花"}))
    post(digima, submission(digima, contact={"email": "KIM@x.test", "last_name": "木村"}))
    [contact] = digima.rows("contact")
    assert (contact["last_name"], contact["first_name"]) == ("木村", "花")
    assert [inquiry["action"] for inquiry in digima.rows("inquiry")] == ["作成", "更新"]


def test_validate_only_registers_nothing(digima):
    answer = post(digima, submission(digima, validate_only=True))
    assert answer.status_code == 200
    assert digima.ledger == ()


@pytest.mark.parametrize("wrong", ["Basic {}", "Bearer {}", "", "{}=", "x"])
def test_only_the_bare_base64_text_lets_in(digima, wrong):
    answer = post(digima, submission(digima), authorization=wrong.format(entry(digima)))
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "unauthorized"
    assert digima.ledger == ()


def test_a_code_of_another_form_in_the_body_is_not_authorized(digima):
    other = digima.table("form").all[digima.put("form", name="資料請求")].values["code"]
    assert post(digima, submission(digima, form=other)).status_code == 401
    assert post(digima, submission(digima, form=other), authorization=entry(digima, other)).status_code == 200
    assert [inquiry["form"] for inquiry in digima.rows("inquiry")] == ["資料請求"]


def test_the_code_of_a_form_is_compared_sign_by_sign(digima):
    code = digima.credentials["form_code"].lower()
    assert post(digima, submission(digima, form=code), authorization=entry(digima, code)).status_code == 401
    assert digima.ledger == ()


@pytest.mark.parametrize(
    ("type", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=utf-8", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
    ],
)
def test_a_submission_says_that_it_is_json(digima, type, status):
    headers = {"Authorization": entry(digima), "Content-Type": type}
    body = json.dumps(submission(digima))
    answer = digima.exchange(httpx.Request("POST", "https://f.test/v2/submit", headers=headers, content=body))
    assert answer.status_code == status
    assert len(digima.rows("inquiry")) == (status == 200)


def test_an_address_that_the_account_does_not_allow_is_not_authorized(digima):
    digima.ip_allowed = False
    assert post(digima, submission(digima)).json()["error"]["code"] == "unauthorized"


@pytest.mark.parametrize(
    ("contact", "field", "code"),
    [
        ({"email": "kim"}, "contact.email", "invalid_format"),
        ({"email": "ｋｉｍ@x.test"}, "contact.email", "invalid_format"),
        ({"email": 7}, "contact.email", "invalid_type"),
        ({"personal_telephone_number": "０３-1234-5678"}, "contact.personal_telephone_number", "invalid_format"),
        ({"personal_telephone_number": "(03)12345678"}, "contact.personal_telephone_number", "invalid_format"),
        ({"home_address_1": "東京都"}, "contact", "required"),
        ({"last_name": " "}, "contact", "required"),
        ({"last_name": "\u3000", "email": "", "first_name": None}, "contact", "required"),
        ({"email": "kim@x.test", "shoe_size": "24"}, "contact.shoe_size", "unknown_field"),
        (
            {"email": "kim@x.test", "custom_fields": {"plan": "x"}},
            "contact.custom_fields.plan",
            "unknown_field",
        ),
        ({"email": "kim@x.test", "group_names": "x"}, "contact.group_names", "invalid_type"),
    ],
)
def test_a_value_that_cannot_be_taken_is_named_by_its_path(digima, contact, field, code):
    answer = post(digima, submission(digima, contact=contact))
    assert refused(answer) == [(field, code)]
    assert answer.json()["errors"][0]["type"] == "data_validation_error"
    assert digima.ledger == ()


def test_hyphens_of_a_telephone_number_are_dropped(digima):
    post(digima, submission(digima, contact={"personal_telephone_number": "03-1234-5678"}))
    assert digima.rows("contact")[0]["personal_telephone_number"] == "0312345678"


def test_messages_come_in_the_language_that_is_asked_for(digima):
    body = submission(digima, contact={"email": "kim"})
    japanese = post(digima, body, language="jp").json()["data"]["errors"][0]["message"]
    english = post(digima, body, language="en").json()["data"]["errors"][0]["message"]
    assert english.isascii()
    assert not japanese.isascii()


def test_a_custom_field_is_stored_by_its_code(digima):
    digima.put("custom_field", label="ご計画内容について", code="plan_contents", type="テキスト")
    contact = {"email": "kim@x.test", "custom_fields": {"plan_contents": "新築"}}
    post(digima, submission(digima, contact=contact))
    assert digima.rows("contact")[0]["custom_fields"] == {"plan_contents": "新築"}


@pytest.mark.parametrize("values", [{"code": "plan-contents"}, {"code": "計画"}, {"type": "日付"}, {"label": ""}])
def test_the_screen_for_custom_fields_refuses_what_cannot_be(digima, values):
    given = {"label": "ご計画", "code": "plan", "type": "テキスト"} | values
    with pytest.raises(ValueError, match=r"code|type"):
        digima.put("custom_field", **given)


def test_the_code_of_a_custom_field_cannot_be_changed(digima):
    field = digima.put("custom_field", label="ご計画", code="plan", type="テキスト")
    with pytest.raises(ValueError, match="cannot be changed"):
        digima.edit("custom_field", field, code="plans")
    digima.edit("custom_field", field, label="計画")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v2/submit", 405, "method_not_allowed"),
        ("PUT", "/v2/submit", 405, "method_not_allowed"),
        ("POST", "/v1/submit", 404, "resource_not_found"),
    ],
)
def test_errors_of_the_request_are_told_as_such(digima, method, path, status, code):
    answer = post(digima, submission(digima), method=method, path=path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize("body", [None, [], "x", {"form": []}, {"form": {"code": 7}}, {"form": None}])
def test_a_body_that_is_no_submission_is_refused_and_registers_nothing(digima, body):
    assert post(digima, body).status_code in (400, 401)
    assert digima.ledger == ()


def test_a_body_that_is_no_json_is_refused(digima):
    with httpx.Client(transport=digima.transport(), base_url="https://f.test") as client:
        assert client.post("/v2/submit", content=b"[" * 100_000).status_code == 400


def test_an_inquiry_with_the_cookie_of_earlier_visits_is_tied_to_them(digima):
    with httpx.Client(transport=digima.transport(), base_url="https://t.test") as client:
        for page in ("https://a.test/", "https://b.test/"):
            client.get("/tracking/visit", params={"cookie": "c" * 32, "url": page})
    post(digima, submission(digima, visit_cookie="c" * 32))
    post(digima, submission(digima))
    tied, untied = digima.rows("inquiry")
    assert digima.visits_of(tied["id"]) == ["https://a.test/", "https://b.test/"]
    assert digima.visits_of(untied["id"]) == []


def test_the_tracking_script_marks_each_visitor_anew_and_is_not_kept(digima):
    digima.put("tracking_domain", domain="www.ie-miru.jp", across=True, everybody=True)
    with httpx.Client(transport=digima.transport(), base_url="https://t.test") as client:
        one, two = (client.get(f"/tracking/{digima.account_code}.js") for _ in range(2))
    assert one.headers["content-type"].startswith("text/javascript")
    assert one.headers["cache-control"] == "no-store"
    assert "www.ie-miru.jp" in one.text
    assert one.text != two.text


def test_a_lost_answer_leaves_the_inquiry_registered(digima):
    digima.faults.lose_answer(to="POST")
    with pytest.raises(httpx.ReadTimeout):
        post(digima, submission(digima))
    assert len(digima.rows("inquiry")) == 1


def test_it_answers_on_a_real_port(digima):
    with digima.serve() as base:
        answer = httpx.post(
            f"{base}/v2/submit",
            content=json.dumps(submission(digima)),
            headers={"Authorization": entry(digima), "Accept-Language": "ja"},
        )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "content",
    [
        b'{"form":{"code":"FORM0001"},"contact":{"last_name":"\\ud800"}}',
        b'{"form":{"code":"FORM0001"},"contact":{"last_name":"\xed\xa0\x80"}}',
        b'{"form":{"code":"FORM0001"},"contact":{"last_name":"a","\\ud800":1}}',
        b'{"form":{"code":"FORM0001"},"contact":{"last_name":NaN}}',
        b"\xef\xbb\xbf" + b'{"form":{"code":"FORM0001"},"contact":{"last_name":"a"}}',
        '{"form":{"code":"FORM0001"},"contact":{"last_name":"金"}}'.encode("shift_jis"),
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_json_in_utf_8_registers_nothing(digima, content):
    request = httpx.Request(
        "POST", "https://f.test/v2/submit", headers={"Authorization": entry(digima)}, content=content
    )
    answer = digima.exchange(request)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unknown_error")
    assert digima.ledger == ()


def test_what_the_account_says_of_an_inquiry_is_not_overwritten_by_the_sender(digima):
    post(digima, submission(digima))
    body = submission(digima)
    body["form"] |= {"contact": "77", "action": ["?"], "form": "x"}
    assert post(digima, body).status_code == 200
    [_, inquiry] = digima.rows("inquiry")
    assert (inquiry["contact"], inquiry["action"], inquiry["form"]) == ("1", "更新", "ウェブフォーム")


def test_a_control_character_is_refused_wherever_a_text_may_stand(digima):
    digima.put("custom_field", label="計画", code="plan", type="テキスト")
    contact = {"email": "kim@x.test", "custom_fields": {"plan": "a\0"}, "group_names": ["\x1b"], "last_name": "\0"}
    answer = post(digima, submission(digima, contact=contact, page_title="a\0"))
    assert sorted(refused(answer)) == [
        ("contact.custom_fields.plan", "invalid_format"),
        ("contact.group_names", "invalid_type"),
        ("contact.last_name", "invalid_format"),
        ("form.page_title", "invalid_format"),
    ]
    assert digima.ledger == ()


def test_an_address_of_dots_is_judged_soon(digima):
    began = time.process_time()
    assert refused(post(digima, submission(digima, contact={"email": f"a@{'.' * 100_000} "}))) == [
        ("contact.email", "invalid_format")
    ]
    assert time.process_time() - began < 2


@pytest.mark.parametrize(("method", "path"), [("PUT", "/v2/submit"), ("POST", "/tracking/visit"), ("POST", "script")])
def test_a_wrong_method_is_refused_and_told_the_right_one(digima, method, path):
    path = f"/tracking/{digima.account_code}.js" if path == "script" else path
    answer = post(digima, {}, path=path, method=method)
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == ("POST" if path == "/v2/submit" else "GET")
