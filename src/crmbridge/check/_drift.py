"""What has changed in a schema since it was last read, told only where a pair, a key or a gate feels it."""

from __future__ import annotations

from collections.abc import Iterator

from ..definition import Definition
from ..model import FieldSpec, Schema, Side
from ..plan import PairedField
from ..reasons import Code, Fact, because
from ._finding import Finding, Severity
from ._routes import LOOSE, nearest
from ._uses import uses

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING


def drift(definition: Definition, side: Side, before: Schema, now: Schema) -> list[Finding]:
    """Name what became of the fields that a pipeline uses; a change of any other field is nobody's business here."""
    return [*_fields(definition, side, before, now), *_required(definition, side, before, now)]


def _fields(definition: Definition, side: Side, before: Schema, now: Schema) -> Iterator[Finding]:
    kind = now.kind
    for name, use in uses(definition, side, kind).items():
        was, spec, pair = before.fields.get(name), now.fields.get(name), use.pair
        if was is None or was == spec:
            continue
        system = definition.end(side).system
        where = f"{system}.{kind}.{name}"
        if spec is None:
            fresh = [other for other in now.fields if other not in before.fields]
            near = _renamed(was, name, now, fresh)
            more: dict[str, Fact] = {**use.facts, **({} if near is None else {"nearest": near})}
            yield Finding(where, because(Code.FIELD_GONE, field=name, system=system, **more), _ERROR, use.label)
            continue
        written = _written(definition, pair, side, kind)
        for code, severity, facts in _changes(was, spec, written=written, master=_master(definition, pair, side)):
            why = because(code, field=name, system=system, **facts, **use.facts)
            yield Finding(where, why, severity, use.label)


def _renamed(was: FieldSpec, name: str, now: Schema, fresh: list[str]) -> str | None:
    """Guess what a field that is gone is called now: a new one of the same label, else of a similar name."""
    alike = [other for other in fresh if was.label and now.fields[other].label == was.label]
    return alike[0] if len(alike) == 1 else nearest(name, fresh) or nearest(name, now.fields)


def _written(definition: Definition, pair: PairedField | None, side: Side, kind: str) -> bool:
    if pair is None or (side == "left" and not definition.may_write_left):
        return False
    named = pair.on(side, kind)
    return named is not None and named[1]


def _master(definition: Definition, pair: PairedField | None, side: Side) -> bool:
    """Say whether a side's own value always lives on, so that it need not be written."""
    policy = definition.default_policy if pair is None else pair.policy or definition.default_policy
    return f"{side}_always" in policy.name


def _changes(
    was: FieldSpec, now: FieldSpec, *, written: bool, master: bool
) -> Iterator[tuple[Code, Severity, dict[str, Fact]]]:
    if was.type != now.type:
        alike = {was.type, now.type} <= LOOSE
        yield Code.TYPE_CHANGED, _WARNING if alike else _ERROR, {"other_type": was.type.value, "type": now.type.value}
    if not written:
        return
    if now.read_only and not was.read_only and not master:
        yield Code.BECAME_READ_ONLY, _ERROR, {}
    elif now.create_only and not was.create_only:
        yield Code.CREATE_ONLY_TARGET, _WARNING, {}
    limits = ((was.max_length, now.max_length), (was.max_bytes, now.max_bytes), (was.digits, now.digits))
    for one, two in (*limits, (was.scale, now.scale)):
        if two is not None and (one is None or two < one):
            shorter: dict[str, Fact] = {"limit": two} if one is None else {"limit": two, "length": one}
            yield Code.BECAME_SHORTER, _WARNING, shorter
    lost = [option for option in was.options if now.options and option not in now.options]
    if lost or (now.options and not was.options):
        told: dict[str, Fact] = {"count": len(lost), "choices": ", ".join(lost[:3])} if lost else {}
        yield Code.CHOICE_LOST, _WARNING, told


def _required(definition: Definition, side: Side, before: Schema, now: Schema) -> Iterator[Finding]:
    """Name fields that became required, whether or not a pair fills them."""
    end = definition.end(side)
    if not definition.creates(side) or now.kind != end.new:
        return
    named = ((pair.on(side, now.kind), pair) for pair in definition.every_field)
    filled = {at[0]: pair for at, pair in named if at is not None and at[1]}
    for field, spec in now.fields.items():
        was, pair = before.fields.get(field), filled.get(field)
        if spec.required and not (was is not None and was.required):
            why = because(Code.BECAME_REQUIRED, field=field, system=end.system)
            yield Finding(f"{end.system}.{now.kind}.{field}", why, _WARNING, "" if pair is None else pair.label)
