"""What a trial is given: a driver, a kind of records, and another hand at the system."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Protocol, TypeVar

import attrs

from ... import _stated
from ...flow import Flow
from ...model import RecordRef, Values

T = TypeVar("T")


class Runs(Protocol):
    """A driver that blocks until a flow has ended."""

    def run(self, flow: Flow[T]) -> T:
        """Perform a flow."""
        ...


@attrs.frozen
class Hand:
    """What another hand can do at the system, past the connector: a person, another integration, the vendor itself.

    Each is a function; a law that needs one which is not given is not proved, and says so.
    """

    put: Callable[[Values], RecordRef] | None = None
    """Make a record."""
    edit: Callable[[RecordRef, Values], object] | None = None
    remove: Callable[[RecordRef], object] | None = None
    merge: Callable[[RecordRef, RecordRef], object] | None = None
    """Fold the first record into the second."""
    move: Callable[[RecordRef], RecordRef] | None = None
    """Turn a record into one of another kind."""
    late: Callable[[Values, dt.timedelta], RecordRef] | None = None
    """Make a record that shows only now, and whose stamp is this old."""
    lose_answer: Callable[[], object] | None = None
    """Let the next write be done, and its answer be lost."""
    writes: Callable[[], int] | None = None
    """Count the writes that were applied so far."""


@attrs.frozen
class KindUnderTest:
    """A kind of records, and what its connector cannot say of it."""

    name: str
    values: Callable[[int], Values] | None = None
    """The nth sample that may be written; None: made from the schema."""
    text: str = ""
    """A field that holds any text; empty: the longest that the schema has."""
    hand: Hand = Hand()
    fixed: frozenset[str] = attrs.field(default=frozenset[str](), validator=_stated.several)
    """Fields of a sample that stay as they are once the record is there: its id, its key."""
    wait: Callable[[dt.timedelta], object] | None = None
    """Let time pass; None: the driver pauses."""
    secrets: tuple[str, ...] = attrs.field(default=(), repr=False, validator=_stated.several)
    """Texts that may stand in no error and in no reason."""
    page: int = 200
    """Records that the system gives at once, at most: so many and one more are made by the law about that."""
    first: int = 0
    """Added to the numbers of samples, for a system that remembers the samples of an earlier trial."""


@attrs.frozen
class Made:
    """A record that a law made, and what it was told to hold."""

    ref: RecordRef
    values: Values = attrs.field(repr=False)
