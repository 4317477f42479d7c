"""What a simulation can reach: faults, rows of the decision table, dispositions, classes of creates, pairs of fields."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from ...model import SIDES, Disposition, Side, is_blank
from ...plan import Move, State, moves
from ._life import Life

_NOT_ASKED = frozenset(
    {(State.NONE, State.NONE), (State.UNKNOWN, State.NONE), (State.NONE, State.UNKNOWN), (State.UNKNOWN, State.UNKNOWN)}
)
"""Pairs about which nobody asks the table: a record that cannot be read is held before its counterpart is looked for."""


def rows(life: Life, *, crashes: bool) -> list[str]:
    """Name all that a life may reach, in the order in which a report shows it."""
    definition = life.definition
    found = [f"{fault} at {life.seats[side].system}" for side in SIDES for fault in life.seats[side].offers]
    if definition.topology == "events":
        found.append(cell(State.CHANGED, State.NONE, Move.CREATE_RIGHT))
    else:
        table = moves(definition.deletes)
        found += [cell(left, right, move) for (left, right), move in table.items() if (left, right) not in _NOT_ASKED]
        if not definition.creates_left or definition.topology == "one_way":
            found.remove(cell(State.NONE, State.CHANGED, Move.CREATE_LEFT))
    found += [str(disposition) for disposition in Disposition]
    for side, create in life.classes().items():
        if create is not None and definition.creates(side) and (side == "right" or definition.topology == "two_way"):
            found.append(created(life.seats[side].system, create))
    return [*found, *(("crash before", "crash after") if crashes else ())]


def cell(left: State, right: State, move: Move) -> str:
    """Name a row of the decision table."""
    return f"{left.value} | {right.value}: {move.value}"


def created(system: str, create: object) -> str:
    """Name a class of creates at a system."""
    return f"create in class {create} at {system}"


def reached(life: Life) -> Mapping[str, int]:
    """Count what one life reached."""
    found = dict(life.seen.reached)
    for side, create in life.classes().items():
        system = life.seats[side].system
        found |= {f"{fault} at {system}": count for fault, count in life.seats[side].fired.items()}
        kinds = life.trail.on(side)
        made = sum(change.verb == "create" and change.ref.kind in kinds for change in life.ours(side))
        if create is not None and made:
            found[created(system, create)] = made
    return found


def pairs(life: Life) -> Mapping[str, int]:
    """Count for each pair of fields that may be written how often we wrote a value into it, where the ledger names it."""
    definition = life.definition
    sides: tuple[Side, ...] = ("left", "right") if definition.topology == "two_way" else ("right",)
    filled = Counter(
        (side, change.ref.kind, name)
        for side in sides
        for change in life.ours(side)
        for name, value in change.values.items()
        if not is_blank(value)
    )
    found: dict[str, int] = {}
    for pair in definition.every_field:
        on = [(side, kind, own[0]) for side in sides for kind in definition.end(side).kinds
              if (own := pair.on(side, kind)) is not None and own[1]
              and life.seats[side].has(kind, own[0])]  # fmt: skip
        if on:
            found[f"pair {pair.label}"] = sum(filled[field] for field in on)
    return found
