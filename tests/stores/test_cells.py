"""Cells go to JSON and come back as they were."""

import datetime as dt
import json
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.errors import UsageError
from crmbridge.model import MISSING, RecordRef
from crmbridge.stores._cells import Unreadable, dumps, from_json, loads, storable, to_json

zones = st.one_of(
    st.sampled_from([dt.UTC, dt.timezone(dt.timedelta(hours=9)), ZoneInfo("Asia/Tokyo"), ZoneInfo("America/New_York")]),
    st.integers(-80_000, 80_000).map(lambda seconds: dt.timezone(dt.timedelta(seconds=seconds))),
)
texts = st.text(st.characters(exclude_categories=()))
refs = st.builds(RecordRef, texts, texts, texts)
cells = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(64, 20_000).map(lambda bits: -(1 << bits)), texts,
    st.decimals(allow_nan=False), st.dates(), st.datetimes(timezones=st.none() | zones),
    st.lists(texts, max_size=3).map(tuple), refs, st.lists(refs, max_size=3).map(tuple), st.just(MISSING),
)  # fmt: skip


@given(st.lists(cells).map(tuple))
def test_cells_come_back_equal_and_of_their_own_type(row):
    found = loads(dumps(row))
    assert found == row
    assert [type(cell) for cell in found] == [type(cell) for cell in row]
    assert [str(cell) for cell in found if isinstance(cell, Decimal)] == [str(c) for c in row if isinstance(c, Decimal)]


@given(st.lists(cells).map(tuple))
def test_every_text_is_json_that_utf_8_can_carry(row):
    text = dumps(row)
    assert storable(text)
    assert "\0" not in text
    assert isinstance(json.loads(text), list)


@given(st.datetimes(timezones=zones))
def test_an_instant_keeps_its_offset_and_its_microseconds(at):
    [found] = loads(dumps((at,)))
    assert (found, found.utcoffset(), found.microsecond) == (at, at.utcoffset(), at.microsecond)


def test_an_instant_of_a_repeated_hour_is_equal_to_itself():
    for fold in (0, 1):
        at = dt.datetime(2026, 11, 1, 1, 30, fold=fold, tzinfo=ZoneInfo("America/New_York"))
        [found] = loads(dumps((at,)))
        assert found == at
        assert found.utcoffset() == at.utcoffset()


@given(st.lists(cells, min_size=2, max_size=2, unique_by=repr))
def test_different_cells_are_written_differently(pair):
    one, other = pair
    if type(one) is not type(other) or one != other:
        assert dumps((one,)) != dumps((other,))


def test_a_decimal_that_is_no_number_survives():
    assert [str(cell) for cell in loads(dumps((Decimal("NaN"), Decimal("-Infinity"))))] == ["NaN", "-Infinity"]


@pytest.mark.parametrize("value", [1.5, b"x", ["a"], {"a": 1}, ("a", 1), (("a",),), object()])
def test_what_is_no_cell_is_refused_by_its_type_and_never_quoted(value):
    with pytest.raises(UsageError) as refused:
        to_json(value)
    assert "no cell" in str(refused.value)
    assert repr(value) not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "", "[", "{}", '"a"', "[] []", "[{}]", "[" * 100_000, '[{"huh": 1}]', '[{"decimal": "x"}]', '[{"ref": [1]}]',
        '[{"decimal": 1, "date": 2}]', '[{"instant": []}]', '[{"instant": [1]}]', '[{"instant": ["2026-01-01", "No/Where"]}]',
    ],
)  # fmt: skip
def test_what_is_not_in_our_form_is_said_to_be_unreadable(text):
    with pytest.raises(Unreadable):
        loads(text)


def test_an_instant_of_a_zone_that_is_not_installed_keeps_its_offset():
    found = from_json({"instant": ["2026-01-01T00:00:00+09:00", "No/Where", 0]})
    assert found == dt.datetime(2026, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=9)))
