"""A schema that changes between two runs: noticed before anything is written."""

from __future__ import annotations

import datetime as dt

import pytest

from crmbridge import at, one_way, pair
from crmbridge.errors import PairError
from crmbridge.model import FieldSpec, FieldType
from crmbridge.reasons import Code
from crmbridge.testing.connector import described

LATER = dt.timedelta(hours=2)


def reshaped(world, *fields):
    """Let the CRM's leads have other fields from now on, as an administrator there would."""
    world.crm.reshape(described("lead", *fields))


EMAIL, NAME, CITY = FieldSpec("Email", FieldType.EMAIL), FieldSpec("Name"), FieldSpec("City")


def test_a_field_that_is_gone_stops_the_run_before_it_writes_until_the_pair_is_mended(both):
    world = both()
    person, lead = world.pair()
    world.ma.edit(person, name="Park", city="Kobe")
    before = world.count()
    reshaped(world, EMAIL, NAME, FieldSpec("City__c"))
    for _ in range(2):
        with pytest.raises(PairError, match=r"crm\.lead\.City: .*City__c.*pair city\|City"):
            world.run(after=LATER)
    assert world.count() == before
    mended = world.pipeline()
    fields = [one for one in mended.definition.fields if one.label != "city|City"]
    mended = one_way("sync", at(world.ma, "person"), at(world.crm, "lead")).fields(
        *fields, pair("city", "City__c", fields[0].policy)
    )
    world.run(mended, after=LATER)
    assert world.crm.values(lead)["City__c"] == "Kobe"


def test_a_field_that_became_shorter_is_told_once_by_plan_or_report_and_in_check_before(both):
    world = both()
    world.pair()
    reshaped(world, EMAIL, NAME, FieldSpec("City", max_length=3))
    checked = world.ready().check()
    assert Code.BECAME_SHORTER in {finding.because.code for finding in checked}
    world.clock.advance(LATER)
    plan = world.plan()
    [finding] = plan.findings
    assert (finding.where, finding.pair, finding.fatal) == ("crm.lead.City", "city|City", False)
    assert "! crm.lead.City: City in crm now holds less: 3." in str(plan)
    assert world.run(after=LATER).findings == ()


def test_a_drift_that_concerns_no_pair_is_silent(world):
    world.pair()
    reshaped(world, EMAIL, NAME, CITY, FieldSpec("Brand_new", required=False))
    assert world.run(after=LATER).findings == ()


def test_a_schema_is_read_again_only_when_it_is_old(world):
    world.pair()
    reshaped(world, EMAIL, NAME, FieldSpec("City", max_length=3))
    assert world.run(after=60).findings == ()
