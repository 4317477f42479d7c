"""What the resources share: the call as they see it, the reply that they give, and the org that they serve."""

import json
import random
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast
from urllib.parse import unquote

import attrs
import httpx

from crmbridge.testing.fakes.salesforce.errors import Refused, not_found, not_json, wrong_method
from crmbridge.testing.fakes.salesforce.numbers import as_json, read_fraction
from crmbridge.testing.fakes.salesforce.org import Act, Org
from crmbridge.testing.fakes.salesforce.paging import Cursors
from crmbridge.testing.fakes.salesforce.query import Reader
from crmbridge.testing.fakes.salesforce.values import stamp
from crmbridge.testing.faults import FaultPlan

_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
LARGEST_BODY = 100 * 1024 * 1024


@attrs.frozen
class Reply:
    """A status with JSON, which may be written already, or with text that is sent instead; None is an empty body."""

    status: int
    data: Any = attrs.field(default=None, repr=False)
    text: str | None = attrs.field(default=None, repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    written: str | None = attrs.field(default=None, repr=False)

    def value(self) -> Any:
        """Give the JSON, read back where it was written already; None where text is sent instead."""
        return self.data if self.written is None else json.loads(self.written, parse_float=read_fraction)

    def body(self) -> bytes:
        """Give the bytes to send."""
        text = self.written if self.text is None else self.text
        if text is not None:
            return text.encode("utf-8")
        # Half a character can come from an escape in a query, and has no bytes of its own in a refusal.
        return b"" if self.data is None else as_json(self.data).encode("utf-8", "replace")


@attrs.frozen
class Call:
    """One call of the REST API below `/services/data/vNN.0`, however it came in."""

    method: str
    version: str
    raw: tuple[str, ...]
    """The segments of the path after the version, as they were sent."""
    params: Mapping[str, str]
    headers: Mapping[str, str] = attrs.field(repr=False)
    content: bytes = attrs.field(repr=False)
    request: httpx.Request = attrs.field(repr=False)

    @property
    def path(self) -> tuple[str, ...]:
        """Give the segments decoded."""
        return tuple(unquote(segment) for segment in self.raw)

    def below(self) -> "Call":
        """Give the same call as seen by the resource under the first segment."""
        return attrs.evolve(self, raw=self.raw[1:])

    def ends(self, depth: int) -> None:
        """Refuse a path that goes on below the resources that there are."""
        if len(self.raw) > depth:
            raise not_found()

    def flag(self, name: str) -> bool:
        """Read a yes or no from the query of the address."""
        return self.params.get(name, "").lower() == "true"

    def json(self) -> dict[str, Any]:
        """Read the body as one JSON object; raises the vendor's refusals."""
        kind = self.headers.get("content-type", "application/json").split(";")[0].strip().lower()
        if kind != "application/json":
            text = f"Content-Type header specified is not supported: {kind}"
            raise Refused("UNSUPPORTED_MEDIA_TYPE", text, status=415)
        data = as_object(read_json(unpacked(self.content, self.headers)))
        if data is None:
            raise not_json("The HTTP entity body is required to be a JSON object, but this one is not or is empty.")
        return data

    def only(self, *methods: str) -> None:
        """Refuse a method that the resource does not have."""
        if self.method not in methods:
            raise wrong_method(self.method, *methods)


def as_object(data: Any) -> dict[str, Any] | None:
    """Give a JSON value if it is an object."""
    return cast(dict[str, Any], data) if isinstance(data, dict) else None


def as_list(data: Any) -> list[Any] | None:
    """Give a JSON value if it is a list."""
    return data if isinstance(data, list) else None  # pyright: ignore[reportUnknownVariableType]


def as_objects(data: Any) -> list[dict[str, Any]] | None:
    """Give a JSON value if it is a list of nothing but objects."""
    found = as_list(data)
    return found if found is not None and all(isinstance(one, dict) for one in found) else None


def unpacked(content: bytes, headers: Mapping[str, str]) -> bytes:
    """Undo the compression of a request body; raises the vendor's 400 for a broken or endless one."""
    if headers.get("content-encoding", "").lower() != "gzip":
        return content
    try:
        inflater = zlib.decompressobj(31)
        plain = inflater.decompress(content, LARGEST_BODY)
    except zlib.error:
        raise not_json("the body is not gzip") from None
    if inflater.unconsumed_tail:
        raise not_json("the body is too large")
    # The end of a packed body says whether all of it came.
    if not inflater.eof or inflater.unused_data:
        raise not_json("the body is not whole")
    return plain


def read_json(content: bytes) -> Any:
    """Read JSON as the vendor does, with no NaN, no NUL and no half characters; raises JSON_PARSER_ERROR."""
    try:
        text = content.decode(json.detect_encoding(content))
        data = json.loads(text, parse_float=read_fraction, parse_constant=_no_constant)
        # Most bodies have no backslash, which is found out much sooner than whether one begins half a character.
        if b"\\" in content:
            if _HALF.search(text):
                as_json(data).encode("utf-8")
            if _NUL.search(text):
                raise not_json("Illegal character at 0: a text holds no NUL")
    except (ValueError, RecursionError) as wrong:
        raise not_json(f"Unexpected character or end of input at {getattr(wrong, 'pos', 0)}") from None
    return data


def _no_constant(name: str) -> None:
    raise ValueError(name)


class Quota:
    """The calls of the last 24 hours, against the day's allowance."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._minutes: dict[datetime, int] = {}
        self._used = 0

    def used(self, now: datetime) -> int:
        """Give how many calls count at this moment."""
        horizon = now - timedelta(hours=24)
        while self._minutes and (oldest := next(iter(self._minutes))) <= horizon:
            self._used -= self._minutes.pop(oldest)
        return self._used

    def spend(self, now: datetime) -> bool:
        """Count one call; False when the allowance is used up."""
        if self.used(now) >= self.limit:
            return False
        minute = now.replace(second=0, microsecond=0)
        self._minutes[minute] = self._minutes.get(minute, 0) + 1
        self._used += 1
        return True


@attrs.define(eq=False)
class Desk:
    """The org behind its resources, with the dials that decide how it behaves."""

    org: Org
    reader: Reader
    cursors: Cursors
    quota: Quota
    faults: FaultPlan
    now: Callable[[], datetime]
    user: str
    page_size: int
    chance: random.Random
    marks: Callable[[], int]
    """Gives the length of the ledger."""
    cut: Callable[[int], None]
    """Takes the ledger back to a length."""
    number: Callable[[], int]
    """Gives the number of the request at hand."""

    def act(self, call: Call) -> Act:
        """Say who writes now, and on what terms."""
        at = self.now()
        if self.faults.fires("F20", call.request):
            at = at.replace(second=0, microsecond=0)
        if self.faults.fires("F21", call.request):
            at -= timedelta(seconds=self.chance.randrange(600))
        rule = call.headers.get("sforce-duplicate-rule-header", "").lower().replace(" ", "")
        return Act(
            at=at,
            stamp=stamp(at),
            user=self.user,
            by=self.user,
            request=self.number(),
            allow_save="allowsave=true" in rule,
            locks=partial(self.faults.fires, "F12", call.request) if self.faults.planned else None,
        )

    def all_or_none(self, work: Callable[[], Sequence[bool]]) -> bool:
        """Do something to many records, and undo all of it unless each succeeded; say whether it stands."""
        mark = self.marks()
        self.org.begin()
        stands = False
        try:
            stands = all(work())
        finally:
            self.org.end(undo=not stands)
            if not stands:
                self.cut(mark)
        return stands
