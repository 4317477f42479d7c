"""Records that refer to each other: values that lie beyond the record, and are followed before it is decided about.

*Linked*: the counterpart of the record that a field points to, by the links of another pipeline in the same store.
*Looked up*: a record that is found by keys when this one is due. *Ensured*: a parent that is made first where there
is none. What they lead to is a column of the record, so gates and values read it like a field.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Literal, Protocol, TypeAlias

import attrs

from .definition import Definition, End
from .errors import UsageError
from .given import Given, Reference
from .match import Adoption, Level, LevelMatcher, refuse
from .model import Cell, Missing, Record, Side
from .plan import Name, label, name_on

Word: TypeAlias = Literal["hold", "skip", "blank", "quarantine"]
"""What is done about a record whose reference leads nowhere."""

Absent: TypeAlias = "Word | Given"
"""What becomes of a record when what it refers to is not there; a given value is the stated fallback."""

_WORDS = frozenset({"hold", "skip", "blank", "quarantine"})


class Parents(Protocol):
    """What a reference needs to know of another pipeline."""

    @property
    def definition(self) -> Definition:
        """Give all that its author has said."""
        ...


class _Column(ABC):
    """What references share: the engine follows them, and writes what they lead to into a column of the record."""

    __slots__ = ()

    @property
    @abstractmethod
    def name(self) -> str:
        """Name the reference."""

    @property
    def column(self) -> str:
        """Name the column of what it leads to."""
        return f"@{self.name}"

    @property
    def fields(self) -> frozenset[str]:
        """Name no field: what must be read depends on the kind."""
        return frozenset()

    @property
    def references(self) -> tuple[Reference, ...]:
        """Give this reference."""
        return (self,)

    @abstractmethod
    def reads(self, kind: str) -> frozenset[str]:
        """Name the fields of a kind that must be read."""

    def value(self, record: Record) -> Cell | Missing:
        """Give what it leads to."""
        return record.get(self.column)


@attrs.frozen
class Linked(_Column):
    """The counterpart of the record that a field points to, by the links of another pipeline."""

    parents: str
    """The name of that pipeline."""
    of: Name | None = None
    """The field; None: the record itself, which that pipeline carries too."""
    absent: Absent = "hold"
    kinds: Mapping[Side, tuple[str, ...]] = attrs.field(factory=lambda: dict[Side, tuple[str, ...]](), eq=False)
    """The kinds that plain ids are of, by side; empty: what the field's schema says."""
    systems: tuple[str, str] | None = attrs.field(default=None, eq=False)
    """Between which systems it leads, where that is known."""

    @property
    def name(self) -> str:
        """Name the reference."""
        return f"linked({self.parents})" if self.of is None else f"linked({self.parents}, {label(self.of)})"

    def reads(self, kind: str) -> frozenset[str]:
        """Name the field that must be read."""
        return _pointing(self.of, kind)


@attrs.frozen
class Ensured(_Column):
    """The same, made first in the same run or plan where there is none."""

    within: Definition = attrs.field(repr=False)
    """The parents' pipeline: it finds each parent by its own matching, or makes it."""
    of: Name | None = None
    absent: Absent = "hold"

    @property
    def parents(self) -> str:
        """Name the parents' pipeline."""
        return self.within.name

    @property
    def kinds(self) -> Mapping[Side, tuple[str, ...]]:
        """Give the kinds that plain ids are of."""
        return _kinds(self.within)

    @property
    def systems(self) -> tuple[str, str]:
        """Tell between which systems it leads."""
        return _systems(self.within)

    @property
    def name(self) -> str:
        """Name the reference."""
        return f"ensured({self.parents})" if self.of is None else f"ensured({self.parents}, {label(self.of)})"

    def reads(self, kind: str) -> frozenset[str]:
        """Name the field that must be read."""
        return _pointing(self.of, kind)


@attrs.frozen
class LookUp(_Column):
    """The record that is found by keys when this one is due."""

    called: str
    end: End = attrs.field(repr=False)
    matcher: LevelMatcher = attrs.field(repr=False)
    absent: Absent = "blank"

    @property
    def name(self) -> str:
        """Name the reference."""
        return self.called

    def reads(self, kind: str) -> frozenset[str]:
        """Name the fields that its keys compare."""
        return self.matcher.fields("left", kind)

    def field(self, name: str) -> FoundField:
        """Take another field of the record that is found: a task's owner from the person it is about."""
        return FoundField(self, name)


@attrs.frozen
class FoundField(_Column):
    """A field of a record that is looked up; where there is none it stays as it is."""

    look_up: LookUp
    field: str

    @property
    def name(self) -> str:
        """Name the reference."""
        return f"{self.look_up.name}.{self.field}"

    def reads(self, kind: str) -> frozenset[str]:
        """Name the fields that the look-up's keys compare."""
        return self.look_up.reads(kind)


def linked(parents: str | Parents, field: Name | None = None, *, absent: Absent = "hold") -> Linked:
    """Follow a field to the counterpart that another pipeline of this store has linked; without a field, the record's own.

    The parents are that pipeline, or its name. With a name alone, plain ids are of the kinds that the field's schema
    says it refers to. A record whose parent is not linked yet is held, and goes on once it is; where the parent is
    disputed or in quarantine, the record goes into quarantine, with a reason that names the parent. With `absent="blank"`
    it goes on without, and a field that is filled stays as it is. In `put` it fills the right field; as
    `pair(..., via=linked(...))` it crosses both ways.
    """
    _stated(absent)
    if isinstance(parents, str):
        return Linked(parents, field, absent)
    there = parents.definition
    return Linked(there.name, field, absent, _kinds(there), _systems(there))


def ensured(parents: Parents, field: Name | None = None, *, absent: Absent = "hold") -> Ensured:
    """Follow to the parent's counterpart as `linked` does, and let the parents' pipeline find or make it first if need be.

    Parents are made only for records that are made themselves: not for one that a gate, a pace, its cases or its own
    values keep back, and one that matched keeps its own. The parents' pipeline
    keeps its links, promises and quarantine in the same store, so that two children make one parent, after a crash too.
    A link stays with its records: without a *field*, a record that would match another parent later keeps the one that it
    is tied to. *absent* says what becomes of a record whose parent is not made either, since a gate of its pipeline keeps
    it back; where the parent may come yet, the record waits.
    """
    _stated(absent)
    return Ensured(parents.definition, field, absent)


def look_up(name: str, where: End, *levels: Level, adopt: Adoption = refuse, absent: Absent = "blank") -> LookUp:
    """Find a record by keys when this one is due: levels in order, each asked of all kinds of *where*, in batches.

    Keys name the field of this record first, that of the other second. What a search names is read by id, and its
    keys are compared, before it is believed. *adopt* chooses where several are found, else the record is disputed.
    Where none is found, *absent* says what becomes of the record; with `blank` a field that is filled stays as it is.
    """
    _stated(absent)
    if not levels:
        raise UsageError(f"look_up({name!r}): name at least one level of keys")
    return LookUp(name, where, LevelMatcher(levels, adopt), absent)


def parents_of(definition: Definition) -> frozenset[str]:
    """Name the pipelines by whose links a pipeline's records refer to their parents."""
    every = (*definition.references, *(pair.via for pair in definition.crossings))
    return frozenset(one.parents for one in every if isinstance(one, Linked | Ensured))


def _stated(absent: Absent) -> None:
    if not isinstance(absent, Given) and absent not in _WORDS:
        raise UsageError(
            f"absent={absent!r}: say hold, skip, blank or quarantine, or give the value to use, such as Constant({absent!r})"
        )


def _pointing(of: Name | None, kind: str) -> frozenset[str]:
    named = None if of is None else name_on(of, kind)
    return frozenset() if named is None else frozenset((named[0],))


def _systems(definition: Definition) -> tuple[str, str]:
    return definition.left.system, definition.right.system


def _kinds(definition: Definition) -> Mapping[Side, tuple[str, ...]]:
    return {"left": definition.left.kinds, "right": definition.right.kinds}
