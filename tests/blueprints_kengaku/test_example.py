"""The example program takes deliveries over HTTP and posts them, as a user would start it."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import signal
import subprocess
import sys
import tomllib
from contextlib import contextmanager
from pathlib import Path

import attrs
import httpx
import pytest

from crmbridge.testing.fakes.digima import STATIC_FIELDS, FakeDigima
from crmbridge.testing.fakes.kengaku import FakeKengaku

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "examples" / "kengaku_digima.py"
SETTINGS = tomllib.loads(PROGRAM.with_suffix(".toml").read_text("utf-8"))


@attrs.define(slots=False)
class Products:
    """Both vendors on ports, and the environment in which the program finds its secrets."""

    digima: FakeDigima
    kengaku: FakeKengaku
    environment: dict[str, str]

    def run(self, *arguments, **more):
        return subprocess.run(
            [sys.executable, "-X", "utf8", str(PROGRAM), *arguments],
            env={**self.environment, **more},
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    @contextmanager
    def serving(self):
        """Serve the intake until the block ends; gives its address."""
        command = [sys.executable, "-X", "utf8", str(PROGRAM), "serve"]
        with subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, encoding="utf-8") as process:
            try:
                url = next(line for line in process.stdout if "taking deliveries" in line).split()[-1]
                yield url
            finally:
                process.send_signal(signal.SIGINT)
                process.communicate(timeout=30)


@pytest.fixture
def products(tmp_path):
    digima = FakeDigima(static_fields=(*STATIC_FIELDS, "postal_code"))
    for form in SETTINGS["forms"]:
        digima.put("form", name=form["name"], code=form["code"].lower())
    [field] = SETTINGS["custom_fields"]
    digima.put("custom_field", **field)
    kengaku = FakeKengaku()
    kengaku.put("field", label=field["label"], code=field["code"])
    kengaku.put("event", name="完成見学会")
    secrets = {form["code"]: form["code"].lower() for form in SETTINGS["forms"]}
    inherited = {
        name: value for name, value in os.environ.items() if name in ("PATH", "SYSTEMROOT", "LANG", "PYTHONPATH")
    }
    with digima.serve() as url:
        environment = {
            "PYTHONPATH": str(ROOT / "src"),
            **inherited,
            **secrets,
            "DIGIMA_ACCOUNT_CODE": digima.account_code,
            "DIGIMA_URL": url,
            "INTAKE_SECRET": kengaku.secret,
            "STATE": str(tmp_path / "state.db"),
        }
        yield Products(digima, kengaku, environment)


def test_a_check_knows_every_form_and_warns_and_registers_nothing(products):
    ran = products.run("check")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("Digima knows this form") == 3
    assert "overwritten" in ran.stdout
    assert products.digima.ledger == ()


def test_what_is_delivered_is_posted_and_a_forgery_is_refused(products):
    assert products.run("enable").returncode == 0
    with products.serving() as url:
        products.kengaku.register("reservation", "event-1", email="kim@x.test", answers={"ご計画内容について": "新築"})
        assert products.kengaku.push(url) == [204]
        [delivery] = products.kengaku.deliveries(url, again=True)
        forged = products.kengaku.forged(delivery)
        answers = [
            httpx.post(url, content=forged.body, headers=dict(forged.headers)).status_code,
            httpx.post(url, content=delivery.body, headers=dict(delivery.headers)).status_code,
        ]
    assert answers == [401, 204]
    [post] = products.digima.rows("inquiry")
    assert post["form"] == "来場予約"


def test_entries_of_a_file_are_posted_once(products, tmp_path):
    assert products.run("enable").returncode == 0
    later = dt.datetime.now(dt.UTC).isoformat()
    products.kengaku.register("reservation", "event-1", email="kim@x.test")
    entry = products.kengaku.described("reservation", "reservation-1") | {"at": later}
    file = tmp_path / "entries.jsonl"
    file.write_text(json.dumps(entry, ensure_ascii=False) + "\n", encoding="utf-8")
    for _ in range(2):
        ran = products.run("file", str(file))
        assert ran.returncode == 0, ran.stderr
    assert len(products.digima.rows("inquiry")) == 1


def test_a_wrong_code_ends_the_program_with_a_word_and_without_the_code(products):
    ran = products.run("check", DIGIMA_ACCOUNT_CODE="canary-of-a-wrong-code")
    assert ran.returncode == 1
    assert "account code" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "canary" not in ran.stdout + ran.stderr


@pytest.mark.parametrize("missing", ["INTAKE_SECRET", "DIGIMA_FORM_INQUIRY"])
def test_a_secret_that_is_missing_ends_the_program_with_a_word(products, missing):
    del products.environment[missing]
    ran = products.run("check")
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    assert ran.stderr.strip()


def test_settings_of_ones_own_can_stand_anywhere(products, tmp_path):
    own = tmp_path / "own.toml"
    shutil.copy(PROGRAM.with_suffix(".toml"), own)
    own.write_text(own.read_text("utf-8").replace("merge_address = true", "merge_address = false"), encoding="utf-8")
    ran = products.run("check", SETTINGS=str(own))
    assert ran.returncode == 0, ran.stderr
    assert "overwritten" not in ran.stdout


def test_a_file_that_is_not_there_or_no_utf_8_is_told_in_one_line_and_nothing_of_it_is_taken(products, tmp_path):
    ran = products.run("file", str(tmp_path / "nowhere.jsonl"))
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
    assert "nowhere.jsonl" in ran.stderr
    entries = tmp_path / "entries.jsonl"
    entries.write_bytes('{"氏名": "山田"}\n'.encode("cp932"))
    ran = products.run("file", str(entries))
    assert (ran.returncode, ran.stderr) == (1, f"{entries} is not UTF-8; nothing of it was taken\n")
    assert products.digima.ledger == ()


def test_a_secret_that_is_missing_in_the_environment_is_named(products):
    ran = products.run("check", INTAKE_SECRET="")
    assert (ran.returncode, ran.stderr) == (1, "INTAKE_SECRET is missing in the environment\n")
