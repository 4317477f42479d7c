"""Which prefecture and municipality an address begins with."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping
from typing import Final

import attrs

from crmbridge.japanese._city_table import TABLE, TWINS
from crmbridge.japanese.kanji import fold_places

_SHORTEST: Final = 2
_TWIN: Final = 3


@attrs.frozen
class Found:
    """The beginning of an address: prefecture, municipality, and how many characters they took."""

    prefecture: str
    city: str
    length: int


@attrs.frozen
class Plain:
    """Municipalities of one prefecture with which no other name begins: where in a text, and in which lengths."""

    start: int
    cities: frozenset[str]
    lengths: tuple[int, ...]


@attrs.frozen
class Gazetteer:
    """Municipalities by their folded name, in one prefecture and, where a name is unique, in all of Japan.

    And the towns of those that share one, and the municipalities that are known by their own name as soon as it ends.
    """

    within: Mapping[str, Mapping[str, str]]
    anywhere: Mapping[str, tuple[str, str]]
    short: Mapping[str, str]
    twins: Mapping[str, Mapping[str, str]]
    longest: int
    plain: Mapping[str, Plain]

    def begin(self, text: str) -> tuple[int, int] | None:
        """Where prefecture and municipality end in a text that nobody folded and that is written as in the table.

        `find` says the same of the folded text; of any other text nothing is said here.
        """
        known = self.plain.get(text[:3]) or self.plain.get(text[:4])
        if known is None:
            return None
        for length in known.lengths:
            if text[known.start : known.start + length] in known.cities:
                return known.start, known.start + length
        return None

    def find(self, folded: str) -> Found:
        """The longest place with which the folded text begins.

        A missing prefecture is filled only where the municipality's name is unique.
        """
        prefecture = self._prefecture(folded)
        if prefecture:
            city, end = self._city(folded, len(prefecture), self.within[prefecture])
            return Found(prefecture, city, end)
        for length in (2, 3):
            prefecture = self.short.get(folded[:length], "")
            if prefecture:
                city, end = self._city(folded, length, self.within[prefecture])
                if city:
                    return Found(prefecture, city, end)
        for end in range(min(self.longest, len(folded)), _SHORTEST - 1, -1):
            found = self.anywhere.get(folded[:end])
            if found is not None:
                return Found(*found, end)
        return self._twin(folded)

    def _twin(self, folded: str) -> Found:
        """One of two cities of one name, told by the town that follows.

        Without such a town the prefecture stays open.
        """
        city = folded[:_TWIN]
        towns = self.twins.get(city)
        if towns is None:
            return Found("", "", 0)
        for end in range(len(folded), _TWIN, -1):
            prefecture = towns.get(folded[_TWIN:end])
            if prefecture:
                return Found(prefecture, city, _TWIN)
        return Found("", city, _TWIN)

    def _prefecture(self, folded: str) -> str:
        for length in (3, 4):
            if folded[:length] in self.within:
                return folded[:length]
        return ""

    def _city(self, folded: str, start: int, known: Mapping[str, str]) -> tuple[str, int]:
        for end in range(min(start + self.longest, len(folded)), start + _SHORTEST - 1, -1):
            city = known.get(folded[start:end])
            if city is not None:
                return city, end
        return "", start


@functools.cache
def gazetteer() -> Gazetteer:
    """The municipalities of Japan as they were in October 2026, read when first needed."""
    within: dict[str, dict[str, str]] = {}
    known: dict[str, str] = {}
    for word in TABLE.split():
        if word.endswith(":"):
            known = within.setdefault(word[:-1], {})
            continue
        name, _, now = word.partition("=")
        known[fold_places(name)] = now or name
    for known in within.values():
        known |= {name: city for name, city in _shortened(known).items() if name not in known}
    named = Counter(name for known in within.values() for name in known)
    wards = {ward for known in within.values() for ward in map(_ward, known) if ward}
    return Gazetteer(
        within=within,
        anywhere={
            name: (prefecture, city)
            for prefecture, known in within.items()
            for name, city in known.items()
            if named[name] == 1 and name not in wards
        },
        short={prefecture[:-1]: prefecture for prefecture in within if prefecture != "北海道"},
        twins=_twins(),
        longest=max(len(name) for known in within.values() for name in known),
        plain={prefecture: _plain(prefecture, known) for prefecture, known in within.items()},
    )


def _plain(prefecture: str, known: Mapping[str, str]) -> Plain:
    """Names in force that are the beginning of no other name, however that is written."""
    longer = {name[:end] for name in known for end in range(1, len(name))}
    cities = frozenset(
        city for name, city in known.items() if name not in longer and known.get(fold_places(city)) == city
    )
    usual_first = Counter(map(len, cities)).most_common()
    return Plain(len(prefecture), cities, tuple(length for length, _ in usual_first))


def _twins() -> dict[str, dict[str, str]]:
    twins: dict[str, dict[str, str]] = {}
    for line in TWINS.strip().splitlines():
        prefecture, city, towns = line.split(maxsplit=2)
        twins.setdefault(city, {}).update(dict.fromkeys(map(fold_places, towns.split()), prefecture))
    return twins


def _shortened(known: Mapping[str, str]) -> dict[str, str]:
    """Names as people shorten them.

    Without the county where that leaves one place, and a designated city without its ward.
    """
    bare = Counter(_without_county(name) for name in known)
    shorter = {_without_county(name): city for name, city in known.items() if bare[_without_county(name)] == 1}
    cities = {name[: name.index("市") + 1]: city[: city.index("市") + 1] for name, city in known.items() if _ward(name)}
    return shorter | cities


def _without_county(name: str) -> str:
    county, sign, rest = name.partition("郡")
    return rest if sign and county and len(rest) >= _SHORTEST else name


def _ward(name: str) -> str:
    """The ward in the name of a designated city's ward (札幌市中央区), or nothing."""
    city, sign, ward = name.partition("市")
    return ward if sign and city and ward.endswith("区") else ""
