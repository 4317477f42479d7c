"""SOQL text: one function that quotes, and lists that fit into an address."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote as percent

_ROOM = 12_000
"""Vendor: an address may have 16,384 bytes; what is left over is for the path and the host."""

_ESCAPED = re.compile(r"[\\'\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")
_SHORT = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}


def quoted(text: str) -> str:
    """Write a text as a SOQL string that stands for exactly that text, whatever is in it."""
    return "'" + _ESCAPED.sub(_escape, text) + "'"


def _escape(found: re.Match[str]) -> str:
    letter = found[0]
    return _SHORT.get(letter) or f"\\u{ord(letter):04X}"


def select(fields: Sequence[str], kind: str, where: str, *, order: str, limit: int | None = None) -> str:
    """Write a query."""
    condition = f" WHERE {where}" if where else ""
    tail = "" if limit is None else f" LIMIT {limit}"
    return f"SELECT {', '.join(fields)} FROM {kind}{condition} ORDER BY {order}{tail}"  # noqa: S608 - values in *where* are quoted


def cost(text: str) -> int:
    """Tell how many bytes a text takes in an address."""
    return len(percent(text, safe=""))


def packed(pieces: Sequence[str], *, beside: int, most: int) -> Iterator[slice]:
    """Cut a list of conditions into runs that fit into one query each, at most *most* pieces long.

    *beside* is what the rest of the query takes. A piece too long for any query stands alone, and will be refused.
    """
    start, taken = 0, beside
    for at, piece in enumerate(pieces):
        more = cost(piece) + 12
        if at > start and (at - start == most or taken + more > _ROOM):
            yield slice(start, at)
            start, taken = at, beside
        taken += more
    if pieces:
        yield slice(start, len(pieces))
