"""What to do about one subject: pure, given everything that was read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import assert_never, cast

import attrs

from ..given import references
from ..model import (
    SIDES,
    Agreed,
    Archive,
    Delete,
    Disposition,
    FieldDecision,
    Link,
    Record,
    RecordRef,
    Side,
    Update,
    other,
)
from ..plan import Cells, Merge, Move, Pair, Pairing, Raised, Removal, State, Times, absorb, merge, raised
from ..protocols import Admit, Crossing, Gate, Matched, Skip, Unmatched
from ..reasons import Code, Fact, Reason, because
from ..roles import FieldPromise, Intent, QueueRow, QueueState
from ._cases import case_of, told
from ._edited import edited
from ._followed import Stop
from ._reopened import unversioned
from ._ruled import move_of, side_choice
from ._run import SHORTLY, Run
from ._seen import Absent, Seen
from ._sharing import only_fills, still_shared
from ._strikes import MOST, strike
from ._subjects import Subject, Verdict, digest


@attrs.frozen
class Half:
    """One side of a pair as it stands."""

    state: State
    cells: Cells = attrs.field(repr=False)
    agreed: Cells = attrs.field(repr=False)
    record: Record | None = None
    judged: bool = False
    """A reading was taken for the stored form of our last write."""


def half(run: Run, side: Side, link: Link, seen: Seen, pairing: Pairing) -> Half:
    """Compare a side with its own half of the agreement, exactly."""
    agreed = link.agreed(side)
    cells = pairing.halves(agreed)
    if not isinstance(seen, Record):
        able = run.able(side, link.ref(side).kind)
        young = able.read_lag and run.now() - link.since <= able.read_lag
        says_nothing = isinstance(seen, Absent) and (young or able.absent == "kept")
        return Half(State.UNKNOWN if says_nothing else State.GONE, cells, cells)
    if agreed.own_stamp is not None and seen.stamp is not None and seen.stamp < agreed.own_stamp:
        return Half(State.UNKNOWN, cells, cells, seen)
    now = paired(run, side, seen, pairing)
    learned = absorb(pairing, side, now, cells, agreed.unsettled)
    state = State.SAME if now == learned else State.CHANGED
    return Half(state, now, learned, seen, bool(agreed.unsettled))


def paired(run: Run, side: Side, record: Record, pairing: Pairing) -> Cells:
    """Give a record's values in the order of the pairs; raises `Raised` where a rule that makes one does."""
    cells = pairing.reader(side, record.rows.fields)(record.rows, record.row)
    return run.followed.found(pairing, record, cells) if side == "left" else cells


def decide_linked(run: Run, subject: Subject, link: Link, left: Seen, right: Seen) -> Verdict:
    """Decide about a pair that has a live link; where a rule raises, the pair goes into quarantine."""
    try:
        return _linked(run, subject, link, left, right)
    except Raised as trouble:
        verdict = failed(subject, trouble, _read(left), _read(right))
        return attrs.evolve(verdict, counterpart=link.ref(other(subject.side)))


def failed(subject: Subject, trouble: Raised, left: Record | None, right: Record | None) -> Verdict:
    """Park what a rule of the author's own could not be asked about."""
    return Verdict(subject, Disposition.QUARANTINED, trouble.because, "quarantined", left=left, right=right)


def _linked(run: Run, subject: Subject, link: Link, left: Seen, right: Seen) -> Verdict:
    case = case_of(run, _read(left), _read(right), link)
    link = link if isinstance(case, Reason) or case == link.case else attrs.evolve(link, case=case)
    pairing = run.pairing(link.left.kind, link.right.kind, link.case)
    on_left, on_right = half(run, "left", link, left, pairing), half(run, "right", link, right, pairing)
    move = _move(run, link, on_left, on_right)
    match move:
        case Move.NOTHING:
            return _at_rest(subject, link, pairing, on_left, on_right, because(Code.UNCHANGED))
        case Move.MERGE:
            return decide_merge(run, subject, link, pairing, on_left, on_right, because(Code.CHANGED))
        case Move.HOLD:
            return _held(run, subject, on_left, on_right)
        case Move.CLOSE:
            return _closed(run, subject, link, on_left, on_right)
        case Move.ASK:
            why = because(Code.GONE_AND_CHANGED, system=_gone_from(run, on_left))
            return _verdict(subject, Disposition.DISPUTED, why, "disputed", on_left, on_right)
        case Move.REMOVE_LEFT | Move.REMOVE_RIGHT:
            return _removal(run, subject, link, on_left, on_right, "left" if move is Move.REMOVE_LEFT else "right")
        case Move.REVIVE_LEFT | Move.REVIVE_RIGHT:
            why = because(Code.REVIVED, system=_gone_from(run, on_left))
            survivor: Side = "right" if move is Move.REVIVE_LEFT else "left"
            verdict = _verdict(subject, Disposition.APPLIED, why, None, on_left, on_right)
            again = QueueRow(survivor, link.ref(survivor), run=run.id)
            return attrs.evolve(verdict, link=attrs.evolve(link, closed=why), wakes=(again,))
        case Move.CREATE_LEFT | Move.CREATE_RIGHT:
            raise AssertionError("a linked pair is never created")
        case _:
            assert_never(move)


def _read(seen: Seen) -> Record | None:
    return seen if isinstance(seen, Record) else None


def _move(run: Run, link: Link, left: Half, right: Half) -> Move:
    """Look the move up; a person may have ruled where it asks, and others may still hold a shared record."""
    move = run.table[left.state, right.state]
    run.judged(left.state, right.state, move)
    ruled = side_choice(run, link, (left.record, right.record))
    if move is Move.ASK and ruled is not None:
        move = move_of(ruled, left.state)
    return Move.CLOSE if move is Move.REMOVE_RIGHT and still_shared(run, link) else move


def _gone_from(run: Run, on_left: Half) -> str:
    return run.definition.end("left" if on_left.state is State.GONE else "right").system


def _verdict(
    subject: Subject, disposition: Disposition, why: Reason, park: str | None, left: Half, right: Half
) -> Verdict:
    return Verdict(subject, disposition, why, park, left=left.record, right=right.record)  # type: ignore[arg-type]


def _at_rest(subject: Subject, link: Link, pairing: Pairing, left: Half, right: Half, why: Reason) -> Verdict:
    """Both sides equal the agreement: remember at which versions, so that the next reading need not look."""
    now = attrs.evolve(
        link,
        left_agreed=settled(link.left_agreed, pairing, left),
        right_agreed=settled(link.right_agreed, pairing, right),
    )
    changed = None if now == link else now
    return Verdict(subject, Disposition.UNCHANGED, why, None, link=changed, left=left.record, right=right.record)


def settled(agreed: Agreed, pairing: Pairing, found: Half) -> Agreed:
    """Give a half of the agreement that a reading equals, at the version that was read."""
    version = found.record.version if found.record is not None else None
    stamp = found.record.stamp if found.judged and found.record is not None else agreed.own_stamp
    return Agreed(pairing.labels, found.agreed, {}, version, stamp)


def unshown(run: Run, link: Link, left: Half, right: Half) -> Reason | None:
    """Name the system that does not show a record of a pair, where that says nothing of it."""
    for side, found in (("left", left), ("right", right)):
        kept = found.state is State.UNKNOWN and found.record is None
        if kept and run.able(side, link.ref(side).kind).absent == "kept":  # type: ignore[arg-type]
            return because(Code.NOT_SHOWN, system=run.definition.end(side).system)  # type: ignore[arg-type]
    return None


def _held(run: Run, subject: Subject, left: Half, right: Half) -> Verdict:
    """Wait until a reading can be believed; a record that we wrote in this run was reported already."""
    link = subject.link
    missed = None if link is None else unshown(run, link, left, right)
    if link is not None and missed is not None:
        # What was to be done now is done when it is shown again, at whatever version that is.
        return attrs.evolve(_verdict(subject, Disposition.SKIPPED, missed, None, left, right), link=unversioned(link))
    waits = [SHORTLY]
    for side, found in (("left", left), ("right", right)):
        if found.state is State.UNKNOWN and link is not None:
            waits.append(run.able(side, link.ref(side).kind).read_lag)  # type: ignore[arg-type]
    why = because(Code.READ_TOO_EARLY)
    verdict = _verdict(subject, Disposition.HELD, why, "held", left, right)
    again = all(row.tries and row.run == run.id for row in subject.rows)
    return attrs.evolve(verdict, until=run.now() + max(waits), quiet=again)


def _closed(run: Run, subject: Subject, link: Link, left: Half, right: Half) -> Verdict:
    both = left.state is State.GONE and right.state is State.GONE
    why = because(Code.REMOVED) if both else because(Code.DETACHED, system=_gone_from(run, left))
    disposition = Disposition.UNCHANGED if both else Disposition.SKIPPED
    verdict = _verdict(subject, disposition, why, None, left, right)
    return attrs.evolve(verdict, link=attrs.evolve(link, closed=why))


def gated(
    run: Run, moment: str, towards: Side, left: Record | None, right: Record | None, link: Link | None
) -> Reason | None:
    """Ask the gates of a moment towards a side; gives the first refusal, or None. Raises `Raised` where a gate does."""
    for placed in run.definition.gates_for(moment, towards):  # type: ignore[arg-type]
        record = left if placed.of == "left" else right
        if record is None:
            continue
        counterpart = right if placed.of == "left" else left
        verdict = _asked(placed.gate, Crossing(record, counterpart, link, placed.moment, towards))
        if isinstance(verdict, Skip):
            return verdict.because
    return None


def _asked(gate: Gate, crossing: Crossing) -> Admit | Skip:
    try:
        verdict = cast("object", gate.admit(crossing))
    except Exception as error:  # noqa: BLE001 - whatever a condition of one's own runs into
        raise _of_gate(gate, error) from None
    if isinstance(verdict, Admit | Skip):
        return verdict
    raise _of_gate(gate, TypeError())


def _of_gate(gate: Gate, error: Exception) -> Raised:
    return raised(error, getattr(gate, "name", type(gate).__name__), ", ".join(sorted(gate.fields)))


def _times(run: Run, link: Link, left: Half, right: Half) -> Times:
    """Tell by our clock when each record last changed; a stamp that our own last write made is not a person's."""

    def at(side: Side, found: Half) -> dt.datetime | None:
        stamp = found.record.stamp if found.record is not None else None
        if stamp is None or stamp == link.agreed(side).own_stamp:
            return None
        return stamp - run.ahead.get(side, dt.timedelta(0))

    return Times(at("left", left), at("right", right))


def decide_merge(
    run: Run, subject: Subject, link: Link, pairing: Pairing, left: Half, right: Half, why: Reason
) -> Verdict:
    """Decide a pair field by field."""
    stop = run.followed.stopped(left.record, right.record)
    if stop is not None:
        return stopped(_verdict(subject, stop.disposition, why, None, left, right), stop)
    first = subject.link is None
    closed = tuple(gated(run, "writing", side, left.record, right.record, link) for side in ("left", "right"))
    decided = merge(
        pairing,
        left.cells,
        right.cells,
        left.agreed,
        right.agreed,
        times=_times(run, link, left, right),
        moment="linking" if first else "writing",
        gated=(closed[0], closed[1]),
        ruled=side_choice(run, link, (left.record, right.record)),
        guests=only_fills(run, link, pairing),
        filling=run.lost,
    )
    decided = edited(run, subject, pairing, decided, {"left": left.cells, "right": right.cells}, (closed[0], closed[1]))
    lines = followed(run, pairing, link.left, decided.fields)
    kept = run.followed.kept(pairing, link.left, left.cells, right.cells)
    decided = decided._replace(fields=(*lines, *kept))
    across = link.ref(other(subject.side))

    def ended(disposition: Disposition, because: Reason, park: QueueState | None, link: Link | None) -> Verdict:
        return Verdict(
            subject, disposition, because, park, link=link, fields=decided.fields, counterpart=across,
            left=left.record, right=right.record,
        )  # fmt: skip

    if decided.problems:
        refused = told_by(decided.problems[0], _refusing(run, pairing, decided.problems[0]))
        return ended(Disposition.QUARANTINED, refused, "quarantined", None)
    struck = strike(link, pairing, (left.cells, right.cells), (left.agreed, right.agreed), decided)
    if struck.label is not None:
        ends = {side: run.definition.end(side).system for side in SIDES}
        field = pairing.pairs[pairing.labels.index(struck.label)].right
        echo = because(Code.NEVER_SETTLES, field=field, count=MOST, one=ends["left"], two=ends["right"])
        return ended(Disposition.QUARANTINED, echo, "quarantined", None)
    merged = agreed_so_far(struck.link, pairing, left, right, decided)
    intents = updates(run, subject, merged, pairing, left, right, decided, why)
    if intents:
        return attrs.evolve(ended(Disposition.APPLIED, why, "ready", merged), intents=intents)
    if decided.disputed:
        return ended(Disposition.DISPUTED, decided.disputed[0], "disputed", merged)
    if decided.skipped:
        return ended(Disposition.SKIPPED, decided.skipped[0], None, merged)
    now = attrs.evolve(
        merged,
        left_agreed=attrs.evolve(merged.left_agreed, settled_version=_version(left)),
        right_agreed=attrs.evolve(merged.right_agreed, settled_version=_version(right)),
    )
    return ended(Disposition.UNCHANGED, why, None, now)


def stopped(verdict: Verdict, stop: Stop) -> Verdict:
    """Park a record for what keeps it from going on."""
    return attrs.evolve(verdict, disposition=stop.disposition, because=stop.because, park=stop.park, until=stop.until)


def followed(
    run: Run, pairing: Pairing, ref: RecordRef, fields: tuple[FieldDecision, ...]
) -> tuple[FieldDecision, ...]:
    """Say which reference was followed for a field."""
    if not run.followed.told:
        return fields
    columns = {pair.left: tuple(reference.column for reference in references(pair.given)) for pair in pairing.pairs}
    return run.followed.explained(ref, fields, columns)


def told_by(why: Reason, system: str) -> Reason:
    """Add to a reason the name of the system that it speaks of."""
    return Reason(why.code, {"system": system, **why.facts})


def _refusing(run: Run, pairing: Pairing, why: Reason) -> str:
    """Name the system that would refuse a value, by the field that the reason names."""
    on_right = any(pair.right == why.facts.get("field") for pair in pairing.pairs)
    return run.definition.end("right" if on_right else "left").system


def _version(found: Half) -> str | None:
    return found.record.version if found.record is not None else None


def agreed_so_far(link: Link, pairing: Pairing, left: Half, right: Half, decided: Merge) -> Link:
    """Move the agreement of every field that needs no write; a version is settled only once all fields are."""

    def moved(agreed: Agreed, cells: Cells, found: Half) -> Agreed:
        stamp = found.record.stamp if found.judged and found.state is State.SAME and found.record else agreed.own_stamp
        return Agreed(pairing.labels, cells, {}, None, stamp)

    return attrs.evolve(
        link,
        left_agreed=moved(link.left_agreed, decided.left, left),
        right_agreed=moved(link.right_agreed, decided.right, right),
    )


def updates(
    run: Run, subject: Subject, link: Link, pairing: Pairing, left: Half, right: Half, decided: Merge, why: Reason
) -> tuple[Intent, ...]:
    found: list[Intent] = []
    both = set(decided.write_left) & set(decided.write_right)
    for side, writes, own, across in (
        ("left", decided.write_left, left, right),
        ("right", decided.write_right, right, left),
    ):
        if not writes or own.record is None:
            continue
        target: Side = "left" if side == "left" else "right"
        promises = tuple(
            FieldPromise(
                pairing.labels[place],
                pairing.pairs[place].field(target),
                own.cells[place],
                value,
                across.cells[place],
                place in both,
            )
            for place, value in sorted(writes.items())
        )
        values = {promise.field: promise.sent for promise in promises}
        numbers = sorted(row.sequence for row in subject.rows)
        key = digest(run.name, "update", str(link.ref(target)), run.id, *numbers, *sorted(values), subject.rounds)
        answer = tuple(dict.fromkeys(pair.field(target) for pair in pairing.pairs if not _unread(pair, target)))
        able = run.able(target, link.ref(target).kind)
        version = own.record.version if able.conditional_writes else None
        action = Update(link.ref(target), values, key, why, version, answer if able.answers_with_stored else ())
        found.append(
            Intent(
                key,
                target,
                action,
                link.ref(other(target)),
                link.id,
                run.now(),
                fields=promises,
                decisions=tuple(line for line in decided.fields if line.towards == target),
                incarnation=link.incarnation,
                because=why,
                run=run.id,
                case=link.case,
            )
        )
    return tuple(found)


def _unread(pair: Pair, side: Side) -> bool:
    return pair.absent or (side == "left" and pair.given is not None)


def _removal(run: Run, subject: Subject, link: Link, left: Half, right: Half, side: Side) -> Verdict:
    """Remove the survivor of a deletion, as the pipeline says."""
    found = left if side == "left" else right
    refused = gated(run, "writing", side, left.record, right.record, link)
    verdict = _verdict(subject, Disposition.APPLIED, because(Code.REMOVED), "ready", left, right)
    if refused is not None:
        return attrs.evolve(verdict, disposition=Disposition.SKIPPED, because=refused, park=None)
    if found.record is None:
        raise AssertionError("only a record that is there is removed")
    how = run.definition.deletes.left if side == "left" else run.definition.deletes.right
    why = because(Code.REMOVED, system=run.definition.end(other(side)).system)
    target = link.ref(side)
    key = digest(run.name, how, str(target), link.incarnation, found.record.version or "")
    version = found.record.version if run.able(side, target.kind).conditional_writes else None
    action = _removing(how)(target, key, why, version)
    intent = Intent(
        key,
        side,
        action,
        link.ref(other(side)),
        link.id,
        run.now(),
        incarnation=link.incarnation,
        because=why,
        run=run.id,
    )
    return attrs.evolve(verdict, because=why, intents=(intent,), counterpart=target)


def _removing(how: Removal) -> type[Archive | Delete]:
    match how:
        case "archive":
            return Archive
        case "delete":
            return Delete
        case "detach":
            raise AssertionError("what is detached is not removed")
        case _:
            assert_never(how)


def first_contact(run: Run, subject: Subject, left: Record, right: Record, found: Matched) -> Verdict:
    """Decide about two records that matched and have no link yet; where a rule raises, they go into quarantine."""
    try:
        return _met_first(run, subject, left, right, found)
    except Raised as trouble:
        return failed(subject, trouble, left, right)


def _met_first(run: Run, subject: Subject, left: Record, right: Record, found: Matched) -> Verdict:
    for towards in SIDES:
        refused = gated(run, "linking", towards, left, right, None)
        if refused is not None:
            return Verdict(subject, Disposition.SKIPPED, refused, None, left=left, right=right)
    case = case_of(run, left, right)
    if isinstance(case, Reason):
        return Verdict(subject, Disposition.SKIPPED, case, None, left=left, right=right)
    run.judged(State.CHANGED, State.CHANGED, Move.MERGE)
    pairing = run.pairing(left.ref.kind, right.ref.kind, case)
    nothing = Agreed.nothing(pairing.labels)
    link = attrs.evolve(new_link(run, subject, left.ref, right.ref, nothing, nothing), case=case)
    system = run.definition.end(other(subject.side)).system
    why = because(Code.MATCHED, system=system, **told_of(found), **told(case))
    on_left, on_right = _met(run, "left", left, pairing), _met(run, "right", right, pairing)
    return decide_merge(run, subject, link, pairing, on_left, on_right, why)


def told_of(found: Matched | Unmatched) -> Mapping[str, Fact]:
    """Tell how a match went: what each level found, and of how many one was chosen by which rule."""
    facts: dict[str, Fact] = {}
    if found.tried:
        facts["tried"] = ", ".join(f"{step.level} {step.kind}: {step.found}" for step in found.tried)
    if isinstance(found, Matched):
        facts["level"] = found.level
        if found.adopted_by:
            facts |= {"adopted_by": found.adopted_by, "found": found.tried[-1].found if found.tried else 1}
    return facts


def _met(run: Run, side: Side, record: Record, pairing: Pairing) -> Half:
    cells = paired(run, side, record, pairing)
    return Half(State.CHANGED, cells, Agreed.nothing(pairing.labels).cells, record)


def new_link(
    run: Run, subject: Subject, left: RecordRef, right: RecordRef, left_agreed: Agreed, right_agreed: Agreed
) -> Link:
    """Tie two records."""
    key = digest(run.name, "link", str(left), str(right), subject.incarnation)
    return Link(
        key,
        left,
        right,
        left_agreed,
        right_agreed,
        run.ties(),
        subject.incarnation,
        shared=run.definition.shared,
    )
