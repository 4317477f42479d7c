"""Deciding without promising: the pages of a plan, and what a queue comes to where a guard must know it exactly."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from functools import partial

import attrs

from ..flow import Flow
from ..model import SIDES, Create, Decision
from ..protocols import KeyValue
from ..roles import Delta, QueueRow
from ._batch import decide
from ._followed import Followed
from ._pacing import paced
from ._parents import part
from ._relinked import Relinked
from ._run import Run
from ._subjects import Verdict
from ._sums import Sums
from ._tied import Tied
from ._twins import Foreseen, Reserved

_TRIAL = "foreseen"


def planned(run: Run) -> Flow[None]:
    """Decide the whole queue and promise nothing; the decisions are rows of the plan."""
    yield from _by_batches(run, run.now(), partial(plan_page, run))


def _by_batches(run: Run, due_at: dt.datetime, work: Callable[[Sequence[QueueRow]], Flow[None]]) -> Flow[None]:
    """Work on what is due in whole batches, and on what this brings up.

    A run takes departures first, over all batches, and so does what foresees it.
    """
    size = run.definition.batch
    first = yield from run.ask(run.store.agenda.due, run.name, due_at, 1)
    waiting: list[QueueRow] = []
    last = 0
    for departed in (True, False) if any(row.departed for row in first) else (False,):
        after, known = 0, last
        while rows := (yield from run.ask(run.store.agenda.due, run.name, due_at, size, after=after)):
            after = max(row.sequence for row in rows)
            waiting.extend(row for row in rows if row.departed == departed or row.sequence > known > 0)
            while len(waiting) >= size:
                yield from work(waiting[:size])
                del waiting[:size]
            yield from run.renewed()
        last = max(last, after)
    while waiting:
        yield from work(waiting)
        waiting = list((yield from run.ask(run.store.agenda.due, run.name, due_at, size, after=last)))
        last = max((row.sequence for row in waiting), default=last)


def plan_page(run: Run, rows: Sequence[QueueRow]) -> Flow[None]:
    """Decide about a batch for a plan."""
    decided = yield from run.ask(run.store.outbox.planned, run.id, [row.ref for row in rows])
    verdicts = yield from _decided(run, [row for row in rows if row.ref not in decided])
    decisions: list[Decision] = []
    keys: list[tuple[tuple[KeyValue, ...], ...]] = []
    for verdict in verdicts:
        for decision in verdict.decisions():
            decisions.append(decision)
            keys.append((verdict.keys,) if any(isinstance(i.action, Create) for i in verdict.intents) else ())
    yield from run.commit(Delta(run=run.id, decisions=tuple(decisions), planned=tuple(keys)))
    run.saw("planned", records=len(rows))
    yield from run.renewed()


def foreseen(run: Run, *, linked: bool) -> Flow[Sums]:
    """Count what a run would come to by deciding about all that waits; nothing is promised, and no row of it kept.

    *linked*: of the records that are linked, or live on in one that is, alone. Parents that would be made are planned
    as those of a plan are.
    """
    trial = _trial(run)
    made, seen = Foreseen(), Tied()

    def look(rows: Sequence[QueueRow]) -> Flow[None]:
        fresh = [row for row in rows if not seen.has(row.side, row.ref)]
        verdicts = yield from _decided(trial, (yield from _with_links(run, fresh)) if linked else fresh, made)
        for verdict in verdicts:
            for row in verdict.subject.rows:
                seen.add(row.side, row.ref)
        run.saw("foreseen", records=len(rows))
        yield from run.renewed()
        trial.fence = run.fence

    yield from _by_batches(run, run.now(), look)
    return trial.sums


def _decided(run: Run, rows: Sequence[QueueRow], reserved: Reserved | None = None) -> Flow[list[Verdict]]:
    """Decide about a batch as a run would, its survivors too, and count it."""
    verdicts = yield from decide(run, rows, reserved)
    # A run closes the link of a survivor in order to make the other anew, and decides about the survivor at once. What
    # is decided later, about whatever record, finds the links closed that a run would have closed by then.
    again = [row for verdict in verdicts for row in verdict.wakes]
    for verdict in verdicts:
        if verdict.link is not None and verdict.link.closed is not None:
            run.relinked.put(verdict.subject.link or verdict.link, verdict.link)
    if again:
        verdicts.extend((yield from decide(run, again, reserved)))
    verdicts, _ = yield from paced(run, verdicts)
    run.sums.add(run.definition, verdicts)
    return verdicts


def _trial(run: Run) -> Run:
    """Give a run that decides as this one would, and leaves nothing of it behind."""
    return attrs.evolve(
        run,
        id=part(run.id, _TRIAL),
        planning=True,
        observer=None,
        sums=Sums(),
        starts=None,
        followed=Followed(),
        pairings={},
        taken=Tied(),
        sharing={},
        rulings={},
        relinked=Relinked(),
        upcoming={},
        parts={},
        findings=[],
        bring=plan_page,
    )


def _with_links(run: Run, rows: Sequence[QueueRow]) -> Flow[list[QueueRow]]:
    """Give the rows of records that are linked, or live on in one that is."""
    found: list[QueueRow] = []
    for side in SIDES:
        mine = [row for row in rows if row.side == side]
        if not mine:
            continue
        lives = yield from run.ask(run.store.links.followed, run.name, side, [row.ref for row in mine])
        refs = [*(row.ref for row in mine), *lives.values()]
        known = yield from run.ask(run.store.links.standing, run.name, side, refs)
        linked = {ref for ref, standing in known.items() if standing.linked}
        found.extend(row for row in mine if row.ref in linked or lives.get(row.ref) in linked)
    return found
