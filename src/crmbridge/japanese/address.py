"""Addresses in Japan."""

from __future__ import annotations

import re
from typing import Final
from unicodedata import normalize

import attrs

from crmbridge.japanese._blocks import in_digits, in_numerals, read_blocks
from crmbridge.japanese._dashes import hyphens
from crmbridge.japanese._edition import edition
from crmbridge.japanese._fold import IS_CLOSED, close_up, compose, squash
from crmbridge.japanese.cities import gazetteer
from crmbridge.japanese.kanji import fold_places
from crmbridge.japanese.numerals import NUMERALS
from crmbridge.japanese.towns import Towns, town_key

_POSTAL: Final = re.compile("(?:〒 ?)?[0-9]{3}-[0-9]{4}(?![0-9-]) ?|〒 ?[0-9]{7} ?")
_DRAWN: Final = re.compile(f"(?<=[0-9A-Za-z{NUMERALS}])[ー~]+|(?<![ァ-ヺー])ー+(?=[0-9])")
_AROUND: Final = re.compile(" ?-[- ]*")
_BEFORE: Final = " -,、"
_WAY: Final = re.compile("(?<=[上下入])ル|(?<=[上下])(?:が|ガ)[るル]")
_FLOOR: Final = re.compile("(?<=[0-9])f(?![a-z0-9])")
_BASEMENT: Final = re.compile("地下(?=[0-9]{1,2}階)")
_PASSES: Final = 4
_MOST_BLOCKS: Final = 45
_USUAL_BLOCKS: Final = 12
_LONGEST_PLACE: Final = 40


@attrs.frozen
class Place:
    """The beginning of an address, and all that follows it in one line, with its blanks between Latin words only."""

    prefecture: str = ""
    city: str = ""
    rest: str = attrs.field(default="", repr=False)


@attrs.frozen
class Address:
    """An address apart; the town holds its block in kanji (奈佐原二丁目), the number is the rest with hyphens (1-2)."""

    prefecture: str = ""
    city: str = ""
    town: str = attrs.field(default="", repr=False)
    number: str = attrs.field(default="", repr=False)
    building: str = attrs.field(default="", repr=False)
    box: str = attrs.field(default="", repr=False)


def split_city(text: str) -> Place:
    """Splits an address into prefecture, municipality and the rest, for targets that have three fields for it.

    Prefecture and municipality come from a table of all of Japan; a missing county is filled, a missing prefecture
    where the municipality's name is unique, and the name in force stands for a former one. A postal code in front is
    left out. The rest keeps its spelling, in one width and with one dash.
    """
    places = gazetteer()
    # Most addresses begin as the table is written: then only the rest has to be made plain.
    if ends := places.begin(text):
        prefecture, city = ends
        rest = text[city:]
        rest = normalize("NFKC", rest) if IS_CLOSED(rest) else close_up(hyphens(compose(rest)))
        return Place(text[:prefecture], text[prefecture:city], rest.lstrip(_BEFORE))
    shown = hyphens(compose(text))
    postal = _POSTAL.match(shown)
    shown = close_up(shown[postal.end() :] if postal else shown)
    found = places.find(fold_places(shown[:_LONGEST_PLACE]))
    return Place(found.prefecture, found.city, shown[found.length :].lstrip(_BEFORE))


def split_address(text: str, towns: Towns | None = None) -> Address:
    """Splits an address into prefecture, municipality, town with block, number, building and post-office box.

    Prefecture and municipality come from a table of all of Japan; a missing county is filled, a missing prefecture
    where the municipality's name is unique. Without *towns* the town is what stands before the numbers, and a block
    is known only where 丁目 is written; with them 平田1-8-20 is 平田一丁目 and 8-20, and the town has its name in force. A
    postal code in front is left out.
    """
    place, rest = _place(text)
    rest = in_digits(rest)
    town = towns.find(place.prefecture, place.city, rest) if towns else None
    blocks = read_blocks(rest[town.length :] if town else rest)
    name, numbers, unit = in_numerals(blocks.town), blocks.numbers, blocks.unit
    if town is not None:
        name = town.name + name
        if town.blocks and not unit and not blocks.town and _counts_blocks(numbers):
            unit = "丁目"
    if unit and numbers:
        name, numbers = name + in_numerals(numbers[0]) + unit, numbers[1:]
    return Address(place.prefecture, place.city, name, "-".join(numbers), blocks.building, blocks.box)


@edition(2)
def address_key(text: str, *, building: bool = False) -> str:
    """Compares two addresses whatever their width, their way of counting and how much of the prefecture they name.

    丁目, 番地, 号 and の are hyphens, kanji numbers that count are digits, 大字 and 字 go, ヶ ケ が and ノ の 之 are one, variant
    kanji are folded, and prefecture and county are filled as in `split_address`. In Kyoto 下ル is 下る. The building and a post-office box
    are apart and no part of the key, unless *building* is on, or there is no number below the block to tell
    neighbours apart (北一条西4丁目 in Sapporo). 1-2-3 is never 12-3.
    """
    key = _key(text, building=building)
    for _ in range(_PASSES):
        again = _key(key, building=building)
        if again == key:
            return key
        key = again
    return squash(fold_places(compose(text).casefold()))


@edition(2)
def place_key(text: str) -> str:
    """Compares two addresses with their building, floor, room and post-office box, for merging without review.

    3F is 3階, and B1F 地下1階.
    """
    return address_key(text, building=True)


def _key(text: str, *, building: bool) -> str:
    place, rest = _place(text)
    blocks = read_blocks(in_digits(rest))
    town = town_key(squash(_kyoto(blocks.town) if "京都市" in place.city else blocks.town)).casefold()
    number = "-".join(blocks.numbers).casefold()
    behind = _floors(squash(fold_places(blocks.building)).casefold())
    if not blocks.numbers:
        number = squash(fold_places(blocks.box)).casefold()
    elif blocks.unit and len(blocks.numbers) == 1 and behind:
        number, building = number + "丁目", True
    key = place.prefecture + place.city + town + number
    if not building:
        return key
    box = squash(fold_places(blocks.box)).casefold() if blocks.numbers else ""
    return key + _divided(number, behind) + (f"({box})" if box else "")


def _kyoto(town: str) -> str:
    """The way to a house of Kyoto (四条通烏丸下ル) with the ends of its words in hiragana."""
    return _WAY.sub("る", town)


def _floors(building: str) -> str:
    """A building with its floors by one sign, 3f as 3階 and 地下1階 as b1階."""
    return _BASEMENT.sub("b", _FLOOR.sub("階", building))


def _counts_blocks(numbers: tuple[str, ...]) -> bool:
    """Whether the first of several numbers can be a block.

    Blocks go far up only in the grids of Hokkaido, whose addresses have three numbers.
    """
    return len(numbers) > 1 and int(numbers[0]) <= (_MOST_BLOCKS if len(numbers) > 2 else _USUAL_BLOCKS)


def _divided(number: str, behind: str) -> str:
    return f" {behind}" if behind and number else behind


def _place(text: str) -> tuple[Place, str]:
    """The place with which an address begins, and the rest with hyphens where its numbers are joined."""
    place = split_city(text)
    rest = place.rest
    if "ー" in rest or "~" in rest:
        rest = _DRAWN.sub("-", rest)
    if "-" in rest:
        rest = _AROUND.sub("-", rest)
    return place, rest.lstrip(_BEFORE)
