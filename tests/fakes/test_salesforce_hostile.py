"""Requests that nobody should send: each gets an answer of the vendor's form, soon, and changes nothing."""

import base64
import gzip
import json
import time
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.testing.fakes.salesforce import FakeSalesforce
from crmbridge.testing.fakes.salesforce.patterns import alike

LEAD = {"LastName": "佐藤", "Company": "Acme"}
ROOT = "/services/data/v67.0"


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()[0]["errorCode"]


def asked(api: httpx.Client, text: str) -> httpx.Response:
    return api.get("/query", params={"q": text})


# ---- words of the wrong type ------------------------------------------------------------


@pytest.mark.parametrize("value", [[], {}, 1, True, [["insert"]]])
@pytest.mark.parametrize("name", ["operation", "object", "columnDelimiter", "lineEnding", "externalIdFieldName"])
def test_a_job_that_is_described_by_what_is_no_text_is_refused(api: httpx.Client, name: str, value: Any):
    body = {"operation": "upsert", "object": "Lead", "externalIdFieldName": "Ext_Id__c"}
    assert api.post("/jobs/ingest", json=body).status_code == 200
    assert code(api.post("/jobs/ingest", json={**body, name: value})) == (400, "JSON_PARSER_ERROR")


@pytest.mark.parametrize("place", ["²", "٣", "-1", "1e3", "", "9" * 5_000])
@pytest.mark.parametrize("name", ["locator", "maxRecords"])
def test_a_place_in_the_results_is_a_number_in_plain_digits(api: httpx.Client, name: str, place: str):
    job = api.post("/jobs/query", json={"operation": "query", "query": "SELECT Id FROM Lead"}).json()["id"]
    assert api.get(f"/jobs/query/{job}/results", params={name: "1"}).status_code == 200
    assert code(api.get(f"/jobs/query/{job}/results", params={name: place})) == (400, "INVALIDJOB")


@pytest.mark.parametrize("literal", ["1", "null", "true", "2026-11-21", "TODAY"])
def test_choices_are_asked_for_by_texts(api: httpx.Client, literal: str):
    assert code(asked(api, f"SELECT Id FROM Lead WHERE Interests__c INCLUDES ({literal})")) == (400, "INVALID_FIELD")


@pytest.mark.parametrize("column", ["SUM(LastName)", "AVG(CreatedDate)", "MAX(IsConverted)", "MIN(Description)"])
def test_what_cannot_be_added_up_is_refused_by_the_name_of_the_field(
    salesforce: FakeSalesforce, api: httpx.Client, column: str
):
    salesforce.put("Lead", **LEAD)
    answer = asked(api, f"SELECT {column} FROM Lead")
    assert code(answer) == (400, "MALFORMED_QUERY")
    function, _, field = column.rstrip(")").partition("(")
    assert answer.json()[0]["message"].endswith(f"field {field} does not support aggregate operator {function}")


# ---- characters -------------------------------------------------------------------------


def test_half_a_character_in_a_query_is_found_nowhere_and_two_halves_are_one(
    salesforce: FakeSalesforce, api: httpx.Client
):
    salesforce.put("Lead", **LEAD, Title="😀")
    found = {
        r"Title = '\ud83d\ude00'": 1,
        r"Title LIKE '\uD83D\uDE00'": 1,
        r"Title = '\ud83d'": 0,
        r"Title = '\ude00\ud83d'": 0,
        r"Title LIKE '%\uDE00'": 0,
    }
    for text, count in found.items():
        assert asked(api, f"SELECT Id FROM Lead WHERE {text}").json()["totalSize"] == count, text
    refused = asked(api, r"SELECT Id FROM Lead WHERE Id = '\ud83d'")
    assert code(refused) == (400, "INVALID_QUERY_FILTER_OPERATOR")
    assert refused.json()[0]["message"].endswith("invalid ID field: ?")


@pytest.mark.parametrize("content", [b'{"LastName":"a\\u0000","Company":"b"}', b'{"LastName":"a\0","Company":"b"}'])
def test_no_value_holds_a_nul(salesforce: FakeSalesforce, api: httpx.Client, content: bytes):
    sent = {"Content-Type": "application/json"}
    assert code(api.post("/sobjects/Lead", content=content, headers=sent)) == (400, "JSON_PARSER_ERROR")
    assert code(api.patch("/sobjects/Lead/Ext_Id__c/a%00b", json=LEAD)) == (404, "NOT_FOUND")
    assert salesforce.ledger == ()
    escaped = api.post("/sobjects/Lead", content=b'{"LastName":"a\\\\u0000","Company":"b"}', headers=sent)
    assert escaped.status_code == 201, "a backslash before the letters is no escape"


# ---- what did not come whole -------------------------------------------------------------


@pytest.mark.parametrize("cut", [1, 4, 8, 20])
def test_a_packed_body_that_lost_its_end_changes_nothing(salesforce: FakeSalesforce, api: httpx.Client, cut: int):
    packed = gzip.compress(json.dumps(LEAD).encode())
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    for content in (packed[:-cut], packed + b"x" * cut):
        assert code(api.post("/sobjects/Lead", content=content, headers=headers)) == (400, "JSON_PARSER_ERROR")
    assert salesforce.ledger == ()
    assert api.post("/sobjects/Lead", content=packed, headers=headers).status_code == 201


def test_half_of_a_packed_upload_loads_no_row(salesforce: FakeSalesforce, api: httpx.Client):
    rows = "".join(f"{number * 7919 % 9973},Acme\n" for number in range(500))
    packed = gzip.compress(f"LastName,Company\n{rows}".encode())
    job = api.post("/jobs/ingest", json={"operation": "insert", "object": "Lead"}).json()["id"]
    batches = f"/jobs/ingest/{job}/batches"
    headers = {"Content-Type": "text/csv", "Content-Encoding": "gzip"}
    assert api.put(batches, content=packed[: len(packed) // 2], headers=headers).status_code == 400
    assert api.put(batches, content=packed, headers=headers).status_code == 201, "the whole may follow"
    api.patch(f"/jobs/ingest/{job}", json={"state": "UploadComplete"})
    assert api.get(f"/jobs/ingest/{job}").json()["numberRecordsProcessed"] == len(salesforce.rows("Lead")) == 500


@pytest.mark.parametrize("content", [b"\xff", b'a,"b\n', b"LastName\0\nx\n"])
@pytest.mark.parametrize("then", ["Aborted", "UploadComplete"])
def test_a_job_with_an_unreadable_upload_ends_and_writes_nothing(
    salesforce: FakeSalesforce, api: httpx.Client, content: bytes, then: str
):
    job = api.post("/jobs/ingest", json={"operation": "insert", "object": "Lead"}).json()["id"]
    api.put(f"/jobs/ingest/{job}/batches", content=content)
    assert api.patch(f"/jobs/ingest/{job}", json={"state": then}).json()["state"] == then
    state = api.get(f"/jobs/ingest/{job}").json()["state"]
    assert state == ("Failed" if then == "UploadComplete" else "Aborted")
    assert api.get(f"/jobs/ingest/{job}/unprocessedrecords").status_code == 200
    assert salesforce.ledger == ()


def test_an_aborted_job_gives_back_the_rows_with_their_header(api: httpx.Client):
    job = api.post("/jobs/ingest", json={"operation": "insert", "object": "Lead"}).json()["id"]
    api.put(f"/jobs/ingest/{job}/batches", content=b"LastName,Company\nSato,Acme\n")
    api.patch(f"/jobs/ingest/{job}", json={"state": "Aborted"})
    assert api.get(f"/jobs/ingest/{job}/unprocessedrecords").text == '"LastName","Company"\n"Sato","Acme"\n'


def test_a_bulk_upsert_may_go_by_the_id(salesforce: FakeSalesforce, api: httpx.Client):
    held = salesforce.put("Lead", **LEAD)
    body = {"operation": "upsert", "object": "Lead", "externalIdFieldName": "Id"}
    job = api.post("/jobs/ingest", json=body).json()["id"]
    api.put(f"/jobs/ingest/{job}/batches", content=f"Id,LastName,Company\n{held},Abe,Acme\n,Doi,Acme\n".encode())
    api.patch(f"/jobs/ingest/{job}", json={"state": "UploadComplete"})
    assert api.get(f"/jobs/ingest/{job}").json()["numberRecordsFailed"] == 0
    assert [(write.verb, write.id == held) for write in salesforce.ledger] == [("update", True), ("create", False)]


# ---- what would take for ever -------------------------------------------------------------

PIECES = st.lists(st.sampled_from(["%", "_", "a", "B", r"\%", r"\_", "*", "山"]), max_size=8).map("".join)


def plainly(pattern: str, text: str) -> bool:
    """LIKE, as its definition says it."""
    if not pattern:
        return not text
    if pattern[0] == "%":
        return any(plainly(pattern[1:], text[at:]) for at in range(len(text) + 1))
    wild, letter = pattern[0] == "_", pattern[1] if pattern[0] == "\\" else pattern[0]
    rest = pattern[2:] if pattern[0] == "\\" else pattern[1:]
    return bool(text) and (wild or text[0].casefold() == letter.casefold()) and plainly(rest, text[1:])


@given(PIECES, st.text(alphabet="abAB%_*山", max_size=8))
def test_like_finds_what_its_definition_says(pattern: str, text: str):
    assert alike(pattern)(text) is plainly(pattern, text)


def test_like_is_answered_soon_whatever_it_asks(salesforce: FakeSalesforce, api: httpx.Client):
    salesforce.put("Lead", LastName="a", Company="a" * 255)
    began = time.process_time()
    answer = asked(api, f"SELECT Id FROM Lead WHERE Company LIKE '{'%a' * 60}b'")
    assert answer.json()["totalSize"] == 0
    assert time.process_time() - began < 2


def test_an_address_of_slashes_is_answered_soon(api: httpx.Client):
    began = time.process_time()
    assert code(api.get("/limits" + "/" * 15_000 + "x")) == (404, "NOT_FOUND")
    part = {"method": "GET", "url": ROOT + "/" * 60_000 + "x", "referenceId": "r"}
    [told] = api.post("/composite", json={"compositeRequest": [part]}).json()["compositeResponse"]
    assert told["httpStatusCode"] == 404
    assert time.process_time() - began < 2


@pytest.mark.parametrize("depth", [400, 900])
@pytest.mark.parametrize("resource", ["/composite", "/composite/batch"])
def test_a_part_that_is_nested_too_deeply_is_refused_alone(
    salesforce: FakeSalesforce, api: httpx.Client, resource: str, depth: int
):
    body: Any = {"LastName": "x", "Company": "y"}
    nested = json.dumps("?").replace('"?"', "[" * depth + "]" * depth)
    if resource == "/composite":
        parts = [{"method": "POST", "url": f"{ROOT}/sobjects/Lead", "referenceId": name, "body": body} for name in "ab"]
        text = json.dumps({"compositeRequest": parts}).replace('"y"}}]', f"{nested}}}}}]")
    else:
        several = [{"method": "POST", "url": "v67.0/sobjects/Lead", "richInput": body} for _ in "ab"]
        text = json.dumps({"batchRequests": several}).replace('"y"}}]', f"{nested}}}}}]")
    answer = api.post(resource, content=text.encode(), headers={"Content-Type": "application/json"})
    assert answer.status_code in (200, 400)
    assert len(salesforce.ledger) == (answer.status_code == 200), "the sound part stands where the call was read"


def test_a_reference_to_the_end_of_numbers_is_to_nothing(api: httpx.Client):
    parts = [
        {"method": "GET", "url": f"{ROOT}/limits", "referenceId": "a"},
        {"method": "GET", "url": f"{ROOT}/sobjects/Lead/@{{a[{'9' * 5_000}]}}", "referenceId": "b"},
    ]
    told = api.post("/composite", json={"compositeRequest": parts}).json()["compositeResponse"]
    assert [one["httpStatusCode"] for one in told] == [200, 404]


# ---- doors --------------------------------------------------------------------------------


@pytest.mark.parametrize("claims", [b'{"exp":1' + b"0" * 400 + b"}", b"[" * 100_000, b'{"exp":{}}', b'{"exp":"nan"}'])
def test_an_assertion_with_absurd_claims_opens_no_session(salesforce: FakeSalesforce, api: httpx.Client, claims: bytes):
    known = salesforce.credentials
    if claims.startswith(b"{"):
        told = {"iss": known["client_id"], "sub": known["username"], "aud": "https://login.salesforce.com"}
        claims = json.dumps(told).encode()[:-1] + b"," + claims[1:]
    head, body = (base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b'{"alg":"RS256"}', claims))
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": f"{head}.{body}.x"}
    answer = api.post("https://acme.my.salesforce.com/services/oauth2/token", data=form)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/services/data", "HEAD,GET"),
        ("GET", "/services/Soap/u/67.0", "POST"),
        ("PUT", f"{ROOT}/sobjects/Lead", "HEAD,GET,POST"),
        ("POST", f"{ROOT}/limits", "HEAD,GET"),
        ("OPTIONS", f"{ROOT}/composite", "POST"),
    ],
)
def test_a_wrong_method_is_told_which_ones_there_are(api: httpx.Client, method: str, path: str, allowed: str):
    answer = api.request(method, f"https://acme.my.salesforce.com{path}")
    assert code(answer) == (405, "METHOD_NOT_ALLOWED")
    assert answer.headers["Allow"] == allowed


@pytest.mark.parametrize(
    "path",
    [
        "/limits/x",
        "/query/01g5g0000000001AAA-200/x",
        "/search/x",
        "/jobs/ingest/7505g0000000001AAA/batches/x",
        "/composite/batch/x",
        "/composite/sobjects/Lead/Ext_Id__c/x",
        "/nothing",
    ],
)
def test_nothing_is_found_below_what_there_is(api: httpx.Client, path: str):
    for method in ("GET", "POST", "PATCH", "PUT", "DELETE"):
        assert code(api.request(method, path)) == (404, "NOT_FOUND")


@pytest.mark.parametrize("endpoint", ["token", "introspect"])
def test_a_token_is_asked_for_by_post(api: httpx.Client, endpoint: str):
    answer = api.get(f"https://acme.my.salesforce.com/services/oauth2/{endpoint}")
    assert (answer.status_code, answer.json()["error_description"]) == (400, "must use HTTP POST")


def test_an_identity_is_shown_under_its_own_address_only(salesforce: FakeSalesforce, api: httpx.Client):
    base = "https://acme.my.salesforce.com"
    form = {
        "grant_type": "client_credentials",
        "client_id": salesforce.credentials["client_id"],
        "client_secret": salesforce.credentials["client_secret"],
    }
    address = api.post(f"{base}/services/oauth2/token", data=form).json()["id"]
    assert api.get(address).json()["user_id"] == salesforce.user
    stranger = salesforce.put("User", LastName="x", Username="x@x.example", Email="x@x.example", Alias="x")
    others = (f"{base}/id/x/y", address.replace(salesforce.user, stranger))
    assert [(api.get(one).status_code, api.get(one).text) for one in others] == [
        (403, "Wrong_Org"),
        (403, "Bad_Id"),
    ]


def test_a_new_job_never_takes_the_place_of_another(api: httpx.Client):
    body = {"operation": "query", "query": "SELECT Id FROM Lead"}
    first, second = (api.post("/jobs/query", json=body).json()["id"] for _ in "ab")
    assert api.get(f"/jobs/query/{first}").json()["state"] == "JobComplete"
    assert api.delete(f"/jobs/query/{first}").status_code == 204
    third = api.post("/jobs/query", json=body).json()["id"]
    assert third not in (first, second)
    assert [one["id"] for one in api.get("/jobs/query").json()["records"]] == [second, third]
