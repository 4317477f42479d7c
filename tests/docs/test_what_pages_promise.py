"""Statements of the pages about what happens later: after an edit, an administrator's change, a merge or a lost answer."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest

from crmbridge import at, events, key, level, one_way, pair, two_way
from crmbridge.model import Capabilities, CreateClass, Disposition, FieldSpec, FieldType, RecordRef
from crmbridge.notify import Collecting
from crmbridge.policies import left_wins
from crmbridge.quarantine import parked
from crmbridge.reasons import Code
from crmbridge.stores import MemoryStore
from crmbridge.testing.connector import FakeConnector, described
from crmbridge.testing.faulty import Fault, FaultyConnector
from crmbridge.testing.sim import ManualClock, SimDriver

HOUR = dt.timedelta(hours=1)


@attrs.frozen
class Scene:
    """A shop, a CRM whose phone numbers are short, and the clock of both."""

    clock: ManualClock
    shop: FakeConnector
    crm: FakeConnector

    def pipeline(self, *more):
        pipe = one_way("people", at(self.shop, "person"), at(self.crm, "contact"))
        pipe = pipe.match(level("e-mail", key("email", "email"))).fields(pair("email", "email"), *more)
        return pipe.remember(MemoryStore()).using(SimDriver(clock=self.clock))


PHONE = pair("phone", "phone")


@pytest.fixture
def scene():
    clock = ManualClock()
    fields = FieldSpec("email"), FieldSpec("phone"), FieldSpec("city")
    shop = FakeConnector("shop", described("person", *fields), now=clock.now)
    crm = FakeConnector(
        "crm", described("contact", FieldSpec("email"), FieldSpec("phone", max_length=8)), now=clock.now
    )
    return Scene(clock, shop, crm)


def test_there_is_one_notice_for_each_time_that_a_record_goes_into_quarantine(scene):
    told = Collecting()
    pipe = scene.pipeline(PHONE).on_quarantine(told)
    person = scene.shop.put("person", email="sei@x.example", phone="too long a number")
    for run, notices in ((pipe.run, 1), (pipe.run, 1), (lambda: pipe.retry([person]), 2)):
        run()
        assert len(told.notices) == notices
    scene.shop.edit(person, city="Kobe")
    pipe.run()
    assert len({notice.key for notice in told.notices}) == 3


def test_a_change_of_the_rules_is_told_until_a_run_has_worked_it_off_and_by_a_check_before(scene):
    pipe = scene.pipeline()
    scene.shop.put("person", email="sei@x.example", phone="1")
    pipe.run()
    changed = pipe.fields(PHONE)

    def says(findings):
        return Code.RULES_CHANGED in [finding.because.code for finding in findings]

    told = [says(found) for found in (changed.check(), changed.plan().findings, changed.plan().findings)]
    assert (told, says(changed.check())) == ([True, True, True], False)
    assert [says(changed.run().findings), says(changed.run().findings)] == [True, False]


def test_a_warning_of_a_changed_schema_is_told_by_the_plan_that_reads_it_and_by_no_run_after(scene):
    pipe = scene.pipeline(PHONE)
    scene.shop.put("person", email="sei@x.example", phone="1")
    pipe.run()
    needed = FieldSpec("industry", required=True)
    scene.crm.reshape(
        described("contact", FieldSpec("email", FieldType.EMAIL), FieldSpec("phone", max_length=4), needed)
    )
    assert pipe.run().findings == ()
    scene.clock.advance(2 * HOUR)
    found = [finding.because.code for finding in pipe.plan().findings]
    assert sorted(found) == sorted([Code.TYPE_CHANGED, Code.BECAME_SHORTER, Code.BECAME_REQUIRED])
    assert pipe.run().findings == ()


def test_the_row_of_a_merged_record_names_the_duplicate_as_its_counterpart():
    fields = FieldSpec("email"), FieldSpec("name")
    ma, crm = FakeConnector("ma", described("person", *fields)), FakeConnector("crm", described("contact", *fields))
    pipe = two_way("people", at(ma, "person"), at(crm, "contact")).match(level("e-mail", key("email", "email")))
    pipe = pipe.creates(left=True, right=True).fields(pair("email", "email"), policy=left_wins).remember(MemoryStore())
    duplicate, other = (ma.put("person", email=f"{name}@x.example") for name in ("sei", "mai"))
    pipe.run()
    merged, survivor = (RecordRef("crm", "contact", row["id"]) for row in crm.rows("contact"))
    crm.merge(merged, survivor)
    [row] = pipe.run().duplicates()
    assert (row.ref, row.counterpart) == (merged, duplicate)
    assert row.because.facts == {"record": f"contact {survivor.id}", "rival": f"person {other.id}"}
    ma.edit(duplicate, name="Sei")
    [row] = pipe.run().duplicates()
    assert row.ref == duplicate


def test_who_retries_all_records_retries_those_in_doubt_too():
    clock = ManualClock()
    shop = FakeConnector("shop", described("order", FieldSpec("name")), now=clock.now)
    once = Capabilities(creates=CreateClass.C)
    crm = FaultyConnector("crm", described("task", FieldSpec("name")), capabilities=once, now=clock.now)
    pipe = events("orders", at(shop, "order"), at(crm, "task")).fields(pair("name", "name")).remember(MemoryStore())
    pipe = pipe.using(SimDriver(clock=clock))
    pipe.enable()
    clock.advance(HOUR)
    shop.put("order", name="a")
    crm.then(Fault.LOST_AFTER)
    pipe.run()
    for _ in range(3):
        clock.advance(HOUR)
        pipe.run()
    assert [record.row.because.code for record in parked(pipe.store, "orders")] == [Code.IN_DOUBT]
    assert len(crm.rows("task")) == 1
    assert pipe.retry().counts[Disposition.APPLIED] == 1
    assert len(crm.rows("task")) == 2
