"""F22: machines whose clocks are an hour apart, jump, or stand in another zone share one state; days that are odd.

What a lease forbids, the fence still forbids when a clock says otherwise; what is merely waited for may come too early
or too late. So a request that is applied late, or a reading that lags, is left out here where only waiting protects
from it: that machines agree on the time is asked of them on the page about reliability.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
import os
import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from crmbridge import at, pair, two_way
from crmbridge.errors import FenceStale, LeaseHeld
from crmbridge.match import key, level
from crmbridge.model import FieldSpec, FieldType, RecordRef
from crmbridge.policies import right_wins
from crmbridge.stores import SqliteStore
from crmbridge.testing.connector import EVERYTHING, described
from crmbridge.testing.faulty import FaultyConnector, Lags
from crmbridge.testing.sim import ManualClock, SimDriver, SimulatedCrash

_SPEC = importlib.util.spec_from_file_location("simulation", Path(__file__).with_name("test_simulation.py"))
simulation = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(simulation)

SEEDS = 40
HOUR = dt.timedelta(hours=1)
BERLIN, TOKYO = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo")


class HostClock(ManualClock):
    """The clock of one machine: it shows the true time an hour early, late or right, and may jump at any look."""

    def __init__(self, true, chance):
        super().__init__()
        self.true, self.chance = true, chance
        self.ahead = chance.choice([-HOUR, 0 * HOUR, HOUR])
        self.jumps = 0

    def now(self):
        if self.chance.random() < 0.02:
            self.ahead = self.chance.choice([-HOUR, 0 * HOUR, HOUR])
            self.jumps += 1
        return self.true.now() + self.ahead

    def monotonic(self):
        return self.true.monotonic()

    def advance(self, by):
        self.true.advance(by)


class Machines(simulation.Seed):
    """A life in which each process runs on another machine, until somebody has put all clocks right."""

    def __init__(self, number, worlds, promises):
        super().__init__(number, worlds, promises)
        self.late = self.late and self.create.startswith("A")
        self.jumps = 0
        for end in self.ends:
            end._lags = Lags(feed=end._lags.feed)

    def process(self, *, dies):
        when = {self.rng.choice(["crash_before", "crash_after"]): self.rng.randrange(1, 70)} if dies else {}
        clock = HostClock(self.world.clock, self.rng)
        try:
            report = self.world.ready(self.pipe, SimDriver(self.rng.randrange(1000), clock=clock, **when)).run()
        except SimulatedCrash:
            self.crashes += 1
        except (LeaseHeld, FenceStale) as refused:
            self.seen[type(refused).__name__] += 1
        else:
            self.look(report)
        self.seen["jump"] += clock.jumps
        self.seen[f"ahead {clock.ahead.total_seconds():g}"] += 1

    def judge(self, pairs, marks, crashes):
        """Nobody wakes up before the wrong clocks have been caught up with."""
        self.world.clock.advance(3 * HOUR)
        for _ in range(5):
            self.calm()
        super().judge(pairs, marks, crashes)

    def calm(self):
        self.world.clock.advance(2 * HOUR)
        super().calm()


def test_machines_whose_clocks_are_an_hour_apart_and_jump_lose_and_double_nothing(worlds, promises):
    seen, bad = simulation.Counter(), []
    for number in range(SEEDS):
        life = Machines(number, worlds, promises)
        try:
            life.live()
        except AssertionError as error:
            bad.append(f"seed {number}: {error}")
        seen.update(life.seen)
    assert not bad, "\n".join(bad)
    wanted = ["LeaseHeld", "jump", "ahead -3600", "ahead 0", "ahead 3600", "crash", "applied"]
    assert [row for row in wanted if not seen[row]] == []


def test_a_machine_that_is_ahead_takes_a_living_lease_and_the_slower_one_is_refused_from_then_on(worlds, promises):
    world = worlds(capabilities=promises("A-key"))
    person = world.left(email="kim@x.example", name="Kim")
    ahead = ManualClock(world.clock.now() + HOUR)
    early = []

    def meanwhile(what):
        if not what.startswith(("read", "fetch", "find")) and not early:
            early.append(what)
            world.ready(None, SimDriver(clock=ahead)).run()

    world.crm.meanwhile = meanwhile
    with pytest.raises(FenceStale):
        world.run()
    world.crm.meanwhile = lambda _: None
    world.clock.advance(HOUR)
    world.settle()
    assert early
    assert len(world.crm.rows("lead")) == 1
    assert world.crm.values(world.counterpart(person))["Name"] == "Kim"
    assert world.parked() == []


@pytest.fixture
def zone():
    """Set the zone of this process; put back what was there."""
    before = os.environ.get("TZ")

    def to(name):
        os.environ["TZ"] = name
        time.tzset()

    yield to
    if before is None:
        del os.environ["TZ"]
        time.tzset()
    else:
        to(before)


STARTS = {
    "an hour is left out in New York": dt.datetime(2026, 3, 8, 6, 30, tzinfo=dt.UTC),
    "an hour comes twice in Berlin": dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC),
    "a leap day": dt.datetime(2028, 2, 28, 23, 30, tzinfo=dt.UTC),
}


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="zones of a process are POSIX")
@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_the_same_seed_leaves_the_same_trace_whatever_the_zone_of_the_machine(worlds, promises, zone, start):
    traces = []
    for name in ("UTC", "America/New_York", "Europe/Berlin", "Asia/Tokyo"):
        zone(name)
        life = simulation.Seed(7, worlds, promises)
        life.world.clock._start = start
        life.live(rounds=1)
        traces.append(simulation.trace(life))
    assert all(trace == traces[0] for trace in traces)


ODD = {
    "before an hour is left out": dt.datetime(2026, 3, 29, 1, 59, 59, tzinfo=BERLIN),
    "after an hour was left out": dt.datetime(2026, 3, 29, 3, 0, tzinfo=BERLIN),
    "the first of an hour that comes twice": dt.datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN),
    "the second of an hour that comes twice": dt.datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1),
    "a leap day's last second": dt.datetime(2028, 2, 29, 23, 59, 59, tzinfo=TOKYO),
    "another day in UTC": dt.datetime(2026, 1, 1, 8, 59, 59, tzinfo=TOKYO),
}


@pytest.mark.parametrize("instant", ODD.values(), ids=ODD)
def test_an_instant_of_an_odd_hour_crosses_as_the_same_instant_and_stays_in_step(tmp_path, instant):
    clock, fields = ManualClock(), (FieldSpec("email"), FieldSpec("at", FieldType.INSTANT))
    left, right = (
        FaultyConnector(name, described("person", *fields), capabilities=EVERYTHING, now=clock.now)
        for name in ("left", "right")
    )
    with SqliteStore(tmp_path / "state.db") as store:
        pipe = (
            two_way("people", at(left, "person"), at(right, "person"))
            .match(level("email", key("email", "email")))
            .creates(left=True, right=True)
            .fields(pair("email", "email"), pair("at", "at"), policy=right_wins)
            .remember(store)
            .using(SimDriver(clock=clock))
        )
        left.put("person", email="kim@x.example", at=instant)
        for _ in range(3):
            clock.advance(1300)
            report = pipe.run()
        [row] = right.rows("person")
        assert row["at"].astimezone(dt.UTC) == instant.astimezone(dt.UTC)
        assert report.writes == 0
        right.edit(RecordRef("right", "person", str(row["id"])), at=instant + dt.timedelta(seconds=1))
        for _ in range(3):
            clock.advance(1300)
            report = pipe.run()
        [back] = left.rows("person")
        assert back["at"].astimezone(dt.UTC) == (instant + dt.timedelta(seconds=1)).astimezone(dt.UTC)
        assert report.writes == 0
