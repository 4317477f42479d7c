"""Systems that tell nobody of a merge: a record that looks removed may live on in another."""

from __future__ import annotations

import pytest

from crmbridge.model import Disposition
from crmbridge.reasons import Code
from crmbridge.testing.faulty import Fault
from crmbridge.testing.sim import SimDriver, SimulatedCrash

RULES = [("delete", "ask"), ("archive", "ask"), ("delete", "remove"), ("delete", "revive")]


def silent(promises, **more):
    """Both systems report deletions, and no merge."""
    return promises(sees_merges=False, **more)


@pytest.mark.parametrize(("rule", "if_edited"), RULES)
@pytest.mark.parametrize("edited", [False, True])
def test_the_counterpart_of_a_merged_record_is_tied_to_the_survivor_and_not_removed(
    both, promises, rule, if_edited, edited
):
    world = both(capabilities=silent(promises))
    pipe = world.pipeline(left=rule, if_edited=if_edited)
    person, lead = world.pair(pipe)
    winner = world.right(Email="kim@x.example", Name="Chosen", City="Tokyo")
    world.crm.merge(lead, winner)
    if edited:
        world.ma.edit(person, city="Kobe")
    world.settle(pipe)
    assert world.counterpart(person) == winner
    assert world.ma.values(person)["name"] == "Chosen"
    assert world.crm.values(winner)["City"] == ("Kobe" if edited else "Tokyo")
    assert [past.verb for past in world.ma.history if past.by == "us"] == ["update"]
    assert world.parked() == []


def test_a_survivor_is_looked_for_on_the_left_as_well(worlds, promises):
    world = worlds(capabilities=silent(promises))
    pipe = world.pipeline(right="delete")
    person, lead = world.pair(pipe)
    winner = world.left(email="kim@x.example", name="Chosen", city="Tokyo")
    world.ma.merge(person, winner)
    world.settle(pipe)
    assert world.counterpart(lead) == winner
    assert world.crm.values(lead)["Name"] == "Chosen"


def test_two_linked_records_merged_without_a_word_leave_a_duplicate_that_nobody_writes_to(both, promises):
    world = both(capabilities=silent(promises))
    pipe = world.pipeline(left="delete")
    person, lead = world.pair(pipe)
    second = world.left(email="two@x.example", name="Two")
    world.run(pipe)
    winner = world.counterpart(second)
    world.ma.edit(second, email="kim@x.example")
    world.run(pipe)
    world.crm.merge(lead, winner)
    before = world.count()
    world.settle(pipe)
    assert world.count() == before
    assert [(link.left, link.closed.code) for link in world.closed()] == [(person, Code.DUPLICATE_OF)]


def test_several_survivors_are_for_a_person_to_choose_from(worlds, promises):
    world = worlds(capabilities=silent(promises))
    pipe = world.pipeline(left="delete").creates(left=False, right=True)
    _, lead = world.pair(pipe)
    for name in ("one", "two"):
        world.right(Email="kim@x.example", Name=name)
    world.crm.remove(lead)
    world.settle(pipe)
    assert world.ma.rows("person") != []
    assert ("disputed", "several_match", lead.id) in world.parked()


def test_the_survivor_that_a_person_names_is_the_counterpart(worlds, promises):
    world = worlds(capabilities=silent(promises))
    pipe = world.pipeline(left="delete").creates(left=False, right=True)
    person, lead = world.pair(pipe)
    _, chosen = (world.right(Email="kim@x.example", Name=name) for name in ("one", "two"))
    world.crm.remove(lead)
    world.settle(pipe)
    world.clock.advance(60)
    world.ready(pipe).rule(lead, chosen.id, by="the boss")
    world.settle(pipe)
    assert world.counterpart(person) == chosen
    assert ("disputed", "several_match", lead.id) not in world.parked()


def test_a_record_that_nobody_matches_is_removed_all_the_same(both, promises):
    world = both(capabilities=silent(promises))
    pipe = world.pipeline(left="delete")
    _, lead = world.pair(pipe)
    world.crm.remove(lead)
    report = world.run(pipe)
    assert world.ma.rows("person") == []
    assert report.counts[Disposition.APPLIED] == 1


def test_where_merges_are_reported_a_removed_record_is_believed(both, promises):
    world = both(capabilities=promises(sees_merges=True))
    pipe = world.pipeline(left="delete").creates(left=False, right=True)
    _, lead = world.pair(pipe)
    world.right(Email="kim@x.example", Name="Other")
    world.crm.remove(lead)
    world.run(pipe)
    assert world.ma.rows("person") == []


def test_a_survivor_that_may_be_a_copy_of_ours_is_waited_for(worlds, promises):
    world = worlds(capabilities=silent(promises))
    pipe = world.pipeline(left="delete")
    person, lead = world.pair(pipe)
    world.left(email="new@x.example", name="New")
    world.crm.then(Fault.LOST_AFTER)
    world.run(pipe)
    world.ma.edit(person, email="new@x.example")
    world.crm.remove(lead)
    world.run(pipe, after=5)
    assert len(world.ma.rows("person")) == 2
    world.settle(pipe)
    assert len(world.ma.rows("person")) == 2


def test_one_survivor_takes_one_link_however_many_were_merged_into_it(both, promises):
    world = both(capabilities=silent(promises))
    pipe = world.pipeline(left="delete").batches(of=200)
    person, lead = world.pair(pipe)
    second = world.left(email="two@x.example", name="Two")
    world.run(pipe)
    other = world.counterpart(second)
    world.ma.edit(second, email="kim@x.example")
    world.run(pipe)
    winner = world.right(Email="kim@x.example", Name="Chosen")
    world.crm.merge(lead, winner)
    world.crm.merge(other, winner)
    world.settle(pipe)
    assert [link.right for link in world.links()] == [winner]
    assert [link.closed.code for link in world.closed()] == [Code.DUPLICATE_OF]
    assert {row["id"] for row in world.ma.rows("person")} == {person.id, second.id}


def freed(world, pipe):
    """Two pairs under one key; the left record of the second is gone, so that its counterpart stands alone."""
    person, lead = world.pair(pipe)
    second = world.left(email="two@x.example", name="Two")
    world.run(pipe)
    free = world.counterpart(second)
    world.ma.edit(second, email="kim@x.example")
    world.run(pipe)
    world.ma.remove(second)
    world.settle(pipe)
    assert world.parked() == []
    return person, lead, free


def test_what_a_busy_system_puts_off_about_a_survivor_is_done_later(both, promises):
    world = both(capabilities=silent(promises))
    pipe = world.pipeline(left="delete")
    person, lead, free = freed(world, pipe)
    world.crm.remove(lead)
    world.ma.single = once(world.ma, Fault.BUSY)
    world.run(pipe)
    assert world.ma.values(person)["name"] != world.crm.values(free)["Name"]
    world.settle(pipe)
    assert world.counterpart(person) == free
    assert world.ma.values(person)["name"] == world.crm.values(free)["Name"] == "Two"


@pytest.mark.parametrize("when", ["crash_before", "crash_after"])
def test_a_survivor_is_looked_at_though_the_process_dies_after_the_link_has_moved(worlds, promises, when):
    for effect in range(1, 60):
        world = worlds(capabilities=silent(promises))
        pipe = world.pipeline(left="delete")
        person, lead, free = freed(world, pipe)
        world.crm.remove(lead)
        try:
            world.ready(pipe, SimDriver(clock=world.clock, **{when: effect})).run()
        except SimulatedCrash:
            world.settle(pipe)
            assert world.counterpart(person) == free, effect
            assert world.ma.values(person)["name"] == "Two", effect
        else:
            return
    raise AssertionError("the run has more effects than were tried")


def once(end, fault):
    """Let the next action fail, and no other."""

    def first(_):
        end.single = lambda _: None
        return fault

    return first
