"""Full-text search: `FIND {words} RETURNING Lead(Id, Name), Contact` (SOSL reference), by plain containment."""

import re
from collections.abc import Iterator
from typing import Any

from crmbridge.testing.fakes.salesforce import records
from crmbridge.testing.fakes.salesforce.desk import Call, Desk, Reply
from crmbridge.testing.fakes.salesforce.errors import Refused
from crmbridge.testing.fakes.salesforce.kinds import Kind
from crmbridge.testing.tables import Row

_FIND = re.compile(
    r"\s*FIND\s*\{(?P<words>(?:[^{}\\]|\\.)*)\}(?:\s+IN\s+(?P<scope>\w+)\s+FIELDS)?(?:\s+RETURNING\s+(?P<returning>.+?))?(?:\s+LIMIT\s+(?P<limit>\d{1,4}))?\s*",
    re.IGNORECASE | re.DOTALL,
)
_TARGET = re.compile(r"\s*(\w+)\s*(?:\(([^()]*)\))?\s*(?:,|$)")
_SEARCHED = {"EMAIL": ("email",), "PHONE": ("phone",), "NAME": ("name",)}
DEFAULT_KINDS = "Account,Contact,Lead,Opportunity"


def answer(desk: Desk, call: Call) -> Reply:
    """Answer a call under `/search`."""
    call.ends(0)
    call.only("GET")
    found = _FIND.fullmatch(call.params.get("q", ""))
    words = re.sub(r"\\(.)", r"\1", found["words"]).casefold().split() if found else []
    if not found or not words or len("".join(words)) < 2:
        raise Refused("MALFORMED_SEARCH", "No valid search: FIND {words} IN scope FIELDS RETURNING objects is expected")
    hits: list[dict[str, Any]] = []
    scope = (found["scope"] or "ALL").upper()
    for kind, names in _targets(desk, found["returning"] or DEFAULT_KINDS):
        hits += [records.selected(kind, row, names, call.version) for row in _hits(kind, words, scope)]
    return Reply(200, {"searchRecords": hits[: int(found["limit"] or 2_000)]})


def _targets(desk: Desk, returning: str) -> Iterator[tuple[Kind, list[str]]]:
    at = 0
    while at < len(returning):
        found = _TARGET.match(returning, at)
        if not found:
            raise Refused("MALFORMED_SEARCH", f"unexpected token: '{returning[at:]}'")
        at = found.end()
        kind = desk.org.kind(found[1])
        yield kind, [records.field_name(kind, name.strip()) for name in (found[2] or "Id").split(",")]


def _hits(kind: Kind, words: list[str], scope: str) -> Iterator[Row]:
    kinds_of_field = _SEARCHED.get(scope, ("string", "email", "phone", "textarea", "url"))
    names = [
        field.name
        for field in kind.table.fields.values()
        if (field.type in kinds_of_field)
        or ("name" in kinds_of_field and field.name in ("Name", "FirstName", "LastName"))
    ]
    for row in kind.table.rows():
        text = "\n".join(str(value) for name in names if (value := row.values.get(name)) is not None).casefold()
        if all(word.strip("*") in text for word in words):
            yield row
