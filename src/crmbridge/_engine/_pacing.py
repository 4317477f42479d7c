"""Pacing a run: a record that may not be written yet is held until its turn.

A start is committed together with the promise of its write, so a crash or a second worker starts nothing twice. A try
counts as a start, since its answer may have been lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from ..definition import Paced
from ..flow import Flow
from ..model import Disposition, Missing, Record, RecordRef, is_blank
from ..pacing import TooSoon, asked
from ..roles import Delta, Start
from ._run import Run
from ._subjects import Verdict, digest

_AHEAD = 100
"""Records that get a turn of their own; those behind them ask again at the turn of the last of these."""


def paced(run: Run, verdicts: Sequence[Verdict]) -> Flow[tuple[list[Verdict], tuple[Start, ...]]]:
    """Hold the writes whose time has not come; give the starts that must be remembered with the others' promises.

    Records that wait are given turns in their order, so that they need not all ask again at once.
    """
    rule = run.definition.paced
    if rule is None:
        return list(verdicts), ()
    starts = yield from _starts(run, rule)
    found: list[Verdict] = []
    made: list[Start] = []
    for verdict in verdicts:
        if not verdict.intents:
            found.append(verdict)
            continue
        key = _key(rule, verdict.left, verdict.subject.ref)
        answer = asked(rule.pacing, starts, key, run.now())
        if isinstance(answer, TooSoon):
            found.append(_held(verdict, answer))
            _wait(starts, key, answer)
            continue
        made.append(Start(key, answer.starts))
        _put(starts, made[-1])
        found.append(verdict)
    return found, tuple(made)


def turns(run: Run, records: Sequence[Record]) -> Flow[Mapping[RecordRef, TooSoon]]:
    """Give their turns to those of these left records whose time has not come, were they written in this order.

    What the others start is counted when they are decided; so is what is written to pairs of the same batch.
    """
    rule = run.definition.paced
    if rule is None:
        return {}
    starts = yield from _starts(run, rule)
    foreseen = list(starts)
    found: dict[RecordRef, TooSoon] = {}
    for record in records:
        key = _key(rule, record, record.ref)
        answer = asked(rule.pacing, foreseen, key, run.now())
        if isinstance(answer, TooSoon):
            found[record.ref] = answer
            _wait(starts, key, answer)
            _wait(foreseen, key, answer)
        else:
            _put(foreseen, Start(key, answer.starts))
    return found


def _starts(run: Run, rule: Paced) -> Flow[list[Start]]:
    if run.starts is None:
        since = run.now() - rule.pacing.memory
        run.starts = list((yield from run.ask(run.store.budgets.starts, run.name, since)))
    return run.starts


def _wait(starts: list[Start], key: str, answer: TooSoon) -> None:
    """Give a record that waits its turn, while there are not too many."""
    if len(starts) < _AHEAD:
        _put(starts, Start(key, answer.earliest))


def remembering(run: Run, delta: Delta, starts: tuple[Start, ...]) -> Delta:
    """Add starts to the promises that they belong to, and let go of those that no longer matter."""
    rule = run.definition.paced
    if rule is None or not starts:
        return delta
    return attrs.evolve(delta, starts=starts, starts_matter=run.now() - rule.pacing.memory)


def _put(starts: list[Start], start: Start) -> None:
    starts.append(start)
    starts.sort(key=lambda one: one.at)


def _key(rule: Paced, record: Record | None, ref: RecordRef) -> str:
    """Name what a cool-down counts for: a field of the left record, else the record; as a hash, since it may be personal."""
    value = None if rule.by is None or record is None else record.get(rule.by)
    if value is None or isinstance(value, Missing) or is_blank(value):
        return digest("record", str(ref if record is None else record.ref))
    return digest("key", str(value))


def _held(verdict: Verdict, answer: TooSoon) -> Verdict:
    return attrs.evolve(
        verdict,
        disposition=Disposition.HELD,
        because=answer.because,
        park="held",
        until=answer.earliest,
        intents=(),
        link=None,
        keys=(),
    )
