"""Following records that were merged or moved to another kind: the link goes with them, closed links too."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ..flow import Flow
from ..model import MISSING, SIDES, Agreed, Link, Merged, Moved, RecordRef, Side, Unsettled, other
from ..reasons import Code, Reason, because
from ._run import Run
from ._seen import Look
from ._subjects import nobody
from ._ties import links_of

_LONGEST_CHAIN = 10


def follow(run: Run, look: Look, links: Sequence[Link]) -> Flow[dict[str, Link]]:
    """Move links whose record lives on elsewhere; gives the links that changed, by id.

    Nothing is put yet: a link and what is decided of it stand in one commit, and a plan changes none.
    What a person chose in the merge dialog is an edit: the survivor's values are judged like any other reading, but
    a value that could be another stored form of the agreed one is taken for it, since another kind may cut it
    differently. A link whose survivor is linked already closes; its counterpart is listed and nobody writes to it.
    One whose survivor was forgotten closes too, and nothing of that record is read or kept.
    """
    followed = _Followed()
    # What was moved is its own survivor, so it is there before a record that was merged into it is followed.
    for merges in (False, True):
        for link in links:
            for side in SIDES:
                yield from _follow(run, look, followed, side, followed.links.get(link.id, link), merges=merges)
    if followed.links:
        before = {link.id: link for link in links}
        for id_, link in followed.links.items():
            run.relinked.put(before[id_], link)
        for side, gone in followed.aliases:
            run.relinked.depart(side, gone, forgotten=gone in followed.out)
    return followed.links


@attrs.define(eq=False)
class _Followed:
    """What came of following so far."""

    links: dict[str, Link] = attrs.field(factory=lambda: dict[str, Link]())
    """Those that changed, by id."""
    aliases: list[tuple[Side, Merged | Moved]] = attrs.field(factory=lambda: list[tuple[Side, Merged | Moved]]())
    out: set[Merged | Moved] = attrs.field(factory=lambda: set[Merged | Moved]())
    """Departures to a forgotten record."""
    taken: dict[tuple[Side, RecordRef], str] = attrs.field(factory=lambda: dict[tuple[Side, RecordRef], str]())
    """By record, the id of the link that has moved to it, or on from it."""

    def others(self, side: Side, into: RecordRef, owners: Sequence[Link], link: Link) -> list[Link]:
        """Give the links that a survivor has, or had when this began, but for one, as they are by now."""
        known = {one.id: one for one in owners}
        if (side, into) in self.taken:
            known[self.taken[side, into]] = self.links[self.taken[side, into]]
        return [self.links.get(id_, one) for id_, one in known.items() if id_ != link.id]


def _follow(run: Run, look: Look, followed: _Followed, side: Side, link: Link, *, merges: bool) -> Flow[None]:
    """Go with a link from one survivor to the next, and no further than to one that another link has.

    Each survivor is asked for its own link, since that one may move on too: the loser's link must not get ahead of it.
    """
    into = link.ref(side)
    passed: list[RecordRef] = []
    while len(passed) < _LONGEST_CHAIN:
        gone = look.at(side, into)
        if not isinstance(gone, Merged | Moved) or (isinstance(gone, Merged) and not merges):
            break
        followed.aliases.append((side, gone))
        into = gone.into
        owners = (yield from links_of(run, side, [into])).get(into, ())
        others = followed.others(side, into, owners, link)
        if link.closed is not None and others:
            return
        why = _ending(side, link, into, others)
        if why is not None:
            followed.links[link.id] = attrs.evolve(link, closed=why)
            if why.code is Code.FORGOTTEN:
                followed.out.add(gone)
            return
        yield from look.read(side, [into])
        passed.append(into)
    if passed:
        followed.links[link.id] = moved(link, side, into, run)
        followed.taken.update(((side, ref), link.id) for ref in passed)


def _ending(side: Side, link: Link, into: RecordRef, others: Sequence[Link]) -> Reason | None:
    """Say why a link ends at a survivor; None where it goes on with it."""
    if any(nobody(one.ref(other(side))) for one in others):
        return because(Code.FORGOTTEN)
    live = next((one for one in others if one.closed is None), None)
    if live is None or (link.shared and side == "right"):
        return None
    rival = live.ref(other(side))
    return because(Code.DUPLICATE_OF, record=f"{into.kind} {into.id}", rival=f"{rival.kind} {rival.id}")


def moved(link: Link, side: Side, into: RecordRef, run: Run) -> Link:
    """Give a link as it goes on with another record on a side, whose values are judged against the agreement."""
    agreed = link.agreed(side)
    now = run.now()
    waiting = {
        label: Unsettled(cell, now)
        for label, cell in zip(agreed.fields, agreed.cells, strict=True)
        if cell is not MISSING
    }
    half = Agreed(agreed.fields, agreed.cells, waiting)
    if side == "left":
        return attrs.evolve(link, left=into, left_agreed=half)
    return attrs.evolve(link, right=into, right_agreed=half)
