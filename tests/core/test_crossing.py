"""A policy that the planner does not ask about a change on one side alone would have said just what the planner does."""

from hypothesis import assume, given
from hypothesis import strategies as st

from crmbridge import policies
from crmbridge.model import FieldSpec, Schema
from crmbridge.plan import PairedField, merge, pairing
from crmbridge.policies import lets_cross
from crmbridge.protocols import FieldState, Settle
from crmbridge.reasons import Code, because

cells = st.none() | st.text(max_size=3) | st.integers() | st.booleans()
letting = st.sampled_from(
    [policies.left_wins, policies.right_wins, policies.newest_wins(otherwise="left"), policies.ask_a_person]
)


@given(letting, cells, cells, cells, st.booleans())
def test_a_policy_that_is_not_asked_about_a_change_on_one_side_would_let_it_cross(policy, was, other_half, now, left):
    agreed = (was, other_half)
    held = (now, other_half) if left else (was, now)
    assume(now != (was if left else other_half))
    assert lets_cross(policy)
    verdict = policy.resolve(FieldState(*held, *agreed))
    assert verdict == Settle(now, because(Code.ONE_SIDED))
    schema = Schema("person", {"f": FieldSpec("f")})
    how = pairing([PairedField("f", "f", policy)], schema, schema, default=policy, towards_left=True)
    asked = pairing(
        [PairedField("f", "f", policies.by("asked", policy.resolve))], schema, schema, default=policy, towards_left=True
    )
    args = (held[:1], held[1:], agreed[:1], agreed[1:])
    assert merge(how, *args) == merge(asked, *args)


def test_policies_with_a_say_about_one_side_are_asked():
    for policy in (
        policies.left_always,
        policies.only_if_empty,
        policies.only_on_create,
        policies.write_once,
        policies.union,
        policies.last_value,
        policies.monotone(towards=True),
        policies.never_clear(policies.left_wins),
        policies.filled_beats_blank(policies.left_wins),
        policies.once_per_link(policies.left_wins),
    ):
        assert not lets_cross(policy)
