"""What a plan costs: requests by system and verb, and how long they take under the budgets that are known."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

import attrs

from .definition import Definition, End
from .flow import Account
from .model import SIDES, Capabilities, Create, Decision, RecordRef, Side, other, target_kind, verb
from .model.decisions import written_side
from .protocols import CountsFetches

__all__ = ["Cost", "costs"]


_SETTLING = ("create", "update")
"""Writes after which a record is looked at once more, unless the answer says what is there now."""


@attrs.frozen
class Cost:
    """What a run of a plan asks of one system; finding out what has changed, and counterparts, comes on top."""

    writes: Mapping[str, int]
    """Requests by verb, each with as many records as the connector says that one request carries."""
    reads: int
    """Requests that read by id: what is decided about, again before a write that the system cannot make conditional, and
    again after one whose answer does not say what is there now."""
    takes: dt.timedelta | None
    """How long these requests must take; None where the connector's account has no budget."""

    @property
    def calls(self) -> int:
        """Count the requests."""
        return sum(self.writes.values()) + self.reads


@attrs.define(eq=False)
class _Batch:
    """Records of one batch by side and kind: those that are read, and those that are written, by verb."""

    read: dict[tuple[Side, str], list[RecordRef]] = attrs.field(factory=lambda: defaultdict(list))
    written: dict[tuple[Side, str, str], list[RecordRef]] = attrs.field(factory=lambda: defaultdict(list))
    """Of those that are to be made, the records that they mirror."""


def costs(definition: Definition, decisions: Iterable[Decision]) -> Mapping[str, Cost]:
    """Work out by system what a run of these decisions costs; reads them once, a batch at a time, as a run does."""
    writes: dict[Side, Counter[str]] = {side: Counter() for side in SIDES}
    reads = Counter[Side]()
    for batch in _batches(decisions, definition.batch):
        for (side, kind), refs in batch.read.items():
            end = definition.end(side)
            reads[side] += _fetches(end, refs, end.capabilities(kind)) if end.reads else 0
        for (side, kind, how), refs in batch.written.items():
            end = definition.end(side)
            able = end.capabilities(kind)
            for part in _cut(refs, able.batch):
                writes[side][how] += math.ceil(len(part) / able.carries.get(how, able.batch))
            reads[side] += _read_for(end, how, refs, able) if end.reads else 0
    found: dict[str, Cost] = {}
    for side in SIDES:
        end = definition.end(side)
        calls = reads[side] + writes[side].total()
        found[end.system] = Cost(
            dict(writes[side]), reads[side], _takes(getattr(end.connector, "account", None), calls)
        )
    return found


def _read_for(end: End, how: str, refs: Sequence[RecordRef], able: Capabilities) -> int:
    """Count the requests that read what is written: before a write that is not conditional, after one that says little."""
    reads = 0
    if how != "create" and not able.conditional_writes:
        reads += sum(_fetches(end, part, able) for part in _cut(refs, able.batch))
    if how in _SETTLING and not (able.answers_with_stored and not able.versions_later):
        # What is made now has no id yet; it is taken for a neighbour of what is made beside it.
        reads += len(_cut(refs, able.fetch_batch)) if how == "create" else _fetches(end, refs, able)
    return reads


def _batches(decisions: Iterable[Decision], size: int) -> Iterator[_Batch]:
    rows = iter(decisions)
    before: frozenset[RecordRef | None] = frozenset()
    while some := list(islice(rows, size)):
        batch = _Batch()
        for decision in some:
            # The two records of a pair stand one after the other, each with all that is written to both.
            pair = frozenset({decision.ref, decision.counterpart})
            if pair != before or decision.counterpart is None:
                _count(batch, decision)
            before = pair
        yield batch


def _count(batch: _Batch, decision: Decision) -> None:
    batch.read[decision.side, decision.ref.kind].append(decision.ref)
    if decision.counterpart is not None:
        batch.read[other(decision.side), decision.counterpart.kind].append(decision.counterpart)
    for action in decision.actions:
        side = written_side(decision, action)
        ref = action.origin if isinstance(action, Create) else action.ref
        batch.written[side, target_kind(action), verb(action)].append(ref)


def _fetches(end: End, refs: Sequence[RecordRef], able: Capabilities) -> int:
    """Count the requests that read records of one kind by id."""
    parts = _cut(refs, able.fetch_batch)
    connector = end.connector
    return sum(connector.fetch_requests(part) for part in parts) if isinstance(connector, CountsFetches) else len(parts)


def _cut(refs: Sequence[RecordRef], size: int) -> list[Sequence[RecordRef]]:
    size = max(1, size)
    return [refs[start : start + size] for start in range(0, len(refs), size)]


def _takes(account: object, calls: int) -> dt.timedelta | None:
    """Tell how long so many requests of an account take when its tightest budget is fresh."""
    if not isinstance(account, Account) or not account.budgets:
        return None
    waits = [attrs.evolve(budget, level=0.0, at=0.0).spend(calls, 0.0)[1] for budget in account.budgets.values()]
    return dt.timedelta(seconds=max(waits))
