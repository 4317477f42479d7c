"""What outlives a process in a simulation: two systems, a clock, a store, and the people who edit."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import attrs
import httpx

from ...definition import Definition
from ...errors import PairError
from ...given import Reference
from ...match import AllOf, FirstOf, Level, LevelMatcher
from ...model import SIDES, Cell, FieldType, RecordRef, Side
from ...pipeline import Pipeline
from ...plan import PairedField, ReadOnly
from ...protocols import ID_FIELD, Codec
from ...roles import StateStore
from ...stores import MemoryStore
from ..server import FakeServer
from ..sim import ManualClock
from ._seats import Fake, Seat, Values
from ._values import chosen, counterparts

Rule: TypeAlias = Literal["last", "left", "right"]
"""Whose edit lives on: the last one, or always that of one side."""

Blanks: TypeAlias = Literal["cross", "never_win", "stay"]


_WORD = re.compile(r"w\d{5,}")


@attrs.frozen
class Breach:
    """One law that was broken."""

    law: str
    """As in the table of laws: `I1`, `I4`; a law of one's own has any name."""
    told: str


@attrs.frozen
class Deed:
    """One sort of thing that people do; *do* gives False where there was nothing to do it to."""

    name: str
    do: Callable[[Hands], bool]
    weight: float = 1.0


@attrs.frozen
class Trail:
    """By which fields a copy is known to be one: by kind, a field that holds text and is copied at creation."""

    left: Mapping[str, str]
    right: Mapping[str, str]

    def on(self, side: Side) -> Mapping[str, str]:
        """Give the fields of one side, by kind."""
        return self.left if side == "left" else self.right


@attrs.define(eq=False)
class SimWorld:
    """Two fakes, a clock that both share, and a store; made anew for each seed.

    What is left out is worked out from the pipeline: who edits what (`deeds`), by which field a copy is known (`trail`),
    which faults a fake can show (`left_faults`, `right_faults`: names, or rules as `--faults` takes them; an empty
    tuple: none).
    """

    clock: ManualClock
    left: Fake
    right: Fake
    store: StateStore = attrs.field(factory=MemoryStore)
    deeds: Sequence[Deed] = ()
    trail: Trail | None = None
    left_faults: Sequence[str] | None = None
    right_faults: Sequence[str] | None = None
    live: Callable[[Side, str, Values], bool] = lambda _side, _kind, _row: True
    """Says of a row of a fake whether the record is there, as the connector sees it."""
    wanted: Callable[[Side, str, Values], bool] | None = None
    """Says of a row whether it must have its counterpart once all is quiet; without it, a pipeline that has a gate or
    does not create there demands nothing."""
    begin: Callable[[Pipeline], object] | None = None
    """What is done once, before anything happens; without it, a pipeline of events is enabled."""
    deliver: Callable[[Pipeline, random.Random, bool], object] | None = None
    """Hands deliveries to a pipeline before it runs; the flag says that all is quiet, and everything must arrive."""
    laws: Sequence[Callable[[SimWorld], Sequence[Breach]]] = ()
    """Further laws, asked whenever all is quiet."""
    enough: int | None = None
    """From how many seeds on everything that can be reached must have been reached; None: only each pair of fields,
    from the first seed on."""
    beyond: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """Rows of the report that cannot be reached, and why."""

    @property
    def transports(self) -> dict[str, httpx.BaseTransport]:
        """Give the transports of the fakes that answer over HTTP, by address."""
        served = [fake for fake in (self.left, self.right) if isinstance(fake, FakeServer)]
        return {fake.base_url: fake.transport() for fake in served}


class Hands:
    """What people use to edit: either system, chance, and words that nobody has written before."""

    def __init__(self, seats: Mapping[Side, Seat], definition: Definition, world: SimWorld) -> None:
        self.world = world
        self.definition = definition
        self.chance = random.Random(0)
        self.words: dict[str, RecordRef] = {}
        """Whose each word is: the record that it was written to first."""
        self.told: list[str] = []
        self._seats = seats
        self._last = 0

    def word(self) -> str:
        """Give a word that nobody has written before, so that whose it is can always be told."""
        self._last += 1
        return f"w{self._last:05d}"

    def value(self, side: Side, kind: str, field: str) -> Cell:
        """Give a value that a field takes, and its counterparts, too: a word for text, else one that is chosen by chance."""
        spec = self._seats[side].spec(kind, field)
        if spec is None or spec.type is FieldType.TEXT:
            return self.word()
        if spec.type is FieldType.EMAIL:
            return f"{self.word()}@x.example"
        return chosen(self.chance, spec, counterparts(self.definition, self._seats, side, kind, field))

    def kinds(self, side: Side) -> tuple[str, ...]:
        """Name the kinds of records at one side."""
        return self.definition.end(side).kinds

    def some(self, side: Side, kind: str | None = None) -> RecordRef | None:
        """Choose a record that is there, by chance; None where there is none."""
        found = self.every(side, kind)
        return self.chance.choice(found) if found else None

    def every(self, side: Side, kind: str | None = None) -> list[RecordRef]:
        """Give all records that are there, in a stable order."""
        seat, live = self._seats[side], self.world.live
        return [
            RecordRef(seat.system, one, id)
            for one in ([kind] if kind else self.kinds(side))
            for id, row in seat.rows(one).items()
            if live(side, one, row)
        ]

    def put(self, side: Side, kind: str, **values: Any) -> RecordRef:
        """Make a record."""
        ref = self._seats[side].put(kind, values)
        self._wrote(ref, values, "makes")
        return ref

    def edit(self, side: Side, ref: RecordRef, **values: Any) -> None:
        """Change fields of a record."""
        self._seats[side].edit(ref, values)
        self._wrote(ref, values, "changes")

    def remove(self, side: Side, ref: RecordRef) -> None:
        """Delete a record."""
        self._seats[side].remove(ref)
        self.tell(f"somebody deletes {ref}")

    def wrote(self, ref: RecordRef, values: Values) -> None:
        """Say that a record holds these values by a way of the fake's own."""
        self._wrote(ref, values, "enters")

    def tell(self, what: str) -> None:
        """Say what was done by a way of the fake's own, for the story of a seed."""
        self.told.append(what)

    def _wrote(self, ref: RecordRef, values: Values, verb: str) -> None:
        for value in values.values():
            for word in words_in(value):
                self.words.setdefault(word, ref)
        self.tell(f"somebody {verb} {ref}: " + ", ".join(f"{name}={value}" for name, value in values.items()))


def words_in(value: Any) -> list[str]:
    """Find the words of `Hands.word` in a value, whatever a system made of it."""
    return _WORD.findall(value.casefold()) if isinstance(value, str) else []


# -- what follows from the pipeline ------------------------------------------------------------


@attrs.frozen
class Watched:
    """One pair of fields whose values are judged by what people wrote."""

    pair: PairedField
    rule: Rule
    both: Side | None
    """Whose value lives on where both sides were edited; None: that hangs on when."""
    blanks: Blanks
    via: Codec | None

    def on(self, side: Side, kind: str) -> tuple[str, bool] | None:
        """Tell the field on a side and kind, and whether it may be written."""
        return self.pair.on(side, kind)


_RULES: Mapping[str, tuple[Rule, Side | None]] = {
    "left_wins": ("last", "left"), "right_wins": ("last", "right"), "newest_wins": ("last", None),
    "left_always": ("left", "left"), "right_always": ("right", "right"),
}  # fmt: skip
_BLANKS: Mapping[str, Blanks] = {"filled_beats_blank": "never_win", "never_clear": "stay"}


def watched(definition: Definition) -> tuple[Watched, ...]:
    """Give the pairs whose policy says whose edit lives on; a policy of a user's own says so to nobody else."""
    found: list[Watched] = []
    for pair in definition.fields:
        name = (pair.policy or definition.default_policy).name
        outer, _, inner = name.partition("(")
        blanks = _BLANKS.get(outer, "cross")
        core = inner.rstrip(")").partition("(")[0] if blanks != "cross" else outer
        if core in _RULES and pair.owner is None and (isinstance(pair.left, str | Mapping | ReadOnly)):
            found.append(Watched(pair, *_RULES[core], blanks, None if isinstance(pair.via, Reference) else pair.via))
    return tuple(found)


def key_fields(definition: Definition, side: Side, kind: str) -> tuple[tuple[str, ...], ...]:
    """Give the fields of each clause by which records of a kind are matched; a system's own id is none."""
    if not isinstance(definition.matcher, LevelMatcher):
        return ()
    found: list[tuple[str, ...]] = []
    for level in definition.matcher.levels:
        if not isinstance(level, Level):
            continue
        slots = [
            slot for clause in level.clauses for slot in (clause.slots if isinstance(clause, FirstOf) else (clause,))
        ]
        found += [names for slot in slots if (names := _names(slot, side, kind))]
    return tuple(found)


def _names(clause: AllOf, side: Side, kind: str) -> tuple[str, ...]:
    own = [key.field(side, kind) for key in clause.keys]
    if ID_FIELD in [key.right for key in clause.keys] or None in own:
        return ()
    return tuple(name for name in own if name is not None)


def trail_of(definition: Definition, seats: Mapping[Side, Seat]) -> Trail:
    """Choose the first pair of text fields that both sides can be given and that no record is matched by."""
    left_new, right_new = definition.left.kinds[0], definition.right.new or definition.right.kinds[0]
    keys = {name for names in key_fields(definition, "left", left_new) for name in names}
    for pair in definition.fields:
        on_left, on_right = pair.on("left", left_new), pair.on("right", right_new)
        if on_left is None or on_right is None or not on_right[1] or on_left[0] in keys:
            continue
        if on_left[0] in seats["left"].fields(left_new) and on_right[0] in seats["right"].fields(right_new):
            return Trail(
                {kind: own[0] for kind in definition.left.kinds if (own := pair.on("left", kind))},
                {kind: own[0] for kind in definition.right.kinds if (own := pair.on("right", kind))},
            )
    for pair in definition.fields:
        for side in SIDES:
            _known(definition, seats[side], side, pair)
    raise ValueError(f"{definition.name}: no pair of text fields tells copies apart; give the world a Trail")


def _known(definition: Definition, seat: Seat, side: Side, pair: PairedField) -> None:
    kinds = definition.end(side).kinds
    names = {kind: own[0] for kind in kinds if (own := pair.on(side, kind)) is not None}
    if names and not any(seat.has(kind, name.partition(".")[0]) for kind, name in names.items()):
        kind, name = next(iter(names.items()))
        raise PairError(
            f"{definition.name}: the pair {pair.label} names {name!r}, and {seat.system}.{kind} has no such field"
        )
