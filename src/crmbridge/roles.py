"""What must be remembered, as small roles joined by one atomic answer.

Roles only read, save where the act itself must be atomic over processes or cannot wait for a lease: `inbox.put`,
`tokens`, `budgets`, `leases`, `agenda.enable`, `rulings.add`, `forget`. Everything else changes by
`StateStore.commit(pipeline, delta, fence)` alone. Times are passed in; a store asks no clock of its own.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Final, Literal, Protocol, TypeAlias

import attrs

from .credentials import Secret
from .flow import RateBudget
from .model import (
    Action,
    Arrived,
    Decision,
    Departure,
    Disposition,
    FieldDecision,
    Link,
    Missing,
    RecordRef,
    Schema,
    Side,
    Signal,
    Standing,
)
from .model.refs import Cell
from .protocols import KeyValue, Notice, Question
from .reasons import Reason

FINGERPRINTS: Final = "fingerprints of "
"""Stands among the tokens, before a pipeline's name, where its state holds fingerprints in place of values."""

FORGOTTEN: Final = "forgotten"
"""Stands for the system and kind of a counterpart that was forgotten: nobody, whom no system can be asked for."""

QueueState: TypeAlias = Literal["ready", "held", "disputed", "quarantined"]
"""What a record in the queue waits for."""


@attrs.frozen
class QueueRow:
    """A record that needs a decision, or is parked until something wakes it."""

    side: Side
    ref: RecordRef
    state: QueueState = "ready"
    until: dt.datetime | None = None
    """When a held row is due."""
    because: Reason | None = None
    version: str | None = None
    """The version that was read when the row was put or parked."""
    tries: int = 0
    """Rounds taken since it last became ready by a change."""
    departed: bool = False
    """It left its ref: judged before all others."""
    sequence: int = 0
    """Given by the store at each arrival; a row is parked or removed only by the number that was taken."""
    run: str | None = None
    """The run that ingested it."""
    question: str | None = None
    """What a person is asked, where one is: a hash of the trouble and of what was seen. It stays while the row waits."""


class IntentState(enum.StrEnum):
    """How far a promised write has come."""

    PROMISED = "promised"
    IN_DOUBT = "in_doubt"


@attrs.frozen
class FieldPromise:
    """One written field of an intent: what it held, and what is agreed once the write is acknowledged."""

    pair: str
    """Names the pair: `left|right`."""
    field: str
    """The written field, in its system's name."""
    before: Cell | Missing = attrs.field(repr=False)
    sent: Cell = attrs.field(repr=False)
    other: Cell | Missing = attrs.field(repr=False)
    """The other side's value as planned: its half of the agreement when this is acknowledged."""
    both: bool = False
    """Written on both sides: agreed when both are acknowledged."""


@attrs.frozen
class Intent:
    """A write promised: committed before the first byte is sent."""

    key: str
    side: Side
    """The side that is written."""
    action: Action
    origin: RecordRef
    """The record on the other side that it was decided from."""
    link: str
    """The link's id; a create's link is made when it is acknowledged."""
    promised_at: dt.datetime
    state: IntentState = IntentState.PROMISED
    doubt_since: dt.datetime | None = None
    """Counted from the take-over, never from the promise."""
    keys: tuple[tuple[KeyValue, ...], ...] = ()
    """Of a create: its comparison keys by level, so that matching sees a record that does not exist yet."""
    fields: tuple[FieldPromise, ...] = ()
    decisions: tuple[FieldDecision, ...] = ()
    """What the journal will say once it is acknowledged."""
    incarnation: int = 0
    because: Reason | None = None
    run: str = ""
    case: str | None = None
    """The case that chose its fields."""


@attrs.frozen
class JournalRow:
    """One write that was applied, with its field decisions."""

    run: str
    at: dt.datetime
    side: Side
    """The side that was written."""
    verb: str
    ref: RecordRef
    origin: RecordRef
    because: Reason
    fields: tuple[FieldDecision, ...] = ()
    version: str | None = None
    case: str | None = None
    """The case that chose its fields."""


@attrs.frozen
class Progress:
    """How far a kind has been read."""

    cursor: str
    filled: bool
    """A first complete read has ended."""


@attrs.frozen
class Keyed:
    """All comparison keys of one record, for the directory; none: the record is gone."""

    side: Side
    ref: RecordRef
    keys: tuple[KeyValue, ...] = ()


@attrs.frozen
class StoredSchema:
    """A schema as it was read, and when."""

    schema: Schema
    at: dt.datetime


@attrs.frozen
class Fence:
    """Proof of a lease; a commit with an older token than the store has seen is refused."""

    partition: str
    token: int
    until: dt.datetime


@attrs.frozen
class Token:
    """What a system gave us to enter with."""

    value: Secret
    refresh: Secret | None = None
    expires: dt.datetime | None = None
    serial: int = 0
    """Grows with each refresh, so that two workers do not refresh the same one."""


@attrs.frozen
class Ruling:
    """What a person decided about a disputed or quarantined record."""

    ref: RecordRef
    choice: str
    """`left`, `right` or `leave`, or the id of the record to adopt."""
    by: str
    at: dt.datetime
    question: str | None = None
    """What was answered, as the row asks it; the ruling decides nothing else."""


@attrs.frozen
class Tally:
    """Count the queue before anything is decided: what guards of a run can know."""

    links: int
    departed_linked: Mapping[Side, int]
    """Records that are gone and have a live link."""
    linked: Mapping[Side, int]
    unlinked: Mapping[Side, int]


@attrs.frozen
class Start:
    """Something that was started, for a pacing to count; its key is a hash."""

    key: str
    at: dt.datetime


@attrs.frozen
class Delta:
    """All that one step changes; the whole of it or nothing."""

    queue: tuple[QueueRow, ...] = ()
    """`sequence` 0: an arrival, put ready under the next number. Else: the row parked under the number taken."""
    done: tuple[QueueRow, ...] = ()
    """Rows that end; each only if its number is still the one that was taken."""
    wake: tuple[tuple[Side, RecordRef], ...] = ()
    """Parked rows that become ready now."""
    links: tuple[Link, ...] = ()
    """Put by id. Two live links may not share a left record, nor a right one that is not `shared`."""
    departures: tuple[tuple[Side, Departure], ...] = ()
    """Kept as aliases: an old ref leads to where the record lives on.

    Forgetting goes with them: what a forgotten record has become, or has taken in, is kept out as it is, unless a link
    holds it. No alias tells of a forgotten record, but for one by which a live link finds out that it ends there.
    """
    progress: Mapping[tuple[Side, str], Progress] = attrs.field(factory=lambda: dict[tuple[Side, str], Progress]())
    promised: tuple[Intent, ...] = ()
    """Intents put by key, in their new state."""
    settled: tuple[str, ...] = ()
    """Keys of intents that end, and of notices that were sent."""
    journal: tuple[JournalRow, ...] = ()
    at: dt.datetime | None = None
    """When the rows of its runs were put: how old a run or plan is, is counted from its latest rows."""
    kept_since: dt.datetime | None = None
    """History of before this instant is kept no longer: of runs and plans that ended before it, some rows go."""
    run: str = ""
    """The run or plan that the decisions below are rows of."""
    decisions: tuple[Decision, ...] = ()
    planned: tuple[tuple[tuple[KeyValue, ...], ...], ...] = ()
    """Of a plan: the comparison keys of the creates among its decisions."""
    taken: tuple[str, ...] = ()
    """Inbox ids that wait no longer. A delivery that is the record is kept until it is finished."""
    finished: tuple[RecordRef, ...] = ()
    """Records that arrived and need not be kept any longer; their ids stay known."""
    objection: Reason | None = None
    """A guard has tripped."""
    objection_cleared: bool = False
    keys: tuple[Keyed, ...] = ()
    schemas: tuple[tuple[Side, StoredSchema], ...] = ()
    notices: tuple[Notice, ...] = ()
    starts: tuple[Start, ...] = ()
    starts_matter: dt.datetime | None = None
    """Starts from before this instant need not be kept any longer."""


class Links(Protocol):
    """Ties, cursors and aliases."""

    def of(self, pipeline: str, side: Side, refs: Iterable[RecordRef]) -> Mapping[RecordRef, Sequence[Link]]:
        """Give the links of records of one side, live ones first, closed ones after."""
        ...

    def standing(self, pipeline: str, side: Side, refs: Sequence[RecordRef]) -> Mapping[RecordRef, Standing]:
        """Tell what is known of records without decoding a value; a record nothing is known of is left out."""
        ...

    def followed(self, pipeline: str, side: Side, refs: Iterable[RecordRef]) -> Mapping[RecordRef, RecordRef]:
        """Follow aliases to the end of each chain; a ref that leads nowhere else is left out."""
        ...

    def progress(self, pipeline: str, side: Side, kind: str) -> Progress | None:
        """Tell how far a kind has been read."""
        ...

    def count(self, pipeline: str) -> int:
        """Count the live links."""
        ...

    def all(self, pipeline: str) -> Iterator[Link]:
        """Give every link, live and closed, in a stable order."""
        ...


class Outbox(Protocol):
    """Promises not yet kept, and the rows of runs and plans."""

    def unsettled(self, pipeline: str, limit: int) -> Sequence[Intent]:
        """Give intents without an answer, oldest first."""
        ...

    def holding(self, pipeline: str, refs: Iterable[RecordRef]) -> Mapping[RecordRef, Intent]:
        """Give the open intents that write one of these records, or were decided from one."""
        ...

    def creating(self, pipeline: str, run: str, questions: Sequence[Question]) -> Sequence[Sequence[RecordRef]]:
        """For each question, the origins of unsettled creates, and of creates planned in this plan, that answer it."""
        ...

    def counts(self, run: str) -> Mapping[Disposition, int]:
        """Count the decisions of a run or plan."""
        ...

    def rows(
        self, run: str, disposition: Disposition | None = None, *, after: int = 0, limit: int = 500
    ) -> Sequence[tuple[int, Decision]]:
        """Give decisions of a run or plan with their row numbers, in order, from behind a row number."""
        ...

    def planned(self, run: str, refs: Iterable[RecordRef]) -> Mapping[RecordRef, Decision]:
        """Give the decisions of a run or plan about these records."""
        ...

    def notices(self, limit: int) -> Sequence[Notice]:
        """Give notices that wait to be sent."""
        ...


class Inbox(Protocol):
    """Deliveries: those that wait, and those that are records and are kept until they are done with."""

    def put(self, pipeline: str, arrivals: Sequence[Signal | Arrived]) -> int:
        """Store deliveries, durable on return; tell how many were new."""
        ...

    def waiting(self, pipeline: str, limit: int) -> Sequence[Signal | Arrived]:
        """Give deliveries that wait, oldest first."""
        ...

    def of(self, pipeline: str, refs: Iterable[RecordRef]) -> Mapping[RecordRef, Arrived]:
        """Give the records that arrived, waiting or taken, and are still kept."""
        ...

    def count(self, pipeline: str) -> int:
        """Count deliveries that wait."""
        ...


class Directory(Protocol):
    """Comparison keys of records, filled by reading and kept fresh by changes."""

    def find(self, pipeline: str, side: Side, questions: Sequence[Question]) -> Sequence[Sequence[RecordRef]]:
        """For each question, the records of its kind that have all keys of one alternative, at most `limit`."""
        ...

    def schema(self, pipeline: str, side: Side, kind: str) -> StoredSchema | None:
        """Give the schema of a kind as it was last read."""
        ...


class Journal(Protocol):
    """What was written, and why."""

    def of(self, pipeline: str, ref: RecordRef) -> Sequence[JournalRow]:
        """Give the rows in which a record was written or decided from, oldest first."""
        ...

    def run(self, run: str) -> Iterator[JournalRow]:
        """Give the rows of a run, in order."""
        ...

    def decided(self, pipeline: str, ref: RecordRef, limit: int) -> Sequence[tuple[str, Decision]]:
        """Give what the latest runs and plans that looked at a record decided about it, with their names, oldest first."""
        ...

    def ended_before(self, pipeline: str, instant: dt.datetime) -> bool:
        """Say whether anything is kept of runs and plans that ended before an instant, and all before them too.

        `Delta.kept_since` removes them, a bounded number of rows with each commit. A run or plan of which anything was
        removed is not known by its name any more; one that was put without a time is kept.
        """
        ...

    def kept_since(self, pipeline: str) -> dt.datetime | None:
        """Tell since when history is kept whole; None: nothing was removed because of its age."""
        ...


class Quarantine(Protocol):
    """Parked queue rows."""

    def of(self, pipeline: str, side: Side, refs: Iterable[RecordRef]) -> Mapping[RecordRef, QueueRow]:
        """Give the parked rows of these records; one that is not parked is left out."""
        ...

    def rows(self, pipeline: str, state: QueueState | None = None) -> Sequence[QueueRow]:
        """Give parked rows (held, disputed, quarantined), in order of arrival."""
        ...

    def count(self, pipeline: str) -> Mapping[str, int]:
        """Count parked rows by reason code."""
        ...


class Rulings(Protocol):
    """What people decided, and what a guard holds."""

    def of(self, pipeline: str, refs: Iterable[RecordRef]) -> Mapping[RecordRef, Ruling]:
        """Give the latest ruling on each record."""
        ...

    def add(self, pipeline: str, ruling: Ruling) -> None:
        """Remember a ruling, and wake the record."""
        ...

    def objection(self, pipeline: str) -> Reason | None:
        """Tell a guard's objection that still holds."""
        ...


class Tokens(Protocol):
    """Tokens, shared by all workers of a credential."""

    def get(self, credential: str) -> Token | None:
        """Give the latest token."""
        ...

    def lock(self, credential: str) -> AbstractContextManager[Token | None]:
        """Be the only refresher, over all processes; gives the latest token."""
        ...

    def save(self, credential: str, token: Token) -> None:
        """Keep a token, durable on return."""
        ...


class Budgets(Protocol):
    """What may still be asked of a system, shared by all workers of an account."""

    def spend(self, account: str, lane: str, budget: RateBudget, cost: int, now: float) -> float:
        """Take from the budget; tell how many seconds to wait before sending. *now*: seconds since 1970."""
        ...

    def hold(self, account: str, lane: str, until: float) -> None:
        """Let nobody send before this instant (seconds since 1970): the system asked for it."""
        ...

    def starts(self, pipeline: str, since: dt.datetime) -> Sequence[Start]:
        """Give what a pipeline has started since an instant, in the order of time; it is put by `commit`."""
        ...


class Leases(Protocol):
    """Who may run a partition."""

    def take(self, partition: str, owner: str, now: dt.datetime, ttl: dt.timedelta) -> Fence:
        """Take a free or expired lease under the next fencing token; raises `LeaseHeld`."""
        ...

    def renew(self, fence: Fence, now: dt.datetime, ttl: dt.timedelta) -> Fence:
        """Prolong a lease; raises `FenceStale` where it was lost."""
        ...

    def release(self, fence: Fence) -> None:
        """Give a lease back; a lost one is nobody's loss."""
        ...


class Agenda(Protocol):
    """What is due."""

    def due(self, pipeline: str, now: dt.datetime, limit: int, *, after: int | None = None) -> Sequence[QueueRow]:
        """Give ready rows and held rows whose time has come: departures first, then by sequence number.

        With *after*, only rows with a higher sequence number, in the order of numbers alone.
        """
        ...

    def rows(self, pipeline: str, side: Side, refs: Iterable[RecordRef]) -> Mapping[RecordRef, QueueRow]:
        """Give the queue rows of these records, in whatever state."""
        ...

    def tally(self, pipeline: str, now: dt.datetime) -> Tally:
        """Count the rows that `due` would give."""
        ...

    def next(self, pipeline: str) -> dt.datetime | None:
        """Tell when the next held row is due."""
        ...

    def enabled_since(self, pipeline: str) -> dt.datetime | None:
        """Tell since when a pipeline of events is enabled."""
        ...

    def enable(self, pipeline: str, since: dt.datetime | None) -> None:
        """Enable from an instant, or disable."""
        ...


class StateStore(Protocol):
    """Eleven roles, one atomic answer; all of it belongs to one tenant.

    Laws of `commit`: all or nothing · seen by the next question · refused with a stale fence, and then nothing has
    changed. Laws of `tokens`: one refresher at a time over all processes · a rotated token is saved before it is
    used.
    """

    @property
    def links(self) -> Links:
        """Give ties, cursors and aliases."""
        ...

    @property
    def outbox(self) -> Outbox:
        """Give promises, and rows of runs and plans."""
        ...

    @property
    def inbox(self) -> Inbox:
        """Give deliveries that wait."""
        ...

    @property
    def directory(self) -> Directory:
        """Give comparison keys and schemas."""
        ...

    @property
    def journal(self) -> Journal:
        """Give what was written."""
        ...

    @property
    def quarantine(self) -> Quarantine:
        """Give parked rows."""
        ...

    @property
    def rulings(self) -> Rulings:
        """Give what people decided."""
        ...

    @property
    def tokens(self) -> Tokens:
        """Give tokens."""
        ...

    @property
    def budgets(self) -> Budgets:
        """Give what may still be asked."""
        ...

    @property
    def leases(self) -> Leases:
        """Give leases."""
        ...

    @property
    def agenda(self) -> Agenda:
        """Give what is due."""
        ...

    def commit(self, pipeline: str, delta: Delta, fence: Fence) -> None:
        """Change all of it or nothing; raises `FenceStale` where the lease was lost."""
        ...

    def tenant(self, name: str) -> StateStore:
        """Give the part of this store that belongs to one tenant."""
        ...

    def forget(self, refs: Iterable[RecordRef]) -> int:
        """Remove every value kept of these records; tell how many were known."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...
