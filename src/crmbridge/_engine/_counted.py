"""Counting: what a run has written for a record, or has found written, is not hidden by what becomes of it later.

And what is parked is counted as what it is parked as, by each run that meets it.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from ..flow import Flow
from ..model import Decision, Disposition, RecordRef, Side, other
from ..reasons import Code, because
from ..roles import Delta, Intent, JournalRow, QueueRow
from ._run import Run
from ._subjects import Verdict

_PARKED = {
    "held": Disposition.HELD,
    "disputed": Disposition.DISPUTED,
    "quarantined": Disposition.QUARANTINED,
}


def still_parked(run: Run, rows: Iterable[QueueRow]) -> tuple[Decision, ...]:
    """Decide once more as before about parked records of which nothing new is told; what is due now is decided anew."""
    now = run.now()
    return tuple(
        Decision(row.side, row.ref, None, _PARKED[row.state], row.because or because(Code.NOT_DUE))
        for row in rows
        if row.state in _PARKED and not (row.state == "held" and row.until is not None and row.until <= now)
    )


def unhidden(run: Run, delta: Delta, verdicts: Iterable[Verdict]) -> Flow[Delta]:
    """Leave out of a commit that a record waits, where an earlier round of this run has written for it.

    The record is parked with its reason all the same, and the next run counts it as held.
    """
    held = {line.ref for line in delta.decisions if line.disposition is Disposition.HELD}
    rows = [row for verdict in verdicts for row in verdict.subject.rows if row.ref in held]
    again = {row.ref for row in rows if (row.tries and row.run == run.id) or row.ref in run.recovered}
    if not again:
        return delta
    told = yield from run.ask(run.store.outbox.planned, run.id, sorted(again))
    written = {
        ref for ref in again if (one := told.get(ref)) and one.disposition is Disposition.APPLIED and one.actions
    }
    news = (line for line in delta.decisions if line.disposition is not Disposition.HELD or line.ref not in written)
    return attrs.evolve(delta, decisions=tuple(news))


def found_written(run: Run, intent: Intent, row: JournalRow) -> Flow[tuple[Decision, ...]]:
    """Count what was written without an answer as applied, in the run that finds it; a plan counts nothing so.

    One decision for each of the two records that waits in the queue: the other one was not read.
    """
    if run.planning:
        return ()
    told: list[Decision] = []
    both: tuple[tuple[Side, RecordRef, RecordRef], ...] = (
        (other(intent.side), intent.origin, row.ref),
        (intent.side, row.ref, intent.origin),
    )
    for side, ref, across in both:
        queued = yield from run.ask(run.store.agenda.rows, run.name, side, [ref])
        if ref in queued:
            fields = intent.decisions
            told.append(Decision(side, ref, across, Disposition.APPLIED, row.because, (intent.action,), fields))
    run.recovered.update(decision.ref for decision in told)
    return tuple(told)
