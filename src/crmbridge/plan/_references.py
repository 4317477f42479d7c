"""References that cross both ways: each side points to its own records, and links of another pipeline tie them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import attrs

from ..model import Cell, FieldSpec, FieldType, Missing, RecordRef, Side

Followed: TypeAlias = "Mapping[tuple[str, Side, Cell], RecordRef]"
"""By the reference's name, the side that points and the pointing value: the counterpart on the other side."""


@attrs.frozen
class Crossing:
    """A codec that knows the counterparts of the records that a batch points to."""

    name: str
    followed: Followed = attrs.field(repr=False, eq=False)
    left: FieldSpec | None = None
    right: FieldSpec | None = None

    def encode(self, value: Cell) -> Cell:
        """Point to the right counterpart; raises ValueError where none is known."""
        return self._across("left", value, self.right)

    def decode(self, value: Cell) -> Cell:
        """Point to the left counterpart; raises ValueError where none is known."""
        return self._across("right", value, self.left)

    def _across(self, side: Side, value: Cell, target: FieldSpec | None) -> Cell:
        found = self.followed.get((self.name, side, value))
        if found is None:
            raise ValueError(f"{self.name}: nothing is linked to what this points to")
        return pointing(found, target)


@attrs.frozen
class AsText:
    """A codec between a field of references and one of text, which holds the ids alone.

    What a plain id is the id of is known to the system of the field that it goes to: it is sent as it is.
    """

    left: FieldSpec
    right: FieldSpec

    def encode(self, value: Cell) -> Cell:
        """Give the right the id, in the form that its field holds."""
        return pointing(value, self.right)

    def decode(self, value: Cell) -> Cell:
        """Give the left the id, in the form that its field holds."""
        return pointing(value, self.left)


def as_text(left: FieldSpec | None, right: FieldSpec | None) -> AsText | None:
    """Give the codec between two fields of which one holds references and the other one text; else None."""
    if left is None or right is None or {left.type, right.type} != {FieldType.REFERENCE, FieldType.TEXT}:
        return None
    return AsText(left, right)


def pointing(value: Cell, target: FieldSpec | None) -> Cell:
    """Put a reference into the form that a field holds: in one of free text, the id alone."""
    if not isinstance(value, RecordRef) or target is None or target.type is FieldType.REFERENCE:
        return value
    return (value,) if target.type is FieldType.REFERENCES else value.id


def given_cell(value: Cell | Missing, target: FieldSpec | None) -> Cell | Missing:
    """Put a value that was made from a record into the form of its target, where it is a reference."""
    return value if isinstance(value, Missing) else pointing(value, target)
