"""What an Account Engagement business unit holds: its kinds, their fields, and what can be promised for each.

The vendor has no describe call, so the fields stand here as its object pages list them; a prospect's custom fields are
read from the business unit.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import attrs

from ...errors import ContractBroken, UsageError
from ...model import Capabilities, CreateClass, FieldSpec, FieldType, Record, is_blank
from ...protocols import ID_FIELD

CACHE = dt.timedelta(seconds=60)
"""Vendor: reads come from a cache that may be this old (developer guide, "Version 5 overview")."""

GRAIN = dt.timedelta(seconds=1)
"""Vendor: stamps are cut to whole seconds."""

OVERLAP = dt.timedelta(minutes=2)
"""How far behind the newest stamp seen the next walk starts: the cache, and as much again for good measure."""


@attrs.frozen
class Kind:
    """One kind of record: where it lives, what it has, how it is walked."""

    name: str
    collection: str
    """Its name in addresses."""
    fields: Mapping[str, FieldSpec]
    walk: Literal["updatedAt", "id"] = "updatedAt"
    """By what a walk is ordered: by stamps it can start at a change, by ids only at the beginning."""
    events: bool = False

    @property
    def path(self) -> str:
        """Tell the address of the collection, from the host."""
        return f"/api/v5/objects/{self.collection}"

    @property
    def has_bin(self) -> bool:
        """Say whether deleted records can still be asked for."""
        return "isDeleted" in self.fields

    def asked(self, fields: Sequence[str]) -> str:
        """Name the fields to ask for, so that rows have an id, a stamp, an author and a sign of deletion.

        Vendor: an answer has the fields that were named and no other.
        """
        own = ("id", *(name for name in ("updatedAt", "isDeleted", "updatedById") if name in self.fields))
        return ",".join(dict.fromkeys((*own, *map(read_as, fields))))


def read_as(field: str) -> str:
    """Name the field in which a value is read.

    Vendor: a prospect is assigned by `userId`, and shows it as `assignedToId`.
    """
    return "assignedToId" if field == "userId" else field


def kind_named(system: str, name: str) -> Kind:
    """Find a kind; raises UsageError that lists the kinds where there is none."""
    kind = KINDS.get(name)
    if kind is None:
        raise UsageError(f"{system} has no kind {name!r}; it has {', '.join(KINDS)}")
    return kind


def capabilities_of(kind: Kind, *, ampsea: bool) -> Capabilities:
    """Tell what is promised for a kind; only prospects are written."""
    reading = Capabilities(
        incremental=kind.walk == "updatedAt",
        sees_deletes=kind.has_bin,
        appends_only=kind.events,
        tells_author="updatedById" in kind.fields,
        tells_clock=True,
        finds_by=frozenset({"id", ID_FIELD}),
        read_lag=CACHE + GRAIN,
        index_lag=CACHE + GRAIN,
        overlap=OVERLAP,
    )
    if kind.name != "prospect":
        return reading
    return attrs.evolve(
        reading,
        creates=CreateClass.C if ampsea else CreateClass.A,
        unique=None if ampsea else "email",
        updates=True,
        archives=True,
        answers_with_stored=True,
        versions_later=True,
        finds_by=reading.finds_by | {"email", "salesforceId"},
        batch=100,
        # Vendor: there is no batch write of prospects (version 5, "Prospects": create, update and delete take one).
        carries={"create": 1, "update": 1, "archive": 1},
    )


def prospect_fields(*, ampsea: bool) -> dict[str, FieldSpec]:
    """Describe the standard fields of a prospect; with *ampsea* an address may belong to several."""
    fields = dict(KINDS["prospect"].fields)
    fields["email"] = attrs.evolve(fields["email"], unique=not ampsea)
    return fields


CUSTOM_FIELD = ("name", "fieldId", "type", "isRecordMultipleResponses")
"""What must be read of a custom field to describe it."""

_SEVERAL = frozenset({"Checkbox", "Multi-Select"})
_CUSTOM_TYPES: Mapping[str, FieldType] = MappingProxyType({"Number": FieldType.NUMBER, "Date": FieldType.DATE})


def custom_field(system: str, record: Record) -> FieldSpec:
    """Describe one custom field of prospects; raises ContractBroken where its record names no field.

    Vendor: a field that records multiple responses holds several values whatever its type; options are not told.
    """
    field, shown = record.get("fieldId"), str(record.get("type"))
    if not isinstance(field, str) or is_blank(field):
        raise ContractBroken(system, "a custom field has no fieldId")
    several = shown in _SEVERAL or record.get("isRecordMultipleResponses") is True
    return FieldSpec(
        # Vendor: prospects carry a custom field under its id with this ending.
        field.removesuffix("__c") + "__c",
        FieldType.CHOICES if several else _CUSTOM_TYPES.get(shown, FieldType.TEXT),
        label=str(record.get("name") or ""),
    )


# -- the tables ----------------------------------------------------------------------

_REFERS: Mapping[str, str] = MappingProxyType(
    {
        "campaignId": "campaign",
        "parentCampaignId": "campaign",
        "prospectAccountId": "prospect_account",
        "prospectId": "prospect",
        "listId": "list",
        "opportunityId": "opportunity",
        "userId": "user",
        "assignedToId": "user",
        "createdById": "user",
        "updatedById": "user",
    }
)


def _specs(names: str, like: FieldSpec) -> dict[str, FieldSpec]:
    return {name: _referring(attrs.evolve(like, name=name)) for name in names.split()}


def _referring(spec: FieldSpec) -> FieldSpec:
    kind = _REFERS.get(spec.name)
    return spec if kind is None else attrs.evolve(spec, type=FieldType.REFERENCE, refers_to=(kind,))


def _read_only(texts: str, *, flags: str = "", numbers: str = "", instants: str = "") -> dict[str, FieldSpec]:
    return {
        **_specs(texts, FieldSpec("", read_only=True)),
        **_specs(flags, FieldSpec("", FieldType.FLAG, read_only=True)),
        **_specs(numbers, FieldSpec("", FieldType.NUMBER, read_only=True)),
        **_specs(instants, FieldSpec("", FieldType.INSTANT, read_only=True)),
    }


_PROSPECT = {
    **_read_only(
        "id assignedToId assignedTo.salesforceId assignedTo.email campaign.name profileId lifecycleStageId grade"
        " recentInteraction convertedFromObjectName convertedFromObjectType emailBouncedReason firstReferrerQuery"
        " firstReferrerType firstReferrerUrl sourceParameter campaignParameter mediumParameter contentParameter"
        " termParameter salesforceLeadId salesforceContactId salesforceAccountId salesforceCampaignId salesforceUrl"
        " createdById updatedById",
        flags="isDeleted doNotSell isEmailHardBounced",
        instants="lastActivityAt firstActivityAt firstAssignedAt convertedAt emailBouncedAt salesforceLastSync"
        " createdAt updatedAt",
    ),
    "email": FieldSpec(
        "email",
        FieldType.EMAIL,
        required=True,
        max_length=255,
        email_rule="account-engagement",
    ),
    # Vendor: all free text, annualRevenue, employees and yearsInBusiness too; no limits of length.
    **_specs(
        "addressOne addressTwo annualRevenue city comments company country department employees fax firstName industry"
        " jobTitle lastName notes phone salutation source state territory website yearsInBusiness zip",
        FieldSpec(""),
    ),
    **_specs("salesforceId salesforceOwnerId campaignId prospectAccountId userId", FieldSpec("")),
    **_specs("isDoNotCall isDoNotEmail isReviewed isStarred optedOut", FieldSpec("", FieldType.FLAG)),
    "score": FieldSpec("score", FieldType.NUMBER, digits=9, scale=0),
}

_AUDIT = "createdAt updatedAt"

_TABLE = (
    Kind("prospect", "prospects", _PROSPECT),
    Kind(
        "prospect_account",
        "prospect-accounts",
        _read_only(
            "id name salesforceId annualRevenue billingAddressOne billingAddressTwo billingCity billingCountry"
            " billingState billingZip description employees fax industry number ownership phone rating"
            " shippingAddressOne shippingAddressTwo shippingCity shippingCountry shippingState shippingZip sic site"
            " tickerSymbol type website assignedToId createdById updatedById",
            flags="isDeleted",
            instants=_AUDIT,
        ),
        # Vendor: these cannot be asked for changes.
        walk="id",
    ),
    Kind(
        "opportunity",
        "opportunities",
        _read_only(
            "id name salesforceId campaignId type stage status createdById updatedById",
            numbers="value probability",
            instants="closedAt createdAt updatedAt",
        ),
    ),
    Kind(
        "campaign",
        "campaigns",
        _read_only(
            "id name salesforceId folderId parentCampaignId createdById updatedById",
            flags="isDeleted",
            numbers="cost",
            instants=_AUDIT,
        ),
    ),
    Kind(
        "user",
        "users",
        _read_only(
            "id email username firstName lastName jobTitle role roleName salesforceId tagReplacementLanguage"
            " createdById updatedById",
            flags="isDeleted",
            instants=_AUDIT,
        ),
    ),
    # Tags and custom fields are few and have no bin: a whole walk each time tells which are gone.
    Kind("tag", "tags", _read_only("id name", numbers="objectCount", instants=_AUDIT), walk="id"),
    Kind(
        "list",
        "lists",
        _read_only(
            "id name title description folderId campaignId createdById updatedById",
            flags="isPublic isDynamic isDeleted",
            instants=_AUDIT,
        ),
    ),
    Kind(
        "list_membership",
        "list-memberships",
        _read_only("id listId prospectId createdById updatedById", flags="optedOut isDeleted", instants=_AUDIT),
    ),
    Kind(
        "custom_field",
        "custom-fields",
        _read_only(
            "id name fieldId type salesforceId",
            flags="isRequired isRecordMultipleResponses isUseValues isAnalyticsSynced",
            instants=_AUDIT,
        ),
        walk="id",
    ),
    Kind(
        "visitor_activity",
        "visitor-activities",
        _read_only(
            "id typeName details prospectId campaignId opportunityId visitorId visitId emailId emailTemplateId"
            " listEmailId formId formHandlerId landingPageId fileId customRedirectId visitorPageViewId"
            " multivariateTestVariationId paidSearchAdId siteSearchQueryId",
            numbers="type",
            instants=_AUDIT,
        ),
        events=True,
    ),
)

KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in _TABLE})
