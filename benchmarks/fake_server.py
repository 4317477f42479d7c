"""How many batches of 200 records a second a fake Salesforce takes, with all of its checks, and how soon it is ready.

    python benchmarks/fake_server.py [--size BATCHES] [--rounds N] [--clients N] [--strict]

The server has a process of its own, and so has each client, which sends bytes and reads bytes. The server's CPU time
counts: a batch a second is one core's. The yardstick is a server that decodes, stores by key and answers, without a
check; both collect garbage as `crmbridge fakes serve` does. In process it is the same work without HTTP.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager

import _rounds
import _yardsticks as yardsticks
import httpx
from _rounds import Bar, Case
from _stub import clients, far, stub

from crmbridge.cli._fakes import collect_seldom
from crmbridge.testing.fakes.salesforce import FakeSalesforce
from crmbridge.testing.tables import Field

BATCH = 200
KEY = "Bridge_Key__c"
COLLECTION = "/services/data/v67.0/composite/sobjects"
UPSERT = f"{COLLECTION}/Lead/{KEY}"


def organisation() -> FakeSalesforce:
    fake = FakeSalesforce(history=10, daily_limit=10**9)
    fake.add_field("Lead", Field(KEY, "string", length=64, external_id=True, unique=True))
    return fake


def leads(fake: FakeSalesforce, count: int) -> list[str]:
    """Have leads for every record of so many batches, and give their ids."""
    return [fake.put("Lead", LastName="山田", Company="株式会社") for _ in range(count * BATCH)]


def served(count: int) -> Callable[[], AbstractContextManager[tuple[str, str, list[str]]]]:
    @contextmanager
    def serving() -> Generator[tuple[str, str, list[str]]]:
        fake = organisation()
        held = leads(fake, count)
        collect_seldom()
        with fake.serve() as base:
            yield base, fake.credentials["token"], held

    return serving


@contextmanager
def bare_server() -> Generator[str]:
    collect_seldom()
    with stub({"PATCH": yardsticks.upserting(KEY)}) as base:
        yield base


def ready() -> None:
    with organisation().serve():
        pass


def batch(client: int, ids: Sequence[str] = ()) -> bytes:
    """Write a request of 200 leads, of those with *ids* where there are any; an `@` is what makes their keys new."""
    records = [
        {
            "attributes": {"type": "Lead"}, KEY: f"@{n}", "LastName": f"山田{n}", "FirstName": "花子", "Title": "部長",
            "Company": f"株式会社{client}", "Phone": f"03-{n:04}-0000", "City": "渋谷区", "PostalCode": f"150-{n:04}",
            "Street": "1丁目2-3", "Website": "https://www.example.jp/", "LeadSource": "Web", "HasOptedOutOfEmail": False,
        }
        for n in range(BATCH)
    ]  # fmt: skip
    for record, id in zip(records, ids, strict=False):
        record["Id"] = id
    return json.dumps({"allOrNone": False, "records": records}, ensure_ascii=False).encode()


def over_a_port(given: argparse.Namespace, open: ExitStack) -> list[Case]:
    """Writes from clients in other processes, beside the bare server."""
    numbers, fresh = range(given.clients), itertools.count()
    fake, bare = open.enter_context(far(served(given.clients))), open.enter_context(far(bare_server))
    base, token, ids = fake.told

    def sending(to: str, line: str, bodies: Sequence[bytes]) -> Callable[[int, bytes], None]:
        head = f"{line} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json"
        return open.enter_context(clients(to, head, bodies))

    bodies = [batch(number) for number in numbers]
    known = [batch(number, ids[number * BATCH : (number + 1) * BATCH]) for number in numbers]
    bare_upsert = sending(bare.told, f"PATCH {UPSERT}", bodies)
    upsert = sending(base, f"PATCH {UPSERT}", bodies)
    create = sending(base, f"POST {COLLECTION}", bodies)
    update = sending(base, f"PATCH {COLLECTION}", known)
    size = given.size
    return [
        Case("bare server", "batches", size, lambda: bare_upsert(size, b"k"), seconds=bare.seconds),
        Case("upserts that update", "batches", size, lambda: upsert(size, b"old"), "bare server",
             ready=lambda: upsert(size, b"old"), seconds=fake.seconds),
        Case("upserts that create", "batches", size, lambda: upsert(size, b"n%d-" % next(fresh)), "bare server",
             seconds=fake.seconds),
        Case("updates by id", "batches", size, lambda: update(size, b"known"), "bare server", seconds=fake.seconds),
        Case("creates", "batches", size, lambda: create(size, b"c%d-" % next(fresh)), "bare server",
             seconds=fake.seconds),
        Case("upserts that update, wall", "batches", size, lambda: upsert(size, b"old"), seconds=time.perf_counter),
        Case("ready to answer, wall", "starts", 1, ready, seconds=time.perf_counter),
    ]  # fmt: skip


def in_process(given: argparse.Namespace) -> list[Case]:
    """The same writes without HTTP, beside the bare work."""
    fake, bare, fresh = organisation(), yardsticks.upserting(KEY), itertools.count()
    upsert, update = batch(0), batch(0, leads(fake, 1))
    size = max(1, given.size // 4)  # nothing ends this process between rounds, and the fake keeps all
    headers = {"Authorization": f"Bearer {fake.credentials['token']}", "Content-Type": "application/json"}

    def send(method: str, path: str, body: bytes, mark: bytes = b"") -> None:
        for turn in range(size):
            sent = body.replace(b"@", b"%s%d-" % (mark, turn))
            answer = fake.exchange(httpx.Request(method, f"https://localhost{path}", headers=headers, content=sent))
            if answer.status_code != 200 or b'"success":false' in answer.content:
                raise AssertionError(answer.text[:200])

    def bare_send() -> None:
        for turn in range(size):
            bare(upsert.replace(b"@", b"%d-" % turn))

    return [
        Case("bare work in process", "batches", size, bare_send),
        Case("upserts that update, in process", "batches", size, lambda: send("PATCH", UPSERT, upsert),
             "bare work in process", ready=lambda: send("PATCH", UPSERT, upsert)),
        Case("upserts that create, in process", "batches", size,
             lambda: send("PATCH", UPSERT, upsert, b"n%d-" % next(fresh)), "bare work in process"),
        Case("updates by id, in process", "batches", size, lambda: send("PATCH", COLLECTION, update, b"known"),
             "bare work in process"),
        Case("creates, in process", "batches", size, lambda: send("POST", COLLECTION, upsert, b"c%d-" % next(fresh)),
             "bare work in process"),
    ]  # fmt: skip


def main() -> int:
    given = _rounds.options(__doc__ or "", size=200, clients=3)
    with ExitStack() as open:
        cases = [*over_a_port(given, open), *in_process(given)]
        # A thousand batches a second were the bar where the bare server made 2,358.
        bars = [
            Bar("upserts that update", most=2.36),
            *(Bar(case, most=4.0) for case in ("upserts that create", "updates by id", "creates")),
            *(Bar(case, least=1000, guide=True) for case in ("upserts that update", "upserts that create")),
            Bar("ready to answer, wall", least=5),
        ]
        return _rounds.run("fake_server", cases, bars, given)


if __name__ == "__main__":
    raise SystemExit(main())
