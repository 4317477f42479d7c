"""Notices: each notifier is told once of a record and an incident, whatever becomes of the others."""

from __future__ import annotations

import pytest

from crmbridge import at, key, level, one_way, pair
from crmbridge.flow import call
from crmbridge.model import FieldSpec
from crmbridge.stores import MemoryStore, SqliteStore
from crmbridge.testing.connector import FakeConnector, described
from crmbridge.testing.sim import ManualClock, SimDriver


class Bell:
    """A notifier that keeps what it is told, and fails while it is out of order."""

    def __init__(self, *, broken=False):
        self.told, self.tried, self.broken = [], 0, broken

    def send(self, notice):
        return call(self._ring, notice)

    def _ring(self, notice):
        self.tried += 1
        if self.broken:
            raise ConnectionError
        self.told.append(notice.key)


class World:
    """A record whose value is too long for the CRM, for as many people as are put."""

    def __init__(self, store):
        self.clock, self.store = ManualClock(), store
        self.ma = FakeConnector("ma", described("person", FieldSpec("email"), FieldSpec("name")), now=self.clock.now)
        lead = described("lead", FieldSpec("Email"), FieldSpec("Name", max_length=2))
        self.crm = FakeConnector("crm", lead, now=self.clock.now)

    def run(self, *bells, name="people"):
        self.clock.advance(60)
        pipe = (
            one_way(name, at(self.ma, "person"), at(self.crm, "lead"))
            .match(level("email", key("email", "Email")))
            .fields(pair("email", "Email"), pair("name", "Name"))
            .on_quarantine(*bells)
        )
        return pipe.remember(self.store).using(SimDriver(clock=self.clock)).run()

    def put(self, count=1):
        for number in range(count):
            self.ma.put("person", email=f"{number}@x.example", name="long")


@pytest.fixture(params=["memory", "sqlite"])
def world(request, tmp_path):
    store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "state.db")
    yield World(store)
    store.close()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_notifier_that_fails_has_no_other_tell_again_or_wait(world, order):
    good, bad = bells = Bell(), Bell(broken=True)
    bells = [bells[place] for place in order]
    world.put()
    for _ in range(4):
        world.run(*bells)
    assert (len(good.told), len(bad.told)) == (1, 0)
    bad.broken = False
    world.run(*bells)
    world.run(*bells)
    assert bad.told == good.told, "the same incident, by the same key"
    assert list(world.store.outbox.notices(9)) == []


def test_a_notifier_that_fails_is_left_alone_for_the_rest_of_the_run(world):
    good, bad = Bell(), Bell(broken=True)
    world.put(5)
    world.run(bad, good)
    assert (bad.tried, len(good.told)) == (1, 5)


def test_many_notices_that_one_notifier_does_not_take_keep_no_other_from_newer_ones(world):
    good, bad = Bell(), Bell(broken=True)
    world.put(250)
    for _ in range(2):
        world.run(good, bad)
    world.ma.put("person", email="new@x.example", name="long")
    world.run(good, bad)
    assert len(good.told) == len(set(good.told)) == 251


def test_notices_of_another_pipeline_keep_none_waiting(world):
    world.put(250)
    world.run(Bell(broken=True), name="others")
    bell = Bell()
    world.run(bell)
    assert len(bell.told) >= 200


def test_a_notice_that_only_a_notifier_of_before_was_not_told_of_ends(world):
    good = Bell()
    world.put()
    world.run(good, Bell(broken=True))
    world.run(good)
    assert (len(good.told), list(world.store.outbox.notices(9))) == (1, [])
