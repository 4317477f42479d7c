"""Simulation of pipelines that go one way: an edit at the target is nobody's fault, and a lost one of the source is."""

from __future__ import annotations

import datetime as dt
import os

import attrs
import pytest

from crmbridge import at, events, key, level, one_way, pair, policies
from crmbridge.model import Applied, Deleted, Update
from crmbridge.policies import by
from crmbridge.protocols import Leave
from crmbridge.reasons import Code, because
from crmbridge.testing.faulty import FaultyConnector
from crmbridge.testing.simulation import Deed, simulate

SEEDS = int(os.environ.get("CRMBRIDGE_SEEDS", "540"))
FIRST = int(os.environ.get("CRMBRIDGE_FIRST_SEED", "0"))

POLICIES = (
    None,
    policies.right_wins,
    policies.left_always,
    policies.right_always,
    policies.newest_wins(otherwise="right"),
    policies.filled_beats_blank(policies.left_wins),
    policies.never_clear(policies.left_wins),
)

PROMISES = (
    {},
    {"conditional_writes": False},
    {"sees_merges": False},
    {"sees_deletes": False, "sees_merges": False, "incremental": False},
)


def people(policy=None, more=lambda pipeline: pipeline):
    """Build a pipeline from the people of the shop to the leads of the CRM."""

    def build(world):
        return more(
            one_way("people", at(world.left, "person"), at(world.right, "lead"))
            .match(level("email", key("email", "Email")))
            .fields(pair("email", "Email"), pair("name", "Name"), pair("city", "City"), policy=policy)
        )

    return build


def laws(report):
    return {violation.law for violation in report.violations}


# -- what is sound -------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name if policy else "none")
def test_a_sound_pipeline_of_one_way_breaks_no_law_whatever_people_do_at_the_target(policy, shop, counted):
    seeds = SEEDS // 18
    report = simulate(people(policy), shop().world, seeds=seeds, first=FIRST, crashes=True)
    assert counted(report).ok, report


@pytest.mark.parametrize("able", PROMISES, ids=lambda able: " ".join(able) or "everything")
def test_no_promise_of_the_systems_makes_one_way_break_a_law(able, shop, counted):
    report = simulate(people(), shop(able=able).world, seeds=SEEDS // 27, first=FIRST, crashes=True)
    assert counted(report).ok, report


@pytest.mark.parametrize("deleted", ["archive", "delete"])
@pytest.mark.parametrize("edited", ["ask", "revive", "remove"])
def test_no_rule_for_deletions_at_the_source_breaks_a_law(deleted, edited, shop, counted):
    build = people(more=lambda pipeline: pipeline.deletes(right=deleted, if_edited=edited))
    report = simulate(build, shop().world, seeds=SEEDS // 27, first=FIRST, crashes=True)
    assert counted(report).ok, report


def test_what_several_records_share_breaks_no_law_one_way(shop):
    report = simulate(people(more=lambda one: one.many_to_one()), shop().world, seeds=20, first=FIRST, crashes=True)
    assert report.ok, report


def test_a_pipeline_of_events_is_enabled_before_anything_happens_and_breaks_no_law(shop, counted):
    def build(world):
        return events("posts", at(world.left, "person"), at(world.right, "lead")).fields(
            pair("email", "Email"), pair("name", "Name"), pair("city", "City")
        )

    report = simulate(build, shop().world, seeds=SEEDS // 27, first=FIRST, crashes=True)
    assert counted(report).ok, report
    assert report.reached["applied"] > 20


# -- what is not ---------------------------------------------------------------------------------


class Deaf(FaultyConnector):
    """Says that it has changed the city of a record that is an hour old, and has not."""

    def _change(self, ref, values, by, *, key=""):
        old = self._now() - next(past.at for past in self.history if past.ref == ref) > dt.timedelta(hours=1)
        kept = {name: value for name, value in values.items() if name != "City" or by != "us" or not old}
        super()._change(ref, kept, by, key=key)


class Meddling(FaultyConnector):
    """Writes something of its own into the city whenever we change a name."""

    def _change(self, ref, values, by, *, key=""):
        more = {"City": f"as of {len(self.ledger)}"} if by == "us" and "Name" in values else {}
        super()._change(ref, {**values, **more}, by, key=key)


class Losing(FaultyConnector):
    """Removes the record that we change."""

    def _one(self, action):
        outcome = super()._one(action)
        if isinstance(outcome, Applied) and isinstance(action, Update):
            self._leave(Deleted(action.ref), "us")
        return outcome


def enters(hands):
    hands.put("left", "person", email=f"{hands.word()}@x.example", name=hands.word(), city=hands.word())
    return True


def moves(hands):
    if ref := hands.some("left"):
        hands.edit("left", ref, city=hands.word())
    return ref is not None


def test_an_edit_of_the_source_that_does_not_arrive_is_found(shop):
    ours = shop(crm=Deaf, world_more={"deeds": (Deed("enter", enters), Deed("move", moves, 4.0))})
    found = simulate(people(), ours.world, seeds=20, tries=20)
    assert laws(found) == {"I3"}
    assert found.seeds < 10, "an edit that is lost is found in almost every seed"
    assert all("the target should hold one of" in violation.told for violation in found.violations)


def test_a_field_of_the_target_that_changes_though_nobody_touched_it_at_either_side_is_found(shop):
    found = simulate(people(), shop(crm=Meddling).world, seeds=20, tries=60).violations
    assert found
    assert all(len(violation.story) <= 8 for violation in found)


def test_a_policy_that_forgets_an_edit_of_the_source_is_found(shop):
    def forgets(state):
        return Leave(because(Code.RULE, rule="no")) if not state.first else policies.left_wins.resolve(state)

    careless = attrs.evolve(by("careless", forgets), name="left_wins")
    found = simulate(people(careless), shop().world, seeds=20, tries=20)
    assert "I3" in laws(found)


def test_a_record_of_the_target_that_we_remove_though_the_pipeline_removes_nothing_is_found(shop):
    found = simulate(people(), shop(crm=Losing).world, seeds=20, tries=20)
    assert any("we removed crm:lead/" in violation.told for violation in found.violations)


class Backwards(FaultyConnector):
    """Tells the source of each record that it makes, in our name."""

    source: FaultyConnector

    def _create(self, action):
        self.source._change(action.origin, {"name": f"{action.values['Name']} too"}, "us")
        return super()._create(action)


def test_a_pipeline_that_writes_at_its_source_is_found(shop):
    def world(seed):
        made = shop(crm=Backwards).world(seed)
        made.right.source = made.left
        return made

    found = simulate(people(), world, seeds=1, tries=0).violations
    assert any("at the source of a one-way pipeline" in violation.told for violation in found)
