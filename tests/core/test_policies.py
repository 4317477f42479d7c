"""Each policy in its own words: blanks, masters, times, sets, and what it is called."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest

from crmbridge import policies
from crmbridge.model import MISSING, is_blank
from crmbridge.protocols import Amend, Ask, Carry, FieldState, Leave, Settle
from crmbridge.reasons import Code, because
from crmbridge.testing.sim import MONDAY

SOON = dt.timedelta(seconds=3)
WHILE = dt.timedelta(minutes=3)


def judged(policy, left, right, l0=MISSING, r0=MISSING, **more):
    found = policy.resolve(FieldState(left, right, l0, r0, **more))
    return found.value if isinstance(found, Settle | Carry) else type(found)


@pytest.mark.parametrize(
    ("policy", "crossed", "against_changed", "first"),
    [
        (policies.left_wins, None, None, "b"),
        (policies.right_wins, None, "b", "b"),
        (policies.filled_beats_blank(policies.left_wins), "a", "b", "b"),
        (policies.never_clear(policies.left_wins), Leave, "b", "b"),
        (policies.only_if_empty, Leave, Leave, "b"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_a_blank_left_is_treated_as_the_policy_says(policy, crossed, against_changed, first):
    assert judged(policy, None, "a", "a", "a") == crossed
    assert judged(policy, None, "b", "a", "a") == against_changed
    assert judged(policy, None, "b") == first


@pytest.mark.parametrize(
    "inner",
    [
        policies.left_wins, policies.right_wins, policies.left_always, policies.right_always, policies.ask_a_person,
        policies.newest_wins(otherwise="left"), policies.only_if_empty, policies.write_once, policies.union,
        policies.monotone(towards="a"),
    ],
    ids=lambda policy: policy.name,
)  # fmt: skip
@pytest.mark.parametrize(("left", "right"), [(None, "a"), ("a", None)])
def test_where_one_side_is_cleared_never_clear_is_as_its_policy_unless_that_would_empty_a_field(inner, left, right):
    as_inner = judged(inner, left, right, "a", "a")
    assert judged(policies.never_clear(inner), left, right, "a", "a") == (Leave if is_blank(as_inner) else as_inner)


def test_never_clear_fills_again_what_the_other_side_of_a_master_has_cleared():
    assert judged(policies.never_clear(policies.left_always), "a", None, "a", "a") == "a"
    assert judged(policies.never_clear(policies.left_always), None, "a", "a", "a") is Leave


@pytest.mark.parametrize("blank", [None, "", "  ", "　", ()])
def test_null_empty_text_white_space_and_an_empty_set_are_blanks(blank):
    assert judged(policies.filled_beats_blank(policies.left_wins), blank, "a", "x", "a") == "a"


@pytest.mark.parametrize("value", [0, False])
def test_zero_and_false_are_values(value):
    assert judged(policies.filled_beats_blank(policies.left_wins), value, "a") == value


@pytest.mark.parametrize(
    ("left_at", "right_at", "lives"),
    [
        (MONDAY + WHILE, MONDAY, "l"),
        (MONDAY, MONDAY + WHILE, "r"),
        (MONDAY + SOON, MONDAY, "r"),
        (None, MONDAY, "r"),
        (MONDAY + WHILE, None, "r"),
    ],
)
def test_the_newest_wins_unless_its_time_is_unknown_or_too_close(left_at, right_at, lives):
    policy = policies.newest_wins(otherwise="right")
    assert judged(policy, "l", "r", "x", "x", left_at=left_at, right_at=right_at) == lives


def test_a_one_sided_change_never_consults_the_time():
    policy = policies.newest_wins(otherwise="right")
    assert judged(policy, "l", "x", "x", "x", left_at=MONDAY, right_at=MONDAY + WHILE) == "l"


def test_a_tolerance_of_our_own_counts():
    policy = policies.newest_wins(otherwise="right", tolerance=dt.timedelta(hours=1))
    assert judged(policy, "l", "r", "x", "x", left_at=MONDAY + WHILE, right_at=MONDAY) == "r"


def test_once_per_link_crosses_at_the_first_meeting_and_never_after():
    policy = policies.once_per_link(policies.left_wins)
    assert judged(policy, "l", "r") == "l"
    assert judged(policy, "l", "r", "x", "r") is Leave


def test_only_on_create_leaves_records_that_are_there():
    assert judged(policies.only_on_create, "l", "r") is Leave
    assert judged(policies.only_on_create, "l", "r", "x", "r") is Leave


def test_only_if_empty_fills_a_blank_and_leaves_what_is_filled():
    assert judged(policies.only_if_empty, "l", None) == "l"
    assert judged(policies.only_if_empty, "l", "r") is Leave
    assert judged(policies.only_if_empty, "new", None, None, None) == "new"


def test_the_first_value_ever_stays():
    assert judged(policies.write_once, "new", "a", "a", "a") == "a"
    assert judged(policies.write_once, "l", "r") == "l"
    assert judged(policies.write_once, None, "r") == "r"


@pytest.mark.parametrize("values", list(itertools.product((True, False, None), repeat=2)))
def test_an_opt_out_never_goes_back(values):
    policy = policies.monotone(towards=True)
    assert judged(policy, *values, True, True) is True
    if True in values:
        assert judged(policy, *values, False, False) is True


@pytest.mark.parametrize("around", [policies.filled_beats_blank, policies.never_clear])
@pytest.mark.parametrize(("left", "right"), [(None, False), (False, None), (None, None), (False, False)])
def test_no_policy_around_it_makes_an_opt_out_go_back(around, left, right):
    assert judged(around(policies.monotone(towards=True)), left, right, True, True) is True


@pytest.mark.parametrize("around", [policies.filled_beats_blank, policies.never_clear])
def test_no_policy_around_it_lets_a_later_value_in_where_the_first_one_stays(around):
    assert judged(around(policies.write_once), None, "b", "a", "a") == "a"
    assert judged(around(policies.write_once), None, "b", None, None) == "b"


def test_an_opt_out_that_nobody_has_made_is_not_made_up():
    assert judged(policies.monotone(towards=True), False, None) is False
    assert judged(policies.monotone(towards=True), None, False, None, None) is False


@pytest.mark.parametrize(
    ("left", "right", "l0", "r0", "kept"),
    [
        (("a", "b"), ("a", "c"), ("a",), ("a",), {"a", "b", "c"}),
        (("a",), ("a", "b"), ("a", "b"), ("a", "b"), {"a"}),
        (("a", "c"), ("a", "b"), ("a", "b"), ("a", "b"), {"a", "c"}),
        (("a",), ("b",), MISSING, MISSING, {"a", "b"}),
        ((), ("a",), ("a",), ("a",), set()),
        (None, ("a",), MISSING, MISSING, {"a"}),
    ],
)
def test_a_union_keeps_additions_and_removals_of_both_sides(left, right, l0, r0, kept):
    found = judged(policies.union, left, right, l0, r0)
    assert set(found or ()) == kept


def ends(policy, left, right, l0=MISSING, r0=MISSING, **more):
    """Give what both sides hold once the policy has been followed."""
    found = policy.resolve(FieldState(left, right, l0, r0, **more))
    match found:
        case Settle(value=value):
            return value, value
        case Carry(value=value, towards=towards):
            return (value, right) if towards == "left" else (left, value)
        case Amend():
            return found.left, found.right
        case _:
            return left, right


SETS = [(), ("a",), ("b",), ("a", "b"), ("b", "a"), ("a", "c"), ("c", "b", "a")]


@pytest.mark.parametrize("policy", [policies.union, policies.filled_beats_blank(policies.union)], ids=lambda p: p.name)
def test_what_was_left_to_differ_in_a_union_stays_so_while_others_are_added(policy):
    """As after an undo, which takes an element out of one side alone."""
    assert ends(policy, ("x", "bad"), ("x", "new"), ("x", "bad"), ("x",)) == (("x", "bad", "new"), ("x", "new"))
    assert ends(policy, ("x", "bad", "new"), ("x",), ("x", "bad"), ("x",)) == (("x", "bad", "new"), ("x", "new"))
    assert ends(policy, ("bad", "new"), (), ("bad",), ()) == (("bad", "new"), ("new",))


@pytest.mark.parametrize(("l0", "r0"), list(itertools.product(SETS, SETS)))
def test_a_union_carries_what_each_side_added_and_removed_and_nothing_else(l0, r0):
    for left, right in itertools.product(SETS, SETS):
        added, removed = {*left} - {*l0} | {*right} - {*r0}, {*l0} - {*left} | {*r0} - {*right}
        one, two = (set(value or ()) for value in ends(policies.union, left, right, l0, r0))
        assert one == {*left} - (removed - added) | added
        assert two == {*right} - (removed - added) | added


@pytest.mark.parametrize(("left", "right"), list(itertools.product(SETS, SETS)))
def test_the_first_contact_of_a_union_loses_nothing_and_makes_both_sides_alike(left, right):
    one, two = (set(value or ()) for value in ends(policies.union, left, right))
    assert one == two == {*left, *right}


def test_nobody_is_written_a_set_of_which_only_the_order_was_changed():
    assert ends(policies.union, ("b", "a"), ("a", "b"), ("a", "b"), ("a", "b")) == (("b", "a"), ("a", "b"))
    assert ends(policies.union, ("a", "b"), ("b", "a"), ("a", "b"), ("a", "b")) == (("a", "b"), ("b", "a"))


@pytest.mark.parametrize(
    ("left", "right", "kept"),
    [
        (("VIP", "New"), ("vip",), (("VIP", "New"), ("vip", "New"))),
        ((), ("vip",), ((), ())),
        (("VIP",), ("Vip",), (("Vip",), ("Vip",))),
        (("VIP",), ("vip", "vip2"), (("VIP", "vip2"), ("vip", "vip2"))),
        (("VIP", "vip2"), ("vip", "VIP2"), (("VIP", "vip2"), ("vip", "VIP2"))),
    ],
)
def test_an_element_that_both_systems_store_in_a_form_of_their_own_is_one(left, right, kept):
    found = ends(policies.union, left, right, ("VIP",), ("vip",), form=lambda value: str(value).casefold())
    assert tuple(tuple(value or ()) for value in found) == kept


def test_one_of_two_elements_that_the_other_system_cuts_to_one_leaves_the_other_of_them_there():
    halves = ("topic one", "topic two"), ("topic",)
    assert ends(policies.union, ("topic two",), ("topic",), *halves, form=lambda value: str(value)[:5])[1] == ("topic",)
    assert not ends(policies.union, (), ("topic",), *halves, form=lambda value: str(value)[:5])[1]


@pytest.mark.parametrize("around", [lambda policy: policy, policies.filled_beats_blank, policies.never_clear])
@pytest.mark.parametrize("inner", [policies.last_value, policies.union], ids=lambda policy: policy.name)
def test_a_blank_side_that_holds_many_is_given_a_single_value_as_one_of_many(inner, around):
    assert ends(around(inner), "vip", None, many="right") == ("vip", ("vip",))
    assert ends(around(inner), "vip", None, None, None, many="right") == ("vip", ("vip",))
    assert ends(around(inner), (), "vip", many="left") == (("vip",), "vip")


@pytest.mark.parametrize("around", [lambda policy: policy, policies.filled_beats_blank, policies.never_clear])
def test_a_single_value_that_a_person_wrote_lives_on_where_the_other_side_was_cleared(around):
    for cleared in (None, ()):
        found = ends(around(policies.last_value), cleared, "vip", ("x",), "x", many="left")
        assert found == (("vip",), "vip")
        found = ends(around(policies.last_value), "vip", cleared, "x", ("x",), many="right")
        assert found == ("vip", ("vip",))


def test_a_single_value_is_among_the_many_also_where_both_sides_added_one():
    assert ends(policies.last_value, ("x", "new"), "vip", ("x",), "x", many="left") == (("x", "vip", "new"), "new")
    assert ends(policies.last_value, "vip", ("x", "new"), "x", ("x",), many="right") == ("new", ("x", "vip", "new"))
    assert ends(policies.last_value, ("a", "b"), "vip", many="left") == (("a", "vip", "b"), "b")


def test_what_was_taken_out_of_the_single_side_does_not_come_back_with_the_removal_of_another():
    assert ends(policies.last_value, ("x", "bad"), "x", ("x", "bad", "y"), "x", many="left")[1] == "x"
    assert ends(policies.last_value, ("bad",), None, ("bad", "y"), None, many="left")[1] is None


def test_the_value_that_was_added_last_crosses_to_a_side_that_holds_one():
    found = policies.last_value.resolve(FieldState(("a", "b"), "a", ("a",), "a"))
    assert (found.value, found.towards) == ("b", "right")


def test_a_single_value_that_a_person_wrote_is_added_and_takes_nothing_away():
    found = policies.last_value.resolve(FieldState(("a", "b"), "c", ("a", "b"), "b"))
    assert (set(found.value), found.towards) == ({"a", "b", "c"}, "left")


def test_a_person_is_asked_only_where_both_sides_changed():
    assert judged(policies.ask_a_person, "l", "r", "x", "x") is Ask
    assert judged(policies.ask_a_person, "l", "x", "x", "x") == "l"
    assert judged(policies.ask_a_person, "l", "r") is Ask
    assert judged(policies.ask_a_person, "l", None) == "l"


def test_a_function_of_ones_own_decides_and_gives_its_name():
    longest = policies.by("longest", lambda state: Settle(max(state.left, state.right, key=len), because(Code.RULE)))
    assert longest.name == "longest"
    assert judged(longest, "aaa", "b", "x", "x") == "aaa"


def test_policies_compose_and_say_so():
    policy = policies.once_per_link(policies.never_clear(policies.newest_wins(otherwise="left")))
    assert policy.name == "once_per_link(never_clear(newest_wins(otherwise=left)))"


HOLDING = [policies.write_once, policies.monotone(towards="x")]
OTHERS = [
    policies.left_wins,
    policies.right_wins,
    policies.left_always,
    policies.right_always,
    policies.newest_wins(otherwise="left"),
    policies.ask_a_person,
    policies.only_if_empty,
    policies.only_on_create,
    policies.union,
    policies.last_value,
    policies.filled_beats_blank(policies.ask_a_person),
    policies.never_clear(policies.left_wins),
    policies.once_per_link(policies.right_wins),
]


def test_every_policy_is_among_those_that_are_asked_of_equal_sides():
    there = {getattr(policies, name) for name in policies.__all__}
    assert {type(policy) for policy in (*HOLDING, *OTHERS)} == {one for one in there if isinstance(one, type)} - {
        policies.By
    }


@pytest.mark.parametrize("policy", OTHERS, ids=lambda policy: policy.name)
def test_where_one_side_has_come_to_hold_what_the_other_holds_nothing_is_changed(policy):
    for value, before in itertools.permutations(("a", "b", None, 0), 2):
        for agreed in ((before, value), (value, before)):
            found = judged(policy, value, value, *agreed)
            # A set of one is what `last_value` gives to the side that holds many.
            assert found in (value, (value,), Leave) or (is_blank(found) and is_blank(value))


@pytest.mark.parametrize("policy", HOLDING, ids=lambda policy: policy.name)
def test_a_policy_that_holds_on_to_a_value_gives_it_back_whatever_both_sides_hold(policy):
    for value in ("a", None, 0):
        assert judged(policy, value, value, "x", "x") == "x"
