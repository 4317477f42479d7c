"""What is decided about a record that nothing over there matches, and when it is made."""

from __future__ import annotations

import datetime as dt

import pytest

from crmbridge.model import Disposition, Signal
from crmbridge.reasons import Code, because
from crmbridge.testing.faulty import Fault

OVERLAP = dt.timedelta(minutes=10)


class Diary:
    def __init__(self):
        self.told = []

    def saw(self, event):
        self.told.append((event.name, dict(event.facts)))


@pytest.mark.parametrize("side", ["left", "right"])
def test_an_observer_is_told_of_a_record_that_is_made(world, side):
    world.left(email="kim@x.example") if side == "left" else world.right(Email="kim@x.example")
    diary = Diary()
    world.ready().observed(diary).run()
    told = {"left": "changed", "right": "none"} if side == "left" else {"left": "none", "right": "changed"}
    move = "create right" if side == "left" else "create left"
    assert next(facts for name, facts in diary.told if name == "judged") == {**told, "move": move}


def test_a_record_of_one_of_several_kinds_is_made_once_all_of_them_would_have_shown_it_as_moved(worlds, promises):
    world = worlds(left_kinds=("person", "customer"), capabilities=promises(overlap=OVERLAP))
    person = world.left(email="kim@x.example", name="Kim")
    due = world.clock.now() + OVERLAP
    [row] = world.run().rows()
    assert (row.ref, row.disposition, row.because.code) == (person, Disposition.HELD, Code.NOT_DUE)
    assert row.because.facts == {"until": due}
    assert [one.until for one in world.store.quarantine.rows("sync")] == [due]
    world.run(after=OVERLAP - dt.timedelta(seconds=1))
    assert world.crm.rows("lead") == []
    world.run(after=1)
    assert world.counterpart(person)


def edited_while_it_waits(worlds, promises, change):
    """Let a new record of an end with two kinds be edited each minute; tell how many minutes pass until it is made."""
    world = worlds(left_kinds=("person", "customer"), capabilities=promises(overlap=OVERLAP))
    person = world.left(email="kim@x.example", name="Kim")
    for minute in range(30):
        world.run()
        if world.crm.rows("lead"):
            return minute
        world.clock.advance(60)
        change(world, person, minute)
    return None


@pytest.mark.parametrize("told", [False, True])
def test_an_edit_of_a_record_that_waits_to_be_made_does_not_begin_the_wait_again(told, worlds, promises):
    def change(world, person, minute):
        world.ma.edit(person, city=str(minute))
        if told:
            world.store.inbox.put("sync", [Signal(str(minute), person, world.clock.now())])

    assert edited_while_it_waits(worlds, promises, change) == 10


def test_a_record_of_a_kind_that_nothing_moves_to_is_made_at_once(worlds, promises):
    capabilities = promises(overlap=OVERLAP, moved_from=frozenset({"elsewhere"}))
    world = worlds(left_kinds=("person", "customer"), capabilities=capabilities)
    person = world.left(email="kim@x.example", name="Kim")
    world.run()
    assert world.counterpart(person)


def test_a_record_of_a_kind_that_another_moves_to_waits_until_that_one_would_have_told(worlds, promises):
    capabilities = promises(overlap=OVERLAP, moved_from=frozenset({"customer"}))
    world = worlds(left_kinds=("person", "customer"), capabilities=capabilities)
    world.left(email="kim@x.example", name="Kim")
    assert world.run().counts[Disposition.HELD] == 1
    world.run(after=OVERLAP)
    assert len(world.crm.rows("lead")) == 1


def test_a_record_of_the_only_kind_is_made_at_once(worlds, promises):
    world = worlds(capabilities=promises(overlap=OVERLAP))
    person = world.left(email="kim@x.example", name="Kim")
    world.run()
    assert world.counterpart(person)


def test_a_twin_is_counted_once_and_told_of_after_the_record_that_was_made_though_it_waits_for_that_one(world):
    for name in ("one", "two"):
        world.left(email="kim@x.example", name=name)
    rows = world.run().rows()
    assert [row.disposition.value for row in rows] == ["applied", "disputed"]


@pytest.mark.parametrize("answers", [True, False])
def test_a_create_asks_back_what_was_stored_where_the_system_can_tell(worlds, promises, answers):
    world = worlds(capabilities=promises(answers_with_stored=answers))
    world.left(email="kim@x.example", name="Kim")
    sent = []
    world.crm.single = sent.append
    world.run()
    assert [one.answer for one in sent] == [("Email", "Name", "City") if answers else ()]


@pytest.mark.parametrize("side", ["left", "right"])
def test_where_no_records_are_made_a_new_one_is_passed_over_and_the_system_is_named(world, side):
    _ = world.left(email="kim@x.example") if side == "left" else world.right(Email="kim@x.example")
    [row] = world.run(world.pipeline().creates(left=False, right=False)).rows()
    system = "crm" if side == "left" else "ma"
    assert (row.disposition, row.because) == (Disposition.SKIPPED, because(Code.CREATES_OFF, system=system))


def test_a_twin_of_a_record_whose_create_is_in_doubt_waits_until_it_must_have_settled(worlds, promises):
    world = worlds(capabilities=promises("B", settles_in=dt.timedelta(seconds=90)))
    world.left(email="kim@x.example", name="Kim")
    world.crm.whole = lambda batch: Fault.LOST_AFTER
    world.run()
    world.crm.whole = lambda batch: None
    twin = world.left(email="KIM@x.example", name="Lee")
    world.run(after=1)
    [row] = [row for row in world.store.quarantine.rows("sync") if row.ref == twin]
    assert (row.state, row.because) == ("held", because(Code.INTENT_OPEN, system="crm"))
    assert row.until == world.clock.now() + dt.timedelta(seconds=90)
