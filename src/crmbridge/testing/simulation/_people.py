"""What people do where a world does not say: they make, change, clear, delete and merge records on both sides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ...definition import Definition
from ...model import SIDES, Side
from ..connector import FakeConnector
from ._seats import Seat
from ._values import drawn
from ._world import Deed, Hands, Trail, key_fields

POOL = 12
"""Addresses that people choose from, so that some records match and some are twins."""

_CLEARED = 6
"""One in so many changes empties a field."""


def usual_deeds(definition: Definition, seats: Mapping[Side, Seat], trail: Trail) -> Sequence[Deed]:
    """Work out from the pairs of a pipeline what people may do to its records."""
    deeds: list[Deed] = []
    for side in SIDES:
        end = definition.end(side)
        kind = end.new or end.kinds[0]
        seat = seats[side]
        fields = {one: _filled(definition, seat, side, one) for one in end.kinds}
        deeds.append(making(side, kind, fields[kind], _keys(definition, side, kind), 2.0 if side == "left" else 1.0))
        if any(fields.values()):
            deeds.append(changing(side, fields, trail))
        if keys := {one: named for one in end.kinds if (named := _keys(definition, side, one))}:
            deeds.append(Deed(f"rename {side}", _renaming(side, keys), 0.5))
        if definition.topology != "events":
            deeds.append(Deed(f"delete {side}", _deleting(side), 0.5))
        if isinstance(fake := getattr(seat, "connector", None), FakeConnector) and end.capabilities(kind).sees_merges:
            deeds.append(Deed(f"merge {side}", _merging(side, kind, fake), 0.3))
    return deeds


def making(side: Side, kind: str, fields: Sequence[str], keys: Sequence[str], weight: float = 1.0) -> Deed:
    """Let somebody make a record with a value in each of these fields, and an address of a small pool in the keys."""

    def make(hands: Hands) -> bool:
        address = f"p{hands.chance.randrange(POOL)}@x.example"
        values = {name: hands.value(side, kind, name) for name in fields} | dict.fromkeys(keys, address)
        _ = hands.put(side, kind, **values)
        return True

    return Deed(f"make {side}", make, weight)


def changing(side: Side, fields: Mapping[str, Sequence[str]], trail: Trail, weight: float = 4.0) -> Deed:
    """Let somebody write a value into one of these fields, by kind, or empty it; what tells a copy is never emptied."""

    def change(hands: Hands) -> bool:
        ref = hands.some(side)
        if ref is None or not fields.get(ref.kind):
            return False
        field = hands.chance.choice(fields[ref.kind])
        empties = hands.chance.randrange(_CLEARED) == 0 and trail.on(side).get(ref.kind) != field
        hands.edit(side, ref, **{field: None if empties else hands.value(side, ref.kind, field)})
        return True

    return Deed(f"change {side}", change, weight)


def _renaming(side: Side, keys: Mapping[str, Sequence[str]]) -> Callable[[Hands], bool]:
    """Let somebody give a record a key that no other record has."""

    def rename(hands: Hands) -> bool:
        ref = hands.some(side)
        if ref is None or ref.kind not in keys:
            return False
        hands.edit(side, ref, **dict.fromkeys(keys[ref.kind], f"{hands.word()}@x.example"))
        return True

    return rename


def _deleting(side: Side) -> Callable[[Hands], bool]:
    def delete(hands: Hands) -> bool:
        ref = hands.some(side)
        if ref is not None:
            hands.remove(side, ref)
        return ref is not None

    return delete


def _merging(side: Side, kind: str, fake: FakeConnector) -> Callable[[Hands], bool]:
    def merge(hands: Hands) -> bool:
        found = hands.every(side, kind)
        if len(found) < 3:
            return False
        loser, winner = hands.chance.sample(found, 2)
        fake.merge(loser, winner)
        hands.tell(f"somebody merges {loser} into {winner}")
        return True

    return merge


def _filled(definition: Definition, seat: Seat, side: Side, kind: str) -> list[str]:
    known, keys = seat.fields(kind), _keys(definition, side, kind)
    paired = [own[0] for pair in definition.every_field if (own := pair.on(side, kind)) is not None]
    texts = [name for name in dict.fromkeys(paired) if name in known]
    return [name for name in [*texts, *drawn(definition, seat, side, kind)] if name not in keys]


def _keys(definition: Definition, side: Side, kind: str) -> list[str]:
    return list(dict.fromkeys(name for names in key_fields(definition, side, kind) for name in names))
