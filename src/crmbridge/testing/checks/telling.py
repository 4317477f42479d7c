"""The laws of what a page tells: rows that are whole, of the schema's types, and the same when they are read again."""

from __future__ import annotations

from ...errors import CrmBridgeError
from ...model import MISSING, Query, is_blank
from ._law import Law, NotClaimed, law, require
from ._trial import Trial
from ._whole import require_columns, require_types, told


@law
def asked_fields_are_present(on: Trial) -> None:
    """Asked fields are present or `MISSING`, never invented."""
    on.needs("read")
    [made] = on.make()
    for page in on.pages():
        rows = page.rows
        require(rows.fields == on.names, f"fields {on.names} were asked for, and the rows have {rows.fields}")
        lengths = {len(cells) for cells in rows.cells}
        require(lengths <= {len(on.names)}, f"rows have {lengths} cells for {len(on.names)} fields")
        for record in rows:
            if record.ref == made.ref:
                on.holds(record, made.values, "a record was read with values that it does not hold")
                unread = [name for name in on.names if record.get(name) is MISSING]
                require(not unread, f"{', '.join(unread)} stand in the schema and are given as MISSING")


@law
def a_field_that_is_not_there_is_missing(on: Trial) -> None:
    """A field that the system does not have is refused or `MISSING`; it is never read as empty."""
    on.needs("read")
    on.make()
    try:
        page = on.run(on.source.read(Query(on.kind.name, (*on.names, "NoSuchField"), None, 50)))
    except CrmBridgeError:
        return
    told = [record.get("NoSuchField") for record in page.rows]
    require(all(cell is MISSING for cell in told), "a field that was not read is None, and would be taken for a clear")


@law
def an_empty_field_is_blank(on: Trial) -> None:
    """A field that was read and is empty is None, not `MISSING` and not text of some kind."""
    on.needs("read")
    name = on.text_field()
    if on.spec(name).required:
        raise NotClaimed("text", f"{name} is required and cannot be empty; name another: KindUnderTest(text=...)")
    [made] = on.make(but={name: None})
    for page in on.pages():
        for record in page.rows:
            if record.ref == made.ref:
                value = record.get(name)
                require(value is not MISSING, f"{name} was asked for and is empty; it is given as MISSING")
                require(is_blank(value), f"{name} is empty, and is given as {type(value).__name__}")


@law
def columns_are_as_long_as_the_ids(on: Trial) -> None:
    """Versions, stamps and authors are as long as the ids, or empty; stamps have a zone; ids are text."""
    for how, rows in told(on, *on.make(2)):
        require_columns(on, how, rows)
        if on.able.tells_author and len(rows):
            require(any(rows.authors), f"authors are promised, and {how} gives no record one")


@law
def cells_are_of_their_fields_types(on: Trial) -> None:
    """A cell is of the type that the schema says, whether its record is read, fetched or found."""
    for how, rows in told(on, *on.make(2)):
        for record in rows:
            require_types(on, how, {name: record.get(name) for name in on.names})


@law
def reading_twice_gives_the_same(on: Trial) -> None:
    """A quiet system that is read twice from one cursor says the same twice."""
    on.needs("read")
    on.make(3)
    query = Query(on.kind.name, on.names, None, 50)
    one, two = on.run(on.source.read(query)), on.run(on.source.read(query))
    require(sorted(one.rows.ids) == sorted(two.rows.ids), "two readings from the beginning gave other records")
    by_id = {record.ref: record for record in two.rows}
    for record in one.rows:
        again = by_id[record.ref]
        same = all(record.get(name) == again.get(name) for name in on.names)
        require(same and record.version == again.version, f"{record.ref} did not change, and was read differently")


@law
def a_version_changes_with_every_change(on: Trial) -> None:
    """A version stays while the record does, and is another after every change."""
    on.needs("read")
    [made] = on.make()

    def version() -> str | None:
        found = [record.version for page in on.pages() for record in page.rows if record.ref == made.ref]
        require(found, f"{made.ref} is there and is not read")
        return found[-1]

    first = version()
    if first is None:
        raise NotClaimed("versions", "the connector tells no versions")
    for _ in range(2):
        on.edit(made, on.changing(made))
        last, first = first, version()
        # A version that is not sure yet is told as none: the record is read again later.
        require(first is None or first != last, f"{made.ref} was changed, and kept its version")


TELLING: tuple[Law[Trial], ...] = (
    asked_fields_are_present,
    a_field_that_is_not_there_is_missing,
    an_empty_field_is_blank,
    columns_are_as_long_as_the_ids,
    cells_are_of_their_fields_types,
    reading_twice_gives_the_same,
    a_version_changes_with_every_change,
)
