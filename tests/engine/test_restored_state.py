"""A state file is lost, or an old copy of it is put back (F30): the systems know more than the state does."""

from __future__ import annotations

import shutil

import pytest

from crmbridge import policies
from crmbridge.stores import SqliteStore


def lived_on(world, tmp_path):
    """Link a pair, keep a copy of the state, and live on: a new pair, and edits of the old one on both sides."""
    pipe = world.pipeline(policies.right_wins, right="delete", left="archive")
    person, lead = world.pair(pipe)
    world.store.close()
    shutil.copy(tmp_path / "state.db", tmp_path / "copy")
    world.store = SqliteStore(tmp_path / "state.db")
    world.ma.edit(person, name="PARK")
    world.run(pipe)
    world.crm.edit(lead, City="Kobe")
    world.left(email="new@x.example", name="New", city="Nara")
    world.settle(pipe)
    return pipe, held(world)


def held(world):
    """Tell what both systems hold."""
    every = [*world.ma.every("person"), *world.crm.every("lead")]
    return [(record.ref, record.rows.cells[record.row]) for record in every]


@pytest.fixture
def world(worlds, tmp_path):
    return worlds(tmp_path)


def test_an_old_copy_of_the_state_makes_no_record_again_and_takes_back_no_edit(world, tmp_path):
    pipe, before = lived_on(world, tmp_path)
    writes = world.count()
    world.store.close()
    for beside in tmp_path.glob("state.db*"):
        beside.unlink()
    shutil.copy(tmp_path / "copy", tmp_path / "state.db")
    world.store = SqliteStore(tmp_path / "state.db")
    world.settle(pipe)
    assert held(world) == before
    assert world.count() == writes
    assert len(world.links()) == 2


def test_a_lost_state_makes_no_record_again_and_deletes_none(world, tmp_path):
    pipe, before = lived_on(world, tmp_path)
    writes = world.count()
    world.store.close()
    for beside in tmp_path.glob("state.db*"):
        beside.unlink()
    world.store = SqliteStore(tmp_path / "state.db")
    world.settle(pipe)
    assert held(world) == before
    assert world.count() == writes
