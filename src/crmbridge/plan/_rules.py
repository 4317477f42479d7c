"""What a pipeline's author says about fields: pairs, and what they are on each kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias

import attrs

from ..given import Given, Reference, references
from ..model import Side
from ..preflight import Answer, reject
from ..protocols import Codec, FieldPolicy

Owner: TypeAlias = Literal["first_linked", "newest"]


@attrs.frozen
class ReadOnly:
    """A field that is read and never written."""

    field: str


Name: TypeAlias = "str | ReadOnly | Mapping[str, str | ReadOnly]"
"""One field, or one per kind."""


def name_on(name: Name, kind: str) -> tuple[str, bool] | None:
    """Tell the field of a name on a kind and whether it may be written; None where the kind has none."""
    named = name.get(kind) if isinstance(name, Mapping) else name
    if named is None:
        return None
    return (named.field, False) if isinstance(named, ReadOnly) else (named, True)


def label(name: Name) -> str:
    """Give a name as one text that stays the same for every kind."""
    if isinstance(name, Mapping):
        return ",".join(f"{kind}:{label(named)}" for kind, named in sorted(name.items()))
    return name.field if isinstance(name, ReadOnly) else name


@attrs.frozen
class PairedField:
    """A left field (or a value made from the left record) and a right field that are kept in step."""

    left: Name | Given
    right: Name
    policy: FieldPolicy | None = None
    via: Codec | Reference | None = None
    """A reference: both sides point to records that another pipeline keeps in step."""
    owner: Owner | None = None
    if_refused: Answer = reject
    """What is sent where the target would refuse the value."""
    formerly: str | None = None
    """The label that the pair had before a field was renamed: what was agreed is kept under it."""

    @property
    def label(self) -> str:
        """Name the pair, for agreements and messages; the same for every kind."""
        return f"{self.left_label}|{label(self.right)}"

    def renamed(self, formerly: Name | tuple[Name, Name] | None) -> PairedField:
        """Say what its fields were called: the right one, or both."""
        if formerly is None:
            return self
        left, right = formerly if isinstance(formerly, tuple) else (None, formerly)
        left_label = self.left_label if left is None else label(left)
        return attrs.evolve(self, formerly=f"{left_label}|{label(right)}")

    @property
    def left_label(self) -> str:
        """Name the left half."""
        return f"={self.left.name}" if isinstance(self.left, Given) else label(self.left)

    def on(self, side: Side, kind: str) -> tuple[str, bool] | None:
        """Tell this pair's field on a side and kind, and whether it may be written."""
        if side == "right":
            return name_on(self.right, kind)
        return None if isinstance(self.left, Given) else name_on(self.left, kind)

    def reads(self, side: Side, kind: str) -> Iterator[str]:
        """Give the fields of a side that this pair needs to read."""
        if side == "left" and isinstance(self.left, Given):
            yield from sorted(self.left.fields)
            for reference in references(self.left):
                yield from sorted(reference.reads(kind))
        else:
            found = self.on(side, kind)
            if found is not None:
                yield found[0]
