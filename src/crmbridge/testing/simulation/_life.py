"""The life of one seed: people edit, processes run and die, things go wrong; then all is quiet, and the laws are asked."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import attrs
import httpx

from ...definition import Definition
from ...errors import CrmBridgeError, GuardTripped, LeaseHeld
from ...model import SIDES, CreateClass, Link, RecordRef, Side
from ...pipeline import Pipeline
from ...protocols import Event
from ...report import Report
from ..sim import SimDriver, SimulatedCrash
from ._people import usual_deeds
from ._script import Armed, Round, Script, Touch, Work
from ._seats import Change, Seat, Values, seat
from ._world import Breach, Deed, Hands, SimWorld, Trail, trail_of

Build: TypeAlias = "Callable[[SimWorld], Pipeline]"

SETTLING_RUNS = 4
"""Of the quiet ones, one takes over what a dead process left, one settles it, and two bring both sides into step."""

_INSTANT = 0.2
"""Seconds that each request takes, so that edits have times of their own."""


@attrs.define(eq=False)
class Seen:
    """What was reached in a life, and how long it was."""

    reached: Counter[str] = attrs.field(factory=Counter[str])
    operations: int = 0
    crashes: int = 0
    runs: int = 0
    edits: int = 0
    windows: int = 0
    """Edits that fell into the window that a system without conditional writes leaves open."""


@attrs.define(eq=False)
class Marks:
    """How things stood when all was last quiet."""

    ledgers: Mapping[Side, int]
    pairs: frozenset[tuple[RecordRef, RecordRef]] = frozenset()
    rows: Mapping[RecordRef, Mapping[str, object]] = attrs.field(
        factory=dict["RecordRef", "Mapping[str, object]"], repr=False
    )
    crashes: int = 0
    fired: int = 0


class Life:
    """One world with its script; `lived` gives the laws that were broken, at the first quiet that broke one."""

    def __init__(self, build: Build, world: SimWorld, laws: Callable[[Life, Marks], Sequence[Breach]]) -> None:
        self.world = world
        self.seen = Seen()
        self.story: list[str] = []
        self._build = build
        self._laws = laws
        self.definition: Definition = build(world).definition
        self.seats: Mapping[Side, Seat] = {
            "left": seat(self.definition.left.system, world.left, world.left_faults),
            "right": seat(self.definition.right.system, world.right, world.right_faults),
        }
        self.trail: Trail = world.trail or trail_of(self.definition, self.seats)
        self.hands = Hands(self.seats, self.definition, world)
        self.deeds: Sequence[Deed] = world.deeds or usual_deeds(self.definition, self.seats, self.trail)
        self.stamps: Mapping[Side, list[int]] = {"left": [], "right": []}
        """For each line of a ledger, how many requests had come in when it was written."""
        self.quiet_runs: list[Report] = []
        self.struck: list[tuple[Armed, ...]] = []
        """By round, what came true, each at its occasion."""
        self._trace = hashlib.sha256()
        self._during: list[tuple[int, Touch]] = []
        self._busy = False
        self._seed = 0
        self._pause = self._long()
        for one in self.seats.values():
            one.overhear(self._overheard)

    @property
    def trace(self) -> str:
        """Give a hash of every request, every change and every report, in order."""
        return self._trace.hexdigest()

    def lived(self, script: Script) -> Sequence[Breach]:
        """Live, and give what was broken."""
        self._seed = script.seed
        begin = self.world.begin or (Pipeline.enable if self.definition.topology == "events" else None)
        if begin is not None:
            begin(self._pipeline(SimDriver(clock=self.world.clock, store=self.world.store)))
        marks = self.mark()
        for one in script.rounds:
            broken = [*self._troubled(one), *self._quiet(marks)]
            self._note(str(self.world.clock.now()))
            if broken:
                return broken
            marks = self.mark()
        return ()

    # -- trouble ---------------------------------------------------------------------------

    def _troubled(self, one: Round) -> Sequence[Breach]:
        for side in SIDES:
            faults = [armed for armed in one.faults if armed.side == side]
            self.seats[side].arm(faults, random.Random(f"faults {self._seed} {side}"))
        broken: list[Breach] = []
        for step in one.steps:
            if isinstance(step, Touch):
                self.touch(step)
            else:
                broken += self._worked(step)
        self.struck.append(
            tuple(
                Armed(side, fault, at=occasion, way=way)
                for side in SIDES
                for fault, occasion, way in self.seats[side].struck
            )
        )
        for side in SIDES:
            self.seats[side].arm((), random.Random(0))
        return broken

    def touch(self, step: Touch) -> None:
        """Let a person do one thing."""
        self.hands.chance = random.Random(f"touch {self._seed} {step.number}")
        weights = [deed.weight for deed in self.deeds]
        self._stamp()
        for deed in self.hands.chance.choices(self.deeds, weights, k=5):
            if deed.do(self.hands):
                break
        self._stamp()
        self.seen.edits += 1
        self.story += [f"meanwhile {what}" for what in self.hands.told] if self._busy else self.hands.told
        self.hands.told.clear()

    def _worked(self, step: Work) -> Sequence[Breach]:
        self.world.clock.advance(step.pause)
        when = {} if step.dies is None else {str(step.dies[0]): step.dies[1]}
        self._during = list(step.during)
        fired = {side: Counter(self.seats[side].fired) for side in SIDES}
        driver = self._driver(step.number, **when)
        ended = "ends"
        broken: Sequence[Breach] = ()
        try:
            _ = self.run(driver, quiet=False)
        except SimulatedCrash:
            ended = f"dies {str(when).strip('{}')}".replace("'", "").replace("crash_", "").replace(":", " effect")
            self.seen.crashes += 1
            self.seen.reached.update(name.replace("_", " ") for name in when)
        except LeaseHeld:
            ended = "finds that another has not ended"
            self.seen.reached["lease held"] += 1
        except CrmBridgeError as error:
            ended = f"gives up: {type(error).__name__}"
        except Exception as error:  # noqa: BLE001 - any other error is what a simulation looks for
            ended = f"breaks: {type(error).__name__}"
            broken = (Breach("I13", f"a run broke with {type(error).__name__}: {error}"),)
        met = [
            f"{fault} at {self.seats[side].system}" + (f", {count} times" if count > 1 else "")
            for side in SIDES
            for fault, count in (Counter(self.seats[side].fired) - fired[side]).items()
        ]
        self.story.append(f"a process runs and {ended}" + (f"; it meets {', '.join(met)}" if met else ""))
        self._lived(driver)
        return broken

    # -- quiet -----------------------------------------------------------------------------

    def _quiet(self, marks: Marks) -> Sequence[Breach]:
        self.quiet_runs = []
        for last in [False] * SETTLING_RUNS + [True]:
            before = self._writes()
            self.world.clock.advance(self._pause)
            driver = self._driver(0)
            try:
                self.quiet_runs.append(self.run(driver, quiet=True))
            except Exception as error:  # noqa: BLE001 - nothing may fail when all is quiet
                told = f"a quiet run failed with {type(error).__name__}: {error}"
                return (Breach("I12" if isinstance(error, CrmBridgeError) else "I13", told),)
            finally:
                self._lived(driver)
            if last and self._writes() != before:
                return (
                    Breach("I4", "a run after quiet wrote: " + ", ".join(self._written(before))),
                    *self._laws(self, marks),
                )
        return self._laws(self, marks)

    def _writes(self) -> Mapping[Side, tuple[int, int]]:
        return {side: (len(self.ours(side)), self.seats[side].attempts) for side in SIDES}

    def _written(self, before: Mapping[Side, tuple[int, int]]) -> list[str]:
        found = [f"{one.verb} {one.ref}" for side in SIDES for one in self.ours(side)[before[side][0] :]]
        return found or ["requests that were refused"]

    def ours(self, side: Side) -> list[Change]:
        """Give what we wrote at a side, in order."""
        return [change for change in self.seats[side].ledger() if change.ours]

    # -- one run ---------------------------------------------------------------------------

    def run(self, driver: SimDriver, *, quiet: bool) -> Report:
        """Let one process hand over and run."""
        pipeline = self._pipeline(driver)
        self._busy = not quiet
        try:
            if self.world.deliver is not None:
                self.world.deliver(pipeline, random.Random(f"deliver {self.seen.runs}"), quiet)
            report = pipeline.run() if self.definition.left.tells else pipeline.drain()
        except GuardTripped:
            if not quiet:
                raise
            # Once all is quiet, a person looks at what a guard holds, and approves of it.
            self.seen.reached["approved by a person"] += 1
            report = pipeline.run(pipeline.plan())
        finally:
            self._busy = False
        self.seen.reached.update({str(ended): count for ended, count in report.counts.items() if count})
        self._note(f"{report.run} {report.read} {sorted(report.counts.items())}")
        return report

    def saw(self, event: Event) -> None:
        """Take note of which row of the decision table was taken."""
        if event.name == "judged":
            facts = event.facts
            self.seen.reached[f"{facts['left']} | {facts['right']}: {facts['move']}"] += 1

    def _pipeline(self, driver: SimDriver) -> Pipeline:
        return self._build(self.world).remember(self.world.store).observed(self).using(driver)

    def _driver(self, seed: int, **when: int) -> SimDriver:
        served = {address: _Overhearing(transport, self) for address, transport in self.world.transports.items()}
        return SimDriver(
            seed, clock=self.world.clock, transports=served, store=self.world.store,
            crash_before=when.get("crash_before"), crash_after=when.get("crash_after"),
        )  # fmt: skip

    def _lived(self, driver: SimDriver) -> None:
        self._during.clear()
        self._stamp()
        self.seen.operations += driver.effects
        self.seen.runs += 1

    def asked(self, request: httpx.Request) -> None:
        """Take note of a request that is about to be served over HTTP."""
        self._note(f"{request.method} {request.url} ")
        self._trace.update(request.content)
        self._overheard()

    def _overheard(self) -> None:
        """Before a request is served: time passes, and people may do something."""
        self.world.clock.advance(_INSTANT)
        self._stamp()
        if not self._busy:
            return
        self._during = [(left - 1, touch) for left, touch in self._during]
        due = [touch for left, touch in self._during if left <= 0]
        self._during = [(left, touch) for left, touch in self._during if left > 0]
        for touch in due:
            self.touch(touch)

    def _stamp(self) -> None:
        for side in SIDES:
            known, ledger = self.stamps[side], self.seats[side].ledger()
            for change in ledger[len(known) :]:
                self._note(f"{side} {change.verb} {change.ref} {sorted(change.values.items(), key=str)} {change.ours}")
            known += [self.seats[side].arrived] * (len(ledger) - len(known))

    def _note(self, what: str) -> None:
        self._trace.update(what.encode("utf-8", "backslashreplace"))

    def _long(self) -> float:
        """Give a time after which nothing is under way, no lease holds, and every reading and search is fresh."""
        able = [end.capabilities(kind) for end in (self.definition.left, self.definition.right) for kind in end.kinds]
        waits = [max(one.settles_in + one.index_lag, one.overlap, one.read_lag) for one in able]
        return (max([*waits, self.definition.lease, self.definition.delay]) + dt.timedelta(minutes=1)).total_seconds()

    # -- who belongs to whom -----------------------------------------------------------------

    def mark(self) -> Marks:
        """Remember how things stand."""
        rows: dict[RecordRef, Mapping[str, object]] = {}
        for side in SIDES:
            for ref in self.records(side):
                rows[ref] = dict(self.seats[side].rows(ref.kind)[ref.id])
        return Marks(
            {side: len(self.seats[side].ledger()) for side in SIDES},
            frozenset((link.left, link.right) for link in self.tied()),
            rows,
            self.seen.crashes,
            sum(self.seats[side].fired.total() for side in SIDES),
        )

    def tied(self) -> list[Link]:
        """Give the live links that nothing holds back."""
        parked = self.parked()
        every = self.world.store.links.all(self.definition.name)
        return [link for link in every if link.closed is None and not parked & {link.left, link.right}]

    def parked(self) -> frozenset[RecordRef]:
        """Name the records that wait for time or a person."""
        return frozenset(row.ref for row in self.world.store.quarantine.rows(self.definition.name, None))

    def records(self, side: Side) -> list[RecordRef]:
        """Name the records that are there, as the connector sees it."""
        return self.hands.every(side) if self.definition.end(side).reads else []

    def row(self, side: Side, ref: RecordRef) -> Values | None:
        """Give what a record holds, if it is there as the connector sees it."""
        row = self.seats[side].rows(ref.kind).get(ref.id)
        return row if row is not None and self.world.live(side, ref.kind, row) else None

    def classes(self) -> Mapping[Side, CreateClass | None]:
        """Tell by side in which class new records are made."""
        found: dict[Side, CreateClass | None] = {}
        for side in SIDES:
            end = self.definition.end(side)
            found[side] = end.capabilities(end.new).creates if end.new else None
        return found


class _Overhearing(httpx.BaseTransport):
    """A transport that tells of each request before it is served."""

    def __init__(self, inner: httpx.BaseTransport, life: Life) -> None:
        self._inner = inner
        self._life = life

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Tell, then serve."""
        self._life.asked(request)
        return self._inner.handle_request(request)
