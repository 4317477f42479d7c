"""A kind as its describe call tells it: what each field is, and how its JSON becomes a cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType, NoneType
from typing import Any

import attrs

from ...kit import array, is_array, is_table, member, table
from ...model import MISSING, Cell, FieldSpec, FieldType, Missing, Normalisation, Schema
from ._ids import CHECK_SIGNS
from ._values import read_choices, read_date, read_flag, read_instant, read_number, read_reference, read_text

_TYPES: Mapping[str, FieldType] = MappingProxyType(
    {
        **dict.fromkeys(
            ("id", "string", "textarea", "phone", "url", "combobox", "encryptedstring", "time"), FieldType.TEXT
        ),
        **dict.fromkeys(("int", "long", "double", "currency", "percent"), FieldType.NUMBER),
        "email": FieldType.EMAIL,
        "boolean": FieldType.FLAG,
        "date": FieldType.DATE,
        "datetime": FieldType.INSTANT,
        "picklist": FieldType.CHOICE,
        "multipicklist": FieldType.CHOICES,
        "reference": FieldType.REFERENCE,
    }
)
"""Compound types (address, location), files and types yet to come are no fields to us."""

_READERS: Mapping[FieldType, Callable[[object], Cell]] = MappingProxyType(
    {
        FieldType.FLAG: read_flag,
        FieldType.NUMBER: read_number,
        FieldType.DATE: read_date,
        FieldType.INSTANT: read_instant,
        FieldType.CHOICES: read_choices,
    }
)

_PLAIN: Mapping[FieldType, frozenset[type]] = MappingProxyType(
    {
        **dict.fromkeys((FieldType.TEXT, FieldType.EMAIL, FieldType.CHOICE), frozenset({str, NoneType, Missing})),
        FieldType.FLAG: frozenset({bool, NoneType, Missing}),
        FieldType.NUMBER: frozenset({int, NoneType, Missing}),
    }
)
"""Types of JSON values that are cells as they are."""

_TEXTS = frozenset({FieldType.TEXT, FieldType.EMAIL, FieldType.CHOICE})
_STORED: Mapping[FieldType, frozenset[Normalisation]] = MappingProxyType(
    {
        FieldType.TEXT: frozenset({Normalisation.TRIM}),
        FieldType.CHOICE: frozenset({Normalisation.TRIM}),
        # Vendor: e-mail addresses are stored in lower case.
        FieldType.EMAIL: frozenset({Normalisation.TRIM, Normalisation.CASE}),
        # Vendor: digits beyond the scale are rounded, not refused.
        FieldType.NUMBER: frozenset({Normalisation.SCALE}),
        FieldType.CHOICES: frozenset({Normalisation.ORDER}),
    }
)

_PARENTS: Mapping[str, tuple[str, ...]] = MappingProxyType({"Account": ("Name",), "Owner": ("Name", "Email")})
"""Fields of parents that are read through a relationship of this name."""


@attrs.frozen
class Column:
    """One field that can be asked for."""

    spec: FieldSpec
    read: Callable[[object], Cell]
    searched: bool = False
    """It can stand in a condition, as a text or an id."""
    exact: bool = False
    """It is compared with case."""
    is_id: bool = False
    own: bool = True
    """Its changes move the record's stamp; those of a formula and of a parent's field do not."""

    def cells(self, told: Sequence[Any]) -> Sequence[Cell | Missing]:
        """Turn what many records say of this field into cells; raises ValueError for a value of another type."""
        # Judged by column: a page has thousands of records and a dozen fields, and most are texts throughout.
        if _PLAIN.get(self.spec.type, frozenset[type]()).issuperset(map(type, told)):
            return told
        return [value if value is MISSING or value is None else self.read(value) for value in told]


@attrs.frozen
class Described:
    """The fields of one kind."""

    kind: str
    columns: Mapping[str, Column]

    @property
    def schema(self) -> Schema:
        """Give the fields as the engine sees them."""
        return Schema(self.kind, {name: column.spec for name, column in self.columns.items()})


def described(system: str, kind: str, body: object, email_rule: str) -> Described:
    """Read a describe answer; raises ContractBroken where it is none."""
    columns: dict[str, Column] = {}
    for element in array(system, table(system, body, "describe").get("fields"), "fields"):
        field = table(system, element, "a field")
        name, sort = member(system, field, "name", str), member(system, field, "type", str)
        ours = _TYPES.get(sort)
        if ours is None:
            continue
        columns[name] = _column(system, _spec(name, sort, ours, field, email_rule), sort, field)
        if ours is FieldType.REFERENCE:
            columns.update(_parents(field))
    return Described(kind, columns)


def _column(system: str, spec: FieldSpec, sort: str, field: Mapping[str, Any]) -> Column:
    is_id = sort in ("id", "reference")
    read = (
        partial(read_reference, system=system, targets=spec.refers_to)
        if spec.type is FieldType.REFERENCE
        else _READERS.get(spec.type, read_text)
    )
    return Column(
        spec,
        read,
        searched=bool(field.get("filterable", True)) and (is_id or spec.type in _TEXTS),
        exact=bool(field.get("caseSensitive")),
        is_id=is_id,
        own=not field.get("calculated"),
    )


def _spec(name: str, sort: str, ours: FieldType, field: Mapping[str, Any], email_rule: str) -> FieldSpec:
    createable, updateable = bool(field.get("createable")), bool(field.get("updateable"))
    digits, scale = _digits(sort, field)
    return FieldSpec(
        name,
        ours,
        label=label if isinstance(label := field.get("label"), str) else "",
        # Vendor: a box that nobody ticked is false, so that a boolean is never missing.
        required=createable
        and not field.get("nillable")
        and not field.get("defaultedOnCreate")
        and ours is not FieldType.FLAG,
        read_only=not createable and not updateable,
        create_only=createable and not updateable,
        unique=bool(field.get("unique")),
        max_length=_whole(field, "length") or None if ours in _TEXTS else None,
        digits=digits,
        scale=scale,
        options=_options(field),
        refers_to=_targets(field),
        normalises=_STORED.get(ours, frozenset()),
        email_rule=email_rule if ours is FieldType.EMAIL else "",
        # Vendor: an id is taken with 15 characters or with 18, and always told with 18.
        id_check=CHECK_SIGNS if ours is FieldType.REFERENCE else 0,
    )


def _digits(sort: str, field: Mapping[str, Any]) -> tuple[int | None, int | None]:
    if sort in ("int", "long"):
        return _whole(field, "digits") or None, 0
    if sort in ("double", "currency", "percent"):
        scale = _whole(field, "scale")
        return max(0, _whole(field, "precision") - scale), scale
    return None, None


def _whole(field: Mapping[str, Any], name: str) -> int:
    value = field.get(name)
    return value if isinstance(value, int) and value > 0 else 0


def _options(field: Mapping[str, Any]) -> tuple[str, ...]:
    listed = field.get("picklistValues")
    # Vendor: a picklist that is not restricted takes any text.
    if not field.get("restrictedPicklist") or not is_array(listed):
        return ()
    choices = [choice.get("value") for choice in listed if is_table(choice) and choice.get("active")]
    return tuple(choice for choice in choices if isinstance(choice, str))


def _targets(field: Mapping[str, Any]) -> tuple[str, ...]:
    targets = field.get("referenceTo")
    return tuple(target for target in targets if isinstance(target, str)) if is_array(targets) else ()


def _parents(field: Mapping[str, Any]) -> dict[str, Column]:
    relationship = field.get("relationshipName")
    if not isinstance(relationship, str):
        return {}
    names = [f"{relationship}.{name}" for name in _PARENTS.get(relationship, ())]
    return {
        name: Column(FieldSpec(name, label=name, read_only=True), read_text, searched=True, own=False) for name in names
    }
