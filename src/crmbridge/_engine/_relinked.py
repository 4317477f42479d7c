"""Links that follow their records elsewhere, or end there, as long as no store says so.

They are put in one commit with what is decided about them: a link that ends is reported then, or has not ended yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from ..model import SIDES, Link, Merged, Moved, RecordRef, Side


@attrs.define(eq=False)
class Relinked:
    """How links follow in a batch, or in a whole plan; whoever reads a link meanwhile reads it as it will be."""

    _links: dict[str, Link] = attrs.field(factory=lambda: dict[str, Link]())
    """As they will be, by id."""
    _at: dict[tuple[Side, RecordRef], set[str]] = attrs.field(factory=lambda: dict[tuple[Side, RecordRef], set[str]]())
    """By record: the ids of those that have it, or had it."""
    _departures: list[tuple[Side, Merged | Moved]] = attrs.field(factory=lambda: list[tuple[Side, Merged | Moved]]())
    _lives: dict[tuple[Side, RecordRef], RecordRef] = attrs.field(
        factory=lambda: dict[tuple[Side, RecordRef], RecordRef]()
    )
    """By record: the one that it has become, or itself where nothing may tell of that one."""

    def put(self, before: Link, now: Link) -> None:
        """Change a link."""
        self._links[now.id] = now
        for link in (before, now):
            for side in SIDES:
                self._at.setdefault((side, link.ref(side)), set()).add(now.id)

    def depart(self, side: Side, gone: Merged | Moved, *, forgotten: bool = False) -> None:
        """Note where a record lives on; of a *forgotten* one the store is to keep nothing, and nobody is led to it."""
        self._departures.append((side, gone))
        end = gone.into
        while end != gone.ref and self._lives.get((side, end), end) != end:
            end = self._lives[side, end]
        if end == gone.ref:
            # It came back: what was said last is true, and a chain never runs in a circle.
            self._lives[side, gone.into] = gone.into
        self._lives[side, gone.ref] = gone.ref if forgotten else gone.into

    def clear(self) -> None:
        """Begin another batch: the store holds it all."""
        self._links.clear()
        self._at.clear()
        self._departures.clear()
        self._lives.clear()

    @property
    def links(self) -> tuple[Link, ...]:
        """Give the links that change."""
        return tuple(self._links.values())

    @property
    def departures(self) -> tuple[tuple[Side, Merged | Moved], ...]:
        """Give the departures by which links were followed, in order."""
        return tuple(self._departures)

    def touches(self, side: Side, ref: RecordRef) -> bool:
        """Say whether a record has, or had, a link that changes."""
        return (side, ref) in self._at

    def of(
        self, side: Side, refs: Sequence[RecordRef], known: Mapping[RecordRef, Sequence[Link]]
    ) -> Mapping[RecordRef, Sequence[Link]]:
        """Give the links of records as they will be, live ones first, by those that a store knows."""
        found = dict(known)
        for ref in dict.fromkeys(refs):
            if (side, ref) not in self._at:
                continue
            every = {link.id: link for link in known.get(ref, ())}
            every.update({id_: self._links[id_] for id_ in self._at[side, ref]})
            mine = [link for link in every.values() if link.ref(side) == ref]
            found[ref] = sorted(mine, key=lambda link: (link.closed is not None, link.since, link.id))
        return {ref: links for ref, links in found.items() if links}

    def next(self, side: Side, ref: RecordRef) -> RecordRef | None:
        """Give what a record has become; itself where it leads nowhere any more, None where nothing is said of it."""
        return self._lives.get((side, ref))
