"""Comparison keys and splitters take any text at all."""

from crmbridge import japanese

KEYS = (
    japanese.name_key, japanese.company_key, japanese.phone_key, japanese.address_key, japanese.email_key,
    japanese.kana_key, japanese.url_key, japanese.postal_key, japanese.fold,
)  # fmt: skip
SPLITTERS = (japanese.split_company, japanese.split_name, japanese.split_phone, japanese.split_address)
SEEDS = (
    "（株）ﾔﾏﾀﾞ　商店".encode(),
    "０３－１２３４-5678 内線9".encode(),
    "東京都港区芝1丁目2番3号".encode(),
    b"\xff\xfe",
    b"a@b",
)


def target(data):
    text = data.decode("utf-8", "surrogateescape")
    for key in KEYS:
        made = key(text)
        assert made is None or isinstance(made, str)
    for split in SPLITTERS:
        split(text)
