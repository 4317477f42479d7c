"""Kengaku Cloud → Digima: what the screens ask for, and what they would refuse."""

from __future__ import annotations

import pytest

from crmbridge.adapters.digima import CustomField
from crmbridge.blueprints.kengaku_digima import FAILURE_SUBJECT, FormBinding, Settings, WebForm, build
from crmbridge.errors import CrmBridgeError, SettingsError
from crmbridge.notify import Smtp
from crmbridge.stores import MemoryStore

from .conftest import BASE, QUESTION

requirement = pytest.mark.requirement

FORM = WebForm("来場予約", "F1")


@requirement("DIGIMA-3", "DIGIMA-10")
def test_a_missing_account_code_names_the_screen_where_it_is_entered_and_the_one_where_it_stands(world):
    with pytest.raises(SettingsError) as raised:
        world.settings.disconnected().digima()
    for words in ("その他", "システム設定", "Digimaの連携設定を行う", "アカウント・機能設定", "コピー"):
        assert words in str(raised.value)


@requirement("DIGIMA-3", "DIGIMA-11")
def test_without_a_web_form_there_is_nothing_to_link_and_the_screen_is_named(anew):
    with pytest.raises(SettingsError) as raised:
        Settings(account_code="ACC").digima()
    for words in ("Digimaの連携設定を行う", "フォーム取り込み", "ウェブフォームを追加", "ウェブフォームを新規作成"):
        assert words in str(raised.value)


@requirement("DIGIMA-11", "DIGIMA-12")
@pytest.mark.parametrize(
    ("given", "here", "there"),
    [
        (("", "F1"), "Digimaウェブフォーム名", "「ウェブフォーム名」"),
        (("来場予約", " "), "Digimaウェブフォームコード", "「コード」"),
    ],
)
def test_a_form_that_lacks_a_value_is_told_in_the_words_of_both_products(given, here, there):
    with pytest.raises(SettingsError) as raised:
        WebForm(*given)
    assert here in str(raised.value)
    assert there in str(raised.value)


@requirement("DIGIMA-12")
def test_digimas_name_and_code_of_a_form_are_what_is_entered_here_and_reach_that_form(world):
    form = world.digima.put("form", name="新しいフォーム", code="F-9")
    shown = world.digima.table("form").all[form].values
    world.changes["forms"] = (WebForm(shown["name"], shown["code"]),)
    world.changes |= {"events": {"event-1": shown["name"]}, "inquiry_forms": {}, "document_request_forms": {}}
    world.register()
    world.run()
    assert [post["form"] for post in world.posts] == ["新しいフォーム"]


@requirement("DIGIMA-4")
def test_any_number_of_forms_can_be_added_and_no_name_stands_twice(world):
    forms = tuple(WebForm(f"フォーム{number}", f"F{number}") for number in range(20))
    assert len(Settings(account_code="ACC", forms=forms).digima().forms) == 20
    with pytest.raises(SettingsError, match="twice"):
        Settings(forms=(FORM, FORM))


@requirement("DIGIMA-6", "DIGIMA-7", "DIGIMA-8")
@pytest.mark.parametrize(
    ("given", "screen"),
    [
        ({"events": {"e-1": "来場予"}}, "「イベントを編集」"),
        ({"inquiry_forms": {"q-1": FormBinding("来場予")}}, "「お問い合わせフォーム管理」"),
        ({"document_request_forms": {"d-1": FormBinding("来場予")}}, "「資料請求フォーム管理」"),
    ],
)
def test_a_source_bound_to_a_form_that_is_not_there_names_the_nearest_and_the_screen(given, screen):
    with pytest.raises(SettingsError) as raised:
        Settings(forms=(FORM,), **given)
    assert "did you mean '来場予約'" in str(raised.value)
    assert screen in str(raised.value)
    assert "更新する" in str(raised.value)


@requirement("DIGIMA-9")
@pytest.mark.parametrize(
    "given",
    [
        {"inquiry_forms": {"q-1": FormBinding("来場予約", ("nobody",))}},
        {"document_request_forms": {"d-1": FormBinding("", ("a@b.test", "x\r\n@b.test"))}},
        {"administrators": ("nobody",)},
        {"failure_to": ("nobody",)},
        {"failure_sender": "nobody"},
    ],
)
def test_a_mail_address_that_is_none_is_refused_with_the_place_where_it_stands(given):
    with pytest.raises(SettingsError) as raised:
        Settings(forms=(FORM,), **given)
    assert next(iter(given)) in str(raised.value)
    assert "nobody" not in str(raised.value)


@requirement("DIGIMA-14", "DIGIMA-15")
@pytest.mark.parametrize("sign", ["-", "ａ", "計", " "])
def test_a_code_with_another_character_is_refused_and_the_character_is_named(sign):
    with pytest.raises(SettingsError) as raised:
        Settings(custom_fields=(CustomField(f"plan{sign}contents"),))
    assert repr(sign) in str(raised.value)
    assert "半角英数字またはアンダースコアのみ" in str(raised.value)


@requirement("DIGIMA-15")
def test_an_empty_code_names_the_screen_where_a_custom_field_is_made():
    with pytest.raises(SettingsError, match="カスタム項目"):
        CustomField("")


@requirement("DIGIMA-15")
def test_the_label_is_the_question_and_is_what_the_field_is_called(world):
    [field] = world.digima.rows("custom_field")
    linked = world.settings.custom_fields[0]
    assert (linked.code, linked.type, linked.label) == (field["code"], field["type"], field["label"])


@requirement("DIGIMA-16")
def test_a_changed_code_is_refused_with_both_codes_named(world):
    earlier = world.settings
    world.changes["custom_fields"] = (CustomField("plan_text", "テキスト", QUESTION),)
    with pytest.raises(SettingsError) as raised:
        world.settings.following(earlier)
    for words in ("'plan_contents'", "'plan_text'", QUESTION, "カスタム項目を新規作成"):
        assert words in str(raised.value)
    [field] = world.digima.rows("custom_field")
    with pytest.raises(ValueError, match="cannot be changed"):
        world.digima.edit("custom_field", field["id"], code="plan_text")


@requirement("DIGIMA-16")
def test_a_new_question_and_a_field_that_is_given_up_are_no_change_of_a_code(world):
    earlier = world.settings
    world.changes["custom_fields"] = (*earlier.custom_fields, CustomField("budget", "テキスト", "ご予算"))
    assert world.settings.following(earlier) == world.settings
    assert earlier.following(world.settings) == earlier


@requirement("DIGIMA-17")
@pytest.mark.parametrize("type", ["ラジオボタン", "プルダウン", "日付"])
def test_only_text_and_long_text_can_be_linked(world, type):
    with pytest.raises(SettingsError) as raised:
        CustomField("plan_contents", type)
    assert "テキスト" in str(raised.value)
    assert "ロングテキスト" in str(raised.value)


def test_a_code_is_linked_once():
    with pytest.raises(SettingsError, match="twice"):
        Settings(custom_fields=(CustomField("plan"), CustomField("plan")))


@requirement("DIGIMA-18")
def test_a_failure_notice_needs_a_sender_and_goes_to_the_administrators_unless_others_are_named(world):
    server = Smtp("localhost")
    mail = world.settings.mail(server, clock=world.clock)
    assert (mail.sender, mail.to, mail.subject) == ("crmbridge@acme.test", ("admin@acme.test",), FAILURE_SUBJECT)
    world.changes["failure_to"] = ("desk@acme.test",)
    assert world.settings.mail(server).to == ("desk@acme.test",)
    world.changes["failure_sender"] = ""
    with pytest.raises(SettingsError, match="failure_sender"):
        world.settings.mail(server)
    world.changes |= {"failure_sender": "crmbridge@acme.test", "failure_to": (), "administrators": ()}
    with pytest.raises(SettingsError, match="nobody would be told"):
        world.settings.mail(server)


@requirement("DIGIMA-19", "DIGIMA-20", "DIGIMA-21")
def test_a_tracking_url_that_is_none_names_the_screens_where_it_is_made_and_shown():
    with pytest.raises(SettingsError) as raised:
        Settings(tracking_url="javascript:alert(1)")
    for words in ("DigimaトラッキングURL", "ウェブトラッキング", "トラッキングコードを確認する"):
        assert words in str(raised.value)


@requirement("DIGIMA-21")
def test_only_the_src_of_the_pasted_script_is_kept():
    pasted = '<script async src="https://t.digima.test/ACC.js"></script>'
    assert Settings(tracking_url=pasted).tracking_url == "https://t.digima.test/ACC.js"
    assert Settings(tracking_url=pasted).snippet == pasted
    assert Settings().snippet == ""


def test_a_target_field_is_filled_once(world):
    world.changes |= {"merge_address": True, "more_fields": {"home_address_1": "street"}}
    with pytest.raises(CrmBridgeError, match="home_address_1"):
        world.pipeline()


def test_a_further_field_is_filled_from_what_the_customer_entered_and_from_nothing_else(world):
    with pytest.raises(SettingsError, match=r"more_fields\.zip: 'postcode' is none of .*postal_code"):
        Settings(more_fields={"zip": "postcode"})


def test_an_intake_that_is_not_known_is_refused():
    with pytest.raises(SettingsError, match="path"):
        Settings(intake="password")


def test_no_code_and_no_secret_is_shown(world):
    made = world.settings
    for shown in (repr(made), repr(made.digima()), repr(made.kengaku("x" * 40)), repr(world.pipeline())):
        for secret in (world.digima.account_code, world.digima.form_code("来場予約"), "x" * 40):
            assert secret not in shown


def test_settings_that_say_nothing_build_a_pipeline_that_skips_everything(world):
    world.register()
    left, right = world.settings.kengaku(world.kengaku.secret), world.settings.digima(base_url=BASE)
    pipeline = build(left, right, store=MemoryStore()).using(world.driver())
    pipeline.enable()
    for delivery in world.kengaku.deliveries():
        pipeline.receive(delivery)
    pipeline.drain()
    assert world.posts == []
