"""Guards: they judge the whole queue before the first write, and what only values tell by deciding all of it first.

What the queue alone tells, of emptied fields too, is an upper bound. Only where a guard would object to that much is the
queue decided once beforehand, page by page as for a plan, to count what would be emptied; nothing of it is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from ..definition import Definition
from ..errors import GuardTripped
from ..flow import Flow
from ..model import LEFT, SIDES, Cell, Link, Missing, Totals, Update, is_blank, other
from ..reasons import Code, Reason
from ..roles import Delta, QueueRow, Tally
from ._batch import decide
from ._followed import Followed
from ._pacing import paced
from ._relinked import Relinked
from ._run import Run
from ._subjects import Verdict
from ._tied import Tied

_EMPTIED = "emptied"
"""Names the fact of an objection that tells what was emptied before a guard stopped a run in its middle."""


def guarded(run: Run) -> Flow[None]:
    """Let the guards judge the whole queue before the first write; a trip holds until a person or a lower tally."""
    if not run.definition.guards:
        return
    tally = yield from run.ask(run.store.agenda.tally, run.name, run.now())
    run.blanks = yield from _emptied_before(run)
    found = yield from _judged(run, upper_bounds(run.definition, tally), _most_blanks(run.definition, tally))
    yield from run.commit(Delta(objection=found, objection_cleared=found is None))
    if found is not None:
        raise GuardTripped(run.name, found)


def guarded_batch(run: Run, verdicts: Sequence[Verdict]) -> Flow[None]:
    """Let the guards judge what the values of a batch empty: they may have changed since the whole queue was judged."""
    emptied = sum(blanks(verdict) for verdict in verdicts)
    if not emptied or not run.definition.guards or run.approved is not None:
        return
    links = yield from run.ask(run.store.links.count, run.name)
    found = _over_runs(run.definition, Totals(0, links, {}, {}, emptied), run.blanks)
    if found is not None:
        yield from run.commit(Delta(objection=found))
        raise GuardTripped(run.name, found)
    run.blanks += emptied


def guarded_plan(run: Run, totals: Totals) -> Flow[Totals]:
    """Put down what the guards say to the exact totals of a plan, and give these with what is gone."""
    if run.definition.guards:
        tally = yield from run.ask(run.store.agenda.tally, run.name, run.now())
        totals = attrs.evolve(totals, gone=gone(tally))
    found = _over_runs(run.definition, totals, (yield from _emptied_before(run)))
    yield from run.commit(Delta(objection=found, objection_cleared=found is None))
    return totals


def overruled(run: Run) -> Flow[None]:
    """Let an objection go, since a person has run a plan."""
    if run.definition.guards:
        yield from run.commit(Delta(objection_cleared=True))


def blanks(verdict: Verdict) -> int:
    """Count the filled fields that a verdict empties."""
    updates = (intent for intent in verdict.intents if isinstance(intent.action, Update))
    return sum(1 for intent in updates for f in intent.fields if is_blank(f.sent) and not _empty(f.before))


def _empty(value: Cell | Missing) -> bool:
    return isinstance(value, Missing) or is_blank(value)


def _over_runs(definition: Definition, totals: Totals, before: int) -> Reason | None:
    """Judge totals together with what a run that was stopped has emptied already; what empties nothing adds nothing."""
    if not totals.blanks or not before:
        return definition.objection(totals)
    found = definition.objection(attrs.evolve(totals, blanks=totals.blanks + before))
    if found is None or found.code is not Code.TOO_MANY_BLANKS:
        return found
    return attrs.evolve(found, facts={**found.facts, _EMPTIED: before})


def _emptied_before(run: Run) -> Flow[int]:
    """Tell what was emptied by a run that a guard stopped in its middle; nobody has ruled on it since."""
    held = yield from run.ask(run.store.rulings.objection, run.name)
    emptied = held.facts.get(_EMPTIED, 0) if held is not None else 0
    return emptied if isinstance(emptied, int) else 0


def upper_bounds(definition: Definition, tally: Tally) -> Totals:
    """Tell what a queue can come to at most, save for emptied fields; removals are known exactly."""
    writes: dict[tuple[str, str], int] = {}
    for side in SIDES:
        across = other(side)
        removal = definition.deletes.right if across == "right" else definition.deletes.left
        system = definition.end(across).system
        writes[system, "update"] = tally.linked.get(side, 0)
        if definition.creates(across):
            writes[system, "create"] = tally.unlinked.get(side, 0)
        if removal != "detach":
            writes[system, removal] = tally.departed_linked.get(side, 0)
    return Totals(0, tally.links, {}, writes, gone=gone(tally))


def gone(tally: Tally) -> int:
    """Count the linked records that are gone, on the side where more of them are."""
    return max(tally.departed_linked.values(), default=0)


def _most_blanks(definition: Definition, tally: Tally) -> int:
    """Tell how many fields a queue can empty at most: all of its pairs, on both sides.

    A row of a shared record brings up all who share it.
    """
    rows = sum(tally.linked.values()) + sum(tally.departed_linked.values())
    pairs = tally.links if definition.shared and rows else min(rows, tally.links)
    return pairs * len(definition.every_field) * len(SIDES)


def _judged(run: Run, bounds: Totals, most: int) -> Flow[Reason | None]:
    """Judge upper bounds, and count the emptied fields only where the most that there can be is too many."""
    found = run.definition.objection(bounds)
    if found is not None or _over_runs(run.definition, attrs.evolve(bounds, blanks=most), run.blanks) is None:
        return found
    emptied = yield from _foreseen(run)
    return _over_runs(run.definition, attrs.evolve(bounds, blanks=emptied), run.blanks)


def _foreseen(run: Run) -> Flow[int]:
    """Decide about all that is linked in the queue, and count the fields that this would empty; promise nothing."""
    trial = attrs.evolve(
        run,
        planning=True,
        observer=None,
        starts=None,
        followed=Followed(),
        taken=Tied(),
        relinked=Relinked(),
        sharing={},
        rulings={},
    )
    counted = Tied()
    emptied = after = 0
    due_at = run.now()
    while rows := (yield from run.ask(run.store.agenda.due, run.name, due_at, run.definition.batch, after=after)):
        after = max(row.sequence for row in rows)
        verdicts = yield from decide(trial, (yield from _with_links(run, rows)))
        verdicts, _ = yield from paced(trial, verdicts)
        for verdict, link in _emptying(verdicts):
            # Both records of a pair may be queued, on different pages.
            if not counted.has(LEFT, link.left):
                counted.add(LEFT, link.left)
                emptied += blanks(verdict)
        run.saw("foreseen", records=len(rows))
        yield from run.renewed()
        trial.fence = run.fence
    return emptied


def _emptying(verdicts: Sequence[Verdict]) -> Iterator[tuple[Verdict, Link]]:
    for verdict in verdicts:
        link = verdict.link or verdict.subject.link
        if link is not None and blanks(verdict):
            yield verdict, link


def _with_links(run: Run, rows: Sequence[QueueRow]) -> Flow[list[QueueRow]]:
    """Give the rows of records that are linked, or live on in one that is: a first contact empties nothing."""
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
