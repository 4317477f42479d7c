"""The power is cut at any moment: nothing that was acknowledged is lost, and the file is never damaged.

A disk notes each write and sync of SQLite, and can say what would have been left. Only what was synced is sure. Of what
was written since, each sector has reached the disk or has not: that is drawn by chance.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest

from crmbridge.errors import StateError
from crmbridge.roles import Progress
from crmbridge.stores import SqliteStore
from crmbridge.testing._store_laws.values import PEOPLE, commit, left, link, row

apsw = pytest.importorskip("apsw", reason="install apsw")

SECTOR = 512

CUTS = int(os.environ.get("CRMBRIDGE_CUTS", "200"))


@attrs.frozen
class Step:
    """One thing that SQLite asked of the disk, or a word of the test that it had been told something."""

    what: str
    file: str = ""
    at: int = 0
    data: bytes = b""


@attrs.define(eq=False)
class Disk:
    """What was asked of it, in order."""

    steps: list[Step] = attrs.field(factory=lambda: list[Step]())

    def acknowledge(self, number: int) -> None:
        """Note that a caller was told so much."""
        self.steps.append(Step("told", at=number))

    def told(self, cut: int) -> int:
        """Give what the caller had been told last when the power was cut before this step."""
        return max((step.at for step in self.steps[:cut] if step.what == "told"), default=0)

    def after(self, cut: int, chance: random.Random) -> dict[str, bytes]:
        """Give the files as they may stand after the power was cut before a step."""
        surely: dict[str, bytearray] = {}
        since: dict[str, list[Step]] = {}
        for step in self.steps[:cut]:
            pending = since.setdefault(step.file, [])
            if step.what in ("write", "truncate"):
                pending.append(step)
            elif step.what == "sync":
                for done in pending:
                    _apply(surely.setdefault(step.file, bytearray()), done)
                surely.setdefault(step.file, bytearray())
                pending.clear()
            elif step.what == "delete":
                pending.clear()
                surely.pop(step.file, None)
        for name, pending in since.items():
            for step in pending:
                for piece in _sectors(step):
                    if chance.random() < 0.5:
                        _apply(surely.setdefault(name, bytearray()), piece)
        return {name: bytes(content) for name, content in surely.items()}

    @contextmanager
    def connecting(self, sync: str) -> Iterator[Any]:
        """Give a `connect` whose files lie on this disk, and that syncs as it is told."""
        vfs = _Noting(self)
        try:
            yield lambda path: Connection(apsw.Connection(str(path), vfs=vfs.name), sync)
        finally:
            vfs.unregister()


def _apply(content: bytearray, step: Step) -> None:
    if step.what == "truncate":
        del content[step.at :]
        return
    if len(content) < step.at:
        content.extend(bytes(step.at - len(content)))
    content[step.at : step.at + len(step.data)] = step.data


def _sectors(step: Step) -> Iterator[Step]:
    if step.what == "truncate":
        yield step
    for start in range(0, len(step.data), SECTOR):
        yield attrs.evolve(step, at=step.at + start, data=step.data[start : start + SECTOR])


class _Noting(apsw.VFS):
    """The file system of the machine, with a note of each step."""

    name = "crmbridge-power"

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        super().__init__(self.name, base="")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's name
        return _File(self.disk, name, flags)

    def xDelete(self, name: str, syncdir: bool) -> None:  # noqa: N802 - SQLite's name
        super().xDelete(name, syncdir)
        self.disk.steps.append(Step("delete", Path(name).name))


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._disk = disk
        self._name = Path(name.filename() if isinstance(name, apsw.URIFilename) else name or "").name

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        super().xWrite(data, offset)
        self._disk.steps.append(Step("write", self._name, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - SQLite's name
        super().xTruncate(newsize)
        self._disk.steps.append(Step("truncate", self._name, newsize))

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        super().xSync(flags)
        self._disk.steps.append(Step("sync", self._name))


class Connection:
    """An apsw connection in the form of the standard library's, as far as a store asks."""

    isolation_level = None

    def __init__(self, connection: apsw.Connection, sync: str) -> None:
        self._connection = connection
        self._sync = sync

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def execute(self, sql: str, values: Any = ()) -> Any:
        said = sql.replace("synchronous = FULL", f"synchronous = {self._sync}")
        return Cursor(self._connection.execute(said, tuple(values)), self._connection)

    def executemany(self, sql: str, rows: Any) -> Any:
        for values in rows:
            self._connection.execute(sql, tuple(values))

    def close(self) -> None:
        self._connection.close()


class Cursor:
    """Rows as they come, and how many were changed."""

    def __init__(self, cursor: apsw.Cursor, connection: apsw.Connection) -> None:
        self.rowcount = connection.changes()
        self._cursor = cursor

    def __iter__(self) -> Iterator[Any]:
        return iter(self._cursor)

    def fetchone(self) -> Any:
        return next(self._cursor, None)

    def fetchall(self) -> list[Any]:
        return list(self._cursor)


# -- the tests ---------------------------------------------------------------------------------


def used(path, sync="FULL"):
    """Let a store make its file, commit, and empty its log now and then; give the disk."""
    disk = Disk()
    with disk.connecting(sync) as connect, SqliteStore(path, connect=connect) as store:
        for n in range(1, 61):
            commit(store, links=(link(n),), queue=(row(n),), progress={("left", "c"): Progress(str(n), filled=True)})
            disk.acknowledge(n)
            if n % 13 == 0:
                store.forget([left("nobody")])
    return disk


def found(folder, files):
    """Open what is left of a disk, and tell what is known there."""
    for name, content in files.items():
        (folder / name).write_bytes(content)
    path = folder / "state.db"
    with SqliteStore(path) as store:
        progress = store.links.progress(PEOPLE, "left", "c")
        known = int(progress.cursor) if progress else 0
        assert store.links.count(PEOPLE) == len(list(store.links.all(PEOPLE))) == known, "all of a commit or nothing"
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    return known


def test_what_was_acknowledged_survives_a_power_loss_at_any_moment(tmp_path, seed, record_property):
    (tmp_path / "used").mkdir()
    disk, chance = used(tmp_path / "used" / "state.db"), random.Random(seed)
    done = Counter((step.what, step.file) for step in disk.steps)
    assert done["write", "state.db"] > 60, "the log is carried into the file, too, and its syncs are cut"
    for n in range(CUTS):
        cut = chance.randrange(len(disk.steps) + 1)
        (folder := tmp_path / str(n)).mkdir()
        known = found(folder, disk.after(cut, chance))
        assert known - disk.told(cut) in (0, 1), "what was told, and perhaps what was about to be"
        shutil.rmtree(folder)
    record_property("cuts", CUTS)


@pytest.mark.parametrize("sync", ["NORMAL", "OFF"])
def test_a_store_that_synced_less_would_lose_what_it_acknowledged(tmp_path, sync):
    """So that the test above is known to be able to fail."""
    (tmp_path / "used").mkdir()
    disk, chance, lost = used(tmp_path / "used" / "state.db", sync), random.Random(0), 0
    for n in range(30):
        cut = chance.randrange(len(disk.steps) // 2, len(disk.steps))
        (folder := tmp_path / str(n)).mkdir()
        try:
            lost += found(folder, disk.after(cut, chance)) < disk.told(cut)
        except (AssertionError, StateError, sqlite3.Error):
            lost += 1
    assert lost > 10
