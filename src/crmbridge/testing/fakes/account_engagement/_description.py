"""What the fake serves, as OpenAPI 3.1: endpoints of API version 5, fields as the unit has them now."""

from typing import Any

from crmbridge.testing.fakes.account_engagement._kinds import KINDS, Kind
from crmbridge.testing.fakes.account_engagement._query import MOST
from crmbridge.testing.fakes.account_engagement._records import Unit, custom
from crmbridge.testing.fakes.account_engagement._routes import ROOT
from crmbridge.testing.openapi import (
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
from crmbridge.testing.tables import Field

ABOUT = (
    "What crmbridge's fake of Account Engagement serves, and nothing else: a part of the vendor's API version 5 and the "
    "sign-in of Salesforce. Fields are those of the fake at this moment; every read names those that it wants."
)
_FIELDS = parameter("fields", TEXT, needed=True)
_SHOWN = parameter("fields", TEXT)
_REFUSED = {"4XX": answer("Refused by the vendor's number.", ref("Error"))}
_ID = parameter("id", {"type": "integer", "minimum": 1}, where="path")


def described(unit: Unit, server: str) -> dict[str, Any]:
    """Describe the unit's API."""
    paths: dict[str, dict[str, Any]] = {"/services/oauth2/token": {"post": _token()}}
    account: dict[str, Schema] = dict.fromkeys(("company", "level"), TEXT)
    account |= dict.fromkeys(("id", "maximumDailyApiCalls", "apiCallsUsed"), WHOLE)
    schemas: dict[str, Schema] = {
        "Error": record({"code": WHOLE, "message": TEXT}),
        "OAuthError": record({"error": TEXT, "error_description": TEXT}),
        "account": record(account, needed=()),
    }
    seen = answer("As asked.", ref("account"))
    paths[f"{ROOT}account"] = {
        "get": operation("account.read", "Read the account.", {"200": seen, **_REFUSED}, _FIELDS)
    }
    for kind in KINDS:
        schemas |= _schemas(unit, kind)
        paths |= _paths(kind)
    paths |= _actions()
    security = {
        "session": {"type": "http", "scheme": "bearer"},
        "unit": {"type": "apiKey", "in": "header", "name": "Pardot-Business-Unit-Id"},
    }
    return document("Account Engagement (fake)", ABOUT, paths, schemas, server=server, security=security)


def _fields(unit: Unit, kind: Kind) -> dict[str, Field]:
    found = {field.name: field for field in kind.fields}
    if kind.name == "prospect":
        for row in unit.tables["custom_field"].rows():
            name = f"{row.values['fieldId']}__c"
            found.setdefault(name, custom(name, row.values))
    return found


def _schemas(unit: Unit, kind: Kind) -> dict[str, Schema]:
    fields = _fields(unit, kind)
    shown = {name: maybe(value(field)) for name, field in fields.items() if name not in kind.write_only}
    # What a path through related records asks for stands under their names.
    shown |= {field.relationship: {} for field in fields.values() if field.relationship}
    schemas = {
        kind.name: record(shown, needed=()),
        f"{kind.name}.page": record(
            {"nextPageToken": maybe(TEXT), "nextPageUrl": maybe(TEXT), "values": listed(ref(kind.name))}
        ),
    }
    for how, new in (("create", True), ("update", False)):
        taken = {name: field for name, field in fields.items() if (field.createable if new else field.updateable)}
        needed = [name for name, field in taken.items() if field.required]
        members = {name: value(field) if field.required else maybe(_sent(field)) for name, field in taken.items()}
        if how in kind.can:
            schemas[f"{kind.name}.{how}"] = record(members, needed=needed if new else ())
    return schemas


def _sent(field: Field) -> Schema:
    return {**value(field), "minimum": -(2**31), "maximum": 2**31 - 1} if field.type == "integer" else value(field)


def _paths(kind: Kind) -> dict[str, dict[str, Any]]:
    seen = answer("The record.", ref(kind.name))
    made = answer("The record is there.", ref(kind.name), Location=TEXT)
    page = answer("A page of records.", ref(f"{kind.name}.page"), Pardot_Warning=TEXT)
    changed, gone = body(ref(f"{kind.name}.update")), answer("It is done.")
    walk = [
        parameter("limit", {"type": "integer", "minimum": 1, "maximum": MOST}),
        parameter("offset", {"type": "integer", "minimum": 0, "maximum": 2_000}),
        parameter("orderBy"),
        parameter("nextPageToken"),
        *([parameter("deleted", exactly("true", "false", "all"))] if kind.bin else ()),
    ]
    whole = {"get": operation(f"{kind.name}.query", "Find records.", {"200": page, **_REFUSED}, _FIELDS, *walk)}
    kept = parameter("deleted", exactly("true", "false", "all"))
    since = parameter("If-Modified-Since", TEXT, where="header")
    told = {"200": seen, "304": answer("It has not changed."), **_REFUSED}
    one: dict[str, Any] = {
        "parameters": [_ID],
        "get": operation(f"{kind.name}.read", "Read a record.", told, _FIELDS, kept, since),
    }
    if "create" in kind.can:
        sent = body(ref(f"{kind.name}.create"))
        whole["post"] = operation(f"{kind.name}.create", "Create.", {"201": made, **_REFUSED}, _SHOWN, sends=sent)
    if "update" in kind.can:
        answers = {"200": seen, "204": gone, **_REFUSED}
        one["patch"] = operation(f"{kind.name}.update", "Change a record.", answers, _SHOWN, sends=changed)
    if "delete" in kind.can:
        one["delete"] = operation(f"{kind.name}.delete", "Delete a record.", {"204": gone, **_REFUSED})
    paths = {f"{ROOT}{kind.path}": whole, f"{ROOT}{kind.path}/{{id}}": one}
    if "tag" in kind.can:
        tag = body(record({"tagId": WHOLE, "tagName": TEXT, "fields": listed(TEXT)}, needed=()))
        tie = {"200": answer("The tie.", ref("tagged_object")), **_REFUSED}
        for action, answers in (("addTag", tie), ("removeTag", {"204": gone, **_REFUSED})):
            act = operation(f"{kind.name}.{action}", "Tag a record, or take a tag off it.", answers, sends=tag)
            paths[f"{ROOT}{kind.path}/{{id}}/do/{action}"] = {"parameters": [_ID], "post": act}
    return paths


def _actions() -> dict[str, dict[str, Any]]:
    seen, made = answer("The prospect.", ref("prospect")), answer("It is there.", ref("prospect"), Location=TEXT)
    match = {"matchEmail": TEXT, "fields": listed(TEXT)}
    upsert = record({**match, "prospect": ref("prospect.update"), "secondaryDeletedSearch": FLAG}, needed=["prospect"])
    back = record(match, needed=["matchEmail"])
    named: tuple[tuple[str, str, Schema, dict[str, Any]], ...] = (
        ("upsertLatestByEmail", "Change the newest prospect of an address, or create one.", upsert, {"201": made}),
        ("undelete", "Take a prospect out of the recycle bin.", back, {}),
    )
    return {
        f"{ROOT}prospects/do/{name}": {
            "post": operation(f"prospect.{name}", about, {"200": seen, **more, **_REFUSED}, sends=body(schema))
        }
        for name, about, schema, more in named
    }


def _token() -> dict[str, Any]:
    names = ("grant_type", "client_id", "client_secret", "username", "password", "refresh_token", "assertion")
    form = record(dict.fromkeys(names, TEXT), needed=["grant_type"])
    session = record(dict.fromkeys(("access_token", "instance_url", "id", "token_type"), TEXT), more=True)
    answers = {"200": answer("A session.", session), "4XX": answer("Refused in OAuth's words.", ref("OAuthError"))}
    return operation("token", "Open a session.", answers, sends=body(form, FORM), open=True)
