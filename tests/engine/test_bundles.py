"""Bundles: pipelines run as one, parents first; what one cannot do, the others do."""

from __future__ import annotations

import asyncio

import pytest

from crmbridge import Disposition, at, bundle, ensured, events, gates, linked, one_way, pair, put
from crmbridge.drive import AsyncDriver
from crmbridge.errors import BundleFailed, ForgedDelivery, NotAllowed, RunFailed, UsageError
from crmbridge.match import key, level
from crmbridge.model import Delivery, FieldSpec, FieldType, RecordRef, Signal
from crmbridge.reasons import Code
from crmbridge.stores import MemoryStore, SqliteStore
from crmbridge.testing.connector import EVERYTHING, FakeConnector, described
from crmbridge.testing.faulty import Fault, FaultyConnector
from crmbridge.testing.sim import ManualClock, SimDriver

PARENT = FieldSpec("company", FieldType.REFERENCE, refers_to=("company",))
DEAL_OF = FieldSpec("person", FieldType.REFERENCE, refers_to=("person",))


class World:
    """Companies, their people and the people's deals, to be carried over in this order."""

    def __init__(self, store=None):
        self.clock = ManualClock()
        self.store = store or MemoryStore()
        self.ma = FaultyConnector(
            "ma", described("company", FieldSpec("name")), described("person", FieldSpec("email"), PARENT),
            described("deal", FieldSpec("title"), DEAL_OF), described("news", FieldSpec("title")),
            capabilities=EVERYTHING, now=self.clock.now,
        )  # fmt: skip
        self.crm = FaultyConnector(
            "crm", described("account", FieldSpec("Name")), described("contact", FieldSpec("Email"), FieldSpec("Account")),
            described("opportunity", FieldSpec("Title"), FieldSpec("Contact")), described("note", FieldSpec("Title")),
            capabilities=EVERYTHING, now=self.clock.now,
        )  # fmt: skip

    def kinds(self, name, left, right, *pairs, by):
        return (
            one_way(name, at(self.ma, left), at(self.crm, right))
            .match(level(by[0], key(*by)))
            .fields(pair(*by), *pairs)
        )

    def pipes(self):
        companies = self.kinds("companies", "company", "account", by=("name", "Name"))
        people = self.kinds(
            "people", "person", "contact", put("Account", linked(companies, "company")), by=("email", "Email")
        )
        deals = self.kinds(
            "deals", "deal", "opportunity", put("Contact", linked(people, "person")), by=("title", "Title")
        )
        return companies, people, deals

    def whole(self, *pipes, driver=None):
        return bundle(*(pipes or self.pipes())).remember(self.store).using(driver or SimDriver(clock=self.clock))

    def fill(self):
        company = self.ma.put("company", name="Acme")
        person = self.ma.put("person", email="kim@x.example", company=company)
        return company, person, self.ma.put("deal", title="big", person=person)


@pytest.fixture(params=["memory", "sqlite"])
def world(request, tmp_path):
    return World(SqliteStore(tmp_path / "state.db") if request.param == "sqlite" else None)


def together(world):
    [account], [contact], [deal] = (world.crm.rows(kind) for kind in ("account", "contact", "opportunity"))
    return contact["Account"] == account["id"] and deal["Contact"] == contact["id"]


def test_pipelines_run_parents_first_however_they_are_named(world):
    companies, people, deals = world.pipes()
    whole = world.whole(deals, people, companies)
    assert whole.names == ("companies", "people", "deals")
    world.fill()
    report = whole.run()
    assert together(world)
    assert report.counts[Disposition.APPLIED] == 3
    assert world.whole(deals, companies).names == ("deals", "companies")


def test_counts_add_up_by_pipeline_and_in_all(world):
    world.fill()
    world.ma.put("person", email="held@x.example", company=world.ma.put("company", name="Held"))
    world.crm.single = lambda action: Fault.REJECTED if action.values.get("Name") == "Held" else None
    report = world.whole().run()
    assert {name: (one.read, sum(one.counts.values())) for name, one in report.reports.items()} == {
        "companies": (2, 2), "people": (2, 2), "deals": (1, 1),
    }  # fmt: skip
    assert report.read == sum(report.counts.values()) == 5 == len(list(report.rows()))
    assert (report.writes, report.counts[Disposition.QUARANTINED]) == (3, 2)
    assert "in all: 5 records read" in str(report)
    assert "合計: 5" in report.say("ja")
    with pytest.raises(RunFailed, match="2 quarantined"):
        report.raise_for_failures()


def test_the_duplicates_of_all_pipelines_are_told_together(world):
    doomed, kept = (world.ma.put("company", name=name) for name in ("Acme", "Acme Japan"))
    world.whole().run()
    accounts = {row["Name"]: RecordRef("crm", "account", row["id"]) for row in world.crm.rows("account")}
    world.crm.merge(accounts["Acme"], accounts["Acme Japan"])
    world.whole().run()
    world.ma.edit(doomed, name="Acme K.K.")
    world.clock.advance(1_200)
    report = world.whole().run()
    assert [one.ref for one in report.duplicates()] == [doomed]
    assert kept not in {one.ref for one in report.rows()}


def test_children_that_were_held_settle_in_the_run_that_links_their_parents(world):
    companies, people, deals = world.pipes()
    world.fill()
    assert people.remember(world.store).using(SimDriver(clock=world.clock)).run().counts[Disposition.HELD] == 1
    assert deals.remember(world.store).using(SimDriver(clock=world.clock)).run().counts[Disposition.HELD] == 1
    world.whole(companies, people, deals).run()
    assert together(world)
    assert [world.store.quarantine.rows(name) for name in ("people", "deals")] in ([[], []], [(), ()])


def test_a_plan_shows_children_with_parents_that_are_planned_themselves_and_can_be_approved(world):
    world.fill()
    whole = world.whole()
    plan = whole.plan()
    assert world.crm.ledger == []
    assert plan.totals.writes[("crm", "create")] == 3
    assert plan.totals.read == len(list(plan.rows())) == 3
    assert str(plan).count("「(new)」") == 2
    whole.run(plan)
    assert together(world)


def test_an_approved_plan_does_nothing_that_it_does_not_say(world):
    world.fill()
    whole = world.whole()
    plan = whole.plan()
    world.ma.put("company", name="Later")
    report = whole.run(plan)
    assert [row["Name"] for row in world.crm.rows("account")] == ["Acme"]
    assert report.counts[Disposition.HELD] == 1
    with pytest.raises(UsageError, match="made without"):
        world.whole(*world.pipes(), other(world)).run(plan)


def other(world):
    return world.kinds("news", "news", "note", by=("title", "Title"))


def test_a_pipeline_that_cannot_be_run_stops_those_that_refer_to_it_and_no_other(world):
    world.fill()
    world.ma.put("news", title="hello")
    world.crm.whole = lambda batch: Fault.NOT_ALLOWED if batch[0].kind == "contact" else None
    whole = world.whole(*world.pipes(), other(world))
    with pytest.raises(BundleFailed, match=r"people: .*; deals: not run") as caught:
        whole.run()
    assert isinstance(caught.value.errors["people"], NotAllowed)
    assert caught.value.left_out == ("deals",)
    assert list(caught.value.report.reports) == ["companies", "news"]
    assert [len(world.crm.rows(kind)) for kind in ("account", "contact", "opportunity", "note")] == [1, 0, 0, 1]
    world.crm.whole = lambda batch: None
    whole.run()
    assert together(world)


def test_a_plan_too_tells_at_the_end_what_could_not_be_planned(world):
    fence = world.store.leases.take("companies", "another", world.clock.now(), world.pipes()[0].definition.lease)
    with pytest.raises(BundleFailed) as caught:
        world.whole(*world.pipes(), other(world)).plan()
    assert (list(caught.value.errors), caught.value.left_out) == (["companies"], ("people", "deals"))
    assert list(caught.value.report.plans) == ["news"]
    world.store.leases.release(fence)


def test_pipelines_that_refer_to_each_other_in_a_circle_are_refused_by_name(world):
    one = world.kinds("one", "person", "contact", put("Account", linked("two", "company")), by=("email", "Email"))
    two = world.kinds("two", "company", "account", put("Owner", ensured(one)), by=("name", "Name"))
    with pytest.raises(UsageError, match=r"(one → two → one)|(two → one → two)"):
        bundle(one, two)


def test_a_bundle_of_nothing_and_two_pipelines_of_one_name_are_refused(world):
    with pytest.raises(UsageError, match="at least one"):
        bundle()
    with pytest.raises(UsageError, match="one name"):
        bundle(other(world), other(world))
    with pytest.raises(UsageError, match="no pipeline 'deals'"):
        bundle(other(world)).pipeline("deals")


def test_why_tells_of_all_pipelines_in_the_order_of_time(world):
    _, person, _ = world.fill()
    whole = world.whole()
    whole.run()
    rows = whole.why(person)
    assert [row.origin.kind for row in rows] == ["person"]
    [contact] = world.crm.rows("contact")
    assert [line.because.code for row in whole.why(rows[0].ref, "Account") for line in row.fields] == [Code.FOLLOWED]
    assert rows[0].ref.id == contact["id"]


def test_check_names_the_pipeline_of_each_finding(world):
    whole = world.whole(*world.pipes(), world.kinds("odd", "news", "note", put("Nothing", "x"), by=("title", "Title")))
    fatal = [finding for finding in whole.check() if finding.fatal]
    assert [finding.where.partition(":")[0] for finding in fatal] == ["odd"]


def test_the_same_verbs_are_awaited_with_an_asynchronous_driver(world):
    _, person, _ = world.fill()

    async def life():
        async with AsyncDriver(world.store, clock=world.clock) as driver:
            whole = bundle(*world.pipes()).remember(world.store).using(driver)
            assert [finding for finding in await whole.check() if finding.fatal] == []
            plan = await whole.plan()
            report = await whole.run(plan)
            drained = await whole.drain()
            with pytest.raises(UsageError, match="nobody opens"):
                await whole.receive(Delivery("POST", "/", {}, b""))
            return report, drained, await whole.why(person)

    report, drained, rows = asyncio.run(life())
    assert together(world)
    assert (report.writes, drained.read, len(rows)) == (3, 0, 1)


class Hook(FakeConnector):
    """A system that tells of changes, signed with a word."""

    def receive(self, delivery, *, now):
        word, kind, id = delivery.body.decode().split()
        if word != self.system:
            raise ForgedDelivery(f"{self.system}: the word is wrong")
        from crmbridge.model import RecordRef

        return [Signal(f"{id}-{now.isoformat()}", RecordRef(self.system, kind, id), now)]


def test_a_delivery_goes_to_every_pipeline_for_which_it_is_genuine(world):
    hook = Hook("hook", described("news", FieldSpec("title")), now=world.clock.now)
    more = Hook("more", described("news", FieldSpec("title")), now=world.clock.now)
    first = one_way("first", at(hook, "news"), at(world.crm, "note")).fields(pair("title", "Title"))
    second = events("second", at(more, "news"), at(world.crm, "note")).fields(pair("title", "Title"))
    whole = world.whole(first, second)
    ref = hook.put("news", title="hello")
    assert whole.receive(Delivery("POST", "/", {}, f"hook news {ref.id}".encode())) == 1
    with pytest.raises(ForgedDelivery):
        whole.receive(Delivery("POST", "/", {}, b"nobody news 1"))
    assert whole.drain().counts[Disposition.APPLIED] == 1
    assert world.crm.rows("note")[0]["Title"] == "hello"


def test_a_bundle_without_a_driver_runs_by_itself_and_one_without_a_store_says_what_to_call(world):
    world.fill()
    report = bundle(*world.pipes()).remember(world.store).run()
    assert report.writes == 3
    with pytest.raises(UsageError, match="remember"):
        bundle(*world.pipes()).run()


def test_what_plans_and_reports_find_and_object_to_is_told_of_the_whole(world):
    world.fill()
    companies, people, deals = world.pipes()
    guarded = world.whole(companies, people.guard(gates.at_most(creates=0, floor=0)), deals)
    plan = guarded.plan()
    assert plan.objection.code is Code.TOO_MANY_CREATES
    assert [(one.where, one.because.code) for one in plan.findings] == [("people: people", Code.TOO_MANY_CREATES)]
    report = guarded.run(plan)
    assert (report.findings, report.state_lost) == ((), False)
    assert guarded.plan().objection is None
    world.store = MemoryStore()
    assert world.whole().run().state_lost


def test_a_bundle_is_asked_why_of_a_record_and_of_nothing_else(world):
    with pytest.raises(UsageError, match=r"why\(\): a record is named by a RecordRef"):
        world.whole().why("1")
