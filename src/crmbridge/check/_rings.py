"""Pipelines that lead from a field back to it: each breaks an echo of its own, and none sees one that goes round."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from ..definition import Definition
from ..model import SIDES, Side
from ..plan import PairedField
from ..reasons import Code, because
from ._finding import Finding

_Field: TypeAlias = "tuple[str, str, str]"
"""System, kind and name."""

_Ways: TypeAlias = "Mapping[_Field, Sequence[tuple[_Field, str]]]"
"""Where values go from a field, and by which pipeline."""


def rings(definitions: Iterable[Definition]) -> Iterator[Finding]:
    """Name a field in which several two-way pipelines close a ring, once for the same pipelines."""
    two_way = [(one, pair) for one in definitions if one.topology == "two_way" for pair in one.every_field]
    same = _Same()
    for definition, pair in two_way:
        for side in SIDES:
            same.tie(_written(definition, pair, side))
    ways: defaultdict[_Field, list[tuple[_Field, str]]] = defaultdict(list)
    told: set[frozenset[str]] = set()
    for definition, pair in two_way:
        left, right = (_written(definition, pair, side)[:1] for side in SIDES)
        if not left or not right:
            continue
        here, there = same.of(left[0]), same.of(right[0])
        back = _path(ways, here, there)
        if back is None:
            ways[here].append((there, definition.name))
            ways[there].append((here, definition.name))
        elif (round_ := frozenset({*back, definition.name})) not in told:
            told.add(round_)
            names = ", ".join(dict.fromkeys((*back, definition.name)))
            yield Finding(".".join(left[0]), because(Code.RING, pipelines=names), pair=pair.label)


class _Same:
    """Fields of several kinds that one end of a pair takes for one."""

    def __init__(self) -> None:
        self._of: dict[_Field, _Field] = {}

    def of(self, field: _Field) -> _Field:
        while (known := self._of.get(field, field)) != field:
            field = known
        return field

    def tie(self, fields: Sequence[_Field]) -> None:
        for field in fields[1:]:
            one, other = self.of(fields[0]), self.of(field)
            if one != other:
                self._of[other] = one


def _written(definition: Definition, pair: PairedField, side: Side) -> list[_Field]:
    end = definition.end(side)
    named = ((kind, pair.on(side, kind)) for kind in end.kinds)
    return [(end.system, kind, name[0]) for kind, name in named if name is not None and name[1]]


def _path(ways: _Ways, start: _Field, goal: _Field) -> Sequence[str] | None:
    """Name the pipelines that lead from one field to another; None where none do."""
    reached: dict[_Field, Sequence[str]] = {start: ()}
    queue = [start]
    for field in queue:
        for beyond, name in ways.get(field, ()):
            if beyond not in reached:
                reached[beyond] = (*reached[field], name)
                queue.append(beyond)
    return reached.get(goal)
