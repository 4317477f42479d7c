"""What the command line says, to whom, and with which exit status."""

import os
import subprocess
import sys

import pytest


def crmbridge(*arguments, **how):
    return subprocess.run(
        [sys.executable, "-m", "crmbridge", *map(str, arguments)],
        capture_output=True, text=True, encoding="utf-8", timeout=60, check=False, **how,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("command", "told"),
    [((), ["demo", "fakes", "simulate"]), (("demo",), ["--lang", "--json", "--state"]),
     (("fakes",), ["serve"]), (("fakes", "serve"), ["--port", "--data", "--faults", "--seed", "--tls"])],
)  # fmt: skip
def test_help_names_everything_that_can_be_asked(command, told):
    done = crmbridge(*command, "--help")
    assert done.returncode == 0
    assert [word for word in told if word not in done.stdout] == []


def test_no_command_is_a_wrong_question():
    assert crmbridge().returncode == 2


def test_fakes_are_listed_one_per_line():
    done = crmbridge("fakes")
    assert done.returncode == 0
    assert {"salesforce", "account-engagement"} <= set(done.stdout.split("\n"))


def test_a_fake_that_there_is_not_is_answered_with_those_that_there_are():
    done = crmbridge("fakes", "serve", "salesforce", "salesfroce")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "'salesfroce'" in done.stderr
    assert "account-engagement, " in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("port", ["-1", "65536", "http", ""])
def test_a_port_that_there_cannot_be_is_a_wrong_question(port):
    assert crmbridge("fakes", "serve", "salesforce", f"--port={port}").returncode == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"fake": "salesforce", "kind": "Lead", "values": {}}\n{"fake": ', "line 2"),
        ('\n{"fake": "salesforce", "kind": "Led", "values": {}}', "line 2: salesforce has no kind 'Led'"),
        (
            '{"fake": "salesforce", "kind": "Lead", "values": {"Emial": "a@b.example"}}',
            "line 1: Lead has no field 'Emial'",
        ),
        ('{"fake": "salesforce", "kind": "Lead"}', "line 1: 'values' is missing"),
        ('{"fake": "salesforce", "values": {}}', "line 1: 'kind' is missing"),
        ('{"fake": "salesforce", "kind": "Lead", "values": []}', "line 1: 'values' is not an object of fields"),
        ('{"fake": "salesforce", "kind": "Lead", "values": {}, "id": [7]}', "line 1: 'id' is not a text or a number"),
        (
            '{"fake": "salesforce", "kind": "Lead", "values": {}, "time": "2026-01-05T00:00:00Z"}',
            "line 1: no member is called 'time'; there are fake, kind, id, values, at",
        ),
        ('{"fake": "salesfroce", "kind": "Lead", "values": {}}', "line 1: 'salesfroce' is no fake"),
        ("[]", "line 1"),
    ],
)
def test_data_that_cannot_be_used_is_answered_with_its_line(tmp_path, text, told):
    data = tmp_path / "people.jsonl"
    data.write_text(text, encoding="utf-8")
    done = crmbridge("fakes", "serve", "salesforce", "--data", data)
    assert done.returncode == 2
    assert f"people.jsonl: {told}" in done.stderr
    assert done.stderr.count("\n") == 1


def test_data_that_is_not_there_or_no_text_is_said_to_be_so(tmp_path):
    assert "nobody.jsonl cannot be read" in crmbridge("fakes", "serve", "salesforce", "--data", "nobody.jsonl").stderr
    data = tmp_path / "sjis.jsonl"
    data.write_bytes("名前".encode("cp932"))
    assert "it is not UTF-8" in crmbridge("fakes", "serve", "salesforce", "--data", data).stderr


@pytest.mark.parametrize("spec", ["F4", "F04@2", "F99", "lose everything"])
def test_faults_that_cannot_be_shown_are_refused(spec):
    done = crmbridge("fakes", "serve", "salesforce", "--faults", spec)
    assert done.returncode == 2
    assert done.stderr.startswith("crmbridge: --faults: ")
    assert done.stderr.count("\n") == 1


def test_an_error_of_ours_is_one_line_and_a_traceback_only_where_it_is_asked_for(tmp_path):
    nowhere = tmp_path / "nowhere" / "state.db"
    done = crmbridge("demo", "--state", nowhere)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "does not exist" in done.stderr
    for asked in (["demo", "--debug"], ["--debug", "demo"]):
        assert "Traceback" in crmbridge(*asked, "--state", nowhere).stderr


def test_names_in_japanese_can_be_printed_where_only_ascii_goes():
    program = "import crmbridge.cli as c; c._speak_anywhere(); print('事業所')"
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "\\u4e8b\\u696d\\u6240\n"
