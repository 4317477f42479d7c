"""What it costs to import crmbridge, beside what it costs to import httpx.

    python benchmarks/imports.py [--size IMPORTS] [--rounds N] [--strict]

Each import has an interpreter of its own, with byte code that the first round wrote; the bare interpreter's share is
taken off. `import crmbridge` must load none of the heavy packages, and where `two_way` takes longest is named.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile

import _rounds
import attrs
from _rounds import Bar, Case

HEAVY = frozenset({"httpx", "cattrs", "tenacity", "sqlite3"})


def children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@attrs.frozen
class Python:
    """Interpreters that keep their byte code in a folder of their own: what was compiled before does not count."""

    cache: str

    def __call__(self, program: str, *options: str) -> subprocess.CompletedProcess[str]:
        env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return subprocess.run(
            [sys.executable, *options, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env=env | {"PYTHONPYCACHEPREFIX": self.cache},
        )


def loaded(python: Python, program: str) -> set[str]:
    return set(python(f"{program}\nimport sys; print(*sys.modules)").stdout.split())


def slowest(python: Python, program: str, most: int) -> list[str]:
    """Name the modules whose own code took longest, with their microseconds."""
    took: list[tuple[int, str]] = []
    for line in python(program, "-X", "importtime").stderr.splitlines():
        own, _, name = line.removeprefix("import time:").split("|")
        if own.strip().isdigit():
            took.append((int(own), name.strip()))
    return [f"{name} {own}" for own, name in sorted(took, reverse=True)[:most]]


def main() -> int:
    given = _rounds.options(__doc__ or "", size=3, rounds=9)
    with tempfile.TemporaryDirectory() as cache:
        return compared(Python(cache), given)


def compared(python: Python, given: argparse.Namespace) -> int:
    def imported(name: str, program: str = "", against: str = "import httpx") -> Case:
        def work() -> None:
            for _ in range(given.size):
                python(program or name)

        return Case(name, "imports", given.size, work, against, seconds=children)

    two_way = "from crmbridge import two_way"
    cases = [
        imported("bare interpreter", "pass", against=""),
        imported("import httpx", against=""),
        imported("import crmbridge"),
        imported(two_way),
        imported("attrs, cattrs, httpx, tenacity", "import attrs, cattrs, httpx, tenacity"),
    ]
    for program in ("import crmbridge", two_way):
        heavy = sorted(HEAVY & loaded(python, program))
        print(f"{program} loads of the heavy packages: {', '.join(heavy) or 'none'}")
    print("slowest of their own (us):", ", ".join(slowest(python, two_way, 12)))
    bars = [Bar("import crmbridge", most=1.25), Bar(two_way, most=1.25)]
    return _rounds.run("imports", cases, bars, given, base="bare interpreter")


if __name__ == "__main__":
    raise SystemExit(main())
