"""One defect at a time, planted into a copy of the package: the tests that are named with it must fail there."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import pytest

from .catalogue import PLANTS as CATALOGUE
from .catalogue import ROWS
from .connectors import PLANTS as CONNECTORS
from .drivers import PLANTS as DRIVERS
from .fake_data import PLANTS as FAKE_DATA
from .fake_doors import PLANTS as FAKE_DOORS
from .life import PLANTS as LIFE
from .trials import PLANTS as TRIALS
from .values import PLANTS as VALUES
from .words import PLANTS as WORDS

ROOT = Path(__file__).resolve().parents[2]


@attrs.frozen
class Plant:
    """A defect: in *file* the only occurrence of *sound* becomes *broken*; *caught* are tests that must fail."""

    file: str
    sound: str
    broken: str
    caught: tuple[str, ...]


STORIES = "tests/engine/test_stories.py"
CRASHES = "tests/engine/test_crashes.py"
FIELDS = "tests/core/test_fields.py"
APPROVED = "tests/engine/test_approved_plans.py"
GUARDS = "tests/engine/test_guards.py"
COUNTS = "tests/engine/test_what_guards_count.py"
ODD = "tests/engine/test_odd_connectors.py"
GALLERY = "tests/conformance/test_gallery.py"

SIMULATED = "tests/simulate/test_simulate.py"
PLANTS = {
    "the agreement moves on sight": Plant(
        "plan/_fields.py",
        "        writes[place] = value\n",
        "        writes[place] = value\n        self.agreed[place] = held\n",
        (f"{FIELDS}::test_the_agreement_moves_without_a_write_only_to_what_both_sides_hold",),
    ),
    "any later reading of a sent field counts as our own": Plant(
        "plan/_fields.py",
        "learned[place] = now if pair.own(side, waiting.sent, now) else waiting.sent",
        "learned[place] = now",
        (
            f"{FIELDS}::test_only_what_could_be_the_stored_form_of_our_value_is_taken_for_ours",
            f"{STORIES}::test_an_edit_between_our_write_and_our_next_read_is_not_swallowed",
        ),
    ),
    "all fields are learned after a write": Plant(
        "plan/_fields.py",
        "        if waiting is None or isinstance(now, Missing):\n            continue\n        learned[place] = now if",
        "        if waiting is None and not isinstance(now, Missing):\n            learned[place] = now\n"
        "        if waiting is None or isinstance(now, Missing):\n            continue\n        learned[place] = now if",
        (f"{STORIES}::test_an_edit_between_our_write_and_our_next_read_is_not_swallowed",),
    ),
    "exact echo instead of the same in another form": Plant(
        "plan/_pairing.py",
        "return sent == read or stored(sent, read)",
        "return sent == read and stored is not None",
        (f"{STORIES}::test_vendors_that_normalise_in_opposite_directions_settle_with_two_writes_for_an_edit",),
    ),
    "nothing is promised before it is sent": Plant(
        "_engine/sweep.py",
        "        promised=tuple(intent for verdict in verdicts for intent in verdict.intents),\n",
        "        promised=(),\n",
        (f"{SIMULATED}::test_events_are_posted_once_each_and_all_that_can_be_reached_is",),
    ),
    "emptied fields are judged batch by batch": Plant(
        "_engine/_guards.py",
        "    blanks = pairs * len(definition.every_field) * len(SIDES)\n",
        "    blanks = pairs * len(definition.every_field) * 0\n",
        (f"{GUARDS}::test_a_column_that_would_be_emptied_is_counted_whole_before_the_first_write_in_every_run",),
    ),
    "what a stopped run has emptied is forgotten": Plant(
        "_engine/_guards.py",
        "    run.sums.before = yield from done_before(run)\n    found = yield from _judged",
        "    _ = yield from done_before(run)\n    found = yield from _judged",
        (
            f"{GUARDS}::test_what_a_stopped_run_has_emptied_counts_in_the_next_ones",
            f"{COUNTS}::test_removals_that_only_a_read_by_id_shows_never_exceed_what_is_allowed_however_often_it_is_run",
        ),
    ),
    "deletions that are reported are not counted as gone": Plant(
        "_engine/_halves.py",
        "strict=True) if found.state is State.GONE\n    )\n",
        "strict=True) if found.state is State.NONE\n    )\n",
        (f"{GUARDS}::test_a_side_that_reports_everything_as_deleted_is_not_believed_where_a_guard_says_so",),
    ),
    "that a side is emptied shows only in its last batch": Plant(
        "_engine/_guards.py",
        "    return Totals(0, tally.links, {}, writes, blanks, pairs)\n",
        "    return Totals(0, tally.links, {}, writes, blanks)\n",
        (f"{COUNTS}::test_links_that_would_close_because_a_side_is_not_shown_any_more_are_not_believed",),
    ),
    "a shared record counts as one": Plant(
        "_engine/_guards.py",
        'if rows and side == "right" and definition.shared else',
        'if rows and side == "right" and not definition.shared else',
        (f"{COUNTS}::test_the_removal_of_a_shared_record_counts_for_all_who_share_it",),
    ),
    "a first contact is no update": Plant(
        "_engine/_guards.py",
        "pairs + sum(tally.unlinked.values()))",
        "pairs)",
        (f"{COUNTS}::test_a_record_that_meets_its_counterpart_for_the_first_time_may_be_an_update",),
    ),
    "what comes up in the middle of a run is not judged": Plant(
        "_engine/_guards.py",
        "    if not run.definition.guards or run.overruled or not any(",
        "    if run.definition.guards or run.overruled or not any(",
        (
            f"{COUNTS}::test_removals_that_only_a_read_by_id_shows_never_exceed_what_is_allowed_however_often_it_is_run",
            f"{COUNTS}::test_children_that_wake_in_the_middle_of_a_run_are_judged_with_all_that_it_has_made",
            f"{COUNTS}::test_events_that_come_due_while_a_run_goes_on_are_judged_with_all_that_it_has_made",
        ),
    ),
    "a plan counts a pair once for each of its rows": Plant(
        "_engine/_sums.py",
        "        self._counted.add(*what)\n",
        "        _ = what\n",
        (f"{COUNTS}::test_a_plan_and_its_file_count_a_pair_once_whichever_of_its_rows_are_in_which_batch",),
    ),
    "a plan of children hears nothing of their parents' guards": Plant(
        "_engine/_guards.py",
        "        if name in inside:\n",
        "        if name not in inside:\n",
        (f"{COUNTS}::test_a_plan_of_children_says_what_the_guard_of_their_parents_says",),
    ),
    "what a run of a plan left undone waits for the end of its lease": Plant(
        "_engine/sweep.py",
        "    yield from ready_again(run)\n    run.enabled_since",
        "    run.enabled_since",
        (f"{APPROVED}::test_the_next_ordinary_run_decides_at_once_about_what_a_plan_left_undone",),
    ),
    "the cursor moves before what was read is in the queue": Plant(
        "_engine/_ingest.py",
        "        yield from run.commit(delta)\n        cursor",
        "        yield from run.commit(Delta(progress=delta.progress))\n"
        "        yield from run.commit(delta)\n        cursor",
        (f"{SIMULATED}::test_a_sound_pipeline_breaks_no_law[left_wins]",),
    ),
    "an update in doubt is forgotten": Plant(
        "_engine/_recover.py",
        "links=(judged,) if ours else ()",
        "links=()",
        (f"{STORIES}::test_an_update_whose_answer_was_lost_is_neither_sent_again_nor_forgotten",),
    ),
    "a create of class A ends before what is under way has settled": Plant(
        "_engine/_recover.py",
        "        return Delta(promised=(attrs.evolve(intent, doubt_since=run.now()),))\n",
        "        return Delta(settled=(intent.key,), wake=_woken(intent, None))\n",
        ("tests/engine/test_recovery.py::test_a_create_sent_again_whose_answer_is_lost_too_stays_open",),
    ),
    "strangers of the window of a create in doubt are copied back": Plant(
        "_engine/_patience.py",
        "    return any(stamp is None or window.begins <= stamp <= window.ends for window in windows)",
        "    return stamp is None and bool(windows)",
        (f"{STORIES}::test_a_copy_that_a_person_edits_before_we_have_seen_it_is_not_copied_back",),
    ),
    "no settle time": Plant(
        "_engine/_recover.py",
        "    return since + max(able.settles_in, able.read_lag)",
        "    return since",
        (
            f"{STORIES}::test_a_create_whose_answer_was_lost_is_made_once",
            f"{STORIES}::test_an_update_whose_answer_was_lost_is_neither_sent_again_nor_forgotten",
        ),
    ),
    "a merge that the feed has told is forgotten where a read by id is silent": Plant(
        "_engine/_seen.py",
        "        if silent:\n",
        "        if silent and self._run.planning:\n",
        (f"{ODD}::test_a_merge_that_the_feed_has_told_is_believed_though_a_read_by_id_is_silent",),
    ),
    "an instant without a time zone is taken as it is": Plant(
        "_engine/_zones.py",
        "one.utcoffset() is None for one in told):\n",
        "one.utcoffset() is not None and False for one in told):\n",
        (f"{ODD}::test_an_instant_without_a_time_zone_is_refused_by_name",),
    ),
    "a law of values tries text alone": Plant(
        "testing/checks/_kept.py",
        '        yield ", ".join(dict.fromkeys(what',
        '        return\n        yield ", ".join(dict.fromkeys(what',
        (f"{GALLERY}::test_a_wrong_connector_is_caught_by_the_law_about_its_fault[loses seconds]",),
    ),
    "the settle time counts from the promise": Plant(
        "_engine/_recover.py",
        "    since = intent.doubt_since or run.now()\n",
        "    since = intent.promised_at\n",
        ("tests/engine/test_recovery.py::test_the_settle_time_counts_from_the_take_over",),
    ),
    "a create without any key is sent again": Plant(
        "_engine/_recover.py",
        "    why = because(Code.IN_DOUBT, system=run.definition.end(intent.side).system)\n    side = other(",
        "    return Delta(settled=(intent.key,), wake=_woken(intent, None))\n"
        "    why = because(Code.IN_DOUBT, system=run.definition.end(intent.side).system)\n    side = other(",
        (f"{CRASHES}::test_without_any_key_a_create_in_doubt_is_found_or_left_to_a_person_and_never_made_twice",),
    ),
    "the precondition is not sent": Plant(
        "_engine/_merging.py",
        "        version = own.record.version if able.conditional_writes else None\n",
        "        version = None\n",
        (f"{STORIES}::test_an_edit_between_our_read_and_our_write_is_not_covered",),
    ),
    "no reading before an unconditional write": Plant(
        "_engine/_act.py",
        "not run.able(side, action.ref.kind).conditional_writes:",
        "not run.able(side, action.ref.kind).conditional_writes and run.planning:",
        (
            "tests/engine/test_recovery.py::test_without_conditional_writes_a_record_is_read_once_more_before_it_is_written",
        ),
    ),
    "the look for a lost copy ignores copies that are gone": Plant(
        "testing/connector.py",
        "        if question.gone:\n            candidates",
        "        if question.gone and question.limit < 0:\n            candidates",
        (f"{STORIES}::test_a_copy_that_was_removed_before_we_looked_is_not_made_again",),
    ),
    "the directory is not told of our own writes": Plant(
        "_engine/_remember.py",
        "                keys.append(_keyed(run, verdict, intent, outcome))\n",
        "",
        ("tests/engine/test_sharing.py::test_new_records_with_one_key_make_one_record_that_all_join",),
    ),
    "a revived record is made under its old key": Plant(
        "_engine/_create.py",
        "mark_of(run, towards, kind, record.ref, subject.incarnation)",
        "mark_of(run, towards, kind, record.ref)",
        ("tests/engine/test_recovery.py::test_a_revived_record_is_made_under_a_key_of_its_own",),
    ),
    "a field written on both sides is agreed at the first answer": Plant(
        "_engine/_agree.py",
        "if place is None or (promise.both and promise.pair not in theirs):",
        "if place is None:",
        ("tests/engine/test_recovery.py::test_a_field_written_on_both_sides_is_agreed_when_both_have_answered",),
    ),
    "readings older than our own write are believed": Plant(
        "_engine/_halves.py",
        "seen.stamp < agreed.own_stamp:",
        "seen.stamp < agreed.own_stamp and run.planning:",
        (f"{STORIES}::test_a_reading_older_than_our_own_write_is_held_and_read_again",),
    ),
    "a guard is asked after the writes": Plant(
        "_engine/sweep.py",
        "    if not run.planning and run.approved is None:\n        yield from guarded(run)\n",
        "",
        (f"{STORIES}::test_a_guard_trips_before_the_first_write_and_holds_every_later_run",),
    ),
    "a match is made while its key has an open create": Plant(
        "_engine/_patience.py",
        "    if not matched or not run.doubts:\n        return frozenset()\n",
        "    if matched or not run.doubts:\n        return frozenset()\n",
        (f"{STORIES}::test_an_open_create_keeps_its_origin_from_being_matched_with_the_unseen_copy",),
    ),
}
TABLES = (LIFE, CATALOGUE, TRIALS, VALUES, WORDS, FAKE_DATA, FAKE_DOORS, CONNECTORS, DRIVERS)
PLANTS |= {name: Plant(*row) for table in TABLES for name, row in table.items()}

USUAL = (
    "a create of class A ends before what is under way has settled",
    "no settle time",
    "any later reading of a sent field counts as our own",
    "a listing that was cut short is taken for whole",
    "a lost memory is not noticed",
    "B04: unchanged fields are written too",
    "B10: Salesforce's next page begins behind the stamp",
    "B16: a rotated token is shown before it is saved",
    "B20: a stale fence commits to a file",
    "B22: any address is one of ours",
    "B24: a backslash is not escaped in SOQL",
    "B34: a link does not follow a merge",
    "I25: the creates of a batch do not see each other",
)
"""Planted in every run; the others under CRMBRIDGE_ALL=1, so many of them as CRMBRIDGE_DEFECTS says.

CRMBRIDGE_TURN=1/3 leaves two thirds of the others to the runs of other changes.
"""

FIRST, MANY = (int(os.environ.get(f"CRMBRIDGE_{name}", "0")) for name in ("FIRST_SEED", "DEFECTS"))
TURN, TURNS = map(int, os.environ.get("CRMBRIDGE_TURN", "0/1").split("/"))


def _chosen():
    """Choose the defects of this run."""
    if os.environ.get("CRMBRIDGE_ALL") != "1":
        return USUAL
    some = tuple(PLANTS)[FIRST : FIRST + (MANY or len(PLANTS))]
    return tuple(name for number, name in enumerate(some) if number % TURNS == TURN or name in USUAL)


NAMES = _chosen()

_ENVIRONMENT = {"PYTHONDONTWRITEBYTECODE": "1", "PYTEST_ADDOPTS": "", "CRMBRIDGE_ALL": "0"}
"""Options of the run around this one are not those of the run inside it."""


def planted(folder, plant):
    """Copy the package with a defect in it."""
    # Compiled files are copied too and stay good, since times are kept: only the changed module is compiled again.
    shutil.copytree(ROOT / "src" / "crmbridge", folder / "crmbridge")
    path = folder / "crmbridge" / plant.file
    sound = path.read_text("utf-8")
    if sound.count(plant.sound) != 1:
        return None
    path.write_text(sound.replace(plant.sound, plant.broken), "utf-8")
    return folder


def judged(folder, plant):
    """Run the tests of a defect against a copy of the package that has it; None where it could not be planted."""
    copy = planted(folder, plant)
    if copy is None:
        return None
    enough = f"--maxfail={1 if len(plant.caught) == 1 else 0}"
    calm = ("-q", "-p", "no:cacheprovider", "-p", "no:randomly", "--tb=no", enough)
    try:
        return subprocess.run(
            [sys.executable, "-m", "pytest", *calm, *plant.caught],
            cwd=ROOT, env={**os.environ, **_ENVIRONMENT, "PYTHONPATH": str(copy)},
            capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def verdicts(request, tmp_path_factory):
    """Plant the defects of the tests that were chosen, as many at a time as there are processors."""
    folder = tmp_path_factory.mktemp("planted")
    asked = [item.callspec.params["name"] for item in request.session.items if item.path == request.path
             and item.originalname == "test_a_planted_defect_is_caught"]  # fmt: skip
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield {name: pool.submit(judged, folder / str(number), PLANTS[name]) for number, name in enumerate(asked)}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name", NAMES)
def test_a_planted_defect_is_caught(verdicts, name, record_property):
    plant, found = PLANTS[name], verdicts[name].result()
    assert found is not None, f"{plant.file} has changed: plant this defect anew"
    assert found.returncode == 1, found.stdout
    for test in plant.caught:
        assert f"FAILED {test}" in found.stdout, found.stdout
    record_property("defects", 1)


def test_every_defect_stands_where_it_can_be_planted():
    lost = [name for name, plant in PLANTS.items()
            if (ROOT / "src" / "crmbridge" / plant.file).read_text("utf-8").count(plant.sound) != 1]  # fmt: skip
    assert lost == [], "what is sound has changed: plant these anew"


def test_a_deep_search_plants_them_all():
    spec = importlib.util.spec_from_file_location("deep_search", ROOT / "tests" / "deep" / "search.py")
    search = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(search)
    assert search.PARTS["planted defects"].target == len(PLANTS)


def test_every_row_of_the_catalogue_is_planted():
    assert list(ROWS) == [*(f"B{number:02}" for number in range(1, 36)), "I25", "I26"]
    assert [name for _, names in ROWS.values() for name in names if name not in PLANTS] == []
    assert set(CATALOGUE) <= {name for _, names in ROWS.values() for name in names}
    assert set(USUAL) <= PLANTS.keys()
