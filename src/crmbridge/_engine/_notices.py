"""Notices: one message for a record and an incident, committed with its trouble and sent afterwards."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import CrmBridgeError
from ..flow import Flow
from ..protocols import Notice
from ..reasons import Reason
from ..roles import Delta, QueueRow
from ._run import Run
from ._subjects import Verdict, digest

_AT_ONCE = 200


def notices(run: Run, verdicts: Iterable[Verdict]) -> tuple[Notice, ...]:
    """Tell of records that go into quarantine now; a record that was there already is old news."""
    if not run.definition.notifiers:
        return ()
    return tuple(
        notice(run, row, verdict.because)
        for verdict in verdicts
        if verdict.park == "quarantined"
        for row in verdict.subject.rows
    )


def notice(run: Run, row: QueueRow, why: Reason) -> Notice:
    """Tell of one record; each incident has a key of its own."""
    return Notice(digest(run.name, "notice", str(row.ref), row.sequence, row.tries), row.ref, why, run.name)


def send_notices(run: Run) -> Flow[None]:
    """Send what waits; what cannot be sent now waits for a later run and stops nothing."""
    if not run.definition.notifiers:
        return
    waiting = yield from run.ask(run.store.outbox.notices, _AT_ONCE)
    for notice in waiting:
        if notice.pipeline != run.name:
            continue
        try:
            for notifier in run.definition.notifiers:
                yield from notifier.send(notice)
        except (CrmBridgeError, OSError) as error:
            run.saw("notice_not_sent", error=type(error).__name__)
            return
        yield from run.commit(Delta(settled=(notice.key,)))
