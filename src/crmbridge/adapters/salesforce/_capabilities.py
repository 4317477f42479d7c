"""What the connector promises for each kind."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType

import attrs

from ...model import Capabilities, CreateClass
from ...protocols import ID_FIELD

OVERLAP = dt.timedelta(minutes=10)
"""Vendor: a stamp is set when a record is written and shows when its transaction ends, up to ten minutes later."""

_PLAIN = Capabilities(
    incremental=True,
    sees_deletes=True,
    creates=CreateClass.C,
    updates=True,
    archives=True,
    deletes=True,
    tells_author=True,
    tells_clock=True,
    batch=200,
    fetch_batch=200,
    read_lag=dt.timedelta(0),
    # Vendor: SOQL reads the database, not a search index.
    index_lag=dt.timedelta(0),
    # Vendor: a call is ended after ten minutes.
    settles_in=dt.timedelta(minutes=10),
    overlap=OVERLAP,
)

_MERGED = frozenset({"Lead", "Contact", "Account"})
# Vendor: a conversion is the only way from one kind to another.
_MOVED_FROM: Mapping[str, frozenset[str]] = MappingProxyType({"Contact": frozenset({"Lead"})})
_PERSON = frozenset({"Email", "FirstName", "LastName", "Name", "Phone", "MobilePhone"})

_FINDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "Lead": _PERSON | {"Company", "Website"},
        "Contact": _PERSON | {"AccountId", "Account.Name"},
        "Account": frozenset({"Name", "Phone", "Website", "AccountNumber"}),
        "Opportunity": frozenset({"Name", "AccountId"}),
        "OpportunityContactRole": frozenset({"OpportunityId", "ContactId"}),
        "Task": frozenset({"Subject", "WhoId", "WhatId"}),
        "Event": frozenset({"Subject", "WhoId", "WhatId"}),
        "Campaign": frozenset({"Name"}),
        "CampaignMember": frozenset({"CampaignId", "LeadId", "ContactId"}),
        "User": frozenset({"Email", "Username", "Name", "FederationIdentifier"}),
    }
)


def capabilities_of(kind: str, external_id: str | None) -> Capabilities:
    """Tell what is promised for a kind, given the field that holds our key."""
    finds_by = _FINDS.get(kind, frozenset()) | {"Id", ID_FIELD}
    if kind == "User":
        # Vendor: users are never deleted, and making one costs a licence: they are only read.
        return attrs.evolve(
            _PLAIN, sees_deletes=False, creates=None, updates=False, archives=False, deletes=False, finds_by=finds_by
        )
    moved_from = _MOVED_FROM.get(kind, frozenset())
    plain = attrs.evolve(_PLAIN, sees_merges=kind in _MERGED, moved_from=moved_from, finds_by=finds_by)
    if external_id is None:
        return plain
    return attrs.evolve(plain, creates=CreateClass.A, create_key=external_id, finds_by=finds_by | {external_id})
