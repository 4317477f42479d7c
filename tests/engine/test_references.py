"""Records that refer to each other: parents by links, records found by keys, parents that are made first."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmbridge import Disposition, at, coalesce, events, one_way, pair, policies, put, two_way
from crmbridge._engine._followed import Followed
from crmbridge.errors import NotAllowed, PairError, UsageError
from crmbridge.gates import at_least, consented, either, equals, every, filled, has_any, unless
from crmbridge.given import Constant
from crmbridge.match import all_of, key, level, newest
from crmbridge.model import CreateClass, FieldSpec, FieldType, RecordRef, target_kind
from crmbridge.plain import each
from crmbridge.reasons import Code
from crmbridge.references import ensured, linked, look_up
from crmbridge.stores import FingerprintStore, MemoryStore, SqliteStore
from crmbridge.testing.connector import EVERYTHING, described
from crmbridge.testing.faulty import Fault, FaultyConnector
from crmbridge.testing.sim import ManualClock, SimDriver

SEARCHED = attrs.evolve(
    EVERYTHING,
    create_key="@key",
    finds_by=frozenset({"Email", "Name", "Phone"}),
    settles_in=dt.timedelta(seconds=60),
)
REQUIRED = FieldSpec("Account", FieldType.REFERENCE, refers_to=("account",))


def fields(*names, **more):
    return [*(FieldSpec(name) for name in names), *more.values()]


class World:
    """A marketing tool with companies, people and tasks, and a CRM with accounts, contacts, users and activities."""

    def __init__(self, store=None):
        self.clock = ManualClock()
        self.store = store or MemoryStore()
        self.ma = FaultyConnector(
            "ma",
            described("company", *fields("name", "phone", "fax")),
            described("person", *fields("email", "name", "company", "owner.email", "firm", "phone", "fax"),
                      FieldSpec("company_id", FieldType.REFERENCE, refers_to=("company",))),
            described("event", *fields("email", "host", "text")),
            capabilities=SEARCHED, now=self.clock.now,
        )  # fmt: skip
        self.crm = FaultyConnector(
            "crm",
            described("account", *fields("Name", "Phone"), FieldSpec("Fax", max_length=3)),
            described("contact", *fields("Email", "Name", "Owner", "Created", "AccountText", "AccountName"), REQUIRED),
            described("lead", *fields("Email", "Name", "Owner", "Created")),
            described("user", *fields("Email", "Name")),
            described("task", *fields("Who", "Owner", "Text")),
            capabilities=SEARCHED, now=self.clock.now,
        )  # fmt: skip

    def companies(self):
        return (
            one_way("companies", at(self.ma, "company"), at(self.crm, "account"))
            .match(level("name", key("name", "Name")))
            .fields(pair("name", "Name"))
        )

    def firms(self):
        """Make one account of the people of one firm."""
        return (
            one_way("firms", at(self.ma, "person"), at(self.crm, "account"))
            .many_to_one()
            .match(level("firm", key("firm", "Name")))
            .fields(pair("firm", "Name"))
        )

    def people(self, *more):
        return (
            one_way("people", at(self.ma, "person"), at(self.crm, "contact"))
            .match(level("email", key("email", "Email")))
            .fields(pair("email", "Email"), pair("name", "Name"), *more)
        )

    def tasks(self, *puts):
        return events("tasks", at(self.ma, "event"), at(self.crm, "task")).fields(pair("text", "Text"), *puts)

    def ready(self, pipe, driver=None):
        return pipe.remember(self.store).using(driver or SimDriver(clock=self.clock))

    def run(self, pipe, plan=None):
        self.clock.advance(1)
        return self.ready(pipe).run(plan)

    def parked(self, pipe):
        return [(row.state, str(row.because.code), row.ref.id) for row in self.store.quarantine.rows(pipe)]

    def ours(self):
        return [(line.verb, line.ref.kind) for line in self.crm.ledger if line.by == "us"]


@pytest.fixture(params=["memory", "sqlite"])
def world(request, tmp_path):
    return World(SqliteStore(tmp_path / "state.db") if request.param == "sqlite" else None)


BY_FIELD = put("Account", linked("companies", "company_id"))


def test_a_child_points_to_the_counterpart_of_its_parent(world):
    parent = world.ma.put("company", name="Acme")
    world.ma.put("person", email="kim@x.example", company_id=parent)
    world.run(world.companies())
    report = world.run(world.people(BY_FIELD))
    [account], [contact] = world.crm.rows("account"), world.crm.rows("contact")
    assert contact["Account"] == RecordRef("crm", "account", account["id"])
    assert report.counts[Disposition.APPLIED] == 1


def test_a_field_of_plain_text_gets_the_id_alone(world):
    parent = world.ma.put("company", name="Acme")
    world.ma.put("person", email="kim@x.example", company=parent.id)
    companies = world.companies()
    world.run(companies)
    world.run(world.people(put("AccountText", linked(companies, "company"))))
    assert world.crm.rows("contact")[0]["AccountText"] == world.crm.rows("account")[0]["id"]


def test_a_record_that_two_pipelines_carry_points_to_its_own_counterpart_in_the_other(world):
    world.ma.put("person", email="kim@x.example", firm="Acme")
    world.run(world.firms())
    world.run(world.people(put("AccountText", linked("firms"))))
    assert world.crm.rows("contact")[0]["AccountText"] == world.crm.rows("account")[0]["id"]


def test_a_child_waits_for_a_parent_that_is_not_linked_yet_and_wakes_when_it_is(world):
    parent = world.ma.put("company", name="Acme")
    child = world.ma.put("person", email="kim@x.example", company_id=parent)
    people = world.people(BY_FIELD)
    report = world.run(people)
    assert report.counts[Disposition.HELD] == 1
    [row] = world.store.quarantine.rows("people")
    assert row.because.code is Code.PARENT_MISSING
    assert row.because.facts["parent"] == f"company {parent.id}"
    assert world.crm.rows("contact") == []
    world.run(world.companies())
    report = world.run(people)
    assert (report.counts[Disposition.APPLIED], world.parked("people")) == (1, [])
    assert world.crm.rows("contact")[0]["Account"].id == world.crm.rows("account")[0]["id"]
    assert child.id


def test_a_child_of_a_parent_in_trouble_is_in_quarantine_and_goes_on_when_the_parent_does(world):
    parent = world.ma.put("company", name="Acme")
    world.ma.put("person", email="kim@x.example", company_id=parent)
    world.crm.single = lambda action: Fault.REJECTED if action.kind == "account" else None
    world.run(world.companies())
    people = world.people(BY_FIELD)
    world.run(people)
    [row] = world.store.quarantine.rows("people")
    assert (row.state, row.because.code, row.because.facts["id"]) == ("quarantined", Code.PARENT_FAILED, parent.id)
    world.crm.single = lambda action: None
    world.ready(world.companies()).retry()
    world.run(people)
    assert (world.parked("people"), len(world.crm.rows("contact"))) == ([], 1)


def test_a_child_that_waits_learns_that_its_parent_has_come_into_trouble(world):
    parent = world.ma.put("company", name="Acme")
    world.ma.put("person", email="kim@x.example", company_id=parent)
    people = world.people(BY_FIELD)
    world.run(people)
    world.crm.single = lambda action: Fault.REJECTED if action.kind == "account" else None
    world.run(world.companies())
    world.run(people)
    assert [(state, code) for state, code, _ in world.parked("people")] == [("quarantined", "parent_failed")]


def test_a_parent_that_was_merged_leads_to_where_it_lives_on(world):
    loser, winner = world.ma.put("company", name="Acme"), world.ma.put("company", name="Apex")
    companies = world.companies()
    world.run(companies)
    world.ma.merge(loser, winner)
    world.run(companies)
    world.ma.put("person", email="kim@x.example", company_id=loser)
    world.run(world.people(BY_FIELD))
    [contact] = world.crm.rows("contact")
    apex = next(row["id"] for row in world.crm.rows("account") if row["Name"] == "Apex")
    assert contact["Account"].id == apex


def test_a_record_whose_field_is_blank_has_no_parent_to_wait_for(world):
    world.ma.put("person", email="kim@x.example")
    report = world.run(world.people(BY_FIELD))
    assert (report.counts[Disposition.APPLIED], world.crm.rows("contact")[0].get("Account")) == (1, None)


@pytest.mark.parametrize(
    ("absent", "ended", "made"),
    [
        ("hold", Disposition.HELD, 0),
        ("skip", Disposition.SKIPPED, 0),
        ("quarantine", Disposition.QUARANTINED, 0),
        ("blank", Disposition.APPLIED, 1),
        (Constant("a-house"), Disposition.APPLIED, 1),
    ],
)
def test_what_becomes_of_a_child_without_a_parent_is_stated(world, absent, ended, made):
    world.ma.put("person", email="kim@x.example", company_id=RecordRef("ma", "company", "c9"))
    report = world.run(world.people(put("AccountText", linked("companies", "company_id", absent=absent))))
    assert (report.counts[ended], len(world.crm.rows("contact"))) == (1, made)
    if made:
        assert world.crm.rows("contact")[0].get("AccountText") == (None if absent == "blank" else "a-house")


def test_a_parent_that_comes_later_fills_what_was_left_blank(world):
    parent = world.ma.put("company", name="Acme")
    person = world.ma.put("person", email="kim@x.example", company_id=parent)
    people = world.people(put("AccountText", linked("companies", "company_id", absent="blank")))
    world.run(people)
    world.run(world.companies())
    world.ma.edit(person, name="Kim")
    world.run(people)
    assert world.crm.rows("contact")[0]["AccountText"] == world.crm.rows("account")[0]["id"]


def test_a_child_that_moves_to_another_parent_moves_over_there_too(world):
    one, two = world.ma.put("company", name="One"), world.ma.put("company", name="Two")
    person = world.ma.put("person", email="kim@x.example", company_id=one)
    people = world.people(BY_FIELD)
    world.run(world.companies())
    world.run(people)
    world.ma.edit(person, company_id=two)
    world.run(people)
    second = next(row["id"] for row in world.crm.rows("account") if row["Name"] == "Two")
    assert world.crm.rows("contact")[0]["Account"].id == second
    writes = len(world.ours())
    world.run(people)
    assert len(world.ours()) == writes


def test_a_child_that_moves_to_a_parent_that_is_not_linked_yet_waits_as_it_was(world):
    one = world.ma.put("company", name="One")
    person = world.ma.put("person", email="kim@x.example", name="Kim", company_id=one)
    people = world.people(BY_FIELD)
    world.run(world.companies())
    world.run(people)
    [before] = world.crm.rows("contact")
    two = world.ma.put("company", name="Two")
    world.ma.edit(person, name="Park", company_id=two)
    [row] = world.run(people).rows()
    assert (row.ref, row.disposition, row.because.code) == (person, Disposition.HELD, Code.PARENT_MISSING)
    assert world.crm.rows("contact") == [before]
    world.run(world.companies())
    world.run(people)
    second = next(row["id"] for row in world.crm.rows("account") if row["Name"] == "Two")
    [contact] = world.crm.rows("contact")
    assert (contact["Name"], contact["Account"].id) == ("Park", second)


# -- a reference that was blank, and now leads to a parent that is not linked yet -----------------------


def settled_alone(world, *puts):
    """Give a linked person of no company, at rest, and the pipeline of people."""
    person = world.ma.put("person", email="kim@x.example", company_id=None)
    people = world.people(*(puts or (BY_FIELD,)))
    for _ in range(2):
        world.run(people)
    return person, people


@pytest.mark.parametrize("policy", [policies.left_wins, policies.right_wins])
@pytest.mark.parametrize("late", ["its turn is later", "its create is in doubt"])
def test_a_first_parent_reaches_its_child_although_the_child_is_looked_at_before_it_is_linked(world, late, policy):
    person, people = settled_alone(world, put("Account", linked("companies", "company_id"), policy))
    parent = world.ma.put("company", name="Acme")
    world.ma.edit(person, company_id=parent)
    if late == "its create is in doubt":
        world.crm.then(Fault.LOST_AFTER)
        world.run(world.companies())
    [row] = world.run(people).rows()
    assert (row.ref, row.disposition, row.because.code) == (person, Disposition.HELD, Code.PARENT_MISSING)
    world.clock.advance(3600)
    world.run(world.companies())
    world.run(people)
    [account], [contact] = world.crm.rows("account"), world.crm.rows("contact")
    assert (contact["Account"].id, world.parked("people")) == (account["id"], [])
    writes = len(world.ours())
    for _ in range(3):
        world.run(people)
    assert len(world.ours()) == writes


@pytest.mark.parametrize(
    ("absent", "ended", "parked"),
    [
        ("hold", Disposition.HELD, "held"),
        ("skip", Disposition.SKIPPED, None),
        ("quarantine", Disposition.QUARANTINED, "quarantined"),
    ],
)
def test_a_child_whose_first_parent_is_not_there_is_never_told_as_unchanged(world, absent, ended, parked):
    for end in (world.ma, world.crm):
        end._capabilities = attrs.evolve(SEARCHED, incremental=False, sees_deletes=False, sees_merges=False)
    person, people = settled_alone(world, put("Account", linked("companies", "company_id", absent=absent)))
    writes = len(world.ours())
    world.ma.edit(person, company_id=RecordRef("ma", "company", "c9"))
    plan = world.ready(people).plan()
    assert [(row.disposition, row.because.code) for row in plan.rows(ended)] == [(ended, Code.PARENT_MISSING)]
    for _ in range(3):
        report = world.run(people)
        assert (report.counts[ended], len(world.ours())) == (1, writes)
        assert [state for state, _, _ in world.parked("people")] == ([parked] if parked else [])
    world.ma.edit(person, company_id=None)
    for _ in range(2):
        report = world.run(people)
    assert (report.counts[ended], world.parked("people"), len(world.ours())) == (0, [], writes)


def test_a_value_that_is_stated_for_want_of_a_parent_is_none_that_a_child_with_one_is_at_rest_with(world):
    """Whoever has no parent is somebody's own; who has one that is not linked yet waits for it, here and in an undo."""
    person, people = settled_alone(world, put("AccountText", coalesce(linked("companies", "company_id"), "own")))
    assert contact(world, "AccountText") == ("own",)
    world.ma.edit(person, company_id=world.ma.put("company", name="Acme"))
    assert world.run(people).counts[Disposition.HELD] == 1
    world.run(world.companies())
    world.run(people)
    assert contact(world, "AccountText") == (account(world, "Acme").id,)
    world.ma.edit(person, company_id=None)
    cleared = world.run(people)
    world.ma.edit(person, company_id=world.ma.put("company", name="Later"))
    plan = world.ready(people).undo(cleared)
    assert [row.because.code for row in plan.rows()] == [Code.CHANGED_SINCE]


def test_a_reference_that_is_told_of_later_holds_a_pair_that_has_never_agreed_on_it(world):
    parent = world.ma.put("company", name="Acme")
    world.ma.put("person", email="kim@x.example", company_id=parent)
    world.run(world.people())
    people = world.people(BY_FIELD)
    assert world.run(people).counts[Disposition.HELD] == 1
    world.run(world.companies())
    world.run(people)
    assert contact(world, "Account") == (account(world, "Acme"),)


def test_a_record_that_begins_to_name_one_that_several_match_is_left_to_a_person(world):
    for number in range(2):
        world.crm.put("user", f"U{number}", Email="boss@x.example")
    boss = look_up("boss", at(world.crm, "user"), level("email", key("owner.email", "Email")))
    person, people = settled_alone(world, put("Owner", boss))
    world.ma.edit(person, **{"owner.email": "boss@x.example"})
    [row] = world.run(people).rows()
    assert (row.disposition, row.because.code) == (Disposition.DISPUTED, Code.SEVERAL_MATCH)
    world.ready(people).rule(person, "U1", by="kim")
    world.run(people)
    assert contact(world, "Owner") == ("U1",)


def test_a_pair_whose_reference_crosses_both_ways_is_at_rest_although_its_parent_is_linked_no_more(world):
    companies, people = both_ways(world)
    parent = world.ma.put("company", name="Acme")
    world.ma.put("person", email="kim@x.example", name="Kim", company_id=parent)
    world.run(companies)
    world.run(people)
    world.ma.remove(parent)
    world.run(companies)
    world.ready(people).look_again()
    assert {line.disposition for line in world.run(people).rows()} == {Disposition.UNCHANGED}


def test_an_undo_leaves_alone_a_field_whose_record_names_another_parent_by_now(world):
    one = world.ma.put("company", name="One")
    person = world.ma.put("person", email="kim@x.example", company_id=one)
    people = world.people(BY_FIELD)
    world.run(world.companies())
    world.run(people)
    world.ma.edit(person, company_id=None)
    cleared = world.run(people)
    world.ma.edit(person, company_id=world.ma.put("company", name="Two"))
    plan = world.ready(people).undo(cleared)
    assert [row.because.code for row in plan.rows()] == [Code.CHANGED_SINCE]
    world.run(people, plan)
    assert contact(world, "Account") == (None,)


def test_a_store_of_fingerprints_lets_a_child_wait_for_its_first_parent_as_well(tmp_path):
    world = World(FingerprintStore(SqliteStore(tmp_path / "state.db"), key=b"a key from outside, 32 bytes or more"))
    person, people = settled_alone(world)
    world.ma.edit(person, company_id=world.ma.put("company", name="Acme"))
    assert world.run(people).counts[Disposition.HELD] == 1
    world.run(world.companies())
    world.run(people)
    assert contact(world, "Account") == (account(world, "Acme"),)


def test_a_record_may_refer_to_one_of_its_own_pipeline(world):
    child = world.ma.put("person", "p1", email="kim@x.example", company="p2")
    world.ma.put("person", "p2", email="boss@x.example")
    people = world.people()
    people = people.fields(put("AccountText", linked(people, "company")))
    report = world.run(people)
    made = {row["Email"]: row for row in world.crm.rows("contact")}
    assert made["kim@x.example"]["AccountText"] == made["boss@x.example"]["id"]
    assert report.counts[Disposition.APPLIED] == 2
    assert child.id == "p1"


def test_why_says_which_reference_was_followed(world):
    parent = world.ma.put("company", name="Acme")
    child = world.ma.put("person", email="kim@x.example", company_id=parent)
    world.run(world.companies())
    people = world.people(BY_FIELD)
    world.run(people)
    [row] = world.ready(people).why(child, "Account")
    [line] = row.fields
    assert line.because.code is Code.FOLLOWED
    assert line.because.facts["record"] == f"account {world.crm.rows('account')[0]['id']}"


# -- references that cross both ways ---------------------------------------------------------


def both_ways(world):
    companies = (
        two_way("companies", at(world.ma, "company"), at(world.crm, "account"))
        .match(level("name", key("name", "Name")))
        .creates(left=True, right=True)
        .fields(pair("name", "Name"), policy=policies.right_wins)
    )
    people = (
        two_way("people", at(world.ma, "person"), at(world.crm, "contact"))
        .match(level("email", key("email", "Email")))
        .creates(left=True, right=True)
        .fields(
            pair("email", "Email"), pair("name", "Name"),
            pair("company_id", "Account", via=linked(companies)), policy=policies.right_wins,
        )
    )  # fmt: skip
    return companies, people


def account(world, name):
    return next(RecordRef("crm", "account", row["id"]) for row in world.crm.rows("account") if row["Name"] == name)


def company(world, name):
    return next(RecordRef("ma", "company", row["id"]) for row in world.ma.rows("company") if row["name"] == name)


def test_a_reference_crosses_both_ways_in_each_systems_own_ids(world):
    companies, people = both_ways(world)
    one = world.ma.put("company", name="One")
    world.crm.put("account", name := "a9", Name="Two")
    person = world.ma.put("person", email="kim@x.example", company_id=one)
    contact = world.crm.put("contact", Email="lee@x.example", Account=RecordRef("crm", "account", name))
    world.run(companies)
    world.run(people)
    made = next(row for row in world.crm.rows("contact") if row["Email"] == "kim@x.example")
    assert made["Account"] == account(world, "One")
    lee = next(row for row in world.ma.rows("person") if row["email"] == "lee@x.example")
    assert lee["company_id"] == company(world, "Two")
    world.crm.edit(RecordRef("crm", "contact", made["id"]), Account=account(world, "Two"))
    world.run(people)
    assert world.ma.values(person)["company_id"] == company(world, "Two")
    world.ma.edit(person, company_id=one)
    world.run(people)
    assert world.crm.values(RecordRef("crm", "contact", made["id"]))["Account"] == account(world, "One")
    world.ma.edit(person, company_id=None)
    world.run(people)
    assert world.crm.values(RecordRef("crm", "contact", made["id"]))["Account"] is None
    writes = len(world.crm.ledger), len(world.ma.ledger)
    world.run(people)
    world.run(people)
    assert (len(world.crm.ledger), len(world.ma.ledger)) == writes
    assert contact.id


def test_a_record_of_the_right_waits_for_its_parent_as_well(world):
    companies, people = both_ways(world)
    parent = world.crm.put("account", Name="Two")
    world.crm.put("contact", Email="lee@x.example", Account=parent)
    report = world.run(people)
    assert report.counts[Disposition.HELD] == 1
    world.run(companies)
    world.run(people)
    assert world.ma.rows("person")[0]["company_id"] == company(world, "Two")


def test_two_references_that_both_changed_are_judged_by_the_policy(world):
    companies, people = both_ways(world)
    one, two = world.ma.put("company", name="One"), world.ma.put("company", name="Two")
    person = world.ma.put("person", email="kim@x.example", company_id=one)
    world.run(companies)
    world.run(people)
    [contact] = world.crm.rows("contact")
    world.ma.edit(person, company_id=None)
    world.crm.edit(RecordRef("crm", "contact", contact["id"]), Account=account(world, "Two"))
    world.run(people)
    assert world.ma.values(person)["company_id"] == two


# -- records that are looked up ---------------------------------------------------------------


def person_of(world, **how):
    return look_up("person", at(world.crm, "contact", "lead"), level("email", key("email", "Email")), **how)


def fire(world, pipe, *values):
    world.ready(pipe).enable()
    world.clock.advance(1)
    return [world.ma.put("event", **value) for value in values]


def test_a_record_is_found_by_keys_when_the_event_is_due_and_lends_its_fields(world):
    world.crm.put("lead", "L1", Email="kim@x.example", Owner="u7")
    person = person_of(world, absent="skip")
    tasks = world.tasks(put("Who", person), put("Owner", person.field("Owner")))
    fire(world, tasks, {"email": "kim@x.example", "text": "a"}, {"email": "nobody@x.example", "text": "b"})
    report = world.run(tasks)
    [task] = world.crm.rows("task")
    assert (task["Who"], task["Owner"], task["Text"]) == ("L1", "u7", "a")
    assert report.counts[Disposition.SKIPPED] == 1


def test_a_stronger_level_on_a_later_kind_beats_a_weaker_one_on_the_first(world):
    world.crm.put("contact", "C1", Name="Kim")
    world.crm.put("lead", "L1", Email="kim@x.example")
    person = look_up(
        "person", at(world.crm, "contact", "lead"),
        level("email", key("email", "Email")), level("name", key("text", "Name")),
    )  # fmt: skip
    tasks = world.tasks(put("Who", person))
    fire(world, tasks, {"email": "kim@x.example", "text": "Kim"}, {"email": "", "text": "Kim"})
    world.run(tasks)
    assert [task["Who"] for task in world.crm.rows("task")] == ["L1", "C1"]


def test_a_batch_is_one_search_and_what_was_learned_serves_the_run(world):
    for number in range(4):
        world.crm.put("contact", Email=f"p{number}@x.example")
    person = look_up("person", at(world.crm, "contact"), level("email", key("email", "Email")))
    tasks = world.tasks(put("Who", person)).batches(of=10)
    fire(world, tasks, *({"email": f"p{number % 4}@x.example", "text": str(number)} for number in range(40)))
    world.crm.requests.clear()
    world.run(tasks)
    assert world.crm.requests.count("find") == 1
    assert world.crm.requests.count("fetch") == 1
    assert all(task["Who"] for task in world.crm.rows("task"))


def test_keys_that_the_system_cannot_search_by_are_found_by_reading_the_kind_once(world):
    world.crm.put("contact", "C1", Email="KIM@x.example")
    person = look_up("person", at(world.crm, "contact"), level("email", key("email", "Email", str.lower)))
    tasks = world.tasks(put("Who", person)).batches(of=1)
    fire(world, tasks, *({"email": "kim@X.example", "text": str(number)} for number in range(3)))
    world.crm.requests.clear()
    world.run(tasks)
    assert [task["Who"] for task in world.crm.rows("task")] == ["C1"] * 3
    assert (world.crm.requests.count("find"), world.crm.requests.count("read")) == (0, 1)


def test_what_a_search_names_is_not_believed_before_its_keys_were_compared(world):
    stale = world.crm.put("contact", "C1", Email="kim@x.example")
    world.crm._find = lambda question, fields: world.crm._as_rows("contact", fields, ["C1"])
    world.crm.edit(stale, Email="moved@x.example")
    person = look_up("person", at(world.crm, "contact"), level("email", key("email", "Email")))
    tasks = world.tasks(put("Who", person))
    fire(world, tasks, {"email": "kim@x.example", "text": "a"})
    world.run(tasks)
    assert world.crm.rows("task")[0].get("Who") is None


def test_several_that_match_are_chosen_among_by_the_adoption_rule_or_by_a_person(world):
    world.crm.put("contact", "C1", Email="kim@x.example", Created=dt.date(2026, 1, 1))
    world.crm.put("contact", "C2", Email="kim@x.example", Created=dt.date(2026, 2, 1))
    rule = world.tasks(put("Who", person_of(world, adopt=newest("Created"))))
    [event] = fire(world, rule, {"email": "kim@x.example", "text": "a"})
    report = world.ready(world.tasks(put("Who", person_of(world)))).run()
    assert report.counts[Disposition.DISPUTED] == 1
    [row] = world.store.quarantine.rows("tasks")
    assert (row.because.code, row.because.facts["found"]) == (Code.SEVERAL_MATCH, 2)
    world.ready(rule).rule(event, "C1", by="kim")
    world.ready(world.tasks(put("Who", person_of(world)))).run()
    assert world.crm.rows("task")[0]["Who"] == "C1"
    fire(world, rule, {"email": "kim@x.example", "text": "b"})
    world.run(rule)
    assert world.crm.rows("task")[1]["Who"] == "C2"


def test_a_stated_fallback_stands_where_nothing_is_found(world):
    world.crm.put("user", "U1", Email="host@x.example")
    world.crm.put("contact", "C1", Email="kim@x.example", Owner="U2")
    host = look_up("host", at(world.crm, "user"), level("email", key("host", "Email")))
    owner = coalesce(host, person_of(world).field("Owner"), "U0")
    tasks = world.tasks(put("Owner", owner), put("Who", person_of_same := person_of(world)))
    assert person_of_same.name == "person"
    with pytest.raises(PairError, match="two look-ups"):
        world.run(tasks)
    person = person_of(world)
    tasks = world.tasks(put("Owner", coalesce(host, person.field("Owner"), "U0")), put("Who", person))
    fire(
        world, tasks, {"email": "kim@x.example", "host": "host@x.example"}, {"email": "kim@x.example", "host": "else"},
        {"email": "no", "host": "else"},
    )  # fmt: skip
    world.run(tasks)
    assert [task["Owner"] for task in world.crm.rows("task")] == ["U1", "U2", "U0"]


def test_an_event_may_wait_for_a_record_that_is_not_there_yet(world):
    tasks = world.tasks(put("Who", person_of(world, absent="hold")))
    fire(world, tasks, {"email": "kim@x.example", "text": "a"})
    assert world.run(tasks).counts[Disposition.HELD] == 1
    world.crm.put("contact", "C1", Email="kim@x.example")
    world.clock.advance(dt.timedelta(minutes=16))
    world.run(tasks)
    assert world.crm.rows("task")[0]["Who"] == "C1"


def test_a_gate_may_ask_for_what_is_found(world):
    world.crm.put("contact", "C1", Email="kim@x.example", Owner="U1")
    person = person_of(world)
    tasks = world.tasks(put("Who", person)).gate(filled(person.field("Owner")))
    fire(world, tasks, {"email": "kim@x.example"}, {"email": "nobody@x.example"})
    report = world.run(tasks)
    assert (report.counts[Disposition.APPLIED], report.counts[Disposition.SKIPPED]) == (1, 1)
    assert world.crm.rows("task")[0]["Who"] == "C1"


def test_keys_and_values_may_be_paths_where_the_system_nests(world):
    world.crm.put("user", "U1", Email="boss@x.example")
    world.ma.put("person", **{"email": "kim@x.example", "owner.email": "boss@x.example"})
    owner = look_up("owner", at(world.crm, "user"), level("email", key("owner.email", "Email")))
    world.run(world.people(put("Owner", owner), pair("owner.email", "AccountName")))
    [contact] = world.crm.rows("contact")
    assert (contact["Owner"], contact["AccountName"]) == ("U1", "boss@x.example")


# -- parents that are ensured ---------------------------------------------------------------------


def ensuring(world, **firms):
    return world.people(put("Account", ensured(world.firms())))


def test_two_children_make_one_parent_and_both_point_to_it(world):
    for name in ("kim", "lee"):
        world.ma.put("person", email=f"{name}@x.example", firm="Acme")
    report = world.run(ensuring(world))
    [account] = world.crm.rows("account")
    assert [contact["Account"].id for contact in world.crm.rows("contact")] == [account["id"]] * 2
    assert sum(report.counts.values()) == report.read == 4
    assert [verb_kind for verb_kind in world.ours() if verb_kind[1] == "account"] == [("create", "account")]


def test_a_parent_that_matches_is_taken_and_none_is_made(world):
    there = world.crm.put("account", Name="Acme")
    world.ma.put("person", email="kim@x.example", firm="Acme")
    world.run(ensuring(world))
    assert (len(world.crm.rows("account")), world.crm.rows("contact")[0]["Account"]) == (1, there)


def test_a_record_that_matches_keeps_its_own_parent_and_none_is_made_for_it(world):
    own = world.crm.put("account", Name="Holding")
    world.crm.put("contact", Email="kim@x.example", Account=own)
    world.ma.put("person", email="kim@x.example", firm="Acme")
    world.run(ensuring(world))
    assert (world.crm.rows("contact")[0]["Account"], len(world.crm.rows("account"))) == (own, 1)


def test_no_parent_is_made_for_a_child_that_a_gate_keeps_back(world):
    world.ma.put("person", email="kim@x.example", firm="Acme")
    world.run(ensuring(world).gate(filled("name")))
    assert world.ours() == []


def test_children_of_a_parent_that_is_refused_are_in_quarantine_by_its_name(world):
    person = world.ma.put("person", email="kim@x.example", firm="Acme")
    world.crm.single = lambda action: Fault.REJECTED if action.kind == "account" else None
    people = ensuring(world)
    world.run(people)
    [row] = world.store.quarantine.rows("people")
    assert (row.because.code, row.because.facts["pipeline"]) == (Code.PARENT_FAILED, "firms")
    assert world.crm.rows("contact") == []
    world.crm.single = lambda action: None
    world.ready(world.firms()).retry([person])
    world.run(people)
    assert len(world.crm.rows("contact")) == len(world.crm.rows("account")) == 1


def test_a_parent_whose_write_has_no_answer_keeps_its_child_waiting_and_is_not_made_twice(world):
    world.ma.put("person", email="kim@x.example", firm="Acme")
    world.crm.then(Fault.LOST_AFTER)
    people = ensuring(world)
    world.run(people)
    assert (len(world.crm.rows("account")), world.crm.rows("contact")) == (1, [])
    for _ in range(3):
        world.clock.advance(dt.timedelta(minutes=20))
        world.run(people)
    assert len(world.crm.rows("account")) == len(world.crm.rows("contact")) == 1


def test_a_plan_shows_parents_before_children_makes_nothing_and_can_be_approved(world):
    for name in ("kim", "lee"):
        world.ma.put("person", email=f"{name}@x.example", firm="Acme")
    people = ensuring(world)
    plan = world.ready(people).plan()
    assert world.ours() == []
    assert plan.totals.writes[("crm", "create")] == 3
    kinds = [action.kind for decision in plan.rows() for action in decision.actions]
    assert kinds == ["account", "contact", "contact"]
    assert "(new)" in str(plan)
    report = world.run(people, plan)
    assert [how for how in world.ours() if how[0] == "create"] == [("create", "account"), *[("create", "contact")] * 2]
    assert report.counts[Disposition.HELD] == 0
    assert all(contact["Account"].id != "(new)" for contact in world.crm.rows("contact"))


def test_a_plan_with_its_parents_goes_to_a_file_and_back(world, tmp_path):
    world.ma.put("person", email="kim@x.example", firm="Acme")
    people = ensuring(world)
    plan = world.ready(people).plan()
    plan.save(tmp_path / "plan.jsonl")
    loaded = world.ready(people).load(tmp_path / "plan.jsonl")
    assert (loaded, list(loaded.rows())) == (plan, list(plan.rows()))
    world.run(people, loaded)
    assert [how for how in world.ours() if how[0] == "create"] == [("create", "account"), ("create", "contact")]


def test_a_plan_leaves_to_a_person_the_children_of_parents_that_it_does(world):
    for number in range(2):
        world.crm.put("account", f"A{number}", Name="Acme")
    world.ma.put("person", email="kim@x.example", firm="Acme")
    plan = world.ready(ensuring(world)).plan()
    assert plan.totals.by_disposition[Disposition.QUARANTINED] == 1
    assert plan.totals.by_disposition[Disposition.DISPUTED] == 1


def test_children_wait_where_somebody_else_runs_their_parents_pipeline(world):
    world.ma.put("person", email="kim@x.example", firm="Acme")
    fence = world.store.leases.take("firms", "another", world.clock.now(), dt.timedelta(minutes=5))
    people = ensuring(world)
    assert world.run(people).counts[Disposition.HELD] == 1
    world.store.leases.release(fence)
    world.run(world.firms())
    world.run(people)
    assert world.crm.rows("contact")[0]["Account"].id == world.crm.rows("account")[0]["id"]


def test_an_event_may_ensure_its_parent(world):
    accounts = (
        one_way("hosts", at(world.ma, "event"), at(world.crm, "account")).many_to_one()
        .match(level("host", key("host", "Name"))).fields(pair("host", "Name"))
    )  # fmt: skip
    tasks = world.tasks(put("Who", ensured(accounts)))
    fire(world, tasks, {"host": "Acme", "text": "a"}, {"host": "Acme", "text": "b"})
    world.run(tasks)
    assert {task["Who"] for task in world.crm.rows("task")} == {world.crm.rows("account")[0]["id"]}
    assert len(world.crm.rows("account")) == 1


# -- what is refused before anything is read ---------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (lambda world: put("AccountText", linked("companies", "company")), "plain ids"),
        (lambda world: put("AccountText", linked("companies", "nothing")), "no such field"),
        (lambda world: put("AccountText", linked("companies", "company.name")), "nothing inside"),
        (lambda world: pair("company_id", "Account", via=linked("companies", absent="blank")), "cross back"),
        (lambda world: pair("company_id", "Account", via=linked("companies", "email")), "no field of its own"),
        (lambda world: put("Owner", ensured(world.tasks())), "makes none"),
        (
            lambda world: put("Owner", linked(one_way("back", at(world.crm, "contact"), at(world.ma, "person")))),
            "order",
        ),
    ],
)
def test_what_cannot_be_followed_is_refused_with_the_remedy(world, bad, said):
    with pytest.raises(PairError, match=said):
        world.run(world.people(bad(world)))


def test_a_field_that_the_found_record_lacks_is_refused_by_name(world):
    world.crm.put("contact", "C1", Email="kim@x.example")
    tasks = world.tasks(put("Owner", person_of(world).field("OwnerI")))
    fire(world, tasks, {"email": "kim@x.example"})
    with pytest.raises(PairError, match="OwnerI"):
        world.run(tasks)


def test_a_misspelt_absent_and_a_look_up_without_keys_are_refused(world):
    with pytest.raises(UsageError, match="Constant"):
        linked("companies", "company_id", absent="held")
    with pytest.raises(UsageError, match="level"):
        look_up("person", at(world.crm, "contact"))


def test_check_names_the_fields_that_a_look_up_asks_for_in_vain(world):
    tasks = world.tasks(put("Owner", person_of(world).field("OwnerI")))
    fatal = [str(finding) for finding in world.ready(tasks).check() if finding.fatal]
    assert len(fatal) == 2
    assert all("OwnerI" in line and "person" in line for line in fatal)


# -- keys and values of the record that a reference points to ---------------------------------------


def cards(world):
    """A CRM whose cards are matched by their customer's address, and whose own fields nest."""
    crm = FaultyConnector(
        "crm", described("customer", *fields("address")),
        described("card", *fields("name", "contact.email"), FieldSpec("customer.address", read_only=True),
                  FieldSpec("customer", FieldType.REFERENCE, refers_to=("customer",))),
        capabilities=SEARCHED, now=world.clock.now,
    )  # fmt: skip
    pipe = (
        one_way("cards", at(world.ma, "person"), at(crm, "card"))
        .match(level("address", all_of(key("name", "name"), key("firm", "customer.address"))))
        .fields(pair("name", "name"), pair("email", "contact.email"))
    )
    return crm, pipe


def test_a_key_may_be_of_the_record_that_the_other_one_refers_to(world):
    crm, pipe = cards(world)
    tokyo, osaka = (crm.put("customer", address=city) for city in ("Tokyo", "Osaka"))
    crm.put("card", "K1", name="Kim", customer=tokyo)
    crm.put("card", "K2", name="Kim", customer=osaka)
    world.ma.put("person", name="Kim", firm="Osaka", email="kim@x.example")
    world.run(pipe)
    assert [(row["id"], row.get("contact.email")) for row in crm.rows("card")] == [
        ("K1", None),
        ("K2", "kim@x.example"),
    ]


def test_a_path_to_another_records_field_is_never_written(world):
    _, pipe = cards(world)
    with pytest.raises(PairError, match="lets nobody write"):
        world.run(pipe.fields(pair("firm", "customer.address")))


# -- what is not found, and what names nothing -----------------------------------------------------------


def owned(world, named=None):
    """Make a contact whose owner is looked up, and named as *named* says."""
    boss = look_up("boss", at(world.crm, "user"), level("email", key("owner.email", "Email")))
    people = world.people(put("Owner", boss), *([] if named is None else [put("AccountName", named(boss))]))
    user = world.crm.put("user", Email="sei@x.example", Name="Sei")
    person = world.ma.put("person", **{"email": "kim@x.example", "owner.email": "sei@x.example"})
    world.run(people)
    return people, user, person


def contact(world, *names):
    [row] = world.crm.rows("contact")
    return tuple(row.get(name) for name in names)


def test_a_look_up_that_finds_nobody_any_more_leaves_the_field_as_it_is_and_says_so(world):
    people, user, person = owned(world, lambda boss: boss.field("Name"))
    assert contact(world, "Owner", "AccountName") == (user.id, "Sei")
    world.crm.remove(user)
    world.ma.edit(person, name="Kim")
    plan = world.ready(people).plan()
    [row] = plan.rows()
    left = [line for line in row.fields if line.because.code is Code.NOT_FOLLOWED]
    assert [(line.right_field, line.because.facts["reference"]) for line in left] == [
        ("Owner", "boss"),
        ("AccountName", "boss.Name"),
    ]
    world.run(people)
    assert contact(world, "Name", "Owner", "AccountName") == ("Kim", user.id, "Sei")
    assert "blank" not in str(world.ready(people).why(person, "Owner")).partition("run-2")[2]


def test_what_is_found_again_crosses_with_the_next_change(world):
    people, _, person = owned(world)
    world.ma.edit(person, **{"owner.email": "mai@x.example"})
    world.run(people)
    mai = world.crm.put("user", Email="mai@x.example")
    world.ma.edit(person, name="Kim")
    world.run(people)
    assert contact(world, "Owner") == (mai.id,)


def test_a_record_that_names_nobody_any_more_clears_the_field(world):
    people, _, person = owned(world)
    world.ma.edit(person, **{"owner.email": None})
    world.run(people)
    assert contact(world, "Owner") == (None,)


def test_who_wants_a_reference_that_is_not_found_to_clear_the_field_says_so(world):
    people = world.people(put("AccountText", linked("companies", "company_id", absent=Constant(None))))
    acme = world.ma.put("company", name="Acme")
    world.run(world.companies())
    person = world.ma.put("person", email="kim@x.example", company_id=acme)
    world.run(people)
    assert contact(world, "AccountText") != (None,)
    world.ma.edit(person, company_id=world.ma.put("company", name="Later"))
    world.run(people)
    assert contact(world, "AccountText") == (None,)


def test_a_field_of_the_found_record_that_was_cleared_is_a_clear(world):
    people, user, person = owned(world, lambda boss: boss.field("Name"))
    world.crm.edit(user, Name=None)
    world.ma.edit(person, name="Kim")
    world.run(people)
    assert contact(world, "Owner", "AccountName") == (user.id, None)


def test_a_stated_fallback_comes_before_what_the_field_holds(world):
    people, user, person = owned(world, lambda boss: coalesce(boss.field("Name"), "nobody"))
    world.crm.remove(user)
    world.ma.edit(person, name="Kim")
    world.run(people)
    assert contact(world, "AccountName") == ("nobody",)


def test_a_parent_that_is_not_linked_yet_leaves_the_field_of_its_child_as_it_is(world):
    companies, people = world.companies(), world.people(
        put("AccountText", linked("companies", "company_id", absent="blank"))
    )  # fmt: skip
    acme, cha = (world.ma.put("company", name=name) for name in ("Acme", "Cha"))
    world.run(companies)
    person = world.ma.put("person", email="kim@x.example", company_id=acme)
    world.run(people)
    [account] = contact(world, "AccountText")
    later = world.ma.put("company", name="Later")
    world.ma.edit(person, company_id=later)
    world.run(people)
    assert contact(world, "AccountText") == (account,)
    world.ma.edit(person, company_id=cha)
    world.run(people)
    [moved] = contact(world, "AccountText")
    assert moved not in (None, account)
    world.ma.edit(person, company_id=None)
    world.run(people)
    assert contact(world, "AccountText") == (None,)


# -- gates, several references of one record, and what is left -----------------------------------------


@pytest.mark.parametrize(
    ("gate", "admitted"),
    [
        (lambda person: equals(person.field("Owner"), "U1"), 1),
        (lambda person: equals(person.field("Owner"), "U2"), 0),
        (lambda person: has_any(person.field("Owner"), ["U1", "U3"]), 1),
        (lambda person: at_least(person.field("Score"), 5), 1),
        (lambda person: at_least(person.field("Score"), 6), 0),
        (lambda person: consented(person.field("Out")), 0),
        (lambda person: unless(filled(person)), 0),
        (lambda person: every(filled(person), either(filled("host"), filled(person.field("Owner")))), 1),
    ],
)
def test_every_gate_may_look_at_what_a_reference_leads_to(world, gate, admitted):
    crm = FaultyConnector(
        "crm", described("contact", *fields("Email", "Owner", "Score", "Out")), described("task", *fields("Text")),
        capabilities=SEARCHED, now=world.clock.now,
    )  # fmt: skip
    crm.put("contact", Email="kim@x.example", Owner="U1", Score=5, Out=True)
    person = look_up("person", at(crm, "contact"), level("email", key("email", "Email")))
    tasks = events("tasks", at(world.ma, "event"), at(crm, "task")).fields(pair("text", "Text")).gate(gate(person))
    fire(world, tasks, {"email": "kim@x.example", "text": "a"})
    assert world.run(tasks).counts[Disposition.APPLIED] == admitted


def test_a_refusal_names_what_the_gate_looked_at(world):
    tasks = world.tasks().gate(unless(filled(person_of(world))), filled(person_of(world).field("Owner")))
    with pytest.raises(PairError, match="two look-ups"):
        world.run(tasks)
    person = person_of(world)
    world.crm.put("contact", Email="kim@x.example")
    tasks = world.tasks().gate(unless(filled(person)), filled(person.field("Owner")))
    fire(world, tasks, {"email": "kim@x.example"}, {"email": "no"})
    assert [row.because.facts["field"] for row in world.run(tasks).rows(Disposition.SKIPPED)] == [
        "person",
        "person.Owner",
    ]


def test_a_record_that_a_setting_skips_does_not_wait_for_its_other_parent(world):
    nowhere = RecordRef("ma", "company", "c9")
    world.ma.put("person", email="kim@x.example", company_id=nowhere)
    people = world.people(
        put("AccountText", linked("companies", "company_id")),
        put("AccountName", linked("others", "company_id", absent="skip")),
    )
    assert world.run(people).counts[Disposition.SKIPPED] == 1
    people = world.people(
        put("AccountName", linked("others", "company_id", absent="skip")),
        put("AccountText", linked("companies", "company_id")),
    )
    world.ma.put("person", email="lee@x.example", company_id=nowhere)
    assert world.run(people).counts[Disposition.SKIPPED] == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda world, pipe: pipe.gate(filled(person_of(world)), of="right"), "right record"),
        (
            lambda world, pipe: pipe.gate(
                filled(look_up("x", at(world.crm, "contact"), level("e", key("nothing", "Email"))))
            ),
            "'nothing'",
        ),
        (lambda world, pipe: pipe.fields(pair("company_id", "Account", via=ensured(world.firms()))), "alone"),
        (
            lambda world, pipe: pipe.fields(
                put("Owner", look_up("x", at(each(print, fields=["a"]), "row"), level("e", key("email", "a"))))
            ),
            "needs",
        ),
    ],
)
def test_what_a_gate_or_a_pair_cannot_follow_is_refused(world, change, said):
    with pytest.raises(PairError, match=said):
        world.run(change(world, world.people()))


def test_an_error_of_the_world_while_a_parent_is_made_gives_both_leases_back(world):
    world.ma.put("person", email="kim@x.example", firm="Acme")
    people = ensuring(world)
    world.crm.then(Fault.NOT_ALLOWED)
    with pytest.raises(NotAllowed):
        world.run(people)
    assert world.store.leases.take("firms", "another", world.clock.now(), dt.timedelta(0)).token
    world.clock.advance(dt.timedelta(minutes=20))
    world.run(people)
    assert len(world.crm.rows("account")) == len(world.crm.rows("contact")) == 1


def test_what_look_ups_have_learned_is_bounded():
    followed = Followed()
    followed.records["person", RecordRef("crm", "contact", "C1")] = None
    followed.forget(most=1)
    assert followed.records
    followed.forget(most=0)
    assert not followed.records


def test_parents_that_point_in_a_circle_wait_and_say_so(world):
    people = world.people()
    people = people.fields(put("AccountText", linked(people, "company")))
    world.ma.put("person", "p1", email="kim@x.example", company="p2")
    world.ma.put("person", "p2", email="lee@x.example", company="p1")
    assert world.run(people).counts[Disposition.HELD] == 2
    assert world.parked("people") == [("held", "parent_missing", "p1"), ("held", "parent_missing", "p2")]


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["company", "person", "loner", "move", "leave", "parents", "children", "refuse", "allow"]),
        st.integers(0, 3),
    ),
    max_size=25,
)


@given(OPERATIONS)
@settings(max_examples=60, deadline=None)
def test_whatever_the_order_every_child_ends_with_the_counterpart_of_its_parent(operations):
    world = World()
    companies, people = world.companies(), world.people(BY_FIELD)
    refs = [RecordRef("ma", "company", f"c{number}") for number in range(4)]
    for what, number in operations:
        known = {row["id"] for row in world.ma.rows("company")}
        if what == "company" and f"c{number}" not in known:
            world.ma.put("company", f"c{number}", name=f"firm {number}")
        elif what in {"person", "loner"}:
            parent = refs[number] if what == "person" else None
            world.ma.put("person", email=f"p{len(world.ma.rows('person'))}@x.example", company_id=parent)
        elif what in {"move", "leave"} and world.ma.rows("person"):
            someone = world.ma.rows("person")[number % len(world.ma.rows("person"))]
            parent = refs[(number + 1) % 4] if what == "move" else None
            world.ma.edit(RecordRef("ma", "person", someone["id"]), company_id=parent)
        elif what in {"refuse", "allow"}:
            trouble = Fault.REJECTED if what == "refuse" else None
            world.crm.single = lambda action, trouble=trouble: trouble if target_kind(action) == "account" else None
        elif what in {"parents", "children"}:
            world.run(companies if what == "parents" else people)
    world.crm.single = lambda action: None
    for number in range(4):
        if not any(row["id"] == f"c{number}" for row in world.ma.rows("company")):
            world.ma.put("company", f"c{number}", name=f"firm {number}")
    world.ready(companies).retry()
    for pipe in (companies, people, people):
        world.run(pipe)
    accounts = {row["id"]: row["Name"] for row in world.crm.rows("account")}
    found = {row["Email"]: row.get("Account") for row in world.crm.rows("contact")}
    contacts = {email: account and accounts[account.id] for email, account in found.items()}
    wanted = {row["email"]: row["company_id"] for row in world.ma.rows("person")}
    assert contacts == {email: parent and f"firm {parent.id[1:]}" for email, parent in wanted.items()}
    assert sorted(accounts.values()) == [f"firm {number}" for number in range(4)]
    assert world.parked("people") == []


# -- what must not happen beside it ---------------------------------------------------------------------


def test_a_record_that_matches_keeps_its_own_parent_although_another_one_is_linked(world):
    own = world.crm.put("account", Name="Holding")
    world.crm.put("contact", Email="kim@x.example", Account=own)
    world.ma.put("person", email="kim@x.example", firm="Acme")
    world.run(world.firms())
    world.run(ensuring(world))
    assert world.crm.rows("contact")[0]["Account"] == own


def test_a_parent_in_trouble_is_not_tried_again_for_each_change_of_its_child(world):
    person = world.ma.put("person", email="kim@x.example", firm="Acme")
    world.crm.single = lambda action: Fault.REJECTED if action.kind == "account" else None
    people = ensuring(world)
    world.run(people)
    world.crm.requests.clear()
    for name in ("a", "b"):
        world.ma.edit(person, name=name)
        world.run(people)
    assert [what for what in world.crm.requests if what.startswith("create")] == []
    assert [(state, code) for state, code, _ in world.parked("people")] == [("quarantined", "parent_failed")]


def ensuring_fax(world, how):
    """Ensure a parent whose number for faxes may be too long: the person's own firm, or the company it points to."""
    if how == "own":
        return world.people(put("Account", ensured(world.firms().fields(pair("fax", "Fax")))))
    return world.people(put("Account", ensured(world.companies().fields(pair("fax", "Fax")), "company_id")))


@pytest.mark.parametrize("how", ["own", "another"])
@pytest.mark.parametrize("verb", ["run", "retry"])
def test_a_parent_in_trouble_is_looked_at_again_once_it_was_mended_at_its_source(world, how, verb):
    parent = world.ma.put("company", "c1", name="Acme", fax="1234")
    person = world.ma.put("person", "p1", email="kim@x.example", firm="Acme", fax="1234", company_id=parent)
    people = ensuring_fax(world, how)
    world.run(people)
    assert [code for _, code, _ in world.parked("people")] == ["parent_failed"]
    world.clock.advance(60)
    world.ma.edit(person if how == "own" else parent, fax="123")
    if verb == "retry":
        world.ready(people).retry()
    else:
        world.run(people)
    [account], [contact] = world.crm.rows("account"), world.crm.rows("contact")
    assert (account["Fax"], contact["Account"].id) == ("123", account["id"])
    assert world.parked("people") == world.parked("firms") == world.parked("companies") == []


@pytest.mark.parametrize("verb", ["run", "retry"])
def test_a_parent_of_a_parent_in_trouble_is_looked_at_again_as_well(world, verb):
    company = world.ma.put("company", "c1", name="Acme", fax="1234")
    world.ma.put("person", "p1", email="kim@x.example", company_id=company)
    firms = world.companies().fields(pair("fax", "Fax"))
    owners = (
        one_way("owners", at(world.ma, "person"), at(world.crm, "lead"))
        .match(level("email", key("email", "Email"))).fields(pair("email", "Email"), put("Owner", ensured(firms, "company_id")))
    )  # fmt: skip
    people = world.people(put("Owner", ensured(owners)))
    world.run(people)
    assert [code for _, code, _ in (*world.parked("people"), *world.parked("owners"))] == ["parent_failed"] * 2
    world.clock.advance(60)
    world.ma.edit(company, fax="123")
    _ = world.ready(people).retry() if verb == "retry" else world.run(people)
    [account], [lead], [contact] = (world.crm.rows(kind) for kind in ("account", "lead", "contact"))
    assert (lead["Owner"], contact["Owner"]) == (account["id"], lead["id"])


def test_a_parent_in_trouble_that_has_not_changed_is_not_decided_again(world):
    parent = world.ma.put("company", "c1", name="Acme", fax="1234")
    person = world.ma.put("person", "p1", email="kim@x.example", company_id=parent)
    people = ensuring_fax(world, "another")
    world.run(people)
    world.clock.advance(60)
    assert world.run(people).read == 0
    world.ma.edit(person, name="Kim")
    assert {line.ref for line in world.run(people).rows()} == {person}


def test_a_plan_makes_a_parent_that_was_mended_at_its_source(world):
    person = world.ma.put("person", "p1", email="kim@x.example", firm="Acme", fax="1234")
    people = ensuring_fax(world, "own")
    world.run(people)
    world.clock.advance(60)
    world.ma.edit(person, fax="123")
    assert world.ready(people).plan().totals.writes[("crm", "create")] == 2


def test_a_retry_of_a_child_tries_its_refused_parent_again(world):
    child = world.ma.put("person", email="kim@x.example", firm="Acme")
    world.crm.single = lambda action: Fault.REJECTED if action.kind == "account" else None
    people = ensuring(world)
    world.run(people)
    world.crm.single = lambda action: None
    world.ready(people).retry([child])
    [account], [contact] = world.crm.rows("account"), world.crm.rows("contact")
    assert contact["Account"].id == account["id"]
    assert world.parked("people") == world.parked("firms") == []


def test_a_retry_of_a_child_sends_no_parent_again_that_is_in_doubt(world):
    world.crm._capabilities = attrs.evolve(SEARCHED, creates=CreateClass.C, create_key=None, finds_by=frozenset())
    world.ma.put("person", email="kim@x.example", firm="Acme")
    world.crm.then(Fault.LOST_BEFORE)
    people = ensuring(world)
    for _ in range(3):
        world.run(people)
        world.clock.advance(dt.timedelta(minutes=20))
    assert [code for _, code, _ in world.parked("firms")] == ["in_doubt"]
    world.ready(people).retry()
    assert [code for _, code, _ in world.parked("firms")] == ["in_doubt"]
    assert world.crm.rows("account") == []
    world.ready(world.firms()).retry()
    assert len(world.crm.rows("account")) == 1


@pytest.mark.parametrize(
    ("absent", "disposition", "account"),
    [
        ("hold", Disposition.HELD, None),
        ("skip", Disposition.SKIPPED, None),
        ("quarantine", Disposition.QUARANTINED, None),
        ("blank", Disposition.APPLIED, None),
        (Constant("a0"), Disposition.APPLIED, "a0"),
    ],
)
def test_a_record_says_what_becomes_of_it_where_its_parent_is_not_made_either(world, absent, disposition, account):
    world.crm.put("account", "a0", Name="Nobody's")
    firms = world.firms().gate(filled("firm"))
    person = world.ma.put("person", email="kim@x.example")
    people = world.people(put("AccountText", ensured(firms, absent=absent)))
    mine = [line for line in world.run(people).rows(disposition) if line.ref == person]
    [line] = [line for line in mine if line.because.code is not Code.GATE]
    made = [contact.get("AccountText") for contact in world.crm.rows("contact")]
    assert made == ([account] if disposition is Disposition.APPLIED else [])
    assert [row["id"] for row in world.crm.rows("account")] == ["a0"]
    if not made:
        assert line.because.code is Code.PARENT_MISSING


def meets(world, trouble):
    """Let the next write of an account meet a trouble."""
    if trouble is not Fault.BUSY:
        world.crm.then(trouble)
        return
    troubles = [trouble]
    world.crm.single = lambda action: troubles.pop() if troubles and action.kind == "account" else None


ABSENT = ["hold", "skip", "quarantine", "blank", Constant("a0")]


@pytest.mark.parametrize("absent", ABSENT)
@pytest.mark.parametrize("trouble", [Fault.BUSY, Fault.LOST_BEFORE, Fault.LOST_AFTER])
def test_a_parent_that_may_come_yet_keeps_its_child_waiting_whatever_becomes_of_one_without(world, absent, trouble):
    world.ma.put("person", email="kim@x.example", firm="Acme")
    people = world.people(put("AccountText", ensured(world.firms(), absent=absent)))
    meets(world, trouble)
    report = world.run(people)
    assert (report.counts[Disposition.HELD], world.crm.rows("contact")) == (2, [])
    for _ in range(3):
        world.clock.advance(dt.timedelta(minutes=20))
        world.run(people)
    [account] = world.crm.rows("account")
    assert (contact(world, "AccountText"), world.parked("people")) == ((account["id"],), [])


@pytest.mark.parametrize("absent", ABSENT)
def test_a_child_waits_where_nobody_could_look_at_its_parent_and_looks_again_by_itself(world, absent):
    world.ma.put("person", email="kim@x.example", firm="Acme")
    fence = world.store.leases.take("firms", "another", world.clock.now(), dt.timedelta(minutes=5))
    people = world.people(put("AccountText", ensured(world.firms(), absent=absent)))
    assert world.run(people).counts[Disposition.HELD] == 1
    world.store.leases.release(fence)
    world.clock.advance(dt.timedelta(minutes=16))
    world.run(people)
    assert contact(world, "AccountText") == (world.crm.rows("account")[0]["id"],)


@pytest.mark.parametrize("absent", ABSENT)
def test_a_plan_holds_the_child_of_a_parent_that_it_holds(world, absent):
    company = world.ma.put("company", name="Holding")
    world.ma.put("person", email="kim@x.example", firm="Acme", company_id=company)
    firms = world.firms().fields(put("Phone", linked("companies", "company_id")))
    people = world.people(put("AccountText", ensured(firms, absent=absent)))
    plan = world.ready(people).plan()
    assert [row.because.code for row in plan.rows(Disposition.HELD)] == [Code.PARENT_MISSING] * 2
    world.run(people, plan)
    assert world.ours() == []
    world.run(world.companies())
    world.clock.advance(dt.timedelta(minutes=16))
    world.run(people)
    assert contact(world, "AccountText") == (account(world, "Acme").id,)


@pytest.mark.parametrize("trouble", ["held", "in quarantine"])
def test_a_child_goes_on_without_its_parent_once_that_is_left_out_after_all(world, trouble):
    company = world.ma.put("company", name="Acme", fax="1234", phone="06")
    parents = world.companies().gate(filled("phone")).fields(pair("fax", "Fax"))
    world.ma.put("person", email="kim@x.example", company_id=company)
    people = world.people(put("AccountText", ensured(parents, "company_id", absent="blank")))
    if trouble == "held":
        world.ma.edit(company, fax="123")
        meets(world, Fault.BUSY)
    ended = Disposition.HELD if trouble == "held" else Disposition.QUARANTINED
    assert (world.run(people).counts[ended], world.crm.rows("contact")) == (2, [])
    world.clock.advance(60)
    world.ma.edit(company, phone=None)
    for _ in range(2):
        world.clock.advance(dt.timedelta(minutes=16))
        world.run(people)
    assert (contact(world, "AccountText"), world.parked("people"), world.crm.rows("account")) == ((None,), [], [])


def test_a_parent_is_found_by_keys_that_only_the_directory_knows(world):
    there = world.crm.put("account", Name="ACME")
    firms = (
        one_way("firms", at(world.ma, "person"), at(world.crm, "account")).many_to_one()
        .match(level("firm", key("firm", "Name", str.lower))).fields(pair("firm", "Name", policies.only_on_create))
    )  # fmt: skip
    world.ma.put("person", email="kim@x.example", firm="acme")
    world.run(world.people(put("Account", ensured(firms))))
    assert [row["Account"] for row in world.crm.rows("contact")] == [there]
    assert len(world.crm.rows("account")) == 1


def test_a_left_record_with_references_is_written_where_the_system_has_no_conditional_writes(world):
    for end in (world.ma, world.crm):
        end._capabilities = attrs.evolve(SEARCHED, conditional_writes=False)
    parent = world.ma.put("company", name="Acme")
    person = world.ma.put("person", email="kim@x.example", name="Kim", company_id=parent)
    world.run(world.companies())
    people = (
        two_way("people", at(world.ma, "person"), at(world.crm, "contact"))
        .match(level("email", key("email", "Email")))
        .creates(left=False, right=True)
        .fields(pair("email", "Email"), pair("name", "Name"), BY_FIELD, policy=policies.right_wins)
    )
    world.run(people)
    [contact] = world.crm.rows("contact")
    world.crm.edit(RecordRef("crm", "contact", contact["id"]), Name="Park")
    world.run(people)
    assert world.ma.values(person)["name"] == "Park"


def test_a_plain_id_may_be_of_any_kind_of_the_parents_pipeline(world):
    ma = FaultyConnector(
        "ma", *(described(kind, *fields("name", "of")) for kind in ("firm", "branch", "person")),
        capabilities=SEARCHED, now=world.clock.now,
    )  # fmt: skip
    parents = (
        one_way("parents", at(ma, "firm", "branch"), at(world.crm, "account"))
        .match(level("name", key("name", "Name"))).fields(pair("name", "Name"))
    )  # fmt: skip
    people = one_way("people", at(ma, "person"), at(world.crm, "contact")).fields(
        pair("name", "Name"), put("Account", linked(parents, "of"))
    )
    ma.put("person", name="Kim", of="B1")
    ma.put("branch", "B1", name="Osaka")
    assert world.run(people).counts[Disposition.HELD] == 1
    world.run(parents)
    world.clock.advance(dt.timedelta(minutes=16))
    world.run(people)
    assert [row["Account"] for row in world.crm.rows("contact")] == [account(world, "Osaka")]
