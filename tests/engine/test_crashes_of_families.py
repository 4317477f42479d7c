"""A process dies before or after any effect while parents and children are made; the next ones make each once."""

from __future__ import annotations

import copy
import datetime as dt
import threading

import attrs
import pytest

from crmbridge import at, bundle, ensured, events, level, linked, look_up, one_way, pair, put, two_way
from crmbridge.match import key
from crmbridge.model import CreateClass, FieldSpec, RecordRef
from crmbridge.policies import right_wins
from crmbridge.stores import MemoryStore
from crmbridge.testing.connector import EVERYTHING, described
from crmbridge.testing.faulty import FaultyConnector
from crmbridge.testing.sim import ManualClock, SimDriver, SimulatedCrash

LATER = dt.timedelta(minutes=20)

CRASHES = ("crash_before", "crash_after")
AT_EVERY = CRASHES[:1]
"""Before an effect all stands as after the one before it: dying before each meets every state."""

CLASSES = {
    "A": {"creates": CreateClass.A, "create_key": "@key"},
    "A-unique": {"creates": CreateClass.A, "unique": "Name"},
    "B": {"creates": CreateClass.B, "create_key": "@key"},
    "C": {"creates": CreateClass.C, "finds_by": frozenset({"Name"})},
}


class World:
    def __init__(self, made):
        self.clock = ManualClock()
        self.store = MemoryStore()
        able = attrs.evolve(EVERYTHING, settles_in=dt.timedelta(seconds=60), **made)
        here = attrs.evolve(able, unique="name") if able.unique else able
        self.ma = FaultyConnector(
            "ma", *(described(kind, FieldSpec("name"), FieldSpec("firm")) for kind in ("company", "person", "event")),
            capabilities=here, now=self.clock.now,
        )  # fmt: skip
        self.crm = FaultyConnector(
            "crm", *(described(kind, FieldSpec("Name"), FieldSpec("Parent")) for kind in ("account", "contact", "task")),
            capabilities=able, now=self.clock.now,
        )  # fmt: skip

    def copy(self):
        locks = {id(self.clock._lock): threading.Lock(), id(self.store._tables.lock): threading.RLock()}
        return copy.deepcopy(self, locks)

    def go(self, scene, **when):
        """Run once; say whether the process died."""
        driver = SimDriver(clock=self.clock, **when)
        try:
            bundle(*scene.pipes(self)).remember(self.store).using(driver).run()
        except SimulatedCrash:
            return True
        return False

    def settle(self, scene):
        for _ in range(4):
            self.clock.advance(LATER)
            self.go(scene)

    def final(self, scene):
        """Tell what is there without ids: every record with its parent's name, and what is parked."""
        names = {row["id"]: row["Name"] for row in self.crm.rows("account")}
        theirs = {row["id"]: row["name"] for row in self.ma.rows("company")}
        over_there = [
            (kind, row["Name"], names.get(row.get("Parent"), row.get("Parent")))
            for kind in ("account", "contact", "task")
            for row in self.crm.rows(kind)
        ]
        here = [
            (kind, row["name"], theirs.get(row.get("firm"), row.get("firm")))
            for kind in ("company", "person")
            for row in self.ma.rows(kind)
        ]
        rows = [row for pipe in scene.pipes(self) for row in self.store.quarantine.rows(pipe.name)]
        parked = sorted((row.state, str(row.because.code)) for row in rows)
        links = sorted(len(list(self.store.links.all(pipe.name))) for pipe in scene.pipes(self))
        return sorted(map(repr, over_there)), sorted(map(repr, here)), parked, links

    def made_twice(self):
        """Name the origins from which more than one record of a kind was made."""
        made = [(past.origin, past.ref.kind) for end in (self.ma, self.crm) for past in end.history if past.origin]
        return [one for one in made if made.count(one) > 1]


def names(pipe):
    return pipe.match(level("name", key("name", "Name")))


class ParentsAndChildren:
    """Two pipelines in a bundle: the children follow the links of the parents."""

    @staticmethod
    def fill(world):
        for name in ("Acme", "Apex"):
            parent = world.ma.put("company", name=name)
            world.ma.put("person", name=f"kim of {name}", firm=parent.id)

    @staticmethod
    def again(world):
        world.ma.put("person", name="new", firm=world.ma.put("company", name="Newer").id)

    @staticmethod
    def pipes(world):
        parents = names(one_way("parents", at(world.ma, "company"), at(world.crm, "account"))).fields(
            pair("name", "Name")
        )
        children = names(one_way("children", at(world.ma, "person"), at(world.crm, "contact"))).fields(
            pair("name", "Name"), put("Parent", linked(parents, "firm"))
        )
        return [parents, children]


class BothWays:
    """The same in both directions: a child comes from either side."""

    @staticmethod
    def fill(world):
        world.ma.put("person", name="kim", firm=world.ma.put("company", name="Acme").id)
        world.crm.put("contact", Name="lee", Parent=world.crm.put("account", Name="Apex").id)

    @staticmethod
    def again(world):
        world.crm.put("contact", Name="new", Parent=world.crm.put("account", Name="Newer").id)

    @staticmethod
    def pipes(world):
        parents = names(two_way("parents", at(world.ma, "company"), at(world.crm, "account")))
        parents = parents.creates(left=True, right=True).fields(pair("name", "Name"), policy=right_wins)
        children = names(two_way("children", at(world.ma, "person"), at(world.crm, "contact")))
        children = children.creates(left=True, right=True).fields(
            pair("name", "Name"), pair("firm", "Parent", via=linked(parents)), policy=right_wins
        )
        return [parents, children]


class Ensured:
    """Children have their parents made first: two of one firm, one of a firm that is there."""

    @staticmethod
    def fill(world):
        world.crm.put("account", Name="There")
        for name, firm in (("kim", "Acme"), ("lee", "Acme"), ("ann", "There")):
            world.ma.put("person", name=name, firm=firm)

    @staticmethod
    def again(world):
        world.ma.put("person", name="new", firm="Newer")

    @staticmethod
    def pipes(world):
        firms = (
            one_way("firms", at(world.ma, "person"), at(world.crm, "account"))
            .many_to_one()
            .match(level("firm", key("firm", "Name")))
            .fields(pair("firm", "Name"))
        )
        people = names(one_way("people", at(world.ma, "person"), at(world.crm, "contact")))
        return [people.fields(pair("name", "Name"), put("Parent", ensured(firms)))]


class LookedUp:
    """Events that refer to a record by its keys, and one that finds none."""

    @staticmethod
    def fill(world):
        world.crm.put("account", Name="There")
        events("tasks", at(world.ma, "event"), at(world.crm, "task")).remember(world.store).using(
            SimDriver(clock=world.clock)
        ).enable()
        world.clock.advance(1)
        for name, firm in (("a", "There"), ("b", "nowhere")):
            world.ma.put("event", name=name, firm=firm)

    @staticmethod
    def again(world):
        world.ma.put("event", name="c", firm="There")

    @staticmethod
    def pipes(world):
        firm = look_up("firm", at(world.crm, "account"), level("name", key("firm", "Name")), absent="skip")
        return [
            events("tasks", at(world.ma, "event"), at(world.crm, "task")).fields(
                pair("name", "Name"), put("Parent", firm)
            )
        ]


class Delayed:
    """Events that wait some minutes before each is posted once."""

    @staticmethod
    def fill(world):
        events("tasks", at(world.ma, "event"), at(world.crm, "task")).remember(world.store).using(
            SimDriver(clock=world.clock)
        ).enable()
        world.clock.advance(1)
        for name in ("a", "b"):
            world.ma.put("event", name=name)

    @staticmethod
    def again(world):
        world.ma.put("event", name="c")

    @staticmethod
    def pipes(world):
        posts = events("tasks", at(world.ma, "event"), at(world.crm, "task")).after(minutes=10)
        return [posts.fields(pair("name", "Name"))]


SCENES = [ParentsAndChildren, BothWays, Ensured, LookedUp, Delayed]


def ends_the_same_at_every_effect(world, scene, crash):
    """Let a process die at the first effect, at the second, and so on until one lives to its end."""
    whole = world.copy()
    whole.settle(scene)
    wanted = whole.final(scene)
    number, died = 0, True
    while died:
        number += 1
        twin = world.copy()
        died = twin.go(scene, **{crash: number})
        twin.settle(scene)
        assert twin.made_twice() == [], f"{crash} {number}"
        assert twin.final(scene) == wanted, f"{crash} {number}"
    assert number > 10


@pytest.mark.parametrize("made", ["A", "A-unique", "B"])
@pytest.mark.parametrize("crash", CRASHES)
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_a_process_may_die_at_any_effect_and_each_parent_and_child_is_made_once(scene, crash, made):
    world = World(CLASSES[made])
    scene.fill(world)
    ends_the_same_at_every_effect(world, scene, crash)


@pytest.mark.parametrize("made", ["A", "A-unique", "B"])
@pytest.mark.parametrize("crash", AT_EVERY)
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_the_second_process_may_die_at_any_effect_too(scene, crash, made):
    world = World(CLASSES[made])
    scene.fill(world)
    world.go(scene)
    world.clock.advance(LATER)
    scene.again(world)
    ends_the_same_at_every_effect(world, scene, crash)


@pytest.mark.parametrize("scene", [ParentsAndChildren, Ensured], ids=lambda scene: scene.__name__)
def test_without_any_key_a_parent_in_doubt_is_found_or_left_to_a_person_and_its_children_with_it(scene):
    world = World(CLASSES["C"])
    scene.fill(world)
    number, died, doubts = 0, True, 0
    while died:
        number += 1
        twin = world.copy()
        died = twin.go(scene, crash_before=number)
        twin.settle(scene)
        assert twin.made_twice() == [], number
        parents = {row["id"] for row in twin.crm.rows("account")}
        assert all(row["Parent"] in parents for row in twin.crm.rows("contact"))
        codes = {str(row.because.code) for pipe in ("parents", "firms") for row in twin.store.quarantine.rows(pipe)}
        doubts += "in_doubt" in codes
    assert doubts


def test_ids_of_parents_are_those_of_their_system():
    world = World(CLASSES["B"])
    Ensured.fill(world)
    world.settle(Ensured)
    accounts = {RecordRef("crm", "account", row["id"]) for row in world.crm.rows("account")}
    assert {link.right for link in world.store.links.all("firms")} == accounts
