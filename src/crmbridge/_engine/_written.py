"""Looking once more at what was written a moment ago: only there, since the other side was read for that very write."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ..flow import Flow
from ..model import SIDES, Disposition, Link, Record, Side, other
from ..plan import Move, Raised, State
from ..reasons import Code, because
from ._halves import half, settled
from ._patience import unbelieved
from ._run import Run
from ._seen import Look
from ._subjects import Subject, Verdict


def at_rest(run: Run, look: Look, pairs: Sequence[Subject]) -> Flow[tuple[list[Subject], list[Verdict]]]:
    """Settle the pairs whose written side shows what was agreed; gives the others, to be judged from both sides.

    The other side stands at the version that was read when the write was decided; what has changed there since comes
    up by its own row. So a batch that was written costs one reading, and not two.
    """
    if run.definition.shared or run.definition.cases or run.references or run.crossings:
        return list(pairs), []
    written: dict[int, Side] = {id(one): side for one in pairs if (side := _written(run, one)) is not None}
    for side in SIDES:
        mine = [subject.link for subject in pairs if written.get(id(subject)) == side]
        yield from look.read(side, [link.ref(side) for link in mine if link is not None])
    rest: list[Subject] = []
    verdicts: list[Verdict] = []
    for subject in pairs:
        verdict = _judged(run, look, subject, written[id(subject)]) if id(subject) in written else None
        if verdict is None:
            rest.append(subject)
        else:
            verdicts.append(verdict)
    return rest, verdicts


def _written(run: Run, subject: Subject) -> Side | None:
    """Name the side that this run has just written, where the other one is at rest."""
    link = subject.link
    if link is None or link.closed is not None:
        return None
    if not all(row.state == "ready" and row.tries and row.run == run.id and not row.departed for row in subject.rows):
        return None
    waiting: list[Side] = [side for side in SIDES if link.agreed(side).settled_version is None]
    return waiting[0] if len(waiting) == 1 else None


def _judged(run: Run, look: Look, subject: Subject, side: Side) -> Verdict | None:
    link = subject.link
    if link is None or unbelieved(run, look, subject) is not None:
        return None
    if look.unreadable(side, link.ref(side)) is not None:
        return None
    seen = look.at(side, link.ref(side))
    pairing = run.pairing(link.left.kind, link.right.kind, link.case)
    try:
        found = half(run, side, link, seen, pairing)
    except Raised:  # it is judged from both sides, and parked there
        return None
    if not isinstance(seen, Record) or found.state is not State.SAME:
        return None
    run.judged(State.SAME, State.SAME, Move.NOTHING)
    agreed = settled(link.agreed(side), pairing, found)
    left, right = (agreed, link.right_agreed) if side == "left" else (link.left_agreed, agreed)
    now: Link = attrs.evolve(link, left_agreed=left, right_agreed=right)
    one, two = (seen, None) if side == "left" else (None, seen)
    why = because(Code.UNCHANGED)
    return Verdict(
        subject,
        Disposition.UNCHANGED,
        why,
        None,
        link=now,
        left=one,
        right=two,
        counterpart=link.ref(other(subject.side)),
    )
