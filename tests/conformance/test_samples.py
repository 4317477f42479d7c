"""A sample fits its field, whatever bounds the schema names; where none does, the trial says so."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.model import FieldSpec, FieldType
from crmbridge.preflight import problem
from crmbridge.testing import FakeConnector, conformance, described
from crmbridge.testing.checks._samples import long_address, value_of
from crmbridge.testing.sim import SimDriver
from crmbridge.testing.strategies import cells, field_specs

BOUNDED = (
    FieldSpec("score", FieldType.NUMBER, least=0, most=100),
    FieldSpec("year", FieldType.NUMBER, least=1900, most=2100),
    FieldSpec("debt", FieldType.NUMBER, most=-5),
    FieldSpec("share", FieldType.NUMBER, least=Decimal("0.2"), most=Decimal("0.8")),
    FieldSpec("since", FieldType.DATE, least=dt.date(2025, 1, 1)),
    FieldSpec("until", FieldType.DATE, most=dt.date(1999, 1, 1)),
    FieldSpec("month", FieldType.DATE, least=dt.date(2020, 1, 1), most=dt.date(2020, 2, 1)),
    FieldSpec("seen", FieldType.INSTANT, least=dt.datetime(2030, 1, 1, tzinfo=dt.UTC)),
    FieldSpec("mail", FieldType.EMAIL, max_length=15),
    FieldSpec("brief", FieldType.EMAIL, max_length=5),
    FieldSpec("guided", FieldType.EMAIL, email_rule="guide"),
    FieldSpec("code", max_bytes=6, encoding="cp932"),
    FieldSpec("sign", max_length=1),
    FieldSpec("rate", FieldType.NUMBER, digits=3, scale=2),
)


@given(field_specs(), st.integers(0, 10**8))
def test_a_sample_fits_its_field(spec, n):
    assert problem(spec, value_of(spec, n), creating=True) is None


@given(st.sampled_from(BOUNDED), st.data())
def test_a_sample_and_a_drawn_cell_fit_the_bounds_of_their_field(spec, data):
    number = data.draw(st.integers(0, 10**8))
    assert problem(spec, value_of(spec, number), creating=True) is None
    assert problem(spec, data.draw(cells(spec)), creating=True) is None


@given(st.integers(0, 10**7), st.integers(1, 5))
def test_samples_that_are_near_each_other_differ(n, step):
    for spec in (
        FieldSpec("mail", FieldType.EMAIL, max_length=15),
        FieldSpec("score", FieldType.NUMBER, least=0, most=9),
    ):
        assert value_of(spec, n) != value_of(spec, n + step)


def test_a_long_address_is_as_long_as_its_field_and_the_part_before_the_sign_may_be():
    assert len(long_address(FieldSpec("mail", FieldType.EMAIL, max_length=40), 7)) == 40
    assert long_address(FieldSpec("mail", FieldType.EMAIL), 7).index("@") == 64


@pytest.mark.parametrize("spec", BOUNDED, ids=lambda spec: spec.name)
def test_a_sound_connector_with_a_bounded_field_is_caught_by_no_law(spec):
    kind = described("contact", FieldSpec("name", max_length=80, required=True), spec)
    report = conformance(FakeConnector("acme", kind), SimDriver(), kind="contact")
    assert report.of("broken") == []
    assert len(report.of("held")) > 50


def test_where_no_sample_fits_the_trial_asks_for_values():
    kind = described("contact", FieldSpec("name"), FieldSpec("mail", FieldType.EMAIL, max_length=4))
    report = conformance(FakeConnector("acme", kind), SimDriver(), kind="contact")
    assert report.of("broken") == []
    assert {verdict.detail for verdict in report.of("not claimed")} >= {
        "no sample fits mail: give KindUnderTest(values=...)"
    }


@pytest.mark.parametrize(
    ("encoding", "text", "told"),
    [
        ("cp932", "𠮷田", "a text with a sign that cp932 lacks: FieldSpec.encoding is another one"),
        ("utf-8", "山田\ud83d", "a text with half of a character"),
    ],
)
def test_a_text_that_its_field_cannot_hold_is_told_by_what_is_wrong_with_it(encoding, text, told):
    connector = FakeConnector("acme", described("contact", FieldSpec("name", encoding=encoding)))
    connector.put("contact", name=text)
    [broken] = conformance(connector, SimDriver(), kind="contact").of("broken")
    assert (broken.law, broken.detail) == (
        "cells_are_of_their_fields_types", f"name is a text by the schema, and read gives {told}"
    )  # fmt: skip
