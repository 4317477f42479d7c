"""A vendor in memory with three faces: an httpx transport, an ASGI application, a real port."""

import threading
import zlib
from collections import deque
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Iterator,
    Mapping,
    MutableMapping,
    Sequence,
)
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, ClassVar

import attrs
import httpx

from crmbridge.testing import port as ports
from crmbridge.testing.faults import GENERAL, FaultPlan, Rule
from crmbridge.testing.lines import arranged_by
from crmbridge.testing.openapi import document
from crmbridge.testing.tables import Row, Table
from crmbridge.testing.tls import authority

_PARTS = 9
"""Of a write, in the order in which `record` keeps them."""

ERROR_PAGE = (
    "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1><p>Try again later.</p></body></html>"
)


@attrs.frozen
class Write:
    """One write that was applied, with what it replaced."""

    number: int
    at: datetime
    verb: str
    """`create`, `update`, `delete` or `undelete`."""
    kind: str
    id: str
    values: Mapping[str, Any] = attrs.field(repr=False)
    """What was stored, in the vendor's form."""
    before: Mapping[str, Any] = attrs.field(repr=False)
    by: str
    """The API client, or the person who edited at the vendor."""
    request: int
    """The number of the request that wrote, counted from 1; 0 where a person did."""


class FakeServer:
    """A system in memory. Subclasses write `handle` and fill `tables`; the faces are inherited.

    Given the same clock, seed and requests, a fake answers the same bytes. One request is handled at a time, so a fake
    may be driven from many threads. `history` is how many requests are kept for looking at; older ones are dropped.
    """

    name: ClassVar[str] = "fake"
    shows: ClassVar[frozenset[str]] = GENERAL
    """The faults that `faults` accepts; a subclass adds those that it asks for."""

    def __init__(self, *, now: Callable[[], datetime] | None = None, seed: int = 0, history: int = 100_000) -> None:
        self.now: Callable[[], datetime] = now or _real_time
        self.seed = seed
        self.tables: dict[str, Table] = {}
        self.credentials: Mapping[str, str] = {}
        self.faults = FaultPlan(seed=seed, offered=self.shows)
        self.ca_pem = ""
        self.at_hand = 0
        self._arrived = 0
        self._kept: deque[httpx.Request] = deque(maxlen=history)
        self._origin = f"https://{self.name}.invalid"
        self._lock = threading.RLock()
        self._late: list[tuple[datetime, int, httpx.Request]] = []
        self._written: list[Any] = []
        self._ledger: list[Write] = []

    # ---- what a subclass writes ---------------------------------------------------

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer one request as the vendor would; called for one request at a time."""
        return httpx.Response(404, request=request)

    def throttled(self, request: httpx.Request, rule: Rule) -> httpx.Response:
        """Word the refusal of a client that goes too fast or has used up its day (F07)."""
        return httpx.Response(403 if rule.way == "daily" else 429, json={"message": "too many requests"})

    def description(self) -> Mapping[str, Any]:
        """Describe what is served at this moment, as an OpenAPI 3.1 document; a fake without one describes no path."""
        return document(self.name, "", {}, {}, server=self.base_url)

    def arranged(self, table: Table, values: Mapping[str, Any], *, new: bool) -> dict[str, Any]:
        """Give the values that `put` and `edit` store; raises ValueError for a field that the kind does not have."""
        stored = (
            {name: field.default for name, field in table.fields.items() if field.default is not None} if new else {}
        )
        for name, value in values.items():
            field = table.field(name)
            if field is None:
                raise ValueError(f"{table.name} has no field {name!r}")
            stored[field.name] = value
        return stored

    def shown(self, table: Table, row: Row) -> dict[str, Any]:
        """Give a stored record as `rows` shows it."""
        return {"id": row.id, **row.values}

    # ---- arrange and assert -------------------------------------------------------

    @property
    def base_url(self) -> str:
        """The address under which the client of the request at hand sees this fake; links are built on it."""
        return self._origin

    @property
    def requests(self) -> Sequence[httpx.Request]:
        """The requests that came in, oldest first."""
        return list(self._kept)

    @property
    def ledger(self) -> tuple[Write, ...]:
        """Every write that was applied, by the API or by a person, in order."""
        with self._lock:
            self._ripen()
            for number in range(len(self._ledger), self._writes()):
                part = number * _PARTS
                at, verb, kind, id, names, held, old, by, request = self._written[part : part + _PARTS]
                values = {name: held[name] for name in names}
                before = {name: old.get(name) for name in names} if verb == "update" else dict(old)
                self._ledger.append(Write(number + 1, at, verb, kind, id, values, before, by, request))
            return tuple(self._ledger)

    def table(self, kind: str) -> Table:
        """Give the table of a kind; raises ValueError that lists the kinds when there is none."""
        found = self.tables.get(kind)
        if found is None:
            raise ValueError(f"{self.name} has no kind {kind!r}; it has {', '.join(sorted(self.tables))}")
        return found

    def put(self, kind: str, **values: Any) -> str:
        """Arrange a record that has always been there, and give its id; it does not show in the ledger."""
        return self.place(kind, values)

    def rows(self, kind: str, *, deleted: bool = False) -> list[dict[str, Any]]:
        """Give what is stored of a kind, oldest first; deleted records only when asked for."""
        with self._lock:
            self._ripen()
            table = self.table(kind)
            return [self.shown(table, row) for row in table.rows(deleted=deleted)]

    def place(self, kind: str, values: Mapping[str, Any], *, id: str | None = None, at: datetime | None = None) -> str:
        """Arrange a record under a known id, or as made at a known time, as a line of `load` may ask."""
        with self._lock:
            table = self.table(kind)
            return table.insert(self.arranged(table, values, new=True), at=at or self.now(), id=id).id

    def edit(self, kind: str, id: str, by: str = "a person", **values: Any) -> None:
        """Change a record as somebody at the vendor's screen would; raises KeyError for an unknown id."""
        with self._lock:
            table, row = self._row(kind, id)
            stored = self.arranged(table, values, new=False)
            at = self.now()
            self.record(
                "update", table.name, row.id, stored, table.update(row, stored, at=at, by=by), by=by, at=at, request=0
            )

    def remove(self, kind: str, id: str, by: str = "a person") -> None:
        """Delete a record as somebody at the vendor's screen would; raises KeyError for an unknown id."""
        with self._lock:
            table, row = self._row(kind, id)
            at = self.now()
            table.delete(row, at=at, by=by)
            self.record("delete", table.name, row.id, {}, dict(row.values), by=by, at=at, request=0)

    def load(self, lines: Iterable[str]) -> int:
        """Arrange records from JSON lines `{"fake", "kind", "id"?, "values", "at"?}` and give how many were taken.

        Lines for another fake are passed over. Raises ValueError that names the line which cannot be used.
        """
        taken = 0
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                item = arranged_by(line, self.name)
                if item.get("fake", self.name) == self.name:
                    at = datetime.fromisoformat(item["at"]) if item.get("at") else None
                    self.place(item["kind"], item["values"], id=item.get("id"), at=at)
                    taken += 1
            except (KeyError, TypeError, AttributeError, ValueError) as wrong:
                raise ValueError(f"line {number}: {wrong}") from wrong
        return taken

    def record(
        self,
        verb: str,
        kind: str,
        id: str,
        values: Mapping[str, Any],
        before: Mapping[str, Any],
        *,
        by: str,
        at: datetime,
        request: int | None = None,
    ) -> None:
        """Enter a write into the ledger; the request at hand is its source unless another is named.

        What an update did not touch may stand in *before*, and is left out. Neither mapping may change any more.
        """
        # A write becomes a value when somebody looks. Until then its parts lie in one long list: a tuple for each would
        # be walked over by the garbage collector again and again, which is felt under load.
        source = self.at_hand if request is None else request
        self._written += (at, verb, kind, id, tuple(values), values, before, by, source)

    def _writes(self) -> int:
        """Give the length of the ledger."""
        return len(self._written) // _PARTS

    def _forget(self, mark: int) -> None:
        """Take the ledger back to a length, as a transaction that failed does."""
        del self._written[mark * _PARTS :]
        del self._ledger[mark:]

    def settle(self) -> None:
        """Apply now every request that was to be applied late (F05)."""
        with self._lock:
            late, self._late = self._late, []
            for _, number, request in late:
                self._handled(number, request)

    # ---- faces --------------------------------------------------------------------

    def transport(self) -> httpx.MockTransport:
        """Serve an httpx client, sync or async, without a socket."""
        return httpx.MockTransport(self._transported)

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        """Serve as an ASGI application."""
        await ports.asgi(self.exchange, scope, receive, send)

    @contextmanager
    def serve(self, port: int = 0, *, tls: bool = False, host: str = "127.0.0.1") -> Generator[str]:
        """Listen on a real port until the block ends, and give the base URL; port 0 takes a free one.

        With `tls`, `ca_pem` holds the certificate of the authority to trust. Raises `MissingExtra` where the package
        that makes it is not installed, and `OSError` where the port is taken.
        """
        trust = authority() if tls else None
        self.ca_pem = trust.ca_pem if trust else ""
        with self._listening(port, host, trust.context if trust else None) as base:
            self._origin = base
            yield base

    def _listening(self, port: int, host: str, context: Any) -> AbstractContextManager[str]:
        return ports.listen(self.exchange, port=port, host=host, context=context)

    # ---- one request ---------------------------------------------------------------

    def exchange(self, request: httpx.Request) -> httpx.Response:
        """Take one request through faults and `handle`.

        Raises an `httpx.TransportError` where a fault leaves the client without an answer.
        """
        with self._lock:
            self._arrived += 1
            number = self._arrived
            self._kept.append(request)
            self._ripen()
            faults = self.faults
            if faults.fires("F03", request):
                raise httpx.ConnectError("connection refused", request=request)
            if late := faults.strike("F05", request):
                self._late.append((self.now() + timedelta(seconds=late.amount), number, request))
                raise httpx.ReadTimeout("no answer yet", request=request)
            response = self._refusal(number, request)
            if response is None:
                response = self._spoiled(request, self._handled(number, request))
            response.headers.setdefault("Date", format_datetime(self.now().astimezone(UTC), usegmt=True))
            return response

    def _handled(self, number: int, request: httpx.Request) -> httpx.Response:
        self.at_hand = number
        self._origin = f"{request.url.scheme}://{request.headers.get('host') or request.url.netloc.decode('ascii')}"
        return self.handle(request)

    def _refusal(self, number: int, request: httpx.Request) -> httpx.Response | None:
        if fast := self.faults.strike("F07", request):
            response = self.throttled(request, fast)
            if wait := self._wait(fast):
                response.headers["Retry-After"] = wait
            return response
        if failed := self.faults.strike("F08", request):
            status, moment = failed.way.split()
            if moment == "after":
                self._handled(number, request)
            return httpx.Response(int(status), html=ERROR_PAGE.format("Service Unavailable"))
        return None

    def _wait(self, rule: Rule) -> str:
        if rule.way == "date":
            return format_datetime((self.now() + timedelta(seconds=rule.amount)).astimezone(UTC), usegmt=True)
        return {"seconds": f"{rule.amount:.0f}", "absurd": "999999999"}.get(rule.way, "")

    def _spoiled(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if lost := self.faults.strike("F04", request):
            error = httpx.ReadError if lost.way == "reset" else httpx.ReadTimeout
            raise error("the answer was lost", request=request)
        if bomb := self.faults.strike("F10", request):
            return _inflating(int(bomb.amount))
        if not (spoil := self.faults.strike("F09", request)):
            return response
        if spoil.way == "empty":
            return httpx.Response(200)
        if spoil.way == "type":
            return httpx.Response(
                response.status_code, content=response.content, headers={"Content-Type": "text/plain"}
            )
        if spoil.way == "json":
            return httpx.Response(response.status_code, content=response.content[:-1] + b',"', headers=response.headers)
        response.extensions["truncated"] = True
        return response

    def _transported(self, request: httpx.Request) -> httpx.Response:
        response = self.exchange(request)
        if response.extensions.get("truncated"):
            raise httpx.RemoteProtocolError(
                "peer closed connection without sending complete message body", request=request
            )
        return httpx.Response(response.status_code, headers=response.headers) if request.method == "HEAD" else response

    def _ripen(self) -> None:
        if self._late:
            now = self.now()
            ripe = [entry for entry in self._late if entry[0] <= now]
            self._late = [entry for entry in self._late if entry[0] > now]
            for _, number, request in ripe:
                self._handled(number, request)

    # ---- rows ---------------------------------------------------------------------

    def _row(self, kind: str, id: str) -> tuple[Table, Row]:
        table = self.table(kind)
        row = table.get(id)
        if row is None:
            raise KeyError(f"{kind} {id} is not there")
        return table, row


class _Wire(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Bytes that are decoded by whoever reads them, not here."""

    def __init__(self, sent: bytes) -> None:
        self._sent = sent

    def __iter__(self) -> Iterator[bytes]:
        yield self._sent

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._sent


def _inflating(megabytes: int) -> httpx.Response:
    packer, blank = zlib.compressobj(9, zlib.DEFLATED, 31), b" " * 1_000_000
    packed = b"".join(packer.compress(blank) for _ in range(megabytes)) + packer.flush()
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip", "Content-Length": str(len(packed))}
    return httpx.Response(200, headers=headers, stream=_Wire(packed))


def _real_time() -> datetime:
    return datetime.now(UTC)
