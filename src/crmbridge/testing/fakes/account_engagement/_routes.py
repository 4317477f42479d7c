"""Which request means what: paths, verbs, `fields`, and the answer's form (10.1 to 10.3)."""

from collections.abc import Callable, Mapping
from datetime import UTC
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import httpx

from crmbridge.testing.fakes.account_engagement._kinds import KINDS, Kind
from crmbridge.testing.fakes.account_engagement._query import Queries, whole
from crmbridge.testing.fakes.account_engagement._records import Unit
from crmbridge.testing.fakes.account_engagement._refusals import Refused
from crmbridge.testing.fakes.account_engagement._select import Shape, shape
from crmbridge.testing.fakes.account_engagement._values import body
from crmbridge.testing.fakes.account_engagement._writes import RECYCLED, Writes
from crmbridge.testing.faults import FaultPlan
from crmbridge.testing.tables import Row

ROOT = "/api/v5/objects/"
REDACTED = "202;Some records are left out for lack of access rights"
ENDED = "203;The page tokens of this query have come to their end"

_COLLECTION = {"GET": "query", "POST": "create"}
_VERBS = {"GET": "read", "PATCH": "update", "DELETE": "delete"}
_PATHS: Mapping[str, Kind] = {kind.path: kind for kind in KINDS}
_ACTIONS: Mapping[str, frozenset[str]] = {
    "upsertLatestByEmail": frozenset({"matchEmail", "prospect", "secondaryDeletedSearch", "fields"}),
    "undelete": frozenset({"matchEmail", "fields"}),
    "addTag": frozenset({"tagId", "tagName", "fields"}),
    "removeTag": frozenset({"tagId", "tagName", "fields"}),
}


class Routes:
    """The endpoints of a business unit."""

    def __init__(
        self, unit: Unit, writes: Writes, queries: Queries, faults: FaultPlan, account: Callable[[], Mapping[str, Any]]
    ) -> None:
        self._unit = unit
        self._writes = writes
        self._queries = queries
        self._faults = faults
        self._account = account

    def answer(self, request: httpx.Request, base: str) -> httpx.Response:
        """Answer a request that was let in; raises Refused."""
        path = request.url.path
        if not path.startswith(ROOT):
            raise Refused(198)
        collection, *rest = path.removeprefix(ROOT).removesuffix("/").split("/")
        if collection == "account" and not rest:
            return self._read_account(request)
        kind = _PATHS.get(collection)
        if kind is None:
            raise Refused(198)
        if request.method != "GET" and self._faults.fires("F14", request):
            raise Refused(62)
        match rest:
            case []:
                return self._collection(request, kind, base)
            case ["do", action]:
                return self._do(request, kind, action, base)
            case [id]:
                return self._one(request, kind, whole(id, 16))
            case [id, "do", action]:
                return self._tag(request, kind, whole(id, 16), action)
            case _:
                raise Refused(198)

    # ---- collections --------------------------------------------------------------------

    def _collection(self, request: httpx.Request, kind: Kind, base: str) -> httpx.Response:
        if request.method == "GET":
            return self._query(request, kind, base)
        _allowed(kind, "create" if request.method == "POST" else "", _COLLECTION)
        show = self._wanted(kind, _parameters(request).get("fields"))
        row = self._writes.create(kind.name, body(request))
        return self._created(kind, row, show, base)

    def _query(self, request: httpx.Request, kind: Kind, base: str) -> httpx.Response:
        given = _parameters(request)
        show, fields = self._demanded(kind, given), given.pop("fields")
        token = given.pop("nextPageToken", None)
        if token is not None and given:
            raise Refused(5, f"only fields may come with nextPageToken, not {', '.join(sorted(given))}"[:120])
        if token is not None and self._faults.fires("F18", request):
            raise Refused(210)
        page = self._queries.begin(kind.name, given) if token is None else self._queries.resume(kind.name, token)
        rows = page.rows
        warnings = [ENDED] if page.last else []
        if self._faults.fires("F17", request):
            rows, warnings = rows[::2], [*warnings, REDACTED]
        after = (
            page.token and f"{base}{ROOT}{kind.path}?fields={quote(fields, safe=',')}&nextPageToken={quote(page.token)}"
        )
        values = [show(row) for row in rows]
        response = httpx.Response(200, json={"nextPageToken": page.token, "nextPageUrl": after, "values": values})
        if warnings:
            response.headers["Pardot-Warning"] = ", ".join(warnings)
        return response

    def _do(self, request: httpx.Request, kind: Kind, action: str, base: str) -> httpx.Response:
        if kind.name != "prospect" or action not in ("upsertLatestByEmail", "undelete"):
            raise Refused(205)
        given, show = self._arguments(request, kind, action)
        if action == "undelete":
            return self._shown(kind, self._writes.undelete(given), show)
        row, new = self._writes.upsert_latest(given)
        return self._created(kind, row, show, base) if new else self._shown(kind, row, show)

    # ---- one record ---------------------------------------------------------------------

    def _one(self, request: httpx.Request, kind: Kind, id: int) -> httpx.Response:
        verb = _VERBS.get(request.method, "")
        _allowed(kind, verb, _VERBS)
        if verb == "read":
            return self._read(request, kind, id)
        if verb == "delete":
            self._writes.delete(kind.name, id)
            return httpx.Response(204)
        show = self._wanted(kind, _parameters(request).get("fields"))
        row = self._writes.update(kind.name, id, body(request))
        return httpx.Response(200, json=show(row)) if show else httpx.Response(204)

    def _read(self, request: httpx.Request, kind: Kind, id: int) -> httpx.Response:
        given = _parameters(request)
        show = self._demanded(kind, given)
        table = self._unit.tables[kind.name]
        stored = table.all.get(str(id))
        row = stored and table.visible(stored)
        if row is None or (row.deleted and given.get("deleted") not in ("true", "all")):
            raise Refused(109, warning=RECYCLED if row else "")
        table.show([row])
        changed = row.modified.astimezone(UTC).replace(microsecond=0)
        headers = {"Last-Modified": format_datetime(changed, usegmt=True)}
        if _seconds(request.headers.get("if-modified-since")) >= changed.timestamp():
            return httpx.Response(304, headers=headers)
        return httpx.Response(200, json=show(row), headers=headers)

    def _tag(self, request: httpx.Request, kind: Kind, id: int, action: str) -> httpx.Response:
        if action not in ("addTag", "removeTag") or "tag" not in kind.can:
            raise Refused(205)
        tagged = _PATHS["tagged-objects"]
        given, show = self._arguments(request, tagged, action)
        if action == "removeTag":
            self._writes.remove_tag(kind.name, id, given)
            return httpx.Response(204)
        row = self._writes.add_tag(kind.name, id, given)
        return httpx.Response(
            200, json=(show or shape(self._unit, tagged.name, ("id", "tagId", "objectType", "objectId")))(row)
        )

    def _read_account(self, request: httpx.Request) -> httpx.Response:
        if request.method != "GET":
            raise Refused(60, allow="GET")
        names, account = _names(_parameters(request).get("fields") or ""), self._account()
        if not names:
            raise Refused(13, "fields")
        if unknown := next((name for name in names if name not in account), ""):
            raise Refused(224, unknown[:80])
        return httpx.Response(200, json={name: account[name] for name in names})

    # ---- forms of answers -----------------------------------------------------------------

    def _created(self, kind: Kind, row: Row, show: Shape | None, base: str) -> httpx.Response:
        response = self._shown(kind, row, show)
        response.status_code = 201
        response.headers["Location"] = f"{base}{ROOT}{kind.path}/{row.id}"
        return response

    def _shown(self, kind: Kind, row: Row, show: Shape | None) -> httpx.Response:
        return httpx.Response(200, json=(show or shape(self._unit, kind.name, ("id",)))(row))

    def _demanded(self, kind: Kind, given: Mapping[str, str]) -> Shape:
        show = self._wanted(kind, given.get("fields"))
        if show is None:
            raise Refused(13, "fields")
        return show

    def _wanted(self, kind: Kind, fields: Any) -> Shape | None:
        """Read `fields`, a comma list in a URL and a list in a body; None when nothing is asked for."""
        if fields is not None and not isinstance(fields, str):
            if not isinstance(fields, list) or not all(isinstance(name, str) for name in fields):  # pyright: ignore[reportUnknownVariableType]
                raise Refused(206, "fields")
            fields = ",".join(fields)  # pyright: ignore[reportUnknownArgumentType]
        names = _names(fields or "")
        return shape(self._unit, kind.name, names) if names else None

    def _arguments(self, request: httpx.Request, kind: Kind, action: str) -> tuple[Mapping[str, Any], Shape | None]:
        if request.method != "POST":
            raise Refused(60, allow="POST")
        given = body(request)
        if unknown := next((name for name in given if name not in _ACTIONS[action]), ""):
            raise Refused(208, unknown[:80])
        return given, self._wanted(kind, given.get("fields", _parameters(request).get("fields")))


def _allowed(kind: Kind, operation: str, verbs: Mapping[str, str]) -> None:
    if operation not in kind.can:
        methods = [method for method, verb in verbs.items() if verb in kind.can]
        raise Refused(kind.refusals.get(operation, 60), allow=", ".join(methods))


def _parameters(request: httpx.Request) -> dict[str, str]:
    return dict(request.url.params.multi_items())


def _names(fields: str) -> list[str]:
    return [name for name in (part.strip() for part in fields.split(",")) if name]


def _seconds(text: str | None) -> float:
    """Give the moment of an HTTP date; before all others when there is none or it is no date."""
    try:
        return parsedate_to_datetime(text).timestamp() if text else float("-inf")
    except (ValueError, OverflowError):
        return float("-inf")
