"""What the laws of a store are told with."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from ...model import (
    MISSING,
    Agreed,
    Create,
    Decision,
    Disposition,
    FieldDecision,
    Link,
    RecordRef,
    Side,
    Standing,
    Update,
)
from ...protocols import KeyValue, Question
from ...reasons import Code, Reason, because
from ...roles import Delta, Intent, JournalRow, QueueRow, StateStore

NOW = dt.datetime(2026, 4, 1, 9, 30, 0, 123456, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
MINUTE = dt.timedelta(minutes=1)
PEOPLE = "people"
"""The pipeline of the laws."""

ACCOUNT = "account"
UNKNOWN = Standing()


class Laws:
    """What every class of laws has: a store, and a way to open it again."""

    @pytest.fixture
    def store(self) -> StateStore:
        """Give an empty store; every suite gives its own."""
        raise AssertionError("override the fixture `store` with one that gives an empty store")

    def reopen(self, store: StateStore) -> StateStore:
        """Open the same state again, as a new process would; a store without a file gives itself.

        The one that was open before may be closed: no law goes on with it.
        """
        return store


def left(n: int | str = 1) -> RecordRef:
    """Point at a record of the left system."""
    return RecordRef("crm", "contact", str(n))


def right(n: int | str = 1) -> RecordRef:
    """Point at a record of the right system."""
    return RecordRef("sfa", "Lead", str(n))


def link(n: int | str = 1, **changes: Any) -> Link:
    """Tie the nth records of both systems."""
    values: dict[str, Any] = {
        "id": f"link-{n}",
        "left": left(n),
        "right": right(n),
        "left_agreed": Agreed(("email", "phone"), ("kim@x.test", None)),
        "right_agreed": Agreed(("Email", "Phone"), ("kim@x.test", MISSING)),
        "since": NOW,
    }
    return Link(**(values | changes))


def settled_at(version: str | None) -> Agreed:
    """Agree on one field, at a version."""
    return Agreed(("email",), ("kim@x.test",), settled_version=version)


CLOSED = because(Code.DETACHED, system="crm")


def row(n: int | str = 1, side: Side = "left", **changes: Any) -> QueueRow:
    """Put the nth record of a side into the queue."""
    return QueueRow(side, left(n) if side == "left" else right(n), **changes)


def key(value: str, field: str = "Email", by: str = "email_key") -> KeyValue:
    """Name a comparison key."""
    return KeyValue(field, value, by)


def ask(*any_of: tuple[KeyValue, ...], kind: str = "Lead", limit: int = 10) -> Question:
    """Ask for records of a kind."""
    return Question(kind, "email", any_of, limit=limit)


def create(n: int | str = 1, **values: Any) -> Create:
    """Make a lead from the nth contact."""
    return Create("Lead", {"Email": "kim@x.test", **values}, left(n), f"key-{n}", because(Code.NEW))


def promise(n: int | str = 1, **changes: Any) -> Intent:
    """Promise to make a lead from the nth contact."""
    values: dict[str, Any] = {
        "key": f"key-{n}",
        "side": "right",
        "action": create(n),
        "origin": left(n),
        "link": "",
        "promised_at": NOW,
        "keys": ((key(f"{n}@x.test"),),),
    }
    return Intent(**(values | changes))


def update(n: int | str = 1) -> Update:
    """Change the nth lead."""
    return Update(right(n), {"Email": "kim@x.test"}, f"key-{n}", because(Code.CHANGED), "7")


def decision(n: int | str = 1, disposition: Disposition = Disposition.APPLIED, **changes: Any) -> Decision:
    """Decide about the nth contact."""
    values: dict[str, Any] = {"side": "left", "ref": left(n), "counterpart": None, "because": because(Code.NEW)}
    return Decision(disposition=disposition, **(values | changes))


def noted(n: int | str = 1, **changes: Any) -> JournalRow:
    """Say that the nth lead was made from the nth contact."""
    field = FieldDecision("email", "Email", "kim@x.test", MISSING, "kim@x.test", "right", because(Code.ONE_SIDED))
    values: dict[str, Any] = {
        "run": "run",
        "at": NOW,
        "side": "right",
        "verb": "create",
        "ref": right(n),
        "origin": left(n),
        "because": Reason(Code.NEW),
        "fields": (field,),
        "version": "7",
    }
    return JournalRow(**(values | changes))


def commit(store: StateStore, pipeline: str = PEOPLE, **changes: Any) -> None:
    """Commit a delta under a lease of its own."""
    fence = store.leases.take("laws", "laws", NOW, HOUR)
    try:
        store.commit(pipeline, Delta(**changes), fence)
    finally:
        store.leases.release(fence)


def due(store: StateStore, now: dt.datetime = NOW, limit: int = 1000) -> list[QueueRow]:
    """Give what may be taken now."""
    return list(store.agenda.due(PEOPLE, now, limit))
