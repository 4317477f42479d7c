"""A ruling as a person's program says it: held against what is known before it is stored."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Mapping
from typing import Final

from .definition import Definition
from .errors import UsageError
from .model import SIDES, RecordRef, Side
from .reasons import Code
from .roles import QueueRow, Ruling, StateStore

_ADOPT: Final = "adopt"


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
    rows = _rows(definition, store, ref)
    words = _words(definition)
    chosen, id = words.get(_folded(choice)), _id(choice)
    several = any(row.because is not None and row.because.code is Code.SEVERAL_MATCH for row in rows)
    woken = any(row.because is None for row in rows)
    if chosen is None and id and (several or woken):
        return Ruling(ref, id, by, now)
    if several and chosen != "leave":
        raise UsageError(
            f"{name}: rule({choice!r}): several records match {_told(ref)}; rule the id of the one to adopt"
        )
    if chosen is None:
        raise UsageError(
            f"{name}: rule({choice!r}): a ruling is one of {', '.join(words)}; an id only where several records match"
        )
    return Ruling(ref, chosen, by, now)


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


def _words(definition: Definition) -> Mapping[str, str]:
    words = {"left": "left", "right": "right", "leave": "leave"}
    left, right = _folded(definition.left.system), _folded(definition.right.system)
    return words if left == right else {left: "left", right: "right"} | words


def _id(choice: str) -> str:
    """Read an id, with the verb that a table of rulings has before it or without."""
    verb, _, id = choice.strip().partition(" ")
    return id.strip() if verb == _ADOPT else choice.strip()


def _told(ref: RecordRef) -> str:
    return f"{ref.system} {ref.kind} {ref.id}"


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()
