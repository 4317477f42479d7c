"""What we decide to write, and what came of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TypeAlias

import attrs

from ..reasons import Reason
from .refs import Cell, RecordRef, Values


@attrs.frozen
class Create:
    """Make a record."""

    kind: str
    values: Mapping[str, Cell] = attrs.field(repr=False)
    origin: RecordRef
    """The record that this one mirrors."""
    key: str
    """A hash of what it stands for; doubles as idempotency key."""
    because: Reason
    answer: tuple[str, ...] = ()
    """Fields that the answer should tell, where the system can."""


@attrs.frozen
class Update:
    """Change the named fields of a record, and no other."""

    ref: RecordRef
    values: Mapping[str, Cell] = attrs.field(repr=False)
    key: str
    because: Reason
    if_version: str | None = None
    answer: tuple[str, ...] = ()
    """Fields that the answer should tell, where the system can."""


@attrs.frozen
class Archive:
    """Put a record aside so that it can be brought back."""

    ref: RecordRef
    key: str
    because: Reason
    if_version: str | None = None


@attrs.frozen
class Delete:
    """Remove a record."""

    ref: RecordRef
    key: str
    because: Reason
    if_version: str | None = None


Action: TypeAlias = "Create | Update | Archive | Delete"
"""One write."""


def verb(action: Action) -> str:
    """Name an action's verb: create, update, archive or delete."""
    return type(action).__name__.lower()


def target_kind(action: Action) -> str:
    """Name the kind that an action writes to."""
    return action.kind if isinstance(action, Create) else action.ref.kind


@attrs.frozen
class Applied:
    """The system did it."""

    action: Action
    ref: RecordRef
    version: str | None = None
    stored: Values | None = attrs.field(default=None, repr=False)
    """What the answer says is there now."""
    stamp: dt.datetime | None = None
    """Tells our own write when it is read back."""


@attrs.frozen
class Stale:
    """The record moved on since we read it; it is planned again."""

    action: Action


@attrs.frozen
class Postponed:
    """Not now (a row lock): the record is held and the write sent again, after half a minute, then at longer intervals.

    A quarter of an hour is the longest, and there is no last time. A record that a person gave values for goes back
    into quarantine instead.
    """

    action: Action
    reason: Reason


@attrs.frozen
class Rejected:
    """No, and it would say no again; the record goes to the quarantine."""

    action: Action
    reason: Reason


@attrs.frozen
class Uncertain:
    """Sent, but the answer was lost; look before writing again, as the create class allows."""

    action: Action
    reason: Reason


Outcome: TypeAlias = "Applied | Stale | Postponed | Rejected | Uncertain"
"""What came of a write."""
