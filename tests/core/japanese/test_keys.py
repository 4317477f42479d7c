"""What is true of every key."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crmbridge import japanese
from crmbridge.japanese import (
    Kanji,
    address_key,
    company_key,
    corporate_number_key,
    cp932_report,
    domain_key,
    email_key,
    fold,
    full_company_key,
    host_key,
    kana_key,
    kanji_key,
    name_key,
    phone_key,
    place_key,
    postal_key,
    split_address,
    split_city,
    split_company,
    split_name,
    split_phone,
    url_key,
)
from crmbridge.japanese._fold import IS_CLOSED, compose

KEYS: tuple[Callable[[str], str], ...] = (
    fold, name_key, company_key, full_company_key, place_key, kana_key, kanji_key, phone_key, postal_key,
    address_key, email_key, url_key, host_key, domain_key,
    corporate_number_key,
)  # fmt: skip
TAKES_ANY_TEXT: tuple[Callable[[str], object], ...] = (
    *KEYS,
    split_address,
    split_city,
    split_company,
    split_name,
    split_phone,
    cp932_report,
)
by_name = pytest.mark.parametrize("key", KEYS, ids=lambda key: key.__name__)

PIECES = (
    "東京都", "大阪府", "中央区", "札幌市", "府中市", "銀座", "一丁目", "２番", "3号", "番地", "の", "ノ", "字", "大字", "十", "二", "4", "１", "-",
    "－", "ー", "~", "(", ")", " ",
    "　", "階", "ビル", "私書箱第3号", "条", "甲", "郡", "上る", "丁", "株式会社", "㈱", "(株)", "カ)", "(カ", "有限会社", "社", "株式", "会社",
    "法人", "医療法人", "社団", "銀行",
    "渋谷支店", "御中", "様", "・", "&", " and ", "Co., Ltd.", "Inc", "k.k.", "山田", "太郎", "髙", "邉", "ｶﾞ", "ﾞ", "゛", "か",
    "ッ", "ヷ", "々", "+81", "0", "03", "内線",
    "/", "x", "#", "(代)", "@", ".", "。", "<", ">", ",", "mailto:", "http://", "www.", "jp", "?", "utm_source=a",
    "%7e", ":80", "index.html", "é", "ß", "İ", "ﬁ", "\u200b", "\ufe00",
    "\U000e0100", "\ud800", "\0", "\n", "😀", "𠮷", "〒", "100-0001",
)  # fmt: skip
texts = st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
SIGNS = (
    *"かカヵヶゕゖゥヷヰァッーヽゝ", "\u3099", "\u309a", "゛", "ﾞ", *"-―‐–─・.' 　", *"aéßİ", "髙", "邉", "樣", "様", "御", "中", "々", "山田", "Smith",
)  # fmt: skip
"""What a name or a reading is made of, and what changes the sign before it."""
BLANKS = st.text(alphabet=" \t\n\r\u3000\u00a0\u2003\u200b", max_size=6)


@by_name
@example(text="A´")
@example(text="ぁ--")
@example(text="0.0:80´")
@example(text="WWW..0")
@example(text="株式株式会社会社")
@given(text=texts)
def test_a_key_of_a_key_is_the_key(key: Callable[[str], str], text: str) -> None:
    once = key(text)
    assert key(once) == once


@by_name
@example(text="マリ― Smith")
@example(text="リ― ― Smith")
@example(text="山田御 中")
@example(text="山田樣")
@example(text="ヶ゛―")
@example(text="ゥ゛")
@example(text="かゥ゛樣─")
@example(text="か　-ァ.樣─")
@given(text=st.lists(st.sampled_from(SIGNS), max_size=8).map("".join))
def test_a_key_of_a_key_is_the_key_whatever_signs_meet(key: Callable[[str], str], text: str) -> None:
    once = key(text)
    assert key(once) == once


@given(text=st.lists(st.sampled_from(SIGNS), max_size=8).map("".join))
def test_a_reading_in_large_letters_has_itself_for_its_key(text: str) -> None:
    once = kana_key(text, small=False)
    assert kana_key(once, small=False) == once


@pytest.mark.parametrize("kanji", Kanji)
@given(text=st.lists(st.sampled_from(SIGNS), max_size=8).map("".join))
def test_a_name_has_itself_for_its_key_however_far_kanji_are_taken_as_equal(kanji: Kanji, text: str) -> None:
    once = name_key(text, kanji=kanji)
    assert name_key(once, kanji=kanji) == once


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("マリ― Smith", "マリー Smith"),
        ("マリ― Smith", "マリーSmith"),
        ("ゲ", "ヶ゛"),
        ("ゲ", "ヶ\u3099"),
        ("ガ", "ゕ゛"),
    ],
)
def test_a_sign_that_is_put_together_from_two_is_the_one_sign(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)
    if "S" not in one:
        assert kana_key(one) == kana_key(other)


@by_name
@given(text=texts)
def test_a_key_can_be_stored_in_any_encoding_of_unicode(key: Callable[[str], str], text: str) -> None:
    if key is not kanji_key:  # the only one that changes nothing but kanji
        key(text).encode("utf-8")


@by_name
@given(blank=BLANKS)
def test_a_blank_gives_nothing(key: Callable[[str], str], blank: str) -> None:
    if key is not kanji_key:
        assert key(blank) == ""


@pytest.mark.parametrize("function", TAKES_ANY_TEXT, ids=lambda function: function.__name__)
@given(text=texts)
def test_no_text_raises(function: Callable[[str], object], text: str) -> None:
    function(text)


def _full_width(text: str) -> str:
    return "".join(
        "\u3000" if sign == " " else chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text
    )


@pytest.mark.parametrize("key", [key for key in KEYS if key is not kanji_key], ids=lambda key: key.__name__)
@given(text=texts)
def test_full_width_text_has_the_same_key(key: Callable[[str], str], text: str) -> None:
    assert key(_full_width(text)) == key(text)


@pytest.mark.parametrize("key", [key for key in KEYS if key is not kanji_key], ids=lambda key: key.__name__)
@given(text=texts, before=BLANKS, after=BLANKS)
def test_blanks_around_a_text_do_not_matter(key: Callable[[str], str], text: str, before: str, after: str) -> None:
    assert key(before + text + after) == key(text)


@pytest.mark.parametrize("key", [name_key, company_key, kana_key], ids=lambda key: key.__name__)
@given(
    text=st.text(alphabet="山田太郎髙橋邉さくらサクラーッ株式会社藤枝支店", min_size=2, max_size=12),
    at=st.integers(min_value=1, max_value=11),
    blank=BLANKS,
)
def test_a_blank_between_japanese_signs_does_not_matter(
    key: Callable[[str], str], text: str, at: int, blank: str
) -> None:
    assert key(text[:at] + blank + text[at:]) == key(text)


@example(sign="\u0344")
@given(sign=st.characters())
def test_folding_one_sign_is_final(sign: str) -> None:
    assert fold(fold(sign)) == fold(sign)


def test_folding_is_final_for_every_sign_of_unicode() -> None:
    unsettled = [code for code in range(0x110000) if fold(folded := fold(chr(code))) != folded]
    assert unsettled == []


def test_a_folded_text_is_composed_and_without_case() -> None:
    for text in ("Ｔａｒｏ", "ｶﾞ", "㌔", "①", "ﬁ", "STRASSE"):
        folded = fold(text)
        assert unicodedata.is_normalized("NFKC", folded)
        assert folded == folded.casefold()


HOSTILE = (
    "a", "0", " ", "-", "ー", "(", "一", "１の", "株式会社", "(株)", "丁目", "1-", "1 ", "字", "\u0316\u0300", "\u0316.\u0300.", "\ud800", "\0",
    "😀", "@", "<", "a@", "/", "www.", "様", "御中", "co ltd ",
    "私書箱", "(私書箱", "%41", "&", "銀行", "上る", "内線", "x1", "郡", "東京都", "府中市",
)  # fmt: skip


@pytest.mark.parametrize("function", TAKES_ANY_TEXT, ids=lambda function: function.__name__)
def test_twice_the_text_takes_no_more_than_about_twice_the_time(function: Callable[[str], object]) -> None:
    def seconds(text: str) -> float:
        began = time.process_time()
        function(text)
        return time.process_time() - began

    for unit in HOSTILE:
        short, long = (unit * (size // len(unit)) for size in (20_000, 160_000))
        floor = 0.02  # below this nothing can be told apart
        # A busy machine may slow one of them down, but hardly three times in a row.
        assert any(seconds(long) < 8 * 3 * max(seconds(short), floor / 8) for _ in range(3)), unit


def test_every_public_name_is_exported_once() -> None:
    assert sorted(japanese.__all__) == list(japanese.__all__)
    assert all(hasattr(japanese, name) for name in japanese.__all__)


CLOSED = [sign for sign in map(chr, range(0x10000)) if IS_CLOSED(sign)]


@given(signs=st.lists(st.sampled_from(CLOSED)))
@example(signs=CLOSED)
@example(signs=["ｶ", "ﾞ"])
def test_text_without_blanks_needs_no_more_than_one_width(signs: list[str]) -> None:
    text = "".join(signs)
    assert compose(text) == unicodedata.normalize("NFKC", text)
