"""A paced pipeline: what may not be written yet is held until its turn, across runs, crashes and workers."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmbridge import at, one_way, pair
from crmbridge.errors import UsageError
from crmbridge.match import key, level
from crmbridge.model import Disposition
from crmbridge.reasons import Code
from crmbridge.stores.sqlite import SqliteStore
from crmbridge.wording import say

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


# -- who is served first --------------------------------------------------------------------


@pytest.mark.parametrize("batch", [1, 2, 100])
def test_a_new_record_is_made_while_others_keep_being_edited(both, batch):
    world = both()
    pipe = paced(world, spacing=HOUR).batches(of=batch)
    old = people(world, "a", "b")
    for _ in range(3):
        world.run(pipe, after=HOUR)
    world.ma.edit(old[1], name="before")
    people(world, "new")
    for hour in range(4):
        world.run(pipe, after=HOUR)
        world.ma.edit(old[hour % 2], name=str(hour))
    assert "new" in made(world)


def test_a_record_that_keeps_being_edited_while_it_waits_keeps_its_place(both):
    world = both()
    pipe = paced(world, spacing=HOUR)
    people(world, "a")
    [waiting] = people(world, "new")
    turn = world.clock.now() + HOUR
    for hour in range(3):
        people(world, f"later{hour}")
        report = world.run(pipe, after=dt.timedelta(minutes=5))
        world.ma.edit(waiting, city=str(hour))
        if hour:
            [told] = [row for row in report.rows(Disposition.HELD) if row.ref == waiting]
            assert told.because.facts["until"] <= turn + dt.timedelta(minutes=5)
    world.run(pipe, after=3 * HOUR)
    assert made(world) == ["a", "new"]


def test_removals_that_come_every_hour_leave_a_turn_to_who_came_before_them(both):
    world = both()
    pipe = paced(world, spacing=HOUR).deletes(right="delete").batches(of=1)
    old = people(world, *"abcd")
    for _ in old:
        world.run(pipe, after=HOUR)
    people(world, "new")
    for gone in old[:3]:
        world.ma.remove(gone)
        world.run(pipe, after=HOUR)
    assert "new" in made(world)


# -- the times that are told ----------------------------------------------------------------


def test_a_turn_is_told_behind_those_who_were_told_theirs_by_earlier_runs(both):
    world = both()
    pipe = paced(world, spacing=HOUR)
    begun = world.clock.now()
    people(world, "a", "b", "c")
    world.run(pipe)
    people(world, "d")
    for plan in (world.plan(pipe), world.run(pipe, after=dt.timedelta(minutes=30))):
        assert turns(plan) == [begun + 3 * HOUR]


@given(
    st.lists(st.lists(st.tuples(st.sampled_from("nedw"), st.integers(0, 9)), max_size=3), min_size=4, max_size=10),
    st.sampled_from([{"spacing": HOUR}, {"reservations": 1, "window": HOUR}, {"spacing": HOUR, "cooldown": 3 * HOUR}]),
    st.sampled_from([1, 3, 100]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_time_that_was_told_is_kept_by_the_run_that_comes_then(worlds, hours, how, batch):
    """Whatever is made, edited (also while it waits) and removed by the hour: no time that was told moves back."""
    world = worlds()
    pipe = paced(world, **how).deletes(right="delete").batches(of=batch)
    known, told, names = people(world, "a", "b"), {}, itertools.count()
    for hour, done in enumerate(hours):
        for what, which in done:
            if what == "n" or not known:
                known.extend(people(world, f"{next(names)}"))
            elif what == "d":
                gone = known.pop(which % len(known))
                world.ma.remove(gone)
                told.pop(gone, None)
            else:
                waiting = [ref for ref in known if ref in told] if what == "w" else []
                chosen = waiting or known
                world.ma.edit(chosen[which % len(chosen)], name=f"{hour} {which}")
        report = world.run(pipe, after=HOUR)
        now = {row.ref: row.because.facts["until"] for row in report.rows(Disposition.HELD)}
        assert all(until <= told.get(ref, until) for ref, until in now.items())
        written = {ref for row in report.rows(Disposition.APPLIED) for ref in (row.ref, row.counterpart)}
        due = {ref for ref, until in told.items() if until <= world.clock.now()}
        assert due <= written | {row.ref for row in report.rows() if row.disposition is Disposition.UNCHANGED}
        told = {ref: until for ref, until in {**told, **now}.items() if ref not in due and ref not in written}


def test_whoever_waits_behind_a_hundred_is_told_that_it_may_be_later(world):
    pipe = paced(world, spacing=HOUR)
    begun = world.clock.now()
    people(world, *(str(number) for number in range(150)))
    report = world.run(pipe)
    told = [row.because for row in report.rows(Disposition.HELD)]
    assert [why.facts["until"] for why in told] == [begun + min(turn, 101) * HOUR for turn in range(1, 150)]
    assert [why.facts.get("waiting") for why in told] == [None] * 100 + list(range(100, 149))
    assert say(told[99]).endswith("is the earliest time.")
    assert say(told[-1]).endswith("is the earliest time, and it may be later: 148 wait before it.")
    assert "先に148件が待っているため" in say(told[-1], "ja")


def test_a_cool_down_by_a_field_tells_that_those_who_wait_may_share_it(world):
    pipe = paced(world, cooldown=HOUR, by="city")
    people(world, "a", "b", city="Kobe")
    world.run(pipe)
    people(world, "c", city="Kobe")
    [told] = [row.because.facts for row in world.run(pipe).rows(Disposition.HELD)]
    assert told["waiting"] == 1


# -- undo -----------------------------------------------------------------------------------


def test_an_undo_keeps_the_pace_and_running_its_plan_again_takes_back_what_had_no_turn(both):
    world = both()
    pipe = paced(world, reservations=3)
    people(world, *"abcde")
    undo = world.ready(pipe).undo(world.run(pipe))
    assert undo.totals.writes == {("crm", "archive"): 3}
    midnight = dt.datetime(2026, 1, 5, 15, tzinfo=dt.UTC)
    assert turns(world.run(pipe, plan=undo)) == [midnight] * 3
    assert made(world) == ["a", "b", "c"]
    world.clock.advance(midnight - world.clock.now())
    assert world.run(pipe, plan=undo).writes == 3
    assert made(world) == []
    assert turns(world.run(pipe)) == [midnight + dt.timedelta(days=1)] * 2
    assert world.run(pipe, plan=undo).writes == 0


def test_an_undo_goes_before_those_who_wait_for_a_turn(world):
    pipe = paced(world, spacing=HOUR)
    people(world, *"abc")
    undo = world.ready(pipe).undo(world.run(pipe))
    assert world.run(pipe, plan=undo, after=HOUR).writes == 1
    assert turns(world.run(pipe)) == [world.clock.now() + HOUR]
    assert turns(world.run(pipe, after=HOUR)) == [world.clock.now() + HOUR]
    assert made(world) == ["b"]


@pytest.mark.parametrize("by", [None, "city"])
def test_what_is_undone_counts_for_the_cool_down_of_its_left_record(world, by):
    pipe = paced(world, cooldown=2 * HOUR, by=by)
    people(world, "a", city="Kobe")
    undo = world.ready(pipe).undo(world.run(pipe))
    begun = world.clock.now()
    assert turns(world.run(pipe, plan=undo, after=HOUR)) == [begun + 2 * HOUR]


def test_a_two_way_pipeline_is_not_paced(world):
    with pytest.raises(UsageError, match="one way"):
        world.pipeline().paced(spacing=HOUR)
