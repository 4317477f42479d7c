"""A counterpart whose key a person has changed, and a second record that would be copied under the key it gets back."""

from __future__ import annotations

import datetime as dt

import pytest

from crmbridge import one_way, pair, policies
from crmbridge.match import key, level
from crmbridge.testing.faulty import Fault, Lags

KEY = "kim@x.example"
OTHER = "elsewhere@x.example"
LATER = dt.timedelta(minutes=20)


def renamed(world, pipe):
    """Pair a person with a lead, give the person another address, and make a second lead under the old one."""
    person, lead = world.pair(pipe, email=KEY)
    world.ma.edit(person, email=OTHER)
    return person, lead, world.right(Email=KEY, Name="Second")


def people(world):
    return sorted(row["email"] for row in world.ma.rows("person"))


@pytest.mark.parametrize("batch", [1, 200])
def test_a_key_that_goes_back_to_a_counterpart_is_claimed_before_it_is_written(both, batch):
    world = both()
    pipe = world.pipeline(policies.right_always).batches(of=batch)
    person, _, second = renamed(world, pipe)
    world.settle(pipe)
    assert people(world) == [KEY]
    assert world.parked() == [("disputed", "already_linked", second.id)]
    [told] = [row.because for row in world.store.quarantine.rows("sync")]
    assert told.facts["counterpart"] == f"person {person.id}"


def test_a_key_is_claimed_by_a_pair_behind_more_than_ten_that_share_it(both):
    world = both()
    pipe = world.pipeline(policies.right_always)
    person, _ = world.pair(pipe, email=KEY)
    world.ma.edit(person, email=OTHER)
    seconds = {world.crm.put("lead", f"a{n:02}", Email=KEY, Name="Second").id for n in range(12)}
    world.settle(pipe)
    assert people(world) == [KEY]
    assert {(code, id) for _, code, id in world.parked()} == {("already_linked", id) for id in seconds}


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.LATE, Fault.BUSY])
def test_a_key_whose_way_back_is_not_certain_yet_is_claimed_too(worlds, fault):
    world = worlds()
    pipe = world.pipeline(policies.right_always).batches(of=1)
    person, lead = world.pair(pipe, email=KEY)
    world.ma.edit(person, email=OTHER)
    world.ma.then(fault)
    world.run(pipe)
    second = world.right(Email=KEY, Name="Second")
    for _ in range(5):
        world.run(pipe, after=1)
    world.settle(pipe)
    assert people(world) == [KEY]
    assert second.id in [id for _, _, id in world.parked()]
    assert world.counterpart(lead) == person


def test_a_plan_says_what_a_run_will_do_about_it(worlds):
    world = worlds()
    pipe = world.pipeline(policies.right_always)
    _, _, second = renamed(world, pipe)
    [row] = [row for row in world.plan(pipe).rows() if row.ref == second]
    assert (str(row.disposition), str(row.because.code)) == ("disputed", "already_linked")


def test_a_source_that_shares_a_key_waits_for_no_change_of_its_target_to_be_read(worlds):
    world = worlds()
    end = world.pipeline().definition
    pipe = (
        one_way("sync", end.left, end.right)
        .match(level("email", key("email", "Email", str.lower)))
        .fields(pair("email", "Email", policies.left_always), pair("name", "Name"))
    )
    _, lead = world.pair(pipe, email=KEY)
    world.crm.edit(lead, Email=OTHER)
    world.left(email=KEY, name="Second")
    world.settle(pipe)
    assert len(world.crm.rows("lead")) == 1


def test_a_key_that_a_counterpart_has_given_up_is_free(worlds):
    world = worlds()
    pipe = world.pipeline(policies.left_wins)
    person, lead, second = renamed(world, pipe)
    world.settle(pipe)
    assert world.crm.values(lead)["Email"] == OTHER
    assert people(world) == [OTHER, KEY]
    assert world.counterpart(second) != person


def test_who_shares_the_key_of_a_pair_that_cannot_be_read_yet_waits_with_it(worlds, promises):
    lag = dt.timedelta(seconds=30)
    world = worlds(capabilities=promises(read_lag=lag), lags=Lags(read=lag))
    pipe = world.pipeline(policies.right_always).batches(of=1)
    _, lead = world.pair(pipe, email=KEY)
    world.clock.advance(LATER)
    world.run(pipe)
    world.crm.edit(lead, City="Kobe")
    world.clock.advance(lag)
    world.run(pipe)
    world.ma.edit(world.counterpart(lead), email=OTHER)
    second = world.right(Email=KEY, Name="Second")
    world.clock.advance(lag / 2)
    world.run(pipe)
    assert (("held", "read_too_early", second.id)) in world.parked()
    world.settle(pipe)
    assert people(world) == [KEY]
