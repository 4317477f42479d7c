"""The ways that values take: from a field of one kind into a field of another."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

import attrs

from ..definition import Definition
from ..model import SIDES, FieldSpec, FieldType, Schema, Side, other
from ..plan import PairedField

Schemas: TypeAlias = "Mapping[tuple[Side, str], Schema]"
"""What both ends say of their kinds, by side and kind."""

LOOSE: Final = frozenset({FieldType.TEXT, FieldType.EMAIL, FieldType.CHOICE})
"""Types whose values are all texts."""


@attrs.frozen
class Route:
    """One way of one pair: a target field, and the field that its values come from, where they come from one."""

    pair: PairedField
    towards: Side
    system: str
    kind: str
    target: FieldSpec
    source: FieldSpec | None

    @property
    def where(self) -> str:
        """Name the target."""
        return f"{self.system}.{self.kind}.{self.target.name}"


def routes(definition: Definition, schemas: Schemas) -> Iterator[Route]:
    """Give every way that a value may take; a field that its system does not have is on none."""
    for pair in definition.every_field:
        for towards in SIDES:
            if towards == "left" and not definition.may_write_left:
                continue
            end = definition.end(towards)
            for kind in end.kinds:
                named = pair.on(towards, kind)
                target = schemas[towards, kind].fields.get(named[0]) if named is not None and named[1] else None
                if target is None:
                    continue
                for source in _sources(definition, pair, other(towards), schemas):
                    yield Route(pair, towards, end.system, kind, target, source)


def _sources(definition: Definition, pair: PairedField, side: Side, schemas: Schemas) -> Iterator[FieldSpec | None]:
    named = [(kind, pair.on(side, kind)) for kind in definition.end(side).kinds]
    found = [schemas[side, kind].fields.get(name[0]) for kind, name in named if name is not None]
    yield from dict.fromkeys(found) if found else (None,)


def refuses(definition: Definition, route: Route) -> bool:
    """Say whether a route ends in a field that nobody may write, and its policy does not make that harmless."""
    if not route.target.read_only:
        return False
    policy = route.pair.policy or definition.default_policy
    return f"{route.towards}_always" not in policy.name and "only_on_create" not in policy.name


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Give the name that comes nearest to another, if any does."""
    return next(iter(difflib.get_close_matches(name, list(names), n=1)), None)
