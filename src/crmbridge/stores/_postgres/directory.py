"""Comparison keys of records: read and written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import attrs

from ... import wire
from ...model import RecordRef, Side
from ...protocols import ID_FIELD, KeyValue, Question
from ...roles import Keyed, StoredSchema
from .._shared import can_be_asked
from .names import Ends, ends_of, keep
from .role import Role, reading
from .session import Session

_Slots = Mapping[tuple[int, str, str], int]
"""The number of each kind of key: end, field, comparison."""

_Key = tuple[int, bytes, bytes]
"""A key that is kept: slot, value, the record's id."""


@attrs.frozen
class PostgresDirectory(Role):
    """Comparison keys of records."""

    @reading
    def find(
        self, session: Session, pipeline: str, side: Side, questions: Sequence[Question]
    ) -> Sequence[Sequence[RecordRef]]:
        ends = ends_of(session, self._tenant, pipeline)
        slots = _slots(session, {end for question in questions for end in ends.of_kind(side, question.kind)})
        found: list[set[RecordRef]] = [set() for _ in questions]
        asked: defaultdict[int, list[_Asked]] = defaultdict(list)
        for number, question in enumerate(questions):
            for end in ends.of_kind(side, question.kind):
                for keys in filter(can_be_asked, question.any_of):
                    _sort(end, slots, number, question, keys, asked, found, ends)
        for parts, rows in asked.items():
            for number, end, id_ in _having(session, parts, rows):
                found[number].add(ends.ref(end, id_))
        return [sorted(refs)[: question.limit] for refs, question in zip(found, questions, strict=True)]

    @reading
    def schema(self, session: Session, pipeline: str, side: Side, kind: str) -> StoredSchema | None:
        question = (
            "SELECT body FROM schemas JOIN scopes ON number = scope "
            "WHERE tenant = %s AND pipeline = %s AND side = %s AND kind = %s"
        )
        row = session.row(question, self._tenant, pipeline, side, kind)
        return wire.loads(row[0], StoredSchema) if row else None


_Asked = tuple[object, ...]
"""Of an alternative: its question's number, end and limit, the id that is named or none, then slot and value by key."""


def _sort(
    end: int, slots: _Slots, number: int, question: Question, keys: Sequence[KeyValue],
    asked: defaultdict[int, list[_Asked]], found: list[set[RecordRef]], ends: Ends,
) -> None:  # fmt: skip
    """Answer an alternative that names the record itself, and put the others by how many keys they have."""
    named = {key.value for key in keys if key.field == ID_FIELD}
    pairs = [(slots.get((end, key.field, key.by), 0), keep(key.value)) for key in keys if key.field != ID_FIELD]
    if len(named) > 1:
        return
    id_ = keep(named.pop()) if named else None
    if pairs:
        asked[len(pairs)].append((number, end, question.limit, id_, *(part for pair in pairs for part in pair)))
    elif id_ is not None and (end, ID_FIELD, "") in slots:
        found[number].add(ends.ref(end, id_))


def _having(session: Session, parts: int, rows: Sequence[_Asked]) -> list[tuple[int, int, bytes]]:
    """Find the records that have all keys of alternatives of as many *parts*, each up to its limit."""
    columns = [f"slot{part}, value{part}" for part in range(parts)]
    too = "".join(
        f" AND EXISTS (SELECT 1 FROM keys AS too WHERE (too.slot, too.value, too.id) = (slot{part}, value{part}, one.id))"
        for part in range(1, parts)
    )
    found = session.for_each(
        f"SELECT number, end_no, hit.id FROM {{rows}} AS asked (number, end_no, most, named, {', '.join(columns)}) "
        "CROSS JOIN LATERAL (SELECT one.id FROM keys AS one WHERE (one.slot, one.value) = (slot0, value0) "
        f"AND (named IS NULL OR one.id = named){too} ORDER BY one.id LIMIT most) AS hit",
        f"bigint bigint bigint bytea{' bigint bytea' * parts}",
        rows,
    )
    return [(number, end, id_) for number, end, id_ in found]


def _slots(session: Session, ends: Iterable[int]) -> _Slots:
    question = "SELECT end_no, field, norm, number FROM slots WHERE end_no = ANY(%s)"
    return {(end, field, norm): number for end, field, norm, number in session.rows(question, list(ends))}


def put_keys(session: Session, ends: Ends, keyed: Iterable[Keyed]) -> None:
    """Make the directory say of each record exactly these keys; what it says already is left alone."""
    wanted: dict[tuple[int, bytes], tuple[KeyValue, ...]] = {
        ends.place(record.side, record.ref): record.keys for record in keyed
    }
    if not wanted:
        return
    # The id too, so that a directory that was told of a kind knows of which system it is.
    names = {(end, ID_FIELD, "") for end, _ in wanted}
    names |= {(end, key.field, key.by) for (end, _), keys in wanted.items() for key in keys}
    slots = _made_slots(session, names)
    now: set[_Key] = {
        (slots[end, key.field, key.by], keep(key.value), id_)
        for (end, id_), keys in wanted.items()
        for key in keys
        if key.value
    }
    before: set[_Key] = {
        (slot, value, id_)
        for slot, value, id_ in session.for_each(
            "SELECT slot, value, keys.id FROM {rows} AS asked (end_no, id) JOIN slots USING (end_no) "
            "JOIN keys ON keys.id = asked.id AND slot = number",
            "bigint bytea",
            wanted,
        )
    }
    session.each(
        "DELETE FROM keys USING {rows} AS old (slot, value, id) "
        "WHERE (keys.slot, keys.value, keys.id) = (old.slot, old.value, old.id)",
        "bigint bytea bytea",
        before - now,
    )
    session.each("INSERT INTO keys SELECT * FROM {rows}", "bigint bytea bytea", now - before)


def _made_slots(session: Session, names: set[tuple[int, str, str]]) -> _Slots:
    ends = {end for end, _, _ in names}
    known = _slots(session, ends)
    if missing := sorted(names - known.keys()):
        session.each("INSERT INTO slots (end_no, field, norm) SELECT * FROM {rows}", "bigint text text", missing)
        return _slots(session, ends)
    return known
