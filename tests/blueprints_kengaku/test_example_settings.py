"""Each setting of the example file does something that can be seen, or is named here as one that does not."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from crmbridge.blueprints import kengaku_digima as blueprint
from crmbridge.blueprints.kengaku_digima import Settings
from crmbridge.errors import CrmBridgeError, SettingsError
from crmbridge.notify import Collecting, Smtp
from crmbridge.protocols import Notice
from crmbridge.settings import load
from crmbridge.stores import MemoryStore
from crmbridge.testing.fakes.digima import STATIC_FIELDS, FakeDigima
from crmbridge.testing.fakes.kengaku import FakeKengaku
from crmbridge.testing.sim import ManualClock, SimDriver

from .conftest import BASE, NOW, QUESTION, SOURCES

EXAMPLE = Path(__file__).parents[2] / "examples" / "kengaku_digima.toml"

FLIPS: Mapping[str, Any] = {
    "account_code": "OTHER",
    "merge_address": False,
    "address_field": "home_address_2",
    "tracking_url": "https://tracking.digima.example/OTHER.js",
    "failure_sender": "other@acme.example",
    "failure_to": ["boss@acme.example"],
    "failure_language": "en",
    "intake": "path",
    "language": "jp",
    "forms.0.name": "予約",
    "forms.0.code": "OTHER",
    "forms.1.name": "問合せ",
    "forms.1.code": "OTHER",
    "forms.2.name": "資料",
    "forms.2.code": "OTHER",
    "events.event-1": "資料請求",
    "inquiry_forms.inquiry-form-1.form": "資料請求",
    "inquiry_forms.inquiry-form-1.notify": ["boss@acme.example"],
    "document_request_forms.document-request-form-1.form": "",
    "document_request_forms.document-request-form-1.notify": ["boss@acme.example"],
    "custom_fields.0.code": "plan",
    "more_fields.postal_code": "city",
}

WITHOUT_EFFECT: Mapping[str, tuple[Any, str]] = {
    "administrators": (["boss@acme.example"], "every list that falls back to them is set in the example"),
    "custom_fields.0.type": ("テキスト", "text and long text are sent alike; the setting refuses the other types"),
    "custom_fields.0.label": ("別の質問", "known to people only, and to `following`, which refuses a changed code"),
}


def told() -> dict[str, Any]:
    return tomllib.loads(EXAMPLE.read_text("utf-8"))


def settings_of(table: Mapping[str, Any]) -> Settings:
    """Take settings from a table, its secrets as the names that stand there."""
    return load(Settings, table, secrets=lambda name: name)


def flipped(path: str, value: Any) -> dict[str, Any]:
    """Give the example with one value exchanged."""
    table = told()
    place: Any = table
    *parts, last = path.split(".")
    for part in parts:
        place = place[int(part)] if part.isdigit() else place[part]
    assert place[last] != value
    place[last] = value
    return table


def leaves(table: Any, path: str = "") -> Iterator[str]:
    if isinstance(table, dict):
        for name, value in table.items():
            yield from leaves(value, f"{path}.{name}" if path else name)
    elif isinstance(table, list) and table and isinstance(table[0], dict):
        for number, value in enumerate(table):
            yield from leaves(value, f"{path}.{number}")
    else:
        yield path


def arranged(settings: Settings, clock: ManualClock) -> tuple[FakeKengaku, FakeDigima]:
    """Arrange both vendors as the example says; what a screen of Kengaku Cloud holds comes from the settings."""
    digima = FakeDigima(now=clock.now, static_fields=(*STATIC_FIELDS, "home_address_2", "postal_code"))
    digima.account_code = "DIGIMA_ACCOUNT_CODE"
    for form in told()["forms"]:
        digima.put("form", name=form["name"], code=form["code"])
    for code in ("plan_contents", "plan"):
        digima.put("custom_field", label=QUESTION, code=code, type="ロングテキスト")
    kengaku = FakeKengaku(now=clock.now, head=settings.snippet)
    kengaku.put("field", label=QUESTION, code="plan_contents")
    for address in settings.administrators:
        kengaku.put("administrator", email=address)
    kengaku.put("event", name="完成見学会")
    for table, kind in (("inquiry_form", "inquiry"), ("document_request_form", "document_request")):
        kengaku.put(table, name=table, notify=list(settings.told_of(kind, SOURCES[kind])))
    return kengaku, digima


def observed(table: Mapping[str, Any]) -> Any:
    """Let three entries and a bad one go their way, and tell all that can be seen of it."""
    try:
        settings = settings_of(table)
    except SettingsError as error:
        return str(error)
    clock = ManualClock(NOW)
    kengaku, digima = arranged(settings, clock)
    store, notices = MemoryStore(), Collecting()
    with SimDriver(clock=clock, transports={BASE: digima.transport()}, store=store) as driver:
        source, sink = settings.kengaku(kengaku.secret), settings.digima(base_url=BASE)
        pipeline = blueprint.build(source, sink, settings, store=store, notifiers=[notices]).using(driver)
        pipeline.enable()
        clock.advance(1)
        for number, (kind, form) in enumerate(SOURCES.items()):
            place = {"prefecture": "東京都", "city": "港区", "street": "芝1-1", "postal_code": "1050014"}
            kengaku.register(kind, form, email=f"{number}@x.test", answers={QUESTION: "新築"}, **place)
        kengaku.register("reservation", "event-1", email="3@x.test", phone="abc")
        refused: list[str] = []
        for delivery in kengaku.deliveries():
            try:
                pipeline.receive(delivery)
                pipeline.drain()
            except CrmBridgeError as error:
                refused.append(type(error).__name__)
    with httpx.Client(transport=kengaku.transport(), base_url="http://www.ie-miru.test") as client:
        page = client.get("/event/event-1").text
    writes = [(write.kind, dict(write.values)) for fake in (digima, kengaku) for write in fake.ledger]
    languages = [request.headers["accept-language"] for request in digima.requests]
    return writes, languages, refused, page, [mailed(settings, notice, clock) for notice in notices.notices]


def mailed(settings: Settings, notice: Notice, clock: ManualClock) -> str:
    return settings.mail(Smtp("localhost"), clock=clock).message(notice).as_string()


def test_the_example_can_be_loaded_and_everything_in_it_crosses():
    writes, languages, refused, page, mails = observed(told())
    assert [values["form"] for kind, values in writes if kind == "inquiry" and "form" in values] == [
        "来場予約",
        "お問い合わせ",
        "資料請求",
    ]
    assert set(languages) == {"ja"}
    assert refused == []
    assert "ACCOUNT.js" in page
    assert len(mails) == 1


@pytest.mark.parametrize("path", FLIPS)
def test_a_setting_that_is_flipped_shows(path):
    assert observed(flipped(path, FLIPS[path])) != observed(told())


@pytest.mark.parametrize("path", WITHOUT_EFFECT)
def test_a_setting_without_effect_is_named_with_its_reason(path):
    value, why = WITHOUT_EFFECT[path]
    assert observed(flipped(path, value)) == observed(told())
    assert why


def test_administrators_stand_in_for_lists_that_are_empty():
    table = told()
    table["failure_to"] = []
    before = observed(table)
    table["administrators"], _ = WITHOUT_EFFECT["administrators"]
    assert observed(table) != before


def test_every_setting_of_the_example_is_flipped_once_and_every_setting_stands_in_it():
    assert set(leaves(told())) == set(FLIPS) | set(WITHOUT_EFFECT)
    assert set(told()) == {field.name for field in attrs.fields(Settings)}


def test_the_words_of_the_screens_may_stand_for_the_names_and_a_mistake_is_told_in_them():
    table = told()
    words = {
        "Digimaアカウントコード": table.pop("account_code"),
        "入力された住所を自宅住所1へ統合する": table.pop("merge_address"),
        "DigimaトラッキングURL": table.pop("tracking_url"),
    }
    table["forms"] = [
        {"Digimaウェブフォーム名": form["name"], "Digimaウェブフォームコード": form["code"]} for form in table["forms"]
    ]
    assert settings_of(table | words) == settings_of(told())
    with pytest.raises(SettingsError) as raised:
        settings_of(table | words | {"入力された住所を自宅住所1へ統合する": "はい", "DigimaトラッキングUR": ""})
    assert "入力された住所を自宅住所1へ統合する: a text, where true or false is expected" in str(raised.value)
    assert "did you mean 'DigimaトラッキングURL'" in str(raised.value)
