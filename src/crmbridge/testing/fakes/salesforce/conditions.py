"""A WHERE clause as a function of a record, with the vendor's comparisons: without case, null unequal to all."""

import operator
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import attrs

from crmbridge.testing.fakes.salesforce.errors import Refused
from crmbridge.testing.fakes.salesforce.ids import long_form
from crmbridge.testing.fakes.salesforce.kinds import Kind
from crmbridge.testing.fakes.salesforce.org import Org
from crmbridge.testing.fakes.salesforce.soql import Compare, Condition, Constant, Group, Not, Query, unescaped, wrong
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
    """Makes tests from conditions, for one query at one moment."""

    def __init__(self, org: Org, kind: Kind, query: Query, now: datetime, inner: Callable[[Query], set[Any]]) -> None:
        self._org = org
        self._kind = kind
        self._text = query.text
        self._now = now
        self._inner = inner

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
        reached = reach(self._org, self._kind, compare.path, self._text, compare.position)
        field, get = reached.field, reached.get
        if field.type == "textarea" and field.length > 255:
            message = f"field '{field.name}' can not be filtered in a query call"
            raise wrong("INVALID_FIELD", self._text, compare.position, message)
        if compare.operator in ("INCLUDES", "EXCLUDES"):
            return self._choices(compare, field, get)
        if compare.operator in ("IN", "NOT IN"):
            return self._member(compare, field, get)
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

    def _member(self, compare: Compare, field: Field, get: Get) -> Test:
        key = _key(field)
        if compare.inner:
            wanted = {key(value) for value in self._inner(compare.inner)}
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


_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
_DAY = timedelta(days=1)


def day_range(name: str, today: date) -> tuple[date, date]:
    """Give the first day that a date literal means, and the day after its last; weeks begin on Sunday."""
    word, _, count = name.partition(":")
    many = min(int(count[:6] or 0), 99_999)
    if word in ("LAST_90_DAYS", "NEXT_90_DAYS"):
        word, many = f"{word[:5]}N_DAYS", 90
    days = {"TODAY": 0, "YESTERDAY": -1, "TOMORROW": 1, "N_DAYS_AGO": -many}
    if word in days:
        first = today + days[word] * _DAY
        return first, first + _DAY
    which, unit = word.split("_")[0], word.split("_")[-1]
    if unit == "DAYS":
        return (today - many * _DAY, today + _DAY) if which == "LAST" else (today + _DAY, today + (many + 1) * _DAY)
    if unit.endswith("S"):
        # So many whole weeks, months, quarters or years before the current one, or after it.
        return _ranging(unit[:-1], today, *((-many, 0) if which == "LAST" else (1, many + 1)))
    step = {"LAST": -1, "THIS": 0, "NEXT": 1}[which]
    return _ranging(unit, today, step, step + 1)


def _ranging(unit: str, today: date, first: int, after: int) -> tuple[date, date]:
    def begin(step: int) -> date:
        if unit == "WEEK":
            return today + (7 * step - today.isoweekday() % 7) * _DAY
        months = today.year * 12 + today.month - 1
        aligned = months - months % _MONTHS[unit] + step * _MONTHS[unit]
        aligned = min(max(aligned, 12), 9_999 * 12)
        return date(aligned // 12, aligned % 12 + 1, 1)

    return begin(first), begin(after)


def alike(pattern: str) -> Callable[[str], bool]:
    """Make the test of LIKE, which takes no longer for many `%` than for one.

    A single pattern with `.*` for each of them would try all ways to share a text out.
    """
    parts: list[list[str]] = [[]]
    for piece in re.findall(r"\\[%_]|%|_|[^%_\\]|\\", pattern, re.DOTALL):
        if piece == "%":
            parts.append([])
        else:
            parts[-1].append("." if piece == "_" else re.escape(piece[-1]))
    first, *others = [re.compile("".join(part), re.IGNORECASE | re.DOTALL) for part in parts]
    if not others:
        return lambda text: first.fullmatch(text) is not None
    *between, last = others
    width = len(parts[-1])

    def test(text: str) -> bool:
        found = first.match(text)
        for part in between:
            found = found and part.search(text, found.end())
        end = len(text) - width
        return found is not None and found.end() <= end and last.fullmatch(text, end) is not None

    return test


def _key(field: Field) -> Callable[[Any], Any]:
    if field.type in TEXTS and not field.case_sensitive:
        return lambda value: value.casefold() if value.__class__ is str else value
    return lambda value: value


def refuse_grouping(text: str, position: int, name: str) -> Refused:
    """Refuse a plain field beside an aggregate."""
    return wrong("MALFORMED_QUERY", text, position, f"Field must be grouped or aggregated: {name}")
