"""History that is kept for a while: old runs go, whole, and nothing that keeps a record from being made twice."""

import datetime as dt

import pytest

from crmbridge import Disposition, at, events, pair
from crmbridge.errors import PlanRefused, StateError, UsageError
from crmbridge.model import FieldSpec
from crmbridge.reasons import Code
from crmbridge.stores import MemoryStore
from crmbridge.testing.connector import FakeConnector, described
from crmbridge.testing.faulty import Fault
from crmbridge.testing.sim import ManualClock, SimDriver

DAY = dt.timedelta(days=1)


def thirty(world, **how):
    """Keep history for thirty days."""
    return world.pipeline(**how).retain(days=30)


def edited(world, pipe, name):
    """Let a person edit a name, carry it over, and give the report."""
    [link] = world.links()
    world.ma.edit(link.left, name=name)
    return world.run(pipe, after=DAY)


def history(world, ref):
    return [row.verb for row in world.store.journal.of("sync", ref)]


def test_what_is_older_than_it_is_kept_goes_at_the_end_of_a_run(both):
    world = both()
    pipe = thirty(world)
    person, lead = world.pair(pipe)
    edited(world, pipe, "Park")
    assert history(world, person) == ["create", "update"]
    world.run(pipe, after=29 * DAY)
    assert history(world, person) == ["create", "update"], "nothing is older than thirty days"
    world.run(pipe, after=DAY)
    assert history(world, person) == ["update"]
    world.run(pipe, after=2 * DAY)
    assert history(world, person) == []
    assert [step.what for step in world.ready(pipe).why(person).steps] == ["gone", "linked"]
    assert world.crm.values(lead)["Name"] == "Park"


def test_without_a_limit_history_is_kept_for_ever(world):
    person, _ = world.pair()
    world.run(after=9999 * DAY)
    assert history(world, person) == ["create"]
    assert world.store.journal.kept_since("sync") is None


@pytest.mark.parametrize("days", [0, -1, float("nan")])
def test_history_is_kept_for_some_time_at_least(world, days):
    with pytest.raises(UsageError, match="more than 0"):
        world.pipeline().retain(days=days)


def test_a_plan_removes_nothing(world):
    pipe = thirty(world)
    person, _ = world.pair(pipe)
    world.clock.advance(99 * DAY)
    world.plan(pipe)
    assert history(world, person) == ["create"]


def test_why_says_that_older_history_is_gone_in_both_languages(both):
    world = both()
    pipe = thirty(world)
    person, lead = world.pair(pipe)
    world.run(pipe, after=31 * DAY)
    edited(world, pipe, "Park")
    why = world.ready(pipe).why(lead)
    assert why.steps[0].because.code is Code.HISTORY_GONE
    assert [row.verb for row in why] == ["update"]
    assert "Older history is not kept: what was decided and written before" in why.say("en")
    assert "古い履歴は保存されていません" in why.say("ja")
    assert world.ready(pipe).why(person, "Name").steps[0].what == "gone"


def test_an_undo_of_a_run_that_is_gone_is_refused_and_one_that_is_kept_is_not(both):
    world = both()
    pipe = thirty(world)
    person = world.left(email="kim@x.example", name="Kim")
    first = world.run(pipe)
    lead = world.counterpart(person)
    world.run(pipe, after=20 * DAY)
    second = edited(world, pipe, "Park")
    world.run(pipe, after=15 * DAY)
    with pytest.raises(UsageError, match=rf"{first.run}' any more, if it ever did: .* nothing is kept \(retain\)"):
        world.ready(pipe).undo(first)
    plan = world.ready(pipe).undo(second)
    assert plan.totals.writes == {("crm", "update"): 1}
    world.ready(pipe).run(plan)
    assert world.crm.values(lead)["Name"] == "Kim"


def test_an_undo_of_a_run_that_wrote_nothing_is_empty_whatever_is_kept(both):
    world = both()
    pipe = thirty(world)
    world.pair(pipe)
    idle = world.run(pipe)
    world.run(pipe, after=31 * DAY)
    assert list(world.ready(pipe).undo(idle).rows()) == []
    with pytest.raises(UsageError, match="if it ever did"):
        world.ready(pipe).undo(idle.run)


@pytest.mark.parametrize("kind", ["plan", "undo"])
def test_an_approved_plan_that_is_gone_is_refused(both, kind):
    world = both()
    pipe = thirty(world)
    world.pair(pipe)
    report = edited(world, pipe, "Park")
    [link] = world.links()
    if kind == "plan":
        world.ma.edit(link.left, name="Choi")
    plan = world.plan(pipe) if kind == "plan" else world.ready(pipe).undo(report)
    assert plan.totals.writes
    world.run(pipe, after=31 * DAY)
    writes = world.count()
    with pytest.raises(PlanRefused, match=r"unless it is from before .* \(retain\)"):
        world.run(pipe, plan=plan)
    assert world.count() == writes


# -- what has no age ---------------------------------------------------------------------------------


def test_a_record_whose_counterpart_was_removed_is_never_made_again_however_long_ago(both):
    world = both()
    pipe = thirty(world)
    person, lead = world.pair(pipe)
    world.crm.remove(lead)
    world.run(pipe, after=DAY)
    world.run(pipe, after=400 * DAY)
    world.ma.edit(person, name="Park")
    world.settle(pipe)
    assert world.crm.rows("lead") == []


def test_a_record_that_was_undone_is_never_made_again_however_long_ago(both):
    world = both()
    pipe = thirty(world)
    person = world.left(email="kim@x.example", name="Kim")
    report = world.run(pipe)
    ready = world.ready(pipe)
    ready.run(ready.undo(report))
    world.run(pipe, after=400 * DAY)
    world.ma.edit(person, name="Park")
    world.settle(pipe)
    assert world.crm.rows("lead") == []


def test_edits_cross_as_ever_when_the_history_of_a_pair_is_gone(both):
    world = both()
    pipe = thirty(world)
    person, lead = world.pair(pipe)
    world.run(pipe, after=400 * DAY)
    writes = world.count()
    world.settle(pipe)
    assert world.count() == writes
    world.crm.edit(lead, City="Nara")
    world.settle(pipe)
    assert (world.ma.values(person)["city"], world.count()) == ("Nara", writes + 1)


def test_a_dispute_waits_for_a_person_however_long(both):
    world = both()
    pipe = thirty(world)
    world.right(Email="kim@x.example", Name="one")
    world.right(Email="kim@x.example", Name="two")
    person = world.left(email="kim@x.example", name="Kim")
    world.run(pipe.creates(left=False, right=True))
    disputed = world.parked()
    assert {state for state, *_ in disputed} == {"disputed"}
    world.run(pipe.creates(left=False, right=True), after=400 * DAY)
    assert world.parked() == disputed
    assert world.ready(pipe).why(person).steps[-1].what == "parked"


@pytest.mark.parametrize("create", ["B", "C"])
def test_a_create_without_an_answer_is_looked_up_however_long_ago(worlds, promises, create):
    world = worlds(capabilities=promises(create))
    pipe = thirty(world)
    world.left(email="old@x.example", name="old")
    world.run(pipe)
    world.left(email="kim@x.example", name="Kim")
    world.crm.then(Fault.LOST_AFTER)
    world.run(pipe, after=DAY)
    world.run(pipe, after=400 * DAY)
    world.settle(pipe)
    assert sorted(row["Name"] for row in world.crm.rows("lead")) == ["Kim", "old"]


def test_an_event_that_is_delivered_again_makes_nothing_however_long_ago():
    clock, store = ManualClock(), MemoryStore()
    web = FakeConnector("web", described("post", FieldSpec("mail")), now=clock.now)
    crm = FakeConnector("crm", described("task", FieldSpec("Mail")), now=clock.now)
    pipe = events("posts", at(web, "post"), at(crm, "task")).fields(pair("mail", "Mail")).retain(days=30)
    pipe = pipe.remember(store).using(SimDriver(clock=clock))
    pipe.enable()
    post = web.put("post", mail="kim@x.example")
    assert pipe.run().writes == 1
    clock.advance(400 * DAY)
    pipe.run()
    assert list(store.journal.of("posts", post)) == []
    web.edit(post, mail="kim@y.example")
    clock.advance(DAY)
    pipe.run()
    assert len(crm.rows("task")) == 1


# -- many rows, crashes, trouble -----------------------------------------------------------------


class Counting(MemoryStore):
    """Counts the commits that remove history."""

    removals = 0

    def commit(self, pipeline, delta, fence):
        self.removals += delta.kept_since is not None
        super().commit(pipeline, delta, fence)


def test_much_history_goes_in_several_commits(worlds):
    world = worlds(store=Counting())
    pipe = thirty(world)
    for number in range(2_500):
        world.left(email=f"p{number}@x.example", name="Kim")
    report = world.run(pipe)
    world.run(pipe, after=31 * DAY)
    assert world.store.removals >= 3
    assert list(world.store.journal.run(report.run)) == []
    assert world.store.outbox.counts(report.run) == {}
    assert world.store.links.count("sync") == 2_500


@pytest.mark.parametrize("when", ["crash_before", "crash_after"])
def test_a_crash_at_any_point_leaves_no_run_that_is_undone_by_half(worlds, when, monkeypatch):
    monkeypatch.setattr("crmbridge.stores._memory.retaining.OLD_ROWS", 3)
    died, crash = True, 1
    while died:
        world = worlds()
        pipe = thirty(world)
        for number in range(4):
            world.left(email=f"p{number}@x.example", name="Kim")
        report = world.run(pipe)
        world.clock.advance(31 * DAY)
        died = world.die(pipe, **{when: crash})
        crash += 1
        world.clock.advance(DAY)
        try:
            plan = world.ready(pipe).undo(report)
        except UsageError:
            assert world.store.journal.kept_since("sync") is not None
        else:
            assert plan.totals.writes == {("crm", "archive"): 4}
        world.run(pipe, after=DAY)
        assert not world.store.journal.ended_before("sync", world.clock.now() - 30 * DAY)
        assert len(world.links()) == len(world.crm.rows("lead")) == 4
    assert crash > 8


def test_a_store_that_fails_while_history_goes_has_all_that_was_written(world):
    class Full(MemoryStore):
        def commit(self, pipeline, delta, fence):
            if delta.kept_since is not None:
                raise StateError("the disk is full")
            super().commit(pipeline, delta, fence)

    world.store = Full()
    pipe = thirty(world)
    _, lead = world.pair(pipe)
    world.clock.advance(40 * DAY)
    with pytest.raises(StateError):
        edited(world, pipe, "Park")
    assert world.crm.values(lead)["Name"] == "Park"
    writes = world.count()
    world.store.__class__ = MemoryStore
    world.settle(pipe)
    assert world.count() == writes


def test_history_goes_with_what_is_due_too(world):
    pipe = thirty(world)
    person, _ = world.pair(pipe)
    world.clock.advance(31 * DAY)
    world.ready(pipe).drain()
    assert history(world, person) == []


def test_a_report_of_a_run_that_is_gone_still_has_its_counts(world):
    pipe = thirty(world)
    world.pair(pipe)
    report = edited(world, pipe, "Park")
    assert len(list(report.rows(Disposition.APPLIED))) == 1
    world.run(pipe, after=40 * DAY)
    assert list(report.rows()) == []
    assert report.counts[Disposition.APPLIED] == 1
