"""What a value is, and how a record is pointed at."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, Literal, TypeAlias

import attrs

Side: TypeAlias = Literal["left", "right"]
"""One of the two ends of a pipeline; in a one-way pipeline the left one is the source."""

LEFT: Final[Side] = "left"
"""The left end."""
RIGHT: Final[Side] = "right"
"""The right end."""
SIDES: Final[tuple[Side, Side]] = ("left", "right")
"""Both ends, left first."""


def other(side: Side) -> Side:
    """Name the opposite side."""
    return RIGHT if side == "left" else LEFT


class Missing(enum.Enum):
    """The field was not read; `None` says that it was read and is empty."""

    MISSING = "missing"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing.MISSING
"""Stands where there is no value, not even a blank one: the field was not read, or nothing was agreed yet."""


@attrs.frozen(order=True)
class RecordRef:
    """Point at one record of one system."""

    system: str
    kind: str
    id: str
    """The system's own id, always text, put into one form by its connector."""

    def __str__(self) -> str:
        return f"{self.system}:{self.kind}/{self.id}"


Cell: TypeAlias = (
    "str | bool | int | Decimal | dt.date | dt.datetime | tuple[str, ...] | RecordRef | tuple[RecordRef, ...] | None"
)
"""One value of one field. Numbers with a fraction are `Decimal`, instants carry a zone, sets are tuples."""

Values: TypeAlias = Mapping[str, Cell]
"""Values by field."""


def is_blank(value: Cell | Missing) -> bool:
    """Say whether a value is empty: null, no text but white space, or an empty set. Zero and false are values."""
    if value is None:
        return True
    if isinstance(value, str):
        return not value or value.isspace()
    return isinstance(value, tuple) and not value
