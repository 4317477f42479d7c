"""Simulating a ready-made pair from the command line: seeds, figures, what was reached, and stories of what broke."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Callable
from difflib import get_close_matches
from typing import cast

import attrs

from ..errors import UsageError
from ..pipeline import Pipeline
from ..testing import worlds
from ..testing.simulation import SimWorld, simulate
from ..wording import Language


@attrs.frozen
class Simulated:
    """How a blueprint is simulated."""

    build: Callable[[SimWorld], Pipeline]
    world: Callable[[int], SimWorld]


def names() -> list[str]:
    """Name the blueprints that can be simulated, by the modules of their worlds."""
    found = (module.name for module in pkgutil.iter_modules(worlds.__path__))
    return sorted(name for name in found if not name.startswith("_"))


def world_of(name: str) -> Simulated:
    """Find how a blueprint is simulated; raises `UsageError` with the nearest names for one that there is not."""
    known, asked = names(), name.replace("-", "_")
    if asked not in known:
        near = get_close_matches(asked, known, n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}"
        raise UsageError(f"no blueprint called {name!r} can be simulated; {hint}")
    module = importlib.import_module(f"{worlds.__name__}.{asked}")
    return Simulated(
        cast("Callable[[SimWorld], Pipeline]", module.build), cast("Callable[[int], SimWorld]", module.world)
    )


def run(name: str, *, seeds: int, first: int, crashes: bool, as_json: bool, language: Language) -> int:
    """Simulate a blueprint and print what came of it; gives 1 where a law was broken or something stayed out of reach."""
    how = world_of(name)
    report = simulate(how.build, how.world, seeds=seeds, first=first, crashes=crashes)
    print(json.dumps(report.as_json(), ensure_ascii=False) if as_json else report.say(language))
    return 0 if report.ok else 1
