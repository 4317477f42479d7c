"""The driver that blocks."""

from __future__ import annotations

import contextvars
import os
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

import attrs
import httpx

from ..flow import Call, Done, Flow, Gather, Pause, Request, Response
from ..protocols import Clock, Observer
from ..roles import StateStore
from ._clock import MovedClock, SystemClock
from ._exchange import Alone, Exchange, Inner, InTurn, Send, Steps, advance, no_effect, values
from ._http import LIMITS, note, shape
from ._intake import Result
from ._origin import Origin, origin_of
from ._retry import retrying
from ._tls import trust

if TYPE_CHECKING:
    # Connections are loaded with the first request that needs one.
    from ._line import Line

T = TypeVar("T")


@attrs.define(eq=False)
class _Held:
    """What belongs to one process, and is of no use in one that is forked from it."""

    process: int = attrs.field(factory=os.getpid)
    places: dict[str, threading.Semaphore] = attrs.field(factory=lambda: dict[str, threading.Semaphore]())
    making: threading.Lock = attrs.field(factory=threading.Lock)
    network: Line | None = None


class _Stopped(BaseException):
    """Rises in the threads of gathered flows when the program is interrupted, where they would wait or send anew."""


class Driver:
    """Perform flows, blocking.

    Tokens and budgets are shared through *store*; without one, a pipeline keeps those of its verbs in its own store, and
    those of other flows live as long as the driver. *transports* serve single origins, *transport* all others; by
    default that is one over the network, made at the first request. *verify* is a file of authorities to trust, or a
    context. *workers* above 1 runs gathered flows in threads. Proxies of the environment are not used; give
    `httpx.HTTPTransport(proxy=...)` as the transport. Transports that are given are not closed, and those of httpx count
    `Account.timeout` anew with each piece of a head. A process that is forked has connections of its own.
    """

    def __init__(
        self,
        store: StateStore | None = None,
        *,
        clock: Clock | None = None,
        transport: httpx.BaseTransport | None = None,
        transports: Mapping[str, httpx.BaseTransport] | None = None,
        workers: int = 1,
        seed: int | None = None,
        observer: Observer | None = None,
        verify: str | ssl.SSLContext | None = None,
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        self._exchange = Exchange(store, self.clock, seed, observer)
        self._transport = transport
        self._transports = {origin_of(origin): served for origin, served in (transports or {}).items()}
        self._workers = workers
        self._verify = verify
        self._turn = threading.Lock()
        self._held = _Held()

    def run(self, flow: Flow[T], *, store: StateStore | None = None) -> T:
        """Perform a flow and give what it returns; raises what it raises.

        *store* keeps tokens and budgets of this flow where the driver was made without one.
        """
        return self._run(flow, self._exchange.keeping(store))

    def close(self) -> None:
        """Let go of the connections; a later request makes new ones."""
        held = self._own()
        with held.making:
            network, held.network = held.network, None
        if network is not None:
            network.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, steps: Steps[T], exchange: Exchange, stopping: threading.Event | None = None) -> T:
        outcome: Inner | Done[T] = advance(steps)
        while not isinstance(outcome, Done):
            try:
                answer = self._perform(outcome, exchange, stopping)
            except BaseException as error:  # noqa: BLE001 - the flow may clean up, or catch
                outcome = advance(steps, error=error)
            else:
                outcome = advance(steps, answer)
        return outcome.value

    def _perform(self, effect: Inner, exchange: Exchange, stopping: threading.Event | None) -> Any:
        match effect:
            case Request():
                return self._request(effect, exchange, stopping)
            case Pause(seconds):
                return self._sleep(seconds, stopping)
            case Call(fn):
                return fn()
            case Gather(flows, limit):
                return self._gather(flows, limit, exchange, stopping)
            case Send():
                if stopping is not None and stopping.is_set():
                    raise _Stopped
                return self._send(effect)
            case InTurn(system, places, flow):
                with self._own().places.setdefault(system, threading.Semaphore(places)):
                    return self._run(flow, exchange, stopping)
            case Alone(key, flow):
                with exchange.tokens.lock(key) as latest:
                    return self._run(flow(latest), exchange, stopping)
            case _:
                raise no_effect(effect)

    def _request(self, request: Request, exchange: Exchange, stopping: threading.Event | None) -> Response:
        trial, shaped = exchange.trial(request), shape(request)

        def attempt() -> Result:
            return self._run(exchange.attempt(trial, shaped), exchange, stopping)

        tries = retrying(trial, lambda seconds: self._sleep(seconds, stopping), stopping)
        return trial.conclude(tries(attempt))

    def _send(self, send: Send) -> Result:
        began = self.clock.monotonic()
        with send.intake as intake:
            try:
                response = self._transport_to(send.origin).handle_request(send.wire)
                try:
                    intake.begin(response.status_code, response.headers)
                    for chunk in cast("httpx.SyncByteStream", response.stream):
                        if not intake.take(chunk):
                            break
                finally:
                    response.close()
            except httpx.TransportError as error:
                intake.fail(error)
            result = intake.result()
        note(send.wire, result, self.clock.monotonic() - began)
        return result

    def _sleep(self, seconds: float, stopping: threading.Event | None) -> None:
        if isinstance(self.clock, MovedClock):
            self.clock.advance(seconds)
            seconds = 0.0
        if stopping is not None:
            if stopping.wait(seconds):
                raise _Stopped
        elif seconds > 0:
            time.sleep(seconds)

    def _gather(
        self, flows: Sequence[Flow[Any]], limit: int, exchange: Exchange, stopping: threading.Event | None
    ) -> list[Any]:
        """Run flows, each to its end; then the first error rises.

        An interruption waits for the tries that are under way, and for no other.
        """
        workers = min(self._workers, limit, len(flows))
        if workers <= 1:
            return values([self._settle(flow, exchange, stopping) for flow in flows])
        # Flows that are gathered inside gathered ones are stopped with them.
        ending = stopping or threading.Event()
        with ThreadPoolExecutor(workers, thread_name_prefix="crmbridge") as pool:
            try:
                running = [
                    pool.submit(contextvars.copy_context().run, self._settle, flow, exchange, ending) for flow in flows
                ]
                ended = [one.result() for one in running]
            except BaseException:
                ending.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return values(ended)

    def _settle(self, flow: Flow[T], exchange: Exchange, stopping: threading.Event | None) -> Done[T] | Exception:
        try:
            return Done(self._run(flow, exchange, stopping))
        except Exception as error:  # noqa: BLE001 - rises when the siblings have finished
            return error

    def _transport_to(self, origin: Origin) -> httpx.BaseTransport:
        given = self._transports.get(origin, self._transport)
        if given is not None:
            return given
        held = self._own()
        with held.making:
            if held.network is None:
                from ._line import Line

                held.network = Line(trust(self._verify), LIMITS)
            return held.network

    def _own(self) -> _Held:
        if self._held.process != os.getpid():
            with self._turn:
                if self._held.process != os.getpid():
                    # A connection from before a fork would bring other processes' answers: it is left to them as it is.
                    self._held = _Held()
        return self._held
