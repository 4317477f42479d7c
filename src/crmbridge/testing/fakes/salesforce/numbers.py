"""Numbers digit for digit: a float where it holds them all, and where it does not, what does."""

import json
import math
import re
from decimal import Decimal
from typing import Any

_EXACT = re.compile(r'"\\u0000(-?[0-9]+\.[0-9]+)"')
"""What stands for a number in JSON until it is whole: the vendor takes no text with a NUL, so that none looks like it."""


def exact(number: Decimal) -> float | int | Decimal:
    """Give a number as a float if that one is written with the same digits; else as an int or as it is.

    What is too large or too small for a float is infinite or zero.
    """
    near = float(number)
    if not near or not math.isfinite(near) or Decimal(repr(near)) == number:
        return near
    return int(number) if number == number.to_integral_value() else number


def read_fraction(text: str) -> float | int | Decimal:
    """Read a number with a fraction or an exponent from JSON."""
    return exact(Decimal(text))


def as_json(data: Any) -> str:
    """Write JSON as the vendor does, without blanks and escapes that need not be, and with all digits of a number."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=_marked)
    return _EXACT.sub(r"\1", text) if "\\u0000" in text else text


def added(values: list[Any]) -> Any:
    """Add numbers up; None where there are none."""
    if not values:
        return None
    if all(value.__class__ is int or value.__class__ is float for value in values):
        return sum(values)
    return exact(sum((Decimal(str(value)) for value in values), Decimal(0)))


def _marked(value: object) -> str:
    if isinstance(value, Decimal):
        return f"\0{value:f}"
    raise TypeError(type(value).__name__)
