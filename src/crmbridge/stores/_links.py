"""A link as stored: what identifies it in columns, what was agreed as cells, and what few links have beside them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from .. import wire
from ..model import Agreed, Cell, Link, Missing, RecordRef, Standing, Unsettled
from ..reasons import Reason
from . import _cells
from ._shared import standing

K = TypeVar("K", bound=str | bytes)


class Half(NamedTuple):
    """What was agreed on one side, as stored."""

    fields: tuple[str, ...]
    cells: str
    version: str | None


def link_of(
    id_: str, refs: tuple[RecordRef, RecordRef], halves: tuple[Half, Half], since: dt.datetime, *, shared: bool,
    beside: str | None,
) -> Link:  # fmt: skip
    """Turn what was stored into a link."""
    told: dict[str, Any] = _cells.value_of(beside) if beside else {}
    closed = told.get("closed")
    return Link(
        id_,
        *refs,
        _agreed(halves[0], told.get("left")),
        _agreed(halves[1], told.get("right")),
        since,
        told.get("incarnation", 0),
        wire.unpack(closed, Reason) if closed else None,
        shared,
        told.get("strikes", {}),
        told.get("case"),
    )


def _agreed(half: Half, beside: dict[str, Any] | None) -> Agreed:
    values = _cells.loads(half.cells)
    if not beside:
        return Agreed(half.fields, values, {}, half.version)
    unsettled = {field: wire.unpack(sent, Unsettled) for field, sent in beside.get("unsettled", {}).items()}
    as_agreed: list[tuple[str, list[int]]] = beside.get("as_agreed", [])
    for at, places in as_agreed:
        sent_at = wire.unpack_instant(at)
        unsettled |= {half.fields[place]: Unsettled(_sent(values[place]), sent_at) for place in places}
    stamp = beside.get("own_stamp")
    return Agreed(half.fields, values, unsettled, half.version, wire.unpack_instant(stamp) if stamp else None)


def _sent(cell: Cell | Missing) -> Cell:
    if isinstance(cell, Missing):
        raise _cells.Unreadable("a field is stored as sent without a value")
    return cell


def beside_of(link: Link) -> str | None:
    """Write what few links have; most have none of it."""
    told: dict[str, Any] = {}
    if link.incarnation:
        told["incarnation"] = link.incarnation
    if link.closed is not None:
        told["closed"] = wire.pack_reason(link.closed)
    if link.strikes:
        told["strikes"] = dict(link.strikes)
    if link.case is not None:
        told["case"] = link.case
    for name, agreed in (("left", link.left_agreed), ("right", link.right_agreed)):
        if agreed.unsettled or agreed.own_stamp is not None:
            told[name] = _beside_half(agreed)
    return _cells.text_of(told) if told else None


def _beside_half(agreed: Agreed) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if agreed.unsettled:
        told |= _unsettled_of(agreed)
    if agreed.own_stamp is not None:
        told["own_stamp"] = wire.pack_instant(agreed.own_stamp)
    return told


def _unsettled_of(agreed: Agreed) -> dict[str, Any]:
    """Write which fields wait to be judged; what was sent mostly stands among the cells, and not twice."""
    as_agreed: dict[dt.datetime, list[int]] = {}
    others = dict(agreed.unsettled)
    for place, (field, cell) in enumerate(zip(agreed.fields, agreed.cells, strict=True)):
        sent = others.get(field)
        # By identity: equal cells may differ, as True and 1 do.
        if sent is not None and sent.sent is cell:
            as_agreed.setdefault(sent.at, []).append(place)
            del others[field]
    told: dict[str, Any] = {}
    if as_agreed:
        told["as_agreed"] = [(wire.pack_instant(at), places) for at, places in as_agreed.items()]
    if others:
        told["unsettled"] = {field: wire.pack(sent) for field, sent in others.items()}
    return told


def standings(
    group: Mapping[K, RecordRef], ties: Iterable[tuple[K, bool, str | None]], parked: Mapping[K, tuple[str, str | None]]
) -> dict[RecordRef, Standing]:
    """Say what is known of records, given their ties (id, closed, settled version) and their parked rows."""
    live: dict[K, tuple[str | None, ...]] = {}
    closed: set[K] = set()
    for id_, is_closed, version in ties:
        if is_closed:
            closed.add(id_)
        else:
            live[id_] = (*live.get(id_, ()), version)
    known = live.keys() | closed | parked.keys()
    return {
        ref: standing(live.get(id_, ()), closed=id_ in closed, parked=parked.get(id_))
        for id_, ref in group.items()
        if id_ in known
    }
