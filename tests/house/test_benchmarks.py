"""The benchmarks run, at a tiny size: what they print and write, never how fast."""

import importlib
import json
import os
import subprocess
import sys

import pytest

TINY = {
    "planner": ["--size", "40"],
    "page_loop": ["--size", "40", "--made", "20"],
    "incremental": ["--size", "60", "--small", "30", "--changes", "10"],
    "plans": ["--size", "60", "--small", "30"],
    "client": ["--size", "2000"],
    "imports": ["--size", "1"],
    "fake_server": ["--size", "4", "--clients", "2"],
    "whole": ["--size", "40", "--small", "30", "--changes", "20", "--made", "20"],
}

CASES = {
    "planner": {"match and diff", "unchanged"},
    "page_loop": {"unchanged, MemoryStore", "unchanged, SqliteStore", "backfill, MemoryStore", "backfill, SqliteStore"},
    "incremental": {"nothing changed, 60 links, wall", "10 changes, 60 links, wall", "bare, 10 changes"},
    "plans": {"plan", "bare rows"},
    "client": {"upserts of 200", "pages of 2,000"},
    "imports": {"import crmbridge", "from crmbridge import two_way"},
    "fake_server": {"upserts that create", "upserts that update", "ready to answer, wall"},
    "whole": {"nothing changed, 40 links", "20 changes, 30 links", "first load, ours", "first load, careful"},
}

SETUP = """
import sys, runpy, pathlib
program, results = sys.argv[1:3]
del sys.argv[1:3]
sys.path.insert(0, str(pathlib.Path(program).parent))
import _rounds
_rounds.RESULTS = pathlib.Path(results)
runpy.run_path(program, run_name="__main__")
"""


def ran(root, results, name, *options):
    program = str(root / "benchmarks" / f"{name}.py")
    return subprocess.run(
        [sys.executable, "-c", SETUP, program, str(results), "--rounds", "1", *TINY[name], *options],
        capture_output=True, text=True, check=False, timeout=300, env=os.environ | {"PYTHONPATH": str(root / "src")},
    )  # fmt: skip


@pytest.mark.parametrize("name", sorted(TINY))
def test_a_benchmark_prints_its_table_and_writes_it(root, tmp_path, name):
    done = ran(root, tmp_path, name)
    assert (done.returncode, done.stderr) == (0, "")
    written = json.loads((tmp_path / f"{name}.json").read_text("utf-8"))
    assert {row["case"] for row in written["rows"]} >= CASES[name]
    assert all(row["case"] in done.stdout and len(row["cpu_seconds"]) == 1 for row in written["rows"])
    assert all(bar["says"] in done.stdout for bar in written["bars"])


def test_every_benchmark_that_runs_in_rounds_is_run_by_a_test(root):
    programs = (root / "benchmarks").glob("[!_]*.py")
    assert {path.stem for path in programs if "_rounds.run(" in path.read_text("utf-8")} == set(TINY)


def loaded(root, name, monkeypatch):
    monkeypatch.syspath_prepend(str(root / "benchmarks"))
    return importlib.import_module(name)


def test_our_keys_are_right_in_every_case_by_which_others_are_scored(root, monkeypatch):
    identity = loaded(root, "_identity", monkeypatch)
    assert {field: identity.score(field, key) for field, key in identity.OURS.items()} == dict.fromkeys(
        identity.OURS, (20, 20)
    )


def test_a_key_that_tells_nothing_apart_and_one_that_gives_nothing_have_no_full_score(root, monkeypatch):
    identity = loaded(root, "_identity", monkeypatch)
    for field, cases in identity.APART.items():
        apart = len(cases.split())
        assert identity.score(field, lambda text: "one") == (20 - apart, 20)
        assert identity.score(field, lambda text: "") == (apart, 20)


def test_both_ways_of_joining_find_the_same_pairs(root, monkeypatch):
    joining = loaded(root, "_join", monkeypatch)
    ours, bare = (whole(3000)() for whole in joining.WAYS.values())
    assert ours == bare
    assert len(ours) > 200


def rounds(root):
    import importlib.util

    found = importlib.util.spec_from_file_location("_rounds", root / "benchmarks" / "_rounds.py")
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module
    found.loader.exec_module(module)
    return module


@pytest.fixture
def measure(root, tmp_path):
    """Measure two cases with clocks that tell made-up seconds, and give the exit code."""
    made = rounds(root)
    made.RESULTS = tmp_path

    def clock(*ends):
        told = iter([instant for end in ends for instant in (0.0, end)])
        return lambda: next(told)

    def run(*bars, strict):
        cases = [
            made.Case("bare", "pairs", 100, lambda: None, seconds=clock(9.0, 1.0, 2.0, 4.0)),
            made.Case("ours", "pairs", 100, lambda: None, "bare", seconds=clock(9.0, 3.0, 4.0, 12.0)),
        ]
        given = made.argparse.Namespace(rounds=3, strict=strict)
        return made.run("made_up", cases, [made.Bar("ours", **bar) for bar in bars], given)

    return run


def test_a_ratio_is_the_median_of_rounds_in_which_both_ran_and_the_first_round_does_not_count(measure, capsys):
    measure({"most": 3.0}, strict=False)
    assert "3.00x of 'bare', bar <= 3x: holds" in capsys.readouterr().out


@pytest.mark.parametrize(("strict", "code"), [(False, 0), (True, 1)])
def test_a_bar_that_does_not_hold_is_a_failure_only_where_that_is_asked_for(measure, capsys, strict, code):
    assert measure({"most": 2.9}, strict=strict) == code
    assert "DOES NOT HOLD" in capsys.readouterr().out


def test_another_machines_figure_is_told_and_never_judged(measure, capsys):
    assert measure({"least": 1e9, "guide": True}, strict=True) == 0
    assert "DOES NOT HOLD (a guide" in capsys.readouterr().out
