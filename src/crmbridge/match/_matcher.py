"""The ask-again machine over levels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

from ..model import Record, Rows, Side
from ..protocols import Ambiguous, KeyValue, Match, Matched, Question, Tried, Unmatched
from ._adoption import Adoption, refuse
from ._keys import AllOf, Key, Level, question_keys
from ._scored import ScoredLevel

FOUND: Final = 10
"""Records that a level of keys asks for; where there are more, it is asked again for all."""

CANDIDATES: Final = 200
"""Records that a level of grades asks for; where there are more, it is asked again for all."""


@attrs.frozen
class LevelMatcher:
    """Try levels of keys in order; among several records that match, the adoption rule chooses."""

    levels: tuple[Level | ScoredLevel, ...]
    adopt: Adoption = refuse
    _keys: tuple[Key, ...] = attrs.field(
        init=False,
        eq=False,
        repr=False,
        default=attrs.Factory(
            lambda matcher: tuple(key for level in matcher.levels for key in level.every_key()), takes_self=True
        ),
    )

    def begin(self, record: Record, kind: str, towards: Side) -> Question | Match:
        """Ask the first question that this record has keys for."""
        return self._ask(record, kind, towards, (0, 0), ())

    def next(self, record: Record, asked: Question, found: Sequence[Record], towards: Side) -> Question | Match:
        """Adopt what carries the keys, or ask the next slot, then the next level."""
        place, slot = asked.step
        carrying = [other for other in found if self._carries(record, other, place, slot, towards)]
        good = self.levels[place].keep(record, carrying, towards)
        tried = (*asked.tried, Tried(asked.level, asked.kind, len(good)))
        if not good:
            return self._ask(record, asked.kind, towards, (place, slot + 1), tried)
        if len(good) == 1:
            return Matched(good[0].ref, asked.level, tried=tried)
        chosen = self.adopt.choose(sorted(good, key=lambda other: other.ref), towards)
        if chosen is None:
            return Ambiguous(tuple(sorted(other.ref for other in good)), asked.level, tried)
        return Matched(chosen.ref, asked.level, self.adopt.name, tried)

    def fields(self, side: Side, kind: str) -> frozenset[str]:
        """Name the fields of keys and of the adoption rule."""
        keys = (key for level in self.levels for key in level.reads())
        names = {key.field(side, kind) for key in keys} | {self.adopt.field(side)}
        return frozenset(name for name in names if name and not name.startswith("@"))

    def keys(self, record: Record, side: Side) -> tuple[KeyValue, ...]:
        """Give the comparison keys of a record, each once; by one whose normaliser raises nobody finds it."""
        found: list[KeyValue] = []
        for key in self._keys:
            field = key.field(side, record.rows.kind)
            if field is None or field.startswith("@"):
                continue
            try:
                value = key.of(record, field)
            except Exception:  # noqa: BLE001, S112 - whatever a normaliser of one's own runs into
                continue
            if value:
                found.append(KeyValue(field, value, key.named))
        return tuple(found) if len(found) < 2 else tuple(dict.fromkeys(found))

    def keys_of(self, rows: Rows, side: Side) -> Sequence[tuple[KeyValue, ...]]:
        """Give the comparison keys of every record of a page, in its order, key by key and not record by record."""
        columns = [column for key in self._keys if (column := key.column(rows, side)) is not None]
        if len(columns) == 1:
            return [() if value is None else (value,) for value in columns[0]]
        if not columns:
            return [()] * len(rows)
        return [tuple(dict.fromkeys(value for value in row if value is not None)) for row in zip(*columns, strict=True)]

    def asks(self, side: Side, kind: str) -> frozenset[tuple[str, str]]:
        """Name the fields it may ask for, each with its normaliser."""
        named = ((key.field(side, kind), key.named) for key in self._keys)
        return frozenset((field, by) for field, by in named if field is not None)

    def _ask(
        self, record: Record, kind: str, towards: Side, step: tuple[int, int], tried: tuple[Tried, ...]
    ) -> Question | Match:
        place, slot = step
        while place < len(self.levels):
            level = self.levels[place]
            if slot < level.slots:
                asked = (question_keys(clause, record, kind, towards) for clause in level.alternatives(slot))
                any_of = tuple(keys for keys in asked if keys is not None)
                if any_of:
                    loose = isinstance(level, ScoredLevel)
                    limit = CANDIDATES if loose else FOUND
                    return Question(kind, level.name, any_of, (place, slot), tried, limit, loose)
                slot += 1
            else:
                place, slot = place + 1, 0
        return Unmatched(tried)

    def _carries(self, record: Record, other: Record, place: int, slot: int, towards: Side) -> bool:
        own: Side = "left" if towards == "right" else "right"

        def agrees(clause: AllOf) -> bool:
            return all((mine := key.read(record, own)) and mine == key.read(other, towards) for key in clause.keys)

        return any(agrees(clause) for clause in self.levels[place].alternatives(slot))
