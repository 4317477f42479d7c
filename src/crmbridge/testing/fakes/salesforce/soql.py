"""SOQL as text becomes SOQL as a value (SOQL and SOSL Reference, "SOQL SELECT Syntax").

Read are: fields and parent paths, `FIELDS(...)`, aggregates with `GROUP BY`, `WHERE` with every operator and
sub-selects, `ORDER BY`, `LIMIT`, `OFFSET`. Not read are: child sub-selects in the field list, `TYPEOF`, `HAVING`,
`WITH`, aliases of objects.
"""

import re
from typing import Any, Literal

import attrs

from crmbridge.testing.fakes.salesforce.errors import Refused

LONGEST = 100_000
DEEPEST = 50

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^'\\]|\\.)*')"
    r"|(?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:?\d\d))"
    r"|(?P<date>\d{4}-\d\d-\d\d)"
    r"|(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<word>[A-Za-z_][\w.]*(?::\d+)?)"
    r"|(?P<sign><=|>=|!=|<>|[=<>(),])"
    r"|(?P<end>$)|(?P<strange>\S))",
    re.DOTALL,
)
_RANGES = re.compile(
    r"(?:TODAY|YESTERDAY|TOMORROW|(?:LAST|NEXT)_90_DAYS|(?:LAST|THIS|NEXT)_(?:WEEK|MONTH|QUARTER|YEAR)"
    r"|(?:LAST|NEXT)_N_(?:DAYS|WEEKS|MONTHS|QUARTERS|YEARS):[0-9]+|N_DAYS_AGO:[0-9]+)"
)
_AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"})

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "LIKE", "IN", "NOT IN", "INCLUDES", "EXCLUDES"]


@attrs.frozen
class Constant:
    """A constant, and what sort of constant it was written as."""

    sort: Literal["string", "number", "boolean", "null", "date", "moment", "range"]
    value: Any = attrs.field(repr=False)


@attrs.frozen
class Compare:
    """A field held against one constant, several constants, or the answer of another query."""

    path: str
    operator: Operator
    literals: tuple[Constant, ...]
    inner: "Query | None"
    position: int


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
    """One sort key."""

    path: str
    descending: bool
    nulls_first: bool
    position: int


@attrs.frozen
class Query:
    """One SELECT, understood."""

    text: str = attrs.field(repr=False)
    columns: tuple[Column, ...]
    kind: str
    kind_position: int
    where: Condition | None
    groups: tuple[Column, ...]
    orders: tuple[Order, ...]
    limit: int | None
    offset: int

    @property
    def counts_only(self) -> bool:
        """Say whether it is `SELECT COUNT()`, which gives a size and no rows."""
        return len(self.columns) == 1 and self.columns[0].function == "COUNT" and not self.columns[0].path


def wrong(code: str, text: str, position: int, message: str) -> Refused:
    """Refuse a query in the vendor's form: the text, a caret under the place, the place, the reason."""
    before = text.rfind("\n", 0, position) + 1
    row, column = text.count("\n", 0, position) + 1, position - before
    start, stop = max(before, position - 40), min(len(text), position + 40)
    shown = text[start:stop].replace("\n", " ")
    caret = " " * (position - start) + "^"
    return Refused(code, f"\n{shown}\n{caret}\nERROR at Row:{row}:Column:{column + 1}\n{message}")


def parse(text: str) -> Query:
    """Read one query; raises the vendor's MALFORMED_QUERY."""
    if len(text) > LONGEST:
        raise Refused("MALFORMED_QUERY", "SOQL statements cannot be longer than 100000 characters.")
    parser = _Parser(text)
    query = parser.query()
    parser.expect_end()
    return query


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


class _Parser:
    """One walk over the tokens, by recursive descent."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._sort = self._value = ""
        self._begin = 0
        self._next()

    def _next(self) -> None:
        found = _TOKEN.match(self._text, self._at)
        if found is None or found.lastgroup is None:
            self._sort, self._value, self._begin = "end", "", len(self._text)
            return
        self._sort, self._value = found.lastgroup, found[found.lastgroup]
        self._begin, self._at = found.start(found.lastgroup), found.end()

    def _unexpected(self) -> Refused:
        shown = "<EOF>" if self._sort == "end" else self._value
        return wrong("MALFORMED_QUERY", self._text, self._begin, f"unexpected token: '{shown}'")

    def _is(self, *words: str) -> bool:
        return self._sort in ("word", "sign") and self._value.upper() in words

    def _take(self, *words: str) -> bool:
        if self._is(*words):
            self._next()
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise self._unexpected()

    def _word(self) -> tuple[str, int]:
        if self._sort != "word" or ":" in self._value or self._value.endswith(".") or ".." in self._value:
            raise self._unexpected()
        word, begin = self._value, self._begin
        self._next()
        return word, begin

    def expect_end(self) -> None:
        """Refuse anything after the query."""
        if self._sort != "end":
            raise self._unexpected()

    def query(self) -> Query:
        """Read from SELECT to the last clause."""
        self._expect("SELECT")
        columns = [self._column()]
        while self._take(","):
            columns.append(self._column())
        self._expect("FROM")
        kind, kind_position = self._word()
        where = self._any() if self._take("WHERE") else None
        groups: list[Column] = []
        if self._take("GROUP"):
            self._expect("BY")
            groups = [Column(*self._word())]
            while self._take(","):
                groups.append(Column(*self._word()))
        orders: list[Order] = []
        if self._take("ORDER"):
            self._expect("BY")
            orders = [self._order()]
            while self._take(","):
                orders.append(self._order())
        limit = self._whole() if self._take("LIMIT") else None
        offset_at = self._begin
        offset = self._whole() if self._take("OFFSET") else 0
        if offset > 2000:
            raise wrong("NUMBER_OUTSIDE_VALID_RANGE", self._text, offset_at, "Maximum SOQL offset allowed is 2000")
        return Query(
            self._text, tuple(columns), kind, kind_position, where, tuple(groups), tuple(orders), limit, offset
        )

    def _column(self) -> Column:
        if self._is("("):
            raise wrong("MALFORMED_QUERY", self._text, self._begin, "child sub-selects are not read by this fake")
        if self._is("FROM"):
            raise self._unexpected()
        name, begin = self._word()
        if not self._take("("):
            alias = self._word()[0] if self._sort == "word" and not self._is("FROM") else ""
            return Column(name, begin, alias=alias)
        function = name.upper()
        if function == "FIELDS":
            which, _ = self._word()
            self._expect(")")
            return Column(which.upper(), begin, function="FIELDS")
        if function not in _AGGREGATES:
            raise wrong("MALFORMED_QUERY", self._text, begin, f"unexpected token: '{name}'")
        path = "" if self._is(")") and function == "COUNT" else self._word()[0]
        self._expect(")")
        alias = self._word()[0] if self._sort == "word" and not self._is("FROM") else ""
        return Column(path, begin, function=function, alias=alias)

    def _order(self) -> Order:
        path, begin = self._word()
        descending = self._take("DESC")
        if not descending:
            self._take("ASC")
        nulls_first = True
        if self._take("NULLS"):
            nulls_first = self._take("FIRST")
            if not nulls_first:
                self._expect("LAST")
        return Order(path, descending, nulls_first, begin)

    def _whole(self) -> int:
        if self._sort != "number" or not self._value.isdigit():
            raise self._unexpected()
        value = int(self._value[:12])
        self._next()
        return value

    # ---- conditions -----------------------------------------------------------------

    def _any(self) -> Condition:
        self._depth += 1
        if self._depth > DEEPEST:
            raise wrong("MALFORMED_QUERY", self._text, self._begin, "the condition is nested too deeply")
        first = self._negated()
        parts = [first]
        joined = "AND" if self._is("AND") else "OR"
        while self._take(joined):
            parts.append(self._negated())
        # Vendor: AND and OR may be mixed only with parentheses.
        if self._is("AND", "OR"):
            raise self._unexpected()
        self._depth -= 1
        return first if len(parts) == 1 else Group(joined == "AND", tuple(parts))

    def _negated(self) -> Condition:
        if self._take("NOT"):
            self._depth += 1
            if self._depth > DEEPEST:
                raise wrong("MALFORMED_QUERY", self._text, self._begin, "the condition is nested too deeply")
            part = Not(self._negated())
            self._depth -= 1
            return part
        if self._take("("):
            inner = self._any()
            self._expect(")")
            return inner
        return self._compare()

    def _compare(self) -> Condition:
        path, begin = self._word()
        if self._take("IN"):
            return self._member(path, "IN", begin)
        if self._take("NOT"):
            self._expect("IN")
            return self._member(path, "NOT IN", begin)
        if self._is("INCLUDES", "EXCLUDES"):
            operator: Operator = "INCLUDES" if self._is("INCLUDES") else "EXCLUDES"
            self._next()
            return self._member(path, operator, begin)
        if self._take("LIKE"):
            return Compare(path, "LIKE", (self._literal(),), None, begin)
        operators: dict[str, Operator] = {"=": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
        if self._sort != "sign" or self._value not in operators:
            raise self._unexpected()
        plain = operators[self._value]
        self._next()
        return Compare(path, plain, (self._literal(),), None, begin)

    def _member(self, path: str, operator: Operator, begin: int) -> Compare:
        self._expect("(")
        if self._is("SELECT"):
            self._depth += 1
            if self._depth > DEEPEST:
                raise self._unexpected()
            inner = self.query()
            self._depth -= 1
            self._expect(")")
            return Compare(path, operator, (), inner, begin)
        literals = [self._literal()]
        while self._take(","):
            literals.append(self._literal())
        self._expect(")")
        return Compare(path, operator, tuple(literals), None, begin)

    def _literal(self) -> Constant:
        sort, value, begin = self._sort, self._value, self._begin
        literal: Constant | None = None
        if sort == "string":
            literal = Constant("string", value[1:-1])
            if unescaped(value[1:-1]) is None:
                raise wrong("MALFORMED_QUERY", self._text, begin, f"Illegal string literal in query string {value}")
        elif sort == "number":
            literal = Constant("number", float(value))
        elif sort == "date":
            literal = Constant("date", value)
        elif sort == "moment":
            literal = Constant("moment", value)
        elif sort == "word" and value.upper() in ("TRUE", "FALSE"):
            literal = Constant("boolean", value.upper() == "TRUE")
        elif sort == "word" and value.upper() == "NULL":
            literal = Constant("null", None)
        elif sort == "word" and _RANGES.fullmatch(value.upper()):
            literal = Constant("range", value.upper())
        if literal is None:
            raise self._unexpected()
        self._next()
        return literal
