"""Remembering: what an answer changes, in one commit: agreements, stamps, directory, journal, dispositions, queue."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import assert_never

import attrs

from ..model import (
    Applied,
    Archive,
    Create,
    Delete,
    Disposition,
    Link,
    Outcome,
    Postponed,
    RecordRef,
    Rejected,
    Stale,
    Uncertain,
    Update,
    other,
    target_kind,
    verb,
)
from ..model.refs import Cell, Missing, Values
from ..model.sealed import Sealed
from ..reasons import Code, Reason, because
from ..roles import Delta, Intent, IntentState, JournalRow, Keyed, QueueRow, QueueState
from ._act import Doing
from ._agree import Ack, acknowledge, at_rest, closed, settle_other
from ._create import would_be_keys
from ._edited import given
from ._events import finished
from ._notices import notices
from ._run import SHORTLY, Run
from ._subjects import Verdict

_BACKOFF = dt.timedelta(seconds=30)
_LONGEST = dt.timedelta(minutes=15)
_SEVERITY = {None: 0, "ready": 1, "held": 2, "disputed": 3, "quarantined": 4}


@attrs.define(eq=False)
class Memory:
    """What a batch has learned of its verdicts so far."""

    links: dict[str, Link] = attrs.field(factory=lambda: dict[str, Link]())
    """By link id, as it stands after the answers so far."""
    acks: dict[str, Ack] = attrs.field(factory=lambda: dict[str, Ack]())
    """By intent key."""
    ended: dict[int, Verdict] = attrs.field(factory=lambda: dict[int, Verdict]())
    """By verdict, how its rows go on after the worst of its outcomes so far."""


def remember(run: Run, memory: Memory, chunk: Sequence[Doing], outcomes: Sequence[Outcome]) -> Delta:
    """Work out everything that a chunk's answers change."""
    links: dict[str, Link] = {}
    settled: list[str] = []
    doubted: list[Intent] = []
    journal: list[JournalRow] = []
    keys: list[Keyed] = []
    touched: dict[int, Verdict] = {}
    for doing, outcome in zip(chunk, outcomes, strict=True):
        intent, verdict = doing.intent, doing.verdict
        match outcome:
            case Applied():
                link = _acknowledged(run, memory, doing, outcome)
                links[link.id] = memory.links[link.id] = link
                journal.append(journal_row(run, intent, outcome))
                keys.append(_keyed(run, verdict, intent, outcome))
                ended = _after(memory, verdict, link)
            case Stale():
                ended = _moved_on(run, verdict, intent)
            case Postponed(reason=why) if given(run, verdict):
                ended = _ended(verdict, Disposition.QUARANTINED, why, "quarantined")
            case Postponed(reason=why):
                ended = _ended(verdict, Disposition.HELD, why, "held", run.now() + _backoff(verdict))
            case Rejected(reason=why):
                ended = _ended(verdict, Disposition.QUARANTINED, why, "quarantined")
            case Uncertain():
                run.doubts = True
                doubted.append(attrs.evolve(intent, state=IntentState.IN_DOUBT, doubt_since=run.now()))
                ended = _doubtful(run, verdict, intent)
            case _:
                assert_never(outcome)
        if not isinstance(outcome, Uncertain):
            settled.append(intent.key)
        touched[id(verdict)] = memory.ended[id(verdict)] = _worse(memory.ended.get(id(verdict)), ended)
    parked, done = rows_of(run, touched.values())
    return Delta(
        finished=finished(run, done),
        notices=notices(run, touched.values()),
        queue=parked,
        done=done,
        links=tuple(links.values()),
        promised=tuple(doubted),
        settled=tuple(settled),
        journal=tuple(journal),
        run=run.id,
        decisions=tuple(line for verdict in touched.values() for line in verdict.decisions()),
        keys=tuple(keys),
    )


def rows_of(run: Run, verdicts: Iterable[Verdict]) -> tuple[tuple[QueueRow, ...], tuple[QueueRow, ...]]:
    """Split the rows of verdicts into those that stay, as they are parked, and those that end."""
    parked: list[QueueRow] = []
    done: list[QueueRow] = []
    for verdict in verdicts:
        parked.extend(verdict.parked(run.id, run.now()))
        if verdict.park is None:
            done.extend(verdict.subject.rows)
        parked.extend(verdict.wakes)
    return tuple(parked), tuple(done)


def _acknowledged(run: Run, memory: Memory, doing: Doing, outcome: Applied) -> Link:
    intent, verdict = doing.intent, doing.verdict
    base = memory.links.get(intent.link) or verdict.link or verdict.subject.link
    memory.acks[intent.key] = ack = Ack(intent, outcome)
    if isinstance(intent.action, Archive | Delete):
        if base is None:
            raise AssertionError("only a linked record is removed")
        return closed(base, intent.action.because)
    across = [one for one in verdict.intents if one.side != intent.side]
    partner = memory.acks.get(across[0].key) if across else None
    link = acknowledge(run, base if isinstance(intent.action, Update) else None, ack, partner)
    if not across:
        link = settle_other(run, link, other(intent.side), verdict.record(other(intent.side)))
    return link


def _after(memory: Memory, verdict: Verdict, link: Link) -> Verdict:
    """End the rows where both sides are known to equal the agreement, else look once more."""
    everything = all(intent.key in memory.acks for intent in verdict.intents)
    park: QueueState | None = None if everything and (link.closed is not None or at_rest(link)) else "ready"
    return attrs.evolve(verdict, disposition=Disposition.APPLIED, park=park, link=link)


def _ended(
    verdict: Verdict, disposition: Disposition, why: Reason, park: QueueState, until: dt.datetime | None = None
) -> Verdict:
    return attrs.evolve(verdict, disposition=disposition, because=why, park=park, until=until)


def _moved_on(run: Run, verdict: Verdict, intent: Intent) -> Verdict:
    """Look again at once, or as soon as a late reading can show what has moved."""
    lag = run.able(intent.side, target_kind(intent.action)).read_lag
    if lag:
        return _ended(verdict, Disposition.HELD, because(Code.MOVED_ON), "held", run.now() + lag)
    return _ended(verdict, Disposition.HELD, because(Code.MOVED_ON), "ready")


def _doubtful(run: Run, verdict: Verdict, intent: Intent) -> Verdict:
    able = run.able(intent.side, target_kind(intent.action))
    why = because(Code.INTENT_OPEN, system=run.definition.end(intent.side).system)
    return _ended(verdict, Disposition.HELD, why, "held", run.now() + max(able.settles_in, SHORTLY))


def _backoff(verdict: Verdict) -> dt.timedelta:
    return min(_BACKOFF * (1 << min(verdict.subject.rounds, 5)), _LONGEST)


def _worse(before: Verdict | None, now: Verdict) -> Verdict:
    if before is None or before.disposition is Disposition.APPLIED:
        return now
    if now.disposition is Disposition.APPLIED or _SEVERITY[before.park] > _SEVERITY[now.park]:
        return before
    return now


def journal_row(run: Run, intent: Intent, outcome: Applied) -> JournalRow:
    """Say what was written, for `why`."""
    why = intent.because or because(Code.CHANGED)
    return JournalRow(
        run.id,
        run.now(),
        intent.side,
        verb(intent.action),
        outcome.ref,
        intent.origin,
        why,
        intent.decisions,
        outcome.version,
        intent.case,
    )


def _keyed(run: Run, verdict: Verdict, intent: Intent, outcome: Applied) -> Keyed:
    """Give the directory row of what we wrote or removed."""
    action = intent.action
    if isinstance(action, Archive | Delete):
        return Keyed(intent.side, action.ref)
    record = verdict.record(intent.side)
    held: dict[str, Cell] = {}
    if isinstance(action, Update) and record is not None:
        cells = zip(record.rows.fields, record.rows.cells[record.row], strict=True)
        held = {field: cell for field, cell in cells if not isinstance(cell, Missing)}
    values: Values = {**held, **action.values, **(outcome.stored or {})}
    return Keyed(intent.side, outcome.ref, would_be_keys(run, intent.side, outcome.ref, values))


def keyed_create(run: Run, intent: Intent, ref: RecordRef) -> Keyed:
    """Give the directory row of a record that we made and found again."""
    if not isinstance(intent.action, Create):
        return Keyed(intent.side, ref)
    if any(isinstance(cell, Sealed) for cell in intent.action.values.values()):
        return Keyed(intent.side, ref, tuple(key for level in intent.keys for key in level))
    return Keyed(intent.side, ref, would_be_keys(run, intent.side, ref, intent.action.values))
