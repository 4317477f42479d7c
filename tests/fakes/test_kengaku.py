"""The fake Kengaku Cloud takes what visitors enter, tells those who are to be told, and sends deliveries."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from urllib.parse import quote

import httpx
import pytest

from crmbridge.testing.fakes.kengaku import FakeKengaku


@pytest.fixture
def kengaku():
    return FakeKengaku(now=lambda: datetime(2026, 11, 21, 9, 15, tzinfo=UTC))


def told(delivery):
    return json.loads(delivery.body)


def test_an_entry_becomes_one_delivery_that_is_sent_once(kengaku):
    kengaku.put("field", label="ご計画内容について", code="plan_contents")
    event = kengaku.put("event", name="来場予約会")
    answers = {"ご計画内容について": "新築", "その他": "なし"}
    kengaku.register("reservation", event, email="kim@x.test", page_url="https://www.ie-miru.jp/e/1", answers=answers)
    [delivery] = kengaku.deliveries()
    assert kengaku.deliveries() == []
    assert told(delivery) == {
        "id": "reservation-1",
        "event": "reservation",
        "at": "2026-11-21T09:15:00+00:00",
        "source": {"id": "event-1", "name": "来場予約会"},
        "customer": {"email": "kim@x.test"},
        "answers": [
            {"field": "ご計画内容について", "code": "plan_contents", "value": "新築"},
            {"field": "その他", "code": "", "value": "なし"},
        ],
        "page": {"url": "https://www.ie-miru.jp/e/1"},
    }


def test_a_delivery_is_signed_over_its_time_and_its_body(kengaku):
    kengaku.register("inquiry", kengaku.put("inquiry_form", name="お問い合わせ"), email="kim@x.test")
    [delivery] = kengaku.deliveries()
    time, _, signature = delivery.headers["X-Intake-Signature"].partition(",v1=")
    expected = hmac.new(kengaku.secret.encode(), time[2:].encode() + b"." + delivery.body, hashlib.sha256)
    assert signature == expected.hexdigest()


def test_a_sender_that_cannot_sign_uses_an_address_that_ends_in_the_secret(kengaku):
    kengaku.register("inquiry", kengaku.put("inquiry_form", name="お問い合わせ"))
    [delivery] = kengaku.deliveries("https://intake.test/k", by="path")
    assert delivery.url == f"https://intake.test/k/{kengaku.secret}"
    assert "X-Intake-Signature" not in delivery.headers
    assert not kengaku.forged(delivery).url.endswith(kengaku.secret)


def test_deliveries_can_come_twice_and_out_of_order(kengaku):
    event = kengaku.put("event", name="来場予約会")
    for number in range(8):
        kengaku.register("reservation", event, email=f"{number}@x.test")
    plain = [told(one)["id"] for one in kengaku.deliveries(again=True)]
    twice = [told(one)["id"] for one in kengaku.deliveries(again=True, twice=True)]
    mixed = [told(one)["id"] for one in kengaku.deliveries(again=True, shuffled=True)]
    assert twice == [one for one in plain for _ in range(2)]
    assert sorted(mixed) == sorted(plain)
    assert mixed != plain


def test_an_inquiry_is_told_to_its_own_addresses_and_else_to_every_administrator(kengaku):
    for address in ("a@x.test", "b@x.test"):
        kengaku.put("administrator", email=address)
    own = kengaku.put("inquiry_form", name="お問い合わせ", notify=["desk@x.test"])
    kengaku.register("inquiry", own)
    kengaku.register("document_request", kengaku.put("document_request_form", name="資料請求"))
    kengaku.register("reservation", kengaku.put("event", name="来場予約会"))
    assert [mail["to"] for mail in kengaku.rows("mail")] == [["desk@x.test"], ["a@x.test", "b@x.test"]]


def test_a_page_carries_what_the_screen_put_into_its_head_and_takes_the_form(kengaku):
    kengaku.head = "<script>1</script>"
    kengaku.put("field", label="ご計画", code="plan")
    path = f"/event/{kengaku.put('event', name='<見学会>')}"
    with httpx.Client(transport=kengaku.transport(), base_url="http://www.ie-miru.test") as client:
        page = client.get(path)
        entered = {"email": "kim@x.test", "answer:ご計画": "新築", "role": "admin"}
        headers = {"Cookie": "x=1; dgm_bcn=abc", "User-Agent": "Browser"}
        assert client.post(path, data=entered, headers=headers).status_code == 200
    assert "<script>1</script>" in page.text
    assert "&lt;見学会&gt;" in page.text
    [row] = kengaku.rows("reservation")
    assert (row["email"], row["page_visit_cookie"], row["answers"]) == ("kim@x.test", "abc", {"ご計画": "新築"})
    assert row["page_url"] == f"http://www.ie-miru.test{path}"


@pytest.mark.parametrize(("method", "path"), [("GET", "/event/event-9"), ("GET", "/"), ("POST", "/x/event-1")])
def test_a_page_that_is_not_there_is_not_found(kengaku, method, path):
    with httpx.Client(transport=kengaku.transport(), base_url="http://www.ie-miru.test") as client:
        assert client.request(method, path).status_code == 404


def test_an_entry_for_a_form_that_is_not_there_is_an_error(kengaku):
    with pytest.raises(KeyError):
        kengaku.register("inquiry", "inquiry-form-9")


def test_entries_are_pushed_to_an_intake_over_http(kengaku):
    kengaku.register("inquiry", kengaku.put("inquiry_form", name="お問い合わせ"), email="kim@x.test")
    intake = FakeKengaku()
    with intake.serve() as base:
        assert kengaku.push(f"{base}/hook") == [404]
    assert [json.loads(one.content)["id"] for one in intake.requests] == ["inquiry-1"]


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("content", "type", "status"),
    [
        (b'{"last_name": "x"}', "application/json", 415),
        (b"last_name=%FF", FORM, 400),
        (b"last_name=\xff", FORM, 400),
        (b"last_name=a%00b", FORM, 400),
        ("last_name=金".encode("shift_jis"), FORM, 400),
        (b"last_name=%ED%A0%80", FORM, 400),
    ],
)
def test_what_no_form_sends_is_no_entry(kengaku, content, type, status):
    event = kengaku.put("event", name="来場予約会")
    request = httpx.Request("POST", f"https://k.test/event/{event}", headers={"Content-Type": type}, content=content)
    answer = kengaku.exchange(request)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert (kengaku.ledger, kengaku.deliveries()) == ((), [])


def test_a_page_is_under_its_own_address_only_and_has_a_head(kengaku):
    event = kengaku.put("event", name="来場予約会")
    with httpx.Client(transport=kengaku.transport(), base_url="https://k.test") as client:
        assert client.head(f"/event/{event}").status_code == 200
        assert client.get(f"/event/elsewhere/{event}").status_code == 404
        wrong = client.put(f"/event/{event}")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD, POST")
    assert wrong.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("cookies", "held"),
    [
        ("dgm_bcn=abc", "abc"),
        ('dgm_bcn="abc"; x=1', "abc"),
        ('settings={"a": 1, "b": [2]}; dgm_bcn=abc', "abc"),
        ("a:b[c]=1; dgm_bcn=abc; x=a b c", "abc"),
        ("consent; dgm_bcn=abc", "abc"),
        ("名=1; dgm_bcn=a=b".encode(), "a=b"),
        ("other_dgm_bcn=no", None),
        ("x=dgm_bcn=no", None),
        ("dgm_bcn=; x=1", None),
        ("", None),
    ],
)
def test_a_visitor_is_known_by_his_cookie_whatever_other_cookies_hold(kengaku, cookies, held):
    event = kengaku.put("event", name="来場予約会")
    headers = {"Content-Type": FORM, "Cookie": cookies}
    kengaku.exchange(httpx.Request("POST", f"https://k.test/event/{event}", headers=headers, content=b"email=a"))
    [row] = kengaku.rows("reservation")
    assert row.get("page_visit_cookie") == held


@pytest.mark.parametrize("id", ["a/b", "a+b", "a?b", "a b", "見学", "%2F", "'; --<script>"])
def test_a_page_is_found_under_any_id_that_is_encoded(kengaku, id):
    kengaku.place("event", {"name": "来場予約会"}, id=id)
    with httpx.Client(transport=kengaku.transport(), base_url="https://k.test") as client:
        assert client.get(f"/event/{quote(id, safe='')}").status_code == 200
