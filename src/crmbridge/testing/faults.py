"""What may go wrong at a vendor, as a plan of rules that gives the same faults for the same seed.

A rule says which fault, how often, and for which requests. Rules come from text (`F04@0.1,F07:3/POST /services`) or
from methods that say what they do (`lose_answer`, `throttle`). A fault that does not depend on the vendor (a lost
answer, a broken body) is performed by the server; for the others a fake asks `fires` where the vendor would show them.
"""

import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal

import attrs
import httpx

GENERAL: frozenset[str] = frozenset({"F03", "F04", "F05", "F07", "F08", "F09", "F10"})
"""The faults that every fake shows, since no vendor's rule is needed for them."""

FORM = "ID[@probability][:count][/METHOD PATH-PREFIX], as in F04@0.1,F07:3/POST /services"

WAYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "F04": ("reset", "timeout"),
        "F07": ("silent", "seconds", "date", "absurd", "daily"),
        "F08": (
            *(f"{status} {moment}" for status in (500, 502, 503, 504) for moment in ("before", "after")),
            "200 before",
        ),
        "F09": ("truncated", "type", "empty", "json"),
    }
)
"""The ways in which a fault shows; a rule that names none takes one by the plan's own random numbers."""

_RULE = re.compile(
    r"(?P<id>F\d\d)(?:@(?P<probability>[01]|[01]?\.\d+))?(?::(?P<times>\d+))?(?:/(?P<method>[A-Z]+|\*) (?P<path>/\S*))?"
)


@attrs.frozen
class Rule:
    """One fault, how often it comes, and the requests that it may meet."""

    id: str
    probability: float = 1.0
    times: int | None = None
    method: str = "*"
    path: str = "/"
    way: str = ""
    amount: float = 30.0
    """Seconds for a fault that waits (F05, F07), megabytes for one that swells (F10)."""
    at: int | None = None
    """Only at this occasion, counted from 1 since all was well; None: at any."""

    def meets(self, request: httpx.Request) -> bool:
        """Say whether this rule is about such a request."""
        return self.method in ("*", request.method) and request.url.path.startswith(self.path)


def parse(spec: str) -> tuple[Rule, ...]:
    """Read rules from the text that `--faults` takes.

    Raises ValueError that names the part which cannot be read, and shows the form.
    """
    return tuple(_rule(part.strip()) for part in spec.split(",") if part.strip())


def _rule(part: str) -> Rule:
    found = _RULE.fullmatch(part)
    probability = float(found["probability"] or 1) if found else 0.0
    if not found or probability > 1:
        raise ValueError(f"{part!r} is no fault rule; the form is {FORM}")
    times = int(found["times"]) if found["times"] else None
    return Rule(found["id"], probability, times, found["method"] or "*", found["path"] or "/")


class FaultPlan:
    """Which faults a fake will show, in an order that depends on the seed and on nothing else.

    `fired` counts what came true: a plan whose faults never fired has proved nothing.
    """

    def __init__(self, rules: Iterable[Rule] = (), *, seed: int = 0, offered: frozenset[str] = GENERAL) -> None:
        self._random = random.Random(seed)
        self._offered = offered
        self._rules: list[Rule] = []
        self._left: list[int | None] = []
        self._occasions: Counter[str] = Counter()
        self.fired: Counter[str] = Counter()
        self.struck: list[tuple[str, int, str]] = []
        """What came true since all was well: the fault, its occasion, and its way."""
        for rule in rules:
            self.plan(rule)

    @property
    def planned(self) -> bool:
        """Say whether there is any rule, one that is used up included."""
        return bool(self._rules)

    def plan(self, rule: Rule) -> None:
        """Add one rule; raises ValueError for a fault that this fake cannot show."""
        if rule.id not in self._offered:
            raise ValueError(
                f"{rule.id!r} is no fault of this fake; it shows {', '.join(sorted(self._offered))}; the form is {FORM}"
            )
        self._rules.append(rule)
        self._left.append(rule.times)

    def add(self, spec: str) -> None:
        """Add rules from text; raises ValueError as `parse` and `plan` do."""
        for rule in parse(spec):
            self.plan(rule)

    def clear(self) -> None:
        """Let everything go well from here on."""
        self._rules.clear()
        self._left.clear()
        self._occasions.clear()
        self.struck.clear()

    def strike(self, id: str, request: httpx.Request) -> Rule | None:
        """Use up one occasion of a fault, and give its rule with the way decided; None when all goes well."""
        self._occasions[id] += 1
        for at, rule in enumerate(self._rules):
            if rule.id != id or self._left[at] == 0 or not rule.meets(request):
                continue
            if rule.at not in (None, self._occasions[id]):
                continue
            if rule.probability < 1 and self._random.random() >= rule.probability:
                continue
            left = self._left[at]
            self._left[at] = None if left is None else left - 1
            self.fired[id] += 1
            way = rule.way or (self._random.choice(WAYS[id]) if id in WAYS else "")
            self.struck.append((id, self._occasions[id], way))
            return rule if way == rule.way else attrs.evolve(rule, way=way)
        return None

    def fires(self, id: str, request: httpx.Request) -> bool:
        """Ask, at the place where the vendor would show it, whether a fault happens now."""
        return bool(self._rules) and self.strike(id, request) is not None

    def refuse_connection(self, *, to: str = "*", path: str = "/", times: int = 1) -> None:
        """Be unreachable: nothing is applied (F03)."""
        self.plan(Rule("F03", times=times, method=to, path=path))

    def lose_answer(
        self, *, to: str = "*", path: str = "/", times: int = 1, way: Literal["reset", "timeout"] = "timeout"
    ) -> None:
        """Apply the request, then say nothing: the client cannot know (F04)."""
        self.plan(Rule("F04", times=times, method=to, path=path, way=way))

    def apply_late(self, *, seconds: float = 30.0, to: str = "*", path: str = "/", times: int = 1) -> None:
        """Say nothing now and apply the request some seconds later by the fake's clock, or when it settles (F05)."""
        self.plan(Rule("F05", times=times, method=to, path=path, amount=seconds))

    def throttle(
        self,
        *,
        to: str = "*",
        path: str = "/",
        times: int = 1,
        way: Literal["silent", "seconds", "date", "absurd", "daily"] = "seconds",
        seconds: float = 1.0,
    ) -> None:
        """Refuse for going too fast, before applying (F07).

        The way says what `Retry-After` holds; `daily` is the refusal for the day's quota.
        """
        self.plan(Rule("F07", times=times, method=to, path=path, way=way, amount=seconds))

    def fail(self, status: int = 503, *, applied: bool = False, to: str = "*", path: str = "/", times: int = 1) -> None:
        """Answer with an HTML error page, before or after the request was applied; status 200 is possible (F08)."""
        self.plan(Rule("F08", times=times, method=to, path=path, way=f"{status} {'after' if applied else 'before'}"))

    def damage(
        self, way: Literal["truncated", "type", "empty", "json"], *, to: str = "*", path: str = "/", times: int = 1
    ) -> None:
        """Apply the request, then spoil the body of the answer (F09)."""
        self.plan(Rule("F09", times=times, method=to, path=path, way=way))

    def swell(self, megabytes: float = 100.0, *, to: str = "*", path: str = "/", times: int = 1) -> None:
        """Answer with a small gzip body that inflates to this many megabytes (F10)."""
        self.plan(Rule("F10", times=times, method=to, path=path, amount=megabytes))
