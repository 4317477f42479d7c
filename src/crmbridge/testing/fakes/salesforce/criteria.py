"""Conditions of SOQL as text become conditions as values: what stands in WHERE and HAVING, and sort keys."""

import re
from abc import ABC, abstractmethod

from crmbridge.testing.fakes.salesforce.errors import Refused
from crmbridge.testing.fakes.salesforce.numbers import read_fraction
from crmbridge.testing.fakes.salesforce.statement import (
    Compare,
    Condition,
    Constant,
    Group,
    Not,
    Operator,
    Query,
    unescaped,
    wrong,
)
from crmbridge.testing.fakes.salesforce.tokens import Tokens

DEEPEST = 50

_UNITS = "(?:DAYS|WEEKS|MONTHS|(?:FISCAL_)?(?:QUARTERS|YEARS))"
_RANGES = re.compile(
    r"TODAY|YESTERDAY|TOMORROW|(?:LAST|NEXT)_90_DAYS"
    r"|(?:LAST|THIS|NEXT)_(?:WEEK|MONTH|(?:FISCAL_)?(?:QUARTER|YEAR))"
    rf"|(?:(?:LAST|NEXT)_N_{_UNITS}|N_{_UNITS}_AGO):[0-9]+"
)
AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"})
_OPERATORS: dict[str, Operator] = {"=": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


class Criteria(Tokens, ABC):
    """One walk over the tokens of a condition."""

    def __init__(self, text: str, begin: int = 0) -> None:
        super().__init__(text, begin)
        self._depth = 0
        self.grouping = False
        """Whether functions may stand where fields do, as in HAVING."""

    @abstractmethod
    def inner(self) -> Query:
        """Read the sub-select of a semi-join or an anti-join."""

    def malformed(self, position: int, message: str) -> Refused:
        """Refuse the query for what stands at a place."""
        return wrong("MALFORMED_QUERY", self.text, position, message)

    def condition(self) -> Condition:
        """Read conditions that are joined by AND or by OR."""
        self._deeper()
        first = self._negated()
        parts = [first]
        joined = "AND" if self.at("AND") else "OR"
        while self.take(joined):
            parts.append(self._negated())
        # Vendor: AND and OR may be mixed only with parentheses.
        if self.at("AND", "OR"):
            raise self.unexpected()
        self._depth -= 1
        return first if len(parts) == 1 else Group(joined == "AND", tuple(parts))

    def subject(self) -> tuple[str, str, int]:
        """Read a path, or where functions may stand a function of one: the function, the path, the place."""
        name, begin = self.name()
        if not self.grouping or not self.take("("):
            return "", name, begin
        function = name.upper()
        if function not in AGGREGATES:
            raise self.malformed(begin, f"unexpected token: '{name}'")
        return function, self.argument(function), begin

    def argument(self, function: str) -> str:
        """Read what a function is of, and the parenthesis behind it; only COUNT may be of nothing."""
        path = "" if self.at(")") and function == "COUNT" else self.name()[0]
        self.expect(")")
        return path

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self.malformed(self.begin, "the condition is nested too deeply")

    def _negated(self) -> Condition:
        if self.take("NOT"):
            self._deeper()
            part = Not(self._negated())
            self._depth -= 1
            return part
        if self.take("("):
            inside = self.condition()
            self.expect(")")
            return inside
        return self._compare()

    def _compare(self) -> Condition:
        function, path, begin = self.subject()
        operator, several = self._operator()
        if not several:
            return Compare(path, operator, (self._literal(),), None, begin, function)
        self.expect("(")
        if self.at("SELECT") and operator in ("IN", "NOT IN"):
            inner = self._joined()
            self.expect(")")
            return Compare(path, operator, (), inner, begin, function)
        literals = [self._literal()]
        while self.take(","):
            literals.append(self._literal())
        self.expect(")")
        return Compare(path, operator, tuple(literals), None, begin, function)

    def _operator(self) -> tuple[Operator, bool]:
        """Step over an operator, and say whether what follows stands in parentheses."""
        if self.sort == "sign" and self.value in _OPERATORS:
            sign = self.value
            self.step()
            return _OPERATORS[sign], False
        if self.take("LIKE"):
            return "LIKE", False
        if self.take("IN"):
            return "IN", True
        if self.take("INCLUDES"):
            return "INCLUDES", True
        if self.take("EXCLUDES"):
            return "EXCLUDES", True
        self.expect("NOT")
        self.expect("IN")
        return "NOT IN", True

    def _joined(self) -> Query:
        if self.grouping:
            raise self.malformed(self.begin, "Semi-joins are only supported in WHERE clauses")
        return self.inner()

    def _literal(self) -> Constant:
        sort, value, begin = self.sort, self.value, self.begin
        literal: Constant | None = None
        if sort == "string":
            literal = Constant("string", value[1:-1])
            if unescaped(value[1:-1]) is None:
                raise self.malformed(begin, f"Illegal string literal in query string {value}")
        elif sort == "number":
            literal = Constant("number", read_fraction(value))
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
            raise self.unexpected()
        self.step()
        return literal
