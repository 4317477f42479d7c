"""Following records that were merged or moved to another kind: the link goes with them, closed links too."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ..flow import Flow
from ..model import MISSING, SIDES, Agreed, Departure, Link, Merged, Moved, RecordRef, Side, Unsettled, other
from ..reasons import Code, because
from ..roles import Delta
from ._run import Run
from ._seen import Look

_LONGEST_CHAIN = 10


def follow(run: Run, look: Look, links: Sequence[Link]) -> Flow[dict[str, Link]]:
    """Move links whose record lives on elsewhere; gives the links that changed, by id.

    What a person chose in the merge dialog is an edit: the survivor's values are judged like any other reading, but
    a value that could be another stored form of the agreed one is taken for it, since another kind may cut it
    differently. A link whose survivor is linked already closes; its counterpart is listed and nobody writes to it.
    """
    changed: dict[str, Link] = {}
    aliases: list[tuple[Side, Departure]] = []
    taken: dict[tuple[Side, RecordRef], RecordRef] = {}
    for link in links:
        for side in SIDES:
            current = changed.get(link.id, link)
            seen = look.at(side, current.ref(side))
            if not isinstance(seen, Merged | Moved):
                continue
            into, passed = yield from _end_of_chain(look, side, seen)
            aliases.extend((side, gone) for gone in passed)
            owners = yield from run.ask(run.store.links.of, run.name, side, [into])
            live = next((one for one in owners.get(into, ()) if one.closed is None and one.id != link.id), None)
            rival = taken.get((side, into)) if live is None else live.ref(other(side))
            if link.closed is None and rival is not None and not (link.shared and side == "right"):
                why = because(Code.DUPLICATE_OF, record=f"{into.kind} {into.id}", rival=f"{rival.kind} {rival.id}")
                changed[link.id] = attrs.evolve(current, closed=why)
                break
            if link.closed is not None and owners.get(into):
                break
            taken[side, into] = current.ref(other(side))
            changed[link.id] = moved(current, side, into, run)
    if changed:
        yield from run.commit(Delta(links=tuple(changed.values()), departures=tuple(aliases)))
    return changed


def _end_of_chain(look: Look, side: Side, seen: Merged | Moved) -> Flow[tuple[RecordRef, list[Departure]]]:
    passed: list[Departure] = [seen]
    into = seen.into
    for _ in range(_LONGEST_CHAIN):
        yield from look.read(side, [into])
        further = look.at(side, into)
        if not isinstance(further, Merged | Moved):
            break
        passed.append(further)
        into = further.into
    return into, passed


def moved(link: Link, side: Side, into: RecordRef, run: Run) -> Link:
    """Give a link as it goes on with another record on a side, whose values are judged against the agreement."""
    agreed = link.agreed(side)
    now = run.now()
    waiting = {
        label: Unsettled(cell, now)
        for label, cell in zip(agreed.fields, agreed.cells, strict=True)
        if cell is not MISSING
    }
    half = Agreed(agreed.fields, agreed.cells, waiting)
    if side == "left":
        return attrs.evolve(link, left=into, left_agreed=half)
    return attrs.evolve(link, right=into, right_agreed=half)
