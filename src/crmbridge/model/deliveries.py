"""What a webhook brings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import attrs

from .refs import RecordRef
from .rows import Record


@attrs.frozen
class Delivery:
    """A webhook as it came in over HTTP, nothing decoded."""

    method: str
    url: str = attrs.field(repr=False)
    """Its last part may be a secret that was agreed with the sender."""
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)


@attrs.frozen
class Signal:
    """A hint to look at a record, never trusted for its content."""

    id: str
    ref: RecordRef
    at: dt.datetime


@attrs.frozen
class Arrived:
    """An authenticated delivery that *is* the record, since its system cannot be read."""

    id: str
    record: Record
    at: dt.datetime
