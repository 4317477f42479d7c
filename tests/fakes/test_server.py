"""What every fake inherits: three faces, a ledger, arranging and looking."""

import json
import socket
import sys
import time
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from crmbridge.errors import MissingExtra
from crmbridge.testing.server import FakeServer
from crmbridge.testing.tables import Field, Table


class Shelf(FakeServer):
    """A system with one kind, `book`, that is created by POST and read by GET."""

    name = "shelf"

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.tables["book"] = Table(
            "book", [Field("title"), Field("isbn", unique=True), Field("lent", "boolean", default=False)]
        )

    def handle(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            table, at = self.tables["book"], self.now()
            row = table.insert(json.loads(request.content), at=at, by="a client")
            self.record("create", "book", row.id, dict(row.values), {}, by="a client", at=at)
            return httpx.Response(201, json={"id": row.id, "link": f"{self.base_url}/book/{row.id}"})
        return httpx.Response(200, json={"path": request.url.raw_path.decode(), "rows": self.rows("book")})


def noon() -> datetime:
    return datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_a_sync_client_reaches_a_fake_by_its_transport():
    fake = Shelf(now=noon)
    with httpx.Client(transport=fake.transport(), base_url="https://shelf.example") as client:
        answer = client.post("/book", json={"title": "Genji"})
    assert answer.json() == {"id": "1", "link": "https://shelf.example/book/1"}
    assert answer.headers["date"] == "Sat, 21 Nov 2026 12:00:00 GMT"
    assert [request.method for request in fake.requests] == ["POST"]


async def _async_post(transport: httpx.AsyncBaseTransport) -> httpx.Response:
    async with httpx.AsyncClient(transport=transport, base_url="https://shelf.example") as client:
        return await client.post("/book", json={"title": "Genji"})


@pytest.mark.parametrize("face", ["transport", "asgi"])
def test_an_async_client_reaches_a_fake_by_its_transport_and_as_an_asgi_application(face: str):
    import asyncio

    fake = Shelf()
    transport = fake.transport() if face == "transport" else httpx.ASGITransport(app=fake)
    answer = asyncio.run(_async_post(transport))
    assert (answer.status_code, answer.json()["link"]) == (201, "https://shelf.example/book/1")
    assert [row["title"] for row in fake.rows("book")] == ["Genji"]


def test_a_real_port_is_ready_at_once_and_its_links_point_back_at_it():
    fake = Shelf()
    began = time.perf_counter()
    with fake.serve() as base, httpx.Client(base_url=base) as client:
        answer = client.post("/book", json={"title": "Genji"})
        assert time.perf_counter() - began < 2
        assert answer.json()["link"] == f"{base}/book/1"
        assert answer.http_version == "HTTP/1.1"
        assert client.get("/a%2Fb?x=%2B+1").json()["path"] == "/a%2Fb?x=%2B+1"
    with pytest.raises(httpx.ConnectError):
        httpx.get(base)


def test_writes_by_the_api_and_by_people_stand_in_one_ledger_in_order():
    fake = Shelf(now=noon)
    with httpx.Client(transport=fake.transport(), base_url="https://shelf.example") as client:
        client.get("/book")
        client.post("/book", json={"title": "Genji"})
    fake.edit("book", "1", by="Murasaki", title="Genji Monogatari")
    fake.remove("book", "1")
    assert [(w.number, w.verb, w.id, w.by, w.request) for w in fake.ledger] == [
        (1, "create", "1", "a client", 2),
        (2, "update", "1", "Murasaki", 0),
        (3, "delete", "1", "a person", 0),
    ]
    assert (fake.ledger[1].before, fake.ledger[1].values) == ({"title": "Genji"}, {"title": "Genji Monogatari"})
    assert fake.rows("book") == []
    assert [row["title"] for row in fake.rows("book", deleted=True)] == ["Genji Monogatari"]


def test_what_is_arranged_is_not_in_the_ledger_and_takes_defaults():
    fake = Shelf()
    assert fake.put("book", title="Genji") == "1"
    assert fake.rows("book") == [{"id": "1", "lent": False, "title": "Genji"}]
    assert fake.ledger == ()


def test_arranging_an_unknown_field_or_kind_names_it():
    fake = Shelf()
    with pytest.raises(ValueError, match="'colour'"):
        fake.put("book", colour="red")
    with pytest.raises(ValueError, match=r"no kind 'film'; it has book"):
        fake.put("film")
    with pytest.raises(KeyError, match="book 7"):
        fake.edit("book", "7", title="x")


def test_json_lines_are_loaded_for_the_fake_that_they_name():
    fake = Shelf()
    lines = [
        '{"fake": "shelf", "kind": "book", "id": "b7", "values": {"title": "Genji"}, "at": "2020-01-02T03:04:05Z"}',
        "",
        '{"fake": "salesforce", "kind": "Lead", "values": {}}',
    ]
    assert fake.load(lines) == 1
    assert fake.rows("book")[0]["id"] == "b7"
    row = fake.tables["book"].get("b7")
    assert row is not None
    assert row.created == datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize("line", ["nonsense", '{"kind": "film", "values": {}}', '{"values": {}}', "[]"])
def test_a_json_line_that_cannot_be_used_is_named(line: str):
    with pytest.raises(ValueError, match="line 2"):
        Shelf().load(["", line])


def _raw(base: str, sent: bytes, *, half_close: bool = False) -> bytes:
    host, port = base.split("//")[1].split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(sent)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        while part := connection.recv(65536):
            received += part
        return received


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/3\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n", 400),
        (b"GET http:///x HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 300 + b"\r\n", 431),
    ],
)
def test_what_is_no_http_is_refused_and_reaches_no_table(sent: bytes, status: int):
    fake = Shelf()
    with fake.serve() as base:
        try:
            assert _raw(base, sent).startswith(f"HTTP/1.1 {status} ".encode())
        except ConnectionResetError:
            assert len(sent) > 2_000, "only what was not read to its end may be reset"
    assert fake.requests == []


@pytest.mark.parametrize(
    "sent",
    [
        b'POST /book HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\n{"title":',
        b'POST /book HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{"title":\r\n',
        b"POST /book HTTP/1.1\r\nHost: x\r\nConte",
    ],
)
def test_a_client_that_dies_in_the_middle_of_a_request_has_written_nothing(sent: bytes):
    fake = Shelf()
    with fake.serve() as base:
        assert _raw(base, sent, half_close=True) == b""
    assert (fake.ledger, fake.requests) == ((), [])


def test_a_chunked_body_is_read_and_the_connection_stays_open_for_the_next_request():
    fake = Shelf()
    head = b"POST /book HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunked = head + b'9;a=b\r\n{"title":\r\n8\r\n"Genji"}\r\n0\r\n\r\n'
    with fake.serve() as base:
        received = _raw(base, chunked + b"GET /book HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 201 Created\r\n")
    assert received.count(b"HTTP/1.1 ") == 2
    assert fake.rows("book")[0]["title"] == "Genji"


def test_a_client_that_expects_100_continue_is_told_to_go_on():
    fake = Shelf()
    sent = b"POST /book HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
    with fake.serve() as base:
        assert _raw(base, sent).startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\n")


def test_answers_are_compressed_for_those_who_ask_and_head_has_no_body():
    fake = Shelf()
    for number in range(100):
        fake.put("book", title=f"volume {number}")
    with fake.serve() as base:
        packed, plain = httpx.get(f"{base}/book"), httpx.get(f"{base}/book", headers={"Accept-Encoding": "gzip;q=0"})
        assert (packed.headers.get("content-encoding"), plain.headers.get("content-encoding")) == ("gzip", None)
        assert packed.json() == plain.json()
        bare = httpx.head(f"{base}/book", headers={"Accept-Encoding": "identity"})
        assert (bare.content, bare.headers["content-length"]) == (b"", plain.headers["content-length"])


def test_tls_without_trustme_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "trustme", None)
    with pytest.raises(MissingExtra, match=r"pip install 'crmbridge\[testing\]'"), FakeServer().serve(tls=True):
        pass


def test_a_fake_speaks_tls_with_a_certificate_of_its_own_authority():
    import ssl

    pytest.importorskip("trustme", reason="needs trustme: pip install 'crmbridge[testing]'")
    fake = Shelf()
    with fake.serve(tls=True) as base:
        assert base.startswith("https://")
        trusting = ssl.create_default_context(cadata=fake.ca_pem)
        assert httpx.get(f"{base}/book", verify=trusting).status_code == 200
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{base}/book")
        assert httpx.get(f"{base}/book", verify=trusting).status_code == 200


def test_many_threads_see_one_request_after_another():
    from concurrent.futures import ThreadPoolExecutor

    fake = Shelf()

    def post(number: int) -> str:
        return client.post("/book", json={"title": str(number)}).json()["id"]

    with fake.serve() as base, httpx.Client(base_url=base) as client, ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(post, range(40)))
    assert sorted(ids, key=int) == [str(number) for number in range(1, 41)]
    assert [write.request for write in fake.ledger] == list(range(1, 41))
