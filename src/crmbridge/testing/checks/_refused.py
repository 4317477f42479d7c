"""Values of which a schema says that they do not fit."""

from __future__ import annotations

from collections.abc import Iterator

from ...model import Cell, FieldSpec, FieldType


def unfitting(spec: FieldSpec) -> Iterator[tuple[str, Cell]]:
    """Give values that a field does not take, by what is wrong with them; None: there is none though one is required."""
    if spec.required:
        yield "nothing", None
    cut = "length" in spec.normalises
    if spec.type is FieldType.TEXT and spec.max_length is not None and not cut and spec.max_length <= 10_000:
        yield f"text of {spec.max_length + 1} characters", "x" * (spec.max_length + 1)
    if spec.options:
        yield "what is no option", ("no such option",) if spec.type is FieldType.CHOICES else "no such option"
