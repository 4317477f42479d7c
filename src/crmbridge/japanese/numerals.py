"""Numbers in kanji, there and back."""

from __future__ import annotations

from typing import Final

NUMERALS: Final = "〇零一二三四五六七八九十百千"
_DIGITS: Final = {"〇": 0, "零": 0, **{sign: value for value, sign in enumerate("一二三四五六七八九", start=1)}}
_UNITS: Final = {"十": 10, "百": 100, "千": 1000}
_HIGHEST: Final = 9999
_LONGEST: Final = 8


def kanji_number(text: str) -> int | None:
    """The number that up to eight kanji numerals write, by value (二十三) or by place (二三), or nothing."""
    if not text or len(text) > _LONGEST:
        return None
    if all(sign in _DIGITS for sign in text):
        return int("".join(str(_DIGITS[sign]) for sign in text))
    total, digit, last = 0, 0, _HIGHEST + 1
    for sign in text:
        unit = _UNITS.get(sign)
        if unit is None:
            if digit or sign not in _DIGITS:
                return None
            digit = _DIGITS[sign]
            continue
        if unit >= last:
            return None
        total, digit, last = total + (digit or 1) * unit, 0, unit
    return total + digit


def in_kanji(number: int) -> str:
    """A number from 1 to 9,999 in kanji by value, as the names of town blocks are written (二十三丁目).

    Raises:
        ValueError: the number is outside that range.
    """
    if not 0 < number <= _HIGHEST:
        msg = "only numbers from 1 to 9,999 are written in kanji here"
        raise ValueError(msg)
    written: list[str] = []
    for unit, sign in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, unit)
        if digit:
            written.append(("" if digit == 1 and sign else "一二三四五六七八九"[digit - 1]) + sign)
    return "".join(written)
