"""SOQL as text becomes SOQL as a value, by recursive descent (SOQL and SOSL Reference, "SOQL SELECT Syntax").

Read are: fields and parent paths, `FIELDS(...)`, sub-selects of children, aggregates with `GROUP BY` and `HAVING`,
`WHERE` with every operator, semi-joins and anti-joins, `ORDER BY`, `LIMIT`, `OFFSET`, `FOR VIEW`, `FOR REFERENCE`,
`FOR UPDATE`. Not read are: `TYPEOF`, `USING SCOPE`, `WITH DATA CATEGORY`, `GROUP BY ROLLUP` and `CUBE`, functions of
dates, `toLabel`, `format` and the like, aliases of objects.
"""

from typing import Literal

from crmbridge.testing.fakes.salesforce.criteria import AGGREGATES, Criteria
from crmbridge.testing.fakes.salesforce.errors import Refused
from crmbridge.testing.fakes.salesforce.statement import (
    Column,
    Compare,
    Condition,
    Order,
    Query,
    unescaped,
    wrong,
)

__all__ = ["Compare", "Query", "parse", "parse_returning", "unescaped"]

LONGEST = 100_000
MOST_CHILDREN = 20
"""The number of parent-to-child relationships in one query ("Understanding Relationship Query Limitations")."""
MOST_ORDERS = 32
"""The number of fields in one ORDER BY ("ORDER BY")."""

Place = Literal["root", "child", "join", "search"]
"""Where fields stand: in a SELECT by itself, among the fields of another or behind IN; or in a search."""

# Vendor: these words are no aliases (SOQL and SOSL Reference, "Alias Notation").
_NO_ALIAS = frozenset(
    (
        *("AND", "ASC", "DESC", "EXCLUDES", "FIRST", "FROM", "GROUP", "HAVING", "IN", "INCLUDES", "LAST", "LIKE"),
        *("LIMIT", "NOT", "NULL", "NULLS", "OR", "SELECT", "USING", "WHERE", "WITH"),
    )
)
_CLAUSES = ("WITH", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FOR", "ALL")
_MODES = ("SECURITY_ENFORCED", "USER_MODE", "SYSTEM_MODE")


def parse(text: str) -> Query:
    """Read one query; raises the vendor's MALFORMED_QUERY."""
    if len(text) > LONGEST:
        raise Refused("MALFORMED_QUERY", "SOQL statements cannot be longer than 100000 characters.")
    parser = _Parser(text)
    query = parser.query("root")
    parser.expect_end()
    return query


def parse_returning(text: str, begin: int) -> tuple[tuple[Query, ...], int | None]:
    """Read the objects that a search returns, each as a query, and the LIMIT of all; *begin* is behind its words.

    Raises MALFORMED_QUERY.
    """
    parser = _Parser(text, begin)
    targets = parser.targets() if parser.take("RETURNING") else ()
    limit = parser.whole() if parser.take("LIMIT") else None
    parser.expect_end()
    return targets, limit


class _Parser(Criteria):
    """One walk over the tokens of a query."""

    def __init__(self, text: str, begin: int = 0) -> None:
        super().__init__(text, begin)
        self._children = 0
        self._joining = False

    def query(self, place: Place) -> Query:
        """Read from SELECT to the last clause."""
        self.expect("SELECT")
        columns, children = self._shown(place)
        self.expect("FROM")
        kind, kind_position = self.name()
        where = self.condition() if self.take("WHERE") else None
        if place == "join":
            self._refuse_clauses()
        # Vendor: a bare COUNT() has neither groups nor an order.
        counts = len(columns) == 1 and columns[0].function == "COUNT" and not columns[0].path
        if place == "root":
            self._refuse_mode()
        groups = () if counts else self._groups(place)
        having = self._having() if groups else None
        orders = () if counts else self._orders(grouped=bool(groups))
        limit = self.whole() if self.take("LIMIT") else None
        offset = self._offset()
        if place == "root":
            self._purpose(ordered=bool(orders))
            self._refuse_all_rows()
        query = Query(self.text, columns, children, kind, kind_position, where, groups, having, orders, limit, offset)
        if query.aggregated:
            self._refuse_ungrouped(query)
        elif any(column.alias for column in columns):
            raise Refused("MALFORMED_QUERY", "only aggregate expressions use field aliasing")
        for child in children:
            # Vendor: children are skipped only where there is one parent.
            if child.offset and limit != 1:
                raise self.malformed(child.kind_position, "OFFSET needs a parent query with LIMIT 1")
        return query

    def targets(self) -> tuple[Query, ...]:
        """Read objects with what is wanted of each (SOQL and SOSL Reference, "RETURNING FieldSpec")."""
        found = [self._target()]
        while self.take(","):
            found.append(self._target())
        names = [query.kind.lower() for query in found]
        for query in found:
            if names.count(query.kind.lower()) > 1:
                raise self.malformed(query.kind_position, f"an object cannot be returned twice: {query.kind}")
        return tuple(found)

    def _target(self) -> Query:
        kind, begin = self.name()
        if not self.take("("):
            return Query(self.text, (Column("Id", begin),), (), kind, begin, None, (), None, (), None, 0)
        columns = [self._column("search")]
        while self.take(","):
            columns.append(self._column("search"))
        where = self.condition() if self.take("WHERE") else None
        orders = self._orders(grouped=False)
        limit = self.whole() if self.take("LIMIT") else None
        offset = self._offset()
        self.expect(")")
        return Query(self.text, tuple(columns), (), kind, begin, where, (), None, orders, limit, offset)

    def inner(self) -> Query:
        """Read the sub-select of a semi-join or an anti-join."""
        if self._joining:
            raise self.malformed(self.begin, "Nesting of semi join sub-selects is not supported")
        self._joining = True
        query = self.query("join")
        self._joining = False
        return query

    # ---- what is shown ----------------------------------------------------------------

    def _shown(self, place: Place) -> tuple[tuple[Column, ...], tuple[Query, ...]]:
        if place == "join":
            return (self._column(place),), ()
        columns: list[Column] = []
        children: list[Query] = []
        while True:
            if self.take("("):
                children.append(self._child())
                self.expect(")")
            else:
                columns.append(self._column(place))
            if not self.take(","):
                return tuple(columns), tuple(children)

    def _child(self) -> Query:
        self._children += 1
        if self._children > MOST_CHILDREN:
            raise self.malformed(self.begin, f"no more than {MOST_CHILDREN} aggregate relationships can be queried")
        return self.query("child")

    def _column(self, place: Place) -> Column:
        if self.at("FROM"):
            raise self.unexpected()
        name, begin = self.name()
        if not self.take("("):
            return Column(name, begin, alias="" if place == "search" else self._alias())
        function = name.upper()
        if function == "FIELDS":
            which, _ = self.name()
            self.expect(")")
            return Column(which.upper(), begin, function="FIELDS")
        if function not in AGGREGATES:
            raise self.malformed(begin, f"unexpected token: '{name}'")
        if place != "root":
            raise self.malformed(begin, "only root queries support aggregate expressions")
        path = self.argument(function)
        return Column(path, begin, function=function, alias=self._alias() if path else "")

    def _alias(self) -> str:
        if self.sort != "word" or self.value.upper() in _NO_ALIAS or "." in self.value:
            return ""
        return self.name()[0]

    # ---- clauses ----------------------------------------------------------------------

    def _groups(self, place: Place) -> tuple[Column, ...]:
        begin = self.begin
        if not self.take("GROUP"):
            return ()
        if place != "root":
            raise self.malformed(begin, "only root queries support aggregate expressions")
        self.expect("BY")
        groups = [Column(*self.name())]
        while self.take(","):
            groups.append(Column(*self.name()))
        return tuple(groups)

    def _having(self) -> Condition | None:
        if not self.take("HAVING"):
            return None
        self.grouping = True
        condition = self.condition()
        self.grouping = False
        return condition

    def _orders(self, *, grouped: bool) -> tuple[Order, ...]:
        if not self.take("ORDER"):
            return ()
        self.expect("BY")
        self.grouping = grouped
        orders = [self._order()]
        while self.take(","):
            orders.append(self._order())
        self.grouping = False
        if len(orders) > MOST_ORDERS:
            raise self.malformed(orders[MOST_ORDERS].position, f"no more than {MOST_ORDERS} fields can be sorted by")
        return tuple(orders)

    def _order(self) -> Order:
        function, path, begin = self.subject()
        descending = self.take("DESC")
        if not descending:
            self.take("ASC")
        nulls_first = True
        if self.take("NULLS"):
            nulls_first = self.take("FIRST")
            if not nulls_first:
                self.expect("LAST")
        return Order(path, descending, nulls_first, begin, function)

    def _offset(self) -> int:
        begin = self.begin
        offset = self.whole() if self.take("OFFSET") else 0
        if offset > 2000:
            raise wrong("NUMBER_OUTSIDE_VALID_RANGE", self.text, begin, "Maximum SOQL offset allowed is 2000")
        return offset

    def _purpose(self, *, ordered: bool) -> None:
        """Step over what the records are wanted for, which no field of the fake tells of."""
        if not self.take("FOR") or (self.take("VIEW", "REFERENCE") and not self.take("FOR")):
            return
        # Vendor: what is locked cannot be sorted.
        if ordered:
            raise self.unexpected()
        self.expect("UPDATE")

    # ---- what is refused --------------------------------------------------------------

    def _refuse_clauses(self) -> None:
        # Vendor: behind IN there is nothing after the conditions, neither groups nor an order nor a limit.
        if self.at(*_CLAUSES):
            raise self.malformed(self.begin, f"missing value at '{self.value}'")

    def _refuse_mode(self) -> None:
        if not self.take("WITH"):
            return
        # Vendor: modes of access are for Apex (Apex Developer Guide, "Filter SOQL Queries Using WITH SECURITY_...").
        if self.at(*_MODES):
            raise Refused("MALFORMED_QUERY", f"WITH {self.value.upper()} not allowed in this context")
        raise self.unexpected()

    def _refuse_all_rows(self) -> None:
        if self.take("ALL"):
            self.expect("ROWS")
            # Vendor: these words are for Apex too; deleted records are asked for by queryAll.
            raise Refused("MALFORMED_QUERY", "ALL ROWS not allowed in this context")

    def _refuse_ungrouped(self, query: Query) -> None:
        """Refuse what the vendor does not take beside aggregates."""
        for column in query.columns:
            if column.function == "COUNT" and not column.path and len(query.columns) + len(query.children) > 1:
                raise self.malformed(column.position, "unexpected token: 'COUNT'")
        for child in query.children:
            raise self.malformed(child.kind_position, f"Field must be grouped or aggregated: {child.kind}")
        if query.groups or query.counts_only:
            return
        for word, used in (("LIMIT", query.limit is not None), ("OFFSET", query.offset > 0)):
            if used:
                text = f"Non-grouped query that uses overall aggregate functions cannot also use {word}"
                raise Refused("MALFORMED_QUERY", text)
