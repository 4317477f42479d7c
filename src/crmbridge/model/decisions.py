"""What was decided about each record, and how it ended."""

from __future__ import annotations

import enum
from collections.abc import Mapping

import attrs

from ..reasons import Reason
from .actions import Action, Create
from .refs import Cell, Missing, RecordRef, Side, other


class Disposition(enum.StrEnum):
    """How an input record ended: exactly one of these."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    """A gate or a setting said no."""
    HELD = "held"
    """Waits for a reference or for time."""
    DISPUTED = "disputed"
    """A person must rule."""
    QUARANTINED = "quarantined"
    """In trouble; `in_doubt` is one of the reasons."""


@attrs.frozen
class FieldDecision:
    """What was decided about one field: one line of `why`."""

    left_field: str
    right_field: str
    left: Cell | Missing = attrs.field(repr=False)
    right: Cell | Missing = attrs.field(repr=False)
    sent: Cell | Missing = attrs.field(repr=False)
    """What is written, in the form of the side it goes to; `MISSING` where nothing is."""
    towards: Side | None
    because: Reason
    answer: Reason | None = None
    """Why something else was sent than the value that was chosen: it would have been refused."""


@attrs.frozen
class Decision:
    """What was decided about one input record: a row of a plan, and of a report."""

    side: Side
    ref: RecordRef
    counterpart: RecordRef | None
    disposition: Disposition
    because: Reason
    actions: tuple[Action, ...] = ()
    fields: tuple[FieldDecision, ...] = ()


def written_side(decision: Decision, action: Action) -> Side:
    """Tell the side that an action of a decision writes to."""
    own = not isinstance(action, Create) and action.ref == decision.ref
    return decision.side if own else other(decision.side)


@attrs.frozen
class Totals:
    """Count a whole sweep: exact in a plan; in a run what it has promised, or what its queue can come to at most."""

    read: int
    links: int
    by_disposition: Mapping[Disposition, int]
    writes: Mapping[tuple[str, str], int]
    """By system and verb: `("salesforce", "create")` -> 17."""
    blanks: int = 0
    """Filled fields that would become empty."""
    gone: int = 0
    """Linked records that are gone, on the side where more of them are, whatever becomes of their counterparts."""
    before: Mapping[str, int] = attrs.field(factory=lambda: dict[str, int]())
    """What runs that a guard stopped in their middle had `created`, `updated`, `emptied` and so on: it counts as well."""
    inside: Mapping[str, Totals] = attrs.field(factory=lambda: dict[str, Totals]())
    """By their names, the plans inside this one, in which parents are made; what they come to is counted here too."""

    @property
    def own(self) -> Totals:
        """Give these without what the plans inside come to: what the guards of the pipeline itself judge."""
        if not self.inside:
            return self
        writes = dict(self.writes)
        for one in self.inside.values():
            for key, count in one.writes.items():
                writes[key] = writes.get(key, 0) - count
        blanks = self.blanks - sum(one.blanks for one in self.inside.values())
        return attrs.evolve(self, writes=writes, blanks=blanks, inside={})

    def of(self, verb: str) -> int:
        """Count the writes of one verb over all systems."""
        return sum(count for (_, named), count in self.writes.items() if named == verb)
