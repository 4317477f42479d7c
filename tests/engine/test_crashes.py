"""A process dies before or after any effect; the next ones bring the world to where it would have come anyway.

Two or three that die one after the other: `test_crashes_in_pairs`.
"""

from __future__ import annotations

import pytest

from crmbridge import one_way, pair, policies
from crmbridge.match import key, level
from crmbridge.model import Create, Update
from crmbridge.testing.faulty import Fault


def final(world):
    """Tell the end state without ids: what both sides hold, who is linked with whom, and what is parked."""
    people = {
        record.ref: tuple(record.rows.cells[record.row]) for kind in world.left_kinds for record in world.ma.every(kind)
    }
    leads = {
        record.ref: tuple(record.rows.cells[record.row])
        for kind in world.right_kinds
        for record in world.crm.every(kind)
    }

    def known(link):
        return repr(people.get(link.left)), repr(leads.get(link.right)), link.closed is None

    parked = sorted((state, code) for state, code, _ in world.parked())
    links = sorted(known(link) for link in world.store.links.all("sync"))
    return sorted(map(repr, people.values())), sorted(map(repr, leads.values())), links, parked


def pipeline(world, **how):
    return world.pipeline(policies.right_wins, **{"right": "delete", "left": "archive", "if_edited": "remove", **how})


def creates(world):
    for number in range(3):
        world.left(email=f"p{number}@x.example", name=f"n{number}")
    world.right(Email="r@x.example", Name="right")
    return pipeline(world)


def updates(world):
    pipe = pipeline(world)
    person, lead = world.pair(pipe)
    world.ma.edit(person, name="Park")
    world.crm.edit(lead, City="Kobe")
    return pipe


def conflict(world):
    pipe = pipeline(world)
    person, lead = world.pair(pipe)
    world.ma.edit(person, name="left", city="left")
    world.crm.edit(lead, Name="right")
    return pipe


def named(action):
    return action.values.get("Name") if isinstance(action, Create | Update) else None


def a_bad_record_in_a_batch(world):
    for number in range(4):
        world.left(email=f"p{number}@x.example", name=f"n{number}")
    world.crm.whole = lambda batch: Fault.REFUSED if any(named(action) == "n2" for action in batch) else None
    return pipeline(world)


def deletion(world):
    pipe = pipeline(world)
    person, _ = world.pair(pipe)
    other = world.left(email="other@x.example", name="Other")
    world.run(pipe)
    world.ma.remove(person)
    world.crm.remove(world.counterpart(other))
    return pipe


def revival(world):
    pipe = pipeline(world, if_edited="revive")
    person, lead = world.pair(pipe)
    world.ma.remove(person)
    world.crm.edit(lead, Name="Edited")
    return pipe


def merge(world):
    pipe = pipeline(world)
    _, lead = world.pair(pipe)
    world.crm.merge(lead, world.right(Email="kim@x.example", Name="Winner", City="Tokyo"))
    return pipe


def duplicate(world):
    pipe = pipeline(world)
    _, lead = world.pair(pipe)
    other = world.left(email="other@x.example", name="Other")
    world.run(pipe)
    world.crm.merge(lead, world.counterpart(other))
    world.ma.edit(other, name="Park")
    return pipe


def conversion(world):
    pipe = pipeline(world)
    person, lead = world.pair(pipe)
    world.crm.move(lead, "contact", Email="kim@x.example", Name="Kim", City="Kobe")
    world.ma.edit(person, name="Park")
    return pipe


def twins(world):
    for name in ("one", "two"):
        world.left(email="kim@x.example", name=name)
    return pipeline(world).batches(of=1)


def one_direction(world):
    for number in range(2):
        world.left(email=f"p{number}@x.example", name=f"n{number}")
    world.right(Email="p1@x.example", City="Kobe")
    end = world.pipeline().definition
    return (
        one_way("sync", end.left, end.right)
        .match(level("email", key("email", "Email", str.lower)))
        .fields(pair("email", "Email"), pair("name", "Name"))
    )


def meanwhile(world):
    """Give the second process work of its own: an edit, a new person, and a lead that is gone."""
    people, leads = world.ma.every("person"), world.crm.every(world.right_kinds[-1])
    if people:
        world.ma.edit(people[0].ref, city="Osaka")
    if leads:
        world.crm.remove(leads[-1].ref)
    world.left(email="new@x.example", name="new")


SCENES = [
    creates, updates, conflict, a_bad_record_in_a_batch, deletion, revival, merge, duplicate, conversion, twins, one_direction,
]  # fmt: skip
CRASHES = ("crash_before", "crash_after")
AT_EVERY = CRASHES[:1]
"""Before an effect all stands as after the one before it: dying before each meets every state."""
MAKING = (creates, a_bad_record_in_a_batch, revival, twins, one_direction)
LEADS_OF = {conversion: ("contact", "lead")}


def survives(world, pipe_of, scene, crash, number, folder=None):
    """Die at one effect, start again, and compare with a life without a crash."""
    twin = world.copy(folder)
    pipe = pipe_of(twin)
    died = twin.die(pipe, **{crash: number})
    twin.settle(pipe)
    made = [past.origin for end in (twin.ma, twin.crm) for past in end.history if past.origin is not None]
    limit = 1 if scene is not revival else 2
    assert all(made.count(origin) <= limit for origin in made), f"{crash} {number}: made twice"
    return died, twin


def rebound(scene):
    """Give a function that builds the scene's pipeline on a copy of its world."""

    def on(world):
        how = {"if_edited": "revive"} if scene is revival else {}
        if scene is one_direction:
            end = world.pipeline().definition
            return (
                one_way("sync", end.left, end.right)
                .match(level("email", key("email", "Email", str.lower)))
                .fields(pair("email", "Email"), pair("name", "Name"))
            )
        pipe = pipeline(world, **how)
        return pipe.batches(of=1) if scene is twins else pipe

    return on


def ends_the_same_at_every_effect(world, on, scene, crash, wanted):
    """Let a process die at the first effect, at the second, and so on until one lives to its end."""
    number, died = 0, True
    while died:
        number += 1
        died, twin = survives(world, on, scene, crash, number)
        assert final(twin) == wanted, f"{crash} {number}"
    assert number > 10


@pytest.mark.parametrize("create", ["A-key", "A-unique", "B"])
@pytest.mark.parametrize("crash", CRASHES)
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_a_process_may_die_at_any_effect_and_the_end_is_the_same(worlds, promises, scene, crash, create):
    world = worlds(capabilities=promises(create), right_kinds=LEADS_OF.get(scene, ("lead",)))
    scene(world)
    on = rebound(scene)
    whole = world.copy()
    whole.settle(on(whole))
    wanted = final(whole)
    ends_the_same_at_every_effect(world, on, scene, crash, wanted)


@pytest.mark.parametrize("create", ["A-key", "A-unique", "B"])
@pytest.mark.parametrize("crash", AT_EVERY)
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_the_second_process_may_die_at_any_effect_too(worlds, promises, scene, crash, create):
    world = worlds(capabilities=promises(create), right_kinds=LEADS_OF.get(scene, ("lead",)))
    scene(world)
    on = rebound(scene)
    world.settle(on(world))
    meanwhile(world)
    whole = world.copy()
    whole.settle(on(whole))
    wanted = final(whole)
    ends_the_same_at_every_effect(world, on, scene, crash, wanted)


@pytest.mark.parametrize("crash", CRASHES)
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_without_any_key_a_create_in_doubt_is_found_or_left_to_a_person_and_never_made_twice(
    worlds, promises, scene, crash
):
    world = worlds(capabilities=promises("C"), right_kinds=LEADS_OF.get(scene, ("lead",)))
    scene(world)
    on = rebound(scene)
    whole = world.copy()
    whole.settle(on(whole))
    wanted = final(whole)
    number, died, doubts = 0, True, 0
    while died:
        number += 1
        died, twin = survives(world, on, scene, crash, number)
        waiting = {code for _, code, _ in twin.parked()} & {"in_doubt", "intent_open"}
        assert waiting or final(twin) == wanted, f"{crash} {number}"
        doubts += bool(waiting)
    assert doubts or scene not in MAKING or crash == "crash_after"


@pytest.mark.parametrize("scene", [updates, merge], ids=lambda scene: scene.__name__)
def test_a_file_on_disk_carries_a_crash_as_memory_does(worlds, tmp_path, scene):
    (tmp_path / "first").mkdir()
    world = worlds(tmp_path / "first")
    scene(world)
    on = rebound(scene)
    whole = world.copy(tmp_path / "whole")
    whole.settle(on(whole))
    wanted = final(whole)
    number, died = 1, True
    while died:
        died, twin = survives(world, on, scene, "crash_after", number, tmp_path / str(number))
        assert final(twin) == wanted, number
        twin.store.close()
        number += 3


@pytest.mark.parametrize("scene", [updates, merge], ids=lambda scene: scene.__name__)
def test_a_server_carries_a_crash_as_memory_does(worlds, postgres_store, scene):
    world = worlds()
    scene(world)
    on = rebound(scene)
    world.settle(on(world))
    wanted = final(world)
    number, died = 2, True
    while died:
        with postgres_store() as store:
            twin = worlds(store=store)
            scene(twin)
            died = twin.die(on(twin), crash_after=number)
            twin.settle(on(twin))
            assert final(twin) == wanted, number
        number += 9
    assert number > 20
