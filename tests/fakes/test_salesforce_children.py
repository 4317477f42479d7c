"""Sub-selects of children, semi-joins and anti-joins (SOQL reference, "Relationship Queries", "Comparison Operators")."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.testing.fakes.salesforce import FakeSalesforce
from crmbridge.testing.tables import Field

HOST = "https://acme.my.salesforce.com"


def page(api: httpx.Client, text: str, path: str = "/query") -> Any:
    answer = api.get(path, params={"q": text})
    assert answer.status_code == 200, answer.text
    return answer.json()


def refusal(api: httpx.Client, text: str, path: str = "/query") -> tuple[str, str]:
    answer = api.get(path, params={"q": text})
    assert answer.status_code == 400, answer.text
    return answer.json()[0]["errorCode"], answer.json()[0]["message"]


def last_names(result: Any) -> list[str]:
    return [record["LastName"] for record in result["records"]] if result else []


@pytest.fixture
def firms(salesforce: FakeSalesforce) -> dict[str, str]:
    """Three accounts: Acme with three people and a deal, Beta with one person, Gamma with nobody."""
    ids = {name: salesforce.put("Account", Name=name) for name in ("Acme", "Beta", "Gamma")}
    for name, title, firm in (
        ("Sato", "CEO", "Acme"),
        ("Abe", "CTO", "Acme"),
        ("Doi", "CEO", "Acme"),
        ("Ota", "", "Beta"),
    ):
        ids[name] = salesforce.put("Contact", LastName=name, AccountId=ids[firm], Title=title or None)
    ids["Deal"] = salesforce.put(
        "Opportunity", Name="Deal", AccountId=ids["Acme"], StageName="Prospecting", CloseDate="2026-12-01"
    )
    return ids


# ---- children ---------------------------------------------------------------------------


def test_children_come_as_a_result_of_their_own_and_as_null_where_there_are_none(
    firms: dict[str, str], api: httpx.Client
):
    found = page(api, "SELECT Name, (SELECT Id, LastName, Account.Name FROM Contacts) FROM Account ORDER BY Name DESC")
    gamma, beta, acme = found["records"]
    assert gamma["Contacts"] is None
    assert beta["Contacts"] == {
        "totalSize": 1,
        "done": True,
        "records": [
            {
                "attributes": {"type": "Contact", "url": f"/services/data/v67.0/sobjects/Contact/{firms['Ota']}"},
                "Id": firms["Ota"],
                "LastName": "Ota",
                "Account": {
                    "attributes": {"type": "Account", "url": f"/services/data/v67.0/sobjects/Account/{firms['Beta']}"},
                    "Name": "Beta",
                },
            }
        ],
    }
    assert last_names(acme["Contacts"]) == ["Sato", "Abe", "Doi"]


@pytest.mark.usefixtures("firms")
@pytest.mark.parametrize(
    ("inner", "found"),
    [
        ("SELECT LastName FROM Contacts ORDER BY LastName", ["Abe", "Doi", "Sato"]),
        ("SELECT LastName FROM Contacts WHERE Title = 'CEO'", ["Sato", "Doi"]),
        ("select Contact.LastName from account.contacts order by LastName desc limit 1", ["Sato"]),
        ("SELECT LastName FROM Contacts WHERE Title = 'nobody'", []),
        ("SELECT LastName FROM Contacts LIMIT 0", []),
        ("SELECT LastName FROM Contacts ORDER BY LastName LIMIT 1 OFFSET 1", ["Doi"]),
        ("SELECT FIELDS(STANDARD) FROM Contacts WHERE Owner.Name = 'connector' AND LastName = 'Abe'", ["Abe"]),
        (
            "SELECT LastName FROM Contacts WHERE AccountId IN (SELECT AccountId FROM Opportunity) LIMIT 2",
            ["Sato", "Abe"],
        ),
    ],
)
def test_children_are_chosen_sorted_and_cut_for_each_parent(api: httpx.Client, inner: str, found: list[str]):
    record = page(api, f"SELECT Id, ({inner}) FROM Account WHERE Name = 'Acme' LIMIT 1")["records"][0]
    assert last_names(record["Contacts"]) == found


def test_a_query_may_show_nothing_but_children_of_several_kinds(firms: dict[str, str], api: httpx.Client):
    text = "SELECT (SELECT Id FROM Contacts), (SELECT Name, Account.Name FROM Opportunities) FROM Account"
    acme = page(api, f"{text} WHERE Id = '{firms['Acme']}'")["records"][0]
    assert set(acme) == {"attributes", "Contacts", "Opportunities"}
    assert acme["Opportunities"]["records"][0]["Account"]["Name"] == "Acme"


def test_children_in_the_bin_are_seen_by_query_all_only(
    salesforce: FakeSalesforce, firms: dict[str, str], api: httpx.Client
):
    salesforce.remove("Contact", firms["Ota"])
    text = "SELECT Id, (SELECT LastName FROM Contacts) FROM Account WHERE Name = 'Beta'"
    assert page(api, text)["records"][0]["Contacts"] is None
    assert last_names(page(api, text, "/queryAll")["records"][0]["Contacts"]) == ["Ota"]


def test_a_task_is_a_child_of_the_record_that_it_is_about_whatever_that_is(
    salesforce: FakeSalesforce, firms: dict[str, str], api: httpx.Client
):
    lead = salesforce.put("Lead", LastName="Ito", Company="x")
    salesforce.put("Task", Subject="Call", WhoId=lead)
    salesforce.put("Task", Subject="Write", WhoId=firms["Abe"], WhatId=firms["Acme"])
    for kind, subjects in (("Lead", ["Call"]), ("Contact", ["Write"]), ("Account", ["Write"])):
        records = page(api, f"SELECT Id, (SELECT Subject FROM Tasks) FROM {kind}")["records"]
        assert [
            task["Subject"] for record in records if record["Tasks"] for task in record["Tasks"]["records"]
        ] == subjects


@given(
    st.lists(st.tuples(st.integers(-1, 3), st.sampled_from(["a", "B", "b", None])), max_size=12),
    st.sampled_from(["", "Title = 'B'", "Title != null", "NOT Title = 'a'"]),
    st.sampled_from(["", " ORDER BY Title", " ORDER BY Title DESC NULLS LAST, LastName DESC"]),
    st.sampled_from(["", " LIMIT 2"]),
)
def test_a_sub_select_gives_what_the_query_of_the_child_by_its_parent_gives(
    people: list[tuple[int, str | None]], where: str, order: str, limit: str
):
    fake = FakeSalesforce()
    firms = [fake.put("Account", Name=str(number)) for number in range(4)]
    for place, (number, title) in enumerate(people):
        firm = firms[number] if number >= 0 else None
        fake.put("Contact", LastName=str(place), Title=title, AccountId=firm)
        fake.put("Opportunity", Name=str(place), NextStep=title, CampaignId=None, AccountId=firm)
    headers = {"Authorization": f"Bearer {fake.credentials['token']}"}
    with httpx.Client(transport=fake.transport(), base_url=f"{HOST}/services/data/v67.0", headers=headers) as api:
        inner = f"SELECT LastName, Title FROM Contacts{' WHERE ' + where if where else ''}{order}{limit}"
        parents = page(api, f"SELECT Id, ({inner}) FROM Account")["records"]
        assert [parent["Id"] for parent in parents] == firms
        for parent in parents:
            condition = f"AccountId = '{parent['Id']}'" + (f" AND ({where})" if where else "")
            alone = page(api, f"SELECT LastName, Title FROM Contact WHERE {condition}{order}{limit}")
            held: Any = parent["Contacts"] or {"totalSize": 0, "done": True, "records": []}
            assert held == alone


@given(st.lists(st.one_of(st.none(), st.integers(0, 5)), min_size=6, max_size=6), st.integers(1, 4))
def test_levels_of_children_are_what_their_references_say(parents: list[int | None], levels: int):
    fake = FakeSalesforce()
    ids = [fake.put("Campaign", Name=str(number)) for number in range(6)]
    for number, parent in enumerate(parents):
        fake.edit("Campaign", ids[number], ParentId=None if parent is None else ids[parent])

    def expected(number: int, left: int) -> Any:
        below = [child for child, parent in enumerate(parents) if parent == number]
        return {str(child): expected(child, left - 1) if left else None for child in below}

    def told(record: Any) -> Any:
        held: Any = record["ChildCampaigns"]
        below: list[Any] = held["records"] if held else []
        return {child["Name"]: told(child) if "ChildCampaigns" in child else None for child in below}

    text = "SELECT Name FROM ChildCampaigns"
    for _ in range(levels - 1):
        text = f"SELECT Name, ({text}) FROM ChildCampaigns"
    headers = {"Authorization": f"Bearer {fake.credentials['token']}"}
    with httpx.Client(transport=fake.transport(), base_url=f"{HOST}/services/data/v67.0", headers=headers) as api:
        records = page(api, f"SELECT Name, ({text}) FROM Campaign")["records"]
    assert [told(record) for record in records] == [expected(number, levels - 1) for number in range(6)]


# ---- pages ------------------------------------------------------------------------------


def test_the_next_page_of_parents_keeps_their_children(
    salesforce: FakeSalesforce, firms: dict[str, str], api: httpx.Client
):
    salesforce.page_size = 2
    first = page(api, "SELECT Name, (SELECT LastName FROM Contacts LIMIT 2) FROM Account ORDER BY Name DESC")
    assert [last_names(record["Contacts"]) for record in first["records"]] == [[], ["Ota"]]
    salesforce.edit("Contact", firms["Sato"], LastName="Changed")
    second = api.get(HOST + first["nextRecordsUrl"]).json()
    assert [last_names(record["Contacts"]) for record in second["records"]] == [["Changed", "Abe"]]
    assert second["done"] is True


def test_many_children_have_next_pages_of_their_own(
    salesforce: FakeSalesforce, firms: dict[str, str], api: httpx.Client
):
    for name in ("Endo", "Ueda"):
        salesforce.put("Contact", LastName=name, AccountId=firms["Beta"])
    salesforce.page_size = 2
    text = "SELECT Id, (SELECT LastName, (SELECT Id FROM Tasks) FROM Contacts ORDER BY LastName) FROM Account"
    acme, beta = (record["Contacts"] for record in page(api, text)["records"])
    for contacts, first, last in ((acme, ["Abe", "Doi"], "Sato"), (beta, ["Endo", "Ota"], "Ueda")):
        assert (contacts["totalSize"], contacts["done"], last_names(contacts)) == (3, False, first)
        rest = api.get(HOST + contacts["nextRecordsUrl"]).json()
        assert (rest["totalSize"], rest["done"], last_names(rest)) == (3, True, [last])
        assert rest["records"][0]["Tasks"] is None


def test_a_walk_over_parents_outlives_all_the_walks_that_their_children_open(
    salesforce: FakeSalesforce, api: httpx.Client
):
    salesforce.page_size = 1
    for number in range(3):
        parent = salesforce.put("Account", Name=str(number))
        for _ in range(2):
            salesforce.put("Contact", LastName="x", AccountId=parent)
    walk = page(api, "SELECT Name, (SELECT Id FROM Contacts) FROM Account")["nextRecordsUrl"]
    for _ in range(1_200):
        page(api, "SELECT Id, (SELECT Id FROM Contacts) FROM Account LIMIT 1")
        assert api.get(HOST + walk).json()["records"][0]["Name"] == "1"


# ---- names ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["Account", "Contact", "Lead", "Opportunity", "Campaign", "User", "Invoice__c"])
def test_every_relationship_that_is_described_can_be_asked_for_and_no_other(
    salesforce: FakeSalesforce, api: httpx.Client, kind: str
):
    salesforce.add_object("Invoice__c", Field("Account__c", "reference", references=("Account",)), prefix="a01")
    salesforce.add_object("Line__c", Field("Invoice__c", "reference", references=("Invoice__c",)), prefix="a02")
    salesforce.add_field("Contact", Field("Former__c", "reference", references=("Account",)))
    salesforce.add_field("Contact", Field("Home__c", "reference", references=("Account",)))
    described = api.get(f"/sobjects/{kind}/describe").json()["childRelationships"]
    named = [one["relationshipName"] for one in described if one["relationshipName"]]
    assert len({name.lower() for name in named}) == len(named) > 0
    for one in described:
        if name := one["relationshipName"]:
            assert page(api, f"SELECT Id, (SELECT Id, {one['field']} FROM {name}) FROM {kind}")["done"] is True
        else:
            assert one["field"].endswith("Id")


def test_a_custom_relationship_is_named_by_the_plural_and_numbered_where_that_is_taken(
    salesforce: FakeSalesforce, api: httpx.Client
):
    salesforce.add_object("Company_Category__c", Field("Account__c", "reference", references=("Account",)))
    for name in ("Former__c", "Home__c"):
        salesforce.add_field("Contact", Field(name, "reference", references=("Account",)))
    described = api.get("/sobjects/Account/describe").json()["childRelationships"]
    names = {one["field"]: one["relationshipName"] for one in described if one["field"].endswith("__c")}
    assert names == {
        "Account__c": "Company_Categories__r",
        "Former__c": "Contacts__r",
        "Home__c": "Contacts1__r",
    }
    firm = salesforce.put("Account", Name="x")
    salesforce.put("Contact", LastName="Sato", Home__c=firm)
    record = page(api, "SELECT Id, (SELECT Id FROM Contacts__r), (SELECT LastName FROM Contacts1__r) FROM Account")
    assert (record["records"][0]["Contacts__r"], last_names(record["records"][0]["Contacts1__r"])) == (None, ["Sato"])


# ---- refusals ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (
            "SELECT Id, (SELECT Id FROM Nobodies) FROM Account",
            "INVALID_FIELD",
            "relationship 'Nobodies' in FROM part of",
        ),
        ("SELECT Id, (SELECT Id FROM Contact) FROM Account", "INVALID_FIELD", "relationship 'Contact' in FROM part of"),
        ("SELECT Id, (SELECT Id FROM Lead.Contacts) FROM Account", "INVALID_FIELD", "'Lead.Contacts' in FROM part of"),
        ("SELECT Id, (SELECT Nothing__c FROM Contacts) FROM Account", "INVALID_FIELD", "No such column 'Nothing__c'"),
        ("SELECT Id, (SELECT Id FROM Contacts ORDER BY No) FROM Account", "INVALID_FIELD", "No such column 'No'"),
        ("SELECT Id FROM Contacts", "INVALID_TYPE", "sObject type 'Contacts' is not supported."),
        ("SELECT Id, () FROM Account", "MALFORMED_QUERY", "unexpected token: ')'"),
        ("SELECT Id, (SELECT Id FROM Contacts FROM Account", "MALFORMED_QUERY", "unexpected token: 'FROM'"),
        ("SELECT Id, (SELECT Id FROM Contacts) c FROM Account", "MALFORMED_QUERY", "unexpected token: 'c'"),
        ("SELECT Id, (SELECT COUNT(Id) FROM Contacts) FROM Account", "MALFORMED_QUERY", "only root queries support"),
        ("SELECT Id, (SELECT COUNT() FROM Contacts) FROM Account", "MALFORMED_QUERY", "only root queries support"),
        (
            "SELECT Id, (SELECT Title FROM Contacts GROUP BY Title) FROM Account",
            "MALFORMED_QUERY",
            "only root queries support",
        ),
        (
            "SELECT Name, (SELECT Id FROM Contacts) FROM Account GROUP BY Name",
            "MALFORMED_QUERY",
            "must be grouped or aggregated: Contacts",
        ),
        (
            "SELECT Id, (SELECT Id FROM Contacts), (SELECT LastName FROM contacts) FROM Account",
            "MALFORMED_QUERY",
            "aggregate relationship twice: Contacts",
        ),
        (
            "SELECT Id, (SELECT Id FROM Contacts OFFSET 1) FROM Account",
            "MALFORMED_QUERY",
            "a parent query with LIMIT 1",
        ),
        (
            "SELECT Id, (SELECT Id FROM Contacts OFFSET 1) FROM Account LIMIT 2",
            "MALFORMED_QUERY",
            "a parent query with LIMIT 1",
        ),
        ("SELECT Id, (SELECT Id FROM Contacts FOR VIEW) FROM Account", "MALFORMED_QUERY", "unexpected token: 'FOR'"),
        ("SELECT COUNT(), (SELECT Id FROM Contacts) FROM Account", "MALFORMED_QUERY", "unexpected token: 'COUNT'"),
    ],
)
def test_a_sub_select_that_the_vendor_would_not_run_is_refused(api: httpx.Client, text: str, code: str, said: str):
    found, message = refusal(api, text)
    assert (found, said in message) == (code, True), message


def test_up_to_version_57_children_have_no_children(
    firms: dict[str, str], salesforce: FakeSalesforce, api: httpx.Client
):
    salesforce.put("Task", Subject="Call", WhoId=firms["Ota"])
    text = "SELECT Id, (SELECT Id, (SELECT Subject FROM Tasks) FROM Contacts) FROM Account WHERE Name = 'Beta'"
    for version, status in (("v57.0", 400), ("v58.0", 200)):
        answer = api.get(f"{HOST}/services/data/{version}/query", params={"q": text})
        assert answer.status_code == status
        assert ("more than 1 level away" in answer.text) is (status == 400)


def test_there_are_five_levels_and_no_sixth(api: httpx.Client):
    text = "SELECT Id FROM ChildAccounts"
    for _ in range(3):
        text = f"SELECT Id, ({text}) FROM ChildAccounts"
    assert page(api, f"SELECT Id, ({text}) FROM Account")["records"] == []
    code, message = refusal(api, f"SELECT Id, (SELECT Id, ({text}) FROM ChildAccounts) FROM Account")
    assert (code, "more than 4 level away" in message) == ("MALFORMED_QUERY", True)


def test_there_are_twenty_relationships_and_no_more(salesforce: FakeSalesforce, api: httpx.Client):
    for number in range(21):
        salesforce.add_field("Lead", Field(f"Ref{number}__c", "reference", references=("Account",)))
    names = [f"Leads{number or ''}__r" for number in range(21)]
    parts = [f"(SELECT Id FROM {name})" for name in names]
    assert page(api, f"SELECT Id, {', '.join(parts[:20])} FROM Account")["done"] is True
    code, message = refusal(api, f"SELECT Id, {', '.join(parts)} FROM Account")
    assert (code, "no more than 20" in message) == ("MALFORMED_QUERY", True)


@pytest.mark.parametrize(
    "text",
    ["SELECT Id, (SELECT Id FROM Contacts) FROM Account", "SELECT COUNT(Id) FROM Lead", "SELECT COUNT() FROM Lead"],
)
def test_a_bulk_query_gives_neither_children_nor_totals(api: httpx.Client, text: str):
    answer = api.post("/jobs/query", json={"operation": "query", "query": text})
    assert answer.status_code == 400
    assert answer.json()[0]["message"] == "Aggregate Relationships not supported in Bulk Query"


# ---- semi-joins and anti-joins ----------------------------------------------------------


@pytest.mark.usefixtures("firms")
@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Id IN (SELECT AccountId FROM Contact)", ["Acme", "Beta"]),
        ("Id IN (SELECT AccountId FROM Contact WHERE Title = 'CTO')", ["Acme"]),
        ("Id NOT IN (SELECT AccountId FROM Contact WHERE Title = null)", ["Acme", "Gamma"]),
        ("Id NOT IN (SELECT AccountId FROM Contact) AND Name LIKE '%a%'", ["Gamma"]),
        ("Id IN (SELECT AccountId FROM Contact) AND Id NOT IN (SELECT AccountId FROM Opportunity)", ["Beta"]),
        ("OwnerId IN (SELECT Id FROM User WHERE Name = 'connector') AND Name = 'Beta'", ["Beta"]),
        ("(Id IN (SELECT AccountId FROM Opportunity))", ["Acme"]),
    ],
)
def test_a_join_finds_what_the_vendor_would(api: httpx.Client, where: str, found: list[str]):
    assert [row["Name"] for row in page(api, f"SELECT Name FROM Account WHERE {where}")["records"]] == found


def test_nothing_is_joined_by_a_blank(salesforce: FakeSalesforce, api: httpx.Client):
    salesforce.put("Contact", LastName="Alone")
    salesforce.put("Opportunity", Name="x", StageName="Prospecting", CloseDate="2026-12-01")
    text = "SELECT Id FROM Contact WHERE AccountId IN (SELECT AccountId FROM Opportunity)"
    assert page(api, text)["totalSize"] == 0


@pytest.mark.parametrize(
    ("where", "code", "said"),
    [
        ("Id IN (SELECT Id FROM Account)", "MALFORMED_QUERY", "should not be on the same object type"),
        ("Id IN (SELECT WhatId FROM Task)", "MALFORMED_QUERY", "Entity 'Task' is not supported for semi join inner"),
        ("Id IN (SELECT Id FROM Contact)", "MALFORMED_QUERY", "should point to the same object type"),
        ("Name IN (SELECT AccountId FROM Contact)", "MALFORMED_QUERY", "should be an id field, cannot use: 'Name'"),
        ("Id IN (SELECT LastName FROM Contact)", "MALFORMED_QUERY", "can only query id fields, cannot use: 'LastName'"),
        ("Parent.OwnerId IN (SELECT Id FROM User)", "MALFORMED_QUERY", "The left operand 'Parent.OwnerId' cannot have"),
        ("Id IN (SELECT Account.ParentId FROM Contact)", "MALFORMED_QUERY", "inner select field 'Account.ParentId'"),
        ("Id IN (SELECT AccountId, Id FROM Contact)", "MALFORMED_QUERY", "unexpected token: ','"),
        ("Id IN (SELECT FIELDS(ALL) FROM Contact)", "MALFORMED_QUERY", "can only query id fields, cannot use: 'ALL'"),
        ("Id IN (SELECT COUNT(Id) FROM Contact)", "MALFORMED_QUERY", "only root queries support aggregate"),
        ("Id IN ((SELECT Id FROM Contact))", "MALFORMED_QUERY", "unexpected token: '('"),
        ("Id = (SELECT AccountId FROM Contact)", "MALFORMED_QUERY", "unexpected token: '('"),
        ("Id INCLUDES (SELECT AccountId FROM Contact)", "MALFORMED_QUERY", "unexpected token: 'SELECT'"),
        ("Id IN (SELECT AccountId FROM Contact LIMIT 1)", "MALFORMED_QUERY", "missing value at 'LIMIT'"),
        ("Id IN (SELECT AccountId FROM Contact ORDER BY Id)", "MALFORMED_QUERY", "missing value at 'ORDER'"),
        ("Id IN (SELECT AccountId FROM Contact GROUP BY AccountId)", "MALFORMED_QUERY", "missing value at 'GROUP'"),
        ("Id IN (SELECT AccountId FROM Contact", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        (
            "Name = 'x' OR Id IN (SELECT AccountId FROM Contact)",
            "MALFORMED_QUERY",
            "not allowed with the 'OR' operator",
        ),
        (
            "Name = 'x' AND (Name = 'y' OR Id IN (SELECT AccountId FROM Contact))",
            "MALFORMED_QUERY",
            "only allowed at the top level WHERE expressions",
        ),
        (
            "(NOT Id IN (SELECT AccountId FROM Contact)) AND Name = 'x'",
            "MALFORMED_QUERY",
            "only allowed at the top level WHERE expressions",
        ),
        (
            "Id IN (SELECT AccountId FROM Contact WHERE Id IN (SELECT ContactId FROM CampaignMember))",
            "MALFORMED_QUERY",
            "Nesting of semi join sub-selects is not supported",
        ),
        (
            " AND ".join(["Id IN (SELECT AccountId FROM Contact)"] * 3),
            "EXCEEDED_MAX_SEMIJOIN_SUBSELECTS",
            "Maximum 2 semi join sub-selects are allowed",
        ),
    ],
)
def test_a_join_that_the_vendor_would_not_run_is_refused(api: httpx.Client, where: str, code: str, said: str):
    found, message = refusal(api, f"SELECT Id FROM Account WHERE {where}")
    assert (found, said in message) == (code, True), message


@given(st.sets(st.integers(0, 5)), st.sets(st.integers(0, 5)))
def test_a_semi_join_and_its_anti_join_share_all_records_out(with_people: set[int], with_deals: set[int]):
    fake = FakeSalesforce()
    ids = [fake.put("Account", Name=str(number)) for number in range(6)]
    for number in with_people:
        fake.put("Contact", LastName="x", AccountId=ids[number])
    for number in with_deals:
        fake.put("Opportunity", Name="x", StageName="Prospecting", CloseDate="2026-12-01", AccountId=ids[number])
    people: Callable[[str], str] = "Id {} (SELECT AccountId FROM Contact)".format
    deals: Callable[[str], str] = "Id {} (SELECT AccountId FROM Opportunity)".format
    headers = {"Authorization": f"Bearer {fake.credentials['token']}"}
    with httpx.Client(transport=fake.transport(), base_url=f"{HOST}/services/data/v67.0", headers=headers) as api:

        def found(*conditions: str) -> set[int]:
            text = f"SELECT Name FROM Account WHERE {' AND '.join(conditions)}"
            return {int(row["Name"]) for row in page(api, text)["records"]}

        assert found(people("IN")) == with_people
        assert found(people("NOT IN")) == set(range(6)) - with_people
        assert found(people("IN"), deals("NOT IN")) == with_people - with_deals
