"""Salesforce: changes page by page, departures, versions, and records by id, against the fake."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crmbridge.adapters.salesforce import Salesforce
from crmbridge.drive import Driver
from crmbridge.errors import ContractBroken, Refused, UsageError
from crmbridge.model import MISSING, Deleted, Merged, Moved, Page, Query, RecordRef
from crmbridge.testing.fakes.salesforce import FakeSalesforce
from crmbridge.testing.faults import Rule
from crmbridge.testing.tables import Field

NINE = dt.datetime(2026, 11, 21, 9, tzinfo=dt.UTC)


@attrs.define
class Clock:
    at: dt.datetime = NINE

    def now(self) -> dt.datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def advance(self, by: float | dt.timedelta) -> None:
        self.at += by if isinstance(by, dt.timedelta) else dt.timedelta(seconds=by)


class Org:
    """A fake organisation, its clock, and a connector to it."""

    def __init__(self, page_size: int = 2000) -> None:
        self.clock = Clock()
        self.fake = FakeSalesforce(now=self.clock.now, page_size=page_size)
        self.driver = Driver(clock=self.clock, transport=self.fake.transport())
        self.salesforce = Salesforce.with_token("https://org.my.salesforce.test", self.fake.credentials["token"])

    def lead(self, name: str = "山田", **values: object) -> str:
        return self.fake.put("Lead", LastName=name, Company="山田商店", **values)

    def page(self, cursor: str | None = None, *, kind: str = "Lead", fields: tuple[str, ...] = ("LastName",),
             limit: int = 2000) -> Page:  # fmt: skip
        return self.driver.run(self.salesforce.read(Query(kind, fields, cursor, limit)))

    def walk(self, cursor: str | None = None, **asked: object) -> Iterator[Page]:
        while True:
            page = self.page(cursor, **asked)  # type: ignore[arg-type]
            yield page
            if not page.more:
                return
            cursor = page.cursor

    def fetched(self, *ids: str, kind: str = "Lead", fields: tuple[str, ...] = ("LastName",)) -> Page:
        refs = [ref(id, kind) for id in ids]
        return self.driver.run(self.salesforce.fetch(refs, fields))


def ref(id: str, kind: str = "Lead") -> RecordRef:
    return RecordRef("salesforce", kind, id)


@pytest.fixture
def org() -> Org:
    return Org()


class TestReading:
    def test_a_read_from_the_beginning_gives_every_record_once_and_is_complete_on_its_last_page(self) -> None:
        org = Org(page_size=300)
        ids = [org.lead(f"山田{n}") for n in range(1000)]
        pages = list(org.walk())
        assert [len(page.rows) for page in pages] == [300, 300, 300, 100]
        assert sorted(id for page in pages for id in page.rows.ids) == sorted(ids)
        assert [page.complete for page in pages] == [False, False, False, True]

    def test_a_page_of_a_thousand_records_is_one_request(self, org: Org) -> None:
        for n in range(1000):
            org.lead(f"山田{n}")
        org.page()
        before = len(org.fake.requests)
        assert len(org.page(limit=1000).rows) == 1000
        assert len(org.fake.requests) == before + 1
        assert org.fake.requests[-1].headers["Sforce-Query-Options"] == "batchSize=1000"

    def test_a_run_after_the_last_page_begins_an_overlap_before_the_highest_stamp(self, org: Org) -> None:
        old = org.lead("old")
        org.clock.advance(601)
        near = org.lead("near")
        org.clock.advance(600)
        last = org.lead("last")
        cursor = org.page().cursor
        org.clock.advance(3600)
        again = org.page(cursor)
        assert (old in again.rows.ids, set(again.rows.ids)) == (False, {near, last})
        assert not again.complete

    def test_a_change_with_an_old_stamp_that_shows_late_is_not_missed(self, org: Org) -> None:
        org.lead("first")
        org.clock.advance(60)
        org.lead("second")
        cursor = org.page().cursor
        late = org.fake.place("Lead", {"LastName": "late", "Company": "x"}, at=NINE + dt.timedelta(seconds=5))
        org.clock.advance(300)
        assert late in org.page(cursor).rows.ids

    def test_nothing_new_leaves_the_cursor_where_it_was(self, org: Org) -> None:
        org.lead()
        cursor = org.page().cursor
        org.clock.advance(7200)
        assert org.page(cursor).cursor == cursor

    def test_the_cursor_never_goes_back_though_the_newest_record_was_purged(self, org: Org) -> None:
        org.lead("old")
        org.clock.advance(60)
        newest = org.lead("new")
        cursor = org.page().cursor
        table = org.fake.table("Lead")
        table.purge(table.all[newest])
        assert org.page(cursor).cursor == cursor

    def test_an_empty_kind_is_complete_and_can_be_read_again(self, org: Org) -> None:
        empty = org.page()
        assert (len(empty.rows), empty.complete) == (0, True)
        id = org.lead()
        assert org.page(empty.cursor).rows.ids == (id,)

    @settings(max_examples=60)
    @example(seconds=[0] * 12, limit=5, page_size=2, expire=False)
    @given(
        seconds=st.lists(st.integers(0, 3), max_size=12),
        limit=st.integers(1, 5) | st.just(2000),
        page_size=st.integers(1, 4),
        expire=st.booleans(),
    )
    def test_reading_goes_on_from_any_page_without_a_skip_even_where_many_records_share_a_second(
        self, seconds: list[int], limit: int, page_size: int, expire: bool
    ) -> None:
        org = Org(page_size)
        ids = []
        for second in seconds:
            org.clock.advance(second)
            ids.append(org.lead())
        read: list[str] = []
        for page in org.walk(limit=limit):
            read.extend(page.rows.ids)
            if expire:
                org.fake.expire_locators()
        assert read == ids

    def test_a_record_that_changes_while_we_walk_comes_again_in_its_last_state(self) -> None:
        org = Org(page_size=2)
        first, *_ = [org.lead(f"{n}") for n in range(3)]
        page = org.page()
        org.clock.advance(5)
        org.fake.edit("Lead", first, LastName="changed")
        org.fake.expire_locators()
        [last] = org.walk(page.cursor)
        assert dict(zip(last.rows.ids, last.rows.cells, strict=True))[first] == ("changed",)

    def test_a_next_page_elsewhere_is_refused_before_anything_is_sent(self) -> None:
        org = Org(page_size=1)
        org.lead()
        org.lead()
        org.driver.run(org.salesforce.schema("Lead"))
        org.fake.faults.plan(Rule("F32"))
        before = len(org.fake.requests)
        with pytest.raises(ContractBroken):
            org.page()
        assert len(org.fake.requests) == before + 1

    @pytest.mark.parametrize(
        "part",
        [
            {"next": "https://elsewhere.test/services/data/v67.0/query/01g"},
            {"next": "//elsewhere.test/services/data/v67.0/query/01g"},
            {"next": "/services/data/v67.0/query/../sobjects"},
            {"stamp": "2026-11-21T09:00:00.000Z OR Id != null", "id": "00Q5g0000000001EAA"},
            {"stamp": "2026-11-21T09:00:00.000Z", "id": "' OR Id != '"},
            {"top": "yesterday"},
            {"strange": "x"},
        ],
    )
    def test_a_cursor_that_somebody_made_up_is_refused(self, org: Org, part: dict[str, str]) -> None:
        with pytest.raises(UsageError, match="was not made by this connector"):
            org.page(json.dumps({"v": 1, "walking": True, **part}))

    def test_an_unknown_kind_is_refused_by_the_vendor_and_an_impossible_one_by_us(self, org: Org) -> None:
        with pytest.raises(Refused, match="NOT_FOUND"):
            org.page(kind="Nothing__c")
        before = len(org.fake.requests)
        with pytest.raises(UsageError):
            org.page(kind="Lead/describe?x=")
        assert len(org.fake.requests) == before


class TestCells:
    def test_a_field_is_read_empty_or_not_at_all_but_never_invented(self, org: Org) -> None:
        org.lead(Title=None)
        page = org.page(fields=("LastName", "Title", "Nonsense", "Owner.Name"))
        assert page.rows.cells == (("山田", None, MISSING, "Connector"),)

    def test_a_parent_that_is_absent_reads_as_blank(self, org: Org) -> None:
        account = org.fake.put("Account", Name="山田商店")
        org.fake.put("Contact", LastName="a", AccountId=account)
        org.fake.put("Contact", LastName="b")
        page = org.page(kind="Contact", fields=("Account.Name", "AccountId"))
        assert page.rows.cells == (("山田商店", ref(account, "Account")), (None, None))

    def test_a_task_says_whether_it_is_about_a_lead_or_a_contact(self, org: Org) -> None:
        lead, contact = org.lead(), org.fake.put("Contact", LastName="b")
        for who in (lead, contact):
            org.fake.put("Task", Subject="call", WhoId=who)
        page = org.page(kind="Task", fields=("WhoId",))
        assert page.rows.cells == ((ref(lead),), (ref(contact, "Contact"),))

    def test_who_changed_it_last_is_told(self, org: Org) -> None:
        lead = org.lead()
        org.fake.edit("Lead", lead, by="Kim", LastName="x")
        [kim] = [row["Id"] for row in org.fake.rows("User") if row["Name"] == "Kim"]
        assert org.page().rows.authors == (kim,)

    def test_users_can_be_read_although_none_was_ever_deleted(self, org: Org) -> None:
        assert org.fake.user in org.page(kind="User", fields=("Email",)).rows.ids


class TestDepartures:
    def test_a_deleted_lead_departs_and_comes_back_when_it_is_undeleted(self, org: Org) -> None:
        lead = org.lead()
        cursor = org.page().cursor
        org.fake.remove("Lead", lead)
        gone = org.page(cursor)
        assert (gone.departures, gone.rows.ids) == ((Deleted(ref(lead)),), ())
        org.fake.undelete(lead)
        back = org.page(gone.cursor)
        assert (back.departures, back.rows.ids) == ((), (lead,))

    @pytest.mark.parametrize("kind", ["Lead", "Contact", "Account"])
    def test_a_merged_record_lives_on_in_the_other(self, org: Org, kind: str) -> None:
        name = {"Name": "x"} if kind == "Account" else {"LastName": "x"}
        winner, loser = (org.fake.put(kind, **name, **({"Company": "x"} if kind == "Lead" else {})) for _ in range(2))
        org.clock.advance(60)
        org.fake.merge(winner, loser)
        page = org.page(kind=kind, fields=())
        assert (page.departures, page.rows.ids) == ((Merged(ref(loser, kind), ref(winner, kind)),), (winner,))

    def test_a_converted_lead_is_its_contact_now_and_no_row(self, org: Org) -> None:
        lead = org.lead()
        contact = org.fake.convert(lead)
        page = org.page()
        assert (page.departures, page.rows.ids) == ((Moved(ref(lead), ref(contact, "Contact")),), ())

    def test_a_custom_object_departs_too(self, org: Org) -> None:
        org.fake.add_object("Box__c", Field("Colour__c", "string", length=20))
        box = org.fake.put("Box__c", Name="b", Colour__c="red")
        org.fake.remove("Box__c", box)
        assert org.page(kind="Box__c", fields=("Colour__c",)).departures == (Deleted(ref(box, "Box__c")),)


class TestVersions:
    def test_a_young_record_has_no_version_and_an_old_one_has(self, org: Org) -> None:
        lead = org.lead()
        assert org.fetched(lead).rows.versions == (None,)
        org.clock.advance(dt.timedelta(minutes=12))
        assert org.fetched(lead).rows.versions == ("2026-11-21T09:00:00.000Z",)
        assert org.page().rows.versions == ("2026-11-21T09:00:00.000Z",)

    @settings(max_examples=60)
    @given(
        st.lists(
            st.tuples(st.sampled_from(["edit", "read", "page"]), st.sampled_from([0, 0.3, 1, 400, 800])), max_size=14
        )
    )
    def test_one_version_never_stands_for_two_states(self, steps: list[tuple[str, float]]) -> None:
        org = Org()
        lead = org.lead("0")
        seen: dict[str, object] = {}
        for at, (step, seconds) in enumerate(steps):
            org.clock.advance(seconds)
            if step == "edit":
                org.fake.edit("Lead", lead, LastName=str(at + 1))
                continue
            rows = (org.fetched(lead) if step == "read" else org.page()).rows
            if rows.versions[0] is not None:
                assert seen.setdefault(rows.versions[0], rows.cells[0]) == rows.cells[0]

    def test_a_later_page_is_judged_by_the_clock_of_the_query_and_not_of_the_page(self) -> None:
        org = Org(page_size=1)
        org.lead()
        org.clock.advance(1)
        org.lead()
        first = org.page()
        org.clock.advance(3600)
        assert org.page(first.cursor).rows.versions == (None,)

    def test_a_parents_name_changes_without_a_stamp_so_that_no_version_covers_it(self, org: Org) -> None:
        account = org.fake.put("Account", Name="山田商店")
        contact = org.fake.put("Contact", LastName="a", AccountId=account)
        org.clock.advance(3600)
        assert org.fetched(contact, kind="Contact", fields=("Account.Name",)).rows.versions == (None,)
        assert org.fetched(contact, kind="Contact", fields=("AccountId",)).rows.versions != (None,)


class TestFetching:
    def test_what_left_its_ref_departs_and_what_never_was_is_not_there(self, org: Org) -> None:
        stays, deleted, loser, converted = (org.lead(f"{n}") for n in range(4))
        org.fake.remove("Lead", deleted)
        org.fake.merge(stays, loser)
        contact = org.fake.convert(converted)
        page = org.fetched(stays, deleted, loser, converted, "00Q5g0000009999EAA", "no id")
        assert page.rows.ids == (stays,)
        assert set(page.departures) == {
            Deleted(ref(deleted)),
            Merged(ref(loser), ref(stays)),
            Moved(ref(converted), ref(contact, "Contact")),
        }

    def test_the_order_and_the_form_of_the_ids_do_not_matter(self, org: Org) -> None:
        a, b = org.lead("a"), org.lead("b")
        assert set(org.fetched(b, a[:15], a, b).rows.ids) == {a, b}
        assert len(org.fetched(b, a[:15], a, b).rows) == 2

    def test_a_reading_says_what_the_vendor_s_clock_shows(self, org: Org) -> None:
        lead = org.lead()
        org.clock.advance(7)
        assert org.fetched(lead).clock == NINE + dt.timedelta(seconds=7)

    def test_nothing_is_asked_for_nothing(self, org: Org) -> None:
        assert len(org.driver.run(org.salesforce.fetch([], ("LastName",))).rows) == 0
        assert not org.fake.requests

    def test_two_hundred_records_are_read_by_one_request(self, org: Org) -> None:
        ids = [org.lead(f"{n}") for n in range(450)]
        org.page()
        before = len(org.fake.requests)
        assert set(org.fetched(*ids).rows.ids) == set(ids)
        assert len(org.fake.requests) == before + 3

    def test_many_fields_make_shorter_lists_of_ids_rather_than_too_long_an_address(self, org: Org) -> None:
        names = tuple(f"{'a' * 30}{n:03}__c" for n in range(150))
        for name in names:
            org.fake.add_field("Lead", Field(name, "string", length=10))
        ids = [org.lead(f"{n}") for n in range(200)]
        page = org.fetched(*ids, fields=names)
        assert set(page.rows.ids) == set(ids)

    def test_a_describe_call_is_made_once(self, org: Org) -> None:
        lead = org.lead()
        for _ in range(3):
            org.fetched(lead)
        assert sum(request.url.path.endswith("/describe") for request in org.fake.requests) == 1
