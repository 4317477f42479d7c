"""Rulings: what a person decided about what the person saw; an edit made since asks again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import attrs

from ..flow import Flow
from ..model import Link, Record, RecordRef
from ..plan import Choice, Move, State
from ..protocols import Ambiguous, Matched
from ._run import Run

_CHOICES: Final[Mapping[str, Choice]] = {"left": "left", "right": "right", "leave": "leave"}

_ON_GONE: Final[Mapping[tuple[str, State], Move]] = {
    ("left", State.GONE): Move.REMOVE_RIGHT,
    ("right", State.GONE): Move.REVIVE_LEFT,
    ("left", State.CHANGED): Move.REVIVE_RIGHT,
    ("right", State.CHANGED): Move.REMOVE_LEFT,
}
"""A person's choice and the state of the left, where one side is gone and the other was edited."""


def learn(run: Run, refs: Iterable[RecordRef], links: Iterable[Link]) -> Flow[None]:
    """Read the rulings about a batch's records."""
    asked = list(dict.fromkeys([*refs, *(ref for link in links for ref in (link.left, link.right))]))
    run.rulings.clear()
    if asked:
        run.rulings.update((yield from run.ask(run.store.rulings.of, run.name, asked)))


def choice(run: Run, refs: Iterable[RecordRef], records: Iterable[Record | None]) -> str | None:
    """Give what was ruled about a pair, if nobody has edited it since."""
    found = [run.rulings[ref] for ref in refs if ref in run.rulings]
    if not found:
        return None
    latest = max(found, key=lambda ruling: ruling.at)
    stamps = [record.stamp for record in records if record is not None and record.stamp is not None]
    return None if any(stamp > latest.at for stamp in stamps) else latest.choice


def named(run: Run, record: Record) -> str | None:
    """Give the id that a person named as that of the counterpart."""
    chosen = choice(run, [record.ref], [record])
    return None if chosen in _CHOICES else chosen


def side_choice(run: Run, link: Link, records: Iterable[Record | None]) -> Choice | None:
    """Give a ruling that says whose values live on, or that each side keeps its own."""
    return _CHOICES.get(choice(run, (link.left, link.right), records) or "")


def move_of(chosen: Choice, left: State) -> Move:
    """Say what a ruling makes of a record that is gone on one side and was edited on the other."""
    return Move.CLOSE if chosen == "leave" else _ON_GONE[chosen, left]


def adopted(run: Run, record: Record, found: Ambiguous, refs: Iterable[RecordRef] = ()) -> Matched | None:
    """Take the one of several matches that a person named, for the record or for *refs* whose link it has."""
    chosen = choice(run, [record.ref, *refs], [record])
    if chosen is None:
        return None
    for ref in found.refs:
        if ref == run.definition.named(attrs.evolve(ref, id=chosen)):
            return Matched(ref, found.level, "ruling", found.tried)
    return None
