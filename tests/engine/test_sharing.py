"""Several left records, one right record: who writes what, and that they never write over each other by turns."""

from __future__ import annotations

import pytest

from crmbridge import pair, policies
from crmbridge.model import Disposition
from crmbridge.reasons import Code
from crmbridge.testing.faulty import Fault

WINNERS = [policies.left_wins, policies.right_wins, policies.newest_wins(otherwise="left"), policies.left_always]


@pytest.fixture
def shared(both):
    """Make a world in which people of one e-mail address share a lead, and give the pipeline for a policy."""
    world = both()

    def pipe(policy=policies.left_wins, owner=None, **how):
        return (
            world.pipeline(**how)
            .many_to_one()
            .override(pair("city", "City", policy, owner=owner), pair("name", "Name", policy))
        )

    return world, pipe


def sharers(world, pipe, *cities):
    """Make people of one e-mail address, one after the other, and settle."""
    made = []
    for city in cities:
        made.append(world.left(email="kim@x.example", name=f"n{len(made)}", city=city))
        world.settle(pipe, rounds=2)
    return made, world.counterpart(made[0])


@pytest.mark.parametrize("policy", WINNERS)
def test_without_an_owner_a_shared_field_is_written_at_creation_and_then_only_filled(shared, policy):
    world, make = shared
    pipe = make(policy)
    (one, two), lead = sharers(world, pipe, "Kobe", "Oita")
    assert world.crm.values(lead)["City"] == "Kobe"
    for person, city in ((one, "Nara"), (two, "Gifu"), (one, "Tsu")):
        world.ma.edit(person, city=city)
        world.settle(pipe, rounds=2)
        assert world.crm.values(lead)["City"] == "Kobe"
    world.crm.edit(lead, City=None)
    world.ma.edit(two, city="Mito")
    world.settle(pipe)
    before = world.count()
    world.settle(pipe)
    assert world.count() == before


def test_a_blank_of_the_shared_record_is_filled_by_whoever_has_a_value_first(shared):
    world, make = shared
    (one, two), lead = sharers(world, make(), None, None)
    world.ma.edit(two, city="Oita")
    world.settle(make(), rounds=1)
    assert world.crm.values(lead)["City"] == "Oita"
    world.ma.edit(one, city="Kobe")
    world.settle(make())
    assert world.crm.values(lead)["City"] == "Oita"


def test_two_who_fill_a_blank_in_the_same_breath_do_not_write_over_each_other(worlds, promises):
    world = worlds(capabilities=promises(conditional_writes=False))
    pipe = world.pipeline().many_to_one()
    people, lead = sharers(world, pipe, None, None, None)
    for number, person in enumerate(people):
        world.ma.edit(person, city=f"c{number}")
    world.settle(pipe)
    written = [past for past in world.crm.history if past.by == "us" and past.verb == "update"]
    assert len(written) == 1
    assert world.crm.values(lead)["City"] in {"c0", "c1", "c2"}


@pytest.mark.parametrize("policy", [policies.left_wins, policies.left_always])
@pytest.mark.parametrize(("owner", "owning"), [("first_linked", 0), ("newest", 1)])
def test_the_owner_alone_writes_a_field_of_the_shared_record(shared, policy, owner, owning):
    world, make = shared
    pipe = make(policy, owner)
    people, lead = sharers(world, pipe, "Kobe", "Oita")
    world.ma.edit(people[1 - owning], city="guest")
    world.settle(pipe, rounds=2)
    assert world.crm.values(lead)["City"] != "guest"
    world.ma.edit(people[owning], city="owner")
    world.settle(pipe, rounds=2)
    assert world.crm.values(lead)["City"] == "owner"
    assert world.crm.values(lead)["Name"] == "n0"


@pytest.mark.parametrize("name", ["a", "b", "c", "d"])
@pytest.mark.parametrize(("owner", "owning"), [("first_linked", 0), ("newest", 2)])
def test_who_was_linked_first_is_known_although_the_clock_stands_still(shared, name, owner, owning):
    world, make = shared
    pipe = make(policies.left_wins, owner)
    cities = ("Kobe", "Oita", "Nara")
    for number, city in enumerate(cities):
        world.ma.put("person", f"{name}{number}", email="kim@x.example", name=f"n{number}", city=city)
    world.ready(pipe).run()
    [lead] = world.crm.rows("lead")
    assert lead["City"] == cities[owning]


def test_the_newest_to_be_linked_takes_a_field_over(shared):
    world, make = shared
    pipe = make(policies.left_wins, "newest")
    _, lead = sharers(world, pipe, "Kobe", "Oita", "Nara")
    assert world.crm.values(lead)["City"] == "Nara"


def test_when_the_first_is_unlinked_the_next_becomes_the_owner(shared):
    world, make = shared
    pipe = make(policies.left_wins, "first_linked")
    (one, two), lead = sharers(world, pipe, "Kobe", "Oita")
    world.ma.remove(one)
    world.settle(pipe, rounds=2)
    world.ma.edit(two, city="Nara")
    world.settle(pipe, rounds=2)
    assert world.crm.values(lead)["City"] == "Nara"


def test_an_edit_of_the_shared_record_reaches_all_whoever_owns_the_field(shared):
    world, make = shared
    pipe = make(policies.left_wins, "first_linked")
    people, lead = sharers(world, pipe, "Kobe", "Oita", None)
    world.crm.edit(lead, City="Tsu")
    world.settle(pipe)
    assert [world.ma.values(person)["city"] for person in people] == ["Tsu"] * 3
    before = world.count()
    world.settle(pipe)
    assert world.count() == before


@pytest.mark.parametrize("policy", WINNERS)
@pytest.mark.parametrize("owner", [None, "first_linked", "newest"])
def test_sharers_who_disagree_never_write_by_turns(shared, policy, owner):
    world, make = shared
    pipe = make(policy, owner)
    people, _ = sharers(world, pipe, "Kobe", "Oita", "Nara")
    for number, person in enumerate(people):
        world.ma.edit(person, city=f"c{number}", name=f"m{number}")
    world.settle(pipe)
    before = world.count()
    world.settle(pipe)
    assert world.count() == before
    assert world.parked() == []


@pytest.mark.parametrize("batch", [1, 2, 200])
@pytest.mark.parametrize("fault", [None, Fault.LOST_AFTER, Fault.BUSY])
def test_new_records_with_one_key_make_one_record_that_all_join(shared, batch, fault):
    world, make = shared
    pipe = make().batches(of=batch)
    for number in range(5):
        world.left(email="KIM@x.example" if number % 2 else "kim@x.example", name=f"n{number}")
    if fault is Fault.BUSY:
        busy = iter([fault])
        world.crm.single = lambda action: next(busy, None)
    else:
        world.crm.then(fault)
    world.settle(pipe)
    assert len(world.crm.rows("lead")) == 1
    assert len(world.links()) == 5
    assert world.parked() == []


def test_a_plan_makes_one_record_of_one_key_and_lets_the_others_join(shared):
    world, make = shared
    for number in range(3):
        world.left(email="kim@x.example", name=f"n{number}")
    plan = world.plan(make().batches(of=1))
    assert plan.totals.writes == {("crm", "create"): 1}
    assert plan.totals.by_disposition[Disposition.APPLIED] == 3


@pytest.mark.parametrize("gone", [1, 2, 3])
@pytest.mark.parametrize("batch", [1, 200])
def test_a_shared_record_is_removed_with_the_last_who_shares_it(shared, gone, batch):
    world, make = shared
    pipe = make(right="delete", if_edited="remove").batches(of=batch)
    people, _ = sharers(world, pipe, "Kobe", "Oita", "Nara")
    for person in people[:gone]:
        world.ma.remove(person)
    world.settle(pipe)
    assert bool(world.crm.rows("lead")) == (gone < 3)
    assert len(world.links()) == 3 - gone


def test_a_value_that_is_not_the_owners_is_told_as_left_as_it_is(shared):
    world, make = shared
    pipe = make(policies.left_wins, "first_linked")
    (_, two), _ = sharers(world, pipe, "Kobe", "Oita")
    world.ma.edit(two, city="Nara")
    report = world.run(pipe)
    [row] = [row for row in report.rows() if row.ref == two]
    assert [(line.right_field, line.because.code, line.because.facts) for line in row.fields] == [
        ("City", Code.LEFT_AS_IT_IS, {"policy": "not_the_owner"})
    ]


# -- a pipeline that is many-to-one no more ---------------------------------------------------------


@pytest.fixture
def parted(shared):
    """Two people who share a lead, and the pipeline without `many_to_one`."""
    world, make = shared
    people, lead = sharers(world, make(), "Kobe", "Oita")
    one_to_one = world.pipeline(policies.left_wins)
    return world, make(), one_to_one, people, lead


def disputes(world):
    rows = world.store.quarantine.rows("sync")
    return {row.ref: (row.because.code, row.because.facts["record"]) for row in rows if row.state == "disputed"}


def test_whoever_came_later_is_disputed_once_nobody_may_share_any_more(parted):
    world, _, pipe, (one, two), lead = parted
    assert world.run(pipe).counts[Disposition.DISPUTED] == 1
    assert disputes(world) == {two: (Code.ALREADY_LINKED, f"person {one.id}")}
    for person, city in ((one, "Nara"), (two, "Gifu"), (one, "Tsu")):
        world.ma.edit(person, city=city)
        world.settle(pipe, rounds=2)
    assert world.crm.values(lead)["City"] == "Tsu"
    assert world.ma.values(two)["city"] == "Gifu"
    world.crm.edit(lead, Name="Lee")
    world.settle(pipe, rounds=2)
    assert (world.ma.values(one)["name"], world.ma.values(two)["name"]) == ("Lee", "n1")
    assert set(disputes(world)) == {two}


def test_a_plan_disputes_who_shares_no_more_as_the_run_does(parted):
    world, _, pipe, (_, two), _ = parted
    assert [row.ref for row in world.plan(pipe).rows(Disposition.DISPUTED)] == [two]


def test_the_next_one_takes_the_record_when_the_first_one_is_gone(parted):
    world, _, pipe, (one, two), lead = parted
    world.run(pipe)
    world.ma.edit(two, city="Gifu")
    world.ma.remove(one)
    world.settle(pipe.deletes(right="delete"))
    assert disputes(world) == {}
    assert world.crm.values(lead)["City"] == "Gifu"


def test_who_came_later_and_goes_does_not_take_the_record_along(parted):
    world, _, pipe, (one, two), lead = parted
    world.run(pipe)
    world.ma.remove(two)
    world.settle(pipe.deletes(right="delete"))
    world.ma.edit(one, city="Tsu")
    world.settle(pipe.deletes(right="delete"))
    assert disputes(world) == {}
    assert world.crm.values(lead)["City"] == "Tsu"


def test_sharing_that_is_allowed_again_ends_the_dispute(parted):
    world, many, pipe, _, _ = parted
    world.run(pipe)
    assert disputes(world)
    world.settle(many)
    assert disputes(world) == {}
