"""What a pipeline should do, as a value: two ends and the rules between them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

import attrs

from .errors import CapabilityError, PairError, UsageError
from .given import Reference, columns, references
from .match import LevelMatcher
from .plan import Deletes, PairedField, label
from .preflight import reject

if TYPE_CHECKING:
    from .cases import Case
    from .model import Capabilities, RecordRef, Side, Totals
    from .pacing import Pacing
    from .protocols import (
        FieldPolicy,
        Gate,
        Guard,
        IdReader,
        Listener,
        Matcher,
        Moment,
        Notifier,
        Sink,
        Source,
        Towards,
    )
    from .reasons import Reason

Topology: TypeAlias = Literal["one_way", "two_way", "events"]


@attrs.frozen
class End:
    """One side of a pipeline: a connector, its kinds in the order in which they are tried, and the kind of new records."""

    connector: Source | Sink
    kinds: tuple[str, ...]
    new: str | None = None

    @property
    def system(self) -> str:
        """Name the system."""
        return self.connector.system

    @property
    def source(self) -> Source:
        """Read from this end; what is no flow is refused by the names of system and verb."""
        # Every program that says what a pipeline should do waits for this module, and only a run needs that one.
        from ._flowing import Flowing

        return Flowing(self.connector)

    @property
    def sink(self) -> Sink:
        """Write to this end; what is no flow is refused by the names of system and verb."""
        from ._flowing import Flowing

        return Flowing(self.connector)

    @property
    def reads(self) -> bool:
        """Say whether this end can be read by id."""
        return hasattr(self.connector, "fetch")

    @property
    def tells(self) -> bool:
        """Say whether this end has a feed; one that has none is known by what it delivers."""
        return hasattr(self.connector, "read")

    def read_id(self, kind: str, text: str) -> str:
        """Give an id that a person wrote in the form in which records of this end have it."""
        return cast("IdReader", self.connector).read_id(kind, text) if hasattr(self.connector, "read_id") else text

    def capabilities(self, kind: str) -> Capabilities:
        """Tell what the connector promises for a kind."""
        return self.connector.capabilities(kind)


@attrs.frozen
class PlacedGate:
    """A gate, the moment at which it is asked, towards which side it holds, and whose record it looks at."""

    gate: Gate
    moment: Moment = "writing"
    towards: Towards = "both"
    of: Side = "left"

    def holds(self, moment: Moment, towards: Side) -> bool:
        """Say whether this gate is asked at a moment, towards a side."""
        return self.moment == moment and self.towards in (towards, "both")


@attrs.frozen
class Paced:
    """How far apart the writes of a pipeline are, and by which left field a cool-down counts; None: by record."""

    pacing: Pacing
    by: str | None = None


@attrs.frozen
class Definition:
    """Everything that a pipeline's author has said."""

    name: str
    topology: Topology
    left: End
    right: End
    matcher: Matcher = LevelMatcher(())
    shared: bool = False
    """Several left records may hold one right record (many-to-one)."""
    fields: tuple[PairedField, ...] = ()
    cases: tuple[Case, ...] = ()
    """The first that admits a record chooses further fields."""
    gates: tuple[PlacedGate, ...] = ()
    paced: Paced | None = None
    guards: tuple[Guard, ...] = ()
    listeners: tuple[Listener, ...] = ()
    notifiers: tuple[Notifier, ...] = ()
    creates_left: bool = False
    creates_right: bool = True
    deletes: Deletes = Deletes()
    delay: dt.timedelta = dt.timedelta(0)
    """Events wait this long, counted from their own time."""
    batch: int = 200
    """Records that are decided together."""
    lease: dt.timedelta = dt.timedelta(minutes=10)
    looks_again: dt.timedelta = dt.timedelta(minutes=15)
    """After this a record is looked at again that waits for one which a look-up did not find."""
    schema_age: dt.timedelta = dt.timedelta(hours=1)
    """A schema older than this is read again before a run."""
    retain: dt.timedelta | None = None
    """For how long history is kept; None: for ever."""

    def end(self, side: Side) -> End:
        """Give one end."""
        return self.left if side == "left" else self.right

    def named(self, ref: RecordRef) -> RecordRef:
        """Give a ref that a person wrote as the records of its system are known: one id may be written in two forms."""
        end = next((end for end in (self.left, self.right) if end.system == ref.system), None)
        return ref if end is None else attrs.evolve(ref, id=end.read_id(ref.kind, ref.id))

    def holds(self, ref: RecordRef) -> bool:
        """Say whether a record is of a kind of one of the ends."""
        return any(end.system == ref.system and ref.kind in end.kinds for end in (self.left, self.right))

    def creates(self, towards: Side) -> bool:
        """Say whether records may be made on a side."""
        return self.creates_left if towards == "left" else self.creates_right

    @property
    def default_policy(self) -> FieldPolicy:
        """Give the policy of pairs that name none, in topologies that allow that."""
        from .policies import left_wins

        return left_wins

    @property
    def may_write_left(self) -> bool:
        """Say whether the left is ever written."""
        return self.topology == "two_way"

    def fields_of(self, case: str | None) -> tuple[PairedField, ...]:
        """Give the pairs of records that a case tied; those of all records where it is none, or is no more."""
        return (*self.fields, *(pair for one in self.cases if one.name == case for pair in one.fields))

    @property
    def every_field(self) -> tuple[PairedField, ...]:
        """Give the pairs of all records and of every case."""
        return (*self.fields, *(pair for one in self.cases for pair in one.fields))

    def gates_for(self, moment: Moment, towards: Side) -> tuple[PlacedGate, ...]:
        """Give the gates asked at a moment, towards a side."""
        return tuple(placed for placed in self.gates if placed.holds(moment, towards))

    def objection(self, totals: Totals) -> Reason | None:
        """Give the first objection of a guard to what a sweep comes to, or None."""
        return next((found for guard in self.guards if (found := guard.inspect(totals)) is not None), None)

    def reads(self, side: Side, kind: str) -> tuple[str, ...]:
        """Name the fields of a kind that must be read: paired ones first, in the order of the pairs."""
        names = dict.fromkeys(name for pair in self.every_field for name in pair.reads(side, kind))
        if side == "left" and self.paced is not None and self.paced.by is not None:
            names[self.paced.by] = None
        names.update(dict.fromkeys(sorted(self.matcher.fields(side, kind))))
        for gate in self._looking_at(side):
            names.update(dict.fromkeys(sorted(columns(gate.fields))))
            for reference in references(gate):
                names.update(dict.fromkeys(sorted(reference.reads(kind))))
        return tuple(names)

    def _looking_at(self, side: Side) -> tuple[Gate, ...]:
        """Give the gates, those of cases too, that look at the records of a side."""
        of_cases = tuple(case.when for case in self.cases) if side == "left" else ()
        return (*of_cases, *(placed.gate for placed in self.gates if placed.of == side))

    @property
    def references(self) -> tuple[Reference, ...]:
        """Give what the left records refer to, in values and gates: each once."""
        gates = (*(case.when for case in self.cases), *(placed.gate for placed in self.gates))
        of_gates = (reference for gate in gates for reference in references(gate))
        of_pairs = (reference for pair in self.every_field for reference in references(pair.left))
        return tuple({reference.column: reference for reference in (*of_gates, *of_pairs)}.values())

    @property
    def crossings(self) -> tuple[PairedField, ...]:
        """Give the pairs whose sides both point to records of another pipeline."""
        return tuple(pair for pair in self.every_field if isinstance(pair.via, Reference))


def with_fields(definition: Definition, added: tuple[PairedField, ...], policy: FieldPolicy | None) -> Definition:
    """Append pairs; refuses the same right field twice, and a two-way pair without a policy."""
    pairs = tuple(attrs.evolve(pair, policy=pair.policy or policy) for pair in added)
    everything = (*definition.fields, *pairs)
    sides: tuple[Side, ...] = ("left", "right") if definition.topology == "two_way" else ("right",)
    for side in sides:
        seen: dict[str, str] = {}
        for pair in everything:
            name = label(pair.right) if side == "right" else pair.left_label
            if name in seen and not name.startswith("="):
                raise PairError(
                    f"{definition.name}: {definition.end(side).system}.{name} is paired twice "
                    f"({seen[name]} and {pair.label}); keep one of the pairs, or replace it with override()"
                )
            seen[name] = pair.label
    if definition.topology == "two_way":
        for pair in pairs:
            if pair.policy is None:
                raise PairError(
                    f"{definition.name}: the pair {pair.label} names no policy, and in a two-way pipeline somebody "
                    "must win; pass policy= to pair() or to fields()"
                )
    _answerable(definition, pairs)
    _readable(definition, pairs)
    return with_cases(attrs.evolve(definition, fields=everything, cases=()), definition.cases)


def with_cases(definition: Definition, cases: tuple[Case, ...]) -> Definition:
    """Let cases choose further fields; refuses them in a two-way pipeline, and a field that is paired already."""
    if cases and definition.topology == "two_way":
        raise UsageError(
            f"{definition.name}: a case chooses what a record on the right holds, and in a two-way pipeline records "
            "come from both sides; use one_way(), or a gate"
        )
    names = [case.name for case in cases]
    if len(set(names)) != len(names):
        raise UsageError(f"{definition.name}: two cases have one name: {', '.join(names)}")
    own = len(definition.fields)
    checked = tuple(attrs.evolve(one, fields=with_fields(definition, one.fields, None).fields[own:]) for one in cases)
    return attrs.evolve(definition, cases=checked)


def with_override(definition: Definition, replacing: tuple[PairedField, ...]) -> Definition:
    """Replace pairs that have the same right field, keeping their place."""
    new: Mapping[str, PairedField] = {label(pair.right): pair for pair in replacing}
    kept = {label(pair.right): pair for pair in definition.fields}
    for name, pair in new.items():
        if name not in kept:
            raise PairError(
                f"{definition.name}: override() found no pair with {definition.right.system}.{name}; use fields() to add it"
            )
        new_policy = pair.policy or kept[name].policy
        kept[name] = attrs.evolve(pair, policy=new_policy)
    _answerable(definition, tuple(kept.values()))
    _readable(definition, tuple(kept.values()))
    return attrs.evolve(definition, fields=tuple(kept.values()))


def _answerable(definition: Definition, pairs: tuple[PairedField, ...]) -> None:
    answering = [pair for pair in pairs if pair.if_refused != reject]
    if not answering:
        return
    # Most pairs have no answer of their own, so what judges answers is loaded for those that have one.
    from .plan import conflict

    for pair in answering:
        found = conflict(pair, two_way=definition.topology == "two_way")
        if found is not None:
            raise PairError(f"{definition.name}: the pair {pair.label}: if_refused={pair.if_refused.name} {found}")


def _readable(definition: Definition, pairs: tuple[PairedField, ...]) -> None:
    coded = [pair for pair in pairs if pair.via is not None] if definition.topology == "two_way" else []
    if not coded:
        return
    # Most pairs have no codec, so what judges codecs is loaded for those that have one.
    from .plan import unreadable

    for pair in coded:
        found = unreadable(pair)
        if found is not None:
            raise PairError(f"{definition.name}: the pair {pair.label}: {found}")


def claimed(definition: Definition) -> None:
    """Refuse a pipeline that needs what a connector does not claim; raises `CapabilityError`."""
    for side in ("left", "right"):
        end = definition.end(side)
        if side == "right" or definition.topology == "two_way":
            _writable(definition, end, side)
        if definition.topology != "events" and not (side == "left" or end.reads):
            raise CapabilityError(
                f"{definition.name}: {end.system} cannot be read by id, so nothing can be kept in step"
            )


def _writable(definition: Definition, end: End, side: Side) -> None:
    if definition.creates(side):
        if end.new is None:
            raise CapabilityError(
                f"{definition.name}: {end.system} has several kinds; say which one new records are: at(..., new=...)"
            )
        if end.capabilities(end.new).creates is None:
            raise CapabilityError(
                f"{definition.name}: {end.system} cannot make a {end.new}; switch creation off with "
                f"creates({side}=False)"
            )
    removal = definition.deletes.left if side == "left" else definition.deletes.right
    for kind in end.kinds:
        able = end.capabilities(kind)
        if (removal == "archive" and not able.archives) or (removal == "delete" and not able.deletes):
            raise CapabilityError(f"{definition.name}: {end.system} cannot {removal} a {kind}; see deletes({side}=...)")
