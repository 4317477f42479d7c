"""Counting: what a run has written for a record is not hidden by what becomes of the record in a later round."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from ..flow import Flow
from ..model import Disposition
from ..roles import Delta
from ._run import Run
from ._subjects import Verdict


def unhidden(run: Run, delta: Delta, verdicts: Iterable[Verdict]) -> Flow[Delta]:
    """Leave out of a commit that a record waits, where an earlier round of this run has written for it.

    The record is parked with its reason all the same, and the next run counts it as held.
    """
    held = {line.ref for line in delta.decisions if line.disposition is Disposition.HELD}
    again = {row.ref for verdict in verdicts for row in verdict.subject.rows if row.tries and row.run == run.id} & held
    if not again:
        return delta
    told = yield from run.ask(run.store.outbox.planned, run.id, sorted(again))
    written = {
        ref for ref in again if (one := told.get(ref)) and one.disposition is Disposition.APPLIED and one.actions
    }
    news = (line for line in delta.decisions if line.disposition is not Disposition.HELD or line.ref not in written)
    return attrs.evolve(delta, decisions=tuple(news))
