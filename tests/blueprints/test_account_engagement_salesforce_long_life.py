"""Hourly runs for a day, `CRMBRIDGE_DAYS=365` for a year: tokens run out, people edit, and all stays in step.

They begin the day before summer time begins in the zone in which the business unit tells the time.
"""

import datetime as dt
import os
import random
from zoneinfo import ZoneInfo

from ae_sf_world import World

from crmbridge.testing.sim import ManualClock

HOUR = 3600.0
SUMMER = dt.datetime(2026, 3, 8, 7, tzinfo=dt.UTC)
DAYS = int(os.environ.get("CRMBRIDGE_DAYS", "1"))


def test_hourly_runs_outlive_their_tokens_and_keep_people_in_step(seed, record_property):
    chance, world = random.Random(seed), World(ManualClock(SUMMER - dt.timedelta(hours=12)))
    world.ae._unit.zone = ZoneInfo("America/New_York")
    people = [world.linked(f"p{n}@x.example", LastName=f"n{n}") for n in range(10)]
    world.run()
    titles = dict.fromkeys(people)
    offsets = set[str]()
    for hour in range(24 * DAYS):
        if chance.random() < 0.3:
            pair = chance.choice(people)
            titles[pair] = f"w{hour}"
            world.sf.edit("Lead", pair[1], Title=titles[pair])
        world.run(HOUR)
        offsets |= {row["updatedAt"][-6:] for row in world.ae.rows("prospect")}
    world.run(HOUR)
    writes = world.ours()
    world.run(HOUR)
    assert world.ours() == writes, "I4"
    assert [world.left(left)["jobTitle"] for left, _ in people] == list(titles.values()), "I3"
    tokens = sum(request.url.path.endswith("/token") for request in world.sf.requests)
    assert 24 * DAYS / 3 < tokens <= 24 * DAYS + 3, "renewed as they ran out, once an hour at most"
    assert offsets == {"-05:00", "-04:00"}, "the zone has changed its offset meanwhile"
    record_property("days", DAYS)
