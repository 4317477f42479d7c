"""JSON of strangers: bounded in depth and in the length of numbers, and never quoted in an error."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NoReturn

import attrs

from ..model.numbers import fraction, integer

DEPTH = 100
"""Levels of nesting, at most."""

_OTHERS = bytes(set(range(256)) - set(b'[]{}"'))
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_BOM = b"\xef\xbb\xbf"


@attrs.frozen
class Flaw:
    """Why a text is not JSON that we take; says where, never what stands there."""

    what: str
    position: int | None = None

    def __str__(self) -> str:
        return self.what if self.position is None else f"{self.what} at position {self.position}"


def encode(value: Any) -> bytes | None:
    """Write JSON; None where the value holds what JSON does not know: NaN, bytes, a cycle."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
    except (TypeError, ValueError, RecursionError):
        return None
    try:
        return text.encode()
    except UnicodeEncodeError:
        # A lone surrogate has no UTF-8, but it has an escape.
        return json.dumps(value, allow_nan=False, separators=(",", ":"), default=_plain).encode()


def decode(data: bytes) -> Any:
    """Read JSON, or tell the `Flaw`; nothing is raised, so that no traceback holds the text."""
    body = data.removeprefix(_BOM)
    if _too_deep(body):
        return Flaw(f"nested more than {DEPTH} levels, or its brackets do not match")
    try:
        return _decoder.decode(body.decode("utf-8", "surrogatepass"))
    except json.JSONDecodeError as error:
        return Flaw("no JSON", error.pos)
    except UnicodeDecodeError as error:
        return Flaw("not UTF-8", error.start)
    except (ValueError, RecursionError):
        return Flaw("a number that is none, or is too long")


def _too_deep(body: bytes) -> bool:
    """Measure the nesting without recursion: keep brackets outside strings, cancel innermost pairs level by level."""
    if b"\\" in body:
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    # Of a text without brackets two quotes are left, side by side: what remains to be split is small.
    kept = body.translate(_ONE_KIND, _OTHERS).replace(b'""', b"")
    brackets = b"".join(kept.split(b'"')[::2])
    if brackets.count(b"[") <= DEPTH:
        return False
    for _ in range(DEPTH):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)


def _plain(value: object) -> float | str:
    """Write a Decimal as a number where a float holds it exactly, else as text: no digit is lost."""
    if not isinstance(value, Decimal):
        raise TypeError(type(value).__name__)
    near = float(value)
    return near if value.is_finite() and Decimal(repr(near)) == value else str(value)


def _no_constant(_: str) -> NoReturn:
    raise ValueError("no number")


_decoder = json.JSONDecoder(parse_float=fraction, parse_int=integer, parse_constant=_no_constant)
