"""Numbers of JSON, as strangers write them: bounded in length, and in how far they are from one."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

DIGITS: Final = 100
"""Characters of a number, at most."""
EXPONENT: Final = 400
"""No number is farther from one than this many powers of ten: a float goes to 308."""


def integer(text: str) -> int:
    """Read a whole number; raises ValueError beyond `DIGITS` characters."""
    if len(text) > DIGITS:
        raise ValueError("too long")
    return int(text)


def fraction(text: str) -> Decimal:
    """Read a number with a point or an exponent; raises ValueError beyond `DIGITS` characters or `EXPONENT`."""
    # A Decimal has exponents of any size up to a bound of its own: the first int() of one would fill the memory.
    exponent = text.lower().partition("e")[2].lstrip("+-0")
    if len(text) > DIGITS or len(exponent) > 3:
        raise ValueError("too long")
    number = Decimal(text)
    if abs(number.adjusted()) > EXPONENT:
        raise ValueError("too far from one")
    return number
