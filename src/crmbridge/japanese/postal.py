"""Postal codes of Japan."""

from __future__ import annotations

import re
from typing import Final

from crmbridge.japanese._dashes import number_dashes
from crmbridge.japanese._fold import fold, squash

_SHAPE: Final = re.compile("〒?([0-9]{3})-?([0-9]{4})")


def postal_key(text: str) -> str:
    """The seven digits of a Japanese postal code, or nothing if the text is none.

    A three-digit or five-digit code from before 1998 is none: it names a larger area, so it never equals a code of
    today.
    """
    found = _SHAPE.fullmatch(squash(number_dashes(fold(text))).removeprefix("〒"))
    if found is None or found.group(1) + found.group(2) == "0000000":
        return ""
    return found.group(1) + found.group(2)
