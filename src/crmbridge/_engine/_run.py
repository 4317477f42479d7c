"""One run: what it must know, and how it writes down what changes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import ParamSpec, TypeVar

import attrs

from ..check import Finding, drift, hint, refuses, routes, unknown
from ..definition import Definition
from ..errors import PairError
from ..flow import Flow, call
from ..given import Reference
from ..model import LEFT, RIGHT, SIDES, Capabilities, Disposition, Link, RecordRef, Schema, Side, Values
from ..plan import Move, PairedField, Pairing, State, moves, pairing
from ..protocols import Clock, Event, Observer
from ..reasons import Fact
from ..roles import Delta, Fence, QueueRow, Ruling, StateStore, StoredSchema
from ._check_references import check_references
from ._drift import refuse_drift
from ._followed import Followed
from ._relinked import Relinked
from ._rules import Again
from ._sums import Sums
from ._tied import Tied
from ._turns import Turns

P = ParamSpec("P")
T = TypeVar("T")

SHORTLY = dt.timedelta(seconds=5)
"""Waits are never shorter: what is held does not come up again in the same breath."""

MAX_ROUNDS = 10
"""Rounds after which a record that never comes to rest is quarantined."""


@attrs.frozen
class Edit:
    """Values that a person gives for one write about a record, by field of the system that is written."""

    values: Values = attrs.field(repr=False)
    by: str


@attrs.define(eq=False)
class Run:
    """What one run or plan works with; it lives as long as the lease."""

    definition: Definition
    store: StateStore
    clock: Clock
    id: str
    fence: Fence
    planning: bool = False
    approved: str | None = None
    """The plan whose decisions alone may be carried out."""
    observer: Observer | None = None
    schemas: dict[tuple[Side, str], Schema] = attrs.field(factory=lambda: dict[tuple[Side, str], Schema]())
    enabled_since: dt.datetime | None = None
    """Of a pipeline of events: since when its events count; None: it is off."""
    rulings: dict[RecordRef, Ruling] = attrs.field(factory=lambda: dict[RecordRef, Ruling]())
    """What people ruled about the records of this batch."""
    sharing: dict[RecordRef, tuple[Link, ...]] = attrs.field(factory=lambda: dict[RecordRef, tuple[Link, ...]]())
    """Of right records that may be shared: the live links of each."""
    fresh: bool = False
    """The first reading has not ended yet: our own marks are looked for."""
    lost: bool = False
    """It met its own marks with an empty store: it fills blanks, disputes the rest and makes nothing."""
    again: Again | None = None
    """How its rules differ from those of the last run, where they do."""
    unsettled_rules: bool = False
    """No run has worked off yet what its rules brought up."""
    starts: Turns | None = None
    """What a pacing counts: starts, and the turns of those who wait; None: not read yet."""
    followed: Followed = attrs.field(factory=Followed)
    """Where the references of this batch lead."""
    taken: Tied = attrs.field(factory=Tied)
    """While planning: the records that the plan ties, since no link says so yet."""
    upcoming: dict[str, tuple[Definition, str]] = attrs.field(factory=lambda: dict[str, tuple[Definition, str]]())
    """While planning: plans of parents' pipelines, by their names, whose records are not made yet."""
    woken: set[tuple[Side, RecordRef]] = attrs.field(factory=lambda: set[tuple[Side, RecordRef]]())
    """Records whose parent came up in this run: each is woken once."""
    parts: dict[str, None] = attrs.field(factory=lambda: dict[str, None]())
    """The runs inside this one, in which parents were made, in order."""
    edits: Mapping[RecordRef, Edit] = attrs.field(factory=lambda: dict[RecordRef, Edit]())
    """What people gave for the writes of this run, by the record that is sent."""
    relinked: Relinked = attrs.field(factory=Relinked)
    """How links will be that follow their records: of the batch at hand, while planning of the whole plan."""
    recovered: set[RecordRef] = attrs.field(factory=lambda: set[RecordRef]())
    """Records for which this run has found a write that it, or an earlier run, had no answer to."""
    doubts: bool = False
    """Intents in doubt are known of: they are settled as they become due."""
    ahead: dict[Side, dt.timedelta] = attrs.field(factory=lambda: dict[Side, dt.timedelta]())
    """How far a system's clock is ahead of ours, by its latest answer."""
    sums: Sums = attrs.field(factory=Sums)
    """What it comes to so far: what a plan says, or what a run under guards has promised."""
    overruled: bool = False
    """A person has seen what the guards say, and runs it all the same."""
    read: int = 0
    """Input records that were settled at ingest, without a decision."""
    settled: dict[Disposition, int] = attrs.field(factory=lambda: dict[Disposition, int]())
    findings: list[Finding] = attrs.field(factory=lambda: list[Finding]())
    """What has changed in a schema and concerns a pair."""
    _tied: dt.datetime | None = None
    _pairings: dict[tuple[str, str, str | None], Pairing] = attrs.field(
        factory=lambda: dict[tuple[str, str, str | None], Pairing]()
    )
    _required: dict[tuple[Side, str], frozenset[str]] = attrs.field(
        factory=lambda: dict[tuple[Side, str], frozenset[str]]()
    )
    _able: dict[tuple[Side, str], Capabilities] = attrs.field(factory=lambda: dict[tuple[Side, str], Capabilities]())
    _pointers: dict[tuple[Side, str], Mapping[str, tuple[str, ...]]] = attrs.field(
        factory=lambda: dict[tuple[Side, str], Mapping[str, tuple[str, ...]]]()
    )
    bring: Callable[[Run, Sequence[QueueRow]], Flow[None]] = attrs.field(kw_only=True)
    """Decides about further records, and does it unless this is a plan: how a run inside this one works."""
    references: tuple[Reference, ...] = attrs.field(init=False)
    crossings: tuple[PairedField, ...] = attrs.field(init=False)
    table: Mapping[tuple[State, State], Move] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        makes = {f"makes_{side}": self.definition.creates(side) for side in SIDES}
        self.table = moves(self.definition.deletes, **makes)
        self.references, self.crossings = self.definition.references, self.definition.crossings

    @property
    def name(self) -> str:
        """Name the pipeline."""
        return self.definition.name

    def now(self) -> dt.datetime:
        """Tell the time."""
        return self.clock.now()

    def ties(self) -> dt.datetime:
        """Tell the time of a new link; of records that share one, each is linked at a time of its own."""
        now = self.now()
        if self.definition.shared:
            # A clock may stand still for several of them, and who was linked first may own a field.
            now = now if self._tied is None else max(now, self._tied + dt.timedelta.resolution)
            self._tied = now
        return now

    def saw(self, name: str, **facts: Fact) -> None:
        """Tell whoever observes."""
        if self.observer is not None:
            self.observer.saw(Event(name, facts))

    def judged(self, left: State, right: State, move: Move) -> None:
        """Tell whoever observes which row of the decision table was taken."""
        if self.observer is not None:
            self.saw("judged", left=left.value, right=right.value, move=move.value)

    def ask(self, fn: Callable[P, T], *args: P.args, **named: P.kwargs) -> Flow[T]:
        """Ask the store."""
        return call(lambda: fn(*args, **named))

    def commit(self, delta: Delta) -> Flow[None]:
        """Change the store, all or nothing; raises `FenceStale` where the lease was lost."""
        if delta.decisions or delta.journal:
            delta = attrs.evolve(delta, at=self.now())
        return call(self.store.commit, self.name, delta, self.fence)

    def renewed(self) -> Flow[None]:
        """Prolong the lease when less than half of it is left, so that no write outlives it."""
        now = self.now()
        if self.fence.until - now < self.definition.lease / 2:
            self.fence = yield from call(self.store.leases.renew, self.fence, now, self.definition.lease)

    def count(self, disposition: Disposition, number: int = 1) -> None:
        """Count inputs that ended at ingest."""
        self.read += number
        self.settled[disposition] = self.settled.get(disposition, 0) + number

    # -- what the ends are -----------------------------------------------------------

    def able(self, side: Side, kind: str) -> Capabilities:
        """Tell what a side's connector promises for a kind; it is asked once a run."""
        known = self._able.get((side, kind))
        if known is None:
            known = self._able[side, kind] = self.definition.end(side).capabilities(kind)
        return known

    def fields(self, side: Side, kind: str) -> tuple[str, ...]:
        """Name the fields of a kind that are read for decisions."""
        return self.definition.reads(side, kind)

    def pairing(self, left_kind: str, right_kind: str, case: str | None = None) -> Pairing:
        """Give the pairs worked out for two kinds, and for the case that tied the records."""
        known = self._pairings.get((left_kind, right_kind, case))
        if known is None:
            known = self._pairings[left_kind, right_kind, case] = pairing(
                self.definition.fields_of(case),
                self.schemas[LEFT, left_kind],
                self.schemas[RIGHT, right_kind],
                default=self.definition.default_policy,
                towards_left=self.definition.may_write_left,
                followed=self.followed.across,
            )
        return known

    def required(self, side: Side, kind: str) -> frozenset[str]:
        """Name the fields without which a record of a kind is refused."""
        known = self._required.get((side, kind))
        if known is None:
            specs = self.schemas[side, kind].fields.items()
            known = self._required[side, kind] = frozenset(name for name, spec in specs if spec.required)
        return known

    def pointers(self, side: Side, kind: str) -> Mapping[str, tuple[str, ...]]:
        """Name the fields of a kind that point to records, and the kinds that each may point to."""
        known = self._pointers.get((side, kind))
        if known is None:
            specs = self.schemas[side, kind].fields.items()
            known = self._pointers[side, kind] = {name: spec.refers_to for name, spec in specs if spec.refers_to}
        return known

    def indexed(self, side: Side) -> bool:
        """Say whether counterparts on a side are looked up in the directory rather than by the vendor's search.

        A two-way run reads both sides anyway. A one-way run reads its target only where it must: for keys that are
        normalised, or that the vendor cannot search by.
        """
        if self.definition.topology == "two_way" or side == "left":
            return True
        for kind in self.definition.end(side).kinds:
            finds = self.able(side, kind).finds_by
            for field, by in self.definition.matcher.asks(side, kind):
                if by != "exact" or (field not in finds and not field.startswith("@")):
                    return True
        return False


def prepare(run: Run) -> Flow[None]:
    """Read the schemas that are missing or old, and refuse pairs that cannot work.

    A field may have been added since a schema was kept, so nothing is refused by one that was not read just now.
    """
    fresh = yield from _read(run, run.definition.schema_age)
    refuse_drift(run.name, run.findings)
    try:
        check_pairs(run.definition, run.schemas)
    except PairError:
        fresh |= yield from _read(run, None, but=frozenset(fresh))
        refuse_drift(run.name, run.findings)
        check_pairs(run.definition, run.schemas)
    for finding in run.findings:
        run.saw("drifted", where=finding.where, code=str(finding.because.code), pair=finding.pair)
    if fresh:
        yield from run.commit(Delta(schemas=tuple((side, known) for (side, _), known in fresh.items())))


def _read(
    run: Run, kept: dt.timedelta | None, but: AbstractSet[tuple[Side, str]] = frozenset()
) -> Flow[dict[tuple[Side, str], StoredSchema]]:
    """Take up the schemas of both ends, and give those that were read for it: all that are older than *kept*."""
    fresh: dict[tuple[Side, str], StoredSchema] = {}
    for side in SIDES:
        end = run.definition.end(side)
        for kind in (kind for kind in end.kinds if (side, kind) not in but):
            known = yield from run.ask(run.store.directory.schema, run.name, side, kind)
            if known is None or kept is None or run.now() - known.at > kept:
                schema = yield from end.source.schema(kind)
                if known is not None:
                    run.findings.extend(drift(run.definition, side, known.schema, schema))
                known = fresh[side, kind] = StoredSchema(schema, run.now())
            run.schemas[side, kind] = known.schema
    return fresh


def check_pairs(definition: Definition, schemas: Mapping[tuple[Side, str], Schema]) -> None:
    """Refuse unknown fields and read-only targets; raises `PairError` with what names the field, the rule and the remedy."""
    check_references(definition, schemas)
    for one in unknown(definition, schemas):
        if one.fatal:
            where = f"{definition.end(one.side).system}.{one.kind}"
            near = hint(one.field, schemas[one.side, one.kind])
            raise PairError(
                f"{definition.name}: {one.use.said} names {one.field!r}, and {where} has no such field{near}"
            )
    for route in routes(definition, schemas):
        if refuses(definition, route):
            raise PairError(
                f"{definition.name}: the pair {route.pair.label} would write {route.where}, which {route.system} lets "
                f"nobody write; name it read_only({route.target.name!r}) in the pair, or give the pair the policy "
                f"{route.towards}_always"
            )
