"""What a driver holds belongs to one process and one event loop: elsewhere it is made anew, or refused."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from crmbridge.drive import AsyncDriver
from crmbridge.errors import UsageError
from crmbridge.flow import Account, Request, gather, send

FORKING = """
import asyncio, os, sys
from crmbridge.drive import AsyncDriver, Driver
from crmbridge.flow import Account
from crmbridge.kit import ask

place = Account("shop", sys.argv[2])

def asked(driver, runner):
    flow = ask(place, "GET", "/x")
    answer = driver.run(flow)
    return answer if runner is None else runner.run(answer)

def closed(driver, runner):
    driver.close() if runner is None else runner.run(driver.aclose())

awaited = sys.argv[1] == "awaited"
driver, runner = (AsyncDriver(), asyncio.Runner()) if awaited else (Driver(), None)
print("parent", asked(driver, runner), flush=True)
if os.fork() == 0:
    own = asyncio.Runner() if awaited else None
    if sys.argv[3] == "asks":
        print("child", asked(driver, own), flush=True)
    closed(driver, own)
    os._exit(0)
os.wait()
print("parent", asked(driver, runner), flush=True)
closed(driver, runner)
"""

ENDED = """
import asyncio, sys
from crmbridge.drive import AsyncDriver
from crmbridge.flow import Account
from crmbridge.kit import ask

driver = AsyncDriver()
for _ in range(2):
    print(asyncio.run(driver.run(ask(Account("shop", sys.argv[1]), "GET", "/x"))), flush=True)
    asyncio.run(driver.aclose())
"""


@pytest.fixture
def counting() -> Iterator[str]:
    """Answer with the number of the connection on which a request came."""
    numbers = iter(range(1, 100))

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            self.number = next(numbers)

        def do_GET(self) -> None:
            body = str(self.number).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
@pytest.mark.parametrize("kind", ["blocking", "awaited"])
@pytest.mark.parametrize(("does", "seen"), [("asks", ["parent 1", "child 2"]), ("closes", ["parent 1"])])
def test_a_forked_process_has_connections_of_its_own_and_leaves_those_of_its_parent(counting, kind, does, seen):
    command = [sys.executable, "-c", FORKING, kind, counting, does]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (told.stdout.splitlines(), told.stderr) == ([*seen, "parent 1"], "")


def test_an_awaited_driver_is_refused_in_a_second_event_loop_before_anything_is_sent(account):
    sent: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request.url.path)
        return httpx.Response(200)

    driver = AsyncDriver(transport=httpx.MockTransport(handler))
    asyncio.run(driver.run(send(Request(account, "POST", "/first"))))
    for _ in range(2):
        with pytest.raises(UsageError, match=r"another event loop; make one inside asyncio\.run"):
            asyncio.run(driver.run(send(Request(account, "POST", "/second"))))
    assert sent == ["/first"]


def test_an_awaited_driver_that_was_closed_serves_the_next_event_loop(counting):
    narrow = Account("shop", counting, concurrency=2)
    driver = AsyncDriver()

    async def lived() -> list[str]:
        async with driver:
            responses = await driver.run(gather([send(Request(narrow, "GET", "/x")) for _ in range(6)], limit=6))
        return [response.body for response in responses]

    seen = [set(asyncio.run(lived())) for _ in range(3)]
    assert sum(map(len, seen)) == len(set.union(*seen))


def test_an_awaited_driver_is_closed_where_it_ran_as_long_as_that_loop_lives(counting):
    place = Account("shop", counting)
    driver = AsyncDriver()
    with asyncio.Runner() as first, asyncio.Runner() as second:
        assert first.run(driver.run(send(Request(place, "GET", "/x")))).body == "1"
        with pytest.raises(UsageError, match="another event loop"):
            second.run(driver.aclose())
        assert first.run(driver.run(send(Request(place, "GET", "/x")))).body == "1"
        first.run(driver.aclose())
        assert second.run(driver.run(send(Request(place, "GET", "/x")))).body == "2"
        second.run(driver.aclose())


def test_an_awaited_driver_whose_loop_has_ended_can_be_closed_in_another(counting):
    told = subprocess.run(
        [sys.executable, "-c", ENDED, counting], capture_output=True, text=True, timeout=60, check=False
    )
    assert (told.stdout.splitlines(), told.stderr) == (["1", "2"], "")
