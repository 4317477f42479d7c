"""A WHERE clause as a function of a record, with the vendor's comparisons: without case, null unequal to all."""

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import attrs

from crmbridge.testing.fakes.salesforce.days import day_range
from crmbridge.testing.fakes.salesforce.ids import long_form
from crmbridge.testing.fakes.salesforce.kinds import Kind
from crmbridge.testing.fakes.salesforce.org import Org
from crmbridge.testing.fakes.salesforce.patterns import alike
from crmbridge.testing.fakes.salesforce.statement import (
    Compare,
    Condition,
    Constant,
    Group,
    Not,
    Query,
    unescaped,
    wrong,
)
from crmbridge.testing.fakes.salesforce.values import NUMBERS, TEXTS, moment, stamp
from crmbridge.testing.tables import Field

Values = Mapping[str, Any]
Get = Callable[[Values], Any]
Test = Callable[[Values], bool]

ID = Field("Id", "id", label="Record ID", length=18, createable=False, updateable=False)
_ORDERINGS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@attrs.frozen
class Reach:
    """A field reached from a record, through parents perhaps: its names as shown, itself, and how to get it."""

    names: tuple[str, ...]
    field: Field
    get: Get


Resolve = Callable[[Compare], Reach]
"""Finds what a condition is about; raises the vendor's INVALID_FIELD."""
Join = Callable[[Compare, Reach, Query], set[Any]]
"""Gives the ids that a semi-join finds; raises the vendor's refusal of one that it would not run."""


def reach(org: Org, kind: Kind, path: str, text: str, position: int) -> Reach:
    """Resolve a path such as `Account.Owner.Name`; raises the vendor's INVALID_FIELD."""
    *parents, last = path.split(".")
    # Vendor: a path may begin with the name of the object itself.
    if parents and parents[0].lower() == kind.name.lower() and parents[0].lower() not in kind.related:
        parents = parents[1:]
    steps: list[str] = []
    names: list[str] = []
    kinds = [kind]
    for parent in parents:
        via = next((found for one in kinds if (found := one.related.get(parent.lower()))), None)
        if via is None or len(names) == 5:
            message = (
                f"Didn't understand relationship '{parent}' in field path. If you are attempting to use a custom"
                " relationship, be sure to append the '__r' after the custom relationship name."
            )
            raise wrong("INVALID_FIELD", text, position, message)
        steps.append(via.name)
        names.append(via.relationship)
        kinds = [org.kinds[target] for target in via.references]
    return _reached(org, kinds, (steps, names), last, text, position)


def _reached(
    org: Org, kinds: list[Kind], way: tuple[list[str], list[str]], last: str, text: str, position: int
) -> Reach:
    steps, names = way
    field = ID if last.lower() == "id" else next((found for one in kinds if (found := one.table.field(last))), None)
    if field is None and steps and last.lower() == "type":
        field = Field("Type", "string", length=40)
    if field is None:
        message = (
            f"No such column '{last}' on entity '{kinds[0].name}'. If you are attempting to use a custom field, be sure"
            " to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the"
            " appropriate names."
        )
        raise wrong("INVALID_FIELD", text, position, message)
    name = field.name
    if not steps:
        return Reach((name,), field, lambda values: values.get(name))

    def get(values: Values) -> Any:
        for step in steps:
            row = org.row_of(values.get(step) or "", deleted=True)
            if row is None:
                return None
            values = row.values
        if name == "Type" and name not in values:
            kind = org.kind_of(values["Id"])
            return kind.name if kind else None
        return values.get(name)

    return Reach((*names, name), field, get)


class Conditions:
    """Makes tests from conditions, for one query at one moment; *resolve* and *join* say what they are about."""

    def __init__(self, text: str, now: datetime, resolve: Resolve, join: Join) -> None:
        self._text = text
        self._now = now
        self._resolve = resolve
        self._join = join

    def test(self, condition: Condition | None) -> Test:
        """Make the test of a whole clause; no clause admits everything."""
        if condition is None:
            return lambda _: True
        if isinstance(condition, Not):
            part = self.test(condition.part)
            return lambda values: not part(values)
        if isinstance(condition, Group):
            tests = [self.test(part) for part in condition.parts]
            joined = all if condition.all else any
            return lambda values: joined(test(values) for test in tests)
        return self._compare(condition)

    def _compare(self, compare: Compare) -> Test:
        reached = self._resolve(compare)
        field, get = reached.field, reached.get
        if field.type == "textarea" and field.length > 255:
            message = f"field '{field.name}' can not be filtered in a query call"
            raise wrong("INVALID_FIELD", self._text, compare.position, message)
        if compare.operator in ("INCLUDES", "EXCLUDES"):
            return self._choices(compare, field, get)
        if compare.operator in ("IN", "NOT IN"):
            return self._member(compare, reached)
        if compare.operator == "LIKE":
            return self._like(compare, get)
        literal = compare.literals[0]
        if literal.sort == "range":
            return self._range(compare, field, get)
        wanted = self.constant(field, literal, compare.position)
        key = _key(field)
        if compare.operator == "=":
            return lambda values: key(get(values)) == wanted
        if compare.operator == "!=":
            return lambda values: key(get(values)) != wanted
        ordered = _ORDERINGS[compare.operator]

        def test(values: Values) -> bool:
            value = get(values)
            return bool(value is not None and wanted is not None and ordered(key(value), wanted))

        return test

    def constant(self, field: Field, literal: Constant, position: int) -> Any:
        """Give a constant in the form of the field's stored values, or refuse one of another sort."""
        if literal.sort == "null":
            return None
        sorts = {
            "boolean": "boolean",
            "date": "date",
            "datetime": "moment",
            "int": "number",
            **dict.fromkeys(NUMBERS, "number"),
        }
        wanted = sorts.get(field.type, "string")
        if literal.sort != wanted:
            quoted = "should be enclosed in quotes" if wanted == "string" else "should not be enclosed in quotes"
            kind = {"moment": "dateTime", "number": "double"}.get(wanted, wanted)
            message = f"value of filter criterion for field '{field.name}' must be of type {kind} and {quoted}"
            raise wrong("INVALID_FIELD", self._text, position, message)
        if wanted == "moment":
            read = moment(literal.value.upper())
            if read is None:
                raise wrong("MALFORMED_QUERY", self._text, position, f"Invalid datetime: {literal.value}")
            # A stored stamp has whole seconds; a constant with parts of one lies between two of them.
            return stamp(read) if not read.microsecond else read.strftime("%Y-%m-%dT%H:%M:%S.%f")
        if wanted == "date":
            try:
                return date.fromisoformat(literal.value).isoformat()
            except ValueError:
                raise wrong("MALFORMED_QUERY", self._text, position, f"Invalid date: {literal.value}") from None
        if field.type in ("id", "reference"):
            return self._id(literal, position)
        return field.key(unescaped(literal.value)) or None if wanted == "string" else literal.value

    def _id(self, literal: Constant, position: int) -> str | None:
        plain = unescaped(literal.value)
        if not plain:
            return None
        found = long_form(plain)
        if found is None:
            raise wrong("INVALID_QUERY_FILTER_OPERATOR", self._text, position, f"invalid ID field: {plain}")
        return found

    def _member(self, compare: Compare, reached: Reach) -> Test:
        field, get = reached.field, reached.get
        key = _key(field)
        if compare.inner:
            wanted = self._join(compare, reached, compare.inner)
        else:
            wanted = {self.constant(field, literal, compare.position) for literal in compare.literals}
        if compare.operator == "IN":
            return lambda values: key(get(values)) in wanted
        return lambda values: key(get(values)) not in wanted

    def _like(self, compare: Compare, get: Get) -> Test:
        literal = compare.literals[0]
        if literal.sort != "string":
            raise wrong("INVALID_OPERATOR", self._text, compare.position, "LIKE needs a text")
        fits = alike(unescaped(literal.value, keep="%_") or "")
        return lambda values: (value := get(values)) is not None and fits(str(value))

    def _choices(self, compare: Compare, field: Field, get: Get) -> Test:
        if field.type != "multipicklist":
            message = f"{compare.operator.lower()} operator is not valid on field '{field.name}'"
            raise wrong("INVALID_QUERY_FILTER_OPERATOR", self._text, compare.position, message)
        if any(literal.sort != "string" for literal in compare.literals):
            message = f"value of filter criterion for field '{field.name}' must be of type string"
            raise wrong("INVALID_FIELD", self._text, compare.position, f"{message} and should be enclosed in quotes")
        sets = [set((unescaped(literal.value) or "").casefold().split(";")) for literal in compare.literals]
        included = compare.operator == "INCLUDES"

        def test(values: Values) -> bool:
            held = set((get(values) or "").casefold().split(";"))
            return any(wanted <= held for wanted in sets) == included

        return test

    def _range(self, compare: Compare, field: Field, get: Get) -> Test:
        if field.type not in ("date", "datetime"):
            message = f"value of filter criterion for field '{field.name}' must be of another type than a date"
            raise wrong("INVALID_FIELD", self._text, compare.position, message)
        first, after = day_range(compare.literals[0].value, self._now.astimezone(UTC).date())
        start, stop = first.isoformat(), after.isoformat()

        # The text of a stamp begins with its day, so days and stamps compare alike.
        def test(values: Values) -> bool:
            value = get(values)
            if value is None:
                return compare.operator == "!="
            inside = start <= value < stop
            outcomes: dict[str, bool] = {
                "=": inside,
                "!=": not inside,
                "<": value < start,
                "<=": value < stop,
                ">": value >= stop,
                ">=": value >= start,
            }
            return outcomes[compare.operator]

        return test


def _key(field: Field) -> Callable[[Any], Any]:
    if field.type in TEXTS and not field.case_sensitive:
        return lambda value: value.casefold() if value.__class__ is str else value
    return lambda value: value
