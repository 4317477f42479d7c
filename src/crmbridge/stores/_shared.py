"""What every store must decide in the same way."""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import reduce
from itertools import chain
from typing import TypeAlias, TypeVar

import attrs

from ..errors import FenceStale, UsageError
from ..model import LEFT, MISSING, Agreed, Create, Decision, Disposition, Link, RecordRef, Side, Standing
from ..protocols import KeyValue
from ..reasons import Code, Reason
from ..roles import FORGOTTEN, Delta, Fence, Intent, JournalRow, QueueRow

T = TypeVar("T")
P = TypeVar("P")
"""Where a decision stands: an end and the id of a record, as a store keeps them."""

Levels: TypeAlias = Sequence[Sequence[KeyValue]]

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

NOT_STORED = "nothing more was stored, and what was sent before is looked up by the next run"
"""What is true of every commit that is refused: writes to a system may have gone before it."""

NUMBER_BYTES = 8

OLD_ROWS = 2_000
"""Rows of history that one commit removes because of their age, at most: others need not wait for long."""

_MICROSECOND = dt.timedelta(microseconds=1)


def micros(at: dt.datetime) -> int:
    """Count microseconds since 1970, exactly; raises `UsageError` for an instant without a zone."""
    if at.tzinfo is None:
        raise UsageError("an instant without a zone says nothing; give one with a zone")
    return (at - EPOCH) // _MICROSECOND


def instant(count: int) -> dt.datetime:
    """Turn microseconds since 1970 into an instant, in UTC."""
    return EPOCH + count * _MICROSECOND


def is_due(row: QueueRow, now: dt.datetime) -> bool:
    """Say whether a queue row may be taken now; a held row without a time waits until it is woken."""
    return row.state == "ready" or (row.state == "held" and row.until is not None and row.until <= now)


def can_be_asked(alternative: Collection[KeyValue]) -> bool:
    """Say whether an alternative names at least one key, and no blank one: a blank never matches."""
    return bool(alternative) and all(key.value for key in alternative)


def all_keys(levels: Iterable[Iterable[KeyValue]]) -> frozenset[KeyValue]:
    """Gather the keys of all levels: a create answers a question by any of them together."""
    return frozenset(chain.from_iterable(levels))


def common(sets: Iterable[set[T]]) -> set[T]:
    """Give what is in all of the sets; there is at least one."""
    return reduce(lambda one, another: one & another, sets)


def planned_create(decision: Decision) -> Create | None:
    """Find the create that a decision's planned keys belong to: its first."""
    return next((action for action in decision.actions if isinstance(action, Create)), None)


def numbered(
    delta: Delta, places: Sequence[P], known: Mapping[P, tuple[int, str]], last: int
) -> tuple[dict[P, tuple[int, Decision, Levels]], int]:
    """Number the decisions of a commit by place, and tell the last number; *known* are those that the run has made.

    A place keeps its number; of several decisions about it the latest stands, but one that says unchanged leaves an
    applied one alone.
    """
    known = dict(known)
    written: dict[P, tuple[int, Decision, Levels]] = {}
    for index, (place, decision) in enumerate(zip(places, delta.decisions, strict=True)):
        number, before = known.get(place, (0, ""))
        if (before, decision.disposition) == (Disposition.APPLIED, Disposition.UNCHANGED):
            continue
        if not number:
            number = last = last + 1
        known[place] = number, str(decision.disposition)
        written[place] = number, decision, delta.planned[index] if index < len(delta.planned) else ()
    return written, last


def runs_of(delta: Delta) -> Sequence[str]:
    """Name the runs and plans that a commit adds rows to, each once."""
    return tuple(dict.fromkeys((*(row.run for row in delta.journal), *([delta.run] if delta.decisions else []))))


def touched(intent: Intent) -> tuple[RecordRef, ...]:
    """Tell which records an intent holds: the one it writes, and the one it was decided from."""
    if isinstance(intent.action, Create):
        return tuple(dict.fromkeys((intent.action.origin, intent.origin)))
    return tuple(dict.fromkeys((intent.action.ref, intent.origin)))


def age(intent: Intent) -> tuple[dt.datetime, str]:
    """Order intents, oldest first."""
    return intent.promised_at, intent.key


def in_order(links: Iterable[Link]) -> Sequence[Link]:
    """Order links of one record: live ones first, then by when they were made, then by id."""
    listed = list(links)
    return sorted(listed, key=_rank) if len(listed) > 1 else listed


def _rank(link: Link) -> tuple[bool, dt.datetime, str]:
    return link.closed is not None, link.since, link.id


def standing(live: Sequence[str | None], *, closed: bool, parked: tuple[str, str | None] | None = None) -> Standing:
    """Say what is known of a record, given the settled versions of its live links, a closed one, and its parked row.

    A closed link counts only where no live one is. Of several live links all must have settled at one version.
    """
    settled = live[0] if live and live.count(live[0]) == len(live) else None
    if parked is None:
        return Standing(bool(live), closed and not live, settled)
    return Standing(bool(live), closed and not live, settled, *parked)


def stale(fence: Fence) -> FenceStale:
    """Say that a lease was lost."""
    return FenceStale(f"{fence.partition}: the lease of token {fence.token} was lost or given back")


def fingerprint(key: bytes, ref: RecordRef) -> bytes:
    """Tell a forgotten record when it comes again: HMAC-SHA256 over its system, kind and id, each with its length."""
    parts = [part.encode("utf-8", "surrogatepass") for part in (ref.system, ref.kind, ref.id)]
    told = b"".join(len(part).to_bytes(NUMBER_BYTES, "big") + part for part in parts)
    return hmac.digest(key, told, "sha256")


def forgotten_link(side: Side, ref: RecordRef, print_: bytes) -> Link:
    """Stand in for the link of a forgotten record: closed, empty, and with a counterpart that is nobody."""
    nobody = RecordRef(FORGOTTEN, FORGOTTEN, print_.hex())
    left, right = (ref, nobody) if side == LEFT else (nobody, ref)
    nothing = Agreed.nothing(())
    return Link(f"{FORGOTTEN}:{nobody.id}", left, right, nothing, nothing, EPOCH, closed=Reason(Code.FORGOTTEN))


def emptied(row: JournalRow, key: bytes, gone: AbstractSet[RecordRef]) -> JournalRow:
    """Take every value, version and fact out of a journal row, and put fingerprints in place of forgotten records."""

    def unnamed(ref: RecordRef) -> RecordRef:
        return attrs.evolve(ref, id=f"{FORGOTTEN}:{fingerprint(key, ref).hex()}") if ref in gone else ref

    return attrs.evolve(
        row,
        ref=unnamed(row.ref),
        origin=unnamed(row.origin),
        because=Reason(row.because.code),
        fields=tuple(
            attrs.evolve(field, left=MISSING, right=MISSING, sent=MISSING, because=Reason(field.because.code))
            for field in row.fields
        ),
        version=None,
    )
