"""What a pipeline does, told one sentence at a time."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest

from crmbridge import gates, pair, policies
from crmbridge.errors import GuardTripped, NotAllowed
from crmbridge.match import key, level
from crmbridge.model import Disposition, RecordRef
from crmbridge.reasons import Code, because
from crmbridge.testing.faulty import Fault

MINUTE = dt.timedelta(minutes=1)


# -- edits ----------------------------------------------------------------------------------


def test_an_edit_on_one_side_crosses(both):
    world = both()
    person, lead = world.pair()
    assert world.crm.values(lead)["Name"] == "Kim"
    world.ma.edit(person, city="Kobe")
    world.run()
    world.crm.edit(lead, Name="Kim Park")
    world.run()
    assert world.ma.values(person) == {"email": "kim@x.example", "name": "Kim Park", "city": "Kobe"}
    assert world.count() == 3


def test_edits_of_different_fields_on_both_sides_both_live(both):
    world = both()
    person, lead = world.pair()
    world.ma.edit(person, city="Kobe")
    world.crm.edit(lead, Name="Park")
    world.run()
    assert (world.ma.values(person)["name"], world.crm.values(lead)["City"]) == ("Park", "Kobe")


@pytest.mark.parametrize(
    ("policy", "lives"),
    [
        (policies.left_wins, "left"),
        (policies.right_wins, "right"),
        (policies.left_always, "left"),
        (policies.right_always, "right"),
        (policies.newest_wins(otherwise="left"), "right"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_a_conflict_ends_as_the_policy_says_and_stays_so(world, policy, lives):
    pipe = world.pipeline(policy)
    person, lead = world.pair(pipe)
    world.clock.advance(60)
    world.ma.edit(person, city="left")
    world.clock.advance(60)
    world.crm.edit(lead, City="right")
    world.run(pipe)
    assert (world.ma.values(person)["city"], world.crm.values(lead)["City"]) == (lives, lives)
    before = world.count()
    world.run(pipe, after=MINUTE)
    assert world.count() == before


def test_a_person_is_asked_and_the_rest_of_the_record_goes_on(world):
    pipe = world.pipeline(policies.ask_a_person)
    person, lead = world.pair(pipe)
    world.ma.edit(person, city="left", name="Park")
    world.crm.edit(lead, City="right")
    report = world.run(pipe)
    assert (world.ma.values(person)["city"], world.crm.values(lead)["City"]) == ("left", "right")
    assert world.crm.values(lead)["Name"] == "Park"
    assert {state for state, _, _ in world.parked()} == {"disputed"}
    assert report.counts[Disposition.DISPUTED] >= 1
    world.crm.edit(lead, City="Tokyo")
    world.run(pipe)
    assert world.crm.values(lead)["City"] == "left"
    assert world.parked() == []


def test_a_clear_crosses_unless_the_policy_never_clears(world):
    person, lead = world.pair()
    world.ma.edit(person, city=None)
    world.run()
    assert world.crm.values(lead)["City"] is None


def test_a_clear_that_is_never_carried_is_left_and_a_later_value_is_an_ordinary_change(world):
    pipe = world.pipeline(policies.never_clear(policies.left_wins))
    person, lead = world.pair(pipe)
    world.ma.edit(person, city=None)
    world.run(pipe)
    assert (world.ma.values(person)["city"], world.crm.values(lead)["City"]) == (None, "Tokyo")
    world.crm.edit(lead, City="Kobe")
    world.run(pipe)
    assert world.ma.values(person)["city"] == "Kobe"


def test_at_first_contact_each_side_fills_the_others_blanks_and_nothing_is_cleared(both):
    world = both()
    person = world.left(email="kim@x.example", name="Kim", city=None)
    lead = world.right(Email="KIM@x.example", Name=None, City="Tokyo")
    world.run()
    assert world.counterpart(person) == lead
    assert (world.ma.values(person)["city"], world.crm.values(lead)["Name"]) == ("Tokyo", "Kim")
    assert {verb for _, verb in world.writes()} == {"update"}


@pytest.mark.parametrize("answers", [True, False])
def test_vendors_that_normalise_in_opposite_directions_settle_with_two_writes_for_an_edit(worlds, promises, answers):
    world = worlds(capabilities=promises(answers_with_stored=answers), normalising=True)
    person, lead = world.pair(name="kim park")
    assert (world.ma.values(person)["name"], world.crm.values(lead)["Name"]) == ("KIM PARK", "Kim Park")
    for word in ("lee", "choi"):
        before = world.count()
        world.ma.edit(person, name=word)
        for _ in range(5):
            world.run(after=MINUTE)
        assert world.count() - before <= 2
        assert (world.ma.values(person)["name"], world.crm.values(lead)["Name"]) == (word.upper(), word.title())


@pytest.mark.parametrize("answers", [True, False])
def test_an_edit_between_our_write_and_our_next_read_is_not_swallowed(worlds, promises, answers):
    world = worlds(capabilities=promises(answers_with_stored=answers))
    person, lead = world.pair()
    world.ma.edit(person, name="Park")

    def meanwhile(what):
        if world.crm.values(lead)["Name"] == "Park" and what != "update 1":
            world.crm.meanwhile = lambda what: None
            world.crm.edit(lead, Name="Choi", City="Kobe")

    world.crm.meanwhile = meanwhile
    world.settle()
    assert (world.ma.values(person)["name"], world.ma.values(person)["city"]) == ("Choi", "Kobe")


def test_an_edit_between_our_read_and_our_write_is_not_covered(world):
    person, lead = world.pair()
    world.ma.edit(person, name="Park")

    def meanwhile(what):
        if what == "update 1":
            world.crm.meanwhile = lambda what: None
            world.crm.edit(lead, Name="Choi", City="Kobe")

    world.crm.meanwhile = meanwhile
    world.settle()
    assert world.crm.values(lead) | {"Email": ""} == {"Email": "", "Name": "Choi", "City": "Kobe"}
    assert world.ma.values(person) | {"email": ""} == {"email": "", "name": "Choi", "city": "Kobe"}


def test_a_reading_older_than_our_own_write_is_held_and_read_again(worlds, promises):
    lag = dt.timedelta(seconds=30)
    world = worlds(capabilities=promises(read_lag=lag))
    person, lead = world.pair()
    world.crm._lags = attrs.evolve(world.crm._lags, read=lag)
    world.clock.advance(MINUTE)
    world.ma.edit(person, name="Park")
    world.run(after=MINUTE)
    world.ma.edit(person, city="Kobe")
    world.run(after=1)
    assert world.parked() != []
    world.settle()
    assert world.crm.values(lead)["Name"] == world.ma.values(person)["name"] == "Park"
    assert world.crm.values(lead)["City"] == "Kobe"
    assert [past for past in world.ma.history if past.by == "us"] == []


# -- creates, and answers that get lost --------------------------------------------------------


@pytest.mark.parametrize("create", ["A-key", "A-unique", "B", "C"])
@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.LATE])
def test_a_create_whose_answer_was_lost_is_made_once(both, promises, create, fault):
    world = both(capabilities=promises(create))
    person = world.left(email="Kim@x.example", name="Kim")
    world.crm.then(fault)
    world.run()
    world.ma.edit(person, city="Kobe")
    for _ in range(6):
        world.run(after=MINUTE)
    made = [past for past in world.crm.history if past.verb == "create"]
    if create == "C" and fault is Fault.LOST_BEFORE:
        assert made == []
        assert ("quarantined", "in_doubt", person.id) in world.parked()
        return
    assert len(made) == 1
    assert world.crm.values(world.counterpart(person))["City"] == "Kobe"
    assert world.parked() == []
    assert world.ma.rows("person") == [{"id": person.id, "email": "Kim@x.example", "name": "Kim", "city": "Kobe"}]


@pytest.mark.parametrize("create", ["A-key", "A-unique", "B", "C"])
def test_a_copy_that_a_person_edits_before_we_have_seen_it_is_not_copied_back(worlds, promises, create):
    world = worlds(capabilities=promises(create))
    person = world.left(email="kim@x.example", name="Kim")
    world.crm.then(Fault.LOST_AFTER)
    world.run()
    [lead] = world.crm.rows("lead")
    world.clock.advance(5)
    other = {} if create in {"A-unique", "C"} else {"Email": "new@x.example"}
    world.crm.edit(RecordRef("crm", "lead", lead["id"]), Name="Edited", **other)
    for _ in range(8):
        world.run(after=20)
    assert [row["id"] for row in world.ma.rows("person")] == [person.id]
    assert world.ma.values(person)["name"] == "Edited"
    assert len(world.crm.rows("lead")) == 1


def test_an_open_create_keeps_its_origin_from_being_matched_with_the_unseen_copy(worlds, promises):
    world = worlds(capabilities=promises("B"))
    person = world.left(email="kim@x.example", name="Kim")
    world.crm.then(Fault.LOST_AFTER)
    world.run()
    world.ma.edit(person, name="Newer")
    world.run(after=10)
    world.settle()
    assert world.ma.values(person)["name"] == "Newer"
    assert world.crm.values(world.counterpart(person))["Name"] == "Newer"


def test_a_unique_field_that_is_blank_enforces_nothing_so_the_create_is_not_sent_again(worlds, promises):
    world = worlds(capabilities=promises("A-unique"))
    world.left(name="Kim")
    world.crm.then(Fault.LATE)
    world.run()
    world.settle()
    assert len([past for past in world.crm.history if past.verb == "create"]) == 1


def test_a_copy_that_was_removed_before_we_looked_is_not_made_again(worlds, promises):
    world = worlds(capabilities=promises("B"))
    world.left(email="kim@x.example", name="Kim")
    world.crm.then(Fault.LOST_AFTER)
    world.run()
    [lead] = world.crm.rows("lead")
    world.crm.remove(RecordRef("crm", "lead", lead["id"]))
    world.settle()
    assert world.crm.rows("lead") == []
    assert [past.verb for past in world.crm.history] == ["create", "delete"]


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.LATE])
def test_an_update_whose_answer_was_lost_is_neither_sent_again_nor_forgotten(both, fault):
    world = both()
    person, lead = world.pair()
    world.crm.then(fault)
    world.ma.edit(person, name="Park")
    world.run()
    world.run(after=10)
    assert len([what for what in world.crm.requests if what.startswith("update")]) == 1
    world.ma.edit(person, name="Kim")
    world.settle()
    assert (world.ma.values(person)["name"], world.crm.values(lead)["Name"]) == ("Kim", "Kim")


def test_a_persons_edit_beside_a_lost_update_lives(world):
    person, lead = world.pair()
    world.crm.then(Fault.LOST_AFTER)
    world.ma.edit(person, name="Park", city="Kobe")
    world.run()
    world.crm.edit(lead, City="Oita")
    world.settle()
    assert world.ma.values(person) | {"email": ""} == {"email": "", "name": "Park", "city": "Oita"}


# -- who belongs to whom -------------------------------------------------------------------------


def test_a_second_claimant_of_a_linked_record_is_disputed_and_the_first_is_named(both):
    world = both()
    person, lead = world.pair()
    second = world.left(email="kim@x.example", name="Other")
    report = world.run()
    [row] = report.rows(Disposition.DISPUTED)
    facts = {"system": "crm", "counterpart": f"lead {lead.id}", "record": f"person {person.id}", "level": "email"}
    assert (row.ref, row.because) == (second, because(Code.ALREADY_LINKED, **facts))
    assert len(world.crm.rows("lead")) == 1


def test_twins_in_one_run_become_one_record_and_a_dispute(both):
    world = both()
    world.left(email="kim@x.example", name="one")
    world.left(email="KIM@x.example", name="two")
    world.run()
    assert len(world.crm.rows("lead")) == 1
    assert [(state, code) for state, code, _ in world.parked()] == [("disputed", "already_linked")]


def test_twins_in_a_plan_are_judged_at_once(world):
    for name in ("one", "two"):
        world.left(email="kim@x.example", name=name)
    plan = world.plan(world.pipeline().batches(of=1))
    assert plan.totals.writes == {("crm", "create"): 1}
    assert plan.totals.by_disposition[Disposition.DISPUTED] == 1


def test_a_twin_of_a_create_in_doubt_waits_and_is_not_made(world):
    world.left(email="kim@x.example", name="one")
    world.crm.then(Fault.LOST_AFTER)
    world.run()
    world.left(email="kim@x.example", name="two")
    world.run(after=5)
    assert len(world.crm.history) == 1
    world.settle()
    assert len(world.crm.history) == 1
    assert [code for _, code, _ in world.parked()] == ["already_linked"]


def test_several_matches_without_a_rule_are_for_a_person_whichever_side_is_looked_at_first(both):
    world = both()
    world.left(email="kim@x.example", name="Kim")
    for name in ("one", "two"):
        world.right(Email="kim@x.example", Name=name)
    world.run()
    assert world.links() == []
    assert world.count() == 0
    assert {state for state, _, _ in world.parked()} == {"disputed"}


def test_several_left_records_may_share_a_right_one(both):
    world = both()
    pipe = world.pipeline().many_to_one()
    one = world.left(email="kim@x.example", name="Kim")
    two = world.left(email="kim@x.example", name="Kim")
    world.run(pipe)
    [lead] = world.crm.rows("lead")
    assert {world.counterpart(one).id, world.counterpart(two).id} == {lead["id"]}


def test_a_change_of_a_shared_record_reaches_all_who_share_it_even_if_one_is_busy(world):
    pipe = world.pipeline(policies.right_always).many_to_one()
    people = [world.left(email="kim@x.example", name="Kim") for _ in range(2)]
    world.run(pipe)
    lead = world.counterpart(people[0])
    busy = iter([Fault.BUSY])
    world.ma.single = lambda action: next(busy, None)
    world.crm.edit(lead, City="Kobe")
    world.settle(pipe)
    assert [world.ma.values(person)["city"] for person in people] == ["Kobe", "Kobe"]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_order_in_which_records_arrive_does_not_matter(world, order):
    people = [{"email": f"p{number}@x.example", "name": f"n{number}"} for number in range(3)]
    for number in order:
        world.left(**people[number])
        world.right(Email=f"p{(number + 1) % 3 + 1}@x.example", City=f"c{number}")
    world.settle()
    leads = sorted((row["Email"], row.get("Name"), row.get("City")) for row in world.crm.rows("lead"))
    assert leads == [
        ("p0@x.example", "n0", None), ("p1@x.example", "n1", "c2"),
        ("p2@x.example", "n2", "c0"), ("p3@x.example", None, "c1"),
    ]  # fmt: skip


# -- merges, moves, deletions ------------------------------------------------------------------------


def test_a_link_follows_a_merged_record_and_the_survivors_values_are_an_edit(both):
    world = both()
    person, lead = world.pair()
    winner = world.right(Email="kim@x.example", Name="Chosen", City="Tokyo")
    world.crm.merge(lead, winner)
    world.run()
    assert world.counterpart(person) == winner
    assert world.ma.values(person)["name"] == "Chosen"
    assert len(world.ma.rows("person")) == 1


def test_two_linked_records_that_are_merged_leave_a_duplicate_that_nobody_writes_to(world):
    person, lead = world.pair()
    second, winner = world.left(email="two@x.example", name="Two"), None
    world.run()
    winner = world.counterpart(second)
    world.crm.merge(lead, winner)
    before = world.count()
    world.ma.edit(person, name="Edited")
    world.settle()
    assert world.count() == before
    assert [link.closed.code for link in world.closed()] == [Code.DUPLICATE_OF]


def test_a_duplicate_is_reported_whenever_it_changes_with_the_records_that_hold_its_place(both):
    world = both()
    person, lead = world.pair()
    second = world.left(email="two@x.example", name="Two")
    world.run()
    winner = world.counterpart(second)
    world.crm.merge(lead, winner)
    world.settle()
    writes = world.count()
    for name in ("Edited", "Again"):
        world.ma.edit(person, name=name)
        report = world.run(after=1200)
        [row] = report.duplicates()
        assert (row.ref, row.disposition, row.because.code) == (person, Disposition.SKIPPED, Code.DUPLICATE_OF)
        assert row.because.facts == {"record": f"lead {winner.id}", "rival": f"person {second.id}"}
        assert f"duplicate of lead {winner.id}, which is linked with person {second.id} already" in str(report)
        assert world.ready().why(person).steps[-2].run == report.run
        assert report.counts[Disposition.SKIPPED] == 1
    assert world.run(after=1200).read == 0, "what has not changed is not told again"
    assert world.count() == writes


def test_a_duplicate_that_is_merged_at_last_is_told_no_more(world):
    person, lead = world.pair()
    second = world.left(email="two@x.example", name="Two")
    world.run()
    world.crm.merge(lead, world.counterpart(second))
    world.settle()
    world.ma.merge(person, second)
    world.ma.edit(second, name="One")
    report = world.run(after=1200)
    assert list(report.duplicates()) == []
    assert world.crm.values(world.counterpart(second))["Name"] == "One"


def test_a_merged_record_and_its_survivor_that_were_both_new_are_one_create(world):
    pipe = world.pipeline().match()
    a, b = world.right(Name="A"), world.right(Name="B")
    world.crm.fired.clear()
    world.ma.then(Fault.NOT_ALLOWED)
    with pytest.raises(NotAllowed):
        world.run(pipe)
    world.crm.merge(a, b)
    world.settle(pipe)
    assert [row["name"] for row in world.ma.rows("person")] == ["B"]


def test_a_link_follows_a_converted_record_to_its_other_kind(worlds):
    world = worlds(right_kinds=("contact", "lead"))
    pipe = world.pipeline()
    person, lead = world.pair(pipe)
    contact = world.crm.move(lead, "contact", Email="kim@x.example", Name="Kim", City="Kobe")
    world.settle(pipe)
    assert world.counterpart(person) == contact
    assert world.ma.values(person)["city"] == "Kobe"
    assert len(world.ma.rows("person")) == 1


def test_a_person_deleted_on_one_side_does_not_come_back_by_way_of_a_conversion(worlds):
    world = worlds(right_kinds=("contact", "lead"))
    person, lead = world.pair()
    world.ma.remove(person)
    world.run()
    contact = world.crm.move(lead, "contact", Email="kim@x.example", Name="Kim")
    world.settle()
    world.crm.edit(contact, Name="Edited")
    world.settle()
    assert world.ma.rows("person") == []


def test_a_strong_key_on_a_later_kind_beats_a_weak_one_on_the_first_and_kinds_keep_their_order(worlds):
    world = worlds(right_kinds=("contact", "lead"))
    pipe = world.pipeline().match(
        level("score", key("score", {"contact": "Score"})), level("email", key("email", "Email", str.lower))
    )
    world.crm.put("lead", Email="kim@x.example")
    contact = world.crm.put("contact", Email="kim@x.example")
    person = world.left(email="kim@x.example", name="Kim", score="7")
    world.run(pipe)
    assert world.counterpart(person) == contact


@pytest.mark.parametrize(
    ("rule", "if_edited", "edited", "outcome"),
    [
        ("detach", "ask", False, "stays"),
        ("detach", "remove", True, "stays"),
        ("delete", "ask", False, "removed"),
        ("archive", "ask", False, "removed"),
        ("delete", "remove", True, "removed"),
        ("delete", "ask", True, "asked"),
        ("delete", "revive", True, "revived"),
    ],
)
def test_a_deletion_is_followed_as_the_pipeline_says(both, rule, if_edited, edited, outcome):
    world = both()
    pipe = world.pipeline(right=rule, if_edited=if_edited)
    person, lead = world.pair(pipe)
    world.ma.remove(person)
    if edited:
        world.crm.edit(lead, Name="Edited")
    world.settle(pipe)
    leads, people = world.crm.rows("lead"), world.ma.rows("person")
    assert bool(leads) == (outcome != "removed")
    assert [row["name"] for row in people] == (["Edited"] if outcome == "revived" else [])
    assert {state for state, _, _ in world.parked()} == ({"disputed"} if outcome == "asked" else set())
    if outcome == "stays":
        world.crm.edit(lead, City="Kobe")
        before = world.count()
        world.settle(pipe)
        assert (world.count(), world.ma.rows("person")) == (before, [])


def test_a_new_record_with_the_old_key_is_a_newer_incarnation_and_may_match_the_survivor(world):
    person, lead = world.pair()
    world.ma.remove(person)
    world.run()
    again = world.left(email="kim@x.example", name="Kim again")
    world.settle()
    assert world.counterpart(again) == lead


# -- gates and guards -----------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["linking", "creating", "writing"])
def test_a_gate_that_opens_lets_the_pending_change_cross(both, moment):
    world = both()
    pipe = world.pipeline().gate(gates.filled("score"), before=moment, towards="right")
    person = world.left(email="kim@x.example", name="Kim")
    lead = world.right(Email="kim@x.example") if moment == "linking" else None
    report = world.run(pipe)
    assert world.crm.rows("lead") == ([] if lead is None else [{"id": lead.id, "Email": "kim@x.example"}])
    assert report.counts[Disposition.SKIPPED] >= 1
    world.ma.edit(person, score="1")
    world.settle(pipe)
    assert world.crm.values(world.counterpart(person))["Name"] == "Kim"


def test_a_gate_on_writing_holds_back_a_change_and_the_other_way_stays_open(world):
    pipe = world.pipeline().gate(gates.filled("score"), before="writing", towards="right")
    person, _ = world.left(email="kim@x.example", name="Kim", score="1"), None
    world.run(pipe)
    lead = world.counterpart(person)
    world.ma.edit(person, score=None, name="Park")
    world.crm.edit(lead, City="Kobe")
    world.settle(pipe)
    assert (world.crm.values(lead)["Name"], world.ma.values(person)["city"]) == ("Kim", "Kobe")
    world.ma.edit(person, score="1")
    world.settle(pipe)
    assert world.crm.values(lead)["Name"] == "Park"


def test_a_guard_trips_before_the_first_write_and_holds_every_later_run(both):
    world = both()
    pipe = world.pipeline(right="delete").batches(of=1)
    people = [world.left(email=f"p{number}@x.example", name="n") for number in range(6)]
    world.run(pipe)
    guarded = pipe.guard(gates.at_most(deletes=3))
    for person in people[:5]:
        world.ma.remove(person)
    world.ma.edit(people[5], name="edited")
    before = world.count()
    for _ in range(3):
        with pytest.raises(GuardTripped, match="too_many_deletes"):
            world.run(guarded, after=MINUTE)
        assert world.count() == before
        assert world.store.rulings.objection("sync").facts == {"count": 5, "limit": 3}
    world.run(guarded, plan=world.plan(guarded))
    assert len(world.crm.rows("lead")) == 1


# -- trouble with a record -------------------------------------------------------------------------


def test_a_value_that_the_target_would_refuse_quarantines_its_record_alone_and_wakes_when_it_is_corrected(world):
    schema = world.crm._schemas["lead"]
    world.crm._schemas["lead"] = attrs.evolve(
        schema, fields={**schema.fields, "Name": attrs.evolve(schema.fields["Name"], max_length=5)}
    )
    bad, _ = world.left(email="a@x.example", name="too long"), world.left(email="b@x.example", name="fits")
    world.run()
    assert [row["Name"] for row in world.crm.rows("lead")] == ["fits"]
    assert world.parked() == [("quarantined", "too_long", bad.id)]
    requests = len(world.crm.requests)
    world.run(after=MINUTE)
    assert [what for what in world.crm.requests[requests:] if "create" in what] == []
    world.ma.edit(bad, name="short")
    world.run()
    assert world.parked() == []
    assert len(world.crm.rows("lead")) == 2


def test_a_record_that_the_system_rejects_is_quarantined_and_its_page_goes_on(world):
    refs = [world.left(email=f"p{number}@x.example", name=f"n{number}") for number in range(3)]
    world.crm.single = lambda action: Fault.REJECTED if action.values["Name"] == "n1" else None
    report = world.run()
    assert len(world.crm.rows("lead")) == 2
    assert world.parked() == [("quarantined", "refused_by_system", refs[1].id)]
    assert report.counts[Disposition.QUARANTINED] == 1


@pytest.mark.parametrize("guilty", range(5))
def test_a_batch_refused_whole_is_split_until_the_guilty_record_is_alone(world, guilty):
    refs = [world.left(email=f"p{number}@x.example", name=f"n{number}") for number in range(5)]
    world.crm.whole = lambda batch: (
        Fault.REFUSED if any(action.values["Name"] == f"n{guilty}" for action in batch) else None
    )
    world.run()
    assert len(world.crm.rows("lead")) == 4
    assert world.parked() == [("quarantined", "refused_by_system", refs[guilty].id)]


def test_a_busy_record_is_asked_again_later_for_as_long_as_it_is_busy(both):
    world = both()
    person = world.left(email="kim@x.example", name="Kim")
    busy = iter([Fault.BUSY] * 14)
    world.crm.single = lambda action: next(busy, None)
    world.run()
    assert world.parked() == [("held", "busy", person.id)]
    for _ in range(14):
        world.run(after=16 * MINUTE)
    assert len(world.crm.rows("lead")) == 1
    assert world.parked() == []


def test_an_answer_that_is_lost_where_nothing_is_ever_late_is_settled_and_never_ends_as_restless(worlds, promises):
    world = worlds(capabilities=promises(settles_in=dt.timedelta(0)))
    person = world.left(email="kim@x.example", name="Kim")
    world.crm.then(Fault.LOST_AFTER)
    world.run()
    for _ in range(3):
        world.run(after=MINUTE)
    assert world.parked() == []
    assert world.counterpart(person)


def test_a_refused_credential_takes_back_the_promises_and_the_next_run_keeps_them(world):
    world.left(email="kim@x.example", name="Kim")
    world.crm.then(Fault.NOT_ALLOWED)
    with pytest.raises(NotAllowed):
        world.run()
    assert world.store.outbox.unsettled("sync", 10) == []
    world.run()
    assert len(world.crm.rows("lead")) == 1


# -- counting -------------------------------------------------------------------------------------------


def test_dispositions_add_up_to_what_was_read(both):
    world = both()
    for number in range(7):
        world.left(email=f"p{number % 5}@x.example", name=f"n{number}")
        world.right(Email=f"P{number + 2}@x.example", Name="r")
    pipe = world.pipeline().gate(gates.unless(gates.equals("name", "n1")), before="creating", towards="right")
    report = world.run(pipe.batches(of=2))
    rows = list(report.rows())
    assert report.read == sum(report.counts.values()) == 14
    assert len({(row.side, row.ref) for row in rows}) == len(rows) == 14
    assert {row.disposition for row in rows} >= {Disposition.APPLIED, Disposition.DISPUTED}


def test_a_quiet_run_reads_nothing_and_writes_nothing(both):
    world = both()
    world.pair()
    world.run()
    before = world.count(), world.links()
    report = world.run(after=MINUTE)
    assert (world.count(), world.links()) == before
    assert report.read == 0


def test_a_field_that_no_pair_names_is_not_a_change(world):
    person, _ = world.pair()
    world.run()
    before = world.count()
    world.ma.edit(person, score="9")
    report = world.run()
    assert world.count() == before
    assert report.counts[Disposition.UNCHANGED] == 1


def test_why_tells_what_was_written_and_because_of_what(both):
    world = both()
    person, lead = world.pair()
    world.ma.edit(person, city="Kobe")
    world.run()
    rows = world.ready().why(lead, "City")
    assert [(row.verb, row.fields[0].sent, row.fields[0].because.code) for row in rows] == [
        ("create", "Tokyo", Code.NEW), ("update", "Kobe", Code.ONE_SIDED),
    ]  # fmt: skip
    assert [row.ref for row in world.ready().why(person)] == [lead, lead]


def test_a_pair_added_later_is_first_contact_for_the_new_field_alone(world):
    person, lead = world.pair(score="5")
    world.crm.edit(lead, Score="7")
    world.run()
    pipe = world.pipeline().fields(pair("score", "Score", policies.left_wins))
    world.ma.edit(person, city="Kobe")
    world.run(pipe)
    assert (world.crm.values(lead)["Score"], world.crm.values(lead)["City"]) == ("5", "Kobe")


def test_two_records_that_were_merged_into_a_third_leave_one_pair_and_no_second_claim(both):
    world = both()
    pipe = world.pipeline(left="delete", right="delete")
    first, second, third = (world.right(Email="kim@x.example", Name=name) for name in ("One", "Two", "Three"))
    world.run(pipe)
    person = world.counterpart(first)
    world.crm.merge(first, second)
    world.crm.merge(third, second)
    other = world.left(email="kim@x.example", name="Four")
    world.settle(pipe)
    assert world.counterpart(person) == second
    assert [link.right for link in world.links()] == [second]
    assert [(state, id) for state, _, id in world.parked()] == [("disputed", other.id)]
