"""Look-ups held against the schemas of what they look at: a name that is not there would find nobody, for ever."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from ..check import Finding, Severity, hint, nearest
from ..definition import End
from ..errors import PairError
from ..flow import Flow
from ..model import RIGHT, SIDES, Schema
from ..reasons import Code, Fact, because
from ..references import FoundField, LookUp
from ..roles import Delta, StoredSchema
from ._references import look_ups
from ._run import Run


def check_look_ups(run: Run) -> Flow[None]:
    """Refuse look-ups by fields that are not there; raises `PairError` with the look-up, the field and the nearest name.

    Their schemas are kept beside those of the ends, and read anew when they are as old, or before anything is refused.
    """
    for one, fields in look_ups(run.references):
        for kind in one.end.kinds:
            schema = yield from _schema(run, one.end, kind)
            if unknown_names(one, fields, kind, schema):
                schema = yield from one.end.source.schema(kind)
            for name in unknown_names(one, fields, kind, schema):
                raise PairError(
                    f"{run.name}: look_up({one.name!r}) names {name!r}, and {one.end.system}.{kind} has no such "
                    f"field{hint(name, schema)}"
                )


def unknown_names(one: LookUp, fields: Iterable[FoundField], kind: str, schema: Schema) -> list[str]:
    """Name the fields that a look-up asks of a kind that does not have them."""
    asked = {*one.matcher.fields("right", kind), *(field.field for field in fields)}
    return sorted(asked - schema.fields.keys())


def told(one: LookUp, fields: Iterable[FoundField], kind: str, schema: Schema) -> Iterator[Finding]:
    """Tell of each of them in a check."""
    for name in unknown_names(one, fields, kind, schema):
        near = nearest(name, schema.fields)
        more: dict[str, Fact] = {} if near is None else {"nearest": near}
        why = because(Code.UNKNOWN_FIELD, system=one.end.system, field=name, use="look_up", **more)
        yield Finding(f"look_up({one.name!r}) {one.end.system}.{kind}.{name}", why, Severity.ERROR)


def _schema(run: Run, end: End, kind: str) -> Flow[Schema]:
    for side in SIDES:
        if run.definition.end(side).connector is end.connector and (side, kind) in run.schemas:
            return run.schemas[side, kind]
    # No kind of an end begins with this sign, as no field does.
    place = f"@{end.system} {kind}"
    known = yield from run.ask(run.store.directory.schema, run.name, RIGHT, place)
    if known is None or run.now() - known.at > run.definition.schema_age:
        schema = yield from end.source.schema(kind)
        known = StoredSchema(attrs.evolve(schema, kind=place), run.now())
        yield from run.commit(Delta(schemas=((RIGHT, known),)))
    return known.schema
