"""Pipelines by the laws of a pipeline, and wrong ones that are caught."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest

from crmbridge import at, pair, policies, two_way
from crmbridge.adapters.account_engagement import AccountEngagement
from crmbridge.adapters.salesforce import Salesforce
from crmbridge.blueprints import account_engagement_salesforce as blueprint
from crmbridge.match import key, level
from crmbridge.model import Disposition, FieldSpec, FieldType, Normalisation, RecordRef
from crmbridge.stores import MemoryStore
from crmbridge.testing import EVERYTHING, LawBroken, PipelineSuite, PipelineUnderTest, described
from crmbridge.testing.checks import PIPELINE_LAWS
from crmbridge.testing.fakes.account_engagement import FakeAccountEngagement
from crmbridge.testing.fakes.salesforce import FakeSalesforce
from crmbridge.testing.faulty import FaultyConnector
from crmbridge.testing.sim import ManualClock, SimDriver, SimulatedCrash

LOOSE = frozenset({Normalisation.CASE})
AE, SF = "https://pi.example", "https://org.example"


def ends(clock):
    ma = described("person", FieldSpec("email", FieldType.EMAIL, normalises=LOOSE), FieldSpec("name"))
    crm = described("lead", FieldSpec("Email", FieldType.EMAIL, normalises=LOOSE), FieldSpec("Name"))
    able = attrs.evolve(EVERYTHING, settles_in=dt.timedelta(minutes=1))
    return [
        FaultyConnector(name, schema, capabilities=able, now=clock.now) for name, schema in (("ma", ma), ("crm", crm))
    ]


def trial():
    """Put a two-way pipeline between two fakes on trial."""
    clock, held = ManualClock(), MemoryStore()
    left, right = ends(clock)
    built = (
        two_way("people", at(left, "person"), at(right, "lead"))
        .match(level("email", key("email", "Email", str.lower)))
        .creates(left=True, right=True)
        .fields(pair("email", "Email"), pair("name", "Name"), policy=policies.right_wins)
        .remember(held)
    )

    def change(n):
        if n == 0:
            left.put("person", email="kim@x.example", name="Kim")
        elif n == 1:
            right.put("lead", Email="lee@x.example", Name="Lee")
            right.put("lead", Email="KIM@x.example", Name="金")
        elif n == 2:
            left.put("person", email="sato@x.example", name="佐藤")
        else:
            [first, *_] = left.rows("person")
            left.edit(RecordRef("ma", "person", first["id"]), name=f"Kim {n}")

    def dying(effect):
        try:
            built.using(SimDriver(clock=clock, crash_before=effect)).run()
        except SimulatedCrash:
            return True
        return False

    def state():
        rows = [(one["email"], one["name"]) for one in left.rows("person")]
        rows += [(one["Email"], one["Name"]) for one in right.rows("lead")]
        return sorted((str(email).lower(), str(name)) for email, name in rows)

    return PipelineUnderTest(
        built.using(SimDriver(clock=clock)),
        change,
        lambda: sum(line.by == "us" for one in (left, right) for line in one.ledger),
        clock.advance,
        state=state,
        dying=dying,
        changes=5,
    )


class TestTwoWay(PipelineSuite):
    @pytest.fixture
    def make(self):
        return trial


class TestBlueprint(PipelineSuite):
    @pytest.fixture
    def make(self):
        def made():
            clock, store = ManualClock(), MemoryStore()
            ae, sf = FakeAccountEngagement(now=clock.now), FakeSalesforce(now=clock.now)
            transports = {AE: ae.transport(), SF: sf.transport()}
            unit = ae.credentials["business_unit_id"]
            left = AccountEngagement.with_token(AE, ae.credentials["token"], business_unit_id=unit)
            right = Salesforce.with_token(SF, sf.credentials["token"], external_ids={"Lead": "Ext_Id__c"})
            built = blueprint.build(left, right, store=store)
            seller = sf.put("User", LastName="佐藤", Username="s@x.example", Email="s@x.example")
            user = ae.put("user", email="s@x.example", lastName="佐藤", salesforceId=seller)

            def change(n):
                ae.put("prospect", email=f"k{n}@x.example", lastName="山田", company="株式会社東都", assignedToId=user)
                sf.put("Lead", Email=f"l{n}@x.example", LastName="鈴木", Company="鈴木商店")

            return PipelineUnderTest(
                built.using(SimDriver(clock=clock, transports=transports, store=store)),
                change,
                lambda: sum(bool(write.request) for fake in (ae, sf) for write in fake.ledger),
                clock.advance,
            )

        return made


# -- wrong ones ------------------------------------------------------------------------------


class Wrong:
    """A pipeline that does something else as well, or less."""

    def __init__(self, on, **verbs):
        self.on, self.verbs = on.pipeline, verbs

    def plan(self):
        return self.verbs.get("plan", type(self.on).plan)(self.on)

    def run(self):
        return self.verbs.get("run", type(self.on).run)(self.on)


def plans_first(pipeline):
    plan = pipeline.plan()
    pipeline.run()
    return plan


def counts_wrongly(pipeline):
    report = pipeline.run()
    return attrs.evolve(report, read=report.read + 1)


def keeps_quiet(pipeline):
    return attrs.evolve(pipeline.run(), counts={})


def invents(pipeline):
    report = pipeline.run()
    return attrs.evolve(report, counts={**report.counts, Disposition.UNCHANGED: 9})


def touches(pipeline):
    """Writes something at every run."""
    report = pipeline.run()
    right = pipeline.definition.right.connector
    [first, *_] = right.rows("lead")
    right.edit(RecordRef("crm", "lead", first["id"]), by="us", Name=f"{report.id}")
    return report


class Idle:
    id, read, counts = "idle", 0, {}

    def rows(self):
        return iter(())


WRONG = {
    "writes while it plans": ({"plan": plans_first}, "a_plan_writes_nothing"),
    "counts what was not read": ({"run": counts_wrongly}, "counts_add_up"),
    "tells nothing of what it did": ({"run": keeps_quiet}, "a_run_does_what_its_plan_said"),
    "counts as unchanged what the plan never saw": ({"run": invents}, "a_run_does_what_its_plan_said"),
    "writes at every run": ({"run": touches}, "what_is_in_step_is_not_written"),
    "does nothing": ({"run": lambda _: Idle()}, "something_crosses"),
}
LAWS = {law.name: law for law in PIPELINE_LAWS}


@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_pipeline_is_caught(fault):
    verbs, law = WRONG[fault]

    def make():
        on = trial()
        return attrs.evolve(on, pipeline=Wrong(on, **verbs))

    with pytest.raises(LawBroken) as broken:
        LAWS[law](make)
    assert broken.value.law == law


def test_a_record_that_is_removed_before_the_first_run_is_counted_by_the_plan_alone():
    def make():
        on = trial()
        left = on.pipeline.definition.left.connector

        def change(n):
            if n < 2:
                left.put("person", email=f"k{n}@x.example", name="Kim")
            else:
                left.remove(RecordRef("ma", "person", left.rows("person")[0]["id"]))

        return attrs.evolve(on, change=change, changes=3)

    LAWS["a_run_does_what_its_plan_said"](make)
    on = make()
    on.live()
    planned, done = on.pipeline.plan().totals.by_disposition, on.pipeline.run().counts
    assert (planned[Disposition.APPLIED], planned[Disposition.UNCHANGED]) == (1, 1)
    assert (done[Disposition.APPLIED], done[Disposition.UNCHANGED]) == (1, 0)


def test_a_death_that_leaves_a_twin_is_caught():
    def make():
        on = trial()
        left = on.pipeline.definition.left.connector

        def dying(effect):
            died = on.dying(effect)
            if died and effect > 30:
                left.put("person", email="twin@x.example", name="Kim")
            return died

        return attrs.evolve(on, dying=dying)

    with pytest.raises(LawBroken, match="died at effect 31"):
        LAWS["a_run_that_dies_is_finished_by_the_next"](make)


def test_a_decision_without_a_reason_that_can_be_said_is_caught():
    def speechless(pipeline):
        report = pipeline.run()
        [first, *_] = report.rows()

        class Speechless(Idle):
            def rows(self):
                return iter([attrs.evolve(first, because=attrs.evolve(first.because, code="no such code"))])

        return Speechless()

    def make():
        on = trial()
        return attrs.evolve(on, pipeline=Wrong(on, run=speechless))

    with pytest.raises(LawBroken, match="every decision has a reason"):
        LAWS["every_decision_has_a_reason"](make)
