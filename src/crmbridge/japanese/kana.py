"""Readings: hiragana, katakana, half-width katakana, and the forms that banks and the postal service write."""

from __future__ import annotations

import re
from typing import Final

from crmbridge.japanese._dashes import long_vowels
from crmbridge.japanese._edition import edition
from crmbridge.japanese._fold import fold, joined, squash

_HIRAGANA: Final = re.compile("[\u3041-\u3096\u309d\u309e]")
_TO_KATAKANA: Final = {code: code + 0x60 for code in (*range(0x3041, 0x3097), 0x309D, 0x309E)}
_TO_HIRAGANA: Final = {code + 0x60: code for code in (*range(0x3041, 0x3097), 0x309D, 0x309E)}
# Cabinet notice no. 1 of 1986 on modern kana usage: these are read as, and today written as, the plain ones.
_OLD: Final = str.maketrans(
    {"ヰ": "イ", "ヱ": "エ", "ヷ": "ヴァ", "ヸ": "ヴィ", "ヹ": "ヴェ", "ヺ": "ヴォ", "ヵ": "カ", "ヶ": "ケ"}
)
_IS_OLD: Final = re.compile("[ヰヱヷヸヹヺヵヶ]")
SMALL_KANA: Final = "アァ イィ ウゥ エェ オォ ツッ ヤャ ユュ ヨョ ワヮ カヵ ケヶ"
_SMALL: Final = str.maketrans({word[1]: word[0] for word in SMALL_KANA.split()})
_IS_SMALL: Final = re.compile("[ァィゥェォッャュョヮヵヶ]")
_DOTS: Final = re.compile("[・.,'’‘`]")


def katakana(text: str) -> str:
    """Text with its hiragana written as katakana; everything else is left."""
    return text.translate(_TO_KATAKANA) if _HIRAGANA.search(text) else text


def hiragana(text: str) -> str:
    """Text with its katakana written as hiragana; the long-vowel mark and ヷ to ヺ, which have no hiragana, are left."""
    return text.translate(_TO_HIRAGANA)


def large_kana(text: str) -> str:
    """Katakana with small letters written large, as bank transfers and the postal service's office lists write them."""
    return text.translate(_SMALL) if _IS_SMALL.search(text) else text


def modern_kana(text: str) -> str:
    """Katakana with the letters that modern usage gave up written as today."""
    return text.translate(_OLD) if _IS_OLD.search(text) else text


@edition(2)
def kana_key(text: str, *, small: bool = True) -> str:
    """Compares two readings whatever their script, width, spacing and dash.

    Hiragana, katakana and half-width katakana are one; ヰ ヱ ヷ are what they are read as; a dash after kana is the
    long-vowel mark; blanks and middle dots go. Small letters tell びょういん from びよういん; with *small* off they are written
    large, for readings from banks and the postal service, which have no small ones.
    """
    key = modern_kana(katakana(squash(fold(text))))
    if not small:
        key = large_kana(key)
    # Marks, dots or dashes are among the letters; ヶ with a voicing mark is ゲ, and only ケ has one.
    return key if key.isalnum() else long_vowels(joined(_DOTS.sub("", key)))
