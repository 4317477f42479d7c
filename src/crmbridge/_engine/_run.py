"""One run: what it must know, and how it writes down what changes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

import attrs

from ..definition import Definition
from ..errors import PairError
from ..flow import Flow, call
from ..model import LEFT, RIGHT, SIDES, Capabilities, Disposition, FieldSpec, Link, RecordRef, Schema, Side, Values
from ..plan import Move, PairedField, Pairing, State, moves, pairing
from ..protocols import Clock, Event, Observer
from ..reasons import Fact
from ..roles import Delta, Fence, Ruling, StateStore, StoredSchema

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
    taken: set[int] = attrs.field(factory=lambda: set[int]())
    """While planning: hashes of the records that the plan ties, since no link says so yet."""
    edits: Mapping[RecordRef, Edit] = attrs.field(factory=lambda: dict[RecordRef, Edit]())
    """What people gave for the writes of this run, by the record that is sent."""
    closing: dict[str, Link] = attrs.field(factory=lambda: dict[str, Link]())
    """While planning: links by id, as they will be once the plan has closed them."""
    doubts: bool = False
    """Intents in doubt are known of: they are settled as they become due."""
    blanks: int = 0
    """Filled fields that this run has emptied, or is about to."""
    read: int = 0
    """Input records that were settled at ingest, without a decision."""
    settled: dict[Disposition, int] = attrs.field(factory=lambda: dict[Disposition, int]())
    _pairings: dict[tuple[str, str], Pairing] = attrs.field(factory=lambda: dict[tuple[str, str], Pairing]())
    table: Mapping[tuple[State, State], Move] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.table = moves(self.definition.deletes)

    @property
    def name(self) -> str:
        """Name the pipeline."""
        return self.definition.name

    def now(self) -> dt.datetime:
        """Tell the time."""
        return self.clock.now()

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
        """Tell what a side's connector promises for a kind."""
        return self.definition.end(side).capabilities(kind)

    def fields(self, side: Side, kind: str) -> tuple[str, ...]:
        """Name the fields of a kind that are read for decisions."""
        return self.definition.reads(side, kind)

    def pairing(self, left_kind: str, right_kind: str) -> Pairing:
        """Give the pairs worked out for two kinds."""
        known = self._pairings.get((left_kind, right_kind))
        if known is None:
            known = self._pairings[left_kind, right_kind] = pairing(
                self.definition.fields,
                self.schemas[LEFT, left_kind],
                self.schemas[RIGHT, right_kind],
                default=self.definition.default_policy,
                towards_left=self.definition.may_write_left,
            )
        return known

    def required(self, side: Side, kind: str) -> frozenset[str]:
        """Name the fields without which a record of a kind is refused."""
        return frozenset(name for name, spec in self.schemas[side, kind].fields.items() if spec.required)

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
    """Read the schemas that are missing or old, and refuse pairs that cannot work."""
    fresh: list[tuple[Side, StoredSchema]] = []
    for side in SIDES:
        end = run.definition.end(side)
        for kind in end.kinds:
            known = yield from run.ask(run.store.directory.schema, run.name, side, kind)
            if known is None or run.now() - known.at > run.definition.schema_age:
                schema = yield from end.connector.schema(kind)
                known = StoredSchema(schema, run.now())
                fresh.append((side, known))
            run.schemas[side, kind] = known.schema
    check_pairs(run.definition, run.schemas)
    if fresh:
        yield from run.commit(Delta(schemas=tuple(fresh)))


def check_pairs(definition: Definition, schemas: Mapping[tuple[Side, str], Schema]) -> None:
    """Refuse unknown fields and read-only targets; raises `PairError` with both fields, the rule and the remedy."""
    for pair in definition.fields:
        for side in SIDES:
            end = definition.end(side)
            for kind in end.kinds:
                for name in pair.reads(side, kind):
                    if name not in schemas[side, kind].fields:
                        raise PairError(_unknown(definition, pair, end.system, kind, name, schemas[side, kind]))
        for kind in definition.right.kinds:
            _check_target(definition, pair, "right", kind, schemas)
        if definition.topology == "two_way" and definition.left.kinds:
            for kind in definition.left.kinds:
                _check_target(definition, pair, "left", kind, schemas)


def _check_target(
    definition: Definition,
    pair: PairedField,
    side: Side,
    kind: str,
    schemas: Mapping[tuple[Side, str], Schema],
) -> None:
    named = pair.on(side, kind)
    if named is None or not named[1]:
        return
    spec: FieldSpec = schemas[side, kind].fields[named[0]]
    if not spec.read_only:
        return
    policy = pair.policy or definition.default_policy
    master = {"left": "left_always", "right": "right_always"}[side]
    if master in policy.name or "only_on_create" in policy.name:
        return
    system = definition.end(side).system
    raise PairError(
        f"{definition.name}: the pair {pair.label} would write {system}.{kind}.{spec.name}, which {system} lets nobody "
        f"write; name it read_only({spec.name!r}) in the pair, or give the pair the policy {master}"
    )


def _unknown(definition: Definition, pair: PairedField, system: str, kind: str, name: str, schema: Schema) -> str:
    import difflib

    near = difflib.get_close_matches(name, schema.fields, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{definition.name}: the pair {pair.label} names {name!r}, and {system}.{kind} has no such field{hint}"
