"""What to write where two records that are there differ: pure, given both halves."""

from __future__ import annotations

import datetime as dt

import attrs

from ..given import references
from ..model import SIDES, Agreed, Disposition, FieldDecision, Link, RecordRef, Side, Update, other
from ..plan import Cells, Merge, Pair, Pairing, State, Times, merge
from ..reasons import Code, Reason, because
from ..roles import FieldPromise, Intent, QueueState
from ._edited import edited
from ._followed import Stop
from ._gating import gated
from ._halves import Half, pair_verdict, version
from ._ruled import answers
from ._run import Run
from ._sharing import only_fills
from ._strikes import MOST, strike
from ._subjects import Subject, Verdict, digest


def decide_merge(
    run: Run, subject: Subject, link: Link, pairing: Pairing, left: Half, right: Half, why: Reason
) -> Verdict:
    """Decide a pair field by field."""
    stop = run.followed.stopped(left.record, right.record)
    if stop is not None:
        return stopped(pair_verdict(subject, stop.disposition, why, None, left, right), stop)
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
        ruled=answers(run, link.left, link.right),
        guests=only_fills(run, link, pairing),
        filling=run.lost,
    )
    cells: dict[Side, Cells] = {"left": left.cells, "right": right.cells}
    decided = edited(run, subject, link, pairing, decided, cells, (closed[0], closed[1]))
    lines = followed(run, pairing, link.left, decided.fields)
    kept = run.followed.kept(pairing, link.left, left.cells, right.cells)
    decided = decided._replace(fields=(*lines, *kept))
    across = link.ref(other(subject.side))

    def ended(
        disposition: Disposition,
        because: Reason,
        park: QueueState | None,
        link: Link | None,
        asked: Reason | None = None,
    ) -> Verdict:
        question = next((question for why, question in decided.asked if why == asked), None)
        return Verdict(
            subject, disposition, because, park, link=link, fields=decided.fields, counterpart=across,
            left=left.record, right=right.record, question=question,
        )  # fmt: skip

    if decided.problems:
        refused = _refused(run, pairing, decided.problems[0], right.cells)
        return ended(Disposition.QUARANTINED, refused, "quarantined", None, decided.problems[0])
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
        return ended(Disposition.DISPUTED, decided.disputed[0], "disputed", merged, decided.disputed[0])
    if decided.skipped:
        return ended(Disposition.SKIPPED, decided.skipped[0], None, merged)
    now = attrs.evolve(
        merged,
        left_agreed=attrs.evolve(merged.left_agreed, settled_version=version(left)),
        right_agreed=attrs.evolve(merged.right_agreed, settled_version=version(right)),
    )
    return ended(Disposition.UNCHANGED, why, None, now)


def _times(run: Run, link: Link, left: Half, right: Half) -> Times:
    """Tell by our clock when each record last changed; a stamp that our own last write made is not a person's."""

    def at(side: Side, found: Half) -> dt.datetime | None:
        stamp = found.record.stamp if found.record is not None else None
        if stamp is None or stamp == link.agreed(side).own_stamp:
            return None
        return stamp - run.ahead.get(side, dt.timedelta(0))

    return Times(at("left", left), at("right", right))


def stopped(verdict: Verdict, stop: Stop) -> Verdict:
    """Park a record for what keeps it from going on."""
    return attrs.evolve(
        verdict,
        disposition=stop.disposition,
        because=stop.because,
        park=stop.park,
        until=stop.until,
        question=stop.question,
    )


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


def _refused(run: Run, pairing: Pairing, why: Reason, right: Cells) -> Reason:
    """Tell which system's value is in trouble, and which one cannot take it where the codec cannot read it."""
    told = told_by(why, _refusing(run, pairing, why))
    if why.code is not Code.CODEC_FAILED or all(
        pair.right != why.facts.get("field") or pair.reads(held)
        for pair, held in zip(pairing.pairs, right, strict=True)
    ):
        return told
    return Reason(told.code, {**told.facts, "target": run.definition.left.system})


def _refusing(run: Run, pairing: Pairing, why: Reason) -> str:
    """Name the system that would refuse a value, by the field that the reason names."""
    on_right = any(pair.right == why.facts.get("field") for pair in pairing.pairs)
    return run.definition.end("right" if on_right else "left").system


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
