"""Simulation: one thread, virtual time, an order chosen by a seed, and a process that dies where a test says.

The same seed, flows and fakes give the same trace. What a `SimDriver` performs is counted, and it can die before or
after any of it; what it held in memory is lost then, and what the store and the fakes hold is not.
"""

from __future__ import annotations

import datetime as dt
import random
import threading
from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

import attrs
import httpx

from crmbridge.drive._exchange import Exchange, Inner
from crmbridge.drive._sync import Driver
from crmbridge.errors import UsageError
from crmbridge.flow import Call, Done, Flow, Gather, Pause, Request, step
from crmbridge.protocols import Observer
from crmbridge.roles import StateStore

T = TypeVar("T")

MONDAY = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
"""When virtual time begins, unless a test says otherwise."""


class ManualClock:
    """A clock that stands still until it is advanced; a driver advances it where it would sleep."""

    def __init__(self, start: dt.datetime = MONDAY) -> None:
        self._start = start
        self._passed = 0.0
        self._lock = threading.Lock()

    def now(self) -> dt.datetime:
        """Tell the instant."""
        return self._start + dt.timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        """Tell the seconds that have passed since the start."""
        return self._passed

    def advance(self, by: float | dt.timedelta) -> None:
        """Let seconds or a timedelta pass; raises ValueError for less than nothing, since time does not go back."""
        seconds = by.total_seconds() if isinstance(by, dt.timedelta) else by
        if not seconds >= 0:
            raise ValueError("a clock goes forward only")
        with self._lock:
            self._passed += seconds


class SimulatedCrash(BaseException):
    """The process has died here; no `except Exception` lives on."""


class SimDriver(Driver):
    """Perform flows in virtual time, and die before or after the n-th effect.

    Each `Request`, `Pause` and `Call` counts as one effect, numbered from 1, those among them too that fetch a token or
    ask a budget. Once dead, every further effect of this driver raises `SimulatedCrash` as well, so that no cleanup
    reaches the world. Flows of a `Gather`, and of those inside it, take turns in an order that the seed chooses. A
    request to an address that has no transport raises `UsageError`.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        clock: ManualClock | None = None,
        transports: Mapping[str, httpx.BaseTransport] | None = None,
        store: StateStore | None = None,
        crash_before: int | None = None,
        crash_after: int | None = None,
        observer: Observer | None = None,
    ) -> None:
        nowhere = httpx.MockTransport(_nowhere)
        super().__init__(
            store, clock=clock or ManualClock(), transport=nowhere, transports=transports, seed=seed, observer=observer
        )
        self.effects = 0
        """How many effects were begun."""
        self.dead = False
        self._crash_before = crash_before
        self._crash_after = crash_after
        self._order = random.Random(seed)

    def run(self, flow: Flow[T], *, store: StateStore | None = None) -> T:
        """Perform a flow and give what it returns; raises what it raises, or `SimulatedCrash`."""
        return super().run(woven(flow, self._order), store=store)

    def _perform(self, effect: Inner, exchange: Exchange, stopping: threading.Event | None) -> Any:
        if self.dead:
            raise SimulatedCrash
        if not isinstance(effect, Request | Pause | Call):
            return super()._perform(effect, exchange, stopping)
        self.effects += 1
        number = self.effects
        if number == self._crash_before:
            self._die()
        try:
            return super()._perform(effect, exchange, stopping)
        finally:
            if number == self._crash_after:
                self._die()

    def _die(self) -> NoReturn:
        self.dead = True
        raise SimulatedCrash


def woven(flow: Flow[T], order: random.Random) -> Flow[T]:
    """Make of a flow with gathered flows one that asks for one effect after the other, in an order by chance."""
    outcome = step(flow)
    while not isinstance(outcome, Done):
        try:
            answer = (yield from _in_turns(outcome, order)) if isinstance(outcome, Gather) else (yield outcome)
        except BaseException as error:  # noqa: BLE001 - the flow may clean up, or catch
            outcome = step(flow, error=error)
        else:
            outcome = step(flow, answer)
    return outcome.value


@attrs.define(eq=False)
class _Turn:
    """A gathered flow, and what it is told next."""

    place: int
    flow: Flow[Any]
    answer: Any = None
    error: BaseException | None = None


def _in_turns(gather: Gather[T], order: random.Random) -> Flow[list[T]]:
    """Run flows, at most *limit* at once, each to its end; then the first error rises."""
    waiting = [_Turn(place, woven(flow, order)) for place, flow in enumerate(gather.flows)]
    running: list[_Turn] = []
    values: dict[int, T] = {}
    failed: Exception | None = None
    while waiting or running:
        while waiting and len(running) < max(1, gather.limit):
            running.append(waiting.pop(0))
        turn = order.choice(running)
        try:
            outcome = step(turn.flow, turn.answer, error=turn.error)
        except Exception as error:  # noqa: BLE001 - rises when the siblings have finished
            failed = failed or error
            running.remove(turn)
            continue
        if isinstance(outcome, Done):
            values[turn.place] = outcome.value
            running.remove(turn)
            continue
        try:
            turn.answer, turn.error = (yield outcome), None
        except Exception as error:  # noqa: BLE001 - told to the flow at its next turn
            turn.answer, turn.error = None, error
        except BaseException as error:
            step(turn.flow, error=error)
            raise
    if failed is not None:
        raise failed
    return [values[place] for place in sorted(values)]


def _nowhere(request: httpx.Request) -> NoReturn:
    raise UsageError(f"the simulation has no transport for {request.url.scheme}://{request.url.netloc.decode('ascii')}")
