"""The network of the driver that blocks: a request ends at its deadline, however slowly bytes come.

What httpx brings counts a timeout anew with each piece that is read or written, so that an answer whose headers drip
holds a worker for hours. Here the timeouts of a request become instants before they are handed down, and the streams,
which get them as they are, wait for what is left until then. httpx has no place for streams of one's own, so this
speaks to httpcore, on which httpx stands, and gives httpx's own errors.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import cast

import httpcore
import httpx

_PIECE = 16 * 1024
"""Bytes of a write between two looks at the clock."""

_COUNTED = frozenset({"connect", "read", "write"})
"""Timeouts that streams keep; waiting for a free connection is the pool's own, and counted once."""

_ERRORS: Mapping[type[Exception], type[httpx.TransportError]] = {
    httpcore.ConnectTimeout: httpx.ConnectTimeout,
    httpcore.ReadTimeout: httpx.ReadTimeout,
    httpcore.WriteTimeout: httpx.WriteTimeout,
    httpcore.PoolTimeout: httpx.PoolTimeout,
    httpcore.ConnectError: httpx.ConnectError,
    httpcore.ReadError: httpx.ReadError,
    httpcore.WriteError: httpx.WriteError,
    httpcore.ProxyError: httpx.ProxyError,
    httpcore.UnsupportedProtocol: httpx.UnsupportedProtocol,
    httpcore.LocalProtocolError: httpx.LocalProtocolError,
    httpcore.RemoteProtocolError: httpx.RemoteProtocolError,
}


class Line(httpx.BaseTransport):
    """Send over the network; the timeouts of a request count from its beginning, not from its last byte."""

    def __init__(self, verify: ssl.SSLContext, limits: httpx.Limits) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=verify,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_Network(),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and give the head of the answer; raises the errors of httpx."""
        url, began = request.url, time.monotonic()
        timeouts: Mapping[str, float] = request.extensions["timeout"]
        until = {name: seconds + began if name in _COUNTED else seconds for name, seconds in timeouts.items()}
        sent = httpcore.Request(
            request.method,
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=cast("httpx.SyncByteStream", request.stream),
            extensions={**request.extensions, "timeout": until},
        )
        with _as_httpx():
            answer = self._pool.handle_request(sent)
        stream = _Body(cast("Iterable[bytes]", answer.stream), answer)
        return httpx.Response(answer.status, headers=answer.headers, stream=stream)

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, pieces: Iterable[bytes], answer: httpcore.Response) -> None:
        self._pieces = pieces
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx():
            yield from self._pieces

    def close(self) -> None:
        with _as_httpx():
            self._answer.close()


class _Network(httpcore.NetworkBackend):
    """Connects; the timeouts that it is given are instants."""

    def __init__(self) -> None:
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.connect_tcp(host, port, left, local_address, socket_options))


class _Stream(httpcore.NetworkStream):
    """Reads and writes until an instant."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _PIECE):
            self._inner.write(buffer[start : start + _PIECE], _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)


def _left(until: float | None, late: type[Exception]) -> float | None:
    """Tell how many seconds are left until an instant; raises *late* where none are."""
    if until is None:
        return None
    left = until - time.monotonic()
    if left <= 0:
        raise late
    return left


@contextmanager
def _as_httpx() -> Generator[None]:
    """Raise the errors of httpx in place of those of httpcore."""
    try:
        yield
    except tuple(_ERRORS) as error:
        raise _ERRORS[type(error)](str(error)) from error
