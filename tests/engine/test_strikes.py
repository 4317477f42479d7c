"""Fields that swing: two systems that rewrite each other's values without saying so, and automations that insist."""

from __future__ import annotations

import pytest

from crmbridge import policies
from crmbridge.reasons import Code
from crmbridge.testing.faulty import Fault

POLICIES = [policies.right_wins, policies.left_wins, policies.newest_wins(otherwise="left"), policies.left_always]


def rewrites(make):
    """Store cities in a form of the system's own, which no schema tells."""
    return lambda kind, field, value: make(value) if field in {"city", "City"} and value else value


@pytest.fixture
def disagreeing(both, promises):
    """Two systems that normalise against each other without declaring it, and that answer with nothing."""
    world = both(capabilities=promises(answers_with_stored=False))
    world.ma._stores, world.crm._stores = rewrites(str.upper), rewrites(str.title)
    return world


def swings(world):
    return [past for end in (world.ma, world.crm) for past in end.history if past.by == "us" and past.verb == "update"]


@pytest.mark.parametrize("policy", POLICIES)
def test_systems_that_normalise_against_each_other_are_stopped_and_named(disagreeing, policy):
    world, pipe = disagreeing, disagreeing.pipeline(policy)
    person, lead = world.pair(pipe, city="kobe")
    world.settle(pipe)
    world.settle(pipe)
    assert len(swings(world)) <= 6
    rows = [row for row in world.store.quarantine.rows("sync") if row.state == "quarantined"]
    assert {row.ref for row in rows} <= {person, lead}
    if policy is not policies.left_always:
        assert {row.because.code for row in rows} == {Code.NEVER_SETTLES}
        assert rows[0].because.facts == {"field": "City", "count": 3, "one": "ma", "two": "crm"}
    before = world.count()
    world.settle(pipe)
    assert world.count() == before


def test_the_value_of_a_person_starts_the_count_anew(disagreeing):
    world, pipe = disagreeing, disagreeing.pipeline()
    person, _ = world.pair(pipe, city="kobe")
    world.settle(pipe)
    fought = len(swings(world))
    assert [state for state, _, _ in world.parked()] != []
    world.ma.edit(person, city="42")
    world.settle(pipe)
    assert world.parked() == []
    assert world.crm.values(world.counterpart(person))["City"] == "42"
    before = len(swings(world))
    world.ma.edit(person, city="oita")
    world.settle(pipe)
    assert len(swings(world)) - before >= fought


def test_the_other_fields_of_other_records_go_on(disagreeing):
    world, pipe = disagreeing, disagreeing.pipeline()
    person, _ = world.pair(pipe, city="kobe")
    world.settle(pipe)
    other = world.left(email="two@x.example", name="Two")
    world.settle(pipe)
    assert world.counterpart(other)
    assert {ref for _, _, ref in world.parked()} <= {person.id, world.counterpart(person).id}


def test_two_automations_that_insist_are_stopped_although_every_answer_tells_what_was_stored(both, promises):
    world = both(capabilities=promises(answers_with_stored=True))
    person, lead = world.pair(city="Kobe")

    def insist(end, ref, field, value):
        def meanwhile(what):
            if end.values(ref)[field] != value:
                end.edit(ref, by="an automation", **{field: value})

        return meanwhile

    world.ma.meanwhile = insist(world.ma, person, "city", "Kobe")
    world.crm.meanwhile = insist(world.crm, lead, "City", "Oita")
    for _ in range(12):
        world.run(after=60)
    assert ("quarantined", "never_settles") in {(state, code) for state, code, _ in world.parked()}
    assert len(swings(world)) <= 8


def test_a_person_may_change_their_mind_and_back(world):
    person, lead = world.pair(city="Kobe")
    for city in ("Oita", "Kobe", "Oita"):
        world.ma.edit(person, city=city)
        world.settle()
        assert world.crm.values(lead)["City"] == city
    for city in ("Kobe", "Oita"):
        world.crm.edit(lead, City=city)
        world.settle()
        assert world.ma.values(person)["city"] == city
    assert world.parked() == []


@pytest.mark.parametrize("fault", [Fault.UNREACHABLE, Fault.THROTTLED, Fault.LOST_BEFORE, Fault.BUSY])
def test_a_system_that_is_busy_for_days_is_no_echo(both, promises, fault):
    world = both(capabilities=promises(answers_with_stored=False))
    person, lead = world.pair(city="Kobe")
    world.crm.edit(lead, City=None)
    world.ma.edit(person, city="Oita")
    world.settle()
    world.crm.edit(lead, City="Kobe")
    world.ma.whole = world.crm.whole = lambda _: None if fault is Fault.BUSY else fault
    world.ma.single = world.crm.single = lambda _: fault if fault is Fault.BUSY else None
    for _ in range(6):
        world.settle(rounds=1)
        assert "never_settles" not in {code for _, code, _ in world.parked()}
    for end in (world.ma, world.crm):
        end.whole = end.single = lambda _: None
    world.settle()
    assert world.parked() == []
    assert world.ma.values(person)["city"] == world.crm.values(lead)["City"] == "Kobe"
