"""Transactions over a pool of connections: what is tried again, and what became of a commit whose answer was lost."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar, cast
from weakref import WeakKeyDictionary

from ...errors import StateError
from .._cells import Unreadable
from .._shared import NOT_STORED
from .meaning import LOCKED, damaged, is_lost, may_be_tried_again, meaning
from .opening import Where, connect, set_up
from .session import Session, sql

if TYPE_CHECKING:
    import psycopg_pool

    from .session import Connection

T = TypeVar("T")

_SHORTEST, _LONGEST = 0.01, 1.0
"""Seconds between two tries: the first pause, and the longest."""

_REFRESHING = 120.0
"""Seconds to wait for another worker's token refresh: as long as one request may take."""

_READING = "ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_WRITING = "ISOLATION LEVEL READ COMMITTED, READ WRITE"
_DURABLE = "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'"


class _Again(Exception):
    """Nothing was committed, and the same may succeed now: another transaction stood in the way, or nobody answered."""


class _Away(_Again):
    """No connection was free or could be made in time; that was the pause."""


class _Unanswered(Exception):
    """The connection broke while a commit was under way."""

    def __init__(self, mark: str, writes: int, answer: object) -> None:
        super().__init__("no answer to a commit")
        self.mark = mark
        self.writes = writes
        self.answer = answer


class Database:
    """Read and write one schema of a server, from any thread.

    Nothing is kept on a connection between transactions, so that a pooler may give each transaction another one. What
    another transaction stood in the way of, or what broke before its commit, is tried again for *patience* seconds.

    A commit whose answer was lost is neither repeated nor believed. Each connection has a row in `marks`, which each
    of its writing transactions counts up. Who lost an answer locks that row, which waits until the old transaction is
    gone for good, and reads how far it came.
    """

    def __init__(self, at: Where, connections: int, patience: float) -> None:
        import psycopg_pool

        self._at = at
        self._patience = patience
        self._process = os.getpid()
        self._closed = False
        self._sleep = threading.Event()
        self._marks: WeakKeyDictionary[Connection, str] = WeakKeyDictionary()
        self._threads = defaultdict[str, threading.Lock](threading.Lock)
        self._turn = threading.Lock()
        set_up(at)
        self._pool: psycopg_pool.ConnectionPool[Connection] = psycopg_pool.ConnectionPool(
            at.dsn.reveal(), kwargs=dict(at.options()), min_size=0, max_size=connections, open=True,
            reconnect_timeout=_LONGEST, num_workers=1, name="crmbridge",
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"Database({self._at.place!r}, {self._at.schema!r})"

    def read(self, ask: Callable[[Session], T]) -> T:
        """Ask several questions of one moment; *ask* is called again where it has to be tried again."""

        def attempt(connection: Connection) -> T:
            with _rolled_back(connection):
                self._begin(connection, _READING, self._patience)
                answer = ask(Session(connection))
                connection.execute("COMMIT")
            return answer

        return self._patiently(attempt)

    def write(self, act: Callable[[Session], T]) -> T:
        """Change all or nothing, durable on return; *act* is called again where it has to be tried again."""

        def attempt(connection: Connection) -> T:
            mark = self._mark(connection)
            count = f"UPDATE marks SET writes = writes + 1, at = now() WHERE id = '{mark}' RETURNING writes"
            with _rolled_back(connection):
                [writes] = self._begin(connection, _WRITING, self._patience, _DURABLE, count)
                answer = act(Session(connection))
            self._commit(connection, _Unanswered(mark, writes, answer))
            return answer

        return self._patiently(attempt)

    def close(self) -> None:
        """Let go of the connections; a second time changes nothing."""
        if not self._closed and os.getpid() == self._process:
            self._pool.close()
        self._closed = True

    # -- one transaction ---------------------------------------------------------------------------

    def _begin(self, connection: Connection, how: str, wait: float, *more: str) -> tuple[Any, ...]:
        """Begin, in one round trip with all that holds for this transaction alone; give the last thing told."""
        settings = (f"SET LOCAL search_path TO {self._at.schema}", f"SET LOCAL lock_timeout = {int(wait * 1000)}")
        begun = "; ".join((f"BEGIN {how}", *settings, *more))
        cursor = connection.execute(sql(begun), prepare=False)
        while cursor.nextset():
            pass
        return (cursor.fetchone() or ()) if cursor.description else ()

    def _mark(self, connection: Connection) -> str:
        if connection not in self._marks:
            # Committed by itself, so that it can be locked while the first transaction is still open.
            statement = f"INSERT INTO {self._at.schema}.marks VALUES (gen_random_uuid(), 0) RETURNING id::text"
            [(mark,)] = connection.execute(sql(statement), prepare=False).fetchall()
            self._marks[connection] = mark
        return self._marks[connection]

    def _commit(self, connection: Connection, unanswered: _Unanswered) -> None:
        import psycopg

        try:
            connection.execute("COMMIT")
        except psycopg.Error as error:
            if is_lost(connection, error):
                connection.close()
                raise unanswered from None
            raise

    # -- until it is done --------------------------------------------------------------------------

    def _patiently(self, attempt: Callable[[Connection], T]) -> T:
        for pause in _pauses(self._patience):
            try:
                with self._borrowed(pause) as connection:
                    return attempt(connection)
            except _Unanswered as unanswered:
                if self._was_committed(unanswered):
                    return cast("T", unanswered.answer)
            except _Away:
                continue
            except _Again:
                self._sleep.wait(pause)
        raise StateError(f"{self._at} was not reached, or was too busy, for {self._patience:g} s; {NOT_STORED}")

    def _was_committed(self, unanswered: _Unanswered) -> bool:
        """Find out what became of a commit; raises `StateError` where that cannot be told now."""
        for pause in _pauses(self._patience):
            try:
                with self._borrowed(pause) as connection, _rolled_back(connection):
                    lock = f"SELECT writes FROM marks WHERE id = '{unanswered.mark}' FOR UPDATE"
                    told = self._begin(connection, _WRITING, self._patience, lock)
                    connection.execute("ROLLBACK")
                    return told != () and told[0] >= unanswered.writes
            except _Away:
                continue
            except _Again:
                self._sleep.wait(pause)
            except StateError:
                break
        raise StateError(
            f"{self._at}: the connection broke inside a commit, and whether it was made cannot be told now. "
            "Run again: what was promised is looked up before anything is sent"
        )

    @contextmanager
    def _borrowed(self, wait: float) -> Generator[Connection, None, None]:
        """Lend a connection, and say what its errors mean."""
        import psycopg
        import psycopg_pool

        self._require_open()
        try:
            connection = self._pool.getconn(wait)
        except psycopg_pool.PoolTimeout:
            raise _Away from None
        try:
            yield connection
        except psycopg.Error as error:
            if is_lost(connection, error):
                connection.close()
                raise _Again from None
            if may_be_tried_again(error):
                raise _Again from None
            raise meaning(str(self._at), error) from None
        except Unreadable as error:
            raise damaged(str(self._at), str(error)) from error
        except UnicodeEncodeError:
            # Without its cause, which quotes the text.
            raise StateError(f"{self._at}: a name is no valid Unicode text; {NOT_STORED}") from None
        finally:
            self._pool.putconn(connection)

    def _require_open(self) -> None:
        if self._closed:
            raise StateError(f"{self._at}: this store was closed; open it again")
        if os.getpid() != self._process:
            raise StateError(f"{self._at}: this store was opened before the process forked; open it in each process")

    # -- alone -------------------------------------------------------------------------------------

    @contextmanager
    def alone(self, name: str) -> Generator[None, None, None]:
        """Be the only one to hold this name, over all threads and machines; a crash of the holder frees it.

        A row is locked, on a connection of its own: the holder goes on using the store, and those who wait take
        nothing from the pool. Raises `StateError` where the holder takes too long.
        """
        import psycopg

        self._require_open()
        with self._turn:
            thread = self._threads[name]
        if not thread.acquire(timeout=_REFRESHING):
            raise self._taken()
        try:
            with connect(self._at) as connection:
                try:
                    self._lock(connection, name)
                except psycopg.Error as error:
                    raise self._taken() if error.sqlstate == LOCKED else meaning(str(self._at), error) from None
                yield
                with suppress(psycopg.Error):
                    connection.execute("ROLLBACK")
        finally:
            thread.release()

    def _lock(self, connection: Connection, name: str) -> None:
        statement = f"INSERT INTO {self._at.schema}.refreshers VALUES (%s) ON CONFLICT DO NOTHING"
        connection.execute(sql(statement), (name,))
        # A refresh may take longer than a server lets a transaction be idle.
        self._begin(connection, _WRITING, _REFRESHING, "SET LOCAL idle_in_transaction_session_timeout = 0")
        connection.execute("SELECT 1 FROM refreshers WHERE name = %s FOR UPDATE", (name,))

    def _taken(self) -> StateError:
        return StateError(f"{self._at}: another worker has been refreshing this token for {_REFRESHING:g} s")


@contextmanager
def _rolled_back(connection: Connection) -> Generator[None, None, None]:
    """Leave no open transaction behind an error."""
    import psycopg

    try:
        yield
    except BaseException:
        with suppress(psycopg.Error):
            connection.execute("ROLLBACK")
        raise


def _pauses(patience: float) -> Iterator[float]:
    """Give pauses that double, and together take as long as the patience lasts; one at least."""
    pause, waited = _SHORTEST, 0.0
    while waited == 0 or waited < patience:
        yield pause
        waited += pause
        pause = min(pause * 2, _LONGEST)
