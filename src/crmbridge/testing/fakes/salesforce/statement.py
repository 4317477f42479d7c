"""SOQL as values: what a query asks for, once it is understood (SOQL and SOSL Reference, "SOQL SELECT Syntax")."""

import re
from typing import Any, Literal

import attrs

from crmbridge.testing.fakes.salesforce.errors import Refused

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "LIKE", "IN", "NOT IN", "INCLUDES", "EXCLUDES"]


@attrs.frozen
class Constant:
    """A constant, and what sort of constant it was written as."""

    sort: Literal["string", "number", "boolean", "null", "date", "moment", "range"]
    value: Any = attrs.field(repr=False)


@attrs.frozen
class Compare:
    """A field, or in HAVING a function of one, held against constants or against the answer of another query."""

    path: str
    operator: Operator
    literals: tuple[Constant, ...]
    inner: "Query | None"
    position: int
    function: str = ""


@attrs.frozen
class Group:
    """Conditions that must all hold, or of which one must."""

    all: bool
    parts: tuple["Condition", ...]


@attrs.frozen
class Not:
    """A condition that must not hold."""

    part: "Condition"


Condition = Compare | Group | Not


@attrs.frozen
class Column:
    """One thing to show: a path, or a function of one."""

    path: str
    position: int
    function: str = ""
    alias: str = ""


@attrs.frozen
class Order:
    """One sort key: a path, or among groups a function of one."""

    path: str
    descending: bool
    nulls_first: bool
    position: int
    function: str = ""


@attrs.frozen
class Query:
    """One SELECT, understood; that of children has the name of a relationship where others have that of an object."""

    text: str = attrs.field(repr=False)
    columns: tuple[Column, ...]
    children: tuple["Query", ...]
    kind: str
    kind_position: int
    where: Condition | None
    groups: tuple[Column, ...]
    having: Condition | None
    orders: tuple[Order, ...]
    limit: int | None
    offset: int

    @property
    def counts_only(self) -> bool:
        """Say whether it is `SELECT COUNT()`, which gives a size and no rows."""
        return len(self.columns) == 1 and self.columns[0].function == "COUNT" and not self.columns[0].path

    @property
    def aggregated(self) -> bool:
        """Say whether it shows groups of records, or all of them as one, and not the records."""
        return bool(self.groups) or any(column.function not in ("", "FIELDS") for column in self.columns)


def wrong(code: str, text: str, position: int, message: str) -> Refused:
    """Refuse a query in the vendor's form: the text, a caret under the place, the place, the reason."""
    before = text.rfind("\n", 0, position) + 1
    row, column = text.count("\n", 0, position) + 1, position - before
    start, stop = max(before, position - 40), min(len(text), position + 40)
    shown = text[start:stop].replace("\n", " ")
    caret = " " * (position - start) + "^"
    return Refused(code, f"\n{shown}\n{caret}\nERROR at Row:{row}:Column:{column + 1}\n{message}")


def unescaped(raw: str, *, keep: str = "") -> str | None:
    r"""Give what a quoted text stands for; None for an unknown escape. *keep* lists escapes that stay as they are."""
    known = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\", "_": "_", "%": "%"}
    known |= {"N": "\n", "R": "\r", "T": "\t", "B": "\b", "F": "\f"}
    unknown = False

    def one(found: re.Match[str]) -> str:
        nonlocal unknown
        letter = found[1]
        if letter in keep:
            return found[0]
        if len(letter) == 5:
            return chr(int(letter[1:], 16))
        unknown |= letter not in known
        return known.get(letter, "")

    plain = re.sub(r"\\(u[0-9A-Fa-f]{4}|.)", one, raw, flags=re.DOTALL)
    if "\\u" in raw:
        # A character beyond the first plane is written as two escapes; one of them alone stays half a character.
        plain = plain.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    return None if unknown else plain
