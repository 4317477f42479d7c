"""Rows as they must be, however a connector came to tell them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...model import Applied, Cell, Missing, Record, Rows, is_blank
from ...preflight import problem
from ...protocols import ID_FIELD
from ...reasons import Code, Reason
from ._given import Made
from ._law import NotClaimed, require
from ._trial import Trial

_MISTYPED = frozenset({Code.WRONG_TYPE, Code.NOT_A_NUMBER, Code.UNHELD_SIGN})
_SHAPES = {"no_zone": "an instant without a time zone", "broken_text": "a text with half of a character"}
"""What the type of Python does not tell from a sound value."""


def told(on: Trial, *made: Made) -> Iterator[tuple[str, Rows]]:
    """Give records in every way that the connector has: read, fetched by id, and found."""
    ways = [name for name in ("read", "fetch", "find") if hasattr(on.connector, name)]
    if ways in ([], ["find"]) and not on.able.finds_by:
        raise NotClaimed("read", "the connector tells no records")
    if "read" in ways:
        yield from (("read", page.rows) for page in on.pages())
    if "fetch" in ways:
        yield "fetch", on.fetch(*(one.ref for one in made)).rows
    if "find" in ways and on.able.finds_by:
        on.wait(search=True)
        asked = [on.question(keys, limit=200) for one in made if (keys := _key(on, one))]
        yield from (("find", rows) for rows in (on.find(*asked) if asked else ()))


def _key(on: Trial, made: Made) -> Mapping[str, str]:
    if ID_FIELD in on.able.finds_by:
        return {ID_FIELD: made.ref.id}
    for name in sorted(on.able.finds_by):
        value = made.values.get(name)
        if isinstance(value, str) and value.strip():
            return {name: value}
    return {}


def require_columns(on: Trial, how: str, rows: Rows) -> None:
    """Require that every column is as long as the ids, or empty, and that each stamp has a zone."""
    require((rows.system, rows.kind) == (on.system, on.kind.name), f"rows are said to be {rows.system} {rows.kind}")
    for name in ("cells", "versions", "stamps", "authors"):
        length = len(getattr(rows, name))
        require(
            length == len(rows) or (not length and name != "cells"), f"{how} gives {length} {name} for {len(rows)} ids"
        )
    require(all(rows.ids), f"{how} gives a record with an empty id")
    require({type(id) for id in rows.ids} <= {str}, f"{how} gives an id that is no text")
    naive = [stamp for stamp in rows.stamps if stamp is not None and stamp.utcoffset() is None]
    require(not naive, f"{how} gives a stamp that has no time zone")


def require_types(on: Trial, how: str, values: Mapping[str, Cell | Missing]) -> None:
    """Require that each value is of the type that the schema says."""
    for name, cell in values.items():
        if isinstance(cell, Missing) or is_blank(cell):
            continue
        spec = on.spec(name)
        found = problem(spec, cell, creating=True)
        if found is not None and found.code in _MISTYPED:
            require(False, f"{name} is a {spec.type} by the schema, and {how} gives {_given(found, cell)}")


def _given(found: Reason, cell: Cell) -> str:
    if found.code is Code.UNHELD_SIGN:
        return f"a text with a sign that {found.facts['encoding']} lacks: FieldSpec.encoding is another one"
    return _SHAPES.get(str(found.facts.get("shape")), type(cell).__name__)


def answered_truly(on: Trial, applied: Applied, record: Record, what: str) -> None:
    """Require that an answer tells what its record holds, in the types of the schema, and under the same version."""
    stored = applied.stored or {}
    require_types(on, f"the answer to a {what}", stored)
    wrong = [name for name, value in stored.items() if record.get(name) != value]
    require(not wrong, f"the answer to a {what} tells of {', '.join(wrong)} what fetch does not give")
    told = applied.version is not None and record.version is not None
    require(not told or applied.version == record.version, f"the answer to a {what} names another version than fetch")
