"""What becomes of a write whose answer was lost: field by field, however the records and the rules moved meanwhile."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest

from crmbridge import at, key, level, pair, policies, two_way
from crmbridge.codecs import choices
from crmbridge.model import Create, Disposition, RecordRef
from crmbridge.notify import Collecting
from crmbridge.reasons import Code
from crmbridge.testing.faulty import Fault, Lags


class Diary:
    def __init__(self):
        self.told = []

    def saw(self, event):
        self.told.append((event.name, dict(event.facts)))


def lost_update(world, fault=Fault.LOST_AFTER, **values):
    """Link two records, and lose the answer to an update of the right one."""
    person, lead = world.pair()
    world.clock.advance(60)
    world.crm.then(fault)
    world.ma.edit(person, **(values or {"name": "Park", "city": "Kobe"}))
    return person, lead, world.run()


def recovered(world, lead):
    return [row for row in world.ready().why(lead) if row.because.code in {Code.RECOVERED, Code.RECOVERED_CONFLICT}]


def test_a_run_tells_of_the_promises_that_it_takes_over(world):
    world.left(email="kim@x.example", name="Kim")
    for number in range(1, 60):
        twin = world.copy()
        twin.die(crash_before=number)
        if twin.store.outbox.unsettled("sync", 1):
            break
    diary = Diary()
    twin.clock.advance(3600)
    twin.ready().observed(diary).run()
    assert ("took_over", {"intents": 1}) in diary.told
    diary.told.clear()
    twin.ready().observed(diary).run()
    assert "took_over" not in dict(diary.told)


def test_a_create_of_class_c_is_looked_for_once_it_has_settled_and_the_search_can_show_it(worlds, promises):
    settles, lags = dt.timedelta(seconds=60), dt.timedelta(seconds=120)
    world = worlds(capabilities=promises("C", settles_in=settles, index_lag=lags))
    person = world.left(email="kim@x.example", name="Kim")
    world.crm.then(Fault.LOST_AFTER)
    world.run()
    world.run(after=settles + lags - dt.timedelta(seconds=1))
    assert "find" not in world.crm.requests
    world.run(after=1)
    assert "find" in world.crm.requests
    assert world.counterpart(person)


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.LOST_AFTER])
def test_a_record_that_was_removed_while_its_update_was_in_doubt_ends_the_doubt(world, fault):
    _, lead, _ = lost_update(world, fault)
    world.crm.remove(lead)
    world.settle()
    assert world.store.outbox.unsettled("sync", 10) == []
    [link] = world.closed()
    assert link.right == lead


def test_a_pair_that_is_gone_from_the_rules_has_no_say_about_a_lost_update(world):
    _, lead, _ = lost_update(world)
    rules = world.pipeline().definition
    without = tuple(one for one in rules.fields if one.label != "name|Name")
    assert len(without) == 2
    world.settle(attrs.evolve(world.pipeline(), definition=attrs.evolve(rules, fields=without)))
    assert world.store.outbox.unsettled("sync", 10) == []
    assert [row.because.code for row in recovered(world, lead)] == [Code.RECOVERED]


def test_a_field_that_a_person_put_back_does_not_keep_the_others_from_being_known(world):
    _, lead, _ = lost_update(world)
    world.crm.edit(lead, Name="Kim")
    world.run(after=3600)
    assert [row.because.code for row in recovered(world, lead)] == [Code.RECOVERED]
    [link] = world.links()
    assert link.right_agreed.cells[link.right_agreed.fields.index("city|City")] == "Kobe"


def test_a_write_beside_a_persons_own_is_not_taken_for_the_last_one(world):
    _, lead, _ = lost_update(world)
    world.clock.advance(60)
    world.crm.edit(lead, Name="Choi")
    persons = world.crm.record(lead).stamp
    world.run(after=3600)
    assert [row.because.code for row in recovered(world, lead)] == [Code.RECOVERED_CONFLICT]
    [link] = world.links()
    assert link.right_agreed.own_stamp != persons


def test_a_recovered_write_is_told_under_the_run_that_sent_it(world):
    _, lead, sent = lost_update(world)
    world.settle()
    assert [row.run for row in recovered(world, lead)] == [sent.run]


def test_a_recovered_copy_is_told_under_the_run_that_sent_it(worlds, promises):
    world = worlds(capabilities=promises("B"))
    person = world.left(email="kim@x.example", name="Kim")
    world.crm.then(Fault.LOST_AFTER)
    sent = world.run()
    world.settle()
    assert [row.run for row in recovered(world, world.counterpart(person))] == [sent.run]


def test_an_update_that_surely_did_not_arrive_ends_its_doubt_and_is_decided_anew(world):
    _, lead, _ = lost_update(world, Fault.LOST_BEFORE)
    world.run(after=3600)
    assert in_doubt(world) == 0
    assert recovered(world, lead) == []
    assert world.crm.values(lead)["Name"] == "Park"


def test_a_lost_update_that_its_system_stored_in_another_form_does_not_come_back(worlds):
    world = worlds(normalising=True)
    person, lead, _ = lost_update(world, name="LEE PARK")
    world.settle()
    assert world.crm.values(lead)["Name"] == "Lee Park"
    assert world.ma.values(person)["name"] == "LEE PARK"
    assert world.writes() == [("crm", "create"), ("crm", "update")]


def test_a_lost_update_of_a_system_that_names_no_versions_is_known_for_our_own_write(worlds, promises):
    world = worlds(capabilities=promises(conditional_writes=False, answers_with_stored=False))
    told = world.crm._as_rows
    world.crm._as_rows = lambda *what: attrs.evolve(told(*what), versions=())
    person, lead, _ = lost_update(world)
    world.settle()
    assert [row.because.code for row in recovered(world, lead)] == [Code.RECOVERED]
    assert world.writes() == [("crm", "create"), ("crm", "update")]
    assert world.crm.values(lead)["Name"] == world.ma.values(person)["name"] == "Park"


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.LATE])
@pytest.mark.parametrize("how", ["archive", "delete"])
def test_a_removal_whose_answer_was_lost_ends_with_the_record_gone_and_no_doubt(both, fault, how):
    world = both()
    pipe = world.pipeline(right=how)
    person, lead = world.pair(pipe)
    world.ma.remove(person)
    world.crm.then(fault)
    world.run(pipe)
    assert in_doubt(world) == 1
    world.settle(pipe)
    assert world.crm.rows("lead") == []
    assert (in_doubt(world), world.parked(), world.links()) == (0, [], [])
    assert [past.verb for past in world.crm.history if past.ref == lead] == ["create", "delete"]


# -- creates ------------------------------------------------------------------------------------------------


def lost_create(world, fault=Fault.LOST_AFTER, **values):
    """Lose the answer to the create of a right record."""
    person = world.left(**(values or {"email": "kim@x.example", "name": "Kim"}))
    world.crm.then(fault)
    world.run()
    return person


def in_doubt(world):
    return len(world.store.outbox.unsettled("sync", 10))


@pytest.mark.parametrize("create", ["A-key", "A-unique", "B", "C"])
def test_a_copy_that_was_removed_before_anybody_looked_is_found_and_not_made_again(worlds, promises, create):
    world = worlds(capabilities=promises(create))
    world.left(email="kim@x.example", name="Kim")
    world.crm.then(Fault.LOST_AFTER)
    world.crm.meanwhile = lambda what: what.startswith("find") and remove_all(world)
    world.settle()
    assert [past.verb for past in world.crm.history] == ["create", "delete"]
    assert "in_doubt" not in [code for _, code, _ in world.parked()]


def remove_all(world):
    for row in world.crm.rows("lead"):
        world.crm.remove(RecordRef("crm", "lead", row["id"]))


@pytest.mark.parametrize("create", ["A-unique", "C"])
def test_what_is_there_is_taken_for_the_copy_before_what_was_removed_earlier(worlds, promises, create):
    world = worlds(capabilities=promises(create))
    older = world.right(Email="kim@x.example", Name="Older")
    world.crm.remove(older)
    person = world.left(email="kim@x.example", name="Kim")
    world.crm.then(Fault.LOST_AFTER)
    world.settle()
    [lead] = world.crm.rows("lead")
    assert world.counterpart(person).id == lead["id"]
    assert world.crm.values(world.counterpart(person))["Name"] == "Kim"


def test_a_copy_that_its_system_stored_in_another_form_is_known_for_our_own_write(worlds, promises):
    world = worlds(capabilities=promises("B"), normalising=True)
    lost_create(world, email="Kim@X.example", name="KIM PARK")
    diary = Diary()
    world.clock.advance(3600)
    world.ready().observed(diary).run()
    world.settle()
    assert ("adopted", {"system": "crm", "kind": "lead"}) in diary.told
    assert world.writes() == [("crm", "create")]
    assert [row["name"] for row in world.ma.rows("person")] == ["KIM PARK"]


def test_a_create_of_class_b_is_looked_for_as_soon_as_it_has_settled(worlds, promises):
    settles, lags = dt.timedelta(seconds=60), dt.timedelta(seconds=120)
    world = worlds(capabilities=promises("B", create_key=None, finds_by={"Email"}, settles_in=settles, index_lag=lags))
    person = lost_create(world)
    world.run(after=settles)
    assert world.counterpart(person)


def test_a_unique_field_that_is_blank_is_waited_for_like_a_system_without_one(worlds, promises):
    settles, lags = dt.timedelta(seconds=60), dt.timedelta(seconds=120)
    world = worlds(capabilities=promises("A-unique", settles_in=settles, index_lag=lags))
    person = lost_create(world, name="Kim")
    world.run(after=settles + lags - dt.timedelta(seconds=1))
    assert ("quarantined", "in_doubt", person.id) not in world.parked()
    world.run(after=1)
    assert ("quarantined", "in_doubt", person.id) in world.parked()


def test_a_create_that_is_sent_again_ties_its_record_at_once(worlds, promises):
    world = worlds(capabilities=promises("A-key"))
    person = lost_create(world, Fault.LOST_BEFORE)
    world.run(after=1)
    assert world.counterpart(person)
    assert in_doubt(world) == 0


def test_a_create_whose_second_answer_is_lost_too_is_in_doubt_from_then_on(worlds, promises):
    world = worlds(capabilities=promises("A-key"))
    world.left(email="kim@x.example", name="Kim")
    world.crm.whole = lambda actions: Fault.LOST_BEFORE
    world.run()
    for _ in range(2):
        world.run(after=10)
        [intent] = world.store.outbox.unsettled("sync", 10)
        assert intent.doubt_since == world.clock.now()


def test_a_create_that_is_refused_when_it_is_sent_again_stays_open_as_long_as_the_first_may_arrive(worlds, promises):
    world = worlds(capabilities=promises("A-key", settles_in=dt.timedelta(seconds=60)))
    person = world.left(email="kim@x.example", name="Kim")
    lost, world.crm.whole = iter([Fault.LOST_BEFORE]), lambda actions: next(lost, None)
    world.crm.single = lambda action: Fault.REJECTED
    world.run()
    world.run(after=59)
    assert in_doubt(world) == 1
    world.run(after=1)
    assert in_doubt(world) == 0
    world.settle()
    assert ("quarantined", "refused_by_system", person.id) in world.parked()


def test_a_create_that_is_sent_again_is_tied_by_its_answer_and_asks_for_nothing_more(worlds, promises):
    world = worlds(capabilities=promises("A-key"))
    person = lost_create(world, Fault.LOST_BEFORE)
    assert world.counterpart(person)
    told = [what for what in world.crm.requests if what in {"find", "create 1"}]
    assert told == ["create 1", "find", "create 1"]


@pytest.mark.parametrize(("seconds", "made"), [(0, 0), (1, 1)])
def test_a_removed_record_may_be_our_copy_if_anybody_changed_it_within_two_hours_of_the_promise(
    worlds, promises, seconds, made
):
    world = worlds(capabilities=promises("B", create_key=None, finds_by={"email", "Email"}))
    pipe = world.pipeline(left="delete", right="delete")
    world.crm.remove(world.right(Email="kim@x.example", Name="Old"))
    world.clock.advance(dt.timedelta(hours=2, seconds=seconds))
    world.left(email="kim@x.example", name="Kim")
    world.crm.then(Fault.LOST_BEFORE)
    world.run(pipe)
    world.settle(pipe)
    assert world.writes().count(("crm", "create")) == made


def test_a_doubt_that_is_left_to_a_person_is_told_of_once(worlds, promises):
    world = worlds(capabilities=promises("C"))
    mails = Collecting()
    pipe = world.pipeline().on_quarantine(mails)
    person = world.left(email="kim@x.example", name="Kim")
    world.crm.then(Fault.LOST_BEFORE)
    world.run(pipe)
    assert mails.notices == []
    world.settle(pipe)
    assert [(one.ref, one.because.code, one.pipeline) for one in mails.notices] == [(person, Code.IN_DOUBT, "sync")]


def test_a_persons_edit_of_a_copy_that_was_found_again_crosses_although_the_sides_hold_other_forms(worlds, promises):
    world = worlds(capabilities=promises("B"))
    wards = choices({"Tokyo": "13", "Osaka": "27"})
    pipe = world.pipeline(policies.left_wins).override(pair("city", "City", policies.left_wins, via=wards))
    person = world.left(email="kim@x.example", name="Kim", city="Tokyo")
    world.crm.then(Fault.LOST_AFTER)
    world.run(pipe)
    [copy] = world.crm.rows("lead")
    assert copy["City"] == "13"
    world.crm.edit(RecordRef("crm", "lead", copy["id"]), City="27")
    world.settle(pipe)
    assert (world.ma.values(person)["city"], world.crm.values(world.counterpart(person))["City"]) == ("Osaka", "27")


def copied(worlds, promises, settles_in):
    """Make a lead whose answer is lost, in a system that will show it to a search in two hours only."""
    slow = dt.timedelta(hours=2)
    world = worlds(capabilities=promises("C", index_lag=slow, settles_in=settles_in), lags=Lags(search=slow))
    person = world.left(email="kim@x.example", name="Kim")
    world.crm.then(Fault.LOST_AFTER)
    world.run()
    [copy] = world.crm.rows("lead")
    return world, person, RecordRef("crm", "lead", copy["id"])


@pytest.mark.parametrize("side", ["left", "right"])
def test_an_edit_of_a_copy_that_is_not_found_yet_is_the_only_edit_also_where_the_other_side_counts_backwards(
    world, side
):
    wins = policies.left_wins if side == "right" else policies.right_wins
    pairs = pair("email", "Email"), pair("city", "City", via=choices({"1": "3", "2": "2", "3": "1"}))
    pipe = two_way("sync", at(world.ma, "person"), at(world.crm, "lead")).match(level("email", key("email", "Email")))
    pipe = pipe.creates(left=True, right=True).fields(*pairs, policy=wins)
    if side == "right":
        person = world.left(email="kim@x.example", city="1")
        world.crm.then(Fault.LOST_AFTER)
        world.run(pipe)
        lead = RecordRef("crm", "lead", world.crm.rows("lead")[0]["id"])
        world.crm.edit(lead, City="2")
    else:
        lead = world.right(Email="kim@x.example", City="1")
        world.ma.then(Fault.LOST_AFTER)
        world.run(pipe)
        person = RecordRef("ma", "person", world.ma.rows("person")[0]["id"])
        world.ma.edit(person, city="2")
    assert world.links() == []
    world.settle(pipe)
    assert (world.ma.values(person)["city"], world.crm.values(lead)["City"]) == ("2", "2")


def test_what_came_up_while_a_create_is_in_doubt_is_not_made_on_the_other_side_whatever_it_is_called(worlds, promises):
    world, _, copy = copied(worlds, promises, settles_in=dt.timedelta(hours=2))
    world.crm.edit(copy, Email="lee@x.example")
    assert told(world.run(after=60)) == {copy: (Disposition.HELD, Code.INTENT_OPEN)}
    assert len(world.ma.rows("person")) == 1


def test_what_is_called_as_a_create_in_doubt_is_not_made_on_the_other_side_however_late_it_was_edited(worlds, promises):
    world, person, copy = copied(worlds, promises, settles_in=dt.timedelta(minutes=1))
    world.clock.advance(1800)
    world.ma.edit(person, email="lee@x.example")
    world.crm.edit(copy, City="Osaka")
    assert told(world.run(after=60)) == dict.fromkeys((person, copy), (Disposition.HELD, Code.INTENT_OPEN))
    assert len(world.ma.rows("person")) == 1


# -- how it is counted -------------------------------------------------------------------------------


def told(report):
    """Tell of each record how it ended and why: once for a record, of two that there are."""
    rows = list(report.rows())
    assert len({row.ref for row in rows}) == len(rows) <= report.read == sum(report.counts.values()) <= 2
    return {row.ref: (row.disposition, row.because.code) for row in rows}


def test_a_create_that_is_found_in_the_run_that_lost_its_answer_is_applied_there(both, promises):
    world = both(capabilities=promises("A-key"))
    person = world.left(email="kim@x.example", name="Kim")
    world.crm.then(Fault.LOST_AFTER)
    report = world.run()
    assert told(report) == {person: (Disposition.APPLIED, Code.RECOVERED)}
    assert report.writes == 1
    [row] = report.rows()
    assert (row.counterpart, [type(action) for action in row.actions]) == (world.counterpart(person), [Create])
    assert world.run(after=3600).writes == 0


@pytest.mark.parametrize("create", ["B", "C"])
def test_a_create_that_a_later_run_finds_is_applied_in_that_run(worlds, promises, create):
    world = worlds(capabilities=promises(create, index_lag=dt.timedelta(0)))
    person = world.left(email="kim@x.example", name="Kim")
    world.crm.then(Fault.LOST_AFTER)
    assert told(world.run()) == {person: (Disposition.HELD, Code.INTENT_OPEN)}
    found = told(world.run(after=3600))
    assert found[person] == (Disposition.APPLIED, Code.RECOVERED)
    assert world.run(after=3600).writes == 0


def test_an_update_that_is_found_is_applied_for_the_record_that_waited_for_it(both):
    world = both()
    person, lead, report = lost_update(world)
    assert told(report) == {person: (Disposition.HELD, Code.INTENT_OPEN)}
    found = told(world.run(after=3600))
    assert found[person] == (Disposition.APPLIED, Code.RECOVERED)
    assert found[lead][0] is Disposition.UNCHANGED
    assert world.run(after=3600).writes == 0


def test_an_update_that_is_found_is_applied_for_both_records_where_both_waited_for_it(both):
    world = both()
    person, lead, _ = lost_update(world)
    world.run(after=1)
    found = told(world.run(after=3600))
    assert found == dict.fromkeys((person, lead), (Disposition.APPLIED, Code.RECOVERED))


def test_a_write_that_was_never_made_is_not_counted_and_its_repeat_is(world):
    person, _, _ = lost_update(world, Fault.LOST_BEFORE)
    found = told(world.run(after=3600))
    assert found[person] == (Disposition.APPLIED, Code.CHANGED)


def test_where_nothing_but_the_values_tells_that_a_write_was_never_made_it_is_repeated_as_well(worlds, promises):
    world = worlds(capabilities=promises(conditional_writes=False))
    person, lead, _ = lost_update(world, Fault.LOST_BEFORE)
    assert told(world.run(after=3600))[person] == (Disposition.APPLIED, Code.CHANGED)
    assert world.crm.values(lead)["Name"] == "Park"
    assert not world.store.outbox.unsettled("sync", 9)


def test_a_plan_that_finds_a_lost_write_counts_none(world):
    lost_update(world)
    world.clock.advance(3600)
    plan = world.plan()
    assert plan.totals.by_disposition[Disposition.APPLIED] == 0
    assert [row.actions for row in plan.rows()] == [()] * plan.totals.read


def test_what_was_found_written_is_not_hidden_where_the_record_is_read_too_early_afterwards(worlds, promises):
    late = dt.timedelta(seconds=90)
    world = worlds(capabilities=promises("A-key", read_lag=late, answers_with_stored=False), lags=Lags(read=late))
    person = world.left(email="kim@x.example", name="Kim")
    world.clock.advance(3600)
    world.crm.then(Fault.LOST_AFTER)
    assert told(world.run())[person] == (Disposition.APPLIED, Code.RECOVERED)
    assert world.parked() == [("held", "read_too_early", person.id)]
