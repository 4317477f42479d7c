"""F34: somebody interrupts a run, or cancels it, at any effect; what is left of the process may go on, and so may the next.

Unlike a crash, an interruption lets the flow clean up: what it asks for while it does so reaches the world.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import itertools
import threading
from pathlib import Path

import pytest

from crmbridge import bundle
from crmbridge.drive import AsyncDriver
from crmbridge.errors import LeaseHeld
from crmbridge.flow import Call, Pause, Request
from crmbridge.testing.sim import SimDriver


def _beside(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


crashes, families = _beside("test_crashes"), _beside("test_crashes_of_families")

SCENES = (crashes.creates, crashes.deletion)
EFFECTS = Request | Pause | Call


class Interrupted(SimDriver):
    """Somebody interrupts it once, before or after the n-th effect."""

    def __init__(self, number, moment, **how):
        super().__init__(**how)
        self.number, self.moment = number, moment

    def _perform(self, effect, *how):
        mine = isinstance(effect, EFFECTS) and self.effects + 1 == self.number
        if mine and self.moment == "before":
            self.number = 0
            raise KeyboardInterrupt
        answer = super()._perform(effect, *how)
        if mine:
            self.number = 0
            raise KeyboardInterrupt
        return answer


class Cancelled(AsyncDriver):
    """Its task is cancelled once, before or while the n-th effect is performed."""

    def __init__(self, number, moment, **how):
        super().__init__(**how)
        self.effects, self.number, self.moment = 0, number, moment

    async def _perform(self, effect, *how):
        if not isinstance(effect, EFFECTS):
            return await super()._perform(effect, *how)
        self.effects += 1
        if self.effects == self.number:
            asyncio.current_task().cancel()
            if self.moment == "before":
                await asyncio.sleep(0)
        return await super()._perform(effect, *how)


def begun(worlds, promises, scene):
    world = worlds(capabilities=promises("B"), right_kinds=crashes.LEADS_OF.get(scene, ("lead",)))
    scene(world)
    on = crashes.rebound(scene)
    whole = world.copy()
    whole.settle(on(whole))
    return world, on, crashes.final(whole)


def goes_on(world, pipe, wanted, where):
    """Run once more at once, as a person would, then until all is at rest."""
    with contextlib.suppress(LeaseHeld):  # the interruption came while the lease was being let go of
        world.run(pipe)
    world.settle(pipe)
    made = [past.origin for end in (world.ma, world.crm) for past in end.history if past.origin is not None]
    assert len(made) == len(set(made)), where
    assert crashes.final(world) == wanted, where


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_a_run_may_be_interrupted_at_any_effect_and_the_end_is_the_same(worlds, promises, scene, moment):
    world, on, wanted = begun(worlds, promises, scene)
    for number in itertools.count(1):
        twin = world.copy()
        driver = Interrupted(number, moment, clock=twin.clock)
        try:
            twin.ready(on(twin), driver).run()
        except KeyboardInterrupt:
            goes_on(twin, on(twin), wanted, number)
        else:
            break
    assert number > 20


@pytest.mark.parametrize("made", ["A", "B"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_event_is_posted_once_though_its_run_is_interrupted_at_any_effect(moment, made):
    world, scene = families.World(families.CLASSES[made]), families.Delayed
    scene.fill(world)
    world.clock.advance(families.LATER)
    whole = world.copy()
    whole.settle(scene)
    for number in itertools.count(1):
        twin = world.copy()
        try:
            bundle(*scene.pipes(twin)).remember(twin.store).using(Interrupted(number, moment, clock=twin.clock)).run()
        except KeyboardInterrupt:
            twin.settle(scene)
            assert twin.made_twice() == [], number
            assert twin.final(scene) == whole.final(scene), number
        else:
            break
    assert number > 20


@pytest.mark.parametrize("moment", ["before", "while"])
@pytest.mark.parametrize("scene", SCENES[:1], ids=lambda scene: scene.__name__)
def test_an_awaited_run_may_be_cancelled_at_any_effect_and_the_end_is_the_same(worlds, promises, scene, moment):
    world, on, wanted = begun(worlds, promises, scene)

    async def cancelled(twin, number):
        driver = Cancelled(number, moment, clock=twin.clock)
        try:
            await asyncio.create_task(on(twin).remember(twin.store).using(driver).run())
        except asyncio.CancelledError:
            return True
        return False

    for number in itertools.count(1):
        twin = world.copy()
        if not asyncio.run(cancelled(twin, number)):
            break
        goes_on(twin, on(twin), wanted, number)
    assert number > 20
    assert threading.active_count() < 50, "no thread is left behind by each"
