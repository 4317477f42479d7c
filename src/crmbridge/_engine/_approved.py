"""Running an approved plan: what it says and nothing else; what would be decided otherwise now is reported as stale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from ..flow import Flow
from ..model import Action, Create, Decision, Disposition, RecordRef, Side, Update, verb
from ..reasons import Code, because
from ..roles import Delta
from ._references import awaited
from ._run import Run
from ._subjects import Verdict

_LEFT_UNDONE = frozenset({Code.STALE_PLAN, Code.NOT_PLANNED})
"""Why the run of a plan holds a record."""

_MADE_AGAIN = frozenset({Code.REVIVED, Code.NEW, Code.MATCHED})
"""What a plan says of a record whose counterpart is gone and is to be made again."""


def as_approved(run: Run, verdicts: Sequence[Verdict]) -> Flow[list[Verdict]]:
    """Hold what writes, ties or unties otherwise than the approved plan says."""
    refs = [row.ref for verdict in verdicts for row in (*verdict.subject.rows, *verdict.wakes)]
    planned = yield from run.ask(run.store.outbox.planned, run.approved or "", refs)
    return [verdict if _foreseen(run, verdict, planned) else stale(run, verdict, planned) for verdict in verdicts]


def ready_again(run: Run) -> Flow[None]:
    """Make those ready that the run of a plan left undone: that run is over, and they need not wait for its lease."""
    counts = yield from run.ask(run.store.quarantine.count, run.name)
    if not any(counts.get(code) for code in _LEFT_UNDONE):
        return
    rows = yield from run.ask(run.store.quarantine.rows, run.name, "held")
    wake: tuple[tuple[Side, RecordRef], ...] = tuple(
        (row.side, row.ref) for row in rows if row.because is not None and row.because.code in _LEFT_UNDONE
    )
    yield from run.commit(Delta(wake=wake))


def stale(run: Run, verdict: Verdict, planned: Mapping[RecordRef, Decision]) -> Verdict:
    """Leave a verdict undone, for the next run to decide about; it does not come up again in this one."""
    named = any(row.ref in planned for row in verdict.subject.rows)
    return attrs.evolve(
        verdict,
        disposition=Disposition.HELD,
        because=because(Code.STALE_PLAN if named else Code.NOT_PLANNED),
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
    if planned is None or len(planned.actions) != len(now.actions):
        return False
    if not all(_same_write(one, two) for one, two in zip(planned.actions, now.actions, strict=True)):
        return False
    return bool(now.actions) or (planned.because.code, planned.counterpart) == (now.because.code, now.counterpart)


def _within(planned: Decision | None, now: Decision) -> bool:
    """Say whether what is left to do of a decision was planned; a planned twin is tied to what its twin has made."""
    if planned is None:
        return False
    if planned.because.code is Code.TWIN:
        return True
    if not all(any(_same_write(one, two) for one in planned.actions) for two in now.actions):
        return False
    return bool(now.actions) or _alike(planned, now)


def _same_write(planned: Action, now: Action) -> bool:
    """Say whether two writes are the same; the id of a parent that was only planned may be any."""
    if verb(planned) != verb(now):
        return False
    if isinstance(planned, Create | Update) and isinstance(now, Create | Update):
        return planned.values.keys() == now.values.keys() and all(
            cell == now.values[name] or awaited(cell) for name, cell in planned.values.items()
        )
    return not isinstance(planned, Create) and not isinstance(now, Create) and planned.ref == now.ref
