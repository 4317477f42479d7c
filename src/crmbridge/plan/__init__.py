"""Planning: what to do about a pair of records, and about each of their fields. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from ._asked import MATCHES, VALUES, Answers, Choice, candidates, matching
    from ._compare import Cells
    from ._creation import NewRecord, creation
    from ._fields import Gated, Merge, Times, absorb, merge
    from ._owners import guests, only_filling, owner_of
    from ._pairing import Pair, Pairing, pairing
    from ._raised import Raised, raised
    from ._references import Crossing, Followed, pointing
    from ._refusing import conflict, unreadable
    from ._rules import Name, Owner, PairedField, ReadOnly, label, name_on
    from ._same import alike, canonical, differs
    from ._table import Deletes, IfEdited, Move, Removal, State, moves
else:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "_asked": "MATCHES VALUES Answers Choice candidates matching",
            "_compare": "Cells",
            "_creation": "NewRecord creation",
            "_fields": "Gated Merge Times absorb merge",
            "_owners": "guests only_filling owner_of",
            "_pairing": "Pair Pairing pairing",
            "_raised": "Raised raised",
            "_references": "Crossing Followed pointing",
            "_refusing": "conflict unreadable",
            "_rules": "Name Owner PairedField ReadOnly label name_on",
            "_same": "alike canonical differs",
            "_table": "Deletes IfEdited Move Removal State moves",
        },
    )

__all__ = [
    "MATCHES",
    "VALUES",
    "Answers",
    "Cells",
    "Choice",
    "Crossing",
    "Deletes",
    "Followed",
    "Gated",
    "IfEdited",
    "Merge",
    "Move",
    "Name",
    "NewRecord",
    "Owner",
    "Pair",
    "PairedField",
    "Pairing",
    "Raised",
    "ReadOnly",
    "Removal",
    "State",
    "Times",
    "absorb",
    "alike",
    "candidates",
    "canonical",
    "conflict",
    "creation",
    "differs",
    "guests",
    "label",
    "matching",
    "merge",
    "moves",
    "name_on",
    "only_filling",
    "owner_of",
    "pairing",
    "pointing",
    "raised",
    "unreadable",
]
