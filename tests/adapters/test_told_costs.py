"""What a plan says that it costs is what its run then sends: one world for each connector that writes."""

from __future__ import annotations

from collections import Counter

import attrs
import pytest

from crmbridge import at, events, gates, key, level, pair, plain, policies, put, two_way
from crmbridge.adapters.account_engagement import AccountEngagement
from crmbridge.adapters.digima import Digima
from crmbridge.adapters.salesforce import Salesforce
from crmbridge.model import FieldSpec
from crmbridge.stores.memory import MemoryStore
from crmbridge.testing.connector import EVERYTHING, FakeConnector, described
from crmbridge.testing.fakes.account_engagement import FakeAccountEngagement
from crmbridge.testing.fakes.digima import FakeDigima
from crmbridge.testing.fakes.salesforce import FakeSalesforce
from crmbridge.testing.sim import ManualClock, SimDriver

HOME, UNIT, FORMS = "https://org.my.salesforce.test", "https://pi.pardot.test", "https://form.digima.com"
VERBS = {"POST": "create", "PATCH": "update", "DELETE": "archive"}
LATER = 1_800


class Office:
    """A register in memory, whose people are carried to a vendor; its plans are priced and its runs are watched."""

    def __init__(self, kind, fields, vendor, fake, host):
        self.clock, self.fake = ManualClock(), fake
        fake.now = self.clock.now
        self.register = FakeConnector("register", described("person", *map(FieldSpec, fields)), now=self.clock.now)
        self.pipe = (
            two_way("p", at(self.register, "person"), at(vendor, kind))
            .match(level("email", key("email", fields["email"])))
            .creates(left=False, right=True)
            .deletes(right="archive")
            .fields(*(pair(ours, theirs) for ours, theirs in fields.items()), policy=policies.left_always)
            .remember(MemoryStore())
            .using(SimDriver(clock=self.clock, transports={host: fake.transport()}))
        )
        self.system = vendor.system

    def priced(self):
        """Plan and run the plan: what it told, and what arrived of it: writes by verb, and reads by id."""
        self.clock.advance(LATER)
        plan = self.pipe.plan()
        told, before = plan.cost()[self.system], len(self.fake.requests)
        self.pipe.run(plan).raise_for_failures()
        sent = list(self.fake.requests)[before:]
        for _ in range(2):
            self.clock.advance(LATER)
            self.pipe.run()
        writes = Counter(VERBS[request.method] for request in sent if request.method in VERBS)
        # The first asks for what has changed.
        reads = [request for request in sent if request.method == "GET"][1:]
        return told, (dict(writes), len(reads))

    def lives(self, number):
        """Price a life: people are made, edited and removed."""
        people = [self.register.put("person", email=f"k{n}@east.example", last=f"L{n}") for n in range(number)]
        yield self.priced()
        for person in people:
            self.register.edit(person, last="M")
        yield self.priced()
        for person in people:
            self.register.remove(person)
        yield self.priced()


def unit():
    fake = FakeAccountEngagement()
    business_unit = fake.credentials["business_unit_id"]
    vendor = AccountEngagement.with_token(UNIT, fake.credentials["token"], business_unit_id=business_unit)
    return Office("prospect", {"email": "email", "last": "lastName"}, vendor, fake, UNIT)


def test_account_engagement_takes_one_request_a_record_for_every_verb():
    for told, sent in unit().lives(30):
        assert (told.writes, told.reads) == sent
        assert list(told.writes.values()) == [30]


@pytest.mark.parametrize(("apart", "reads"), [(1, 3), (25, 3), (26, 30), (1_000, 30)])
def test_account_engagement_reads_ids_that_lie_far_apart_one_by_one(apart, reads):
    office = unit()
    people = []
    for n in range(10):
        office.fake.place("prospect", {"email": f"k{n}@east.example", "lastName": "L"}, id=str(100 + n * apart))
        people.append(office.register.put("person", email=f"k{n}@east.example", last="L"))
    office.clock.advance(LATER)
    office.pipe.run()
    for person in people:
        office.register.edit(person, last="M")
    told, sent = office.priced()
    assert (told.writes, told.reads) == sent == ({"update": 10}, reads)


def test_salesforce_takes_two_hundred_records_a_request_for_every_verb():
    fake = FakeSalesforce()
    vendor = Salesforce.with_token(HOME, fake.credentials["token"])
    office = Office("Contact", {"email": "Email", "last": "LastName"}, vendor, fake, HOME)
    for told, sent in office.lives(401):
        assert (told.writes, told.reads) == sent
        assert list(told.writes.values()) == [3]


def leaflets(sink, *fields, **transports):
    """Hand seven people to something that takes each once; tell what a plan told of it."""
    people = plain.rows([{"id": str(n), "email": f"k{n}@east.example"} for n in range(7)], id="id", system="shop")
    pipe = (
        events("p", at(people, "row"), sink)
        .fields(*fields)
        .remember(MemoryStore())
        .using(SimDriver(clock=ManualClock(), transports=transports))
    )
    pipe.enable()
    plan = pipe.plan()
    pipe.run(plan).raise_for_failures()
    return plan.cost()[sink.system]


def test_digima_takes_one_request_a_submission():
    fake = FakeDigima()
    vendor = Digima.connect(fake.account_code, {"form": fake.credentials["form_code"]})
    fields = (pair("email", "contact.email"), put("form", "form"))
    told = leaflets(at(vendor, "submission"), *fields, **{FORMS: fake.transport()})
    assert (told.writes, told.reads) == ({"create": len(fake.requests)}, 0) == ({"create": 7}, 0)


def test_a_function_is_called_once_a_record():
    taken = []
    told = leaflets(at(plain.each(taken.append, fields=["email"]), "row"), pair("email", "email"))
    assert (told.writes, told.reads) == ({"create": len(taken)}, 0) == ({"create": 7}, 0)


class Watched(FakeConnector):
    """Counts the requests that it is written by."""

    def __init__(self, *given, **how):
        super().__init__(*given, **how)
        self.sent = []

    def _done(self, part):
        self.sent.append(len(part))
        return super()._done(part)


@pytest.mark.parametrize(
    ("carries", "sent"), [({}, [10, 10, 5]), ({"create": 1}, [1] * 25), ({"create": 4}, [4, 4, 2] * 2 + [4, 1])]
)
def test_a_request_carries_as_many_records_of_a_verb_as_the_connector_says(carries, sent):
    crm = Watched(
        "crm", described("lead", FieldSpec("email")), capabilities=attrs.evolve(EVERYTHING, batch=10, carries=carries)
    )
    people = FakeConnector("ma", described("person", FieldSpec("email")))
    for n in range(25):
        people.put("person", email=f"k{n}@east.example")
    pipe = (
        two_way("p", at(people, "person"), at(crm, "lead"))
        .creates(left=False, right=True)
        .fields(pair("email", "email"), policy=policies.left_wins)
        .remember(MemoryStore())
        .using(SimDriver(clock=ManualClock()))
    )
    plan = pipe.plan()
    pipe.run(plan)
    assert crm.sent == sent
    assert plan.cost()["crm"].writes == {"create": len(sent)}


def test_a_plan_counts_batch_by_batch_as_its_run_writes():
    crm = Watched(
        "crm", described("lead", FieldSpec("email"), FieldSpec("n")), capabilities=attrs.evolve(EVERYTHING, batch=100)
    )
    people = FakeConnector("ma", described("person", FieldSpec("email"), FieldSpec("n")))
    for n in range(30):
        people.put("person", email=f"k{n}@east.example", n="yes" if n % 2 else None)
    pipe = (
        two_way("p", at(people, "person"), at(crm, "lead"))
        .creates(left=False, right=True)
        .fields(pair("email", "email"), pair("n", "n"), policy=policies.left_wins)
        .gate(gates.filled("n"), before="creating")
        .batches(of=10)
        .remember(MemoryStore())
        .using(SimDriver(clock=ManualClock()))
    )
    plan = pipe.plan()
    pipe.run(plan)
    assert crm.sent == [5, 5, 5]
    assert plan.cost()["crm"].writes == {"create": 3}
