"""Ways in which a record could be left behind: behind a gate, behind five hundred doubts, behind our own write."""

from __future__ import annotations

import datetime as dt

from crmbridge import gates
from crmbridge.reasons import Code
from crmbridge.testing.faulty import Fault

SHORTLY = dt.timedelta(seconds=1)


def test_a_record_that_a_gate_kept_from_being_made_again_is_made_once_the_gate_opens(both):
    world = both()
    pipe = world.pipeline(right="delete", if_edited="revive").gate(
        gates.filled("Score"), before="creating", towards="left"
    )
    person, lead = world.pair(pipe)
    world.ma.remove(person)
    world.crm.edit(lead, Name="Edited")
    world.settle(pipe)
    assert world.ma.rows("person") == []
    world.crm.edit(lead, Score="1")
    world.settle(pipe)
    assert [row["name"] for row in world.ma.rows("person")] == ["Edited"]


def test_the_survivor_of_a_link_that_was_let_go_stays_let_go(both):
    world = both()
    pipe = world.pipeline(left="delete", if_edited="revive")
    person, lead = world.pair(pipe)
    world.ma.remove(person)
    world.settle(pipe)
    world.crm.edit(lead, Name="Edited")
    world.settle(pipe)
    assert world.ma.rows("person") == []


def test_doubts_that_only_a_person_can_settle_keep_no_other_waiting(worlds, promises):
    world = worlds(capabilities=promises("C", batch=1000))
    for number in range(510):
        world.left(email=f"p{number}@x.example", name="n")
    pipe = world.pipeline().batches(of=1000)
    world.crm.then(Fault.LOST_BEFORE)
    world.run(pipe)
    late = world.left(email="late@x.example", name="Late")
    world.crm.then(Fault.LOST_AFTER)
    world.run(pipe, after=5)
    world.settle(pipe, rounds=2)
    assert world.counterpart(late)
    assert len(world.store.outbox.unsettled("sync", 2000)) == 510


def test_what_an_update_wrote_whose_answer_was_lost_is_known_for_our_own_write(both):
    world = both()
    person, lead = world.pair()
    world.clock.advance(60)
    world.crm.then(Fault.LOST_AFTER)
    world.ma.edit(person, name="Park")
    world.run()
    written = world.crm.record(lead).stamp
    world.settle(rounds=1)
    [link] = world.links()
    assert link.right_agreed.own_stamp == written


def test_a_value_that_a_person_put_in_place_of_a_lost_update_is_told_as_a_conflict(both):
    world = both()
    person, lead = world.pair()
    world.crm.then(Fault.LOST_AFTER)
    world.ma.edit(person, name="Park")
    world.run()
    world.crm.edit(lead, Name="Choi")
    world.settle()
    codes = [row.because.code for row in world.ready().why(lead)]
    assert Code.RECOVERED_CONFLICT in codes
    assert world.ma.values(person)["name"] == world.crm.values(lead)["Name"] == "Choi"


def test_an_update_in_doubt_is_never_sent_a_second_time(worlds, promises):
    world = worlds(capabilities=promises(conditional_writes=False, answers_with_stored=False))
    person, lead = world.pair()
    world.crm.then(Fault.LOST_AFTER)
    world.ma.edit(person, name="Park")
    world.run()
    world.crm.edit(lead, Name="Choi")
    world.settle()
    assert world.crm.person(lead, "Name")[-1].values["Name"] == "Choi"
    assert world.crm.values(lead)["Name"] == world.ma.values(person)["name"] == "Choi"
    assert len([what for what in world.crm.requests if what.startswith("update")]) == 1


def test_a_record_whose_doubt_has_ended_is_looked_at_again(worlds, promises):
    world = worlds(capabilities=promises("B"))
    person = world.left(email="kim@x.example", name="Kim")
    world.crm.then(Fault.LOST_BEFORE)
    world.run()
    rows = world.store.quarantine.rows("sync")
    assert [row.state for row in rows] == ["held"]
    world.clock.advance(max(row.until for row in rows) - world.clock.now() - SHORTLY)
    world.run()
    world.run(after=SHORTLY)
    assert world.counterpart(person)


# -- what is under way ---------------------------------------------------------------------------


def test_a_create_that_is_applied_late_is_waited_for_as_long_as_it_may_take(worlds, promises):
    world = worlds(capabilities=promises("B"))
    world.left(email="kim@x.example", name="Kim")
    world.crm.then(Fault.LATE)
    world.run()
    for _ in range(8):
        world.run(after=15)
    assert [past.verb for past in world.crm.history] == ["create"]
    assert world.parked() == []


def test_a_record_that_moved_on_is_decided_from_a_new_reading_in_the_same_run(world):
    person, lead = world.pair()
    world.ma.edit(person, name="Park")

    def meanwhile(what):
        if what == "update 1":
            world.crm.meanwhile = lambda _: None
            world.crm.edit(lead, Name="Choi", City="Kobe")

    world.crm.meanwhile = meanwhile
    world.run()
    assert world.ma.values(person) | {"email": ""} == {"email": "", "name": "Choi", "city": "Kobe"}
    assert world.parked() == []
