"""Simulation of a user's own pipeline: what is sound passes, what is not is found and told in a few lines.

`CRMBRIDGE_SEEDS=20000` looks further than the ordinary run does, from `CRMBRIDGE_FIRST_SEED` on.
"""

from __future__ import annotations

import os
import random

import attrs
import pytest

from crmbridge import at, key, level, pair, policies, two_way
from crmbridge.errors import PairError, UsageError
from crmbridge.gates import filled
from crmbridge.policies import by
from crmbridge.protocols import Leave
from crmbridge.reasons import Code, because
from crmbridge.testing.faulty import FaultyConnector
from crmbridge.testing.simulation import LAWS, Breach, Deed, LawsBroken, simulate
from crmbridge.testing.simulation._script import Script, Work, script
from crmbridge.testing.simulation._shrink import shrunk
from crmbridge.testing.worlds import kengaku_digima

SEEDS = int(os.environ.get("CRMBRIDGE_SEEDS", "540"))
FIRST = int(os.environ.get("CRMBRIDGE_FIRST_SEED", "0"))

POLICIES = (
    policies.left_wins,
    policies.right_always,
    policies.filled_beats_blank(policies.left_wins),
    policies.never_clear(policies.right_wins),
    policies.newest_wins(otherwise="left"),
)


class TwoFaced(FaultyConnector):
    """Claims to know its own creates by their key, and makes a second record all the same."""

    def _create(self, action):
        return super()._create(attrs.evolve(action, key=f"{action.key} {len(self.ledger)}"))


class Meddling(FaultyConnector):
    """Writes something of its own into the city whenever a record is changed."""

    def _change(self, ref, values, by, *, key=""):
        more = {"City": f"as of {len(self.ledger)}"} if by == "us" and "Name" in values else {}
        super()._change(ref, {**values, **more}, by, key=key)


def one(report, law):
    return next(violation for violation in report.violations if violation.law == law)


# -- what is sound -------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_a_sound_pipeline_breaks_no_law(policy, shop, counted):
    ours, seeds = shop(policy=policy), SEEDS // 9
    report = simulate(ours.build, ours.world, seeds=seeds, first=FIRST + POLICIES.index(policy) * seeds, crashes=True)
    assert counted(report).ok, report
    assert report.crashes > 20


@pytest.mark.parametrize("deleted", ["archive", "delete"])
@pytest.mark.parametrize("edited", ["ask", "revive", "remove"])
def test_no_rule_for_deletions_breaks_a_law(deleted, edited, shop, counted):
    ours = shop(more=lambda pipeline: pipeline.deletes(left=deleted, right=deleted, if_edited=edited))
    report = simulate(ours.build, ours.world, seeds=SEEDS // 18, first=FIRST, crashes=True)
    assert counted(report).raise_for_violations().operations > 5_000


def test_events_are_posted_once_each_and_all_that_can_be_reached_is(counted):
    seeds = SEEDS // 9
    assert seeds >= kengaku_digima.ENOUGH
    report = simulate(kengaku_digima.build, kengaku_digima.world, seeds=seeds, first=FIRST, crashes=True)
    assert counted(report).ok, report


@pytest.mark.parametrize("owner", [None, "first_linked", "newest"])
def test_what_several_records_share_is_filled_once_and_breaks_no_law(owner, shop):
    def more(pipeline):
        return pipeline.many_to_one().override(pair("city", "City", policies.left_wins, owner=owner))

    ours = shop(policy=policies.left_wins, more=more)
    report = simulate(ours.build, ours.world, seeds=30, first=FIRST, crashes=True)
    assert report.ok, report


def makes(hands):
    hands.put("left", "person", email=f"{hands.word()}@x.example", name=hands.word(), city=hands.word())
    return True


def moves(hands):
    for side, field in (("left", "city"), ("right", "City")):
        if ref := hands.some(side):
            hands.edit(side, ref, **{field: hands.word()})
    return True


MOVING = (Deed("make", makes), Deed("move", moves, 6.0))
"""People of whom everybody keeps changing the city, at both sides."""


def test_edits_in_the_window_of_a_system_without_conditional_writes_are_counted_and_both_sides_come_into_step(shop):
    ours = shop(able={"conditional_writes": False}, world_more={"deeds": MOVING})
    report = simulate(ours.build, ours.world, seeds=120, first=FIRST, crashes=True)
    assert report.ok, report
    assert report.windows


# -- what is not ---------------------------------------------------------------------------------


def test_a_connector_that_breaks_its_promise_is_found_and_told_in_a_few_lines(shop):
    ours = shop(crm=TwoFaced)
    report = simulate(ours.build, ours.world, seeds=60)
    found = one(report, "I1")
    assert 1 <= len(found.story) <= 3
    assert len(found.faults) == 1
    assert found.faults[0].startswith(("LOST_AFTER", "HALF", "LATE"))
    assert str(found).startswith(f"Seed {found.seed} breaks I1 (a record is copied at most once): shop:person/")
    with pytest.raises(LawsBroken, match="breaks I1"):
        report.raise_for_violations()


def test_a_system_that_changes_what_nobody_touched_is_found(shop):
    ours = shop(crm=Meddling, policy=policies.left_always)
    report = simulate(ours.build, ours.world, seeds=20)
    assert not report.ok
    assert all(len(violation.story) <= 8 for violation in report.violations)


def test_a_policy_that_forgets_an_edit_is_found(shop):
    def forgets(state):
        verdict = policies.right_wins.resolve(state)
        return Leave(because(Code.RULE, rule="no")) if state.left_changed and not state.first else verdict

    ours = shop(policy=attrs.evolve(by("careless", forgets), name="right_wins"))
    found = simulate(ours.build, ours.world, seeds=20).violations[0]
    assert found.law in {"I2", "I3"}
    assert [line for line in found.story if "changes" in line]
    assert len(found.story) <= 5


class Overwriting(FaultyConnector):
    """Puts something of its own into the name of a shared record whenever we fill another field of it."""

    def _change(self, ref, values, by, *, key=""):
        super()._change(ref, {**values, "Name": f"as of {len(self.ledger)}"} if by == "us" else values, by, key=key)


def test_a_shared_record_that_is_written_over_is_found(shop):
    ours = shop(crm=Overwriting, policy=policies.left_wins, more=lambda pipeline: pipeline.many_to_one())
    found = one(simulate(ours.build, ours.world, seeds=40), "I2")
    assert "several may share it" in found.told
    assert len(found.story) <= 8


class Tearing(FaultyConnector):
    """Shows people something else than us where it has covered an edit in the window of a write."""

    def rows(self, kind):
        torn = {past.ref.id for past in self.history if past.unseen}
        return [{**row, "City": "torn"} if row["id"] in torn else row for row in super().rows(kind)]


def test_a_side_that_stays_apart_after_an_edit_in_the_window_is_found(shop):
    ours = shop(
        crm=Tearing, policy=policies.left_wins, able={"conditional_writes": False}, world_more={"deeds": MOVING}
    )
    report = simulate(ours.build, ours.world, seeds=30, first=250, rounds=1)
    assert "I3" in {violation.law for violation in report.violations}


def test_a_run_that_breaks_is_told_with_its_error(shop):
    class Broken:
        def inspect(self, totals):
            raise KeyError("city")

    ours = shop(more=lambda pipeline: pipeline.guard(Broken()))
    found = simulate(ours.build, ours.world, seeds=3).violations[0]
    assert (found.law, "KeyError" in found.told) == ("I13", True)


def test_a_law_of_ones_own_is_asked(shop):
    def nobody_in_kobe(world):
        return [Breach("own", "somebody is there") for _ in world.right.rows("lead")]

    ours = shop(world_more={"laws": [nobody_in_kobe]})
    assert simulate(ours.build, ours.world, seeds=1).violations[0].told == "somebody is there"


@pytest.mark.parametrize("name", ["no leads", "own", "I99", "", "{}"])
def test_a_law_of_ones_own_may_have_any_name(name, shop):
    ours = shop(
        world_more={"laws": [lambda world: [Breach(name, "a lead was made")] if world.right.rows("lead") else []]}
    )
    report = simulate(ours.build, ours.world, seeds=1, tries=5)
    assert f"Seed 0 breaks {name} (a law of the world's own): a lead was made" in str(report)
    assert str(report.violations[0]) in str(report)
    assert [(told["law"], told["text"]) for told in report.as_json()["violations"]] == [(name, LAWS["own"])]
    with pytest.raises(LawsBroken, match="a lead was made"):
        report.raise_for_violations()


class Unconditional(FaultyConnector):
    """Claims conditional writes, and looks at no version."""

    def _stale(self, ref, version):
        return super()._stale(ref, None)


def test_a_system_that_claims_conditional_writes_and_covers_an_edit_that_nobody_has_read_is_found(shop):
    ours = shop(crm=Unconditional, world_more={"deeds": MOVING})
    found = one(simulate(ours.build, ours.world, seeds=100, tries=60), "I2")
    assert "that was never read" in found.told
    assert [line for line in found.story if line.startswith("meanwhile")]


def test_a_world_in_which_nothing_is_written_has_proved_nothing(shop):
    ours = shop(more=lambda pipeline: pipeline.creates(left=False, right=False).gate(filled("city", "name")))
    report = simulate(ours.build, lambda seed: attrs.evolve(ours.world(seed), deeds=()), seeds=2, rounds=1)
    nothing = shop(more=lambda pipeline: pipeline.creates(left=False, right=False).match())
    empty = simulate(nothing.build, nothing.world, seeds=3)
    assert empty.unreached == ("applied",)
    assert not empty.ok
    assert "not proved: applied" in str(empty)
    assert report.seeds == 2


def test_what_can_be_reached_and_was_not_fails_from_enough_seeds_on(shop):
    assert simulate(shop().build, shop(world_more={"enough": 3}).world, seeds=2).unreached == ()
    report = simulate(shop().build, shop(world_more={"enough": 2}).world, seeds=2)
    assert "same | unknown: hold" in report.unreached
    beyond = dict.fromkeys(report.unreached, "for a reason")
    report = simulate(shop().build, shop(world_more={"enough": 2, "beyond": beyond}).world, seeds=2)
    assert report.ok, report


# -- seeds ---------------------------------------------------------------------------------------


def test_a_world_that_hangs_on_more_than_its_seed_is_told(shop):
    dice = random.Random(1)

    def world(seed):
        made = shop().world(seed)
        made.clock.advance(dice.randrange(1, 1000))
        return made

    report = simulate(shop().build, world, seeds=1)
    assert [violation.law for violation in report.violations] == ["I10"]


def test_the_same_seeds_reach_the_same(shop):
    first, again = (simulate(shop().build, shop().world, seeds=4, first=97, crashes=True) for _ in range(2))
    assert first.twice == 1
    assert first == again
    assert simulate(shop().build, shop().world, seeds=4, first=98, crashes=True).reached != first.reached


def test_seeds_go_on_until_there_were_enough_operations(shop):
    report = simulate(shop().build, shop().world, seeds=1, operations=3_000)
    assert report.operations >= 3_000
    assert report.seeds > 1


def test_faults_can_be_named_by_side_and_an_unknown_one_is_refused(shop):
    report = simulate(shop().build, shop().world, seeds=20, faults={"right": ["THROTTLED"]})
    assert [row for row in report.reached if " at " in row and not row.startswith("create")] == ["THROTTLED at crm"]
    with pytest.raises(ValueError, match="'F99' is no fault of crm"):
        simulate(shop().build, shop().world, seeds=1, faults={"right": ["F99"]})


def test_no_seed_proves_nothing(shop):
    with pytest.raises(UsageError, match="0 seeds"):
        simulate(shop().build, shop().world, seeds=0)


def test_a_pipeline_without_text_to_tell_copies_by_asks_for_a_trail(shop):
    def build(world):
        pipeline = shop().build(world)
        only = attrs.evolve(pipeline.definition, fields=pipeline.definition.fields[:1])
        return attrs.evolve(pipeline, definition=only)

    with pytest.raises(ValueError, match="give the world a Trail"):
        simulate(build, shop().world, seeds=1)


@pytest.mark.parametrize(("wrong", "where"), [("nmae", "shop.person"), ("Nmae", "crm.lead")])
def test_a_pair_that_names_a_field_that_is_not_there_is_told_by_its_name(wrong, where, shop):
    def build(world):
        pairs = pair("email", "Email"), pair("nmae", "Name") if wrong == "nmae" else pair("name", "Nmae")
        return (
            two_way("people", at(world.left, "person"), at(world.right, "lead"))
            .match(level("email", key("email", "Email")))
            .fields(*pairs, policy=policies.right_wins)
        )

    with pytest.raises(PairError, match=f"'{wrong}', and {where} has no such field"):
        simulate(build, shop().world, seeds=1)


# -- shrinking -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(10))
def test_of_a_script_what_is_not_needed_is_left_out(seed):
    told = script(seed, offers={"left": ["A", "B"], "right": ["C"]}, crashes=True)
    steps = [step for one in told.rounds for step in one.steps]
    needed = steps[len(steps) // 2]

    def fails(candidate: Script) -> bool:
        return any(_number(step) == _number(needed) for one in candidate.rounds for step in one.steps)

    short = shrunk(told, fails)
    assert [_number(step) for one in short.rounds for step in one.steps] == [_number(needed)]
    assert [one.faults for one in short.rounds] == [()]
    assert all(step.dies is None and step.during == () for step in short.rounds[0].steps if isinstance(step, Work))


def _number(step):
    return type(step), step.number


def test_a_shrinking_takes_no_more_replays_than_it_may():
    replays = []
    told = script(1, offers={"left": (), "right": ()}, crashes=True)

    def fails(candidate):
        replays.append(candidate)
        return False

    assert shrunk(told, fails, tries=5) == told
    assert len(replays) == 5


def test_every_law_has_a_name():
    assert all(text and not text.endswith(".") for text in LAWS.values())


def test_what_a_policy_of_ones_own_decides_is_left_to_its_author(shop):
    ours = shop(policy=by("mine", lambda state: Leave(because(Code.RULE, rule="no"))))
    assert simulate(ours.build, ours.world, seeds=10, crashes=True).ok
