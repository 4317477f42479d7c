"""Groups, totals, aliases, HAVING, and the clauses behind them (SOQL reference, "GROUP BY", "HAVING", "Alias Notation")."""

import statistics
from collections import defaultdict
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.testing.fakes.salesforce import FakeSalesforce


@pytest.fixture
def leads(salesforce: FakeSalesforce) -> FakeSalesforce:
    """Five leads: three are open, of which one has no title, and two are being worked on."""
    for status, title, score in (
        ("Open - Not Contacted", "CEO", 10.0),
        ("Open - Not Contacted", "CTO", 30.0),
        ("Open - Not Contacted", None, None),
        ("Working - Contacted", "CEO", 5.0),
        ("Working - Contacted", "ceo", None),
    ):
        salesforce.put("Lead", LastName="x", Company="y", Status=status, Title=title, pi__score__c=score)
    return salesforce


def rows(api: httpx.Client, text: str) -> list[dict[str, Any]]:
    answer = api.get("/query", params={"q": text})
    assert answer.status_code == 200, answer.text
    assert answer.json()["totalSize"] == len(answer.json()["records"])
    records = answer.json()["records"]
    assert all(record.pop("attributes") == {"type": "AggregateResult"} for record in records)
    return records


def refusal(api: httpx.Client, text: str) -> tuple[str, str]:
    answer = api.get("/query", params={"q": text})
    assert answer.status_code == 400, answer.text
    return answer.json()[0]["errorCode"], answer.json()[0]["message"]


# ---- names ------------------------------------------------------------------------------


@pytest.mark.usefixtures("leads")
def test_totals_and_groups_are_called_by_their_aliases_or_by_numbers_and_fields(api: httpx.Client):
    text = "SELECT Status s, COUNT(Id) cnt, MAX(pi__score__c), Owner.Name, COUNT(Title) FROM Lead"
    assert rows(api, f"{text} GROUP BY Status, Owner.Name ORDER BY Status") == [
        {"s": "Open - Not Contacted", "cnt": 3, "expr0": 30.0, "Name": "Connector", "expr1": 2},
        {"s": "Working - Contacted", "cnt": 2, "expr0": 5.0, "Name": "Connector", "expr1": 2},
    ]
    assert rows(api, "SELECT MIN(pi__score__c) min, AVG(pi__score__c) FROM Lead") == [{"min": 5.0, "expr0": 15.0}]


# ---- HAVING -----------------------------------------------------------------------------


@pytest.mark.usefixtures("leads")
@pytest.mark.parametrize(
    ("having", "found"),
    [
        ("COUNT(Id) > 2", ["Open - Not Contacted"]),
        ("count(id) > 2", ["Open - Not Contacted"]),
        ("COUNT() = 2", ["Working - Contacted"]),
        ("COUNT(Title) = 2", ["Open - Not Contacted", "Working - Contacted"]),
        ("COUNT_DISTINCT(Title) = 1", ["Working - Contacted"]),
        ("SUM(pi__score__c) IN (5, 6)", ["Working - Contacted"]),
        ("AVG(pi__score__c) >= 2e1", ["Open - Not Contacted"]),
        ("MIN(Title) = 'ceo'", ["Open - Not Contacted", "Working - Contacted"]),
        ("MAX(CreatedDate) < TODAY", []),
        ("MAX(CreatedDate) = TODAY", ["Open - Not Contacted", "Working - Contacted"]),
        ("Status LIKE 'work%'", ["Working - Contacted"]),
        ("Status LIKE 'work%' OR (NOT COUNT(Id) < 3)", ["Open - Not Contacted", "Working - Contacted"]),
        ("COUNT(Id) > 1 AND MAX(pi__score__c) > 5 AND Status != null", ["Open - Not Contacted"]),
        ("COUNT(Id) > 9", []),
    ],
)
def test_having_keeps_the_groups_whose_totals_it_admits(api: httpx.Client, having: str, found: list[str]):
    text = f"SELECT Status FROM Lead GROUP BY Status HAVING {having} ORDER BY Status"
    assert [row["Status"] for row in rows(api, text)] == found


@pytest.mark.usefixtures("leads")
def test_groups_are_sorted_by_totals_and_then_cut(api: httpx.Client):
    text = "SELECT Title, COUNT(Id) n FROM Lead GROUP BY Title"

    def titles(end: str) -> list[str | None]:
        return [row["Title"] for row in rows(api, f"{text} {end}")]

    assert titles("ORDER BY COUNT(Id) DESC, Title NULLS LAST") == ["CEO", "ceo", "CTO", None]
    assert titles("ORDER BY COUNT(Id) DESC, Title NULLS LAST LIMIT 2") == ["CEO", "ceo"]
    assert titles("ORDER BY MAX(pi__score__c) DESC NULLS LAST, Title LIMIT 1 OFFSET 1") == ["CEO"]


SCORES = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", None]), st.one_of(st.none(), st.integers(-5, 5))), min_size=1, max_size=20
)


@given(SCORES, st.integers(0, 5), st.integers(-5, 5))
def test_groups_are_what_plain_counting_and_adding_up_gives(
    scores: list[tuple[str | None, int | None]], many: int, great: int
):
    fake = FakeSalesforce()
    for title, score in scores:
        fake.put("Lead", LastName="x", Company="y", Title=title, pi__score__c=None if score is None else float(score))
    held: dict[str | None, list[float | None]] = defaultdict(list)
    for title, score in scores:
        held[title].append(score)
    expected = {}
    for title, values in held.items():
        known = [value for value in values if value is not None]
        if len(values) > many and known and max(known) >= great:
            expected[title] = (
                len(values),
                len(known),
                len(set(known)),
                sum(known),
                statistics.fmean(known),
                min(known),
            )
    text = (
        "SELECT Title, COUNT(Id), COUNT(pi__score__c), COUNT_DISTINCT(pi__score__c), SUM(pi__score__c),"
        " AVG(pi__score__c), MIN(pi__score__c) FROM Lead GROUP BY Title"
        f" HAVING COUNT(Id) > {many} AND MAX(pi__score__c) >= {great}"
    )
    headers = {"Authorization": f"Bearer {fake.credentials['token']}"}
    base = "https://acme.my.salesforce.com/services/data/v67.0"
    with httpx.Client(transport=fake.transport(), base_url=base, headers=headers) as api:
        found = {row["Title"]: tuple(row[f"expr{place}"] for place in range(6)) for row in rows(api, text)}
    assert found == expected


def test_groups_fill_one_page_and_have_no_next_one(salesforce: FakeSalesforce, api: httpx.Client):
    for number in range(5):
        salesforce.put("Lead", LastName=str(number), Company="x")
    salesforce.page_size = 4
    text = "SELECT LastName FROM Lead GROUP BY LastName ORDER BY LastName"
    code, message = refusal(api, text)
    assert (code, "use LIMIT to restrict the results to a single batch" in message) == ("EXCEEDED_ID_LIMIT", True)
    assert [row["LastName"] for row in rows(api, f"{text} LIMIT 4")] == ["0", "1", "2", "3"]
    counted = api.get("/query", params={"q": "SELECT COUNT() FROM Lead"}).json()
    assert counted == {"totalSize": 5, "done": True, "records": []}


# ---- refusals ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("SELECT LastName FROM Lead HAVING COUNT(Id) > 1", "MALFORMED_QUERY", "unexpected token: 'HAVING'"),
        ("SELECT COUNT(Id) FROM Lead HAVING COUNT(Id) > 1", "MALFORMED_QUERY", "unexpected token: 'HAVING'"),
        ("SELECT Title FROM Lead WHERE COUNT(Id) > 1 GROUP BY Title", "MALFORMED_QUERY", "unexpected token: '('"),
        ("SELECT Title FROM Lead GROUP BY Title HAVING", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Title FROM Lead GROUP BY Title HAVING COUNT(Id)", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Title FROM Lead GROUP BY Title HAVING LEFT(Id) = 1", "MALFORMED_QUERY", "unexpected token: 'LEFT'"),
        ("SELECT Title FROM Lead GROUP BY Title HAVING SUM() = 1", "MALFORMED_QUERY", "unexpected token: ')'"),
        (
            "SELECT Title FROM Lead GROUP BY Title HAVING City LIKE 'San%'",
            "MALFORMED_QUERY",
            "Field must be grouped or aggregated: City",
        ),
        ("SELECT Title t FROM Lead GROUP BY Title HAVING t = 'x'", "INVALID_FIELD", "No such column 't'"),
        ("SELECT Title FROM Lead GROUP BY Title HAVING SUM(City) > 1", "MALFORMED_QUERY", "aggregate operator SUM"),
        ("SELECT Title FROM Lead GROUP BY Title HAVING COUNT(Id) > 'x'", "INVALID_FIELD", "should not be enclosed"),
        (
            "SELECT Title FROM Lead GROUP BY Title HAVING MIN(OwnerId) IN (SELECT Id FROM User)",
            "MALFORMED_QUERY",
            "only supported in WHERE clauses",
        ),
        ("SELECT LastName, COUNT(Id) FROM Lead GROUP BY Title", "MALFORMED_QUERY", "grouped or aggregated: LastName"),
        ("SELECT FIELDS(ALL) FROM Lead GROUP BY Title", "MALFORMED_QUERY", "grouped or aggregated: FIELDS(ALL)"),
        ("SELECT Title FROM Lead GROUP BY Title ORDER BY City", "MALFORMED_QUERY", "Ordered field must be grouped"),
        ("SELECT COUNT(Id) FROM Lead ORDER BY City", "MALFORMED_QUERY", "Ordered field must be grouped"),
        ("SELECT Title FROM Lead ORDER BY COUNT(Id)", "MALFORMED_QUERY", "unexpected token: '('"),
        ("SELECT Title, COUNT(Title) FROM Lead GROUP BY Title", "MALFORMED_QUERY", "should not be aggregated: Title"),
        ("SELECT COUNT(Id) FROM Lead GROUP BY CreatedDate", "INVALID_FIELD", "'CreatedDate' can not be grouped"),
        ("SELECT COUNT(Id) FROM Lead GROUP BY Interests__c", "INVALID_FIELD", "'Interests__c' can not be grouped"),
        ("SELECT COUNT(Id) FROM Lead GROUP BY", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT COUNT(Id) n, COUNT(Title) n FROM Lead", "MALFORMED_QUERY", "duplicate alias: n"),
        ("SELECT COUNT(Id) expr0, COUNT(Title) FROM Lead", "MALFORMED_QUERY", "duplicate alias: expr0"),
        (
            "SELECT Owner.Name, CreatedBy.Name FROM Lead GROUP BY Owner.Name, CreatedBy.Name",
            "MALFORMED_QUERY",
            "duplicate alias: Name",
        ),
        ("SELECT Id Name FROM Lead", "MALFORMED_QUERY", "only aggregate expressions use field aliasing"),
        ("SELECT Title t, COUNT(Id) FROM Lead", "MALFORMED_QUERY", "Field must be grouped or aggregated: Title"),
        ("SELECT COUNT(Id) limit FROM Lead", "MALFORMED_QUERY", "unexpected token: 'limit'"),
        ("SELECT COUNT(Id) a.b FROM Lead", "MALFORMED_QUERY", "unexpected token: 'a.b'"),
        ("SELECT COUNT() n FROM Lead", "MALFORMED_QUERY", "unexpected token: 'n'"),
        ("SELECT Title, COUNT() FROM Lead GROUP BY Title", "MALFORMED_QUERY", "unexpected token: 'COUNT'"),
        ("SELECT COUNT() FROM Lead GROUP BY Title", "MALFORMED_QUERY", "unexpected token: 'GROUP'"),
        ("SELECT COUNT() FROM Lead ORDER BY Title", "MALFORMED_QUERY", "unexpected token: 'ORDER'"),
        ("SELECT COUNT(Id) FROM Lead LIMIT 1", "MALFORMED_QUERY", "overall aggregate functions cannot also use LIMIT"),
        (
            "SELECT COUNT(Id) FROM Lead OFFSET 1",
            "MALFORMED_QUERY",
            "overall aggregate functions cannot also use OFFSET",
        ),
        ("SELECT COUNT(*) FROM Lead", "MALFORMED_QUERY", "unexpected token: '*'"),
    ],
)
def test_groups_and_totals_that_the_vendor_would_not_give_are_refused(
    api: httpx.Client, text: str, code: str, said: str
):
    found, message = refusal(api, text)
    assert (found, said in message) == (code, True), message


def test_a_field_is_said_to_be_groupable_just_when_records_can_be_grouped_by_it(api: httpx.Client):
    for field in api.get("/sobjects/Lead/describe").json()["fields"]:
        answer = api.get("/query", params={"q": f"SELECT {field['name']} FROM Lead GROUP BY {field['name']}"})
        assert (answer.status_code == 200) is field["groupable"], field["name"]
        counted = api.get("/query", params={"q": f"SELECT COUNT({field['name']}) FROM Lead"})
        assert (counted.status_code == 200) is field["aggregatable"], field["name"]


# ---- what stands behind -----------------------------------------------------------------


@pytest.mark.usefixtures("leads")
@pytest.mark.parametrize(
    "end",
    ["FOR VIEW", "FOR REFERENCE", "for update", "LIMIT 9 FOR UPDATE", "ORDER BY Title FOR VIEW", "FOR VIEW FOR UPDATE"],
)
def test_what_records_are_wanted_for_changes_nothing_of_what_is_found(api: httpx.Client, end: str):
    answer = api.get("/query", params={"q": f"SELECT Id FROM Lead WHERE Title = 'CTO' {end}"})
    assert answer.json()["totalSize"] == 1


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("ORDER BY Title FOR UPDATE", "unexpected token: 'UPDATE'"),
        ("FOR", "unexpected token: '<EOF>'"),
        ("FOR UPDATE LIMIT 1", "unexpected token: 'LIMIT'"),
        ("FOR EVER", "unexpected token: 'EVER'"),
        ("FOR VIEW FOR VIEW", "unexpected token: 'VIEW'"),
        ("WITH SECURITY_ENFORCED", "WITH SECURITY_ENFORCED not allowed in this context"),
        ("WHERE Title = 'x' with user_mode LIMIT 1", "WITH USER_MODE not allowed in this context"),
        ("WITH SYSTEM_MODE", "WITH SYSTEM_MODE not allowed in this context"),
        ("WITH Everything", "unexpected token: 'Everything'"),
        ("ALL ROWS", "ALL ROWS not allowed in this context"),
        ("LIMIT 1 all rows", "ALL ROWS not allowed in this context"),
        ("ALL", "unexpected token: '<EOF>'"),
        ("LIMIT 1 ORDER BY Title", "unexpected token: 'ORDER'"),
        ("GROUP BY Title WHERE Title = 'x'", "unexpected token: 'WHERE'"),
    ],
)
def test_what_is_for_apex_and_what_stands_elsewhere_is_refused(api: httpx.Client, end: str, said: str):
    code, message = refusal(api, f"SELECT Title FROM Lead {end}")
    assert (code, said in message) == ("MALFORMED_QUERY", True), message


def test_the_least_and_the_greatest_of_a_group_are_the_first_and_the_last_in_its_order(
    salesforce: FakeSalesforce, api: httpx.Client
):
    for name in ("O'Hara", "back", "Zoe", "abe", "阿部"):
        salesforce.put("Lead", LastName=name, Company="order")
    where = "FROM Lead WHERE Company = 'order'"
    answer = api.get("/query", params={"q": f"SELECT LastName {where} ORDER BY LastName"})
    ordered = [row["LastName"] for row in answer.json()["records"]]
    assert ordered == ["abe", "back", "O'Hara", "Zoe", "阿部"]
    [total] = rows(api, f"SELECT MIN(LastName) low, MAX(LastName) high {where}")
    assert (total["low"], total["high"]) == (ordered[0], ordered[-1])
