"""Laws of reading Account Engagement, under every order of edits, reads and passing time that Hypothesis thinks of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.adapters.account_engagement import AccountEngagement
from crmbridge.drive import Driver
from crmbridge.errors import ContractBroken
from crmbridge.model import Applied, Query, RecordRef, Update
from crmbridge.reasons import Code, because
from crmbridge.testing.fakes.account_engagement import FakeAccountEngagement
from crmbridge.testing.sim import ManualClock

PEOPLE = 8
LAG = 61
WHO = st.integers(1, PEOPLE)


class World:
    """A business unit with some prospects, and a reader of it."""

    def __init__(self, **how):
        self.clock = ManualClock()
        self.fake = FakeAccountEngagement(now=self.clock.now, **how)
        for number in range(PEOPLE):
            self.fake.put("prospect", email=f"p{number}@example.jp", firstName="0")
            self.clock.advance(150.3)
        given = self.fake.credentials
        self.unit = AccountEngagement.with_token(
            "https://pi.pardot.com", given["token"], business_unit_id=given["business_unit_id"]
        )
        self.driver = Driver(clock=self.clock, transport=self.fake.transport())
        self.edits = 0

    def edit(self, who):
        """Let a person change a name to one that nobody had before."""
        self.edits += 1
        if self.fake.table("prospect").get(str(who)):
            self.fake.edit("prospect", str(who), firstName=str(self.edits))

    def remove(self, who):
        """Let a person delete a prospect, or bring it back."""
        if self.fake.table("prospect").get(str(who)):
            self.fake.remove("prospect", str(who))
        else:
            self.fake.undelete("prospect", str(who))

    def page(self, cursor, limit=3):
        """Read one page of names."""
        return self.driver.run(self.unit.read(Query("prospect", ("firstName",), cursor, limit)))

    def fetched(self, who):
        """Read one name by id."""
        return self.driver.run(self.unit.fetch([RecordRef("account_engagement", "prospect", str(who))], ("firstName",)))

    def truth(self):
        """Tell the names as they are."""
        return {row["id"]: row["firstName"] for row in self.fake.rows("prospect")}


class Reader:
    """Keeps what the pages told last of each prospect, as a run of an engine would."""

    def __init__(self, world):
        self.world = world
        self.cursor = None
        self.seen = {}

    def turn(self):
        """Read one page; say whether the walk goes on."""
        page = self.world.page(self.cursor)
        self.seen |= {record.ref.id: record.get("firstName") for record in page.rows}
        for departure in page.departures:
            self.seen.pop(departure.ref.id, None)
        self.cursor = page.cursor
        return page.more


STEPS = st.lists(
    st.tuples(st.just("edit"), WHO)
    | st.tuples(st.just("remove"), WHO)
    | st.tuples(st.just("look"), WHO)
    | st.tuples(st.just("wait"), st.sampled_from([0.2, 1, 20, 59.9, 60, 61, 300, 5 * 3600]))
    | st.tuples(st.just("page"), st.just(0)),
    max_size=40,
)


def played(world, reader, steps):
    """Let the steps happen."""
    for step, what in steps:
        match step:
            case "edit":
                world.edit(what)
            case "remove":
                world.remove(what)
            case "look":
                world.fetched(what)
            case "wait":
                world.clock.advance(what)
            case _:
                reader.turn()


@given(STEPS)
def test_no_change_is_ever_skipped_however_walks_edits_and_the_cache_interleave(steps):
    world = World()
    reader = Reader(world)
    played(world, reader, steps)
    world.clock.advance(LAG)
    while reader.turn():
        pass
    reader.turn()
    while reader.turn():
        pass
    assert reader.seen == world.truth()


def caught_up(world):
    """Give a reader that has read everything there is, some time ago."""
    reader = Reader(world)
    world.clock.advance(600)
    while reader.turn():
        pass
    world.clock.advance(600)
    return reader


def test_a_change_that_the_cache_hid_comes_in_the_next_walk_although_a_later_one_came_before():
    world = World()
    reader = caught_up(world)
    world.fetched(1)
    for who in (1, 2):
        world.edit(who)
        world.clock.advance(4)
    reader.turn()
    assert (reader.seen["1"], reader.seen["2"]) == ("0", "2")
    world.clock.advance(LAG)
    reader.turn()
    assert reader.seen == world.truth()


def test_a_change_after_the_query_is_not_passed_over_by_a_later_one_that_its_pages_show():
    world = World()
    reader = caught_up(world)
    for who in (1, 2, 3, 4):
        world.edit(who)
    world.clock.advance(LAG)
    assert reader.turn()
    world.edit(7)
    world.clock.advance(300)
    world.edit(4)
    world.clock.advance(LAG)
    assert not reader.turn()
    assert reader.seen["4"] == "6"
    world.clock.advance(LAG)
    while reader.turn():
        pass
    assert reader.seen == world.truth()


@pytest.mark.parametrize("edited", ["before the query, hidden by the cache", "after the query"])
def test_a_token_that_expires_behind_a_record_that_has_changed_loses_no_page(edited):
    world = World()
    reader = Reader(world)
    world.clock.advance(600)
    if edited.startswith("before"):
        world.fetched(5)
        world.edit(5)
        world.clock.advance(30)
    assert reader.turn()
    if edited.startswith("after"):
        world.edit(5)
    world.clock.advance(40)
    assert reader.turn()
    assert reader.seen["5"] == "1"
    world.clock.advance(5 * 3600)
    while reader.turn():
        pass
    assert reader.seen == world.truth()


@given(STEPS)
def test_the_same_holds_where_the_vendor_cuts_its_walks_short(steps):
    world = World(farthest=4)
    reader = Reader(world)
    for step in steps:
        world.clock.advance(1)
        played(world, reader, [step])
    world.clock.advance(LAG)
    for _ in range(2):
        turns = 0
        while reader.turn():
            world.clock.advance(1)
            turns += 1
            assert turns < 500
    assert reader.seen == world.truth()


def test_more_changes_in_one_second_than_a_walk_can_show_are_told_and_not_skipped():
    world = World(farthest=4)
    for who in range(1, 6):
        world.edit(who)
    world.clock.advance(LAG)
    reader = Reader(world)

    def read_on():
        while reader.turn():
            world.clock.advance(1)

    with pytest.raises(ContractBroken, match="more prospects changed in one second"):
        read_on()


@given(STEPS)
def test_two_readings_of_one_version_are_equal(steps):
    world = World()
    known = {}
    for step, what in [*steps, ("wait", LAG), *[("look", who) for who in range(1, PEOPLE + 1)]]:
        played(world, Reader(world), [(step, what)] if step != "look" else [])
        for record in world.fetched(what).rows if step == "look" else ():
            if record.version is not None:
                key = (record.ref.id, record.version)
                assert known.setdefault(key, record.get("firstName")) == record.get("firstName")


@given(STEPS, WHO)
def test_a_reading_that_is_not_older_than_our_write_shows_what_we_wrote_or_what_came_after(steps, who):
    world = World()
    ref = RecordRef("account_engagement", "prospect", str(who))
    played(world, Reader(world), [step for step in steps if step[0] != "remove"])
    ours = Update(ref, {"firstName": "ours"}, "k", because(Code.CHANGED), None, ("firstName",))
    [done] = world.driver.run(world.unit.apply([ours]))
    assert isinstance(done, Applied)
    for passed in (0, 0.5, 30, 30.5):
        world.clock.advance(passed)
        [record] = world.fetched(who).rows
        assert record.stamp < done.stamp or record.get("firstName") == "ours"
    assert record.stamp == done.stamp


@given(STEPS)
def test_a_complete_walk_has_shown_every_prospect_there_is(steps):
    world = World()
    reader = Reader(world)
    shown, cursor = set(), None
    for step in [*steps, *[("page", 0)] * PEOPLE]:
        if step[0] != "page":
            played(world, reader, [step])
            continue
        page = world.page(cursor)
        shown |= set(page.rows.ids) | {departure.ref.id for departure in page.departures}
        if page.complete:
            # A walk leaves out what is deleted while it goes on; whatever is there at its end was shown.
            assert set(world.truth()) <= shown
        cursor = page.cursor if page.more else None
        shown = shown if page.more else set()
