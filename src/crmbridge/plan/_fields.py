"""The decision of one pair of records that both exist, field by field: pure, over tuples in the order of the pairs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

import attrs

from ..model import MISSING, Cell, FieldDecision, Missing, Side, Unsettled, is_blank
from ..preflight import problem
from ..protocols import Ask, FieldState, Leave, Moment, Settle
from ..reasons import Code, Reason, because
from ._asked import Answers
from ._compare import Cells
from ._owners import fill_or_ask, only_filling
from ._pairing import Pair, Pairing
from ._raised import Raised
from ._recoded import understood
from ._resolved import sent
from ._same import differs

_ONE_SIDED = because(Code.ONE_SIDED)

Gated: TypeAlias = "tuple[Reason | None, Reason | None]"
"""Why the left and the right may not be written now; None: they may."""

_UNASKED = Answers()


@attrs.frozen
class Times:
    """When each side's record last changed by somebody other than us; None where that is not known."""

    left: dt.datetime | None = None
    right: dt.datetime | None = None


class Merge(NamedTuple):
    """What was decided about a pair of records; a tuple, because one is made for each pair that has changed."""

    left: Cells
    """The left half of the agreement once nothing more is written: fields that are written have not moved yet."""
    right: Cells
    write_left: Mapping[int, Cell]
    """What is written, by place of the pair, in the form of the side it goes to."""
    write_right: Mapping[int, Cell]
    fields: tuple[FieldDecision, ...] = ()
    disputed: tuple[Reason, ...] = ()
    problems: tuple[Reason, ...] = ()
    """Values that the target would refuse; nothing of this pair is written."""
    skipped: tuple[Reason, ...] = ()
    """Why a gate kept changes back: their agreement has not moved, so they cross when it opens."""
    asked: tuple[tuple[Reason, str], ...] = ()
    """What a person is asked by a dispute, or by a value that would be refused."""

    def __repr__(self) -> str:
        return (
            f"Merge(fields={self.fields}, disputed={self.disputed}, problems={self.problems}, skipped={self.skipped})"
        )

    @property
    def writes(self) -> bool:
        """Say whether anything is written."""
        return bool(self.write_left or self.write_right)


class _Merging:
    """Decides the fields that have changed, one after the other, and collects what comes of it."""

    def __init__(
        self,
        times: Times,
        moment: Moment,
        gated: Gated,
        ruled: Answers,
        guests: frozenset[int],
        halves: tuple[Cells, Cells],
        *,
        filling: bool,
    ) -> None:
        self._halves = halves
        self._guests = guests
        self._filling = filling
        self._times = times
        self._moment: Moment = moment
        self._gated = gated
        self._ruled = ruled
        self.agreed: dict[int, tuple[Cell, Cell]] = {}
        """What the halves of the agreement hold from now on, by place."""
        self._write_left: dict[int, Cell] = {}
        self._write_right: dict[int, Cell] = {}
        self._fields: list[FieldDecision] = []
        self._disputed: tuple[Reason, ...] = ()
        self._asked: tuple[tuple[Reason, str], ...] = ()
        self._problems: dict[int, tuple[Reason, Pair, tuple[Cell, Cell]]] = {}
        """Why a value would be refused, by place, with the pair and what both sides hold."""
        self._skipped: tuple[Reason, ...] = ()

    def cross(self, place: int, pair: Pair, held: tuple[Cell, Cell], source: Side) -> None:
        """Let a change on one side alone cross as it is."""
        left, right = held
        shut_left, shut_right = self._gated
        if not differs(left, right):
            self._write(place, pair, held, MISSING, MISSING, _ONE_SIDED)
        elif source == "left" and pair.writes_right and shut_right is None:
            if not self._send(place, pair, held, "right", left, _ONE_SIDED):
                self.agreed[place] = held
        elif source == "right" and pair.writes_left and shut_left is None:
            if not self._send(place, pair, held, "left", right, _ONE_SIDED):
                self.agreed[place] = held
        elif source == "left":
            self._write(place, pair, held, MISSING, left, _ONE_SIDED)
        else:
            self._write(place, pair, held, right, MISSING, _ONE_SIDED)

    def judge(
        self,
        place: int,
        pair: Pair,
        held: tuple[Cell, Cell],
        agreed: tuple[Cell | Missing, Cell | Missing],
        *,
        alike: bool = False,
    ) -> None:
        """Let the policy of the pair decide, and a person where it asks and one has ruled.

        *alike*: both sides hold what could be one value in two stored forms, and nothing is written to agree on that one.
        """
        try:
            left, there, l0, r0 = understood(pair, held, agreed)
            if left == l0 and there == r0:
                # Under another name, or in another form, each side holds what it held.
                self.agreed[place] = held
                return
            at = self._times
            state = FieldState(left, there, l0, r0, at.left, at.right, self._moment, pair.many, pair.form)
            verdict = fill_or_ask(left, there) if self._filling and state.first else pair.resolve(state)
        except ValueError:
            self._problems[place] = because(Code.CODEC_FAILED, field=pair.right), pair, held
            return
        except Raised as trouble:
            self._problems[place] = trouble.because, pair, held
            return
        if isinstance(verdict, Ask):
            verdict = self._ruling(place, pair, held, there, verdict)
        elif place in self._guests:
            verdict = only_filling(verdict, left, there)
        if isinstance(verdict, Ask):
            self._disputed += (verdict.because,)
            self._tell(pair, held, verdict.because, None, MISSING)
            return
        to_left, to_right = sent(verdict, left, there)
        if alike and isinstance(verdict, Settle) and pair.same(verdict.value, held[1]):
            to_left = to_right = MISSING
        self._write(place, pair, held, to_left, to_right, verdict.because, first=state.first)

    def overrule(self) -> None:
        """Let a person who has ruled decide the fields whose values would be refused."""
        for place, (why, pair, held) in tuple(self._problems.items()):
            ruled = self._ruled.to(self._question(place, why, held))
            if ruled is None:
                continue
            try:
                there: Cell | Missing = held[1] if ruled == "leave" else pair.decode(held[1])
            except (ValueError, Raised):
                if ruled == "right":
                    continue
                # What is written over need not be read.
                there = MISSING
            del self._problems[place]
            told = (pair.left, pair.right)
            self._fields = [line for line in self._fields if (line.left_field, line.right_field) != told]
            _ = self._write_left.pop(place, None), self._write_right.pop(place, None)
            to_left = there if ruled == "right" and differs(there, held[0]) else MISSING
            to_right = held[0] if ruled == "left" and differs(held[0], there) else MISSING
            self._write(place, pair, held, to_left, to_right, because(Code.RULED, field=pair.right))

    def _ruling(self, place: int, pair: Pair, held: tuple[Cell, Cell], there: Cell, asks: Ask) -> Settle | Leave | Ask:
        """Let a person decide what a policy asks, where one has answered this very question."""
        why = Reason(asks.because.code, {**asks.because.facts, "field": pair.right})
        question = self._question(place, why, held)
        ruled, decided = self._ruled.to(question), because(Code.RULED, field=pair.right)
        if ruled is None:
            self._asked += ((why, question),)
            return Ask(why)
        return Leave(decided) if ruled == "leave" else Settle(held[0] if ruled == "left" else there, decided)

    def _question(self, place: int, why: Reason, held: tuple[Cell, Cell]) -> str:
        return self._ruled.of_field(why, held, (self._halves[0][place], self._halves[1][place]))

    def _write(
        self,
        place: int,
        pair: Pair,
        held: tuple[Cell, Cell],
        to_left: Cell | Missing,
        to_right: Cell | Missing,
        why: Reason,
        *,
        first: bool = False,
    ) -> None:
        """Write what may be written; *to_right* is in the left's terms still."""
        writes_right = to_right is not MISSING and pair.writes_right
        if to_left is not MISSING and not pair.writes_left:
            to_left, why = MISSING, why if writes_right else because(Code.NOT_WRITABLE, field=pair.left)
        if to_right is not MISSING and not pair.writes_right:
            to_right, why = MISSING, why if to_left is not MISSING else because(Code.NOT_WRITABLE, field=pair.right)
        if to_left is MISSING and to_right is MISSING:
            self.agreed[place] = held
            self._tell(pair, held, why, None, MISSING)
            return
        shut_left, shut_right = self._gated
        closed = (shut_left if to_left is not MISSING else None) or (shut_right if to_right is not MISSING else None)
        if closed is not None:
            self._skipped += (closed,)
            self._tell(pair, held, closed, None, MISSING)
            return
        needed = False
        if to_left is not MISSING:
            needed = self._send(place, pair, held, "left", to_left, why, first=first)
        if to_right is not MISSING:
            try:
                encoded = pair.encode(to_right)
            except ValueError:
                self._problems[place] = because(Code.CODEC_FAILED, field=pair.right), pair, held
                return
            except Raised as trouble:
                self._problems[place] = trouble.because, pair, held
                return
            needed = self._send(place, pair, held, "right", encoded, why, first=first) or needed
        if not needed:
            self.agreed[place] = held

    def _send(
        self,
        place: int,
        pair: Pair,
        held: tuple[Cell, Cell],
        towards: Side,
        value: Cell,
        why: Reason,
        *,
        first: bool = False,
    ) -> bool:
        """Send a value, or the pair's answer to one that would be refused; say whether anything is to be written."""
        spec = pair.left_spec if towards == "left" else pair.right_spec
        trouble = None if spec is None else problem(spec, value, creating=False)
        answer = None
        if spec is not None and trouble is not None:
            there = held[0] if towards == "left" else held[1]
            judged = pair.answered(spec, value, trouble, held=there, towards=towards, creating=False)
            if isinstance(judged, Reason):
                self._problems[place] = judged, pair, held
                self._tell(pair, held, judged, towards, MISSING)
                return True
            value, answer = judged.value, judged.answer
            if not differs(value, there) or (first and is_blank(value)):
                # It stands there already, or would clear at first contact what was never agreed.
                self._tell(pair, held, why, None, MISSING, answer)
                return False
        writes = self._write_left if towards == "left" else self._write_right
        writes[place] = value
        self._fields.append(FieldDecision(pair.left, pair.right, held[0], held[1], value, towards, why, answer))
        return True

    def _tell(
        self,
        pair: Pair,
        held: tuple[Cell, Cell],
        why: Reason,
        towards: Side | None,
        sent: Cell | Missing,
        answer: Reason | None = None,
    ) -> None:
        self._fields.append(FieldDecision(pair.left, pair.right, held[0], held[1], sent, towards, why, answer))

    def done(self, agreed_left: Cells, agreed_right: Cells) -> Merge:
        """Put together what was decided."""
        if self.agreed:
            left, right = list(agreed_left), list(agreed_right)
            for place, cells in self.agreed.items():
                left[place], right[place] = cells
            agreed_left, agreed_right = tuple(left), tuple(right)
        refused = self._problems.items()
        return Merge(
            agreed_left,
            agreed_right,
            self._write_left,
            self._write_right,
            tuple(self._fields),
            self._disputed,
            tuple(why for why, _, _ in self._problems.values()),
            self._skipped,
            (*self._asked, *((why, self._question(place, why, held)) for place, (why, _, held) in refused)),
        )


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
    ruled: Answers = _UNASKED,
    guests: frozenset[int] = frozenset(),
    filling: bool = False,
) -> Merge:
    """Decide every field of a pair of records.

    *gated*: why the left, or the right, may not be written now. *ruled*: what people answered about disputes, and
    about values that would be refused; an answer counts for its own question alone.
    *filling*: what was never agreed is only filled where it is blank, and else left to a person.
    *guests*: the places of fields of a shared right record that this left one does not own, and so only fills.
    A field that was not read takes no part and its agreement does not move.
    """
    halves = agreed_left, agreed_right
    work = _Merging(times, moment, gated, ruled, guests, halves, filling=filling)
    for place in pairing.moved(left, right, agreed_left, agreed_right):
        pair, one, two = pairing.pairs[place], left[place], right[place]
        if one is MISSING or two is MISSING:
            continue
        l0, r0 = agreed_left[place], agreed_right[place]
        if l0 is MISSING or r0 is MISSING or (one != l0 and two != r0):
            if pair.same(one, two):
                if l0 is MISSING or r0 is MISSING or not pair.looks_back:
                    work.agreed[place] = one, two
                else:
                    work.judge(place, pair, (one, two), (l0, r0), alike=True)
                continue
        elif place not in guests and (pair.crosses or (pair.values_cross and not is_blank(one) and not is_blank(two))):
            work.cross(place, pair, (one, two), "left" if one != l0 else "right")
            continue
        work.judge(place, pair, (one, two), (l0, r0))
    work.overrule()
    return work.done(agreed_left, agreed_right)


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
        waiting = pair.kept(unsettled, None)
        now = read[place]
        if waiting is None or isinstance(now, Missing):
            continue
        learned[place] = now if pair.own(side, waiting.sent, now) else waiting.sent
    return tuple(learned)
