"""Kengaku Cloud → Digima: reservations, inquiries and document requests become inquiries by Digima's web forms.

Every entry that Kengaku Cloud delivers from the moment of `enable()` on is posted once to the web form that its event or
form is bound to; one that is bound to none is skipped and says so. Digima makes the contact, or overwrites the one with
the same address. Nothing can be read back from Digima, so a post whose answer was lost is in doubt and is sent again by a
person only.

What must exist beforehand: in Digima a web form for each source, the custom fields, and a web-tracking domain where
visits are to be tied to entries; on our side an address that takes deliveries.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final, cast

import attrs

from ..adapters.digima import CustomField
from ..adapters.kengaku import Kengaku
from ..check import Finding, Severity
from ..errors import SettingsError
from ..given import computed, joined
from ..japanese import phone_key
from ..pipeline import Pipeline, at, events, pair, put
from ..plan import PairedField
from ..protocols import Admit, Crossing, Notifier, Sink, Skip, Source
from ..reasons import Code, because
from ..roles import StateStore
from ..wording import Language
from ._kengaku_digima_settings import (
    BINDINGS,
    CONNECT,
    FAILURE_SUBJECT,
    FormBinding,
    Kind,
    Settings,
    WebForm,
)

__all__ = ["FAILURE_SUBJECT", "CustomField", "FormBinding", "Settings", "WebForm", "build", "check", "plan", "warnings"]

KINDS: Final[tuple[Kind, ...]] = ("reservation", "inquiry", "document_request")

_COPIED: Final = (
    ("page.title", "page_title"),
    ("page.url", "page_url"),
    ("page.ip_address", "submitter_ip_address"),
    ("page.user_agent", "submitter_user_agent"),
    ("page.visit_cookie", "visit_cookie"),
    ("contact.last_name", "contact.last_name"),
    ("contact.first_name", "contact.first_name"),
    ("contact.last_name_kana", "contact.last_name_kana"),
    ("contact.first_name_kana", "contact.first_name_kana"),
)
"""What crosses as it is: the page on which the visitor was, and the names."""

_ADDRESS: Final = ("contact.prefecture", "contact.city", "contact.street")
"""「都道府県」「市区町村」「番地」, in the order in which they are joined."""

_OVERWRITES: Final[dict[Language, str]] = {
    "en": "where the person is in Digima already, the address stored there (自宅住所1) is overwritten",
    "ja": "Digimaに登録済みのお客様の場合、登録されている自宅住所1が上書きされます",
}


def build(
    left: Kengaku,
    right: Sink,
    settings: Settings = Settings(),  # noqa: B008 - a frozen value
    *,
    store: StateStore,
    notifiers: Sequence[Notifier] = (),
) -> Pipeline:
    """Post what Kengaku Cloud delivers to Digima's web forms; *notifiers* tell of each entry that could not be sent.

    The ends are made by `settings.kengaku(secret)` and `settings.digima()`, a notifier by `settings.mail(server)`.
    """
    return (
        events("kengaku-digima", at(cast("Source", left), *KINDS), at(right, "submission", new="submission"))
        .gate(_Binding(settings))
        .fields(*_fields(settings))
        .on_quarantine(*notifiers)
        .remember(store)
    )


def warnings(settings: Settings, language: Language = "en") -> tuple[str, ...]:
    """Say what these settings do that people have come to regret."""
    return (_OVERWRITES[language],) if settings.merge_address else ()


def check(pipeline: Pipeline, settings: Settings) -> Sequence[Finding]:
    """Check the pipeline, and warn of what its settings overwrite."""
    where = f"{pipeline.definition.right.system}.submission.contact.{settings.address_field}"
    warned = [Finding(where, because(Code.RULE, rule=text), Severity.WARNING) for text in warnings(settings)]
    return [*pipeline.check(), *warned]


def plan(pipeline: Pipeline, settings: Settings, language: Language = "en") -> str:
    """Show what would be posted, below what these settings overwrite; nothing is sent."""
    return "\n".join([*(f"! {text}" for text in warnings(settings, language)), pipeline.plan().say(language)])


def _fields(settings: Settings) -> list[PairedField]:
    pairs = [put("form", computed(_Binding(settings).form_of, "kind", "source_id"))]
    pairs += [pair(source, target) for source, target in _COPIED]
    pairs.append(put("contact.email", computed(half_width, "contact.email")))
    pairs.append(put("contact.personal_telephone_number", computed(phone_digits, "contact.phone")))
    pairs += [pair(f"answers.{field.code}", f"contact.custom_fields.{field.code}") for field in settings.custom_fields]
    pairs += [pair(f"contact.{source}", f"contact.{code}") for code, source in settings.more_fields.items()]
    if settings.merge_address:
        if settings.address_field in settings.more_fields:
            raise SettingsError(f"more_fields: {settings.address_field!r} is filled by merge_address already")
        pairs.append(put(f"contact.{settings.address_field}", joined(*_ADDRESS)))
    return pairs


@attrs.frozen
class _Binding:
    """Which web form an entry goes to, and a gate that keeps back those that go to none."""

    settings: Settings = attrs.field(repr=False)

    @property
    def fields(self) -> frozenset[str]:
        """Name the fields to read."""
        return frozenset(("kind", "source_id"))

    def form_of(self, kind: str, source: str) -> str:
        """Name the web form of an event or form; empty where none is chosen."""
        return self.settings.bindings.get(cast("Kind", kind), {}).get(source, "")

    def admit(self, crossing: Crossing) -> Admit | Skip:
        """Judge one entry."""
        kind, source = crossing.record.get("kind"), crossing.record.get("source_id")
        if isinstance(kind, str) and isinstance(source, str) and self.form_of(kind, source):
            return Admit()
        where = BINDINGS.get(cast("Kind", kind), CONNECT)
        return Skip(because(Code.RULE, rule=f"no web form is chosen for {kind} {source}; see {where}"))


def half_width(text: str) -> str:
    """Write a text in half-width signs, as Digima wants an e-mail address."""
    return unicodedata.normalize("NFKC", text).strip()


def phone_digits(text: str) -> str:
    """Write a telephone number in half-width digits, as Digima wants it; what is no number is left for Digima to refuse."""
    return phone_key(text) or text
