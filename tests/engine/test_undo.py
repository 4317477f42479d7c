"""Undoing a run: what it wrote goes back where nobody has touched it since, and stays back."""

import datetime as dt

import attrs
import pytest

from crmbridge import Disposition, codecs, pair, policies
from crmbridge.errors import UsageError
from crmbridge.reasons import Code
from crmbridge.roles import Delta
from crmbridge.testing.faulty import Fault
from crmbridge.testing.sim import SimDriver, SimulatedCrash

LATER = dt.timedelta(minutes=20)


def undo(world, run, pipe=None):
    """Plan how a run is taken back, do it, and give the report."""
    world.clock.advance(60)
    ready = world.ready(pipe)
    return ready.run(ready.undo(run))


def reasons(rows):
    return [row.because.code for row in rows]


def edited(world, pipe=None):
    """Make a pair, let a person edit one side, and give the report of the run that carried the edit over."""
    person, lead = world.pair(pipe)
    world.settle(pipe)
    world.ma.edit(person, name="Park", city="Osaka")
    return person, lead, world.run(pipe)


def test_a_plan_of_an_undo_writes_nothing_and_says_what_becomes_of_each_field(both):
    world = both()
    _, lead, report = edited(world)
    before = world.count()
    plan = world.ready().undo(report)
    [row] = plan.rows()
    assert (row.ref, row.disposition, row.because.code) == (lead, Disposition.APPLIED, Code.UNDONE)
    assert {line.right_field: (line.right, line.sent) for line in row.fields} == {
        "Name": ("Park", "Kim"), "City": ("Osaka", "Tokyo"),
    }  # fmt: skip
    assert plan.totals.writes == {("crm", "update"): 1}
    assert world.count() == before
    assert "crm.Name 「Park」 → 「Kim」" in str(plan)


def test_fields_go_back_to_what_they_held_and_no_later_run_writes_them_again(both):
    world = both()
    person, lead, report = edited(world)
    assert undo(world, report).writes == 1
    held = {"Email": "kim@x.example", "Name": "Kim", "City": "Tokyo"}
    assert world.crm.values(lead) == held
    writes = world.count()
    world.settle()
    assert world.crm.values(lead) == held
    assert world.ma.values(person)["name"] == "Park"
    assert world.count() == writes


@pytest.mark.parametrize("policy", [policies.left_wins, policies.left_always, policies.right_always])
def test_what_is_undone_stays_so_whoever_is_the_master(world, policy):
    pipe = world.pipeline(policy)
    _, lead = world.pair(pipe)
    world.settle(pipe)
    world.ma.edit(world.counterpart(lead), name="Park")
    report = world.run(pipe)
    held = world.crm.values(lead), world.ma.values(world.counterpart(lead))
    undo(world, report, pipe)
    undone = world.crm.values(lead), world.ma.values(world.counterpart(lead))
    assert undone != held
    writes = world.count()
    world.settle(pipe)
    assert (world.crm.values(lead), world.ma.values(world.counterpart(lead))) == undone
    assert world.count() == writes


def test_after_an_undo_an_edit_crosses_as_ever(world):
    person, lead, report = edited(world)
    undo(world, report)
    world.ma.edit(person, name="Choi")
    world.settle()
    assert world.crm.values(lead)["Name"] == "Choi"
    world.crm.edit(lead, City="Nara")
    world.settle()
    assert world.ma.values(person)["city"] == "Nara"


def test_what_a_person_changed_since_is_left_alone_and_says_so(both):
    world = both()
    _, lead, report = edited(world)
    world.crm.edit(lead, Name="Choi")
    plan = world.ready().undo(report)
    [row] = plan.rows()
    told = {line.right_field: line.because.code for line in row.fields}
    assert told == {"Name": Code.CHANGED_SINCE, "City": Code.UNDONE}
    world.ready().run(plan)
    assert (world.crm.values(lead)["Name"], world.crm.values(lead)["City"]) == ("Choi", "Tokyo")


def test_a_field_whose_other_side_was_edited_since_is_left_to_the_next_run(world):
    person, lead, report = edited(world)
    world.ma.edit(person, name="Choi")
    undo(world, report)
    assert world.crm.values(lead) == {"Email": "kim@x.example", "Name": "Park", "City": "Tokyo"}
    world.settle()
    assert world.crm.values(lead)["Name"] == "Choi"


def test_a_field_that_a_later_run_wrote_is_left_alone(world):
    person, lead, report = edited(world)
    world.ma.edit(person, name="Choi")
    later = world.run()
    assert reasons(undo(world, report).rows()) == [Code.UNDONE]
    assert (world.crm.values(lead)["Name"], world.crm.values(lead)["City"]) == ("Choi", "Tokyo")
    undo(world, later)
    assert world.crm.values(lead)["Name"] == "Park"


def test_nothing_is_done_the_second_time(both):
    world = both()
    _, _, report = edited(world)
    undo(world, report)
    writes = world.count()
    plan = world.ready().undo(report)
    assert [(row.disposition, row.because.code) for row in plan.rows()] == [(Disposition.UNCHANGED, Code.NOTHING_TO_DO)]
    assert world.ready().run(plan).writes == 0
    assert world.count() == writes


def test_the_same_plan_run_twice_does_nothing_the_second_time(world):
    _, _, report = edited(world)
    plan = world.ready().undo(report)
    assert world.ready().run(plan).writes == 1
    assert world.ready().run(plan).writes == 0


def test_an_undo_can_be_undone(both):
    world = both()
    _, lead, report = edited(world)
    first = undo(world, report)
    undo(world, first)
    assert world.crm.values(lead)["Name"] == "Park"
    undo(world, report)
    assert world.crm.values(lead)["Name"] == "Kim"
    writes = world.count()
    world.settle()
    assert world.count() == writes


def test_a_value_that_both_sides_were_given_goes_back_on_both(world):
    pipe = world.pipeline().fields(pair("tags", "Tags", policies.union))
    person, lead = world.pair(pipe, tags=("a",))
    world.settle(pipe)
    world.ma.edit(person, tags=("a", "b"))
    world.crm.edit(lead, Tags=("a", "c"))
    report = world.run(pipe)
    assert world.ma.values(person)["tags"] == world.crm.values(lead)["Tags"]
    undo(world, report, pipe)
    assert (world.ma.values(person)["tags"], world.crm.values(lead)["Tags"]) == (("a", "b"), ("a", "c"))
    writes = world.count()
    world.settle(pipe)
    assert world.count() == writes


def test_a_value_that_both_sides_were_given_goes_back_on_neither_where_one_was_edited_since(world):
    pipe = world.pipeline().fields(pair("tags", "Tags", policies.union))
    person, lead = world.pair(pipe, tags=("a",))
    world.settle(pipe)
    world.ma.edit(person, tags=("a", "b"))
    world.crm.edit(lead, Tags=("a", "c"))
    report = world.run(pipe)
    both = world.ma.values(person)["tags"]
    world.crm.edit(lead, Tags=(*both, "d"))
    undo(world, report, pipe)
    assert (world.ma.values(person)["tags"], world.crm.values(lead)["Tags"]) == (both, (*both, "d"))


@pytest.mark.parametrize("side", ["ma", "crm"])
@pytest.mark.parametrize(
    "policy", [policies.union, policies.never_clear(policies.union)], ids=lambda policy: policy.name
)
def test_an_element_that_was_undone_does_not_come_back_with_the_next_one(worlds, side, policy):
    world = worlds(normalising=True)
    pipe = world.pipeline().fields(pair("tags", "Tags", policy))
    person, lead = world.pair(pipe, tags=("x",))
    world.settle(pipe)
    world.ma.edit(person, tags=("x", "bad"))
    report = world.run(pipe)
    undo(world, report, pipe)
    world.settle(pipe)
    held = set(world.ma.values(person)["tags"]), set(world.crm.values(lead)["Tags"])
    if side == "ma":
        world.ma.edit(person, tags=(*world.ma.values(person)["tags"], "new"))
    else:
        world.crm.edit(lead, Tags=(*world.crm.values(lead)["Tags"], "new"))
    world.settle(pipe)
    now = set(world.ma.values(person)["tags"]), set(world.crm.values(lead)["Tags"])
    assert now == (held[0] | {"new"}, held[1] | {"new"})
    assert not {"bad", "BAD"} & now[1]


@pytest.mark.parametrize("how", ["answers", "no answers", "normalising"])
def test_a_value_goes_back_in_whatever_form_it_was_stored(worlds, promises, how):
    world = worlds(
        capabilities=promises(answers_with_stored=how != "no answers", conditional_writes=how != "no answers"),
        normalising=how == "normalising",
    )
    _, lead, report = edited(world)
    world.settle()
    undo(world, report)
    assert world.crm.values(lead)["Name"] == "Kim"
    writes = world.count()
    world.settle()
    assert (world.crm.values(lead)["Name"], world.count()) == ("Kim", writes)


# -- what never goes back --------------------------------------------------------------------------

STAYING = {
    "an opt-out": policies.monotone(towards="yes"),
    "an opt-out that is never blanked": policies.never_clear(policies.monotone(towards="yes")),
    "an opt-out that beats a blank": policies.filled_beats_blank(policies.monotone(towards="yes")),
    "a first value": policies.write_once,
}


def opted_out(world, pipe, side="ma"):
    """Make a pair, let one side opt out beside another edit, and give the report of the run that carried it over."""
    person, lead = world.pair(pipe)
    world.settle(pipe)
    if side == "ma":
        world.ma.edit(person, score="yes", name="Park")
    else:
        world.crm.edit(lead, Score="yes", Name="Park")
    return person, lead, world.run(pipe)


def scored(world, policy, **how):
    return world.pipeline().fields(pair("score", "Score", policy, **how))


@pytest.mark.parametrize("side", ["ma", "crm"])
@pytest.mark.parametrize("policy", STAYING.values(), ids=STAYING)
def test_what_never_goes_back_is_not_taken_back_and_the_rest_is(world, policy, side):
    pipe = scored(world, policy)
    person, lead, report = opted_out(world, pipe, side)
    assert (world.ma.values(person)["score"], world.crm.values(lead)["Score"]) == ("yes", "yes")
    plan = world.ready(pipe).undo(report)
    [row] = plan.rows()
    told = {line.right_field: line.because.code for line in row.fields}
    assert told == {"Name": Code.UNDONE, "Score": Code.NEVER_GOES_BACK}
    world.ready(pipe).run(plan)
    world.settle(pipe)
    assert (world.ma.values(person)["score"], world.crm.values(lead)["Score"]) == ("yes", "yes")


def test_after_an_undo_that_left_an_opt_out_alone_it_is_held_on_to_as_ever(world):
    pipe = scored(world, policies.monotone(towards="yes"))
    person, lead, report = opted_out(world, pipe)
    undo(world, report, pipe)
    world.crm.edit(lead, Score="no")
    world.settle(pipe)
    assert (world.ma.values(person)["score"], world.crm.values(lead)["Score"]) == ("yes", "yes")


@pytest.mark.parametrize("around", [lambda policy: policy, policies.never_clear, policies.once_per_link])
@pytest.mark.parametrize("before", ["no", None])
def test_an_opt_out_that_crossed_when_two_records_met_is_not_taken_back(world, before, around):
    pipe = scored(world, around(policies.monotone(towards="yes")))
    person, lead = world.left(email="kim@x.example", score="yes"), world.right(Email="kim@x.example", Score=before)
    report = world.run(pipe)
    assert world.crm.values(lead)["Score"] == "yes"
    undo(world, report, pipe)
    world.settle(pipe)
    assert (world.ma.values(person)["score"], world.crm.values(lead)["Score"]) == ("yes", "yes")


def test_an_opt_out_that_the_other_side_calls_something_else_is_not_taken_back(world):
    pipe = scored(world, policies.monotone(towards="yes"), via=codecs.choices({"yes": "はい", "no": "いいえ"}))
    person, lead = world.pair(pipe, score="no")
    world.settle(pipe)
    world.ma.edit(person, score="yes")
    report = world.run(pipe)
    assert reasons(world.ready(pipe).undo(report).rows()) == [Code.NEVER_GOES_BACK]
    undo(world, report, pipe)
    assert world.crm.values(lead)["Score"] == "はい"


def test_a_value_on_the_way_to_what_never_goes_back_is_taken_back(world):
    pipe = world.pipeline().fields(pair("score", "Score", policies.monotone(towards="yes")))
    person, lead = world.pair(pipe, score="no")
    world.settle(pipe)
    world.ma.edit(person, score="maybe")
    report = world.run(pipe)
    assert reasons(undo(world, report, pipe).rows()) == [Code.UNDONE]
    assert world.crm.values(lead)["Score"] == "no"


# -- records that were made ------------------------------------------------------------------------


def made(world, pipe=None):
    person = world.left(email="kim@x.example", name="Kim")
    report = world.run(pipe)
    return person, world.counterpart(person), report


@pytest.mark.parametrize(("can", "verb"), [({}, "archive"), ({"archives": False}, "delete")])
def test_a_record_that_was_made_is_removed_in_the_gentlest_way_and_not_made_again(worlds, promises, can, verb):
    world = worlds(capabilities=promises(**can))
    person, _, report = made(world)
    plan = world.ready().undo(report)
    assert plan.totals.writes == {("crm", verb): 1}
    world.ready().run(plan)
    assert world.crm.rows("lead") == []
    world.ma.edit(person, city="Osaka")
    world.settle()
    assert world.crm.rows("lead") == []
    assert world.ma.values(person)["city"] == "Osaka"


def test_a_record_cannot_be_removed_where_its_system_removes_none(worlds, promises):
    world = worlds(capabilities=promises(archives=False, deletes=False))
    _, lead, report = made(world)
    [row] = world.ready().undo(report).rows()
    assert (row.disposition, row.because.code) == (Disposition.SKIPPED, Code.NOT_UNDOABLE)
    assert world.crm.values(lead)


@pytest.mark.parametrize("removal", ["archive", "delete"])
def test_the_origin_of_an_undone_record_is_not_removed_with_it(world, removal):
    pipe = world.pipeline(left=removal, right=removal)
    person, _, report = made(world, pipe)
    undo(world, report, pipe)
    world.settle(pipe)
    assert world.ma.values(person)["name"] == "Kim"


@pytest.mark.parametrize("field", ["Name", "Score"])
def test_a_record_that_a_person_has_touched_is_not_removed(world, field):
    _, lead, report = made(world)
    world.crm.edit(lead, **{field: "7"})
    assert reasons(world.ready().undo(report).rows()) == [Code.CHANGED_SINCE]
    assert undo(world, report).writes == 0
    assert len(world.links()) == 1


def test_a_record_that_is_gone_already_is_no_news(world):
    _, lead, report = made(world)
    world.crm.remove(lead)
    assert reasons(world.ready().undo(report).rows()) == [Code.NOTHING_TO_DO]


def test_runs_are_undone_one_after_the_other_down_to_the_record_they_made(world):
    person, lead, first = made(world)
    world.settle()
    world.ma.edit(person, name="Park")
    second = world.run()
    assert reasons(world.ready().undo(first).rows()) == [Code.CHANGED_SINCE]
    undo(world, second)
    assert world.crm.values(lead)["Name"] == "Kim"
    undo(world, first)
    assert world.crm.rows("lead") == []


# -- records that were removed ---------------------------------------------------------------------


def removed(world, verb="delete"):
    """Let a person delete one record of a pair, carry it over, and give both and the report."""
    pipe = world.pipeline(right=verb)
    person, lead = world.pair(pipe)
    world.settle(pipe)
    world.ma.remove(person)
    report = world.run(pipe)
    assert world.crm.rows("lead") == []
    return pipe, person, lead, report


@pytest.mark.parametrize("verb", ["archive", "delete"])
def test_what_was_removed_is_not_made_anew_and_the_plan_says_what_a_person_may_do(both, verb):
    world = both()
    pipe, _, lead, report = removed(world, verb)
    plan = world.ready(pipe).undo(report)
    [row] = plan.rows(Disposition.SKIPPED)
    assert (row.because.code, row.because.facts) == (
        Code.RESTORE_BY_HAND, {"system": "crm", "record": f"lead {lead.id}"},
    )  # fmt: skip
    assert "restore it in that system, then undo the run again" in plan.say("en")
    assert "もう一度取り消しを実行" in plan.say("ja")
    writes = world.count()
    world.ready(pipe).run(plan)
    world.settle(pipe)
    assert (world.count(), world.crm.rows("lead"), world.ma.rows("person")) == (writes, [], [])


def test_restored_by_hand_on_both_sides_the_records_are_kept_in_step_as_before(both):
    world = both()
    pipe, person, lead, report = removed(world)
    world.crm.restore(lead)
    [row] = world.ready(pipe).undo(report).rows()
    assert row.because.facts["system"] == "ma", "tied again now, the lead would be removed again"
    world.ma.restore(person, name="Park")
    writes = world.count()
    undo(world, report, pipe)
    assert len(world.links()) == 1
    assert world.count() == writes, "an undo of a removal writes nothing"
    world.settle(pipe)
    assert world.crm.values(lead)["Name"] == "Park", "what was changed meanwhile is an edit"
    world.crm.edit(lead, City="Nara")
    world.settle(pipe)
    assert world.ma.values(person)["city"] == "Nara"
    assert (len(world.crm.rows("lead")), len(world.ma.rows("person"))) == (1, 1)
    assert reasons(world.ready(pipe).undo(report).rows()) == [Code.NOTHING_TO_DO]


def test_restored_records_stay_apart_until_the_removal_is_undone(world):
    pipe, person, lead, _ = removed(world)
    world.crm.restore(lead)
    world.ma.restore(person, name="Park")
    world.settle(pipe)
    assert world.crm.values(lead)["Name"] == "Kim"
    assert world.links() == []


@pytest.mark.parametrize("side", ["ma", "crm"])
def test_a_restored_record_that_is_tied_to_another_by_now_stays_so(world, side):
    pipe, person, lead, report = removed(world)
    world.crm.restore(lead)
    world.ma.restore(person)
    other = world.right(Email="new@x.example") if side == "ma" else world.left(email="new@x.example")
    [gone] = world.closed()
    left, right = (person, other) if side == "ma" else (other, lead)
    fence = world.store.leases.take("sync", "me", world.clock.now(), LATER)
    rival = attrs.evolve(gone, id="rival", left=left, right=right, closed=None)
    world.store.commit("sync", Delta(links=(rival,)), fence)
    world.store.leases.release(fence)
    assert reasons(world.ready(pipe).undo(report).rows()) == [Code.CHANGED_SINCE]
    assert undo(world, report, pipe).writes == 0
    assert [link.id for link in world.links()] == ["rival"]


def test_a_record_that_was_erased_on_request_is_never_tied_again(world):
    pipe, person, lead, report = removed(world)
    world.store.forget([person])
    world.crm.restore(lead)
    world.ma.restore(person)
    undo(world, report, pipe)
    assert world.links() == []


def test_an_undone_creation_is_taken_up_again_once_a_person_has_restored_it(both):
    world = both()
    person, lead, report = made(world)
    second = undo(world, report)
    assert reasons(world.ready().undo(second).rows()) == [Code.RESTORE_BY_HAND]
    world.crm.restore(lead)
    undo(world, second)
    world.ma.edit(person, name="Park")
    world.settle()
    assert [row["Name"] for row in world.crm.rows("lead")] == ["Park"]


def test_a_crash_at_any_point_of_tying_again_is_made_good_by_running_it_again(worlds):
    died, crash = True, 1
    while died:
        world = worlds()
        pipe, person, lead, report = removed(world)
        world.crm.restore(lead)
        world.ma.restore(person)
        plan = world.ready(pipe).undo(report)
        died = False
        try:
            world.ready(pipe, SimDriver(clock=world.clock, crash_before=crash)).run(plan)
        except SimulatedCrash:
            died = True
        world.clock.advance(LATER)
        world.ready(pipe).run(plan)
        world.ma.edit(person, name="Park")
        world.settle(pipe)
        assert world.crm.values(lead)["Name"] == "Park"
        crash += 1
    assert crash > 5


# -- what can go wrong -----------------------------------------------------------------------------


def test_what_moved_after_the_plan_was_made_is_stale(both):
    world = both()
    _, lead, report = edited(world)
    plan = world.ready().undo(report)
    world.crm.edit(lead, Name="Choi")
    assert reasons(world.ready().run(plan).rows()) == [Code.STALE_PLAN]
    assert (world.crm.values(lead)["Name"], world.crm.values(lead)["City"]) == ("Choi", "Osaka")


@pytest.mark.parametrize("fault", [Fault.REJECTED, Fault.REFUSED])
def test_a_record_whose_removal_is_refused_stays_tied(world, fault):
    person, lead, report = made(world)
    if fault is Fault.REJECTED:
        world.crm.single = lambda _: fault
    else:
        world.crm.whole = lambda _: fault
    assert undo(world, report).counts[Disposition.QUARANTINED] == 1
    world.crm.single = world.crm.whole = lambda _: None
    world.settle()
    world.ma.edit(person, name="Park")
    world.settle()
    assert world.crm.values(lead)["Name"] == "Park"


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.LOST_AFTER])
@pytest.mark.parametrize("what", [edited, made])
def test_an_undo_whose_answer_is_lost_is_finished_by_the_next_one(world, fault, what):
    _, _, report = what(world)
    ready = world.ready()
    plan = ready.undo(report)
    world.crm.then(fault)
    ready.run(plan)
    world.settle()
    undo(world, report)
    world.settle()
    leads = world.crm.rows("lead")
    assert leads == [] if what is made else leads[0]["Name"] == "Kim"
    assert world.ma.rows("person")


def test_an_unknown_run_is_refused(both):
    world = both()
    with pytest.raises(UsageError, match="knows no run 'sync-run-77'"):
        world.ready().undo("sync-run-77")
    assert world.run().read == 0, "the lease was given back"


def test_a_run_that_wrote_nothing_has_an_empty_undo(world):
    world.left(email="kim@x.example", name="Kim")
    pipe = world.pipeline().creates(left=False, right=False)
    assert world.ready(pipe).undo(world.run(pipe)).totals.writes == {}


def test_a_run_that_found_everything_in_step_has_an_empty_undo_by_its_report_and_by_its_name(both):
    world = both()
    world.pair()
    report = world.run()
    assert report.writes == 0
    for run in (report, report.run):
        plan = world.ready().undo(run)
        assert (list(plan.rows()), plan.totals.writes) == ([], {})
        assert world.run(plan=plan).counts[Disposition.APPLIED] == 0
    for never in ("sync-run-0", "sync-run-x", "sync-plan-1", "other-run-1", "sync-run-99"):
        with pytest.raises(UsageError, match=f"knows no run '{never}'"):
            world.ready().undo(never)


def test_a_long_run_is_undone_page_by_page(both):
    world = both()
    for number in range(450):
        world.left(email=f"p{number}@x.example", name="Kim")
    report = world.run()
    plan = world.ready().undo(report)
    assert plan.totals.writes == {("crm", "archive"): 450}
    assert world.ready().run(plan).writes == 450
    assert world.crm.rows("lead") == []


# -- crashes ---------------------------------------------------------------------------------------


def scene(world, pipe):
    """Let one run make a record, change another, and write both sides of a third."""
    refs = [world.left(email=f"p{n}@x.example", name=f"n{n}", city="Tokyo") for n in range(2)]
    world.run(pipe, after=60)
    world.settle(pipe)
    world.left(email="new@x.example", name="new")
    world.ma.edit(refs[0], name="edited")
    world.ma.edit(refs[1], name="left")
    world.crm.edit(world.counterpart(refs[1]), City="right")
    return world.run(pipe)


def standing(world):
    return sorted(map(repr, (_unnamed(row) for row in [*world.ma.rows("person"), *world.crm.rows("lead")])))


def _unnamed(row):
    return {name: value for name, value in row.items() if name != "id"}


@pytest.mark.parametrize("again", ["the same plan", "a new plan"])
@pytest.mark.parametrize("conditional", [True, False])
@pytest.mark.parametrize("when", ["crash_before", "crash_after"])
def test_a_crash_at_any_point_of_an_undo_is_made_good_by_running_it_again(worlds, promises, when, conditional, again):
    def undone(crash):
        world = worlds(capabilities=promises(conditional_writes=conditional, answers_with_stored=conditional))
        pipe = world.pipeline(left="archive", right="archive")
        plan = world.ready(pipe).undo(scene(world, pipe))
        died = False
        driver = SimDriver(clock=world.clock, **crash)
        try:
            world.ready(pipe, driver).run(plan)
        except SimulatedCrash:
            died = True
        if died:
            world.settle(pipe)
            if again == "a new plan":
                plan = world.ready(pipe).undo(plan_run(plan))
            world.ready(pipe).run(plan)
        world.settle(pipe)
        return world, died, driver.effects

    whole, died, effects = undone({})
    assert not died
    assert effects > 20
    for number in range(1, effects + 1):
        world, died, _ = undone({when: number})
        assert died
        assert standing(world) == standing(whole), f"{when} effect {number}"


def plan_run(plan):
    """Tell which run a plan takes back."""
    return next(str(row.because.facts["run"]) for row in plan.rows(Disposition.APPLIED))
