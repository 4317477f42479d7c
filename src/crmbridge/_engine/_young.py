"""How long a new record of an end with several kinds waits before its counterpart is made.

A record that nobody has seen may be one that was known under another kind: a converted lead is a new contact, and
the lead's own row may show later, by its kind's overlap. The wait counts from the stamp that the record had at first
sight, so that an edit while it waits does not begin it again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from ..flow import Flow
from ..model import SIDES, Record, RecordRef, Side, Standing
from ..reasons import Code, Reason
from ..roles import QueueRow
from ._run import Run
from ._subjects import Subject


def young_until(run: Run, subject: Subject, record: Record) -> dt.datetime | None:
    """Tell when every kind of its end will have shown a record as a moved one; None: it has waited, or need not."""
    late = _late(run, subject.side, record.ref.kind)
    if late is None or record.stamp is None or run.definition.topology == "events":
        return None
    told = [due for row in subject.rows if (due := _due(row)) is not None]
    due = min([record.stamp + late, *told])
    return due if due > run.now() else None


def _late(run: Run, side: Side, kind: str) -> dt.timedelta | None:
    """Tell how late a kind's end may show that a record moved to this kind; None: it never does."""
    kinds, moved_from = run.definition.end(side).kinds, run.able(side, kind).moved_from
    if len(kinds) == 1:
        return None
    return max((run.able(side, one).overlap for one in kinds if moved_from is None or one in moved_from), default=None)


def young(
    run: Run, arrivals: Sequence[QueueRow], standing: Mapping[RecordRef, Standing]
) -> Flow[Mapping[RecordRef, Reason]]:
    """Tell which of the records that arrived wait to be made already, and until when."""
    waiting: dict[RecordRef, Reason] = {}
    for side in SIDES:
        held = [row.ref for row in arrivals if row.side == side and _is_held(standing.get(row.ref))]
        if held and len(run.definition.end(side).kinds) > 1:
            parked = yield from run.ask(run.store.quarantine.of, run.name, side, held)
            waiting.update({ref: row.because for ref, row in parked.items() if row.because and _due(row)})
    return waiting


def _is_held(known: Standing | None) -> bool:
    return known is not None and known.parked == "held" and not known.linked


def _due(row: QueueRow) -> dt.datetime | None:
    until = row.because.facts.get("until") if row.because is not None and row.because.code is Code.NOT_DUE else None
    return until if isinstance(until, dt.datetime) else None
