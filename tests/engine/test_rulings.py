"""What a person ruled outranks policies and matchers, for what the person saw."""

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
from crmbridge.stores import MemoryStore
from crmbridge.testing.connector import FakeConnector, described
from crmbridge.testing.sim import ManualClock, SimDriver


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


@pytest.mark.parametrize("choice", ["left", "crm", "adopt "])
def test_where_several_match_only_an_id_can_be_adopted(people, ma, crm, clock, choice):
    left = ma.put("person", email="a@x.example", name="Kim")
    chosen = [crm.put("lead", Email="a@x.example") for _ in range(2)][1]
    people.run()
    with pytest.raises(UsageError, match=r"several records match ma person .*; rule the id"):
        people.rule(left, choice, by="kim")
    clock.advance(60)
    people.rule(left, f"adopt {chosen.id}x", by="kim")
    people.rule(left, chosen.id, by="kim")
    people.run()
    assert crm.values(chosen)["Name"] == "Kim"


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
