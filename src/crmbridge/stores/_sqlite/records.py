"""Outbox, directory and journal."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from ... import wire
from ...model import Decision, Disposition, RecordRef, Side
from ...protocols import ID_FIELD, KeyValue, Notice, Question
from ...roles import Intent, JournalRow, StoredSchema
from .._bodies import decision_of, intent_of, journal_of
from .._shared import can_be_asked, common, planned_create
from .._shared import instant as instant_of
from .database import Database
from .links import PAGE
from .names import Ends, Kept, chunks, keep, marks, only, only_number, scope, tell
from .retaining import old_runs

UNSETTLED = 0
"""Stands for a run among the keys of creates: those that are promised."""


def run_number(connection: sqlite3.Connection, tenant: str, run: str) -> int:
    """Give the number of a run; 0, which no run has, where it is not known, or not whole any more."""
    question = "SELECT number FROM runs WHERE tenant = ? AND run = ? AND NOT going"
    found = connection.execute(question, (tenant, keep(run))).fetchall()
    return only_number(found) if found else 0


@attrs.frozen
class SqliteOutbox:
    """Promises not yet kept, and the rows of runs and plans."""

    _db: Database
    _tenant: str

    def unsettled(self, pipeline: str, limit: int) -> Sequence[Intent]:
        with self._db.reading() as connection:
            rows = connection.execute(
                "SELECT body FROM intents WHERE scope = ? ORDER BY promised_at, key LIMIT ?",
                (scope(connection, self._tenant, pipeline), limit),
            )
            return [intent_of(body) for (body,) in rows]

    def holding(self, pipeline: str, refs: Iterable[RecordRef]) -> Mapping[RecordRef, Intent]:
        asked = list(dict.fromkeys(refs))
        held: dict[RecordRef, tuple[tuple[int, Kept], str]] = {}
        with self._db.reading() as connection:
            ends = Ends(connection, scope(connection, self._tenant, pipeline))
            for side in ("left", "right"):
                for end, group in ends.grouped(side, asked):
                    question = (
                        "SELECT id, promised_at, key, body FROM intent_refs JOIN intents ON number = intent "
                        f"WHERE end = ? AND id IN ({marks(tuple(group))})"
                    )
                    for id_, promised_at, key, body in connection.execute(question, (end, *group)):
                        ref, age = group[id_], (promised_at, key)
                        if ref not in held or age < held[ref][0]:
                            held[ref] = age, body
            return {ref: intent_of(held[ref][1]) for ref in asked if ref in held}

    def creating(self, pipeline: str, run: str, questions: Sequence[Question]) -> Sequence[Sequence[RecordRef]]:
        with self._db.reading() as connection:
            number = scope(connection, self._tenant, pipeline)
            plan = run_number(connection, self._tenant, run)
            some = f"SELECT 1 FROM create_keys WHERE run IN ({UNSETTLED}, ?) LIMIT 1"
            if not connection.execute(some, (plan,)).fetchone():
                return [()] * len(questions)
            return [_creating(connection, number, plan, question) for question in questions]

    def counts(self, run: str) -> Mapping[Disposition, int]:
        with self._db.reading() as connection:
            number = run_number(connection, self._tenant, run)
            rows = connection.execute(
                "SELECT disposition, count(*) FROM decisions WHERE run = ? GROUP BY disposition", (number,)
            )
            return {Disposition(disposition): count for disposition, count in rows}

    def rows(
        self, run: str, disposition: Disposition | None = None, *, after: int = 0, limit: int = 500
    ) -> Sequence[tuple[int, Decision]]:
        only = "" if disposition is None else "AND disposition = ?"
        asked = () if disposition is None else (str(disposition),)
        with self._db.reading() as connection:
            rows = connection.execute(
                f"SELECT number, body FROM decisions WHERE run = ? {only} AND number > ? ORDER BY number LIMIT ?",
                (run_number(connection, self._tenant, run), *asked, after, limit),
            )
            return [(number, decision_of(body)) for number, body in rows]

    def planned(self, run: str, refs: Iterable[RecordRef]) -> Mapping[RecordRef, Decision]:
        asked = set(refs)
        found: dict[int, str] = {}
        with self._db.reading() as connection:
            number = run_number(connection, self._tenant, run)
            for chunk in chunks({keep(ref.id) for ref in asked}):
                question = (
                    "SELECT decisions.number, body FROM scopes JOIN ends ON scope = scopes.number "
                    # A plain join would be turned round and go through the whole plan.
                    "CROSS JOIN decisions ON end = ends.number AND run = ? "
                    f"WHERE tenant = ? AND id IN ({marks(chunk)})"
                )
                found.update(connection.execute(question, (number, self._tenant, *chunk)))
            decisions = [decision_of(body) for _, body in sorted(found.items())]
        return {decision.ref: decision for decision in decisions if decision.ref in asked}

    def notices(self, limit: int) -> Sequence[Notice]:
        with self._db.reading() as connection:
            question = "SELECT body FROM notices WHERE tenant = ? ORDER BY number LIMIT ?"
            return [wire.loads(body, Notice) for (body,) in connection.execute(question, (self._tenant, limit))]


def _creating(connection: sqlite3.Connection, scope: int, plan: int, question: Question) -> Sequence[RecordRef]:
    owners: set[tuple[int, int]] = set()
    for keys in question.any_of:
        if can_be_asked(keys):
            owners |= common(_owners(connection, scope, plan, question.kind, key) for key in keys)
    promised = [owner for run, owner in owners if run == UNSETTLED]
    planned = sorted(owner for run, owner in owners if run != UNSETTLED)
    intents = [
        row
        for chunk in chunks(promised)
        for row in connection.execute(
            f"SELECT promised_at, key, body FROM intents WHERE number IN ({marks(chunk)})", chunk
        )
    ]
    origins = [intent_of(body).origin for _, _, body in sorted(intents, key=lambda row: row[:2])]
    for number in planned:
        body = only(connection.execute("SELECT body FROM decisions WHERE run = ? AND number = ?", (plan, number)))
        if create := planned_create(decision_of(body)):
            origins.append(create.origin)
    return tuple(dict.fromkeys(origins))


def _owners(connection: sqlite3.Connection, scope: int, plan: int, kind: str, key: KeyValue) -> set[tuple[int, int]]:
    question = (
        "SELECT run, owner FROM create_keys "
        "WHERE scope = ? AND kind = ? AND value = ? AND field = ? AND norm = ? AND run IN (?, ?)"
    )
    asked = (scope, kind, keep(key.value), key.field, key.by, UNSETTLED, plan)
    return set(connection.execute(question, asked))


@attrs.frozen
class SqliteDirectory:
    """Comparison keys of records."""

    _db: Database
    _tenant: str

    def find(self, pipeline: str, side: Side, questions: Sequence[Question]) -> Sequence[Sequence[RecordRef]]:
        with self._db.reading() as connection:
            ends = Ends(connection, scope(connection, self._tenant, pipeline))
            slots = _slots(connection, [end for question in questions for end in ends.of_kind(side, question.kind)])
            return [_find(connection, ends, side, slots, question) for question in questions]

    def schema(self, pipeline: str, side: Side, kind: str) -> StoredSchema | None:
        with self._db.reading() as connection:
            asked = (scope(connection, self._tenant, pipeline), side, kind)
            question = "SELECT body FROM schemas WHERE scope = ? AND side = ? AND kind = ?"
            row = connection.execute(question, asked).fetchone()
            return wire.loads(row[0], StoredSchema) if row else None


_Slots = Mapping[tuple[int, str, str], int]


def _slots(connection: sqlite3.Connection, ends: Iterable[int]) -> _Slots:
    slots: dict[tuple[int, str, str], int] = {}
    for end in dict.fromkeys(ends):
        for field, norm, number in connection.execute("SELECT field, norm, number FROM slots WHERE end = ?", (end,)):
            slots[end, field, norm] = number
    return slots


def _find(
    connection: sqlite3.Connection, ends: Ends, side: Side, slots: _Slots, question: Question
) -> Sequence[RecordRef]:
    found: set[RecordRef] = set()
    for end in ends.of_kind(side, question.kind):
        for keys in question.any_of:
            ids = _having(connection, end, slots, keys, question.limit)
            found.update(ends.ref(end, id_) for id_ in ids)
    return sorted(found)[: question.limit]


def _having(
    connection: sqlite3.Connection, end: int, slots: _Slots, keys: Sequence[KeyValue], limit: int
) -> Iterable[Kept]:
    if not can_be_asked(keys):
        return ()
    named = {key.value for key in keys if key.field == ID_FIELD}
    asked = [(slots.get((end, key.field, key.by), 0), keep(key.value)) for key in keys if key.field != ID_FIELD]
    if not asked:
        return map(keep, named) if (end, ID_FIELD, "") in slots and len(named) == 1 else ()
    parts = ["SELECT id FROM keys WHERE slot = ? AND value = ?"] * len(asked) + ["SELECT ?"] * len(named)
    values: list[Any] = [part for pair in asked for part in pair] + [keep(id_) for id_ in named]
    # Text sorts before bytes, and by code point: as the refs do.
    rows = connection.execute(" INTERSECT ".join(parts) + " ORDER BY 1 LIMIT ?", (*values, limit))
    return [id_ for (id_,) in rows]


@attrs.frozen
class SqliteJournal:
    """What was written, and why."""

    _db: Database
    _tenant: str

    def of(self, pipeline: str, ref: RecordRef) -> Sequence[JournalRow]:
        with self._db.reading() as connection:
            ends = Ends(connection, scope(connection, self._tenant, pipeline)).of_ref(ref)
            found: dict[int, str] = {}
            for end in ends:
                for role in ("ref", "origin"):
                    question = f"SELECT number, body FROM journal WHERE {role}_end = ? AND {role}_id = ?"
                    found.update(connection.execute(question, (end, keep(ref.id))))
            return [journal_of(body) for _, body in sorted(found.items())]

    def decided(self, pipeline: str, ref: RecordRef, limit: int) -> Sequence[tuple[str, Decision]]:
        # One look into the index of each run, from the newest on.
        question = (
            "SELECT runs.number, run_name, body FROM (SELECT number, run AS run_name FROM runs WHERE tenant = ?) AS runs "
            "CROSS JOIN decisions ON decisions.run = runs.number AND end = ? AND id = ? "
            "ORDER BY runs.number DESC LIMIT ?"
        )
        with self._db.reading() as connection:
            ends = Ends(connection, scope(connection, self._tenant, pipeline)).of_ref(ref)
            found = [
                row for end in ends for row in connection.execute(question, (self._tenant, end, keep(ref.id), limit))
            ]
        latest = sorted(found, key=lambda row: int(row[0]))[-limit:] if limit else []
        return [(tell(run), decision_of(body)) for _, run, body in latest]

    def ended_before(self, pipeline: str, instant: dt.datetime) -> bool:
        with self._db.reading() as connection:
            return bool(old_runs(connection, scope(connection, self._tenant, pipeline), instant, 1))

    def kept_since(self, pipeline: str) -> dt.datetime | None:
        question = "SELECT kept_since FROM scopes WHERE tenant = ? AND pipeline = ?"
        with self._db.reading() as connection:
            row = connection.execute(question, (self._tenant, pipeline)).fetchone()
            return None if row is None or row[0] is None else instant_of(row[0])

    def run(self, run: str) -> Iterator[JournalRow]:
        after = 0
        while True:
            with self._db.reading() as connection:
                number = run_number(connection, self._tenant, run)
                rows = connection.execute(
                    "SELECT number, body FROM journal WHERE run = ? AND number > ? ORDER BY number LIMIT ?",
                    (number, after, PAGE),
                ).fetchall()
                page = [journal_of(body) for _, body in rows]
            yield from page
            if len(rows) < PAGE:
                return
            after = rows[-1][0]
