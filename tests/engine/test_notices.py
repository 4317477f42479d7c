"""Notices: each notifier is told once of a record and an incident, whatever becomes of the others."""

from __future__ import annotations

import httpx
import pytest

from crmbridge import at, key, level, one_way, pair
from crmbridge.flow import call
from crmbridge.model import Disposition, FieldSpec
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

    def run(self, *bells, name="people", observer=None):
        self.clock.advance(60)
        pipe = (
            one_way(name, at(self.ma, "person"), at(self.crm, "lead"))
            .match(level("email", key("email", "Email")))
            .fields(pair("email", "Email"), pair("name", "Name"))
            .on_quarantine(*bells)
        )
        pipe = pipe if observer is None else pipe.observed(observer)
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


class Plain(Bell):
    """A notifier that is no flow: it has sent when it comes back."""

    def send(self, notice):
        self._ring(notice)
        return self.answer

    answer = None


class Client(Bell):
    """A notifier over a client with errors of its own, whose text nobody may read."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def send(self, notice):
        yield from call(self._ring, notice)

    def _ring(self, notice):
        if self.error is not None:
            raise self.error
        super()._ring(notice)


class Heard:
    """An observer that keeps what it is told."""

    def __init__(self):
        self.events = []

    def saw(self, event):
        self.events.append(event)


@pytest.mark.parametrize("error", [httpx.ConnectError("hooks.example"), RuntimeError("a@x.example"), KeyError("a")])
def test_no_error_of_a_notifier_ends_a_run_and_the_notice_waits_for_a_later_one(world, error):
    bell, heard = Client(error), Heard()
    world.put(2)
    assert world.run(bell, observer=heard).counts[Disposition.QUARANTINED] == 2
    [told] = [event.facts for event in heard.events if event.name == "notice_not_sent"]
    assert told == {"notifier": "Client", "error": type(error).__name__}, "and nothing that the error says"
    bell.error = None
    world.run(bell)
    assert len(bell.told) == 2


def test_whoever_interrupts_a_notifier_interrupts_the_run(world):
    world.put()
    with pytest.raises(KeyboardInterrupt):
        world.run(Client(KeyboardInterrupt()))


@pytest.mark.parametrize("answer", [None, object()])
def test_a_notifier_that_is_no_flow_has_sent_when_it_comes_back(world, answer):
    bell = Plain()
    bell.answer = answer
    world.put(3)
    for _ in range(3):
        world.run(bell)
    assert (bell.tried, len(set(bell.told))) == (3, 3)


class Awaited(Plain):
    """A notifier that would have to be awaited, which shows in its answer alone."""

    def send(self, notice):
        return self.later(notice)

    async def later(self, notice):
        self._ring(notice)


def test_a_notifier_that_must_be_awaited_has_told_nobody_and_the_notice_waits(world):
    bell, heard = Plain(), Heard()
    world.put()
    world.run(Awaited(), observer=heard)
    world.run(bell)
    assert "notice_not_sent" in [event.name for event in heard.events]
    assert len(bell.told) == 1
