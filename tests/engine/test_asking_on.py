"""An answer as long as its limit may be a part: it is asked for again, and out of a part nobody is chosen or missed."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest

from crmbridge import Disposition, at, one_way, pair, policies, put, two_way
from crmbridge._engine._asking_on import Answer, asked_on, together
from crmbridge.flow import done, step
from crmbridge.match import key, level, newest, scored, weigh
from crmbridge.model import FieldSpec, FieldType, RecordRef
from crmbridge.protocols import MOST_FOUND, KeyValue, Question
from crmbridge.reasons import Code
from crmbridge.references import look_up
from crmbridge.stores import MemoryStore, SqliteStore
from crmbridge.testing.connector import EVERYTHING, FakeConnector, described
from crmbridge.testing.sim import ManualClock, SimDriver
from crmbridge.wording import say

KEY = "info@kaede.example"
EMAIL = level("email", key("email", "Email"))
ALIKE = scored("alike", weigh(key("name", "Name")), blocks=[key("city", "City")], at_least=0.5)


class Crm(FakeConnector):
    """Searches as most vendors do, without regard to case, and keeps what it was asked."""

    def __init__(self, *kinds, **how):
        super().__init__("crm", *kinds, **how)
        self.limits = []

    def _find(self, question, fields):
        self.limits.append(question.limit)
        return super()._find(question, fields)

    def _holds(self, kind, id, row, key):
        held = self._cell(kind, row, key.field)
        return isinstance(held, str) and held.casefold() == key.value.casefold()


class World:
    """People in a marketing tool, leads in a CRM, and a pipeline that asks its search or its own directory."""

    def __init__(self, store, *, searches=True):
        self.clock = ManualClock()
        self.store, self.searches = store, searches
        self.ma = FakeConnector(
            "ma", described("person", *map(FieldSpec, ("email", "name", "city"))), now=self.clock.now
        )
        self.crm = Crm(
            described("lead", *map(FieldSpec, ("Email", "Name", "City")), FieldSpec("Made", FieldType.DATE)),
            described("task", *map(FieldSpec, ("Who", "Text"))),
            capabilities=attrs.evolve(EVERYTHING, finds_by=frozenset({"Email", "City"})),
            now=self.clock.now,
        )

    def leads(self, count, **values):
        """Make leads that share values; the last one was made last."""
        return [
            self.crm.put("lead", Made=dt.date(2020, 1, 1) + dt.timedelta(days=number), **values)
            for number in range(count)
        ]

    def pipeline(self, *levels, **how):
        ends = at(self.ma, "person"), at(self.crm, "lead")
        pipe = one_way("sync", *ends) if self.searches else two_way("sync", *ends).creates(left=False, right=True)
        policy = policies.left_always if self.searches else policies.left_wins
        return (
            pipe.match(*(levels or (EMAIL,)), **how)
            .fields(pair("email", "Email"), pair("name", "Name"), policy=policy)
            .remember(self.store)
            .using(SimDriver(clock=self.clock))
        )

    def linked(self):
        return [link.right for link in self.store.links.all("sync") if link.closed is None]


@pytest.fixture(params=["search", "directory in memory", "directory in a file"])
def world(request, tmp_path):
    store = SqliteStore(tmp_path / "state.db") if request.param.endswith("file") else MemoryStore()
    return World(store, searches=request.param == "search")


@pytest.mark.parametrize("count", [9, 10, 11, 40])
def test_the_adoption_rule_chooses_among_all_that_share_a_key(world, count):
    leads = world.leads(count, Email=KEY)
    world.ma.put("person", email=KEY, name="Kaede")
    world.pipeline(adopt=newest("Made")).run()
    assert world.linked() == [leads[-1]]


@pytest.mark.parametrize("count", [5, 12])
def test_a_record_behind_others_that_the_vendor_takes_for_equal_is_found(count):
    world = World(MemoryStore())
    world.leads(count, Email=KEY.upper())
    exact = world.crm.put("lead", Email=KEY)
    world.ma.put("person", email=KEY, name="Kaede")
    world.pipeline().run()
    assert world.linked() == [exact]


def test_the_best_of_a_block_is_found_behind_two_hundred_others(world):
    world.leads(250, City="Tokyo", Name="Sakura Trading")
    best = world.crm.put("lead", City="Tokyo", Name="Kaede Works")
    world.ma.put("person", city="Tokyo", name="Kaede Works")
    world.pipeline(ALIKE).run()
    assert best in world.linked()


@pytest.mark.parametrize("rule", [{}, {"adopt": newest("Made")}])
def test_out_of_more_than_are_looked_at_nobody_is_chosen_and_nothing_is_made(world, rule):
    world.leads(MOST_FOUND, Email=KEY)
    person = world.ma.put("person", email=KEY, name="Kaede")
    report = world.pipeline(**rule).run()
    [why] = [row.because for row in report.rows(Disposition.DISPUTED) if row.ref == person]
    assert (why.code, why.facts["level"], why.facts["found"]) == (Code.TOO_MANY_MATCH, "email", MOST_FOUND)
    assert "1,000 were looked at" in say(why, "en")
    assert (world.linked(), len(world.crm.rows("lead"))) == ([], MOST_FOUND)


def test_one_less_than_too_many_are_chosen_among(world):
    leads = world.leads(MOST_FOUND - 1, Email=KEY)
    world.ma.put("person", email=KEY, name="Kaede")
    world.pipeline(adopt=newest("Made")).run()
    assert world.linked() == [leads[-1]]


def test_of_too_many_that_only_look_alike_to_the_vendor_none_is_made_either():
    world = World(MemoryStore())
    world.leads(MOST_FOUND, Email=KEY.upper())
    world.ma.put("person", email=KEY, name="Kaede")
    world.pipeline().run()
    assert [str(row.because.code) for row in world.store.quarantine.rows("sync")] == ["too_many_match"]
    assert len(world.crm.rows("lead")) == MOST_FOUND


@pytest.mark.parametrize("chosen", [0, MOST_FOUND + 1])
def test_a_person_may_name_any_of_too_many(world, chosen):
    leads = world.leads(MOST_FOUND + 2, Email=KEY)
    person = world.ma.put("person", email=KEY, name="Kaede")
    pipe = world.pipeline()
    pipe.run()
    pipe.rule(person, leads[chosen].id, by="kim")
    pipe.run()
    assert world.linked() == [leads[chosen]]


def test_a_person_may_not_name_one_of_too_many_that_does_not_match():
    world = World(MemoryStore())
    world.leads(MOST_FOUND, Email=KEY)
    stranger = world.crm.put("lead", Email="stranger@kaede.example")
    person = world.ma.put("person", email=KEY, name="Kaede")
    pipe = world.pipeline()
    pipe.run()
    pipe.rule(person, stranger.id, by="kim")
    pipe.run()
    assert world.linked() == []


def test_nothing_is_asked_twice_where_fewer_than_the_limit_are_found():
    world = World(MemoryStore())
    world.leads(9, Email=KEY)
    world.leads(10, Email="many@kaede.example")
    world.ma.put("person", email=KEY)
    world.ma.put("person", email="nobody@kaede.example")
    world.pipeline(adopt=newest("Made")).run()
    assert set(world.crm.limits) == {10}
    world.ma.put("person", email="many@kaede.example")
    world.pipeline(adopt=newest("Made")).run()
    assert set(world.crm.limits) == {10, MOST_FOUND}


@pytest.mark.parametrize("searched", [True, False])
def test_a_look_up_chooses_among_all_and_out_of_too_many_nobody(searched):
    world = World(MemoryStore())
    if not searched:
        able = attrs.evolve(world.crm.capabilities("lead"), finds_by=frozenset())
        world.crm.capabilities = lambda kind: able
    leads = world.leads(15, Email=KEY)
    world.leads(MOST_FOUND, Email="many@kaede.example")
    host = look_up("host", at(world.crm, "lead"), EMAIL, adopt=newest("Made"))
    for email in (KEY, "many@kaede.example"):
        world.ma.put("person", email=email, name=email)
    pipe = (
        one_way("tasks", at(world.ma, "person"), at(world.crm, "task"))
        .match(level("name", key("name", "Text")))
        .fields(pair("name", "Text"), put("Who", host))
        .remember(world.store)
        .using(SimDriver(clock=world.clock))
    )
    report = pipe.run()
    assert [(task["Text"], task["Who"]) for task in world.crm.rows("task")] == [(KEY, leads[-1].id)]
    [row] = report.rows(Disposition.DISPUTED)
    assert (row.because.code, row.because.facts["level"]) == (Code.TOO_MANY_MATCH, "host: email")


def refs(*numbers):
    return tuple(RecordRef("crm", "lead", f"{number:04}") for number in numbers)


def test_what_two_places_tell_is_put_together_and_is_a_part_if_either_is():
    assert together(Answer(refs(1, 2)), Answer(refs(2, 3), part=True)) == Answer(refs(1, 2, 3), part=True)
    assert together(Answer(refs(1, 2)), Answer(refs(3))) == Answer(refs(1, 2, 3))


def test_only_full_answers_are_asked_for_again_each_up_to_its_own_bound():
    held = {"a": 3, "b": 5, "c": 4}
    rounds = []

    def ask(questions):
        rounds.append([(one.level, one.limit) for one in questions])
        return done([refs(*range(min(held[one.level], one.limit))) for one in questions])

    questions = [
        Question("lead", name, ((KeyValue("Email", KEY),),), limit=4, most=most)
        for name, most in (("a", 9), ("b", 9), ("c", 4))
    ]
    answers = step(asked_on(ask, questions)).value
    assert rounds == [[("a", 4), ("b", 4), ("c", 4)], [("b", 9)]]
    assert [(len(one.refs), one.part) for one in answers] == [(3, False), (5, False), (4, True)]
