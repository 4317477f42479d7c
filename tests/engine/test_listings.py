"""Systems that list everything and report no deletion: what a complete listing does not show may be gone."""

from __future__ import annotations

import datetime as dt
from itertools import islice

import attrs
import pytest

from crmbridge import Disposition, at, gates, one_way, pair
from crmbridge.errors import GuardTripped
from crmbridge.match import key, level
from crmbridge.plain import csv
from crmbridge.reasons import Code, because
from crmbridge.roles import Delta
from crmbridge.testing.connector import FakeConnector
from crmbridge.wording import say

HOUR = dt.timedelta(hours=1)


class Diary:
    def __init__(self):
        self.told = []

    def saw(self, event):
        self.told.append(event.name)


@pytest.fixture
def listing(both, promises):
    """Make a world whose CRM lists all records each time and tells of no deletion."""

    def make(absent="gone", **how):
        known = promises()
        crm = attrs.evolve(known["crm"], incremental=False, sees_deletes=False, sees_merges=False, absent=absent)
        return both(capabilities={**known, "crm": crm}, **how)

    return make


def people(world, pipe, number=4):
    """Tie so many people to leads."""
    made = [world.left(email=f"p{n}@x.example", name=f"n{n}") for n in range(number)]
    world.run(pipe)
    world.run(pipe)
    return made, [world.counterpart(person) for person in made]


def hide(world, *refs):
    """Let the CRM neither list nor find these leads."""
    world.crm.shows = world.crm.allows = lambda ref: ref not in refs


@pytest.mark.parametrize("page", [1, 3, 2000])
def test_a_linked_record_that_a_complete_listing_does_not_show_is_followed_as_a_deletion(listing, page):
    world = listing(page=page)
    pipe = world.pipeline(left="delete")
    made, leads = people(world, pipe)
    world.crm.remove(leads[1])
    report = world.run(pipe)
    assert {row["id"] for row in world.ma.rows("person")} == {ref.id for ref in made} - {made[1].id}
    assert [row.ref for row in report.rows() if row.because.code is Code.REMOVED] == [leads[1]]
    before = world.count()
    world.settle(pipe)
    assert world.count() == before


@pytest.mark.parametrize("rule", ["detach", "delete"])
def test_a_listing_that_was_cut_short_removes_nothing(listing, rule):
    world = listing(page=2)
    pipe = world.pipeline(left=rule)
    made, leads = people(world, pipe)
    world.crm.remove(leads[0])
    world.crm.cut_short = True
    world.settle(pipe)
    assert len(world.ma.rows("person")) == len(world.links()) == len(made)
    world.crm.cut_short = False
    world.run(pipe)
    assert len(world.links()) == len(made) - 1


def test_a_record_that_a_narrower_filter_hides_is_still_there_and_stays(listing):
    world = listing()
    pipe = world.pipeline(left="delete").guard(gates.at_most(deletes=1))
    made, leads = people(world, pipe)
    world.crm.shows = lambda ref: ref == leads[0]
    assert [line.ref for line in world.run(pipe, after=3600).rows()] == [], "nothing is told of what is only hidden"
    world.settle(pipe)
    assert len(world.ma.rows("person")) == len(world.links()) == len(made)


def test_deletions_found_by_a_listing_are_counted_before_the_first_write(listing):
    world = listing(page=1)
    pipe = world.pipeline(left="delete").batches(of=1).guard(gates.at_most(deletes=2))
    made, leads = people(world, pipe)
    for lead in leads[:3]:
        world.crm.remove(lead)
    world.ma.edit(made[3], name="edited")
    before = world.count()
    for _ in range(3):
        with pytest.raises(GuardTripped, match="too_many_deletes"):
            world.run(pipe, after=60)
    assert world.count() == before
    assert world.store.rulings.objection("sync").facts == {"count": 3, "limit": 2}
    world.run(pipe, plan=world.plan(pipe))
    assert [row["id"] for row in world.ma.rows("person")] == [made[3].id]


@pytest.mark.parametrize("rule", ["detach", "delete"])
def test_a_side_that_shows_nothing_at_all_any_more_is_not_believed_where_a_guard_says_so(listing, rule):
    world = listing()
    pipe = world.pipeline(left=rule).guard(gates.not_emptied())
    made, _ = people(world, pipe)
    world.crm.shows = world.crm.allows = lambda ref: False
    for _ in range(2):
        with pytest.raises(GuardTripped, match="emptied"):
            world.run(pipe, after=60)
    assert len(world.links()) == len(made)
    world.crm.shows = world.crm.allows = lambda ref: True
    world.settle(pipe)
    assert len(world.links()) == len(world.ma.rows("person")) == len(made)


def test_what_a_listing_shows_again_is_no_removal_that_a_guard_has_to_count(listing):
    world = listing()
    pipe = world.pipeline(left="delete").guard(gates.at_most(deletes=1))
    people(world, pipe)
    world.crm.shows = world.crm.allows = lambda ref: False
    with pytest.raises(GuardTripped, match="too_many_deletes"):
        world.run(pipe, after=60)
    world.crm.shows = world.crm.allows = lambda ref: True
    world.clock.advance(3600)
    diary = Diary()
    world.ready(pipe).observed(diary).run()
    assert "foreseen" not in diary.told


def test_a_listing_that_a_crash_interrupts_goes_on_and_removes_only_what_is_gone(listing):
    for effect in range(1, 200):
        world = listing(page=1)
        if world.folder is not None:
            return
        pipe = world.pipeline(left="delete")
        made, leads = people(world, pipe)
        world.crm.remove(leads[2])
        died = world.die(pipe, crash_after=effect)
        world.settle(pipe)
        assert {row["id"] for row in world.ma.rows("person")} == {ref.id for ref in made} - {made[2].id}
        if not died:
            return
    pytest.fail("the run never came to its end")


def test_a_new_record_is_not_absent_from_the_listing_that_began_before_it(listing):
    world = listing(page=1)
    pipe = world.pipeline(left="delete")
    people(world, pipe)
    coming = iter(range(6))
    world.crm.meanwhile = lambda what: [world.right(Email=f"{n}@y.example") for n in islice(coming, 1)]
    world.run(pipe)
    world.settle(pipe)
    assert len(world.ma.rows("person")) == len(world.crm.rows("lead"))


def test_a_row_that_left_a_file_is_a_deletion_where_the_author_says_so_and_a_file_that_is_empty_trips_the_guard(
    tmp_path, world
):
    path = tmp_path / "people.csv"
    path.write_text("id,email\n1,kim@x.example\n2,lee@x.example\n3,park@x.example\n", "utf-8")
    crm = world.crm
    assert isinstance(crm, FakeConnector)

    def pipe():
        return (
            one_way("file", at(csv(path, id="id", absent="gone"), "row"), at(crm, "lead"))
            .match(level("email", key("email", "Email")))
            .fields(pair("email", "Email"))
            .deletes(right="delete")
            .guard(gates.not_emptied())
        )

    world.run(pipe())
    assert len(crm.rows("lead")) == 3
    path.write_text("id,email\n1,kim@x.example\n3,park@x.example\n", "utf-8")
    world.run(pipe())
    assert [row["Email"] for row in crm.rows("lead")] == ["kim@x.example", "park@x.example"]
    path.write_text("id,email\n", "utf-8")
    with pytest.raises(GuardTripped):
        world.run(pipe())
    assert len(crm.rows("lead")) == 2


@pytest.mark.parametrize("rule", ["detach", "archive", "delete"])
def test_a_record_that_is_not_shown_stays_tied_where_its_absence_says_nothing(listing, rule):
    world = listing(absent="kept")
    pipe = world.pipeline(left=rule, if_edited="remove")
    made, leads = people(world, pipe)
    hide(world, leads[1])
    before = world.count()
    world.settle(pipe)
    assert (world.count(), len(world.links()), len(world.ma.rows("person"))) == (before, len(made), len(made))


@pytest.mark.parametrize("edited", ["here", "there", "on both sides", "nowhere"])
def test_what_happened_while_a_record_was_not_shown_crosses_once_it_is_shown_again(listing, edited):
    world = listing(absent="kept")
    pipe = world.pipeline(left="delete", if_edited="remove")
    person, lead = world.pair(pipe)
    world.settle(pipe)
    hide(world, lead)
    if edited in ("here", "on both sides"):
        world.ma.edit(person, city="Kobe")
    report = world.run(pipe)
    assert [row.because.code for row in report.rows()] == ([] if edited in ("there", "nowhere") else [Code.NOT_SHOWN])
    world.settle(pipe)
    assert world.parked() == []
    if edited in ("there", "on both sides"):
        world.crm.edit(lead, Name="Park")
    hide(world)
    world.settle(pipe)
    name, city = world.ma.values(person)["name"], world.crm.values(lead)["City"]
    assert name == ("Park" if edited in ("there", "on both sides") else "Kim")
    assert city == ("Kobe" if edited in ("here", "on both sides") else "Tokyo")
    assert world.closed() == []


def test_everything_that_is_looked_at_again_tells_of_records_that_are_not_shown_and_lets_them_be(listing):
    world = listing(absent="kept")
    pipe = world.pipeline(left="delete")
    _, lead = world.pair(pipe)
    world.settle(pipe)
    hide(world, lead)
    world.ready(pipe).look_again()
    report = world.run(pipe)
    assert {(row.disposition, row.because.code) for row in report.rows()} == {(Disposition.SKIPPED, Code.NOT_SHOWN)}
    assert (world.parked(), len(world.links())) == ([], 1)


def test_a_run_is_not_undone_on_a_record_that_is_not_shown_and_nothing_waits_for_it(listing):
    world = listing(absent="kept")
    person, lead = world.pair()
    world.settle()
    world.ma.edit(person, name="Park")
    report = world.run()
    world.settle()
    hide(world, lead)
    ready = world.ready()
    assert [row.because.code for row in ready.undo(report).rows()] == [Code.NOT_SHOWN]


def test_a_link_that_ended_by_absence_alone_opens_again_with_the_record_and_no_edit_is_lost(listing):
    world = listing()
    pipe = world.pipeline()
    (person, *_), (lead, *_) = people(world, pipe)
    hide(world, lead)
    world.settle(pipe)
    [link] = world.closed()
    assert link.closed.facts == {"system": "crm"}
    world.ma.edit(person, city="Kobe")
    world.crm.edit(lead, Name="Park")
    hide(world)
    world.settle(pipe)
    assert world.closed() == []
    assert (world.ma.values(person)["name"], world.crm.values(lead)["City"]) == ("Park", "Kobe")


def test_a_link_of_a_record_that_many_share_opens_again_for_each_of_them(listing):
    world = listing()
    pipe = world.pipeline().many_to_one()
    for name in ("Kim", "Lee"):
        world.left(email="one@x.example", name=name)
        world.settle(pipe)
    [lead] = {link.right for link in world.links()}
    hide(world, lead)
    world.settle(pipe)
    assert len(world.closed()) == 2
    world.crm.edit(lead, City="Kobe")
    hide(world)
    world.settle(pipe)
    assert world.closed() == []
    assert [row["city"] for row in world.ma.rows("person")] == ["Kobe", "Kobe"]


def test_a_link_stays_closed_where_its_counterpart_is_tied_to_another_by_now(listing):
    world = listing()
    pipe = world.pipeline()
    (person, *_), (lead, *_) = people(world, pipe)
    hide(world, lead)
    world.settle(pipe)
    [link] = world.closed()
    stranger = world.right(Email="stranger@x.example")
    tied = attrs.evolve(link, id="by hand", right=stranger, closed=None)
    fence = world.store.leases.take("sync", "a person", world.clock.now(), HOUR)
    world.store.commit("sync", Delta(links=(tied,)), fence)
    world.store.leases.release(fence)
    hide(world)
    world.settle(pipe)
    assert world.counterpart(person) == stranger
    assert [one.id for one in world.closed()] == [link.id]


def test_a_deletion_that_was_reported_stays_one_although_the_record_is_restored(world):
    _, lead = world.pair()
    world.settle()
    world.crm.remove(lead)
    world.settle()
    world.crm.restore(lead, Name="Park")
    world.settle()
    assert (len(world.links()), len(world.closed())) == (0, 1)


def test_a_plan_opens_what_is_shown_again_and_writes_nothing(listing):
    world = listing()
    pipe = world.pipeline()
    (person, *_), (lead, *_) = people(world, pipe)
    hide(world, lead)
    world.settle(pipe)
    world.crm.edit(lead, Name="Park")
    hide(world)
    before = world.count()
    plan = world.plan(pipe)
    assert (world.count(), plan.totals.writes) == (before, {("ma", "update"): 1})
    world.run(pipe, plan=plan)
    assert world.ma.values(person)["name"] == "Park"


@pytest.mark.parametrize("gone", ["left", "right"])
def test_a_detached_record_is_told_by_the_side_that_is_gone(world, gone):
    person, lead = world.pair()
    world.settle()
    _ = world.ma.remove(person) if gone == "left" else world.crm.remove(lead)
    [row] = world.run().rows()
    system = "ma" if gone == "left" else "crm"
    assert row.because == because(Code.DETACHED, system=system)
    assert say(row.because) == f"The record was removed in {system}; its counterpart stays and is no longer written."
