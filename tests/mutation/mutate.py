"""Change one thing at a time in what plans, matches, recovers and quotes, and see whether a test notices.

    python tests/mutation/mutate.py [--minutes N] [MODULE ...]

Each change is tried in a process of its own, in which that one module is another; no file is written. What no test notices
is a survivor. Results are kept by the module's own text: a run goes on where the last one ended, and tries again what
survived; a module that was changed begins anew.
"""

from __future__ import annotations

import argparse
import ast
import copy
import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import attrs

ROOT = Path(__file__).resolve().parents[2]
RESULTS = Path(__file__).with_name("results.json")
PATIENCE = 5
"""How much longer than without a change the tests of one may take; a loop that never ends is noticed by that."""

FIELDS = ("tests/core/test_fields.py", "tests/core/test_crossing.py", "tests/core/test_policies.py")
STORIES = ("tests/engine/test_catalogue.py", "tests/engine/test_stories.py", "tests/engine/test_recovery.py")
MATCH = ("tests/core/match",)

TARGETS: Mapping[str, Sequence[str]] = {
    "adapters/salesforce/_soql.py": ("tests/adapters/test_salesforce_values.py", "tests/adapters/test_salesforce_writing.py"),
    "plan/_table.py": ("tests/core/test_table.py", "tests/engine/test_deletions.py"),
    "plan/_compare.py": FIELDS,
    "plan/_same.py": (*FIELDS, "tests/core/test_planner_laws.py"),
    "plan/_owners.py": (*FIELDS, "tests/engine/test_sharing.py"),
    "plan/_refusing.py": (*FIELDS, "tests/core/test_refused.py"),
    "plan/_creation.py": (*FIELDS, "tests/core/test_refused.py", "tests/engine/test_stories.py"),
    "plan/_rules.py": (*FIELDS, "tests/core/test_refused.py", "tests/core/test_given.py", "tests/core/test_check.py"),
    "plan/_fields.py": (*FIELDS, "tests/core/test_refused.py", "tests/engine/test_sharing.py", "tests/engine/test_gaps.py"),
    "plan/_pairing.py": (*FIELDS, "tests/core/test_refused.py", "tests/core/test_given.py", *STORIES),
    "match/_matcher.py": MATCH,
    "match/_adoption.py": MATCH,
    "match/_keys.py": MATCH,
    "match/_scored.py": MATCH,
    "match/assign.py": MATCH,
    "quarantine.py": ("tests/shell/test_quarantine.py",),
    "plain/separated.py": ("tests/plain/test_separated.py",),
    "_engine/_recover.py": (
        *STORIES, "tests/engine/test_gaps.py", "tests/engine/test_crashes.py", "tests/engine/test_approved_plans.py",
    ),
}  # fmt: skip
"""Modules of the package, and the tests that must notice; a folder or a file each, the quickest first."""

SWAPS: Mapping[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Add: ast.Sub, ast.Sub: ast.Add,
    ast.Mult: ast.Add, ast.And: ast.Or, ast.Or: ast.And, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
    ast.Continue: ast.Break,
}  # fmt: skip


@attrs.frozen
class Mutant:
    """One change: where, what stood there, what stands there now, and the whole module with it."""

    line: int
    told: str
    tree: ast.Module = attrs.field(repr=False, eq=False)


def mutants(source: str) -> Iterator[Mutant]:
    """Give each change of a module, in the order of its lines."""
    tree = ast.parse(source)
    spots = [spot for spot in ast.walk(_bare(tree)) if isinstance(spot, ast.expr | ast.stmt)]
    for number, spot in sorted(enumerate(spots), key=lambda one: (one[1].lineno, one[1].col_offset)):
        for way in range(_ways(spot)):
            changed = copy.deepcopy(tree)
            twin = [one for one in ast.walk(_bare(changed)) if isinstance(one, ast.expr | ast.stmt)][number]
            before = ast.unparse(twin).splitlines()[0]
            after = _change(twin, way)
            yield Mutant(spot.lineno, f"{before} → {after}", ast.fix_missing_locations(changed))


def _bare(tree: ast.Module) -> ast.Module:
    """Take what says nothing to the interpreter out of a module: types and docstrings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
            for arg in (*node.args.args, *node.args.kwonlyargs, *node.args.posonlyargs):
                arg.annotation = None
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
            node.body = [one for one in node.body if not _is_text(one)] or [ast.Pass()]
    return tree


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _ways(spot: ast.AST) -> int:
    match spot:
        case ast.Compare(ops=[op]) | ast.BoolOp(op=op) | ast.BinOp(op=op):
            return int(type(op) in SWAPS)
        case ast.Constant(value=bool() | int()):
            return 1
        case ast.If() | ast.IfExp() | ast.While() | ast.Continue():
            return 1
        case ast.Expr(value=ast.Call()) | ast.AugAssign():
            return 1
        case ast.Return(value=ast.expr() as value):
            return int(not (isinstance(value, ast.Constant) and value.value is None))
        case _:
            return 0


def _change(spot: ast.AST, way: int) -> str:
    match spot:
        case ast.Compare(ops=[op]):
            spot.ops = [SWAPS[type(op)]()]  # type: ignore[list-item]
        case ast.BoolOp(op=op) | ast.BinOp(op=op):
            spot.op = SWAPS[type(op)]()  # type: ignore[assignment]
        case ast.Constant(value=bool(value)):
            spot.value = not value
        case ast.Constant(value=int(value)):
            spot.value = value + 1
        case ast.If() | ast.IfExp() | ast.While():
            spot.test = ast.UnaryOp(ast.Not(), spot.test)
        case ast.Return():
            spot.value = ast.Constant(None)
        case _:
            _replace(spot)
            return "break" if isinstance(spot, ast.Break) else "pass"
    return ast.unparse(ast.fix_missing_locations(spot)).splitlines()[0]


def _replace(spot: ast.AST) -> None:
    """Let a statement do nothing, or leave its loop; a node that stands in a list is changed where it stands."""
    spot.__class__ = ast.Break if isinstance(spot, ast.Continue) else ast.Pass


class OneModule(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds one module that is another."""

    def __init__(self, name: str, path: Path, tree: ast.Module) -> None:
        self._name, self._path, self._tree = name, path, tree

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        return (
            importlib.util.spec_from_file_location(fullname, self._path, loader=self)
            if fullname == self._name
            else None
        )

    def exec_module(self, module: object) -> None:
        exec(compile(self._tree, str(self._path), "exec"), vars(module))


def begun(module: str, mutant: Mutant, seconds: float) -> int:
    """Begin a process in which the module is the mutant and its tests run; give its number."""
    child = os.fork()
    if child:
        return child
    status = 2
    try:
        status = _child(module, mutant, TARGETS[module], seconds)
    finally:
        os._exit(status)


def survivors(module: str, some: Sequence[Mutant], workers: int, seconds: float = 600.0) -> list[Mutant]:
    """Try changes, so many at a time; give those that no test noticed."""
    # No threads: a process that is forked beside one may wait for ever for a lock that nobody holds.
    waiting, running, found = list(reversed(some)), dict[int, Mutant](), list[Mutant]()
    while waiting or running:
        while waiting and len(running) < workers:
            one = waiting.pop()
            running[begun(module, one, seconds)] = one
        child, status = os.wait()
        one = running.pop(child)
        if os.waitstatus_to_exitcode(status) == 0:
            found.append(one)
    return found


def _child(module: str, mutant: Mutant, tests: Sequence[str], seconds: float) -> int:
    """Be that process."""
    import pytest

    signal.alarm(round(seconds))
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(quiet, stream)
    name = "crmbridge." + module.removesuffix(".py").replace("/", ".")
    sys.meta_path.insert(0, OneModule(name, ROOT / "src" / "crmbridge" / module, mutant.tree))
    os.chdir(ROOT)
    calm = ("-q", "-x", "--tb=no", "-p", "no:cacheprovider", "-p", "no:randomly")
    # What was imported before the process began is not written anew by pytest, and it says so.
    return int(pytest.main([*calm, "-W", "ignore::pytest.PytestAssertRewriteWarning", *tests]))


def tried(module: str, kept: dict[str, object], ends: float, workers: int) -> dict[str, object]:
    """Try the changes of a module that were not tried yet, until time is up; give what is known of it."""
    source = (ROOT / "src" / "crmbridge" / module).read_text("utf-8")
    text = hashlib.sha256(source.encode()).hexdigest()[:12]
    known = kept if kept.get("text") == text else {"tried": 0, "survivors": []}
    began = time.monotonic()
    if not survivors(module, [Mutant(0, "", _bare(ast.parse(source)))], 1):
        raise SystemExit(f"{module}: its tests fail although nothing was changed")
    seconds = 10 + PATIENCE * (time.monotonic() - began)
    waiting = list(mutants(source))
    at, before = int(str(known["tried"])), list(known["survivors"])  # type: ignore[call-overload]
    # Tests may have been written since: what survived is tried again.
    again = [one for one in waiting[:at] if {"line": one.line, "change": one.told} in before]
    alive = [{"line": one.line, "change": one.told} for one in survivors(module, again, workers, seconds)]
    while at < len(waiting) and time.monotonic() < ends:
        some = waiting[at : at + workers * 8]
        alive += [{"line": one.line, "change": one.told} for one in survivors(module, some, workers, seconds)]
        at += len(some)
    alive.sort(key=lambda one: (one["line"], one["change"]))
    return {"text": text, "mutants": len(waiting), "tried": at, "survivors": alive}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Change one thing at a time, and see whether a test notices.")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("modules", nargs="*", default=list(TARGETS))
    told = parser.parse_args(arguments)
    sys.path.insert(0, str(ROOT / "src"))
    import hypothesis  # noqa: F401 - a process that is begun from here has it already
    import pytest  # noqa: F401 - the same

    results = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    ends = time.monotonic() + told.minutes * 60
    for module in told.modules:
        results[module] = tried(module, results.get(module, {}), ends, told.workers)
        RESULTS.write_text(json.dumps(dict(sorted(results.items())), indent=1, ensure_ascii=False) + "\n", "utf-8")
        one = results[module]
        print(f"{module}: {one['tried']} of {one['mutants']} tried, {len(one['survivors'])} survive", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
