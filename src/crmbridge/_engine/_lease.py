"""Holding the lease of a pipeline while something is done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TypeVar

from ..definition import Definition
from ..errors import StateError
from ..flow import Flow, call
from ..protocols import Clock
from ..roles import Fence, StateStore

T = TypeVar("T")


def leased(
    definition: Definition, store: StateStore, clock: Clock, work: Callable[[Fence], Flow[T]], *, owner: str
) -> Flow[T]:
    """Do something while nobody else runs this pipeline; raises `LeaseHeld` where somebody does.

    However it ends, the lease is given back, so that nobody waits for its end: also where an interrupt came while it was
    being taken or given back. A process that dies leaves it, and so does one whose store refuses to take it back, which
    the error then says.
    """
    now = clock.now()
    held: list[Fence] = []

    def take() -> Fence:
        # Whoever is cancelled while a thread takes the lease is not told what came of it.
        held.append(store.leases.take(definition.name, owner, now, definition.lease))
        return held[0]

    try:
        fence = yield from call(take)
        answer = yield from work(fence)
        yield from call(store.leases.release, fence)
    except GeneratorExit:
        raise
    except BaseException:
        for fence in held:
            yield from _give_back(definition, store, clock, fence)
        raise
    return answer


def _give_back(definition: Definition, store: StateStore, clock: Clock, fence: Fence) -> Flow[None]:
    """Give a lease back after an error; raises what the store refuses, with the time until which others wait."""
    try:
        yield from call(store.leases.release, fence)
    except StateError as error:
        # The lease may have been prolonged until now, and not later.
        last = (clock.now() + definition.lease).astimezone(dt.UTC)
        raise type(error)(
            f"{error}. The lease of {definition.name} could not be given back: it ends by itself, and another run begins, "
            f"at {last:%Y-%m-%d %H:%M:%S} UTC at the latest"
        ) from error
