"""Cutting text where a reader would: between two signs, never inside one.

What a reader takes for one sign may be several characters: a letter and its marks, a half-width kana and its voicing
mark, an emoji of several parts, a flag, a syllable of Hangul letters, both halves of a surrogate pair (Unicode
Standard Annex 29, "Grapheme Cluster Boundaries", of which these are the rules that text about people meets).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from ..model import FieldSpec

_JOINER: Final = "\u200d"
_VOICING: Final = "\uff9e\uff9f"
"""Half-width marks that make another kana of the one before; Unicode counts them among the letters."""


def cut(text: str, spec: FieldSpec) -> str:
    """Cut a text to what fits into a field, in characters and in bytes, and drop white space at the cut.

    A text that fits is given back as it is, so a text is cut once only. What remains may be empty.
    """
    if spec.max_length is None and spec.max_bytes is None:
        return text
    rest = _start(signs(text), spec)
    return text if rest == text else rest.rstrip()


def cut_anywhere(text: str, spec: FieldSpec) -> str:
    """Cut a text where it is full, as a system does that knows of no signs: inside one, or behind white space."""
    return _start(text, spec)


def _start(parts: Iterable[str], spec: FieldSpec) -> str:
    """Put parts together for as long as they fit."""
    kept: list[str] = []
    characters = size = 0
    for part in parts:
        characters += len(part)
        size += len(part.encode(spec.encoding, "replace")) if spec.max_bytes is not None else 0
        if (spec.max_length is not None and characters > spec.max_length) or (
            spec.max_bytes is not None and size > spec.max_bytes
        ):
            break
        kept.append(part)
    return "".join(kept)


def signs(text: str) -> Iterator[str]:
    """Part a text into what a reader takes for single signs."""
    start = 0
    for at in range(1, len(text)):
        before, char = text[at - 1], text[at]
        flag = at - 1 == start and _is_half_flag(before) and _is_half_flag(char)
        if not (flag or _extends(char) or before == _JOINER or _is_pair(before, char)):
            yield text[start:at]
            start = at
    if text:
        yield text[start:]


def _extends(char: str) -> bool:
    """Say whether a character belongs to the one before it."""
    return (
        unicodedata.category(char) in ("Mn", "Mc", "Me")
        or char == _JOINER
        or char in _VOICING
        or "\u1160" <= char <= "\u11ff"  # vowels and endings of Hangul syllables
        or "\U0001f3fb" <= char <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= char <= "\U000e007f"  # tags of flags
    )


def _is_pair(before: str, char: str) -> bool:
    return "\ud800" <= before <= "\udbff" and "\udc00" <= char <= "\udfff"


def _is_half_flag(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
