"""Histories that Hypothesis makes up, and shrinks: people, faults, crashes and a second worker, in any order.

Where `test_simulation` draws a life by a seed, here each event is a rule, and a history that breaks an invariant is cut
down to the few events that it takes. What is judged is the same. `CRMBRIDGE_HISTORIES=5000` looks further than the
ordinary run does, at longer histories that hang on `--hypothesis-seed`.
"""

from __future__ import annotations

import importlib.util
import os
from collections import Counter
from pathlib import Path
from typing import ClassVar

import attrs
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from crmbridge.errors import FenceStale, LeaseHeld
from crmbridge.model import RecordRef
from crmbridge.stores import MemoryStore
from crmbridge.testing.faulty import Fault
from crmbridge.testing.sim import SimDriver, SimulatedCrash

_SPEC = importlib.util.spec_from_file_location("simulation", Path(__file__).with_name("test_simulation.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
simulation = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(simulation)

HISTORIES = int(os.environ.get("CRMBRIDGE_HISTORIES", "300"))
DEEP = "CRMBRIDGE_HISTORIES" in os.environ
STEPS = 100 if DEEP else 50

SIDES = st.sampled_from([0, 1])
PLACES = st.integers(0, 3)
KINDS, EMAILS, WRITTEN = ("person", "lead"), ("email", "Email"), (("name", "city", "score"), ("Name", "City", "Score"))
LOST = (Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.HALF)
MOMENT = 3
"""Seconds."""
WHOLE = (*LOST, Fault.UNREACHABLE, Fault.THROTTLED, Fault.REFUSED)


class Life(RuleBasedStateMachine):
    """Two systems, what may happen to them, and what must hold all the while."""

    worlds = promises = None
    reached: ClassVar = Counter[str]()

    @initialize(number=st.integers(0, 100_000))
    def begin(self, number):
        """Let a seed choose what both systems promise, how they lag, and the rules of the pipeline."""
        self.seed = simulation.Seed(number, self.worlds, self.promises)
        self.reached["history"] += 1
        self.ends, self.clock = self.seed.ends, self.seed.world.clock
        for end in self.ends:
            end.whole = end.single = _calm
        self.mark()

    def mark(self):
        """Remember where things stand: the next clean sync is judged by what happens from here on."""
        self.pairs = [(link.left, link.right) for link in self.seed.tied()]
        self.marks = [len(end.history) for end in self.ends]
        self.deaths = self.seed.crashes

    def ref(self, side, place):
        rows = self.ends[side].rows(KINDS[side])
        return RecordRef(self.ends[side].system, KINDS[side], str(rows[place % len(rows)]["id"])) if rows else None

    # -- people: each edit takes a moment, as it does at a desk -------------------------------------------------

    @rule(side=SIDES, email=st.integers(0, 3))
    def somebody_comes(self, side, email):
        self.clock.advance(MOMENT)
        address, names = f"p{email}@x.example", WRITTEN[side]
        taken = any(row[EMAILS[side]] == address for row in self.ends[side].rows(KINDS[side]))
        # A system that holds an address unique lets nobody have it twice.
        if self.seed.create != "A-unique" or not taken:
            self.ends[side].put(KINDS[side], **{EMAILS[side]: address, names[0]: self.seed.fresh()})
            self.reached["new"] += 1

    @rule(side=SIDES, place=PLACES, field=st.integers(0, 2))
    def somebody_edits(self, side, place, field):
        self.clock.advance(MOMENT)
        if ref := self.ref(side, place):
            self.ends[side].edit(ref, **{WRITTEN[side][field]: self.seed.fresh()})
            self.reached["edit"] += 1

    @rule(side=SIDES, place=PLACES, field=st.integers(0, 2))
    def somebody_clears(self, side, place, field):
        self.clock.advance(MOMENT)
        if ref := self.ref(side, place):
            self.ends[side].edit(ref, **{WRITTEN[side][field]: None})
            self.reached["clear"] += 1

    @rule(side=SIDES, place=PLACES)
    def somebody_deletes(self, side, place):
        self.clock.advance(MOMENT)
        if ref := self.ref(side, place):
            self.ends[side].remove(ref)
            self.reached["delete"] += 1

    @rule(loser=PLACES, winner=PLACES)
    def somebody_merges(self, loser, winner):
        self.clock.advance(MOMENT)
        one, two = self.ref(1, loser), self.ref(1, winner)
        if one and two and one != two:
            self.ends[1].merge(one, two)
            self.reached["merge"] += 1

    # -- troubles ----------------------------------------------------------------------------

    @rule(side=SIDES, fault=st.sampled_from([*WHOLE, Fault.LATE]), place=PLACES)
    def a_batch_fails(self, side, fault, place):
        """Something is there to be written, and its request fails."""
        if fault is not Fault.LATE or self.seed.late:
            self.ends[side].then(fault)
        self.somebody_edits(1 - side, place, 0)
        self.process()

    @rule(side=SIDES, fault=st.sampled_from([Fault.BUSY, Fault.REJECTED]), place=PLACES)
    def a_record_fails(self, side, fault, place):
        """Something is there to be written, and this record of its request fails."""

        def once(action, end=self.ends[side]):
            end.single = _calm
            return fault

        self.ends[side].single = once
        self.somebody_edits(1 - side, place, 0)
        self.process()

    @rule(seconds=st.sampled_from([5, 60, 700, 1300]))
    def time_passes(self, seconds):
        self.clock.advance(seconds)

    # -- processes ---------------------------------------------------------------------------

    def process(self, **when):
        driver = SimDriver(clock=self.clock, **when)
        try:
            report = self.seed.world.ready(self.seed.pipe, driver).run()
        except SimulatedCrash:
            self.seed.crashes += 1
            self.reached["crash"] += 1
        except (LeaseHeld, FenceStale) as error:
            self.seed.crashes += 1
            self.reached[type(error).__name__] += 1
        else:
            assert sum(report.counts.values()) == report.read, "I7 counts do not add up"
            self.seed.look(report)
            self.reached["run"] += 1

    @rule()
    def a_worker_runs(self):
        self.process()

    @rule(effect=st.integers(1, 70), when=st.sampled_from(["crash_before", "crash_after"]))
    def a_worker_dies(self, effect, when):
        self.process(**{when: effect})

    @rule(side=SIDES, expires=st.booleans())
    def two_workers_run(self, side, expires):
        """A second worker begins while the first one waits for an answer, perhaps until its lease has ended."""

        def once(_, end=self.ends[side]):
            end.meanwhile = _calm
            self.clock.advance(700 if expires and self.seed.conditional else 1)
            self.process()

        self.ends[side].meanwhile = once
        self.process()
        self.ends[side].meanwhile = _calm

    # -- what must hold ------------------------------------------------------------------------

    @invariant()
    def nothing_is_lost_or_doubled_meanwhile(self):
        self.seed.made_once()
        self.seed.nothing_covered()
        self.seed.no_twins()

    @rule()
    def a_clean_sync(self):
        """With all troubles gone, the next runs bring everything into step, and then nothing is written."""
        for end in self.ends:
            end.single = _calm
            end._next.clear()
        for _ in range(5):
            self.seed.look(self.seed.world.run(self.seed.pipe, after=1300))
        self.seed.judge(self.pairs, self.marks, self.seed.crashes - self.deaths)
        self.mark()
        self.reached["clean sync"] += 1

    def teardown(self):
        if hasattr(self, "seed"):
            self.a_clean_sync()
            for end in self.ends:
                self.reached.update(fault.name for fault in end.fired)


def _calm(_):
    """Let nothing go wrong."""


def lived(machine, **how):
    """Let a machine make up histories until it finds one that breaks an invariant, or has made up enough."""
    chosen = {"max_examples": HISTORIES, "stateful_step_count": STEPS, **how}
    checks = list(HealthCheck)
    run_state_machine_as_test(
        machine,
        settings=settings(deadline=None, derandomize=not DEEP, database=None, suppress_health_check=checks, **chosen),
    )


def test_no_history_breaks_an_invariant(worlds, promises, record_property):
    reached: ClassVar = Counter[str]()
    given = {"worlds": staticmethod(worlds), "promises": staticmethod(promises), "reached": reached}
    rows = ["new", "edit", "clear", "delete", "merge", "crash", "LeaseHeld", "FenceStale", "run", "clean sync"]
    rows += [fault.name for fault in (*WHOLE, Fault.LATE, Fault.BUSY, Fault.REJECTED)]
    lived(type("Life", (Life,), given))
    record_property("histories", reached["history"])
    # What Hypothesis draws first hangs on the text of the modules that are loaded, and may pass a fault over.
    for number in range(5):
        if not all(reached[row] for row in rows):
            lived(seed(number)(type("Life", (Life,), given)), max_examples=50)
    for row in rows:
        print(f"{reached[row]:8} {row}")
    assert [row for row in rows if not reached[row]] == []


class Amnesia(MemoryStore):
    """Keeps no promise: what was sent and not answered is forgotten."""

    def commit(self, pipeline, delta, fence):
        super().commit(pipeline, attrs.evolve(delta, promised=()), fence)


def test_a_store_that_keeps_no_promise_is_found_out(worlds, promises):
    class Forgetting(Life):
        @initialize(number=st.integers(0, 100_000))
        def begin(self, number):
            Life.begin(self, number)
            self.seed.world.store = Amnesia()

    given = {"worlds": staticmethod(worlds), "promises": staticmethod(promises), "reached": Counter()}
    with pytest.raises((AssertionError, BaseExceptionGroup)):  # of several faults Hypothesis makes a group
        lived(type("Forgetting", (Forgetting,), given), phases=[Phase.generate])
