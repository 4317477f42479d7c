"""What the two ends cannot do, what nothing fills, and what a person should know of their times."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from ..definition import Definition, End
from ..gates import unset
from ..match import LevelMatcher
from ..model import SIDES, Side, other
from ..protocols import Gate
from ..reasons import Code, Fact, Reason, because
from ._finding import Finding, Severity
from ._routes import Schemas, routes

_ERROR, _WARNING, _NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE


def about_ends(definition: Definition, schemas: Schemas) -> Iterator[Finding]:
    """Hold what the pipeline asks for against what the two connectors promise."""
    for side in SIDES:
        end = definition.end(side)
        if definition.topology != "events" and not end.reads and side == "right":
            yield Finding(end.system, because(Code.CANNOT_READ, system=end.system), _ERROR)
        if definition.creates(side) and (side == "right" or definition.may_write_left):
            yield from _creating(definition, side, end, schemas)
        yield from _removing(definition, side, end)
        yield from _times(definition, side, end)
    yield from _updating(definition, schemas)
    yield from _gates(definition)


def _creating(definition: Definition, side: Side, end: End, schemas: Schemas) -> Iterator[Finding]:
    kind = end.new
    able = None if kind is None else end.capabilities(kind)
    if kind is None or able is None or able.creates is None:
        facts: dict[str, Fact] = {} if kind is None else {"kind": kind}
        yield Finding(end.system, because(Code.CANNOT_CREATE, system=end.system, **facts), _ERROR)
        return
    why = because(Code.CREATE_CLASS, system=end.system, create_class=str(able.creates))
    yield Finding(f"{end.system}.{kind}", why, _NOTE)
    if definition.topology != "events" and definition.matcher == LevelMatcher(()):
        yield Finding(end.system, because(Code.NO_MATCHING, system=end.system), _WARNING)
    ways = [definition.fields_of(case.name) for case in definition.cases] or [definition.fields]
    for name, spec in schemas[side, kind].fields.items():
        if spec.required and not all((name, True) in [pair.on(side, kind) for pair in way] for way in ways):
            yield Finding(f"{end.system}.{kind}.{name}", because(Code.NOTHING_FILLS, field=name), _ERROR)


def _removing(definition: Definition, side: Side, end: End) -> Iterator[Finding]:
    removal = definition.deletes.left if side == "left" else definition.deletes.right
    if removal == "detach":
        return
    for kind in end.kinds:
        able = end.capabilities(kind)
        if not (able.archives if removal == "archive" else able.deletes):
            why = because(Code.CANNOT_REMOVE, system=end.system, kind=kind, verb=removal)
            yield Finding(f"{end.system}.{kind}", why, _ERROR)
    across = definition.end(other(side))
    if definition.deletes.if_edited == "revive" and not definition.creates(other(side)):
        yield Finding(across.system, because(Code.CANNOT_REVIVE, system=across.system), _WARNING)
    for kind in across.kinds:
        able = across.capabilities(kind)
        if not able.sees_deletes:
            code = Code.ABSENT_IS_KEPT if able.absent == "kept" else Code.DELETES_UNSEEN
            why = because(code, system=across.system)
            yield Finding(f"{across.system}.{kind}", why, _WARNING)


def _updating(definition: Definition, schemas: Schemas) -> Iterator[Finding]:
    """Name kinds that cannot be changed although pairs would."""
    if definition.topology == "events":
        return
    for route in routes(definition, schemas):
        policy = route.pair.policy or definition.default_policy
        able = definition.end(route.towards).capabilities(route.kind)
        if not able.updates and "only_on_create" not in policy.name:
            where = f"{route.system}.{route.kind}"
            yield Finding(where, because(Code.CANNOT_UPDATE, system=route.system, kind=route.kind), _ERROR)


def _times(definition: Definition, side: Side, end: End) -> Iterator[Finding]:
    """Tell the times that are waited for, since a vendor's own may be longer."""
    if side == "left" and not definition.may_write_left:
        return
    for kind in end.kinds:
        able = end.capabilities(kind)
        waits = {"settle": able.settles_in, "index": able.index_lag, "overlap": able.overlap}
        told: dict[str, Fact] = {name: _seconds(wait) for name, wait in waits.items()}
        yield Finding(f"{end.system}.{kind}", because(Code.TIMES_USED, system=end.system, **told), _NOTE)


def _seconds(span: dt.timedelta) -> int:
    return round(span.total_seconds())


def _gates(definition: Definition) -> Iterator[Finding]:
    """Warn of conditions that are switched on with nothing set: they admit every record."""
    for case in definition.cases:
        for gate in unset([case.when]):
            yield Finding(f"{definition.name}: {case.name}", no_condition(gate), _WARNING)
    for placed in definition.gates:
        for gate in unset([placed.gate]):
            yield Finding(f"{definition.name}: {placed.moment}", no_condition(gate), _WARNING)


def no_condition(gate: Gate) -> Reason:
    """Say that nothing is set in a condition, by the names of the fields that it would look at."""
    fields = ", ".join(sorted(gate.fields))
    return because(Code.NO_CONDITION, gate=fields) if fields else because(Code.NO_CONDITION)
