"""Telephone numbers, with Japan as home."""

from __future__ import annotations

import re
from typing import Final
from unicodedata import normalize

import attrs

from crmbridge.japanese._dashes import HYPHENS, number_dashes
from crmbridge.japanese._fold import fold

_GAP: Final = f"[{HYPHENS}\u30fc. ]?"
_SHOWN: Final = re.compile("[+(]{0,2}[0-9][0-9().+/ -]*")
_EXTENSION: Final = re.compile("(?:内線|(?<![a-z])ext(?:ension)?|(?<![a-z])x|#)[ .:)]?(?:番号)?[ .:]?([0-9-]{1,12})")
_HOME: Final = re.compile(r"\(?(?:\+|00|010[ -]?)81\)?[ .-]?(?:\(0\)|0)?")
_ABROAD: Final = re.compile(r"\(?(?:\+|00(?=[1-9])|010[ -]?(?=[1-9]))")
_GROUP: Final = re.compile("[0-9]+")
_usual: Final = re.compile(
    f"(?:[Tt][Ee][Ll][.: ]?)?(?:\\+81{_GAP}(?:\\(0\\))?|\\(?0(?!10))"
    f"([1-9][0-9]{{0,3}})\\)?{_GAP}([0-9]{{1,4}})\\)?{_GAP}([0-9]{{4}})"
    "(?: ?(?:[(]?代表?[)]?|内線 ?[0-9]{1,5}))?"
).fullmatch
"""What nearly every number is, with nothing else in it to look for; dashes are any that `number_dashes` knows."""
_LONG_PREFIXES: Final = ("020", "050", "060", "070", "080", "090")  # eleven digits; 0800 among them
_SHORT, _LONG, _ENOUGH = 10, 11, 9
_MOST: Final = 30


@attrs.frozen
class Phone:
    """A telephone number apart.

    Its comparable digits, its extension, and whether it was said to be the main line (代表).
    """

    number: str = attrs.field(repr=False)
    extension: str = attrs.field(default="", repr=False)
    main: bool = False


def phone_key(text: str) -> str:
    """Compares two telephone numbers whatever their width, signs and way of saying Japan.

    At home it is the digits with their leading zero; +81, 0081, 010-81 and a zero in brackets after them are that
    zero. Abroad it is a plus and the digits. Extension, 代表 and what follows a complete number (a second number,
    5678/5679) are left out; one digit again and again is a placeholder and gives nothing. A number without its zero
    is kept as it is: a zero that a spreadsheet ate is not guessed.
    """
    if len(text) <= _MOST:
        usual = _usual(text if text.isascii() else normalize("NFKC", text))
        if usual:
            digits = "0" + "".join(usual.groups())
            if len(digits) == (_LONG if digits.startswith(_LONG_PREFIXES) else _SHORT):
                return digits
    return _number(_tidy(text))


def split_phone(text: str) -> Phone:
    """Splits a telephone number from its extension and from the note that it is the main line."""
    tidy = _tidy(text)
    number = _number(tidy)
    extension = _EXTENSION.search(tidy)
    return Phone(
        number, extension.group(1).replace("-", "") if extension and number else "", "代" in tidy and bool(number)
    )


def _tidy(text: str) -> str:
    return fold(text) if text.isascii() else number_dashes(fold(text))


def _number(tidy: str) -> str:
    found = _SHOWN.search(tidy)
    if found is None or _placed_after_extension(tidy, found.start()):
        return ""
    shown = found.group()
    home = _HOME.match(shown)
    if home is None and (abroad := _ABROAD.match(shown)) is not None:
        digits = "".join(_GROUP.findall(shown[abroad.end() :]))
        return f"+{digits[:_MOST]}" if digits else ""
    digits = _first(shown if home is None else "0" + shown[home.end() :])
    return digits if len(set(digits)) > 1 else ""


def _placed_after_extension(tidy: str, start: int) -> bool:
    extension = _EXTENSION.search(tidy, 0, start + 12)
    return extension is not None and extension.start(1) == start


def _first(shown: str) -> str:
    """The digits of the first number shown: groups are taken until it is complete."""
    digits, slash = "", shown.find("/") % (len(shown) + 1)
    for group in _GROUP.finditer(shown):
        full = _LONG if digits.startswith(_LONG_PREFIXES) else _SHORT
        if digits.startswith("0") and len(digits) >= full:
            break
        if len(digits) >= _ENOUGH and slash < group.start():
            break
        digits += group.group()
    return digits
