"""Hourly runs for a day, `CRMBRIDGE_DAYS=365` for a year: tokens run out, people edit, and all stays in step."""

import os
import random

from ae_sf_world import World

HOUR = 3600.0
DAYS = int(os.environ.get("CRMBRIDGE_DAYS", "1"))


def test_hourly_runs_outlive_their_tokens_and_keep_people_in_step(seed, record_property):
    chance, world = random.Random(seed), World()
    people = [world.linked(f"p{n}@x.example", LastName=f"n{n}") for n in range(10)]
    world.run()
    titles = dict.fromkeys(people)
    for hour in range(24 * DAYS):
        if chance.random() < 0.3:
            pair = chance.choice(people)
            titles[pair] = f"w{hour}"
            world.sf.edit("Lead", pair[1], Title=titles[pair])
        world.run(HOUR)
    world.run(HOUR)
    writes = world.ours()
    world.run(HOUR)
    assert world.ours() == writes, "I4"
    assert [world.left(left)["jobTitle"] for left, _ in people] == list(titles.values()), "I3"
    tokens = sum(request.url.path.endswith("/token") for request in world.sf.requests)
    assert 24 * DAYS / 3 < tokens <= 24 * DAYS + 3, "renewed as they ran out, once an hour at most"
    record_property("days", DAYS)
