"""Over a real port: refused, reset, cut off, dripping, too large, TLS that is not trusted."""

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import attrs
import httpx
import pytest

from crmbridge.drive import Driver
from crmbridge.errors import ContractBroken, Unreachable
from crmbridge.flow import Account, Bytes, File, Repeat, Request, gather, send
from crmbridge.testing.server import FakeServer

Served = Callable[[socket.socket], None]


@contextmanager
def port(serve: Served) -> Iterator[str]:
    """Answer each connection by a function of raw bytes."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)
    ending = threading.Event()

    def accept() -> None:
        while not ending.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    def answer(connection: socket.socket) -> None:
        with connection:
            connection.settimeout(5)
            try:
                connection.recv(65_536)
                serve(connection)
            except OSError:
                return

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        ending.set()
        thread.join()
        listener.close()


def says(*pieces: bytes, pause: float = 0.0) -> Served:
    def serve(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause)

    return serve


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    "serve",
    [
        says(),
        reset,
        says(HEAD),
        says(HEAD + b"Content-Length: 100\r\n\r\n{"),
        says(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n[1,2"),
        says(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
        says(HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"[1,2,3]" * 99)[:-9]),
        says(b"canary is no HTTP\r\n\r\n"),
        says(b"HTTP/1.1 200 OK\r\ncanary canary\r\n\r\n"),
    ],
    ids=["closed", "reset", "half a head", "short", "half a chunk", "no chunk", "half a gzip", "no http", "no header"],
)
def test_half_an_answer_is_unknown_and_an_unsafe_request_is_told_so(drive, serve):
    with port(serve) as base:
        request = Request(Account("shop", base), "POST", "/x", repeat=Repeat.UNSAFE)
        with pytest.raises(Unreachable) as lost:
            drive(clock=None).run(send(request))
    assert lost.value.may_have_arrived
    assert "canary" not in str(lost.value)


def test_a_refused_connection_was_never_sent(drive):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        base = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(Unreachable) as lost:
        drive().run(send(Request(Account("shop", base), "POST", "/x", repeat=Repeat.UNSAFE)))
    assert not lost.value.may_have_arrived


def test_a_name_that_nobody_has_was_never_sent(drive):
    with pytest.raises(Unreachable) as lost:
        drive().run(send(Request(Account("shop", "http://nobody.invalid"), "POST", "/x", repeat=Repeat.UNSAFE)))
    assert not lost.value.may_have_arrived


def test_an_authority_that_is_not_trusted_is_never_sent_to_and_one_that_is_given_is(drive, tmp_path):
    fake = FakeServer()
    with fake.serve(tls=True) as base:
        request = Request(Account("shop", base), "POST", "/x", repeat=Repeat.UNSAFE)
        with pytest.raises(Unreachable) as lost:
            drive().run(send(request))
        assert not lost.value.may_have_arrived
        assert not fake.requests
        (tmp_path / "ca.pem").write_text(fake.ca_pem)
        assert drive(verify=str(tmp_path / "ca.pem")).run(send(request)).status == 404


@pytest.mark.parametrize("head", [HEAD + b"Content-Length: 1000\r\n\r\n", HEAD + b"\r\n"])
def test_a_body_that_drips_is_given_up_at_the_deadline(drive, head):
    with port(says(head, *[b" "] * 100, pause=0.05)) as base:
        account = Account("shop", base, timeout=0.3)
        began = time.monotonic()
        with pytest.raises(Unreachable) as lost:
            drive(clock=None).run(send(Request(account, "POST", "/x", repeat=Repeat.UNSAFE)))
        assert time.monotonic() - began < 2
    assert lost.value.may_have_arrived


@pytest.mark.parametrize(
    "pieces",
    [
        [HEAD + b"X-A: ", *[b"a"] * 100],
        [b"HTTP/1.1 102 Processing\r\n\r\n"] * 100,
        [HEAD + b"Transfer-Encoding: chunked\r\n\r\n2;", *[b"a"] * 100],
    ],
    ids=["a header", "interim answers", "an extension of a chunk"],
)
def test_whatever_drips_around_a_body_is_given_up_at_the_deadline(drive, pieces):
    with port(says(*pieces, pause=0.05)) as base:
        account = Account("shop", base, timeout=0.3)
        began = time.monotonic()
        with pytest.raises(Unreachable) as lost:
            drive(clock=None).run(send(Request(account, "POST", "/x", repeat=Repeat.UNSAFE)))
        assert 0.3 <= time.monotonic() - began < 2
    assert lost.value.may_have_arrived


def test_a_system_that_takes_a_body_by_drops_is_given_up_at_the_deadline(drive):
    def drinks(connection: socket.socket) -> None:
        for _ in range(100):
            connection.recv(16_384)
            time.sleep(0.05)

    with port(drinks) as base:
        account, body = Account("shop", base, timeout=0.3), Bytes(b" " * 64_000_000)
        began = time.monotonic()
        with pytest.raises(Unreachable) as lost:
            drive(clock=None).run(send(Request(account, "POST", "/x", body=body, repeat=Repeat.UNSAFE)))
        assert time.monotonic() - began < 3
    assert lost.value.may_have_arrived


def test_a_connection_that_is_used_again_has_the_whole_time_of_each_request(drive):
    def answers(connection: socket.socket) -> None:
        while True:
            time.sleep(0.3)
            connection.sendall(HEAD + b"Content-Length: 2\r\n\r\n[]")
            connection.recv(65_536)

    with port(answers) as base:
        hands = drive(clock=None)
        account = Account("shop", base, timeout=1.0)
        for _ in range(5):
            assert hands.run(send(Request(account, "POST", "/x", repeat=Repeat.UNSAFE))).body == []


def test_silence_is_given_up_at_the_deadline(drive):
    with port(lambda _: time.sleep(3)) as base:
        account = Account("shop", base, timeout=0.2)
        began = time.monotonic()
        with pytest.raises(Unreachable):
            drive(clock=None).run(send(Request(account, "POST", "/x", repeat=Repeat.UNSAFE)))
        assert time.monotonic() - began < 2


def test_an_endless_body_is_given_up_at_the_cap(drive):
    def endless(connection: socket.socket) -> None:
        connection.sendall(HEAD + b"\r\n")
        while True:
            connection.sendall(b" " * 65_536)

    with port(endless) as base, pytest.raises(ContractBroken, match="too large"):
        drive().run(send(Request(Account("shop", base, max_bytes=3_000_000), "GET", "/x")))


def test_a_gzip_bomb_on_the_wire_is_given_up_at_the_cap(drive):
    bomb = gzip.compress(b" " * 40_000_000, 9)
    with (
        port(says(HEAD + b"Content-Encoding: gzip\r\n\r\n" + bomb)) as base,
        pytest.raises(ContractBroken, match="too large"),
    ):
        drive().run(send(Request(Account("shop", base, max_bytes=3_000_000), "GET", "/x")))


def test_the_fakes_gzip_bomb_is_given_up_at_the_cap(drive, account):
    fake = FakeServer()
    fake.faults.swell(80)
    with pytest.raises(ContractBroken, match="too large"):
        drive(transport=fake.transport()).run(send(Request(attrs.evolve(account, max_bytes=3_000_000), "GET", "/x")))


def test_after_each_general_fault_a_safe_request_succeeds(drive):
    fake = FakeServer()
    with fake.serve() as base:
        hands = drive()
        account = Account("shop", base)
        for arrange in (
            fake.faults.refuse_connection,
            fake.faults.lose_answer,
            fake.faults.apply_late,
            lambda: fake.faults.throttle(way="seconds"),
            lambda: fake.faults.throttle(way="date"),
            lambda: fake.faults.throttle(way="absurd"),
            lambda: fake.faults.throttle(way="silent"),
            lambda: fake.faults.fail(503),
            lambda: fake.faults.fail(504, applied=True),
        ):
            arrange()
            assert hands.run(send(Request(account, "GET", "/x"))).status == 404


def test_a_file_goes_up_and_an_answer_comes_down_over_the_wire(drive, tmp_path):
    class Echo(FakeServer):
        def handle(self, request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, content=request.content, headers={"content-type": "text/csv"})

    up, down = tmp_path / "up.csv", tmp_path / "down.csv"
    up.write_bytes(b"a,b\r\n" * 100_000)
    with Echo().serve() as base:
        account = attrs.evolve(Account("shop", base), max_bytes=100_000)
        response = drive().run(send(Request(account, "PUT", "/x", body=File(up, "text/csv"), into=down)))
    assert (response.status, response.body) == (200, None)
    assert down.read_bytes() == up.read_bytes()


def test_many_requests_share_few_connections(drive):
    fake = FakeServer()
    with fake.serve() as base:
        hands = drive(workers=8)
        flows = [send(Request(Account("shop", base), "GET", f"/{number}")) for number in range(40)]
        assert {answer.status for answer in hands.run(gather(flows, limit=8))} == {404}
    assert len(fake.requests) == 40


def test_a_closed_driver_can_be_used_again():
    with FakeServer().serve() as base:
        request = Request(Account("shop", base), "GET", "/x")
        with Driver() as driver:
            assert driver.run(send(request)).status == 404
        assert driver.run(send(request)).status == 404
        driver.close()
