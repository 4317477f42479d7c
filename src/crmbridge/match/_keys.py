"""Keys, clauses and levels: what must agree, and in which order it is tried."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import TypeAlias

import attrs

from ..errors import UsageError
from ..model import Cell, Missing, Record, Rows, Side
from ..protocols import ID_FIELD, KeyValue, Normaliser

Names: TypeAlias = "str | Mapping[str, str]"
"""One field, or one per kind."""


def exact(text: str) -> str:
    """Compare as it is, but for white space around it."""
    return text.strip()


def name_of(normaliser: Normaliser) -> str:
    """Name a normaliser, for the directory and for reasons."""
    if normaliser is exact:
        return "exact"
    qualified: str = getattr(normaliser, "__qualname__", type(normaliser).__qualname__)
    return f"{getattr(normaliser, '__module__', '') or 'builtins'}.{qualified}"


def _text_of(value: Cell | Missing) -> str:
    """Give a value that is no text as the text that a normaliser takes; sets and what was not read are blank."""
    if value is None or isinstance(value, Missing | tuple):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    return str(getattr(value, "id", value))


@attrs.frozen
class Key:
    """One comparison: a field of either side and how both are normalised. A blank never matches."""

    left: Names
    right: Names
    by: Normaliser = exact
    named: str = attrs.field(
        init=False, eq=False, repr=False, default=attrs.Factory(lambda key: name_of(key.by), takes_self=True)
    )
    """The normaliser's name, for the directory and for reasons."""

    def field(self, side: Side, kind: str) -> str | None:
        """Name this key's field on a side for a kind; None where the kind has none."""
        names = self.left if side == "left" else self.right
        return names if isinstance(names, str) else names.get(kind)

    def read(self, record: Record, side: Side) -> str:
        """Normalise a record's own value of this key; blank where it has none."""
        field = self.field(side, record.rows.kind)
        return "" if field is None else self.of(record, field)

    def of(self, record: Record, field: str) -> str:
        """Normalise a record's value of a field, as this key does; blank where it has none."""
        return self._normalised(record.rows.ids[record.row] if field == ID_FIELD else record.get(field))

    def column(self, rows: Rows, side: Side) -> list[KeyValue | None] | None:
        """Give what the directory keeps of this key, None for a blank one; None where it keeps nothing of it."""
        field = self.field(side, rows.kind)
        if field is None or field.startswith("@") or field not in rows.fields:
            return None
        named = self.named
        return [KeyValue(field, text, named) if text else None for text in self.texts(rows, side)]

    def texts(self, rows: Rows, side: Side) -> list[str]:
        """Normalise this key's value of every record of a page; blank where it has none."""
        field, by, other = self.field(side, rows.kind), self.by, self._normalised
        if field == ID_FIELD:
            values: Iterable[Cell | Missing] = rows.ids
        elif field in rows.fields:
            values = map(itemgetter(rows.fields.index(field)), rows.cells)
        else:
            return [""] * len(rows)
        # As `_normalised` does, without its call for what nearly every value is.
        return [
            "" if value is None else by(value) if isinstance(value, str) and value.strip() else other(value)
            for value in values
        ]

    def _normalised(self, value: Cell | Missing) -> str:
        text = value if isinstance(value, str) else _text_of(value)
        return self.by(text) if text and not text.isspace() else ""


@attrs.frozen
class AllOf:
    """Keys that must all agree."""

    keys: tuple[Key, ...]


@attrs.frozen
class FirstOf:
    """Slots tried one after the other: the next only when the one before found nothing."""

    slots: tuple[AllOf, ...]


Clause: TypeAlias = "Key | AllOf | FirstOf"


def _by_slot(clauses: Sequence[AllOf | FirstOf]) -> tuple[tuple[AllOf, ...], ...]:
    chains = [clause.slots if isinstance(clause, FirstOf) else (clause,) for clause in clauses]
    longest = max(map(len, chains), default=0)
    return tuple(tuple(chain[slot] for chain in chains if slot < len(chain)) for slot in range(longest))


@attrs.frozen
class Level:
    """A step of matching: its clauses are alternatives, asked together."""

    name: str
    clauses: tuple[AllOf | FirstOf, ...]
    _asked: tuple[tuple[AllOf, ...], ...] = attrs.field(
        init=False, eq=False, repr=False, default=attrs.Factory(lambda level: _by_slot(level.clauses), takes_self=True)
    )

    @property
    def slots(self) -> int:
        """Count the questions that this level may ask."""
        return len(self._asked)

    def alternatives(self, slot: int) -> tuple[AllOf, ...]:
        """Give the clauses asked at one slot: all plain ones at the first, and each chain's own."""
        return self._asked[slot] if slot < len(self._asked) else ()

    def reads(self) -> tuple[Key, ...]:
        """Give all keys whose fields must be read."""
        return self.every_key()

    def keep(self, record: Record, found: Sequence[Record], towards: Side) -> list[Record]:
        """Keep all that carry the keys: equal is equal."""
        return list(found)

    def every_key(self) -> tuple[Key, ...]:
        """Give the keys that must be looked up."""
        return tuple(key for slot in range(self.slots) for clause in self.alternatives(slot) for key in clause.keys)


def key(left: Names, right: Names, by: Normaliser = exact) -> Key:
    """Compare a left field with a right one; *by* normalises both, as in `crmbridge.japanese`.

    Raises `UsageError` for a side that names no field: such a key would never match.
    """
    for argument, names in (("left", left), ("right", right)):
        if not names or (not isinstance(names, str) and not all(names.values())):
            raise UsageError(f"key({argument}={names!r}): name a field, or one for each kind that has it")
    return Key(left, right, by)


def all_of(*keys: Key) -> AllOf:
    """Ask that all of these keys agree; raises `UsageError` where there are none."""
    if not keys:
        raise UsageError("all_of(): name at least one key; without any, nothing would ever match")
    return AllOf(keys)


def first_of(*slots: Key | AllOf) -> FirstOf:
    """Try these one after the other, the next only when the one before found nothing; raises `UsageError` for none."""
    if not slots:
        raise UsageError("first_of(): name at least one key; without any, nothing would ever match")
    return FirstOf(tuple(slot if isinstance(slot, AllOf) else AllOf((slot,)) for slot in slots))


def level(name: str, *clauses: Clause) -> Level:
    """Make a step of matching; the next level is tried only when this one finds nothing.

    Raises `UsageError` for a level without keys, which would never match.
    """
    if not clauses:
        raise UsageError(f"level({name!r}): name at least one key; without any, nothing would ever match")
    return Level(name, tuple(AllOf((clause,)) if isinstance(clause, Key) else clause for clause in clauses))


def by_id(field: Names, *, form: Normaliser = exact) -> Level:
    """Match where a left field holds the right record's own id, as level `id`; *form* puts both into one form."""
    return Level("id", (AllOf((Key(field, ID_FIELD, form),)),))


def question_keys(clause: AllOf, record: Record, kind: str, towards: Side) -> tuple[KeyValue, ...] | None:
    """Turn a clause into what the counterpart must hold; None where a key is blank or the kind lacks its field."""
    own: Side = "left" if towards == "right" else "right"
    found: list[KeyValue] = []
    for one in clause.keys:
        field, value = one.field(towards, kind), one.read(record, own)
        if field is None or not value:
            return None
        found.append(KeyValue(field, value, one.named))
    return tuple(found) or None
