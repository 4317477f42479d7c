"""Towns of Japan by municipality: an optional table, built once from a package of postal codes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import attrs

from crmbridge.japanese._blocks import in_digits
from crmbridge.japanese.kanji import fold_places

_SECTION: Final = re.compile("大字|小字|(?<![文万阿十和分名数])字")
_STREETS: Final = re.compile(".{0,60}(?:上[るル]|下[るル]|東入[るル]?|西入[るル]?|入[るル])")


@attrs.frozen
class Town:
    """A town: its name in force, whether it has blocks (丁目), and how many characters of the text it took."""

    name: str
    blocks: bool
    length: int


@attrs.frozen
class Towns:
    """The towns of Japan, found by the beginning of what follows the municipality."""

    _known: Mapping[tuple[str, str], Mapping[str, tuple[str, bool]]] = attrs.field(repr=False)
    _longest: Mapping[tuple[str, str], int] = attrs.field(repr=False)

    @classmethod
    def read(cls, path: str | Path) -> Towns:
        """Reads the table that ``scripts/build_town_table.py`` wrote.

        Raises:
            ValueError: a line is not prefecture, municipality and towns between tabs.
        """
        with Path(path).open(encoding="utf-8") as lines:
            return cls.parse(lines)

    @classmethod
    def parse(cls, lines: Iterable[str]) -> Towns:
        """Reads lines of prefecture, municipality and towns between tabs; a town that has blocks ends in an asterisk.

        Raises:
            ValueError: a line has another shape.
        """
        known: dict[tuple[str, str], dict[str, tuple[str, bool]]] = {}
        for line in lines:
            prefecture, city, towns = line.rstrip("\n").split("\t")
            place = known.setdefault((prefecture, city), {})
            for town in towns.split(" "):
                name = town.removesuffix("*")
                place.setdefault(town_key(in_digits(name)), (name, town.endswith("*")))
        return cls(known, {place: max(map(len, towns)) for place, towns in known.items()})

    def find(self, prefecture: str, city: str, rest: str) -> Town | None:
        """The longest town of that municipality with which *rest* begins, its kanji numbers already in digits."""
        place = (prefecture, city)
        towns = self._known.get(place)
        if towns is None:
            return None
        found = self._at(towns, self._longest[place], rest, 0)
        if found is None and prefecture == "京都府" and (streets := _STREETS.match(rest)):
            found = self._at(towns, self._longest[place], rest, streets.end())
        return found

    def _at(self, towns: Mapping[str, tuple[str, bool]], longest: int, rest: str, start: int) -> Town | None:
        lead = _SECTION.match(rest, start)
        begin = lead.end() if lead else start
        folded = fold_places(rest[begin : begin + longest + 2])
        for length in range(len(folded), 0, -1):
            found = towns.get(_SECTION.sub("", folded[:length]))
            if found is not None and not _splits(folded, length, found[0]):
                name, blocks = found
                section = lead.group() if lead and not name.startswith(lead.group()) else ""
                return Town(section + name, blocks, begin + length)
        return None


def town_key(name: str) -> str:
    """The name of a town without 大字 and 字, its variants folded; kanji numbers are expected in digits."""
    return _SECTION.sub("", fold_places(name))


def _splits(text: str, at: int, name: str) -> bool:
    """Whether the town would end within a number, or with the 字 that begins the next part."""
    last, following = text[at - 1 : at], text[at : at + 1]
    return (last.isdigit() and following.isdigit()) or (last == "字" and not name.endswith("字"))
