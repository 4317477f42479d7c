"""What a suite makes of a law: a pass, a failure, a skip that names the capability, an excuse that must be true."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

import attrs
import pytest

from crmbridge.errors import Throttled, Unreachable
from crmbridge.testing import (
    ConnectorSuite,
    FakeConnector,
    KindUnderTest,
    LawBroken,
    NotClaimed,
    conformance,
    described,
)
from crmbridge.testing.checks import CONNECTOR_LAWS, Trial
from crmbridge.testing.checks._law import law, require
from crmbridge.testing.faulty import FaultyConnector
from crmbridge.testing.sim import SimDriver

LAWS = {one.name: one for one in CONNECTOR_LAWS}


@law
def sums_are_right(numbers: list[int]) -> None:
    """Numbers add up to ten."""
    if not numbers:
        raise NotClaimed("numbers")
    require(sum(numbers) == 10, f"the sum is {sum(numbers)}")


def test_a_law_has_the_name_and_the_sentence_of_its_check():
    assert (sums_are_right.name, sums_are_right.says) == ("sums_are_right", "Numbers add up to ten.")
    assert sums_are_right([4, 6]) is None


def test_a_broken_law_says_what_was_seen():
    with pytest.raises(LawBroken, match=r"^sums are right: the sum is 9$") as broken:
        sums_are_right([4, 5])
    assert (broken.value.law, broken.value.detail) == ("sums_are_right", "the sum is 9")


def test_what_is_not_claimed_is_no_break():
    with pytest.raises(NotClaimed, match="the connector does not claim numbers"):
        sums_are_right([])


def test_a_connector_that_raises_breaks_the_law_and_the_cause_is_kept():
    class Busy(FakeConnector):
        def read(self, query):
            raise Throttled("crm", "wait", status=429)

    on = Trial(Busy("crm", described("contact")), SimDriver(), KindUnderTest("contact"))
    with pytest.raises(LawBroken, match="raised Throttled: crm: wait") as broken:
        LAWS["pages_end"](on)
    assert isinstance(broken.value.__cause__, Throttled)


class Excused(ConnectorSuite):
    laws: ClassVar = ("sums_are_right",)
    known_failures: ClassVar = {"sums_are_right": "their calculator is old"}


def test_an_excuse_lets_a_law_be_broken_and_no_other():
    with pytest.raises(pytest.xfail.Exception, match="their calculator is old"):
        Excused()._prove(sums_are_right, [1])
    with pytest.raises(LawBroken):
        ConnectorSuite()._prove(sums_are_right, [1])


def test_an_excuse_that_is_out_of_date_fails():
    with pytest.raises(pytest.fail.Exception, match="holds; take it out of known_failures"):
        Excused()._prove(sums_are_right, [10])


def test_an_excuse_for_what_is_no_law_fails():
    class Mistyped(ConnectorSuite):
        known_failures: ClassVar = {"pages_ends": "their last page is endless"}

    with pytest.raises(pytest.fail.Exception, match="known_failures names pages_ends: no law of this suite"):
        Mistyped()._prove(sums_are_right, [10])


def test_a_keyed_create_that_the_driver_repeats_is_one_record(stands, promises):
    class Upserts(FaultyConnector):
        """Counts a create that comes again with its key as one more write, as an upsert is."""

        upserts = 0

        def _create(self, action):
            self.upserts += 1
            return super()._create(action)

        def _write(self, batch):
            try:
                return super()._write(batch)
            except Unreachable:
                return super()._write(batch)

    on = stands(promises("A-key"), Upserts)
    kind = attrs.evolve(on.kind, hand=attrs.evolve(on.kind.hand, writes=lambda: on.connector.upserts))
    report = conformance(on.connector, on.driver, kind)
    assert report.of("broken") == []
    assert {"a_lost_answer_is_told", "a_lost_create_is_found_or_not_made_again"} <= {
        verdict.law for verdict in report.of("held")
    }


def test_a_system_without_a_third_state_of_flags_breaks_no_law(stands, promises):
    class YesOrNo(FakeConnector):
        def _stored(self, kind, values):
            held = {"Optin": False, **super()._stored(kind, values)} if kind == "contact" else {}
            return {**held, "Optin": bool(held.get("Optin"))}

        def _change(self, ref, values, by, *, key=""):
            flag = {"Optin": self.values(ref).get("Optin"), **values}
            super()._change(ref, flag, by, key=key)

    on = stands(promises(), YesOrNo)
    assert conformance(on.connector, on.driver, on.kind).of("broken") == []


def test_what_is_not_claimed_is_a_skip_with_the_words_of_the_law():
    with pytest.raises(pytest.skip.Exception, match="the connector does not claim numbers"):
        Excused()._prove(sums_are_right, [])


def test_a_report_has_every_law_once_and_raises_the_first_that_is_broken():
    class Lies(FakeConnector):
        def _tells(self, gone):
            return False

    report = conformance(Lies("crm", described("contact")), SimDriver(), "contact")
    assert [verdict.law for verdict in report.verdicts] == [one.name for one in CONNECTOR_LAWS]
    with pytest.raises(LawBroken, match="a deletion is reported"):
        report.raise_for_broken()
    assert "  broken       a deletion is reported: crm:contact/" in str(report)


def test_samples_of_two_laws_share_no_number():
    starts = sorted(one.first for one in CONNECTOR_LAWS)
    assert all(after - before >= 1000 for before, after in pairwise(starts))
