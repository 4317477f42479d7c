"""Open a state file, or say why not; what is refused is left as it was."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

from ...errors import StateError, StoreDamaged, StoreTooNew
from .schema import APPLICATION, MIGRATIONS

Connect = Callable[[Path], sqlite3.Connection]

MEMORY = Path(":memory:")

_OLDEST = (3, 32)
"""The first that takes more than 999 parameters."""

_MAGIC = b"SQLite format 3\0"
_HEADER = 100
_OWNER_ONLY = 0o600
_MOUNTS = Path("/proc/mounts")
_MOUNT_PARTS = 3
"""Device, mount point, type; options follow."""

_NETWORK = re.compile(
    r"nfs\d?|cifs|smb\w*|afs|ceph|lustre|gpfs|beegfs|ocfs2|gfs2?|fuse\.(sshfs|glusterfs|s3fs|rclone|gcsfuse)"
)
_CACHE_KIB = 32 * 1024
"""Pages kept in memory: random look-ups of a million links read few pages twice, and those should not be read again."""

_OCTAL = re.compile(r"\\([0-7]{3})")


def connect(path: Path) -> sqlite3.Connection:
    """Connect so that any thread may use the connection, and every transaction is begun by name."""
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)


def require_sqlite() -> None:
    """Raise `StateError` for an SQLite that is too old."""
    if sqlite3.sqlite_version_info < _OLDEST:
        needed = ".".join(map(str, _OLDEST))
        raise StateError(f"Python was built with SQLite {sqlite3.sqlite_version}; {needed} or later is needed")


def prepare_file(path: Path) -> None:
    """Look at the file's place and first bytes, and make an empty file that only its owner can read.

    Raises `StateError` for a place that cannot hold state, `StoreDamaged` for a file that is no database.
    """
    if path.is_dir():
        raise StateError(f"{path} is a folder; name a file in it")
    if not path.parent.is_dir():
        raise StateError(f"the folder {path.parent} does not exist; make it first")
    if system := network_file_system(path, _mounts()):
        raise StateError(
            f"{path} lies on a network file system ({system}), on which SQLite's locks do not hold; "
            "keep the state on a local disk, or in PostgreSQL where several machines share it"
        )
    try:
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, _OWNER_ONLY), "rb") as file:
            head = file.read(_HEADER)
    except OSError as error:
        raise StateError(
            f"{path} cannot be opened for reading and writing ({error.strerror}); see who owns it and its folder"
        ) from error
    # With a journal beside it, a file may be half made: the power was lost, and SQLite takes it back by the journal.
    half_made = path.with_name(path.name + "-journal").exists()
    if head and not half_made and (len(head) < _HEADER or not head.startswith(_MAGIC)):
        raise damaged(path, "it is no SQLite database")


def damaged(path: Path, why: str) -> StoreDamaged:
    """Name the file, what is wrong with it, and what to do."""
    return StoreDamaged(
        f"{path} cannot be read as a crmbridge state file: {why}. It was left as it is. Put a copy back, or move the "
        "file away and start anew: the next run then fills blanks only, until its matches have been reviewed"
    )


def _mounts() -> str:
    try:
        return _MOUNTS.read_text("utf-8", "replace")
    except OSError:  # not on Linux: nothing can be told
        return ""


def network_file_system(path: Path, mounts: str) -> str | None:
    """Name the network file system that a path lies on, going by lines in the form of `/proc/mounts`."""
    where = path.resolve()
    best, found = -1, None
    for line in mounts.splitlines():
        parts = line.split(" ")
        if len(parts) < _MOUNT_PARTS:
            continue
        point = Path(_OCTAL.sub(lambda octal: chr(int(octal[1], 8)), parts[1]))
        depth = len(point.parts)
        if where.is_relative_to(point) and depth >= best:
            best, found = depth, parts[2]
    return found if found and _NETWORK.fullmatch(found) else None


def set_up(connection: sqlite3.Connection, path: Path, wait: float) -> None:
    """Make a fresh connection durable and strict, and bring its file to our schema.

    Raises `StoreTooNew` and `StoreDamaged`, with nothing changed.
    """
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {max(0, int(wait * 1000))}")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    if _first_look(connection, path) < len(MIGRATIONS):
        _migrate(connection, path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    # What is forgotten must not stay in free pages.
    connection.execute("PRAGMA secure_delete = ON")


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Asked again behind the lock: another process may have been first.
        for migration in MIGRATIONS[_version(connection, path) :]:
            migration(connection)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _first_look(connection: sqlite3.Connection, path: Path) -> int:
    """Tell the version as it is at one moment: another process may be making the same file."""
    connection.execute("BEGIN")
    try:
        return _version(connection, path)
    finally:
        connection.execute("ROLLBACK")


def _version(connection: sqlite3.Connection, path: Path) -> int:
    [(application,)] = connection.execute("PRAGMA application_id")
    [(version,)] = connection.execute("PRAGMA user_version")
    [(tables,)] = connection.execute("SELECT count(*) FROM sqlite_master")
    if application != APPLICATION and (application, version, tables) != (0, 0, 0):
        raise damaged(path, "it is a database of another program")
    if version > len(MIGRATIONS):
        raise StoreTooNew(
            f"{path} was written by a newer crmbridge: its schema is version {version}, this one knows "
            f"{len(MIGRATIONS)}. Nothing was changed; install the newer version"
        )
    return int(version)
