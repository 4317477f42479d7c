"""What a system is: its fields, and what its connector promises."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from typing import Literal, TypeAlias

import attrs

from .. import _stated
from .refs import Cell


class FieldType(enum.StrEnum):
    """The sort of value that a field holds."""

    TEXT = "text"
    EMAIL = "email"
    FLAG = "flag"
    NUMBER = "number"
    DATE = "date"
    INSTANT = "instant"
    CHOICE = "choice"
    CHOICES = "choices"
    REFERENCE = "reference"
    REFERENCES = "references"


class Normalisation(enum.StrEnum):
    """What a system does to a value while storing it; nothing else may be taken for our own write."""

    TRIM = "trim"
    CASE = "case"
    WIDTH = "width"
    DIGITS = "digits"
    """Only the digits of a phone number count."""
    SCALE = "scale"
    ORDER = "order"
    """The elements of a set are stored in an order of the system's own."""
    LENGTH = "length"
    """Text is cut at the field's length."""


def _encodes(of: FieldSpec, argument: attrs.Attribute[str], given: str) -> None:
    if given != "utf-8":
        _stated.encoding(f"{of.name}: FieldSpec", argument.name, given)


@attrs.frozen
class FieldSpec:
    """Describe one field as its system does."""

    name: str
    type: FieldType = FieldType.TEXT
    label: str = ""
    required: bool = False
    read_only: bool = False
    unique: bool = False
    max_length: int | None = None
    """In characters."""
    max_bytes: int | None = None
    """In bytes of `encoding`, for a system that counts those."""
    encoding: str = attrs.field(default="utf-8", validator=_encodes)
    """What the system stores texts in, by Python's name: `cp932` is the Shift_JIS of Windows, in which a wide sign counts
    as two bytes. A sign that it lacks is refused, whether bytes are counted or not. Raises `UsageError` for an encoding
    that Python does not know.
    """
    least: Cell = None
    """The smallest number, or the earliest date or instant, that is taken; None: any."""
    most: Cell = None
    """The largest number, or the latest date or instant, that is taken; None: any."""
    digits: int | None = None
    """Digits before the decimal point, at most."""
    scale: int | None = None
    """Digits after the decimal point, at most."""
    options: tuple[str, ...] = attrs.field(default=(), validator=_stated.several)
    """A closed list, compared byte for byte; empty where any value is taken."""
    refers_to: tuple[str, ...] = attrs.field(default=(), validator=_stated.several)
    normalises: frozenset[Normalisation] = frozenset()
    email_rule: str = ""
    """Which syntax an e-mail field is held to: see `crmbridge.preflight`. Empty: only what every system refuses."""
    create_only: bool = False
    """May be written when the record is made, and never after."""
    id_check: int = 0
    """Of a reference: how many signs at the end of an id only check the others, so that it may be given without them."""


@attrs.frozen
class Schema:
    """Describe one kind of one system."""

    kind: str
    fields: Mapping[str, FieldSpec]


class CreateClass(enum.StrEnum):
    """How surely a create whose answer was lost can be resolved (docs: explanation/reliability)."""

    A = "A"
    """A key that the system enforces: an external id, a unique property, an idempotency key."""
    B = "B"
    """No key, but a consistent read by a field that is ours."""
    C = "C"
    """Neither: an unknown outcome is looked for, and is in doubt where nothing is found."""


Absence: TypeAlias = Literal["gone", "kept"]
"""What not being there says of a linked record: it was removed, or nothing, and the pair is kept as it is."""

_TEN_MINUTES = dt.timedelta(minutes=10)


def _whole_batches() -> dict[str, int]:
    return {}


@attrs.frozen
class Capabilities:
    """What a connector promises for one kind. Planner, recovery, check and suite read it."""

    incremental: bool = False
    sees_deletes: bool = False
    absent: Absence = "gone"
    """What it says of a linked record that neither a complete listing nor a read by id shows it."""
    sees_merges: bool = False
    """And moves to another kind."""
    moved_from: frozenset[str] | None = attrs.field(default=None, validator=_stated.several)
    """Kinds whose records may live on as one of this kind; None: any. A new record waits until they would tell."""
    appends_only: bool = False
    """Events: never changed, never deleted."""
    creates: CreateClass | None = None
    create_key: str | None = None
    """The field in which our key is written at creation (class A by upsert, class B); None: there is none."""
    unique: str | None = None
    """The field that the system keeps unique (class A by unique insert)."""
    updates: bool = False
    archives: bool = False
    deletes: bool = False
    conditional_writes: bool = False
    answers_with_stored: bool = False
    """A write's answer says what is there now."""
    versions_later: bool = False
    """A write's answer cannot name the version yet: what was written is read once more."""
    tells_author: bool = False
    tells_clock: bool = False
    """A read by id says what the system's own clock shows (`Page.clock`): without it, its times cannot be corrected."""
    finds_by: frozenset[str] = attrs.field(default=frozenset[str](), validator=_stated.several)
    """Fields that `find` can be asked for."""
    batch: int = 1
    """Records that `apply` takes at once, at most."""
    carries: Mapping[str, int] = attrs.field(factory=_whole_batches, hash=False)
    """Records that one write request carries, by verb; a verb that is not named carries a whole batch."""
    fetch_batch: int = 200
    """Records in one read by id, at most; a connector that needs several requests for some of them is `CountsFetches`."""
    read_lag: dt.timedelta = dt.timedelta(0)
    """How late a read may show a write; what was shown once stays shown."""
    index_lag: dt.timedelta = _TEN_MINUTES
    """How late a search may."""
    settles_in: dt.timedelta = _TEN_MINUTES
    """How late a request that we gave up on may still be applied."""
    overlap: dt.timedelta = _TEN_MINUTES
    """How late a change with an old stamp may appear in the feed."""
