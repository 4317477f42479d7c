"""Old, new and variant forms of kanji, for comparison only."""

from __future__ import annotations

import enum
import functools
import re
from collections.abc import Callable, Mapping
from typing import Final

import attrs

from crmbridge.japanese._edition import edition
from crmbridge.japanese._kanji_table import FAMILIES, FORMS, PLACES


class Kanji(enum.Enum):
    """How far kanji are taken as equal.

    As written, forms of one character, or families that are taken for one another (斎 and 斉).
    """

    AS_WRITTEN = "as written"
    FORMS = "forms"
    FAMILIES = "families"


_SHORT: Final = 40
"""Most characters of a text in which it is quicker to replace variants one after the other."""


@attrs.frozen
class Folding:
    """A table from variants to the form that stands for them, applied only to text that holds one."""

    table: Mapping[int, str] = attrs.field(repr=False)
    _find: Callable[[str, int], re.Match[str] | None] = attrs.field(repr=False)

    def __call__(self, text: str) -> str:
        """Text with each variant replaced."""
        found = self._find(text, 0)
        if found and len(text) > _SHORT:
            return text.translate(self.table)
        # A name holds few variants, and no form that stands for others is a variant itself.
        while found:
            text = text.replace(found[0], self.table[ord(found[0])])
            found = self._find(text, found.end())
        return text


def folding(*groups: str) -> Folding:
    """Makes a folding of words, each a character and its variants; later groups are read through the earlier ones."""
    table: dict[str, str] = {}
    for word in " ".join(groups).split():
        usual = table.get(word[0], word[0])
        others = {table.get(sign, sign) for sign in word[1:]} | set(word[1:])
        table.update({sign: usual for sign, known in table.items() if known in others})
        table.update(dict.fromkeys(others - {usual}, usual))
    return Folding({ord(sign): usual for sign, usual in table.items()}, re.compile(f"[{''.join(table)}]").search)


_TABLES: Final = {Kanji.AS_WRITTEN: (), Kanji.FORMS: (FORMS,), Kanji.FAMILIES: (FORMS, FAMILIES)}


@functools.cache
def kanji_folding(kanji: Kanji, *further: str) -> Folding:
    """The folding for that meaning of equal, and further groups of signs with it, made when first needed."""
    return folding(*_TABLES[kanji], *further)


@functools.cache
def _places() -> Folding:
    return folding(FORMS, PLACES, "ケヶがガ ノの之 ツッっつ")


def fold_places(text: str) -> str:
    """Text with the signs that maps and letters write in several ways (ヶ ケ が, ノ の 之, ツ ッ, variant kanji) in one."""
    return _places()(text)


@edition(2)
def kanji_key(text: str, kanji: Kanji = Kanji.FORMS) -> str:
    """Text with old and variant kanji written in the form that is usual today (髙 as 高, 邉 and 邊 as 辺, 國 as 国).

    Everything else is left, width included. With families also 斉 is read as 斎 and 阪 as 坂: choose that where a person
    will look at the result, since 斎藤 and 斉藤 are two surnames.
    """
    return text if kanji is Kanji.AS_WRITTEN else kanji_folding(kanji)(text)
