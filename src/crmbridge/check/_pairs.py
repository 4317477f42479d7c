"""What is wrong with pairs of fields: names, writability, types, choices, lengths, policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ..definition import Definition
from ..given import Reference
from ..model import FieldType
from ..plan import PairedField
from ..policies import NewestWins, has_part, weighs_elements
from ..preflight import Refused, last_value, problem
from ..reasons import Code, Fact, because
from ._finding import Finding, Severity
from ._routes import LOOSE, Route, Schemas, nearest, refuses, routes
from ._uses import unknown

_MANY: Final = frozenset({FieldType.CHOICES, FieldType.REFERENCES})
_TOLD: Final = 3
"""Choices that are named, at most."""


def about_pairs(definition: Definition, schemas: Schemas) -> Iterator[Finding]:
    """Hold every pair against the two fields that it joins."""
    yield from _unknown(definition, schemas)
    for route in routes(definition, schemas):
        if refuses(definition, route):
            yield _told(route, Code.READ_ONLY_TARGET, Severity.ERROR)
            continue
        yield from _writing(definition, route)
        if route.source is not None and route.pair.via is None:
            yield from _types(route)
            yield from _lengths(route)
        if route.source is not None:
            yield from _choices(route)
    for pair in definition.every_field:
        yield from _policy(definition, pair, schemas)


def _unknown(definition: Definition, schemas: Schemas) -> Iterator[Finding]:
    for one in unknown(definition, schemas):
        system = definition.end(one.side).system
        near = nearest(one.field, schemas[one.side, one.kind].fields)
        more: dict[str, Fact] = {**one.use.facts, **({} if near is None else {"nearest": near})}
        why = because(Code.UNKNOWN_FIELD, field=one.field, system=system, **more)
        severity = Severity.ERROR if one.fatal else Severity.WARNING
        yield Finding(f"{system}.{one.kind}.{one.field}", why, severity, one.use.label)


def _told(route: Route, code: Code, severity: Severity, **facts: Fact) -> Finding:
    why = because(code, field=route.target.name, system=route.system, **facts)
    return Finding(route.where, why, severity, route.pair.label)


def _writing(definition: Definition, route: Route) -> Iterator[Finding]:
    """Say where values reach new records only, and where who writes them is said in vain."""
    policy = route.pair.policy or definition.default_policy
    on_create = "only_on_create" in policy.name
    if on_create and not definition.creates(route.towards) and route.towards == "right":
        yield _told(route, Code.NEVER_WRITTEN, Severity.WARNING)
    if route.pair.owner is not None and not definition.shared and route.towards == "right":
        yield _told(route, Code.OWNER_UNUSED, Severity.WARNING)
    if route.target.create_only and not on_create and definition.topology != "events":
        yield _told(route, Code.CREATE_ONLY_TARGET, Severity.WARNING)


def _types(route: Route) -> Iterator[Finding]:
    source, target = route.source, route.target
    if source is None or source.type == target.type or {source.type, target.type} <= LOOSE:
        return
    policy = route.pair.policy
    counted = route.pair.if_refused == last_value or (policy is not None and weighs_elements(policy))
    if counted and (source.type in _MANY) != (target.type in _MANY):
        return
    ids = {source.type, target.type} == {FieldType.REFERENCE, FieldType.TEXT}
    # What a reference points to is looked up before it is sent: a text that is no id is told with its record.
    if ids and (source.refers_to or target.refers_to):
        return
    # A file or a table calls text whatever it knows no better of, and text may be a number or an id.
    severity = Severity.WARNING if ids or source.type is FieldType.TEXT else Severity.ERROR
    yield _told(
        route,
        Code.TYPES_DIFFER,
        severity,
        type=target.type.value,
        other_field=source.name,
        other_type=source.type.value,
    )


def _choices(route: Route) -> Iterator[Finding]:
    """Name the choices that the target lacks; an answer that mends one of them mends it here too."""
    source, target, pair = route.source, route.target, route.pair
    if source is None or not source.options or not target.options:
        return
    lacking: list[str] = []
    for option in source.options:
        try:
            sent = option
            if pair.via is not None and not isinstance(pair.via, Reference):
                sent = str((pair.via.encode if route.towards == "right" else pair.via.decode)(option))
        except Exception:  # noqa: BLE001 - whatever a codec of one's own runs into
            lacking.append(option)
            continue
        why = problem(target, (sent,) if target.type is FieldType.CHOICES else sent, creating=True)
        if why is not None and pair.if_refused.answer(Refused(target, sent, None, route.towards, why)) is None:
            lacking.append(option)
    if lacking:
        named = ", ".join(lacking[:_TOLD])
        yield _told(route, Code.CHOICES_LACKING, Severity.WARNING, count=len(lacking), choices=named)


def _lengths(route: Route) -> Iterator[Finding]:
    source, target = route.source, route.target
    if source is None:
        return
    answer = route.pair.if_refused.name
    limits: Mapping[str, tuple[int | None, int | None]] = {
        "characters": (source.max_length, target.max_length),
        "bytes": (None if source.encoding != target.encoding else source.max_bytes, target.max_bytes),
        "before_point": (source.digits, target.digits),
        "after_point": (source.scale, target.scale),
    }
    texts, numeric = {source.type, target.type} <= LOOSE, target.type is FieldType.NUMBER == source.type
    for shape, (sent, held) in limits.items():
        counts = texts and target.type is not FieldType.CHOICE if shape in ("characters", "bytes") else numeric
        if not counts or held is None or (sent is not None and sent <= held):
            continue
        more: dict[str, Fact] = {} if sent is None else {"length": sent}
        # What a system does not limit is rarely as long as it could be.
        severity = Severity.NOTE if sent is None or answer != "reject" else Severity.WARNING
        yield _told(route, Code.LENGTHS_DIFFER, severity, limit=held, unit=shape, answer=answer, **more)


def _policy(definition: Definition, pair: PairedField, schemas: Schemas) -> Iterator[Finding]:
    """Name policies that cannot do here what they promise."""
    policy = pair.policy or definition.default_policy
    right = [route for route in routes(definition, schemas) if route.pair == pair]
    if has_part(policy, NewestWins):
        for route in right:
            yield _told(route, Code.WEAK_CLOCK, Severity.NOTE)
            if not definition.end(route.towards).capabilities(route.kind).tells_clock:
                yield _told(route, Code.CLOCK_UNKNOWN, Severity.NOTE)
    known = [route for route in right if route.source is not None]
    if known and weighs_elements(policy):
        types = {spec.type for route in known for spec in (route.target, route.source) if spec is not None}
        if not types & _MANY:
            yield _told(known[0], Code.POLICY_NEEDS, Severity.ERROR, policy=policy.name)
