"""Recovery: what becomes of a write whose answer is missing.

The settle time counts from the take-over, never from the promise: the old process may have sent late. An update is
never sent again; it is judged field by field. A create is looked for, deleted and converted copies too, and sent
again only where a key that the system enforces makes that safe.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import attrs

from ..flow import Flow
from ..model import (
    Agreed,
    Applied,
    Archive,
    Capabilities,
    Cell,
    Create,
    CreateClass,
    Decision,
    Delete,
    Disposition,
    Link,
    Missing,
    Record,
    RecordRef,
    Side,
    Uncertain,
    Unsettled,
    Update,
    other,
    target_kind,
)
from ..model.sealed import Sealed
from ..plan import Pairing, differs
from ..protocols import KeyValue, Question
from ..reasons import Code, because
from ..roles import Delta, Intent, IntentState, JournalRow, QueueRow
from ._act import apply
from ._agree import Ack, acknowledge
from ._counted import found_written
from ._ends import named
from ._notices import notice
from ._patience import unsettled
from ._remember import journal_row, keyed_create
from ._run import Run
from ._seen import Look
from ._strikes import written

_CLOCKS = dt.timedelta(hours=2)
"""By so much the clocks of two machines and a system may differ."""


def take_over(run: Run) -> Flow[None]:
    """Count the doubt of every promise that an earlier run left without an answer from now on."""
    intents = yield from unsettled(run)
    left = [
        attrs.evolve(intent, state=IntentState.IN_DOUBT, doubt_since=run.now())
        for intent in intents
        if intent.state is IntentState.PROMISED
    ]
    run.doubts = bool(intents)
    if left:
        run.saw("took_over", intents=len(left))
        yield from run.commit(Delta(promised=tuple(left)))


def recover(run: Run) -> Flow[None]:
    """Settle the intents in doubt that are due."""
    intents = yield from unsettled(run)
    run.doubts = bool(intents)
    for intent in intents:
        if intent.state is IntentState.IN_DOUBT and _named(run, intent) and _due(run, intent) <= run.now():
            delta = yield from _settle(run, intent)
            if delta is not None:
                yield from run.commit(delta)


def _named(run: Run, intent: Intent) -> bool:
    """Say whether both kinds are still named: what is in doubt about another waits until it is."""
    target = (intent.side, target_kind(intent.action))
    return target in run.schemas and named(run, other(intent.side), intent.origin)


def _due(run: Run, intent: Intent) -> dt.datetime:
    able = run.able(intent.side, target_kind(intent.action))
    since = intent.doubt_since or run.now()
    if isinstance(intent.action, Create):
        made = _class_of(able, intent.action)
        if made is CreateClass.A:
            return since
        if made is CreateClass.C:
            return since + able.settles_in + able.index_lag
    return since + max(able.settles_in, able.read_lag)


def _settle(run: Run, intent: Intent) -> Flow[Delta | None]:
    match intent.action:
        case Create():
            return (yield from _create(run, intent, intent.action))
        case Update():
            return (yield from _update(run, intent, intent.action))
        case Archive() | Delete():
            return Delta(settled=(intent.key,), wake=_woken(intent, intent.action.ref))


def _woken(intent: Intent, target: RecordRef | None) -> tuple[tuple[Side, RecordRef], ...]:
    rows: list[tuple[Side, RecordRef]] = [(other(intent.side), intent.origin)]
    if target is not None:
        rows.append((intent.side, target))
    return tuple(rows)


# -- updates ---------------------------------------------------------------------------


def _update(run: Run, intent: Intent, action: Update) -> Flow[Delta]:
    """Read the record and judge each field: ours, not applied, or a person's."""
    look = Look(run)
    yield from look.read(intent.side, [action.ref])
    record = look.record(intent.side, action.ref)
    known = yield from run.ask(run.store.links.of, run.name, intent.side, [action.ref])
    link = next((one for one in known.get(action.ref, ()) if one.id == intent.link), None)
    ended = Delta(settled=(intent.key,), wake=_woken(intent, action.ref))
    if record is None or link is None:
        return ended
    if action.if_version is not None and record.version == action.if_version:
        return ended
    pairing = run.pairing(link.left.kind, link.right.kind, link.case)
    judged, ours, conflict = _judged(pairing, link, intent, record)
    if not (ours or conflict):
        return ended
    row = _recovered(run, intent, action.ref, conflict=conflict)
    told = (yield from found_written(run, intent, row)) if ours else ()
    return attrs.evolve(ended, links=(judged,) if ours else (), journal=(row,), run=run.id, decisions=told)


def _judged(pairing: Pairing, link: Link, intent: Intent, record: Record) -> tuple[Link, bool, bool]:
    places = {label: place for place, label in enumerate(pairing.labels)}
    halves: Mapping[Side, list[Cell | Missing]] = {
        "left": list(pairing.halves(link.left_agreed)),
        "right": list(pairing.halves(link.right_agreed)),
    }
    ours: list[str] = []
    conflict = False
    for promise in intent.fields:
        place, now = places.get(promise.pair), record.get(promise.field)
        if place is None or isinstance(now, Missing) or not differs(now, promise.before):
            continue
        if pairing.pairs[place].own(intent.side, promise.sent, now):
            ours.append(promise.pair)
            if not promise.both:
                halves[intent.side][place] = now
                halves[other(intent.side)][place] = promise.other
        else:
            conflict = True
    left = attrs.evolve(link.left_agreed, fields=pairing.labels, cells=tuple(halves["left"]), settled_version=None)
    right = attrs.evolve(link.right_agreed, fields=pairing.labels, cells=tuple(halves["right"]), settled_version=None)
    if ours and not conflict:
        # The last write was ours: an older reading is not believed, and its time is nobody's.
        mine = left if intent.side == "left" else right
        mine = attrs.evolve(mine, own_stamp=record.stamp or mine.own_stamp)
        left, right = (mine, right) if intent.side == "left" else (left, mine)
    return attrs.evolve(written(link, ours), left_agreed=left, right_agreed=right), bool(ours), conflict


def _recovered(run: Run, intent: Intent, ref: RecordRef, *, conflict: bool) -> JournalRow:
    row = journal_row(run, intent, Applied(intent.action, ref))
    code = Code.RECOVERED_CONFLICT if conflict else Code.RECOVERED
    return attrs.evolve(
        row, run=intent.run or run.id, because=because(code, system=run.definition.end(intent.side).system)
    )


# -- creates ---------------------------------------------------------------------------


def _create(run: Run, intent: Intent, action: Create) -> Flow[Delta | None]:
    able = run.able(intent.side, action.kind)
    questions = _questions(run, intent, action)
    found = yield from _find(run, intent, questions)
    if found is not None:
        return (yield from _tied(run, intent, found))
    if _class_of(able, action) is CreateClass.A:
        return None if run.planning else (yield from _again(run, intent, action))
    if _class_of(able, action) is CreateClass.B and questions:
        # A look settles it, if there is anything to look by: a system that claims the class and names none is left to a person.
        return Delta(settled=(intent.key,), wake=_woken(intent, None))
    why = because(Code.IN_DOUBT, system=run.definition.end(intent.side).system)
    side = other(intent.side)
    rows = yield from run.ask(run.store.quarantine.of, run.name, side, [intent.origin])
    parked = rows.get(intent.origin)
    if parked is None or parked.state == "quarantined":
        return None
    row = attrs.evolve(parked, state="quarantined", until=None, because=why)
    told = (notice(run, row, why),) if run.definition.notifiers else ()
    decided = Decision(side, intent.origin, None, Disposition.QUARANTINED, why)
    return Delta(queue=(row,), notices=told, run=run.id, decisions=(decided,))


def _class_of(able: Capabilities, action: Create) -> CreateClass | None:
    """Tell how surely this create can be resolved: a unique field that it leaves blank enforces nothing.

    A body of which fingerprints were kept cannot be sent again, so its record is looked for.
    """
    if able.creates is CreateClass.A and any(isinstance(cell, Sealed) for cell in action.values.values()):
        return CreateClass.B
    if able.creates is CreateClass.A and able.create_key is None and able.unique not in action.values:
        return CreateClass.C
    return able.creates


def _questions(run: Run, intent: Intent, action: Create) -> list[Question]:
    able = run.able(intent.side, action.kind)
    if able.create_key is not None:
        return [Question(action.kind, "key", ((KeyValue(able.create_key, intent.key),),), gone=True)]
    if able.unique is not None and able.unique in action.values:
        value = str(action.values[able.unique])
        return [Question(action.kind, "unique", ((KeyValue(able.unique, value),),), gone=True)]
    fields = dict.fromkeys(key.field for keys in intent.keys for key in keys if key.field in able.finds_by)
    sent = [KeyValue(field, str(action.values[field])) for field in fields if field in action.values]
    return [Question(action.kind, "keys", ((key,),), gone=True) for key in sent]


def _find(run: Run, intent: Intent, questions: Sequence[Question]) -> Flow[RecordRef | None]:
    if not questions:
        return None
    answers = yield from run.definition.end(intent.side).sink.find(questions, ())
    found = {record.ref: record.stamp for rows in answers for record in rows}
    refs = sorted(found)
    known = yield from run.ask(run.store.links.standing, run.name, intent.side, refs)
    if run.able(intent.side, target_kind(intent.action)).create_key is None:
        # Without a mark of ours, what was there before is an older record, and what is there beats what is gone.
        free = [ref for ref in refs if ref not in known or not (known[ref].linked or known[ref].closed)]
        look = Look(run)
        yield from look.read(intent.side, free)
        free = [ref for ref in free if not _was_there(intent, found[ref])]
        present = [ref for ref in free if look.record(intent.side, ref) is not None]
        # Which of several is ours, nobody can tell but a person.
        free = (present if len(present) == 1 else []) if present else free
    else:
        free = [ref for ref in refs if ref not in known or not known[ref].linked]
    return free[0] if free else None


def _was_there(intent: Intent, stamp: dt.datetime | None) -> bool:
    """Say whether a record surely is older than the promise: nobody has changed it since, and a new one is a change.

    The promise may have been made by another machine, whose clock nobody knows.
    """
    return stamp is not None and stamp < intent.promised_at - _CLOCKS


def _tied(run: Run, intent: Intent, ref: RecordRef) -> Flow[Delta]:
    """Adopt a copy; where its origin was tied to another record meanwhile, by a merge, it is closed as a surplus one."""
    delta = yield from _adopted(run, intent, ref)
    known = yield from run.ask(run.store.links.of, run.name, other(intent.side), [intent.origin])
    live = next((link.ref(intent.side) for link in known.get(intent.origin, ()) if link.closed is None), None)
    if live is None:
        return delta
    why = because(Code.DUPLICATE_OF, record=f"{live.kind} {live.id}")
    return attrs.evolve(delta, links=tuple(attrs.evolve(link, closed=why) for link in delta.links))


def _adopted(run: Run, intent: Intent, ref: RecordRef) -> Flow[Delta]:
    """Tie the copy that was found to its origin, with the values of the first attempt; the next reading judges them."""
    link = acknowledge(run, None, Ack(intent, Applied(intent.action, ref)))
    half = _unsettled(run, link.agreed(intent.side), intent)
    link = attrs.evolve(link, left_agreed=half) if intent.side == "left" else attrs.evolve(link, right_agreed=half)
    row = attrs.evolve(
        journal_row(run, intent, Applied(intent.action, ref)),
        run=intent.run or run.id,
        because=because(Code.RECOVERED, system=run.definition.end(intent.side).system),
    )
    told = yield from found_written(run, intent, row)
    arrival = QueueRow(other(intent.side), intent.origin, run=run.id)
    run.saw("adopted", system=ref.system, kind=ref.kind)
    return Delta(
        queue=(arrival,), links=(link,), settled=(intent.key,), journal=(row,), keys=(keyed_create(run, intent, ref),),
        run=run.id, decisions=told,
    )  # fmt: skip


def _unsettled(run: Run, agreed: Agreed, intent: Intent) -> Agreed:
    waiting = {promise.pair: Unsettled(promise.sent, run.now()) for promise in intent.fields}
    return attrs.evolve(agreed, unsettled={**agreed.unsettled, **waiting})


def _again(run: Run, intent: Intent, action: Create) -> Flow[Delta | None]:
    """Send the same frozen body again under the same key: the system makes no second record of it.

    The doubt begins anew where this answer is lost too: what is under way may still be applied, with these values.
    """
    [outcome] = yield from apply(run, intent.side, [action])
    if isinstance(outcome, Applied):
        return (yield from _tied(run, intent, outcome.ref))
    if isinstance(outcome, Uncertain):
        return Delta(promised=(attrs.evolve(intent, doubt_since=run.now()),))
    settles = run.able(intent.side, action.kind).settles_in
    if (intent.doubt_since or run.now()) + settles <= run.now():
        return Delta(settled=(intent.key,), wake=_woken(intent, None))
    return None
