"""Guards: they judge the whole queue before the first write, and what a run promises before each batch of it.

What the queue alone tells is an upper bound. Only where a guard would object to that much is the queue decided once
beforehand, page by page as for a plan, to count what it really comes to. What comes up in the middle of a run, such as a
record that only a read by id shows to be gone, a child that wakes or an event that comes due, is judged together with all
that the run has promised before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs

from ..definition import Definition
from ..errors import GuardTripped
from ..flow import Flow
from ..model import SIDES, Side, Totals, other
from ..plan import Removal
from ..reasons import Code, Fact, Reason
from ..references import Ensured
from ..roles import Delta, Tally
from ._parents import part
from ._planning import foreseen
from ._run import Run
from ._subjects import Verdict

_WRITTEN: Mapping[Code, str] = {
    Code.TOO_MANY_CREATES: "created",
    Code.TOO_MANY_UPDATES: "updated",
    Code.TOO_MANY_BLANKS: "emptied",
    Code.TOO_MANY_DELETES: "removed",
    Code.EMPTIED: "gone",
}
"""Names the fact of an objection that tells what was done before a guard stopped a run in its middle."""


def guarded(run: Run) -> Flow[None]:
    """Let the guards judge the whole queue before the first write; a trip holds until a person or a lower tally."""
    if not run.definition.guards:
        return
    tally = yield from run.ask(run.store.agenda.tally, run.name, run.now())
    run.sums.links = max(run.sums.links, tally.links)
    run.sums.before = yield from done_before(run)
    found = yield from _judged(run, tally)
    yield from run.commit(Delta(objection=found, objection_cleared=found is None))
    if found is not None:
        raise GuardTripped(run.name, found)


def guarded_batch(run: Run, verdicts: Sequence[Verdict]) -> Flow[None]:
    """Let the guards judge what a batch adds to all that a run has promised, before any of it is promised."""
    if not run.definition.guards or run.overruled or not any(one.intents or one.gone for one in verdicts):
        return
    before = run.sums.totals()
    run.sums.add(run.definition, verdicts)
    found = _objection(run.definition, run.sums.totals(), before)
    if found is None:
        return
    # What it has made since it began counts as well where a guard allows a share.
    links = yield from run.ask(run.store.links.count, run.name)
    run.sums.links = max(run.sums.links, links)
    found = _objection(run.definition, run.sums.totals(), before)
    if found is not None:
        yield from run.commit(Delta(objection=found))
        raise GuardTripped(run.name, found)


def guarded_plan(run: Run, totals: Totals) -> Flow[Totals]:
    """Put down what the guards say to the exact totals of a plan, and give these with what counts as well."""
    totals = attrs.evolve(totals, before=(yield from done_before(run)))
    found = _objection(run.definition, totals.own)
    yield from run.commit(Delta(objection=found, objection_cleared=found is None))
    return totals


def cleared(run: Run) -> Flow[None]:
    """Let an objection go, since a person has run a plan."""
    if run.definition.guards:
        yield from run.commit(Delta(objection_cleared=True))


def objections(
    definition: Definition, plan: str, own: Totals, inside: Mapping[str, Totals]
) -> Iterator[tuple[str, str, Reason]]:
    """Give what guards say to a plan, and to the plans inside it in which parents are made: by plan and pipeline."""
    found = _objection(definition, own)
    if found is not None:
        yield plan, definition.name, found
    ensured = {one.within.name: one.within for one in definition.references if isinstance(one, Ensured)}
    for within in ensured.values():
        name = part(plan, within.name)
        if name in inside:
            yield from objections(within, name, inside[name], inside)


# -- what a queue comes to -----------------------------------------------------------------------


def upper_bounds(definition: Definition, tally: Tally) -> Totals:
    """Tell what a queue can come to at most, by what it tells itself.

    What nothing in it tells is left to the judgement of each batch: that a record is gone of which no feed says so, and
    what will wake or come due. That all of a side is gone is reckoned with wherever all that is linked comes up.
    """
    tied = {side: tally.linked.get(side, 0) + tally.departed_linked.get(side, 0) for side in SIDES}
    pairs = min(sum(_pairs(definition, tally, side, tied[side]) for side in SIDES), tally.links)
    writes: dict[tuple[str, str], int] = {}

    def may(side: Side, verb: str, count: int) -> None:
        key = definition.end(side).system, verb
        writes[key] = writes.get(key, 0) + count

    for side in SIDES:
        across = other(side)
        if side == "left" and not definition.may_write_left:
            continue
        lost, left_over = (_pairs(definition, tally, one, tally.departed_linked.get(one, 0)) for one in (side, across))
        if definition.topology != "events":
            # A record without a counterpart may meet one that is there, and what both hold may change both.
            may(side, "update", pairs + sum(tally.unlinked.values()))
        if definition.creates(side):
            revived = _removes(definition, across) and definition.deletes.if_edited != "remove"
            may(side, "create", tally.unlinked.get(across, 0) + (lost if revived else 0))
        if _removes(definition, side):
            may(side, _removal(definition, side), left_over)
    blanks = pairs * len(definition.every_field) * len(SIDES)
    return Totals(0, tally.links, {}, writes, blanks, pairs)


def _pairs(definition: Definition, tally: Tally, side: Side, rows: int) -> int:
    """Tell how many pairs so many rows of a side bring up at most: a shared record brings up all who share it."""
    return tally.links if rows and side == "right" and definition.shared else min(rows, tally.links)


def _removal(definition: Definition, side: Side) -> Removal:
    return definition.deletes.left if side == "left" else definition.deletes.right


def _removes(definition: Definition, side: Side) -> bool:
    return _removal(definition, side) != "detach"


def _judged(run: Run, tally: Tally) -> Flow[Reason | None]:
    """Judge upper bounds, and count exactly only where the most that there can be is too much."""
    done = run.sums.totals()
    found = _objection(run.definition, _both(done, upper_bounds(run.definition, tally)), done)
    if found is None:
        return None
    if found.code not in (Code.TOO_MANY_CREATES, Code.TOO_MANY_UPDATES):
        # What is not linked yet empties and removes nothing: it is matched beforehand only where it matters.
        strangers = upper_bounds(run.definition, attrs.evolve(tally, linked={}, departed_linked={}))
        linked = (yield from foreseen(run, linked=True)).totals()
        found = _objection(run.definition, _both(done, _both(linked, strangers)), done)
        if found is None or not any(tally.unlinked.values()):
            return found
    exact = (yield from foreseen(run, linked=False)).totals()
    return _objection(run.definition, _both(done, exact), done)


def _both(one: Totals, two: Totals) -> Totals:
    writes = {key: one.writes.get(key, 0) + two.writes.get(key, 0) for key in (*one.writes, *two.writes)}
    links = max(one.links, two.links)
    return Totals(0, links, {}, writes, one.blanks + two.blanks, one.gone + two.gone, {**one.before, **two.before})


# -- what was done before a stop -------------------------------------------------------------------


def _objection(definition: Definition, totals: Totals, promised: Totals | None = None) -> Reason | None:
    """Judge totals together with what stopped runs have done; says with it what was done, and *promised*, by now."""
    found = definition.objection(_with_before(definition, totals))
    if found is None:
        return None
    facts: dict[str, Fact] = {**found.facts, **totals.before}
    name = _WRITTEN.get(found.code, "")
    more = 0 if promised is None else _done(promised).get(name, 0)
    if more:
        facts[name] = totals.before.get(name, 0) + more
    return attrs.evolve(found, facts=facts)


def _with_before(definition: Definition, totals: Totals) -> Totals:
    """Add what stopped runs have done to totals that come to more of the same; the rest has no part in it."""
    before = {name: totals.before.get(name, 0) for name, count in _done(totals).items() if count}
    if not any(before.values()):
        return totals
    writes = dict(totals.writes)
    for name, named in (("created", "create"), ("updated", "update"), ("removed", "delete")):
        key = definition.right.system, named
        writes[key] = writes.get(key, 0) + before.get(name, 0)
    gone = before.get("gone", 0)
    return attrs.evolve(
        totals,
        links=totals.links + gone,
        writes=writes,
        blanks=totals.blanks + before.get("emptied", 0),
        gone=totals.gone + gone,
    )


def _done(totals: Totals) -> Mapping[str, int]:
    return {
        "created": totals.of("create"),
        "updated": totals.of("update"),
        "emptied": totals.blanks,
        "removed": totals.of("delete") + totals.of("archive"),
        "gone": totals.gone,
    }


def done_before(run: Run) -> Flow[Mapping[str, int]]:
    """Tell what was done by runs that a guard stopped in their middle; nobody has ruled on it since."""
    held = yield from run.ask(run.store.rulings.objection, run.name)
    facts: Mapping[str, Fact] = held.facts if held is not None and held.code in _WRITTEN else {}
    return {name: done for name in _WRITTEN.values() if isinstance(done := facts.get(name), int)}
