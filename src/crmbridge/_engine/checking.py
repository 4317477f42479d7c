"""Checking a pipeline before it runs: read the schemas of both ends and hold the pipeline against them."""

from __future__ import annotations

from ..check import Finding, drift, findings
from ..definition import Definition
from ..flow import Flow, call
from ..model import SIDES, Schema, Side
from ..roles import StateStore


def check(definition: Definition, store: StateStore | None = None) -> Flow[list[Finding]]:
    """Name what cannot work or deserves a second thought; with a store, also what changed since the last run."""
    schemas: dict[tuple[Side, str], Schema] = {}
    changed: list[Finding] = []
    for side in SIDES:
        end = definition.end(side)
        for kind in end.kinds:
            fresh = schemas[side, kind] = yield from end.connector.schema(kind)
            known = None
            if store is not None:
                known = yield from call(store.directory.schema, definition.name, side, kind)
            if known is not None:
                changed.extend(drift(definition, side, known.schema, fresh))
    return [*changed, *findings(definition, schemas)]
