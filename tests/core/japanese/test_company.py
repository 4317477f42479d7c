"""Names of companies."""

from __future__ import annotations

import pytest

from crmbridge.japanese import Company, Kanji, Position, company_key, full_company_key, split_company
from crmbridge.japanese._forms import FORMS

FUJIKURA = [
    "株式会社フジクラ", "フジクラ株式会社", "㈱フジクラ", "フジクラ㈱", "(株)フジクラ", "フジクラ（株）", "株式会社　フジクラ", "カ）フジクラ", "ｶ)ﾌｼﾞｸﾗ", "ﾌｼﾞｸﾗ(ｶ",
    "㍿フジクラ", "フジクラ",
    "株式會社フジクラ", "株式会社フジクラ 御中", "【株】フジクラ", "カブシキガイシヤ フジクラ", "カブシキガイシャ フジクラ", "(カブ)フジクラ", "フ ジ ク ラ", "\u200b株式会社フジクラ",
]  # fmt: skip


@pytest.mark.parametrize("text", FUJIKURA)
def test_the_legal_form_does_not_matter_wherever_and_however_it_is_written(text: str) -> None:
    assert company_key(text) == "フジクラ"


@pytest.mark.parametrize(
    "text",
    [
        "Acme Inc.",
        "ACME, Inc",
        "Acme Co., Ltd.",
        "ACME CO.,LTD.",
        "Acme K.K.",
        "acme ltd",
        "ＡＣＭＥ　Ｉｎｃ．",
        "Acme B.V.",
        "Acme GmbH",
    ],
)
def test_western_forms_do_not_matter_either(text: str) -> None:
    assert company_key(text) == "acme"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("キヤノン株式会社", "キャノン（株）"),
        ("セブン・イレブン", "セブンイレブン"),
        ("セブン-イレブン", "セブンイレブン"),
        ("セブン‐イレブン・ジャパン", "㈱セブンイレブンジャパン"),
        ("ヤマダ G.K.", "合同会社ヤマダ"),
        ("新日本製鐵", "新日本製鉄"),
        ("A&B", "A and B"),
        ("エ－ザイ", "エーザイ"),
        ("茅ヶ崎市役所", "茅ケ崎市役所"),
        ("医療法人社団　北晨会", "医療法人　社団　北晨会"),
        ("三菱ＵＦＪ銀行　渋谷支店", "三菱UFJ銀行渋谷支店"),
    ],
)
def test_two_ways_to_write_one_company_have_one_key(one: str, other: str) -> None:
    assert company_key(one) == company_key(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("三菱UFJ銀行 渋谷支店", "三菱UFJ銀行 新宿支店"),
        ("三菱UFJ銀行 渋谷支店", "三菱UFJ銀行"),
        ("7-11", "711"),
        ("あさひ", "アサヒ"),
        ("日立", "日立製作所"),
        ("第一商事", "第二商事"),
        ("ビル管理", "ビール管理"),
        ("ガード-マン", "ガドマン"),
        ("東京農業協同組合", "東京農業株式会社"),
        ("Apple", "Apple&"),
    ],
)
def test_two_companies_have_two_keys(one: str, other: str) -> None:
    assert company_key(one) != company_key(other)


def test_the_form_tells_companies_apart_on_request_but_its_side_never_does() -> None:
    assert (
        company_key("株式会社山田", form=True)
        == company_key("山田㈱", form=True)
        != company_key("有限会社山田", form=True)
    )
    assert company_key("株式会社山田") == company_key("有限会社山田")


def test_a_legal_form_alone_is_no_company() -> None:
    assert company_key("株式会社") == company_key("㈱", form=True) == ""


def test_kanji_are_compared_as_asked() -> None:
    assert company_key("坂本商店", kanji=Kanji.FAMILIES) == company_key("阪本商店", kanji=Kanji.FAMILIES)
    assert company_key("坂本商店") != company_key("阪本商店")


@pytest.mark.parametrize(
    ("text", "company"),
    [
        ("株式会社フジクラ", Company("フジクラ", "株式会社", Position.FRONT)),
        ("フジクラ㈱", Company("フジクラ", "株式会社", Position.BACK)),
        ("ヤマキ株式会社藤枝支店", Company("ヤマキ", "株式会社", Position.MIDDLE, "藤枝支店")),
        ("ヤマキ　株式会社　藤枝支店", Company("ヤマキ", "株式会社", Position.MIDDLE, "藤枝支店")),
        ("株式会社　日立製作所　中央研究所", Company("日立製作所", "株式会社", Position.FRONT, "中央研究所")),
        ("株式会社日立製作所中央研究所", Company("日立製作所中央研究所", "株式会社", Position.FRONT)),
        ("三菱UFJ銀行渋谷支店", Company("三菱UFJ銀行", branch="渋谷支店")),
        ("株式会社　長崎屋　荒川沖店", Company("長崎屋", "株式会社", Position.FRONT, "荒川沖店")),
        ("(有)アート 御中", Company("アート", "有限会社", Position.FRONT)),
        ("ﾌｸ)ｱｵﾊﾞｶｲ", Company("アオバカイ", "社会福祉法人", Position.FRONT)),
        ("医療法人　社団　北晨会", Company("北晨会", "医療法人社団", Position.FRONT)),
        ("Acme Co., Ltd.", Company("Acme", "co ltd", Position.BACK)),
        ("浅草警察署", Company("浅草警察署")),
        ("", Company("")),
    ],
)
def test_a_company_is_split_into_name_form_position_and_branch(text: str, company: Company) -> None:
    assert split_company(text) == company


def test_every_form_is_recognised_in_full_and_in_its_abbreviations() -> None:
    for full, brackets, banks in FORMS:
        assert company_key(f"{full}アオバ") == "アオバ", full
        for short in (*brackets.split(), *banks.split()):
            assert (
                company_key(f"({short})アオバ")
                == company_key(f"アオバ({short}")
                == company_key(f"{short})アオバ")
                == "アオバ"
            ), short
            assert split_company(f"({short})アオバ").form == full


@pytest.mark.parametrize("text", ["Acme Limited", "ACME LTD.", "Acme, Ltd"])
def test_a_western_form_is_one_in_all_its_spellings(text: str) -> None:
    assert full_company_key(text) == "acme|ltd" != full_company_key("Acme Inc.")


def test_the_full_key_tells_forms_apart() -> None:
    assert full_company_key("㈱山田") == full_company_key("山田株式会社") != full_company_key("㈲山田")
