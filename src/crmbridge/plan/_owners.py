"""Who may write a record that several others share: pure.

A field of a shared record is written when the record is made, and afterwards only while it is blank, unless the pair
names an owner: then the owner's record writes it as the policy says. So two that share a record and disagree never
write over each other by turns.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ..model import Cell, Link, is_blank
from ..protocols import Amend, Ask, Carry, Leave, Resolution, Settle
from ..reasons import Code, because
from ._pairing import Pairing
from ._rules import Owner
from ._same import differs

_FILLED = because(Code.FIRST_CONTACT)
_NOT_THE_OWNER = because(Code.LEFT_AS_IT_IS, policy="not_the_owner")


def owner_of(how: Owner | None, link: Link, sharing: Sequence[Link]) -> bool:
    """Say whether a link's left record owns a field of the shared one, among all live links of that record."""
    if how is None:
        return False
    everybody = {one.id: one for one in (*sharing, link)}.values()
    choose = min if how == "first_linked" else max
    return choose(everybody, key=lambda one: (one.since, one.id)).id == link.id


def guests(pairing: Pairing, link: Link, sharing: Sequence[Link]) -> frozenset[int]:
    """Give the places of the fields that a link's left record may only fill."""
    return frozenset(place for place, pair in enumerate(pairing.pairs) if not owner_of(pair.owner, link, sharing))


def fill_or_ask(left: Cell, right: Cell) -> Resolution:
    """Let a value go into a blank, and a person judge what else differs; equal values settle."""
    if not differs(left, right) or is_blank(right):
        return Settle(left, _FILLED)
    return Settle(right, _FILLED) if is_blank(left) else Ask(because(Code.STATE_LOST))


def only_filling(verdict: Resolution, left: Cell, right: Cell) -> Resolution:
    """Keep of a policy's answer what does not write over the shared record; *right* is in the left's terms."""
    if isinstance(verdict, Leave | Ask) or (isinstance(verdict, Carry) and verdict.towards == "left"):
        return verdict
    if isinstance(verdict, Amend):
        return attrs.evolve(verdict, right=verdict.right if is_blank(right) else right)
    if not differs(verdict.value, right) or (is_blank(right) and not is_blank(verdict.value)):
        return verdict
    if isinstance(verdict, Settle) and differs(verdict.value, left):
        return Carry(verdict.value, "left", verdict.because)
    return Leave(_NOT_THE_OWNER)
