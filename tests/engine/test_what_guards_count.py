"""What guards judge: no more than a run does, no less than it may do, and the same as its plan says."""

import datetime as dt
import functools

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmbridge import at, ensured, events, gates, linked, one_way, pair, policies, put
from crmbridge.errors import GuardTripped
from crmbridge.match import key, level
from crmbridge.model import FieldSpec, FieldType, RecordRef
from crmbridge.reasons import Code
from crmbridge.testing.connector import EVERYTHING, FakeConnector, described

MINUTE = 60


def people(world, pipe, number):
    """Tie so many people to leads, until nothing is left to do."""
    made = [world.left(email=f"p{n}@x.example", name="Kim", city="Tokyo") for n in range(number)]
    world.settle(pipe)
    return made


def tripped(world, pipe, code, count, **facts):
    """Run what a guard stops before the first write, twice; the plan says the same."""
    before = world.count()
    assert (plan := world.plan(pipe)).objection.code is code
    assert plan.objection.facts["count"] == count
    for _ in range(2):
        with pytest.raises(GuardTripped, match="nothing was written") as trip:
            world.run(pipe, after=MINUTE)
        assert trip.value.objection.code is code
        assert trip.value.objection.facts["count"] == count
    assert world.count() == before


@pytest.fixture
def firm(both):
    """Give so many people who share one lead, one who has another, and a pipeline that removes with it."""

    def make(number=6, **how):
        world = both()
        pipe = (
            world.pipeline(policies.left_wins, **how)
            .many_to_one()
            .creates(left=False, right=True)
            .override(pair("email", "Email"))
        )
        sharers = [world.left(email="desk@x.example", name="Kim", city="Tokyo") for _ in range(number)]
        world.left(email="other@x.example", name="Kim", city="Tokyo")
        world.settle(pipe)
        return world, pipe, sharers, world.counterpart(sharers[0])

    return make


# -- upper bounds ------------------------------------------------------------------------------


@pytest.mark.parametrize("of", [1, 4, 200])
def test_the_removal_of_a_shared_record_counts_for_all_who_share_it(firm, of):
    world, pipe, _, lead = firm(left="delete")
    world.crm.remove(lead)
    guarded = pipe.batches(of=of).guard(gates.at_most(deletes=5))
    tripped(world, guarded, Code.TOO_MANY_DELETES, 6)
    assert len(world.ma.rows("person")) == 7


@pytest.mark.parametrize("of", [1, 4, 200])
def test_an_edit_of_a_shared_record_counts_for_all_who_share_it(firm, of):
    world, pipe, _, lead = firm()
    world.crm.edit(lead, City="Kobe")
    guarded = pipe.batches(of=of).guard(gates.at_most(updates=5))
    tripped(world, guarded, Code.TOO_MANY_UPDATES, 6)


@pytest.mark.parametrize("of", [1, 4, 200])
def test_a_record_that_meets_its_counterpart_for_the_first_time_may_be_an_update(both, of):
    world = both()
    for n in range(6):
        world.left(email=f"p{n}@x.example", name="Kim", city="Tokyo")
        world.right(Email=f"p{n}@x.example", Name="Kim", City="by a person")
    pipe = world.pipeline(policies.left_wins).batches(of=of).creates(left=False, right=False)
    tripped(world, pipe.guard(gates.at_most(updates=5)), Code.TOO_MANY_UPDATES, 6)
    world.run(pipe.guard(gates.at_most(updates=6, creates=0)), after=MINUTE)
    assert {lead["City"] for lead in world.crm.rows("lead")} == {"Tokyo"}


@pytest.mark.parametrize("of", [1, 4, 200])
def test_what_is_revived_counts_as_made_and_not_as_removed(both, of):
    world = both()
    pipe = world.pipeline(policies.left_wins, left="delete", right="delete", if_edited="revive").batches(of=of)
    for person in people(world, pipe, 6):
        world.crm.edit(world.counterpart(person), City="Kobe")
        world.ma.remove(person)
    tripped(world, pipe.guard(gates.at_most(creates=5)), Code.TOO_MANY_CREATES, 6)
    world.run(pipe.guard(gates.at_most(creates=6, deletes=0)), after=MINUTE)
    assert len(world.ma.rows("person")) == 6


def test_a_pair_that_is_written_on_both_sides_counts_as_two_updates(both):
    world = both()
    pipe = world.pipeline(policies.left_wins).override(pair("name", "Name", policies.right_always))
    for person in people(world, pipe, 3):
        world.ma.edit(person, name="Park", city="Kobe")
    tripped(world, pipe.guard(gates.at_most(updates=5)), Code.TOO_MANY_UPDATES, 6)
    world.run(pipe.guard(gates.at_most(updates=6)), after=MINUTE)
    assert {(lead["Name"], lead["City"]) for lead in world.crm.rows("lead")} == {("Kim", "Kobe")}


# -- no more than there is -----------------------------------------------------------------------


@pytest.mark.parametrize("of", [1, 200])
def test_a_pair_that_is_gone_on_both_sides_is_no_removal(both, of):
    world = both()
    pipe = world.pipeline(left="delete", right="delete").batches(of=of)
    made = people(world, pipe, 6)
    for person in made[:4]:
        world.crm.remove(world.counterpart(person))
        world.ma.remove(person)
    guarded = pipe.guard(gates.at_most(deletes=3), gates.not_emptied())
    assert world.plan(guarded).objection is None
    world.run(guarded, after=MINUTE)
    assert len(world.links()) == 2


@pytest.mark.parametrize("of", [1, 4, 200])
def test_all_who_shared_a_record_leave_and_it_is_removed_once(firm, of):
    world, pipe, sharers, lead = firm(right="delete")
    for person in sharers:
        world.ma.remove(person)
    guarded = pipe.batches(of=of).guard(gates.at_most(deletes=1))
    plan = world.plan(guarded)
    assert (plan.objection, plan.totals.of("delete")) == (None, 1)
    world.run(guarded, after=MINUTE)
    assert lead.id not in {row["id"] for row in world.crm.rows("lead")}


@pytest.mark.parametrize("of", [1, 4, 200])
def test_a_plan_and_its_file_count_a_pair_once_whichever_of_its_rows_are_in_which_batch(both, tmp_path, of):
    world = both()
    pipe = world.pipeline(left="delete", right="delete", if_edited="remove").batches(of=of)
    made = people(world, pipe, 6)
    for person in made:
        world.crm.remove(world.counterpart(person))
    for person in made:
        world.ma.edit(person, city="Kobe")
    guarded = pipe.guard(gates.at_most(deletes=6))
    plan = world.plan(guarded)
    assert (plan.objection, plan.totals.of("delete"), plan.totals.gone) == (None, 6, 6)
    plan.save(tmp_path / "plan.jsonl")
    assert world.ready(guarded).load(tmp_path / "plan.jsonl") == plan
    world.run(guarded, after=MINUTE)
    assert world.ma.rows("person") == []


def test_twins_in_different_batches_count_as_the_one_record_that_is_made_for_them(both):
    world = both()
    pipe = world.pipeline(policies.left_wins).many_to_one().creates(left=False, right=True).batches(of=2)
    for n in range(8):
        world.left(email=f"desk{n % 2}@x.example", name="Kim", city="Tokyo")
    tripped(world, pipe.guard(gates.at_most(creates=1)), Code.TOO_MANY_CREATES, 2)
    world.run(pipe.guard(gates.at_most(creates=2)), after=MINUTE)
    assert len(world.crm.rows("lead")) == 2


_CHANGES = st.sampled_from(
    ("nothing", "city", "City", "both", "gone", "Gone", "all gone", "new", "New", "met", "blank")
)
_VERBS = {"creates": "create", "updates": "update", "deletes": "delete"}


def changed(world, pipe, changes):
    made = people(world, pipe, len(changes))
    for n, (person, change) in enumerate(zip(made, changes, strict=True)):
        lead = world.counterpart(person)
        if change in ("city", "both"):
            world.ma.edit(person, city="Kobe")
        if change in ("City", "both"):
            world.crm.edit(lead, City="Nara")
        if change == "blank":
            world.ma.edit(person, name=None)
        if change in ("gone", "all gone"):
            world.ma.remove(person)
        if change in ("Gone", "all gone"):
            world.crm.remove(lead)
        if change in ("new", "met"):
            world.left(email=f"new{n}@x.example", name="Park", city="Osaka")
        if change in ("New", "met"):
            world.right(Email=f"new{n}@x.example", Name="Lee", City="Osaka")


@given(
    changes=st.lists(_CHANGES, min_size=1, max_size=5), of=st.integers(1, 5), bound=st.sampled_from([*_VERBS, "blanks"])
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_run_trips_over_as_much_as_its_plan_says_and_over_nothing_less(worlds, changes, of, bound):
    world = worlds()
    pipe = world.pipeline(policies.left_wins, left="delete", right="delete", if_edited="revive").batches(of=of)
    changed(world, pipe, changes)
    totals = world.plan(pipe).totals
    count = totals.blanks if bound == "blanks" else totals.of(_VERBS[bound])
    if count:
        before = world.count()
        with pytest.raises(GuardTripped, match="nothing was written") as trip:
            world.run(pipe.guard(gates.at_most(**{bound: count - 1})))
        assert trip.value.objection.facts == {"count": count, "limit": count - 1}
        assert world.count() == before
    world.run(pipe.guard(gates.at_most(**{bound: count})))


_AMONG_SHARERS = st.sampled_from(("nothing", "city", "City", "gone", "Gone", "joins", "new"))


def changed_among_sharers(world, pipe, changes):
    made = [world.left(email=f"desk{n % 2}@x.example", name="Kim", city="Tokyo") for n in range(len(changes))]
    world.settle(pipe)
    leads = {person: world.counterpart(person) for person in made}
    for n, (person, change) in enumerate(zip(made, changes, strict=True)):
        there = leads[person].id in {row["id"] for row in world.crm.rows("lead")}
        if change == "city":
            world.ma.edit(person, city=f"Kobe {n}")
        if change == "City" and there:
            world.crm.edit(leads[person], City="Nara")
        if change == "gone":
            world.ma.remove(person)
        if change == "Gone" and there:
            world.crm.remove(leads[person])
        if change in ("joins", "new"):
            world.left(email=f"{'desk' if change == 'joins' else 'new'}{n % 2}@x.example", name="Park", city="Osaka")


@given(
    changes=st.lists(_AMONG_SHARERS, min_size=1, max_size=6),
    of=st.integers(1, 5),
    bound=st.sampled_from([*_VERBS, "blanks"]),
    if_edited=st.sampled_from(("revive", "remove")),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_where_records_are_shared_a_run_trips_over_as_much_as_its_plan_says(worlds, changes, of, bound, if_edited):
    world = worlds()
    pipe = (
        world.pipeline(policies.left_wins, left="delete", right="delete", if_edited=if_edited)
        .many_to_one()
        .creates(left=False, right=True)
        .override(pair("city", "City", policies.left_wins, owner="first_linked"))
        .batches(of=of)
    )
    changed_among_sharers(world, pipe, changes)
    totals = world.plan(pipe).totals
    count = totals.blanks if bound == "blanks" else totals.of(_VERBS[bound])
    before = world.count()
    told = {"count": 0}
    if count:
        with pytest.raises(GuardTripped, match="nothing was written") as trip:
            world.run(pipe.guard(gates.at_most(**{bound: count - 1})))
        told = trip.value.objection.facts
    assert (told["count"], world.count()) == (count, before)


# -- what comes up in the middle -------------------------------------------------------------------


@pytest.fixture
def silent(both, promises):
    """Make a world whose marketing tool tells of no deletion."""

    def make():
        known = promises()
        return both(capabilities={**known, "ma": attrs.evolve(known["ma"], sees_deletes=False, sees_merges=False)})

    return make


@pytest.mark.parametrize("of", [1, 3, 200])
def test_removals_that_only_a_read_by_id_shows_never_exceed_what_is_allowed_however_often_it_is_run(
    silent, tmp_path, of
):
    world = silent()
    pipe = world.pipeline(right="delete").batches(of=of)
    made = people(world, pipe, 9)
    for person in made[:8]:
        lead = world.counterpart(person)
        world.ma.remove(person)
        world.crm.edit(lead, Score="a field that is not paired")
    guarded = pipe.guard(gates.at_most(deletes=5))
    for _ in range(4):
        with pytest.raises(GuardTripped, match="too_many_deletes"):
            world.run(guarded, after=MINUTE)
    removed = 9 - len(world.crm.rows("lead"))
    assert removed == {1: 5, 3: 3, 200: 0}[of]
    assert world.store.rulings.objection("sync").facts.get("removed", 0) == removed
    plan = world.plan(guarded)
    assert plan.objection == world.store.rulings.objection("sync")
    plan.save(tmp_path / "plan.jsonl")
    assert world.ready(guarded).load(tmp_path / "plan.jsonl").objection == plan.objection
    world.run(guarded, plan=plan)
    assert len(world.crm.rows("lead")) == 1
    world.run(guarded, after=MINUTE)
    assert world.store.rulings.objection("sync") is None


@pytest.mark.parametrize("of", [1, 3, 200])
@pytest.mark.parametrize("again", [False, True])
def test_links_that_would_close_because_a_side_is_not_shown_any_more_are_not_believed(silent, of, again):
    world = silent()
    pipe = world.pipeline(policies.left_wins).batches(of=of)
    guarded = pipe.guard(gates.not_emptied())
    made = people(world, pipe, 4)
    for person in made:
        world.crm.edit(world.counterpart(person), City="Kobe")
    world.ma.shows = world.ma.allows = lambda ref: False
    if again:
        world.ready(guarded).look_again()
    tripped(world, guarded, Code.EMPTIED, 4)
    world.ma.shows = world.ma.allows = lambda ref: True
    world.settle(guarded)
    assert len(world.links()) == 4
    assert {row["city"] for row in world.ma.rows("person")} == {"Kobe"}


def test_a_one_way_pipeline_notices_that_all_it_wrote_is_gone(both):
    world = both()
    pipe = (
        one_way("sync", at(world.ma, "person"), at(world.crm, "lead"))
        .match(level("email", key("email", "Email")))
        .fields(pair("email", "Email"), pair("city", "City"))
        .guard(gates.not_emptied())
    )
    for person in people(world, pipe, 3):
        world.crm.remove(world.counterpart(person))
        world.ma.edit(person, city="Kobe")
    tripped(world, pipe, Code.EMPTIED, 3)
    assert len(world.links()) == 3


def test_records_gone_here_and_others_gone_there_have_emptied_neither_side(both):
    world = both()
    pipe = world.pipeline(left="delete", right="delete").guard(gates.not_emptied())
    one, two = people(world, pipe, 2)
    world.crm.remove(world.counterpart(two))
    world.ma.remove(one)
    assert world.plan(pipe).objection is None
    world.run(pipe, after=MINUTE)
    assert world.links() == []


@pytest.fixture
def family(world):
    """Give a pipeline of people who refer to one another, and a way to make one."""
    spec = FieldSpec("parent", FieldType.REFERENCE, refers_to=("person",))
    ma = FakeConnector("ma", described("person", FieldSpec("name"), spec), now=world.clock.now)
    crm = FakeConnector("crm", described("lead", FieldSpec("Name"), FieldSpec("Parent")), now=world.clock.now)
    pipe = (
        one_way("sync", at(ma, "person"), at(crm, "lead"))
        .match(level("name", key("name", "Name")))
        .fields(pair("name", "Name"), put("Parent", linked("sync", "parent")))
    )
    return pipe, functools.partial(ma.put, "person"), crm


def test_children_that_wake_in_the_middle_of_a_run_are_judged_with_all_that_it_has_made(world, family):
    pipe, person, crm = family
    guarded = pipe.guard(gates.at_most(creates=5))
    for n in range(8):
        person(name=f"child {n}", parent=RecordRef("ma", "person", "root"))
    world.run(guarded)
    person(id="root", name="root")
    with pytest.raises(GuardTripped, match=r"1 records? had been written") as trip:
        world.run(guarded, after=MINUTE)
    assert trip.value.objection.facts == {"count": 9, "limit": 5, "created": 1}
    with pytest.raises(GuardTripped, match="nothing was written"):
        world.run(guarded, after=MINUTE)
    assert [row["Name"] for row in crm.rows("lead")] == ["root"]


def test_events_that_come_due_while_a_run_goes_on_are_judged_with_all_that_it_has_made(world):
    class Slow(FakeConnector):
        def apply(self, batch):
            world.clock.advance(dt.timedelta(minutes=10))
            return super().apply(batch)

    source = FakeConnector("ma", described("post", FieldSpec("name")), now=world.clock.now)
    crm = Slow("crm", described("task", FieldSpec("Name")), now=world.clock.now)
    pipe = events("sync", at(source, "post"), at(crm, "task")).fields(pair("name", "Name")).after(hours=2).batches(of=5)
    guarded = world.ready(pipe.guard(gates.at_most(creates=10)))
    guarded.enable()
    for n in range(30):
        world.clock.advance(MINUTE)
        source.put("post", name=str(n))
    guarded.run()
    world.clock.advance(dt.timedelta(minutes=94))
    for _ in range(3):
        with pytest.raises(GuardTripped, match="too_many_creates"):
            guarded.run()
    assert 0 < len(crm.rows("task")) <= 10


def test_what_a_run_tries_twice_counts_once(both):
    world = both()
    pipe = world.pipeline(policies.left_wins).batches(of=1)
    made = people(world, pipe, 2)
    for person in made:
        world.ma.edit(person, name=None, city="Kobe")

    def edit(what):
        world.crm.meanwhile = lambda _: None
        world.crm.edit(world.counterpart(made[0]), Score="edited between our read and our write")

    world.crm.meanwhile = lambda what: edit(what) if what.startswith("update") else None
    seen = []

    class Watching:
        def saw(self, event):
            seen.append(event.name)

    world.run(pipe.guard(gates.at_most(updates=2, blanks=2)).observed(Watching()), after=MINUTE)
    assert seen.count("worked") == len(made) + 1
    assert {lead["City"] for lead in world.crm.rows("lead")} == {"Kobe"}


# -- parents ---------------------------------------------------------------------------------------


def _bounded(creates):
    return [] if creates is None else [gates.at_most(creates=creates)]


@pytest.fixture
def employees(world):
    """Give a pipeline of people whose firms are made first, under a guard of their own, and the accounts made."""

    def make(number=6, *, may=3, of=200, own=None):
        ma = FakeConnector("ma", described("person", FieldSpec("name"), FieldSpec("firm")), now=world.clock.now)
        kinds = described("contact", FieldSpec("Name"), FieldSpec("Account")), described("account", FieldSpec("Name"))
        crm = FakeConnector("crm", *kinds, capabilities=EVERYTHING, now=world.clock.now)
        firms = (
            one_way("firms", at(ma, "person"), at(crm, "account"))
            .many_to_one()
            .match(level("firm", key("firm", "Name")))
            .fields(pair("firm", "Name"))
            .guard(*_bounded(may))
        )
        pipe = (
            one_way("people", at(ma, "person"), at(crm, "contact"))
            .match(level("name", key("name", "Name")))
            .fields(pair("name", "Name"), put("Account", ensured(firms)))
            .batches(of=of)
            .guard(*_bounded(own))
        )
        for n in range(number):
            ma.put("person", name=f"p{n}", firm=f"f{n}")
        return pipe, firms, ma, crm

    return make


@pytest.mark.parametrize("of", [1, 4, 200])
def test_a_plan_of_children_says_what_the_guard_of_their_parents_says(world, employees, tmp_path, of):
    pipe, _, _, crm = employees(of=of)
    plan = world.plan(pipe)
    assert (plan.objection.code, plan.objection.facts) == (Code.TOO_MANY_CREATES, {"count": 6, "limit": 3})
    assert [(one.where, one.because) for one in plan.findings] == [("firms", plan.objection)]
    for language, word in (("en", "it would stop an ordinary run"), ("ja", "通常の実行は止められます")):
        assert word in plan.say(language)
    plan.save(tmp_path / "plan.jsonl")
    loaded = world.ready(pipe).load(tmp_path / "plan.jsonl")
    assert (loaded, loaded.objection) == (plan, plan.objection)
    world.run(pipe, plan=loaded)
    assert (len(crm.rows("account")), len(crm.rows("contact"))) == (6, 6)
    assert world.store.rulings.objection("firms") is None


@pytest.mark.parametrize("of", [1, 4, 200])
def test_the_guard_of_parents_judges_all_that_a_run_of_their_children_makes(world, employees, of):
    pipe, _, _, crm = employees(of=of)
    for _ in range(3):
        with pytest.raises(GuardTripped, match="firms: too_many_creates"):
            world.run(pipe, after=MINUTE)
    assert len(crm.rows("account")) == {1: 3, 4: 0, 200: 0}[of]
    plan = world.plan(pipe)
    assert plan.objections.keys() == {"firms"}
    assert plan.objection.facts["count"] == 6
    world.run(pipe, plan=plan)
    assert len(crm.rows("contact")) == 6


def test_what_children_make_of_parents_is_not_held_against_the_children(world, employees):
    pipe, _, _, crm = employees(may=6, own=6)
    plan = world.plan(pipe)
    assert (plan.objection, plan.totals.of("create"), plan.totals.own.of("create")) == (None, 12, 6)
    world.run(pipe)
    assert len(crm.rows("contact")) == 6


def test_a_plan_that_shows_no_objection_overrules_none(world, employees):
    pipe, firms, _, crm = employees(number=3)
    plan = world.plan(pipe)
    assert plan.objection is None
    tighter = pipe.override(put("Account", ensured(firms.guard(gates.at_most(creates=2)))))
    with pytest.raises(GuardTripped, match="firms"):
        world.ready(tighter)._perform(
            lambda clock: world.ready(tighter)._sweep(clock, approved=plan.id, overruled=plan.overrules)
        )
    assert crm.rows("account") == []


def test_children_whose_parents_would_be_made_are_counted_exactly_where_a_guard_objects_to_the_bound(world, employees):
    pipe, _, ma, crm = employees(number=3, own=3)
    ma.put("person", name="p0", firm="f0")
    world.run(pipe)
    assert len(crm.rows("contact")) == 3
