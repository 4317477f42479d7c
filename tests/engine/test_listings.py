"""Systems that list everything and report no deletion: what a complete listing does not show may be gone."""

from __future__ import annotations

from itertools import islice

import attrs
import pytest

from crmbridge import at, gates, one_way, pair
from crmbridge.errors import GuardTripped
from crmbridge.match import key, level
from crmbridge.plain import csv
from crmbridge.reasons import Code
from crmbridge.testing.connector import FakeConnector


@pytest.fixture
def listing(both, promises):
    """Make a world whose CRM lists all records each time and tells of no deletion."""

    def make(**how):
        known = promises()
        crm = attrs.evolve(known["crm"], incremental=False, sees_deletes=False, sees_merges=False)
        return both(capabilities={**known, "crm": crm}, **how)

    return make


def people(world, pipe, number=4):
    """Tie so many people to leads."""
    made = [world.left(email=f"p{n}@x.example", name=f"n{n}") for n in range(number)]
    world.run(pipe)
    world.run(pipe)
    return made, [world.counterpart(person) for person in made]


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


def test_a_row_that_left_a_file_is_a_deletion_and_a_file_that_is_empty_trips_the_guard(tmp_path, world):
    path = tmp_path / "people.csv"
    path.write_text("id,email\n1,kim@x.example\n2,lee@x.example\n3,park@x.example\n", "utf-8")
    crm = world.crm
    assert isinstance(crm, FakeConnector)

    def pipe():
        return (
            one_way("file", at(csv(path, id="id"), "row"), at(crm, "lead"))
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
