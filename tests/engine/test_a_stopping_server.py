"""T7: the server that keeps the state is stopped without a word while an engine syncs, and comes back."""

import threading
import time
from collections import Counter

from crmbridge.stores import PostgresStore

ROUNDS = 5
PEOPLE = 30


def test_a_server_that_stops_at_any_moment_costs_no_record_and_makes_none_twice(worlds, postgres, schema):
    with PostgresStore(postgres.dsn, schema=schema()) as store:
        world = worlds(store=store)
        pipe = world.pipeline().batches(of=2)
        for turn in range(ROUNDS):
            for number in range(PEOPLE):
                world.left(email=f"p{turn}-{number}@x.example", name=f"n{number}")
            reports = []
            running = threading.Thread(target=lambda told=reports: told.append(world.run(pipe)))
            running.start()
            while running.is_alive() and world.count() < turn * (PEOPLE + 5):
                time.sleep(0.001)
            postgres.stop("immediate")
            postgres.start()
            running.join(60)
            assert len(reports) == 1, "the run went on where it was"
        world.settle(pipe)
        names = Counter(str(lead["Email"]) for lead in world.crm.rows("lead"))
        assert len(names) == ROUNDS * PEOPLE
        assert set(names.values()) == {1}
        assert len(world.links()) == ROUNDS * PEOPLE
        assert world.parked() == []
