"""Many records in one call (spec keys collections, sf-err-tests, donat for composite)."""

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.testing.fakes.salesforce import FakeSalesforce
from crmbridge.testing.tables import Field


def lead(**values: Any) -> dict[str, Any]:
    return {"attributes": {"type": "Lead"}, "LastName": "Sato", "Company": "Acme", **values}


def outcomes(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return ["ok" if one["success"] else one["errors"][0]["statusCode"] for one in answer.json()]


def test_a_collection_answers_200_with_one_element_for_each_record_in_order(
    salesforce: FakeSalesforce, api: httpx.Client
):
    records = [
        lead(LastName="Abe"),
        lead(LastName=None),
        lead(Nope="x"),
        {**lead(), "attributes": {"type": "account"}, "Name": "A"},
    ]
    answer = api.post("/composite/sobjects/", json={"allOrNone": False, "records": records})
    assert outcomes(answer) == ["ok", "REQUIRED_FIELD_MISSING", "INVALID_FIELD", "INVALID_FIELD"]
    ok, bad = answer.json()[:2]
    assert ok == {"id": salesforce.rows("Lead")[0]["Id"], "success": True, "errors": []}
    message = "Required fields are missing: [LastName]"
    assert bad == {
        "success": False,
        "errors": [{"statusCode": "REQUIRED_FIELD_MISSING", "message": message, "fields": ["LastName"]}],
    }
    assert len(salesforce.ledger) == 1


def test_all_or_none_rolls_back_rows_indexes_and_ledger(salesforce: FakeSalesforce, api: httpx.Client):
    kept = salesforce.put("Lead", LastName="Kept", Company="Acme", Ext_Id__c="K")
    records = [lead(Ext_Id__c="X"), lead(LastName=None)]
    answer = api.post("/composite/sobjects", json={"allOrNone": True, "records": records})
    assert outcomes(answer) == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    text = "Record rolled back because not all records were valid and the request was using AllOrNone header"
    assert answer.json()[0]["errors"][0]["message"] == text
    changes = [{**lead(Ext_Id__c="K2"), "id": kept}, {**lead(Title="x" * 200), "id": "00Q5g0000000zzz"}]
    assert "ALL_OR_NONE_OPERATION_ROLLED_BACK" in outcomes(
        api.patch("/composite/sobjects", json={"allOrNone": True, "records": changes})
    )
    assert [(row["LastName"], row["Ext_Id__c"]) for row in salesforce.rows("Lead")] == [("Kept", "K")]
    assert [api.get(f"/sobjects/Lead/Ext_Id__c/{key}").status_code for key in ("K", "K2", "X")] == [200, 404, 404]
    assert api.delete(f"/composite/sobjects?ids={kept},00Q5g0000000zzz&allOrNone=true").status_code == 200
    assert (len(salesforce.rows("Lead")), salesforce.ledger) == (1, ())


@given(st.lists(st.booleans(), min_size=1, max_size=12), st.booleans())
def test_the_ledger_holds_exactly_what_was_answered_as_written(good: list[bool], all_or_none: bool):
    fake = FakeSalesforce()
    with httpx.Client(
        transport=fake.transport(), headers={"Authorization": f"Bearer {fake.credentials['token']}"}
    ) as api:
        records = [lead(LastName="Sato" if fine else None) for fine in good]
        url = "https://acme.my.salesforce.com/services/data/v67.0/composite/sobjects"
        answer = api.post(url, json={"allOrNone": all_or_none, "records": records})
    written = [one["id"] for one in answer.json() if one["success"]]
    assert [write.id for write in fake.ledger] == written == [row["Id"] for row in fake.rows("Lead")]
    assert len(written) == (sum(good) if all(good) or not all_or_none else 0)


def test_updates_carry_the_id_and_a_record_may_come_once(salesforce: FakeSalesforce, api: httpx.Client):
    id = salesforce.put("Lead", LastName="Sato", Company="Acme")
    part = {"attributes": {"type": "Lead"}}
    records = [
        {**part, "id": id[:15], "Title": "CEO"},
        {**part, "Id": id, "Title": "CTO"},
        {**part, "Title": "x"},
        {**part, "id": "0035g0000000001"},
    ]
    answer = api.patch("/composite/sobjects", json={"records": records})
    assert outcomes(answer) == ["ok", "DUPLICATE_VALUE", "MISSING_ARGUMENT", "MALFORMED_ID"]
    assert (answer.json()[0]["id"], salesforce.rows("Lead")[0]["Title"]) == (id, "CEO")


def test_upsert_tells_created_from_changed_and_refuses_twins(salesforce: FakeSalesforce, api: httpx.Client):
    salesforce.add_field("Lead", Field("Ref__c", length=20, external_id=True))
    for _ in "ab":
        salesforce.put("Lead", LastName="Twin", Company="x", Ref__c="T")
    salesforce.put("Lead", LastName="Old", Company="x", Ref__c="O")
    records = [lead(Ref__c="N"), lead(Ref__c="o", Title="x"), lead(Ref__c="T"), lead(Ref__c="n"), lead()]
    answer = api.patch("/composite/sobjects/Lead/Ref__c", json={"records": records})
    assert outcomes(answer) == ["ok", "ok", "DUPLICATE_EXTERNAL_ID", "DUPLICATE_VALUE", "MISSING_ARGUMENT"]
    assert [one.get("created") for one in answer.json()[:2]] == [True, False]
    assert api.patch("/composite/sobjects/Lead/City", json={"records": [lead()]}).status_code == 404
    id = salesforce.rows("Lead")[0]["Id"]
    by_id = api.patch("/composite/sobjects/Lead/Id", json={"records": [lead(Id=id), lead()]})
    assert [one["created"] for one in by_id.json()] == [False, True]


@pytest.mark.parametrize("attributes", [{"type": "Contact"}, {}, None])
def test_an_upsert_takes_no_record_of_another_type_or_of_none(
    salesforce: FakeSalesforce, api: httpx.Client, attributes: Any
):
    records = [lead(Email="a@acme.example"), {**lead(Email="b@acme.example"), "attributes": attributes}]
    answer = api.patch("/composite/sobjects/Lead/Email", json={"records": records})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_INPUT")
    assert (salesforce.rows("Lead"), salesforce.rows("Contact")) == ([], [])
    # The name of the type is as case-blind as it is in an address.
    records = [{**lead(Email="a@acme.example"), "attributes": {"type": "lead"}}]
    assert outcomes(api.patch("/composite/sobjects/Lead/Email", json={"records": records})) == ["ok"]


def test_records_are_read_by_ids_with_null_for_the_unknown(salesforce: FakeSalesforce, api: httpx.Client):
    id = salesforce.put("Lead", LastName="Sato", Company="Acme")
    got = api.get("/composite/sobjects/Lead", params={"ids": f"{id},00Q5g0000000zzz", "fields": "id,lastname"}).json()
    assert (got[0]["LastName"], got[1]) == ("Sato", None)
    assert api.post("/composite/sobjects/Lead", json={"ids": ["x", id], "fields": ["Name"]}).json()[0] is None
    assert api.post("/composite/sobjects/Lead", json={"ids": id, "fields": []}).status_code == 400


def test_deleting_answers_for_each_id(salesforce: FakeSalesforce, api: httpx.Client):
    id = salesforce.put("Lead", LastName="Sato", Company="Acme")
    answer = api.delete(f"/composite/sobjects?ids={id},nonsense,{id}")
    assert outcomes(answer) == ["ok", "MALFORMED_ID", "ENTITY_IS_DELETED"]


def test_more_than_200_records_or_10_chunks_are_refused(salesforce: FakeSalesforce, api: httpx.Client):
    many = api.post("/composite/sobjects", json={"records": [lead()] * 201})
    assert (many.status_code, many.json()[0]["errorCode"]) == (400, "EXCEEDED_ID_LIMIT")
    account = {"attributes": {"type": "Account"}, "Name": "A"}
    assert outcomes(api.post("/composite/sobjects", json={"records": [lead(), account] * 5})) == ["ok"] * 10
    chunks = api.post("/composite/sobjects", json={"records": [lead(), account] * 5 + [lead()]})
    assert (chunks.status_code, chunks.json()[0]["errorCode"]) == (400, "LIMIT_EXCEEDED")
    assert len(salesforce.ledger) == 10


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"records": "x"},
        {"records": ["x"]},
        {"records": [{"LastName": "x"}]},
        {"records": [lead(), lead(LastName=5)]},
    ],
)
def test_a_malformed_collection_is_refused_as_a_whole(salesforce: FakeSalesforce, api: httpx.Client, body: Any):
    assert api.post("/composite/sobjects", json=body).status_code == 400
    assert (salesforce.ledger, salesforce.rows("Lead")) == ((), [])


def test_locks_and_missing_results_come_when_faults_say_so(salesforce: FakeSalesforce, api: httpx.Client):
    salesforce.faults.add("F12:2")
    answer = api.post("/composite/sobjects", json={"records": [lead()] * 4})
    assert outcomes(answer) == ["UNABLE_TO_LOCK_ROW", "UNABLE_TO_LOCK_ROW", "ok", "ok"]
    salesforce.faults.add("F11:1")
    assert len(api.post("/composite/sobjects", json={"records": [lead()] * 4}).json()) == 3
    assert len(salesforce.ledger) == 6


def part(method: str, url: str, reference: str, body: Any = None) -> dict[str, Any]:
    return {"method": method, "url": f"/services/data/v67.0{url}", "referenceId": reference, "body": body}


def test_a_composite_call_hands_ids_from_one_part_to_the_next(salesforce: FakeSalesforce, api: httpx.Client):
    parts = [
        part("POST", "/sobjects/Account", "a1", {"Name": "Acme"}),
        part("POST", "/sobjects/Contact", "c1", {"LastName": "Sato", "AccountId": "@{a1.id}"}),
        part("GET", "/query?q=SELECT+Id+FROM+Contact+WHERE+AccountId='@{a1.id}'", "q1"),
        part("GET", "/sobjects/Contact/@{q1.records[0].Id}?fields=LastName", "c2"),
        part("GET", "/sobjects/Contact/@{nobody.id}", "x1"),
    ]
    answers = api.post("/composite", json={"compositeRequest": parts}).json()["compositeResponse"]
    assert [one["httpStatusCode"] for one in answers] == [201, 201, 200, 200, 400]
    assert answers[3]["body"]["LastName"] == "Sato"
    assert answers[0]["httpHeaders"]["Location"].endswith(salesforce.rows("Account")[0]["Id"])
    assert answers[4]["body"][0]["errorCode"] == "PROCESSING_HALTED"


def test_a_composite_call_of_all_or_none_leaves_nothing_behind(salesforce: FakeSalesforce, api: httpx.Client):
    parts = [part("POST", "/sobjects/Account", "a1", {"Name": "Acme"}), part("POST", "/sobjects/Contact", "c1", {})]
    answers = api.post("/composite", json={"allOrNone": True, "compositeRequest": parts}).json()["compositeResponse"]
    assert [one["body"][0]["errorCode"] for one in answers] == ["PROCESSING_HALTED", "REQUIRED_FIELD_MISSING"]
    assert (salesforce.rows("Account"), salesforce.ledger) == ([], ())
    assert (
        api.post("/composite", json={"compositeRequest": parts}).json()["compositeResponse"][0]["httpStatusCode"] == 201
    )


def test_a_collection_inside_of_a_composite_call_answers_its_elements_and_may_be_referred_to(
    salesforce: FakeSalesforce, api: httpx.Client
):
    records = [{"attributes": {"type": "Account"}, "Name": "Acme"}, {"attributes": {"type": "Account"}}]
    contact = {"LastName": "Sato", "AccountId": "@{made[0].id}"}
    parts = [
        part("POST", "/composite/sobjects", "made", {"records": records}),
        part("POST", "/sobjects/Contact", "c1", contact),
    ]
    answers = api.post("/composite", json={"compositeRequest": parts}).json()["compositeResponse"]
    [account] = salesforce.rows("Account")
    assert answers[0]["body"][0] == {"id": account["Id"], "success": True, "errors": []}
    assert answers[0]["body"][1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert [row["AccountId"] for row in salesforce.rows("Contact")] == [account["Id"]]


def test_a_batch_answers_each_part_and_may_halt(salesforce: FakeSalesforce, api: httpx.Client):
    parts = [
        {"method": "POST", "url": "v67.0/sobjects/Account", "richInput": {"Name": "Acme"}},
        {"method": "GET", "url": "v67.0/sobjects/Nothing"},
        {"method": "GET", "url": "v67.0/limits"},
    ]
    answer = api.post("/composite/batch", json={"batchRequests": parts}).json()
    assert (answer["hasErrors"], [one["statusCode"] for one in answer["results"]]) == (True, [201, 404, 200])
    halted = api.post("/composite/batch", json={"haltOnError": True, "batchRequests": parts}).json()
    assert [one["statusCode"] for one in halted["results"]] == [201, 404, 412]
    assert len(salesforce.rows("Account")) == 2


def test_a_part_may_speak_of_composite_and_only_its_address_decides(api: httpx.Client):
    query = "/query?q=SELECT+Id+FROM+Account+WHERE+Website='http://acme.example/composite/1'"
    parts = [part("GET", query, "a"), part("POST", "/Composite/batch", "b"), part("POST", "/composite", "c")]
    answers = api.post("/composite", json={"compositeRequest": parts}).json()["compositeResponse"]
    assert [one["httpStatusCode"] for one in answers] == [200, 400, 400]
    assert answers[1]["body"][0]["errorCode"] == "INVALID_INPUT"


@pytest.mark.parametrize(("version", "status"), [("v20.0", 410), ("v30.0", 410), ("v99.0", 404), ("v67.5", 404)])
def test_a_version_that_is_not_served_is_not_served_in_a_part_either(api: httpx.Client, version: str, status: int):
    url = f"/services/data/{version}/limits"
    answer = api.post("/composite", json={"compositeRequest": [{"method": "GET", "url": url, "referenceId": "a"}]})
    assert answer.json()["compositeResponse"][0]["httpStatusCode"] == status
    batch = api.post("/composite/batch", json={"batchRequests": [{"method": "GET", "url": f"{version}/limits"}]})
    assert batch.json()["results"][0]["statusCode"] == status


def test_a_reference_is_written_in_the_words_of_json(salesforce: FakeSalesforce, api: httpx.Client):
    id = salesforce.put("Account", Name="Acme", NumberOfEmployees=7)
    parts = [
        part("GET", f"/sobjects/Account/{id}?fields=IsDeleted,NumberOfEmployees", "a"),
        part("PATCH", f"/sobjects/Account/{id}", "b", {"Description": "@{a.IsDeleted} @{a.NumberOfEmployees}"}),
    ]
    api.post("/composite", json={"compositeRequest": parts})
    assert salesforce.rows("Account")[0]["Description"] == "false 7"


@pytest.mark.parametrize(("version", "status"), [(51, 400), (52, 201)])
def test_a_blank_field_of_a_record_is_handed_on_since_version_52(
    salesforce: FakeSalesforce, api: httpx.Client, version: int, status: int
):
    id = salesforce.put("Contact", LastName="Wong")
    parts = [
        part("GET", f"/sobjects/Contact/{id}?fields=FirstName,LastName", "a"),
        part("POST", "/sobjects/Contact", "b", {"FirstName": "@{a.FirstName}", "LastName": "@{a.LastName}"}),
        part("POST", "/sobjects/Contact", "c", {"LastName": "x @{a.FirstName}"}),
    ]
    url = f"https://acme.my.salesforce.com/services/data/v{version}.0/composite"
    answers = api.post(url, json={"compositeRequest": parts}).json()["compositeResponse"]
    assert [one["httpStatusCode"] for one in answers] == [200, status, 400]
    assert answers[2]["body"][0]["errorCode"] == "PROCESSING_HALTED"


@pytest.mark.parametrize("name", ["a-b", "a[1]", "_a", "a.b", "", "é", None, 1])
def test_a_part_with_a_strange_name_or_none_refuses_the_whole_call(
    salesforce: FakeSalesforce, api: httpx.Client, name: Any
):
    parts = [part("POST", "/sobjects/Account", "one", {"Name": "Acme"}), part("GET", "/limits", name)]
    answer = api.post("/composite", json={"compositeRequest": parts})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")
    assert salesforce.rows("Account") == []


def test_up_to_version_51_a_part_with_a_strange_name_is_done_and_cannot_be_referred_to(
    salesforce: FakeSalesforce, api: httpx.Client
):
    parts = [
        part("POST", "/sobjects/Account", "new[1]", {"Name": "Acme"}),
        part("POST", "/sobjects/Contact", "child", {"LastName": "Sato", "AccountId": "@{new[1].id}"}),
        part("POST", "/sobjects/Account", "other", {"Name": "Easy Spaces"}),
    ]
    url = "https://acme.my.salesforce.com/services/data/v51.0/composite"
    answers = api.post(url, json={"compositeRequest": parts}).json()["compositeResponse"]
    assert [one["httpStatusCode"] for one in answers] == [201, 400, 201]
    assert [row["Name"] for row in salesforce.rows("Account")] == ["Acme", "Easy Spaces"]


@pytest.mark.parametrize("parts", [None, "x", ["x"], [{"url": "x"}] * 26])
def test_a_composite_call_that_cannot_be_read_is_refused(api: httpx.Client, parts: Any):
    assert api.post("/composite", json={"compositeRequest": parts}).status_code == 400


@pytest.mark.parametrize(
    "url", ["", "x", "/services/data/v67.0/composite", "http://[", "/services/data/v67.0/sobjects/../x"]
)
def test_a_part_with_a_strange_address_fails_alone(api: httpx.Client, url: str):
    answer = api.post("/composite", json={"compositeRequest": [{"method": "GET", "url": url, "referenceId": "a"}]})
    assert answer.json()["compositeResponse"][0]["httpStatusCode"] in (400, 404)


@pytest.mark.parametrize("all_or_none", [True, False])
def test_two_parts_of_one_name_refuse_the_whole_call(
    salesforce: FakeSalesforce, api: httpx.Client, *, all_or_none: bool
):
    parts = [part("POST", "/sobjects/Account", name, {"Name": "Acme"}) for name in ("one", "two", "one")]
    answer = api.post("/composite", json={"allOrNone": all_or_none, "compositeRequest": parts})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_INPUT")
    assert salesforce.rows("Account") == []
