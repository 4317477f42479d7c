"""A syncing process is killed or stopped at any moment of its life; the two systems tell whether the laws held.

Each round people edit, a worker is struck, and sooner or later undisturbed ones bring all to rest. What nobody was told
in between, the ledgers of the two systems know. Deep runs take 1,000 rounds and another seed each time.
"""

import os
import signal
import time

import pytest

KILL, STOP = signal.SIGKILL, signal.SIGSTOP


@pytest.fixture(params=["sqlite", "postgres"])
def state(request):
    """Say where state is kept: None, a file of the town's own."""
    if request.param == "sqlite":
        return None
    return {"dsn": request.getfixturevalue("postgres").dsn, "schema": request.getfixturevalue("schema")()}


def measured(town):
    """Run once where there is something to do; give the life of a worker in seconds and in requests."""
    town.edit()
    town.settle()
    town.edit()
    began, arrived = time.monotonic(), town.target.arrived
    town.run()
    life = time.monotonic() - began, town.target.arrived - arrived
    town.settle()
    return life


def somewhere(town, strike, life, signal=KILL):
    """Choose a moment in a worker's life: by the clock, from its birth until after its end, or at one of its requests."""
    seconds, requests = life
    if town.chance.random() < 0.5:
        return strike(signal, seconds=town.chance.uniform(0, seconds * 1.2))
    return strike(signal, request=town.chance.randint(1, requests), moment=town.chance.choice(("before", "after")))


def test_a_worker_that_is_killed_anywhere_loses_and_doubles_nothing(towns, strike, state, seed, deep):
    rounds = 1000 if deep else 6 if state else 30
    with towns(seed, state) as town:
        life = measured(town)
        for _ in range(rounds):
            town.edit()
            town.run(somewhere(town, strike, life))
            if town.chance.random() < 0.5:
                town.settle()
        town.settle()
        assert town.ended["killed"] > rounds * 0.4, "strikes strike"


def test_two_workers_of_which_one_is_killed_lose_and_double_nothing(towns, strike, state, seed, deep):
    """The second comes when the lease of the first has run out by its clock, while the first may still be alive."""
    rounds = 300 if deep else 2 if state else 5
    with towns(seed, state) as town:
        seconds, requests = measured(town)
        for _ in range(rounds):
            town.edit()
            at = town.chance.randint(1, requests)
            first = town.begin(strike(KILL, request=at, moment=town.chance.choice(("before", "after"))))
            time.sleep(town.chance.uniform(0, seconds))
            town.clock.advance(400)
            second = town.begin()
            town.end(second, struck=False)
            town.end(first, struck=True)
            town.settle()
        assert town.ended["killed"]


def test_a_worker_that_is_stopped_beyond_its_lease_commits_and_writes_nothing_when_it_wakes(
    towns, strike, state, seed, deep
):
    """I14: of two that believe to hold the lease, only the later one is right."""
    with towns(seed, state) as town:
        _, requests = measured(town)
        rounds = 300 if deep else 2 if state else 5
        for _ in range(rounds):
            town.edit()
            stopped = town.begin(strike(STOP, request=town.chance.randint(1, requests // 2), moment="after"))
            assert town.target.hit.wait(20)
            town.clock.advance(400)
            town.run()
            before = town.writes(), town.known()
            os.kill(stopped, signal.SIGCONT)
            told = town.end(stopped, struck=False)
            assert told
            assert told.get("refused") in {"FenceStale", "Unreachable"}, "its request, too, has taken too long"
            assert (town.writes(), town.known()) == before, "neither system nor state was touched by it"
            town.settle()
        assert town.ended["FenceStale"]
