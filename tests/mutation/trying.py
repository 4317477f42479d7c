"""Trying a change: in a process that is forked once the tests are collected, or in an interpreter of its own."""

from __future__ import annotations

import ast
import contextlib
import gc
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import itertools
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import IO

import coverage
import pytest
from changes import Change, changes, nothing
from hypothesis import Phase, settings

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "crmbridge"

PATIENCE = 5
"""How much more time of the processor than without a change the tests of one may take; an endless loop is noticed."""
LONGEST = 30.0
"""Seconds of the processor that all tests of one change take without it; those that take the longest do not run."""
MEMORY = 4 << 30
CASES = 8
"""Cases of one test that run before the first case of any other one that passes more lines."""
NONE = -1
"""The number of the change that changes nothing."""
CANNOT = 99
"""The exit status where code cannot be exchanged in a running process."""


def full_name(module: str) -> str:
    """Give the name by which a module of the package is imported."""
    return "crmbridge." + module.removesuffix(".py").replace("/", ".")


def calm(tests: Sequence[str], *plugins: object) -> int:
    """Run pytest with the fewest words; properties stop at their first failure."""
    with tempfile.TemporaryDirectory() as folder:
        given = ("-q", "-s", "--tb=no", "--disable-warnings", f"--basetemp={folder}/pytest")
        without = ("-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:faulthandler")
        # What was imported before pytest began is not written anew by it, and modules may be passed by nobody.
        aware = ("-W", "ignore::pytest.PytestAssertRewriteWarning", "-W", "ignore::coverage.exceptions.CoverageWarning")
        return int(pytest.main([*given, *without, *aware, *tests], [Hasty(), *plugins]))


class Hasty:
    """A plugin of pytest that lets a property stop at its first failure: nobody reads how it could be shorter."""

    def pytest_configure(self, config: pytest.Config) -> None:
        """Do so, once the profiles of the tests are known."""
        settings.register_profile("hasty", phases=(Phase.explicit, Phase.generate), report_multiple_bugs=False)
        settings.load_profile("hasty")


class Trying:
    """A plugin of pytest that collects tests, and tries changes with them instead of running each once."""

    def __init__(self, modules: Sequence[str], work: Callable[[str, Trying], None]) -> None:
        self._modules, self._work = modules, work
        self._failed = set[str]()
        self._items = dict[str, pytest.Item]()
        self._functions: Mapping[str, Sequence[FunctionType]] = {}
        self._seconds: Mapping[str, float] = {}
        self._passes: Mapping[str, Mapping[str, Sequence[str]]] = {}
        """By module and line, the tests that pass it."""
        self._breadth: Counter[str] = Counter()
        """How many lines each test passes."""
        self._made: Mapping[str, frozenset[int]] = {}
        """By module, the lines that were passed when the tests were collected: what these made stays as it is."""

    @pytest.hookimpl(wrapper=True)
    def pytest_collection(self) -> Generator[None, object, object]:
        """Note what is passed before any test begins."""
        watch = self._watch()
        with watch.collect():
            done = yield
        data = watch.get_data()
        self._made = {module: frozenset(data.lines(str(PACKAGE / module)) or ()) for module in self._modules}
        return done

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure."""
        if report.failed:
            self._failed.add(report.nodeid)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Learn which test passes which line, and do the work for each module."""
        self._items = {item.nodeid: item for item in session.items}
        for module in self._modules:
            importlib.import_module(full_name(module))
        alive = [one for one in gc.get_objects() if isinstance(one, FunctionType)]
        self._functions = {
            module: [one for one in alive if one.__code__.co_filename == str(PACKAGE / module)]
            for module in self._modules
        }
        gc.freeze()  # a process that is forked copies what its collector touches
        with tempfile.TemporaryFile("w+") as file:
            assert _forked(lambda: self._learn(file)) == 0, "the tests could not be run"
            file.seek(0)
            self._seconds, self._passes = json.load(file)
        everywhere = (names for lines in self._passes.values() for names in lines.values())
        self._breadth = Counter(itertools.chain.from_iterable(everywhere))
        print(
            f"{len(self._seconds)} of {len(self._items)} tests hold, in {sum(self._seconds.values()):.0f} s", flush=True
        )
        for module in self._modules:
            self._work(module, self)
        return True

    def notices(self, module: str, source: str, number: int, one: Change) -> bool:
        """Say whether a test fails with a change."""
        lines = self._passes[module]
        passing = {name for line in one.lines for name in lines.get(str(line), ())}
        if not passing and not one.inside:
            # It was run before any test began, and what it makes may be asked by a test that passes no other line.
            passing = set(self._seconds)
        if passing and one.inside:
            names, _ = self._quickest(passing)
            whole = compile(source, str(PACKAGE / module), "exec")
            status = _forked(lambda: self._exchanged(one, whole, self._functions[module], names))
            if status != CANNOT and (status or self._made[module].isdisjoint(one.lines)):
                return status != 0
        names, seconds = self._quickest(passing)
        return bool(names) and _apart(module, number, names, 10 + PATIENCE * seconds)

    def _quickest(self, names: Iterable[str]) -> tuple[list[str], float]:
        """Choose tests as long as there is time: those that pass the fewest other lines, and few cases of each, first."""
        cases, rounds = Counter[str](), dict[str, int]()
        for name in sorted(names, key=lambda name: (self._seconds[name], name)):
            rounds[name] = cases[name.partition("[")[0]] // CASES
            cases[name.partition("[")[0]] += 1
        found, total = list[str](), 0.0
        for name in sorted(rounds, key=lambda name: (rounds[name], self._breadth[name], self._seconds[name])):
            if found and total + self._seconds[name] > LONGEST:
                break
            found.append(name)
            total += self._seconds[name]
        return found, total

    def _learn(self, file: IO[str]) -> int:
        watch = self._watch()
        with watch.collect():
            seconds = dict(self._run(list(self._items), watch.switch_context))
        data = watch.get_data()
        held = seconds.keys() - self._failed
        passes = {
            module: {line: [*held.intersection(tests)] for line, tests in data.contexts_by_lineno(path).items()}
            for module, path in ((module, str(PACKAGE / module)) for module in self._modules)
        }
        json.dump(({name: seconds[name] for name in held}, passes), file)
        file.flush()
        return 0

    def _watch(self) -> coverage.Coverage:
        paths = [str(PACKAGE / module) for module in self._modules]
        return coverage.Coverage(data_file=None, config_file=False, include=paths)

    def _exchanged(self, one: Change, whole: CodeType, functions: Sequence[FunctionType], names: Sequence[str]) -> int:
        """Exchange the code of all functions of a module that are alive, and run tests until one fails."""
        others = _codes(compile(one.tree, whole.co_filename, "exec"))
        twins = {code: others.get(place) for place, code in _codes(whole).items()}
        try:
            for function in functions:
                function.__code__ = twins[function.__code__]  # type: ignore[assignment]
        except (KeyError, TypeError, ValueError):
            return CANNOT
        bounded = self._run(names, lambda name: _bound(2 + PATIENCE * self._seconds[name]))
        return next((1 for _ in bounded if self._failed), 0)

    def _run(self, names: Sequence[str], before: Callable[[str], None] = lambda _: None) -> Iterator[tuple[str, float]]:
        some = [self._items[name] for name in names]
        for item, following in zip(some, [*some[1:], None], strict=True):
            before(item.nodeid)
            began = time.process_time()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            yield item.nodeid, time.process_time() - began


def _file_of(test: str) -> str:
    return test.partition("::")[0]


def _forked(work: Callable[[], int]) -> int:
    """Work in a process of its own that says nothing, and give its exit status."""
    child = os.fork()
    if not child:
        status = 2
        try:
            os.setsid()  # what its tests begin ends with it
            quiet = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(quiet, stream)
            status = work()
        finally:
            os._exit(status)
    _, ended = os.waitpid(child, 0)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(ended)


def _bound(seconds: float) -> None:
    """End this process when it has used so much of the processor, has waited much longer, or takes too much memory."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.alarm(round(10 * seconds))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _codes(whole: CodeType) -> dict[tuple[str, int, int], CodeType]:
    """Give all code within code, by its name, its first line and its number among those of the same name and line."""
    found, waiting = dict[tuple[str, int, int], CodeType](), [whole]
    for code in waiting:
        for one in code.co_consts:
            if isinstance(one, CodeType):
                place = (one.co_qualname, one.co_firstlineno)
                found[*place, sum(known[:2] == place for known in found)] = one
                waiting.append(one)
    return found


# -- a change outside of functions ------------------------------------------------------


class Chosen:
    """A plugin of pytest that runs the named tests alone, in the order of their names."""

    def __init__(self, names: Sequence[str]) -> None:
        self._order = {name: at for at, name in enumerate(names)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Choose, and sort."""
        items[:] = sorted((one for one in items if one.nodeid in self._order), key=lambda one: self._order[one.nodeid])


class OneModule(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds one module that is another."""

    def __init__(self, module: str, tree: ast.Module) -> None:
        self._name, self._path, self._tree = full_name(module), PACKAGE / module, tree

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        found = importlib.util.spec_from_file_location(fullname, self._path, loader=self)
        return found if fullname == self._name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._tree, str(self._path), "exec"), vars(module))


def _apart(module: str, number: int, names: Sequence[str], seconds: float) -> bool:
    """Say whether a test fails in a new interpreter in which a module is another."""
    asked = [sys.executable, __file__, module, str(number), str(seconds)]
    begun = subprocess.run(asked, input=json.dumps(names), text=True, capture_output=True, cwd=ROOT, check=False)
    return begun.returncode not in {0, pytest.ExitCode.NO_TESTS_COLLECTED}


def _be_apart(module: str, number: str, seconds: str) -> int:
    """Be that interpreter."""
    _bound(float(seconds))
    names = json.load(sys.stdin)
    source = (PACKAGE / module).read_text("utf-8")
    one = nothing(source) if int(number) == NONE else list(changes(source))[int(number)]
    sys.meta_path.insert(0, OneModule(module, one.tree))
    return calm(["-x", *dict.fromkeys(map(_file_of, names))], Chosen(names))


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "src"))
    sys.exit(_be_apart(*sys.argv[1:]))
