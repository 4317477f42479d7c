"""What the vendor derives or refuses for one object and not for another (Object Reference, the objects' own pages)."""

from collections.abc import Callable, Container, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from crmbridge.testing.fakes.salesforce.errors import Refused
from crmbridge.testing.fakes.salesforce.numbers import exact

Values = Mapping[str, Any]
Names = Container[str]
Derive = Callable[[Names, Values, str], dict[str, Any]]
"""What follows from the names of what is written, from the record as it is with that, and from the moment."""

CASCADES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "Account": (("Contact", "AccountId"), ("Opportunity", "AccountId")),
    "Opportunity": (("OpportunityContactRole", "OpportunityId"),),
    "Contact": (("CampaignMember", "ContactId"), ("OpportunityContactRole", "ContactId")),
    "Lead": (("CampaignMember", "LeadId"),),
    "Campaign": (("CampaignMember", "CampaignId"),),
}
"""What goes into the bin together with a record."""

_NAMES = ("FirstName", "MiddleName", "LastName", "Suffix")
_PROBABILITY = {
    "Prospecting": 10,
    "Qualification": 10,
    "Needs Analysis": 20,
    "Value Proposition": 50,
    "Id. Decision Makers": 60,
    "Perception Analysis": 70,
    "Proposal/Price Quote": 75,
    "Negotiation/Review": 90,
    "Closed Won": 100,
    "Closed Lost": 0,
}


def nothing(written: Names, now: Values, stamp: str) -> dict[str, Any]:  # noqa: ARG001 - as every rule is called
    """Derive nothing."""
    return {}


def _person(written: Names, now: Values, stamp: str) -> dict[str, Any]:  # noqa: ARG001 - as every rule is called
    if not ("LastName" in written or "FirstName" in written or "MiddleName" in written or "Suffix" in written):
        return {}
    first, last = now.get("FirstName"), now.get("LastName")
    if first and last and not (now.get("MiddleName") or now.get("Suffix")):
        return {"Name": f"{first} {last}"}
    return {"Name": " ".join(filter(None, map(now.get, _NAMES)))}


def _opportunity(written: Names, now: Values, stamp: str) -> dict[str, Any]:  # noqa: ARG001 - as every rule is called
    found: dict[str, Any] = {}
    probability = now.get("Probability")
    if "StageName" in written:
        stage = now["StageName"]
        found.update(IsClosed=stage in ("Closed Won", "Closed Lost"), IsWon=stage == "Closed Won")
        if "Probability" not in written:
            found["Probability"] = probability = float(_PROBABILITY.get(stage, 0))
    if now.get("Amount") is not None:
        expected = Decimal(str(now["Amount"])) * Decimal(str(probability or 0)) / 100
        found["ExpectedRevenue"] = exact(expected.quantize(Decimal("0.01"), ROUND_HALF_UP))
    elif "Amount" in written:
        found["ExpectedRevenue"] = None
    if "CloseDate" in written and (day := now.get("CloseDate")):
        year, month = int(day[:4]), int(day[5:7])
        quarter = (month + 2) // 3
        found.update(FiscalYear=year, FiscalQuarter=quarter, Fiscal=f"{year} {quarter}")
    return found


def _task(written: Names, now: Values, stamp: str) -> dict[str, Any]:
    who = now.get("WhoId")
    if who and now.get("WhatId") and who.startswith("00Q"):
        raise Refused(
            "FIELD_INTEGRITY_EXCEPTION", "Related To ID: a lead cannot be combined with a related record", ("WhatId",)
        )
    found: dict[str, Any] = {}
    if "Status" in written:
        closed = now["Status"] == "Completed"
        found["IsClosed"] = closed
        found["CompletedDateTime"] = (now.get("CompletedDateTime") or stamp) if closed else None
    if "Priority" in written:
        found["IsHighPriority"] = now["Priority"] == "High"
    return found


def _member(written: Names, now: Values, stamp: str) -> dict[str, Any]:
    if not now.get("LeadId") and not now.get("ContactId"):
        raise Refused(
            "REQUIRED_FIELD_MISSING", "Required fields are missing: [LeadId, ContactId]", ("LeadId", "ContactId")
        )
    if "Status" not in written:
        return {}
    responded = now["Status"] == "Responded"
    first = now.get("FirstRespondedDate") or (stamp[:10] if responded else None)
    return {"HasResponded": responded, "FirstRespondedDate": first}


RULES: Mapping[str, Derive] = {
    "Lead": _person,
    "Contact": _person,
    "User": _person,
    "Opportunity": _opportunity,
    "Task": _task,
    "CampaignMember": _member,
}
"""By object; for the others, `nothing` follows."""

DERIVED = frozenset(
    (
        *("Name", "IsClosed", "IsWon", "Probability", "ExpectedRevenue", "FiscalYear", "FiscalQuarter", "Fiscal"),
        *("CompletedDateTime", "IsHighPriority", "HasResponded", "FirstRespondedDate"),
    )
)
"""Every field that a rule gives a value."""
