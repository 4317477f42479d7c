"""An approved plan is what a run of it does: nothing less where the world stood still, and nothing more where it moved."""

import pytest

from crmbridge import Disposition, policies
from crmbridge.reasons import Code
from crmbridge.testing.sim import SimDriver, SimulatedCrash


def revived_plan(world):
    pipe = world.pipeline(right="delete", left="archive", if_edited="revive")
    person, lead = world.pair(pipe)
    world.ma.remove(person)
    world.crm.edit(lead, City="Kobe")
    return pipe, lead, world.plan(pipe)


def test_a_plan_foresees_that_a_record_is_made_again_and_a_run_of_it_makes_it(both):
    world = both()
    pipe, lead, plan = revived_plan(world)
    assert plan.totals.writes == {("ma", "create"): 1}
    report = world.run(pipe, plan=plan)
    assert report.counts[Disposition.HELD] == 0
    assert [person["city"] for person in world.ma.rows("person")] == ["Kobe"]
    assert world.counterpart(lead)
    assert {row.ref: row.disposition for row in report.rows()} == {row.ref: row.disposition for row in plan.rows()}


def test_a_record_is_made_again_as_planned_though_its_row_is_of_a_later_batch(both):
    world = both()
    pipe = world.pipeline(right="delete", left="archive", if_edited="revive").batches(of=1)
    person, lead = world.pair(pipe)
    world.ma.remove(person)
    world.crm.edit(lead, City="Kobe")
    report = world.run(pipe, plan=world.plan(pipe))
    assert report.counts[Disposition.HELD] == 0
    assert world.counterpart(lead) != person


def test_a_record_is_not_made_again_where_the_plan_did_not_say_so(world):
    pipe = world.pipeline(right="delete", left="archive", if_edited="revive")
    person, lead = world.pair(pipe)
    plan = world.plan(pipe)
    world.ma.remove(person)
    world.crm.edit(lead, City="Kobe")
    report = world.run(pipe, plan=plan)
    assert report.counts[Disposition.HELD] == 2
    assert world.ma.rows("person") == []
    assert len(world.links()) == 1


def test_a_link_is_not_closed_where_the_plan_did_not_say_so(both):
    world = both()
    person, _ = world.pair()
    plan = world.plan()
    world.ma.remove(person)
    report = world.run(plan=plan)
    assert [row.because.code for row in report.rows(Disposition.HELD)] == [Code.NOT_PLANNED]
    assert len(world.links()) == 1
    world.settle()
    assert world.links() == []


def test_a_planned_closing_is_done(world):
    person, _ = world.pair()
    world.ma.remove(person)
    report = world.run(plan=world.plan())
    assert report.counts[Disposition.HELD] == 0
    assert world.links() == []


def test_two_records_are_not_tied_where_the_plan_did_not_say_so(world):
    plan = world.plan()
    for side in (world.left, world.right):
        side(**({"email": "kim@x.example"} if side == world.left else {"Email": "kim@x.example"}))
    assert world.run(plan=plan).counts[Disposition.HELD] == 2
    assert world.links() == []


def test_a_planned_tie_without_a_write_is_made(world):
    world.left(email="kim@x.example")
    world.right(Email="kim@x.example")
    report = world.run(plan=world.plan())
    assert (report.counts[Disposition.HELD], len(world.links()), world.count()) == (0, 1, 0)


@pytest.mark.parametrize("answers", [True, False])
def test_an_edit_that_lands_during_the_run_of_a_plan_is_left_to_an_ordinary_run(worlds, promises, answers):
    world = worlds(capabilities=promises(answers_with_stored=answers))
    person, lead = world.pair(world.pipeline(policies.left_wins))
    world.ma.edit(person, name="Park")
    plan = world.plan(world.pipeline(policies.left_wins))
    world.crm.edit(lead, City="Kobe")
    world.run(world.pipeline(policies.left_wins), plan=plan)
    assert world.ma.values(person)["city"] == "Tokyo"
    world.settle(world.pipeline(policies.left_wins))
    assert (world.ma.values(person)["city"], world.crm.values(lead)["Name"]) == ("Kobe", "Park")


def test_the_next_ordinary_run_decides_at_once_about_what_a_plan_left_undone(both):
    world = both()
    pipe = world.pipeline(policies.left_wins)
    person, lead = world.pair(pipe)
    world.ma.edit(person, name="Park")
    plan = world.plan(pipe)
    world.ma.edit(person, name="Lee")
    assert world.run(pipe, plan=plan).counts[Disposition.HELD] == 1
    assert world.run(pipe).counts[Disposition.APPLIED] == 1
    assert world.crm.values(lead)["Name"] == "Lee"


def test_a_later_plan_names_what_an_earlier_one_left_undone_and_a_run_of_it_does_it(world):
    pipe = world.pipeline(policies.left_wins)
    person, lead = world.pair(pipe)
    world.ma.edit(person, name="Park")
    plan = world.plan(pipe)
    world.ma.edit(person, name="Lee")
    world.run(pipe, plan=plan)
    assert world.run(pipe, plan=plan).counts[Disposition.HELD] == 1
    assert world.run(pipe, plan=world.plan(pipe)).counts[Disposition.APPLIED] == 1
    assert world.crm.values(lead)["Name"] == "Lee"


def test_a_record_that_no_plan_speaks_of_is_held_for_that_reason(world):
    person, _ = world.pair()
    plan = world.plan()
    new = world.left(email="lee@x.example")
    world.ma.remove(person)
    report = world.run(plan=plan)
    assert {row.ref: row.because.code for row in report.rows(Disposition.HELD)}[new] is Code.NOT_PLANNED


def test_what_a_dying_run_of_a_plan_left_undone_waits_no_longer_than_that_run(worlds):
    for effect in range(1, 200):
        world = worlds()
        pipe = world.pipeline(policies.left_wins)
        person, lead = world.pair(pipe)
        world.ma.edit(person, name="Park")
        plan = world.plan(pipe)
        world.ma.edit(person, name="Lee")
        try:
            world.ready(pipe, SimDriver(clock=world.clock, crash_after=effect)).run(plan)
            died = False
        except SimulatedCrash:
            died = True
            world.clock.advance(pipe.definition.lease)
        world.run(pipe)
        assert world.crm.values(lead)["Name"] == "Lee"
        if not died:
            return
    pytest.fail("the run never came to its end")
