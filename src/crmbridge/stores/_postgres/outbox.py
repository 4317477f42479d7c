"""Read promises that are not yet kept, and the rows of runs and plans."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs

from ... import wire
from ...model import Decision, Disposition, RecordRef
from ...protocols import KeyValue, Notice, Question
from ...roles import Intent
from .._bodies import decision_of, intent_of
from .._shared import can_be_asked, common, planned_create
from .names import ends_of, keep
from .role import Role, reading
from .session import Session

UNSETTLED: Final = 0
"""Stands for a run among the keys of creates: those that are promised."""

_Owner = tuple[int, int]
"""Of the keys of a create: a run and the number of its decision, or `UNSETTLED` and the number of an intent."""


def run_number(session: Session, tenant: str, run: str) -> int:
    """Give the number of a run; 0, which no run has, where it is not known, or not whole any more."""
    row = session.row("SELECT number FROM runs WHERE tenant = %s AND run = %s AND NOT going", tenant, keep(run))
    return int(row[0]) if row else 0


@attrs.frozen
class PostgresOutbox(Role):
    """Promises not yet kept, and the rows of runs and plans."""

    @reading
    def unsettled(self, session: Session, pipeline: str, limit: int) -> Sequence[Intent]:
        rows = session.rows(
            "SELECT body FROM intents JOIN scopes ON scopes.number = scope WHERE tenant = %s AND pipeline = %s "
            "ORDER BY promised_at, key LIMIT %s",
            self._tenant,
            pipeline,
            limit,
        )
        return [intent_of(body) for (body,) in rows]

    @reading
    def holding(self, session: Session, pipeline: str, refs: Iterable[RecordRef]) -> Mapping[RecordRef, Intent]:
        asked = list(dict.fromkeys(refs))
        held: dict[RecordRef, tuple[tuple[int, bytes], str]] = {}
        ends = ends_of(session, self._tenant, pipeline)
        question = (
            "SELECT id, promised_at, key, body FROM intent_refs JOIN intents ON number = intent "
            "WHERE end_no = %s AND id = ANY(%s)"
        )
        for side in ("left", "right"):
            for end, group in ends.grouped(side, asked):
                for id_, promised_at, key, body in session.rows(question, end, list(group)):
                    ref, age = group[id_], (promised_at, key)
                    if ref not in held or age < held[ref][0]:
                        held[ref] = age, body
        return {ref: intent_of(held[ref][1]) for ref in asked if ref in held}

    @reading
    def creating(
        self, session: Session, pipeline: str, run: str, questions: Sequence[Question]
    ) -> Sequence[Sequence[RecordRef]]:
        scope = ends_of(session, self._tenant, pipeline).scope
        owners = _owners(session, scope, run_number(session, self._tenant, run), questions)
        origins = _origins(session, {owner for found in owners for owner in found})
        return [tuple(dict.fromkeys(origin for owner, origin in origins.items() if owner in found)) for found in owners]

    @reading
    def counts(self, session: Session, run: str) -> Mapping[Disposition, int]:
        question = (
            "SELECT disposition, count(*) FROM decisions JOIN runs ON runs.number = decisions.run "
            "WHERE tenant = %s AND runs.run = %s AND NOT going GROUP BY disposition"
        )
        return {Disposition(told): count for told, count in session.rows(question, self._tenant, keep(run))}

    @reading
    def rows(
        self, session: Session, run: str, disposition: Disposition | None = None, *, after: int = 0, limit: int = 500
    ) -> Sequence[tuple[int, Decision]]:
        only = "" if disposition is None else "AND disposition = %s"
        asked = () if disposition is None else (str(disposition),)
        found = session.rows(
            f"SELECT number, body FROM decisions WHERE run = %s {only} AND number > %s ORDER BY number LIMIT %s",
            run_number(session, self._tenant, run), *asked, after, limit,
        )  # fmt: skip
        return [(number, decision_of(body)) for number, body in found]

    @reading
    def planned(self, session: Session, run: str, refs: Iterable[RecordRef]) -> Mapping[RecordRef, Decision]:
        asked = set(refs)
        found = session.rows(
            "SELECT body FROM ends JOIN scopes ON scopes.number = scope "
            "JOIN decisions ON end_no = ends.number AND run = %s "
            "WHERE tenant = %s AND id = ANY(%s) ORDER BY decisions.number",
            run_number(session, self._tenant, run),
            self._tenant,
            [keep(ref.id) for ref in asked],
        )
        decisions = [decision_of(body) for (body,) in found]
        return {decision.ref: decision for decision in decisions if decision.ref in asked}

    @reading
    def notices(self, session: Session, limit: int) -> Sequence[Notice]:
        question = "SELECT body FROM notices WHERE tenant = %s ORDER BY number LIMIT %s"
        return [wire.loads(body, Notice) for (body,) in session.rows(question, self._tenant, limit)]


def _owners(session: Session, scope: int, plan: int, questions: Sequence[Question]) -> list[set[_Owner]]:
    """For each question, give the creates that have all keys of one alternative."""
    asked: dict[tuple[str, KeyValue], int] = {}
    for question in questions:
        for keys in filter(can_be_asked, question.any_of):
            for key in keys:
                asked.setdefault((question.kind, key), len(asked))
    having: defaultdict[int, set[_Owner]] = defaultdict(set)
    for number, run, owner in session.for_each(
        "SELECT asked.number, run, owner FROM {rows} AS asked (number, kind, value, field, norm) "
        "JOIN create_keys AS known USING (kind, value, field, norm) "
        f"WHERE scope = {scope} AND run IN ({UNSETTLED}, {plan})",
        "bigint text bytea text text",
        [(number, kind, keep(key.value), key.field, key.by) for (kind, key), number in asked.items()],
    ):
        having[number].add((run, owner))
    return [
        {
            owner
            for keys in filter(can_be_asked, question.any_of)
            for owner in common(having[asked[question.kind, key]] for key in keys)
        }
        for question in questions
    ]


def _origins(session: Session, owners: Iterable[_Owner]) -> Mapping[_Owner, RecordRef]:
    """Tell which record each create is made from: promised ones first and by age, planned ones by number."""
    origins: dict[_Owner, RecordRef] = {}
    promised = [number for run, number in owners if run == UNSETTLED]
    planned = [owner for owner in owners if owner[0] != UNSETTLED]
    if promised:
        question = "SELECT number, body FROM intents WHERE number = ANY(%s) ORDER BY promised_at, key"
        for number, body in session.rows(question, promised):
            origins[UNSETTLED, number] = intent_of(body).origin
    for run, number, body in session.for_each(
        "SELECT run, number, body FROM decisions JOIN {rows} AS asked (run, number) USING (run, number) ORDER BY number",
        "bigint bigint",
        planned,
    ):
        if create := planned_create(decision_of(body)):
            origins[run, number] = create.origin
    return origins
