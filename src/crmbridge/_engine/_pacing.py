"""Pacing a run: a record that may not be written yet is held until its turn.

A start is committed together with the promise of its write, so a crash or a second worker starts nothing twice. A try
counts as a start, since its answer may have been lost.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ..definition import Paced
from ..flow import Flow
from ..model import Disposition, Missing, is_blank
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
    if run.starts is None:
        since = run.now() - rule.pacing.memory
        run.starts = list((yield from run.ask(run.store.budgets.starts, run.name, since)))
    found: list[Verdict] = []
    made: list[Start] = []
    for verdict in verdicts:
        if not verdict.intents:
            found.append(verdict)
            continue
        key = _key(rule, verdict)
        answer = asked(rule.pacing, run.starts, key, run.now())
        if isinstance(answer, TooSoon):
            found.append(_held(verdict, answer))
            if len(run.starts) < _AHEAD:
                _put(run.starts, Start(key, answer.earliest))
            continue
        made.append(Start(key, answer.starts))
        _put(run.starts, made[-1])
        found.append(verdict)
    return found, tuple(made)


def remembering(run: Run, delta: Delta, starts: tuple[Start, ...]) -> Delta:
    """Add starts to the promises that they belong to, and let go of those that no longer matter."""
    rule = run.definition.paced
    if rule is None or not starts:
        return delta
    return attrs.evolve(delta, starts=starts, starts_matter=run.now() - rule.pacing.memory)


def _put(starts: list[Start], start: Start) -> None:
    starts.append(start)
    starts.sort(key=lambda one: one.at)


def _key(rule: Paced, verdict: Verdict) -> str:
    """Name what a cool-down counts for: a field of the left record, else the record; as a hash, since it may be personal."""
    record = verdict.left
    value = None if rule.by is None or record is None else record.get(rule.by)
    if value is None or isinstance(value, Missing) or is_blank(value):
        return digest("record", str(verdict.subject.ref if record is None else record.ref))
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
