"""Looking again: what was settled under other rules is not settled.

A store keeps the rules of a pipeline's last run, beside the cursors of kinds, and by each cursor the rules of what
crosses under which it was begun. Where they differ, what is parked for them wakes, every linked pair comes up, and
sources are read from the beginning where other records cross now. The new rules are put down once all of it is queued:
a run that dies before that begins again, and a plan that is thrown away leaves all of it to the next run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeAlias

from ..check import Finding, Severity
from ..definition import Definition
from ..errors import UsageError
from ..flow import Flow, call
from ..model import LEFT, SIDES, Link, Record, RecordRef, Side, other
from ..protocols import Clock
from ..reasons import Code, Fact, because
from ..roles import Delta, Fence, Progress, QueueRow, StateStore
from ._lease import leased
from ._rules import Again, Rules, read_rules, rules
from ._run import Run
from ._seen import Look

_PLACE = (LEFT, "@rules")
"""Where the store keeps the rules of the last run, and whether a run has worked off what they brought up."""

_MARK = "@read"
_AT_ONCE = 500

ReadBy: TypeAlias = "Mapping[tuple[Side, str], Progress]"
"""The rules of what crosses by which a kind was read, as they stand beside its cursor."""


def compare_rules(run: Run) -> Flow[None]:
    """Find out whether the rules are those of the last run, and wake what waits for those that have changed."""
    known = yield from run.ask(run.store.links.progress, run.name, *_PLACE)
    now = rules(run.definition)
    if known is None:
        yield from run.commit(Delta(progress={**_stands(now, done=True), **_read(run.definition, now.crossing)}))
        return
    run.unsettled_rules = not known.filled
    before = read_rules(known.cursor)
    if before == now:
        return
    run.again = Again(before, now, once=run.definition.topology == "events")
    parked = yield from run.ask(run.store.quarantine.rows, run.name)
    woken: list[tuple[Side, RecordRef]] = [(row.side, row.ref) for row in parked if run.again.wakes(row)]
    for start in range(0, len(woken), _AT_ONCE):
        yield from run.commit(Delta(wake=tuple(woken[start : start + _AT_ONCE])))


def outdated(run: Run, side: Side) -> Flow[list[str]]:
    """Name the kinds of a side that were read by other rules of what crosses; today's are those of an unmarked one."""
    now = rules(run.definition).crossing
    stale: list[str] = []
    unmarked: dict[tuple[Side, str], Progress] = {}
    for kind in run.definition.end(side).kinds:
        known = yield from run.ask(run.store.links.progress, run.name, side, _beside(kind))
        if known is None:
            unmarked |= read_by(run.definition, side, kind)
        elif known.cursor != now:
            stale.append(kind)
    if unmarked:
        yield from run.commit(Delta(progress=unmarked))
    return stale


def bring_up(run: Run, again: Again, systems: Sequence[str]) -> Flow[None]:
    """Queue every linked pair, and put the new rules down; *systems* were read from the beginning."""
    if again.linked:
        links = yield from run.ask(run.store.links.all, run.name)
        while page := (yield from run.ask(_page, links)):
            yield from _queued(run, [link for link in page if link.closed is None])
            yield from run.renewed()
    yield from run.commit(Delta(progress=_stands(again.now, done=not again.linked)))
    run.unsettled_rules = again.linked
    run.saw("looked_again", pipeline=run.name, systems=", ".join(systems))


def told_of(run: Run, systems: Sequence[str]) -> Flow[None]:
    """Say that everything is looked at again, until a run has worked it off."""
    if run.unsettled_rules:
        links = yield from run.ask(run.store.links.count, run.name)
        run.findings.append(_finding(run.name, links, systems))


def settle_rules(run: Run) -> Flow[None]:
    """Remember that a run has worked off what its rules brought up."""
    if run.unsettled_rules:
        yield from run.commit(Delta(progress=_stands(rules(run.definition), done=True)))


def pending(definition: Definition, store: StateStore) -> Flow[list[Finding]]:
    """Say before a run that it will look at everything again."""
    known: Progress | None = yield from call(store.links.progress, definition.name, *_PLACE)
    again = None if known is None else Again(read_rules(known.cursor), rules(definition))
    if definition.topology == "events" or again is None or not again.linked:
        return []
    links: int = yield from call(store.links.count, definition.name)
    systems = [definition.end(side).system for side in SIDES] if again.crossing else []
    return [_finding(definition.name, links, systems)]


def forget_rules(definition: Definition, store: StateStore, clock: Clock, *, owner: str) -> Flow[int]:
    """Let the next run look at everything again; gives how many linked pairs will come up.

    Raises `UsageError` for a pipeline of events, and `LeaseHeld` while a run of this pipeline is under way.
    """
    if definition.topology == "events":
        raise UsageError(f"{definition.name}: an event is made once; retry() looks at those that wait")

    def work(fence: Fence) -> Flow[None]:
        unknown = {**_stands(Rules(), done=True), **_read(definition, "")}
        yield from call(store.commit, definition.name, Delta(progress=unknown), fence)

    yield from leased(definition, store, clock, work, owner=owner)
    return (yield from call(store.links.count, definition.name))


def read_by(definition: Definition, side: Side, kind: str) -> ReadBy:
    """Mark a kind as read by today's rules."""
    return {(side, _beside(kind)): Progress(rules(definition).crossing, filled=True)}


def _read(definition: Definition, crossing: str) -> ReadBy:
    found: dict[tuple[Side, str], Progress] = {}
    for side in SIDES:
        found |= {(side, _beside(kind)): Progress(crossing, filled=True) for kind in definition.end(side).kinds}
    return found


def _beside(kind: str) -> str:
    return f"{kind} {_MARK}"


def _stands(now: Rules, *, done: bool) -> dict[tuple[Side, str], Progress]:
    return {_PLACE: Progress(str(now), filled=done)}


def _finding(name: str, links: int, systems: Sequence[str]) -> Finding:
    more: dict[str, Fact] = {"systems": ", ".join(systems)} if systems else {}
    return Finding(name, because(Code.RULES_CHANGED, count=links, **more), Severity.NOTE)


def _page(links: Iterator[Link]) -> Sequence[Link]:
    return list(islice(links, _AT_ONCE))


def _queued(run: Run, links: Sequence[Link]) -> Flow[None]:
    """Queue linked pairs, each by its left record unless that is in the queue; what is gone counts as departed.

    Where a link would only be closed, nobody but a guard needs to know of it before its batch is read.
    """
    gone: list[QueueRow] = []
    for side in SIDES:
        if run.definition.guards or _removes(run.definition, other(side)):
            gone.extend((yield from _absent(run, side, [link.ref(side) for link in links])))
    queued = yield from run.ask(run.store.agenda.rows, run.name, LEFT, [link.left for link in links])
    known = {*queued, *(row.ref for row in gone if row.side == LEFT)}
    rows = [QueueRow(LEFT, link.left, run=run.id) for link in links if link.left not in known]
    if rows or gone:
        yield from run.commit(Delta(queue=(*rows, *gone)))


def _removes(definition: Definition, side: Side) -> bool:
    return (definition.deletes.left if side == "left" else definition.deletes.right) != "detach"


def _absent(run: Run, side: Side, refs: Sequence[RecordRef]) -> Flow[list[QueueRow]]:
    """Look for records whose removal no feed may have told, so that the guards count what would follow it."""
    if not run.definition.end(side).reads:
        return []
    refs = list(dict.fromkeys(refs))
    look = Look(run)
    yield from look.read(side, refs)
    return [
        QueueRow(side, ref, departed=True, run=run.id) for ref in refs if not isinstance(look.at(side, ref), Record)
    ]
