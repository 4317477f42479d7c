"""When to wait: for a reading that has caught up with the feed, and for a write whose answer is missing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

import attrs

from ..flow import Flow
from ..model import Create, Disposition, Record, RecordRef, Side
from ..protocols import Matched
from ..reasons import Code, because
from ..roles import Intent, QueueRow
from ._matching import Search
from ._run import SHORTLY, Run
from ._seen import Absent, Look, Seen
from ._subjects import Subject, Verdict, parked_as, parked_at

_AT_ONCE = 500


@attrs.frozen
class Window:
    """When the unseen copy of a create in doubt may have come into being."""

    begins: dt.datetime
    ends: dt.datetime


def unbelieved(run: Run, look: Look, subject: Subject) -> Verdict | None:
    """Hold a subject once where a system reads late and a reading by id is behind what its feed has told."""
    rows = [row for row in subject.rows if not _waited(row, Code.READ_TOO_EARLY)]
    late = [row for row in rows if behind(row, look.seen(row.side, row.ref))]
    lag = max((run.able(row.side, row.ref.kind).read_lag for row in late), default=dt.timedelta(0))
    return _held(run, subject, lag, Code.READ_TOO_EARLY) if lag else None


def unfound(run: Run, look: Look, subject: Subject, search: Search) -> Verdict | None:
    """Hold a record once where the directory knows a counterpart that a late reading by id does not show yet."""
    if isinstance(search.found, Matched) or any(_waited(row, Code.TWIN) for row in subject.rows):
        return None
    lags = [run.able(side, ref.kind).read_lag for side, ref in search.hints if isinstance(look.seen(side, ref), Absent)]
    lag = max(lags, default=dt.timedelta(0))
    return _held(run, subject, lag, Code.TWIN) if lag else None


def _held(run: Run, subject: Subject, lag: dt.timedelta, code: Code) -> Verdict:
    return Verdict(subject, Disposition.HELD, because(code), "held", until=run.now() + lag)


def _waited(row: QueueRow, code: Code) -> bool:
    return row.state == "held" and row.because is not None and row.because.code is code


def behind(row: QueueRow, seen: Seen | None) -> bool:
    """Say whether a reading does not show yet what the feed has told, or what was read when the row was parked."""
    if isinstance(seen, Record):
        shown = row.version is None or parked_at(seen, row.version) or parked_as(seen, row.version)
        return row.departed or not shown
    return isinstance(seen, Absent) and not row.departed


def in_doubt(run: Run, subject: Subject, side: Side) -> Verdict:
    """Hold until an open write to a side has been settled."""
    wait = max(run.able(side, kind).settles_in for kind in run.definition.end(side).kinds)
    why = because(Code.INTENT_OPEN, system=run.definition.end(side).system)
    return Verdict(subject, Disposition.HELD, why, "held", until=run.now() + max(wait, SHORTLY))


def not_settled(run: Run, searches: Iterable[Search]) -> Flow[frozenset[RecordRef]]:
    """Name the records whose match must wait: what was found, or the key itself, has an open write.

    What carries the key of a create in doubt may be its unseen copy, and that belongs to the create's own origin.
    """
    matched = [search for search in searches if isinstance(search.found, Matched)]
    if not matched or not run.doubts:
        return frozenset()
    refs = {search.record.ref: search.found.ref for search in matched if isinstance(search.found, Matched)}
    touched = yield from run.ask(run.store.outbox.holding, run.name, sorted(set(refs.values())))
    asked = [(search.record.ref, question) for search in matched for question in search.asked]
    made = yield from run.ask(run.store.outbox.creating, run.name, "", [question for _, question in asked])
    twins = {ref for (ref, _), origins in zip(asked, made, strict=True) if any(origin != ref for origin in origins)}
    return frozenset(twins.union(ref for ref, found in refs.items() if found in touched))


def unsettled(run: Run) -> Flow[Sequence[Intent]]:
    """Give every open intent: old ones that only a person can settle keep none of the others waiting."""
    limit = _AT_ONCE
    while len(found := (yield from run.ask(run.store.outbox.unsettled, run.name, limit))) == limit:
        limit *= 2
    return found


def windows(run: Run, side: Side) -> Flow[Sequence[Window]]:
    """Give the times in which records of a side may be unseen copies of creates in doubt.

    Looking alike is no test: a person may have edited the copy before we saw it.
    """
    if not run.doubts:
        return ()
    intents = yield from unsettled(run)
    return [
        Window(intent.promised_at, (intent.doubt_since or run.now()) + run.able(side, intent.action.kind).settles_in)
        for intent in intents
        if isinstance(intent.action, Create) and intent.side == side
    ]


def may_be_ours(record: Record, windows: Sequence[Window]) -> bool:
    """Say whether a record without a link came up while a create was in doubt."""
    stamp = record.stamp
    return any(stamp is None or window.begins <= stamp <= window.ends for window in windows)
