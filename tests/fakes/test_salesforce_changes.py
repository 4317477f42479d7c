"""What people do at the vendor, and how a reader learns of it (spec keys getupdated, getdeleted; Object Reference)."""

from typing import Any

import httpx
import pytest

from crmbridge.testing.fakes.salesforce import FakeSalesforce

SATO = {"LastName": "Sato", "FirstName": "Hanako", "Company": "Acme", "Email": "hanako@acme.jp", "City": "Tokyo"}


def changed(api: httpx.Client, which: str, start: str, end: str, kind: str = "Lead") -> Any:
    return api.get(f"/sobjects/{kind}/{which}/", params={"start": start, "end": end}).json()


def test_an_edit_names_the_person_and_keeps_the_vendors_checks(salesforce: FakeSalesforce):
    id = salesforce.put("Lead", **SATO)
    salesforce.edit("Lead", id[:15], by="Yamada", Email=" NEW@Acme.JP ")
    row = salesforce.rows("Lead")[0]
    user = {one["Id"]: one["Name"] for one in salesforce.rows("User")}[row["LastModifiedById"]]
    assert (row["Email"], user) == ("new@acme.jp", "Yamada")
    salesforce.edit("Lead", id, by="Yamada", Title="CEO")
    assert len(salesforce.rows("User")) == 2
    with pytest.raises(ValueError, match="INVALID_EMAIL_ADDRESS"):
        salesforce.edit("Lead", id, Email="nobody")
    with pytest.raises(ValueError, match="'Nope'"):
        salesforce.edit("Lead", id, Nope="x")
    assert [(write.by, write.request, dict(write.before)) for write in salesforce.ledger] == [
        ("Yamada", 0, {"Email": "hanako@acme.jp"}),
        ("Yamada", 0, {"Title": None}),
    ]


def test_a_conversion_makes_account_contact_and_deal_and_moves_what_hangs_on_the_lead(salesforce: FakeSalesforce):
    campaign = salesforce.put("Campaign", Name="Fair")
    lead = salesforce.put("Lead", **SATO, pi__score__c=12.0, Ext_Id__c="X")
    salesforce.put("Task", WhoId=lead, Subject="Call")
    salesforce.put("CampaignMember", CampaignId=campaign, LeadId=lead)
    contact = salesforce.convert(lead, opportunity="Big")
    row, person = salesforce.rows("Lead")[0], salesforce.rows("Contact")[0]
    assert (row["IsConverted"], row["ConvertedContactId"], row["ConvertedDate"]) == (True, contact, "2026-11-21")
    assert (person["Id"], person["Name"], person["MailingCity"], person["pi__score__c"]) == (
        contact,
        "Hanako Sato",
        "Tokyo",
        12.0,
    )
    assert (person["Ext_Id__c"], person["AccountId"]) == ("X", row["ConvertedAccountId"])
    assert salesforce.rows("Account")[0]["Name"] == "Acme"
    assert salesforce.rows("Opportunity")[0]["Id"] == row["ConvertedOpportunityId"]
    assert salesforce.rows("Task")[0]["WhoId"] == salesforce.rows("CampaignMember")[0]["ContactId"] == contact
    assert {write.by for write in salesforce.ledger} == {"a person"}


def test_a_converted_lead_cannot_be_written_or_converted_again(salesforce: FakeSalesforce, api: httpx.Client):
    lead = salesforce.put("Lead", **SATO)
    account = salesforce.put("Account", Name="Known")
    salesforce.convert(lead, account[:15])
    answer = api.patch(f"/sobjects/Lead/{lead}", json={"Title": "x"}).json()[0]
    assert (answer["errorCode"], answer["message"]) == (
        "CANNOT_UPDATE_CONVERTED_LEAD",
        "cannot reference converted lead",
    )
    assert salesforce.rows("Contact")[0]["AccountId"] == account
    before = salesforce.ledger
    with pytest.raises(ValueError, match="CANNOT_UPDATE_CONVERTED_LEAD"):
        salesforce.convert(lead)
    assert salesforce.ledger == before


def test_a_conversion_into_a_known_contact_fills_only_its_blanks(salesforce: FakeSalesforce):
    account = salesforce.put("Account", Name="Known")
    contact = salesforce.put("Contact", LastName="Satoh", AccountId=account)
    assert salesforce.convert(salesforce.put("Lead", **SATO), account, contact_id=contact) == contact
    row = salesforce.rows("Contact")[0]
    assert (row["LastName"], row["Email"]) == ("Satoh", "hanako@acme.jp")


def test_a_merge_deletes_the_loser_names_its_master_and_moves_its_children(
    salesforce: FakeSalesforce, api: httpx.Client
):
    winner, loser = (salesforce.put("Contact", LastName=name) for name in ("Win", "Lose"))
    salesforce.put("Task", WhoId=loser)
    salesforce.merge(winner, loser, Title="CEO")
    assert salesforce.rows("Task")[0]["WhoId"] == winner
    assert [(row["Id"], row["Title"]) for row in salesforce.rows("Contact")] == [(winner, "CEO")]
    text = f"SELECT Id, MasterRecordId FROM Contact WHERE MasterRecordId = '{winner}'"
    assert [row["Id"] for row in api.get("/queryAll", params={"q": text}).json()["records"]] == [loser]
    with pytest.raises(ValueError, match="can be merged"):
        salesforce.merge(winner, winner)


def test_what_was_deleted_can_be_taken_back(salesforce: FakeSalesforce, api: httpx.Client):
    id = salesforce.put("Lead", **SATO)
    api.delete(f"/sobjects/Lead/{id}")
    salesforce.undelete(id)
    assert api.get(f"/sobjects/Lead/{id}").json()["IsDeleted"] is False
    assert [write.verb for write in salesforce.ledger] == ["delete", "undelete"]
    with pytest.raises(KeyError):
        salesforce.undelete(id)


def test_deleting_an_account_takes_its_contacts_along(salesforce: FakeSalesforce, api: httpx.Client):
    account = salesforce.put("Account", Name="Acme")
    salesforce.put("Contact", LastName="Sato", AccountId=account)
    api.delete(f"/sobjects/Account/{account}")
    assert salesforce.rows("Contact") == []
    assert [(write.verb, write.kind) for write in salesforce.ledger] == [("delete", "Contact"), ("delete", "Account")]


def test_what_moved_in_a_window_is_listed_by_its_stamp(salesforce: FakeSalesforce, api: httpx.Client, clock: Any):
    first, second = (salesforce.put("Lead", **SATO) for _ in "ab")
    clock.pass_(minutes=10)
    salesforce.edit("Lead", first, Title="x")
    salesforce.remove("Lead", second)
    clock.pass_(minutes=10)
    window = ("2026-11-21T09:20:00Z", "2026-11-21T18:30:00+09:00")
    assert changed(api, "updated", *window) == {"ids": [first], "latestDateCovered": "2026-11-21T09:30:00.000+0000"}
    deleted = changed(api, "deleted", *window)
    assert deleted["deletedRecords"] == [{"id": second, "deletedDate": "2026-11-21T09:25:00.000+0000"}]
    assert deleted["earliestDateAvailable"] == "2026-11-06T09:35:00.000+0000"
    early = changed(api, "updated", "2026-11-21T09:14:00Z", "2026-11-21T09:20:00Z")
    assert early["ids"] == []
    assert (
        changed(api, "updated", "2026-11-21T09:20:00Z", "2026-12-21T09:20:00Z")["latestDateCovered"][:16]
        == "2026-11-21T09:35"
    )


@pytest.mark.parametrize(
    ("which", "start", "end"),
    [
        ("updated", "2026-11-21T09:00:00Z", "2026-11-21T09:00:30Z"),
        ("updated", "2026-10-20T09:00:00Z", "2026-11-21T09:00:00Z"),
        ("deleted", "2026-11-05T09:00:00Z", "2026-11-21T09:00:00Z"),
        ("deleted", "yesterday", "today"),
        ("updated", "", ""),
    ],
)
def test_a_window_that_is_empty_too_old_or_no_window_is_refused(api: httpx.Client, which: str, start: str, end: str):
    assert changed(api, which, start, end)[0]["errorCode"] == "INVALID_REPLICATION_DATE"


def test_an_encoded_and_an_unencoded_plus_in_an_offset_both_arrive(api: httpx.Client):
    for plus in ("%2B", "+"):
        window = f"start=2026-11-21T09%3A00%3A00{plus}00%3A00&end=2026-11-21T09%3A10%3A00{plus}00%3A00"
        assert api.get(f"/sobjects/Lead/deleted/?{window}").status_code == 200


def test_the_same_seed_and_requests_give_the_same_bytes(clock: Any):
    def run() -> list[bytes]:
        fake = FakeSalesforce(now=clock, seed=7)
        fake.faults.add("F12@0.5,F08@0.2")
        token = {"Authorization": f"Bearer {fake.credentials['token']}"}
        base = "https://acme.my.salesforce.com/services/data/v67.0"
        with httpx.Client(transport=fake.transport(), headers=token, base_url=base) as api:
            api.post("https://acme.my.salesforce.com/services/oauth2/token", data={"grant_type": "x"})
            return [api.post("/sobjects/Lead", json=SATO).content for _ in range(20)]

    assert run() == run()


def test_data_files_fill_the_org(salesforce: FakeSalesforce):
    lines = [
        (
            '{"fake": "salesforce", "kind": "lead", "id": "00Q000000000001", "values": {"LastName": "Sato"},'
            ' "at": "2020-01-02T00:00:00Z"}'
        ),
        '{"fake": "hubspot", "kind": "contact", "values": {}}',
    ]
    assert salesforce.load(lines) == 1
    row = salesforce.rows("Lead")[0]
    assert (row["Id"], row["CreatedDate"], row["Status"]) == (
        "00Q000000000001EAA",
        "2020-01-02T00:00:00.000+0000",
        "Open - Not Contacted",
    )
    with pytest.raises(ValueError, match="line 1"):
        salesforce.load(['{"kind": "Lead", "id": "nonsense", "values": {}}'])
