"""Salesforce: ids, quoting, and values in both directions."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.adapters.salesforce import long_id
from crmbridge.adapters.salesforce._columns import Described, described
from crmbridge.adapters.salesforce._ids import kind_of
from crmbridge.adapters.salesforce._soql import cost, packed, quoted, select
from crmbridge.adapters.salesforce._values import Unsendable, read_number, written
from crmbridge.errors import ContractBroken
from crmbridge.model import Cell, FieldType, Normalisation, RecordRef
from crmbridge.reasons import Code
from crmbridge.testing.fakes.salesforce.soql import Compare, parse, unescaped

ID = "00QRM000003oLnnYAE"


def column(**told: Any) -> dict[str, Any]:
    return {"name": "F", "type": "string", "createable": True, "updateable": True, "nillable": True} | told


def lead(*fields: dict[str, Any]) -> Described:
    return described("salesforce", "Lead", {"fields": list(fields)}, "guide")


class TestIds:
    @pytest.mark.parametrize(
        ("short", "check"),
        [
            ("001RM000003oLnn", "YAE"),
            ("003RM0000068xV6", "YAI"),
            ("001xx000003DGb2", "AAG"),
            ("003xx000004TmiQ", "AAS"),
            ("00190000001pPvH", "AAU"),
        ],
    )
    def test_the_published_ids_get_their_published_check_characters(self, short: str, check: str) -> None:
        assert long_id(short) == short + check

    @given(st.from_regex(r"[A-Za-z0-9]{15}", fullmatch=True))
    def test_the_long_form_is_a_form_of_its_own(self, short: str) -> None:
        assert long_id(long_id(short)) == long_id(short)
        assert long_id(f"  {short} ") == long_id(short)

    @pytest.mark.parametrize(
        "text", ["", " ", "[[crm_deleted]]", "abc", ID + "X", "00Q' OR '' = 'aa", "００Q000000000001"]
    )
    def test_what_is_no_id_becomes_blank(self, text: str) -> None:
        assert long_id(text) == ""

    def test_a_reference_to_several_kinds_is_told_apart_by_its_prefix(self) -> None:
        assert kind_of("00Q000000000001EAA", ("Contact", "Lead")) == "Lead"
        assert kind_of("003000000000001AAA", ("Contact", "Lead")) == "Contact"

    def test_a_prefix_of_the_organisations_own_is_not_guessed(self) -> None:
        assert kind_of("a01000000000001AAA", ("Account", "Box__c")) == "Name"
        assert kind_of("a01000000000001AAA", ("Box__c",)) == "Box__c"


class TestQuoting:
    @given(st.text() | st.text(alphabet="\\'\n\r\t\b\f\x00\u2028\ud800\"%_山🙂a"))
    def test_a_quoted_text_stands_for_itself_and_ends_nothing(self, text: str) -> None:
        query = parse(select(["Id"], "Lead", f"Name = {quoted(text)} AND Company = 'x'", order="Id"))
        assert query.kind == "Lead"
        assert query.where is not None
        first = query.where.parts[0]  # type: ignore[union-attr]
        assert isinstance(first, Compare)
        assert unescaped(first.literals[0].value) == text

    @given(st.text(alphabet=st.characters()))
    def test_a_quoted_text_can_always_be_put_into_an_address(self, text: str) -> None:
        assert cost(quoted(text)) >= len(text)

    @given(st.lists(st.text(alphabet="aあ'", max_size=2000), max_size=60), st.integers(0, 9000))
    def test_conditions_are_cut_so_that_each_query_fits_into_an_address(self, texts: list[str], beside: int) -> None:
        pieces = [quoted(text) for text in texts]
        runs = list(packed(pieces, beside=beside, most=20))
        assert [piece for run in runs for piece in pieces[run]] == pieces
        for run in runs:
            chosen = pieces[run]
            assert 1 <= len(chosen) <= 20
            assert len(chosen) == 1 or beside + cost(", ".join(chosen)) <= 12_000

    def test_no_query_is_shorter_than_it_need_be(self) -> None:
        assert list(packed(["'a'"] * 7, beside=0, most=3)) == [slice(0, 3), slice(3, 6), slice(6, 7)]
        halves = ["a" * 3_000] * 4
        assert list(packed(halves, beside=6_000 - 24, most=9)) == [slice(0, 2), slice(2, 4)]
        assert list(packed(halves, beside=6_000 - 23, most=9)) == [slice(n, n + 1) for n in range(4)]
        assert list(packed(["a" * 20_000, "b"], beside=0, most=9)) == [slice(0, 1), slice(1, 2)]


class TestWhatIsRead:
    @pytest.mark.parametrize(
        ("sort", "wire", "cell"),
        [
            ("string", "山田", "山田"),
            ("boolean", False, False),
            ("int", 12, 12),
            ("double", Decimal("0.10"), Decimal("0.1")),
            ("currency", 0.1, Decimal("0.1")),
            ("currency", Decimal("12.00"), 12),
            ("double", 5e-324, Decimal("5E-324")),
            ("double", 1e308, 10**308),
            ("percent", None, None),
            ("date", "2026-11-21", dt.date(2026, 11, 21)),
            ("datetime", "2026-11-21T09:15:00.000+0000", dt.datetime(2026, 11, 21, 9, 15, tzinfo=dt.UTC)),
            ("multipicklist", "Tea;Coffee", ("Tea", "Coffee")),
            ("multipicklist", None, None),
        ],
    )
    def test_each_type_has_its_cell(self, sort: str, wire: object, cell: Cell) -> None:
        read = lead(column(type=sort)).columns["F"].read(wire)
        assert (read, type(read)) == (cell, type(cell))

    def test_a_reference_says_which_record_of_which_kind(self) -> None:
        owner = lead(column(name="OwnerId", type="reference", referenceTo=["Group", "User"])).columns["OwnerId"]
        assert owner.read("005RM000003oLnn") == RecordRef("salesforce", "User", "005RM000003oLnnYAE")

    @pytest.mark.parametrize(
        ("sort", "wire"),
        [
            ("string", 7),
            ("boolean", "true"),
            ("int", True),
            ("int", "12"),
            ("double", float("inf")),
            ("double", Decimal("1E+400")),
            ("date", "21.11.2026"),
            ("date", {"day": 21}),
            ("datetime", "2026-11-21T09:15:00"),
            ("multipicklist", ["Tea"]),
            ("reference", "nobody"),
        ],
    )
    def test_a_value_of_another_type_is_refused(self, sort: str, wire: object) -> None:
        with pytest.raises(ValueError, match=r".*"):
            lead(column(type=sort, referenceTo=["User"])).columns["F"].read(wire)


class TestWhatIsSent:
    @pytest.mark.parametrize(
        ("cell", "wire"),
        [
            ("山田", "山田"),
            (None, None),
            (False, False),
            (Decimal("12.00"), 12),
            (Decimal("0.1"), 0.1),
            (dt.date(2026, 11, 21), "2026-11-21"),
            (dt.datetime(2026, 11, 21, 18, 15, tzinfo=dt.timezone(dt.timedelta(hours=9))), "2026-11-21T09:15:00.000Z"),
            (("Tea", "Coffee"), "Tea;Coffee"),
            ((), None),
            (RecordRef("salesforce", "User", ID), ID),
        ],
    )
    def test_each_cell_has_its_form(self, cell: Cell, wire: object) -> None:
        assert json.dumps(written({"F": cell})) == json.dumps({"F": wire})

    @given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12))
    def test_a_number_is_sent_digit_for_digit_or_not_at_all(self, number: Decimal) -> None:
        try:
            sent = written({"F": number})["F"]
        except Unsendable:
            assert len(number.as_tuple().digits) > 15
        else:
            assert json.loads(json.dumps(sent), parse_float=Decimal) == number

    @given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**12), max_value=10**12))
    def test_what_is_sent_as_a_number_is_read_as_the_same_number(self, number: Decimal) -> None:
        assert read_number(written({"F": number})["F"]) == number

    @pytest.mark.parametrize(
        ("cell", "code"),
        [
            (Decimal("1234567890123456.78"), Code.TOO_MANY_DIGITS),
            (Decimal("1E+999999"), Code.TOO_MANY_DIGITS),
            (Decimal("1E-999999"), Code.TOO_MANY_DIGITS),
            (Decimal("NaN"), Code.NOT_A_NUMBER),
            (dt.datetime(2026, 11, 21), Code.WRONG_TYPE),
            (("a;b",), Code.WRONG_TYPE),
            ((RecordRef("salesforce", "User", ID),), Code.WRONG_TYPE),
        ],
    )
    def test_a_value_without_a_form_names_its_field_and_is_not_quoted(self, cell: Cell, code: Code) -> None:
        with pytest.raises(Unsendable) as raised:
            written({"Amount": cell})
        assert (raised.value.code, raised.value.field) == (code, "Amount")


class TestSchema:
    def test_text_has_a_length_and_is_trimmed(self) -> None:
        spec = lead(column(name="LastName", length=80, label="Last Name")).schema.fields["LastName"]
        assert (spec.type, spec.max_length, spec.label) == (FieldType.TEXT, 80, "Last Name")
        assert spec.normalises == {Normalisation.TRIM}

    def test_an_email_is_lower_cased_and_held_to_the_rule_of_the_organisation(self) -> None:
        spec = lead(column(type="email", length=80)).schema.fields["F"]
        assert (spec.type, spec.email_rule) == (FieldType.EMAIL, "guide")
        assert Normalisation.CASE in spec.normalises

    def test_digits_before_the_point_are_the_precision_without_the_scale(self) -> None:
        spec = lead(column(type="currency", precision=18, scale=2)).schema.fields["F"]
        assert (spec.digits, spec.scale, spec.max_length) == (16, 2, None)

    def test_a_whole_number_has_digits_and_no_fraction(self) -> None:
        spec = lead(column(type="int", digits=8)).schema.fields["F"]
        assert (spec.digits, spec.scale) == (8, 0)

    @pytest.mark.parametrize(
        ("told", "required"),
        [
            ({"nillable": False}, True),
            ({"nillable": False, "defaultedOnCreate": True}, False),
            ({"nillable": False, "createable": False}, False),
            ({"nillable": False, "type": "boolean"}, False),
            ({"nillable": True}, False),
        ],
    )
    def test_required_is_what_a_create_must_fill(self, told: dict[str, Any], required: bool) -> None:
        assert lead(column(**told)).schema.fields["F"].required is required

    def test_writable_never_and_writable_once_are_told_apart(self) -> None:
        never = lead(column(createable=False, updateable=False)).schema.fields["F"]
        once = lead(column(updateable=False)).schema.fields["F"]
        assert (never.read_only, never.create_only) == (True, False)
        assert (once.read_only, once.create_only) == (False, True)

    def test_only_a_restricted_picklist_is_a_closed_list_and_only_of_its_active_values(self) -> None:
        values = [{"value": "Hot", "active": True}, {"value": "Old", "active": False}]
        closed = lead(column(type="picklist", picklistValues=values, restrictedPicklist=True)).schema.fields["F"]
        open_ = lead(column(type="picklist", picklistValues=values)).schema.fields["F"]
        assert (closed.type, closed.options, open_.options) == (FieldType.CHOICE, ("Hot",), ())

    def test_the_names_of_account_and_owner_can_be_read_where_there_are_such_parents(self) -> None:
        fields = lead(
            column(name="AccountId", type="reference", referenceTo=["Account"], relationshipName="Account"),
            column(name="OwnerId", type="reference", referenceTo=["User"], relationshipName="Owner"),
            column(name="ReportsToId", type="reference", referenceTo=["Contact"], relationshipName="ReportsTo"),
        ).schema.fields
        assert {name for name in fields if "." in name} == {"Account.Name", "Owner.Name", "Owner.Email"}
        assert all(fields[name].read_only for name in fields if "." in name)

    def test_compound_fields_and_types_yet_to_come_are_no_fields(self) -> None:
        assert not lead(column(type="address"), column(type="hologram"), column(type="base64")).columns

    @pytest.mark.parametrize(
        "body",
        [None, [], {}, {"fields": {}}, {"fields": [7]}, {"fields": [{"name": "F"}]}, {"fields": [{"type": "int"}]}],
    )
    def test_an_answer_that_describes_nothing_breaks_the_contract(self, body: object) -> None:
        with pytest.raises(ContractBroken):
            described("salesforce", "Lead", body, "guide")

    @given(
        st.dictionaries(
            st.sampled_from(["length", "digits", "precision", "scale", "picklistValues", "referenceTo", "label", "unique",
                             "restrictedPicklist", "nillable", "relationshipName", "filterable", "calculated"]),
            st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.none() | st.text(max_size=3)),
        ),
        st.sampled_from(["string", "currency", "int", "picklist", "reference", "multipicklist"]),
    )  # fmt: skip
    def test_strange_attributes_of_a_field_do_no_harm(self, told: dict[str, Any], sort: str) -> None:
        spec = lead(column(**told, type=sort)).schema.fields["F"]
        assert spec.name == "F"
        assert all(isinstance(option, str) for option in (*spec.options, *spec.refers_to))
