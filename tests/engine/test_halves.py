"""Numbers that a system rounds: it settles after one write, whichever way it rounds a half."""

from __future__ import annotations

import decimal
from decimal import Decimal

import attrs
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from crmbridge import at, pair, policies, two_way
from crmbridge.match import key, level
from crmbridge.model import FieldSpec, FieldType, Normalisation
from crmbridge.stores.memory import MemoryStore
from crmbridge.testing.connector import EVERYTHING, FakeConnector, described
from crmbridge.testing.sim import ManualClock, SimDriver

ROUNDINGS = (decimal.ROUND_HALF_UP, decimal.ROUND_HALF_EVEN, decimal.ROUND_HALF_DOWN)
POLICIES = (
    policies.left_wins,
    policies.right_wins,
    policies.left_always,
    policies.newest_wins(otherwise="right"),
    policies.filled_beats_blank(policies.right_wins),
)
SILENT = attrs.evolve(EVERYTHING, answers_with_stored=False)
WIDE = decimal.Context(prec=60)


def rounded(number, scale, ties):
    return number.quantize(Decimal(1).scaleb(-scale), ties, WIDE)


class Books:
    """A marketing tool that keeps every digit, and a CRM that rounds and answers with nothing."""

    def __init__(self, scale, ties, policy):
        self.clock = ManualClock()
        number = {"scale": scale, "normalises": frozenset({Normalisation.SCALE})}
        self.ma = FakeConnector(
            "ma", described("p", FieldSpec("email"), FieldSpec("amount", FieldType.NUMBER)), now=self.clock.now
        )
        self.crm = FakeConnector(
            "crm",
            described("l", FieldSpec("Email"), FieldSpec("Amount", FieldType.NUMBER, **number)),
            capabilities=SILENT,
            now=self.clock.now,
            stores=lambda _kind, field, value: rounded(value, scale, ties) if field == "Amount" else value,
        )
        self.pipe = (
            two_way("books", at(self.ma, "p"), at(self.crm, "l"))
            .match(level("email", key("email", "Email", str.lower)))
            .creates(left=False, right=True)
            .fields(pair("email", "Email", policies.left_wins), pair("amount", "Amount", policy))
            .remember(MemoryStore())
            .using(SimDriver(clock=self.clock))
        )

    def run(self):
        self.clock.advance(1800)
        return self.pipe.run()

    def writes(self):
        return [line.ref.system for end in (self.ma, self.crm) for line in end.ledger if line.by == "us"]


@st.composite
def numbers(draw):
    """A scale, and a number that has more digits: every second one lies right between two that the field holds."""
    scale = draw(st.integers(0, 4))
    unit = draw(st.integers(-(10**15), 10**15))
    rest = draw(st.just(Decimal("0.5")) | st.decimals(Decimal("0.001"), Decimal("0.999"), places=3))
    return scale, (unit + rest).scaleb(-scale, WIDE)


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
@pytest.mark.parametrize("ties", ROUNDINGS)
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(numbers())
@example((0, Decimal("2500.50")))
@example((2, Decimal("0.125")))
@example((2, Decimal("-0.135")))
def test_a_system_that_rounds_settles_after_one_write_and_a_persons_edit_is_still_heard(ties, policy, case):
    scale, number = case
    books = Books(scale, ties, policy)
    ref = books.ma.put("p", email="a@x.example", amount=number)
    for _ in range(3):
        last = books.run()
    assert (books.writes(), last.writes) == (["crm"], 0)
    assert books.ma.values(ref)["amount"] == number
    assert books.crm.rows("l")[0]["Amount"] == rounded(number, scale, ties)
    books.ma.edit(ref, amount=number + 7)
    for _ in range(2):
        last = books.run()
    assert (books.writes(), last.writes) == (["crm"] * 2, 0)
    assert books.crm.rows("l")[0]["Amount"] == rounded(number + 7, scale, ties)


def test_the_other_number_that_a_half_may_become_is_heard_once_the_stored_one_is_known():
    books = Books(2, decimal.ROUND_HALF_UP, policies.left_wins)
    ref = books.ma.put("p", email="a@x.example", amount=Decimal("0.125"))
    books.run()
    books.run()
    [row] = books.crm.rows("l")
    assert row["Amount"] == Decimal("0.13")
    lead = attrs.evolve(ref, system="crm", kind="l", id=str(row["id"]))
    books.crm.edit(lead, Amount=Decimal("0.12"))
    books.run()
    assert books.ma.values(ref)["amount"] == Decimal("0.12")
