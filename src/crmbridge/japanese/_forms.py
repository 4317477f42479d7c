"""Legal forms of Japanese organisations and their abbreviations: data, read by the company rules.

Full names and the round-bracket signs are those of the commercial register and of Unicode's squared signs (㈱ is
folded to (株)). The half-width bank abbreviations are the list that banks publish for transfers (法人略語, 全国銀行協会): in
front カ), behind (カ, between (カ).
"""

from __future__ import annotations

from typing import Final

# Full name, then the abbreviations in round brackets, then those of bank transfers.
FORMS: Final[tuple[tuple[str, str, str], ...]] = (
    ("株式会社", "株", "カ カブ"),
    ("有限会社", "有", "ユ"),
    ("合同会社", "同 合", "ド"),
    ("合資会社", "資", "シ"),
    ("合名会社", "名", "メ"),
    ("特例有限会社", "", ""),
    ("相互会社", "相 互", "ソ"),
    ("特定目的会社", "特", ""),
    ("医療法人社団", "医社", "イシヤ"),
    ("医療法人財団", "医財", "イザイ"),
    ("社会医療法人", "", ""),
    ("医療法人", "医", "イ"),
    ("一般社団法人", "一社", ""),
    ("公益社団法人", "公社", ""),
    ("社団法人", "社", "シヤ"),
    ("一般財団法人", "一財", ""),
    ("公益財団法人", "公財", ""),
    ("財団法人", "財", "ザイ"),
    ("学校法人", "学", "ガク"),
    ("宗教法人", "宗", "シユウ"),
    ("社会福祉法人", "福 社福", "フク"),
    ("更生保護法人", "更", "ホゴ"),
    ("特定非営利活動法人", "特非", "トクヒ"),
    ("NPO法人", "npo", ""),
    ("地方独立行政法人", "地独", "チドク"),
    ("独立行政法人", "独", "ドク"),
    ("国立研究開発法人", "国研", ""),
    ("国立大学法人", "大", "ダイ"),
    ("公立大学法人", "", ""),
    ("大学共同利用機関法人", "", ""),
    ("農事組合法人", "農", "ノウ"),
    ("管理組合法人", "", "カンリ"),
    ("弁護士法人", "弁", "ベン"),
    ("税理士法人", "税", "ゼイ"),
    ("監査法人", "監", ""),
    ("司法書士法人", "司", "シホウ"),
    ("行政書士法人", "行", "ギヨ"),
    ("特許業務法人", "", ""),
    ("弁理士法人", "", ""),
    ("社会保険労務士法人", "労", "ロウム"),
    ("土地家屋調査士法人", "", ""),
    ("投資法人", "", ""),
    ("有限責任事業組合", "", ""),
)

# How the same names read in the kana columns of the postal service, which knows no small letters.
READINGS: Final[tuple[tuple[str, str], ...]] = (
    ("カブシキガイシヤ", "株式会社"),
    ("カブシキカイシヤ", "株式会社"),
    ("ユウゲンガイシヤ", "有限会社"),
    ("ユウゲンカイシヤ", "有限会社"),
    ("ゴウドウガイシヤ", "合同会社"),
    ("ゴウドウカイシヤ", "合同会社"),
    ("ゴウシガイシヤ", "合資会社"),
    ("ゴウメイガイシヤ", "合名会社"),
)

# Behind a name in Latin letters; points and commas are gone when they are compared.
WESTERN: Final = (
    "incorporated|inc|corporation|corp|company limited|company ltd|co limited|co ltd|coltd|co kk|company|"
    "limited|ltd|k k|kk|l l c|llc|l l p|llp|lp|plc|gmbh & co kg|gmbh|ag|kg|b v|bv|n v|nv|v o f|vof|c v|cv|"
    "s a|sa|s a s|sas|sarl|s r l|srl|s p a|spa|s l|sl|oyj|oy|ab|asa|aps|pty ltd|pty limited|pte ltd|"
    "pte limited|sdn bhd|bhd|godo kaisha|g k|gk|kabushiki kaisha"
)

# A part of a company that has an address of its own, as a name ends.
BRANCHES: Final = (
    "支店 支社 支局 支部 支所 営業所 営業部 営業本部 出張所 事業所 事業部 事業本部 事務所 工場 製作所 製造所 研究所 センター 本店 本社 本部 "
    "オフィス ショールーム 物流倉庫 倉庫 配送所 分室 分院 分館 分校 代理店 店 キャンパス 校舎 寮 局 課 部 係 室"
)
# Words that end the name of an institution, so that a branch can follow without a blank.
INSTITUTIONS: Final = (
    "銀行 信用金庫 信用組合 農業協同組合 漁業協同組合 労働金庫 証券 生命 生命保険 損害保険 火災 火災保険 信託"
)
