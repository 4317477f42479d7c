"""Search longer than an ordinary run does: part after part, each time with seeds that were not looked at yet.

    python tests/deep/search.py [--minutes N] [PART ...]

What was searched stands in `results.jsonl` beside this file, one line a round, under the text of the package that was
tested: a search goes on where the last one ended, and a change of the package begins a new one. The part that has had
the least time comes next. A part that has begun is finished, so the last one may end late; one that took longer than
what is left does not begin. A round that does not hold ends the search with exit status 1.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

ROOT = Path(__file__).resolve().parents[2]
RESULTS = Path(__file__).with_name("results.jsonl")


@attrs.frozen
class Part:
    """One kind of search: its tests, and how much one round of them is."""

    tests: tuple[str, ...]
    unit: str
    """What is counted, as in "seeds"."""
    amount: int
    """Of a round."""
    switch: str = ""
    """The variable that says how much; without one the tests ask for Hypothesis' profile `deep`."""
    first: str = ""
    """The variable that says from which number on."""

    def round(self, number: int) -> tuple[list[str], dict[str, str]]:
        """Give the arguments and variables of a round."""
        much = {self.switch: str(self.amount)} if self.switch else {"CRMBRIDGE_DEEP": "1"}
        more = {self.first: str(number * self.amount)} if self.first else {}
        return ["--hypothesis-profile=deep", f"--hypothesis-seed={number}", *self.tests], {**much, **more}

    @property
    def ordinary(self) -> int | None:
        """Tell how much an ordinary run does, as the tests themselves say it."""
        files = [ROOT / test for test in self.tests if (ROOT / test).is_file()]
        told = [re.search(rf'environ\.get\("{self.switch}", "(\d+)"\)', file.read_text("utf-8")) for file in files]
        return next((int(found[1]) for found in told if found is not None), None) if self.switch else None


SEEDS, FIRST = "CRMBRIDGE_SEEDS", "CRMBRIDGE_FIRST_SEED"

PARTS: Mapping[str, Part] = {
    "simulated lives": Part(("tests/engine/test_simulation.py",), "seeds", 1_000, SEEDS, FIRST),
    "lives on a file and on a server": Part(
        ("tests/engine/test_simulation.py",), "seeds", 100, "CRMBRIDGE_TRACES", FIRST
    ),
    "state machine": Part(("tests/engine/test_machine.py",), "histories of 100 steps", 5_000),
    "stores compared": Part(("tests/stores/test_differential.py",), "lives", 100, "CRMBRIDGE_EXAMPLES"),
    "a user's pipeline, simulated": Part(("tests/simulate/test_simulate.py",), "seeds", 300, SEEDS, FIRST),
    "ready-made pairs, simulated": Part(("tests/cli/test_simulate.py",), "seeds", 200, SEEDS, FIRST),
    "planned decisions": Part(("tests/core/test_planner_laws.py",), "searches", 1),
    "crashes": Part(("tests/engine/test_crashes.py", "tests/engine/test_crashes_of_families.py"), "searches", 1),
    "planted defects": Part(("tests/planted",), "searches", 1, "CRMBRIDGE_ALL"),
    "killed processes": Part(("tests/processes",), "searches", 1),
    "power cuts": Part(("tests/stores/test_sqlite_power.py",), "searches", 1),
    "two workers": Part(("tests/engine/test_two_workers.py", "tests/drive/test_drive_tokens.py"), "searches", 1),
    "long lives": Part(("tests/engine/test_long_life.py",), "searches", 1),
    "garbled answers": Part(("tests/adapters/test_garbled_answers.py",), "searches", 1),
    "bytes of strangers": Part(("tests/fuzz",), "searches", 1),
    "strangers and fakes": Part(("tests/respond",), "searches", 1),
}
"""What can be searched; a part whose tests are not here is passed over."""


def here() -> Mapping[str, Part]:
    """Give the parts whose tests are here."""
    return {name: part for name, part in PARTS.items() if all((ROOT / test).exists() for test in part.tests)}


def tested() -> str:
    """Name the package as it stands, by its text."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "src" / "crmbridge").rglob("*.py")):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def commit() -> str:
    """Name the last commit of the package, with a `+` where it was changed since."""
    asked = ["git", "-C", str(ROOT), "log", "-1", "--format=%h", "--", "src/crmbridge"]
    last = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    asked = ["git", "-C", str(ROOT), "status", "--porcelain", "--", "src/crmbridge"]
    return last + ("+" if subprocess.run(asked, capture_output=True, text=True, check=False).stdout else "")


def rounds(results: Path) -> list[dict[str, Any]]:
    """Read what was searched."""
    return [json.loads(line) for line in results.read_text("utf-8").splitlines()] if results.exists() else []


def upcoming(parts: Mapping[str, Part], kept: Sequence[Mapping[str, Any]], of: str, left: float) -> str | None:
    """Name the part that has had the least time of those that fit into the seconds left; None where none does."""
    spent = {name: [one["seconds"] for one in kept if one["part"] == name and one["tested"] == of] for name in parts}
    longest = {name: max((one["seconds"] for one in kept if one["part"] == name), default=0.0) for name in parts}
    fitting = [name for name in parts if longest[name] <= left]
    return min(fitting, key=lambda name: sum(spent[name]), default=None)


def searched(name: str, part: Part, number: int, of: str) -> dict[str, Any]:
    """Run one round of a part; give the line that tells of it."""
    arguments, variables = part.round(number)
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    status = subprocess.run(command, cwd=ROOT, env=os.environ | variables, check=False).returncode
    return {
        "part": name, "tested": of, "commit": commit(), "on": dt.date.today().isoformat(), "round": number,
        "amount": part.amount, "unit": part.unit, "seconds": round(time.monotonic() - began), "held": status == 0,
    }  # fmt: skip


def search(parts: Mapping[str, Part], results: Path, seconds: float) -> Iterator[dict[str, Any]]:
    """Search until time is up or something is found; each line is kept before it is given."""
    of, ends = tested(), time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        kept = rounds(results)
        name = upcoming(parts, kept, of, left)
        if name is None:
            return
        number = sum(one["part"] == name and one["tested"] == of for one in kept)
        line = searched(name, parts[name], number, of)
        with results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        yield line
        if not line["held"]:
            return


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Search longer than an ordinary run does.")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(here()))
    told = parser.parse_args(arguments)
    if unknown := [name for name in told.parts if name not in here()]:
        parser.error(f"no part {unknown[0]!r}; there are {', '.join(here())}")
    parts = {name: part for name, part in here().items() if name in told.parts or not told.parts}
    for line in search(parts, RESULTS, told.minutes * 60):
        print(f"{line['part']}, round {line['round']}: {'held' if line['held'] else 'FOUND SOMETHING'}", flush=True)
        if not line["held"]:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
