"""A plan goes to a file and back, and only the plan that this store made is taken up again; and what a plan costs."""

import datetime as dt
import hashlib
import json
import os
import tracemalloc

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge import Disposition, at, pair, policies, two_way
from crmbridge.errors import PlanRefused
from crmbridge.flow import Account, RateBudget
from crmbridge.model import FieldSpec
from crmbridge.stores.memory import MemoryStore
from crmbridge.stores.sqlite import SqliteStore
from crmbridge.testing.connector import EVERYTHING, FakeConnector, described


@pytest.fixture
def planned(both, tmp_path):
    """A world with a plan of an update and a create, and the file that it was saved into."""
    world = both()
    person, _ = world.pair()
    world.settle()
    world.ma.edit(person, name="Park")
    world.left(email="lee@x.example", name="Lee")
    plan = world.plan()
    plan.save(tmp_path / "plan.jsonl")
    return world, plan, tmp_path / "plan.jsonl"


def test_a_plan_comes_back_from_a_file_as_it_was_and_can_be_run(planned):
    world, plan, path = planned
    loaded = world.ready().load(path)
    assert loaded == plan
    assert str(loaded) == str(plan)
    assert list(loaded.rows()) == list(plan.rows())
    assert world.run(plan=loaded).writes == 2
    assert sorted(lead["Name"] for lead in world.crm.rows("lead")) == ["Lee", "Park"]


def test_another_process_can_run_the_plan_later(worlds, tmp_path):
    (tmp_path / "state").mkdir()
    world = worlds(tmp_path / "state")
    world.left(email="kim@x.example", name="Kim")
    world.plan().save(tmp_path / "plan.jsonl")
    world.store.close()
    world.store = SqliteStore(tmp_path / "state" / "state.db")
    report = world.run(plan=world.ready().load(tmp_path / "plan.jsonl"), after=86_400)
    assert report.counts[Disposition.APPLIED] == 1


def test_a_plan_of_an_undo_goes_to_a_file_and_back(planned, tmp_path):
    world, plan, _ = planned
    report = world.run(plan=plan)
    world.ready().undo(report).save(tmp_path / "undo.jsonl")
    world.run(plan=world.ready().load(tmp_path / "undo.jsonl"))
    assert [lead["Name"] for lead in world.crm.rows("lead")] == ["Kim"]


def test_what_moved_after_the_file_was_written_is_stale_and_not_written(planned):
    world, _, path = planned
    loaded = world.ready().load(path)
    [lead] = [link.right for link in world.links()]
    world.crm.edit(lead, Name="Choi")
    report = world.run(plan=loaded)
    assert report.counts[Disposition.HELD] == 2
    assert world.crm.values(lead)["Name"] == "Choi"


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_the_file_is_readable_by_its_owner_alone(planned):
    _, plan, path = planned
    before = os.umask(0)
    try:
        plan.save(path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.glob(".*")] == []


# -- what is refused -------------------------------------------------------------------------------


def refusal(world, path):
    writes = world.count()
    with pytest.raises(PlanRefused) as refused:
        world.ready().load(path)
    assert world.count() == writes
    return str(refused.value)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is no plan of crmbridge"),
        (b"id,name\n1,Kim\n2,Lee\n", "is no plan of crmbridge"),
        (b"\xff\xfe\x00", "is no plan of crmbridge"),
        (b"[1,2]\n{}\n", "is no plan of crmbridge"),
        (b'{"crmbridge":"queue","version":1}\n{}\n', "is no plan of crmbridge"),
        (b"[" * 100_000 + b"\n\n", "is no plan of crmbridge"),
    ],
)
def test_a_foreign_file_is_refused(planned, content, why):
    world, _, path = planned
    path.write_bytes(content)
    assert why in refusal(world, path)


def changed(path, change):
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(change(lines)))


def resealed(lines):
    """Give a file the digest of what it says now, as a forger would."""
    digest = hashlib.blake2b(b"".join(lines[:-1]), digest_size=32).hexdigest()
    return [*lines[:-1], json.dumps({"decisions": len(lines) - 2, "digest": digest}).encode() + b"\n"]


def test_a_file_of_a_newer_version_is_refused_by_name(planned):
    world, _, path = planned
    changed(path, lambda lines: [lines[0].replace(b'"version": 1', b'"version": 2'), b'{"whatever":1}\n'])
    assert "newer crmbridge (version 2)" in refusal(world, path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("before", 7),
        ("before", ["created"]),
        ("before", {"created": -40}),
        ("before", {"created": "40"}),
        ("inside", ["sync"]),
        ("inside", {"another": {"links": 0, "blanks": 0, "gone": 0, "before": {}}}),
    ],
)
def test_a_head_that_counts_what_cannot_be_is_refused(planned, name, value):
    world, _, path = planned
    changed(
        path, lambda lines: resealed([json.dumps({**json.loads(lines[0]), name: value}).encode() + b"\n", *lines[1:]])
    )
    assert "line 1 lacks what a plan begins with" in refusal(world, path)


def test_a_file_from_before_these_were_counted_is_taken(planned):
    world, plan, path = planned
    changed(
        path, lambda lines: resealed([json.dumps(_without(lines[0], "before", "inside")).encode() + b"\n", *lines[1:]])
    )
    assert world.ready().load(path) == plan


def _without(line, *names):
    return {name: value for name, value in json.loads(line).items() if name not in names}


def test_a_file_that_was_cut_is_refused(planned):
    world, _, path = planned
    changed(path, lambda lines: lines[:-1])
    assert "ends early" in refusal(world, path)


def test_a_line_that_is_too_long_is_refused_before_it_is_read_whole(planned):
    world, _, path = planned
    changed(path, lambda lines: [lines[0], b"x" * (17 * 1024 * 1024) + b"\n", lines[-1]])
    tracemalloc.start()
    try:
        assert "line 2 is longer" in refusal(world, path)
        assert tracemalloc.get_traced_memory()[1] < 60_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("seal", [lambda lines: lines, resealed])
def test_a_file_that_somebody_changed_is_refused(planned, seal):
    world, _, path = planned
    changed(path, lambda lines: seal([line.replace(b"Lee", b"Eve") for line in lines]))
    told = refusal(world, path)
    assert "digest" in told or "not what this store has planned" in told


@pytest.mark.parametrize("gone", [1, 2])
def test_a_file_that_lacks_a_decision_is_refused(planned, gone):
    world, _, path = planned
    changed(path, lambda lines: resealed([*lines[:gone], *lines[gone + 1 :]]))
    refusal(world, path)


def test_a_plan_of_another_pipeline_is_refused(planned):
    world, plan, path = planned
    other = two_way("other", at(world.ma, "person"), at(world.crm, "lead")).fields(
        pair("email", "Email"), policy=policies.left_wins
    )
    with pytest.raises(PlanRefused, match="plan of the pipeline 'sync', and this is 'other'"):
        world.ready(other).load(path)
    with pytest.raises(PlanRefused, match="another pipeline"):
        world.ready(other).run(plan)


def test_a_plan_of_another_state_is_refused(planned):
    world, plan, path = planned
    elsewhere = world.ready().remember(MemoryStore())
    with pytest.raises(PlanRefused, match="this store has no plan"):
        elsewhere.load(path)
    with pytest.raises(PlanRefused, match="this store has no plan"):
        elsewhere.run(plan)
    elsewhere.plan()
    elsewhere.plan()
    with pytest.raises(PlanRefused):
        elsewhere.load(path)


def test_no_damaged_file_is_taken_for_the_plan(world, tmp_path):
    world.left(email="kim@x.example", name="Kim")
    path = tmp_path / "plan.jsonl"
    world.plan().save(path)
    whole = path.read_bytes()

    @given(st.integers(0, len(whole) - 2), st.integers(1, 255))
    def damaged(place, by):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ by]) + whole[place + 1 :])
        with pytest.raises(PlanRefused):
            world.ready().load(path)

    damaged()


# -- what it costs ---------------------------------------------------------------------------------


@pytest.mark.parametrize("conditional", [True, False])
@pytest.mark.parametrize(("records", "limit"), [(1, 100), (25, 10), (30, 10), (7, 1)])
def test_a_plan_costs_as_many_writes_as_its_run_makes(worlds, promises, records, limit, conditional):
    world = worlds(capabilities=promises(batch=limit, conditional_writes=conditional))
    refs = [world.left(email=f"p{number}@x.example", name="Kim") for number in range(records)]
    cost = world.plan().cost()
    assert cost["crm"].writes == {"create": -(-records // limit)}
    assert cost["ma"].writes == {}
    world.settle()
    for ref in refs:
        world.ma.edit(ref, name="Park")
    plan = world.plan()
    world.crm.requests.clear()
    world.run(plan=plan)
    made = [request for request in world.crm.requests if request.startswith("update")]
    assert plan.cost()["crm"].writes == {"update": len(made)}
    assert plan.cost()["crm"].reads >= 1 + (0 if conditional else len(made))


@attrs.frozen
class Budgeted:
    """A connector whose account has a budget."""

    inner: FakeConnector
    account: Account

    def __getattr__(self, name):
        return getattr(self.inner, name)


def test_a_plan_tells_how_long_it_takes_under_the_tightest_budget():
    account = Account("crm", "https://x.example", budgets={"a": RateBudget(100, 60), "b": RateBudget(20, 10)})
    crm = FakeConnector("crm", described("lead", FieldSpec("email")), capabilities=attrs.evolve(EVERYTHING, batch=1))
    ma = FakeConnector("ma", described("person", FieldSpec("email")))
    pipe = (
        two_way("people", at(ma, "person"), at(Budgeted(crm, account), "lead"))
        .creates(left=False, right=True)
        .fields(pair("email", "email"), policy=policies.left_wins)
        .remember(MemoryStore())
    )
    for number in range(200):
        ma.put("person", email=f"p{number}@x.example")
    cost = pipe.plan().cost()
    assert cost["crm"].calls == 200
    assert cost["crm"].takes == dt.timedelta(seconds=(200 - 10) / (20 / 10 / 2))
    assert cost["ma"].takes is None
