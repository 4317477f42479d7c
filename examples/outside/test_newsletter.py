"""The tests of a project that uses crmbridge: its connector by the laws of connectors, its pipeline by fakes and seeds."""

import datetime as dt
import json

import attrs
import httpx
import pytest
from newsletter import ABLE, FIELDS, Newsletter, subscribers

from crmbridge.flow import Account
from crmbridge.model import CreateClass, Disposition, FieldSpec, FieldType, RecordRef
from crmbridge.stores import MemoryStore
from crmbridge.testing import (
    EVERYTHING,
    ConnectorSuite,
    FakeConnector,
    Hand,
    KindUnderTest,
    PipelineSuite,
    PipelineUnderTest,
    SimWorld,
    described,
    simulate,
)
from crmbridge.testing.faulty import FaultyConnector
from crmbridge.testing.sim import ManualClock, SimDriver

HOME = "https://newsletter.example"
LEAD = described("lead", FieldSpec("Email", FieldType.EMAIL), FieldSpec("Name"), FieldSpec("City"))


class Service:
    """The newsletter service, as its manual describes it."""

    def __init__(self):
        self.rows, self.writes, self.made = {}, 0, 0

    def __call__(self, request):
        path, body = request.url.path, json.loads(request.content or b"{}")
        if path == "/subscribers":
            return self.make(body) if request.method == "POST" else self.list(request.url.params)
        row = self.rows.get(path.rpartition("/")[2])
        if row is None:
            return httpx.Response(404, json={})
        if request.method == "GET":
            return httpx.Response(200, json=row)
        if request.headers.get("if-match", str(row["rev"])) != str(row["rev"]):
            return httpx.Response(412, json={})
        if not fits({**row, **body}):
            return httpx.Response(422, json={})
        self.writes += 1
        if request.method == "DELETE":
            del self.rows[str(row["id"])]
            return httpx.Response(204)
        row |= {**body, "rev": row["rev"] + 1}
        return httpx.Response(200, json=row)

    def make(self, values):
        if not fits(values):
            return httpx.Response(422, json={})
        if any(row["email"] == values["email"] for row in self.rows.values()):
            return httpx.Response(409, json={})
        self.made += 1
        self.writes += 1
        id = str(self.made)
        self.rows[id] = {"id": self.made, "rev": 1, "name": None, "city": None, **values}
        return httpx.Response(201, json=self.rows[id])

    def list(self, params):
        found = [row for row in self.rows.values() if row["id"] > int(params.get("after", 0))]
        found = [row for row in found if params.get("email", row["email"]) == row["email"]]
        limit = int(params.get("limit", 100))
        return httpx.Response(200, json={"subscribers": found[:limit], "more": len(found) > limit})


def fits(values):
    texts = {name: value for name, value in values.items() if name in FIELDS and value is not None}
    short = all(isinstance(value, str) and len(value) <= FIELDS[name].max_length for name, value in texts.items())
    known = values.keys() <= {*FIELDS, "id", "rev"}
    return known and short and bool(texts.get("email")) and "\ud800" not in "".join(texts.values())


@pytest.fixture
def service():
    return Service()


def sample(n):
    return {"email": f"k{n}@example.com", "name": f"山田{n}", "city": "札幌"}


class TestNewsletter(ConnectorSuite):
    @pytest.fixture
    def driver(self, service):
        return SimDriver(transports={HOME: httpx.MockTransport(service)})

    @pytest.fixture
    def connector(self):
        return Newsletter(Account("newsletter", HOME))

    @pytest.fixture
    def kind(self, service):
        def ref(row):
            return RecordRef("newsletter", "subscriber", str(row["id"]))

        hand = Hand(
            put=lambda values: ref(service.make(dict(values)).json()),
            edit=lambda ref, values: service.rows[ref.id].update(values, rev=service.rows[ref.id]["rev"] + 1),
            remove=lambda ref: service.rows.pop(ref.id),
            writes=lambda: service.writes,
        )
        return KindUnderTest("subscriber", sample, "name", hand)


def people(connector, clock, able=EVERYTHING):
    """Two fakes with the shapes of both systems; the newsletter's promises what our connector does."""
    newsletter = connector("newsletter", described("subscriber", *FIELDS.values()), capabilities=ABLE, now=clock.now)
    return newsletter, connector("crm", LEAD, capabilities=able, now=clock.now)


def trial():
    driver = SimDriver()
    newsletter, crm = people(FakeConnector, driver.clock)
    return PipelineUnderTest(
        subscribers(newsletter, crm).remember(MemoryStore()).using(driver),
        lambda n: newsletter.put("subscriber", **sample(n)),
        lambda: sum(line.by == "us" for end in (newsletter, crm) for line in end.ledger),
        driver.clock.advance,
    )


class TestSubscribers(PipelineSuite):
    @pytest.fixture
    def make(self):
        return trial


def test_a_subscriber_becomes_a_lead_and_a_correction_comes_back():
    driver = SimDriver()
    newsletter, crm = people(FakeConnector, driver.clock)
    pipeline = subscribers(newsletter, crm).remember(MemoryStore()).using(driver)
    subscriber = newsletter.put("subscriber", **sample(1))
    assert pipeline.run().counts[Disposition.APPLIED] == 1
    [lead] = crm.rows("lead")
    assert (lead["Email"], lead["Name"]) == ("k1@example.com", "山田1")
    crm.edit(RecordRef("crm", "lead", lead["id"]), Name="山田 太郎", City=None)
    pipeline.run()
    assert newsletter.values(subscriber) == {**sample(1), "name": "山田 太郎"}


def test_no_seed_breaks_a_law():
    able = attrs.evolve(EVERYTHING, creates=CreateClass.A, create_key="@key", settles_in=dt.timedelta(minutes=1))

    def world(_seed):
        clock = ManualClock()
        return SimWorld(clock, *people(FaultyConnector, clock, able))

    report = simulate(lambda world: subscribers(world.left, world.right), world, seeds=30, crashes=True)
    assert report.ok, report
