"""Children by the names of their relationships (Object Reference; SOQL and SOSL Reference, "Relationship Names")."""

import re
from collections.abc import Iterable, Mapping

import attrs

from crmbridge.testing.fakes.salesforce.kinds import Kind
from crmbridge.testing.tables import Field

_NAMES: Mapping[tuple[str, str], str] = {
    ("Account", "ParentId"): "ChildAccounts",
    ("Campaign", "ParentId"): "ChildCampaigns",
    ("CampaignMember", "CampaignId"): "CampaignMembers",
    ("CampaignMember", "ContactId"): "CampaignMembers",
    ("CampaignMember", "LeadId"): "CampaignMembers",
    ("Contact", "AccountId"): "Contacts",
    ("Opportunity", "AccountId"): "Opportunities",
    ("Opportunity", "CampaignId"): "Opportunities",
    ("Opportunity", "ContactId"): "Opportunities",
    ("OpportunityContactRole", "ContactId"): "OpportunityContactRoles",
    ("OpportunityContactRole", "OpportunityId"): "OpportunityContactRoles",
    ("Task", "WhatId"): "Tasks",
    ("Task", "WhoId"): "Tasks",
    ("User", "ManagerId"): "ManagedUsers",
}
"""By object and field; the other standard references have no name, and their children no sub-select."""


@attrs.frozen
class Relation:
    """The records of one object that refer to a parent by one field."""

    name: str | None
    kind: Kind
    field: Field


def relations(kinds: Iterable[Kind], parent: Kind) -> list[Relation]:
    """List what may refer to a record of an object; no two relationships of it have one name."""
    found: list[Relation] = []
    taken: set[str] = set()
    for kind in kinds:
        for field in kind.related.values():
            if parent.name in field.references:
                name = _own_name(kind, taken) if field.name.endswith("__c") else _NAMES.get((kind.name, field.name))
                found.append(Relation(name, kind, field))
                taken.add((name or "").lower())
    return found


def relation(kinds: Iterable[Kind], parent: Kind, path: str) -> Relation | None:
    """Find a relationship by its name, before which the name of the parent's object may stand."""
    first, _, rest = path.partition(".")
    name = (rest if rest and first.lower() == parent.name.lower() else path).lower()
    return next((one for one in relations(kinds, parent) if one.name and one.name.lower() == name), None)


def _own_name(kind: Kind, taken: set[str]) -> str:
    """Name a custom relationship as the vendor's screen suggests: the plural, and a number where that is taken."""
    stem = re.sub(r"(?<=[^aeiou])y$", "ie", kind.name.removesuffix("__c"))
    plural = f"{stem}es" if stem.endswith(("s", "x", "ch", "sh")) else f"{stem}s"
    names = (f"{plural}{number or ''}__r" for number in range(len(taken) + 1))
    return next(name for name in names if name.lower() not in taken)
