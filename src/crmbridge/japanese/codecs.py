"""The forms that targets ask for: kana, dates, numeric date-times, joined names.

A codec writes a value in a target's form and reads it back: ``decode(encode(x)) == x`` for every value of the domain
that its docstring states. Unlike a key, what it writes is meant to be sent.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Final
from unicodedata import normalize

import attrs

from crmbridge.japanese.kana import hiragana, katakana
from crmbridge.japanese.person import PersonName

JST: Final = dt.timezone(dt.timedelta(hours=9), "JST")
"""The time of Japan, which has no summer time."""

_HALF: Final = re.compile("[\uff61-\uff9f]+")
_TO_HALF: Final = {ord(normalize("NFKC", half)): half for half in map(chr, range(0xFF61, 0xFF9E))} | {
    0x3099: "\uff9e",
    0x309A: "\uff9f",
}
_FULL: Final = re.compile("[\u3001\u3002\u300c\u300d\u30a1-\u30fa\u30fb\u30fc]+")
_LETTERS: Final = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)} | {" ": "\u3000"})
_TO_LETTERS: Final = str.maketrans({chr(code + 0xFEE0): chr(code) for code in range(0x21, 0x7F)} | {"\u3000": " "})
_NUMERIC: Final = re.compile("[0-9]{14}")
_LONGEST_DAY: Final = 20
_PARTS: Final = re.compile(
    "([0-9]{4})(?:[-/.年]([0-9]{1,2})(?:[-/.月]([0-9]{1,2})日?)?)?[年月]?|([0-9]{4})([0-9]{2})([0-9]{2})"
)


@attrs.frozen
class Hiragana:
    """Readings that the target keeps in hiragana and the other side in katakana.

    Domain: text without hiragana and ヽ ヾ.
    """

    def encode(self, value: str) -> str:
        """The reading in hiragana."""
        return hiragana(value)

    def decode(self, value: str) -> str:
        """The reading in katakana."""
        return katakana(value)


@attrs.frozen
class Katakana:
    """Readings that the target keeps in katakana and the other side in hiragana.

    Domain: text without katakana that hiragana has.
    """

    def encode(self, value: str) -> str:
        """The reading in katakana."""
        return katakana(value)

    def decode(self, value: str) -> str:
        """The reading in hiragana."""
        return hiragana(value)


@attrs.frozen
class HalfWidthKana:
    """Readings in half-width katakana, as banks take them.

    Domain: composed text whose katakana have a half width (not ヮ ヰ ヱ ヵ ヶ), none of it half already.
    """

    def encode(self, value: str) -> str:
        """The text with its katakana in half width, voicing marks apart."""
        return _FULL.sub(lambda run: normalize("NFD", run.group()).translate(_TO_HALF), value)

    def decode(self, value: str) -> str:
        """The text with half-width katakana in full width, voicing marks joined."""
        return _HALF.sub(lambda run: normalize("NFKC", run.group()), value)


@attrs.frozen
class FullWidth:
    """Letters, digits and signs in full width, as some ledgers take them.

    Domain: text without full-width forms of ASCII and without U+3000.
    """

    def encode(self, value: str) -> str:
        """The text with ASCII in full width."""
        return value.translate(_LETTERS)

    def decode(self, value: str) -> str:
        """The text with full-width ASCII in half width."""
        return value.translate(_TO_LETTERS)


@attrs.frozen
class Day:
    """Days as text with *between* as separator.

    ``-`` for eセールスマネージャー Remix, ``/`` for esm, nothing for eight digits; domain: days of four-digit years.
    """

    between: str = "-"

    def encode(self, value: object) -> str:
        """The day, year first, months and days with two digits.

        Raises:
            ValueError: it is no day.
        """
        if isinstance(value, dt.date):
            return self.between.join((f"{value.year:04}", f"{value.month:02}", f"{value.day:02}"))
        raise ValueError("only a day is written as one")

    def decode(self, value: object) -> dt.date:
        """The day that was written, with any usual separator; a missing month or day is the first.

        Raises:
            ValueError: it is no day; one with an era is for `crmbridge.japanese.eras.EraDay`.
        """
        text = value.strip() if isinstance(value, str) else ""
        # Putting marks in order costs the square of their number, and no day has any.
        parts = _PARTS.fullmatch(normalize("NFKC", text).strip()) if len(text) <= _LONGEST_DAY else None
        if parts is None:
            raise ValueError("a day is a year, then month and day")
        year, month, day = parts.group(4, 5, 6) if parts.group(4) else parts.group(1, 2, 3)
        # Vendor: the Remix REST reference fills a missing month or day with 01.
        return dt.date(int(year), int(month or 1), int(day or 1))


@attrs.frozen
class NumericMoment:
    """Moments as the number yyyymmddhhmmss in Japan's time.

    Domain: moments to the second, of four-digit years from 1000.

    Fourteen digits exceed 32 bits and fit a double and the esm type NUMBER, so the number is sent whole, without
    separators.
    """

    def encode(self, value: dt.datetime) -> int:
        """The moment as a number, after conversion to Japan's time.

        Raises:
            ValueError: the moment has no time zone, so that nobody knows when it is.
        """
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be placed in Japan's time")
        return int(value.astimezone(JST).strftime("%Y%m%d%H%M%S"))

    def decode(self, value: int | str) -> dt.datetime:
        """The moment in Japan's time.

        Raises:
            ValueError: the number is not fourteen digits of a real moment.
        """
        digits = str(value)
        if not _NUMERIC.fullmatch(digits):
            raise ValueError("a numeric moment is fourteen digits, yyyymmddhhmmss")
        return dt.datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=JST)


@attrs.frozen
class OffsetMoment:
    """Moments as ISO text with Japan's offset, seconds and no fraction; domain: moments to the second.

    Vendor: eセールスマネージャー Remix reads a moment without an offset as UTC, so the offset is always written.
    """

    def encode(self, value: dt.datetime) -> str:
        """The moment as yyyy-MM-ddThh:mm:ss+09:00.

        Raises:
            ValueError: the moment has no time zone.
        """
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be placed in Japan's time")
        return value.astimezone(JST).isoformat(timespec="seconds")

    def decode(self, value: str) -> dt.datetime:
        """The moment in Japan's time; text without an offset is UTC.

        Raises:
            ValueError: it is no moment.
        """
        moment = dt.datetime.fromisoformat(value)
        return (moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment).astimezone(JST)


@attrs.frozen
class JoinedName:
    """Full names in one column, family name first.

    Domain: parts without *blank* in them, a given name only after a family name.
    """

    blank: str = "\u3000"

    def encode(self, value: PersonName) -> str:
        """Both parts with the blank between them, or the one that is filled."""
        return value.joined(self.blank)

    def decode(self, value: str) -> PersonName:
        """The parts before and after the first blank."""
        family, _, given = value.partition(self.blank)
        return PersonName(family, given)
