"""A worker that sleeps in the middle of a run, as a laptop or a stopped process does, and wakes beyond its lease."""

from __future__ import annotations

import datetime as dt

import pytest

from crmbridge import policies
from crmbridge.errors import FenceStale
from crmbridge.testing.sim import SimDriver

NIGHT = dt.timedelta(hours=8)


def asleep_in_the_last_reading(world, meanwhile):
    """Let time pass, and something happen, while the record that is to be written is read once more."""
    reads = []

    def passing(what):
        reads.append(what)
        if what == "fetch" and reads.count("fetch") == 2:
            world.clock.advance(NIGHT)
            meanwhile()

    world.crm.meanwhile = passing


@pytest.fixture
def edited(worlds, promises):
    """A pair whose left was edited, where the right has no conditional writes."""
    world = worlds(capabilities=promises(conditional_writes=False))
    person, lead = world.pair()
    world.ma.edit(person, name="Park")
    return world, lead


def test_a_worker_that_has_lost_its_lease_in_its_sleep_writes_nothing(edited):
    world, _ = edited
    asleep_in_the_last_reading(
        world, lambda: world.store.leases.take("sync", "another", world.clock.now(), dt.timedelta(minutes=10))
    )
    before = world.count()
    with pytest.raises(FenceStale):
        world.run(world.pipeline(policies.left_wins))
    assert world.count() == before


def test_a_worker_that_wakes_with_its_lease_untaken_reads_again_before_it_writes(edited):
    world, lead = edited
    asleep_in_the_last_reading(world, lambda: None)
    driver = SimDriver(clock=world.clock)
    world.ready(world.pipeline(policies.left_wins), driver).run()
    assert world.crm.requests[-4:] == ["fetch", "fetch", "fetch", "update 1"]
    assert next(record for record in world.crm.every("lead") if record.ref == lead).get("Name") == "Park"
