"""What a check finds before the first run: each rule, where it bites and where it keeps silent."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest

from crmbridge import (
    at,
    case,
    codecs,
    events,
    gates,
    key,
    level,
    one_way,
    pair,
    policies,
    preflight,
    put,
    read_only,
    two_way,
)  # fmt: skip
from crmbridge.check import Severity, drift
from crmbridge.model import CreateClass, FieldSpec, FieldType, Schema
from crmbridge.reasons import Code
from crmbridge.testing.connector import EVERYTHING, FakeConnector, described
from crmbridge.testing.sim import SimDriver

NOTES = {Code.CREATE_CLASS, Code.TIMES_USED}
"""Told of every pipeline."""

LEFT = (FieldSpec("a"), FieldSpec("b"))
RIGHT = (FieldSpec("A"), FieldSpec("B"))
BOTH = (pair("a", "A", policies.left_wins),)


def ends(left=LEFT, right=RIGHT, **able):
    promised = {"left": EVERYTHING, "right": EVERYTHING} | able
    ma = FakeConnector("ma", described("person", *left), capabilities=promised["left"])
    crm = FakeConnector("crm", described("lead", *right), capabilities=promised["right"])
    return at(ma, "person"), at(crm, "lead")


def checked(*pairs, how=two_way, make=lambda pipe: pipe, **systems):
    pipe = how("p", *ends(**systems)).fields(*pairs).using(SimDriver())
    pipe = make(pipe if how is events else pipe.match(level("a", key("a", "A"))))
    return [finding for finding in pipe.check() if finding.because.code not in NOTES]


def codes(*pairs, **how):
    return [(finding.because.code, finding.severity.value) for finding in checked(*pairs, **how)]


def linked(left, right, policy=policies.left_wins, **more):
    """Check a pair of two fields, one way, so that each finding is about one direction."""
    specs = {"left": (attrs.evolve(left, name="a"),), "right": (attrs.evolve(right, name="A"),)}
    return codes(pair("a", "A", policy, **more), how=one_way, left=specs["left"], right=specs["right"])


def spec(kind=FieldType.TEXT, **more):
    return FieldSpec("", kind, **more)


def test_a_pipeline_without_trouble_is_told_only_its_create_class_and_its_times():
    assert checked(*BOTH) == []
    pipe = two_way("p", *ends()).fields(*BOTH).using(SimDriver())
    assert {finding.severity for finding in pipe.check()} == {Severity.NOTE}


def test_every_unknown_field_is_told_at_once_with_its_pair_and_the_nearest_name():
    found = checked(pair("aa", "A", policies.left_wins), pair("b", "Bb", policies.left_wins))
    assert [(one.where, one.because.facts["nearest"], one.pair, one.fatal) for one in found] == [
        ("ma.person.aa", "a", "aa|A", True),
        ("crm.lead.Bb", "B", "b|Bb", True),
    ]


def test_a_field_that_only_a_gate_or_a_key_reads_is_told_too():
    found = checked(*BOTH, make=lambda pipe: pipe.gate(gates.filled("score")))
    assert [(one.where, one.pair) for one in found] == [("ma.person.score", "")]


def unmatched(pipe):
    return pipe.match()


@pytest.mark.parametrize(
    ("how", "make", "told"),
    [
        (one_way, unmatched, ["crm"]),
        (two_way, lambda pipe: unmatched(pipe).creates(left=True, right=True), ["ma", "crm"]),
        (two_way, lambda pipe: unmatched(pipe).creates(left=False, right=True), ["crm"]),
        (two_way, lambda pipe: pipe.creates(left=True, right=True), []),
        (two_way, unmatched, []),
        (events, lambda pipe: pipe, []),
    ],
)
def test_records_that_are_made_and_never_matched_are_warned_of_by_system(how, make, told):
    found = [one for one in checked(*BOTH, how=how, make=make) if one.because.code is Code.NO_MATCHING]
    assert [(one.where, one.severity) for one in found] == [(system, Severity.WARNING) for system in told]


@pytest.mark.parametrize(
    ("gate", "kind", "told"),
    [
        (gates.consented("b"), FieldType.TEXT, "flag"),
        (gates.consented("b"), FieldType.NUMBER, "flag"),
        (gates.consented("b"), FieldType.FLAG, None),
        (gates.unless(gates.either(gates.filled("a"), gates.equals("b", value=True))), FieldType.TEXT, "flag"),
        (gates.every(gates.at_least("b", 3)), FieldType.TEXT, "number"),
        (gates.at_least("b", 3), FieldType.NUMBER, None),
        (gates.at_least("b", None), FieldType.TEXT, None),
        (gates.equals("b", "x"), FieldType.TEXT, None),
    ],
)
def test_a_condition_on_a_field_of_a_type_that_it_cannot_judge_is_told(gate, kind, told):
    def tells(pipe):
        return [(one.where, one.because.facts["type"]) for one in pipe.check() if one.because.code is Code.GATE_NEEDS]

    left = (FieldSpec("a"), FieldSpec("b", kind))
    wanted = [] if told is None else [("ma.person.b", told)]
    pipe = one_way("p", *ends(left=left)).fields(pair("a", "A")).using(SimDriver())
    assert tells(pipe.gate(gate)) == wanted
    assert tells(pipe.cases(case("some", gate, put("B", "x")))) == wanted


def test_a_target_that_nobody_may_write_is_told_unless_the_policy_makes_it_harmless():
    closed = (FieldSpec("A", read_only=True),)
    assert codes(*BOTH, right=closed) == [(Code.READ_ONLY_TARGET, "error")]
    assert codes(pair("a", "A", policies.right_always), right=closed) == []
    assert codes(pair("a", read_only("A"), policies.right_wins), right=closed) == []


@pytest.mark.parametrize(
    ("left", "right", "found"),
    [
        (FieldType.TEXT, FieldType.EMAIL, []),
        (FieldType.NUMBER, FieldType.TEXT, [(Code.TYPES_DIFFER, "error")]),
        (FieldType.TEXT, FieldType.NUMBER, [(Code.TYPES_DIFFER, "warning")]),
        (FieldType.TEXT, FieldType.REFERENCE, [(Code.TYPES_DIFFER, "warning")]),
        (FieldType.REFERENCE, FieldType.TEXT, [(Code.TYPES_DIFFER, "warning")]),
        (FieldType.REFERENCE, FieldType.NUMBER, [(Code.TYPES_DIFFER, "error")]),
        (FieldType.CHOICES, FieldType.TEXT, [(Code.TYPES_DIFFER, "error")]),
        (FieldType.DATE, FieldType.INSTANT, [(Code.TYPES_DIFFER, "error")]),
    ],
)
def test_types_that_do_not_go_together_are_told(left, right, found):
    assert linked(spec(left), spec(right)) == found


def test_plain_ids_are_no_trouble_where_it_is_known_what_they_point_to():
    points = spec(FieldType.REFERENCE, refers_to=("user",))
    assert linked(spec(), points) == linked(points, spec()) == []
    assert linked(spec(FieldType.NUMBER), points) == [(Code.TYPES_DIFFER, "error")]


def test_a_codec_a_policy_or_an_answer_may_bring_types_together():
    many, single = spec(FieldType.CHOICES), spec()
    assert linked(many, single, policies.last_value) == []
    assert linked(many, single, if_refused=preflight.last_value) == []
    assert linked(spec(FieldType.CHOICE), single, via=codecs.choices({"x": "y"})) == []


def test_choices_that_the_target_lacks_are_counted_and_named():
    left = spec(FieldType.CHOICE, options=("x", "y", "z"))
    right = spec(FieldType.CHOICE, options=("x", "Y"))
    assert linked(left, right) == [(Code.CHOICES_LACKING, "warning")]
    [found] = checked(
        pair("a", "A"), how=one_way, left=(attrs.evolve(left, name="a"),), right=(attrs.evolve(right, name="A"),)
    )
    assert (found.because.facts["count"], found.because.facts["choices"]) == (2, "y, z")
    assert linked(left, right, if_refused=preflight.map({"y": "Y", "z": "x"})) == []
    assert linked(left, right, if_refused=preflight.map({"y": "Y"})) == [(Code.CHOICES_LACKING, "warning")]
    assert linked(left, right, via=codecs.choices({"x": "x", "y": "Y"})) == [(Code.CHOICES_LACKING, "warning")]


class Particular:
    """A codec that knows one word, and raises something else than it may about others."""

    def encode(self, value):
        return {"x": "x"}[value]

    decode = encode


def test_a_choice_about_which_a_codec_raises_is_told_too():
    left, right = spec(FieldType.CHOICE, options=("x", "y")), spec(FieldType.CHOICE, options=("x", "y"))
    assert linked(left, right, via=Particular()) == [(Code.CHOICES_LACKING, "warning")]


@pytest.mark.parametrize(
    ("left", "right", "answer", "severity"),
    [
        (spec(max_length=9), spec(max_length=5), preflight.reject, "warning"),
        (spec(max_length=9), spec(max_length=5), preflight.truncate, "note"),
        (spec(), spec(max_length=5), preflight.reject, "note"),
        (spec(max_bytes=9), spec(max_bytes=5), preflight.reject, "warning"),
        (spec(FieldType.NUMBER, digits=9), spec(FieldType.NUMBER, digits=5), preflight.reject, "warning"),
        (spec(FieldType.NUMBER, scale=2), spec(FieldType.NUMBER, scale=0), preflight.reject, "warning"),
    ],
)
def test_values_that_may_not_fit_are_told_with_what_will_become_of_them(left, right, answer, severity):
    assert linked(left, right, if_refused=answer) == [(Code.LENGTHS_DIFFER, severity)]
    assert linked(right, left, if_refused=answer) == []


def test_the_newest_change_wins_by_the_record_s_time_and_that_is_told():
    policy = policies.filled_beats_blank(policies.newest_wins(otherwise="left"))
    assert codes(pair("a", "A", policy)) == [(Code.WEAK_CLOCK, "note")] * 2


def test_a_system_that_does_not_tell_its_clock_is_named_where_the_newest_change_wins():
    left, _ = ends()
    silent = attrs.evolve(EVERYTHING, tells_clock=False)
    crm = FakeConnector("crm", described("lead", *RIGHT), capabilities=silent)
    pipe = two_way("p", left, at(crm, "lead")).fields(pair("a", "A", policies.newest_wins(otherwise="left")))
    told = [one for one in pipe.using(SimDriver()).check() if one.because.code is Code.CLOCK_UNKNOWN]
    assert [(one.where, one.severity) for one in told] == [("crm.lead.A", Severity.NOTE)]


def test_a_policy_for_many_values_needs_a_field_of_many():
    assert codes(pair("a", "A", policies.union)) == [(Code.POLICY_NEEDS, "error")]
    many = (FieldSpec("a", FieldType.CHOICES),), (FieldSpec("A", FieldType.CHOICES),)
    assert codes(pair("a", "A", policies.union), left=many[0], right=many[1]) == []


def test_a_value_for_new_records_where_none_is_created_is_told():
    only = pair(read_only("b"), "B", policies.only_on_create)
    assert codes(*BOTH, only) == [(Code.NEVER_WRITTEN, "warning")]
    assert codes(*BOTH, only, make=lambda pipe: pipe.creates(left=False, right=True)) == []


def test_a_gate_on_records_whose_changes_a_one_way_pipeline_is_not_told_of_is_told():
    def of_right(*parts):
        return lambda pipe: pipe.gate(gates.every(*parts), of="right")

    [found] = checked(pair("a", "A"), how=one_way, make=of_right(gates.filled("A")))
    assert (found.because.code, found.severity.value) == (Code.GATE_UNTOLD, "warning")
    assert str(found) == (
        "p: writing: A condition looks at records of crm of whose changes this pipeline is not told: A; what it keeps "
        "back crosses with the next change in ma, or after look_again."
    )
    assert codes(pair("a", "A"), how=one_way, make=of_right(gates.has_any("A", []))) == [(Code.NO_CONDITION, "warning")]
    assert codes(pair("a", "A"), how=one_way, make=lambda pipe: pipe.gate(gates.filled("a"))) == []
    assert codes(*BOTH, make=of_right(gates.filled("A"))) == []


def test_an_owner_where_no_record_is_shared_is_told():
    owned = pair("a", "A", policies.left_wins, owner="newest")
    assert codes(owned) == [(Code.OWNER_UNUSED, "warning")]
    assert codes(owned, make=lambda pipe: pipe.many_to_one()) == []


def test_a_field_that_can_only_be_written_at_creation_is_told():
    once = (FieldSpec("A", create_only=True),)
    assert codes(*BOTH, right=once) == [(Code.CREATE_ONLY_TARGET, "warning")]


def test_a_required_field_that_nothing_fills_is_told_where_records_are_created():
    needed = (FieldSpec("A"), FieldSpec("Company", required=True))
    make = {"right": needed, "make": lambda pipe: pipe.creates(left=False, right=True)}
    assert codes(*BOTH, **make) == [(Code.NOTHING_FILLS, "error")]
    assert codes(*BOTH, put("Company", "unknown", policies.only_on_create), **make) == []
    assert codes(*BOTH, right=needed) == []


def test_a_condition_that_is_on_with_nothing_set_is_warned_about():
    found = checked(*BOTH, make=lambda pipe: pipe.gate(gates.every(gates.has_any("a", []), gates.at_least("b", None))))
    assert [(one.because.code, one.because.facts["gate"]) for one in found] == [(Code.NO_CONDITION, "a, b")]
    assert codes(*BOTH, make=lambda pipe: pipe.gate(gates.every(gates.has_any("a", []), gates.filled("b")))) == []


def able(**less):
    return attrs.evolve(EVERYTHING, **less)


@pytest.mark.parametrize(
    ("left", "right", "make", "found"),
    [
        ({}, {"archives": False}, {"right": "archive"}, [(Code.CANNOT_REMOVE, "error")]),
        ({"deletes": False}, {}, {"left": "delete"}, [(Code.CANNOT_REMOVE, "error")]),
        ({"sees_deletes": False}, {}, {"right": "archive"}, [(Code.DELETES_UNSEEN, "warning")]),
        ({}, {"updates": False}, {}, [(Code.CANNOT_UPDATE, "error")]),
    ],
)
def test_what_a_system_cannot_do_is_told(left, right, make, found):
    how = {"left": able(**left), "right": able(**right)}
    pipe = two_way("p", *capable(**how)).fields(*BOTH).deletes(**make).using(SimDriver())
    told = [(one.because.code, one.severity.value) for one in pipe.check() if one.because.code not in NOTES]
    assert told == found


def capable(left=EVERYTHING, right=EVERYTHING):
    ma = FakeConnector("ma", described("person", *LEFT), capabilities=left)
    crm = FakeConnector("crm", described("lead", *RIGHT), capabilities=right)
    return at(ma, "person"), at(crm, "lead")


def test_a_system_that_cannot_create_and_one_whose_new_kind_is_not_named_are_told():
    for end in (at(capable(right=able(creates=None))[1].connector, "lead"),):
        pipe = one_way("p", capable()[0], end).fields(pair("a", "A")).using(SimDriver())
        assert Code.CANNOT_CREATE in {finding.because.code for finding in pipe.check()}
    two = FakeConnector("crm", described("lead", *RIGHT), described("contact", *RIGHT))
    pipe = one_way("p", capable()[0], at(two, "lead", "contact")).fields(pair("a", "A")).using(SimDriver())
    assert [f.because.code for f in pipe.check() if f.fatal] == [Code.CANNOT_CREATE]


def test_the_create_class_and_the_times_are_told():
    promised = able(creates=CreateClass.C, settles_in=dt.timedelta(minutes=2), index_lag=dt.timedelta(seconds=30))
    pipe = one_way("p", *capable(right=promised)).fields(pair("a", "A")).using(SimDriver())
    told = {finding.because.code: finding.because.facts for finding in pipe.check()}
    assert told[Code.CREATE_CLASS]["create_class"] == "C"
    assert told[Code.TIMES_USED] == {"system": "crm", "settle": 120, "index": 30, "overlap": 0}


def test_events_need_no_updates_and_no_reading():
    assert codes(pair("a", "A"), how=events, right=RIGHT) == []


def test_findings_are_said_in_both_languages_the_worst_first():
    found = checked(*BOTH, pair("b", "Zz", policies.newest_wins(otherwise="left")))
    assert [one.severity for one in found] == sorted((one.severity for one in found), key=list(Severity).index)
    assert str(found[0]) == "crm.lead.Zz: There is no such field in crm: Zz."
    assert found[0].say("ja") == "crm.lead.Zz: 指定された項目(「Zz」)がcrmにありません。"


# -- drift --------------------------------------------------------------------------------


def drifted(before, now, *pairs, side="right", make=lambda pipe: pipe):
    pipe = make(two_way("p", *ends()).fields(*(pairs or BOTH)))
    kind = {"left": "person", "right": "lead"}[side]
    old, new = (Schema(kind, {one.name: one for one in fields}) for fields in (before, now))
    return [(one.because.code, one.severity.value, one.pair) for one in drift(pipe.definition, side, old, new)]


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        (spec(), None, (Code.FIELD_GONE, "error")),
        (spec(), spec(read_only=True), (Code.BECAME_READ_ONLY, "error")),
        (spec(), spec(create_only=True), (Code.CREATE_ONLY_TARGET, "warning")),
        (spec(), spec(FieldType.NUMBER), (Code.TYPE_CHANGED, "error")),
        (spec(), spec(FieldType.EMAIL), (Code.TYPE_CHANGED, "warning")),
        (spec(max_length=9), spec(max_length=5), (Code.BECAME_SHORTER, "warning")),
        (spec(), spec(max_bytes=5), (Code.BECAME_SHORTER, "warning")),
        (spec(options=("x", "y")), spec(options=("x",)), (Code.CHOICE_LOST, "warning")),
        (spec(), spec(options=("x",)), (Code.CHOICE_LOST, "warning")),
    ],
)
def test_what_became_of_a_paired_field_is_told_with_its_pair_and_of_any_other_field_it_is_not(before, now, found):
    def fields(one, name):
        return () if one is None else (attrs.evolve(one, name=name),)

    assert drifted(fields(before, "A"), fields(now, "A")) == [(*found, "a|A")]
    assert drifted((FieldSpec("A"), *fields(before, "Q")), (FieldSpec("A"), *fields(now, "Q"))) == []


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (spec(max_length=5), spec(max_length=9)),
        (spec(options=("x",)), spec(options=("x", "y"))),
        (spec(options=("x",)), spec()),
        (spec(read_only=True), spec()),
        (spec(label="old"), spec(label="new")),
    ],
)
def test_what_makes_a_field_take_more_is_no_news(before, now):
    assert drifted((attrs.evolve(before, name="A"),), (attrs.evolve(now, name="A"),)) == []


def test_a_field_that_is_only_read_may_become_read_only():
    assert drifted((FieldSpec("A"),), (FieldSpec("A", read_only=True),), pair("a", "A", policies.right_always)) == []


def test_a_renamed_field_is_known_by_its_label():
    before = (FieldSpec("A", label="Memo"), FieldSpec("B"))
    now = (FieldSpec("Remark__c", label="Memo"), FieldSpec("B"), FieldSpec("C", label="Else"))
    pipe = two_way("p", *ends()).fields(*BOTH)
    [found] = drift(pipe.definition, "right", *(Schema("lead", {f.name: f for f in one}) for one in (before, now)))
    assert found.because.facts["nearest"] == "Remark__c"


def test_a_field_that_became_required_is_told_where_records_are_created():
    now = (FieldSpec("A"), FieldSpec("New", required=True))
    assert drifted((FieldSpec("A"),), now) == []
    created = drifted((FieldSpec("A"),), now, make=lambda pipe: pipe.creates(left=False, right=True))
    assert created == [(Code.BECAME_REQUIRED, "warning", "")]
