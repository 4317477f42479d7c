"""What takes a run back: from the journal, against the agreement as it stands and both records as they are.

A field goes back to what it held only where nobody has touched it since, on either side; a record that was made is
removed only where it is as we left it. All else is left alone and says so. What is undone is agreed, so that no later
run does it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from ..model import (
    MISSING,
    SIDES,
    Archive,
    Cell,
    Delete,
    Disposition,
    FieldDecision,
    Link,
    Missing,
    Record,
    RecordRef,
    Side,
    other,
)
from ..model.sealed import Sealed
from ..plan import Merge, Pairing, State, differs
from ..preflight import problem
from ..reasons import Code, Reason, because
from ..roles import Intent, JournalRow, QueueRow
from ._decide import unshown
from ._halves import Half, half
from ._held_on_to import held_on_to
from ._merging import agreed_so_far, updates
from ._run import SHORTLY, Run
from ._seen import Look, Seen, is_gone
from ._subjects import Subject, Verdict, digest

Names = tuple[str, str]
"""A left and a right field."""


@attrs.frozen
class Trace:
    """What one run did to one record."""

    side: Side
    ref: RecordRef
    origin: RecordRef
    created: bool
    removed: bool
    fields: Mapping[Names, tuple[Cell | Missing, Cell | Missing]] = attrs.field(repr=False)
    """What each written field held before, and what was sent to it last."""
    version: str | None
    """After the run's last write to it."""
    latest: str | None
    """After our last write to it, in whatever run."""


@attrs.frozen
class Traced:
    """A pair of records, or what is left of it, and what a run did to either."""

    traces: tuple[Trace, ...]
    link: Link | None = None
    crowd: int = 0
    """How many live links hold the record that was made."""
    taken: frozenset[Side] = frozenset()
    """The sides whose record another live link holds by now."""


def traced(rows: Sequence[JournalRow], ref: RecordRef, run: str) -> Trace | None:
    """Fold what a run wrote to a record, of all journal rows about it, oldest first."""
    own = [row for row in rows if row.ref == ref]
    mine = [row for row in own if row.run == run]
    if not mine:
        return None
    fields: dict[Names, tuple[Cell | Missing, Cell | Missing]] = {}
    for row in mine:
        for line in row.fields:
            names = line.left_field, line.right_field
            held = line.left if row.side == "left" else line.right
            fields[names] = fields[names][0] if names in fields else held, line.sent
    return Trace(
        mine[-1].side,
        ref,
        mine[-1].origin,
        any(row.verb == "create" for row in mine),
        mine[-1].verb in ("archive", "delete"),
        fields,
        mine[-1].version,
        own[-1].version,
    )


def taken_back(run: Run, look: Look, found: Traced, undoing: str, held: Mapping[RecordRef, Intent]) -> Verdict:
    """Decide how what a run did to a pair is taken back."""
    why = because(Code.UNDONE, run=undoing)
    first = found.traces[0]
    rows = [QueueRow(trace.side, trace.ref, run=run.id) for trace in found.traces]
    subject = Subject(rows, first.side, first.ref, found.link)
    blank = Verdict(subject, Disposition.SKIPPED, why, None, counterpart=first.origin)
    system = run.definition.end(first.side).system
    if any(ref in held for trace in found.traces for ref in (trace.ref, trace.origin)):
        return attrs.evolve(blank, disposition=Disposition.HELD, because=because(Code.INTENT_OPEN, system=system))
    made = next((trace for trace in found.traces if trace.created), None)
    removed = next((trace for trace in found.traces if trace.removed), None)
    if found.link is not None and removed is not None:
        return _tied_again(run, look, found, found.link, removed, blank)
    if found.link is None or not run.definition.end(first.side).reads:
        return attrs.evolve(blank, because=because(Code.NOT_UNDOABLE, system=system))
    if made is not None:
        return _removed(run, look, found, made, blank, why)
    if found.link.closed is not None:
        return attrs.evolve(blank, because=because(Code.CHANGED_SINCE, system=system))
    return _restored(run, look, found, found.link, blank, why)


# -- records that were made ------------------------------------------------------------------


def _removed(run: Run, look: Look, found: Traced, made: Trace, blank: Verdict, why: Reason) -> Verdict:
    """Remove a record that the run made, in the gentlest way its system has, if it is as we left it.

    The link closes with the promise, before the first byte is sent: whatever becomes of the request, the removal is
    never taken for a person's and carried over to the record's origin.
    """
    link, seen = found.link, look.at(made.side, made.ref)
    system = run.definition.end(made.side).system
    if is_gone(seen):
        return attrs.evolve(blank, disposition=Disposition.UNCHANGED, because=because(Code.NOTHING_TO_DO))
    if link is None or not isinstance(seen, Record) or found.crowd > 1 or _touched(run, link, made, seen):
        return attrs.evolve(blank, because=because(Code.CHANGED_SINCE, system=system))
    able = run.able(made.side, made.ref.kind)
    if not (able.archives or able.deletes):
        return attrs.evolve(blank, because=because(Code.NOT_UNDOABLE, system=system))
    key = digest(run.name, "undo", str(made.ref), run.id)
    make = Archive if able.archives else Delete
    action = make(made.ref, key, why, seen.version if able.conditional_writes else None)
    intent = Intent(
        key, made.side, action, made.origin, link.id, run.now(), incarnation=link.incarnation, because=why, run=run.id
    )
    left, right = (seen if side == made.side else look.record(side, link.ref(side)) for side in SIDES)
    return attrs.evolve(
        blank,
        disposition=Disposition.APPLIED,
        link=attrs.evolve(link, closed=link.closed or why),
        intents=(intent,),
        left=left,
        right=right,
    )


def _touched(run: Run, link: Link, made: Trace, seen: Record) -> bool:
    """Say whether anybody has changed a record since the run made it."""
    if made.version is not None and seen.version == made.version:
        return False
    if None not in (made.latest, seen.version) and seen.version != made.latest:
        return True
    pairing = run.pairing(link.left.kind, link.right.kind)
    now = half(run, made.side, link, seen, pairing)
    places = _places(pairing)
    sent = [(places.get(names), value) for names, (_, value) in made.fields.items()]
    return now.state is not State.SAME or not all(
        place is not None and _ours(pairing, place, made.side, value, now) for place, value in sent
    )


# -- records that were removed ---------------------------------------------------------------


def _tied_again(run: Run, look: Look, found: Traced, link: Link, removed: Trace, blank: Verdict) -> Verdict:
    """Tie two records again once a person has restored what was removed; nothing is made anew in its place.

    Vendor: neither Salesforce's REST interface nor Account Engagement's restores a record by its id, so a program cannot
    bring back what was removed as itself.
    """
    side = removed.side
    systems: dict[Side, str] = {one: run.definition.end(one).system for one in SIDES}
    seen: dict[Side, Seen] = {one: look.at(one, link.ref(one)) for one in SIDES}
    order: tuple[Side, Side] = (side, other(side))
    gone: list[Side] = [one for one in order if is_gone(seen[one])]
    if gone:
        ref = link.ref(gone[0])
        why = because(Code.RESTORE_BY_HAND, system=systems[gone[0]], record=f"{ref.kind} {ref.id}")
        return attrs.evolve(blank, because=why)
    left, right = seen["left"], seen["right"]
    if link.closed is None:
        return attrs.evolve(blank, disposition=Disposition.UNCHANGED, because=because(Code.NOTHING_TO_DO))
    ours = link.closed.code in (Code.REMOVED, Code.UNDONE) and not found.taken
    if not ours or not isinstance(left, Record) or not isinstance(right, Record):
        return attrs.evolve(blank, because=because(Code.CHANGED_SINCE, system=systems[side]))
    # As they last agreed, so that what anybody changed meanwhile is an edit.
    reopened = attrs.evolve(
        link,
        closed=None,
        left_agreed=attrs.evolve(link.left_agreed, settled_version=None),
        right_agreed=attrs.evolve(link.right_agreed, settled_version=None),
    )
    return attrs.evolve(blank, disposition=Disposition.APPLIED, park="ready", link=reopened, left=left, right=right)


# -- fields that were written ------------------------------------------------------------------


def _restored(run: Run, look: Look, found: Traced, link: Link, blank: Verdict, why: Reason) -> Verdict:
    """Give each field that the run wrote what it held before, where nobody has touched it since."""
    pairing = run.pairing(link.left.kind, link.right.kind)
    left, right = (half(run, side, link, look.at(side, link.ref(side)), pairing) for side in SIDES)
    missed = unshown(run, link, left, right)
    if missed is not None:
        return attrs.evolve(blank, because=missed)
    if State.UNKNOWN in (left.state, right.state):
        wait = because(Code.READ_TOO_EARLY)
        return attrs.evolve(blank, disposition=Disposition.HELD, because=wait, until=run.now() + SHORTLY)
    if State.GONE in (left.state, right.state):
        gone = run.definition.end("left" if left.state is State.GONE else "right").system
        return attrs.evolve(blank, because=because(Code.CHANGED_SINCE, system=gone))
    judged = _Judged(run, pairing, {"left": left, "right": right}, why)
    for trace in found.traces:
        for names, (before, sent) in trace.fields.items():
            judged.field(trace, names, before, sent)
    judged.both_or_none()
    verdict = attrs.evolve(blank, fields=judged.told(), left=left.record, right=right.record)
    decided = Merge(left.agreed, right.agreed, judged.writes["left"], judged.writes["right"], judged.told())
    settled = agreed_so_far(link, pairing, left, right, decided)
    intents = updates(run, verdict.subject, settled, pairing, left, right, decided, why)
    if intents:
        return attrs.evolve(verdict, disposition=Disposition.APPLIED, park="ready", link=settled, intents=intents)
    refused = next(iter(judged.refused.values()), None)
    if refused is not None:
        return attrs.evolve(verdict, because=refused)
    return attrs.evolve(verdict, disposition=Disposition.UNCHANGED, because=because(Code.NOTHING_TO_DO))


@attrs.define(eq=False)
class _Judged:
    """Judges the fields of a pair one after the other, and collects what comes of it."""

    run: Run
    pairing: Pairing
    halves: Mapping[Side, Half]
    why: Reason
    writes: dict[Side, dict[int, Cell]] = attrs.field(factory=lambda: {side: dict[int, Cell]() for side in SIDES})
    refused: dict[tuple[Side, Names], Reason] = attrs.field(factory=lambda: dict[tuple[Side, Names], Reason]())
    places: dict[Names, int] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.places = _places(self.pairing)

    def field(self, trace: Trace, names: Names, before: Cell | Missing, sent: Cell | Missing) -> None:
        """Put a field back, or say why not; one that holds what it held before needs neither."""
        side, place = trace.side, self.places.get(names)
        name = names[0] if side == "left" else names[1]
        system = self.run.definition.end(side).system
        if place is None or isinstance(before, Missing | Sealed):
            self.refused[side, names] = because(Code.NOT_UNDOABLE, system=system, field=name)
            return
        own, across = self.halves[side], self.halves[other(side)]
        now, pair = own.cells[place], self.pairing.pairs[place]
        if not differs(now, before):
            return
        record = own.record
        same_version = trace.version is not None and record is not None and record.version == trace.version
        if now != own.agreed[place] or not (same_version or _ours(self.pairing, place, side, sent, own)):
            self.refused[side, names] = because(Code.CHANGED_SINCE, system=system, field=name)
            return
        if across.cells[place] != across.agreed[place]:
            there = self.run.definition.end(other(side)).system
            self.refused[side, names] = because(Code.CHANGED_SINCE, system=there, field=pair.field(other(side)))
            return
        spec = pair.spec(side)
        trouble = None if spec is None else problem(spec, before, creating=False)
        if not (pair.writes_left if side == "left" else pair.writes_right):
            trouble = because(Code.NOT_WRITABLE, system=system, field=name)
        trouble = trouble or held_on_to(pair, place, side, before, self.halves, system)
        if trouble is not None:
            self.refused[side, names] = trouble
        else:
            self.writes[side][place] = before

    def both_or_none(self) -> None:
        """Keep a field that was written on both sides from being put back on one alone."""
        for (side, names), why in list(self.refused.items()):
            place = self.places.get(names)
            if place is not None and self.writes[other(side)].pop(place, None) is not None:
                self.refused[other(side), names] = why

    def told(self) -> tuple[FieldDecision, ...]:
        """Say what becomes of each field."""
        left, right = self.halves["left"].cells, self.halves["right"].cells
        lines: list[FieldDecision] = []
        for side in SIDES:
            for place, value in sorted(self.writes[side].items()):
                pair = self.pairing.pairs[place]
                lines.append(FieldDecision(pair.left, pair.right, left[place], right[place], value, side, self.why))
        for (_, names), why in self.refused.items():
            known = self.places.get(names)
            held = (MISSING, MISSING) if known is None else (left[known], right[known])
            lines.append(FieldDecision(*names, *held, MISSING, None, why))
        return tuple(lines)


def _places(pairing: Pairing) -> dict[Names, int]:
    return {(pair.left, pair.right): place for place, pair in enumerate(pairing.pairs)}


def _ours(pairing: Pairing, place: int, side: Side, sent: Cell | Missing, found: Half) -> bool:
    """Say whether a field still holds what we sent to it, in whatever form it was stored."""
    now = found.cells[place]
    if isinstance(sent, Missing) or isinstance(now, Missing):
        return False
    return pairing.pairs[place].own(side, sent, now)
