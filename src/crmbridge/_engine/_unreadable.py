"""Records of which a system says that they cannot be taken as they are: each is parked alone, and all others go on."""

from __future__ import annotations

from collections.abc import Iterable

from ..model import SIDES, Disposition, RecordRef, Side
from ._seen import Look
from ._subjects import Subject, Verdict


def unreadable(look: Look, subject: Subject, refs: Iterable[tuple[Side, RecordRef]]) -> Verdict | None:
    """Park a subject if one of these records cannot be taken: what is decided without a value may be wrong."""
    for side, ref in refs:
        why = look.unreadable(side, ref)
        if why is not None:
            at: dict[Side, RecordRef | None] = {one: subject.on(one) for one in SIDES}
            at[side] = ref
            left, right = (None if (end := at[one]) is None else look.record(one, end) for one in SIDES)
            return Verdict(subject, Disposition.QUARANTINED, why, "quarantined", left=left, right=right)
    return None
