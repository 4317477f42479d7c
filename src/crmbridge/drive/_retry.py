"""Trying again: the one place that does, with one rule for both drivers.

What was surely not done is tried again always, what may have been done only where the request says that this is safe.
Between tries passes a random time that doubles its bound (full jitter), or as long as the system asks for. No request
takes more than five tries or begins one after two minutes, and all requests of a driver together are repeated in one
case of ten, so that an outage is not answered with a storm.
"""

from __future__ import annotations

import datetime as dt
import random
import threading
from collections.abc import Awaitable, Callable

from tenacity import AsyncRetrying, RetryCallState, Retrying, retry_if_result

from ..errors import Throttled, Unreachable
from ..flow import Repeat, Request, RequestOutcome, Response
from ..protocols import Clock, Event, Observer
from ..reasons import Fact
from ._http import respond
from ._intake import Answer, Lost, Result
from ._throttle import retry_after

TRIES = 5
ELAPSED = 120.0
"""Seconds after which no further try of a request begins."""

SLOW_DOWN = frozenset({420, 429})
"""Refused before anything was done. Vendor: 420 is what Salesforce's edge answers."""

UNWELL = frozenset({408, 500, 502, 503, 504, 521, 523, 524})
"""It may have been done. Vendor: 521, 523 and 524 come from Cloudflare, and HubSpot asks to try them again."""

_FIRST_WAIT = 0.5
_LONGEST_WAIT = 30.0
_SHARE = 0.1
_RESERVE = 10.0
_MOST_SAVED = 100.0


class Allowance:
    """How many repeats all requests of a driver may still make: ten, and one for each ten requests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left = _RESERVE

    def earn(self) -> None:
        """Count a request; what is saved is bounded, so that a long good time does not pay for a storm."""
        with self._lock:
            self._left = min(self._left + _SHARE, _MOST_SAVED)

    def take(self) -> bool:
        """Take one repeat, if there is one."""
        with self._lock:
            if self._left < 1:
                return False
            self._left -= 1
            return True


def worth_repeating(result: Result, repeat: Repeat) -> bool:
    """Say whether a result is one to try again after."""
    if isinstance(result, Lost):
        return result.outcome is RequestOutcome.NOT_SENT or repeat is Repeat.SAFE
    return result.status in SLOW_DOWN or (result.status in UNWELL and repeat is Repeat.SAFE)


class Trial:
    """One request through all its tries: what tenacity is told, and what the flow is told in the end."""

    def __init__(
        self, request: Request, clock: Clock, chance: random.Random, allowance: Allowance, observer: Observer | None
    ) -> None:
        self.request = request
        self.may_have_arrived = False
        self.renewed = False
        """The token was renewed for this request; that is done once."""
        self._clock = clock
        self._chance = chance
        self._allowance = allowance
        self._observer = observer
        self._began = clock.monotonic()
        allowance.earn()

    def again(self, result: Result) -> bool:
        """Judge one result."""
        if isinstance(result, Lost):
            self.may_have_arrived |= result.outcome is RequestOutcome.UNKNOWN
        else:
            self.may_have_arrived |= result.status in UNWELL
        return worth_repeating(result, self.request.repeats)

    def wait(self, state: RetryCallState) -> float:
        """Tell how many seconds to let pass before the next try."""
        bound = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0**state.attempt_number)
        return max(self._chance.uniform(0.0, bound), self._asked(_result(state)) or 0.0)

    def stop(self, state: RetryCallState) -> bool:
        """Say whether this was the last try; a try that could only begin too late is none."""
        begins = self._clock.monotonic() - self._began + state.upcoming_sleep
        if state.attempt_number >= TRIES or begins > ELAPSED or not self._allowance.take():
            return True
        if self._observer is not None:
            facts: dict[str, Fact] = {"system": self.request.account.system, "tries": state.attempt_number}
            self._observer.saw(Event("request_repeated", facts | {"wait_ms": round(state.upcoming_sleep * 1000)}))
        return False

    def conclude(self, result: Result) -> Response:
        """Give the response.

        Raises `Throttled` or `Unreachable` where the last try got none, `ContractBroken` where it cannot be read.
        """
        system = self.request.account.system
        if isinstance(result, Lost):
            said = f"no answer: {result.what}"
            raise Unreachable(system, said, may_have_arrived=self.may_have_arrived)
        if result.status in SLOW_DOWN:
            asked = self._asked(result)
            until = None if asked is None else self._clock.now() + dt.timedelta(seconds=asked)
            raise Throttled(system, "asks us to wait", status=result.status, until=until)
        if result.status in UNWELL:
            raise Unreachable(system, "is unwell", status=result.status, may_have_arrived=self.may_have_arrived)
        return respond(self.request, result)

    def _asked(self, result: Result) -> float | None:
        return retry_after(result.headers, self._clock.now()) if isinstance(result, Answer) else None


def retrying(trial: Trial, sleep: Callable[[float], None], stopping: threading.Event | None) -> Retrying:
    """Set tenacity up for a blocking driver; only results are judged, so no exception is ever held back.

    Once *stopping* is set, nothing is tried again.
    """

    def stop(state: RetryCallState) -> bool:
        return (stopping is not None and stopping.is_set()) or trial.stop(state)

    return Retrying(
        sleep=sleep, stop=stop, wait=trial.wait, retry=retry_if_result(trial.again), retry_error_callback=_result
    )


def async_retrying(trial: Trial, sleep: Callable[[float], Awaitable[None]]) -> AsyncRetrying:
    """Set tenacity up for an awaited driver, by the same rules."""
    return AsyncRetrying(
        sleep=sleep, stop=trial.stop, wait=trial.wait, retry=retry_if_result(trial.again), retry_error_callback=_result
    )


def _result(state: RetryCallState) -> Result:
    assert state.outcome is not None
    result: Result = state.outcome.result()
    return result
