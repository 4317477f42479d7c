"""Bulk API 2.0 (spec keys bulk2-jobinfo, bulk2-close, bulk2-results, bulk2-queries, bulk2-schema)."""

import csv
import io
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.testing.fakes.salesforce import FakeSalesforce
from crmbridge.testing.fakes.salesforce.sheets import DELIMITERS, ENDINGS, read, written

HOST = "https://acme.my.salesforce.com"


def ingest(api: httpx.Client, operation: str, text: str, **more: str) -> tuple[str, Any]:
    job = api.post("/jobs/ingest", json={"object": "Lead", "operation": operation, "contentType": "CSV", **more}).json()
    uploaded = api.put(f"{HOST}/{job['contentUrl']}", content=text.encode(), headers={"Content-Type": "text/csv"})
    assert (uploaded.status_code, uploaded.content) == (201, b"")
    closed = api.patch(f"/jobs/ingest/{job['id']}", json={"state": "UploadComplete"})
    assert closed.json()["state"] == "UploadComplete"
    return job["id"], api.get(f"/jobs/ingest/{job['id']}").json()


def rows(answer: httpx.Response, delimiter: str = ",") -> list[dict[str, str]]:
    assert answer.headers["content-type"] == "text/csv"
    return list(csv.DictReader(io.StringIO(answer.text), delimiter=delimiter))


def test_an_insert_job_answers_good_and_bad_rows_apart(salesforce: FakeSalesforce, api: httpx.Client):
    id, job = ingest(api, "insert", 'LastName,Company,Ext_Id__c\n"Sa,to",Acme,1\n,Acme,2\nIto,"A\nB",3\n')
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"], job["jobType"]) == (
        "JobComplete",
        3,
        1,
        "V2Ingest",
    )
    good = {row["Ext_Id__c"]: row for row in rows(api.get(f"/jobs/ingest/{id}/successfulResults/"))}
    assert {key: row["sf__Created"] for key, row in good.items()} == {"1": "true", "3": "true"}
    assert good["1"]["sf__Id"] == salesforce.rows("Lead")[0]["Id"]
    bad = rows(api.get(f"/jobs/ingest/{id}/failedResults"))
    assert bad[0]["sf__Error"] == "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --"
    assert api.get(f"/jobs/ingest/{id}/unprocessedrecords").text.count("\n") == 1
    assert api.delete(f"/jobs/ingest/{id}").status_code == 204
    assert api.get(f"/jobs/ingest/{id}").status_code == 404


def test_an_upsert_job_leaves_empty_cells_alone_and_clears_marked_ones(salesforce: FakeSalesforce, api: httpx.Client):
    salesforce.put("Lead", LastName="Old", Company="A", Ext_Id__c="1", Title="CEO", Phone="1")
    _, job = ingest(
        api,
        "upsert",
        "Ext_Id__c;Phone;Title\r\n1;;#N/A\r\n",
        externalIdFieldName="ext_id__c",
        columnDelimiter="SEMICOLON",
        lineEnding="CRLF",
    )
    assert job["numberRecordsFailed"] == 0
    row = salesforce.rows("Lead")[0]
    assert (row["Phone"], row["Title"]) == ("1", None)


def test_update_and_delete_jobs_go_by_id_and_parents_by_external_id(salesforce: FakeSalesforce, api: httpx.Client):
    account = salesforce.put("Account", Name="Acme", Ext_Id__c="A1")
    _, job = ingest(api, "insert", "LastName,Account.Ext_Id__c\nSato,A1\n", object="Contact")
    assert (job["numberRecordsFailed"], salesforce.rows("Contact")[0]["AccountId"]) == (0, account)
    id = salesforce.put("Lead", LastName="Old", Company="A")
    ingest(api, "update", f"Id,Title\n{id},CEO\nnonsense,x\n")
    assert salesforce.rows("Lead")[0]["Title"] == "CEO"
    _, job = ingest(api, "delete", f"Id\n{id}\n")
    assert (salesforce.rows("Lead"), job["numberRecordsFailed"]) == ([], 0)


def test_a_job_is_done_only_after_its_delay(salesforce: FakeSalesforce, api: httpx.Client, clock: Any):
    salesforce.jobs.delay = timedelta(seconds=30)
    id, job = ingest(api, "insert", "LastName,Company\nSato,Acme\n")
    assert job["state"] == "UploadComplete"
    assert api.get(f"/jobs/ingest/{id}/successfulResults").status_code == 400
    clock.pass_(seconds=31)
    assert api.get(f"/jobs/ingest/{id}").json()["state"] == "JobComplete"


def test_results_come_in_another_order_than_the_upload(api: httpx.Client):
    text = "LastName,Company\n" + "".join(f"{number},x\n" for number in range(50))
    id, _ = ingest(api, "insert", text)
    names = [row["LastName"] for row in rows(api.get(f"/jobs/ingest/{id}/successfulResults"))]
    assert sorted(names, key=int) == [str(number) for number in range(50)] != names


def test_an_aborted_job_gives_its_rows_back(salesforce: FakeSalesforce, api: httpx.Client):
    job = api.post("/jobs/ingest", json={"object": "Lead", "operation": "insert"}).json()
    api.put(f"/jobs/ingest/{job['id']}/batches", content=b"LastName\nSato\n")
    assert api.put(f"/jobs/ingest/{job['id']}/batches", content=b"x").status_code == 400
    assert api.patch(f"/jobs/ingest/{job['id']}", json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert salesforce.ledger == ()


def test_a_query_job_gives_its_rows_in_pages(salesforce: FakeSalesforce, api: httpx.Client):
    for number in range(3):
        salesforce.put("Lead", LastName=f"L{number}", Company="x")
    job = api.post(
        "/jobs/query", json={"operation": "query", "query": "SELECT LastName, Title, Owner.Name FROM Lead"}
    ).json()
    assert (job["state"], api.get(f"/jobs/query/{job['id']}").json()["state"]) == ("UploadComplete", "JobComplete")
    first = api.get(f"/jobs/query/{job['id']}/results", params={"maxRecords": 2})
    assert (first.headers["sforce-locator"], first.headers["sforce-numberofrecords"]) == ("2", "2")
    rest = api.get(f"/jobs/query/{job['id']}/results", params={"maxRecords": 2, "locator": "2"})
    assert rest.headers["sforce-locator"] == "null"
    assert rows(rest) == [{"LastName": "L2", "Title": "", "Owner.Name": "Connector"}]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"operation": "magic", "object": "Lead"}, 400),
        ({"operation": "insert", "object": "Nothing"}, 404),
        ({"operation": "upsert", "object": "Lead", "externalIdFieldName": "City"}, 404),
        ({"operation": "insert", "object": "Lead", "columnDelimiter": "DOT"}, 400),
        ({"operation": "insert", "object": "Lead", "contentType": "JSON"}, 400),
    ],
)
def test_a_job_that_makes_no_sense_is_refused(api: httpx.Client, body: dict[str, str], status: int):
    assert api.post("/jobs/ingest", json=body).status_code == status


def test_an_upload_that_is_no_csv_fails_the_job(api: httpx.Client):
    _, job = ingest(api, "insert", 'LastName\n"never closed\n')
    assert (job["state"], "InvalidBatch" in job["errorMessage"]) == ("Failed", True)


def queried(api: httpx.Client, query: str) -> list[list[str]]:
    job = api.post("/jobs/query", json={"operation": "query", "query": query}).json()
    assert api.get(f"/jobs/query/{job['id']}").json()["state"] == "JobComplete"
    return list(csv.reader(io.StringIO(api.get(f"/jobs/query/{job['id']}/results").text)))


@pytest.mark.parametrize("order", ["ASC", "DESC"])
def test_the_columns_of_a_query_job_are_those_of_its_query_whichever_row_is_first(
    salesforce: FakeSalesforce, api: httpx.Client, order: str
):
    salesforce.put("Contact", LastName="1")
    salesforce.put("Contact", LastName="2", AccountId=salesforce.put("Account", Name="Acme"))
    header, *found = queried(
        api, f"SELECT LastName, account.name, Account.Owner.Name, ReportsToId FROM Contact ORDER BY LastName {order}"
    )
    assert header == ["LastName", "Account.Name", "Account.Owner.Name", "ReportsToId"]
    assert sorted(found) == [["1", "", "", ""], ["2", "Acme", "Connector", ""]]


def test_a_query_job_that_finds_nothing_gives_its_header(api: httpx.Client):
    assert queried(api, "SELECT LastName, Owner.Name FROM Lead") == [["LastName", "Owner.Name"]]
    [header] = queried(api, "SELECT LastName, FIELDS(CUSTOM) FROM Lead LIMIT 200")
    assert header[0] == "LastName"
    assert len(header) > 1
    assert all(name.endswith("__c") for name in header[1:])


@pytest.mark.parametrize(
    "query",
    [
        "SELECT Id FROM Lead OFFSET 1",
        "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
        "SELECT COUNT() FROM Lead",
        "SELECT City FROM Lead GROUP BY City",
    ],
)
def test_a_query_job_refuses_what_the_vendor_does_not_do_in_bulk(api: httpx.Client, query: str):
    refused = api.post("/jobs/query", json={"operation": "query", "query": query})
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "FEATURENOTENABLED")


LINES = "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is"


@pytest.mark.parametrize(
    ("text", "ending", "message"),
    [
        ("LastName,Company,Nope\na,b,c\n", "LF", "InvalidBatch : Field name not found : Nope"),
        ("LastName,Company,\na,b,\n", "LF", "InvalidBatch : Field name not found : "),
        ("LastName,Company,Owner.Nope\na,b,c\n", "LF", "InvalidBatch : Field name not found : Owner.Nope"),
        ("LastName,Company,No.Name\na,b,c\n", "LF", "InvalidBatch : Field name not found : No.Name"),
        ("LastName,Company\r\na,b\r\n", "LF", f"{LINES} LF"),
        ("LastName,Company\na,b\r\n", "LF", f"{LINES} LF"),
        ("LastName,Company\na,b\n", "CRLF", f"{LINES} CRLF"),
        ('"LastName","Company"\r\n"a","b"\n', "CRLF", f"{LINES} CRLF"),
        ("LastName,Company\na,b\0\n", "LF", "InvalidBatch : the CSV cannot be read"),
        ('LastName,Company\na,"b" c\n', "LF", "InvalidBatch : the CSV cannot be read"),
        ("LastName,Company\na,b\nc,d,e\n", "LF", "InvalidBatch : a row has more cells than the header has names"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_fails_the_job_before_its_first_row(
    salesforce: FakeSalesforce, api: httpx.Client, text: str, ending: str, message: str
):
    _, job = ingest(api, "insert", text, lineEnding=ending)
    assert (job["state"], job["errorMessage"]) == ("Failed", message)
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (0, 0)
    assert salesforce.ledger == ()


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0") | st.sampled_from('",;|^`\t\r\n'))


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3)), st.sampled_from([*DELIMITERS]), st.sampled_from([*ENDINGS]))
def test_a_table_is_read_as_it_was_written(cells: list[list[str]], delimiter: str, ending: str):
    header = ["Id", "Owner.Name", "Description"]
    table = [dict(zip(header, row, strict=True)) for row in cells]
    assert read(written(header, table, delimiter, ending).encode(), delimiter, ending) == (header, table)


def test_the_rows_of_a_job_that_failed_for_its_header_are_unprocessed(api: httpx.Client):
    id, _ = ingest(api, "insert", "LastName,Nope\na,b\n")
    assert rows(api.get(f"/jobs/ingest/{id}/unprocessedrecords")) == [{"LastName": "a", "Nope": "b"}]
    assert rows(api.get(f"/jobs/ingest/{id}/failedResults")) == []


@pytest.mark.parametrize(("ending", "within"), [("\n", "\r\n"), ("\r\n", "\n"), ("\n", "\r")])
def test_a_line_break_within_quotes_is_part_of_its_cell(
    salesforce: FakeSalesforce, api: httpx.Client, ending: str, within: str
):
    text = ending.join(["LastName;Company", f'Sato;"one ""two"";{within}""three"""', ""])
    _, job = ingest(
        api,
        "insert",
        text,
        columnDelimiter="SEMICOLON",
        lineEnding={"\n": "LF", "\r\n": "CRLF"}[ending],
    )
    assert (job["state"], job["numberRecordsFailed"]) == ("JobComplete", 0)
    assert [row["Company"] for row in salesforce.rows("Lead")] == [f'one "two";{within}"three"']


@pytest.mark.parametrize(
    ("operation", "more", "error"),
    [
        ("insert", {}, "INVALID_FIELD_FOR_INSERT_UPDATE:cannot specify Id in an insert call:Id --"),
        (
            "upsert",
            {"externalIdFieldName": "Ext_Id__c"},
            "INVALID_FIELD:The Id field should not be specified in the sobject data.:Id --",
        ),
    ],
)
def test_a_row_with_an_id_makes_no_second_record(
    salesforce: FakeSalesforce, api: httpx.Client, operation: str, more: dict[str, str], error: str
):
    held = salesforce.put("Lead", LastName="there", Company="c")
    text = f"id,LastName,Company,Ext_Id__c\n{held},there,c,1\n,Ito,c,2\n"
    id, job = ingest(api, operation, text, **more)
    assert job["numberRecordsFailed"] == 1
    assert rows(api.get(f"/jobs/ingest/{id}/failedResults"))[0]["sf__Error"] == error
    assert [row["LastName"] for row in salesforce.rows("Lead")] == ["there", "Ito"]
