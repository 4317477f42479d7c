"""Single values, each held to its type: the text "1" is no number (but a `Decimal`), and 1 is no truth value."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeVar

T = TypeVar("T")

_DECIMAL: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_DURATION: Final = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", re.ASCII)


def _exactly(shape: type[T]) -> Callable[[Any], T]:
    def read(value: Any) -> T:
        if type(value) is not shape:
            raise TypeError
        return value

    return read


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        raise ValueError
    number = Decimal(repr(value) if isinstance(value, float) else value)
    if not number.is_finite():
        raise ValueError
    return number


def _float(value: Any) -> float:
    if isinstance(value, str):
        raise TypeError
    return float(_number(value))


def _duration(value: Any) -> dt.timedelta:
    if not isinstance(value, str):
        return _not_negative(dt.timedelta(seconds=_float(value)))
    found = _DURATION.fullmatch(value)
    if found is None or not value:
        raise ValueError
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return dt.timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _not_negative(duration: dt.timedelta) -> dt.timedelta:
    if duration < dt.timedelta(0):
        raise ValueError
    return duration


def _date(value: Any) -> dt.date:
    return dt.date.fromisoformat(value) if isinstance(value, str) else _exactly(dt.date)(value)


def _instant(value: Any) -> dt.datetime:
    at = dt.datetime.fromisoformat(value) if isinstance(value, str) else _exactly(dt.datetime)(value)
    if at.tzinfo is None:
        raise ValueError
    return at


LEAVES: Final[Mapping[type, tuple[str, Callable[[Any], object]]]] = {
    str: ("a text", _exactly(str)),
    bool: ("true or false", _exactly(bool)),
    int: ("a whole number", _exactly(int)),
    float: ("a number", _float),
    Decimal: ("a number", _number),
    dt.timedelta: ('a duration (seconds, or a text such as "10m" or "1h30m")', _duration),
    dt.date: ("a date", _date),
    dt.datetime: ("an instant with a zone", _instant),
    Path: ("a path", lambda value: Path(_exactly(str)(value))),
}
"""What each type is called to a person, and how it is read; a value that it is not raises an error of Python's own."""
