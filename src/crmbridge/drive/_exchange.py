"""One try of a request as a flow, and what both drivers share around it.

A try asks for more than a flow of an adapter may: to send bytes, to hold one of the places of a system, to be the only
one who renews a token. So everything is decided here, once, and each driver waits in its own way.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Generator, Sequence
from typing import Any, Never, TypeAlias, TypeVar, cast

import attrs
import httpx

from ..credentials import ClientCredentials, PasswordGrant, Refresh, TokenCredential
from ..errors import NoFlow, Throttled
from ..flow import Account, Call, Done, Effect, Flow, Pause, Request, step
from ..protocols import Clock, Event, Observer
from ..roles import StateStore, Token, Tokens
from ._credentials import DriverTokens, bearer_entry, plain_entry, renewed, token_key, usable
from ._http import Entry, Shape
from ._intake import Answer, Intake, Result
from ._origin import Origin
from ._retry import SLOW_DOWN, Allowance, Trial
from ._throttle import LONGEST, UNLIMITED, DriverBudgets, retry_after

T = TypeVar("T")


@attrs.frozen
class Send:
    """Put these bytes on the wire and take the answer in."""

    wire: httpx.Request = attrs.field(repr=False)
    origin: Origin
    intake: Intake = attrs.field(repr=False)
    timeout: float


@attrs.frozen
class InTurn:
    """Run a flow while holding one of the places that a system has for us."""

    system: str
    places: int
    flow: Steps[Result] = attrs.field(repr=False)


@attrs.frozen
class Alone:
    """Run a flow as the only one who renews this token; it is told the latest token."""

    key: str
    flow: Callable[[Token | None], Flow[Token]] = attrs.field(repr=False)


Inner: TypeAlias = "Effect | Send | InTurn | Alone"
"""What a driver performs: the four effects of a flow and the three of a try."""

Steps: TypeAlias = "Generator[Inner, Any, T]"


def advance(steps: Steps[T], answer: Any = None, *, error: BaseException | None = None) -> Inner | Done[T]:
    """Advance a try as `step` advances a flow: it only knows more effects."""
    return step(cast("Flow[T]", steps), answer, error=error)


def no_effect(yielded: Never) -> NoFlow:
    """Make the error for what a flow yielded: the types rule it out, and a connector may do it all the same."""
    return NoFlow(
        f"a flow yields {type(yielded).__name__}, which is no effect: it yields Request, Pause, Call and Gather, and "
        "returns what it was called for"
    )


def values(ended: Sequence[Done[T] | Exception]) -> list[T]:
    """Give the values of flows that have ended, in order; raises the first error."""
    for one in ended:
        if isinstance(one, Exception):
            raise one
    return [one.value for one in ended if isinstance(one, Done)]


class Exchange:
    """What a driver knows, however it waits: budgets, tokens, chance, and how much may still be repeated."""

    def __init__(self, store: StateStore | None, clock: Clock, seed: int | None, observer: Observer | None) -> None:
        self.clock = clock
        self.tokens: Tokens = DriverTokens() if store is None else store.tokens
        self._store = store
        self._budgets = DriverBudgets()
        self._chance = random.Random(seed)  # noqa: S311 - spreads waits, guards nothing
        self._allowance = Allowance()
        self._observer = observer
        self._shown: dict[str, Token] = {}
        """The tokens in use, so that the store is asked for one that is missing, old or refused, and not each time."""

    def keeping(self, store: StateStore | None) -> Exchange:
        """Keep tokens and budgets in this store, unless one was given; all else stays the driver's own."""
        if store is None or self._store is not None:
            return self
        kept = copy.copy(self)
        kept.tokens, kept._store, kept._shown = store.tokens, store, {}
        return kept

    def trial(self, request: Request) -> Trial:
        """Begin with a request."""
        return Trial(request, self.clock, self._chance, self._allowance, self._observer)

    def attempt(self, trial: Trial, shape: Shape) -> Steps[Result]:
        """Send a request once; where its token is refused, once more with a new one.

        A 401 was surely not processed, so even a request that is not safe to repeat is sent again.
        """
        account = trial.request.account
        credential = account.credential if shape.target.own else None
        if not isinstance(credential, ClientCredentials | Refresh | PasswordGrant):
            return (yield from self._in_turn(trial.request, shape, plain_entry(credential)))
        token = yield from self._token(account, credential, None)
        result = yield from self._in_turn(trial.request, shape, bearer_entry(token.value))
        if isinstance(result, Answer) and result.status == 401 and not trial.renewed:
            trial.renewed = True
            token = yield from self._token(account, credential, token)
            result = yield from self._in_turn(trial.request, shape, bearer_entry(token.value))
        return result

    # -- tokens ---------------------------------------------------------------------

    def _token(self, account: Account, credential: TokenCredential, refused: Token | None) -> Steps[Token]:
        """Give a token that may be shown; *refused* is one that the system does not take any more."""
        key = token_key(account, credential)

        def fits(token: Token | None) -> bool:
            return usable(token, self.clock.now()) and token != refused

        def renew(latest: Token | None) -> Flow[Token]:
            if latest is not None and fits(latest):
                return latest
            token = yield from renewed(account, credential, self.tokens, latest, self.clock.now())
            self._tell("token_renewed", system=account.system, serial=token.serial)
            return token

        token = self._shown.get(key)
        if token is None or not fits(token):
            token = yield Alone(key, renew)
            self._shown[key] = token
        return token

    # -- pace -----------------------------------------------------------------------

    def _in_turn(self, request: Request, shape: Shape, entry: Entry) -> Steps[Result]:
        account = request.account
        result: Result = yield InTurn(account.system, account.concurrency, self._paced(request, shape, entry))
        return result

    def _paced(self, request: Request, shape: Shape, entry: Entry) -> Steps[Result]:
        # The place is taken before the budget is asked: who waits for a place would send later than he paid for.
        account = request.account
        wait = yield from self._spend(request)
        if wait > LONGEST:
            raise Throttled(account.system, f"the budget of {request.lane} is used up for {wait:.0f} seconds")
        if wait > 0:
            self._tell("budget_waited", system=account.system, lane=request.lane, wait_ms=round(wait * 1000))
            yield Pause(wait)
        intake = Intake(self.clock, account.timeout, account.max_bytes, request.into)
        result: Result = yield Send(shape.wire(entry), shape.target.origin, intake, account.timeout)
        if isinstance(result, Answer) and result.status in SLOW_DOWN:
            asked = retry_after(result.headers, self.clock.now())
            if asked:
                yield from self._hold(request, asked)
        return result

    def _spend(self, request: Request) -> Steps[float]:
        system, lane = request.account.system, request.lane
        budget = request.account.budgets.get(lane)
        if budget is None or self._store is None:
            return self._budgets.spend(system, lane, budget or UNLIMITED, request.cost, self.clock.monotonic())
        shared, now = self._store.budgets, self.clock.now().timestamp()
        wait: float = yield Call(lambda: shared.spend(system, lane, budget, request.cost, now))
        return wait

    def _hold(self, request: Request, seconds: float) -> Steps[None]:
        system, lane = request.account.system, request.lane
        if lane not in request.account.budgets or self._store is None:
            self._budgets.hold(system, lane, self.clock.monotonic() + seconds)
        else:
            shared, until = self._store.budgets, self.clock.now().timestamp() + seconds
            yield Call(lambda: shared.hold(system, lane, until))

    def _tell(self, name: str, **facts: str | int) -> None:
        if self._observer is not None:
            self._observer.saw(Event(name, facts))
