"""Real establishments, and contacts who do not exist."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import Final

import attrs

_FAMILIES: Final = (
    ("佐藤", "sato"), ("鈴木", "suzuki"), ("高橋", "takahashi"), ("田中", "tanaka"), ("伊藤", "ito"),
    ("渡辺", "watanabe"), ("山本", "yamamoto"), ("中村", "nakamura"), ("小林", "kobayashi"), ("加藤", "kato"),
    ("吉田", "yoshida"), ("山田", "yamada"), ("佐々木", "sasaki"), ("山口", "yamaguchi"), ("松本", "matsumoto"),
    ("井上", "inoue"), ("木村", "kimura"), ("林", "hayashi"), ("斎藤", "saito"), ("清水", "shimizu"),
)  # fmt: skip
_GIVEN: Final = (
    ("陽子", "yoko"), ("健一", "kenichi"), ("美咲", "misaki"), ("翔太", "shota"), ("直樹", "naoki"), ("由美", "yumi"),
    ("大輔", "daisuke"), ("恵子", "keiko"), ("拓也", "takuya"), ("真理", "mari"), ("浩", "hiroshi"), ("愛", "ai"),
    ("誠", "makoto"), ("彩", "aya"), ("隆", "takashi"), ("香織", "kaori"),
)  # fmt: skip
_TITLES: Final = ("部長", "課長", "係長", "主任", "店長", "総務担当", "購買担当", "営業担当")


@attrs.frozen
class Establishment:
    """An establishment with a postal code of its own, as Japan Post lists it."""

    postal_code: str
    name: str
    kana: str
    prefecture: str
    city: str
    town: str
    banchi: str


@attrs.frozen
class Contact:
    """Somebody made up who works at a real establishment; the same for the same establishment always."""

    at: Establishment
    family: str = attrs.field(repr=False)
    given: str = attrs.field(repr=False)
    email: str = attrs.field(repr=False)
    title: str
    phone: str = attrs.field(repr=False)


def establishments() -> Sequence[Establishment]:
    """Read the establishments that come with the package; `_data/NOTICE.md` says where they are from."""
    text = (files("crmbridge.cli") / "_data" / "establishments.csv").read_text("utf-8")
    rows = csv.reader(text.splitlines())
    next(rows)
    return [Establishment(*row) for row in rows]


def contact(at: Establishment) -> Contact:
    """Make up who answers for an establishment."""
    chance = hashlib.sha256(at.postal_code.encode()).digest()
    family, family_latin = _FAMILIES[chance[0] % len(_FAMILIES)]
    given, given_latin = _GIVEN[chance[1] % len(_GIVEN)]
    return Contact(
        at,
        family,
        given,
        f"{given_latin}.{family_latin}@c{at.postal_code}.example",
        _TITLES[chance[2] % len(_TITLES)],
        phone(chance[3] * 65_536 + chance[4] * 256 + chance[5]),
    )


def phone(number: int) -> str:
    """Make a telephone number that is given to nobody: no exchange of a Japanese town begins with 0 or 1."""
    return f"03-0{number // 10_000 % 1_000:03}-{number % 10_000:04}"
