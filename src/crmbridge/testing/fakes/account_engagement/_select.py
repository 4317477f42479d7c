"""What `fields` asks for: names, and dotted paths through related records (guide page version5overview)."""

from collections.abc import Callable, Iterable
from typing import Any

from crmbridge.testing.fakes.account_engagement._records import Column, Unit
from crmbridge.testing.fakes.account_engagement._refusals import Refused
from crmbridge.testing.tables import Field, Row

DEPTH = 3
"""How many related records a path may pass."""

Shape = Callable[[Row], dict[str, Any]]


def shape(unit: Unit, kind: str, names: Iterable[str]) -> Shape:
    """Give the function that shows a record with these fields and no others.

    Raises Refused (224) for a field that the kind does not have or that cannot be read.
    """
    tree: dict[str, Any] = {}
    for name in names:
        branch = tree
        *way, last = name.split(".")
        if len(way) > DEPTH:
            raise Refused(224, name[:80])
        for step in way:
            branch = branch.setdefault(step, {})
            if branch is None:
                raise Refused(224, name[:80])
        if branch.setdefault(last) is not None:
            raise Refused(224, name[:80])
    return _shape(unit, kind, tree)


def _shape(unit: Unit, kind: str, tree: dict[str, Any]) -> Shape:
    columns = [
        (name, _own(unit, kind, name) if below is None else _related(unit, kind, name, below))
        for name, below in tree.items()
    ]

    def show(row: Row) -> dict[str, Any]:
        return {name: read(row) for name, read in columns}

    return show


def _own(unit: Unit, kind: str, name: str) -> Column:
    field = unit.field(kind, name)
    if field is None or name in unit.tables[kind].kind.write_only:
        raise Refused(224, name[:80])
    return unit.column(kind, field)


def _related(unit: Unit, kind: str, name: str, below: dict[str, Any]) -> Column:
    field = next((field for field in unit.tables[kind].kind.fields if name and field.relationship == name), None)
    if field is None:
        raise Refused(224, name[:80])
    return _through(unit, kind, field, _shape(unit, field.references[0], below))


def _through(unit: Unit, kind: str, field: Field, show: Shape) -> Column:
    key = unit.raw(kind, field)
    table = unit.tables[field.references[0]]

    def follow(row: Row) -> dict[str, Any] | None:
        found = table.all.get(str(key(row)))
        return None if found is None else show(table.visible(found))

    return follow
