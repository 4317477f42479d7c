"""Instants from a connector: one without a time zone can be compared with none, and says another time on each machine."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from ..errors import ContractBroken
from ..model import Applied, Cell, FieldType, Missing, Outcome, Page, Rows, Schema


def require_zones(page: Page, schema: Schema | None = None) -> None:
    """Refuse a page that tells an instant without a time zone; raises `ContractBroken` with the system and the field."""
    rows = page.rows
    _require(rows.system, "the clock of a read by id", [page.clock])
    _require(rows.system, f"the stamp of a {rows.kind}", rows.stamps)
    for name in _instants(rows, schema):
        place = rows.fields.index(name)
        _require(rows.system, f"{rows.kind}.{name}", (row[place] for row in rows.cells))


def require_zones_in_answers(system: str, outcomes: Sequence[Outcome]) -> None:
    """Refuse answers to writes of which one tells a stamp without a time zone; raises `ContractBroken`."""
    _require(system, "the stamp of an answer", (one.stamp for one in outcomes if isinstance(one, Applied)))


def _instants(rows: Rows, schema: Schema | None) -> list[str]:
    specs = () if schema is None else schema.fields.values()
    instants = {spec.name for spec in specs if spec.type is FieldType.INSTANT}
    return [name for name in rows.fields if name in instants]


def _require(system: str, what: str, told: Iterable[Cell | Missing]) -> None:
    if any(isinstance(one, dt.datetime) and one.utcoffset() is None for one in told):
        raise ContractBroken(system, f"{what} has no time zone")
