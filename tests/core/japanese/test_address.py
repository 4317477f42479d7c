"""Addresses: keys, parts, places, towns."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.japanese import Address, Place, Towns, address_key, place_key, postal_key, split_address, split_city
from crmbridge.japanese.cities import gazetteer
from crmbridge.japanese.kanji import fold_places
from crmbridge.japanese.numerals import in_kanji, kanji_number

GINZA = [
    "東京都中央区銀座1-2-3", "東京都中央区銀座１－２－３", "東京都中央区銀座一丁目２番３号", "東京都中央区銀座1丁目2番地3", "東京都中央区銀座1丁目2の3", "東京都中央区銀座１ー２ー３",
    "東京都 中央区 銀座 1-2-3",
    "東京都中央区銀座一丁目二番三号", "東京都中央区銀座1−2−3", "〒104-0061 東京都中央区銀座1-2-3", "東京都中央区銀座1-2-3 銀座ビル5F", "東京都中央区銀座1丁目2番3号銀座ビル５階",
    "東京中央区銀座1-2-3",
    "東京都中央区銀座1-2-3(銀座郵便局私書箱第4号)", "東京都中央区銀座01-02-03",
]  # fmt: skip


@pytest.mark.parametrize("text", GINZA)
def test_one_address_has_one_key_however_it_counts(text: str) -> None:
    assert address_key(text) == "東京都中央区銀座1-2-3"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("東京都霞ヶ関1-1", "東京都霞が関1-1"),
        ("神奈川県鎌倉市山ノ内189", "神奈川県鎌倉市山之内189"),
        ("神奈川県鎌倉市稲村ガ﨑二丁目8", "神奈川県鎌倉市稲村ヶ崎2-8"),
        ("京都府舞鶴市字北吸1044番地", "京都府舞鶴市北吸1044"),
        ("埼玉県川越市大字今福825-3", "埼玉県川越市今福825番地3"),
        ("北海道ニセコ町字富士見55番地", "北海道虻田郡ニセコ町富士見55"),
        ("横浜市中区日本大通1", "神奈川県横浜市中区日本大通１"),
        ("北海道札幌市中央区北三条西6丁目1", "北海道札幌市中央区北3条西6-1"),
        ("茨城県竜ヶ崎市馴馬町5387", "茨城県龍ケ崎市馴馬町5387番地"),
        ("静岡県浜松市中区元城町103-2", "静岡県浜松市中央区元城町103番地の2"),
        ("大阪府堺市堺区南花田口町２丁３－１０", "大阪府堺市堺区南花田口町2-3-10"),
        ("群馬県前橋市石倉町2丁目六番地の五", "群馬県前橋市石倉町2-6-5"),
        ("京都市下京区四条通烏丸下ル水銀屋町637", "京都府京都市下京区四条通烏丸下る水銀屋町637番地"),
        ("京都市上京区烏丸通今出川上がる玄武町601", "京都市上京区烏丸通今出川上ル玄武町601"),
        ("京都市中京区三条通河原町東入ル中島町", "京都市中京区三条通河原町東入る中島町"),
        ("愛知県豊橋市新栄町字鳥畷62(豊橋南郵便局私書箱第8号)", "愛知県豊橋市新栄町鳥畷62"),
    ],
)
def test_two_ways_to_write_one_address_have_one_key(one: str, other: str) -> None:
    assert address_key(one) == address_key(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("銀座1-2-3", "銀座12-3"),
        ("銀座1-23", "銀座12-3"),
        ("銀座1-2-3", "銀座1-2"),
        ("東京都府中市本町1-1", "広島県府中市本町1-1"),
        ("北区1-1", "南区1-1"),
        ("北海道札幌市中央区北一条西4丁目 甲ビル", "北海道札幌市中央区北一条西4丁目 乙ビル"),
        ("銀座1-2-101", "銀座1-2-102"),
        ("銀座1-2-A", "銀座1-2-B"),
        ("東京都港区麻布十番2-1", "東京都港区麻布2-1"),
        ("六本木6-1", "七本木6-1"),
        ("大阪市北区梅田 中央郵便局私書箱3号", "大阪市北区梅田 中央郵便局私書箱4号"),
    ],
)
def test_two_addresses_have_two_keys(one: str, other: str) -> None:
    assert address_key(one) != address_key(other)


def test_buildings_are_apart_unless_asked_for() -> None:
    one, other = "東京都中央区銀座1-2-3 甲ビル", "東京都中央区銀座1-2-3 乙ビル"
    assert address_key(one) == address_key(other)
    assert address_key(one, building=True) != address_key(other, building=True)
    assert place_key(one) == place_key("東京都中央区銀座一丁目２番３号　甲ビル")


def test_a_floor_is_one_place_however_it_is_counted() -> None:
    assert place_key("港区芝1-2-3 芝ビル3F") == place_key("港区芝1-2-3 芝ビル３階") != place_key("港区芝1-2-3 芝ビル4F")
    assert (
        place_key("港区芝1-2-3 芝ビルB1F")
        == place_key("港区芝1-2-3 芝ビル地下1階")
        != place_key("港区芝1-2-3 芝ビル1F")
    )
    assert place_key("港区芝1-2-3 棟3fa") != place_key("港区芝1-2-3 棟3階a")


def test_a_place_tells_boxes_at_one_address_apart() -> None:
    one, other = (f"東京都千代田区大手町1丁目7-2(銀座郵便局私書箱第{number}号)" for number in (433, 246))
    assert address_key(one) == address_key(other)
    assert place_key(one) != place_key(other)


@given(
    numbers=st.lists(st.integers(min_value=1, max_value=9999), min_size=2, max_size=4),
    other=st.lists(st.integers(min_value=1, max_value=9999), min_size=2, max_size=4),
)
def test_numbers_are_never_confused(numbers: list[int], other: list[int]) -> None:
    one, two = ("東京都中央区銀座" + "-".join(map(str, run)) for run in (numbers, other))
    assert (address_key(one) == address_key(two)) == (numbers == other)


@given(
    block=st.integers(min_value=1, max_value=99),
    lot=st.integers(min_value=1, max_value=999),
    house=st.integers(min_value=1, max_value=999),
)
def test_all_ways_of_counting_agree_for_every_number(block: int, lot: int, house: int) -> None:
    start = "東京都中央区銀座"
    keys = {
        address_key(start + text)
        for text in (
            f"{block}-{lot}-{house}",
            f"{block}丁目{lot}番{house}号",
            f"{in_kanji(block)}丁目{lot}番地の{house}",
            f"{in_kanji(block)}丁目{in_kanji(lot)}番{in_kanji(house)}号",
            f"{block}の{lot}の{house}",
        )
    }
    assert keys == {f"{start}{block}-{lot}-{house}"}


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("大阪府高槻市奈佐原２丁目１－２", Address("大阪府", "高槻市", "奈佐原二丁目", "1-2")),
        (
            "東京都港区上大崎3丁目1-1目黒セントラルスクエア6階",
            Address("東京都", "港区", "上大崎三丁目", "1-1", "目黒セントラルスクエア6階"),
        ),
        ("京都府京都市左京区花脊大布施町196番地", Address("京都府", "京都市左京区", "花脊大布施町", "196")),
        ("岩手県盛岡市湯沢16地割15-4", Address("岩手県", "盛岡市", "湯沢十六地割", "15-4")),
        ("大阪府堺市堺区南花田口町２丁３－１０", Address("大阪府", "堺市堺区", "南花田口町二丁", "3-10")),
        ("大阪市北区梅田1-1 1201号室", Address("大阪府", "大阪市北区", "梅田", "1-1", "1201号室")),
        ("東京都千代田区神田松永町19-2-8F", Address("東京都", "千代田区", "神田松永町", "19-2", "8F")),
        ("東京都港区麻布十番2丁目8番6号", Address("東京都", "港区", "麻布十番二丁目", "8-6")),
        ("府中市宮西町2丁目24番地", Address("東京都", "府中市", "宮西町二丁目", "24")),
        ("府中市府川町315", Address("広島県", "府中市", "府川町", "315")),
        ("府中市本町1-1", Address("東京都", "府中市", "本町", "1-1")),
        ("府中市1-1", Address("", "府中市", "", "1-1")),
        ("茨城県鹿島市平井1187-1", Address("茨城県", "鹿嶋市", "平井", "1187-1")),
        ("斜里町朝日町20-18", Address("北海道", "斜里郡斜里町", "朝日町", "20-18")),
        ("中央区銀座1-1", Address("", "", "中央区銀座", "1-1")),
        ("千葉市役所", Address("千葉県", "千葉市", "役所")),
        ("ニューヨーク", Address(town="ニューヨーク")),
        ("", Address()),
    ],
)
def test_an_address_is_split_into_its_parts(text: str, address: Address) -> None:
    assert split_address(text) == address


def test_a_box_is_a_part_of_its_own() -> None:
    address = split_address("愛知県豊橋市新栄町字鳥畷62(豊橋南郵便局私書箱第8号)")
    assert (address.number, address.box) == ("62", "豊橋南郵便局私書箱第8号")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("東京都中央区銀座１－２－３", Place("東京都", "中央区", "銀座1-2-3")),
        ("〒104-0061 東京都 中央区 銀座 1−2 Ginza Six", Place("東京都", "中央区", "銀座1-2 Ginza Six")),
        ("大阪市北区梅田1", Place("大阪府", "大阪市北区", "梅田1")),
        ("佐賀県白石町福田", Place("佐賀県", "杵島郡白石町", "福田")),
        ("千葉県市川巿八幡1", Place("千葉県", "市川市", "八幡1")),
        ("静岡県浜松市中区元城町103-2", Place("静岡県", "浜松市中央区", "元城町103-2")),
        ("北海道札幌市", Place("北海道", "札幌市")),
        ("中央区銀座1-1", Place("", "", "中央区銀座1-1")),
        ("", Place()),
    ],
)
def test_a_prefecture_and_a_municipality_are_split_from_the_rest(text: str, place: Place) -> None:
    assert split_city(text) == place


@given(
    place=st.sampled_from([(name, city) for name, known in gazetteer().within.items() for city in known.values()]),
    rest=st.one_of(
        st.text(), st.lists(st.sampled_from("市区町村郡東西南北中央川島ケヶー－-1１丁目 　、 ﾞか\ufe00")).map("".join)
    ),
)
def test_an_address_that_begins_as_the_table_is_split_like_one_that_is_made_plain_first(
    place: tuple[str, str], rest: str
) -> None:
    text = "".join(place) + rest
    assert split_city(text) == split_city(f"〒100-0001 {text}")


def test_every_prefecture_and_municipality_is_found_by_its_own_name() -> None:
    for prefecture, known in gazetteer().within.items():
        assert fold_places(prefecture) == prefecture
        for city in known.values():
            split = split_address(f"{prefecture}{city}本町1-1")
            assert (split.prefecture, split.city) == (prefecture, city)
    assert len(gazetteer().within) == 47


@pytest.fixture
def towns(tmp_path: Path) -> Towns:
    table = tmp_path / "towns.tsv"
    table.write_text(
        "大阪府\t茨木市\t平田* 平田台\n神奈川県\t横浜市緑区\t鴨居* 鴨居町\n京都府\t京都市上京区\t藪之内町\n長野県\t長野市\t南長野 南長野町\n東京都\t国立市\t谷保*\n北海道\t帯広市\t西十八条南*\n",
        encoding="utf-8",
    )
    return Towns.read(table)


@pytest.mark.parametrize(
    ("text", "town", "number"),
    [
        ("大阪府茨木市平田1-8-20", "平田一丁目", "8-20"),
        ("大阪府茨木市平田台1-8", "平田台", "1-8"),
        ("神奈川県横浜市緑区鴨居町2400", "鴨居町", "2400"),
        ("京都府京都市上京区下立売通新町西入薮ノ内町", "藪之内町", ""),
        ("長野県長野市大字南長野字幅下692-2", "大字南長野字幅下", "692-2"),
        ("東京都国立市谷保6969-7", "谷保", "6969-7"),
        ("北海道帯広市西１８条南３７－１－６", "西十八条南三十七丁目", "1-6"),
        ("大阪府茨木市未知町3-4", "未知町", "3-4"),
    ],
)
def test_a_table_of_towns_knows_blocks_and_names_in_force(towns: Towns, text: str, town: str, number: str) -> None:
    split = split_address(text, towns)
    assert (split.town, split.number) == (town, number)


def test_a_damaged_table_of_towns_is_refused() -> None:
    with pytest.raises(ValueError, match="not enough values"):
        Towns.parse(["大阪府\t茨木市\n"])


@given(number=st.integers(min_value=1, max_value=9999))
def test_a_number_written_in_kanji_is_read_back(number: int) -> None:
    assert kanji_number(in_kanji(number)) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("二三", 23),
        ("十", 10),
        ("百一", 101),
        ("〇", 0),
        ("十十", None),
        ("一二十", None),
        ("", None),
        ("木", None),
        ("九" * 9, None),
    ],
)
def test_kanji_numbers_are_read_by_value_and_by_place(text: str, number: int | None) -> None:
    assert kanji_number(text) == number


@pytest.mark.parametrize("number", [0, 10_000])
def test_numbers_that_no_block_has_are_not_written(number: int) -> None:
    with pytest.raises(ValueError, match="9,999"):
        in_kanji(number)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("〒100-0001", "1000001"),
        ("１００ー０００１", "1000001"),
        ("100 0001", "1000001"),
        ("1000001", "1000001"),
        ("100", ""),
        ("100-00011", ""),
        ("000-0000", ""),
        ("", ""),
    ],
)
def test_a_postal_code_is_seven_digits_or_nothing(text: str, key: str) -> None:
    assert postal_key(text) == key
