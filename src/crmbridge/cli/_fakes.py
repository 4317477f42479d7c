"""The fakes from the command line: which there are, and serving some of them until somebody ends it."""

from __future__ import annotations

import gc
import importlib
import inspect
import json
import pkgutil
import signal
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any, cast

from ..errors import UsageError
from ..testing import fakes
from ..testing.faults import parse
from ..testing.server import FakeServer

SALESFORCE, ACCOUNT_ENGAGEMENT = "salesforce", "account-engagement"


def names() -> list[str]:
    """Name the fakes that there are, by their modules."""
    found = (module.name for module in pkgutil.iter_modules(fakes.__path__))
    return sorted(name.replace("_", "-") for name in found if not name.startswith("_"))


def made(wanted: Iterable[str], *, now: Callable[[], datetime] | None = None, seed: int = 0) -> dict[str, FakeServer]:
    """Make fakes by name; raises `UsageError` that lists the names for one that there is not.

    Where Salesforce and Account Engagement are both wanted, the tokens of the first open the second, as in real life,
    and both name the same business unit.
    """
    asked = list(dict.fromkeys(wanted))
    if unknown := [name for name in asked if name not in names()]:
        raise UsageError(f"there is no fake called {unknown[0]!r}; there are {', '.join(names())}")
    built: dict[str, FakeServer] = {}
    for name in sorted(asked, key=lambda name: name == ACCOUNT_ENGAGEMENT):
        more: dict[str, Any] = {}
        if name == ACCOUNT_ENGAGEMENT and (org := built.get(SALESFORCE)):
            more["accepts"] = getattr(org, "accepts", None)
            more["business_unit_id"] = org.credentials["business_unit_id"]
        built[name] = _class_of(name)(now=now, seed=seed, **more)
    return {name: built[name] for name in asked}


def _class_of(name: str) -> type[FakeServer]:
    module = importlib.import_module(f"{fakes.__name__}.{name.replace('-', '_')}")
    [found] = [
        one
        for title, one in inspect.getmembers(module, inspect.isclass)
        if title.startswith("Fake") and one is not FakeServer and issubclass(one, FakeServer)
    ]
    return found


def describe(name: str) -> str:
    """Give the OpenAPI description of a fake as JSON; raises `UsageError` that lists the names for an unknown one."""
    return json.dumps(made([name])[name].description(), ensure_ascii=False, indent=1)


def introduce_users(served: Mapping[str, FakeServer]) -> None:
    """Let the users of Salesforce be users of Account Engagement too, as its user sync does."""
    if not {SALESFORCE, ACCOUNT_ENGAGEMENT} <= served.keys():
        return
    unit = served[ACCOUNT_ENGAGEMENT]
    known = {user["salesforceId"] for user in unit.rows("user")}
    for user in served[SALESFORCE].rows("User"):
        if user["Id"] not in known:
            unit.put(
                "user",
                email=user["Email"],
                username=user["Username"],
                firstName=user["FirstName"],
                lastName=user["LastName"],
                salesforceId=user["Id"],
            )


def serve(
    wanted: Sequence[str],
    *,
    port: int,
    data: Path | None,
    faults: str,
    seed: int,
    tls: bool,
    say: Callable[[str], None],
) -> None:
    """Serve fakes on loopback until SIGINT or SIGTERM; *say* is told one line of JSON once all of them listen.

    Raises `UsageError` for an unknown name, for data and for faults that cannot be used, `OSError` for a port that
    cannot be had.
    """
    ended = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ended.set()

    # Whoever starts us may end us at any moment from now on.
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, end)
    served = made(wanted, seed=seed)
    _load(served, data)
    _arm(served, faults)
    collect_seldom()
    with ExitStack() as stack:
        told: dict[str, dict[str, Any]] = {}
        for number, (name, fake) in enumerate(served.items()):
            base = stack.enter_context(fake.serve(port + number if port else 0, tls=tls))
            told[name] = {"base_url": base, "credentials": dict(fake.credentials)}
            if tls:
                told[name]["ca"] = fake.ca_pem
        say(json.dumps(told))
        # A wait without end would not be woken by a signal on every system.
        while not ended.wait(0.5):
            pass


def collect_seldom() -> None:
    """Let the garbage collector of a process that only serves look seldom, and never at what is there already.

    A fake keeps all that it is told, so each look goes through every record and finds nothing: under load that costs
    a third of the time. Records form no cycles; a request that failed may, and those are still found.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


def _load(served: Mapping[str, FakeServer], data: Path | None) -> None:
    """Arrange what a file says; Salesforce first, since its users may own what the others hold."""
    lines = () if data is None else _lines(data)
    for name in sorted(served, key=lambda name: name != SALESFORCE):
        if name == ACCOUNT_ENGAGEMENT:
            introduce_users(served)
        try:
            served[name].load(lines)
        except ValueError as wrong:
            raise UsageError(f"{data}: {wrong}") from wrong


def _lines(data: Path) -> Sequence[str]:
    """Read the lines of a file, each of them for a fake that there is."""
    try:
        lines = data.read_text("utf-8-sig").split("\n")
    except OSError as wrong:
        raise UsageError(f"{data} cannot be read: {wrong.strerror}") from wrong
    except UnicodeDecodeError as wrong:
        raise UsageError(f"{data} cannot be read: it is not UTF-8") from wrong
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            item: object = json.loads(line)
        except ValueError as wrong:
            raise UsageError(f"{data}: line {number}: {wrong}") from wrong
        fake = cast("dict[str, object]", item).get("fake") if isinstance(item, dict) else None
        if fake not in names():
            raise UsageError(f"{data}: line {number}: {fake!r} is no fake; there are {', '.join(names())}")
    return lines


def _arm(served: Mapping[str, FakeServer], faults: str) -> None:
    """Plan faults at every fake that can show them; one that none can show is refused."""
    try:
        for rule in parse(faults):
            willing = [fake for fake in served.values() if rule.id in fake.shows]
            for fake in willing or served.values():
                fake.faults.plan(rule)
    except ValueError as wrong:
        raise UsageError(f"--faults: {wrong}") from wrong
