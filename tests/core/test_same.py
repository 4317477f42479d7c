"""Which two values could be one in two stored forms, whatever a system does that it declares nowhere."""

from __future__ import annotations

import decimal
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crmbridge.model import FieldSpec, FieldType, Normalisation, RecordRef
from crmbridge.plan import alike

ROUNDINGS = (decimal.ROUND_HALF_UP, decimal.ROUND_HALF_EVEN, decimal.ROUND_HALF_DOWN)
WIDE = decimal.Context(prec=200)


def rounding(scale, **more):
    return FieldSpec("r", FieldType.NUMBER, scale=scale, normalises=frozenset({Normalisation.SCALE}), **more)


def stored(number, scale, ties):
    """Round as a system does, to whole units of the last place."""
    return number.quantize(Decimal(1).scaleb(-scale, WIDE), ties, WIDE)


def halves(scale):
    """Numbers that lie right between two that a field holds."""
    return st.integers(-(10**30), 10**30).map(lambda units: (Decimal(units) + Decimal("0.5")).scaleb(-scale, WIDE))


SCALES = st.integers(0, 8)
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=12) | st.decimals(-1000, 1000, places=3)
CASES = SCALES.flatmap(lambda scale: st.tuples(st.just(scale), halves(scale) | NUMBERS))


@pytest.mark.parametrize("ties", ROUNDINGS)
@given(CASES)
@example((2, Decimal("0.125")))
@example((2, Decimal("-0.125")))
@example((0, Decimal("2500.50")))
@example((2, Decimal("1234567890123456789012345678901234.565")))
def test_what_a_system_makes_of_a_number_is_the_same_number_however_it_rounds_halves(ties, case):
    scale, number = case
    same, held = alike(rounding(scale)), stored(number, scale, ties)
    assert same(number, held)
    assert same(held, number)
    assert same(str(number), held)


@given(CASES)
def test_a_number_that_no_rounding_makes_of_another_is_a_persons(case):
    scale, number = case
    same = alike(rounding(scale))
    could = {stored(number, scale, ties) for ties in ROUNDINGS}
    unit = Decimal(1).scaleb(-scale)
    for steps in (-2, -1, 1, 2):
        other = WIDE.add(stored(number, scale, decimal.ROUND_FLOOR), steps * unit)
        assert same(number, other) == (other in could)


def test_the_two_numbers_that_a_half_may_become_are_not_the_same():
    same = alike(rounding(2))
    assert same(Decimal("0.125"), Decimal("0.12"))
    assert same(Decimal("0.125"), Decimal("0.13"))
    assert not same(Decimal("0.12"), Decimal("0.13"))
    assert not same(Decimal("0.125"), Decimal("0.135"))


@pytest.mark.parametrize("huge", ["1E+999999", "-1E+999999", "1E-999999", "9" * 5000 + ".5"])
def test_a_number_of_any_size_is_judged_without_being_written_out(huge):
    same = alike(rounding(2))
    assert same(huge, Decimal(huge))
    assert not same(huge, Decimal(1))


def test_a_field_that_refuses_decimals_knows_no_halves():
    same = alike(FieldSpec("r", FieldType.NUMBER, scale=2))
    assert not same(Decimal("0.125"), Decimal("0.13"))
    assert same("0.130", Decimal("0.13"))


def user(id, kind="user"):
    return RecordRef("crm", kind, id)


def test_an_id_in_a_text_is_the_same_as_the_reference_that_is_read():
    same = alike(FieldSpec("l"), FieldSpec("r", FieldType.REFERENCE))
    assert same("u1", user("u1"))
    assert same(user("u1"), "u1")
    assert not same("u2", user("u1"))
    assert not same("u", user("u1"))
    assert not same(None, user("u1"))
    assert same(("u1", "u2"), (user("u1"), user("u2")))
    assert not same(("u1", "u3"), (user("u1"), user("u2")))


def test_two_references_are_the_same_only_where_they_point_to_one_record():
    same = alike(FieldSpec("r", FieldType.REFERENCE))
    assert same(user("u1"), user("u1"))
    assert not same(user("u1"), user("u1", "queue"))


def test_an_id_may_be_given_without_the_signs_at_its_end_that_only_check_the_others():
    same = alike(FieldSpec("l"), FieldSpec("r", FieldType.REFERENCE, id_check=2))
    for one, two in (("u1", user("u1XX")), ("u1", "u1XX"), (" u1 ", user("u1XX")), ("u1", "u1")):
        assert same(one, two)
        assert same(two, one)
    assert not same("u2", user("u1XX"))
    assert not same("u", user("u1XX"))
    assert not same("u1XX", user("u1YY"))
    assert not same("", user("XX"))
    assert not alike(FieldSpec("l"), FieldSpec("r", FieldType.REFERENCE))("u1", user("u1XX"))


def test_of_fields_of_which_nothing_is_declared_every_sign_counts():
    assert alike(None, None)("u1", "u1")
    assert not alike(None, None)("u1", "u1X")
