"""Values to JSON and back: rows of plans, intents, journal, queue and inbox, by one cattrs converter.

Unions carry the name of their member under `is`. Cells keep their exact type (`Decimal`, instants, references, sets).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Final, TypeVar, cast

import attrs
from cattrs import Converter
from cattrs.strategies import configure_tagged_union

from . import model, protocols, roles
from .model import (
    Applied,
    Archive,
    Arrived,
    Create,
    Delete,
    Missing,
    Normalisation,
    Postponed,
    Record,
    RecordRef,
    Rejected,
    Rows,
    Signal,
    Stale,
    Uncertain,
    Update,
)
from .reasons import Code, Fact, Reason
from .stores._cells import Json, Unreadable, from_json, text_of, to_json, value_of

T = TypeVar("T")

# The aliases of the model are text at run time; these are the same, spelled out for the converter.
_CELL: Final[Any] = (
    str | bool | int | Decimal | dt.date | dt.datetime | tuple[str, ...] | RecordRef | tuple[RecordRef, ...] | None
)
_FACT: Final[Any] = str | int | dt.datetime
_ACTION: Final[Any] = Create | Update | Archive | Delete
_OUTCOME: Final[Any] = Applied | Stale | Postponed | Rejected | Uncertain
_DELIVERY: Final[Any] = Signal | Arrived
_VALUES: Final[Any] = Mapping[str, _CELL]
_FACTS: Final[Any] = Mapping[str, _FACT]


def pack(value: object) -> Json:
    """Turn a value into what JSON can carry; an action, an outcome or a delivery says which one it is."""
    union = next((union for union in (_ACTION, _OUTCOME, _DELIVERY) if isinstance(value, union)), None)
    return _converter().unstructure(value, union)


def unpack(data: Json, shape: type[T]) -> T:
    """Turn it back into a value of this class; raises `Unreadable` for what has not its form."""
    return cast("T", _unpack(data, shape))


def unpack_action(data: Json) -> model.Action:
    """Turn it back into the action that it says it is; raises `Unreadable`."""
    return cast("model.Action", _unpack(data, _ACTION))


def unpack_outcome(data: Json) -> model.Outcome:
    """Turn it back into the outcome that it says it is; raises `Unreadable`."""
    return cast("model.Outcome", _unpack(data, _OUTCOME))


def unpack_delivery(data: Json) -> Signal | Arrived:
    """Turn it back into the signal or the arrived record that it says it is; raises `Unreadable`."""
    return cast("Signal | Arrived", _unpack(data, _DELIVERY))


def pack_instant(at: dt.datetime) -> str:
    """Write an instant with its zone and microseconds."""
    return at.isoformat()


def unpack_instant(text: str) -> dt.datetime:
    """Read an instant; raises `Unreadable`."""
    return cast("dt.datetime", _unpack(text, dt.datetime))


def dumps(value: object) -> str:
    """Write a value as one line of JSON."""
    return text_of(pack(value))


def loads(text: str, shape: type[T]) -> T:
    """Read a value of this class from JSON; raises `Unreadable`."""
    return unpack(value_of(text), shape)


def loads_delivery(text: str) -> Signal | Arrived:
    """Read a signal or an arrived record; raises `Unreadable`."""
    return unpack_delivery(value_of(text))


def _unpack(data: Json, shape: Any) -> object:
    try:
        return _converter().structure(data, shape)
    except Exception:  # noqa: BLE001 - the converter raises bare ones too, for a text that is no literal
        # Without its cause, whose text may quote a person's values.
        raise Unreadable(f"stored data is no {getattr(shape, '__name__', 'member of its union')}") from None


@cache
def _converter() -> Converter:
    converter = Converter(omit_if_default=True, detailed_validation=False)
    for cell in (_CELL, _CELL | Missing, _FACT):
        _both(converter, cell, to_json, from_json)
    for values in (_VALUES, _FACTS):
        _both(converter, values, _pack_values, _unpack_values)
    _both(converter, dt.datetime, pack_instant, dt.datetime.fromisoformat)
    _both(converter, RecordRef, attrs.astuple, lambda data: RecordRef(*data))
    _both(converter, Reason, pack_reason, unpack_reason)
    _both(converter, Record, _pack_record, _unpack_record)
    _both(converter, frozenset[Normalisation], sorted, lambda data: frozenset(map(Normalisation, data)))
    _resolve_aliases()
    for union in (_ACTION, _OUTCOME, _DELIVERY):
        configure_tagged_union(union, converter, tag_name="is")
    return converter


def _both(converter: Converter, shape: Any, pack: Callable[[Any], Json], unpack: Callable[[Any], object]) -> None:
    def fits(asked: Any) -> bool:
        return bool(asked == shape)

    def structure(data: Json, _: object) -> object:
        return unpack(data)

    converter.register_unstructure_hook_func(fits, pack)
    converter.register_structure_hook_func(fits, structure)


def _resolve_aliases() -> None:
    names = {
        **{name: getattr(model, name) for name in model.__all__},
        **vars(protocols),
        **vars(roles),
        "dt": dt,
        "Fact": _FACT,
        "Cell": _CELL,
        "Values": _VALUES,
        "Action": _ACTION,
        "Outcome": _OUTCOME,
    }
    for shape in names.values():
        if isinstance(shape, type) and attrs.has(shape):
            attrs.resolve_types(shape, None, names)


def _pack_values(values: Mapping[str, Any]) -> Json:
    return {name: to_json(cell) for name, cell in values.items()}


def _unpack_values(data: Mapping[str, Json]) -> Mapping[str, object]:
    return {name: from_json(cell) for name, cell in data.items()}


def pack_reason(reason: Reason) -> Json:
    """Write a reason as its code, and its facts behind it where it has some."""
    return [str(reason.code), _pack_values(reason.facts)] if reason.facts else str(reason.code)


def unpack_reason(data: Json) -> Reason:
    """Read a reason."""
    if isinstance(data, str):
        return Reason(Code(data))
    code, facts = data
    return Reason(Code(code), cast("Mapping[str, Fact]", _unpack_values(facts)))


def _pack_record(record: Record) -> Json:
    rows = record.rows
    return {
        "ref": attrs.astuple(record.ref),
        "fields": rows.fields,
        "cells": [to_json(cell) for cell in rows.cells[record.row]],
        "version": record.version,
        "stamp": record.stamp and pack_instant(record.stamp),
        "author": record.author,
    }


def _unpack_record(data: Json) -> Record:
    system, kind, id_ = data["ref"]
    stamp = data["stamp"] and dt.datetime.fromisoformat(data["stamp"])
    cells = tuple(from_json(cell) for cell in data["cells"])
    rows = Rows(system, kind, tuple(data["fields"]), (id_,), (cells,), (data["version"],), (stamp,), (data["author"],))
    return Record(rows, 0)
