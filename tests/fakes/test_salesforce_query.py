"""SOQL, pages, deleted rows, search (spec keys donat quoting rest-query, sf-err-tests; SOQL reference)."""

from datetime import date
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.testing.fakes.salesforce import FakeSalesforce
from crmbridge.testing.fakes.salesforce.days import day_range
from crmbridge.testing.fakes.salesforce.errors import Refused
from crmbridge.testing.fakes.salesforce.soql import parse, unescaped


@pytest.fixture
def people(salesforce: FakeSalesforce) -> FakeSalesforce:
    """Four leads, of whom two have an account's name in common."""
    rows: list[dict[str, Any]] = [
        {
            "LastName": "Abe",
            "Company": "Acme",
            "Email": "abe@a.jp",
            "pi__score__c": 10.0,
            "Interests__c": "Product;Support",
        },
        {"LastName": "baba", "Company": "Acme", "Title": "100%", "pi__score__c": 30.0, "DoNotCall": True},
        {"LastName": "O'Hara", "Company": "Beta", "Title": "a_b\\c", "Interests__c": "Event"},
        {"LastName": "Doi", "Company": "Beta", "pi__score__c": 20.0, "EmailBouncedDate": "2026-11-20T23:59:59Z"},
    ]
    for row in rows:
        salesforce.put("Lead", **row)
    return salesforce


def names(api: httpx.Client, where: str) -> list[str]:
    answer = api.get("/query", params={"q": f"SELECT LastName FROM Lead {where}"})
    assert answer.status_code == 200, answer.text
    return [record["LastName"] for record in answer.json()["records"]]


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("WHERE LastName = 'ABE'", ["Abe"]),
        ("where lastname='abe' and company != 'x'", ["Abe"]),
        ("WHERE LastName = 'O\\'Hara'", ["O'Hara"]),
        ("WHERE Title LIKE '100\\%'", ["baba"]),
        ("WHERE Title LIKE 'a\\_b%'", ["O'Hara"]),
        ("WHERE Title = 'a_b\\\\c'", ["O'Hara"]),
        ("WHERE LastName LIKE '_b%'", ["Abe"]),
        ("WHERE LastName LIKE '%B%'", ["Abe", "baba"]),
        ("WHERE Email = null", ["baba", "O'Hara", "Doi"]),
        ("WHERE Email != NULL", ["Abe"]),
        ("WHERE Email <> 'abe@a.jp'", ["baba", "O'Hara", "Doi"]),
        ("WHERE pi__score__c > 10", ["baba", "Doi"]),
        ("WHERE pi__score__c >= 1e1 AND pi__score__c <= +20.0", ["Abe", "Doi"]),
        ("WHERE pi__score__c < 20", ["Abe"]),
        ("WHERE DoNotCall = true", ["baba"]),
        ("WHERE DoNotCall = FALSE AND Company = 'beta'", ["O'Hara", "Doi"]),
        ("WHERE LastName IN ('abe', 'DOI')", ["Abe", "Doi"]),
        ("WHERE LastName NOT IN ('abe', 'DOI')", ["baba", "O'Hara"]),
        ("WHERE NOT (Company = 'Acme' OR LastName = 'Doi')", ["O'Hara"]),
        ("WHERE (NOT Company = 'Acme') AND pi__score__c = null", ["O'Hara"]),
        ("WHERE Interests__c INCLUDES ('Product;Support', 'Event')", ["Abe", "O'Hara"]),
        ("WHERE Interests__c EXCLUDES ('Product', 'Event')", ["baba", "Doi"]),
        ("WHERE EmailBouncedDate = YESTERDAY", ["Doi"]),
        ("WHERE EmailBouncedDate < TODAY", ["Doi"]),
        ("WHERE EmailBouncedDate = LAST_N_DAYS:1", ["Doi"]),
        ("WHERE EmailBouncedDate >= 2026-11-21T08:59:59+09:00", ["Doi"]),
        ("WHERE EmailBouncedDate > 2026-11-20T23:59:59Z", []),
        ("WHERE Owner.Name = 'connector' AND Lead.LastName = 'Abe'", ["Abe"]),
        ("WHERE OwnerId IN (SELECT Id FROM User WHERE LastName = 'connector') AND Company = 'Beta'", ["O'Hara", "Doi"]),
        ("WHERE OwnerId IN (SELECT Id FROM User WHERE LastName = 'Nobody')", []),
        ("ORDER BY pi__score__c", ["O'Hara", "Abe", "Doi", "baba"]),
        ("ORDER BY pi__score__c DESC NULLS LAST", ["baba", "Doi", "Abe", "O'Hara"]),
        ("ORDER BY Company DESC, LastName ASC", ["Doi", "O'Hara", "Abe", "baba"]),
        ("ORDER BY LastName LIMIT 2 OFFSET 1", ["baba", "Doi"]),
        ("LIMIT 0", []),
    ],
)
def test_a_condition_finds_what_the_vendor_would(api: httpx.Client, where: str, found: list[str]):
    assert names(api, where) == found


def test_parents_come_nested_and_missing_ones_are_null(people: FakeSalesforce, api: httpx.Client):
    account = people.put("Account", Name="Acme", ParentId=people.put("Account", Name="Group"))
    people.put("Contact", LastName="Sato", AccountId=account)
    people.put("Contact", LastName="Alone")
    text = "select id, account.name, Account.Parent.Name, Account.Owner.Email from contact order by lastname"
    alone, sato = api.get("/query/", params={"q": text}).json()["records"]
    assert alone["Account"] is None
    assert sato["Account"]["attributes"] == {
        "type": "Account",
        "url": f"/services/data/v67.0/sobjects/Account/{account}",
    }
    assert (sato["Account"]["Name"], sato["Account"]["Parent"]["Name"]) == ("Acme", "Group")
    assert sato["Account"]["Owner"]["Email"] == "connector@fake.example"


def test_a_reference_to_several_kinds_tells_its_kind(people: FakeSalesforce, api: httpx.Client):
    lead = people.rows("Lead")[0]["Id"]
    people.put("Task", WhoId=lead[:15], Subject="Call")
    text = "SELECT Who.Name, Who.Type FROM Task WHERE Who.Type = 'lead'"
    who = api.get("/query", params={"q": text}).json()["records"][0]["Who"]
    assert (who["Name"], who["Type"], who["attributes"]["type"]) == ("Abe", "Lead", "Lead")


@pytest.mark.usefixtures("people")
def test_counts_fields_and_groups_have_their_own_shapes(api: httpx.Client):
    def asked(text: str) -> Any:
        return api.get("/query", params={"q": text}).json()

    assert asked("SELECT COUNT() FROM Lead WHERE Company = 'Acme'") == {"totalSize": 2, "done": True, "records": []}
    groups = asked("SELECT Company, COUNT(Id) n, MAX(pi__score__c) FROM Lead GROUP BY Company")["records"]
    assert groups == [
        {"attributes": {"type": "AggregateResult"}, "Company": "Acme", "n": 2, "expr0": 30.0},
        {"attributes": {"type": "AggregateResult"}, "Company": "Beta", "n": 2, "expr0": 20.0},
    ]
    everything = asked("SELECT FIELDS(ALL) FROM Lead LIMIT 1")["records"][0]
    assert {"Id", "Name", "Ext_Id__c", "SystemModstamp"} <= set(everything)
    assert asked("SELECT FIELDS(ALL) FROM Lead")[0]["errorCode"] == "MALFORMED_QUERY"


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("SELECT Foo__c FROM Lead", "INVALID_FIELD", "No such column 'Foo__c' on entity 'Lead'."),
        ("SELECT Id FROM Foo__c", "INVALID_TYPE", "sObject type 'Foo__c' is not supported."),
        ("SELECT FROM Lead", "MALFORMED_QUERY", "unexpected token: 'FROM'"),
        ("SELECT Id FROM Lead WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Lead WHERE LastName = 'x", "MALFORMED_QUERY", "unexpected token: '''"),
        ("SELECT Id FROM Lead WHERE LastName = 'a\\x'", "MALFORMED_QUERY", "Illegal string literal"),
        ('SELECT Id FROM Lead WHERE LastName = "x"', "MALFORMED_QUERY", "unexpected token: '\"'"),
        ("SELECT Id FROM Lead WHERE Id = 'a' OR Id = 'b' AND Id = 'c'", "MALFORMED_QUERY", "unexpected token: 'AND'"),
        ("SELECT Id FROM Lead WHERE LastName = 5", "INVALID_FIELD", "should be enclosed in quotes"),
        ("SELECT Id FROM Lead WHERE CreatedDate > '2026-11-21'", "INVALID_FIELD", "must be of type dateTime"),
        ("SELECT Id FROM Lead WHERE CreatedDate > 2026-11-21", "INVALID_FIELD", "must be of type dateTime"),
        ("SELECT Id FROM Lead WHERE Id = 'nonsense'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: nonsense"),
        ("SELECT Id FROM Lead WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM Lead WHERE Company INCLUDES ('x')", "INVALID_QUERY_FILTER_OPERATOR", "not valid on field"),
        ("SELECT Nobody.Name FROM Lead", "INVALID_FIELD", "Didn't understand relationship 'Nobody'"),
        ("SELECT Id FROM Lead OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000"),
        ("SELECT LastName, COUNT(Id) FROM Lead", "MALFORMED_QUERY", "must be grouped or aggregated"),
        ("SELECT Id, Id FROM Lead", "INVALID_FIELD", "duplicate field selected: Id"),
        ("SELECT Id FROM Lead; DROP", "MALFORMED_QUERY", "unexpected token: ';'"),
        ("SELECT Id FROM Lead WHERE " + "(" * 3_000, "MALFORMED_QUERY", "nested too deeply"),
        ("SELECT Id FROM Lead WHERE " + "NOT " * 3_000, "MALFORMED_QUERY", "nested too deeply"),
        ("", "MALFORMED_QUERY", "unexpected token"),
    ],
)
def test_a_wrong_query_is_refused_at_its_place(api: httpx.Client, text: str, code: str, said: str):
    answer = api.get("/query", params={"q": text}) if len(text) < 9_000 else None
    if answer is None:
        with pytest.raises(Refused) as refused:
            parse(text)
        assert (refused.value.code, said in refused.value.message) == (code, True)
        return
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)
    assert said in answer.json()[0]["message"]


def test_a_refusal_shows_the_query_a_caret_and_the_place(api: httpx.Client):
    message = api.get("/query", params={"q": "SELECT Id,\nFoo FROM Lead"}).json()[0]["message"]
    lines = message.split("\n")
    assert (lines[0], lines[1], lines[2], lines[3]) == ("", "Foo FROM Lead", "^", "ERROR at Row:2:Column:1")


@given(st.text(max_size=60))
def test_any_text_is_either_a_query_or_refused(text: str):
    try:
        parse(text)
    except Refused as refused:
        assert refused.code == "MALFORMED_QUERY"  # noqa: PT017 - a text that parses raises nothing


@given(st.text())
def test_a_quoted_text_stands_for_itself(text: str):
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    assert unescaped(quoted) == text
    condition = parse(f"SELECT Id FROM Lead WHERE LastName = '{quoted}'").where
    assert condition is not None


def walk(api: httpx.Client, text: str, **headers: str) -> list[list[str]]:
    answer = api.get("/query", params={"q": text}, headers=headers).json()
    pages = [[record["LastName"] for record in answer["records"]]]
    while not answer["done"]:
        answer = api.get(f"https://acme.my.salesforce.com{answer['nextRecordsUrl']}").json()
        pages.append([record["LastName"] for record in answer["records"]])
    assert "nextRecordsUrl" not in answer
    assert answer["totalSize"] == sum(map(len, pages))
    return pages


def test_pages_are_as_long_as_the_server_says(people: FakeSalesforce, api: httpx.Client):
    people.page_size = 3
    assert walk(api, "SELECT LastName FROM Lead") == [["Abe", "baba", "O'Hara"], ["Doi"]]


def test_a_client_may_ask_for_shorter_pages_within_bounds(salesforce: FakeSalesforce, api: httpx.Client):
    for number in range(450):
        salesforce.put("Lead", LastName=str(number), Company="x")
    sizes = [
        [len(page) for page in walk(api, "SELECT LastName FROM Lead", **{"Sforce-Query-Options": f"batchSize={n}"})]
        for n in (1, 300)
    ]
    assert sizes == [[200, 200, 50], [300, 150]]


def test_a_walk_sees_the_rows_of_its_beginning_with_the_values_of_now(people: FakeSalesforce, api: httpx.Client):
    people.page_size = 2
    first = api.get("/query", params={"q": "SELECT Id, LastName FROM Lead ORDER BY Id"}).json()
    ids = [row["Id"] for row in people.rows("Lead")]
    people.put("Lead", LastName="Late", Company="x")
    people.edit("Lead", ids[2], LastName="Changed")
    second = api.get(f"https://acme.my.salesforce.com{first['nextRecordsUrl']}").json()
    assert [record["LastName"] for record in second["records"]] == ["Changed", "Doi"]
    assert second["done"] is True


@pytest.mark.usefixtures("people")
def test_a_locator_expires_by_time_on_command_and_by_fault(salesforce: FakeSalesforce, api: httpx.Client, clock: Any):
    salesforce.page_size = 2

    def next_page() -> str:
        return (
            "https://acme.my.salesforce.com"
            + api.get("/query", params={"q": "SELECT Id FROM Lead"}).json()["nextRecordsUrl"]
        )

    page = next_page()
    assert api.get(page).status_code == 200
    clock.pass_(days=3)
    gone = api.get(page)
    assert (gone.status_code, gone.json()[0]["errorCode"]) == (404, "INVALID_QUERY_LOCATOR")
    page = next_page()
    salesforce.expire_locators()
    assert api.get(page).status_code == 404
    page = next_page()
    salesforce.faults.add("F18:1")
    assert [api.get(page).status_code for _ in "ab"] == [404, 200]
    assert api.get("/query/nonsense").json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


@pytest.mark.usefixtures("people")
def test_a_listing_may_be_short_and_a_next_page_may_lead_away_when_faults_say_so(
    salesforce: FakeSalesforce, api: httpx.Client
):
    salesforce.faults.add("F17:1")
    assert len(names(api, "")) == 2
    salesforce.page_size = 2
    salesforce.faults.add("F32:1")
    answer = api.get("/query", params={"q": "SELECT Id FROM Lead"}).json()
    assert answer["nextRecordsUrl"].startswith("https://elsewhere.invalid/services/data/")


def test_a_soft_deleted_lead_is_seen_by_query_all_only(people: FakeSalesforce, api: httpx.Client):
    gone = people.rows("Lead")[0]["Id"]
    people.remove("Lead", gone)
    text = "SELECT Id, IsDeleted FROM Lead WHERE IsDeleted = true"
    assert api.get("/query", params={"q": text}).json()["totalSize"] == 0
    found = api.get("/queryAll/", params={"q": text}).json()["records"]
    assert [(record["Id"], record["IsDeleted"]) for record in found] == [(gone, True)]


@pytest.mark.usefixtures("people")
def test_an_index_gives_what_a_full_look_gives(salesforce: FakeSalesforce, api: httpx.Client, clock: Any):
    mark = "2026-11-21T09:16:00Z"
    clock.pass_(minutes=2)
    rows = salesforce.rows("Lead")
    salesforce.edit("Lead", rows[1]["Id"], Email="New@a.jp")
    salesforce.edit("Lead", rows[1]["Id"], Title="moved twice")
    assert names(api, f"WHERE SystemModstamp >= {mark} ORDER BY SystemModstamp, Id") == ["baba"]
    assert names(api, f"WHERE SystemModstamp < {mark} AND Company = 'Acme'") == ["Abe"]
    assert names(api, "WHERE Email = 'NEW@A.JP'") == ["baba"]
    assert names(api, f"WHERE Id IN ('{rows[0]['Id'][:15]}', '{rows[1]['Id']}')") == ["Abe", "baba"]
    assert names(api, f"WHERE Id = '{rows[0]['Id']}' AND Company = 'Beta'") == []


def test_a_record_with_an_old_stamp_that_appears_late_is_found_by_its_stamp(people: FakeSalesforce, api: httpx.Client):
    line = '{"kind": "Lead", "values": {"LastName": "Late", "Company": "x"}, "at": "2026-11-21T09:10:00Z"}'
    people.load([line])
    assert names(api, "WHERE SystemModstamp >= 2026-11-21T09:10:00Z AND Company = 'x'") == ["Late"]
    assert names(api, "WHERE SystemModstamp > 2026-11-21T09:10:00Z AND Company = 'x'") == []


@pytest.mark.usefixtures("people")
def test_search_finds_words_in_the_fields_of_its_scope(api: httpx.Client):
    def found(text: str) -> list[str]:
        answer = api.get("/search/", params={"q": text})
        return (
            [record["LastName"] for record in answer.json()["searchRecords"]]
            if answer.status_code == 200
            else [str(answer.status_code)]
        )

    assert found("FIND {abe@a.jp} IN EMAIL FIELDS RETURNING Lead(Id, LastName)") == ["Abe"]
    assert found("FIND {acme} IN ALL FIELDS RETURNING Lead(LastName), Contact(LastName)") == ["Abe", "baba"]
    assert found("FIND {acme} IN NAME FIELDS RETURNING Lead(LastName)") == []
    assert found("FIND {} RETURNING Lead") == ["400"]


def test_ids_are_ordered_as_they_are_compared_so_that_a_walk_by_id_skips_nothing(salesforce, api):
    made = sorted(salesforce.put("Account", Name=f"会社{number}") for number in range(150))
    walked, last = [], ""
    while True:
        after = f" WHERE Id > '{last}'" if last else ""
        body = api.get("/query", params={"q": f"SELECT Id FROM Account{after} ORDER BY Id LIMIT 20"})
        ids = [row["Id"] for row in body.json()["records"]]
        if not ids:
            break
        walked += ids
        last = ids[-1]
    assert walked == made


def test_groups_come_in_the_order_that_was_asked_for(salesforce: FakeSalesforce, api: httpx.Client):
    for title in ("b", None, "C", "a", "b"):
        salesforce.put("Lead", LastName="x", Company="y", Title=title)

    def titles(order: str) -> list[str | None]:
        text = f"SELECT Title, COUNT(Id) FROM Lead WHERE LastName = 'x' GROUP BY Title ORDER BY {order}"
        return [row["Title"] for row in api.get("/query", params={"q": text}).json()["records"]]

    assert titles("Title") == [None, "a", "b", "C"]
    assert titles("Title DESC NULLS LAST") == ["C", "b", "a", None]
    text = "SELECT Title FROM Lead GROUP BY Title ORDER BY LastName"
    assert "Ordered field must be grouped" in api.get("/query", params={"q": text}).json()[0]["message"]


@pytest.mark.parametrize(
    ("literal", "first", "after"),
    [
        ("LAST_90_DAYS", date(2026, 8, 23), date(2026, 11, 22)),
        ("NEXT_90_DAYS", date(2026, 11, 22), date(2027, 2, 20)),
        ("THIS_QUARTER", date(2026, 10, 1), date(2027, 1, 1)),
        ("LAST_QUARTER", date(2026, 7, 1), date(2026, 10, 1)),
        ("LAST_N_WEEKS:2", date(2026, 11, 1), date(2026, 11, 15)),
        ("NEXT_N_MONTHS:2", date(2026, 12, 1), date(2027, 2, 1)),
        ("LAST_N_QUARTERS:1", date(2026, 7, 1), date(2026, 10, 1)),
        ("LAST_N_YEARS:3", date(2023, 1, 1), date(2026, 1, 1)),
        ("N_DAYS_AGO:3", date(2026, 11, 18), date(2026, 11, 19)),
        ("LAST_N_YEARS:99999999", date(1, 1, 1), date(2026, 1, 1)),
        ("N_DAYS_AGO:0", date(2026, 11, 21), date(2026, 11, 22)),
        ("N_WEEKS_AGO:1", date(2026, 11, 8), date(2026, 11, 15)),
        ("N_MONTHS_AGO:0", date(2026, 11, 1), date(2026, 12, 1)),
        ("N_MONTHS_AGO:11", date(2025, 12, 1), date(2026, 1, 1)),
        ("N_QUARTERS_AGO:4", date(2025, 10, 1), date(2026, 1, 1)),
        ("N_YEARS_AGO:2", date(2024, 1, 1), date(2025, 1, 1)),
        ("THIS_FISCAL_QUARTER", date(2026, 10, 1), date(2027, 1, 1)),
        ("LAST_FISCAL_QUARTER", date(2026, 7, 1), date(2026, 10, 1)),
        ("NEXT_FISCAL_YEAR", date(2027, 1, 1), date(2028, 1, 1)),
        ("LAST_N_FISCAL_YEARS:1", date(2025, 1, 1), date(2026, 1, 1)),
        ("NEXT_N_FISCAL_QUARTERS:2", date(2027, 1, 1), date(2027, 7, 1)),
        ("N_FISCAL_QUARTERS_AGO:1", date(2026, 7, 1), date(2026, 10, 1)),
        ("N_FISCAL_YEARS_AGO:1", date(2025, 1, 1), date(2026, 1, 1)),
    ],
)
def test_a_date_literal_means_these_days(api: httpx.Client, literal: str, first: date, after: date):
    assert day_range(literal, date(2026, 11, 21)) == (first, after)
    text = f"SELECT Id FROM Lead WHERE CreatedDate = {literal.lower()}"
    assert api.get("/query", params={"q": text}).status_code == 200


@pytest.mark.parametrize(
    "literal",
    ["THIS_FISCAL_MONTH", "LAST_N_FISCAL_WEEKS:1", "N_DAYS_AGO", "N_MONTHS_AGO", "LAST_N_DAYS_AGO:1", "N_DAYS:1"],
)
def test_a_word_that_is_no_date_literal_is_refused(api: httpx.Client, literal: str):
    refused = api.get("/query", params={"q": f"SELECT Id FROM Lead WHERE CreatedDate = {literal}"})
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "MALFORMED_QUERY")
