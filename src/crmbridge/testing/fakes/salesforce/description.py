"""What the fake serves, as OpenAPI 3.1: resources and forms of the REST guide, fields of the org as it is now."""

from collections.abc import Iterable
from typing import Any

from crmbridge.testing.fakes.salesforce.bulk import OPERATIONS
from crmbridge.testing.fakes.salesforce.kinds import Kind
from crmbridge.testing.fakes.salesforce.sheets import DELIMITERS, ENDINGS
from crmbridge.testing.openapi import (
    ANYTHING,
    FLAG,
    FORM,
    TEXT,
    WHOLE,
    Schema,
    answer,
    body,
    document,
    exactly,
    listed,
    maybe,
    operation,
    parameter,
    record,
    ref,
    value,
)

ABOUT = (
    "What crmbridge's fake of Salesforce serves, and nothing else: a part of the vendor's REST API, Bulk API 2.0, the "
    "OAuth endpoints and the SOAP login. Objects and fields are those of the fake at this moment."
)
JSON = "application/json"
ID: Schema = {"type": "string", "pattern": "^[a-zA-Z0-9]{15}([a-zA-Z0-9]{3})?$"}
STAMP: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+0000$"}
VERSION: Schema = {"type": "string", "pattern": r"^v\d\d\.0$", "default": "v67.0"}
BASE = "/services/data/{version}"


def described(kinds: Iterable[Kind], server: str) -> dict[str, Any]:
    """Describe the org's API."""
    known = list(kinds)
    paths = {**_doors(), **_reading(), **_rows(known), **_collections(known), **_jobs()}
    for path, held in paths.items():
        if "{version}" in path:
            held["parameters"] = [parameter("version", VERSION, where="path"), *held.get("parameters", ())]
    security = {"session": {"type": "http", "scheme": "bearer"}}
    return document("Salesforce (fake)", ABOUT, paths, _schemas(known), server=server, security=security)


# ---- schemas ------------------------------------------------------------------------------


def _schemas(kinds: list[Kind]) -> dict[str, Schema]:
    attributes = record({"type": TEXT, "url": TEXT}, needed=["type"])
    element = record({"statusCode": TEXT, "message": TEXT, "fields": listed(TEXT)})
    done = record(
        {"id": ID, "success": FLAG, "errors": listed(ref("ElementError")), "created": FLAG},
        needed=["success", "errors"],
    )
    shared = {
        "Attributes": attributes,
        "Error": record(
            {"message": TEXT, "errorCode": TEXT, "fields": listed(TEXT), "duplicateResult": ANYTHING},
            needed=["message", "errorCode"],
        ),
        "Errors": listed(ref("Error")),
        "ElementError": element,
        "Outcome": done,
        "OAuthError": record({"error": TEXT, "error_description": TEXT}),
        "Record": {"anyOf": [ref(kind.name) for kind in kinds]},
        "Page": record(
            {"totalSize": WHOLE, "done": FLAG, "nextRecordsUrl": TEXT, "records": listed(ref("Shown"))},
            needed=["totalSize", "done", "records"],
        ),
        # The fields that were asked for, those of parents nested, or the columns of an aggregate.
        "Shown": record({"attributes": attributes}, more=True),
        "Identity": record(dict.fromkeys(("user_id", "organization_id", "username"), TEXT), more=True),
        "Job": record({"id": ID, "operation": TEXT, "object": TEXT, "state": TEXT}, more=True),
        "Field": record({"name": TEXT, "type": TEXT, "label": TEXT, "length": WHOLE, "nillable": FLAG}, more=True),
        "Description": record(
            {"name": TEXT, "keyPrefix": TEXT, "fields": listed(ref("Field")), "urls": ANYTHING}, more=True
        ),
    }
    for kind in kinds:
        shared |= {kind.name: _shown(kind), f"{kind.name}.create": _sent(kind, new=True)}
        shared |= {f"{kind.name}.update": _sent(kind, new=False)}
    return shared


def _shown(kind: Kind) -> Schema:
    stored = {name: maybe(STAMP if field.type == "datetime" else value(field)) for name, field in _fields(kind)}
    for name, field in _fields(kind):
        if field.references:
            stored[name] = maybe(ID)
        elif field.type in ("boolean", "picklist"):
            # A boolean is never null; a choice may be one that was there before the list was restricted.
            stored[name] = FLAG if field.type == "boolean" else maybe(TEXT)
    return record({"attributes": ref("Attributes"), "Id": ID, **stored}, needed=["attributes", "Id"])


def _sent(kind: Kind, *, new: bool) -> Schema:
    members = {
        name: maybe(ID if field.references else value(field))
        for name, field in _fields(kind)
        if (field.createable if new else field.updateable)
    }
    needed = [name for name in kind.required if name in members and kind.defaults.get(name) is None] if new else []
    for name in needed:
        members[name] = {"minLength": 1, **members[name]["anyOf"][0]}
    return record({"attributes": ref("Attributes"), **members}, needed=needed)


def _fields(kind: Kind) -> Iterable[tuple[str, Any]]:
    return kind.table.fields.items()


# ---- resources ------------------------------------------------------------------------------

_REFUSED = {"4XX": answer("Refused in the vendor's words.", ref("Errors"))}
_OAUTH = {"4XX": answer("Refused in the words of OAuth.", ref("OAuthError"))}


def _doors() -> dict[str, dict[str, Any]]:
    token = record(
        dict.fromkeys(("access_token", "instance_url", "id", "token_type", "issued_at", "signature"), TEXT),
        more=True,
    )
    names = ("grant_type", "client_id", "client_secret", "username", "password", "refresh_token", "assertion")
    of_code = ("code", "redirect_uri", "code_verifier")
    form = record(dict.fromkeys((*names, *of_code), TEXT), needed=["grant_type"])
    asked = body(record({"token": TEXT}), FORM, needed=False)
    looked_at = body(record(dict.fromkeys(("token", "client_id", "client_secret"), TEXT), needed=["token"]), FORM)
    active = record({"active": FLAG}, more=True)
    told = {
        "200": answer("The session is gone."),
        "4XX": answer("Refused in the words of OAuth.", record({"error": TEXT, "error_description": TEXT}), FORM),
    }
    back = {
        "302": answer("Back to the client, with a code or a refusal.", TEXT, "text/html", Location=TEXT),
        "4XX": answer("Refused in the words of OAuth.", TEXT, "text/html"),
    }
    needed, more = ("response_type", "client_id", "redirect_uri"), ("state", "code_challenge")
    asking = [*(parameter(name, needed=True) for name in needed), *(parameter(name) for name in more)]
    asked_by_form = body(record(dict.fromkeys((*needed, *more), TEXT), needed=needed), FORM)
    who = {"200": answer("Who the user of the session is.", ref("Identity"))}
    plain = {"403": answer("A word that says what is wrong.", TEXT, "text/html")}
    paths: dict[str, dict[str, Any]] = {
        "/services/data": {"get": _open("versions", "List the versions of the API.", listed(record({}, more=True)))},
        "/services/oauth2/authorize": {
            "get": operation("authorize", "Let the user agree, who does at once.", back, *asking, open=True),
            "post": operation("authorizeByForm", "Let the user agree.", back, sends=asked_by_form, open=True),
        },
        "/services/oauth2/token": {
            "post": operation(
                "token",
                "Open a session.",
                {"200": answer("A session.", token), **_OAUTH},
                sends=body(form, FORM),
                open=True,
            )
        },
        "/services/oauth2/introspect": {
            "post": operation(
                "introspect",
                "Ask for a token.",
                {"200": answer("What it is.", active), **_OAUTH},
                sends=looked_at,
                open=True,
            )
        },
        "/services/oauth2/revoke": {
            "get": operation("revoke", "End a session.", told, parameter("token"), open=True),
            "post": operation("revokeByForm", "End a session.", told, sends=asked, open=True),
        },
        "/services/oauth2/userinfo": {
            "get": operation("userInfo", "Show the user of the session.", {**who, **plain}),
            "post": operation("userInfoByPost", "Show the user of the session.", {**who, **plain}),
        },
        "/id/{organization}/{user}": {
            "parameters": [parameter("organization", ID, where="path"), parameter("user", ID, where="path")],
            "get": operation("identity", "Show a user.", {**who, **plain, **_REFUSED}),
            "post": operation("identityByPost", "Show a user.", {**who, **plain, **_REFUSED}),
        },
    }
    fault = {status: answer("An envelope.", TEXT, "text/xml") for status in ("200", "500")}
    soap = operation("soap", "Log in or out.", fault, sends=body(TEXT, "text/xml"), open=True)
    for path, names_of_path in (("{version}", ("version",)), ("{version}/{organization}", ("version", "organization"))):
        for api in ("u", "c"):
            numbered = operation(f"soap.{api}.{len(names_of_path)}", soap["summary"], fault, open=True)
            numbered["requestBody"] = soap["requestBody"]
            parameters = [parameter(name, TEXT, where="path") for name in names_of_path]
            paths[f"/services/Soap/{api}/{path}"] = {"parameters": parameters, "post": numbered}
    return paths


def _reading() -> dict[str, dict[str, Any]]:
    page = {"200": answer("A page of records.", ref("Page")), **_REFUSED}
    soql = parameter("q", TEXT, needed=True)
    resources: dict[str, dict[str, Any]] = {
        "": {"get": _get("resources", "List the resources.", record({}, more=True))},
        "/limits": {"get": _get("limits", "Show what is left of the limits.", record({}, more=True))},
        "/search": {
            "get": operation(
                "search",
                "Search by SOSL.",
                {"200": answer("What was found.", record({"searchRecords": listed(ref("Shown"))})), **_REFUSED},
                soql,
            )
        },
    }
    for name in ("query", "queryAll"):
        resources[f"/{name}"] = {"get": operation(name, "Run SOQL.", page, soql)}
        resources[f"/{name}/{{locator}}"] = {
            "parameters": [parameter("locator", {"type": "string", "pattern": r"^\w{18}-\d{1,9}$"}, where="path")],
            "get": operation(f"{name}.more", "Give the next page.", page),
        }
    return {BASE + path: held for path, held in resources.items()}


def _rows(kinds: list[Kind]) -> dict[str, dict[str, Any]]:
    objects = parameter("object", exactly(*(kind.name for kind in kinds)), where="path")
    id, fields = parameter("id", ID, where="path"), parameter("fields")
    keys = sorted({field.name for kind in kinds for field in kind.table.fields.values() if kind.looks_up(field)})
    shown, gone = answer("The record.", ref("Record")), answer("It is done.")
    created = answer("It is there.", ref("Outcome"), Location=TEXT)
    anew, changed = (body({"anyOf": [ref(f"{kind.name}.{how}") for kind in kinds]}) for how in ("create", "update"))
    several = answer("The addresses of several records.", listed(TEXT))
    window = (parameter("start", TEXT, needed=True), parameter("end", TEXT, needed=True))
    updated = record({"ids": listed(ID), "latestDateCovered": STAMP})
    deleted = record(
        {
            "deletedRecords": listed(record({"id": ID, "deletedDate": STAMP})),
            "earliestDateAvailable": STAMP,
            "latestDateCovered": STAMP,
        }
    )
    root = f"{BASE}/sobjects"
    external: dict[str, Any] = {
        "get": operation("external.read", "Read a record.", {"200": shown, "300": several, **_REFUSED}, fields),
        "delete": operation("external.delete", "Delete a record.", {"204": gone, "300": several, **_REFUSED}),
    }
    upserted = {
        "200": answer("It is changed.", ref("Outcome")),
        "201": created,
        "204": gone,
        "300": several,
        **_REFUSED,
    }
    for method, name in (("patch", "upsert"), ("post", "upsertByPost")):
        only = parameter("updateOnly", FLAG)
        external[method] = operation(name, "Change or create a record.", upserted, only, sends=changed)
    return {
        root: {"get": _get("objects", "List the objects.", record({"sobjects": listed(ANYTHING)}, more=True))},
        f"{root}/{{object}}": {
            "parameters": [objects],
            "get": _get("object", "Show an object and its newest records.", record({}, more=True)),
            "post": operation("create", "Create a record.", {"201": created, **_REFUSED}, sends=anew),
        },
        f"{root}/{{object}}/describe": {
            "parameters": [objects],
            "get": operation(
                "describe",
                "Show the fields of an object.",
                {"200": answer("As asked.", ref("Description")), "304": answer("They have not changed."), **_REFUSED},
                parameter("If-Modified-Since", TEXT, where="header"),
            ),
        },
        f"{root}/{{object}}/updated": {
            "parameters": [objects],
            "get": operation("updated", "Name what changed.", {"200": answer("Ids.", updated), **_REFUSED}, *window),
        },
        f"{root}/{{object}}/deleted": {
            "parameters": [objects],
            "get": operation(
                "deleted", "Name what was deleted.", {"200": answer("Ids.", deleted), **_REFUSED}, *window
            ),
        },
        f"{root}/{{object}}/{{id}}": {
            "parameters": [objects, id],
            "get": operation("read", "Read a record.", {"200": shown, **_REFUSED}, fields),
            "patch": operation("update", "Change a record.", {"204": gone, **_REFUSED}, sends=changed),
            "delete": operation("delete", "Put a record into the bin.", {"204": gone, **_REFUSED}),
        },
        f"{root}/{{object}}/{{field}}/{{value}}": {
            "parameters": [objects, parameter("field", exactly(*keys), where="path"), parameter("value", where="path")],
            **external,
        },
    }


def _collections(kinds: list[Kind]) -> dict[str, dict[str, Any]]:
    objects = parameter("object", exactly(*(kind.name for kind in kinds)), where="path")
    outcomes = {"200": answer("An outcome for each record.", listed(ref("Outcome"))), **_REFUSED}
    found = {"200": answer("Records, or null.", listed(maybe(ref("Record")))), **_REFUSED}

    def many(how: str) -> dict[str, Any]:
        one = [ref(f"{kind.name}.{how}") for kind in kinds]
        more = record({"attributes": ref("Attributes"), "Id": ID}, needed=["attributes"], more=True)
        held = {"allOf": [{"anyOf": one}, more]} if how == "create" else more
        return body(record({"allOrNone": FLAG, "records": listed(held, most=200)}, needed=["records"]))

    method = exactly("GET", "POST", "PATCH", "DELETE")
    name: Schema = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_]*$"}
    part = record(
        {"method": method, "url": TEXT, "referenceId": name, "body": ANYTHING}, needed=["method", "url", "referenceId"]
    )
    batched = record({"method": method, "url": TEXT, "richInput": ANYTHING}, needed=["method", "url"])
    result = record(
        {"body": ANYTHING, "httpHeaders": record({}, more=True), "httpStatusCode": WHOLE, "referenceId": ANYTHING}
    )
    root = f"{BASE}/composite"
    ids = record({"ids": listed(ID), "fields": listed(TEXT)})
    return {
        root: {
            "post": operation(
                "composite",
                "Do several calls in one.",
                {"200": answer("An answer for each.", record({"compositeResponse": listed(result)})), **_REFUSED},
                sends=body(
                    record({"allOrNone": FLAG, "compositeRequest": listed(part, most=25)}, needed=["compositeRequest"])
                ),
            )
        },
        f"{root}/batch": {
            "post": operation(
                "batch",
                "Do several calls that know nothing of each other.",
                {
                    "200": answer(
                        "A result for each.",
                        record(
                            {"hasErrors": FLAG, "results": listed(record({"statusCode": WHOLE, "result": ANYTHING}))}
                        ),
                    ),
                    **_REFUSED,
                },
                sends=body(
                    record({"haltOnError": FLAG, "batchRequests": listed(batched, most=25)}, needed=["batchRequests"])
                ),
            )
        },
        f"{root}/sobjects": {
            "post": operation("collection.create", "Create records.", outcomes, sends=many("create")),
            "patch": operation("collection.update", "Change records.", outcomes, sends=many("update")),
            "delete": operation(
                "collection.delete", "Delete records.", outcomes, parameter("ids"), parameter("allOrNone", FLAG)
            ),
        },
        f"{root}/sobjects/{{object}}": {
            "parameters": [objects],
            "get": operation("collection.read", "Read records.", found, parameter("ids"), parameter("fields")),
            "post": operation("collection.readByPost", "Read records.", found, sends=body(ids)),
        },
        f"{root}/sobjects/{{object}}/{{field}}": {
            "parameters": [objects, parameter("field", TEXT, where="path")],
            "patch": operation("collection.upsert", "Change or create records.", outcomes, sends=many("update")),
        },
    }


def _jobs() -> dict[str, dict[str, Any]]:
    one = parameter("id", ID, where="path")
    job, gone = answer("The job.", ref("Job")), answer("It is done.")
    table = {"200": answer("Rows.", TEXT, "text/csv"), **_REFUSED}
    form = {"columnDelimiter": exactly(*DELIMITERS), "lineEnding": exactly(*ENDINGS), "contentType": exactly("CSV")}
    listing = record({"done": FLAG, "records": listed(ref("Job")), "nextRecordsUrl": maybe(TEXT)})
    ingest = record(
        {"operation": exactly(*sorted(OPERATIONS)), "object": TEXT, "externalIdFieldName": TEXT, **form},
        needed=["operation", "object"],
    )
    query = record({"operation": exactly("query", "queryAll"), "query": TEXT, **form}, needed=["operation", "query"])
    paths: dict[str, dict[str, Any]] = {}
    for kind, sent in (("ingest", ingest), ("query", query)):
        root = f"{BASE}/jobs/{kind}"
        state = record({"state": exactly("UploadComplete", "Aborted")})
        paths[root] = {
            "get": _get(f"{kind}.jobs", "List the jobs.", listing),
            "post": operation(f"{kind}.open", "Open a job.", {"200": job, **_REFUSED}, sends=body(sent)),
        }
        paths[f"{root}/{{id}}"] = {
            "parameters": [one],
            "get": operation(f"{kind}.job", "Show how far a job is.", {"200": job, **_REFUSED}),
            "patch": operation(f"{kind}.set", "Close or abort a job.", {"200": job, **_REFUSED}, sends=body(state)),
            "delete": operation(f"{kind}.delete", "Forget a job.", {"204": gone, **_REFUSED}),
        }
    root = f"{BASE}/jobs/ingest/{{id}}"
    upload = operation("ingest.upload", "Upload rows.", {"201": gone, **_REFUSED}, sends=body(TEXT, "text/csv"))
    paths[f"{root}/batches"] = {"parameters": [one], "put": upload}
    for part in ("successfulResults", "failedResults", "unprocessedrecords"):
        paths[f"{root}/{part}"] = {"parameters": [one], "get": operation(f"ingest.{part}", "Give rows.", table)}
    place, most = parameter("locator", TEXT), parameter("maxRecords", {**WHOLE, "minimum": 1, "maximum": 999_999_999})
    results = operation("query.results", "Give rows.", table, place, most)
    paths[f"{BASE}/jobs/query/{{id}}/results"] = {"parameters": [one], "get": results}
    return paths


def _get(name: str, about: str, schema: Schema) -> dict[str, Any]:
    return operation(name, about, {"200": answer("As asked.", schema), **_REFUSED})


def _open(name: str, about: str, schema: Schema) -> dict[str, Any]:
    return operation(name, about, {"200": answer("As asked.", schema)}, open=True)
