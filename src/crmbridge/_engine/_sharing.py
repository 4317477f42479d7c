"""Records that several others share: who owns them, and how no two of them are written in one breath."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from ..flow import Flow
from ..model import Disposition, Link, RecordRef
from ..plan import Pairing, guests
from ..reasons import Code, because
from ._run import Run
from ._subjects import Verdict


def learn_sharers(run: Run, rights: Iterable[RecordRef]) -> Flow[None]:
    """Read who shares these records."""
    refs = list(dict.fromkeys(rights))
    if not run.definition.shared or not refs:
        return
    known = yield from run.ask(run.store.links.of, run.name, "right", refs)
    for ref in refs:
        run.sharing[ref] = tuple(link for link in known.get(ref, ()) if link.closed is None)


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
