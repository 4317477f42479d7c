"""The decision of one pair of records, field by field: pure, over tuples in the order of the pairs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from itertools import compress, count
from operator import ne
from typing import Literal, TypeAlias, assert_never

import attrs

from ..model import MISSING, Cell, FieldDecision, Missing, Side, Unsettled, is_blank
from ..preflight import problem
from ..protocols import Ask, Carry, FieldState, Leave, Moment, Settle
from ..reasons import Code, Reason, because
from ._pairing import Cells, Pair, Pairing
from ._same import differs

_NEW = because(Code.NEW)
_ONE_SIDED = because(Code.ONE_SIDED)
_NOTHING = (MISSING, MISSING)
"""Neither side is written."""

Gated: TypeAlias = "tuple[Reason | None, Reason | None]"
"""Why the left and the right may not be written now; None: they may."""


Choice: TypeAlias = Literal["left", "right", "leave"]
"""What a person ruled where a policy asks: whose value lives on, or that each side keeps its own."""


@attrs.frozen
class Times:
    """When each side's record last changed by somebody other than us; None where that is not known."""

    left: dt.datetime | None = None
    right: dt.datetime | None = None


@attrs.frozen
class Merge:
    """What was decided about a pair of records."""

    left: Cells = attrs.field(repr=False)
    """The left half of the agreement once nothing more is written: fields that are written have not moved yet."""
    right: Cells = attrs.field(repr=False)
    write_left: Mapping[int, Cell] = attrs.field(repr=False)
    """What is written, by place of the pair, in the form of the side it goes to."""
    write_right: Mapping[int, Cell] = attrs.field(repr=False)
    fields: tuple[FieldDecision, ...] = ()
    disputed: tuple[Reason, ...] = ()
    problems: tuple[Reason, ...] = ()
    """Values that the target would refuse; nothing of this pair is written."""
    skipped: tuple[Reason, ...] = ()
    """Why a gate kept changes back: their agreement has not moved, so they cross when it opens."""

    @property
    def writes(self) -> bool:
        """Say whether anything is written."""
        return bool(self.write_left or self.write_right)


class _Merging:
    """Collects what is decided while the changed fields are gone through."""

    def __init__(self) -> None:
        self.agreed: dict[int, tuple[Cell, Cell]] = {}
        """What the halves of the agreement hold from now on, by place."""
        self.write_left: dict[int, Cell] = {}
        self.write_right: dict[int, Cell] = {}
        self.fields: list[FieldDecision] = []
        self.disputed: list[Reason] = []
        self.problems: list[Reason] = []
        self.skipped: list[Reason] = []

    def tell(
        self, pair: Pair, held: tuple[Cell, Cell], why: Reason, towards: Side | None, sent: Cell | Missing
    ) -> None:
        self.fields.append(FieldDecision(pair.left, pair.right, held[0], held[1], sent, towards, why))

    def done(self, agreed_left: Cells, agreed_right: Cells) -> Merge:
        if self.agreed:
            left, right = list(agreed_left), list(agreed_right)
            for place, cells in self.agreed.items():
                left[place], right[place] = cells
            agreed_left, agreed_right = tuple(left), tuple(right)
        return Merge(
            agreed_left,
            agreed_right,
            self.write_left,
            self.write_right,
            tuple(self.fields),
            tuple(self.disputed),
            tuple(self.problems),
            tuple(self.skipped),
        )


def unchanged(left: Cells, right: Cells, agreed_left: Cells, agreed_right: Cells) -> bool:
    """Say whether both sides equal their halves of the agreement, exactly."""
    return left == agreed_left and right == agreed_right


def merge(
    pairing: Pairing,
    left: Cells,
    right: Cells,
    agreed_left: Cells,
    agreed_right: Cells,
    *,
    times: Times = Times(),
    moment: Moment = "writing",
    gated: Gated = (None, None),
    ruled: Choice | None = None,
) -> Merge:
    """Decide every field of a pair of records.

    *gated*: why the left, or the right, may not be written now. *ruled*: what a person decided about the disputes. A field that was not read takes no part and its
    agreement does not move.
    """
    work = _Merging()
    for place in _moved(left, right, agreed_left, agreed_right):
        pair, one, two = pairing.pairs[place], left[place], right[place]
        if one is MISSING or two is MISSING:
            continue
        held, agreed = (one, two), (agreed_left[place], agreed_right[place])
        if agreed[0] is MISSING or agreed[1] is MISSING or (one != agreed[0] and two != agreed[1]):
            if pair.same(one, two):
                work.agreed[place] = held
                continue
        elif pair.crosses:
            wanted = (MISSING, one) if one != agreed[0] else (two, MISSING)
            _write(work, place, pair, held, wanted if differs(one, two) else _NOTHING, _ONE_SIDED, gated)
            continue
        _judge(work, place, pair, held, agreed, times, moment, gated, ruled)
    return work.done(agreed_left, agreed_right)


def _moved(left: Cells, right: Cells, agreed_left: Cells, agreed_right: Cells) -> Sequence[int]:
    """Give the places at which a side differs from its half of the agreement, in order."""
    # Nearly always one side alone has changed, and in one field: so whole tuples first, and then no loop of Python's.
    on_left = () if left == agreed_left else tuple(compress(count(), map(ne, left, agreed_left)))
    on_right = () if right == agreed_right else tuple(compress(count(), map(ne, right, agreed_right)))
    return sorted({*on_left, *on_right}) if on_left and on_right else on_left or on_right


def _judge(
    work: _Merging,
    place: int,
    pair: Pair,
    held: tuple[Cell, Cell],
    agreed: tuple[Cell | Missing, Cell | Missing],
    times: Times,
    moment: Moment,
    gated: Gated,
    ruled: Choice | None,
) -> None:
    left, right = held
    try:
        there = pair.decode(right)
        r0 = agreed[1] if agreed[1] is MISSING else pair.decode(agreed[1])
    except ValueError:
        work.problems.append(because(Code.CODEC_FAILED, field=pair.right))
        return
    verdict = pair.policy.resolve(FieldState(left, there, agreed[0], r0, times.left, times.right, moment))
    match verdict:
        case Settle(value=value):
            to_left = value if differs(value, left) else MISSING
            to_right = value if differs(value, there) else MISSING
        case Carry(value=value, towards=towards):
            to_left = value if towards == "left" and differs(value, left) else MISSING
            to_right = value if towards == "right" and differs(value, there) else MISSING
        case Leave():
            to_left = to_right = MISSING
        case Ask() if ruled is not None:
            chosen = {"left": left, "right": there}.get(ruled, MISSING)
            to_left = MISSING if chosen is MISSING or not differs(chosen, left) else chosen
            to_right = MISSING if chosen is MISSING or not differs(chosen, there) else chosen
            _write(work, place, pair, held, (to_left, to_right), because(Code.RULED, field=pair.right), gated)
            return
        case Ask(because=why):
            work.disputed.append(Reason(why.code, {**why.facts, "field": pair.right}))
            work.tell(pair, held, why, None, MISSING)
            return
        case _:
            assert_never(verdict)
    _write(work, place, pair, held, (to_left, to_right), verdict.because, gated)


def _write(
    work: _Merging,
    place: int,
    pair: Pair,
    held: tuple[Cell, Cell],
    wanted: tuple[Cell | Missing, Cell | Missing],
    why: Reason,
    gated: Gated,
) -> None:
    to_left, to_right = wanted
    if to_left is not MISSING and not pair.writes_left:
        to_left, why = MISSING, because(Code.NOT_WRITABLE, field=pair.left)
    if to_right is not MISSING and not pair.writes_right:
        to_right, why = MISSING, because(Code.NOT_WRITABLE, field=pair.right)
    closed = (gated[0] if to_left is not MISSING else None) or (gated[1] if to_right is not MISSING else None)
    if closed is not None:
        work.skipped.append(closed)
        work.tell(pair, held, closed, None, MISSING)
        return
    if to_left is not MISSING:
        _send(work, work.write_left, place, pair, "left", held, to_left, why)
    if to_right is not MISSING:
        try:
            encoded = pair.encode(to_right)
        except ValueError:
            work.problems.append(because(Code.CODEC_FAILED, field=pair.right))
            return
        _send(work, work.write_right, place, pair, "right", held, encoded, why)
    if to_left is MISSING and to_right is MISSING:
        work.agreed[place] = held
        work.tell(pair, held, why, None, MISSING)


def _send(
    work: _Merging,
    writes: dict[int, Cell],
    place: int,
    pair: Pair,
    towards: Side,
    held: tuple[Cell, Cell],
    value: Cell,
    why: Reason,
) -> None:
    spec = pair.spec(towards)
    trouble = None if spec is None else problem(spec, value, creating=False)
    if trouble is not None:
        work.problems.append(trouble)
    else:
        writes[place] = value
    work.tell(pair, held, why if trouble is None else trouble, towards, value if trouble is None else MISSING)


def absorb(
    pairing: Pairing,
    side: Side,
    read: Cells,
    agreed: Cells,
    unsettled: Mapping[str, Unsettled],
) -> Cells:
    """Learn the stored form of what we wrote from the first reading that may judge it.

    What could be the stored form of our value becomes the half of the agreement; anything else is a person's edit,
    so the half stays at what we sent and the field counts as changed.
    """
    if not unsettled:
        return agreed
    learned = list(agreed)
    for place, pair in enumerate(pairing.pairs):
        waiting = unsettled.get(pair.label)
        now = read[place]
        if waiting is None or isinstance(now, Missing):
            continue
        learned[place] = now if pair.own(side, waiting.sent, now) else waiting.sent
    return tuple(learned)


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
    for place, pair in enumerate(pairing.pairs):
        held = origin[place]
        writable = pair.creates_right if towards == "right" else pair.creates_left
        if not writable or held is MISSING or is_blank(held):
            continue
        field, spec = pair.field(towards), pair.spec(towards)
        try:
            value = _for_creation(pair, towards, held)
        except ValueError:
            problems.append(because(Code.CODEC_FAILED, field=field))
            continue
        if is_blank(value):
            continue
        trouble = None if spec is None else problem(spec, value, creating=True)
        missing.discard(field)
        if trouble is not None:
            problems.append(trouble)
            continue
        values[place] = value
        left, right = (held, None) if towards == "right" else (None, held)
        fields.append(FieldDecision(pair.left, pair.right, left, right, value, towards, _NEW))
    problems.extend(because(Code.REQUIRED, field=field) for field in sorted(missing))
    return NewRecord(values, tuple(fields), tuple(problems))


def _for_creation(pair: Pair, towards: Side, held: Cell) -> Cell:
    """Put a value into the form of the new record's side; many values go into a single one as their policy says."""
    there = held if towards == "right" else pair.decode(held)
    verdict = pair.policy.resolve(_first_state(there, towards))
    if isinstance(verdict, Carry) and verdict.towards == towards:
        there = verdict.value
    return pair.encode(there) if towards == "right" else there


def _first_state(held: Cell, towards: Side) -> FieldState:
    left, right = (held, None) if towards == "right" else (None, held)
    return FieldState(left, right, MISSING, MISSING, moment="creating")
