"""Gates admit or refuse a crossing; guards judge a whole sweep."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge import gates
from crmbridge.model import MISSING, Disposition, Record, Rows, Totals, is_blank
from crmbridge.protocols import Admit, Crossing, Skip
from crmbridge.reasons import Code

VALUES = st.sampled_from([None, "", "a", "b", 0, 3, True, False, Decimal("2.5"), ("a", "b"), ()])


def crossing(**values):
    rows = Rows("ma", "person", tuple(values), ("1",), (tuple(values.values()),))
    return Crossing(Record(rows, 0), None, None, "writing", "right")


def admits(gate, **values):
    return isinstance(gate.admit(crossing(**values)), Admit)


@pytest.mark.parametrize(
    ("gate", "admitted", "refused"),
    [
        (gates.filled("a", "b"), {"a": 0, "b": "x"}, {"a": "x", "b": " "}),
        (gates.equals("a", "x"), {"a": "x"}, {"a": "X"}),
        (gates.has_any("a", ["x", "y"]), {"a": ("y", "z")}, {"a": ("z",)}),
        (gates.has_any("a", ["x"]), {"a": "x"}, {"a": None}),
        (gates.at_least("a", 3), {"a": 3}, {"a": 2}),
        (gates.at_least("a", 3), {"a": Decimal("3.1")}, {"a": "4"}),
        (gates.consented("out"), {"out": False}, {"out": True}),
        (gates.consented("out"), {"out": None}, {"out": True}),
        (gates.unless(gates.equals("a", "x")), {"a": "y"}, {"a": "x"}),
        (gates.every(gates.filled("a"), gates.filled("b")), {"a": 1, "b": 1}, {"a": 1, "b": None}),
        (gates.either(gates.filled("a"), gates.filled("b")), {"a": None, "b": 1}, {"a": None, "b": None}),
        (gates.by("adult", lambda c: c.record.get("age") >= 18, fields=["age"]), {"age": 18}, {"age": 17}),
    ],
)
def test_a_gate_admits_and_refuses(gate, admitted, refused):
    assert admits(gate, **admitted)
    assert not admits(gate, **refused)


@pytest.mark.parametrize(
    "gate", [gates.equals("a", None), gates.has_any("a", []), gates.at_least("a", None), gates.either(), gates.every()]
)
@given(value=VALUES)
def test_a_condition_with_nothing_set_is_not_used(gate, value):
    assert admits(gate, a=value)


@given(a=VALUES, b=VALUES)
def test_gates_compose_as_logic_does(a, b):
    one, two = gates.filled("a"), gates.filled("b")
    x, y = admits(one, a=a, b=b), admits(two, a=a, b=b)
    assert admits(gates.every(one, two), a=a, b=b) == (x and y)
    assert admits(gates.either(one, two), a=a, b=b) == (x or y)
    assert admits(gates.unless(one), a=a, b=b) != x


NOT_SET = (False, 0, Decimal("0.0"), "0", "false", "FALSE", " False ", None, "", "　", ())
SET = (True, 1, Decimal(1), "1", "true", "TRUE")
NO_FLAG = ("はい", "yes", "no", "off", "2", 2, -1, Decimal("0.5"), Decimal("sNaN"), ("false",), MISSING)


@pytest.mark.parametrize("value", NOT_SET, ids=repr)
def test_consent_is_known_where_an_opt_out_is_off_or_blank(value):
    assert admits(gates.consented("out"), out=value)


@pytest.mark.parametrize("value", SET, ids=repr)
def test_an_opt_out_that_a_table_or_a_file_wrote_in_its_own_way_is_an_opt_out(value):
    found = gates.consented("out").admit(crossing(out=value))
    assert (found.because.code, found.because.facts) == (Code.GATE, {"gate": "consented", "field": "out"})


@pytest.mark.parametrize("value", NO_FLAG, ids=repr)
def test_what_does_not_read_as_a_flag_is_no_consent_and_the_refusal_says_so(value):
    found = gates.consented("out").admit(crossing(out=value))
    assert (found.because.code, found.because.facts) == (Code.GATE, {"gate": "consent_unknown", "field": "out"})


@given(st.one_of(VALUES, st.text(), st.integers(), st.decimals(allow_nan=False), st.tuples(st.text())))
def test_nothing_but_what_says_that_there_is_no_opt_out_is_consent(value):
    known = is_blank(value) or str(value).strip().lower() in {"0", "false"} or value == Decimal(0)
    assert admits(gates.consented("out"), out=value) == known


@given(
    value=VALUES | st.sampled_from([1, Decimal("1.0"), "1", "True"]),
    wanted=st.sampled_from([0, 1, Decimal(1), True, False]),
)
def test_a_flag_that_is_set_equals_1_and_yet_is_no_number_that_could_be_at_least_1(value, wanted):
    assert admits(gates.equals("a", wanted), a=value) == (value == wanted)
    number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    assert admits(gates.at_least("a", 1), a=value) == (number and value >= 1)


def test_an_exception_admits_nobody_of_whom_its_field_was_not_read():
    gate = gates.unless(gates.equals("out", value=True))
    assert admits(gate, out=False)
    assert not admits(gate, email="kim@x.example")


ANY = gates.by("any", lambda crossing: True, fields=["a"])


def test_a_refusal_names_its_gate_and_field_and_never_the_value():
    for gate in (gates.filled("a"), gates.equals("a", "wanted"), gates.at_least("a", 3), gates.unless(ANY)):
        found = gate.admit(crossing(a=None))
        assert isinstance(found, Skip)
        assert found.because.code is Code.GATE
        assert "wanted" not in str(found)
    found = gates.by("adult", lambda c: False).admit(crossing())
    assert (found.because.code, found.because.facts) == (Code.RULE, {"rule": "adult"})


def test_a_gate_names_the_fields_that_it_must_read():
    gate = gates.every(gates.filled("a"), gates.either(gates.equals("b", 1), gates.unless(gates.consented("c"))))
    assert gate.fields == {"a", "b", "c"}


def totals(links=100, blanks=0, **writes):
    return Totals(0, links, dict.fromkeys(Disposition, 0), {("crm", verb): n for verb, n in writes.items()}, blanks)


@pytest.mark.parametrize(
    ("guard", "fits", "objects", "code"),
    [
        (gates.at_most(deletes=50), {"delete": 30, "archive": 20}, {"delete": 51}, Code.TOO_MANY_DELETES),
        (gates.at_most(deletes=0.2), {"delete": 20}, {"archive": 21}, Code.TOO_MANY_DELETES),
        (gates.at_most(creates=0), {}, {"create": 1}, Code.TOO_MANY_CREATES),
        (gates.at_most(updates=5), {"update": 5}, {"update": 6}, Code.TOO_MANY_UPDATES),
        (gates.at_most(blanks=5), {"blanks": 5}, {"blanks": 6}, Code.TOO_MANY_BLANKS),
        (gates.not_emptied(), {"delete": 99}, {"delete": 60, "archive": 40}, Code.EMPTIED),
    ],
)
def test_a_guard_objects_above_its_bound_and_says_why(guard, fits, objects, code):
    assert guard.inspect(totals(**fits)) is None
    assert guard.inspect(totals(**objects)).code is code


def test_a_share_of_few_links_never_means_less_than_its_floor():
    guard = gates.at_most(deletes=0.1)
    assert guard.inspect(totals(links=5, delete=5)) is None
    assert guard.inspect(totals(links=5, delete=11)).facts == {"count": 11, "limit": 10}


def test_no_bound_no_objection():
    assert gates.at_most(blanks=0).inspect(totals(create=10**6, delete=10**6)) is None
    assert gates.not_emptied().inspect(totals(links=0)) is None


UNSET = [gates.filled(), gates.equals("a", None), gates.has_any("a", []), gates.at_least("a", None), gates.every()]


@pytest.mark.parametrize("gate", UNSET)
def test_a_condition_with_nothing_set_is_as_if_it_were_not_there(gate):
    low = gates.at_least("a", 5)
    crossing_low = crossing(a=1)
    assert isinstance(gates.either(gate, low).admit(crossing_low), Skip)
    assert isinstance(gates.every(gate, low).admit(crossing_low), Skip)
    for outer in (gates.unless(gate), gates.either(gate), gates.every(gate)):
        assert isinstance(outer.admit(crossing_low), Admit)
        assert not gates.in_use(outer)
    assert list(gates.unset([gate, gates.either(gate, low), low])) == [gate]


@pytest.mark.parametrize("answer", [None, MISSING, "0", "", 1, 0, ("yes",)], ids=repr)
def test_an_answer_of_a_function_that_is_neither_yes_nor_no_admits_nobody_and_keeps_nobody_out(answer):
    with pytest.raises(TypeError, match="the condition 'consent' answers with"):
        gates.by("consent", lambda _: answer).admit(crossing())
