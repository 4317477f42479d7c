"""Write promises, notices and decisions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ... import wire
from ...model import Create, Decision, RecordRef, Side, other
from ...protocols import KeyValue, Notice
from ...roles import Delta, Intent
from .._bodies import Bodies
from .._shared import all_keys, micros, numbered, planned_create
from .names import Ends, keep
from .outbox import UNSETTLED
from .session import Session

_Place = tuple[int, bytes]


def promise(session: Session, ends: Ends, bodies: Bodies, intents: Iterable[Intent]) -> None:
    """Put intents by key, in their new state."""
    put = {keep(intent.key): intent for intent in intents}
    numbers: dict[bytes, int] = dict(
        session.for_each(
            f"INSERT INTO intents (scope, key, promised_at, body) SELECT {ends.scope}, * FROM {{rows}} "
            "ON CONFLICT (scope, key) DO UPDATE SET promised_at = excluded.promised_at, body = excluded.body "
            "RETURNING key, number",
            "bytea bigint text",
            [(key, micros(intent.promised_at), bodies.intent(intent)) for key, intent in put.items()],
        )
    )
    _unname(session, list(numbers.values()))
    places = [
        (ends.make(side, ref), keep(ref.id), numbers[key]) for key, intent in put.items() for side, ref in _held(intent)
    ]
    session.each("INSERT INTO intent_refs SELECT * FROM {rows} ON CONFLICT DO NOTHING", "bigint bytea bigint", places)
    creates = ((intent.action, intent.keys, numbers[key]) for key, intent in put.items())
    _put_create_keys(
        session, ends,
        ((action.kind, all_keys(keys), (UNSETTLED, number)) for action, keys, number in creates if isinstance(action, Create)),
    )  # fmt: skip


def _held(intent: Intent) -> Iterator[tuple[Side, RecordRef]]:
    away, action = other(intent.side), intent.action
    yield away, intent.origin
    yield (away, action.origin) if isinstance(action, Create) else (intent.side, action.ref)


def _unname(session: Session, numbers: list[int]) -> None:
    if numbers:
        session.do("DELETE FROM intent_refs WHERE intent = ANY(%s)", numbers)
        session.do("DELETE FROM create_keys WHERE run = %s AND owner = ANY(%s)", UNSETTLED, numbers)


def _put_create_keys(
    session: Session, ends: Ends, creates: Iterable[tuple[str, Iterable[KeyValue], tuple[int, int]]]
) -> None:
    session.each(
        f"INSERT INTO create_keys SELECT {ends.scope}, * FROM {{rows}}",
        "text text text bytea bigint bigint",
        [
            (kind, key.field, key.by, keep(key.value), *owner)
            for kind, keys, owner in creates
            for key in keys
            if key.value
        ],
    )


def keep_promises(session: Session, tenant: str, ends: Ends, keys: Sequence[str]) -> None:
    """End intents, and forget notices that were sent."""
    if keys:
        kept = [keep(key) for key in keys]
        ended = session.rows(
            "DELETE FROM intents WHERE scope = %s AND key = ANY(%s) RETURNING number", ends.scope, kept
        )
        _unname(session, [number for (number,) in ended])
        session.do("DELETE FROM notices WHERE tenant = %s AND key = ANY(%s)", tenant, kept)


def notify(session: Session, tenant: str, ends: Ends, notices: Iterable[Notice]) -> None:
    """Put notices by key."""
    put = {keep(notice.key): notice for notice in notices}
    session.each(
        "INSERT INTO notices (tenant, key, end_no, id, body) SELECT * FROM {rows} ON CONFLICT (tenant, key) "
        "DO UPDATE SET end_no = excluded.end_no, id = excluded.id, body = excluded.body",
        "text bytea bigint bytea text",
        [
            (tenant, key, ends.make("", notice.ref), keep(notice.ref.id), wire.dumps(notice))
            for key, notice in put.items()
        ],
    )


def made_runs(session: Session, tenant: str, runs: Iterable[str]) -> Mapping[str, int]:
    """Give the numbers of runs, new ones where they are not known; in one order, so that no two workers wait in turn."""
    kept = {run: keep(run) for run in sorted(set(runs))}
    if not kept:
        return {}
    session.each(
        "INSERT INTO runs (tenant, run) SELECT * FROM {rows} ON CONFLICT DO NOTHING", "text bytea",
        [(tenant, run) for run in kept.values()],
    )  # fmt: skip
    found: dict[bytes, int] = dict(
        session.rows("SELECT run, number FROM runs WHERE tenant = %s AND run = ANY(%s)", tenant, list(kept.values()))
    )
    return {run: found[key] for run, key in kept.items()}


def decide(session: Session, ends: Ends, bodies: Bodies, run: int, delta: Delta) -> None:
    """Put the decisions of a run by record; one that says unchanged leaves an applied one alone."""
    [(last,)] = session.rows("SELECT last FROM runs WHERE number = %s FOR UPDATE", run)
    places = [(ends.make(decision.side, decision.ref), keep(decision.ref.id)) for decision in delta.decisions]
    known = _decided(session, run, places)
    replaced = {number for number, _ in known.values()}
    written, last = numbered(delta, places, known, last)
    gone = sorted(replaced.intersection(number for number, _, _ in written.values()))
    if gone:
        session.do("DELETE FROM decisions WHERE run = %s AND number = ANY(%s)", run, gone)
        session.do("DELETE FROM create_keys WHERE run = %s AND owner = ANY(%s)", run, gone)
    session.each(
        "INSERT INTO decisions (run, number, end_no, id, counterpart_end, counterpart_id, disposition, body) "
        "SELECT * FROM {rows}",
        "bigint bigint bigint bytea bigint bytea text text",
        [_row(ends, bodies, (run, number, *place), decision) for place, (number, decision, _) in written.items()],
    )
    creates = ((planned_create(decision), levels, number) for number, decision, levels in written.values())
    _put_create_keys(
        session, ends, ((create.kind, all_keys(levels), (run, number)) for create, levels, number in creates if create)
    )
    session.do("UPDATE runs SET last = %s WHERE number = %s", last, run)


def _decided(session: Session, run: int, places: Iterable[_Place]) -> dict[_Place, tuple[int, str]]:
    found = session.for_each(
        "SELECT end_no, id, number, disposition FROM decisions JOIN {rows} AS asked (end_no, id) USING (end_no, id) "
        f"WHERE run = {run}",
        "bigint bytea",
        places,
    )
    return {(end, id_): (number, disposition) for end, id_, number, disposition in found}


def _row(ends: Ends, bodies: Bodies, place: tuple[Any, ...], decision: Decision) -> tuple[Any, ...]:
    twin = decision.counterpart
    counterpart = (None, None) if twin is None else (ends.make(other(decision.side), twin), keep(twin.id))
    return *place, *counterpart, str(decision.disposition), bodies.decision(decision)
