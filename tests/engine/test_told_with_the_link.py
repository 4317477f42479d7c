"""Links that follow a merge or end there: put in one commit with what is said of them, and by no plan."""

from __future__ import annotations

import itertools

import pytest

from crmbridge import gates, policies
from crmbridge.errors import GuardTripped
from crmbridge.reasons import Code
from crmbridge.testing.sim import SimDriver, SimulatedCrash


def silent(promises):
    return promises(sees_merges=False)


def two_pairs(world, pipe):
    """Two people, each with a lead; they are one person in truth."""
    loser, _ = world.pair(pipe)
    winner, _ = world.pair(pipe, email="mai@x.example", name="Mai")
    return loser, winner


def merged(world, pipe):
    """Two linked people become one, and the one that lives on is edited."""
    loser, winner = two_pairs(world, pipe)
    world.ma.edit(winner, name="Park")
    world.ma.merge(loser, winner)
    return loser, winner


def named(report):
    return [decision.ref for decision in report.duplicates()]


def known(world):
    """Tell which records are linked, and which links are closed."""
    return {link.id: (link.left, link.right, link.closed) for link in world.store.links.all("sync")}


def rows(handle):
    return {row.ref: (row.disposition, row.because.code, row.actions) for row in handle.rows()}


def told(world, run):
    """Name the records that the rows of a run call duplicates."""
    found = world.store.outbox.rows(run, limit=100)
    return [decision.ref for _, decision in found if decision.because.code is Code.DUPLICATE_OF]


# -- plans -------------------------------------------------------------------------------------


def test_a_duplicate_is_named_by_the_run_though_somebody_looked_at_a_plan_before(both):
    world = both()
    pipe = world.pipeline(policies.left_wins)
    loser, _ = merged(world, pipe)
    world.plan(pipe)
    world.plan(pipe)
    assert named(world.run(pipe)) == [loser]
    assert named(world.run(pipe)) == []


def test_a_plan_of_a_merge_is_not_stale_when_it_is_run_at_once(both):
    world = both()
    pipe = world.pipeline(policies.left_wins)
    loser, winner = merged(world, pipe)
    plan = world.plan(pipe)
    report = world.run(pipe, plan=plan)
    assert {ref: line[:2] for ref, line in rows(report).items()} == {ref: line[:2] for ref, line in rows(plan).items()}
    assert named(report) == [loser]
    assert world.crm.values(world.counterpart(winner))["Name"] == "Park"


@pytest.mark.parametrize("size", [1, 200])
def test_a_plan_moves_and_closes_no_link(both, size):
    world = both(right_kinds=("contact", "lead"))
    pipe = world.pipeline(policies.left_wins).batches(of=size)
    _, winner = merged(world, pipe)
    world.crm.move(world.counterpart(winner), "contact", Email="mai@x.example", Name="Mai")
    before = known(world)
    world.plan(pipe)
    assert known(world) == before


def test_a_plan_ties_no_survivor_that_nobody_told_of(both, promises):
    world = both(capabilities=silent(promises))
    pipe = world.pipeline(left="delete")
    person, lead = world.pair(pipe)
    world.crm.merge(lead, world.right(Email="kim@x.example", Name="Winner"))
    before = known(world)
    plan = world.plan(pipe)
    assert known(world) == before
    planned = rows(plan)
    assert rows(world.run(pipe, plan=plan)).keys() == planned.keys()
    assert world.ma.values(person)["name"] == "Winner"


def test_a_plan_takes_departures_first_over_all_batches_as_a_run_does(both):
    world = both()
    pipe = world.pipeline(policies.left_wins).batches(of=1)
    loser, winner = merged(world, pipe)
    plan = world.plan(pipe)
    assert [row.ref for row in plan.rows()][:1] == [loser]
    assert named(world.run(pipe, plan=plan)) == [loser]
    assert world.crm.values(world.counterpart(winner))["Name"] == "Park"


def test_a_guard_that_decides_beforehand_to_count_moves_and_closes_no_link(both):
    world = both()
    pipe = world.pipeline(policies.left_wins).guard(gates.at_most(blanks=0))
    _, winner = merged(world, pipe)
    world.ma.edit(winner, city="")
    before = known(world)
    with pytest.raises(GuardTripped):
        world.run(pipe)
    assert known(world) == before


def test_a_duplicate_is_named_though_a_guard_has_decided_beforehand_to_count(both):
    world = both()
    pipe = world.pipeline(policies.left_wins).guard(gates.at_most(blanks=0))
    loser, _ = merged(world, pipe)
    assert named(world.run(pipe)) == [loser]


def test_a_link_that_was_merged_away_since_a_plan_ends_in_its_run_and_the_duplicate_is_named(both):
    world = both()
    pipe = world.pipeline(policies.left_wins)
    loser, winner = two_pairs(world, pipe)
    world.ma.edit(winner, name="Park")
    plan = world.plan(pipe)
    world.ma.merge(loser, winner)
    assert named(world.run(pipe, plan=plan)) == [loser]
    assert [link.left for link in world.links()] == [winner]


# -- crashes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("stored", ["memory", "sqlite"])
@pytest.mark.parametrize("when", ["crash_before", "crash_after"])
def test_a_link_that_ends_and_the_row_that_names_its_duplicate_stand_together_wherever_a_process_dies(
    worlds, tmp_path, stored, when
):
    origin = worlds(tmp_path if stored == "sqlite" else None)
    pipe = origin.pipeline(policies.left_wins)
    loser, winner = merged(origin, pipe)
    seen: set[bool] = set()
    for effect in itertools.count(1) if stored == "memory" else itertools.count(25, 3):
        world = origin.copy(tmp_path / str(effect) if stored == "sqlite" else None)
        pipe = world.pipeline(policies.left_wins)
        run = "sync-run-3"
        try:
            run = world.ready(pipe, SimDriver(clock=world.clock, **{when: effect})).run().id
            died = False
        except SimulatedCrash:
            died = True
        ended = [link.left for link in world.closed()]
        seen.add(bool(ended))
        assert told(world, run) == ended, effect
        later = [ref for _ in range(2) for ref in named(world.settle(pipe, rounds=1))]
        assert ended + later == [loser], effect
        assert world.crm.values(world.counterpart(winner))["Name"] == "Park"
        if not died:
            break
    assert seen == {False, True}
