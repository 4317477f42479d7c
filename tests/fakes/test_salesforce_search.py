"""SOSL (SOQL and SOSL Reference: "FIND {SearchQuery}", "RETURNING FieldSpec")."""

from collections.abc import Callable

import httpx
import pytest

from crmbridge.testing.fakes.salesforce import FakeSalesforce

Found = Callable[[str], list[str]]


@pytest.fixture
def found(salesforce: FakeSalesforce, api: httpx.Client) -> Found:
    """Search among some people, and give their last names, or the code of the refusal."""
    acme = salesforce.put("Account", Name="Acme")
    for last, first, company, title in (
        ("渡邉", "太郎", "商事", "部長"),
        ("佐藤", "花子", "商事", "and more"),
        ("Smith", "Joan", "Acme & Sons", "100%"),
        ("Smythe", "John", "Acme", None),
    ):
        salesforce.put("Lead", LastName=last, FirstName=first, Company=company, Title=title)
    salesforce.put("Contact", LastName="渡邉", AccountId=acme)

    def search(text: str) -> list[str]:
        answer = api.get("/search", params={"q": text})
        if answer.status_code == 200:
            return [record["LastName"] for record in answer.json()["searchRecords"]]
        assert answer.status_code == 400
        return [answer.json()[0]["errorCode"]]

    return search


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("渡邉", ["渡邉"]),
        ("渡邉 OR 佐藤", ["渡邉", "佐藤"]),
        ("渡邉 or 佐藤", ["渡邉", "佐藤"]),
        ("渡邉 AND 太郎", ["渡邉"]),
        ("渡邉 AND 花子", []),
        ("渡邉 太郎", ["渡邉"]),
        ("太郎 渡邉 OR 花子 佐藤", ["渡邉", "佐藤"]),
        ("商事 AND NOT 太郎", ["佐藤"]),
        ("商事 and not (太郎 OR 花子)", []),
        ("商事 AND (太郎 OR 花子)", ["渡邉", "佐藤"]),
        ("(渡邉 OR 佐藤) 花子", ["佐藤"]),
        ("渡邉 OR 佐藤 AND 太郎", ["渡邉"]),
        ('"太郎"', ["渡邉"]),
        ('"Acme & Sons"', ["MALFORMED_SEARCH"]),
        ('"Acme \\& Sons"', ["Smith"]),
        ('"Sons Acme"', []),
        ("Sons Acme", ["Smith"]),
        ('"and"', ["佐藤"]),
        ('"joan" OR "john"', ["Smith", "Smythe"]),
        ("Sm?th", ["Smith", "Smythe"]),
        ("J*n Acme", ["Smith", "Smythe"]),
        ("Acme*Sons", []),
        ('"Acme*Sons"', ["Smith"]),
        ("100%", ["Smith"]),
        ("1?0%", ["Smith"]),
        ("1_0*", []),
        ("SMITH", ["Smith"]),
    ],
)
def test_a_search_reads_words_phrases_wildcards_and_what_joins_them(found: Found, words: str, names: list[str]):
    assert found(f"FIND {{{words}}} RETURNING Lead(LastName)") == names


@pytest.mark.parametrize(
    ("returned", "names"),
    [
        ("Lead(LastName WHERE Company = '商事')", ["渡邉", "佐藤"]),
        ("Lead(LastName WHERE Company = '商事' AND FirstName LIKE '花%')", ["佐藤"]),
        ("Lead(LastName, Owner.Name WHERE (Company = 'Acme' OR Company = '商事') ORDER BY FirstName DESC LIMIT 2)",
         ["佐藤", "渡邉"]),
        ("Lead(LastName ORDER BY FirstName LIMIT 2 OFFSET 1)", ["Smythe", "渡邉"]),
        ("Lead(LastName WHERE Title = null), Contact(LastName WHERE Account.Name = 'Acme')", ["Smythe", "渡邉"]),
        ("Contact(LastName), Lead(LastName ORDER BY LastName) LIMIT 3", ["渡邉", "Smith", "Smythe"]),
        ("Lead(LastName WHERE CreatedDate = TODAY) LIMIT 0", []),
    ],
)  # fmt: skip
def test_each_returned_object_has_conditions_an_order_and_a_limit_of_its_own(
    found: Found, returned: str, names: list[str]
):
    assert found(f"FIND {{商事 OR Sm* OR 渡邉}} IN ALL FIELDS RETURNING {returned}") == names


@pytest.mark.parametrize(
    "text",
    [
        "FIND {}",
        "FIND {a}",
        "FIND {**}",
        'FIND {""}',
        "FIND {and}",
        "FIND {abe OR}",
        "FIND {NOT abe}",
        "FIND {abe AND AND baba}",
        "FIND {(abe}",
        "FIND {abe)}",
        'FIND {"abe}',
        "FIND {abe~}",
        "FIND {abe && baba}",
        f"FIND {{{'(' * 900}abe{')' * 900}}}",
        "FIND {abe} IN COLOUR FIELDS",
        "FIND {abe} RETURNING",
        "FIND {abe} RETURNING Lead(",
        "FIND {abe} RETURNING Lead()",
        "FIND {abe} RETURNING Lead(WHERE Company = 'x')",
        "FIND {abe} RETURNING Lead(Id WHERE Company = x)",
        "FIND {abe} RETURNING Lead(Id LIMIT 1 ORDER BY Id)",
        "FIND {abe} RETURNING Lead(Id), lead(Name)",
        "FIND {abe} RETURNING Lead(toLabel(Status))",
        "FIND {abe} RETURNING Lead(COUNT(Id))",
        "FIND {abe} RETURNING Lead(LastName other)",
        "FIND {abe} RETURNING Lead USING ListView = Mine",
        "FIND {abe} RETURNING Lead WITH SNIPPET",
        "FIND {abe} RETURNING Lead LIMIT 1 UPDATE TRACKING",
        "FIND {abe} LIMIT many",
        "SELECT Id FROM Lead",
    ],
)
def test_a_search_that_is_not_read_is_refused_and_never_empty(found: Found, text: str):
    assert found(text) == ["MALFORMED_SEARCH"]


def test_a_search_for_a_field_or_an_object_that_does_not_exist_is_refused(found: Found):
    assert found("FIND {abe} RETURNING Lead(Nope)") == ["INVALID_FIELD"]
    assert found("FIND {abe} RETURNING Lead(Id WHERE Nope = 'x')") == ["INVALID_FIELD"]
    assert found("FIND {abe} RETURNING Nope") == ["INVALID_TYPE"]


def test_a_search_without_objects_gives_the_ids_of_the_usual_ones(salesforce: FakeSalesforce, api: httpx.Client):
    lead = salesforce.put("Lead", LastName="Abe", Company="x")
    account = salesforce.put("Account", Name="Abe")
    records = api.get("/search", params={"q": "FIND {abe}"}).json()["searchRecords"]
    assert records == [
        {"attributes": {"type": kind, "url": f"/services/data/v67.0/sobjects/{kind}/{id}"}, "Id": id}
        for kind, id in (("Account", account), ("Lead", lead))
    ]
