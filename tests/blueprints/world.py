"""Two systems and a pipeline between them, in virtual time: what the tests of this product pair arrange and look at."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs
import httpx

from crmbridge.adapters.account_engagement import AccountEngagement
from crmbridge.adapters.salesforce import Salesforce
from crmbridge.blueprints import account_engagement_salesforce as blueprint
from crmbridge.drive import AsyncDriver, Driver
from crmbridge.model import Decision, Disposition, RecordRef
from crmbridge.pipeline import Pipeline
from crmbridge.report import Report
from crmbridge.roles import JournalRow, StateStore
from crmbridge.stores.memory import MemoryStore
from crmbridge.testing.fakes.account_engagement import FakeAccountEngagement
from crmbridge.testing.fakes.salesforce import FakeSalesforce
from crmbridge.testing.sim import ManualClock, SimDriver

Settings = blueprint.Settings

AE, SF = "https://pi.example", "https://org.example"
SYSTEM_FIELDS = frozenset(
    {
        "Id", "id", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp",
        "createdAt", "updatedAt", "createdById", "updatedById", "Ext_Id__c",
    }
)  # fmt: skip
"""What differs between two ways to the same state: ids, stamps, authors and keys of our own."""

INTERVAL = 180.0
"""Seconds between two runs of a schedule: the vendor's own sync runs every two to four minutes (AE-12)."""


def ways_in(kind: str) -> dict[str, str]:
    """Name the external id fields for a way to create: class A with a key of ours, class C without."""
    return {"Lead": "Ext_Id__c"} if kind == "A" else {}


@attrs.define(eq=False)
class World:
    """A business unit and an organisation that share a clock, and a store."""

    clock: ManualClock = attrs.field(factory=ManualClock)
    store: StateStore = attrs.field(factory=MemoryStore)
    settings: Settings = Settings()
    creates: str = "A"
    ae: FakeAccountEngagement = attrs.field(init=False)
    sf: FakeSalesforce = attrs.field(init=False)
    ae_url: str = AE
    sf_url: str = SF
    seller: str = attrs.field(init=False)
    """The user to whom prospects are assigned, as the organisation knows it."""
    ae_seller: str = attrs.field(init=False)
    transports: dict[str, httpx.BaseTransport] | None = attrs.field(init=False)
    rules: Callable[[Pipeline], Pipeline] = lambda pipeline: pipeline
    """What a user adds to the blueprint."""
    secrets: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    """Client secrets that are given instead of the right ones, by system."""

    def __attrs_post_init__(self) -> None:
        self.ae = FakeAccountEngagement(now=self.clock.now)
        self.sf = FakeSalesforce(now=self.clock.now)
        self.transports = {AE: self.ae.transport(), SF: self.sf.transport()}
        self.seller = self.sf.put("User", LastName="佐藤", Username="sato@org.example", Email="sato@org.example")
        self.ae_seller = self.ae.put("user", email="sato@org.example", lastName="佐藤", salesforceId=self.seller)

    # -- arranging -------------------------------------------------------------------

    def prospect(self, email: str, *, assigned: bool = False, **values: Any) -> str:
        """Have a prospect, assigned to the seller or to nobody."""
        given = {"lastName": "山田", "company": "株式会社東都"} | values
        return self.ae.put("prospect", email=email, assignedToId=self.ae_seller if assigned else None, **given)

    def lead(self, email: str | None, **values: Any) -> str:
        """Have a lead."""
        return self.sf.put("Lead", Email=email, **({"LastName": "山田", "Company": "株式会社東都"} | values))

    def contact(self, email: str | None, **values: Any) -> str:
        """Have a contact."""
        return self.sf.put("Contact", Email=email, **({"LastName": "山田"} | values))

    def linked(self, email: str, kind: str = "Lead", **values: Any) -> tuple[str, str]:
        """Have a prospect and its lead or contact, equal and in step once a run has seen them."""
        right = self.lead(email, **values) if kind == "Lead" else self.contact(email, **values)
        left = {blueprint_names()[name]: value for name, value in values.items()}
        company = {} if kind == "Lead" else {"company": None}
        return self.prospect(email, **(company | left)), right

    # -- running ---------------------------------------------------------------------

    def pipeline(self, driver: Driver | None = None) -> Pipeline:
        """Build the blueprint against both systems."""
        left, right = self.ends()
        built = self.rules(blueprint.build(left, right, self.settings, store=self.store))
        return built.using(driver or self.driver())

    def ends(self) -> tuple[AccountEngagement, Salesforce]:
        """Connect to both systems."""
        given, held = self.ae.credentials, self.sf.credentials
        left = AccountEngagement.connect(
            self.ae_url,
            token_url=f"{self.ae_url}/services/oauth2/token",
            client_id=given["client_id"],
            client_secret=self.secrets.get("account_engagement", given["client_secret"]),
            business_unit_id=given["business_unit_id"],
        )
        secret = self.secrets.get("salesforce", held["client_secret"])
        right = Salesforce.connect(self.sf_url, held["client_id"], secret, external_ids=ways_in(self.creates))
        return left, right

    def driver(self, **how: Any) -> SimDriver:
        """Perform flows in virtual time, without a socket."""
        return SimDriver(clock=self.clock, transports=self.transports, store=self.store, **how)

    def run(self, after: float = INTERVAL) -> Report:
        """Let the schedule's interval pass, then run."""
        self.clock.advance(after)
        return self.pipeline().run()

    def why(self, kind: str, id: str, field: str | None = None) -> list[JournalRow]:
        """Ask what was written because of a record, and why."""
        system = "account_engagement" if kind == "prospect" else "salesforce"
        return list(self.pipeline().why(RecordRef(system, kind, id), field))

    # -- looking ---------------------------------------------------------------------

    def left(self, id: str) -> dict[str, Any]:
        """Show a prospect, one in the recycle bin too."""
        return next(row for row in self.ae.rows("prospect", deleted=True) if str(row["id"]) == id)

    def right(self, id: str) -> dict[str, Any]:
        """Show a lead or a contact, a deleted one too."""
        kind = "Lead" if id.startswith("00Q") else "Contact"
        return next(row for row in self.sf.rows(kind, deleted=True) if row["Id"] == id)

    def live(self, kind: str) -> list[dict[str, Any]]:
        """Show the prospects, leads or contacts that are there; a converted lead is not."""
        rows = self.ae.rows("prospect") if kind == "prospect" else self.sf.rows(kind)
        return [row for row in rows if not row.get("IsConverted")]

    def ours(self) -> list[tuple[str, str, str]]:
        """List our own writes: system, verb and kind; a person's writes belong to no request."""
        return [
            (fake.name, write.verb, write.kind) for fake in (self.ae, self.sf) for write in fake.ledger if write.request
        ]

    def state(self) -> dict[str, Any]:
        """Tell all that people can see of both systems, in an order that does not depend on ids."""
        seen: dict[str, list[dict[str, Any]]] = {}
        for fake, kind in ((self.ae, "prospect"), (self.sf, "Lead"), (self.sf, "Contact")):
            rows = [{**row, "gone": False} for row in fake.rows(kind)]
            held = {str(row.get("Id") or row.get("id")) for row in rows}
            bin_too = fake.rows(kind, deleted=True)
            rows += [{**row, "gone": True} for row in bin_too if str(row.get("Id") or row.get("id")) not in held]
            plain = [{name: value for name, value in row.items() if name not in SYSTEM_FIELDS} for row in rows]
            seen[kind] = sorted(plain, key=lambda row: repr(sorted(row.items(), key=lambda item: item[0])))
        return seen

    def parked(self) -> dict[tuple[str, str], str]:
        """Tell which records are parked, and by which reason."""
        name = self.pipeline().name
        return {
            (row.ref.kind, row.ref.id): str(row.because.code) if row.because else ""
            for row in self.store.quarantine.rows(name, None)
        }

    def twins(self) -> list[str]:
        """Name the addresses that several live leads or contacts share."""
        addresses = [row["Email"] for kind in ("Lead", "Contact") for row in self.live(kind) if row["Email"]]
        return sorted({one for one in addresses if addresses.count(one) > 1})


def blueprint_names() -> Mapping[str, str]:
    """Give the prospect's name for each field of a lead or contact that the default mapping pairs."""
    names: dict[str, str] = {"HasOptedOutOfEmail": "optedOut", "pi__score__c": "score"}
    for left, right, _ in blueprint._STANDARD:
        for one in [right] if isinstance(right, str) else right.values():
            if isinstance(one, str):
                names[one] = left
    return names


def one(report: Report, disposition: Disposition) -> Decision:
    """Give the only decision of a disposition."""
    [decision] = report.rows(disposition)
    return decision


def counts(report: Report) -> dict[str, int]:
    """Count a report's inputs by how they ended, zeros left out."""
    return {str(ended): count for ended, count in report.counts.items() if count}


@contextmanager
def on_ports(world: World) -> Iterator[World]:
    """Serve both systems on real ports."""
    with world.ae.serve() as ae_url, world.sf.serve() as sf_url:
        world.ae_url, world.sf_url, world.transports = ae_url, sf_url, None
        yield world


@contextmanager
def performer(world: World, *, awaited: bool) -> Iterator[Callable[[], Report]]:
    """Give what runs the pipeline by the driver that blocks or by the one that is awaited."""
    if not awaited:
        with Driver(world.store, clock=world.clock, transports=world.transports, seed=0) as driver:
            yield world.pipeline(driver).run
        return
    with asyncio.Runner() as loop:
        serves: Any = world.transports
        asynchronous = AsyncDriver(world.store, clock=world.clock, transports=serves, seed=0)
        left, right = world.ends()
        pipeline = world.rules(blueprint.build(left, right, world.settings, store=world.store)).using(asynchronous)
        yield lambda: loop.run(pipeline.run())
        loop.run(asynchronous.aclose())
