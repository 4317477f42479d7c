"""Forms that targets ask for, there and back."""

from __future__ import annotations

import datetime as dt
import re
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
from crmbridge.japanese.eras import EraDay
from crmbridge.japanese.numerals import in_kanji

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


@pytest.mark.parametrize("value", ["2026-04-01", 20260401, None])
def test_what_is_no_day_is_not_written_as_one(value: object) -> None:
    with pytest.raises(ValueError, match="only a day"):
        Day().encode(value)
    with pytest.raises(ValueError, match="only a day"):
        EraDay().encode(value)


def test_what_is_no_text_is_not_read_as_a_day() -> None:
    with pytest.raises(ValueError, match="a day is"):
        Day().decode(dt.date(2026, 4, 1))
    with pytest.raises(ValueError, match="a day is"):
        EraDay().decode(20260401)


# -- eras ----------------------------------------------------------------------------------


@given(day=st.dates(min_value=dt.date(1873, 1, 1), max_value=dt.date(2117, 12, 31)), letter=st.booleans())
def test_days_by_their_era_there_and_back(day: dt.date, *, letter: bool) -> None:
    assert EraDay(letter=letter).decode(EraDay(letter=letter).encode(day)) == day


@given(day=st.dates(min_value=dt.date(1873, 1, 1), max_value=dt.date(2117, 12, 31)))
def test_a_day_by_its_era_is_read_in_full_width_in_kanji_numerals_and_with_blanks(day: dt.date) -> None:
    text = EraDay().encode(day)
    in_numerals = re.sub("[0-9]+", lambda digits: in_kanji(int(digits[0])), text)
    wide = text.translate({ord(str(digit)): chr(0xFF10 + digit) for digit in range(10)})
    apart = re.sub("([0-9]+|元)", r" \1 ", text)
    assert {EraDay().decode(form) for form in (in_numerals, wide, apart, text[0] + text[2:])} == {day}


@pytest.mark.parametrize(
    "text",
    [
        "令和8年4月1日", "令和八年四月一日", "令和８年４月１日", "令和 8年 4月 1日", "令和08年04月01日", "㋿8年4月1日",
        "令8.4.1", "R8.4.1", "r8.4.1", "Ｒ８．４．１", "R08.04.01", "R8/4/1", "R8-4-1", "令和8・4・1", "R080401",
        "2026-04-01", "2026年4月1日",
    ],
)  # fmt: skip
def test_a_day_by_its_era_is_read_in_any_usual_form(text: str) -> None:
    assert EraDay().decode(text) == dt.date(2026, 4, 1)


@pytest.mark.parametrize(
    ("day", "text"),
    [
        (dt.date(1873, 1, 1), "明治6年1月1日"), (dt.date(1912, 7, 29), "明治45年7月29日"),
        (dt.date(1912, 7, 30), "大正元年7月30日"), (dt.date(1926, 12, 24), "大正15年12月24日"),
        (dt.date(1926, 12, 25), "昭和元年12月25日"), (dt.date(1989, 1, 7), "昭和64年1月7日"),
        (dt.date(1989, 1, 8), "平成元年1月8日"), (dt.date(2019, 4, 30), "平成31年4月30日"),
        (dt.date(2019, 5, 1), "令和元年5月1日"), (dt.date(2020, 1, 1), "令和2年1月1日"),
    ],
)  # fmt: skip
def test_an_era_has_the_days_of_its_edicts(day: dt.date, text: str) -> None:
    assert EraDay().encode(day) == text
    assert EraDay().decode(text) == day


def test_the_day_on_which_an_era_began_is_known_by_the_older_one_where_it_was_still_that_day() -> None:
    assert EraDay().decode("明治45年7月30日") == dt.date(1912, 7, 30)
    assert EraDay().decode("大正15年12月25日") == dt.date(1926, 12, 25)


@pytest.mark.parametrize(
    "text",
    [
        "明治5年12月2日", "明治45年7月31日", "大正元年7月29日", "大正15年12月26日", "昭和元年12月24日", "昭和64年1月8日",
        "平成元年1月7日", "平成31年5月1日", "令和元年4月30日", "令和0年5月1日", "令和8年2月30日", "令和8年13月1日",
        "令和8年4月", "令和8年", "令和", "R8", "K8.4.1", "令和8年4月1", "令和元.5.", "令和二千年一月一日", "令和8年4月1日" * 9,
    ],
)  # fmt: skip
def test_a_day_that_its_era_did_not_have_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"day|month|year"):
        EraDay().decode(text)


@pytest.mark.parametrize("value", [dt.date(1872, 12, 31), dt.datetime(2026, 4, 1, tzinfo=dt.UTC)])
def test_a_day_of_the_old_calendar_and_a_moment_have_no_era(value: dt.date) -> None:
    with pytest.raises(ValueError, match=r"before 1873|only a day"):
        EraDay().encode(value)


@given(text=st.text(alphabet="令和元年月日MTSHR0123456789〇一二十./-・ ", max_size=45))
def test_whatever_is_written_is_a_day_or_a_value_error(text: str) -> None:
    try:
        day = EraDay().decode(text)
    except ValueError:
        return
    assert isinstance(day, dt.date)
