"""Questions become conditions, and what was found goes back to those who asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

import attrs

from ...errors import CapabilityError
from ...protocols import ID_FIELD, KeyValue, Question
from ._columns import Column, Described
from ._ids import long_id
from ._reading import Record, dug
from ._soql import cost, packed, quoted

_MOST = 100
"""Values in one condition, at most: more make a plan of the vendor's database that is slower than two queries."""

Keys: TypeAlias = tuple[str, ...]
"""Comparison keys, one for each of several fields."""

Index: TypeAlias = Mapping[Keys, Sequence[Record]]
"""Records by their keys, in the form in which the vendor compares."""


@attrs.frozen
class Search:
    """Ask for records of one kind whose fields hold one of several tuples of keys."""

    kind: Described
    fields: tuple[str, ...]
    keys: tuple[Keys, ...] = attrs.field(repr=False)
    limit: int
    """How many records of one tuple are wanted, at most."""
    gone: bool

    @property
    def where(self) -> str:
        """Give the condition."""
        if len(self.fields) == 1:
            found = f"{self.fields[0]} IN ({', '.join(quoted(key) for (key,) in self.keys)})"
        else:
            found = " OR ".join(_all_of(self.fields, keys) for keys in self.keys)
        if self.gone or "IsConverted" not in self.kind.columns:
            return found
        # Vendor: a converted lead is a row as any other, although nobody sees it any more.
        return f"({found}) AND IsConverted = FALSE"

    def halves(self) -> tuple[Search, Search]:
        """Ask for the first half of the tuples, and for the rest."""
        middle = len(self.keys) // 2
        return attrs.evolve(self, keys=self.keys[:middle]), attrs.evolve(self, keys=self.keys[middle:])


def _all_of(fields: Sequence[str], keys: Keys) -> str:
    return "(" + " AND ".join(f"{field} = {quoted(key)}" for field, key in zip(fields, keys, strict=True)) + ")"


def searches(kind: Described, questions: Sequence[Question], *, beside: int) -> Iterator[Search]:
    """Make as few searches as answer all the questions, each short enough for one query."""
    wanted: dict[tuple[str, ...], dict[Keys, Keys]] = {}
    for question in questions:
        for fields, keys in _asked(kind, question):
            wanted.setdefault(fields, {})[_folded(kind, fields, keys)] = keys
    limit = max((question.limit for question in questions), default=0)
    for fields, by_fold in wanted.items():
        tuples = list(by_fold.values())
        pieces = [quoted(keys[0]) if len(fields) == 1 else _all_of(fields, keys) for keys in tuples]
        for run in packed(pieces, beside=beside + cost(fields[0]), most=_MOST):
            yield Search(kind, fields, tuple(tuples[run]), limit, questions[0].gone)


def index(kind: Described, fields: tuple[str, ...], records: Iterable[Record]) -> Index:
    """Arrange records by what their fields hold, as the vendor compares it."""
    arranged: dict[Keys, list[Record]] = {}
    for record in records:
        held = [dug(record, field) for field in fields]
        keys = tuple(value if isinstance(value, str) else "" for value in held)
        arranged.setdefault(_folded(kind, fields, keys), []).append(record)
    return arranged


def answered(kind: Described, question: Question, found: Mapping[tuple[str, ...], Index]) -> list[Record]:
    """Choose what answers a question among all that was found by each set of fields, in the order of ids."""
    hits = {
        str(record["Id"]): record
        for fields, keys in _asked(kind, question)
        for record in found.get(fields, {}).get(_folded(kind, fields, keys), ())
    }
    return [hits[id] for id in sorted(hits)[: question.limit]]


def _asked(kind: Described, question: Question) -> Iterator[tuple[tuple[str, ...], Keys]]:
    """Give fields and keys of each alternative of a question that can be true; a blank key never is."""
    for alternative in question.any_of:
        columns = [_column(kind, key) for key in alternative]
        keys = tuple(
            long_id(key.value) if column.is_id else key.value.strip()
            for column, key in zip(columns, alternative, strict=True)
        )
        if keys and all(keys):
            yield tuple(column.spec.name for column in columns), keys


def _folded(kind: Described, fields: Sequence[str], keys: Keys) -> Keys:
    columns = [kind.columns[name] for name in fields]
    return tuple(
        key if column.exact or column.is_id else key.strip().casefold()
        for column, key in zip(columns, keys, strict=True)
    )


def _column(kind: Described, key: KeyValue) -> Column:
    name = "Id" if key.field == ID_FIELD else key.field
    column = kind.columns.get(name)
    if column is None or not column.searched:
        raise CapabilityError(f"{kind.kind}.{name} cannot be searched for")
    return column
