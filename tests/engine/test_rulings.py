"""What a person ruled outranks policies and matchers, for what the person saw."""

import contextlib
import datetime as dt

import attrs
import pytest

from crmbridge import Disposition, at, key, level, pair, two_way
from crmbridge.codecs import choices
from crmbridge.drive import AsyncDriver
from crmbridge.errors import UsageError
from crmbridge.model import FieldSpec, RecordRef
from crmbridge.policies import ask_a_person, left_wins, right_wins
from crmbridge.quarantine import parked, rule
from crmbridge.reasons import Code
from crmbridge.report import Names
from crmbridge.stores import FingerprintStore, MemoryStore
from crmbridge.testing.connector import FakeConnector, described
from crmbridge.testing.sim import ManualClock, SimDriver, SimulatedCrash


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def ma(clock):
    return FakeConnector("ma", described("person", FieldSpec("email"), FieldSpec("name")), now=clock.now)


@pytest.fixture
def crm(clock):
    return FakeConnector("crm", described("lead", FieldSpec("Email"), FieldSpec("Name")), now=clock.now)


@pytest.fixture
def people(ma, crm, clock):
    return (
        two_way("people", at(ma, "person"), at(crm, "lead"))
        .match(level("e-mail", key("email", "Email")))
        .creates(left=False, right=True)
        .deletes(left="archive", right="archive")
        .fields(pair("email", "Email", right_wins), pair("name", "Name", ask_a_person))
        .remember(MemoryStore())
        .using(SimDriver(clock=clock))
    )


@pytest.mark.parametrize(
    ("choice", "both"), [("left", ("Kim", "Kim")), ("right", ("Lee", "Lee")), ("leave", ("Kim", "Lee"))]
)
def test_a_ruling_settles_a_dispute_and_stays_settled(people, ma, crm, clock, choice, both):
    left, right = ma.put("person", email="a@x.example", name="Kim"), crm.put("lead", Email="a@x.example", Name="Lee")
    assert people.run().counts[Disposition.DISPUTED] == 2
    clock.advance(60)
    people.rule(left, choice, by="the boss")
    assert people.run().counts[Disposition.DISPUTED] == 0
    assert (ma.values(left)["name"], crm.values(right)["Name"]) == both
    assert people.run().writes == 0


def test_a_file_of_rulings_is_taken_with_the_names_that_the_pipeline_gives_and_with_no_others(
    people, ma, crm, clock, tmp_path
):
    left, right = ma.put("person", email="a@x.example", name="Kim"), crm.put("lead", Email="a@x.example", Name="Lee")
    people.run()
    assert people.names == people.using(AsyncDriver(clock=clock)).names == Names("ma", "crm")
    path, store = tmp_path / "ruled.csv", people.store
    path.write_text("key,ruling\n" + "".join(f"{one.key},crm\n" for one in parked(store, "people")), "utf-8")
    with pytest.raises(UsageError, match=r"give pipeline\.names"):
        rule(store, "people", path, Names("crm", "ma"), by="sei", now=clock.now())
    assert people.run().writes == 0
    assert rule(store, "people", path, people.names, by="sei", now=clock.now()).taken == 2
    people.run()
    assert (ma.values(left)["name"], crm.values(right)["Name"]) == ("Lee", "Lee")


def test_an_edit_made_after_a_ruling_asks_again(people, ma, crm, clock):
    left, right = ma.put("person", email="a@x.example", name="Kim"), crm.put("lead", Email="a@x.example", Name="Lee")
    people.run()
    clock.advance(60)
    people.rule(left, "left", by="the boss")
    clock.advance(60)
    crm.edit(right, Name="Park")
    assert people.run().counts[Disposition.DISPUTED] == 2
    assert ma.values(left)["name"] == "Kim"


def asking(people, ma, crm, clock):
    """Let two linked people be edited on both sides, and give them as they are disputed."""
    left = ma.put("person", email="a@x.example", name="Kay")
    people.run()
    [right] = [link.right for link in people.store.links.all("people")]
    clock.advance(60)
    ma.edit(left, name="Kim")
    crm.edit(right, Name="Lee")
    assert people.run().counts[Disposition.DISPUTED] == 2
    clock.advance(60)
    return left, right


def on_every_line(people, path, choice):
    """Write a file of rulings as it was exported, each line ruled alike."""
    path.write_text(
        "key,ruling\n" + "".join(f"{one.key},{choice}\n" for one in parked(people.store, "people")), "utf-8"
    )


@pytest.mark.parametrize("side", ["left", "right"])
def test_an_old_file_of_rulings_decides_nothing_about_an_edit_that_was_disputed_since(
    people, ma, crm, clock, tmp_path, side
):
    left, right = asking(people, ma, crm, clock)
    on_every_line(people, tmp_path / "monday.csv", "ma")
    if side == "right":
        crm.edit(right, Name="Tuesday")
    else:
        ma.edit(left, name="Tuesday")
    assert people.run().counts[Disposition.DISPUTED] == 2
    before = (ma.values(left)["name"], crm.values(right)["Name"])
    clock.advance(60)
    told = rule(people.store, "people", tmp_path / "monday.csv", people.names, by="sei", now=clock.now())
    assert (told.taken, [line.why for line in told.not_taken]) == (0, ["moved_on", "moved_on"])
    assert people.run().writes == 0
    assert (ma.values(left)["name"], crm.values(right)["Name"]) == before


@pytest.mark.parametrize("by_file", [True, False])
def test_an_edit_that_no_run_has_read_when_a_person_rules_is_not_covered(people, ma, crm, clock, tmp_path, by_file):
    left, right = asking(people, ma, crm, clock)
    on_every_line(people, tmp_path / "ruled.csv", "ma")
    crm.edit(right, Name="unseen")
    clock.advance(60)
    if by_file:
        assert rule(people.store, "people", tmp_path / "ruled.csv", people.names, by="sei", now=clock.now()).taken == 2
    else:
        people.rule(left, "ma", by="sei")
    assert people.run().counts[Disposition.DISPUTED] == 2
    assert crm.values(right)["Name"] == "unseen"


def test_a_dispute_of_old_keeps_its_key_while_only_other_fields_are_edited(people, ma, crm, clock, tmp_path):
    left, right = asking(people, ma, crm, clock)
    on_every_line(people, tmp_path / "monday.csv", "ma")
    crm.edit(right, Email="b@x.example")
    people.run()
    clock.advance(60)
    assert ma.values(left)["email"] == "b@x.example"
    assert rule(people.store, "people", tmp_path / "monday.csv", people.names, by="sei", now=clock.now()).taken == 2
    people.run()
    assert crm.values(right)["Name"] == "Kim"


class NoTimes(FakeConnector):
    def _as_rows(self, *asked):
        rows = super()._as_rows(*asked)
        return attrs.evolve(rows, stamps=(None,) * len(rows.ids))


def test_a_ruling_is_known_by_its_question_in_a_store_that_keeps_no_values(people, ma, crm, clock):
    people = people.remember(FingerprintStore(MemoryStore(), key=b"a key from outside, 32 bytes or more"))
    left, right = asking(people, ma, crm, clock)
    people.rule(left, "ma", by="sei")
    crm.edit(right, Name="unseen")
    clock.advance(60)
    assert people.run().counts[Disposition.DISPUTED] == 2
    people.rule(right, "ma", by="sei")
    assert people.run().counts[Disposition.DISPUTED] == 0
    assert crm.values(right)["Name"] == "Kim"


@pytest.mark.parametrize("minutes", [None, -10, 0, 10])
@pytest.mark.parametrize("choice", ["left", "right", "leave"])
def test_a_ruling_decides_its_own_dispute_and_no_later_one_whatever_the_clocks_say(clock, minutes, choice):
    make = NoTimes if minutes is None else FakeConnector
    off = dt.timedelta(minutes=minutes or 0)
    ma = make("ma", described("person", *map(FieldSpec, ("email", "name", "city"))), now=lambda: clock.now() + off)
    crm = make("crm", described("lead", *map(FieldSpec, ("Email", "Name", "City"))), now=lambda: clock.now() + off)
    people = (
        two_way("people", at(ma, "person"), at(crm, "lead"))
        .match(level("e-mail", key("email", "Email")))
        .creates(left=False, right=True)
        .fields(pair("email", "Email"), pair("name", "Name"), pair("city", "City"), policy=ask_a_person)
        .remember(MemoryStore())
        .using(SimDriver(clock=clock))
    )
    left, right = asking(people, ma, crm, clock)
    people.rule(left, choice, by="the boss")
    settled = {"left": ("Kim", "Kim"), "right": ("Lee", "Lee"), "leave": ("Kim", "Lee")}[choice]
    for _ in range(2):
        assert people.run().counts[Disposition.DISPUTED] == 0
        clock.advance(60)
    assert (ma.values(left)["name"], crm.values(right)["Name"]) == settled
    for one, other in (("name", "Name"), ("city", "City")):
        ma.edit(left, **{one: "here"})
        crm.edit(right, **{other: "there"})
        clock.advance(60)
        assert people.run().counts[Disposition.DISPUTED] == 2
        assert (ma.values(left)[one], crm.values(right)[other]) == ("here", "there")


@pytest.mark.parametrize("effects", range(1, 12))
def test_our_own_write_of_another_field_asks_no_person_again(people, ma, crm, clock, effects):
    left, right = asking(people, ma, crm, clock)
    crm.edit(right, Email="b@x.example")
    clock.advance(60)
    people.rule(left, "ma", by="sei")
    clock.advance(60)
    with contextlib.suppress(SimulatedCrash):
        people.using(SimDriver(clock=clock, crash_after=effects)).run()
    clock.advance(3600)
    for _ in range(3):
        people.run()
        clock.advance(3600)
    assert (ma.values(left)["email"], crm.values(right)["Name"], parked(people.store, "people")) == (
        "b@x.example", "Kim", [],
    )  # fmt: skip


@pytest.mark.parametrize("choices", [("ma", "crm"), ("crm", "ma"), ("leave", "ma")])
def test_a_pair_has_one_answer_and_a_line_that_says_otherwise_is_told(people, ma, crm, clock, tmp_path, choices):
    left, right = asking(people, ma, crm, clock)
    path = tmp_path / "ruled.csv"
    keys = [one.key for one in parked(people.store, "people")]
    lines = [f"{key},{choice}\n" for key, choice in zip(keys, choices, strict=True)]
    path.write_text("key,ruling\n" + "".join(lines), "utf-8")
    told = rule(people.store, "people", path, people.names, by="sei", now=clock.now())
    assert (told.taken, [(line.line, line.why) for line in told.not_taken]) == (1, [(3, "twice")])
    people.run()
    names = {"ma": ("Kim", "Kim"), "crm": ("Lee", "Lee"), "leave": ("Kim", "Lee")}[choices[0]]
    assert (ma.values(left)["name"], crm.values(right)["Name"]) == names
    assert parked(people.store, "people") == []


def test_one_line_of_a_pair_is_enough_for_both(people, ma, crm, clock, tmp_path):
    asking(people, ma, crm, clock)
    one, other = parked(people.store, "people")
    (tmp_path / "ruled.csv").write_text(f"key,ruling\n{other.key},leave\n", "utf-8")
    assert rule(people.store, "people", tmp_path / "ruled.csv", people.names, by="sei", now=clock.now()).taken == 1
    assert parked(people.store, "people") == []
    assert set(people.store.rulings.of("people", [one.row.ref, other.row.ref])) == {one.row.ref, other.row.ref}


def test_of_a_record_that_asks_nothing_nothing_can_be_ruled(people, ma, crm, clock):
    left, _ = asking(people, ma, crm, clock)
    people.rule(left, "ma", by="sei")
    people.run()
    with pytest.raises(UsageError, match="nothing is asked about ma person"):
        people.rule(left, "ma", by="sei")


def test_a_value_of_a_disputed_field_stands_in_no_question_and_in_no_key(people, ma, crm, clock):
    asking(people, ma, crm, clock)
    shown = [text for one in parked(people.store, "people") for text in (one.key, one.asked, repr(one))]
    assert not [text for text in shown if "Kim" in text or "Lee" in text]


@pytest.mark.parametrize("said", ["{}", "adopt {}", "ＡＤＯＰＴ　{}"])
def test_a_person_names_the_record_to_adopt_as_in_a_table_of_rulings_or_by_its_id_alone(people, ma, crm, clock, said):
    left = ma.put("person", email="a@x.example", name="Kim")
    crm.put("lead", Email="a@x.example", Name="Kim")
    chosen = crm.put("lead", Email="a@x.example")
    people.run()
    clock.advance(60)
    people.rule(left, said.format(chosen.id), by="the boss")
    people.run()
    assert crm.values(chosen)["Name"] == "Kim"
    assert len(crm.rows("lead")) == 2


@pytest.mark.parametrize(("choice", "name"), [("ma", "Kim"), ("crm", "Lee"), (" CRM ", "Lee"), ("Left", "Kim")])
def test_a_ruling_may_name_the_system_as_a_table_of_rulings_does(people, ma, crm, clock, choice, name):
    left, right = ma.put("person", email="a@x.example", name="Kim"), crm.put("lead", Email="a@x.example", Name="Lee")
    people.run()
    clock.advance(60)
    people.rule(right, "leave", by="the boss")
    people.rule(left, choice, by="the boss")
    clock.advance(60)
    people.rule(right, choice, by="the boss")
    people.run()
    assert (ma.values(left)["name"], crm.values(right)["Name"]) == (name, name)


@pytest.mark.parametrize(
    ("choice", "by", "told"),
    [
        ("nonsense", "kim", "rule.'nonsense'.: a ruling is one of ma, crm, left, right, leave"),
        ("", "kim", "a ruling is one of"),
        ("l00001", "kim", "an id only where several records match"),
        ("left", " ", "by whom"),
    ],
)
def test_a_ruling_that_means_nothing_is_refused_and_not_stored(people, ma, crm, choice, by, told):
    left, _ = ma.put("person", email="a@x.example", name="Kim"), crm.put("lead", Email="a@x.example", Name="Lee")
    people.run()
    with pytest.raises(UsageError, match=told):
        people.rule(left, choice, by=by)
    assert people.store.rulings.of("people", [left]) == {}


def test_a_ruling_on_a_record_that_nothing_is_known_of_is_refused(people, ma, crm):
    ref = RecordRef("ma", "person", "?")
    ma.put("person", email="a@x.example", name="Kim")
    people.run()
    with pytest.raises(UsageError, match="nothing is known of"):
        people.rule(ref, "left", by="kim")


@pytest.mark.parametrize("choice", ["left", "crm", "leave", "adopt "])
def test_where_several_match_only_an_id_can_be_adopted(people, ma, crm, clock, choice):
    left = ma.put("person", email="a@x.example", name="Kim")
    chosen = [crm.put("lead", Email="a@x.example") for _ in range(2)][1]
    people.run()
    with pytest.raises(UsageError, match=r"several records match ma person .*; rule the id"):
        people.rule(left, choice, by="kim")
    clock.advance(60)
    with pytest.raises(UsageError, match="none of the records that match ma person"):
        people.rule(left, f"adopt {chosen.id}x", by="kim")
    assert parked(people.store, "people")[0].row.ref == left, "what was refused wakes nobody"
    people.rule(left, chosen.id, by="kim")
    people.run()
    assert crm.values(chosen)["Name"] == "Kim"


@pytest.fixture
def twins(people, ma, crm, clock):
    """Two people and two leads that all match one another, each disputed."""
    lefts = [ma.put("person", email="a@x.example", name=name) for name in ("Kim", "Kai")]
    rights = [crm.put("lead", Email="a@x.example", Name=name) for name in ("Kim", "kept by sales")]
    assert people.run().counts[Disposition.DISPUTED] == 4
    clock.advance(60)
    return lefts, rights


def ties(people):
    return sorted((link.left, link.right) for link in people.store.links.all("people") if link.closed is None)


def codes(people):
    return {one.row.ref: one.row.because.code for one in parked(people.store, "people")}


@pytest.mark.parametrize("by_file", [True, False])
def test_who_is_ruled_to_be_one_record_is_linked_with_no_other(people, crm, clock, twins, tmp_path, by_file):
    (one, two), (chosen, other) = twins
    if by_file:
        keys = {line.row.ref: line.key for line in parked(people.store, "people")}
        lines = "".join(f"{keys[ref]},adopt {chosen.id}\n" for ref in (one, two))
        (tmp_path / "ruled.csv").write_text(f"key,ruling\n{lines}", "utf-8")
        told = rule(people.store, "people", tmp_path / "ruled.csv", people.names, by="sei", now=clock.now())
        assert told.taken == 2
    else:
        for ref in (one, two):
            people.rule(ref, chosen.id, by="sei")
    for _ in range(3):
        people.run()
        clock.advance(60)
    assert ties(people) == [(one, chosen)]
    assert crm.values(other)["Name"] == "kept by sales"
    assert codes(people) == {two: Code.CHOSEN_LINKED, other: Code.CHOSEN_OTHERWISE}
    people.rule(two, other.id, by="sei")
    people.run()
    assert ties(people) == [(one, chosen), (two, other)]


@pytest.mark.parametrize("how", ["removed", "renamed"])
def test_while_the_record_that_a_person_chose_is_gone_or_matches_no_more_no_other_is_linked(
    people, ma, crm, clock, how
):
    left = ma.put("person", email="a@x.example", name="Kim")
    chosen, other = [crm.put("lead", Email="a@x.example", Name=name) for name in ("Kim", "kept by sales")]
    people.run()
    clock.advance(60)
    people.rule(left, chosen.id, by="sei")
    if how == "removed":
        crm.remove(chosen)
    else:
        crm.edit(chosen, Email="b@x.example")
    clock.advance(60)
    for _ in range(2):
        people.run()
        clock.advance(60)
    assert ties(people) == []
    assert codes(people)[left] == Code.CHOSEN_GONE
    assert crm.values(other)["Name"] == "kept by sales"
    people.rule(left, other.id, by="sei")
    people.run()
    assert ties(people) == [(left, other)]


def test_where_the_record_that_a_person_chose_is_gone_and_nobody_matches_another_is_made(people, ma, crm, clock):
    left = ma.put("person", email="a@x.example", name="Kim")
    leads = [crm.put("lead", Email="a@x.example", Name="Kim") for _ in range(2)]
    people.run()
    clock.advance(60)
    people.rule(left, leads[0].id, by="sei")
    for lead in leads:
        crm.remove(lead)
    people.run()
    assert [lead["Name"] for lead in crm.rows("lead")] == ["Kim"]


def test_a_choice_follows_the_record_that_was_chosen_into_the_one_it_was_merged_into(people, ma, crm, clock):
    left = ma.put("person", email="a@x.example", name="Kim")
    chosen, winner = [crm.put("lead", Email="a@x.example", Name="Kim") for _ in range(2)]
    people.run()
    clock.advance(60)
    people.rule(left, chosen.id, by="sei")
    crm.merge(chosen, winner)
    people.run()
    assert ties(people) == [(left, winner)]


def test_a_choice_that_was_carried_out_binds_nobody_once_the_pair_has_ended_and_is_made_again(people, ma, crm, clock):
    left = ma.put("person", email="a@x.example", name="Kim")
    chosen, other = [crm.put("lead", Email="a@x.example", Name="Kim") for _ in range(2)]
    people.run()
    clock.advance(60)
    people.rule(left, chosen.id, by="sei")
    people.run()
    crm.remove(other)
    clock.advance(60)
    crm.remove(chosen)
    ma.edit(left, name="Kai")
    people.run()
    clock.advance(60)
    people.rule(left, "ma", by="sei")
    for _ in range(2):
        people.run()
        clock.advance(60)
    assert [lead["Name"] for lead in crm.rows("lead")] == ["Kai"]
    assert parked(people.store, "people") == []


def test_the_others_that_match_look_again_once_one_of_them_was_adopted(people, ma, crm, clock):
    left = ma.put("person", email="a@x.example", name="Kim")
    chosen, other = [crm.put("lead", Email="a@x.example", Name="Kim") for _ in range(2)]
    people.run()
    assert set(codes(people).values()) == {Code.SEVERAL_MATCH}
    clock.advance(60)
    people.rule(left, chosen.id, by="sei")
    people.run()
    assert codes(people) == {other: Code.ALREADY_LINKED}


@pytest.mark.parametrize(("said", "why"), [("adopt l9", ["not_a_choice"]), ("leave", ["not_a_choice"]), ("L00002", [])])
def test_a_line_that_names_none_of_those_that_match_is_not_taken(people, ma, crm, clock, tmp_path, said, why):
    left = ma.put("person", email="a@x.example", name="Kim")
    for _ in range(2):
        crm.put("lead", Email="a@x.example", Name="Kim")
    people.run()
    [line] = [one for one in parked(people.store, "people") if one.row.ref == left]
    (tmp_path / "ruled.csv").write_text(f"key,ruling\n{line.key},{said}\n", "utf-8")
    told = rule(people.store, "people", tmp_path / "ruled.csv", people.names, by="sei", now=clock.now())
    assert [one.why for one in told.not_taken] == why


def test_a_person_may_name_the_counterpart_from_either_side(people, ma, crm, clock):
    left = ma.put("person", email="a@x.example", name="Kim")
    _, chosen = [crm.put("lead", Email="a@x.example", Name="Kim") for _ in range(2)]
    people.run()
    clock.advance(60)
    people.rule(chosen, left.id, by="sei")
    people.run()
    assert ties(people) == [(left, chosen)]


@pytest.mark.parametrize("who", ["left", "right"])
@pytest.mark.parametrize("choice", ["ma", "crm", "leave"])
def test_a_ruling_about_a_removed_record_settles_both_rows_of_its_pair(people, ma, crm, clock, who, choice):
    people = people.creates(left=True, right=True)
    left = ma.put("person", email="a@x.example", name="Kim")
    people.run()
    [(_, right)] = ties(people)
    clock.advance(60)
    crm.remove(right)
    ma.edit(left, name="Kai")
    assert people.run().counts[Disposition.DISPUTED] == 2
    clock.advance(60)
    people.rule(left if who == "left" else right, choice, by="sei")
    for _ in range(2):
        people.run()
        clock.advance(60)
    assert parked(people.store, "people") == []


def test_a_ruling_that_a_record_may_go_does_not_cover_what_was_edited_in_it_afterwards(people, ma, crm, clock):
    left, right = ma.put("person", email="a@x.example", name="Kim"), crm.put("lead", Email="a@x.example", Name="Kim")
    people.run()
    clock.advance(60)
    ma.remove(left)
    crm.edit(right, Name="Park")
    people.run()
    people.rule(right, "left", by="the boss")
    clock.advance(60)
    crm.edit(right, Name="Lee")
    report = people.run()
    assert [row.because.code for row in report.rows(Disposition.DISPUTED)] == [Code.GONE_AND_CHANGED] * 2
    assert crm.values(right)["Name"] == "Lee"
    assert len(crm.rows("lead")) == 1


@pytest.mark.parametrize(("choice", "left_there", "right_there"), [("left", False, False), ("right", True, True)])
def test_a_person_rules_on_a_record_that_is_gone_here_and_was_edited_there(
    people, ma, crm, clock, choice, left_there, right_there
):
    people = people.creates(left=True, right=True)
    left, right = ma.put("person", email="a@x.example", name="Kim"), crm.put("lead", Email="a@x.example", Name="Kim")
    people.run()
    clock.advance(60)
    ma.remove(left)
    crm.edit(right, Name="Park")
    assert people.run().counts[Disposition.DISPUTED] >= 1
    clock.advance(60)
    people.rule(right, choice, by="the boss")
    people.run()
    assert (bool(ma.rows("person")), bool(crm.rows("lead"))) == (left_there, right_there)


@pytest.fixture
def short(ma, crm, clock):
    """Names of three letters fit into the CRM; the left wins, so longer ones end in quarantine."""
    crm = FakeConnector("crm", described("lead", FieldSpec("Email"), FieldSpec("Name", max_length=3)), now=clock.now)
    pipe = (
        two_way("people", at(ma, "person"), at(crm, "lead"))
        .match(level("e-mail", key("email", "Email")))
        .creates(left=False, right=True)
        .fields(pair("email", "Email", left_wins), pair("name", "Name", left_wins))
        .remember(MemoryStore())
        .using(SimDriver(clock=clock))
    )
    left = ma.put("person", email="a@x.example", name="Kim")
    pipe.run()
    clock.advance(60)
    ma.edit(left, name="Andrea", email="b@x.example")
    assert pipe.run().counts[Disposition.QUARANTINED] == 1
    clock.advance(60)
    return pipe, crm, left


@pytest.mark.parametrize(("choice", "names"), [("leave", ("Andrea", "Kim")), ("right", ("Kim", "Kim"))])
def test_a_ruling_ends_the_quarantine_of_a_value_that_would_be_refused(short, ma, clock, choice, names):
    pipe, crm, left = short
    pipe.rule(left, choice, by="the boss")
    pipe.run()
    [lead] = crm.rows("lead")
    assert (ma.values(left)["name"], lead["Name"]) == names
    assert (ma.values(left)["email"], lead["Email"]) == ("b@x.example", "b@x.example")
    assert parked(pipe.store, "people") == []
    clock.advance(60)
    assert pipe.run().writes == 0


def test_the_next_edit_of_a_value_that_was_left_crosses_as_ever(short, ma, clock):
    pipe, crm, left = short
    pipe.rule(left, "leave", by="the boss")
    pipe.run()
    clock.advance(60)
    ma.edit(left, name="Andrea Bauer")
    assert pipe.run().counts[Disposition.QUARANTINED] == 1
    clock.advance(60)
    ma.edit(left, name="Lee")
    pipe.run()
    assert [lead["Name"] for lead in crm.rows("lead")] == ["Lee"]


def test_the_side_whose_value_is_refused_cannot_live_on(short, ma, clock):
    pipe, crm, left = short
    pipe.rule(left, "left", by="the boss")
    assert pipe.run().counts[Disposition.QUARANTINED] == 1
    assert [lead["Name"] for lead in crm.rows("lead")] == ["Kim"]


@pytest.mark.parametrize(
    ("edited", "choice", "names"),
    [
        ("ma", "crm", ("Kim", "K")),
        ("ma", "leave", ("?", "K")),
        ("crm", "ma", ("Kim", "K")),
        ("crm", "leave", ("Kim", "?")),
    ],
)
def test_what_is_offered_for_a_value_that_a_codec_does_not_know_ends_its_trouble(ma, crm, clock, edited, choice, names):
    pipe = (
        two_way("people", at(ma, "person"), at(crm, "lead"))
        .match(level("e-mail", key("email", "Email")))
        .creates(left=False, right=True)
        .fields(pair("email", "Email", left_wins), pair("name", "Name", left_wins, via=choices({"Kim": "K"})))
        .remember(MemoryStore())
        .using(SimDriver(clock=clock))
    )
    left = ma.put("person", email="a@x.example", name="Kim")
    pipe.run()
    [link] = pipe.store.links.all("people")
    clock.advance(60)
    _ = ma.edit(left, name="?") if edited == "ma" else crm.edit(link.right, Name="?")
    pipe.run()
    [one] = parked(pipe.store, "people")
    assert choice in one.choices(pipe.names)
    assert len(one.choices(pipe.names)) == 2
    why = "The value for Name in crm could not be converted"
    assert one.reason() == (f"{why}." if edited == "ma" else f"{why} for ma.")
    clock.advance(60)
    pipe.rule(one.row.ref, choice, by="the boss")
    pipe.run()
    assert parked(pipe.store, "people") == []
    assert (ma.values(left)["name"], crm.values(link.right)["Name"]) == names
    assert pipe.run().writes == 0


def test_a_record_that_is_left_alone_is_not_made_until_it_is_edited(short, ma, clock):
    pipe, crm, _ = short
    other = ma.put("person", email="c@x.example", name="Andrea")
    pipe.run()
    clock.advance(60)
    [one] = [one for one in parked(pipe.store, "people") if one.row.ref == other]
    assert one.choices(Names("ma", "crm")) == ("leave",)
    pipe.rule(other, "leave", by="the boss")
    assert [line.because.code for line in pipe.run().rows(Disposition.SKIPPED)] == [Code.RULED]
    assert len(crm.rows("lead")) == 1
    clock.advance(60)
    ma.edit(other, name="Lee")
    pipe.run()
    assert {lead["Name"] for lead in crm.rows("lead")} == {"Kim", "Lee"}


def test_a_record_that_is_left_alone_stays_so_while_other_fields_are_edited_and_is_asked_about_anew_otherwise(
    short, ma, clock
):
    pipe, crm, _ = short
    other = ma.put("person", email="c@x.example", name="Andrea")
    pipe.run()
    pipe.rule(other, "leave", by="the boss")
    for edit, disposition, code in (
        ({"email": "d@x.example"}, Disposition.SKIPPED, Code.RULED),
        ({"name": "Andreas"}, Disposition.QUARANTINED, Code.TOO_LONG),
    ):
        clock.advance(60)
        ma.edit(other, **edit)
        assert [(row.disposition, row.because.code) for row in pipe.run().rows() if row.ref == other] == [
            (disposition, code)
        ]
    assert len(crm.rows("lead")) == 1
