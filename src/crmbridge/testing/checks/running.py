"""The laws of a pipeline: a plan promises nothing, every input is accounted for, and what is in step stays as it is."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import count

import attrs

from ...model import Disposition
from ...pipeline import Pipeline
from ...report import Report
from ...wording import say
from ._law import Law, NotClaimed, law, require

_AT_REST = 5
"""Runs after which nothing may be left to write, each after `interval`."""


@attrs.frozen
class PipelineUnderTest:
    """A pipeline between two systems, ready to run, and what happens around it."""

    pipeline: Pipeline
    """With a store (`remember`) and a driver (`using`)."""
    change: Callable[[int], object]
    """Let a person do the nth thing at one of the systems; the first ones make records."""
    writes: Callable[[], int]
    """Count the writes to both systems so far."""
    wait: Callable[[dt.timedelta], object]
    """Let time pass."""
    interval: dt.timedelta = dt.timedelta(minutes=20)
    """Between two runs: longer than every lag of both systems."""
    state: Callable[[], object] | None = None
    """What both systems hold, in a form that does not depend on ids or on the order of writes."""
    dying: Callable[[int], bool] | None = None
    """Run a process that dies at its nth effect; says whether it did."""
    changes: int = 3
    """How many things a person does."""

    def run(self) -> Report:
        """Let time pass, and run."""
        self.wait(self.interval)
        return self.pipeline.run()

    def live(self) -> None:
        """Let everything happen that happens here."""
        for n in range(self.changes):
            self.change(n)
        self.wait(self.interval)

    def rest(self) -> None:
        """Run until all that waited has had its time: what was lost is looked for, and what was in doubt is settled."""
        for _ in range(_AT_REST):
            self.run()


Making = Callable[[], PipelineUnderTest]
"""Makes a pipeline between two systems that nothing has happened to; called anew wherever a law begins anew."""


@law
def a_plan_writes_nothing(make: Making) -> None:
    """A plan says what a run would do, and writes nothing to either system."""
    on = make()
    on.live()
    before = on.writes()
    for _ in range(2):
        on.pipeline.plan()
    require(on.writes() == before, f"planning wrote {on.writes() - before} times")


@law
def a_run_does_what_its_plan_said(make: Making) -> None:
    """Where nothing happens between plan and run, the run does what the plan said; what the plan found unchanged is done."""
    on = make()
    on.live()
    plan = on.pipeline.plan()
    before = on.writes()
    report = on.pipeline.run()
    planned = {ended: number for ended, number in plan.totals.by_disposition.items() if number}
    done = {ended: number for ended, number in report.counts.items() if number}
    kept = Disposition.UNCHANGED
    # What a plan reads and finds unchanged waits for no run; what it queued, the run may find unchanged itself.
    same = planned.pop(kept, 0) >= done.pop(kept, 0) and planned == done
    require(same, f"the plan counted {_told(plan.totals.by_disposition)}, and the run {_told(report.counts)}")
    foretold, written = sum(plan.totals.writes.values()), on.writes() - before
    require(foretold == written, f"the plan foretold {foretold} writes, and the run made {written}")


@law
def something_crosses(make: Making) -> None:
    """What a person does at one system is written at the other, or the trial has proved nothing."""
    on = make()
    on.live()
    before = on.writes()
    on.run()
    require(on.writes() > before, "a person made records, and a run wrote nothing")


@law
def what_is_in_step_is_not_written(make: Making) -> None:
    """Soon after the last edit there is a run that writes nothing, and no later one writes either."""
    on = make()
    on.live()
    on.rest()
    before = on.writes()
    on.run()
    require(on.writes() == before, f"everything was in step, and a run wrote {on.writes() - before} times")


@law
def counts_add_up(make: Making) -> None:
    """Counts add up to what was read, and each input ends as exactly one disposition."""
    on = make()
    for n in range(on.changes):
        on.change(n)
        report = on.run()
        total = sum(report.counts.values())
        require(total == report.read, f"{report.read} records were read, and {total} are accounted for")
        rows = list(report.rows())
        by = Counter(row.disposition for row in rows)
        # Of what stayed as it was no row need be kept: there are millions of them.
        missing = [ended for ended, number in report.counts.items() if by[ended] != number and ended != "unchanged"]
        require(not missing, f"the report counts {_told(report.counts)}, and its rows are {_told(by)}")
        twice = [ref for ref, number in Counter(row.ref for row in rows).items() if number > 1]
        require(not twice, f"{twice[:1]} ended twice in one run")


@law
def every_decision_has_a_reason(make: Making) -> None:
    """Every decision has a reason that can be said in English and in Japanese."""
    on = make()
    on.live()
    for row in on.run().rows():
        for language in ("en", "ja"):
            require(say(row.because, language).strip(), f"{row.ref} ended as {row.disposition} without a word of why")


@law
def a_run_that_dies_is_finished_by_the_next(make: Making) -> None:
    """A run that dies at any effect leaves what the next runs finish: both systems end as if it had not died."""
    whole = make()
    if whole.dying is None or whole.state is None:
        raise NotClaimed("dying", "no process can die here: give PipelineUnderTest(dying=..., state=...)")
    whole.live()
    whole.rest()
    expected = whole.state()
    for effect in count(1):
        on = make()
        on.live()
        if on.dying is None or on.state is None or not on.dying(effect):
            return
        on.rest()
        require(on.state() == expected, f"a run that died at effect {effect} was not finished by the next ones")


def _told(counts: Mapping[Disposition, int]) -> str:
    return ", ".join(f"{number} {ended.value}" for ended, number in sorted(counts.items()) if number) or "nothing"


RUNNING: tuple[Law[Making], ...] = (
    a_plan_writes_nothing,
    a_run_does_what_its_plan_said,
    something_crosses,
    what_is_in_step_is_not_written,
    counts_add_up,
    every_decision_has_a_reason,
    a_run_that_dies_is_finished_by_the_next,
)
