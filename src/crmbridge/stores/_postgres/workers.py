"""What workers share: leases, tokens, budgets; each act is one transaction that locks one row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Literal

import attrs

from ... import wire
from ...credentials import Secret
from ...errors import LeaseHeld
from ...flow import RateBudget
from ...roles import Delta, Fence, Start, Token
from .._shared import instant, micros, stale
from .names import Ends, ends_of, tell, whole, whole_or_null
from .role import Role, reading, writing
from .session import Session

LeaseClock = Literal["worker", "database"]


@attrs.frozen
class PostgresTokens(Role):
    """Tokens, shared by all workers of a credential."""

    @reading
    def get(self, session: Session, credential: str) -> Token | None:
        question = "SELECT value, refresh, expires, serial FROM tokens WHERE tenant = %s AND credential = %s"
        row = session.row(question, self._tenant, credential)
        if row is None:
            return None
        value, refresh, expires, serial = row
        return Token(
            Secret(tell(value)),
            None if refresh is None else Secret(tell(refresh)),
            None if expires is None else wire.unpack_instant(expires),
            serial,
        )

    @contextmanager
    def lock(self, credential: str) -> Generator[Token | None, None, None]:
        with self._db.alone(f"{len(self._tenant)}:{self._tenant}{credential}"):
            yield self.get(credential)

    @writing
    def save(self, session: Session, credential: str, token: Token) -> None:
        session.do(
            "INSERT INTO tokens VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (tenant, credential) DO UPDATE SET "
            "value = excluded.value, refresh = excluded.refresh, expires = excluded.expires, serial = excluded.serial",
            self._tenant,
            credential,
            whole(token.value.reveal()),
            whole_or_null(None if token.refresh is None else token.refresh.reveal()),
            None if token.expires is None else wire.pack_instant(token.expires),
            token.serial,
        )


@attrs.frozen
class PostgresBudgets(Role):
    """What may still be asked of a system, shared by all workers of an account."""

    @writing
    def spend(self, session: Session, account: str, lane: str, budget: RateBudget, cost: int, now: float) -> float:
        level, at, held_until = _spent(session, self._tenant, account, lane)
        so_far = budget if level is None or at is None else attrs.evolve(budget, level=level, at=at)
        after, wait = so_far.spend(cost, now)
        statement = "UPDATE budgets SET level = %s, at = %s WHERE tenant = %s AND account = %s AND lane = %s"
        session.do(statement, after.level, after.at, self._tenant, account, lane)
        return max(wait, held_until - now)

    @writing
    def hold(self, session: Session, account: str, lane: str, until: float) -> None:
        _spent(session, self._tenant, account, lane)
        session.do(
            "UPDATE budgets SET held_until = greatest(held_until, %s) WHERE tenant = %s AND account = %s AND lane = %s",
            until,
            self._tenant,
            account,
            lane,
        )

    @reading
    def starts(self, session: Session, pipeline: str, since: dt.datetime) -> Sequence[Start]:
        question = "SELECT key, at FROM starts WHERE scope = %s AND at >= %s ORDER BY at, key"
        found = session.rows(question, ends_of(session, self._tenant, pipeline).scope, micros(since))
        return [Start(tell(key), instant(at)) for key, at in found]


def put_starts(session: Session, ends: Ends, delta: Delta) -> None:
    """Keep what was started, and let go of what no longer matters."""
    if delta.starts_matter is not None:
        session.do("DELETE FROM starts WHERE scope = %s AND at < %s", ends.scope, micros(delta.starts_matter))
    session.each(
        f"INSERT INTO starts SELECT {ends.scope}, * FROM {{rows}} ON CONFLICT DO NOTHING",
        "bigint bytea",
        [(micros(start.at), whole(start.key)) for start in delta.starts],
    )


def _spent(session: Session, *lane_of: str) -> tuple[float | None, float | None, float]:
    """Lock what a lane has spent; a new lane is made first."""
    question = "SELECT level, at, held_until FROM budgets WHERE tenant = %s AND account = %s AND lane = %s FOR UPDATE"
    row = session.row(question, *lane_of)
    if row is None:
        session.do("INSERT INTO budgets VALUES (%s, %s, %s, NULL, NULL, 0) ON CONFLICT DO NOTHING", *lane_of)
        row = session.row(question, *lane_of)
    level, at, held_until = row or (None, None, 0.0)
    return level, at, held_until


@attrs.frozen
class PostgresLeases(Role):
    """Who may run a partition."""

    _clock: LeaseClock

    @writing
    def take(self, session: Session, partition: str, owner: str, now: dt.datetime, ttl: dt.timedelta) -> Fence:
        made = "INSERT INTO leases VALUES (%s, %s, 0, NULL, 0) ON CONFLICT DO NOTHING"
        question = "SELECT token, owner, until FROM leases WHERE tenant = %s AND partition = %s FOR UPDATE"
        row = session.row(question, self._tenant, partition)
        if row is None:
            session.do(made, self._tenant, partition)
            [row] = session.rows(question, self._tenant, partition)
        token, holder, until = row
        at = self._at(session, now)
        if holder is not None and until > at:
            raise LeaseHeld(f"{partition}: {holder} has the lease until {instant(until).isoformat()}")
        session.do(
            "UPDATE leases SET token = %s, owner = %s, until = %s WHERE tenant = %s AND partition = %s",
            token + 1,
            owner,
            at + micros(now + ttl) - micros(now),
            self._tenant,
            partition,
        )
        return Fence(partition, token + 1, now + ttl)

    @writing
    def renew(self, session: Session, fence: Fence, now: dt.datetime, ttl: dt.timedelta) -> Fence:
        require(session, self._tenant, fence)
        until = self._at(session, now) + micros(now + ttl) - micros(now)
        statement = "UPDATE leases SET until = %s WHERE tenant = %s AND partition = %s"
        session.do(statement, until, self._tenant, fence.partition)
        return Fence(fence.partition, fence.token, now + ttl)

    @writing
    def release(self, session: Session, fence: Fence) -> None:
        statement = "UPDATE leases SET owner = NULL WHERE tenant = %s AND partition = %s AND token = %s"
        session.do(statement, self._tenant, fence.partition, fence.token)

    def _at(self, session: Session, now: dt.datetime) -> int:
        """Tell the time by which leases end."""
        if self._clock == "worker":
            return micros(now)
        [(at,)] = session.rows("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
        return int(at)


def require(session: Session, tenant: str, fence: Fence) -> None:
    """Raise `FenceStale` unless the fence is of the newest lease of its partition, and that one was not given back.

    The lease is locked: nobody takes it over before this transaction has ended.
    """
    question = "SELECT token FROM leases WHERE tenant = %s AND partition = %s AND owner IS NOT NULL FOR UPDATE"
    if session.row(question, tenant, fence.partition) != (fence.token,):
        raise stale(fence)
