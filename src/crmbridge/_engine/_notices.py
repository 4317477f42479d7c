"""Notices: one message for a record and an incident, committed with its trouble and sent afterwards."""

from __future__ import annotations

from collections.abc import Coroutine, Generator, Iterable, Sequence

import attrs

from ..flow import Flow, call
from ..protocols import Notice, Notifier
from ..reasons import Reason
from ..roles import Delta, QueueRow
from ._run import Run
from ._subjects import Verdict, digest

_AT_ONCE = 200

_MARK = "~"
"""Parts the key of an incident from the places of the notifiers that were told of it."""


def notices(run: Run, verdicts: Iterable[Verdict]) -> tuple[Notice, ...]:
    """Tell of records that were decided about and go into quarantine; one that nobody looks at again is old news."""
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
    """Send what waits; what cannot be sent now waits for a later run and stops nothing.

    A notifier that fails is left alone for the rest of the run, and keeps no other from being told once.
    """
    notifiers, failing = run.definition.notifiers, set[int]()
    everybody = range(len(notifiers))
    mine = (yield from _waiting(run)) if notifiers else ()
    for notice in mine:
        told = _told(notice)
        for place, notifier in enumerate(notifiers):
            if place in told or place in failing:
                continue
            try:
                yield from _sent(notifier, attrs.evolve(notice, key=_incident(notice)))
            except Exception as error:  # noqa: BLE001 - a notifier's client raises errors of its own
                # No text of the error: it may hold an address, or a key of the service.
                run.saw("notice_not_sent", notifier=type(notifier).__name__, error=type(error).__name__)
                failing.add(place)
                continue
            told = told | {place}
            if not told.issuperset(everybody):
                notice = yield from _remembered(run, notice, told)  # noqa: PLW2901 - the same one, under its new key
        if told.issuperset(everybody):
            yield from run.commit(Delta(settled=(notice.key,)))
        if len(failing) == len(notifiers):
            return


def _sent(notifier: Notifier, notice: Notice) -> Flow[None]:
    """Have a notifier send; one that gives no flow has sent when it comes back, or raises `TypeError` where it awaits."""
    flow = yield from call(notifier.send, notice)
    if isinstance(flow, Coroutine):
        flow.close()
        raise TypeError(type(flow).__name__)
    if isinstance(flow, Generator):
        yield from flow


def _waiting(run: Run) -> Flow[Sequence[Notice]]:
    """Give this pipeline's oldest notices that some notifier has not been told of.

    Those that a failing notifier keeps waiting are read past, however many they are.
    """
    limit = _AT_ONCE
    while True:
        found = yield from run.ask(run.store.outbox.notices, limit)
        mine = [notice for notice in found if notice.pipeline == run.name]
        if len(found) < limit or sum(not _told(notice) for notice in mine) >= _AT_ONCE:
            return mine
        limit *= 2


def _remembered(run: Run, notice: Notice, told: frozenset[int]) -> Flow[Notice]:
    """Note in the key of a notice who was told of it, so that nobody is told twice."""
    now = attrs.evolve(notice, key=_MARK.join((_incident(notice), *map(str, sorted(told)))))
    yield from run.commit(Delta(settled=(notice.key,), notices=(now,)))
    return now


def _incident(notice: Notice) -> str:
    return notice.key.partition(_MARK)[0]


def _told(notice: Notice) -> frozenset[int]:
    return frozenset(map(int, notice.key.split(_MARK)[1:]))
