"""A parked record is sent again with values that a person gives for that one write."""

import datetime as dt

import pytest

from crmbridge import Disposition, at, case, gates, one_way, pair, policies
from crmbridge.errors import UsageError
from crmbridge.match import key, level
from crmbridge.model import FieldSpec
from crmbridge.quarantine import grouped, parked
from crmbridge.reasons import Code, because
from crmbridge.testing.faulty import Fault
from crmbridge.wording import say

SHORT = FieldSpec("phone", max_length=8)
LONG = "+81 3 0000 0000"


@pytest.fixture
def phones(both):
    """A world in which the CRM takes phone numbers of eight characters only."""
    world = both(extra=(SHORT,))
    pipe = world.pipeline(policies.left_wins).fields(pair("phone", "phone"), policy=policies.left_wins)
    return world, pipe


def retried(world, pipe, ref, **values):
    world.clock.advance(60)
    return world.ready(pipe).retry([ref], values=values, by="sei")


def test_a_new_record_crosses_with_the_values_of_a_person_and_the_journal_says_whose_they_are(phones):
    world, pipe = phones
    person = world.left(email="kim@x.example", name="Kim", phone=LONG)
    assert world.run(pipe).counts[Disposition.QUARANTINED] == 1
    assert retried(world, pipe, person, phone="00000000").counts[Disposition.APPLIED] == 1
    [lead] = world.crm.rows("lead")
    assert (lead["phone"], lead["Name"]) == ("00000000", "Kim")
    why = world.ready(pipe).why(person, "phone")
    [line] = why.written[0].fields
    assert (line.because.code, line.because.facts["editor"], line.sent) == (Code.EDITED, "sei", "00000000")
    assert "sei" in why.say("en")
    assert "sei" in why.say("ja")
    writes = world.count()
    world.settle(pipe)
    assert world.count() == writes
    assert world.ma.values(person)["phone"] == LONG
    assert world.parked() == []


def test_one_record_alone_is_retried_as_a_list_of_one(phones):
    world, pipe = phones
    people = [world.left(email=f"{name}@x.example", name=name, phone=LONG) for name in ("kim", "lee")]
    world.run(pipe)
    world.clock.advance(60)
    world.ready(pipe).retry(people[0], values={"phone": "00000000"}, by="sei")
    assert [row.row.ref for row in parked(world.store, pipe.name)] == people[1:]


def test_a_changed_record_crosses_with_the_values_of_a_person_and_stays_so(phones):
    world, pipe = phones
    person, lead = world.pair(pipe)
    world.settle(pipe)
    world.ma.edit(person, phone=LONG, city="Osaka")
    assert world.run(pipe).counts[Disposition.QUARANTINED] == 1
    retried(world, pipe, person, phone="00000000")
    assert (world.crm.values(lead)["phone"], world.crm.values(lead)["City"]) == ("00000000", "Osaka")
    writes = world.count()
    world.settle(pipe)
    assert world.count() == writes
    assert world.ma.values(person)["phone"] == LONG
    world.ma.edit(person, phone="11111111")
    world.settle(pipe)
    assert world.crm.values(lead)["phone"] == "11111111"


def test_a_required_value_that_a_record_lacks_may_be_given(both):
    world = both(extra=(FieldSpec("must", required=True),))
    pipe = world.pipeline().fields(pair("must", "must"), policy=policies.left_wins)
    person = world.left(email="kim@x.example", name="Kim")
    world.run(pipe)
    assert [code for _, code, _ in world.parked()] == ["required"]
    retried(world, pipe, person, must="given")
    assert [lead["must"] for lead in world.crm.rows("lead")] == ["given"]


def test_what_a_person_gives_is_held_against_the_schema_too(phones):
    world, pipe = phones
    person = world.left(email="kim@x.example", name="Kim", phone=LONG)
    world.run(pipe)
    assert retried(world, pipe, person, phone="000000000").counts[Disposition.QUARANTINED] == 1
    assert world.parked() == [("quarantined", "too_long", person.id)]
    assert world.count() == 0


@pytest.mark.parametrize("linked", [False, True])
def test_a_value_for_a_field_of_another_case_is_kept_back_with_all_others(world, linked):
    hot = case("hot", gates.at_least("score", 80), pair("city", "City"))
    cold = case("cold", gates.at_least("score", 0), pair("name", "Name"))
    pipe = (
        one_way("sync", at(world.ma, "person"), at(world.crm, "lead"))
        .match(level("email", key("email", "Email")))
        .fields(pair("email", "Email"))
        .cases(hot, cold)
    )
    person = world.left(email="kim@x.example", city="Kobe", score=90)
    if linked:
        world.run(pipe)
        world.ma.edit(person, city="Osaka")
    world.crm.single = lambda _: Fault.REJECTED
    world.run(pipe)
    world.crm.single = lambda _: None
    before = world.count()
    report = retried(world, pipe, person, Name="Kim")
    [why] = [row.because for row in report.rows(Disposition.QUARANTINED)]
    assert why == because(Code.EDIT_NOT_SENT, system="crm", field="Name", case="hot")
    assert (world.count(), world.parked()) == (before, [("quarantined", "edit_not_sent", person.id)])
    assert "the case hot" in say(why)
    assert "条件:「hot」" in say(why, "ja")
    assert retried(world, pipe, person, City="Nara").counts[Disposition.APPLIED] == 1
    assert [(lead["City"], lead.get("Name")) for lead in world.crm.rows("lead")] == [("Nara", None)]


def test_a_value_for_a_field_that_is_only_written_on_create_is_kept_back_on_a_change(both):
    world = both(extra=(SHORT, FieldSpec("once", create_only=True)))
    pipe = world.pipeline(policies.left_wins).fields(
        pair("phone", "phone"), pair("once", "once"), policy=policies.left_wins
    )
    person, _ = world.pair(pipe)
    world.settle(pipe)
    world.ma.edit(person, phone=LONG)
    world.run(pipe)
    before = world.count()
    retried(world, pipe, person, phone="00000000", once="1")
    assert (world.count(), world.parked()) == (before, [("quarantined", "edit_not_sent", person.id)])


def test_what_the_system_refuses_is_in_quarantine_again(phones):
    world, pipe = phones
    person = world.left(email="kim@x.example", name="Kim", phone=LONG)
    world.run(pipe)
    world.crm.single = lambda _: Fault.REJECTED
    assert retried(world, pipe, person, phone="00000000").counts[Disposition.QUARANTINED] == 1
    world.crm.single = lambda _: None
    retried(world, pipe, person, phone="00000000")
    assert len(world.crm.rows("lead")) == 1


def test_a_dispute_is_settled_by_a_value_of_its_own(both):
    world = both()
    pipe = world.pipeline(policies.ask_a_person)
    person, lead = world.pair(pipe)
    world.settle(pipe)
    world.ma.edit(person, name="Park")
    world.crm.edit(lead, Name="Choi")
    assert world.run(pipe).counts[Disposition.DISPUTED] == 2
    retried(world, pipe, person, Name="Choi-Park")
    assert (world.ma.values(person)["name"], world.crm.values(lead)["Name"]) == ("Park", "Choi-Park")
    assert world.settle(pipe).counts[Disposition.DISPUTED] == 0


@pytest.mark.parametrize("closed", ["left", "right"])
@pytest.mark.parametrize("written", ["left", "right"])
def test_values_of_a_person_pass_only_where_the_gate_of_their_own_direction_is_open(world, written, closed):
    pipe = world.pipeline(policies.ask_a_person)
    person, lead = world.pair(pipe)
    world.settle(pipe)
    world.ma.edit(person, name="Park")
    world.crm.edit(lead, Name="Choi")
    world.run(pipe)
    gated = pipe.gate(gates.filled("score" if closed == "right" else "Score"), towards=closed)
    if written == "right":
        retried(world, gated, person, Name="Choi-Park")
    else:
        retried(world, gated, lead, name="Choi-Park")
    expected = {"left": "Park", "right": "Choi"} | ({} if written == closed else {written: "Choi-Park"})
    assert {"left": world.ma.values(person)["name"], "right": world.crm.values(lead)["Name"]} == expected


def test_values_are_for_one_write_only(phones):
    world, pipe = phones
    one = world.left(email="kim@x.example", name="Kim", phone=LONG)
    two = world.left(email="lee@x.example", name="Lee", phone=LONG)
    world.run(pipe)
    retried(world, pipe, one, phone="00000000")
    world.settle(pipe)
    assert [id for _, _, id in world.parked()] == [two.id]


def opted(world):
    """Give a pipeline in which the CRM refuses the mail setting of a new record for once."""
    pipe = one_way("sync", at(world.ma, "person"), at(world.crm, "lead")).match(level("email", key("email", "Email")))
    pipe = pipe.fields(pair("email", "Email"), pair("city", "City"))
    person = world.left(email="kim@x.example", city="mail")
    world.crm.single = lambda action: Fault.REJECTED
    assert world.run(pipe).counts[Disposition.QUARANTINED] == 1
    world.crm.single = lambda action: None
    return pipe, person


def asked_again(world, pipe, person):
    """See that what a person gave was not sent, that nothing else goes in its place, and that it can be given again."""
    [row] = retried(world, pipe, person, City="no mail").rows()
    assert row.disposition is Disposition.QUARANTINED
    world.run(pipe, after=7200)
    assert [row["Email"] for row in world.crm.rows("lead") if row["Email"] == "kim@x.example"] == []
    assert [ref for _, _, ref in world.parked()] == [person.id]
    assert retried(world, pipe, person, City="no mail").counts[Disposition.APPLIED] == 1
    assert [row["City"] for row in world.crm.rows("lead") if row["Email"] == "kim@x.example"] == ["no mail"]


def test_values_that_a_system_puts_off_are_asked_for_again_and_the_records_own_are_not_sent_in_their_place(world):
    pipe, person = opted(world)
    world.crm.then(Fault.THROTTLED)
    asked_again(world, pipe, person)


def test_values_whose_turn_has_not_come_are_asked_for_again_and_the_records_own_are_not_sent_in_their_place(world):
    pipe, person = opted(world)
    slow = pipe.paced(spacing=dt.timedelta(hours=1))
    world.left(email="lee@x.example", city="post")
    assert world.run(slow, after=3600).counts[Disposition.APPLIED] == 1
    asked_again(world, slow, person)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"by": " "}, "by whom"),
        ({"refs": None}, "records that are named"),
        ({"values": {"fone": "1"}}, "no pair writes crm.fone"),
        ({"refs": "other"}, "neither disputed nor in quarantine"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_happens(phones, change, why):
    world, pipe = phones
    person = world.left(email="kim@x.example", name="Kim", phone=LONG)
    other = world.left(email="lee@x.example", name="Lee")
    world.run(pipe)
    before = world.parked(), world.count()
    how = {"refs": [person], "values": {"phone": "1"}, "by": "sei"} | change
    how["refs"] = [other] if how["refs"] == "other" else how["refs"]
    with pytest.raises(UsageError, match=why):
        world.ready(pipe).retry(**how)
    assert (world.parked(), world.count()) == before


def test_parked_records_are_grouped_by_what_they_suffer_from(phones):
    world, pipe = phones
    for number in range(3):
        world.left(email=f"p{number}@x.example", name="Kim", phone=LONG + str(number))
    world.crm.single = lambda action: Fault.REJECTED if action.values["Name"] == "Lee" else None
    world.left(email="lee@x.example", name="Lee")
    world.run(pipe)
    groups = grouped(parked(world.store, "sync"))
    assert [(group.code, len(group.records)) for group in groups] == [
        (Code.TOO_LONG, 3), (Code.REFUSED_BY_SYSTEM, 1),
    ]  # fmt: skip
    assert groups[0].explain() == (
        "3 quarantined - The value for phone in crm is too long: 16 characters, where 8 fit."
    )
    assert groups[0].explain("ja").startswith("3 ")
