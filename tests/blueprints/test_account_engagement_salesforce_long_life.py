"""Hourly runs for a day, for two months in a deep search: tokens run out, people edit, and all stays in step."""

import random

from ae_sf_world import World

HOUR = 3600.0


def test_hourly_runs_outlive_their_tokens_and_keep_people_in_step(seed, deep):
    chance, world, days = random.Random(seed), World(), 60 if deep else 1
    people = [world.linked(f"p{n}@x.example", LastName=f"n{n}") for n in range(10)]
    world.run()
    titles = dict.fromkeys(people)
    for hour in range(24 * days):
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
    assert 24 * days / 3 < tokens <= 24 * days + 3, "renewed as they ran out, once an hour at most"
