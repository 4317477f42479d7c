"""A connector in memory that fails as real systems do: answers get lost, writes come late, readings are old.

What goes wrong is said by the test, never by chance in here: `then` names faults for the next writes, `whole` and
`single` are asked about each batch and each action, `meanwhile` is called before each request is served.
"""

from __future__ import annotations

import copy
import datetime as dt
import enum
import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import attrs

from ..errors import NotAllowed, Refused, Throttled, Unreachable
from ..flow import Flow, call, done
from ..model import (
    Action,
    Capabilities,
    Cell,
    Create,
    Departure,
    Outcome,
    Page,
    Postponed,
    Query,
    Record,
    RecordRef,
    Rejected,
    Rows,
    Schema,
    verb,
)
from ..protocols import Question
from ..reasons import Code, because
from .connector import EVERYTHING, FakeConnector, Store

T = TypeVar("T")

_AT_ONCE = dt.timedelta(0)


class Fault(enum.Enum):
    """What may become of a write."""

    LOST_BEFORE = "lost before it was applied"
    LOST_AFTER = "applied, and the answer was lost"
    LATE = "applied after we gave up"
    HALF = "the first half applied, and the answer was lost"
    UNREACHABLE = "never sent"
    THROTTLED = "asked to wait"
    REFUSED = "the whole batch refused"
    NOT_ALLOWED = "the credential refused"
    BUSY = "this action locked out"
    REJECTED = "this action refused"


_LOST = (Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.LATE, Fault.HALF)


@attrs.frozen
class Lags:
    """How late a system shows a change: to a read by id, to its search, to its feed."""

    read: dt.timedelta = _AT_ONCE
    search: dt.timedelta = _AT_ONCE
    feed: Callable[[int], dt.timedelta] = attrs.field(default=lambda _: _AT_ONCE, repr=False)
    """By the number of the change; never more than the declared overlap."""


@attrs.frozen
class Happened:
    """One change of one record, by whomever, as the system itself knows it."""

    number: int
    at: dt.datetime
    verb: str
    ref: RecordRef
    by: str
    values: Mapping[str, Cell] = attrs.field(repr=False)
    """What the record held afterwards; before it left, of one that left."""
    before: Mapping[str, Cell] = attrs.field(repr=False)
    origin: RecordRef | None = None
    """Of a record that we made: the one that it mirrors."""
    unseen: tuple[str, ...] = ()
    """Fields in which a person's value was covered that had never been read."""


class FaultyConnector(FakeConnector):
    """A `FakeConnector` with troubles; `history` is what really happened to each record, in order.

    *lags* says how late it shows a change, by default not at all; *late* how long after it was sent a write is applied
    that is `Fault.LATE`; *page* how many records a page of its feed holds, at most.
    """

    def __init__(
        self,
        system: str,
        *kinds: Schema,
        capabilities: Capabilities = EVERYTHING,
        now: Callable[[], dt.datetime],
        stores: Store | None = None,
        lags: Lags = Lags(),
        late: dt.timedelta = dt.timedelta(seconds=45),
        page: int = 2000,
    ) -> None:
        super().__init__(system, *kinds, capabilities=capabilities, now=now, stores=stores)
        self.history: list[Happened] = []
        self.fired: list[Fault] = []
        self.requests: list[str] = []
        """Each request that arrived: read, fetch, find, or the verb of a batch with its size."""
        self.whole: Callable[[Sequence[Action]], Fault | None] = _calm
        self.single: Callable[[Action], Fault | None] = _calm
        self.meanwhile: Callable[[str], object] = _calm
        self.shows: Callable[[RecordRef], bool] = _always
        """What a listing is filtered by."""
        self.allows: Callable[[RecordRef], bool] = _always
        """What the credential may read by id."""
        self.cut_short = False
        """Listings end with their first page, and are not complete."""
        self._lags = lags
        self._late = late
        self._page = page
        self._next = deque[Fault | None]()
        self._waiting: list[tuple[dt.datetime, Sequence[Action]]] = []
        self._past: list[tuple[dt.datetime, RecordRef, Any, Any]] = []
        self._served: dict[RecordRef, int] = {}

    def then(self, *faults: Fault | None) -> None:
        """Let these faults meet the next batches of writes, one each; None: that one goes well.

        `Fault.BUSY` and `Fault.REJECTED` are of one action, and nothing goes wrong by them here: give them by `single`.
        """
        self._next.extend(faults)

    # -- requests ------------------------------------------------------------------------

    def _arrived(self, what: str) -> None:
        self.meanwhile(what)
        self.requests.append(what)
        self.catch_up()

    def catch_up(self) -> None:
        """Apply what was under way for so long that it is applied by now."""
        due = [item for item in self._waiting if item[0] <= self._now()]
        self._waiting = [item for item in self._waiting if item[0] > self._now()]
        now = self._now
        for at, actions in due:
            self._now = _standing_at(at)
            for action in actions:
                _ = super()._apply(action)
        self._now = now

    def rows(self, kind: str) -> list[dict[str, Cell]]:
        """Give the records of a kind as anybody sees them now."""
        self.catch_up()
        return super().rows(kind)

    def _in_order(self, by: str) -> None:
        """Let what was under way arrive before what a person does now."""
        if by != "us":
            self.catch_up()

    def read(self, query: Query) -> Flow[Page]:
        """Read changes, some of them late; what may have been late is read again, by the declared overlap."""
        return call(self._feed, query)

    def _feed(self, query: Query) -> Page:
        self._arrived("read")
        if not self.capabilities(query.kind).incremental:
            return self._listed(query)
        overlap = self.capabilities(query.kind).overlap
        high, at, low = json.loads(query.cursor) if query.cursor else (0, None, None)
        again = None if at is None else dt.datetime.fromisoformat(at) - overlap
        changes: list[tuple[int, dt.datetime, RecordRef]] = [
            (row.number, row.stamp, RecordRef(self.system, query.kind, id))
            for id, row in self._rows[query.kind].items()
        ]
        left = {ref: stamp for stamp, ref, _, gone in self._past if gone is not None}
        changes += [
            (number, left[ref], ref)
            for ref, (number, gone, _) in self._gone.items()
            if ref.kind == query.kind and self._tells(gone)
        ]
        found = sorted(
            change
            for change in changes
            if change[1] + self._lags.feed(change[0]) <= self._now() and change[0] > (low or 0)
            and (change[0] > high or low is not None or (again is not None and overlap and change[1] >= again))
        )  # fmt: skip
        page, more = found[: self._page], len(found) > self._page
        last = max(page, default=(0, None))
        if last[0] > high:
            high, at = last[0], last[1].isoformat() if last[1] else at
        ids = [ref.id for _, _, ref in page if ref.id in self._rows[query.kind]]
        gone = tuple(self._gone[ref][1] for _, _, ref in page if ref in self._gone)
        cursor = json.dumps([high, at, last[0] if more else None])
        return Page(self._as_rows(query.kind, query.fields, ids), gone, cursor, more)

    def _listed(self, query: Query) -> Page:
        """Give a page of all that a listing shows; one that was cut short ends early and says so."""
        page = super()._read(attrs.evolve(query, limit=self._page))
        rows = [record.ref.id for record in page.rows if self.shows(record.ref)]
        page = attrs.evolve(page, rows=self._as_rows(query.kind, query.fields, rows))
        if not self.cut_short:
            return page
        return attrs.evolve(page, cursor=json.dumps([0, True]), more=False, complete=False)

    def _fetch(self, refs: Sequence[RecordRef], fields: Sequence[str]) -> Page:
        self._arrived("fetch")
        allowed = [ref for ref in refs if self.allows(ref)]
        if not allowed:
            return Page(Rows.none(self.system, refs[0].kind if refs else "", fields))
        page = self._as_of(self._lags.read, super()._fetch, allowed, fields)
        for record in page.rows:
            self._served[record.ref] = max(self._served.get(record.ref, 0), int(record.version or 0))
        return page

    def find(self, questions: Sequence[Question], fields: Sequence[str]) -> Flow[Sequence[Rows]]:
        """Search, some seconds behind."""

        def asked() -> list[Rows]:
            self._arrived("find")
            return [
                self._as_of(self._searched(question), self._find, question, tuple(fields)) for question in questions
            ]

        return call(asked)

    def _searched(self, question: Question) -> dt.timedelta:
        """A search lags; a look by the key that we wrote ourselves does not, where the system keeps one."""
        own = self.capabilities(question.kind).create_key
        ours = own is not None and all(key.field == own for keys in question.any_of for key in keys)
        return _AT_ONCE if ours else self._lags.search

    def _as_of(self, lag: dt.timedelta, look: Callable[..., T], *args: Any) -> T:
        """Look at the system as it was a while ago."""
        if not lag:
            return look(*args)
        now = self._rows, self._gone
        self._rows, self._gone = {kind: {} for kind in self._schemas}, {}
        for at, ref, row, gone in self._past:
            if at > self._now() - lag:
                break
            if row is None:
                del self._rows[ref.kind][ref.id]
                self._gone[ref] = gone
            else:
                self._rows[ref.kind][ref.id] = row
        try:
            return look(*args)
        finally:
            self._rows, self._gone = now

    # -- writes ----------------------------------------------------------------------------

    def apply(self, batch: Sequence[Action]) -> Flow[Sequence[Outcome]]:
        """Write a batch, or fail at it."""
        self._check(batch)
        return call(self._write, batch) if batch else done([])

    def _write(self, batch: Sequence[Action]) -> Sequence[Outcome]:
        self._arrived(f"{verb(batch[0])} {len(batch)}")
        fault = self._next.popleft() if self._next else self.whole(batch)
        if fault is not None:
            self.fired.append(fault)
        if fault is Fault.THROTTLED:
            raise Throttled(self.system, "too many requests", status=429)
        if fault is Fault.REFUSED:
            raise Refused(self.system, "bad batch", status=400, code="BAD")
        if fault is Fault.NOT_ALLOWED:
            raise NotAllowed(self.system, "who are you", status=401)
        if fault is Fault.LATE:
            self._waiting.append((self._now() + self._late, batch))
        if fault in _LOST or fault is Fault.UNREACHABLE:
            applied = {Fault.LOST_AFTER: len(batch), Fault.HALF: (len(batch) + 1) // 2}.get(fault, 0)
            for action in batch[:applied]:
                _ = super()._apply(action)
            raise Unreachable(self.system, "no answer", may_have_arrived=fault in _LOST)
        return [self._one(action) for action in batch]

    def _one(self, action: Action) -> Outcome:
        fault = self.single(action)
        if fault is not None:
            self.fired.append(fault)
        if fault is Fault.BUSY:
            return Postponed(action, because(Code.BUSY, system=self.system))
        if fault is Fault.REJECTED:
            return Rejected(action, because(Code.REFUSED_BY_SYSTEM, system=self.system, code="no"))
        return super()._apply(action)

    # -- what really happened --------------------------------------------------------------

    def _create(self, action: Create) -> Outcome:
        known = len(self.history)
        outcome = super()._create(action)
        if len(self.history) > known:
            self.history[-1] = attrs.evolve(self.history[-1], origin=action.origin)
        return outcome

    def _make(
        self, kind: str, values: Mapping[str, Cell], by: str, *, id: str | None = None, key: str = ""
    ) -> RecordRef:
        self._in_order(by)
        ref = super()._make(kind, values, by, id=id, key=key)
        self._note("create", ref, by, {})
        return ref

    def _change(self, ref: RecordRef, values: Mapping[str, Cell], by: str, *, key: str = "") -> None:
        self._in_order(by)
        before = dict(self._rows[ref.kind][ref.id].values)
        super()._change(ref, values, by, key=key)
        self._note("update", ref, by, before, tuple(values))

    def _leave(self, gone: Departure, by: str, *, key: str = "") -> None:
        self._in_order(by)
        before = dict(self._rows[gone.ref.kind][gone.ref.id].values)
        super()._leave(gone, by, key=key)
        self.history.append(Happened(self._number, self._now(), "delete", gone.ref, by, before, before))
        self._past.append((self._now(), gone.ref, None, self._gone[gone.ref]))

    def _note(
        self, how: str, ref: RecordRef, by: str, before: Mapping[str, Cell], written: tuple[str, ...] = ()
    ) -> None:
        row = copy.copy(self._rows[ref.kind][ref.id])
        row.values = dict(row.values)
        unseen = tuple(name for name in written if by == "us" and self._hidden(ref, name, row.values.get(name)))
        self.history.append(Happened(row.number, row.stamp, how, ref, by, row.values, before, None, unseen))
        self._past.append((row.stamp, ref, row, None))

    def _hidden(self, ref: RecordRef, name: str, now: Cell) -> bool:
        """Say whether the value that is covered came from a person and was never served."""
        for past in reversed(self.history):
            if past.ref == ref and past.values.get(name) != past.before.get(name):
                unserved = past.by != "us" and past.number > self._served.get(ref, 0)
                return unserved and past.values.get(name) != now
        return False

    def person(self, ref: RecordRef, field: str) -> Sequence[Happened]:
        """Give the changes that people made to one field of a record, oldest first."""
        return [
            past
            for past in self.history
            if past.ref == ref and past.by != "us" and past.values.get(field) != past.before.get(field)
        ]

    def every(self, kind: str) -> Sequence[Record]:
        """Give all records of a kind as they are now."""
        rows = self._as_rows(kind, tuple(self._schemas[kind].fields), tuple(self._rows[kind]))
        return list(rows)


def _standing_at(instant: dt.datetime) -> Callable[[], dt.datetime]:
    return lambda: instant


def _calm(_: object) -> None:
    """Let nothing go wrong."""


def _always(_: RecordRef) -> bool:
    return True
