"""Events: records of an append-only kind, each of which makes one record over there, once.

Where the system can be read, a delivery is a hint and the record is read again. Where it cannot, an authenticated
delivery *is* the record: it was stored before it was answered, and is kept until it is done with. Only events from
the latest enabling on flow; enabling again starts no back-fill.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from ..flow import Flow
from ..model import LEFT, SIDES, Arrived, Disposition, Record, RecordRef, Signal, Standing
from ..reasons import Code, because
from ..roles import Delta, QueueRow
from ._counted import still_parked
from ._run import Run
from ._young import young

_AT_ONCE = 500


def delivered(run: Run) -> Flow[None]:
    """Take what waits in the inbox into the queue; deliveries of a pipeline that is off wait no longer."""
    while True:
        arrivals = yield from run.ask(run.store.inbox.waiting, run.name, _AT_ONCE)
        if not arrivals:
            return
        refs = [_ref(arrival) for arrival in arrivals]
        standing: dict[RecordRef, Standing] = {}
        for side in SIDES:
            mine = [ref for ref in refs if ref.system == run.definition.end(side).system]
            if mine:
                standing.update((yield from run.ask(run.store.links.standing, run.name, side, mine)))
        again = [one.record.ref for one in arrivals if isinstance(one, Arrived) and _parked(standing, one.record.ref)]
        still: Mapping[RecordRef, QueueRow] = {}
        if again:
            still = yield from run.ask(run.store.quarantine.of, run.name, LEFT, again)
        rows: list[QueueRow] = []
        finished: list[RecordRef] = []
        for arrival in arrivals:
            if isinstance(arrival, Arrived) and arrival.record.ref in still:
                continue  # what waits keeps its values, and is not queued a second time
            row = _row(run, arrival, standing)
            if row is not None:
                rows.append(row)
            elif isinstance(arrival, Arrived):
                finished.append(arrival.record.ref)
        taken = tuple(arrival.id for arrival in arrivals)
        # The feed will tell of the same change; a row in the place of one that waits would not know since when.
        waits = yield from young(run, rows, standing)
        queue = tuple(row for row in rows if row.ref not in waits)
        parked = still_parked(run, still.values())
        yield from run.commit(Delta(queue=queue, taken=taken, finished=tuple(finished), run=run.id, decisions=parked))
        run.saw("received", records=len(arrivals))


def _parked(standing: Mapping[RecordRef, Standing], ref: RecordRef) -> bool:
    known = standing.get(ref)
    return known is not None and known.parked is not None


def _ref(arrival: Signal | Arrived) -> RecordRef:
    return arrival.record.ref if isinstance(arrival, Arrived) else arrival.ref


def _row(run: Run, arrival: Signal | Arrived, standing: Mapping[RecordRef, Standing]) -> QueueRow | None:
    ref = _ref(arrival)
    if isinstance(arrival, Arrived):
        return event_row(run, ref, arrival.at, standing.get(ref))
    known = standing.get(ref)
    if known is not None and known.closed and not known.linked:
        return None
    return QueueRow("left" if ref.system == run.definition.left.system else "right", ref, run=run.id)


def event_row(run: Run, ref: RecordRef, at: dt.datetime | None, known: Standing | None) -> QueueRow | None:
    """Queue an event, now or for when it is due; None for one from before the enabling, or one that was made."""
    if known is not None and (known.linked or known.closed):
        run.count(Disposition.UNCHANGED)
        return None
    if run.enabled_since is None or (at is not None and at < run.enabled_since):
        run.count(Disposition.SKIPPED)
        return None
    due = (at or run.now()) + run.definition.delay
    if due <= run.now():
        return QueueRow("left", ref, run=run.id)
    run.count(Disposition.HELD)
    return QueueRow("left", ref, "held", until=due, because=because(Code.NOT_DUE, until=due), run=run.id)


def finished(run: Run, rows: Sequence[QueueRow]) -> tuple[RecordRef, ...]:
    """Name the delivered records that need not be kept, now that their rows end."""
    if run.definition.topology != "events" or run.definition.left.reads:
        return ()
    return tuple(row.ref for row in rows if row.side == "left")


def arrived(run: Run, refs: Sequence[RecordRef]) -> Flow[dict[RecordRef, Record]]:
    """Give records that were delivered and are kept."""
    kept = yield from run.ask(run.store.inbox.of, run.name, refs)
    return {ref: arrival.record for ref, arrival in kept.items()}
