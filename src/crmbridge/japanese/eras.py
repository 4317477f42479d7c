"""Days as registers, insurers and forms of public offices write them: by the era and its year.

The first days are those of the edicts: 大正元年7月30日, 昭和元年12月25日, 平成元年1月8日, 令和元年5月1日 (国立国会図書館, 日本の暦).
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Final
from unicodedata import normalize

import attrs

from crmbridge.japanese.codecs import Day
from crmbridge.japanese.numerals import kanji_number


@attrs.frozen
class _Era:
    name: str
    letter: str
    first_year: int
    first: dt.date
    last: dt.date


_ERAS: Final = (
    # 1872-12-31 was 明治5年12月2日 of the old calendar, and the next day 明治6年1月1日.
    _Era("明治", "M", 1868, dt.date(1873, 1, 1), dt.date(1912, 7, 30)),
    _Era("大正", "T", 1912, dt.date(1912, 7, 30), dt.date(1926, 12, 25)),
    _Era("昭和", "S", 1926, dt.date(1926, 12, 25), dt.date(1989, 1, 7)),
    _Era("平成", "H", 1989, dt.date(1989, 1, 8), dt.date(2019, 4, 30)),
    _Era("令和", "R", 2019, dt.date(2019, 5, 1), dt.date.max),
)
_CALLED: Final = {called: era for era in _ERAS for called in (era.name, era.name[0], era.letter)}

_ERA: Final = f"({'|'.join(_CALLED)})"
_NUMBER: Final = "([0-9]{1,2}|[〇零一二三四五六七八九十]{1,3})"
_YEAR: Final = f"(元|{_NUMBER[1:-1]})"
_FORMS: Final = tuple(
    re.compile(form)
    for form in (
        f"{_ERA}{_YEAR}年{_NUMBER}月{_NUMBER}日",
        f"{_ERA}{_YEAR}[-./・]{_NUMBER}[-./・]{_NUMBER}",
        f"{_ERA}([0-9]{{2}})([0-9]{{2}})([0-9]{{2}})",
    )
)
_BLANKS: Final = re.compile(r"\s+")
_LONGEST: Final = 40


@attrs.frozen
class EraDay:
    """Days by their era: `令和8年4月1日`, or with *letter* `R08.04.01` as JIS X 0301 has it.

    Domain: days from 1873-01-01 (明治6年), since when Japan's months are those of everybody.
    """

    letter: bool = False

    def encode(self, value: object) -> str:
        """The day by the era that began last; the first year is 元年, or 01 behind a letter.

        Raises:
            ValueError: it is no day (a moment is none: which day it falls on depends on the zone), or one before 1873.
        """
        day = value if isinstance(value, dt.date) and not isinstance(value, dt.datetime) else None
        if day is None:
            raise ValueError("only a day has an era")
        era = next((era for era in reversed(_ERAS) if day >= era.first), None)
        if era is None:
            raise ValueError("a day before 1873 is of another calendar")
        year = day.year - era.first_year + 1
        if self.letter:
            return f"{era.letter}{year:02}.{day.month:02}.{day.day:02}"
        return f"{era.name}{'元' if year == 1 else year}年{day.month}月{day.day}日"

    def decode(self, value: object) -> dt.date:
        """The day that was written, in kanji or by a letter, in digits of any width or in kanji numerals.

        A day without an era is read as `Day` reads it. The days on which 大正 and 昭和 began are known by the older era, too.

        Raises:
            ValueError: it is no day, its era had no such day, or it is one before 1873.
        """
        if not isinstance(value, str) or len(value) > _LONGEST:
            raise ValueError("a day is an era and its year, then month and day")
        text = _BLANKS.sub("", normalize("NFKC", value)).upper()
        found = next((parts for form in _FORMS if (parts := form.fullmatch(text))), None)
        if found is None:
            return Day().decode(value)
        era, year, month, day = _CALLED[found[1]], *map(_number, found.groups()[1:])
        named = dt.date(era.first_year + year - 1, month, day)
        if not era.first <= named <= era.last:
            raise ValueError("the era had no such day, or it is one of the calendar before 1873")
        return named


def _number(text: str | None) -> int:
    if text == "元":
        return 1
    return int(text) if text and text.isdecimal() else kanji_number(text or "") or 0
