"""What a pipeline says is heard, or refused when it is said: nothing that an author writes is without effect unnoticed."""

from __future__ import annotations

import datetime as dt
from itertools import product

import attrs
import pytest

from crmbridge import at, events, gates, key, level, one_way, pair, policies, two_way
from crmbridge.definition import PlacedGate
from crmbridge.errors import UsageError
from crmbridge.match import oldest
from crmbridge.protocols import Skip
from crmbridge.reasons import Code, because

from .conftest import World

MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
EMAIL = level("email", key("email", "Email"))
MAKERS = {"one_way": one_way, "two_way": two_way, "events": events}
GATES = [
    (how, before, towards, of)
    for how, before, towards, of in product(
        MAKERS, ("linking", "creating", "writing"), ("left", "right", "both"), (None, "left", "right")
    )
]


@attrs.frozen
class Closed:
    """Admits nobody."""

    fields: frozenset = frozenset()

    def admit(self, crossing):
        return Skip(because(Code.RULE, rule="nobody crosses"))


def pipeline(world, how):
    pipe = MAKERS[how]("sync", at(world.ma, "person"), at(world.crm, "lead"))
    pipe = pipe if how == "events" else pipe.match(EMAIL)
    pipe = pipe.creates(left=True, right=True) if how == "two_way" else pipe
    return pipe.fields(pair("email", "Email"), pair("name", "Name"), policy=policies.left_wins)


def life(world, pipe):
    """Let records meet, be made on both sides and be edited, so that a gate of any moment has its turn."""
    if pipe.definition.topology == "events":
        world.ready(pipe).enable()
        world.clock.advance(MINUTE)
    met = world.left(email="kim@x.example", name="Kim")
    other = world.right(Email="kim@x.example", Name="Lee")
    world.left(email="new@x.example", name="New")
    world.right(Email="lead@x.example", Name="Lead")
    world.run(pipe, after=HOUR)
    world.ma.edit(met, name="Park")
    world.run(pipe, after=HOUR)
    world.crm.edit(other, Name="Choi")
    world.run(pipe, after=HOUR)


def written(how, *gates):
    """Tell what both systems hold after a life under gates, placed as they are, whatever a builder says to that."""
    world = World()
    pipe = pipeline(world, how)
    life(world, attrs.evolve(pipe, definition=attrs.evolve(pipe.definition, gates=gates)))
    return world.ma.rows("person"), world.crm.rows("lead")


@pytest.mark.parametrize(("how", "before", "towards", "of"), GATES)
def test_a_gate_keeps_somebody_out_or_is_refused_when_it_is_said(world, how, before, towards, of):
    looks_at = of or ("right" if towards == "left" else "left")
    closed = PlacedGate(Closed(), before, towards, looks_at)
    try:
        pipe = pipeline(world, how).gate(Closed(), before=before, towards=towards, of=of)
    except UsageError:
        assert written(how, closed) == written(how)
    else:
        assert pipe.definition.gates == (closed,)
        assert written(how, closed) != written(how)


REFUSED = {
    "gate of an event before it is linked": (
        lambda one: one("events").gate(Closed(), before="linking"),
        "an event is tied to no record that is there already; say before='creating'",
    ),
    "gate towards a source": (
        lambda one: one("one_way").gate(Closed(), towards="left", of="left"),
        "ma is never written; say towards='right', which is crm",
    ),
    "gate on what is to be made": (
        lambda one: one("two_way").gate(Closed(), before="creating", towards="left", of="left"),
        "where a record of ma is made, it is not there yet to be looked at; say of='right', which is the record of crm",
    ),
    "gate on what an event makes": (
        lambda one: one("events").gate(Closed(), of="right"),
        "where a record of crm is made, it is not there yet to be looked at; say of='left', which is the record of ma",
    ),
    "match of events": (lambda one: one("events").match(EMAIL), "each event makes a record of its own; look_up()"),
    "match without levels": (lambda one: one("one_way").match(adopt=oldest("at")), "name a level"),
    "many_to_one of events": (lambda one: one("events").many_to_one(), "each event makes a record of its own"),
    "deletes of events": (lambda one: one("events").deletes(right="delete"), "is never looked at again, and stays"),
    "creates in the source of events": (
        lambda one: one("events").creates(left=True, right=True),
        "a one-way pipeline never writes to ma",
    ),
    "no pace": (lambda one: one("events").paced(), "say cooldown=, spacing= or reservations="),
    "no cool-down": (lambda one: one("one_way").paced(by="name", spacing=HOUR), "say cooldown= too"),
    "no reservations": (lambda one: one("one_way").paced(window=HOUR, spacing=HOUR), "say reservations= too"),
    "no bound": (lambda one: one("one_way").guard(gates.at_most(floor=3)), "say one of creates, updates, blanks, del"),
}


@pytest.mark.parametrize("said", REFUSED)
def test_what_would_do_nothing_is_refused_with_what_to_say_instead(world, said):
    say, told = REFUSED[said]
    with pytest.raises(UsageError) as refused:
        say(lambda how: pipeline(world, how))
    assert told in str(refused.value)


def test_an_event_that_is_refused_before_it_is_made_does_not_cross(world):
    pipe = pipeline(world, "events").gate(gates.filled("city"), before="creating")
    world.ready(pipe).enable()
    world.clock.advance(MINUTE)
    world.left(email="kim@x.example", name="Kim")
    assert world.run(pipe).counts["skipped"] == 1
    assert world.crm.rows("lead") == []


def test_what_a_gate_on_the_target_kept_back_crosses_once_the_pipeline_looks_again(world):
    pipe = pipeline(world, "one_way").gate(gates.unless(gates.equals("City", "locked")), of="right")
    person, lead = world.pair(pipe)
    world.crm.edit(lead, City="locked")
    world.ma.edit(person, name="Park")
    world.run(pipe, after=HOUR)
    world.crm.edit(lead, City="free")
    world.run(pipe, after=HOUR)
    assert world.crm.values(lead)["Name"] == "Kim"
    assert world.ready(pipe).look_again() == 1
    world.run(pipe)
    assert world.crm.values(lead)["Name"] == "Park"
