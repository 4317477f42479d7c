"""What to do about one subject: pure, given everything that was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import assert_never

import attrs

from ..model import SIDES, Agreed, Disposition, Link, Record, RecordRef, Side, other
from ..plan import Move, Pairing, Raised, State
from ..protocols import Ambiguous, Matched, Unmatched
from ..reasons import Code, Fact, Reason, because
from ..roles import QueueRow
from ._asking_on import several
from ._cases import case_of, told
from ._gating import gated
from ._halves import Half, half, met, pair_verdict, settled
from ._merging import decide_merge
from ._removing import of_removal, removal
from ._reopened import unversioned
from ._ruled import move_of, of_match
from ._run import SHORTLY, Run
from ._seen import Seen
from ._sharing import still_shared
from ._subjects import Subject, Verdict, digest


def decide_linked(run: Run, subject: Subject, link: Link, left: Seen, right: Seen) -> Verdict:
    """Decide about a pair that has a live link; where a rule raises, the pair goes into quarantine."""
    try:
        return _linked(run, subject, link, left, right)
    except Raised as trouble:
        verdict = failed(subject, trouble, _read(left), _read(right))
        return attrs.evolve(verdict, counterpart=link.ref(other(subject.side)))


def failed(subject: Subject, trouble: Raised, left: Record | None, right: Record | None) -> Verdict:
    """Park what a rule of the author's own could not be asked about."""
    return Verdict(subject, Disposition.QUARANTINED, trouble.because, "quarantined", left=left, right=right)


def disputed(
    subject: Subject,
    found: Ambiguous,
    about: str,
    left: Record | None,
    right: Record | None,
    refs: Sequence[RecordRef] = (),
) -> Verdict:
    """Leave to a person which of several that match is the one; *refs*: those that may be named, where it is not they."""
    why = several(found)
    question = of_match(about, why.code, refs or found.refs, all_of_them=bool(refs) or not found.too_many)
    return Verdict(subject, Disposition.DISPUTED, why, "disputed", left=left, right=right, question=question)


def _linked(run: Run, subject: Subject, link: Link, left: Seen, right: Seen) -> Verdict:
    case = case_of(run, _read(left), _read(right), link)
    link = link if isinstance(case, Reason) or case == link.case else attrs.evolve(link, case=case)
    pairing = run.pairing(link.left.kind, link.right.kind, link.case)
    on_left, on_right = half(run, "left", link, left, pairing), half(run, "right", link, right, pairing)
    move = _move(run, link, on_left, on_right)
    match move:
        case Move.NOTHING:
            return at_rest(subject, link, pairing, on_left, on_right, because(Code.UNCHANGED))
        case Move.MERGE:
            return decide_merge(run, subject, link, pairing, on_left, on_right, because(Code.CHANGED))
        case Move.HOLD:
            return _held(run, subject, on_left, on_right)
        case Move.CLOSE:
            return _closed(run, subject, link, on_left, on_right)
        case Move.ASK:
            why = because(Code.GONE_AND_CHANGED, system=_gone_from(run, on_left))
            question, _ = of_removal(run, link, on_left, on_right)
            verdict = pair_verdict(subject, Disposition.DISPUTED, why, "disputed", on_left, on_right)
            return attrs.evolve(verdict, question=question)
        case Move.REMOVE_LEFT | Move.REMOVE_RIGHT:
            return removal(run, subject, link, on_left, on_right, "left" if move is Move.REMOVE_LEFT else "right")
        case Move.REVIVE_LEFT | Move.REVIVE_RIGHT:
            why = because(Code.REVIVED, system=_gone_from(run, on_left))
            survivor: Side = "right" if move is Move.REVIVE_LEFT else "left"
            # Nothing is written yet: what is made again is decided by the survivor's own row.
            verdict = pair_verdict(subject, Disposition.UNCHANGED, why, None, on_left, on_right)
            again = QueueRow(survivor, link.ref(survivor), run=run.id)
            return attrs.evolve(verdict, link=attrs.evolve(link, closed=why), wakes=(again,))
        case Move.CREATE_LEFT | Move.CREATE_RIGHT:
            raise AssertionError("a linked pair is never created")
        case _:
            assert_never(move)


def _read(seen: Seen) -> Record | None:
    return seen if isinstance(seen, Record) else None


def _move(run: Run, link: Link, left: Half, right: Half) -> Move:
    """Look the move up; a person may have ruled where it asks, and others may still hold a shared record."""
    move = run.table[left.state, right.state]
    run.judged(left.state, right.state, move)
    if move is Move.ASK:
        _, ruled = of_removal(run, link, left, right)
        move = move if ruled is None else _makeable(run, move_of(ruled, left.state))
    return Move.CLOSE if move is Move.REMOVE_RIGHT and still_shared(run, link) else move


def _makeable(run: Run, move: Move) -> Move:
    """Let the survivor that a person chose stand alone where nothing is made on the other side."""
    again: Mapping[Move, Side] = {Move.REVIVE_LEFT: "left", Move.REVIVE_RIGHT: "right"}
    return move if move not in again or run.definition.creates(again[move]) else Move.CLOSE


def _gone_from(run: Run, on_left: Half) -> str:
    return run.definition.end("left" if on_left.state is State.GONE else "right").system


def at_rest(subject: Subject, link: Link, pairing: Pairing, left: Half, right: Half, why: Reason) -> Verdict:
    """Both sides equal the agreement: remember at which versions, so that the next reading need not look."""
    now = attrs.evolve(
        link,
        left_agreed=settled(link.left_agreed, pairing, left),
        right_agreed=settled(link.right_agreed, pairing, right),
    )
    changed = None if now == link else now
    return Verdict(subject, Disposition.UNCHANGED, why, None, link=changed, left=left.record, right=right.record)


def unshown(run: Run, link: Link, left: Half, right: Half) -> Reason | None:
    """Name the system that does not show a record of a pair, where that says nothing of it."""
    for side, found in zip(SIDES, (left, right), strict=True):
        kept = found.state is State.UNKNOWN and found.record is None
        if kept and run.able(side, link.ref(side).kind).absent == "kept":
            return because(Code.NOT_SHOWN, system=run.definition.end(side).system)
    return None


def _held(run: Run, subject: Subject, left: Half, right: Half) -> Verdict:
    """Wait until a reading can be believed; a record that we wrote in this run was reported already."""
    link = subject.link
    missed = None if link is None else unshown(run, link, left, right)
    if link is not None and missed is not None:
        # What was to be done now is done when it is shown again, at whatever version that is.
        return attrs.evolve(
            pair_verdict(subject, Disposition.SKIPPED, missed, None, left, right), link=unversioned(link)
        )
    waits = [SHORTLY]
    for side, found in zip(SIDES, (left, right), strict=True):
        if found.state is State.UNKNOWN and link is not None:
            waits.append(run.able(side, link.ref(side).kind).read_lag)
    why = because(Code.READ_TOO_EARLY)
    verdict = pair_verdict(subject, Disposition.HELD, why, "held", left, right)
    again = all(row.tries and row.run == run.id for row in subject.rows)
    return attrs.evolve(verdict, until=run.now() + max(waits), quiet=again)


def _closed(run: Run, subject: Subject, link: Link, left: Half, right: Half) -> Verdict:
    both = left.state is State.GONE and right.state is State.GONE
    why = because(Code.REMOVED) if both else because(Code.DETACHED, system=_gone_from(run, left))
    disposition = Disposition.UNCHANGED if both else Disposition.SKIPPED
    verdict = pair_verdict(subject, disposition, why, None, left, right)
    return attrs.evolve(verdict, link=attrs.evolve(link, closed=why))


def first_contact(run: Run, subject: Subject, left: Record, right: Record, found: Matched) -> Verdict:
    """Decide about two records that matched and have no link yet; where a rule raises, they go into quarantine."""
    try:
        return _met_first(run, subject, left, right, found)
    except Raised as trouble:
        return failed(subject, trouble, left, right)


def _met_first(run: Run, subject: Subject, left: Record, right: Record, found: Matched) -> Verdict:
    for towards in SIDES:
        refused = gated(run, "linking", towards, left, right, None)
        if refused is not None:
            return Verdict(subject, Disposition.SKIPPED, refused, None, left=left, right=right)
    case = case_of(run, left, right)
    if isinstance(case, Reason):
        return Verdict(subject, Disposition.SKIPPED, case, None, left=left, right=right)
    run.judged(State.CHANGED, State.CHANGED, Move.MERGE)
    pairing = run.pairing(left.ref.kind, right.ref.kind, case)
    nothing = Agreed.nothing(pairing.labels)
    link = attrs.evolve(new_link(run, subject, left.ref, right.ref, nothing, nothing), case=case)
    system = run.definition.end(other(subject.side)).system
    why = because(Code.MATCHED, system=system, **told_of(found), **told(case))
    on_left, on_right = met(run, "left", left, pairing), met(run, "right", right, pairing)
    return decide_merge(run, subject, link, pairing, on_left, on_right, why)


def told_of(found: Matched | Unmatched) -> Mapping[str, Fact]:
    """Tell how a match went: what each level found, and of how many one was chosen by which rule."""
    facts: dict[str, Fact] = {}
    if found.tried:
        facts["tried"] = ", ".join(f"{step.level} {step.kind}: {step.found}" for step in found.tried)
    if isinstance(found, Matched):
        facts["level"] = found.level
        if found.adopted_by:
            facts |= {"adopted_by": found.adopted_by, "found": found.tried[-1].found if found.tried else 1}
    return facts


def new_link(
    run: Run, subject: Subject, left: RecordRef, right: RecordRef, left_agreed: Agreed, right_agreed: Agreed
) -> Link:
    """Tie two records."""
    key = digest(run.name, "link", str(left), str(right), subject.incarnation)
    return Link(
        key,
        left,
        right,
        left_agreed,
        right_agreed,
        run.ties(),
        subject.incarnation,
        shared=run.definition.shared,
    )
