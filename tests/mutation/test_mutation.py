"""The search for changes that no test notices: what it changes, what it finds, and where it goes on."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

SOURCE = dedent(
    '''
    """A module."""

    LIMIT = 5
    Answer: TypeAlias = int | str

    def least(one: int | None, *other: int | None) -> int | None:
        """Say 1 or 2."""
        if one is None:
            return None
        if not other:
            print(one)
        return one if one < other[0] else LIMIT
    '''
)


def told(mutation, source=SOURCE):
    return [(one.line, one.told, one.inside) for one in mutation("changes").changes(source)]


def test_every_place_is_changed_once_and_types_and_docstrings_are_not(mutation):
    assert told(mutation) == [
        (4, "5 → 6", False),
        (9, "one is None → one is not None", True),
        (11, "not other → other", True),
        (12, "print(one) → pass", True),
        (13, "return one if one < other[0] else LIMIT → return None", True),
        (13, "one if one < other[0] else LIMIT → one if not one < other[0] else LIMIT", True),
        (13, "one < other[0] → one <= other[0]", True),
        (13, "0 → 1", True),
    ]


def test_a_change_is_the_whole_module_with_one_place_that_is_another(mutation):
    whole = ast.unparse(mutation("changes").bare(ast.parse(SOURCE))).splitlines()
    for one in mutation("changes").changes(SOURCE):
        lines = ast.unparse(one.tree).splitlines()
        assert sum(before != after for before, after in zip(whole, lines, strict=True)) == 1
        assert SOURCE.splitlines()[one.line - 1].strip() == one.code


def test_the_value_of_a_parameter_is_a_matter_of_the_tests_that_pass_its_function(mutation):
    source = "LIMIT = 5\n\ndef least(one, two=3):\n    one += two\n    return one\n"
    lines = {one.told: one.lines for one in mutation("changes").changes(source)}
    assert (lines["5 → 6"], lines["3 → 4"]) == ({1}, {3, 4, 5})


def test_a_branch_that_types_alone_rule_out_is_not_changed(mutation):
    assert told(mutation, "def never(x):\n    assert_never(x)\n") == []


BENCH = """
import ast, json, sys
sys.path[:0] = {paths!r}
from changes import Change, changes, nothing
from trying import NONE, PACKAGE, Trying, calm

def work(module, bench):
    text = (PACKAGE / module).read_text("utf-8")
    some = list(changes(text))
    outside = next(number for number, one in enumerate(some) if not one.inside)
    inside = next(number for number, one in enumerate(some) if one.code.startswith("raise ") or "!=" in one.told)
    found = [bench.notices(module, text, number, some[number]) for number in (outside, inside)]
    place = some[inside]
    endless = Change(place.line, place.lines, place.code, "", True, ast.parse(text.replace({place!r}, {endless!r})))
    print(json.dumps([*found, bench.notices(module, text, NONE, nothing(text)), bench.notices(module, text, 0, endless)]))

calm([{test!r}], Trying(["match/_join.py"], work))
"""


def test_what_a_test_notices_is_told_from_what_none_notices():
    pytest.importorskip("coverage", reason="install crmbridge[dev]")
    program = BENCH.format(
        paths=[str(HERE), str(ROOT / "src")],
        test="tests/core/match/test_join.py",
        place="        start +=",
        endless="        while True: start +=",
    )
    # What is asked of this run of pytest is not asked of that one.
    env = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    [found] = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    assert found == [True, True, False, True], done.stderr


@pytest.fixture
def known(tmp_path):
    (tmp_path / "results.json").write_text(
        json.dumps(
            {
                "plan/_same.py": {
                    "text": "of an older module",
                    "tried": 9,
                    "survivors": [
                        {"number": 3, "line": 7, "code": "if a:", "change": "a → b", "why": "a is b"},
                        {"number": 4, "line": 8, "code": "if c:", "change": "c → d", "why": ""},
                    ],
                }
            }
        ),
        "utf-8",
    )
    return tmp_path / "results.json"


@pytest.fixture
def change(mutation):
    return mutation("changes").Change(12, frozenset({12}), "if a:", "a → b", True, ast.Module([], []))


def test_a_module_that_was_changed_begins_anew_but_for_the_reasons(mutation, known, change):
    mutate = mutation("mutate")
    results = mutate.Results(known)
    begun = results.begin("plan/_same.py", "x = 1\n", [change])
    assert (begun["tried"], begun["survivors"], begun["mutants"]) == (0, [], 1)
    results.keep("plan/_same.py", begun)
    again = mutate.Results(known).begin("plan/_same.py", "x = 1\n", [change])
    assert [one["why"] for one in again["reasons"]] == ["a is b"]
    assert mutate.survivor(change, again["reasons"])["why"] == "a is b"


def test_a_module_as_it_was_goes_on_where_it_ended(mutation, known, change):
    mutate = mutation("mutate")
    results = mutate.Results(known)
    results.keep("plan/_same.py", results.begin("plan/_same.py", "x = 1\n", [change]) | {"tried": 5})
    assert mutate.Results(known).begin("plan/_same.py", "x = 1\n", [change])["tried"] == 5


def test_every_module_that_is_named_is_there(mutation):
    mutate = mutation("mutate")
    named = [module for group in mutate.GROUPS for module in group.modules]
    assert [module for module in named if not (mutate.PACKAGE / module).is_file()] == []
    assert len(named) == len(set(named))
    assert set(mutate.Results(mutate.RESULTS).modules) <= set(named)


def test_all_of_planning_and_matching_is_tried(mutation):
    mutate = mutation("mutate")
    named = {module for group in mutate.GROUPS for module in group.modules}
    there = {f"{folder}/{path.name}" for folder in ("plan", "match") for path in (mutate.PACKAGE / folder).glob("*.py")}
    assert {name for name in there if not name.endswith("__init__.py")} <= named
