"""Texts of strangers: decoded by the charset that they name, never by a guess, and never quoted in an error."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping

from ._json import Flaw

_NAMED = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.ASCII | re.IGNORECASE)

_CHARSETS: Mapping[str, str] = {
    "ascii": "ascii",
    "iso8859-1": "cp1252",
    "cp1252": "cp1252",
    # Vendor: what Japanese systems call Shift_JIS is Microsoft's code page 932.
    "shift_jis": "cp932",
    "cp932": "cp932",
    "euc_jp": "euc_jp",
    "iso2022_jp": "iso2022_jp",
    "utf-16": "utf-16",
    "utf-16-be": "utf-16-be",
    "utf-16-le": "utf-16-le",
    "utf-8": "utf-8",
    "utf-8-sig": "utf-8",
}
"""Charsets that are believed; some of Python's others are slow on hostile input or no charsets at all."""

_ALIASES: Mapping[str, str] = {
    # Vendor: the registered names of code page 932, and that of old browsers, which Python 3.11 does not know.
    "windows-31j": "cp932",
    "cswindows31j": "cp932",
    "x-sjis": "cp932",
    "x-ms-cp932": "cp932",
}
"""Names that Python lacks; eucJP-ms and CP51932 are not among them, since no codec of Python reads these rightly."""


def named(kind: str) -> str:
    """Give the charset that a media type names, as it is written there; empty where it names none."""
    found = _NAMED.search(kind)
    return found[1] if found else ""


def codec(charset: str) -> str | None:
    """Tell by which of Python's codecs a charset is read; None where it is not known, UTF-8 where none is named."""
    if not charset:
        return "utf-8"
    name = charset.lower().replace("_", "-")
    try:
        return _ALIASES.get(name) or _CHARSETS.get(codecs.lookup(name).name)
    except LookupError:
        return None


def text(data: bytes, charset: str) -> str | Flaw:
    """Decode every byte, or tell the `Flaw`; nothing is raised, so that no traceback holds the bytes."""
    known = codec(charset)
    if known is None:
        return Flaw(f"a charset that is not known, {charset}")
    try:
        return data.decode(known).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        return Flaw(f"not {charset}" if charset else "without a charset, and not UTF-8", error.start)


def readable(data: bytes, charset: str) -> str:
    """Decode what can be decoded: enough for an error's code, and for nothing that is kept."""
    return data.decode(codec(charset) or "utf-8", "replace").removeprefix("\ufeff")
