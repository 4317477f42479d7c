"""What a person ruled outranks policies and matchers, for what the person saw."""

import pytest

from crmbridge import Disposition, at, key, level, pair, two_way
from crmbridge.model import FieldSpec
from crmbridge.policies import ask_a_person, right_wins
from crmbridge.stores import MemoryStore
from crmbridge.testing.connector import FakeConnector, described
from crmbridge.testing.sim import ManualClock, SimDriver


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def ma(clock):
    return FakeConnector("ma", described("person", FieldSpec("email"), FieldSpec("name")), now=clock.now)


@pytest.fixture
def crm(clock):
    return FakeConnector("crm", described("lead", FieldSpec("Email"), FieldSpec("Name")), now=clock.now)


@pytest.fixture
def people(ma, crm, clock):
    return (
        two_way("people", at(ma, "person"), at(crm, "lead"))
        .match(level("e-mail", key("email", "Email")))
        .creates(left=False, right=True)
        .deletes(left="archive", right="archive")
        .fields(pair("email", "Email", right_wins), pair("name", "Name", ask_a_person))
        .remember(MemoryStore())
        .using(SimDriver(clock=clock))
    )


@pytest.mark.parametrize(
    ("choice", "both"), [("left", ("Kim", "Kim")), ("right", ("Lee", "Lee")), ("leave", ("Kim", "Lee"))]
)
def test_a_ruling_settles_a_dispute_and_stays_settled(people, ma, crm, clock, choice, both):
    left, right = ma.put("person", email="a@x.example", name="Kim"), crm.put("lead", Email="a@x.example", Name="Lee")
    assert people.run().counts[Disposition.DISPUTED] == 2
    clock.advance(60)
    people.rule(left, choice, by="the boss")
    assert people.run().counts[Disposition.DISPUTED] == 0
    assert (ma.values(left)["name"], crm.values(right)["Name"]) == both
    assert people.run().writes == 0


def test_an_edit_made_after_a_ruling_asks_again(people, ma, crm, clock):
    left, right = ma.put("person", email="a@x.example", name="Kim"), crm.put("lead", Email="a@x.example", Name="Lee")
    people.run()
    clock.advance(60)
    people.rule(left, "left", by="the boss")
    clock.advance(60)
    crm.edit(right, Name="Park")
    assert people.run().counts[Disposition.DISPUTED] == 2
    assert ma.values(left)["name"] == "Kim"


def test_a_person_names_the_record_to_adopt(people, ma, crm, clock):
    left = ma.put("person", email="a@x.example", name="Kim")
    crm.put("lead", Email="a@x.example", Name="Kim")
    chosen = crm.put("lead", Email="a@x.example")
    people.run()
    clock.advance(60)
    people.rule(left, chosen.id, by="the boss")
    people.run()
    assert crm.values(chosen)["Name"] == "Kim"
    assert len(crm.rows("lead")) == 2


@pytest.mark.parametrize(("choice", "left_there", "right_there"), [("left", False, False), ("right", True, True)])
def test_a_person_rules_on_a_record_that_is_gone_here_and_was_edited_there(
    people, ma, crm, clock, choice, left_there, right_there
):
    people = people.creates(left=True, right=True)
    left, right = ma.put("person", email="a@x.example", name="Kim"), crm.put("lead", Email="a@x.example", Name="Kim")
    people.run()
    clock.advance(60)
    ma.remove(left)
    crm.edit(right, Name="Park")
    assert people.run().counts[Disposition.DISPUTED] >= 1
    clock.advance(60)
    people.rule(right, choice, by="the boss")
    people.run()
    assert (bool(ma.rows("person")), bool(crm.rows("lead"))) == (left_there, right_there)
