"""Account Engagement and Salesforce, end to end: four ways to run come to one state, and so does every way to stop.

A second sync carries edits of every kind. It is stopped before and after each of its effects, in a copy of the whole
world that forking this process makes, and is then started again as a new process would.
"""

import json
import os
import random
import shutil
import traceback
from collections import Counter
from contextlib import suppress
from functools import partial

import pytest
from ae_sf_world import Settings, World, counts, on_ports, performer

from crmbridge.model import RecordRef
from crmbridge.stores.sqlite import SqliteStore
from crmbridge.testing.sim import SimulatedCrash

LEASE = 601.0
"""Seconds after which the lease of a process that died is free."""

COLLECTIONS = "/services/data/v67.0/composite/sobjects"

RESTARTS = 4
"""Runs after which a world has come to rest: the lease, the settle time and the cache are over by then."""


def both(world, prospect, lead):
    world.ae.edit("prospect", prospect, jobTitle="マーケ部長", city="北区")
    world.clock.advance(7)
    world.sf.edit("Lead", lead, Title="営業部長", Country="日本")


EDITS = {
    "in Salesforce": lambda world, _, lead: world.sf.edit("Lead", lead, Title="部長", Phone="03-1234-5678"),
    "in Account Engagement": lambda world, prospect, _: world.ae.edit(
        "prospect", prospect, jobTitle="部長", comments="展示会で名刺交換"
    ),
    "on both sides": both,
    "blanked": lambda world, _, lead: world.sf.edit("Lead", lead, Title=None),
    "invalid address": lambda world, prospect, _: world.ae.edit(
        "prospect", prospect, email=f"{prospect}.@east.example"
    ),
    "over-long value": lambda world, prospect, _: world.ae.edit("prospect", prospect, city="あ" * 41),
    "deleted": lambda world, _, lead: world.sf.remove("Lead", lead),
    "converted": lambda world, _, lead: world.sf.convert(lead),
    "assigned": lambda world, prospect, _: world.ae.edit("prospect", prospect, assignedToId=world.ae_seller),
    "met": lambda world, prospect, _: world.lead(world.left(prospect)["email"], Title="係長", Fax="03-9999-9999"),
}
"""What happens to a person between the first sync and the second; the last two have no lead before it."""


def arranged(world, number):
    """Have so many people, of whom nothing has happened yet."""
    people = []
    for at in range(number):
        edit, email = list(EDITS)[at % len(EDITS)], f"p{at}@east.example"
        world.clock.advance(1)
        if edit in ("assigned", "met"):
            people.append((edit, world.prospect(email, firstName="太郎", jobTitle="課長"), None))
        else:
            people.append((edit, *world.linked(email, FirstName="太郎", Title="課長")))
    return people


def edited(world, people):
    """Let people do on both sides what the second sync will carry."""
    for edit, prospect, lead in people:
        world.clock.advance(7)
        EDITS[edit](world, prospect, lead)


SETTINGS = Settings(master="most_recently_updated")
"""Under it edits of both sides cross, so all that Salesforce would refuse is met."""


def before_the_second_sync(number, *, creates="A", store=None):
    """Build a world in which everything has happened and the second sync is due."""
    world = World(settings=SETTINGS, creates=creates, **({} if store is None else {"store": store}))
    people = arranged(world, number)
    world.run()
    world.run()
    edited(world, people)
    world.clock.advance(180)
    return world


# -- four ways -------------------------------------------------------------------------


def through(awaited, ports):
    """Take two syncs with edits between them one way, and tell all that came of it."""
    world = World(settings=SETTINGS)
    people = arranged(world, 20)
    told = []

    def sync(run):
        world.clock.advance(180)
        told.append(counts(run()))

    def syncs():
        with performer(world, awaited=awaited) as run:
            sync(run)
            sync(run)
            edited(world, people)
            for _ in range(3):
                sync(run)

    if ports:
        with on_ports(world):
            syncs()
    else:
        syncs()
    return world.state(), told, world.ours(), sorted(world.parked().values())


@pytest.fixture(scope="module")
def plainly():
    """What the driver that blocks comes to, in process."""
    return through(awaited=False, ports=False)


@pytest.mark.requirement("AE-1")
@pytest.mark.parametrize("ports", [False, True], ids=["in process", "over ports"])
@pytest.mark.parametrize("awaited", [False, True], ids=["blocking", "awaited"])
def test_the_same_rules_come_to_the_same_state_and_counts_each_way(awaited, ports, plainly):
    state, told, written, parked = through(awaited, ports)
    assert state == plainly[0]
    assert told == plainly[1]
    assert Counter(written) == Counter(plainly[2])
    assert parked == plainly[3] == ["not_an_email"] * 4 + ["too_long"] * 4, "two pairs each, both of their records"
    assert "applied" not in told[-1]


def test_what_the_second_sync_carries_is_all_there(plainly):
    state = plainly[0]
    by_address = {row["email"]: row for row in state["prospect"]}
    assert by_address["p0@east.example"]["jobTitle"] == "部長"
    assert by_address["p2@east.example"]["jobTitle"] == "営業部長"
    assert (by_address["p2@east.example"]["city"], by_address["p2@east.example"]["country"]) == ("北区", "日本")
    assert by_address["p3@east.example"]["jobTitle"] == "課長"
    assert by_address["p6@east.example"]["isDeleted"]
    leads = {row["Email"]: row for row in state["Lead"] if not row["IsConverted"]}
    assert leads["p1@east.example"]["Description"] == "展示会で名刺交換"
    assert leads["p8@east.example"]["Title"] == "課長"
    assert sorted(row["Email"] for row in state["Contact"]) == ["p17@east.example", "p7@east.example"]


# -- answers that never come ---------------------------------------------------------------


@pytest.mark.parametrize("creates", ["A", "C"])
@pytest.mark.parametrize("fault", ["connection reset", "time-out", "error page, nothing done"])
def test_a_lead_whose_answer_was_lost_is_never_made_twice(fault, creates):
    world = World(settings=SETTINGS, creates=creates)
    world.prospect("taro@east.example", assigned=True)
    method = "PATCH" if creates == "A" else "POST"
    match fault:
        case "connection reset":
            world.sf.faults.lose_answer(to=method, path=COLLECTIONS, way="reset")
        case "time-out":
            world.sf.faults.lose_answer(to=method, path=COLLECTIONS, way="timeout")
        case _:
            world.sf.faults.fail(503, to=method, path=COLLECTIONS)
    for _ in range(RESTARTS):
        world.run(after=LEASE)
    assert world.sf.faults.fired.total() == 1
    leads = [lead["Email"] for lead in world.live("Lead")]
    if creates == "C" and fault == "error page, nothing done":
        assert (leads, set(world.parked().values())) == ([], {"in_doubt"})
        [prospect] = world.ae.rows("prospect")
        world.pipeline().retry([RecordRef("account_engagement", "prospect", str(prospect["id"]))])
        leads = [lead["Email"] for lead in world.live("Lead")]
    assert leads == ["taro@east.example"]
    world.run(after=LEASE)
    assert world.parked() == {}


# -- stopping anywhere -------------------------------------------------------------------


def in_copies(works):
    """Do each of these to a copy of the world, and give what each tells; here nothing has happened then."""
    at_once = os.cpu_count() or 1
    for start in range(0, len(works), at_once):
        copies = [begun(work) for work in works[start : start + at_once]]
        yield from [heard(*copy) for copy in copies]


def begun(work):
    """Copy this process and let the copy work; it writes what it tells into a pipe and ends without a word."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    try:
        answer = {"told": work()}
    except BaseException:  # noqa: BLE001 - the copy ends here, and its parent raises
        answer = {"failed": traceback.format_exc()}
    with os.fdopen(writing, "w") as pipe:
        json.dump(answer, pipe, default=str)
    os._exit(0)


def heard(child, reading):
    with os.fdopen(reading) as pipe:
        answer = json.load(pipe)
    os.waitpid(child, 0)
    assert "failed" not in answer, answer["failed"]
    return answer["told"]


def to_the_end(world, *stops, file=None):
    """Sync, die where each stop says, start again, and tell how the world stands at rest.

    With a *file*, state is kept in a copy of it, which each process opens anew.
    """
    own = None if file is None else shutil.copytree(file.parent, file.parent.with_name(f"of-{os.getpid()}")) / file.name
    effects = []
    for stop in stops:
        world.store = world.store if own is None else SqliteStore(own)
        driver = world.driver(**stop)
        with suppress(SimulatedCrash):
            world.pipeline(driver).run()
        effects.append(driver.effects)
        world.clock.advance(LEASE)
    world.store = world.store if own is None else SqliteStore(own)
    for _ in range(RESTARTS):
        world.run(after=LEASE)
    written = len(world.ours())
    world.run(after=LEASE)
    found = {
        "state": world.state(),
        "parked": sorted(set(world.parked().values())),
        "twins": world.twins(),
        "effects": effects,
        "restless": len(world.ours()) - written,
    }
    if own is not None:
        world.store.close()
        shutil.rmtree(own.parent)
    return found


def judge(expected, found, stops):
    """Hold the world at rest after stops against the one that was never stopped, and say which way it went."""
    assert found["twins"] == [], stops
    assert found["restless"] == 0, stops
    if found["parked"] == expected["parked"]:
        assert found["state"] == expected["state"], stops
        return "the same state"
    assert found["parked"] == sorted(["in_doubt", *expected["parked"]]), stops
    made = {row["email"] for row in expected["state"]["prospect"] if row["assignedToId"]}
    others = [row for row in expected["state"]["Lead"] if row["Email"] not in made]
    assert found["state"] == {**expected["state"], "Lead": others}, "nothing is missing but the leads that are in doubt"
    return "in doubt, and says so"


def stopped(world, places, *, file=None):
    """Stop at each of these places in a copy of the world, and count how it went on."""
    untouched = len(world.ours())
    [expected] = in_copies([lambda: to_the_end(world, {}, file=file)])
    tally = Counter()
    every = list(places(expected["effects"][0]))
    works = [partial(to_the_end, world, *stops, file=file) for stops in every]
    for stops, found in zip(every, in_copies(works), strict=True):
        assert found["effects"][0] in stops[0].values(), "it has died where it should"
        tally[judge(expected, found, stops)] += 1
    assert len(world.ours()) == untouched
    return expected["effects"][0], tally


ALL = os.environ.get("CRMBRIDGE_ALL") == "1"


def everywhere(effects):
    """Stop before and after each effect; after one is before the next, for nothing happens to the world in between."""
    moments = ("crash_before", "crash_after") if ALL else ("crash_before",)
    stops = [({moment: number},) for number in range(1, effects + 1) for moment in moments]
    return stops if ALL else [*stops, ({"crash_after": effects},)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot copy a running process")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
class TestStopping:
    """Wherever a sync is stopped, the next one finds its way to the same state, or says what is in doubt."""

    @pytest.mark.parametrize("creates", ["A", "C"])
    def test_a_sync_that_is_stopped_at_any_effect_comes_to_the_same_state_when_it_is_started_again(self, creates):
        number = 40 if ALL else 12
        effects, tally = stopped(before_the_second_sync(number, creates=creates), everywhere)
        print(f"{number} records, {effects} effects, {dict(tally)}")
        assert sum(tally.values()) == (2 * effects if ALL else effects + 1)
        assert tally["the same state"] > effects / 2
        assert bool(tally["in doubt, and says so"]) == (creates == "C")

    def test_it_may_be_stopped_again_while_it_recovers(self):
        def twice(effects):
            order = random.Random(0)
            moments = ("crash_before", "crash_after")
            return [
                (
                    {order.choice(moments): order.randint(1, effects)},
                    {order.choice(moments): order.randint(1, effects // 2)},
                )
                for _ in range(24)
            ]

        _, tally = stopped(before_the_second_sync(12), twice)
        assert tally == {"the same state": 24}

    def test_state_in_a_file_is_enough_to_start_again_from(self, tmp_path):
        file = tmp_path / "state" / "state.db"
        file.parent.mkdir()
        with SqliteStore(file) as store:
            world = before_the_second_sync(12, store=store)
        _, tally = stopped(world, lambda effects: everywhere(effects)[::5], file=file)
        assert set(tally) == {"the same state"}
        assert tally.total() >= 15
