"""A schema that changes between two runs: noticed before anything is written."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest

from crmbridge import at, key, level, look_up, one_way, pair, policies, put
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


def test_a_field_that_was_added_just_now_is_known_to_the_pair_that_names_it(both):
    world = both()
    world.pair()
    reshaped(world, EMAIL, NAME, CITY, FieldSpec("New"))
    more = world.pipeline().fields(pair("score", "New", policies.left_wins))
    person = world.left(email="lee@x.example", name="Lee", score="7")
    world.run(more, after=60)
    assert world.crm.values(world.counterpart(person))["New"] == "7"


def test_a_field_that_may_be_written_by_now_is_not_refused_by_what_was_read_before(world):
    reshaped(world, EMAIL, NAME, attrs.evolve(CITY, read_only=True))
    with pytest.raises(PairError, match="lets nobody write"):
        world.run()
    named = world.pipeline()
    named = attrs.evolve(named, definition=attrs.evolve(named.definition, fields=named.definition.fields[:2]))
    world.run(named)
    reshaped(world, EMAIL, NAME, CITY)
    world.left(email="kim@x.example", name="Kim", city="Kobe")
    world.run(after=60)
    assert [row["City"] for row in world.crm.rows("lead")] == ["Kobe"]


def test_a_schema_that_was_kept_is_read_again_once_where_a_pair_cannot_work(world):
    world.pair()
    wrong = world.pipeline().fields(pair("score", "Nothing", policies.left_wins))
    for _ in range(2):
        with pytest.raises(PairError, match=r"crm\.lead has no such field"):
            world.run(wrong, after=60)


def test_a_look_up_by_a_field_that_was_added_just_now_is_not_refused(world):
    def following(field):
        there = look_up("account", at(world.crm, "lead"), level("code", key("name", field)))
        return one_way("visits", at(world.ma, "person"), at(world.crm, "lead")).match(
            level("email", key("email", "Email"))
        ).fields(pair("email", "Email"), put("City", there.field("Email")))  # fmt: skip

    world.left(email="kim@x.example", name="Kim")
    world.run(following("Name"))
    reshaped(world, EMAIL, NAME, CITY, FieldSpec("Code"))
    world.run(following("Code"), after=60)
    with pytest.raises(PairError, match="has no such field"):
        world.run(following("Cods"), after=60)
