"""Records that several others share: who owns them, and how no two of them are written in one breath.

A pipeline may cease to be many-to-one with links from when it was. Whoever was linked first keeps the shared record, and
the others are left to a person, as if they claimed it now; else each would write over the others by turns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs

from ..flow import Flow
from ..model import Disposition, Link, RecordRef
from ..plan import Pairing, guests
from ..reasons import Code, because
from ..roles import QueueRow
from ._run import Run
from ._seen import Look
from ._subjects import Subject, Verdict
from ._ties import already_linked, links_of


def learn_sharers(run: Run, rights: Iterable[RecordRef]) -> Flow[None]:
    """Read who shares these records."""
    refs = list(dict.fromkeys(rights))
    if run.definition.shared and refs:
        yield from _learned(run, refs)


def _learned(run: Run, rights: Sequence[RecordRef]) -> Flow[None]:
    known = yield from links_of(run, "right", rights)
    for ref in rights:
        run.sharing[ref] = tuple(link for link in known.get(ref, ()) if link.closed is None)


def sharing_no_more(run: Run, look: Look, pairs: Sequence[Subject]) -> Flow[tuple[list[Subject], list[Verdict]]]:
    """Dispute those who hold a record of another since several might; give the pairs that may be decided, and these.

    Who is gone, or may be, is decided about as ever: that lets go of the record.
    """
    links = [(subject, link) for subject in pairs if (link := subject.link) is not None]
    shared = [link.right for subject, link in links if link.shared or _departed(subject)]
    if run.definition.shared or not shared:
        return list(pairs), []
    yield from _learned(run, list(dict.fromkeys(shared)))
    first = {ref: min(held, key=lambda one: (one.since, one.id)) for ref in shared if (held := run.sharing[ref])}
    later = [
        (subject, link, first[link.right])
        for subject, link in links
        if link.shared and link.right in first and first[link.right].id != link.id and not _departed(subject)
    ]
    yield from look.read("left", [link.left for _, link, _ in later])
    verdicts: list[Verdict] = []
    for subject, link, holder in later:
        why = already_linked(run, link.right, "right", holder.left)
        left = look.record("left", link.left)
        verdicts.append(Verdict(subject, Disposition.DISPUTED, why, "disputed", left=left))
    disputed = {id(subject) for subject, _, _ in later}
    return [subject for subject in pairs if id(subject) not in disputed], verdicts


def _departed(subject: Subject) -> bool:
    return any(row.departed for row in subject.rows)


def freed(run: Run, verdicts: Sequence[Verdict]) -> Flow[list[Verdict]]:
    """Look again at those who were left to a person over a record, once the one who held it has let go."""
    closing = [
        verdict.link.right for verdict in verdicts if verdict.link is not None and verdict.link.closed is not None
    ]
    if run.definition.shared or run.planning or not closing:
        return list(verdicts)
    known = yield from links_of(run, "right", list(dict.fromkeys(closing)))
    return [_waking(run, verdict, known) for verdict in verdicts]


def _waking(run: Run, verdict: Verdict, known: Mapping[RecordRef, Sequence[Link]]) -> Verdict:
    link = verdict.link
    if link is None or link.closed is None or verdict.wakes:
        return verdict
    left = [one.left for one in known.get(link.right, ()) if one.closed is None and one.id != link.id]
    return attrs.evolve(verdict, wakes=tuple(QueueRow("left", ref, run=run.id) for ref in left))


def only_fills(run: Run, link: Link, pairing: Pairing) -> frozenset[int]:
    """Give the places of the fields of a shared record that this link may only fill."""
    return guests(pairing, link, run.sharing.get(link.right, ())) if run.definition.shared else frozenset()


def still_shared(run: Run, link: Link) -> bool:
    """Say whether others hold the right record of a link, too: then it is not removed for the sake of one."""
    return any(one.id != link.id for one in run.sharing.get(link.right, ()))


def let_go(run: Run, verdict: Verdict) -> None:
    """Note a link that closes, so that the last of a batch to let go of a shared record is known for the last."""
    link = verdict.link
    if link is not None and link.closed is not None and link.right in run.sharing:
        run.sharing[link.right] = tuple(one for one in run.sharing[link.right] if one.id != link.id)


def one_by_one(run: Run, verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Let one link at a time write a shared record: the next one looks at what it made of it."""
    if not run.definition.shared or run.planning:
        return list(verdicts)
    writing: set[RecordRef] = set()
    found: list[Verdict] = []
    for verdict in verdicts:
        link = verdict.link or verdict.subject.link
        ours = link is not None and any(intent.link == link.id and intent.side == "right" for intent in verdict.intents)
        if link is None or not ours or link.right not in writing:
            found.append(verdict)
        else:
            found.append(
                attrs.evolve(
                    Verdict(verdict.subject, Disposition.HELD, because(Code.BUSY), "ready", quiet=True),
                    left=verdict.left,
                    right=verdict.right,
                )
            )
        if link is not None and ours:
            writing.add(link.right)
    return found
