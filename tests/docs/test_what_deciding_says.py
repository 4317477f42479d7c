"""What "Which value wins" says beside its tables of policies and gates is so."""

import pytest

from crmbridge import at, key, level, pair, policies, two_way
from crmbridge.model import FieldSpec
from crmbridge.protocols import FieldState, Leave
from crmbridge.reasons import Code, because
from crmbridge.stores import MemoryStore
from crmbridge.testing.connector import FakeConnector, described
from crmbridge.testing.sim import SimDriver

LEFT_ALONE = policies.by("left alone", lambda state: Leave(because(Code.RULE, rule="left alone")))
MASTERS = (policies.left_always, policies.right_always)


@pytest.mark.parametrize("master", MASTERS, ids=lambda policy: policy.name)
@pytest.mark.parametrize("values", [("typed", None), (None, "typed")])
def test_a_value_typed_beside_a_blank_lives_on_where_a_filled_one_beats_a_blank_whoever_is_the_master(master, values):
    verdict = policies.filled_beats_blank(master).resolve(FieldState(*values, None, None))
    assert verdict.value == "typed"


def test_where_both_changed_and_neither_is_what_never_goes_back_the_lefts_value_lives_on():
    verdict = policies.monotone(towards=True).resolve(FieldState("left", "right", "old", "old"))
    assert verdict.value == "left"


@pytest.mark.parametrize(
    "policy",
    [*MASTERS, policies.right_wins, policies.only_if_empty, policies.write_once, policies.ask_a_person, LEFT_ALONE],
    ids=lambda policy: policy.name,
)
def test_a_record_that_is_made_is_given_every_value_whatever_the_policy(policy):
    shop = FakeConnector("shop", described("person", FieldSpec("email"), FieldSpec("name")))
    crm = FakeConnector("crm", described("lead", FieldSpec("Email"), FieldSpec("Name")))
    shop.put("person", email="kim@x.example", name="Kim")
    (
        two_way("people", at(shop, "person"), at(crm, "lead"))
        .match(level("email", key("email", "Email")))
        .creates(left=False, right=True)
        .fields(pair("email", "Email"), pair("name", "Name"), policy=policy)
        .remember(MemoryStore())
        .using(SimDriver())
        .run()
    )
    assert [(row["Email"], row["Name"]) for row in crm.rows("lead")] == [("kim@x.example", "Kim")]
