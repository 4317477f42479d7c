"""Values that a person gives for one write: held against the target's schema like all others, and told by the journal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..definition import Definition
from ..errors import UsageError
from ..model import MISSING, Cell, FieldDecision, Link, Missing, RecordRef, Side, is_blank, other
from ..plan import Cells, Gated, Merge, NewRecord, Pairing, differs
from ..preflight import problem
from ..reasons import Code, Fact, Reason, because
from ..roles import QueueRow
from ._run import Edit, Run
from ._subjects import Subject, Verdict


def edits_of(
    definition: Definition, parked: Sequence[QueueRow], refs: Sequence[RecordRef], edit: Edit
) -> Mapping[RecordRef, Edit]:
    """Take a person's values for parked records.

    Raises `UsageError` where nobody is named, for a record that is not parked, and for a field that no pair writes.
    """
    if not (edit.by.strip() and refs):
        raise UsageError(f"{definition.name}: values are for records that are named, and say by whom they are")
    rows = {row.ref: row for row in parked if row.state in ("disputed", "quarantined")}
    for ref in refs:
        if ref not in rows:
            raise UsageError(f"{definition.name}: {ref} is neither disputed nor in quarantine")
        side = other(rows[ref].side)
        end = definition.end(side)
        names = {named[0] for pair in definition.every_field for kind in end.kinds if (named := pair.on(side, kind))}
        unknown = sorted(edit.values.keys() - names)
        if unknown:
            raise UsageError(f"{definition.name}: no pair writes {end.system}.{unknown[0]}")
    return dict.fromkeys(refs, edit)


def given(run: Run, verdict: Verdict) -> bool:
    """Say whether a person gave values for this write: whatever goes on by itself later would not send them."""
    return any(row.ref in run.edits for row in verdict.subject.rows)


def edited(
    run: Run, subject: Subject, link: Link, pairing: Pairing, decided: Merge, held: Mapping[Side, Cells], gated: Gated
) -> Merge:
    """Put a person's values into the decision of a pair, in place of what was decided about these fields."""
    for row in subject.rows:
        edit, towards = run.edits.get(row.ref), other(row.side)
        if edit is not None and gated[0 if towards == "left" else 1] is None:
            places = _places(pairing, towards, edit, creating=False)
            for place, value in places.items():
                decided = _one(pairing, place, decided, held, towards, value, _why(pairing, place, towards, edit))
            unsent = _unsent(run, pairing, towards, edit, places, link.case)
            decided = decided._replace(problems=(*unsent, *decided.problems))
    return decided


def _one(
    pairing: Pairing, place: int, decided: Merge, held: Mapping[Side, Cells], towards: Side, value: Cell, why: Reason
) -> Merge:
    pair = pairing.pairs[place]
    left, right = held["left"][place], held["right"][place]
    names = pair.left, pair.right
    decided = decided._replace(
        fields=tuple(line for line in decided.fields if (line.left_field, line.right_field) != names),
        problems=_others(decided.problems, names),
        disputed=_others(decided.disputed, names),
        write_left={at: cell for at, cell in decided.write_left.items() if at != place},
        write_right={at: cell for at, cell in decided.write_right.items() if at != place},
    )
    if not differs(held[towards][place], value):
        return decided._replace(left=_with(decided.left, place, left), right=_with(decided.right, place, right))
    spec = pair.spec(towards)
    trouble = None if spec is None else problem(spec, value, creating=False)
    sent = MISSING if trouble is not None else value
    line = FieldDecision(*names, left, right, sent, towards, trouble or why)
    decided = decided._replace(fields=(*decided.fields, line))
    if trouble is not None:
        return decided._replace(problems=(*decided.problems, trouble))
    if towards == "left":
        return decided._replace(write_left={**decided.write_left, place: value})
    return decided._replace(write_right={**decided.write_right, place: value})


def edited_creation(
    run: Run, subject: Subject, pairing: Pairing, towards: Side, made: NewRecord, held: Cells, case: str | None
) -> NewRecord:
    """Put a person's values into a record that is to be made."""
    edit = next((run.edits[row.ref] for row in subject.rows if row.ref in run.edits), None)
    if edit is None:
        return made
    values, fields, problems = dict(made.values), list(made.fields), made.problems
    places = _places(pairing, towards, edit, creating=True)
    for place, value in places.items():
        pair = pairing.pairs[place]
        names, spec = (pair.left, pair.right), pair.spec(towards)
        problems = _others(problems, names)
        fields = [line for line in fields if (line.left_field, line.right_field) != names]
        _ = values.pop(place, None)
        trouble = None if spec is None else problem(spec, value, creating=True)
        if trouble is not None:
            problems = (*problems, trouble)
        elif not is_blank(value):
            left, right = (held[place], None) if towards == "right" else (None, held[place])
            values[place] = value
            fields.append(FieldDecision(*names, left, right, value, towards, _why(pairing, place, towards, edit)))
    return NewRecord(values, tuple(fields), (*_unsent(run, pairing, towards, edit, places, case), *problems))


def _places(pairing: Pairing, towards: Side, edit: Edit, *, creating: bool) -> dict[int, Cell]:
    """Find the pairs that write the fields that a person gave values for."""
    found: dict[int, Cell] = {}
    for place, pair in enumerate(pairing.pairs):
        if towards == "left":
            writable = pair.creates_left if creating else pair.writes_left
        else:
            writable = pair.creates_right if creating else pair.writes_right
        if writable and pair.field(towards) in edit.values:
            found[place] = edit.values[pair.field(towards)]
    return found


def _unsent(
    run: Run, pairing: Pairing, towards: Side, edit: Edit, places: Iterable[int], case: str | None
) -> tuple[Reason, ...]:
    """Name the values that this record's pairs do not write: nothing is sent without them, since a person gave them."""
    written = {pairing.pairs[place].field(towards) for place in places}
    system = run.definition.end(towards).system
    facts: dict[str, Fact] = {} if case is None else {"case": case}
    unsent = sorted(edit.values.keys() - written)
    return tuple(because(Code.EDIT_NOT_SENT, system=system, field=field, **facts) for field in unsent)


def _why(pairing: Pairing, place: int, towards: Side, edit: Edit) -> Reason:
    return because(Code.EDITED, field=pairing.pairs[place].field(towards), editor=edit.by)


def _others(reasons: Sequence[Reason], names: tuple[str, str]) -> tuple[Reason, ...]:
    return tuple(why for why in reasons if why.facts.get("field") not in names)


def _with(cells: Cells, place: int, cell: Cell | Missing) -> Cells:
    return (*cells[:place], cell, *cells[place + 1 :])
