"""A value is held against its field before anything is sent."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crmbridge.errors import UsageError
from crmbridge.model import Cell, FieldSpec, FieldType, Normalisation, RecordRef
from crmbridge.preflight import EMAIL_LIMIT, email_problem, problem
from crmbridge.reasons import Code, Reason, because
from crmbridge.wording import say

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
LEAD = RecordRef("salesforce", "Lead", "00Q1")

FITTING: dict[FieldType, Cell] = {
    FieldType.TEXT: "山田",
    FieldType.EMAIL: "taro@example.jp",
    FieldType.FLAG: False,
    FieldType.NUMBER: Decimal("1.5"),
    FieldType.DATE: NOON.date(),
    FieldType.INSTANT: NOON,
    FieldType.CHOICE: "Open",
    FieldType.CHOICES: ("Open", "Closed"),
    FieldType.REFERENCE: LEAD,
    FieldType.REFERENCES: (LEAD, RecordRef("salesforce", "Lead", "00Q2")),
}


def judged(kind: FieldType, value: Cell, *, creating: bool = True, **spec: object) -> Reason | None:
    return problem(FieldSpec("f", kind, **spec), value, creating=creating)  # type: ignore[arg-type]


def code(kind: FieldType, value: Cell, *, creating: bool = True, **spec: object) -> Code | None:
    found = judged(kind, value, creating=creating, **spec)
    return found.code if found else None


def email(address: str, rule: str) -> str | None:
    found = judged(FieldType.EMAIL, address, email_rule=rule)
    return str(found.facts["shape"]) if found else None


# -- blanks, and fields that are not written --------------------------------------------

BLANKS: list[Cell] = [None, "", " \t\u3000", ()]


@pytest.mark.parametrize("kind", FieldType)
@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize("creating", [True, False])
def test_a_blank_is_refused_by_a_required_field_and_by_no_other(kind: FieldType, blank: Cell, *, creating: bool):
    assert judged(kind, blank, required=True, creating=creating) == because(Code.REQUIRED, field="f")
    assert judged(kind, blank, creating=creating) is None


@pytest.mark.parametrize("value", [0, False, "0", Decimal(0)])
def test_zero_and_false_are_values(value: Cell):
    assert code(FieldType.FLAG if value is False else FieldType.NUMBER, value, required=True) is None


def test_a_read_only_field_takes_nothing_and_a_create_only_field_nothing_later():
    assert code(FieldType.TEXT, "x", read_only=True) is Code.NOT_WRITABLE
    assert code(FieldType.TEXT, None, create_only=True, creating=False) is Code.NOT_WRITABLE
    assert code(FieldType.TEXT, "x", create_only=True, creating=True) is None


# -- types --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FieldType)
def test_each_type_of_field_takes_its_own_type_of_value(kind: FieldType):
    assert judged(kind, FITTING[kind], required=True) is None


@pytest.mark.parametrize("kind", FieldType)
@pytest.mark.parametrize("given_kind", FieldType)
def test_a_field_never_takes_a_value_that_reads_back_as_another_type(kind: FieldType, given_kind: FieldType):
    texts = {FieldType.TEXT, FieldType.CHOICE, FieldType.EMAIL}
    accepted = {kind: {kind}} | dict.fromkeys(texts, texts) | {FieldType.REFERENCE: {FieldType.REFERENCE, *texts}}
    accepted[FieldType.REFERENCES] = {FieldType.REFERENCES, FieldType.CHOICES}
    value = "taro@example.jp" if given_kind in texts else FITTING[given_kind]
    assert (judged(kind, value) is None) == (given_kind in accepted.get(kind, {kind}))


def test_the_wrong_type_is_named_beside_the_right_one():
    assert judged(FieldType.DATE, NOON) == because(Code.WRONG_TYPE, field="f", expected="date", shape="instant")
    assert judged(FieldType.INSTANT, NOON.replace(tzinfo=None)) == because(
        Code.WRONG_TYPE, field="f", expected="instant", shape="no_zone"
    )
    assert judged(FieldType.NUMBER, True) == because(Code.WRONG_TYPE, field="f", expected="number", shape="flag")


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        (1.5, "float"),
        (float("nan"), "float"),
        (["a"], "list"),
        ({"a": 1}, "mapping"),
        (b"x", "bytes"),
        (object(), "no_cell"),
    ],
)
@pytest.mark.parametrize("kind", FieldType)
def test_what_is_no_cell_is_named_as_what_it_is(kind, value, shape):
    assert judged(kind, value) == because(Code.WRONG_TYPE, field="f", expected=kind.value, shape=shape)


def test_who_gave_a_float_is_told_what_a_connector_gives():
    said = "The value for f has the wrong type: a float (connectors give int or Decimal) instead of a number."
    assert say(judged(FieldType.NUMBER, 1.5)) == said


def test_several_values_do_not_fit_into_one_and_one_of_a_set_is_another_type():
    assert judged(FieldType.TEXT, ("a", "b", "c")) == because(Code.SEVERAL_VALUES, field="f", length=3)
    assert code(FieldType.REFERENCE, (LEAD, LEAD)) is Code.SEVERAL_VALUES
    assert code(FieldType.TEXT, ("a",)) is Code.WRONG_TYPE


def test_half_a_surrogate_pair_is_found_before_it_reaches_a_store_or_a_system():
    for kind in (FieldType.TEXT, FieldType.CHOICE, FieldType.EMAIL):
        assert judged(kind, "a\ud83d@example.jp") == because(
            Code.WRONG_TYPE, field="f", expected=kind.value, shape="broken_text"
        )
    assert code(FieldType.CHOICES, ("fine", "\udc00")) is Code.WRONG_TYPE


def test_a_reference_points_at_a_kind_that_the_field_may_refer_to():
    assert judged(FieldType.REFERENCE, LEAD, refers_to=("Lead", "Contact")) is None
    assert code(FieldType.REFERENCE, LEAD, refers_to=("Account",)) is Code.WRONG_TYPE
    assert code(FieldType.REFERENCES, (LEAD,), refers_to=("Account",)) is Code.WRONG_TYPE


# -- text ---------------------------------------------------------------------------------


@given(text=st.text(st.characters(exclude_categories=["Cs", "Z", "C"]), min_size=1), limit=st.integers(1, 40))
def test_length_is_counted_in_characters(text: str, limit: int):
    found = judged(FieldType.TEXT, text, max_length=limit)
    assert found == (because(Code.TOO_LONG, field="f", length=len(text), limit=limit) if len(text) > limit else None)


def test_a_system_that_trims_is_not_blamed_for_white_space_but_one_that_cuts_is_for_length():
    assert code(FieldType.TEXT, " abc ", max_length=3, normalises=frozenset({Normalisation.TRIM})) is None
    assert code(FieldType.TEXT, "abcd", max_length=3, normalises=frozenset({Normalisation.LENGTH})) is Code.TOO_LONG
    assert code(FieldType.CHOICE, "abcd", max_length=3) is Code.TOO_LONG


# -- numbers ------------------------------------------------------------------------------


@given(whole=st.integers(0, 10**12), part=st.integers(0, 999), digits=st.integers(0, 14), scale=st.integers(0, 4))
def test_a_number_fits_where_rounding_and_size_leave_it_as_it_is(whole: int, part: int, digits: int, scale: int):
    number = Decimal(f"{whole}.{part:03}")
    fits = abs(number) < Decimal(10) ** digits and number == round(number, scale)
    for value in (number, -number, str(number), f"-{number}0"):
        assert (judged(FieldType.NUMBER, value, digits=digits, scale=scale) is None) == fits


def test_too_many_digits_say_where():
    assert judged(FieldType.NUMBER, Decimal("1234.5"), digits=3, scale=0) == because(
        Code.TOO_MANY_DIGITS, field="f", shape="before_point", length=4, limit=3
    )
    assert judged(FieldType.NUMBER, "0.125", digits=3, scale=2) == because(
        Code.TOO_MANY_DIGITS, field="f", shape="after_point", length=3, limit=2
    )


def test_digits_are_counted_beyond_the_precision_of_the_decimal_context():
    assert code(FieldType.NUMBER, Decimal("1." + "0" * 40 + "1"), scale=40) is Code.TOO_MANY_DIGITS
    assert code(FieldType.NUMBER, Decimal("1E+999999"), digits=18) is Code.TOO_MANY_DIGITS
    assert code(FieldType.NUMBER, Decimal("0E+999999"), digits=1) is None
    assert code(FieldType.NUMBER, Decimal("1E-999999"), digits=1, scale=2) is Code.TOO_MANY_DIGITS


def test_a_system_that_rounds_by_declaration_takes_more_decimals():
    assert code(FieldType.NUMBER, Decimal("0.125"), scale=2, normalises=frozenset({Normalisation.SCALE})) is None


@pytest.mark.parametrize(
    "text",
    ["twelve", "1,200", "\uff11\uff12", "1e3", "0x10", "1_000", "NaN", "Infinity", ".", "-", "--1", "1.2.3", "1 2"],
)
def test_text_that_is_not_plainly_a_number_is_not_a_number(text: str):
    assert judged(FieldType.NUMBER, text) == because(Code.NOT_A_NUMBER, field="f")


@pytest.mark.parametrize("number", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_what_no_system_can_hold_is_not_a_number(number: str):
    assert code(FieldType.NUMBER, Decimal(number)) is Code.NOT_A_NUMBER


# -- choices ------------------------------------------------------------------------------


@given(value=st.text(min_size=1), options=st.lists(st.text(min_size=1), min_size=1))
def test_a_closed_choice_is_compared_sign_by_sign(value: str, options: list[str]):
    assume(not value.isspace() and not any("\ud800" <= sign <= "\udfff" for sign in value))
    assert (code(FieldType.CHOICE, value, options=tuple(options)) is None) == (value in options)


def test_every_one_of_several_choices_is_compared_and_an_open_list_takes_all():
    assert code(FieldType.CHOICES, ("API 登録", "API登録"), options=("API 登録",)) is Code.NOT_AN_OPTION
    assert code(FieldType.CHOICES, ("API 登録",), options=("API 登録",)) is None
    assert code(FieldType.CHOICES, ("anything", "at all")) is None


# -- e-mail: AE-30 and what is known beside it ----------------------------------------------

RULES = ["guide", "vendor-2026", "account-engagement", ""]
EMAIL_TABLE = {
    # address: what each of RULES says
    "a.b@example.jp": (None, None, None, None),
    "a..b@example.jp": (None, None, None, None),
    "a.@example.jp": ("dot_before_at", None, None, None),
    "a@.example.jp": ("dot_after_at", None, None, None),
    ".a@example.jp": (None, "dot_at_start", None, None),
    "山田@例え.jp": (None, None, None, None),
    '"a@b"@example.jp': (None, None, None, None),
    "example.jp": ("no_at",) * 4,
    "@example.jp": ("no_local_part",) * 4,
    "a@": ("no_domain",) * 4,
    "a@example": ("no_dot_in_domain",) * 4,
    "a@b@example.jp": ("several_at",) * 4,
    "a b@example.jp": ("white_space",) * 4,
    "a\u3000b@example.jp": ("white_space",) * 4,
}


@pytest.mark.parametrize("address", EMAIL_TABLE)
def test_each_system_sees_an_address_by_its_own_rule(address: str):
    assert tuple(email(address, rule) for rule in RULES) == EMAIL_TABLE[address]


@given(address=st.text(st.sampled_from('a.@ \u3000é"'), min_size=1), rule=st.sampled_from(RULES))
def test_no_rule_takes_what_every_system_refuses(address: str, rule: str):
    if email_problem(address, "") is not None:
        assert email_problem(address, rule) is not None


@given(local=st.text(st.sampled_from("ab.+-"), min_size=1), domain=st.text(st.sampled_from("ab.-"), min_size=1))
def test_the_guides_rule_is_about_the_neighbours_of_the_at_sign_alone(local: str, domain: str):
    assume("." in domain)
    touched = local.endswith(".") or domain.startswith(".")
    assert (email_problem(f"{local}@{domain}", "guide") is not None) == touched


def test_an_address_is_as_long_as_the_field_and_the_standard_allow():
    at_limit = "a" * (EMAIL_LIMIT - len("@example.jp")) + "@example.jp"
    assert code(FieldType.EMAIL, at_limit) is None
    assert judged(FieldType.EMAIL, "a" + at_limit) == because(Code.TOO_LONG, field="f", length=255, limit=254)
    assert judged(FieldType.EMAIL, at_limit, max_length=80) == because(Code.TOO_LONG, field="f", length=254, limit=80)


# -- all of it ----------------------------------------------------------------------------

cells: st.SearchStrategy[Cell] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(),
    st.text(st.characters()),
    st.dates(),
    st.datetimes(timezones=st.none() | st.just(dt.UTC)),
    st.lists(st.text()).map(tuple),
    st.just(LEAD),
    st.just((LEAD,)),
)


@given(kind=st.sampled_from(FieldType), value=cells, creating=st.booleans(), rule=st.sampled_from(RULES))
def test_any_value_is_judged_without_an_error_and_never_repeated(
    kind: FieldType, value: Cell, rule: str, *, creating: bool
):
    spec = FieldSpec("f", kind, max_length=3, digits=2, scale=1, options=("a",), refers_to=("Lead",), email_rule=rule)
    found = problem(spec, value, creating=creating)
    if found is not None:
        assert set(found.facts) <= {"field", "limit", "length", "shape", "expected"}
        assert all(isinstance(found.facts[name], int) for name in ("limit", "length") if name in found.facts)


# -- bytes and ranges ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "encoding", "limit", "told"),
    [
        ("山田", "utf-8", 6, None),
        ("山田", "utf-8", 5, because(Code.TOO_MANY_BYTES, field="f", length=6, limit=5)),
        ("山田", "cp932", 4, None),
        ("山田", "cp932", 3, because(Code.TOO_MANY_BYTES, field="f", length=4, limit=3)),
        ("はい👍", "cp932", 9, because(Code.UNHELD_SIGN, field="f", encoding="cp932", position=3)),
    ],
)
def test_length_is_counted_in_bytes_where_the_system_does(text: str, encoding: str, limit: int, told: Reason | None):
    assert judged(FieldType.TEXT, text, max_bytes=limit, encoding=encoding, max_length=9) == told


@pytest.mark.parametrize("limits", [{}, {"max_length": 30}, {"max_bytes": 60}, {"max_length": 2}, {"max_bytes": 2}])
@pytest.mark.parametrize("kind", [FieldType.TEXT, FieldType.EMAIL, FieldType.CHOICE])
def test_a_sign_that_the_encoding_lacks_is_refused_by_its_place_whatever_is_counted(
    kind: FieldType, limits: dict[str, int]
):
    assert judged(kind, "山田𠮷子", encoding="cp932", **limits) == because(
        Code.UNHELD_SIGN, field="f", encoding="cp932", position=3
    )


def test_what_the_encoding_lacks_is_said_with_its_name_and_without_the_sign():
    found = judged(FieldType.CHOICES, ("山田", "𠮷田"), encoding="shift_jis")
    assert say(found) == "The value for f has a sign that cannot be stored: character 1 is not in shift_jis."
    assert say(found, "ja") == "「f」の値に、保存できない文字が含まれています(1文字目。shift_jisにない文字)。"


@pytest.mark.parametrize("name", ["x-sjis", "", "hex", "rot13", "undefined", "cp932\0", None, 932])
def test_an_encoding_that_writes_no_text_is_refused_where_it_is_said(name: object):
    with pytest.raises(UsageError, match=r"name: FieldSpec\(encoding=.* 'cp932'"):
        FieldSpec("name", encoding=name)  # type: ignore[arg-type]


def test_every_name_that_python_has_for_an_encoding_is_taken():
    assert code(FieldType.TEXT, "𠮷", encoding="UTF8") is None
    assert code(FieldType.TEXT, "①", encoding="Shift_JIS") is Code.UNHELD_SIGN
    assert code(FieldType.TEXT, "①", encoding="MS932") is None


@given(text=st.text(min_size=1), encoding=st.sampled_from(("cp932", "euc_jp", "ascii", "latin-1")))
def test_a_text_with_no_limit_is_taken_exactly_where_the_encoding_writes_it(text: str, encoding: str):
    assume(text.strip())
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        assert code(FieldType.TEXT, text, encoding=encoding) in (Code.UNHELD_SIGN, Code.WRONG_TYPE)
    else:
        assert code(FieldType.TEXT, text, encoding=encoding) is None


@pytest.mark.parametrize(
    ("kind", "least", "most", "fitting", "wrong"),
    [
        (FieldType.NUMBER, 0, 100, [0, 100, Decimal("99.5"), "7"], [-1, Decimal("100.5"), "101"]),
        (FieldType.NUMBER, None, Decimal(5), [-9, 5], [6]),
        (FieldType.DATE, dt.date(1900, 1, 1), None, [dt.date(1900, 1, 1)], [dt.date(1899, 12, 31)]),
        (FieldType.INSTANT, None, NOON, [NOON], [NOON + dt.timedelta(seconds=1)]),
    ],
)
def test_numbers_dates_and_instants_are_held_against_their_range(
    kind: FieldType, least: Cell, most: Cell, fitting: list[Cell], wrong: list[Cell]
):
    assert [code(kind, value, least=least, most=most) for value in fitting] == [None] * len(fitting)
    assert [code(kind, value, least=least, most=most) for value in wrong] == [Code.OUT_OF_RANGE] * len(wrong)


def test_a_value_out_of_range_is_told_the_range_and_is_not_told_itself():
    assert judged(FieldType.NUMBER, 7, least=0, most=5) == because(Code.OUT_OF_RANGE, field="f", least="0", most="5")
