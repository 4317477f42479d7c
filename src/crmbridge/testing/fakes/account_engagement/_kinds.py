"""Which objects there are, where they are served, which fields they have and what may be done with them (10.3 to 10.5)."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import attrs

from crmbridge.testing.tables import Field

READ = frozenset({"read", "query"})
ALL = READ | {"create", "update", "delete"}


@attrs.frozen(kw_only=True)
class Kind:
    """One object of the API."""

    name: str
    path: str
    """The collection in the URL."""
    fields: tuple[Field, ...]
    can: frozenset[str] = READ
    """Of read, query, create, update, delete, tag."""
    refusals: Mapping[str, int] = MappingProxyType({})
    """The code for an operation that has an endpoint and is refused all the same; for others it is 60."""
    filters: frozenset[str] | None = None
    """The fields that a query may filter by; None for all."""
    write_only: frozenset[str] = frozenset()

    @property
    def bin(self) -> bool:
        """Whether deleted records go to the recycle bin, and stay readable there by queries."""
        return any(field.name == "isDeleted" for field in self.fields)


def _read(type: str, names: str) -> Iterable[Field]:
    return (Field(name, type, createable=False, updateable=False) for name in names.split())


def _write(type: str, names: str) -> Iterable[Field]:
    return (Field(name, type) for name in names.split())


def _to(kind: str, name: str, *, writable: bool = False) -> Field:
    """A field that holds another record's id; the record is read under the name without its ending."""
    references, relationship = (kind,), name.removesuffix("Id")
    return Field(
        name,
        "integer",
        createable=writable,
        updateable=writable,
        references=references,
        relationship=relationship,
        indexed=True,
    )


def _salesforce_id(*, writable: bool = False) -> Field:
    return Field("salesforceId", createable=writable, updateable=writable, indexed=True, case_sensitive=True)


def _stamps(*names: str) -> Iterable[Field]:
    yield from _read("integer", "id")
    yield from _read("datetime", " ".join(name for name in names if name.endswith("At")))
    yield from (_to("user", name) for name in names if name.endswith("ById"))
    yield from _read("boolean", " ".join(name for name in names if name == "isDeleted"))


_USUAL = ("createdAt", "updatedAt", "createdById", "updatedById")

PROSPECT = Kind(
    name="prospect",
    path="prospects",
    can=ALL | {"tag"},
    # Vendor: score and campaignId cannot be filtered by, says a live tool; the rest of the set is from memory.
    filters=frozenset(
        [
            "id",
            "email",
            "createdAt",
            "updatedAt",
            "lastActivityAt",
            "salesforceId",
            "salesforceLeadId",
            "salesforceContactId",
            "salesforceOwnerId",
            "assignedToId",
            "userId",
            "prospectAccountId",
        ]
    ),
    write_only=frozenset({"password", "userId"}),
    fields=(
        *_stamps(*_USUAL, "isDeleted"),
        Field("email", required=True, indexed=True),
        *_write(
            "string",
            "addressOne addressTwo annualRevenue city comments company country department employees fax firstName industry "
            "jobTitle lastName notes password phone salutation source state territory website yearsInBusiness zip",
        ),
        *(
            Field(name, "boolean", default=False)
            for name in ["isDoNotCall", "isDoNotEmail", "isReviewed", "isStarred", "optedOut"]
        ),
        Field("score", "integer", default=0),
        _to("campaign", "campaignId", writable=True),
        _to("prospect_account", "prospectAccountId", writable=True),
        Field("userId", "integer", references=("user",)),
        Field("salesforceOwnerId"),
        _salesforce_id(writable=True),
        _to("user", "assignedToId"),
        *_read("integer", "profileId lifecycleStageId"),
        *_read(
            "string",
            "grade recentInteraction convertedFromObjectName convertedFromObjectType emailBouncedReason firstReferrerQuery "
            "firstReferrerType firstReferrerUrl sourceParameter campaignParameter mediumParameter contentParameter termParameter "
            "salesforceLeadId salesforceContactId salesforceAccountId salesforceCampaignId salesforceUrl",
        ),
        *_read(
            "datetime", "lastActivityAt firstActivityAt firstAssignedAt convertedAt emailBouncedAt salesforceLastSync"
        ),
        *(
            Field(name, "boolean", createable=False, updateable=False, default=False)
            for name in ("isEmailHardBounced", "doNotSell")
        ),
    ),
)

_SYNCED = MappingProxyType({"create": 37, "update": 37, "delete": 37})

PROSPECT_ACCOUNT = Kind(
    name="prospect_account",
    path="prospect-accounts",
    refusals=_SYNCED,
    # Vendor: accounts cannot be polled by their date of change; clients walk them by id.
    filters=frozenset({"id", "salesforceId"}),
    fields=(
        *_stamps(*_USUAL, "isDeleted"),
        *_read(
            "string",
            "name annualRevenue billingAddressOne billingAddressTwo billingCity billingCountry billingState billingZip description "
            "employees fax industry number ownership phone rating shippingAddressOne shippingAddressTwo shippingCity "
            "shippingCountry shippingState shippingZip sic site tickerSymbol type website",
        ),
        _salesforce_id(),
        _to("user", "assignedToId"),
    ),
)

OPPORTUNITY = Kind(
    name="opportunity",
    path="opportunities",
    can=READ | {"tag"},
    refusals=_SYNCED,
    fields=(
        *_stamps(*_USUAL),
        *_read("string", "name type stage status"),
        *_read("number", "value"),
        *_read("integer", "probability"),
        *_read("datetime", "closedAt"),
        _salesforce_id(),
        _to("campaign", "campaignId"),
    ),
)

CAMPAIGN = Kind(
    name="campaign",
    path="campaigns",
    can=READ | {"tag"},
    refusals=MappingProxyType({"create": 128, "update": 129}),
    fields=(
        *_stamps(*_USUAL, "isDeleted"),
        *_read("string", "name"),
        *_read("number", "cost"),
        *_read("integer", "folderId"),
        _to("campaign", "parentCampaignId"),
        _salesforce_id(),
    ),
)

USER = Kind(
    name="user",
    path="users",
    can=READ | {"tag"},
    fields=(
        *_stamps(*_USUAL, "isDeleted"),
        Field("email", createable=False, updateable=False, indexed=True),
        Field("username", createable=False, updateable=False, indexed=True),
        *_read("string", "firstName lastName jobTitle roleName tagReplacementLanguage"),
        *_read("integer", "role"),
        _salesforce_id(),
    ),
)

TAG = Kind(
    name="tag",
    path="tags",
    can=ALL,
    fields=(*_stamps(*_USUAL), Field("name", required=True, indexed=True), *_read("integer", "objectCount")),
)

TAGGED_OBJECT = Kind(
    name="tagged_object",
    path="tagged-objects",
    fields=(
        *_stamps("createdAt", "createdById"),
        _to("tag", "tagId"),
        *_read("string", "objectType objectName"),
        Field("objectId", "integer", createable=False, updateable=False, indexed=True),
    ),
)

LIST = Kind(
    name="list",
    path="lists",
    can=ALL | {"tag"},
    fields=(
        *_stamps(*_USUAL, "isDeleted"),
        Field("name", required=True),
        *_write("string", "title description"),
        Field("isPublic", "boolean", default=False),
        Field("isDynamic", "boolean", createable=False, updateable=False, default=False),
        *_write("integer", "folderId"),
        _to("campaign", "campaignId", writable=True),
    ),
)

LIST_MEMBERSHIP = Kind(
    name="list_membership",
    path="list-memberships",
    can=ALL,
    fields=(
        *_stamps(*_USUAL, "isDeleted"),
        attrs.evolve(_to("list", "listId"), createable=True, required=True),
        attrs.evolve(_to("prospect", "prospectId"), createable=True, required=True),
        Field("optedOut", "boolean", default=False),
    ),
)

CUSTOM_FIELD_TYPES = (
    "Text",
    "Textarea",
    "Number",
    "Date",
    "Dropdown",
    "Radio Button",
    "Checkbox",
    "Multi-Select",
    "Hidden",
    "CRM User",
)

CUSTOM_FIELD = Kind(
    name="custom_field",
    path="custom-fields",
    can=ALL | {"tag"},
    fields=(
        *_stamps(*_USUAL),
        Field("name", required=True),
        Field("fieldId", required=True, updateable=False, indexed=True),
        Field("type", required=True, updateable=False, picklist=CUSTOM_FIELD_TYPES, restricted=True),
        *(
            Field(name, "boolean", default=False)
            for name in ["isRequired", "isRecordMultipleResponses", "isUseValues", "isAnalyticsSynced"]
        ),
        _salesforce_id(writable=True),
    ),
)

VISITOR_ACTIVITY = Kind(
    name="visitor_activity",
    path="visitor-activities",
    fields=(
        *_stamps("createdAt", "updatedAt"),
        *_read("string", "typeName details"),
        _to("prospect", "prospectId"),
        _to("campaign", "campaignId"),
        _to("opportunity", "opportunityId"),
        *_read(
            "integer",
            "type visitorId visitId emailId emailTemplateId listEmailId formId formHandlerId landingPageId fileId customRedirectId "
            "visitorPageViewId multivariateTestVariationId paidSearchAdId siteSearchQueryId",
        ),
    ),
)

KINDS = (
    PROSPECT, PROSPECT_ACCOUNT, OPPORTUNITY, CAMPAIGN, USER, TAG, TAGGED_OBJECT, LIST, LIST_MEMBERSHIP, CUSTOM_FIELD, VISITOR_ACTIVITY,
)  # fmt: skip

NOT_FOUND: Mapping[str, int] = MappingProxyType(
    {"prospect": 3, "user": 10, "campaign": 38, "list": 55, "prospect_account": 61, "tag": 242}
)
"""The code for a field that points at no record of a kind."""

ACTIVITIES: Mapping[int, str] = MappingProxyType({
    1: "Click", 2: "View", 3: "Error", 4: "Success", 5: "Session", 6: "Sent", 7: "Search", 8: "New Opportunity",
    9: "Opportunity Won", 10: "Opportunity Lost", 11: "Open", 12: "Unsubscribe Page", 13: "Bounced", 14: "Spam Complaint",
    15: "Email Preference Page", 16: "Resubscribed", 17: "Click (Third Party)", 18: "Opportunity Reopened",
    19: "Opportunity Linked", 20: "Visit", 21: "Custom URL Click", 24: "Opportunity Unlinked", 34: "Submitted",
    35: "Opt-in/Opt-out Page", 36: "Indirect Unsubscribe Open",
})  # fmt: skip
"""What a visitor activity's number is called; from memory, and not complete."""
