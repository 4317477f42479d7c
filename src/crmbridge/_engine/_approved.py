"""Running an approved plan: what it says and nothing else; what would be decided otherwise now is reported as stale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from ..flow import Flow
from ..model import Create, Decision, Disposition, RecordRef, Update, verb
from ..reasons import Code, because
from ._run import Run
from ._subjects import Verdict

_MADE_AGAIN = frozenset({Code.REVIVED, Code.NEW, Code.MATCHED})
"""What a plan says of a record whose counterpart is gone and is to be made again."""


def as_approved(run: Run, verdicts: Sequence[Verdict]) -> Flow[list[Verdict]]:
    """Hold what writes, ties or unties otherwise than the approved plan says."""
    refs = [row.ref for verdict in verdicts for row in verdict.subject.rows]
    planned = yield from run.ask(run.store.outbox.planned, run.approved or "", refs)
    return [verdict if _foreseen(run, verdict, planned) else stale(run, verdict) for verdict in verdicts]


def stale(run: Run, verdict: Verdict) -> Verdict:
    """Leave a verdict undone, for an ordinary run to decide about once this one is over."""
    return attrs.evolve(
        verdict,
        disposition=Disposition.HELD,
        because=because(Code.STALE_PLAN),
        park="held",
        until=run.now() + run.definition.lease,
        intents=(),
        link=None,
        wakes=(),
    )


def _foreseen(run: Run, verdict: Verdict, planned: Mapping[RecordRef, Decision]) -> bool:
    if not verdict.intents and not _ties(verdict):
        return True
    rows = verdict.subject.rows
    first_round = all(row.run != run.id or not row.tries for row in rows)
    woken = {row.ref for row in verdict.wakes}
    if woken and not all(ref in planned and planned[ref].because.code in _MADE_AGAIN for ref in woken):
        return False
    pairs = [
        (planned.get(row.ref), line)
        for row, line in zip(rows, verdict.decisions(), strict=True)
        if row.ref not in woken
    ]
    return all(_alike(then, now) if first_round else _within(then, now) for then, now in pairs)


def _ties(verdict: Verdict) -> bool:
    """Say whether a verdict makes a link or closes one; an agreement that moves without either is no news."""
    known = verdict.subject.link
    return verdict.link is not None and (known is None or known.closed != verdict.link.closed)


def _alike(planned: Decision | None, now: Decision) -> bool:
    """Say whether a plan's decision and today's are the same."""
    if planned is None or _shape(planned) != _shape(now):
        return False
    return bool(now.actions) or (planned.because.code, planned.counterpart) == (now.because.code, now.counterpart)


def _within(planned: Decision | None, now: Decision) -> bool:
    """Say whether what is left to do of a decision was planned; a planned twin is tied to what its twin has made."""
    if planned is None:
        return False
    if planned.because.code is Code.TWIN:
        return True
    return all(part in _shape(planned) for part in _shape(now)) and (bool(now.actions) or _alike(planned, now))


def _shape(decision: Decision) -> list[object]:
    return [
        (verb(action), action.values if isinstance(action, Create | Update) else action.ref)
        for action in decision.actions
    ]
