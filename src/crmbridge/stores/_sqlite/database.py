"""One connection, its transactions, and what its errors mean."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager, suppress
from hashlib import blake2b
from pathlib import Path

from ...errors import StateError
from .._cells import Unreadable
from .._shared import NOT_STORED
from . import room
from .opening import MEMORY, Connect, damaged, prepare_file, require_sqlite, set_up

_PRIMARY = 0xFF
"""The part of an extended result code that names its family."""

_REFUSED = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN})
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_CROWDED = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})
"""No room: on the disk, or in a file that may not grow."""
_BROKEN = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class Database:
    """Hold the one connection of a store; its threads take turns, so that a transaction is never shared.

    Processes take turns by SQLite's own locks: a writing transaction takes the write lock when it begins, since one
    that began by reading could not wait for it.
    """

    def __init__(self, path: Path, connect: Connect, busy_timeout: float, patience: float) -> None:
        self._path = path
        self._connect = connect
        self._wait = busy_timeout
        self._patience = patience
        self._turn = threading.RLock()
        self._threads = defaultdict[str, threading.Lock](threading.Lock)
        self._process = os.getpid()
        self._connection: sqlite3.Connection | None = None
        require_sqlite()
        if path != MEMORY:
            prepare_file(path)
        with self._meaning():
            connection = connect(path)
            try:
                set_up(connection, path, busy_timeout)
            except BaseException:
                connection.close()
                raise
        self._connection = connection

    def __repr__(self) -> str:
        return f"Database({str(self._path)!r})"

    @contextmanager
    def reading(self) -> Generator[sqlite3.Connection, None, None]:
        """Ask several questions of one moment."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Generator[sqlite3.Connection, None, None]:
        """Change all or nothing; durable on return."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    def keep_room(self) -> None:
        """See that there will be room for `insist`; raises `StateError` where the disk is full already."""
        if self._path != MEMORY and not room.keep(self._path):
            raise self._no_space()

    def insist(self, change: Callable[[sqlite3.Connection], object]) -> None:
        """Make a small change though the disk is full: by the room that was kept, or in a log that is begun anew."""
        for make_room in (self._give_room, self._begin_log_anew):
            try:
                return self._change(change)
            except StateError as error:
                if getattr(error.__cause__, "sqlite_errorcode", 0) & _PRIMARY not in _CROWDED:
                    raise
                make_room()
        return self._change(change)

    def _change(self, change: Callable[[sqlite3.Connection], object]) -> None:
        with self.writing() as connection:
            change(connection)

    def _give_room(self) -> None:
        if self._path != MEMORY:
            room.give(self._path)

    def _begin_log_anew(self) -> None:
        """Write over the log from its beginning; where the file itself lacks the room for that, all stays as it is."""
        with self._turn, suppress(sqlite3.Error):
            self._open().execute("PRAGMA wal_checkpoint(RESTART)").fetchall()

    @contextmanager
    def _transaction(self, begin: str) -> Generator[sqlite3.Connection, None, None]:
        with self._turn, self._meaning():
            connection = self._open()
            if connection.in_transaction:
                # An interrupt can fall into the roll-back below.
                connection.execute("ROLLBACK")
            connection.execute(begin)
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StateError(f"{self._path}: this store was closed; open it again")
        if os.getpid() != self._process:
            raise StateError(f"{self._path}: this store was opened before the process forked; open it in each process")
        return self._connection

    def wipe(self) -> None:
        """Write the file anew and empty its log, so that what was removed stands nowhere in either.

        The file is copied once; its folder and that of temporary files need room for it. Raises `StateError` where
        another process reads for so long that the log could not be emptied.
        """
        with self._turn, self._meaning():
            # Pages that were split keep old cells in their gaps, which `secure_delete` does not overwrite.
            self._open().execute("VACUUM")
            rows = self._open().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        if any(busy for busy, *_ in rows):
            raise StateError(
                f"{self._path}: what was removed still stands in the log, since another process is reading; "
                "do the same again when it has ended"
            )

    @contextmanager
    def alone(self, name: str) -> Generator[None, None, None]:
        """Be the only one to hold this name, over all threads and processes; a crash of the holder frees it.

        A process holds the write lock of an empty database beside the file, so that the state itself is never locked
        while somebody speaks to a system. Raises `StateError` where the holder takes too long.
        """
        if self._path == MEMORY:
            with self._turn:
                lock = self._threads[name]
            if not lock.acquire(timeout=self._patience):
                raise self._taken()
            try:
                yield
            finally:
                lock.release()
            return
        beside = self._path.with_name(f"{self._path.name}-lock-{blake2b(name.encode(), digest_size=8).hexdigest()}")
        prepare_file(beside)
        with closing(self._lock(beside)) as connection:
            try:
                yield
            finally:
                connection.execute("ROLLBACK")

    def _lock(self, beside: Path) -> sqlite3.Connection:
        with self._meaning():
            connection = self._connect(beside)
            try:
                connection.isolation_level = None
                connection.execute(f"PRAGMA busy_timeout = {int(self._patience * 1000)}")
                connection.execute("BEGIN IMMEDIATE")
            except BaseException as error:
                connection.close()
                if getattr(error, "sqlite_errorcode", 0) & _PRIMARY in _BUSY:
                    raise self._taken() from error
                raise
        return connection

    def _taken(self) -> StateError:
        return StateError(f"{self._path}: another worker has been refreshing this token for {self._patience:g} s")

    def close(self) -> None:
        """Let go of the file; a second time changes nothing."""
        with self._turn:
            connection, self._connection = self._connection, None
            if connection is not None and os.getpid() == self._process:
                connection.close()

    @contextmanager
    def _meaning(self) -> Generator[None, None, None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._means(error) from error
        except Unreadable as error:
            raise damaged(self._path, str(error)) from error
        except OverflowError as error:
            raise StateError(f"{self._path}: a number is too large to be kept; {NOT_STORED}") from error
        except UnicodeDecodeError:
            # Without its cause, which quotes the text.
            raise damaged(self._path, "a stored text is no UTF-8") from None
        except UnicodeEncodeError:
            # Without its cause, which quotes the text.
            raise StateError(f"{self._path}: a name is no valid Unicode text; {NOT_STORED}") from None
        except (TypeError, ValueError, KeyError, AttributeError):
            # Rows of a damaged file may be of another form than any that was written; a sound file is not to blame.
            if self._is_damaged():
                raise damaged(self._path, "what stands in it contradicts itself") from None
            raise

    def _is_damaged(self) -> bool:
        """Ask SQLite itself, which reads the whole file."""
        try:
            rows = self._connection.execute("PRAGMA integrity_check(1)").fetchall() if self._connection else []
        except sqlite3.DatabaseError:
            return True
        return rows not in ([], [("ok",)])

    def _no_space(self) -> StateError:
        return StateError(f"{self._path}: no space is left; {NOT_STORED}. Free some and run again")

    def _means(self, error: sqlite3.Error) -> StateError:
        code = getattr(error, "sqlite_errorcode", None)
        family = code & _PRIMARY if code is not None else None
        if family in _BUSY:
            return StateError(
                f"{self._path} was locked by another process for {self._wait:g} s; {NOT_STORED}. End that process, or "
                "wait longer by `busy_timeout`"
            )
        if family == sqlite3.SQLITE_FULL:
            return self._no_space()
        if family in _REFUSED:
            return StateError(f"{self._path} cannot be written; {NOT_STORED}. See who owns it and its folder")
        if family in _BROKEN or "no such" in str(error) or "decode to UTF-8" in str(error):
            return damaged(self._path, str(error))
        if family == sqlite3.SQLITE_CONSTRAINT and "ties." in str(error):
            return StateError("two live links of one record; nothing was committed")
        return StateError(f"{self._path}: {error}; {NOT_STORED}")
