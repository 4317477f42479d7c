"""Making a record that mirrors one which no record over there matches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from ..flow import Flow
from ..model import Cell, Create, Disposition, Record, RecordRef, Rows, Side, other
from ..plan import Move, State, creation
from ..protocols import KeyValue, Question, Unmatched
from ..reasons import Code, Fact, Reason, because
from ..roles import FieldPromise, Intent
from ._decide import gated, told_by, told_of
from ._edited import edited_creation
from ._matching import Search
from ._patience import Window, may_be_ours
from ._run import SHORTLY, Run
from ._subjects import Subject, Verdict, digest


def decide_creation(
    run: Run,
    subject: Subject,
    search: Search,
    reserved: list[frozenset[KeyValue]],
    doubts: Sequence[Window],
) -> Flow[Verdict]:
    """Make the counterpart, unless a setting, a gate, a twin or the target's schema says no.

    A create that is planned or unsettled is part of what matching sees, by its keys: a second record with the same
    keys waits a round and then meets the created one; in a plan it is judged at once.
    """
    record, towards = search.record, other(subject.side)
    left, right = (record, None) if subject.side == "left" else (None, record)
    blank = Verdict(subject, Disposition.SKIPPED, because(Code.CREATES_OFF), None, left=left, right=right)
    refused = _refused(run, towards, left, right)
    if refused is not None:
        return attrs.evolve(blank, because=refused)
    due = _grace(run, subject.side, record)
    if due is not None:
        return attrs.evolve(due, subject=subject, left=left, right=right)
    unsettled = yield from _twins(run, search)
    if unsettled or any(_answers(question, keys) for question in _strict(search) for keys in reserved):
        return _twin(run, blank, in_doubt=unsettled and not run.planning)
    if may_be_ours(record, doubts) or (yield from _stranger(run, subject.side, record)):
        why = because(Code.INTENT_OPEN, system=run.definition.end(subject.side).system)
        wait = max(run.able(subject.side, record.ref.kind).settles_in, SHORTLY)
        return attrs.evolve(blank, disposition=Disposition.HELD, because=why, park="held", until=run.now() + wait)
    if subject.side == "left":
        run.judged(State.CHANGED, State.NONE, Move.CREATE_RIGHT)
    else:
        run.judged(State.NONE, State.CHANGED, Move.CREATE_LEFT)
    verdict = _make(run, subject, record, towards, blank, search)
    if verdict.keys and verdict.intents:
        reserved.append(frozenset(verdict.keys))
    return verdict


def _refused(run: Run, towards: Side, left: Record | None, right: Record | None) -> Reason | None:
    if not run.definition.creates(towards):
        return because(Code.CREATES_OFF, system=run.definition.end(towards).system)
    return gated(run, "creating", towards, left, right, None) or gated(run, "writing", towards, left, right, None)


def _grace(run: Run, side: Side, record: Record) -> Verdict | None:
    """Wait until every kind of the record's own end would have shown it as a moved or merged one."""
    kinds = run.definition.end(side).kinds
    if len(kinds) == 1 or record.stamp is None or run.definition.topology == "events":
        return None
    due = record.stamp + max(run.able(side, kind).overlap for kind in kinds)
    if due <= run.now():
        return None
    return Verdict(Subject([], side, record.ref), Disposition.HELD, because(Code.NOT_DUE, at=due), "held", until=due)


def _twins(run: Run, search: Search) -> Flow[bool]:
    asked = _strict(search)
    if not asked:
        return False
    run_or_plan = run.id if run.planning else ""
    found = yield from run.ask(run.store.outbox.creating, run.name, run_or_plan, asked)
    return any(ref != search.record.ref for refs in found for ref in refs)


def _stranger(run: Run, side: Side, record: Record) -> Flow[bool]:
    """Say whether an unlinked record may be the unseen copy of a create of ours whose answer was lost."""
    keys = run.definition.matcher.keys(record, side)
    if not keys:
        return False
    question = Question(record.ref.kind, "", tuple((key,) for key in keys))
    found = yield from run.ask(run.store.outbox.creating, run.name, "", [question])
    return any(refs for refs in found)


def _strict(search: Search) -> list[Question]:
    return [question for question in search.asked if not question.loose]


def _answers(question: Question, keys: frozenset[KeyValue]) -> bool:
    return any(all(key in keys for key in alternative) for alternative in question.any_of)


def _twin(run: Run, blank: Verdict, *, in_doubt: bool) -> Verdict:
    if run.planning and not run.definition.shared:
        return attrs.evolve(blank, disposition=Disposition.DISPUTED, because=because(Code.TWIN), park="disputed")
    if run.planning:
        return attrs.evolve(blank, disposition=Disposition.APPLIED, because=because(Code.TWIN), park=None)
    if in_doubt:
        why = because(Code.INTENT_OPEN, system=run.definition.end(other(blank.subject.side)).system)
        able = run.able(other(blank.subject.side), _new_kind(run, other(blank.subject.side)))
        wait = max(able.settles_in, SHORTLY)
        return attrs.evolve(blank, disposition=Disposition.HELD, because=why, park="held", until=run.now() + wait)
    return attrs.evolve(blank, disposition=Disposition.HELD, because=because(Code.TWIN), park="ready", quiet=True)


def _new_kind(run: Run, side: Side) -> str:
    kind = run.definition.end(side).new
    if kind is None:
        raise AssertionError("a pipeline that creates names the kind of new records")
    return kind


def _make(run: Run, subject: Subject, record: Record, towards: Side, blank: Verdict, search: Search) -> Verdict:
    kind = _new_kind(run, towards)
    system = run.definition.end(towards).system
    kinds = (record.ref.kind, kind) if towards == "right" else (kind, record.ref.kind)
    pairing = run.pairing(*kinds)
    held = pairing.reader(subject.side, record.rows.fields)(record.rows, record.row)
    made = creation(pairing, towards, held, run.required(towards, kind))
    made = edited_creation(run, subject, pairing, towards, made, held)
    looked: Mapping[str, Fact] = told_of(search.found) if isinstance(search.found, Unmatched) else {}
    why = because(Code.NEW, system=run.definition.end(subject.side).system, **looked)
    if made.problems:
        return attrs.evolve(
            blank,
            disposition=Disposition.QUARANTINED,
            because=told_by(made.problems[0], system),
            park="quarantined",
            fields=made.fields,
        )
    promises = tuple(
        FieldPromise(pairing.labels[place], pairing.pairs[place].field(towards), None, value, held[place])
        for place, value in sorted(made.values.items())
    )
    values = {promise.field: promise.sent for promise in promises}
    key = digest(run.name, "create", towards, kind, str(record.ref), subject.incarnation)
    answers = run.able(towards, kind).answers_with_stored
    wanted = tuple(dict.fromkeys(pair.field(towards) for pair in pairing.pairs if not pair.absent)) if answers else ()
    if towards == "left":
        wanted = tuple(name for name in wanted if not name.startswith("="))
    keys = would_be_keys(run, towards, RecordRef(system, kind, ""), values)
    intent = Intent(
        key,
        towards,
        Create(kind, values, record.ref, key, why, wanted),
        record.ref,
        digest(run.name, "link", str(record.ref), towards, subject.incarnation),
        run.now(),
        keys=(keys,),
        fields=promises,
        decisions=made.fields,
        incarnation=subject.incarnation,
        because=why,
        run=run.id,
    )
    return attrs.evolve(
        blank,
        disposition=Disposition.APPLIED,
        because=why,
        park="ready",
        fields=made.fields,
        intents=(intent,),
        keys=keys,
    )


def would_be_keys(run: Run, side: Side, ref: RecordRef, values: Mapping[str, Cell]) -> tuple[KeyValue, ...]:
    """Give the comparison keys that a record with these values would have."""
    rows = Rows(ref.system, ref.kind, tuple(values), (ref.id,), (tuple(values.values()),))
    return run.definition.matcher.keys(Record(rows, 0), side)
