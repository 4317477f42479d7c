"""Servers and clients in processes of their own, and how much CPU time they took."""

from __future__ import annotations

import multiprocessing
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import attrs

Answers = Mapping[str, bytes | Callable[[bytes], bytes]]
"""A JSON body, or what makes one of a request's, by the beginning of the request line: `GET /services`, `PATCH`."""

Serving = Callable[[], AbstractContextManager[Any]]


@attrs.frozen
class Far:
    """A server in another process."""

    told: Any
    """What it had to tell when it was ready."""
    _pipe: Connection

    def seconds(self) -> float:
        """Tell the CPU time that it has used."""
        self._pipe.send("seconds")
        used: float = self._pipe.recv()
        return used


@contextmanager
def far(serving: Serving) -> Generator[Far]:
    """Serve in another process until the block ends."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_far, args=(serving, there), daemon=True)
    process.start()
    try:
        yield Far(here.recv(), here)
    finally:
        process.terminate()
        process.join()


def _far(serving: Serving, pipe: Connection) -> None:
    with serving() as told:
        pipe.send(told)
        while pipe.recv():
            pipe.send(time.process_time())


# -- a server that checks nothing


@contextmanager
def stub(answers: Answers) -> Generator[str]:
    """Read requests and answer them without a look; give the base address."""
    ready = {line.encode(): body if callable(body) else _whole(body) for line, body in answers.items()}

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            connection: socket.socket = self.request
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with suppress(OSError), connection.makefile("rb") as reader:
                while line := reader.readline():
                    body = _body(reader)
                    answer = next(answer for start, answer in ready.items() if line.startswith(start))
                    connection.sendall(_whole(answer(body)) if callable(answer) else answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def _body(reader: BinaryIO) -> bytes:
    length = 0
    while (line := reader.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return reader.read(length)


def _whole(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=UTF-8\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


# -- clients that cost nothing here


@contextmanager
def clients(base: str, head: str, bodies: Sequence[bytes]) -> Generator[Callable[[int, bytes], None]]:
    """Have a client process for each body, and give what lets them send together: how often, and the mark's text.

    Every `@` in a body becomes that text and a number that grows, so that no two bodies need be alike.
    """
    with ExitStack() as stack:
        pipes: list[Connection] = []
        for number, body in enumerate(bodies):
            here, there = multiprocessing.Pipe()
            process = multiprocessing.Process(target=_client, args=(base, head, number, body, there), daemon=True)
            process.start()
            stack.callback(process.join)
            stack.callback(process.terminate)
            pipes.append(here)

        def send(times: int, mark: bytes) -> None:
            for place, pipe in enumerate(pipes):
                pipe.send((times // len(pipes) + (place < times % len(pipes)), mark))
            for pipe in pipes:
                trouble = pipe.recv()
                if trouble:
                    raise AssertionError(trouble)

        yield send


def _client(base: str, head: str, number: int, body: bytes, pipe: Connection) -> None:
    address = urlsplit(base)
    with socket.create_connection((address.hostname or "", address.port or 80)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader = connection.makefile("rb")
        while True:
            times, mark = pipe.recv()
            trouble = ""
            for turn in range(times):
                sent = body.replace(b"@", b"%s%d-%d-" % (mark, number, turn))
                connection.sendall(f"{head}\r\nContent-Length: {len(sent)}\r\n\r\n".encode() + sent)
                status, answer = reader.readline(), _body(reader)
                if b" 200 " not in status or b'"success":false' in answer.replace(b" ", b""):
                    trouble = f"{status!r} {answer[:200]!r}"
            pipe.send(trouble)
