"""A table or view of a database as a source.

The table is read in the order of its ids the first time. With a *changed* column, later reads ask for what has changed
since, a little before that again, since a transaction may show itself late; without one, each sweep reads all of it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from math import isfinite
from typing import Any, Final, cast

import attrs

from ..errors import ContractBroken, UsageError
from ..flow import Flow, call
from ..kit import open_cursor, seal
from ..model import MISSING, Absence, Capabilities, Cell, Missing, Page, Query, RecordRef, Rows, Schema
from ..protocols import Source
from ..reasons import Code, Reason, because
from ._cells import NoCell, Types, cell, version_of
from ._database import Alchemy, Answer, Database, DbApi, Engine, Select, Style, bare, checked
from ._feed import fault, read_whole

_SAMPLE: Final = 200
_FETCH: Final = 200


def table(
    connect: Callable[[], Any] | Engine,
    table: str,
    *,
    id: str,
    changed: str | None = None,
    overlap: dt.timedelta = dt.timedelta(minutes=10),
    zone: dt.tzinfo = dt.UTC,
    kind: str | None = None,
    system: str = "database",
    style: Style = "qmark",
    absent: Absence = "kept",
) -> Source:
    """Read a table or view of a database through a function that connects, or through an engine of SQLAlchemy.

    *id* is a column that is unique and never empty. *changed* is a column that grows with each change of its row; a row
    is told from what it was by a hash of all its columns, since a stamp can stand still while the row changes. Where
    *changed* holds instants, each read begins *overlap* before the last one. An instant without a zone is in *zone*.
    The kind is called like the table unless *kind* says otherwise. *style* is the `paramstyle` of the DB-API module;
    a function that connects needs a database that knows LIMIT, an engine (extra `sql`) does not. A row that is not there
    any more is no deletion (*absent* "kept"); with "gone" its record counts as removed, and then the whole table must be
    read: with *changed* nothing would show it, and `UsageError` is raised.
    """
    able = read_whole(system, absent)
    if changed is not None:
        if absent == "gone":
            raise UsageError(
                f'{system}: absent="gone" needs each read to show the whole table; leave changed={changed!r} out'
            )
        able = Capabilities(incremental=True, overlap=overlap, fetch_batch=_FETCH, absent=absent)
    name, columns = checked(system, table), (checked(system, id), None if changed is None else checked(system, changed))
    database: Database = (
        Alchemy(system, cast("Engine", connect)) if hasattr(connect, "dialect") else _dbapi(system, connect, style)
    )
    return _TableSource(system, kind or bare(table), name, columns[0], columns[1], database, able, zone)


def _dbapi(system: str, connect: object, style: Style) -> DbApi:
    if not callable(connect):
        raise UsageError(f"{system}: give a function that connects, or an engine of SQLAlchemy")
    return DbApi(system, connect, style)


class _TableSource:
    """One table as one kind of records; nothing of it can be written."""

    def __init__(
        self,
        system: str,
        kind: str,
        table: str,
        id: str,
        changed: str | None,
        database: Database,
        able: Capabilities,
        zone: dt.tzinfo,
    ) -> None:
        self._system = system
        self._kind = kind
        self._table = table
        self._id = id
        self._changed = changed
        self._database = database
        self._able = able
        self._zone = zone

    def __repr__(self) -> str:
        return f"<{self._table} as {self._system}.{self._kind}>"

    @property
    def system(self) -> str:
        return self._system

    def capabilities(self, kind: str) -> Capabilities:
        self._own(kind)
        return self._able

    def schema(self, kind: str) -> Flow[Schema]:
        self._own(kind)
        return call(self._schema)

    def read(self, query: Query) -> Flow[Page]:
        self._own(query.kind)
        return call(self._read, query)

    def fetch(self, refs: Sequence[RecordRef], fields: Sequence[str]) -> Flow[Page]:
        for ref in refs:
            self._own(ref.kind)
        return call(self._fetch, refs, tuple(fields))

    def _own(self, kind: str) -> None:
        if kind != self._kind:
            raise UsageError(f"{self._system} holds records of the kind {self._kind!r}, not {kind!r}")

    def _ask(self, select: Select) -> Answer:
        return self._database.ask(self._table, select)

    def _schema(self) -> Schema:
        answer = self._ask(Select(limit=_SAMPLE))
        types = Types(answer.names)
        for row in answer.rows:
            types.learn(dict(self._readable(answer.names, row)))
        return types.schema(self._kind)

    # -- pages --------------------------------------------------------------------------------

    def _read(self, query: Query) -> Page:
        parts = open_cursor(self._system, query.cursor)
        if "since" in parts and self._changed is not None:
            return self._changes(query, parts, self._changed)
        return self._everything(query, parts)

    def _everything(self, query: Query, parts: Mapping[str, Any]) -> Page:
        """Read in the order of ids; what changes meanwhile is behind the highest stamp of the beginning."""
        top = parts.get("top") if "after" in parts else self._top()
        where, values = ("", ()) if "after" not in parts else (f"{self._id} > :p0", (_opened(parts["after"]),))
        answer = self._ask(Select("*", where, values, (self._id,), query.limit + 1))
        page = self._page(query.fields, answer, query.limit)
        if len(answer.rows) > query.limit:
            cursor = seal(after=self._mark(answer, query.limit - 1, self._id), top=top)
            return attrs.evolve(page, cursor=cursor, more=True)
        return attrs.evolve(page, cursor=seal(since=top), complete=True)

    def _changes(self, query: Query, parts: Mapping[str, Any], changed: str) -> Page:
        """Read in the order of change, up to the highest stamp of the beginning: a busy table has an end, too."""
        since = parts["since"]
        top = parts.get("top") or self._top() or since
        if "at" in parts:
            where = f"({changed} > :p0 OR ({changed} = :p0 AND {self._id} > :p1)) AND {changed} <= :p2"
            values = [_opened(parts["at"]), _opened(parts["after"]), _opened(top)]
        else:
            where = f"{changed} >= :p0 AND {changed} <= :p2"
            values = [self._before(_opened(since)), None, _opened(top)]
        answer = self._ask(Select("*", where, values, (changed, self._id), query.limit + 1))
        page = self._page(query.fields, answer, query.limit)
        if len(answer.rows) > query.limit:
            at = self._mark(answer, query.limit - 1, changed)
            after = self._mark(answer, query.limit - 1, self._id)
            return attrs.evolve(page, cursor=seal(since=since, top=top, at=at, after=after), more=True)
        return attrs.evolve(page, cursor=seal(since=top))

    def _top(self) -> str | None:
        """Tell the highest stamp; refuses rows without one, which no later read would ever show."""
        if self._changed is None:
            return None
        if self._ask(Select(self._changed, f"{self._changed} IS NULL", limit=1)).rows:
            raise fault(self._system, self._table, 0, bare(self._changed), "is empty in some rows")
        [[top]] = self._ask(Select(f"MAX({self._changed}) AS top")).rows
        return None if top is None else self._sealed(top, self._changed)

    def _before(self, since: Any) -> Any:
        return since - self._able.overlap if isinstance(since, dt.datetime) else since

    def _mark(self, answer: Answer, row: int, column: str) -> str:
        return self._sealed(answer.rows[row][self._at(answer, column)], column)

    def _sealed(self, value: object, column: str) -> str:
        match value:
            case bool():
                pass
            case int():
                return f"int:{value}"
            case str():
                return f"str:{value}"
            case Decimal():
                return f"decimal:{value}"
            case float():
                if not isfinite(value):
                    raise fault(self._system, self._table, 0, bare(column), "holds a float that is not finite")
                return f"float:{value!r}"
            case dt.datetime():
                return f"instant:{value.isoformat()}"
            case dt.date():
                return f"date:{value.isoformat()}"
            case bytes():
                return f"bytes:{value.hex()}"
            case _:
                pass
        raise fault(self._system, self._table, 0, bare(column), f"holds a {type(value).__name__}, which has no order")

    # -- by id ----------------------------------------------------------------------------------

    def _fetch(self, refs: Sequence[RecordRef], fields: tuple[str, ...]) -> Page:
        ids = self._typed(dict.fromkeys(ref.id for ref in refs))
        if not ids:
            return Page(Rows.none(self._system, self._kind, fields))
        marks = ", ".join(f":p{place}" for place in range(len(ids)))
        answer = self._ask(Select("*", f"{self._id} IN ({marks})", ids, (self._id,)))
        return self._page(fields, answer, len(answer.rows))

    def _typed(self, ids: Mapping[str, None]) -> Sequence[object]:
        """Give ids in the column's own type; a text that is no number is the id of no row of numbers."""
        [first, *_] = [*self._ask(Select(self._id, limit=1)).rows, (None,)]
        if isinstance(first[0], int):
            return [int(id) for id in ids if id.isascii() and id.removeprefix("-").isdigit()]
        return list(ids)

    # -- rows -----------------------------------------------------------------------------------

    def _page(self, fields: tuple[str, ...], answer: Answer, limit: int) -> Page:
        """Give rows as records and say which of them cannot be taken; of rows with one id the first stands for all."""
        at = self._at(answer, self._id)
        stamp = None if self._changed is None else self._at(answer, self._changed)
        places = {name: place for place, name in enumerate(answer.names)}
        found: dict[str, list[Sequence[object]]] = {}
        for row in answer.rows[:limit]:
            found.setdefault(self._id_of(row[at]), []).append(row)
        unreadable: dict[RecordRef, Reason] = {}
        cells: list[tuple[Cell | Missing, ...]] = []
        for id, (row, *twins) in found.items():
            told = [self._cell(name, row[places[name]]) if name in places else MISSING for name in fields]
            broken = [one for one in told if isinstance(one, Reason)]
            if twins:
                broken = [because(Code.REPEATED_ID, system=self._system, field=bare(self._id))]
            if broken:
                unreadable[RecordRef(self._system, self._kind, id)] = broken[0]
            cells.append(tuple(MISSING if isinstance(one, Reason) else one for one in told))
        rows = Rows(
            self._system,
            self._kind,
            fields,
            tuple(found),
            tuple(cells),
            tuple(_version(answer.names, same) for same in found.values()),
            () if stamp is None else tuple(self._stamp(row[stamp]) for row, *_ in found.values()),
        )
        return Page(rows, unreadable=unreadable)

    def _at(self, answer: Answer, column: str) -> int:
        # Products fold the case of names that are not quoted, each in its own direction.
        names = [name.casefold() for name in answer.names]
        if bare(column).casefold() not in names:
            raise ContractBroken(self._system, f"{self._table} has no column {bare(column)}")
        return names.index(bare(column).casefold())

    def _id_of(self, value: object) -> str:
        if value is None or isinstance(value, bool | float | bytes) or not str(value).strip():
            raise fault(self._system, self._table, 0, bare(self._id), "holds no id")
        return str(value)

    def _stamp(self, value: object) -> dt.datetime | None:
        if not isinstance(value, dt.datetime):
            return None
        return value if value.tzinfo is not None else value.replace(tzinfo=self._zone)

    def _cell(self, name: str, value: object) -> Cell | Reason:
        try:
            return cell(value, self._zone)
        except NoCell as error:
            return because(Code.UNREADABLE, system=self._system, field=name, found=error.found)

    def _readable(self, names: Sequence[str], row: Sequence[object]) -> Iterator[tuple[str, Cell]]:
        for name, value in zip(names, row, strict=True):
            with suppress(NoCell):
                yield name, cell(value, self._zone)


def _stable(value: object) -> object:
    # The repr of a view of bytes tells where it lies in memory, not what it holds.
    return bytes(cast("bytearray", value)) if isinstance(value, memoryview | bytearray) else value


def _version(names: Sequence[str], same: Sequence[Sequence[object]]) -> str:
    """Tell the version of the rows of one id: no row that is alone has the version of several."""
    return "+".join(sorted(version_of(dict(zip(names, map(_stable, row), strict=True))) for row in same))


def _opened(mark: str) -> Any:
    """Read what `_sealed` wrote."""
    sort, _, text = mark.partition(":")
    return _OPENERS[sort](text)


_OPENERS: Final[Mapping[str, Callable[[str], object]]] = {
    "int": int,
    "str": str,
    "decimal": Decimal,
    "float": float,
    "instant": dt.datetime.fromisoformat,
    "date": dt.date.fromisoformat,
    "bytes": bytes.fromhex,
}
