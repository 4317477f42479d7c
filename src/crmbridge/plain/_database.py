"""Asking a database: one sort of question, through DB-API or through SQLAlchemy.

Names of tables and columns are checked and never bound; values are always bound and never written into a statement.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from importlib import import_module
from typing import Any, Final, Literal, Protocol, TypeAlias

import attrs

from ..errors import MissingExtra, Refused, Unreachable, UsageError
from ..kit import safe_code

Style: TypeAlias = Literal["qmark", "numeric", "named", "format", "pyformat"]
"""How a DB-API module marks a value in a statement; the module tells it as `paramstyle`."""

_PLAIN: Final = r"[^\W\d]\w*"
_QUOTED: Final = r'"[^"`\[\]:?%\x00-\x1f]+"|`[^"`\[\]:?%\x00-\x1f]+`|\[[^"`\[\]:?%\x00-\x1f]+\]'
_PART: Final = re.compile(rf"{_PLAIN}|{_QUOTED}")
_NAME: Final = re.compile(rf"(?:{_PART.pattern})(?:\.(?:{_PART.pattern}))*")

_MARK: Final = re.compile(r":p(\d+)\b")
_MARKS: Final[Mapping[Style, str]] = {"qmark": "?", "numeric": ":{}", "named": ":p{}", "format": "%s", "pyformat": "%s"}

_LATER: Final = frozenset({"OperationalError", "InterfaceError"})


def checked(system: str, name: str) -> str:
    """Take a name that can stand in a statement; raises `UsageError` for anything else.

    Plain words, also Japanese ones, with dots between them; another name is given in the database's own quotes.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"{system}: {name!r} is no name of a table or column; give a name with odd signs in quotes")
    return name


def bare(name: str) -> str:
    """Tell what a column is called in an answer."""
    parts: list[str] = _PART.findall(name)
    return parts[-1].strip('"`[]')


@attrs.frozen
class Select:
    """A question: which columns, of which rows (values stand as `:p0`, `:p1`), in which order, and how many."""

    columns: str = "*"
    where: str = ""
    values: Sequence[object] = attrs.field(default=(), repr=False)
    order: tuple[str, ...] = ()
    limit: int | None = None


@attrs.frozen
class Answer:
    """The names of columns, and rows of values in their order."""

    names: tuple[str, ...]
    rows: Sequence[Sequence[object]] = attrs.field(repr=False)


class Database(Protocol):
    """Where a table is."""

    def ask(self, table: str, select: Select) -> Answer:
        """Ask, over a connection of its own."""
        ...


class Engine(Protocol):
    """What is asked of an engine of SQLAlchemy: to connect, and to say which product it speaks to."""

    @property
    def dialect(self) -> Any:
        """Say how the product speaks."""
        ...

    def connect(self) -> Any:
        """Give a connection that is let go at the end of a `with`."""
        ...


@contextmanager
def _told(system: str) -> Generator[None, None, None]:
    """Say that a database refuses, without its words, which may repeat a value."""
    try:
        yield
    except UsageError:
        raise
    except Exception as error:  # noqa: BLE001 - each module has errors of its own, which share names and no class
        names = {one.__name__ for one in type(error).__mro__}
        state = getattr(error, "sqlstate", None)
        code = safe_code(getattr(error, "sqlite_errorname", state and f"SQLSTATE.{state}"))
        said = f"the database answers {safe_code(type(error).__name__)} {code}".rstrip()
        if names & _LATER:
            raise Unreachable(system, said, code=code, may_have_arrived=False) from None
        raise Refused(system, said, code=code) from None


@attrs.frozen
class DbApi:
    """A database behind a function that connects (PEP 249)."""

    system: str
    connect: Callable[[], Any] = attrs.field(repr=False)
    style: Style = attrs.field(default="qmark", validator=attrs.validators.in_(_MARKS))

    def ask(self, table: str, select: Select) -> Answer:
        """Ask, over a connection of its own."""
        statement, values = self._bound(table, select)
        with _told(self.system), closing(self.connect()) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(statement, values)
            return Answer(tuple(str(column[0]) for column in cursor.description), cursor.fetchall())

    def _bound(self, table: str, select: Select) -> tuple[str, Any]:
        parts = [f"SELECT {select.columns} FROM {table}"]  # noqa: S608 - names are checked, values are bound
        order: list[int] = []

        def mark(found: re.Match[str]) -> str:
            order.append(int(found[1]))
            return _MARKS[self.style].format(len(order) if self.style == "numeric" else found[1])

        if select.where:
            parts.append(f"WHERE {_MARK.sub(mark, select.where)}")
        if select.order:
            parts.append(f"ORDER BY {', '.join(select.order)}")
        if select.limit is not None:
            parts.append(f"LIMIT {select.limit}")
        if self.style == "named":
            return " ".join(parts), {f"p{place}": select.values[place] for place in order}
        return " ".join(parts), tuple(select.values[place] for place in order)


@attrs.frozen
class Alchemy:
    """A database behind an engine of SQLAlchemy, which knows how each product says how many rows."""

    system: str
    engine: Engine = attrs.field(repr=False)

    def ask(self, table: str, select: Select) -> Answer:
        """Ask, over a connection of the engine's pool."""
        sa = _sqlalchemy()
        statement = sa.select(sa.literal_column(select.columns)).select_from(sa.text(table))
        if select.where:
            bound = {f"p{place}": value for place, value in enumerate(select.values) if f":p{place}" in select.where}
            statement = statement.where(sa.text(select.where).bindparams(**bound))
        if select.order:
            statement = statement.order_by(*(sa.text(name) for name in select.order))
        if select.limit is not None:
            statement = statement.limit(select.limit)
        with _told(self.system), self.engine.connect() as connection:
            result = connection.execute(statement)
            return Answer(tuple(map(str, result.keys())), [tuple(row) for row in result])


def _sqlalchemy() -> Any:
    try:
        return import_module("sqlalchemy")
    except ImportError:
        raise MissingExtra("sql", "SQLAlchemy") from None
