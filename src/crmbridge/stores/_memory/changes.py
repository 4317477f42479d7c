"""What changes a memory store: a commit, and the forgetting of records.

All that a commit may refuse is found before the first change, so that it is all or nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import attrs

from ...errors import StateError
from ...model import LEFT, RIGHT, SIDES, Arrived, Create, Deleted, Disposition, Merged, Moved, RecordRef, Side
from ...roles import Delta, Fence, QueueRow
from .._shared import all_keys, emptied, fingerprint, planned_create, runs_of, stale, touched
from .retaining import keep_history
from .tables import Pipe, Run, Tables
from .work import holds, wake


def commit(tables: Tables, pipeline: str, delta: Delta, fence: Fence) -> None:
    """Change all of it or nothing."""
    with tables.lock:
        if not holds(tables, fence):
            raise stale(fence)
        pipe = tables.pipes[pipeline]
        _refuse_double_links(pipe, delta)
        for row in sorted(delta.queue, key=lambda row: row.sequence == 0):
            _queue(pipe, row)
        for row in delta.done:
            _done(pipe, row)
        for place in delta.wake:
            wake(pipe, place)
        for link in delta.links:
            pipe.put_link(link)
        for side, departure in delta.departures:
            if isinstance(departure, Deleted) or departure.ref == departure.into:
                continue
            if _keeps_out(tables, departure):
                pipe.aliases.pop((side, departure.ref), None)
            else:
                _alias(pipe, side, departure.ref, departure.into)
        pipe.progress.update(delta.progress)
        _outbox(tables, pipe, pipeline, delta)
        _inbox_and_directory(tables, pipe, delta)
        kept = [one for one in pipe.starts if delta.starts_matter is None or one.at >= delta.starts_matter]
        pipe.starts = sorted({*kept, *delta.starts}, key=lambda one: (one.at, one.key))
        keep_history(tables, pipeline, delta)
        if delta.objection_cleared:
            pipe.objection = None
        pipe.objection = delta.objection or pipe.objection


def _refuse_double_links(pipe: Pipe, delta: Delta) -> None:
    put = {link.id: link for link in delta.links}
    for side in (LEFT, RIGHT):
        exclusive = [link for link in put.values() if link.closed is None and not (side == RIGHT and link.shared)]
        held: Counter[RecordRef] = Counter(link.ref(side) for link in exclusive)
        for ref in tuple(held):
            held[ref] += sum(
                link.closed is None and link.id not in put and not (side == RIGHT and link.shared)
                for link in pipe.of(side, ref)
            )
        if any(claims > 1 for claims in held.values()):
            raise StateError("two live links of one record; nothing was committed")


def _queue(pipe: Pipe, row: QueueRow) -> None:
    # Parked rows come before arrivals: no number that is given now can have been taken.
    if row.sequence == 0:
        pipe.put_row(row)
    elif (known := pipe.queue.get((row.side, row.ref))) and known.sequence == row.sequence:
        pipe.queue[row.side, row.ref] = row


def _done(pipe: Pipe, row: QueueRow) -> None:
    if (known := pipe.queue.get((row.side, row.ref))) and known.sequence == row.sequence:
        del pipe.queue[row.side, row.ref]


def _alias(pipe: Pipe, side: Side, old: RecordRef, new: RecordRef) -> None:
    end = new
    while end != old and (side, end) in pipe.aliases:
        end = pipe.aliases[side, end]
    if end == old:
        # It came back: what was said last is true, and a chain never runs in a circle.
        pipe.aliases.pop((side, new), None)
    pipe.aliases[side, old] = new


def _outbox(tables: Tables, pipe: Pipe, pipeline: str, delta: Delta) -> None:
    for intent in delta.promised:
        pipe.intents[intent.key] = intent
        kind, keys = (intent.action.kind, intent.keys) if isinstance(intent.action, Create) else ("", ())
        pipe.creates.put(intent.key, kind, all_keys(keys))
    for notice in delta.notices:
        tables.notices[notice.key] = notice
    for key in delta.settled:
        pipe.intents.pop(key, None)
        pipe.creates.drop(key)
        tables.notices.pop(key, None)
    tables.journal.extend((pipeline, row) for row in delta.journal)
    for run in runs_of(delta):
        tables.runs.setdefault(run, Run())
    if delta.decisions:
        _decisions(tables.runs[delta.run], pipeline, delta)


def _decisions(run: Run, pipeline: str, delta: Delta) -> None:
    for index, decision in enumerate(delta.decisions):
        place = pipeline, decision.side, decision.ref
        number, known = run.rows.get(place, (run.last + 1, None))
        if known and (known.disposition, decision.disposition) == (Disposition.APPLIED, Disposition.UNCHANGED):
            continue
        run.last = max(run.last, number)
        run.rows[place] = number, decision
        create = planned_create(decision)
        planned = delta.planned[index] if index < len(delta.planned) else ()
        run.creates.put(place, create.kind if create else "", all_keys(planned) if create else ())


def _inbox_and_directory(tables: Tables, pipe: Pipe, delta: Delta) -> None:
    for id_ in delta.taken:
        if id_ in pipe.inbox:
            pipe.taken.add(id_)
            if not isinstance(pipe.inbox[id_], Arrived):
                pipe.inbox[id_] = None
    done = set(delta.finished)
    for id_, arrival in pipe.inbox.items() if done else ():
        if isinstance(arrival, Arrived) and arrival.record.ref in done:
            pipe.inbox[id_] = None
    for keyed in delta.keys:
        pipe.systems[keyed.side, keyed.ref.kind] = keyed.ref.system
        gone = tables.forgotten and fingerprint(tables.secret, keyed.ref) in tables.forgotten
        pipe.directory[keyed.side].put(keyed.ref, keyed.ref.kind, () if gone else keyed.keys)
    for side, stored in delta.schemas:
        pipe.schemas[side, stored.schema.kind] = stored


def _keeps_out(tables: Tables, gone: Merged | Moved) -> bool:
    """Let forgetting go with a record that lives on elsewhere; says whether no alias may tell of it.

    Links hold what they hold: another's record stays theirs where a forgotten one was merged into it, and a live link
    of a record that was merged into a forgotten one needs the alias, to find out that it ends there.
    """
    live = {ref: _ties(tables, ref) for ref in (gone.ref, gone.into)}
    loose = {ref for ref in live if not live[ref]}
    out = {ref for ref in loose if fingerprint(tables.secret, ref) in tables.forgotten}
    if not out or (gone.ref not in out and any(live[gone.ref])):
        return False
    for pipe in tables.pipes.values():
        _forget_in(pipe, loose - out)
        for row in [row for place, row in pipe.queue.items() if place[1] in loose - out]:
            pipe.queue[row.side, row.ref] = attrs.evolve(
                row, state="ready", until=None, because=None, version=None, question=None
            )
    _forget_rows(tables, loose - out)
    tables.forgotten |= {fingerprint(tables.secret, ref) for ref in loose - out}
    return True


def _ties(tables: Tables, ref: RecordRef) -> list[bool]:
    """Say of each link of a record, on any side of any pipeline, whether it is live."""
    return [link.closed is None for pipe in tables.pipes.values() for side in SIDES for link in pipe.of(side, ref)]


def forget(tables: Tables, refs: Iterable[RecordRef]) -> int:
    """Remove every value kept of these records and of their counterparts; tell how many were known."""
    with tables.lock:
        asked = set(refs)
        gone = set(asked)
        found = asked
        while found:
            pipes = tables.pipes.values()
            names = {ref for pipe in pipes for ref in _other_names(pipe, found)}
            twins = {ref for pipe in pipes for ref in _counterparts(tables, pipe, gone)}
            found = (names | twins) - gone
            gone |= found
        known: set[RecordRef] = set()
        for pipe in tables.pipes.values():
            known |= _forget_ties(pipe, gone) | _forget_in(pipe, gone)
        known |= _forget_rows(tables, gone)
        tables.forgotten |= {fingerprint(tables.secret, ref) for ref in gone}
        return len(known & asked)


def _other_names(pipe: Pipe, refs: set[RecordRef]) -> Iterable[RecordRef]:
    """Give the refs under which records were known before they were merged or moved, and those they have had since."""
    for (_, old), new in pipe.aliases.items():
        if old in refs:
            yield new
        if new in refs:
            yield old


def _counterparts(tables: Tables, pipe: Pipe, asked: set[RecordRef]) -> Iterable[RecordRef]:
    """Find the other ends of their links, but for records that a live link of somebody else still holds."""
    for link in pipe.links.values():
        for ref, other in ((link.left, link.right), (link.right, link.left)):
            if ref in asked and other not in asked and not _held_by_others(tables, other, asked):
                yield other


def _held_by_others(tables: Tables, ref: RecordRef, asked: set[RecordRef]) -> bool:
    return any(
        link.closed is None and not asked & {link.left, link.right}
        for pipe in tables.pipes.values()
        for side in SIDES
        for link in pipe.of(side, ref)
    )


def _forget_in(pipe: Pipe, gone: set[RecordRef]) -> set[RecordRef]:
    known: set[RecordRef] = set()
    for intent in [intent for intent in pipe.intents.values() if gone & set(touched(intent))]:
        known |= set(touched(intent))
        del pipe.intents[intent.key]
        pipe.creates.drop(intent.key)
    for id_, arrival in pipe.inbox.items():
        if arrival is None:
            continue
        about = arrival.record.ref if isinstance(arrival, Arrived) else arrival.ref
        if about in gone:
            known.add(about)
            pipe.inbox[id_] = None
    for ref in gone & pipe.rulings.keys():
        known.add(ref)
        del pipe.rulings[ref]
    for side in SIDES:
        for ref in [ref for ref in pipe.directory[side].owners() if ref in gone]:
            known.add(ref)
            pipe.directory[side].drop(ref)
    return known


def _forget_ties(pipe: Pipe, gone: set[RecordRef]) -> set[RecordRef]:
    known: set[RecordRef] = set()
    for link in [link for link in pipe.links.values() if gone & {link.left, link.right}]:
        known |= {link.left, link.right}
        pipe.drop_link(link.id)
    for place, into in list(pipe.aliases.items()):
        if place[1] in gone or into in gone:
            known |= {place[1], into}
            del pipe.aliases[place]
    for place in [place for place in pipe.queue if place[1] in gone]:
        known.add(place[1])
        del pipe.queue[place]
    return known


def _forget_rows(tables: Tables, gone: set[RecordRef]) -> set[RecordRef]:
    known: set[RecordRef] = set()
    for run in tables.runs.values():
        for place, (_, decision) in list(run.rows.items()):
            if decision.ref in gone or decision.counterpart in gone:
                known |= {ref for ref in (decision.ref, decision.counterpart) if ref is not None}
                del run.rows[place]
                run.creates.drop(place)
    for key, notice in list(tables.notices.items()):
        if notice.ref in gone:
            known.add(notice.ref)
            del tables.notices[key]
    for index, (pipeline, row) in enumerate(tables.journal):
        if gone & {row.ref, row.origin}:
            known |= {row.ref, row.origin}
            tables.journal[index] = pipeline, emptied(row, tables.secret, gone)
    return known
