"""Search longer than an ordinary run does: part after part, each time with seeds that were not looked at yet.

    python tests/deep/search.py [--minutes N] [PART ...]

What was searched stands in `results.jsonl` beside this file, one line a round, under the code of the package that was
tested: a search goes on where the last one ended, and a change of the code begins a new one. How much it was is what
the tests have counted themselves. A round takes some minutes, so that a search can be cut off at any time. Of the parts
that have not come to their target, the one that has had the least time comes next; one whose longest round does not fit
into what is left does not begin. A round that does not hold ends the search with exit status 1.
"""

from __future__ import annotations

import argparse
import ast
import datetime as dt
import hashlib
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import attrs

ROOT = Path(__file__).resolve().parents[2]
RESULTS = Path(__file__).with_name("results.jsonl")


@attrs.frozen
class Part:
    """One kind of search: its tests, how much one round of them is, and how much is meant to be done."""

    test: str
    unit: str
    """What is counted, as in "seeds"; the tests tell how many, by `record_property`."""
    amount: int
    """Of a round."""
    target: int
    switch: str
    """The variable that says how much."""
    more: Mapping[str, int] = attrs.field(factory=dict[str, int])
    """Further targets, by what is counted."""
    needs: str = ""
    """A package that the development environment does not have: an ordinary run passes it over."""
    always: bool = False
    """An ordinary run does all of it."""

    @property
    def file(self) -> Path:
        """The file or folder of the tests."""
        return ROOT / self.test.partition("::")[0]

    @property
    def here(self) -> bool:
        """Say whether the tests are here, and what they need."""
        return self.file.exists() and (not self.needs or importlib.util.find_spec(self.needs) is not None)

    @property
    def targets(self) -> Mapping[str, int]:
        """What is meant to be done, by what is counted."""
        return {self.unit: self.target, **self.more}

    def round(self, number: int) -> tuple[list[str], dict[str, str]]:
        """Give the arguments and variables of a round."""
        told = {self.switch: str(self.amount), FIRST: str(number * self.amount), "CRMBRIDGE_ALL": "1"}
        return ["--hypothesis-profile=deep", f"--hypothesis-seed={number}", self.test], told

    def told(self, line: Mapping[str, Any]) -> Counter[str]:
        """Tell what a round has counted, of what there are targets for."""
        every = {**line.get("more", {}), line["unit"]: line["amount"]}
        return Counter({unit: every.get(unit, 0) for unit in self.targets})

    def done(self, lines: Sequence[Mapping[str, Any]]) -> bool:
        """Say whether rounds come to the target together."""
        counted = sum((self.told(line) for line in lines), Counter[str]())
        return all(counted[unit] >= target for unit, target in self.targets.items())

    @property
    def ordinary(self) -> int | None:
        """Tell how much an ordinary run does, as the tests themselves say it; None: nothing of the kind."""
        if self.always or self.needs or not self.file.exists():
            return self.target if self.always else None
        told = re.search(rf'environ\.get\("{self.switch}", "(\d+)"\)', self.file.read_text("utf-8"))
        return int(told[1]) if told is not None else None


FIRST = "CRMBRIDGE_FIRST_SEED"
"""The variable that says from which number on."""

_LIVED = "tests/engine/test_simulation.py::test_"
_CRASHED = "tests/engine/test_crashes_in_pairs.py::test_"
_STRUCK = "tests/processes/test_killed_workers.py::test_"
_STORED = "tests/stores/test_"


TARGETS = sorted(path.stem for path in (ROOT / "fuzz").glob("[!_]*.py"))
"""The parsers that bytes are thrown at."""


def _struck(name: str, test: str, switch: str, target: int) -> Mapping[str, Part]:
    """Strike processes whose state is in a file, and in a database; a hundred rounds at a time."""
    return {
        f"{name}, state in a file": Part(f"{_STRUCK}{test}[sqlite]", "rounds", 100, target, switch),
        f"{name}, state on a server": Part(f"{_STRUCK}{test}[postgres]", "rounds", 100, target, f"{switch}_SERVER"),
    }


def _planted() -> int:
    """Count the defects that can be planted."""
    bodies = (ast.parse(path.read_text("utf-8")).body for path in (ROOT / "tests" / "planted").glob("*.py"))
    tables = (node.value for body in bodies for node in body if isinstance(node, ast.Assign)
              and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "PLANTS")  # fmt: skip
    return sum(len(table.keys) for table in tables if isinstance(table, ast.Dict))


def _fuzzed(target: str) -> Part:
    """Let atheris throw bytes at a parser for ten minutes."""
    test = f"tests/fuzz/test_targets.py::test_atheris_finds_nothing[{target}]"
    return Part(test, "seconds", 600, 600, "CRMBRIDGE_FUZZ", needs="atheris")


PARTS: Mapping[str, Part] = {
    "simulated lives": Part(
        f"{_LIVED}no_seed_breaks_an_invariant_and_together_they_reach_everything", "seeds", 1_000, 10_000,
        "CRMBRIDGE_SEEDS", {"operations": 1_000_000},
    ),
    "lives on a file and on a server": Part(
        f"{_LIVED}the_same_seed_leaves_the_same_trace_on_a_file_and_on_a_server", "seeds", 200, 5_000, "CRMBRIDGE_TRACES"
    ),
    "state machine": Part(
        "tests/engine/test_machine.py::test_no_history_breaks_an_invariant", "histories", 500, 5_000,
        "CRMBRIDGE_HISTORIES",
    ),
    "stores compared": Part(
        f"{_STORED}differential.py::test_a_file_and_a_server_give_the_same_answers", "lives", 250, 5_000,
        "CRMBRIDGE_EXAMPLES",
    ),
    "a user's pipeline, simulated": Part(
        "tests/simulate/test_simulate.py", "seeds", 900, 9_000, "CRMBRIDGE_SEEDS", {"operations": 1_000_000}
    ),
    "ready-made pairs, simulated": Part("tests/cli/test_simulate.py", "seeds", 200, 2_000, "CRMBRIDGE_SEEDS"),
    "planned decisions": Part(
        "tests/core/test_planner_laws.py::test_many_large_cases_keep_every_law_in_whatever_company_their_fields_are",
        "cases", 250_000, 1_000_000, "CRMBRIDGE_CASES",
    ),
    "two crashes": Part(f"{_CRASHED}two_processes_may_die", "scenes", 5, 55, "CRMBRIDGE_PAIRS"),
    "two crashes, state in a file": Part(
        f"{_CRASHED}two_processes_may_die_with_their_state_in_a_file", "scenes", 1, 10, "CRMBRIDGE_PAIRS_FILE"
    ),
    "two crashes, state on a server": Part(
        f"{_CRASHED}two_processes_may_die_with_their_state_on_a_server", "pairs", 500, 5_000, "CRMBRIDGE_PAIRS_SERVER"
    ),
    "three crashes": Part(f"{_CRASHED}three_processes_may_die", "triples", 2_500, 10_000, "CRMBRIDGE_TRIPLES"),
    "planted defects": Part(
        "tests/planted/test_planted.py::test_a_planted_defect_is_caught", "defects", 40, _planted(),
        "CRMBRIDGE_DEFECTS",
        always=True,
    ),
    **_struck("a worker is killed", "a_worker_that_is_killed_anywhere_loses_and_doubles_nothing", "CRMBRIDGE_KILLS", 1_000),
    **_struck(
        "a worker is killed where nothing tells a copy",
        "without_any_key_a_killed_worker_leaves_a_record_to_a_person_at_worst_and_doubles_nothing",
        "CRMBRIDGE_UNKEYED", 300,
    ),
    **_struck(
        "one of two workers is killed", "two_workers_of_which_one_is_killed_lose_and_double_nothing",
        "CRMBRIDGE_SECONDS", 300,
    ),
    **_struck(
        "one of three workers is killed",
        "of_three_workers_one_is_killed_every_other_moment_and_another_goes_on_within_two_leases",
        "CRMBRIDGE_CREWS", 1_000,
    ),
    **_struck(
        "a worker is stopped", "a_worker_that_is_stopped_beyond_its_lease_commits_and_writes_nothing_when_it_wakes",
        "CRMBRIDGE_STOPS", 300,
    ),
    "power cuts": Part(
        f"{_STORED}sqlite_power.py::test_what_was_acknowledged_survives_a_power_loss_at_any_moment", "cuts", 2_500, 5_000,
        "CRMBRIDGE_CUTS",
    ),
    "immediate stops of a server": Part(
        f"{_STORED}postgres_faults.py::test_what_was_acknowledged_survives_immediate_stops_and_nothing_is_there_twice",
        "stops", 50, 200, "CRMBRIDGE_IMMEDIATE",
    ),
    "copies of a server's files": Part(
        f"{_STORED}postgres_power.py::test_what_was_acknowledged_is_in_a_copy_of_the_files_of_a_server_at_work",
        "copies", 50, 200, "CRMBRIDGE_COPIES",
    ),
    "damaged files": Part(
        f"{_STORED}sqlite_faults.py::test_a_file_with_bytes_that_flipped_is_a_state_error_at_worst", "files", 1_000,
        2_000, "CRMBRIDGE_FILES",
    ),
    "two workers in turns": Part(
        "tests/engine/test_two_workers.py::test_two_workers_in_any_order_lose_and_double_nothing", "orders", 5_000,
        10_000, "CRMBRIDGE_ORDERS",
    ),
    "tokens that end": Part(
        "tests/drive/test_drive_tokens.py"
        "::test_in_any_order_of_requests_and_revocations_each_revocation_costs_one_refresh",
        "orders", 5_000, 10_000, "CRMBRIDGE_REFRESHES",
    ),
    "a long life": Part(
        "tests/engine/test_long_life.py::test_the_state_grows_with_what_was_written_and_all_stays_in_step", "days", 365,
        365, "CRMBRIDGE_DAYS",
    ),
    "a long life, over HTTP": Part(
        "tests/blueprints/test_account_engagement_salesforce_long_life.py"
        "::test_hourly_runs_outlive_their_tokens_and_keep_people_in_step",
        "days", 365, 365, "CRMBRIDGE_DAYS",
    ),
    "garbled answers": Part(
        "tests/adapters/test_garbled_answers.py"
        "::test_an_answer_with_one_member_changed_is_read_or_refused_by_a_declared_error",
        "worlds", 1_000, 6_000, "CRMBRIDGE_GARBLED",
    ),
    "requests of strangers": Part(
        "tests/respond/test_requests.py"
        "::test_strangers_are_answered_as_described_and_write_what_they_are_told_they_wrote",
        "requests", 200, 118_000, "CRMBRIDGE_REQUESTS",
    ),
    "many rows": Part(
        "tests/drive/test_memory_bounds.py::test_many_rows_are_read_within_the_memory_of_a_page", "rows", 1_000_000,
        1_000_000, "CRMBRIDGE_ROWS",
    ),
    "bytes of strangers": Part(
        "tests/fuzz/test_targets.py::test_only_declared_errors_rise", "examples", 5_000, 200_000, "CRMBRIDGE_BYTES"
    ),
    **{f"fuzz: {target}": _fuzzed(target) for target in TARGETS},
}  # fmt: skip
"""What can be searched; a part whose tests, or what they need, are not here is passed over."""


class _Code(ast.NodeTransformer):
    """Leave out the text that nothing runs: docstrings."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str) else node


def tested() -> str:
    """Name the package as it stands, by its code: a word in a docstring or a comment begins no new search."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "src" / "crmbridge").rglob("*.py")):
        code = ast.dump(_Code().visit(ast.parse(path.read_bytes())))
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + code.encode() + b"\0")
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
    """Name the part that comes next of those that fit into the seconds left; None where none does."""
    mine = {name: [one for one in kept if one["part"] == name and one["tested"] == of] for name in parts}
    longest = {name: max((one["seconds"] for one in kept if one["part"] == name), default=0.0) for name in parts}
    fitting = [name for name in parts if longest[name] <= left]

    def order(name: str) -> tuple[bool, float]:
        return parts[name].done(mine[name]), sum(one["seconds"] for one in mine[name])

    return min(fitting, key=order, default=None)


def counted(said: Path) -> Counter[str]:
    """Add up what the tests of a round have counted, as pytest wrote it down."""
    found: Counter[str] = Counter()
    if said.exists():
        for one in ET.parse(said).iter("property"):
            if one.attrib["value"].isdigit():
                found[one.attrib["name"]] += int(one.attrib["value"])
    return found


def searched(name: str, part: Part, number: int, of: str) -> dict[str, Any]:
    """Run one round of a part; give the line that tells of it. A round that has counted nothing does not hold."""
    arguments, variables = part.round(number)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder) / "said.xml"
        counting = ["-o", "junit_family=xunit1", f"--junitxml={said}"]
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *counting, *arguments]
        status = subprocess.run(command, cwd=ROOT, env=os.environ | variables, check=False).returncode
        much = counted(said)
    amount = much.pop(part.unit, 0)
    return {
        "part": name, "tested": of, "commit": commit(), "on": dt.date.today().isoformat(), "round": number,
        "amount": amount, "unit": part.unit, "more": dict(sorted(much.items())),
        "seconds": round(time.monotonic() - began), "held": status == 0 and amount > 0,
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


def main(arguments: Sequence[str], every: Mapping[str, Part] = PARTS) -> int:
    parser = argparse.ArgumentParser(description="Search longer than an ordinary run does.")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(every))
    told = parser.parse_args(arguments)
    if unknown := [name for name in told.parts if name not in every]:
        parser.error(f"no part {unknown[0]!r}; there are {', '.join(every)}")
    chosen = {name: part for name, part in every.items() if name in told.parts or not told.parts}
    for name, part in chosen.items():
        if not part.here:
            print(f"{name}: passed over, {part.needs or 'its test'} is not here", flush=True)
    for line in search({name: part for name, part in chosen.items() if part.here}, RESULTS, told.minutes * 60):
        much = f"{line['amount']:,} {line['unit']} in {line['seconds']} s"
        print(
            f"{line['part']}, round {line['round']}: {'held' if line['held'] else 'FOUND SOMETHING'}, {much}",
            flush=True,
        )
        if not line["held"]:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
