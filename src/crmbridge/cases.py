"""Cases: a condition that also chooses fields, as the deal settings 1 to 3 of a marketing tool do.

Conditions are tried in their order, and the first that admits a record chooses what further fields its counterpart
holds. The case is chosen once, when the two records are tied, and is remembered in link and journal: a record that
meets another condition later keeps its case. A record that no case admits is skipped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from .gates import in_use
from .protocols import Admit, Crossing, Gate

if TYPE_CHECKING:
    from .plan import PairedField

__all__ = ["Case", "case", "chosen"]


@attrs.frozen
class Case:
    """A name, a condition, and the pairs that it brings."""

    name: str
    when: Gate
    fields: tuple[PairedField, ...] = ()


def case(name: str, when: Gate, *fields: PairedField) -> Case:
    """Let a condition choose further fields; one in which nothing is set admits every record."""
    return Case(name, when, fields)


def chosen(cases: tuple[Case, ...], crossing: Crossing) -> Case | None:
    """Give the first case that admits a record, if any does."""
    return next((one for one in cases if not in_use(one.when) or isinstance(one.when.admit(crossing), Admit)), None)
