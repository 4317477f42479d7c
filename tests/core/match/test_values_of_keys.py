"""What a key makes of a value: one text for one value, whatever its type, and nothing of what is no value."""

import datetime as dt
from decimal import Decimal

import pytest

from crmbridge.japanese import email_key
from crmbridge.match import all_of, first_of, key, level
from crmbridge.match._keys import name_of
from crmbridge.model import MISSING, Record, RecordRef, Rows

WHOLE = first_of(key("email", "Email"), key("tel", "Phone"), key("name", "Name"))


def read(value):
    rows = Rows("crm", "Lead", ("score",), ("1",), ((value,),))
    return key("score", "score").read(Record(rows, 0), "left")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Kim", "Kim"),
        (" Kim ", "Kim"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (7, "7"),
        (Decimal("1.50"), "1.50"),
        (dt.date(2026, 4, 1), "2026-04-01"),
        (dt.datetime(2026, 4, 1, 9, tzinfo=dt.UTC), "2026-04-01T09:00:00+00:00"),
        (RecordRef("crm", "Account", "a1"), "a1"),
    ],
)
def test_a_value_of_any_type_is_compared_as_one_text(value, text):
    assert read(value) == text


@pytest.mark.parametrize("value", [None, MISSING, "", " ", ("a", "b"), ()])
def test_what_is_blank_not_read_or_a_set_is_compared_with_nothing(value):
    assert not read(value)


def test_a_normaliser_is_named_by_where_it_stands():
    assert name_of(email_key) == "crmbridge.japanese.mail.email_key"
    assert name_of(str.lower) == "builtins.str.lower"
    assert name_of(key("a", "b").by) == "exact"


def test_the_name_of_a_normaliser_goes_into_what_is_asked():
    assert [one.named for one in level("mail", key("a", "b", email_key)).every_key()] == [name_of(email_key)]


def test_a_plain_clause_is_asked_first_and_each_chain_goes_on_alone():
    made = level("any", all_of(key("email", "Email"), key("name", "Name")), WHOLE)
    fields = [[[one.left for one in clause.keys] for clause in made.alternatives(slot)] for slot in range(4)]
    assert made.slots == 3
    assert fields == [[["email", "name"], ["email"]], [["tel"]], [["name"]], []]


def test_keys_are_equal_by_what_they_compare():
    assert key("a", "b") == key("a", "b")
    assert key("a", "b") != key("a", "b", str.lower)
    assert "named" not in repr(key("a", "b"))
    assert "_asked" not in repr(level("any", key("a", "b")))
