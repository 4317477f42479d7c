"""A store that holds no values: another store, with keyed fingerprints in their place."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Final, Self

import attrs

from ..credentials import Secret
from ..errors import StateError, UsageError
from ..model import Arrived, Decision, Disposition, Link, RecordRef, Side, Signal, Standing
from ..protocols import Notice, Question
from ..reasons import Reason
from ..roles import (
    FINGERPRINTS,
    Agenda,
    Budgets,
    Delta,
    Directory,
    Fence,
    Inbox,
    Intent,
    Journal,
    JournalRow,
    Leases,
    Links,
    Outbox,
    Progress,
    Quarantine,
    Ruling,
    Rulings,
    StateStore,
    StoredSchema,
    Token,
    Tokens,
)
from ._sealing import Sealer

__all__ = ["FingerprintStore"]

_SHORTEST: Final = 32


class FingerprintStore:
    """Keep state in *store* without a value of any record: fingerprints under *key* stand in their place.

    The key comes from outside, 32 bytes or more, and is never stored: without it nothing in the state tells what a field
    held, nor can a guess be tried. Lost, it cannot be made again, and the state is of no use any more.

    Kept are the ids of records, names of fields, times, versions and reasons, and the tokens of accounts. A run does
    what it does with any other store, and `why` tells every step but the values; what needs an old value is refused by
    name when a run begins: policies such as `union`, references that cross both ways, systems whose answers do not tell
    what they stored, deliveries that are records. An undo puts no field back.

    Begin with an empty store. Raises `UsageError` for a key that is too short. A run raises `StateError` where the
    state was written under another key, or has links or promises with values; what plans alone have left there is not
    noticed, and stays.
    """

    keeps_values: Final = False

    def __init__(self, store: StateStore, *, key: bytes | Secret) -> None:
        known = key.reveal().encode() if isinstance(key, Secret) else key
        if len(known) < _SHORTEST:
            raise UsageError(f"a key of fingerprints has {_SHORTEST} bytes at least; this one has {len(known)}")
        self._show(store, Sealer(known))

    def _show(self, store: StateStore, sealer: Sealer) -> None:
        self._store, self._sealer = store, sealer
        self.links: Links = _Links(store.links, sealer)
        self.outbox: Outbox = _Outbox(store.outbox, sealer)
        self.inbox: Inbox = _Inbox(store.inbox)
        self.directory: Directory = _Directory(store.directory, sealer)
        self.journal: Journal = _Journal(store.journal, sealer)
        self.leases: Leases = _Leases(store, sealer)
        self.quarantine: Quarantine = store.quarantine
        self.rulings: Rulings = _Rulings(store.rulings, sealer)
        self.tokens: Tokens = store.tokens
        self.budgets: Budgets = store.budgets
        self.agenda: Agenda = store.agenda

    def commit(self, pipeline: str, delta: Delta, fence: Fence) -> None:
        """Change all of it or nothing, with fingerprints in place of values; raises `FenceStale`."""
        seal = self._sealer
        sealed = attrs.evolve(
            delta,
            queue=tuple(map(seal.queue, delta.queue)),
            links=tuple(map(seal.link, delta.links)),
            promised=tuple(map(seal.intent, delta.promised)),
            journal=tuple(map(seal.journal, delta.journal)),
            decisions=tuple(map(seal.decision, delta.decisions)),
            planned=tuple(tuple(tuple(map(seal.key, level)) for level in levels) for levels in delta.planned),
            keys=tuple(attrs.evolve(one, keys=tuple(map(seal.key, one.keys))) for one in delta.keys),
        )
        self._store.commit(pipeline, sealed, fence)

    def tenant(self, name: str) -> FingerprintStore:
        """Give the part of this store that belongs to one tenant, under the same key."""
        part = FingerprintStore.__new__(FingerprintStore)
        part._show(self._store.tenant(name), self._sealer)
        return part

    def forget(self, refs: Iterable[RecordRef]) -> int:
        """Remove every fingerprint kept of these records and of their counterparts; tell how many were known."""
        return self._store.forget(refs)

    def close(self) -> None:
        """Close the store beneath."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


@attrs.frozen
class _Links:
    _kept: Links
    _sealer: Sealer

    def of(self, pipeline: str, side: Side, refs: Iterable[RecordRef]) -> Mapping[RecordRef, Sequence[Link]]:
        found = self._kept.of(pipeline, side, refs)
        return {ref: [self._sealer.known_link(link) for link in links] for ref, links in found.items()}

    def all(self, pipeline: str) -> Iterator[Link]:
        return map(self._sealer.known_link, self._kept.all(pipeline))

    def standing(self, pipeline: str, side: Side, refs: Sequence[RecordRef]) -> Mapping[RecordRef, Standing]:
        return self._kept.standing(pipeline, side, refs)

    def followed(self, pipeline: str, side: Side, refs: Iterable[RecordRef]) -> Mapping[RecordRef, RecordRef]:
        return self._kept.followed(pipeline, side, refs)

    def progress(self, pipeline: str, side: Side, kind: str) -> Progress | None:
        return self._kept.progress(pipeline, side, kind)

    def count(self, pipeline: str) -> int:
        return self._kept.count(pipeline)


@attrs.frozen
class _Rulings:
    _kept: Rulings
    _sealer: Sealer

    def of(self, pipeline: str, refs: Iterable[RecordRef]) -> Mapping[RecordRef, Ruling]:
        return {ref: self._sealer.known_ruling(one) for ref, one in self._kept.of(pipeline, refs).items()}

    def add(self, pipeline: str, ruling: Ruling) -> None:
        self._kept.add(pipeline, ruling)

    def objection(self, pipeline: str) -> Reason | None:
        return self._kept.objection(pipeline)


@attrs.frozen
class _Outbox:
    _kept: Outbox
    _sealer: Sealer

    def unsettled(self, pipeline: str, limit: int) -> Sequence[Intent]:
        return [self._sealer.known_intent(intent) for intent in self._kept.unsettled(pipeline, limit)]

    def holding(self, pipeline: str, refs: Iterable[RecordRef]) -> Mapping[RecordRef, Intent]:
        found = self._kept.holding(pipeline, refs)
        return {ref: self._sealer.known_intent(intent) for ref, intent in found.items()}

    def creating(self, pipeline: str, run: str, questions: Sequence[Question]) -> Sequence[Sequence[RecordRef]]:
        return self._kept.creating(pipeline, run, [self._sealer.question(one) for one in questions])

    def counts(self, run: str) -> Mapping[Disposition, int]:
        return self._kept.counts(run)

    def rows(
        self, run: str, disposition: Disposition | None = None, *, after: int = 0, limit: int = 500
    ) -> Sequence[tuple[int, Decision]]:
        found = self._kept.rows(run, disposition, after=after, limit=limit)
        return [(number, self._sealer.known_decision(decision)) for number, decision in found]

    def planned(self, run: str, refs: Iterable[RecordRef]) -> Mapping[RecordRef, Decision]:
        found = self._kept.planned(run, refs)
        return {ref: self._sealer.known_decision(decision) for ref, decision in found.items()}

    def notices(self, limit: int) -> Sequence[Notice]:
        return self._kept.notices(limit)


@attrs.frozen
class _Inbox:
    _kept: Inbox

    def put(self, pipeline: str, arrivals: Sequence[Signal | Arrived]) -> int:
        if any(isinstance(one, Arrived) for one in arrivals):
            raise UsageError(f"{pipeline}: a delivery that is the record cannot be kept without its values")
        return self._kept.put(pipeline, arrivals)

    def waiting(self, pipeline: str, limit: int) -> Sequence[Signal | Arrived]:
        return self._kept.waiting(pipeline, limit)

    def of(self, pipeline: str, refs: Iterable[RecordRef]) -> Mapping[RecordRef, Arrived]:
        return self._kept.of(pipeline, refs)

    def count(self, pipeline: str) -> int:
        return self._kept.count(pipeline)


@attrs.frozen
class _Directory:
    _kept: Directory
    _sealer: Sealer

    def find(self, pipeline: str, side: Side, questions: Sequence[Question]) -> Sequence[Sequence[RecordRef]]:
        return self._kept.find(pipeline, side, [self._sealer.question(one) for one in questions])

    def schema(self, pipeline: str, side: Side, kind: str) -> StoredSchema | None:
        return self._kept.schema(pipeline, side, kind)


@attrs.frozen
class _Journal:
    _kept: Journal
    _sealer: Sealer

    def of(self, pipeline: str, ref: RecordRef) -> Sequence[JournalRow]:
        return [self._sealer.known_journal(row) for row in self._kept.of(pipeline, ref)]

    def run(self, run: str) -> Iterator[JournalRow]:
        return map(self._sealer.known_journal, self._kept.run(run))

    def decided(self, pipeline: str, ref: RecordRef, limit: int) -> Sequence[tuple[str, Decision]]:
        found = self._kept.decided(pipeline, ref, limit)
        return [(run, self._sealer.known_decision(decision)) for run, decision in found]

    def ended_before(self, pipeline: str, instant: dt.datetime) -> bool:
        return self._kept.ended_before(pipeline, instant)

    def kept_since(self, pipeline: str) -> dt.datetime | None:
        return self._kept.kept_since(pipeline)


@attrs.frozen
class _Leases:
    """Lets nobody run who has another key than the state was written under: all would look changed to them."""

    _store: StateStore
    _sealer: Sealer

    def take(self, partition: str, owner: str, now: dt.datetime, ttl: dt.timedelta) -> Fence:
        fence = self._store.leases.take(partition, owner, now, ttl)
        try:
            self._known(partition)
        except StateError:
            self._store.leases.release(fence)
            raise
        return fence

    def renew(self, fence: Fence, now: dt.datetime, ttl: dt.timedelta) -> Fence:
        return self._store.leases.renew(fence, now, ttl)

    def release(self, fence: Fence) -> None:
        self._store.leases.release(fence)

    def _known(self, pipeline: str) -> None:
        mine, known = self._sealer.mac("check"), self._store.tokens.get(FINGERPRINTS + pipeline)
        if known is None:
            values = next(iter(self._store.links.all(pipeline)), None) or self._store.outbox.unsettled(pipeline, 1)
            if values:
                raise StateError(
                    f"{pipeline}: this state was written with values; a store of fingerprints begins with an empty one"
                )
            self._store.tokens.save(FINGERPRINTS + pipeline, Token(Secret(mine)))
        elif known.value.reveal() != mine:
            raise StateError(f"{pipeline}: this state was written under another key; nothing was changed")
