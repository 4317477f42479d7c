"""Where the value of a `put` comes from: constants, and pure functions of the record's own fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Protocol, TypeAlias, runtime_checkable

import attrs

from .errors import UsageError
from .model import Cell, Missing, Record, RecordRef, is_blank


@runtime_checkable
class Given(Protocol):
    """A value made from a record. Law: depends on the record alone."""

    @property
    def name(self) -> str:
        """Name the value, as reasons and reports will."""
        ...

    @property
    def fields(self) -> frozenset[str]:
        """Name the fields of the record that must be read."""
        ...

    def value(self, record: Record) -> Cell | Missing:
        """Make the value; `MISSING` where a field was not read."""
        ...


@runtime_checkable
class Reference(Protocol):
    """A value that lies beyond the record: followed for a whole batch, and then read as a column of the record."""

    @property
    def name(self) -> str:
        """Name the reference, as reasons and reports will."""
        ...

    @property
    def column(self) -> str:
        """Name the column that holds what it leads to; it begins with `@`, as no field does."""
        ...

    def reads(self, kind: str) -> frozenset[str]:
        """Name the fields of a kind that must be read to follow it."""
        ...


def references(value: object) -> tuple[Reference, ...]:
    """Give the references that a value, a gate or a codec is made of; none for what depends on the record alone."""
    found: tuple[Reference, ...] = getattr(value, "references", ())
    return found


def columns(fields: Iterable[str]) -> frozenset[str]:
    """Leave out of a record's fields the columns of references, which no system knows."""
    return frozenset(field for field in fields if not field.startswith("@"))


@attrs.frozen
class Constant:
    """The same value for every record."""

    held: Cell = attrs.field(repr=False)

    @property
    def name(self) -> str:
        """Name the value."""
        return "constant"

    @property
    def fields(self) -> frozenset[str]:
        """Name the fields to read."""
        return frozenset()

    def value(self, record: Record) -> Cell | Missing:
        """Make the value."""
        return self.held


@attrs.frozen
class Field:
    """One of the record's own fields."""

    field: str

    @property
    def name(self) -> str:
        """Name the value."""
        return self.field

    @property
    def fields(self) -> frozenset[str]:
        """Name the fields to read."""
        return frozenset((self.field,))

    def value(self, record: Record) -> Cell | Missing:
        """Make the value."""
        return record.get(self.field)


def _texts(record: Record, names: tuple[str, ...]) -> list[str] | Missing:
    texts: list[str] = []
    for name in names:
        value = record.get(name)
        if isinstance(value, Missing):
            return value
        texts.extend(_written(value))
    return texts


def _written(value: Cell) -> list[str]:
    """Give the text of each value of a field, as people write it; nothing for blank ones."""
    return [_text(element) for element in (value if isinstance(value, tuple) else (value,)) if not is_blank(element)]


def _text(value: Cell) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.id if isinstance(value, RecordRef) else str(value)


@attrs.frozen
class Joined:
    """Several fields in a row; blank ones are left out, and each of several values of a field is one in the row."""

    names: tuple[str, ...]
    sep: str = ""

    @property
    def name(self) -> str:
        """Name the value."""
        return f"joined({', '.join(self.names)})"

    @property
    def fields(self) -> frozenset[str]:
        """Name the fields to read."""
        return frozenset(self.names)

    def value(self, record: Record) -> Cell | Missing:
        """Make the value; nothing where all fields are blank."""
        texts = _texts(record, self.names)
        return texts if isinstance(texts, Missing) else (self.sep.join(texts) or None)


_SLOT = re.compile(r"\{([^{}]+)\}")


@attrs.frozen
class Template:
    """A text with `{field}` slots; a blank field leaves nothing behind, and several values stand with commas between."""

    text: str

    @property
    def name(self) -> str:
        """Name the value."""
        return "template"

    @property
    def fields(self) -> frozenset[str]:
        """Name the fields to read."""
        return frozenset(_SLOT.findall(self.text))

    def value(self, record: Record) -> Cell | Missing:
        """Make the value. What a field holds is text, never a template of its own."""
        for name in self.fields:
            missing = record.get(name)
            if isinstance(missing, Missing):
                return missing

        def fill(slot: re.Match[str]) -> str:
            value = record.get(slot[1])
            return "" if isinstance(value, Missing) else ", ".join(_written(value))

        return _SLOT.sub(fill, self.text) or None


@attrs.frozen
class Computed:
    """A pure function of fields; it is not asked where one of them is blank."""

    fn: Callable[..., Cell] = attrs.field(repr=False)
    names: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name the value."""
        return f"{getattr(self.fn, '__name__', 'computed')}({', '.join(self.names)})"

    @property
    def fields(self) -> frozenset[str]:
        """Name the fields to read."""
        return frozenset(self.names)

    def value(self, record: Record) -> Cell | Missing:
        """Make the value."""
        held = [record.get(name) for name in self.names]
        for value in held:
            if isinstance(value, Missing):
                return value
        return None if any(is_blank(value) for value in held) else self.fn(*held)


@attrs.frozen
class Coalesce:
    """The first of several values that is not blank: a stated fallback."""

    given: tuple[Given, ...]

    @property
    def name(self) -> str:
        """Name the value."""
        return f"coalesce({', '.join(given.name for given in self.given)})"

    @property
    def fields(self) -> frozenset[str]:
        """Name the fields to read."""
        return frozenset[str]().union(*(given.fields for given in self.given))

    @property
    def references(self) -> tuple[Reference, ...]:
        """Give the references among the values."""
        return tuple(reference for given in self.given for reference in references(given))

    def value(self, record: Record) -> Cell | Missing:
        """Make the value."""
        for given in self.given:
            value = given.value(record)
            if isinstance(value, Missing) or not is_blank(value):
                return value
        return None


Value: TypeAlias = "Given | Cell"
"""What `put` takes: a value made from the left record, or a constant."""


def field(name: str) -> Field:
    """Take one of the record's own fields."""
    return Field(name)


def joined(*fields: str, sep: str = "") -> Joined:
    """Join several fields; blank ones are left out, and values that are no text are written as in `template`."""
    return Joined(fields, sep)


def template(text: str) -> Template:
    """Fill a text's `{field}` slots.

    Several values of one field are written with a comma and a space between them, a flag as `true` or `false`, a number
    with all its digits, a date or an instant as ISO 8601 has it (an instant with a space before its time), and a
    reference as the id alone. For other forms put `computed` in between.
    """
    return Template(text)


def computed(fn: Callable[..., Cell], *fields: str) -> Computed:
    """Compute a value from fields by a pure function, which is given their values in this order.

    It is not asked where one of them is blank: then the value is blank too.
    """
    return Computed(fn, fields)


def coalesce(*given: Value) -> Coalesce:
    """Take the first value that is not blank; a plain value at the end is a constant, and a field is `field("name")`.

    Raises `UsageError` for a constant anywhere else, since nothing after it would ever be asked.
    """
    for one in given[:-1]:
        held = one.held if isinstance(one, Constant) else None if isinstance(one, Given) else one
        if not is_blank(held):
            raise UsageError(_never_asked(held))
    return Coalesce(tuple(as_given(one) for one in given))


def _never_asked(held: Cell) -> str:
    sort, field = ("text", f"; for a field write field({held!r})") if isinstance(held, str) else ("value", "")
    return f"coalesce({held!r}, …): a {sort} is a constant here, so what follows is never asked{field}"


def as_given(value: Value) -> Given:
    """Take a given value, or a plain value as a constant."""
    return value if isinstance(value, Given) else Constant(value)
