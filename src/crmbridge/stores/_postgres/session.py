"""One transaction's connection: whole questions, whole batches, whole answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import psycopg

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

Found: TypeAlias = "list[tuple[Any, ...]]"


class Session:
    """Ask and change inside one transaction; each call is one round trip, however many rows it concerns."""

    def __init__(self, connection: Connection) -> None:
        self._cursor = connection.cursor(binary=True)

    def rows(self, question: str, *values: object) -> Found:
        """Give all rows of an answer."""
        self._execute(question, values)
        return self._cursor.fetchall()

    def row(self, question: str, *values: object) -> tuple[Any, ...] | None:
        """Give the first row of an answer, if there is one."""
        self._execute(question, values)
        return self._cursor.fetchone()

    def do(self, statement: str, *values: object) -> int:
        """Change something; tell how many rows."""
        self._execute(statement, values)
        return self._cursor.rowcount

    def each(self, statement: str, types: str, rows: Iterable[Sequence[object]]) -> None:
        """Change something for all rows at once: `{rows}` in the statement stands for a table of them.

        *types* are those of its columns, by spaces. No rows: nothing is sent.
        """
        if table := _table(statement, types, rows):
            self._execute(*table)

    def for_each(self, question: str, types: str, rows: Iterable[Sequence[object]]) -> Found:
        """Ask something of all rows at once, in the same way."""
        if table := _table(question, types, rows):
            return self.rows(table[0], *table[1])
        return []

    def _execute(self, statement: str, values: Sequence[object]) -> None:
        self._cursor.execute(sql(statement), values or None)


def sql(statement: str) -> bytes:
    """Make a statement of ours sendable: it is put together from names of our own, and values are always bound."""
    return statement.encode()


def _table(statement: str, types: str, rows: Iterable[Sequence[object]]) -> tuple[str, list[list[object]]] | None:
    columns = [list(column) for column in zip(*rows, strict=True)]
    if not columns:
        return None
    arrays = ", ".join(f"%s::{type_}[]" for type_ in types.split())
    return statement.replace("{rows}", f"unnest({arrays})"), columns
