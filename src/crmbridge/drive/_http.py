"""A `Request` as bytes to send, and an `Answer` as a `Response`: shapes only, nothing is sent here.

The requests are handed to httpx's transports, not to its client: that one keeps cookies, knows redirects and logs
whole addresses with their parameters at INFO.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any, assert_never
from urllib.parse import quote, urlencode

import attrs
import httpx

from ..errors import ContractBroken, UsageError
from ..flow import Body, Bytes, File, Form, Json, Multipart, Request, Response
from ._intake import STEP, Answer, Result
from ._json import Flaw, decode, encode
from ._origin import Target, resolve
from ._text import codec, named, readable, text

CONNECT = 15.0
"""Seconds to reach a system, at most; less where the account allows less for the whole request."""

LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=5.0)
"""Connections of a driver. Those that were idle for seconds may be closed at the other end: a write there is in doubt."""

_log = logging.getLogger("crmbridge.drive")

_VALUE = re.compile(r"[\t\x20-\x7e]*")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection"})
_JSON_TYPE = re.compile(r"(?:application|text)/(?:[\w.-]+\+)?json", re.ASCII | re.IGNORECASE)
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}", re.ASCII)


@attrs.frozen
class Entry:
    """The headers that let a request in."""

    headers: Mapping[str, str] = attrs.field(factory=lambda: dict[str, str](), repr=False)


@attrs.frozen
class Shape:
    """A request without its credential: ready to be sent as often as need be."""

    target: Target
    method: str
    headers: Mapping[str, str] = attrs.field(repr=False)
    content: bytes | File | None = attrs.field(repr=False)
    timeout: float

    def wire(self, entry: Entry) -> httpx.Request:
        """Make what is sent; raises UsageError for a header that is none, and names it without its value."""
        if unfit := _unfit(self, entry):
            raise UsageError(f"{unfit[:60]!r} is no header that can be sent, by its name or by its value's characters")
        url, timeout, stream = self.target.url, self.timeout, None
        headers = [("host", url.netloc.decode("ascii"))]
        if isinstance(self.content, File):
            headers.append(("content-length", str(self.content.path.stat().st_size)))
            stream = _FileStream(self.content.path)
        # No local name holds the credential's header: a traceback with locals may be printed from below.
        return httpx.Request(
            self.method,
            url,
            headers=headers + _sent(self, entry),
            content=None if isinstance(self.content, File) else self.content,
            stream=stream,
            extensions={
                "timeout": dict.fromkeys(("read", "write", "pool"), timeout) | {"connect": min(CONNECT, timeout)}
            },
        )


def shape(request: Request) -> Shape:
    """Bring a request into shape.

    Raises `OriginRefused` for an address outside the account's origins, UsageError for a body or header that is none.
    """
    target = resolve(request.account, request.path, urlencode(request.params, errors="surrogatepass", quote_via=quote))
    content, kind = _content(request.account.system, request.body)
    headers = {"accept": "*/*", "user-agent": "crmbridge"}
    if target.own:
        headers |= _lowered(request.account.headers)
    if kind:
        headers["content-type"] = kind
    if request.key is not None:
        headers["idempotency-key"] = request.key
    headers |= _lowered(request.headers)
    headers["accept-encoding"] = "gzip"
    return Shape(target, request.method, headers, content, request.account.timeout)


def respond(request: Request, answer: Answer) -> Response:
    """Decode an answer.

    Raises `ContractBroken` where the body is too large, not in the charset that it says it is (or in UTF-8, where it
    says nothing), or not the JSON that it says it is; the error has the status, the media type, the charset and the
    position, never the text.
    """
    body = None if answer.trouble else _body(answer, raw=request.raw)
    trouble = answer.trouble or (str(body) if isinstance(body, Flaw) else "")
    if trouble:
        kind = _MEDIA_TYPE.match(answer.headers.get("content-type", ""))
        said = f"answers with a body that cannot be used: {kind[0] if kind else 'no media type'}, {trouble}"
        raise ContractBroken(request.account.system, said, status=answer.status)
    return Response(answer.status, answer.headers, body)


def note(wire: httpx.Request, result: Result, seconds: float) -> None:
    """Log one exchange at DEBUG: method, host, path without parameters, what came of it, how long it took."""
    if _log.isEnabledFor(logging.DEBUG):
        came = result.status if isinstance(result, Answer) else result.what
        path = wire.url.raw_path.partition(b"?")[0].decode("ascii")
        _log.debug("%s %s%s %s %.3fs", wire.method, wire.url.host, path, came, seconds)


def _body(answer: Answer, *, raw: bool) -> Any:
    """Decode a body by its media type: a value, a text, None where nothing came, or a `Flaw`.

    What an error says is read as well as it can be; of all else no byte is guessed.
    """
    if raw and answer.status < 400:
        return answer.data
    if not answer.data:
        return None
    kind = answer.headers.get("content-type", "")
    charset = named(kind)
    is_json = _JSON_TYPE.match(kind)
    if is_json and codec(charset) in (None, "utf-8", "ascii", "cp1252"):
        # Vendor: JSON is UTF-8 whatever a western default charset in the header says.
        return decode(answer.data)
    found = text(answer.data, charset) if answer.status < 400 else readable(answer.data, charset)
    return decode(found.encode()) if is_json and isinstance(found, str) else found


def _content(system: str, body: Body | None) -> tuple[bytes | File | None, str]:
    match body:
        case None:
            return None, ""
        case Json(value):
            written = encode(value)
            if written is None:
                raise UsageError(f"{system}: the body holds a value that JSON does not know")
            return written, "application/json"
        case Form(fields):
            return urlencode(fields, errors="surrogatepass").encode("ascii"), "application/x-www-form-urlencoded"
        case Bytes(data, kind):
            return data, kind
        case File(_, kind):
            return body, kind
        case Multipart(parts):
            return _multipart(parts)
        case _:
            assert_never(body)


def _multipart(parts: Mapping[str, str | tuple[str, bytes, str]]) -> tuple[bytes, str]:
    files = {
        name: (None, part.encode("utf-8", "surrogatepass")) if isinstance(part, str) else part
        for name, part in parts.items()
    }
    digest = hashlib.sha256("\0".join(files).encode("utf-8", "surrogatepass"))
    for part in files.values():
        digest.update(part[1])
    # A boundary from the parts themselves: the same request is the same bytes, and no part can hold it.
    kind = f"multipart/form-data; boundary={digest.hexdigest()}"
    return httpx.Request("POST", "http://multipart.invalid", headers={"content-type": kind}, files=files).read(), kind


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _unfit(shape: Shape, entry: Entry) -> str:
    """Name a header that may not be sent: what goes wrong deeper down is told with the header's value in it."""
    for name, value in _sent(shape, entry):
        if name in _OURS or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            return name or "(no name)"
    return ""


def _sent(shape: Shape, entry: Entry) -> list[tuple[str, str]]:
    return [(name, value.strip()) for name, value in {**shape.headers, **entry.headers}.items()]


class _FileStream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Reads a file anew for each try."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __iter__(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            while piece := file.read(STEP):
                yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece
