"""What is remembered of two records that belong together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import attrs

from ..reasons import Reason
from .refs import MISSING, Cell, Missing, RecordRef, Side


@attrs.frozen
class Unsettled:
    """Written by us, stored form not yet known.

    The first reading that is not older than our own stamp judges it: a value that could be the stored form of
    `sent` is ours, anything else is a person's edit.
    """

    sent: Cell = attrs.field(repr=False)
    at: dt.datetime


@attrs.frozen
class Agreed:
    """One side's half of the agreement: what each paired field held there, in that system's own form."""

    fields: tuple[str, ...]
    """The labels of the pairs, in their order; both halves of a link share them, whatever the kinds are called."""
    cells: tuple[Cell | Missing, ...] = attrs.field(repr=False)
    unsettled: Mapping[str, Unsettled] = attrs.field(factory=lambda: dict[str, Unsettled]())
    settled_version: str | None = None
    """The version at which every field was known to equal its cell."""
    own_stamp: dt.datetime | None = None
    """What our last write produced; an older reading is not believed."""

    @classmethod
    def nothing(cls, fields: tuple[str, ...]) -> Agreed:
        """Remember nothing yet: first contact for every field."""
        return cls(fields, (MISSING,) * len(fields))


@attrs.frozen
class Link:
    """The remembered tie of a left and a right record: two halves, no common base."""

    id: str
    """Stays the same when a record is merged or moves and the link follows it."""
    left: RecordRef
    right: RecordRef
    left_agreed: Agreed
    right_agreed: Agreed
    since: dt.datetime
    """Orders the claimants of a shared record."""
    incarnation: int = 0
    """Grows when a deleted counterpart is made again."""
    closed: Reason | None = None
    """Why the link is closed; a closed link blocks creation from its survivor."""
    shared: bool = False
    """Several left records may hold this right one (many-to-one)."""
    strikes: Mapping[str, int] = attrs.field(factory=lambda: dict[str, int]())
    """By field, how often it alternated between two known values; three quarantine the record.

    Under the field's label with an @ behind it: a fingerprint of the two values; with @@ behind it, of those at a
    write that is promised and not acknowledged yet.
    """
    case: str | None = None
    """The case that admitted it."""

    def ref(self, side: Side) -> RecordRef:
        """Point at the record on one side."""
        return self.left if side == "left" else self.right

    def agreed(self, side: Side) -> Agreed:
        """Tell one side's half of the agreement."""
        return self.left_agreed if side == "left" else self.right_agreed


@attrs.frozen
class Standing:
    """What is known of a record without decoding a single value of it."""

    linked: bool = False
    closed: bool = False
    settled_version: str | None = None
    parked: str | None = None
    """The state it is parked in (held, disputed, quarantined); None where it is not."""
    parked_version: str | None = None
