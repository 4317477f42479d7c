"""F30: the state file is lost, or an old copy of it is put back."""

from __future__ import annotations

import shutil

import attrs
import pytest

from crmbridge import at, one_way, pair
from crmbridge.match import exact, key, level
from crmbridge.model import Disposition
from crmbridge.reasons import Code
from crmbridge.stores.memory import MemoryStore
from crmbridge.stores.sqlite import SqliteStore


def forget_everything(world):
    """Lose the state file."""
    world.store.close()
    if world.folder is None:
        world.store = MemoryStore()
        return
    for path in world.folder.glob("state.db*"):
        path.unlink()
    world.store = SqliteStore(world.folder / "state.db")


def lived(both, promises, create="B", **more):
    """A world in which two people were made over there, and one more stands on each side."""
    world = both(capabilities=promises(create, **more))
    people = [world.left(email=f"p{n}@x.example", name=f"n{n}", city="Kobe") for n in range(2)]
    world.settle()
    return world, people, [world.counterpart(person) for person in people]


@pytest.mark.parametrize("create", ["A-key", "B"])
def test_a_pipeline_that_meets_its_own_marks_without_a_memory_only_fills_until_it_is_adopted(both, promises, create):
    world, (one, two), (lead, second) = lived(both, promises, create)
    forget_everything(world)
    world.ma.edit(one, city="Oita", name=None)
    world.ma.edit(two, email="moved@x.example")
    new = world.left(email="new@x.example", name="New")
    report = world.run(after=60)
    assert report.state_lost
    assert "remembers none of them" in report.say()
    assert len(world.crm.rows("lead")) == len(world.ma.rows("person")) - 1 == 2
    assert (world.ma.values(one)["name"], world.ma.values(one)["city"]) == ("n0", "Oita")
    assert world.crm.values(lead)["City"] == "Kobe"
    assert {(state, code) for state, code, _ in world.parked()} == {("disputed", "state_lost"), ("held", "state_lost")}
    assert [str(found.because.code) for found in world.ready().check()].count("state_lost") == 1
    before = world.count()
    world.settle()
    assert world.count() == before
    assert {ref for _, _, ref in world.parked()} >= {new.id, two.id, second.id}


def test_once_it_is_adopted_it_goes_on_as_any_other(both, promises):
    world, (one, _), (lead, _) = lived(both, promises)
    forget_everything(world)
    world.ma.edit(one, city="Oita")
    new = world.left(email="new@x.example", name="New")
    world.settle()
    assert world.ready().adopt() >= 2
    world.settle()
    assert world.counterpart(new)
    assert world.ma.values(one)["city"] == world.crm.values(lead)["City"] == "Kobe"
    assert world.parked() == []
    assert not world.run().state_lost
    assert [found for found in world.ready().check() if found.because.code is Code.STATE_LOST] == []


def test_a_person_may_rule_on_a_dispute_before_adopting(both, promises):
    world, (one, _), (lead, _) = lived(both, promises)
    forget_everything(world)
    world.ma.edit(one, city="Oita")
    world.run()
    world.clock.advance(60)
    world.ready().rule(one, "left", by="Sato")
    world.settle()
    assert world.crm.values(lead)["City"] == "Oita"


@pytest.mark.parametrize("create", ["A-key", "B", "C"])
def test_a_first_run_that_meets_no_marks_is_like_any_other(both, promises, create):
    world = both(capabilities=promises(create))
    world.left(email="kim@x.example", name="Kim", city="Kobe")
    world.right(Email="kim@x.example", Name="Lee", City=None)
    world.left(email="new@x.example", name="New")
    report = world.run()
    assert not report.state_lost
    assert report.counts[Disposition.DISPUTED] == 0
    assert len(world.crm.rows("lead")) == 2


def test_marks_of_another_pipeline_are_not_our_own(both, promises):
    world, _, _ = lived(both, promises)
    forget_everything(world)
    definition = attrs.evolve(world.pipeline().definition, name="another")
    report = world.run(attrs.evolve(world.pipeline(), definition=definition))
    assert not report.state_lost


def test_a_first_run_that_dies_still_knows_its_marks_afterwards(promises, worlds):
    for effect in range(1, 60):
        world, _, _ = lived(lambda **how: worlds(**how), promises)
        forget_everything(world)
        world.left(email="new@x.example", name="New")
        died = world.die(crash_after=effect)
        world.settle()
        assert len(world.crm.rows("lead")) == 2, f"a crash at effect {effect} made a lead"
        if not died:
            return
    pytest.fail("the run never came to its end")


def test_a_one_way_pipeline_asks_the_target_for_its_marks(world):
    world.crm._capabilities = attrs.evolve(world.crm._capabilities, finds_by=frozenset({"Email"}))
    definition = world.pipeline().definition
    pipe = (
        one_way("sync", definition.left, at(world.crm, "lead"))
        .match(level("email", key("email", "Email", exact)))
        .fields(pair("email", "Email"), pair("name", "Name"))
    )
    world.left(email="kim@x.example", name="Kim")
    world.run(pipe)
    forget_everything(world)
    world.left(email="new@x.example", name="New")
    assert world.run(pipe).state_lost
    assert len(world.crm.rows("lead")) == 1


def test_an_old_copy_of_the_state_makes_nothing_twice_and_covers_no_edit(both, promises, tmp_path):
    world, (one, two), (lead, second) = lived(both, promises)
    kept = world.copy(tmp_path / "backup" if world.folder else None)
    later = world.left(email="later@x.example", name="Later", city="Nara")
    world.ma.edit(one, city="Oita")
    world.settle()
    world.crm.edit(second, City="Tsu")
    world.settle()
    world.ma.edit(two, name="Edited")
    world.store.close()
    world.store = kept.store
    if world.folder is not None:
        kept.store.close()
        shutil.copytree(tmp_path / "backup", world.folder, dirs_exist_ok=True)
        world.store = SqliteStore(world.folder / "state.db")
    world.settle()
    assert len(world.crm.rows("lead")) == len(world.ma.rows("person")) == 3
    assert world.counterpart(later)
    assert (world.ma.values(one)["city"], world.crm.values(lead)["City"]) == ("Oita", "Oita")
    assert (world.ma.values(two)["city"], world.crm.values(second)["City"]) == ("Tsu", "Tsu")
    assert world.crm.values(second)["Name"] == "Edited"
    assert world.parked() == []
