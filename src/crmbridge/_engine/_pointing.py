"""Whether what is about to be written points to a record that is there: asked in batches, before anything is sent.

Only a field that the target's schema calls a reference is looked at, and only kinds that can be read by id. What links and
look-ups led to was found there already. What an answer of the system leaves open is left to the system.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import attrs

from ..definition import End
from ..errors import NotAllowed, Refused, UsageError
from ..flow import Flow
from ..model import (
    MISSING,
    SIDES,
    Action,
    Agreed,
    Cell,
    Create,
    Disposition,
    FieldDecision,
    Link,
    Missing,
    RecordRef,
    Side,
    Update,
    Values,
    is_blank,
    target_kind,
)
from ..plan import Pairing, Raised, differs
from ..reasons import Code, Reason, because
from ..roles import FieldPromise, Intent
from ._create import would_be_keys
from ._references import awaited
from ._run import Run
from ._subjects import Verdict


@attrs.frozen
class _Pointer:
    """A value that is about to be written, and the records that it may point to: one group for each of its elements."""

    verdict: Verdict
    intent: Intent
    promise: FieldPromise
    groups: tuple[tuple[RecordRef, ...], ...]


def pointing_somewhere(run: Run, verdicts: Sequence[Verdict]) -> Flow[list[Verdict]]:
    """Keep back what would point to nothing, or send what its pair says instead; reads ceil(n / batch) times a kind."""
    pointers = [pointer for verdict in verdicts for pointer in _pointers(run, verdict)]
    sides: list[Side] = [side for side in SIDES if any(pointer.intent.side == side for pointer in pointers)]
    for side in sides:
        groups = [group for pointer in pointers if pointer.intent.side == side for group in pointer.groups]
        yield from _look(run, run.definition.end(side), groups)
    lost: dict[int, list[_Pointer]] = {}
    for pointer in pointers:
        if any(not run.followed.leads(group) for group in pointer.groups):
            lost.setdefault(id(pointer.verdict), []).append(pointer)
    return [_judged(run, verdict, lost[id(verdict)]) if id(verdict) in lost else verdict for verdict in verdicts]


def _pointers(run: Run, verdict: Verdict) -> Iterator[_Pointer]:
    for intent in verdict.intents:
        end = run.definition.end(intent.side)
        if not end.reads:
            continue
        kinds = run.pointers(intent.side, target_kind(intent.action))
        for promise in intent.fields if kinds else ():
            groups = tuple(_groups(end.system, kinds.get(promise.field, ()), promise.sent))
            if groups:
                yield _Pointer(verdict, intent, promise, groups)


def _groups(system: str, kinds: Sequence[str], value: Cell) -> Iterator[tuple[RecordRef, ...]]:
    """Give, for each element of a value, the records that it may point to: a plain id may be of any of the kinds."""
    for one in value if isinstance(value, tuple) else (value,):
        if is_blank(one) or awaited(one) or not kinds:
            continue
        if isinstance(one, RecordRef):
            yield from [(one,)] if one.system == system else []
        else:
            yield tuple(RecordRef(system, kind, str(one)) for kind in kinds)


# -- looking --------------------------------------------------------------------------------------


def _look(run: Run, end: End, groups: Sequence[tuple[RecordRef, ...]]) -> Flow[None]:
    """Ask for what is not known yet: kind by kind, until each value is known to point to a record."""
    for place in range(max(map(len, groups))):
        asked: dict[str, dict[RecordRef, None]] = {}
        for group in groups:
            if place < len(group) and group[place] not in run.followed.there and not run.followed.leads(group[:place]):
                asked.setdefault(group[place].kind, {})[group[place]] = None
        for kind, refs in asked.items():
            try:
                yield from _ask(run, end, kind, list(refs))
            except (UsageError, Refused, NotAllowed):
                # A kind that the connector does not know, or its user may not read: nobody can tell.
                run.followed.there.update(dict.fromkeys(refs, True))


def _ask(run: Run, end: End, kind: str, refs: Sequence[RecordRef]) -> Flow[None]:
    size = max(end.capabilities(kind).fetch_batch, 1)
    for start in range(0, len(refs), size):
        chunk = refs[start : start + size]
        page = yield from end.source.fetch(chunk, ())
        found = {record.ref for record in page.rows}
        absent = [ref for ref in chunk if ref not in found]
        run.followed.there.update((ref, ref in found) for ref in chunk)
        # An id may be given in another form than the system's own: who answers to which is told by asking for one.
        for ref in absent if not found.issubset(chunk) else ():
            alone = yield from end.source.fetch([ref], ())
            run.followed.there[ref] = len(alone.rows) > 0


# -- judging --------------------------------------------------------------------------------------


def _judged(run: Run, verdict: Verdict, lost: Iterable[_Pointer]) -> Verdict:
    """Quarantine a record, unless each of its pairs leaves the field empty instead."""
    for pointer in lost:
        side, promise = pointer.intent.side, pointer.promise
        kinds = " / ".join(dict.fromkeys(ref.kind for group in pointer.groups for ref in group))
        why = because(Code.POINTS_NOWHERE, system=run.definition.end(side).system, field=promise.field, kind=kinds)
        answer = _answer(run, verdict, pointer, why)
        if answer is None:
            told = _told(verdict, side, promise, partial(attrs.evolve, sent=MISSING, because=why))
            kept = attrs.evolve(
                verdict, disposition=Disposition.QUARANTINED, because=why, park="quarantined", until=None
            )
            return attrs.evolve(kept, link=None, intents=(), keys=(), fields=told)
        verdict = _emptied(run, verdict, pointer, answer)
    return verdict


def _answer(run: Run, verdict: Verdict, pointer: _Pointer, why: Reason) -> Reason | None:
    """Say why the field stays empty, where its pair wants that; another value might point to nothing too."""
    intent, promise = pointer.intent, pointer.promise
    pairing, creating = _pairing(run, verdict, intent), isinstance(intent.action, Create)
    pair = pairing.pairs[pairing.places[promise.pair]]
    spec = pair.spec(intent.side)
    if spec is None or promise.both:
        return None
    held = MISSING if creating else promise.before
    try:
        made = pair.answered(spec, promise.sent, why, held=held, towards=intent.side, creating=creating)
    except Raised:  # an answer of one's own that raises knows nothing better
        return None
    return None if isinstance(made, Reason) or not is_blank(made.value) else made.answer


def _pairing(run: Run, verdict: Verdict, intent: Intent) -> Pairing:
    link = verdict.link or verdict.subject.link
    if link is not None and not isinstance(intent.action, Create):
        return run.pairing(link.left.kind, link.right.kind, link.case)
    origin, made = intent.origin.kind, target_kind(intent.action)
    return run.pairing(*((origin, made) if intent.side == "right" else (made, origin)), intent.case)


def _emptied(run: Run, verdict: Verdict, pointer: _Pointer, answer: Reason) -> Verdict:
    """Leave a field of a new record out; clear one of a record that is there, unless nothing was ever agreed about it."""
    side, promise = pointer.intent.side, pointer.promise
    making = isinstance(pointer.intent.action, Create)
    clears = not making and verdict.subject.link is not None and differs(promise.before, None)
    sent, towards = (None, side) if making or clears else (MISSING, None)
    told = _told(verdict, side, promise, partial(attrs.evolve, sent=sent, towards=towards, answer=answer))
    mine = next(one for one in verdict.intents if one.key == pointer.intent.key)
    promises = tuple(one for one in mine.fields if one.field != promise.field)
    if clears:
        promises = (*promises, attrs.evolve(promise, sent=None))
    mine = attrs.evolve(
        mine,
        action=_with_values(mine.action, {one.field: one.sent for one in promises}),
        fields=promises,
        decisions=tuple(line for line in told if line.towards == side),
    )
    if making:
        made = RecordRef(run.definition.end(side).system, target_kind(mine.action), "")
        keys = would_be_keys(run, side, made, {one.field: one.sent for one in promises})
        mine, verdict = attrs.evolve(mine, keys=(keys,)), attrs.evolve(verdict, keys=keys)
    elif not clears and verdict.link is not None:
        verdict = attrs.evolve(verdict, link=_left_alone(verdict.link, side, promise))
    intents = tuple(mine if one.key == mine.key else one for one in verdict.intents)
    verdict = attrs.evolve(verdict, fields=told, intents=tuple(one for one in intents if making or one.fields))
    if verdict.intents:
        return verdict
    alone = all(line.answer is answer for line in told)
    return attrs.evolve(verdict, disposition=Disposition.UNCHANGED, park=None if alone else "ready")


def _with_values(action: Action, values: Values) -> Action:
    return attrs.evolve(action, values=values) if isinstance(action, Create | Update) else action


def _left_alone(link: Link, side: Side, promise: FieldPromise) -> Link:
    """Agree on what both sides hold, since nothing is written."""
    left, right = (promise.before, promise.other) if side == "left" else (promise.other, promise.before)
    return attrs.evolve(
        link,
        left_agreed=_holding(link.left_agreed, promise.pair, left),
        right_agreed=_holding(link.right_agreed, promise.pair, right),
    )


def _holding(agreed: Agreed, label: str, value: Cell | Missing) -> Agreed:
    place = agreed.fields.index(label)
    return attrs.evolve(agreed, cells=(*agreed.cells[:place], value, *agreed.cells[place + 1 :]))


def _told(
    verdict: Verdict, side: Side, promise: FieldPromise, changed: Callable[[FieldDecision], FieldDecision]
) -> tuple[FieldDecision, ...]:
    """Change what is told of the field that a promise writes."""

    def is_it(line: FieldDecision) -> bool:
        named = line.left_field if side == "left" else line.right_field
        return named == promise.field and line.towards == side

    return tuple(changed(line) if is_it(line) else line for line in verdict.fields)
