"""Account Engagement × Salesforce: prospects, leads and contacts, edited, converted, merged and deleted by people."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, Final, cast

from ...adapters.account_engagement import AccountEngagement
from ...adapters.salesforce import Salesforce
from ...blueprints.account_engagement_salesforce import Master, Settings
from ...blueprints.account_engagement_salesforce import build as blueprint
from ...model import RecordRef, Side
from ...pipeline import Pipeline
from ...stores import MemoryStore
from ..fakes.account_engagement import FakeAccountEngagement
from ..fakes.salesforce import FakeSalesforce
from ..sim import ManualClock
from ..simulation import Deed, Hands, SimWorld, Trail
from ..tables import Field

ADDRESSES: Final = 14
TEXTS: Final[Mapping[str, tuple[str, ...]]] = {
    "prospect": ("lastName", "firstName", "jobTitle", "city", "comments", "phone"),
    "Lead": ("LastName", "FirstName", "Title", "City", "Description", "Phone"),
    "Contact": ("LastName", "FirstName", "Title", "MailingCity", "Description", "Phone"),
}
KEPT: Final = ("lastName", "LastName")
"""What nobody may empty: Salesforce refuses to, and copies are known by it."""


def world(seed: int) -> SimWorld:
    """Make an empty business unit and an organisation with one salesperson, whom both know."""
    clock = ManualClock()
    sf = FakeSalesforce(now=clock.now, seed=seed, page_size=random.Random(f"pages {seed}").choice((2, 3, 2000)))
    ae = FakeAccountEngagement(now=clock.now, seed=seed)
    sf.add_field("Lead", Field("Ext_Id__c", length=64, unique=True, external_id=True))
    seller = sf.put("User", LastName="佐藤", Username="sato@org.example", Email="sato@org.example")
    ae.put("user", email="sato@org.example", lastName="佐藤", salesforceId=seller)
    return SimWorld(
        clock,
        ae,
        sf,
        MemoryStore(),
        deeds=DEEDS,
        trail=Trail({"prospect": "lastName"}, {"Lead": "LastName", "Contact": "LastName"}),
        left_faults=FAULTS,
        live=_live,
        wanted=_wanted,
        enough=ENOUGH,
        beyond=BEYOND,
    )


def build(world: SimWorld) -> Pipeline:
    """Connect to both; the settings change from seed to seed, as those of customers do."""
    ae, sf = cast("FakeAccountEngagement", world.left), cast("FakeSalesforce", world.right)
    left = AccountEngagement.connect(
        ae.base_url,
        token_url=f"{ae.base_url}/services/oauth2/token",
        client_id=ae.credentials["client_id"],
        client_secret=ae.credentials["client_secret"],
        business_unit_id=ae.credentials["business_unit_id"],
    )
    chance = random.Random(f"settings {sf.seed}")
    masters: tuple[Master, ...] = ("salesforce", "account_engagement", "most_recently_updated")
    settings = Settings(
        master=chance.choice(masters),
        create_prospects=chance.random() < 0.5,
        archive_deleted=chance.random() < 0.7,
    )
    keyed = {"Lead": "Ext_Id__c"} if chance.random() < 0.5 else {}
    right = Salesforce.connect(
        sf.base_url, sf.credentials["client_id"], sf.credentials["client_secret"], external_ids=keyed
    )
    return blueprint(left, right, settings, store=world.store)


def _live(_side: Side, _kind: str, row: Mapping[str, Any]) -> bool:
    return not row.get("IsConverted")


def _wanted(side: Side, _kind: str, row: Mapping[str, Any]) -> bool:
    """Demand a lead for each prospect that has a salesperson; a prospect is made only where that is switched on."""
    return side == "left" and bool(row.get("assignedToId"))


# -- what people do ----------------------------------------------------------------------------


def _address(hands: Hands) -> str:
    return f"p{hands.chance.randrange(ADDRESSES)}@east.example"


def _new_prospect(hands: Hands) -> bool:
    ae = cast("FakeAccountEngagement", hands.world.left)
    [seller] = [row["id"] for row in ae.rows("user") if row["email"] == "sato@org.example"]
    email = _address(hands)
    # Vendor: without AMPSEA an address belongs to one prospect.
    if any(row["email"] == email for row in ae.rows("prospect")):
        return False
    words = {name: hands.word() for name in ("lastName", "jobTitle", "city")}
    assigned = {"assignedToId": seller} if hands.chance.random() < 0.8 else {}
    _ = hands.put("left", "prospect", email=email, company="株式会社東都", **words, **assigned)
    return True


def _new_person(hands: Hands) -> bool:
    kind = hands.chance.choice(("Lead", "Lead", "Contact"))
    words = {name: hands.word() for name in TEXTS[kind][:4]}
    company = {"Company": "株式会社東都"} if kind == "Lead" else {}
    _ = hands.put("right", kind, Email=_address(hands), **words, **company)
    return True


def _moved_house(hands: Hands) -> bool:
    """Let a person get another address, on either side, so that a copy cannot be told by it."""
    side: Side = hands.chance.choice(("left", "right"))
    ref = hands.some(side)
    if ref is not None:
        hands.edit(side, ref, **{"email" if side == "left" else "Email": f"{hands.word()}@east.example"})
    return ref is not None


def _imported(hands: Hands) -> bool:
    """Let a list of leads be imported, so that what changed fills several pages."""
    for _ in range(6):
        _ = _new_person(hands)
    return True


def _changed(side: Side) -> Deed:
    def change(hands: Hands) -> bool:
        ref = hands.some(side)
        if ref is None:
            return False
        field = hands.chance.choice(TEXTS[ref.kind])
        emptied = field not in KEPT and hands.chance.random() < 0.15
        hands.edit(side, ref, **{field: None if emptied else hands.word()})
        return True

    return Deed(f"change {side}", change, 4.0)


def _deleted(side: Side) -> Deed:
    def delete(hands: Hands) -> bool:
        ref = hands.some(side)
        if ref is not None:
            hands.remove(side, ref)
        return ref is not None

    return Deed(f"delete {side}", delete, 0.7)


def _deleted_twice(hands: Hands) -> bool:
    """Let a person be deleted on both sides, by what both call the person."""
    ae = cast("FakeAccountEngagement", hands.world.left)
    named = {row["lastName"]: str(row["id"]) for row in ae.rows("prospect")}
    for ref in hands.every("right"):
        name = cast("FakeSalesforce", hands.world.right).table(ref.kind).all[ref.id].values.get("LastName")
        if name in named:
            hands.remove("right", ref)
            hands.remove("left", RecordRef("account_engagement", "prospect", named[name]))
            return True
    return False


def _claimed(hands: Hands) -> bool:
    """Let a prospect be imported that names a lead which may be another prospect's."""
    lead = hands.some("right", "Lead")
    if lead is None:
        return False
    email, words = f"{hands.word()}@east.example", {name: hands.word() for name in ("lastName", "city")}
    _ = hands.put("left", "prospect", email=email, company="株式会社東都", salesforceId=lead.id, **words)
    return True


def _converted(hands: Hands) -> bool:
    lead = hands.some("right", "Lead")
    if lead is None:
        return False
    contact = cast("FakeSalesforce", hands.world.right).convert(lead.id)
    hands.tell(f"somebody converts {lead} into {contact}")
    return True


def _merged(hands: Hands) -> bool:
    kind = hands.chance.choice(("Lead", "Contact"))
    found = hands.every("right", kind)
    if len(found) < 3:
        return False
    winner, loser = hands.chance.sample(found, 2)
    cast("FakeSalesforce", hands.world.right).merge(winner.id, loser.id)
    hands.tell(f"somebody merges {loser} into {winner}")
    return True


def _opted_out(hands: Hands) -> bool:
    ref: RecordRef | None = hands.some("left")
    if ref is not None:
        hands.edit("left", ref, optedOut=True)
    return ref is not None


DEEDS: Final = (
    Deed("new prospect", _new_prospect, 3.0),
    Deed("new person", _new_person, 1.5),
    Deed("import", _imported, 0.2),
    Deed("new address", _moved_house, 0.6),
    _changed("left"),
    _changed("right"),
    _deleted("left"),
    _deleted("right"),
    Deed("delete both", _deleted_twice, 0.3),
    Deed("claim", _claimed, 0.3),
    Deed("convert", _converted, 0.6),
    Deed("merge", _merged, 0.4),
    Deed("opt out", _opted_out, 0.3),
)

ENOUGH: Final = 300

FAULTS: Final = ("F03", "F04", "F05", "F07", "F08", "F09", "F13", "F14")

UNWRITTEN: Final = (
    "pair salutation|Salutation",
    "pair department|Contact:Department",
    "pair fax|Fax",
    "pair website|Lead:Website",
    "pair addressOne|Contact:MailingStreet,Lead:Street",
    "pair state|Contact:MailingState,Lead:State",
    "pair zip|Contact:MailingPostalCode,Lead:PostalCode",
    "pair country|Contact:MailingCountry,Lead:Country",
    "pair source|LeadSource",
    "pair industry|Lead:Industry",
    "pair employees|Lead:NumberOfEmployees",
    "pair annualRevenue|Lead:AnnualRevenue",
)

BEYOND: Final[Mapping[str, str]] = {
    "F17 at account_engagement": "what a user may not see for a while is read at its next change; the system's page says so",
    "F18 at account_engagement": "a page holds 1,000 prospects, and no world has so many",
    **dict.fromkeys(UNWRITTEN, "nobody in these worlds fills it in"),
    **{f"{left} | unknown: hold": "Salesforce reads what is stored" for left in ("same", "changed", "gone")},
}
