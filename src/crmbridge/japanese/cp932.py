"""What a file in Japan's Windows encoding cannot hold."""

from __future__ import annotations

from typing import Final

import attrs

from crmbridge.japanese.kanji import kanji_key

# Signs that exist in the encoding under another code point:
# Windows reads JIS 0x2141, 0x2142, 0x215D, 0x2171, 0x2172, 0x224C so.
_WINDOWS: Final = {
    "\u301c": "\uff5e",
    "\u2016": "\u2225",
    "\u2212": "\uff0d",
    "\u00a2": "\uffe0",
    "\u00a3": "\uffe1",
    "\u00ac": "\uffe2",
    "\u2014": "\u2015",
    "\u2010": "\uff0d",
    "\u2011": "\uff0d",
    "\u2013": "\uff0d",
    "\u00a0": " ",
    "\u00a5": "\uffe5",
}


@attrs.frozen
class Unwritable:
    """One character that CP932 cannot hold.

    Where it stands, what it is, and what could be written instead, or nothing.
    """

    at: int
    character: str = attrs.field(repr=False)
    instead: str = attrs.field(repr=False)


def cp932_report(text: str) -> tuple[Unwritable, ...]:
    """Names every character that a CP932 (Shift_JIS of Windows) file cannot hold, with a substitute where there is one.

    Positions count characters from 0. A substitute is the same sign under the code point that Windows uses, or the
    usual form of a variant kanji; it is a proposal for a person and is never applied here.
    """
    if _writable(text):
        return ()
    return tuple(Unwritable(at, sign, _instead(sign)) for at, sign in enumerate(text) if not _writable(sign))


def _writable(text: str) -> bool:
    """Whether a file gives back what was written: the codec writes a wave dash, but reads another sign."""
    try:
        return text.encode("cp932").decode("cp932") == text
    except UnicodeEncodeError:
        return False


def _instead(sign: str) -> str:
    other = _WINDOWS.get(sign) or kanji_key(sign)
    return other if other != sign and _writable(other) else ""
