"""Bulk API 2.0: jobs that take or give CSV (Bulk API 2.0 guide, "Ingest", "Query")."""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import attrs

from crmbridge.testing.fakes.salesforce import errors, loading, records, sheets
from crmbridge.testing.fakes.salesforce.desk import Call, Desk, Reply, unpacked
from crmbridge.testing.fakes.salesforce.errors import Refused
from crmbridge.testing.fakes.salesforce.ids import Minter
from crmbridge.testing.fakes.salesforce.sheets import Cells
from crmbridge.testing.fakes.salesforce.soql import Query, parse
from crmbridge.testing.fakes.salesforce.values import stamp

OPERATIONS = frozenset({"insert", "update", "upsert", "delete", "hardDelete"})
INGEST_PARTS = frozenset({"batches", "successfulresults", "failedresults", "unprocessedrecords"})
PAGE = 50_000
CSV = {"Content-Type": "text/csv"}

_PLACE = re.compile(r"[0-9]{1,9}")


@attrs.define(eq=False)
class Job:
    """One job: what was asked for, how far it is, and what came of each row."""

    id: str
    ingest: bool
    info: dict[str, Any]
    due: datetime | None = None
    content: bytes | None = attrs.field(default=None, repr=False)
    header: list[str] = attrs.field(factory=list[str])
    good: list[Cells] = attrs.field(factory=list[Cells], repr=False)
    bad: list[Cells] = attrs.field(factory=list[Cells], repr=False)
    left: list[Cells] = attrs.field(factory=list[Cells], repr=False)


class Jobs:
    """All jobs of an org.

    One that was closed is done *delay* later by the fake's clock; its results come in shuffled order.
    """

    def __init__(self) -> None:
        self.delay = timedelta(0)
        self._jobs: dict[str, Job] = {}
        self._opened = 0
        self._mint = Minter("750")

    def answer(self, desk: Desk, call: Call) -> Reply:
        """Answer a call under `/jobs`."""
        call.ends(3)
        path = call.path
        if not path or path[0].lower() not in ("ingest", "query"):
            raise errors.not_found()
        ingest = path[0].lower() == "ingest"
        if len(path) == 1:
            call.only("GET", "POST")
            return self._new(desk, call, ingest=ingest) if call.method == "POST" else self._list(ingest=ingest)
        job = self._jobs.get(path[1])
        if job is None or job.ingest is not ingest:
            raise errors.not_found()
        self._advance(desk, call, job)
        if len(path) == 2:
            call.only("GET", "PATCH", "DELETE")
            return self._one(desk, call, job)
        return self._part(call, job, path[2].lower())

    def _list(self, *, ingest: bool) -> Reply:
        return Reply(
            200,
            {
                "done": True,
                "records": [job.info for job in self._jobs.values() if job.ingest is ingest],
                "nextRecordsUrl": None,
            },
        )

    def _new(self, desk: Desk, call: Call, *, ingest: bool) -> Reply:
        body = call.json()
        operation = _told(body, "operation")
        if operation not in (OPERATIONS if ingest else ("query", "queryAll")):
            raise Refused("INVALIDOPERATION", f"operation is not valid: {operation}")
        delimiter, ending = _told(body, "columnDelimiter", "COMMA"), _told(body, "lineEnding", "LF")
        if delimiter not in sheets.DELIMITERS or ending not in sheets.ENDINGS:
            raise Refused("INVALIDJOB", "columnDelimiter or lineEnding is not valid")
        if _told(body, "contentType", "CSV") != "CSV":
            raise Refused("INVALIDJOB", "contentType is not valid: CSV is the only one")
        now = desk.now()
        self._opened += 1
        id = self._mint(self._opened)
        info: dict[str, Any] = {
            "id": id,
            "operation": operation,
            "createdById": desk.user,
            "createdDate": stamp(now),
            "systemModstamp": stamp(now),
            "state": "Open" if ingest else "UploadComplete",
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(call.version),
            "lineEnding": ending,
            "columnDelimiter": delimiter,
        }
        job = Job(id, ingest, info)
        if ingest:
            kind = desk.org.kind(_told(body, "object"))
            info |= {"object": kind.name, "contentUrl": f"services/data/v{call.version}/jobs/ingest/{id}/batches"}
            if operation == "upsert":
                name = _told(body, "externalIdFieldName")
                info["externalIdFieldName"] = "Id" if name.lower() == "id" else records.external_field(kind, name).name
        else:
            query, deleted = _told(body, "query"), operation == "queryAll"
            _refuse_unsupported(parse(query))
            result = desk.reader.run(query, version=call.version, deleted=deleted, now=now)
            info["object"] = result.kind.name
            shown = result.page(0, result.size, desk.cursors.linking("", now))
            # The columns are those of the query: a record without a parent has no cells for the parent's fields.
            job.header, job.good = list(result.header), [sheets.flat(record) for record in shown]
            job.due = now + self.delay
        self._jobs[id] = job
        return Reply(200, dict(info))

    def _one(self, desk: Desk, call: Call, job: Job) -> Reply:
        if call.method == "DELETE":
            if job.info["state"] not in ("UploadComplete", "JobComplete", "Aborted", "Failed"):
                raise Refused("INVALIDJOBSTATE", f"a job that is {job.info['state']} cannot be deleted")
            del self._jobs[job.id]
            return Reply(204)
        if call.method == "PATCH":
            state = _told(call.json(), "state")
            if state == "UploadComplete" and job.ingest and job.info["state"] == "Open":
                job.info["state"], job.due = state, desk.now() + self.delay
            elif state == "Aborted" and job.info["state"] in ("Open", "UploadComplete"):
                job.info["state"], job.due = state, None
                with suppress(sheets.Unreadable):
                    job.header, job.left = _rows(job)
            else:
                raise Refused("INVALIDJOBSTATE", f"a job that is {job.info['state']} cannot become {state}")
            return Reply(200, dict(job.info))
        done = {"numberRecordsProcessed": len(job.good) + len(job.bad), "retries": 0, "totalProcessingTime": 0}
        if job.ingest:
            done |= {"numberRecordsFailed": len(job.bad), "apiActiveProcessingTime": 0, "apexProcessingTime": 0}
        return Reply(200, {**job.info, "jobType": "V2Ingest" if job.ingest else "V2Query", **done})

    def _part(self, call: Call, job: Job, part: str) -> Reply:
        if part not in (INGEST_PARTS if job.ingest else ("results",)):
            raise errors.not_found()
        if part == "batches":
            call.only("PUT")
            if job.info["state"] != "Open" or job.content is not None:
                raise Refused("INVALIDJOBSTATE", "a job takes one upload, while it is open")
            job.content = unpacked(call.content, call.headers)
            return Reply(201)
        call.only("GET")
        if job.info["state"] not in ("JobComplete", "Failed", "Aborted"):
            raise Refused("INVALIDJOBSTATE", f"a job that is {job.info['state']} has no results")
        if part == "results":
            return self._results(call, job)
        names = {
            "successfulresults": (["sf__Id", "sf__Created", *job.header], job.good),
            "failedresults": (["sf__Id", "sf__Error", *job.header], job.bad),
            "unprocessedrecords": (job.header, job.left),
        }
        header, rows = names[part]
        return Reply(200, text=_written(job, header, rows), headers=CSV)

    @staticmethod
    def _results(call: Call, job: Job) -> Reply:
        start, wish = call.params.get("locator", "0"), call.params.get("maxRecords", str(PAGE))
        if not _PLACE.fullmatch(start) or not _PLACE.fullmatch(wish) or int(wish) == 0:
            raise Refused("INVALIDJOB", "locator or maxRecords is not valid")
        stop = int(start) + int(wish)
        rows = job.good[int(start) : stop]
        locator = str(stop) if stop < len(job.good) else "null"
        headers = {**CSV, "Sforce-Locator": locator, "Sforce-NumberOfRecords": str(len(rows))}
        return Reply(200, text=_written(job, job.header, rows), headers=headers)

    def _advance(self, desk: Desk, call: Call, job: Job) -> None:
        if job.due is None or desk.now() < job.due:
            return
        job.due = None
        if job.ingest:
            self._process(desk, call, job)
        else:
            job.info["state"] = "JobComplete"

    @staticmethod
    def _process(desk: Desk, call: Call, job: Job) -> None:
        kind, act = desk.org.kind(job.info["object"]), desk.act(call)
        try:
            job.header, job.left = _rows(job)
            loading.check_header(desk.org, kind, job.header)
        except sheets.Unreadable as unreadable:
            # Vendor: what is wrong with the file as a whole fails the job before its first row is written.
            job.info |= {"state": "Failed", "errorMessage": unreadable.message}
            return
        rows, job.left = job.left, []
        for row in rows:
            try:
                id, created = loading.load(desk, kind, job.info, row, act)
                job.good.append({"sf__Id": id, "sf__Created": str(created).lower(), **row})
            except Refused as refused:
                text = f"{refused.code}:{refused.message}:{' '.join(refused.fields)} --"
                job.bad.append({"sf__Id": row.get("Id", ""), "sf__Error": text, **row})
        # Vendor: the order of results is not the order of the upload.
        desk.chance.shuffle(job.good)
        desk.chance.shuffle(job.bad)
        job.info["state"] = "JobComplete"


def _refuse_unsupported(query: Query) -> None:
    """Refuse what a query job does not do (Bulk API 2.0 guide, "Understanding Bulk API 2.0 Query")."""
    # Vendor: a table of rows has no place for rows within a row, nor for groups.
    if query.children or query.aggregated:
        raise Refused("FEATURENOTENABLED", "Aggregate Relationships not supported in Bulk Query")
    if query.offset:
        raise Refused("FEATURENOTENABLED", "OFFSET not supported in Bulk Query")


def _told(body: Mapping[str, Any], name: str, otherwise: str = "") -> str:
    """Give a word of a job's description; raises the vendor's refusal of what is no text."""
    value = body.get(name)
    if value is None:
        return otherwise
    if not isinstance(value, str):
        raise errors.not_json(f"{name} must be a text")
    return value


def _rows(job: Job) -> tuple[list[str], list[Cells]]:
    return sheets.read(job.content or b"", job.info["columnDelimiter"], job.info["lineEnding"])


def _written(job: Job, header: list[str], rows: list[Cells]) -> str:
    return sheets.written(header, rows, job.info["columnDelimiter"], job.info["lineEnding"])
