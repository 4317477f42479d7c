"""Account Engagement against its fake, through both drivers: what is read, found and written, and what goes wrong."""

from __future__ import annotations

import asyncio
import datetime as dt
from decimal import Decimal

import httpx
import pytest

from crmbridge.adapters.account_engagement import AccountEngagement
from crmbridge.drive import AsyncDriver, Driver
from crmbridge.errors import CapabilityError, NotAllowed, Refused, Throttled, Unreachable, UsageError
from crmbridge.model import (
    MISSING,
    Applied,
    Archive,
    Create,
    CreateClass,
    Delete,
    Deleted,
    FieldType,
    Postponed,
    Query,
    RecordRef,
    Rejected,
    Stale,
    Uncertain,
    Update,
)
from crmbridge.protocols import ID_FIELD, KeyValue, Question
from crmbridge.reasons import Code, because
from crmbridge.testing.fakes.account_engagement import FakeAccountEngagement
from crmbridge.testing.sim import ManualClock

HOST = "https://pi.pardot.com"
PROSPECTS = "/api/v5/objects/prospects"
ORIGIN = RecordRef("crm", "Lead", "00Q1")
WHY = because(Code.NEW)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def fake(clock):
    return FakeAccountEngagement(now=clock.now)


def connected(fake, host=HOST, **how):
    given = fake.credentials
    return AccountEngagement.connect(
        host,
        token_url=f"{host}/services/oauth2/token",
        client_id=given["client_id"],
        client_secret=given["client_secret"],
        business_unit_id=given["business_unit_id"],
        **how,
    )


@pytest.fixture
def unit(fake):
    return connected(fake)


@pytest.fixture(params=["blocking", "awaited"])
def perform(request, fake, clock):
    """Perform a flow with one of the two drivers."""

    async def awaited(flow):
        async with AsyncDriver(clock=clock, transport=fake.transport()) as driver:
            return await driver.run(flow)

    def blocking(flow):
        with Driver(clock=clock, transport=fake.transport()) as driver:
            return driver.run(flow)

    return blocking if request.param == "blocking" else lambda flow: asyncio.run(awaited(flow))


def ref(id, kind="prospect"):
    return RecordRef("account_engagement", kind, str(id))


def create(email, *answer, **values):
    return Create("prospect", {"email": email, **values}, ORIGIN, f"key of {email}", WHY, answer)


def update(id, *answer, **values):
    return Update(ref(id), values, f"key of {id}", WHY, None, answer)


def by(field, value, **how):
    return Question("prospect", "level", ((KeyValue(field, value),),), **how)


def walked(perform, unit, kind, fields=(), cursor=None, limit=2000):
    """Read to the end of a walk; give its pages."""
    pages = [perform(unit.read(Query(kind, fields, cursor, limit)))]
    while pages[-1].more:
        pages.append(perform(unit.read(Query(kind, fields, pages[-1].cursor, limit))))
    return pages


def ids(pages):
    return [id for page in pages for id in page.rows.ids]


# -- what it promises --------------------------------------------------------------------


def test_a_create_is_of_class_a_by_the_unique_address(unit):
    promised = unit.capabilities("prospect")
    assert (promised.creates, promised.unique, promised.batch) == (CreateClass.A, "email", 100)


def test_where_an_address_may_belong_to_several_prospects_a_create_is_of_class_c(fake):
    promised = connected(fake, ampsea=True).capabilities("prospect")
    assert (promised.creates, promised.unique) == (CreateClass.C, None)


@pytest.mark.parametrize("kind", ["prospect_account", "opportunity", "campaign", "user", "list", "visitor_activity"])
def test_everything_but_prospects_is_read_only(unit, perform, fake, kind):
    promised = unit.capabilities(kind)
    assert (promised.creates, promised.updates, promised.archives, promised.deletes) == (None, False, False, False)
    with pytest.raises(CapabilityError, match=kind):
        perform(unit.apply([Update(ref(1, kind), {"name": "x"}, "k", WHY)]))
    assert not fake.ledger


def test_a_prospect_is_archived_and_never_deleted_for_good(unit, perform, fake):
    fake.put("prospect", email="a@example.jp")
    with pytest.raises(CapabilityError, match="cannot delete"):
        perform(unit.apply([Delete(ref(1), "k", WHY)]))
    assert not fake.requests


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("7", "7"),
        (" 007 ", "7"),
        ("７", "7"),
        ("٧", "7"),
        ("0", "0"),
        ("9" * 5_000, "9" * 5_000),
        ("7a", "7a"),
        ("", ""),
    ],
)
def test_an_id_that_a_person_wrote_is_the_number_of_a_record(unit, written, known):
    assert unit.read_id("prospect", written) == known


def test_an_unknown_kind_is_told_with_the_kinds_there_are(unit):
    with pytest.raises(UsageError, match="no kind 'lead'; it has prospect, "):
        unit.capabilities("lead")


# -- the schema --------------------------------------------------------------------------


def test_the_schema_has_the_custom_fields_of_the_business_unit(unit, perform, fake):
    fake.add_field("memo", label="備考")
    fake.add_field("interests", "Multi-Select")
    fake.add_field("answers", "Text", isRecordMultipleResponses=True)
    fake.add_field("employees_in_japan", "Number")
    fake.add_field("founded", "Date")
    fields = perform(unit.schema("prospect")).fields
    assert fields["memo__c"].label == "備考"
    assert {name: spec.type for name, spec in fields.items() if name.endswith("__c")} == {
        "memo__c": FieldType.TEXT,
        "interests__c": FieldType.CHOICES,
        "answers__c": FieldType.CHOICES,
        "employees_in_japan__c": FieldType.NUMBER,
        "founded__c": FieldType.DATE,
    }


def test_an_address_is_required_and_unique_and_held_to_the_vendors_own_rule(unit, perform):
    email = perform(unit.schema("prospect")).fields["email"]
    assert (email.required, email.unique, email.email_rule, email.max_length) == (True, True, "account-engagement", 255)


def test_what_the_vendor_derives_is_read_only(unit, perform):
    fields = perform(unit.schema("prospect")).fields
    derived = (
        "id",
        "grade",
        "updatedAt",
        "assignedToId",
        "assignedTo.salesforceId",
        "assignedTo.email",
        "campaign.name",
    )
    assert all(fields[name].read_only for name in derived)
    assert not any(fields[name].read_only for name in ("optedOut", "score", "salesforceId", "userId", "campaignId"))


@pytest.mark.parametrize("kind", ["prospect", "prospect_account", "opportunity", "campaign", "user", "tag", "list",
                                  "list_membership", "custom_field", "visitor_activity"])  # fmt: skip
def test_every_field_of_every_schema_can_be_read(unit, perform, fake, kind):
    fake.put("custom_field", name="memo", fieldId="memo", type="Text")
    fields = tuple(perform(unit.schema(kind)).fields)
    assert perform(unit.read(Query(kind, fields))).complete


# -- reading -----------------------------------------------------------------------------


def test_a_walk_reads_every_prospect_in_the_types_of_its_fields(unit, perform, fake):
    fake.add_field("interests", "Multi-Select")
    fake.add_field("size", "Number")
    owner = fake.put("user", email="rep@example.jp", salesforceId="0055i000000Rep1AAC")
    fake.put("prospect", email="taro@example.jp", lastName="山田", company="株式会社髙島屋", score=12, isDoNotEmail=True,
             annualRevenue="5億円", assignedToId=owner, interests__c=["A", "B"], size__c=3,
             lastActivityAt=dt.datetime(2026, 1, 4, tzinfo=dt.UTC))  # fmt: skip
    asked = ("lastName", "company", "score", "isDoNotEmail", "annualRevenue", "userId", "assignedTo.salesforceId",
             "campaign.name", "interests__c", "size__c", "lastActivityAt", "id")  # fmt: skip
    [page] = walked(perform, unit, "prospect", asked)
    assert page.rows.fields == asked
    assert page.rows.cells[0] == (
        "山田", "株式会社髙島屋", 12, True, "5億円", ref(owner, "user"), "0055i000000Rep1AAC",
        None, ("A", "B"), 3, dt.datetime(2026, 1, 4, tzinfo=dt.UTC), "1",
    )  # fmt: skip


def test_pages_end_and_only_the_last_page_from_the_beginning_is_complete(unit, perform, fake, clock):
    for number in range(25):
        fake.put("prospect", email=f"p{number}@example.jp")
        clock.advance(1)
    pages = walked(perform, unit, "prospect", limit=10)
    assert [len(page.rows) for page in pages] == [10, 10, 5]
    assert [(page.more, page.complete) for page in pages] == [(True, False), (True, False), (False, True)]
    assert sorted(ids(pages), key=int) == [str(number) for number in range(1, 26)]


def test_a_later_walk_reads_changes_and_is_not_complete(unit, perform, fake, clock):
    first = fake.put("prospect", email="a@example.jp", firstName="A")
    fake.put("prospect", email="b@example.jp")
    clock.advance(600)
    cursor = walked(perform, unit, "prospect")[-1].cursor
    clock.advance(600)
    fake.edit("prospect", first, firstName="Ä")
    clock.advance(61)
    [page] = walked(perform, unit, "prospect", ("firstName",), cursor)
    assert ("Ä",) in page.rows.cells
    assert not page.complete


def test_a_prospect_in_the_recycle_bin_is_a_departure(unit, perform, fake, clock):
    kept, gone = fake.put("prospect", email="a@example.jp"), fake.put("prospect", email="b@example.jp")
    fake.remove("prospect", gone)
    [page] = walked(perform, unit, "prospect")
    assert page.rows.ids == (kept,)
    assert page.departures == (Deleted(ref(gone)),)


def test_the_loser_of_a_merge_is_a_departure(unit, perform, fake, clock):
    winner, loser = fake.put("prospect", email="a@example.jp"), fake.put("prospect", email="b@example.jp")
    clock.advance(600)
    cursor = walked(perform, unit, "prospect")[-1].cursor
    clock.advance(600)
    fake.merge(winner, loser)
    [page] = walked(perform, unit, "prospect", (), cursor)
    assert page.departures == (Deleted(ref(loser)),)


def test_the_author_of_a_change_is_told(unit, perform, fake):
    api = next(row["id"] for row in fake.rows("user") if row["username"] == fake.credentials["username"])
    perform(unit.apply([create("ours@example.jp")]))
    fake.put("prospect", email="theirs@example.jp")
    [page] = walked(perform, unit, "prospect")
    ours, theirs = page.rows.authors
    assert ours == api
    assert theirs != api


def test_a_kind_that_cannot_be_asked_for_changes_is_walked_whole_each_time(unit, perform, fake):
    for number in range(5):
        fake.put("prospect_account", name=f"会社{number}")
    first = walked(perform, unit, "prospect_account", ("name",), limit=2)
    again = walked(perform, unit, "prospect_account", ("name",), first[-1].cursor, limit=2)
    assert ids(first) == ids(again) == ["1", "2", "3", "4", "5"]
    assert first[-1].complete
    assert again[-1].complete


def test_a_page_token_that_has_expired_costs_a_new_query_and_no_record(unit, perform, fake, clock):
    for number in range(30):
        fake.put("prospect", email=f"p{number}@example.jp")
        clock.advance(30)
    page = perform(unit.read(Query("prospect", (), None, 10)))
    clock.advance(5 * 3600)
    fake.put("prospect", email="late@example.jp")
    rest = walked(perform, unit, "prospect", (), page.cursor, 10)
    assert {*page.rows.ids, *ids(rest)} == {str(number) for number in range(1, 32)}
    assert rest[-1].complete


def test_the_vendors_longest_walk_is_continued_by_another(fake, unit, clock, perform):
    small = FakeAccountEngagement(now=clock.now, farthest=20)
    for number in range(50):
        small.put("prospect", email=f"p{number}@example.jp")
        clock.advance(1)
    clock.advance(120)
    with Driver(clock=clock, transport=small.transport()) as driver:
        pages = walked(driver.run, connected(small), "prospect", limit=7)
    assert set(ids(pages)) == {str(number) for number in range(1, 51)}
    assert pages[-1].complete


def test_a_walk_from_which_records_are_hidden_is_not_complete(unit, perform, fake):
    for number in range(4):
        fake.put("prospect", email=f"p{number}@example.jp")
    fake.faults.add("F17:1")
    pages = walked(perform, unit, "prospect")
    assert len(ids(pages)) < 4
    assert not pages[-1].complete


def test_a_walk_asks_for_no_field_twice(unit, perform, fake):
    perform(unit.read(Query("prospect", ("id", "email", "updatedAt", "assignedToId", "userId"))))
    assert fake.requests[-1].url.params["fields"] == "id,updatedAt,isDeleted,updatedById,email,assignedToId"


# -- fetching ----------------------------------------------------------------------------


def test_records_are_fetched_by_id_and_the_recycled_depart(unit, perform, fake):
    for number in range(1, 101):
        fake.put("prospect", email=f"p{number}@example.jp", firstName=f"名{number}")
    fake.load(['{"kind": "prospect", "id": "5000", "values": {"email": "far@example.jp", "firstName": "遠"}}'])
    fake.remove("prospect", "7")
    wanted = [ref(100), ref(3), ref(7), ref(5000), ref(3), ref(777)]
    page = perform(unit.fetch(wanted, ("firstName",)))
    assert dict(zip(page.rows.ids, page.rows.cells, strict=True)) == {
        "3": ("名3",), "100": ("名100",), "5000": ("遠",),
    }  # fmt: skip
    assert page.departures == (Deleted(ref(7)),)


def test_near_ids_are_fetched_by_one_request_and_far_ones_by_one_each(unit, perform, fake):
    for number in range(1, 201):
        fake.put("prospect", email=f"p{number}@example.jp")
    page = perform(unit.fetch([ref(number) for number in range(1, 201)], ("email",)))
    assert (len(page.rows), sum(one.method == "GET" for one in fake.requests)) == (200, 1)
    perform(unit.fetch([ref(1), ref(100), ref(200)], ("email",)))
    assert sum(one.method == "GET" for one in fake.requests) == 1 + 3


def test_what_is_hidden_in_a_range_is_asked_for_by_itself_before_it_counts_as_gone(unit, perform, fake):
    for number in range(1, 5):
        fake.put("prospect", email=f"p{number}@example.jp")
    fake.faults.add("F17:1")
    page = perform(unit.fetch([ref(number) for number in range(1, 5)], ()))
    assert sorted(page.rows.ids) == ["1", "2", "3", "4"]


@pytest.mark.parametrize("strange", ["0", "007", "-1", "1/../../users/1", "１", "", "a", "9" * 5000])
def test_an_id_of_another_form_is_gone_and_is_never_sent(unit, perform, fake, strange):
    fake.put("prospect", email="a@example.jp")
    page = perform(unit.fetch([ref(strange)], ("email",)))
    assert (len(page.rows), page.departures, len(fake.requests)) == (0, (), 0)


# -- versions that never lie (two-way-core 1.10, B11) ---------------------------------------


def test_a_version_is_told_only_when_its_second_can_hide_nothing_more(unit, perform, fake, clock):
    fake.put("prospect", email="a@example.jp")
    for passed, told in ((0, False), (30, False), (30, False), (1, True)):
        clock.advance(passed)
        [page] = walked(perform, unit, "prospect")
        assert (page.rows.versions[0] is not None) is told


def test_a_second_edit_in_the_same_second_is_never_taken_for_unchanged(unit, perform, fake, clock):
    person = fake.put("prospect", email="a@example.jp", firstName="one")
    clock.advance(100.1)
    fake.edit("prospect", person, firstName="two")
    before = perform(unit.fetch([ref(person)], ("firstName",)))
    clock.advance(0.5)
    fake.edit("prospect", person, firstName="three")
    clock.advance(62)
    after = perform(unit.fetch([ref(person)], ("firstName",)))
    assert (before.rows.cells[0], after.rows.cells[0]) == (("two",), ("three",))
    assert before.rows.versions[0] is None
    assert after.rows.versions[0] is not None


def test_a_cached_read_from_before_our_own_write_is_older_than_the_write(unit, perform, fake, clock):
    person = fake.put("prospect", email="a@example.jp", firstName="theirs")
    perform(unit.fetch([ref(person)], ("firstName",)))
    [done] = perform(unit.apply([update(person, "firstName", firstName="ours")]))
    cached = perform(unit.fetch([ref(person)], ("firstName",)))
    assert cached.rows.cells[0] == ("theirs",)
    assert cached.rows.stamps[0] < done.stamp
    clock.advance(61)
    fresh = perform(unit.fetch([ref(person)], ("firstName",)))
    assert fresh.rows.cells[0] == ("ours",)
    assert fresh.rows.stamps[0] == done.stamp


# -- finding -----------------------------------------------------------------------------


def test_prospects_are_found_by_salesforce_id_address_and_id(unit, perform, fake):
    fake.put("prospect", email="Taro@Example.jp", salesforceId="00Q5i000000Taro1AA")
    fake.put("prospect", email="other@example.jp")
    questions = [
        by("email", "taro@example.JP"),
        by("salesforceId", "00Q5i000000Taro1AA"),
        by(ID_FIELD, "2"),
        by("id", "3"),
    ]
    assert [rows.ids for rows in perform(unit.find(questions, ("email",)))] == [("1",), ("1",), ("2",), ()]


@pytest.mark.parametrize("field", ["email", "salesforceId", ID_FIELD])
@pytest.mark.parametrize("blank", ["", " ", "　", "x" * 256])
def test_a_blank_key_or_one_too_long_to_exist_finds_nothing_and_costs_nothing(unit, perform, fake, field, blank):
    fake.put("prospect", email="a@example.jp")
    assert [len(rows) for rows in perform(unit.find([by(field, blank)], ()))] == [0]
    assert not fake.requests


def test_all_keys_of_an_alternative_must_agree_and_any_alternative_will_do(unit, perform, fake):
    fake.put("prospect", email="a@example.jp", salesforceId="00Q5i000000Aaaa1AA")
    fake.put("prospect", email="b@example.jp")
    a, b = KeyValue("email", "a@example.jp"), KeyValue("email", "b@example.jp")
    other = KeyValue("salesforceId", "00Q5i000000Bbbb1AA")
    asked = [Question("prospect", "l", any_of) for any_of in (((a, other),), ((a, b),), ((a,), (b,)), ((),), ())]
    assert [rows.ids for rows in perform(unit.find(asked, ()))] == [(), (), ("1", "2"), (), ()]


def test_only_as_many_are_found_as_were_asked_for(clock):
    fake = FakeAccountEngagement(now=clock.now, ampsea=True)
    for _ in range(5):
        fake.put("prospect", email="same@example.jp")
    with Driver(clock=clock, transport=fake.transport()) as driver:
        unit = connected(fake, ampsea=True)
        [rows] = driver.run(unit.find([by("email", "same@example.jp", limit=3)], ()))
    assert rows.ids == ("1", "2", "3")


def test_a_recycled_prospect_is_found_only_when_the_gone_are_asked_for(unit, perform, fake):
    fake.remove("prospect", fake.put("prospect", email="a@example.jp"))
    found = perform(unit.find([by("email", "a@example.jp"), by("email", "a@example.jp", gone=True)], ("email",)))
    assert [rows.cells for rows in found] == [(), (("a@example.jp",),)]


@pytest.mark.parametrize("key", [KeyValue("company", "x"), KeyValue("email", "x", "email_key")])
def test_a_key_that_the_search_does_not_know_is_refused_by_name(unit, perform, key):
    with pytest.raises(CapabilityError, match=f"not found by {key.field}"):
        perform(unit.find([Question("prospect", "l", ((key,),))], ()))


# -- writing -----------------------------------------------------------------------------


def test_a_create_tells_the_new_record_and_what_is_stored_now(unit, perform, fake):
    fake.add_field("interests", "Multi-Select")
    [done] = perform(unit.apply([create("taro@example.jp", "lastName", "score", "interests__c",
                                        lastName="山田", interests__c=("A", "B"))]))  # fmt: skip
    assert isinstance(done, Applied)
    assert done.ref == ref(1)
    assert done.stored == {"lastName": "山田", "score": 0, "interests__c": ("A", "B")}
    assert fake.rows("prospect")[0]["interests__c"] == ["A", "B"]


def test_an_update_touches_the_named_fields_alone(unit, perform, fake):
    person = fake.put("prospect", email="a@example.jp", firstName="A", lastName="B")
    [done] = perform(unit.apply([update(person, "firstName", firstName=None)]))
    assert done.stored == {"firstName": None}
    assert fake.ledger[-1].values == {"firstName": None}
    assert fake.rows("prospect")[0]["lastName"] == "B"


@pytest.mark.parametrize(
    ("field", "cell", "stored"),
    [
        ("annualRevenue", Decimal("12.50"), "12.50"),
        ("employees", 300, "300"),
        ("annualRevenue", Decimal("1E+3"), "1000"),
        ("score", Decimal("7.0"), 7),
        ("optedOut", True, True),
        ("campaignId", RecordRef("account_engagement", "campaign", "1"), 1),
        ("salesforceId", RecordRef("salesforce", "Lead", "00Q5i000000Aaaa1AA"), "00Q5i000000Aaaa1AA"),
        ("size__c", Decimal("2.5"), 2.5),
        ("founded__c", dt.date(1999, 12, 31), "1999-12-31"),
        ("comments", "改行\n'\\\"<b>&+%\U0001f600", "改行\n'\\\"<b>&+%\U0001f600"),
    ],
)
def test_a_cell_is_stored_as_its_field_takes_it(unit, perform, fake, field, cell, stored):
    fake.put("campaign", name="c")
    fake.add_field("size", "Number")
    fake.add_field("founded", "Date")
    [done] = perform(unit.apply([create("a@example.jp", **{field: cell})]))
    assert isinstance(done, Applied)
    assert fake.rows("prospect")[0][field] == stored


def test_assigning_a_user_is_written_by_one_name_and_read_by_another(unit, perform, fake):
    owner = fake.put("user", email="rep@example.jp")
    [done] = perform(unit.apply([create("a@example.jp", "userId", userId=ref(owner, "user"))]))
    assert done.stored == {"userId": ref(owner, "user")}


def test_archiving_puts_a_prospect_into_the_recycle_bin(unit, perform, fake):
    person = fake.put("prospect", email="a@example.jp")
    [done] = perform(unit.apply([Archive(ref(person), "k", WHY)]))
    assert done == Applied(Archive(ref(person), "k", WHY), ref(person))
    assert [write.verb for write in fake.ledger] == ["delete"]


@pytest.mark.parametrize("write", [lambda who: update(who, firstName="x"), lambda who: Archive(ref(who), "k", WHY)])
def test_writing_to_what_is_in_the_recycle_bin_or_nowhere_is_stale(unit, perform, fake, write):
    gone = fake.put("prospect", email="a@example.jp")
    fake.remove("prospect", gone)
    outcomes = [perform(unit.apply([write(id)]))[0] for id in (gone, "999")]
    assert all(isinstance(outcome, Stale) for outcome in outcomes)


def test_a_dot_beside_the_at_sign_is_accepted(unit, perform):
    outcomes = perform(unit.apply([create("taro.@example.jp")]))
    assert isinstance(outcomes[0], Applied)


def test_one_records_refusal_leaves_the_others_alone_and_names_the_code(unit, perform, fake):
    fake.put("prospect", email="taken@example.jp")
    batch = [
        create("a@example.jp"),
        create("taken@example.jp"),
        create("not an address"),
        create("b@example.jp", nonsense="x"),
    ]
    first, *refused = perform(unit.apply(batch))
    assert isinstance(first, Applied)
    assert [outcome.action for outcome in refused] == batch[1:]
    assert all(isinstance(outcome, Rejected) for outcome in refused)
    assert [outcome.reason.facts["code"] for outcome in refused] == ["9", "4", "180"]


def test_outcomes_stand_in_the_order_of_a_large_batch(unit, perform, fake):
    batch = [create(f"p{number}@example.jp") for number in range(100)]
    outcomes = perform(unit.apply(batch))
    assert [outcome.action for outcome in outcomes] == batch
    assert {row["id"]: row["email"] for row in fake.rows("prospect")} == {
        outcome.ref.id: outcome.action.values["email"] for outcome in outcomes
    }


def test_a_lost_answer_makes_that_action_uncertain_and_no_other(unit, perform, fake):
    fake.faults.lose_answer(to="POST", path=PROSPECTS)
    outcomes = perform(unit.apply([create(f"p{number}@example.jp") for number in range(6)]))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Applied"] * 5 + ["Uncertain"]
    assert len(fake.rows("prospect")) == 6


@pytest.mark.parametrize("way", ["truncated", "json", "empty", "type"])
def test_a_broken_answer_to_a_create_never_means_that_nothing_was_made(unit, perform, fake, way):
    fake.faults.damage(way, to="POST", path=PROSPECTS)
    [outcome] = perform(unit.apply([create("a@example.jp")]))
    assert isinstance(outcome, Uncertain)
    assert len(fake.rows("prospect")) == 1


def test_a_create_or_update_is_sent_once_whatever_happens_to_its_answer(unit, perform, fake):
    person = fake.put("prospect", email="a@example.jp")
    for verb, action in (("POST", create("b@example.jp")), ("PATCH", update(person, firstName="x"))):
        fake.faults.fail(503, applied=True, to=verb, path=PROSPECTS)
        [outcome] = perform(unit.apply([action]))
        assert isinstance(outcome, Uncertain)
        assert len([one for one in fake.requests if one.method == verb and "prospects" in one.url.path]) == 1


def test_a_conflicting_update_is_postponed(unit, perform, fake):
    person = fake.put("prospect", email="a@example.jp")
    fake.faults.add("F14:1")
    [outcome] = perform(unit.apply([update(person, firstName="x")]))
    assert isinstance(outcome, Postponed)
    assert outcome.reason.facts["code"] == "62"


def test_trouble_that_all_would_meet_rises_where_nothing_was_written(unit, perform, fake):
    fake.daily_limit = 0
    with pytest.raises((Throttled, NotAllowed)):
        perform(unit.apply([create(f"p{number}@example.jp") for number in range(20)]))
    assert not fake.rows("prospect")


def test_what_was_written_before_the_day_was_used_up_is_not_forgotten(unit, perform, fake):
    fake.daily_limit = 8
    outcomes = perform(unit.apply([create(f"p{number}@example.jp") for number in range(40)]))
    applied = [outcome for outcome in outcomes if isinstance(outcome, Applied)]
    assert len(applied) == len(fake.rows("prospect")) == 8
    assert all(isinstance(outcome, Postponed) for outcome in outcomes if outcome not in applied)


def test_the_rest_of_a_batch_is_not_sent_once_the_day_is_used_up(unit, perform, fake):
    fake.daily_limit = 2
    perform(unit.apply([create(f"p{number}@example.jp") for number in range(60)]))
    sent = {one.content for one in fake.requests if one.method == "POST" and one.url.path.endswith("/prospects")}
    assert len(sent) <= 2 + 4


@pytest.mark.parametrize("strange", ["0", "1/../2", "a"])
def test_a_write_to_an_id_of_another_form_sends_nothing_of_its_batch(unit, perform, fake, strange):
    with pytest.raises(UsageError, match="no record of account_engagement"):
        perform(unit.apply([update("1", firstName="x"), update(strange, firstName="x")]))
    assert not fake.requests


def test_an_empty_batch_and_an_empty_question_ask_nothing(unit, perform, fake):
    assert list(perform(unit.apply([]))) == []
    assert list(perform(unit.find([], ()))) == []
    assert len(perform(unit.fetch([], ())).rows) == 0
    assert not fake.requests


def test_an_unknown_field_is_refused_by_its_code_wherever_it_is_asked_for(unit, perform, fake):
    fake.put("prospect", email="a@example.jp")
    asking = [unit.read(Query("prospect", ("nonsense",))), unit.fetch([ref(1)], ("nonsense",)),
              unit.find([by("email", "a@example.jp")], ("gone__c",))]  # fmt: skip
    for flow in asking:
        with pytest.raises(Refused) as refused:
            perform(flow)
        assert refused.value.code == "224"


# -- entering ----------------------------------------------------------------------------


def test_every_request_enters_the_named_business_unit_with_a_token(unit, perform, fake):
    perform(unit.read(Query("prospect", ())))
    request = fake.requests[-1]
    assert request.headers["Pardot-Business-Unit-Id"] == fake.credentials["business_unit_id"]
    assert request.headers["Authorization"].startswith("Bearer ")


def test_a_wrong_business_unit_is_the_operators_turn(fake, perform):
    given = fake.credentials
    unit = AccountEngagement.with_token(HOST, given["token"], business_unit_id="0Uv5i000000Wrong1A")
    with pytest.raises(NotAllowed) as refused:
        perform(unit.read(Query("prospect", ())))
    assert refused.value.code == "201"
    assert given["token"] not in f"{refused.value!r} {unit!r}"


def test_a_session_that_ends_in_the_middle_is_renewed(unit, perform, fake):
    fake.put("prospect", email="a@example.jp")
    perform(unit.read(Query("prospect", ())))
    fake.expire_tokens()
    assert len(perform(unit.read(Query("prospect", ()))).rows) == 1


def test_a_system_that_is_away_is_unreachable_and_surely_has_nothing(unit, perform, fake):
    fake.faults.refuse_connection(times=1000)
    with pytest.raises(Unreachable) as away:
        perform(unit.apply([create("a@example.jp")]))
    assert not away.value.may_have_arrived


def test_over_a_real_port_many_creates_never_exceed_the_vendors_five_at_once():
    fake = FakeAccountEngagement()
    with fake.serve() as base, Driver(workers=8) as driver:
        unit = connected(fake, base)
        outcomes = driver.run(unit.apply([create(f"p{number}@example.jp") for number in range(40)]))
        pages = walked(driver.run, unit, "prospect", ("email",), limit=15)
    assert all(isinstance(outcome, Applied) for outcome in outcomes)
    assert len(ids(pages)) == 40


def test_an_asked_field_that_the_answer_lacks_is_missing_and_not_blank(unit, perform, fake, clock):
    def without(request):
        response = fake.exchange(request)
        if request.url.path.endswith("/prospects"):
            body = response.json()
            for row in body["values"]:
                row.pop("firstName", None)
            return httpx.Response(200, json=body, headers={"Date": response.headers["Date"]})
        return response

    fake.put("prospect", email="a@example.jp", firstName="A")
    with Driver(clock=clock, transport=httpx.MockTransport(without)) as driver:
        page = driver.run(unit.read(Query("prospect", ("firstName", "email"))))
    assert page.rows.cells == ((MISSING, "a@example.jp"),)
