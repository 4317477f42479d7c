"""What a record costs the client on its way to Salesforce and back, over a bare httpx loop with the same JSON.

    python benchmarks/client.py [--size RECORDS] [--rounds N] [--strict]

Upserts of 200 records and query pages of 2,000, against a server in another process that answers what a fake Salesforce
answered once. Retries, rate limits and the mapping of errors are on. Only the client's own CPU time counts.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import _rounds
import _yardsticks as yardsticks
import attrs
import httpx
from _rounds import Bar, Case
from _stub import far, stub

from crmbridge.adapters.salesforce import Salesforce
from crmbridge.drive import Driver
from crmbridge.flow import RateBudget
from crmbridge.model import Applied, Create, Query, RecordRef
from crmbridge.reasons import Code, because
from crmbridge.testing.fakes.salesforce import FakeSalesforce
from crmbridge.testing.tables import Field

BATCH, PAGE = 200, 2000
KEY = "Bridge_Key__c"
FIELDS = ("LastName", "FirstName", "Company", "Title", "Email", "Phone", "Street", "City", "PostalCode", "Website",
          "LeadSource", "HasOptedOutOfEmail")  # fmt: skip
HOME = "https://org.my.salesforce.test"
BASE = "/services/data/v67.0"
SOQL = f"SELECT {', '.join(('Id', 'SystemModstamp', *FIELDS))} FROM Lead"


def lead(number: int) -> dict[str, Any]:
    return dict(zip(FIELDS, (
        f"山田{number}", "花子", f"株式会社{number % 503}", "部長", f"person{number}@example{number % 97}.jp",
        f"03-{number % 10000:04}-0000", "1丁目2-3", "渋谷区", f"150-{number % 10000:04}",
        f"https://www.example{number % 97}.jp/", "Web", False,
    ), strict=True))  # fmt: skip


def recorded() -> Mapping[str, bytes]:
    """Let a fake answer each question once."""
    fake = FakeSalesforce(page_size=PAGE)
    fake.add_field("Lead", Field(KEY, "string", length=64, external_id=True, unique=True))
    client = httpx.Client(
        transport=fake.transport(),
        base_url=HOME,
        headers={"authorization": f"Bearer {fake.credentials['token']}"},
    )
    records = [{"attributes": {"type": "Lead"}, **lead(n), KEY: f"key{n}"} for n in range(PAGE)]
    for start in range(0, PAGE, BATCH):
        some = records[start : start + BATCH]
        upsert = client.patch(f"{BASE}/composite/sobjects/Lead/{KEY}", json={"allOrNone": False, "records": some})
    markers = "Id, SystemModstamp, LastModifiedById, IsDeleted, MasterRecordId, IsConverted, ConvertedContactId"
    page = client.get(f"{BASE}/queryAll", params={"q": f"SELECT {markers}, {', '.join(FIELDS)} FROM Lead"})
    return {
        f"GET {BASE}/sobjects": client.get(f"{BASE}/sobjects/Lead/describe").content,
        "GET": page.content,
        "PATCH": upsert.content,
    }


class Ours:
    """A connector and its driver, with every provision on."""

    def __init__(self, base: str) -> None:
        made = Salesforce.with_token(base, "token")
        account = attrs.evolve(made.account, budgets={"default": RateBudget(1e9)})
        self.salesforce = Salesforce(account, external_ids={"Lead": KEY})
        self.driver = Driver()

    def upserted(self, batches: Sequence[Sequence[Create]]) -> int:
        taken = 0
        for batch in batches:
            outcomes = self.driver.run(self.salesforce.apply(batch))
            taken += sum(isinstance(outcome, Applied) for outcome in outcomes)
        return taken

    def paged(self, pages: int) -> int:
        first = Query("Lead", FIELDS, limit=PAGE)
        return sum(len(self.driver.run(self.salesforce.read(first)).rows) for _ in range(pages))


def counted(count: int, wanted: int) -> None:
    if count != wanted:
        raise AssertionError(f"{count} records instead of {wanted}")


def main() -> int:
    given = _rounds.options(__doc__ or "", size=40_000)
    size = -(-given.size // PAGE) * PAGE
    pages = size // PAGE
    numbers = [range(start, start + BATCH) for start in range(0, size, BATCH)]
    plain = [[lead(n) | {KEY: f"key{n}"} for n in some] for some in numbers]
    new = because(Code.NEW)
    creates = [
        [Create("Lead", lead(n), RecordRef("ma", "p", str(n)), f"key{n}", new) for n in some] for some in numbers
    ]
    with (
        far(functools.partial(stub, recorded())) as server,
        httpx.Client(base_url=server.told, headers={"authorization": "Bearer token"}) as bare,
    ):
        ours = Ours(server.told)
        address = f"{BASE}/composite/sobjects/Lead/{KEY}"
        cases = [
            Case("bare upserts of 200", "records", size,
                 lambda: counted(yardsticks.upserted(bare, address, "Lead", plain), size)),
            Case("upserts of 200", "records", size, lambda: counted(ours.upserted(creates), size),
                 "bare upserts of 200"),
            Case("bare pages of 2,000", "records", size,
                 lambda: counted(yardsticks.paged(bare, f"{BASE}/queryAll", SOQL, pages), size)),
            Case("pages of 2,000", "records", size, lambda: counted(ours.paged(pages), size), "bare pages of 2,000"),
        ]  # fmt: skip
        bars = [Bar("upserts of 200", most=1.5), Bar("pages of 2,000", most=1.5)]
        return _rounds.run("client", cases, bars, given)


if __name__ == "__main__":
    raise SystemExit(main())
