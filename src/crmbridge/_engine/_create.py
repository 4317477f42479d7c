"""Making a record that mirrors one which no record over there matches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from ..given import references
from ..model import Cell, Create, Disposition, Missing, Record, RecordRef, Rows, Side, other
from ..plan import Cells, Move, NewRecord, Pairing, Raised, State, creation
from ..protocols import KeyValue, Unmatched
from ..reasons import Code, Fact, Reason, because
from ..references import Ensured
from ..roles import FieldPromise, Intent
from ._cases import case_of, told
from ._decide import failed, told_of
from ._edited import edited_creation
from ._gating import gated
from ._matching import Search, keys_of_one
from ._merging import followed, stopped, told_by
from ._patience import Window, may_be_ours
from ._ruled import answers
from ._run import SHORTLY, Run
from ._subjects import Subject, Verdict, digest
from ._twins import Promised, Reserved, strict
from ._young import young_until


def decide_creation(
    run: Run,
    subject: Subject,
    search: Search,
    reserved: Reserved,
    known: Promised,
    doubts: Sequence[Window],
) -> Verdict:
    """Make the counterpart, unless a setting, a gate, a twin or the target's schema says no.

    A create that is planned or unsettled is part of what matching sees, by its keys: a second record with the same
    keys waits a round and then meets the created one; in a plan it is judged at once. Where a rule raises, the record
    goes into quarantine.
    """
    try:
        return _decided(run, subject, search, reserved, known, doubts)
    except Raised as trouble:
        left, right = (search.record, None) if subject.side == "left" else (None, search.record)
        return failed(subject, trouble, left, right)


def would_make(run: Run, subject: Subject, search: Search, known: Promised, doubts: Sequence[Window]) -> bool:
    """Say whether a left record would be made once its parents are known; what asks for these cannot be asked yet."""
    record = search.record
    columns = {one.column for one in run.references if isinstance(one, Ensured)}
    awaited = frozenset(column for column in columns if isinstance(record.get(column), Missing))
    blank = _blank(subject, record)
    try:
        if _kept_back(run, subject, search, blank, Reserved(), known, doubts) is not None:
            return False
        if any(one.column in awaited for case in run.definition.cases for one in references(case.when)):
            return True
        case = case_of(run, record, None)
        return not isinstance(case, Reason) and bool(_make(run, subject, search, "right", blank, case, awaited).intents)
    except Raised:  # the record is parked when it is decided
        return False


def _decided(
    run: Run, subject: Subject, search: Search, reserved: Reserved, known: Promised, doubts: Sequence[Window]
) -> Verdict:
    record, towards = search.record, other(subject.side)
    blank = _blank(subject, record)
    kept = _kept_back(run, subject, search, blank, reserved, known, doubts)
    if kept is not None:
        return kept
    case = case_of(run, blank.left, blank.right)
    if isinstance(case, Reason):
        return attrs.evolve(blank, because=case)
    if subject.side == "left":
        run.judged(State.CHANGED, State.NONE, Move.CREATE_RIGHT)
    else:
        run.judged(State.NONE, State.CHANGED, Move.CREATE_LEFT)
    verdict = _make(run, subject, search, towards, blank, case)
    if verdict.intents and record.ref in run.followed.unasked:
        # Its time came while other records' parents were seen to: it is decided again with its own.
        return attrs.evolve(blank, disposition=Disposition.HELD, because=because(Code.BUSY), park="ready", quiet=True)
    if verdict.keys and verdict.intents:
        reserved.add(verdict.keys)
    return verdict


def _blank(subject: Subject, record: Record) -> Verdict:
    left, right = (record, None) if subject.side == "left" else (None, record)
    return Verdict(subject, Disposition.SKIPPED, because(Code.CREATES_OFF), None, left=left, right=right)


def _kept_back(
    run: Run,
    subject: Subject,
    search: Search,
    blank: Verdict,
    reserved: Reserved,
    known: Promised,
    doubts: Sequence[Window],
) -> Verdict | None:
    """Say what keeps a record from being made whatever it holds: a setting, a gate, time, a twin, a doubt."""
    record, towards = search.record, other(subject.side)
    why_not = refused(run, towards, blank.left, blank.right)
    if why_not is not None:
        return attrs.evolve(blank, because=why_not)
    if run.lost:
        why = because(Code.STATE_LOST, system=run.definition.end(towards).system)
        return attrs.evolve(blank, disposition=Disposition.HELD, because=why, park="held")
    due = young_until(run, subject, record)
    if due is not None:
        why = because(Code.NOT_DUE, until=due)
        return attrs.evolve(blank, disposition=Disposition.HELD, because=why, park="held", until=due)
    unsettled = record.ref in known.twins
    if unsettled or any(reserved.answer(question) for question in strict(search)):
        return _twin(run, blank, in_doubt=unsettled and not run.planning)
    if may_be_ours(record, doubts) or record.ref in known.strangers:
        why = because(Code.INTENT_OPEN, system=run.definition.end(subject.side).system)
        wait = max(run.able(subject.side, record.ref.kind).settles_in, SHORTLY)
        return attrs.evolve(blank, disposition=Disposition.HELD, because=why, park="held", until=run.now() + wait)
    return None


def refused(run: Run, towards: Side, left: Record | None, right: Record | None) -> Reason | None:
    """Tell the setting or gate that keeps a record from being made."""
    if not run.definition.creates(towards):
        return because(Code.CREATES_OFF, system=run.definition.end(towards).system)
    return gated(run, "creating", towards, left, right, None) or gated(run, "writing", towards, left, right, None)


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


def _make(
    run: Run,
    subject: Subject,
    search: Search,
    towards: Side,
    blank: Verdict,
    case: str | None,
    awaited: frozenset[str] = frozenset(),
) -> Verdict:
    """Make the counterpart of a record; *awaited*: columns that are not known yet, and fill what they are put into."""
    record = search.record
    stop = run.followed.stopped(record)
    if stop is not None:
        return stopped(blank, stop)
    kind = _new_kind(run, towards)
    system = run.definition.end(towards).system
    kinds = (record.ref.kind, kind) if towards == "right" else (kind, record.ref.kind)
    pairing = run.pairing(*kinds, case)
    held = pairing.reader(subject.side, record.rows.fields)(record.rows, record.row)
    required = run.required(towards, kind)
    if awaited:
        required -= {
            pair.right for pair in pairing.pairs if any(one.column in awaited for one in references(pair.given))
        }
    made = creation(pairing, towards, held, required)
    made = edited_creation(run, subject, pairing, towards, made, held, case)
    if run.followed.told:
        made = attrs.evolve(made, fields=followed(run, pairing, record.ref, made.fields))
    looked: Mapping[str, Fact] = told_of(search.found) if isinstance(search.found, Unmatched) else {}
    why = because(Code.NEW, system=run.definition.end(subject.side).system, **looked, **told(case))
    question = _question(run, pairing, towards, record.ref, made, held) if made.problems else None
    if question is not None and answers(run, record.ref).to(question) == "leave":
        ruled = because(Code.RULED, field=made.problems[0].facts.get("field", ""))
        return attrs.evolve(blank, because=ruled, fields=made.fields)
    if made.problems:
        return attrs.evolve(
            blank,
            disposition=Disposition.QUARANTINED,
            because=told_by(made.problems[0], system),
            park="quarantined",
            fields=made.fields,
            question=question,
        )
    labels, pairs = pairing.labels, pairing.pairs
    promises = tuple(
        FieldPromise(labels[place], pairs[place].field(towards), None, value, held[place])
        for place, value in sorted(made.values.items())
    )
    values = {promise.field: promise.sent for promise in promises}
    key = mark_of(run, towards, kind, record.ref, subject.incarnation)
    wanted = pairing.tells(towards) if run.able(towards, kind).answers_with_stored else ()
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
        case=case,
    )
    return Verdict(
        subject,
        Disposition.APPLIED,
        why,
        "ready",
        intents=(intent,),
        fields=made.fields,
        keys=keys,
        left=blank.left,
        right=blank.right,
    )


def _question(run: Run, pairing: Pairing, towards: Side, ref: RecordRef, made: NewRecord, held: Cells) -> str:
    """Name what a person is asked about the first value that would be refused, by the values that it comes of."""
    why = made.problems[0]
    seen = [
        cell for pair, cell in zip(pairing.pairs, held, strict=True) if pair.field(towards) == why.facts.get("field")
    ]
    return answers(run, ref).of_field(why, tuple(seen), ())


def mark_of(run: Run, towards: Side, kind: str, origin: RecordRef, incarnation: int = 0) -> str:
    """Give the key under which the counterpart of a record is made; it doubles as our mark on it."""
    return digest(run.name, "create", towards, kind, str(origin), incarnation)


def would_be_keys(run: Run, side: Side, ref: RecordRef, values: Mapping[str, Cell]) -> tuple[KeyValue, ...]:
    """Give the comparison keys that a record with these values would have."""
    rows = Rows(ref.system, ref.kind, tuple(values), (ref.id,), (tuple(values.values()),))
    return keys_of_one(run.definition.matcher, Record(rows, 0), side)
