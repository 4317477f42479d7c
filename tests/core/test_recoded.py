"""A codec whose table was changed since two records agreed: a new name is no edit, and an edit is decided as ever."""

from __future__ import annotations

import itertools

import pytest

from crmbridge import codecs, policies
from crmbridge.model import FieldSpec, FieldType, Schema
from crmbridge.model.sealed import Sealed
from crmbridge.plan import PairedField, merge, pairing
from crmbridge.protocols import Settle
from crmbridge.reasons import Code, because

OLD = {"見込み": "open", "商談": "talks", "済": "closed"}
RIGHT = {"open": "Open", "talks": "Talks", "closed": "Closed"}
"""The new names of the right, by the old ones."""
LEFT = {"見込み": "lead", "商談": "deal", "済": "done"}
NEW_RIGHT = {left: RIGHT[right] for left, right in OLD.items()}
NEW_LEFT = {LEFT[left]: right for left, right in OLD.items()}

COMPARING = [
    policies.left_wins, policies.right_wins, policies.left_always, policies.right_always,
    policies.newest_wins(otherwise="left"), policies.newest_wins(otherwise="right"), policies.ask_a_person,
    policies.only_if_empty, policies.only_on_create, policies.once_per_link(policies.left_wins), policies.write_once,
    policies.filled_beats_blank(policies.right_wins), policies.never_clear(policies.left_wins),
    policies.filled_beats_blank(policies.write_once),
]  # fmt: skip


def paired(policy, table):
    schemas = Schema("L", {"l": FieldSpec("l")}), Schema("R", {"r": FieldSpec("r")})
    field = PairedField("l", "r", policy, codecs.choices(table))
    return pairing((field,), *schemas, default=policy, towards_left=True)


def decided(policy, table, left, right, l0, r0, **how):
    return merge(paired(policy, table), (left,), (right,), (l0,), (r0,), **how)


def ends(found, left, right):
    """Give what both sides hold in the end, and whether a person is asked or the record is put aside."""
    return (
        found.write_left.get(0, left),
        found.write_right.get(0, right),
        [why.code for why in (*found.disputed, *found.problems)],
    )


VALUES = (None, *OLD)


def cases():
    """Give every agreement, and what a person may have made of either side."""
    return itertools.product(VALUES, VALUES, VALUES)


@pytest.mark.parametrize("policy", [*COMPARING, policies.monotone(towards="済")], ids=lambda policy: policy.name)
def test_new_names_on_the_right_change_nothing_about_what_is_decided(policy):
    for before, left, edited in cases():
        known = OLD.get(before), OLD.get(edited)
        expected = ends(decided(policy, OLD, left, known[1], before, known[0]), left, known[1])
        # What nobody has edited may have its new name already, or still the old one.
        for right in {RIGHT.get(known[1])} | ({known[1]} if before == edited else set()):
            found = ends(decided(policy, NEW_RIGHT, left, right, before, known[0]), left, right)
            meant = (found[0], {new: old for old, new in RIGHT.items()}.get(found[1], found[1]), found[2])
            assert meant == expected, (policy.name, before, left, right)


@pytest.mark.parametrize("policy", [*COMPARING, policies.monotone(towards="done")], ids=lambda policy: policy.name)
def test_new_names_on_the_left_change_nothing_about_what_is_decided(policy):
    untouched = policies.monotone(towards="済") if isinstance(policy, policies.Monotone) else policy
    for before, edited, right in cases():
        known, half = OLD.get(right), OLD.get(before)
        left = LEFT.get(edited)
        expected = ends(decided(untouched, OLD, edited, known, before, half), edited, known)
        found = ends(decided(policy, NEW_LEFT, left, known, before, half), left, known)
        meant = ({new: old for old, new in LEFT.items()}.get(found[0], found[0]), *found[1:])
        assert meant == expected, (policy.name, before, edited, right)


@pytest.mark.parametrize("policy", COMPARING, ids=lambda policy: policy.name)
def test_a_new_name_is_agreed_on_without_a_write(policy):
    found = decided(policy, NEW_RIGHT, "見込み", "Open", "見込み", "open")
    assert (found.writes, found.fields, found.left, found.right) == (False, (), ("見込み",), ("Open",))
    found = decided(policy, NEW_LEFT, "lead", "open", "見込み", "open")
    assert (found.writes, found.left, found.right) == (False, ("lead",), ("open",))


def test_an_opt_out_of_which_the_name_was_changed_does_not_go_back():
    policy = policies.monotone(towards=True)
    old, new = {True: "N"}, {True: "no", False: "yes"}
    pairs = pairing(
        (PairedField("l", "r", policy, Words(new)),),
        Schema("L", {"l": FieldSpec("l", FieldType.FLAG)}), Schema("R", {"r": FieldSpec("r")}),
        default=policy, towards_left=True,
    )  # fmt: skip
    found = merge(pairs, (False,), ("yes",), (True,), (old[True],))
    assert (found.write_left, found.write_right) == ({0: True}, {0: "no"})


class Words:
    """A codec of one's own from a table."""

    def __init__(self, names):
        self.names = names

    def encode(self, value):
        if value not in self.names:
            raise ValueError
        return self.names[value]

    def decode(self, value):
        for left, right in self.names.items():
            if right == value:
                return left
        raise ValueError


def chosen(state):
    told = "first" if state.first else str(state.right_agreed)
    return Settle(state.right, because(Code.RULE, rule=told))


def test_a_policy_that_asks_what_a_value_was_meets_it_for_the_first_time_where_nobody_knows():
    policy = policies.by("chosen", chosen)
    found = decided(policy, NEW_RIGHT, "見込み", "Closed", "見込み", "open")
    assert (found.write_left, found.fields[0].because.facts["rule"]) == ({0: "済"}, "first")
    assert decided(policy, NEW_RIGHT, "見込み", "Open", "見込み", "open").fields == ()
    equal = decided(policy, NEW_RIGHT, "済", "Closed", "見込み", "open")
    assert (equal.fields, equal.left, equal.right) == ((), ("済",), ("Closed",))


def test_what_the_right_still_holds_under_its_old_name_is_not_told_to_a_policy_that_asks_what_it_was():
    found = decided(policies.by("chosen", chosen), NEW_RIGHT, "済", "open", "見込み", "open")
    assert (found.writes, [why.code for why in found.problems]) == (False, [Code.CODEC_FAILED])


def test_a_value_under_its_old_name_that_was_left_beside_a_blank_is_not_written_over():
    found = decided(policies.only_if_empty, NEW_RIGHT, "済", "open", None, "open")
    assert not found.writes


def test_a_side_that_was_cleared_since_counts_as_changed_whatever_its_value_was_called():
    found = decided(policies.ask_a_person, NEW_RIGHT, "済", None, None, "open")
    assert [why.code for why in found.disputed] == [Code.BOTH_CHANGED]


def test_a_value_that_was_left_to_differ_and_is_edited_since_is_an_edit_also_where_it_meets_what_the_right_held():
    found = decided(policies.ask_a_person, OLD, "商談", "closed", "見込み", "talks")
    assert [why.code for why in found.disputed] == [Code.BOTH_CHANGED]


def fingerprint(value):
    return Sealed(value, lambda text, other: text == other)


def test_a_half_of_which_a_fingerprint_is_kept_is_not_taken_for_an_old_name():
    found = decided(policies.ask_a_person, OLD, "見込み", "talks", fingerprint("済"), "open")
    assert [why.code for why in found.disputed] == [Code.BOTH_CHANGED]
