"""Names of persons."""

from __future__ import annotations

import re
from typing import Final

import attrs

from crmbridge.japanese._dashes import long_vowels
from crmbridge.japanese._edition import edition
from crmbridge.japanese._fold import CJK, TITLES, close_up, compose, fold, joined, without_title
from crmbridge.japanese.kana import katakana, modern_kana
from crmbridge.japanese.kanji import Kanji, kanji_key
from crmbridge.japanese.names import Names

# Not 殿, with which surnames end (鵜殿, 真殿).
_TITLES: Final = (*TITLES, "先生")
_AGAIN: Final = re.compile("([\u3400-\u9fff\U00020000-\U0003ffff])[々〻]+")
_POINTS: Final = re.compile("[・.,'’‘`´]")
_JAPANESE: Final = re.compile(f"[{CJK}]")


@attrs.frozen
class PersonName:
    """A full name in two parts."""

    family: str = attrs.field(repr=False)
    given: str = attrs.field(default="", repr=False)

    def joined(self, blank: str = " ") -> str:
        """Both parts in Japanese order with *blank* between them, or the one that is filled."""
        return blank.join(part for part in (self.family, self.given) if part)


@edition(3)
def name_key(text: str, *, kanji: Kanji = Kanji.FORMS) -> str:
    """Compares two names of persons whatever their width, spacing, script of kana and form of kanji.

    A blank between kanji or kana separates nothing and goes; between Latin words it stays, since Ann Alee is not Anna
    Lee. A closing 様 or 先生 goes, and 佐々木 is 佐佐木. 斎藤 and 斉藤 are two surnames unless *kanji* is ``Kanji.FAMILIES``;
    ``Kanji.AS_WRITTEN`` tells 高 from 髙, and 々 from the kanji that it repeats, too.
    """
    plain = " ".join(_POINTS.sub("", fold(text)).split())
    closed = close_up(kanji_key(modern_kana(katakana(plain)), kanji))
    if not closed.isalnum():
        # A mark may have met its letter only now, and a dash its vowel; behind a long vowel a blank separates nothing.
        closed = close_up(long_vowels(joined(closed)))
    if kanji is not Kanji.AS_WRITTEN and ("々" in closed or "〻" in closed):
        closed = _AGAIN.sub(lambda kept: kept[1] * len(kept[0]), closed)
    return without_title(closed, _TITLES)


def split_name(text: str, names: Names | None = None) -> PersonName:
    """Splits a full name at its blank, or, with a table of *names*, where its family name must end.

    Family name first in Japanese, last in Latin letters; a name with more than one blank is split at the first
    (Japanese) or the last (Latin). Without a blank all is the family name, unless *names* know exactly one way to read
    it: 長谷川一 is 長谷川 and 一 where 川一 is nobody's given name. Where they know two ways, or none, nothing is guessed.
    """
    end = names.family_length(text) if names else 0
    if end:
        return PersonName(text[:end], text[end:])
    whole = without_title(compose(text), _TITLES)
    if " " not in whole:
        if names and (usual := kanji_key(whole)) != text:
            end = names.family_length(usual)
        return PersonName(whole[:end], whole[end:]) if end else PersonName(whole)
    if _JAPANESE.search(whole):
        family, _, given = whole.partition(" ")
    elif ", " in whole:
        family, _, given = whole.partition(", ")
    else:
        given, _, family = whole.rpartition(" ")
    return PersonName(family, given)
