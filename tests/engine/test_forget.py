"""A person who is forgotten stands nowhere in the store, in no role and in no byte of its files, and is not made again."""

import asyncio
import datetime as dt
import random

import pytest

from crmbridge import Disposition, wire
from crmbridge.drive import AsyncDriver
from crmbridge.errors import LeaseHeld, PlanRefused
from crmbridge.model import Arrived, RecordRef, Signal
from crmbridge.reasons import Code, Reason
from crmbridge.roles import Delta, Ruling
from crmbridge.stores import MemoryStore
from crmbridge.testing.faulty import Fault

SECRETS = ("canary-mail@x.example", "CanaryName", "CanaryCity", "CanaryLater", "canary-second@x.example", "CanaryThird")


class Silent:
    """Sends no notice, so that each stays in the outbox."""

    def send(self, notice):
        raise OSError("no mail today")
        yield


def everything(store, refs):
    """Tell all that the roles of a store know, as text."""
    runs = [f"sync-{kind}-{number}" for kind in ("run", "plan", "undo") for number in range(1, 40)]
    told = [
        *store.links.all("sync"),
        *store.outbox.unsettled("sync", 1000),
        *store.outbox.notices(1000),
        *(decision for run in runs for _, decision in store.outbox.rows(run, limit=10_000)),
        *(row for run in runs for row in store.journal.run(run)),
        *(row for ref in refs for row in store.journal.of("sync", ref)),
        *store.quarantine.rows("sync"),
        *store.agenda.due("sync", dt.datetime(2100, 1, 1, tzinfo=dt.UTC), 10_000),
        *store.inbox.waiting("sync", 1000),
        *store.inbox.of("sync", refs).values(),
        *store.rulings.of("sync", refs).values(),
    ]
    return "\n".join(map(wire.dumps, told))


def spilt(world):
    """Give the secrets that stand in a byte of the files, or in what a role tells."""
    refs = [*world.refs]
    bytes_ = b"".join(file.read_bytes() for file in world.folder.iterdir()) if world.folder else b""
    text = everything(world.store, refs)
    return sorted(secret for secret in SECRETS if secret.encode() in bytes_ or secret in text)


def known_everywhere(world):
    """Let a person be written, edited, moved, disputed, planned, parked, ruled upon and delivered."""
    pipe = world.pipeline().on_quarantine(Silent())
    for number in range(40):
        world.left(email=f"p{number}@x.example", name=f"n{number}", city="Tokyo")
    person, lead = world.pair(pipe, email=SECRETS[0], name=SECRETS[1], city=SECRETS[2])
    world.settle(pipe)
    world.ma.edit(person, name=SECRETS[3])
    report = world.run(pipe)
    contact = world.crm.move(lead, "contact", Email=SECRETS[0], Name=SECRETS[3], City=SECRETS[2])
    world.settle(pipe)
    world.ma.edit(person, email=SECRETS[4])
    world.plan(pipe)
    world.ready(pipe).undo(report)
    world.run(pipe)
    world.ma.edit(person, name=SECRETS[5])
    world.crm.single = lambda action: Fault.REJECTED if SECRETS[5] in map(str, action.values.values()) else None
    world.run(pipe)
    world.store.rulings.add("sync", Ruling(person, "left", "the boss", world.clock.now(), "what was asked"))
    record = world.ma.record(person)
    world.store.inbox.put("sync", [Signal("s", contact, world.clock.now()), Arrived("a", record, world.clock.now())])
    world.refs = {person, lead, contact}
    return pipe, person, contact


@pytest.mark.parametrize("asked", ["left", "right"])
def test_nothing_of_a_forgotten_person_is_left_in_any_role_or_byte(both, asked):
    world = both(right_kinds=("contact", "lead"))
    pipe, person, contact = known_everywhere(world)
    assert spilt(world) == sorted(SECRETS), "the scene puts every secret into the store"
    assert world.ready(pipe).forget(person if asked == "left" else contact) == 1
    assert spilt(world) == []
    assert len(world.links()) == 40


def test_a_forgotten_person_is_not_taken_up_again_whatever_changes(both):
    world = both(right_kinds=("contact", "lead"))
    pipe, person, contact = known_everywhere(world)
    world.ready(pipe).forget(person)
    writes = world.count()
    world.ma.edit(person, name="CanaryName")
    world.crm.edit(contact, City="CanaryCity")
    report = world.run(pipe, after=60)
    assert report.counts[Disposition.SKIPPED] >= 2
    world.settle(pipe)
    assert world.count() == writes
    assert spilt(world) == []
    assert len(world.links()) == 40


def test_a_forgotten_person_who_is_converted_is_kept_out_and_stops_nobody(both):
    world = both(right_kinds=("contact", "lead"))
    person, lead = world.pair(email=SECRETS[0], name=SECRETS[1])
    assert world.ready().forget(lead) == 1
    contact = world.crm.move(lead, "contact", Email=SECRETS[0], Name=SECRETS[1])
    world.left(email="lee@x.example", name="Lee")
    world.refs = {person, lead, contact}
    world.settle()
    assert [row["Name"] for row in world.crm.rows("lead")] == ["Lee"]
    assert [row["email"] for row in world.ma.rows("person")] == [SECRETS[0], "lee@x.example"]
    assert spilt(world) == []
    world.crm.edit(contact, Name="CanaryLater")
    world.settle()
    assert world.ma.values(person)["name"] == SECRETS[1]
    assert spilt(world) == []


def test_a_plan_is_run_without_the_person_who_was_forgotten_since(both, tmp_path_factory):
    world = both()
    world.left(email="lee@x.example", name="Lee")
    person = world.left(email="kim@x.example", name="Kim")
    plan = world.plan()
    path = tmp_path_factory.mktemp("plans") / "plan.jsonl"
    plan.save(path)
    assert world.ready().forget(person) == 1
    loaded = world.ready().load(path)
    assert loaded.totals.writes == {("crm", "create"): 1}
    world.run(plan=loaded)
    assert [lead["Name"] for lead in world.crm.rows("lead")] == ["Lee"]


def test_a_plan_whose_only_person_was_forgotten_since_runs_empty(both, tmp_path_factory):
    world = both()
    person = world.left(email="kim@x.example", name="Kim")
    plan = world.plan()
    path = tmp_path_factory.mktemp("plans") / "plan.jsonl"
    plan.save(path)
    assert world.ready().forget(person) == 1
    assert world.run(plan=plan).read == 0
    assert world.run(plan=world.ready().load(path)).read == 0
    assert world.crm.rows("lead") == []
    with pytest.raises(PlanRefused, match="all of its people were forgotten"):
        both(store=MemoryStore()).run(plan=plan)


def test_a_person_into_whom_another_is_merged_stays_forgotten(both):
    world = both()
    person, lead = world.pair(email=SECRETS[0], name=SECRETS[1])
    kim, hers = world.pair(email="kim@x.example", name="Kim")
    assert world.ready().forget(person) == 1
    writes = world.count()
    world.refs = {person, lead, kim, hers}
    world.ma.merge(kim, person)
    report = world.run()
    assert [decision.because.code for decision in report.rows(Disposition.SKIPPED)] == [Code.FORGOTTEN]
    world.settle()
    assert spilt(world) == []
    assert [(link.left, link.right, link.closed) for link in world.closed()] == [(kim, hers, Reason(Code.FORGOTTEN))]
    world.ma.edit(person, name=SECRETS[3])
    world.crm.edit(hers, Name="Kimiko")
    world.settle()
    assert world.count() == writes
    assert spilt(world) == []
    assert world.crm.values(hers)["Name"] == "Kimiko", "hers is written by people alone from now on"


def test_a_lead_whose_counterpart_is_forgotten_by_a_merge_is_kept_out_when_it_is_converted(both):
    world = both(right_kinds=("contact", "lead"))
    person, _ = world.pair(email=SECRETS[0], name=SECRETS[1])
    kim, hers = world.pair(email="kim@x.example", name="Kim")
    world.ready().forget(person)
    world.ma.merge(kim, person)
    world.crm.move(hers, "contact", Email="kim@x.example", Name="Kim")
    people = world.ma.rows("person")
    world.settle()
    assert (world.ma.rows("person"), world.links()) == (people, [])


def test_an_unknown_record_is_kept_out_all_the_same(both):
    world = both()
    person = RecordRef("ma", "person", "p00001")
    assert world.ready().forget(person) == 0
    assert world.left(email="kim@x.example", name="Kim") == person
    world.run()
    assert world.crm.rows("lead") == []


def test_nobody_is_forgotten_while_a_run_is_under_way(both):
    world = both()
    person, _ = world.pair()
    fence = world.store.leases.take("sync", "another", world.clock.now(), dt.timedelta(minutes=10))
    with pytest.raises(LeaseHeld):
        world.ready().forget(person)
    assert len(world.links()) == 1
    world.store.commit("sync", Delta(), fence)
    world.store.leases.release(fence)
    assert world.ready().forget(person) == 1
    assert world.run().read >= 0, "the lease was given back"


@pytest.mark.parametrize("seed", [3])
def test_pages_that_were_split_and_merged_keep_nothing_either(worlds, tmp_path, seed):
    world = worlds(tmp_path)
    order = random.Random(seed)
    people = [
        world.left(email=f"{order.randrange(10**9)}-{number}@x.example", name="n" * order.randrange(1, 400))
        for number in range(300)
    ]
    secret = [world.left(email=f"canary-{number}@x.example", name=f"Canary{number}") for number in range(30)]
    world.run()
    for person in order.sample(people, 150):
        world.ma.edit(person, name="m" * order.randrange(1, 400))
    for person in secret:
        world.ma.edit(person, city="CanaryCity" * order.randrange(1, 20))
    world.settle()
    order.shuffle(secret)
    for person in secret:
        world.ready().forget(person)
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"anary" not in content
    assert len(world.links()) == 300


def test_the_awaited_verbs_do_the_same(world, tmp_path):
    async def story():
        person, lead = world.pair()
        ready = world.pipeline().remember(world.store).using(AsyncDriver(clock=world.clock))
        world.ma.edit(person, name="Park")
        (await ready.plan()).save(tmp_path / "plan.jsonl")
        report = await ready.run(await ready.load(tmp_path / "plan.jsonl"))
        await ready.run(await ready.undo(report))
        assert world.crm.values(lead)["Name"] == "Kim"
        assert await ready.forget(person) == 1
        assert world.links() == []

    asyncio.run(story())
