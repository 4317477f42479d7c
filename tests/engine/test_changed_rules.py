"""What a pipeline does when its author has changed what it should do: the records that are there already are not left out."""

from __future__ import annotations

import asyncio
import datetime as dt
import sqlite3

import attrs
import pytest

from crmbridge import Disposition, at, codecs, events, gates, one_way, pair, policies, preflight
from crmbridge._engine._rules import Again, Rules
from crmbridge.drive import AsyncDriver
from crmbridge.errors import GuardTripped, UsageError
from crmbridge.gates import at_most
from crmbridge.match import key, level
from crmbridge.model import Agreed, FieldSpec, RecordRef, Schema, Unsettled
from crmbridge.plan import absorb, pairing
from crmbridge.reasons import Code, because
from crmbridge.roles import QueueRow
from crmbridge.testing.connector import EVERYTHING, described

LATER = dt.timedelta(minutes=20)
LISTING = attrs.evolve(EVERYTHING, incremental=False, sees_deletes=False, sees_merges=False)


def without_city(world):
    """Give the pipeline before anybody thought of cities."""
    whole = world.pipeline()
    fields = tuple(one for one in whole.definition.fields if one.label != "city|City")
    return attrs.evolve(whole, definition=attrs.evolve(whole.definition, fields=fields))


def people(world, number=3):
    """Link that many people, each with a city that is not paired yet."""
    refs = [world.left(email=f"{n}@x.example", name=f"N{n}", city="Kobe") for n in range(number)]
    for _ in range(2):
        world.run(without_city(world), after=LATER)
    assert not any(row.get("City") for row in world.crm.rows("lead"))
    return refs


def cities(world):
    """Give the cities that the CRM holds."""
    return [row.get("City") for row in world.crm.rows("lead")]


def codes(findings):
    """Name what was found."""
    return [finding.because.code for finding in findings]


def outgoing(world):
    """Carry people to the CRM and nothing back."""
    return (
        one_way("sync", at(world.ma, "person"), at(world.crm, "lead"))
        .match(level("email", key("email", "Email")))
        .fields(pair("email", "Email"), pair("name", "Name"))
    )


def described_leads(length: int) -> Schema:
    """Describe leads whose name has room for so many characters."""
    return described("lead", FieldSpec("Email"), FieldSpec("Name", max_length=length))


@pytest.mark.parametrize("able", [EVERYTHING, LISTING])
def test_a_pair_that_was_added_reaches_records_that_nobody_has_touched_since(both, able):
    world = both(capabilities={"ma": able, "crm": able})
    people(world)
    report = world.run(after=LATER)
    assert cities(world) == ["Kobe"] * 3
    assert codes(report.findings) == [Code.RULES_CHANGED]
    assert sum(report.counts.values()) == report.read
    again = world.run(after=LATER)
    assert again.findings == ()
    assert again.counts[Disposition.APPLIED] == 0


def test_rules_that_are_as_they_were_bring_nothing_up(world):
    people(world)
    world.run(after=LATER)
    world.run(after=LATER)
    report = world.run(after=LATER)
    assert (report.read, report.findings) == (0, ())


def test_more_pairs_than_are_looked_at_together_all_come_up(world):
    number = 1201
    for n in range(number):
        world.left(email=f"{n}@x.example", name=f"N{n}", city="Kobe")
    world.run(without_city(world))
    world.run(after=LATER)
    assert cities(world) == ["Kobe"] * number


def test_a_plan_shows_what_new_rules_bring_up_and_loses_nothing_when_it_is_thrown_away(both):
    world = both()
    people(world)
    for _ in range(2):
        plan = world.plan()
        assert plan.totals.of("update") == 3
        assert codes(plan.findings) == [Code.RULES_CHANGED]
        assert "looked at again (3)" in str(plan)
    assert cities(world) == [None] * 3
    assert codes(world.run(after=LATER).findings) == [Code.RULES_CHANGED]
    assert cities(world) == ["Kobe"] * 3


def test_rules_that_were_planned_and_taken_back_change_nothing(world):
    people(world)
    world.plan()
    report = world.run(without_city(world), after=LATER)
    assert report.counts[Disposition.APPLIED] == 0
    assert cities(world) == [None] * 3


def test_a_process_may_die_at_any_effect_after_its_rules_have_changed(both, tmp_path_factory):
    world = both()
    people(world, 2)
    world.left(email="new@x.example", name="New", city="Nara")
    total = world.copy(tmp_path_factory.mktemp("counted")).effects()
    for effect in range(1, total + 1):
        twin = world.copy(tmp_path_factory.mktemp("twin"))
        assert twin.die(crash_before=effect)
        twin.settle()
        assert sorted(cities(twin)) == ["Kobe", "Kobe", "Nara"]
        assert len(twin.links()) == 3
        assert twin.run(after=LATER).findings == ()


def test_check_says_before_a_run_that_everything_will_be_looked_at_again(world):
    people(world)
    assert Code.RULES_CHANGED in codes(world.ready().check())
    world.run(after=LATER)
    assert Code.RULES_CHANGED not in codes(world.ready().check())


def test_creation_that_is_switched_on_reaches_records_that_were_skipped(both):
    world = both()
    world.left(email="kim@x.example", name="Kim")
    for _ in range(2):
        world.run(world.pipeline().creates(left=False, right=False), after=LATER)
    plan = world.plan()
    assert "ma, crm read from the beginning" in str(plan)
    world.run(after=LATER)
    assert len(world.links()) == 1


def test_a_gate_that_is_taken_out_lets_through_what_it_kept_back(world):
    world.left(email="kim@x.example", name="Kim", city="Kobe")
    world.run(world.pipeline().gate(gates.equals("city", "Nara")))
    assert world.links() == []
    world.run(after=LATER)
    assert len(world.links()) == 1


def test_another_matcher_finds_records_that_were_read_before_it_was_thought_of(both):
    world = both()
    world.right(Email="old@x.example", Name="Kim")
    assert world.run(world.pipeline().creates(left=False, right=False)).counts[Disposition.SKIPPED] == 1
    by_name = world.pipeline().match(level("name", key("name", "Name")))
    world.left(email="kim@x.example", name="Kim")
    world.ready(by_name).drain()
    world.run(by_name, after=LATER)
    assert (len(world.links()), len(world.crm.rows("lead")), len(world.ma.rows("person"))) == (1, 1, 1)


def by_address(edition, fold):
    """Give a key function that goes by one name whatever it does."""

    def address(text):
        return fold(text)

    address.edition = edition
    return address


@pytest.mark.parametrize(("edition", "found"), [(2, True), (1, False)])
def test_a_key_function_of_another_edition_makes_the_stored_keys_anew(both, edition, found):
    def pipe(by):
        return (
            one_way("sync", at(world.ma, "person"), at(world.crm, "lead"))
            .match(level("email", key("email", "Email", by)))
            .fields(pair("email", "Email"), pair("name", "Name"))
        )

    world = both()
    world.right(Email="KIM@x.example")
    world.left(email="lee@x.example")
    world.run(pipe(by_address(1, str)), after=LATER)
    world.left(email="kim@x.example")
    world.run(pipe(by_address(edition, str.lower)), after=LATER)
    assert len(world.crm.rows("lead")) == (2 if found else 3)


def test_one_way_that_becomes_two_way_carries_what_stood_on_the_right(both):
    world = both()
    person = world.left(email="kim@x.example", name="Kim")
    world.run(outgoing(world))
    lead = world.counterpart(person)
    world.crm.edit(lead, Name="Kimberly")
    world.right(Email="only@x.example", Name="Only")
    world.run(outgoing(world), after=LATER)
    world.run(after=LATER)
    assert world.ma.values(person)["name"] == "Kimberly"
    assert sorted(row["email"] for row in world.ma.rows("person")) == ["kim@x.example", "only@x.example"]


def test_a_policy_that_decides_ends_the_disputes_of_one_that_asked(world):
    world.left(email="kim@x.example", name="Kim")
    lead = world.right(Email="kim@x.example", Name="Park")
    world.run(world.pipeline(policies.ask_a_person))
    assert [state for state, _, _ in world.parked()] == ["disputed"] * 2
    world.run(world.pipeline(policies.left_wins), after=LATER)
    assert world.parked() == []
    assert world.crm.values(lead)["Name"] == "Kim"


def test_another_answer_to_values_that_are_refused_lets_go_of_those_in_quarantine(world):
    world.crm.reshape(described_leads(3))
    world.left(email="kim@x.example", name="Kimberly")
    world.run(outgoing(world))
    assert [state for state, _, _ in world.parked()] == ["quarantined"]
    world.run(outgoing(world).override(pair("name", "Name", if_refused=preflight.truncate)), after=LATER)
    assert [row["Name"] for row in world.crm.rows("lead")] == ["Kim"]


@pytest.mark.parametrize("calls_it", ["blocking", "awaited"])
def test_a_person_may_let_everything_be_looked_at_again(both, calls_it):
    world = both()
    world.pair()
    lead = RecordRef("crm", "lead", world.crm.rows("lead")[0]["id"])
    world.run(after=LATER)
    assert world.run(after=LATER).read == 0
    ready = world.ready()
    number = ready.look_again() if calls_it == "blocking" else asyncio.run(looked_again(world))
    assert number == 1
    report = world.run(after=LATER)
    assert report.read == 2
    assert world.crm.values(lead)["Name"] == "Kim"
    assert codes(report.findings) == [Code.RULES_CHANGED]


async def looked_again(world):
    """Call the verb of the pipeline that is awaited."""
    async with AsyncDriver(world.store) as driver:
        return await world.pipeline().remember(world.store).using(driver).look_again()


def test_an_event_is_never_looked_at_again(world):
    pipe = events("sent", at(world.ma, "person"), at(world.crm, "lead")).remember(world.store)
    with pytest.raises(UsageError, match="an event is made once"):
        pipe.look_again()


def test_a_store_from_before_rules_were_kept_takes_todays_as_known(worlds, tmp_path):
    world = worlds(tmp_path)
    people(world)
    world.store.close()
    with sqlite3.connect(tmp_path / "state.db") as connection:
        gone = connection.execute("DELETE FROM progress WHERE kind LIKE '%@rules' OR kind LIKE '%@read'")
        assert gone.rowcount == 3
    connection.close()
    world.store = type(world.store)(tmp_path / "state.db")
    report = world.run(after=LATER)
    assert (report.read, report.findings) == (0, ())
    renamed = world.pipeline(policies.left_wins)
    assert codes(world.run(renamed, after=LATER).findings) == [Code.RULES_CHANGED]


def test_removals_that_no_feed_has_told_are_counted_by_the_guards_before_anything_is_removed(worlds, promises):
    world = worlds(capabilities=promises(sees_deletes=False))
    guarded = world.pipeline(right="delete").guard(at_most(deletes=0))
    person, _ = world.pair(guarded)
    world.run(guarded, after=LATER)
    world.ma.remove(person)
    assert world.run(guarded, after=LATER).read == 0
    world.ready(guarded).look_again()
    with pytest.raises(GuardTripped):
        world.run(guarded, after=LATER)
    assert len(world.crm.rows("lead")) == 1


def test_a_removal_that_was_told_is_not_overwritten_by_what_new_rules_bring_up(world):
    guarded = without_city(world).deletes(right="delete", if_edited="remove").guard(at_most(deletes=0))
    person, _ = world.pair(guarded)
    world.run(guarded, after=LATER)
    world.ma.remove(person)
    with pytest.raises(GuardTripped):
        world.run(guarded.fields(pair("city", "City"), policy=policies.right_wins), after=LATER)
    assert len(world.crm.rows("lead")) == 1
    assert world.store.agenda.rows("sync", "left", [person])[person].departed


def test_a_write_in_doubt_stays_with_the_person_who_must_look(world):
    # Parked by hand as a recovery parks it: what a change of rules may wake is told by the reason alone.

    again = Again(Rules(), Rules("other", "other"))
    ref = RecordRef("ma", "person", "1")
    doubtful = QueueRow("left", ref, "quarantined", because=because(Code.IN_DOUBT))
    assert not again.wakes(doubtful)
    assert again.wakes(attrs.evolve(doubtful, because=because(Code.TOO_LONG)))
    assert not again.wakes(QueueRow("left", ref, "held", because=because(Code.READ_TOO_EARLY)))


HOUR = dt.timedelta(hours=1)


@pytest.mark.parametrize("topology", ["one_way", "events"])
def test_what_only_a_pace_held_goes_on_when_the_pace_is_taken_out(world, topology):
    pipe = outgoing(world)
    pipe = attrs.evolve(pipe, definition=attrs.evolve(pipe.definition, topology=topology))
    if topology == "events":
        world.ready(pipe).enable()
    for n in range(3):
        world.left(email=f"{n}@x.example", name=f"N{n}")
    world.run(pipe.paced(spacing=10 * HOUR))
    assert [code for _, code, _ in world.parked()] == ["paced"] * 2
    report = world.run(pipe)
    assert world.parked() == []
    assert len(world.crm.rows("lead")) == 3
    assert report.findings == ()


def test_another_pace_holds_by_itself(world):
    for n in range(3):
        world.left(email=f"{n}@x.example", name=f"N{n}")
    world.run(outgoing(world).paced(spacing=10 * HOUR))
    world.run(outgoing(world).paced(spacing=2 * HOUR), after=2 * HOUR)
    assert len(world.crm.rows("lead")) == 2
    assert [code for _, code, _ in world.parked()] == ["paced"]


def renamed(world, **how):
    """Rename the city of leads, as an administrator of the CRM would, and give the pipeline that knows of it."""
    fields = [FieldSpec("Email"), FieldSpec("Name"), FieldSpec("Town")]
    before = world.crm.rows("lead")
    world.crm.reshape(described("lead", *fields))
    for row in before:
        world.crm.edit(RecordRef("crm", "lead", row["id"]), by="the administrator", Town=row["City"])
    return without_city(world).fields(pair("city", "Town", policies.right_wins, **how))


@pytest.mark.parametrize("formerly", ["City", ("city", "City")])
def test_an_edit_outlives_a_field_that_was_renamed_where_the_pair_says_what_it_was_called(both, formerly):
    world = both()
    person, lead = world.pair()
    world.run(after=LATER)
    mended = renamed(world, formerly=formerly)
    world.ma.edit(person, city="Kobe")
    world.run(mended, after=4 * LATER)
    assert (world.ma.values(person)["city"], world.crm.values(lead)["Town"]) == ("Kobe", "Kobe")
    assert world.settle(mended).counts[Disposition.APPLIED] == 0


def test_a_field_that_was_renamed_without_a_word_meets_for_the_first_time(world):
    person, lead = world.pair()
    world.run(after=LATER)
    mended = renamed(world)
    world.ma.edit(person, city="Kobe")
    world.run(mended, after=4 * LATER)
    assert world.crm.values(lead)["Town"] == "Tokyo"


def test_a_value_whose_stored_form_was_not_known_yet_is_learned_under_the_new_name():
    left, right = described("person", FieldSpec("city")), described("lead", FieldSpec("Town"))
    known = pairing([pair("city", "Town", formerly="City")], left, right, default=policies.left_wins, towards_left=True)
    waiting = {"city|City": Unsettled("Kobe", dt.datetime(2026, 1, 1, tzinfo=dt.UTC))}
    assert absorb(known, "right", ("Kobe",), ("Tokyo",), waiting) == ("Kobe",)
    assert known.halves(Agreed(("city|City",), ("Kobe",))) == ("Kobe",)
    assert known.halves(Agreed(("city|City", "city|Town"), ("old", "new"))) == ("new",)


def test_what_a_field_was_called_changes_nothing_by_itself(world):
    world.pair()
    world.run(after=LATER)
    mended = renamed(world, formerly="City")
    world.run(mended, after=4 * LATER)
    without = without_city(world).fields(pair("city", "Town", policies.right_wins))
    assert world.run(without, after=LATER).findings == ()
    assert world.run(without, after=LATER).read == 0


# -- a choice that is called otherwise ---------------------------------------------------------


def in_stages(world, table):
    """Keep cities in step by a table of names."""
    fields = pair("email", "Email"), pair("city", "City", via=codecs.choices(table))
    return world.pipeline(policies.left_wins)._with(fields=()).fields(*fields, policy=policies.left_wins)


@pytest.mark.parametrize("first", ["table", "name"])
def test_a_choice_that_an_administrator_renames_is_no_edit_and_later_edits_cross(both, first):
    world = both()
    before, after = ({"見込み": open_, "済": closed} for open_, closed in (("open", "closed"), ("Open", "Closed")))
    persons = [world.left(email=f"{n}@x.example", city="見込み") for n in range(3)]
    world.settle(in_stages(world, before))
    leads = [world.counterpart(person) for person in persons]
    if first == "table":
        assert world.run(in_stages(world, after), after=LATER).counts[Disposition.QUARANTINED] == 0
    for lead in leads:
        world.crm.edit(lead, City="Open")
    writes = world.count()
    report = world.run(in_stages(world, after), after=LATER)
    assert (report.counts[Disposition.QUARANTINED], report.counts[Disposition.DISPUTED]) == (0, 0)
    assert world.count() == writes
    world.ma.edit(persons[0], city="済")
    world.crm.edit(leads[1], City="Closed")
    world.settle(in_stages(world, after))
    held = [
        (world.ma.values(one)["city"], world.crm.values(two)["City"]) for one, two in zip(persons, leads, strict=True)
    ]
    assert held == [("済", "Closed"), ("済", "Closed"), ("見込み", "Open")]


def test_an_edit_crosses_to_a_record_that_still_holds_the_old_name(world):
    person = world.left(email="kim@x.example", city="見込み")
    world.settle(in_stages(world, {"見込み": "open", "済": "closed"}))
    world.ma.edit(person, city="済")
    world.settle(in_stages(world, {"見込み": "Open", "済": "Closed"}))
    assert world.crm.values(world.counterpart(person))["City"] == "Closed"


def test_an_edit_made_beside_a_new_name_on_the_other_side_is_not_written_over(world):
    person = world.left(email="kim@x.example", city="見込み")
    world.settle(in_stages(world, {"見込み": "open", "済": "closed"}))
    world.ma.edit(person, city="prospect")
    world.crm.edit(world.counterpart(person), City="closed")
    world.settle(in_stages(world, {"prospect": "open", "done": "closed"}))
    assert (world.ma.values(person)["city"], world.crm.values(world.counterpart(person))["City"]) == ("done", "closed")
