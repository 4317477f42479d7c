"""What people do at the vendor's own screens: editing, converting a lead, merging two records, emptying a bin."""

from collections.abc import Mapping
from typing import Any

from crmbridge.testing.fakes.salesforce.errors import Refused
from crmbridge.testing.fakes.salesforce.kinds import Kind
from crmbridge.testing.fakes.salesforce.org import Act, Org

_ADDRESS = ("Street", "City", "State", "PostalCode", "Country")
_NOT_CARRIED = frozenset({"Id", "OwnerId", "MasterRecordId", "Name", "Status", "IsDeleted", "SystemModstamp"})


def converted(
    org: Org, id: str, act: Act, *, account_id: str | None, contact_id: str | None, opportunity: str | None
) -> str:
    """Turn a lead into account, contact and perhaps opportunity; give the contact's id."""
    leads, accounts, contacts = (org.kinds[name] for name in ("Lead", "Account", "Contact"))
    lead = org.at(leads, id)
    if lead.values.get("IsConverted"):
        raise Refused("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
    owner = lead.values.get("OwnerId")
    if account_id is None:
        known = {
            "Name": lead.values.get("Company"),
            "OwnerId": owner,
            **_shared(leads, accounts, lead.values, ("Industry", "Rating", "Website")),
        }
        account_id = org.create(accounts, {name: value for name, value in known.items() if value is not None}, act).id
    person = {**_person(leads, contacts, lead.values), "AccountId": account_id, "OwnerId": owner}
    if contact_id is None:
        contact_id = org.create(contacts, {name: value for name, value in person.items() if value is not None}, act).id
    else:
        held = org.at(contacts, contact_id)
        # Vendor: converting into a contact that exists fills only what it leaves blank.
        org.update(
            contacts,
            held,
            {name: value for name, value in person.items() if held.values.get(name) is None and value is not None},
            act,
        )
    found = {"IsConverted": True, "Status": "Closed - Converted", "ConvertedDate": act.stamp[:10]}
    found |= {"ConvertedAccountId": account_id, "ConvertedContactId": contact_id}
    if opportunity is not None:
        deal = {
            "Name": opportunity,
            "StageName": "Prospecting",
            "CloseDate": act.stamp[:10],
            "AccountId": account_id,
            "ContactId": contact_id,
        }
        found["ConvertedOpportunityId"] = org.create(org.kinds["Opportunity"], deal, act).id
    for kind, field, row in list(org.pointing(lead.id)):
        if kind.name == "Task":
            org.change(kind, row, {field.name: contact_id}, act)
        elif kind.name == "CampaignMember":
            org.change(kind, row, {"ContactId": contact_id}, act)
    org.change(leads, lead, found, act)
    return contact_id


def merged(org: Org, winner: str, loser: str, act: Act, values: Mapping[str, Any]) -> None:
    """Fold one record into another of its kind; what hangs on the loser moves to the winner."""
    kind = org.kind_of(winner)
    if (
        kind is None
        or kind.name not in ("Lead", "Contact", "Account")
        or org.kind_of(loser) is not kind
        or winner == loser
    ):
        raise Refused("INVALID_MERGE", "only two leads, contacts or accounts can be merged")
    kept, gone = org.at(kind, winner), org.at(kind, loser)
    for other, field, row in list(org.pointing(gone.id)):
        org.change(other, row, {field.name: kept.id}, act)
    org.delete(kind, gone, act, master=kept.id)
    org.update(kind, kept, values, act)


def _shared(source: Kind, target: Kind, values: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: values.get(name) for name in names if name in source.table.fields and name in target.table.fields}


def _person(leads: Kind, contacts: Kind, values: Mapping[str, Any]) -> dict[str, Any]:
    names = tuple(
        name
        for name, field in leads.table.fields.items()
        if name not in _NOT_CARRIED
        and field.createable
        and (other := contacts.table.field(name)) is not None
        and other.createable
    )
    return _shared(leads, contacts, values, names) | {f"Mailing{part}": values.get(part) for part in _ADDRESS}
