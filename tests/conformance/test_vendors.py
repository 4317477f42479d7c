"""The adapters of vendors keep the laws that they claim, against their fakes."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Mapping

import pytest

from crmbridge.adapters.account_engagement import AccountEngagement
from crmbridge.adapters.digima import CustomField, Digima
from crmbridge.adapters.kengaku import Kengaku
from crmbridge.adapters.salesforce import Salesforce
from crmbridge.model import RecordRef, Values
from crmbridge.testing import ConnectorSuite, Hand, KindUnderTest, ListenerSuite, ListenerUnderTest, SinkSuite
from crmbridge.testing.fakes.account_engagement import FakeAccountEngagement
from crmbridge.testing.fakes.digima import FakeDigima
from crmbridge.testing.fakes.kengaku import FakeKengaku
from crmbridge.testing.fakes.salesforce import FakeSalesforce
from crmbridge.testing.faults import Rule
from crmbridge.testing.sim import ManualClock, SimDriver

HOME = "https://org.my.salesforce.test"
UNIT = "https://pi.pardot.test"

SALESFORCE: Mapping[str, Callable[[int], Values]] = {
    "Lead": lambda n: {
        "LastName": f"山田{n}", "FirstName": f"太郎{n}", "Company": f"株式会社{n}", "Email": f"k{n}@example.com",
        "Phone": f"03-{n:09}", "Description": f"line {n}", "DoNotCall": n % 2 == 0, "NumberOfEmployees": n,
    },
    "Contact": lambda n: {
        "LastName": f"山田{n}", "FirstName": f"太郎{n}", "Email": f"k{n}@example.com", "Description": f"line {n}",
        "Birthdate": dt.date(1980, 1, 1) + dt.timedelta(days=n % 999), "HasOptedOutOfEmail": n % 2 == 0,
    },
    "Account": lambda n: {"Name": f"株式会社{n}", "Phone": f"03-{n:09}", "Description": f"line {n}"},
    "Task": lambda n: {
        "Subject": f"電話{n}", "Description": f"line {n}", "Status": "Completed", "Priority": "Normal",
        "ActivityDate": dt.date(2026, 1, 1) + dt.timedelta(days=n % 99),
    },
}  # fmt: skip


class VendorsHand:
    """A person at a fake of a vendor, by the names that the adapter uses."""

    def __init__(self, fake, system, kind, path):
        self.fake, self.system, self.kind, self.path = fake, system, kind, path

    def hand(self, **more):
        return Hand(
            put=self.put,
            edit=lambda ref, values: self.fake.edit(self.kind, ref.id, **plain(values)),
            remove=lambda ref: self.fake.remove(self.kind, ref.id),
            lose_answer=lambda: self.fake.faults.plan(Rule("F04", times=1, path=self.path)),
            writes=lambda: len(self.fake.ledger),
            **more,
        )

    def put(self, values):
        return RecordRef(self.system, self.kind, self.fake.put(self.kind, **plain(values)))

    def late(self, values, age):
        at = self.fake.now() - age
        return RecordRef(self.system, self.kind, self.fake.place(self.kind, plain(values), at=at))


def plain(values):
    """Give values as a vendor's screen takes them."""
    return {name: value.isoformat() if isinstance(value, dt.date) else value for name, value in values.items()}


@pytest.mark.parametrize(
    ("name", "keyed"), [("Lead", True), ("Lead", False), ("Contact", False), ("Account", False), ("Task", False)],
    ids=["lead with a key", "lead", "contact", "account", "task"],
)  # fmt: skip
class TestSalesforce(ConnectorSuite):
    @pytest.fixture
    def fake(self):
        return FakeSalesforce(now=ManualClock().now)

    @pytest.fixture
    def driver(self, fake):
        clock = ManualClock()
        fake.now = clock.now
        return SimDriver(clock=clock, transports={HOME: fake.transport()})

    @pytest.fixture
    def connector(self, fake, name, keyed):
        keys = {name: "Ext_Id__c"} if keyed else {}
        return Salesforce.with_token(HOME, fake.credentials["token"], external_ids=keys)

    @pytest.fixture
    def kind(self, fake, name):
        person = VendorsHand(fake, "salesforce", name, "/services/data/v67.0/composite")
        more: dict[str, object] = {"late": person.late}
        if name in {"Lead", "Contact", "Account"}:
            more["merge"] = lambda loser, winner: fake.merge(winner.id, loser.id)
        if name == "Lead":
            more["move"] = lambda ref: RecordRef("salesforce", "Contact", fake.convert(ref.id))
        secrets = (fake.credentials["token"],)
        return KindUnderTest(name, SALESFORCE[name], "Description", person.hand(**more), secrets=secrets)


def prospect(n: int) -> Values:
    return {
        "email": f"k{n}@example.com", "lastName": f"山田{n}", "firstName": f"太郎{n}", "company": f"株式会社{n}",
        "comments": f"line {n}", "isDoNotCall": n % 2 == 0,
    }  # fmt: skip


@pytest.mark.parametrize("ampsea", [False, True], ids=["one prospect an address", "several prospects an address"])
class TestAccountEngagement(ConnectorSuite):
    @pytest.fixture
    def clock(self):
        return ManualClock()

    @pytest.fixture
    def fake(self, clock, ampsea):
        return FakeAccountEngagement(now=clock.now, ampsea=ampsea)

    @pytest.fixture
    def driver(self, fake, clock):
        return SimDriver(clock=clock, transports={UNIT: fake.transport()})

    @pytest.fixture
    def connector(self, fake, ampsea):
        unit = fake.credentials["business_unit_id"]
        return AccountEngagement.with_token(UNIT, fake.credentials["token"], business_unit_id=unit, ampsea=ampsea)

    @pytest.fixture
    def kind(self, fake):
        person = VendorsHand(fake, "account_engagement", "prospect", "/api/v5/objects/prospects")
        secrets = (fake.credentials["token"],)
        return KindUnderTest("prospect", prospect, "comments", person.hand(), secrets=secrets)


class TestDigima(SinkSuite):
    @pytest.fixture
    def fake(self):
        made = FakeDigima(now=ManualClock().now)
        made.put("custom_field", label="ご計画", code="plan", type="ロングテキスト")
        return made

    @pytest.fixture
    def driver(self, fake):
        return SimDriver(transports={"https://form.digima.com": fake.transport()})

    @pytest.fixture
    def connector(self, fake):
        plan = CustomField("plan", "ロングテキスト", "ご計画")
        return Digima.connect(fake.account_code, {"予約": fake.credentials["form_code"]}, custom_fields=[plan])

    @pytest.fixture
    def kind(self, fake):
        hand = Hand(
            lose_answer=lambda: fake.faults.plan(Rule("F04", times=1)), writes=lambda: len(fake.rows("inquiry"))
        )
        secrets = (fake.account_code, fake.credentials["form_code"])
        return KindUnderTest("submission", submission, "contact.custom_fields.plan", hand, secrets=secrets)


def submission(n: int) -> Values:
    return {
        "form": "予約", "contact.email": f"k{n}@example.com", "contact.last_name": f"山田{n}",
        "contact.custom_fields.plan": f"新築 {n}",
    }  # fmt: skip


@pytest.mark.parametrize("by", ["signature", "path"])
class TestKengaku(ListenerSuite):
    @pytest.fixture
    def listener(self, by):
        clock = ManualClock()
        fake = FakeKengaku(now=clock.now)
        fake.put("event", name="来場予約会")
        for n in range(3):
            fake.register("reservation", "event-1", email=f"k{n}@example.com", last_name=f"山田{n}")
            clock.advance(1)
        make = Kengaku.signed if by == "signature" else Kengaku.at_path
        sent = tuple(fake.deliveries(by=by))
        send = functools.partial(self.send, fake, sent[0])
        signs = by == "signature"
        return ListenerUnderTest(make(fake.secret), sent, clock.now(), signs, signs, send, secrets=(fake.secret,))

    def send(self, fake, like, body):
        return fake.forged(like, key=fake.secret, body=body)
