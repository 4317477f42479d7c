"""Breaking an echo: a field that swings between the same two values is stopped, whoever swings it.

Two systems that rewrite what they are sent, each in its own way and without saying so, or an automation that puts a
value back, would have one field written for ever. Each time a field is to be written again while both sides hold just
what they held when it was last written, that is a strike. Any other value is somebody's and starts the count anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

import attrs

from ..model import SIDES, Link, Side
from ..plan import Cells, Merge, Pairing

MOST = 3
"""Strikes at which a record is quarantined."""

_HELD = "@"
"""Marks, behind a field's label, the fingerprint of what both sides held when it was last written."""


@attrs.frozen
class Struck:
    """A link with its strikes as they stand after a decision, and the field that must not be written again."""

    link: Link
    label: str | None = None


def strike(
    link: Link, pairing: Pairing, held: tuple[Cells, Cells], agreed: tuple[Cells, Cells], decided: Merge
) -> Struck:
    """Count the strikes of the fields that a decision writes.

    *held*: what the left and the right hold now; *agreed*: what they held when they last agreed.
    """
    strikes = dict(link.strikes)
    for place in _answering(link, pairing, held, agreed, decided):
        label, now = pairing.labels[place], _fingerprint(held, place)
        known = strikes.get(label + _HELD) == now
        strikes[label] = strikes.get(label, 0) + 1 if known else 0
        strikes[label + _HELD] = now
        if strikes[label] >= MOST:
            return Struck(link, label)
    return Struck(attrs.evolve(link, strikes=_kept(strikes)) if strikes != link.strikes else link)


def _answering(
    link: Link, pairing: Pairing, held: tuple[Cells, Cells], agreed: tuple[Cells, Cells], decided: Merge
) -> Iterator[int]:
    """Give the places that are written on one side because one that we wrote before has changed."""
    for place in sorted(decided.write_left.keys() ^ decided.write_right.keys()):
        for side, now, then in zip(SIDES, held, agreed, strict=True):
            if now[place] != then[place] and _written_by_us(link, side, pairing.labels[place]):
                yield place
                break


def _written_by_us(link: Link, side: Side, label: str) -> bool:
    half = link.agreed(side)
    return half.own_stamp is not None or label in half.unsettled


def _fingerprint(held: tuple[Cells, Cells], place: int) -> int:
    """Tell two values from any other two, in fifteen digits; the same in every process."""
    text = repr(tuple((type(cells[place]).__name__, cells[place]) for cells in held))
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).digest(), "big")


def _kept(strikes: Mapping[str, int]) -> Mapping[str, int]:
    return {label: count for label, count in strikes.items() if count or label.endswith(_HELD)}
