"""Checking a pipeline before it runs: read the schemas of both ends and hold the pipeline against them."""

from __future__ import annotations

from ..check import Finding, Severity, drift, findings
from ..definition import Definition
from ..flow import Flow, call
from ..model import SIDES, Schema, Side
from ..reasons import Code, because
from ..roles import StateStore
from ._adoption import lost
from ._again import pending
from ._check_references import check_references
from ._fingerprints import keeps_values, unkept
from ._looked_up import told
from ._references import look_ups


def check(definition: Definition, store: StateStore | None = None) -> Flow[list[Finding]]:
    """Name what cannot work or deserves a second thought; with a store, also what changed since the last run.

    With a store it says, too, whether the pipeline waits to be adopted.
    """
    waits = store is not None and (yield from lost(definition, store))
    schemas: dict[tuple[Side, str], Schema] = {}
    changed: list[Finding] = []
    for side in SIDES:
        end = definition.end(side)
        for kind in end.kinds:
            fresh = schemas[side, kind] = yield from end.source.schema(kind)
            known = None
            if store is not None:
                known = yield from call(store.directory.schema, definition.name, side, kind)
            if known is not None:
                changed.extend(drift(definition, side, known.schema, fresh))
    check_references(definition, schemas)
    looked_up = yield from _looked_up(definition)
    if store is not None and not keeps_values(store):
        looked_up.extend(
            Finding(one.where, because(Code.VALUES_NOT_KEPT), Severity.ERROR) for one in unkept(definition)
        )
    found = [Finding(definition.name, because(Code.STATE_LOST))] if waits else []
    if store is not None:
        found.extend((yield from pending(definition, store)))
    return [*found, *changed, *looked_up, *findings(definition, schemas)]


def _looked_up(definition: Definition) -> Flow[list[Finding]]:
    """Hold look-ups against the schemas of what they look at."""
    found: list[Finding] = []
    for one, fields in look_ups(definition.references):
        for kind in one.end.kinds:
            schema = yield from one.end.source.schema(kind)
            found.extend(told(one, fields, kind, schema))
    return found
