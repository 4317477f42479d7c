"""The laws of records that several others share: a field is filled once, and what nobody edits stays."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from ...model import SIDES, RecordRef, Side, is_blank
from ._life import Life, Marks
from ._world import Breach


def shared_laws(life: Life, marks: Marks) -> Iterator[Breach]:
    """Judge the fields that have no owner, on the shared side, and every record that nobody edited on either side."""
    yield from _filled_once(life, marks)
    yield from _left_alone(life, marks)


def _filled_once(life: Life, marks: Marks) -> Iterator[Breach]:
    """I2: after its creation we only fill blanks of a shared record, but for fields that have an owner."""
    seat = life.seats["right"]
    for change in seat.ledger()[marks.ledgers["right"] :]:
        if not change.ours or change.verb != "update":
            continue
        owned, able = _owned(life, change.ref.kind), life.definition.right.capabilities(change.ref.kind)
        for name, value in change.values.items():
            held = change.before.get(name)
            if name in owned or is_blank(held):
                continue
            if name in change.unseen or (change.request and not able.conditional_writes):
                life.seen.windows += 1
            else:
                yield Breach("I2", f"{change.ref}.{name} held {held!r}, several may share it, and we wrote {value!r}")


def _owned(life: Life, kind: str) -> AbstractSet[str]:
    fields = (pair.on("right", kind) for pair in life.definition.fields if pair.owner is not None)
    return {field[0] for field in fields if field is not None}


def _left_alone(life: Life, marks: Marks) -> Iterator[Breach]:
    """I2: where nobody touched a shared record, nor any that shares it, since all was last quiet, all hold what they held."""
    touched = {
        change.ref
        for side in SIDES
        for change in life.seats[side].ledger()[marks.ledgers[side] :]
        if not change.ours or change.verb != "update"
    }
    links = [link for link in life.world.store.links.all(life.definition.name) if link.closed is None]
    known = {link.right: {one.left for one in links if one.right == link.right} for link in links}
    before = {link: {left for left, right in marks.pairs if right == link} for link in known}
    for right, lefts in known.items():
        if lefts != before[right] or touched & {right, *lefts} or life.parked() & {right, *lefts}:
            continue
        yield from _changed(life, marks, "right", right)
        for left in sorted(lefts):
            yield from _changed(life, marks, "left", left)


def _changed(life: Life, marks: Marks, side: Side, ref: RecordRef) -> Iterator[Breach]:
    change = next(
        (one for one in life.seats[side].ledger()[marks.ledgers[side] :] if one.ref == ref and one.ours), None
    )
    if change is not None:
        yield Breach("I2", f"nobody edited {ref} or what it is tied to, and we wrote {sorted(change.values)}")
