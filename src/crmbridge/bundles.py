"""Bundles: pipelines that refer to each other, run as one, parents first."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Self, TypeVar, overload

import attrs

from ._engine.checking import check
from ._engine.sweep import Swept
from ._named import records
from .check import Finding, rings
from .errors import BundleFailed, CrmBridgeError, ForgedDelivery, RunFailed, UsageError
from .explaining import explained
from .flow import Flow, call
from .model import Decision, Delivery, Disposition, RecordRef, Totals
from .pipeline import Pipeline
from .protocols import Clock
from .references import parents_of
from .report import Plan, Report, counts
from .roles import JournalRow, StateStore
from .wording import Language

if TYPE_CHECKING:
    import datetime as dt

    from .drive import AsyncDriver, Driver
    from .reasons import Reason

T = TypeVar("T")


@attrs.frozen
class _Parts(ABC):
    @property
    @abstractmethod
    def _named(self) -> Iterable[tuple[str, Plan | Report]]: ...

    @property
    def _each(self) -> Sequence[Plan | Report]:
        return [part for _, part in self._named]

    def rows(self, disposition: Disposition | None = None) -> Iterator[Decision]:
        """Give the decisions, pipeline by pipeline, of one disposition or of all."""
        for part in self._each:
            yield from part.rows(disposition)

    def __str__(self) -> str:
        return self.say()

    def say(self, language: Language = "en", *, samples: int = 3) -> str:
        """Show each pipeline as it shows itself, parents first, and the sums at the end."""
        told = [part.say(language, samples=samples) for part in self._each]
        return "\n".join([*told, *self._sums(language)])

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Give what each plan or report found, its place led by the pipeline's name."""
        return tuple(
            attrs.evolve(one, where=f"{name}: {one.where}") for name, part in self._named for one in part.findings
        )

    @abstractmethod
    def _sums(self, language: Language) -> list[str]: ...


@attrs.frozen
class BundlePlan(_Parts):
    """What a run of a bundle would do. It promises nothing."""

    plans: Mapping[str, Plan]
    """By the name of the pipeline, parents first."""

    @property
    def _named(self) -> Iterable[tuple[str, Plan]]:
        return self.plans.items()

    @property
    def objection(self) -> Reason | None:
        """Tell what a guard says first against any of the plans; a run of them overrules it."""
        return next((found for plan in self.plans.values() if (found := plan.objection) is not None), None)

    @property
    def totals(self) -> Totals:
        """Count all pipelines together."""
        every = [plan.totals for plan in self.plans.values()]
        writes: dict[tuple[str, str], int] = {}
        for one in every:
            for key, count in one.writes.items():
                writes[key] = writes.get(key, 0) + count
        return Totals(
            sum(one.read for one in every),
            sum(one.links for one in every),
            _summed(one.by_disposition for one in every),
            writes,
            sum(one.blanks for one in every),
            sum(one.gone for one in every),
        )

    def _sums(self, language: Language) -> list[str]:
        return [
            _ALL[language].format(read=self.totals.read),
            *counts(self.totals.by_disposition, language, planned=True),
        ]


@attrs.frozen
class BundleReport(_Parts):
    """What a run of a bundle did. Counts add up to what was read, by pipeline and in all."""

    reports: Mapping[str, Report]
    """By the name of the pipeline, parents first; one that could not be run is left out."""

    @property
    def _named(self) -> Iterable[tuple[str, Report]]:
        return self.reports.items()

    @property
    def state_lost(self) -> bool:
        """Say whether any of the pipelines has lost its memory, and waits to be adopted."""
        return any(report.state_lost for report in self.reports.values())

    @property
    def read(self) -> int:
        """Count what all pipelines read."""
        return sum(report.read for report in self.reports.values())

    @property
    def counts(self) -> Mapping[Disposition, int]:
        """Count how the records of all pipelines ended."""
        return _summed(report.counts for report in self.reports.values())

    @property
    def writes(self) -> int:
        """Count the records that ended as applied, as `Report.writes` does."""
        return self.counts.get(Disposition.APPLIED, 0)

    def _sums(self, language: Language) -> list[str]:
        return [_ALL[language].format(read=self.read), *counts(self.counts, language)]

    def duplicates(self) -> Iterator[Decision]:
        """Give what `Report.duplicates` gives, pipeline by pipeline."""
        for report in self.reports.values():
            yield from report.duplicates()

    def raise_for_failures(self) -> Self:
        """Raise `RunFailed` where records were disputed or quarantined; give the report itself where none were."""
        disputed = self.counts.get(Disposition.DISPUTED, 0)
        quarantined = self.counts.get(Disposition.QUARANTINED, 0)
        if disputed or quarantined:
            raise RunFailed(f"{', '.join(self.reports)}: {quarantined} quarantined, {disputed} disputed", self)
        return self


_ALL: Mapping[Language, str] = {"en": "in all: {read:,} records read", "ja": "合計: {read:,} 件を読み込みました"}


def _summed(every: Iterable[Mapping[Disposition, int]]) -> dict[Disposition, int]:
    found = dict.fromkeys(Disposition, 0)
    for one in every:
        for disposition, count in one.items():
            found[disposition] += count
    return found


# -- the bundle itself ------------------------------------------------------------------------


@attrs.frozen
class _Bundled:
    pipelines: tuple[Pipeline, ...]
    """Parents before those that refer to them."""

    @property
    def names(self) -> tuple[str, ...]:
        """Name the pipelines, in the order in which they run."""
        return tuple(pipe.name for pipe in self.pipelines)

    def pipeline(self, name: str) -> Pipeline:
        """Give one pipeline, for what concerns it alone: undoing, rulings, retries, enabling; raises `UsageError`."""
        for pipe in self.pipelines:
            if pipe.name == name:
                return pipe
        raise UsageError(f"no pipeline {name!r} in this bundle; there are {', '.join(self.names)}")

    def remember(self, store: StateStore) -> Self:
        """Keep what must be remembered of all pipelines in this store."""
        return attrs.evolve(self, pipelines=tuple(pipe.remember(store) for pipe in self.pipelines))

    # -- flows: what the verbs of both colours perform ------------------------------------

    def _checked(self) -> Flow[list[Finding]]:
        found: list[Finding] = []
        for pipe in self.pipelines:
            each = yield from check(pipe.definition, pipe.store)
            found.extend(attrs.evolve(finding, where=f"{pipe.name}: {finding.where}") for finding in each)
        return [*found, *rings(pipe.definition for pipe in self.pipelines)]

    def _planned(self, clock: Clock) -> Flow[BundlePlan]:
        upcoming: dict[str, str] = {}
        plans: dict[str, Plan] = {}
        failed: dict[str, CrmBridgeError] = {}
        for pipe in self._able(failed):
            known = [(self.pipeline(name).definition, plan) for name, plan in upcoming.items()]
            try:
                swept = yield from pipe._sweep(clock, planning=True, upcoming=known)
            except CrmBridgeError as error:
                failed[pipe.name] = error
                continue
            upcoming[pipe.name] = swept.id
            plans[pipe.name] = pipe._plan(swept)
        made = BundlePlan(plans)
        self._raise(failed, made)
        return made

    def _swept(self, clock: Clock, plan: BundlePlan | None, *, feed: bool) -> Flow[BundleReport]:
        reports: dict[str, Report] = {}
        failed: dict[str, CrmBridgeError] = {}
        for pipe in self._able(failed):
            if plan is not None and pipe.name not in plan.plans:
                raise UsageError(f"the plan was made without {pipe.name}; make it with the bundle that runs it")
            mine = None if plan is None else plan.plans[pipe.name]
            how: Mapping[str, object] = {} if mine is None else {"approved": mine.id, "overruled": mine.overrules}
            try:
                swept: Swept = yield from pipe._sweep(clock, feed=feed, **how)
            except CrmBridgeError as error:
                failed[pipe.name] = error
                continue
            reports[pipe.name] = pipe._report(swept)
        made = BundleReport(reports)
        self._raise(failed, made)
        return made

    def _able(self, failed: Mapping[str, CrmBridgeError]) -> Iterator[Pipeline]:
        """Give the pipelines one after the other, but none whose parents could not be run."""
        out: set[str] = set()
        for pipe in self.pipelines:
            if out.union(failed).isdisjoint(parents_of(pipe.definition) - {pipe.name}):
                yield pipe
            else:
                out.add(pipe.name)

    def _raise(self, failed: Mapping[str, CrmBridgeError], made: BundlePlan | BundleReport) -> None:
        if failed:
            done = made.plans if isinstance(made, BundlePlan) else made.reports
            left = [name for name in self.names if name not in failed and name not in done]
            raise BundleFailed(failed, left, made)

    def _received(self, delivery: Delivery, now: dt.datetime) -> int:
        """Let each pipeline that opens deliveries open this one: what is genuine for one is stored for that one."""
        listening = [pipe for pipe in self.pipelines if pipe._listeners()]
        if not listening:
            raise UsageError(f"{', '.join(self.names)}: nobody opens deliveries here; name one with listen(...)")
        taken: list[int] = []
        refused: list[ForgedDelivery] = []
        for pipe in listening:
            try:
                taken.append(pipe._received(delivery, now))
            except ForgedDelivery as error:
                refused.append(error)
        if not taken:
            raise refused[0]
        return sum(taken)

    def _why(self, ref: RecordRef, field: str | None) -> Sequence[JournalRow]:
        records(self.pipelines[0].definition, "why()", [ref])
        found = [
            row
            for pipe in self.pipelines
            for row in explained(pipe._stored(), pipe.name, pipe.names, pipe.definition.named(ref), field)
        ]
        return sorted(found, key=lambda row: row.at)


@attrs.frozen
class Bundle(_Bundled):
    """Pipelines that run as one; its verbs block.

    `plan`, `run` and `drain` raise `BundleFailed` at the end where some pipelines could not be planned or run.
    """

    driver: Driver | None = attrs.field(default=None, repr=False)

    @overload
    def using(self, driver: Driver) -> Bundle: ...
    @overload
    def using(self, driver: AsyncDriver) -> AsyncBundle: ...
    def using(self, driver: Driver | AsyncDriver) -> Bundle | AsyncBundle:
        """Perform the verbs with this driver; an `AsyncDriver` gives the same verbs, awaited."""
        from .drive import AsyncDriver

        if isinstance(driver, AsyncDriver):
            return AsyncBundle(self.pipelines, driver=driver)
        return Bundle(tuple(pipe.using(driver) for pipe in self.pipelines), driver)

    def check(self) -> Sequence[Finding]:
        """Name what cannot work, or deserves a second thought, in any of the pipelines; writes nothing."""
        return self._perform(lambda _clock: self._checked())

    def plan(self) -> BundlePlan:
        """Say what a run would do, and why: what refers to a parent that is planned too is planned with it."""
        return self._perform(self._planned)

    def run(self, plan: BundlePlan | None = None) -> BundleReport:
        """Bring all pipelines into step, parents first; with an approved plan, do what it says and nothing else.

        A pipeline that cannot be run stops those that refer to it, and no other; `BundleFailed` says so at the end. Run
        a plan with the store that it was made with: nothing else is looked at. Raises `UsageError` for a plan that was
        made without one of the pipelines.
        """
        return self._perform(lambda clock: self._swept(clock, plan, feed=True))

    def drain(self) -> BundleReport:
        """Take in deliveries and what is due, without asking any system for changes."""
        return self._perform(lambda clock: self._swept(clock, None, feed=False))

    def receive(self, delivery: Delivery) -> int:
        """Open a delivery, store what it brings to any pipeline, and tell how much was new; raises `ForgedDelivery`."""
        return self._received(delivery, self._perform(lambda clock: call(clock.now)))

    def why(self, ref: RecordRef, field: str | None = None) -> Sequence[JournalRow]:
        """Tell what any pipeline wrote to a record or because of it, and why, oldest first.

        `pipeline(name).why(ref)` tells all that one of them knows of it, in words too.
        """
        return self._why(ref, field)

    def _perform(self, make: Callable[[Clock], Flow[T]]) -> T:
        from .drive import Driver

        if self.driver is not None:
            return self.driver.run(make(self.driver.clock), store=self.pipelines[0].store)
        with Driver(self.pipelines[0]._stored()) as driver:
            return driver.run(make(driver.clock))


@attrs.frozen
class AsyncBundle(_Bundled):
    """The same bundle with its verbs awaited."""

    driver: AsyncDriver = attrs.field(kw_only=True, repr=False)

    async def check(self) -> Sequence[Finding]:
        """Name what cannot work, or deserves a second thought, in any of the pipelines; writes nothing."""
        return await self._perform(self._checked())

    async def plan(self) -> BundlePlan:
        """Say what a run would do, and why: what refers to a parent that is planned too is planned with it."""
        return await self._perform(self._planned(self.driver.clock))

    async def run(self, plan: BundlePlan | None = None) -> BundleReport:
        """Bring all pipelines into step, parents first; with an approved plan, do what it says and nothing else."""
        return await self._perform(self._swept(self.driver.clock, plan, feed=True))

    async def drain(self) -> BundleReport:
        """Take in deliveries and what is due, without asking any system for changes."""
        return await self._perform(self._swept(self.driver.clock, None, feed=False))

    async def receive(self, delivery: Delivery) -> int:
        """Open a delivery, store what it brings to any pipeline, and tell how much was new; raises `ForgedDelivery`."""
        return await self._perform(call(self._received, delivery, self.driver.clock.now()))

    async def why(self, ref: RecordRef, field: str | None = None) -> Sequence[JournalRow]:
        """Tell what any pipeline wrote to a record or because of it, and why, oldest first."""
        return await self._perform(call(self._why, ref, field))

    async def _perform(self, flow: Flow[T]) -> T:
        return await self.driver.run(flow, store=self.pipelines[0].store)


def bundle(*pipelines: Pipeline) -> Bundle:
    """Run pipelines as one, parents before those that refer to them; otherwise in the order in which they are named.

    Raises `UsageError` where two have one name, or where they refer to each other in a circle.
    """
    if not pipelines:
        raise UsageError("bundle(): name at least one pipeline")
    named = {pipe.name: pipe for pipe in pipelines}
    if len(named) < len(pipelines):
        raise UsageError("bundle(): two pipelines have one name; what each remembers goes by its name")
    wants = {name: parents_of(pipe.definition) & (named.keys() - {name}) for name, pipe in named.items()}
    try:
        TopologicalSorter(wants).prepare()
    except CycleError as error:
        circle = " → ".join(reversed(error.args[1]))
        raise UsageError(
            f"bundle(): pipelines refer to each other in a circle: {circle}; none could be first"
        ) from None
    ordered: list[str] = []
    while len(ordered) < len(named):
        ordered.append(next(name for name in named if name not in ordered and wants[name] <= set(ordered)))
    return Bundle(tuple(named[name] for name in ordered))
