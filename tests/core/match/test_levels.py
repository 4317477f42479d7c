"""Levels of keys: what is asked, in which order, and what is adopted."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge._engine._matching import keys_of
from crmbridge.match import (
    LevelMatcher,
    all_of,
    by_id,
    first_of,
    key,
    level,
    most_complete,
    newest,
    oldest,
    scored,
    weigh,
)  # fmt: skip
from crmbridge.model import MISSING, Record, RecordRef, Rows
from crmbridge.protocols import Ambiguous, KeyValue, Matched, Question, Unmatched

EMAIL = level("email", key("email", "Email", str.lower))
NAME = level("name", all_of(key("name", "Name"), key("tel", "Phone")))
KEYS = st.sampled_from([None, "", " ", "a", "A", "b"])


def record(kind="Lead", id="1", **values):
    system = "ma" if kind == "person" else "crm"
    return Record(Rows(system, kind, tuple(values), (id,), (tuple(values.values()),)), 0)


def person(**values):
    return record("person", **values)


def asked(question):
    return [[(one.field, one.value) for one in keys] for keys in question.any_of]


def test_levels_are_asked_in_order_and_end():
    matcher = LevelMatcher((EMAIL, NAME))
    kim = person(email="Kim@x.example", name="Kim", tel="03")
    first = matcher.begin(kim, "Lead", "right")
    assert asked(first) == [[("Email", "kim@x.example")]]
    second = matcher.next(kim, first, [], "right")
    assert asked(second) == [[("Name", "Kim"), ("Phone", "03")]]
    last = matcher.next(kim, second, [], "right")
    assert isinstance(last, Unmatched)
    assert [(tried.level, tried.found) for tried in last.tried] == [("email", 0), ("name", 0)]


def test_a_level_whose_keys_are_blank_is_passed_over():
    found = LevelMatcher((EMAIL, NAME)).begin(person(email=" ", name="Kim", tel="03"), "Lead", "right")
    assert found.level == "name"
    assert isinstance(LevelMatcher((EMAIL,)).begin(person(email=None), "Lead", "right"), Unmatched)


def test_all_of_needs_every_key():
    assert isinstance(LevelMatcher((NAME,)).begin(person(name="Kim", tel=""), "Lead", "right"), Unmatched)


def test_the_slots_of_a_chain_are_asked_one_after_the_other_before_the_next_level():
    chain = level("phone", first_of(key("tel", "Phone"), key("mobile", "Mobile")))
    matcher, kim = LevelMatcher((chain, EMAIL)), person(tel="1", mobile="2", email="k@x.example")
    question, steps = matcher.begin(kim, "Lead", "right"), []
    while isinstance(question, Question):
        steps.append((question.step, asked(question)[0][0][0]))
        question = matcher.next(kim, question, [], "right")
    assert steps == [((0, 0), "Phone"), ((0, 1), "Mobile"), ((1, 0), "Email")]


@given(KEYS, KEYS)
def test_a_blank_never_matches_and_a_record_that_lost_its_key_is_not_adopted(mine, yours):
    matcher, kim = LevelMatcher((EMAIL,)), person(email="a@x.example" if mine is None else mine)
    question = matcher.begin(kim, "Lead", "right")
    if not isinstance(question, Question):
        assert not (mine or "").strip() or mine is None
        return
    found = matcher.next(kim, question, [record(Email=yours)], "right")
    agree = bool(mine) and bool(yours) and str(mine).lower() == str(yours).lower()
    assert isinstance(found, Matched) == agree


@pytest.mark.parametrize(
    ("adopt", "taken"),
    [
        (oldest("Made", left="made"), "2"),
        (newest("Made", left="made"), "1"),
        (most_complete, "3"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_of_several_the_adoption_rule_takes_one_whatever_their_order(adopt, taken):
    days = {"1": dt.date(2026, 1, 3), "2": dt.date(2026, 1, 1), "3": None, "4": None}
    found = [record(id=id, Email="k@x.example", Made=day) for id, day in days.items()]
    found[2] = record(id="3", Email="k@x.example", Made=None, Name="K", Phone="1")
    matcher, kim = LevelMatcher((EMAIL,), adopt), person(email="k@x.example")
    question = matcher.begin(kim, "Lead", "right")
    for order in itertools.permutations(found):
        assert matcher.next(kim, question, order, "right").ref.id == taken


def test_the_most_complete_record_has_the_most_values_and_not_the_most_fields():
    wide = record(id="1", Email="k@x.example", Name=None, Phone=" ", Mobile=MISSING, Fax=MISSING)
    full = record(id="2", Email="k@x.example", Name="Kim")
    assert most_complete.choose([wide, full], "right").ref.id == "2"


def test_a_rule_is_told_with_the_field_that_it_reads():
    assert oldest("Made", left="made").name == "oldest(Made)"
    assert newest(left="made").name == "newest(made)"


def test_a_page_without_any_key_gives_no_keys_for_each_record():
    rows = Rows("crm", "Account", ("City",), ("1", "2"), (("Osaka",), ("Kyoto",)))
    assert LevelMatcher((EMAIL, NAME)).keys_of(rows, "right") == [(), ()]


def test_a_level_of_keys_is_shown_ten_records_and_one_of_grades_two_hundred():
    graded = scored("alike", weigh(key("name", "Name")), blocks=(key("email", "Email"),), at_least=0.5)
    kim = person(email="k@x.example", name="Kim")
    assert LevelMatcher((EMAIL,)).begin(kim, "Lead", "right").limit == 10
    assert LevelMatcher((graded,)).begin(kim, "Lead", "right").limit == 200


def test_without_a_rule_several_are_for_a_person_and_named_in_order():
    matcher, kim = LevelMatcher((EMAIL,)), person(email="k@x.example")
    question = matcher.begin(kim, "Lead", "right")
    found = matcher.next(kim, question, [record(id=id, Email="K@x.example") for id in "21"], "right")
    assert found == Ambiguous((RecordRef("crm", "Lead", "1"), RecordRef("crm", "Lead", "2")), "email", found.tried)


def test_a_rule_without_a_field_on_a_side_chooses_nothing_there():
    matcher = LevelMatcher((EMAIL,), oldest("Made"))
    lead = record(Email="k@x.example")
    people = [person(id=id, email="k@x.example") for id in "12"]
    assert isinstance(matcher.next(lead, matcher.begin(lead, "person", "left"), people, "left"), Ambiguous)


def test_a_tie_goes_to_the_smaller_id():
    matcher, kim = LevelMatcher((EMAIL,), oldest("Made")), person(email="k@x.example")
    found = [record(id=id, Email="k@x.example", Made=dt.date(2026, 1, 1)) for id in "21"]
    assert matcher.next(kim, matcher.begin(kim, "Lead", "right"), found, "right").ref.id == "1"


def test_an_id_is_asked_for_by_the_record_that_names_it():
    matcher, kim = LevelMatcher((by_id("crm_id"),)), person(crm_id="7")
    question = matcher.begin(kim, "Lead", "right")
    assert question.any_of == ((KeyValue("@id", "7"),),)
    assert isinstance(matcher.next(kim, question, [record(id="7")], "right"), Matched)
    assert isinstance(matcher.next(kim, question, [record(id="8")], "right"), Unmatched)


def test_a_key_may_be_another_field_on_another_kind_and_none_on_a_third():
    matcher = LevelMatcher((level("tel", key("tel", {"Lead": "Phone", "Contact": "Mobile"})),))
    kim = person(tel="1")
    assert asked(matcher.begin(kim, "Contact", "right")) == [[("Mobile", "1")]]
    assert isinstance(matcher.begin(kim, "Account", "right"), Unmatched)


def test_the_directory_gets_each_key_once_and_no_blank():
    matcher = LevelMatcher((EMAIL, level("again", key("email", "Email", str.lower)), NAME, by_id("x")))
    assert [(one.field, one.value) for one in matcher.keys(record(Email="K@x", Name="Kim", Phone=" "), "right")] == [
        ("Email", "k@x"), ("Name", "Kim"),
    ]  # fmt: skip


def unfit(text: str) -> str:
    raise TypeError(text)


@pytest.mark.parametrize(
    "first", [key("email", {"Contact": "Email"}), by_id("x").every_key()[0], key("email", "Email", unfit)]
)
def test_a_key_that_a_record_has_none_of_hides_no_other(first):
    matcher = LevelMatcher((level("first", first), level("name", key("name", "Name"))))
    assert matcher.keys(record(Email="k@x", Name="Kim"), "right") == (KeyValue("Name", "Kim", "exact"),)


VALUES = st.sampled_from([None, "", " ", "Kim", "kim", MISSING, ("a", "b"), 7, True])


@given(
    st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=4), st.sampled_from([(), (EMAIL,), (EMAIL, NAME, by_id("x"))])
)
def test_a_page_has_the_keys_that_its_records_have(cells, levels):
    matcher = LevelMatcher(
        (*levels, level("again", key("email", "Email", str.lower)), level("none", key("b", {"Contact": "B"})))
    )
    ids = tuple(str(row) for row in range(len(cells)))
    rows = Rows("crm", "Lead", ("Phone", "Email", "Name"), ids, tuple(cells))
    expected = [
        tuple(dict.fromkeys(
            KeyValue(one.field("right", "Lead"), value, one.named)
            for one in (one for own in matcher.levels for one in own.every_key())
            if one.field("right", "Lead") in rows.fields and (value := one.read(record, "right"))
        ))
        for record in rows
    ]  # fmt: skip
    assert list(matcher.keys_of(rows, "right")) == expected
    assert [matcher.keys(record, "right") for record in rows] == expected


class Own:
    """Somebody's own matcher, which knows the simple form alone."""

    def keys(self, record, side):
        return (KeyValue("Name", record.get("Name")),)


def test_a_matcher_of_ones_own_need_not_know_of_pages():
    rows = Rows("crm", "Lead", ("Name",), ("1", "2"), (("Kim",), ("Lee",)))
    assert [keys[0].value for keys in keys_of(Own(), rows, "right")] == ["Kim", "Lee"]
    assert keys_of(LevelMatcher((NAME,)), rows, "right") == keys_of(Own(), rows, "right")


def test_it_says_what_must_be_read_and_what_may_be_asked():
    matcher = LevelMatcher((EMAIL, by_id("x")), newest("Made"))
    assert matcher.fields("right", "Lead") == {"Email", "Made"}
    assert matcher.fields("left", "person") == {"email", "x"}
    assert {field for field, _ in matcher.asks("right", "Lead")} == {"Email", "@id"}
