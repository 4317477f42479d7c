"""What workers share: leases, tokens, budgets; each act is one transaction."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager

import attrs

from ... import wire
from ...credentials import Secret
from ...errors import LeaseHeld
from ...flow import RateBudget
from ...roles import Delta, Fence, Start, Token
from .._shared import instant, micros, stale
from .database import Database
from .names import keep, scope, tell


@attrs.frozen
class SqliteTokens:
    """Tokens, shared by all workers of a credential."""

    _db: Database
    _tenant: str

    def get(self, credential: str) -> Token | None:
        with self._db.reading() as connection:
            question = "SELECT value, refresh, expires, serial FROM tokens WHERE tenant = ? AND credential = ?"
            row = connection.execute(question, (self._tenant, credential)).fetchone()
        if row is None:
            return None
        value, refresh, expires, serial = row
        return Token(
            Secret(value),
            None if refresh is None else Secret(refresh),
            None if expires is None else wire.unpack_instant(expires),
            serial,
        )

    @contextmanager
    def lock(self, credential: str) -> Generator[Token | None, None, None]:
        with self._db.alone(f"{len(self._tenant)}:{self._tenant}{credential}"):
            yield self.get(credential)

    def save(self, credential: str, token: Token) -> None:
        with self._db.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO tokens VALUES (?, ?, ?, ?, ?, ?)",
                (
                    self._tenant,
                    credential,
                    token.value.reveal(),
                    None if token.refresh is None else token.refresh.reveal(),
                    None if token.expires is None else wire.pack_instant(token.expires),
                    token.serial,
                ),
            )


@attrs.frozen
class SqliteBudgets:
    """What may still be asked of a system, shared by all workers of an account."""

    _db: Database
    _tenant: str

    def spend(self, account: str, lane: str, budget: RateBudget, cost: int, now: float) -> float:
        lane_of = (self._tenant, account, lane)
        with self._db.writing() as connection:
            level, at, held_until = _spent(connection, lane_of)
            so_far = budget if level is None or at is None else attrs.evolve(budget, level=level, at=at)
            after, wait = so_far.spend(cost, now)
            spent = (*lane_of, after.level, after.at, held_until)
            connection.execute("INSERT OR REPLACE INTO budgets VALUES (?, ?, ?, ?, ?, ?)", spent)
            return max(wait, held_until - now)

    def hold(self, account: str, lane: str, until: float) -> None:
        lane_of = (self._tenant, account, lane)
        with self._db.writing() as connection:
            level, at, held_until = _spent(connection, lane_of)
            spent = (*lane_of, level, at, max(held_until, until))
            connection.execute("INSERT OR REPLACE INTO budgets VALUES (?, ?, ?, ?, ?, ?)", spent)

    def starts(self, pipeline: str, since: dt.datetime) -> Sequence[Start]:
        question = "SELECT key, at FROM starts WHERE scope = ? AND at >= ? ORDER BY at, key"
        with self._db.reading() as connection:
            found = connection.execute(question, (scope(connection, self._tenant, pipeline), micros(since)))
            return [Start(tell(key), instant(at)) for key, at in found]


def put_starts(connection: sqlite3.Connection, of: int, delta: Delta) -> None:
    """Keep what was started, and let go of what no longer matters."""
    if delta.starts_matter is not None:
        connection.execute("DELETE FROM starts WHERE scope = ? AND at < ?", (of, micros(delta.starts_matter)))
    connection.executemany(
        "INSERT OR IGNORE INTO starts VALUES (?, ?, ?)",
        ((of, micros(start.at), keep(start.key)) for start in delta.starts),
    )


def _spent(connection: sqlite3.Connection, lane_of: tuple[str, str, str]) -> tuple[float | None, float | None, float]:
    question = "SELECT level, at, held_until FROM budgets WHERE tenant = ? AND account = ? AND lane = ?"
    return connection.execute(question, lane_of).fetchone() or (None, None, 0.0)


@attrs.frozen
class SqliteLeases:
    """Who may run a partition."""

    _db: Database
    _tenant: str

    def take(self, partition: str, owner: str, now: dt.datetime, ttl: dt.timedelta) -> Fence:
        self._db.keep_room()
        with self._db.writing() as connection:
            question = "SELECT token, owner, until FROM leases WHERE tenant = ? AND partition = ?"
            token, holder, until = connection.execute(question, (self._tenant, partition)).fetchone() or (0, None, 0)
            if holder is not None and until > micros(now):
                raise LeaseHeld(f"{partition}: {holder} has the lease until {instant(until).isoformat()}")
            lease = (self._tenant, partition, token + 1, owner, micros(now + ttl))
            connection.execute("INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?, ?)", lease)
            return Fence(partition, token + 1, now + ttl)

    def renew(self, fence: Fence, now: dt.datetime, ttl: dt.timedelta) -> Fence:
        with self._db.writing() as connection:
            require(connection, self._tenant, fence)
            connection.execute(
                "UPDATE leases SET until = ? WHERE tenant = ? AND partition = ?",
                (micros(now + ttl), self._tenant, fence.partition),
            )
            return Fence(fence.partition, fence.token, now + ttl)

    def release(self, fence: Fence) -> None:
        question = "UPDATE leases SET owner = NULL WHERE tenant = ? AND partition = ? AND token = ?"
        lease = (self._tenant, fence.partition, fence.token)
        self._db.insist(lambda connection: connection.execute(question, lease))


def require(connection: sqlite3.Connection, tenant: str, fence: Fence) -> None:
    """Raise `FenceStale` unless the fence is of the newest lease of its partition, and that one was not given back."""
    question = "SELECT token FROM leases WHERE tenant = ? AND partition = ? AND owner IS NOT NULL"
    row = connection.execute(question, (tenant, fence.partition)).fetchone()
    if row is None or row[0] != fence.token:
        raise stale(fence)
