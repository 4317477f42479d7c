"""How an acknowledged write moves the agreement: only the fields that we wrote are learned."""

from __future__ import annotations

import attrs

from ..model import (
    MISSING,
    SIDES,
    Agreed,
    Applied,
    Cell,
    Create,
    Link,
    Missing,
    Record,
    Side,
    Unsettled,
    Update,
    other,
)
from ..plan import Pairing, Raised
from ..reasons import Reason
from ..roles import FieldPromise, Intent
from ._halves import paired
from ._run import Run
from ._strikes import written


@attrs.frozen
class Ack:
    """An intent and the answer to it."""

    intent: Intent
    outcome: Applied


@attrs.define(eq=False)
class _Halves:
    """Both halves of an agreement while they move."""

    cells: dict[Side, list[Cell | Missing]]
    unsettled: dict[Side, dict[str, Unsettled]]

    @classmethod
    def of(cls, pairing: Pairing, link: Link) -> _Halves:
        return cls(
            {"left": list(pairing.halves(link.left_agreed)), "right": list(pairing.halves(link.right_agreed))},
            {"left": dict(link.left_agreed.unsettled), "right": dict(link.right_agreed.unsettled)},
        )

    def wrote(self, run: Run, side: Side, place: int, promise: FieldPromise, outcome: Applied) -> None:
        """Take what the system stored from its answer, else keep what we sent until a reading has judged it.

        Where reads are late and the answer has no stamp, nothing but what is read tells that it is of after the write.
        """
        stored = MISSING if outcome.stored is None else outcome.stored.get(promise.field, MISSING)
        held = promise.sent if isinstance(stored, Missing) else stored
        self.cells[side][place] = held
        if isinstance(stored, Missing) or (outcome.stamp is None and run.able(side, outcome.ref.kind).read_lag):
            self.unsettled[side][promise.pair] = Unsettled(held, run.now())
        else:
            _ = self.unsettled[side].pop(promise.pair, None)


def acknowledge(run: Run, link: Link | None, ack: Ack, partner: Ack | None = None) -> Link:
    """Give the link as it stands after a create or an update was acknowledged.

    *partner*: the acknowledged write of the other side, where both were written; a field that is written on both
    sides is agreed only then.
    """
    base = link if link is not None else _made(run, ack)
    pairing = run.pairing(base.left.kind, base.right.kind, base.case)
    side, across = ack.intent.side, other(ack.intent.side)
    halves = _Halves.of(pairing, base)
    places = pairing.places
    theirs = {} if partner is None else {promise.pair: promise for promise in partner.intent.fields}
    for promise in ack.intent.fields:
        place = places.get(promise.pair)
        if place is None or (promise.both and promise.pair not in theirs):
            continue
        halves.wrote(run, side, place, promise, ack.outcome)
        if promise.both and partner is not None:
            halves.wrote(run, across, place, theirs[promise.pair], partner.outcome)
        else:
            halves.cells[across][place] = promise.other
    return _evolved(written(base, (promise.pair for promise in ack.intent.fields)), pairing, halves, ack)


def _made(run: Run, ack: Ack) -> Link:
    """Tie the record that was made to its origin."""
    intent, ref = ack.intent, ack.outcome.ref
    left, right = (ref, intent.origin) if intent.side == "left" else (intent.origin, ref)
    nothing = Agreed.nothing(run.pairing(left.kind, right.kind, intent.case).labels)
    shared = run.definition.shared
    return Link(
        intent.link, left, right, nothing, nothing, run.ties(), intent.incarnation, shared=shared, case=intent.case
    )


def _evolved(link: Link, pairing: Pairing, halves: _Halves, ack: Ack) -> Link:
    side = ack.intent.side
    sides: dict[Side, Agreed] = {}
    for one in SIDES:
        agreed = link.agreed(one)
        cells = tuple(halves.cells[one])
        unsettled = halves.unsettled[one]
        version, stamp = (agreed.settled_version, agreed.own_stamp)
        if one == side:
            stamp = ack.outcome.stamp or agreed.own_stamp
            version = ack.outcome.version if _complete(pairing, side, cells, ack.outcome) and not unsettled else None
        sides[one] = Agreed(pairing.labels, cells, unsettled, version, stamp)
    ref = ack.outcome.ref if isinstance(ack.intent.action, Create | Update) else link.ref(side)
    left, right = (ref, link.right) if side == "left" else (link.left, ref)
    return attrs.evolve(link, left=left, right=right, left_agreed=sides["left"], right_agreed=sides["right"])


def _complete(pairing: Pairing, side: Side, cells: tuple[Cell | Missing, ...], outcome: Applied) -> bool:
    """Say whether the answer tells every paired field, and each equals its half of the agreement."""
    if outcome.stored is None or outcome.version is None:
        return False
    for pair, cell in zip(pairing.pairs, cells, strict=True):
        if pair.absent:
            continue
        if (side == "left" and pair.given is not None) or outcome.stored.get(pair.field(side), MISSING) != cell:
            return False
    return True


def settle_other(run: Run, link: Link, side: Side, record: Record | None) -> Link:
    """Remember the version of a side that was read and not written, where it equals the agreement."""
    if record is None or record.version is None:
        return link
    pairing = run.pairing(link.left.kind, link.right.kind, link.case)
    agreed = link.agreed(side)
    try:
        now = paired(run, side, record, pairing)
    except Raised:  # it is read again, and parked if it raises then
        return link
    if agreed.unsettled or now != agreed.cells:
        return link
    settled = attrs.evolve(agreed, settled_version=record.version)
    return attrs.evolve(link, left_agreed=settled) if side == "left" else attrs.evolve(link, right_agreed=settled)


def closed(link: Link, why: Reason) -> Link:
    """Give the link of a record that we removed; one that was closed before keeps its reason."""
    return attrs.evolve(link, closed=link.closed or why)


def at_rest(link: Link) -> bool:
    """Say whether both sides are known to equal the agreement."""
    return link.left_agreed.settled_version is not None and link.right_agreed.settled_version is not None
