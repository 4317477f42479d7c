"""Whole tables at once: a join finds what the matcher would find record by record."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.match import (
    LevelMatcher,
    all_of,
    by_id,
    first_of,
    join,
    key,
    level,
    most_complete,
    newest,
    oldest,
    refuse,
    scored,
    weigh,
)
from crmbridge.match.grades import bigrams
from crmbridge.model import Rows
from crmbridge.protocols import MOST_FOUND, Ambiguous, Matched, Question

FIELDS = ("crm_id", "email", "name", "tel", "made")
CELLS = st.tuples(
    st.sampled_from([None, "r0", "r1", "r2"]),
    st.sampled_from([None, "", " ", "a@x.example", "A@x.example ", "b@x.example"]),
    st.sampled_from([None, "Kim", "Lee"]),
    st.sampled_from([None, "1", "2"]),
    st.sampled_from([None, *(dt.datetime(2026, 1, day, tzinfo=dt.UTC) for day in (1, 2))]),
)
ID = by_id("crm_id")
EMAIL = level("email", key("email", "email", str.lower), key("tel", "tel"))
PERSON = level("person", all_of(key("name", "name"), key("tel", "tel")))
CHAIN = level("chain", first_of(key("tel", "tel"), all_of(key("name", "name"), key("email", "email"))))
UNKNOWN = level("unknown", key("fax", "name"))
LEVELS = st.lists(st.sampled_from([ID, EMAIL, PERSON, CHAIN, UNKNOWN]), min_size=1, unique_by=lambda one: one.name)
RULES = st.sampled_from([refuse, oldest("made", left="made"), newest("made", left="made"), most_complete])


def pages(system, sides):
    """Cut records into pages, each with ids that go on from the page before."""
    made, start = [], 0
    for cells in sides:
        ids = tuple(f"{system[0]}{start + number}" for number in range(len(cells)))
        made.append(Rows(system, "person", FIELDS, ids, tuple(cells)))
        start += len(cells)
    return made


def tables(system):
    return st.lists(st.lists(CELLS, max_size=4), max_size=3).map(lambda sides: pages(system, sides))


def one_by_one(matcher, asking, held, towards):
    """Ask the matcher for every record, and show it all that there is: what it keeps carries the keys."""
    pairs, disputed = {}, {}
    everything = [record for rows in held for record in rows]
    for rows in asking:
        for record in rows:
            step = matcher.begin(record, "person", towards)
            while isinstance(step, Question):
                step = matcher.next(record, step, everything, towards)
            if isinstance(step, Matched):
                pairs[record.ref.id] = (step.level, step.ref.id)
            elif isinstance(step, Ambiguous):
                disputed[record.ref.id] = tuple(ref.id for ref in step.refs)
    return pairs, disputed


@given(tables("left"), tables("right"), LEVELS, RULES, st.sampled_from(["left", "right"]))
def test_a_join_finds_what_the_matcher_finds_one_by_one(left, right, levels, rule, towards):
    matcher = LevelMatcher(tuple(levels), rule)
    asking, held = (left, right) if towards == "right" else (right, left)
    found = join(matcher, asking, held, towards)
    pairs, disputed = one_by_one(matcher, asking, held, towards)
    assert {one: (name, other) for name, some in found.pairs.items() for one, other in some.items()} == pairs
    assert found.disputed == disputed


def test_of_duplicates_the_rule_adopts_one_and_without_a_rule_a_person_decides():
    day = [dt.datetime(2026, 1, day, tzinfo=dt.UTC) for day in (1, 2)]
    asking = pages("left", [[(None, "a@x.example", None, None, None)]])
    held = pages("right", [[(None, "A@X.example", None, None, day[0])], [(None, "a@x.example", None, None, day[1])]])
    assert join(LevelMatcher((EMAIL,), newest("made")), asking, held).pairs == {"email": {"l0": "r1"}}
    assert join(LevelMatcher((EMAIL,), oldest("made")), asking, held).pairs == {"email": {"l0": "r0"}}
    assert join(LevelMatcher((EMAIL,)), asking, held).disputed == {"l0": ("r0", "r1")}


@pytest.mark.parametrize(("count", "chosen"), [(11, True), (MOST_FOUND - 1, True), (MOST_FOUND, False)])
def test_the_rule_chooses_among_all_up_to_the_bound_that_a_run_has_too(count, chosen):
    days = [dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=number) for number in range(count)]
    asking = pages("left", [[(None, "a@x.example", None, None, None)]])
    held = pages("right", [[(None, "a@x.example", None, None, day) for day in days]])
    found = join(LevelMatcher((EMAIL,), newest("made")), asking, held)
    assert found.pairs == ({"email": {"l0": f"r{count - 1}"}} if chosen else {"email": {}})
    assert [len(others) for others in found.disputed.values()] == ([] if chosen else [count])


def test_a_level_of_grades_is_refused_by_name():
    graded = scored("alike", weigh(key("name", "name"), grade=bigrams), blocks=(key("tel", "tel"),), at_least=0.9)
    with pytest.raises(ValueError, match="'alike' grades records"):
        join(LevelMatcher((EMAIL, graded)), [], [])


def test_neither_ids_nor_addresses_are_shown():
    held = pages("right", [[("r0", "kim@x.example", None, None, None)]])
    assert "r0" not in repr(join(LevelMatcher((ID,)), pages("left", [[("r0", *[None] * 4)]]), held))
    twice = pages("right", [[(None, "kim@x.example", None, None, None)] * 2])
    disputed = join(LevelMatcher((EMAIL,)), pages("left", [[(None, "kim@x.example", None, None, None)]]), twice)
    assert disputed.disputed
    assert "r0" not in repr(disputed)
