"""Forms that targets ask for, there and back."""

from __future__ import annotations

import datetime as dt
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.japanese import PersonName
from crmbridge.japanese.codecs import (
    JST,
    Day,
    FullWidth,
    HalfWidthKana,
    Hiragana,
    JoinedName,
    Katakana,
    NumericMoment,
    OffsetMoment,
)

KATAKANA = "".join(map(chr, range(0x30A1, 0x30F5)))
HALF_EXISTS = "".join(sign for sign in KATAKANA if sign not in "ヮヰヱヵヶ") + "ー・「」、。 A1漢"
OFFSETS = st.sampled_from([dt.UTC, JST, dt.timezone(dt.timedelta(hours=-8))])
MOMENTS = st.datetimes(min_value=dt.datetime(1900, 1, 1), max_value=dt.datetime(2999, 12, 30), timezones=OFFSETS).map(
    lambda moment: moment.replace(microsecond=0)
)


@given(text=st.text(alphabet=KATAKANA + "ー・ 漢A"))
def test_hiragana_there_and_back(text: str) -> None:
    assert Hiragana().decode(Hiragana().encode(text)) == text


@given(text=st.text(alphabet="".join(map(chr, range(0x3041, 0x3097))) + "ー漢"))
def test_katakana_there_and_back(text: str) -> None:
    assert Katakana().decode(Katakana().encode(text)) == text


@given(text=st.text(alphabet=HALF_EXISTS))
def test_half_width_kana_there_and_back(text: str) -> None:
    assert HalfWidthKana().decode(HalfWidthKana().encode(text)) == text


def test_half_width_kana_have_their_marks_apart() -> None:
    assert HalfWidthKana().encode("ガパー・ヴ漢A") == "ｶﾞﾊﾟｰ･ｳﾞ漢A"


@given(text=st.text(alphabet=st.characters(max_codepoint=0x7E, min_codepoint=0x20)))
def test_full_width_there_and_back(text: str) -> None:
    assert FullWidth().decode(FullWidth().encode(text)) == text
    assert FullWidth().encode("a 1") == "ａ\u3000１"


@given(day=st.dates(min_value=dt.date(1000, 1, 1)), between=st.sampled_from(["-", "/", ""]))
def test_days_there_and_back(day: dt.date, between: str) -> None:
    assert Day(between).decode(Day(between).encode(day)) == day


@pytest.mark.parametrize(
    "text", ["2026-04-01", "2026/4/1", "２０２６／４／１", "2026年4月1日", "20260401", "2026-04", "2026年4月"]
)
def test_a_day_is_read_in_any_usual_form_and_missing_parts_are_the_first(text: str) -> None:
    assert Day().decode(text) == dt.date(2026, 4, 1)


@pytest.mark.parametrize(
    "text", ["", "today", "2026-13-01", "2026-02-30", "26-4-1", "2026-04-01T00:00", "2026-04-01\u0301"]
)
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"day|month"):
        Day().decode(text)


def test_a_long_run_of_marks_is_no_day_and_costs_nothing() -> None:
    began = time.process_time()
    with pytest.raises(ValueError, match="a day is"):
        Day().decode("2026-04-01" + "\u0301\u3099" * 100_000)
    assert time.process_time() - began < 1


@given(moment=MOMENTS)
def test_moments_there_and_back(moment: dt.datetime) -> None:
    assert NumericMoment().decode(NumericMoment().encode(moment)) == moment
    assert OffsetMoment().decode(OffsetMoment().encode(moment)) == moment


def test_a_moment_is_written_in_the_time_of_japan() -> None:
    moment = dt.datetime(2026, 3, 31, 15, 30, 5, tzinfo=dt.UTC)
    assert NumericMoment().encode(moment) == 20260401003005
    assert OffsetMoment().encode(moment) == "2026-04-01T00:30:05+09:00"
    assert OffsetMoment().decode("2026-03-31T15:30:05") == moment


@pytest.mark.parametrize("codec", [NumericMoment(), OffsetMoment()])
def test_a_moment_without_a_zone_is_refused(codec: NumericMoment | OffsetMoment) -> None:
    with pytest.raises(ValueError, match="time zone"):
        codec.encode(dt.datetime(2026, 4, 1))


@pytest.mark.parametrize("number", [20261301000000, 2026, "20260401", "2026-04-01"])
def test_a_number_that_is_no_moment_is_refused(number: int | str) -> None:
    with pytest.raises(ValueError):
        NumericMoment().decode(number)


@given(
    family=st.text(alphabet="山田太郎", min_size=1),
    given_name=st.text(alphabet="山田太郎 "),
    blank=st.sampled_from(["\u3000", "・"]),
)
def test_names_there_and_back(family: str, given_name: str, blank: str) -> None:
    codec = JoinedName(blank)
    assert codec.decode(codec.encode(PersonName(family, given_name))) == PersonName(family, given_name)
