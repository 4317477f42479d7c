"""Values that the target would refuse, from one system to the other and back."""

from __future__ import annotations

import attrs
import pytest

from crmbridge import at, pair, policies, preflight, two_way
from crmbridge.match import key, level
from crmbridge.model import FieldSpec, FieldType
from crmbridge.reasons import Code
from crmbridge.stores.memory import MemoryStore
from crmbridge.testing.connector import EVERYTHING, FakeConnector, described
from crmbridge.testing.sim import SimDriver


def systems(*, answers=True):
    able = attrs.evolve(EVERYTHING, answers_with_stored=answers)
    ma = FakeConnector(
        "ma",
        described("person", FieldSpec("email"), FieldSpec("memo"), FieldSpec("trade"), FieldSpec("rank")),
        capabilities=able,
    )
    crm = FakeConnector(
        "crm",
        described(
            "lead",
            FieldSpec("Email"),
            FieldSpec("Memo", max_length=5),
            FieldSpec("Trade", FieldType.CHOICE, options=("Food", "IT")),
            FieldSpec("Rank", FieldType.CHOICE, options=("A", "B")),
        ),
        capabilities=able,
    )
    pipe = (
        two_way("p", at(ma, "person"), at(crm, "lead"))
        .match(level("email", key("email", "Email")))
        .creates(left=True, right=True)
        .fields(
            pair("email", "Email"),
            pair("memo", "Memo", if_refused=preflight.truncate),
            pair("trade", "Trade", if_refused=preflight.map({"食品": "Food"})),
            pair("rank", "Rank", if_refused=preflight.clear),
            policy=policies.right_wins,
        )
        .remember(MemoryStore())
        .using(SimDriver())
    )
    return ma, crm, pipe


def ours(*systems):
    return [line.verb for system in systems for line in system.ledger if line.by == "us"]


@pytest.mark.parametrize("answers", [True, False])
def test_what_is_sent_instead_is_journalled_and_no_answer_comes_back(answers):
    ma, crm, pipe = systems(answers=answers)
    ref = ma.put("person", email="kim@x.example", memo="long ago", trade="食品", rank="Z")
    pipe.run().raise_for_failures()
    assert crm.rows("lead") == [{"id": "l00001", "Email": "kim@x.example", "Memo": "long", "Trade": "Food"}]
    told = {line.right_field: line.answer.code for row in pipe.why(ref) for line in row.fields if line.answer}
    assert told == {"Memo": Code.TRUNCATED, "Trade": Code.MAPPED, "Rank": Code.CLEARED}
    for _ in range(3):
        assert pipe.run().writes == 0
    assert ma.values(ref) == {"email": "kim@x.example", "memo": "long ago", "trade": "食品", "rank": "Z"}
    assert ours(ma, crm) == ["create"]


@pytest.mark.parametrize("answers", [True, False])
def test_edits_on_both_sides_of_an_answer_live(answers):
    ma, crm, pipe = systems(answers=answers)
    ref = ma.put("person", email="kim@x.example", memo="long ago", trade="食品", rank="Z")
    pipe.run()
    lead = next(iter(pipe.why(ref))).ref
    crm.edit(lead, Memo="new", Rank="A")
    pipe.run()
    assert (ma.values(ref)["memo"], ma.values(ref)["rank"]) == ("new", "A")
    ma.edit(ref, rank="Y", memo="new but longer")
    pipe.run()
    assert (crm.values(lead)["Rank"], crm.values(lead)["Memo"]) == (None, "new b")
    assert pipe.run().writes == 0


def test_a_plan_shows_what_would_be_sent_instead_and_why():
    ma, _, pipe = systems()
    ma.put("person", email="kim@x.example", memo="long ago", trade="IT")
    told = str(pipe.plan())
    assert "The value was cut to fit Memo: 8, where 5 fit." in told
    assert "crm.Memo (blank) → 「long」" in told
    assert "切り詰めました" in pipe.plan().say("ja")


def test_what_has_no_answer_waits_in_quarantine_under_the_first_trouble():
    ma, crm, pipe = systems()
    ma.put("person", email="kim@x.example", trade="農業")
    assert [line.because.code for line in pipe.run().rows()] == [Code.NOT_AN_OPTION]
    assert crm.rows("lead") == []
