"""Names of persons, readings and kanji."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.japanese import Kanji, PersonName, kana_key, kanji_key, name_key, split_name
from crmbridge.japanese._kanji_table import FAMILIES, FORMS
from crmbridge.japanese.kana import hiragana, katakana


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("山田　太郎", "山田太郎"),
        ("ヤマダ タロウ", "ﾔﾏﾀﾞﾀﾛｳ"),
        ("やまだ太郎", "ヤマダ太郎"),
        ("髙橋", "高橋"),
        ("山﨑", "山崎"),
        ("濵田", "浜田"),
        ("渡邉", "渡辺"),
        ("渡邊", "渡辺"),
        ("桒原", "桑原"),
        ("大嶋", "大島"),
        ("𠮷野", "吉野"),
        ("葛\U000e0100城", "葛城"),
        ("神\ufe00田", "神田"),
        ("山田太郎 様", "山田太郎"),
        ("木ノ下", "木の下"),
        ("ＪＯＨＮ　Smith", "john smith"),
        ("O'Brien", "O’Brien"),
        ("ジョン－ピーター", "ジョンーピーター"),
    ],
)
def test_two_ways_to_write_one_person_have_one_key(one: str, other: str) -> None:
    assert name_key(one) == name_key(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("斎藤", "斉藤"),
        ("渡辺", "渡部"),
        ("Ann Alee", "Anna Lee"),
        ("山田一", "山田二"),
        ("佐々木", "佐々"),
        ("大田", "太田"),
        ("カトウ", "ガトウ"),
        ("大野", "大の"),
    ],
)
def test_two_persons_have_two_keys(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


def test_surnames_that_are_taken_for_one_another_are_one_only_on_request() -> None:
    assert (
        name_key("斎藤", kanji=Kanji.FAMILIES)
        == name_key("斉藤", kanji=Kanji.FAMILIES)
        == name_key("齊藤", kanji=Kanji.FAMILIES)
    )
    assert name_key("齋藤") == name_key("斎藤") != name_key("齊藤")


def test_old_kanji_are_told_apart_on_request() -> None:
    assert name_key("髙橋", kanji=Kanji.AS_WRITTEN) != name_key("高橋", kanji=Kanji.AS_WRITTEN)


def test_every_kanji_stands_in_one_group_and_reads_as_its_first() -> None:
    signs = "".join(FORMS.split())
    assert len(signs) == len(set(signs))
    for word in FORMS.split():
        assert {kanji_key(sign) for sign in word} == {word[0]}
        assert len(word) > 1


def test_families_are_one_only_in_families() -> None:
    for one, other in FAMILIES.split():
        assert kanji_key(one) != kanji_key(other)
        assert kanji_key(one, Kanji.FAMILIES) == kanji_key(other, Kanji.FAMILIES)


def test_kanji_are_all_that_a_kanji_key_touches() -> None:
    assert kanji_key("ＡＢＣ ﾔﾏﾀﾞ 髙") == "ＡＢＣ ﾔﾏﾀﾞ 高"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("さとう", "サトウ"),
        ("ｻﾄｳ", "サトウ"),
        ("ｶﾞｷﾞ", "ガギ"),
        ("か゛", "ガ"),
        ("カ ゛", "ガ"),
        ("ラ-メン", "ラーメン"),
        ("ラ−メン", "ラーメン"),
        ("ラ―メン", "ラーメン"),
        ("ヱビス", "エビス"),
        ("ヷ", "ヴァ"),
        ("サ\u200bトウ", "サトウ"),
        ("サトウ　タロウ", "サトウタロウ"),
        ("ジョン・スミス", "ジョンスミス"),
        ("〜", "～"),
    ],
)
def test_two_ways_to_write_one_reading_have_one_key(one: str, other: str) -> None:
    assert kana_key(one) == kana_key(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [("びょういん", "びよういん"), ("ビル", "ビール"), ("ハ", "バ"), ("バ", "パ"), ("ら〜めん", "らーめん")],
)
def test_two_readings_have_two_keys(one: str, other: str) -> None:
    assert kana_key(one) != kana_key(other)


def test_readings_from_banks_have_no_small_letters() -> None:
    assert kana_key("シャチョウ", small=False) == kana_key("シヤチヨウ", small=False) != kana_key("シャチョウ")


@given(text=st.text(alphabet=[chr(code) for code in range(0x3041, 0x3097)]))
def test_hiragana_there_and_back_is_the_same(text: str) -> None:
    assert hiragana(katakana(text)) == text


@pytest.mark.parametrize(
    ("text", "family", "given"),
    [
        ("山田 太郎", "山田", "太郎"),
        ("山田　太郎　様", "山田", "太郎"),
        ("山田太郎", "山田太郎", ""),
        ("John Ronald Smith", "Smith", "John Ronald"),
        ("Smith, John", "Smith", "John"),
        ("", "", ""),
    ],
)
def test_a_full_name_is_split_at_its_blank(text: str, family: str, given: str) -> None:
    assert split_name(text) == PersonName(family, given)


def test_a_name_is_not_printed() -> None:
    assert "山田" not in repr(split_name("山田 太郎"))
