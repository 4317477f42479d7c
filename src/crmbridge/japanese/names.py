"""Family and given names of Japan: an optional table, built once from a package of names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import attrs

from crmbridge.japanese._fold import compose, without_title
from crmbridge.japanese.kana import katakana
from crmbridge.japanese.kanji import kanji_key

_KINDS: Final = ("family", "given")
_LOOKED_UP: Final = 3


@attrs.frozen
class Names:
    """Names of people, family and given, by which a full name is split; those of two ends are `crmbridge.report.Names`.

    A full name without a blank is split where that is beyond doubt.
    """

    _family: frozenset[str] = attrs.field(repr=False)
    _given: frozenset[str] = attrs.field(repr=False)
    _lengths: Mapping[str, tuple[int, ...]] = attrs.field(repr=False)
    """How long the family names are that begin with two characters; with one, where none begins with the two."""
    _whole: frozenset[str] = attrs.field(default=frozenset(), repr=False)
    """Names of one kind that could be split into two."""

    @classmethod
    def read(cls, path: str | Path) -> Names:
        """Reads the table that ``scripts/build_name_table.py`` wrote, and what was added to it.

        Raises:
            ValueError: a line is not ``family`` or ``given`` and names behind a tab.
        """
        with Path(path).open(encoding="utf-8") as lines:
            return cls.parse(lines)

    @classmethod
    def parse(cls, lines: Iterable[str]) -> Names:
        """Reads lines of ``family`` or ``given``, a tab, and names with blanks between; a kind may have many lines.

        A name is known as it is written, with its variant kanji in the form that is usual today, and in katakana.

        Raises:
            ValueError: a line has another shape.
        """
        known: dict[str, set[str]] = {kind: set() for kind in _KINDS}
        for line in lines:
            kind, tab, names = line.rstrip("\n").partition("\t")
            if not tab or kind not in known:
                msg = "a line of names is family or given, a tab, and names with blanks between them"
                raise ValueError(msg)
            for name in map(without_title, compose(names).split()):
                known[kind] |= {name, kanji_key(name), katakana(name)}
        family, given = (frozenset(known[kind]) for kind in _KINDS)
        table = cls(family, given, _lengths(family))
        return attrs.evolve(table, whole=frozenset(filter(table.family_length, family | given)))

    def family_length(self, full: str) -> int:
        """How many characters of a full name are its family name, or 0 where that is open.

        It is known where exactly one place has a known family name before it and a known given name behind it, and
        the whole is no such name itself: 久保田 is no 久保 with the given name 田, and 林太郎 may be either.
        """
        found = 0
        for length in self._lengths.get(full[:2]) or self._lengths.get(full[:1], ()):
            # A name of one or two characters was found by its length.
            if full[length:] in self._given and (length < _LOOKED_UP or full[:length] in self._family):
                if found:
                    return 0
                found = length
        return 0 if found and full in self._whole else found


def _lengths(names: Iterable[str]) -> dict[str, tuple[int, ...]]:
    found: dict[str, set[int]] = {}
    for name in names:
        found.setdefault(name[:2], set()).add(len(name))
    for start, lengths in found.items():
        if start[0] in found:
            lengths.add(1)
    return {start: tuple(sorted(lengths)) for start, lengths in found.items()}
