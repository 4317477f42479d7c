"""Codecs: one value there and back, where two systems keep it in different forms."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

import attrs

from .model import Cell


def _plain(number: Decimal) -> str:
    text = format(number.normalize(), "f")
    return "0" if text in ("-0", "") else text


@attrs.frozen
class NumberText:
    """A number that the left keeps as text and the right as a number.

    Raises ValueError for text that is not a number. `decode` gives the plain form without trailing zeros.
    """

    whole: bool = False
    """The right holds whole numbers only."""

    def encode(self, value: Cell) -> Cell:
        """Read the number out of the text; thousands separators are taken away."""
        if value is None or isinstance(value, bool):
            raise ValueError("not a number")
        text = str(value).replace(",", "").strip()
        if not text:
            return None
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise ValueError("not a number") from None
        if not number.is_finite() or (self.whole and number != number.to_integral_value()):
            raise ValueError("not a number that the other system can hold")
        return int(number) if self.whole else number

    def decode(self, value: Cell) -> Cell:
        """Write the number as text."""
        if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
            raise ValueError("not a number")  # noqa: TRY004 - a codec tells its domain by ValueError
        return _plain(Decimal(value))


@attrs.frozen
class Choices:
    """A choice that goes by another name on the right; literals are compared byte for byte and never normalised.

    Raises ValueError for a value that is not among them.
    """

    names: Mapping[str, str]

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
whole_number_text = NumberText(whole=True)


def choices(names: Mapping[str, str]) -> Choices:
    """Rename the choices of the left to those of the right."""
    return Choices(names)
