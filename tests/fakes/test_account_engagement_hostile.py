"""Input that nobody should send: each answer of the Account Engagement fake is one that the vendor documents."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmbridge.testing.fakes.account_engagement import FakeAccountEngagement

ROOT = "https://pi.pardot.com/api/v5"
DOCUMENTED = {200, 201, 204, 304, 400, 401, 404, 405, 429}


def made() -> FakeAccountEngagement:
    fake = FakeAccountEngagement(now=lambda: datetime(2026, 11, 21, 3, tzinfo=UTC))
    fake.put("prospect", email="a@example.jp")
    fake.add_field("Many", "Multi-Select")
    return fake


def ask(fake: FakeAccountEngagement, method: str, path: str, content: bytes = b"", **headers: str) -> httpx.Response:
    """Send a request; whatever comes is a documented status, and a refusal is a code with a sentence."""
    given = {
        "Authorization": f"Bearer {fake.credentials['token']}",
        "Pardot-Business-Unit-Id": fake.credentials["business_unit_id"],
        "Content-Type": "application/json",
    }
    answer = fake.handle(httpx.Request(method, ROOT + path, headers=given | headers, content=content))
    assert answer.status_code in DOCUMENTED
    if answer.status_code >= 400:
        assert set(answer.json()) == {"code", "message"}
        assert type(answer.json()["code"]) is int
    return answer


@pytest.mark.parametrize(
    ("content", "type", "code"),
    [
        (b"", "application/json", 152),
        (b"{}", "text/xml", 151),
        (b"email=a%40b.jp", "application/x-www-form-urlencoded", 151),
        (b"{", "application/json", 71),
        (b'{"email": NaN}', "application/json", 71),
        (b'{"score": 1e999}', "application/json", 153),
        (b'{"email": "\xff"}', "application/json", 71),
        (b'{"email": "a@example.jp", "city": "\\ud800"}', "application/json", 71),
        (b"[" * 100_000, "application/json", 71),
        (b'{"score": ' + b"9" * 5000 + b"}", "application/json", 71),
        (b"[]", "application/json", 166),
        (b"null", "application/json", 166),
        (b'"x"', "application/json", 166),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(content: bytes, type: str, code: int):
    """ae-errors: 71, 151, 152, 153, 166."""
    fake = made()
    answer = ask(fake, "POST", "/objects/prospects", content, **{"Content-Type": type})
    assert answer.json()["code"] == code
    assert len(fake.rows("prospect")) == 1


def test_the_charset_may_be_named_in_the_content_type():
    content = '{"email": "b@example.jp", "company": "株式会社"}'.encode()
    answer = ask(made(), "POST", "/objects/prospects", content, **{"Content-Type": "Application/JSON; charset=UTF-8"})
    assert answer.status_code == 201


@pytest.mark.parametrize("id", ["0", "-1", "x", "1.5", "%00", "9" * 18, "9" * 400, "١", "1%20", "../users", "😀"])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE", "POST", "PUT", "HEAD", "OPTIONS"])
def test_no_id_and_no_method_breaks_the_door(method: str, id: str):
    fake = made()
    ask(fake, method, f"/objects/prospects/{id}?fields=id", b'{"city": "x"}')
    assert len(fake.rows("prospect")) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ["email", "score", "city", "isStarred", "campaignId", "userId", "salesforceOwnerId", "salesforceId", "Many__c",
          "lastActivityAt", "id", "prospect", "matchEmail", "secondaryDeletedSearch", "fields", "tagId", "tagName", "name",
          "listId", "prospectId", "fieldId", "type", "optedOut"]  # fmt: skip
BODIES = st.dictionaries(
    st.sampled_from(FIELDS) | st.text(max_size=6), JSON | st.just("b@example.jp") | st.just(1), max_size=5
)
WRITES = [
    ("POST", "/objects/prospects"),
    ("PATCH", "/objects/prospects/1"),
    ("POST", "/objects/prospects/do/upsertLatestByEmail"),
    ("POST", "/objects/prospects/do/undelete"),
    ("POST", "/objects/prospects/1/do/addTag"),
    ("POST", "/objects/prospects/1/do/removeTag"),
    ("POST", "/objects/lists"),
    ("POST", "/objects/tags"),
    ("POST", "/objects/list-memberships"),
    ("POST", "/objects/custom-fields"),
]


@given(where=st.sampled_from(WRITES), body=BODIES)
@settings(max_examples=400, deadline=None)
def test_no_json_body_breaks_a_write_and_everything_can_be_read_afterwards(
    where: tuple[str, str], body: dict[str, Any]
):
    fake = made()
    content = json.dumps(body).encode()
    answer = ask(fake, *where, content)
    if answer.status_code >= 400:
        assert fake.ledger == ()
    for table in fake.tables:
        fake.rows(table)
    assert ask(fake, "GET", "/objects/prospects?fields=id,email,city,score,campaign.name,Many__c").status_code == 200


PARAMETERS = st.sampled_from(
    ["fields", "limit", "offset", "orderBy", "deleted", "nextPageToken", "id", "idGreaterThan", "email", "createdAt",
     "updatedAtAfter", "lastActivityAtBefore", "salesforceOwnerId", "isDeleted"]
) | st.text(max_size=12)  # fmt: skip
VALUES = st.text(max_size=30) | st.sampled_from(
    [
        "1",
        "id",
        "id DESC",
        "updatedAt",
        "2026-11-21T03:00:00Z",
        "9999-12-31T23:59:59-23:59",
        "all",
        "true",
        "Many__c",
        "email.id",
    ]
)


@given(
    parameters=st.lists(st.tuples(PARAMETERS, VALUES), max_size=4),
    path=st.sampled_from(["prospects", "users", "prospects/1"]),
)
@settings(max_examples=400, deadline=None)
def test_no_parameter_breaks_a_read(parameters: list[tuple[str, str]], path: str):
    query = httpx.QueryParams(
        [("fields", "id"), *((name, value) for name, value in parameters if _sendable(name + value))]
    )
    ask(made(), "GET", f"/objects/{path}?{query}")


def _sendable(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


@given(content=st.binary(max_size=60), coded=st.text(max_size=20).filter(_sendable))
@settings(max_examples=200, deadline=None)
def test_no_form_breaks_the_sign_in(content: bytes, coded: str):
    headers = {"Authorization": b"Basic " + coded.encode()} if "\n" not in coded and "\r" not in coded else {}
    fake = made()
    for sent in (content, b"grant_type=client_credentials&" + content):
        request = httpx.Request("POST", "https://x.example/services/oauth2/token", content=sent, headers=headers)
        answer = fake.handle(request)
        assert answer.status_code in (400, 401)
        assert set(answer.json()) == {"error", "error_description"}


def test_a_refusal_never_repeats_a_value_of_the_body():
    """A person's data has no place in an error message."""
    fake = made()
    for body in ({"email": "hanako@", "city": 1}, {"email": "hanako@example.jp", "score": "hanako"}):
        answer = ask(fake, "POST", "/objects/prospects", json.dumps(body).encode())
        assert answer.status_code == 400
        assert "hanako" not in answer.text


@pytest.mark.parametrize(
    "content",
    [
        b'{"email": "b@example.jp", "city": "\xed\xa0\x80"}',
        '{"email": "b@example.jp", "city": "\\ud800"}'.encode("utf-16"),
        '{"email": "b@example.jp", "city": "東京"}'.encode("utf-16"),
        '{"email": "b@example.jp", "city": "東京"}'.encode("shift_jis"),
        b"\xef\xbb\xbf" + b'{"email": "b@example.jp"}',
    ],
)
def test_a_body_in_another_coding_than_utf_8_or_with_half_characters_is_no_json(content: bytes):
    fake = made()
    assert ask(fake, "POST", "/objects/prospects", content).json()["code"] == 71
    assert fake.ledger == ()


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_custom_field_goes_with_its_values_and_one_of_the_same_name_begins_empty(by_hand: bool):
    fake = made()
    id = fake.add_field("Rank", "Text")
    ask(fake, "PATCH", "/objects/prospects/1", b'{"Rank__c": "first"}')
    if by_hand:
        fake.remove("custom_field", id)
    else:
        assert ask(fake, "DELETE", f"/objects/custom-fields/{id}").status_code == 204
    fake.add_field("Rank", "Number")
    fake.put("prospect", email="b@example.jp", Rank__c=4)
    fake.fresh()
    shown = ask(fake, "GET", "/objects/prospects?fields=Rank__c&orderBy=Rank__c").json()["values"]
    assert shown == [{"Rank__c": None}, {"Rank__c": 4}]


def test_a_field_that_is_told_to_record_several_responses_shows_lists_and_back_again():
    fake = made()
    id = fake.add_field("Rank", "Text")
    seen = []
    for value, several in (('"a"', "true"), ('["b", "c"]', "false"), ('"d"', "false")):
        assert ask(fake, "PATCH", "/objects/prospects/1", b'{"Rank__c": %s}' % value.encode()).status_code == 204
        ask(fake, "PATCH", f"/objects/custom-fields/{id}", b'{"isRecordMultipleResponses": %s}' % several.encode())
        fake.fresh()
        seen.append(ask(fake, "GET", "/objects/prospects/1?fields=Rank__c").json()["Rank__c"])
    assert seen == [["a"], "c", "d"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/objects/prospects", "GET, POST"),
        ("PUT", "/objects/prospects/1", "GET, PATCH, DELETE"),
        ("POST", "/objects/users", "GET"),
        ("DELETE", "/objects/account", "GET"),
        ("GET", "/objects/prospects/do/upsertLatestByEmail", "POST"),
    ],
)
def test_a_method_that_an_endpoint_lacks_is_told_which_ones_there_are(method: str, path: str, allowed: str):
    answer = ask(made(), method, path)
    assert (answer.status_code, answer.json()["code"], answer.headers["Allow"]) == (405, 60, allowed)


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\udc00\ud800", "\0"])
def test_what_json_in_utf_8_cannot_say_is_not_arranged_and_every_read_goes_on(text: str):
    fake = made()
    with pytest.raises(ValueError, match=r"prospect\.city"):
        fake.put("prospect", email="b@example.jp", city=text)
    with pytest.raises(ValueError, match=r"prospect\.city"):
        fake.edit("prospect", "1", city=text)
    with pytest.raises(ValueError, match="Many"):
        fake.edit("prospect", "1", Many__c=[text])
    assert ask(fake, "GET", "/objects/prospects?fields=id,city").status_code == 200
