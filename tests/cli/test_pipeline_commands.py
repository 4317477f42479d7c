"""Commands about a pipeline of one's own: what is asked for by `module:name` is planned, run, undone, told and forgotten."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from crmbridge.cli import main

MODULE = """
from crmbridge import at, bundle, key, level, one_way, pair, two_way
from crmbridge.model import FieldSpec
from crmbridge.policies import left_wins
from crmbridge.stores import SqliteStore
from crmbridge.testing.connector import FakeConnector, described

ma = FakeConnector("ma", described("prospect", FieldSpec("email"), FieldSpec("city", max_length=9)))
crm = FakeConnector("crm", described("lead", FieldSpec("Email"), FieldSpec("City", max_length=9)))
people = (
    two_way("people", at(ma, "prospect"), at(crm, "lead"))
    .match(level("e-mail", key("email", "Email")))
    .creates(left=False, right=True)
    .fields(pair("email", "Email"), pair("city", "City"), policy=left_wins)
    .remember(SqliteStore("people.db"))
)
sei = ma.put("prospect", email="sei@example.jp", city="Sendai")
people_alone = bundle(people)
towns = (
    one_way("towns", at(ma, "prospect"), at(crm, "lead"))
    .match(level("e-mail", key("email", "Email")))
    .fields(pair("email", "Email"), pair("city", "Sity"))
    .remember(people.store)
)
both = bundle(towns, people)
other = "no pipeline"


def made():
    return people


def needs(a, *, b):
    return people
"""


@pytest.fixture
def sync(tmp_path, monkeypatch):
    (tmp_path / "own_sync.py").write_text(MODULE, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    sys.modules.pop("own_sync", None)
    import own_sync

    yield own_sync
    own_sync.people.store.close()
    del sys.modules["own_sync"]


@pytest.mark.parametrize("named", ["own_sync:people", "own_sync:made"])
def test_a_plan_is_shown_priced_saved_and_run(sync, capsys, named):
    assert main(["plan", named, "--save", "plan.jsonl"]) == 0
    told = capsys.readouterr().out
    assert "crm: create 1" in told
    assert "crm: 1 requests" in told
    assert sync.crm.rows("lead") == []
    assert main(["run", named, "--plan", "plan.jsonl", "--lang", "ja"]) == 0
    assert [lead["City"] for lead in sync.crm.rows("lead")] == ["Sendai"]


def test_a_run_is_undone_by_a_plan_that_is_run(sync, capsys):
    main(["run", "own_sync:people"])
    sync.ma.edit(sync.sei, city="Morioka")
    main(["run", "own_sync:people"])
    assert main(["undo", "own_sync:people", "people-run-2", "--save", "undo.jsonl"]) == 0
    assert "「Morioka」 → 「Sendai」" in capsys.readouterr().out
    assert main(["run", "own_sync:people", "--plan", "undo.jsonl"]) == 0
    assert [lead["City"] for lead in sync.crm.rows("lead")] == ["Sendai"]


def test_everything_is_looked_at_again_on_request(sync, capsys):
    main(["run", "own_sync:people"])
    assert main(["look-again", "own_sync:people"]) == 0
    assert "looks at 1 linked pairs again" in capsys.readouterr().out
    main(["plan", "own_sync:people"])
    assert "ma, crm read from the beginning" in capsys.readouterr().out


def test_why_tells_the_story_of_a_record_and_forget_ends_it(sync, capsys):
    main(["run", "own_sync:people"])
    assert main(["why", "own_sync:people", "ma", "prospect", sync.sei.id, "--field", "city"]) == 0
    assert "「Sendai」" in capsys.readouterr().out
    assert main(["forget", "own_sync:people", "ma", "prospect", sync.sei.id]) == 0
    assert main(["why", "own_sync:people", "ma", "prospect", sync.sei.id]) == 0
    assert "Sendai" not in capsys.readouterr().out


def test_where_nothing_was_known_forget_says_so_and_what_happens_then(sync, capsys):
    assert main(["forget", "own_sync:people", "ma", "prospect", "p99"]) == 0
    assert "nothing was known of ma prospect p99, so nothing was erased" in capsys.readouterr().out


def test_a_system_that_the_pipeline_does_not_have_is_refused_and_those_it_has_are_named(sync, capsys):
    assert main(["forget", "own_sync:people", "MA", "prospect", sync.sei.id]) == 2
    assert "MA prospect is no end of this pipeline; it has ma prospect, crm lead" in capsys.readouterr().err


def test_a_run_that_leaves_records_in_trouble_says_so_by_its_exit_status(sync):
    sync.ma.edit(sync.sei, city="much too long")
    assert main(["run", "own_sync:people"]) == 1


def test_a_check_names_what_it_finds_and_fails_for_an_error_alone(sync, capsys):
    assert main(["check", "own_sync:people"]) == 0
    assert "note: crm.lead: When the answer to a create in crm is lost" in capsys.readouterr().out
    assert main(["check", "own_sync:towns"]) == 1
    told = capsys.readouterr().out
    assert told.startswith("error: crm.lead.Sity: There is no such field in crm: Sity")
    assert main(["check", "own_sync:both", "--lang", "ja"]) == 1
    assert "error: towns: crm.lead.Sity: 指定された項目" in capsys.readouterr().out
    assert sync.crm.rows("lead") == []


def test_a_bundle_is_planned_priced_and_run_as_a_pipeline_is(sync, capsys):
    assert main(["plan", "own_sync:people_alone"]) == 0
    told = capsys.readouterr().out
    assert "in all: 1 records read" in told
    assert "people: crm: 1 requests" in told
    assert sync.crm.rows("lead") == []
    assert main(["run", "own_sync:people_alone"]) == 0
    assert [lead["City"] for lead in sync.crm.rows("lead")] == ["Sendai"]
    sync.ma.edit(sync.sei, city="much too long")
    assert main(["run", "own_sync:people_alone", "--lang", "ja"]) == 1
    assert "合計: 2 件" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["plan", "run"])
def test_of_a_bundle_those_that_could_be_run_are_told_before_the_one_that_could_not(sync, capsys, command):
    assert main([command, "own_sync:both"]) == 1
    told = capsys.readouterr()
    assert told.out.startswith(f"people-{command}-1: 1 records read")
    assert "towns: the pair city|Sity" in told.err


@pytest.mark.parametrize(
    "asked",
    [
        ["undo", "own_sync:both", "people-run-1"], ["look-again", "own_sync:both"],
        ["why", "own_sync:both", "ma", "prospect", "1"], ["forget", "own_sync:both", "ma", "prospect", "1"],
    ],
)  # fmt: skip
def test_what_is_of_one_pipeline_names_those_of_a_bundle(sync, capsys, asked):
    assert main(asked) == 2
    said = capsys.readouterr().err
    assert f"'own_sync:both' is a bundle of towns, people, and {asked[0]} is of one pipeline" in said


@pytest.mark.parametrize("asked", [["plan", "--save"], ["run", "--plan"]])
def test_a_file_holds_the_plan_of_one_pipeline_and_no_bundle(sync, capsys, asked):
    command, option = asked
    assert main([command, "own_sync:people_alone", option, "plan.jsonl"]) == 2
    assert f"{option}: a file holds the plan of one pipeline" in capsys.readouterr().err
    assert sync.crm.rows("lead") == []


WAITING = MODULE.replace("from crmbridge import at,", "import os, pathlib, time\n\nfrom crmbridge import at,").replace(
    "ma = FakeConnector(",
    """class Slow(FakeConnector):
    def read(self, query):
        if "SLOW" in os.environ:
            pathlib.Path("reading").touch()
            time.sleep(60)
        return (yield from super().read(query))

ma = Slow(""",
)


@pytest.mark.skipif(sys.platform == "win32", reason="a process is ended in another way there")
def test_sigterm_ends_a_run_like_ctrl_c_and_the_next_run_waits_for_nobody(tmp_path):
    (tmp_path / "own_sync.py").write_text(WAITING, "utf-8")
    run = [sys.executable, "-m", "crmbridge", "run", "own_sync:people"]
    with subprocess.Popen(run, cwd=tmp_path, env=os.environ | {"SLOW": "1"}, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 30
        while not (tmp_path / "reading").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 143
        assert process.stderr.read() == b""
    after = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)
    assert (after.returncode, after.stderr) == (0, "")


def test_a_command_leaves_what_sigterm_does_as_it_was(sync):
    before = signal.getsignal(signal.SIGTERM)
    assert main(["run", "own_sync:people"]) == 0
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_program_that_says_what_sigterm_does_keeps_its_say(sync, monkeypatch):
    def own(number, frame):
        return None

    before = signal.signal(signal.SIGTERM, own)
    seen = []
    monkeypatch.setattr(sync, "made", lambda: seen.append(signal.getsignal(signal.SIGTERM)) or sync.people)
    try:
        assert main(["run", "own_sync:made"]) == 0
        assert seen == [own]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_command_runs_in_any_thread(sync):
    ended = []
    thread = threading.Thread(target=lambda: ended.append(main(["run", "own_sync:people"])))
    thread.start()
    thread.join()
    assert ended == [0]


@pytest.mark.parametrize(
    "named",
    [
        "own_sync:nobody", "own_sync:other", "nowhere_at_all:people", "people", "", ":people", "..own_sync:people",
        ".own_sync:people", "own_sync:needs", "builtins:dict.fromkeys", "builtins:int", "builtins:type",
    ],
)  # fmt: skip
def test_what_names_no_pipeline_is_refused_in_one_line(sync, capsys, named):
    assert main(["plan", named]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_plan_file_that_is_none_is_refused(sync, capsys):
    Path("plan.jsonl").write_text("not a plan\n", "utf-8")
    assert main(["run", "own_sync:people", "--plan", "plan.jsonl"]) == 1
    assert "no plan of crmbridge" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["plan", "own_sync:people"], ["undo", "own_sync:people", "people-run-1"]])
def test_a_plan_that_cannot_be_saved_names_the_file_that_was_asked_for(sync, capsys, command):
    main(["run", "own_sync:people"])
    assert main([*command, "--save", str(Path("nowhere", "plan.jsonl"))]) == 1
    said = capsys.readouterr().err
    assert "'nowhere/plan.jsonl'" in said.replace(os.sep, "/")
    assert "draft" not in said
