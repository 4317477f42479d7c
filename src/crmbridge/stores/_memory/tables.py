"""What a memory store holds: plain dictionaries, by tenant and pipeline."""

from __future__ import annotations

import datetime as dt
import threading
from collections import defaultdict
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

import attrs

from ...model import SIDES, Arrived, Decision, Link, RecordRef, Side, Signal
from ...protocols import KeyValue, Notice
from ...reasons import Reason
from ...roles import Intent, JournalRow, Progress, QueueRow, Ruling, Start, StoredSchema, Token
from .._shared import can_be_asked, common

Owner = TypeVar("Owner", bound=Hashable)
Place = tuple[Side, RecordRef]


class KeyIndex(Generic[Owner]):
    """Who has which comparison keys."""

    def __init__(self) -> None:
        self._keys: dict[Owner, tuple[str, frozenset[KeyValue]]] = {}
        self._owners: defaultdict[tuple[str, KeyValue], set[Owner]] = defaultdict(set)

    def put(self, owner: Owner, kind: str, keys: Iterable[KeyValue]) -> None:
        """Replace all keys of an owner; blank ones are no keys."""
        self.drop(owner)
        kept = frozenset(key for key in keys if key.value)
        if kept:
            self._keys[owner] = (kind, kept)
        for key in kept:
            self._owners[kind, key].add(owner)

    def drop(self, owner: Owner) -> None:
        """Remove all keys of an owner."""
        kind, keys = self._keys.pop(owner, ("", frozenset[KeyValue]()))
        for key in keys:
            self._owners[kind, key].discard(owner)
            if not self._owners[kind, key]:
                del self._owners[kind, key]

    def having(self, kind: str, alternative: Iterable[KeyValue]) -> set[Owner]:
        """Find the owners that have all keys of an alternative."""
        keys = tuple(alternative)
        if not can_be_asked(keys):
            return set()
        return common(self._owners.get((kind, key), set[Owner]()) for key in keys)

    def owners(self) -> Iterable[Owner]:
        """Give all who have a key."""
        return self._keys.keys()


@attrs.define(eq=False)
class Pipe:
    """All that one pipeline remembers; `queue` stands in the order of sequence numbers."""

    links: dict[str, Link] = attrs.field(factory=lambda: dict[str, Link]())
    tied: defaultdict[Place, set[str]] = attrs.field(factory=lambda: defaultdict[Place, set[str]](set))
    """Link ids of a record."""
    queue: dict[Place, QueueRow] = attrs.field(factory=lambda: dict[Place, QueueRow]())
    sequence: int = 0
    aliases: dict[Place, RecordRef] = attrs.field(factory=lambda: dict[Place, RecordRef]())
    progress: dict[tuple[Side, str], Progress] = attrs.field(factory=lambda: dict[tuple[Side, str], Progress]())
    intents: dict[str, Intent] = attrs.field(factory=lambda: dict[str, Intent]())
    creates: KeyIndex[str] = attrs.field(factory=lambda: KeyIndex[str]())
    """Keys of open create intents."""
    directory: dict[Side, KeyIndex[RecordRef]] = attrs.field(
        factory=lambda: {side: KeyIndex[RecordRef]() for side in SIDES}
    )
    systems: dict[tuple[Side, str], str] = attrs.field(factory=lambda: dict[tuple[Side, str], str]())
    """The system that a side's directory is of, by kind."""
    schemas: dict[tuple[Side, str], StoredSchema] = attrs.field(factory=lambda: dict[tuple[Side, str], StoredSchema]())
    inbox: dict[str, Signal | Arrived | None] = attrs.field(factory=lambda: dict[str, Signal | Arrived | None]())
    """None: done with; its id stays, so that it is not taken in twice."""
    taken: set[str] = attrs.field(factory=lambda: set[str]())
    """Inbox ids that wait no longer."""
    rulings: dict[RecordRef, Ruling] = attrs.field(factory=lambda: dict[RecordRef, Ruling]())
    starts: list[Start] = attrs.field(factory=lambda: list[Start]())
    kept_since: dt.datetime | None = None
    """Since when history is kept whole."""
    objection: Reason | None = None
    enabled: dt.datetime | None = None

    def put_row(self, row: QueueRow) -> None:
        """Put a row under the next number, at the end of the queue."""
        self.sequence += 1
        self.queue.pop((row.side, row.ref), None)
        self.queue[row.side, row.ref] = attrs.evolve(row, sequence=self.sequence)

    def put_link(self, link: Link) -> None:
        """Put a link by its id."""
        self.drop_link(link.id)
        self.links[link.id] = link
        for side in SIDES:
            self.tied[side, link.ref(side)].add(link.id)

    def drop_link(self, id_: str) -> None:
        """Remove a link."""
        link = self.links.pop(id_, None)
        for side in SIDES if link else ():
            assert link is not None
            self.tied[side, link.ref(side)].discard(id_)

    def of(self, side: Side, ref: RecordRef) -> list[Link]:
        """Give the links of a record, in no order."""
        return [self.links[id_] for id_ in self.tied.get((side, ref), ())]


@attrs.define(eq=False)
class Run:
    """The rows of one run or plan, in the order of their numbers."""

    rows: dict[tuple[str, Side, RecordRef], tuple[int, Decision]] = attrs.field(
        factory=lambda: dict[tuple[str, Side, RecordRef], tuple[int, Decision]]()
    )
    last: int = 0
    pipeline: str | None = None
    """The one that it was put for, once it has a time."""
    at: dt.datetime | None = None
    """When rows of it were put last."""
    going: bool = False
    """Something of it was removed because of its age."""
    creates: KeyIndex[tuple[str, Side, RecordRef]] = attrs.field(
        factory=lambda: KeyIndex[tuple[str, Side, RecordRef]]()
    )


@attrs.define(eq=False)
class Lease:
    """The newest token of a partition, and who has it; nobody where `owner` is None."""

    token: int
    owner: str | None
    until: dt.datetime


@attrs.define(eq=False)
class Spent:
    """What was spent of one lane's budget, and until when the system asked for silence."""

    level: float | None = None
    at: float = 0.0
    held_until: float = 0.0


@attrs.define(eq=False)
class Tables:
    """All that one tenant remembers."""

    lock: threading.RLock
    secret: bytes = b"memory"
    """The key of the fingerprints of forgotten records; what never leaves the process needs no secret one."""
    pipes: defaultdict[str, Pipe] = attrs.field(factory=lambda: defaultdict[str, Pipe](Pipe))
    runs: dict[str, Run] = attrs.field(factory=lambda: dict[str, Run]())
    journal: list[tuple[str, JournalRow]] = attrs.field(factory=lambda: list[tuple[str, JournalRow]]())
    notices: dict[str, Notice] = attrs.field(factory=lambda: dict[str, Notice]())
    leases: dict[str, Lease] = attrs.field(factory=lambda: dict[str, Lease]())
    tokens: dict[str, Token] = attrs.field(factory=lambda: dict[str, Token](), repr=False)
    token_locks: defaultdict[str, threading.Lock] = attrs.field(
        factory=lambda: defaultdict[str, threading.Lock](threading.Lock)
    )
    budgets: defaultdict[tuple[str, str], Spent] = attrs.field(
        factory=lambda: defaultdict[tuple[str, str], Spent](Spent)
    )
    forgotten: set[bytes] = attrs.field(factory=lambda: set[bytes]())
