"""Reference existence: nothing is sent that points to a record which is not there, and few reads tell."""

import math

import attrs
import pytest

from crmbridge import Disposition, at, coalesce, events, one_way, pair, plain, policies, put, two_way
from crmbridge.adapters.salesforce import Salesforce
from crmbridge.drive import Driver
from crmbridge.errors import NotAllowed
from crmbridge.given import template
from crmbridge.match import key, level
from crmbridge.model import FieldSpec, FieldType, RecordRef
from crmbridge.preflight import clear, truncate
from crmbridge.reasons import Code
from crmbridge.references import linked, look_up
from crmbridge.stores import MemoryStore
from crmbridge.testing.connector import EVERYTHING, described
from crmbridge.testing.fakes.salesforce import FakeSalesforce
from crmbridge.testing.faulty import FaultyConnector
from crmbridge.testing.sim import ManualClock, SimDriver

ABLE = attrs.evolve(EVERYTHING, finds_by=frozenset({"Email"}), fetch_batch=10)


def points(name, *kinds, type=FieldType.REFERENCE, **more):
    return FieldSpec(name, type, refers_to=kinds, **more)


class Reads(FaultyConnector):
    """A CRM that counts which records are read by id, and lets nobody read some kinds."""

    def __init__(self, *args, **how):
        super().__init__(*args, **how)
        self.asked, self.secret, self.short = [], (), False

    def _fetch(self, refs, fields):
        self.asked.append(list(refs))
        if refs and refs[0].kind in self.secret:
            raise NotAllowed("crm", "no rights on this kind", status=403)
        if self.short:
            # An id may be given in a short form, as with some vendors; the answer has the long one.
            refs = [attrs.evolve(ref, id=ref.id if len(ref.id) > 4 else f"{ref.id}XX") for ref in refs]
        return super()._fetch(refs, fields)

    def reads(self, kind):
        return [refs for refs in self.asked if refs[0].kind == kind]


class World:
    def __init__(self, **owner):
        self.clock, self.store = ManualClock(), MemoryStore()
        self.ma = FaultyConnector(
            "ma", described("person", *map(FieldSpec, ("email", "name", "owner", "host")),
                            points("boss", "person", type=FieldType.TEXT)),
            capabilities=ABLE, now=self.clock.now,
        )  # fmt: skip
        self.crm = Reads(
            "crm",
            described("lead", FieldSpec("Email"), FieldSpec("Name"), points("Owner", "user", **owner),
                      points("About", "account", "lead"), points("Watch", "user", type=FieldType.REFERENCES),
                      points("Far", "planet")),
            described("user", FieldSpec("Email"), FieldSpec("Deputy")), described("account", FieldSpec("Name")),
            capabilities=ABLE, now=self.clock.now,
        )  # fmt: skip

    def pipe(self, *more, two=False):
        ends = at(self.ma, "person"), at(self.crm, "lead")
        pipe = two_way("people", *ends).creates(left=False, right=True) if two else one_way("people", *ends)
        own = pair("email", "Email"), pair("name", "Name")
        pipe = pipe.match(level("email", key("email", "Email"))).fields(*own, *more, policy=policies.left_wins)
        return pipe.remember(self.store).using(SimDriver(clock=self.clock))

    def person(self, n=1, **values):
        return self.ma.put("person", email=f"p{n}@x.example", name="Kim", **values)

    def user(self, id="u00001", **values):
        return self.crm.put("user", id, **values)


@pytest.fixture
def world():
    return World()


def why(report):
    return [(row.disposition, row.because.code) for row in report.rows()]


NOWHERE = [(Disposition.QUARANTINED, Code.POINTS_NOWHERE)]


def owned(by="owner", **how):
    return pair(by, "Owner", **how)


def given(kind):
    """Give the ways in which a literal id comes into a field."""
    return {
        "a field": owned(),
        "a constant": put("Owner", "u00009"),
        "a record": put("Owner", RecordRef("crm", "user", "u00009")),
        "a template": put("Owner", template("u0000{host}")),
        "a fallback": put("Owner", coalesce(linked("bosses", "boss", absent="blank"), "u00009")),
    }[kind]


@pytest.mark.parametrize("kind", ["a field", "a constant", "a record", "a template", "a fallback"])
def test_a_new_record_that_would_point_to_nothing_is_quarantined_before_anything_is_sent(world, kind):
    world.person(owner="u00009", host="9", boss="")
    report = world.pipe(given(kind)).run()
    assert why(report) == NOWHERE
    assert world.crm.rows("lead") == []
    [row] = report.rows()
    assert row.because.facts == {"system": "crm", "field": "Owner", "kind": "user"}
    assert "u00009" not in str(row.because)
    [parked] = world.store.quarantine.rows("people")
    assert parked.because == row.because


@pytest.mark.parametrize("kind", ["a field", "a constant", "a record", "a template", "a fallback"])
def test_what_points_to_a_record_that_is_there_is_sent(world, kind):
    world.user("u00009")
    world.person(owner="u00009", host="9", boss="")
    assert world.pipe(given(kind)).run().counts[Disposition.APPLIED] == 1
    assert world.crm.rows("lead")[0]["Owner"] in ("u00009", RecordRef("crm", "user", "u00009"))


def test_the_reason_names_field_kind_and_remedy_in_both_languages(world):
    world.person(owner="u00009")
    report = world.pipe(owned()).run()
    assert "The value for Owner in crm points to a record that is not there (user)" in report.say("en", samples=9)
    assert "crmの「Owner」の参照先レコード(user)がありません" in report.say("ja", samples=9)


def test_a_change_that_would_point_to_nothing_changes_nothing_else_either(world):
    world.user()
    ref = world.person(owner="u00001")
    pipe = world.pipe(owned())
    pipe.run()
    world.ma.edit(ref, owner="u00009", name="Park")
    assert why(pipe.run()) == NOWHERE
    assert [(row["Owner"], row["Name"]) for row in world.crm.rows("lead")] == [("u00001", "Kim")]
    world.user("u00009")
    assert pipe.retry().writes == 1
    assert [(row["Owner"], row["Name"]) for row in world.crm.rows("lead")] == [("u00009", "Park")]


def test_a_record_that_was_removed_is_not_there(world):
    gone = world.user("u00009")
    world.crm.remove(gone)
    world.person(owner="u00009")
    assert why(world.pipe(owned()).run()) == NOWHERE


def test_a_field_of_a_record_that_was_looked_up_is_looked_at_and_the_record_itself_is_not(world):
    host = look_up("host", at(world.crm, "user"), level("email", key("host", "Email")))
    world.user("u00001", Email="sei@x.example", Deputy="u00009")
    world.person(1, host="sei@x.example")
    pipe = world.pipe(put("Owner", host), put("Watch", host.field("Deputy")))
    assert why(pipe.run()) == [(Disposition.QUARANTINED, Code.WRONG_TYPE)]
    pipe = world.pipe(put("Owner", host), put("About", host.field("Deputy")))
    assert why(pipe.retry()) == NOWHERE
    assert [refs for refs in world.crm.reads("user") if refs[0].id == "u00009"] == []
    assert world.crm.reads("account") == [[RecordRef("crm", "account", "u00009")]]


def test_what_links_lead_to_is_not_read(world):
    boss, chief = world.person(1), world.crm.put("lead", "l00009", Email="p1@x.example", Name="Kim")
    world.person(2, boss=boss.id)
    bosses = world.pipe()
    bosses.run()
    assert world.store.links.count("people") == 2
    world.crm.asked.clear()
    about = linked(bosses, "boss", absent="blank")
    other = one_way("reports", at(world.ma, "person"), at(world.crm, "lead", new="lead"))
    other = other.match(level("email", key("email", "Email"))).fields(put("About", about), pair("email", "Email"))
    other.remember(world.store).using(SimDriver(clock=world.clock)).run()
    assert [row["About"] for row in world.crm.rows("lead") if row.get("About")] == [chief]
    assert world.crm.reads("account") == []


@pytest.mark.parametrize(("people", "owners"), [(25, 25), (25, 3), (40, 1)])
def test_what_many_records_point_to_is_read_in_batches_and_each_once_in_a_run(world, people, owners):
    for number in range(owners):
        world.user(f"u{number:05}")
    for number in range(people):
        world.person(number, owner=f"u{number % owners:05}")
    report = world.pipe(owned()).run()
    assert report.writes == people
    read = world.crm.reads("user")
    assert len(read) == math.ceil(owners / ABLE.fetch_batch)
    assert sorted(ref.id for refs in read for ref in refs) == [f"u{number:05}" for number in range(owners)]


def test_only_the_guilty_record_of_a_batch_is_kept_back(world):
    world.user()
    for number in range(25):
        world.person(number, owner="u00009" if number == 7 else "u00001")
    report = world.pipe(owned()).run()
    assert (report.counts[Disposition.QUARANTINED], len(world.crm.rows("lead"))) == (1, 24)
    assert len(world.crm.reads("user")) == 1


def test_nothing_is_read_where_no_reference_is_written(world):
    world.user()
    ref = world.person(owner="u00001")
    pipe = world.pipe(owned())
    pipe.run()
    world.crm.asked.clear()
    world.ma.edit(ref, name="Park")
    pipe.run()
    assert world.crm.rows("lead")[0]["Name"] == "Park"
    assert world.crm.reads("user") == []


def test_a_plain_id_may_be_of_any_of_the_kinds_and_no_more_are_asked_than_needed(world):
    world.crm.put("account", "a1", Name="one")
    lead = world.crm.put("lead", "l9", Email="other@x.example")
    for number, about in enumerate(("a1", "l9", "zz")):
        world.person(number, owner=about)
    report = world.pipe(pair("owner", "About")).run()
    assert [row.because.facts for row in report.rows(Disposition.QUARANTINED)] == [
        {"system": "crm", "field": "About", "kind": "account / lead"}
    ]
    assert [[ref.id for ref in refs] for refs in world.crm.reads("account")] == [["a1", "l9", "zz"]]
    assert [ref.id for ref in world.crm.reads("lead")[-1]] != []
    assert world.crm.values(lead)["Email"] == "other@x.example"
    assert sorted(row["About"] for row in world.crm.rows("lead") if "About" in row) == ["a1", "l9"]


def test_each_element_of_many_references_must_lead_somewhere(world):
    world.user("u1")
    world.user("u2")
    world.person(1)
    assert world.pipe(put("Watch", ("u1", "u2"))).run().writes == 1
    world.person(2)
    assert (Disposition.QUARANTINED, Code.POINTS_NOWHERE) in why(world.pipe(put("Watch", ("u1", "u3"))).run())


@pytest.mark.parametrize("secret", [True, False])
def test_what_nobody_can_read_is_left_to_the_system(world, secret):
    world.crm.secret = ("user",) if secret else ()
    world.person(owner="u00009")
    pipe = world.pipe(owned() if secret else pair("owner", "Far"))
    assert pipe.run().counts[Disposition.APPLIED] == 1


def test_an_id_in_another_form_than_the_systems_own_is_known_all_the_same(world):
    world.crm.short = True
    world.user("u1XX")
    world.person(1, owner="u1")
    world.person(2, owner="u2")
    report = world.pipe(owned()).run()
    assert {row.because.code for row in report.rows(Disposition.QUARANTINED)} == {Code.POINTS_NOWHERE}
    assert [row["Owner"] for row in world.crm.rows("lead")] == ["u1"]


def test_a_plan_tells_of_it_and_an_approved_one_sends_nothing_that_points_to_nothing_by_now(world):
    user = world.user()
    world.person(owner="u00001")
    pipe = world.pipe(owned())
    plan = pipe.plan()
    assert plan.totals.writes == {("crm", "create"): 1}
    world.crm.remove(user)
    assert [row.because.code for row in pipe.plan().rows()] == [Code.POINTS_NOWHERE]
    assert why(pipe.run(plan)) == NOWHERE
    assert world.crm.rows("lead") == []


def test_events_are_looked_at_too(world):
    pipe = events("posts", at(world.ma, "person"), at(world.crm, "lead")).fields(pair("email", "Email"), owned())
    pipe = pipe.remember(world.store).using(SimDriver(clock=world.clock))
    pipe.enable()
    world.person(owner="u00009")
    assert why(pipe.run()) == NOWHERE


def test_what_goes_to_the_left_is_looked_at_too(world):
    world.ma = FaultyConnector(
        "ma", described("person", FieldSpec("email"), FieldSpec("name"), points("owner", "agent")),
        described("agent", FieldSpec("name")), capabilities=ABLE, now=world.clock.now,
    )  # fmt: skip
    world.user("a1")
    agent = world.ma.put("agent", "a1", name="one")
    ref = world.person(owner=agent.id)
    pipe = world.pipe(owned(), two=True)
    pipe.run()
    [lead] = [link.right for link in world.store.links.all("people")]
    world.crm.edit(lead, Owner="a9")
    assert why(pipe.run()) == NOWHERE
    assert world.ma.values(ref)["owner"] == "a1"


# -- what is sent instead --------------------------------------------------------------------------


def test_a_field_that_stays_empty_then_is_left_out_of_a_new_record(world):
    world.person(owner="u00009")
    report = world.pipe(owned(if_refused=clear)).run()
    assert world.crm.rows("lead")[0] | {"id": ""} == {"id": "", "Email": "p1@x.example", "Name": "Kim"}
    [row] = report.rows(Disposition.APPLIED)
    [line] = [line for line in row.fields if line.right_field == "Owner"]
    assert (line.answer.code, line.answer.facts["refused"]) == (Code.CLEARED, "points_nowhere")
    writes = len(world.crm.ledger)
    world.clock.advance(3600)
    assert world.pipe(owned(if_refused=clear)).run().writes == 0
    assert len(world.crm.ledger) == writes


def test_a_field_that_stays_empty_then_is_cleared_where_it_held_something(world):
    world.user()
    ref = world.person(owner="u00001")
    pipe = world.pipe(owned(if_refused=clear))
    pipe.run()
    world.ma.edit(ref, owner="u00009", name="Park")
    assert pipe.run().writes == 1
    assert [(row["Owner"], row["Name"]) for row in world.crm.rows("lead")] == [(None, "Park")]
    for _ in range(3):
        world.clock.advance(3600)
        assert pipe.run().writes == 0
    world.ma.edit(ref, owner="u00001")
    pipe.run()
    assert world.crm.rows("lead")[0]["Owner"] == "u00001"


@pytest.mark.parametrize("also", [True, False])
def test_at_first_contact_nothing_is_cleared_that_was_never_agreed(world, also):
    world.user()
    lead = world.crm.put("lead", Email="p1@x.example", Name="Lee" if also else "Kim", Owner="u00001")
    world.person(owner="u00009")
    pipe = world.pipe(owned(if_refused=clear))
    report = pipe.run()
    assert report.counts[Disposition.QUARANTINED] == 0
    assert (world.crm.values(lead)["Owner"], world.crm.values(lead)["Name"]) == ("u00001", "Kim")
    writes = len(world.crm.ledger)
    for _ in range(3):
        world.clock.advance(3600)
        assert pipe.run().writes == 0
    assert len(world.crm.ledger) == writes
    assert world.store.quarantine.rows("people") == []


def test_a_required_field_cannot_stay_empty():
    world = World(required=True)
    world.person(owner="u00009")
    assert why(world.pipe(owned(if_refused=clear)).run()) == NOWHERE


def test_no_other_answer_knows_better(world):
    world.person(owner="u00009")
    assert why(world.pipe(owned(if_refused=truncate)).run()) == NOWHERE


# -- at a vendor -----------------------------------------------------------------------------------


class Org:
    """A fake Salesforce organisation, and people from a list."""

    def __init__(self, *puts):
        self.clock = ManualClock()
        self.fake = FakeSalesforce(now=self.clock.now)
        self.fake.place("User", {"Username": "sei@x.example", "LastName": "Sei"}, id="005000000000077AAA")
        driver = Driver(clock=self.clock, transport=self.fake.transport(), seed=0)
        org = Salesforce.with_token("https://org.my.salesforce.test", self.fake.credentials["token"])
        people = plain.rows([{"id": "1", "name": "Kim", "email": "kim@x.example"}], id="id", system="list")
        self.pipe = (
            one_way("people", at(people, "row"), at(org, "Lead"))
            .match(level("email", key("email", "Email")))
            .fields(pair("email", "Email"), pair("name", "LastName"), put("Company", "x"), *puts)
            .remember(MemoryStore())
            .using(driver)
        )


@pytest.mark.parametrize("owner", ["005000000000099AAA", "no id at all"])
def test_an_owner_that_an_organisation_does_not_have_is_never_sent(owner):
    org = Org(put("OwnerId", owner))
    assert why(org.pipe.run()) == NOWHERE
    assert org.fake.rows("Lead") == []


@pytest.mark.parametrize("owner", ["005000000000077AAA", "005000000000077"])
def test_an_owner_of_an_organisation_is_known_in_either_form_of_its_id(owner):
    org = Org(put("OwnerId", owner))
    assert org.pipe.run().counts[Disposition.APPLIED] == 1
    assert [row["OwnerId"] for row in org.fake.rows("Lead")] == ["005000000000077AAA"]
