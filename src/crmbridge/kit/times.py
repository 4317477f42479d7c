"""Instants on the wire: what a vendor writes becomes an aware datetime, and back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from email.utils import parsedate_to_datetime


def instant(text: str) -> dt.datetime:
    """Read an ISO 8601 instant with `Z`, `+09:00` or `+0000`, in UTC.

    Raises ValueError where it is none, or names no zone.
    """
    read = dt.datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise ValueError("an instant without a zone")
    return _in_utc(read)


def utc_text(at: dt.datetime, *, timespec: str = "milliseconds") -> str:
    """Write an instant as ISO 8601 in UTC, as in `2026-11-21T09:15:00.000Z`; what is finer than *timespec* is cut off.

    Raises ValueError for an instant without a zone.
    """
    if at.tzinfo is None:
        raise ValueError("an instant without a zone")
    return _in_utc(at).replace(tzinfo=None).isoformat(timespec=timespec) + "Z"


def server_time(headers: Mapping[str, str]) -> dt.datetime | None:
    """Tell the system's clock at the time of an answer, in whole seconds, from its `Date` header.

    None where the header is absent or unreadable.
    """
    return _http_date(headers.get("date", ""))


def retry_at(headers: Mapping[str, str]) -> dt.datetime | None:
    """Tell when a system may be asked again, from `Retry-After`, a date or seconds after `Date`; None if unsaid."""
    said, now = headers.get("retry-after", ""), server_time(headers)
    if not (said.isascii() and said.isdigit()):
        return _http_date(said)
    try:
        return None if now is None else now + dt.timedelta(seconds=int(said[:9]))
    except OverflowError:
        return None


def _http_date(text: str) -> dt.datetime | None:
    try:
        read = parsedate_to_datetime(text)
        return None if read.tzinfo is None else _in_utc(read)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _in_utc(at: dt.datetime) -> dt.datetime:
    if at.tzinfo is dt.UTC:
        return at
    try:
        return at.astimezone(dt.UTC)
    except OverflowError as error:
        raise ValueError("an instant outside the calendar") from error
