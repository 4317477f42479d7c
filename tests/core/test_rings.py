"""Rings of two-way pipelines: found by the fields that they pair."""

import pytest

from crmbridge import at, bundle, one_way, pair, read_only, two_way
from crmbridge.check import Finding, rings
from crmbridge.policies import left_wins
from crmbridge.reasons import Code, because
from crmbridge.stores import MemoryStore
from crmbridge.testing.connector import FakeConnector, described

KINDS = ("person", "company")
SYSTEMS = {name: FakeConnector(name, *map(described, KINDS)) for name in "ABCD"}


def sync(route, *pairs, kinds=(("person",), ("person",)), make=two_way):
    left, right = (at(SYSTEMS[name], *kinds[place], new=kinds[place][0]) for place, name in enumerate(route))
    found = make(route, left, right).fields(*pairs or [pair("city", "city", left_wins)])
    return found.definition


def told(*definitions):
    return [finding.because.facts["pipelines"] for finding in rings(definitions)]


@pytest.mark.parametrize("routes", [("AB", "BC"), ("AB", "AC", "AD"), ("AB",), ("AB", "CD")])
def test_systems_that_form_a_tree_are_no_ring(routes):
    assert told(*map(sync, routes)) == []


@pytest.mark.parametrize(
    ("routes", "ring"),
    [
        (("AB", "BC", "CA"), "BC, AB, CA"),
        (("AB", "CB", "AC"), "AB, CB, AC"),
        (("AB", "BC", "CD", "DA"), "CD, BC, AB, DA"),
        (("AB", "BA"), "AB, BA"),
    ],
)
def test_systems_that_lead_back_are_a_ring_that_is_named_once(routes, ring):
    pairs = pair("city", "city", left_wins), pair("zip", "zip", left_wins)
    assert [set(one.split(", ")) for one in told(*(sync(route, *pairs) for route in routes))] == [set(ring.split(", "))]


def test_a_ring_is_one_of_fields_and_not_of_systems():
    assert told(sync("AB"), sync("BC"), sync("CA", pair("zip", "zip", left_wins))) == []
    assert told(sync("AB", pair("city", "town", left_wins)), sync("BC", pair("town", "place", left_wins)),
                sync("CA", pair("place", "city", left_wins))) == ["BC, AB, CA"]  # fmt: skip


def test_kinds_that_share_the_names_of_their_fields_are_no_ring():
    both = (("person", "company"), ("person", "company"))
    assert told(sync("AB"), sync("BA", kinds=(("company",), ("company",)))) == []
    assert told(sync("AB", kinds=both)) == []
    assert told(sync("AB", kinds=both), sync("CA", kinds=both)) == []


def test_what_goes_one_way_closes_no_ring():
    assert told(sync("AB"), sync("BC"), sync("CA", make=one_way)) == []
    assert told(sync("AB"), sync("BC"), sync("CA", pair(read_only("city"), "city", left_wins))) == []


def test_a_bundle_warns_of_a_ring_where_it_closes():
    definitions = [sync(route) for route in ("AB", "BC", "CA")]
    assert list(rings(definitions)) == [
        Finding("C.person.city", because(Code.RING, pipelines="BC, AB, CA"), pair="city|city")
    ]
    whole = bundle(*(two_way(one.name, one.left, one.right).fields(*one.fields) for one in definitions))
    whole = whole.remember(MemoryStore())
    assert Code.RING in {finding.because.code for finding in whole.check()}
