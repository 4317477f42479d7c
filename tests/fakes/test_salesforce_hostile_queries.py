"""Queries that nobody should send: each is answered or refused in the vendor's form, and soon."""

import time
from collections.abc import Generator
from contextlib import contextmanager

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.testing.fakes.salesforce import FakeSalesforce
from crmbridge.testing.fakes.salesforce.errors import Refused
from crmbridge.testing.fakes.salesforce.query import Reader
from crmbridge.testing.fakes.salesforce.soql import LONGEST, parse


@contextmanager
def soon(seconds: float = 2) -> Generator[None]:
    began = time.process_time()
    yield
    assert time.process_time() - began < seconds


def read(text: str) -> str:
    """Give the code with which a text is refused, or nothing when it is a query."""
    try:
        parse(text)
    except Refused as refused:
        return refused.code
    return ""


def filled(part: str, head: str, tail: str = "") -> str:
    """Repeat a part until the longest query is full."""
    return head + part * ((LONGEST - len(head) - len(tail)) // len(part)) + tail


@pytest.mark.parametrize(
    "text",
    [
        filled("(SELECT ", "SELECT "),
        filled("(SELECT Id, ", "SELECT Id, "),
        filled("(SELECT Id FROM Contacts), ", "SELECT "),
        filled("(", "SELECT Id FROM Lead WHERE "),
        filled("NOT ", "SELECT Id FROM Lead WHERE "),
        filled("(NOT ", "SELECT Id FROM Lead WHERE "),
        filled("Id IN (SELECT Id FROM Contact WHERE ", "SELECT Id FROM Account WHERE "),
        filled("(", "SELECT Title FROM Lead GROUP BY Title HAVING "),
        filled("COUNT(", "SELECT Title FROM Lead GROUP BY Title HAVING "),
        filled("COUNT(", "SELECT "),
        filled("'", "SELECT Id FROM Lead WHERE Title = "),
        filled("\\", "SELECT Id FROM Lead WHERE Title = '"),
        filled("a.", "SELECT "),
        filled("1", "SELECT Id FROM Lead LIMIT ", " x"),
        filled(" ", "SELECT Id", "FROM"),
        filled("\n", "SELECT Id FROM Lead ", "x"),
        filled("LAST_N_DAYS:", "SELECT Id FROM Lead WHERE CreatedDate = "),
        filled("2026-", "SELECT Id FROM Lead WHERE CreatedDate = "),
        filled("Title,", "SELECT Id FROM Lead ORDER BY ", "Title"),
        filled("é", "SELECT "),
        filled("\ud800", "SELECT "),
        filled("\0", "SELECT Id FROM Lead "),
        "x" * (LONGEST + 1),
    ],
    ids=lambda text: text[:40].encode("unicode_escape").decode(),
)
def test_a_query_of_the_greatest_length_that_means_nothing_is_refused_soon(text: str):
    with soon():
        assert read(text) == "MALFORMED_QUERY"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (filled("Owner.Name, ", "SELECT ", "Id FROM Lead"), "INVALID_FIELD"),
        (filled("COUNT(Id), ", "SELECT ", "COUNT(Title) FROM Lead"), ""),
        (filled("COUNT(Id) n, ", "SELECT ", "COUNT(Title) FROM Lead"), "MALFORMED_QUERY"),
        (filled("Title = 'a' OR ", "SELECT Id FROM Lead WHERE ", "Title = 'b'"), ""),
        (filled("'a',", "SELECT Id FROM Lead WHERE Title IN (", "'b')"), ""),
        (filled("Title,", "SELECT COUNT(Id) FROM Lead GROUP BY ", "Title"), ""),
        (filled("COUNT(Id) > 1 AND ", "SELECT Title FROM Lead GROUP BY Title HAVING ", "COUNT(Id) > 0"), ""),
        (filled("%_", "SELECT Id FROM Lead WHERE Title LIKE '", "'"), ""),
        (filled(" ", "SELECT Id, (SELECT Id FROM Tasks)", "FROM Lead"), ""),
    ],
    ids=lambda text: text[:40],
)
def test_a_query_of_the_greatest_length_that_means_something_is_answered_soon(
    salesforce: FakeSalesforce, text: str, code: str
):
    # An address has no room for such a query, so it is not sent.
    reader, now = Reader(salesforce.org), salesforce.now()
    for number in range(20):
        salesforce.put("Lead", LastName=str(number), Company="x", Title="a" * 128)
    with soon(4):
        try:
            result = reader.run(text, version="67.0", deleted=False, now=now)
        except Refused as refused:
            assert refused.code == code  # noqa: PT017 - a query that runs raises nothing
        else:
            assert (code, result.size <= 20) == ("", True)


def test_a_page_of_many_parents_with_many_sub_selects_is_answered_soon(salesforce: FakeSalesforce, api: httpx.Client):
    last = None
    for number in range(2_000):
        last = salesforce.put("Campaign", Name=str(number), ParentId=last if number % 3 else None)
        salesforce.put("Task", Subject="x", WhatId=last)
    tasks = "(SELECT Subject FROM Tasks WHERE Subject LIKE '%x%' ORDER BY Subject, Id LIMIT 1)"
    inner = f"SELECT Name, {tasks} FROM ChildCampaigns ORDER BY Name"
    inner = f"SELECT Name, {tasks}, ({inner}) FROM ChildCampaigns ORDER BY Name"
    with soon(3):
        answer = api.get("/query", params={"q": f"SELECT Name, {tasks}, ({inner}) FROM Campaign"})
    assert sum(record["Tasks"]["totalSize"] for record in answer.json()["records"]) == 2_000


def test_children_by_a_field_without_an_index_are_looked_for_once_a_page(salesforce: FakeSalesforce, api: httpx.Client):
    campaigns = [salesforce.put("Campaign", Name=str(number)) for number in range(2_000)]
    for number in range(8_000):
        salesforce.put("Opportunity", Name=str(number), CampaignId=campaigns[number % 2_000])
    with soon(1):
        answer = api.get("/query", params={"q": "SELECT Id, (SELECT Id FROM Opportunities) FROM Campaign"})
    assert {record["Opportunities"]["totalSize"] for record in answer.json()["records"]} == {4}


def test_a_record_that_is_its_own_parent_is_its_own_child_once_a_level(salesforce: FakeSalesforce, api: httpx.Client):
    id = salesforce.put("Account", Name="x")
    salesforce.edit("Account", id, ParentId=id)
    text = "SELECT Id FROM ChildAccounts"
    for _ in range(3):
        text = f"SELECT Id, ({text}) FROM ChildAccounts"
    record = api.get("/query", params={"q": f"SELECT Id, ({text}) FROM Account"}).json()["records"][0]
    for _ in range(4):
        assert record["ChildAccounts"]["totalSize"] == 1
        record = record["ChildAccounts"]["records"][0]
    assert set(record) == {"attributes", "Id"}


WORDS = st.sampled_from(
    [
        *("SELECT", "FROM", "WHERE", "GROUP", "BY", "HAVING", "ORDER", "LIMIT", "OFFSET", "FOR", "VIEW", "ALL", "ROWS"),
        *(
            "WITH",
            "USER_MODE",
            "IN",
            "NOT",
            "AND",
            "OR",
            "LIKE",
            "NULLS",
            "LAST",
            "COUNT",
            "FIELDS",
            "INCLUDES",
            "TODAY",
        ),
        *(
            "(",
            ")",
            ",",
            "=",
            "<",
            "'a'",
            "1",
            "null",
            "*",
            ".",
            ":",
            "Id",
            "Title",
            "Account",
            "Contacts",
            "Lead.Name",
        ),
    ]
)


@given(st.lists(WORDS, max_size=30))
def test_any_row_of_words_is_a_query_or_refused(words: list[str]):
    assert read(" ".join(words)) in ("", "MALFORMED_QUERY", "NUMBER_OUTSIDE_VALID_RANGE")


PIECES = (
    *(
        "SELECT Id, ",
        "(SELECT LastName FROM Contacts",
        " WHERE LastName != null",
        " ORDER BY LastName",
        " LIMIT 1",
        ")",
    ),
    *(" FROM Account", " WHERE Id IN (", "SELECT AccountId FROM Contact", ")", " AND Name LIKE '%'", " LIMIT 2"),
)


@given(st.integers(0, len(PIECES) - 1), st.integers(0, len(PIECES) - 1), st.text(max_size=3))
def test_a_query_with_pieces_missing_or_in_disorder_gets_an_answer_in_the_vendors_form(
    first: int, second: int, between: str
):
    pieces = list(PIECES)
    pieces[first], pieces[second] = between, pieces[first]
    fake = FakeSalesforce()
    fake.put("Contact", LastName="x", AccountId=fake.put("Account", Name="x"))
    headers = {"Authorization": f"Bearer {fake.credentials['token']}"}
    base = "https://acme.my.salesforce.com/services/data/v67.0"
    with httpx.Client(transport=fake.transport(), base_url=base, headers=headers) as api:
        answer = api.get("/query", params={"q": "".join(pieces)})
    if answer.status_code == 200:
        assert answer.json()["done"] is True
    else:
        assert answer.status_code in (400, 404)
        assert set(answer.json()[0]) == {"message", "errorCode"}
