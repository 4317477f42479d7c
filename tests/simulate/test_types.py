"""Simulation of fields that hold no text: numbers, dates, instants, flags, choices."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest

from crmbridge import at, key, level, one_way, pair, policies, two_way
from crmbridge.model import CreateClass, FieldSpec, FieldType
from crmbridge.testing.connector import EVERYTHING, described
from crmbridge.testing.faulty import FaultyConnector
from crmbridge.testing.sim import ManualClock
from crmbridge.testing.simulation import SimWorld, simulate

KEYED = attrs.evolve(EVERYTHING, creates=CreateClass.A, create_key="@key", settles_in=dt.timedelta(minutes=1))

RANKS = ("gold", "silver", "iron")

TYPED = {
    "amount": {"type": FieldType.NUMBER},
    "born": {"type": FieldType.DATE},
    "seen": {"type": FieldType.INSTANT},
    "happy": {"type": FieldType.FLAG},
    "rank": {"type": FieldType.CHOICE, "options": RANKS},
    "likes": {"type": FieldType.CHOICES, "options": RANKS},
    "mail": {"type": FieldType.EMAIL},
}
"""One field of each type; at the right its name begins with a capital."""

NARROW = {
    "amount": {"digits": 2},
    "born": {"least": dt.date(2024, 6, 1), "most": dt.date(2024, 12, 31)},
    "rank": {"options": ("gold", "iron", "tin")},
}
"""Of these fields the right system takes less."""


def world(seed, narrow=NARROW, more=()):
    clock = ManualClock()
    texts = [FieldSpec("email"), FieldSpec("name")]
    left = [*texts, *(FieldSpec(name, **spec) for name, spec in TYPED.items()), *more]
    right = [attrs.evolve(spec, name=spec.name.title(), **narrow.get(spec.name, {})) for spec in left]
    return SimWorld(
        clock,
        FaultyConnector("shop", described("person", *left), capabilities=KEYED, now=clock.now),
        FaultyConnector("crm", described("lead", *right), capabilities=KEYED, now=clock.now),
    )


def build(start=two_way, via=None, policy=policies.right_wins):
    names = ("email", "name", *TYPED)

    def built(made):
        pairs = [pair(name, name.title(), via=(via or {}).get(name)) for name in names]
        return (
            start("people", at(made.left, "person"), at(made.right, "lead"))
            .match(level("email", key("email", "Email")))
            .creates(left=start is two_way, right=True)
            .fields(*pairs, policy=policy)
        )

    return built


@pytest.mark.parametrize("start", [two_way, one_way], ids=["two_way", "one_way"])
def test_values_of_every_type_are_written_and_break_no_law(start, counted):
    report = simulate(build(start), world, seeds=30, crashes=True)
    assert counted(report).ok, report
    assert all(report.reached[f"pair {name}|{name.title()}"] > 20 for name in TYPED)


def test_people_write_what_both_systems_take():
    report = simulate(build(), world, seeds=20, faults={})
    assert report.ok, report
    assert report.reached["quarantined"] == 0


class Always:
    """Puts every value into one at either side."""

    def __init__(self, there, here):
        self._there, self._here = there, here

    def encode(self, _):
        return self._there

    def decode(self, _):
        return self._here


class DayOff:
    """Adds a day each way."""

    def encode(self, value):
        return value + dt.timedelta(days=1)

    def decode(self, value):
        return value + dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("field", "codec"),
    [
        ("amount", Always(7, 8)),
        ("born", DayOff()),
        ("seen", DayOff()),
        ("happy", Always(True, False)),
        ("rank", Always("gold", "iron")),
    ],
    ids=["amount", "born", "seen", "happy", "rank"],
)
def test_a_codec_that_loses_a_value_that_is_no_text_is_found(field, codec):
    found = simulate(build(via={field: codec}), lambda seed: world(seed, {}), seeds=20, tries=10)
    assert {violation.law for violation in found.violations} <= {"I2", "I3", "I4"}
    assert any(f".{field}" in violation.told for violation in found.violations)


def test_a_pair_that_nobody_can_write_a_value_for_is_named_as_unreached():
    point = FieldSpec("boss", FieldType.REFERENCE, refers_to=("person",))

    def more(made):
        return build()(made).fields(pair("boss", "Boss", policies.left_wins))

    report = simulate(more, lambda seed: world(seed, more=[point]), seeds=2)
    assert report.unreached == ("pair boss|Boss",)
    assert not report.ok
    assert "not proved: pair boss|Boss" in str(report)
    excused = simulate(
        more,
        lambda seed: attrs.evolve(world(seed, more=[point]), beyond={"pair boss|Boss": "nobody has a boss"}),
        seeds=2,
    )
    assert excused.ok, excused
