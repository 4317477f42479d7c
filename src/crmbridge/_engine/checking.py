"""Checking a pipeline before it runs: what cannot work, and what deserves a second thought."""

from __future__ import annotations

from collections.abc import Iterable

from ..definition import Definition, claimed
from ..errors import PairError
from ..flow import Flow
from ..model import SIDES, FieldSpec, FieldType, Schema, Side
from ..reasons import Code, Reason, because
from ..roles import StateStore
from ._adoption import lost
from ._run import check_pairs

Found = tuple[str, Reason, bool]

_LOOSE = {FieldType.TEXT, FieldType.EMAIL, FieldType.CHOICE}


def check(definition: Definition, store: StateStore | None = None) -> Flow[list[Found]]:
    """Read the schemas of both ends and hold the pipeline against them; raises what a run would raise.

    *store*: says whether the pipeline waits to be adopted.
    """
    claimed(definition)
    waits = store is not None and (yield from lost(definition, store))
    schemas: dict[tuple[Side, str], Schema] = {}
    for side in SIDES:
        end = definition.end(side)
        for kind in end.kinds:
            schemas[side, kind] = yield from end.connector.schema(kind)
    try:
        check_pairs(definition, schemas)
    except PairError as error:
        return [(str(error), because(Code.UNKNOWN_FIELD), True)]
    found: list[Found] = [(definition.name, because(Code.STATE_LOST), False)] if waits else []
    return [*found, *_types(definition, schemas), *_required(definition, schemas), *_creates(definition)]


def _types(definition: Definition, schemas: dict[tuple[Side, str], Schema]) -> Iterable[Found]:
    for pair in definition.fields:
        for left_kind in definition.left.kinds:
            for right_kind in definition.right.kinds:
                left, right = pair.on("left", left_kind), pair.on("right", right_kind)
                if left is None or right is None or pair.via is not None:
                    continue
                one = schemas["left", left_kind].fields[left[0]]
                two = schemas["right", right_kind].fields[right[0]]
                if not _fits(one, two):
                    where = f"{definition.left.system}.{left_kind}.{one.name} | {definition.right.system}.{right_kind}.{two.name}"
                    yield where, because(Code.TYPES_DIFFER, left=str(one.type), right=str(two.type)), False


def _fits(one: FieldSpec, two: FieldSpec) -> bool:
    return one.type == two.type or (one.type in _LOOSE and two.type in _LOOSE)


def _required(definition: Definition, schemas: dict[tuple[Side, str], Schema]) -> Iterable[Found]:
    for side in SIDES:
        end = definition.end(side)
        if not definition.creates(side) or end.new is None:
            continue
        named = [pair.on(side, end.new) for pair in definition.fields]
        filled = {name[0] for name in named if name is not None and name[1]}
        for name, spec in schemas[side, end.new].fields.items():
            if spec.required and name not in filled:
                yield f"{end.system}.{end.new}.{name}", because(Code.NOTHING_FILLS, field=name), True


def _creates(definition: Definition) -> Iterable[Found]:
    for side in SIDES:
        end = definition.end(side)
        if definition.creates(side) and end.new is not None:
            able = end.capabilities(end.new)
            if able.creates is not None:
                yield f"{end.system}.{end.new}", because(Code.CREATE_CLASS, create_class=str(able.creates)), False
