"""Following references: a batch's pointers lead over links, its keys to records, before anything is decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, TypeAlias

import attrs

from ..definition import End
from ..flow import Flow
from ..given import Given, Reference
from ..model import (
    MISSING,
    SIDES,
    Cell,
    Decision,
    Disposition,
    Link,
    Missing,
    Record,
    RecordRef,
    Rows,
    Side,
    is_blank,
    other,
)
from ..plan import Name, name_on, raised
from ..reasons import Code, Reason, because
from ..references import Absent, Ensured, FoundField, Linked, LookUp, Word
from ..roles import QueueRow
from ._followed import Stop
from ._look_up import Nothing, look_up
from ._ruled import of_look_up
from ._run import Run
from ._ties import links_of, lives_on

Columns: TypeAlias = "dict[RecordRef, dict[str, Cell | Missing]]"

AWAITED: Final = "(new)"
"""Stands in plans for the id of a record that a plan will make."""

_WAITS: Mapping[str, tuple[Disposition, Literal["held", "quarantined"] | None]] = {
    "hold": (Disposition.HELD, "held"),
    "skip": (Disposition.SKIPPED, None),
    "quarantine": (Disposition.QUARANTINED, "quarantined"),
}


def widened(run: Run, side: Side, tables: Sequence[Rows]) -> Flow[list[Rows]]:
    """Follow the references of records that were read, and give them with a column for each."""
    references = run.references if side == "left" else ()
    if not references and not run.crossings:
        return list(tables)
    records = [record for rows in tables for record in rows]
    yield from _crossed(run, side, records)
    if not references or not records:
        return list(tables)
    columns: Columns = {record.ref: {} for record in records}
    for reference in references:
        if isinstance(reference, Linked | Ensured):
            yield from follow_links(run, reference, records, columns)
    for asked in look_ups(references):
        yield from _look(run, asked, records, columns)
    names = tuple(reference.column for reference in references)
    return [_beside(rows, names, columns) for rows in tables]


def _beside(rows: Rows, names: tuple[str, ...], columns: Columns) -> Rows:
    cells = tuple(
        (*rows.cells[row], *(columns[rows.ref(row)].get(name, MISSING) for name in names)) for row in range(len(rows))
    )
    return attrs.evolve(rows, fields=(*rows.fields, *names), cells=cells)


# -- by the links of another pipeline ---------------------------------------------------


def follow_links(run: Run, reference: Linked | Ensured, records: Sequence[Record], columns: Columns) -> Flow[None]:
    """Fill the column of a reference; what it cannot be followed to stops its record, as it says."""
    pointed = {record.ref: candidates(run, "left", reference, reference.of, record) for record in records}
    found, parked = yield from counterparts(run, reference.parents, "left", [*_every(pointed.values())])
    for record in records:
        parents = pointed[record.ref]
        ref = next((found[parent] for parent in parents if parent in found), None)
        value: Cell | Missing = ref
        if ref is not None:
            run.followed.there[ref] = True
            why = because(Code.FOLLOWED, reference=reference.name, record=f"{ref.kind} {ref.id}")
            run.followed.told[record.ref, reference.column] = why
        elif parents and isinstance(reference, Ensured):
            # Nothing stops it yet: its parent is made if this record is, and not if it matches one that has its own.
            value = MISSING
        elif parents and isinstance(reference, Linked):
            why_not = missing(reference.parents, parents, parked)
            value = lacking(run, reference.absent, record, why_not, reference.column)
            if reference.absent == "blank":
                run.followed.lost.add((record.ref, reference.column))
        columns[record.ref][reference.column] = value


def _every(pointed: Iterable[Sequence[RecordRef]]) -> dict[RecordRef, None]:
    return dict.fromkeys(ref for refs in pointed for ref in refs)


def candidates(run: Run, side: Side, reference: Linked | Ensured, of: Name | None, record: Record) -> list[RecordRef]:
    """Give the records that a field may point to: a plain id may be of any of the kinds that the field refers to."""
    if of is None:
        return [record.ref]
    named = name_on(of, record.rows.kind)
    value = MISSING if named is None else record.get(named[0])
    if isinstance(value, RecordRef):
        return [value]
    if named is None or isinstance(value, Missing) or is_blank(value):
        return []
    spec = run.schemas[side, record.rows.kind].fields[named[0]]
    kinds = reference.kinds.get(side) or spec.refers_to
    return [RecordRef(record.rows.system, kind, str(value)) for kind in kinds]


def counterparts(
    run: Run, parents: str, side: Side, refs: Sequence[RecordRef], *, closed: bool = False
) -> Flow[tuple[dict[RecordRef, RecordRef], Mapping[RecordRef, QueueRow]]]:
    """Give the counterparts of parents, merged ones followed, and the parked rows of those that have none."""
    if not refs:
        return {}, {}
    lives = yield from lives_on(run, side, refs, of=parents)
    known = yield from links_of(run, side, [*refs, *lives.values()], of=parents)
    found: dict[RecordRef, RecordRef] = {}
    for ref in refs:
        links: list[Link] = [*known.get(lives.get(ref, ref), ()), *known.get(ref, ())]
        link = next((one for one in links if closed or one.closed is None), None)
        if link is not None:
            found[ref] = link.right if side == "left" else link.left
    open_ones = [ref for ref in refs if ref not in found]
    parked = yield from run.ask(run.store.quarantine.of, parents, side, open_ones)
    if parents not in run.upcoming:
        return found, parked
    definition, plan = run.upcoming[parents]
    decided = yield from run.ask(run.store.outbox.planned, plan, open_ones)
    made, kept = foreseen(definition.end(other(side)), decided)
    return {**found, **made}, {**parked, **kept}


def foreseen(
    end: End, decisions: Mapping[RecordRef, Decision]
) -> tuple[dict[RecordRef, RecordRef], dict[RecordRef, QueueRow]]:
    """Tell where parents lead that are planned, and which of them wait or are left to a person, as they would be parked."""
    made: dict[RecordRef, RecordRef] = {}
    parked: dict[RecordRef, QueueRow] = {}
    for ref, decision in decisions.items():
        if decision.disposition in (Disposition.DISPUTED, Disposition.QUARANTINED):
            parked[ref] = QueueRow(decision.side, ref, "quarantined")
        elif decision.counterpart is not None:
            made[ref] = decision.counterpart
        elif decision.disposition is Disposition.APPLIED:
            made[ref] = RecordRef(end.system, end.new or end.kinds[0], AWAITED)
        elif decision.disposition is Disposition.HELD:
            parked[ref] = QueueRow(decision.side, ref, "held")
    return made, parked


def awaited(cell: Cell) -> bool:
    """Say whether a planned value points to a record that the plan itself was to make."""
    held = cell[0] if isinstance(cell, tuple) and cell else cell
    return held == AWAITED or (isinstance(held, RecordRef) and held.id == AWAITED)


def missing(parents: str, refs: Sequence[RecordRef], parked: Mapping[RecordRef, QueueRow]) -> Reason:
    """Say of which parent a record is in want, and whether that one is in trouble itself."""
    failed = next((ref for ref in refs if ref in parked and parked[ref].state in ("disputed", "quarantined")), None)
    ref = failed or refs[0]
    code = Code.PARENT_MISSING if failed is None else Code.PARENT_FAILED
    named = {
        "parent": f"{ref.kind} {ref.id}",
        "pipeline": parents,
        "system": ref.system,
        "kind": ref.kind,
        "id": ref.id,
    }
    return Reason(code, named if len(refs) == 1 else {**named, "kinds": len(refs)})


def waiting(run: Run, absent: Word, why: Reason) -> Stop:
    """Say how a record waits for what it refers to."""
    if why.code is Code.PARENT_FAILED and absent == "hold":
        return Stop(Disposition.QUARANTINED, why, "quarantined")
    disposition, park = _WAITS[absent]
    # A parent that is linked wakes whoever waits for it. Nobody tells of a record that a look-up would find, nor which
    # of several kinds a plain id was of.
    told = "pipeline" in why.facts and "kinds" not in why.facts
    until = run.now() + run.definition.looks_again if absent == "hold" and not told else None
    return Stop(disposition, why, park, until)


def lacking(run: Run, absent: Absent, record: Record, why: Reason, *columns: str) -> Cell | Missing:
    """Give what stands for a reference that leads nowhere, and stop its record where nothing does.

    *columns*: those that it fills; none where it crosses both ways, and its own field tells whether it has changed.
    """
    if not isinstance(absent, str):
        try:
            return absent.value(record)
        except Exception as error:  # noqa: BLE001 - whatever a function of one's own runs into
            run.followed.stop(record.ref, _stopping(raised(error, absent.name).because), columns)
            return None
    if absent != "blank":
        run.followed.stop(record.ref, waiting(run, absent, why), columns)
    return None


def _stopping(why: Reason, question: str | None = None) -> Stop:
    """Leave to a person what several match, and what a rule raised about."""
    if why.code in (Code.SEVERAL_MATCH, Code.TOO_MANY_MATCH):
        return Stop(Disposition.DISPUTED, why, "disputed", question=question)
    return Stop(Disposition.QUARANTINED, why, "quarantined")


# -- by keys --------------------------------------------------------------------------------


def look_ups(references: Iterable[Reference]) -> list[tuple[LookUp, tuple[FoundField, ...]]]:
    """Put together what is asked of one look-up."""
    found: dict[str, tuple[LookUp, tuple[FoundField, ...]]] = {}
    for reference in references:
        one = reference.look_up if isinstance(reference, FoundField) else reference
        if isinstance(one, LookUp):
            fields = found.get(one.name, (one, ()))[1]
            found[one.name] = one, (*fields, reference) if isinstance(reference, FoundField) else fields
    return list(found.values())


def _look(
    run: Run,
    asked: tuple[LookUp, tuple[FoundField, ...]],
    records: Sequence[Record],
    columns: Columns,
) -> Flow[None]:
    one, fields = asked
    names = (one.column, *(field.column for field in fields))
    answers = yield from look_up(run, one, tuple(field.field for field in fields), records)
    for record in records:
        answer, own = answers[record.ref], columns[record.ref]
        if isinstance(answer, Nothing):
            if answer.asked:
                # A value that is stated in place of what was not found is one, blank or not.
                own_too = (one,) if one.absent == "blank" else ()
                run.followed.lost.update((record.ref, column.column) for column in (*own_too, *fields))
            answer = answer.because
        if isinstance(answer, Reason):
            if answer.code is Code.PARENT_MISSING:
                fallback = lacking(run, one.absent, record, answer, *names)
            else:
                fallback = None
                question = of_look_up(one.name, record.ref, answer)
                run.followed.stop(record.ref, _stopping(answer, question), names)
            own[one.column] = fallback
            own.update((field.column, None) for field in fields)
            continue
        found, level = answer
        told = f"{found.ref.kind} {found.ref.id}"
        own[one.column] = found.ref
        run.followed.there[found.ref] = True
        for field in fields:
            own[field.column] = found.get(field.field)
        for column in names:
            why = because(Code.FOLLOWED, reference=column.removeprefix("@"), record=told, level=level)
            run.followed.told[record.ref, column] = why


# -- references that cross both ways -------------------------------------------------------


def _crossed(run: Run, side: Side, records: Sequence[Record]) -> Flow[None]:
    """Learn the counterparts of what either side points to, and stop what points to a record without one."""
    for _, via, name in _crossings(run, side):
        pointed = {record.ref: candidates(run, side, via, name, record) for record in records}
        found, parked = yield from counterparts(run, via.parents, side, [*_every(pointed.values())])
        for record in records:
            parents = pointed[record.ref]
            ref = next((found[parent] for parent in parents if parent in found), None)
            named = name_on(name, record.rows.kind)
            if ref is not None and named is not None:
                value = record.get(named[0])
                run.followed.across[via.name, side, _cell(value)] = ref
                run.followed.there[ref] = True
            elif parents:
                _ = lacking(run, via.absent, record, missing(via.parents, parents, parked))


def _cell(value: Cell | Missing) -> Cell:
    return None if isinstance(value, Missing) else value


def follow_agreements(run: Run, links: Sequence[Link]) -> Flow[None]:
    """Learn the counterparts of what both sides pointed to when they last agreed; closed links tell them too."""
    for side in SIDES:
        for crossing, via, name in _crossings(run, side):
            agreed = [
                (link.ref(side).kind, cell)
                for link in links
                for label, cell in zip(link.agreed(side).fields, link.agreed(side).cells, strict=True)
                if label in crossing and not isinstance(cell, Missing) and not is_blank(cell)
            ]
            yield from _agreed(run, side, via, name, agreed)


def _crossings(run: Run, side: Side) -> Iterator[tuple[tuple[str | None, ...], Linked, Name]]:
    """Give the labels of each pair that crosses by links, whose links these are, and the field on a side."""
    for pair in run.crossings:
        name = pair.left if side == "left" else pair.right
        if isinstance(pair.via, Linked) and not isinstance(name, Given):
            yield (pair.label, pair.formerly), pair.via, name


def _agreed(run: Run, side: Side, via: Linked, name: Name, agreed: Sequence[tuple[str, Cell]]) -> Flow[None]:
    pointed: dict[Cell, list[RecordRef]] = {}
    for kind, cell in agreed:
        named = name_on(name, kind)
        if named is not None:
            rows = Rows(run.definition.end(side).system, kind, (named[0],), ("",), ((cell,),))
            pointed[cell] = candidates(run, side, via, name, Record(rows, 0))
    found, _ = yield from counterparts(run, via.parents, side, [*_every(pointed.values())], closed=True)
    for cell, refs in pointed.items():
        ref = next((found[one] for one in refs if one in found), None)
        if ref is not None:
            _ = run.followed.across.setdefault((via.name, side, cell), ref)
