"""The standard objects and their fields, as the Salesforce Field Reference Guide describes them.

A line is `Name type [length or digits or precision,scale] [R] [RO] [CO] [U] [I] [-> kinds] [= default] [: choices]`,
where R is required on create, RO read-only, CO writable on create only, U unique (and an external id for a custom
field), I looked up quickly. A trailing ! after the choices restricts to them.
"""

import re
from collections.abc import Iterator
from typing import Any

import attrs

from crmbridge.testing.tables import Field

_LINE = re.compile(
    r"(?P<name>\w+) (?P<type>\w+)(?: (?P<size>[\d,]+))?(?P<flags>(?: (?:RO|R|CO|I|U))*)"
    r"(?: -> (?P<to>[\w,]+))?(?: = (?P<default>[^:]*?))?(?: : (?P<choices>.*?)(?P<restricted>!)?)?"
)
_LABELS = {
    "NumberOfEmployees": "Employees",
    "HasOptedOutOfEmail": "Email Opt Out",
    "HasOptedOutOfFax": "Fax Opt Out",
    "WhoId": "Name ID",
    "WhatId": "Related To ID",
    "StageName": "Stage",
    "ActivityDate": "Due Date Only",
}

SYSTEM = """\
IsDeleted boolean RO
CreatedDate datetime RO
CreatedById reference RO -> User
LastModifiedDate datetime RO
LastModifiedById reference RO -> User
SystemModstamp datetime RO
"""
_OWNER = "OwnerId reference -> User\n"
_PERSON = """\
FirstName string 40
LastName string 80 R
MiddleName string 40
Suffix string 40
Salutation picklist 40 : Mr.|Ms.|Mrs.|Dr.|Prof.
Name string 121 RO
Title string 128
Email email 80 I
Phone phone 40
MobilePhone phone 40
Fax phone 40
LeadSource picklist 255 : Web|Phone Inquiry|Partner Referral|Purchased List|Other
Description textarea 32000
DoNotCall boolean
HasOptedOutOfEmail boolean
HasOptedOutOfFax boolean
EmailBouncedReason string 255
EmailBouncedDate datetime
MasterRecordId reference RO I -> {self}
Jigsaw string 20
Interests__c multipicklist 4099 : Product|Service|Support|Event!
Ext_Id__c string 64 U
pi__score__c double 18,0
pi__grade__c string 10
pi__url__c url 255
pi__campaign__c string 255
pi__last_activity__c datetime
pi__created_date__c datetime
pi__needs_score_synced__c boolean
pi__pardot_hard_bounced__c boolean
"""


def _address(prefix: str) -> str:
    parts = ("Street textarea 255", "City string 40", "State string 80", "PostalCode string 20", "Country string 80")
    return "".join(f"{prefix}{part}\n" for part in parts)


_INDUSTRIES = "Agriculture|Banking|Construction|Consulting|Education|Finance|Manufacturing|Retail|Technology|Other"
_STATUSES = "Open - Not Contacted|Working - Contacted|Closed - Converted|Closed - Not Converted"
_LEAD = (
    _PERSON
    + _OWNER
    + _address("")
    + f"""\
Company string 255 R
Website url 255
Status picklist 255 R = Open - Not Contacted : {_STATUSES}
Industry picklist 255 : {_INDUSTRIES}
Rating picklist 255 : Hot|Warm|Cold
AnnualRevenue currency 18,0
NumberOfEmployees int 8
IsConverted boolean RO
ConvertedDate date RO
ConvertedAccountId reference RO -> Account
ConvertedContactId reference RO -> Contact
ConvertedOpportunityId reference RO -> Opportunity
IsUnreadByOwner boolean = true
CompanyDunsNumber string 9
"""
)
_CONTACT = (
    _PERSON
    + _OWNER
    + _address("Mailing")
    + _address("Other")
    + """\
AccountId reference I -> Account
HomePhone phone 40
OtherPhone phone 40
AssistantPhone phone 40
AssistantName string 40
Department string 80
Birthdate date
ReportsToId reference -> Contact
"""
)
_ACCOUNT = (
    _OWNER
    + _address("Billing")
    + _address("Shipping")
    + f"""\
Name string 255 R I
ParentId reference -> Account
Type picklist 255 : Prospect|Customer - Direct|Customer - Channel|Channel Partner / Reseller|Other
Industry picklist 255 : {_INDUSTRIES}
Rating picklist 255 : Hot|Warm|Cold
Ownership picklist 255 : Public|Private|Subsidiary|Other
AccountSource picklist 255 : Web|Phone Inquiry|Partner Referral|Other
Phone phone 40
Fax phone 40
Website url 255
AccountNumber string 40
Sic string 20
SicDesc string 80
Site string 80
TickerSymbol string 20
AnnualRevenue currency 18,0
NumberOfEmployees int 8
Description textarea 32000
DunsNumber string 9
NaicsCode string 8
NaicsDesc string 120
Tradestyle string 255
YearStarted string 4
MasterRecordId reference RO I -> Account
Ext_Id__c string 64 U
"""
)
_STAGES = (
    "Prospecting|Qualification|Needs Analysis|Value Proposition|Id. Decision Makers|Perception Analysis"
    "|Proposal/Price Quote|Negotiation/Review|Closed Won|Closed Lost"
)
_OPPORTUNITY = (
    _OWNER
    + f"""\
Name string 120 R
StageName picklist 255 R : {_STAGES}
CloseDate date R
AccountId reference I -> Account
Amount currency 18,2
Probability percent 3,0
ExpectedRevenue currency 18,2 RO
TotalOpportunityQuantity double 18,2
Type picklist 255 : Existing Business|New Business
NextStep string 255
LeadSource picklist 255 : Web|Phone Inquiry|Partner Referral|Purchased List|Other
CampaignId reference -> Campaign
Description textarea 32000
IsClosed boolean RO
IsWon boolean RO
FiscalYear int 9 RO
FiscalQuarter int 9 RO
Fiscal string 6 RO
ContactId reference CO -> Contact
HasOpportunityLineItem boolean RO
Ext_Id__c string 64 U
"""
)
_ROLE = """\
OpportunityId reference R CO I -> Opportunity
ContactId reference R CO I -> Contact
Role picklist 40 : Business User|Decision Maker|Economic Buyer|Evaluator|Influencer|Other
IsPrimary boolean
"""
_TASK = (
    _OWNER
    + """\
WhoId reference I -> Contact,Lead
WhatId reference I -> Account,Opportunity,Campaign
Subject combobox 255 : Call|Email|Send Letter|Send Quote|Other
Description textarea 32000
ActivityDate date
Status picklist 40 R = Not Started : Not Started|In Progress|Completed|Waiting on someone else|Deferred
Priority picklist 40 R = Normal : High|Normal|Low
IsClosed boolean RO
IsHighPriority boolean RO
TaskSubtype picklist 40 CO = Task : Task|Email|Call|ListEmail|Cadence|LinkedIn!
CallType picklist 40 : Internal|Inbound|Outbound
CallDurationInSeconds int 8
CallDisposition string 255
CallObject string 255
AccountId reference RO -> Account
ReminderDateTime datetime
IsReminderSet boolean
CompletedDateTime datetime RO
IsArchived boolean RO
IsRecurrence boolean CO
Ext_Id__c string 64 U
"""
)
_USER = """\
Username string 80 R U
Email email 128 R I
FirstName string 40
LastName string 80 R
Name string 121 RO
Alias string 8 R
IsActive boolean = true
ProfileId string 18 = 00e5g0000000001AAA
UserType picklist 40 RO : Standard
TimeZoneSidKey picklist 40 = Asia/Tokyo : Asia/Tokyo|America/Los_Angeles|GMT
LocaleSidKey picklist 40 = ja_JP : ja_JP|en_US
LanguageLocaleKey picklist 40 = ja : ja|en_US
EmailEncodingKey picklist 40 = UTF-8 : UTF-8|Shift_JIS|ISO-2022-JP
FederationIdentifier string 512
ManagerId reference -> User
"""
_CAMPAIGN = (
    _OWNER
    + """\
Name string 80 R
Type picklist 40 : Conference|Webinar|Trade Show|Email|Advertisement|Other
Status picklist 40 : Planned|In Progress|Completed|Aborted
StartDate date
EndDate date
IsActive boolean
ParentId reference -> Campaign
BudgetedCost currency 18,0
ActualCost currency 18,0
ExpectedRevenue currency 18,0
NumberSent double 18,0
ExpectedResponse percent 10,2
Description textarea 32000
Ext_Id__c string 64 U
"""
)
_MEMBER = """\
CampaignId reference R CO I -> Campaign
LeadId reference CO I -> Lead
ContactId reference CO I -> Contact
Status picklist 40 R = Sent : Sent|Responded
HasResponded boolean RO
FirstRespondedDate date RO
"""
_ORGANIZATION = "Name string 80\nIsSandbox boolean RO\nOrganizationType string 40 RO\n"


@attrs.frozen
class Shape:
    """What an object is called, how its ids begin, and which fields it has."""

    name: str
    prefix: str
    lines: str
    writable: bool = True
    deletable: bool = True

    def fields(self) -> Iterator[Field]:
        """Read the lines."""
        for line in (SYSTEM + self.lines.replace("{self}", self.name)).splitlines():
            yield _field(line)


SHAPES = (
    Shape("User", "005", _USER, deletable=False),
    Shape("Organization", "00D", _ORGANIZATION, writable=False, deletable=False),
    Shape("Account", "001", _ACCOUNT),
    Shape("Contact", "003", _CONTACT),
    Shape("Lead", "00Q", _LEAD),
    Shape("Opportunity", "006", _OPPORTUNITY),
    Shape("OpportunityContactRole", "00K", _ROLE),
    Shape("Task", "00T", _TASK),
    Shape("Campaign", "701", _CAMPAIGN),
    Shape("CampaignMember", "00v", _MEMBER),
)


def label_of(name: str) -> str:
    """Give the label that the vendor's screens show for a standard name."""
    if name in _LABELS:
        return _LABELS[name]
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.removesuffix("__c")).replace("_", " ").strip()
    return re.sub(r"\bId$", "ID", words)


def completed(field: Field) -> Field:
    """Fill in what follows from a field's type: label, length, relationship, a flag's default."""
    changes: dict[str, Any] = {}
    if not field.label:
        changes["label"] = label_of(field.name)
    if field.type == "reference":
        name = field.name
        plain = name[:-3] + "__r" if name.endswith("__c") else name.removesuffix("Id")
        changes.update(length=18, relationship=field.relationship or plain, case_sensitive=True)
    if field.type in ("string", "picklist", "combobox", "phone", "url") and not field.length:
        changes["length"] = 255
    if field.type == "email" and not field.length:
        changes["length"] = 80
    if field.type in ("double", "currency", "percent") and not field.precision:
        changes.update(precision=18, scale=field.scale)
    if field.type == "boolean" and field.default is None:
        changes["default"] = False
    return attrs.evolve(field, **changes) if changes else field


def _field(line: str) -> Field:
    found = _LINE.fullmatch(line)
    if not found:
        raise ValueError(f"{line!r} describes no field")
    flags, type_ = found["flags"].split(), found["type"]
    numbers = [int(part) for part in (found["size"] or "0").split(",")]
    is_number = type_ in ("double", "currency", "percent")
    default = found["default"]
    return completed(
        Field(
            found["name"],
            type_,
            length=0 if is_number or type_ == "int" else numbers[0],
            digits=numbers[0] if type_ == "int" else 0,
            precision=numbers[0] if is_number else 0,
            scale=numbers[1] if is_number else 0,
            required="R" in flags,
            createable="RO" not in flags,
            updateable="RO" not in flags and "CO" not in flags,
            picklist=tuple(found["choices"].split("|")) if found["choices"] else (),
            restricted=bool(found["restricted"]),
            unique="U" in flags,
            external_id="U" in flags and found["name"].endswith("__c"),
            indexed="I" in flags,
            references=tuple(found["to"].split(",")) if found["to"] else (),
            default=default == "true" if type_ == "boolean" else default or None,
        )
    )
