"""What decides, as hashes that every process tells alike: so a run notices that its pipeline is not what it was.

A function or a class of a user's own goes by its qualified name, without its module: a script that is run and imported
has two. What such a function does is not seen, unless it says so by a number, its `edition`; `look_again` is for the rest.
"""

from __future__ import annotations

import datetime as dt
import enum
import functools
import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import TypeAlias, cast

import attrs

from ..definition import Definition, End
from ..model import SIDES
from ..reasons import Code
from ..roles import QueueRow
from ._subjects import digest

Told: TypeAlias = "str | tuple[Told, ...]"
"""Text and nested text: its `repr` is the same in every process."""

_PARTS = 4


@attrs.frozen
class Rules:
    """A definition's digest, in the parts that a change of it makes different."""

    linked: str = ""
    """What decides about two records that are linked: pairs, cases, gates, cardinality."""
    crossing: str = ""
    """What decides which records are matched and made: ends, topology, matcher, creates, gates, cases, cardinality."""
    deletes: str = ""
    paced: str = ""

    def __str__(self) -> str:
        return f"{self.linked} {self.crossing} {self.deletes} {self.paced}"


@attrs.frozen
class Again:
    """How the rules of a run differ from those of the last one."""

    before: Rules
    now: Rules
    once: bool = False
    """Its records are events: each is made once, and no change of rules makes or changes one that was decided."""

    @property
    def crossing(self) -> bool:
        """Say whether other records may cross: sources are read from the beginning."""
        return not self.once and self.before.crossing != self.now.crossing

    @property
    def linked(self) -> bool:
        """Say whether linked pairs may be decided otherwise: all of them come up."""
        return not self.once and self._decides

    @property
    def _decides(self) -> bool:
        return (self.before.crossing, self.before.linked) != (self.now.crossing, self.now.linked)

    def wakes(self, row: QueueRow) -> bool:
        """Say whether a parked row waits for what has changed; a doubt, or a date that is no rule's, stays."""
        code = None if row.because is None else row.because.code
        if code is Code.PACED:
            return self.before.paced != self.now.paced
        if code is Code.GONE_AND_CHANGED and self.before.deletes != self.now.deletes:
            return True
        waits_for_rules = code is Code.PARENT_MISSING or (row.state != "held" and code is not Code.IN_DOUBT)
        return self._decides and waits_for_rules


def rules(definition: Definition) -> Rules:
    """Tell what decides in a pipeline; guards, notices, batches and the like do not."""
    admits = (definition.cases, definition.gates, definition.shared)
    fields = sorted(repr(told(attrs.evolve(pair, formerly=None))) for pair in definition.fields)
    of_ends = (definition.left, definition.right, definition.topology)
    makes = tuple(definition.creates(side) for side in SIDES)
    return Rules(
        _hash(fields, admits),
        _hash(of_ends, definition.matcher, makes, admits),
        _hash(definition.deletes),
        _hash(definition.paced),
    )


def read_rules(text: str) -> Rules:
    """Give back what `str` told; a text that is none of its own says that nothing is known."""
    parts = text.split(" ")
    return Rules(*parts) if len(parts) == _PARTS else Rules()


def _hash(*values: object) -> str:
    return digest(repr(told(values)))


def told(value: object) -> Told:
    """Tell a value by what it says, and never by where it lies in memory."""
    if isinstance(value, enum.Enum):
        return _named(value), value.name
    if value is None or isinstance(
        value, bool | int | float | str | bytes | Decimal | dt.date | dt.time | dt.timedelta
    ):
        return type(value).__name__, repr(value)
    if isinstance(value, re.Pattern):
        found = cast("re.Pattern[str]", value)
        return "pattern", repr(found.pattern), str(found.flags)
    if isinstance(value, Mapping):
        pairs = cast("Mapping[object, object]", value).items()
        return "mapping", *sorted(((told(key), told(held)) for key, held in pairs), key=repr)
    if isinstance(value, Collection):
        return _members(cast("Collection[object]", value))
    if isinstance(value, End):
        return "end", value.system, told(value.kinds), told(value.new)
    if isinstance(value, Definition):
        # Of parents that are made first; they have a digest of their own.
        return "pipeline", value.name
    return _object(value)


def _members(value: Collection[object]) -> Told:
    members = [told(one) for one in value]
    return type(value).__name__, *(sorted(members, key=repr) if isinstance(value, set | frozenset) else members)


def _object(value: object) -> Told:
    if isinstance(value, functools.partial):
        made = cast("functools.partial[object]", value)
        return "partial", told(made.func), told(made.args), told(made.keywords)
    if callable(value) and hasattr(value, "__qualname__"):
        edition: object = getattr(value, "edition", None)
        return "function", value.__qualname__, *((str(edition),) if isinstance(edition, int) else ())
    if attrs.has(type(value)):
        fields = attrs.fields(cast("type[attrs.AttrsInstance]", type(value)))
        held = [one.name for one in fields if one.init and one.eq]
        return _named(value), *((name, told(getattr(value, name))) for name in held)
    return _named(value), told(name) if isinstance(name := getattr(value, "name", None), str) else ""


def _named(value: object) -> str:
    return type(value).__qualname__
