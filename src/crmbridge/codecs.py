"""Codecs: one value there and back, where two systems keep it in different forms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import attrs

from .model import Cell

_NUMBER: Final = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+(?:\.\d*)?|(?:\d+(?:\.\d*)?|\.\d+)(?:[Ee][+-]?\d{1,3})?)")
"""With a longer exponent a few letters would stand for more digits than fit into memory."""

# Not the whole of NFKC, under which 10² is 102.
_NARROW: Final = str.maketrans("，．＋－", ",.+-")


def _read(value: Cell) -> Decimal | None:
    """Read a number; None for a blank."""
    if value is None or isinstance(value, bool):
        raise ValueError("not a number")
    text = str(value).translate(_NARROW).strip()
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise ValueError("not a number")
    return Decimal(text.replace(",", ""))


def _plain(number: Decimal) -> str:
    text = format(number, "f") if number else "0"
    return text.rstrip("0").rstrip(".") if "." in text else text


@attrs.frozen
class NumberText:
    """A number that the left keeps as text and the right as a number.

    A comma stands between thousands, and a point before a fraction, in ASCII or in full width. Where a comma stands
    anywhere else, as in `1,5` and `12,34`, nobody knows which number is meant. Raises ValueError for that, as for any
    text that is not a number. `decode` gives the plain form without trailing zeros.
    """

    whole: bool = False
    """The right holds whole numbers only."""

    def encode(self, value: Cell) -> Cell:
        """Read the number out of the text; commas between thousands are taken away."""
        number = _read(value)
        if number is None or not self.whole:
            return number
        if number != number.to_integral_value():
            raise ValueError("not a number that the other system can hold")
        return int(number)

    def decode(self, value: Cell) -> Cell:
        """Write the number as text."""
        number = _read(value)
        return None if number is None else _plain(number)


@attrs.frozen
class Choices:
    """A choice that goes by another name on the right; literals are compared byte for byte and never normalised.

    Raises ValueError for a value that is not among them.
    """

    names: Mapping[str, str]

    @property
    def folded(self) -> tuple[str, str] | None:
        """Give two choices of the left that are one on the right, so that nobody can tell them apart again."""
        first: dict[str, str] = {}
        for left, right in self.names.items():
            if first.setdefault(right, left) != left:
                return first[right], left
        return None

    def encode(self, value: Cell) -> Cell:
        """Give the right's name."""
        if not isinstance(value, str) or value not in self.names:
            raise ValueError("not among the choices")
        return self.names[value]

    def decode(self, value: Cell) -> Cell:
        """Give the left's name."""
        for left, right in self.names.items():
            if right == value:
                return left
        raise ValueError("not among the choices")


number_text = NumberText()
"""A number that the left keeps as text and the right as a number."""
whole_number_text = NumberText(whole=True)
"""The same, where the right holds whole numbers only."""


def choices(names: Mapping[str, str]) -> Choices:
    """Rename the choices of the left to those of the right.

    Where the left is written too, each must have a name of its own there: `fields()` raises `PairError` for others.
    """
    return Choices(names)
