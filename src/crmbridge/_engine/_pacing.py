"""Pacing a run: a record that may not be written yet is held until its turn.

A start is committed together with the promise of its write, so a crash or a second worker starts nothing twice. A try
counts as a start, since its answer may have been lost.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import attrs

from ..definition import Paced
from ..flow import Flow
from ..model import Disposition, Missing, Record, RecordRef, is_blank
from ..pacing import TooSoon
from ..reasons import Code, Reason, because
from ..roles import Delta, QueueRow, Start
from ._edited import given
from ._run import Run
from ._subjects import Subject, Verdict, digest
from ._turns import FIRST, Place, Turns, Waiting

_PLACE = "place"
"""Names the fact that tells where a record stands that has changed while it waited: its row has a later number."""


def line_up(run: Run) -> Flow[None]:
    """Read who waits for a turn, before what has changed since takes their rows' numbers away."""
    rule = run.definition.paced
    if rule is None or run.starts is not None:
        return
    since = run.now() - rule.pacing.memory
    starts = list((yield from run.ask(run.store.budgets.starts, run.name, since)))
    counts = yield from run.ask(run.store.quarantine.count, run.name)
    parked: Sequence[QueueRow] = ()
    if counts.get(Code.PACED):
        parked = yield from run.ask(run.store.quarantine.rows, run.name, "held")
    run.starts = Turns(rule.pacing, starts, [one for row in parked if (one := _waiting(rule, row)) is not None])


def paced(
    run: Run, verdicts: Sequence[Verdict], *, ahead: bool = False
) -> Flow[tuple[list[Verdict], tuple[Start, ...]]]:
    """Hold the writes whose time has not come; give the starts that must be remembered with the others' promises.

    Whoever came up first is served first, whatever is to be written about it; with *ahead*, before all who wait. Those
    who wait are given turns in the same order, so that they need not all ask again at once.
    """
    yield from line_up(run)
    rule, turns = run.definition.paced, run.starts
    if rule is None or turns is None:
        return list(verdicts), ()
    # Who was told a turn before its parent was asked for has that turn.
    decided = [verdict for verdict in verdicts if verdict.because.code is not Code.PACED]
    turns.leave(row for verdict in decided for row in verdict.subject.rows)
    found = list(verdicts)
    made: list[Start] = []
    writing = [number for number, verdict in enumerate(verdicts) if verdict.intents]
    places = {number: FIRST if ahead else turns.place(verdicts[number].subject.rows) for number in writing}
    for number, place in sorted(places.items(), key=lambda one: one[1]):
        verdict = verdicts[number]
        key = _key(rule, verdict.subject, verdict.left)
        answer = turns.start(key, place, run.now())
        if isinstance(answer, TooSoon) and given(run, verdict):
            found[number] = attrs.evolve(
                _held(verdict, answer, place), disposition=Disposition.QUARANTINED, park="quarantined", until=None
            )
        elif isinstance(answer, TooSoon):
            found[number] = _held(verdict, answer, place)
            turns.wait((verdict.subject.side, verdict.subject.ref), key, place, answer.earliest)
        else:
            made.append(Start(key, answer.starts))
    return found, tuple(made)


def too_soon(run: Run, wanting: Sequence[tuple[Subject, Record]]) -> Flow[Mapping[RecordRef, TooSoon]]:
    """Give their turns to those of these left records whose time has not come, were they all written.

    What the others start is counted when they are decided; so is what is written to pairs of the same batch.
    """
    yield from line_up(run)
    rule, turns = run.definition.paced, run.starts
    if rule is None or turns is None:
        return {}
    turns.leave(row for subject, _ in wanting for row in subject.rows)
    foreseen = turns.copy()
    found: dict[RecordRef, TooSoon] = {}
    for subject, record in sorted(wanting, key=lambda one: turns.place(one[0].rows)):
        key, place = _key(rule, subject, record), turns.place(subject.rows)
        answer = foreseen.start(key, place, run.now())
        if isinstance(answer, TooSoon):
            found[record.ref] = TooSoon(answer.earliest, _placed(answer.because, subject, place))
            for line in (turns, foreseen):
                line.wait((subject.side, subject.ref), key, place, answer.earliest)
    return found


def remembering(run: Run, delta: Delta, starts: tuple[Start, ...]) -> Delta:
    """Add starts to the promises that they belong to, and let go of those that no longer matter."""
    rule = run.definition.paced
    if rule is None or not starts:
        return delta
    return attrs.evolve(delta, starts=starts, starts_matter=run.now() - rule.pacing.memory)


def _waiting(rule: Paced, row: QueueRow) -> Waiting | None:
    if row.because is None or row.because.code is not Code.PACED or row.until is None:
        return None
    number = row.because.facts.get(_PLACE, row.sequence)
    key = _record_key(row.ref) if rule.by is None else None
    return Waiting((row.side, row.ref), number if isinstance(number, int) else row.sequence, row.until, key)


def _key(rule: Paced, subject: Subject, record: Record | None) -> str:
    """Name what a cool-down counts for: a field of the left record, else the record; as a hash, since it may be personal."""
    value = None if rule.by is None or record is None else record.get(rule.by)
    if value is None or isinstance(value, Missing) or is_blank(value):
        link = subject.link
        return _record_key(record.ref if record is not None else subject.ref if link is None else link.left)
    return digest("key", str(value))


def _record_key(ref: RecordRef) -> str:
    return digest("record", str(ref))


def _held(verdict: Verdict, answer: TooSoon, place: Place) -> Verdict:
    return attrs.evolve(
        verdict,
        disposition=Disposition.HELD,
        because=_placed(answer.because, verdict.subject, place),
        park="held",
        until=answer.earliest,
        intents=(),
        link=None,
        keys=(),
    )


def _placed(why: Reason, subject: Subject, place: Place) -> Reason:
    """Keep the place of a record that has changed while it waited: its row came to the end of the queue."""
    number = place[0]
    if math.isinf(number) or any(row.sequence == number for row in subject.rows):
        return why
    return because(why.code, **why.facts, **{_PLACE: int(number)})
