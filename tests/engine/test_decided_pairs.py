"""What is decided about a linked pair, and what its link remembers of it."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest

from crmbridge import at, case, gates, key, level, one_way, pair, policies, put, two_way
from crmbridge._engine._halves import Half
from crmbridge.given import joined
from crmbridge.model import Disposition, FieldSpec
from crmbridge.plan import State
from crmbridge.protocols import Admit
from crmbridge.quarantine import parked
from crmbridge.reasons import Code
from crmbridge.stores.memory import MemoryStore
from crmbridge.testing.connector import EVERYTHING, FakeConnector, described
from crmbridge.testing.faulty import FaultyConnector, Lags
from crmbridge.testing.sim import ManualClock, SimDriver

LAG = dt.timedelta(seconds=30)


class Versionless(FakeConnector):
    """Tells when a record was changed, and no version."""

    def _as_rows(self, kind, fields, ids):
        return attrs.evolve(super()._as_rows(kind, fields, ids), versions=())


class Stampless(FaultyConnector):
    """Tells neither in a reading nor in an answer when a record was changed."""

    def _as_rows(self, kind, fields, ids):
        return attrs.evolve(super()._as_rows(kind, fields, ids), stamps=())

    def _applied(self, action, ref):
        return attrs.evolve(super()._applied(action, ref), stamp=None)


class Diary:
    def __init__(self):
        self.told = []

    def saw(self, event):
        self.told.append((event.name, dict(event.facts)))


@pytest.mark.parametrize("gone", ["ma", "crm"])
def test_a_dispute_about_a_deletion_names_the_system_that_the_record_is_gone_from(world, gone):
    pipe = world.pipeline(left="delete", right="delete", if_edited="ask")
    person, lead = world.pair(pipe)
    world.ma.remove(person) if gone == "ma" else world.crm.remove(lead)
    world.ma.edit(person, name="Park") if gone == "crm" else world.crm.edit(lead, Name="Park")
    disputed = world.run(pipe).rows(Disposition.DISPUTED)
    assert {(row.because.code, row.because.facts["system"]) for row in disputed} == {(Code.GONE_AND_CHANGED, gone)}


@pytest.mark.parametrize("gone", ["ma", "crm"])
def test_a_revival_names_the_system_that_the_record_was_gone_from(world, gone):
    pipe = world.pipeline(left="delete", right="delete", if_edited="revive")
    person, lead = world.pair(pipe)
    world.ma.remove(person) if gone == "ma" else world.crm.remove(lead)
    world.ma.edit(person, name="Park") if gone == "crm" else world.crm.edit(lead, Name="Park")
    world.settle(pipe)
    [link] = world.closed()
    assert (link.closed.code, link.closed.facts["system"]) == (Code.REVIVED, gone)


def test_an_observer_is_told_which_row_of_the_table_was_taken(world):
    person, _ = world.pair()
    world.ma.edit(person, name="Park")
    diary = Diary()
    world.ready().observed(diary).run()
    assert ("judged", {"left": "changed", "right": "same", "move": "merge by field"}) in diary.told


def test_an_edit_that_no_pair_names_is_remembered_as_seen_and_not_as_our_own(world):
    person, lead = world.pair()
    world.settle()
    [before] = world.links()
    world.clock.advance(60)
    world.ma.edit(person, score="9")
    world.crm.edit(lead, Score="9")
    world.run()
    [link] = world.links()
    assert link.left_agreed.settled_version == world.ma.record(person).version
    assert link.right_agreed.settled_version == world.crm.record(lead).version
    assert link.left_agreed.own_stamp == before.left_agreed.own_stamp != world.ma.record(person).stamp
    assert link.right_agreed.own_stamp == before.right_agreed.own_stamp != world.crm.record(lead).stamp


def test_a_record_that_was_just_made_and_is_not_shown_yet_is_not_taken_for_gone(worlds, promises):
    world = worlds(capabilities=promises(read_lag=LAG))
    world.crm._lags = type(world.crm._lags)(read=LAG)
    person, _ = world.pair()
    for seconds in (1, 28):
        world.ma.edit(person, name=f"after {seconds}")
        world.run(after=seconds)
        assert {code for _, code, _ in world.parked()} == {"read_too_early"}
        assert len(world.links()) == 1
    world.settle()
    assert [row["Name"] for row in world.crm.rows("lead")] == ["after 28"]


@pytest.mark.parametrize(("past", "live"), [(0, 1), (1, 0)])
def test_a_record_that_was_just_made_may_be_hidden_for_exactly_as_long_as_its_system_may_lag(
    worlds, promises, past, live
):
    world = worlds(capabilities=promises(read_lag=LAG))
    world.crm._lags = Lags(read=10 * LAG)
    person, _ = world.pair()
    [link] = world.links()
    world.ma.edit(person, name="Park")
    world.run(after=link.since + LAG + dt.timedelta(seconds=past) - world.clock.now())
    assert len(world.links()) == live


def test_two_records_that_hold_the_same_at_first_contact_carry_no_stamp_of_our_own(world):
    world.left(email="kim@x.example", name="Kim", city="Tokyo")
    world.right(Email="kim@x.example", Name="Kim", City="Tokyo")
    world.settle()
    [link] = world.links()
    assert (link.left_agreed.own_stamp, link.right_agreed.own_stamp, world.count()) == (None, None, 0)


@pytest.mark.parametrize("policy", [policies.left_wins, policies.right_wins, policies.newest_wins(otherwise="right")])
@pytest.mark.parametrize("tells", [False, True], ids=["tells nothing", "tells what it stored"])
def test_what_a_late_reading_shows_of_before_our_own_write_is_nobodys_edit(tells, policy):
    """Neither the answer nor the reading has a time by which to know it."""
    clock = ManualClock()
    late = attrs.evolve(EVERYTHING, answers_with_stored=tells, read_lag=LAG)
    ma = FakeConnector("ma", described("person", FieldSpec("email"), FieldSpec("name")), now=clock.now)
    crm = Stampless(
        "crm",
        described("lead", FieldSpec("Email"), FieldSpec("Name")),
        capabilities=late,
        now=clock.now,
        lags=Lags(read=LAG),
    )
    pipe = (
        two_way("sync", at(ma, "person"), at(crm, "lead"))
        .match(level("email", key("email", "Email")))
        .creates(left=False, right=True)
        .fields(pair("email", "Email"), pair("name", "Name"), policy=policy)
        .remember(MemoryStore())
        .using(SimDriver(clock=clock))
    )
    person = ma.put("person", email="kim@x.example", name="Kim")
    for name in ("Park", "Lee"):
        for _ in range(3):
            clock.advance(10 * LAG)
            pipe.run()
        ma.edit(person, name=name)
        pipe.run()
        assert ma.values(person)["name"] == name
    clock.advance(1)
    ma.edit(person, name="Choi")
    for _ in range(3):
        pipe.run()
        clock.advance(2 * LAG)
    assert [row["Name"] for row in crm.rows("lead")] == [row["name"] for row in ma.rows("person")] == ["Choi"]


@pytest.mark.parametrize("answers", [False, True])
def test_a_reading_older_than_our_own_write_is_waited_for_where_absence_says_nothing_either(worlds, promises, answers):
    world = worlds(capabilities=promises(read_lag=LAG, answers_with_stored=answers, absent="kept"))
    person, _ = world.pair()
    world.settle()
    world.crm._lags = Lags(read=LAG)
    world.ma.edit(person, name="Park")
    world.run()
    world.ma.edit(person, name="Lee")
    world.run(after=1)
    assert {code for _, code, _ in world.parked()} == {"read_too_early"}
    world.settle()
    assert [row["Name"] for row in world.crm.rows("lead")] == ["Lee"]


def test_a_record_that_is_read_too_early_does_not_count_as_gone(worlds, promises):
    world = worlds(capabilities=promises(read_lag=LAG, answers_with_stored=False), lags=Lags(read=LAG))
    person, _ = world.pair()
    pipe = world.pipeline().guard(gates.not_emptied())
    world.settle(pipe)
    world.ma.edit(person, name="Park")
    world.run(pipe)
    world.ma.edit(person, name="Lee")
    assert world.run(pipe, after=1).counts[Disposition.HELD] > 0
    world.settle(pipe)
    assert [row["Name"] for row in world.crm.rows("lead")] == ["Lee"]


def test_a_record_that_is_read_too_early_waits_as_long_as_its_own_system_lags(worlds, promises):
    promised = dict(promises(read_lag=LAG))
    promised["ma"] = attrs.evolve(promised["ma"], read_lag=10 * LAG)
    world = worlds(capabilities=promised)
    world.crm._lags = type(world.crm._lags)(read=LAG)
    person, _ = world.pair()
    world.ma.edit(person, name="Park")
    world.run(after=1)
    [waits] = [row.until for row in world.store.quarantine.rows("sync")]
    assert waits == world.clock.now() + LAG


def test_a_record_that_is_read_too_early_is_counted_in_each_run_but_not_beside_its_own_write(worlds, promises):
    world = worlds(capabilities=promises(read_lag=LAG, answers_with_stored=False))
    world.crm._lags = type(world.crm._lags)(read=LAG)
    world.left(email="kim@x.example", name="Kim")
    dispositions = [[row.disposition for row in world.run(after=after).rows()] for after in (0, 1)]
    assert dispositions == [[Disposition.APPLIED], [Disposition.HELD]]


@pytest.mark.parametrize("age", [0, 5, 59, 60])
def test_a_run_counts_what_it_made_although_a_young_record_has_no_version_to_know_it_again_by(age):
    clock = ManualClock()
    late = attrs.evolve(EVERYTHING, read_lag=dt.timedelta(seconds=61), conditional_writes=False)
    told = attrs.evolve(EVERYTHING, answers_with_stored=False, conditional_writes=False)
    ma = Versionless("ma", described("person", FieldSpec("email")), capabilities=late, now=clock.now)
    crm = Versionless("crm", described("lead", FieldSpec("Email")), capabilities=told, now=clock.now)
    pipe = (
        two_way("sync", at(ma, "person"), at(crm, "lead"))
        .match(level("email", key("email", "Email")))
        .creates(left=False, right=True)
        .fields(pair("email", "Email"), policy=policies.left_wins)
        .remember(store := MemoryStore())
        .using(SimDriver(clock=clock))
    )
    _ = [ma.put("person", email=email) for email in ("kim@x.example", "lee@x.example", "park@x.example")]
    clock.advance(age)
    report = pipe.run()
    assert (report.writes, len(crm.rows("lead"))) == (3, 3)
    assert {ended: count for ended, count in report.counts.items() if count} == {Disposition.APPLIED: 3}
    assert parked(store, "sync") == []


def test_what_a_run_has_written_is_counted_although_it_waits_to_be_read_again(worlds, promises):
    world = worlds(capabilities=promises(read_lag=LAG, answers_with_stored=False))
    person, lead = world.pair()
    world.ma.edit(person, name="Park")
    world.crm.edit(lead, City="Kobe")
    report = world.run(after=1)
    assert {code for _, code, _ in world.parked()} == {"read_too_early"}
    assert (report.writes, report.counts[Disposition.HELD], report.read) == (2, 0, 2)


def test_what_a_system_made_of_our_write_is_stamped_as_ours_once_it_was_read(worlds, promises):
    world = worlds(capabilities=promises(answers_with_stored=False))
    person, lead = world.pair()
    world.clock.advance(60)
    world.ma.edit(person, name="Park")
    world.settle()
    [link] = world.links()
    assert link.right_agreed.own_stamp == world.crm.record(lead).stamp


@pytest.mark.parametrize(
    ("left", "right", "code", "disposition"),
    [
        (True, True, Code.REMOVED, Disposition.UNCHANGED),
        (True, False, Code.DETACHED, Disposition.SKIPPED),
        (False, True, Code.DETACHED, Disposition.SKIPPED),
    ],
)
def test_a_link_that_is_closed_says_whether_both_records_are_gone(world, left, right, code, disposition):
    person, lead = world.pair()
    world.settle()
    if left:
        world.ma.remove(person)
    if right:
        world.crm.remove(lead)
    rows = world.run().rows()
    assert {(row.because.code, row.disposition) for row in rows} == {(code, disposition)}
    [link] = world.closed()
    assert link.closed.code is code


@attrs.frozen
class Watching:
    """A gate that lets everything through, and keeps what it was shown."""

    shown: list = attrs.field(factory=list)
    fields: frozenset = frozenset()

    def admit(self, crossing):
        self.shown.append(crossing)
        return Admit()


def test_a_gate_is_shown_the_record_that_crosses_its_counterpart_and_their_link(world):
    person, lead = world.pair()
    to_right, to_left = Watching(), Watching()
    world.ma.edit(person, name="Park")
    world.run(world.pipeline().gate(to_right, towards="right").gate(to_left, towards="left"))
    [link] = world.links()
    for gate, record, counterpart in ((to_right, person, lead), (to_left, lead, person)):
        assert {(one.record.ref, one.counterpart.ref, one.link.id) for one in gate.shown} == {
            (record, counterpart, link.id)
        }


def test_a_gate_on_a_record_that_is_not_there_does_not_open_the_others(world):
    pipe = world.pipeline().gate(gates.filled("Score"), before="creating", of="right")
    pipe = pipe.gate(gates.filled("score"), before="creating", towards="right")
    world.left(email="kim@x.example", name="Kim")
    assert [row.disposition for row in world.run(pipe).rows()] == [Disposition.SKIPPED]
    assert world.crm.rows("lead") == []


def test_a_policy_is_told_whether_two_records_meet_for_the_first_time(world):
    moments = []

    def watch(state):
        moments.append(state.moment)
        return policies.left_wins.resolve(state)

    person = world.left(email="kim@x.example", name="Kim")
    lead = world.right(Email="kim@x.example", Name="Lee")
    watched = world.pipeline(policies.by("watched", watch))
    world.run(watched)
    assert world.counterpart(person) == lead
    assert set(moments) == {"linking"}
    moments.clear()
    world.ma.edit(person, name="Park")
    world.run(watched)
    assert set(moments) == {"writing"}


def test_a_record_that_is_not_shown_once_it_must_be_is_gone(worlds, promises):
    world = worlds(capabilities=promises(read_lag=LAG))
    person, lead = world.pair()
    world.crm.remove(lead)
    world.ma.edit(person, name="Park")
    world.run(after=LAG + dt.timedelta(seconds=1))
    assert [link.right for link in world.closed()] == [lead]


@pytest.mark.parametrize(
    ("fields", "edited", "refusing"), [(("long", "short"), "ma", "crm"), (("short", "long"), "crm", "ma")]
)
def test_a_value_that_would_be_refused_names_the_system_that_would_refuse_it(worlds, fields, edited, refusing):
    world = worlds(extra=(FieldSpec("short", max_length=3), FieldSpec("long")))
    pipe = world.pipeline().fields(pair(*fields, policies.left_wins))
    person, lead = world.pair(pipe)
    world.ma.edit(person, long="abcdef") if edited == "ma" else world.crm.edit(lead, long="abcdef")
    [row] = world.run(pipe).rows(Disposition.QUARANTINED)
    assert row.because.code is Code.TOO_LONG
    assert (row.because.facts["system"], row.because.facts["field"]) == (refusing, "short")


def test_our_write_is_known_by_its_stamp_even_where_the_other_side_goes_on(worlds, promises):
    world = worlds(capabilities=promises(answers_with_stored=False))
    person, lead = world.pair()
    world.clock.advance(60)
    world.ma.edit(person, name="Park")
    closed = world.pipeline().gate(gates.filled("score"), towards="right")
    world.crm.meanwhile = lambda what: what.startswith("update") and world.ma.edit(person, city="Nara")
    world.run()
    world.crm.meanwhile = lambda what: None
    world.run(closed, after=60)
    [link] = world.links()
    assert world.crm.values(lead)["Name"] == "Park"
    assert link.right_agreed.own_stamp == world.crm.record(lead).stamp


@pytest.mark.parametrize("answers", [True, False])
def test_a_persons_edit_of_the_other_side_is_never_stamped_as_ours(worlds, promises, answers):
    world = worlds(capabilities=promises(answers_with_stored=answers))
    pipe = world.pipeline(policies.ask_a_person)
    person, lead = world.pair(pipe)
    world.clock.advance(60)
    world.crm.edit(lead, Name="Choi")
    world.ma.edit(person, name="Park")
    [row] = {row.because.code for row in world.run(pipe).rows(Disposition.DISPUTED)}
    assert row is Code.BOTH_CHANGED
    [link] = world.links()
    assert link.right_agreed.own_stamp != world.crm.record(lead).stamp
    assert link.left_agreed.own_stamp != world.ma.record(person).stamp


def test_an_update_asks_for_the_fields_of_its_own_side_and_for_no_value_that_is_made(world):
    pipe = world.pipeline().fields(put("Score", joined("name", "city"), policies.left_wins))
    person, lead = world.pair(pipe)
    sent = []
    world.ma.single = world.crm.single = sent.append
    world.crm.edit(lead, Name="Park")
    world.run(pipe)
    world.ma.edit(person, city="Nara")
    world.run(pipe)
    answers = {one.ref.system: one.answer for one in sent}
    assert answers == {"ma": ("email", "name", "city"), "crm": ("Email", "Name", "City", "Score")}


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_gate_keeps_a_survivor_from_being_removed(world, side):
    field = "Score" if side == "right" else "score"
    pipe = world.pipeline(left="delete", right="delete").gate(gates.filled(field), towards=side, of=side)
    person, lead = world.pair(pipe)
    world.run(pipe)
    world.ma.remove(person) if side == "right" else world.crm.remove(lead)
    [row] = world.run(pipe).rows()
    assert (row.disposition, row.because.code) == (Disposition.SKIPPED, Code.GATE)
    assert len(world.crm.rows("lead")) + len(world.ma.rows("person")) == 1


@pytest.mark.parametrize("conditional", [True, False])
def test_a_removal_names_the_version_that_was_judged_where_the_system_can_hold_it_to_that(
    worlds, promises, conditional
):
    world = worlds(capabilities=promises(conditional_writes=conditional))
    pipe = world.pipeline(right="delete")
    person, lead = world.pair(pipe)
    world.settle(pipe)
    version = world.crm.record(lead).version
    sent = []
    world.crm.single = sent.append
    world.ma.remove(person)
    world.run(pipe)
    assert [one.if_version for one in sent] == [version if conditional else None]


@pytest.mark.parametrize("creates", [True, False])
def test_two_records_that_match_and_that_no_case_admits_stay_apart(world, creates):
    pipe = (
        one_way("sync", at(world.ma, "person"), at(world.crm, "lead"))
        .match(level("email", key("email", "Email")))
        .fields(pair("email", "Email"), pair("name", "Name"))
        .cases(case("hot", gates.at_least("score", 80), pair("city", "City")))
        .creates(left=False, right=creates)
    )
    world.left(email="kim@x.example", name="Kim", score=10)
    lead = world.right(Email="kim@x.example", Name="Lee")
    report = world.run(pipe)
    assert {(row.disposition, row.because.code) for row in report.rows()} == {(Disposition.SKIPPED, Code.NO_CASE)}
    assert world.links() == []
    assert world.crm.values(lead)["Name"] == "Lee"


def test_a_removal_that_is_decided_again_for_a_later_version_has_a_key_of_its_own(world):
    pipe = world.pipeline(right="delete", if_edited="remove")
    person, lead = world.pair(pipe)
    world.ma.remove(person)
    keys = []
    world.crm.single = lambda action: keys.append(action.key)

    def meanwhile(what):
        if what == "delete 1":
            world.crm.meanwhile = lambda _: None
            world.crm.edit(lead, Name="Edited")

    world.crm.meanwhile = meanwhile
    world.settle(pipe)
    assert world.crm.rows("lead") == []
    assert len(keys) == len(set(keys)) == 2


def test_an_edit_in_the_same_instant_as_our_own_write_has_no_time_that_could_be_compared(world):
    pipe = world.pipeline(policies.newest_wins(otherwise="right"))
    person, lead = world.pair(pipe)
    world.clock.advance(60)
    world.ma.edit(person, name="Park")
    world.run(pipe)
    world.crm.edit(lead, Name="Choi")
    world.clock.advance(60)
    world.ma.edit(person, name="Lee")
    world.settle(pipe)
    assert (world.ma.values(person)["name"], world.crm.values(lead)["Name"]) == ("Choi", "Choi")


def test_an_edit_that_is_read_along_with_our_own_write_keeps_its_time_while_it_waits_at_a_gate(worlds, promises):
    world = worlds(capabilities=promises(answers_with_stored=False))
    pipe = world.pipeline(policies.newest_wins(otherwise="right"))
    closed = pipe.gate(gates.filled("Score"), towards="left", of="right")
    person, lead = world.pair(closed)
    world.settle(closed)
    world.ma.edit(person, city="Oita")

    def meanwhile(what):
        if what == "fetch" and world.crm.values(lead)["City"] == "Oita":
            world.crm.meanwhile = lambda _: None
            world.clock.advance(60)
            world.crm.edit(lead, Name="Choi")

    world.crm.meanwhile = meanwhile
    world.run(closed)
    assert (world.ma.values(person)["name"], world.crm.values(lead)["Name"]) == ("Kim", "Choi")
    world.clock.advance(60)
    world.ma.edit(person, name="Lee")
    world.settle(pipe)
    assert (world.ma.values(person)["name"], world.crm.values(lead)["Name"]) == ("Lee", "Lee")


def test_a_record_whose_counterpart_cannot_be_read_yet_is_counted_as_held(worlds, promises):
    world = worlds(capabilities=promises(read_lag=LAG))
    world.crm._lags = type(world.crm._lags)(read=LAG)
    person, _ = world.pair()
    world.settle()
    world.ma.edit(person, name="Park")
    world.run()
    world.ma.edit(person, name="Lee")
    assert [(row.ref, row.disposition) for row in world.run(after=1).rows()] == [(person, Disposition.HELD)]


def test_a_record_whose_counterpart_cannot_be_read_yet_is_counted_in_each_run(worlds, promises):
    world = worlds(capabilities=promises(read_lag=LAG))
    world.crm._lags = Lags(read=10 * LAG)
    person, _ = world.pair()
    world.settle()
    world.ma.edit(person, name="Park")
    world.run()
    world.ma.edit(person, name="Lee")
    for after in (1, LAG, LAG):
        assert [(row.ref, row.disposition) for row in world.run(after=after).rows()] == [(person, Disposition.HELD)]


def test_an_observer_is_told_of_two_records_that_meet(world):
    world.left(email="kim@x.example", name="Kim")
    world.right(Email="kim@x.example", Name="Kim")
    diary = Diary()
    world.ready().observed(diary).run()
    assert ("judged", {"left": "changed", "right": "changed", "move": "merge by field"}) in diary.told


def test_what_stands_on_a_side_is_shown_without_its_values():
    assert "kim" not in repr(Half(State.CHANGED, ("kim",), ("kim",)))


def test_the_row_of_a_merged_record_ends_no_row_whose_edit_its_reading_does_not_show_yet(worlds, promises):
    world = worlds(capabilities=promises(read_lag=LAG), lags=Lags(read=LAG))
    pipe = world.pipeline(left="detach", right="detach")
    gone, _ = world.left(email="kim@x.example", name="Kim"), world.left(email="lee@x.example", name="Lee")
    world.settle(pipe)
    loser, winner = (record.ref for record in world.crm.every("lead"))
    world.ma.remove(gone)
    world.settle(pipe)
    world.crm.merge(loser, winner)
    world.clock.advance(3600)
    world.crm.edit(winner, City="Nara")
    world.run(pipe)
    world.settle(pipe)
    [left] = world.ma.every("person")
    assert left.get("city") == "Nara"
