"""What is worked out once for many records holds for each of them, and for no longer than the fields stand."""

import itertools
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.testing.fakes.salesforce import FakeSalesforce
from crmbridge.testing.fakes.salesforce.ids import Minter, long_form
from crmbridge.testing.fakes.salesforce.plans import MOST
from crmbridge.testing.fakes.salesforce.storing import MOST as CELLS
from crmbridge.testing.tables import Field, Table

VALUES = {
    "LastName": " Sato ",
    "Company": "Acme",
    "Email": "SATO@acme.example",
    "HasOptedOutOfEmail": "true",
    "NumberOfEmployees": "12",
    "Ext_Id__c": "K1",
    "City": "  ",
}
STORED = {
    "LastName": "Sato",
    "Company": "Acme",
    "Email": "sato@acme.example",
    "HasOptedOutOfEmail": True,
    "NumberOfEmployees": 12,
    "Ext_Id__c": "K1",
    "City": None,
}

spelled = st.sampled_from([str, str.lower, str.upper])


def lead(**values: Any) -> dict[str, Any]:
    return {"attributes": {"type": "Lead"}, "LastName": "Sato", "Company": "Acme", **values}


def sent(fake: FakeSalesforce, method: str, path: str, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {fake.credentials['token']}"}
    base = "https://acme.my.salesforce.com/services/data/v67.0"
    with httpx.Client(transport=fake.transport(), base_url=base, headers=headers) as api:
        answer = api.request(method, path, json={"allOrNone": False, "records": records})
    assert answer.status_code == 200, answer.text
    told: list[dict[str, Any]] = answer.json()
    return told


@given(st.permutations(list(VALUES)), st.lists(spelled, min_size=7, max_size=7))
def test_a_record_is_stored_alike_in_whatever_order_and_case_its_names_come(
    order: list[str], case: list[Callable[[str], str]]
):
    fake = FakeSalesforce()
    spelt = {change(name): VALUES[name] for name, change in zip(order, case, strict=True)}
    record = {"attributes": {"type": "Lead"}, **spelt}
    made, same = (sent(fake, "PATCH", "/composite/sobjects/Lead/Ext_Id__c", [record])[0] for _ in range(2))
    row = fake.rows("Lead")[0]
    assert {name: row[name] for name in STORED} == STORED
    assert (made["created"], same["created"], same["id"]) == (True, False, made["id"])
    assert dict(fake.ledger[0].values) == STORED
    assert "Ext_Id__c" not in fake.ledger[1].values


@pytest.mark.parametrize("names", [("Title", "TITLE"), ("TITLE", "Title")])
def test_of_two_spellings_of_a_name_the_later_one_is_stored(
    salesforce: FakeSalesforce, api: httpx.Client, names: tuple[str, str]
):
    record = lead(**dict(zip(names, ("first", "later"), strict=True)))
    assert api.post("/composite/sobjects", json={"records": [record]}).json()[0]["success"]
    assert salesforce.rows("Lead")[0]["Title"] == "later"


@pytest.mark.parametrize("names", [("Ext_Id__c", "ext_id__c"), ("ext_id__c", "Ext_Id__c")])
def test_of_two_spellings_of_the_key_the_later_one_says_which_record_is_meant(
    salesforce: FakeSalesforce, api: httpx.Client, names: tuple[str, str]
):
    salesforce.put("Lead", LastName="Abe", Company="Acme", Ext_Id__c="first")
    meant = salesforce.put("Lead", LastName="Abe", Company="Acme", Ext_Id__c="later")
    record = {"attributes": {"type": "Lead"}, names[0]: "first", names[1]: "later", "LastName": "Sato"}
    answer = api.patch("/composite/sobjects/Lead/Ext_Id__c", json={"records": [record]}).json()
    assert (answer[0]["id"], answer[0]["created"]) == (meant, False)
    assert [row["LastName"] for row in salesforce.rows("Lead")] == ["Abe", "Sato"]


@pytest.mark.parametrize(
    ("text", "code"),
    [("x" * 40, ""), (f"  {'x' * 40}  ", ""), ("x" * 41, "STRING_TOO_LONG"), (f" {'x' * 41} ", "STRING_TOO_LONG")],
)
def test_the_length_of_a_text_counts_without_the_blanks_around_it(
    salesforce: FakeSalesforce, api: httpx.Client, text: str, code: str
):
    element = api.post("/composite/sobjects", json={"records": [lead(Phone=text)]}).json()[0]
    assert (element["errors"][0]["statusCode"] if element["errors"] else "") == code
    assert [row["Phone"] for row in salesforce.rows("Lead")] == ([] if code else ["x" * 40])


@pytest.mark.parametrize("count", [CELLS - 2, CELLS - 1])
def test_a_record_of_more_cells_than_code_is_made_for_is_checked_and_stored_like_any_other(
    salesforce: FakeSalesforce, api: httpx.Client, count: int
):
    spellings = ("".join(letters) for letters in itertools.product(*((one, one.upper()) for one in "lastname")))
    names = list(itertools.islice((name for name in spellings if name != "LastName"), count))
    record = {"attributes": {"type": "Lead"}, **dict.fromkeys(names, "early"), names[-1]: " late ", "Company": "Acme"}
    told = api.post("/composite/sobjects", json={"records": [record, record | {names[0]: "x" * 81}]}).json()
    assert [one["success"] for one in told] == [True, False]
    assert told[1]["errors"][0]["statusCode"] == "STRING_TOO_LONG"
    assert [(row["LastName"], row["Company"]) for row in salesforce.rows("Lead")] == [("late", "Acme")]


def test_the_first_wrong_cell_is_the_one_that_is_refused(api: httpx.Client):
    record = {"attributes": {"type": "Lead"}, "Phone": "x" * 41, "NumberOfEmployees": "many", "LastName": "Sato"}
    element = api.post("/composite/sobjects", json={"records": [record]}).json()[0]
    assert element["errors"][0]["fields"] == ["Phone"]


def test_a_record_that_is_refused_at_its_last_cell_holds_what_it_held(salesforce: FakeSalesforce, api: httpx.Client):
    id = salesforce.put("Lead", LastName="Abe", Company="Acme", Phone="1")
    record = {"attributes": {"type": "Lead"}, "Id": id, "LastName": "Sato", "Phone": "x" * 41}
    before = salesforce.rows("Lead")
    assert not api.patch("/composite/sobjects", json={"records": [record]}).json()[0]["success"]
    assert salesforce.rows("Lead") == before
    assert salesforce.ledger == ()


def test_what_was_written_to_a_field_stays_in_the_ledger_when_the_field_is_taken_away(
    salesforce: FakeSalesforce, api: httpx.Client
):
    salesforce.add_field("Lead", Field("Nick__c", "string", length=4))
    [made] = api.post("/composite/sobjects", json={"records": [lead(Nick__c="Taro")]}).json()
    api.patch("/composite/sobjects", json={"records": [lead(Id=made["id"], Nick__c="Jiro")]})
    salesforce.drop_field("Lead", "Nick__c")
    assert [write.values["Nick__c"] for write in salesforce.ledger] == ["Taro", "Jiro"]
    assert salesforce.ledger[1].before["Nick__c"] == "Taro"
    assert "Nick__c" not in salesforce.rows("Lead")[0]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.dictionaries(
                st.sampled_from(["Email", "LastName", "Ext_Id__c", "Nick__c"]),
                st.sampled_from(["a@x.example", "B@x.example", "b@x.example", ""]),
            ),
        ),
        max_size=8,
    )
)
def test_after_any_updates_a_value_is_found_where_it_stands_and_nowhere_else(
    writes: list[tuple[int, dict[str, str]]],
):
    fake = FakeSalesforce()
    fake.add_field("Lead", Field("Nick__c", "string", length=40, external_id=True))
    ids = [fake.put("Lead", LastName=name, Company="Acme") for name in "xyz"]
    for place, values in writes:
        sent(fake, "PATCH", "/composite/sobjects", [{"attributes": {"type": "Lead"}, "Id": ids[place], **values}])
    table = fake.table("Lead")
    for name in table.quick:
        key = table.fields[name].key
        for value in ("a@x.example", "b@x.example"):
            standing = {row.id for row in table.rows() if key(row.values.get(name)) == value}
            assert {row.id for row in table.find(name, value)} == standing


def test_a_derived_name_is_found_by_its_new_value_when_only_its_parts_are_written(
    salesforce: FakeSalesforce, api: httpx.Client
):
    salesforce.add_field("Lead", Field("Name", "string", length=121, indexed=True))
    id = salesforce.put("Lead", FirstName="Jiro", LastName="Abe", Company="Acme")
    api.patch("/composite/sobjects", json={"records": [{"attributes": {"type": "Lead"}, "Id": id, "LastName": "Sato"}]})
    table = salesforce.table("Lead")
    assert [row.id for row in table.find("Name", "Jiro Sato")] == [id]
    assert table.find("Name", "Jiro Abe") == []


@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_text_is_no_yes_or_no(api: httpx.Client, value: str):
    answer = api.post("/composite/sobjects", json={"records": [lead(DoNotCall=value)]})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")


@pytest.mark.parametrize("value", ["", None, "2026-11-21"])
def test_a_field_that_cannot_be_written_is_refused_with_any_value(api: httpx.Client, value: Any):
    element = api.post("/composite/sobjects", json={"records": [lead(ConvertedDate=value)]}).json()[0]
    assert element["errors"][0]["statusCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_a_field_that_is_described_anew_is_checked_by_its_new_rules_at_once(
    salesforce: FakeSalesforce, api: httpx.Client
):
    def codes() -> list[str]:
        told = api.post("/composite/sobjects", json={"records": [lead(Nick__c="Taro")]}).json()
        return [error["statusCode"] for one in told for error in one["errors"]]

    before = codes()
    salesforce.add_field("Lead", Field("Nick__c", "string", length=4))
    long = codes()
    salesforce.add_field("Lead", Field("Nick__c", "string", length=3))
    short = codes()
    salesforce.drop_field("Lead", "Nick__c")
    assert (before, long, short, codes()) == (["INVALID_FIELD"], [], ["STRING_TOO_LONG"], ["INVALID_FIELD"])


def test_a_client_that_thinks_of_new_names_for_ever_fills_no_memory(salesforce: FakeSalesforce):
    kind = salesforce.org.kinds["Lead"]
    plans = salesforce.org.plans(kind, creating=True)
    for names in itertools.islice(itertools.permutations(["LastName", "Company", "City", "Nope", "Fax", "Title"]), 600):
        assert plans[names].required == ("LastName", "Company")
        assert len(plans) <= MOST


@pytest.mark.parametrize("value", [[], [1], {"a": 1}])
def test_a_parent_that_is_named_by_no_plain_value_is_not_found(api: httpx.Client, value: Any):
    record = {**lead(), "attributes": {"type": "Contact"}, "Account": {"Ext_Id__c": value}}
    del record["Company"]
    element = api.post("/composite/sobjects", json={"records": [record]}).json()[0]
    assert element["errors"][0]["statusCode"] == "INVALID_FIELD"


def test_a_collection_answers_alike_alone_and_as_a_part_of_a_composite_call(
    salesforce: FakeSalesforce, api: httpx.Client
):
    records = [{"Ext_Id__c": "1", "LastName": "Sato", "Company": "Acme"}, {"Ext_Id__c": 'a"\\é山'}, {}]
    body = {"records": [{"attributes": {"type": "Lead"}, **record} for record in records]}
    salesforce.put("Lead", LastName="Abe", Company="Acme", Ext_Id__c="1")
    alone = api.patch("/composite/sobjects/Lead/Ext_Id__c", json=body)
    url = "/services/data/v67.0/composite/sobjects/Lead/Ext_Id__c"
    part = {"method": "PATCH", "url": url, "referenceId": "r", "body": body}
    inside = api.post("/composite", json={"compositeRequest": [part]}).json()["compositeResponse"][0]["body"]
    assert [one["success"] for one in alone.json()] == [True, False, False]
    assert alone.json() == inside
    assert alone.text == json.dumps(inside, ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ('{"LastName": "山😀", "Company": "A"}'.encode(), 201),
        ('{"LastName": "山😀", "Company": "A"}'.encode("utf-16"), 201),
        (b'{"LastName": "\\ud83d\\ude00", "Company": "A"}', 201),
        (b'{"LastName": "\\ud83d", "Company": "A"}', 400),
        (b'{"LastName": "\\uDE00", "Company": "A"}', 400),
        ('{"LastName": "\\ud83d", "Company": "A"}'.encode("utf-16"), 400),
        (b'{"LastName": "\xed\xa0\xbd", "Company": "A"}', 400),
        (b'{"LastName": "\xff", "Company": "A"}', 400),
    ],
)
def test_a_body_with_half_a_character_is_refused_however_it_is_written(
    salesforce: FakeSalesforce, api: httpx.Client, content: bytes, status: int
):
    answer = api.post("/sobjects/Lead", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == status, answer.text
    assert len(salesforce.rows("Lead")) == (status == 201)


def test_the_ledger_tells_what_each_write_replaced_although_the_record_moved_on(
    salesforce: FakeSalesforce, api: httpx.Client
):
    id = salesforce.put("Lead", LastName="Abe", Company="Acme", Title="one")
    for title in ("two", None, "three"):
        assert api.patch(f"/sobjects/Lead/{id}", json={"Title": title}).status_code == 204
    assert api.delete(f"/sobjects/Lead/{id}").status_code == 204
    *updates, deletion = salesforce.ledger
    assert [(write.values, write.before) for write in updates] == [
        ({"Title": "two"}, {"Title": "one"}),
        ({"Title": None}, {"Title": "two"}),
        ({"Title": "three"}, {"Title": None}),
    ]
    assert (deletion.values, deletion.before["Title"], deletion.before["LastName"]) == ({}, "three", "Abe")


def test_a_call_that_is_rolled_back_leaves_no_trace_in_a_ledger_that_was_looked_at(
    salesforce: FakeSalesforce, api: httpx.Client
):
    id = salesforce.put("Lead", LastName="Abe", Company="Acme", Title="one")
    lead_of = {"attributes": {"type": "Lead"}}
    for title, others in (("two", []), ("three", [lead_of]), ("four", [])):
        records = [{**lead_of, "Id": id, "Title": title}, *others]
        answer = api.patch("/composite/sobjects", json={"allOrNone": True, "records": records})
        assert answer.json()[0]["success"] == (not others)
        assert [write.number for write in salesforce.ledger] == list(range(1, len(salesforce.ledger) + 1))
    assert [(write.values["Title"], write.before["Title"]) for write in salesforce.ledger] == [
        ("two", "one"),
        ("four", "two"),
    ]
    assert salesforce.rows("Lead")[0]["Title"] == "four"


def test_a_new_record_never_gets_an_id_that_was_arranged(salesforce: FakeSalesforce, api: httpx.Client):
    taken = [Minter("00Q")(number) for number in (1, 2, 4)]
    for id in taken:
        salesforce.place("Lead", {"LastName": "Abe", "Company": "Acme"}, id=id)
    made = [api.post("/sobjects/Lead", json={"LastName": "Sato", "Company": "Acme"}).json()["id"] for _ in range(3)]
    assert made == [Minter("00Q")(number) for number in (3, 5, 6)]


@given(st.lists(st.integers(0, 62**8 - 1), min_size=1, max_size=20))
def test_ids_are_the_same_in_whatever_order_they_are_made(numbers: list[int]):
    mint = Minter("00Q")
    for number in numbers:
        for near in (number, number // 3844 * 3844, number // 3844 * 3844 + 3843):
            id = mint(near)
            assert id == Minter("00Q")(near) == long_form(id[:15])


steps = st.lists(
    st.tuples(st.sampled_from(["insert", "update", "replace", "purge"]), st.integers(0, 5), st.sampled_from("aAbB")),
    max_size=30,
)


@given(steps)
def test_what_is_found_by_an_index_is_what_a_look_at_every_row_finds(steps: list[tuple[str, int, str]]):
    table, at = Table("book", [Field("title", indexed=True), Field("note")]), datetime(2026, 11, 21)
    for what, place, value in steps:
        rows = list(table.rows())
        row = rows[place % len(rows)] if rows else None
        if what == "insert" or row is None:
            table.insert({"title": value, "note": value}, at=at)
        elif what == "update":
            before = dict(row.values)
            assert table.update(row, {"title": value}, at=at) == {"title": before.get("title")}
        elif what == "replace":
            held, before = row.values, dict(row.values)
            assert table.replace(row, {"title": value} if place else {"note": value}, at=at) is held
            assert held == before
        else:
            table.purge(row)
        for key in "ab":
            scanned = [row.id for row in table.rows() if (row.values.get("title") or "").lower() == key]
            assert sorted(row.id for row in table.find("title", key)) == sorted(scanned)
