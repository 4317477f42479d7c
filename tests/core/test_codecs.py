"""Codecs read what a value says and nothing else; what they cannot read they say with a ValueError."""

from __future__ import annotations

import datetime as dt
import time
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge import at, key, level, one_way, pair, plain
from crmbridge.codecs import choices, number_text, whole_number_text
from crmbridge.model import Disposition, FieldSpec, FieldType, RecordRef
from crmbridge.quarantine import parked
from crmbridge.reasons import Code
from crmbridge.stores import MemoryStore
from crmbridge.testing import FakeConnector, described

NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=3) | st.integers().map(Decimal)
CELLS = st.one_of(
    st.text(),
    st.text("0123456789０１,，.．-+eE_ ²①", max_size=12),
    st.booleans(),
    st.integers(),
    st.decimals(),
    st.dates(),
    st.datetimes(timezones=st.just(dt.UTC)),
    st.lists(st.text()).map(tuple),
    st.builds(RecordRef, st.just("crm"), st.just("lead"), st.text()),
    st.none(),
)


@given(NUMBERS)
def test_a_number_with_commas_between_its_thousands_is_read_as_what_it_is(number):
    assert number_text.encode(f"{number:,f}") == number
    assert number_text.encode(f"{number:f}") == number
    assert (
        number_text.encode(f"{number:,f}".translate(str.maketrans("0123456789,.-", "０１２３４５６７８９，．－")))
        == number
    )


@given(st.integers(min_value=0), st.data())
def test_a_number_with_a_comma_anywhere_else_is_none(number, data):
    text = str(number)
    place = data.draw(st.integers(0, len(text)))
    written = f"{text[:place]},{text[place:]}"
    if written == f"{number:,}":
        assert number_text.encode(written) == number
    else:
        with pytest.raises(ValueError, match="not a number"):
            number_text.encode(written)


@pytest.mark.parametrize(
    "text",
    ["1,5", "12,34", "1,2,3", "1234,567", "1,2345", ",123", "1,234,", "1.234,5", "1,234.5.6", "0.1,234", "3,5億", "1_000",
     "10²", "1①", "½", "約百名", "nan", "Infinity", "--1", "+", ".", "e5", "1e1000", "1e999999999", "1 234", "0x10"],
)  # fmt: skip
def test_what_could_be_another_number_or_none_is_not_read(text):
    for codec in (number_text, whole_number_text):
        with pytest.raises(ValueError, match="not a number"):
            codec.encode(text)
        with pytest.raises(ValueError, match="not a number"):
            codec.decode(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [("1,234", "1234"), ("５,０００", "5000"), ("３，０００．５", "3000.5"), (" +7 ", "7"), ("-1,234,567.80", "-1234567.80"),
     ("5.", "5"), (".5", "0.5"), ("1.2E+05", "120000"), ("007", "7")],
)  # fmt: skip
def test_a_number_is_read_in_the_forms_that_people_and_tables_write(text, number):
    assert number_text.encode(text) == Decimal(number)


def test_a_long_text_that_is_no_number_costs_nothing():
    began = time.process_time()
    for text in ("1" * 100_000 + "x", "1" + ",000" * 100_000 + "x"):
        with pytest.raises(ValueError, match="not a number"):
            number_text.encode(text)
    assert time.process_time() - began < 1


@pytest.mark.parametrize("blank", ["", " ", "\u3000"])
def test_a_blank_is_no_number_and_no_mistake(blank):
    assert number_text.encode(blank) is None
    assert number_text.decode(blank) is None


@given(NUMBERS)
def test_what_is_written_is_read_as_the_same_number_with_every_digit(number):
    written = number_text.decode(number)
    assert number_text.encode(written) == number
    assert number_text.decode(number_text.encode(written)) == written


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("0E+3", "0"),
        ("-0.00", "0"),
        ("1E+3", "1000"),
        ("100", "100"),
        ("1.500", "1.5"),
        ("9" * 40 + ".5", "9" * 40 + ".5"),
    ],
)
def test_a_number_is_written_plain(number, text):
    assert number_text.decode(Decimal(number)) == text


@pytest.mark.parametrize("codec", [number_text, whole_number_text, choices({"hot": "1", "cold": "0"})])
@given(CELLS)
def test_whatever_a_codec_cannot_convert_it_says_with_a_value_error(codec, value):
    with suppress(ValueError):
        codec.encode(value)
    with suppress(ValueError):
        codec.decode(value)


def test_a_number_that_could_be_another_one_waits_for_a_person_with_its_field_named():
    crm = FakeConnector("crm", described("c", FieldSpec("Email"), FieldSpec("Revenue", FieldType.NUMBER)))
    rows = [{"id": str(at), "email": f"{at}@x.example", "revenue": text} for at, text in enumerate(("1,5", "1,500"))]
    pipe = (
        one_way("people", at(plain.rows(rows, id="id", system="shop"), "row"), at(crm, "c"))
        .match(level("e-mail", key("email", "Email")))
        .fields(pair("email", "Email"), pair("revenue", "Revenue", via=number_text))
        .remember(MemoryStore())
    )
    report = pipe.run()
    assert report.counts[Disposition.QUARANTINED] == 1
    assert [row["Revenue"] for row in crm.rows("c")] == [Decimal(1500)]
    [waiting] = parked(pipe.store, "people")
    assert (waiting.row.because.code, waiting.row.because.facts["field"]) == (Code.CODEC_FAILED, "Revenue")
