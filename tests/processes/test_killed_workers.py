"""A syncing process is killed or stopped at any moment of its life; the two systems tell whether the laws held.

Each round people edit, a worker is struck, and sooner or later undisturbed ones bring all to rest. What nobody was told
in between, the ledgers of the two systems know. A deep search takes more rounds, and another seed each time.
"""

import os
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

KILL, STOP = signal.SIGKILL, signal.SIGSTOP

KILLS = {
    "sqlite": int(os.environ.get("CRMBRIDGE_KILLS", "30")),
    "postgres": int(os.environ.get("CRMBRIDGE_KILLS_SERVER", "6")),
}
UNKEYED = {
    "sqlite": int(os.environ.get("CRMBRIDGE_UNKEYED", "5")),
    "postgres": int(os.environ.get("CRMBRIDGE_UNKEYED_SERVER", "1")),
}
SECONDS = {
    "sqlite": int(os.environ.get("CRMBRIDGE_SECONDS", "5")),
    "postgres": int(os.environ.get("CRMBRIDGE_SECONDS_SERVER", "4")),
}
STOPS = {
    "sqlite": int(os.environ.get("CRMBRIDGE_STOPS", "5")),
    "postgres": int(os.environ.get("CRMBRIDGE_STOPS_SERVER", "2")),
}
CREWS = {
    "sqlite": int(os.environ.get("CRMBRIDGE_CREWS", "4")),
    "postgres": int(os.environ.get("CRMBRIDGE_CREWS_SERVER", "1")),
}
"""Rounds, by where state is kept: kills, kills where nothing tells a copy, second workers, stops, kills in a crew."""


@pytest.fixture(params=["sqlite", "postgres"])
def state(request):
    """Say where state is kept: None, a file of the town's own."""
    if request.param == "sqlite":
        return None
    return {"dsn": request.getfixturevalue("postgres").dsn, "schema": request.getfixturevalue("schema")()}


@pytest.fixture
def rounds(request, state):
    """Say how many rounds a test takes, out of a table by where state is kept; and tell that they were taken."""

    def of(table):
        many = table["postgres" if state else "sqlite"]
        request.node.user_properties.append(("rounds", many))
        return many

    return of


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


def test_a_worker_that_is_killed_anywhere_loses_and_doubles_nothing(towns, strike, state, seed, rounds):
    many = rounds(KILLS)
    with towns(seed, state) as town:
        life = measured(town)
        for _ in range(many):
            town.edit()
            town.run(somewhere(town, strike, life))
            if town.chance.random() < 0.5:
                town.settle()
        town.settle()
        assert town.ended["killed"] > many * 0.25, "strikes strike"


def test_two_workers_of_which_one_is_killed_lose_and_double_nothing(towns, strike, state, seed, rounds):
    """The second comes when the lease of the first has run out by its clock, while the first may still be alive."""
    with towns(seed, state) as town:
        seconds, requests = measured(town)
        many = rounds(SECONDS)
        for turn in range(many + 20):
            # A first worker that a second one overtakes may send too little to be struck.
            if turn >= many and town.ended["killed"]:
                break
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
    towns, strike, state, seed, rounds
):
    """I14: of two that believe to hold the lease, only the later one is right."""
    with towns(seed, state) as town:
        _, requests = measured(town)
        many, most = rounds(STOPS), requests - 3
        for number in range(many + most):
            # One that is stopped while it reads finds its time is up, and never comes to the fence.
            if number >= many and town.ended["FenceStale"]:
                break
            town.edit()
            place = (requests // 2 + number) % most + 1
            stopped = town.begin(strike(STOP, request=place, moment="after"))
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


def test_without_any_key_a_killed_worker_leaves_a_record_to_a_person_at_worst_and_doubles_nothing(
    towns, strike, state, seed, rounds
):
    """Create class C: where no field of the other system tells our copy, an unknown outcome is looked up, or left.

    Some requests, too, are applied only when the next worker has come: to look at once is to look too early.
    """
    many = rounds(UNKEYED)
    with towns(seed, state, keyed=False) as town:
        _, requests = measured(town)
        for _ in range(many):
            town.edit()
            town.clock.advance(400)
            if town.chance.random() < 0.5:
                town.sf.faults.apply_late(seconds=500, to="POST", path="/services/data")
            at = town.chance.randint(requests // 3, requests)
            town.run(strike(KILL, request=at, moment=town.chance.choice(("before", "after"))))
            if town.chance.random() < 0.3:
                town.settle()
        town.settle()
        assert town.ended["killed"] >= many // 2, "strikes strike"
        assert town.doubts <= 3 * many, "only what was under way"


def test_of_three_workers_one_is_killed_every_other_moment_and_another_goes_on_within_two_leases(
    towns, state, seed, rounds, lease
):
    many = rounds(CREWS)
    with towns(seed, state) as town:
        measured(town)
        with town.crew(3) as pids:
            for _ in range(many):
                town.edit()
                time.sleep(town.chance.uniform(0, 1))
                _, died = town.replace(pids)
                assert town.taken_over(died) <= 2 * lease
        ended = Counter(run.get("refused", "well") for run in town.runs())
        assert ended["well"] >= many
        assert ended["LeaseHeld"], "they stand in each other's way"
        assert not ended.keys() - {"well", "LeaseHeld", "FenceStale"}, ended
        town.settle()
        assert town.ended["killed"] == many


def test_a_worker_that_is_interrupted_or_asked_to_end_loses_and_doubles_nothing(towns, strike, seed):
    """F34: Ctrl-C at any moment, and what service managers send first."""
    with towns(seed) as town:
        life = measured(town)
        for _ in range(6):
            town.edit()
            town.clock.advance(400)
            town.run(somewhere(town, strike, life, town.chance.choice((signal.SIGINT, signal.SIGTERM))))
        town.settle()
        assert town.ended["killed"] > 1, "strikes strike"


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the limits are those of Linux")
@pytest.mark.parametrize(
    ("of", "steps"),
    [("memory", [*range(200_000, 3_000_000, 350_000), 40_000_000]), ("files", list(range(1, 9)))],
    ids=["memory", "files"],
)
def test_a_worker_that_runs_out_says_so_and_loses_and_doubles_nothing(towns, seed, of, steps):
    """F33: with a little more each time, it comes a little further, until it comes to its end."""
    with towns(seed) as town:
        measured(town)
        ended = []
        for more in steps:
            town.edit()
            town.clock.advance(400)
            ended.append(town.run_short(of, more))
        town.settle()
        assert ended[0] != "well", "it does run out"
        assert ended[-1] == "well", ended
        # SQLite that is refused memory may call a sound file damaged; that it is sound, the town that settled has shown.
        told = {"well", "MemoryError", "SystemError", "OSError", "StateError", "StoreDamaged", "Unreachable"}
        assert set(ended) <= told, ended
