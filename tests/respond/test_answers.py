"""Answers that a vendor may well give, made up from what the fakes describe, into the connectors.

Members come in another order, optional ones are there or not, unknown ones stand beside them, blanks are null. A
connector reads what was told, value by value, or says whose fault it is in one of its own errors.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from decimal import Decimal

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from crmbridge.adapters.account_engagement import AccountEngagement
from crmbridge.adapters.digima import Digima
from crmbridge.adapters.kengaku import CUSTOMER, PAGE, Kengaku
from crmbridge.adapters.salesforce import Salesforce
from crmbridge.errors import AdapterError
from crmbridge.model import MISSING, Applied, Create, Delivery, Query, RecordRef, Rejected, Update
from crmbridge.reasons import Code, because
from crmbridge.testing.fakes.account_engagement import FakeAccountEngagement
from crmbridge.testing.fakes.digima import FakeDigima
from crmbridge.testing.fakes.kengaku import FakeKengaku
from crmbridge.testing.fakes.salesforce import FakeSalesforce
from crmbridge.testing.sim import ManualClock, SimDriver

NOW = dt.datetime(2026, 11, 21, 9, 15, tzinfo=dt.UTC)
ORIGIN = RecordRef("other", "person", "1")
LEAD = ("LastName", "Email", "AnnualRevenue", "NumberOfEmployees", "DoNotCall", "Birthdate", "Interests__c", "OwnerId", "ConvertedDate",
        "EmailBouncedDate", "Status", "Description", "pi__score__c", "Owner.Name")  # fmt: skip
PROSPECT = ("email", "lastName", "score", "isStarred", "lastActivityAt", "campaignId", "annualRevenue", "employees", "assignedToId",
            "campaign.name", "salesforceId", "profileId", "Rank__c", "Several__c")  # fmt: skip
ANSWERS = int(os.environ.get("CRMBRIDGE_ANSWERS", "60"))
"""Made up for each test."""

_PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
ID15 = st.from_regex(r"[a-zA-Z0-9]{3}[0-9a-z]{12}", fullmatch=True)
STAMPS = st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2026, 11, 20)).map(
    lambda one: one.replace(microsecond=0, tzinfo=dt.UTC)
)


@pytest.fixture
def many():
    return settings(max_examples=ANSWERS, deadline=None, phases=_PHASES, suppress_health_check=list(HealthCheck))


class Telling(httpx.BaseTransport):
    """Answers as told where it was told to, and as the fake does otherwise."""

    def __init__(self, fake, told):
        self._fake, self._told = fake.transport(), told

    def handle_request(self, request):
        answer = self._told(request) or self._fake.handle_request(request)
        answer.headers.setdefault("Date", "Sat, 21 Nov 2026 09:15:00 GMT")
        return answer


@st.composite
def loosely(draw, value, spare=()):
    """Give a JSON value with its members in another order, some of the spare ones gone, and strange ones beside them."""
    if isinstance(value, list):
        return [draw(loosely(one, spare)) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {name: one for name, one in value.items() if name not in spare or draw(st.booleans())}
    if draw(st.integers(0, 3)) == 0:
        kept["x_new"] = draw(st.sampled_from([None, 1, "x", [], {"a": [None]}]))
    return {name: draw(loosely(kept[name], spare)) for name in draw(st.permutations(list(kept)))}


def asked(fake, told, flow):
    """Perform a flow against these answers."""
    clock = ManualClock(NOW)
    return SimDriver(1, clock=clock, transports={fake.base_url: Telling(fake, told)}).run(flow)


# ---- Salesforce --------------------------------------------------------------------------


def salesforce():
    fake = FakeSalesforce(now=lambda: NOW)
    held = fake.credentials
    return fake, Salesforce.connect(fake.base_url, held["client_id"], held["client_secret"])


def of_salesforce(field, value):
    """Say what a value of a described field means, by the vendor's page on field types."""
    if value is None:
        return None
    if field["type"] in ("int", "double", "currency", "percent"):
        return Decimal(repr(value))
    if field["type"] == "date":
        return dt.date.fromisoformat(value)
    if field["type"] == "datetime":
        return dt.datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%f%z")
    if field["type"] == "multipicklist":
        return tuple(value.split(";"))
    if field["type"] == "reference":
        return RecordRef("salesforce", value[:3], value)
    return value


def same(found, wanted):
    if isinstance(wanted, RecordRef):
        # The kind follows from the described targets; the id is the same in its short form.
        return isinstance(found, RecordRef) and found.id[:15] == wanted.id[:15]
    if isinstance(wanted, Decimal):
        return not isinstance(found, bool) and found == wanted
    return found == wanted and type(found) is type(wanted)


@st.composite
def leads(draw, shapes):
    """A record as the vendor may tell it."""
    shape = shapes.named("Lead")["properties"]
    record = {"attributes": {"type": "Lead", "url": "/x"}, "Id": "00Q" + draw(ID15)[3:]}
    for name in LEAD:
        if name == "Owner.Name":
            continue
        record[name] = draw(shapes.values(shape[name])) if name in shape else None
    for name in ("OwnerId",):
        record[name] = draw(st.none() | ID15.map(lambda id: "005" + id[3:]))
    record["Interests__c"] = draw(st.sampled_from([None, "Product", "Product;Service", "gone;Event"]))
    record["Owner"] = draw(st.sampled_from([None, {"attributes": {"type": "User"}, "Name": "山田"}, {"Name": None}]))
    if record["OwnerId"] is None:
        record["Owner"] = None
    record["SystemModstamp"] = draw(STAMPS).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    record |= {"LastModifiedById": draw(ID15), "IsDeleted": False, "IsConverted": False, "MasterRecordId": None}
    return draw(loosely(record, ("attributes",)))


def test_salesforce_reads_every_value_of_every_page_that_its_schemas_allow(drawing, many):
    fake, end = salesforce()
    shapes = drawing.Shapes(fake.description())
    kind = {field["name"]: field for field in _described(fake)}

    @many
    @given(st.lists(leads(shapes), max_size=3, unique_by=lambda one: one["Id"]), st.booleans(), st.data())
    def read(records, absent, data):
        body = {"totalSize": len(records), "done": True, "records": records} | (
            {} if absent else {"nextRecordsUrl": None}
        )
        body = data.draw(loosely(body, ("totalSize",)))

        def told(request):
            return (
                httpx.Response(200, json=body)
                if request.url.path.endswith("/query") or request.url.path.endswith("/queryAll")
                else None
            )

        known = tuple(name for name in LEAD if name in kind or name == "Owner.Name")
        page = asked(fake, told, end.read(Query("Lead", known, None, 200)))
        assert not page.departures
        assert len(page.rows.ids) == len(records)
        for id, cells, record in zip(page.rows.ids, page.rows.cells, records, strict=True):
            assert id[:15] == record["Id"]
            for name, cell in zip(known, cells, strict=True):
                if name == "Owner.Name":
                    wanted = None if record["Owner"] is None else record["Owner"]["Name"]
                else:
                    wanted = of_salesforce(kind[name], record[name])
                assert same(cell, wanted), (name, cell, wanted)

    read()


def _described(fake):
    headers = {"Authorization": f"Bearer {fake.credentials['token']}"}
    return fake.exchange(
        httpx.Request("GET", f"{fake.base_url}/services/data/v67.0/sobjects/Lead/describe", headers=headers)
    ).json()["fields"]


def test_salesforce_finds_the_outcome_of_each_record_in_every_answer_that_its_schemas_allow(many):
    fake, end = salesforce()
    lead = fake.put("Lead", LastName="x", Company="y")
    error = {"statusCode": "DUPLICATE_VALUE", "message": "m", "fields": ["Ext_Id__c"]}

    @many
    @given(st.lists(st.booleans(), min_size=1, max_size=4), ID15, st.booleans(), st.data())
    def written(taken, id, new, data):
        ids = [f"00Q{id[3:11]}{at:04}" for at in range(len(taken))] if new else [lead] * len(taken)
        elements = [
            {"id": one, "success": True, "errors": data.draw(st.sampled_from([[], None])), "created": new}
            if good
            else {"id": None, "success": False, "errors": [error | {"extendedErrorDetails": None}]}
            for one, good in zip(ids, taken, strict=True)
        ]
        body = data.draw(loosely(elements, ("created", "message", "fields", "extendedErrorDetails")))

        def told(request):
            return httpx.Response(200, json=body) if "/composite/sobjects" in request.url.path else None

        if new:
            batch = [Create("Lead", {"LastName": "n"}, ORIGIN, f"k{at}", because(Code.NEW)) for at in range(len(taken))]
        else:
            ref = RecordRef("salesforce", "Lead", lead)
            batch = [Update(ref, {"LastName": "n"}, f"k{at}", because(Code.POLICY)) for at in range(len(taken))]
        outcomes = asked(fake, told, end.apply(batch))
        assert [type(outcome) for outcome in outcomes] == [Applied if good else Rejected for good in taken]
        assert [one.ref.id[:15] for one in outcomes if isinstance(one, Applied)] == [
            one[:15] for one, good in zip(ids, taken, strict=True) if good
        ]

    written()


def test_salesforce_reads_the_schema_whatever_stands_beside_what_it_needs(many):
    fake, end = salesforce()
    fields = _described(fake)
    wanted = asked(fake, lambda _: None, end.schema("Lead"))

    @many
    @given(st.randoms(use_true_random=False), st.data())
    def read(chance, data):
        told_fields = [dict(field) for field in fields]
        chance.shuffle(told_fields)
        for at in data.draw(st.lists(st.integers(0, len(fields) - 1), max_size=4)):
            held = told_fields[at] | {"label": None, "picklistValues": told_fields[at]["picklistValues"] or None}
            told_fields[at] = data.draw(loosely(held, ("inlineHelpText", "mask", "label")))
        told_fields.append({"name": "Place__c", "type": "location", "label": "x"})
        body = {"name": "Lead", "fields": told_fields, "childRelationships": None}

        def told(request):
            return httpx.Response(200, json=body) if request.url.path.endswith("/describe") else None

        schema = asked(fake, told, end.schema("Lead"))
        assert set(schema.fields) == set(wanted.fields)
        for name, spec in schema.fields.items():
            assert (spec.type, spec.required, spec.options, spec.max_length) == (
                wanted.fields[name].type, wanted.fields[name].required, wanted.fields[name].options, wanted.fields[name].max_length,
            )  # fmt: skip

    read()


# ---- Account Engagement -------------------------------------------------------------------


def account_engagement():
    fake = FakeAccountEngagement(now=lambda: NOW)
    fake.add_field("Rank", "Text")
    fake.add_field("Several", "Multi-Select")
    held = fake.credentials
    end = AccountEngagement.connect(
        fake.base_url, token_url=f"{fake.base_url}/services/oauth2/token", client_id=held["client_id"],
        client_secret=held["client_secret"], business_unit_id=held["business_unit_id"],
    )  # fmt: skip
    return fake, end


@st.composite
def prospects(draw, shapes):
    shape = shapes.named("prospect")["properties"]
    record = {name: draw(shapes.values(shape[name])) for name in PROSPECT if name in shape}
    record["campaign"] = draw(st.sampled_from([None, {"name": "春"}, {"name": None}]))
    for name in ("campaignId", "assignedToId", "profileId"):
        record[name] = draw(st.none() | st.integers(1, 10**12))
    # Vendor: some numbers are shown in fields of free text, and some texts are numbers.
    record["annualRevenue"] = draw(st.none() | st.integers(0, 10**12) | st.sampled_from(["1,000", "", "10.50"]))
    record["lastActivityAt"] = draw(
        st.none() | STAMPS.map(lambda at: at.astimezone(dt.timezone(dt.timedelta(hours=9))).isoformat())
    )
    record["id"] = draw(st.integers(1, 10**12))
    record["updatedAt"] = draw(STAMPS).isoformat()
    record |= {"isDeleted": False, "updatedById": draw(st.none() | st.integers(1, 99))}
    return draw(loosely(record, ("updatedById",)))


def of_account_engagement(name, value):
    if value is None:
        return None
    if name == "lastActivityAt":
        return dt.datetime.fromisoformat(value)
    if name in ("campaignId", "assignedToId"):
        return RecordRef("account_engagement", {"campaignId": "campaign", "assignedToId": "user"}[name], str(value))
    if name in ("annualRevenue", "employees", "profileId"):
        return str(value)
    if name == "Several__c":
        return tuple(value)
    return value


def test_account_engagement_reads_every_value_of_every_page_that_its_schemas_allow(drawing, many):
    fake, end = account_engagement()
    shapes = drawing.Shapes(fake.description())

    @many
    @given(st.lists(prospects(shapes), max_size=3, unique_by=lambda one: one["id"]), st.data())
    def read(records, data):
        body = data.draw(
            loosely({"nextPageToken": None, "nextPageUrl": None, "values": records}, ("nextPageToken", "nextPageUrl"))
        )

        def told(request):
            return httpx.Response(200, json=body) if request.url.path.endswith("/objects/prospects") else None

        page = asked(fake, told, end.read(Query("prospect", PROSPECT, None, 200)))
        assert page.rows.ids == tuple(str(record["id"]) for record in records)
        for cells, record in zip(page.rows.cells, records, strict=True):
            for name, cell in zip(PROSPECT, cells, strict=True):
                if name == "campaign.name":
                    assert cell == (record["campaign"] and record["campaign"]["name"])
                elif name in record:
                    wanted = of_account_engagement(name, record[name])
                    assert (cell, type(cell)) == (wanted, type(wanted)), (name, cell, wanted)
                else:
                    assert cell is MISSING

    read()


def test_account_engagement_finds_the_outcome_of_a_write_in_every_answer_that_its_schemas_allow(many):
    fake, end = account_engagement()

    @many
    @given(st.integers(1, 10**12), st.sampled_from(["both", "body", "address"]), st.booleans(), st.data())
    def written(id, where, new, data):
        body = data.draw(
            loosely({"id": id, "updatedAt": "2026-11-21T18:15:00+09:00", "email": None}, ("updatedAt", "email"))
        )
        headers = {} if where == "body" else {"Location": f"{fake.base_url}/api/v5/objects/prospects/{id}"}

        def told(request):
            if "/objects/prospects" not in request.url.path:
                return None
            if where == "address":
                return httpx.Response(204, headers=headers)
            return httpx.Response(201 if new else 200, json=body, headers=headers)

        if new:
            action = Create("prospect", {"email": "n@x.example"}, ORIGIN, "k", because(Code.NEW))
        else:
            action = Update(
                RecordRef("account_engagement", "prospect", str(id)), {"city": "x"}, "k", because(Code.POLICY)
            )
        [outcome] = asked(fake, told, end.apply([action]))
        assert isinstance(outcome, Applied)
        assert outcome.ref == RecordRef("account_engagement", "prospect", str(id))

    written()


# ---- Digima --------------------------------------------------------------------------------

TOLD = {"code": "invalid_format", "field": "contact.email", "message": "形式が正しくありません。"}


@pytest.mark.parametrize(
    ("status", "body", "taken"),
    [
        (200, {"data": {}}, True),
        (200, {}, True),
        (201, {"data": {"inquiry": {"id": 7}}}, True),
        (200, {"data": None, "errors": []}, True),
        (200, {"data": {"errors": [TOLD]}}, False),
        (422, {"data": {"errors": [TOLD]}, "errors": [{"type": "data_validation_error", **TOLD}]}, False),
        (400, {"errors": [{"type": "data_validation_error", **TOLD}]}, False),
        (401, {"error": {"code": "unauthorized", "message": "x"}}, False),
    ],
)
def test_digima_takes_a_submission_for_registered_only_where_nothing_is_refused(many, status, body, taken):
    fake = FakeDigima(now=lambda: NOW)
    end = Digima.connect(fake.account_code, {"form": fake.credentials["form_code"]}, base_url=fake.base_url)

    @many
    @given(loosely(body, ("message", "type", "field")))
    def posted(answer):
        values = {"form": "form", "contact.email": "kim@x.example"}
        action = Create("submission", values, ORIGIN, "k", because(Code.NEW))
        try:
            [outcome] = asked(fake, lambda _: httpx.Response(status, json=answer), end.apply([action]))
        except AdapterError:
            assert not taken
            return
        assert isinstance(outcome, Applied) is taken, outcome

    posted()


# ---- Kengaku Cloud ---------------------------------------------------------------------------


def test_kengaku_reads_every_entry_that_may_be_delivered(drawing, many):
    fake = FakeKengaku(now=lambda: NOW)
    end = Kengaku.at_path(fake.secret, answers=("plan",))
    texts = st.sampled_from([*drawing.TEXTS, ""]) | st.none()

    @st.composite
    def entries(draw):
        entry = {
            "id": draw(st.sampled_from(["reservation-1", "a/b", "7"])),
            "event": draw(st.sampled_from(["reservation", "inquiry", "document_request"])),
            "at": draw(STAMPS).isoformat(),
            "source": {"id": "event-1", "name": draw(texts)},
            "customer": {name: draw(texts) for name in CUSTOMER},
            "answers": draw(
                st.sampled_from(
                    [
                        None,
                        [],
                        [{"field": "計画", "code": "plan", "value": "新築"}],
                        [{"field": "x", "code": "", "value": None}],
                    ]
                )
            ),
            "page": {name: draw(texts) for name in PAGE},
        }
        return draw(loosely(entry, ("customer", "answers", "page", "name", *CUSTOMER, *PAGE)))

    @many
    @given(st.lists(entries(), min_size=1, max_size=3), st.booleans())
    def received(told, alone):
        body = json.dumps(told[0] if alone else told).encode()
        found = end.receive(Delivery("POST", f"https://intake.example/{fake.secret}", {}, body), now=NOW)
        assert len(found) == (1 if alone else len(told))
        for arrived, entry in zip(found, told, strict=False):
            record = arrived.record
            assert arrived.id == f"{entry['event']}/{entry['id']}"
            for part, named, names in (("customer", "contact", CUSTOMER), ("page", "page", PAGE)):
                for name in names:
                    assert record.get(f"{named}.{name}") == ((entry.get(part) or {}).get(name) or None)
            plan = [one["value"] for one in entry.get("answers") or () if one["code"] == "plan"]
            assert record.get("answers.plan") == (plan[0] if plan else None)

    received()
