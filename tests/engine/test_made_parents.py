"""A parent is made only for a record that is made itself, and not before that may start."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest

from crmbridge import Disposition, at, case, computed, ensured, key, level, one_way, pair, put
from crmbridge.gates import by, filled
from crmbridge.model import FieldSpec
from crmbridge.reasons import Code
from crmbridge.stores import MemoryStore
from crmbridge.testing.connector import EVERYTHING, FakeConnector, described
from crmbridge.testing.faulty import FaultyConnector
from crmbridge.testing.sim import ManualClock, SimDriver


class World:
    """People of firms in a marketing tool; contacts of accounts in a CRM."""

    def __init__(self, required=False):
        self.clock, self.store = ManualClock(), MemoryStore()
        person = described("person", *(FieldSpec(name) for name in ("email", "name", "firm")))
        account = described("account", FieldSpec("Name"))
        fields = (FieldSpec("Email"), FieldSpec("Name", max_length=20), FieldSpec("Text"))
        contact = described("contact", *fields, FieldSpec("Account", required=required))
        self.ma = FakeConnector("ma", person, now=self.clock.now)
        self.crm = FakeConnector("crm", account, contact, now=self.clock.now)

    def firms(self):
        return (
            one_way("firms", at(self.ma, "person"), at(self.crm, "account"))
            .many_to_one()
            .match(level("firm", key("firm", "Name")))
            .fields(pair("firm", "Name"))
        )

    def people(self, *more):
        return (
            one_way("people", at(self.ma, "person"), at(self.crm, "contact"))
            .match(level("email", key("email", "Email")))
            .fields(pair("email", "Email"), pair("name", "Name"), *more)
        )

    def ready(self, pipe):
        return pipe.remember(self.store).using(SimDriver(clock=self.clock))

    def run(self, pipe):
        self.clock.advance(1)
        return self.ready(pipe).run()

    def made(self):
        """Count the contacts and accounts that are there."""
        return len(self.crm.rows("contact")), len(self.crm.rows("account"))


@pytest.fixture
def world():
    return World()


def ensuring(world):
    return world.people(put("Account", ensured(world.firms())))


def childless(world, **values):
    """Put six people of six firms, of whom none or few are made."""
    return [
        world.ma.put("person", **{"email": f"p{number}@x.example", "firm": f"firm {number}", **values})
        for number in range(6)
    ]


UNFIT = {
    "no case admits it": (lambda pipe: pipe.cases(case("named", filled("name"))), {}),
    "a condition of a case raises": (lambda pipe: pipe.cases(case("odd", by("odd", lambda _: 1 / 0))), {}),
    "a gate keeps it back": (lambda pipe: pipe.gate(filled("name"), before="creating"), {}),
    "its value is refused": (lambda pipe: pipe, {"name": "x" * 300}),
    "a value raises": (lambda pipe: pipe.fields(put("Text", computed(lambda name: 1 / 0, "email"))), {}),
    "nothing is made": (lambda pipe: pipe.creates(left=False, right=False), {}),
}


@pytest.mark.parametrize("why", UNFIT)
@pytest.mark.parametrize("planned", [False, True])
def test_no_parent_is_made_for_a_record_that_is_not_made(world, why, planned):
    make, values = UNFIT[why]
    childless(world, **values)
    people = make(ensuring(world))
    if planned:
        assert world.ready(people).plan().totals.writes == {}
    world.run(people)
    assert world.made() == (0, 0)


def test_parents_are_made_for_as_many_children_as_may_start(world):
    people = childless(world)
    paced = ensuring(world).paced(reservations=2)
    report = world.run(paced)
    assert [row.because.code for row in report.rows(Disposition.HELD)] == [Code.PACED] * 4
    assert world.made() == (2, 2)
    world.clock.advance(dt.timedelta(days=1))
    world.run(paced)
    assert world.made() == (4, 4)
    world.clock.advance(dt.timedelta(days=1))
    for person in people:
        world.ma.remove(person)
    world.run(paced)
    assert world.made() == (4, 4)


def test_a_required_reference_is_no_reason_to_make_no_parent():
    world = World(required=True)
    childless(world)
    world.run(ensuring(world))
    assert world.made() == (6, 6)


def test_a_case_that_looks_at_its_parent_is_asked_once_that_is_made(world):
    childless(world)
    parent = ensured(world.firms())
    people = world.people(put("Account", parent)).cases(case("with parent", filled(parent)))
    world.run(people)
    assert world.made() == (6, 6)


def test_a_record_whose_time_comes_while_other_parents_are_made_gets_its_own(world):
    late = attrs.evolve(EVERYTHING, overlap=dt.timedelta(seconds=60))
    kinds = [described(kind, *(FieldSpec(name) for name in ("email", "name", "firm"))) for kind in ("person", "lead")]
    world.ma = FakeConnector("ma", *kinds, capabilities=late, now=world.clock.now)
    slow = FaultyConnector(
        "crm",
        described("account", FieldSpec("Name")),
        described("contact", FieldSpec("Email"), FieldSpec("Account")),
        now=world.clock.now,
    )
    slow.single = lambda action: world.clock.advance(45) if action.kind == "account" else None
    world.crm = slow
    firms = world.firms()
    people = (
        one_way("people", at(world.ma, "person", "lead"), at(slow, "contact"))
        .match(level("email", key("email", "Email")))
        .fields(pair("email", "Email"), put("Account", ensured(firms)))
    )
    for number, later in enumerate((30, 35)):
        world.ma.put("person", email=f"p{number}@x.example", firm=f"firm {number}")
        world.clock.advance(later)
    report = world.run(people)
    assert {row.disposition for row in report.rows()} == {Disposition.APPLIED}
    assert world.made() == (2, 2)
    assert all(row.get("Account") for row in slow.rows("contact"))
