"""Two workers on one partition, whose effects take turns in an order that a seed chooses, while leases run out.

Whoever holds the newest lease commits; the other one is refused at its next commit, and what it had sent by then is
found by whoever comes after. `CRMBRIDGE_ORDERS=10000` tries more orders, from `CRMBRIDGE_FIRST_SEED` on.
"""

from __future__ import annotations

import datetime as dt
import os
from collections import Counter

from crmbridge import policies
from crmbridge.errors import FenceStale, LeaseHeld
from crmbridge.flow import call, gather
from crmbridge.testing.sim import SimDriver

LEASE = dt.timedelta(minutes=11)

ORDERS = int(os.environ.get("CRMBRIDGE_ORDERS", "1000"))
FIRST = int(os.environ.get("CRMBRIDGE_FIRST_SEED", "0"))


def worker(world, pipe, ended):
    """Run once, and say how it ended."""
    try:
        yield from world.ready(pipe)._sweep(world.clock)
    except (LeaseHeld, FenceStale) as refused:
        ended[type(refused).__name__] += 1
    else:
        ended["well"] += 1


def late(world, pipe, ended, effects):
    """Come after some effects of the others, when the lease of the first one has run out by the clock."""
    for _ in range(effects):
        yield from call(int)
    yield from call(world.clock.advance, LEASE)
    yield from worker(world, pipe, ended)


def edited(world, pipe):
    """Have one pair in step, and then edits of it on both sides and new records on both sides."""
    person, lead = world.pair(pipe)
    world.ma.edit(person, name="Park")
    world.crm.edit(lead, City="Kobe")
    world.left(email="lee@x.example", name="Lee", city="Nara")
    world.right(Email="sato@x.example", Name="Sato", City="Otsu")
    return person, lead


def told(record, *fields):
    return tuple(record.get(field) for field in fields)


def test_two_workers_in_any_order_lose_and_double_nothing(worlds, promises, record_property):
    ended = Counter()
    for number in range(FIRST, FIRST + ORDERS):
        world = worlds(capabilities=promises(("A-key", "A-unique", "B")[number % 3]))
        pipe = world.pipeline(policies.right_wins)
        person, lead = edited(world, pipe)
        flows = [worker(world, pipe, ended), late(world, pipe, ended, number % 29)]
        SimDriver(number, clock=world.clock).run(gather(flows, limit=2))
        world.settle(pipe, rounds=3)
        writes = world.count()
        world.settle(pipe, rounds=1)
        assert world.count() == writes, number
        left = sorted(told(record, "email", "name", "city") for record in world.ma.every("person"))
        right = sorted(told(record, "Email", "Name", "City") for record in world.crm.every("lead"))
        assert left == right == [
            ("kim@x.example", "Park", "Kobe"), ("lee@x.example", "Lee", "Nara"), ("sato@x.example", "Sato", "Otsu"),
        ], number  # fmt: skip
        assert world.counterpart(person) == lead
        assert not world.parked(), number
    assert ended["FenceStale"] > ORDERS / 20, ended
    assert ended["well"] > ORDERS / 2, ended
    record_property("orders", ORDERS)
