"""The contracts: what a connector, a matcher, a policy, a gate, a guard and a codec promise.

Each law stands in a docstring. Those of `Source` and `Sink` are quoted by checks in `crmbridge.testing`, where what a
connector may offer beside them is proved too. What judges (`Matcher`, `PageMatcher`, `FieldPolicy`, `Codec`, `Gate`, `Guard`)
has no checks there: its laws are what the engine counts on, and who writes one tests it by them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias, runtime_checkable

import attrs

from .model import Missing
from .reasons import Fact, Reason

if TYPE_CHECKING:
    from .flow import Flow
    from .model import (
        Action,
        Arrived,
        Capabilities,
        Cell,
        Delivery,
        Link,
        Outcome,
        Page,
        Query,
        Record,
        RecordRef,
        Rows,
        Schema,
        Side,
        Signal,
        Totals,
        Unsettled,
    )

Normaliser: TypeAlias = Callable[[str], str]
"""Text in, comparison key out; blank in, empty text out."""

ID_FIELD = "@id"
"""Stands for a record's own id where a key names a field."""

MOST_FOUND: Final = 1_000
"""As many records as answer one question are too many to choose from."""


def as_it_is(value: Cell) -> object:
    """Leave a value in the form that it has."""
    return value


# -- what a matcher asks, and what it concludes ------------------------------------


@attrs.frozen
class KeyValue:
    """One field of the other side and the comparison key that it must have."""

    field: str
    value: str = attrs.field(repr=False)
    by: str = "exact"
    """Names the normaliser: anything but `exact` is answered by the directory."""


@attrs.frozen
class Tried:
    """One step of a match: which level looked at which kind, and how many records it found."""

    level: str
    kind: str
    found: int


@attrs.frozen
class Question:
    """Ask for records of *kind* for which all keys of one alternative agree."""

    kind: str
    level: str
    any_of: tuple[tuple[KeyValue, ...], ...]
    step: tuple[int, int] = (0, 0)
    """Level and slot, counted from zero: the engine asks all kinds of a step before the next step."""
    tried: tuple[Tried, ...] = ()
    """The trail so far: a matcher keeps no state of its own."""
    limit: int = 10
    """Records that are asked for at first; an answer that is shorter is the whole one."""
    loose: bool = False
    """What it finds are candidates only: two records that answer it are no twins."""
    gone: bool = False
    """Deleted, merged and converted records too (recovery looks for its own copies)."""
    most: int = MOST_FOUND
    """Records that are asked for after a full answer: where that many answer, nobody chooses among them."""


@attrs.frozen
class Matched:
    """This record over there is the one."""

    ref: RecordRef
    level: str
    adopted_by: str = ""
    tried: tuple[Tried, ...] = ()


@attrs.frozen
class Unmatched:
    """No level found a record."""

    tried: tuple[Tried, ...] = ()


@attrs.frozen
class Ambiguous:
    """A level found several records and no rule chooses among them."""

    refs: tuple[RecordRef, ...]
    level: str
    tried: tuple[Tried, ...] = ()
    too_many: int = 0
    """Where not all that answer were looked at, how many were: the one that is meant may be among the rest."""


Match: TypeAlias = "Matched | Unmatched | Ambiguous"
"""What a matcher finds: one counterpart, none, or several."""


# -- connectors: everything that waits is a flow -------------------------------------


class Source(Protocol):
    """What can be read.

    Laws of `read`: pages end · a stored cursor resumes after what was returned, and may repeat but never skip · a
    record stands once in a page, in its last state · `complete` is true only on the last page of an uninterrupted
    read from the beginning · asked fields are present or `MISSING`, never invented.
    Laws of `fetch`: a ref neither among the rows nor among the departures is gone · order and duplicates in the
    question do not matter.
    """

    @property
    def system(self) -> str:
        """Name the account, as reasons and reports will."""
        ...

    def capabilities(self, kind: str) -> Capabilities:
        """Tell what this connector promises for a kind."""
        ...

    def schema(self, kind: str) -> Flow[Schema]:
        """Read the fields of a kind."""
        ...

    def read(self, query: Query) -> Flow[Page]:
        """Read one page of changes."""
        ...

    def fetch(self, refs: Sequence[RecordRef], fields: Sequence[str]) -> Flow[Page]:
        """Read records of one kind by id; what left its ref is among the departures."""
        ...


@runtime_checkable
class CountsFetches(Protocol):
    """May be offered by a source whose reads by id take more than one request, so that a plan can say what it costs.

    Law: `fetch` of records that are there sends no more requests than this says.
    """

    def fetch_requests(self, refs: Sequence[RecordRef]) -> int:
        """Count the requests that `fetch` sends for records of one kind, at most `Capabilities.fetch_batch` of them."""
        ...


class Sink(Protocol):
    """What can be written.

    Laws of `find`: one answer per question, in order · a blank key finds nothing · where more are found, `limit` of
    them · fewer than `limit` of them only where there are no more. Laws of `apply`: one outcome per action, in order ·
    one kind and one verb per batch · per-record trouble is returned, whole-batch trouble is raised · an `Update` with a
    wrong `if_version` is `Stale` if the capability is declared · a field not named is not touched · the same key twice
    writes once, in class A · a batch takes no more requests than `carries` says.
    """

    @property
    def system(self) -> str:
        """Name the account, as reasons and reports will."""
        ...

    def capabilities(self, kind: str) -> Capabilities:
        """Tell what this connector promises for a kind."""
        ...

    def schema(self, kind: str) -> Flow[Schema]:
        """Read the fields of a kind."""
        ...

    def find(self, questions: Sequence[Question], fields: Sequence[str]) -> Flow[Sequence[Rows]]:
        """Search, one answer per question."""
        ...

    def apply(self, batch: Sequence[Action]) -> Flow[Sequence[Outcome]]:
        """Write a batch of one kind and one verb, at most `Capabilities.batch` long."""
        ...


class Connector(Source, Sink, Protocol):
    """One account of one product that can be both read and written."""


class IdReader(Protocol):
    """May be offered by a connector of a system that writes one id in more than one form.

    Laws: the id with which a record is read stays as it is · what is no id of the system is given back as it came.
    """

    def read_id(self, kind: str, text: str) -> str:
        """Give an id that a person wrote in the form in which records are read. No I/O."""
        ...


class Listener(Protocol):
    """Deliveries in: authenticate, then say where to look, or what arrived. No I/O."""

    def receive(self, delivery: Delivery, *, now: dt.datetime) -> Sequence[Signal | Arrived]:
        """Open a delivery; raises `ForgedDelivery` where it is not the sender's."""
        ...


# -- judgement: pure, deterministic, given everything it may know --------------------


class Matcher(Protocol):
    """Asks, is told what was found, asks again.

    Laws: depends on its arguments alone · the order of `found` does not matter · ends after as many questions as it
    has levels and slots · what was found and does not carry the keys that were asked for is not adopted.
    """

    def begin(self, record: Record, kind: str, towards: Side) -> Question | Match:
        """Ask the first question about a record's counterpart among records of *kind* on the side *towards*."""
        ...

    def next(self, record: Record, asked: Question, found: Sequence[Record], towards: Side) -> Question | Match:
        """Conclude from what was found, or ask on."""
        ...

    def fields(self, side: Side, kind: str) -> frozenset[str]:
        """Name the fields of a side's records that must be read, for asking and for adopting."""
        ...

    def keys(self, record: Record, side: Side) -> tuple[KeyValue, ...]:
        """Give the comparison keys of a side's record, for the directory; blank ones are left out."""
        ...

    def asks(self, side: Side, kind: str) -> frozenset[tuple[str, str]]:
        """Name what it may ask of a side's records: fields, each with the name of its normaliser."""
        ...


@runtime_checkable
class PageMatcher(Protocol):
    """May be offered by a matcher that takes the keys of a whole page quicker than record by record.

    Law: what it gives for a row is what `keys` gives for that row's record.
    """

    def keys_of(self, rows: Rows, side: Side) -> Sequence[tuple[KeyValue, ...]]:
        """Give the comparison keys of every record of a page, in its order."""
        ...


Moment: TypeAlias = Literal["linking", "creating", "writing"]
"""Before a link is made, before a record is made, or before each write."""

Towards: TypeAlias = Literal["left", "right", "both"]
"""The side that is written, or both."""


@attrs.frozen
class FieldState:
    """All that is known about one field of two records, read on both sides. The right side is given in the left's terms."""

    left: Cell = attrs.field(repr=False)
    right: Cell = attrs.field(repr=False)
    left_agreed: Cell | Missing | Unsettled = attrs.field(repr=False)
    right_agreed: Cell | Missing | Unsettled = attrs.field(repr=False)
    left_at: dt.datetime | None = None
    """The field's own time where known, else the record's; None after our own write."""
    right_at: dt.datetime | None = None
    moment: Moment = "writing"
    """At the first crossing of this field: `creating` or `linking`."""
    many: Side | None = None
    """The side that holds several values where the other one holds a single one; None: both hold alike, or nobody knows."""
    form: Callable[[Cell], object] = attrs.field(default=as_it_is, repr=False, eq=False)
    """Put one value, or one of several, into the form that both systems would store; equal forms could be one value."""

    @property
    def first(self) -> bool:
        """Say whether nothing was ever agreed about this field."""
        return isinstance(self.left_agreed, Missing) or isinstance(self.right_agreed, Missing)

    @property
    def left_changed(self) -> bool:
        """Say whether the left differs from its own half, exactly."""
        return self.first or self.left != self.left_agreed

    @property
    def right_changed(self) -> bool:
        """Say whether the right differs from its own half, exactly."""
        return self.first or self.right != self.right_agreed


@attrs.frozen
class Settle:
    """This value lives on, on both sides."""

    value: Cell = attrs.field(repr=False)
    because: Reason


@attrs.frozen
class Carry:
    """One side is written this value, in the left's terms, and the other keeps what it has."""

    value: Cell = attrs.field(repr=False)
    towards: Side
    because: Reason


@attrs.frozen
class Amend:
    """Each side is written a value of its own, in the left's terms; one that holds it already is not written."""

    left: Cell = attrs.field(repr=False)
    right: Cell = attrs.field(repr=False)
    because: Reason


@attrs.frozen
class Leave:
    """Each side keeps what it has, and that is remembered."""

    because: Reason


@attrs.frozen
class Ask:
    """A person must rule."""

    because: Reason


Resolution: TypeAlias = "Settle | Carry | Amend | Leave | Ask"
"""What a policy answers."""


class FieldPolicy(Protocol):
    """Survivorship: which value of one field lives on.

    Where both sides changed to one value, or hold one at first contact, it is not asked, and that value is agreed as it
    is; but `monotone` and `write_once`, which hold on to values, are asked again of what was agreed before. A record that
    is made is given each value as it is: asked then, a policy only says in which shape, by `Carry` towards it or `Amend`.

    Law: depends on its argument alone.
    """

    @property
    def name(self) -> str:
        """Name the policy, as reasons and reports will."""
        ...

    def resolve(self, state: FieldState) -> Resolution:
        """Judge a field of which at least one side has changed, or that was never agreed."""
        ...


class Codec(Protocol):
    """One value, there and back.

    Law: `decode(encode(x)) == x` over its domain; a value outside it raises ValueError.
    """

    def encode(self, value: Cell) -> Cell:
        """Turn the left's form into the right's."""
        ...

    def decode(self, value: Cell) -> Cell:
        """Turn the right's form into the left's."""
        ...


@attrs.frozen
class Crossing:
    """All that a gate may look at."""

    record: Record
    counterpart: Record | None
    link: Link | None
    moment: Moment
    towards: Side


@attrs.frozen
class Admit:
    """It may cross."""


@attrs.frozen
class Skip:
    """It may not, and why."""

    because: Reason


class Gate(Protocol):
    """May this record cross, at this moment? Law: depends on its argument alone."""

    def admit(self, crossing: Crossing) -> Admit | Skip:
        """Judge one crossing."""
        ...

    @property
    def fields(self) -> frozenset[str]:
        """Name the fields of the crossing record that must be read for this gate."""
        ...


class Guard(Protocol):
    """May this sweep write? Returns an objection, or None.

    Law: depends on its argument alone, and whoever objects to a number objects to every greater one; so an upper bound
    that nobody objects to needs no counting.
    """

    def inspect(self, totals: Totals) -> Reason | None:
        """Judge the totals of the whole sweep."""
        ...


# -- time, and those who are told ------------------------------------------------------


class Clock(Protocol):
    """Where time comes from."""

    def now(self) -> dt.datetime:
        """Tell the instant, in UTC."""
        ...

    def monotonic(self) -> float:
        """Tell seconds that never go back."""
        ...


@attrs.frozen
class Event:
    """Something worth telling while a run goes on; facts are names and numbers."""

    name: str
    facts: Mapping[str, Fact] = attrs.field(factory=lambda: dict[str, Fact]())


@runtime_checkable
class Observer(Protocol):
    """Is told what goes on; must not raise: what it raises ends the run, as a crash at that place would."""

    def saw(self, event: Event) -> None:
        """Take note."""
        ...


@attrs.frozen
class Notice:
    """A message to people, committed together with the trouble that it tells of."""

    key: str
    ref: RecordRef
    because: Reason
    pipeline: str = ""


class Notifier(Protocol):
    """Sends notices."""

    def send(self, notice: Notice) -> Flow[None] | None:
        """Send one, as a flow or at once; raises where it could not.

        Whatever it raises stops nothing: it is asked again in a later run, with the same key.
        """
        ...
