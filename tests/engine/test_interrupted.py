"""F34: somebody interrupts a run, or cancels it, at any effect; what is left of the process may go on, and so may the next.

Unlike a crash, an interruption lets the flow clean up: what it asks for while it does so reaches the world.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import importlib.util
import itertools
import threading
from pathlib import Path

import pytest

from crmbridge import at, bundle, ensured, key, level, one_way, pair, put
from crmbridge.drive import AsyncDriver
from crmbridge.errors import StoreDamaged
from crmbridge.flow import Call, Pause, Request
from crmbridge.model import FieldSpec
from crmbridge.stores import SqliteStore
from crmbridge.testing.connector import FakeConnector, described
from crmbridge.testing.sim import ManualClock, SimDriver


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


# -- leases --------------------------------------------------------------------------------------

HOUR = dt.timedelta(hours=1)
VERBS = {
    "run": lambda pipe, _: pipe.run(),
    "plan": lambda pipe, _: pipe.plan(),
    "drain": lambda pipe, _: pipe.drain(),
    "retry": lambda pipe, _: pipe.retry(),
    "undo": lambda pipe, scene: pipe.undo(scene.first),
    "adopt": lambda pipe, _: pipe.adopt(),
    "look again": lambda pipe, _: pipe.look_again(),
    "forget": lambda pipe, scene: pipe.forget(scene.ma.put("person", name="gone", firm="none")),
}


class OnDisk:
    """People whose firms are made first, and a state file; the clock stands still, so no lease ends by itself."""

    def __init__(self, folder):
        self.clock, self.store = ManualClock(), SqliteStore(folder / "state.db")
        self.ma = FakeConnector(
            "ma", *(described(kind, FieldSpec("name"), FieldSpec("firm")) for kind in ("firm", "person"))
        )
        self.crm = FakeConnector(
            "crm", *(described(kind, FieldSpec("Name"), FieldSpec("Parent")) for kind in ("account", "contact"))
        )
        firms = one_way("firms", at(self.ma, "firm"), at(self.crm, "account")).match(level("name", key("name", "Name")))
        people = one_way("people", at(self.ma, "person"), at(self.crm, "contact")).match(
            level("name", key("name", "Name"))
        )
        self.pipe = people.fields(
            pair("name", "Name"), put("Parent", ensured(firms.fields(pair("name", "Name")), "firm"))
        ).remember(self.store)  # fmt: skip
        self.arrive("first")
        self.first = self.pipe.using(SimDriver(clock=self.clock)).run()

    def arrive(self, name):
        self.ma.put("person", name=f"person {name}", firm=self.ma.put("firm", name=f"firm {name}").id)

    def is_free(self):
        """Say whether nobody holds a lease; raises `LeaseHeld` where somebody does."""
        for name in ("people", "firms"):
            self.store.leases.release(self.store.leases.take(name, "another", self.clock.now(), HOUR))
        return True


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("verb", VERBS)
def test_whichever_verb_is_interrupted_at_whichever_effect_no_lease_is_held_afterwards(tmp_path, verb, moment):
    scene = OnDisk(tmp_path)
    for number in itertools.count(1):
        scene.arrive(number)
        try:
            VERBS[verb](scene.pipe.using(Interrupted(number, moment, clock=scene.clock)), scene)
        except KeyboardInterrupt:
            assert scene.is_free(), number
        else:
            break
    assert number > 3


@pytest.mark.parametrize("verb", VERBS)
def test_whichever_awaited_verb_is_cancelled_at_whichever_effect_no_lease_is_held_afterwards(tmp_path, verb):
    scene = OnDisk(tmp_path)

    async def cancelled(number):
        driver = Cancelled(number, "while", clock=scene.clock)
        try:
            await asyncio.create_task(VERBS[verb](scene.pipe.using(driver), scene))
        except asyncio.CancelledError:
            return True
        return False

    for number in itertools.count(1):
        scene.arrive(number)
        if not asyncio.run(cancelled(number)):
            break
        assert scene.is_free(), number
    assert number > 3


class Busy:
    """Leases on a disk that is busy: what was taken is told only when somebody lets it be told."""

    def __init__(self, leases):
        self._leases, self.taken, self.told = leases, threading.Event(), threading.Event()
        self.release, self.renew = leases.release, leases.renew

    def take(self, *asked):
        fence = self._leases.take(*asked)
        self.taken.set()
        self.told.wait(10)
        return fence


def test_a_run_that_is_cancelled_again_and_again_while_it_is_given_the_lease_gives_it_back(tmp_path):
    scene = OnDisk(tmp_path)
    scene.store.leases = busy = Busy(scene.store.leases)

    async def cancelled_thrice():
        running = asyncio.create_task(scene.pipe.using(AsyncDriver(clock=scene.clock)).run())
        await asyncio.to_thread(busy.taken.wait, 10)
        for _ in range(3):
            running.cancel()
            await asyncio.sleep(0.01)
        busy.told.set()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(cancelled_thrice())
    assert scene.is_free()


class Refusing:
    """Leases of a store that takes none back."""

    def __init__(self, leases):
        self.take, self.renew = leases.take, leases.renew

    def release(self, fence):
        raise StoreDamaged("state.db cannot be read")


def test_a_lease_that_cannot_be_given_back_is_told_with_the_time_until_which_others_wait(tmp_path):
    scene = OnDisk(tmp_path)
    scene.store.leases = Refusing(scene.store.leases)
    with pytest.raises(StoreDamaged) as refused:
        scene.pipe.leased(minutes=7).using(SimDriver(clock=scene.clock)).run()
    until = scene.clock.now() + dt.timedelta(minutes=7)
    assert str(refused.value) == (
        "state.db cannot be read. The lease of people could not be given back: it ends by itself, and another run "
        f"begins, at {until:%Y-%m-%d %H:%M:%S} UTC at the latest"
    )
