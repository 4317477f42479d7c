"""The deep search goes on where it ended, gives each part its time, counts what was done, and stops at what it finds."""

import json

import pytest


@pytest.fixture
def parts(search, tmp_path):
    """Two parts of one test each, which counts what it did; the second one fails in its third round."""
    (tmp_path / "conftest.py").write_text(
        "from hypothesis import settings\nsettings.register_profile('deep')\n", "utf-8"
    )
    (tmp_path / "test_one.py").write_text(
        "import os, pathlib\n"
        "def test_one(record_property):\n"
        "    told = os.environ['SIZE'], os.environ['CRMBRIDGE_FIRST_SEED']\n"
        f"    with pathlib.Path({str(tmp_path / 'seen')!r}).open('a') as file:\n"
        "        file.write(' '.join(told) + '\\n')\n"
        "    record_property('seeds', 90)\n"
        "    record_property('operations', 700)\n"
        "def test_more(record_property):\n"
        "    record_property('seeds', 10)\n"
        "def test_words_are_not_counted(record_property):\n"
        "    record_property('seeds', 'many')\n",
        "utf-8",
    )
    (tmp_path / "test_two.py").write_text(
        "import os\n"
        "def test_two(record_property):\n"
        "    record_property('seeds', 4)\n"
        "    assert os.environ['CRMBRIDGE_FIRST_SEED'] != '8'\n",
        "utf-8",
    )
    (tmp_path / "test_three.py").write_text("def test_three():\n    pass\n", "utf-8")
    return {
        "one": search.Part(str(tmp_path / "test_one.py"), "seeds", 100, 200, "SIZE", {"operations": 1_000}),
        "two": search.Part(str(tmp_path / "test_two.py"), "seeds", 4, 40, "SIZE"),
        "three": search.Part(str(tmp_path / "test_three.py"), "seeds", 4, 40, "SIZE"),
    }


def test_each_round_has_seeds_of_its_own_and_a_search_goes_on_where_the_last_one_ended(search, parts, tmp_path):
    only, results = {"one": parts["one"]}, tmp_path / "results.jsonl"
    first = next(search.search(only, results, 60.0))
    second = next(search.search(only, results, 60.0))
    assert (tmp_path / "seen").read_text("utf-8") == "100 0\n100 100\n"
    assert [json.loads(line) for line in results.read_text("utf-8").splitlines()] == [first, second]
    assert (first["tested"], first["amount"], first["unit"], first["held"]) == (search.tested(), 100, "seeds", True)
    assert first["more"] == {"operations": 700}
    assert not parts["one"].done([first])
    assert parts["one"].done([first, second])


def test_a_change_of_the_package_begins_anew(search, parts, tmp_path):
    results = tmp_path / "results.jsonl"
    results.write_text(json.dumps({"part": "one", "tested": "another", "round": 7, "seconds": 1}) + "\n", "utf-8")
    assert next(search.search({"one": parts["one"]}, results, 60.0))["round"] == 0


def test_what_is_found_ends_the_search_and_stands_in_the_results(search, parts, tmp_path):
    results = tmp_path / "results.jsonl"
    lines = list(search.search({"two": parts["two"]}, results, 120.0))
    assert [(line["round"], line["held"]) for line in lines] == [(0, True), (1, True), (2, False)]


def test_a_round_that_counts_nothing_has_shown_nothing(search, parts, tmp_path):
    [line] = search.search({"three": parts["three"]}, tmp_path / "results.jsonl", 60.0)
    assert (line["amount"], line["held"]) == (0, False)


def test_the_part_that_had_the_least_time_comes_next_and_none_that_would_not_fit(search, parts):
    two = {name: parts[name] for name in ("one", "two")}

    def had(part, seconds, of="now", amount=1):
        return {"part": part, "tested": of, "seconds": seconds, "amount": amount, "unit": "seeds"}

    assert search.upcoming(two, [had("one", 5)], "now", 60) == "two"
    assert search.upcoming(two, [had("one", 5), had("two", 9)], "now", 60) == "one"
    assert search.upcoming(two, [had("one", 5), had("two", 90)], "now", 60) == "one"
    assert search.upcoming(two, [had("one", 70, of="before")], "now", 60) == "two"
    assert search.upcoming(two, [], "now", 60) == "one"
    assert search.upcoming(two, [had("one", 70), had("two", 90)], "now", 60) is None
    assert search.upcoming(two, [had("one", 9), had("two", 5, amount=40)], "now", 60) == "one", "two has all it wants"


def test_every_part_can_be_run_and_says_how_much_an_ordinary_run_does(search):
    named = {name: part for name, part in search.PARTS.items() if not part.needs}
    assert [name for name, part in named.items() if not part.here] == []
    assert [name for name, part in named.items() if not part.ordinary] == []
    assert search.PARTS["simulated lives"].ordinary == 500
    [arguments, variables] = search.PARTS["simulated lives"].round(3)
    assert variables == {"CRMBRIDGE_SEEDS": "1000", "CRMBRIDGE_FIRST_SEED": "3000", "CRMBRIDGE_ALL": "1"}
    assert "--hypothesis-seed=3" in arguments


def test_every_test_of_a_part_exists_and_counts_what_the_part_is_measured_in(search):
    for name, part in search.PARTS.items():
        source, wanted = part.file.read_text("utf-8"), part.test.partition("::")[2].partition("[")[0]
        assert not wanted or f"def {wanted}(" in source, name
        counts = [f'record_property("{unit}"' in source or f'"{unit}", many' in source for unit in part.targets]
        assert all(counts) or "counted(" in source, name


def test_a_part_that_needs_what_is_not_here_is_passed_over_by_name(search, parts, capsys):
    odd = search.Part(parts["one"].test, "seeds", 1, 1, "SIZE", needs="no_such_package")
    assert search.main(["--minutes", "1"], {"odd": odd}) == 0
    assert capsys.readouterr().out == "odd: passed over, no_such_package is not here\n"


def test_the_kept_results_can_be_read(search):
    for line in search.rounds(search.RESULTS):
        assert line.keys() >= {"part", "tested", "commit", "on", "round", "amount", "unit", "seconds", "held"}
