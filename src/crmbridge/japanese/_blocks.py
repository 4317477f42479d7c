"""The numbers of an address: where they begin, what they are, and what stands behind them."""

from __future__ import annotations

import re
from typing import Final

import attrs

from crmbridge.japanese.numerals import NUMERALS, in_kanji, kanji_number

_COUNTER: Final = (
    f"丁目|丁(?=[0-9{NUMERALS}])|番地|番(?=[0-9{NUMERALS}号のノ-]|$)|号(?!線)|条|線|地割|[-のノ](?=[0-9{NUMERALS}])"
)
# 麻布十番 is a town, and whatever counts blocks (十番2丁目) is no number of its own.
_COUNTED: Final = re.compile(
    f"(?<![{NUMERALS}])(?<!麻布)[{NUMERALS}]{{1,8}}(?={_COUNTER})(?!番[0-9{NUMERALS}]{{1,3}}丁目)"
)
_FOLLOWING: Final = re.compile(f"(?:(?<=[目番地号-])|(?<=[番地号][のノ]))[{NUMERALS}]{{1,8}}(?![{NUMERALS}]|番[町丁])")
_HAS_NUMERAL: Final = re.compile(f"[{NUMERALS}]")

_DIGITS: Final = re.compile("(?<![0-9])[0-9]{1,8}(?![0-9])")
_START: Final = re.compile(
    "[0-9]{1,8}(?:丁目|丁(?=[0-9])|番地|番(?![町丁通館街組外内線川沢堀江割])|号(?!線)|[-のノ](?=[0-9])|(?=[ (]|$))"
)
_NAME_GOES_ON: Final = re.compile("[0-9]{1,8}(?:条|線|地割|区|組)")
_STEP: Final = re.compile("(?:丁目|丁|番地|番|号|[-のノ]){1,3}([0-9]{1,8})(?![0-9]|階|[fF](?![a-zA-Z]))")
_END: Final = re.compile("(?:丁目|丁|番地|番(?![館街])|号)?(?:室)?")
_LETTER: Final = re.compile("-?([A-EG-Za-eg-z])(?=$| )|-([A-EG-Za-eg-z])(?![A-Za-z0-9棟館])")
_BLOCK: Final = re.compile("丁目|丁(?![目])")
_PLACE_WITHIN: Final = re.compile("大?字|[甲乙丙丁](?=[0-9])")
_BOX: Final = re.compile("[(]([^()]{0,60}私書箱[^()]{0,40})[)]|([^() 0-9]{0,20}私書[箱函](?:第)?[0-9]{0,6}号?)")
_WRITTEN: Final = re.compile("[0-9]{1,4}")


@attrs.frozen
class Blocks:
    """What follows the municipality: town, block unit (丁目, 丁 or none), numbers, building, and post-office box."""

    town: str
    unit: str
    numbers: tuple[str, ...]
    building: str
    box: str


def in_digits(text: str) -> str:
    """Text with the kanji numbers that count something (一丁目, 二番地, 北三条) in digits; other numerals, as in 六本木, stay."""
    if not _HAS_NUMERAL.search(text):
        return text
    return _FOLLOWING.sub(_digits, _COUNTED.sub(_digits, text))


def in_numerals(text: str) -> str:
    """Text with its numbers in kanji, as the names of towns and blocks are written."""
    return _WRITTEN.sub(lambda number: in_kanji(int(number.group())) if int(number.group()) else number.group(), text)


def read_blocks(text: str) -> Blocks:
    """Reads what follows the municipality, dashes and kanji numbers already made plain."""
    box = _BOX.search(text)
    boxed = ""
    if box is not None:
        boxed = box.group(1) or box.group(2)
        text = f"{text[: box.start()]} {text[box.end() :]}".strip(" ")
    start = _start(text, 0)
    if start < 0:
        return Blocks(text, "", (), "", boxed)
    unit, numbers, end = _numbers(text, start)
    while unit and len(numbers) == 1 and _PLACE_WITHIN.match(text, end):
        further = _start(text, end)
        if further < 0:
            break
        start = further
        unit, numbers, end = _numbers(text, start)
    building = text[end:].strip(" -,、")
    return Blocks(text[:start].strip(" -"), unit, numbers, building, boxed)


def _start(text: str, at: int) -> int:
    """Where the numbers begin.

    At a number that is counted or ends the text, else at the first that is no part of a name.
    """
    loose = -1
    for digits in _DIGITS.finditer(text, at):
        if _START.match(text, digits.start()):
            return digits.start()
        if loose < 0 and not _NAME_GOES_ON.match(text, digits.start()):
            loose = digits.start()
    return loose


def _numbers(text: str, start: int) -> tuple[str, tuple[str, ...], int]:
    """The unit of the first number, all numbers in a row, and where they end."""
    first = _DIGITS.match(text, start)
    end = first.end() if first else start
    unit = _BLOCK.match(text, end)
    numbers = [_number(text[start:end])]
    while step := _STEP.match(text, end):
        numbers.append(_number(step.group(1)))
        end = step.end()
    letter = _LETTER.match(text, end)
    if letter is not None:
        numbers.append(letter.group(1) or letter.group(2))
        end = letter.end()
    elif tail := _END.match(text, end):
        end = tail.end()
    return unit.group() if unit else "", tuple(numbers), end


def _number(digits: str) -> str:
    return digits.lstrip("0") or "0"


def _digits(numerals: re.Match[str]) -> str:
    number = kanji_number(numerals.group())
    return numerals.group() if number is None else str(number)
