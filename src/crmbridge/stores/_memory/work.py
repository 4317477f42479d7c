"""Roles about work: inbox, agenda, quarantine, rulings, leases, tokens, budgets."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, islice

import attrs

from ...errors import LeaseHeld
from ...flow import RateBudget
from ...model import SIDES, Arrived, RecordRef, Side, Signal
from ...reasons import Reason
from ...roles import Fence, QueueRow, QueueState, Ruling, Start, Tally, Token
from .._shared import is_due, stale
from .tables import Lease, Pipe, Tables


@attrs.frozen
class MemoryInbox:
    """Deliveries that wait."""

    _tables: Tables = attrs.field(repr=False)

    def put(self, pipeline: str, arrivals: Sequence[Signal | Arrived]) -> int:
        with self._tables.lock:
            inbox = self._tables.pipes[pipeline].inbox
            before = len(inbox)
            for arrival in arrivals:
                inbox.setdefault(arrival.id, arrival)
            return len(inbox) - before

    def waiting(self, pipeline: str, limit: int) -> Sequence[Signal | Arrived]:
        with self._tables.lock:
            return tuple(islice(self._waiting(pipeline), limit))

    def of(self, pipeline: str, refs: Iterable[RecordRef]) -> Mapping[RecordRef, Arrived]:
        asked = set(refs)
        with self._tables.lock:
            kept = self._tables.pipes[pipeline].inbox.values()
            arrived = (arrival for arrival in kept if isinstance(arrival, Arrived))
            return {arrival.record.ref: arrival for arrival in arrived if arrival.record.ref in asked}

    def count(self, pipeline: str) -> int:
        with self._tables.lock:
            return sum(1 for _ in self._waiting(pipeline))

    def _waiting(self, pipeline: str) -> Iterator[Signal | Arrived]:
        pipe = self._tables.pipes[pipeline]
        return (arrival for id_, arrival in pipe.inbox.items() if arrival and id_ not in pipe.taken)


@attrs.frozen
class MemoryAgenda:
    """What is due."""

    _tables: Tables = attrs.field(repr=False)

    def due(self, pipeline: str, now: dt.datetime, limit: int, *, after: int | None = None) -> Sequence[QueueRow]:
        with self._tables.lock:
            rows = [row for row in self._tables.pipes[pipeline].queue.values() if is_due(row, now)]
            if after is not None:
                return tuple(islice((row for row in rows if row.sequence > after), limit))
            departed, others = (row for row in rows if row.departed), (row for row in rows if not row.departed)
            return tuple(islice(chain(departed, others), limit))

    def rows(self, pipeline: str, side: Side, refs: Iterable[RecordRef]) -> Mapping[RecordRef, QueueRow]:
        with self._tables.lock:
            queue = self._tables.pipes[pipeline].queue
            return {ref: queue[side, ref] for ref in refs if (side, ref) in queue}

    def tally(self, pipeline: str, now: dt.datetime) -> Tally:
        with self._tables.lock:
            pipe = self._tables.pipes[pipeline]
            departed, linked, unlinked = (dict.fromkeys(SIDES, 0) for _ in range(3))
            for row in pipe.queue.values():
                if not is_due(row, now):
                    continue
                live = any(link.closed is None for link in pipe.of(row.side, row.ref))
                gone = row.departed and (row.side, row.ref) not in pipe.aliases
                if live:
                    (departed if gone else linked)[row.side] += 1
                elif not row.departed:
                    unlinked[row.side] += 1
            live_links = sum(link.closed is None for link in pipe.links.values())
            return Tally(live_links, departed, linked, unlinked)

    def next(self, pipeline: str) -> dt.datetime | None:
        with self._tables.lock:
            rows = self._tables.pipes[pipeline].queue.values()
            return min((row.until for row in rows if row.state == "held" and row.until), default=None)

    def enabled_since(self, pipeline: str) -> dt.datetime | None:
        with self._tables.lock:
            return self._tables.pipes[pipeline].enabled

    def enable(self, pipeline: str, since: dt.datetime | None) -> None:
        with self._tables.lock:
            self._tables.pipes[pipeline].enabled = since


@attrs.frozen
class MemoryQuarantine:
    """Parked queue rows."""

    _tables: Tables = attrs.field(repr=False)

    def of(self, pipeline: str, side: Side, refs: Iterable[RecordRef]) -> Mapping[RecordRef, QueueRow]:
        found = MemoryAgenda(self._tables).rows(pipeline, side, refs)
        return {ref: row for ref, row in found.items() if row.state != "ready"}

    def rows(self, pipeline: str, state: QueueState | None = None) -> Sequence[QueueRow]:
        with self._tables.lock:
            rows = self._tables.pipes[pipeline].queue.values()
            return [row for row in rows if row.state != "ready" and state in (None, row.state)]

    def count(self, pipeline: str) -> Mapping[str, int]:
        return Counter(str(row.because.code) if row.because else "" for row in self.rows(pipeline))


@attrs.frozen
class MemoryRulings:
    """What people decided, and what a guard holds."""

    _tables: Tables = attrs.field(repr=False)

    def of(self, pipeline: str, refs: Iterable[RecordRef]) -> Mapping[RecordRef, Ruling]:
        with self._tables.lock:
            rulings = self._tables.pipes[pipeline].rulings
            return {ref: rulings[ref] for ref in refs if ref in rulings}

    def add(self, pipeline: str, ruling: Ruling) -> None:
        with self._tables.lock:
            pipe = self._tables.pipes[pipeline]
            pipe.rulings[ruling.ref] = ruling
            for side in SIDES:
                # Under a new number, so that a run that took the row before the ruling cannot park it after.
                if woken := pipe.queue.get((side, ruling.ref)):
                    pipe.put_row(awake(woken))

    def objection(self, pipeline: str) -> Reason | None:
        with self._tables.lock:
            return self._tables.pipes[pipeline].objection


def awake(row: QueueRow) -> QueueRow:
    """Make a parked row ready; its version and tries stay."""
    return attrs.evolve(row, state="ready", until=None, because=None)


@attrs.frozen
class MemoryTokens:
    """Tokens, shared by all threads."""

    _tables: Tables = attrs.field(repr=False)

    def get(self, credential: str) -> Token | None:
        with self._tables.lock:
            return self._tables.tokens.get(credential)

    @contextmanager
    def lock(self, credential: str) -> Generator[Token | None, None, None]:
        with self._tables.lock:
            one_refresher = self._tables.token_locks[credential]
        with one_refresher:
            yield self.get(credential)

    def save(self, credential: str, token: Token) -> None:
        with self._tables.lock:
            self._tables.tokens[credential] = token


@attrs.frozen
class MemoryBudgets:
    """What may still be asked of a system."""

    _tables: Tables = attrs.field(repr=False)

    def spend(self, account: str, lane: str, budget: RateBudget, cost: int, now: float) -> float:
        with self._tables.lock:
            spent = self._tables.budgets[account, lane]
            so_far = budget if spent.level is None else attrs.evolve(budget, level=spent.level, at=spent.at)
            after, wait = so_far.spend(cost, now)
            spent.level, spent.at = after.level, after.at
            return max(wait, spent.held_until - now)

    def hold(self, account: str, lane: str, until: float) -> None:
        with self._tables.lock:
            spent = self._tables.budgets[account, lane]
            spent.held_until = max(spent.held_until, until)

    def starts(self, pipeline: str, since: dt.datetime) -> Sequence[Start]:
        with self._tables.lock:
            return [one for one in self._tables.pipes[pipeline].starts if one.at >= since]


@attrs.frozen
class MemoryLeases:
    """Who may run a partition."""

    _tables: Tables = attrs.field(repr=False)

    def take(self, partition: str, owner: str, now: dt.datetime, ttl: dt.timedelta) -> Fence:
        with self._tables.lock:
            lease = self._tables.leases.get(partition)
            if lease is not None and lease.owner is not None and lease.until > now:
                raise LeaseHeld(f"{partition}: {lease.owner} has the lease until {lease.until.isoformat()}")
            token = lease.token + 1 if lease else 1
            self._tables.leases[partition] = Lease(token, owner, now + ttl)
            return Fence(partition, token, now + ttl)

    def renew(self, fence: Fence, now: dt.datetime, ttl: dt.timedelta) -> Fence:
        with self._tables.lock:
            if not holds(self._tables, fence):
                raise stale(fence)
            self._tables.leases[fence.partition].until = now + ttl
            return Fence(fence.partition, fence.token, now + ttl)

    def release(self, fence: Fence) -> None:
        with self._tables.lock:
            if holds(self._tables, fence):
                self._tables.leases[fence.partition].owner = None


def holds(tables: Tables, fence: Fence) -> bool:
    """Say whether a fence is of the newest lease of its partition, and that one was not given back."""
    lease = tables.leases.get(fence.partition)
    return lease is not None and lease.owner is not None and lease.token == fence.token


def wake(pipe: Pipe, place: tuple[Side, RecordRef]) -> None:
    """Make a record's row ready if it is parked, under the number it has."""
    row = pipe.queue.get(place)
    if row is not None and row.state != "ready":
        pipe.queue[place] = awake(row)
