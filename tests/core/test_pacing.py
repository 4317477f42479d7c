"""Pacing against a model that looks at every minute."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.errors import UsageError
from crmbridge.pacing import Pacing, Reserved, TooSoon, asked
from crmbridge.roles import Start

NOON = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)
MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
JST = dt.timezone(9 * HOUR)


def minutes(count):
    return count * MINUTE


pacings = st.builds(
    Pacing,
    st.integers(0, 9).map(minutes),
    st.integers(0, 5).map(minutes),
    st.none() | st.integers(1, 3),
    st.integers(1, 12).map(minutes) | st.just("day"),
)
starts = st.lists(st.tuples(st.integers(-15, 15), st.sampled_from("ab")), max_size=8)


def fits(pacing, times, key, at):
    """Say by definition whether one more start breaks no rule that was kept without it."""
    for start in times:
        if abs(at - start.at) < pacing.spacing or (start.key == key and abs(at - start.at) < pacing.cooldown):
            return False
    if pacing.reservations is None:
        return True
    instants = [start.at for start in times]
    if pacing.window == "day":
        days = [one.astimezone(JST).date() for one in instants]
        return days.count(at.astimezone(JST).date()) < pacing.reservations
    return all(
        sum(begin <= one < begin + pacing.window for one in [*instants, at]) <= pacing.reservations
        for begin in instants + [at - minutes(back) for back in range(12)]
        if begin <= at < begin + pacing.window
    )


@given(pacing=pacings, made=starts, key=st.sampled_from("ab"))
def test_a_refusal_names_the_first_minute_that_is_accepted(pacing, made, key):
    times = [Start(name, NOON + minutes(at)) for at, name in sorted(made)]
    answer = asked(pacing, times, key, NOON)
    at = answer.starts if isinstance(answer, Reserved) else answer.earliest
    assert fits(pacing, times, key, at)
    earlier = ((at - NOON) // MINUTE) if pacing.window != "day" else min((at - NOON) // MINUTE, 60)
    assert not any(fits(pacing, times, key, NOON + minutes(ahead)) for ahead in range(earlier))
    if isinstance(answer, TooSoon):
        assert at > NOON
        assert answer.because.facts["until"] == at
        assert asked(pacing, times, key, at) == Reserved(at)


@given(pacing=pacings, keys=st.lists(st.sampled_from("abc"), max_size=12))
def test_turns_that_are_given_one_after_the_other_are_all_kept(pacing, keys):
    times = []
    for key in keys:
        answer = asked(pacing, times, key, NOON)
        turn = Start(key, answer.starts if isinstance(answer, Reserved) else answer.earliest)
        assert fits(pacing, times, key, turn.at)
        times = sorted([*times, turn], key=lambda one: one.at)


def test_a_day_is_cut_after_conversion_to_japanese_time():
    daily = Pacing(reservations=1)
    before_midnight = dt.datetime(2026, 1, 5, 14, 59, tzinfo=dt.UTC)
    made = [Start("a", before_midnight)]
    refused = asked(daily, made, "b", before_midnight)
    assert refused.earliest == dt.datetime(2026, 1, 5, 15, tzinfo=dt.UTC)
    assert isinstance(asked(daily, made, "b", refused.earliest), Reserved)
    assert asked(daily, made, "b", dt.datetime(2026, 1, 5, 1, tzinfo=dt.UTC)).earliest == refused.earliest


def test_three_reports_an_hour_apart_and_none_twice_within_two_hours():
    """GENIEE-26 to -28."""
    pacing = Pacing(cooldown=2 * HOUR, spacing=HOUR)
    made = [Start("one", NOON)]
    told = []
    for key in ("two", "three", "four"):
        told.append(asked(pacing, made, key, NOON + MINUTE).earliest)
        made.append(Start(key, told[-1]))
    assert told == [NOON + HOUR, NOON + 2 * HOUR, NOON + 3 * HOUR]
    again = asked(pacing, made[:1], "one", NOON + HOUR)
    assert (again.earliest, again.because.facts["pace"]) == (NOON + 2 * HOUR, "cooldown")


@pytest.mark.parametrize(
    "wrong", [{"cooldown": -HOUR}, {"spacing": -HOUR}, {"reservations": 0}, {"window": dt.timedelta(0)}]
)
def test_a_pacing_that_means_nothing_is_refused(wrong):
    with pytest.raises(UsageError):
        Pacing(**wrong)
