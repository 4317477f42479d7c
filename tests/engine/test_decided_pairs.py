"""What is decided about a linked pair, and what its link remembers of it."""

from __future__ import annotations

import datetime as dt

import pytest

from crmbridge.model import Disposition
from crmbridge.reasons import Code

LAG = dt.timedelta(seconds=30)


class Diary:
    def __init__(self):
        self.told = []

    def saw(self, event):
        self.told.append((event.name, dict(event.facts)))


@pytest.mark.parametrize("gone", ["ma", "crm"])
def test_a_dispute_about_a_deletion_names_the_system_that_the_record_is_gone_from(world, gone):
    pipe = world.pipeline(left="delete", right="delete", if_edited="ask")
    person, lead = world.pair(pipe)
    world.ma.remove(person) if gone == "ma" else world.crm.remove(lead)
    world.ma.edit(person, name="Park") if gone == "crm" else world.crm.edit(lead, Name="Park")
    disputed = world.run(pipe).rows(Disposition.DISPUTED)
    assert {(row.because.code, row.because.facts["system"]) for row in disputed} == {(Code.GONE_AND_CHANGED, gone)}


@pytest.mark.parametrize("gone", ["ma", "crm"])
def test_a_revival_names_the_system_that_the_record_was_gone_from(world, gone):
    pipe = world.pipeline(left="delete", right="delete", if_edited="revive")
    person, lead = world.pair(pipe)
    world.ma.remove(person) if gone == "ma" else world.crm.remove(lead)
    world.ma.edit(person, name="Park") if gone == "crm" else world.crm.edit(lead, Name="Park")
    world.settle(pipe)
    [link] = world.closed()
    assert (link.closed.code, link.closed.facts["system"]) == (Code.REVIVED, gone)


def test_an_observer_is_told_which_row_of_the_table_was_taken(world):
    person, _ = world.pair()
    world.ma.edit(person, name="Park")
    diary = Diary()
    world.ready().observed(diary).run()
    assert ("judged", {"left": "changed", "right": "same", "move": "merge by field"}) in diary.told


def test_an_edit_that_no_pair_names_is_remembered_as_seen_and_not_as_our_own(world):
    person, lead = world.pair()
    world.settle()
    [before] = world.links()
    world.clock.advance(60)
    world.ma.edit(person, score="9")
    world.crm.edit(lead, Score="9")
    world.run()
    [link] = world.links()
    assert link.left_agreed.settled_version == world.ma.record(person).version
    assert link.right_agreed.settled_version == world.crm.record(lead).version
    assert link.left_agreed.own_stamp == before.left_agreed.own_stamp != world.ma.record(person).stamp
    assert link.right_agreed.own_stamp == before.right_agreed.own_stamp != world.crm.record(lead).stamp


def test_a_record_that_was_just_made_and_is_not_shown_yet_is_not_taken_for_gone(worlds, promises):
    world = worlds(capabilities=promises(read_lag=LAG))
    world.crm._lags = type(world.crm._lags)(read=LAG)
    person, _ = world.pair()
    for seconds in (1, 28):
        world.ma.edit(person, name=f"after {seconds}")
        world.run(after=seconds)
        assert {code for _, code, _ in world.parked()} == {"read_too_early"}
        assert len(world.links()) == 1
    world.settle()
    assert [row["Name"] for row in world.crm.rows("lead")] == ["after 28"]


def test_a_record_that_is_not_shown_once_it_must_be_is_gone(worlds, promises):
    world = worlds(capabilities=promises(read_lag=LAG))
    person, lead = world.pair()
    world.crm.remove(lead)
    world.ma.edit(person, name="Park")
    world.run(after=LAG + dt.timedelta(seconds=1))
    assert [link.right for link in world.closed()] == [lead]
