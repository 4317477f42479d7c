"""`python -m crmbridge demo`: the main job on real input, as a stranger runs it."""

import json
import re
import subprocess
import sys
import textwrap
from importlib.metadata import requires
from pathlib import Path

import attrs
import pytest

import crmbridge

LIMIT = 60
"""Seconds; the demo promises to take less, on a machine that does other things too."""

CORE = ("attrs", "cattrs", "httpx", "tenacity", "typing-extensions")

ONLY_CORE = """
import runpy, sys
sys.path.insert(0, {source!r})
allowed = {allowed!r} | set(sys.stdlib_module_names)

class Blocker:
    def find_spec(self, name, path=None, target=None):
        # The standard library imports what was made for this very system under a name that no list has.
        if name.partition(".")[0] not in allowed and not name.startswith("_sysconfigdata"):
            raise ModuleNotFoundError(name + " is not among the core packages", name=name)

sys.meta_path.insert(0, Blocker())
sys.argv = ["crmbridge", *{arguments!r}]
runpy.run_module("crmbridge", run_name="__main__", alter_sys=True)
"""


@attrs.frozen
class Done:
    """What a run of the demo came to."""

    status: int
    out: str
    err: str

    @property
    def lines(self):
        return self.out.splitlines()


def run(folder, *command):
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, capture_output=True, text=True, encoding="utf-8",
        timeout=LIMIT, check=False,
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def first(folder):
    """The demo in an empty folder."""
    return run(folder, "-m", "crmbridge", "demo")


@pytest.fixture(scope="module")
def again(folder, first):
    """The demo once more in the same folder, told to a machine."""
    assert first.status == 0
    return run(folder, "-m", "crmbridge", "demo", "--json")


@pytest.fixture(scope="module")
def figures(again):
    assert again.status == 0, again.err
    return json.loads(again.out)


def modules_of_core():
    """The modules of the five packages, and of what those need themselves."""
    distributions, queue = set(), list(CORE)
    while queue:
        name = queue.pop()
        if name in distributions:
            continue
        distributions.add(name)
        queue += [
            re.match(r"[\w.-]+", line)[0].lower()
            for line in requires(name) or ()
            if "extra ==" not in line and ("python_version" not in line or "typing" in line)
        ]
    return {name.replace("-", "_") for name in distributions} | {"attr", "crmbridge"}


@pytest.fixture(scope="module")
def in_japanese(folder):
    """The demo in Japanese, where nothing but the core packages can be imported."""
    source = str(Path(crmbridge.__file__).parents[1])
    arguments = ["demo", "--lang", "ja", "--state", "japanese.db"]
    program = ONLY_CORE.format(source=source, allowed=modules_of_core(), arguments=arguments)
    return run(folder, "-I", "-c", program)


def test_the_demo_ends_with_nothing_left_to_do(first):
    assert (first.status, first.lines[-1]) == (0, "nothing left to do")


def test_the_plan_is_shown_before_anything_is_written(first):
    plan = first.out[first.out.index("3. The plan") : first.out.index("4. The plan is applied")]
    assert "to be written: 834" in plan
    assert "Salesforce: create 418" in plan
    assert "→ create Salesforce Lead" in plan
    assert "in favour of Salesforce: one system is the master" in plan
    assert "A condition keeps this record back" in plan


def test_every_edit_is_shown_with_what_was_decided_and_why(first):
    told = first.out[first.out.index("6. The second run") : first.out.index("7. Three more minutes")]
    assert "nothing was decided" not in told
    for why in (
        "decided in favour of Salesforce: one system is the master",
        "decided in favour of Account Engagement: one system is the master",
        "its change is the newer one",
        "A value in phone beats a blank, so the value of Salesforce stays",
        "a dot stands directly before the @",
        "51 characters, where 40 fit",
        "The record was removed in Salesforce",
    ):
        assert why in told, why


def test_the_state_stays_and_a_second_demo_replaces_it(folder, again):
    assert (folder / "crmbridge-demo.db").stat().st_size > 100_000
    assert again.status == 0, again.err


def test_the_program_that_the_demo_proposes_answers_why(folder, first):
    proposed = first.lines[first.lines.index("    from crmbridge import RecordRef") : -2]
    done = run(folder, "-c", textwrap.dedent("\n".join(proposed)))
    assert done.status == 0, done.err
    assert "The rule for" in done.out


def test_what_the_figures_say_adds_up(figures):
    assert figures["loaded"]["establishments"] >= 1_000
    for counted in (figures["plan"], *figures["runs"]):
        assert sum(counted["by_disposition"].values()) == counted["read"]
    first, second, third = figures["runs"]
    assert figures["plan"]["by_disposition"] == first["by_disposition"]
    assert first["written"] == sum(one["count"] for one in figures["plan"]["writes"])
    assert second["written"] == sum(
        len(decision["actions"]) for edit in figures["edits"] for decision in edit["decisions"]
    )
    assert (third["written"], figures["nothing_left_to_do"]) == (0, True)
    assert figures["waiting_for_a_person"] == 5


DECIDED = {
    "phone_in_salesforce": ("changed", ["update"], ["phone>left:policy"]),
    "title_in_form": ("changed", ["update"], ["jobTitle>right:policy"]),
    "phone_in_form": ("changed", ["update"], ["phone>left:policy"]),
    "phone_in_both": ("changed", ["update"], ["phone>left:policy"]),
    "title_in_both": ("changed", ["update"], ["jobTitle>right:policy"]),
    "address_in_both": ("changed", ["update"], ["addressOne>right:policy"]),
    "blank_in_form": ("changed", ["update"], ["phone>left:filled_beats_blank"]),
    "blank_in_salesforce": ("changed", ["update"], ["jobTitle>right:filled_beats_blank"]),
    "opted_out": ("changed", ["update"], ["optedOut>right:policy"]),
    "deleted": ("removed", ["archive"], []),
    "converted": ("changed", ["update"], ["jobTitle>right:policy"]),
}
QUARANTINED = {"invalid_email": "not_an_email", "long_city": "too_long"}


def decided(figures, name):
    """Give the one decision that an edit led to."""
    [decision] = next(edit["decisions"] for edit in figures["edits"] if edit["name"] == name)
    return decision


@pytest.mark.parametrize("name", DECIDED)
def test_an_edit_is_decided_as_the_rules_say(figures, name):
    decision = decided(figures, name)
    fields = [f"{line['left']}>{line['towards']}:{line['because']}" for line in decision["fields"] if line["towards"]]
    assert (decision["because"], decision["actions"], fields) == DECIDED[name]


@pytest.mark.parametrize("name", QUARANTINED)
def test_what_salesforce_would_refuse_is_set_aside_before_it_is_sent(figures, name):
    decision = decided(figures, name)
    assert (decision["disposition"], decision["because"], decision["actions"]) == ("quarantined", QUARANTINED[name], [])


def test_a_prospect_who_gets_a_salesperson_becomes_a_lead(figures):
    decision = decided(figures, "assigned")
    assert (decision["actions"], decision["because"]) == (["create"], "new")


def test_no_value_of_a_person_is_among_the_figures(again):
    assert "@" not in again.out
    assert "03-0" not in again.out


def test_the_main_job_needs_the_five_core_packages_only(in_japanese):
    assert in_japanese.status == 0, in_japanese.err


def test_the_demo_speaks_japanese_to_the_last_line(in_japanese):
    assert in_japanese.lines[-1] == "これ以上、行う処理はありません"
    assert "書き込み予定: 834" in in_japanese.out
    assert not re.search(r"(?i)\bnothing\b|\bthe record\b|applied", in_japanese.out)


def test_what_would_not_be_a_core_package_is_kept_out():
    program = ONLY_CORE.format(source="", allowed=modules_of_core(), arguments=[]).rpartition("sys.argv")[0]
    assert run(None, "-I", "-c", f"{program}\nimport httpx, cattrs, tenacity").status == 0
    assert "not among the core packages" in run(None, "-I", "-c", f"{program}\nimport pytest").err


def test_what_is_not_the_demos_own_is_not_touched(folder):
    (folder / "notes.db").write_text("mine")
    done = run(folder, "-m", "crmbridge", "demo", "--state", "notes.db")
    assert (done.status, done.out, (folder / "notes.db").read_text()) == (1, "", "mine")
    assert done.err.startswith("crmbridge: notes.db is there and was not made by the demo")
