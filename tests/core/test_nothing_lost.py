"""Nothing that a person wrote is lost without a dispute, unless the policy says so: every policy in every company.

A person's values are what a side holds and its half does not; where nothing was agreed, all that it holds. They are kept
where either side holds them in the end, in a form that both systems would store alike.
"""

from __future__ import annotations

import itertools

import attrs
import pytest

from crmbridge import policies
from crmbridge.model import MISSING, FieldSpec, FieldType, Normalisation, Schema, is_blank
from crmbridge.plan import PairedField, merge, pairing
from crmbridge.policies import has_part

SINGLE = (None, "a", "b", "A")
MANY = ((), ("a",), ("b", "a"), ("A", "c"))
SHAPES = {
    "single": (SINGLE, SINGLE),
    "many": (MANY, MANY),
    "many to single": (MANY, SINGLE),
    "single to many": (SINGLE, MANY),
}
LOOSE = frozenset({Normalisation.CASE, Normalisation.ORDER})

WRAPS = (policies.filled_beats_blank, policies.never_clear, policies.once_per_link)
KEEPING = (
    policies.union, policies.last_value, policies.only_if_empty, policies.only_on_create, policies.ask_a_person
)  # fmt: skip
CHOOSING = (
    policies.left_wins, policies.right_wins, policies.newest_wins(otherwise="left"),
    policies.newest_wins(otherwise="right"), policies.ask_a_person,
)  # fmt: skip


def in_every_company(inner):
    """Give policies alone, in each other policy that takes one, and in two of them."""
    for policy in inner:
        yield policy
        for one in WRAPS:
            yield one(policy)
            yield from (two(one(policy)) for two in WRAPS if two is not one)


def paired(policy, shape, loose):
    types = [FieldType.CHOICES if values is MANY else FieldType.TEXT for values in SHAPES[shape]]
    how = LOOSE if loose else frozenset()
    left, right = (FieldSpec(name, kind, normalises=how) for name, kind in zip("lr", types, strict=True))
    schemas = Schema("L", {"l": left}), Schema("R", {"r": right})
    return pairing((PairedField("l", "r", policy),), *schemas, default=policy, towards_left=True)


def elements(value):
    if value is MISSING or is_blank(value):
        return set()
    return set(value) if isinstance(value, tuple) else {value}


@attrs.frozen
class Case:
    """What stood where, and what stands there in the end."""

    left: object
    right: object
    left_agreed: object
    right_agreed: object
    to_left: object
    to_right: object
    loose: bool

    def forms(self, *values):
        """Give the elements of values, alike where both systems store them so."""
        found = set().union(*map(elements, values))
        return {one.casefold() for one in found} if self.loose else found

    @property
    def written_left(self):
        return elements(self.left) - elements(self.left_agreed)

    @property
    def written_right(self):
        return elements(self.right) - elements(self.right_agreed)

    @property
    def lost(self):
        written = self.forms(tuple(self.written_left), tuple(self.written_right))
        return written - self.forms(self.to_left, self.to_right)


def decided(policy, shape, *, loose=False):
    """Decide every case of a shape, but those that end with a dispute, or with a value that a field cannot hold."""
    pairs, (left, right) = paired(policy, shape, loose), SHAPES[shape]
    halves = [(MISSING, MISSING), *itertools.product(left, right)]
    for one, two, (l0, r0) in itertools.product(left, right, halves):
        found = merge(pairs, (one,), (two,), (l0,), (r0,))
        if not found.disputed and not found.problems:
            yield Case(one, two, l0, r0, found.write_left.get(0, one), found.write_right.get(0, two), loose)


@pytest.mark.parametrize("loose", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("policy", [*in_every_company(KEEPING)], ids=lambda policy: policy.name)
def test_a_policy_that_chooses_no_side_keeps_all_that_anybody_wrote(policy, shape, loose):
    for case in decided(policy, shape, loose=loose):
        assert not case.lost, case


@pytest.mark.parametrize("shape", ["single", "many"])
@pytest.mark.parametrize("policy", [*in_every_company(CHOOSING)], ids=lambda policy: policy.name)
def test_a_policy_that_chooses_a_side_loses_nothing_of_an_edit_on_one_side_alone(policy, shape):
    for case in decided(policy, shape):
        both = case.left != case.left_agreed and case.right != case.right_agreed
        assert both or not case.lost, case


def test_what_the_sides_were_left_to_differ_in_stays_so_until_a_side_is_cleared():
    """What a policy fills whatever was agreed is another thing, as is the single side of `last_value`."""
    for policy, shape in itertools.product(in_every_company([policies.union, policies.last_value]), [*SHAPES][1:]):
        single = has_part(policy, policies.LastValue)
        if single == (shape == "many") or has_part(policy, policies.OncePerLink):
            continue
        for case in decided(policy, shape):
            sides = [(case.to_left, case.left, case.left_agreed), (case.to_right, case.right, case.right_agreed)]
            if case.left_agreed is MISSING or any(is_blank(now) and not is_blank(was) for _, now, was in sides):
                continue
            for place, (end, now, _) in enumerate(sides):
                if not single or SHAPES[shape][place] is MANY:
                    new = case.written_left | case.written_right
                    assert elements(end) - elements(now) <= new, (policy.name, case)


@pytest.mark.parametrize("shape", ["many to single", "single to many"])
@pytest.mark.parametrize("policy", [*in_every_company([policies.last_value])], ids=lambda policy: policy.name)
def test_a_single_value_beside_many_never_keeps_a_record_back(policy, shape):
    pairs, (left, right) = paired(policy, shape, loose=False), SHAPES[shape]
    for one, two, l0, r0 in itertools.product(left, right, (MISSING, *left), (MISSING, *right)):
        assert not merge(pairs, (one,), (two,), (l0,), (r0,)).problems, (one, two, l0, r0)
