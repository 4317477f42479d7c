"""Kengaku Cloud → Digima: what cannot be sent waits, is told of once, and is never sent twice by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import attrs
import httpx
import pytest

from crmbridge.model import Disposition
from crmbridge.reasons import Code
from crmbridge.testing.sim import SimulatedCrash

from .conftest import BASE, QUESTION, SOURCES, World, counted, one

requirement = pytest.mark.requirement


def wreck(world: World) -> None:
    """Take the custom field away at Digima, so that an answer to its question is refused."""
    [field] = world.digima.rows("custom_field")
    world.digima.remove("custom_field", field["id"])


def repair(world: World) -> None:
    world.digima.put("custom_field", label=QUESTION, code="plan_contents", type="テキスト")


@requirement("DIGIMA-18")
def test_a_refused_value_is_not_tried_again_waits_and_is_told_of_once(world):
    wreck(world)
    ref = world.register(answers={QUESTION: "新築"})
    report = world.run()
    for _ in range(3):
        world.run(after=3600, again=True)
    because = one(report, Disposition.QUARANTINED).because
    assert because.code is Code.REFUSED_BY_SYSTEM
    assert because.facts["field"] == "contact.custom_fields.plan_contents"
    assert len(world.digima.requests) == 1
    assert [(notice.ref, notice.because) for notice in world.told.notices] == [(ref, because)]


@requirement("DIGIMA-18")
def test_each_record_in_trouble_has_a_notice_of_its_own_and_the_others_go_through(world):
    wreck(world)
    refs = [world.register(kind, answers={QUESTION: "新築"}) for kind in SOURCES]
    world.register()
    assert counted(world.run()) == {"applied": 1, "quarantined": 3}
    assert sorted(notice.ref for notice in world.told.notices) == sorted(refs)


def test_a_record_in_quarantine_is_sent_again_once_the_settings_are_right(world):
    wreck(world)
    ref = world.register(answers={QUESTION: "新築"})
    world.run()
    repair(world)
    assert counted(world.pipeline().retry([ref])) == {"applied": 1}
    assert world.posts[0]["contact"]["custom_fields"] == {"plan_contents": "新築"}
    assert world.parked() == {}


@requirement("DIGIMA-18")
def test_a_record_that_fails_again_is_told_of_again(world):
    wreck(world)
    ref = world.register(answers={QUESTION: "新築"})
    world.run()
    world.pipeline().retry([ref])
    assert [notice.ref for notice in world.told.notices] == [ref, ref]


@requirement("DIGIMA-18")
def test_a_network_that_is_down_is_tried_again_within_bounds_and_loses_nothing(world):
    world.digima.faults.refuse_connection(times=7)
    world.register()
    assert counted(world.run()) == {"held": 1}
    assert world.digima.faults.fired["F03"] == 5
    world.run(after=3600)
    assert len(world.posts) == 1
    assert world.told.notices == []


@pytest.mark.parametrize("applied", [True, False])
def test_an_unknown_outcome_is_in_doubt_and_never_sent_again_by_itself(world, applied):
    world.digima.faults.fail(503, applied=applied)
    ref = world.register()
    world.run()
    for _ in range(5):
        world.run(after=3600, again=True)
    assert len(world.digima.requests) == 1
    assert world.parked() == {ref: "in_doubt"}


def test_a_person_who_retries_a_record_in_doubt_decides_that_it_may_be_sent_again(world):
    world.digima.faults.fail(503)
    ref = world.register()
    world.run()
    world.run(after=3600)
    world.pipeline().retry([ref])
    assert len(world.posts) == 1
    assert world.parked() == {}


def test_a_wrong_account_code_leaves_the_record_waiting_until_a_person_has_corrected_it(world):
    right = world.settings
    world.changes["account_code"] = "OTHER"
    ref = world.register()
    world.run()
    assert world.posts == []
    assert list(world.parked()) == [ref]
    world.changes["account_code"] = right.account_code
    world.pipeline().retry([ref])
    assert len(world.posts) == 1


def test_a_check_of_the_connection_registers_nothing_and_no_post_is_a_check(world):
    with world.driver() as driver:
        assert driver.run(world.settings.digima(base_url=BASE).verify("来場予約", {"email": "kim@x.test"})) == ()
    assert world.digima.ledger == ()
    world.register()
    world.run()
    checks = [json.loads(request.content)["form"]["validate_only"] for request in world.digima.requests]
    assert checks == [True, False]
    assert len(world.posts) == 1


def doomed(**crash: int) -> tuple[World, int]:
    """Let a process take in two entries and die at an effect; tells how many effects it began."""
    world = World()
    world.pipeline().enable()
    world.clock.advance(1)
    for kind in ("reservation", "inquiry"):
        world.register(kind)
    driver = world.driver(**crash)
    pipeline = world.pipeline(driver)
    try:
        for delivery in world.kengaku.deliveries():
            pipeline.receive(delivery)
        pipeline.drain()
    except SimulatedCrash:
        pass
    return world, driver.effects


def deaths() -> Iterator[dict[str, int]]:
    _, effects = doomed()
    assert effects > 10
    for number in range(1, effects + 1):
        yield {"crash_before": number}
        yield {"crash_after": number}


def test_a_crash_at_any_effect_loses_no_entry_and_makes_no_second_post():
    ends = {"posted": 0, "in doubt": 0}
    for crash in deaths():
        world, _ = doomed(**crash)
        for _ in range(4):
            world.run(after=3600, again=True)
        posted = [post["contact"]["email"] for post in world.posts]
        assert len(posted) == len(set(posted)), crash
        doubted = [ref for ref, why in world.parked().items() if why == "in_doubt"]
        known = {world.kengaku.described(ref.kind, ref.id)["customer"]["email"] for ref in doubted}
        assert set(posted) | known == {"kim1@x.test", "kim2@x.test"}, crash
        ends["posted"] += len(set(posted) - known)
        ends["in doubt"] += len(known)
    assert all(ends.values()), ends


def test_an_answer_lost_at_any_post_makes_no_second_one(world):
    for _ in range(6):
        world.digima.faults.lose_answer(to="POST")
        world.register()
        world.run()
    for _ in range(3):
        world.run(after=3600, again=True)
    emails = [post["contact"]["email"] for post in world.posts]
    assert len(emails) == len(set(emails)) == 6
    assert set(world.parked().values()) == {"in_doubt"}


class Hook:
    """Delivers in the middle of a post, as a web server does beside a worker."""

    def __init__(self, world: World, deliver: Any) -> None:
        self.world, self.deliver = world, deliver

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.deliver()
        return self.world.digima.exchange(request)


def test_a_delivery_that_comes_while_another_is_posted_is_not_lost(world):
    world.register()
    pipeline = world.pipeline()
    world.clock.advance(1)
    world.deliver(pipeline)
    later = iter([world.kengaku.deliveries])

    def deliver() -> None:
        for sent in later:
            world.register("inquiry")
            for delivery in sent():
                pipeline.receive(delivery)

    driver = world.driver()
    driver._transports = {origin: httpx.MockTransport(Hook(world, deliver)) for origin in driver._transports}
    world.pipeline(driver).drain()
    world.run()
    assert len(world.posts) == 2


def test_what_was_sent_is_told_by_why(world):
    ref = world.register()
    world.run()
    [row] = world.pipeline().why(ref)
    assert (row.verb, row.ref.kind) == ("create", "submission")
    assert attrs.asdict(row.because)["code"] is Code.NEW
