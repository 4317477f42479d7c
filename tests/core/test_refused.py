"""What is sent where a value would be refused: each answer, both ways, and that it never comes back."""

from __future__ import annotations

import itertools
import unicodedata

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crmbridge import at, codecs, one_way, pair, policies, preflight, read_only, two_way
from crmbridge.errors import PairError
from crmbridge.model import MISSING, FieldSpec, FieldType, Normalisation, Schema, is_blank
from crmbridge.plan import PairedField, creation, merge, pairing
from crmbridge.preflight import cut, passed, problem
from crmbridge.preflight._cut import signs
from crmbridge.reasons import Code
from crmbridge.testing.connector import FakeConnector, described
from crmbridge.wording import LANGUAGES

WIDE = FieldSpec("l")
ANSWERS = (preflight.reject, preflight.truncate, preflight.clear, preflight.map({"x": "y"}), preflight.last_value)


def one(answer, left=WIDE, right=WIDE, policy=policies.left_wins):
    pairs = (PairedField("l", "r", policy, if_refused=answer),)
    schemas = (Schema("L", {"l": left}), Schema("R", {"r": right}))
    return pairing(pairs, *schemas, default=policy, towards_left=True)


def decided(pairs, left, right, l0=MISSING, r0=MISSING):
    return merge(pairs, (left,), (right,), (l0,), (r0,))


def settled(pairs, left, right, l0=MISSING, r0=MISSING):
    """Give what both sides hold after the write, and what the next look writes."""
    found = decided(pairs, left, right, l0, r0)
    now = found.write_left.get(0, left), found.write_right.get(0, right)
    return now, decided(pairs, *now, *now)


# -- truncate ---------------------------------------------------------------------------------

SHORT = FieldSpec("r", max_length=5)


def test_a_text_that_is_too_long_is_cut_and_the_decision_says_so():
    found = decided(one(preflight.truncate, right=SHORT), "abcdefgh", None, None, None)
    assert found.write_right == {0: "abcde"}
    [line] = found.fields
    assert (line.because.code, line.answer.code) == (Code.ONE_SIDED, Code.TRUNCATED)
    assert line.answer.facts == {"field": "r", "length": 8, "limit": 5, "refused": "too_long"}


def test_what_was_cut_does_not_come_back_not_even_at_first_contact_or_after_an_edit_behind_the_cut():
    pairs = one(preflight.truncate, right=SHORT, policy=policies.right_wins)
    now, again = settled(pairs, "abcdefgh", None, None, None)
    assert now == ("abcdefgh", "abcde")
    assert not again.writes
    assert not decided(pairs, "abcdefgh", "abcde").writes
    behind = decided(pairs, "abcdeXYZ", "abcde", "abcdefgh", "abcde")
    assert not behind.writes
    assert (behind.left, behind.right) == (("abcdeXYZ",), ("abcde",))


def test_a_person_who_edits_what_was_cut_is_heard():
    found = decided(one(preflight.truncate, right=SHORT), "abcdefgh", "new", "abcdefgh", "abcde")
    assert found.write_left == {0: "new"}


@pytest.mark.parametrize(
    ("text", "limit", "kept"),
    [
        ("か\u3099き", 1, ""),
        ("か\u3099き", 2, "か\u3099"),
        ("ｶﾞｷﾞ", 3, "ｶﾞ"),
        ("👨‍👩‍👧x", 4, ""),
        ("👨‍👩‍👧x", 5, "👨‍👩‍👧"),
        ("🇯🇵🇫🇷", 3, "🇯🇵"),
        ("👍🏽a", 1, ""),
        ("a\ud83d\ude00", 2, "a"),
        ("葛\U000e0100飾", 1, ""),
        ("\u1112\u1161\u11ab\u1100", 3, "\u1112\u1161\u11ab"),
        ("ab  cd", 4, "ab"),
        ("e\u0301e\u0301", 3, "e\u0301"),
    ],
)
def test_a_cut_never_falls_inside_what_a_reader_takes_for_one_sign(text, limit, kept):
    assert cut(text, FieldSpec("r", max_length=limit)) == kept


@pytest.mark.parametrize(
    ("encoding", "limit", "kept"),
    [("utf-8", 6, "山田"), ("utf-8", 8, "山田"), ("cp932", 6, "山田太"), ("cp932", 3, "山")],
)
def test_a_cut_counts_bytes_where_the_system_does(encoding, limit, kept):
    assert cut("山田太郎", FieldSpec("r", max_bytes=limit, encoding=encoding)) == kept


text = st.text(st.characters() | st.sampled_from("\u3099\uff9e\u200d\u0301🇯🇵👍🏽 \u3000ab山"), max_size=12)
sizes = st.none() | st.integers(1, 8)


@given(text=text, characters=sizes, size=sizes, encoding=st.sampled_from(["utf-8", "cp932", "utf-16-le"]))
def test_a_cut_is_the_longest_start_that_fits_and_is_made_once(text, characters, size, encoding):
    assume(not any(unicodedata.category(sign) == "Cs" for sign in text))
    spec = FieldSpec("r", max_length=characters, max_bytes=size, encoding=encoding)

    def fits(part):
        return (characters is None or len(part) <= characters) and (
            size is None or len(part.encode(encoding, "replace")) <= size
        )

    rest = cut(text, spec)
    assert fits(rest)
    assert cut(rest, spec) == rest
    parts = list(signs(text))
    assert "".join(parts) == text
    starts = ["".join(parts[:count]) for count in range(len(parts) + 1)]
    longest = max((start for start in starts if fits(start)), key=len)
    assert rest == (text if fits(text) else longest.rstrip())


@given(text=text, left=sizes, right=sizes)
def test_a_text_and_what_was_sent_for_it_have_one_form_whichever_field_is_shorter(text, left, right):
    one_, two = FieldSpec("l", max_length=left), FieldSpec("r", max_length=right)
    same = one(preflight.truncate, one_, two).pairs[0].same
    for spec in (one_, two):
        sent = cut(text, spec)
        assert is_blank(sent) or same(text, sent)


def cut_by_its_system(text, spec):
    """Give the longest start that fits, character by character: what a system keeps that cuts where its field is full."""

    def fits(part):
        return (spec.max_length is None or len(part) <= spec.max_length) and (
            spec.max_bytes is None or len(part.encode(spec.encoding, "replace")) <= spec.max_bytes
        )

    return max((text[:end] for end in range(len(text) + 1) if fits(text[:end])), key=len)


@given(
    text=st.text("ab \u3000か\u3099\u0301👍🏽\u200d", min_size=3, max_size=12), characters=st.none() | st.integers(2, 5),
    size=st.none() | st.integers(4, 12), encoding=st.sampled_from(["utf-8", "cp932", "utf-16-le"]),
    declared=st.booleans(), policy=st.sampled_from([policies.left_wins, policies.right_wins, policies.ask_a_person]),
)  # fmt: skip
def test_a_text_and_its_systems_own_cut_are_one_value_wherever_that_fell(
    text, characters, size, encoding, declared, policy
):
    how = frozenset({Normalisation.LENGTH}) if declared else frozenset()
    spec = FieldSpec("r", max_length=characters, max_bytes=size, encoding=encoding, normalises=how)
    own = cut_by_its_system(text, spec)
    assume(not is_blank(own) and not is_blank(cut(text, spec)))
    pairs = one(preflight.truncate, right=spec, policy=policy)
    assert pairs.pairs[0].same(text, own)
    found = decided(pairs, text, own)
    assert not found.writes
    assert not found.disputed
    other_way = one(preflight.truncate, left=attrs.evolve(spec, name="l"), policy=policy)
    assert not decided(other_way, own, text).writes


@pytest.mark.parametrize(
    ("long", "own"),
    [
        ("a long memo that goes on", "a long memo "),
        ("twelve signsか\u3099き"[3:], "lve signsか"),
        ("family 👨‍👩‍👧 and", "family 👨‍👩‍"),
        ("a pair of \ud83d\ude00", "a pair of \ud83d"),
    ],
)
def test_a_cut_behind_a_blank_or_inside_a_sign_does_not_come_back_over_the_long_text(long, own):
    limit = FieldSpec("l", max_length=len(own))
    for policy in (policies.left_wins, policies.left_always):
        assert not decided(one(preflight.truncate, left=limit, policy=policy), own, long).writes


@pytest.mark.parametrize(("long", "short"), [("abcdefgh", "abcd"), ("abcdefgh", "abcdf"), ("abc ", "abc"), ("ab", "a")])
def test_what_is_no_cut_of_a_text_is_another_one_and_crosses(long, short):
    assert decided(one(preflight.truncate, right=SHORT, policy=policies.right_wins), long, short).write_left == {
        0: short
    }


@pytest.mark.parametrize(
    ("kind", "value", "spec"),
    [
        (FieldType.EMAIL, "kim@example.com", {"max_length": 14}),
        (FieldType.CHOICE, "abcdef", {"max_length": 3}),
        (FieldType.TEXT, "か\u3099", {"max_length": 1}),
    ],
)
def test_what_would_be_another_value_is_refused_and_not_cut(kind, value, spec):
    found = decided(one(preflight.truncate, right=FieldSpec("r", kind, **spec)), value, None, None, None)
    assert not found.writes
    assert [why.code for why in found.problems] == [Code.TOO_LONG]


def test_a_field_that_is_written_once_is_cut_in_a_new_record_and_never_afterwards():
    once = FieldSpec("r", max_length=3, create_only=True)
    for value, sent in (("abc", "abc"), ("abcdef", "abc")):
        made = creation(one(preflight.truncate, right=once), "right", (value,), frozenset())
        assert (made.values, made.problems) == ({0: sent}, ())
    assert creation(one(preflight.reject, right=once), "right", ("abc",), frozenset()).values == {0: "abc"}
    assert not decided(one(preflight.truncate, right=once), "abcdef", "x", "x", "x").writes


# -- clear ------------------------------------------------------------------------------------

CLOSED = FieldSpec("r", FieldType.CHOICE, options=("a", "b"))


def test_a_value_that_the_target_lacks_leaves_it_empty_and_is_not_sent_again():
    pairs = one(preflight.clear, right=CLOSED)
    now, again = settled(pairs, "z", "a", "a", "a")
    assert now == ("z", None)
    assert not again.writes
    assert not decided(pairs, "q", None, "z", None).writes


def test_a_value_that_both_sides_have_changed_is_cleared_where_the_target_lacks_it():
    assert decided(one(preflight.clear, right=CLOSED), "z", "b", "a", "a").write_right == {0: None}


def test_first_contact_never_clears():
    found = decided(one(preflight.clear, right=CLOSED), "z", "a")
    assert not found.writes
    assert (found.left, found.right) == (("z",), ("a",))
    assert found.fields[0].answer.code is Code.CLEARED


def test_a_required_field_is_not_left_empty():
    required = FieldSpec("r", FieldType.CHOICE, options=("a",), required=True)
    found = decided(one(preflight.clear, right=required), "z", "a", "a", "a")
    assert [why.code for why in found.problems] == [Code.NOT_AN_OPTION]


@pytest.mark.parametrize("policy", [
    policies.never_clear(policies.left_wins), policies.once_per_link(policies.filled_beats_blank(policies.left_wins)),
    policies.only_if_empty, policies.write_once,
], ids=lambda policy: policy.name)  # fmt: skip
def test_an_answer_that_clears_contradicts_a_policy_that_never_does(policy):
    with pytest.raises(PairError, match="never empties"):
        pipe(pair("l", "r", policy, if_refused=preflight.clear))


# -- map --------------------------------------------------------------------------------------

JAPANESE = FieldSpec("l", FieldType.CHOICE, options=("製造", "other"))
ENGLISH = FieldSpec("r", FieldType.CHOICE, options=("Manufacturing", "other"))
TABLE = preflight.map({"製造": "Manufacturing"})


def test_a_table_replaces_what_is_refused_towards_either_side_and_nothing_else():
    pairs = one(TABLE, JAPANESE, ENGLISH)
    assert decided(pairs, "製造", "other", "other", "other").write_right == {0: "Manufacturing"}
    assert decided(pairs, "other", "Manufacturing", "other", "other").write_left == {0: "製造"}
    assert decided(pairs, "other", None, None, None).write_right == {0: "other"}
    assert [why.code for why in decided(pairs, "農業", None, None, None).problems] == [Code.NOT_AN_OPTION]


def test_the_two_sides_of_a_table_are_one_value_at_first_contact():
    assert not decided(one(TABLE, JAPANESE, ENGLISH, policies.ask_a_person), "製造", "Manufacturing").disputed


def test_of_several_choices_those_that_are_refused_are_replaced():
    many = FieldSpec("r", FieldType.CHOICES, options=("Manufacturing", "other"))
    found = decided(one(TABLE, FieldSpec("l", FieldType.CHOICES), many), ("other", "製造"), None, None, None)
    assert found.write_right == {0: ("other", "Manufacturing")}


tables = st.dictionaries(st.sampled_from("abcd"), st.sampled_from("abcdwxyz"), min_size=1, max_size=4)


@given(table=tables, value=st.sampled_from("abcdwxyz"), options=st.sets(st.sampled_from("abcdwxyz"), min_size=1))
def test_a_table_that_a_two_way_pair_takes_gives_back_what_it_was_given(table, value, options):
    answer = preflight.map(table)
    try:
        pipe(pair("l", "r", policies.left_wins, if_refused=answer))
    except PairError:
        assume(False)
    left = FieldSpec("l", FieldType.CHOICE, options=tuple(sorted(set("abcdwxyz") - set(table.values()))))
    right = FieldSpec("r", FieldType.CHOICE, options=tuple(sorted(options)))
    assume(value in left.options)
    found = decided(one(answer, left, right), value, None, None, None)
    if found.write_right:
        back = decided(one(answer, left, right), None, found.write_right[0], None, None)
        assert back.write_left == {0: value}


@pytest.mark.parametrize("table", [{"a": "x", "b": "x"}, {"a": "b", "b": "c"}])
def test_a_table_that_cannot_be_read_back_is_refused_where_both_sides_are_written(table):
    with pytest.raises(PairError, match="twice"):
        pipe(pair("l", "r", policies.left_wins, if_refused=preflight.map(table)))
    assert pipe(pair(read_only("l"), "r", policies.left_wins, if_refused=preflight.map(table)))
    assert one_way("p", at(SYSTEM, "k"), at(SYSTEM, "k")).fields(pair("l", "r", if_refused=preflight.map(table)))


def test_choices_that_are_one_on_the_right_are_refused_where_the_left_is_written_too():
    folding = codecs.choices({"見込み": "open", "済": "closed", "商談": "open"})
    told = r"the pair l\|r: choices\(\) has '見込み' and '商談' for one choice of the right, 'open'.*read back"
    with pytest.raises(PairError, match=told):
        pipe(pair("l", "r", policies.left_wins, via=folding))
    with pytest.raises(PairError, match=told):
        pipe(pair("l", "r", policies.left_wins)).override(pair("l", "r", via=folding))
    assert pipe(pair(read_only("l"), "r", policies.left_wins, via=folding))
    assert pipe(pair("l", "r", policies.left_wins, via=codecs.choices({"見込み": "open", "済": "見込み"})))
    assert one_way("p", at(SYSTEM, "k"), at(SYSTEM, "k")).fields(pair("l", "r", via=folding))


@pytest.mark.parametrize(
    "wrong",
    [
        pair("l", "r", policies.union, if_refused=TABLE),
        pair("l", "r", policies.filled_beats_blank(policies.last_value), if_refused=preflight.truncate),
        pair("l", "r", policies.left_wins, via=codecs.choices({"a": "b"}), if_refused=TABLE),
    ],
)
def test_an_answer_that_would_be_taken_for_an_edit_is_refused(wrong):
    with pytest.raises(PairError):
        pipe(wrong)


# -- last value -------------------------------------------------------------------------------


def test_the_last_of_several_values_goes_where_one_fits_and_a_single_one_is_added():
    pairs = one(preflight.last_value, FieldSpec("l", FieldType.CHOICES), FieldSpec("r"))
    now, again = settled(pairs, ("a", "b"), None, None, None)
    assert now == (("a", "b"), "b")
    assert not again.writes
    assert decided(pairs, ("a", "b"), "c", ("a", "b"), "b").write_left == {0: ("a", "b", "c")}
    assert not decided(pairs, ("a", "b"), "b").writes


# -- all of them ------------------------------------------------------------------------------

SPECS = {
    "text": FieldSpec("f", max_length=2),
    "bytes": FieldSpec("f", max_bytes=4, normalises=frozenset({Normalisation.TRIM})),
    "choice": FieldSpec("f", FieldType.CHOICE, options=("x", "y")),
    "choices": FieldSpec("f", FieldType.CHOICES, options=("x", "y")),
    "email": FieldSpec("f", FieldType.EMAIL, max_length=8),
    "number": FieldSpec("f", FieldType.NUMBER, digits=2, scale=0, least=1, most=20),
    "required": FieldSpec("f", max_length=2, required=True),
    "read_only": FieldSpec("f", read_only=True),
}
VALUES = (None, "", "a", "abc", "山田太郎", "x", "y", "z", "a@b.jp", ("x", "z"), ("x",), 3, 30, True)


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.name)
def test_whatever_is_sent_would_be_taken_and_a_value_that_fits_is_sent_as_it_is(answer, spec):
    for value, held, creating in itertools.product(VALUES, (MISSING, None, "x", ("y",)), (True, False)):
        found = passed(spec, value, answer, held=held, towards="right", creating=creating)
        trouble = problem(spec, value, creating=creating)
        if isinstance(found, preflight.Passed):
            assert problem(spec, found.value, creating=creating) is None
            assert (found.answer is None) == (trouble is None)
            assert trouble is not None or found.value == value
        else:
            assert found == trouble


@pytest.mark.parametrize("answer", ANSWERS[1:], ids=lambda answer: answer.name)
@pytest.mark.parametrize("right", SPECS.values(), ids=SPECS)
@pytest.mark.parametrize(
    "policy", [policies.left_wins, policies.right_wins, policies.left_always], ids=lambda p: p.name
)
def test_after_an_answer_nothing_is_written_again(answer, right, policy):
    for left in (FieldSpec("l"), FieldSpec("l", FieldType.CHOICES)):
        pairs = one(answer, left, right, policy)
        for value, there in itertools.product(VALUES, (None, "x", "y", "a")):
            for agreed in ((MISSING, MISSING), ("old", there)):
                _, again = settled(pairs, value, there, *agreed)
                assert not again.writes
                assert not again.problems


def test_a_new_record_holds_the_answer_and_says_so():
    made = creation(one(preflight.truncate, right=SHORT), "right", ("abcdefgh",), frozenset({"r"}))
    assert (made.values, made.problems) == ({0: "abcde"}, ())
    assert made.fields[0].answer.code is Code.TRUNCATED
    made = creation(one(preflight.clear, right=CLOSED), "right", ("z",), frozenset())
    assert (made.values, made.fields[0].answer.code) == ({}, Code.CLEARED)


def test_every_trouble_that_an_answer_may_tell_of_has_its_words():
    troubles = {
        Code.TOO_LONG, Code.TOO_MANY_BYTES, Code.TOO_MANY_DIGITS, Code.OUT_OF_RANGE, Code.NOT_AN_OPTION,
        Code.NOT_AN_EMAIL, Code.NOT_A_NUMBER, Code.WRONG_TYPE, Code.SEVERAL_VALUES, Code.UNHELD_SIGN,
    }  # fmt: skip
    assert {code.value for code in troubles} == set(LANGUAGES["en"].terms["refused"])


SYSTEM = FakeConnector("s", described("k", FieldSpec("l"), FieldSpec("r")))


def pipe(*pairs):
    return two_way("p", at(SYSTEM, "k"), at(SYSTEM, "k")).fields(*pairs)
