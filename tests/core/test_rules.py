"""A definition's digest: the same in every process, and another one as soon as something decides otherwise."""

from __future__ import annotations

import datetime as dt
import functools
import subprocess
import sys

import attrs
import pytest

from crmbridge import at, case, codecs, gates, joined, linked, one_way, pair, policies, preflight, put, two_way
from crmbridge._engine._rules import Rules, read_rules, rules, told
from crmbridge.gates import at_most
from crmbridge.match import key, level, newest
from crmbridge.stores import MemoryStore
from crmbridge.testing.connector import FakeConnector, described

PROGRAM = """
from crmbridge import at, one_way, pair, put, joined, gates, codecs
from crmbridge._engine._rules import rules
from crmbridge.match import key, level
from crmbridge.testing.connector import FakeConnector, described
ends = [FakeConnector(name, described(name)) for name in ("ma", "crm")]
pipe = one_way("t", at(ends[0], "ma"), at(ends[1], "crm")).match(level("e", key("email", "Email", str.lower)))
pipe = pipe.fields(pair("a", "A", via=codecs.choices({"x": "1", "y": "2"})), put("B", joined("b", "c")))
print(rules(pipe.gate(gates.has_any("a", {"x", "y", "z"})).definition))
"""


def ends():
    """Make two systems anew."""
    return [at(FakeConnector(name, described(name)), name) for name in ("ma", "crm")]


def carried():
    """Make a pipeline anew, with one of everything."""
    return (
        one_way("t", *ends())
        .match(level("e", key("email", "Email", str.lower)))
        .fields(pair("a", "A"), put("B", joined("b", "c")))
        .gate(gates.equals("a", "x"))
    )


def other_level(pipe):
    """Match by another normalisation."""
    return pipe.match(level("e", key("email", "Email", str.upper)))


def test_every_process_tells_the_same():
    said = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM], env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            check=True, capture_output=True, text=True,
        ).stdout
        for seed in ("1", "2", "3")
    }  # fmt: skip
    assert len(said) == 1


def test_what_was_told_is_read_again_and_anything_else_is_nothing():
    known = rules(carried().definition)
    assert read_rules(str(known)) == known
    assert read_rules("") == read_rules("something else") == Rules()


@pytest.mark.parametrize(
    "same",
    [
        lambda pipe: pipe,
        lambda pipe: pipe.guard(at_most(deletes=1)),
        lambda pipe: pipe.batches(of=7).leased(minutes=3).retain(days=3).remember(MemoryStore()),
        lambda pipe: pipe.override(pair("a", "A", formerly="Z")),
    ],
)
def test_what_decides_nothing_changes_nothing(same):
    assert rules(same(carried()).definition) == rules(carried().definition)


LINKED, CROSSING = {"linked"}, {"crossing"}


@pytest.mark.parametrize(
    ("changed", "parts"),
    [
        (lambda pipe: pipe.fields(pair("d", "D")), LINKED),
        (lambda pipe: pipe.override(pair("a", "A", policies.right_wins)), LINKED),
        (lambda pipe: pipe.override(pair("a", "A", via=codecs.number_text)), LINKED),
        (lambda pipe: pipe.override(pair("a", "A", if_refused=preflight.truncate)), LINKED),
        (lambda pipe: pipe.override(put("B", joined("b", "c", sep="-"))), LINKED),
        (lambda pipe: pipe.override(put("B", linked("parents"))), LINKED),
        (other_level, CROSSING),
        (lambda pipe: pipe.match(level("e", key("email", "Email", str.lower)), adopt=newest("changed")), CROSSING),
        (lambda pipe: pipe.creates(left=False, right=False), CROSSING),
        (lambda pipe: pipe.gate(gates.filled("a")), LINKED | CROSSING),
        (lambda pipe: pipe.cases(case("one", gates.filled("a"))), LINKED | CROSSING),
        (lambda pipe: pipe.many_to_one(), LINKED | CROSSING),
        (lambda pipe: pipe.deletes(right="delete"), {"deletes"}),
        (lambda pipe: pipe.paced(spacing=dt.timedelta(hours=1)), {"paced"}),
    ],
)
def test_each_change_is_told_in_the_parts_that_it_concerns(changed, parts):
    before, now = rules(carried().definition), rules(changed(carried()).definition)
    assert {one.name for one in attrs.fields(Rules) if getattr(before, one.name) != getattr(now, one.name)} == parts


def test_the_topology_is_part_of_what_crosses():
    one, two = one_way("t", *ends()), two_way("t", *ends()).creates(left=False, right=True)
    assert rules(one.definition).crossing != rules(two.definition).crossing


class Unknown:
    """A thing of a user's own."""

    def __init__(self, name: str) -> None:
        self.name = name


def test_a_thing_of_a_users_own_goes_by_its_class_and_name_and_never_by_its_place_in_memory():
    assert told(Unknown("a")) == told(Unknown("a")) != told(Unknown("b"))
    assert told(object()) == told(object())


def test_a_function_goes_by_its_name_and_what_it_was_given_beforehand():
    assert told(functools.partial(int, base=2)) == told(functools.partial(int, base=2))
    assert told(functools.partial(int, base=2)) != told(functools.partial(int, base=8))
    assert told(str.lower) != told(str.upper)


def test_sets_and_mappings_are_told_in_one_order():
    assert told({"b": 1, "a": 2}) == told({"a": 2, "b": 1})
    assert told(frozenset("abcdef")) == told(frozenset("fedcba"))
    assert told(("a", "b")) != told(("b", "a"))
