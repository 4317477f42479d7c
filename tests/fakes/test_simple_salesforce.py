"""A client that nobody here wrote, unmodified, against the fake over TLS (simple-salesforce, from PyPI)."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from crmbridge.testing.fakes.salesforce import FakeSalesforce
from crmbridge.testing.tables import Field

pytest.importorskip("trustme", reason="needs trustme: pip install 'crmbridge[testing]'")
client = pytest.importorskip("simple_salesforce", reason="needs simple-salesforce: pip install 'crmbridge[dev]'")
requests = pytest.importorskip("requests", reason="needs requests: pip install 'crmbridge[dev]'")
exceptions = pytest.importorskip(
    "simple_salesforce.exceptions", reason="needs simple-salesforce: pip install 'crmbridge[dev]'"
)


@pytest.fixture
def org() -> FakeSalesforce:
    return FakeSalesforce()


@pytest.fixture
def session(org: FakeSalesforce, tmp_path: Path) -> Iterator[Any]:
    """A session that trusts the fake, and reaches it where the client asks for the vendor's login host."""
    with org.serve(tls=True) as base:
        here = urlsplit(base)

        class ToTheFake(requests.adapters.HTTPAdapter):  # type: ignore[misc, name-defined]
            def send(self, request: Any, **given: Any) -> Any:
                if urlsplit(request.url).hostname != here.hostname:
                    request.url = urlunsplit(urlsplit(request.url)._replace(scheme=here.scheme, netloc=here.netloc))
                return super().send(request, **given)

        (tmp_path / "ca.pem").write_text(org.ca_pem)
        with requests.Session() as opened:
            opened.verify = str(tmp_path / "ca.pem")
            opened.trust_env = False
            opened.mount("https://", ToTheFake())
            yield opened


@pytest.fixture
def sf(org: FakeSalesforce, session: Any) -> Any:
    known = org.credentials
    return client.Salesforce(
        username=known["username"], password=known["password"], security_token=known["token"], session=session
    )


LEAD = {"LastName": "佐藤", "Company": "Acme"}


@pytest.mark.parametrize(
    "given",
    [
        {"username": "username", "password": "password", "security_token": "token"},
        {
            "username": "username",
            "password": "password",
            "consumer_key": "client_id",
            "consumer_secret": "client_secret",
        },
        {"consumer_key": "client_id", "consumer_secret": "client_secret", "domain": "acme.my"},
        {"session_id": "token", "instance": "acme.my.salesforce.com"},
    ],
)
def test_it_logs_in_in_each_of_its_ways(org: FakeSalesforce, session: Any, given: dict[str, str]):
    values = {name: org.credentials.get(held, held) for name, held in given.items()}
    sf = client.Salesforce(session=session, **values)
    assert sf.query("SELECT Id FROM User")["totalSize"] == 1


def test_a_wrong_password_fails_its_login(org: FakeSalesforce, session: Any):
    with pytest.raises(exceptions.SalesforceAuthenticationFailed, match="INVALID_LOGIN"):
        client.Salesforce(username=org.credentials["username"], password="wrong", security_token="x", session=session)


def test_it_walks_past_one_page(org: FakeSalesforce, sf: Any):
    org.page_size = 40
    for number in range(100):
        org.put("Lead", LastName=f"L{number:03}", Company="O'Hara & Söhne")
    found = sf.query_all(
        client.format_soql("SELECT LastName FROM Lead WHERE Company = {} ORDER BY LastName", "O'Hara & Söhne")
    )
    assert [row["LastName"] for row in found["records"]] == [f"L{number:03}" for number in range(100)]
    assert len(org.requests) == 4


def test_it_creates_reads_updates_and_deletes(org: FakeSalesforce, sf: Any):
    made = sf.Lead.create(LEAD)
    assert (made["success"], made["errors"]) == (True, [])
    assert sf.Lead.update(made["id"], {"Title": "CEO"}) == 204
    assert sf.Lead.get(made["id"])["Title"] == "CEO"
    assert sf.Lead.delete(made["id"]) == 204
    with pytest.raises(exceptions.SalesforceResourceNotFound):
        sf.Lead.get(made["id"])
    assert sf.query("SELECT Id FROM Lead", include_deleted=True)["totalSize"] == 1
    now = datetime.now(UTC)
    gone = sf.Lead.deleted(now - timedelta(hours=1), now + timedelta(hours=1))
    assert [row["id"] for row in gone["deletedRecords"]] == [made["id"]]
    assert [write.verb for write in org.ledger] == ["create", "update", "delete"]


def test_it_upserts_by_external_id_and_hears_of_several(org: FakeSalesforce, sf: Any):
    org.add_field("Lead", Field("Ref__c", length=20, external_id=True))
    assert sf.Lead.upsert("Ref__c/a b", LEAD) == 201
    assert sf.Lead.upsert("Ref__c/a b", {"Title": "CEO"}) == 200
    assert sf.Lead.upsert("Ref__c/a/b+c", {**LEAD, "Title": "CTO"}) == 201
    assert sf.Lead.get_by_custom_id("Ref__c", "a/b+c")["Title"] == "CTO"
    org.put("Lead", **LEAD, Ref__c="a b")
    with pytest.raises(exceptions.SalesforceMoreThanOneRecord):
        sf.Lead.upsert("Ref__c/a b", {"Title": "x"})


def test_it_hears_the_vendors_refusals(org: FakeSalesforce, sf: Any):
    with pytest.raises(exceptions.SalesforceMalformedRequest) as refused:
        sf.Lead.create({"FirstName": "x"})
    assert refused.value.content[0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    with pytest.raises(exceptions.SalesforceMalformedRequest) as malformed:
        sf.query("SELECT Nope FROM Lead")
    assert malformed.value.content[0]["errorCode"] == "INVALID_FIELD"
    org.daily_limit = 1
    with pytest.raises(exceptions.SalesforceRefusedRequest):
        sf.limits()


def test_it_opens_a_new_session_when_its_own_has_ended(org: FakeSalesforce, sf: Any):
    org.expire_tokens()
    assert sf.query("SELECT Id FROM User")["done"] is True
    assert [request.url.path.split("/")[2] for request in org.requests] == ["Soap", "data", "Soap", "data"]


def test_it_reads_the_usage_describes_and_searches(org: FakeSalesforce, sf: Any):
    org.put("Lead", **LEAD)
    assert sf.Lead.describe()["keyPrefix"] == "00Q"
    assert "Lead" in [one["name"] for one in sf.describe()["sobjects"]]
    assert sf.quick_search("Acme")["searchRecords"][0]["attributes"]["type"] == "Lead"
    assert sf.api_usage["api-usage"].total == 5_000_000
    assert sf.limits()["DailyApiRequests"]["Max"] == 5_000_000
    assert sf.is_sandbox() is True


def test_it_loads_and_reads_in_bulk(org: FakeSalesforce, sf: Any):
    done = sf.bulk2.Lead.insert(
        records=[{"LastName": f"L{number}", "Company": "Acme"} for number in range(30)], wait=0.01
    )
    assert (done[0]["numberRecordsProcessed"], done[0]["numberRecordsFailed"]) == (30, 0)
    pages = list(sf.bulk2.Lead.query("SELECT LastName FROM Lead", max_records=20, wait=0.01))
    assert sum(page.count("\n") - 1 for page in pages) == 30
    assert len(org.rows("Lead")) == 30


def test_it_reads_in_bulk_what_some_records_have_no_parent_for(org: FakeSalesforce, sf: Any):
    org.put("Contact", LastName="1")
    org.put("Contact", LastName="2", AccountId=org.put("Account", Name="かえで"))
    [page] = sf.bulk2.Contact.query("SELECT LastName, Account.Name FROM Contact ORDER BY LastName", wait=0.01)
    assert list(csv.reader(io.StringIO(page))) == [["LastName", "Account.Name"], ["1", ""], ["2", "かえで"]]


def test_it_changes_and_removes_in_bulk_and_hears_of_each_row(org: FakeSalesforce, sf: Any):
    ids = [org.put("Lead", LastName=f"L{number}", Company="Acme") for number in range(3)]
    done = sf.bulk2.Lead.update(records=[{"Id": ids[0], "Title": "CEO"}, {"Id": "bad", "Title": "x"}], wait=0.01)
    assert (done[0]["numberRecordsProcessed"], done[0]["numberRecordsFailed"]) == (2, 1)
    assert '"bad"' in sf.bulk2.Lead.get_failed_records(done[0]["job_id"])
    assert ids[0] in sf.bulk2.Lead.get_successful_records(done[0]["job_id"])
    kept = sf.bulk2.Lead.upsert(records=[{"Id": ids[1], "Title": "CTO"}], wait=0.01)
    assert kept[0]["numberRecordsFailed"] == 0
    assert sf.bulk2.Lead.delete(records=[{"Id": ids[2]}], wait=0.01)[0]["numberRecordsFailed"] == 0
    assert [row["Title"] for row in org.rows("Lead")] == ["CEO", "CTO"]


def test_it_iterates_over_pages_and_does_several_calls_in_one(org: FakeSalesforce, sf: Any):
    org.page_size = 2
    parts = [
        {
            "method": "POST",
            "url": "/services/data/v59.0/sobjects/Account",
            "referenceId": "a",
            "body": {"Name": "Acme"},
        },
        *(
            {
                "method": "POST",
                "url": "/services/data/v59.0/sobjects/Contact",
                "referenceId": f"c{number}",
                "body": {"LastName": f"L{number}", "AccountId": "@{a.id}"},
            }
            for number in range(5)
        ),
    ]
    told = sf.restful("composite", method="POST", json={"allOrNone": True, "compositeRequest": parts})
    assert {one["httpStatusCode"] for one in told["compositeResponse"]} == {201}
    found = sf.query_all_iter("SELECT LastName, Account.Name FROM Contact ORDER BY LastName DESC")
    assert [(row["LastName"], row["Account"]["Name"]) for row in found] == [(f"L{n}", "Acme") for n in (4, 3, 2, 1, 0)]


def test_it_reads_children_of_every_page_of_parents(org: FakeSalesforce, sf: Any):
    org.page_size = 2
    for number in range(5):
        firm = org.put("Account", Name=f"A{number}")
        for place in range(number % 3):
            org.put("Contact", LastName=f"L{number}{place}", AccountId=firm)
    found = sf.query_all(
        "SELECT Name, (SELECT LastName FROM Contacts ORDER BY LastName DESC) FROM Account ORDER BY Name"
    )
    names = [
        [one["LastName"] for one in row["Contacts"]["records"]] if row["Contacts"] else None for row in found["records"]
    ]
    assert names == [None, ["L10"], ["L21", "L20"], None, ["L40"]]
    with pytest.raises(exceptions.SalesforceMalformedRequest) as wrong:
        sf.query("SELECT Id, (SELECT Id FROM Contact) FROM Account")
    assert "Didn't understand relationship 'Contact' in FROM part of query call" in str(wrong.value)


def test_it_follows_the_pages_of_the_children_of_one_parent(org: FakeSalesforce, sf: Any):
    org.page_size = 2
    firm = org.put("Account", Name="Acme")
    for number in range(5):
        org.put("Contact", LastName=f"L{number}", AccountId=firm)
    held = sf.query("SELECT Id, (SELECT LastName FROM Contacts) FROM Account")["records"][0]["Contacts"]
    names = [one["LastName"] for one in held["records"]]
    while not held["done"]:
        held = sf.query_more(held["nextRecordsUrl"], identifier_is_url=True)
        names += [one["LastName"] for one in held["records"]]
    assert names == ["L0", "L1", "L2", "L3", "L4"]


def test_it_counts_by_groups_and_finds_what_is_there_twice(org: FakeSalesforce, sf: Any):
    for title in ("CEO", "CTO", "CEO", "CEO", "CTO", "CFO"):
        org.put("Lead", **LEAD, Title=title)
    found = sf.query(
        "SELECT Title t, COUNT(Id) cnt, COUNT(Email) FROM Lead GROUP BY Title HAVING COUNT(Id) > 1 ORDER BY COUNT(Id) DESC"
    )
    told = [(row["t"], row["cnt"], row["expr0"]) for row in found["records"]]
    assert told == [("CEO", 3, 0), ("CTO", 2, 0)]
