"""What ties records by now: the links and aliases of the store, and beside them what no store holds yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..flow import Flow
from ..model import Link, RecordRef, Side
from ..reasons import Code, Fact, Reason, because
from ._run import Run


def links_of(
    run: Run, side: Side, refs: Sequence[RecordRef], *, of: str | None = None
) -> Flow[Mapping[RecordRef, Sequence[Link]]]:
    """Give the links of records, live ones first, closed ones after; *of* another pipeline, as its store has them."""
    known = yield from run.ask(run.store.links.of, of or run.name, side, refs)
    return known if of not in (None, run.name) else run.relinked.of(side, refs, known)


def linked(run: Run, side: Side, refs: Sequence[RecordRef]) -> Flow[frozenset[RecordRef]]:
    """Name those of these records that have a live link, without decoding a value where nothing changes."""
    changed = [ref for ref in refs if run.relinked.touches(side, ref)]
    standing = yield from run.ask(run.store.links.standing, run.name, side, refs)
    found = {ref for ref, known in standing.items() if known.linked}.difference(changed)
    if changed:
        links = yield from links_of(run, side, changed)
        found.update(ref for ref, known in links.items() if any(link.closed is None for link in known))
    return frozenset(found)


def already_linked(run: Run, ref: RecordRef, side: Side, holder: RecordRef | None, **facts: Fact) -> Reason:
    """Tell whoever matches a record of a side that it belongs to somebody else, and to whom where that is known."""
    system, counterpart = run.definition.end(side).system, f"{ref.kind} {ref.id}"
    first: dict[str, Fact] = {} if holder is None else {"record": f"{holder.kind} {holder.id}"}
    return because(Code.ALREADY_LINKED, system=system, counterpart=counterpart, **first, **facts)


def lives_on(
    run: Run, side: Side, refs: Sequence[RecordRef], *, of: str | None = None
) -> Flow[Mapping[RecordRef, RecordRef]]:
    """Follow records to those in which they live on; one that is still itself is left out."""
    if of not in (None, run.name) or not run.relinked.departures:
        return (yield from run.ask(run.store.links.followed, of or run.name, side, refs))
    ends = {ref: ref for ref in refs}
    passed = {ref: {ref} for ref in refs}
    going = dict(ends)
    while going:
        stored = yield from run.ask(run.store.links.followed, run.name, side, list(dict.fromkeys(going.values())))
        on: dict[RecordRef, RecordRef] = {}
        for ref, at in going.items():
            told = run.relinked.next(side, at)
            into = stored.get(at, at) if told is None else told
            if told is not None or into not in passed[ref]:
                # A store that leads back to where this began tells of earlier than what was read just now.
                ends[ref] = into
            if into not in passed[ref]:
                passed[ref].add(into)
                on[ref] = into
        going = on
    return {ref: end for ref, end in ends.items() if end != ref}
