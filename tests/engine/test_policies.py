"""Every policy between two systems in memory: a lone edit, a lone clear, a conflict and first contact, and then rest."""

from __future__ import annotations

import datetime as dt

import pytest

from crmbridge import at, pair, policies, two_way
from crmbridge.match import key, level
from crmbridge.protocols import Settle
from crmbridge.reasons import Code, because

MINUTE = dt.timedelta(minutes=1)
KEPT = ("l", "r")


def shorter(state):
    return Settle(min(state.left or "", state.right or "", key=len) or None, because(Code.RULE, rule="shorter"))


# policy: (a lone edit on the right, a lone clear on the left, left and then right changed, first contact filled and blank)
ENDS = {
    policies.left_wins: (("r", "r"), (None, None), ("l", "l"), ("x", "x")),
    policies.right_wins: (("r", "r"), (None, None), ("r", "r"), ("x", "x")),
    policies.left_always: (("x", "x"), (None, None), ("l", "l"), ("x", "x")),
    policies.right_always: (("r", "r"), ("x", "x"), ("r", "r"), ("x", "x")),
    policies.newest_wins(otherwise="left"): (("r", "r"), (None, None), ("r", "r"), ("x", "x")),
    policies.filled_beats_blank(policies.left_wins): (("r", "r"), ("x", "x"), ("l", "l"), ("x", "x")),
    policies.never_clear(policies.left_wins): (("r", "r"), (None, "x"), ("l", "l"), ("x", "x")),
    policies.only_if_empty: (("x", "r"), (None, "x"), KEPT, ("x", "x")),
    policies.only_on_create: (("x", "r"), (None, "x"), KEPT, ("x", None)),
    policies.once_per_link(policies.left_wins): (("x", "r"), (None, "x"), KEPT, ("x", "x")),
    policies.write_once: (("x", "x"), ("x", "x"), ("x", "x"), ("x", "x")),
    policies.ask_a_person: (("r", "r"), (None, None), KEPT, ("x", "x")),
    policies.monotone(towards="l"): (("r", "r"), (None, None), ("l", "l"), ("x", "x")),
    policies.by("shorter", shorter): (("x", "x"), (None, None), ("l", "l"), (None, None)),
    policies.never_clear(policies.newest_wins(otherwise="left")): (("r", "r"), (None, "x"), ("r", "r"), ("x", "x")),
}


def held(world, person, lead):
    return world.ma.values(person).get("city"), world.crm.values(lead).get("City")


def settled(world, pipe):
    """Run until nothing waits, and see that the next runs write nothing."""
    world.settle(pipe, rounds=2)
    before = world.count()
    world.settle(pipe, rounds=2)
    assert world.count() == before


def piped(world, policy):
    return paired(world, pair("city", "City", policy))


def paired(world, *pairs):
    """Keep people and leads in step by e-mail, with these fields beside it."""
    return (
        two_way("sync", at(world.ma, "person"), at(world.crm, "lead"))
        .match(level("email", key("email", "Email", str.lower)))
        .creates(left=True, right=True)
        .fields(pair("email", "Email", policies.left_wins), *pairs)
    )


@pytest.mark.parametrize("policy", ENDS, ids=lambda policy: policy.name)
def test_a_lone_edit_ends_as_the_policy_says(world, policy):
    pipe = piped(world, policy)
    person, lead = world.pair(pipe, city="x")
    world.crm.edit(lead, City="r")
    settled(world, pipe)
    assert held(world, person, lead) == ENDS[policy][0]


def test_a_value_that_comes_late_goes_into_a_blank_and_over_nothing_with_only_if_empty(world):
    pipe = piped(world, policies.only_if_empty)
    person, lead = world.pair(pipe, city=None)
    for city, there in (("late", "late"), ("later", "late")):
        world.ma.edit(person, city=city)
        settled(world, pipe)
        assert held(world, person, lead) == (city, there)
    world.crm.edit(lead, City=None)
    settled(world, pipe)
    assert held(world, person, lead) == ("later", None)
    world.ma.edit(person, city="last")
    settled(world, pipe)
    assert held(world, person, lead) == ("last", "last")


@pytest.mark.parametrize("policy", ENDS, ids=lambda policy: policy.name)
def test_a_lone_clear_ends_as_the_policy_says(world, policy):
    pipe = piped(world, policy)
    person, lead = world.pair(pipe, city="x")
    world.ma.edit(person, city=None)
    settled(world, pipe)
    assert held(world, person, lead) == ENDS[policy][1]


@pytest.mark.parametrize("policy", ENDS, ids=lambda policy: policy.name)
def test_a_conflict_ends_as_the_policy_says(world, policy):
    pipe = piped(world, policy)
    person, lead = world.pair(pipe, city="x")
    world.ma.edit(person, city="l")
    world.clock.advance(MINUTE)
    world.crm.edit(lead, City="r")
    settled(world, pipe)
    assert held(world, person, lead) == ENDS[policy][2]


@pytest.mark.parametrize("policy", ENDS, ids=lambda policy: policy.name)
def test_first_contact_fills_blanks_as_the_policy_says(world, policy):
    pipe = piped(world, policy)
    person = world.left(email="kim@x.example", city="x")
    lead = world.right(Email="kim@x.example", City=None)
    settled(world, pipe)
    assert held(world, person, lead) == ENDS[policy][3]


@pytest.mark.parametrize("policy", [policies.union, policies.filled_beats_blank(policies.union)], ids=lambda p: p.name)
def test_a_union_keeps_what_either_side_added_less_what_either_removed(world, policy):
    pipe = (
        world.pipeline()
        ._with(fields=())
        .fields(pair("email", "Email", policies.left_wins), pair("tags", "Tags", policy))
    )
    person = world.left(email="kim@x.example", tags=("a", "b"))
    world.run(pipe)
    lead = world.counterpart(person)
    world.ma.edit(person, tags=("a", "b", "c"))
    world.crm.edit(lead, Tags=("a", "d"))
    settled(world, pipe)
    assert {*world.ma.values(person)["tags"]} == {*world.crm.values(lead)["Tags"]} == {"a", "c", "d"}


def test_the_last_value_crosses_and_a_single_one_is_added(world):
    pipe = (
        world.pipeline()
        ._with(fields=())
        .fields(
            pair("email", "Email", policies.left_wins),
            pair("tags", "City", policies.filled_beats_blank(policies.last_value)),
        )
    )
    person = world.left(email="kim@x.example", tags=("a", "b"))
    world.run(pipe)
    lead = world.counterpart(person)
    assert world.crm.values(lead)["City"] == "b"
    world.crm.edit(lead, City="z")
    settled(world, pipe)
    assert (world.ma.values(person)["tags"], world.crm.values(lead)["City"]) == (("a", "b", "z"), "z")
