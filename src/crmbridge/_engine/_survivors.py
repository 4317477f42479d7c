"""Looking for a survivor before a deletion is followed: not every system tells a merged record from a removed one.

Where a system does not report merges, the loser of a merge looks removed while its person lives on in the winner. So
before the counterpart is removed, made again or put to a person, another live record is looked for by the match keys:
the link moves to it. Where that one is linked already, the link closes and nobody writes to the counterpart.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence

import attrs

from ..flow import Flow
from ..model import SIDES, Disposition, Link, Record, RecordRef, Side, other
from ..plan import Move, Raised, State
from ..protocols import Ambiguous, Matched
from ..reasons import Code, because
from ..roles import Delta, QueueRow
from ._decide import disputed, failed
from ._halves import half
from ._matching import Search, Taken, match
from ._patience import in_doubt, not_settled
from ._relink import moved
from ._removing import of_removal
from ._ruled import meant, of_match, survivor_of
from ._run import Run
from ._seen import Look, is_gone
from ._subjects import Subject, Verdict

_FOLLOWED = frozenset({Move.REMOVE_LEFT, Move.REMOVE_RIGHT, Move.REVIVE_LEFT, Move.REVIVE_RIGHT, Move.ASK})
"""Moves that answer a deletion with more than closing the link."""


def survivors(
    run: Run, look: Look, subjects: Sequence[Subject], used: MutableMapping[tuple[Side, RecordRef], Subject]
) -> Flow[Mapping[str, Verdict]]:
    """Move the links of merged records to the records in which they live on; gives what is decided already, by link.

    A record that was found is taken: nobody else in this batch is tied to it.
    """
    decided: dict[str, Verdict] = {}
    for side in SIDES:
        asking = {record.ref: subject for subject in subjects if (record := _asks(run, look, subject, side))}
        if not asking:
            continue
        present = [record for ref in asking if (record := look.record(other(side), ref)) is not None]
        found = yield from match(run, look, other(side), present)
        waiting = yield from not_settled(run, found.values())
        for ref, subject in asking.items():
            link = subject.link
            if link is None:
                continue
            verdict = in_doubt(run, subject, side) if ref in waiting else _judged(run, subject, found[ref], side, used)
            if isinstance(verdict, Verdict):
                decided[link.id] = verdict
            elif verdict is not None:
                subject.link = yield from _relinked(run, subject, link, side, verdict)
                used[side, verdict] = subject
    return decided


def _asks(run: Run, look: Look, subject: Subject, side: Side) -> Record | None:
    """Give the counterpart by whose keys a survivor is looked for; None where the deletion needs no second thought."""
    link = subject.link
    if link is None or link.closed is not None or not is_gone(look.at(side, link.ref(side))):
        return None
    record = look.record(other(side), link.ref(other(side)))
    sees_merges = run.able(side, link.ref(side).kind).sees_merges
    if record is None or sees_merges:
        return None
    seen = {one: look.at(one, link.ref(one)) for one in SIDES}
    pairing = run.pairing(link.left.kind, link.right.kind, link.case)
    try:
        left, right = (half(run, one, link, seen[one], pairing) for one in SIDES)
    except Raised:  # the pair is parked when it is decided, and nothing is removed
        return None
    move = run.table[left.state, right.state]
    if (left if side == "left" else right).state is not State.GONE or move not in _FOLLOWED:
        return None
    # Who has ruled about this very deletion has looked for the record.
    return None if move is Move.ASK and of_removal(run, link, left, right)[1] is not None else record


def _judged(
    run: Run, subject: Subject, search: Search, side: Side, used: Mapping[tuple[Side, RecordRef], Subject]
) -> Verdict | RecordRef | None:
    found, record = search.found, search.record
    left, right = (None, record) if side == "left" else (record, None)
    if search.trouble is not None:
        return failed(subject, search.trouble, left, right)
    if isinstance(found, Ambiguous | Matched | Taken) and subject.link is not None:
        held = _held_to(run, subject, found, record.ref, subject.link.ref(side), (left, right))
        if isinstance(held, Verdict):
            return held
        found = held
    shared = run.definition.shared and side == "right"
    if isinstance(found, Matched) and (shared or (side, found.ref) not in used):
        return found.ref
    if not isinstance(found, Matched | Taken) or subject.link is None:
        return None
    why = because(Code.DUPLICATE_OF, record=f"{found.ref.kind} {found.ref.id}")
    closed = attrs.evolve(subject.link, closed=why)
    return Verdict(subject, Disposition.SKIPPED, why, None, link=closed, left=left, right=right)


def _held_to(
    run: Run,
    subject: Subject,
    found: Ambiguous | Matched | Taken,
    ref: RecordRef,
    gone: RecordRef,
    read: tuple[Record | None, Record | None],
) -> Matched | Taken | Verdict:
    """Take the one that a person named; leave to a person what several match, or what is not the one that was named."""
    about = survivor_of(ref, gone)
    refs = found.refs if isinstance(found, Ambiguous) else (found.ref,)
    chosen = meant(run, about, [ref, gone], refs)
    if chosen is not None and chosen.ref is None:
        why = because(Code.CHOSEN_GONE, system=gone.system, record=chosen.id)
        question = of_match(about, why.code, refs)
        left, right = read
        return Verdict(subject, Disposition.DISPUTED, why, "disputed", left=left, right=right, question=question)
    if not isinstance(found, Ambiguous):
        return found
    if chosen is None or chosen.ref is None:
        return disputed(subject, found, about, *read)
    return Matched(chosen.ref, found.level, "ruling", found.tried)


def _relinked(run: Run, subject: Subject, link: Link, side: Side, into: RecordRef) -> Flow[Link]:
    """Let the link go on with another record, which waits in the queue from now on.

    The row of the record that is gone leads nowhere any more: what a busy system or a crash puts off is the survivor's.
    """
    current = moved(link, side, into, run)
    run.saw("relinked", system=into.system, kind=into.kind)
    run.relinked.put(link, current)
    row = QueueRow(side, into, run=run.id)
    if not run.planning:
        yield from run.commit(Delta(queue=(row,)))
    elif into not in (yield from run.ask(run.store.agenda.rows, run.name, side, [into])):
        subject.rows.append(row)
    return current
