"""Every deletion setting, on either side, whatever was edited meanwhile: one sentence for each cell."""

from __future__ import annotations

import itertools

import attrs
import pytest

from crmbridge import at, one_way, pair, policies
from crmbridge.match import key, level
from crmbridge.model import Disposition
from crmbridge.plan import Deletes
from crmbridge.reasons import Code, because

RULES = list(itertools.product(("detach", "archive", "delete"), ("ask", "revive", "remove"), (False, True)))


def said(rule, if_edited, edited):
    """What the design says becomes of the survivor."""
    if rule == "detach":
        return "stays"
    return {"ask": "asked", "revive": "revived", "remove": "removed"}[if_edited] if edited else "removed"


@pytest.mark.parametrize("gone", ["left", "right"])
@pytest.mark.parametrize(("rule", "if_edited", "edited"), RULES)
def test_each_deletion_setting_does_what_it_says(world, gone, rule, if_edited, edited):
    survivor = "right" if gone == "left" else "left"
    pipe = world.pipeline(**{survivor: rule, "if_edited": if_edited})
    person, lead = world.pair(pipe)
    if gone == "left":
        world.ma.remove(person)
    else:
        world.crm.remove(lead)
    if edited:
        world.crm.edit(lead, Name="Edited") if gone == "left" else world.ma.edit(person, name="Edited")
    world.settle(pipe)
    outcome = said(rule, if_edited, edited)
    left, right = world.ma.rows("person"), world.crm.rows("lead")
    stays, comes_back = (right, left) if gone == "left" else (left, right)
    assert bool(stays) == (outcome != "removed")
    assert bool(comes_back) == (outcome == "revived")
    assert {state for state, _, _ in world.parked()} == ({"disputed"} if outcome == "asked" else set())
    verbs = {(system, verb) for system, verb in world.writes() if verb != "create"}
    assert verbs == ({("crm" if gone == "left" else "ma", "delete")} if outcome == "removed" else set())
    before = world.count()
    world.settle(pipe)
    assert world.count() == before


def one_way_to_revive(world):
    return (
        one_way("sync", at(world.ma, "person"), at(world.crm, "lead"))
        .match(level("email", key("email", "Email")))
        .fields(pair("email", "Email"), pair("name", "Name"), pair("city", "City"), policy=policies.left_wins)
        .deletes(right="delete", if_edited="revive")
    )


def two_way_to_revive(world):
    return world.pipeline(policies.left_wins, right="delete", if_edited="revive").creates(left=False, right=True)


@pytest.mark.parametrize("how", [one_way_to_revive, two_way_to_revive])
@pytest.mark.parametrize("choice", [None, "crm", "ma"])
def test_a_person_is_asked_where_what_is_gone_cannot_be_made_again(world, how, choice):
    pipe = how(world)
    person, lead = world.pair(pipe)
    world.settle(pipe)
    world.crm.edit(lead, City="by hand")
    world.ma.remove(person)
    plan, report = world.plan(pipe), world.run(pipe)
    assert (plan.totals.writes, report.writes) == ({}, 0)
    assert person in {row.ref for row in report.rows(Disposition.DISPUTED)}
    assert {(state, code) for state, code, _ in world.parked()} == {("disputed", "gone_and_changed")}
    if choice is not None:
        world.clock.advance(60)
        world.ready(pipe).rule(person, choice, by="ops")
        world.settle(pipe)
        assert person.id not in {ref for _, _, ref in world.parked()}
    if choice != "ma":
        world.ma.restore(person)
        world.settle(pipe)
    assert [row["City"] for row in world.crm.rows("lead")] == ([] if choice == "ma" else ["by hand"])


def test_a_check_warns_of_a_revival_that_makes_nothing(world):
    found = [finding.because for finding in world.ready(one_way_to_revive(world)).check()]
    assert because(Code.CANNOT_REVIVE, system="ma") in found


def test_only_the_survivors_row_is_written_where_a_record_is_made_again(world):
    pipe = world.pipeline(right="delete", if_edited="revive")
    person, lead = world.pair(pipe)
    world.crm.edit(lead, Name="Edited")
    world.ma.remove(person)
    plan, report = world.plan(pipe), world.run(pipe)
    for told in (plan, report):
        applied = list(told.rows(Disposition.APPLIED))
        assert [(row.ref, row.because.code) for row in applied] == [(lead, Code.NEW)]
    assert report.writes == 1


@pytest.mark.parametrize("rule", ["detach", "archive", "delete"])
@pytest.mark.parametrize("if_edited", ["ask", "revive", "remove"])
def test_what_is_gone_from_both_sides_is_let_go_without_a_word(world, rule, if_edited):
    pipe = world.pipeline(left=rule, right=rule, if_edited=if_edited)
    person, lead = world.pair(pipe)
    world.ma.remove(person)
    world.crm.remove(lead)
    before = world.count()
    world.settle(pipe)
    assert (world.count(), world.links(), world.parked()) == (before, [], [])


@pytest.mark.parametrize("word", ["none", None, "Detach", "keep"])
def test_a_word_that_got_past_the_builder_removes_nothing(world, word):
    pipe = world.pipeline()
    person, _ = world.pair(pipe)
    world.ma.remove(person)
    unknown = attrs.evolve(pipe, definition=attrs.evolve(pipe.definition, deletes=Deletes(right=word)))
    with pytest.raises(AssertionError):
        world.run(unknown)
    assert len(world.crm.rows("lead")) == 1
