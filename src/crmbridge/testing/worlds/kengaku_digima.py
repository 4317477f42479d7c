"""Kengaku Cloud → Digima: visitors enter, deliveries come twice, late, shuffled and forged, and posts get lost."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final, cast

import httpx

from ...blueprints import kengaku_digima as blueprint
from ...errors import ForgedDelivery
from ...model import Delivery, RecordRef, Side
from ...pipeline import Pipeline
from ..fakes.digima import FakeDigima
from ..fakes.kengaku import FakeKengaku
from ..fakes.kengaku import Kind as Entry
from ..sim import ManualClock
from ..simulation import Deed, Hands, SimWorld, Trail

QUESTION: Final = "ご計画内容について"
FORMS: Final = ("来場予約", "お問い合わせ", "資料請求")
BOUND: Final[Mapping[str, str]] = {
    "reservation": "event-1", "inquiry": "inquiry-form-1", "document_request": "document-request-form-1",
}  # fmt: skip
UNBOUND: Final = "event-2"


def world(seed: int) -> SimWorld:
    """Make a tenant with an event and two forms that are bound, and one event that is not."""
    clock = ManualClock()
    kengaku, digima = FakeKengaku(now=clock.now, seed=seed), FakeDigima(now=clock.now, seed=seed)
    for name in FORMS:
        _ = digima.put("form", name=name)
    _ = digima.put("custom_field", label=QUESTION, code="plan_contents", type="ロングテキスト")
    _ = kengaku.put("field", label=QUESTION, code="plan_contents")
    for kind, name in (
        ("event", "見学会"),
        ("event", "社内"),
        ("inquiry_form", "問い合わせ"),
        ("document_request_form", "資料"),
    ):
        _ = kengaku.put(kind, name=name)
    return SimWorld(
        clock,
        kengaku,
        digima,
        deeds=(Deed("enter", _entered, 5.0), Deed("check", _checked, 0.5)),
        trail=Trail(dict.fromkeys(BOUND, "page_title"), {"inquiry": "page_title"}),
        left_faults=(),
        wanted=_wanted,
        begin=Pipeline.enable,
        deliver=_delivering(kengaku),
        enough=ENOUGH,
        beyond=BEYOND,
    )


def build(world: SimWorld) -> Pipeline:
    """Bind each source to its form, with the address merged in every second world."""
    kengaku, digima = cast("FakeKengaku", world.left), cast("FakeDigima", world.right)
    settings = blueprint.Settings(
        account_code=digima.account_code,
        forms=tuple(blueprint.WebForm(name, digima.form_code(name)) for name in FORMS),
        events={BOUND["reservation"]: FORMS[0]},
        inquiry_forms={BOUND["inquiry"]: blueprint.FormBinding(FORMS[1])},
        document_request_forms={BOUND["document_request"]: blueprint.FormBinding(FORMS[2])},
        custom_fields=(blueprint.CustomField("plan_contents", "ロングテキスト", QUESTION),),
        merge_address=digima.seed % 2 == 0,
    )
    right = settings.digima(base_url=digima.base_url)
    return blueprint.build(settings.kengaku(kengaku.secret), right, settings, store=world.store)


def _wanted(_side: Side, kind: str, row: Mapping[str, Any]) -> bool:
    return row["source_id"] == BOUND[kind] and "@" in str(row["email"])


# -- what visitors do, and how it is delivered ---------------------------------------------------


def _entered(hands: Hands) -> bool:
    kengaku = cast("FakeKengaku", hands.world.left)
    kind = cast("Entry", hands.chance.choice(tuple(BOUND)))
    source = UNBOUND if kind == "reservation" and hands.chance.random() < 0.3 else BOUND[kind]
    # Vendor: the form of Kengaku Cloud takes an address that Digima refuses.
    email = f"p{hands.chance.randrange(8)}@x.example" if hands.chance.random() < 0.9 else "not an address"
    entered = {"email": email, "last_name": hands.word(), "page_title": hands.word()}
    answers = {QUESTION: hands.word()} if hands.chance.random() < 0.5 else {}
    id = kengaku.register(kind, source, answers=answers, **entered)
    hands.wrote(RecordRef("kengaku", kind, id), entered)
    return True


def _checked(hands: Hands) -> bool:
    """Let an administrator try a form out with `validate_only`, which registers nothing."""
    digima = cast("FakeDigima", hands.world.right)
    code = digima.form_code(FORMS[0])
    entry = base64.b64encode(f"{digima.account_code}-{code}".encode()).decode()
    body = {"form": {"code": code, "validate_only": True}, "contact": {"email": "check@x.example"}}
    with httpx.Client(transport=digima.transport(), base_url=digima.base_url) as client:
        try:
            _ = client.post("/v2/submit", json=body, headers={"Authorization": entry})
        except httpx.TransportError:
            return False
    hands.tell("an administrator checks a form, without registering anything")
    return True


def _delivering(kengaku: FakeKengaku) -> Callable[[Pipeline, random.Random, bool], None]:
    """Hand over what is new, some of it twice and some of it not yet; once all is quiet, everything again."""

    def deliver(pipeline: Pipeline, chance: random.Random, quiet: bool) -> None:  # noqa: FBT001 - as a world calls it
        sent = kengaku.deliveries(again=quiet, twice=chance.random() < 0.2, shuffled=chance.random() < 0.2)
        for delivery in sent:
            if not quiet and chance.random() < 0.15:
                continue
            if chance.random() < 0.1:
                _refused(pipeline, kengaku.forged(delivery, body=delivery.body.replace(b"w0", b"w9")))
            _ = pipeline.receive(delivery)

    return deliver


def _refused(pipeline: Pipeline, forged: Delivery) -> None:
    """Let somebody try who does not know the secret; what is taken in all the same breaks a law later."""
    with suppress(ForgedDelivery):
        _ = pipeline.receive(forged)


ENOUGH: Final = 60

BEYOND: Final[Mapping[str, str]] = {
    "disputed": "an event is copied, and never matched with anything",
}
