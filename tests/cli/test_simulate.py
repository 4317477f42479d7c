"""`crmbridge simulate`: figures, what was reached, stories of what broke, and the exit status."""

from __future__ import annotations

import json
import os
import textwrap

import pytest

from crmbridge import blueprints
from crmbridge.cli import main
from crmbridge.cli._simulate import names, world_of
from crmbridge.testing import simulate, worlds

SEEDS = int(os.environ.get("CRMBRIDGE_SEEDS", "30"))
FIRST = int(os.environ.get("CRMBRIDGE_FIRST_SEED", "0"))


def test_prospects_leads_and_contacts_break_no_law(counted):
    how = world_of("account_engagement_salesforce")
    report = simulate(how.build, how.world, seeds=SEEDS, first=FIRST, crashes=True)
    assert counted(report).ok, report


def test_every_blueprint_is_simulated():
    made = {module.stem for path in blueprints.__path__ for module in _modules(path)}
    assert made == set(names())


def _modules(path):
    from pathlib import Path

    return [module for module in Path(path).glob("*.py") if not module.stem.startswith("_")]


def test_the_command_prints_what_was_reached_and_succeeds(capsys):
    assert main(["simulate", "kengaku-digima", "--seeds", "4", "--first", "11", "--crashes"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("kengaku-digima: seeds 11 to 14\n")
    assert "        4  seeds\n" in out
    assert "  changed | none: create right\n" in out
    assert out.endswith("No law was broken.\n")


def test_the_command_speaks_japanese(capsys):
    assert main(["simulate", "kengaku_digima", "--seeds", "1", "--lang", "ja"]) == 0
    assert "違反はありませんでした。" in capsys.readouterr().out


def test_the_command_prints_json(capsys):
    assert main(["simulate", "kengaku_digima", "--seeds", "3", "--crashes", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {
        "pipeline", "first", "seeds", "operations", "runs", "edits", "crashes", "windows", "twice", "reached",
        "unreached", "beyond", "violations", "ok",
    }  # fmt: skip
    assert (told["seeds"], told["ok"], told["violations"]) == (3, True, [])
    assert told["reached"]["applied"] > 0


def test_a_blueprint_that_there_is_not_is_answered_with_the_nearest_ones(capsys):
    assert main(["simulate", "kengaku_digma"]) == 2
    error = capsys.readouterr().err
    assert "'kengaku_digma'" in error
    assert "did you mean kengaku_digima?" in error


@pytest.mark.parametrize("seeds", ["0", "-1", "many"])
def test_a_number_of_seeds_that_there_cannot_be_is_a_wrong_question(seeds):
    with pytest.raises(SystemExit, match="2"):
        main(["simulate", "kengaku_digima", f"--seeds={seeds}"])


BROKEN = """
    from crmbridge.testing.simulation import Breach
    from crmbridge.testing.worlds import kengaku_digima as sound

    build = sound.build

    def world(seed):
        made = sound.world(seed)
        made.laws = [lambda world: [Breach("own", "an inquiry came in") for _ in world.right.rows("inquiry")]]
        return made
"""


def test_a_broken_law_fails_the_command_and_a_world_is_found_by_its_name(tmp_path, monkeypatch, capsys):
    (tmp_path / "a_further_pair.py").write_text(textwrap.dedent(BROKEN), "utf-8")
    monkeypatch.setattr(worlds, "__path__", [*worlds.__path__, str(tmp_path)])
    assert "a_further_pair" in names()
    assert main(["simulate", "a-further-pair", "--seeds", "1"]) == 1
    out = capsys.readouterr().out
    assert "Seed 0 breaks own (a law of the world's own): an inquiry came in\n" in out
    assert "    1. somebody enters kengaku:" in out
    assert main(["simulate", "a_further_pair", "--seeds", "1", "--json"]) == 1
    [told] = json.loads(capsys.readouterr().out)["violations"]
    assert (told["seed"], told["law"], len(told["story"])) == (0, "own", 1)
