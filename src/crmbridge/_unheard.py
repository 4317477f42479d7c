"""What a pipeline would say and nobody would hear: refused when it is said, with what to say instead.

A gate that is never asked admits everybody, and a pace in which nothing is set holds nobody back. No record tells of
either: it is found out by whoever opted out and was written to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import UsageError
from .model import RIGHT, SIDES, other

if TYPE_CHECKING:
    from .definition import Definition, PlacedGate
    from .model import Side
    from .pacing import Pacing


def gate(definition: Definition, placed: PlacedGate) -> None:
    """Refuse a gate whose answer changes nothing; raises `UsageError`."""
    why = _in_vain(definition, placed)
    if why:
        said = f"before={placed.moment!r}, towards={placed.towards!r}, of={placed.of!r}"
        raise UsageError(f"{definition.name}: gate({said}) would keep nobody out: {why}")


def _in_vain(definition: Definition, placed: PlacedGate) -> str:
    """Say why nobody is kept out, and what to say instead; empty where somebody may be."""
    towards = [side for side in _written(definition) if placed.towards in (side, "both")]
    system, across = definition.end(placed.of).system, definition.end(other(placed.of)).system
    only_made = definition.topology == "events"
    if placed.moment == "linking":
        return "an event is tied to no record that is there already; say before='creating'" if only_made else ""
    if not towards:
        return f"{definition.left.system} is never written; say towards='right', which is {definition.right.system}"
    if (placed.moment == "creating" or only_made) and other(placed.of) not in towards:
        return (
            f"where a record of {system} is made, it is not there yet to be looked at; say of={other(placed.of)!r}, "
            f"which is the record of {across}"
        )
    return ""


def _written(definition: Definition) -> tuple[Side, ...]:
    return SIDES if definition.may_write_left else (RIGHT,)


def pace(pipeline: str, pacing: Pacing, by: str | None) -> None:
    """Refuse a pace that holds nobody back, and what belongs to a part of it that is not set; raises `UsageError`."""
    where = f"{pipeline}: paced"
    if by is not None and not pacing.cooldown:
        raise UsageError(f"{where}(by={by!r}): only a cool-down counts by a field; say cooldown= too")
    if pacing.window != "day" and pacing.reservations is None:
        raise UsageError(
            f"{where}(window={pacing.window!r}): only reservations fall into a window; say reservations= too"
        )
    if not (pacing.cooldown or pacing.spacing or pacing.reservations):
        raise UsageError(f"{where}(): nothing is set, so nobody would wait; say cooldown=, spacing= or reservations=")
