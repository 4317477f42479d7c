"""A policy that the planner does not ask about a change on one side alone would have said just what the planner does."""

from hypothesis import assume, given
from hypothesis import strategies as st

from crmbridge import policies
from crmbridge.model import MISSING, FieldSpec, Schema, is_blank
from crmbridge.plan import PairedField, creation, merge, pairing
from crmbridge.plan._compare import comparison
from crmbridge.policies import lets_cross, lets_values_cross
from crmbridge.protocols import FieldState, Settle
from crmbridge.reasons import Code, because

cells = st.none() | st.text(max_size=3) | st.integers() | st.booleans()
letting = st.sampled_from(
    [policies.left_wins, policies.right_wins, policies.newest_wins(otherwise="left"), policies.ask_a_person]
)
guarded = st.recursive(
    letting, lambda inner: st.builds(policies.never_clear, inner) | st.builds(policies.filled_beats_blank, inner)
)


@given(letting, cells, cells, cells, st.booleans())
def test_a_policy_that_is_not_asked_about_a_change_on_one_side_would_let_it_cross(policy, was, other_half, now, left):
    agreed = (was, other_half)
    held = (now, other_half) if left else (was, now)
    assume(now != (was if left else other_half))
    assert lets_cross(policy)
    verdict = policy.resolve(FieldState(*held, *agreed))
    assert verdict == Settle(now, because(Code.ONE_SIDED))
    assert decided(policy, held, agreed) == decided(policies.by("asked", policy.resolve), held, agreed)


@given(guarded, cells, cells, cells, st.booleans())
def test_a_policy_that_guards_blanks_says_no_more_about_a_change_on_one_side_than_the_planner_does_without_it(
    policy, was, other_half, now, left
):
    agreed = (was, other_half)
    held = (now, other_half) if left else (was, now)
    assume(now != (was if left else other_half))
    assert lets_values_cross(policy)
    if not is_blank(held[0]) and not is_blank(held[1]):
        assert policy.resolve(FieldState(*held, *agreed)) == Settle(now, because(Code.ONE_SIDED))
    assert decided(policy, held, agreed) == decided(policies.by("asked", policy.resolve), held, agreed)


def decided(policy, held, agreed):
    return merge(paired(policy), held[:1], held[1:], agreed[:1], agreed[1:])


def paired(policy):
    schema = Schema("person", {"f": FieldSpec("f")})
    return pairing([PairedField("f", "f", policy)], schema, schema, default=policy, towards_left=True)


@given(guarded, cells, st.sampled_from(["left", "right"]))
def test_into_a_new_record_a_value_goes_as_the_policy_would_say_that_is_not_asked(policy, value, towards):
    def made(policy):
        return creation(paired(policy), towards, (value,), frozenset())

    assert made(policy) == made(policies.by("asked", policy.resolve))


@given(st.lists(st.tuples(*[cells | st.just(MISSING)] * 4)))
def test_the_comparison_names_every_place_at_which_a_side_differs_from_its_half_and_no_other(rows):
    columns = [tuple(column) for column in zip(*rows, strict=True)] or [()] * 4
    moved = comparison(len(rows))(*columns)
    assert moved == [place for place, (left, right, l0, r0) in enumerate(rows) if left != l0 or right != r0]


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


def test_policies_with_a_say_about_values_on_one_side_are_asked():
    for policy in (
        policies.left_always,
        policies.only_if_empty,
        policies.only_on_create,
        policies.write_once,
        policies.union,
        policies.last_value,
        policies.monotone(towards=True),
        policies.once_per_link(policies.left_wins),
        policies.never_clear(policies.left_always),
        policies.filled_beats_blank(policies.once_per_link(policies.left_wins)),
    ):
        assert not lets_values_cross(policy)
