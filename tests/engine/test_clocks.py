"""Clocks that are wrong: the later edit lives on, whatever time its system has put on it."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest

from crmbridge import at, pair, policies, two_way
from crmbridge.match import key, level
from crmbridge.model import FieldSpec, RecordRef
from crmbridge.stores.memory import MemoryStore
from crmbridge.testing.connector import EVERYTHING, FakeConnector, described
from crmbridge.testing.sim import ManualClock, SimDriver

MINUTE = dt.timedelta(minutes=1)


def skewed(system, clock, ahead, **able):
    """Make a connector whose clock is ahead of ours."""
    fields = (FieldSpec("email"), FieldSpec("name"))
    promised = attrs.evolve(EVERYTHING, **able)
    return FakeConnector(system, described("person", *fields), capabilities=promised, now=lambda: clock.now() + ahead)


def later_edit(left_ahead, right_ahead, first, **able):
    """Edit one side, the other a minute later, and tell what both hold in the end."""
    clock = ManualClock()
    left = skewed("left", clock, left_ahead, **able)
    right = skewed("right", clock, right_ahead)
    pipe = (
        two_way("people", at(left, "person"), at(right, "person"))
        .match(level("email", key("email", "email")))
        .creates(left=True, right=True)
        .fields(pair("email", "email"), pair("name", "name"), policy=policies.newest_wins(otherwise="left"))
        .remember(MemoryStore())
        .using(SimDriver(clock=clock))
    )
    person = left.put("person", email="kim@x.example", name="Kim")
    pipe.run()
    [lead] = [RecordRef("right", "person", str(row["id"])) for row in right.rows("person")]
    clock.advance(20 * MINUTE)
    edits = {"left": lambda: left.edit(person, name="left"), "right": lambda: right.edit(lead, name="right")}
    edits.pop(first)()
    clock.advance(MINUTE)
    [last] = edits.values()
    last()
    clock.advance(20 * MINUTE)
    for _ in range(3):
        pipe.run()
    return left.values(person)["name"], right.values(lead)["name"]


@pytest.mark.parametrize("first", ["left", "right"])
@pytest.mark.parametrize("ahead", [(5, 0), (-5, 0), (0, 5), (0, -5), (7, -400)], ids=str)
def test_the_later_edit_wins_although_a_clock_is_wrong(ahead, first):
    last = "right" if first == "left" else "left"
    assert later_edit(*(minutes * MINUTE for minutes in ahead), first) == (last, last)


def test_a_clock_that_is_not_told_is_believed():
    assert later_edit(5 * MINUTE, 0 * MINUTE, "left", tells_clock=False) == ("left", "left")
