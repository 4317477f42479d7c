"""Holding the lease of a pipeline while something is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..definition import Definition
from ..flow import Flow, call
from ..protocols import Clock
from ..roles import Fence, StateStore

T = TypeVar("T")


def leased(
    definition: Definition, store: StateStore, clock: Clock, work: Callable[[Fence], Flow[T]], *, owner: str
) -> Flow[T]:
    """Do something while nobody else runs this pipeline; raises `LeaseHeld` where somebody does.

    However it ends, the lease is given back, so that nobody waits for its end: also where an interrupt came while it was
    being taken or given back. Only a process that dies leaves it.
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
            yield from call(store.leases.release, fence)
        raise
    return answer
