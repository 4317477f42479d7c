"""The driver that is awaited; asyncio only."""

from __future__ import annotations

import asyncio
import os
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self, TypeVar, cast

import attrs
import httpx

from ..errors import UsageError
from ..flow import Call, Done, Flow, Gather, Pause, Request, Response
from ..protocols import Clock, Observer
from ..roles import StateStore
from ._clock import MovedClock, SystemClock
from ._exchange import Alone, Exchange, Inner, InTurn, Send, Steps, advance, no_effect
from ._http import LIMITS, note, shape
from ._intake import Result
from ._origin import Origin, origin_of
from ._retry import async_retrying
from ._tls import trust

T = TypeVar("T")


@attrs.define(eq=False)
class _Held:
    """What belongs to one event loop of one process, and is of no use in another."""

    loop: asyncio.AbstractEventLoop
    process: int
    places: dict[str, asyncio.Semaphore] = attrs.field(factory=lambda: dict[str, asyncio.Semaphore]())
    renewers: dict[str, asyncio.Lock] = attrs.field(factory=lambda: dict[str, asyncio.Lock]())
    network: httpx.AsyncHTTPTransport | None = None


class AsyncDriver:
    """Perform flows, awaited; one driver belongs to one event loop, from its first run until it is closed.

    Tokens and budgets are shared through *store*; without one, a pipeline keeps those of its verbs in its own store, and
    those of other flows live as long as the driver. What blocks runs in threads. *workers* bounds how many of gathered
    flows run at once, below the bound that they have themselves. *transports* serve single origins,
    *transport* all others; by default that is one over the network, made at the first request. *verify* is a file of
    authorities to trust, or a context. Proxies of the environment are not used; give
    `httpx.AsyncHTTPTransport(proxy=...)` as the transport. Transports that are given are not closed.
    """

    def __init__(
        self,
        store: StateStore | None = None,
        *,
        clock: Clock | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        transports: Mapping[str, httpx.AsyncBaseTransport] | None = None,
        workers: int | None = None,
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
        self._held: _Held | None = None

    async def run(self, flow: Flow[T], *, store: StateStore | None = None) -> T:
        """Perform a flow and give what it returns; raises what it raises.

        *store* keeps tokens and budgets of this flow where the driver was made without one. Raises UsageError, before
        anything is sent, where the driver belongs to another event loop.
        """
        self._own()
        return await self._run(flow, self._exchange.keeping(store))

    async def aclose(self) -> None:
        """Let go of the connections; a later request makes new ones, in whichever event loop it is made.

        Raises UsageError where the driver belongs to another event loop, unless that one is closed.
        """
        held, loop = self._held, asyncio.get_running_loop()
        if held is None:
            return
        if held.loop is not loop and held.process == os.getpid() and not held.loop.is_closed():
            raise _elsewhere()
        self._held = None
        # Connections of a loop that is closed ended with it, and those of the process before a fork are still in use.
        if held.loop is loop and held.network is not None:
            await held.network.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _run(self, steps: Steps[T], exchange: Exchange, threads: Executor | None = None) -> T:
        outcome: Inner | Done[T] = advance(steps)
        while not isinstance(outcome, Done):
            try:
                answer = await self._perform(outcome, exchange, threads)
            except BaseException as error:  # noqa: BLE001 - the flow may clean up, or catch
                outcome = advance(steps, error=error)
            else:
                outcome = advance(steps, answer)
        return outcome.value

    async def _perform(self, effect: Inner, exchange: Exchange, threads: Executor | None) -> Any:
        match effect:
            case Request():
                return await self._request(effect, exchange)
            case Pause(seconds):
                return await self._sleep(seconds)
            case Call(fn):
                return await self._call(fn, threads)
            case Gather(flows, limit):
                return await self._gather(flows, limit, exchange)
            case Send():
                return await self._send(effect)
            case InTurn(system, places, flow):
                async with self._own().places.setdefault(system, asyncio.Semaphore(places)):
                    return await self._run(flow, exchange)
            case Alone():
                # One task goes to the store's lock, the others wait here: a hundred of them take no hundred threads.
                async with self._own().renewers.setdefault(effect.key, asyncio.Lock()):
                    return await self._alone(effect, exchange)
            case _:
                raise no_effect(effect)

    async def _request(self, request: Request, exchange: Exchange) -> Response:
        trial, shaped = exchange.trial(request), shape(request)

        async def attempt() -> Result:
            return await self._run(exchange.attempt(trial, shaped), exchange)

        return trial.conclude(await async_retrying(trial, self._sleep)(attempt))

    async def _send(self, send: Send) -> Result:
        began = self.clock.monotonic()
        with send.intake as intake:
            try:
                async with asyncio.timeout(send.timeout):
                    response = await self._transport_to(send.origin).handle_async_request(send.wire)
                    try:
                        intake.begin(response.status_code, response.headers)
                        async for chunk in cast("httpx.AsyncByteStream", response.stream):
                            if not intake.take(chunk):
                                break
                    finally:
                        await response.aclose()
            except (httpx.TransportError, TimeoutError) as error:
                intake.fail(error)
            result = intake.result()
        note(send.wire, result, self.clock.monotonic() - began)
        return result

    async def _call(self, fn: Callable[[], T], threads: Executor | None) -> T:
        loop = asyncio.get_running_loop()
        ending = asyncio.ensure_future(asyncio.to_thread(fn) if threads is None else loop.run_in_executor(threads, fn))
        cancelled: asyncio.CancelledError | None = None
        while not ending.done():
            try:
                await asyncio.wait([ending])
            except asyncio.CancelledError as error:
                # A thread cannot be cancelled; a flow that cleans up must not overtake what it asked for.
                cancelled = error
        if cancelled is not None:
            raise cancelled
        return ending.result()

    async def _alone(self, effect: Alone, exchange: Exchange) -> Any:
        # One thread of its own takes the store's lock, saves and lets go: a lock may belong to its thread, and waiting
        # for it in the loop, or in threads that others wait for, would stop those who hold it.
        loop, thread, held = asyncio.get_running_loop(), ThreadPoolExecutor(1, "crmbridge-token"), ExitStack()
        try:
            latest = await loop.run_in_executor(thread, held.enter_context, exchange.tokens.lock(effect.key))
            return await self._run(effect.flow(latest), exchange, thread)
        finally:
            # The thread does one thing after the other: what it enters is left, even if nobody waits for it any more.
            leaving = loop.run_in_executor(thread, held.close)
            thread.shutdown(wait=False)
            await leaving

    async def _sleep(self, seconds: float) -> None:
        if isinstance(self.clock, MovedClock):
            self.clock.advance(seconds)
            seconds = 0.0
        await asyncio.sleep(seconds)

    async def _gather(self, flows: Sequence[Flow[Any]], limit: int, exchange: Exchange) -> list[Any]:
        """Run flows; when one raises, the others are cancelled and its error rises."""
        places = asyncio.Semaphore(min(limit, self._workers or limit))

        async def one(flow: Flow[Any]) -> Any:
            async with places:
                return await self._run(flow, exchange)

        try:
            async with asyncio.TaskGroup() as group:
                running = [group.create_task(one(flow)) for flow in flows]
        except BaseExceptionGroup as several:
            first = several.exceptions[0]
        else:
            return [task.result() for task in running]
        raise first

    def _transport_to(self, origin: Origin) -> httpx.AsyncBaseTransport:
        given = self._transports.get(origin, self._transport)
        if given is not None:
            return given
        held = self._own()
        if held.network is None:
            held.network = httpx.AsyncHTTPTransport(verify=trust(self._verify), limits=LIMITS)
        return held.network

    def _own(self) -> _Held:
        loop, process = asyncio.get_running_loop(), os.getpid()
        with self._turn:
            if self._held is None or self._held.process != process:
                # A connection from before a fork would bring other processes' answers: it is left to them as it is.
                self._held = _Held(loop, process)
            held = self._held
        if held.loop is not loop:
            raise _elsewhere()
        return held


def _elsewhere() -> UsageError:
    return UsageError(
        "this driver belongs to another event loop; make one inside asyncio.run, or await aclose() before its loop ends"
    )
