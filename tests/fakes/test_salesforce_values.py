"""What is checked, and how it is stored (spec keys sales-cloud-schema, sf-err-tests, ui-tests, email-kb)."""

import json
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.testing.fakes.salesforce import DuplicateRule, FakeSalesforce
from crmbridge.testing.fakes.salesforce.values import check_for, email_is_valid
from crmbridge.testing.tables import Field

NO_MOMENT = "Cannot deserialize instance of datetime from VALUE_STRING value"
LEAD = {"LastName": "Sato", "Company": "Acme"}


@pytest.fixture
def kept(salesforce: FakeSalesforce, api: httpx.Client) -> Callable[..., Any]:
    """Write one field of a lead, and give what is kept, or the code and message of the refusal."""

    def write(name: str, value: Any) -> Any:
        answer = api.post("/sobjects/Lead", json={**LEAD, name: value})
        if answer.status_code == 201:
            return salesforce.rows("Lead")[-1][name]
        assert answer.status_code == 400
        return answer.json()[0]["errorCode"], answer.json()[0]["message"]

    return write


@pytest.mark.parametrize(
    ("name", "sent", "stored"),
    [
        ("Title", "  CEO \n", "CEO"),
        ("Title", "", None),
        ("Title", " \t ", None),
        ("Email", "A.B@Example.JP", "a.b@example.jp"),
        ("AnnualRevenue", 12.5, 13.0),
        ("AnnualRevenue", "1e3", 1000.0),
        ("AnnualRevenue", 123456789012345678, 123456789012345678),
        ("AnnualRevenue", "-123456789012345678", -123456789012345678),
        ("pi__score__c", 7, 7.0),
        ("NumberOfEmployees", 99_999_999, 99_999_999),
        ("NumberOfEmployees", "12", 12),
        ("DoNotCall", None, False),
        ("DoNotCall", "TRUE", True),
        ("Interests__c", "Support; Product;Product", "Product;Support"),
        ("Industry", "Misspelt", "Misspelt"),
        ("EmailBouncedDate", "2026-11-21T18:15:00.999+09:00", "2026-11-21T09:15:00.000+0000"),
        ("EmailBouncedDate", "2026-11-21T09:15:00Z", "2026-11-21T09:15:00.000+0000"),
        ("EmailBouncedDate", "2026-11-21T09:15:00.123456Z", "2026-11-21T09:15:00.000+0000"),
        ("EmailBouncedDate", "2026-11-21T18:15:00+0900", "2026-11-21T09:15:00.000+0000"),
        ("EmailBouncedDate", "2026-11-21T18:15:00.5+09", "2026-11-21T09:15:00.000+0000"),
        ("EmailBouncedDate", "2026-11-20T21:45:00-11:30", "2026-11-21T09:15:00.000+0000"),
        ("EmailBouncedDate", "2026-11-21T09:15:00", "2026-11-21T09:15:00.000+0000"),
        ("EmailBouncedDate", "2026-11-21", "2026-11-21T00:00:00.000+0000"),
        ("EmailBouncedDate", "1700-01-01T00:00:00Z", "1700-01-01T00:00:00.000+0000"),
        ("EmailBouncedDate", None, None),
        ("LastName", "あ" * 80, "あ" * 80),
    ],
)
def test_a_value_is_stored_in_the_vendors_form(kept: Callable[..., Any], name: str, sent: Any, stored: Any):
    assert kept(name, sent) == stored


@pytest.mark.parametrize(
    ("name", "sent", "code", "message"),
    [
        ("LastName", "あ" * 81, "STRING_TOO_LONG", f"Last Name: data value too large: {'あ' * 81} (max length=80)"),
        ("Email", "x" * 80 + "@a.jp", "STRING_TOO_LONG", None),
        ("Email", "nobody", "INVALID_EMAIL_ADDRESS", "Email: invalid email address: nobody"),
        (
            "NumberOfEmployees",
            1_431_655_766,
            "NUMBER_OUTSIDE_VALID_RANGE",
            "Employees: value outside of valid range on numeric field: 1431655766",
        ),
        ("AnnualRevenue", 10**18, "NUMBER_OUTSIDE_VALID_RANGE", None),
        ("AnnualRevenue", 1e308, "NUMBER_OUTSIDE_VALID_RANGE", None),
        (
            "Interests__c",
            "Product;product",
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "Interests: bad value for restricted picklist field: product",
        ),
        ("LastName", " ", "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]"),
        ("Nope__c", "x", "INVALID_FIELD", "No such column 'Nope__c' on sobject of type Lead"),
        (
            "Name",
            "x",
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            (
                "Unable to create/update fields: Name. Please check the security settings of this field and verify that"
                " it is read/write for your profile or permission set."
            ),
        ),
        ("IsConverted", True, "INVALID_FIELD_FOR_INSERT_UPDATE", None),
        ("CreatedDate", "2026-11-21T09:15:00Z", "INVALID_FIELD_FOR_INSERT_UPDATE", None),
        ("OwnerId", "00Q5g0000000001EAA", "MALFORMED_ID", "Owner ID: id value of incorrect type: 00Q5g0000000001EAA"),
        ("OwnerId", "nonsense", "MALFORMED_ID", None),
        ("OwnerId", "0055g00000000zz", "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"),
        ("Title", 5, "JSON_PARSER_ERROR", None),
        ("Title", ["x"], "JSON_PARSER_ERROR", None),
        ("NumberOfEmployees", 1.5, "JSON_PARSER_ERROR", None),
        ("NumberOfEmployees", True, "JSON_PARSER_ERROR", None),
        ("DoNotCall", "yes", "JSON_PARSER_ERROR", None),
        ("EmailBouncedDate", "yesterday", "JSON_PARSER_ERROR", None),
        (
            "EmailBouncedDate",
            "2026-02-03 10:00:00",
            "JSON_PARSER_ERROR",
            f"{NO_MOMENT} 2026-02-03 10:00:00 or request may be missing a required field",
        ),
        *(
            ("EmailBouncedDate", wrong, "JSON_PARSER_ERROR", None)
            for wrong in (
                "2026-02-03 10:00:00Z",
                "2026-02-03T10:00",
                "2026-02-03T10:00Z",
                "2026-02-03T10:00:00 +0900",
                "2026-02-03T10:00:00+9",
                "2026-02-03T10:00:00 UTC",
                "2026-02-03T10:00:00Z ",
                "2026-02-03T10:00:00+09:00:30",
                "2026-02-03T",
                "20260203T100000Z",
                "2026-02-30T10:00:00Z",
                "２０２６-02-03T10:00:00Z",
                "1699-12-31T23:59:59Z",
                "4001-01-01T00:00:00Z",
            )
        ),
        ("Id", "00Q5g0000000001EAA", "INVALID_FIELD", "The Id field should not be specified in the sobject data."),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_the_vendors_words(
    kept: Callable[..., Any], name: str, sent: Any, code: str, message: str | None
):
    refused = kept(name, sent)
    assert refused[0] == code
    assert message in (None, refused[1])


def test_required_fields_are_named_together_and_cannot_be_cleared(salesforce: FakeSalesforce, api: httpx.Client):
    missing = api.post("/sobjects/Lead", json={"FirstName": "Hanako"}).json()[0]
    assert missing["message"] == "Required fields are missing: [LastName, Company]"
    assert missing["fields"] == ["LastName", "Company"]
    id = salesforce.put("Lead", **LEAD)
    cleared = api.patch(f"/sobjects/Lead/{id}", json={"Company": None})
    assert cleared.json()[0]["errorCode"] == "REQUIRED_FIELD_MISSING"


@pytest.mark.parametrize(
    ("address", "guide", "newer"),
    [
        ("a@b.jp", True, True),
        ("a..b@b.jp", True, True),
        ("a.@b.jp", False, True),
        ("a@.b.jp", False, False),
        (".a@b.jp", False, False),
        ("a@b", False, False),
        ("a b@b.jp", False, False),
        ("a(home)@b.jp", True, True),
        ("a@b..jp", False, False),
        ("a@-b.jp", False, False),
        ("@b.jp", False, False),
        ("山田@b.jp", False, False),
    ],
)
def test_the_switch_decides_on_a_dot_before_the_at_sign(address: str, *, guide: bool, newer: bool):
    assert (email_is_valid(address, "guide"), email_is_valid(address, "vendor-2026")) == (guide, newer)


def test_the_switch_reaches_the_api():
    fake = FakeSalesforce(email_rule="vendor-2026")
    with httpx.Client(
        transport=fake.transport(), headers={"Authorization": f"Bearer {fake.credentials['token']}"}
    ) as client:
        url = "https://acme.my.salesforce.com/services/data/v67.0/sobjects/Lead"
        assert client.post(url, json={**LEAD, "Email": "a.@b.jp"}).status_code == 201


@given(st.text(max_size=30))
def test_storing_a_stored_text_changes_nothing(text: str):
    check = check_for(Field("Title", label="Title", length=30), "guide")
    once = check(text)
    assert check(once) == once
    assert once is None or (once == once.strip() and once != "")


@given(st.decimals(-99_999, 99_999, places=6), st.integers(0, 4))
def test_a_number_is_rounded_half_up_to_its_scale(number: Decimal, scale: int):
    check = check_for(Field("Amount", "currency", label="Amount", precision=18, scale=scale), "guide")
    assert Decimal(str(check(str(number)))) == number.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)


@pytest.mark.parametrize(
    "amount", ["1234567890123456.78", "-1234567890123456.78", "123456789012345.6", "9999999999999999", "0.1", "1e3"]
)
def test_every_digit_of_a_number_is_kept_and_told(salesforce: FakeSalesforce, api: httpx.Client, amount: str):
    deal = f'{{"Name": "x", "StageName": "y", "CloseDate": "2026-11-30", "Probability": 100, "Amount": {amount}}}'
    made = api.post("/sobjects/Opportunity", content=deal, headers={"content-type": "application/json"}).json()["id"]
    answers = [
        api.get(f"/sobjects/Opportunity/{made}"),
        api.get("/query", params={"q": f"SELECT Amount, ExpectedRevenue FROM Opportunity WHERE Amount = {amount}"}),
        api.get("/query", params={"q": "SELECT SUM(Amount) Amount FROM Opportunity"}),
        api.post("/composite", json={"compositeRequest": [{
            "method": "GET", "url": f"/services/data/v67.0/sobjects/Opportunity/{made}", "referenceId": "a"}]}),
    ]  # fmt: skip
    for answer in answers:
        told = json.loads(answer.text, parse_float=Decimal)
        [row] = told.get("records") or [part["body"] for part in told.get("compositeResponse", ())] or [told]
        assert (row["Amount"], row.get("ExpectedRevenue", row["Amount"])) == (Decimal(amount), Decimal(amount))


def test_a_unique_value_is_held_by_one_record_only(salesforce: FakeSalesforce, api: httpx.Client):
    first = salesforce.put("Lead", **LEAD, Ext_Id__c="X1")
    second = salesforce.put("Lead", **LEAD)
    refused = api.patch(f"/sobjects/Lead/{second}", json={"Ext_Id__c": "x1"}).json()[0]
    assert refused["errorCode"] == "DUPLICATE_VALUE"
    assert refused["message"] == f"duplicate value found: Ext_Id__c duplicates value on record with id: {first}"
    assert api.patch(f"/sobjects/Lead/{first}", json={"Ext_Id__c": "X1"}).status_code == 204
    salesforce.remove("Lead", first)
    assert api.patch(f"/sobjects/Lead/{second}", json={"Ext_Id__c": "x1"}).status_code == 204


def test_a_reference_must_exist_and_be_active(salesforce: FakeSalesforce, api: httpx.Client):
    idle = salesforce.put("User", LastName="Gone", Username="gone@x.example", IsActive=False)
    account = salesforce.put("Account", Name="Acme")
    salesforce.remove("Account", account)

    def code(**values: Any) -> str:
        return api.post("/sobjects/Contact", json={"LastName": "Sato", **values}).json()[0]["errorCode"]

    assert code(OwnerId=idle) == "INACTIVE_OWNER_OR_USER"
    assert code(AccountId=account) == "ENTITY_IS_DELETED"


def test_a_duplicate_rule_blocks_or_alerts(salesforce: FakeSalesforce, api: httpx.Client):
    id = salesforce.put("Lead", **LEAD, Email="a@b.jp")
    salesforce.duplicate_rules.append(DuplicateRule("Lead", ("Email", "Company"), action="alert"))
    twin = {**LEAD, "Email": "A@B.JP"}
    refused = api.post("/sobjects/Lead", json=twin).json()[0]
    assert (refused["errorCode"], refused["message"]) == ("DUPLICATES_DETECTED", "Use one of these records?")
    result = refused["duplicateResult"]
    assert (result["allowSave"], result["matchResults"][0]["matchRecords"][0]["record"]["Id"]) == (True, id)
    allowed = {"Sforce-Duplicate-Rule-Header": "allowSave=true; runAsCurrentUser=true"}
    assert api.post("/sobjects/Lead", json=twin, headers=allowed).status_code == 201
    assert api.post("/sobjects/Lead", json={**twin, "Company": "Other"}).status_code == 201
    salesforce.duplicate_rules[:] = [DuplicateRule("Lead", action="block")]
    assert api.post("/sobjects/Lead", json=twin, headers=allowed).status_code == 400


@pytest.mark.parametrize("day", ["1700-01-01", "4000-12-31"])
def test_the_calendar_holds_its_first_and_its_last_day(salesforce: FakeSalesforce, api: httpx.Client, day: str):
    assert api.post("/sobjects/Task", json={"Subject": "x", "ActivityDate": day}).status_code == 201
    assert salesforce.rows("Task")[0]["ActivityDate"] == day


@pytest.mark.parametrize("day", ["0001-01-01", "1699-12-31", "4001-01-01"])
def test_a_day_outside_of_the_calendar_is_refused(salesforce: FakeSalesforce, api: httpx.Client, day: str):
    refused = api.post("/sobjects/Task", json={"Subject": "x", "ActivityDate": day})
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")
    assert salesforce.rows("Task") == []


def test_an_opportunity_derives_its_numbers_from_stage_and_date(salesforce: FakeSalesforce, api: httpx.Client):
    contact = salesforce.put("Contact", LastName="Sato")
    deal = {"Name": "Big", "StageName": "Value Proposition", "CloseDate": "2026-11-30", "Amount": 1000.005}
    made = api.post("/sobjects/Opportunity", json={**deal, "ContactId": contact})
    row = salesforce.rows("Opportunity")[0]
    assert (row["Probability"], row["Amount"], row["ExpectedRevenue"], row["Fiscal"]) == (
        50.0,
        1000.01,
        500.01,
        "2026 4",
    )
    api.patch(f"/sobjects/Opportunity/{made.json()['id']}", json={"StageName": "Closed Won"})
    row = salesforce.rows("Opportunity")[0]
    assert (row["IsClosed"], row["IsWon"], row["ExpectedRevenue"]) == (True, True, 1000.01)
    assert [(role["ContactId"], role["IsPrimary"]) for role in salesforce.rows("OpportunityContactRole")] == [
        (contact, True)
    ]


def test_one_contact_role_is_primary_at_a_time(salesforce: FakeSalesforce, api: httpx.Client):
    deal = salesforce.put("Opportunity", Name="Big", StageName="Prospecting", CloseDate="2026-11-30")
    for name in ("Sato", "Ito"):
        contact = salesforce.put("Contact", LastName=name)
        role = {"OpportunityId": deal, "ContactId": contact, "IsPrimary": True}
        assert api.post("/sobjects/OpportunityContactRole", json=role).status_code == 201
    assert [role["IsPrimary"] for role in salesforce.rows("OpportunityContactRole")] == [False, True]


def test_a_task_keeps_leads_and_related_records_apart(salesforce: FakeSalesforce, api: httpx.Client):
    lead, account = salesforce.put("Lead", **LEAD), salesforce.put("Account", Name="Acme")
    contact = salesforce.put("Contact", LastName="Sato", AccountId=account)
    refused = api.post("/sobjects/Task", json={"WhoId": lead, "WhatId": account})
    assert refused.json()[0]["errorCode"] == "FIELD_INTEGRITY_EXCEPTION"
    assert (
        api.post("/sobjects/Task", json={"WhoId": contact, "Status": "Completed", "Priority": "High"}).status_code
        == 201
    )
    row = salesforce.rows("Task")[0]
    assert (row["AccountId"], row["IsClosed"], row["IsHighPriority"], row["OwnerId"]) == (
        account,
        True,
        True,
        salesforce.user,
    )
    assert row["CompletedDateTime"] == "2026-11-21T09:15:00.000+0000"


def test_a_person_is_a_member_of_a_campaign_once(salesforce: FakeSalesforce, api: httpx.Client):
    campaign, lead = salesforce.put("Campaign", Name="Fair"), salesforce.put("Lead", **LEAD)
    member = {"CampaignId": campaign, "LeadId": lead, "Status": "Responded"}
    assert api.post("/sobjects/CampaignMember", json=member).status_code == 201
    again = api.post("/sobjects/CampaignMember", json=member).json()[0]
    assert (again["errorCode"], again["message"]) == ("DUPLICATE_VALUE", "Already a campaign member.")
    nobody = api.post("/sobjects/CampaignMember", json={"CampaignId": campaign}).json()[0]
    assert nobody["errorCode"] == "REQUIRED_FIELD_MISSING"
    row = salesforce.rows("CampaignMember")[0]
    assert (row["HasResponded"], row["FirstRespondedDate"]) == (True, "2026-11-21")


def test_a_user_cannot_be_deleted(salesforce: FakeSalesforce, api: httpx.Client):
    answer = api.delete(f"/sobjects/User/{salesforce.user}")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (403, "INSUFFICIENT_ACCESS_OR_READONLY")
