"""What a field of a pair holds once all is quiet, what it held before, and what people did to it meanwhile."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

import attrs

from ...model import SIDES, Link, Side, is_blank
from ._life import Life, Marks
from ._seats import Seat, Values, covered
from ._world import Breach, Watched


@attrs.frozen
class Edit:
    """What a person made of one field."""

    value: Any = attrs.field(repr=False)
    covered: bool
    """It fell into the window of a system without conditional writes."""


Edits: TypeAlias = "Mapping[tuple[object, str], Sequence[Edit]]"
"""By record and field, oldest first."""


@attrs.frozen
class FieldCase:
    """One field of one pair: what people did to it since all was last quiet, and what it holds now."""

    watched: Watched
    link: Link
    names: Mapping[Side, str]
    now: Mapping[Side, str]
    then: Mapping[Side, str] | None
    """None: the pair was not in step then."""
    edits: Mapping[Side, Sequence[Edit]]
    """By people, since then."""

    @property
    def written(self) -> Mapping[Side, Sequence[str]]:
        """Give what people wrote since then, by side, oldest first, in the form in which both sides compare."""
        return {side: [form(self.watched, side, edit.value) for edit in self.edits[side]] for side in SIDES}

    @property
    def lost(self) -> int:
        """Count the edits that fell into the window of a system without conditional writes."""
        return sum(edit.covered for side in SIDES for edit in self.edits[side])

    def breach(self, law: str, told: str) -> Breach:
        """Say which field of which pair broke a law."""
        field = f"{self.link.left}.{self.names['left']} and {self.link.right}.{self.names['right']}"
        return Breach(law, f"{field}: {told}; they hold {self.now['left']!r} and {self.now['right']!r}")


def edited_since(life: Life, marks: Marks, side: Side) -> Edits:
    """Give the edits of people since the marks, by record and field."""
    seat: Seat = life.seats[side]
    found: dict[tuple[object, str], list[Edit]] = {}
    for place, change in enumerate(seat.ledger()):
        if place < marks.ledgers[side] or change.ours or change.verb != "update":
            continue
        able = (
            life.definition.end(side).capabilities(change.ref.kind)
            if change.ref.kind in life.hands.kinds(side)
            else None
        )
        for name, value in change.values.items():
            lost = able is not None and covered(seat, able, life.stamps[side], place, name)
            found.setdefault((change.ref, name), []).append(Edit(value, lost))
    return found


def case_of(
    life: Life,
    marks: Marks,
    one: Watched,
    link: Link,
    rows: Mapping[Side, Values | None],
    edited: Mapping[Side, Edits],
) -> FieldCase | None:
    """Gather one field of a pair of records that are both there; None where the pipeline has no say in it."""
    on = {side: one.on(side, link.ref(side).kind) for side in SIDES}
    left, right = on["left"], on["right"]
    two_way = life.definition.topology == "two_way"
    if left is None or right is None or not right[1] or (two_way and not left[1] and one.rule != "left"):
        return None
    names: Mapping[Side, str] = {"left": left[0], "right": right[0]}
    known = (link.left, link.right) in marks.pairs
    before = {side: marks.rows.get(link.ref(side)) for side in SIDES}
    return FieldCase(
        one,
        link,
        names,
        {side: form(one, side, (rows[side] or {}).get(names[side])) for side in SIDES},
        {side: form(one, side, (before[side] or {}).get(names[side])) for side in SIDES}
        if known and None not in before.values()
        else None,
        {side: edited[side].get((link.ref(side), names[side]), []) for side in SIDES},
    )


def form(one: Watched, side: Side, value: Any) -> str:
    """Put a value into a form in which the two systems' ways of storing it are the same."""
    if one.via is not None and side == "left" and not is_blank(value):
        try:
            value = one.via.encode(value)
        except ValueError:
            return str(value).casefold()
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    if isinstance(value, tuple):
        return " ".join(sorted(str(item).casefold() for item in cast("tuple[object, ...]", value)))
    try:
        return f"{float(value):.12g}"
    except (TypeError, ValueError):
        return " ".join(str(value).split()).casefold()
