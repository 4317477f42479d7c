"""Describe, records, upsert (spec keys rest-upsert, rest-errors, upsert-old, sf-err-tests, sfFieldRef)."""

from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.testing.fakes.salesforce import FakeSalesforce
from crmbridge.testing.fakes.salesforce.ids import Minter, check_characters, long_form
from crmbridge.testing.tables import Field

PUBLISHED = [
    "001RM000003oLnnYAE",
    "003RM0000068xV6YAI",
    "001xx000003DGb2AAG",
    "003xx000004TmiQAAS",
    "00190000001pPvHAAU",
]
SATO = {"LastName": "佐藤", "FirstName": "花子", "Company": "Acme", "Email": "Hanako@Example.JP"}


def error(answer: httpx.Response) -> tuple[int, str, str]:
    return answer.status_code, answer.json()[0]["errorCode"], answer.json()[0]["message"]


@pytest.mark.parametrize("id", PUBLISHED)
def test_the_check_characters_agree_with_ids_printed_in_the_rest_guide(id: str):
    assert check_characters(id[:15]) == id[15:]
    assert long_form(id[:15]) == long_form(id.lower()) == long_form(id.upper()) == long_form(id) == id


@given(st.integers(1, 62**8), st.sampled_from(["00Q", "003", "a0B"]))
def test_a_minted_id_keeps_its_case_in_both_forms(number: int, prefix: str):
    id = Minter(prefix)(number)
    assert long_form(id[:15]) == long_form(id.swapcase()[:15] + id[15:]) == id
    assert Minter(prefix)(number + 1) != id


@pytest.mark.parametrize(
    "text", ["", "abc", "00Q5g0000000001!AA", "x" * 16, "00Q5g0000000001EA", None, 7, "\uff10\uff10Q5g0000000001"]
)
def test_what_is_no_id_is_told_apart(text: object):
    assert long_form(text) is None


def test_a_record_is_created_read_changed_and_deleted(salesforce: FakeSalesforce, api: httpx.Client, clock: Any):
    made = api.post("/sobjects/Lead/", json=SATO)
    id = made.json()["id"]
    assert (made.status_code, made.json()) == (201, {"id": id, "success": True, "errors": []})
    assert made.headers["location"] == f"/services/data/v67.0/sobjects/Lead/{id}"
    clock.pass_(seconds=5)
    changed = api.patch(f"/sobjects/lead/{id[:15]}", json={"title": "CEO", "FIRSTNAME": None})
    assert (changed.status_code, changed.content) == (204, b"")
    row = api.get(f"/sobjects/Lead/{id}").json()
    assert row["attributes"] == {"type": "Lead", "url": f"/services/data/v67.0/sobjects/Lead/{id}"}
    assert (row["Name"], row["Title"], row["FirstName"]) == ("佐藤", "CEO", None)
    assert (row["CreatedDate"], row["SystemModstamp"]) == (
        "2026-11-21T09:15:00.000+0000",
        "2026-11-21T09:15:05.000+0000",
    )
    assert row["LastModifiedById"] == row["OwnerId"] == salesforce.user
    assert api.delete(f"/sobjects/Lead/{id}").status_code == 204
    assert error(api.get(f"/sobjects/Lead/{id}")) == (404, "ENTITY_IS_DELETED", "entity is deleted")
    assert [(w.verb, w.request, w.by) for w in salesforce.ledger] == [
        ("create", 1, salesforce.user),
        ("update", 2, salesforce.user),
        ("delete", 4, salesforce.user),
    ]
    assert salesforce.ledger[1].before == {"Title": None, "FirstName": "花子"}


def test_only_the_fields_that_are_asked_for_are_given(salesforce: FakeSalesforce, api: httpx.Client):
    id = salesforce.put("Lead", **SATO)
    row = api.get(f"/sobjects/Lead/{id}", params={"fields": "id,EMAIL"}).json()
    assert {name: row[name] for name in row if name != "attributes"} == {"Id": id, "Email": "Hanako@Example.JP"}
    assert error(api.get(f"/sobjects/Lead/{id}", params={"fields": "Nope"}))[:2] == (400, "INVALID_FIELD")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/sobjects/Nothing", 404, "NOT_FOUND"),
        ("GET", "/sobjects/Lead/00Q5g00000000zzEAA", 404, "NOT_FOUND"),
        ("GET", "/sobjects/Lead/nonsense", 404, "NOT_FOUND"),
        ("PATCH", "/sobjects/Lead/0035g0000000001", 400, "MALFORMED_ID"),
        ("GET", "/nowhere", 404, "NOT_FOUND"),
        ("PUT", "/sobjects/Lead", 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/query", 405, "METHOD_NOT_ALLOWED"),
    ],
)
def test_what_is_not_there_or_not_allowed_has_the_vendors_code(
    api: httpx.Client, method: str, path: str, status: int, code: str
):
    assert error(api.request(method, path, json={} if method != "GET" else None))[:2] == (status, code)


def test_a_method_that_is_not_there_names_those_that_are(api: httpx.Client):
    assert error(api.put("/sobjects/Lead"))[2] == "HTTP Method 'PUT' not allowed. Allowed are HEAD,GET,POST"


def test_a_client_without_patch_may_say_so_in_the_address(salesforce: FakeSalesforce, api: httpx.Client):
    id = salesforce.put("Lead", **SATO)
    assert api.post(f"/sobjects/Lead/{id}?_HTTP_METHOD=PATCH", json={"Title": "CTO"}).status_code == 204
    assert salesforce.rows("Lead")[0]["Title"] == "CTO"


def test_upsert_creates_then_updates_and_refuses_to_choose(salesforce: FakeSalesforce, api: httpx.Client):
    salesforce.add_field("Lead", Field("Ref__c", length=20, external_id=True))
    first = api.patch("/sobjects/Lead/Ref__c/R1", json=SATO)
    assert (first.status_code, first.json()["created"]) == (201, True)
    again = api.patch("/sobjects/Lead/ref__C/r1", json={"Title": "CEO"})
    assert (again.status_code, again.json()) == (
        200,
        {"id": first.json()["id"], "success": True, "errors": [], "created": False},
    )
    twin = salesforce.put("Lead", **SATO, Ref__c="R1")
    several = api.patch("/sobjects/Lead/Ref__c/R1", json={"Title": "Nobody"})
    head = "/services/data/v67.0/sobjects/Lead/"
    assert (several.status_code, several.json()) == (300, [head + first.json()["id"], head + twin])
    assert "Nobody" not in [row["Title"] for row in salesforce.rows("Lead")]


def test_upsert_before_version_46_answers_an_update_without_a_body(salesforce: FakeSalesforce, api: httpx.Client):
    salesforce.put("Lead", **SATO, Ext_Id__c="x")
    url = "https://acme.my.salesforce.com/services/data/v45.0/sobjects/Lead/Ext_Id__c/x"
    answer = api.patch(url, json={"Title": "CEO"})
    assert (answer.status_code, answer.content) == (204, b"")


def test_upsert_may_only_update_and_may_go_by_id(salesforce: FakeSalesforce, api: httpx.Client):
    assert error(api.patch("/sobjects/Lead/Ext_Id__c/x?updateOnly=true", json=SATO))[:2] == (404, "NOT_FOUND")
    made = api.post("/sobjects/Lead/Id", json=SATO)
    assert made.status_code == 201
    assert api.patch(f"/sobjects/Lead/Id/{made.json()['id']}", json={"Title": "CEO"}).status_code == 204
    assert len(salesforce.rows("Lead")) == 1


def test_upsert_refuses_a_field_that_is_no_external_id_and_its_own_field_in_the_body(api: httpx.Client):
    assert error(api.patch("/sobjects/Lead/City/Tokyo", json=SATO)) == (
        404,
        "NOT_FOUND",
        "Provided external ID field does not exist or is not accessible: City",
    )
    assert error(api.patch("/sobjects/Lead/Ext_Id__c/x", json={**SATO, "Ext_Id__c": "x"})) == (
        400,
        "INVALID_FIELD",
        "The Ext_Id__c field should not be specified in the sobject data.",
    )


@pytest.mark.parametrize(
    ("sent", "held"), [("a%20b%2Fc", "a b/c"), ("a%20b/c", "a b/c"), ("%E4%BD%90", "佐"), ("1%2B1", "1+1")]
)
def test_a_value_in_the_path_is_found_as_each_client_encodes_it(
    salesforce: FakeSalesforce, api: httpx.Client, sent: str, held: str
):
    salesforce.put("Lead", **SATO, Ext_Id__c=held)
    assert api.get(f"/sobjects/Lead/Ext_Id__c/{sent}").json()["Ext_Id__c"] == held


def test_a_plus_sign_in_the_path_is_itself_and_reaches_no_record_with_a_blank(
    salesforce: FakeSalesforce, api: httpx.Client
):
    salesforce.put("Lead", **SATO, Ext_Id__c="a b")
    for refused in (api.get("/sobjects/Lead/Ext_Id__c/a+b"), api.delete("/sobjects/Lead/Ext_Id__c/a+b")):
        assert error(refused)[:2] == (404, "NOT_FOUND")
    assert api.patch("/sobjects/Lead/Ext_Id__c/a+b", json={**SATO, "LastName": "鈴木"}).status_code == 201
    assert [(lead["Ext_Id__c"], lead["LastName"]) for lead in salesforce.rows("Lead")] == [
        ("a b", SATO["LastName"]),
        ("a+b", "鈴木"),
    ]


def test_an_upsert_goes_by_an_address_with_a_plus_sign_as_it_stands(salesforce: FakeSalesforce, api: httpx.Client):
    for status in (201, 200):
        sent = api.patch("/sobjects/Lead/Email/taro+1@acme.example", json={"LastName": "佐藤", "Company": "Acme"})
        assert sent.status_code == status
    assert [lead["Email"] for lead in salesforce.rows("Lead")] == ["taro+1@acme.example"]


def test_a_parent_may_be_named_by_its_external_id(salesforce: FakeSalesforce, api: httpx.Client):
    account = salesforce.put("Account", Name="Acme", Ext_Id__c="A1")
    made = api.post("/sobjects/Contact", json={"LastName": "Sato", "Account": {"Ext_Id__c": "a1"}})
    assert salesforce.rows("Contact")[0]["AccountId"] == account
    assert made.status_code == 201
    missing = api.post("/sobjects/Contact", json={"LastName": "Sato", "Account": {"Ext_Id__c": "Z"}})
    assert error(missing)[1:] == (
        "INVALID_FIELD",
        "Foreign key external ID: z not found for field Ext_Id__c in entity Account",
    )


def test_a_parent_may_be_named_by_its_e_mail_address_that_is_not_ambiguous(
    salesforce: FakeSalesforce, api: httpx.Client
):
    boss = salesforce.put("Contact", LastName="Boss", Email="buyer@salesforcesample.com")
    child = {"LastName": "Jones", "ReportsTo": {"Email": "buyer@salesforcesample.com"}}
    assert api.post("/sobjects/Contact", json=child).status_code == 201
    assert salesforce.rows("Contact")[1]["ReportsToId"] == boss
    twin = salesforce.put("Contact", LastName="Twin", Email="buyer@salesforcesample.com")
    assert error(api.post("/sobjects/Contact", json=child)) == (
        400,
        "DUPLICATE_EXTERNAL_ID",
        f"Email: more than one record found for external id field: [{boss}, {twin}]",
    )


def test_whatever_describe_calls_a_lookup_names_a_record_in_a_path_and_a_parent_and_nothing_else_does(
    salesforce: FakeSalesforce, api: httpx.Client
):
    salesforce.add_object("Shop__c", Field("Code__c", external_id=True, unique=True), Field("City__c"))
    salesforce.add_field("Contact", Field("Shop__c", "reference", references=("Shop__c",), relationship="Shop__r"))
    salesforce.put("Shop__c", Name="Ginza", Code__c="G1", City__c="Tokyo")
    told = {field["name"]: field["idLookup"] for field in api.get("/sobjects/Shop__c/describe").json()["fields"]}
    values = {"Name": "Ginza", "Code__c": "G1", "City__c": "Tokyo"}
    for name, value in values.items():
        found = api.get(f"/sobjects/Shop__c/{name}/{value}").status_code == 200
        named = api.post("/sobjects/Contact", json={"LastName": "Sato", "Shop__r": {name: value}}).status_code == 201
        assert (found, named) == (told[name], told[name])
    assert [name for name in values if told[name]] == ["Name", "Code__c"]


def test_the_name_of_a_standard_object_is_no_lookup(salesforce: FakeSalesforce, api: httpx.Client):
    salesforce.put("Account", Name="Acme")
    told = {field["name"]: field["idLookup"] for field in api.get("/sobjects/Account/describe").json()["fields"]}
    assert (told["Id"], told["Name"]) == (True, False)
    assert api.get("/sobjects/Account/Name/Acme").status_code == 404


def test_describe_is_spared_to_whoever_knows_the_fields_already(
    salesforce: FakeSalesforce, api: httpx.Client, clock: Any
):
    def asked(kind: str = "Lead", *, since: str = "") -> tuple[int, bool]:
        header = {"If-Modified-Since": since or format_datetime(clock(), usegmt=True)}
        answer = api.get(f"/sobjects/{kind}/describe", headers=header)
        return answer.status_code, bool(answer.content)

    assert asked() == (304, False)
    salesforce.add_field("Lead", Field("Rank__c"))
    assert asked() == (200, True)
    assert asked("Contact") == (304, False)
    clock.pass_(seconds=1)
    assert asked() == (304, False)
    salesforce.drop_field("Lead", "Rank__c")
    assert asked() == (200, True)
    clock.pass_(seconds=1)
    assert [asked(since=odd)[0] for odd in ("yesterday", "Sat, 21 Nov 2026 09:00:00")] == [200, 200]


def test_describe_tells_what_preflight_needs(salesforce: FakeSalesforce, api: httpx.Client):
    fields = {field["name"]: field for field in api.get("/sobjects/Lead/describe/").json()["fields"]}
    assert (fields["LastName"]["length"], fields["LastName"]["byteLength"], fields["LastName"]["nillable"]) == (
        80,
        240,
        False,
    )
    assert (fields["Status"]["nillable"], fields["Status"]["defaultedOnCreate"]) == (False, True)
    assert (fields["NumberOfEmployees"]["type"], fields["NumberOfEmployees"]["digits"]) == ("int", 8)
    assert (fields["AnnualRevenue"]["precision"], fields["AnnualRevenue"]["scale"]) == (18, 0)
    assert (fields["Name"]["createable"], fields["Name"]["updateable"]) == (False, False)
    assert (fields["Interests__c"]["restrictedPicklist"], fields["Industry"]["restrictedPicklist"]) == (True, False)
    assert (fields["Ext_Id__c"]["externalId"], fields["Ext_Id__c"]["unique"], fields["Ext_Id__c"]["idLookup"]) == (
        True,
        True,
        True,
    )
    assert fields["OwnerId"]["referenceTo"] == ["User"]
    assert len(fields["Id"]) == 56
    task = {field["name"]: field for field in api.get("/sobjects/Task/describe").json()["fields"]}
    assert (task["WhoId"]["referenceTo"], task["WhoId"]["relationshipName"]) == (["Contact", "Lead"], "Who")
    assert task["WhoId"]["polymorphicForeignKey"] is True


def test_the_list_of_objects_and_the_root_are_there_in_both_slash_forms(api: httpx.Client):
    listed = api.get("/sobjects/").json()
    assert api.get("/sobjects").json() == listed
    assert {"Lead", "Contact", "Account", "Opportunity", "Task", "User"} <= {one["name"] for one in listed["sobjects"]}
    assert {one["name"]: one["keyPrefix"] for one in listed["sobjects"]}["Lead"] == "00Q"
    assert api.get("/").json()["queryAll"] == "/services/data/v67.0/queryAll"
    assert api.get("/sobjects/Lead").json()["objectDescribe"]["name"] == "Lead"


def test_a_custom_object_and_a_dropped_field_are_seen_at_once(salesforce: FakeSalesforce, api: httpx.Client):
    salesforce.add_object("Visit__c", Field("Lead__c", "reference", references=("Lead",)), prefix="a01")
    lead = salesforce.put("Lead", **SATO)
    made = api.post("/sobjects/Visit__c", json={"Name": "first", "Lead__c": lead})
    assert made.json()["id"].startswith("a01")
    found = api.get("/query", params={"q": "SELECT Lead__r.LastName FROM Visit__c"}).json()["records"]
    assert found[0]["Lead__r"]["LastName"] == "佐藤"
    with pytest.raises(ValueError, match="prefix a01 is taken"):
        salesforce.add_object("Other__c", prefix="a01")
    salesforce.drop_field("Lead", "Title")
    assert error(api.patch(f"/sobjects/Lead/{lead}", json={"Title": "x"})) == (
        400,
        "INVALID_FIELD",
        "No such column 'Title' on sobject of type Lead",
    )


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"", {}, 400, "JSON_PARSER_ERROR"),
        (b"[]", {}, 400, "JSON_PARSER_ERROR"),
        (b'{"LastName": NaN}', {}, 400, "JSON_PARSER_ERROR"),
        (b'{"LastName": "\\ud800"}', {}, 400, "JSON_PARSER_ERROR"),
        (b"[" * 100_000, {}, 400, "JSON_PARSER_ERROR"),
        (b'{"LastName": "\xff"}', {}, 400, "JSON_PARSER_ERROR"),
        (b"<x/>", {"Content-Type": "text/xml"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"nonsense", {"Content-Encoding": "gzip"}, 400, "JSON_PARSER_ERROR"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    salesforce: FakeSalesforce, api: httpx.Client, body: bytes, headers: dict[str, str], status: int, code: str
):
    sent = {"Content-Type": "application/json", **headers}
    assert error(api.post("/sobjects/Lead", content=body, headers=sent))[:2] == (status, code)
    assert salesforce.ledger == ()


def test_a_record_that_is_locked_can_be_written_after_the_lock_is_gone(salesforce: FakeSalesforce, api: httpx.Client):
    id = salesforce.put("Lead", **SATO)
    salesforce.lock_row(id, times=2)
    codes = [api.patch(f"/sobjects/Lead/{id}", json={"Title": "x"}) for _ in range(3)]
    assert [answer.status_code for answer in codes] == [400, 400, 204]
    assert error(codes[0])[1:] == (
        "UNABLE_TO_LOCK_ROW",
        f"unable to obtain exclusive access to this record or 1 records: {id}",
    )
    salesforce.faults.add("F12:1/PATCH /services")
    assert [api.patch(f"/sobjects/Lead/{id}", json={"Title": "y"}).status_code for _ in "ab"] == [400, 204]


def test_a_record_may_be_deleted_by_a_person_right_before_the_write(salesforce: FakeSalesforce, api: httpx.Client):
    id = salesforce.put("Lead", **SATO)
    salesforce.faults.add("F15:1")
    assert error(api.patch(f"/sobjects/Lead/{id}", json={"Title": "x"}))[:2] == (404, "ENTITY_IS_DELETED")
    assert [(write.verb, write.by, write.request) for write in salesforce.ledger] == [("delete", "a person", 0)]


def test_stamps_may_be_equal_or_lie_in_the_past_when_faults_say_so(
    salesforce: FakeSalesforce, api: httpx.Client, clock: Any
):
    clock.pass_(seconds=30)
    salesforce.faults.add("F20:1")
    api.post("/sobjects/Lead", json=SATO)
    salesforce.faults.add("F21:1")
    api.post("/sobjects/Lead", json=SATO)
    equal, late = (row["SystemModstamp"] for row in salesforce.rows("Lead"))
    assert equal == "2026-11-21T09:15:00.000+0000"
    assert "2026-11-21T09:05:30" <= late[:19] < "2026-11-21T09:15:30"
