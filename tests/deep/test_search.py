"""The deep search goes on where it ended, gives each part its time, and stops at what it finds."""

import json

import pytest


@pytest.fixture
def parts(search, tmp_path):
    """Two parts of one test each, which notes its seed; the second one fails in its third round."""
    (tmp_path / "conftest.py").write_text(
        "from hypothesis import settings\nsettings.register_profile('deep')\n", "utf-8"
    )
    (tmp_path / "test_one.py").write_text(
        "import os, pathlib\n"
        "def test_one():\n"
        "    told = os.environ['SIZE'], os.environ['FIRST']\n"
        f"    with pathlib.Path({str(tmp_path / 'seen')!r}).open('a') as file:\n"
        "        file.write(' '.join(told) + '\\n')\n",
        "utf-8",
    )
    (tmp_path / "test_two.py").write_text(
        "import os\ndef test_two():\n    assert os.environ['NUMBER'] != '8'\n", "utf-8"
    )
    return {
        "one": search.Part((str(tmp_path / "test_one.py"),), "seeds", 100, "SIZE", "FIRST"),
        "two": search.Part((str(tmp_path / "test_two.py"),), "seeds", 4, "SIZE", "NUMBER"),
    }


def test_each_round_has_seeds_of_its_own_and_a_search_goes_on_where_the_last_one_ended(search, parts, tmp_path):
    only, results = {"one": parts["one"]}, tmp_path / "results.jsonl"
    first = next(search.search(only, results, 60.0))
    second = next(search.search(only, results, 60.0))
    assert (tmp_path / "seen").read_text("utf-8") == "100 0\n100 100\n"
    assert [json.loads(line) for line in results.read_text("utf-8").splitlines()] == [first, second]
    assert (first["tested"], first["amount"], first["held"]) == (search.tested(), 100, True)


def test_a_change_of_the_package_begins_anew(search, parts, tmp_path):
    results = tmp_path / "results.jsonl"
    results.write_text(json.dumps({"part": "one", "tested": "another", "round": 7, "seconds": 1}) + "\n", "utf-8")
    assert next(search.search({"one": parts["one"]}, results, 60.0))["round"] == 0


def test_what_is_found_ends_the_search_and_stands_in_the_results(search, parts, tmp_path):
    results = tmp_path / "results.jsonl"
    lines = list(search.search({"two": parts["two"]}, results, 120.0))
    assert [(line["round"], line["held"]) for line in lines] == [(0, True), (1, True), (2, False)]


def test_the_part_that_had_the_least_time_comes_next_and_none_that_would_not_fit(search, parts):
    def had(part, seconds, of="now"):
        return {"part": part, "tested": of, "seconds": seconds}

    assert search.upcoming(parts, [had("one", 5)], "now", 60) == "two"
    assert search.upcoming(parts, [had("one", 5), had("two", 9)], "now", 60) == "one"
    assert search.upcoming(parts, [had("one", 5), had("two", 90)], "now", 60) == "one"
    assert search.upcoming(parts, [had("one", 70, of="before")], "now", 60) == "two"
    assert search.upcoming(parts, [], "now", 60) == "one"
    assert search.upcoming(parts, [had("one", 70), had("two", 90)], "now", 60) is None


def test_every_part_can_be_run_and_says_how_much_an_ordinary_run_does(search):
    assert {"simulated lives", "state machine", "stores compared", "planted defects"} <= search.here().keys()
    assert search.PARTS["simulated lives"].ordinary == 300
    assert search.PARTS["state machine"].ordinary is None
    [arguments, variables] = search.PARTS["simulated lives"].round(3)
    assert variables == {"CRMBRIDGE_SEEDS": "1000", "CRMBRIDGE_FIRST_SEED": "3000"}
    assert "--hypothesis-seed=3" in arguments


def test_the_kept_results_can_be_read(search):
    for line in search.rounds(search.RESULTS):
        assert line.keys() >= {"part", "tested", "commit", "on", "round", "amount", "unit", "seconds", "held"}
