"""What went wrong in other people's syncs, lived through by ours: rows of the catalogue without a story elsewhere."""

from __future__ import annotations

import datetime as dt

from crmbridge.reasons import Code
from crmbridge.testing.faulty import Fault


def test_only_the_fields_that_changed_are_written(world):
    person, lead = world.pair()
    world.ma.edit(person, city="Kobe")
    world.run()
    [*_, written] = [line for line in world.crm.ledger if line.by == "us"]
    assert (written.ref, dict(written.values)) == (lead, {"City": "Kobe"})


def test_a_record_whose_key_changes_stays_with_its_counterpart_and_leaves_the_old_key_to_others(both):
    world = both()
    person, lead = world.pair(email="kim@x.example")
    world.ma.edit(person, email="lee@x.example")
    world.run()
    other = world.left(email="kim@x.example", name="Another Kim")
    world.settle()
    assert world.counterpart(person) == lead
    assert world.crm.values(lead)["Email"] == "lee@x.example"
    assert world.counterpart(other) != lead
    assert [row["Email"] for row in world.crm.rows("lead")] == ["lee@x.example", "kim@x.example"]
    assert world.parked() == []


def test_class_c_waits_for_the_index_before_it_asks_a_person(worlds, promises):
    world = worlds(capabilities=promises("C", index_lag=dt.timedelta(minutes=5)))
    world.left(email="kim@x.example", name="Kim")
    world.crm.then(Fault.LOST_BEFORE)
    world.run()
    world.run(after=120)
    assert [(state, code) for state, code, _ in world.parked()] == [("held", Code.INTENT_OPEN)]
    world.run(after=240)
    assert [(state, code) for state, code, _ in world.parked()] == [("quarantined", Code.IN_DOUBT)]
