"""A ruling as a person types it, and as a person's program says it: held against what is known before it is stored."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Mapping
from typing import Final

from ._named import named
from .definition import Definition
from .errors import UsageError
from .model import SIDES, RecordRef, Side
from .reasons import Code
from .roles import QueueRow, Ruling, StateStore

ADOPT: Final = "adopt"
SIDES_AND_LEAVE: Final = ("left", "right", "leave")
SEVERAL: Final = frozenset({Code.SEVERAL_MATCH, Code.TOO_MANY_MATCH})
"""Why an id may be ruled: several records match."""


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


def ruling(
    definition: Definition, store: StateStore, ref: RecordRef, choice: str, *, by: str, now: dt.datetime
) -> Ruling:
    """Make a ruling; raises `UsageError` for a record that nothing is known of, for no name, and for no such choice.

    An id may be ruled only where several records match, and nothing else can be ruled there but `leave`. A record that
    was woken since it was parked is taken as it was.
    """
    name = definition.name
    if not by.strip():
        raise UsageError(f"{name}: rule(by={by!r}): a ruling says by whom it is")
    [ref] = named(definition, store, "rule()", ref)
    rows = _rows(definition, store, ref)
    left, right = definition.left.system, definition.right.system
    word, kept = read(choice, left, right)
    id = kept if word == ADOPT else ""
    several = any(row.because is not None and row.because.code in SEVERAL for row in rows)
    woken = any(row.because is None for row in rows)
    if id and (several or woken):
        return Ruling(ref, id, by, now)
    if several and word != "leave":
        raise UsageError(
            f"{name}: rule({choice!r}): several records match {_told(ref)}; rule the id of the one to adopt"
        )
    if word not in SIDES_AND_LEAVE:
        words = ", ".join(_words(left, right))
        raise UsageError(
            f"{name}: rule({choice!r}): a ruling is one of {words}; an id only where several records match"
        )
    return Ruling(ref, word, by, now)


def _rows(definition: Definition, store: StateStore, ref: RecordRef) -> list[QueueRow]:
    """Give what waits of a record; raises `UsageError` where it is known neither as waiting nor as linked."""
    sides: list[Side] = [side for side in SIDES if definition.end(side).system == ref.system]
    waiting = [store.agenda.rows(definition.name, side, [ref]).get(ref) for side in sides]
    if not any(waiting) and not any(store.links.standing(definition.name, side, [ref]) for side in sides):
        ends = f"{definition.left.system} or {definition.right.system}"
        raise UsageError(
            f"{definition.name}: rule(): nothing is known of {_told(ref)}; name a parked record of {ends}, as "
            "crmbridge.quarantine.parked lists them"
        )
    return [row for row in waiting if row is not None]


def _words(left: str, right: str) -> Mapping[str, str]:
    words = {word: word for word in SIDES_AND_LEAVE}
    named = {_folded(left): "left", _folded(right): "right"}
    return words if len(named) == 1 else {**named, **words, **named}


def _told(ref: RecordRef) -> str:
    return f"{ref.system} {ref.kind} {ref.id}"


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()
