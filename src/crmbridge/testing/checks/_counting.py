"""Counting what a flow sends, whoever performs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import attrs

from ...flow import Call, Done, Effect, Flow, Gather, Request, step

T = TypeVar("T")

_READING = frozenset({"GET", "HEAD"})


@attrs.define
class Sent:
    """What a flow has asked for so far."""

    reads: int = 0
    writes: int = 0
    calls: int = 0

    @property
    def written(self) -> int:
        """Count what it wrote by; one who sends no request writes by calls."""
        return self.writes if self.writes or self.reads else self.calls

    @property
    def asked(self) -> int:
        """Count all that it asked for."""
        return self.reads + self.writes or self.calls

    def of(self, flow: Flow[T]) -> Flow[T]:
        """Give a flow that does the same, and is counted."""
        outcome = step(flow)
        while not isinstance(outcome, Done):
            try:
                answer = yield self._counted(outcome)
            except BaseException as error:  # noqa: BLE001 - the flow may clean up, or catch
                outcome = step(flow, error=error)
            else:
                outcome = step(flow, answer)
        return outcome.value

    def _counted(self, effect: Effect) -> Effect:
        if isinstance(effect, Gather):
            flows: Sequence[Flow[Any]] = effect.flows
            return Gather([self.of(flow) for flow in flows], effect.limit)
        if isinstance(effect, Request):
            self.reads += effect.method in _READING
            self.writes += effect.method not in _READING
        self.calls += isinstance(effect, Call)
        return effect
