"""Two processes die, one after the other, or three; the next ones bring the world to where it would have come anyway.

An ordinary run tries some pairs of effects of two scenes. A deep search tries every pair of every scene, a few scenes at
a time, with state in memory; every pair of the scenes of one pipeline with state in a file; and pairs and triples that
are drawn by chance.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import random
import shutil
from pathlib import Path
from types import ModuleType

import attrs
import pytest


def _beside(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


crashes, families = _beside("test_crashes"), _beside("test_crashes_of_families")

PAIRS = int(os.environ.get("CRMBRIDGE_PAIRS", "2"))
PAIRS_FILE = int(os.environ.get("CRMBRIDGE_PAIRS_FILE", "1"))
PAIRS_SERVER = int(os.environ.get("CRMBRIDGE_PAIRS_SERVER", "4"))
TRIPLES = int(os.environ.get("CRMBRIDGE_TRIPLES", "100"))
FIRST = int(os.environ.get("CRMBRIDGE_FIRST_SEED", "0"))

PAUSE = 1300
"""Seconds between two processes: longer than a lease."""


@attrs.frozen
class OnePipeline:
    """A scene of `test_crashes`, and a class of creates."""

    scene: object
    create: str

    def __str__(self):
        return f"{self.scene.__name__}-{self.create}"

    def begin(self, worlds, promises, **how):
        kinds = crashes.LEADS_OF.get(self.scene, ("lead",))
        world = worlds(capabilities=promises(self.create), right_kinds=kinds, **how)
        self.scene(world)
        return world

    def dies(self, world, **when):
        return world.die(crashes.rebound(self.scene)(world), **when)

    def settle(self, world):
        world.settle(crashes.rebound(self.scene)(world))

    def final(self, world):
        return crashes.final(world)

    def doubled(self, world):
        made = [past.origin for end in (world.ma, world.crm) for past in end.history if past.origin is not None]
        limit = 2 if self.scene is crashes.revival else 1
        return [origin for origin in made if made.count(origin) > limit]

    def waits(self, world):
        """Say whether a create in doubt is left to a person, as it may be where nothing tells our copy."""
        return self.create == "C" and {code for _, code, _ in world.parked()} & {"in_doubt", "intent_open"}


@attrs.frozen
class Family:
    """A scene of `test_crashes_of_families`, and a class of creates."""

    scene: object
    create: str

    def __str__(self):
        return f"{self.scene.__name__}-{self.create}"

    def begin(self, worlds, promises):
        world = families.World(families.CLASSES[self.create])
        self.scene.fill(world)
        return world

    def dies(self, world, **when):
        return world.go(self.scene, **when)

    def settle(self, world):
        world.settle(self.scene)

    def final(self, world):
        return world.final(self.scene)

    def doubled(self, world):
        return world.made_twice()

    def waits(self, world):
        return False


SCENES = [
    *itertools.starmap(OnePipeline, itertools.product(crashes.SCENES, ["B"])),
    *itertools.starmap(OnePipeline, itertools.product(crashes.SCENES, ["A-key", "A-unique", "C"])),
    *itertools.starmap(Family, itertools.product(families.SCENES, ["A", "A-unique", "B"])),
]
ONE_PIPELINE = SCENES[: len(crashes.SCENES)]


def some(scenes, many):
    """Choose the scenes of this run, or of this round of a search."""
    return pytest.mark.parametrize("scene", scenes[FIRST : FIRST + many], ids=str)


def strides(switch, *usual):
    """Give the steps from effect to effect of the first and of the second process: every one in a deep search."""
    return (1, 1) if switch in os.environ else usual


def wanted_of(scene, world, folder=None):
    whole = world.copy(folder) if folder else world.copy()
    scene.settle(whole)
    return scene.final(whole)


def ends_as(scene, world, wanted, where):
    """Let all come to rest, and compare with a life in which nobody died."""
    scene.settle(world)
    assert not scene.doubled(world), where
    assert scene.final(world) == wanted or scene.waits(world), where


@some(SCENES, PAIRS)
def test_two_processes_may_die(worlds, promises, scene, record_property):
    world = scene.begin(worlds, promises)
    wanted, pairs = wanted_of(scene, world), 0
    wide, narrow = strides("CRMBRIDGE_PAIRS", 7, 5)
    for first in itertools.count(1, wide):
        half = world.copy()
        died = scene.dies(half, crash_after=first)
        half.clock.advance(PAUSE)
        for second in itertools.count(1, narrow):
            twin = half.copy()
            again = scene.dies(twin, crash_before=second)
            ends_as(scene, twin, wanted, (first, second))
            pairs += 1
            if not again:
                break
        if not died:
            break
    assert pairs > 10
    record_property("scenes", 1)
    record_property("pairs", pairs)


@some(ONE_PIPELINE[1:] + ONE_PIPELINE[:1], PAIRS_FILE)
def test_two_processes_may_die_with_their_state_in_a_file(worlds, promises, scene, tmp_path, record_property):
    wide, narrow = strides("CRMBRIDGE_PAIRS_FILE", 14, 10)
    (tmp_path / "first").mkdir()
    world = scene.begin(worlds, promises, folder=tmp_path / "first")
    wanted, pairs = wanted_of(scene, world, tmp_path / "whole"), 0
    for first in itertools.count(1, wide):
        half = world.copy(tmp_path / "half")
        died = scene.dies(half, crash_after=first)
        half.clock.advance(PAUSE)
        for second in itertools.count(1, narrow):
            twin = half.copy(tmp_path / "twin")
            again = scene.dies(twin, crash_before=second)
            ends_as(scene, twin, wanted, (first, second))
            twin.store.close()
            shutil.rmtree(tmp_path / "twin")
            pairs += 1
            if not again:
                break
        half.store.close()
        shutil.rmtree(tmp_path / "half")
        if not died:
            break
    assert pairs > 10
    record_property("scenes", 1)
    record_property("pairs", pairs)


def drawn(chance, worlds, promises, scenes, many):
    """Draw a scene and as many moments of death as there are processes that die."""
    scene = chance.choice(scenes)
    world = scene.begin(worlds, promises)
    return scene, world, [chance.randrange(1, 70) for _ in range(many)]


def test_two_processes_may_die_with_their_state_on_a_server(worlds, promises, postgres_store, record_property):
    deaths = 0
    for number in range(FIRST, FIRST + PAIRS_SERVER):
        scene, world, moments = drawn(random.Random(f"pair {number}"), worlds, promises, ONE_PIPELINE, 2)
        with postgres_store() as store:
            twin = scene.begin(worlds, promises, store=store)
            for moment in moments:
                deaths += scene.dies(twin, crash_after=moment)
                twin.clock.advance(PAUSE)
            ends_as(scene, twin, wanted_of(scene, world), (number, str(scene), moments))
    assert deaths > PAIRS_SERVER / 2
    record_property("pairs", PAIRS_SERVER)


def test_three_processes_may_die(worlds, promises, record_property):
    deaths = 0
    for number in range(FIRST, FIRST + TRIPLES):
        scene, world, moments = drawn(random.Random(f"triple {number}"), worlds, promises, SCENES, 3)
        wanted = wanted_of(scene, world)
        for moment in moments:
            deaths += scene.dies(world, crash_after=moment)
            world.clock.advance(PAUSE)
        ends_as(scene, world, wanted, (number, str(scene), moments))
    assert deaths > TRIPLES
    record_property("triples", TRIPLES)
