"""Several calls in one: `/composite` and `/composite/batch` (REST guide, "Composite", "Composite Batch")."""

import re
from collections.abc import Callable
from typing import Any

import attrs
import httpx

from crmbridge.testing.fakes.salesforce import collection
from crmbridge.testing.fakes.salesforce.desk import Call, Desk, Reply, as_list, as_object, as_objects
from crmbridge.testing.fakes.salesforce.errors import Refused, not_found, not_json
from crmbridge.testing.fakes.salesforce.numbers import as_json

MOST = 25
STRICT = 52.0
"""The first version that refuses a call for a strange referenceId, and that hands blank fields of a record on."""
_REFERENCE = re.compile(r"@\{(\w+)((?:\.\w+|\[\d{1,9}\])*)\}")
_STEP = re.compile(r"\.(\w+)|\[(\d{1,9})\]")
_PATH = re.compile(r"/?(?:services/data/)?v(\d{1,3}\.\d)(?:/(.*))?")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]*")

_TOO_DEEP = not_json("The body is nested too deeply")

Dispatch = Callable[[Call], Reply]


class _Unknown(Exception):
    """A reference to something that an earlier answer does not hold."""


def answer(desk: Desk, call: Call, dispatch: Dispatch) -> Reply:
    """Answer a call under `/composite`."""
    if not call.raw:
        call.only("POST")
        return _composite(desk, call, dispatch)
    first = call.path[0].lower()
    if first == "sobjects":
        return collection.answer(desk, call.below())
    if first == "batch":
        call.ends(1)
        call.only("POST")
        return _batch(call, dispatch)
    raise not_found()


def _composite(desk: Desk, call: Call, dispatch: Dispatch) -> Reply:
    body = call.json()
    parts = _parts(body.get("compositeRequest"))
    _named(parts, float(call.version))
    known: dict[str, Any] = {}
    answers: list[dict[str, Any]] = []

    def work() -> list[bool]:
        for part in parts:
            reply = _one(call, part, known, dispatch)
            value = reply.value()
            # Vendor: up to version 51 a part with a strange name is done, but nothing can refer to it.
            if reply.status < 300 and _NAME.fullmatch(part["referenceId"]):
                known[part["referenceId"]] = value
            headers = {name: value for name, value in reply.headers.items() if name == "Location"}
            answers.append(
                {
                    "body": value,
                    "httpHeaders": headers,
                    "httpStatusCode": reply.status,
                    "referenceId": part.get("referenceId"),
                }
            )
            if body.get("allOrNone") is True and reply.status >= 300:
                return [False]
        return [True]

    stands = desk.all_or_none(work)
    if not stands:
        text = "The transaction was rolled back since another operation in the same transaction failed."
        halted = Refused("PROCESSING_HALTED", text).body()
        last = len(answers) - 1
        answers = [
            answers[last]
            if place == last
            else {"body": halted, "httpHeaders": {}, "httpStatusCode": 400, "referenceId": part.get("referenceId")}
            for place, part in enumerate(parts)
        ]
    return Reply(200, {"compositeResponse": answers})


def _named(parts: list[dict[str, Any]], version: float) -> None:
    """Refuse the whole call where a part has no name, a strange one, or that of another part."""
    seen: set[str] = set()
    for part in parts:
        name = part.get("referenceId")
        if not isinstance(name, str):
            raise not_json("each part of a composite call needs a referenceId")
        if version >= STRICT and not _NAME.fullmatch(name):
            # Vendor: in these words (REST guide, "Composite Subrequest Result").
            text = "must start with a letter or a number, and it can contain only letters, numbers and underscores"
            raise not_json(f"Provided referenceId ('{name[:80]}') {text} ('_').")
        if name in seen:
            # Vendor: a referenceId names one part; what the refusal says is on no public page.
            raise Refused("INVALID_INPUT", f"Duplicate referenceId: {name[:80]}")
        seen.add(name)


def _one(call: Call, part: dict[str, Any], known: dict[str, Any], dispatch: Dispatch) -> Reply:
    try:
        blanks = float(call.version) >= STRICT
        url = _filled(str(part.get("url", "")), known, blanks=False)
        body = _filled(part.get("body"), known, blanks=blanks)
    except _Unknown as unknown:
        return Reply(400, Refused("PROCESSING_HALTED", f"Invalid reference specified. No value for {unknown}").body())
    except RecursionError:
        return Reply(400, _TOO_DEEP.body())
    return _called(call, str(part.get("method", "GET")), str(url), body, part.get("httpHeaders"), dispatch)


def _filled(value: Any, known: dict[str, Any], *, blanks: bool) -> Any:
    if (fields := as_object(value)) is not None:
        return {name: _filled(held, known, blanks=blanks) for name, held in fields.items()}
    if (items := as_list(value)) is not None:
        return [_filled(held, known, blanks=blanks) for held in items]
    if not isinstance(value, str):
        return value
    if blanks and (whole := _REFERENCE.fullmatch(value)) and _is_blank(whole, known):
        return None
    return _REFERENCE.sub(lambda found: _written(found, known), value)


def _is_blank(found: re.Match[str], known: dict[str, Any]) -> bool:
    """Say whether a reference leads to a blank field of a record that was read by its own address."""
    record = as_object(known.get(found[1]))
    return record is not None and "attributes" in record and _looked_up(found, known) is None


def _written(found: re.Match[str], known: dict[str, Any]) -> str:
    """Write the value that a reference leads to: a text as it is, anything else in JSON's words."""
    value = _looked_up(found, known)
    if value is None or as_object(value) is not None or as_list(value) is not None:
        raise _missing(found)
    return value if isinstance(value, str) else as_json(value)


def _looked_up(found: re.Match[str], known: dict[str, Any]) -> Any:
    value = known.get(found[1])
    for name, place in _STEP.findall(found[2]):
        fields, items = as_object(value), as_list(value)
        if fields is not None and name in fields:
            value = fields[name]
        elif items is not None and place and int(place) < len(items):
            value = items[int(place)]
        else:
            raise _missing(found)
    return value


def _missing(found: re.Match[str]) -> _Unknown:
    return _Unknown(f"{found[1]}{found[2]} found in {found[1]}")


def _called(call: Call, method: str, url: str, body: Any, headers: Any, dispatch: Dispatch) -> Reply:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return Reply(400, Refused("INVALID_INPUT", "the url of a part cannot be read").body())
    path = parsed.raw_path.decode("ascii").split("?")[0]
    found = _PATH.fullmatch(path.rstrip("/"))
    if not found:
        return Reply(404, not_found().body())
    raw = tuple((found[2] or "").split("/"))
    if raw[0].lower() == "composite" and [segment.lower() for segment in raw[1:2]] != ["sobjects"]:
        return Reply(400, Refused("INVALID_INPUT", "a composite call cannot hold another one").body())
    extra = {name.lower(): str(value) for name, value in (as_object(headers) or {}).items()}
    try:
        content = b"" if body is None else as_json(body).encode("utf-8", "surrogatepass")
    except RecursionError:
        return Reply(400, _TOO_DEEP.body())
    inner = attrs.evolve(
        call,
        method=method.upper(),
        version=found[1],
        raw=raw,
        params=dict(parsed.params),
        headers={"content-type": "application/json", **extra},
        content=content,
    )
    try:
        return dispatch(inner)
    except Refused as refused:
        return Reply(refused.status, refused.body())


def _batch(call: Call, dispatch: Dispatch) -> Reply:
    body = call.json()
    results: list[dict[str, Any]] = []
    for part in _parts(body.get("batchRequests")):
        if body.get("haltOnError") is True and any(result["statusCode"] >= 300 for result in results):
            text = "The request was not run because an earlier one failed."
            results.append({"statusCode": 412, "result": Refused("BATCH_PROCESSING_HALTED", text).body()})
            continue
        url = "/services/data/" + str(part.get("url", "")).removeprefix("/services/data/").lstrip("/")
        reply = _called(call, str(part.get("method", "GET")), url, part.get("richInput"), None, dispatch)
        results.append({"statusCode": reply.status, "result": reply.value()})
    return Reply(200, {"hasErrors": any(result["statusCode"] >= 300 for result in results), "results": results})


def _parts(given: Any) -> list[dict[str, Any]]:
    parts = as_objects(given)
    if parts is None:
        raise not_json("the parts of a composite call must be a list of objects")
    if len(parts) > MOST:
        raise Refused("LIMIT_EXCEEDED", f"a composite call holds at most {MOST} parts")
    return parts
