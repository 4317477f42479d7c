"""Kengaku Cloud → Digima: which entries go where, once, and with what."""

from __future__ import annotations

import json

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.blueprints import kengaku_digima as blueprint
from crmbridge.blueprints.kengaku_digima import CustomField, FormBinding
from crmbridge.errors import ForgedDelivery, SettingsError
from crmbridge.model import Disposition
from crmbridge.wording import say

from .conftest import NOW, QUESTION, SOURCES, World, counted, delivery_of, one

requirement = pytest.mark.requirement


@requirement("DIGIMA-1", "DIGIMA-2", "DIGIMA-4")
def test_reservations_inquiries_and_document_requests_each_become_an_inquiry_of_their_own_form(world):
    for kind in SOURCES:
        world.register(kind)
    report = world.run()
    assert counted(report) == {"applied": 3}
    assert [post["form"] for post in world.posts] == ["来場予約", "お問い合わせ", "資料請求"]
    assert [post["contact"]["email"] for post in world.posts] == ["kim1@x.test", "kim2@x.test", "kim3@x.test"]


@requirement("DIGIMA-6", "DIGIMA-7", "DIGIMA-8")
@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("reservation", "Digima連携"),
        ("inquiry", "お問い合わせフォーム管理"),
        ("document_request", "資料請求フォーム管理"),
    ],
)
def test_an_entry_whose_source_has_no_form_is_skipped_and_says_where_one_is_chosen(world, kind, named):
    unbound = {"reservation": "event", "inquiry": "inquiry_form", "document_request": "document_request_form"}[kind]
    world.register(kind, world.kengaku.put(unbound, name="別の窓口"))
    world.register(kind)
    report = world.run()
    assert counted(report) == {"applied": 1, "skipped": 1}
    why = one(report, Disposition.SKIPPED).because
    assert named in say(why, "ja")
    assert "-2" in say(why, "ja")
    assert len(world.posts) == 1


@requirement("DIGIMA-6")
def test_two_events_can_have_two_forms(anew):
    world = anew()
    world.changes["events"] = {"event-1": "来場予約", "event-2": "資料請求"}
    world.register("reservation", "event-1")
    world.register("reservation", world.kengaku.put("event", name="個別相談会"))
    world.run()
    assert [post["form"] for post in world.posts] == ["来場予約", "資料請求"]


@requirement("DIGIMA-7", "DIGIMA-8")
@pytest.mark.parametrize("kind", ["inquiry", "document_request"])
def test_a_form_can_be_bound_to_another_web_form(anew, kind):
    world = anew(**{f"{kind}_forms": {SOURCES[kind]: FormBinding("来場予約")}})
    world.register(kind)
    world.run()
    assert [post["form"] for post in world.posts] == ["来場予約"]


@requirement("DIGIMA-1")
def test_what_the_visitor_entered_and_where_arrives_in_digima(world):
    world.register(
        last_name="金",
        first_name="花",
        last_name_kana="きむ",
        first_name_kana="はな",
        email="ｋｉｍ@x.test",
        phone="０３（１２３４）５６７８",
        page_title="完成見学会",
        page_url="https://www.ie-miru.jp/e/1",
        page_ip_address="203.0.113.7",
        page_user_agent="Browser",
        page_visit_cookie="c" * 32,
    )
    world.run()
    [post] = world.posts
    expected = {
        "page_title": "完成見学会",
        "page_url": "https://www.ie-miru.jp/e/1",
        "submitter_ip_address": "203.0.113.7",
        "submitter_user_agent": "Browser",
        "visit_cookie": "c" * 32,
    }
    assert {name: post[name] for name in expected} == expected
    contact = {
        "last_name": "金",
        "first_name": "花",
        "last_name_kana": "きむ",
        "first_name_kana": "はな",
        "email": "kim@x.test",
        "personal_telephone_number": "0312345678",
    }
    assert {name: post["contact"][name] for name in contact} == contact


@requirement("DIGIMA-1")
@pytest.mark.parametrize("intake", ["signature", "path"])
def test_a_delivery_counts_once_however_often_and_in_whatever_order_it_comes(anew, intake):
    world = anew(intake=intake)
    for kind in (*SOURCES, *SOURCES):
        world.register(kind)
    world.run(twice=True, shuffled=True)
    world.run(again=True, shuffled=True)
    assert sorted(post["contact"]["email"] for post in world.posts) == [f"kim{number}@x.test" for number in range(1, 7)]


@pytest.mark.parametrize("intake", ["signature", "path"])
def test_a_forged_delivery_brings_nothing(anew, intake):
    world = anew(intake=intake)
    world.register()
    [delivery] = world.kengaku.deliveries(by=intake)
    pipeline = world.pipeline()
    for forged in (world.kengaku.forged(delivery), attrs.evolve(delivery, headers={}, url="https://intake.example/")):
        with pytest.raises(ForgedDelivery):
            pipeline.receive(forged)
    assert counted(pipeline.drain()) == {}
    assert world.digima.requests == []


def test_a_delivery_that_was_answered_is_not_lost_although_nothing_ran_yet(world):
    world.register()
    assert world.pipeline().receive(delivery_of(world)) == 1
    assert world.posts == []
    world.pipeline().drain()
    assert len(world.posts) == 1


@requirement("DIGIMA-1")
def test_entries_can_be_brought_by_call_and_from_a_file_too(world, tmp_path):
    world.clock.advance(1)
    refs = [world.register(), world.register("inquiry")]
    told = [world.kengaku.described(ref.kind, ref.id) for ref in refs]
    file = tmp_path / "entries.jsonl"
    file.write_text("\n".join(json.dumps(entry, ensure_ascii=False) for entry in told), encoding="utf-8")
    source, pipeline = world.settings.kengaku(world.kengaku.secret), world.pipeline()
    assert pipeline.accept([source.entry(told[0])]) == 1
    with file.open(encoding="utf-8") as lines:
        assert pipeline.accept(source.lines(lines)) == 1
    pipeline.drain()
    assert len(world.posts) == 2


@requirement("DIGIMA-5")
def test_a_link_that_is_saved_but_not_enabled_posts_nothing():
    world = World()
    world.register()
    world.run()
    assert world.digima.requests == []


@requirement("DIGIMA-5")
def test_breaking_the_link_stops_posts_and_linking_again_keeps_the_bindings_and_fills_nothing_in(world):
    world.register()
    world.run()
    linked = world.settings
    world.pipeline().disable()
    world.register()
    world.run()
    broken = linked.disconnected()
    with pytest.raises(SettingsError, match="Digimaの連携設定を行う"):
        broken.digima()
    again = broken.connected(linked.account_code)
    assert again == linked
    world.clock.advance(60)
    world.pipeline(settings=again).enable()
    world.register()
    world.run(again=True)
    assert [post["contact"]["email"] for post in world.posts] == ["kim1@x.test", "kim3@x.test"]


@requirement("DIGIMA-13")
def test_a_field_with_a_code_goes_as_a_custom_field_and_one_without_stays_here(world):
    world.register(answers={QUESTION: "新築", "社内メモ": "要注意"})
    world.run()
    [post] = world.posts
    assert post["contact"]["custom_fields"] == {"plan_contents": "新築"}
    assert "要注意" not in world.digima.requests[-1].content.decode()


@requirement("DIGIMA-13")
def test_a_code_that_the_settings_do_not_link_stays_here(anew):
    world = anew(custom_fields=())
    world.register(answers={QUESTION: "新築"})
    world.run()
    assert "custom_fields" not in world.posts[0]["contact"]


@requirement("DIGIMA-14")
def test_a_code_is_the_same_on_both_sides_letter_by_letter(anew):
    world = anew(custom_fields=(CustomField("Plan_2", "テキスト", "別の質問"),))
    world.digima.put("custom_field", label="別の質問", code="Plan_2", type="テキスト")
    world.kengaku.put("field", label="別の質問", code="Plan_2")
    world.kengaku.put("field", label="似た質問", code="plan_2")
    world.register(answers={"別の質問": "あり", "似た質問": "なし"})
    world.run()
    assert world.posts[0]["contact"]["custom_fields"] == {"Plan_2": "あり"}


@requirement("DIGIMA-23", "DIGIMA-26")
@pytest.mark.parametrize("kind", list(SOURCES))
@pytest.mark.parametrize(
    ("entered", "stored"),
    [
        ({"prefecture": "東京都", "city": "港区", "street": "芝1-1"}, "東京都港区芝1-1"),
        ({"prefecture": "東京都", "street": "芝1-1"}, "東京都芝1-1"),
        ({"city": "港区"}, "港区"),
    ],
)
def test_the_parts_of_the_address_are_joined_in_order_and_empty_ones_skipped(anew, kind, entered, stored):
    world = anew(merge_address=True)
    world.register(kind, **entered)
    world.run()
    assert world.posts[0]["contact"]["home_address_1"] == stored


@requirement("DIGIMA-26")
def test_no_address_at_all_sends_nothing_and_leaves_what_is_stored(anew):
    world = anew(merge_address=True)
    world.digima.put("contact", email="lee@x.test", home_address_1="大阪府")
    world.register(email="lee@x.test")
    world.run()
    assert world.posts[0]["contact"]["home_address_1"] == "大阪府"


@requirement("DIGIMA-25")
def test_with_the_switch_off_no_address_is_merged(world):
    world.register(prefecture="東京都", city="港区", street="芝1-1")
    world.run()
    assert "home_address_1" not in world.posts[0]["contact"]


@requirement("DIGIMA-24")
def test_a_stored_address_is_overwritten_and_plan_and_check_warn_of_it(anew):
    world = anew(merge_address=True)
    world.digima.put("contact", email="lee@x.test", home_address_1="大阪府")
    world.register(email="lee@x.test", prefecture="東京都")
    world.clock.advance(1)
    pipeline = world.pipeline()
    world.deliver(pipeline)
    warned = [str(found) for found in blueprint.check(pipeline, world.settings)]
    assert [text for text in warned if "home_address_1" in text and "overwritten" in text]
    shown = blueprint.plan(pipeline, world.settings, "ja")
    assert shown.startswith("! Digimaに登録済みのお客様の場合")
    assert world.posts == []
    pipeline.drain()
    assert world.posts[0]["contact"]["home_address_1"] == "東京都"


@requirement("DIGIMA-24")
def test_without_the_switch_nobody_is_warned(world):
    assert blueprint.warnings(world.settings) == ()
    pipeline = world.pipeline()
    assert len(blueprint.check(pipeline, world.settings)) == len(pipeline.check())


@requirement("DIGIMA-9")
def test_those_who_are_told_of_an_inquiry_are_its_own_addresses_or_else_the_administrators(anew):
    own = FormBinding("お問い合わせ", ("desk@acme.test", "shop@acme.test"))
    world = anew(inquiry_forms={"inquiry-form-1": own}, administrators=("admin@acme.test", "boss@acme.test"))
    forms = {
        "inquiry_form": ("inquiry", "inquiry-form-1"),
        "document_request_form": ("document_request", SOURCES["document_request"]),
    }
    for table, (kind, source) in forms.items():
        world.kengaku.edit(table, source, notify=list(world.settings.told_of(kind, source)))
        world.register(kind)
    world.run()
    told = [mail["to"] for mail in world.kengaku.rows("mail")]
    assert told == [["desk@acme.test", "shop@acme.test"], ["admin@acme.test", "boss@acme.test"]]
    assert world.told.notices == []


def test_events_of_before_the_enabling_are_not_sent():
    world = World()
    world.register()
    world.clock.advance(60)
    world.pipeline().enable()
    world.register()
    world.run()
    assert [post["contact"]["email"] for post in world.posts] == ["kim2@x.test"]
    assert world.clock.now() > NOW


HOSTILE = st.text(max_size=20) | st.sampled_from(
    [
        "=cmd()",
        "\x00",
        "\ud800",
        "\u202egro",
        "👨‍👩‍👧",
        "'; DROP TABLE x",
        "{form}",
        "%s",
        "ﾊﾝｶｸ",
        "長" * 5000,
        "\r\nBcc: x",
    ]
)


@given(name=HOSTILE, street=HOSTILE, answer=HOSTILE, email=HOSTILE, phone=HOSTILE)
def test_whatever_a_visitor_enters_ends_posted_or_in_quarantine_and_stops_nobody_else(
    name, street, answer, email, phone
):
    world = World(changes={"merge_address": True})
    world.pipeline().enable()
    ref = world.register(last_name=name, street=street, email=email, phone=phone, answers={QUESTION: answer})
    world.register("inquiry")
    report = world.run()
    assert report.read == 2
    assert sum(report.counts.values()) == 2
    assert report.counts[Disposition.APPLIED] == 2 - len(world.parked())
    assert set(world.parked()) <= {ref}
    assert "kim2@x.test" in [post["contact"].get("email") for post in world.posts]
    assert [notice.ref for notice in world.told.notices] == list(world.parked())
