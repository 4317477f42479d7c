"""Guards judge the whole queue before the first write, over batches, runs and crashes; a plan says that they object."""

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmbridge import gates, pair, policies
from crmbridge.errors import GuardTripped
from crmbridge.model import Disposition
from crmbridge.reasons import Code

MINUTE = 60


@pytest.fixture
def column(both):
    """Give so many linked people whose names the marketing tool lost, and a pipeline that may empty so many."""

    def make(number=6, *, may=2, of=1, lost=None, **how):
        world = both(**how)
        plain = world.pipeline(policies.left_always).batches(of=of)
        people = [world.left(email=f"p{n}@x.example", name="Kim", city="Tokyo") for n in range(number)]
        world.settle(plain)
        for person in people[:lost]:
            world.ma.edit(person, name=None)
        return world, plain.guard(gates.at_most(blanks=may)), people

    return make


def names(world):
    return sum(bool(lead["Name"]) for lead in world.crm.rows("lead"))


@pytest.mark.parametrize("of", [1, 4, 200])
def test_a_column_that_would_be_emptied_is_counted_whole_before_the_first_write_in_every_run(column, of):
    world, pipe, people = column(of=of)
    world.ma.edit(people[0], city="Kobe")
    before = world.count()
    for _ in range(3):
        with pytest.raises(GuardTripped, match="nothing was written") as tripped:
            world.run(pipe, after=MINUTE)
        assert tripped.value.objection.facts == {"count": 6, "limit": 2}
        assert world.store.rulings.objection("sync") == tripped.value.objection
    assert (world.count(), names(world)) == (before, 6)


@pytest.mark.parametrize("of", [1, 3, 200])
def test_a_pair_counts_once_where_both_of_its_records_wait(column, of):
    world, pipe, people = column(of=of)
    for person in people:
        world.crm.edit(world.counterpart(person), City="Kobe")
    with pytest.raises(GuardTripped) as tripped:
        world.run(pipe, after=MINUTE)
    assert tripped.value.objection.facts["count"] == 6


@pytest.mark.parametrize("of", [1, 2, 200])
def test_a_shared_record_counts_once_however_many_rows_bring_it_up(both, of):
    world = both()
    owned = pair("name", "Name", policies.left_wins, owner="first_linked")
    plain = world.pipeline().many_to_one().override(owned).batches(of=of)
    owners = [world.left(email=f"p{number}@x.example", name="Kim") for number in range(3)]
    world.settle(plain)
    for number in range(3):
        world.left(email=f"p{number}@x.example", name="Kim")
    world.settle(plain)
    for owner in owners:
        world.crm.edit(world.counterpart(owner), City="Kobe")
        world.ma.edit(owner, name=None)
    with pytest.raises(GuardTripped) as tripped:
        world.run(plain.guard(gates.at_most(blanks=0)), after=MINUTE)
    assert tripped.value.objection.facts == {"count": 3, "limit": 0}
    assert names(world) == 3


_EMPTIED = {"no name": 1, "no city": 1, "neither": 2, "no name there": 1}
_CHANGES = st.sampled_from(("nothing", "no name", "no city", "neither", "other name", "no name there", "gone"))


@given(changes=st.lists(_CHANGES, min_size=4, max_size=4), of=st.integers(1, 5))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_run_counts_what_would_be_emptied_as_a_plan_does(worlds, changes, of):
    world = worlds()
    pipe = world.pipeline(policies.left_wins, right="delete").batches(of=of)
    people = [world.left(email=f"p{n}@x.example", name="Kim", city="Tokyo") for n in range(4)]
    world.settle(pipe)
    for person, change in zip(people, changes, strict=True):
        lead = world.counterpart(person)
        match change:
            case "no name" | "no city":
                world.ma.edit(person, **{change.removeprefix("no "): None})
                world.crm.edit(lead, Score="1")
            case "neither":
                world.ma.edit(person, name=None, city=None)
            case "other name":
                world.ma.edit(person, name="Park")
            case "no name there":
                world.crm.edit(lead, Name=None)
            case "gone":
                world.ma.remove(person)
            case _:
                pass
    foreseen = world.plan(pipe).totals.blanks
    told = 0
    try:
        world.run(pipe.guard(gates.at_most(blanks=0)))
    except GuardTripped as tripped:
        told = tripped.objection.facts["count"]
    assert told == foreseen == sum(_EMPTIED.get(change, 0) for change in changes)


def test_what_a_guard_held_goes_on_once_the_values_are_back(column):
    world, pipe, people = column()
    with pytest.raises(GuardTripped):
        world.run(pipe, after=MINUTE)
    for person in people[2:]:
        world.ma.edit(person, name="Kim")
    world.run(pipe, after=MINUTE)
    assert names(world) == 4
    assert world.store.rulings.objection("sync") is None


def test_no_process_that_dies_lets_the_next_one_empty_more(column):
    for effect in range(1, 400):
        world, pipe, _ = column(3, may=1)
        if world.folder is not None:
            return
        before = world.count()
        try:
            died = world.die(pipe, crash_after=effect)
        except GuardTripped:
            died = False
        with pytest.raises(GuardTripped):
            world.run(pipe, after=3600)
        assert (world.count(), names(world)) == (before, 3)
        if not died:
            return
    pytest.fail("the run never came to its end")


@pytest.fixture
def overtaken(column):
    """A run that a guard stops in its middle, since the column is lost after the whole queue was judged."""
    world, pipe, people = column(4, lost=0)
    for person in people:
        world.ma.edit(person, city="Kobe")

    def lose(what):
        world.crm.meanwhile = lambda _: None
        for person in people:
            world.ma.edit(person, name=None)

    world.crm.meanwhile = lambda what: lose(what) if what.startswith("update") else None
    return world, pipe, people


def test_a_run_that_is_stopped_in_its_middle_says_what_was_written(overtaken):
    world, pipe, _ = overtaken
    with pytest.raises(GuardTripped, match="too_many_blanks") as tripped:
        world.run(pipe, after=MINUTE)
    assert names(world) == 2
    assert "nothing was written" not in str(tripped.value)
    assert f"{tripped.value.written} records had been written by then" in str(tripped.value)
    assert tripped.value.written == 3
    assert tripped.value.objection.facts == {"count": 3, "limit": 2, "emptied": 2}


def test_what_a_stopped_run_has_emptied_counts_in_the_next_ones(overtaken):
    world, pipe, people = overtaken
    for _ in range(3):
        with pytest.raises(GuardTripped):
            world.run(pipe, after=MINUTE)
        assert names(world) == 2
    for person in people:
        world.ma.edit(person, name="Park")
    world.run(pipe, after=MINUTE)
    assert world.store.rulings.objection("sync") is None
    assert names(world) == 4


def test_a_person_who_runs_a_plan_overrules_what_held_the_runs(overtaken):
    world, pipe, _ = overtaken
    with pytest.raises(GuardTripped):
        world.run(pipe, after=MINUTE)
    world.run(pipe, plan=world.plan(pipe))
    assert names(world) == 0
    assert world.store.rulings.objection("sync") is None
    world.run(pipe, after=MINUTE)


def test_a_queue_that_could_not_empty_too_much_is_decided_once(world):
    seen = []

    class Watching:
        def saw(self, event):
            seen.append(event.name)

    pipe = world.pipeline(policies.left_wins).guard(gates.at_most(blanks=6)).observed(Watching())
    person, _ = world.pair(pipe)
    seen.clear()
    world.ma.edit(person, name=None)
    world.run(pipe, after=MINUTE)
    assert "foreseen" not in seen
    tight = world.pipeline(policies.left_wins).guard(gates.at_most(blanks=5)).observed(Watching())
    world.ma.edit(person, city=None)
    world.run(tight, after=MINUTE)
    assert "foreseen" in seen


# -- what is gone ------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["detach", "delete"])
def test_a_side_that_reports_everything_as_deleted_is_not_believed_where_a_guard_says_so(both, rule):
    world = both()
    pipe = world.pipeline(right=rule).guard(gates.not_emptied())
    people = [world.left(email=f"p{n}@x.example") for n in range(3)]
    world.settle(pipe)
    for person in people:
        world.ma.remove(person)
    new = world.left(email="new@x.example")
    for _ in range(2):
        with pytest.raises(GuardTripped, match="emptied"):
            world.run(pipe, after=MINUTE)
    assert (len(world.links()), len(world.crm.rows("lead"))) == (3, 3)
    plan = world.plan(pipe)
    assert plan.objection.code is Code.EMPTIED
    world.run(pipe, plan=plan)
    assert [link.left for link in world.links()] == [new]


def test_a_linked_record_that_lives_on_in_another_is_not_gone(both):
    world = both()
    pipe = world.pipeline().guard(gates.not_emptied())
    person, _ = world.pair(pipe)
    winner = world.left(email="kim@y.example", name="Kim")
    world.ma.merge(person, winner)
    world.settle(pipe)
    assert [link.left for link in world.links()] == [winner]


# -- plans -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("en", "! sync: Too many filled fields would be emptied: 6, where 2 are allowed."),
        ("ja", "! sync: 空欄に変わる項目が多すぎます(6件。上限は2件)。"),
    ],
)
def test_a_plan_says_that_a_guard_objects_and_a_run_of_it_overrules_the_guard(column, tmp_path, language, line):
    world, pipe, _ = column()
    plan = world.plan(pipe)
    assert line in plan.say(language).splitlines()
    assert [finding.because for finding in plan.findings] == [plan.objection]
    assert plan.objection.facts == {"count": 6, "limit": 2}
    plan.save(tmp_path / "plan.jsonl")
    assert world.ready(pipe).load(tmp_path / "plan.jsonl") == plan
    assert world.run(pipe, plan=plan).counts[Disposition.APPLIED] == 6
    assert names(world) == 0


def test_a_plan_to_which_no_guard_objects_says_nothing_of_guards(column):
    world, pipe, _ = column(lost=2)
    plan = world.plan(pipe)
    assert (plan.objection, plan.findings) == (None, ())
    assert "guard" not in str(plan)


def test_a_plan_counts_what_is_gone_and_its_file_does_too(both, tmp_path):
    world = both()
    pipe = world.pipeline().guard(gates.not_emptied())
    person, _ = world.pair(pipe)
    world.ma.remove(person)
    plan = world.plan(pipe)
    plan.save(tmp_path / "plan.jsonl")
    loaded = world.ready(pipe).load(tmp_path / "plan.jsonl")
    assert plan.totals.gone == loaded.totals.gone == 1
    assert loaded.objection == plan.objection == attrs.evolve(plan.objection, code=Code.EMPTIED)
