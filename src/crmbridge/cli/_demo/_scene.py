"""The scene of the demo: both vendors as they are found on the first day, and the pipeline between them."""

from __future__ import annotations

import datetime as dt
import enum
import unicodedata
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, cast

import attrs

from ...adapters.account_engagement import AccountEngagement
from ...adapters.salesforce import Salesforce
from ...blueprints.account_engagement_salesforce import Settings, build
from ...drive import Driver
from ...model import RecordRef
from ...pipeline import Pipeline
from ...protocols import Observer
from ...roles import StateStore
from ...testing.fakes.account_engagement import FakeAccountEngagement
from ...testing.fakes.salesforce import FakeSalesforce
from ...testing.sim import ManualClock
from .._fakes import ACCOUNT_ENGAGEMENT, SALESFORCE, introduce_users, made
from ._people import Contact, contact, establishments

LEFT_SYSTEM, RIGHT_SYSTEM = "Account Engagement", "Salesforce"
AGO: Final = dt.timedelta(days=30)
"""How long everything has been there when the demo begins."""

SETTINGS: Final = Settings(
    masters={
        "jobTitle": "account_engagement",
        **dict.fromkeys(("addressOne", "city", "state", "zip"), "most_recently_updated"),
    }
)
"""Salesforce is the master but of the job title, which forms keep fresh, and of the address, where the newer edit counts."""


class Role(enum.Enum):
    """Where a contact is known when the demo begins."""

    ONLY_PROSPECT = "prospect, assigned to a salesperson"
    UNASSIGNED = "prospect, assigned to nobody"
    LEAD = "prospect and lead"
    CONTACT = "prospect and contact of an account"
    ONLY_LEAD = "lead"


_ROLES: Final = (
    *(Role.ONLY_PROSPECT,) * 4, Role.UNASSIGNED, *(Role.LEAD,) * 4, *(Role.CONTACT,) * 2, Role.ONLY_LEAD,
)  # fmt: skip
"""Who plays what, in turns of a dozen."""


@attrs.frozen
class Placed:
    """A contact and the records that stand for it."""

    contact: Contact
    role: Role
    prospect: str = ""
    person: str = ""
    """The id of a lead or contact."""


@attrs.frozen
class Scene:
    """Both vendors, the time that they and we share, and who is known where."""

    clock: ManualClock
    salesforce: FakeSalesforce
    unit: FakeAccountEngagement
    owner: int
    """The user of Account Engagement to whom prospects are assigned."""
    placed: Mapping[Role, Sequence[Placed]] = attrs.field(repr=False)

    @property
    def counts(self) -> Mapping[str, int]:
        """Count what was loaded."""
        people = {kind: len(self.salesforce.rows(kind)) for kind in ("Lead", "Contact", "Account")}
        establishments = sum(map(len, self.placed.values()))
        return {"establishments": establishments, "prospects": len(self.unit.rows("prospect"))} | {
            f"{kind.lower()}s": count for kind, count in people.items()
        }

    @property
    def written(self) -> int:
        """Count the writes that arrived at both vendors over their interfaces, by their own ledgers."""
        return sum(write.request > 0 for fake in (self.salesforce, self.unit) for write in fake.ledger)

    @property
    def requests(self) -> int:
        """Count the requests that both vendors were sent."""
        return len(self.salesforce.requests) + len(self.unit.requests)


def prospect_ref(id: str) -> RecordRef:
    """Point at a prospect."""
    return RecordRef(LEFT_SYSTEM, "prospect", id)


def person_ref(kind: str, id: str) -> RecordRef:
    """Point at a lead or contact."""
    return RecordRef(RIGHT_SYSTEM, kind, id)


def opened() -> Scene:
    """Make both vendors and fill them."""
    clock = ManualClock()
    served = made((SALESFORCE, ACCOUNT_ENGAGEMENT), now=clock.now)
    salesforce = cast("FakeSalesforce", served[SALESFORCE])
    unit = cast("FakeAccountEngagement", served[ACCOUNT_ENGAGEMENT])
    name = "sales@tokyo.example"
    seller = salesforce.place(
        "User", {"LastName": "営業", "FirstName": "一郎", "Username": name, "Email": name, "Alias": "sales"}
    )
    introduce_users(served)
    owner = next(int(user["id"]) for user in unit.rows("user") if user["salesforceId"] == seller)
    placed: dict[Role, list[Placed]] = {role: [] for role in Role}
    scene = Scene(clock, salesforce, unit, owner, placed)
    for number, at in enumerate(establishments()):
        role = _ROLES[number % len(_ROLES)]
        placed[role].append(_place(scene, contact(at), role, number))
    _doubled(scene)
    return scene


@contextmanager
def served(scene: Scene, store: StateStore, observer: Observer) -> Generator[Pipeline]:
    """Serve both vendors on real ports and give the pipeline between them."""
    with (
        scene.salesforce.serve() as right_url,
        scene.unit.serve() as left_url,
        Driver(store, clock=scene.clock) as driver,
    ):
        given = scene.salesforce.credentials
        right = Salesforce.connect(
            right_url,
            given["client_id"],
            given["client_secret"],
            system=RIGHT_SYSTEM,
            external_ids={"Lead": "Ext_Id__c"},
        )
        left = AccountEngagement.connect(
            left_url,
            token_url=f"{right_url}/services/oauth2/token",
            client_id=given["client_id"],
            client_secret=given["client_secret"],
            business_unit_id=scene.unit.credentials["business_unit_id"],
            system=LEFT_SYSTEM,
        )
        yield build(left, right, SETTINGS, store=store).observed(observer).using(driver)


def _place(scene: Scene, who: Contact, role: Role, number: int) -> Placed:
    """Put a contact into the systems that know it; of those whom both know, every third differs."""
    at = scene.clock.now() - AGO
    differs = number % 3 == 0
    prospect = person = ""
    if role is not Role.ONLY_LEAD:
        values = _prospect(who, number) | (_as_typed(who) if differs else {})
        if role is not Role.UNASSIGNED:
            values["assignedToId"] = scene.owner
        prospect = scene.unit.place("prospect", values, at=at)
    if role in {Role.LEAD, Role.ONLY_LEAD}:
        person = scene.salesforce.place("Lead", _lead(who, score(number), differs=differs), at=at)
    if role is Role.CONTACT:
        account = scene.salesforce.place("Account", {"Name": who.at.name}, at=at)
        person = scene.salesforce.place("Contact", _contact(who, account, score(number), differs=differs), at=at)
    return Placed(who, role, prospect, person)


def _doubled(scene: Scene) -> None:
    """Enter some leads a second time, as several salespeople may."""
    for place in scene.placed[Role.LEAD][10:13]:
        scene.salesforce.place("Lead", _lead(place.contact, 0, differs=False), at=scene.clock.now() - AGO / 2)


def _prospect(who: Contact, number: int) -> dict[str, Any]:
    at = who.at
    return {
        "email": who.email,
        "lastName": who.family,
        "firstName": who.given,
        "company": at.name,
        "jobTitle": who.title,
        "phone": who.phone,
        "zip": at.postal_code,
        "state": at.prefecture,
        "city": at.city,
        "addressOne": at.town + at.banchi,
        "score": score(number),
    }


def _as_typed(who: Contact) -> dict[str, Any]:
    """Write what a visitor types into a form: the company in short, the number in full width."""
    name = unicodedata.normalize("NFKC", who.at.name).replace("株式会社", "(株)").replace(" ", "")
    return {"company": name, "phone": who.phone.translate({ord(sign): ord(sign) + 0xFEE0 for sign in "0123456789-"})}


def score(number: int) -> int:
    """Give what a prospect's visits were worth."""
    return number * 7 % 100


def _person(who: Contact, score: int, address: str, *, differs: bool) -> dict[str, Any]:
    at = who.at
    return {
        "pi__score__c": None if differs else score,
        "Email": who.email.title() if differs else who.email,
        "LastName": who.family,
        "FirstName": who.given,
        "Title": None if differs else who.title,
        "Phone": who.phone,
        f"{address}PostalCode": at.postal_code,
        f"{address}State": at.prefecture,
        f"{address}City": at.city,
        f"{address}Street": at.town + at.banchi,
    }


def _lead(who: Contact, score: int, *, differs: bool) -> dict[str, Any]:
    return _person(who, score, "", differs=differs) | {"Company": who.at.name}


def _contact(who: Contact, account: str, score: int, *, differs: bool) -> dict[str, Any]:
    return _person(who, score, "Mailing", differs=differs) | {"AccountId": account}
