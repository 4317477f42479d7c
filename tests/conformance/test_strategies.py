"""What the strategies draw is what they say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.japanese import address_key, company_key, name_key, phone_key
from crmbridge.model import MISSING, Record
from crmbridge.preflight import email_problem, problem
from crmbridge.testing import strategies
from crmbridge.testing.strategies import cells, field_specs, pages, records, rows, schemas


@given(st.data())
def test_a_cell_fits_its_field(data):
    spec = data.draw(field_specs())
    assert problem(spec, data.draw(cells(spec)), creating=True) is None


@given(st.data(), st.booleans())
def test_rows_are_whole_and_of_their_schema(data, missing):
    schema = data.draw(schemas())
    drawn = data.draw(rows(schema, missing=missing))
    assert drawn.fields == tuple(schema.fields)
    assert {len(column) for column in (drawn.cells, drawn.versions, drawn.stamps)} == {len(drawn)}
    assert len(set(drawn.ids)) == len(drawn)
    assert missing or all(cell is not MISSING for row in drawn.cells for cell in row)


@given(st.data())
def test_a_page_holds_no_record_that_left(data):
    page = data.draw(pages(data.draw(schemas())))
    assert not {record.ref for record in page.rows} & {one.ref for one in page.departures}
    assert page.more is not page.complete


@given(st.data())
def test_a_record_has_every_field(data):
    schema = data.draw(schemas())
    drawn = data.draw(records(schema))
    assert isinstance(drawn, Record)
    assert all(drawn.get(name) is not MISSING for name in schema.fields)


@pytest.mark.parametrize(
    ("drawing", "comparing"),
    [("person_names", name_key), ("companies", company_key), ("phones", phone_key), ("addresses", address_key)],
)
def test_japanese_values_have_a_comparison_key(drawing, comparing):
    @given(getattr(strategies, drawing)())
    def drawn(text):
        assert comparing(text)

    drawn()


@given(strategies.emails())
def test_addresses_of_mail_are_well_formed_by_every_rule(address):
    assert [email_problem(address, rule) for rule in ("guide", "vendor-2026", "account-engagement")] == [None] * 3
