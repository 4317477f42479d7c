"""What a plan costs: requests by system and verb, and how long they take under the budgets that are known."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Iterable, Mapping

import attrs

from .definition import Definition
from .flow import Account
from .model import SIDES, Decision, RecordRef, Side, other, target_kind, verb
from .model.decisions import written_side

__all__ = ["Cost", "costs"]


@attrs.frozen
class Cost:
    """What a run of a plan asks of one system; finding out what has changed comes on top."""

    writes: Mapping[str, int]
    """Requests by verb: as few as the number of records allows that fits into one."""
    reads: int
    """Requests that read by id: what is decided about, and again before a write that the system cannot make
    conditional."""
    takes: dt.timedelta | None
    """How long these requests must take; None where the connector's account has no budget."""

    @property
    def calls(self) -> int:
        """Count the requests."""
        return sum(self.writes.values()) + self.reads


@attrs.define(eq=False)
class _Counted:
    """Records by side and kind: those that are read, and those that are written, by verb."""

    read: Counter[tuple[Side, str]] = attrs.field(factory=lambda: Counter[tuple[Side, str]]())
    written: Counter[tuple[Side, str, str]] = attrs.field(factory=lambda: Counter[tuple[Side, str, str]]())


def costs(definition: Definition, decisions: Iterable[Decision]) -> Mapping[str, Cost]:
    """Work out by system what a run of these decisions costs; reads them once and keeps none."""
    counted = _count(decisions)
    found: dict[str, Cost] = {}
    for side in SIDES:
        end = definition.end(side)
        writes: Counter[str] = Counter()
        reads = sum(
            _requests(number, end.capabilities(kind).fetch_batch)
            for (at, kind), number in counted.read.items()
            if at == side and end.reads
        )
        for (at, kind, how), number in counted.written.items():
            if at == side:
                able = end.capabilities(kind)
                writes[how] += _requests(number, able.batch)
                if how != "create" and not able.conditional_writes:
                    reads += _requests(number, min(able.batch, able.fetch_batch))
        calls = reads + sum(writes.values())
        found[end.system] = Cost(dict(writes), reads, _takes(getattr(end.connector, "account", None), calls))
    return found


def _count(decisions: Iterable[Decision]) -> _Counted:
    counted = _Counted()
    before: frozenset[RecordRef | None] = frozenset()
    for decision in decisions:
        # The two records of a pair stand one after the other, each with all that is written to both.
        pair = frozenset({decision.ref, decision.counterpart})
        if pair == before and decision.counterpart is not None:
            continue
        before = pair
        counted.read[decision.side, decision.ref.kind] += 1
        if decision.counterpart is not None:
            counted.read[other(decision.side), decision.counterpart.kind] += 1
        for action in decision.actions:
            side = written_side(decision, action)
            counted.written[side, target_kind(action), verb(action)] += 1
    return counted


def _requests(number: int, limit: int) -> int:
    return math.ceil(number / max(1, limit))


def _takes(account: object, calls: int) -> dt.timedelta | None:
    """Tell how long so many requests of an account take when its tightest budget is fresh."""
    if not isinstance(account, Account) or not account.budgets:
        return None
    waits = [attrs.evolve(budget, level=0.0, at=0.0).spend(calls, 0.0)[1] for budget in account.budgets.values()]
    return dt.timedelta(seconds=max(waits))
