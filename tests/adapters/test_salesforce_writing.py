"""Salesforce: searches and writes against the fake, by both drivers and over a real port."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmbridge.adapters.salesforce import Salesforce
from crmbridge.drive import AsyncDriver, Driver
from crmbridge.errors import CapabilityError, NotAllowed, Refused, Throttled, UsageError
from crmbridge.model import (
    Action,
    Applied,
    Archive,
    Cell,
    Create,
    CreateClass,
    Delete,
    Outcome,
    Postponed,
    Query,
    RecordRef,
    Rejected,
    Stale,
    Uncertain,
    Update,
)
from crmbridge.protocols import ID_FIELD, KeyValue, Question
from crmbridge.reasons import Code, Reason, because
from crmbridge.testing.fakes.salesforce import FakeSalesforce
from crmbridge.testing.faults import Rule

NEW = because(Code.NEW)
HOME = "https://org.my.salesforce.test"


@attrs.define
class Clock:
    at: dt.datetime = dt.datetime(2026, 11, 21, 9, tzinfo=dt.UTC)

    def now(self) -> dt.datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def advance(self, by: float | dt.timedelta) -> None:
        self.at += by if isinstance(by, dt.timedelta) else dt.timedelta(seconds=by)


class Org:
    """A fake organisation and a connector to it."""

    def __init__(self, **external_ids: str) -> None:
        clock = Clock()
        self.fake = FakeSalesforce(now=clock.now)
        self.driver = Driver(clock=clock, transport=self.fake.transport(), seed=0)
        token = self.fake.credentials["token"]
        self.salesforce = Salesforce.with_token(HOME, token, external_ids=external_ids)

    def lead(self, name: str = "山田", **values: object) -> str:
        return self.fake.put("Lead", LastName=name, Company="山田商店", **values)

    def found(self, *questions: Question, fields: tuple[str, ...] = ("LastName",)) -> list[tuple[str, ...]]:
        return [rows.ids for rows in self.driver.run(self.salesforce.find(questions, fields))]

    def applied(self, *batch: Action) -> Sequence[Outcome]:
        return self.driver.run(self.salesforce.apply(batch))

    def held(self, id: str, kind: str = "Lead") -> dict[str, object]:
        [row] = [row for row in self.fake.rows(kind, deleted=True) if row["Id"] == id]
        return row


@pytest.fixture
def org() -> Org:
    return Org()


def ref(id: str, kind: str = "Lead") -> RecordRef:
    return RecordRef("salesforce", kind, id)


def by(field: str, *values: str, gone: bool = False, limit: int = 10, kind: str = "Lead") -> Question:
    return Question(kind, field, tuple((KeyValue(field, value),) for value in values), gone=gone, limit=limit)


def create(key: str = "key-1", kind: str = "Lead", **values: Cell) -> Create:
    return Create(
        kind, {"LastName": "山田", "Company": "山田商店", **values}, RecordRef("ae", "prospect", "1"), key, NEW
    )


def update(id: str, **values: Cell) -> Update:
    return Update(ref(id), values, "key-2", because(Code.CHANGED))


class TestFinding:
    def test_answers_come_in_the_order_of_the_questions(self, org: Org) -> None:
        a, b = org.lead(Email="a@x.test"), org.lead(Email="b@x.test")
        assert org.found(by("Email", "b@x.test"), by("Email", "nobody@x.test"), by("Email", "a@x.test")) == [
            (b,),
            (),
            (a,),
        ]

    def test_the_vendor_compares_without_case_and_so_do_we(self, org: Org) -> None:
        lead = org.lead(name="MÜLLER", Email="kim@x.test")
        assert org.found(by("Email", " KIM@X.test "), by("LastName", "müller")) == [(lead,), (lead,)]

    @settings(max_examples=60)
    @given(st.lists(st.text(alphabet="ab'\\\n\"%_山 ,)", min_size=1, max_size=6), min_size=1, max_size=4))
    def test_any_text_finds_its_own_record_and_no_other(self, names: list[str]) -> None:
        org = Org()
        made = {org.lead(name=name): name.strip().casefold() for name in names}
        for name, found in zip(names, org.found(*(by("LastName", name) for name in names)), strict=True):
            wanted = name.strip().casefold()
            assert set(found) <= set(made)
            assert all(made[id] == wanted for id in found)
            if name == name.strip() and wanted:
                assert found

    @pytest.mark.parametrize("blank", ["", " ", "　", "\n"])
    def test_a_blank_key_finds_nothing_and_makes_its_whole_alternative_false(self, org: Org, blank: str) -> None:
        org.lead(Email=None)
        pair = (KeyValue("LastName", "山田"), KeyValue("Email", blank))
        assert org.found(by("Email", blank), Question("Lead", "pair", (pair,))) == [(), ()]
        assert not [request for request in org.fake.requests if request.url.path.endswith("/query")]

    def test_all_keys_of_an_alternative_must_agree_and_one_alternative_is_enough(self, org: Org) -> None:
        a = org.lead(name="a", Email="one@x.test")
        b = org.lead(name="b", Email="two@x.test")
        org.lead(name="a", Email="two@x.test")
        both = (KeyValue("LastName", "a"), KeyValue("Email", "one@x.test"))
        other = (KeyValue("LastName", "b"),)
        assert org.found(Question("Lead", "l", (both, other)), Question("Lead", "l", (both,))) == [(a, b), (a,)]

    def test_questions_about_one_field_are_one_query_for_a_hundred_of_them(self, org: Org) -> None:
        for n in range(100):
            org.lead(Email=f"{n}@x.test")
        org.driver.run(org.salesforce.schema("Lead"))
        before = len(org.fake.requests)
        answers = org.found(*(by("Email", f"{n}@x.test") for n in range(100)))
        assert [len(answer) for answer in answers] == [1] * 100
        assert len(org.fake.requests) == before + 1

    def test_a_common_key_gives_as_many_as_wanted_and_does_not_hide_the_rare_ones(self, org: Org) -> None:
        rare = org.lead(name="rare")
        for _ in range(2100):
            org.lead(name="common")
        late = org.lead(name="late")
        common, first, last = org.found(
            by("LastName", "common", limit=3), by("LastName", "rare"), by("LastName", "late")
        )
        assert (len(common), first, last) == (3, (rare,), (late,))

    def test_long_japanese_values_are_asked_in_several_short_queries(self, org: Org) -> None:
        names = ["株" * 80 + str(n) for n in range(60)]
        leads = [org.fake.put("Lead", LastName="a", Company=name) for name in names]
        assert org.found(*(by("Company", name) for name in names)) == [(lead,) for lead in leads]

    def test_an_id_is_found_in_either_form_and_a_text_that_is_none_finds_nothing(self, org: Org) -> None:
        lead = org.lead()
        assert org.found(by(ID_FIELD, lead[:15]), by("Id", lead), by(ID_FIELD, "[[crm_deleted]]")) == [
            (lead,),
            (lead,),
            (),
        ]

    def test_what_is_gone_is_found_only_where_it_is_asked_for(self, org: Org) -> None:
        deleted, converted = org.lead(Email="d@x.test"), org.lead(Email="c@x.test")
        org.fake.remove("Lead", deleted)
        org.fake.convert(converted)
        keys = ("d@x.test", "c@x.test")
        assert org.found(by("Email", *keys), by("Email", *keys, gone=True)) == [(), (deleted, converted)]

    def test_a_field_that_cannot_stand_in_a_condition_is_refused_by_name(self, org: Org) -> None:
        for field in ("Nonsense", "NumberOfEmployees"):
            with pytest.raises(CapabilityError, match=f"Lead.{field}"):
                org.found(by(field, "1"))

    def test_a_contact_is_found_by_the_name_of_its_account(self, org: Org) -> None:
        account = org.fake.put("Account", Name="山田商店")
        contact = org.fake.put("Contact", LastName="a", AccountId=account)
        assert org.found(by("Account.Name", "山田商店", kind="Contact")) == [(contact,)]


class TestCreating:
    def test_two_hundred_leads_are_one_request_with_one_outcome_each_in_order(self, org: Org) -> None:
        batch = [create(f"key-{n}", LastName=f"山田{n}") for n in range(200)]
        outcomes = org.applied(*batch)
        assert [outcome.action for outcome in outcomes] == batch
        assert len(org.fake.requests) == 1
        for outcome, action in zip(outcomes, batch, strict=True):
            assert isinstance(outcome, Applied)
            assert org.held(outcome.ref.id)["LastName"] == action.values["LastName"]

    def test_each_type_of_value_arrives_as_it_was_meant(self, org: Org) -> None:
        values: dict[str, Cell] = {
            "AnnualRevenue": Decimal(1200),
            "Interests__c": ("Product", "Event"),
            "HasOptedOutOfEmail": True,
            "pi__created_date__c": dt.datetime(2026, 11, 21, 18, 15, tzinfo=dt.timezone(dt.timedelta(hours=9))),
            "Title": "課長 \\ 'quoted'",
        }
        [made] = org.applied(create(**values))
        assert isinstance(made, Applied)
        page = org.driver.run(org.salesforce.fetch([made.ref], tuple(values)))
        assert dict(zip(values, page.rows.cells[0], strict=True)) == values

    def test_one_record_in_trouble_leaves_the_others_alone_and_no_value_in_the_reason(self, org: Org) -> None:
        outcomes = org.applied(
            create("a"),
            create("b", LastName=None),
            create("c", Email="kim@@secret.test"),
            create("d", AnnualRevenue=Decimal("NaN")),
            create("e", LastName="山" * 81),
        )
        assert [type(outcome) for outcome in outcomes] == [Applied, Rejected, Rejected, Rejected, Rejected]
        reasons = [outcome.reason for outcome in outcomes if isinstance(outcome, Rejected)]
        facts = [(reason.code, reason.facts.get("code"), reason.facts.get("field")) for reason in reasons]
        assert facts == [
            (Code.REFUSED_BY_SYSTEM, "REQUIRED_FIELD_MISSING", "LastName"),
            (Code.REFUSED_BY_SYSTEM, "INVALID_EMAIL_ADDRESS", "Email"),
            (Code.NOT_A_NUMBER, None, "AnnualRevenue"),
            (Code.REFUSED_BY_SYSTEM, "STRING_TOO_LONG", "LastName"),
        ]
        assert "secret" not in str(reasons)

    def test_a_batch_that_cannot_be_written_at_all_sends_nothing(self, org: Org) -> None:
        [outcome] = org.applied(create(AnnualRevenue=Decimal("NaN")))
        assert isinstance(outcome, Rejected)
        assert org.applied() == []
        assert not org.fake.requests

    def test_a_batch_of_two_verbs_is_refused_before_anything_is_sent(self) -> None:
        org = Org()
        id = org.lead()
        seen = len(org.fake.requests)
        ref, origin = RecordRef("salesforce", "Lead", id), RecordRef("ma", "prospect", "1")
        new = Create("Lead", {"LastName": "佐藤", "Company": "佐藤商店"}, origin, "key", NEW)
        with pytest.raises(UsageError, match="one kind and one verb"):
            org.applied(new, Update(ref, {"LastName": "鈴木"}, "key", NEW))
        assert len(org.fake.requests) == seen

    def test_with_an_external_id_a_create_is_an_upsert_and_twice_is_once(self) -> None:
        org = Org(Lead="Ext_Id__c")
        assert org.salesforce.capabilities("Lead").creates is CreateClass.A
        [first], [second] = org.applied(create("key-1")), org.applied(create("key-1"))
        assert isinstance(first, Applied)
        assert isinstance(second, Applied)
        assert first.ref == second.ref
        assert [row["Ext_Id__c"] for row in org.fake.rows("Lead")] == ["key-1"]
        assert org.found(by("Ext_Id__c", "key-1")) == [(first.ref.id,)]

    def test_without_one_a_create_is_of_class_c_and_never_repeated_by_itself(self, org: Org) -> None:
        assert org.salesforce.capabilities("Lead").creates is CreateClass.C
        org.fake.faults.lose_answer(to="POST")
        outcomes = org.applied(create("a"), create("b"))
        assert [type(outcome) for outcome in outcomes] == [Uncertain, Uncertain]
        assert len(org.fake.rows("Lead")) == 2

    def test_an_upsert_whose_answer_was_lost_is_not_sent_again_over_a_persons_edit(self) -> None:
        org = Org(Lead="Ext_Id__c")
        org.fake.faults.lose_answer(to="PATCH")
        [outcome] = org.applied(create("key-1"))
        assert isinstance(outcome, Uncertain)
        assert len([request for request in org.fake.requests if request.method == "PATCH"]) == 1

    @pytest.mark.parametrize("way", ["truncated", "type", "empty", "json"])
    def test_an_answer_that_cannot_be_read_leaves_the_batch_uncertain(self, org: Org, way: str) -> None:
        org.fake.faults.damage(way, to="POST")  # type: ignore[arg-type]
        outcomes = org.applied(create("a"), create("b"))
        assert [type(outcome) for outcome in outcomes] == [Uncertain, Uncertain]

    def test_an_answer_that_lacks_an_element_leaves_the_batch_uncertain(self, org: Org) -> None:
        a, b = org.lead("a"), org.lead("b")
        org.fake.faults.plan(Rule("F11", times=1))
        outcomes = org.applied(update(a, Title="A"), update(b, Title="B"))
        assert [type(outcome) for outcome in outcomes] == [Uncertain, Uncertain]

    def test_a_request_that_never_arrived_is_postponed(self, org: Org) -> None:
        org.fake.faults.refuse_connection(times=20)
        [outcome] = org.applied(create())
        assert isinstance(outcome, Postponed)
        assert not org.fake.rows("Lead")


class TestChanging:
    def test_only_the_named_fields_are_touched_and_none_clears(self, org: Org) -> None:
        lead = org.lead(Title="課長", City="大阪")
        [outcome] = org.applied(update(lead, Title=None))
        assert outcome == Applied(outcome.action, ref(lead))
        assert (org.held(lead)["Title"], org.held(lead)["City"], org.held(lead)["LastName"]) == (None, "大阪", "山田")

    def test_a_record_that_moved_on_is_stale(self, org: Org) -> None:
        deleted, converted, stays = (org.lead() for _ in range(3))
        org.fake.remove("Lead", deleted)
        org.fake.convert(converted)
        outcomes = org.applied(*(update(id, Title="x") for id in (deleted, converted, stays)))
        assert [type(outcome) for outcome in outcomes] == [Stale, Stale, Applied]

    def test_a_locked_row_is_postponed_and_the_others_are_written(self, org: Org) -> None:
        locked, free = org.lead(), org.lead()
        org.fake.lock_row(locked)
        first = org.applied(update(locked, Title="x"), update(free, Title="x"))
        assert [type(outcome) for outcome in first] == [Postponed, Applied]
        assert first[0].reason.facts["code"] == "UNABLE_TO_LOCK_ROW"  # type: ignore[union-attr]
        assert [type(outcome) for outcome in org.applied(update(locked, Title="x"))] == [Applied]

    def test_a_value_that_is_taken_is_rejected_with_its_code(self, org: Org) -> None:
        org.lead(Ext_Id__c="one")
        [outcome] = org.applied(update(org.lead(), Ext_Id__c="one"))
        assert isinstance(outcome, Rejected)
        assert outcome.reason.facts["code"] == "DUPLICATE_VALUE"

    @pytest.mark.parametrize("make", [Archive, Delete])
    def test_removing_puts_into_the_recycle_bin(self, org: Org, make: type[Archive | Delete]) -> None:
        lead = org.lead()
        [outcome] = org.applied(make(ref(lead), "key-3", because(Code.REMOVED)))
        assert isinstance(outcome, Applied)
        assert org.fake.rows("Lead") == []
        org.fake.undelete(lead)
        assert len(org.fake.rows("Lead")) == 1

    def test_two_hundred_removals_are_one_request_and_what_was_removed_before_is_stale(self, org: Org) -> None:
        ids = [org.lead() for _ in range(200)]
        org.fake.remove("Lead", ids[7])
        outcomes = org.applied(*(Delete(ref(id), f"key-{id}", because(Code.REMOVED)) for id in ids))
        assert [at for at, outcome in enumerate(outcomes) if isinstance(outcome, Stale)] == [7]
        assert org.fake.rows("Lead") == []
        assert len(org.fake.requests) == 1

    def test_a_used_up_quota_postpones_writes_and_stops_reads(self, org: Org) -> None:
        org.fake.daily_limit = 0
        [outcome] = org.applied(create())
        assert outcome == Postponed(
            outcome.action, Reason(Code.BUSY, {"system": "salesforce", "code": "REQUEST_LIMIT_EXCEEDED"})
        )
        with pytest.raises(Throttled):
            org.found(by("Email", "a@x.test"))

    def test_a_token_that_opens_nothing_is_the_operators_turn(self, org: Org) -> None:
        org.fake.expire_tokens()
        with pytest.raises(NotAllowed, match="INVALID_SESSION_ID"):
            org.applied(create())

    def test_a_version_that_was_retired_is_refused(self, org: Org) -> None:
        old = Salesforce(org.salesforce.account, version="v20.0")
        with pytest.raises(Refused, match="410"):
            org.driver.run(old.schema("Lead"))


class TestPromises:
    def test_users_are_only_read(self, org: Org) -> None:
        able = org.salesforce.capabilities("User")
        assert (able.incremental, able.creates, able.updates, able.deletes, able.archives) == (
            True,
            None,
            False,
            False,
            False,
        )

    @pytest.mark.parametrize(
        ("kind", "merges"), [("Lead", True), ("Contact", True), ("Account", True), ("Task", False)]
    )
    def test_persons_and_companies_are_merged_and_nothing_else(self, org: Org, kind: str, merges: bool) -> None:
        assert org.salesforce.capabilities(kind).sees_merges is merges

    @pytest.mark.parametrize(
        "kind",
        [
            "Lead",
            "Contact",
            "Account",
            "Opportunity",
            "Task",
            "Campaign",
            "CampaignMember",
            "OpportunityContactRole",
            "User",
        ],
    )
    def test_every_field_that_can_be_asked_for_exists_and_can_be_asked_for(self, org: Org, kind: str) -> None:
        for field in sorted(org.salesforce.capabilities(kind).finds_by - {"FederationIdentifier"}):
            org.found(by(field, "x", kind=kind))

    def test_neither_the_token_nor_a_persons_values_are_printed(self, org: Org) -> None:
        org.driver.run(org.salesforce.schema("Lead"))
        assert org.fake.credentials["token"] not in repr(org.salesforce)
        assert "FieldSpec" not in repr(org.salesforce)


class TestFaces:
    def connector(self, fake: FakeSalesforce, base_url: str = HOME) -> Salesforce:
        secrets = fake.credentials
        return Salesforce.connect(base_url + "/", secrets["client_id"], secrets["client_secret"])

    def story(self, driver: Driver, salesforce: Salesforce) -> None:
        [made] = driver.run(salesforce.apply([create(Email="kim@x.test")]))
        assert isinstance(made, Applied)
        [rows] = driver.run(salesforce.find([by("Email", "kim@x.test")], ("LastName",)))
        page = driver.run(salesforce.read(Query("Lead", ("LastName",))))
        assert rows.ids == page.rows.ids == (made.ref.id,)
        assert rows.cells == page.rows.cells == (("山田",),)

    def test_a_blocking_driver_fetches_its_token_and_works(self) -> None:
        fake = FakeSalesforce()
        with Driver(transport=fake.transport()) as driver:
            self.story(driver, self.connector(fake))

    def test_gathered_queries_may_run_in_threads(self) -> None:
        fake = FakeSalesforce()
        ids = [fake.put("Lead", LastName="a", Company="x") for _ in range(900)]
        with Driver(transport=fake.transport(), workers=4) as driver:
            page = driver.run(self.connector(fake).fetch([ref(id) for id in ids], ("LastName",)))
        assert set(page.rows.ids) == set(ids)

    def test_an_awaited_driver_runs_the_same_flows(self) -> None:
        fake = FakeSalesforce()
        salesforce = self.connector(fake)
        ids = [fake.put("Lead", LastName="a", Company="x") for _ in range(900)]

        async def story() -> None:
            async with AsyncDriver(transport=fake.transport()) as driver:
                page = await driver.run(salesforce.fetch([ref(id) for id in ids], ("LastName",)))
                [outcome] = await driver.run(salesforce.apply([update(ids[0], Title="課長")]))
                assert set(page.rows.ids) == set(ids)
                assert isinstance(outcome, Applied)

        asyncio.run(story())

    def test_the_same_story_goes_well_over_a_real_port(self) -> None:
        fake = FakeSalesforce()
        with fake.serve() as base_url, Driver() as driver:
            self.story(driver, self.connector(fake, base_url))

    def test_a_session_that_ends_on_the_way_is_renewed_unseen(self) -> None:
        fake = FakeSalesforce()
        with Driver(transport=fake.transport()) as driver:
            salesforce = self.connector(fake)
            driver.run(salesforce.schema("Lead"))
            fake.expire_tokens()
            self.story(driver, salesforce)
