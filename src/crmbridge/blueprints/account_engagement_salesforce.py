"""Account Engagement × Salesforce: prospects and their leads and contacts, two-way.

A prospect's counterpart is found by its Salesforce id, then by e-mail, a contact before a lead. Each field has a
master: Salesforce's value, Account Engagement's value, or the most recently updated one; an edit on the other side
alone goes back, and a filled value beats a blank whatever the master is. A lead is made only for a prospect that is
assigned to a Salesforce user, a prospect only when that is switched on. A prospect that is marked 「CRMと同期しない」is
left alone.

A prospect whose lead is merged or converted into a record that has a prospect of its own is a duplicate: nothing of it
crosses any more, an opt-out neither, until somebody merges the two prospects. Each report in which it has changed names
it (`Report.duplicates`).

What must exist beforehand: a connected app for each system, and on Lead and Contact the fields that `Settings`
names. Company of a contact, campaign, score and grade are one-way, as at the vendor (help.salesforce.com:
mktg.pardot_sync_behavior_works, mktg.pardot_default_prospect_field_mapping).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import attrs

from ..adapters.salesforce import long_id
from ..codecs import number_text, whole_number_text
from ..errors import SettingsError
from ..gates import at_most, equals, filled, not_emptied, unless
from ..japanese import email_key
from ..match import by_id, key, level, newest, oldest
from ..pipeline import Pipeline, at, pair, read_only, two_way
from ..plan import Name, PairedField
from ..policies import (
    filled_beats_blank,
    last_value,
    left_always,
    monotone,
    newest_wins,
    only_on_create,
    right_always,
)
from ..protocols import Codec, Connector, FieldPolicy
from ..roles import StateStore

Master: TypeAlias = Literal["salesforce", "account_engagement", "most_recently_updated"]
"""Whose value lives on where both sides hold one."""

IGNORED: Final = "[[crm_ignore_prospect]]"
"""What stands in a prospect's CRM id while「CRM同期を無効化」is set."""

_POLICIES: Final[Mapping[Master, FieldPolicy]] = {
    "salesforce": filled_beats_blank(right_always),
    "account_engagement": filled_beats_blank(left_always),
    "most_recently_updated": filled_beats_blank(newest_wins(otherwise="right")),
}


def _address(lead: str) -> Mapping[str, str]:
    return {"Lead": lead, "Contact": f"Mailing{lead}"}


_STANDARD: Final[tuple[tuple[str, Name, Codec | None], ...]] = (
    ("email", "Email", None),
    ("salutation", "Salutation", None),
    ("firstName", "FirstName", None),
    ("lastName", "LastName", None),
    ("company", {"Lead": "Company", "Contact": read_only("Account.Name")}, None),
    ("jobTitle", "Title", None),
    ("department", {"Contact": "Department"}, None),
    ("phone", "Phone", None),
    ("fax", "Fax", None),
    ("website", {"Lead": "Website"}, None),
    ("addressOne", _address("Street"), None),
    ("city", _address("City"), None),
    ("state", _address("State"), None),
    ("zip", _address("PostalCode"), None),
    ("country", _address("Country"), None),
    ("source", "LeadSource", None),
    ("industry", {"Lead": "Industry"}, None),
    ("employees", {"Lead": "NumberOfEmployees"}, whole_number_text),
    ("annualRevenue", {"Lead": "AnnualRevenue"}, number_text),
    ("comments", "Description", None),
    ("isDoNotCall", "DoNotCall", None),
)
"""Prospect fields and where they live on a lead and a contact (the vendor's default mapping)."""


@attrs.frozen
class Settings:
    """The choices of the connector's screens."""

    master: Master = "salesforce"
    """The master of fields that `masters` does not name; the vendor's default is Salesforce."""
    masters: Mapping[str, Master] = attrs.field(factory=lambda: dict[str, Master]())
    """By prospect field, whose value lives on."""
    without: frozenset[str] = frozenset()
    """Prospect fields of the default mapping that are not mapped."""
    create_prospects: bool = False
    """「コネクター設定をカスタマイズ」: make a prospect for a new lead or contact.

    For a lead in the next run. A contact waits until ten minutes after it was first seen changed, however often it is
    edited meanwhile: it may be a converted lead whose conversion Salesforce shows late (`Capabilities.overlap`), and
    would get a second prospect. That is why the wait is no setting.
    """
    archive_deleted: bool = True
    """Put the prospect of a deleted lead or contact into the recycle bin; off: the link is given up, nothing else."""
    adopt: Literal["oldest", "latest"] = "oldest"
    """Which of several records with the same e-mail is taken, by creation date."""
    score: str | None = "pi__score__c"
    """The Salesforce field for the score; None: the score is not written. In a file: `score = ""`."""
    last_values: Mapping[str, str] = attrs.field(factory=lambda: dict[str, str]())
    """Prospect fields with many values, and the Salesforce field that takes the one added last (AE-34)."""
    most_deletes: float = 0.1
    """Deletions in one run above this share of the links (and above ten) stop the run before it writes; 1 or more is
    a number of deletions."""

    def __attrs_post_init__(self) -> None:
        known = {name for name, _, _ in _STANDARD}
        for setting, names in (("masters", self.masters), ("without", self.without)):
            for name in names:
                if name not in known:
                    raise SettingsError(
                        f"{setting}: {name!r} is not in the default mapping: {', '.join(sorted(known))}"
                    )
        for name, master in (("master", self.master), *((f"masters.{k}", v) for k, v in self.masters.items())):
            if master not in _POLICIES:
                raise SettingsError(f"{name}: {master!r} is not one of {', '.join(_POLICIES)}")
        if not 0 <= self.most_deletes < math.inf:
            raise SettingsError(f"most_deletes: {self.most_deletes!r} is no share or number of links, 0 or more")


def build(left: Connector, right: Connector, settings: Settings = Settings(), *, store: StateStore) -> Pipeline:
    """Keep the prospects of an Account Engagement business unit and a Salesforce organisation's people in step."""
    ignored = unless(equals("salesforceId", IGNORED))
    choose = oldest if settings.adopt == "oldest" else newest
    return (
        two_way("account_engagement_salesforce", at(left, "prospect"), at(right, "Contact", "Lead", new="Lead"))
        .match(
            by_id("salesforceId", form=long_id),
            level("email", key("email", "Email", email_key)),
            adopt=choose("CreatedDate", left="createdAt"),
        )
        .creates(left=settings.create_prospects, right=True)
        .gate(filled("salesforceOwnerId"), before="creating", towards="right")
        .gate(ignored, before="linking")
        .gate(ignored)
        .fields(*_fields(settings))
        .deletes(left="archive" if settings.archive_deleted else "detach", if_edited="remove")
        .guard(at_most(deletes=settings.most_deletes), not_emptied())
        .remember(store)
    )


def _fields(settings: Settings) -> list[PairedField]:
    pairs = [
        pair(name, right, _policy(settings, name), via=via)
        for name, right, via in _STANDARD
        if name not in settings.without
    ]
    pairs.append(pair("optedOut", "HasOptedOutOfEmail", monotone(towards=True)))
    # A lead's owner may be a queue, or a user whom the business unit does not know: a new prospect is assigned to nobody.
    pairs.append(pair(read_only("salesforceOwnerId"), "OwnerId", only_on_create))
    if settings.score is not None:
        pairs.append(pair(read_only("score"), settings.score, left_always))
    pairs.extend(pair(many, single, filled_beats_blank(last_value)) for many, single in settings.last_values.items())
    return pairs


def _policy(settings: Settings, name: str) -> FieldPolicy:
    return _POLICIES[settings.masters.get(name, settings.master)]
