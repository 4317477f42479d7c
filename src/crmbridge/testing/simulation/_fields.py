"""The laws of single fields: what a person wrote lives on, on both sides, as the pair's policy says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...model import SIDES, Side, is_blank
from ._cases import Edits, FieldCase, case_of, edited_since
from ._life import Life, Marks
from ._one_way import OneWay
from ._seats import Values
from ._shared import shared_laws
from ._world import Breach, watched


def field_laws(life: Life, marks: Marks) -> Iterator[Breach]:
    """Judge every watched field of every pair; a gate before writing is only known to a world that says who is wanted."""
    if life.definition.shared:
        yield from shared_laws(life, marks)
        return
    gated = any(placed.moment == "writing" for placed in life.definition.gates)
    if gated and life.world.wanted is None:
        return
    every = watched(life.definition)
    edited: dict[Side, Edits] = {side: edited_since(life, marks, side) for side in SIDES}
    one_way = OneWay(life, marks) if life.definition.topology == "one_way" else None
    for link in life.tied():
        rows: dict[Side, Values | None] = {side: life.row(side, link.ref(side)) for side in SIDES}
        if None in rows.values():
            if one_way is None or one_way.owes(link, every):
                yield Breach("I3", f"half a pair: {link.left} and {link.right} belong together, and one is not there")
            continue
        for one in every:
            case = case_of(life, marks, one, link, rows, edited)
            if case is not None:
                life.seen.windows += case.lost
                yield from _judged(case) if one_way is None else one_way.judged(case)


def _judged(case: FieldCase) -> Iterator[Breach]:
    left, right = case.now["left"], case.now["right"]
    if left != right and not (case.watched.blanks == "stay" and "" in (left, right)):
        yield case.breach("I3", "all is quiet and they differ")
    elif case.then is not None and not case.lost:
        yield from _survived(case, case.then)


def _survived(case: FieldCase, then: Mapping[Side, str]) -> Iterator[Breach]:
    written = case.written
    if not written["left"] and not written["right"]:
        if case.now != then:
            yield case.breach("I2", f"nobody edited them since they held {then['left']!r} and {then['right']!r}")
        return
    if any(value == "" for side in SIDES for value in written[side]) and not _blank_crosses(case, written):
        return
    allowed = _allowed(case, then, written)
    if allowed is not None and not {case.now["left"], case.now["right"]} <= allowed:
        yield case.breach("I2", f"people wrote {sorted(allowed)} last")


def _blank_crosses(case: FieldCase, written: Mapping[Side, Sequence[str]]) -> bool:
    one_sided = not (written["left"] and written["right"])
    return case.watched.blanks == "cross" and case.watched.rule == "last" and one_sided


def _allowed(case: FieldCase, then: Mapping[Side, str], written: Mapping[Side, Sequence[str]]) -> set[str] | None:
    """Give the values that may live on; None where the policy leaves it open."""
    if case.watched.rule == "last":
        return {written[side][-1] for side in SIDES if written[side]}
    master = case.watched.rule
    last = written[master][-1] if written[master] else then[master]
    return None if is_blank(last) else {last}
