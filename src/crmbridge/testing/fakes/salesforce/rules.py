"""What the vendor derives or refuses for one object and not for another (Object Reference, the objects' own pages)."""

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from crmbridge.testing.fakes.salesforce.errors import Refused

Values = Mapping[str, Any]
Written = dict[str, Any]

CASCADES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "Account": (("Contact", "AccountId"), ("Opportunity", "AccountId")),
    "Opportunity": (("OpportunityContactRole", "OpportunityId"),),
    "Contact": (("CampaignMember", "ContactId"), ("OpportunityContactRole", "ContactId")),
    "Lead": (("CampaignMember", "LeadId"),),
    "Campaign": (("CampaignMember", "CampaignId"),),
}
"""What goes into the bin together with a record."""

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


def derived(kind: str, written: Written, held: Values, stamp: str) -> Written:
    """Give what follows for a record of this kind from what is written, over what is held."""
    rule = _RULES.get(kind)
    return rule(written, held, stamp) if rule else {}


def _person(written: Written, held: Values, stamp: str) -> Written:  # noqa: ARG001 - every rule takes the stamp
    if not ("LastName" in written or "FirstName" in written or "MiddleName" in written or "Suffix" in written):
        return {}
    now = {**held, **written} if held else written
    get = now.get
    return {
        "Name": " ".join(
            [part for part in (get("FirstName"), get("MiddleName"), get("LastName"), get("Suffix")) if part]
        )
    }


def _opportunity(written: Written, held: Values, stamp: str) -> Written:  # noqa: ARG001 - every rule takes the stamp
    found: Written = {}
    now = {**held, **written}
    if "StageName" in written:
        stage = written["StageName"]
        found.update(IsClosed=stage in ("Closed Won", "Closed Lost"), IsWon=stage == "Closed Won")
        if "Probability" not in written:
            found["Probability"] = float(_PROBABILITY.get(stage, 0))
            now["Probability"] = found["Probability"]
    if now.get("Amount") is not None:
        expected = Decimal(str(now["Amount"])) * Decimal(str(now.get("Probability") or 0)) / 100
        found["ExpectedRevenue"] = float(expected.quantize(Decimal("0.01"), ROUND_HALF_UP))
    elif "Amount" in written:
        found["ExpectedRevenue"] = None
    if written.get("CloseDate"):
        year, month = int(written["CloseDate"][:4]), int(written["CloseDate"][5:7])
        quarter = (month + 2) // 3
        found.update(FiscalYear=year, FiscalQuarter=quarter, Fiscal=f"{year} {quarter}")
    return found


def _task(written: Written, held: Values, stamp: str) -> Written:
    who = written.get("WhoId", held.get("WhoId"))
    what = written.get("WhatId", held.get("WhatId"))
    if who and what and who.startswith("00Q"):
        raise Refused(
            "FIELD_INTEGRITY_EXCEPTION", "Related To ID: a lead cannot be combined with a related record", ("WhatId",)
        )
    found: Written = {}
    if "Status" in written:
        closed = written["Status"] == "Completed"
        found["IsClosed"] = closed
        found["CompletedDateTime"] = (held.get("CompletedDateTime") or stamp) if closed else None
    if "Priority" in written:
        found["IsHighPriority"] = written["Priority"] == "High"
    return found


def _member(written: Written, held: Values, stamp: str) -> Written:
    people = [name for name in ("LeadId", "ContactId") if written.get(name, held.get(name))]
    if not people:
        raise Refused(
            "REQUIRED_FIELD_MISSING", "Required fields are missing: [LeadId, ContactId]", ("LeadId", "ContactId")
        )
    if "Status" not in written:
        return {}
    responded = written["Status"] == "Responded"
    first = held.get("FirstRespondedDate") or (stamp[:10] if responded else None)
    return {"HasResponded": responded, "FirstRespondedDate": first}


_RULES: Mapping[str, Callable[[Written, Values, str], Written]] = {
    "Lead": _person,
    "Contact": _person,
    "User": _person,
    "Opportunity": _opportunity,
    "Task": _task,
    "CampaignMember": _member,
}
