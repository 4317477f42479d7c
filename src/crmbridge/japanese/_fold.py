"""What every key does first: one width, one case, nothing invisible.

The rules are Unicode's own: compatibility composition (UAX #15, NFKC) and full case folding. Three things come before
it. Spacing voicing marks are made combining ones, so that they join their kana. Variation selectors and other
characters without a glyph go, since they say how a character is drawn and not which it is. A lone surrogate, left by
a text cut in the middle of a character, goes too: no store can hold it.
"""

from __future__ import annotations

import re
from typing import Final
from unicodedata import combining, normalize

_CONTROLS: Final = "\x00-\x1f\x7f-\x9f"
_UNSEEN: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff"
    "\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# Unified kanji, kana, letters and digits, of full and half width, and hyphens: composition alone makes these plain.
IS_CLOSED: Final = re.compile(
    "[0-9A-Za-z\u3005-\u3007\u3041-\u3096\u30a1-\u30fa\u30fc\u4e00-\u9fff\uff01-\uff5d\uff66-\uff9f-]*"
).fullmatch
_ODD: Final = re.compile(f"[{_CONTROLS}{_UNSEEN}\u309b\u309c\u301c\uff5e]")
_CONTROL: Final = re.compile(f"[{_CONTROLS}\u2028\u2029]")
# CP932 and JIS tables disagree on which wave dash is meant, so both are the same sign.
_NAMED: Final = {"\u309b": "\u3099", "\u309c": "\u309a", "\u301c": "~", "\uff5e": "~"}
_MARKS: Final = 30  # UAX #15, stream-safe text: no real word has more marks in a row
_CALM: Final = 500  # below this length sorting marks costs nothing

TITLES: Final = ("様", "御中")
CJK: Final = (
    "\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3041-\u3096\u3099-\u30ff\u31f0-\u31ff"
    "\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
)
_GAP: Final = re.compile(f"(?<=[{CJK}]) | (?=[{CJK}])")


def compose(text: str) -> str:
    """Text in one width, without what cannot be seen, its case kept and its blanks collapsed."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    # Composition makes a blank of the wide one, too; but a text without it is mostly composed already, and soon left.
    text = text.replace("\u3000", " ")
    if _ODD.search(text):
        text = _ODD.sub(_plain, text)
    return " ".join(joined(text).split())


def fold(text: str) -> str:
    """Text in one width and one case, without what cannot be seen, its blanks collapsed to one."""
    text = compose(text)
    folded = text.casefold()
    if folded == text or text.isascii():
        return folded
    return " ".join(normalize("NFKC", folded).split())


def joined(text: str) -> str:
    """Text with every mark joined to the letter before it, as when something between the two was left out."""
    return normalize("NFKC", _few_marks(text) if len(text) > _CALM else text)


def squash(text: str) -> str:
    """The text without any blank."""
    return text.replace(" ", "")


def close_up(text: str) -> str:
    """Text without the blanks beside kanji, kana and hangul, where a blank separates nothing.

    Between Latin words it stays.
    """
    return _GAP.sub("", text) if " " in text else text


def without_title(text: str, titles: tuple[str, ...] = TITLES) -> str:
    """Text without the titles (様 and 御中) at its end; a text that is nothing else is left."""
    if not text.endswith(titles):
        return text
    end = len(text)
    while title := next((one for one in (*titles, " ") if text.endswith(one, 0, end)), ""):
        end -= len(title)
    return text[:end] or text


def _plain(odd: re.Match[str]) -> str:
    sign = odd.group()
    return _NAMED.get(sign) or (" " if _CONTROL.match(sign) else "")


def _few_marks(text: str) -> str:
    """Marks in one run beyond the thirtieth are dropped: putting them in order costs the square of their number."""
    kept: list[str] = []
    run = 0
    for sign in text:
        run = run + 1 if combining(sign) else 0
        if run <= _MARKS:
            kept.append(sign)
    return "".join(kept)
