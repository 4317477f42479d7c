"""HTTP/1.1 by the standard library, and ASGI: the ways by which a client that is no httpx client reaches a fake."""

import gzip
import re
import socket
import socketserver
import ssl
import threading
from collections.abc import Awaitable, Callable, Generator, Iterable, MutableMapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from http import HTTPStatus
from typing import Any, BinaryIO, cast

import httpx

Exchange = Callable[[httpx.Request], httpx.Response]

LINE = 65_536
HEADERS = 200
BODY = 256 * 1024 * 1024
IDLE = 60.0
"""Bytes in a line, lines in a head, bytes in a body, seconds without a word: more than that ends the connection."""

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_REASONS = {status.value: status.phrase for status in HTTPStatus}


class _Broken(Exception):
    """What the client sent is not HTTP; `status` says how to refuse it."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@contextmanager
def listen(exchange: Exchange, *, port: int, host: str, context: ssl.SSLContext | None) -> Generator[str]:
    """Accept connections in threads until the block ends, and give the base URL."""
    server = _Server(exchange, (host, port), context)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        shown = f"[{host}]" if ":" in host else host
        yield f"{'https' if context else 'http'}://{shown}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        server.hang_up()
        thread.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, exchange: Exchange, address: tuple[str, int], context: ssl.SSLContext | None) -> None:
        self.exchange = exchange
        self.context = context
        self.open: set[socket.socket] = set()
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Connection)

    def hang_up(self) -> None:
        """Close what clients keep alive, so that nothing answers after the block has ended."""
        for connection in list(self.open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Connection(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        server = cast(_Server, self.server)
        connection: socket.socket = self.request
        connection.settimeout(IDLE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server.open.add(connection)
        # A client that goes away or does not trust the certificate is no trouble of the fake.
        with suppress(OSError):
            if server.context:
                connection = server.context.wrap_socket(connection, server_side=True)
                server.open.add(connection)
            with connection.makefile("rb") as reader:
                while self._one(server, connection, reader):
                    pass
            connection.shutdown(socket.SHUT_RDWR)
        server.open.discard(connection)
        server.open.discard(self.request)
        connection.close()

    def _one(self, server: _Server, connection: socket.socket, reader: BinaryIO) -> bool:
        """Answer one request; False ends the connection."""
        try:
            request = _request(connection, reader, "https" if server.context else "http")
        except _Broken as broken:
            refusal = httpx.Response(broken.status, text=_REASONS[broken.status])
            connection.sendall(_answer(refusal, None, keep=False))
            return False
        if request is None:
            return False
        try:
            response = server.exchange(request)
        except httpx.TransportError:
            return False
        keep = request.extensions["keep"]
        sent = _answer(response, request, keep=keep)
        if response.extensions.get("truncated"):
            connection.sendall(sent[: -max(1, len(response.content) // 2)])
            return False
        connection.sendall(sent)
        return bool(keep)


def _request(connection: socket.socket, reader: BinaryIO, scheme: str) -> httpx.Request | None:
    """Read one request; None when the client has gone, in the middle of it or before."""
    line = reader.readline(LINE)
    while line in (b"\r\n", b"\n"):
        line = reader.readline(LINE)
    if not line.endswith(b"\n"):
        if len(line) < LINE:
            return None
        raise _Broken(414)
    parts = line.split()
    if len(parts) != 3 or not _TOKEN.fullmatch(parts[0]) or parts[2] not in (b"HTTP/1.1", b"HTTP/1.0"):
        raise _Broken(400)
    headers = _headers(reader)
    if headers is None:
        return None
    found = dict(headers)
    if len(found.get(b"host", b"")) == 0 and parts[2] == b"HTTP/1.1":
        raise _Broken(400)
    if found.get(b"expect", b"").lower() == b"100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = _body(reader, headers)
    if body is None:
        return None
    wish = found.get(b"connection", b"").lower()
    keep = b"keep-alive" in wish if parts[2] == b"HTTP/1.0" else b"close" not in wish
    return httpx.Request(
        parts[0].decode("ascii"),
        _url(scheme, found.get(b"host", b"localhost"), parts[1]),
        headers=headers,
        content=body,
        extensions={"keep": keep},
    )


@lru_cache(maxsize=256)
def _url(scheme: str, host: bytes, target: bytes) -> httpx.URL:
    try:
        text = target.decode("utf-8")
        url = httpx.URL(f"{scheme}://{host.decode('ascii')}{text}" if text.startswith("/") else text)
    except (UnicodeDecodeError, httpx.InvalidURL) as wrong:
        raise _Broken(400) from wrong
    if not url.host:
        raise _Broken(400)
    return url


def _headers(reader: BinaryIO) -> list[tuple[bytes, bytes]] | None:
    headers: list[tuple[bytes, bytes]] = []
    while True:
        line = reader.readline(LINE)
        if not line.endswith(b"\n"):
            if len(line) < LINE:
                return None
            raise _Broken(431)
        line = line.rstrip(b"\r\n")
        if not line:
            return headers
        name, colon, value = line.partition(b":")
        if not colon or not _TOKEN.fullmatch(name):
            raise _Broken(400)
        if len(headers) == HEADERS:
            raise _Broken(431)
        headers.append((name.lower(), value.strip(b" \t")))


def _body(reader: BinaryIO, headers: list[tuple[bytes, bytes]]) -> bytes | None:
    coding = [value.lower() for name, value in headers if name == b"transfer-encoding"]
    lengths = {value for name, value in headers if name == b"content-length"}
    if coding:
        if lengths or coding != [b"chunked"]:
            raise _Broken(400)
        return _chunks(reader)
    if not lengths:
        return b""
    length = lengths.pop()
    if lengths or not length.isdigit() or len(length) > 18:
        raise _Broken(400)
    return _exactly(reader, int(length))


def _chunks(reader: BinaryIO) -> bytes | None:
    body = bytearray()
    while True:
        line = reader.readline(LINE)
        size = line.split(b";")[0].strip()
        if not line.endswith(b"\n"):
            return None
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,15}", size):
            raise _Broken(400)
        if int(size, 16) == 0:
            return None if _headers(reader) is None else bytes(body)
        chunk = _exactly(reader, int(size, 16), len(body))
        if chunk is None:
            return None
        body += chunk
        if reader.readline(3) not in (b"\r\n", b"\n"):
            raise _Broken(400)


def _exactly(reader: BinaryIO, size: int, already: int = 0) -> bytes | None:
    if size + already > BODY:
        raise _Broken(413)
    body = reader.read(size)
    return body if len(body) == size else None


def _answer(response: httpx.Response, request: httpx.Request | None, *, keep: bool) -> bytes:
    body = b"".join(response.stream)  # type: ignore[arg-type]
    left_out = {b"content-length", b"transfer-encoding", b"connection"}
    headers = [(name, value) for name, value in response.headers.raw if name.lower() not in left_out]
    if request is not None and len(body) > 1000 and not _encoded(headers) and _wants_gzip(request):
        body = gzip.compress(body, 1)
        headers.append((b"Content-Encoding", b"gzip"))
    if response.status_code not in (204, 304):
        headers.append((b"Content-Length", str(len(body)).encode("ascii")))
    headers.append((b"Connection", b"keep-alive" if keep else b"close"))
    status = response.status_code
    head = f"HTTP/1.1 {status} {_REASONS.get(status, 'Unknown')}\r\n".encode("ascii")
    head += b"".join(name + b": " + value + b"\r\n" for name, value in headers) + b"\r\n"
    bare = status in (204, 304) or (request is not None and request.method == "HEAD")
    return head if bare else head + body


def _encoded(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    return any(name.lower() == b"content-encoding" for name, _ in headers)


def _wants_gzip(request: httpx.Request) -> bool:
    offers = request.headers.get("accept-encoding", "").lower().replace(" ", "").split(",")
    return any(offer.startswith("gzip") and not re.fullmatch(r"gzip;q=0(\.0*)?", offer) for offer in offers)


async def asgi(
    exchange: Exchange,
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    """Answer one ASGI scope: an HTTP request, or the beginning and end of a server's life."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message.get("body", b"")
        more = message.get("more_body", False)
    host = dict(scope["headers"]).get(b"host", b"localhost").decode("ascii")
    target: bytes = scope.get("raw_path") or scope["path"].encode("utf-8")
    query = b"?" + scope["query_string"] if scope.get("query_string") else b""
    url = f"{scope.get('scheme', 'http')}://{host}{target.split(b'?')[0].decode('utf-8')}{query.decode('utf-8')}"
    request = httpx.Request(scope["method"], url, headers=scope["headers"], content=body)
    response = exchange(request)
    sent = b"".join(response.stream)  # type: ignore[arg-type]
    headers = [(name.lower(), value) for name, value in response.headers.raw]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    cut = len(sent) // 2 if response.extensions.get("truncated") else len(sent)
    await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else sent[:cut]})
