"""A line that fails: what the driver says of a request agrees with what the server on the other side of it knows.

A proxy on a real port stands between the driver and a server that counts what it applied. Whatever the line does, a
request that is said not to have been sent was not applied, and one that may be repeated is.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import attrs
import httpx
import pytest

from crmbridge.credentials import ClientCredentials
from crmbridge.drive import SystemClock
from crmbridge.errors import Unreachable
from crmbridge.flow import Account, Bytes, File, Form, Json, Multipart, Repeat, Request, send
from crmbridge.testing.server import FakeServer

TOXICS = ("ok", "latency", "truncate", "lose", "reset", "swallow", "drip", "refuse")
"""Pass on; answer too late; cut the answer; close instead of it; reset instead of it; reset before the server has read
anything; answer drop by drop; listen nowhere."""

SLOW = ("latency", "drip")

PATIENCE = 0.15
"""Seconds that an account gives a request on a line that is slow."""


class Line:
    """A proxy that forwards one request after the other to a server, and spoils the next one that it is told to."""

    def __init__(self, upstream: str) -> None:
        self._upstream = httpx.URL(upstream)
        self._loop = asyncio.new_event_loop()
        self.toxic = "ok"
        self.spoiled = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        toxic, self.toxic = self.toxic, "ok"
        self.spoiled += toxic != "ok"
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if toxic != "swallow":
                await self._forward(toxic, await _message(head, reader), writer)
            if toxic in ("reset", "swallow"):
                hard = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, hard)
        except (OSError, asyncio.IncompleteReadError):
            """The driver has gone."""
        finally:
            await _close(writer)

    async def _forward(self, toxic: str, message: bytes, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection(self._upstream.host, self._upstream.port)
        forth.write(message)
        answer = await _message(await back.readuntil(b"\r\n\r\n"), back)
        await _close(forth)
        if toxic == "latency":
            await asyncio.sleep(PATIENCE * 2)
        if toxic == "drip":
            for at in range(0, len(answer), 20):
                writer.write(answer[at : at + 20])
                await asyncio.sleep(PATIENCE / 4)
        if toxic in ("ok", "latency", "truncate"):
            writer.write(answer[:-5] if toxic == "truncate" else answer)
            await writer.drain()

    @contextmanager
    def open(self) -> Iterator[str]:
        """Listen in a thread; give the address."""
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        thread = threading.Thread(target=self._loop.run_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            asyncio.run_coroutine_threadsafe(self._end(server), self._loop).result(20)
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()

    async def _end(self, server: asyncio.Server) -> None:
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def _message(head: bytes, reader: asyncio.StreamReader) -> bytes:
    """Read the body that a head announces, and ask that the connection be closed after it."""
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    lengths = [int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:")]
    lines[1:1] = [b"Connection: close"]
    return b"\r\n".join(lines) + (await reader.readexactly(lengths[0]) if lengths else b"")


class Counting(FakeServer):
    """Counts what it applied, by method and path."""

    def __init__(self) -> None:
        super().__init__()
        self.applied = Counter[str]()

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.applied[f"{request.method} {request.url.path}"] += 1
        if request.url.path == "/token":
            return httpx.Response(200, json={"access_token": "t", "expires_in": 3600})
        return httpx.Response(200, json={"size": len(request.content)})


@pytest.fixture(scope="module")
def counting() -> Iterator[tuple[Counting, str]]:
    server = Counting()
    with server.serve() as base:
        yield server, base


def kinds(folder: Any) -> dict[str, dict[str, Any]]:
    """Give one request of each kind."""
    (file := folder / "upload").write_bytes(b"x" * 3000)
    return {
        "get": {"method": "GET"},
        "json": {"method": "POST", "body": Json({"a": 1})},
        "form": {"method": "POST", "body": Form({"a": "1"})},
        "multipart": {"method": "POST", "body": Multipart({"a": ("a.csv", b"x", "text/csv")})},
        "bytes": {"method": "PUT", "body": Bytes(b"x")},
        "file": {"method": "PUT", "body": File(file)},
        "patch": {"method": "PATCH", "body": Json({"a": 1})},
        "delete": {"method": "DELETE"},
        "download": {"method": "GET", "into": folder / "download"},
    }


KINDS = ("get", "json", "form", "multipart", "bytes", "file", "patch", "delete", "download")


@contextmanager
def spoiled(toxic: str, upstream: str) -> Iterator[tuple[Account, Line]]:
    """Give an account behind a line that does this once."""
    line, patience = Line(upstream), PATIENCE if toxic in SLOW else 10.0
    with line.open() as base:
        if toxic == "refuse":
            with socket.socket() as nobody:
                nobody.bind(("127.0.0.1", 0))
                nowhere = f"http://127.0.0.1:{nobody.getsockname()[1]}"
                yield Account("shop", nowhere, timeout=patience), line
            return
        line.toxic = toxic
        yield Account("shop", base, timeout=patience), line


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("toxic", TOXICS)
def test_an_unsafe_request_is_said_to_have_arrived_where_it_may_have(drive, counting, tmp_path, toxic, kind):
    server, upstream = counting
    before = server.applied.total()
    with spoiled(toxic, upstream) as (account, line):
        request = Request(account, path="/x", repeat=Repeat.UNSAFE, **kinds(tmp_path)[kind])
        hands = drive(clock=Moved())
        if toxic == "ok":
            assert hands.run(send(request)).status == 200
        else:
            with pytest.raises(Unreachable) as lost:
                hands.run(send(request))
            assert lost.value.may_have_arrived is (toxic != "refuse")
            assert line.spoiled == (toxic != "refuse"), "it was sent once"
    applied = server.applied.total() - before
    assert applied == (toxic not in ("swallow", "refuse")) or (toxic in SLOW and not applied)
    assert not (tmp_path / "download").exists() or toxic == "ok", "no half of a file appears"


@pytest.mark.parametrize("kind", ["get", "json", "file", "download"])
@pytest.mark.parametrize("toxic", [toxic for toxic in TOXICS if toxic != "refuse"])
def test_a_safe_request_is_repeated_until_the_line_is_well(drive, counting, tmp_path, toxic, kind):
    server, upstream = counting
    before = server.applied.total()
    with spoiled(toxic, upstream) as (account, _):
        request = Request(account, path="/x", repeat=Repeat.SAFE, **kinds(tmp_path)[kind])
        assert drive(clock=Moved()).run(send(request)).status == 200
    applied = server.applied.total() - before
    # On a busy machine a slow line may pass a request on after the next one, and be slow for that one as well.
    assert applied >= 1 if toxic in SLOW else applied == (1 if toxic in ("ok", "swallow") else 2)


@pytest.mark.parametrize("toxic", [toxic for toxic in TOXICS if toxic != "refuse"])
def test_a_token_that_got_lost_is_fetched_again_and_the_request_sent_once(drive, counting, toxic):
    """What was lost is the token's answer; of the request itself nothing was sent, so an unsafe one may go on."""
    server, upstream = counting
    before = server.applied["POST /made"]
    with spoiled(toxic, upstream) as (account, _):
        credential = ClientCredentials(f"{account.base_url}/token", "client", "secret")
        request = Request(attrs.evolve(account, credential=credential), "POST", "/made", repeat=Repeat.UNSAFE)
        assert drive(clock=Moved()).run(send(request)).status == 200
    assert server.applied["POST /made"] - before == 1


class Moved(SystemClock):
    """The real time, in which nobody sleeps between two tries: this is about one line, not about patience."""

    def advance(self, by: object) -> None:
        """Let time pass at once."""
