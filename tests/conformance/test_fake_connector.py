"""`FakeConnector` keeps the laws of every combination of capabilities."""

from __future__ import annotations

import datetime as dt
import itertools

import attrs
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from crmbridge.testing import ConnectorSuite, FakeConnector, conformance
from crmbridge.testing.faulty import FaultyConnector, Lags
from crmbridge.testing.strategies import schemas

CLAIMS = ("sees_deletes", "sees_merges", "updates", "conditional_writes", "answers_with_stored")
"""Claims on which others of the laws depend: each combination of them is tried with each class of creates."""
REMOVING = ({}, {"archives": False}, {"deletes": False}, {"archives": False, "deletes": False})
SINGLE = ({"incremental": False}, {"tells_author": False}, {"finds_by": frozenset()}, {"batch": 1}, {"fetch_batch": 1},
          {"carries": {"create": 1, "update": 2, "archive": 3}})  # fmt: skip
MINUTE = dt.timedelta(minutes=1)


class TestFakeConnector(ConnectorSuite):
    @pytest.fixture(params=["none", "A-key", "A-unique", "B", "C"])
    def stand(self, request, stands, promises):
        return stands(promises(request.param))

    @pytest.fixture
    def connector(self, stand):
        return stand.connector

    @pytest.fixture
    def driver(self, stand):
        return stand.driver

    @pytest.fixture
    def kind(self, stand):
        return stand.kind


@pytest.mark.parametrize("create", ["none", "A-key", "A-unique", "B", "C"])
def test_it_keeps_the_laws_of_every_combination_of_capabilities(create, stands, promises):
    choices = [
        dict(zip(CLAIMS, chosen, strict=True)) for chosen in itertools.product([True, False], repeat=len(CLAIMS))
    ]
    combined = [{**chosen, **removing} for chosen in choices for removing in REMOVING]
    assert len(combined) == 128
    seen = set()
    for claims in [*combined, *SINGLE]:
        on = stands(promises(create, **claims))
        report = conformance(on.connector, on.driver, on.kind)
        assert report.of("broken") == [], f"{create} {claims}\n{report}"
        seen |= {verdict.law for verdict in report.of("held")}
    assert len(seen) > 35, "most laws were proved in some combination"


@pytest.mark.parametrize("create", ["A-key", "A-unique", "B", "C"])
def test_a_system_that_lags_keeps_them_too_and_loses_answers(create, stands, promises):
    lags = Lags(read=MINUTE, search=5 * MINUTE, feed=lambda number: dt.timedelta(seconds=number * 7 % 50))
    claims = {"read_lag": MINUTE, "index_lag": 5 * MINUTE, "overlap": MINUTE, "settles_in": MINUTE}
    on = stands(promises(create, **claims), FaultyConnector, lags=lags)
    report = conformance(on.connector, on.driver, on.kind)
    assert report.of("broken") == [], str(report)
    assert "a_lost_answer_is_told" in {verdict.law for verdict in report.of("held")}


def test_a_connector_that_claims_nothing_passes_and_the_report_says_how_little_that_is(stands, promises):
    nothing = dict.fromkeys(("incremental", *CLAIMS, "archives", "deletes", "tells_author"), False)
    on = stands(promises("none", finds_by=frozenset(), **nothing))
    report = conformance(on.connector, on.driver, "contact")
    held, passed_over = len(report.of("held")), len(report.of("not claimed"))
    assert report.raise_for_broken() is report
    assert passed_over > 5 * held
    assert str(report).startswith(f"crm contact: {held} laws held, {passed_over} not claimed, 0 broken\n")


@pytest.mark.parametrize("batch", [1, 5, 100])
@pytest.mark.parametrize("alone", [False, True], ids=["with a person", "by the connector alone"])
def test_a_trial_asks_for_some_hundreds_of_requests(batch, alone, stands, promises):
    on = stands(promises("B", batch=batch), FaultyConnector)
    hand = attrs.evolve(on.kind.hand, put=None, edit=None) if alone else on.kind.hand
    conformance(on.connector, on.driver, attrs.evolve(on.kind, hand=hand)).raise_for_broken()
    assert 200 < len(on.connector.requests) < 600, "the page on testing a connector names this bound"


@settings(max_examples=25, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_it_keeps_the_laws_with_any_schema(data, stands, promises):
    schema = data.draw(schemas("contact"))
    claims = {"finds_by": frozenset({"@id", *schema.fields})}
    on = stands(promises("A-key", **claims), FakeConnector, schema)
    report = conformance(on.connector, on.driver, on.kind)
    assert report.of("broken") == [], f"{schema}\n{report}"
