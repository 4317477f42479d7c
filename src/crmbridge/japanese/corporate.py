"""The number that the tax agency gives to every corporation."""

from __future__ import annotations

import re
from typing import Final

from crmbridge.japanese._dashes import number_dashes
from crmbridge.japanese._fold import fold, squash

_SHAPE: Final = re.compile("[tT]?([1-9][0-9]{12})")


def corporate_number_key(text: str) -> str:
    """The thirteen digits of a corporate number, or nothing if the text holds no valid one.

    An invoice registration number is the same with a T before it. Hyphens and blanks are left out.
    """
    found = _SHAPE.fullmatch(text) or _SHAPE.fullmatch(squash(number_dashes(fold(text))).replace("-", ""))
    if found is None or not _checked(found.group(1)):
        return ""
    return found.group(1)


def corporate_number_ok(text: str) -> bool:
    """Whether the text is a corporate number whose check digit is right.

    The rule is in the ministerial ordinance on corporate numbers (財務省令第七十号, 2014): nine less the remainder by nine of
    the twelve digits from the right, weighted one and two in turn.
    """
    return bool(corporate_number_key(text))


def _checked(number: str) -> bool:
    # The code of a digit is 48 more than the digit: over all weights that is 864, and nine goes into it.
    codes = number.encode("ascii")
    weighted = sum(codes[2::2]) + 2 * sum(codes[1::2])
    return int(number[0]) == 9 - weighted % 9
