"""Deciding a batch of queue rows: put pairs together, read both sides, match what is new, judge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs

from ..flow import Flow
from ..model import SIDES, Disposition, Link, Record, RecordRef, Side, other
from ..plan import Move, State
from ..protocols import Ambiguous, Matched, Unmatched
from ..reasons import Code, because
from ..roles import Delta, Intent, QueueRow
from ._chosen import held_to
from ._create import decide_creation
from ._decide import decide_linked, disputed, failed, first_contact
from ._ends import left_out
from ._happened import decide_events
from ._matching import Barred, Contested, Search, Taken, match
from ._parents import ensure
from ._patience import behind, in_doubt, not_settled, unbelieved, unfound, windows
from ._pointing import pointing_somewhere
from ._references import follow_agreements
from ._relink import follow
from ._rivals import rivals
from ._ruled import counterpart_of, learn
from ._run import MAX_ROUNDS, Run
from ._seen import Look
from ._sharing import freed, learn_sharers, let_go, one_by_one, sharing_no_more
from ._subjects import Subject, Verdict, grouped, nobody, sharers
from ._survivors import survivors
from ._ties import already_linked, links_of, lives_on
from ._twins import Reserved, promised
from ._unreadable import unreadable
from ._written import at_rest

_ENDING = frozenset({Disposition.APPLIED, Disposition.UNCHANGED, Disposition.SKIPPED})
"""How a record ends whose row ends with it; others wait, and may take part in what is decided later."""

_KEPT = 10_000
"""Records that look-ups keep in mind between batches, at most."""


@attrs.define(eq=False)
class _Claims:
    """What this batch has decided already, so that no pair is decided twice and no record is taken twice."""

    links: dict[str, Subject] = attrs.field(factory=lambda: dict[str, Subject]())
    used: dict[tuple[Side, RecordRef], Subject] = attrs.field(factory=lambda: dict[tuple[Side, RecordRef], Subject]())
    alone: dict[tuple[Side, RecordRef], Subject] = attrs.field(factory=lambda: dict[tuple[Side, RecordRef], Subject]())
    """Records that stand alone so far: a merged record's row and its survivor's are about one and the same."""
    reserved: Reserved = attrs.field(factory=Reserved)


def decide(run: Run, rows: Sequence[QueueRow], reserved: Reserved | None = None) -> Flow[list[Verdict]]:
    """Decide about a batch: departures before all others, so that links have followed when the rest is judged.

    *reserved*: the keys of what earlier batches would make, where the store does not know of it.
    """
    verdicts: list[Verdict] = []
    claims, look = _Claims(reserved=reserved or Reserved()), Look(run)
    run.followed.forget(_KEPT)
    for chosen in ([row for row in rows if row.departed], [row for row in rows if not row.departed]):
        if chosen:
            verdicts.extend((yield from _decide(run, look, claims, chosen)))
    verdicts = yield from pointing_somewhere(run, one_by_one(run, verdicts))
    yield from _joined(run, verdicts)
    return verdicts


def _decide(run: Run, look: Look, claims: _Claims, rows: Sequence[QueueRow]) -> Flow[list[Verdict]]:
    tired = [row for row in rows if _restless(run, row)]
    rows = [row for row in rows if not _restless(run, row)]
    links, refs = yield from _links(run, rows)
    aside = left_out(run, rows, links)
    rows = [row for row in rows if all(row not in verdict.subject.rows for verdict in aside)] if aside else rows
    yield from learn(run, [row.ref for row in rows], [link for known in links.values() for link in known])
    pairs, single = grouped(rows, links)
    beside = sharers(rows, links, run.id)
    if beside:
        yield from run.commit(Delta(queue=beside))
    if run.definition.topology == "events":
        open_intents = yield from _open(run, single, refs)
        verdicts = yield from decide_events(run, pairs, single, open_intents)
        return [*aside, *(_worn_out(row) for row in tired), *verdicts]
    pairs, late = _unclaimed(run, look, claims, pairs)
    verdicts = [*aside, *late, *(_worn_out(row) for row in tired)]
    open_intents = yield from _open(run, [*pairs, *single], refs)
    waiting = {id(subject): held for subject in (*pairs, *single) if (held := _held(subject, refs, open_intents))}
    verdicts.extend(
        in_doubt(run, subject, waiting[id(subject)].side) for subject in (*pairs, *single) if id(subject) in waiting
    )
    pairs = [subject for subject in pairs if id(subject) not in waiting]
    single = [subject for subject in single if id(subject) not in waiting]
    verdicts.extend((yield from _linked(run, look, claims, pairs)))
    verdicts.extend((yield from _single(run, look, claims, single, refs)))
    return verdicts


def _joined(run: Run, verdicts: Sequence[Verdict]) -> Flow[None]:
    """Let the row of a pair's other record take part: what was decided from both readings is decided for both.

    The row of a shared record waits for its other pairs too, so it ends with its own.
    """
    for side in SIDES:
        if side == "right" and run.definition.shared:
            continue
        mine = {ref: verdict for verdict in verdicts if (ref := _paired(verdict, side)) is not None}
        present = {row.ref for verdict in verdicts for row in verdict.subject.rows if row.side == side}
        refs = [ref for ref in mine if ref not in present]
        if refs:
            rows = yield from run.ask(run.store.agenda.rows, run.name, side, refs)
            ended = (yield from _ended(run, list(rows))) if run.planning else ()
            for ref, row in rows.items():
                if ref in ended:
                    continue
                late = run.able(side, ref.kind).read_lag and behind(row, mine[ref].record(side))
                if not row.departed and not late:
                    mine[ref].subject.rows.append(row)


def _ended(run: Run, refs: Sequence[RecordRef]) -> Flow[set[RecordRef]]:
    """Name the records whose rows will have ended by now: a plan takes none from the queue."""
    decided = yield from run.ask(run.store.outbox.planned, run.id, refs)
    return {ref for ref, line in decided.items() if line.disposition in _ENDING}


def _paired(verdict: Verdict, side: Side) -> RecordRef | None:
    """Point at a side's record of a verdict about two records that were both read."""
    if verdict.left is None or verdict.right is None:
        return None
    record = verdict.record(side)
    return None if record is None else record.ref


def _unclaimed(run: Run, look: Look, claims: _Claims, pairs: Sequence[Subject]) -> tuple[list[Subject], list[Verdict]]:
    """Give the pairs that are new to this batch; the rows of others go with the decision that was made.

    A row that tells of more than the reading by which was decided waits for one that shows it.
    """
    fresh: list[Subject] = []
    late: list[Verdict] = []
    for subject in pairs:
        known = claims.links.setdefault(subject.link.id, subject) if subject.link is not None else subject
        if known is subject:
            fresh.append(subject)
        elif (waiting := unbelieved(run, look, subject)) is not None:
            late.append(waiting)
        else:
            known.rows.extend(subject.rows)
    return fresh, late


def _links(
    run: Run, rows: Sequence[QueueRow]
) -> Flow[tuple[dict[tuple[Side, RecordRef], Sequence[Link]], dict[tuple[Side, RecordRef], RecordRef]]]:
    """Give the links of each row's record, or of the record in which it lives on."""
    links: dict[tuple[Side, RecordRef], Sequence[Link]] = {}
    lives: dict[tuple[Side, RecordRef], RecordRef] = {}
    for side in SIDES:
        refs = [row.ref for row in rows if row.side == side]
        if not refs:
            continue
        followed = yield from lives_on(run, side, refs)
        known = yield from links_of(run, side, [*refs, *followed.values()])
        for ref in refs:
            now = followed.get(ref, ref)
            lives[side, ref] = now
            own = known.get(ref, ())
            elsewhere = now != ref and all(link.closed is not None for link in own)
            links[side, ref] = [*own, *known.get(now, ())] if elsewhere else own
    return links, lives


_Lives = Mapping[tuple[Side, RecordRef], RecordRef]
"""By record, the one in which it lives on."""


def _open(run: Run, subjects: Sequence[Subject], lives: _Lives) -> Flow[Mapping[RecordRef, Intent]]:
    refs = dict.fromkeys(ref for subject in subjects for ref in _records(subject, lives))
    if not refs:
        return {}
    return (yield from run.ask(run.store.outbox.holding, run.name, list(refs)))


def _held(subject: Subject, lives: _Lives, held: Mapping[RecordRef, Intent]) -> Intent | None:
    """Give the open write that a subject must wait for."""
    return next((held[ref] for ref in _records(subject, lives) if ref in held), None)


def _records(subject: Subject, lives: _Lives) -> Iterator[RecordRef]:
    """Give the records of a subject: both ends of its link, or the one record and that in which it lives on."""
    for side in SIDES:
        ref = subject.on(side)
        if ref is not None:
            yield ref
            if subject.link is None:
                yield lives.get((side, ref), ref)


def _restless(run: Run, row: QueueRow) -> bool:
    """Say whether a record was decided again and again in this run; one that waits or was woken is not restless."""
    return row.state == "ready" and row.run == run.id and row.tries >= MAX_ROUNDS


def _worn_out(row: QueueRow) -> Verdict:
    why = because(Code.NEVER_SETTLES, count=row.tries)
    return Verdict(Subject([row], row.side, row.ref), Disposition.QUARANTINED, why, "quarantined")


def _linked(run: Run, look: Look, claims: _Claims, pairs: Sequence[Subject]) -> Flow[list[Verdict]]:
    pairs, rivals_now = yield from sharing_no_more(run, look, pairs)
    pairs, verdicts = yield from at_rest(run, look, pairs)
    verdicts.extend(rivals_now)
    for side in SIDES:
        yield from look.read(side, [subject.link.ref(side) for subject in pairs if subject.link is not None])
    yield from follow_agreements(run, [subject.link for subject in pairs if subject.link is not None])
    moved = yield from follow(run, look, [subject.link for subject in pairs if subject.link is not None])
    believed: list[Subject] = []
    for subject in pairs:
        link = subject.link = moved.get(subject.link.id, subject.link) if subject.link is not None else None
        if link is None:
            continue
        if link.id in moved and link.closed is None:
            _claimed(run, claims, subject, link)
        waiting = unbelieved(run, look, subject) or unreadable(look, subject, [(one, link.ref(one)) for one in SIDES])
        if link.closed is not None:
            verdicts.append(Verdict(subject, Disposition.SKIPPED, link.closed, None))
        elif waiting is not None:
            verdicts.append(waiting)
        else:
            believed.append(subject)
    decided = yield from survivors(run, look, believed, claims.used)
    yield from learn_sharers(run, [subject.link.right for subject in believed if subject.link is not None])
    for subject in believed:
        link = subject.link
        if link is not None:
            left, right = look.at("left", link.left), look.at("right", link.right)
            verdicts.append(decided.get(link.id) or decide_linked(run, subject, link, left, right))
            let_go(run, verdicts[-1])
    return (yield from freed(run, verdicts))


def _claimed(run: Run, claims: _Claims, subject: Subject, link: Link) -> None:
    """Note what a link has come to hold in this batch: the rows of both losers of one survivor are about one pair."""
    for side in SIDES:
        if side == "left" or not run.definition.shared:
            _ = claims.used.setdefault((side, link.ref(side)), subject)


def _single(
    run: Run,
    look: Look,
    claims: _Claims,
    single: Sequence[Subject],
    lives: _Lives,
) -> Flow[list[Verdict]]:
    """Decide about records without a live link: match them, else make their counterpart."""
    verdicts: list[Verdict] = []
    for side in SIDES:
        mine = [subject for subject in single if subject.side == side]
        yield from _closed_follow(run, look, side, mine)
        yield from look.read(side, [lives[side, subject.ref] for subject in mine])
        present: list[tuple[Subject, Record]] = []
        for subject in mine:
            place = side, lives[side, subject.ref]
            record = look.record(*place)
            early = _early(run, look, subject, record, claims.used.get(place) or claims.alone.get(place))
            if early is not None:
                verdicts.extend(early)
            elif record is not None:
                claims.alone[place] = subject
                present.append((subject, record))
        verdicts.extend((yield from _matched(run, look, claims, side, present)))
    return verdicts


def _matched(
    run: Run, look: Look, claims: _Claims, side: Side, present: Sequence[tuple[Subject, Record]]
) -> Flow[list[Verdict]]:
    """Decide about records that are there: by what matches them, else make their counterpart."""
    verdicts: list[Verdict] = []
    found = yield from match(run, look, side, [record for _, record in present])
    waiting = yield from not_settled(run, found.values())
    if side == "right" and run.definition.topology == "two_way":
        yield from _contested(run, look, found)
    yield from held_to(run, look, side, present, found)
    others = yield from rivals(run, look, side, list(found.values()))
    doubts = (yield from windows(run, side)) if present else ()
    known = yield from promised(run, side, [search for search in found.values() if isinstance(search.found, Unmatched)])
    alone = [(subject, found[one.ref]) for subject, one in present if one.ref not in others]
    yield from ensure(run, [one for one in alone if unfound(run, look, *one) is None], known, doubts)
    matched = [search.found.ref for search in found.values() if isinstance(search.found, Matched)]
    yield from learn_sharers(run, matched if side == "left" else found)
    for subject, record in present:
        search = found[record.ref]
        verdict = unfound(run, look, subject, search)
        if isinstance(search.found, Matched) and record.ref in waiting:
            verdict = in_doubt(run, subject, other(side))
        if verdict is None and isinstance(search.found, Matched):
            verdict = unreadable(look, subject, [(other(side), search.found.ref)])
        if search.trouble is not None:
            left, right = (record, None) if side == "left" else (None, record)
            verdict = failed(subject, search.trouble, left, right)
        if verdict is None and (first := others.get(record.ref)) is not None:
            verdict = Verdict(subject, first.disposition, first.because, first.park, until=first.until)
        verdict = verdict or _judged(run, look, subject, search, claims.used)
        if verdict is None:
            verdict = decide_creation(run, subject, search, claims.reserved, known, doubts)
        verdicts.append(verdict)
    return verdicts


def _contested(run: Run, look: Look, found: Mapping[RecordRef, Search]) -> Flow[None]:
    """Leave to a person what matches a left record that several match: its own row was told so, or will be."""
    refs = [search.found.ref for search in found.values() if isinstance(search.found, Matched)]
    records = [record for ref in dict.fromkeys(refs) if (record := look.record("left", ref)) is not None]
    back = yield from match(run, look, "left", records)
    for search in found.values():
        theirs = back.get(search.found.ref) if isinstance(search.found, Matched) else None
        if theirs is not None and isinstance(theirs.found, Ambiguous):
            search.found = Contested(theirs.record.ref, theirs.found)


def _early(
    run: Run, look: Look, subject: Subject, record: Record | None, partner: Subject | None
) -> list[Verdict] | None:
    """Settle what needs no match: the record is gone, is blocked, or is being decided about by another row already."""
    waiting = unbelieved(run, look, subject)
    if waiting is None and record is not None:
        waiting = unreadable(look, subject, [(subject.side, record.ref)])
    if waiting is not None:
        return [waiting]
    if partner is not None:
        partner.rows.extend(subject.rows)
        return []
    if record is None:
        here, there = (State.GONE, State.NONE) if subject.side == "left" else (State.NONE, State.GONE)
        run.judged(here, there, Move.NOTHING)
        return [Verdict(subject, Disposition.UNCHANGED, because(Code.NOTHING_TO_DO), None)]
    if subject.blocked is not None:
        verdict = Verdict(subject, Disposition.SKIPPED, subject.blocked, None)
        return [attrs.evolve(verdict, left=record) if subject.side == "left" else attrs.evolve(verdict, right=record)]
    return None


def _closed_follow(run: Run, look: Look, side: Side, subjects: Sequence[Subject]) -> Flow[None]:
    """Let closed links follow a merged or moved record, else a person deleted on one side comes back by that way."""
    departed = [subject.ref for subject in subjects if any(row.departed for row in subject.rows)]
    if not departed:
        return
    known = yield from links_of(run, side, departed)
    # A forgotten record has no link to follow: the store keeps out what it becomes.
    closed = (link for found in known.values() for link in found if link.closed is not None)
    links = [link for link in closed if not nobody(link.ref(other(side)))]
    for one in SIDES:
        yield from look.read(one, [link.ref(one) for link in links])
    yield from follow(run, look, links)


def _judged(
    run: Run, look: Look, subject: Subject, search: Search, used: dict[tuple[Side, RecordRef], Subject]
) -> Verdict | None:
    """Decide from what matching found; None where nothing was."""
    record, found, towards = search.record, search.found, other(subject.side)
    left, right = (record, None) if subject.side == "left" else (None, record)
    about = counterpart_of(record.ref, subject.incarnation)
    if isinstance(found, Ambiguous):
        return disputed(subject, found, about, left, right)
    if isinstance(found, Contested):
        return disputed(subject, found.several, about, left, right, [found.ref])
    if isinstance(found, Barred):
        verdict = Verdict(subject, Disposition.DISPUTED, found.because, "disputed", left=left, right=right)
        return attrs.evolve(verdict, question=found.question)
    if not isinstance(found, Matched | Taken):
        return None
    tied = (towards, found.ref) in used or run.taken.has(towards, found.ref)
    claimed = tied and not (run.definition.shared and towards == "right")
    if isinstance(found, Taken) or (claimed and run.planning):
        first = used.get((towards, found.ref))
        claimant = None if first is None or first.side == towards else first.ref
        holder = found.holder if isinstance(found, Taken) else claimant
        why = already_linked(run, found.ref, towards, holder, level=found.level)
        return Verdict(subject, Disposition.DISPUTED, why, "disputed", left=left, right=right)
    counterpart = look.record(towards, found.ref)
    if counterpart is None or claimed:
        return Verdict(subject, Disposition.HELD, because(Code.BUSY), "ready", left=left, right=right, quiet=True)
    # Both are taken from here on, else a second record that matches one of them would be tied to it as well.
    used[subject.side, record.ref] = used[towards, found.ref] = subject
    if run.planning:
        run.taken.add(subject.side, record.ref)
        run.taken.add(towards, found.ref)
    pair = (record, counterpart) if subject.side == "left" else (counterpart, record)
    return first_contact(run, subject, *pair, found)
