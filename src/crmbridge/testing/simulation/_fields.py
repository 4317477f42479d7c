"""The laws of single fields: what a person wrote lives on, on both sides, as the pair's policy says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import attrs

from ...model import SIDES, Link, Side, is_blank
from ._life import Life, Marks
from ._seats import Seat, Values, covered
from ._shared import shared_laws
from ._world import Breach, Watched, watched


@attrs.frozen
class _Edit:
    """What a person made of one field."""

    value: Any = attrs.field(repr=False)
    covered: bool
    """It fell into the window of a system without conditional writes."""


_Edits: TypeAlias = "Mapping[tuple[object, str], Sequence[_Edit]]"
"""By record and field, oldest first."""


@attrs.frozen
class _Case:
    """One field of one pair: what people did to it since all was last quiet, and what it holds now."""

    watched: Watched
    link: Link
    names: Mapping[Side, str]
    now: Mapping[Side, str]
    then: Mapping[Side, str] | None
    """None: the pair was not in step then."""
    edits: Mapping[Side, Sequence[_Edit]]
    two_way: bool

    def breach(self, law: str, told: str) -> Breach:
        """Say which field of which pair broke a law."""
        field = f"{self.link.left}.{self.names['left']} and {self.link.right}.{self.names['right']}"
        return Breach(law, f"{field}: {told}; they hold {self.now['left']!r} and {self.now['right']!r}")


def field_laws(life: Life, marks: Marks) -> Iterator[Breach]:
    """Judge every watched field of every pair; a gate before writing is only known to a world that says who is wanted."""
    if life.definition.shared:
        yield from shared_laws(life, marks)
        return
    gated = any(placed.moment == "writing" for placed in life.definition.gates)
    if gated and life.world.wanted is None:
        return
    every = watched(life.definition)
    edited: dict[Side, _Edits] = {side: _edited(life, marks, side) for side in SIDES}
    for link in life.tied():
        rows: dict[Side, Values | None] = {side: life.row(side, link.ref(side)) for side in SIDES}
        if None in rows.values():
            yield Breach("I3", f"half a pair: {link.left} and {link.right} belong together, and one is not there")
            continue
        for one in every:
            case = _case(life, marks, one, link, rows, edited)
            if case is not None:
                yield from _judged(life, case)


def _edited(life: Life, marks: Marks, side: Side) -> _Edits:
    """Give the edits of people since the marks, by record and field."""
    seat: Seat = life.seats[side]
    found: dict[tuple[object, str], list[_Edit]] = {}
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
            found.setdefault((change.ref, name), []).append(_Edit(value, lost))
    return found


def _case(
    life: Life,
    marks: Marks,
    one: Watched,
    link: Link,
    rows: Mapping[Side, Values | None],
    edited: Mapping[Side, _Edits],
) -> _Case | None:
    on = {side: one.on(side, link.ref(side).kind) for side in SIDES}
    left, right = on["left"], on["right"]
    two_way = life.definition.topology == "two_way"
    if left is None or right is None or not right[1] or (two_way and not left[1] and one.rule != "left"):
        return None
    names: Mapping[Side, str] = {"left": left[0], "right": right[0]}
    known = (link.left, link.right) in marks.pairs
    before = {side: marks.rows.get(link.ref(side)) for side in SIDES}
    return _Case(
        one,
        link,
        names,
        {side: _form(one, side, (rows[side] or {}).get(names[side])) for side in SIDES},
        {side: _form(one, side, (before[side] or {}).get(names[side])) for side in SIDES}
        if known and None not in before.values()
        else None,
        {side: edited[side].get((link.ref(side), names[side]), []) for side in SIDES},
        two_way,
    )


def _form(one: Watched, side: Side, value: Any) -> str:
    """Put a value into a form in which the two systems' ways of storing it are the same."""
    if one.via is not None and side == "left" and isinstance(value, str) and value:
        try:
            value = one.via.encode(value)
        except ValueError:
            return str(value).casefold()
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return str(value)
    try:
        return f"{float(value):g}"
    except (TypeError, ValueError):
        return " ".join(str(value).split()).casefold()


def _judged(life: Life, case: _Case) -> Iterator[Breach]:
    every = [edit for side in SIDES for edit in case.edits[side]]
    lost = sum(edit.covered for edit in every)
    life.seen.windows += lost
    left, right = case.now["left"], case.now["right"]
    stays = case.watched.blanks == "stay" or not case.two_way
    apart = left != right and not (stays and "" in (left, right))
    if apart and (case.two_way or not case.edits["right"]):
        yield case.breach("I3", "all is quiet and they differ")
    elif case.then is not None and not lost:
        yield from _survived(case, case.then)


def _survived(case: _Case, then: Mapping[Side, str]) -> Iterator[Breach]:
    written: dict[Side, list[str]] = {
        side: [_form(case.watched, side, edit.value) for edit in case.edits[side]] for side in SIDES
    }
    if not written["left"] and not written["right"]:
        if case.now != then:
            yield case.breach("I2", f"nobody edited them since they held {then['left']!r} and {then['right']!r}")
        return
    if any(value == "" for side in SIDES for value in written[side]) and not _blank_crosses(case, written):
        return
    allowed = _allowed(case, then, written)
    if allowed is not None and not {case.now["left"], case.now["right"]} <= allowed:
        yield case.breach("I2", f"people wrote {sorted(allowed)} last")


def _blank_crosses(case: _Case, written: Mapping[Side, Sequence[str]]) -> bool:
    one_sided = not (written["left"] and written["right"])
    return case.watched.blanks == "cross" and case.watched.rule == "last" and one_sided and case.two_way


def _allowed(case: _Case, then: Mapping[Side, str], written: Mapping[Side, Sequence[str]]) -> set[str] | None:
    """Give the values that may live on; None where the policy leaves it open."""
    if not case.two_way:
        return {written["left"][-1]} if written["left"] and not written["right"] else None
    if case.watched.rule == "last":
        return {written[side][-1] for side in SIDES if written[side]}
    master = case.watched.rule
    last = written[master][-1] if written[master] else then[master]
    return None if is_blank(last) else {last}
