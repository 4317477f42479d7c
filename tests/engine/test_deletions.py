"""Every deletion setting, on either side, whatever was edited meanwhile: one sentence for each cell."""

from __future__ import annotations

import itertools

import attrs
import pytest

from crmbridge.plan import Deletes

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
