"""What a new record holds that mirrors another: pure, over tuples in the order of the pairs."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from ..model import MISSING, Cell, FieldDecision, Side, is_blank
from ..preflight import problem
from ..protocols import Amend, Carry, FieldState
from ..reasons import Code, Reason, because
from ._compare import Cells
from ._pairing import Pair, Pairing
from ._raised import Raised

_NEW = because(Code.NEW)


@attrs.frozen
class NewRecord:
    """What a record that is to be made will hold."""

    values: Mapping[int, Cell] = attrs.field(repr=False)
    """By place of the pair, in the form of the side it goes to."""
    fields: tuple[FieldDecision, ...] = ()
    problems: tuple[Reason, ...] = ()


def creation(pairing: Pairing, towards: Side, origin: Cells, required: frozenset[str]) -> NewRecord:
    """Work out the record that mirrors *origin* on the side *towards*; blanks are left to the system's defaults."""
    values: dict[int, Cell] = {}
    fields: list[FieldDecision] = []
    problems: list[Reason] = []
    missing = set(required)
    for place, pair, field, spec in pairing.creates(towards):
        held = origin[place]
        if held is MISSING or is_blank(held):
            continue
        try:
            value = held if pair.values_cross else _for_creation(pair, towards, held)
        except ValueError:
            problems.append(because(Code.CODEC_FAILED, field=field))
            continue
        except Raised as failed:
            problems.append(failed.because)
            continue
        if is_blank(value):
            continue
        missing.discard(field)
        answer = None
        trouble = None if spec is None else problem(spec, value, creating=True)
        if spec is not None and trouble is not None:
            judged = pair.answered(spec, value, trouble, held=MISSING, towards=towards, creating=True)
            if isinstance(judged, Reason):
                problems.append(judged)
                continue
            value, answer = judged.value, judged.answer
        if answer is None or not is_blank(value):
            values[place] = value
        left, right = (held, None) if towards == "right" else (None, held)
        fields.append(FieldDecision(pair.left, pair.right, left, right, value, towards, _NEW, answer))
    problems.extend(because(Code.REQUIRED, field=field) for field in sorted(missing))
    return NewRecord(values, tuple(fields), tuple(problems))


def _for_creation(pair: Pair, towards: Side, held: Cell) -> Cell:
    """Put a value into the form of the new record's side; many values go into a single one as their policy says."""
    there = held if towards == "right" else pair.decode(held)
    verdict = pair.resolve(_first_state(pair, there, towards))
    if isinstance(verdict, Carry) and verdict.towards == towards:
        there = verdict.value
    elif isinstance(verdict, Amend):
        there = verdict.right if towards == "right" else verdict.left
    return pair.encode(there) if towards == "right" else there


def _first_state(pair: Pair, held: Cell, towards: Side) -> FieldState:
    left, right = (held, None) if towards == "right" else (None, held)
    return FieldState(left, right, MISSING, MISSING, moment="creating", many=pair.many, form=pair.form)
