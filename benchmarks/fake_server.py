"""How many batches of 200 upserts a second a fake Salesforce takes, with all of its checks, and how soon it is ready.

    python benchmarks/fake_server.py [--size BATCHES] [--rounds N] [--clients N] [--strict]

The server has a process of its own, and so has each client, which sends bytes and reads bytes. The server's CPU time
counts: a batch a second is one core's. The yardstick is a server that decodes, stores by key and answers, without a check.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager

import _rounds
import _yardsticks as yardsticks
from _rounds import Bar, Case
from _stub import clients, far, stub

from crmbridge.testing.fakes.salesforce import FakeSalesforce
from crmbridge.testing.tables import Field

BATCH = 200
KEY = "Bridge_Key__c"
PATH = f"/services/data/v67.0/composite/sobjects/Lead/{KEY}"


def organisation() -> FakeSalesforce:
    fake = FakeSalesforce(history=10, daily_limit=10**9)
    fake.add_field("Lead", Field(KEY, "string", length=64, external_id=True, unique=True))
    return fake


@contextmanager
def served() -> Generator[tuple[str, str]]:
    fake = organisation()
    with fake.serve() as base:
        yield base, fake.credentials["token"]


def bare_server() -> AbstractContextManager[str]:
    return stub({"PATCH": yardsticks.upserting(KEY)})


def ready() -> None:
    with organisation().serve():
        pass


def batch(client: int) -> bytes:
    """Write a request of 200 leads; an `@` stands for what makes its keys new."""
    records = [
        {
            "attributes": {"type": "Lead"}, KEY: f"@{n}", "LastName": f"山田{n}", "FirstName": "花子", "Title": "部長",
            "Company": f"株式会社{client}", "Phone": f"03-{n:04}-0000", "City": "渋谷区", "PostalCode": f"150-{n:04}",
            "Street": "1丁目2-3", "Website": "https://www.example.jp/", "LeadSource": "Web", "HasOptedOutOfEmail": False,
        }
        for n in range(BATCH)
    ]  # fmt: skip
    return json.dumps({"allOrNone": False, "records": records}, ensure_ascii=False).encode()


def main() -> int:
    given = _rounds.options(__doc__ or "", size=200, clients=3)
    bodies = [batch(number) for number in range(given.clients)]
    fresh = itertools.count()
    with far(served) as fake, far(bare_server) as bare:
        base, token = fake.told
        head = f"PATCH {PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json"
        with clients(base, head, bodies) as send, clients(bare.told, head, bodies) as send_bare:
            cases = [
                Case("bare server", "batches", given.size, lambda: send_bare(given.size, b"k"), seconds=bare.seconds),
                Case("upserts that create", "batches", given.size, lambda: send(given.size, b"n%d-" % next(fresh)),
                     "bare server", seconds=fake.seconds),
                Case("upserts that update", "batches", given.size, lambda: send(given.size, b"old"), "bare server",
                     ready=lambda: send(given.size, b"old"), seconds=fake.seconds),
                Case("upserts that update, wall", "batches", given.size, lambda: send(given.size, b"old"),
                     seconds=time.perf_counter),
                Case("ready to answer, wall", "starts", 1, ready, seconds=time.perf_counter),
            ]  # fmt: skip
            bars = [
                Bar("upserts that create", least=1000),
                Bar("upserts that update", least=1000),
                Bar("ready to answer, wall", least=5),
            ]
            return _rounds.run("fake_server", cases, bars, given)


if __name__ == "__main__":
    raise SystemExit(main())
