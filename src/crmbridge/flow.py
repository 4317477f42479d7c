"""Flows: generators that say what they wait for, and drivers that perform it.

A flow yields one of four effects and gets the answer back: `Request` (speak to a system), `Pause` (let time pass),
`Call` (do something blocking here, such as asking the store) and `Gather` (run several flows at once). Adapters and
the engine are flows, so the same code runs blocking, under asyncio and in a simulation.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

import attrs

from . import _stated
from .credentials import Credential

T = TypeVar("T")

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
"""RFC 9110, 9.2.2: what twice of it does is what once does."""


class Repeat(enum.Enum):
    """Whether a request may be sent again when its answer was lost."""

    SAFE = "safe"
    """Reads, deletes, upserts, anything with an idempotency key."""
    UNSAFE = "unsafe"
    """A lost answer leaves us uncertain."""


@attrs.frozen
class RateBudget:
    """A leaky bucket as a value: at most *capacity* in any *per* seconds.

    `level` is what has been spent and not yet leaked away at `at` (seconds of a monotonic clock).
    """

    capacity: float
    per: float = 1.0
    level: float = 0.0
    at: float = 0.0

    def spend(self, cost: float, now: float) -> tuple[RateBudget, float]:
        """Tell the budget after a request of this cost, and how many seconds to wait before sending it.

        A half of the capacity may be spent at once and the rest flows evenly, so that no sliding window of *per*
        seconds ever sees more than the capacity.
        """
        rate = self.capacity / self.per / 2
        burst = max(self.capacity / 2, 1.0)
        level = max(0.0, self.level - max(0.0, now - self.at) * rate) + cost
        wait = max(0.0, (level - burst) / rate)
        return attrs.evolve(self, level=level, at=max(now, self.at)), wait


def _no_text() -> dict[str, str]:
    return {}


@attrs.frozen
class Account:
    """Say where a system lives, how to enter it, and what it may be asked."""

    system: str
    base_url: str
    credential: Credential | None = None
    origins: tuple[str, ...] = attrs.field(default=(), validator=_stated.several)
    """Further origins (`https://host[:port]`) that get no credential: download addresses, token endpoints."""
    headers: Mapping[str, str] = attrs.field(factory=_no_text, repr=False)
    budgets: Mapping[str, RateBudget] = attrs.field(factory=lambda: dict[str, RateBudget]())
    """By lane; a lane that is not named is not limited here."""
    concurrency: int = 4
    """Requests under way at once."""
    timeout: float = 120.0
    """Seconds that one try of a request may take, from its first byte to the last of its answer."""
    max_bytes: int = 64 * 1024 * 1024
    """Decoded bytes of one answer, at most."""


@attrs.frozen
class Json:
    """A body sent as JSON."""

    value: Any = attrs.field(repr=False)


@attrs.frozen
class Form:
    """A body sent as an HTML form."""

    fields: Mapping[str, str] = attrs.field(repr=False)


@attrs.frozen
class Bytes:
    """A body sent as it is."""

    data: bytes = attrs.field(repr=False)
    type: str = "application/octet-stream"


@attrs.frozen
class File:
    """A body read from a file."""

    path: Path
    type: str = "application/octet-stream"


@attrs.frozen
class Multipart:
    """A body of named parts, each a text or (file name, content, media type)."""

    parts: Mapping[str, str | tuple[str, bytes, str]] = attrs.field(repr=False)


Body: TypeAlias = "Json | Form | Multipart | Bytes | File"
"""What a request carries."""


@attrs.frozen
class Request:
    """Speak to a system."""

    account: Account
    method: str
    path: str
    """From the account's base address, or an absolute address on one of the account's origins."""
    params: Mapping[str, str] = attrs.field(factory=_no_text, repr=False)
    headers: Mapping[str, str] = attrs.field(factory=_no_text, repr=False)
    body: Body | None = None
    into: Path | None = None
    """A large answer goes into this file."""
    key: str | None = None
    """Idempotency key."""
    repeat: Repeat | None = None
    """None leaves it to the method: see `repeats`."""
    lane: str = "default"
    """Which `RateBudget` pays."""
    cost: int = 1
    raw: bool = False
    """The body of an answer stays bytes, as it came; that of an error (400 and above) is decoded all the same."""

    @property
    def repeats(self) -> Repeat:
        """Say whether this request may be sent again when its answer was lost.

        Unless `repeat` says which: GET, HEAD, OPTIONS, PUT, DELETE and whatever has an idempotency key may be; POST,
        PATCH and any other method may not.
        """
        if self.repeat is not None:
            return self.repeat
        safe = self.key is not None or self.method.upper() in _SAFE_METHODS
        return Repeat.SAFE if safe else Repeat.UNSAFE


@attrs.frozen
class Response:
    """What a system answered: what its status means is the adapter's to say, and an error's body is no record.

    Drivers keep a few statuses to themselves. 420 and 429 are asked again, and raised as `Throttled` where that does
    not help; 408, 500, 502, 503, 504, 521, 523 and 524 are asked again where `Request.repeats` allows it, and raised as
    `Unreachable`. Every other status comes as it is, 301, 401 and 404 too.
    """

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    """Names in lower case."""
    body: Any = attrs.field(repr=False)
    """Decoded JSON where the system says it is JSON, else text; None where `into` was given or nothing came.

    A text is read in the charset that the system names, else in UTF-8, and whole or not at all: a byte that is none of
    it, or a charset that is not known, is `ContractBroken`. Only in an error's text such a byte becomes U+FFFD. Bytes
    where `Request.raw` was asked for.
    """


@attrs.frozen
class Pause:
    """Let time pass."""

    seconds: float


@attrs.frozen
class Call(Generic[T]):
    """Do something blocking here."""

    fn: Callable[[], T] = attrs.field(repr=False)


@attrs.frozen
class Gather(Generic[T]):
    """Run several flows, at most *limit* at once; answers come in the order of the flows.

    If one raises, its siblings are cancelled (async) or allowed to finish (sync), and the first error rises. Where a
    program that blocks is interrupted, as by Ctrl-C, each of them ends the one try of a request that is under way, and
    neither tries again nor sends or waits anew.
    """

    flows: Sequence[Flow[T]] = attrs.field(repr=False)
    limit: int = 4


@attrs.frozen
class Done(Generic[T]):
    """The flow has ended with this value."""

    value: T = attrs.field(repr=False)


Effect: TypeAlias = "Request | Pause | Call[Any] | Gather[Any]"
"""What a flow asks its driver for."""
Flow: TypeAlias = Generator[Effect, Any, T]
"""A generator that asks for what it needs and gives what it was called for; calling it does nothing yet."""


def send(request: Request) -> Flow[Response]:
    """Send a request and get its response."""
    response: Response = yield request
    return response


def pause(seconds: float) -> Flow[None]:
    """Wait."""
    yield Pause(seconds)


def call(fn: Callable[..., T], *args: Any) -> Flow[T]:
    """Call a blocking function and get what it returns."""
    value: T = yield Call(lambda: fn(*args))
    return value


def gather(flows: Sequence[Flow[T]], *, limit: int = 4) -> Flow[list[T]]:
    """Run several flows at once and get their values in order."""
    if not flows:
        return []
    if len(flows) == 1:
        return [(yield from flows[0])]
    values: list[T] = yield Gather(flows, limit)
    return values


def done(value: T) -> Flow[T]:
    """Be a flow that needs nothing."""
    return value
    yield  # pragma: no cover - makes this function a generator


def step(flow: Flow[T], answer: Any = None, *, error: BaseException | None = None) -> Effect | Done[T]:
    """Advance a flow by one effect; every driver is a loop around this."""
    try:
        return flow.send(answer) if error is None else flow.throw(error)
    except StopIteration as stop:
        return Done(stop.value)


class RequestOutcome(enum.Enum):
    """What is known of a request that got no answer."""

    NOT_SENT = "not_sent"
    """It never reached the system: safe to send again."""
    UNKNOWN = "unknown"
    """It may have been done."""
    SENT = "sent"
    """It was answered."""


def unix(at: dt.datetime) -> float:
    """Tell an instant in seconds since 1970."""
    return at.timestamp()
