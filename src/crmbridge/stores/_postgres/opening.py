"""Reach a database and bring its schema to ours, or say why not; what is refused is left as it was."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import attrs

from ...credentials import Secret
from ...errors import MissingExtra, StateError, StoreTooNew, UsageError
from .meaning import damaged, meaning
from .schema import MIGRATIONS
from .session import sql

if TYPE_CHECKING:
    from .session import Connection

_OLDEST = 130000
"""The first server that makes UUIDs by itself: PostgreSQL 13."""

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")

_DEFAULTS: Final = MappingProxyType({"connect_timeout": "10", "application_name": "crmbridge"})
"""Added where the DSN is silent: seconds to wait for an answer, and the name under which the server lists us."""

_MARKS_KEPT = "30 days"
"""A connection that has not written for so long is gone, and nobody asks what became of its last commit."""


@attrs.frozen
class Where:
    """Where state is kept, and how to get there."""

    dsn: Secret
    schema: str
    place: str
    """Names server and database in errors, without user and password."""

    def options(self) -> Mapping[str, Any]:
        """Say how to connect: each transaction is begun by name, and no statement is prepared.

        A pooler gives each transaction another connection; and a plan that was made for an empty table is kept with
        its prepared statement while the table grows.
        """
        return {"autocommit": True, "prepare_threshold": None}

    def text(self, error: Exception) -> str:
        """Tell what kept us from connecting; should a driver quote the password, it is taken out."""
        import psycopg.conninfo

        password = psycopg.conninfo.conninfo_to_dict(self.dsn.reveal()).get("password")
        told = " ".join(str(error).split())
        return told.replace(str(password), "***") if password else told

    def __str__(self) -> str:
        return self.place


def where(dsn: str, schema: str) -> Where:
    """Understand a DSN; raises `UsageError` for one that libpq does not, `MissingExtra` without psycopg."""
    try:
        import psycopg.conninfo
        import psycopg_pool
    except ImportError:
        raise MissingExtra("postgres", "psycopg, with its pool,") from None
    del psycopg_pool
    if not _NAME.fullmatch(schema):
        raise UsageError("a schema's name has at most 63 small letters, digits and _, and does not begin with a digit")
    try:
        told = psycopg.conninfo.conninfo_to_dict(dsn)
    except psycopg.Error:
        # Without its cause, which quotes the DSN and so the password.
        raise UsageError("the DSN is not understood; write postgresql://user@host:5432/database") from None
    whole = psycopg.conninfo.make_conninfo(dsn, **{name: _DEFAULTS[name] for name in _DEFAULTS if name not in told})
    server = f"{told.get('host', 'the local server')}:{told.get('port', 5432)}"
    return Where(Secret(whole), schema, f"PostgreSQL {server}/{told.get('dbname', '')}")


def connect(at: Where) -> Connection:
    """Connect once; raises `StateError` where the server is not reached or lets nobody in."""
    import psycopg

    try:
        return psycopg.connect(at.dsn.reveal(), **at.options())
    except psycopg.Error as error:
        raise StateError(f"{at} cannot be reached: {at.text(error)}") from None


def set_up(at: Where) -> None:
    """Bring a database to our schema.

    Raises `StateError` where it cannot be reached or written, `StoreTooNew` and `StoreDamaged`, with nothing changed.
    """
    import psycopg

    with connect(at) as connection:
        if connection.info.server_version < _OLDEST:
            raise StateError(f"{at} is older than PostgreSQL {_OLDEST // 10000}, which is needed; nothing was changed")
        try:
            if _version(connection, at) < len(MIGRATIONS):
                _migrate(connection, at)
            connection.execute(sql(f"DELETE FROM {at.schema}.marks WHERE at < now() - %s::interval"), (_MARKS_KEPT,))
        except psycopg.Error as error:
            raise meaning(str(at), error) from None


def _migrate(connection: Connection, at: Where) -> None:
    with connection.transaction():
        # One worker at a time; the others find it done. Held to the end of the transaction alone, as a pooler needs.
        connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (f"crmbridge {at.schema}",))
        # Whoever owns the schema need not have the right to make one, for which PostgreSQL asks even where it is there.
        if connection.execute("SELECT to_regnamespace(%s) IS NULL", (at.schema,)).fetchone() == (True,):
            connection.execute(sql(f"CREATE SCHEMA IF NOT EXISTS {at.schema}"))
        connection.execute(sql(f"SET LOCAL search_path TO {at.schema}"))
        for migration in MIGRATIONS[_version(connection, at) :]:
            connection.execute(sql(migration))
        connection.execute("UPDATE meta SET version = %s", (len(MIGRATIONS),))


def _version(connection: Connection, at: Where) -> int:
    tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = %s", (at.schema,)).fetchone()
    if tables == (0,):
        return 0
    ours = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (f"{at.schema}.meta",)).fetchone()
    if ours == (False,):
        raise damaged(str(at), f"its schema {at.schema} belongs to another program")
    [version] = connection.execute(sql(f"SELECT version FROM {at.schema}.meta")).fetchone() or (0,)
    if version > len(MIGRATIONS):
        raise StoreTooNew(
            f"{at} was written by a newer crmbridge: its schema is version {version}, this one knows "
            f"{len(MIGRATIONS)}. Nothing was changed; install the newer version"
        )
    return int(version)
