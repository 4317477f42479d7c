"""What docstrings of the public names state, where no other test holds it in these words."""

import datetime as dt

import pytest

from crmbridge import at, gates, key, level, one_way, pair, policies, two_way
from crmbridge.errors import GuardTripped, LeaseHeld, Unreachable, UsageError
from crmbridge.model import Disposition, FieldSpec, RecordRef, Totals
from crmbridge.quarantine import parked, rule
from crmbridge.reasons import Code
from crmbridge.stores import MemoryStore
from crmbridge.testing.connector import FakeConnector, described
from crmbridge.testing.sim import ManualClock, SimDriver


class World:
    """Two systems, a clock and a store."""

    def __init__(self):
        self.clock = ManualClock()
        fields = (FieldSpec("email"), FieldSpec("name"), FieldSpec("code", max_length=3))
        self.ma = FakeConnector("ma", described("person", *fields), now=self.clock.now)
        self.crm = FakeConnector("crm", described("contact", *fields), now=self.clock.now)
        self.store = MemoryStore()

    def carried(self, made=one_way, policy=None):
        return self._ready(
            made("people", at(self.ma, "person"), at(self.crm, "contact"))
            .match(level("email", key("email", "email")))
            .fields(pair("email", "email"), pair("name", "name", policy), policy=policies.left_wins)
        )

    def _ready(self, pipeline):
        return pipeline.remember(self.store).using(SimDriver(clock=self.clock))

    def pair(self, left, right):
        """Make a person on both sides."""
        return self.ma.put("person", email="a", name=left), self.crm.put("contact", email="a", name=right)

    def names(self):
        [person], [contact] = self.ma.rows("person"), self.crm.rows("contact")
        return person.get("name"), contact.get("name")


def lived(policy, first, *edits):
    """Tell what both sides hold after first contact and after each edit and its run; an edit is a side and a value."""
    world = World()
    person, contact = world.pair(*first)
    pipeline = world.carried(two_way, policy)
    pipeline.run()
    seen = [world.names()]
    for side, value in edits:
        world.clock.advance(60)
        if side == "left":
            world.ma.edit(person, name=value)
        else:
            world.crm.edit(contact, name=value)
        pipeline.run()
        seen.append(world.names())
    return seen


def test_a_master_that_is_blank_at_first_contact_takes_what_the_other_side_holds_and_is_master_from_then_on():
    told = lived(policies.left_always, (None, "Sei"), ("right", "Rin"), ("left", None), ("right", "Mai"))
    assert told == [("Sei", "Sei"), ("Sei", "Sei"), (None, None), (None, None)]


def test_a_field_that_is_only_filled_stays_empty_once_somebody_emptied_it_until_the_other_side_is_edited():
    told = lived(policies.only_if_empty, ("Sei", "Sei"), ("right", None), ("left", "Rin"))
    assert told == [("Sei", "Sei"), ("Sei", None), ("Rin", "Rin")]


def test_what_is_emptied_under_never_clear_stays_on_the_other_side_whose_next_edit_fills_it_again():
    told = lived(policies.never_clear(policies.left_wins), ("Sei", "Sei"), ("right", None), ("left", "Rin"))
    assert told == [("Sei", "Sei"), ("Sei", None), ("Rin", "Rin")]


def test_a_value_written_once_goes_back_where_it_was_changed_or_emptied():
    told = lived(policies.write_once, ("Sei", None), ("right", "Rin"), ("left", None))
    assert set(told) == {("Sei", "Sei")}


def test_what_was_edited_at_a_sink_stays_until_that_field_changes_at_the_source():
    world = World()
    person = world.ma.put("person", email="a", name="Sei")
    pipeline = world.carried()
    pipeline.run()
    world.crm.edit(RecordRef("crm", "contact", world.crm.rows("contact")[0]["id"]), name="Rin")
    world.ma.edit(person, email="b")
    pipeline.run()
    assert world.names() == ("Sei", "Rin")
    world.ma.edit(person, name="Mai")
    pipeline.run()
    assert world.names() == ("Mai", "Mai")


def test_without_levels_no_counterpart_is_looked_for():
    world = World()
    world.pair("Sei", "Sei")
    world.carried().match().run()
    assert len(world.crm.rows("contact")) == 2


def test_without_a_guard_a_run_may_write_any_number_and_with_one_a_plan_tells_what_a_run_raises():
    world = World()
    pipeline = world.carried()
    for email in "abcdefghijkl":
        world.ma.put("person", email=email)
    guarded = pipeline.guard(gates.at_most(creates=11))
    with pytest.raises(GuardTripped):
        guarded.run()
    assert guarded.plan().objection.code is Code.TOO_MANY_CREATES
    assert pipeline.run().writes == 12


@pytest.mark.parametrize(("bound", "most"), [(0, 0), (1, 1), (0.001, 10), (0.5, 50)])
def test_a_bound_between_0_and_1_is_a_share_and_never_less_than_the_floor_and_any_other_is_a_number(bound, most):
    def objection(deletes):
        return gates.at_most(deletes=bound).inspect(Totals(0, 100, {}, {("crm", "delete"): deletes}))

    assert objection(most) is None
    assert objection(most + 1) is not None


def test_no_verb_that_decides_waits_for_a_run_that_is_under_way():
    world = World()
    pipeline = world.carried()
    report = pipeline.run()
    _ = world.store.leases.take("people", "another", world.clock.now(), dt.timedelta(minutes=10))
    for verb in (pipeline.run, pipeline.plan, pipeline.drain, pipeline.retry, pipeline.adopt, pipeline.look_again):
        with pytest.raises(LeaseHeld):
            verb()
    with pytest.raises(LeaseHeld):
        pipeline.undo(report)


def test_values_are_taken_for_what_is_disputed_or_in_quarantine_and_not_for_what_only_waits():
    world = World()
    pipeline = world.carried().paced(spacing=dt.timedelta(hours=1))
    _, held = world.ma.put("person", email="a"), world.ma.put("person", email="b")
    assert pipeline.run().counts[Disposition.HELD] == 1
    with pytest.raises(UsageError, match="neither disputed nor in quarantine"):
        pipeline.retry([held], values={"name": "Sei"}, by="kim")


def test_a_ruling_for_the_side_whose_value_would_be_refused_leaves_it_in_quarantine():
    world = World()
    person, _ = world.pair("Sei", "Sei")
    pipeline = world.carried().fields(pair("code", "code"))
    pipeline.run()
    world.ma.edit(person, code="too long")
    pipeline.run()
    pipeline.rule(person, "ma", by="kim")
    pipeline.run()
    assert [one.row.state for one in parked(world.store, "people")] == ["quarantined"]
    pipeline.rule(person, "crm", by="kim")
    pipeline.run()
    assert parked(world.store, "people") == []


def test_why_tells_every_write_and_of_what_was_only_decided_the_latest_50_runs_and_plans():
    world = World()
    person = world.ma.put("person", email="a", name="Sei")
    pipeline = world.carried()
    pipeline.run()
    for number in range(55):
        world.clock.advance(60)
        world.ma.edit(person, name=f"Sei {number}")
        pipeline.plan()
    told = pipeline.why(person)
    assert len(told) == 1
    assert sum(step.what == "planned" for step in told.steps) == 50


def test_a_file_of_rulings_that_is_not_there_is_told_as_any_other_source_that_cannot_be_reached(tmp_path):
    world = World()
    pipeline = world.carried()
    with pytest.raises(Unreachable):
        rule(world.store, "people", tmp_path / "gone.csv", pipeline.names, by="kim", now=world.clock.now())


def test_what_a_person_enters_into_a_fake_is_held_to_the_names_of_fields_alone_and_its_clock_stands_still():
    crm = FakeConnector("crm", described("contact", FieldSpec("code", max_length=3)))
    ref = crm.put("contact", code="too long for it")
    with pytest.raises(UsageError, match="no field zip"):
        crm.edit(ref, zip="1")
    with pytest.raises(KeyError):
        crm.remove(RecordRef("crm", "contact", "nobody"))
    assert crm.record(ref).stamp == dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
