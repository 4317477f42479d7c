"""Breaking an echo: a field that swings between the same two values is stopped, whoever swings it.

Two systems that rewrite what they are sent, each in its own way and without saying so, or an automation that puts a
value back, would have one field written for ever. Each time a field is written again while both sides hold just what
they held when it was last written, that is a strike. Any other value is somebody's and starts the count anew; and a
write that a system never took, because it was busy or out of reach, counts for nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping

import attrs

from ..model import SIDES, Link, Side
from ..plan import Cells, Merge, Pairing

MOST = 3
"""Strikes at which a record is quarantined."""

_HELD = "@"
"""Marks, behind a field's label, the fingerprint of what both sides held when it was last written."""

_PROMISED = "@@"
"""Marks, behind a field's label, the fingerprint of what both sides held when a write was promised."""


@attrs.frozen
class Struck:
    """A link with its strikes as they stand after a decision, and the field that must not be written again."""

    link: Link
    label: str | None = None


def strike(
    link: Link, pairing: Pairing, held: tuple[Cells, Cells], agreed: tuple[Cells, Cells], decided: Merge
) -> Struck:
    """Find a field that has had its strikes; else note what is promised, for `written` to count.

    *held*: what the left and the right hold now; *agreed*: what they held when they last agreed.
    """
    strikes = {label: count for label, count in link.strikes.items() if not label.endswith(_PROMISED)}
    for place in _answering(link, pairing, held, agreed, decided):
        label, now = pairing.labels[place], _fingerprint(held, place)
        if _count(strikes, label, now) >= MOST:
            return Struck(link, label)
        strikes[label + _PROMISED] = now
    return Struck(attrs.evolve(link, strikes=strikes) if strikes != link.strikes else link)


def written(link: Link, labels: Iterable[str]) -> Link:
    """Count the strikes of fields that were promised and have reached their system."""
    strikes = dict(link.strikes)
    for label in labels:
        now = strikes.pop(label + _PROMISED, None)
        if now is not None:
            strikes[label] = _count(strikes, label, now)
            strikes[label + _HELD] = now
    kept = {label: count for label, count in strikes.items() if count or label.endswith(_HELD)}
    return attrs.evolve(link, strikes=kept) if kept != link.strikes else link


def _count(strikes: Mapping[str, int], label: str, now: int) -> int:
    """Give the strikes of a field once it is written while both sides hold what the fingerprint tells."""
    return strikes.get(label, 0) + 1 if strikes.get(label + _HELD) == now else 0


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
