"""Full-text search: `FIND {words} RETURNING Lead(Id, Name WHERE ... LIMIT 5), Contact` (SOSL), by plain containment.

Read are: words and phrases, `AND`, `OR`, `AND NOT`, parentheses and wildcards; the search groups; objects to return,
each with fields, `WHERE`, `ORDER BY`, `LIMIT` and `OFFSET` as in SOQL; `LIMIT`. Not read, and so refused, are: `WITH`,
`UPDATE`, `USING ListView`, and functions such as `toLabel`.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from crmbridge.testing.fakes.salesforce.desk import Call, Desk, Reply
from crmbridge.testing.fakes.salesforce.errors import Refused
from crmbridge.testing.fakes.salesforce.finding import Finder
from crmbridge.testing.fakes.salesforce.kinds import Kind
from crmbridge.testing.fakes.salesforce.showing import columns, shower
from crmbridge.testing.fakes.salesforce.soql import Query, parse_returning
from crmbridge.testing.fakes.salesforce.words import Wanted, wanted
from crmbridge.testing.tables import Row

MOST = 2_000
"""The records that one search gives (SOQL and SOSL Reference, "SOSL Limits on Search Results")."""
DEFAULT_KINDS = "RETURNING Account, Contact, Lead, Opportunity"

_FIND = re.compile(
    r"\s*FIND\s*\{(?P<words>(?:[^{}\\]|\\.)*)\}(?:\s*IN\s+(?P<group>ALL|EMAIL|NAME|PHONE|SIDEBAR)\s+FIELDS\b)?",
    re.IGNORECASE | re.DOTALL,
)
_ALL = ("string", "email", "phone", "textarea", "url")
_SEARCHED = {"EMAIL": ("email",), "PHONE": ("phone",), "NAME": ("name",)}


def answer(desk: Desk, call: Call) -> Reply:
    """Answer a call under `/search`."""
    call.ends(0)
    call.only("GET")
    text = call.params.get("q", "")
    found = _FIND.match(text)
    if not found:
        raise Refused("MALFORMED_SEARCH", "No valid search: FIND {words} IN scope FIELDS RETURNING objects is expected")
    looked_for = wanted(found["words"])
    targets, limit = _read(text, found.end())
    searched = _SEARCHED.get((found["group"] or "ALL").upper(), _ALL)
    finder = Finder(desk.org, desk.now(), deleted=False)
    hits: list[dict[str, Any]] = []
    for query in targets:
        kind = finder.kind(query)
        holds = _holding(kind, looked_for, searched)
        show = shower(finder, query, kind, columns(desk.org, query, kind), call.version)
        rows = finder.picked(query, kind, (row for row in finder.found(query, kind) if holds(row)))
        hits += show(rows, len(rows), desk.cursors.linking("", desk.now()))
    return Reply(200, {"searchRecords": hits[: MOST if limit is None else min(limit, MOST)]})


def _read(text: str, begin: int) -> tuple[tuple[Query, ...], int | None]:
    """Read what follows the words; a search that names no objects is one for the usual ones."""
    try:
        targets, limit = parse_returning(text, begin)
        return targets or parse_returning(DEFAULT_KINDS, 0)[0], limit
    except Refused as refused:
        # Vendor: what is wrong with the form of a search has a code of its own.
        code = "MALFORMED_SEARCH" if refused.code == "MALFORMED_QUERY" else refused.code
        raise Refused(code, refused.message, refused.fields, status=refused.status) from None


def _holding(kind: Kind, looked_for: Wanted, searched: tuple[str, ...]) -> Callable[[Row], bool]:
    names = list(_names(kind, searched))

    def holds(row: Row) -> bool:
        held = (row.values.get(name) for name in names)
        return looked_for("\n".join(str(value) for value in held if value is not None).casefold())

    return holds


def _names(kind: Kind, searched: tuple[str, ...]) -> Iterator[str]:
    for field in kind.table.fields.values():
        if field.type in searched or ("name" in searched and field.name in ("Name", "FirstName", "LastName")):
            yield field.name
