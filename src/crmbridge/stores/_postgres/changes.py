"""What one commit writes."""

from __future__ import annotations

from collections.abc import Iterable

from ... import wire
from ...model import Deleted, Departure, Merged, Moved, Side
from ...roles import Delta, Fence, Keyed
from .._bodies import Bodies
from .._shared import runs_of
from .directory import put_keys
from .forgetting import forgotten, keep_out
from .inbox import take_out
from .journal import note
from .names import Ends, keep, locked_ends, whole
from .promises import decide, keep_promises, made_runs, notify, promise
from .queue import end_rows, put_rows, wake_rows
from .retaining import keep_history
from .session import Session
from .tying import put_links
from .workers import put_starts, require

_Place = tuple[int, bytes]


def commit(session: Session, tenant: str, pipeline: str, delta: Delta, fence: Fence) -> None:
    """Write a delta, once the fence is known to be the newest.

    Locks are taken in one order: the lease, the pipeline, its runs; what is behind them belongs to the pipeline alone.
    """
    require(session, tenant, fence)
    ends, bodies = locked_ends(session, tenant, pipeline), Bodies()
    runs = made_runs(session, tenant, runs_of(delta))
    if delta.queue:
        put_rows(session, ends, delta.queue)
    end_rows(session, ends, delta.done)
    wake_rows(session, ends, delta.wake)
    if delta.links:
        put_links(session, ends, delta.links)
    if delta.departures:
        _put_aliases(session, tenant, ends, delta.departures)
    _put_progress(session, ends, delta)
    promise(session, ends, bodies, delta.promised)
    notify(session, tenant, ends, delta.notices)
    keep_promises(session, tenant, ends, delta.settled)
    note(session, ends, bodies, runs, delta.journal)
    if delta.decisions:
        decide(session, ends, bodies, runs[delta.run], delta)
    take_out(session, ends, delta.taken, delta.finished)
    gone = {ref for ref, _ in forgotten(session, tenant, (keyed.ref for keyed in delta.keys))}
    put_keys(session, ends, [Keyed(one.side, one.ref) if one.ref in gone else one for one in delta.keys])
    _put_schemas(session, ends, delta)
    put_starts(session, ends, delta)
    keep_history(session, ends.scope, runs, delta)
    if delta.objection_cleared or delta.objection:
        told = wire.dumps(delta.objection) if delta.objection else None
        session.do("UPDATE scopes SET objection = %s WHERE number = %s", told, ends.scope)
    ends.write_long_texts()


def _put_aliases(session: Session, tenant: str, ends: Ends, departures: Iterable[tuple[Side, Departure]]) -> None:
    moves: list[tuple[_Place, _Place | None]] = []
    passed: list[tuple[Side, Merged | Moved]] = [
        (side, gone) for side, gone in departures if not isinstance(gone, Deleted) and gone.ref != gone.into
    ]
    out = {ref for ref, _ in forgotten(session, tenant, [ref for _, gone in passed for ref in (gone.ref, gone.into)])}
    for side, departure in passed:
        both = {departure.ref, departure.into}
        if both & out and keep_out(session, tenant, departure):
            out |= both
            moves.append(((ends.number(side, departure.ref), keep(departure.ref.id)), None))
        else:
            moves.append((ends.place(side, departure.ref), ends.place(side, departure.into)))
    known = _chains(session, {new for _, new in moves if new is not None})
    changed: set[_Place] = set()
    for old, new in moves:
        if new is None:
            known.pop(old, None)
            changed.add(old)
            continue
        at: _Place | None = new
        while at is not None and at != old:
            at = known.get(at)
        if at == old:
            # It came back: what was said last is true, and a chain never runs in a circle.
            known.pop(new, None)
            changed.add(new)
        known[old] = new
        changed.add(old)
    session.each(
        "DELETE FROM aliases USING {rows} AS old (at_end, id) WHERE (old_end, old_id) = (old.at_end, old.id)",
        "bigint bytea",
        changed,
    )
    session.each(
        "INSERT INTO aliases SELECT * FROM {rows}",
        "bigint bytea bigint bytea",
        [(*old, *known[old]) for old in changed if old in known],
    )


def _chains(session: Session, heads: set[_Place]) -> dict[_Place, _Place]:
    """Read the aliases that lead on from these places, hop by hop for all at once."""
    known: dict[_Place, _Place] = {}
    while heads:
        found = session.for_each(
            "SELECT old_end, old_id, new_end, new_id FROM aliases JOIN {rows} AS asked (old_end, old_id) "
            "USING (old_end, old_id)",
            "bigint bytea",
            heads,
        )
        known |= {(old_end, old_id): (new_end, new_id) for old_end, old_id, new_end, new_id in found}
        heads = {(new_end, new_id) for _, _, new_end, new_id in found} - known.keys()
    return known


def _put_progress(session: Session, ends: Ends, delta: Delta) -> None:
    session.each(
        f"INSERT INTO progress SELECT {ends.scope}, * FROM {{rows}} ON CONFLICT (scope, side, kind) "
        "DO UPDATE SET cursor = excluded.cursor, filled = excluded.filled",
        "text text bytea boolean",
        [(*place, whole(how.cursor), how.filled) for place, how in delta.progress.items()],
    )


def _put_schemas(session: Session, ends: Ends, delta: Delta) -> None:
    session.each(
        f"INSERT INTO schemas SELECT {ends.scope}, * FROM {{rows}} ON CONFLICT (scope, side, kind) "
        "DO UPDATE SET body = excluded.body",
        "text text text",
        [(*place, body) for place, body in {
            (side, stored.schema.kind): wire.dumps(stored) for side, stored in delta.schemas
        }.items()],
    )  # fmt: skip
