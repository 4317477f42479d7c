"""One side of a pair as it stands, beside what it agreed to."""

from __future__ import annotations

import attrs

from ..model import SIDES, Agreed, Disposition, Link, Record, RecordRef, Side
from ..plan import Cells, Pairing, State, absorb
from ..reasons import Reason
from ..roles import QueueState
from ._run import Run
from ._seen import Absent, Seen
from ._subjects import Subject, Verdict


@attrs.frozen
class Half:
    """One side of a pair as it stands."""

    state: State
    cells: Cells = attrs.field(repr=False)
    agreed: Cells = attrs.field(repr=False)
    record: Record | None = None
    judged: bool = False
    """A reading was taken for the stored form of our last write."""


def half(run: Run, side: Side, link: Link, seen: Seen, pairing: Pairing) -> Half:
    """Compare a side with its own half of the agreement, exactly."""
    agreed = link.agreed(side)
    cells = pairing.halves(agreed)
    if not isinstance(seen, Record):
        able = run.able(side, link.ref(side).kind)
        young = able.read_lag and run.now() - link.since <= able.read_lag
        says_nothing = isinstance(seen, Absent) and (young or able.absent == "kept")
        return Half(State.UNKNOWN if says_nothing else State.GONE, cells, cells)
    if agreed.own_stamp is not None and seen.stamp is not None and seen.stamp < agreed.own_stamp:
        return Half(State.UNKNOWN, cells, cells, seen)
    now = paired(run, side, seen, pairing)
    if now != cells and _may_be_older(run, link.ref(side), side, agreed):
        return Half(State.UNKNOWN, cells, cells, seen)
    learned = absorb(pairing, side, now, cells, agreed.unsettled)
    state = State.SAME if now == learned else State.CHANGED
    return Half(state, now, learned, seen, bool(agreed.unsettled))


def _may_be_older(run: Run, ref: RecordRef, side: Side, agreed: Agreed) -> bool:
    """Say whether a reading may be of before our last write, whose answer told nothing to know that by."""
    lag = run.able(side, ref.kind).read_lag
    return bool(lag) and any(run.now() - one.at <= lag for one in agreed.unsettled.values())


def paired(run: Run, side: Side, record: Record, pairing: Pairing) -> Cells:
    """Give a record's values in the order of the pairs; raises `Raised` where a rule that makes one does."""
    cells = pairing.reader(side, record.rows.fields)(record.rows, record.row)
    return run.followed.found(pairing, record, cells) if side == "left" else cells


def met(run: Run, side: Side, record: Record, pairing: Pairing) -> Half:
    """Take up a side that has agreed on nothing yet."""
    cells = paired(run, side, record, pairing)
    return Half(State.CHANGED, cells, Agreed.nothing(pairing.labels).cells, record)


def version(found: Half) -> str | None:
    """Give the version at which a side was read."""
    return found.record.version if found.record is not None else None


def settled(agreed: Agreed, pairing: Pairing, found: Half) -> Agreed:
    """Give a half of the agreement that a reading equals, at the version that was read."""
    stamp = found.record.stamp if found.judged and found.record is not None else agreed.own_stamp
    return Agreed(pairing.labels, found.agreed, {}, version(found), stamp)


def pair_verdict(
    subject: Subject, disposition: Disposition, why: Reason, park: QueueState | None, left: Half, right: Half
) -> Verdict:
    """Say how a pair ends, with both records as they were read."""
    gone: tuple[Side, ...] = tuple(
        side for side, found in zip(SIDES, (left, right), strict=True) if found.state is State.GONE
    )
    return Verdict(subject, disposition, why, park, left=left.record, right=right.record, gone=gone)
