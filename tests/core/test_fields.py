"""The decision of a field, exhaustively: what stands left and right, what was agreed, and every policy."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal

import pytest

from crmbridge import codecs, policies
from crmbridge.given import joined
from crmbridge.model import (
    MISSING,
    Agreed,
    FieldSpec,
    FieldType,
    Normalisation,
    RecordRef,
    Rows,
    Schema,
    Unsettled,
    is_blank,
)
from crmbridge.plan import Answers, PairedField, ReadOnly, absorb, canonical, creation, merge, pairing, raised
from crmbridge.protocols import Carry, Settle
from crmbridge.reasons import Code, because
from crmbridge.testing.sim import MONDAY

VALUES = (None, "a", "b")
AGREED = (MISSING, *VALUES)

FAIR = {
    "filled_beats_blank(ask)": policies.filled_beats_blank(policies.ask_a_person),
    "never_clear(ask)": policies.never_clear(policies.ask_a_person),
    "only_if_empty": policies.only_if_empty,
    "only_on_create": policies.only_on_create,
    "union": policies.union,
    "ask_a_person": policies.ask_a_person,
}
SIDED = {
    "wins": (policies.left_wins, policies.right_wins),
    "always": (policies.left_always, policies.right_always),
    "newest": (policies.newest_wins(otherwise="left"), policies.newest_wins(otherwise="right")),
    "filled_beats_blank": (
        policies.filled_beats_blank(policies.left_wins),
        policies.filled_beats_blank(policies.right_wins),
    ),
    "never_clear": (policies.never_clear(policies.left_wins), policies.never_clear(policies.right_wins)),
    "once_per_link": (policies.once_per_link(policies.left_wins), policies.once_per_link(policies.right_wins)),
}
POLICIES = [
    *FAIR.values(),
    *itertools.chain.from_iterable(SIDED.values()),
    policies.write_once,
    policies.monotone(towards="b"),
    policies.last_value,
]
GATES = [(None, None), (because(Code.GATE), None), (None, because(Code.GATE)), (because(Code.GATE),) * 2]
LOOSE = frozenset({Normalisation.CASE, Normalisation.TRIM})


def schema(kind, *fields):
    return Schema(kind, {field.name: field for field in fields})


LEFT, RIGHT = FieldSpec("l"), FieldSpec("r")


def one(policy, *, two_way=True, left=LEFT, right=RIGHT, via=None, formerly=None):
    """Pair one field with another."""
    pairs = (PairedField("l", "r", policy, via, formerly=formerly),)
    return pairing(pairs, schema("L", left), schema("R", right), default=policy, towards_left=two_way)


def quadruples():
    """Every left, right and agreement; halves that were left to differ on purpose are among them."""
    for left, right, l0, r0 in itertools.product(VALUES, VALUES, AGREED, AGREED):
        if (l0 is MISSING) == (r0 is MISSING):
            yield left, right, l0, r0


CASES = list(quadruples())


def decided(pairs, case, *, ruled=None, **how):
    return answered(pairs, [(cell,) for cell in case], ruled, **how)


def answered(pairs, halves, ruled, **how):
    """Decide, and where a person ruled once more, with that for the answer to all that was asked."""
    found = merge(pairs, *halves, **how)
    if ruled is None:
        return found
    return merge(pairs, *halves, ruled=Answers(given=tuple((question, ruled) for _, question in found.asked)), **how)


def after(case, found):
    """Apply what was decided: both systems take what is written, and the agreement moves at the acknowledgement."""
    left, right, *_ = case
    now = found.write_left.get(0, left), found.write_right.get(0, right)
    return (*now, *now) if found.writes else (*now, found.left[0], found.right[0])


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
@pytest.mark.parametrize("two_way", [True, False])
def test_what_equals_its_agreement_on_both_sides_is_never_written(policy, two_way):
    for case in CASES:
        if case[:2] == case[2:]:
            found = decided(one(policy, two_way=two_way), case)
            assert not found.writes
            assert (found.left[0], found.right[0]) == case[2:]


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_sides_that_are_equal_and_were_agreed_as_equal_are_written_only_what_the_policy_holds_on_to(policy):
    for case in CASES:
        if case[0] == case[1] and case[2] == case[3]:
            found = decided(one(policy), case)
            assert not found.writes or policies.looks_back(policy)
            assert set(found.write_left.values()) | set(found.write_right.values()) <= {case[2]} - {None, MISSING}


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
@pytest.mark.parametrize("gated", GATES)
def test_the_agreement_moves_without_a_write_only_to_what_both_sides_hold(policy, gated):
    for case in CASES:
        found = decided(one(policy), case, gated=gated)
        assert (found.left[0], found.right[0]) in (case[2:], case[:2])
        if found.writes or found.disputed or found.skipped or found.problems:
            assert (found.left[0], found.right[0]) == case[2:]


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_a_blank_is_never_a_clear_at_first_contact(policy):
    for case in CASES:
        if case[2] is MISSING:
            found = decided(one(policy), case)
            assert not any(is_blank(value) for value in (*found.write_left.values(), *found.write_right.values()))


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
@pytest.mark.parametrize("two_way", [True, False])
def test_what_was_written_and_acknowledged_is_not_written_again(policy, two_way):
    pairs = one(policy, two_way=two_way)
    for case in CASES:
        settled = after(case, decided(pairs, case))
        again = decided(pairs, settled)
        assert not again.writes, (case, settled)
        assert after(settled, again) == settled


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_one_way_never_writes_to_the_source(policy):
    for case in CASES:
        assert not decided(one(policy, two_way=False), case).write_left


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
@pytest.mark.parametrize("gated", GATES)
def test_a_closed_gate_lets_nothing_through_and_keeps_it_pending(policy, gated):
    pairs = one(policy)
    for case in CASES:
        open_, found = decided(pairs, case), decided(pairs, case, gated=gated)
        assert not (gated[0] and found.write_left)
        assert not (gated[1] and found.write_right)
        if found.skipped:
            assert open_.writes or open_.problems
            assert after(case, found) == case


@pytest.mark.parametrize("policy", list(FAIR.values()), ids=list(FAIR))
def test_a_fair_policy_treats_both_sides_alike(policy):
    for left, right, l0, r0 in CASES:
        here, there = decided(one(policy), (left, right, l0, r0)), decided(one(policy), (right, left, r0, l0))
        assert (here.write_left, here.write_right) == (there.write_right, there.write_left)
        assert (bool(here.disputed), bool(here.skipped)) == (bool(there.disputed), bool(there.skipped))


@pytest.mark.parametrize(("mine", "yours"), list(SIDED.values()), ids=list(SIDED))
def test_a_policy_that_names_a_side_is_the_mirror_of_the_one_that_names_the_other(mine, yours):
    for left, right, l0, r0 in CASES:
        here, there = decided(one(mine), (left, right, l0, r0)), decided(one(yours), (right, left, r0, l0))
        assert (here.write_left, here.write_right) == (there.write_right, there.write_left)


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_a_field_that_was_not_read_takes_no_part_and_its_agreement_stays(policy):
    for case in CASES:
        for hidden in ((MISSING, *case[1:]), (case[0], MISSING, *case[2:])):
            found = decided(one(policy), hidden)
            assert not found.writes
            assert (found.left[0], found.right[0]) == case[2:]


def test_a_policy_is_never_asked_about_what_was_not_read():
    asked = []

    def watching(state):
        asked.append((state.left, state.right))
        return Settle(state.left, because(Code.CHANGED))

    watched = one(policies.by("watching", watching))
    for case in CASES:
        for hidden in ((MISSING, *case[1:]), (case[0], MISSING, *case[2:]), (MISSING, MISSING, *case[2:])):
            _ = decided(watched, hidden)
    assert asked == []
    assert decided(watched, ("b", "a", "a", "a")).write_right == {0: "b"}
    assert asked == [("b", "a")]


def test_a_change_on_one_side_alone_crosses_whichever_side_would_win():
    for policy in (policies.left_wins, policies.right_wins, policies.ask_a_person):
        assert decided(one(policy), ("b", "a", "a", "a")).write_right == {0: "b"}
        assert decided(one(policy), ("a", "b", "a", "a")).write_left == {0: "b"}
        assert decided(one(policy), (None, "a", "a", "a")).write_right == {0: None}


def test_where_both_sides_changed_to_one_value_or_met_with_it_no_policy_is_asked():
    asked = []
    pairs = one(policies.by("told", lambda state: asked.append(state)))
    for left, right, l0, r0 in CASES:
        if left == right and (l0 is MISSING or (left != l0 and right != r0)):
            found = decided(pairs, (left, right, l0, r0))
            assert (found.writes, found.left, found.right) == (False, (left,), (right,))
    assert asked == []


@pytest.mark.parametrize("now", [None, "b"])
def test_what_both_sides_have_let_go_is_given_back_where_the_policy_holds_on_to_it(now):
    for policy in (policies.monotone(towards="a"), policies.write_once):
        for around in (policies.filled_beats_blank, policies.never_clear, lambda inner: inner):
            found = decided(one(around(policy)), (now, now, "a", "a"))
            assert (found.write_left, found.write_right) == ({0: "a"}, {0: "a"})
    found = decided(one(policies.left_always), (now, now, "a", "a"))
    assert (found.writes, found.left, found.right) == (False, (now,), (now,))


def test_two_stored_forms_of_what_a_policy_holds_on_to_are_agreed_without_a_write():
    pairs = one(policies.write_once, left=FieldSpec("l", normalises=LOOSE), right=FieldSpec("r", normalises=LOOSE))
    found = decided(pairs, ("Kim", "KIM", "kim", "kim"))
    assert (found.writes, found.left, found.right) == (False, ("Kim",), ("KIM",))


def test_a_master_takes_back_what_the_other_side_alone_has_changed():
    assert decided(one(policies.left_always), ("a", "b", "a", "a")).write_right == {0: "a"}
    assert decided(one(policies.right_always), ("b", "a", "a", "a")).write_left == {0: "a"}


def test_a_person_who_corrects_only_the_case_of_a_name_is_heard():
    pairs = one(policies.right_wins, left=FieldSpec("l", normalises=LOOSE), right=FieldSpec("r", normalises=LOOSE))
    assert decided(pairs, ("Kim", "kim", "kim", "kim")).write_right == {0: "Kim"}


def test_two_stored_forms_of_one_value_agree_at_first_contact_and_where_both_changed():
    pairs = one(policies.ask_a_person, left=FieldSpec("l", normalises=LOOSE))
    for agreed in ((MISSING, MISSING), ("x", "y")):
        found = decided(pairs, ("KIM ", "kim", *agreed))
        assert (found.writes, found.disputed) == (False, ())
        assert (found.left, found.right) == (("KIM ",), ("kim",))


def test_a_dispute_dissolves_when_a_person_restores_one_side():
    pairs = one(policies.ask_a_person)
    assert decided(pairs, ("b", "c", "a", "a")).disputed
    assert decided(pairs, ("b", "a", "a", "a")).write_right == {0: "b"}


def test_an_addition_on_each_side_is_written_on_both():
    pairs = one(policies.union, left=FieldSpec("l", FieldType.CHOICES), right=FieldSpec("r", FieldType.CHOICES))
    found = decided(pairs, (("a", "b"), ("a", "c"), ("a",), ("a",)))
    assert set(found.write_left[0]) == set(found.write_right[0]) == {"a", "b", "c"}


def test_an_element_that_either_side_removed_is_gone_from_both():
    pairs = one(policies.union, left=FieldSpec("l", FieldType.CHOICES), right=FieldSpec("r", FieldType.CHOICES))
    found = decided(pairs, (("a",), ("a", "b", "c"), ("a", "b"), ("a", "b")))
    assert (found.write_left, found.write_right) == ({0: ("a", "c")}, {0: ("a", "c")})


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
@pytest.mark.parametrize("gated", GATES[1:3])
def test_a_gate_keeps_back_what_goes_its_way_and_nothing_else(policy, gated):
    for case in CASES:
        open_, found = decided(one(policy), case), decided(one(policy), case, gated=gated)
        if not open_.problems and not (open_.write_left if gated[0] else open_.write_right):
            assert (found.write_left, found.write_right, found.skipped) == (open_.write_left, open_.write_right, ())


def two(*fields):
    """Pair fields on a left kind L with l and m, and a right kind R with r and s."""
    left, right = schema("L", *map(FieldSpec, "lm")), schema("R", *map(FieldSpec, "rs"))
    return pairing(fields, left, right, default=policies.left_wins, towards_left=True)


@pytest.mark.parametrize(
    ("fields", "held"), [(("l", "m"), ("a", "b")), (("m", "l"), ("b", "a")), (("x", "l"), ("x", "a"))]
)
def test_cells_are_taken_from_where_they_stand_in_a_row(fields, held):
    rows = Rows("ma", "L", fields, ("1",), (held,))
    for pairs in (two(PairedField("l", "r")), two(PairedField("l", "r"), PairedField("m", "s"))):
        wanted = ("a", "b" if "m" in fields else MISSING)[: len(pairs.pairs)]
        assert pairs.reader("left", fields)(rows, 0) == wanted


def test_a_field_that_the_other_kind_lacks_takes_no_part():
    pairs = two(PairedField("l", {"Other": "s"}), PairedField({"Other": "l"}, "r"), PairedField("m", "s"))
    assert [pair.absent for pair in pairs.pairs] == [True, True, False]
    left = Rows("ma", "L", ("l", "m"), ("1",), (("a", "b"),))
    right = Rows("crm", "R", ("r", "s"), ("1",), (("c", "d"),))
    assert pairs.reader("left", left.fields)(left, 0) == (MISSING, MISSING, "b")
    assert pairs.reader("right", right.fields)(right, 0) == (MISSING, MISSING, "d")
    assert (pairs.tells("left"), pairs.tells("right")) == (("m",), ("s",))


def test_the_answer_to_a_create_tells_each_field_once_and_no_value_that_is_made():
    pairs = two(PairedField("l", "r"), PairedField(joined("l", "m"), "s"), PairedField("l", "t"))
    assert (pairs.tells("left"), pairs.tells("right")) == (("l",), ("r", "s", "t"))


@pytest.mark.parametrize("side", ["l", "r"])
def test_a_field_that_is_written_at_creation_alone_is_left_afterwards(side):
    once = FieldSpec(side, create_only=True)
    pairs = one(policies.left_wins, **({"left": once} if side == "l" else {"right": once}))
    found = decided(pairs, ("a", "b", "a", "a") if side == "l" else ("b", "a", "a", "a"))
    assert (found.writes, found.problems) == (False, ())
    assert [line.because.code for line in found.fields] == [Code.NOT_WRITABLE]


def test_a_pair_is_named_alike_for_every_kind():
    name = {"Lead": "Phone", "Contact": ReadOnly("Mobile")}
    assert PairedField("tel", name).label == "tel|Contact:Mobile,Lead:Phone"
    assert PairedField(name, ReadOnly("tel")).label == "Contact:Mobile,Lead:Phone|tel"


@pytest.mark.parametrize("value", [True, "much", "NaN", "Infinity", MONDAY])
def test_what_is_no_number_has_itself_for_a_form_in_a_field_of_numbers(value):
    form = canonical(FieldSpec("f", FieldType.NUMBER, scale=1, normalises=frozenset({Normalisation.SCALE})))
    assert form(value) == value
    assert isinstance(form(value), type(value))


def test_a_number_has_one_form_however_it_is_written():
    form = canonical(FieldSpec("f", FieldType.NUMBER))
    assert form(" 1.50 ") == form(Decimal("1.5")) != form("1.51")
    assert form(2) == form("2.0")


@pytest.mark.parametrize(
    ("how", "text", "stored"),
    [
        (Normalisation.WIDTH, "ｶ", "カ"),
        (Normalisation.DIGITS, "1-2", "12"),
        (Normalisation.TRIM, " a ", "a"),
        (Normalisation.CASE, "A", "a"),
        (Normalisation.LENGTH, "abcd", "abc"),
    ],
)
def test_each_normalisation_does_one_thing(how, text, stored):
    def form(one):
        return canonical(FieldSpec("f", max_length=3, normalises=frozenset({one})))

    assert form(how)(text) == stored
    assert [other for other in Normalisation if other is not how and form(other)(text) == stored] == []


def test_a_field_that_refuses_instead_of_cutting_or_rounding_has_no_say_in_the_form():
    cuts = FieldSpec("f", max_length=5, normalises=frozenset({Normalisation.LENGTH}))
    assert canonical(cuts, FieldSpec("g", max_length=3))("abcdef") == "abcde"
    rounds = FieldSpec("f", FieldType.NUMBER, scale=1, normalises=frozenset({Normalisation.SCALE}))
    assert canonical(rounds, FieldSpec("g", FieldType.NUMBER, scale=0))("1.5") == Decimal("1.5")


def test_each_text_of_a_set_is_put_into_its_form_and_what_is_no_text_is_not():
    form = canonical(FieldSpec("f", FieldType.CHOICES, normalises=LOOSE))
    ref = RecordRef("crm", "lead", "A")
    assert form(("A ", ref)) == ("a", ref)


def test_an_instant_has_one_form_in_every_zone_and_loses_parts_of_seconds_where_its_field_does():
    there = MONDAY.astimezone(dt.timezone(dt.timedelta(hours=9))) + dt.timedelta(microseconds=7)
    seconds = canonical(FieldSpec("f", normalises=frozenset({Normalisation.SCALE})))
    exact = canonical(FieldSpec("f"))
    assert exact(there) == exact(there.astimezone(dt.UTC)) == there
    assert str(exact(there)) == str(there.astimezone(dt.UTC))
    assert seconds(there) == MONDAY
    assert exact(there) != exact(MONDAY)
    assert exact(there.replace(tzinfo=None)) == there.replace(tzinfo=None)


def test_a_field_without_a_known_length_cuts_nothing():
    assert canonical(FieldSpec("f", normalises=frozenset({Normalisation.LENGTH})))("abcd") == "abcd"
    spec = FieldSpec("f", max_length=3, normalises=frozenset({Normalisation.LENGTH, Normalisation.TRIM}))
    assert canonical(spec)("ab cd") == "ab"


def test_what_a_gate_keeps_back_is_told_with_its_reason():
    shut = because(Code.GATE, gate="consent")
    for policy in (policies.left_wins, policies.left_always):  # the second one is asked about every change
        found = decided(one(policy), ("b", "a", "a", "a"), gated=(None, shut))
        assert found.skipped == (shut,)
        assert [(line.because, line.towards, line.sent) for line in found.fields] == [(shut, None, MISSING)]
        assert decided(one(policy), ("b", "a", "a", "a"), gated=(shut, None)).write_right == {0: "b"}


def test_a_decision_tells_what_either_side_holds_and_what_is_sent():
    [sent] = decided(one(policies.left_wins), ("b", "a", "a", "a")).fields
    assert (sent.left, sent.right, sent.sent, sent.towards) == ("b", "a", "b", "right")
    [left] = decided(one(policies.only_if_empty), ("b", "c", "a", "a")).fields
    assert (left.left, left.right, left.sent, left.towards) == ("b", "c", MISSING, None)


def test_a_value_that_would_be_refused_is_told_with_the_side_that_would_refuse_it():
    short = FieldSpec("r", max_length=3)
    [line] = decided(one(policies.left_wins, right=short), ("abcd", "a", "a", "a")).fields
    assert (line.because.code, line.towards, line.sent) == (Code.TOO_LONG, "right", MISSING)


def test_fields_after_one_that_was_not_read_or_agrees_anew_are_decided():
    loose = FieldSpec("l", normalises=LOOSE)
    left, right = schema("L", loose, FieldSpec("m")), schema("R", FieldSpec("r"), FieldSpec("s"))
    pairs = pairing(
        (PairedField("l", "r"), PairedField("m", "s")), left, right, default=policies.left_wins, towards_left=True
    )
    for first in (MISSING, "KIM"):
        found = merge(pairs, (first, "b"), ("kim", "a"), ("x", "a"), ("y", "a"))
        assert found.write_right == {1: "b"}
    found = merge(pairs, ("z", "b"), ("x", "a"), ("x", "a"), ("x", "a"))
    assert found.write_right == {0: "z", 1: "b"}


def test_a_change_that_may_not_go_back_is_left_and_told_and_agreed():
    found = decided(one(policies.left_wins, two_way=False), ("a", "b", "a", "a"))
    assert not found.writes
    assert (found.left, found.right) == (("a",), ("b",))
    assert [(line.because.code, line.towards) for line in found.fields] == [(Code.NOT_WRITABLE, None)]


def test_a_dispute_is_told_with_its_field_and_moves_nothing():
    found = decided(one(policies.ask_a_person), ("b", "c", "a", "a"))
    assert found.disputed == (because(Code.BOTH_CHANGED, policy="ask_a_person", field="r"),)
    assert [(line.because.code, line.towards) for line in found.fields] == [(Code.BOTH_CHANGED, None)]
    assert (found.left, found.right) == (("a",), ("a",))


@pytest.mark.parametrize(
    ("ruled", "left", "right", "agreed"),
    [("left", {}, {0: "b"}, ("a", "a")), ("right", {0: "c"}, {}, ("a", "a")), ("leave", {}, {}, ("b", "c"))],
)
def test_a_person_rules_where_a_policy_asks(ruled, left, right, agreed):
    found = decided(one(policies.ask_a_person), ("b", "c", "a", "a"), ruled=ruled)
    assert (found.write_left, found.write_right, found.disputed) == (left, right, ())
    assert (*found.left, *found.right) == agreed
    assert [line.because for line in found.fields] == [because(Code.RULED, field="r")]


def test_a_question_holds_while_nothing_of_what_is_asked_has_changed_and_no_longer():
    names = {"l": "r", "m": "s"}
    asking = pairing(
        tuple(PairedField(left, right, policies.ask_a_person) for left, right in names.items()),
        schema("L", *map(FieldSpec, names)), schema("R", *map(FieldSpec, names.values())),
        default=policies.ask_a_person, towards_left=True,
    )  # fmt: skip

    def asked(*halves, **how):
        return [question for _, question in merge(asking, *halves, **how).asked]

    first = asked(("b", "x"), ("c", "x"), ("a", "x"), ("a", "x"))
    assert first == asked(("b", "y"), ("c", "y"), ("a", "x"), ("a", "x")), "another field is another matter"
    others = [
        asked(("b", "x"), ("d", "x"), ("a", "x"), ("a", "x")),
        asked(("d", "x"), ("c", "x"), ("a", "x"), ("a", "x")),
        asked(("c", "x"), ("b", "x"), ("a", "x"), ("a", "x")),
        asked(("x", "b"), ("x", "c"), ("x", "a"), ("x", "a")),
        asked(("b", "x"), ("c", "x"), ("z", "x"), ("z", "x")),
        asked(("b", "x"), ("c", "x"), ("z", "x"), ("a", "x")),
        asked(("b", "x"), ("c", "x"), ("a", "x"), ("z", "x")),
        asked(("b", "x"), ("c", "x"), (MISSING, "x"), (MISSING, "x"), filling=True),
        asked(("b", "x"), ("c", "x"), ("a", "x"), ("a", "x"), ruled=Answers(("another", "pair"))),
    ]
    assert len({*first, *(question for [question] in others)}) == 10


def test_an_answer_to_one_question_decides_no_other():
    pairs = one(policies.ask_a_person)
    [(_, question)] = decided(pairs, ("b", "c", "a", "a")).asked
    ruled = Answers(given=((question, "left"),))
    assert merge(pairs, ("b",), ("c",), ("a",), ("a",), ruled=ruled).write_right == {0: "b"}
    again = merge(pairs, ("b",), ("d",), ("a",), ("a",), ruled=ruled)
    assert ([why.code for why in again.disputed], again.writes) == ([Code.BOTH_CHANGED], False)


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_after_a_loss_of_state_what_was_never_agreed_is_filled_or_left_to_a_person(policy):
    for case in CASES:
        found = decided(one(policy), case, filling=True)
        left, right, l0, _ = case
        if l0 is not MISSING:
            assert found == decided(one(policy), case)
        elif left == right:
            assert (found.writes, found.disputed, found.left, found.right) == (False, (), (left,), (right,))
        elif right is None:
            assert (found.write_left, found.write_right) == ({}, {0: left})
        elif left is None:
            assert (found.write_left, found.write_right) == ({0: right}, {})
        else:
            assert [why.code for why in found.disputed] == [Code.STATE_LOST]
            assert not found.writes


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_who_does_not_own_a_shared_field_only_fills_it_and_takes_what_stands_there(policy):
    for case in CASES:
        found, owner = decided(one(policy), case, guests=frozenset({0})), decided(one(policy), case)
        assert not found.write_right or (is_blank(case[1]) and not is_blank(found.write_right[0]))
        assert found.disputed == owner.disputed
        if case[1] is not None and not owner.disputed:
            assert found.write_left == owner.write_left
        if is_blank(case[1]) and case[0] is not None:
            assert found.write_right == owner.write_right


def test_who_does_not_own_a_shared_set_gets_all_of_it_and_adds_nothing():
    pairs = one(policies.union, left=FieldSpec("l", FieldType.CHOICES), right=FieldSpec("r", FieldType.CHOICES))
    found = decided(pairs, (("a", "b"), ("a", "c"), ("a",), ("a",)), guests=frozenset({0}))
    assert set(found.write_left[0]) == {"a", "b", "c"}
    assert found.write_right == {}


def test_what_is_decided_about_a_pair_is_shown_without_its_values():
    shown = repr(decided(one(policies.left_wins), ("kim", "lee", "ann", "ann")))
    assert "because" in shown
    assert not [name for name in ("kim", "lee", "ann") if name in shown]


def test_the_last_of_several_values_goes_to_the_side_that_holds_one_and_nothing_goes_back():
    pairs = one(policies.last_value, left=FieldSpec("l", FieldType.CHOICES))
    for agreed in (MISSING, MISSING), (("a",), "x"), (("a",), "a"):
        found = decided(pairs, (("a", "b"), "a", *agreed))
        assert (found.write_left, found.write_right, found.problems) == ({}, {0: "b"}, ())


MANY = FieldType.CHOICES


def test_which_side_holds_many_is_told_by_the_fields_and_not_by_what_they_hold():
    pairs = one(policies.last_value, right=FieldSpec("r", MANY))
    for agreed in (MISSING, MISSING), (None, ()):
        found = decided(pairs, ("vip", (), *agreed))
        assert (found.write_left, found.write_right, found.problems) == ({}, {0: ("vip",)}, ())
    assert creation(pairs, "right", ("vip",), frozenset()).values == {0: ("vip",)}
    assert creation(one(policies.union, right=FieldSpec("r", MANY)), "right", ("vip",), frozenset()).values == {
        0: ("vip",)
    }


def test_elements_are_one_in_the_forms_that_both_fields_declare():
    pairs = one(policies.union, left=FieldSpec("l", MANY), right=FieldSpec("r", MANY, normalises=LOOSE))
    found = decided(pairs, (("VIP", "x"), ("vip",), ("VIP",), ("vip",)))
    assert (found.write_left, found.write_right) == ({}, {0: ("vip", "x")})
    assert decided(pairs, ((), ("vip",), ("VIP",), ("vip",))).write_right == {0: ()}


def test_a_policy_that_would_write_both_sides_gives_its_own_reason_where_one_of_them_is_written():
    pairs = one(policies.last_value, two_way=False, left=FieldSpec("l", MANY))
    found = decided(pairs, (("a", "b"), "z", MISSING, MISSING))
    assert (found.write_left, found.write_right) == ({}, {0: "b"})
    assert [line.because.code for line in found.fields] == [Code.POLICY]
    pairs = one(policies.left_always, two_way=False)
    assert [line.because.code for line in decided(pairs, (None, "z", None, None)).fields] == [Code.POLICY]


def test_a_shared_set_of_which_a_part_was_left_out_goes_to_who_does_not_own_it_as_it_was_edited():
    pairs = one(policies.union, left=FieldSpec("l", MANY), right=FieldSpec("r", MANY))
    found = decided(pairs, (("a", "mine"), ("a", "c"), ("a",), ("a", "b")), guests=frozenset({0}))
    assert (found.write_left, found.write_right) == ({0: ("a", "mine", "c")}, {})


def test_one_value_that_the_target_would_refuse_keeps_the_whole_pair_back():
    short = FieldSpec("r", max_length=3)
    found = decided(one(policies.left_wins, right=short), ("abcd", "a", "a", "a"))
    assert not found.writes
    assert [why.code for why in found.problems] == [Code.TOO_LONG]


def test_a_value_outside_the_codec_is_a_problem_and_no_crash():
    pairs = one(policies.right_wins, via=codecs.choices({"hot": "Hot"}))
    assert [why.code for why in decided(pairs, ("cold", "Hot", "hot", "Hot")).problems] == [Code.CODEC_FAILED]
    assert [why.code for why in decided(pairs, ("hot", "Cold", "hot", "Hot")).problems] == [Code.CODEC_FAILED]
    for agreed in ((MISSING, MISSING), ("hot", "Cool")):
        found = decided(one(policies.left_wins, via=codecs.choices({"hot": "Hot"})), ("cold", "Hot", *agreed))
        assert [why.code for why in found.problems] == [Code.CODEC_FAILED]
        assert (found.left, found.right) == (agreed[:1], agreed[1:])


@pytest.mark.parametrize(
    ("ruled", "two_way", "agreed", "to_left", "code"),
    [
        ("leave", True, ("abcd", "a"), {}, Code.RULED),
        ("right", True, ("b", "a"), {0: "a"}, Code.RULED),
        ("right", False, ("abcd", "a"), {}, Code.NOT_WRITABLE),
        ("left", True, ("b", "a"), {}, Code.TOO_LONG),
    ],
)
def test_a_person_may_rule_that_a_value_that_would_be_refused_is_not_sent(ruled, two_way, agreed, to_left, code):
    pairs = one(policies.left_wins, right=FieldSpec("r", max_length=3), two_way=two_way)
    found = decided(pairs, ("abcd", "a", "b", "a"), ruled=ruled)
    assert (found.left, found.right) == ((agreed[0],), (agreed[1],))
    assert (found.write_left, found.write_right) == (to_left, {})
    assert [why.code for why in found.problems] == ([Code.TOO_LONG] if ruled == "left" else [])
    assert [line.because.code for line in found.fields] == [code]


def test_what_no_codec_can_read_may_be_left_or_written_over_and_never_lives_on():
    case = ("hot", "Cold", "hot", "Hot")
    pairs = one(policies.right_wins, via=codecs.choices({"hot": "Hot"}))
    left = decided(pairs, case, ruled="leave")
    assert (left.writes, left.problems, left.left, left.right) == (False, (), ("hot",), ("Cold",))
    over = decided(pairs, case, ruled="left")
    assert (over.write_left, over.write_right, over.problems) == ({}, {0: "Hot"}, ())
    found = decided(pairs, case, ruled="right")
    assert (found.writes, [why.code for why in found.problems]) == (False, [Code.CODEC_FAILED])
    neither = decided(pairs, ("cold", "Cold", "hot", "Hot"), ruled="left")
    assert (neither.writes, [why.code for why in neither.problems]) == (False, [Code.CODEC_FAILED])


def test_a_person_rules_about_one_value_although_another_can_be_read_by_no_codec():
    pairs = pairing(
        (PairedField("l", "r", via=codecs.choices({"hot": "Hot"})), PairedField("m", "s")),
        schema("L", FieldSpec("l"), FieldSpec("m")), schema("R", FieldSpec("r"), FieldSpec("s", max_length=3)),
        default=policies.left_wins, towards_left=True,
    )  # fmt: skip
    found = answered(pairs, (("cold", "abcd"), ("Cool", "a"), ("hot", "b"), ("Hot", "b")), "right")
    assert (found.write_left, [why.code for why in found.problems]) == ({1: "a"}, [Code.CODEC_FAILED])


def test_a_person_rules_about_one_value_while_another_still_waits_for_a_ruling():
    pairs = pairing(
        (PairedField("l", "r"), PairedField("m", "s")),
        schema("L", FieldSpec("l"), FieldSpec("m")), schema("R", *(FieldSpec(name, max_length=3) for name in "rs")),
        default=policies.left_wins, towards_left=True,
    )  # fmt: skip
    halves = ("abcd", "efgh"), ("a", "e"), ("b", "f"), ("b", "f")
    for place, (_, question) in enumerate(merge(pairs, *halves).asked):
        found = merge(pairs, *halves, ruled=Answers(given=((question, "right"),)))
        assert (found.write_left, [why.code for why in found.problems]) == ({place: halves[1][place]}, [Code.TOO_LONG])


def test_a_field_that_nobody_may_write_is_left_as_it_is():
    found = decided(one(policies.left_wins, right=FieldSpec("r", read_only=True)), ("b", "a", "a", "a"))
    assert not found.writes
    assert (found.left, found.right) == (("b",), ("a",))
    assert found.fields[0].because.code is Code.NOT_WRITABLE


@pytest.mark.parametrize(("sent", "read", "ours"), [("Kim", "KIM", True), ("Kim", "Tim", False), ("Kim", None, False)])
def test_only_what_could_be_the_stored_form_of_our_value_is_taken_for_ours(sent, read, ours):
    pairs = one(policies.right_wins, right=FieldSpec("r", normalises=LOOSE))
    waiting = {"l|r": Unsettled(sent, MONDAY)}
    assert absorb(pairs, "right", (read,), (sent,), waiting) == ((read,) if ours else (sent,))


def test_an_undeclared_normalisation_is_a_persons_change():
    waiting = {"l|r": Unsettled("Kim", MONDAY)}
    assert absorb(one(policies.right_wins), "right", ("KIM",), ("Kim",), waiting) == ("Kim",)


def test_each_field_is_learned_by_itself_and_what_was_not_read_stays_as_it_was():
    read, agreed = ("person", MISSING, "KIM"), ("old", "sent", "Kim")
    waiting = {"m|s": Unsettled("sent", MONDAY), "n|t": Unsettled("Kim", MONDAY)}
    loose = FieldSpec("t", normalises=LOOSE)
    pairs = pairing(
        (PairedField("l", "r"), PairedField("m", "s"), PairedField("n", "t")),
        schema("L", *map(FieldSpec, "lmn")), schema("R", FieldSpec("r"), FieldSpec("s"), loose),
        default=policies.left_wins, towards_left=True,
    )  # fmt: skip
    assert absorb(pairs, "right", read, agreed, waiting) == ("old", "sent", "KIM")


def test_fields_that_we_did_not_write_are_not_learned():
    pairs = one(policies.right_wins)
    assert absorb(pairs, "right", ("person",), ("agreed",), {"other|pair": Unsettled("x", MONDAY)}) == ("agreed",)


def test_a_new_record_holds_what_is_filled_and_leaves_blanks_to_the_system():
    pairs = pairing(
        (PairedField("l", "r"), PairedField("m", "s"), PairedField("n", ReadOnly("t"))),
        schema("L", *map(FieldSpec, "lmn")), schema("R", *map(FieldSpec, "rst")),
        default=policies.left_wins, towards_left=True,
    )  # fmt: skip
    made = creation(pairs, "right", ("a", None, "c"), frozenset())
    assert (made.values, made.problems) == ({0: "a"}, ())


class Unsaid:
    """A codec for which "n/a" on the left is nothing on the right, "?" cannot be said there, and "!" is not foreseen."""

    name = "unsaid"

    def encode(self, value):
        if value == "?":
            raise ValueError
        if value == "!":
            raise LookupError
        return None if value == "n/a" else value

    def decode(self, value):
        return value


def three(**how):
    """Pair three fields, the first through a codec."""
    pairs = (PairedField("l", "r", via=Unsaid()), PairedField("m", "s"), PairedField("n", "t"))
    left, right = schema("L", *map(FieldSpec, "lmn")), schema("R", FieldSpec("r", max_length=3), *map(FieldSpec, "st"))
    return pairing(pairs, left, right, default=policies.left_wins, towards_left=True, **how)


@pytest.mark.parametrize("nothing", [None, "", "n/a", MISSING])
def test_a_new_record_is_given_nothing_of_what_is_blank_unread_or_cannot_be_said(nothing):
    made = creation(three(), "right", (nothing, "b", "c"), frozenset())
    assert (made.values, made.problems) == ({1: "b", 2: "c"}, ())
    assert [line.right_field for line in made.fields] == ["s", "t"]


@pytest.mark.parametrize(("held", "code"), [("?", Code.CODEC_FAILED), ("!", Code.RULE_FAILED), ("long", Code.TOO_LONG)])
def test_a_value_that_a_new_record_cannot_hold_is_a_problem_and_the_other_fields_are_told(held, code):
    made = creation(three(), "right", (held, "b", "c"), frozenset())
    assert [(why.code, why.facts["field"]) for why in made.problems] == [(code, "r")]
    assert made.values == {1: "b", 2: "c"}


@pytest.mark.parametrize(("towards", "held"), [("left", (None, "a")), ("right", ("a", None))])
def test_what_a_new_record_is_given_is_told_with_the_side_that_holds_it(towards, held):
    [line] = creation(one(policies.left_wins), towards, ("a",), frozenset()).fields
    assert ((line.left, line.right), line.sent, line.towards) == (held, "a", towards)


@pytest.mark.parametrize("towards", ["left", "right"])
def test_a_policy_that_carries_another_value_to_the_new_record_is_heard_and_one_that_carries_it_back_is_not(towards):
    def carried(to):
        carrying = policies.by("carrying", lambda _: Carry("b", to, because(Code.CHANGED)))
        return creation(one(carrying), towards, ("a",), frozenset()).values

    there, back = (carried(to) for to in (towards, "left" if towards == "right" else "right"))
    assert (there, back) == ({0: "b"}, {0: "a"})


def test_what_would_be_given_to_a_new_record_is_shown_nowhere():
    assert "kim" not in repr(creation(three(), "right", ("n/a", "kim", None), frozenset()))


def test_a_new_record_without_a_required_field_is_a_problem_that_names_it():
    made = creation(one(policies.left_wins), "right", (None,), frozenset({"r"}))
    assert made.problems == (because(Code.REQUIRED, field="r"),)


def test_a_value_made_from_the_left_record_is_written_right_and_never_back():
    pairs = pairing(
        (PairedField(joined("l", "m", sep=" "), "r", policies.left_wins),),
        schema("L", FieldSpec("l"), FieldSpec("m")), schema("R", FieldSpec("r")),
        default=policies.left_wins, towards_left=True,
    )  # fmt: skip
    rows = Rows("ma", "L", ("l", "m"), ("1",), (("Kim", "Park"),))
    held = pairs.reader("left", rows.fields)(rows, 0)
    assert held == ("Kim Park",)
    assert merge(pairs, held, ("edited",), ("Kim",), ("Kim",)).write_right == {0: "Kim Park"}
    assert not merge(pairs, held, ("edited",), held, held).write_left


def test_an_agreement_made_before_a_pair_was_added_is_first_contact_for_the_new_pair_alone():
    pairs = pairing(
        (PairedField("m", "s", policies.left_wins), PairedField("l", "r", policies.left_wins)),
        schema("L", FieldSpec("l"), FieldSpec("m")), schema("R", FieldSpec("r"), FieldSpec("s")),
        default=policies.left_wins, towards_left=True,
    )  # fmt: skip
    assert pairs.halves(Agreed(("l|r",), ("a",))) == (MISSING, "a")


@pytest.mark.parametrize(
    ("spec", "one_", "two"),
    [
        (FieldSpec("f", normalises=frozenset({Normalisation.TRIM})), " a ", "a"),
        (FieldSpec("f", normalises=frozenset({Normalisation.CASE})), "Straße", "STRASSE"),
        (FieldSpec("f", normalises=frozenset({Normalisation.WIDTH})), "ｶﾀｶﾅ", "カタカナ"),
        (FieldSpec("f", normalises=frozenset({Normalisation.DIGITS})), "03-1234", "031234"),
        (FieldSpec("f", max_length=3, normalises=frozenset({Normalisation.LENGTH})), "abcdef", "abc"),
        (FieldSpec("f", FieldType.NUMBER, scale=1, normalises=frozenset({Normalisation.SCALE})), "1.04", "1"),
        (FieldSpec("f", FieldType.CHOICES, normalises=frozenset({Normalisation.ORDER})), ("a", "b"), ("b", "a")),
        (FieldSpec("f"), None, "  "),
    ],
)  # fmt: skip
def test_a_declared_normalisation_makes_two_forms_one(spec, one_, two):
    assert canonical(spec)(one_) == canonical(spec)(two)
    if not is_blank(one_):
        assert canonical(FieldSpec("f"))(one_) != canonical(FieldSpec("f"))(two)


@pytest.mark.parametrize(
    ("formerly", "known", "found"),
    [
        (None, {"l|r": 1, "o|r": 2}, 1),
        ("o|r", {"l|r": 1, "o|r": 2}, 1),
        ("o|r", {"o|r": 2}, 2),
        ("o|r", {"x|y": 3}, 0),
        (None, {"o|r": 2, None: 4}, 0),
    ],
)
def test_what_is_kept_of_a_pair_is_found_under_its_name_and_else_under_the_one_it_had(formerly, known, found):
    [pair] = one(policies.left_wins, formerly=formerly).pairs
    assert pair.kept(known, 0) == found


def test_a_rule_that_raises_is_told_by_its_name_and_its_sort_of_error_and_never_by_its_words():
    told = str(raised(LookupError("kim@x.example"), "mine", "r"))
    assert "kim" not in told
    assert all(word in told for word in ("rule_failed", "mine", "LookupError"))


@pytest.mark.parametrize(("formerly", "label"), [(None, None), ("A", "b|A"), (("a", "A"), "a|A"), ((None, "A"), "b|A")])
def test_a_pair_knows_its_label_of_before_a_field_was_renamed(formerly, label):
    assert PairedField("b", "B").renamed(formerly).formerly == label
