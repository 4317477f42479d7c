"""Values made from a record: each depends on the record alone."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.errors import UsageError
from crmbridge.given import Given, as_given, coalesce, computed, field, joined, template
from crmbridge.model import MISSING, Record, RecordRef, Rows

TEXT = st.text(max_size=8)


def record(**values):
    return Record(Rows("ma", "person", tuple(values), ("1",), (tuple(values.values()),)), 0)


def upper(value):
    return value.upper()


@pytest.mark.parametrize(
    ("made", "value", "name"),
    [
        (as_given("x"), "x", "constant"),
        (as_given(None), None, "constant"),
        (field("a"), "Kim", "a"),
        (joined("a", "none", "b", sep=" "), "Kim Park", "joined(a, none, b)"),
        (joined("none"), None, "joined(none)"),
        (joined("a", "tags", sep="/"), "Kim/x/y", "joined(a, tags)"),
        (template("{a} from {none}!"), "Kim from !", "template"),
        (template(""), None, "template"),
        (computed(upper, "a"), "KIM", "upper(a)"),
        (computed(upper, "none"), None, "upper(none)"),
        (coalesce(field("none"), field("b")), "Park", "coalesce(none, b)"),
        (coalesce(field("none")), None, "coalesce(none)"),
    ],
)
def test_a_value_is_made_and_named(made, value, name):
    assert isinstance(made, Given)
    assert made.value(record(a="Kim", b="Park", none=" ", tags=("x", "y"))) == value
    assert made.name == name


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            ("a", "b"),
            "coalesce('a', …): a text is a constant here, so what follows is never asked; for a field write field('a')",
        ),
        ((field("a"), "b", field("none")), "coalesce('b', …): a text is a constant"),
        ((field("a"), as_given("b"), None), "coalesce('b', …): a text is a constant"),
        ((False, field("a")), "coalesce(False, …): a value is a constant here, so what follows is never asked"),
    ],
)
def test_a_constant_that_something_follows_is_refused_since_people_mean_a_field(given, said):
    with pytest.raises(UsageError) as refused:
        coalesce(*given)
    assert str(refused.value).startswith(said)


@pytest.mark.parametrize("blank", [None, "", " ", (), as_given(None)])
def test_a_blank_that_something_follows_says_nothing(blank):
    assert coalesce(blank, field("b"), "nobody").value(record(b="Park")) == "Park"
    assert coalesce(blank, field("b"), "nobody").value(record(b=None)) == "nobody"


@pytest.mark.parametrize(
    "made", [field("a"), joined("a", "b"), template("{a}"), computed(upper, "a"), coalesce(field("a"))]
)
def test_a_field_that_was_not_read_makes_no_value(made):
    assert made.value(record(b="x")) is MISSING
    assert "a" in made.fields


@given(TEXT, TEXT)
def test_what_a_field_holds_is_text_and_never_a_template(a, b):
    assert template("<{a}|{b}>").value(record(a=a, b=b)) == f"<{'' if a.isspace() else a}|{'' if b.isspace() else b}>"


@given(st.lists(TEXT, min_size=1, max_size=4))
def test_joining_leaves_out_blanks_and_keeps_the_order(texts):
    named = {f"f{place}": text for place, text in enumerate(texts)}
    kept = [text for text in texts if text and not text.isspace()]
    assert joined(*named, sep="·").value(record(**named)) == ("·".join(kept) or None)


@pytest.mark.parametrize(
    ("value", "written", "in_a_row"),
    [
        (("x", "y"), "x, y", "x/y"),
        (("x", "", "y"), "x, y", "x/y"),
        ((), "", ""),
        (True, "true", "true"),
        (False, "false", "false"),
        (0, "0", "0"),
        (Decimal("1E+3"), "1000", "1000"),
        (Decimal("0.10"), "0.10", "0.10"),
        (dt.date(2026, 1, 2), "2026-01-02", "2026-01-02"),
        (dt.datetime(2026, 1, 2, 9, tzinfo=dt.UTC), "2026-01-02 09:00:00+00:00", "2026-01-02 09:00:00+00:00"),
        (RecordRef("crm", "account", "a1"), "a1", "a1"),
        ((RecordRef("crm", "account", "a1"), RecordRef("crm", "account", "a2")), "a1, a2", "a1/a2"),
    ],
)
def test_every_sort_of_value_is_written_as_people_write_it(value, written, in_a_row):
    assert template("<{a}>").value(record(a=value)) == f"<{written}>"
    assert joined("a", "b", sep="/").value(record(a=value, b="b")) == (f"{in_a_row}/b" if in_a_row else "b")


def test_a_constant_is_kept_out_of_sight():
    assert "secret" not in repr(as_given("secret"))
