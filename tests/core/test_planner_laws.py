"""The planner against laws that know nothing of its code: every small case, and many large ones.

Small: what is left, right and agreed on either side is each absent or one of three values, for every policy and every
way of putting two policies together, every sort of field, and sides whose last write is not settled yet. Large:
quadruples that come of one value by edits, so that their parts are alike in every way that parts can be alike.
"""

from __future__ import annotations

import itertools
import os
import random
from decimal import Decimal

import attrs
import pytest

from crmbridge import policies
from crmbridge.model import MISSING, FieldSpec, FieldType, Normalisation, Schema, Unsettled, is_blank
from crmbridge.plan import PairedField, absorb, merge, pairing
from crmbridge.policies import has_part
from crmbridge.protocols import Settle
from crmbridge.reasons import Code, because
from crmbridge.testing.sim import MONDAY

LOOSE = frozenset({Normalisation.CASE, Normalisation.TRIM})
RANDOM = int(os.environ.get("CRMBRIDGE_CASES", "100000"))


@attrs.frozen
class Sort:
    """A sort of field on both sides, three values of each, and what its systems make of a value."""

    left: FieldSpec
    right: FieldSpec
    values: tuple
    others: tuple | None = None
    stored: object = lambda value: value

    @property
    def right_values(self):
        return self.values if self.others is None else self.others


def trimmed(value):
    return value.strip().casefold() if isinstance(value, str) else value


TEXT, MANY = FieldSpec("l"), FieldSpec("l", FieldType.CHOICES)
SORTS = {
    "text": Sort(TEXT, FieldSpec("r"), (None, "a", "b")),
    "loose text": Sort(FieldSpec("l", normalises=LOOSE), FieldSpec("r", normalises=LOOSE), ("", "a", " A "), stored=trimmed),
    "flag": Sort(FieldSpec("l", FieldType.FLAG), FieldSpec("r", FieldType.FLAG), (None, True, False)),
    "number": Sort(FieldSpec("l", FieldType.NUMBER), FieldSpec("r", FieldType.NUMBER), (None, Decimal(0), Decimal(1))),
    "many": Sort(MANY, FieldSpec("r", FieldType.CHOICES), ((), ("a",), ("b", "a"))),
    "many to one": Sort(MANY, FieldSpec("r"), ((), ("a",), ("b", "a")), (None, "a", "b")),
    "one to many": Sort(TEXT, FieldSpec("r", FieldType.CHOICES), (None, "a", "b"), ((), ("a",), ("b", "a"))),
}  # fmt: skip


def longest(state):
    return Settle(max(state.left, state.right, key=lambda one: (not is_blank(one), len(str(one)))), because(Code.RULE))


def base(sort):
    return (
        policies.left_wins, policies.right_wins, policies.left_always, policies.right_always,
        policies.newest_wins(otherwise="left"), policies.newest_wins(otherwise="right"), policies.only_if_empty,
        policies.only_on_create, policies.write_once, policies.union, policies.last_value, policies.ask_a_person,
        policies.monotone(towards=sort.values[1]), policies.by("longest", longest),
    )  # fmt: skip


WRAPS = (policies.filled_beats_blank, policies.never_clear, policies.once_per_link)


def composed(sort):
    """Give every policy, and every policy inside every other one that takes one, twice over."""
    once = [wrap(policy) for wrap in WRAPS for policy in base(sort)]
    twice = [wrap(policy) for wrap in WRAPS for policy in once if not isinstance(policy, type(wrap(policies.union)))]
    return [*base(sort), *once, *twice]


def one(sort, policy):
    schemas = (Schema("L", {"l": sort.left}), Schema("R", {"r": sort.right}))
    return pairing((PairedField("l", "r", policy),), *schemas, default=policy, towards_left=True)


@attrs.frozen
class Case:
    """One case, and what was decided about it."""

    sort: Sort
    policy: object
    left: object
    right: object
    left_agreed: object
    right_agreed: object
    found: object

    @property
    def to_left(self):
        return self.found.write_left.get(0, MISSING)

    @property
    def to_right(self):
        return self.found.write_right.get(0, MISSING)

    @property
    def agreed(self):
        return MISSING not in (self.left_agreed, self.right_agreed)

    @property
    def changed(self):
        return self.left != self.left_agreed, self.right != self.right_agreed

    @property
    def writes(self):
        """What is written over what."""
        pairs = ((self.to_left, self.left), (self.to_right, self.right))
        return [(value, over) for value, over in pairs if value is not MISSING]

    @property
    def alike(self):
        return alike(self.sort, self.left, self.right)

    @property
    def seen(self):
        return [one for one in (self.left, self.right, self.left_agreed, self.right_agreed) if one is not MISSING]


def alike(sort, one_, two):
    if is_blank(one_) or is_blank(two):
        return is_blank(one_) and is_blank(two)
    return sort.stored(one_) == sort.stored(two)


def elements(value):
    if value is MISSING or is_blank(value):
        return set()
    return set(value) if isinstance(value, tuple) else {value}


# -- laws of every policy ---------------------------------------------------------------------


def nothing_is_decided_about_what_was_not_read(case):
    if MISSING in (case.left, case.right):
        assert not case.writes
        assert not case.found.fields
        assert not case.found.disputed


def nothing_is_done_where_nothing_changed(case):
    if case.agreed and case.changed == (False, False):
        found = case.found
        assert (case.writes, found.fields, found.disputed, found.problems) == ([], (), (), ())


def a_write_brings_something_new(case):
    for value, over in case.writes:
        assert value != over
        assert not (is_blank(value) and is_blank(over))


def no_value_is_made_up(case):
    known = set().union(*(elements(value) for value in case.seen), elements(case.sort.values[1]))
    for value, _ in case.writes:
        assert elements(value) <= known


def first_contact_clears_nothing(case):
    if not case.agreed:
        assert not any(is_blank(value) for value, _ in case.writes)


def the_agreement_moves_as_a_pair_and_only_to_what_is_there(case):
    moved = case.found.left[0], case.found.right[0]
    assert moved in ((case.left_agreed, case.right_agreed), (case.left, case.right))
    if case.writes or case.found.disputed or case.found.problems:
        assert moved == (case.left_agreed, case.right_agreed)


def two_stored_forms_of_one_value_are_agreed_where_neither_side_alone_has_changed(case):
    read = MISSING not in (case.left, case.right)
    if read and case.alike and (not case.agreed or case.changed == (True, True)):
        if case.agreed and policies.looks_back(case.policy) and (case.writes or case.found.problems):
            return
        assert not case.writes
        assert (case.found.left[0], case.found.right[0]) == (case.left, case.right)


def every_write_has_its_line_and_its_reason(case):
    lines = [line for line in case.found.fields if line.sent is not MISSING]
    assert sorted(line.towards for line in lines) == sorted(
        [side for side, value in (("left", case.to_left), ("right", case.to_right)) if value is not MISSING]
    )


# -- laws of single policies ------------------------------------------------------------------


def a_side_wins_only_a_conflict_and_a_lone_change_crosses(case):
    winner = {"left_wins": "left", "right_wins": "right"}.get(case.policy.name)
    if isinstance(case.policy, policies.NewestWins):
        winner = case.policy.otherwise
    if winner is None or case.found.problems or MISSING in (case.left, case.right):
        return
    if case.agreed and case.changed == (True, False):
        winner = "left"
    elif case.agreed and case.changed == (False, True):
        winner = "right"
    elif case.alike:
        return
    elif not case.agreed and is_blank(case.left) != is_blank(case.right):
        winner = "left" if is_blank(case.right) else "right"
    if case.agreed and case.changed == (False, False):
        return
    lives, over, written = (
        (case.left, case.right, case.to_right) if winner == "left" else (case.right, case.left, case.to_left)
    )
    same = lives == over or (is_blank(lives) and is_blank(over))
    assert written == (MISSING if same else lives)


def a_master_is_overwritten_only_where_it_was_blank_at_first_contact(case):
    if isinstance(case.policy, policies.Always):
        own, written = (case.left, case.to_left) if case.policy.side == "left" else (case.right, case.to_right)
        assert written is MISSING or (is_blank(own) and not case.agreed)


def what_never_empties_never_empties(case):
    if isinstance(case.policy, policies.NeverClear | policies.FilledBeatsBlank):
        assert not any(is_blank(value) and not is_blank(over) for value, over in case.writes)


def only_blanks_are_filled(case):
    if has_part(case.policy, policies.OnlyIfEmpty) and not has_part(case.policy, policies.FilledBeatsBlank):
        assert all(is_blank(over) for _, over in case.writes)


def nothing_crosses_twice_that_crosses_once(case):
    if isinstance(case.policy, policies.OncePerLink) and case.agreed:
        assert not case.writes


def nothing_is_written_later_that_is_written_at_creation(case):
    if case.policy == policies.only_on_create:
        assert not case.writes


def holding_on(case):
    """Give the innermost policy where it may hold on to a value, and what the two sides hold in the end."""
    decided = MISSING not in (case.left, case.right) and not case.found.problems
    changed = case.changed != (False, False) if case.agreed else not case.alike
    if not decided or not changed or has_part(case.policy, policies.OncePerLink):
        return None, ()
    ends = ((case.to_left, case.left), (case.to_right, case.right))
    return policies.parts_of(case.policy)[-1], [over if value is MISSING else value for value, over in ends]


def is_one(sort, end, value):
    return elements(end) == elements(value) or alike(sort, end, value)


def an_opt_out_never_goes_back(case):
    policy, ends = holding_on(case)
    if isinstance(policy, policies.Monotone) and policy.towards in case.seen:
        assert all(value == policy.towards for value, _ in case.writes)
        assert all(is_one(case.sort, end, policy.towards) for end in ends)


def the_first_value_stays(case):
    policy, ends = holding_on(case)
    agreed = [value for value in (case.left_agreed, case.right_agreed) if case.agreed and not is_blank(value)]
    if policy == policies.write_once and agreed:
        assert all(is_one(case.sort, end, agreed[0]) for end in ends)


def a_person_is_asked_where_both_changed_and_differ_and_nowhere_else(case):
    if not has_part(case.policy, policies.AskAPerson):
        assert not case.found.disputed
    elif case.policy == policies.ask_a_person and MISSING not in (case.left, case.right):
        both = case.changed == (True, True) if case.agreed else is_blank(case.left) == is_blank(case.right)
        assert bool(case.found.disputed) == (both and not case.alike)


def forms(sort, value):
    return {sort.stored(element) for element in elements(value)}


def an_edit_of_a_union_reaches_the_other_side_and_what_nobody_touched_stays_where_it_is(case):
    """Of halves that an undo or a policy left to differ, all of both would bring back what was taken away."""
    if case.policy != policies.union or case.found.problems or MISSING in (case.left, case.right):
        return
    agreed = case.agreed
    if (agreed and case.changed == (False, False)) or (case.alike and (not agreed or case.changed == (True, True))):
        return
    halves = (case.left_agreed, case.right_agreed) if agreed else (None, None)
    sides = [(elements(now), elements(half)) for now, half in zip((case.left, case.right), halves, strict=True)]
    added = set().union(*(forms(case.sort, tuple(now - half)) for now, half in sides))
    removed = set().union(*(forms(case.sort, tuple(half - now)) for now, half in sides)) - added
    for written, held in ((case.to_left, case.left), (case.to_right, case.right)):
        end, before = forms(case.sort, held if written is MISSING else written), forms(case.sort, held)
        assert added <= end
        assert not removed & end
        assert end - added == before - added - removed


def a_union_that_was_agreed_alike_is_all_less_what_either_removed(case):
    halves = elements(case.left_agreed), elements(case.right_agreed)
    if case.policy == policies.union and case.agreed and halves[0] == halves[1]:
        left, right = elements(case.left), elements(case.right)
        gone = (halves[0] - left) | (halves[1] - right)
        assert all(
            forms(case.sort, value) == forms(case.sort, tuple((left | right) - gone)) for value, _ in case.writes
        )


def nothing_is_taken_from_the_many_of_last_value_and_a_value_written_beside_them_is_added(case):
    if case.policy != policies.last_value or case.sort.others is None or MISSING in (case.left, case.right):
        return
    left_many = case.sort.left is MANY
    held, written, beside = (
        (case.left, case.to_left, case.right) if left_many else (case.right, case.to_right, case.left)
    )
    many = elements(held if written is MISSING else written)
    assert elements(held) <= many
    if not case.agreed or case.changed[1 if left_many else 0]:
        assert elements(beside) <= many
    assert not case.found.problems


LAWS = (
    nothing_is_decided_about_what_was_not_read,
    nothing_is_done_where_nothing_changed,
    a_write_brings_something_new,
    no_value_is_made_up,
    first_contact_clears_nothing,
    the_agreement_moves_as_a_pair_and_only_to_what_is_there,
    two_stored_forms_of_one_value_are_agreed_where_neither_side_alone_has_changed,
    every_write_has_its_line_and_its_reason,
    a_side_wins_only_a_conflict_and_a_lone_change_crosses,
    a_master_is_overwritten_only_where_it_was_blank_at_first_contact,
    what_never_empties_never_empties,
    only_blanks_are_filled,
    nothing_crosses_twice_that_crosses_once,
    nothing_is_written_later_that_is_written_at_creation,
    an_opt_out_never_goes_back,
    the_first_value_stays,
    a_person_is_asked_where_both_changed_and_differ_and_nowhere_else,
    an_edit_of_a_union_reaches_the_other_side_and_what_nobody_touched_stays_where_it_is,
    a_union_that_was_agreed_alike_is_all_less_what_either_removed,
    nothing_is_taken_from_the_many_of_last_value_and_a_value_written_beside_them_is_added,
)


def judged(sort, policy, pairs, four):
    """Decide one case, hold it against every law, and against itself after the write."""
    left, right, l0, r0 = four
    found = merge(pairs, (left,), (right,), (l0,), (r0,))
    case = Case(sort, policy, left, right, l0, r0, found)
    for law in LAWS:
        try:
            law(case)
        except AssertionError as error:
            raise AssertionError(f"{law.__name__}: {policy.name} of {four} -> {found!r} {case.writes}") from error
    if case.writes and not (found.disputed or found.problems):
        now = found.write_left.get(0, left), found.write_right.get(0, right)
        again = merge(pairs, *[(value,) for value in (*now, *now)])
        assert not again.writes, (policy.name, four)
    return case


@pytest.mark.parametrize("sort", SORTS.values(), ids=SORTS)
def test_every_small_case_keeps_every_law(sort):
    left, right = (MISSING, *sort.values), (MISSING, *sort.right_values)
    everything = list(itertools.product(left, right, left, right))
    assert len(everything) == 4**4
    for policy in composed(sort):
        pairs = one(sort, policy)
        for four in everything:
            judged(sort, policy, pairs, four)


@pytest.mark.parametrize("sort", SORTS.values(), ids=SORTS)
def test_a_side_whose_last_write_is_not_settled_is_judged_as_what_the_reading_makes_of_it(sort):
    left, right = (MISSING, *sort.values), (MISSING, *sort.right_values)
    for policy in base(sort):
        pairs = one(sort, policy)
        for l, r, l0, r0 in itertools.product(left, right, sort.values, sort.right_values):
            for sides in (("left",), ("right",), ("left", "right")):
                halves = []
                for side, now, half in (("left", l, l0), ("right", r, r0)):
                    waiting = {pairs.labels[0]: Unsettled(half, MONDAY)} if side in sides else {}
                    [learned] = absorb(pairs, side, (now,), (half,), waiting)
                    ours = side in sides and now is not MISSING and alike(sort, half, now)
                    assert learned == (now if ours else half)
                    halves.append(learned)
                judged(sort, policy, pairs, (l, r, *halves))


def edited(chance, value, sort, values):
    """Give a value as it is after nothing, an edit, a clear, or a system that stores it in its own way."""
    dice = chance.random()
    if dice < 0.5:
        return value
    if dice < 0.6:
        return sort.values[0]
    if dice < 0.7:
        return MISSING
    if isinstance(value, str) and dice < 0.8:
        return chance.choice((value.upper(), f" {value}", value.strip(), value + "a"))
    if isinstance(value, tuple) and dice < 0.85:
        return tuple(element for element in value if chance.random() < 0.7)
    return chance.choice(values)


LARGE = {
    "text": Sort(TEXT, FieldSpec("r"), (None, "ann", "Ann", "bob", "bo b", "", "山田", "ａ")),
    "loose text": Sort(
        FieldSpec("l", normalises=LOOSE),
        FieldSpec("r", normalises=LOOSE),
        (None, "ann", "ANN ", " bob", "Bob", "carol", "山田"),
        stored=trimmed,
    ),
    "number": Sort(
        FieldSpec("l", FieldType.NUMBER),
        FieldSpec("r", FieldType.NUMBER),
        (None, Decimal(0), Decimal("1.50"), Decimal("1.5"), Decimal(-3)),
    ),
    "many": Sort(
        MANY, FieldSpec("r", FieldType.CHOICES), ((), ("a",), ("a", "b"), ("c", "a", "d"), ("e",), ("b", "c"))
    ),
}


def test_many_large_cases_keep_every_law_in_whatever_company_their_fields_are(seed, record_property):
    chance = random.Random(14 + seed)
    sorts = list(LARGE.values())
    rules = {id(sort): [(policy, one(sort, policy)) for policy in composed(sort)] for sort in sorts}
    batch = []
    for number in range(RANDOM):
        sort = chance.choice(sorts)
        policy, pairs = chance.choice(rules[id(sort)])
        value = chance.choice(sort.values)
        four = tuple(edited(chance, value, sort, sort.values) for _ in range(4))
        batch.append((sort, judged(sort, policy, pairs, four)))
        if number % 1000 == 999:
            together(chance, batch)
            batch.clear()
    record_property("cases", RANDOM)


def together(chance, batch):
    """Decide fields of one record at once, shuffled: each is decided as if it were alone."""
    some = chance.sample(batch, 40)
    fields, left, right = [], {}, {}
    for place, (sort, case) in enumerate(some):
        fields.append(PairedField(f"l{place}", f"r{place}", case.policy))
        left[f"l{place}"] = attrs.evolve(sort.left, name=f"l{place}")
        right[f"r{place}"] = attrs.evolve(sort.right, name=f"r{place}")
    pairs = pairing(fields, Schema("L", left), Schema("R", right), default=policies.left_wins, towards_left=True)
    halves = ([case.left, case.right, case.left_agreed, case.right_agreed] for _, case in some)
    found = merge(pairs, *zip(*halves, strict=True))
    for place, (_, case) in enumerate(some):
        assert found.write_left.get(place, MISSING) == case.to_left
        assert found.write_right.get(place, MISSING) == case.to_right
        assert (found.left[place], found.right[place]) == (case.found.left[0], case.found.right[0])
