"""Adoption: which of several matching records is taken."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import attrs

from ..model import Cell, Missing, Record, Side, is_blank


@attrs.frozen
class Adoption:
    """Choose one of several records of a side, or none; the smaller id breaks a tie."""

    name: str
    choose: Callable[[Sequence[Record], Side], Record | None] = attrs.field(repr=False)
    left: str | None = None
    """The field that the rule reads on the left; None: it chooses nothing there."""
    right: str | None = None

    def field(self, side: Side) -> str | None:
        """Name the field that must be read on a side."""
        return self.left if side == "left" else self.right


def _instant(value: Cell | Missing) -> dt.datetime | None:
    if isinstance(value, dt.datetime):
        return value
    if isinstance(value, dt.date):
        return dt.datetime(value.year, value.month, value.day, tzinfo=dt.UTC)
    return None


def _by_time(name: str, left: str | None, right: str | None, *, late: bool) -> Adoption:
    def choose(found: Sequence[Record], side: Side) -> Record | None:
        field = left if side == "left" else right
        if field is None:
            return None

        def order(record: Record) -> tuple[bool, float, str]:
            at = _instant(record.get(field))
            when = 0.0 if at is None else at.timestamp()
            return at is None, -when if late else when, record.ref.id

        return min(found, key=order, default=None)

    return Adoption(f"{name}({right or left})", choose, left, right)


def oldest(right: str | None = None, *, left: str | None = None) -> Adoption:
    """Take the record with the earliest date in a field; one without a date comes last, the smaller id breaks a tie.

    A text is no date, however it looks: where the field holds texts, none has a date, and the smallest id is taken.
    *right* and *left* name the field on either side; a side without one chooses nothing, so a person decides.
    """
    return _by_time("oldest", left, right, late=False)


def newest(right: str | None = None, *, left: str | None = None) -> Adoption:
    """Take the record with the latest date in a field; one without a date comes last, the smaller id breaks a tie.

    A text is no date, however it looks: where the field holds texts, none has a date, and the smallest id is taken.
    *right* and *left* name the field on either side; a side without one chooses nothing, so a person decides.
    """
    return _by_time("newest", left, right, late=True)


def _completeness(record: Record) -> int:
    cells = record.rows.cells[record.row]
    return sum(not isinstance(cell, Missing) and not is_blank(cell) for cell in cells)


def _most_complete(found: Sequence[Record], _side: Side) -> Record | None:
    return min(found, key=lambda record: (-_completeness(record), record.ref.id), default=None)


most_complete = Adoption("most_complete", _most_complete)
"""Take the record with the most fields filled, of those that are read; the smaller id breaks a tie."""

refuse = Adoption("refuse", lambda _found, _side: None)
"""Take none: a person decides."""
