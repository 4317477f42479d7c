"""What is known of the references of a batch: where they lead, and whom they keep from going on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

import attrs

from ..given import Reference, references
from ..model import MISSING, Cell, Disposition, FieldDecision, Missing, Record, RecordRef, Side, is_blank
from ..plan import Cells, Pair, Pairing
from ..protocols import KeyValue, Question
from ..reasons import Code, Reason, because
from ..roles import QueueState
from ._asking_on import Answer

_FIRST = (Disposition.SKIPPED, Disposition.QUARANTINED, Disposition.DISPUTED, Disposition.HELD)
"""Where several references stop one record, the earliest of these is its reason: what ends need not wait."""


@attrs.frozen
class Stop:
    """Why a record does not go on, and how its rows are parked."""

    disposition: Disposition
    because: Reason
    park: QueueState | None
    until: dt.datetime | None = None
    question: str | None = None
    """What a person is asked, where one is."""


@attrs.define(eq=False)
class Index:
    """The records of one kind by their comparison keys, where a vendor cannot be asked for them."""

    refs: dict[KeyValue, dict[RecordRef, None]] = attrs.field(factory=lambda: dict[KeyValue, dict[RecordRef, None]]())

    def answer(self, question: Question) -> Sequence[RecordRef]:
        """Give the records that have all keys of one alternative."""
        found: dict[RecordRef, None] = {}
        for keys in question.any_of:
            first, *others = (self.refs.get(key, {}) for key in keys)
            found.update((ref, None) for ref in first if all(ref in held for held in others))
        return list(found)[: question.limit]


@attrs.define(eq=False)
class Followed:
    """Where references lead: of the batch at hand, and what look-ups have learned in this run."""

    across: dict[tuple[str, Side, Cell], RecordRef] = attrs.field(
        factory=lambda: dict[tuple[str, Side, Cell], RecordRef]()
    )
    """Of references that cross both ways: the counterpart of what a value points to."""
    stops: dict[RecordRef, Stop] = attrs.field(factory=lambda: dict[RecordRef, Stop]())
    told: dict[tuple[RecordRef, str], Reason] = attrs.field(factory=lambda: dict[tuple[RecordRef, str], Reason]())
    """By record and column: what was followed, for `why`."""
    lost: set[tuple[RecordRef, str]] = attrs.field(factory=lambda: set[tuple[RecordRef, str]]())
    """By record and column: what names a record that was not found. It is no clear, so the field stays as it is."""
    unasked: set[RecordRef] = attrs.field(factory=lambda: set[RecordRef]())
    """Records for which no parent was looked for, since they were not to be made themselves."""
    waiting: dict[RecordRef, set[str]] = attrs.field(factory=lambda: dict[RecordRef, set[str]]())
    """By record that is stopped: the columns that lead nowhere. What they would hold is not known."""
    answers: dict[tuple[str, Question], Answer] = attrs.field(factory=lambda: dict[tuple[str, Question], Answer]())
    """What a look-up was told, for the whole run."""
    records: dict[tuple[str, RecordRef], Record | None] = attrs.field(
        factory=lambda: dict[tuple[str, RecordRef], Record | None]()
    )
    """What it then read by id; None: it was not there."""
    indexes: dict[tuple[str, str], Index] = attrs.field(factory=lambda: dict[tuple[str, str], Index]())
    """By look-up and kind."""
    there: dict[RecordRef, bool] = attrs.field(factory=lambda: dict[RecordRef, bool]())
    """Whether a record is there that a value points to, as far as this run knows."""

    def leads(self, refs: Sequence[RecordRef]) -> bool:
        """Say whether one of these records is known to be there."""
        return any(self.there.get(ref, False) for ref in refs)

    def forget(self, most: int) -> None:
        """Begin another batch; what look-ups have learned is kept while it is not more than *most* records."""
        self.across.clear()
        self.stops.clear()
        self.told.clear()
        self.lost.clear()
        self.unasked.clear()
        self.waiting.clear()
        if len(self.records) > most or len(self.answers) > most:
            self.records.clear()
            self.answers.clear()
        if len(self.there) > most:
            self.there.clear()

    def stop(self, ref: RecordRef, stop: Stop, columns: Sequence[str] = ()) -> None:
        """Keep a record from going on; *columns*: those that lead nowhere."""
        if columns:
            self.waiting.setdefault(ref, set()).update(columns)
        known = self.stops.get(ref)
        if known is None or _FIRST.index(stop.disposition) < _FIRST.index(known.disposition):
            self.stops[ref] = stop

    def stopped(self, *records: Record | None) -> Stop | None:
        """Tell what keeps a pair, or a record alone, from going on."""
        return next((self.stops[one.ref] for one in records if one is not None and one.ref in self.stops), None)

    def found(self, pairing: Pairing, record: Record, cells: Cells) -> Cells:
        """Take for not read what waits for a reference, and what is blank only because one of it was not found.

        So what waits never equals what was agreed: no pair is at rest that a first parent has not reached yet.
        """
        if not self.lost and not self.waiting:
            return cells
        waiting = self.waiting.get(record.ref, frozenset[str]())

        def unknown(pair: Pair, cell: Cell | Missing) -> bool:
            waits = any(one.column in waiting for one in references(pair.given))
            return waits or (is_blank(cell) and self._lost(pair, record.ref) is not None)

        return tuple(MISSING if unknown(*one) else one[1] for one in zip(pairing.pairs, cells, strict=True))

    def _lost(self, pair: Pair, ref: RecordRef) -> Reference | None:
        return next((one for one in references(pair.given) if (ref, one.column) in self.lost), None)

    def kept(self, pairing: Pairing, ref: RecordRef, left: Cells, right: Cells) -> Iterator[FieldDecision]:
        """Say of the fields that stay as they are which reference of them was not found."""
        for pair, own, there in zip(pairing.pairs, left, right, strict=True):
            one = self._lost(pair, ref) if own is MISSING and self.lost else None
            if one is not None and not is_blank(there):
                why = because(Code.NOT_FOLLOWED, reference=one.name, field=pair.right)
                yield FieldDecision(pair.left, pair.right, MISSING, there, MISSING, None, why)

    def explained(
        self, ref: RecordRef, fields: tuple[FieldDecision, ...], columns: Mapping[str, tuple[str, ...]]
    ) -> tuple[FieldDecision, ...]:
        """Say of the fields that a reference filled which record it led to; *columns*: by the field's left name."""
        found: list[FieldDecision] = []
        for line in fields:
            names = columns.get(line.left_field, ()) if line.towards == "right" else ()
            why = next((self.told[ref, name] for name in names if (ref, name) in self.told), line.because)
            found.append(line if why is line.because else attrs.evolve(line, because=why))
        return tuple(found)
