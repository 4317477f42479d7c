"""Counterparts that people chose: until the two are linked, neither is linked with anybody else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs

from ..flow import Flow
from ..model import Link, Record, RecordRef, Side, other
from ..protocols import Ambiguous, Matched, Unmatched
from ..reasons import Code, because
from ..roles import Delta
from ._matching import Barred, Contested, Found, Search, match
from ._ruled import counterpart_of, named, of_match
from ._run import Run
from ._seen import Look
from ._subjects import Subject


@attrs.frozen
class _Chosen:
    """The record that a person chose, as it stands."""

    id: str
    refs: frozenset[RecordRef]
    """An id may be of any kind of its end; one that was merged lives on elsewhere."""
    there: bool
    linked: bool


def held_to(
    run: Run, look: Look, side: Side, present: Sequence[tuple[Subject, Record]], found: Mapping[RecordRef, Search]
) -> Flow[None]:
    """Take what people chose, and leave whatever else was found to them."""
    abouts = {record.ref: counterpart_of(record.ref, subject.incarnation) for subject, record in present}
    own = {ref: id for ref, about in abouts.items() if (id := named(run, ref, about)) is not None}
    chosen = yield from _standing(run, look, other(side), own)
    for ref in chosen:
        found[ref].found = _taken(found[ref].found, chosen[ref])
    theirs = yield from _theirs(run, other(side), found)
    chosen_back = yield from _standing(run, look, side, theirs)
    for ref, search in found.items():
        if ref in chosen:
            search.found = _only(run, search.found, other(side), abouts[ref], chosen[ref])
        if isinstance(search.found, Matched) and search.found.ref in chosen_back:
            search.found = _not_meant(search.found, ref, chosen_back[search.found.ref])
    yield from _wake(run, look, side, [found[ref] for ref in chosen])


def _theirs(run: Run, towards: Side, found: Mapping[RecordRef, Search]) -> Flow[Mapping[RecordRef, str]]:
    """Give what was chosen for the records that were found, and is not carried out yet."""
    refs = list(dict.fromkeys(one.found.ref for one in found.values() if isinstance(one.found, Matched)))
    fresh = [ref for ref in refs if ref not in run.rulings]
    if fresh:
        run.rulings.update((yield from run.ask(run.store.rulings.of, run.name, fresh)))
    chosen = [ref for ref in refs if named(run, ref) is not None]
    if not chosen:
        return {}
    links = yield from run.ask(run.store.links.of, run.name, towards, chosen)
    abouts = {ref: counterpart_of(ref, _incarnation(links.get(ref, ()))) for ref in chosen}
    return {ref: id for ref, about in abouts.items() if (id := named(run, ref, about)) is not None}


def _incarnation(links: Iterable[Link]) -> int:
    return max((link.incarnation + 1 for link in links), default=0)


def _standing(run: Run, look: Look, side: Side, ids: Mapping[RecordRef, str]) -> Flow[Mapping[RecordRef, _Chosen]]:
    """Tell how the records of a side stand that were chosen, by the record that they were chosen for."""
    end = run.definition.end(side)
    asked = {
        ref: [run.definition.named(RecordRef(end.system, kind, id)) for kind in end.kinds] for ref, id in ids.items()
    }
    every = list(dict.fromkeys(one for refs in asked.values() for one in refs))
    if not every:
        return {}
    lives = yield from run.ask(run.store.links.followed, run.name, side, every)
    now = list(dict.fromkeys(lives.get(one, one) for one in every))
    yield from look.read(side, now)
    standing = yield from run.ask(run.store.links.standing, run.name, side, now)
    shared = run.definition.shared and side == "right"
    found: dict[RecordRef, _Chosen] = {}
    for ref, refs in asked.items():
        living = frozenset(lives.get(one, one) for one in refs)
        there = any(look.record(side, one) is not None for one in living)
        linked = not shared and any(one in standing and standing[one].linked for one in living)
        found[ref] = _Chosen(ids[ref], living, there, linked)
    return found


def _taken(found: Found | None, chosen: _Chosen) -> Found | None:
    """Take the chosen one of several."""
    if isinstance(found, Contested):
        return _by_ruling(found.ref, found.several) if found.ref in chosen.refs else found
    if isinstance(found, Ambiguous):
        return next((_by_ruling(ref, found) for ref in found.refs if ref in chosen.refs), found)
    return found


def _by_ruling(ref: RecordRef, found: Ambiguous) -> Matched:
    return Matched(ref, found.level, "ruling", found.tried)


def _only(run: Run, found: Found | None, towards: Side, about: str, chosen: _Chosen) -> Found | None:
    """Let nobody but the chosen one be the counterpart; where that one is gone, and nobody matches, one may be made."""
    if isinstance(found, Matched) and found.ref in chosen.refs:
        return found
    if isinstance(found, Unmatched) and not chosen.there:
        return found
    system = run.definition.end(towards).system
    code = Code.CHOSEN_LINKED if chosen.linked else Code.CHOSEN_GONE
    refs = found.refs if isinstance(found, Ambiguous) else [found.ref] if isinstance(found, Matched | Contested) else []
    question = of_match(about, code, refs, all_of_them=not (isinstance(found, Ambiguous) and found.too_many))
    return Barred(because(code, system=system, record=chosen.id), question)


def _not_meant(found: Matched, ref: RecordRef, chosen: _Chosen) -> Found:
    """Keep a record from what matches it, where a person chose another one for that."""
    if ref in chosen.refs:
        return found
    told = f"{found.ref.kind} {found.ref.id}"
    return Barred(because(Code.CHOSEN_OTHERWISE, system=found.ref.system, record=told, chosen=chosen.id), None)


def _wake(run: Run, look: Look, side: Side, searches: Sequence[Search]) -> Flow[None]:
    """Let all look again that asked for what a ruling settles now: the others that match, and whom those match."""
    settled = {search.found.ref for search in searches if isinstance(search.found, Matched)}
    hints = {hint for search in searches if isinstance(search.found, Matched) for hint in search.hints}
    records = [found for one, ref in hints if one == other(side) and (found := look.record(one, ref)) is not None]
    if not records or run.planning:
        return
    back = yield from match(run, look, other(side), sorted(records, key=lambda record: record.ref))
    theirs = {hint for search in back.values() for hint in search.hints}
    places = sorted(place for place in hints | theirs if place[1] not in settled)
    yield from run.commit(Delta(wake=tuple(places)))
