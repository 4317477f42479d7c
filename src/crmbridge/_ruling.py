"""A ruling as a person types it, and as a person's program says it: held against what is known before it is stored."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Mapping
from typing import Final

from ._named import named
from .definition import Definition
from .errors import UsageError
from .model import SIDES, RecordRef, Side, other
from .plan import MATCHES, candidates
from .roles import QueueRow, Ruling, StateStore

ADOPT: Final = "adopt"
SIDES_AND_LEAVE: Final = ("left", "right", "leave")


def read(text: str, left: str, right: str) -> tuple[str, str]:
    """Read a ruling as it is typed, in wide or narrow letters, in capitals or not: its word, and what is kept.

    The word is `left`, `right` or `leave`; anything else is an id to adopt, with the word `adopt` before it or without,
    and the id is kept. *left* and *right* are the names of the systems, which stand for their sides unless both have the
    same. Both are empty where nothing is typed, or `adopt` alone.
    """
    # Parted by any blank: who writes Japanese types a wide one.
    verb, *id = text.split(maxsplit=1) or [""]
    if _folded(verb) == ADOPT:
        return (ADOPT, id[0].strip()) if id else ("", "")
    word = _words(left, right).get(_folded(text), "")
    if word or not verb:
        return word, word
    return ADOPT, text.strip()


def rulings(
    definition: Definition, store: StateStore, ref: RecordRef, choice: str, *, by: str, now: dt.datetime
) -> tuple[Ruling, ...]:
    """Make a ruling, for each record that asks the same: both of a pair ask one question.

    Raises `UsageError` for a record that nothing is known of, or that asks nothing, for no name, and for what answers
    nothing. An id may be ruled only where several records match, and only that of one that does. A record that was
    woken since it was parked is taken as it was.
    """
    name = definition.name
    if not by.strip():
        raise UsageError(f"{name}: rule(by={by!r}): a ruling says by whom it is")
    [ref] = named(definition, store, "rule()", ref)
    asking = _asking(definition, store, ref)
    left, right = definition.left.system, definition.right.system
    word, kept = read(choice, left, right)
    if not asking:
        raise UsageError(
            f"{name}: rule(): nothing is asked about {_told(ref)}; name a record that crmbridge.quarantine.parked lists "
            "with choices"
        )
    question = asking[0].question or ""
    if question.startswith(MATCHES):
        _refuse_id(definition, ref, choice, kept if word == ADOPT else "", question)
    elif word not in SIDES_AND_LEAVE:
        words = ", ".join(_words(left, right))
        raise UsageError(
            f"{name}: rule({choice!r}): a ruling is one of {words}; an id only where several records match"
        )
    return tuple(Ruling(row.ref, kept, by, now, question) for row in asking)


def may_name(id: str, question: str | None) -> bool:
    """Say whether an id that a person typed may be that of one of the records that match.

    It may be typed in capitals or not, or be the beginning alone: the engine holds it against the records themselves.
    """
    told = _folded(id)
    ids = [_folded(one) for one in candidates(question)]
    return not ids or any(one.startswith(told) for one in ids)


def _refuse_id(definition: Definition, ref: RecordRef, choice: str, id: str, question: str) -> None:
    if not id:
        raise UsageError(
            f"{definition.name}: rule({choice!r}): several records match {_told(ref)}; rule the id of the one to adopt"
        )
    ids = candidates(question)
    ends = (definition.left, definition.right)
    forms = {definition.named(RecordRef(end.system, kind, id)).id for end in ends for kind in end.kinds}
    if ids and not forms & set(ids):
        raise UsageError(
            f"{definition.name}: rule({choice!r}): that is none of the records that match {_told(ref)}: {', '.join(ids)}"
        )


def _asking(definition: Definition, store: StateStore, ref: RecordRef) -> list[QueueRow]:
    """Give the rows that ask what is asked of a record: its own, and that of its counterpart.

    Raises `UsageError` where it is known neither as waiting nor as linked.
    """
    name = definition.name
    sides: list[Side] = [side for side in SIDES if definition.end(side).system == ref.system]
    rows: list[QueueRow] = []
    tied = False
    for side in sides:
        links = store.links.of(name, side, [ref]).get(ref, ())
        across = [link.ref(other(side)) for link in links if link.closed is None]
        rows.extend(store.agenda.rows(name, side, [ref]).values())
        rows.extend(store.agenda.rows(name, other(side), across).values())
        tied = tied or bool(links)
    if not rows and not tied:
        ends = f"{definition.left.system} or {definition.right.system}"
        raise UsageError(
            f"{name}: rule(): nothing is known of {_told(ref)}; name a parked record of {ends}, as "
            "crmbridge.quarantine.parked lists them"
        )
    question = next((row.question for row in rows if row.question is not None), None)
    return [] if question is None else [row for row in rows if row.question == question]


def _words(left: str, right: str) -> Mapping[str, str]:
    words = {word: word for word in SIDES_AND_LEAVE}
    named = {_folded(left): "left", _folded(right): "right"}
    return words if len(named) == 1 else {**named, **words, **named}


def _told(ref: RecordRef) -> str:
    return f"{ref.system} {ref.kind} {ref.id}"


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()
