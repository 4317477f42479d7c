"""Change one thing at a time in what plans, matches, recovers and quotes, and see whether a test notices.

    python tests/mutation/mutate.py [--minutes N] [GROUP or MODULE ...]

The tests of a group of modules are collected once, and run once to learn which of them passes which line. Then each
change is tried in a process that is forked from there: in it the code of the changed function is exchanged, and the
tests that pass its line run, the quickest first, until one fails. A change outside of functions is tried in a new
interpreter that imports the other module.

Results are written after each change: a run goes on where the last one ended, and tries again what survived without a
reason. A module that was changed begins anew, but for the reasons, which are written into the results by hand.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import attrs
from changes import Change, changes, nothing
from trying import NONE, PACKAGE, ROOT, Trying, calm

RESULTS = Path(__file__).with_name("results.json")


@attrs.frozen
class Group:
    """What is changed, and the tests that must notice."""

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]


MATCHING = ("_adoption", "_explain", "_join", "_keys", "_matcher", "_scored", "assign", "grades")
PLANNING = (
    "asked", "compare", "creation", "fields", "owners", "pairing", "raised", "recoded", "references", "refusing",
    "resolved", "rules", "same", "table",
)  # fmt: skip
RECOVERY = ("create", "recover", "decide", "halves", "gating", "merging", "removing", "remember")


def engine(*names: str) -> tuple[str, ...]:
    """Name files of tests of the engine."""
    return tuple(f"tests/engine/test_{name}.py" for name in names)


PAIRED = (
    "check", "crossing", "fields", "given", "nothing_lost", "planner_laws", "questions", "recoded", "refused", "same",
    "table",
)  # fmt: skip
PAIRS = tuple(f"tests/core/test_{name}.py" for name in PAIRED)
STORIES = engine(
    "adoption", "approved_plans", "cases", "changed_ends", "clocks", "decided_pairs", "deletions", "drift",
    "edited_retries", "fingerprints", "gaps", "guards", "halves", "listings", "made_parents", "made_records",
    "merged_and_moved", "odd_connectors", "plain_ids", "pointing", "raising_rules", "recovered_writes", "recovery",
    "references", "relinked", "restored_state", "rivals", "rulings", "sharing", "stories", "strikes", "survivors",
    "told", "twins", "unreadable", "what_guards_count", "why", "written",
)  # fmt: skip

GROUPS = (
    Group(
        "matching", tuple(f"match/{name}.py" for name in MATCHING), ("tests/core/match", "tests/core/test_stated.py")
    ),
    Group(
        "planning",
        tuple(f"plan/_{name}.py" for name in PLANNING),
        (*PAIRS, *engine("halves", "plain_ids", "pointing", "raising_rules", "references", "rulings", "sharing")),
    ),
    Group("recovery", tuple(f"_engine/_{name}.py" for name in RECOVERY), STORIES),
    Group("quoting", ("plain/separated.py",), ("tests/plain", "tests/shell")),
    Group("quoting", ("quarantine.py",), ("tests/shell", *engine("rulings"))),
    Group("quoting", ("adapters/salesforce/_soql.py",), ("tests/adapters",)),
    Group("quoting", ("kit/cursors.py",), ("tests/adapters/test_kit.py",)),
    Group("trying again", ("drive/_retry.py",), ("tests/drive",)),
)


class Results:
    """What is known of each module, in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.modules = self._read()

    def _read(self) -> dict[str, dict[str, Any]]:
        return json.loads(self._path.read_text("utf-8")) if self._path.exists() else {}

    def begin(self, module: str, source: str, some: Sequence[Change]) -> dict[str, Any]:
        """Give what is known of a module and its changes; an older text of it has left its reasons alone."""
        text = hashlib.sha256("\n".join([source, *(one.told for one in some)]).encode()).hexdigest()[:12]
        known = self.modules.get(module, {})
        if known.get("text") != text:
            whys = [one for one in (*known.get("survivors", ()), *known.get("reasons", ())) if one["why"]]
            known = {"tried": 0, "reasons": whys, "survivors": []}
        group = next((one.name for one in GROUPS if module in one.modules), "")
        told = {
            "group": group,
            "text": text,
            "commit": commit(module),
            "on": dt.date.today().isoformat(),
            "mutants": len(some),
        }
        return {**told, **{name: known[name] for name in ("tried", "reasons", "survivors") if name in known}}

    def keep(self, module: str, known: Mapping[str, Any]) -> None:
        """Write what is known of a module; of another one somebody else may have written meanwhile."""
        self.modules = self._read()
        self.modules[module] = dict(known)
        text = json.dumps(dict(sorted(self.modules.items())), indent=1, ensure_ascii=False) + "\n"
        beside = self._path.with_suffix(".new")
        beside.write_text(text, "utf-8")
        beside.replace(self._path)


def commit(module: str) -> str:
    """Name the last commit of a module, with a `+` where it was changed since."""
    path = str(PACKAGE / module)
    git = ["git", "-C", str(ROOT)]
    last = subprocess.run([*git, "log", "-1", "--format=%h", "--", path], capture_output=True, text=True, check=False)
    now = subprocess.run([*git, "status", "--porcelain", "--", path], capture_output=True, text=True, check=False)
    return last.stdout.strip() + ("+" if now.stdout else "")


def survivor(one: Change, reasons: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """Tell of a change that no test noticed."""
    why = next((old["why"] for old in reasons if (old["code"], old["change"]) == (one.code, one.told)), "")
    return {"line": one.line, "code": one.code, "change": one.told, "why": why}


def search(module: str, bench: Trying, *, results: Results, ends: float) -> None:
    """Try the changes of a module that were not tried yet, and those that survived without a reason."""
    source = (PACKAGE / module).read_text("utf-8")
    some = list(changes(source))
    if bench.notices(module, source, NONE, nothing(source)):
        raise SystemExit(f"{module}: its tests fail although nothing was changed")
    known = results.begin(module, source, some)
    survivors = {one["number"]: one for one in known["survivors"]}
    again = [number for number, one in survivors.items() if not one["why"]]
    for number in [*again, *range(known["tried"], len(some))]:
        if time.monotonic() > ends:
            break
        if bench.notices(module, source, number, some[number]):
            survivors.pop(number, None)
        else:
            survivors[number] = {"number": number, **survivor(some[number], known.get("reasons", ()))}
        known |= {"tried": max(known["tried"], number + 1), "survivors": [survivors[at] for at in sorted(survivors)]}
        results.keep(module, known)
    if known["tried"] == len(some):
        known.pop("reasons", None)
    results.keep(module, known)
    print(f"{module}: {known['tried']} of {len(some)} tried, {len(survivors)} survive", flush=True)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Change one thing at a time, and see whether a test notices.")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("what", nargs="*", help="groups or modules; all without any")
    told = parser.parse_args(arguments)
    ends = time.monotonic() + told.minutes * 60
    os.chdir(ROOT)
    benches = defaultdict[tuple[str, ...], list[str]](list)
    for group in GROUPS:
        benches[group.tests] += [one for one in group.modules if not told.what or {group.name, one} & {*told.what}]
    for tests, modules in benches.items():
        child = os.fork() if modules and time.monotonic() < ends else None  # it imports its own tests alone
        if child == 0:
            os._exit(calm(tests, Trying(modules, partial(search, results=Results(RESULTS), ends=ends))))
        if child is not None:
            os.waitpid(child, 0)
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "src"))
    sys.exit(main(sys.argv[1:]))
