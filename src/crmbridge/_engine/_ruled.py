"""Rulings: what a person answered to what the person was asked; whatever differs from that is asked anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs

from ..flow import Flow
from ..model import Link, RecordRef
from ..plan import MATCHES, Answers, Choice, Move, State, matching
from ..reasons import Code, Reason
from ._fingerprints import keeps_values
from ._run import Run
from ._subjects import digest

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


def answers(run: Run, *refs: RecordRef) -> Answers:
    """Give what people answered about two records, or about one that stands alone."""
    found = sorted((run.rulings[ref] for ref in refs if ref in run.rulings), key=lambda one: one.at, reverse=True)
    given: tuple[tuple[str | None, Choice], ...] = tuple(
        (one.question, _CHOICES[one.choice]) for one in found if one.choice in _CHOICES
    )
    return Answers(tuple(map(str, refs)), given, looks_back=keeps_values(run.store))


def move_of(chosen: Choice, left: State) -> Move:
    """Say what a ruling makes of a record that is gone on one side and was edited on the other."""
    return Move.CLOSE if chosen == "leave" else _ON_GONE[chosen, left]


def matter(*parts: str | int) -> str:
    """Name what a choice among several is about: it stands until it is carried out, whoever matches meanwhile."""
    return digest(*parts)


def of_match(about: str, code: Code, refs: Iterable[RecordRef], *, all_of_them: bool = True) -> str:
    """Name what a person is asked where several match; *all_of_them*: nobody but these may be named."""
    told = sorted(refs)
    return matching(about, digest(code, *map(str, told)), [ref.id for ref in told] if all_of_them else ())


def counterpart_of(ref: RecordRef, incarnation: int) -> str:
    """Name the choice of a counterpart; that of a record whose counterpart is made again is another matter."""
    return matter("counterpart", str(ref), incarnation)


def survivor_of(ref: RecordRef, gone: RecordRef) -> str:
    """Name the choice of the record in which the counterpart of a record lives on."""
    return matter("survivor", str(ref), str(gone))


def looked_up(name: str, ref: RecordRef) -> str:
    """Name the choice of what a reference leads to."""
    return matter("look_up", name, str(ref))


def of_look_up(name: str, ref: RecordRef, why: Reason) -> str:
    """Name what a person is asked where several answer a reference of a record."""
    told = sorted(f"{fact}={value}" for fact, value in why.facts.items())
    return matching(looked_up(name, ref), digest(why.code, *told), ())


def named(run: Run, ref: RecordRef, about: str = "") -> str | None:
    """Give the id that a person named as that of a record's counterpart, in answer to what was asked about it."""
    ruling = run.rulings.get(ref)
    if ruling is None or ruling.choice in _CHOICES or not (ruling.question or "").startswith(MATCHES + about):
        return None
    return ruling.choice


@attrs.frozen
class Meant:
    """The record that a person named."""

    id: str
    ref: RecordRef | None
    """None: it is not among those that match."""


def meant(run: Run, about: str, refs: Iterable[RecordRef], among: Sequence[RecordRef]) -> Meant | None:
    """Tell whom a person named for one of *refs*, and which of those that match it is; None where nobody was named."""
    ids = [id for ref in refs if (id := named(run, ref, about)) is not None]
    if not ids:
        return None
    id = ids[0]
    return Meant(id, next((ref for ref in among if ref == run.definition.named(attrs.evolve(ref, id=id))), None))
