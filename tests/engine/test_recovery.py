"""Answers that are missing, readings that are late, plans and what they leave alone."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import attrs
import pytest

from crmbridge import at, gates, one_way, pair, policies, read_only, two_way
from crmbridge.errors import CapabilityError, LeaseHeld, PairError, UsageError
from crmbridge.match import exact, key, level
from crmbridge.model import Disposition, FieldSpec, RecordRef
from crmbridge.reasons import Code
from crmbridge.stores.memory import MemoryStore
from crmbridge.testing.connector import described
from crmbridge.testing.faulty import Fault, FaultyConnector

MINUTE = dt.timedelta(minutes=1)


def test_a_create_sent_again_whose_answer_is_lost_too_stays_open(worlds, promises):
    world = worlds(capabilities=promises("A-key"))
    person = world.left(email="kim@x.example", name="Kim")
    world.crm.then(Fault.LOST_BEFORE, Fault.LATE)
    world.run()
    assert len([what for what in world.crm.requests if what == "create 1"]) == 2
    [intent] = world.store.outbox.unsettled("sync", 10)
    assert intent.doubt_since == world.clock.now()
    world.ma.edit(person, name="Newer")
    world.settle()
    assert world.ma.values(person)["name"] == "Newer"
    assert world.crm.values(world.counterpart(person))["Name"] == "Newer"
    assert len([past for past in world.crm.history if past.verb == "create"]) == 1


def test_the_settle_time_counts_from_the_take_over(worlds, promises):
    world = worlds(capabilities=promises("B"))
    world.left(email="kim@x.example", name="Kim")
    sent = next(number for number in range(1, 60) if _died_before_sending(world, number))
    assert world.die(crash_before=sent)
    world.clock.advance(3600)
    world.run()
    [intent] = world.store.outbox.unsettled("sync", 10)
    assert intent.doubt_since == world.clock.now()
    assert world.crm.rows("lead") == []
    world.settle()
    assert len(world.crm.rows("lead")) == 1


def _died_before_sending(world, number):
    twin = world.copy()
    twin.die(crash_before=number)
    return bool(twin.store.outbox.unsettled("sync", 1))


def test_without_conditional_writes_a_record_is_read_once_more_before_it_is_written(worlds, promises):
    world = worlds(capabilities=promises(conditional_writes=False))
    person, lead = world.pair()
    world.ma.edit(person, name="Park")
    requests = len(world.crm.requests)
    world.run()
    sent = world.crm.requests.index("update 1", requests)
    assert world.crm.requests[sent - 1] == "fetch"
    world.ma.edit(person, name="Lee")
    fetches = []

    def meanwhile(what):
        fetches.append(what)
        if what == "fetch" and fetches.count("fetch") == 2:
            world.crm.edit(lead, Name="Person")

    world.crm.meanwhile = meanwhile
    world.run()
    assert world.crm.history[-1].before["Name"] == "Person" or world.crm.values(lead)["Name"] == "Person"
    assert not any(past.unseen for past in world.crm.history)


def test_a_revived_record_is_made_under_a_key_of_its_own(worlds, promises):
    world = worlds(capabilities=promises("A-key"))
    pipe = world.pipeline(left="delete", right="delete", if_edited="revive")
    person, _ = world.pair(pipe)
    for name in ("once", "twice"):
        world.crm.remove(world.counterpart(person))
        world.ma.edit(person, name=name)
        world.settle(pipe)
    keys = [line.key for line in world.crm.ledger if line.verb == "create"]
    assert len(keys) == len(set(keys)) == 3
    assert [row["Name"] for row in world.crm.rows("lead")] == ["twice"]


def test_a_field_written_on_both_sides_is_agreed_when_both_have_answered(world):
    pipe = world.pipeline().fields(pair("tags", "Tags", policies.union))
    person, lead = world.pair(pipe, tags=("a",))
    world.ma.edit(person, tags=("a", "b"))
    world.crm.edit(lead, Tags=("a", "c"))
    world.crm.single = lambda action: Fault.REJECTED
    world.ma.single = lambda action: None
    world.run(pipe)
    [link] = world.links()
    place = link.left_agreed.fields.index("tags|Tags")
    assert (link.left_agreed.cells[place], link.right_agreed.cells[place]) == (("a",), ("a",))
    world.crm.single = lambda action: None
    world.ma.edit(person, city="Oita")
    world.settle(pipe)
    assert set(world.ma.values(person)["tags"]) == set(world.crm.values(lead)["Tags"]) == {"a", "b", "c"}


def test_class_c_searches_for_what_it_sent_and_not_for_the_comparison_key(worlds, promises):
    world = worlds(capabilities=promises("C"))
    person = world.left(email="KIM@x.example", name="Kim")
    world.crm.then(Fault.LOST_AFTER)
    world.run()
    world.settle()
    assert world.counterpart(person)
    assert world.parked() == []


def test_a_removed_record_that_was_linked_before_is_not_taken_for_the_copy_of_a_lost_create(worlds, promises):
    world = worlds(capabilities=promises("A-unique"))
    pipe = world.pipeline(left="delete", right="delete", if_edited="remove")
    person, lead = world.pair(pipe)
    world.ma.remove(person)
    world.run(pipe)
    again = world.left(email="kim@x.example", name="Again")
    world.crm.then(Fault.LATE)
    world.run(pipe)
    world.settle(pipe)
    assert world.ma.values(again)["name"] == "Again"
    assert world.counterpart(again) != lead


def test_a_copy_whose_origin_took_over_another_link_by_a_merge_is_a_surplus_copy(worlds, promises):
    world = worlds(capabilities=promises("B"))
    person, lead = world.pair()
    winner = world.right(Email="two@x.example", Name="Two")
    world.ma.then(Fault.LATE)
    world.run()
    world.crm.merge(lead, winner)
    world.run(after=10)
    world.settle()
    assert world.counterpart(winner) == person
    [surplus] = world.closed()
    assert (surplus.closed.code, surplus.closed.facts["record"]) == (Code.DUPLICATE_OF, f"{person.kind} {person.id}")
    assert len(world.ma.rows("person")) == 2


# -- late readings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["new", "edited", "removed"])
def test_what_the_feed_has_told_is_not_lost_when_reading_by_id_is_late(worlds, promises, change):
    lag = dt.timedelta(seconds=30)
    world = worlds(capabilities=promises(read_lag=lag))
    pipe = world.pipeline(right="delete")
    person, _ = world.pair(pipe)
    world.settle(pipe)
    world.ma._lags = type(world.ma._lags)(read=lag)
    world.clock.advance(600)
    if change == "new":
        world.left(email="new@x.example", name="New")
    elif change == "edited":
        world.ma.edit(person, name="Edited")
    else:
        world.ma.remove(person)
    world.run(pipe, after=1)
    assert [code for _, code, _ in world.parked()] == ["read_too_early"]
    world.settle(pipe)
    names = {"new": ["Kim", "New"], "edited": ["Edited"], "removed": []}[change]
    assert [row["Name"] for row in world.crm.rows("lead")] == names


def test_a_record_that_moved_on_is_looked_at_again_once_a_late_reading_can_show_it(worlds, promises):
    lag = dt.timedelta(seconds=30)
    world = worlds(capabilities=promises(read_lag=lag))
    person, lead = world.pair()
    world.settle()
    world.ma.edit(person, name="Park")

    def meanwhile(what):
        if what == "update 1":
            world.crm.meanwhile = lambda _: None
            world.crm.edit(lead, City="Kobe")

    world.crm.meanwhile = meanwhile
    world.run()
    rows = world.store.quarantine.rows("sync")
    assert {(row.state, row.because.code, row.until) for row in rows} == {
        ("held", Code.MOVED_ON, world.clock.now() + lag)
    }
    world.run(after=lag)
    assert (world.ma.values(person)["city"], world.crm.values(lead)["Name"]) == ("Kobe", "Park")


def test_a_busy_record_is_asked_again_after_half_a_minute_then_twice_as_long_and_at_most_a_quarter_of_an_hour(world):
    person, _ = world.pair()
    world.ma.edit(person, name="Park")
    world.crm.single = lambda action: Fault.BUSY
    waits = []
    for _ in range(8):
        world.run()
        [wait] = {row.until - world.clock.now() for row in world.store.quarantine.rows("sync")}
        waits.append(wait / dt.timedelta(seconds=1))
        world.clock.advance(wait)
    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]


@pytest.mark.parametrize("moves_on", [True, False])
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_pair_of_which_one_record_is_busy_waits_for_it_whatever_became_of_the_other_one(world, side, moves_on):
    pipe = world.pipeline().fields(pair("tags", "Tags", policies.union))
    person, lead = world.pair(pipe, tags=("a",))
    world.ma.edit(person, tags=("a", "b"))
    world.crm.edit(lead, Tags=("a", "c"))
    if side == "left":
        busy, other, moved = world.ma, world.crm, lambda: world.crm.edit(lead, Score="9")
    else:
        busy, other, moved = world.crm, world.ma, lambda: world.ma.edit(person, score="9")
    busy.requests.clear()
    busy.single = lambda action: Fault.BUSY
    if moves_on:
        other.meanwhile = lambda what: what == "update 1" and moved()
    world.run(pipe)
    assert [what for what in busy.requests if what.startswith("update")] == ["update 1"]
    assert {state for state, _, _ in world.parked()} == {"held"}
    busy.single = lambda action: None
    other.meanwhile = lambda what: None
    world.settle(pipe)
    assert set(world.ma.values(person)["tags"]) == set(world.crm.values(lead)["Tags"]) == {"a", "b", "c"}


# -- plans -------------------------------------------------------------------------------------------------


def busy_world(world):
    person, lead = world.pair()
    other = world.left(email="other@x.example", name="Other")
    world.run()
    world.ma.edit(person, city="Kobe")
    world.ma.remove(other)
    world.left(email="new@x.example", name="New")
    world.right(Email="right@x.example", Name="Right")
    return person, lead


@pytest.mark.parametrize("batch", [1, 2, 200])
def test_a_plan_writes_nothing_and_a_run_of_it_does_what_it_says(both, batch):
    world = both()
    pipe = world.pipeline(right="archive").batches(of=batch)
    busy_world(world)
    before = Counter(world.writes()), world.links(), len(world.ma.history) + len(world.crm.history)
    plan = world.plan(pipe)
    assert (Counter(world.writes()), world.links(), len(world.ma.history) + len(world.crm.history)) == before
    assert world.store.outbox.unsettled("sync", 10) == []
    planned = {(row.side, row.ref): row.disposition for row in plan.rows()}
    report = world.run(pipe, plan=plan)
    assert {(row.side, row.ref): row.disposition for row in report.rows()} == planned
    wrote = Counter(world.writes()) - before[0]
    assert wrote.pop(("crm", "delete")) == plan.totals.writes["crm", "archive"]
    assert wrote | {("crm", "archive"): 1} == plan.totals.writes


@pytest.mark.parametrize("batch", [1, 200])
def test_a_plan_counts_a_pair_once_however_many_rows_and_batches_bring_it_up(world, batch):
    person, lead = world.pair()
    world.run()
    world.ma.edit(person, city="Kobe")
    world.crm.edit(lead, Name="Park")
    plan = world.plan(world.pipeline().batches(of=batch))
    assert plan.totals.writes == {("crm", "update"): 1, ("ma", "update"): 1}


@pytest.mark.parametrize("batch", [1, 200])
def test_a_plan_disputes_the_second_claimant_as_the_run_does(world, batch):
    pipe = world.pipeline().batches(of=batch)
    for name in ("one", "two"):
        world.left(email="kim@x.example", name=name)
    world.right(Email="kim@x.example")
    planned = {row.ref: row.disposition for row in world.plan(pipe).rows()}
    run = {row.ref: row.disposition for row in world.run(pipe).rows()}
    assert planned == run


def test_what_has_moved_since_a_plan_was_made_is_stale_and_not_written(both):
    world = both()
    person, lead = busy_world(world)
    plan = world.plan()
    world.ma.edit(person, city="Nara")
    report = world.run(plan=plan)
    assert world.crm.values(lead)["City"] == "Tokyo"
    [stale] = [row for row in report.rows() if row.because.code is Code.STALE_PLAN]
    assert stale.ref == person
    world.settle()
    assert world.crm.values(lead)["City"] == "Nara"


def test_a_plan_settles_doubts_by_reading_and_sends_nothing_again(worlds, promises):
    world = worlds(capabilities=promises("A-key"))
    world.left(email="kim@x.example", name="Kim")
    world.crm.then(Fault.LOST_BEFORE)
    world.run()
    sent = [what for what in world.crm.requests if what.startswith("create")]
    world.clock.advance(3600)
    world.plan()
    assert [what for what in world.crm.requests if what.startswith("create")] == sent


# -- one way, and what cannot work ------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["asked", "indexed"])
def test_one_way_finds_its_counterpart_by_the_vendors_search_or_by_the_directory(world, by):
    end = world.pipeline().definition
    world.crm._capabilities = attrs.evolve(world.crm._capabilities, finds_by=frozenset({"Email"}))
    pipe = (
        one_way("sync", end.left, end.right)
        .match(level("email", key("email", "Email", exact if by == "asked" else str.lower)))
        .fields(pair("email", "Email"), pair("name", "Name"))
    )
    lead = world.right(Email="kim@x.example", City="Kobe")
    person = world.left(email="kim@x.example", name="Kim")
    world.run(pipe)
    assert world.counterpart(person) == lead
    assert ("find" in world.crm.requests) == (by == "asked")
    assert ("read" in world.crm.requests) == (by == "indexed")
    world.crm.edit(lead, Name="Edited")
    world.ma.edit(person, city="Oita")
    world.settle(pipe)
    assert world.ma.values(person)["name"] == "Kim"
    assert world.crm.values(lead)["Name"] == "Edited"
    world.ma.edit(person, name="Park")
    world.run(pipe)
    assert world.crm.values(lead)["Name"] == "Park"


def ends(world):
    definition = world.pipeline().definition
    return definition.left, definition.right


def test_an_unknown_field_is_refused_before_anything_is_read_with_the_nearest_name(world):
    pipe = two_way("sync", *ends(world)).fields(pair("nmae", "Name", policies.left_wins))
    with pytest.raises(PairError, match="did you mean 'name'"):
        world.run(pipe)
    assert "read" not in world.ma.requests


def test_a_read_only_target_is_refused_with_the_remedy_and_may_be_paired_as_read_only():
    world_now = lambda: dt.datetime(2026, 1, 5, tzinfo=dt.UTC)  # noqa: E731 - a clock that stands
    left = FaultyConnector(
        "ma", described("person", FieldSpec("name"), FieldSpec("score", read_only=True)), now=world_now
    )
    right = FaultyConnector("crm", described("lead", FieldSpec("Name"), FieldSpec("Score")), now=world_now)
    pipe = two_way("t", at(left, "person"), at(right, "lead")).remember(MemoryStore())
    with pytest.raises(PairError, match="read_only"):
        pipe.fields(pair("score", "Score", policies.left_wins)).run()
    pipe.fields(pair(read_only("score"), "Score", policies.left_wins)).run()
    pipe.fields(pair("score", "Score", policies.left_always)).run()


def test_a_two_way_pair_without_a_policy_and_a_field_paired_twice_are_refused(world):
    pipe = two_way("sync", *ends(world))
    with pytest.raises(PairError, match="names no policy"):
        pipe.fields(pair("name", "Name"))
    with pytest.raises(PairError, match="paired twice"):
        pipe.fields(pair("name", "Name"), pair("name", "City"), policy=policies.left_wins)


def test_what_a_connector_does_not_claim_is_refused_before_the_first_request(worlds, promises):
    world = worlds(capabilities=promises(archives=False))
    with pytest.raises(CapabilityError, match="archive"):
        world.run(world.pipeline(right="archive"))
    assert world.crm.requests == []


def test_a_pipeline_needs_a_store_and_one_way_never_writes_its_source(world):
    with pytest.raises(UsageError, match="remember"):
        two_way("sync", *ends(world)).run()
    with pytest.raises(UsageError, match="never writes"):
        one_way("sync", *ends(world)).creates(left=True, right=True)
    with pytest.raises(UsageError, match="never writes"):
        one_way("sync", *ends(world)).deletes(left="delete")


def test_a_second_run_stays_out_while_the_first_holds_the_lease_and_takes_over_after(both):
    world = both()
    world.left(email="kim@x.example", name="Kim")
    assert world.die(crash_after=5)
    with pytest.raises(LeaseHeld):
        world.run()
    world.settle()
    assert len(world.crm.rows("lead")) == 1


def test_a_create_that_a_gate_refuses_is_skipped_with_the_gates_name(world):
    pipe = world.pipeline().gate(gates.filled("score"), before="creating", towards="right")
    ref = world.left(email="kim@x.example", name="Kim")
    [row] = world.run(pipe).rows(Disposition.SKIPPED)
    assert (row.ref, row.because.facts) == (ref, {"gate": "filled", "field": "score"})
    assert isinstance(row.ref, RecordRef)


@pytest.mark.parametrize(("fault", "leads"), [(Fault.LOST_BEFORE, 0), (Fault.LOST_AFTER, 1)])
def test_a_lost_create_that_nothing_can_be_looked_up_by_is_left_to_a_person(fault, leads, worlds, promises):
    world = worlds(capabilities=promises("B", create_key=None, settles_in=dt.timedelta(0)))
    person = world.left(email="kim@x.example", name="Kim")
    world.crm.then(fault)
    world.settle()
    assert len(world.crm.rows("lead")) == leads
    assert ("quarantined", "in_doubt", person.id) in world.parked()


def test_a_deletion_that_the_other_side_refused_is_not_tried_again_each_time_the_feed_repeats_it(worlds, promises):
    world = worlds(capabilities=promises(overlap=MINUTE))
    pipe = world.pipeline(left="archive")
    person, lead = world.pair(pipe)
    world.crm.remove(lead)
    world.ma.single = lambda action: Fault.REJECTED
    world.settle(pipe)
    assert [what for what in world.ma.requests if what.startswith("archive")] == ["archive 1"]
    assert ("quarantined", "refused_by_system", lead.id) in world.parked()
    assert sum(world.run(pipe).counts.values()) == 2
    world.ma.single = lambda action: None
    world.ready(pipe).retry([lead])
    assert world.ma.record(person) is None


def without_a_mark(promises, create):
    """Promises of a system that keeps no key of ours: it is known by the e-mail address alone."""
    more = {"create_key": None, "finds_by": frozenset({"email", "Email"})} if create != "A-unique" else {}
    return promises(create, **more)


@pytest.mark.parametrize("create", ["A-unique", "B", "C"])
@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.LOST_AFTER])
def test_a_record_that_was_removed_long_before_is_not_taken_for_our_copy(both, promises, create, fault):
    world = both(capabilities=without_a_mark(promises, create))
    pipe = world.pipeline(left="delete", right="delete")
    old = world.right(Email="kim@x.example", Name="Old")
    world.crm.remove(old)
    world.clock.advance(86_400)
    person = world.left(email="kim@x.example", name="Kim")
    world.crm.then(fault)
    world.run(pipe)
    world.settle(pipe)
    assert world.ma.values(person)["name"].lower() == "kim"
    live = world.crm.rows("lead")
    assert [row["Name"].lower() for row in live] in ([["kim"]] if create != "C" or fault is Fault.LOST_AFTER else [[]])
    assert world.parked() == ([] if live else [("quarantined", "in_doubt", person.id)])


@pytest.mark.parametrize("create", ["A-unique", "B", "C"])
def test_a_record_that_was_merged_into_one_whose_create_is_in_doubt_makes_no_second_copy(both, promises, create):
    world = both(capabilities=without_a_mark(promises, create))
    pipe = world.pipeline(left="delete", right="delete")
    lead = world.right(Email="kim@x.example", Name="Kim")
    world.ma.then(Fault.LATE)
    world.run(pipe)
    other = world.right(Email="lee@x.example", Name="Lee")
    world.ma.single = lambda _: Fault.REJECTED
    world.run(pipe, after=1)
    world.ma.single = lambda _: None
    world.crm.merge(other, lead)
    world.run(pipe, after=1)
    world.settle(pipe)
    assert [past.origin for past in world.ma.history if past.verb == "create"] == [lead]
    assert world.crm.values(lead)["Name"] == world.ma.values(world.counterpart(lead))["name"].title()
