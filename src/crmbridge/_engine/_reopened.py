"""Links that ended since nothing showed a record any more, and that open again once it is shown.

A deletion that a system reports is a fact. That a listing shows a record no more, and a read by id neither, is a sign,
and it was wrong where the record of that id is there again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from ..flow import Flow
from ..model import LEFT, SIDES, Link, RecordRef, Side, Standing, other
from ..reasons import Code
from ._run import Run


def reopened(
    run: Run, side: Side, shown: Sequence[RecordRef], standing: Mapping[RecordRef, Standing]
) -> Flow[tuple[Link, ...]]:
    """Give the links of records that are shown again, open as they last agreed: what changed meanwhile is an edit."""
    closed = [ref for ref in shown if _is_closed(standing.get(ref)) and not run.able(side, ref.kind).sees_deletes]
    if not closed:
        return ()
    links = yield from run.ask(run.store.links.of, run.name, side, closed)
    ended = [link for ref in closed for link in links.get(ref, ()) if _ended_unseen(run, side, link)]
    partners = list(dict.fromkeys(link.ref(other(side)) for link in ended))
    across: Mapping[RecordRef, Sequence[Link]] = {}
    if partners:
        across = yield from run.ask(run.store.links.of, run.name, other(side), partners)
    taken: set[tuple[Side, RecordRef]]
    taken = {(other(side), ref) for ref, theirs in across.items() if any(link.closed is None for link in theirs)}
    found: list[Link] = []
    for link in ended:
        ends: set[tuple[Side, RecordRef]] = {(one, link.ref(one)) for one in SIDES if one == LEFT or not link.shared}
        if not ends & taken:
            taken |= ends
            found.append(attrs.evolve(unversioned(link), closed=None))
    return tuple(found)


def _is_closed(known: Standing | None) -> bool:
    return known is not None and known.closed and not known.linked


def _ended_unseen(run: Run, side: Side, link: Link) -> bool:
    """Say whether a link ended since its record on this side was not shown."""
    if link.closed is None or link.closed.code is not Code.DETACHED:
        return False
    ends = run.definition.end(side).system, run.definition.end(other(side)).system
    return link.closed.facts.get("system") == ends[0] != ends[1]


def unversioned(link: Link) -> Link:
    """Forget at which versions a pair was settled, so that its next reading is looked at whatever it shows."""
    return attrs.evolve(
        link,
        left_agreed=attrs.evolve(link.left_agreed, settled_version=None),
        right_agreed=attrs.evolve(link.right_agreed, settled_version=None),
    )
