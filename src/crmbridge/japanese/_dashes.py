"""Which signs are a dash, and in which field.

One sign cannot be right everywhere: the mark of a long vowel is a letter in a word and a dash between numbers.
Softbrain's side folds the five dashes and blanks before it compares, and so does every key here, each with the rule
of its field.
"""

from __future__ import annotations

import re
from typing import Final

# After compatibility composition: hyphen-minus, hyphen, figure, en, em, bar, minus, bullet, modifier, box lines.
HYPHENS: Final = "-\u02d7\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u2500\u2501\u2796"

_LONG_VOWEL: Final = re.compile(f"(?<=[\u3041-\u3096\u30a1-\u30fa\u30fc])[{HYPHENS}](?: ?[{HYPHENS}])*")
_BETWEEN_NUMBERS: Final = re.compile(f"[{HYPHENS}\u30fc]")
_HYPHEN: Final = re.compile(f"[{HYPHENS}]")
_OTHER_HYPHEN: Final = re.compile(f"[{HYPHENS[1:]}]")


def long_vowels(text: str) -> str:
    """Text with every dash that follows kana, or such a dash, written as the long-vowel mark, as in names and readings."""
    if not _HYPHEN.search(text):
        return text
    return _LONG_VOWEL.sub(lambda dashes: "\u30fc" * len(dashes.group().replace(" ", "")), text)


def hyphens(text: str) -> str:
    """Text with every dash, but no long-vowel mark, written as a hyphen."""
    return _OTHER_HYPHEN.sub("-", text)


def number_dashes(text: str) -> str:
    """Text with every dash and long-vowel mark written as a hyphen, as in telephone numbers and postal codes."""
    return _BETWEEN_NUMBERS.sub("-", text)
