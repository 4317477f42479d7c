"""A paced pipeline: what may not be written yet is held until its turn, across runs, crashes and workers."""

from __future__ import annotations

import datetime as dt

import pytest

from crmbridge import at, one_way, pair
from crmbridge.errors import UsageError
from crmbridge.match import key, level
from crmbridge.model import Disposition
from crmbridge.reasons import Code
from crmbridge.stores.sqlite import SqliteStore

HOUR = dt.timedelta(hours=1)


def paced(world, **how):
    return (
        one_way("sync", at(world.ma, "person"), at(world.crm, "lead"))
        .match(level("email", key("email", "Email")))
        .fields(pair("email", "Email"), pair("name", "Name"))
        .paced(**how)
    )


def people(world, *names, **values):
    return [world.left(email=f"{name}@x.example", name=name, **values) for name in names]


def made(world):
    return [row["Name"] for row in world.crm.rows("lead")]


def turns(report):
    return [row.because.facts["until"] for row in report.rows(Disposition.HELD)]


def test_writes_are_an_hour_apart_and_each_that_waits_names_its_own_turn(both):
    world = both()
    people(world, "a", "b", "c")
    pipe = paced(world, spacing=HOUR)
    begun = world.clock.now()
    report = world.run(pipe)
    assert (made(world), turns(report)) == (["a"], [begun + HOUR, begun + 2 * HOUR])
    assert {row.because.code for row in report.rows(Disposition.HELD)} == {Code.PACED}
    world.run(pipe, after=dt.timedelta(minutes=59))
    assert made(world) == ["a"]
    world.run(pipe, after=dt.timedelta(minutes=1))
    assert made(world) == ["a", "b"]
    world.run(pipe, after=HOUR)
    assert made(world) == ["a", "b", "c"]
    before = world.count()
    world.settle(pipe)
    assert world.count() == before


def test_a_record_is_written_again_only_after_its_cool_down_and_others_do_not_wait_for_it(both):
    world = both()
    pipe = paced(world, cooldown=2 * HOUR)
    [first] = people(world, "a")
    world.run(pipe)
    world.ma.edit(first, name="A")
    people(world, "b")
    report = world.run(pipe, after=HOUR)
    assert made(world) == ["a", "b"]
    assert turns(report) == [world.clock.now() + HOUR]
    world.run(pipe, after=HOUR)
    assert made(world) == ["A", "b"]


def test_a_cool_down_may_count_by_a_field(both):
    world = both()
    pipe = paced(world, cooldown=HOUR, by="city")
    people(world, "a", "b", city="Kobe")
    people(world, "c", city="Nara")
    people(world, "d", "e")
    world.run(pipe)
    assert made(world) == ["a", "c", "d", "e"]
    world.run(pipe, after=HOUR)
    assert made(world) == ["a", "c", "d", "e", "b"]


def test_at_most_so_many_are_written_in_a_japanese_day(both):
    world = both()
    pipe = paced(world, reservations=2)
    people(world, "a", "b", "c")
    report = world.run(pipe)
    assert made(world) == ["a", "b"]
    assert turns(report) == [dt.datetime(2026, 1, 5, 15, tzinfo=dt.UTC)]
    world.run(pipe, after=turns(report)[0] - world.clock.now())
    assert made(world) == ["a", "b", "c"]


def test_a_plan_tells_the_turns_and_counts_nothing(both):
    world = both()
    pipe = paced(world, spacing=HOUR)
    people(world, "a", "b")
    for _ in range(2):
        plan = world.plan(pipe)
        assert plan.totals.writes["crm", "create"] == 1
        assert "another one was done a short while ago; 2026-01-05" in str(plan)
    assert "最短で" in plan.say("ja")
    world.run(pipe)
    assert made(world) == ["a"]


@pytest.mark.parametrize("dies", range(1, 40, 2))
def test_a_process_that_dies_anywhere_lets_nothing_start_too_soon(worlds, dies):
    world = worlds()
    pipe = paced(world, spacing=HOUR)
    people(world, "a", "b")
    world.die(pipe, crash_after=dies)
    world.run(pipe, after=dt.timedelta(minutes=20))
    world.run(pipe, after=dt.timedelta(minutes=20))
    assert len(made(world)) <= 1
    for _ in range(5):
        world.run(pipe, after=HOUR)
    assert sorted(made(world)) == ["a", "b"]


def test_a_second_worker_on_the_same_file_keeps_the_pace(worlds, tmp_path):
    world = worlds(tmp_path)
    pipe = paced(world, spacing=HOUR)
    people(world, "a", "b")
    world.run(pipe)
    mine, world.store = world.store, SqliteStore(tmp_path / "state.db")
    world.run(pipe, after=dt.timedelta(minutes=30))
    people(world, "c")
    world.run(pipe, after=dt.timedelta(minutes=1))
    assert made(world) == ["a"]
    mine.close()


def test_a_two_way_pipeline_is_not_paced(world):
    with pytest.raises(UsageError, match="one way"):
        world.pipeline().paced(spacing=HOUR)
