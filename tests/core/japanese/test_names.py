"""Names of persons, readings and kanji."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.japanese import Kanji, Names, PersonName, kana_key, kanji_key, name_key, split_name
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
        ("佐佐木", "佐々木"),
        ("野〻村", "野野村"),
        ("圡屋", "土屋"),
        ("山田　太郎　先生", "山田太郎"),
        ("山田太郎先生様", "山田太郎"),
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
        ("鵜殿", "鵜"),
        ("々木", "木々"),
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
    assert name_key("佐々木", kanji=Kanji.AS_WRITTEN) != name_key("佐佐木", kanji=Kanji.AS_WRITTEN)


def test_a_doctor_or_teacher_is_split_without_the_title() -> None:
    assert split_name("山田　太郎　先生") == PersonName("山田", "太郎")


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


FAMILY = "山田 長谷 長谷川 久保 久保田 佐々木 林 森 森林 高橋 齋藤 東海林 五十嵐 原 田 すずき たなか たな"
GIVEN = "太郎 一 小次郎 実 林太郎 一生 一郎 田実 かたろう たろう 花 "
NAMES = Names.parse([f"family\t{FAMILY}\n", f"given\t{GIVEN}\n"])


@pytest.mark.parametrize(
    ("text", "family", "given"),
    [
        ("山田太郎", "山田", "太郎"),
        ("長谷川一", "長谷川", "一"),
        ("佐々木小次郎", "佐々木", "小次郎"),
        ("東海林太郎", "東海林", "太郎"),
        ("髙橋一生", "髙橋", "一生"),
        ("斎藤花様", "斎藤", "花"),
        ("ｽｽﾞｷﾀﾛｳ", "スズキ", "タロウ"),
        ("五十嵐一\u200b", "五十嵐", "一"),
    ],
)
def test_a_name_without_a_blank_is_split_where_both_parts_are_known_in_one_way_only(
    text: str, family: str, given: str
) -> None:
    assert split_name(text, NAMES) == PersonName(family, given)


@pytest.mark.parametrize(
    "text",
    [
        "久保田",  # a family name, though 久保 and 田 are two
        "林太郎",  # a given name, and 林 with 太郎
        "森林太郎",  # 森 with 林太郎, and 森林 with 太郎
        "久保田実",  # 久保田 with 実, and 久保 with 田実
        "たなかたろう",  # たなか with たろう, and たな with かたろう
        "山田賀津也",  # nobody's given name that is known
        "勅使河原太郎",  # nobody's family name
        "太郎山田",
        "山田",
        "山",
    ],
)
def test_a_name_that_can_be_read_in_two_ways_or_in_none_is_left_whole(text: str) -> None:
    assert split_name(text, NAMES) == PersonName(text)


@given(
    family=st.sampled_from(FAMILY.split()), given=st.sampled_from(GIVEN.split()), blank=st.sampled_from([" ", "\u3000"])
)
def test_a_blank_says_where_a_name_is_split_whatever_the_table_knows(family: str, given: str, blank: str) -> None:
    assert split_name(family + blank + given, NAMES) == PersonName(family, given)


@given(text=st.one_of(st.text(), st.lists(st.sampled_from([*FAMILY.split(), *GIVEN.split(), "髙", "様"])).map("".join)))
def test_a_table_only_says_where_a_name_is_split_and_what_it_splits_is_known(text: str) -> None:
    alone, split = split_name(text), split_name(text, NAMES)
    assert split == alone or split.joined("") == alone.family
    if split != alone:
        assert NAMES.family_length(kanji_key(split.joined(""))) == len(split.family)


def test_a_table_of_names_is_read_with_what_was_added_to_it(tmp_path: Path) -> None:
    table = tmp_path / "names.tsv"
    table.write_text("family\t山田\ngiven\t太郎\nfamily\t勅使河原\n", encoding="utf-8")
    assert split_name("勅使河原太郎", Names.read(table)) == PersonName("勅使河原", "太郎")


def test_a_title_is_no_part_of_a_name_in_the_table_either() -> None:
    names = Names.parse(["family\t山田\n", "given\t太郎様\n"])
    assert split_name("山田太郎様", names) == split_name("山田太郎", names) == PersonName("山田", "太郎")


@pytest.mark.parametrize("line", ["family\n", "山田\t太郎\n", "\n"])
def test_a_damaged_table_of_names_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="family or given"):
        Names.parse([line])


def test_a_table_is_built_of_names_as_they_are_written_and_as_they_are_read() -> None:
    root = Path(__file__).parents[3]
    lines = runpy.run_path(str(root / "scripts" / "build_name_table.py"))["name_lines"]
    men, women = {"たろう": {"kanji": ["太郎", "太朗"]}}, {"はな": {"kanji": ["花"]}}
    family = {"田中": {"reading": "たなか", "count": 1}}
    assert [*lines(men, women, family=family)] == ["family\t田中 たなか\n", "given\tたろう 太郎 太朗 はな 花\n"]


def test_a_name_is_not_printed() -> None:
    assert "山田" not in repr(split_name("山田 太郎"))
